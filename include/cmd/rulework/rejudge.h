/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rejudge -- what other scores and thresholds make of a message of which only
 * the history is left: the rules that hit it, not its text.
 */
#ifndef CMD_REJUDGE_H
#define CMD_REJUDGE_H

#include "rules/ruleset.h"
#include "session/verdict.h"
#include "state/history.h"

/* How one rule set differs from another. */
struct rejudge_rules;

/*
 * A rule is the same in both if its lines are, and those of all that a meta
 * needs; lists and settings that rules use are not compared.  `before` and
 * `after` must live as long as `a`.
 */
struct rejudge_rules *rejudge_rules_new(
    struct arena *a, const struct ruleset *before, const struct ruleset *after);
/* Scored rules that are new or not the same: whether they hit a message, its
 * text alone can tell. */
size_t rejudge_changed(const struct rejudge_rules *rules);
/* What a rule counts now; 0: it is not run. */
double rejudge_score(const struct rejudge_rules *rules, struct str rule);

struct rejudge {
	/* NULL: judged.  Else why it cannot be without its text, and `action`
	 * is what was decided. */
	const char *why;
	enum action action; /* without observe */
	double score;       /* of the rules that are the same */
};

/*
 * Judge `entry`, a message and not an event, by `after`.  What does not depend
 * on rules, as a notice that was ruled on, stays as `before` had it.
 */
void rejudge_entry(const struct rejudge_rules *rules,
    const struct config *before, const struct config *after,
    const struct history_entry *entry, struct rejudge *ret);

/* What was decided, without observe. */
enum action rejudge_was(const struct history_entry *entry);

#endif
