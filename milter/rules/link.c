/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link -- from single rules to a rule set: scores, metas and what they need,
 * what is disabled with what, and the plan of what is run.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "rules/expr.h"
#include "rules/locale.h"
#include "rules/regex.h"
#include "rules/rule.h"

#define SCORE_DEFAULT 1.0
#define SCORE_TESTING 0.01 /* rules named T_X */
#define NAMES_SHOWN 300

static int
compare_names(const void *x, const void *y)
{
	const struct rule *const *a = x;
	const struct rule *const *b = y;
	return str_cmp((*a)->name, (*b)->name);
}

/* Give every defined rule its id; say which were only mentioned. */
static void
rules_collect(struct ruleset *rules, struct diags *diags)
{
	for (size_t i = 0; i < rules->by_name->n; i++) {
		struct rule *rule = rules->by_name->v[i].value;
		if (rule->type != RULE_NONE)
			ARENA_PUSH(rules->arena, &rules->rules) = rule;
		else
			diag_add(diags, DIAG_NOTE, rule->place.file,
			    rule->place.line, "%.*s is not defined",
			    STR_ARG(rule->name));
	}
	if (rules->rules.n > 0)
		qsort(rules->rules.v, rules->rules.n, sizeof(rules->rules.v[0]),
		    compare_names);
	for (size_t i = 0; i < rules->rules.n; i++)
		rules->rules.v[i]->id = (uint32_t)i;
}

/* The sets are those of SpamAssassin: bit 0 network, bit 1 Bayes. */
#define SET_LOCAL 0
#define SET_NETWORK 1

static void
score_settle(struct rule *rule, unsigned set)
{
	rule->score = rule->scores[set];
	if (rule->has_score)
		return;
	rule->score =
	    str_starts(rule->name, STR("T_")) ? SCORE_TESTING : SCORE_DEFAULT;
	if (rule->flags.is_nice)
		rule->score = -rule->score;
}

/* Of the rules that `rule` needs some ask the network, and all have answers. */
static bool
has_answers(const struct ruleset *rules, const struct rule *rule)
{
	const struct expr_variables *needs = expr_variables(rule->expr);
	bool has_any = false;
	for (size_t i = 0; i < needs->n; i++) {
		const struct rule *need = rules->rules.v[needs->v[i]];
		if (need->flags.is_net && !need->is_answered)
			return false;
		has_any = has_any || need->is_answered;
	}
	return has_any;
}

/*
 * A rule of the network that needs none here, for our facts have the answer
 * (SPF, DKIM, DMARC): what it is worth stands in the other set.
 */
static void
answer_settle(const struct ruleset *rules, struct rule *rule)
{
	if (!rule->flags.is_net || rule->state != RULE_SOUND ||
	    (rule->type == RULE_META && !has_answers(rules, rule)))
		return;
	rule->is_answered = true;
	score_settle(rule, SET_NETWORK);
}

/* What the names in one meta are looked up in. */
struct lookup {
	struct ruleset *rules;
	struct rule *rule;
	struct buf *unknown; /* names nowhere defined */
};

static bool
emit_name(
    void *arg, struct expr_builder *b, struct str name, struct str *ret_why)
{
	(void)ret_why;
	struct lookup *lookup = arg;
	const struct rule *rule = table_get(lookup->rules->by_name, name);
	if (rule != NULL && rule->type != RULE_NONE) {
		expr_emit_variable(b, rule->id);
		return true;
	}
	bool is_option = str_eq(name, STR("local_tests_only"));
	expr_emit_number(b, is_option);
	if (!is_option && lookup->unknown->len < NAMES_SHOWN)
		buf_printf(lookup->unknown, " %.*s", STR_ARG(name));
	return true;
}

