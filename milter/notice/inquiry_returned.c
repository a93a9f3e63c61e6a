/* SPDX-License-Identifier: BSD-2-Clause */
/* inquiry_returned -- what our own MTA returns: it shows what it really had,
 * and everything else may quote a stranger. */
#include "notice/inquiry.h"

#include "base/arena.h"
#include "base/network.h"
#include "mail/address.h"
#include "notice/results.h"

static bool
is_our_name(const struct inquiry *q, struct str by)
{
	const struct notice_query *query = q->query;
	return by.len > 0 && (str_ieq(by, query->mta_name) ||
				 str_ieq(by, query->authserv_id) ||
				 (query->envelope->client_addr.len > 0 &&
				     str_ieq(by, query->envelope->helo)));
}

/* A hop inside: what is below its field, one of our servers wrote, too. */
static bool
is_inner_hop(const struct inquiry *q, const struct received *hop)
{
	/* a delivery agent that gets its mail by a socket */
	bool is_agent =
	    hop->address.len == 0 && str_starts(hop->with, STR("LMTP"));
	return hop->has_from && hop->login.len == 0 &&
	       (is_agent || network_is_loopback(hop->address) ||
		   network_has(q->query->trusted, hop->address));
}

/*
 * Only our own MTA's report shows what it really had; everything else may
 * quote a stranger.
 */
void
inquiry_border(struct inquiry *q)
{
	const struct returned *r = &q->returned;
	q->border = r->nreceived;
	if (!q->query->is_of_mta || r->form != RETURNED_REPORT ||
	    r->nreceived == 0 || !is_our_name(q, r->received[0].by))
		return;
	size_t i = 0;
	while (i + 1 < r->nreceived && is_inner_hop(q, &r->received[i]) &&
	       r->received[i + 1].by.len > 0)
		i++;
	q->border = i;
	q->is_walked = i > 0;
	q->has_entrance =
	    !is_inner_hop(q, &r->received[i]) &&
	    (r->received[i].address.len > 0 || !r->received[i].has_from);
}

/* A signature is hard to forge and easy to send again. */
static enum notice_origin
signed_origin(struct inquiry *q)
{
	q->is_weak = true;
	q->weak_id = q->returned.nids > 0 ? q->returned.ids[0] : STR_EMPTY;
	return ORIGIN_GENUINE;
}

static enum notice_origin
origin_of(struct inquiry *q, enum sender_standing standing)
{
	switch (standing) {
	case STANDING_UNKNOWN:
		return ORIGIN_UNKNOWN;
	case STANDING_DKIM:
		return signed_origin(q);
	case STANDING_LOGIN:
		q->is_weak = true;
		q->weak_id = STR_EMPTY;
		return ORIGIN_GENUINE;
	case STANDING_PASS:
	case STANDING_OURS:
		if (!q->is_walked)
			return ORIGIN_GENUINE;
		inquiry_say(
		    q, "but a program on the way could have written that");
		return ORIGIN_UNKNOWN;
	case STANDING_FAIL:
		return ORIGIN_FORGED;
	}
	return ORIGIN_UNKNOWN;
}

/* SPF of our own addresses for the addressee: the worst of them. */
static enum sender_standing
standing_inside(struct inquiry *q, const struct received *hop)
{
	const struct notice_query *query = q->query;
	struct facts facts = {.policy = query->policy};
	struct envelope envelope = *query->envelope;
	struct sender_view view;
	envelope.from = q->addressee;
	envelope.login = hop->login;
	facts.envelope = &envelope;
	facts.login_sender =
	    hop->login.len == 0
		? LOGIN_UNKNOWN
		: login_map_allows(q->arena, query->policy->logins, hop->login,
		      q->addressee);
	if (query->dns != NULL && !resolver_is_off(query->dns->resolver)) {
		static const struct strs none = {0};
		struct preflight_query flight = {
		    .sender = q->addressee,
		    .helo = query->mta_name,
		    .egress = &query->policy->egress,
		    .authors = &none,
		    .strict = &query->policy->strict,
		    .now_wall = query->now_wall,
		};
		preflight_run(
		    q->arena, query->dns, &flight, q->budget, &facts.flight);
		facts.has_flight = true;
	}
	sender_of_ours(q->arena, &facts, query->mta_name, &view);
	inquiry_say(q, "returned message: %.*s, spf=%.*s",
	    STR_ARG(view.evidence), STR_ARG(spf_result_name(view.spf)));
	return view.standing;
}

