/* SPDX-License-Identifier: BSD-2-Clause */
/* rescore_fit -- scores that fit a log of masscheck better than those it has,
 * and how much better they are on mail they were not fitted to. */
#ifndef CMD_RESCORE_FIT_H
#define CMD_RESCORE_FIT_H

#include "cmd/rulework/mass_stats.h"

struct rescore_options {
	double threshold; /* a message that reaches it is spam; it stays */
	double
	    deviation; /* points: how far from its score a rule may well be */
	double max_change; /* points: how far it is at most */
	double ham_weight; /* how many missed spams one caught ham is worth */
	uint64_t min_hits; /* a rule with fewer keeps its score */
	uint64_t folds;    /* at least 2 */
	uint64_t seed;     /* how mail is dealt to them */
	size_t jobs;
};

/* Why a rule keeps its score. */
enum rescore_kept {
	KEPT_NOT,
	KEPT_UNSCORED, /* a sub-rule, score 0, or not a rule of the log */
	KEPT_RARE,     /* fewer hits than min_hits */
	KEPT_USERCONF, /* tflags userconf: for the admin to set */
	KEPT_REASONS
};

/* Errors by the scores that were and by those that are proposed. */
struct rescore_errors {
	struct mass_errors before, after;
};

struct rescore {
	double *scores; /* by place in mass->rules; rounded to 0.001 */
	enum rescore_kept *kept;
	struct rescore_errors *folds;   /* of each: on its own mail, by scores
					   fitted without it */
	struct rescore_errors held_out; /* their sum */
	struct rescore_errors fitted;   /* on the mail fitted to: flattering */
	bool is_settled; /* false: the last digits may still move */
};

/*
 * A rule's score keeps its sign, and moves by at most max_change; it never
 * becomes 0, which would switch the rule off and change metas.  The same log
 * and options give the same scores, whatever `jobs`.  False: there are fewer
 * ham or spam than folds.
 */
MUST_CHECK bool rescore_fit(struct arena *a, const struct mass *mass,
    const struct rescore_options *options, struct rescore *ret);

#endif
