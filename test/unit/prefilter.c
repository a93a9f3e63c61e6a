/* SPDX-License-Identifier: BSD-2-Clause */
/* prefilter -- factors, passes, looks and their cache. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/capture.h"
#include "rules/factor.h"
#include "rules/heads.h"
#include "rules/hs_db.h"
#include "rules/literal_set.h"
#include "rules/look.h"
#include "rules/look_cache.h"
#include "rules/prefilter.h"
#include "rules/regex.h"
#include "rules/stretch.h"

/* "a|b & c / d": factors by &, clauses by /; /i if folded; "?": nothing known.
 */
static struct str
show(struct arena *a, const struct clauses *clauses)
{
	struct buf *b = buf_new(a, 10000);
	for (size_t i = 0; i < clauses->n; i++) {
		const struct factors *must = &clauses->v[i];
		buf_printf(b, "%s", i > 0 ? " / " : "");
		for (size_t k = 0; k < must->n; k++) {
			const struct factor *factor = &must->v[k];
			buf_printf(b, "%s", k > 0 ? " & " : "");
			for (size_t m = 0; m < factor->any.n; m++) {
				buf_printf(b, "%s", m > 0 ? "|" : "");
				buf_put(b, factor->any.v[m]);
			}
			buf_printf(b, "%s", factor->is_folded ? "(i)" : "");
			if (factor->times > 1)
				buf_printf(b, " x%u", factor->times);
		}
	}
	if (clauses->n == 0)
		buf_printf(b, clauses->is_never ? "never" : "?");
	return buf_str(b);
}

static void
factors_are_what_a_match_cannot_lack(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *want;
	} cases[] = {
	    {"viagra", "viagra"},
	    {"(?i)Viagra", "viagra(i)"},
	    {"\\bfree\\b money$", "free money"},
	    {"flavou?r", "flavor|flavour"},
	    {"gr[ae]y", "gray|grey"},
	    {"ab+c", "bc & ab"},
	    {"ab*c", "c & a"},
	    {"(?:ab){2}", "abab"},
	    {"a{0}b", "b"},
	    {"foo.*bar", "foo & bar"},
	    {"(?:foo|bar)baz", "barbaz|foobaz"},
	    {"(?:x.y|w)z", "z & w|x"},
	    {"first.one|second.two", "first & one / second & two"},
	    {"a(?=b)c", "ac"},
	    {"a(?!b)c(?<=c)d", "acd"},
	    {"(a)\\1b", "b & a"},
	    {"\\x41\\e\\t", "A\033\t"},
	    {"[\\x41]", "A"},
	    {"a#b(?#c)+d", "a#b & bd"},
	    {"(?x) a b # c\n d", "abd"},
	    {"\\Qa.b\\Ec", "a.bc"},
	    {"a(?i)b|c", "ab|c(i)"},
	    {"a(?i:b)c", "abc(i)"},
	    {"a{,2}b", "b"},
	    {"a{b", "a{b"},
	    {"$?a", "a"},
	    {"(?<N>ab)(?P=N)c", "ab & c"},
	    {"(?:ab.){5}", "ab x5"},
	    {"(?:(?:ab.|cd.){2}e?){3,}", "ab|cd x6"},
	    {"(?:(?:ab.){3}|cd.){2}", "ab x3 / cd"},
	    /* what may be anything, or is not understood */
	    {".", "?"},
	    {"a?", "?"},
	    {"a|", "?"},
	    {"[^a]", "?"},
	    {"\\w\\W", "?"},
	    {"(?R)?a", "?"},
	    {"a(*ACCEPT)b", "?"},
	    {"(?(1)a|b)", "?"},
	    {"a{2}{3}", "?"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct clauses clauses =
		    factors_of(a, str_from(cases[i].pattern), false);
		struct str got = show(a, &clauses);
		if (got.len == 0 || !str_eq(got, str_from(cases[i].want)))
			print_error("of %s\n", cases[i].pattern);
		assert_true(got.len > 0);
		assert_str(got, cases[i].want);
	}
	arena_free(a);
}

