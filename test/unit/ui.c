/* SPDX-License-Identifier: BSD-2-Clause */
/* ui -- text no terminal obeys, columns that line up. */
#include "unit.h"

#include "cmd/ui.h"

/* A stream whose text comes back with finish(). */
struct out {
	struct ui ui;
	char *text;
	size_t len;
};

static void
start(struct out *o, enum ui_color color)
{
	FILE *file = open_memstream(&o->text, &o->len);
	assert_non_null(file);
	ui_init(&o->ui, file, color);
}

static void
finish(struct out *o, const char *want)
{
	assert_int_equal(fclose(o->ui.out), 0);
	assert_string_equal(o->text, want);
	free(o->text);
}

static struct str
escaped(struct arena *a, const struct ui *ui, struct str s)
{
	struct buf *b = buf_new(a, 100000);
	ui_escape(ui, b, s);
	return buf_str(b);
}

static void
escapes_what_a_terminal_obeys(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct out o;
	start(&o, UI_COLOR_AUTO);
	static const struct {
		struct str text;
		const char *want, *want_ascii;
	} rows[] = {
	    {{"plain \\ text", 12}, "plain \\ text", "plain \\ text"},
	    {{"\033]0;title\a", 10}, "\\x1b]0;title\\x07",
		"\\x1b]0;title\\x07"},
	    {{"a\0b\r\n\t", 6}, "a\\x00b\\x0d\\x0a\\x09",
		"a\\x00b\\x0d\\x0a\\x09"},
	    {{"\xc2\x9b"
	      "31m",
		 5},
		"\\u{9b}31m", "\\u{9b}31m"},
	    {{"\x9b"
	      "31m",
		 4},
		"\\x9b31m", "\\x9b31m"},
	    {{"caf\xc3\xa9 \xe6\x97\xa5", 9}, "caf\xc3\xa9 \xe6\x97\xa5",
		"caf\\u{e9} \\u{65e5}"},
	    {{"exe\xe2\x80\xaegpj", 9}, "exe\\u{202e}gpj", "exe\\u{202e}gpj"},
	    {{"a\xe2\x80\x8b"
	      "b",
		 5},
		"a\\u{200b}b", "a\\u{200b}b"},
	    {{"\xf3\xa0\x81\x81", 4}, "\\u{e0041}", "\\u{e0041}"},
	    {{"\xef\xbf\xbf", 3}, "\\u{ffff}", "\\u{ffff}"},
	    {{"\xff\xfe", 2}, "\\xff\\xfe", "\\xff\\xfe"},
	};
	struct ui ascii = o.ui;
	ascii.has_utf8 = false;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_str(escaped(a, &o.ui, rows[i].text), rows[i].want);
		assert_str(
		    escaped(a, &ascii, rows[i].text), rows[i].want_ascii);
	}
	/* no byte at all gets through that could begin a control sequence */
	char all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	struct str safe = escaped(a, &ascii, str_of(all, sizeof(all)));
	for (size_t i = 0; i < safe.len; i++)
		assert_in_range((unsigned char)safe.p[i], 0x20, 0x7e);
	finish(&o, "");
	arena_free(a);
}

