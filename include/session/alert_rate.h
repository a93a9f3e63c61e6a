/* SPDX-License-Identifier: BSD-2-Clause */
/* alert_rate -- which share of what is counted is of a kind, in a sliding
 * window. Knows no clock. */
#ifndef SESSION_ALERT_RATE_H
#define SESSION_ALERT_RATE_H

#include "base/base.h"

#define ALERT_RATE_SAMPLES 16

/* Starts as {0}. */
struct alert_rate {
	struct {
		int64_t at_ms;
		uint64_t part, whole;  /* counters since the start */
	} samples[ALERT_RATE_SAMPLES]; /* a ring */
	size_t first, n;
};

struct alert_share {
	uint64_t part, whole; /* within the window */
	double percent;       /* 0 if `whole` is 0 */
};

/*
 * The counters are now `part` and `whole`.  Call it at least every
 * `window_ms` / 10; the share of about the last `window_ms`, or of the time
 * since the first call, which counts nothing itself.
 */
struct alert_share alert_rate_add(struct alert_rate *r, int64_t now_ms,
    int64_t window_ms, uint64_t part, uint64_t whole);

#endif
