/* SPDX-License-Identifier: BSD-2-Clause */
/* regex -- literals, Perl's ways on bytes, limits. */
#include "unit.h"

#include "rules/literal.h"
#include "rules/regex.h"
#include "rules/repeat.h"

static const struct regex_limits no_limits = {0};

/* The pattern of a literal, or "error". */
static struct str
pattern_of(struct arena *a, const char *literal)
{
	struct str pattern, why;
	return literal_parse(a, str_from(literal), &pattern, &why)
		   ? pattern
		   : STR("error");
}

static void
literals_are_read_as_perl_does(void **state)
{
	(void)state;
	static const struct {
		const char *literal, *want;
	} cases[] = {
	    {"/foo/", "foo"},
	    {"/foo/i", "(?i)foo"},
	    {"m{a{2}}ism", "(?ism)a{2}"},
	    {"m!a/b!", "a/b"},
	    {"qr(a)x", "(?x)a"},
	    {"m<x>", "x"},
	    {"/a\\/b/", "a\\/b"},
	    {"/foo/p", "foo"},
	    {"//", ""},
	    {"foo", "error"},
	    {"/foo", "error"},
	    {"/foo/g", "error"},
	    {"/foo/e", "error"},
	    {"/a/b/", "error"},
	    {"m\\a\\", "error"},
	    {"mfoom", "error"},
	    {"/", "error"},
	    {"", "error"},
	    {"m", "error"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_str(pattern_of(a, cases[i].literal), cases[i].want);
	arena_free(a);
}

static void
patterns_that_match_everything_are_odd(void **state)
{
	(void)state;
	assert_true(literal_oddity(STR("a|b")).len == 0);
	assert_true(literal_oddity(STR("a\\|")).len == 0);
	assert_true(literal_oddity(STR("(?i)|b")).len > 0);
	assert_true(literal_oddity(STR("(?:ab)")).len == 0);
	assert_true(literal_oddity(STR("(?|(a)|(b))c")).len == 0);
	assert_true(literal_oddity(STR("a||b")).len > 0);
	assert_true(literal_oddity(STR("(?i)")).len > 0);
}

/* "from-to" of the first match, "no", or why it does not compile. */
static struct str
match(struct arena *a, struct str pattern, struct str subject, bool is_fast)
{
	struct regex_env *env = regex_env_new(a, &no_limits);
	struct regex *re;
	struct str why;
	enum regex_status status = regex_new(env, pattern, &re, &why);
	if (status != REGEX_OK)
		return status == REGEX_BROKEN ? STR("broken")
					      : STR("unsupported");
	if (is_fast)
		regex_speed_up(re);
	struct regex_scratch *s = regex_scratch_new(a, env, NULL, NULL);
	struct regex_span span;
	if (regex_match(re, s, subject, 0, false, &span) != REGEX_YES)
		return STR("no");
	return str_printf(a, "%zu-%zu", span.from, span.to);
}

static void
matches_bytes_as_perl_does(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *subject, *want;
	} cases[] = {
	    {"a+", "xaab", "1-3"},
	    {"(?i)\xe9", "\xc9", "0-1"},         /* Latin-1 folds */
	    {"(?i)\xc3\xa9", "\xe3\xa9", "0-2"}, /* even inside UTF-8 */
	    {"(?i)\xd7", "\xf7", "no"},          /* times, division sign */
	    {"(?i)[\xe0-\xe2]", "\xc1", "0-1"},
	    {"\\w", "\xe9", "no"},
	    {"\\s", "\xa0", "no"},
	    {"[[:alpha:]]", "\xe9", "no"},
	    {"\\h", "\xa0", "0-1"},
	    {"\\R", "\x85", "0-1"},
	    {"a$", "a\n", "0-1"},
	    {"a.b", "a\nb", "no"},
	    {"^b", "a\nb", "no"},
	    {"(?m)^b", "a\nb", "2-3"},
	    {"b$?c", "bc", "0-2"}, /* quantified anchor */
	    {"(?:^)?b", "ab", "1-2"},
	    {"[$?^*]b", "?b", "0-2"},
	    {"\\$?b", "b", "0-1"},
	    {"xa{,2}y", "xaay", "0-4"}, /* at most two, since Perl 5.34 */
	    {"xa{,2}y", "xa{,2}y", "no"},
	    {"xa{ 2,\t3 }y", "xaaay", "0-5"}, /* blanks, too */
	    {"xa{1 }y", "xay", "0-3"},
	    {"{2}a|x", "{2}a", "0-4"}, /* nothing is there to repeat */
	    {"(?:{,2}a)", "{,2}a", "0-5"},
	    {"^?a", "a", "0-1"},
	    {"(?x) a ^ {0,1} b", "ab", "0-2"},
	    {"(?aai:A)(?^p:b)", "ab", "0-2"}, /* flags of Perl alone */
	    {"(?-i:a)(?s-i)b", "ab", "0-2"},
	    {"(?<N>a)(?<N>b)\\2", "abb", "0-3"},
	    {"\\bfoo", "x foo", "2-5"},
	    {"(a", "a", "broken"},
	    {"a**", "a", "broken"},
	    {"(?<=a+)b", "ab", "unsupported"},
	    {"\\x{100}", "a", "no"}, /* no byte is beyond FF */
	    {"a\\x{100}?b", "ab", "0-2"},
	    {"a\\x{100}+|b", "ab", "1-2"},
	    {"\\x{e9}\\x{00e9}", "\xe9\xe9", "0-2"},
	    {"b[i\\x{456}]t", "bit", "0-3"},
	    {"b[\\x{456}i]t", "bit", "0-3"},
	    {"b[\\x{456}]t|x", "bitx", "3-4"},
	    {"b[^\\x{456}]t", "b\nt", "0-3"},
	    {"b[^\\x{456}i]t", "bit", "no"},
	    {"[\\x{456}^]", "^", "0-1"},
	    {"[^\\x{456}^]", "^", "no"},
	    {"[]\\x{456}]", "]", "0-1"},
	    {"[a-\\x{456}]+", "`b\xff", "1-3"},
	    {"[\\x{400}-\\x{4ff}a]", "-a", "1-2"},
	    {"[a\\x{400}-\\x{4ff}-c]+", "ba-c", "1-4"},
	    {"[a\\x{456}-]+", "ba-", "1-3"},
	    {"[\\d-\\x{456}]+", "\xff-1", "1-3"},
	    {"[[:digit:]\\x{456}\\x41\\x{42}]+", "x1AB", "1-4"},
	    {"[\\x{456}-a]", "a", "unsupported"},
	    {"[\\x{456}", "a", "broken"},
	    {"(*UTF)a", "a", "unsupported"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int fast = 0; fast < 2; fast++)
			assert_str(match(a, str_from(cases[i].pattern),
				       str_from(cases[i].subject), fast),
			    cases[i].want);
	arena_free(a);
}

static void
zero_bytes_are_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_str(match(a, STR("a\\x00b"), STR("xa\0b"), true), "1-4");
	assert_str(match(a, STR("a.b"), STR("xa\0b"), true), "1-4");
	arena_free(a);
}

/* A pattern PCRE2's 8-bit library calls too large. */
static struct str
huge_pattern(struct arena *a)
{
	struct buf *b = buf_new(a, 400000);
	buf_put(b, STR("(?i)(?:"));
	for (int i = 0; i < 12000; i++)
		buf_printf(b, "word%05d\xe9|", i);
	buf_put(b, STR("last)\\b"));
	return buf_str(b);
}

static void
huge_patterns_are_matched(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str pattern = huge_pattern(a);
	for (int fast = 0; fast < 2; fast++) {
		assert_str(match(a, pattern, STR("\xff LAST!"), fast), "2-6");
		assert_str(
		    match(a, pattern, STR("- WORD11999\xc9x"), fast), "2-12");
		assert_str(match(a, pattern, STR("word1"), fast), "no");
	}
	arena_free(a);
}

static void
a_repeat_of_repeats_is_refused(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_str(
	    match(a, STR("(?:(?:(?:abc){900}){900}){900}"), STR("abc"), false),
	    "unsupported");
	arena_free(a);
}

static void
all_matches_are_found_once(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *subject;
		size_t want;
	} cases[] = {
	    {"a", "aaa", 3},
	    {"a*", "aab", 3}, /* aa, the empty one behind it, the end */
	    {"", "ab", 3},
	    {"\\b", "ab cd", 4},
	    {"(?=a)", "aa", 2},
	    {"x*$", "axx", 2},
	};
	struct arena *a = arena_new();
	struct regex_env *env = regex_env_new(a, &no_limits);
	struct regex_scratch *s = regex_scratch_new(a, env, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct regex *re;
		struct str why;
		assert_int_equal(
		    regex_new(env, str_from(cases[i].pattern), &re, &why),
		    REGEX_OK);
		regex_speed_up(re);
		size_t n = 0, from = 0;
		bool is_again = false;
		struct regex_span span;
		while (regex_match(re, s, str_from(cases[i].subject), from,
			   is_again, &span) == REGEX_YES) {
			n++;
			is_again = span.from == span.to;
			from = span.to;
		}
		assert_int_equal(n, cases[i].want);
	}
	arena_free(a);
}

