/* SPDX-License-Identifier: BSD-2-Clause */
/* meta -- expressions of `meta` and `if` lines. */
#include "unit.h"

#include "rules/condition.h"
#include "rules/eval.h"
#include "rules/expr.h"

/* A, B, ... stand for values[0], values[1], ...; other names are refused. */
static bool
letter(void *arg, struct expr_builder *b, struct str name, struct str *ret_why)
{
	(void)arg;
	if (name.len == 1 && name.p[0] >= 'A' && name.p[0] <= 'F') {
		expr_emit_variable(b, (uint32_t)(name.p[0] - 'A'));
		return true;
	}
	*ret_why = STR("no such name");
	return false;
}

static bool
sum_of_all(void *arg, struct expr_builder *b, struct str function,
    struct str argument, struct str *ret_why)
{
	(void)arg;
	(void)function;
	(void)argument;
	(void)ret_why;
	static const uint32_t all[] = {0, 1, 2};
	expr_emit_sum(b, all, COUNT_OF(all));
	return true;
}

static const char *const functions[] = {"sum", NULL};
static const struct expr_names names = {
    .name = letter, .call = sum_of_all, .functions = functions};

static const struct expr_case {
	const char *text;
	double want;
} cases[] = {
    /* A B C D E F = 0 1 2 3 -1 0.5 */
    {"0", 0},
    {"1.5", 1.5},
    {"A", 0},
    {"C", 2},
    {"!A", 1},
    {"!C", 0},
    {"!!C", 1},
    {"A || C", 2}, /* the deciding operand */
    {"D || C", 3},
    {"B && C", 2},
    {"A && C", 0},
    {"B && C && D", 3},
    {"A || A && B", 0},
    {"B || A && A", 1},
    {"(B || A) && A", 0},
    {"B + C * D", 7},
    {"(B + C) * D", 9},
    {"D - C - B", 0},
    {"D / C / C", 0.75},
    {"B+1", 2},
    {"B -1", 0},
    {"-C + D", 1},
    {"- - C", 2},
    {"+C", 2},
    {"C > 1", 1},
    {"C>=2", 1},
    {"C < 2", 0},
    {"C <= 2", 1},
    {"C == 2", 1},
    {"C != 2", 0},
    {"C>1 == D>1", 1}, /* comparison binds tighter than equality */
    {"B + C > 2", 1},
    {"!A + B", 2}, /* ! binds tightest */
    {"!(A + B)", 0},
    {"C ^ D", 1},
    {"B ^ A && C", 2}, /* ^ binds tighter than && */
    {"A == 0 ^ 1", 0},
    {"A ? C : D", 3},
    {"B ? C : D", 2},
    {"A ? B : B ? C : D", 2},
    {"B ? A ? 5 : 6 : 7", 6},
    {"(A ? C : D) + B", 4},
    {"A < B < C", 1}, /* chained, since Perl 5.32 */
    {"A < C < B", 0},
    {"D > C > B > A", 1},
    {"D > C > D > A", 0},
    {"B == B == B && C", 2},
    {"C == C == B", 0},
    {"(D > B > A) + (A < B < B)", 1},
    {"E", -1},
    {"E < 0", 1},
    {"F", 0.5},
    {"sum(x)", 3},
    {"sum( x ) >= 3 && !A", 1},
    {"((((((B))))))", 1},
    {"B\t&&\vC", 2},
};

static void
expressions_have_perls_values(void **state)
{
	(void)state;
	static const double values[] = {0, 1, 2, 3, -1, 0.5};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str why = STR_EMPTY;
		const struct expr *e =
		    expr_new(a, str_from(cases[i].text), &names, &why);
		if (e == NULL || expr_value(e, values, NULL) != cases[i].want)
			fail_msg("%s: %.*s", cases[i].text, STR_ARG(why));
	}
	arena_free(a);
}

