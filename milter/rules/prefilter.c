/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefilter -- it looks for the literals of all patterns' factors at once; a
 * string that has one of each factor of a pattern's clause is a candidate.
 */
#include "rules/prefilter.h"

#include <float.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "rules/edges.h"
#include "rules/factor.h"
#include "rules/heads.h"
#include "rules/hs_db.h"
#include "rules/look_cache.h"

/* A factor that costs more than this tells too little. */
#define COST_MAX 0.01
/* From here on it is worth to look at plain texts apart. */
#define COST_POOR 1e-3
/* From here on it is worth to look where matches may begin... */
#define COST_FEW 3e-4
/* ... if that leaves so many times less. */
#define STARTS_GAIN 2
/* Less than this is enough; a further factor must not cost much. */
#define COST_ENOUGH 1e-5
#define COST_MORE 1e-3
#define CANDIDATES_MAX 1000000
/* Odd runs of one string that are looked at; with more it may match. */
#define ODD_RUNS_MAX 100
/* Shapes of one view. */
#define SHAPES_BYTES ((size_t)1024 * 1024)

/* Starts so few bytes apart are tried in one go. */
#define STARTS_GAP 16
/* Spans of one string; with more the last of a clause grows. */
#define SPANS_MAX 10000

/* A factor whose literal was seen, and what of its clause is asked each time.
 */
struct use {
	uint32_t clause;
	uint8_t number;
	uint8_t needs; /* of the clause */
	uint8_t times; /* how often the factor must be there */
	bool is_near;  /* it tells where matches begin: so far in front of the
			  end of the literal */
	uint32_t least, most;
};

struct uses {
	struct use *v;
	size_t n, cap;
};

struct literal {
	struct str bytes;
	bool is_folded;
	struct uses uses;
};

struct clause {
	uint32_t slot;
	uint8_t needs;                /* a bit a factor */
	uint8_t times[FACTORS_MAX];   /* how often each must be there... */
	uint32_t counts[FACTORS_MAX]; /* its count, if that is more than once...
				       */
	uint32_t spans[FACTORS_MAX]; /* ... with so many spans before its own */
};

/* Bytes of a string in which a match may begin. */
struct span {
	uint32_t from, until;
	uint32_t next; /* 0: none */
};

/* How often a factor was seen in a string. */
struct count {
	uint32_t string; /* plus 1 */
	uint32_t n;
	size_t last; /* where it ended */
};

/* A pattern; where all bits of one of its clauses are it may match. */
struct slot {
	bool is_plain;             /* that holds for matches in plain text */
	const struct pairs *pairs; /* which show other matches; NULL:
					     whatever is not plain may match */
	bool is_any; /* libhs refused it: every string may match */
};

/* So many of them at once are about as quick as all, and made far sooner. */
#define SHAPES_MAX 8

/* Patterns that libhs tries, in one database. */
struct shapes {
	struct hs_db *db;
	uint32_t slots[SHAPES_MAX];
	struct strs patterns; /* while it is built */
};

struct prefilter_builder {
	struct arena *arena;
	struct table *by_key;
	struct {
		struct literal **v;
		size_t n, cap;
	} literals;
	struct {
		struct slot *v;
		size_t n, cap;
	} slots;
	struct {
		struct clause *v;
		size_t n, cap;
	} clauses;
	size_t longest;
	uint32_t ncounts, nspans;
	struct {
		struct shapes *v;
		size_t n, cap;
	} shapes;
	struct {
		struct start_group **v;
		size_t n, cap;
	} groups;
};

/* What a literal tells, once it is found. */
struct found_literal {
	uint32_t len;
	uint32_t more; /* uses behind the first; they end where the next
			  literal's begin */
	struct use first;
};

struct prefilter {
	struct hs_db *db; /* of literals; or NULL */
	struct shapes *shapes;
	size_t nshapes;
	const struct found_literal *literals; /* by id; one more at the end */
	const struct use *uses;
	const struct slot *slots;
	size_t nslots;
	const struct start_group *const *groups;
	size_t ngroups;
	const struct clause *clauses;
	size_t nclauses;
	size_t ncounts, nspans;
	size_t longest;
	const uint32_t *plain; /* slots that are is_plain */
	size_t nplain;
	bool has_shapes; /* all slots are shapes */
};

struct candidate {
	uint32_t string;
	uint32_t next; /* of the same slot; 0: none */
	uint32_t from, until;
};

/* Spans in order, by number; 0: none. */
struct span_list {
	uint32_t first, last;
};

