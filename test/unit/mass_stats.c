/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_stats -- figures by hand. */
#include "unit.h"

#include <math.h>

#include "cmd/rulework/mass_stats.h"

#define NEAR(got, want) assert_true(fabs((got) - (want)) < 1e-6)

/* `ham` and `spam`: what hit each message, as in the log. */
static void
mass_of(struct arena *a, const char *const *ham, const char *const *spam,
    struct mass *ret)
{
	struct buf *b = buf_new(a, 1 << 20);
	static const char *const names[] = {"A", "B", "C", "KIND", "__SUB"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		buf_printf(b,
		    "rule rules=x name=%s type=body score=%d flags= .\n",
		    names[i], names[i][0] == 'K' ? -1 : 1);
	buf_put(b, STR("start rules=x version=1 date=1 subs=yes .\n"));
	for (int k = 0; k < 2; k++) {
		const char *const *v = k == 0 ? ham : spam;
		for (int i = 0; v[i] != NULL; i++)
			buf_printf(b,
			    "%s rules=x class=%s score=%d size=1 us=1 hits=%s "
			    "file=%d.%d .\n",
			    k == 0 ? "ham" : "spam", i == 0 ? "relay" : "local",
			    (int)strlen(v[i]), v[i], k, i);
	}
	assert_true(mass_read(a, buf_str(b), STR_EMPTY, ret));
}

static const struct mass_rule *
rule_of(const struct mass *mass, const char *name)
{
	for (size_t i = 0; i < mass->rules.n; i++)
		if (str_eq(mass->rules.v[i].name, str_from(name)))
			return &mass->rules.v[i];
	abort();
}

static const char *const four_ham[] = {"C,KIND", "C", "KIND", "-", NULL};
static const char *const four_spam[] = {
    "A,B,__SUB", "A,B,__SUB", "A,C", "A,C", NULL};

static void
rates_of_a_rule(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	mass_of(a, four_ham, four_spam, &mass);
	static const struct {
		const char *rule;
		double so, bits;
	} rows[] = {
	    {"A", 1, 1},              /* tells all */
	    {"B", 1, 0.311278124},    /* h(1/4) - h(1/2) / 2 */
	    {"C", 0.5, 0},            /* tells nothing */
	    {"KIND", 0, 0.311278124}, /* hits ham, as it should */
	    {"__SUB", 1, 0.311278124},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct mass_rule *rule = rule_of(&mass, rows[i].rule);
		NEAR(mass_spam_over_all(&mass, rule), rows[i].so);
		NEAR(mass_information(&mass, rule), rows[i].bits);
	}
	/* the other way round all of them speak against themselves */
	mass_of(a, four_spam, four_ham, &mass);
	NEAR(mass_information(&mass, rule_of(&mass, "A")), -1);
	NEAR(mass_information(&mass, rule_of(&mass, "KIND")), -0.311278124);
	NEAR(mass_information(&mass, rule_of(&mass, "__SUB")), 0.311278124);
	arena_free(a);
}

static void
the_best_rule_ranks_first(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	size_t n;
	mass_of(a, four_ham, four_spam, &mass);
	const struct mass_ranked *ranked = mass_rank(a, &mass, &n);
	static const struct {
		const char *rule;
		double rank;
	} rows[] = {
	    {"A", 1}, {"B", 0.75}, {"KIND", 0.75}, {"__SUB", 0.75}, {"C", 0}};
	assert_int_equal(n, COUNT_OF(rows));
	for (size_t i = 0; i < n; i++) {
		assert_str(mass.rules.v[ranked[i].rule].name, rows[i].rule);
		NEAR(ranked[i].rank, rows[i].rank);
	}
	arena_free(a);
}

static void
a_rule_that_hits_nothing_has_no_rank(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	static const char *const ham[] = {"A", NULL}, *const none[] = {NULL};
	struct mass mass;
	size_t n;
	mass_of(a, ham, none, &mass);
	const struct mass_ranked *ranked = mass_rank(a, &mass, &n);
	assert_int_equal(n, 1);
	NEAR(ranked[0].rank, 1);
	NEAR(mass_spam_over_all(&mass, rule_of(&mass, "B")), 0);
	arena_free(a);
}

static void
pairs_that_hit_together(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	struct mass_pairs pairs;
	mass_of(a, four_ham, four_spam, &mass);
	mass_overlap(a, &mass, 0.5, 2, &pairs);
	static const struct {
		const char *a, *b;
		unsigned both;
		double share;
	} rows[] = {
	    {"B", "__SUB", 2, 1},
	    {"A", "B", 2, 0.5},
	    {"A", "__SUB", 2, 0.5},
	};
	assert_int_equal(pairs.n, COUNT_OF(rows));
	for (size_t i = 0; i < pairs.n; i++) {
		assert_str(mass.rules.v[pairs.v[i].a].name, rows[i].a);
		assert_str(mass.rules.v[pairs.v[i].b].name, rows[i].b);
		assert_int_equal(pairs.v[i].both, rows[i].both);
		NEAR(pairs.v[i].share, rows[i].share);
	}
	mass_overlap(a, &mass, 0.3, 2, &pairs); /* A and C: 2 of 6 */
	assert_int_equal(pairs.n, COUNT_OF(rows) + 1);
	mass_overlap(a, &mass, 0.01, 3, &pairs);
	assert_int_equal(pairs.n, 0);
	arena_free(a);
}

static void
errors_of_a_threshold(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	/* scores: as long as the text of hits: 6, 1, 4, 1 and 9, 9, 3, 3 */
	mass_of(a, four_ham, four_spam, &mass);
	struct mass_errors e = mass_errors_at(&mass, STR_EMPTY, 4);
	assert_int_equal(e.ham, 4);
	assert_int_equal(e.spam, 4);
	assert_int_equal(e.false_positives, 2);
	assert_int_equal(e.false_negatives, 2);
	NEAR(mass_tcr(&e, 1), 1);
	NEAR(mass_tcr(&e, 50), 4.0 / 102);
	e = mass_errors_at(&mass, STR("relay"), 4);
	assert_int_equal(e.ham + e.spam, 2);
	assert_int_equal(e.false_positives, 1);
	assert_int_equal(e.false_negatives, 0);
	e = mass_errors_at(&mass, STR("notice"), 4);
	assert_int_equal(e.ham + e.spam, 0);
	assert_true(isinf(mass_tcr(&e, 50)));
	arena_free(a);
}

static void
a_bound_is_wider_for_fewer_messages(void **state)
{
	(void)state;
	/* Wilson's formula, computed apart */
	static const struct {
		size_t hits, messages;
		double bound;
	} rows[] = {
	    {0, 9, 0.2991450},
	    {5, 10, 0.7634069},
	    {10, 10, 1},
	    {0, 0, 1},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		NEAR(mass_rate_bound(rows[i].hits, rows[i].messages),
		    rows[i].bound);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rates_of_a_rule),
    cmocka_unit_test(the_best_rule_ranks_first),
    cmocka_unit_test(a_rule_that_hits_nothing_has_no_rank),
    cmocka_unit_test(pairs_that_hit_together),
    cmocka_unit_test(errors_of_a_threshold),
    cmocka_unit_test(a_bound_is_wider_for_fewer_messages),
};

UNIT_MAIN(tests)
