/* SPDX-License-Identifier: BSD-2-Clause */
/* counting -- histogram, tally, heavy: what is counted by many threads. */
#include "unit.h"

#include <pthread.h>

#include "base/heavy.h"
#include "base/histogram.h"
#include "base/listen.h"
#include "base/tally.h"

#define THREADS 8
#define ROUNDS 20000
#define WINDOW_MS 1000

/* ---- histogram */

static void
durations_fall_into_their_buckets(void **state)
{
	(void)state;
	static const struct {
		int64_t us;
		size_t bucket;
	} rows[] = {{-5, 0}, {0, 0}, {250, 0}, {251, 1}, {1000, 2}, {1001, 3},
	    {30000000, 15}, {30000001, 16}, {INT64_MAX / 2, 16}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct histogram h = {0};
		struct histogram_view view;
		histogram_add(&h, rows[i].us);
		histogram_read(&h, &view);
		for (size_t k = 0; k <= HISTOGRAM_BOUNDS; k++)
			assert_int_equal(view.upto[k], k >= rows[i].bucket);
		assert_int_equal(
		    view.sum_us, rows[i].us < 0 ? 0 : (uint64_t)rows[i].us);
	}
}

static void
quantiles_lie_within_their_bucket(void **state)
{
	(void)state;
	struct histogram h = {0};
	struct histogram_view view;
	histogram_read(&h, &view);
	assert_int_equal(histogram_quantile_us(&view, 0.5), 0);
	for (int i = 0; i < 90; i++)
		histogram_add(&h, 400); /* 250 to 500 us */
	for (int i = 0; i < 10; i++)
		histogram_add(&h, 40000); /* 25 to 50 ms */
	histogram_read(&h, &view);
	assert_int_equal(histogram_quantile_us(&view, 0.45), 375);
	assert_int_equal(histogram_quantile_us(&view, 0.9), 500);
	assert_int_equal(histogram_quantile_us(&view, 0.95), 37500);
	assert_int_equal(histogram_quantile_us(&view, 1), 50000);
	histogram_add(&h, INT64_MAX / 2);
	histogram_read(&h, &view);
	assert_int_equal(histogram_quantile_us(&view, 1), 30000000);
}

/* ---- tally */

static void *
tally_much(void *arg)
{
	struct tally *t = arg;
	char name[16];
	for (int i = 0; i < ROUNDS; i++) {
		int len = snprintf(name, sizeof(name), "RULE_%d", i % 100);
		tally_add(t, str_of(name, (size_t)len), 1);
	}
	return NULL;
}

static void
run_threads(void *(*fn)(void *), void *arg)
{
	pthread_t threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fn, arg), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
threads_lose_no_count(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct tally *t = tally_new(100);
	struct tally_row *rows;
	run_threads(tally_much, t);
	assert_int_equal(tally_read(a, t, &rows), 100);
	assert_str(rows[0].name, "RULE_0");
	assert_str(rows[99].name, "RULE_99");
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(rows[i].n, THREADS * ROUNDS / 100);
	assert_int_equal(tally_rest(t), 0);
	tally_free(t);
	arena_free(a);
}

static void
names_without_room_are_counted_together(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct tally *t = tally_new(2);
	struct tally_row *rows;
	tally_add(t, STR("B"), 1);
	tally_add(t, STR("A"), 2);
	tally_add(t, STR("C"), 3);
	tally_add(t, STR("D"), 4);
	tally_add(t, STR("A"), 5);
	assert_int_equal(tally_read(a, t, &rows), 2);
	assert_str(rows[0].name, "A");
	assert_int_equal(rows[0].n, 7);
	assert_int_equal(tally_rest(t), 7);
	tally_free(t);
	arena_free(a);
}

/* ---- heavy */

static void
hit(struct heavy *h, struct str key, int64_t now_ms)
{
	const uint32_t counts[HEAVY_COUNTS] = {1, 0, 3};
	heavy_add(h, key, counts, now_ms);
}

static void
heavy_keys_outlive_a_flood_of_names(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct heavy *h = heavy_new(WINDOW_MS);
	struct heavy_row *rows;
	char name[32];
	for (int i = 0; i < 200000; i++) {
		int len = snprintf(name, sizeof(name), "<%d@flood>", i);
		hit(h, str_of(name, (size_t)len), 5 * WINDOW_MS);
		if (i % 50 == 0)
			hit(h, STR("alice"), 5 * WINDOW_MS);
		if (i % 100 == 0)
			hit(h, STR("bob"), 5 * WINDOW_MS);
	}
	size_t n = heavy_top(a, h, 2, 5 * WINDOW_MS, &rows);
	assert_int_equal(n, 2);
	assert_str(rows[0].key, "alice");
	/* never too low, and too high by no more than it says */
	assert_true(rows[0].counts[0] >= 4000);
	assert_true(rows[0].counts[0] - rows[0].error <= 4000);
	assert_true(rows[0].counts[2] >= 3 * (4000 - rows[0].error));
	assert_true(heavy_top(a, h, 100000, 5 * WINDOW_MS, &rows) <= 16 * 32);
	heavy_free(h);
	arena_free(a);
}

