/* SPDX-License-Identifier: BSD-2-Clause */
/* eval: every function on any message, and the input as an attached file. */
#include "fuzz.h"

#include "mail/uri.h"
#include "rules/eval.h"
#include "rules/filetype.h"
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

static void
run_row(const struct eval_row *row, struct message *m)
{
	for (size_t i = 0; i < COUNT_OF(ARGS); i++) {
		struct str args[3] = {ARGS[i][0], ARGS[i][1], {"2", 1}};
		size_t n = row->args_min > 2   ? 3
			   : row->args_max < 2 ? row->args_max
					       : 2;
		struct eval_call call = {.message = m,
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
	struct mail_config config = {
	    MAIL_LIMITS_DEFAULT, tld_set_new(a, NULL, NULL, NULL), NULL};
	struct envelope envelope = {.class = CLASS_SUBMISSION,
	    .from = STR("a@b.example.org"),
	    .login = STR("c@d.example.com")};
	strs_add(a, &envelope.rcpt, STR("erin@c.example"));
	struct message *m = message_new(a, input, &config, &envelope);
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			run_row(row, m);
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
