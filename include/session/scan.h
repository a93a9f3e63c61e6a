/* SPDX-License-Identifier: BSD-2-Clause */
/* scan -- one message through rules to a verdict: the milter and `postern scan`
 * both call this. */
#ifndef SESSION_SCAN_H
#define SESSION_SCAN_H

#include "session/snapshot.h"
#include "session/verdict.h"

struct facts;

struct scan_job {
	struct str raw; /* whole message, \n line ends */
	struct envelope envelope;
	bool can_refuse;
	bool wants_subs;
	const struct facts *facts; /* NULL: nothing is known but the mail */
};

struct scan {
	struct message *message;
	struct rule_result result;
	struct verdict verdict;
	bool is_cut; /* rules saw the first scan-limit bytes only */
	int64_t us;  /* wall time */
};

/* Texts in `*ret` live in `a` and in `job`. */
void scan_run(struct arena *a, const struct snapshot *snapshot,
    const struct scan_job *job, struct scan *ret);

/* "RULE:2.5,OTHER:1" by name, at most `max` bytes; "-" if none. */
struct str scan_rules_text(
    struct arena *a, const struct rule_result *result, size_t max);

#endif
