/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heads -- sequences of sets of bytes, HEAD_BYTES at most.  They are kept few:
 * what is one too many is thrown together with the one that is most like it.
 * Places are found as Hyperscan's Teddy does it: a bit a head, a table a byte.
 */
#include "rules/heads.h"

#include <float.h>

#include "base/arena.h"
#include "rules/literal_set.h"
#include "rules/sample.h"

#define HEAD_BYTES 4
#define HEADS_MAX 64 /* bits of a table */
/* Places so few bytes apart are tried in one go. */
#define PLACES_GAP 3

#define SET_WORDS 4
struct set {
	uint64_t words[SET_WORDS]; /* a bit a byte */
};

struct head {
	struct set at[HEAD_BYTES];
	unsigned n;    /* of them are known */
	bool is_whole; /* that is all there is: the next piece goes on */
};

struct heads {
	struct head *v;
	size_t n, cap; /* HEADS_MAX at most */
};

/* Behind the last byte of a text. */
#define END_SYMBOL 256
#define SYMBOLS 257
#define BYTES 256

/* By place and symbol: the heads that may have it there, a bit each. */
struct table_of_heads {
	uint64_t at[HEAD_BYTES][SYMBOLS];
};

/* So many heads at most can be told by 8 bits: nearly always. */
#define SLIM_HEADS 8

/* By symbol: the heads that may have it, in byte k those with it at place k. */
struct slim_table {
	uint32_t at[SYMBOLS];
};
_Static_assert(sizeof(uint32_t) == HEAD_BYTES, "a byte for each place");

/* Among those of other patterns, heads are thrown together to so many. */
#define GROUP_HEADS 4

/* The numbers of the first two are matches. */
enum byte_kind {
	BYTE_NO_START,
	BYTE_SINGLE, /* see starts_set_single() */
	BYTE_START,
};

struct starts {
	const struct table_of_heads *table; /* NULL: `slim` has all heads */
	const uint8_t *kinds; /* by byte: see enum byte_kind; or NULL */
	struct lead lead;
	bool is_at_lines; /* no match begins elsewhere; the lead is fixed */
	unsigned nfew;
	struct head *few; /* GROUP_HEADS at most */
	struct slim_table slim;
};

struct start_group {
	struct table_of_heads table;
	/* By head: */
	uint32_t numbers[HEADS_MAX];
	struct lead leads[HEADS_MAX];
	unsigned n;
};

/* ---- sets */

static bool
set_has(const struct set *set, unsigned byte)
{
	return (set->words[byte / 64] >> byte % 64 & 1) != 0;
}

static struct set
set_join(struct set x, struct set y)
{
	for (size_t i = 0; i < SET_WORDS; i++)
		x.words[i] |= y.words[i];
	return x;
}

static bool
set_is_equal(const struct set *x, const struct set *y)
{
	return memcmp(x->words, y->words, sizeof(x->words)) == 0;
}

static int
set_size(struct set set)
{
	int n = 0;
	for (size_t i = 0; i < SET_WORDS; i++)
		n += __builtin_popcountll(set.words[i]);
	return n;
}

static bool
set_has_ascii(const struct set *set)
{
	return (set->words[0] | set->words[1]) != 0;
}

/* ---- heads */

/* All that either has, and more. */
static struct head
head_join(const struct head *x, const struct head *y)
{
	struct head both = {
	    .n = x->n < y->n ? x->n : y->n,
	    .is_whole = x->is_whole && y->is_whole && x->n == y->n,
	};
	for (unsigned i = 0; i < both.n; i++)
		both.at[i] = set_join(x->at[i], y->at[i]);
	return both;
}

/* How much of all there may be has it. */
static double
head_share(const struct head *head)
{
	double share = 1;
	for (unsigned i = 0; i < head->n; i++)
		share *= set_size(head->at[i]) / 256.0;
	return share;
}

