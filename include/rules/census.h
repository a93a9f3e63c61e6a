/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * census -- what became of each line of the rule files: which rules run, which
 * do not and why, and what else was not used.  For `postern lint --report`.
 */
#ifndef RULES_CENSUS_H
#define RULES_CENSUS_H

#include "base/str.h"
#include "rules/eval.h"

struct arena;
struct ruleset;

/* What became of a rule. */
enum rule_fate {
	FATE_RUN,
	FATE_UNNEEDED, /* a sub-rule that no scored rule needs */
	FATE_OFF,      /* its score is 0 */
	FATE_NETWORK,  /* it asks the network: counts 0 */
	FATE_BAYES,    /* it asks the Bayes filter: counts 0 */
	FATE_DISABLED, /* not supported or broken */
	RULE_FATES
};
/* "run", "unneeded", "off", "network", "bayes", "disabled" */
struct str rule_fate_name(enum rule_fate fate);

/* Rules of one type: "header", "body", ...; the last row is "all". */
struct census_row {
	struct str type;
	size_t rules; /* all of them */
	size_t of[RULE_FATES];
};

/* Rules that do not run for the same reason. */
struct census_group {
	enum rule_fate fate;
	struct str why;
	struct strs rules;
};

/* Lines that are no rules and were not used. */
struct unread {
	struct str what; /* "bayes_path", "if plugin(...)" */
	struct str why;
	size_t lines;
};

struct census {
	struct {
		struct census_row *v;
		size_t n, cap;
	} rows;
	struct {
		struct census_group *v;
		size_t n, cap;
	} groups; /* the largest of a fate first */
	struct {
		struct unread *v;
		size_t n, cap;
	} unread; /* the most lines first */
	/*
	 * Rules that run and whose eval function needs that, see
	 * eval_need_name(); a function may need several things.
	 */
	struct strs needs[EVAL_NEEDS];
};

/* Count; texts live in `a` and in `rules`. */
void ruleset_census(
    const struct ruleset *rules, struct arena *a, struct census *ret);

#endif
