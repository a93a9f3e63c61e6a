/* SPDX-License-Identifier: BSD-2-Clause */
/* demand -- which rules may still matter. */
#include "rules/demand.h"

#include "base/arena.h"
#include "rules/clause.h"
#include "rules/expr.h"
#include "rules/prefilter.h"
#include "rules/regex.h"

/* Metas above each other that are followed: beyond, a rule counts as needed. */
#define DEPTH_MAX 50

struct needs {
	const struct demand *demand;
	struct lack *lacks; /* see struct demand */
	struct prospect *prospects;
	uint64_t *to_do;  /* by place: may hit and has not been tried */
	uint32_t *turned; /* metas that may hold now, or no longer */
};

/* --- while a message is run */

static void *
copy_of(struct arena *a, const void *v, size_t n, size_t size)
{
	size_t bytes = arena_array_size(n, size);
	void *copy = arena_alloc(a, bytes > 0 ? bytes : 1);
	if (n > 0)
		memcpy(copy, v, bytes);
	return copy;
}

static size_t
words_of(size_t n)
{
	return (n + 63) / 64;
}

struct needs *
needs_new(struct arena *a, const struct demand *d)
{
	struct needs *needs = ARENA_NEW(a, struct needs);
	size_t nmetas = d->plan->metas.n;
	needs->demand = d;
	needs->lacks = copy_of(a, d->lacks, d->nclauses, sizeof(d->lacks[0]));
	needs->prospects =
	    copy_of(a, d->prospects, nmetas, sizeof(d->prospects[0]));
	needs->to_do =
	    copy_of(a, d->may_hit, words_of(d->n), sizeof(d->may_hit[0]));
	needs->turned =
	    arena_alloc(a, arena_array_size(nmetas + 1, sizeof(uint32_t)));
	return needs;
}

/* A clause lacks one rule less; its meta turns if that completes the last. */
static size_t
clause_gains(struct needs *needs, uint32_t clause, size_t n)
{
	struct lack *lack = &needs->lacks[clause];
	if (--lack->missing == 0 && --needs->prospects[lack->meta].failing == 0)
		needs->turned[n++] =
		    needs->demand->plan->metas.v[lack->meta]->id;
	return n;
}

/* It lacks one more; its meta turns if all were complete. */
static size_t
clause_loses(struct needs *needs, uint32_t clause, size_t n)
{
	struct lack *lack = &needs->lacks[clause];
	if (++lack->missing == 1 && needs->prospects[lack->meta].failing++ == 0)
		needs->turned[n++] =
		    needs->demand->plan->metas.v[lack->meta]->id;
	return n;
}

/* Of the clauses of `list` that are about rule `id`, and so on. */
static void
clauses_turn(struct needs *needs, const struct lists_by *list, uint32_t id,
    size_t (*clause_turns)(struct needs *needs, uint32_t clause, size_t n))
{
	size_t n = 0;
	for (;;) {
		for (uint32_t i = list->from[id]; i < list->from[id + 1]; i++)
			n = clause_turns(needs, list->v[i], n);
		if (n == 0)
			return;
		id = needs->turned[--n];
		list = &needs->demand->clauses;
	}
}

void
needs_mark(struct needs *needs, uint32_t place)
{
	const struct demand *d = needs->demand;
	uint64_t bit = UINT64_C(1) << place % 64;
	if ((needs->to_do[place / 64] & bit) != 0)
		return;
	needs->to_do[place / 64] |= bit;
	clauses_turn(needs, &d->clauses, d->ids[place], clause_gains);
}

void
needs_mark_plain(struct needs *needs, const struct stage *stage)
{
	for (size_t i = 0; i < stage->nplain; i++)
		needs_mark(needs, stage->plain[i]);
}

void
needs_mark_found(struct needs *needs, const struct stage *stage, size_t k,
    size_t view, const struct candidates *found)
{
	const struct demand *d = needs->demand;
	size_t n = 0;
	const uint32_t *slots =
	    found == NULL ? NULL : candidates_slots(found, &n);
	/* NULL: all that the pass looks for are rules of other bands. */
	const uint32_t *places = d->place_of[k][view];
	for (size_t i = 0; i < n && places != NULL; i++)
		if (places[slots[i]] != PLACE_NONE)
			needs_mark(needs, places[slots[i]]);
	for (uint32_t i = stage->from; i < stage->to && found == NULL; i++)
		if (d->filter_of[i] == k)
			needs_mark(needs, i);
}