static void
a_costly_match_is_given_up(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct regex_env *env =
	    regex_env_new(a, &(struct regex_limits){.match = 1000});
	struct regex *re;
	struct str why;
	struct buf *b = buf_new(a, 5000);
	for (int i = 0; i < 5000; i++)
		buf_putc(b, 'a');
	assert_int_equal(regex_new(env, STR("(a+)+[xy]"), &re, &why), REGEX_OK);
	struct regex_scratch *s = regex_scratch_new(a, env, NULL, NULL);
	struct regex_span span;
	for (int fast = 0; fast < 2; fast++) {
		assert_int_equal(
		    regex_match(re, s, buf_str(b), 0, false, &span),
		    REGEX_LIMIT);
		regex_speed_up(re);
	}
	arena_free(a);
}

static void
a_small_stack_is_told_from_a_limit(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct regex_env *env =
	    regex_env_new(a, &(struct regex_limits){.match = 500000000});
	struct regex *re;
	struct str why;
	size_t n = (size_t)4 << 20;
	struct buf *b = buf_new(a, n);
	for (size_t i = 0; i < n; i++)
		buf_putc(b, "ab"[i % 2]);
	assert_int_equal(
	    regex_new(env, STR("^(?:(a)|(b))*x"), &re, &why), REGEX_OK);
	regex_speed_up(re);
	struct regex_scratch *s = regex_scratch_new(a, env, NULL, NULL);
	struct regex_span span;
	assert_int_equal(
	    regex_match(re, s, buf_str(b), 0, false, &span), REGEX_STACK);
	arena_free(a);
}

