/* SPDX-License-Identifier: BSD-2-Clause */
/* logistic -- against closed forms, and against another way to the minimum. */
#include "unit.h"

#include <math.h>

#include "cmd/rulework/logistic.h"

#define NEAR(got, want, by)                                           \
	do {                                                          \
		double got_ = (got), want_ = (want);                  \
		if (!(fabs(got_ - want_) <= (by)))                    \
			fail_msg("got %.9f, want %.9f", got_, want_); \
	} while (0)

/* A problem of rows that all have one column. */
struct flat {
	struct logistic_cell cells[8];
	double offset[8], importance[8];
	bool is_positive[8];
	struct logistic_column column;
	struct logistic problem;
};

static void
flat_make(struct flat *f, size_t n, size_t positive, double x, double offset)
{
	*f = (struct flat){0};
	for (size_t i = 0; i < n; i++) {
		f->cells[i] = (struct logistic_cell){(uint32_t)i, x};
		f->offset[i] = offset;
		f->importance[i] = 1;
		f->is_positive[i] = i < positive;
	}
	f->column = (struct logistic_column){
	    .cells = f->cells, .n = n, .low = -100, .high = 100};
	f->problem = (struct logistic){
	    .nrows = n,
	    .offset = f->offset,
	    .importance = f->importance,
	    .is_positive = f->is_positive,
	    .ncolumns = 1,
	    .columns = &f->column,
	    .deviation = 1e6,
	};
}

static double
flat_fit(const struct flat *f)
{
	struct arena *a = arena_new();
	double weight;
	assert_true(logistic_fit(a, &f->problem, &weight).is_settled);
	arena_free(a);
	return weight;
}

static void
without_a_prior_odds_are_those_of_the_rows(void **state)
{
	(void)state;
	struct flat f;
	flat_make(&f, 4, 3, 1, 0); /* 3 : 1 */
	NEAR(flat_fit(&f), log(3), 1e-5);
	flat_make(&f, 4, 3, 2, 0); /* half the weight for twice the count */
	NEAR(flat_fit(&f), log(3) / 2, 1e-5);
	flat_make(&f, 4, 3, 1, -5); /* the offset has to be made up for */
	NEAR(flat_fit(&f), 5 + log(3), 1e-5);
	flat_make(&f, 4, 1, 1, 0);
	f.importance[0] = 9; /* 9 : 3 */
	NEAR(flat_fit(&f), log(3), 1e-5);
	f.importance[0] = 0; /* a row that does not count, so 0 : 3 */
	f.column.low = -7;
	NEAR(flat_fit(&f), -7, 1e-9);
}

/* w with (w - prior) / deviation^2 = the sum of what rows pull. */
static double
by_bisection(double prior, double deviation, int positive, int negative)
{
	double low = -100, high = 100;
	for (int i = 0; i < 200; i++) {
		double w = (low + high) / 2;
		double pull =
		    positive / (1 + exp(w)) - negative / (1 + exp(-w));
		if ((w - prior) / (deviation * deviation) < pull)
			low = w;
		else
			high = w;
	}
	return low;
}

static void
a_prior_pulls_as_much_as_it_is_narrow(void **state)
{
	(void)state;
	static const double deviations[] = {0.01, 0.1, 0.5, 1, 10};
	for (size_t i = 0; i < COUNT_OF(deviations); i++) {
		struct flat f;
		flat_make(&f, 8, 8, 1, 0);
		f.column.prior = 2;
		f.problem.deviation = deviations[i];
		NEAR(flat_fit(&f), by_bisection(2, deviations[i], 8, 0), 1e-5);
		flat_make(&f, 8, 2, 1, 0);
		f.column.prior = -1;
		f.problem.deviation = deviations[i];
		NEAR(flat_fit(&f), by_bisection(-1, deviations[i], 2, 6), 1e-5);
	}
}

static void
bounds_hold(void **state)
{
	(void)state;
	struct flat f;
	flat_make(&f, 4, 3, 1, 0);
	f.column.high = 1; /* below log 3 */
	NEAR(flat_fit(&f), 1, 0);
	f.column.high = 100;
	f.column.low = 1.5;
	NEAR(flat_fit(&f), 1.5, 0);
	f.column.low = f.column.high = 0.25;
	NEAR(flat_fit(&f), 0.25, 0);
	f.column.low = 2;
	f.column.high = 3;
	f.column.prior = -50; /* outside itself */
	NEAR(flat_fit(&f), 2, 0);
}

static void
without_rows_there_is_the_prior(void **state)
{
	(void)state;
	struct flat f;
	flat_make(&f, 0, 0, 1, 0);
	f.column.prior = 1.25;
	NEAR(flat_fit(&f), 1.25, 0);
}

