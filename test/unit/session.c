/* SPDX-License-Identifier: BSD-2-Clause */
/* session -- networks, classes, logins, verdicts, the spool, the log line. */
#include "unit.h"

#include <errno.h>

#include "base/json.h"
#include "session/class.h"
#include "base/network.h"
#include "session/report.h"
#include "session/spool.h"
#include "session/strip.h"
#include "session/verdict.h"

static void
networks_match_v4_v6_and_mapped(void **state)
{
	(void)state;
	static const struct {
		const char *network, *address;
		bool is_in;
	} cases[] = {
	    {"192.0.2.0/24", "192.0.2.255", true},
	    {"192.0.2.0/24", "192.0.3.0", false},
	    {"192.0.2.5", "192.0.2.5", true},
	    {"192.0.2.4/31", "192.0.2.5", true},
	    {"0.0.0.0/0", "203.0.113.9", true},
	    {"0.0.0.0/0", "2001:db8::1", false},
	    {"2001:db8::/32", "2001:db8:ffff::1", true},
	    {"2001:db8::/33", "2001:db8:ffff::1", false},
	    {"127.0.0.0/8", "::ffff:127.0.0.1", true},
	    {"127.0.0.0/8", "IPv6:::ffff:127.0.0.1", true},
	    {"::/0", "192.0.2.1", true},
	    {"10.0.0.0/8", "", false},
	    {"10.0.0.0/8", "10.0.0.1 ", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str network = str_from(cases[i].network);
		struct strs one = {&network, 1, 1};
		if (network_has(&one, str_from(cases[i].address)) !=
		    cases[i].is_in)
			fail_msg(
			    "%s in %s", cases[i].address, cases[i].network);
	}
	assert_false(network_is_valid(STR("10.0.0.0/33")));
	assert_false(network_is_valid(STR("10.0.0/8")));
	assert_false(network_is_valid(STR("10.0.0.0/")));
	assert_true(network_is_valid(STR("::1/128")));
}

static void
fields_of_ours_are_taken_away_and_no_others(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		bool is_stripped;
	} cases[] = {
	    {"X-Postern-Score", " 1", true},
	    {"x-POSTERN-release", "", true},
	    {"X-Posterns", " mine", false},
	    {"Authentication-Results", " mail.example; spf=pass", true},
	    {"authentication-results", "\tMAIL.Example;spf=pass", true},
	    {"Authentication-Results", "mail.example", true},
	    {"Authentication-Results", "\n mail.example 1; none", true},
	    {"Authentication-Results", " (a (b) \\) c) mail.example; x", true},
	    {"Authentication-Results", " mail.example(x); x", true},
	    {"Authentication-Results", " \"mail.example\"; x", true},
	    {"Authentication-Results", " \"m\\ail.example\" 1; x", true},
	    {"Authentication-Results", " \"mail.example.net\"; x", false},
	    {"Authentication-Results", " mail.example.net; x", false},
	    {"Authentication-Results", " xmail.example; x", false},
	    {"Authentication-Results", " mail.exampl; x", false},
	    {"Authentication-Results", " (mail.example) other; x", false},
	    {"Authentication-Results", " (mail.example; x", false},
	    {"Authentication-Results", "", false},
	    {"Authentication-Results", " mail.example.; x", true},
	    {"Authentication-Results", " mail.example/1; x", true},
	    {"Authentication-Results", " mail.example-2; x", false},
	    {"ARC-Authentication-Results", " mail.example; x", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (field_is_stripped(str_from(cases[i].name),
			str_from(cases[i].value),
			STR("mail.example")) != cases[i].is_stripped)
			fail_msg("%s:%s", cases[i].name, cases[i].value);
	assert_false(field_is_stripped(
	    STR("Authentication-Results"), STR(" ; x"), STR_EMPTY));
}

static struct config
defaults(struct arena *a)
{
	struct config config;
	struct diags diags = {.arena = a};
	assert_true(config_read(a, NULL, &config, &diags));
	assert_int_equal(diags.n, 0);
	return config;
}

static struct origin
origin_of(const char *login, const char *addr, unsigned port)
{
	return (struct origin){
	    .login = str_from(login),
	    .author = STR_EMPTY,
	    .client_addr = str_from(addr),
	    .client_port = port,
	    .daemon_name = STR("mail.example"),
	    .daemon_addr = STR("192.0.2.25"),
	    .host_name = STR("mail.example"),
	};
}

static void
classes_follow_login_port_and_network(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct config config = defaults(a);
	struct origin o = origin_of("alice", "203.0.113.5", 40000);
	assert_int_equal(class_of(&config, &o), CLASS_SUBMISSION);
	o.is_auto_submitted = true;
	assert_int_equal(class_of(&config, &o), CLASS_NOTICE);
	o = origin_of("", "127.0.0.1", 0);
	assert_int_equal(class_of(&config, &o), CLASS_LOCAL);
	assert_false(class_can_refuse(&o));
	assert_false(class_is_of_mta(&config, &o));
	o.is_null_sender = true;
	assert_true(class_is_of_mta(&config, &o));
	o = origin_of("", "127.0.0.1", 40000);
	assert_int_equal(class_of(&config, &o), CLASS_RELAY);
	o.author = STR("root");
	assert_int_equal(class_of(&config, &o), CLASS_LOCAL);
	o = origin_of("", "203.0.113.5", 40000);
	assert_int_equal(class_of(&config, &o), CLASS_INBOUND);
	o.is_null_sender = true;
	assert_int_equal(class_of(&config, &o), CLASS_INBOUND);
	assert_true(class_can_refuse(&o));
	o.client_addr = STR("127.0.0.1");
	assert_int_equal(class_of(&config, &o), CLASS_NOTICE);
	assert_false(class_can_refuse(&o));
	assert_true(class_is_of_mta(&config, &o));
	o.login = STR("alice");
	assert_true(class_can_refuse(&o));
	assert_false(class_is_of_mta(&config, &o));
	arena_free(a);
}

static void
a_client_without_a_port_is_no_pickup(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct config config = defaults(a);
	/* a proxy in front of Postfix gave an address by XCLIENT, no port */
	struct origin o = origin_of("", "203.0.113.5", 0);
	assert_int_equal(class_of(&config, &o), CLASS_INBOUND);
	assert_true(class_can_refuse(&o));
	o.login = STR("alice");
	assert_int_equal(class_of(&config, &o), CLASS_SUBMISSION);
	assert_true(class_can_refuse(&o));
	o = origin_of("", "::1", 0);
	assert_int_equal(class_of(&config, &o), CLASS_LOCAL);
	o.client_addr = STR_EMPTY;
	assert_int_equal(class_of(&config, &o), CLASS_LOCAL);
	assert_false(class_can_refuse(&o));
	arena_free(a);
}

static void
auto_submitted_is_anything_but_no(void **state)
{
	(void)state;
	assert_true(class_is_auto_submitted(STR(" auto-replied (vacation)\n")));
	assert_true(class_is_auto_submitted(STR("auto-generated; x=y")));
	assert_true(class_is_auto_submitted(STR("notify")));
	assert_false(class_is_auto_submitted(STR(" No ; x=y\n")));
	assert_false(class_is_auto_submitted(STR(" \n")));
}

static void
an_admin_can_pin_a_class(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct config config = defaults(a);
	struct origin o = origin_of("", "203.0.113.5", 40000);
	o.daemon_name = STR("ORIGINATING");
	strs_add(a, &config.class[CLASS_SUBMISSION].daemon_names,
	    STR("originating"));
	assert_int_equal(class_of(&config, &o), CLASS_SUBMISSION);
	o = origin_of("", "198.51.100.7", 40000);
	strs_add(
	    a, &config.class[CLASS_RELAY].networks, STR("198.51.100.0/24"));
	assert_int_equal(class_of(&config, &o), CLASS_RELAY);
	o = origin_of("alice", "203.0.113.5", 40000);
	strs_add(a, &config.class[CLASS_INBOUND].listen, STR("192.0.2.25"));
	assert_int_equal(class_of(&config, &o), CLASS_INBOUND);
	/* as Sendmail writes it */
	o.daemon_addr = STR("IPv6:2001:DB8:0:0:0:0:0:25");
	assert_int_equal(class_of(&config, &o), CLASS_SUBMISSION);
	strs_add(a, &config.class[CLASS_INBOUND].listen, STR("2001:db8::25"));
	assert_int_equal(class_of(&config, &o), CLASS_INBOUND);
	arena_free(a);
}

static void
one_person_has_one_login(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct config config = defaults(a);
	config.login_domain = STR("users.example");
	static const char *const same[] = {"alice", "ALICE",
	    "Alice@mail.example", "alice@users.example", "alice%users.example",
	    "alice@Mail.Example.", " alice "};
	for (size_t i = 0; i < COUNT_OF(same); i++)
		assert_str(class_login(a, &config, str_from(same[i]),
			       STR("mail.example")),
		    "alice");
	assert_str(class_login(a, &config, STR("Bob@Other.example"),
		       STR("mail.example")),
	    "bob@other.example");
	assert_str(
	    class_login(a, &config, STR("@mail.example"), STR("mail.example")),
	    "@mail.example");
	arena_free(a);
}

static void
verdict_takes_the_strongest_action_reached(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct config config = defaults(a);
	struct class_config *class = &config.class[CLASS_SUBMISSION];
	class->tag = 2;
	class->defer = 3;
	class->hold = 4;
	class->reject = 8;
	static const struct {
		double score;
		bool can_refuse;
		enum action action;
	} cases[] = {
	    {-5, true, ACTION_ACCEPT},
	    {1.999, true, ACTION_ACCEPT},
	    {2, true, ACTION_TAG},
	    {3, true, ACTION_DEFER},
	    {3, false, ACTION_HOLD},
	    {7.9, true, ACTION_HOLD},
	    {8, true, ACTION_REJECT},
	    {8, false, ACTION_HOLD},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct verdict_input in = {.class = CLASS_SUBMISSION,
		    .score = cases[i].score,
		    .can_refuse = cases[i].can_refuse};
		assert_int_equal(
		    verdict_of(&config, &in).action, cases[i].action);
	}
	struct verdict_input in = {
	    .class = CLASS_SUBMISSION, .score = 9, .can_refuse = true};
	config.observe = true;
	struct verdict v = verdict_of(&config, &in);
	assert_int_equal(v.action, ACTION_ACCEPT);
	assert_int_equal(v.would, ACTION_REJECT);
	in.class = CLASS_INBOUND;
	assert_int_equal(verdict_of(&config, &in).would, ACTION_ACCEPT);
	arena_free(a);
}

static void
trouble_is_decided_by_its_option(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct config config = defaults(a);
	struct verdict_input in = {
	    .class = CLASS_LOCAL, .is_error = true, .can_refuse = true};
	assert_int_equal(verdict_of(&config, &in).action, ACTION_DEFER);
	in.can_refuse = false;
	assert_int_equal(verdict_of(&config, &in).action, ACTION_HOLD);
	config.on_error = FALLBACK_ACCEPT;
	assert_int_equal(verdict_of(&config, &in).action, ACTION_ACCEPT);
	in = (struct verdict_input){.class = CLASS_RELAY,
	    .score = 4.5,
	    .can_refuse = true,
	    .is_out_of_time = true};
	assert_int_equal(verdict_of(&config, &in).action, ACTION_TAG);
	config.on_timeout = FALLBACK_HOLD;
	assert_int_equal(verdict_of(&config, &in).action, ACTION_HOLD);
	arena_free(a);
}

static void
spool_folds_line_ends_across_puts_and_files(void **state)
{
	(void)state;
	static const size_t memory[] = {4096, 16};
	for (size_t i = 0; i < COUNT_OF(memory); i++) {
		struct spool *spool = spool_new(STR("/tmp"), memory[i]);
		for (int round = 0; round < 2; round++) {
			spool_put(spool, STR("one\r"));
			spool_put(spool, STR("\ntwo\r\r\n"));
			spool_put(spool, str_of("th\0ree\nfour\r", 12));
			struct str got;
			assert_true(spool_view(spool, &got));
			assert_int_equal(got.len, 21);
			assert_memory_equal(
			    got.p, "one\ntwo\r\nth\0ree\nfour\r", 21);
			assert_int_equal(spool_size(spool), 21);
			spool_reset(spool);
		}
		spool_free(spool);
	}
}

static void
spool_tells_disk_trouble(void **state)
{
	(void)state;
	struct spool *spool = spool_new(STR("/proc/nonexistent"), 16);
	struct str got;
	for (int i = 0; i < 10; i++)
		spool_put(spool, STR("0123456789"));
	assert_false(spool_view(spool, &got));
	assert_int_equal(errno, ENOENT);
	spool_reset(spool);
	spool_put(spool, STR("ok"));
	assert_true(spool_view(spool, &got));
	assert_str(got, "ok");
	spool_free(spool);
}

static void
log_line_has_fixed_keys_and_no_foreign_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str rcpt = STR("bob@remote.example");
	struct envelope envelope = {
	    .class = CLASS_SUBMISSION,
	    .from = STR("a b\n@\"x\"\xff.example"),
	    .rcpt = {&rcpt, 1, 1},
	    .login = STR("alice"),
	    .client_addr = STR("192.0.2.7"),
	    .queue_id = STR("4Xk2vB1Zz"),
	};
	struct rule_hit hit = {.rule = STR("LURE"), .score = 6.5, .count = 1};
	struct scan scan = {
	    .result = {.score = 6.5, .hits = {&hit, 1, 1}}, .us = 1500};
	struct verdict verdict = {.action = ACTION_HOLD,
	    .would = ACTION_HOLD,
	    .threshold = 6,
	    .reason = "score"};
	struct report report = {.envelope = &envelope,
	    .scan = &scan,
	    .verdict = &verdict,
	    .id = STR("0abc"),
	    .note = STR_EMPTY,
	    .size_bytes = 99};
	assert_str(report_text(a, &report),
	    "4Xk2vB1Zz: action=hold score=6.5/6 rules=LURE:6.5 "
	    "class=submission login=alice client=192.0.2.7 "
	    "from=<a\\x20b\\x0a@\"x\"\\xff.example> nrcpt=1 size=99 ms=1.5 "
	    "id=0abc");
	struct str json = report_json(a, &report);
	json_t *parsed = json_loadb(json.p, json.len, 0, NULL);
	assert_non_null(parsed);
	assert_string_equal(
	    json_string_value(json_object_get(parsed, "action")), "hold");
	assert_int_equal(
	    json_integer_value(json_object_get(parsed, "nrcpt")), 1);
	json_decref(parsed);
	arena_free(a);
}

static void
a_long_sender_leaves_the_log_line_whole(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	char bytes[8000];
	memset(bytes, '\xff', sizeof(bytes));
	struct envelope envelope = {
	    .class = CLASS_SUBMISSION,
	    .from = str_of(bytes, sizeof(bytes)),
	    .login = str_of(bytes, sizeof(bytes)),
	    .client_addr = STR("192.0.2.7"),
	    .queue_id = STR("4Xk2vB1Zz"),
	};
	struct verdict verdict = {
	    .action = ACTION_HOLD, .would = ACTION_HOLD, .reason = "error"};
	struct report report = {.envelope = &envelope,
	    .verdict = &verdict,
	    .id = STR("0abc"),
	    .note = STR_EMPTY};
	struct str line = report_text(a, &report);
	assert_true(line.len < 6000);
	assert_true(
	    str_ends(line, STR("...> nrcpt=0 size=0 reason=error id=0abc")));
	assert_true(report_json(a, &report).len < 6000);
	arena_free(a);
}

static void
the_ruling_on_a_notice_goes_before_the_score(void **state)
{
	(void)state;
	static const struct {
		enum notice_permit permit;
		double score;
		int over;
		enum action action;
		const char *reason;
	} cases[] = {
	    {PERMIT_PASS, 0, OVER_BUDGET_DISCARD, ACTION_ACCEPT, ""},
	    {PERMIT_PASS, 7, OVER_BUDGET_DISCARD, ACTION_HOLD, "score"},
	    {PERMIT_DISCARD, 0, OVER_BUDGET_HOLD, ACTION_DISCARD, "r"},
	    {PERMIT_DISCARD, 7, OVER_BUDGET_HOLD, ACTION_DISCARD, "r"},
	    {PERMIT_OVER, 0, OVER_BUDGET_DISCARD, ACTION_DISCARD, "r"},
	    {PERMIT_OVER, 0, OVER_BUDGET_HOLD, ACTION_HOLD, "r"},
	    {PERMIT_OVER, 7, OVER_BUDGET_DISCARD, ACTION_HOLD, "score"},
	    {PERMIT_HOLD, 4, OVER_BUDGET_DISCARD, ACTION_HOLD, "r"},
	};
	struct config config = {0};
	config.class[CLASS_NOTICE] =
	    (struct class_config){.tag = 4, .hold = 6, .is_filtered = true};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		config.notice_over = cases[i].over;
		struct verdict_input in = {.class = CLASS_NOTICE,
		    .score = cases[i].score,
		    .permit = cases[i].permit,
		    .permit_reason = "r"};
		struct verdict v = verdict_of(&config, &in);
		assert_int_equal(v.action, cases[i].action);
		assert_string_equal(v.reason, cases[i].reason);
	}
	/* also where nothing else is filtered, and where it is only told */
	config.class[CLASS_NOTICE].is_filtered = false;
	config.observe = true;
	struct verdict_input in = {.class = CLASS_NOTICE,
	    .permit = PERMIT_DISCARD,
	    .permit_reason = "forged"};
	struct verdict v = verdict_of(&config, &in);
	assert_int_equal(v.action, ACTION_ACCEPT);
	assert_int_equal(v.would, ACTION_DISCARD);
	in.class = CLASS_INBOUND;
	assert_int_equal(verdict_of(&config, &in).would, ACTION_ACCEPT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_of_ours_are_taken_away_and_no_others),
    cmocka_unit_test(networks_match_v4_v6_and_mapped),
    cmocka_unit_test(classes_follow_login_port_and_network),
    cmocka_unit_test(a_client_without_a_port_is_no_pickup),
    cmocka_unit_test(auto_submitted_is_anything_but_no),
    cmocka_unit_test(an_admin_can_pin_a_class),
    cmocka_unit_test(one_person_has_one_login),
    cmocka_unit_test(verdict_takes_the_strongest_action_reached),
    cmocka_unit_test(the_ruling_on_a_notice_goes_before_the_score),
    cmocka_unit_test(trouble_is_decided_by_its_option),
    cmocka_unit_test(spool_folds_line_ends_across_puts_and_files),
    cmocka_unit_test(spool_tells_disk_trouble),
    cmocka_unit_test(log_line_has_fixed_keys_and_no_foreign_bytes),
    cmocka_unit_test(a_long_sender_leaves_the_log_line_whole),
};
UNIT_MAIN(tests)
