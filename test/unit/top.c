/* SPDX-License-Identifier: BSD-2-Clause */
/* top -- rates between two answers of posternd. */
#include "unit.h"

#include "cmd/top_round.h"

static json_t *
parsed(const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	assert_non_null(o);
	return o;
}

static const char before_text[] =
    "{\"time\": 1010, \"uptime_s\": 10, \"clock_us\": 5000000,"
    "\"actions\": {\"submission\": {\"accept\": 10, \"hold\": 1},"
    "\"relay\": {\"accept\": 5}}, \"would\": {\"relay\": {\"hold\": 1}},"
    "\"recipients\": 20, \"message_bytes\": 1000,"
    "\"dns\": {\"asked\": 4, \"timeouts\": 1, \"failures\": 0},"
    "\"verdict\": {\"sum_us\": 10, \"upto\": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
    "1,1,1]}, \"rule_hits\": {\"OLD\": 50, \"BUSY\": 7}}";
static const char now_text[] =
    "{\"time\": 1012, \"uptime_s\": 12, \"clock_us\": 7000000,"
    "\"actions\": {\"submission\": {\"accept\": 30, \"hold\": 5},"
    "\"relay\": {\"accept\": 9}}, \"would\": {\"relay\": {\"hold\": 4}},"
    "\"recipients\": 60, \"message_bytes\": 3000,"
    "\"dns\": {\"asked\": 10, \"timeouts\": 3, \"failures\": 1},"
    "\"verdict\": {\"sum_us\": 90, \"upto\": [1,1,5,5,5,5,5,5,5,5,5,5,5,5,"
    "5,5,5]}, \"rule_hits\": {\"OLD\": 50, \"BUSY\": 27, \"NEW\": 4},"
    "\"senders\": [{\"sender\": \"alice\", \"messages\": 20.5, \"stopped\": 4,"
    "\"recipients\": 41}]}";

static void
rates_are_those_of_the_time_between(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	json_t *before = parsed(before_text), *now = parsed(now_text);
	struct top_round r;
	top_round(a, before, now, &r);
	assert_true(r.seconds == 2);
	assert_true(r.actions[ACTION_ACCEPT] == 12);
	assert_true(r.actions[ACTION_HOLD] == 2);
	assert_true(r.would[ACTION_HOLD] == 1.5);
	assert_true(r.messages == 14);
	assert_true(r.recipients == 20);
	assert_true(r.bytes == 1000);
	assert_true(r.dns_asked == 3);
	assert_true(r.dns_timeouts == 1);
	assert_true(r.dns_failures == 0.5);
	assert_int_equal(r.verdict.upto[1], 0);
	assert_int_equal(r.verdict.upto[HISTOGRAM_BOUNDS], 4);
	assert_int_equal(r.nrules, 3);
	assert_str(r.rules[0].rule, "BUSY");
	assert_true(r.rules[0].rate == 10);
	assert_str(r.rules[1].rule, "NEW");
	assert_str(r.rules[2].rule, "OLD");
	assert_int_equal(r.rules[2].hits, 50);
	assert_int_equal(r.nsenders, 1);
	assert_str(r.senders[0].sender, "alice");
	json_t *o = top_round_json(&r, now);
	assert_true(json_number_value(json_object_get(
			json_object_get(o, "actions_per_s"), "hold")) == 2);
	assert_true(json_number_value(json_object_get(
			json_object_get(o, "would_per_s"), "hold")) == 1.5);
	json_decref(o);
	json_decref(before);
	json_decref(now);
	arena_free(a);
}

/* Another start: what the one before had counted is no part of it. */
static void
a_restart_begins_anew(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	json_t *before = parsed(now_text), *now = parsed(before_text);
	struct top_round r;
	json_object_set_new(now, "time", json_integer(2000));
	top_round(a, before, now, &r);
	assert_true(r.seconds == 10);
	assert_true(r.actions[ACTION_ACCEPT] == 1.5);
	top_round(a, NULL, now, &r);
	assert_true(r.seconds == 10);
	json_decref(before);
	json_decref(now);
	arena_free(a);
}

static void
an_empty_answer_is_a_round_of_nothing(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	json_t *now = json_object();
	struct top_round r;
	top_round(a, NULL, now, &r);
	assert_true(r.messages == 0 && r.seconds > 0);
	assert_int_equal(r.nrules + r.nsenders, 0);
	json_decref(top_round_json(&r, now));
	json_decref(now);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rates_are_those_of_the_time_between),
    cmocka_unit_test(a_restart_begins_anew),
    cmocka_unit_test(an_empty_answer_is_a_round_of_nothing),
};
UNIT_MAIN(tests)
