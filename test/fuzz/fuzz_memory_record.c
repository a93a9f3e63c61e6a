/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the state file, requests and replies: any bytes are read or
 * refused, and what is read comes back when it is written again.
 */
#include "fuzz.h"

#include "state/history.h"
#include "state/request.h"

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

/* The bytes as a record whose check is right. */
static struct str
checked(struct arena *a, struct str bytes)
{
	uint16_t check = record_check(bytes);
	struct buf *b = buf_new(a, bytes.len + sizeof(check));
	buf_put(b, str_of((const char *)&check, sizeof(check)));
	buf_put(b, bytes);
	return buf_str(b);
}

static void
same_entries(const struct ledger_entry *x, const struct ledger_entry *y)
{
	must(x->time_wall == y->time_wall && x->class == y->class);
	must(str_eq(x->message_id, y->message_id));
	must(str_eq(x->sender, y->sender));
	must(x->nrcpt == y->nrcpt);
	for (size_t i = 0; i < x->nrcpt; i++)
		must(str_eq(x->rcpt[i], y->rcpt[i]));
	must(str_eq(x->queue_id, y->queue_id));
	must(str_eq(x->client_addr, y->client_addr));
	must(x->spf == y->spf && x->dkim == y->dkim && x->dmarc == y->dmarc);
	must(x->standing == y->standing && x->has_login == y->has_login);
	must(x->is_auto == y->is_auto);
}

static void
entry(struct arena *a, struct str bytes)
{
	struct ledger_entry e, again;
	if (!entry_unpack(a, bytes, &e))
		return;
	must(e.nrcpt <= LEDGER_RCPT_MAX && e.class < CLASS_COUNT);
	struct buf *b = buf_new(a, RECORD_BYTES_MAX);
	entry_pack(b, &e);
	must(!b->is_cut);
	must(entry_unpack(a, buf_str(b), &again));
	same_entries(&e, &again);
}

static void
same_hits(const struct mail_hit *x, const struct mail_hit *y)
{
	must(str_eq(x->rule, y->rule) && x->score == y->score);
	must(x->count == y->count && str_starts(x->evidence, y->evidence));
}

static void
history(struct arena *a, struct str bytes)
{
	static struct history_entry e, again;
	if (!history_unpack(bytes, &e) && !history_peek(bytes, &e))
		return;
	must(e.nrcpt <= HISTORY_RCPT_MAX && e.nhits <= HISTORY_HITS_MAX);
	struct buf *b = buf_new(a, HISTORY_BYTES_MAX);
	history_pack(b, &e);
	must(!b->is_cut);
	must(history_unpack(buf_str(b), &again));
	must(e.time_wall == again.time_wall && e.class == again.class);
	must(e.score == again.score && e.threshold == again.threshold);
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		must(str_eq(e.text[i], again.text[i]));
	must(e.nrcpt == again.nrcpt && e.nrcpt_all == again.nrcpt_all);
	for (size_t i = 0; i < e.nrcpt; i++)
		must(str_eq(e.rcpt[i], again.rcpt[i]));
	must(e.nhits == again.nhits && e.nhits_all == again.nhits_all);
	for (size_t i = 0; i < e.nhits; i++)
		same_hits(&e.hits[i], &again.hits[i]);
}

static void
request(struct arena *a, struct str bytes)
{
	struct request r, again;
	if (!request_unpack(bytes, &r))
		return;
	must(r.nrows <= BUDGET_ROWS_MAX);
	struct buf *b = buf_new(a, REQUEST_BYTES_MAX);
	request_pack(b, &r);
	if (b->is_cut)
		return;
	must(request_unpack(buf_str(b), &again));
	must(r.number == again.number && r.kind == again.kind);
	must(str_eq(r.first, again.first) && str_eq(r.second, again.second));
	must(r.wall == again.wall && r.nrows == again.nrows);
	for (unsigned i = 0; i < r.nrows; i++) {
		must(str_eq(r.rows[i].key, again.rows[i].key));
		must(r.rows[i].limit == again.rows[i].limit);
		must(r.rows[i].window_s == again.rows[i].window_s);
	}
}

static void
reply(struct arena *a, struct str bytes)
{
	struct reply r;
	struct ledger_found found;
	if (reply_unpack(bytes, &r) && found_unpack(a, r.results, &found))
		must(found.n <= UINT8_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str bytes = str_of((const char *)data, size);
	entry(a, bytes);
	entry(a, checked(a, bytes));
	history(a, bytes);
	history(a, checked(a, bytes));
	request(a, bytes);
	reply(a, bytes);
	arena_free(a);
	return 0;
}
