/* SPDX-License-Identifier: BSD-2-Clause */
/* scan -- one message through rules to a verdict: the milter and `postern scan`
 * both call this. */
#ifndef SESSION_SCAN_H
#define SESSION_SCAN_H

#include "session/snapshot.h"
#include "session/verdict.h"

struct facts;
struct notice;

struct scan_job {
	struct message *message; /* scan_message() */
	uint64_t size_bytes;     /* of all of it */
	enum mail_class class;
	bool can_refuse;
	bool wants_subs;
	struct rule_costs *costs;    /* NULL: they are not counted */
	const struct facts *facts;   /* NULL: nothing is known but the mail */
	const struct notice *notice; /* NULL: nobody looked */
};

struct scan {
	struct message *message; /* NULL: no rules were run */
	struct rule_result result;
	bool is_cut; /* rules saw the first scan-limit bytes only */
	struct verdict_input input; /* of `verdict` */
	struct verdict verdict;
	int64_t us; /* wall time */
};

/*
 * `raw`, a whole message with \n line ends, as rules see it: the first
 * scan-limit bytes.  What is given must live as long as `a`.
 */
struct message *scan_message(struct arena *a, const struct snapshot *snapshot,
    struct str raw, const struct envelope *envelope);

/* Run the rules, if this class has them.  Texts in `*ret` live in `a` and in
 * `job`. */
void scan_run(const struct snapshot *snapshot, const struct scan_job *job,
    struct scan *ret);

/* "RULE:2.5,OTHER:1" by name, at most `max` bytes; "-" if none. */
struct str scan_rules_text(
    struct arena *a, const struct rule_result *result, size_t max);

#endif
