/* SPDX-License-Identifier: BSD-2-Clause */
/* scan -- short walks over a view that several parsers of mail share. */
#ifndef MAIL_SCAN_H
#define MAIL_SCAN_H

#include "base/str.h"

/* Each returns the first index from `i` on that is not ..., or s.len. */

/* ... an ASCII blank. */
static inline size_t
scan_blanks(struct str s, size_t i)
{
	while (i < s.len && char_is_space(s.p[i]))
		i++;
	return i;
}

/* ... a digit. */
static inline size_t
scan_digits(struct str s, size_t i)
{
	while (i < s.len && char_is_digit(s.p[i]))
		i++;
	return i;
}

/* ... outside of `set`; a NUL is in no set. */
static inline size_t
scan_until(struct str s, size_t i, const char *set)
{
	uint64_t bits[4] = {0};
	for (; *set != '\0'; set++)
		bits[(unsigned char)*set / 64] |= UINT64_C(1)
						  << (unsigned char)*set % 64;
	for (; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((bits[c / 64] >> c % 64 & 1) != 0)
			break;
	}
	return i;
}

#endif
