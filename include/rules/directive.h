/* SPDX-License-Identifier: BSD-2-Clause */
/* directive -- lines of SpamAssassin files that mean nothing here, and why. */
#ifndef RULES_DIRECTIVE_H
#define RULES_DIRECTIVE_H

#include "base/str.h"

/* Why lines that start with `name` are not used; NULL: no such directive. */
const char *directive_ignored(struct str name);
/* `name` defines a rule that asks the network: "askdns", "urirhssub", ... */
bool directive_is_network(struct str name);

#endif
