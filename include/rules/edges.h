/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edges -- which bytes the pieces of a regex begin and end with, and which two
 * may be side by side in a match.  Reading a regex is factor.h's work.
 */
#ifndef RULES_EDGES_H
#define RULES_EDGES_H

#include "base/str.h"

struct arena;
struct byte_set;

/* Where a piece meets its neighbours. */
struct edges {
	uint64_t first[4], last[4]; /* bits, by byte */
	bool may_be_empty;
};

/*
 * Which bytes a match may begin and end with, and which two may be side by side
 * in it, as bits; a pair is first * 256 + second.
 */
struct pairs {
	uint64_t first[4], last[4];
	uint64_t has[256 * 256 / 64];
	uint32_t longest; /* match, or FACTOR_ANYWHERE */
};

/* Of nothing, in `a`, as a chain of pieces begins. */
struct edges *edges_new(struct arena *a);
/* Of one of `bytes`. */
const struct edges *edges_of(struct arena *a, const struct byte_set *bytes);
/* One or the other; NULL is anything. */
const struct edges *edges_join(
    struct arena *a, const struct edges *x, const struct edges *y);
/*
 * A piece that is there `least` to `most` times comes behind `edges`; `next`
 * NULL: it may be anything.
 */
void edges_add(struct pairs *pairs, struct edges *edges,
    const struct edges *next, uint32_t least, uint32_t most);
/* `edges` are those of all of the pattern, whose matches have `longest` bytes.
 */
void pairs_end(
    struct pairs *pairs, const struct edges *edges, uint32_t longest);
/*
 * A match may have a part of bytes `from` to `to` (not `to` itself) of `text`,
 * the bytes around it being what they are.
 */
bool pairs_fit(
    const struct pairs *pairs, struct str text, size_t from, size_t to);

#endif
