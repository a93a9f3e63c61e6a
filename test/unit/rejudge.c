/* SPDX-License-Identifier: BSD-2-Clause */
/* rejudge -- what is known of a message without its text, and what is not. */
#include "unit.h"

#include "cmd/rulework/rejudge.h"

static const char old_rules[] = "header A Subject =~ /a/\nscore A 3\n"
				"header B Subject =~ /b/\nscore B 2\n"
				"header __C Subject =~ /c/\n"
				"meta M A && __C\nscore M 1\n"
				"meta N M || B\nscore N 0.5\n"
				"header OFF Subject =~ /o/\nscore OFF 0\n";

static struct ruleset *
rules_of(const char *text)
{
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct ruleset *rules = ruleset_load_text(STR("test.cf"),
	    str_from(text), &(struct ruleset_options){0}, &diags);
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 0);
	arena_free(a);
	return rules;
}

/* From old_rules to themselves with `more` behind. */
struct change {
	struct arena *arena;
	struct ruleset *before, *after;
	struct rejudge_rules *rules;
	struct config old, config;
};

static void
change_make(struct change *c, const char *more)
{
	struct diags diags;
	c->arena = arena_new();
	diags = (struct diags){.arena = c->arena};
	c->before = rules_of(old_rules);
	c->after = rules_of(
	    str_c(c->arena, str_printf(c->arena, "%s%s", old_rules, more)));
	c->rules = rejudge_rules_new(c->arena, c->before, c->after);
	assert_true(config_read(c->arena, NULL, &c->old, &diags));
	assert_true(config_read(c->arena, NULL, &c->config, &diags));
}

static void
change_done(struct change *c)
{
	ruleset_free(c->before);
	ruleset_free(c->after);
	arena_free(c->arena);
}

/* "A B*2": what hit. */
static struct history_entry
entry_of(const char *hits, const char *action)
{
	struct history_entry e = {
	    .class = CLASS_SUBMISSION,
	    .flags = HISTORY_IS_SCANNED | HISTORY_CAN_REFUSE,
	};
	struct str rest = str_from(hits);
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		e.text[i] = STR_EMPTY;
	e.text[HISTORY_ACTION] = str_from(action);
	for (struct str w = str_word(&rest); w.len > 0; w = str_word(&rest)) {
		struct str count = w;
		struct str name = str_cut(&count, '*');
		uint64_t n = 1;
		if (count.len > 0)
			assert_true(str_u64(count, 100, &n));
		e.hits[e.nhits++] = (struct mail_hit){
		    .rule = name, .count = (unsigned)n, .evidence = STR_EMPTY};
	}
	e.nhits_all = (uint32_t)e.nhits;
	return e;
}

static void
a_rule_is_the_same_if_all_it_needs_is(void **state)
{
	(void)state;
	static const struct {
		const char *more;
		size_t changed;
	} rows[] = {
	    {"", 0},
	    {"score A 4\n", 0},
	    {"score A 0\n", 2},   /* M and N may not hit now */
	    {"score OFF 1\n", 1}, /* it was not run */
	    {"header NEW Subject =~ /n/\n", 1},
	    {"header A Subject =~ /aa/\n", 3},   /* A, M, N */
	    {"header __C Subject =~ /cc/\n", 2}, /* M, N */
	    {"header B Subject =~ /bb/\n", 2},   /* B, N */
	    {"tflags B multiple\n", 2},
	    {"describe A other words\n", 0},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct change c;
		change_make(&c, rows[i].more);
		if (rejudge_changed(c.rules) != rows[i].changed)
			fail_msg(
			    "%s: %zu", rows[i].more, rejudge_changed(c.rules));
		change_done(&c);
	}
}

