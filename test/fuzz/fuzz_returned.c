/* SPDX-License-Identifier: BSD-2-Clause */
/* returned -- any message as a notice. */
#include "fuzz.h"

#include "mail/message.h"
#include "notice/returned.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_texts(const struct str *v, size_t n, size_t max, size_t bytes)
{
	check(n <= max);
	for (size_t i = 0; i < n; i++) {
		check(v[i].len > 0 && v[i].len <= bytes);
		for (size_t at = 0; at < v[i].len; at++)
			check((unsigned char)v[i].p[at] > ' ');
		for (size_t k = 0; k < i; k++)
			check(!str_eq(v[k], v[i]));
	}
}

static void
check_trace(const struct returned *r)
{
	check(r->nreceived <= RETURNED_RECEIVED_MAX);
	for (size_t i = 0; i < r->nreceived; i++) {
		check(r->received_at[i] < r->mail.n);
		check(str_ieq(
		    r->mail.v[r->received_at[i]].name, STR("Received")));
		check(i == 0 || r->received_at[i] > r->received_at[i - 1]);
	}
}

static void
check_returned(const struct returned *r)
{
	bool is_part = r->form == RETURNED_PART || r->form == RETURNED_REPORT;
	check(!r->is_whole || is_part);
	check(r->form != RETURNED_NONE || (r->mail.n == 0 && !r->is_notice));
	check(r->is_whole || r->mail.body.len == 0);
	check(r->has_return_path || r->return_path.len == 0);
	check_texts(r->ids, r->nids, RETURNED_IDS_MAX, 250);
	check_texts(r->rcpt, r->nrcpt, RETURNED_RCPT_MAX, 254);
	check_texts(&r->queue_id, r->queue_id.len > 0, 1, 32);
	check_texts(&r->status, r->status.len > 0, 1, 11);
	check_trace(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct mail_config config = {.limits = MAIL_LIMITS_DEFAULT};
	struct str raw = str_dup(a, str_of((const char *)data, size));
	struct returned *r = ARENA_NEW(a, struct returned);
	returned_read(message_new(a, raw, &config, NULL), r);
	check_returned(r);
	/* Whole, it lies in the message as it is, or was decoded. */
	if (r->is_whole)
		check(r->mail.body.len < size);
	arena_free(a);
	return 0;
}
