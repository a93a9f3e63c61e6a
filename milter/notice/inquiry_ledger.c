/* SPDX-License-Identifier: BSD-2-Clause */
/* inquiry_ledger -- what we remember of an addressee. */
#include "notice/inquiry.h"

#include "base/arena.h"
#include "base/clock.h"
#include "mail/address.h"

/* How far back a notice that names no message may reach. */
#define RECENT_S ((int64_t)24 * 3600)
#define WRITERS_MAX 6

/* What entries say together: they may be of several messages, of which only
 * one is answered. */
struct ballot {
	size_t pass, login, dkim, fail, unknown, temp;
	size_t automatic; /* that a program says it wrote, and are not forged */
};

static void
ballot_take(struct ballot *b, const struct ledger_entry *e)
{
	b->pass += e->standing == STANDING_PASS || e->standing == STANDING_OURS;
	b->login += e->standing == STANDING_LOGIN;
	b->dkim += e->standing == STANDING_DKIM;
	b->fail += e->standing == STANDING_FAIL;
	b->unknown += e->standing == STANDING_UNKNOWN;
	b->temp += e->spf == SPF_TEMPERROR;
	b->automatic += e->is_auto && e->standing != STANDING_FAIL;
}

static enum notice_origin
ballot_result(const struct ballot *b)
{
	size_t good = b->pass + b->login + b->dkim;
	if (b->unknown > 0 || (b->fail > 0 && good > 0))
		return ORIGIN_UNKNOWN;
	return b->fail > 0 ? ORIGIN_FORGED : ORIGIN_GENUINE;
}

static bool
has_queue_id(const struct inquiry *q, struct str id)
{
	const struct returned *r = &q->returned;
	if (id.len == 0)
		return false;
	if (str_eq(r->queue_id, id))
		return true;
	for (size_t i = 0; i <= q->border && i < r->nreceived; i++)
		if (str_eq(r->received[i].id, id))
			return true;
	return false;
}

/* Our own MTA has told every queue id that the original had here. */
static bool
has_all_queue_ids(const struct inquiry *q)
{
	const struct returned *r = &q->returned;
	return q->query->is_of_mta && r->form == RETURNED_REPORT &&
	       (r->queue_id.len > 0 || q->has_entrance);
}

static bool
is_kept(const struct inquiry *q, const struct ledger_entry *e, bool is_inbound)
{
	return has_queue_id(q, e->queue_id) &&
	       (!is_inbound || e->class == CLASS_INBOUND);
}

/*
 * The entries under the queue ids that our own MTA names: a stranger may use
 * the Message-ID of another's message, but not its queue id.  Of those the one
 * with which it came in, if it went through here once more.
 */
static void
narrow(struct inquiry *q, struct ledger_found *found)
{
	size_t n = 0, inbound = 0;
	if (!q->query->is_of_mta || q->returned.form != RETURNED_REPORT)
		return;
	for (size_t i = 0; i < found->n; i++) {
		n += is_kept(q, &found->v[i], false);
		inbound += is_kept(q, &found->v[i], true);
	}
	if (n == 0 && !has_all_queue_ids(q))
		return;
	n = 0;
	for (size_t i = 0; i < found->n; i++)
		if (is_kept(q, &found->v[i], inbound > 0))
			found->v[n++] = found->v[i];
	found->n = n;
	if (n == 0)
		inquiry_say(q, "ledger: that Message-ID, but not under the "
			       "queue id of this message");
}

static void
writers_add(struct inquiry *q, struct str address)
{
	if (address.len > 0 && q->writers.n < WRITERS_MAX &&
	    !strs_ihas(&q->writers, address))
		strs_add(q->arena, &q->writers, address);
}

static void
entry_say(struct inquiry *q, const struct ledger_entry *e, size_t n)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(e->time_wall, stamp);
	inquiry_say(q, "ledger: %.*s of %s from %.*s: %.*s, spf=%.*s%s",
	    STR_ARG(str_sub(e->message_id, 0, 100)), stamp,
	    STR_ARG(e->client_addr.len > 0 ? e->client_addr : STR("inside")),
	    STR_ARG(sender_standing_name((enum sender_standing)e->standing)),
	    STR_ARG(spf_result_name((enum spf_result)e->spf)),
	    n > 1 ? " (one of several)" : "");
}

static enum notice_origin
entries_judge(
    struct inquiry *q, const struct ledger_found *found, struct notice *notice)
{
	struct ballot ballot = {0};
	for (size_t i = 0; i < found->n; i++) {
		ballot_take(&ballot, &found->v[i]);
		for (size_t j = 0; j < found->v[i].nrcpt; j++)
			writers_add(q, found->v[i].rcpt[j]);
	}
	entry_say(q, &found->v[0], found->n);
	if (ballot.automatic == found->n &&
	    !notice_kind_is_delivery(notice->form.kind))
		notice->never = "it answers what a program has written";
	notice->is_temp = notice->is_temp || ballot.temp > 0;
	q->is_weak = ballot.pass == 0 || q->returned.form != RETURNED_REPORT ||
		     !q->query->is_of_mta;
	q->weak_id = ballot.login > 0 ? STR_EMPTY : found->v[0].message_id;
	return ballot_result(&ballot);
}

