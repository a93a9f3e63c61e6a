/* SPDX-License-Identifier: BSD-2-Clause */
/* demand -- which rules may still matter. */
#include "rules/demand.h"

#include "base/arena.h"
#include "base/bits.h"
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
	uint64_t *to_do; /* by place: may hit and has not been tried */
	/* Metas that may hold now, or no longer, by place in plan->metas. */
	uint32_t *turned;
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
	    copy_of(a, d->may_hit, bits_words(d->n), sizeof(d->may_hit[0]));
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
		needs->turned[n++] = lack->meta;
	return n;
}

/* It lacks one more; its meta turns if all were complete. */
static size_t
clause_loses(struct needs *needs, uint32_t clause, size_t n)
{
	struct lack *lack = &needs->lacks[clause];
	if (++lack->missing == 1 && needs->prospects[lack->meta].failing++ == 0)
		needs->turned[n++] = lack->meta;
	return n;
}

static const struct node *
meta_node(const struct demand *d, uint32_t meta)
{
	return &d->nodes[d->n + meta];
}

/* Of clauses `from` to `to` - 1 in `list`, and of those of metas that turn. */
static void
clauses_turn(struct needs *needs, const uint32_t *list, uint32_t from,
    uint32_t to,
    size_t (*clause_turns)(struct needs *needs, uint32_t clause, size_t n))
{
	const struct demand *d = needs->demand;
	size_t n = 0;
	for (;;) {
		for (uint32_t i = from; i < to; i++)
			n = clause_turns(needs, list[i], n);
		if (n == 0)
			return;
		const struct node *meta = meta_node(d, needs->turned[--n]);
		list = d->clauses;
		from = meta[0].clauses;
		to = meta[1].clauses;
	}
}

static void
node_gains(struct needs *needs, const struct node *node)
{
	clauses_turn(needs, needs->demand->clauses, node[0].clauses,
	    node[1].clauses, clause_gains);
}

static void
node_breaks(struct needs *needs, const struct node *node)
{
	clauses_turn(needs, needs->demand->breaks, node[0].breaks,
	    node[1].breaks, clause_loses);
}

void
needs_mark(struct needs *needs, uint32_t place)
{
	if (bits_add(needs->to_do, place))
		node_gains(needs, &needs->demand->nodes[place]);
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
		if (d->nodes[i].filter == k)
			needs_mark(needs, i);
}

void
needs_known(struct needs *needs, const struct rule *rule)
{
	const struct demand *d = needs->demand;
	uint32_t node = d->node_of[rule->id];
	if (node == PLACE_NONE)
		return;
	node_gains(needs, &d->nodes[node]);
	node_breaks(needs, &d->nodes[node]);
}

void
needs_hit(struct needs *needs, uint32_t place)
{
	node_breaks(needs, &needs->demand->nodes[place]);
}

void
needs_missed(struct needs *needs, uint32_t place)
{
	const struct node *node = &needs->demand->nodes[place];
	clauses_turn(needs, needs->demand->clauses, node[0].clauses,
	    node[1].clauses, clause_loses);
}

static bool meta_is_needed(struct needs *needs, uint32_t meta, unsigned depth);

/* A meta that needs the rule may hold, and that matters; see struct prospect.
 */
static bool
is_needed(struct needs *needs, const struct node *node, uint32_t *nidle,
    unsigned depth)
{
	const uint32_t *metas = needs->demand->users + node[0].users;
	uint32_t n = node[1].users - node[0].users;
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
	       is_needed(needs, meta_node(needs->demand, meta),
		   &prospect->nidle, depth - 1);
}

/* The next place of the stage that is to be tried and among `of`; PLACE_NONE:
 * there is none. */
static uint32_t
place_next(const struct needs *needs, const struct stage *stage,
    const uint64_t *of, uint32_t from)
{
	size_t place = bits_next(needs->to_do, of, from, stage->to);
	return place < stage->to ? (uint32_t)place : PLACE_NONE;
}

uint32_t
needs_wanted(struct needs *needs, const struct stage *stage, uint32_t from)
{
	uint32_t place = place_next(needs, stage, needs->demand->wanted, from);
	if (place != PLACE_NONE)
		bits_drop(needs->to_do, place);
	return place;
}

/* A meta that matters cannot hold without it. */
static bool
decides(struct needs *needs, const struct node *node)
{
	const uint32_t *clauses = needs->demand->clauses;
	uint32_t i = node[0].clauses;
	while (i < node[1].clauses &&
	       (needs->lacks[clauses[i]].missing != 0 ||
		   !meta_is_needed(
		       needs, needs->lacks[clauses[i]].meta, DEPTH_MAX)))
		i++;
	return i < node[1].clauses;
}

