/* SPDX-License-Identifier: BSD-2-Clause */
/* demand -- rules that no meta needs are left out, and nothing else changes. */
#include "unit.h"

#include <limits.h>

#include "base/buf.h"
#include "base/clock.h"
#include "rules/clause.h"
#include "rules/expr.h"
#include "rules/ruleset.h"

#define VARIABLES 5

static uint32_t seed;

/* Below `n`; the same numbers each time. */
static unsigned
draw(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

/* --- clauses */

static bool
letter(void *arg, struct expr_builder *b, struct str name, struct str *ret_why)
{
	(void)arg;
	(void)ret_why;
	expr_emit_variable(b, (uint32_t)(name.p[0] - 'A'));
	return true;
}

static struct expr *
expr_of(struct arena *a, struct str text)
{
	static const char *const functions[] = {NULL};
	const struct expr_names names = {
	    .name = letter, .functions = functions};
	struct str why = STR_EMPTY;
	struct expr *e = expr_new(a, text, &names, &why);
	if (e == NULL)
		fail_msg("%.*s: %.*s", STR_ARG(text), STR_ARG(why));
	return e;
}

/* "1:AB 0:C" */
static struct str
clauses_text(struct arena *a, const struct clauses *clauses)
{
	struct buf *b = buf_new(a, 1000);
	for (size_t i = 0; i < clauses->n; i++) {
		const struct clause *clause = &clauses->v[i];
		buf_printf(b, "%s%zu:", i > 0 ? " " : "", clause->least);
		for (size_t k = 0; k < clause->n; k++)
			buf_putc(b, (char)('A' + clause->v[k]));
	}
	return buf_str(b);
}

struct clauses_case {
	const char *text, *want;
};

static void
clauses_match(
    const struct clauses_case *cases, size_t n, const unsigned most[VARIABLES])
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		bool is_flag;
		struct clauses clauses = expr_clauses(
		    a, expr_of(a, str_from(cases[i].text)), most, &is_flag);
		struct str got = clauses_text(a, &clauses);
		if (!str_eq(got, str_from(cases[i].want)))
			fail_msg("%s: [%.*s], want [%s]", cases[i].text,
			    STR_ARG(got), cases[i].want);
		arena_free(a);
	}
}

static void
needs_are_found(void **state)
{
	(void)state;
	static const unsigned most[VARIABLES] = {1, 1, 1, 1, 0};
	static const struct clauses_case cases[] = {
	    {"A", "1:A"},
	    {"A && B", "1:A 1:B"},
	    {"A || B", "1:AB"},
	    {"A && !B", "1:A 0:B"},
	    {"A && !(B || C)", "1:A 0:BC"},
	    {"A && (B || C && D)", "1:A 1:BC 1:BD"},
	    {"(A || B) && C + D >= 2", "1:AB 2:CD"},
	    {"A + B + C > 1", "2:ABC"},
	    {"2 <= A + B + C", "2:ABC"},
	    {"A + B + C >= 1.5", "2:ABC"},
	    {"A + B == 2", "2:AB"},
	    {"A + B + E > 1", "1:ABE"}, /* E may be 2 */
	    {"A + A + B > 1", "1:AB"},
	    {"A + B < 1", "0:AB"},
	    {"A + B == 0", "0:AB"},
	    {"A + B != 0", "1:AB"},
	    {"A * B", "1:A 1:B"},
	    {"A > B", "1:A"},
	    {"A - B", "1:AB"},
	    {"A >= 0", ""},
	    {"A < 5", ""},
	    {"!A", "0:A"},
	    {"1", ""},
	    {"A ? B : C", ""},
	    {"A < B < C", ""},
	    {"A / B", "1:A"},
	    {"(A && B) + C >= 1", "1:AC 1:BC"},
	    {"A + B >= 70000", "3:AB"}, /* it never is */
	    {"!(A + B >= 1)", "0:AB"},
	    {"!(A + B == 1)", ""}, /* both will do */
	    {"!(A == 0.5)", ""},
	    {"!(E * 2)", "0:E"},
	    {"!(E * 0.5)", ""}, /* it may be too small to be halved */
	    {"A && 0", "1:A 1:"},
	    {"0", "1:"},
	    {"!0", ""},
	    {"A || 0", "1:A"},
	    {"A + B + A > 2", "2:AB"},
	    {"(A && B) + C + D > 2", "2:CD"},
	    {"(A || B) + C > 1", "1:C"},
	};
	clauses_match(cases, COUNT_OF(cases), most);
}