/* Whatever a message fills in for a tag. */
static void
a_tag_is_a_gap(void **state)
{
	(void)state;
	static const struct {
		const char *marked, *want;
	} cases[] = {
	    {"https://x/%\\{TO\\}&a=1", "https://x/ & &a=1"},
	    {"%\\{TO\\}", "?"},
	    {"ab[%\\{TO\\}]", "?"},
	    {"ab%\\{OTHER\\}", "ab%{OTHER}"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str pattern =
		    capture_gap(a, str_from(cases[i].marked), STR("TO"));
		struct clauses clauses = factors_of(a, pattern, false);
		assert_str(show(a, &clauses), cases[i].want);
	}
	arena_free(a);
}

static void
a_tag_is_needed_where_nothing_can_leave_it_out(void **state)
{
	(void)state;
	static const struct {
		const char *marked;
		bool want;
	} cases[] = {
	    {"%\\{TO\\}", true},
	    {"(?i)^https?://.{10,128}(?:\\.html?|\\/)?(?:#|e=)%\\{TO\\}", true},
	    {"[]#|(]%\\{TO\\}+$", true},
	    {"[^][:alpha:]\\]|(]%\\{TO\\}", true},
	    {"\\(%\\{TO\\}\\|", true},
	    {"(?<x>a|b)%\\{TO\\}", true},
	    {"%\\{TO\\}?|%\\{TO\\}", false},
	    {"a%\\{TO\\}?", false},
	    {"a%\\{TO\\}*b", false},
	    {"a%\\{TO\\}{0,2}b", false},
	    {"a%\\{TO\\}|b", false},
	    {"(?:%\\{TO\\}|b)", false},
	    {"(?!%\\{TO\\})a", false},
	    {"[%\\{TO\\}]", false},
	    {"\\%\\{TO\\}", false},
	    {"\\\\%\\{TO\\}", false},
	    {"a(?#%\\{TO\\}", false},
	    {"(?ix)a # (%\\{TO\\}\n", false},
	    {"(?s-x:a)%\\{TO\\}", false},
	    {"(*ACCEPT)%\\{TO\\}", false},
	    {"\\Q(\\E%\\{TO\\}", false},
	    {"[a%\\{TO\\}", false},
	    {"%\\{OTHER\\}", false},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (capture_is_needed(a, str_from(cases[i].marked),
			STR("TO")) != cases[i].want)
			fail_msg("%s", cases[i].marked);
	arena_free(a);
}

static void
matches_in_ascii_have_factors_of_their_own(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str pattern = STR("(?i)p(?:a|@|\\xc3\\xa0)y");
	struct clauses all = factors_of(a, pattern, false);
	struct clauses ascii = factors_of(a, pattern, true);
	assert_str(show(a, &all), "p@y|pay|p\xc3\xa0y|p\xe3\xa0y(i)");
	assert_str(show(a, &ascii), "p@y|pay(i)");
	struct clauses never = factors_of(a, STR("a\\xe9+b"), true);
	assert_str(show(a, &never), "never");
	arena_free(a);
}

/* A prefilter of one pattern. */
static struct prefilter *
prefilter_of(struct arena *a, struct str pattern, uint32_t *ret_slot)
{
	struct prefilter_builder *b = prefilter_builder_new(a);
	*ret_slot = prefilter_add(b, pattern);
	return prefilter_build(a, b, hs_pool_new(a), NULL);
}

/* The numbers of the strings that are left: "0 3". */
static struct str
left(struct arena *a, struct str pattern, const struct strs *strings)
{
	uint32_t slot;
	struct buf *b = buf_new(a, 10000);
	struct prefilter *p = prefilter_of(a, pattern, &slot);
	assert_int_not_equal(slot, PREFILTER_NONE);
	assert_non_null(p);
	struct candidates *c = prefilter_pass(p, a, strings, NULL, NULL);
	assert_non_null(c);
	struct candidate_cursor cursor = candidates_begin(c, slot);
	size_t last = SIZE_MAX;
	for (struct candidate_place place; candidates_next(c, &cursor, &place);
	     last = place.string)
		if (place.string != last)
			buf_printf(
			    b, "%s%zu", b->len > 0 ? " " : "", place.string);
	return buf_str(b);
}

/* Where matches may begin: "string:from-until string:from-until". */
static struct str
places(struct arena *a, struct str pattern, const struct strs *strings)
{
	uint32_t slot;
	struct buf *b = buf_new(a, 10000);
	struct prefilter *p = prefilter_of(a, pattern, &slot);
	struct candidates *c = prefilter_pass(p, a, strings, NULL, NULL);
	struct candidate_cursor cursor = candidates_begin(c, slot);
	for (struct candidate_place place; candidates_next(c, &cursor, &place);)
		buf_printf(b, "%s%zu:%zu-%zu", b->len > 0 ? " " : "",
		    place.string, place.from, place.until);
	return buf_str(b);
}

static void
a_pass_leaves_strings_in_order(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct strs strings = {0};
	static const char *const texts[] = {"cheap pills", "", "pills",
	    "pills, CHEAP", "caf\xc3\xa9", "chea", "p pills", "cheap",
	    "ac\xe9x"};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		strs_add(a, &strings, str_from(texts[i]));
	assert_str(left(a, STR("(?i)cheap"), &strings), "0 3 7");
	/* there is no room for "cheap" in front of the other pills */
	assert_str(left(a, STR("cheap.*pills"), &strings), "0");
	assert_str(left(a, STR("(?i)c(?:hea|aff)[p\\xe9]"), &strings), "0 3 7");
	/* poor but for plain text: others are left if their bytes fit */
	assert_str(left(a,
		       STR("(?i)[a@\\xc0-\\xff]c[h\\x80-\\xff]?"
			   "[\\x80-\\xff]+x|zq[\\x80-\\xff]*qz"),
		       &strings),
	    "8");
	arena_free(a);
}

static void
a_pass_knows_where_matches_may_begin(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text, *want;
	} cases[] = {
	    {"cheap", "so cheap", "0:3-3"},
	    {"cheap.*pills", "so cheap, these pills", "0:0-11"},
	    {"\\d{2,5}cheap", "number 123cheap", "0:5-9"},
	    {"\\d+cheap", "number 123cheap", "0:0-10"},
	    {"x?cheap", "cheap and, for all of us, cheap", "0:0-0 0:25-26"},
	    {"x?cheap", "cheap and cheap", "0:0-10"},
	    {"cheap.one|very free",
		"free cheap one and many other things very free",
		"0:5-5 0:37-37"},
	    {"(?:very )?cheap", "a cheap\nb", "0:0-2"},
	    /* the last two have no three behind them */
	    {"(?:cheap[^;]*;){3}", "cheap; cheap; very cheap; cheap; cheap;",
		"0:0-19"},
	    {"(?:cheap[^;]*;){3}", "cheap; cheap", ""},
	    /* too early for what must be in front of it */
	    {"\\d{9}cheap", "12345cheap", ""},
	    /* what is not plain is where the match is */
	    {"[a\\xc0-\\xff]x[b\\xc0-\\xff]y[c\\xc0-\\xcf]",
		"so \xe9q and \xc1"
		"xby\xc2",
		"0:6-14"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str text = str_from(cases[i].text);
		struct strs one = {&text, 1, 1};
		struct str got = places(a, str_from(cases[i].pattern), &one);
		if (!str_eq(got, str_from(cases[i].want)))
			print_error("of %s\n", cases[i].pattern);
		assert_str(got, cases[i].want);
	}
	arena_free(a);
}

/* What a hostile text makes many of is kept as few. */
static void
places_of_one_string_are_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 2 << 20);
	for (unsigned i = 0; i < 30000; i++)
		buf_printf(b, "cheap%60s", "");
	struct str text = buf_str(b);
	struct strs one = {&text, 1, 1};
	uint32_t slot;
	struct prefilter *p = prefilter_of(a, STR("cheap"), &slot);
	struct candidates *c = prefilter_pass(p, a, &one, NULL, NULL);
	struct candidate_cursor cursor = candidates_begin(c, slot);
	struct candidate_place place = {0};
	size_t n = 0, next = 0;
	for (; candidates_next(c, &cursor, &place); n++) {
		assert_true(n == 0 || place.from > next);
		next = place.until;
	}
	assert_true(n > 1000 && n < 20000);
	assert_int_equal(place.until, 29999 * 65);
	arena_free(a);
}