/* They differ at one place at most, so that they are one. */
static bool
head_is_like(const struct head *x, const struct head *y)
{
	unsigned differences = 0;
	if (x->n != y->n || x->is_whole != y->is_whole)
		return false;
	for (unsigned i = 0; i < x->n && differences < 2; i++)
		differences += !set_is_equal(&x->at[i], &y->at[i]);
	return differences < 2;
}

/* Text that is not plain is rare: little is known of how it goes on. */
static bool
head_is_rare(const struct head *head)
{
	return head->n > 0 && !set_has_ascii(&head->at[0]);
}

static bool
head_is_anything(const struct head *head)
{
	return head->n == 0 && !head->is_whole;
}

static bool
head_is_open(const struct head *head)
{
	return head->is_whole && head->n < HEAD_BYTES;
}

/* Thrown together they would lose what comes behind the shorter one. */
static bool
head_is_apart(const struct head *x, const struct head *y)
{
	return (head_is_open(x) || head_is_open(y)) &&
	       (x->n != y->n || x->is_whole != y->is_whole);
}

/*
 * The one, but for number `self`, that grows least if `head` is thrown together
 * with it.  SIZE_MAX: all of them would lose more than that.
 */
static size_t
heads_nearest(const struct heads *heads, const struct head *head, size_t self)
{
	size_t nearest = SIZE_MAX;
	double least = 2;
	for (size_t i = 0; i < heads->n; i++) {
		if (i == self || head_is_apart(&heads->v[i], head))
			continue;
		struct head both = head_join(&heads->v[i], head);
		double growth = head_share(&both) - head_share(&heads->v[i]);
		if (growth >= least)
			continue;
		least = growth;
		nearest = i;
	}
	return nearest;
}

/* Throw two of them together, for one that is like none of them. */
static void
heads_make_room(struct heads *heads)
{
	size_t i = heads->n, nearest = SIZE_MAX;
	while (i > 0 && nearest == SIZE_MAX) {
		i--;
		nearest = heads_nearest(heads, &heads->v[i], i);
	}
	if (nearest == SIZE_MAX)
		nearest = 1;
	heads->v[nearest] = head_join(&heads->v[nearest], &heads->v[i]);
	heads->v[i] = heads->v[--heads->n];
}

/* The one that `head` is part of, or becomes so; SIZE_MAX: none. */
static size_t
heads_place(const struct heads *heads, const struct head *head)
{
	for (size_t i = 0; i < heads->n; i++)
		if (head_is_like(&heads->v[i], head) ||
		    (head_is_rare(head) && head_is_rare(&heads->v[i]) &&
			heads->v[i].n == head->n &&
			heads->v[i].is_whole == head->is_whole))
			return i;
	return heads->n < HEADS_MAX ? SIZE_MAX
				    : heads_nearest(heads, head, SIZE_MAX);
}

static void
heads_add(struct arena *a, struct heads *heads, const struct head *head)
{
	if (heads->n > 0 && head_is_anything(&heads->v[0]))
		return;
	if (head_is_anything(head))
		heads->n = 0;
	size_t i = heads_place(heads, head);
	if (i != SIZE_MAX) {
		heads->v[i] = head_join(&heads->v[i], head);
		return;
	}
	if (heads->n == HEADS_MAX)
		heads_make_room(heads);
	ARENA_PUSH(a, heads) = *head;
}

static struct heads *
heads_of(struct arena *a, const struct head *head)
{
	struct heads *heads = ARENA_NEW(a, struct heads);
	heads->v = ARENA_NEW(a, struct head);
	heads->v[0] = *head;
	heads->n = heads->cap = 1;
	return heads;
}

const struct heads *
heads_nothing(struct arena *a)
{
	return heads_of(a, &(struct head){.is_whole = true});
}

const struct heads *
heads_anything(struct arena *a)
{
	return heads_of(a, &(struct head){.is_whole = false});
}

const struct heads *
heads_byte(struct arena *a, const struct byte_set *bytes)
{
	struct head head = {.n = 1, .is_whole = true};
	for (unsigned i = 0; i < 256; i++)
		if (bytes->has[i])
			head.at[0].words[i / 64] |= UINT64_C(1) << i % 64;
	return heads_of(a, &head);
}

