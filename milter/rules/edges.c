/* SPDX-License-Identifier: BSD-2-Clause */
/* edges -- a bit a byte, and a bit for each two. */
#include "rules/edges.h"

#include "base/arena.h"
#include "rules/literal_set.h"

static const struct edges edges_anything = {
    .first = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
    .last = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
    .may_be_empty = true,
};

static bool
bits_have(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> i % 64 & 1) != 0;
}

static void
bits_join(uint64_t into[4], const uint64_t more[4])
{
	for (size_t i = 0; i < 4; i++)
		into[i] |= more[i];
}

/* Each of `before` with each of `behind`. */
static void
pairs_add(
    struct pairs *pairs, const uint64_t before[4], const uint64_t behind[4])
{
	for (size_t i = 0; i < 256; i++)
		if (bits_have(before, i))
			bits_join(pairs->has + 4 * i, behind);
}

void
edges_add(struct pairs *pairs, struct edges *edges, const struct edges *next,
    uint32_t least, uint32_t most)
{
	if (next == NULL)
		next = &edges_anything;
	bool may_be_empty = least == 0 || next->may_be_empty;
	if (most == 0)
		return;
	pairs_add(pairs, edges->last, next->first);
	if (most > 1)
		pairs_add(pairs, next->last, next->first);
	if (edges->may_be_empty)
		bits_join(edges->first, next->first);
	if (!may_be_empty)
		memset(edges->last, 0, sizeof(edges->last));
	bits_join(edges->last, next->last);
	edges->may_be_empty = edges->may_be_empty && may_be_empty;
}

struct edges *
edges_new(struct arena *a)
{
	struct edges *edges = ARENA_NEW(a, struct edges);
	edges->may_be_empty = true;
	return edges;
}

const struct edges *
edges_of(struct arena *a, const struct byte_set *set)
{
	struct edges *edges = ARENA_NEW(a, struct edges);
	for (size_t i = 0; i < 256; i++)
		if (set->has[i])
			edges->first[i / 64] |= UINT64_C(1) << i % 64;
	memcpy(edges->last, edges->first, sizeof(edges->last));
	return edges;
}

const struct edges *
edges_join(struct arena *a, const struct edges *x, const struct edges *y)
{
	if (x == NULL || y == NULL)
		return NULL;
	struct edges *both = ARENA_NEW(a, struct edges);
	*both = *x;
	bits_join(both->first, y->first);
	bits_join(both->last, y->last);
	both->may_be_empty = x->may_be_empty || y->may_be_empty;
	return both;
}

void
pairs_end(struct pairs *pairs, const struct edges *edges, uint32_t longest)
{
	bits_join(pairs->first, edges->first);
	bits_join(pairs->last, edges->last);
	pairs->longest = longest;
}

static bool
has_pair(const struct pairs *pairs, struct str text, size_t at)
{
	return bits_have(pairs->has, (size_t)(unsigned char)text.p[at] << 8 |
					 (unsigned char)text.p[at + 1]);
}

/* A match comes in from the left or begins, and goes on or ends. */
bool
pairs_fit(const struct pairs *pairs, struct str text, size_t from, size_t to)
{
	bool is_in = from > 0 && has_pair(pairs, text, from - 1);
	for (size_t i = from; i < to; i++) {
		unsigned char c = (unsigned char)text.p[i];
		is_in = is_in || bits_have(pairs->first, c);
		if (is_in && bits_have(pairs->last, c))
			return true;
		is_in = is_in && i + 1 < text.len && has_pair(pairs, text, i);
	}
	return is_in;
}
