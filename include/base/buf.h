/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf -- growing text with a maximum named at birth.  What does not fit is
 * dropped and `is_cut` says so.  The memory is the arena's to give back.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p; /* heap block, on the arena's release list */
	size_t len;
	size_t cap;
	size_t max;
	bool is_cut;
};

/* A buffer of at most `max` bytes that lives as long as `a`. */
struct buf *buf_new(struct arena *a, size_t max);
void buf_put(struct buf *b, struct str s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* As short as it reads back exactly, with three decimals at least; what is not
 * finite is 0. */
void buf_number(struct buf *b, double number);
/* Room for `n` more bytes if the maximum allows; speeds up many small puts. */
void buf_reserve(struct buf *b, size_t n);
/* The text so far: good until the next call that adds to `b`. */
static inline struct str
buf_str(const struct buf *b)
{
	return str_of(b->p, b->len);
}

#endif
