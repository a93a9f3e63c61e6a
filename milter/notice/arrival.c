/* SPDX-License-Identifier: BSD-2-Clause */
/* arrival -- what the ledger keeps of a message. */
#include "notice/arrival.h"

#include "base/arena.h"
#include "base/network.h"
#include "mail/msgid.h"
#include "mail/received.h"

#define HOPS_MAX 20
#define FOUND_MAX 16

/* Where a message entered our network. */
struct entrance {
	struct str address, helo;
	bool is_walked; /* as a Received field of another server tells it */
};

static bool
is_inside(const struct arrival_query *q, struct str address)
{
	return network_has(q->trusted, address) ||
	       network_has(q->inbound, address);
}

/*
 * A server of ours that hands mail over says in the topmost Received field
 * where it had it from; if that is inside as well, the next field says it.
 */
static struct entrance
entrance_find(struct arena *a, const struct arrival_query *q)
{
	struct entrance ret = {
	    q->envelope->client_addr, q->envelope->helo, false};
	size_t hops = 0;
	if (!is_inside(q, ret.address))
		return ret;
	for (size_t i = 0; i < q->mail->n && hops < HOPS_MAX; i++) {
		struct received hop;
		if (!str_ieq(q->mail->v[i].name, STR("Received")))
			continue;
		hops++;
		if (!received_parse(
			a, dkim_field_value(&q->mail->v[i]), &hop) ||
		    !hop.has_from || hop.address.len == 0)
			break;
		if (is_inside(q, hop.address))
			continue;
		return (struct entrance){hop.address, hop.helo, true};
	}
	return ret;
}

static void
judge_outside(struct arena *a, const struct arrival_query *q,
    const struct entrance *entrance, struct dns_budget *budget,
    struct arrival *ret)
{
	struct sender_query query = {
	    .policy = q->policy,
	    .dns = q->dns,
	    .address = entrance->address,
	    .helo = entrance->helo,
	    .sender = ret->sender,
	    .mail = q->mail,
	    .is_whole = true,
	    .now_wall = q->now_wall,
	};
	sender_judge(a, &query, budget, &ret->view);
	ret->client_addr = entrance->address;
}

/*
 * A server of ours hands over mail of a domain that is not ours: forwarded, or
 * made by a hacked site there, whose Received fields prove nothing.
 */
static bool
is_foreign(struct arena *a, const struct arrival_query *q, struct arrival *ret)
{
	enum sender_standing standing = ret->view.standing;
	return q->envelope->class == CLASS_RELAY && standing != STANDING_OURS &&
	       standing != STANDING_PASS &&
	       !sender_is_local(a, q->policy, q->mta_name, ret->sender);
}

/* The queue ids that our Received fields name; how many, at most HOPS_MAX. */
static size_t
ids_given(struct arena *a, const struct arrival_query *q, struct str *ret)
{
	size_t hops = 0, n = 0;
	for (size_t i = 0; i < q->mail->n && hops < HOPS_MAX; i++) {
		struct received hop;
		if (!str_ieq(q->mail->v[i].name, STR("Received")))
			continue;
		hops++;
		if (received_parse(a, dkim_field_value(&q->mail->v[i]), &hop) &&
		    hop.id.len > 0 && str_ieq(hop.by, q->mta_name))
			ret[n++] = hop.id;
	}
	return n;
}

static const struct ledger_entry *
entry_of(const struct ledger_found *found, struct str queue_id)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].class == CLASS_INBOUND &&
		    str_eq(found->v[i].queue_id, queue_id))
			return &found->v[i];
	return NULL;
}

/*
 * A filter of ours hands it over again: what the ledger has of it from when it
 * came in, by the queue id that we gave it then.
 */
static bool
is_known(struct arena *a, const struct arrival_query *q, struct arrival *ret)
{
	struct ledger_found found;
	struct str ids[HOPS_MAX];
	size_t n = ret->nids > 0 ? ids_given(a, q, ids) : 0;
	if (n == 0 ||
	    ledger_find(q->memory, a, ret->sender, ret->ids[0],
		q->now_wall - q->ledger_s, FOUND_MAX, &found) != MEMORY_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct ledger_entry *entry = entry_of(&found, ids[i]);
		if (entry == NULL)
			continue;
		ret->view.standing = (enum sender_standing)entry->standing;
		return true;
	}
	return false;
}

