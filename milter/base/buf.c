/* SPDX-License-Identifier: BSD-2-Clause */
/* buf -- growing text with a maximum. */
#include "base/buf.h"

#include <math.h>
#include <stdarg.h>

#include "base/arena.h"
#include "base/log.h"

static void
buf_release(void *arg)
{
	struct buf *b = arg;
	free(b->p);
}

struct buf *
buf_new(struct arena *a, size_t max)
{
	struct buf *b = ARENA_NEW(a, struct buf);
	b->max = max;
	arena_on_release(a, buf_release, b);
	return b;
}

void
buf_reserve(struct buf *b, size_t n)
{
	size_t want = n > b->max - b->len ? b->max : b->len + n;
	if (want <= b->cap)
		return;
	size_t cap = b->cap < 128 ? 256 : b->cap * 2;
	if (cap < want)
		cap = want;
	if (cap > b->max)
		cap = b->max;
	char *p = realloc(b->p, cap);
	if (p == NULL)
		log_fatal("out of memory (%zu bytes)", cap);
	b->p = p;
	b->cap = cap;
}

void
buf_put(struct buf *b, struct str s)
{
	if (s.len > b->max - b->len) {
		b->is_cut = true;
		s.len = b->max - b->len;
	}
	if (s.len == 0)
		return;
	buf_reserve(b, s.len);
	memcpy(b->p + b->len, s.p, s.len);
	b->len += s.len;
}

void
buf_putc(struct buf *b, char c)
{
	if (b->len < b->cap)
		b->p[b->len++] = c;
	else
		buf_put(b, str_of(&c, 1));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	if ((size_t)len < sizeof(text)) {
		buf_put(b, str_of(text, (size_t)len));
		return;
	}
	char *big = malloc((size_t)len + 1);
	if (big == NULL)
		log_fatal("out of memory (%d bytes)", len);
	va_start(ap, fmt);
	(void)vsnprintf(big, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf_put(b, str_of(big, (size_t)len));
	free(big);
}

void
buf_number(struct buf *b, double number)
{
	char text[64];
	double back;
	if (!isfinite(number))
		number = 0;
	(void)snprintf(text, sizeof(text), "%.3f", number);
	if (!str_double(str_from(text), &back) || back != number)
		(void)snprintf(text, sizeof(text), "%.17g", number);
	buf_put(b, str_from(text));
}
