/* SPDX-License-Identifier: BSD-2-Clause */
/* rule_case -- rule text and a small message: which rules hit. */
#ifndef TEST_UNIT_RULE_CASE_H
#define TEST_UNIT_RULE_CASE_H

#include "unit.h"

#include "base/clock.h"
#include "mail/message.h"
#include "rules/ruleset.h"

/* One question; `want` is "A B=2": rules that hit, with counts that are not 1.
 */
struct rule_case {
	const char *rules, *mail, *want;
};

/* Top-level domains are those of the test, not of a list that changes. */
#define RULE_CASE_TLDS "util_rb_tld com org net de example\n"

#define RULE_CASE_NOW 1704067200 /* 2024-01-01 */

/* "A B=2" for one message. */
static inline struct str
rule_case_run(struct arena *a, const struct ruleset *rules, const char *mail)
{
	struct rule_run run = {.now = RULE_CASE_NOW};
	struct rule_result result;
	struct message *m =
	    message_new(a, str_from(mail), ruleset_mail_config(rules), NULL);
	ruleset_run(rules, m, &run, &result);
	struct buf *b = buf_new(a, 10000);
	for (size_t i = 0; i < result.hits.n; i++) {
		const struct rule_hit *hit = &result.hits.v[i];
		buf_printf(
		    b, "%s%.*s", b->len > 0 ? " " : "", STR_ARG(hit->rule));
		if (hit->count != 1)
			buf_printf(b, "=%u", hit->count);
	}
	return buf_str(b);
}

/* Without the prefilter, and with it: the same. */
static inline struct str
rule_case_hits(struct arena *a, const struct rule_case *c)
{
	struct diags diags = {.arena = a};
	struct ruleset_options options = {0};
	struct filter_options filter = {
	    .cpu_ns = clock_cpu_ns, .cache = STR_EMPTY};
	struct filter_made made;
	struct str text = str_printf(a, "%s%s", RULE_CASE_TLDS, c->rules);
	struct ruleset *rules =
	    ruleset_load_text(STR("t.cf"), text, &options, &diags);
	for (size_t i = 0; i < diags.n; i++)
		if (diags.v[i].level == DIAG_ERROR)
			fail_msg(
			    "%.*s in\n%s", STR_ARG(diags.v[i].text), c->rules);
	struct str got = rule_case_run(a, rules, c->mail);
	assert_true(ruleset_filter(rules, &filter, &made));
	struct str with = rule_case_run(a, rules, c->mail);
	if (!str_eq(got, with))
		fail_msg("with the prefilter [%.*s], without [%.*s] of\n%s",
		    STR_ARG(with), STR_ARG(got), c->rules);
	ruleset_free(rules);
	return got;
}

static inline void
rule_cases_check(const struct rule_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct str got = rule_case_hits(a, &cases[i]);
		if (!str_eq(got, str_from(cases[i].want)))
			fail_msg("case %zu: got [%.*s], want [%s] of\n%s\n%s",
			    i, STR_ARG(got), cases[i].want, cases[i].rules,
			    cases[i].mail);
		arena_free(a);
	}
}

#define RULE_CASES_CHECK(cases) rule_cases_check((cases), COUNT_OF(cases))

#endif
