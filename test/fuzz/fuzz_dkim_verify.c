/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_verify -- no mail and no key record hurts libopendkim.  The input is a
 * key record, an empty line, and a mail; the record is that of every selector.
 */
#include "fuzz.h"

#include "auth/dkim_sendmail.h"
#include "auth/dkim_verify.h"
#include "base/clock.h"

#define NOW 1700000000

static void
answer(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	(void)name;
	(void)type;
	strs_add(a, &ret->records, *(const struct str *)arg);
}

static void
verify(struct arena *a, struct str record, struct str raw)
{
	struct resolver *r = resolver_new_source(answer, &record);
	struct cache *cache = cache_new(10, 100000);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 60000, .questions = 100};
	struct dkim_mail mail;
	dkim_mail_cut(a, raw, 2000, &mail);
	struct dkim_signatures found;
	dkim_verify_mail(a, r, cache, &mail, NOW, &budget, &found);
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].result == DKIM_NONE ||
		    (found.v[i].result == DKIM_PASS) !=
			(*found.v[i].why == '\0'))
			abort();
	dkim_mail_as_sendmail(a, &mail);
	cache_free(cache);
	resolver_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str raw = str_of((const char *)data, size);
	size_t end = str_find(raw, STR("\n\n"));
	verify(a, str_sub(raw, 0, end),
	    str_skip(raw, end == STR_NONE ? end : end + 2));
	arena_free(a);
	return 0;
}
