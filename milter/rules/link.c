/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link -- from single rules to a rule set: scores, metas and what they need,
 * what is disabled with what, and the plan of what is run.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "rules/expr.h"
#include "rules/glob.h"
#include "rules/list_make.h"
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
	struct buf *unknown;  /* names nowhere defined */
	struct buf *left_out; /* defined in blocks that are not read */
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
	if (is_option)
		return true;
	lookup->rule->needs_unknown = true;
	struct buf *names = table_has(lookup->rules->left_out, name)
				? lookup->left_out
				: lookup->unknown;
	if (names->len < NAMES_SHOWN)
		buf_printf(names, " %.*s", STR_ARG(name));
	return true;
}

/* Could a rule be so named? */
static bool
is_rule_glob(struct str glob)
{
	for (size_t i = 0; i < glob.len; i++)
		if (!char_is_word(glob.p[i]) &&
		    memchr("*?", glob.p[i], 2) == NULL)
			return false;
	return glob.len > 0 && glob.len <= RULE_NAME_MAX &&
	       !char_is_digit(glob.p[0]);
}

/* rules_matching(GLOB): the sum of the rules so named, the meta itself aside.
 */
static bool
emit_call(void *arg, struct expr_builder *b, struct str function,
    struct str glob, struct str *ret_why)
{
	(void)function;
	if (!is_rule_glob(glob)) {
		*ret_why = STR("rules_matching() wants the name of a rule, "
			       "with * and ? for what may differ");
		return false;
	}
	struct lookup *lookup = arg;
	const struct rules *all = &lookup->rules->rules;
	uint32_t *ids = ARENA_ARRAY(lookup->rules->arena, uint32_t, all->n);
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i] != lookup->rule &&
		    glob_fits(glob, all->v[i]->name))
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

/* Names that count 0.  Whole sets of rules ask for what another program has. */
static void
names_report(const struct lookup *lookup, struct diags *diags)
{
	const struct rule *rule = lookup->rule;
	if (lookup->unknown->len > 0)
		diag_add(diags, DIAG_WARNING, rule->place.file,
		    rule->place.line, "%.*s: not defined, so it counts 0:%.*s",
		    STR_ARG(rule->name), STR_ARG(buf_str(lookup->unknown)));
	if (lookup->left_out->len > 0)
		diag_add(diags, DIAG_NOTE, rule->place.file, rule->place.line,
		    "%.*s: defined in a block that is left out, so it counts "
		    "0:%.*s",
		    STR_ARG(rule->name), STR_ARG(buf_str(lookup->left_out)));
}

/* False: `*ret_why` says what is wrong. */
static bool
meta_compile(struct ruleset *rules, struct rule *rule, const double *zeros,
    struct diags *diags, struct str *ret_why)
{
	static const char *const functions[] = {"rules_matching", NULL};
	struct lookup lookup = {
	    .rules = rules,
	    .rule = rule,
	    .unknown = buf_new(rules->arena, NAMES_SHOWN + RULE_NAME_MAX),
	    .left_out = buf_new(rules->arena, NAMES_SHOWN + RULE_NAME_MAX),
	};
	struct expr_names names = {emit_name, emit_call, functions, &lookup};
	struct str text;
	rule->needs_unknown = false;
	if (!expr_tokens(rules->arena, rule->text, functions, &text, ret_why))
		return false;
	if (is_declaration(text))
		text = STR("0");
	rule->expr = expr_new(rules->arena, text, &names, ret_why);
	if (rule->expr == NULL)
		return false;
	bool is_undefined = false;
	(void)expr_value(rule->expr, zeros, &is_undefined);
	if (is_undefined) {
		*ret_why = STR("it divides by zero when nothing hits");
		return false;
	}
	names_report(&lookup, diags);
	return true;
}

/*
 * From text to what is run.  A definition that is broken does not replace an
 * earlier one that is not.
 */
