/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charset -- which charset a text is taken for, and what becomes of it.  What
 * is expected was said by SpamAssassin 4.0.1 with perl 5.36.
 */
#include "unit.h"

#include "mail/charset.h"

static const struct {
	const char *declared, *text, *utf8;
	bool is_characters;
} texts[] = {
    {"us-ascii", "plain", "plain", false},
    {"koi8-r", "plain", "plain", false},
    /* Declared one thing and being another. */
    {"us-ascii", "caf\xc3\xa9", "caf\xc3\xa9", true},
    {"koi8-r", "caf\xc3\xa9", "caf\xc3\xa9", true},
    {"us-ascii", "caf\xe9 \x93x\x94", "caf\xc3\xa9 \xe2\x80\x9cx\xe2\x80\x9d",
	true},
    {"no-such-charset", "\x81\xe9", "\xef\xbf\xbd\xc3\xa9", true},
    {"no-such-charset", "abc", "abc", false},
    {"iso-8859-1", "\x80", "\xe2\x82\xac", true},
    {"ISO-8859-2", "\xe8", "\xc4\x8d", true},
    {"windows-1251", "\xcf", "\xd0\x9f", true},
    {"x-cp1251", "\xcf", "\xd0\x9f", true},
    {"KOI8-R", "\xf0", "\xd0\x9f", true},
    {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0", true},
    {"gb18030", "\xc4\xe3", "\xe4\xbd\xa0", true},
    {"Big5", "\xa4\xa4", "\xe4\xb8\xad", true},
    {"shift_jis", "\x82\xa0\\", "\xe3\x81\x82\\", true},
    {"euc-jp", "\xa4\xa2\xad\xa1", "\xe3\x81\x82\xe2\x91\xa0", true},
    {"ks_c_5601-1987", "\xb0\xa1", "\xea\xb0\x80", true},
    {"iso-2022-jp", "\x1b$B$\"\x1b(B.", "\xe3\x81\x82.", true},
    /* The rest is lost there. */
    {"iso-2022-jp", "a\xe9z", "a", true},
    {"utf-7", "1 +AOk- 2 +-", "1 \xc3\xa9 2 +", true},
    {"hz", "~{<:~}~~", "\xe5\xb7\xb1~", true},
    {"euc-jp", "\xa4\xa2\xff", "\xc2\xa4\xc2\xa2\xc3\xbf", true},
    {"utf-8", "\xef\xbf\xbf", "\xc3\xaf\xc2\xbf\xc2\xbf", true},
    {"utf-8", "\xed\xa0\x80", "\xc3\xad\xc2\xa0\xe2\x82\xac", true},
};

static void
guesses_as_spamassassin_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct arena *a = arena_new();
		bool is_characters;
		assert_str(
		    charset_normalize(a, str_from(texts[i].text),
			str_from(texts[i].declared), SIZE_MAX, &is_characters),
		    texts[i].utf8);
		assert_int_equal(is_characters, texts[i].is_characters);
		arena_free(a);
	}
}

/* Texts of a charset do not change those behind them. */
static void
texts_of_one_charset_are_apart(void **state)
{
	(void)state;
	static const struct {
		const char *declared, *text, *utf8;
	} again[] = {
	    {"KOI8-R", "a\xf0", "a\xd0\x9f"},
	    {"KOI8-R", "\xf1 b", "\xd0\xaf b"},
	    {"cp864", "%\xb0 1", "\xd9\xaa\xd9\xa0 1"},
	    {"Big5", "\xa4\xe9", "\xe6\x97\xa5"},
	    {"Big5", "\xa4\xa4", "\xe4\xb8\xad"},
	    {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0"},
	};
	for (size_t i = 0; i < 2 * COUNT_OF(again); i++) {
		struct arena *a = arena_new();
		size_t k = i % COUNT_OF(again);
		bool is_characters;
		assert_str(
		    charset_normalize(a, str_from(again[k].text),
			str_from(again[k].declared), SIZE_MAX, &is_characters),
		    again[k].utf8);
		arena_free(a);
	}
}

static void
finds_the_byte_order_of_utf_16(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	bool is_characters;
	assert_str(charset_normalize(a, STR("a\0 \0b\0"), STR("utf-16"),
		       SIZE_MAX, &is_characters),
	    "a b");
	assert_str(charset_normalize(a, STR("\0a\0 \0b"), STR("UTF-16"),
		       SIZE_MAX, &is_characters),
	    "a b");
	arena_free(a);
}

static const struct {
	const char *declared, *text, *utf8;
} words[] = {
    {"utf-8", "\xe2\x82", "\xef\xbf\xbd"},
    {"utf-8", "\xff-\xc3\xa9", "\xef\xbf\xbd-\xc3\xa9"},
    {"us-ascii", "\xe9", "\xef\xbf\xbd"},
    {"gb2312", "\xc4\xe3\xff.", "\xe4\xbd\xa0\xef\xbf\xbd."},
    {"iso-8859-1", "\xe9", "\xc3\xa9"},
    {"no-such-charset", "\xe9", "\xc3\xa9"},
};

static void
takes_words_at_their_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct arena *a = arena_new();
		assert_str(charset_decode(a, str_from(words[i].text),
			       str_from(words[i].declared)),
		    words[i].utf8);
		arena_free(a);
	}
}

static const struct {
	const char *text, *utf8;
} stray[] = {
    {"plain", "plain"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    /* one bad byte costs one character */
    {"gr\xc3\xbc\xc3\x9f \xff an", "gr\xc3\xbc\xc3\x9f \xef\xbf\xbd an"},
    {"\xe2\x82\xac 5 \xe2\x82", "\xe2\x82\xac 5 \xef\xbf\xbd\xef\xbf\xbd"},
    /* none of it is UTF-8 */
    {"gr\xfc\xdf an", "gr\xc3\xbc\xc3\x9f an"},
};

static void
a_stray_byte_spoils_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(stray); i++) {
		struct arena *a = arena_new();
		assert_str(charset_readable(a, str_from(stray[i].text)),
		    stray[i].utf8);
		arena_free(a);
	}
}

static void
stops_keeping_what_nobody_looks_at(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	size_t size = 1 << 20;
	char *p = arena_alloc(a, size);
	memset(p, 0xe9, size);
	bool is_characters;
	struct str text = charset_normalize(
	    a, str_of(p, size), STR("iso-8859-2"), 1000, &is_characters);
	assert_in_range(text.len, 1000, 10000);
	p[size - 1] = '\xa4'; /* all of it is valid, and is looked at */
	text = charset_normalize(
	    a, str_of(p, size), STR("euc-kr"), 1000, &is_characters);
	assert_in_range(text.len, 1000, 10000);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(guesses_as_spamassassin_does),
    cmocka_unit_test(texts_of_one_charset_are_apart),
    cmocka_unit_test(finds_the_byte_order_of_utf_16),
    cmocka_unit_test(takes_words_at_their_word),
    cmocka_unit_test(a_stray_byte_spoils_no_other),
    cmocka_unit_test(stops_keeping_what_nobody_looks_at),
};
UNIT_MAIN(tests)
