/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * adsp -- which domains are known to sign all they send: adsp_override lines of
 * rule files.  What domains once published themselves (RFC 5617, historic) is
 * not asked for.
 */
#ifndef RULES_ADSP_H
#define RULES_ADSP_H

#include "base/str.h"

struct adsp;
struct arena;

/*
 * N no such domain, U unknown, A all is signed, D and what is not can go, 1 to
 * 3 by the rule file's own measure; \0: no line is about `domain`, whose labels
 * are in lower case.
 */
char adsp_of(const struct adsp *adsp, struct arena *a, struct str domain);

#endif