/* The places that are left: "3 7-9". */
static struct str
places_shown(struct arena *a, const struct starts *starts, struct str text)
{
	struct buf *b = buf_new(a, 1000);
	struct places places;
	if (starts == NULL)
		return STR("?");
	for (size_t from = 0;
	     starts_next(starts, text, from, text.len, &places);
	     from = places.last + 1) {
		buf_printf(b, "%s%zu", b->len > 0 ? " " : "", places.first);
		if (places.last != places.first)
			buf_printf(b, "-%zu", places.last);
	}
	return buf_str(b);
}

static struct str
starts_shown(struct arena *a, struct str pattern, unsigned lead,
    bool keeps_last, struct str text)
{
	return places_shown(
	    a, factor_starts_of(a, pattern, lead, keeps_last), text);
}

static void
the_first_bytes_tell_where_a_match_may_begin(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text, *want;
	} cases[] = {
	    {"cheap", "so cheap chess, very cheapness", "3 21"},
	    {"(?i)cheap", "so CHEAP, so cheque now", "3"},
	    {"(?:very )?(?:cheap|free)", "cheap, very free, overfree",
		"0 7 12 22"},
	    {"[^a-z]x{2,}y", "1xxy, axxy, -xx- 2xz...", "0"},
	    {"(?=foo)bar|(?:a|b)?cd", "foobar bar acd...", "3 7 11-12"},
	    {"(?:a?){9}xyz", "axyz bxyz aaaay...", "0-1 6 10"},
	    {"(?:^|\\s)\\d\\d:", "at 12:30 or 1230:...", "2-3 14"},
	    {"\\bend", "the end...", "4"},
	    {"chea?", "cheq chea ch che", "0 5 13"},
	    {"(a)\\1", "xyzxyza", "6"},
	    {"a..d", "abcd abdd. a", "0 5"},
	    /* anything */
	    {"a*", "xyz", "0-3"},
	    {".?.?.?.?foo", "xyza", "0"},
	    {"(?R)?a", "xyz", "?"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str got = starts_shown(a, str_from(cases[i].pattern), 0,
		    false, str_from(cases[i].text));
		if (!str_eq(got, str_from(cases[i].want)))
			print_error("of %s\n", cases[i].pattern);
		assert_str(got, cases[i].want);
	}
	arena_free(a);
}

static void
bytes_behind_the_first_pieces_tell_it_too(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		unsigned lead;
		bool keeps_last;
		const char *text, *want;
	} cases[] = {
	    {"\\s?viagra", 1, false, "a viagra", "1-2"},
	    {"(?:\\b|\\s)[_\\W]{0,3}viag", 2, false, "12345viag and viagra",
		"1-5 10-14"},
	    {"^[ab]{2}x[yz]", 2, false, "abxz, xy", "0 4"},
	    {"xy", 2, false, "axy", "0-1"},
	    {"a\\d{1,2}$", 2, false, "a12 a", "0-3"},
	    {"..(?=foo)bar", 3, false, "12foo345bar", "6"},
	    {"((?i)ab)cd", 1, false, "abcdabcd abCD", "0 4"},
	    {"(?i)abcd", 2, false, "abcd abCD", "0 5"},
	    /* not known, or too far away */
	    {"a|b", 1, false, "ab", "?"},
	    {".*a", 1, false, "ba", "?"},
	    {".{20}a", 1, false, "ba", "?"},
	    /* with the last of several copies */
	    {"[a-z]{3}\\s{4}", 1, true, "abcde      f", "2"},
	    {"x(?:ab|cd){1,2}ef", 2, true, "xabef xef, xcdabef", "0 11-13"},
	    {"ab?cd", 2, true, "abcd", "?"},
	    {"[a-z]+\\s{4}", 1, true, "abcde      f", "?"},
	    {"ab{2}", 1, true, "abb", "?"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str got =
		    starts_shown(a, str_from(cases[i].pattern), cases[i].lead,
			cases[i].keeps_last, str_from(cases[i].text));
		if (!str_eq(got, str_from(cases[i].want)))
			print_error("of %s\n", cases[i].pattern);
		assert_str(got, cases[i].want);
	}
	arena_free(a);
}

static void
a_match_may_begin_at_lines_alone(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text, *want;
	} cases[] = {
	    {"(?m)^foo", "foo foo\nfood\n foo\nfo", "0 8"},
	    {"(?m)^foo", "\n\nfoo", "2"},
	    {"(?m)^..foo", "..foo\nfoo\nx.foo", "0 10"},
	    {"(?m)^\\s?foo", "foo\n foo\n  foo\n\nfoo", "0 4 15-16"},
	    {"(?m)^Q", "ab\nQ\nQa\n", "3-5"},
	    {"(?m)^Q", "", ""},
	    {"(?m)^Q?$", "Q", "?"},
	    {"(?m)^.foo|^", "foo", "?"},
	    {".*foo", "foo", "?"},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct starts *starts =
		    factor_starts_of_lines(a, str_from(cases[i].pattern));
		struct str got =
		    places_shown(a, starts, str_from(cases[i].text));
		if (!str_eq(got, str_from(cases[i].want)))
			print_error("of %s\n", cases[i].pattern);
		assert_str(got, cases[i].want);
	}
	arena_free(a);
}

