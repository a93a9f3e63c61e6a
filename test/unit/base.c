/* SPDX-License-Identifier: BSD-2-Clause */
/* base -- bytes, memory, tables, log escapes. */
#include "unit.h"

#include <malloc.h>
#include <stdalign.h>

#include "base/log.h"
#include "base/table.h"
#include "base/utf8.h"

static void
cuts_and_trims_views(void **state)
{
	(void)state;
	struct str rest = STR("a=b=c");
	assert_str(str_cut(&rest, '='), "a");
	assert_str(rest, "b=c");
	assert_str(str_cut(&rest, ';'), "b=c");
	assert_int_equal(rest.len, 0);
	assert_str(str_trim(STR(" \t x y\r\n")), "x y");
	rest = STR("  two words ");
	assert_str(str_word(&rest), "two");
	assert_str(str_word(&rest), "words");
	assert_str(str_word(&rest), "");
}

static void
searches_with_and_without_case(void **state)
{
	(void)state;
	assert_int_equal(str_find(STR("abcabc"), STR("ca")), 2);
	assert_true(str_find(STR("abc"), STR("x")) == STR_NONE);
	assert_int_equal(str_find(STR("a=b==?"), STR("=?")), 4);
	assert_true(str_find(STR("a=b="), STR("=?")) == STR_NONE);
	assert_true(str_find(STR("="), STR("=?")) == STR_NONE);
	assert_int_equal(
	    str_find(STR("a (0123456789)"), STR("(0123456789")), 2);
	assert_int_equal(str_find(STR("a"), STR_EMPTY), 0);
	assert_int_equal(str_crlf(STR("a\r\r\nb\r\n")), 2);
	assert_int_equal(str_crlf(STR("\r\n")), 0);
	assert_true(str_crlf(STR("a\nb\rc\r")) == STR_NONE);
	assert_true(str_crlf(STR_EMPTY) == STR_NONE);
	assert_int_equal(str_ifind(STR("aBCd"), STR("Cd")), 2);
	assert_int_equal(str_ifind(STR("a-b A-bC"), STR("a-BC")), 4);
	assert_int_equal(str_ifind(STR("--a"), STR("-A")), 1);
	assert_int_equal(str_ifind(STR("ab"), STR_EMPTY), 0);
	assert_true(str_ifind(STR("a-"), STR("a-b")) == STR_NONE);
	assert_true(str_ifind(STR("-a"), STR("a-")) == STR_NONE);
	assert_true(str_istarts(STR("Subject"), STR("SUB")));
	assert_false(str_istarts(STR("Su"), STR("SUB")));
	assert_true(str_iends(STR("a.EXE"), STR(".exe")));
	assert_int_equal(str_cmp(STR("a"), STR("ab")) < 0, 1);
}

static void
reads_numbers_strictly(void **state)
{
	(void)state;
	uint64_t n = 0;
	double d = 0;
	assert_true(str_u64(STR("42"), 42, &n));
	assert_int_equal(n, 42);
	assert_false(str_u64(STR("43"), 42, &n));
	assert_false(str_u64(STR("99999999999999999999"), UINT64_MAX, &n));
	assert_false(str_u64(STR(""), 42, &n));
	assert_false(str_u64(STR("4 "), 42, &n));
	assert_true(str_double(STR("-1.5"), &d));
	assert_true(d == -1.5);
	assert_false(str_double(STR("inf"), &d));
	assert_false(str_double(STR("0x10"), &d));
	assert_false(str_double(STR("1e999"), &d));
}

static void
buffer_stops_at_its_maximum(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 5);
	buf_put(b, STR("abc"));
	assert_false(b->is_cut);
	buf_printf(b, "%d", 1234);
	assert_true(b->is_cut);
	assert_str(buf_str(b), "abc12");
	buf_putc(b, 'x');
	assert_str(buf_str(b), "abc12");
	arena_free(a);
}

static void
count_release(void *arg)
{
	++*(int *)arg;
}

static void
arena_releases_once_and_can_be_used_again(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	int released = 0;
	arena_on_release(a, count_release, &released);
	memset(arena_alloc(a, 100000), 1, 100000);
	for (int i = 0; i < 1000; i++)
		memset(arena_alloc(a, (size_t)i), 1, (size_t)i);
	arena_reset(a);
	assert_int_equal(released, 1);
	assert_int_equal(arena_used(a), 0);
	memset(arena_alloc(a, 64), 2, 64);
	arena_free(a);
	assert_int_equal(released, 1);
}

static void
small_arena_starts_small_and_grows(void **state)
{
	(void)state;
	struct arena *a = arena_new_small();
	int released = 0;
	char *p[200];
	for (size_t i = 0; i < COUNT_OF(p); i++) {
		p[i] = arena_alloc(a, i * 7);
		memset(p[i], (int)i, i * 7);
	}
	arena_on_release(a, count_release, &released);
	memset(arena_alloc(a, 100000), 1, 100000);
	for (size_t i = 0; i < COUNT_OF(p); i++)
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal((unsigned char)p[i][k], i);
	arena_reset(a);
	assert_int_equal(released, 1);
	memset(arena_alloc(a, 5000), 2, 5000);
	arena_free(a);
#ifndef UNDER_ASAN
	struct arena *many[1000];
	size_t before = mallinfo2().uordblks;
	for (size_t i = 0; i < COUNT_OF(many); i++) {
		many[i] = arena_new_small();
		(void)arena_alloc(many[i], 100);
		(void)arena_alloc(many[i], 300);
	}
	assert_in_range(mallinfo2().uordblks - before, 0, 1000 * 700);
	for (size_t i = 0; i < COUNT_OF(many); i++)
		arena_free(many[i]);
#endif
}

