/* SPDX-License-Identifier: BSD-2-Clause */
/* eval: every function on any message, and the input as an attached file. */
#include "fuzz.h"

#include "rules/eval_rows.h"
#include "rules/filetype.h"
#include "rules/regex.h"
#include "rules/rule.h"
#include "rules/wallet.h"

#define INPUT_MAX ((size_t)64 * 1024)

/* Arguments that make each row look: the first that fits is taken. */
static const struct str ARGS[][2] = {
    {{"1", 1}, {"exe", 3}},
    {{"From", 4}, {"1", 1}},
    {{"any", 3}, {"foreign", 7}},
    {{"smuggle", 7}, {"password", 8}},
    {{"subject", 7}, {"user", 4}},
    {{"link", 4}, {"address", 7}},
    {{"greeting", 8}, {"address", 7}},
    {{"zip", 3}, {"archive", 7}},
    {{"domain", 6}, {"macro", 5}},
};

/* Lists for the rows that ask some. */
static const char SETTINGS[] =
    "ok_locales en\n"
    "freemail_domains b.example *.com org\n"
    "freemail_max_body_emails 1000\n"
    "welcomelist_from *@*.org\nwelcomelist_from_rcvd *@* com\n"
    "def_welcomelist_from_rcvd *@* [10.1]\nblocklist_to *a*b*@?*\n"
    "enlist_addrlist (From) *.com\nenlist_uri_host (1) com !b.com\n"
    "blocklist_subject a*b?c\nwelcomelist_bounce_relays *.com a.b\n";

static const struct ruleset *
rules_of_settings(void)
{
	static const struct ruleset *rules;
	if (rules == NULL) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct ruleset_options options = {0};
		rules = ruleset_load_text(
		    STR("fuzz.cf"), str_from(SETTINGS), &options, &diags);
		if (diags_count(&diags, DIAG_ERROR) > 0)
			abort();
		arena_free(a);
	}
	return rules;
}

/* What a row is called with besides its arguments. */
struct tools {
	const struct ruleset *rules;
	struct eval_cache cache;
	struct regex_scratch *scratch;
	const struct regex *regexes[3];
};

static void
tools_make(struct arena *a, struct tools *ret)
{
	static struct regex *regex;
	struct str why;
	*ret = (struct tools){.rules = rules_of_settings()};
	if (regex == NULL &&
	    regex_new(ret->rules->env, STR("a"), &regex, &why) != REGEX_OK)
		abort();
	for (size_t i = 0; i < COUNT_OF(ret->regexes); i++)
		ret->regexes[i] = regex;
	ret->scratch = regex_scratch_new(a, ret->rules->env, NULL, NULL);
}

static void
run_row(const struct eval_row *row, struct message *m, struct tools *tools)
{
	for (size_t i = 0; i < COUNT_OF(ARGS); i++) {
		struct str args[3] = {ARGS[i][0], ARGS[i][1], {"2", 1}};
		size_t n = row->args_min > 2   ? 3
			   : row->args_max < 2 ? row->args_max
					       : 2;
		struct eval_call call = {.message = m,
		    .lists = &tools->rules->lists,
		    .cache = &tools->cache,
		    .regexes = tools->regexes,
		    .scratch = tools->scratch,
		    .args = args,
		    .nargs = n,
		    .evidence = STR_EMPTY};
		if (row->run(&call) < 0 ||
		    call.evidence.len > m->raw.len + 1000)
			abort();
	}
}

static bool
see_member(void *arg, struct str name)
{
	*(size_t *)arg += 1;
	(void)file_kind_of_name(name);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input =
	    str_of((const char *)data, size < INPUT_MAX ? size : INPUT_MAX);
	struct arena *a = arena_new();
	struct tools tools;
	tools_make(a, &tools);
	struct envelope envelope = {.class = CLASS_SUBMISSION,
	    .from = STR("a@b.example.org"),
	    .login = STR("c@d.example.com")};
	strs_add(a, &envelope.rcpt, STR("erin@c.example"));
	struct message *m =
	    message_new(a, input, ruleset_mail_config(tools.rules), &envelope);
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			run_row(row, m, &tools);
	size_t members = 0;
	zip_members(input, see_member, &members);
	if (members > ZIP_MEMBERS_MAX)
		abort();
	(void)file_kind_of_bytes(input);
	(void)file_kind_of_name(input);
	(void)wallet_coin_of(input);
	arena_free(a);
	return 0;
}
