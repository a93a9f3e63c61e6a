/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charset -- bytes of a declared or guessed charset to UTF-8 (iconv converts).
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/str.h"

struct arena;

/*
 * `text` as UTF-8, as SpamAssassin's normalize_charset does it: pure ASCII
 * stays, then UTF-8 if valid, then `declared`, then windows-1252.  What stays
 * as it is comes back as a view of `text`.  Of what must be converted at least
 * `most` bytes of result are kept, not much more.  `*ret_converted`: the result
 * is characters to Perl (see part.is_unicode).
 */
struct str charset_normalize(struct arena *a, struct str text,
    struct str declared, size_t most, bool *ret_converted);

/*
 * What SpamAssassin makes characters of with normalize_charset off: text in
 * UTF-8, declared as that or as ASCII, with something past ASCII in it.
 */
bool charset_is_readable(struct str text, struct str declared);

/*
 * `text` of no declared charset as UTF-8 for people, where rules see what
 * charset_normalize() makes of it: if most of what is not ASCII is UTF-8, each
 * byte that is not becomes U+FFFD, and nothing else changes; else all of it is
 * taken for windows-1252.  A view of `text` if that is UTF-8.
 */
struct str charset_readable(struct arena *a, struct str text);

/*
 * The text of an RFC 2047 word as UTF-8: `declared` is taken at its word, and
 * what it does not allow becomes U+FFFD.
 */
struct str charset_decode(
    struct arena *a, struct str text, struct str declared);

#endif