/* What a pass knows of a slot that it has met. */
struct seen {
	uint32_t slot;
	uint32_t first, last;   /* of its candidates; 0: none */
	struct span_list spans; /* in the string that the pass is in */
};

/* What it knows of a clause that it has met in the string. */
struct bits {
	uint32_t clause;
	uint8_t bits;
	struct span_list spans;
};

/*
 * Of thousands of slots and clauses a pass meets few: those stand close
 * together, and by number it is only known where.
 */
typedef uint16_t met_number; /* in a list, plus 1; 0: not in it */
#define MET_MAX UINT16_MAX

struct candidates {
	met_number *numbers; /* by slot: in `seen` */
	struct {
		struct seen *v;
		size_t n, cap;
	} seen;
	struct {
		struct candidate *v; /* the first is not used */
		size_t n, cap;
	} list;
	struct {
		uint32_t *v; /* slots that have candidates */
		size_t n, cap;
	} left;
};

struct pass {
	const struct prefilter *filter;
	struct arena *a;
	struct candidates *found;
	const struct shapes *shapes; /* that are tried */
	met_number *numbers;         /* by clause: in `met` */
	struct count *counts;
	/* By count: where matches may begin that have it first, of the last few
	   times. */
	struct span *counted;
	const struct strs *strings;
	const size_t *ends; /* of the strings in the text that is searched */
	size_t string;      /* that the pass is in */
	size_t entered;     /* how many of them it has come to */
	/* Of that string: */
	struct {
		struct span *v; /* the first is not used */
		size_t n, cap;
	} spans;
	struct {
		struct bits *v;
		size_t n, cap;
	} met;
	struct {
		uint32_t *v;
		size_t n, cap;
	} whole; /* in `met`: clauses that have all their factors */
	struct {
		uint32_t *v;
		size_t n, cap;
	} slots;        /* that have spans */
	size_t base;    /* of the window */
	size_t overlap; /* with the window before */
	bool is_over;
};

struct prefilter_builder *
prefilter_builder_new(struct arena *a)
{
	struct prefilter_builder *b = ARENA_NEW(a, struct prefilter_builder);
	b->arena = a;
	b->by_key = table_new(a, false);
	return b;
}

/* The literal of these bytes, made if need be. */
static struct literal *
literal_get(struct prefilter_builder *b, struct str bytes, bool is_folded)
{
	struct buf *key = buf_new(b->arena, bytes.len + 1);
	buf_putc(key, is_folded ? 'i' : '=');
	buf_put(key, bytes);
	struct literal *literal = table_get(b->by_key, buf_str(key));
	if (literal != NULL)
		return literal;
	literal = ARENA_NEW(b->arena, struct literal);
	literal->bytes = str_skip(buf_str(key), 1);
	literal->is_folded = is_folded;
	table_set(b->by_key, buf_str(key), literal);
	ARENA_PUSH(b->arena, &b->literals) = literal;
	if (b->longest < bytes.len)
		b->longest = bytes.len;
	return literal;
}

static void
factor_add(
    struct prefilter_builder *b, const struct factor *factor, struct use use)
{
	for (size_t i = 0; i < factor->any.n; i++) {
		struct literal *literal =
		    literal_get(b, factor->any.v[i], factor->is_folded);
		ARENA_PUSH(b->arena, &literal->uses) = use;
	}
}

/* Those of `pattern`, or if they are poor those of its matches in plain text.
 */
static struct clauses
clauses_best(struct arena *a, struct str pattern, bool *ret_is_plain)
{
	struct clauses clauses = factors_of(a, pattern, false);
	double cost = clauses_cost(&clauses);
	*ret_is_plain = false;
	if (cost < COST_POOR)
		return clauses;
	struct clauses plain = factors_of(a, pattern, true);
	if (!plain.is_never && clauses_cost(&plain) > cost / 4)
		return clauses;
	*ret_is_plain = true;
	return plain;
}

/*
 * The factor that leaves the fewest places to begin at, of those that `needs`
 * has.
 */
static size_t
factor_nearest(const struct factors *factors, uint8_t needs)
{
	size_t best = 0;
	double least = DBL_MAX;
	for (size_t i = 0; i < factors->n; i++) {
		const struct factor *factor = &factors->v[i];
		double starts = factor->cost * (factor->to - factor->from);
		if ((needs & 1U << i) == 0 || starts >= least)
			continue;
		least = starts;
		best = i;
	}
	return best;
}

