/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stretch -- sets of bytes, and how many of them there are at least.  A long
 * one is sought from its end, so that most bytes of a text are never looked at.
 */
#include "rules/stretch.h"

#include <math.h>

#include "base/arena.h"
#include "rules/literal_set.h"
#include "rules/sample.h"

/* A shorter one is not sought much faster than a regex is tried. */
#define BYTES_MIN 10
#define BYTE_BITS_MAX 3
#define BYTES_MAX (UINT32_C(1) << 20)
/* So much of what mail is made of may have it. */
#define SHARE_MOST 0.2

struct stretch {
	struct byte_set set;
	uint32_t n; /* bytes */
};

/* What is there in each match. */
struct stretches {
	struct stretch all;  /* the whole of it is one */
	struct stretch tail; /* it ends with this */
	struct stretch best; /* it has this somewhere */
};

/*
 * How much it tells: the sum of what its bytes do, in bits.  What is rare by
 * itself is better sought as a literal.
 */
static double
stretch_weight(const struct stretch *stretch)
{
	double all = 0, in = 0;
	if (stretch->n == 0)
		return 0;
	for (unsigned c = 0; c < 256; c++) {
		double weight = literal_byte_weight((char)c);
		all += weight;
		in += stretch->set.has[c] ? weight : 0;
	}
	return stretch->n * fmin(-log2(in / all), BYTE_BITS_MAX);
}

static void
stretch_better(struct stretch *best, const struct stretch *other)
{
	if (stretch_weight(other) > stretch_weight(best))
		*best = *other;
}

/* Bytes of either. */
static struct stretch
stretch_sum(const struct stretch *x, const struct stretch *y, uint64_t n)
{
	struct stretch sum = {.n = n < BYTES_MAX ? (uint32_t)n : BYTES_MAX};
	for (unsigned c = 0; c < 256; c++)
		sum.set.has[c] = x->set.has[c] || y->set.has[c];
	return sum;
}

static struct stretch
stretch_join(const struct stretch *x, const struct stretch *y)
{
	return stretch_sum(x, y, x->n < y->n ? x->n : y->n);
}

static struct stretch
stretch_chain(const struct stretch *x, const struct stretch *y)
{
	return stretch_sum(x, y, (uint64_t)x->n + y->n);
}

static struct stretches *
stretches_of(struct arena *a, const struct stretch *stretch)
{
	struct stretches *ret = ARENA_NEW(a, struct stretches);
	*ret = (struct stretches){*stretch, *stretch, *stretch};
	return ret;
}

const struct stretches *
stretches_nothing(struct arena *a)
{
	return ARENA_NEW(a, struct stretches);
}

const struct stretches *
stretches_anything(struct arena *a)
{
	struct stretch any = {.n = 0};
	memset(any.set.has, true, sizeof(any.set.has));
	return stretches_of(a, &any);
}

const struct stretches *
stretches_byte(struct arena *a, const struct byte_set *bytes)
{
	return stretches_of(a, &(struct stretch){.set = *bytes, .n = 1});
}

const struct stretches *
stretches_join(
    struct arena *a, const struct stretches *x, const struct stretches *y)
{
	struct stretches *both = ARENA_NEW(a, struct stretches);
	both->all = stretch_join(&x->all, &y->all);
	both->tail = stretch_join(&x->tail, &y->tail);
	both->best = stretch_join(&x->best, &y->best);
	stretch_better(&both->best, &both->tail);
	return both;
}

const struct stretches *
stretches_chain(
    struct arena *a, const struct stretches *x, const struct stretches *y)
{
	struct stretches *both = ARENA_NEW(a, struct stretches);
	both->all = stretch_chain(&x->all, &y->all);
	both->tail = stretch_chain(&x->tail, &y->all);
	stretch_better(&both->tail, &y->tail);
	stretch_better(&both->tail, &both->all);
	both->best = x->best;
	stretch_better(&both->best, &y->best);
	stretch_better(&both->best, &both->tail);
	return both;
}

const struct stretches *
stretches_repeat(struct arena *a, const struct stretches *x, uint32_t least)
{
	if (least == 1)
		return x;
	struct stretch all =
	    stretch_sum(&x->all, &x->all, (uint64_t)x->all.n * least);
	struct stretches *ret = stretches_of(a, &all);
	if (least == 0)
		return ret;
	stretch_better(&ret->tail, &x->tail);
	stretch_better(&ret->best, &x->best);
	return ret;
}

bool
stretch_is_in(const struct stretch *stretch, struct str text)
{
	size_t n = stretch->n;
	for (size_t from = 0; from + n <= text.len;) {
		const unsigned char *p = (const unsigned char *)text.p + from;
		size_t i = n;
		while (i > 0 && stretch->set.has[p[i - 1]])
			i--;
		if (i == 0)
			return true;
		from += i;
	}
	return false;
}

/* In text such as mail it is in so much of all. */
static double
stretch_share(const struct stretch *stretch)
{
	size_t bytes = 0, in = 0;
	for (size_t i = 0; SAMPLE_TEXTS[i] != NULL; i++) {
		struct str text = str_from(SAMPLE_TEXTS[i]);
		bytes += text.len;
		in += stretch_is_in(stretch, text) ? text.len : 0;
	}
	return (double)in / (double)bytes;
}

struct stretch *
stretch_new(struct arena *a, const struct stretches *all)
{
	if (all->best.n == 0)
		return NULL;
	struct stretch *stretch = ARENA_NEW(a, struct stretch);
	*stretch = all->best;
	return stretch;
}

bool
stretch_is_worth(const struct stretch *stretch)
{
	return stretch->n >= BYTES_MIN && stretch_share(stretch) < SHARE_MOST;
}