const struct heads *
heads_join(struct arena *a, const struct heads *x, const struct heads *y)
{
	struct heads *heads = ARENA_NEW(a, struct heads);
	for (size_t i = 0; i < x->n; i++)
		ARENA_PUSH(a, heads) = x->v[i];
	for (size_t i = 0; i < y->n; i++)
		heads_add(a, heads, &y->v[i]);
	return heads;
}

bool
heads_are_open(const struct heads *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (head_is_open(&x->v[i]))
			return true;
	return false;
}

bool
heads_single(const struct heads *x, struct byte_set *ret)
{
	bool is_any = false;
	for (unsigned c = 0; c < 256; c++) {
		bool is_there = false, is_longer = false;
		for (size_t i = 0; i < x->n; i++) {
			const struct head *head = &x->v[i];
			bool is_one = head->n == 1 && head->is_whole;
			bool has_it = head->n == 0 || set_has(&head->at[0], c);
			is_there = is_there || (has_it && is_one);
			is_longer = is_longer || (has_it && !is_one);
		}
		ret->has[c] = is_there && !is_longer;
		is_any = is_any || ret->has[c];
	}
	return is_any;
}

static struct head
head_chain(const struct head *x, const struct head *y)
{
	struct head both = *x;
	unsigned i = 0;
	for (; both.n < HEAD_BYTES && i < y->n; i++)
		both.at[both.n++] = y->at[i];
	both.is_whole = y->is_whole && i == y->n && both.n < HEAD_BYTES;
	return both;
}

const struct heads *
heads_chain(struct arena *a, const struct heads *x, const struct heads *y)
{
	struct heads *heads = ARENA_NEW(a, struct heads);
	for (size_t i = 0; i < x->n; i++) {
		if (!head_is_open(&x->v[i]))
			heads_add(a, heads, &x->v[i]);
		for (size_t k = 0; head_is_open(&x->v[i]) && k < y->n; k++) {
			struct head both = head_chain(&x->v[i], &y->v[k]);
			heads_add(a, heads, &both);
		}
	}
	return heads;
}

/* More than HEAD_BYTES copies cannot be seen, or are empty. */
const struct heads *
heads_repeat(
    struct arena *a, const struct heads *x, uint32_t least, uint32_t most)
{
	if (least == 1 && most == 1)
		return x;
	const struct heads *heads = heads_nothing(a);
	for (uint32_t i = 0; i < most && i < HEAD_BYTES; i++) {
		const struct heads *more = heads_chain(a, heads, x);
		heads = i < least ? more : heads_join(a, heads, more);
	}
	return heads;
}

/* ---- places */

/* The heads that a text may have at `p`, with HEAD_BYTES there. */
static inline uint64_t
heads_inside(const struct table_of_heads *table, const unsigned char *p)
{
	return table->at[0][p[0]] & table->at[1][p[1]] & table->at[2][p[2]] &
	       table->at[3][p[3]];
}

/* The same where the text may end. */
static uint64_t
heads_at(const struct table_of_heads *table, struct str text, size_t at)
{
	uint64_t heads = UINT64_MAX;
	for (size_t i = 0; i < HEAD_BYTES; i++)
		heads &= table->at[i][at + i < text.len
					  ? (unsigned char)text.p[at + i]
					  : END_SYMBOL];
	return heads;
}

static uint64_t
starts_heads_at(const struct starts *starts, struct str text, size_t at)
{
	uint32_t heads = UINT32_MAX;
	if (starts->table != NULL)
		return heads_at(starts->table, text, at);
	for (size_t i = 0; i < HEAD_BYTES; i++)
		heads &=
		    starts->slim
			.at[at + i < text.len ? (unsigned char)text.p[at + i]
					      : END_SYMBOL] >>
		    8 * i;
	return heads & 0xff;
}

