/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logistic -- logistic regression with a normal prior and bounds for each
 * weight: what the scores of rules are fitted by.  Knows no rules.
 */
#ifndef CMD_LOGISTIC_H
#define CMD_LOGISTIC_H

#include "base/base.h"

struct arena;

/* One value of a sparse matrix. */
struct logistic_cell {
	uint32_t row;
	double x;
};

struct logistic_column {
	const struct logistic_cell *cells; /* each row at most once */
	size_t n;
	double prior;     /* mean of its weight before any row is seen */
	double low, high; /* bounds of its weight, low <= high */
};

/*
 * Row i is positive with probability 1 / (1 + exp(-margin)), where margin =
 * offset[i] + the sum over columns of weight * x.
 */
struct logistic {
	size_t nrows;
	const double *offset;
	const double *importance; /* how many rows it stands for; 0: none */
	const bool *is_positive;
	size_t ncolumns;
	const struct logistic_column *columns;
	double deviation; /* of the prior: standard deviation, above 0 */
};

struct logistic_end {
	unsigned rounds;
	bool is_settled; /* the last round moved no weight by 1e-5 */
};

/*
 * The weights, one a column, that are the most probable within their bounds:
 * there is exactly one such point, and no chance in how it is found.
 */
struct logistic_end logistic_fit(
    struct arena *a, const struct logistic *problem, double *ret);

#endif
