/* SPDX-License-Identifier: BSD-2-Clause */
/* census -- counting what became of rules and of other lines. */
#include "rules/census.h"

#include "base/arena.h"
#include "base/table.h"
#include "rules/rule.h"

static const char *const fate_names[RULE_FATES] = {
    "run", "unneeded", "off", "network", "bayes", "disabled"};

static const char *const type_names[RULE_TYPES] = {
    [RULE_HEADER] = "header",
    [RULE_BODY] = "body",
    [RULE_URI] = "uri",
    [RULE_RAWBODY] = "rawbody",
    [RULE_FULL] = "full",
    [RULE_MIMEHEADER] = "mimeheader",
    [RULE_URI_DETAIL] = "uri_detail",
    [RULE_EVAL] = "eval",
    [RULE_META] = "meta",
    [RULE_NETWORK] = "network",
};

struct str
rule_fate_name(enum rule_fate fate)
{
	return str_from(fate_names[fate]);
}

struct str
rule_type_name(enum rule_type type)
{
	return str_from(type_names[type]);
}

static void
mark(const struct rules *list, bool *is_run)
{
	for (size_t i = 0; i < list->n; i++)
		is_run[list->v[i]->id] = true;
}

/* By rule id: the rule is in the plan. */
static const bool *
plan_marks(const struct ruleset *rules, struct arena *a)
{
	bool *is_run = ARENA_ARRAY(a, bool, rules->rules.n);
	const struct plan *plan = rules->active;
	for (size_t i = 0; i < plan->bands.n; i++) {
		const struct band *band = &plan->bands.v[i];
		for (size_t k = 0; k < band->headers.n; k++)
			mark(&band->headers.v[k].turn.rules, is_run);
		for (size_t k = 0; k < TURNS; k++)
			mark(&band->turn[k].rules, is_run);
	}
	mark(&plan->metas, is_run);
	return is_run;
}

static enum rule_fate
fate_of(const struct rule *rule, bool is_run)
{
	if (is_run)
		return FATE_RUN;
	if (rule->state == RULE_OFFLINE)
		return rule->flags.is_learn ? FATE_BAYES : FATE_NETWORK;
	if (rule->score == 0)
		return FATE_OFF;
	if (rule->state == RULE_DISABLED)
		return FATE_DISABLED;
	return FATE_UNNEEDED;
}

/* Sub-rules that nobody needs are counted; to name them would help nobody. */
static void
group_add(struct arena *a, struct census *census, struct table *groups,
    const struct rule *rule, enum rule_fate fate)
{
	if (fate == FATE_RUN || fate == FATE_UNNEEDED)
		return;
	struct str why = fate == FATE_OFF ? STR("the score is 0") : rule->why;
	struct str key =
	    str_printf(a, "%s %.*s", fate_names[fate], STR_ARG(why));
	size_t *at = table_get(groups, key);
	if (at == NULL) {
		at = ARENA_NEW(a, size_t);
		*at = census->groups.n;
		table_set(groups, key, at);
		ARENA_PUSH(a, &census->groups) =
		    (struct census_group){.fate = fate, .why = why};
	}
	strs_add(a, &census->groups.v[*at].rules, rule->name);
}

static void
needs_add(struct arena *a, struct census *census, const struct rule *rule)
{
	for (size_t i = 0; i < EVAL_NEEDS; i++)
		if (rule_needs(rule) >> i & 1)
			strs_add(a, &census->needs[i], rule->name);
}

static int
compare_groups(const void *x, const void *y)
{
	const struct census_group *a = x;
	const struct census_group *b = y;
	if (a->fate != b->fate)
		return a->fate < b->fate ? -1 : 1;
	if (a->rules.n != b->rules.n)
		return a->rules.n > b->rules.n ? -1 : 1;
	return str_cmp(a->why, b->why);
}

static int
compare_unread(const void *x, const void *y)
{
	const struct unread *a = x;
	const struct unread *b = y;
	if (a->lines != b->lines)
		return a->lines > b->lines ? -1 : 1;
	return str_cmp(a->what, b->what);
}

/* One row a type that there is, and their sum. */
static void
rows_put(struct arena *a, const struct census_row by_type[RULE_TYPES],
    struct census *census)
{
	struct census_row all = {.type = STR("all")};
	for (size_t i = 0; i < RULE_TYPES; i++) {
		if (by_type[i].rules == 0)
			continue;
		ARENA_PUSH(a, &census->rows) = by_type[i];
		all.rules += by_type[i].rules;
		for (size_t k = 0; k < RULE_FATES; k++)
			all.of[k] += by_type[i].of[k];
	}
	ARENA_PUSH(a, &census->rows) = all;
}

void
ruleset_census(const struct ruleset *rules, struct arena *a, struct census *ret)
{
	*ret = (struct census){0};
	const bool *is_run = plan_marks(rules, a);
	struct table *groups = table_new(a, false);
	struct census_row by_type[RULE_TYPES] = {0};
	for (size_t i = 0; i < rules->rules.n; i++) {
		const struct rule *rule = rules->rules.v[i];
		enum rule_fate fate = fate_of(rule, is_run[rule->id]);
		struct census_row *row = &by_type[rule->type];
		row->type = rule_type_name(rule->type);
		row->rules++;
		row->of[fate]++;
		group_add(a, ret, groups, rule, fate);
		if (fate == FATE_RUN)
			needs_add(a, ret, rule);
	}
	rows_put(a, by_type, ret);
	for (size_t i = 0; i < rules->unread.n; i++)
		ARENA_PUSH(a, &ret->unread) = rules->unread.v[i];
	if (ret->groups.n > 0)
		qsort(ret->groups.v, ret->groups.n, sizeof(ret->groups.v[0]),
		    compare_groups);
	if (ret->unread.n > 0)
		qsort(ret->unread.v, ret->unread.n, sizeof(ret->unread.v[0]),
		    compare_unread);
}