/* C is 2 at most and D 3. */
static void
needs_of_larger_numbers_are_found(void **state)
{
	(void)state;
	static const unsigned most[VARIABLES] = {1, 1, 2, 3, 0};
	static const struct clauses_case cases[] = {{"A + C > 1", "1:AC"},
	    {"A + C > 2", "2:AC"}, {"A + B + C > 3", "2:ABC"},
	    {"C + D > 3", "2:CD"}, {"C > 2", "2:C"}, /* it never is */
	    {"D >= 3", "1:D"}, {"D >= 3.5", "2:D"}, {"D == 7", "2:D"},
	    {"(A || B) + C + D > 3", "1:CD"}, {"(A || B) + A + C > 3", "2:AC"},
	    {"A + C + E > 5", "1:ACE"}, {"(A || C) + B > 1", "1:ACB"},
	    {"C + D < 1", "0:CD"}, {"C * D > 1", "1:C 1:D"},
	    {"C && D > 3", "1:C 2:D"}};
	clauses_match(cases, COUNT_OF(cases), most);
}

/* A name of five. */
static void
letter_put(struct buf *b, unsigned unused)
{
	(void)unused;
	buf_putc(b, (char)('A' + draw(VARIABLES)));
}

/* Of names that `name_put` draws; it is given `n`. */
static void
expression_put(struct buf *b, unsigned depth,
    void (*name_put)(struct buf *b, unsigned n), unsigned n)
{
	static const char *const operators[] = {"&&", "&&", "||", "+", "+", "-",
	    "*", "/", ">", ">=", "<", "<=", "==", "!=", "^"};
	unsigned kind = depth == 0 ? draw(5) : draw(10);
	if (kind < 4) {
		name_put(b, n);
	} else if (kind == 4) {
		buf_printf(b, "%u", draw(4));
	} else if (kind == 5) {
		buf_put(b, STR("!("));
		expression_put(b, depth - 1, name_put, n);
		buf_putc(b, ')');
	} else {
		buf_putc(b, '(');
		expression_put(b, depth - 1, name_put, n);
		buf_printf(b, " %s ", operators[draw(COUNT_OF(operators))]);
		expression_put(b, depth - 1, name_put, n);
		buf_putc(b, ')');
	}
}

static bool
clause_holds(const struct clause *clause, const double *values)
{
	size_t n = 0;
	for (size_t i = 0; i < clause->n; i++)
		n += values[clause->v[i]] != 0;
	return clause->least == 0 ? n == 0 : n >= clause->least;
}

/*
 * What is other than 0 has all that it needs, whatever A to E are.  Returns how
 * many clauses there are.
 */
static size_t
needs_check(struct arena *a, struct str text)
{
	static const unsigned most[VARIABLES] = {1, 1, 1, 2, 0};
	static const double large[] = {0, 1, 2.5, 1e-308, 1e308};
	const struct expr *e = expr_of(a, text);
	bool is_flag;
	struct clauses clauses = expr_clauses(a, e, most, &is_flag);
	for (unsigned n = 0; n < 2 * 2 * 2 * 3 * 5; n++) {
		double values[VARIABLES] = {
		    n % 2, n / 2 % 2, n / 4 % 2, n / 8 % 3, large[n / 24]};
		double value = expr_value(e, values, NULL);
		assert_true(!is_flag || value == 0 || value == 1);
		for (size_t k = 0; k < clauses.n && value != 0; k++)
			if (!clause_holds(&clauses.v[k], values))
				fail_msg(
				    "clause %zu of %.*s", k, STR_ARG(text));
	}
	return clauses.n;
}

static void
needs_are_needed(void **state)
{
	(void)state;
	size_t nclauses = 0;
	seed = 1;
	for (unsigned i = 0; i < 3000; i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 10000);
		expression_put(b, 1 + draw(4), letter_put, 0);
		nclauses += needs_check(a, buf_str(b));
		arena_free(a);
	}
	assert_true(nclauses > 1000);
}

/* Infinite times 0 and 0 by no number are other than 0 to && and !. */
static void
needs_of_extreme_numbers_are_needed(void **state)
{
	(void)state;
	static const char *const texts[] = {
	    "E * E * A && B",
	    "A * (E * E) && B",
	    "(E + E) * A && B",
	    "A / (E * E * C) && B",
	    "!(E * E * A) && B",
	    "!(E * 0.001 * 0.0000000000000000001)",
	    "E * E * A == 0",
	    "E * E * A != 0",
	    "E * E - E * E || B",
	    "A * 2 > E * E * B",
	    "-(E * E) * A && B",
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct arena *a = arena_new();
		(void)needs_check(a, str_from(texts[i]));
		arena_free(a);
	}
}