/* `glob` has * and ?; linear, for it goes back to the last * only. */
static bool
glob_matches(struct str glob, struct str text)
{
	size_t g = 0, t = 0, star = STR_NONE, star_text = 0;
	while (t < text.len) {
		if (g < glob.len && glob.p[g] == '*') {
			star = g++;
			star_text = t;
		} else if (g < glob.len &&
			   (glob.p[g] == '?' || glob.p[g] == text.p[t])) {
			g++;
			t++;
		} else if (star != STR_NONE) {
			g = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.p[g] == '*')
		g++;
	return g == glob.len;
}

/* rules_matching(GLOB): the sum of the rules so named, the meta itself aside.
 */
static bool
emit_call(void *arg, struct expr_builder *b, struct str function,
    struct str glob, struct str *ret_why)
{
	(void)function;
	(void)ret_why;
	struct lookup *lookup = arg;
	const struct rules *all = &lookup->rules->rules;
	uint32_t *ids = ARENA_ARRAY(lookup->rules->arena, uint32_t, all->n);
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i] != lookup->rule &&
		    glob_matches(glob, all->v[i]->name))
			ids[n++] = all->v[i]->id;
	expr_emit_sum(b, ids, n);
	return true;
}

static void
rule_disable(struct rule *rule, struct diags *diags, enum diag_level level,
    struct str why)
{
	rule->state = RULE_DISABLED;
	rule->why = why;
	diag_add(diags, level, rule->place.file, rule->place.line,
	    "%.*s: %.*s: the rule is disabled", STR_ARG(rule->name),
	    STR_ARG(why));
}

/* "meta X ()" declares a rule that never hits by itself. */
static bool
is_declaration(struct str text)
{
	return text.len >= 2 && text.p[0] == '(' &&
	       str_eq(str_trim(str_skip(text, 1)), STR(")"));
}

static void
meta_compile(struct ruleset *rules, struct rule *rule, double *zeros,
    struct diags *diags)
{
	static const char *const functions[] = {"rules_matching", NULL};
	struct lookup lookup = {
	    rules, rule, buf_new(rules->arena, NAMES_SHOWN + RULE_NAME_MAX)};
	struct expr_names names = {emit_name, emit_call, functions, &lookup};
	struct str why = STR_EMPTY;
	struct str text = is_declaration(rule->text) ? STR("0") : rule->text;
	rule->expr = expr_new(rules->arena, text, &names, &why);
	if (rule->expr == NULL) {
		rule_disable(rule, diags, DIAG_ERROR, why);
		return;
	}
	bool is_undefined = false;
	(void)expr_value(rule->expr, zeros, &is_undefined);
	if (is_undefined)
		rule_disable(rule, diags, DIAG_ERROR,
		    STR("it divides by zero when nothing hits"));
	if (lookup.unknown->len > 0)
		diag_add(diags, DIAG_WARNING, rule->place.file,
		    rule->place.line, "%.*s: not defined, so it counts 0:%.*s",
		    STR_ARG(rule->name), STR_ARG(buf_str(lookup.unknown)));
}

/* Where the walk through the metas stands. */
struct visit {
	struct rule *rule;
	size_t next; /* the variable to look at */
};

struct walk {
	struct ruleset *rules;
	struct diags *diags;
	enum { WHITE, GREY, BLACK } * colour; /* by rule id */
	struct {
		struct visit *v;
		size_t n, cap;
	} path;
};

/*
 * All that `rule` needs is settled: settle `rule`.  A rule that is not run in
 * this score set counts 0 and disables nothing.
 */
