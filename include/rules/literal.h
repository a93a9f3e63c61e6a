/* SPDX-License-Identifier: BSD-2-Clause */
/* literal -- a regular expression as rules write it: /re/i, m{re}, qr!re!x. */
#ifndef RULES_LITERAL_H
#define RULES_LITERAL_H

#include "base/str.h"

struct arena;

/*
 * The pattern of the literal `text`, its modifiers in front of it: "(?i)re".
 * Delimiters as in SpamAssassin's Util.pm (compile_regexp): the last one on the
 * line ends it, an unescaped one inside is an error.  False: `*ret_why` says
 * what is wrong.
 */
MUST_CHECK bool literal_parse(
    struct arena *a, struct str text, struct str *ret, struct str *ret_why);
/* The same, but `text` without delimiters is a pattern as it stands. */
MUST_CHECK bool literal_or_pattern(
    struct arena *a, struct str text, struct str *ret, struct str *ret_why);

/* It matches every text: what is odd about `pattern`; empty: nothing. */
struct str literal_oddity(struct str pattern);

#endif