/* Many ways to begin must not lead to one that is anything. */
static void
heads_that_are_open_stay_apart(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 10000);
	buf_printf(b, "(?:x?y?z?\\W?)?(?:");
	for (unsigned i = 0; i < 200; i++)
		buf_printf(b, "%s%c%c%c", i > 0 ? "|" : "", 'a' + i * 7 % 20,
		    'a' + i % 11, 'a' + i % 3);
	buf_printf(b, ")q");
	struct starts *starts = factor_starts_of(a, buf_str(b), 0, false);
	assert_str(places_shown(a, starts, STR("1234567890")), "");
	assert_str(places_shown(a, starts, STR("--x-aaaq--")), "2-4");
	arena_free(a);
}

static void
bytes_of_one_set_are_sought_side_by_side(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
	    {"\\d{12}", "at 123456789012 h", true},
	    {"\\d{12}", "at 12345678901 234567890 h", false},
	    {"\\d{12}", "123456789012", true},
	    {"\\d{12}", "12345678901", false},
	    {"(?m)^[^\\r\\n]{20}", "0123456789\n0123456789\n012345678", false},
	    {"(?m)^[^\\r\\n]{20}", "0123456789\n01234567890123456789", true},
	    {"[A-F]{3}x?[0-9]{9,}", "EFA123456789", true},
	    {"[A-F]{3}x?[0-9]{9,}", "EFAx123456789", true},
	    {"[A-F]{3}x?[0-9]{9,}", "EFAx1234567", false},
	    {"(?:[a-z]{5,}[\\s.]+){3}", "a lotus. melon apple ", true},
	    {"(?:[a-z]{5,}[\\s.]+){3}", "a lotus, melon apple ", false},
	    {"(?i)(?:[a-z]{9}|\\d{11})!", "7ABCDEFGHI!", true},
	    {"(?:[a-z]{9}|\\d{11})!", "abcd123!", false},
	    {"(?:(?!--)[-0-9a-f]){10}(?=z{20})", "-0123456-f", true},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct stretch *stretch =
		    factor_stretch_of(a, str_from(cases[i].pattern));
		assert_non_null(stretch);
		if (stretch_is_in(stretch, str_from(cases[i].text)) !=
		    cases[i].want)
			fail_msg("%s of %s", cases[i].pattern, cases[i].text);
	}
	assert_null(factor_stretch_of(a, STR("(?R)?a{20}")));
	assert_null(factor_stretch_of(a, STR("[a-z]*\\1?")));
	assert_true(
	    stretch_is_worth(factor_stretch_of(a, STR("[A-Z]{16}[a-z]?"))));
	assert_false(stretch_is_worth(factor_stretch_of(a, STR("[A-Z]{6}"))));
	assert_false(stretch_is_worth(factor_stretch_of(a, STR("[\\w ]{12}"))));
	arena_free(a);
}

/* The starts of a regex that is asked of each byte by itself. */
static struct starts *
single_starts(struct arena *a, struct str pattern, const struct regex *re,
    struct regex_scratch *scratch, struct byte_set *ret)
{
	struct starts *starts = factor_starts_single(a, pattern, ret);
	for (unsigned c = 0; starts != NULL && c < 256; c++) {
		char byte = (char)c;
		struct regex_span span;
		ret->has[c] =
		    ret->has[c] && regex_match(re, scratch, str_of(&byte, 1), 0,
				       false, &span) == REGEX_YES;
	}
	if (starts != NULL)
		starts_set_single(a, starts, ret);
	return starts;
}

static void
a_byte_may_be_all_of_a_match(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *want;
	} cases[] = {
	    {"e", "e"},
	    {"(?i)e", "Ee"},
	    {"(?:a|b|cd|\\xe9.)", "ab"},
	    {"a|(?:b)|[cd]|ax", "bcd"},
	    {"a{1,2}|b{1}|c*", "?"},
	    {"\\d|x+", "0123456789"},
	    {"a|b$", "?"},
	    {"a|^b", "?"},
	    {"a|b(?!c)", "?"},
	    {"a|(?>bc|b)d", "?"},
	    {"a|b++c", "?"},
	    {"a|\\bb", "?"},
	    {"a|b\\Kc", "?"},
	    {"a|(b)\\1", "a"},
	    {"ab|cd", "?"},
	    {"", "?"},
	};
	static const struct regex_limits limits = {0};
	struct arena *a = arena_new();
	struct regex_env *env = regex_env_new(a, &limits);
	struct regex_scratch *scratch = regex_scratch_new(a, env, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str pattern = str_from(cases[i].pattern), why;
		struct regex *re;
		struct byte_set single;
		struct buf *b = buf_new(a, 256);
		assert_int_equal(regex_new(env, pattern, &re, &why), REGEX_OK);
		if (single_starts(a, pattern, re, scratch, &single) == NULL)
			buf_putc(b, '?');
		else
			for (unsigned c = 0; c < 256; c++)
				if (single.has[c])
					buf_putc(b, (char)c);
		assert_str(buf_str(b), cases[i].want);
	}
	arena_free(a);
}