static bool
is_third_call(void *arg)
{
	return ++*(int *)arg >= 3;
}

static void
a_long_text_is_left_when_time_is_up(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct regex_env *env = regex_env_new(a, &no_limits);
	int calls = 0;
	struct regex_scratch *s =
	    regex_scratch_new(a, env, is_third_call, &calls);
	struct regex *re;
	struct str why;
	assert_int_equal(regex_new(env, STR("z"), &re, &why), REGEX_OK);
	regex_speed_up(re);
	struct buf *b = buf_new(a, 1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		buf_putc(b, 'a');
	struct regex_span span;
	assert_int_equal(
	    regex_match(re, s, buf_str(b), 0, false, &span), REGEX_EXPIRED);
	assert_int_equal(calls, 3);
	assert_int_equal(
	    regex_match(re, s, STR("z"), 0, false, &span), REGEX_EXPIRED);
	arena_free(a);
}

static void
repeats_without_a_small_bound_are_counted(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		unsigned want;
	} cases[] = {
	    {"", 0},
	    {"abc", 0},
	    {"a*b+", 2},
	    {"a*?b+?", 2},
	    {"a*+b++c?+", 0},
	    {"(?:a+)+$", 2},
	    {"[*+]{3}\\*\\+", 0},
	    {"[]*+]x[^]*+]y[\\]*]", 0},
	    {"a{2}b{300}c{1,9}", 0},
	    {"a{2,}b{0,1000}c{,1000}", 3},
	    {"a{700,900}", 0},
	    {"a{,}b{x*}{", 1},
	    {"[a", 0},
	    {"\\", 0},
	    {"a{5", 0},
	    {"a{5,", 0},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (repeat_count(str_from(cases[i].pattern)) != cases[i].want)
			fail_msg("%s: %u", cases[i].pattern,
			    repeat_count(str_from(cases[i].pattern)));
}

static bool
never(void *arg)
{
	++*(unsigned *)arg;
	return false;
}

/*
 * From one start these take the square of the length, without one step that
 * PCRE2 counts: each call must try few starts, or the budget is asked too late.
 */
static void
repeats_that_multiply_are_tried_from_few_places_at_once(void **state)
{
	(void)state;
	static const char *const patterns[] = {"a{1,9000}a{1,9000}[bc]",
	    "a+a+[bc]", "(.+)\\1[bc]", "(.+)\\1+\\1[bc]"};
	struct arena *a = arena_new();
	struct regex_env *env = regex_env_new(a, &no_limits);
	struct buf *b = buf_new(a, 2000);
	while (!b->is_cut)
		buf_putc(b, 'a');
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		unsigned asked = 0;
		struct regex_scratch *s =
		    regex_scratch_new(a, env, never, &asked);
		struct regex *re;
		struct str why;
		struct regex_span span;
		assert_int_equal(
		    regex_new(env, str_from(patterns[i]), &re, &why), REGEX_OK);
		regex_speed_up(re);
		assert_int_equal(
		    regex_match(re, s, buf_str(b), 0, false, &span), REGEX_NO);
		assert_in_range(asked, 8, 64);
	}
	arena_free(a);
}