static void
measures_columns_not_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_int_equal(ui_width(STR("abc")), 3);
	assert_int_equal(ui_width(STR("caf\xc3\xa9")), 4);
	assert_int_equal(ui_width(STR("e\xcc\x81")), 1);
	assert_int_equal(ui_width(STR("\xe6\x97\xa5\xe6\x9c\xac")), 4);
	assert_int_equal(ui_width(STR("\xf0\x9f\x98\x80")), 2);
	assert_str(ui_fit(a, STR("abcdef"), 6), "abcdef");
	assert_str(ui_fit(a, STR("abcdefg"), 6), "abc...");
	assert_str(ui_fit(a, STR("abcdefg"), 2), "ab");
	/* half a wide character does not fit */
	assert_str(ui_fit(a, STR("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 5),
	    "\xe6\x97\xa5...");
	arena_free(a);
}

static const struct ui_column columns[] = {
    {.title = "NAME", .is_elastic = true}, {.title = "N", .is_right = true},
    {.title = "TEXT", .is_elastic = true}};

static void
fill(struct ui_table *t)
{
	static const char *const cells[] = {"a", "1", "short",
	    "\xe6\x97\xa5\xe6\x9c\xac", "200", "a longer text\033[2J"};
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(t, UI_PLAIN, str_from(cells[i]));
	ui_table_end(t);
}

static void
lines_columns_up(void **state)
{
	(void)state;
	struct out o;
	start(&o, UI_COLOR_AUTO);
	fill(ui_table_new(&o.ui, columns, COUNT_OF(columns)));
	finish(&o, "NAME    N  TEXT\n"
		   "a       1  short\n"
		   "\xe6\x97\xa5\xe6\x9c\xac  200  a longer text\\x1b[2J\n");
}

static void
columns_with_a_rank_are_left_out_first(void **state)
{
	static const struct ui_column ranked[] = {{.title = "TIME"},
	    {.title = "ID", .rank = 2}, {.title = "FROM", .is_elastic = true},
	    {.title = "N", .is_right = true, .rank = 1},
	    {.title = "LAST", .is_elastic = true, .rank = 3}};
	static const char *const cells[] = {
	    "noon", "abcdef", "alice@a-long.domain.test", "7", "last of all"};
	static const struct {
		unsigned columns;
		const char *want;
	} rows[] = {
	    {0, "TIME  ID      FROM                      N  LAST\n"
		"noon  abcdef  alice@a-long.domain.test  7  last of all\n"},
	    {46, "TIME  ID      FROM              N  LAST\n"
		 "noon  abcdef  alice@a-long....  7  last of all\n"},
	    {43, "TIME  ID      FROM                      N\n"
		 "noon  abcdef  alice@a-long.domain.test  7\n"},
	    {30, "TIME  FROM                   N\n"
		 "noon  alice@a-long.domai...  7\n"},
	    {22, "TIME  FROM\n"
		 "noon  alice@a-long....\n"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct out o;
		start(&o, UI_COLOR_AUTO);
		o.ui.columns = rows[i].columns;
		struct ui_table *t =
		    ui_table_new(&o.ui, ranked, COUNT_OF(ranked));
		for (size_t n = 0; n < COUNT_OF(cells); n++)
			ui_table_cell(t, UI_PLAIN, str_from(cells[n]));
		ui_table_end(t);
		finish(&o, rows[i].want);
	}
}

static void
narrow_terminals_cut_elastic_columns(void **state)
{
	(void)state;
	struct out o;
	start(&o, UI_COLOR_AUTO);
	o.ui.columns = 24;
	fill(ui_table_new(&o.ui, columns, COUNT_OF(columns)));
	finish(&o, "NAME    N  TEXT\n"
		   "a       1  short\n"
		   "\xe6\x97\xa5\xe6\x9c\xac  200  a longer t...\n");
}

static void
an_empty_table_is_silent(void **state)
{
	(void)state;
	struct out o;
	start(&o, UI_COLOR_AUTO);
	ui_table_end(ui_table_new(&o.ui, columns, COUNT_OF(columns)));
	finish(&o, "");
}

static void
long_tables_have_one_head(void **state)
{
	(void)state;
	static const struct ui_column one[] = {{.title = "X"}};
	struct out o;
	start(&o, UI_COLOR_AUTO);
	struct ui_table *t = ui_table_new(&o.ui, one, 1);
	for (int i = 0; i < 2500; i++)
		ui_table_cell(t, UI_PLAIN, STR("y"));
	ui_table_end(t);
	char want[2 * 2501 + 1];
	for (size_t i = 0; i < 2501; i++)
		memcpy(&want[i * 2], i == 0 ? "X\n" : "y\n", 3);
	finish(&o, want);
}

static void
colour_is_asked_for_or_absent(void **state)
{
	(void)state;
	struct out o;
	start(&o, UI_COLOR_AUTO);
	assert_false(o.ui.has_color); /* no terminal */
	ui_put(&o.ui, UI_RED, STR("x"));
	finish(&o, "x");
	start(&o, UI_COLOR_ALWAYS);
	ui_printf(&o.ui, UI_RED, "%s%d\n", "a\nb", 7);
	ui_printf(&o.ui, UI_PLAIN, "y");
	finish(&o, "\033[31ma\\x0ab7\033[0m\ny");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(escapes_what_a_terminal_obeys),
    cmocka_unit_test(measures_columns_not_bytes),
    cmocka_unit_test(lines_columns_up),
    cmocka_unit_test(columns_with_a_rank_are_left_out_first),
    cmocka_unit_test(narrow_terminals_cut_elastic_columns),
    cmocka_unit_test(an_empty_table_is_silent),
    cmocka_unit_test(long_tables_have_one_head),
    cmocka_unit_test(colour_is_asked_for_or_absent),
};

UNIT_MAIN(tests)