static void
rule_settle(struct ruleset *rules, struct rule *rule, const double *zeros,
    struct diags *diags)
{
	struct str why = STR_EMPTY;
	rule_read_flags(rule);
	score_settle(rule, SET_LOCAL);
	do {
		struct place place = rule->place;
		rule_define(rules, rule, diags);
		if (rule->type == RULE_EVAL)
			answer_settle(rules, rule);
		if (rule->type != RULE_META || rule->state != RULE_SOUND ||
		    meta_compile(rules, rule, zeros, diags, &why))
			return;
		if (rule->older != NULL)
			diag_add(diags, DIAG_ERROR, place.file, place.line,
			    "%.*s: %.*s: the definition before this one stays",
			    STR_ARG(rule->name), STR_ARG(why));
	} while (rule_go_back(rule));
	rule_disable(rule, diags, DIAG_ERROR, why);
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
		    "so it is run before what it needs",
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

/*
 * A meta with score 0 counts 0, but whether it holds decides about the metas
 * that need it: see run_meta().
 */
static bool
rule_is_evaluated(const struct rule *rule)
{
	return rule_is_live(rule) ||
	       (rule->type == RULE_META && rule->state == RULE_SOUND);
}

static bool
rule_captures(const struct rule *rule, struct str tag)
{
	size_t n = rule->regex == NULL ? 0 : regex_capture_count(rule->regex);
	for (size_t i = 0; i < n; i++)
		if (str_eq(regex_capture_name(rule->regex, i), tag))
			return true;
	return false;
}

/* Rules whose needs are still to be marked. */
struct marking {
	struct arena *a;
	const struct ruleset *rules;
	bool *needed;
	struct {
		const struct rule **v;
		size_t n, cap;
	} open;
};

static void
mark(struct marking *m, const struct rule *rule)
{
	if (m->needed[rule->id])
		return;
	m->needed[rule->id] = true;
	ARENA_PUSH(m->a, &m->open) = rule;
}

/* What fills in the tag of `rule`. */
static void
mark_captures(struct marking *m, const struct rule *rule)
{
	for (size_t i = 0; i < m->rules->rules.n; i++)
		if (rule_is_live(m->rules->rules.v[i]) &&
		    rule_captures(m->rules->rules.v[i], rule->tag))
			mark(m, m->rules->rules.v[i]);
}

/* Mark `rule` and what it needs. */
static void
mark_needed(struct arena *a, const struct ruleset *rules,
    const struct rule *rule, bool *needed)
{
	struct marking m = {.a = a, .rules = rules, .needed = needed};
	mark(&m, rule);
	while (m.open.n > 0) {
		const struct rule *at = m.open.v[--m.open.n];
		if (at->tag.len > 0)
			mark_captures(&m, at);
		if (at->type != RULE_META)
			continue;
		const struct expr_variables *needs = expr_variables(at->expr);
		for (size_t i = 0; i < needs->n; i++)
			if (rule_is_evaluated(rules->rules.v[needs->v[i]]))
				mark(&m, rules->rules.v[needs->v[i]]);
	}
}

/* Rules that ask the network run early: that decides what is left out. */
#define NET_PRIORITY (-100)

static int
rule_priority(const struct rule *rule)
{
	return rule->priority == 0 && rule->flags.is_net ? NET_PRIORITY
							 : rule->priority;
}

static void
band_add_header(
    struct arena *a, struct band *band, struct table *groups, struct rule *rule)
{
	struct str key =
	    str_printf(a, "%d %.*s", band->priority, STR_ARG(rule->label));
	const size_t *at = table_get(groups, key);
	if (at == NULL) {
		size_t *fresh = ARENA_NEW(a, size_t);
		*fresh = band->headers.n;
		table_set(groups, key, fresh);
		at = fresh;
		ARENA_PUSH(a, &band->headers) = (struct header_group){
		    .query = rule->query,
		    .label = rule->label,
		    .view = rule->view,
		};
	}
	ARENA_PUSH(a, &band->headers.v[*at].turn.rules) = rule;
}

static int
compare_priorities(const void *x, const void *y)
{
	const struct rule *const *a = x;
	const struct rule *const *b = y;
	int p = rule_priority(*a), q = rule_priority(*b);
	if (p != q)
		return p < q ? -1 : 1;
	return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

/* By the priority that a file gives. */
static int
compare_settings(const void *x, const void *y)
{
	const struct rule *const *a = x;
	const struct rule *const *b = y;
	if ((*a)->priority != (*b)->priority)
		return (*a)->priority < (*b)->priority ? -1 : 1;
	return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

/* `rule`, whose priority is that of the last band or higher. */
static void
plan_add(
    struct arena *a, struct plan *plan, struct table *groups, struct rule *rule)
{
	int priority = rule_priority(rule);
	if (plan->bands.n == 0 ||
	    plan->bands.v[plan->bands.n - 1].priority != priority)
		ARENA_PUSH(a, &plan->bands) =
		    (struct band){.priority = priority};
	struct band *band = &plan->bands.v[plan->bands.n - 1];
	plan->n++;
	if (rule->type == RULE_META)
		return; /* its priority alone counts */
	if (rule->turn == TURN_HEADER)
		band_add_header(a, band, groups, rule);
	else
		ARENA_PUSH(a, &band->turn[rule->turn].rules) = rule;
}

/* By place: what struct turn says. */
static void
turn_number(struct arena *a, struct turn *turn)
{
	turn->ids = ARENA_ARRAY(a, uint32_t, turn->rules.n);
	for (size_t i = 0; i < turn->rules.n; i++) {
		const struct rule *rule = turn->rules.v[i];
		turn->ids[i] =
		    rule->is_negated || rule->has_unset || rule->tag.len > 0
			? ID_NONE
			: rule->id;
	}
}

/* Its regex matches where there is nothing, or nobody can say. */
static bool
matches_nothing(const struct rule *rule, struct regex_scratch *scratch)
{
	struct regex_span unused;
	return rule->tag.len > 0 || regex_match(rule->regex, scratch, STR_EMPTY,
					0, false, &unused) != REGEX_NO;
}

static void
header_absent(
    struct arena *a, struct header_group *group, struct regex_scratch *scratch)
{
	const struct rules *list = &group->turn.rules;
	group->absent = ARENA_ARRAY(a, uint32_t, list->n);
	for (size_t i = 0; i < list->n; i++) {
		const struct rule *rule = list->v[i];
		if (rule->is_negated || rule->has_unset ||
		    (!rule->is_exists && matches_nothing(rule, scratch)))
			group->absent[group->nabsent++] = (uint32_t)i;
	}
}

/* What a run wants to know of a band beforehand. */
static void
band_prepare(struct arena *a, struct band *band, struct regex_scratch *scratch)
{
	for (size_t i = 0; i < band->headers.n; i++) {
		turn_number(a, &band->headers.v[i].turn);
		header_absent(a, &band->headers.v[i], scratch);
	}
	for (size_t i = 0; i < TURNS; i++)
		turn_number(a, &band->turn[i]);
}

static void
bands_prepare(struct arena *a, const struct ruleset *rules, struct plan *plan)
{
	struct regex_scratch *scratch =
	    regex_scratch_new(a, rules->env, NULL, NULL);
	for (size_t i = 0; i < plan->bands.n; i++)
		band_prepare(a, &plan->bands.v[i], scratch);
	regex_scratch_done(scratch);
}

/* `target`: see struct plan. */
static struct plan *
plan_new(struct arena *a, const struct ruleset *rules, const bool *needed,
    const struct rule *target)
{
	struct plan *plan = ARENA_NEW(a, struct plan);
	plan->target = target;
	struct table *groups = table_new(a, false);
	struct rules sorted = {0};
	for (size_t i = 0; i < rules->rules.n; i++) {
		struct rule *rule = rules->rules.v[i];
		if (needed[rule->id])
			ARENA_PUSH(a, &sorted) = rule;
	}
	if (sorted.n > 0)
		qsort(sorted.v, sorted.n, sizeof(sorted.v[0]),
		    compare_priorities);
	for (size_t i = 0; i < sorted.n; i++)
		plan_add(a, plan, groups, sorted.v[i]);
	for (size_t i = 0; i < rules->metas.n; i++) {
		struct rule *rule = rules->metas.v[i];
		if (needed[rule->id])
			ARENA_PUSH(a, &plan->metas) = rule;
	}
	bands_prepare(a, rules, plan);
	plan_rest(a, rules, plan);
	return plan;
}

struct plan *
plan_for(struct arena *a, const struct ruleset *rules, const struct rule *rule)
{
	bool *needed = ARENA_ARRAY(a, bool, rules->rules.n);
	mark_needed(a, rules, rule, needed);
	return plan_new(a, rules, needed, rule);
}

/* A hit of it may end the run. */
static bool
may_shorten(const struct ruleset *rules, const struct rule *rule)
{
	const struct shortcuts *s = &rules->shortcuts;
	return rule->shortcut != SHORTCUT_OFF || s->has_min_ham ||
	       s->has_max_spam;
}

/* Scored rules and what they need; with `subs` every sub-rule as well. */
static struct plan *
plan_live(struct ruleset *rules, bool subs)
{
	bool *needed = ARENA_ARRAY(rules->arena, bool, rules->rules.n);
	for (size_t i = 0; i < rules->rules.n; i++) {
		const struct rule *rule = rules->rules.v[i];
		if (rule_is_live(rule) &&
		    (subs || !rule_is_sub(rule) || may_shorten(rules, rule)))
			mark_needed(rules->arena, rules, rule, needed);
	}
	return plan_new(rules->arena, rules, needed, NULL);
}

static void
rule_speed_up(const struct rule *rule)
{
	if (rule->regex != NULL && rule->tag.len == 0)
		regex_speed_up(rule->regex);
	for (size_t i = 0; i < rule->keys.n; i++)
		regex_speed_up(rule->keys.v[i].regex);
}

static void
rules_speed_up(const struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		rule_speed_up(rules->v[i]);
}

static void
plan_speed_up(const struct plan *plan)
{
	for (size_t i = 0; i < plan->bands.n; i++) {
		const struct band *band = &plan->bands.v[i];
		for (size_t k = 0; k < band->headers.n; k++)
			rules_speed_up(&band->headers.v[k].turn.rules);
		for (size_t k = 0; k < TURNS; k++)
			rules_speed_up(&band->turn[k].rules);
	}
}

/* The hit that says that a rule has ended the run. */
static void
shortcuts_settle(struct ruleset *rules)
{
	struct shortcuts *s = &rules->shortcuts;
	s->is_used = s->has_min_ham || s->has_max_spam;
	for (size_t i = 0; i < rules->rules.n; i++)
		s->is_used =
		    s->is_used || rules->rules.v[i]->shortcut != SHORTCUT_OFF;
	s->rule = table_get(rules->by_name, STR("SHORTCIRCUIT"));
	if (s->rule == NULL) {
		struct rule *rule = ARENA_NEW(rules->arena, struct rule);
		rule->name = STR("SHORTCIRCUIT");
		rule->describe = STR("Not all rules were run");
		s->rule = rule;
	}
}

static void
priority_lower(struct rule *rule, int priority)
{
	if (rule->priority <= priority)
		return;
	bool is_bound = priority < NET_PRIORITY && rule->flags.is_net;
	rule->priority = is_bound ? NET_PRIORITY : priority;
}

/* What a meta needs is run no later than the meta itself. */
static void
priorities_settle(struct ruleset *rules)
{
	struct rules metas = {0};
	for (size_t i = 0; i < rules->metas.n; i++)
		if (rules->metas.v[i]->expr != NULL)
			ARENA_PUSH(rules->arena, &metas) = rules->metas.v[i];
	if (metas.n > 0)
		qsort(metas.v, metas.n, sizeof(metas.v[0]), compare_settings);
	for (size_t i = 0; i < metas.n; i++) {
		const struct expr_variables *needs =
		    expr_variables(metas.v[i]->expr);
		for (size_t k = 0; k < needs->n; k++)
			priority_lower(
			    rules->rules.v[needs->v[k]], metas.v[i]->priority);
	}
}

/* One hit is wanted, in any of its parts, and no field is an empty field. */
static bool
is_of_any_part(const struct rule *rule)
{
	return !rule->is_all && !rule->is_negated && !rule->has_unset &&
	       !rule->flags.is_multiple && !rule->flags.is_concat;
}

static bool
has_label_view(const struct rule *rule, enum rule_type type)
{
	return rule->type == type &&
	       (type == RULE_HEADER || is_of_any_part(rule));
}

/*
 * One view a label, and range of parts, of rules of `type`, whatever plan they
 * will be in.
 */
static void
labels_number(struct ruleset *rules, enum rule_type type)
{
	struct table *views = table_new(rules->arena, false);
	for (size_t i = 0; i < rules->rules.n; i++) {
		struct rule *rule = rules->rules.v[i];
		if (!has_label_view(rule, type))
			continue;
		struct str key = str_printf(rules->arena, "%zu %zu %.*s",
		    rule->flags.range_from, rule->flags.range_to,
		    STR_ARG(rule->label));
		const struct rule *first = table_get(views, key);
		rule->view = first == NULL ? rules->nviews++ : first->view;
		if (first == NULL)
			table_set(views, key, rule);
	}
}

/* Which view each rule looks at. */
static void
views_number(struct ruleset *rules)
{
	static const size_t views[RULE_TYPES] = {
	    [RULE_BODY] = FILTER_BODY + 1,
	    [RULE_RAWBODY] = FILTER_RAWBODY + 1,
	    [RULE_URI] = FILTER_URI + 1,
	    [RULE_FULL] = FILTER_FULL + 1,
	};
	for (size_t i = 0; i < rules->rules.n; i++) {
		struct rule *rule = rules->rules.v[i];
		rule->view = views[rule->type] - 1; /* 0 less 1: FILTER_NONE */
	}
	rules->nviews = FILTER_HEADER;
	labels_number(rules, RULE_HEADER);
	rules->part_views = rules->nviews;
	labels_number(rules, RULE_MIMEHEADER);
}

void
ruleset_link(struct ruleset *rules, struct diags *diags)
{
	lists_make(rules, diags);
	networks_make(rules, diags);
	rules_collect(rules, diags);
	double *zeros = ARENA_ARRAY(rules->arena, double, rules->rules.n);
	for (size_t i = 0; i < rules->rules.n; i++)
		rule_settle(rules, rules->rules.v[i], zeros, diags);
	shortcuts_settle(rules);
	metas_order(rules, diags);
	for (size_t i = 0; i < rules->rules.n; i++)
		if (rule_priority(rules->rules.v[i]) < rules->first_priority)
			rules->first_priority =
			    rule_priority(rules->rules.v[i]);
	if (rules->shortcuts.is_used)
		priorities_settle(rules);
	views_number(rules);
	rules->active = plan_live(rules, false);
	rules->all = plan_live(rules, true);
	plan_speed_up(rules->active);
}
