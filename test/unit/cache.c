/* SPDX-License-Identifier: BSD-2-Clause */
/* cache -- what was learned, until its time is over. */
#include "unit.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "auth/cache.h"
#include "base/clock.h"

static atomic_int wrong; /* seen by threads, where cmocka cannot fail */
static atomic_int alive; /* values that were made and not given back */

static void
count_death(void *arg)
{
	(void)arg;
	atomic_fetch_sub(&alive, 1);
}

/* Keep the text `value` under `key`. */
static void
keep_at(struct cache *c, struct str key, struct str value, size_t bytes,
    int64_t until_ms)
{
	struct arena *owner = arena_new_small();
	struct str *copy = ARENA_NEW(owner, struct str);
	*copy = str_dup(owner, value);
	atomic_fetch_add(&alive, 1);
	arena_on_release(owner, count_death, NULL);
	struct arena *a = arena_new();
	assert_ptr_equal(
	    cache_put(c, a, key, owner, copy, bytes, until_ms), copy);
	arena_free(a);
}

static void
keep(struct cache *c, const char *key, const char *value, int64_t until_ms)
{
	keep_at(c, str_from(key), str_from(value), 100, until_ms);
}

static struct str
get(struct cache *c, struct arena *a, const char *key, int64_t now_ms)
{
	const struct str *value = cache_get(c, a, str_from(key), now_ms);
	return value == NULL ? STR("(none)") : *value;
}

static void
keeps_a_value_until_its_time_is_over(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct cache *c = cache_new(100, 10000);
	assert_str(get(c, a, "a.example", 0), "(none)");
	keep(c, "a.example", "one", 1000);
	keep(c, "b.example", "two", 2000);
	assert_str(get(c, a, "a.example", 999), "one");
	assert_str(get(c, a, "a.example", 1000), "(none)");
	assert_str(get(c, a, "b.example", 1999), "two");
	assert_str(get(c, a, "A.example", 0), "(none)");
	struct cache_stats stats;
	cache_stats(c, &stats);
	assert_int_equal(stats.hits, 2);
	assert_int_equal(stats.misses, 3);
	assert_int_equal(stats.entries, 1);
	assert_int_equal(stats.bytes, 100);
	cache_free(c);
	arena_free(a);
	assert_int_equal(atomic_load(&alive), 0);
}

static void
who_got_a_value_keeps_it(void **state)
{
	(void)state;
	struct arena *a = arena_new(), *b = arena_new();
	struct cache *c = cache_new(100, 10000);
	keep(c, "a.example", "old", 1000);
	struct str old = get(c, a, "a.example", 0);
	keep(c, "a.example", "new", 1000);
	struct str new = get(c, b, "a.example", 0);
	cache_free(c);
	assert_int_equal(atomic_load(&alive), 2);
	assert_str(old, "old");
	assert_str(new, "new");
	arena_free(a);
	assert_int_equal(atomic_load(&alive), 1);
	assert_str(new, "new");
	arena_free(b);
	assert_int_equal(atomic_load(&alive), 0);
}

static void
never_holds_more_than_it_may(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		size_t entries, bytes, cost, most;
	} rows[] = {
	    {"few entries", 10, 1000000, 1, 10},
	    {"few bytes", 1000, 1000, 100, 10},
	    {"many entries", 5000, 100000000, 1, 5000},
	    {"many bytes", 100000, 2000000, 1000, 2000},
	    {"nothing", 0, 1000, 1, 0},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *a = arena_new();
		struct cache *c = cache_new(rows[i].entries, rows[i].bytes);
		for (unsigned k = 0; k < 20000; k++)
			keep_at(c, str_printf(a, "%u.example", k), STR("x"),
			    rows[i].cost, 1000);
		struct cache_stats stats;
		cache_stats(c, &stats);
		if (stats.entries > rows[i].most ||
		    stats.entries < rows[i].most * 9 / 10 ||
		    stats.bytes != stats.entries * rows[i].cost)
			fail_msg("%s: %zu entries, %zu bytes", rows[i].label,
			    stats.entries, stats.bytes);
		assert_int_equal(atomic_load(&alive), stats.entries);
		cache_free(c);
		assert_int_equal(atomic_load(&alive), 0);
		arena_free(a);
	}
}

static void
a_value_that_is_too_large_is_not_kept_and_the_old_one_goes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct cache *c = cache_new(10, 100);
	keep(c, "a.example", "old", 1000);
	keep_at(c, STR("a.example"), STR("large"), 101, 1000);
	assert_str(get(c, a, "a.example", 0), "(none)");
	assert_int_equal(atomic_load(&alive), 0);
	cache_free(c);
	arena_free(a);
}