/* Where it is, seen from the end of one of its literals. */
static struct use
use_of(uint32_t id, const struct clause *clause, size_t number,
    const struct factor *factor)
{
	return (struct use){
	    .clause = id,
	    .number = (uint8_t)number,
	    .needs = clause->needs,
	    .times = clause->times[number],
	    .least = factor->from,
	    .most = factor->to,
	};
}

/* A factor more, if the ones before leave too much. */
static void
clause_add(
    struct prefilter_builder *b, const struct factors *factors, uint32_t slot)
{
	struct clause clause = {.slot = slot};
	double most = 1;
	for (size_t i = 0; i < factors->n && factors->v[i].cost < most; i++) {
		const struct factor *factor = &factors->v[i];
		clause.needs |= (uint8_t)(1U << i);
		clause.times[i] = (uint8_t)factor->times;
		if (factor->times > 1) {
			clause.counts[i] = b->ncounts++;
			clause.spans[i] = b->nspans;
			b->nspans += factor->times;
		}
		most = factor->cost > COST_ENOUGH ? COST_MORE : 0;
	}
	size_t nearest = factor_nearest(factors, clause.needs);
	for (size_t i = 0; i < factors->n; i++) {
		if ((clause.needs & 1U << i) == 0)
			continue;
		struct use use =
		    use_of((uint32_t)b->clauses.n, &clause, i, &factors->v[i]);
		use.is_near = i == nearest;
		factor_add(b, &factors->v[i], use);
	}
	ARENA_PUSH(b->arena, &b->clauses) = clause;
}

uint32_t
prefilter_add(struct prefilter_builder *b, struct str pattern)
{
	struct slot slot = {0};
	struct clauses clauses =
	    clauses_best(b->arena, pattern, &slot.is_plain);
	uint32_t id = (uint32_t)b->slots.n;
	double cost = clauses.is_never ? 0 : clauses_cost(&clauses);
	const struct starts *starts =
	    cost < COST_FEW ? NULL : factor_starts_best(b->arena, pattern);
	if (starts != NULL && (cost > COST_MAX || starts_share(starts, true) <
						      cost / STARTS_GAIN))
		return prefilter_add_starts(b, starts);
	if (cost > COST_MAX)
		return PREFILTER_NONE;
	for (size_t i = 0; i < clauses.n; i++)
		clause_add(b, &clauses.v[i], id);
	if (slot.is_plain)
		slot.pairs = factor_pairs_of(b->arena, pattern);
	ARENA_PUSH(b->arena, &b->slots) = slot;
	return id;
}

uint32_t
prefilter_add_starts(struct prefilter_builder *b, const struct starts *starts)
{
	uint32_t id = (uint32_t)b->slots.n;
	ARENA_PUSH(b->arena, &b->slots) = (struct slot){0};
	if (b->groups.n > 0 &&
	    start_group_add(b->groups.v[b->groups.n - 1], starts, id))
		return id;
	struct start_group *group = start_group_new(b->arena);
	(void)start_group_add(group, starts, id);
	ARENA_PUSH(b->arena, &b->groups) = group;
	return id;
}

uint32_t
prefilter_add_shape(struct prefilter_builder *b, struct str pattern)
{
	uint32_t id = (uint32_t)b->slots.n;
	ARENA_PUSH(b->arena, &b->slots) = (struct slot){0};
	if (b->shapes.n == 0 ||
	    b->shapes.v[b->shapes.n - 1].patterns.n == SHAPES_MAX)
		ARENA_PUSH(b->arena, &b->shapes) = (struct shapes){0};
	struct shapes *shapes = &b->shapes.v[b->shapes.n - 1];
	shapes->slots[shapes->patterns.n] = id;
	strs_add(b->arena, &shapes->patterns, pattern);
	return id;
}

/* NULL: libhs refuses. */
static struct hs_db *
database_new(
    struct arena *a, const struct prefilter_builder *b, struct hs_pool *pool)
{
	struct hs_literal *literals =
	    ARENA_ARRAY(b->arena, struct hs_literal, b->literals.n);
	for (size_t i = 0; i < b->literals.n; i++)
		literals[i] = (struct hs_literal){
		    b->literals.v[i]->bytes, b->literals.v[i]->is_folded};
	return hs_db_literals(a, pool, literals, b->literals.n);
}