static void
meta_settle(struct walk *w, struct rule *rule)
{
	w->colour[rule->id] = BLACK;
	ARENA_PUSH(w->rules->arena, &w->rules->metas) = rule;
	if (rule->state != RULE_SOUND)
		return;
	if (rule->is_cyclic) {
		diag_add(w->diags, DIAG_WARNING, rule->place.file,
		    rule->place.line,
		    "%.*s: it needs itself, directly or through other metas, "
		    "so it counts 0",
		    STR_ARG(rule->name));
		return;
	}
	const struct expr_variables *needs = expr_variables(rule->expr);
	for (size_t i = 0; i < needs->n; i++) {
		const struct rule *need = w->rules->rules.v[needs->v[i]];
		if (need->state != RULE_DISABLED || need->score == 0)
			continue;
		rule_disable(rule, w->diags, DIAG_WARNING,
		    str_printf(w->rules->arena,
			"it needs %.*s, which is "
			"disabled",
			STR_ARG(need->name)));
		return;
	}
	answer_settle(w->rules, rule);
}

/* Take the next step from the top of the path. */
static void
walk_step(struct walk *w)
{
	struct visit *top = &w->path.v[w->path.n - 1];
	const struct expr_variables *needs =
	    top->rule->expr == NULL ? NULL : expr_variables(top->rule->expr);
	if (needs == NULL || top->next >= needs->n) {
		struct rule *done = top->rule;
		w->path.n--;
		meta_settle(w, done);
		if (w->path.n > 0 && done->is_cyclic)
			w->path.v[w->path.n - 1].rule->is_cyclic = true;
		return;
	}
	struct rule *need = w->rules->rules.v[needs->v[top->next++]];
	if (need->type != RULE_META)
		return;
	if (w->colour[need->id] == WHITE) {
		w->colour[need->id] = GREY;
		ARENA_PUSH(w->rules->arena, &w->path) = (struct visit){need, 0};
	} else if (w->colour[need->id] == GREY || need->is_cyclic) {
		top->rule->is_cyclic = true;
	}
}

/* Put the metas in order; the path is on the heap, for chains may be long. */
static void
metas_order(struct ruleset *rules, struct diags *diags)
{
	struct walk w = {.rules = rules, .diags = diags};
	w.colour = arena_zalloc(
	    rules->arena, arena_array_size(rules->rules.n, sizeof(*w.colour)));
	for (size_t i = 0; i < rules->rules.n; i++) {
		struct rule *rule = rules->rules.v[i];
		if (rule->type != RULE_META || w.colour[rule->id] != WHITE)
			continue;
		w.colour[rule->id] = GREY;
		ARENA_PUSH(rules->arena, &w.path) = (struct visit){rule, 0};
		while (w.path.n > 0)
			walk_step(&w);
	}
}

/* Mark `rule` and what it needs. */
static void
mark_needed(struct arena *a, const struct ruleset *rules,
    const struct rule *rule, bool *needed)
{
	struct {
		const struct rule **v;
		size_t n, cap;
	} open = {0};
	if (needed[rule->id])
		return;
	needed[rule->id] = true;
	ARENA_PUSH(a, &open) = rule;
	while (open.n > 0) {
		const struct rule *at = open.v[--open.n];
		if (at->type != RULE_META || at->is_cyclic)
			continue;
		const struct expr_variables *needs = expr_variables(at->expr);
		for (size_t i = 0; i < needs->n; i++) {
			const struct rule *need = rules->rules.v[needs->v[i]];
			if (needed[need->id] || !rule_is_live(need))
				continue;
			needed[need->id] = true;
			ARENA_PUSH(a, &open) = need;
		}
	}
}

static struct header_group *
header_group(struct arena *a, struct plan *plan, struct table *groups,
    const struct rule *rule)
{
	const size_t *at = table_get(groups, rule->label);
	if (at != NULL)
		return &plan->headers.v[*at];
	size_t *fresh = ARENA_NEW(a, size_t);
	*fresh = plan->headers.n;
	table_set(groups, rule->label, fresh);
	ARENA_PUSH(a, &plan->headers) = (struct header_group){
	    .query = rule->query,
	    .label = rule->label,
	};
	return &plan->headers.v[plan->headers.n - 1];
}

