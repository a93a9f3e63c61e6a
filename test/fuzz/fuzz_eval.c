/* SPDX-License-Identifier: BSD-2-Clause */
/* eval: every function on any message, and the input as an attached file. */
#include "fuzz.h"

#include "rules/eval.h"
#include "rules/filetype.h"
#include "rules/ruleset.h"
#include "rules/wallet.h"

#define INPUT_MAX ((size_t)64 * 1024)

/* Lists that functions ask. */
#define SETTINGS                                                       \
	"freemail_domains free.example *.free.* gmail.com\n"           \
	"freemail_welcomelist good@free.example\n"                     \
	"welcomelist_from *@good.example a?c@d.example\n"              \
	"welcomelist_from_rcvd *@good.example good.example\n"          \
	"blocklist_from *@bad.*\n"                                     \
	"welcomelist_to *@us.example\nblocklist_to bad@us.example\n"   \
	"enlist_addrlist (PEOPLE) *@good.example\n"                    \
	"enlist_uri_host (HOSTS) good.example !www.good.example com\n" \
	"blocklist_uri_host bad.example\nwelcomelist_uri_host a.com\n" \
	"welcomelist_subject good*\nblocklist_subject *bad?\n"         \
	"welcomelist_bounce_relays *.us.example mx.example\n"          \
	"trusted_networks 192.0.2. 2001:db8::/32 !192.0.2.66\n"        \
	"internal_networks 192.0.2.1\n"

/* What stands for an argument, by its letter; each row is called with each. */
static const struct {
	const char *string, *number, *regex;
} ARGS[] = {
    {"exe", "1", "/[a-e]+\\b/i"},
    {"From", "0", "/^.?$/"},
    {"foreign", "3", "/(?:.|\\n)*x/"},
    {"smuggle", "100", "/\\d/"},
    {"subject", "-1", "/./"},
    {"address", "0.5", "/./"},
    {"user", "2048", "/./"},
    {"link", "10", "/./"},
    {"domain", "20", "/./"},
    {"HOSTS", "undef", "/./"},
    {"PEOPLE", "1", "/./"},
    {"img", "5", "/./"},
    {"anchor", ".5", "/./"},
    {"length", "> 5", "/./"},
    {"all", "inf", "/./"},
    {"gif", "0400", "/./"},
    {"uri", "x", "/./"},
};

static void
put_argument(struct buf *b, char letter, size_t i)
{
	buf_printf(b, "'%s'",
	    letter == 'n'   ? ARGS[i].number
	    : letter == 'r' ? ARGS[i].regex
			    : ARGS[i].string);
}

/* One rule for each row and each kind of arguments. */
static void
put_rules(struct buf *b, const struct eval_row *row)
{
	size_t letters = strcspn(row->args, " ");
	for (size_t i = 0; i < COUNT_OF(ARGS); i++) {
		buf_printf(
		    b, "body E_%s_%zu eval:%s(", row->name, i, row->name);
		size_t n = row->args_max < 4 ? row->args_max : 4;
		if (n < row->args_min)
			n = row->args_min;
		for (size_t k = 0; k < n; k++) {
			if (k > 0)
				buf_putc(b, ',');
			put_argument(b,
			    row->args[k < letters ? k : letters - 1],
			    (i + k) % COUNT_OF(ARGS));
		}
		buf_put(b, STR(")\n"));
	}
}

/* What does not fit (a number that is none) is disabled when rules load. */
static const struct ruleset *
rules_once(void)
{
	static struct ruleset *rules;
	if (rules != NULL)
		return rules;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, (size_t)1024 * 1024);
	buf_put(b, STR(SETTINGS));
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			put_rules(b, row);
	struct ruleset_options options = {0};
	struct diags diags = {.arena = a};
	rules = ruleset_load_text(STR("fuzz.cf"), buf_str(b), &options, &diags);
	arena_free(a);
	return rules;
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
	const struct ruleset *rules = rules_once();
	struct envelope envelope = {.class = CLASS_SUBMISSION,
	    .from = STR("a@b.example.org"),
	    .login = STR("c@d.example.com")};
	strs_add(a, &envelope.rcpt, STR("erin@c.example"));
	struct message *m =
	    message_new(a, input, ruleset_mail_config(rules), &envelope);
	struct rule_run run = {.wants_subs = true};
	struct rule_result result;
	ruleset_run(rules, m, &run, &result);
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