/* Those that libhs takes; the others may match anything.  NULL: none. */
static struct hs_db *
shapes_compile(struct arena *a, struct prefilter_builder *b,
    struct shapes *shapes, struct hs_pool *pool)
{
	struct strs *patterns = &shapes->patterns;
	while (patterns->n > 0) {
		size_t bad = patterns->n;
		struct hs_db *db = hs_db_patterns(a, pool, patterns, &bad);
		if (db != NULL)
			return db;
		if (bad >= patterns->n)
			bad = patterns->n - 1;
		b->slots.v[shapes->slots[bad]].is_any = true;
		patterns->n--;
		patterns->v[bad] = patterns->v[patterns->n];
		shapes->slots[bad] = shapes->slots[patterns->n];
	}
	return NULL;
}

/* What is kept is kept for just these shapes, none of which was refused. */
static struct hs_db *
shapes_new(struct arena *a, struct prefilter_builder *b, struct shapes *shapes,
    struct hs_pool *pool, struct look_cache *cache)
{
	struct buf *key = buf_new(b->arena, SHAPES_BYTES);
	struct str bytes = STR_EMPTY;
	struct hs_db *db = NULL;
	size_t n = shapes->patterns.n;
	for (size_t i = 0; i < n; i++) {
		buf_put(key, shapes->patterns.v[i]);
		buf_putc(key, '\n');
	}
	if (key->is_cut)
		cache = NULL;
	if (cache != NULL && look_cache_get(cache, buf_str(key), &bytes) &&
	    bytes.len > 0)
		db = hs_db_from_bytes(a, pool, bytes);
	if (db != NULL)
		return db;
	db = shapes_compile(a, b, shapes, pool);
	if (db != NULL && cache != NULL && n == shapes->patterns.n)
		look_cache_put(cache, buf_str(key), hs_db_bytes(b->arena, db));
	return db;
}

static void
shapes_build(struct arena *a, struct prefilter_builder *b, struct prefilter *p,
    struct hs_pool *pool, struct look_cache *cache)
{
	p->shapes = ARENA_ARRAY(a, struct shapes, b->shapes.n);
	for (size_t i = 0; i < b->shapes.n; i++) {
		struct hs_db *db =
		    shapes_new(a, b, &b->shapes.v[i], pool, cache);
		if (db == NULL)
			continue;
		struct shapes *to = &p->shapes[p->nshapes++];
		*to = b->shapes.v[i];
		to->db = db;
		to->patterns = (struct strs){0};
	}
}

static void *
copied(struct arena *a, const void *p, size_t n, size_t size)
{
	void *ret = arena_alloc(a, arena_array_size(n, size));
	if (n > 0)
		memcpy(ret, p, n * size);
	return ret;
}

static void
literals_copy(
    struct arena *a, const struct prefilter_builder *b, struct prefilter *p)
{
	size_t n = 0;
	for (size_t i = 0; i < b->literals.n; i++)
		n += b->literals.v[i]->uses.n - 1;
	struct use *uses = ARENA_ARRAY(a, struct use, n);
	struct found_literal *literals =
	    ARENA_ARRAY(a, struct found_literal, b->literals.n + 1);
	n = 0;
	for (size_t i = 0; i < b->literals.n; i++) {
		const struct literal *from = b->literals.v[i];
		literals[i] = (struct found_literal){
		    (uint32_t)from->bytes.len, (uint32_t)n, from->uses.v[0]};
		size_t nmore = from->uses.n - 1;
		memcpy(uses + n, from->uses.v + 1, nmore * sizeof(*uses));
		n += nmore;
	}
	literals[b->literals.n].more = (uint32_t)n;
	p->literals = literals;
	p->uses = uses;
}

static void
slots_copy(
    struct arena *a, const struct prefilter_builder *b, struct prefilter *p)
{
	size_t n = b->slots.n;
	struct slot *slots = copied(a, b->slots.v, n, sizeof(*slots));
	uint32_t *plain = ARENA_ARRAY(a, uint32_t, n);
	for (size_t i = 0; i < n; i++) {
		if (slots[i].is_plain)
			plain[p->nplain++] = (uint32_t)i;
		if (slots[i].pairs != NULL)
			slots[i].pairs = copied(
			    a, slots[i].pairs, 1, sizeof(*slots[i].pairs));
	}
	p->nslots = n;
	p->slots = slots;
	p->plain = plain;
}

static void
groups_copy(
    struct arena *a, const struct prefilter_builder *b, struct prefilter *p)
{
	struct start_group **groups =
	    ARENA_ARRAY(a, struct start_group *, b->groups.n);
	for (size_t i = 0; i < b->groups.n; i++)
		groups[i] = start_group_copy(a, b->groups.v[i]);
	p->groups = (const struct start_group *const *)groups;
	p->ngroups = b->groups.n;
}