/* --- rules */

#define WORDS 60
#define METAS 60

/* A name of the rules that are there when meta number `n` is written. */
static void
name_put(struct buf *b, unsigned n)
{
	unsigned i = draw(WORDS + n);
	if (i < WORDS)
		buf_printf(b, "%s%u", i % 7 == 0 ? "W" : "__W", i);
	else
		buf_printf(b, "%s%u", i % 3 == 0 ? "M" : "__M", i - WORDS);
}

static void
meta_put(struct buf *b, unsigned n)
{
	static const char *const joints[] = {" && ", " || ", " + ", " && !"};
	static const char *const ends[] = {" >= 2", " > 2", " == 1", " < 1"};
	const char *sub = (n + WORDS) % 3 == 0 ? "M" : "__M";
	if (draw(9) == 0)
		buf_printf(b, "score %s%u 0\n", sub, n);
	buf_printf(b, "meta %s%u ", sub, n);
	unsigned kind = draw(4);
	if (kind == 0) {
		expression_put(b, 1 + draw(3), name_put, n);
		buf_putc(b, '\n');
		return;
	}
	if (kind == 1) {
		buf_put(b, draw(2) == 0 ? STR("!(") : STR("("));
		for (unsigned k = 2 + draw(4); k > 0; k--) {
			name_put(b, n);
			buf_put(b, k > 1 ? STR(" + ") : STR_EMPTY);
		}
		buf_printf(b, "%s)\n", ends[draw(COUNT_OF(ends))]);
		return;
	}
	for (unsigned k = 1 + draw(3); k > 0; k--) {
		name_put(b, n);
		buf_printf(b, "%s", joints[draw(COUNT_OF(joints))]);
	}
	name_put(b, n);
	buf_putc(b, '\n');
}

/*
 * Rules on all that a message has, and metas of them; `is_multiple`: some may
 * hit more than once.
 */
static struct str
rules_text(struct arena *a, bool is_multiple)
{
	static const struct {
		const char *type, *before, *after;
	} kinds[] = {
	    {"body", "/\\b", "\\b/"},
	    {"body", "/", "\\s+word/"},
	    {"rawbody", "/", "/"},
	    {"header", "Subject =~ /", "/"},
	    {"header", "X-List !~ /", "/"},
	    {"header", "Subject:raw =~ /", "$/m"},
	    {"uri", "/", "\\.example/"},
	    {"full", "/", "/"},
	    {"mimeheader", "Content-Type =~ /", "/"},
	};
	struct buf *b = buf_new(a, 100000);
	buf_put(b, STR("util_rb_tld example\n"));
	for (unsigned i = 0; i < WORDS; i++) {
		const char *sub = i % 7 == 0 ? "W" : "__W";
		unsigned kind = draw(COUNT_OF(kinds));
		buf_printf(b, "%s %s%u %sword%u%s\n", kinds[kind].type, sub, i,
		    kinds[kind].before, draw(WORDS / 2), kinds[kind].after);
		if (draw(8) == 0 && is_multiple)
			buf_printf(
			    b, "tflags %s%u multiple maxhits=3\n", sub, i);
		if (draw(20) == 0)
			buf_printf(b, "priority %s%u %d\n", sub, i,
			    draw(2) == 0 ? -10 : 10);
		if (i % 7 == 0 && draw(4) == 0)
			buf_printf(b, "score W%u 0\n", i);
	}
	buf_put(b, STR("body LETTERS /(?:o|\\xc3.|wo?r)/\n"
		       "tflags LETTERS multiple maxhits=20\n"
		       "rawbody SIGNS /[<>]/\ntflags SIGNS multiple\n"));
	for (unsigned i = 0; i < METAS; i++)
		meta_put(b, i);
	return buf_str(b);
}

static struct str
mail_text(struct arena *a)
{
	struct buf *b = buf_new(a, 10000);
	buf_printf(b,
	    "Subject: a word%u and word%u\n"
	    "Content-Type: text/html; name=word%u\n",
	    draw(WORDS / 2), draw(WORDS / 2), draw(WORDS / 2));
	if (draw(2) == 0)
		buf_printf(b, "X-List: word%u\n", draw(WORDS / 2));
	buf_putc(b, '\n');
	for (unsigned i = draw(12); i > 0; i--)
		buf_printf(b,
		    "<p>word%u word <a href=\"http://word%u.example/\">"
		    "link</a></p>\n",
		    draw(WORDS / 2), draw(WORDS / 2));
	return buf_str(b);
}

