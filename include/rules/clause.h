/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clause -- what must hold for an expression to be other than 0, whatever else
 * its variables are: (A || B) && C + D + E >= 2 && !F needs one of A and B, two
 * of C, D and E, and none of F.
 */
#ifndef RULES_CLAUSE_H
#define RULES_CLAUSE_H

#include "base/str.h"

struct arena;
struct expr;

/* At least `least` of the variables are other than 0; `least` 0: none is. */
struct clause {
	uint32_t *v; /* each once */
	size_t n;
	size_t least;
};

struct clauses {
	struct clause *v;
	size_t n;
	size_t cap;
};

/*
 * The clauses of `e`, whose variables are 0 or more; `most`, by variable: it is
 * a whole number up to that; 0: it may be any other.  Each is necessary,
 * together they need not be enough: what is not understood has none.
 * `*ret_is_flag`: the value of `e` is 0 or 1.
 */
struct clauses expr_clauses(struct arena *a, const struct expr *e,
    const unsigned *most, bool *ret_is_flag);

#endif
