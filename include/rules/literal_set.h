/* SPDX-License-Identifier: BSD-2-Clause */
/* literal_set -- sets of byte strings: a part of what factor.h finds. */
#ifndef RULES_LITERAL_SET_H
#define RULES_LITERAL_SET_H

#include "base/str.h"

struct arena;

/* By byte: is it one of them? */
struct byte_set {
	bool has[256];
};

/* Everything that a piece of a regex can match, if that is little. */
struct literal_set {
	struct strs all; /* may hold the empty string */
	bool is_folded;  /* as in struct factor */
};

/* Add the Latin-1 letters of the other case. */
void byte_set_both_cases(struct byte_set *set);

/* The set of the empty string alone. */
struct literal_set literal_set_empty(struct arena *a);
/*
 * Strings of one byte.  `is_caseless`: Latin-1 letters of the other case are
 * put in, too.  False: they are too many to be of use.  `bytes` may be empty.
 */
MUST_CHECK bool literal_set_bytes(struct arena *a, const struct byte_set *bytes,
    bool is_caseless, struct literal_set *ret);
/* Each of `x` with each of `y` behind it.  False: too many. */
MUST_CHECK bool literal_set_product(struct arena *a,
    const struct literal_set *x, const struct literal_set *y,
    struct literal_set *ret);
/* Those of both.  False: more than `most`. */
MUST_CHECK bool literal_set_join(struct arena *a, struct literal_set *into,
    const struct literal_set *more, size_t most);
/* Without those that contain `part`. */
void literal_set_drop(struct literal_set *set, struct str part);
/*
 * The parts of `set` that are cheapest to look for: one of them is in whatever
 * contains one of `set`.
 */
struct literal_set literal_set_cheapest(
    struct arena *a, const struct literal_set *set);
/* One in so many bytes of mail; roughly, as a rank is all that is wanted. */
double literal_byte_weight(char c);
bool literal_set_has_empty(const struct literal_set *set);
/*
 * How often one of them may be expected in a byte of mail, and as much for each
 * as looking for it costs.
 */
double literal_set_cost(const struct literal_set *set);

#endif
