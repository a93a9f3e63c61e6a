/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr -- arithmetic and logic as `meta` and `if` lines write it, with Perl's
 * precedence and values: && and || give the deciding operand.
 */
#ifndef RULES_EXPR_H
#define RULES_EXPR_H

#include "base/str.h"

struct arena;
struct expr;         /* compiled; immutable */
struct expr_builder; /* while it is compiled */

/* What names stand for; each emits one value or says why it cannot. */
struct expr_names {
	MUST_CHECK bool (*name)(void *arg, struct expr_builder *b,
	    struct str name, struct str *ret_why);
	/* NAME(ARGUMENT) for the functions of `functions`, ended by NULL. */
	MUST_CHECK bool (*call)(void *arg, struct expr_builder *b,
	    struct str function, struct str argument, struct str *ret_why);
	const char *const *functions;
	void *arg;
};

/* The value is a constant, or that of variable `index` when it is evaluated. */
void expr_emit_number(struct expr_builder *b, double number);
void expr_emit_variable(struct expr_builder *b, uint32_t index);
/* Their sum; 0 if there are none. */
void expr_emit_sum(struct expr_builder *b, const uint32_t *indexes, size_t n);

/*
 * Compile `text`: numbers, names, ( ), ! && || ^ == != < <= > >= + - * / ?:.
 * NULL: `*ret_why` says what is wrong.  Bounded by EXPR_DEPTH and by the text.
 */
#define EXPR_DEPTH 100
struct expr *expr_new(struct arena *a, struct str text,
    const struct expr_names *names, struct str *ret_why);

/*
 * Its value, `values` indexed as the variables were emitted.  Dividing by zero
 * gives 0 and sets `*ret_is_undefined`, which may be NULL.
 */
double expr_value(
    const struct expr *e, const double *values, bool *ret_is_undefined);

/*
 * `text` of a meta as SpamAssassin's lexer reads it: tokens with a blank
 * between them, characters that belong to none left out.  Numbers with a sign
 * and other tokens that it refuses are refused: write `A + 1`, not `A +1`.
 * NAME(..) of `functions` is kept as it stands.  False: `*ret_why` says what is
 * wrong.
 */
MUST_CHECK bool expr_tokens(struct arena *a, struct str text,
    const char *const *functions, struct str *ret, struct str *ret_why);

/* The variables it reads, in order of appearance, repeated as they stand. */
struct expr_variables {
	uint32_t *v;
	size_t n;
	size_t cap;
};
const struct expr_variables *expr_variables(const struct expr *e);

/*
 * The variables to watch: if the value of `e` is 0 with `values`, it stays so
 * while those have the same ones.  Of the parts of `e` between && that are 0 it
 * is the one with the fewest, otherwise all.  A piece of expr_variables().
 */
struct expr_variables expr_watch(const struct expr *e, const double *values);

#endif
