/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_case -- one eval function, one message, and what the rule's value is:
 * read from rule text and run as any rule.
 */
#ifndef TEST_UNIT_EVAL_CASE_H
#define TEST_UNIT_EVAL_CASE_H

#include "unit.h"

#include "rules/ruleset.h"

struct eval_case {
	const char *call; /* "html_test('html')" */
	const char *mail;
	unsigned value;
	const char *type;  /* of the rule; NULL: body */
	const char *lines; /* further lines of the rule file */
};

/* CASE(call, mail, value), and what else is to be set: .type = "rawbody" */
#define CASE(call_, mail_, ...)                                    \
	{                                                          \
		.call = call_, .mail = mail_, .value = __VA_ARGS__ \
	}

/* The value of rule T of `text` on `mail`. */
static inline unsigned
rule_value(const char *text, struct str mail)
{
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct ruleset_options options = {0};
	struct ruleset *rules =
	    ruleset_load_text(STR("t.cf"), str_from(text), &options, &diags);
	for (size_t i = 0; i < diags.n; i++)
		if (diags.v[i].level == DIAG_ERROR)
			fail_msg("%s", text);
	struct rule_run run = {0};
	struct rule_result result = {0};
	struct message *m =
	    message_new(a, mail, ruleset_mail_config(rules), NULL);
	ruleset_run(rules, m, &run, &result);
	unsigned value = 0;
	for (size_t i = 0; i < result.hits.n; i++)
		if (str_eq(result.hits.v[i].rule, STR("T")))
			value = result.hits.v[i].count;
	ruleset_free(rules);
	arena_free(a);
	return value;
}

static inline void
check_eval_case(const struct eval_case *c, size_t i)
{
	char text[1000];
	int n = snprintf(text, sizeof(text), "%s\n%s T eval:%s\n",
	    c->lines == NULL ? "" : c->lines,
	    c->type == NULL ? "body" : c->type, c->call);
	assert_in_range(n, 1, sizeof(text) - 1);
	unsigned value = rule_value(text, str_from(c->mail));
	if (value != c->value)
		fail_msg("%zu %s is %u on\n%s", i, c->call, value, c->mail);
}

#define CHECK_EVALS(cases)                                      \
	do {                                                    \
		for (size_t i_ = 0; i_ < COUNT_OF(cases); i_++) \
			check_eval_case(&(cases)[i_], i_);      \
	} while (0)

#endif
