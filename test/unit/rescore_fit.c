/* SPDX-License-Identifier: BSD-2-Clause */
/* rescore_fit -- which scores move, how far, and what is said of it. */
#include "unit.h"

#include <math.h>

#include "cmd/rulework/rescore_fit.h"

static const struct rescore_options common = {
    .threshold = 5,
    .deviation = 0.5,
    .max_change = 2,
    .ham_weight = 1,
    .min_hits = 10,
    .folds = 4,
    .seed = 1,
    .jobs = 1,
};

static void
put(struct buf *b, bool is_spam, unsigned number, const char *hits)
{
	buf_printf(b,
	    "%s rules=x class=local score=1 size=1 us=1 hits=%s "
	    "file=%s.%u .\n",
	    is_spam ? "spam" : "ham", hits, is_spam ? "s" : "h", number);
}

/*
 * Spam has WEAK and GOOD and sometimes MANY, ham has BAD and KIND; LONE is
 * seldom there, OWN is userconf, HUGE is of its own.
 */
static void
mass_make(struct arena *a, bool is_backwards, struct mass *ret)
{
	struct buf *b = buf_new(a, 1 << 20);
	static const char *const rules[] = {
	    "WEAK score=1.000 flags=", "GOOD score=3.000 flags=",
	    "BAD score=3.000 flags=", "KIND score=-1.000 flags=nice",
	    "LONE score=2.000 flags=", "OWN score=2.000 flags=userconf",
	    "MANY score=0.100 flags=multiple", "TINY score=0.010 flags="};
	for (size_t i = 0; i < COUNT_OF(rules); i++)
		buf_printf(b, "rule rules=x type=body name=%s .\n", rules[i]);
	buf_put(b, STR("start rules=x version=1 date=1 subs=yes .\n"));
	for (unsigned k = 0; k < 40; k++) {
		unsigned i = is_backwards ? 39 - k : k;
		put(b, true, i,
		    i < 3    ? "WEAK,GOOD,LONE"
		    : i < 20 ? "WEAK,GOOD,MANY*9,__SUB"
			     : "WEAK,GOOD,OWN");
		put(b, false, i, i < 20 ? "BAD,TINY,WEAK" : "BAD,KIND");
	}
	assert_true(mass_read(a, buf_str(b), STR_EMPTY, ret));
}

static size_t
place_of(const struct mass *mass, const char *name)
{
	for (size_t i = 0; i < mass->rules.n; i++)
		if (str_eq(mass->rules.v[i].name, str_from(name)))
			return i;
	abort();
}

static void
scores_move_where_they_help(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	struct rescore r;
	mass_make(a, false, &mass);
	assert_true(rescore_fit(a, &mass, &common, &r));
	static const struct {
		const char *rule;
		int direction;
		enum rescore_kept kept;
	} rows[] = {
	    {"GOOD", 1, KEPT_NOT},
	    {"BAD", -1, KEPT_NOT},
	    {"KIND", -1, KEPT_NOT},
	    {"MANY", 1, KEPT_NOT},
	    {"TINY", -1, KEPT_NOT},
	    {"LONE", 0, KEPT_RARE},
	    {"OWN", 0, KEPT_USERCONF},
	    {"__SUB", 0, KEPT_UNSCORED},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t at = place_of(&mass, rows[i].rule);
		double moved = r.scores[at] - mass.rules.v[at].score;
		if ((moved > 0) - (moved < 0) != rows[i].direction)
			fail_msg("%s by %f", rows[i].rule, moved);
		assert_int_equal(r.kept[at], rows[i].kept);
	}
	assert_true(r.is_settled);
	arena_free(a);
}

static void
no_score_leaves_its_bounds(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	static const double changes[] = {0.01, 0.5, 100};
	struct mass mass;
	mass_make(a, false, &mass);
	for (size_t k = 0; k < COUNT_OF(changes); k++) {
		struct rescore_options o = common;
		struct rescore r;
		o.max_change = changes[k];
		o.deviation = 1000;
		assert_true(rescore_fit(a, &mass, &o, &r));
		for (size_t i = 0; i < mass.rules.n; i++) {
			double was = mass.rules.v[i].score;
			assert_true(
			    fabs(r.scores[i] - was) <= changes[k] + 0.0005);
			assert_true((was > 0) == (r.scores[i] > 0));
			assert_true((was < 0) == (r.scores[i] < 0));
			/* three decimals */
			assert_true(fabs(r.scores[i] * 1000 -
					 round(r.scores[i] * 1000)) < 1e-6);
		}
	}
	arena_free(a);
}

static void
the_order_of_the_log_and_the_jobs_change_nothing(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct rescore_options many = common;
	struct mass mass, back;
	struct rescore one, two, other;
	many.jobs = 4;
	mass_make(a, false, &mass);
	mass_make(a, true, &back);
	assert_true(rescore_fit(a, &mass, &common, &one));
	assert_true(rescore_fit(a, &mass, &many, &two));
	assert_true(rescore_fit(a, &back, &common, &other));
	for (size_t i = 0; i < mass.rules.n; i++) {
		assert_true(one.scores[i] == two.scores[i]);
		size_t at = place_of(&back, str_c(a, mass.rules.v[i].name));
		assert_true(fabs(one.scores[i] - other.scores[at]) < 0.0015);
	}
	assert_memory_equal(
	    one.folds, two.folds, (size_t)common.folds * sizeof(one.folds[0]));
	assert_memory_equal(one.folds, other.folds,
	    (size_t)common.folds * sizeof(one.folds[0]));
	arena_free(a);
}

static void
every_message_is_held_out_once(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	struct rescore r;
	mass_make(a, false, &mass);
	assert_true(rescore_fit(a, &mass, &common, &r));
	size_t ham = 0, spam = 0, errors = 0;
	for (size_t i = 0; i < common.folds; i++) {
		assert_int_equal(r.folds[i].before.ham, 10);
		assert_int_equal(r.folds[i].before.spam, 10);
		ham += r.folds[i].after.ham;
		spam += r.folds[i].after.spam;
		errors += r.folds[i].after.false_negatives;
	}
	assert_int_equal(ham, 40);
	assert_int_equal(spam, 40);
	assert_int_equal(r.held_out.after.false_negatives, errors);
	/* WEAK + GOOD = 4, with 9 * MANY 4.9, with LONE or OWN 6 */
	assert_int_equal(r.held_out.before.false_negatives, 17);
	assert_int_equal(r.held_out.before.false_positives, 0);
	assert_int_equal(r.fitted.after.false_negatives, 0);
	arena_free(a);
}

static void
too_little_mail_for_so_many_folds(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct rescore_options o = common;
	struct mass mass;
	struct rescore r;
	mass_make(a, false, &mass);
	o.folds = 41;
	assert_false(rescore_fit(a, &mass, &o, &r));
	o.folds = 40;
	assert_true(rescore_fit(a, &mass, &o, &r));
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(scores_move_where_they_help),
    cmocka_unit_test(no_score_leaves_its_bounds),
    cmocka_unit_test(the_order_of_the_log_and_the_jobs_change_nothing),
    cmocka_unit_test(every_message_is_held_out_once),
    cmocka_unit_test(too_little_mail_for_so_many_folds),
};

UNIT_MAIN(tests)
