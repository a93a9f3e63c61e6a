/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rest -- what the metas of a plan come to when nothing hits: only those that
 * need a rule which did otherwise have to be looked at.  Running them is left
 * to run.c.
 */
#include <math.h>

#include "base/arena.h"
#include "base/bits.h"
#include "rules/expr.h"
#include "rules/rule.h"

double
meta_value(const struct rule *rule, const double *values)
{
	double value = expr_value(rule->expr, values, NULL);
	if (value == 0 || !isfinite(value))
		return 0;
	return value > 0 ? value : 1;
}

/* A rule with a tag in it may be left out: then it is done at the end only. */
static void
rules_done(const struct rules *list, uint8_t *done)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i]->tag.len == 0)
			done[list->v[i]->id] = DONE;
}

void
band_done(const struct band *band, uint8_t *done)
{
	for (size_t i = 0; i < band->headers.n; i++)
		rules_done(&band->headers.v[i].turn.rules, done);
	for (size_t i = 0; i < TURNS; i++)
		rules_done(&band->turn[i].rules, done);
}

/* When what the meta needs is done; 0: never. */
static uint8_t
meta_due(const struct plan *plan, const struct rule *rule, const uint8_t *done)
{
	const struct expr_variables *needs = expr_variables(rule->expr);
	uint8_t due = rule->needs_unknown ? DONE_END : DONE;
	for (size_t i = 0; i < needs->n; i++)
		due &= done[needs->v[i]];
	bool is_late = (due & DONE_FIRST) == 0;
	return is_late && !plan_scores(plan, rule) ? 0 : due;
}

static void
meta_rest(struct plan *plan, size_t place)
{
	const struct rule *rule = plan->metas.v[place];
	struct rest *rest = &plan->rest;
	uint8_t due = meta_due(plan, rule, rest->done);
	if (due == 0)
		return;
	double value = meta_value(rule, rest->values);
	if (value != 0 && !plan_scores(plan, rule))
		return;
	rest->done[rule->id] = rest->begin[rule->id] = due;
	rest->values[rule->id] = value;
	if (value != 0) {
		rest->begin[rule->id] = 0;
		(void)bits_add(rest->open, place);
	}
}

/* By place in plan->metas. */
static struct users
users_of(struct arena *a, const struct plan *plan,
    const struct expr_variables *needs, size_t nrules)
{
	struct users users = {.from = ARENA_ARRAY(a, uint32_t, nrules + 1)};
	for (size_t i = 0; i < plan->metas.n; i++)
		for (size_t k = 0; k < needs[i].n; k++)
			users.from[needs[i].v[k] + 1]++;
	for (size_t i = 0; i < nrules; i++)
		users.from[i + 1] += users.from[i];
	users.places = ARENA_ARRAY(a, uint32_t, users.from[nrules]);
	uint32_t *next = ARENA_ARRAY(a, uint32_t, nrules);
	for (size_t i = 0; i < plan->metas.n; i++)
		for (size_t k = 0; k < needs[i].n; k++) {
			uint32_t id = needs[i].v[k];
			users.places[users.from[id] + next[id]++] = (uint32_t)i;
		}
	return users;
}

static void
users_list(
    struct arena *a, const struct plan *plan, struct rest *rest, size_t nrules)
{
	size_t n = plan->metas.n;
	struct expr_variables *needs = ARENA_ARRAY(a, struct expr_variables, n);
	struct expr_variables *watched =
	    ARENA_ARRAY(a, struct expr_variables, n);
	for (size_t i = 0; i < n; i++) {
		const struct rule *rule = plan->metas.v[i];
		if (rule->is_cyclic)
			continue;
		needs[i] = *expr_variables(rule->expr);
		watched[i] = expr_watch(rule->expr, rest->values);
	}
	rest->all = users_of(a, plan, needs, nrules);
	rest->watchers = users_of(a, plan, watched, nrules);
}

/* Every meta is looked at after each band, and what is done by then. */
static void
rest_forget(const struct rules *all, struct rest *rest)
{
	for (size_t i = 0; i < all->n; i++)
		rest->begin[i] = all->v[i]->type == RULE_META ? 0 : DONE_END;
	memset(rest->open, 0xff, rest->words * sizeof(rest->open[0]));
}

void
plan_rest(struct arena *a, const struct ruleset *rules, struct plan *plan)
{
	const struct rules *all = &rules->rules;
	struct rest *rest = &plan->rest;
	rest->done = ARENA_ARRAY(a, uint8_t, all->n);
	rest->begin = ARENA_ARRAY(a, uint8_t, all->n);
	rest->values = ARENA_ARRAY(a, double, all->n);
	rest->words = bits_words(plan->metas.n);
	rest->open = ARENA_ARRAY(a, uint64_t, rest->words);
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i]->type != RULE_META)
			rest->done[i] = DONE_END;
	for (size_t i = 0; i < plan->bands.n; i++)
		band_done(&plan->bands.v[i], rest->done);
	memcpy(rest->begin, rest->done, all->n);
	for (size_t i = 0; i < plan->metas.n; i++) {
		if (plan->metas.v[i]->is_cyclic)
			ARENA_PUSH(a, &rest->cyclic) = plan->metas.v[i];
		else
			meta_rest(plan, i);
	}
	users_list(a, plan, rest, all->n);
	if (rules->shortcuts.is_used)
		rest_forget(all, rest);
}
