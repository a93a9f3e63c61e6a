/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram -- how long things took, counted in fixed buckets.  Any number of
 * threads may add at once, without a lock.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include "base/base.h"

#define HISTOGRAM_BOUNDS 16

/* Upper bounds in microseconds, 250 us to 30 s; what is equal belongs to it. */
extern const int64_t HISTOGRAM_BOUNDS_US[HISTOGRAM_BOUNDS];

/* Starts as {0}. */
struct histogram {
	/* the last one: more than any bound */
	_Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

/* Less than 0 counts as 0. */
void histogram_add(struct histogram *h, int64_t us);

/* A histogram as it was at one time. */
struct histogram_view {
	uint64_t upto[HISTOGRAM_BOUNDS + 1]; /* at most this bound; the last
						one: all */
	uint64_t sum_us;
};

void histogram_read(const struct histogram *h, struct histogram_view *ret);
/*
 * The duration that the share `q`, 0 to 1, does not pass, taken as evenly
 * spread within its bucket; 0: nothing was counted.  What is above the last
 * bound is given as the last bound.
 */
int64_t histogram_quantile_us(const struct histogram_view *view, double q);

#endif