struct prefilter *
prefilter_build(struct arena *a, struct prefilter_builder *b,
    struct hs_pool *pool, struct look_cache *cache)
{
	if (b->slots.n == 0)
		return NULL;
	struct prefilter *p = ARENA_NEW(a, struct prefilter);
	if (b->literals.n > 0) {
		p->db = database_new(a, b, pool);
		if (p->db == NULL)
			return NULL;
	}
	shapes_build(a, b, p, pool, cache);
	literals_copy(a, b, p);
	groups_copy(a, b, p);
	p->nclauses = b->clauses.n;
	p->clauses =
	    copied(a, b->clauses.v, b->clauses.n, sizeof(b->clauses.v[0]));
	p->longest = b->longest;
	p->ncounts = b->ncounts;
	p->nspans = b->nspans;
	slots_copy(a, b, p);
	p->has_shapes = b->shapes.n > 0;
	return p;
}

/* A match of the pattern of `slot` may begin there. */
/* Until another one is met.  There is room for `MET_MAX`: then it is over,
 * and the last one stands for all others. */
static struct seen *
seen_of(struct pass *pass, uint32_t slot)
{
	struct candidates *found = pass->found;
	if (found->numbers[slot] == 0 && found->seen.n == MET_MAX)
		pass->is_over = true;
	else if (found->numbers[slot] == 0) {
		ARENA_PUSH(pass->a, &found->seen) = (struct seen){.slot = slot};
		found->numbers[slot] = (met_number)found->seen.n;
	}
	size_t n = pass->is_over ? found->seen.n : found->numbers[slot];
	return &found->seen.v[n - 1];
}

static void
candidate_add(struct pass *pass, uint32_t slot, uint32_t from, uint32_t until)
{
	struct candidates *found = pass->found;
	struct seen *seen = seen_of(pass, slot);
	uint32_t at = (uint32_t)found->list.n;
	ARENA_PUSH(pass->a, &found->list) = (struct candidate){
	    .string = (uint32_t)pass->string, .from = from, .until = until};
	if (seen->first == 0) {
		seen->first = at;
		ARENA_PUSH(pass->a, &found->left) = slot;
	} else {
		found->list.v[seen->last].next = at;
	}
	seen->last = at;
	pass->is_over = pass->is_over || found->list.n > CANDIDATES_MAX;
}

/* A span begins not before the last one of `list`. */
static void
span_push(
    struct pass *pass, struct span_list *list, uint32_t from, uint32_t until)
{
	struct span *last = &pass->spans.v[list->last];
	bool is_full = pass->spans.n > SPANS_MAX;
	if (list->last != 0 &&
	    (is_full || from <= (uint64_t)last->until + STARTS_GAP)) {
		if (last->until < until)
			last->until = until;
		return;
	}
	uint32_t number = (uint32_t)pass->spans.n;
	ARENA_PUSH(pass->a, &pass->spans) =
	    (struct span){.from = is_full ? 0 : from, .until = until};
	if (list->last == 0)
		list->first = number;
	else
		pass->spans.v[list->last].next = number;
	list->last = number;
}

/* Take the first span of the one that begins first. */
static struct span
span_take(const struct pass *pass, struct span_list *x, struct span_list *y)
{
	const struct span *v = pass->spans.v;
	bool is_x = y->first == 0 ||
		    (x->first != 0 && v[x->first].from <= v[y->first].from);
	struct span_list *list = is_x ? x : y;
	struct span span = v[list->first];
	list->first = span.next;
	return span;
}

/* A match may begin in one of `spans`, of the string that the pass is in. */
static void
slot_add(struct pass *pass, uint32_t slot, struct span_list spans)
{
	struct seen *seen = seen_of(pass, slot);
	if (seen->spans.first == 0) {
		ARENA_PUSH(pass->a, &pass->slots) = slot;
		seen->spans = spans;
		return;
	}
	struct span_list old = seen->spans, both = {0, 0};
	while (old.first != 0 || spans.first != 0) {
		struct span span = span_take(pass, &old, &spans);
		span_push(pass, &both, span.from, span.until);
	}
	seen->spans = both;
}

