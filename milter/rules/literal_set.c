/* SPDX-License-Identifier: BSD-2-Clause */
/* literal_set -- sets of byte strings. */
#include "rules/literal_set.h"

#include "base/arena.h"
#include "rules/regex.h"

/* What is kept of a class, of a product, and of one string. */
#define CLASS_MAX 16
#define PRODUCT_MAX 128
#define LENGTH_MAX 32
/* Up to here strings that contain another one are looked for. */
#define REDUCE_MAX 64
/* One more literal, as so many more hits a byte. */
#define LITERAL_COST 2e-8
/* Of what is_common() knows. */
#define COMMON_WEIGHT 2e-3

struct literal_set
literal_set_empty(struct arena *a)
{
	struct literal_set set = {0};
	strs_add(a, &set.all, STR_EMPTY);
	return set;
}

bool
literal_set_has_empty(const struct literal_set *set)
{
	for (size_t i = 0; i < set->all.n; i++)
		if (set->all.v[i].len == 0)
			return true;
	return false;
}

void
byte_set_both_cases(struct byte_set *set)
{
	struct byte_set old = *set;
	for (unsigned c = 0; c < 256; c++)
		if (old.has[c])
			set->has[regex_other_case((unsigned char)c)] = true;
}

bool
literal_set_bytes(struct arena *a, const struct byte_set *bytes,
    bool is_caseless, struct literal_set *ret)
{
	struct byte_set both = *bytes;
	struct literal_set set = {0};
	if (is_caseless)
		byte_set_both_cases(&both);
	for (unsigned i = 0; i < 256; i++) {
		char c = (char)i;
		if (!both.has[i])
			continue;
		if (is_caseless && char_is_alpha(c))
			set.is_folded = true;
		if (is_caseless && char_lower(c) != c)
			continue;
		if (set.all.n == CLASS_MAX)
			return false;
		strs_add(a, &set.all, str_dup(a, str_of(&c, 1)));
	}
	*ret = set;
	return true;
}

void
literal_set_drop(struct literal_set *set, struct str part)
{
	size_t n = 0;
	for (size_t i = 0; i < set->all.n; i++)
		if (str_find(set->all.v[i], part) == STR_NONE)
			set->all.v[n++] = set->all.v[i];
	set->all.n = n;
}

static void
fold(struct arena *a, struct literal_set *set)
{
	if (set->is_folded)
		return;
	struct strs old = set->all;
	set->all = (struct strs){0};
	for (size_t i = 0; i < old.n; i++)
		strs_add(a, &set->all, str_lower(a, old.v[i]));
	set->is_folded = true;
}

static struct str
joined(struct arena *a, struct str x, struct str y)
{
	char *p = arena_alloc(a, x.len + y.len);
	memcpy(p, x.p, x.len);
	memcpy(p + x.len, y.p, y.len);
	return str_of(p, x.len + y.len);
}

bool
literal_set_product(struct arena *a, const struct literal_set *x,
    const struct literal_set *y, struct literal_set *ret)
{
	struct literal_set one = *x, two = *y, set = {0};
	if (one.all.n * two.all.n > PRODUCT_MAX)
		return false;
	set.is_folded = one.is_folded || two.is_folded;
	if (set.is_folded) {
		fold(a, &one);
		fold(a, &two);
	}
	for (size_t i = 0; i < one.all.n; i++) {
		for (size_t k = 0; k < two.all.n; k++) {
			struct str s = joined(a, one.all.v[i], two.all.v[k]);
			if (s.len > LENGTH_MAX)
				return false;
			strs_add(a, &set.all, s);
		}
	}
	*ret = set;
	return true;
}

bool
literal_set_join(struct arena *a, struct literal_set *into,
    const struct literal_set *more, size_t most)
{
	struct literal_set other = *more;
	if (into->all.n + other.all.n > most)
		return false;
	if (into->is_folded || other.is_folded) {
		fold(a, into);
		fold(a, &other);
	}
	for (size_t i = 0; i < other.all.n; i++)
		strs_add(a, &into->all, other.all.v[i]);
	return true;
}

/* Does `s` contain one of the first `n` of `all`, itself aside? */
static bool
contains_any(struct str s, const struct strs *all, size_t self)
{
	for (size_t i = 0; i < all->n; i++)
		if (i != self && all->v[i].len < s.len &&
		    str_find(s, all->v[i]) != STR_NONE)
			return true;
	return false;
}

/* Without what is there twice, or contains another of them. */
static void
reduce(struct literal_set *set)
{
	struct strs *all = &set->all;
	size_t n = 0;
	strs_sort(all);
	for (size_t i = 0; i < all->n; i++)
		if (i == 0 || !str_eq(all->v[i], all->v[n - 1]))
			all->v[n++] = all->v[i];
	all->n = n;
	if (n > REDUCE_MAX)
		return;
	/* From behind, so that what has been looked at may go. */
	for (size_t i = n; i-- > 0;)
		if (contains_any(all->v[i], all, i))
			all->v[i] = all->v[--all->n];
}