static const struct watch_case {
	const char *text, *want;
} watch_cases[] = {
    /* A B C D E F = 0 1 2 3 -1 0.5 */
    {"A", "A"}, {"0", ""}, {"B && 0", ""}, {"B && A", "A"},
    {"A && B && C", "A"}, {"B && (A || !C)", "AC"}, {"B && !C && A", "C"},
    {"(A + B > 5) && A", "A"}, {"B && (C && A)", "A"}, {"A || A && B", "AAB"},
    {"(A || A) && !B", "B"}, {"(A && B) || A", "ABA"},
    {"A ? B : A && C", "ABAC"}, {"!(B && C)", "BC"}, {"(A && B) < 0", "AB"},
    {"A && B < C < D", "A"}, {"B && A < A < C", "AAC"},
    {"sum(x) > 3 && D", "ABC"}, {"B && C", "BC"}, /* it is not 0 */
};

static void
of_a_conjunction_one_part_is_watched(void **state)
{
	(void)state;
	static const double values[] = {0, 1, 2, 3, -1, 0.5};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(watch_cases); i++) {
		const struct watch_case *c = &watch_cases[i];
		struct str why = STR_EMPTY;
		const struct expr *e =
		    expr_new(a, str_from(c->text), &names, &why);
		assert_non_null(e);
		struct expr_variables watched = expr_watch(e, values);
		bool is_same = watched.n == strlen(c->want);
		for (size_t k = 0; is_same && k < watched.n; k++)
			is_same = watched.v[k] == (uint32_t)(c->want[k] - 'A');
		if (!is_same)
			fail_msg("%s: not %s", c->text, c->want);
	}
	arena_free(a);
}

static bool
is_watched(const struct expr_variables *watched, uint32_t index)
{
	for (size_t i = 0; i < watched->n; i++)
		if (watched->v[i] == index)
			return true;
	return false;
}

/* Of all values 0, 1 and 2 that the variables may have. */
static void
values_count(unsigned number, double *ret)
{
	for (size_t i = 0; i < 6; i++, number /= 3)
		ret[i] = number % 3;
}

static void
what_is_watched_decides_whether_it_stays_0(void **state)
{
	(void)state;
	double rest[6], values[6];
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(watch_cases); i++) {
		struct str why;
		const struct expr *e =
		    expr_new(a, str_from(watch_cases[i].text), &names, &why);
		for (unsigned n = 0; n < 3 * 3 * 3 * 3; n++) {
			values_count(n, rest);
			if (expr_value(e, rest, NULL) != 0)
				continue;
			struct expr_variables watched = expr_watch(e, rest);
			for (unsigned m = 0; m < 3 * 3 * 3 * 3; m++) {
				values_count(m, values);
				for (uint32_t k = 0; k < 6; k++)
					if (is_watched(&watched, k))
						values[k] = rest[k];
				if (expr_value(e, values, NULL) != 0)
					fail_msg("%s", watch_cases[i].text);
			}
		}
	}
	arena_free(a);
}

static void
nonsense_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", " ", "A B", "A &&", "&& A",
	    "A & B", "A | B", "(A", "A)", "()", "A ? B", "A ? B :", "1.2.3",
	    "A = B", "A ** B", "A % B", "A, B", "sum", "sum(", "sum A", "zz",
	    "1A", "A and B", "$x", "A;", "!", "- ", "A !B", "\xc3\xa9", "."};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct str why = STR_EMPTY;
		if (expr_new(a, str_from(bad[i]), &names, &why) != NULL ||
		    why.len == 0)
			fail_msg("[%s] was taken", bad[i]);
	}
	arena_free(a);
}

static void
division_by_zero_is_undefined_not_fatal(void **state)
{
	(void)state;
	static const double values[] = {0, 1, 2};
	struct arena *a = arena_new();
	struct str why;
	bool is_undefined = false;
	struct expr *e = expr_new(a, STR("B / A + 1"), &names, &why);
	assert_true(expr_value(e, values, &is_undefined) == 1);
	assert_true(is_undefined);
	e = expr_new(a, STR("A && B / A"), &names, &why); /* not reached */
	assert_true(expr_value(e, values, &is_undefined) == 0);
	assert_false(is_undefined);
	arena_free(a);
}

