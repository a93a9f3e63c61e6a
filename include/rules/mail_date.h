/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail_date -- the time that a Date or a Received field tells, read as
 * leniently as SpamAssassin does.  Whether a Date is a good one is date_bad()'s
 * question (eval_header.c).
 */
#ifndef RULES_MAIL_DATE_H
#define RULES_MAIL_DATE_H

#include "base/str.h"

struct arena;

/*
 * Seconds since 1970 of the first date in `text`, which may have other words
 * around it.  Years are cut to 1970-2037.  False: there is none.
 */
MUST_CHECK bool mail_date_read(struct arena *a, struct str text, int64_t *ret);

#endif