static void
matches_of_one_byte_are_counted(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t from, until, most, want, want_from;
	} cases[] = {
	    {"e.e.e", 0, 4, 9, 3, 5},
	    {"e.e.e", 0, 4, 2, 2, 3},
	    {"e.e.e", 1, 3, 9, 1, 4},
	    {"e.e.e", 0, 99, 9, 3, 5},
	    {"e.xye", 0, 99, 9, 1, 2},
	    {"e.e", 3, 3, 9, 0, 3},
	    {"", 0, 0, 9, 0, 0},
	};
	struct arena *a = arena_new();
	struct byte_set single;
	struct starts *starts = factor_starts_single(a, STR("e|xy"), &single);
	assert_non_null(starts);
	size_t from = 0;
	assert_int_equal(starts_count(starts, STR("ee"), &from, 1, 9), 0);
	starts_set_single(a, starts, &single);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		from = cases[i].from;
		assert_int_equal(starts_count(starts, str_from(cases[i].text),
				     &from, cases[i].until, cases[i].most),
		    cases[i].want);
		assert_int_equal(from, cases[i].want_from);
	}
	from = 0;
	assert_int_equal(starts_count(NULL, STR("ee"), &from, 1, 9), 0);
	arena_free(a);
}

/* What is too much for a table is told less exactly. */
static void
many_first_bytes_are_still_found(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 100000);
	struct places places;
	for (unsigned i = 0; i < 500; i++)
		buf_printf(b, "%s%c%c%c%c", i > 0 ? "|" : "", 'a' + i * 7 % 26,
		    'a' + i / 26, 'a' + i * 3 % 26, 'a');
	struct str pattern = buf_str(b);
	struct starts *starts = factor_starts_of(a, pattern, 0, false);
	for (size_t i = 0; i < 500; i++) {
		struct str text = str_sub(pattern, i * 5, 4);
		assert_true(starts_next(starts, text, 0, 0, &places));
		assert_int_equal(places.first, 0);
	}
	assert_false(starts_next(starts, STR("1234567"), 0, 3, &places));
	assert_non_null(factor_starts_best(a, pattern));
	assert_null(factor_starts_best(a, STR("\\w\\w\\w")));
	assert_null(factor_starts_best(a, STR("/+")));
	assert_non_null(factor_starts_best(a, STR("\\W{0,3}v\\W{0,3}iagra")));
	arena_free(a);
}

static void
starts_of_many_patterns_are_searched_at_once(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct prefilter_builder *b = prefilter_builder_new(a);
	uint32_t slots[100];
	for (unsigned i = 0; i < COUNT_OF(slots); i++) {
		struct str pattern = str_printf(a, "[%c_]%c.?%cz", 'a' + i % 26,
		    'a' + i / 26, 'a' + i % 10);
		slots[i] = prefilter_add_starts(
		    b, factor_starts_of(a, pattern, i % 2, false));
	}
	struct prefilter *p = prefilter_build(a, b, hs_pool_new(a), NULL);
	struct strs strings = {0};
	for (unsigned i = 0; i < COUNT_OF(slots); i++)
		strs_add(a, &strings,
		    str_printf(a, "0 0 0 0 0 0 0 0 0 0 _%c%cz", 'a' + i / 26,
			'a' + i % 10));
	struct candidates *c = prefilter_pass(p, a, &strings, NULL, NULL);
	assert_non_null(c);
	for (unsigned i = 0; i < COUNT_OF(slots); i++) {
		struct candidate_cursor cursor = candidates_begin(c, slots[i]);
		struct candidate_place place;
		bool is_left = false;
		size_t n = 0;
		for (; candidates_next(c, &cursor, &place); n++) {
			assert_int_equal(place.from, 20);
			assert_int_equal(place.until, 20);
			is_left = is_left || place.string == i;
		}
		assert_true(is_left && n < 10);
	}
	arena_free(a);
}

/* Of a pass over "foo" with `n` patterns: how many are left; SIZE_MAX: no
 * answer. */
static size_t
left_of_many(struct str pattern, unsigned n, bool has_starts)
{
	struct arena *a = arena_new();
	struct prefilter_builder *b = prefilter_builder_new(a);
	const struct starts *starts = factor_starts_of(a, pattern, 0, false);
	for (unsigned i = 0; i < n; i++)
		(void)(has_starts ? prefilter_add_starts(b, starts)
				  : prefilter_add(b, pattern));
	struct prefilter *p = prefilter_build(a, b, hs_pool_new(a), NULL);
	struct strs strings = {0};
	strs_add(a, &strings, STR("foo"));
	strs_add(a, &strings, STR("bar"));
	struct candidates *c = prefilter_pass(p, a, &strings, NULL, NULL);
	size_t left = SIZE_MAX;
	if (c != NULL)
		(void)candidates_slots(c, &left);
	arena_free(a);
	return left;
}

/* A pass can say so much at most; with more there is no answer, not less. */
static void
more_than_a_pass_can_number_is_no_answer(void **state)
{
	(void)state;
	assert_int_equal(left_of_many(STR("foo"), 65535, false), 65535);
	assert_int_equal(left_of_many(STR("foo"), 65536, false), SIZE_MAX);
	assert_int_equal(left_of_many(STR("foo"), 65535, true), 65535);
	assert_int_equal(left_of_many(STR("foo"), 65536, true), SIZE_MAX);
}

/* Shapes are tried eight at a time; one that libhs refuses may match anything.
 */
static void
shapes_are_tried_on_each_string(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct prefilter_builder *b = prefilter_builder_new(a);
	uint32_t slots[20];
	for (unsigned i = 0; i < COUNT_OF(slots); i++)
		slots[i] = prefilter_add_shape(
		    b, i == 11 ? STR("(refused")
			       : str_printf(a, "[a-c]{%u}[x-z]", i + 1));
	struct prefilter *p = prefilter_build(a, b, hs_pool_new(a), NULL);
	assert_non_null(p);
	struct strs strings = {0};
	strs_add(a, &strings, STR("aax"));
	strs_add(a, &strings, STR(""));
	strs_add(a, &strings, STR("no such thing"));
	strs_add(a, &strings, STR("abcabcabcabcabcabcabcabcz"));
	struct candidates *c = prefilter_pass(p, a, &strings, NULL, NULL);
	for (unsigned i = 0; i < COUNT_OF(slots); i++) {
		struct candidate_cursor cursor = candidates_begin(c, slots[i]);
		struct buf *got = buf_new(a, 100);
		for (struct candidate_place place;
		     candidates_next(c, &cursor, &place);)
			buf_printf(got, "%zu ", place.string);
		assert_str(buf_str(got), i == 11 ? "0 1 2 3 "
					 : i < 2 ? "0 1 3 "
						 : "1 3 ");
	}
	arena_free(a);
}

