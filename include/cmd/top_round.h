/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top_round -- what happened between two answers of posternd: rates, times, and
 * the rules that hit most.  Showing it is top.c's.
 */
#ifndef CMD_TOP_ROUND_H
#define CMD_TOP_ROUND_H

#include "base/histogram.h"
#include "base/json.h"
#include "session/verdict.h"

struct arena;

struct top_rule {
	struct str rule;
	double rate; /* messages a second */
	uint64_t hits;
};

struct top_sender {
	struct str sender;
	double messages, stopped, recipients; /* in the last minutes */
};

struct top_round {
	double seconds;
	double actions[ACTION_COUNT]; /* a second, as all that follows */
	double would[ACTION_COUNT];   /* without observe, where it differs */
	double messages, recipients, bytes;
	double dns_asked, dns_timeouts, dns_failures;
	struct histogram_view verdict, answer;
	struct top_rule *rules; /* most hits in this round first */
	size_t nrules;
	struct top_sender *senders; /* most messages first */
	size_t nsenders;
};

/*
 * From `before` to `now`, both as status_json() makes them.  `before` NULL, or
 * of a posternd that was started before that one: since its start.  Texts in
 * `*ret` live in `a` or in `now`.
 */
void top_round(
    struct arena *a, json_t *before, json_t *now, struct top_round *ret);

/* As `postern top --json` prints it; the caller's reference. */
json_t *top_round_json(const struct top_round *round, json_t *now);

#endif