enum notice_origin
inquiry_returned(struct inquiry *q)
{
	const struct notice_query *query = q->query;
	const struct returned *r = &q->returned;
	if (q->border == r->nreceived)
		return ORIGIN_UNKNOWN;
	const struct received *hop = &r->received[q->border];
	struct str sender_path = sender_plain(
	    q->arena, query->policy, query->mta_name, r->return_path);
	if (r->has_return_path && !str_ieq(sender_path, q->addressee)) {
		inquiry_say(
		    q, "returned message: its envelope sender is another");
		return ORIGIN_UNKNOWN;
	}
	if (!hop->has_from || hop->login.len > 0)
		return origin_of(q, standing_inside(q, hop));
	if (hop->address.len == 0)
		return ORIGIN_UNKNOWN;
	struct sender_query sender = {
	    .policy = query->policy,
	    .dns = query->dns,
	    .address = hop->address,
	    .helo = hop->helo,
	    .sender = q->addressee,
	    .mail = &r->mail,
	    .is_whole = r->is_whole,
	    .now_wall = query->now_wall,
	};
	struct sender_view view;
	sender_judge(q->arena, &sender, q->budget, &view);
	inquiry_say(q, "returned message from %.*s: %.*s",
	    STR_ARG(hop->address), STR_ARG(view.evidence));
	return origin_of(q, view.standing);
}

/* What one of our own fields says of the addressee. */
static enum notice_origin
result_judge(struct inquiry *q, const struct auth_result *v)
{
	struct str domain = address_domain(v->identity);
	if (domain.len == 0)
		domain = v->identity;
	bool is_his =
	    domain.len > 0 && str_ieq(domain, address_domain(q->addressee));
	bool is_pass = str_eq(v->result, STR("pass"));
	bool is_fail = str_eq(v->result, STR("fail")) ||
		       str_eq(v->result, STR("softfail"));
	if (!is_his || (!is_pass && !is_fail))
		return ORIGIN_UNKNOWN;
	if (str_eq(v->method, STR("spf")))
		return is_pass ? ORIGIN_GENUINE : ORIGIN_FORGED;
	if (str_eq(v->method, STR("dkim")) && is_pass)
		return signed_origin(q);
	if (str_eq(v->method, STR("dmarc")) && is_fail)
		return ORIGIN_FORGED;
	return ORIGIN_UNKNOWN;
}

/* A pass of any method is enough: mail that is forwarded fails SPF. */
static enum notice_origin
results_judge(struct inquiry *q, const struct auth_results *results)
{
	enum notice_origin origin = ORIGIN_UNKNOWN;
	if (!str_ieq(results->authserv_id, q->query->authserv_id))
		return ORIGIN_UNKNOWN;
	for (size_t i = 0; i < results->n; i++) {
		enum notice_origin one = result_judge(q, &results->v[i]);
		if (one == ORIGIN_GENUINE)
			return one;
		if (one == ORIGIN_FORGED)
			origin = one;
	}
	return origin;
}

/* Fields above this one are ours; with trusts_results those down to the next
 * Received field as well. */
static size_t
own_fields_end(const struct inquiry *q)
{
	const struct returned *r = &q->returned;
	if (q->border == r->nreceived)
		return 0;
	if (!q->query->trusts_results || q->is_walked)
		return r->received_at[0];
	return r->nreceived > 1 ? r->received_at[1] : r->mail.n;
}

enum notice_origin
inquiry_results(struct inquiry *q)
{
	static const struct {
		const char *name;
		bool (*parse)(struct arena *a, struct str value,
		    struct auth_results *ret);
	} fields[] = {
	    {"Authentication-Results", auth_results_parse},
	    {"Received-SPF", received_spf_parse},
	};
	size_t end = own_fields_end(q);
	for (size_t i = 0; i < end; i++) {
		const struct dkim_field *field = &q->returned.mail.v[i];
		struct str value = dkim_field_value(field);
		struct auth_results results;
		for (size_t j = 0; j < COUNT_OF(fields); j++) {
			if (!str_ieq(field->name, str_from(fields[j].name)) ||
			    !fields[j].parse(q->arena, value, &results))
				continue;
			enum notice_origin origin = results_judge(q, &results);
			if (origin == ORIGIN_UNKNOWN)
				continue;
			inquiry_say(q, "our %s in the returned message: %.*s",
			    fields[j].name,
			    STR_ARG(str_sub(str_trim(value), 0, 200)));
			return origin;
		}
	}
	return ORIGIN_UNKNOWN;
}