static void
what_is_asked_for_outlives_what_is_not(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct cache *c = cache_new(64, 1000000);
	keep(c, "popular.example", "yes", 1000);
	for (unsigned k = 0; k < 1000; k++) {
		keep_at(
		    c, str_printf(a, "%u.example", k), STR("no"), 100, 1000);
		assert_str(get(c, a, "popular.example", 0), "yes");
	}
	cache_free(c);
	arena_free(a);
}

static void
what_is_over_goes_first(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct cache *c = cache_new(3, 1000000);
	keep(c, "over.example", "x", 500);
	keep(c, "good.example", "y", 1000);
	keep(c, "fine.example", "z", 1000);
	(void)get(c, a, "over.example", 0); /* a second chance */
	(void)get(c, a, "good.example", 600);
	(void)get(c, a, "fine.example", 600);
	keep(c, "next.example", "w", 1000);
	assert_str(get(c, a, "good.example", 600), "y");
	assert_str(get(c, a, "fine.example", 600), "z");
	assert_str(get(c, a, "next.example", 600), "w");
	cache_free(c);
	arena_free(a);
}

/* Threads that ask for and replace the same few names. */
#define CROWD 8
#define ROUNDS 20000

static void *
crowd_member(void *arg)
{
	struct cache *c = arg;
	struct arena *a = arena_new();
	unsigned seed = (unsigned)(uintptr_t)a;
	for (unsigned i = 0; i < ROUNDS; i++) {
		seed = seed * 1103515245 + 12345;
		char key[2] = {(char)('a' + (seed >> 16) % 26), '\0'};
		if ((seed >> 24) % 4 == 0)
			keep(c, key, key, 1000);
		struct str value = get(c, a, key, (seed >> 20) % 1010);
		if (!str_eq(value, STR("(none)")) &&
		    !str_eq(value, str_from(key)))
			atomic_fetch_add(&wrong, 1);
		if (i % 64 == 0)
			arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void
many_threads_share_it(void **state)
{
	(void)state;
	struct cache *c = cache_new(16, 2000);
	pthread_t crowd[CROWD];
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(
		    pthread_create(&crowd[i], NULL, crowd_member, c), 0);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(crowd[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	struct cache_stats stats;
	cache_stats(c, &stats);
	assert_true(stats.entries <= 16);
	assert_int_equal(atomic_load(&alive), stats.entries);
	cache_free(c);
	assert_int_equal(atomic_load(&alive), 0);
}

#define SMALL_VALUES 10000

static void
a_small_value_costs_less_than_a_kilobyte(void **state)
{
	(void)state;
#ifdef UNDER_ASAN
	return; /* each object is a block of its own */
#endif
	struct arena *a = arena_new();
	struct cache *c = cache_new(SMALL_VALUES * 2, SIZE_MAX);
	size_t before = mallinfo2().uordblks;
	for (unsigned k = 0; k < SMALL_VALUES; k++)
		keep_at(c, str_printf(a, "%u.example", k),
		    STR("v=spf1 include:_spf.example -all"), 1, 1000);
	size_t each = (mallinfo2().uordblks - before) / SMALL_VALUES;
	print_message("# %zu bytes a value\n", each);
	assert_true(each < 1024); /* str_printf() is a part of it */
	cache_free(c);
	arena_free(a);
}

#define HITS 1000000

static void
a_hit_is_cheap(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct cache *c = cache_new(10000, 10000000);
	struct str keys[64];
	for (unsigned k = 0; k < COUNT_OF(keys); k++) {
		keys[k] = str_printf(a, "t%u._domainkey.test.example", k);
		keep_at(c, keys[k], STR("x"), 100, 1000);
	}
	struct arena *b = arena_new();
	int64_t from = cpu_ms();
	for (unsigned i = 0; i < HITS; i++) {
		assert_non_null(cache_get(c, b, keys[i % 64], 1));
		if (i % 64 == 0)
			arena_reset(b);
	}
	int64_t ms = cpu_ms() - from;
	print_message("# %lld ns a hit\n", (long long)ms * 1000000 / HITS);
	assert_true(ms < 10000); /* 10 us each: a sanitizer may be at work */
	arena_free(b);
	cache_free(c);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keeps_a_value_until_its_time_is_over),
    cmocka_unit_test(who_got_a_value_keeps_it),
    cmocka_unit_test(never_holds_more_than_it_may),
    cmocka_unit_test(
	a_value_that_is_too_large_is_not_kept_and_the_old_one_goes),
    cmocka_unit_test(what_is_asked_for_outlives_what_is_not),
    cmocka_unit_test(what_is_over_goes_first),
    cmocka_unit_test(many_threads_share_it),
    cmocka_unit_test(a_small_value_costs_less_than_a_kilobyte),
    cmocka_unit_test(a_hit_is_cheap),
};
UNIT_MAIN(tests)
