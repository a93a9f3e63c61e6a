/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logistic -- fitted weight by weight: a Newton step of one, cut to its bounds
 * and halved until it helps, then the next, round after round.  What is
 * minimised is strictly convex and the bounds are those of single weights, so
 * this ends at the one minimum (Tseng 2001), and bounds cost nothing.
 */
#include "cmd/rulework/logistic.h"

#include <math.h>

#include "base/arena.h"

#define ROUNDS_MAX 1000
#define HALVINGS_MAX 40
#define SETTLED 1e-5
/* Of what the slope promises, at least so much must come true (Armijo). */
#define PROMISE 1e-4

struct fit {
	const struct logistic *problem;
	double precision; /* of the prior: 1 / variance */
	double *margin;   /* by row */
	double *weight;   /* by column */
};

/* log(1 + exp(-z)) without overflow. */
static double
loss(double z)
{
	return z > 0 ? log1p(exp(-z)) : -z + log1p(exp(z));
}

/* 1 / (1 + exp(z)): how wrong a margin of z is. */
static double
wrongness(double z)
{
	return 1 / (1 + exp(z));
}

static double
side(const struct logistic *problem, uint32_t row)
{
	return problem->is_positive[row] ? 1 : -1;
}

/* First and second derivative by the weight of column `c`. */
static void
slope_of(const struct fit *f, size_t c, double *ret_slope, double *ret_bend)
{
	const struct logistic *p = f->problem;
	const struct logistic_column *column = &p->columns[c];
	double slope = f->precision * (f->weight[c] - column->prior);
	double bend = f->precision;
	for (size_t i = 0; i < column->n; i++) {
		uint32_t row = column->cells[i].row;
		double x = column->cells[i].x, y = side(p, row);
		double wrong = wrongness(y * f->margin[row]);
		slope -= p->importance[row] * y * x * wrong;
		bend += p->importance[row] * x * x * wrong * (1 - wrong);
	}
	*ret_slope = slope;
	*ret_bend = bend;
}

/* What is minimised, after a step of column `c`, less what it is now. */
static double
change_of(const struct fit *f, size_t c, double step)
{
	const struct logistic *p = f->problem;
	const struct logistic_column *column = &p->columns[c];
	double far = f->weight[c] - column->prior;
	double change = f->precision * step * (far + step / 2);
	for (size_t i = 0; i < column->n; i++) {
		uint32_t row = column->cells[i].row;
		double y = side(p, row), now = f->margin[row];
		double then = now + step * column->cells[i].x;
		change += p->importance[row] * (loss(y * then) - loss(y * now));
	}
	return change;
}

static double
cut(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

/* Move one weight; by how much. */
static double
weight_move(struct fit *f, size_t c)
{
	const struct logistic_column *column = &f->problem->columns[c];
	double slope, bend;
	slope_of(f, c, &slope, &bend);
	double step =
	    cut(f->weight[c] - slope / bend, column->low, column->high) -
	    f->weight[c];
	int halvings = 0;
	while (step != 0 && change_of(f, c, step) > PROMISE * slope * step)
		step = ++halvings < HALVINGS_MAX ? step / 2 : 0;
	f->weight[c] += step;
	for (size_t i = 0; i < column->n && step != 0; i++)
		f->margin[column->cells[i].row] += step * column->cells[i].x;
	return fabs(step);
}

static void
margins_begin(struct fit *f)
{
	const struct logistic *p = f->problem;
	for (size_t i = 0; i < p->nrows; i++)
		f->margin[i] = p->offset[i];
	for (size_t c = 0; c < p->ncolumns; c++) {
		const struct logistic_column *column = &p->columns[c];
		f->weight[c] = cut(column->prior, column->low, column->high);
		for (size_t i = 0; i < column->n; i++)
			f->margin[column->cells[i].row] +=
			    f->weight[c] * column->cells[i].x;
	}
}

struct logistic_end
logistic_fit(struct arena *a, const struct logistic *problem, double *ret)
{
	struct logistic_end end = {0};
	struct fit f = {
	    .problem = problem,
	    .precision = 1 / (problem->deviation * problem->deviation),
	    .margin = ARENA_ARRAY(a, double, problem->nrows),
	    .weight = ret,
	};
	margins_begin(&f);
	while (!end.is_settled && end.rounds < ROUNDS_MAX) {
		double most = 0;
		for (size_t c = 0; c < problem->ncolumns; c++)
			most = fmax(most, weight_move(&f, c));
		end.is_settled = most < SETTLED;
		end.rounds++;
	}
	return end;
}