/* Whether a match may begin with byte `c`, but for its lead. */
static bool
starts_first_may_be(const struct starts *starts, unsigned char c)
{
	return starts->table != NULL ? starts->table->at[0][c] != 0
				     : (starts->slim.at[c] & 0xff) != 0;
}

/* The start of a line, `from` or later; behind the text: there is none. */
static size_t
line_next(struct str text, size_t from)
{
	if (from == 0 || from > text.len || text.p[from - 1] == '\n')
		return from;
	size_t end = str_chr(str_skip(text, from), '\n');
	return end == STR_NONE ? text.len + 1 : from + end + 1;
}

/* As place_next(), behind the starts of lines. */
static size_t
line_place_next(
    const struct starts *starts, struct str text, size_t from, size_t until)
{
	size_t lead = starts->lead.least;
	for (size_t i = line_next(text, from - lead);
	     i <= text.len && i + lead <= until; i = line_next(text, i + 1))
		if (starts_heads_at(starts, text, i + lead) != 0)
			return i + lead;
	return SIZE_MAX;
}

static size_t
wide_next(const struct table_of_heads *table, struct str text, size_t from,
    size_t until)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t i = from;
	for (; i <= until && i + HEAD_BYTES <= text.len; i++)
		if (heads_inside(table, p + i) != 0)
			return i;
	for (; i <= until && i <= text.len; i++)
		if (heads_at(table, text, i) != 0)
			return i;
	return SIZE_MAX;
}

/* Byte k of `seen` has the heads of which the last k + 1 symbols are a part. */
static size_t
slim_next(
    const struct slim_table *table, struct str text, size_t from, size_t until)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t end = (until < text.len ? until : text.len) + HEAD_BYTES;
	size_t inside = end < text.len ? end : text.len;
	uint32_t seen = 0;
	size_t i = from;
	for (; i < inside; i++) {
		seen = (seen << 8 | 0xff) & table->at[p[i]];
		if (seen >> 8 * (HEAD_BYTES - 1) != 0)
			return i - (HEAD_BYTES - 1);
	}
	for (; i < end; i++) {
		seen = (seen << 8 | 0xff) & table->at[END_SYMBOL];
		if (seen >> 8 * (HEAD_BYTES - 1) != 0)
			return i - (HEAD_BYTES - 1);
	}
	return SIZE_MAX;
}

/*
 * Where heads are, `from` (the lead or more) or later and not behind `until`;
 * SIZE_MAX: nowhere.
 */
static size_t
place_next(
    const struct starts *starts, struct str text, size_t from, size_t until)
{
	if (starts->is_at_lines)
		return line_place_next(starts, text, from, until);
	return starts->table != NULL
		   ? wide_next(starts->table, text, from, until)
		   : slim_next(&starts->slim, text, from, until);
}

/* Where matches may begin that have their heads at byte `at`. */
static struct places
lead_places(struct lead lead, size_t at)
{
	return (struct places){
	    at > lead.most ? at - lead.most : 0, at - lead.least};
}

bool
starts_are_match(const struct starts *starts, struct str text, size_t at)
{
	return starts != NULL && starts->kinds != NULL && at < text.len &&
	       starts->kinds[(unsigned char)text.p[at]] == BYTE_SINGLE;
}

size_t
starts_count(const struct starts *starts, struct str text, size_t *from,
    size_t until, size_t most)
{
	size_t n = 0, i = *from;
	size_t end = until < text.len ? until + 1 : text.len;
	if (starts == NULL || starts->kinds == NULL)
		return 0;
	for (; i < end && n < most; i++) {
		uint8_t kind = starts->kinds[(unsigned char)text.p[i]];
		if (kind == BYTE_START)
			break;
		n += kind;
	}
	*from = i;
	return n;
}