static int
compare_priorities(const void *x, const void *y)
{
	const struct rule *const *a = x;
	const struct rule *const *b = y;
	if ((*a)->priority != (*b)->priority)
		return (*a)->priority < (*b)->priority ? -1 : 1;
	return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

static void
by_priority(struct rules *list)
{
	if (list->n > 0)
		qsort(list->v, list->n, sizeof(list->v[0]), compare_priorities);
}

static struct plan *
plan_new(struct arena *a, const struct ruleset *rules, const bool *needed)
{
	struct plan *plan = ARENA_NEW(a, struct plan);
	struct table *groups = table_new(a, false);
	for (size_t i = 0; i < rules->rules.n; i++) {
		struct rule *rule = rules->rules.v[i];
		if (!needed[rule->id] || rule->type == RULE_META)
			continue;
		plan->n++;
		if (rule->type == RULE_HEADER)
			ARENA_PUSH(a,
			    &header_group(a, plan, groups, rule)->rules) = rule;
		else
			ARENA_PUSH(a, &plan->by_type[rule->type]) = rule;
	}
	for (size_t i = 0; i < plan->headers.n; i++)
		by_priority(&plan->headers.v[i].rules);
	for (size_t i = 0; i < RULE_TYPES; i++)
		by_priority(&plan->by_type[i]);
	for (size_t i = 0; i < rules->metas.n; i++) {
		struct rule *rule = rules->metas.v[i];
		if (!needed[rule->id] || rule->is_cyclic)
			continue;
		plan->n++;
		ARENA_PUSH(a, &plan->by_type[RULE_META]) = rule;
	}
	return plan;
}

struct plan *
plan_for(struct arena *a, const struct ruleset *rules, const struct rule *rule)
{
	bool *needed = ARENA_ARRAY(a, bool, rules->rules.n);
	mark_needed(a, rules, rule, needed);
	return plan_new(a, rules, needed);
}

/* Scored rules and what they need; with `subs` every sub-rule as well. */
static struct plan *
plan_live(struct ruleset *rules, bool subs)
{
	bool *needed = ARENA_ARRAY(rules->arena, bool, rules->rules.n);
	for (size_t i = 0; i < rules->rules.n; i++) {
		const struct rule *rule = rules->rules.v[i];
		if (rule_is_live(rule) && (subs || !rule_is_sub(rule)))
			mark_needed(rules->arena, rules, rule, needed);
	}
	return plan_new(rules->arena, rules, needed);
}

static void
rule_speed_up(const struct rule *rule)
{
	if (rule->regex != NULL)
		regex_speed_up(rule->regex);
	for (size_t i = 0; i < rule->keys.n; i++)
		regex_speed_up(rule->keys.v[i].regex);
}

static void
plan_speed_up(const struct plan *plan)
{
	for (size_t i = 0; i < plan->headers.n; i++)
		for (size_t k = 0; k < plan->headers.v[i].rules.n; k++)
			rule_speed_up(plan->headers.v[i].rules.v[k]);
	for (size_t i = 0; i < RULE_TYPES; i++)
		for (size_t k = 0; k < plan->by_type[i].n; k++)
			rule_speed_up(plan->by_type[i].v[k]);
}

void
ruleset_link(struct ruleset *rules, struct diags *diags)
{
	rules->lists.ok_locales = locale_setting(&rules->settings);
	rules_collect(rules, diags);
	double *zeros = ARENA_ARRAY(rules->arena, double, rules->rules.n);
	for (size_t i = 0; i < rules->rules.n; i++) {
		struct rule *rule = rules->rules.v[i];
		rule_read_flags(rule);
		score_settle(rule, SET_LOCAL);
		rule_define(rules, rule, diags);
		if (rule->type == RULE_EVAL)
			answer_settle(rules, rule);
		if (rule->type == RULE_META)
			meta_compile(rules, rule, zeros, diags);
	}
	metas_order(rules, diags);
	rules->active = plan_live(rules, false);
	rules->all = plan_live(rules, true);
	plan_speed_up(rules->active);
}