void
needs_known(struct needs *needs, const struct rule *rule)
{
	clauses_turn(needs, &needs->demand->clauses, rule->id, clause_gains);
	needs_hit(needs, rule);
}

void
needs_hit(struct needs *needs, const struct rule *rule)
{
	clauses_turn(needs, &needs->demand->breaks, rule->id, clause_loses);
}

void
needs_missed(struct needs *needs, const struct rule *rule)
{
	clauses_turn(needs, &needs->demand->clauses, rule->id, clause_loses);
}

static bool meta_is_needed(struct needs *needs, uint32_t meta, unsigned depth);

/* A meta that needs rule `id` may hold, and that matters; see struct prospect.
 */
static bool
is_needed(struct needs *needs, uint32_t id, uint32_t *nidle, unsigned depth)
{
	const struct users *users = &needs->demand->plan->rest.all;
	const uint32_t *metas = users->places + users->from[id];
	uint32_t n = users->from[id + 1] - users->from[id];
	while (*nidle < n && !meta_is_needed(needs, metas[*nidle], depth))
		++*nidle;
	return *nidle < n;
}

/* The meta may hold, and that matters. */
static bool
meta_is_needed(struct needs *needs, uint32_t meta, unsigned depth)
{
	struct prospect *prospect = &needs->prospects[meta];
	if (prospect->failing > 0)
		return false;
	return prospect->is_wanted || depth == 0 ||
	       is_needed(needs, needs->demand->plan->metas.v[meta]->id,
		   &prospect->nidle, depth - 1);
}

/* The first bit of both, `from` or later, before `to`; or `to`. */
static uint32_t
next_bit(const uint64_t *x, const uint64_t *y, uint32_t from, uint32_t to)
{
	if (from >= to)
		return to;
	size_t word = from / 64;
	uint64_t bits = x[word] & y[word] & UINT64_MAX << from % 64;
	while (bits == 0 && ++word < words_of(to))
		bits = x[word] & y[word];
	if (bits == 0)
		return to;
	uint32_t next = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
	return next < to ? next : to;
}

static void
done(struct needs *needs, uint32_t place)
{
	needs->to_do[place / 64] &= ~(UINT64_C(1) << place % 64);
}

/* The next place of the stage that is to be tried and among `of`. */
static bool
place_next(const struct needs *needs, const struct stage *stage,
    const uint64_t *of, uint32_t *place, uint32_t *ret)
{
	*ret = next_bit(needs->to_do, of, *place, stage->to);
	*place = *ret + 1;
	return *ret < stage->to;
}

const struct rule *
needs_wanted(struct needs *needs, const struct stage *stage, uint32_t *place)
{
	const struct demand *d = needs->demand;
	uint32_t next;
	if (!place_next(needs, stage, d->wanted, place, &next))
		return NULL;
	done(needs, next);
	return d->rules[next];
}

/* A meta that matters cannot hold without it. */
static bool
decides(struct needs *needs, uint32_t id)
{
	const struct lists_by *clauses = &needs->demand->clauses;
	uint32_t i = clauses->from[id];
	while (i < clauses->from[id + 1] &&
	       (needs->lacks[clauses->v[i]].missing != 0 ||
		   !meta_is_needed(
		       needs, needs->lacks[clauses->v[i]].meta, DEPTH_MAX)))
		i++;
	return i < clauses->from[id + 1];
}

const struct rule *
needs_deciding(struct needs *needs, const struct stage *stage, uint32_t *place)
{
	const struct demand *d = needs->demand;
	uint32_t next;
	while (place_next(needs, stage, needs->to_do, place, &next))
		if (decides(needs, d->ids[next])) {
			done(needs, next);
			return d->rules[next];
		}
	return NULL;
}

const struct rule *
needs_next(struct needs *needs, const struct stage *stage, uint32_t *place)
{
	const struct demand *d = needs->demand;
	uint32_t next;
	while (place_next(needs, stage, needs->to_do, place, &next)) {
		uint32_t nidle = 0;
		done(needs, next);
		if (is_needed(needs, d->ids[next], &nidle, DEPTH_MAX))
			return d->rules[next];
	}
	return NULL;
}

