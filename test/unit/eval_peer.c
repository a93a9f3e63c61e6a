/* SPDX-License-Identifier: BSD-2-Clause */
/* What SpamAssassin's rules ask of SPF, DKIM and DMARC. */
#include "unit.h"

#include "auth/facts.h"
#include "base/arena.h"
#include "rules/ruleset.h"

#define MAIL "From: alice@a.example\nSubject: hello\n\nhello\n"

/* What is known of the one message. */
static struct facts
facts_new(struct arena *a, const struct envelope *envelope)
{
	struct facts facts = {.envelope = envelope, .has_flight = true};
	struct dkim_mail mail;
	dkim_mail_cut(a, STR(MAIL), 10, &mail);
	authors_of(a, &mail, &facts.authors);
	facts.flight.spf.domain = STR("a.example");
	facts.flight.verdict = PREFLIGHT_FORM;
	facts.flight.evidence = STR_EMPTY;
	return facts;
}

static struct ruleset *
rules_new(const char *text, bool is_offline)
{
	static const struct eval_row *const peer[] = {EVAL_AUTH_PEER, NULL};
	struct ruleset_options options = {.evals = is_offline ? NULL : peer};
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct ruleset *rules =
	    ruleset_load_text(STR("t.cf"), str_from(text), &options, &diags);
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 0);
	arena_free(a);
	return rules;
}

static void
rules_run(struct arena *a, const struct ruleset *rules,
    const struct facts *auth, struct rule_result *ret)
{
	struct message *m = message_new(
	    a, STR(MAIL), ruleset_mail_config(rules), auth->envelope);
	struct eval_facts facts = {.auth = auth};
	struct rule_run run = {.wants_subs = true, .facts = &facts};
	ruleset_run(rules, m, &run, ret);
}

/* Does `function` hit, with `settings` among the rules? */
static bool
hits_with(struct arena *a, const char *settings, const char *function,
    const struct facts *facts)
{
	char text[500];
	(void)snprintf(text, sizeof(text),
	    strchr(function, '(') != NULL
		? "%s\nheader X eval:%s\ntflags X net\n"
		: "%s\nheader X eval:%s()\ntflags X net\n",
	    settings, function);
	struct ruleset *rules = rules_new(text, false);
	struct rule_result result;
	rules_run(a, rules, facts, &result);
	bool answer = result.hits.n > 0;
	ruleset_free(rules);
	return answer;
}

static bool
hits(struct arena *a, const char *function, const struct facts *facts)
{
	return hits_with(a, "", function, facts);
}