uint32_t
needs_deciding(struct needs *needs, const struct stage *stage, uint32_t from)
{
	const struct node *nodes = needs->demand->nodes;
	uint32_t place;
	while ((place = place_next(needs, stage, needs->to_do, from)) !=
		   PLACE_NONE &&
	       !decides(needs, &nodes[place]))
		from = place + 1;
	if (place != PLACE_NONE)
		bits_drop(needs->to_do, place);
	return place;
}

uint32_t
needs_next(struct needs *needs, const struct stage *stage, uint32_t from)
{
	const struct node *nodes = needs->demand->nodes;
	uint32_t place;
	while ((place = place_next(needs, stage, needs->to_do, from)) !=
	       PLACE_NONE) {
		uint32_t nidle = 0;
		bits_drop(needs->to_do, place);
		if (is_needed(needs, &nodes[place], &nidle, DEPTH_MAX))
			break;
		from = place + 1;
	}
	return place;
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
	size_t nnodes;
};

/* Call `each(arg, rules)` for the rules of every header group and turn. */
static void
band_each(const struct band *band,
    void (*each)(void *arg, const struct rules *rules), void *arg)
{
	for (size_t i = 0; i < band->headers.n; i++)
		each(arg, &band->headers.v[i].turn.rules);
	for (size_t i = 0; i < TURNS; i++)
		each(arg, &band->turn[i].rules);
}

static void
rules_count(void *arg, const struct rules *rules)
{
	*(size_t *)arg += rules->n;
}

