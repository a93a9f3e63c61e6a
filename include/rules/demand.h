/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demand -- which rules may still matter: a sub-rule is tried only while a meta
 * that needs it may come to something else than 0.  What metas need is worked
 * out beforehand, as clauses (clause.h); while a message is run, rules that may
 * hit are marked, and unmarked once they have not.
 */
#ifndef RULES_DEMAND_H
#define RULES_DEMAND_H

#include "rules/rule.h"

struct candidates;

/*
 * All that is asked of a rule, together.  Its part of a list of struct demand
 * ends where that of the next node begins.
 */
struct node {
	const struct rule *rule;
	uint32_t clauses; /* those that count it */
	uint32_t breaks;  /* those that end when it hits */
	uint32_t users;   /* the metas that need it */
	uint8_t filter;   /* which prefilter tells that it does not hit;
			     FILTERS: none */
};

/*
 * A header group or a turn of the band: places `from` to `to` - 1.  `plain` may
 * hit whatever passes leave (of a header that is there); the others, so many
 * for each prefilter, only if a pass of it has left something for them.
 */
struct stage {
	uint32_t from, to;
	uint32_t *plain;
	size_t nplain;
	size_t nfiltered[FILTERS];
};

/* Of a clause: how many marked rules it lacks; whose it is. */
struct lack {
	int16_t missing;
	uint16_t meta; /* place in plan->metas */
};

/* Of a meta. */
struct prospect {
	uint16_t failing; /* clauses that lack some; 0: it may hold */
	bool is_wanted;   /* that matters, whoever needs it */
	/* So many of those that need it, the first ones, matter no more: what
	   does not will never again. */
	uint32_t nidle;
};

/* Immutable; of one plan and its prefilters. */
struct demand {
	struct arena *arena;
	const struct plan *plan;
	const struct band *band; /* whose rules are tried on demand */
	/* By place, the rules of the band, group after group, then turn after
	   turn; then all metas of the plan, then the rules of other bands. */
	struct node *nodes;
	size_t n;                   /* places */
	uint32_t *node_of;          /* by rule id; or PLACE_NONE */
	uint32_t *clauses, *breaks; /* clauses, node after node */
	uint32_t *users;            /* metas, by place in plan->metas */
	struct stage *headers;      /* by group */
	struct stage turns[TURNS];
	/* Of each view of parts that rules of the band look at, one of them. */
	struct {
		const struct rule **v;
		size_t n, cap;
	} parts;
	/* Header evals that are run before all others of the band: up to the
	   last one that changes what others see. */
	uint32_t nahead;
	uint64_t *wanted; /* by place, one bit each: tried in any case */
	uint32_t **place_of[FILTERS]; /* by view and slot; or PLACE_NONE */
	/* As a message begins. */
	struct lack *lacks; /* by clause */
	size_t nclauses;
	struct prospect *prospects; /* by place in plan->metas */
	uint64_t *may_hit;          /* by place, one bit each */
};
#define PLACE_NONE UINT32_MAX

/*
 * Of rules->active and its prefilters, which are there.  In an arena of its
 * own; NULL: the order of rules counts, for a hit may end the run early, or
 * there are more metas than it can number.
 */
struct demand *demand_new(const struct ruleset *rules);

/* What is known of one message. */
struct needs;
struct needs *needs_new(struct arena *a, const struct demand *demand);

/* The rule at that place may hit, or all that are plain in a stage. */
void needs_mark(struct needs *needs, uint32_t place);
void needs_mark_plain(struct needs *needs, const struct stage *stage);
/*
 * All of `stage` for which a pass of prefilter `k` over `view` has left
 * something; NULL: there was no pass, all that are not plain.
 */
void needs_mark_found(struct needs *needs, const struct stage *stage, size_t k,
    size_t view, const struct candidates *found);
/* A rule has hit that was run before anything was marked. */
void needs_known(struct needs *needs, const struct rule *rule);
/* What has become of a rule that was marked. */
void needs_hit(struct needs *needs, uint32_t place);
void needs_missed(struct needs *needs, uint32_t place);

/*
 * All that may hit is marked: the next place of a stage that is still to be
 * tried, `from` or later; PLACE_NONE: there is none.  First those that are
 * wanted in any case, in their order; of the others what no meta needs any more
 * is passed over.
 */
uint32_t needs_wanted(
    struct needs *needs, const struct stage *stage, uint32_t from);
uint32_t needs_deciding(
    struct needs *needs, const struct stage *stage, uint32_t from);
uint32_t needs_next(
    struct needs *needs, const struct stage *stage, uint32_t from);

#endif