bool
starts_next(const struct starts *starts, struct str text, size_t from,
    size_t until, struct places *ret)
{
	*ret = (struct places){from, until};
	if (starts == NULL || from > until)
		return from <= until;
	const struct lead lead = starts->lead;
	size_t at =
	    place_next(starts, text, from + lead.least, until + lead.most);
	if (at == SIZE_MAX)
		return false;
	if (starts_are_match(starts, text, at)) {
		*ret = (struct places){at, at};
		return true;
	}
	struct places places = lead_places(lead, at);
	if (ret->first < places.first)
		ret->first = places.first;
	while (at != SIZE_MAX && places.last < until) {
		places.last = at - lead.least;
		at = place_next(
		    starts, text, at + 1, places.last + lead.most + PLACES_GAP);
	}
	if (ret->last > places.last)
		ret->last = places.last;
	return true;
}

static bool
head_may_have(const struct head *head, unsigned place, unsigned symbol)
{
	return place >= head->n ||
	       (symbol != END_SYMBOL && set_has(&head->at[place], symbol));
}

static void
table_add(
    struct table_of_heads *table, const struct head *head, unsigned number)
{
	for (unsigned i = 0; i < HEAD_BYTES; i++)
		for (unsigned symbol = 0; symbol < SYMBOLS; symbol++)
			if (head_may_have(head, i, symbol))
				table->at[i][symbol] |= UINT64_C(1) << number;
}

static void
slim_add(struct slim_table *table, const struct head *head, unsigned number)
{
	for (unsigned i = 0; i < HEAD_BYTES; i++)
		for (unsigned symbol = 0; symbol < SYMBOLS; symbol++)
			if (head_may_have(head, i, symbol))
				table->at[symbol] |= UINT32_C(1)
						     << (8 * i + number);
}

/* The few heads of `starts` into a table, from number `first` on. */
static void
table_add_few(
    struct table_of_heads *table, const struct starts *starts, unsigned first)
{
	for (unsigned i = 0; i < starts->nfew; i++)
		table_add(table, &starts->few[i], first + i);
}

double
starts_share(const struct starts *starts, bool is_grouped)
{
	size_t bytes = 0, left = 0;
	struct starts grouped = {
	    .lead = starts->lead, .is_at_lines = starts->is_at_lines};
	if (is_grouped) {
		for (unsigned i = 0; i < starts->nfew; i++)
			slim_add(&grouped.slim, &starts->few[i], i);
		starts = &grouped;
	}
	for (size_t i = 0; SAMPLE_TEXTS[i] != NULL; i++) {
		struct str text = str_from(SAMPLE_TEXTS[i]);
		struct places places = {0, 0};
		bytes += text.len;
		for (size_t from = 0; starts_next(
			 starts, text, from, text.len - HEAD_BYTES, &places);
		     from = places.last + 1)
			if (!starts_are_match(starts, text, places.first))
				left += places.last - places.first + 1;
	}
	return (double)left / (double)bytes;
}

double
starts_first_share(const struct starts *starts)
{
	size_t bytes = 0, first = 0;
	for (size_t i = 0; SAMPLE_TEXTS[i] != NULL; i++) {
		struct str text = str_from(SAMPLE_TEXTS[i]);
		bytes += text.len;
		for (size_t k = 0; k < text.len; k++)
			first += starts_first_may_be(
			    starts, (unsigned char)text.p[k]);
	}
	return (double)first / (double)bytes;
}

/* Both of them in place of either lets in so much more. */
static double
head_growth(const struct head *x, const struct head *y)
{
	struct head both = head_join(x, y);
	return head_share(&both) - head_share(x) - head_share(y);
}

/* One head more than GROUP_HEADS: the two that are most alike become one. */
static void
starts_squeeze(struct starts *starts, const struct head *more)
{
	struct head all[GROUP_HEADS + 1];
	unsigned x = 0, y = 1;
	double least = DBL_MAX;
	memcpy(all, starts->few, GROUP_HEADS * sizeof(all[0]));
	all[GROUP_HEADS] = *more;
	for (unsigned i = 0; i < GROUP_HEADS; i++) {
		for (unsigned k = i + 1; k <= GROUP_HEADS; k++) {
			double growth = head_growth(&all[i], &all[k]);
			if (growth >= least)
				continue;
			least = growth;
			x = i;
			y = k;
		}
	}
	all[x] = head_join(&all[x], &all[y]);
	all[y] = all[GROUP_HEADS];
	memcpy(starts->few, all, GROUP_HEADS * sizeof(all[0]));
}

