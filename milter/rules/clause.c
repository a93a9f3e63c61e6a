/* SPDX-License-Identifier: BSD-2-Clause */
/* clause -- what must hold for an expression to be other than 0. */
#include "rules/clause.h"

#include <math.h>

#include "base/arena.h"
#include "rules/expr_steps.h"

/* Larger clauses, and more of them, are left out: no clause says nothing. */
#define NAMES_MAX 128
#define CLAUSES_MAX 32

struct names {
	uint32_t *v;
	size_t n;
	size_t cap;
};

/* What is known of a value on the stack. */
struct term {
	struct clauses needs; /* for it to be other than 0 */
	struct names any;     /* it is other than 0 if one of these is */
	struct names counted; /* it is the sum of these, if is_count... */
	unsigned most;        /* ... which are whole numbers up to that */
	double rest;          /* if is_bounded: up to that more than these */
	bool is_count;
	bool is_bounded;
	bool is_flag;     /* 0 or 1 */
	bool is_positive; /* 0 or more */
	bool is_finite;   /* neither infinite nor no number: 0 times it is 0 */
	bool is_number;
	double number;
};

struct reasoner {
	struct arena *a;
	const unsigned *most; /* by variable; 0: no bound is known */
};

static bool
names_have(const struct names *names, uint32_t name)
{
	size_t i = 0;
	while (i < names->n && names->v[i] != name)
		i++;
	return i < names->n;
}

/* Those of both, each once, NAMES_MAX + 1 of them at most. */
static struct names
names_join(struct arena *a, struct names x, struct names y)
{
	struct names both = {0};
	for (size_t i = 0; i < x.n + y.n && both.n <= NAMES_MAX; i++) {
		uint32_t name = i < x.n ? x.v[i] : y.v[i - x.n];
		if (!names_have(&both, name))
			ARENA_PUSH(a, &both) = name;
	}
	return both;
}

static void
clause_add(
    struct arena *a, struct clauses *list, struct names names, size_t least)
{
	if (names.n <= NAMES_MAX && list->n < CLAUSES_MAX)
		ARENA_PUSH(a, list) = (struct clause){names.v, names.n, least};
}

static struct names
names_of(const struct clause *clause)
{
	return (struct names){clause->v, clause->n, clause->n};
}

static struct clauses
clauses_join(struct arena *a, struct clauses x, struct clauses y)
{
	struct clauses both = {0};
	for (size_t i = 0; i < x.n + y.n && i < CLAUSES_MAX; i++)
		ARENA_PUSH(a, &both) = i < x.n ? x.v[i] : y.v[i - x.n];
	return both;
}

/* One of x and y holds: what each pair of their clauses has in common. */
static struct clauses
clauses_either(struct arena *a, struct clauses x, struct clauses y)
{
	struct clauses either = {0};
	for (size_t i = 0; i < x.n; i++)
		for (size_t k = 0; k < y.n && either.n < CLAUSES_MAX; k++) {
			size_t least = x.v[i].least < y.v[k].least
					   ? x.v[i].least
					   : y.v[k].least;
			if (least > 0)
				clause_add(a, &either,
				    names_join(a, names_of(&x.v[i]),
					names_of(&y.v[k])),
				    least);
		}
	return either;
}

/* 0 needs one of nothing: it never is another. */
static struct term
number_term(const struct reasoner *r, double number)
{
	struct term term = {
	    .is_flag = number == 0 || number == 1,
	    .is_positive = number >= 0,
	    .is_finite = true,
	    .is_number = true,
	    .number = number,
	};
	if (number == 0)
		clause_add(r->a, &term.needs, (struct names){0}, 1);
	return term;
}

static struct term
variable_term(const struct reasoner *r, uint32_t name)
{
	struct term term = {.is_flag = r->most[name] == 1,
	    .is_positive = true,
	    .is_finite = true};
	struct names one = {0};
	ARENA_PUSH(r->a, &one) = name;
	clause_add(r->a, &term.needs, one, 1);
	term.any = one;
	term.is_count = r->most[name] > 0;
	term.most = r->most[name];
	term.is_bounded = term.is_count;
	term.counted = one;
	return term;
}

/* 0 or 1, and 1 only if `needs` hold. */
static struct term
flag_term(struct clauses needs)
{
	return (struct term){
	    .needs = needs,
	    .is_flag = true,
	    .is_positive = true,
	    .is_finite = true,
	    .rest = 1,
	    .is_bounded = true,
	};
}

/* It is 0. */
static struct term
not_term(const struct reasoner *r, const struct term *x)
{
	struct term term = flag_term((struct clauses){0});
	struct names any = x->any;
	any.n = any.n < NAMES_MAX ? any.n : NAMES_MAX;
	if (any.n > 0)
		clause_add(r->a, &term.needs, any, 0);
	return term;
}