/* Rules that have hit, with their values and what they show. */
static struct str
hits_of(struct arena *a, const struct ruleset *rules, struct str mail,
    struct rule_costs *costs)
{
	struct rule_run run = {.now = 1704067200, .costs = costs};
	struct rule_result result;
	struct message *m =
	    message_new(a, mail, ruleset_mail_config(rules), NULL);
	ruleset_run(rules, m, &run, &result);
	struct buf *b = buf_new(a, 100000);
	for (size_t i = 0; i < result.hits.n; i++) {
		const struct rule_hit *hit = &result.hits.v[i];
		buf_printf(b, "%.*s=%g*%u [%.*s]\n", STR_ARG(hit->rule),
		    hit->value, hit->count, STR_ARG(hit->evidence));
	}
	buf_printf(b, "%g\n", result.score);
	return buf_str(b);
}

/* As hits_of(), with the prefilters of the rules made first. */
static struct str
hits_filtered(struct arena *a, struct ruleset *rules, struct str mail,
    struct rule_costs *costs)
{
	struct filter_options filter = {
	    .cpu_ns = clock_cpu_ns, .cache = STR_EMPTY};
	struct filter_made made;
	assert_true(ruleset_filter(rules, &filter, &made));
	return hits_of(a, rules, mail, costs);
}

/* What was once found to differ. */
static void
nothing_changes_for(void **state)
{
	(void)state;
	static const struct {
		const char *label, *rules;
	} cases[] = {
	    {"a meta without score that holds keeps others from being run",
		"meta OFF __ONE\n"
		"score OFF 0\n"
		"meta __NEVER __NONE && OFF\n"
		"meta HIT !__NEVER\n"},
	    {"not just one of two", "meta HIT !(__ONE + __TWO == 1)\n"},
	    {"an infinite number of none",
		"meta __BIG __ONE * "
		"10000000000000000000000000000000000000000000000000000\n"
		"meta __HUGE __BIG * __BIG * __BIG * __BIG\n"
		"meta HIT __HUGE * __HUGE * __NONE && __TWO\n"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct ruleset_options options = {0};
		struct str mail = STR("Subject: one\n\none two\n");
		struct str text = str_concat(a,
		    STR("header __ONE Subject =~ /one/\n"
			"body __TWO /two/\n"
			"rawbody __NONE /none/\n"),
		    str_from(cases[i].rules), STR_EMPTY);
		struct ruleset *rules =
		    ruleset_load_text(STR("t.cf"), text, &options, &diags);
		struct str want = hits_of(a, rules, mail, NULL);
		struct str got = hits_filtered(a, rules, mail, NULL);
		if (!str_eq(got, want))
			fail_msg("%s: got\n%.*swant\n%.*s", cases[i].label,
			    STR_ARG(got), STR_ARG(want));
		ruleset_free(rules);
		arena_free(a);
	}
}

static int64_t
clock_runs(void)
{
	static int64_t now;
	return ++now;
}

/* What nothing looks at is not made. */
static void
views_are_made_for_rules_alone(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct ruleset_options options = {0};
	struct ruleset *rules = ruleset_load_text(STR("t.cf"),
	    STR("header ONE Subject =~ /one/\n"), &options, &diags);
	struct rule_costs *costs = rule_costs_new(a, rules, clock_runs);
	(void)hits_filtered(a, rules, STR("Subject: one\n\none\n"), costs);
	for (size_t i = 0; i < costs->n; i++)
		if (str_eq(costs->v[i].rule, STR("<body text>")) ||
		    str_eq(costs->v[i].rule, STR("<rawbody text>")) ||
		    str_eq(costs->v[i].rule, STR("<links>")))
			assert_int_equal(costs->v[i].ns, 0);
	ruleset_free(rules);
	arena_free(a);
}

static int64_t
clock_stands(void)
{
	return 0;
}

static uint64_t
tries_of(const struct rule_costs *costs)
{
	uint64_t n = 0;
	for (size_t i = 0; i < costs->n; i++)
		n += costs->v[i].strings;
	return n;
}

/*
 * The same with every rule tried as with those that something hangs on, which
 * are fewer.
 */
static void
nothing_else_changes(void **state)
{
	(void)state;
	uint64_t all = 0, needed = 0;
	seed = 7;
	for (unsigned i = 0; i < 200; i++) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct ruleset_options options = {0};
		struct filter_options filter = {
		    .cpu_ns = clock_cpu_ns, .cache = STR_EMPTY};
		struct filter_made made;
		struct str mails[20], want[20];
		struct str text = rules_text(a, true);
		struct ruleset *rules =
		    ruleset_load_text(STR("t.cf"), text, &options, &diags);
		struct rule_costs *costs =
		    rule_costs_new(a, rules, clock_stands);
		for (size_t k = 0; k < COUNT_OF(mails); k++) {
			mails[k] = mail_text(a);
			want[k] = hits_of(a, rules, mails[k], costs);
		}
		all += tries_of(costs);
		rule_costs_clear(costs);
		assert_true(ruleset_filter(rules, &filter, &made));
		for (size_t k = 0; k < COUNT_OF(mails); k++) {
			struct str got = hits_of(a, rules, mails[k], costs);
			if (!str_eq(got, want[k]))
				fail_msg("rules\n%.*s\nmail\n%.*s\ngot\n%.*s\n"
					 "want\n%.*s",
				    STR_ARG(text), STR_ARG(mails[k]),
				    STR_ARG(got), STR_ARG(want[k]));
		}
		needed += tries_of(costs);
		ruleset_free(rules);
		arena_free(a);
	}
	assert_true(needed < all / 2);
}