/* --- once, when rules load */

struct maker {
	struct arena *a, *work;
	const struct ruleset *rules;
	const struct filter *filters[FILTERS];
	struct demand *d;
	struct {
		struct clause *v; /* of all metas */
		size_t n, cap;
	} clauses;
	struct {
		struct lack *v; /* the same */
		size_t n, cap;
	} lacks;
};

static size_t
band_size(const struct band *band)
{
	size_t n = 0;
	for (size_t i = 0; i < band->headers.n; i++)
		n += band->headers.v[i].turn.rules.n;
	for (size_t i = 0; i < TURNS; i++)
		n += band->turn[i].rules.n;
	return n;
}

/* The band with the most rules; NULL: there is none. */
static const struct band *
main_band(const struct plan *plan)
{
	const struct band *best = NULL;
	for (size_t i = 0; i < plan->bands.n; i++)
		if (best == NULL ||
		    band_size(&plan->bands.v[i]) > band_size(best))
			best = &plan->bands.v[i];
	return best;
}

/* A pass goes over all that the rule looks at. */
static bool
has_pass(const struct rule *rule)
{
	if (rule->type == RULE_MIMEHEADER)
		return !rule->is_negated && !rule->flags.is_concat &&
		       rule->view != FILTER_NONE;
	return rule->type == RULE_HEADER ||
	       turn_view(rule->turn) != FILTER_NONE;
}

/* Which prefilter says that a rule of a turn does not hit; FILTERS: none. */
static uint8_t
filter_of(const struct maker *m, const struct turn *turn, size_t i)
{
	uint8_t k = 0;
	while (k < FILTERS &&
	       (turn->ids[i] == ID_NONE || !has_pass(turn->rules.v[i]) ||
		   m->filters[k]->slots[turn->ids[i]] == PREFILTER_NONE))
		k++;
	return k;
}

static void
slot_place(struct maker *m, size_t k, const struct rule *rule, uint32_t place)
{
	const struct filter *filter = m->filters[k];
	const struct prefilter *prefilter = filter->view[rule->view];
	uint32_t **by_slot = &m->d->place_of[k][rule->view];
	if (prefilter == NULL)
		return;
	size_t n = prefilter_slots(prefilter);
	if (*by_slot == NULL) {
		*by_slot = ARENA_ARRAY(m->a, uint32_t, n);
		for (size_t i = 0; i < n; i++)
			(*by_slot)[i] = PLACE_NONE;
	}
	(*by_slot)[filter->slots[rule->id]] = place;
}

static void
parts_add(struct maker *m, const struct rule *rule)
{
	struct demand *d = m->d;
	size_t i = 0;
	while (i < d->parts.n && d->parts.v[i]->view != rule->view)
		i++;
	if (i == d->parts.n)
		ARENA_PUSH(m->a, &d->parts) = rule;
}

/* The rules of `turn` are places from d->n on. */
static struct stage
stage_new(struct maker *m, const struct turn *turn)
{
	struct demand *d = m->d;
	struct stage stage = {.from = (uint32_t)d->n};
	stage.plain = ARENA_ARRAY(m->a, uint32_t, turn->rules.n);
	for (size_t i = 0; i < turn->rules.n; i++) {
		uint32_t place = (uint32_t)d->n++;
		d->rules[place] = turn->rules.v[i];
		d->ids[place] = turn->rules.v[i]->id;
		uint8_t k = filter_of(m, turn, i);
		d->filter_of[place] = k;
		if (k == FILTERS) {
			stage.plain[stage.nplain++] = place;
			continue;
		}
		stage.nfiltered[k]++;
		if (d->rules[place]->type == RULE_MIMEHEADER)
			parts_add(m, d->rules[place]);
		slot_place(m, k, d->rules[place], place);
	}
	stage.to = (uint32_t)d->n;
	return stage;
}