/* All that has been found in the string. */
static void
pass_leave(struct pass *pass)
{
	for (size_t i = 0; i < pass->whole.n; i++) {
		const struct bits *bits = &pass->met.v[pass->whole.v[i]];
		slot_add(pass, pass->filter->clauses[bits->clause].slot,
		    bits->spans);
	}
	for (size_t i = 0; i < pass->slots.n; i++) {
		uint32_t slot = pass->slots.v[i];
		struct seen *seen = seen_of(pass, slot);
		uint32_t k = seen->spans.first;
		seen->spans = (struct span_list){0, 0};
		for (; k != 0; k = pass->spans.v[k].next)
			candidate_add(pass, slot, pass->spans.v[k].from,
			    pass->spans.v[k].until);
	}
	for (size_t i = 0; i < pass->met.n; i++)
		pass->numbers[pass->met.v[i].clause] = 0;
	pass->met.n = 0;
	pass->whole.n = 0;
	pass->slots.n = 0;
	pass->spans.n = 1;
}

/* Where a string is not plain, as runs of bytes from..to. */
struct odd_runs {
	struct odd_run {
		size_t from, to;
	} v[ODD_RUNS_MAX];
	size_t n;
	bool is_over; /* there are more */
};

/* Part of what is not plain, which begins at `at` or before. */
static bool
is_odd_at(struct str s, size_t at)
{
	char c = s.p[at];
	return (c & 0x80) != 0 ||
	       (c == '&' && at + 1 < s.len && s.p[at + 1] == '#') ||
	       (c == '#' && at > 0 && s.p[at - 1] == '&');
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Behind words with no byte at which what is not plain begins. */
static size_t
odd_skip(struct str s, size_t at)
{
	for (uint64_t word; at + sizeof(word) <= s.len; at += sizeof(word)) {
		memcpy(&word, s.p + at, sizeof(word));
		/* a byte of 0 borrows: it was a & */
		uint64_t marks = word ^ EACH_BYTE * '&';
		if (((word | (marks - EACH_BYTE)) & EACH_BYTE * 0x80) != 0)
			break;
	}
	return at;
}

/* Where what is not plain begins, `at` or later; s.len: nowhere. */
static size_t
odd_next(struct str s, size_t at)
{
	for (; at < s.len; at++) {
		if (at % sizeof(uint64_t) == 0)
			at = odd_skip(s, at);
		if (at == s.len || is_odd_at(s, at))
			break;
	}
	return at;
}

static void
odd_runs_find(struct str s, struct odd_runs *ret)
{
	ret->n = 0;
	ret->is_over = false;
	for (size_t i = odd_next(s, 0); i < s.len && !ret->is_over;
	     i = odd_next(s, i)) {
		size_t from = i;
		while (i < s.len && is_odd_at(s, i))
			i++;
		ret->is_over = ret->n == ODD_RUNS_MAX;
		if (!ret->is_over)
			ret->v[ret->n++] = (struct odd_run){from, i};
	}
}

/* Where matches may begin that have a part of what is not plain. */
static struct span_list
odd_spans(struct pass *pass, const struct slot *slot, struct str s,
    const struct odd_runs *odd)
{
	struct span_list spans = {0, 0};
	if (slot->pairs == NULL || odd->is_over) {
		span_push(pass, &spans, 0, (uint32_t)s.len);
		return spans;
	}
	for (size_t i = 0; i < odd->n; i++) {
		size_t from = odd->v[i].from, to = odd->v[i].to;
		size_t longest = slot->pairs->longest;
		if (pairs_fit(slot->pairs, s, from, to))
			span_push(pass, &spans,
			    (uint32_t)(from < longest ? 0 : from - longest + 1),
			    (uint32_t)(to - 1));
	}
	return spans;
}

static void
on_start(void *arg, uint32_t slot, size_t first, size_t last)
{
	struct pass *pass = arg;
	struct span_list *spans = &seen_of(pass, slot)->spans;
	if (spans->first == 0)
		ARENA_PUSH(pass->a, &pass->slots) = slot;
	span_push(pass, spans, (uint32_t)first, (uint32_t)last);
}

/*
 * What can be told of a string without its literals.  What is known of matches
 * in plain text does not rule out a match that is not plain.
 */
static void
string_enter(struct pass *pass, struct str s)
{
	const struct prefilter *p = pass->filter;
	struct odd_runs odd;
	for (size_t i = 0; i < p->ngroups; i++)
		start_group_search(p->groups[i], s, on_start, pass);
	if (p->nplain == 0 || factor_is_plain(s))
		return;
	odd_runs_find(s, &odd);
	for (size_t i = 0; i < p->nplain; i++) {
		struct span_list spans =
		    odd_spans(pass, &p->slots[p->plain[i]], s, &odd);
		if (spans.first != 0)
			slot_add(pass, p->plain[i], spans);
	}
}

/* The pass comes to string number `to`. */
static void
pass_enter(struct pass *pass, size_t to)
{
	if (pass->string != to)
		pass_leave(pass);
	for (; pass->entered <= to; pass->entered++) {
		pass->string = pass->entered;
		string_enter(pass, pass->strings->v[pass->entered]);
		if (pass->entered != to)
			pass_leave(pass);
	}
	pass->string = to;
}

/*
 * Where a match may begin that has `use` first, by a literal of `len` bytes
 * that ends before byte `end` of the string.  False: nowhere.
 */
static bool
use_span(const struct use *use, uint32_t len, size_t end, struct span *ret)
{
	if (end < (size_t)use->least + len)
		return false;
	*ret = (struct span){
	    .from = (uint32_t)(use->most < end ? end - use->most : 0),
	    .until = (uint32_t)(end - len - use->least),
	};
	return true;
}

/*
 * A factor that must be there `times` is there once more.  The first of so many
 * is not one of the last, so that its span is told when they have come; which
 * of two literals with one end it is, is open.  True: often enough.
 */
static bool
count_up(struct pass *pass, const struct use *use, size_t at,
    const struct span *span, struct bits *bits)
{
	const struct clause *clause = &pass->filter->clauses[use->clause];
	struct count *count = &pass->counts[clause->counts[use->number]];
	struct span *spans = &pass->counted[clause->spans[use->number]];
	unsigned times = use->times;
	uint32_t string = (uint32_t)pass->string + 1;
	if (count->string != string)
		*count = (struct count){.string = string, .last = SIZE_MAX};
	if (count->last == at) {
		struct span *last = &spans[(count->n - 1) % times];
		if (last->until < span->until)
			last->until = span->until;
		return count->n >= times;
	}
	count->last = at;
	spans[count->n++ % times] = *span;
	if (count->n >= times && use->is_near) {
		const struct span *first = &spans[count->n % times];
		span_push(pass, &bits->spans, first->from, first->until);
	}
	return count->n >= times;
}

/* NULL: there is no room for it, so that the pass is over. */
static struct bits *
bits_of(struct pass *pass, uint32_t clause)
{
	if (pass->numbers[clause] != 0)
		return &pass->met.v[pass->numbers[clause] - 1];
	if (pass->met.n == MET_MAX) {
		pass->is_over = true;
		return NULL;
	}
	ARENA_PUSH(pass->a, &pass->met) = (struct bits){.clause = clause};
	pass->numbers[clause] = (met_number)pass->met.n;
	return &pass->met.v[pass->met.n - 1];
}

/* A literal of `len` bytes ends before byte `end` of the string. */
static void
use_found(struct pass *pass, const struct use *use, uint32_t len, size_t end)
{
	struct bits *bits = bits_of(pass, use->clause);
	bool is_counted = use->times > 1;
	struct span span;
	if (bits == NULL)
		return;
	bool is_done = bits->bits == use->needs;
	if ((is_done && !use->is_near) || !use_span(use, len, end, &span))
		return;
	if (!is_counted && use->is_near)
		span_push(pass, &bits->spans, span.from, span.until);
	if (is_counted && !count_up(pass, use, end, &span, bits))
		return;
	if (is_done)
		return;
	bits->bits |= (uint8_t)(1U << use->number);
	if (bits->bits == use->needs)
		ARENA_PUSH(pass->a, &pass->whole) =
		    (uint32_t)(bits - pass->met.v);
}

/* A literal ends before byte `to` of the window. */
static bool
on_literal(void *arg, uint32_t id, size_t to)
{
	struct pass *pass = arg;
	const struct found_literal *literal = &pass->filter->literals[id];
	if (to <= pass->overlap)
		return false; /* the window before had it */
	size_t number = pass->string;
	while (pass->ends[number] < pass->base + to)
		number++;
	pass_enter(pass, number);
	size_t start = number == 0 ? 0 : pass->ends[number - 1];
	if (pass->base + to < start + literal->len)
		return false; /* it is in two strings */
	size_t end = pass->base + to - start;
	use_found(pass, &literal->first, literal->len, end);
	for (uint32_t i = literal->more; i < literal[1].more; i++)
		use_found(pass, &pass->filter->uses[i], literal->len, end);
	return pass->is_over;
}

/* Windows overlap by what the longest literal may need. */
static bool
text_search(
    struct pass *pass, struct str text, bool (*is_expired)(void *), void *arg)
{
	for (;;) {
		struct str window = str_sub(text, pass->base, HS_DB_BYTES);
		if (hs_db_search(pass->filter->db, window, on_literal, pass) !=
		    HS_DB_DONE)
			return false;
		if (pass->base + window.len == text.len)
			return true;
		if (is_expired != NULL && is_expired(arg))
			return false;
		pass->overlap = pass->filter->longest;
		pass->base += window.len - pass->overlap;
	}
}

static bool
on_shape(void *arg, uint32_t id, size_t to)
{
	(void)to;
	struct pass *pass = arg;
	candidate_add(pass, pass->shapes->slots[id], 0, UINT32_MAX);
	return pass->is_over;
}

/* A string that is empty or long is left for all slots. */
static bool
shapes_try(struct pass *pass, struct str s)
{
	const struct prefilter *p = pass->filter;
	bool is_odd = s.len == 0 || s.len > HS_DB_BYTES;
	for (uint32_t i = 0; i < p->nslots; i++)
		if (is_odd || p->slots[i].is_any)
			candidate_add(pass, i, 0, UINT32_MAX);
	for (size_t i = 0; i < p->nshapes && !is_odd; i++) {
		pass->shapes = &p->shapes[i];
		if (hs_db_search(p->shapes[i].db, s, on_shape, pass) !=
		    HS_DB_DONE)
			return false;
	}
	return true;
}

static bool
shapes_search(struct pass *pass, const struct strs *strings,
    bool (*is_expired)(void *), void *arg)
{
	for (size_t i = 0; i < strings->n; i++) {
		pass->string = i;
		if (i % 64 == 63 && is_expired != NULL && is_expired(arg))
			return false;
		if (!shapes_try(pass, strings->v[i]))
			return false;
	}
	return !pass->is_over;
}

/* All strings in one; `ends` has where each of them ends. */
static struct str
text_join(struct arena *a, const struct strs *strings, size_t *ends)
{
	size_t len = 0;
	for (size_t i = 0; i < strings->n; i++)
		ends[i] = len += strings->v[i].len;
	if (strings->n == 1)
		return strings->v[0];
	char *p = arena_alloc(a, len);
	for (size_t i = 0; i < strings->n; i++)
		memcpy(p + ends[i] - strings->v[i].len, strings->v[i].p,
		    strings->v[i].len);
	return str_of(p, len);
}

struct candidates *
prefilter_pass(const struct prefilter *p, struct arena *a,
    const struct strs *strings, bool (*is_expired)(void *), void *arg)
{
	struct candidates *found = ARENA_NEW(a, struct candidates);
	found->numbers = ARENA_ARRAY(a, met_number, p->nslots);
	ARENA_PUSH(a, &found->list) = (struct candidate){0};
	if (strings->n == 0)
		return found;
	struct pass pass = {
	    .filter = p, .a = a, .found = found, .strings = strings};
	if (p->has_shapes)
		return shapes_search(&pass, strings, is_expired, arg) ? found
								      : NULL;
	size_t *ends = ARENA_ARRAY(a, size_t, strings->n);
	struct str text = text_join(a, strings, ends);
	pass.numbers = ARENA_ARRAY(a, met_number, p->nclauses);
	pass.counts = ARENA_ARRAY(a, struct count, p->ncounts);
	pass.counted =
	    arena_alloc(a, arena_array_size(p->nspans, sizeof(*pass.counted)));
	pass.ends = ends;
	ARENA_PUSH(a, &pass.spans) = (struct span){0, 0, 0};
	if (p->db != NULL && !text_search(&pass, text, is_expired, arg))
		return NULL;
	pass_enter(&pass, strings->n - 1);
	pass_leave(&pass);
	return pass.is_over ? NULL : found;
}

size_t
prefilter_slots(const struct prefilter *p)
{
	return p->nslots;
}

const uint32_t *
candidates_slots(const struct candidates *c, size_t *ret_n)
{
	*ret_n = c->left.n;
	return c->left.v;
}

struct candidate_cursor
candidates_begin(const struct candidates *c, uint32_t slot)
{
	met_number n = c->numbers[slot];
	return (struct candidate_cursor){n == 0 ? 0 : c->seen.v[n - 1].first};
}

bool
candidates_next(const struct candidates *c, struct candidate_cursor *cursor,
    struct candidate_place *ret)
{
	if (cursor->next == 0)
		return false;
	const struct candidate *candidate = &c->list.v[cursor->next];
	*ret = (struct candidate_place){
	    candidate->string, candidate->from, candidate->until};
	cursor->next = candidate->next;
	return true;
}