/* True from the call on whose number is `*arg`. */
static bool
is_called_often(void *arg)
{
	unsigned *left = arg;
	*left -= *left > 0;
	return *left == 0;
}

static bool
has_hit(const struct rule_result *result, struct str rule)
{
	size_t i = 0;
	while (i < result->hits.n && !str_eq(result->hits.v[i].rule, rule))
		i++;
	return i < result->hits.n;
}

static bool
has_trouble(const struct rule_result *result, struct str rule)
{
	size_t i = 0;
	while (
	    i < result->troubles.n && !str_eq(result->troubles.v[i].rule, rule))
		i++;
	return i < result->troubles.n;
}

/* Nothing hits that does not with more time; what would have hit is told. */
static void
timed_check(const struct rule_result *timed, const struct rule_result *all)
{
	for (size_t i = 0; i < timed->hits.n; i++)
		if (!has_hit(all, timed->hits.v[i].rule))
			fail_msg("%.*s hits", STR_ARG(timed->hits.v[i].rule));
	for (size_t i = 0; i < all->hits.n; i++)
		if (!has_hit(timed, all->hits.v[i].rule) &&
		    !has_trouble(timed, all->hits.v[i].rule))
			fail_msg(
			    "%.*s is not told", STR_ARG(all->hits.v[i].rule));
}

static struct rule_result
run_within(struct arena *a, const struct ruleset *rules, struct str mail,
    unsigned calls)
{
	struct rule_run run = {
	    .now = 1704067200, .is_expired = is_called_often, .arg = &calls};
	struct rule_result result;
	struct message *m =
	    message_new(a, mail, ruleset_mail_config(rules), NULL);
	ruleset_run(rules, m, &run, &result);
	return result;
}

static void
what_had_no_time_is_told(void **state)
{
	(void)state;
	seed = 11;
	for (unsigned i = 0; i < 40; i++) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct ruleset_options options = {0};
		struct ruleset *rules = ruleset_load_text(
		    STR("t.cf"), rules_text(a, false), &options, &diags);
		struct str mail = mail_text(a);
		(void)hits_filtered(a, rules, mail, NULL);
		const struct rule_result all =
		    run_within(a, rules, mail, UINT_MAX);
		bool is_cut = true;
		for (unsigned calls = 1; is_cut; calls++) {
			const struct rule_result timed =
			    run_within(a, rules, mail, calls);
			timed_check(&timed, &all);
			is_cut = timed.is_out_of_time;
		}
		ruleset_free(rules);
		arena_free(a);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(needs_are_found),
    cmocka_unit_test(needs_of_larger_numbers_are_found),
    cmocka_unit_test(needs_are_needed),
    cmocka_unit_test(needs_of_extreme_numbers_are_needed),
    cmocka_unit_test(nothing_changes_for),
    cmocka_unit_test(views_are_made_for_rules_alone),
    cmocka_unit_test(nothing_else_changes),
    cmocka_unit_test(what_had_no_time_is_told),
};
UNIT_MAIN(tests)
