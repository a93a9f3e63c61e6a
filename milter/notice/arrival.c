/* SPDX-License-Identifier: BSD-2-Clause */
/* arrival -- what the ledger keeps of a message. */
#include "notice/arrival.h"

#include "base/arena.h"
#include "base/network.h"
#include "mail/received.h"

#define HOPS_MAX 20

/* Where a message entered our network. */
struct entrance {
	struct str address, helo;
	bool is_walked; /* as a Received field of another server tells it */
};

static struct str
field_value(const struct dkim_field *field)
{
	struct str value = field->text;
	(void)str_cut(&value, ':');
	return value;
}

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
		if (!received_parse(a, field_value(&q->mail->v[i]), &hop) ||
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
	    .sender = q->envelope->from,
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
is_from_further_out(
    struct arena *a, const struct arrival_query *q, const struct arrival *ret)
{
	return q->envelope->class == CLASS_RELAY &&
	       ret->view.standing != STANDING_OURS &&
	       ret->view.standing != STANDING_PASS &&
	       !sender_is_local(a, q->policy, q->mta_name, q->envelope->from);
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
	sender_of_ours(a, q->facts, q->mta_name, &ret->view);
	if (!entrance.is_walked || !is_from_further_out(a, q, ret))
		return;
	judge_outside(a, q, &entrance, budget, ret);
	if (ret->view.standing == STANDING_PASS)
		ret->view.standing = STANDING_UNKNOWN;
	if (ret->view.author_standing == STANDING_PASS)
		ret->view.author_standing = STANDING_UNKNOWN;
}

/* The first one: the others are a stranger's, too, but it is what is quoted. */
static struct str
message_id_of(const struct dkim_mail *mail)
{
	for (size_t i = 0; i < mail->n; i++) {
		if (!str_ieq(mail->v[i].name, STR("Message-ID")))
			continue;
		struct str id = str_trim(field_value(&mail->v[i]));
		size_t begin = str_chr(id, '<'), end = str_rchr(id, '>');
		if (begin != STR_NONE && end != STR_NONE && begin < end)
			id = str_sub(id, begin + 1, end - begin - 1);
		return str_sub(id, 0, LEDGER_ID_BYTES);
	}
	return STR_EMPTY;
}

void
arrival_judge(struct arena *a, const struct arrival_query *query,
    struct dns_budget *budget, struct arrival *ret)
{
	*ret = (struct arrival){
	    .message_id = message_id_of(query->mail),
	    .client_addr = query->envelope->client_addr,
	    .is_auto = query->is_auto || query->envelope->from.len == 0,
	};
	judge(a, query, budget, ret);
}

void
arrival_record(struct memory *memory, const struct envelope *envelope,
    const struct arrival *arrival, int64_t now_wall)
{
	const struct sender_view *view = &arrival->view;
	struct ledger_entry entry = {
	    .time_wall = now_wall,
	    .class = envelope->class,
	    .message_id = arrival->message_id,
	    .sender = str_sub(envelope->from, 0, LEDGER_PATH_BYTES),
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
	ledger_record(memory, &entry);
	if (view->author.len > 0) {
		entry.sender = str_sub(view->author, 0, LEDGER_PATH_BYTES);
		entry.standing = (uint8_t)view->author_standing;
		entry.is_author = true;
		ledger_record(memory, &entry);
	}
	if (envelope->class != CLASS_INBOUND && !arrival->is_auto)
		memory_wrote(memory, envelope->from, &envelope->rcpt);
}
