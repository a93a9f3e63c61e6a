/* SPDX-License-Identifier: BSD-2-Clause */
/* uchar -- classes of characters beyond ASCII, as Perl has them. */
#ifndef MAIL_UCHAR_H
#define MAIL_UCHAR_H

#include "base/str.h"

/* White space of Unicode from U+0080 on; `c` may be any number. */
bool uchar_is_space(uint32_t c);
/* A letter, digit or mark from U+0080 on. */
bool uchar_is_word(uint32_t c);

/*
 * The character at the start (end) of `s`, which is not empty; a byte that is
 * no character stands for itself.
 */
uint32_t uchar_first(struct str s, size_t *ret_len);
uint32_t uchar_last(struct str s, size_t *ret_len);

/* Characters of `s`, UTF-8. */
size_t uchar_count(struct str s);
/* The first `most` characters. */
struct str uchar_sub(struct str s, size_t most);
/* Without blanks at both ends, ASCII and others. */
struct str uchar_trim(struct str s);

#endif