struct starts *
starts_new(struct arena *a, const struct heads *heads, struct lead lead)
{
	struct starts *starts = ARENA_NEW(a, struct starts);
	struct table_of_heads *table =
	    heads->n <= SLIM_HEADS ? NULL : ARENA_NEW(a, struct table_of_heads);
	starts->lead = lead;
	starts->table = table;
	starts->few = ARENA_ARRAY(a, struct head, GROUP_HEADS);
	for (unsigned i = 0; i < heads->n; i++) {
		if (table != NULL)
			table_add(table, &heads->v[i], i);
		else
			slim_add(&starts->slim, &heads->v[i], i);
		if (starts->nfew < GROUP_HEADS)
			starts->few[starts->nfew++] = heads->v[i];
		else
			starts_squeeze(starts, &heads->v[i]);
	}
	return starts;
}

bool
starts_at_lines(struct starts *starts)
{
	starts->is_at_lines = starts->lead.least == starts->lead.most;
	return starts->is_at_lines;
}

void
starts_set_single(
    struct arena *a, struct starts *starts, const struct byte_set *single)
{
	uint8_t *kinds = ARENA_ARRAY(a, uint8_t, BYTES);
	for (unsigned c = 0; c < BYTES; c++)
		kinds[c] = single->has[c] ? BYTE_SINGLE
			   : starts_first_may_be(starts, (unsigned char)c)
			       ? BYTE_START
			       : BYTE_NO_START;
	starts->kinds = kinds;
}

static const void *
copy_of(struct arena *a, const void *p, size_t size)
{
	return p == NULL ? NULL : memcpy(arena_alloc(a, size), p, size);
}

struct starts *
starts_copy(struct arena *a, const struct starts *starts)
{
	struct starts *copy = ARENA_NEW(a, struct starts);
	*copy = *starts;
	copy->table = copy_of(a, starts->table, sizeof(*starts->table));
	copy->kinds = copy_of(a, starts->kinds, BYTES);
	copy->few = ARENA_ARRAY(a, struct head, GROUP_HEADS);
	memcpy(copy->few, starts->few, GROUP_HEADS * sizeof(copy->few[0]));
	return copy;
}

/* ---- groups */

struct start_group *
start_group_new(struct arena *a)
{
	return ARENA_NEW(a, struct start_group);
}

struct start_group *
start_group_copy(struct arena *a, const struct start_group *group)
{
	struct start_group *copy = start_group_new(a);
	*copy = *group;
	return copy;
}

bool
start_group_add(
    struct start_group *group, const struct starts *starts, uint32_t number)
{
	if (group->n + GROUP_HEADS > HEADS_MAX)
		return false;
	table_add_few(&group->table, starts, group->n);
	for (unsigned i = 0; i < starts->nfew; i++) {
		group->leads[group->n] = starts->lead;
		group->numbers[group->n++] = number;
	}
	return true;
}

void
start_group_search(const struct start_group *group, struct str text,
    void (*on_start)(void *arg, uint32_t number, size_t first, size_t last),
    void *arg)
{
	const unsigned char *p = (const unsigned char *)text.p;
	for (size_t at = 0; at <= text.len; at++) {
		uint64_t heads = at + HEAD_BYTES <= text.len
				     ? heads_inside(&group->table, p + at)
				     : heads_at(&group->table, text, at);
		for (; heads != 0; heads &= heads - 1) {
			unsigned i = (unsigned)__builtin_ctzll(heads);
			struct lead lead = group->leads[i];
			if (at < lead.least)
				continue;
			struct places places = lead_places(lead, at);
			on_start(
			    arg, group->numbers[i], places.first, places.last);
		}
	}
}