static void
a_message_is_judged_if_what_is_not_known_cannot_matter(void **state)
{
	(void)state;
	/* submission: tag from 4, hold from 6 */
	static const struct {
		const char *more, *hits;
		enum action action; /* ACTION_COUNT: it cannot be */
		double score;
	} rows[] = {
	    {"", "A B", ACTION_TAG, 5},
	    {"score B 4\n", "A B", ACTION_HOLD, 7},
	    {"score B 4\n", "B*2", ACTION_HOLD, 8},
	    {"score A 0.5\n", "A B", ACTION_ACCEPT, 2.5},
	    {"", "GONE", ACTION_ACCEPT, 0},
	    /* one more point: only between 3 and 4, and between 5 and 6 */
	    {"header NEW Subject =~ /n/\nscore NEW 1\n", "B", ACTION_ACCEPT, 2},
	    {"header NEW Subject =~ /n/\nscore NEW 1\n", "A", ACTION_COUNT, 3},
	    {"header NEW Subject =~ /n/\nscore NEW -1\n", "A", ACTION_ACCEPT,
		3},
	    {"header NEW Subject =~ /n/\nscore NEW -1\n", "A M", ACTION_COUNT,
		4},
	    /* what hit is the old rule, not the new one */
	    {"header A Subject =~ /aa/\nscore A 9\nscore M 0\nscore N 0\n", "A",
		ACTION_COUNT, 0},
	    {"header NEW Subject =~ /n/\nscore NEW 0.1\ntflags NEW multiple\n",
		"B", ACTION_COUNT, 2},
	    {"header NEW Subject =~ /n/\nscore NEW 0.1\ntflags NEW multiple\n",
		"A B M*2", ACTION_HOLD, 7},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct change c;
		struct rejudge r;
		change_make(&c, rows[i].more);
		struct history_entry e = entry_of(rows[i].hits, "accept");
		rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
		bool is_judged = rows[i].action != ACTION_COUNT;
		if ((r.why == NULL) != is_judged ||
		    (is_judged && r.action != rows[i].action) ||
		    r.score < rows[i].score - 1e-9 ||
		    r.score > rows[i].score + 1e-9)
			fail_msg("%s %s: %s, %.3f", rows[i].more, rows[i].hits,
			    r.why == NULL ? action_name(r.action).p : r.why,
			    r.score);
		change_done(&c);
	}
}

static void
hits_that_are_not_there_are_missed(void **state)
{
	(void)state;
	struct change c;
	struct rejudge r;
	change_make(&c, "score A 9\n");
	struct history_entry e = entry_of("B", "accept");
	e.nhits_all++;
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_non_null(r.why);
	e = entry_of("B", "defer");
	e.text[HISTORY_REASON] = STR("timeout");
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_non_null(r.why);
	e = entry_of("", "accept");
	e.flags = 0; /* its class had no rules */
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_non_null(r.why);
	c.config.class[CLASS_SUBMISSION].is_filtered = false; /* and has none */
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_null(r.why);
	change_done(&c);
}

static void
what_rules_did_not_decide_stays(void **state)
{
	(void)state;
	struct change c;
	struct rejudge r;
	change_make(&c, "score A 9\n");
	struct history_entry e = entry_of("A", "accept");
	e.class = CLASS_INBOUND;
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_ACCEPT);
	e = entry_of("A", "accept");
	e.flags |= HISTORY_IS_RELEASED;
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_ACCEPT);
	e = entry_of("", "reject");
	e.text[HISTORY_REASON] = STR("header");
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_REJECT);
	e = entry_of("", "discard"); /* a notice to a forged sender */
	e.class = CLASS_NOTICE;
	e.text[HISTORY_ORIGIN] = STR("forged");
	e.text[HISTORY_REASON] = STR("forged");
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_DISCARD);
	c.config.has_notice_gate = false; /* nobody stops it then */
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_null(r.why);
	assert_int_equal(r.action, ACTION_ACCEPT);
	c.config.has_notice_gate = true;
	c.old.has_notice_gate = false; /* nobody has looked at it */
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_non_null(r.why);
	change_done(&c);
}

static void
thresholds_and_observe_are_those_of_the_new_configuration(void **state)
{
	(void)state;
	struct change c;
	struct rejudge r;
	change_make(&c, "");
	struct history_entry e = entry_of("A B", "accept");
	e.text[HISTORY_WOULD] = STR("tag");
	assert_int_equal(rejudge_was(&e), ACTION_TAG);
	c.config.class[CLASS_SUBMISSION].hold = 5;
	c.config.observe = true;
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_HOLD);
	c.config.class[CLASS_SUBMISSION].reject = 5;
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_REJECT);
	e.flags = HISTORY_IS_SCANNED; /* nobody is there to be told */
	rejudge_entry(c.rules, &c.old, &c.config, &e, &r);
	assert_int_equal(r.action, ACTION_HOLD);
	change_done(&c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_rule_is_the_same_if_all_it_needs_is),
    cmocka_unit_test(a_message_is_judged_if_what_is_not_known_cannot_matter),
    cmocka_unit_test(hits_that_are_not_there_are_missed),
    cmocka_unit_test(what_rules_did_not_decide_stays),
    cmocka_unit_test(thresholds_and_observe_are_those_of_the_new_configuration),
};

UNIT_MAIN(tests)