/* A literal across the border of two windows is seen, and seen once. */
static void
long_strings_are_searched_in_windows(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	size_t len = 3 * HS_DB_BYTES + 100;
	for (size_t at = HS_DB_BYTES - 40; at < HS_DB_BYTES + 3; at++) {
		char *p = arena_alloc(a, len);
		memset(p, '.', len);
		memcpy(p + at, "cheap pills", 11);
		struct str whole = str_of(p, len);
		struct strs one = {&whole, 1, 1};
		assert_str(left(a, STR("cheap pills"), &one), "0");
	}
	arena_free(a);
}

static uint64_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

/* Few heads and many are looked for in tables of their own. */
static void
the_number_of_heads_changes_nothing(void **state)
{
	(void)state;
	static const char *const patterns[] = {"abca", "ab|cd|ba",
	    "(?:^|c)a.?d", "[ab]c", "d?a(?:b|cc|\\n)", "a$|b\\nc", "[^a]b[^b]"};
	static const char letters[] = "abcd\n";
	uint64_t random = 7;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(patterns) * 3000; i++) {
		struct buf *text = buf_new(a, 16);
		const char *few = patterns[i % COUNT_OF(patterns)];
		struct str many = str_printf(
		    a, "%s|1234|2345|3456|4567|5678|6789|7890|8901|9012", few);
		for (size_t n = next_random(&random) % 12; n > 0; n--)
			buf_put(text,
			    str_of(letters + next_random(&random) % 5, 1));
		struct str want =
		    starts_shown(a, many, 0, false, buf_str(text));
		struct str got =
		    starts_shown(a, str_from(few), 0, false, buf_str(text));
		if (!str_eq(got, want))
			fail_msg("%s in [%.*s]: %.*s, with more %.*s", few,
			    STR_ARG(buf_str(text)), STR_ARG(got),
			    STR_ARG(want));
	}
	arena_free(a);
}

/* A pattern of few letters, so that there are matches. */
static void
put_pattern(struct buf *b, uint64_t *random, unsigned depth)
{
	static const char *const atoms[] = {"a", "b", "c", "B", "ab", "abc",
	    ".", "[ab]", "[^a]", "[a-c]", "\\w", "\\s", "\\xe9", "\\xc3\\xa9",
	    "[\\xc0-\\xc5b]", "\\d", "1", " ", "^", "$", "\\b", "[[:alpha:]]",
	    "\xc9", "\\x41", "(?=a)", "(?!b)", "(?<=c)", "\\Qa.\\E", "(a)\\1",
	    "[\\w.]", "(?i:B)", "\\n"};
	static const char *const quantifiers[] = {
	    "", "", "", "", "?", "*", "+", "{2}", "{1,3}", "{,2}", "*?", "++"};
	size_t n = 1 + next_random(random) % 4;
	for (size_t i = 0; i < n; i++) {
		if (depth > 0 && next_random(random) % 4 == 0) {
			buf_printf(b, "(?:");
			put_pattern(b, random, depth - 1);
			buf_putc(b, ')');
		} else {
			buf_printf(b, "%s",
			    atoms[next_random(random) % COUNT_OF(atoms)]);
		}
		buf_printf(b, "%s",
		    quantifiers[next_random(random) % COUNT_OF(quantifiers)]);
		if (next_random(random) % 5 == 0)
			buf_putc(b, '|');
	}
}

static struct str
random_text(struct arena *a, uint64_t *random)
{
	static const char bytes[] = "aaabbbccABC 1.\n\xc3\xe3\xa9\xe9\xc9_";
	size_t len = next_random(random) % 12;
	char *p = arena_alloc(a, len + 1);
	for (size_t i = 0; i < len; i++)
		p[i] = bytes[next_random(random) % (sizeof(bytes) - 1)];
	return str_of(p, len);
}

struct tried {
	struct regex *re;
	struct regex_scratch *scratch;
	struct starts *single;
	size_t singles;
	struct look *look;
	struct starts *starts;
	struct stretch *stretch;
	size_t matches;
};

/* By byte of `text`: may a match begin there, as far as `c` knows? */
static bool *
starts_left(struct arena *a, const struct candidates *c, uint32_t slot,
    const struct strs *texts, size_t text)
{
	size_t len = texts->v[text].len;
	bool *is_left = ARENA_ARRAY(a, bool, len + 1);
	struct candidate_cursor cursor = candidates_begin(c, slot);
	for (struct candidate_place place; candidates_next(c, &cursor, &place);)
		for (size_t i = place.from;
		     place.string == text && i <= len && i <= place.until; i++)
			is_left[i] = true;
	return is_left;
}

/* A prefilter of where matches of one pattern may begin. */
static struct prefilter *
prefilter_of_starts(
    struct arena *a, const struct starts *starts, uint32_t *ret_slot)
{
	struct prefilter_builder *b = prefilter_builder_new(a);
	*ret_slot = prefilter_add_starts(b, starts);
	return prefilter_build(a, b, hs_pool_new(a), NULL);
}