static struct term
and_term(const struct reasoner *r, const struct term *x, const struct term *y)
{
	return (struct term){
	    .needs = clauses_join(r->a, x->needs, y->needs),
	    .is_flag = y->is_flag,
	    .is_positive = y->is_positive,
	    .is_finite = y->is_finite,
	    .rest = 1,
	    .is_bounded = y->is_flag,
	};
}

static struct term
or_term(const struct reasoner *r, const struct term *x, const struct term *y)
{
	return (struct term){
	    .needs = clauses_either(r->a, x->needs, y->needs),
	    .any = names_join(r->a, x->any, y->any),
	    .is_flag = x->is_flag && y->is_flag,
	    .is_positive = x->is_positive && y->is_positive,
	    .is_finite = x->is_finite && y->is_finite,
	    .rest = 1,
	    .is_bounded = x->is_flag && y->is_flag,
	};
}

static bool
have_common(struct names x, struct names y)
{
	size_t i = 0;
	while (i < x.n && !names_have(&y, x.v[i]))
		i++;
	return i < x.n;
}

static bool
is_zero(const struct term *x)
{
	return x->is_number && x->number == 0;
}

/* The most that it can be, whatever is counted. */
static double
most_value(const struct term *x)
{
	return (double)x->most * (double)x->counted.n + x->rest;
}

/* How large a sum can be: what cannot be counted as well is the rest. */
static void
sum_bound(const struct reasoner *r, struct term *sum, const struct term *x,
    const struct term *y)
{
	sum->is_bounded = x->is_bounded && y->is_bounded;
	if (!sum->is_bounded)
		return;
	sum->rest = x->rest + y->rest;
	if (x->counted.n + y->counted.n <= NAMES_MAX &&
	    !have_common(x->counted, y->counted)) {
		sum->counted = names_join(r->a, x->counted, y->counted);
		return;
	}
	sum->counted = x->counted;
	sum->rest = x->rest + most_value(y);
}

static struct term
sum_term(const struct reasoner *r, const struct term *x, const struct term *y)
{
	if (is_zero(x))
		return *y;
	bool is_count = x->is_count && y->is_count &&
			x->counted.n + y->counted.n <= NAMES_MAX &&
			!have_common(x->counted, y->counted);
	struct term term = {
	    .is_positive = x->is_positive && y->is_positive,
	    .is_finite = is_count,
	    .is_count = is_count,
	    .most = x->most > y->most ? x->most : y->most,
	};
	sum_bound(r, &term, x, y);
	if (term.is_positive)
		term.any = names_join(r->a, x->any, y->any);
	if (is_count) {
		clause_add(r->a, &term.needs, term.counted, 1);
	} else {
		term.needs = clauses_either(r->a, x->needs, y->needs);
	}
	return term;
}

/* Times a number below 1 what is other than 0 may become 0. */
static struct term
product_term(
    const struct reasoner *r, const struct term *x, const struct term *y)
{
	bool is_flag = x->is_flag && y->is_flag;
	struct term term = {
	    .needs = x->is_finite && y->is_finite
			 ? clauses_join(r->a, x->needs, y->needs)
			 : clauses_either(r->a, x->needs, y->needs),
	    .is_flag = is_flag,
	    .is_positive = x->is_positive && y->is_positive,
	    .is_finite = is_flag,
	};
	if (x->is_number && x->number >= 1)
		term.any = y->any;
	if (y->is_number && y->number >= 1)
		term.any = x->any;
	return term;
}

/* By 0 it is 0. */
static struct term
quotient_term(
    const struct reasoner *r, const struct term *x, const struct term *y)
{
	return (struct term){
	    .needs = y->is_finite ? x->needs
				  : clauses_either(r->a, x->needs, y->needs),
	};
}

/* What x needs to be `least` or more, which is more than 0. */
static struct clauses
least_needs(const struct reasoner *r, const struct term *x, double least)
{
	struct clauses needs = {0};
	if (!x->is_bounded || least <= x->rest || x->most == 0)
		return x->needs;
	double n = ceil((ceil(least) - x->rest) / x->most);
	/* All of them and one more: it never is. */
	clause_add(r->a, &needs, x->counted,
	    n <= (double)x->counted.n ? (size_t)n : x->counted.n + 1);
	return needs;
}

/* x is `least` or more, which is more than 0. */
static struct term
least_term(const struct reasoner *r, const struct term *x, double least)
{
	struct term term = flag_term(least_needs(r, x, least));
	if (least <= 1 && x->is_count)
		term.any = x->any;
	return term;
}

/* `op`, as it reads with its sides exchanged. */
static enum op
mirrored(enum op op)
{
	switch ((int)op) {
	case OP_LT:
		return OP_GT;
	case OP_LE:
		return OP_GE;
	case OP_GT:
		return OP_LT;
	case OP_GE:
		return OP_LE;
	default:
		return op;
	}
}