static void
stages_make(struct maker *m)
{
	struct demand *d = m->d;
	const struct band *band = d->band;
	size_t n = band_size(band);
	d->rules = ARENA_ARRAY(m->a, const struct rule *, n);
	d->ids = ARENA_ARRAY(m->a, uint32_t, n);
	d->filter_of = ARENA_ARRAY(m->a, uint8_t, n);
	d->headers = ARENA_ARRAY(m->a, struct stage, band->headers.n);
	for (size_t k = 0; k < FILTERS; k++)
		d->place_of[k] =
		    ARENA_ARRAY(m->a, uint32_t *, m->filters[k]->n);
	for (size_t i = 0; i < band->headers.n; i++)
		d->headers[i] = stage_new(m, &band->headers.v[i].turn);
	for (size_t i = 0; i < TURNS; i++)
		d->turns[i] = stage_new(m, &band->turn[i]);
	const struct rules *evals = &band->turn[TURN_HEADER_EVAL].rules;
	for (size_t i = 0; i < evals->n; i++)
		if (rule_needs(evals->v[i]) & CHANGES_BODY)
			d->nahead = (uint32_t)i + 1;
}

/*
 * Not only metas ask for it: it has a score, or the regexes of others are
 * filled in with what it captures.
 */
static bool
is_wanted(const struct rule *rule)
{
	return !rule_is_sub(rule) || rule->tag.len > 0 ||
	       (rule->regex != NULL && regex_capture_count(rule->regex) > 0);
}

/* By rule id: those that cyclic metas need, which do not wait. */
static bool *
cyclic_needs(const struct maker *m)
{
	const struct rules *cyclic = &m->d->plan->rest.cyclic;
	bool *needed = ARENA_ARRAY(m->work, bool, m->rules->rules.n);
	for (size_t i = 0; i < cyclic->n; i++) {
		const struct expr_variables *needs =
		    expr_variables(cyclic->v[i]->expr);
		for (size_t k = 0; k < needs->n; k++)
			needed[needs->v[k]] = true;
	}
	return needed;
}

/*
 * What the meta comes to counts, whoever needs it; without a score it keeps
 * others from being run, see run_metas().
 */
static bool
meta_is_wanted(const struct plan *plan, const struct rule *meta)
{
	return !plan_scores(plan, meta) || !rule_is_sub(meta);
}

static void
wants_make(struct maker *m)
{
	struct demand *d = m->d;
	const struct plan *plan = d->plan;
	const bool *cyclic = cyclic_needs(m);
	d->wanted = ARENA_ARRAY(m->a, uint64_t, words_of(d->n));
	for (size_t i = 0; i < d->n; i++)
		if (is_wanted(d->rules[i]) || cyclic[d->ids[i]])
			d->wanted[i / 64] |= UINT64_C(1) << i % 64;
	d->prospects = ARENA_ARRAY(m->a, struct prospect, plan->metas.n);
	for (size_t i = 0; i < plan->metas.n; i++) {
		const struct rule *meta = plan->metas.v[i];
		d->prospects[i].is_wanted =
		    meta_is_wanted(plan, meta) || cyclic[meta->id];
	}
}

/* Its value is 0 or 1. */
static bool
is_flag(const struct rule *rule)
{
	return rule->type != RULE_EVAL && rule->type != RULE_META &&
	       !rule->flags.is_multiple;
}

static void
clauses_make(struct maker *m)
{
	const struct rules *all = &m->rules->rules;
	const struct rules *metas = &m->d->plan->metas;
	bool *flags = ARENA_ARRAY(m->work, bool, all->n);
	for (size_t i = 0; i < all->n; i++)
		flags[i] = is_flag(all->v[i]);
	for (size_t i = 0; i < metas->n; i++) {
		const struct rule *meta = metas->v[i];
		if (meta->is_cyclic)
			continue;
		struct clauses list =
		    expr_clauses(m->work, meta->expr, flags, &flags[meta->id]);
		for (size_t k = 0; k < list.n; k++) {
			ARENA_PUSH(m->work, &m->clauses) = list.v[k];
			ARENA_PUSH(m->a, &m->lacks) = (struct lack){
			    (int16_t)list.v[k].least, (uint16_t)i};
			if (list.v[k].least > 0)
				m->d->prospects[i].failing++;
		}
	}
}

