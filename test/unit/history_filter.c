/* SPDX-License-Identifier: BSD-2-Clause */
/* history_filter -- what passes; times; pseudonyms are found by names. */
#include "unit.h"

#include "cmd/history/history_filter.h"
#include "session/pseudonym.h"

static const struct mac_key key = {{1, 2, 3}};

static struct history_entry
sample(void)
{
	struct history_entry e = {.time_wall = 1790000000,
	    .class = CLASS_RELAY,
	    .flags = HISTORY_IS_SCANNED,
	    .score = 5,
	    .rcpt = {STR("bob@example.net"), STR("carol@example.com")},
	    .nrcpt = 2,
	    .hits = {{.rule = STR("LINK_LURE"), .evidence = STR("")}},
	    .nhits = 1};
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		e.text[i] = STR_EMPTY;
	e.text[HISTORY_QUEUE_ID] = STR("4Xk2vB1Zz");
	e.text[HISTORY_MESSAGE_ID] = STR("Id.1@example.org");
	e.text[HISTORY_SENDER] = STR("Alice@example.org");
	e.text[HISTORY_CLIENT] = STR("192.0.2.7");
	e.text[HISTORY_HOST] = STR("pc.example.org");
	return e;
}

static bool
passes_text(enum history_text which, const char *text)
{
	struct arena *a = arena_new();
	struct history_entry e = sample();
	struct history_filter f = {0};
	f.text[which] = history_pattern_of(a, NULL, text);
	bool is_passed = history_filter_matches(&f, &e);
	arena_free(a);
	return is_passed;
}

static void
texts_are_compared_as_a_whole_without_case(void **state)
{
	(void)state;
	assert_true(passes_text(HISTORY_SENDER, "alice@EXAMPLE.org"));
	assert_true(passes_text(HISTORY_SENDER, "<alice@example.org>"));
	assert_true(passes_text(HISTORY_SENDER, "*@example.org"));
	assert_false(passes_text(HISTORY_SENDER, "alice"));
	assert_false(passes_text(HISTORY_SENDER, "<>"));
	assert_true(passes_text(HISTORY_CLIENT, "192.0.2.7"));
	assert_true(passes_text(HISTORY_CLIENT, "*.example.org"));
	assert_false(passes_text(HISTORY_LOGIN, "?*"));
}

static void
one_recipient_and_one_rule_are_enough(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct history_entry e = sample();
	struct history_filter f = {
	    .rcpt = history_pattern_of(a, NULL, "carol@example.com"),
	    .rule = history_pattern_of(a, NULL, "LINK_*")};
	assert_true(history_filter_matches(&f, &e));
	f.rcpt = history_pattern_of(a, NULL, "dave@example.com");
	assert_false(history_filter_matches(&f, &e));
	arena_free(a);
}

static void
numbers_have_bounds(void **state)
{
	(void)state;
	struct history_entry e = sample();
	const struct history_filter in = {.has_score_min = true,
	    .has_score_max = true,
	    .score_min = 5,
	    .score_max = 5,
	    .since_wall = 1790000000,
	    .until_wall = 1790000001,
	    .has_class = true,
	    .class = CLASS_RELAY};
	struct history_filter f = in;
	assert_true(history_filter_matches(&f, &e));
	f.score_min = 5.1;
	assert_false(history_filter_matches(&f, &e));
	f = in;
	f.until_wall = 1790000000;
	assert_false(history_filter_matches(&f, &e));
	f = in;
	f.class = CLASS_LOCAL;
	assert_false(history_filter_matches(&f, &e));
	f = in;
	e.flags = 0; /* not scanned */
	assert_false(history_filter_matches(&f, &e));
}

