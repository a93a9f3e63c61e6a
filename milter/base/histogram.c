/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram -- how long things took, counted in fixed buckets. */
#include "base/histogram.h"

#include <stdatomic.h>

const int64_t HISTOGRAM_BOUNDS_US[HISTOGRAM_BOUNDS] = {250, 500, 1000, 2500,
    5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
    5000000, 10000000, 30000000};

static size_t
bucket_of(int64_t us)
{
	size_t i = 0;
	while (i < HISTOGRAM_BOUNDS && us > HISTOGRAM_BOUNDS_US[i])
		i++;
	return i;
}

void
histogram_add(struct histogram *h, int64_t us)
{
	if (us < 0)
		us = 0;
	(void)atomic_fetch_add_explicit(
	    &h->buckets[bucket_of(us)], 1, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(
	    &h->sum_us, (uint64_t)us, memory_order_relaxed);
}

void
histogram_read(const struct histogram *h, struct histogram_view *ret)
{
	uint64_t sum = 0;
	ret->sum_us = atomic_load_explicit(&h->sum_us, memory_order_relaxed);
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		sum +=
		    atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
		ret->upto[i] = sum;
	}
}

int64_t
histogram_quantile_us(const struct histogram_view *view, double q)
{
	double rank = q * (double)view->upto[HISTOGRAM_BOUNDS];
	size_t i = 0;
	while (i < HISTOGRAM_BOUNDS && (double)view->upto[i] < rank)
		i++;
	if (view->upto[HISTOGRAM_BOUNDS] == 0)
		return 0;
	if (i == HISTOGRAM_BOUNDS)
		return HISTOGRAM_BOUNDS_US[HISTOGRAM_BOUNDS - 1];
	uint64_t below = i == 0 ? 0 : view->upto[i - 1];
	double low = i == 0 ? 0 : (double)HISTOGRAM_BOUNDS_US[i - 1];
	double width = (double)HISTOGRAM_BOUNDS_US[i] - low;
	double inside = (double)(view->upto[i] - below);
	double share = inside > 0 ? (rank - (double)below) / inside : 0;
	return (int64_t)(low + width * share);
}