/* Who is in which clause, of those whose `least` is 0 or of the others. */
static struct lists_by
clauses_by_rule(struct maker *m, bool is_break)
{
	size_t n = m->rules->rules.n;
	struct lists_by by = {.from = ARENA_ARRAY(m->a, uint32_t, n + 1)};
	for (size_t i = 0; i < m->clauses.n; i++)
		for (size_t k = 0; k < m->clauses.v[i].n; k++)
			by.from[m->clauses.v[i].v[k] + 1] +=
			    (m->clauses.v[i].least == 0) == is_break;
	for (size_t i = 0; i < n; i++)
		by.from[i + 1] += by.from[i];
	by.v = ARENA_ARRAY(m->a, uint32_t, by.from[n]);
	uint32_t *next = copy_of(m->work, by.from, n, sizeof(next[0]));
	for (size_t i = 0; i < m->clauses.n; i++)
		for (size_t k = 0; k < m->clauses.v[i].n; k++)
			if ((m->clauses.v[i].least == 0) == is_break)
				by.v[next[m->clauses.v[i].v[k]]++] =
				    (uint32_t)i;
	return by;
}

static void
band_possible(struct needs *needs, const struct band *band)
{
	const struct lists_by *clauses = &needs->demand->clauses;
	for (size_t i = 0; i < band->headers.n; i++)
		for (size_t k = 0; k < band->headers.v[i].turn.rules.n; k++)
			clauses_turn(needs, clauses,
			    band->headers.v[i].turn.rules.v[k]->id,
			    clause_gains);
	for (size_t i = 0; i < TURNS; i++)
		for (size_t k = 0; k < band->turn[i].rules.n; k++)
			clauses_turn(needs, clauses,
			    band->turn[i].rules.v[k]->id, clause_gains);
}

/*
 * Marked from the start: what later bands have, what no pass rules out, and
 * metas of which nothing is known.
 */
static void
sure_mark(struct maker *m)
{
	struct demand *d = m->d;
	const struct plan *plan = d->plan;
	struct needs *needs = needs_new(m->a, d);
	for (size_t i = 0; i < plan->metas.n; i++)
		if (d->prospects[i].failing == 0)
			clauses_turn(needs, &d->clauses, plan->metas.v[i]->id,
			    clause_gains);
	for (const struct band *band = d->band + 1;
	     band < plan->bands.v + plan->bands.n; band++)
		band_possible(needs, band);
	for (size_t i = 0; i < TURNS; i++)
		for (size_t k = 0; k < d->turns[i].nplain; k++)
			if (i != TURN_HEADER_EVAL || k >= d->nahead)
				needs_mark(needs, d->turns[i].plain[k]);
	d->lacks = needs->lacks;
	d->prospects = needs->prospects;
	d->may_hit = needs->to_do;
}

/* The body is changed for rules behind others than header evals. */
static bool
changes_late(const struct band *band)
{
	for (size_t i = TURN_HEADER_EVAL + 1; i < TURNS; i++)
		for (size_t k = 0; k < band->turn[i].rules.n; k++)
			if (rule_needs(band->turn[i].rules.v[k]) & CHANGES_BODY)
				return true;
	return false;
}

struct demand *
demand_new(const struct ruleset *rules)
{
	const struct plan *plan = rules->active;
	const struct band *band = main_band(plan);
	if (rules->shortcuts.is_used || band == NULL ||
	    plan->metas.n > UINT16_MAX || changes_late(band))
		return NULL;
	struct arena *a = arena_new();
	struct maker m = {
	    .a = a,
	    .work = arena_new(),
	    .rules = rules,
	    .filters = {rules->filter, rules->looks->shapes},
	    .d = ARENA_NEW(a, struct demand),
	};
	m.d->arena = a;
	m.d->plan = plan;
	m.d->band = band;
	stages_make(&m);
	wants_make(&m);
	clauses_make(&m);
	m.d->lacks = m.lacks.v;
	m.d->nclauses = m.clauses.n;
	m.d->clauses = clauses_by_rule(&m, false);
	m.d->breaks = clauses_by_rule(&m, true);
	m.d->may_hit = ARENA_ARRAY(a, uint64_t, words_of(m.d->n));
	sure_mark(&m);
	arena_free(m.work);
	return m.d;
}