bool
inquiry_ask(struct inquiry *q, struct str id, int64_t seconds, size_t max,
    struct ledger_found *ret)
{
	const struct notice_query *query = q->query;
	*ret = (struct ledger_found){0};
	if (ledger_find(query->memory, q->arena, q->addressee, id,
		query->now_wall - seconds, max, ret) == MEMORY_OK)
		return true;
	if (query->memory != NULL)
		inquiry_say(q, "ledger: no answer");
	return false;
}

/*
 * The surest Message-ID that the ledger knows.  Ids behind it are what an
 * outsider may have put into References: they count only if nothing of this
 * sender speaks against it since.
 */
enum notice_origin
inquiry_ledger(struct inquiry *q, struct notice *notice, bool *ret_found)
{
	struct ledger_found found;
	*ret_found = false;
	for (size_t i = 0; i < q->returned.nids; i++) {
		if (!inquiry_ask(q, q->returned.ids[i], q->query->ledger_s,
			INQUIRY_FOUND_MAX, &found)) {
			notice->is_temp = true;
			return ORIGIN_UNKNOWN;
		}
		narrow(q, &found);
		if (found.n == 0)
			continue;
		*ret_found = i < q->returned.nsure;
		enum notice_origin origin = entries_judge(q, &found, notice);
		if (i < q->returned.nsure || origin != ORIGIN_GENUINE)
			return origin;
		inquiry_say(q, "named where a stranger could have put it");
		return ORIGIN_UNKNOWN;
	}
	return ORIGIN_UNKNOWN;
}

/* One of `rcpt` is of the domain that the notice comes from. */
bool
inquiry_is_to_author(const struct inquiry *q, const struct ledger_entry *e)
{
	struct str author = address_domain(q->author);
	struct str sender = address_domain(q->query->envelope->from);
	if (e->nrcpt_all > e->nrcpt)
		return true;
	for (size_t i = 0; i < e->nrcpt; i++) {
		struct str domain = address_domain(e->rcpt[i]);
		if (domain.len > 0 &&
		    (str_ieq(domain, author) || str_ieq(domain, sender)))
			return true;
	}
	return false;
}

/*
 * A notice that names no message (hold notices of lists, many scripts):
 * whatever its addressee has sent here within a day must speak for it.
 */
enum notice_origin
inquiry_recent(struct inquiry *q, struct notice *notice)
{
	struct ledger_found found;
	size_t n = 0;
	if (!inquiry_ask(q, STR_EMPTY, RECENT_S, INQUIRY_FOUND_MAX, &found))
		return ORIGIN_UNKNOWN;
	for (size_t i = 0; i < found.n; i++)
		if (inquiry_is_to_author(q, &found.v[i]))
			found.v[n++] = found.v[i];
	found.n = n;
	if (n == 0)
		return ORIGIN_UNKNOWN;
	enum notice_origin origin = entries_judge(q, &found, notice);
	if (found.is_cut && origin == ORIGIN_GENUINE)
		return ORIGIN_UNKNOWN;
	q->is_weak = true;
	q->weak_id = STR_EMPTY;
	return origin;
}

/* BATV: prvs=TAG=local@domain is local@domain (draft-levine-smtp-batv). */
static struct str
address_plain(struct str address)
{
	if (!str_istarts(address, STR("prvs=")))
		return address;
	struct str rest = str_skip(address, 5);
	(void)str_cut(&rest, '=');
	return rest.len > 0 ? rest : address;
}

enum notice_origin
inquiry_correspondence(struct inquiry *q)
{
	writers_add(q, q->author);
	writers_add(q, q->query->envelope->from);
	for (size_t i = 0; i < q->returned.nrcpt; i++)
		writers_add(q, q->returned.rcpt[i]);
	for (size_t i = 0; i < q->writers.n; i++) {
		int64_t when = 0;
		if (memory_has_written(q->query->memory, q->writers.v[i],
			address_plain(q->addressee), &when) != MEMORY_OK)
			return ORIGIN_UNKNOWN;
		if (when == 0)
			continue;
		char stamp[CLOCK_STAMP];
		clock_stamp(when, stamp);
		inquiry_say(q, "%.*s wrote to this address on %s",
		    STR_ARG(q->writers.v[i]), stamp);
		q->is_weak = true;
		q->weak_id = STR_EMPTY;
		return ORIGIN_GENUINE;
	}
	return ORIGIN_UNKNOWN;
}