static void
an_id_is_any_of_three(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct history_entry e = sample();
	struct history_filter f = {0};
	static const struct {
		const char *id;
		bool is_found;
		const char *queue_id;
	} cases[] = {{"4Xk2vB1Zz", true, "4Xk2vB1Zz"},
	    {"4xk2vb1zz", false, "4Xk2vB1Zz"}, {"Id.1@example.org", true, ""},
	    {"<Id.1@example.org>", true, ""}, {"id.1@EXAMPLE.org", true, ""},
	    {"id", false, ""},
	    /* a number in hex, and what is none */
	    {"3F2A1B3C9D", true, "3F2A1B3C9D"},
	    {"3f2a1b3c9d", true, "3F2A1B3C9D"},
	    {"3f2a1b3c9z", false, "3F2A1B3C9Z"}, {"0vv3kpPQ", true, ""},
	    {"0Vv3kpPQ", false, ""}};
	e.text[HISTORY_ID] = STR("0vv3kpPQ");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		e.text[HISTORY_QUEUE_ID] = str_from(cases[i].queue_id);
		history_filter_id(a, NULL, cases[i].id, &f);
		assert_int_equal(
		    history_filter_matches(&f, &e), cases[i].is_found);
	}
	arena_free(a);
}

static void
names_find_pseudonyms(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct history_entry e = sample();
	struct history_filter f = {0};
	e.flags |= HISTORY_IS_HASHED;
	e.text[HISTORY_SENDER] =
	    pseudonym_of(a, &key, STR("alice@example.org"));
	static const struct {
		const char *pattern;
		bool is_found;
	} cases[] = {{"Alice@Example.org", true}, {"*@example.org", true},
	    {"*@example.com", false}, {"bob@example.org", false},
	    {"alice*", false}, {"*@*.org", false}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		f.text[HISTORY_SENDER] =
		    history_pattern_of(a, &key, cases[i].pattern);
		assert_int_equal(
		    history_filter_matches(&f, &e), cases[i].is_found);
	}
	arena_free(a);
}

static void
a_pseudonym_is_of_name_and_key(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	const struct mac_key other = {{1, 2, 4}};
	struct str one = pseudonym_of(a, &key, STR("alice@example.org"));
	assert_int_equal(one.len, 35);
	assert_int_equal(one.p[0], '#');
	assert_true(str_find(one, STR("@#")) == 17);
	assert_true(
	    str_eq(one, pseudonym_of(a, &key, STR("ALICE@example.org"))));
	assert_false(
	    str_eq(one, pseudonym_of(a, &key, STR("alicf@example.org"))));
	assert_false(
	    str_eq(one, pseudonym_of(a, &other, STR("alice@example.org"))));
	/* the same user elsewhere is somebody else */
	struct str two = pseudonym_of(a, &key, STR("alice@example.com"));
	assert_false(str_eq(str_sub(one, 0, 17), str_sub(two, 0, 17)));
	assert_int_equal(pseudonym_of(a, &key, STR("alice")).len, 17);
	assert_int_equal(pseudonym_of(a, &key, STR("")).len, 0);
	arena_free(a);
}

static void
times_are_ages_or_dates(void **state)
{
	(void)state;
	int64_t wall;
	static const struct {
		const char *text;
		int64_t wall; /* 0: refused */
	} cases[] = {{"2h", 1790000000 - 7200}, {"90m", 1790000000 - 5400},
	    {"1970-01-03Z", 172800}, {"2026-11-30Z", 1795996800},
	    {"2026-11-30T10:00:00Z", 1796032800},
	    {"2026-11-30 10:00Z", 1796032800}, {"", 0}, {"2", 0}, {"soon", 0},
	    {"2026-13-01", 0}, {"2026-02-29", 0}, {"2026-02-29Z", 0},
	    {"2026-04-31 10:00Z", 0}, {"2024-02-29Z", 1709164800},
	    {"2026-11-30x", 0}, {"-1h", 0}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool is_read =
		    history_time_parse(cases[i].text, 1790000000, &wall);
		assert_int_equal(is_read, cases[i].wall != 0);
		if (is_read)
			assert_int_equal(wall, cases[i].wall);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_compared_as_a_whole_without_case),
	    cmocka_unit_test(one_recipient_and_one_rule_are_enough),
	    cmocka_unit_test(numbers_have_bounds),
	    cmocka_unit_test(an_id_is_any_of_three),
	    cmocka_unit_test(names_find_pseudonyms),
	    cmocka_unit_test(a_pseudonym_is_of_name_and_key),
	    cmocka_unit_test(times_are_ages_or_dates),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