/* A path that is routed on here is not what the login or SPF was asked for. */
static void
judge_inside(
    struct arena *a, const struct arrival_query *q, struct arrival *ret)
{
	sender_of_ours(a, q->facts, q->mta_name, &ret->view);
	if (!str_ieq(ret->sender, q->envelope->from) &&
	    ret->view.standing != STANDING_FAIL)
		ret->view.standing = STANDING_UNKNOWN;
}

static void
judge(struct arena *a, const struct arrival_query *q, struct dns_budget *budget,
    struct arrival *ret)
{
	struct entrance entrance = entrance_find(a, q);
	if (q->facts == NULL) {
		judge_outside(a, q, &entrance, budget, ret);
		return;
	}
	judge_inside(a, q, ret);
	if (!is_foreign(a, q, ret) || is_known(a, q, ret) ||
	    !entrance.is_walked)
		return;
	judge_outside(a, q, &entrance, budget, ret);
	if (ret->view.standing == STANDING_PASS)
		ret->view.standing = STANDING_UNKNOWN;
	if (ret->view.author_standing == STANDING_PASS)
		ret->view.author_standing = STANDING_UNKNOWN;
}

/* Of all such fields: programs do not agree which of them counts. */
static void
ids_find(const struct dkim_mail *mail, struct arrival *ret)
{
	for (size_t i = 0; i < mail->n; i++)
		if (str_ieq(mail->v[i].name, STR("Message-ID")))
			ret->nids += msgids_of(dkim_field_value(&mail->v[i]),
			    ret->ids + ret->nids, ARRIVAL_IDS_MAX - ret->nids);
}

void
arrival_judge(struct arena *a, const struct arrival_query *query,
    struct dns_budget *budget, struct arrival *ret)
{
	*ret = (struct arrival){
	    .sender = sender_plain(
		a, query->policy, query->mta_name, query->envelope->from),
	    .client_addr = query->envelope->client_addr,
	    .is_auto = query->is_auto || query->envelope->from.len == 0,
	};
	ids_find(query->mail, ret);
	judge(a, query, budget, ret);
}

static void
record(struct memory *memory, struct ledger_entry *entry,
    const struct arrival *arrival)
{
	entry->message_id = STR_EMPTY;
	if (arrival->nids == 0)
		ledger_record(memory, entry);
	for (size_t i = 0; i < arrival->nids; i++) {
		entry->message_id = arrival->ids[i];
		ledger_record(memory, entry);
	}
}

void
arrival_record(struct memory *memory, const struct envelope *envelope,
    const struct arrival *arrival, int64_t now_wall)
{
	const struct sender_view *view = &arrival->view;
	struct ledger_entry entry = {
	    .time_wall = now_wall,
	    .class = envelope->class,
	    .sender = str_sub(arrival->sender, 0, LEDGER_PATH_BYTES),
	    .nrcpt_all = (uint32_t)envelope->rcpt.n,
	    .queue_id = envelope->queue_id,
	    .client_addr = arrival->client_addr,
	    .spf = (uint8_t)view->spf,
	    .dkim = (uint8_t)view->dkim,
	    .dmarc = (uint8_t)view->dmarc,
	    .standing = (uint8_t)view->standing,
	    .has_login = envelope->login.len > 0,
	    .is_auto = arrival->is_auto,
	};
	for (size_t i = 0; i < envelope->rcpt.n && i < LEDGER_RCPT_MAX; i++)
		entry.rcpt[entry.nrcpt++] =
		    str_sub(envelope->rcpt.v[i], 0, LEDGER_PATH_BYTES);
	record(memory, &entry, arrival);
	if (view->author.len > 0) {
		entry.sender = str_sub(view->author, 0, LEDGER_PATH_BYTES);
		entry.standing = (uint8_t)view->author_standing;
		entry.is_author = true;
		record(memory, &entry, arrival);
	}
	if (envelope->class != CLASS_INBOUND && !arrival->is_auto)
		memory_wrote(memory, arrival->sender, &envelope->rcpt);
}
