/* SPDX-License-Identifier: BSD-2-Clause */
/* bits -- sets of small numbers, a bit each. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include "base/base.h"

/* How many words hold `n` bits. */
static inline size_t
bits_words(size_t n)
{
	return (n + 63) / 64;
}

static inline uint64_t
bits_mask(size_t i)
{
	return UINT64_C(1) << i % 64;
}

static inline bool
bits_has(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] & bits_mask(i)) != 0;
}

/* True: it was not in. */
static inline bool
bits_add(uint64_t *bits, size_t i)
{
	bool is_new = !bits_has(bits, i);
	bits[i / 64] |= bits_mask(i);
	return is_new;
}

static inline void
bits_drop(uint64_t *bits, size_t i)
{
	bits[i / 64] &= ~bits_mask(i);
}

/* The first that is in both, `from` or later, before `to`; or `to`. */
static inline size_t
bits_next(const uint64_t *x, const uint64_t *y, size_t from, size_t to)
{
	if (from >= to)
		return to;
	size_t word = from / 64;
	uint64_t bits = x[word] & y[word] & UINT64_MAX << from % 64;
	while (bits == 0 && ++word < bits_words(to))
		bits = x[word] & y[word];
	if (bits == 0)
		return to;
	size_t next = word * 64 + (size_t)__builtin_ctzll(bits);
	return next < to ? next : to;
}

#endif