/* `is_by_starts`: the prefilter knows those alone. */
static void
matches_are_left(struct arena *a, struct str pattern, struct strs *texts,
    struct tried *t, bool is_by_starts)
{
	uint32_t slot;
	struct prefilter *p = is_by_starts
				  ? prefilter_of_starts(a, t->starts, &slot)
				  : prefilter_of(a, pattern, &slot);
	struct candidates *c = p == NULL || slot == PREFILTER_NONE
				   ? NULL
				   : prefilter_pass(p, a, texts, NULL, NULL);
	for (size_t i = 0; i < texts->n; i++) {
		struct regex_span span;
		const bool *is_left =
		    c == NULL ? NULL : starts_left(a, c, slot, texts, i);
		for (size_t from = 0;
		     from <= texts->v[i].len &&
		     regex_match(t->re, t->scratch, texts->v[i], from, false,
			 &span) == REGEX_YES;
		     from = span.from + 1) {
			t->matches++;
			bool is_lost = is_left != NULL && !is_left[span.from];
			struct places places;
			bool is_no_start = !starts_next(t->starts, texts->v[i],
			    span.from, span.from, &places);
			bool is_unseen = t->look != NULL &&
					 !look_may_match(t->look, texts->v[i]);
			bool is_too_short =
			    t->stretch != NULL &&
			    !stretch_is_in(t->stretch, texts->v[i]);
			if (is_lost || is_unseen || is_no_start || is_too_short)
				fail_msg("%s of [%.*s] in [%.*s] at %zu",
				    is_lost        ? "no candidate"
				    : is_unseen    ? "no look"
				    : is_too_short ? "no stretch"
						   : "no start",
				    STR_ARG(pattern), STR_ARG(texts->v[i]),
				    span.from);
		}
	}
}

/* What is told without the regex is what it finds. */
static void
single_matches_are_true(
    struct str pattern, const struct strs *texts, struct tried *t)
{
	struct regex_span span;
	for (size_t i = 0; i < texts->n; i++) {
		for (size_t at = 0; at < texts->v[i].len; at++) {
			if (!starts_are_match(t->single, texts->v[i], at))
				continue;
			t->singles++;
			if (regex_match_within(t->re, t->scratch, texts->v[i],
				at, at, false, &span) != REGEX_YES ||
			    span.from != at || span.to != at + 1)
				fail_msg("no match of [%.*s] in [%.*s] at %zu",
				    STR_ARG(pattern), STR_ARG(texts->v[i]), at);
		}
	}
}

/* Against PCRE2: what it matches is never ruled out. */
static void
nothing_that_matches_is_ruled_out(void **state)
{
	(void)state;
	uint64_t random = 20240614;
	static const struct regex_limits limits = {0};
	struct tried t = {0};
	for (unsigned round = 0; round < 4000; round++) {
		struct arena *a = arena_new();
		struct regex_env *env = regex_env_new(a, &limits);
		struct buf *b = buf_new(a, 1000);
		struct strs texts = {0};
		struct str why;
		buf_printf(b, "%s", round % 2 == 0 ? "(?i)" : "");
		buf_printf(b, "%s", round % 9 == 0 ? "(?m)^" : "");
		put_pattern(b, &random, 2);
		for (size_t i = 0; i < 60; i++)
			strs_add(a, &texts, random_text(a, &random));
		if (regex_new(env, buf_str(b), &t.re, &why) == REGEX_OK) {
			t.scratch = regex_scratch_new(a, env, NULL, NULL);
			t.starts =
			    factor_starts_of(a, regex_pattern(a, buf_str(b)),
				round % 5, round % 7 > 3);
			if (regex_is_at_lines(t.re))
				t.starts = factor_starts_of_lines(
				    a, regex_pattern(a, buf_str(b)));
			struct byte_set single;
			t.single =
			    single_starts(a, regex_pattern(a, buf_str(b)), t.re,
				t.scratch, &single);
			single_matches_are_true(buf_str(b), &texts, &t);
			t.stretch =
			    factor_stretch_of(a, regex_pattern(a, buf_str(b)));
			t.look = round % 4 > 1
				     ? NULL
				     : look_new(a, hs_pool_new(a),
					   regex_pattern(a, buf_str(b)));
			matches_are_left(a, buf_str(b), &texts, &t,
			    round % 3 == 0 && t.starts != NULL);
		}
		arena_free(a);
	}
	assert_true(t.matches > 10000);
	assert_true(t.singles > 1000);
}

/* libhs and PCRE2 must mean the same by each of them. */
static void
a_look_reads_classes_as_the_regex_does(void **state)
{
	(void)state;
	static const char *const patterns[] = {"\\s", "\\S", "\\w", "\\W",
	    "\\d", "\\D", "\\n", "\\r", "\\t", "\\f", "\\e", "\\a", "\\0",
	    "\\x7f", ".", "[[:alpha:]]", "[[:punct:]]", "[[:space:]]",
	    "[[:cntrl:]]", "[[:word:]]", "[[:^digit:]]", "[^a]", "(?i)[^\\xe9]",
	    "(?i)\\xe9", "(?i)[\\xe0-\\xe5]", "(?i)k", "(?i)\\xff", "(?i)\\xd7",
	    "[\\b]", "(?s).", "^$", "\\A.\\z", "a?", "\\bx", "x\\B", "$"};
	struct arena *a = arena_new();
	static const struct regex_limits limits = {0};
	struct regex_env *env = regex_env_new(a, &limits);
	struct regex_scratch *scratch = regex_scratch_new(a, env, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		struct regex *re;
		struct str pattern = str_from(patterns[i]), why;
		struct regex_span span;
		assert_int_equal(regex_new(env, pattern, &re, &why), REGEX_OK);
		struct look *look = look_new(a, hs_pool_new(a), pattern);
		for (unsigned c = 0; look != NULL && c < 256; c++) {
			char text[] = {(char)c, 'x'};
			for (size_t len = 0; len <= 2; len++) {
				struct str s = str_of(text, len);
				if (regex_match(re, scratch, s, 0, false,
					&span) == REGEX_YES &&
				    !look_may_match(look, s))
					fail_msg("%s: byte %02x, %zu long",
					    patterns[i], c, len);
			}
		}
	}
	arena_free(a);
}