static struct term
compare_number(
    const struct reasoner *r, enum op op, const struct term *x, double number)
{
	switch ((int)op) {
	case OP_GT:
		if (number >= 0)
			return least_term(r, x, floor(number) + 1);
		break;
	case OP_GE:
		if (number > 0)
			return least_term(r, x, number);
		break;
	case OP_EQ:
		if (number > 0)
			return flag_term(least_needs(r, x, number));
		if (number == 0)
			return not_term(r, x);
		break;
	case OP_NE:
		if (number == 0)
			return flag_term(x->needs);
		break;
	case OP_LT:
		if (number > 0 && number <= 1 && x->is_count)
			return not_term(r, x);
		break;
	case OP_LE:
		if (number >= 0 && number < 1 && x->is_count)
			return not_term(r, x);
		break;
	default:
		break;
	}
	return flag_term((struct clauses){0});
}

static struct term
compare_term(const struct reasoner *r, enum op op, const struct term *x,
    const struct term *y)
{
	if (y->is_number && !x->is_number)
		return compare_number(r, op, x, y->number);
	if (x->is_number && !y->is_number)
		return compare_number(r, mirrored(op), y, x->number);
	if (op == OP_GT && y->is_positive)
		return flag_term(x->needs);
	if (op == OP_LT && x->is_positive)
		return flag_term(y->needs);
	return flag_term((struct clauses){0});
}

static struct term
binary_term(const struct reasoner *r, enum op op, const struct term *x,
    const struct term *y)
{
	switch ((int)op) {
	case OP_ADD:
		return sum_term(r, x, y);
	case OP_SUBTRACT:
	case OP_XOR:
		return (struct term){
		    .needs = clauses_either(r->a, x->needs, y->needs)};
	case OP_MULTIPLY:
		return product_term(r, x, y);
	case OP_DIVIDE:
		return quotient_term(r, x, y);
	default:
		return compare_term(r, op, x, y);
	}
}

static struct term
unary_term(const struct reasoner *r, enum op op, const struct term *x)
{
	if (op == OP_NOT)
		return not_term(r, x);
	return (struct term){.needs = x->needs, .any = x->any};
}

/* There are no ?: and no chains of comparisons in it. */
static bool
is_plain(const struct expr *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->v[i].op == OP_ELSE || e->v[i].op == OP_CHAIN ||
		    e->v[i].op == OP_JUMP)
			return false;
	return true;
}

/* A && or || that waits for the end of its right side. */
struct pending {
	enum op op;
	size_t target;
};

/* All && and || that end at step `at`, the innermost first. */
static size_t
pending_close(const struct reasoner *r, const struct pending *pending, size_t n,
    size_t at, struct term **top)
{
	while (n > 0 && pending[n - 1].target == at) {
		struct term *x = *top - 1;
		*x = pending[--n].op == OP_AND ? and_term(r, x, *top)
					       : or_term(r, x, *top);
		*top = x;
	}
	return n;
}

static void
step_run(const struct reasoner *r, const struct step *step, struct term **top)
{
	switch (step->op) {
	case OP_NUMBER:
		*++*top = number_term(r, step->u.number);
		break;
	case OP_VARIABLE:
		*++*top = variable_term(r, step->u.index);
		break;
	case OP_NOT:
	case OP_MINUS:
		**top = unary_term(r, step->op, *top);
		break;
	default:
		--*top;
		**top = binary_term(r, step->op, *top, *top + 1);
		break;
	}
}

static struct clause
clause_copy(struct arena *a, const struct clause *clause)
{
	uint32_t *v = ARENA_ARRAY(a, uint32_t, clause->n);
	if (clause->n > 0)
		memcpy(v, clause->v, clause->n * sizeof(v[0]));
	return (struct clause){v, clause->n, clause->least};
}

struct clauses
expr_clauses(struct arena *a, const struct expr *e, const unsigned *most,
    bool *ret_is_flag)
{
	struct arena *work = arena_new();
	struct reasoner r = {work, most};
	/* Right sides that wait are values that wait, so as many at most. */
	struct term *stack = ARENA_ARRAY(work, struct term, e->n + 2);
	struct pending *pending = ARENA_ARRAY(work, struct pending, e->n + 1);
	struct term *top = stack;
	size_t n = 0;
	bool is_read = is_plain(e);
	for (size_t i = 0; i <= e->n && is_read; i++) {
		n = pending_close(&r, pending, n, i, &top);
		if (i == e->n)
			break;
		const struct step *step = &e->v[i];
		if (step->op == OP_AND || step->op == OP_OR)
			pending[n++] =
			    (struct pending){step->op, step->u.target};
		else
			step_run(&r, step, &top);
	}
	struct clauses clauses = {0};
	*ret_is_flag = top->is_flag;
	for (size_t i = 0; i < top->needs.n; i++)
		ARENA_PUSH(a, &clauses) = clause_copy(a, &top->needs.v[i]);
	arena_free(work);
	return clauses;
}
