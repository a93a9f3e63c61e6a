/* SPDX-License-Identifier: BSD-2-Clause */
/* msgid -- the Message-IDs in a field (RFC 5322 section 3.6.4).  Whoever writes
 * them down and whoever looks for them must read them alike. */
#ifndef MAIL_MSGID_H
#define MAIL_MSGID_H

#include "base/str.h"

#define MSGID_BYTES ((size_t)250)

/*
 * What stands in each <...> of `value`, any bytes, last to first; without any,
 * all of it.  Without blanks around it; what has blanks or controls inside, or
 * is empty, is left out; the rest is cut at MSGID_BYTES.  Each once, at most
 * `max` in `ret`, views into `value`; returns how many.
 */
size_t msgids_of(struct str value, struct str *ret, size_t max);

#endif