static void
a_look_says_no(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct look *look = look_new(
	    a, hs_pool_new(a), STR("(?i)(?:cheap|free).{1,9}\\xe9t\\xe9"));
	assert_non_null(look);
	assert_true(look_may_match(look, STR("CHEAP in \xc9T\xe9")));
	assert_false(look_may_match(look, STR("cheap or free")));
	/* what libhs may read in another way */
	static const char *const refused[] = {"\\h", "\\R", "a(?i)b", "(?x) a",
	    "(*ACCEPT)a", "(?|a|b)", "\\Qa\\E", "\\12", "\\p{L}", "\\x{e9}"};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		assert_null(look_new(a, hs_pool_new(a), str_from(refused[i])));
	arena_free(a);
}

static struct look_cache *
cache_of(struct arena *a, const char *path)
{
	return look_cache_read(a, str_from(path));
}

static void
the_cache_keeps_looks(void **state)
{
	(void)state;
	char path[] = "/tmp/postern-looks-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	struct arena *a = arena_new();
	struct str bytes;
	struct hs_pool *pool = hs_pool_new(a);
	struct look_cache *cache = cache_of(a, path);
	assert_false(look_cache_get(cache, STR("ab+c"), &bytes));
	look_cache_put(
	    cache, STR("ab+c"), look_bytes(a, look_new(a, pool, STR("ab+c"))));
	look_cache_put(cache, STR("quick"), STR_EMPTY);
	assert_true(look_cache_write(cache, str_from(path)));
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	cache = cache_of(a, path);
	assert_true(look_cache_get(cache, STR("quick"), &bytes));
	assert_int_equal(bytes.len, 0);
	assert_true(look_cache_get(cache, STR("ab+c"), &bytes));
	struct look *look = look_from_bytes(a, pool, bytes);
	assert_non_null(look);
	assert_true(look_may_match(look, STR("xabbbc")));
	assert_false(look_may_match(look, STR("xac")));

	/* what nobody asks for goes when something is new */
	cache = cache_of(a, path);
	look_cache_put(cache, STR("new"), STR_EMPTY);
	assert_true(look_cache_write(cache, str_from(path)));
	cache = cache_of(a, path);
	assert_true(look_cache_get(cache, STR("new"), &bytes));
	assert_false(look_cache_get(cache, STR("quick"), &bytes));
	arena_free(a);
	(void)unlink(path);
}

static void
a_broken_cache_is_as_good_as_none(void **state)
{
	(void)state;
	char path[] = "/tmp/postern-looks-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	struct arena *a = arena_new();
	struct str bytes;
	struct look_cache *cache = cache_of(a, path);
	look_cache_put(cache, STR("ab+c"),
	    look_bytes(a, look_new(a, hs_pool_new(a), STR("ab+c"))));
	assert_true(look_cache_write(cache, str_from(path)));
	(void)close(fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	char all[100000];
	ssize_t len = read(fd, all, sizeof(all));
	assert_true(len > 200);
	for (ssize_t at = 0; at < len; at += at < 300 ? 1 : 97) {
		char c = (char)(all[at] ^ 0x55);
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		cache = cache_of(a, path);
		if (look_cache_get(cache, STR("ab+c"), &bytes))
			fail_msg("byte %zd is broken, and taken", at);
		assert_int_equal(pwrite(fd, &all[at], 1, at), 1);
	}
	for (ssize_t at = len - 1; at >= 0; at -= at > 300 ? 97 : 1) {
		assert_int_equal(ftruncate(fd, at), 0);
		cache = cache_of(a, path);
		assert_false(look_cache_get(cache, STR("ab+c"), &bytes));
	}
	(void)close(fd);
	/* no folder to write it to */
	assert_true(look_cache_write(cache, STR("/nowhere/at/all")));
	look_cache_put(cache, STR("x"), STR_EMPTY);
	assert_false(look_cache_write(cache, STR("/nowhere/at/all")));
	arena_free(a);
	(void)unlink(path);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(factors_are_what_a_match_cannot_lack),
    cmocka_unit_test(a_tag_is_a_gap),
    cmocka_unit_test(a_tag_is_needed_where_nothing_can_leave_it_out),
    cmocka_unit_test(matches_in_ascii_have_factors_of_their_own),
    cmocka_unit_test(a_pass_leaves_strings_in_order),
    cmocka_unit_test(a_pass_knows_where_matches_may_begin),
    cmocka_unit_test(places_of_one_string_are_bounded),
    cmocka_unit_test(the_first_bytes_tell_where_a_match_may_begin),
    cmocka_unit_test(bytes_behind_the_first_pieces_tell_it_too),
    cmocka_unit_test(a_match_may_begin_at_lines_alone),
    cmocka_unit_test(heads_that_are_open_stay_apart),
    cmocka_unit_test(bytes_of_one_set_are_sought_side_by_side),
    cmocka_unit_test(a_byte_may_be_all_of_a_match),
    cmocka_unit_test(matches_of_one_byte_are_counted),
    cmocka_unit_test(many_first_bytes_are_still_found),
    cmocka_unit_test(starts_of_many_patterns_are_searched_at_once),
    cmocka_unit_test(more_than_a_pass_can_number_is_no_answer),
    cmocka_unit_test(the_number_of_heads_changes_nothing),
    cmocka_unit_test(shapes_are_tried_on_each_string),
    cmocka_unit_test(long_strings_are_searched_in_windows),
    cmocka_unit_test(nothing_that_matches_is_ruled_out),
    cmocka_unit_test(a_look_reads_classes_as_the_regex_does),
    cmocka_unit_test(a_look_says_no),
    cmocka_unit_test(the_cache_keeps_looks),
    cmocka_unit_test(a_broken_cache_is_as_good_as_none),
};

UNIT_MAIN(tests)
