/* SPDX-License-Identifier: BSD-2-Clause */
/* rules -- any bytes as a rule file: read, linked, tested and run. */
#include "fuzz.h"

#include "rules/ruleset.h"

static const char mail[] = "From: a <a@b.example>\n"
			   "To: c@d.example\n"
			   "Subject: hello\n"
			   "Content-Type: text/html\n"
			   "\n"
			   "<p>some text <a href=\"http://x.org/\">link</a>\n";

/* Rules from outside may be slow; the fuzzer must not be. */
static bool
is_expired(void *arg)
{
	return ++*(unsigned *)arg > 1000;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	/* Files of this host are no input: nothing may be included. */
	if (size > 65536 || str_ifind(text, STR("include")) != STR_NONE)
		return 0;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct ruleset_options options = {.match_limit = 1000};
	struct ruleset *rules =
	    ruleset_load_text(STR("fuzz.cf"), text, &options, &diags);
	struct ruleset_counts counts = ruleset_counts(rules);
	if (counts.active > counts.rules || counts.disabled > counts.rules)
		abort();
	if (counts.rules < 100)
		(void)ruleset_test(rules, &diags);
	unsigned polls = 0;
	struct rule_run run = {
	    .wants_subs = true, .is_expired = is_expired, .arg = &polls};
	struct rule_result result;
	struct message *m =
	    message_new(a, str_from(mail), ruleset_mail_config(rules), NULL);
	ruleset_run(rules, m, &run, &result);
	for (size_t i = 0; i < result.hits.n; i++)
		if (result.hits.v[i].count == 0 ||
		    result.hits.v[i].evidence.len > 200)
			abort();
	ruleset_free(rules);
	arena_free(a);
	return 0;
}