static void
nesting_is_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str why;
	static const char *const open[] = {"(", "!", "-", "A?", "A?A:"};
	for (size_t i = 0; i < COUNT_OF(open); i++) {
		struct buf *b = buf_new(a, 1 << 20);
		for (int n = 0; n < 100000; n++)
			buf_put(b, str_from(open[i]));
		assert_null(expr_new(a, buf_str(b), &names, &why));
		assert_str(why, "the expression is nested too deeply");
	}
	struct buf *b = buf_new(a, 1 << 20);
	for (int n = 0; n < 100000; n++)
		buf_put(b, STR("B+"));
	buf_put(b, STR("B"));
	struct expr *e = expr_new(a, buf_str(b), &names, &why);
	assert_non_null(e);
	static const double values[] = {0, 1};
	assert_true(expr_value(e, values, NULL) == 100001);
	assert_int_equal(expr_variables(e)->n, 100001);
	arena_free(a);
}

static int
never(struct eval_call *call)
{
	(void)call;
	return 0;
}

static const struct eval_row html[] = {
    {.name = "html_test", .source = "HTMLEval", .run = never},
    {.name = "check_body_length", .source = "BodyEval", .run = never},
    {0},
};
static const struct eval_row *const evals[] = {html, NULL};
static const struct plugins plugins = {.evals = evals};

#define P "Mail::SpamAssassin::Plugin::"
#define C "Mail::SpamAssassin::Conf::"

static void
conditions_are_answered_for_what_is_built_in(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int want; /* -1: an error */
	} questions[] = {
	    {"version >= 3.004000", 1},
	    {"(version >= 4.000000)", 1},
	    {"version < 4.000000", 0},
	    {"perl_version >= 5.010000", 1},
	    {"plugin(" P "MIMEHeader)", 1},
	    {"plugin (" P "HTMLEval)", 1},
	    {"plugin( " P "HTMLEval )", 1},
	    {"plugin(" P "DKIM)", 0},
	    {"!plugin(" P "DKIM)", 1},
	    {"!(!plugin(" P "DKIM))", 0},
	    {"plugin(HTMLEval)", 0},
	    {"can(" C "feature_bug6558_free)", 1},
	    {"can(" C "feature_dns_query_restriction)", 0},
	    {"has(" P "BodyEval::has_check_body_length)", 1},
	    {"has(" P "BodyEval::check_body_length)", 1},
	    {"can(" P "BodyEval::check_body_length)", 0},
	    {"has(" P "HTMLEval::check_body_length)", 0},
	    {"has(" C "compat_old_words)", 0},
	    {"can(" P "HTMLEval::has_check_body_length)", 0},
	    {"can(" P "MIMEHeader::has_tflags_range)", 1},
	    {"plugin(" P "HTMLEval) && version > 4", 1},
	    {"local_tests_only", 1},
	    {"can(nothing)", -1},
	    {"can(:x)", -1},
	    {"version >=", -1},
	    {"perl", -1},
	    {"", -1},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		bool holds = false;
		struct str why = STR_EMPTY;
		bool is_fine = condition_read(
		    a, str_from(questions[i].text), &plugins, &holds, &why);
		if ((is_fine ? (int)holds : -1) != questions[i].want)
			fail_msg("%s: %d %.*s", questions[i].text,
			    is_fine ? (int)holds : -1, STR_ARG(why));
	}
	arena_free(a);
}

static void
a_file_may_name_what_it_is_compatible_with(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct plugins own = {.evals = evals};
	bool holds = false;
	struct str why;
	assert_false(plugins_compat(&own, a, STR("")));
	assert_false(plugins_compat(&own, a, STR("old words")));
	assert_true(plugins_compat(&own, a, STR("old_words")));
	assert_true(condition_read(a,
	    STR("can(" C "compat_old_words) && has(" C "compat_old_words)"),
	    &own, &holds, &why));
	assert_true(holds);
	assert_true(condition_read(
	    a, STR("can(" C "compat_new_words)"), &own, &holds, &why));
	assert_false(holds);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(expressions_have_perls_values),
    cmocka_unit_test(of_a_conjunction_one_part_is_watched),
    cmocka_unit_test(what_is_watched_decides_whether_it_stays_0),
    cmocka_unit_test(nonsense_is_refused),
    cmocka_unit_test(division_by_zero_is_undefined_not_fatal),
    cmocka_unit_test(nesting_is_bounded),
    cmocka_unit_test(conditions_are_answered_for_what_is_built_in),
    cmocka_unit_test(a_file_may_name_what_it_is_compatible_with),
};
UNIT_MAIN(tests)
