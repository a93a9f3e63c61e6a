/* SPDX-License-Identifier: BSD-2-Clause */
/* ignored -- lines of SpamAssassin files that mean nothing here, and why. */
#ifndef RULES_IGNORED_H
#define RULES_IGNORED_H

#include "base/str.h"

/* Why lines that start with `name` are not used; NULL: no such directive. */
const char *ignored_why(struct str name);
/* `name` defines a rule that asks the network: "askdns", "urirhssub", ... */
bool ignored_is_network(struct str name);

#endif
