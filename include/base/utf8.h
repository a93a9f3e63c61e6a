/* SPDX-License-Identifier: BSD-2-Clause */
/* utf8 -- UTF-8 as RFC 3629 has it: shortest form, no surrogates, up to
 * U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

struct buf;

/* Bytes of the character that `s` starts with: 1-4, or 0 if it is not valid. */
size_t utf8_length(struct str s);
bool utf8_is_valid(struct str s);
/* The character at the start of `s`, which utf8_length() has found valid. */
uint32_t utf8_decode(struct str s);
/* Append U+`c`; surrogates and what is past U+10FFFF become U+FFFD. */
void utf8_put(struct buf *b, uint32_t c);
/*
 * Invisible, though wcwidth() has it printable, or turning the direction of
 * what follows (Unicode TR 36, section 2.10): a subject must not hide its text.
 */
bool utf8_is_deceiver(uint32_t c);

#endif