static void
windows_do_not_change_what_is_found(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	size_t n = 3000000;
	struct buf *b = buf_new(a, n + 100);
	for (size_t i = 0; i < n; i++)
		buf_putc(b, i % 70 == 69 ? '\n' : 'a');
	buf_put(b, STR("needle\n"));
	static const struct {
		const char *pattern, *want;
	} cases[] = {
	    {"needle", "3000000-3000006"},
	    {"(?<=\\n)a+needle", "2999990-3000006"},
	    {"(?m)^a+n", "2999990-3000001"},
	    {"^needle", "no"},
	    {"(?s)\\A.*e\\Z", "0-3000006"},
	    {"a+\\na+needle", "2999920-3000006"},

	    {"(e)\\1d+l+", "3000001-3000005"},
	    {"\\z", "3000007-3000007"},
	    {"$", "3000006-3000006"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_str(
		    match(a, str_from(cases[i].pattern), buf_str(b), true),
		    cases[i].want);
	arena_free(a);
}

/* The regex says where it matches from byte `from` on: "2-4", "no". */
static struct str
match_from(struct arena *a, struct regex_env *env, struct str pattern,
    bool is_unicode, struct str text, size_t from)
{
	struct regex *re;
	struct str why;
	struct regex_span span;
	struct regex_scratch *s = regex_scratch_new(a, env, NULL, NULL);
	assert_int_equal(is_unicode ? regex_new_unicode(env, pattern, &re, &why)
				    : regex_new(env, pattern, &re, &why),
	    REGEX_OK);
	regex_speed_up(re);
	return regex_match(re, s, text, from, false, &span) == REGEX_YES
		   ? str_printf(a, "%zu-%zu", span.from, span.to)
		   : STR("no");
}

/*
 * What is shorter than all matches is not tried.  With an alternative that is
 * empty, but never matches, it is: nothing else may change.
 */
static void
short_texts_are_left_out_only_if_nothing_can_match(void **state)
{
	(void)state;
	static const char *const patterns[] = {"abc", "(?<=ab)c", "a\\Kb",
	    "(?=abc)a", "a(?!b)", "^$", "\\z", "$", "\\Bb", "(?<=b)$", "a{3}",
	    "(?:ab){2,}", "(a)?(?(1)bc|d)", "(ab)\\1", "(?<!a)b", "a|bcd",
	    "(?i)\\xe4b", ".{2}", "(?s).", "(?m)^b", "a\\n?$"};
	static const char *const texts[] = {"", "a", "ab", "abc", "aaa", "abab",
	    "b\na\n", "d", "\xe4 b", "\xc3\xa4 b", "\n"};
	struct arena *a = arena_new();
	struct regex_env *env = regex_env_new(a, &no_limits);
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		struct str pattern = str_from(patterns[i]);
		struct str open = str_printf(a, "(?:%s)|\\b\\B", patterns[i]);
		for (size_t k = 0; k < 2 * COUNT_OF(texts); k++) {
			struct str text = str_from(texts[k / 2]);
			bool is_utf = k % 2 == 1;
			for (size_t at = 0; at <= text.len; at++)
				assert_str(match_from(a, env, pattern, is_utf,
					       text, at),
				    str_c(a, match_from(a, env, open, is_utf,
						 text, at)));
		}
	}
	arena_free(a);
}

/* What Perl warns of, SpamAssassin refuses. */
static void
refuses_what_perl_warns_of(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *want; /* "": it is fine */
	} cases[] = {
	    {"a{b}", "an unescaped {: write \\{ (at byte 1)"},
	    {"(?i)a|b{", "an unescaped {: write \\{ (at byte 7)"},
	    {"(a){b}", "an unescaped {: write \\{ (at byte 3)"},
	    {"[{]{", "an unescaped {: write \\{ (at byte 3)"},
	    {"\\d{b}", "an unescaped {: write \\{ (at byte 2)"},
	    {"\\x{41}{b}", "an unescaped {: write \\{ (at byte 6)"},
	    {"${b}", "an unescaped {: write \\{ (at byte 1)"},
	    {"a(?#b){c}", "an unescaped {: write \\{ (at byte 6)"},
	    {"(?x)a {b}", "an unescaped {: write \\{ (at byte 6)"},
	    {"a{,}", "an unescaped {: write \\{ (at byte 1)"},
	    {"a{1 2}", "an unescaped {: write \\{ (at byte 1)"},
	    {"\\{{", "an unescaped {: write \\{ (at byte 2)"},
	    {"{b}", ""},
	    {"(?:{b}|{c}|^{d})", ""},
	    {"a+{b}a++{b}(?i){b}", ""},
	    {"(?x)^ {b} # a{b}", ""},
	    {"[a{b}]", ""},
	    {"a{2}?", "a ? behind {n} says nothing (at byte 4)"},
	    {"a+{2}", "a quantifier behind another (at byte 2)"},
	    {"\\Qa\\E",
		"\\Q and \\E are nothing in a rule: escape each sign by "
		"itself (at byte 0)"},
	    {"\\b{wb}", "\\b{...} is not for bytes (at byte 0)"},
	    {"a{01}", "a number in {} begins with 0 (at byte 1)"},
	    {"a{0,02}", "a number in {} begins with 0 (at byte 1)"},
	    {"^*a", "what is repeated matches nothing (at byte 1)"},
	    {"\\b+a", "what is repeated matches nothing (at byte 2)"},
	    {"(?=a)*", "what is repeated matches nothing (at byte 5)"},
	    {"(?:^|$)+", "what is repeated matches nothing (at byte 7)"},
	    {"${2,}", "what is repeated matches nothing (at byte 1)"},
	    {"(?:^|a)+(?=a)?^{0,3}", ""},
	};
	struct arena *a = arena_new();
	struct regex_env *env = regex_env_new(a, &no_limits);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct regex *re;
		struct str why = STR_EMPTY;
		enum regex_status status =
		    regex_new(env, str_from(cases[i].pattern), &re, &why);
		assert_str(why, cases[i].want);
		assert_int_equal(
		    status, cases[i].want[0] == '\0' ? REGEX_OK : REGEX_BROKEN);
	}
	arena_free(a);
}

