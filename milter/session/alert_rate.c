/* SPDX-License-Identifier: BSD-2-Clause */
/* alert_rate -- a share in a sliding window. */
#include "session/alert_rate.h"

#define AT(r, i) (&(r)->samples[((r)->first + (i)) % ALERT_RATE_SAMPLES])

/* A sample a tenth of the window is enough. */
static void
sample_put(struct alert_rate *r, int64_t now_ms, int64_t window_ms,
    uint64_t part, uint64_t whole)
{
	if (r->n > 0 && now_ms - AT(r, r->n - 1)->at_ms < window_ms / 10)
		return;
	if (r->n == ALERT_RATE_SAMPLES) {
		r->first = (r->first + 1) % ALERT_RATE_SAMPLES;
		r->n--;
	}
	AT(r, r->n)->at_ms = now_ms;
	AT(r, r->n)->part = part;
	AT(r, r->n)->whole = whole;
	r->n++;
}

struct alert_share
alert_rate_add(struct alert_rate *r, int64_t now_ms, int64_t window_ms,
    uint64_t part, uint64_t whole)
{
	/* the youngest that is as old as the window stays as its begin */
	while (r->n > 1 && now_ms - AT(r, 1)->at_ms >= window_ms) {
		r->first = (r->first + 1) % ALERT_RATE_SAMPLES;
		r->n--;
	}
	sample_put(r, now_ms, window_ms, part, whole);
	struct alert_share share = {
	    .part = part - AT(r, 0)->part, .whole = whole - AT(r, 0)->whole};
	if (share.whole > 0)
		share.percent =
		    100.0 * (double)share.part / (double)share.whole;
	return share;
}