static size_t
band_size(const struct band *band)
{
	size_t n = 0;
	band_each(band, rules_count, &n);
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

static uint32_t
node_add(struct maker *m, const struct rule *rule)
{
	uint32_t number = (uint32_t)m->nnodes++;
	m->d->nodes[number] = (struct node){.rule = rule, .filter = FILTERS};
	m->d->node_of[rule->id] = number;
	return number;
}

/* The rules of `turn` are the next nodes. */
static struct stage
stage_new(struct maker *m, const struct turn *turn)
{
	struct demand *d = m->d;
	struct stage stage = {.from = (uint32_t)m->nnodes};
	stage.plain = ARENA_ARRAY(m->a, uint32_t, turn->rules.n);
	for (size_t i = 0; i < turn->rules.n; i++) {
		uint32_t place = node_add(m, turn->rules.v[i]);
		uint8_t k = filter_of(m, turn, i);
		d->nodes[place].filter = k;
		if (k == FILTERS) {
			stage.plain[stage.nplain++] = place;
			continue;
		}
		stage.nfiltered[k]++;
		if (turn->rules.v[i]->type == RULE_MIMEHEADER)
			parts_add(m, turn->rules.v[i]);
		slot_place(m, k, turn->rules.v[i], place);
	}
	stage.to = (uint32_t)m->nnodes;
	return stage;
}

static void
rules_add(void *arg, const struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		(void)node_add(arg, rules->v[i]);
}

static void
stages_make(struct maker *m)
{
	struct demand *d = m->d;
	const struct band *band = d->band;
	d->headers = ARENA_ARRAY(m->a, struct stage, band->headers.n);
	for (size_t k = 0; k < FILTERS; k++)
		d->place_of[k] =
		    ARENA_ARRAY(m->a, uint32_t *, m->filters[k]->n);
	for (size_t i = 0; i < band->headers.n; i++)
		d->headers[i] = stage_new(m, &band->headers.v[i].turn);
	for (size_t i = 0; i < TURNS; i++)
		d->turns[i] = stage_new(m, &band->turn[i]);
	d->n = m->nnodes;
	const struct rules *evals = &band->turn[TURN_HEADER_EVAL].rules;
	for (size_t i = 0; i < evals->n; i++)
		if (rule_needs(evals->v[i]) & CHANGES_BODY)
			d->nahead = (uint32_t)i + 1;
}

/* One for each rule that may be run, and one that ends all lists. */
static void
nodes_make(struct maker *m)
{
	struct demand *d = m->d;
	const struct plan *plan = d->plan;
	size_t n = m->rules->rules.n;
	d->nodes = ARENA_ARRAY(m->a, struct node, n + 1);
	d->node_of = ARENA_ARRAY(m->a, uint32_t, n);
	for (size_t i = 0; i < n; i++)
		d->node_of[i] = PLACE_NONE;
	stages_make(m);
	rules_add(m, &plan->metas);
	for (const struct band *band = plan->bands.v;
	     band < plan->bands.v + plan->bands.n; band++)
		if (band != d->band)
			band_each(band, rules_add, m);
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
	d->wanted = ARENA_ARRAY(m->a, uint64_t, bits_words(d->n));
	for (size_t i = 0; i < d->n; i++)
		if (is_wanted(d->nodes[i].rule) || cyclic[d->nodes[i].rule->id])
			(void)bits_add(d->wanted, i);
	d->prospects = ARENA_ARRAY(m->a, struct prospect, plan->metas.n);
	for (size_t i = 0; i < plan->metas.n; i++) {
		const struct rule *meta = plan->metas.v[i];
		d->prospects[i].is_wanted =
		    meta_is_wanted(plan, meta) || cyclic[meta->id];
	}
}

/* The most that its value can be, a whole number; 0: that is not known. */
static unsigned
most_of(const struct rule *rule)
{
	if (rule->type == RULE_META)
		return 0;
	return rule->flags.is_multiple ? rule->flags.maxhits : 1;
}

static void
clauses_make(struct maker *m)
{
	const struct rules *all = &m->rules->rules;
	const struct rules *metas = &m->d->plan->metas;
	unsigned *most = ARENA_ARRAY(m->work, unsigned, all->n);
	for (size_t i = 0; i < all->n; i++)
		/* what is never run is 0 */
		most[i] =
		    m->d->node_of[i] == PLACE_NONE ? 1 : most_of(all->v[i]);
	for (size_t i = 0; i < metas->n; i++) {
		const struct rule *meta = metas->v[i];
		if (meta->is_cyclic)
			continue;
		bool is_flag;
		struct clauses list =
		    expr_clauses(m->work, meta->expr, most, &is_flag);
		most[meta->id] = is_flag;
		for (size_t k = 0; k < list.n; k++) {
			ARENA_PUSH(m->work, &m->clauses) = list.v[k];
			ARENA_PUSH(m->a, &m->lacks) = (struct lack){
			    (int16_t)list.v[k].least, (uint16_t)i};
			if (list.v[k].least > 0)
				m->d->prospects[i].failing++;
		}
	}
}

/* Where the lists of a node begin: clauses or breaks. */
static uint32_t *
node_list(struct node *node, bool is_break)
{
	return is_break ? &node->breaks : &node->clauses;
}

/*
 * Who is in which clause, of those whose `least` is 0 or of the others.  What
 * is never run is in none.
 */
static uint32_t *
clauses_by_node(struct maker *m, bool is_break)
{
	struct node *nodes = m->d->nodes;
	uint32_t *next = ARENA_ARRAY(m->work, uint32_t, m->nnodes + 1);
	for (size_t i = 0; i < m->clauses.n; i++)
		for (size_t k = 0; k < m->clauses.v[i].n; k++) {
			uint32_t node = m->d->node_of[m->clauses.v[i].v[k]];
			if ((m->clauses.v[i].least == 0) == is_break &&
			    node != PLACE_NONE)
				next[node + 1]++;
		}
	for (size_t i = 0; i < m->nnodes; i++)
		next[i + 1] += next[i];
	for (size_t i = 0; i <= m->nnodes; i++)
		*node_list(&nodes[i], is_break) = next[i];
	uint32_t *list = ARENA_ARRAY(m->a, uint32_t, next[m->nnodes]);
	for (size_t i = 0; i < m->clauses.n; i++)
		for (size_t k = 0; k < m->clauses.v[i].n; k++) {
			uint32_t node = m->d->node_of[m->clauses.v[i].v[k]];
			if ((m->clauses.v[i].least == 0) == is_break &&
			    node != PLACE_NONE)
				list[next[node]++] = (uint32_t)i;
		}
	return list;
}

static void
users_make(struct maker *m)
{
	struct demand *d = m->d;
	const struct users *users = &d->plan->rest.all;
	uint32_t n = 0;
	d->users = ARENA_ARRAY(m->a, uint32_t, users->from[m->rules->rules.n]);
	for (size_t i = 0; i < m->nnodes; i++) {
		uint32_t id = d->nodes[i].rule->id;
		d->nodes[i].users = n;
		for (uint32_t k = users->from[id]; k < users->from[id + 1]; k++)
			d->users[n++] = users->places[k];
	}
	d->nodes[m->nnodes].users = n;
}

static void
rules_possible(void *arg, const struct rules *rules)
{
	struct needs *needs = arg;
	const struct demand *d = needs->demand;
	for (size_t i = 0; i < rules->n; i++)
		node_gains(needs, &d->nodes[d->node_of[rules->v[i]->id]]);
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
			node_gains(needs, meta_node(d, (uint32_t)i));
	for (const struct band *band = d->band + 1;
	     band < plan->bands.v + plan->bands.n; band++)
		band_each(band, rules_possible, needs);
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
	struct arena *a = arena_new_lasting();
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
	nodes_make(&m);
	wants_make(&m);
	clauses_make(&m);
	m.d->lacks = m.lacks.v;
	m.d->nclauses = m.clauses.n;
	m.d->clauses = clauses_by_node(&m, false);
	m.d->breaks = clauses_by_node(&m, true);
	users_make(&m);
	m.d->may_hit = ARENA_ARRAY(a, uint64_t, bits_words(m.d->n));
	sure_mark(&m);
	arena_free(m.work);
	return m.d;
}