/* Each of the pieces seeks its end no further than it can be. */
static void
pieces_without_end_are_refused(void **state)
{
	(void)state;
	static const char *const pieces[] = {"[", "{", "[:", "\\x{43e}[",
	    "\\x{", "[\\x{43e}", "\\p{", "(?<", "[[:", "(?#"};
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct arena *a = arena_new();
		struct regex_env *env = regex_env_new(a, &no_limits);
		struct buf *b = buf_new(a, 1000000);
		struct regex *re;
		struct str why;
		buf_put(b, STR("[a]"));
		while (b->len < 990000)
			buf_put(b, str_from(pieces[i]));
		assert_int_not_equal(
		    regex_new(env, buf_str(b), &re, &why), REGEX_OK);
		arena_free(a);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(literals_are_read_as_perl_does),
    cmocka_unit_test(patterns_that_match_everything_are_odd),
    cmocka_unit_test(matches_bytes_as_perl_does),
    cmocka_unit_test(short_texts_are_left_out_only_if_nothing_can_match),
    cmocka_unit_test(refuses_what_perl_warns_of),
    cmocka_unit_test(zero_bytes_are_bytes),
    cmocka_unit_test(huge_patterns_are_matched),
    cmocka_unit_test(a_repeat_of_repeats_is_refused),
    cmocka_unit_test(all_matches_are_found_once),
    cmocka_unit_test(a_costly_match_is_given_up),
    cmocka_unit_test(a_small_stack_is_told_from_a_limit),
    cmocka_unit_test(a_long_text_is_left_when_time_is_up),
    cmocka_unit_test(repeats_without_a_small_bound_are_counted),
    cmocka_unit_test(repeats_that_multiply_are_tried_from_few_places_at_once),
    cmocka_unit_test(windows_do_not_change_what_is_found),
    cmocka_unit_test(pieces_without_end_are_refused),
};
UNIT_MAIN(tests)