/* Margins of thousands, as a rule that hits a thousand times has. */
static void
large_margins_do_not_overflow(void **state)
{
	(void)state;
	struct flat f;
	flat_make(&f, 4, 2, 1000, -5000);
	f.problem.deviation = 1;
	double w = flat_fit(&f);
	NEAR(w, 5, 0.01); /* where both sides are even */
	flat_make(&f, 4, 4, 1e6, 1e6);
	f.column.low = 0;
	f.column.prior = 3;
	f.problem.deviation = 1;
	NEAR(flat_fit(&f), 3, 1e-9); /* right already */
}

/* --- many columns, the other way ------------------------------------------ */

#define ROWS 60
#define COLUMNS 5

struct grid {
	double x[ROWS][COLUMNS];
	double offset[ROWS], importance[ROWS];
	bool is_positive[ROWS];
	struct logistic_cell cells[COLUMNS][ROWS];
	struct logistic_column columns[COLUMNS];
	struct logistic problem;
};

static uint32_t
number_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static void
grid_make(struct grid *g, uint32_t seed)
{
	*g = (struct grid){0};
	for (size_t i = 0; i < ROWS; i++) {
		g->is_positive[i] = number_next(&seed) % 3 == 0;
		g->offset[i] = (double)(number_next(&seed) % 9) - 5;
		g->importance[i] = number_next(&seed) % 4;
		for (size_t c = 0; c < COLUMNS; c++)
			g->x[i][c] = (double)(number_next(&seed) % 4) *
				     (number_next(&seed) % 2);
	}
	for (size_t c = 0; c < COLUMNS; c++) {
		struct logistic_column *column = &g->columns[c];
		*column = (struct logistic_column){
		    .cells = g->cells[c],
		    .prior = (double)c / 2 - 1,
		    .low = (double)c / 2 - 1.3,
		    .high = (double)c / 2 - 0.7,
		};
		for (size_t i = 0; i < ROWS; i++)
			if (g->x[i][c] != 0)
				g->cells[c][column->n++] =
				    (struct logistic_cell){
					(uint32_t)i, g->x[i][c]};
	}
	g->problem = (struct logistic){
	    .nrows = ROWS,
	    .offset = g->offset,
	    .importance = g->importance,
	    .is_positive = g->is_positive,
	    .ncolumns = COLUMNS,
	    .columns = g->columns,
	    .deviation = 0.7,
	};
}

/* Small steps down the whole slope at once, each put back into the bounds. */
static void
by_descent(const struct grid *g, double w[COLUMNS])
{
	double precision = 1 / (g->problem.deviation * g->problem.deviation);
	for (size_t c = 0; c < COLUMNS; c++)
		w[c] = g->columns[c].prior;
	for (int round = 0; round < 60000; round++) {
		double slope[COLUMNS];
		for (size_t c = 0; c < COLUMNS; c++)
			slope[c] = precision * (w[c] - g->columns[c].prior);
		for (size_t i = 0; i < ROWS; i++) {
			double margin = g->offset[i];
			for (size_t c = 0; c < COLUMNS; c++)
				margin += w[c] * g->x[i][c];
			double error = 1 / (1 + exp(-margin)) -
				       (g->is_positive[i] ? 1 : 0);
			for (size_t c = 0; c < COLUMNS; c++)
				slope[c] +=
				    g->importance[i] * error * g->x[i][c];
		}
		for (size_t c = 0; c < COLUMNS; c++)
			w[c] = fmin(g->columns[c].high,
			    fmax(g->columns[c].low, w[c] - 0.002 * slope[c]));
	}
}

static void
many_columns_end_where_another_method_does(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct grid *g = ARENA_NEW(a, struct grid);
	size_t bounded = 0, inside = 0;
	for (uint32_t seed = 1; seed <= 8; seed++) {
		double got[COLUMNS], want[COLUMNS];
		grid_make(g, seed);
		assert_true(logistic_fit(a, &g->problem, got).is_settled);
		by_descent(g, want);
		for (size_t c = 0; c < COLUMNS; c++) {
			NEAR(got[c], want[c], 1e-4);
			bool is_bounded = got[c] == g->columns[c].low ||
					  got[c] == g->columns[c].high;
			bounded += is_bounded;
			inside += !is_bounded;
		}
	}
	assert_true(bounded > 3 && inside > 3); /* both were tried */
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_a_prior_odds_are_those_of_the_rows),
    cmocka_unit_test(a_prior_pulls_as_much_as_it_is_narrow),
    cmocka_unit_test(bounds_hold),
    cmocka_unit_test(without_rows_there_is_the_prior),
    cmocka_unit_test(large_margins_do_not_overflow),
    cmocka_unit_test(many_columns_end_where_another_method_does),
};

UNIT_MAIN(tests)