/* From a few bytes to more than a large page, each its own. */
static void
lasting_arena_holds_small_and_large(void **state)
{
	(void)state;
	struct arena *a = arena_new_lasting();
	struct {
		unsigned char *p;
		size_t size;
	} v[600];
	size_t size = 1;
	for (size_t i = 0; i < COUNT_OF(v); i++) {
		v[i].size = size;
		v[i].p = arena_alloc(a, size);
		assert_int_equal((uintptr_t)v[i].p % alignof(max_align_t), 0);
		memset(v[i].p, (int)(i % 251), size);
		size = size > 5000000 ? 1 : size * 9 / 7 + 1;
	}
	for (size_t i = 0; i < COUNT_OF(v); i++) {
		assert_int_equal(v[i].p[0], i % 251);
		assert_memory_equal(v[i].p, v[i].p + 1, v[i].size - 1);
	}
	struct {
		uint64_t *v;
		size_t n, cap;
	} list = {0};
	for (uint64_t i = 0; i < 1000000; i++)
		ARENA_PUSH(a, &list) = i;
	for (uint64_t i = 0; i < 1000000; i++)
		assert_true(list.v[i] == i);
	arena_reset(a);
	memset(arena_alloc(a, 3000000), 1, 3000000);
	arena_free(a);
}

/* All pairs of bytes, at each place of a word and behind it. */
static void
case_is_folded_in_words_as_in_bytes(void **state)
{
	(void)state;
	char x[12], y[12];
	for (unsigned i = 0; i < 65536; i++) {
		size_t at = i % sizeof(x);
		memset(x, 'q', sizeof(x));
		memset(y, 'Q', sizeof(y));
		x[at] = (char)(i / 256);
		y[at] = (char)(i % 256);
		bool want = char_lower(x[at]) == char_lower(y[at]);
		struct str a = str_of(x, sizeof(x)), b = str_of(y, sizeof(y));
		assert_true(str_ieq(a, b) == want);
		assert_true(
		    table_hash(a, true) == table_hash(b, true) || !want);
	}
	assert_false(str_ieq(STR("abcdefgh"), STR("abcdefghi")));
	assert_true(str_ieq(STR_EMPTY, STR_EMPTY));
}

static void
table_keeps_order_and_replaces(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct table *t = table_new(a, true);
	static int value[3000];
	for (size_t i = 0; i < COUNT_OF(value); i++)
		table_set(t, str_printf(a, "Key-%zu", i), &value[i]);
	assert_ptr_equal(table_get(t, STR("kEY-2999")), &value[2999]);
	assert_null(table_get(t, STR("key-3000")));
	table_set(t, STR("KEY-7"), &value[0]);
	assert_ptr_equal(table_get(t, STR("Key-7")), &value[0]);
	*table_at(t, STR("key-8")) = &value[1];
	assert_ptr_equal(table_get(t, STR("Key-8")), &value[1]);
	assert_int_equal(t->n, COUNT_OF(value));
	assert_str(t->v[7].key, "Key-7");
	assert_null(*table_at(t, STR("new")));
	assert_int_equal(t->n, COUNT_OF(value) + 1);
	arena_free(a);
}

static void
utf8_follows_rfc_3629(void **state)
{
	(void)state;
	assert_true(utf8_is_valid(STR("a\xc3\xa9\xf0\x9f\x98\x80")));
	assert_false(utf8_is_valid(STR("\xc0\x80")));         /* overlong */
	assert_false(utf8_is_valid(STR("\xed\xa0\x80")));     /* surrogate */
	assert_false(utf8_is_valid(STR("\xf4\x90\x80\x80"))); /* > 10FFFF */
	assert_false(utf8_is_valid(STR("\xe2\x82")));         /* cut */
	assert_int_equal(utf8_decode(STR("\xf0\x9f\x98\x80")), 0x1f600);
}

static void
log_escapes_what_a_terminal_would_obey(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 200);
	log_escape(b, STR("a\x1b[0m\\\n\xc3\xa9\xff\xc2\x9b"));
	assert_str(buf_str(b), "a\\x1b[0m\\x5c\\x0a\xc3\xa9\\xff\\xc2\\x9b");
	arena_free(a);
}

static void
a_large_array_leaves_nothing_behind_when_it_grows(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct {
		size_t *v, n, cap;
	} list = {0}, other = {0};
	for (size_t i = 0; i < 100000; i++) {
		ARENA_PUSH(a, &list) = i;
		ARENA_PUSH(a, &other) = ~i;
	}
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(list.v[i], i);
		assert_int_equal(other.v[i], ~i);
	}
	assert_true(arena_used(a) <
		    2 * list.cap * sizeof(list.v[0]) + (size_t)64 * 1024);
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(cuts_and_trims_views),
    cmocka_unit_test(searches_with_and_without_case),
    cmocka_unit_test(reads_numbers_strictly),
    cmocka_unit_test(buffer_stops_at_its_maximum),
    cmocka_unit_test(arena_releases_once_and_can_be_used_again),
    cmocka_unit_test(small_arena_starts_small_and_grows),
    cmocka_unit_test(lasting_arena_holds_small_and_large),
    cmocka_unit_test(case_is_folded_in_words_as_in_bytes),
    cmocka_unit_test(table_keeps_order_and_replaces),
    cmocka_unit_test(utf8_follows_rfc_3629),
    cmocka_unit_test(log_escapes_what_a_terminal_would_obey),
    cmocka_unit_test(a_large_array_leaves_nothing_behind_when_it_grows),
};
UNIT_MAIN(tests)
