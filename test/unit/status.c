/* SPDX-License-Identifier: BSD-2-Clause */
/* status -- as Prometheus's text, and as JSON. */
#include "unit.h"

#include "session/status.h"

static struct tally_row odd_names[] = {
    {{"PLAIN", 5}, 3},
    {{"a\"b\\c\nd", 7}, 4},
    {{"", 0}, 5},
};
static struct heavy_row odd_senders[] = {
    {{"<a\0\x1b\xff@b>", 8}, {2, 1, 7}, 0}};

static struct status
status_example(void)
{
	struct status s = {
	    .now_wall = 1000,
	    .start_wall = 400,
	    .snapshot_wall = 940,
	    .prefilter = "ready",
	    .hits = odd_names,
	    .nhits = COUNT_OF(odd_names),
	    .senders = odd_senders,
	    .nsenders = COUNT_OF(odd_senders),
	};
	struct histogram h = {0};
	histogram_add(&h, 300);
	histogram_add(&h, 60000000);
	histogram_read(&h, &s.verdict);
	s.actions[CLASS_SUBMISSION][ACTION_HOLD] = 6;
	return s;
}

static void
has(struct str page, const char *line)
{
	if (str_find(page, str_from(line)) == STR_NONE)
		fail_msg("no %s", line);
}

static void
metrics_are_written_as_prometheus_reads_them(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct status s = status_example();
	struct str page = status_exposition(a, &s);
	has(page, "\n# TYPE postern_messages_total counter\n");
	has(page, "\npostern_messages_total{class=\"submission\","
		  "action=\"hold\"} 6\n");
	has(page, "\npostern_rule_hits_total{rule=\"PLAIN\"} 3\n");
	has(page, "\npostern_rule_hits_total{rule=\"a\\\"b\\\\c\\nd\"} 4\n");
	has(page, "\npostern_verdict_seconds_bucket{le=\"0.00025\"} 0\n");
	has(page, "\npostern_verdict_seconds_bucket{le=\"0.0005\"} 1\n");
	has(page, "\npostern_verdict_seconds_bucket{le=\"30\"} 1\n");
	has(page, "\npostern_verdict_seconds_bucket{le=\"+Inf\"} 2\n");
	has(page, "\npostern_verdict_seconds_sum 60.0003\n");
	has(page, "\npostern_verdict_seconds_count 2\n");
	has(page, "\npostern_snapshot_age_seconds 60\n");
	has(page, "\npostern_prefilter_ready 1\n");
	arena_free(a);
}

static void
json_is_valid_for_any_bytes(void **state)
{
	(void)state;
	struct status s = status_example();
	json_t *o = status_json(&s);
	char *text = json_dumps(o, 0);
	json_t *again = json_loads(text, JSON_ALLOW_NUL, NULL);
	assert_non_null(again);
	assert_int_equal(
	    json_integer_value(json_object_get(again, "uptime_s")), 600);
	json_t *actions = json_object_get(again, "actions");
	assert_int_equal(json_object_size(actions), 1);
	json_decref(again);
	json_decref(o);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(metrics_are_written_as_prometheus_reads_them),
    cmocka_unit_test(json_is_valid_for_any_bytes),
};
UNIT_MAIN(tests)
