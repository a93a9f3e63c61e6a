/* SPDX-License-Identifier: BSD-2-Clause */
/* expr -- any bytes as the expression of a meta and as a condition. */
#include "fuzz.h"

#include "rules/clause.h"
#include "rules/condition.h"
#include "rules/eval.h"
#include "rules/expr.h"

static bool
letter(void *arg, struct expr_builder *b, struct str name, struct str *ret_why)
{
	(void)arg;
	if (name.p[0] >= 'A' && name.p[0] <= 'D') {
		expr_emit_variable(b, (uint32_t)(name.p[0] - 'A'));
		return true;
	}
	*ret_why = STR("no such name");
	return false;
}

static bool
sum(void *arg, struct expr_builder *b, struct str function, struct str argument,
    struct str *ret_why)
{
	(void)arg;
	(void)function;
	(void)ret_why;
	static const uint32_t all[] = {0, 1, 2, 3};
	expr_emit_sum(b, all, argument.len % 5);
	return true;
}

static bool
clause_holds(const struct clause *clause, const double *values)
{
	size_t n = 0;
	for (size_t i = 0; i < clause->n; i++)
		n += values[clause->v[i]] != 0;
	return clause->least == 0 ? n == 0 : n >= clause->least;
}

/* What an expression needs holds whenever it is other than 0. */
static void
clauses_check(struct arena *a, const struct expr *e)
{
	static const unsigned most[] = {1, 1, 2, 0};
	static const double large[] = {0, 2.5, 1e308};
	bool is_flag;
	struct clauses clauses = expr_clauses(a, e, most, &is_flag);
	for (unsigned i = 0; i < 2 * 2 * 3 * 3; i++) {
		double values[] = {i % 2, i / 2 % 2, i / 4 % 3, large[i / 12]};
		double value = expr_value(e, values, NULL);
		if (is_flag && value != 0 && value != 1)
			abort();
		for (size_t k = 0; k < clauses.n && value != 0; k++)
			if (!clause_holds(&clauses.v[k], values))
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const functions[] = {"sum", NULL};
	static const struct expr_names names = {letter, sum, functions, NULL};
	static const double values[] = {0, 1, -2.5, 1e308};
	static const struct eval_row *const evals[] = {NULL};
	static const struct plugins plugins = {.evals = evals};
	struct str text = str_of((const char *)data, size);
	struct arena *a = arena_new();
	struct str why = STR_EMPTY;
	const struct expr *e = expr_new(a, text, &names, &why);
	if ((e == NULL) != (why.len > 0))
		abort();
	bool is_undefined;
	if (e != NULL) {
		(void)expr_value(e, values, &is_undefined);
		clauses_check(a, e);
	}
	bool holds;
	why = STR_EMPTY;
	if (!condition_read(a, text, &plugins, &holds, &why) && why.len == 0)
		abort();
	arena_free(a);
	return 0;
}