static double
count_of(struct heavy *h, int64_t now_ms)
{
	struct arena *a = arena_new();
	struct heavy_row *rows;
	size_t n = heavy_top(a, h, 10, now_ms, &rows);
	double count = n == 0 ? 0 : rows[0].counts[0];
	arena_free(a);
	return count;
}

static void
what_is_long_ago_fades(void **state)
{
	(void)state;
	struct heavy *h = heavy_new(WINDOW_MS);
	for (int i = 0; i < 100; i++)
		hit(h, STR("alice"), 5 * WINDOW_MS);
	assert_true(count_of(h, 5 * WINDOW_MS + 999) == 100);
	assert_true(count_of(h, 6 * WINDOW_MS) == 100);
	double half = count_of(h, 6 * WINDOW_MS + WINDOW_MS / 2);
	assert_true(half > 49 && half < 51);
	assert_true(count_of(h, 7 * WINDOW_MS) == 0);
	hit(h, STR("alice"), 7 * WINDOW_MS);
	assert_true(count_of(h, 20 * WINDOW_MS) == 0);
	heavy_free(h);
}

static void
long_keys_are_cut_and_any_byte_is_fine(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct heavy *h = heavy_new(WINDOW_MS);
	struct heavy_row *rows;
	char key[300];
	memset(key, 'x', sizeof(key));
	key[3] = '\0';
	hit(h, str_of(key, 300), 0);
	hit(h, str_of(key, 250), 0);
	hit(h, STR_EMPTY, 0);
	assert_int_equal(heavy_top(a, h, 10, 0, &rows), 2);
	assert_int_equal(rows[0].key.len, HEAVY_KEY_BYTES);
	assert_true(rows[0].counts[0] == 2);
	assert_int_equal(rows[1].key.len, 0);
	heavy_free(h);
	arena_free(a);
}

static void *
heavy_much(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		hit(arg, i % 2 == 0 ? STR("alice") : STR("bob"), WINDOW_MS);
	return NULL;
}

static void
threads_lose_no_key(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct heavy *h = heavy_new(WINDOW_MS);
	struct heavy_row *rows;
	run_threads(heavy_much, h);
	assert_int_equal(heavy_top(a, h, 10, WINDOW_MS, &rows), 2);
	assert_true(rows[0].counts[0] == THREADS * ROUNDS / 2.0);
	assert_true(rows[1].counts[2] == 3 * THREADS * ROUNDS / 2.0);
	heavy_free(h);
	arena_free(a);
}

/* ---- listen */

static void
only_loopback_is_listened_at(void **state)
{
	(void)state;
	static const struct {
		const char *at;
		bool is_valid;
	} rows[] = {{"127.0.0.1:9797", true}, {"127.3.2.1:1", true},
	    {"[::1]:9797", true}, {"0.0.0.0:9797", false},
	    {"192.0.2.1:9797", false}, {"[::]:9797", false},
	    {"::1:9797", false}, {"[127.0.0.1]:9797", false},
	    {"127.0.0.1:0", false}, {"127.0.0.1:65536", false},
	    {"127.0.0.1:", false}, {"127.0.0.1", false},
	    {"localhost:9797", false}, {":9797", false}, {"", false},
	    {"127.0.0.1:80x", false}};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (listen_loopback_is_valid(str_from(rows[i].at)) !=
		    rows[i].is_valid)
			fail_msg("%s", rows[i].at);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(durations_fall_into_their_buckets),
    cmocka_unit_test(quantiles_lie_within_their_bucket),
    cmocka_unit_test(threads_lose_no_count),
    cmocka_unit_test(names_without_room_are_counted_together),
    cmocka_unit_test(heavy_keys_outlive_a_flood_of_names),
    cmocka_unit_test(what_is_long_ago_fades),
    cmocka_unit_test(long_keys_are_cut_and_any_byte_is_fine),
    cmocka_unit_test(threads_lose_no_key),
    cmocka_unit_test(only_loopback_is_listened_at),
};
UNIT_MAIN(tests)