static void
spf_functions_are_named_after_the_worst_result(void **state)
{
	(void)state;
	static const struct {
		enum spf_result result;
		bool is_helo;
		enum preflight_spf_state spf_state;
		const char *hits, *misses;
	} cases[] = {
	    {SPF_PASS, false, SPF_STATE_JUDGED, "check_for_spf_pass",
		"check_for_spf_fail"},
	    {SPF_FAIL, false, SPF_STATE_JUDGED, "check_for_spf_fail",
		"check_for_spf_softfail"},
	    {SPF_SOFTFAIL, false, SPF_STATE_JUDGED, "check_for_spf_softfail",
		"check_for_spf_helo_softfail"},
	    {SPF_NEUTRAL, true, SPF_STATE_JUDGED, "check_for_spf_helo_neutral",
		"check_for_spf_neutral"},
	    {SPF_NONE, false, SPF_STATE_NO_DOMAIN, "check_for_spf_none",
		"check_for_spf_pass"},
	    {SPF_TEMPERROR, false, SPF_STATE_JUDGED, "check_for_spf_temperror",
		"check_for_spf_permerror"},
	    {SPF_PASS, false, SPF_STATE_JUDGED, "check_for_spf_pass",
		"check_for_spf_helo_pass"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct envelope envelope = {.from = STR("b@a.example")};
		struct facts facts = facts_new(a, &envelope);
		facts.flight.spf.state = cases[i].spf_state;
		facts.flight.spf.is_helo = cases[i].is_helo;
		facts.flight.spf.result = cases[i].result;
		assert_true(hits(a, cases[i].hits, &facts));
		assert_false(hits(a, cases[i].misses, &facts));
		facts.flight.spf.state = SPF_STATE_NO_EGRESS;
		assert_false(hits(a, cases[i].hits, &facts));
		arena_free(a);
	}
}

static void
dkim_counts_signatures_that_are_there_and_ours(void **state)
{
	(void)state;
	static const struct {
		enum dkim_result there; /* of a signature by b.example */
		enum dkim_match ours;   /* of our key for a.example */
		bool breaks_lines;
		bool is_signed, is_valid, is_author, is_envelope;
	} cases[] = {
	    {DKIM_NONE, DKIM_MISSING, false, true, false, false, false},
	    {DKIM_NONE, DKIM_MATCHES, false, true, true, true, false},
	    {DKIM_PASS, DKIM_MISSING, false, true, true, false, true},
	    {DKIM_FAIL, DKIM_DIFFERS, false, true, false, false, false},
	    {DKIM_PASS, DKIM_MATCHES, true, true, false, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct envelope envelope = {.from = STR("carol@B.example")};
		struct facts facts = facts_new(a, &envelope);
		struct preflight *flight = &facts.flight;
		flight->signatures.n = cases[i].there != DKIM_NONE;
		flight->signatures.v[0] =
		    (struct dkim_signature){.result = cases[i].there,
			.domain = STR("b.example"),
			.identity = STR("@b.example")};
		flight->nours = 1;
		flight->ours[0].match = cases[i].ours;
		flight->ours[0].signer.domain = STR("a.example");
		flight->ours[0].signer.identity = STR_EMPTY;
		flight->breaks_lines = cases[i].breaks_lines;
		assert_int_equal(
		    hits(a, "check_dkim_signed", &facts), cases[i].is_signed);
		assert_int_equal(
		    hits(a, "check_dkim_valid", &facts), cases[i].is_valid);
		assert_int_equal(hits(a, "check_dkim_dependable", &facts),
		    cases[i].is_valid);
		assert_int_equal(hits(a, "check_dkim_valid_author_sig", &facts),
		    cases[i].is_author);
		assert_int_equal(
		    hits(a, "check_dkim_valid_envelopefrom", &facts),
		    cases[i].is_envelope);
		arena_free(a);
	}
}

static void
dkim_takes_the_domains_that_a_rule_accepts(void **state)
{
	(void)state;
	static const struct {
		const char *function;
		bool hits;
	} cases[] = {
	    {"check_dkim_valid('x.b.example')", true},
	    {"check_dkim_valid('c.example', '*.b.example')", true},
	    {"check_dkim_valid('.x.b.example')", true},
	    {"check_dkim_valid('b.example')", false},
	    {"check_dkim_signed('*.example')", true},
	    {"check_dkim_signed('*.xb.example')", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct envelope envelope = {.from = STR("carol@b.example")};
		struct facts facts = facts_new(a, &envelope);
		facts.flight.signatures.n = 1;
		facts.flight.signatures.v[0] =
		    (struct dkim_signature){.result = DKIM_PASS,
			.domain = STR("b.example"),
			.identity = STR("@x.b.example")};
		assert_int_equal(
		    hits(a, cases[i].function, &facts), cases[i].hits);
		arena_free(a);
	}
}

static void
dmarc_functions_are_named_after_the_verdict(void **state)
{
	(void)state;
	static const struct {
		enum preflight_verdict verdict;
		const char *function;
	} cases[] = {
	    {PREFLIGHT_PASS, "check_dmarc_pass"},
	    {PREFLIGHT_PASS_SPF_ONLY, "check_dmarc_pass"},
	    {PREFLIGHT_FAIL_REJECT, "check_dmarc_reject"},
	    {PREFLIGHT_FAIL_QUARANTINE, "check_dmarc_quarantine"},
	    {PREFLIGHT_FAIL_NONE, "check_dmarc_none"},
	    {PREFLIGHT_NODMARC, "check_dmarc_missing"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t k = 0; k < COUNT_OF(cases); k++) {
			struct arena *a = arena_new();
			struct envelope envelope = {.from = STR_EMPTY};
			struct facts facts = facts_new(a, &envelope);
			facts.flight.verdict = cases[i].verdict;
			assert_int_equal(hits(a, cases[k].function, &facts),
			    strcmp(cases[i].function, cases[k].function) == 0);
			facts.flight.verdict = PREFLIGHT_TEMP;
			assert_false(hits(a, cases[k].function, &facts));
			arena_free(a);
		}
}

static void
listed_senders_pass_if_spf_does(void **state)
{
	(void)state;
	static const struct {
		const char *settings;
		enum spf_result result;
		bool is_helo, is_welcome, is_default;
	} cases[] = {
	    {"welcomelist_from_spf *@a.example", SPF_PASS, false, true, false},
	    {"whitelist_auth b@A.example", SPF_PASS, false, true, false},
	    {"def_welcomelist_from_spf b@*", SPF_PASS, false, false, true},
	    {"def_welcomelist_auth b@*", SPF_PASS, false, false, true},
	    {"welcomelist_auth b@*", SPF_SOFTFAIL, false, false, false},
	    {"welcomelist_auth b@*", SPF_PASS, true, false, false},
	    {"welcomelist_from_dkim b@*", SPF_PASS, false, false, false},
	    {"welcomelist_auth b@*\nunwelcomelist_auth b@*", SPF_PASS, false,
		false, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct envelope envelope = {.from = STR("b@a.example")};
		struct facts facts = facts_new(a, &envelope);
		facts.flight.spf.result = cases[i].result;
		facts.flight.spf.is_helo = cases[i].is_helo;
		assert_int_equal(hits_with(a, cases[i].settings,
				     "check_for_spf_welcomelist_from", &facts),
		    cases[i].is_welcome);
		assert_int_equal(
		    hits_with(a, cases[i].settings,
			"check_for_def_spf_whitelist_from", &facts),
		    cases[i].is_default);
		arena_free(a);
	}
}

/* The author is alice@a.example. */
static void
listed_authors_pass_if_the_right_domain_signs(void **state)
{
	(void)state;
	static const struct {
		const char *settings, *signer;
		enum dkim_result result;
		bool is_welcome, is_default;
	} cases[] = {
	    {"welcomelist_auth *@a.example", "a.example", DKIM_PASS, true,
		false},
	    {"welcomelist_auth *@a.example", "b.example", DKIM_PASS, false,
		false},
	    {"welcomelist_auth *@a.example", "a.example", DKIM_FAIL, false,
		false},
	    {"def_welcomelist_auth alice@*", "A.example", DKIM_PASS, false,
		true},
	    {"welcomelist_from_dkim *@a.example", "a.example", DKIM_PASS, true,
		false},
	    {"welcomelist_from_dkim *@a.example", "b.example", DKIM_PASS, false,
		false},
	    {"welcomelist_from_dkim *@a.example B.example", "b.example",
		DKIM_PASS, true, false},
	    {"welcomelist_from_dkim *@a.example B.example", "a.example",
		DKIM_PASS, false, false},
	    {"def_welcomelist_from_dkim *@a.example x@b.example", "b.example",
		DKIM_PASS, false, true},
	    {"welcomelist_from_dkim *@a.example *.b.example", "x.b.example",
		DKIM_PASS, true, false},
	    {"welcomelist_from_dkim *@a.example .b.example", "b.example",
		DKIM_PASS, false, false},
	    {"welcomelist_from_dkim *@a.example b.example\n"
	     "welcomelist_from_dkim *@a.example c.example\n"
	     "unwelcomelist_from_dkim *@a.example B.example",
		"c.example", DKIM_PASS, true, false},
	    {"welcomelist_from_dkim *@a.example b.example\n"
	     "unwelcomelist_from_dkim *@A.example b.example",
		"b.example", DKIM_PASS, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct envelope envelope = {.from = STR_EMPTY};
		struct facts facts = facts_new(a, &envelope);
		facts.flight.signatures.n = 1;
		facts.flight.signatures.v[0] =
		    (struct dkim_signature){.result = cases[i].result,
			.domain = str_from(cases[i].signer),
			.identity = STR_EMPTY};
		assert_int_equal(hits_with(a, cases[i].settings,
				     "check_for_dkim_welcomelist_from", &facts),
		    cases[i].is_welcome);
		assert_int_equal(
		    hits_with(a, cases[i].settings,
			"check_for_def_dkim_welcomelist_from", &facts),
		    cases[i].is_default);
		arena_free(a);
	}
}

#define OVERRIDES                                                   \
	"adsp_override a.example custom_med\n"                      \
	"adsp_override *.example all\nadsp_override @x.a.example\n" \
	"adsp_override * unknown"

/* The author is alice@a.example. */
static void
a_domain_that_signs_all_is_known_by_override(void **state)
{
	(void)state;
	static const struct {
		const char *settings, *function;
		enum dkim_result result;
		enum dkim_match ours;
		bool hits;
	} cases[] = {
	    {OVERRIDES, "check_dkim_adsp('2')", DKIM_NONE, DKIM_MISSING, true},
	    {OVERRIDES, "check_dkim_adsp('*')", DKIM_NONE, DKIM_MISSING, true},
	    {OVERRIDES, "check_dkim_adsp('A')", DKIM_NONE, DKIM_MISSING, false},
	    {OVERRIDES, "check_dkim_adsp('*', '*.a.example')", DKIM_NONE,
		DKIM_MISSING, true},
	    {OVERRIDES, "check_dkim_adsp('*', 'b.example')", DKIM_NONE,
		DKIM_MISSING, false},
	    {OVERRIDES, "check_dkim_adsp('*')", DKIM_FAIL, DKIM_MISSING, true},
	    {OVERRIDES, "check_dkim_adsp('*')", DKIM_PASS, DKIM_MISSING, false},
	    {OVERRIDES, "check_dkim_adsp('*')", DKIM_TEMPERROR, DKIM_MISSING,
		false},
	    {OVERRIDES, "check_dkim_adsp('*')", DKIM_NONE, DKIM_MATCHES, false},
	    {OVERRIDES, "check_dkim_adsp('*')", DKIM_NONE, DKIM_UNKNOWN, false},
	    {"adsp_override *.example all", "check_dkim_signall", DKIM_NONE,
		DKIM_MISSING, true},
	    {"adsp_override a.example", "check_dkim_adsp('D')", DKIM_NONE,
		DKIM_MISSING, true},
	    {"adsp_override *", "check_dkim_adsp('DA')", DKIM_NONE,
		DKIM_MISSING, true},
	    {"adsp_override * unknown", "check_dkim_adsp('*')", DKIM_NONE,
		DKIM_MISSING, false},
	    {"adsp_override b.example", "check_dkim_adsp('*')", DKIM_NONE,
		DKIM_MISSING, false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *a = arena_new();
		struct envelope envelope = {.from = STR_EMPTY};
		struct facts facts = facts_new(a, &envelope);
		struct preflight *flight = &facts.flight;
		flight->signatures.n = cases[i].result != DKIM_NONE;
		flight->signatures.v[0] =
		    (struct dkim_signature){.result = cases[i].result,
			.domain = STR("a.example"),
			.identity = STR_EMPTY};
		flight->nours = cases[i].ours != DKIM_MISSING;
		flight->ours[0].match = cases[i].ours;
		flight->ours[0].signer.domain = STR("a.example");
		flight->ours[0].signer.identity = STR_EMPTY;
		assert_int_equal(
		    hits_with(a, cases[i].settings, cases[i].function, &facts),
		    cases[i].hits);
		facts.has_flight = false;
		assert_false(
		    hits_with(a, cases[i].settings, cases[i].function, &facts));
		arena_free(a);
	}
}

#define SCORES                                              \
	"ifplugin Mail::SpamAssassin::Plugin::SPF\n"        \
	"header F eval:check_for_spf_fail()\n"              \
	"tflags F net\nscore F 0 0.9 0 0.1\n"               \
	"header L eval:check_rbl('x', 'bl.example.')\n"     \
	"tflags L net\nscore L 0 5 0 5\n"                   \
	"meta M F\ntflags M net\nscore M 0.25 0.5 0 0\n"    \
	"meta N (F && !L)\ntflags N net\nscore N 2 3 0 0\n" \
	"endif\n"

static void
rules_of_the_network_that_are_answered_have_its_scores(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct envelope envelope = {.from = STR("b@a.example")};
	struct facts facts = facts_new(a, &envelope);
	facts.flight.spf.result = SPF_FAIL;
	struct ruleset *rules = rules_new(SCORES, false);
	struct rule_result result;
	rules_run(a, rules, &facts, &result);
	assert_int_equal(result.hits.n, 3);
	/* F 0.9, M 0.5; N asks a blocklist as well: 2 */
	assert_true(result.score > 3.399 && result.score < 3.401);
	ruleset_free(rules);
	rules = rules_new(SCORES, true);
	rules_run(a, rules, &facts, &result);
	assert_int_equal(result.hits.n, 0);
	ruleset_free(rules);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(spf_functions_are_named_after_the_worst_result),
    cmocka_unit_test(dkim_counts_signatures_that_are_there_and_ours),
    cmocka_unit_test(dkim_takes_the_domains_that_a_rule_accepts),
    cmocka_unit_test(dmarc_functions_are_named_after_the_verdict),
    cmocka_unit_test(listed_senders_pass_if_spf_does),
    cmocka_unit_test(listed_authors_pass_if_the_right_domain_signs),
    cmocka_unit_test(a_domain_that_signs_all_is_known_by_override),
    cmocka_unit_test(rules_of_the_network_that_are_answered_have_its_scores),
};

UNIT_MAIN(tests)
