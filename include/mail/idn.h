/* SPDX-License-Identifier: BSD-2-Clause */
/* idn -- host names with letters beyond ASCII (RFC 5890) as A-labels. */
#ifndef MAIL_IDN_H
#define MAIL_IDN_H

#include "base/str.h"

struct arena;

/* `host` in A-labels, lower case; if that fails, in lower case only. */
struct str idn_to_ascii(struct arena *a, struct str host);

#endif
