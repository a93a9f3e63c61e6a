/* SPDX-License-Identifier: BSD-2-Clause */
/* notice_kind -- any message: of which kind is it?  With the null sender, with
 * another and without an envelope. */
#include "fuzz.h"

#include "mail/message.h"
#include "notice/kind.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
classify(struct str raw, const struct envelope *envelope)
{
	struct arena *a = arena_new();
	struct mail_config config = {.limits = MAIL_LIMITS_DEFAULT};
	struct message *m = message_new(a, raw, &config, envelope);
	struct notice_form form = notice_form_of(m);
	check(form.kind < NOTICE_KINDS);
	check(form.evidence.len <= 200);
	check((form.evidence.len == 0) == (form.kind == NOTICE_NONE));
	/* What it has cached changes nothing. */
	check(notice_form_of(m).kind == form.kind);
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct envelope null = {.from = STR_EMPTY};
	const struct envelope other = {.from = STR("ann@example.org")};
	struct str raw = str_of((const char *)data, size);
	classify(raw, NULL);
	classify(raw, &null);
	classify(raw, &other);
	return 0;
}
