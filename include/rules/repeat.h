/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repeat -- how often a pattern repeats something without a small bound.  One
 * such repeat tried from each place of a text takes the square of its length at
 * the worst; each further one multiplies it by the length again, and PCRE2
 * counts only part of that against its match limit.
 */
#ifndef RULES_REPEAT_H
#define RULES_REPEAT_H

#include "base/str.h"

/* Repeats of `pattern`, in Perl's syntax, that may backtrack over more than a
 * few hundred places: "*", "+", "{5,}", "{0,1000}"; not "*+", "{1000}". */
unsigned repeat_count(struct str pattern);

#endif
