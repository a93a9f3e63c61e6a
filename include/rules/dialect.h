/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialect -- Perl's regular expressions in the words of PCRE2, and what Perl
 * refuses where PCRE2 does not.  SpamAssassin makes each warning of Perl's an
 * error.  Compiling is regex.h's work.
 */
#ifndef RULES_DIALECT_H
#define RULES_DIALECT_H

#include "base/str.h"

struct arena;

/*
 * `pattern`, of at most 1 MiB, as PCRE2 10.42 reads it.  `*ret_complaint` says
 * what Perl 5.36 refuses in it and where, empty if nothing was found; NULL: it
 * is not wanted.  That PCRE2 refuses a thing, too, is left to PCRE2.
 */
struct str dialect_read(
    struct arena *a, struct str pattern, struct str *ret_complaint);
/*
 * `pattern`, as dialect_read() returns it, with each \D, \S and \W that stands
 * alone in a class: alone, PCRE2 10.42's JIT matches nothing past ASCII with it
 * where a text may be broken UTF-8.
 */
struct str dialect_for_utf(struct arena *a, struct str pattern);

#endif