double
literal_byte_weight(char c)
{
	static const struct {
		const char *bytes;
		double weight;
	} rows[] = {
	    {" e", 1.0 / 10},
	    {"taoinsr", 1.0 / 16},
	    {"hldcum", 1.0 / 30},
	    {"fpgwybv.", 1.0 / 60},
	    {"k,-/:=0123456789\n<>\"", 1.0 / 100},
	};
	if ((c & 0x80) != 0)
		return 1.0 / 1000;
	for (size_t i = 0; c != '\0' && i < COUNT_OF(rows); i++)
		if (strchr(rows[i].bytes, c) != NULL)
			return rows[i].weight;
	return 1.0 / 250;
}

/* What mail is full of, small, with no byte between that a literal may have. */
#define NEXT "\001"
static const char COMMON[] =
    " and the " NEXT " for your " NEXT " of this " NEXT " that you " NEXT
    " with our " NEXT "tion " NEXT "https://www." NEXT "http://www." NEXT
    ".com/" NEXT "mailto:" NEXT "<div style=\"" NEXT "<td align=\"" NEXT
    "<a href=\"https://" NEXT "font-family:" NEXT "font-size:" NEXT
    "color: #" NEXT "</span>" NEXT "&nbsp;" NEXT "<br>" NEXT "width=\"" NEXT
    "image" NEXT "email" NEXT "message-id: <" NEXT "received: from " NEXT
    " by " NEXT " with esmtp" NEXT "content-type: text/html; charset=" NEXT
    "content-transfer-encoding:" NEXT "multipart/" NEXT "\nsubject: " NEXT
    "\nfrom: " NEXT "\nto: " NEXT "\ndate: "
    "text/plain; charset=" NEXT "multipart/alternative; boundary=\"" NEXT
    "mime-version: 1.0" NEXT "\nmessage-id: <"
    /* X-Spam-Relays-* */
    NEXT "[ ip=" NEXT " rdns=" NEXT " helo=" NEXT " by=" NEXT
    " ident= envfrom=" NEXT " intl=0 id=" NEXT " auth= msa=0 ]";
#define COMMON_LONGEST 34

/* Is `small` there with its byte `at`, which is sought first, at `found`? */
static bool
is_common_at(struct str small, size_t at, const char *found)
{
	size_t before = (size_t)(found - COMMON);
	return before >= at &&
	       sizeof(COMMON) - 1 - (before - at) >= small.len &&
	       memcmp(found - at, small.p, small.len) == 0;
}

/*
 * A part of it is no rare thing, however long it is.  `rarest`: its byte that
 * is sought first.
 */
static bool
is_common(struct str literal, size_t rarest)
{
	char bytes[COMMON_LONGEST];
	if (literal.len > COMMON_LONGEST)
		return false;
	for (size_t i = 0; i < literal.len; i++)
		bytes[i] = char_lower(literal.p[i]);
	struct str small = str_of(bytes, literal.len);
	struct str rest = STR(COMMON);
	for (;;) {
		size_t next = str_chr(rest, small.p[rarest]);
		if (next == STR_NONE)
			return false;
		if (is_common_at(small, rarest, rest.p + next))
			return true;
		rest = str_skip(rest, next + 1);
	}
}

static double
literal_cost(struct str literal)
{
	double product = 1, least = 1;
	size_t rarest = 0;
	for (size_t i = 0; i < literal.len; i++) {
		double weight = literal_byte_weight(literal.p[i]);
		product *= weight;
		if (weight >= least)
			continue;
		least = weight;
		rarest = i;
	}
	return product < COMMON_WEIGHT && is_common(literal, rarest)
		   ? COMMON_WEIGHT
		   : product;
}

double
literal_set_cost(const struct literal_set *set)
{
	double sum = (double)set->all.n * LITERAL_COST;
	for (size_t i = 0; i < set->all.n; i++)
		sum += literal_cost(set->all.v[i]);
	return sum;
}

/* The first, or last, `len` bytes of each. */
static struct literal_set
cut(struct arena *a, const struct literal_set *set, size_t len, bool is_end)
{
	struct literal_set ret = {.is_folded = set->is_folded};
	for (size_t i = 0; i < set->all.n; i++) {
		struct str s = set->all.v[i];
		size_t from = is_end && s.len > len ? s.len - len : 0;
		strs_add(a, &ret.all, str_sub(s, from, len));
	}
	reduce(&ret);
	return ret;
}

struct literal_set
literal_set_cheapest(struct arena *a, const struct literal_set *set)
{
	static const size_t lengths[] = {3, 4, 5, 6, 8, 10, 12};
	struct literal_set best = cut(a, set, SIZE_MAX, false);
	double least = literal_set_cost(&best);
	for (size_t i = 0; best.all.n > 1 && i < 2 * COUNT_OF(lengths); i++) {
		struct literal_set part =
		    cut(a, set, lengths[i / 2], i % 2 == 1);
		double cost = literal_set_cost(&part);
		if (cost >= least)
			continue;
		least = cost;
		best = part;
	}
	return best;
}
