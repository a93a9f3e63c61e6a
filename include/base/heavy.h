/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heavy -- heavy hitters: which keys come most often lately, in bounded memory
 * whatever strangers send (Space-Saving; Metwally, Agrawal and El Abbadi 2005).
 * A key with more than 1/32 of what its sixteenth of the keys got is always
 * among them, and no count is too low.  Any number of threads may call.
 */
#ifndef BASE_HEAVY_H
#define BASE_HEAVY_H

#include "base/str.h"

struct arena;
struct heavy;

#define HEAVY_KEY_BYTES 96 /* of a key; the rest is cut off */
#define HEAVY_COUNTS 3     /* beside each other; the first one ranks */

/* Keys are counted over about the last `window_ms`. */
struct heavy *heavy_new(int64_t window_ms);
/* NULL is fine. */
void heavy_free(struct heavy *h);

/* `counts[0]` is at least 1.  `now_ms` is clock_ms(). */
void heavy_add(struct heavy *h, struct str key,
    const uint32_t counts[HEAVY_COUNTS], int64_t now_ms);

struct heavy_row {
	struct str key;
	double counts[HEAVY_COUNTS];
	double error; /* the first count may be too high by so much */
};

/* The `max` heaviest keys, heaviest first, in `a`; returns how many. */
size_t heavy_top(struct arena *a, struct heavy *h, size_t max, int64_t now_ms,
    struct heavy_row **ret);

#endif
