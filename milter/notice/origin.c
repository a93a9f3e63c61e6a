/* SPDX-License-Identifier: BSD-2-Clause */
/* origin -- did the addressee of a notice really write what it answers? */
#include "notice/origin.h"

#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/network.h"
#include "mail/address.h"
#include "mail/header.h"
#include "notice/results.h"

#define EVIDENCE_BYTES 700
#define ADDRESSEES_MAX 5
#define FOUND_MAX 64
/* How far back a notice that names no message may reach. */
#define RECENT_S ((int64_t)24 * 3600)
#define WRITERS_MAX 6
/* A script that answers does so at once. */
#define AT_ONCE_S ((int64_t)15 * 60)

static const char *const origin_names[] = {
    [ORIGIN_UNKNOWN] = "unknown",
    [ORIGIN_GENUINE] = "genuine",
    [ORIGIN_FORGED] = "forged",
};

struct str
notice_origin_name(enum notice_origin origin)
{
	return str_from(origin_names[origin]);
}

/* One notice while one of its addressees is judged. */
struct work {
	struct arena *arena;
	struct message *message;
	const struct notice_query *query;
	struct dns_budget *budget;
	struct returned returned;
	struct str author; /* who the notice says it is from; empty: nobody */
	struct str addressee;
	struct buf *evidence;
	/* the Received field with which the original came in from outside, or
	 * was made here; returned.nreceived: not known */
	size_t border;
	/* fields above the first hop are ours for sure; those between it and
	 * the border, a program on one of our hosts may have written */
	bool is_walked;
	bool is_weak;
	struct str weak_id; /* the message that it is weak for; empty: any */
	/* recipients of what the ledger has, for the correspondence */
	struct strs writers;
};

static void say(struct work *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One more piece of evidence, the strongest first. */
static void
say(struct work *w, const char *fmt, ...)
{
	char text[EVIDENCE_BYTES];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (w->evidence->len > 0)
		buf_put(w->evidence, STR("; "));
	size_t len = n < 0 ? 0 : (size_t)n;
	buf_put(w->evidence,
	    str_of(text, len < sizeof(text) ? len : sizeof(text) - 1));
}

/* ---- addresses that are never answered */

enum local_match { LOCAL_IS, LOCAL_STARTS, LOCAL_ENDS, LOCAL_HAS };

/* RFC 3834 section 2, RFC 5230 section 4.6, and what vacation(1) knows. */
static const struct {
	enum local_match match;
	const char *text;
	bool is_for_all; /* for delivery reports, too */
} unanswered[] = {
    {LOCAL_IS, "mailer-daemon", true},
    {LOCAL_IS, "mailer", false},
    {LOCAL_IS, "listserv", false},
    {LOCAL_IS, "majordomo", false},
    {LOCAL_IS, "sympa", false},
    {LOCAL_IS, "uucp", false},
    {LOCAL_STARTS, "owner-", false},
    {LOCAL_STARTS, "bounce-", false},
    {LOCAL_STARTS, "bounces-", false},
    {LOCAL_ENDS, "-owner", false},
    {LOCAL_ENDS, "-request", false},
    {LOCAL_ENDS, "-relay", false},
    {LOCAL_ENDS, "-bounce", false},
    {LOCAL_ENDS, "-bounces", false},
    {LOCAL_IS, "bounce", false},
    {LOCAL_IS, "bounces", false},
    {LOCAL_HAS, "noreply", false},
    {LOCAL_HAS, "no-reply", false},
    {LOCAL_HAS, "no_reply", false},
    {LOCAL_HAS, "no.reply", false},
    {LOCAL_HAS, "donotreply", false},
    {LOCAL_HAS, "do-not-reply", false},
    {LOCAL_HAS, "do_not_reply", false},
};

static bool
local_matches(struct str local, size_t i)
{
	struct str text = str_from(unanswered[i].text);
	switch (unanswered[i].match) {
	case LOCAL_IS:
		return str_ieq(local, text);
	case LOCAL_STARTS:
		return str_istarts(local, text);
	case LOCAL_ENDS:
		return str_iends(local, text);
	case LOCAL_HAS:
		return str_ifind(local, text) != STR_NONE;
	}
	return false;
}

/* "list-bounces+alice=example.org" is list-bounces. */
static bool
is_unanswered(struct str address, bool is_delivery)
{
	struct str local = address_local(address);
	struct str head = str_cut(&local, '+');
	for (size_t i = 0; i < COUNT_OF(unanswered); i++)
		if ((unanswered[i].is_for_all || !is_delivery) &&
		    local_matches(head, i))
			return true;
	return address.len == 0;
}

static struct str
field_value(const struct dkim_mail *mail, struct str name)
{
	for (size_t i = 0; i < mail->n; i++) {
		struct str value = mail->v[i].text;
		if (!str_ieq(mail->v[i].name, name))
			continue;
		(void)str_cut(&value, ':');
		return str_trim(value);
	}
	return STR_EMPTY;
}

/*
 * The original was an answer itself.  Mail that a program sends of its own
 * accord (auto-generated) may well bounce; only answers to it go wrong.
 */
static bool
is_about_notice(const struct work *w, bool is_delivery)
{
	const struct returned *r = &w->returned;
	if (!is_delivery)
		return r->is_notice;
	struct str type = field_value(&r->mail, STR("Content-Type"));
	struct str made = field_value(&r->mail, STR("Auto-Submitted"));
	return (r->has_return_path && r->return_path.len == 0) ||
	       str_istarts(made, STR("auto-replied")) ||
	       str_istarts(type, STR("multipart/report"));
}

/* ---- (a) the ledger */

/* What entries say together: they may be of several messages, of which only
 * one is answered. */
struct ballot {
	size_t pass, dkim, fail, unknown;
	bool is_auto;
};

static void
ballot_take(struct ballot *b, const struct ledger_entry *e)
{
	b->pass += e->standing == STANDING_PASS || e->standing == STANDING_OURS;
	b->dkim += e->standing == STANDING_DKIM;
	b->fail += e->standing == STANDING_FAIL;
	b->unknown += e->standing == STANDING_UNKNOWN;
	b->is_auto = b->is_auto || e->is_auto;
}

static enum notice_origin
ballot_result(const struct ballot *b)
{
	if (b->unknown > 0 || (b->fail > 0 && b->pass + b->dkim > 0))
		return ORIGIN_UNKNOWN;
	return b->fail > 0 ? ORIGIN_FORGED : ORIGIN_GENUINE;
}

static bool
has_queue_id(const struct work *w, struct str id)
{
	const struct returned *r = &w->returned;
	if (id.len == 0)
		return false;
	if (str_eq(r->queue_id, id))
		return true;
	for (size_t i = 0; i <= w->border && i < r->nreceived; i++)
		if (str_eq(r->received[i].id, id))
			return true;
	return false;
}

/*
 * Of several entries those under the queue id that our own MTA names: a
 * stranger may use the Message-ID of another's message, but not its queue id.
 */
static void
narrow(const struct work *w, struct ledger_found *found)
{
	size_t n = 0;
	if (!w->query->is_of_mta || w->returned.form != RETURNED_REPORT)
		return;
	for (size_t i = 0; i < found->n; i++)
		n += has_queue_id(w, found->v[i].queue_id);
	if (n == 0)
		return;
	n = 0;
	for (size_t i = 0; i < found->n; i++)
		if (has_queue_id(w, found->v[i].queue_id))
			found->v[n++] = found->v[i];
	found->n = n;
}

static void
writers_add(struct work *w, struct str address)
{
	if (address.len > 0 && w->writers.n < WRITERS_MAX &&
	    !strs_ihas(&w->writers, address))
		strs_add(w->arena, &w->writers, address);
}

static void
entry_say(struct work *w, const struct ledger_entry *e, size_t n)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(e->time_wall, stamp);
	say(w, "ledger: %.*s of %s from %.*s: %.*s, spf=%.*s%s",
	    STR_ARG(str_sub(e->message_id, 0, 100)), stamp,
	    STR_ARG(e->client_addr.len > 0 ? e->client_addr : STR("inside")),
	    STR_ARG(sender_standing_name((enum sender_standing)e->standing)),
	    STR_ARG(spf_result_name((enum spf_result)e->spf)),
	    n > 1 ? " (one of several)" : "");
}

static enum notice_origin
entries_judge(
    struct work *w, const struct ledger_found *found, struct notice *notice)
{
	struct ballot ballot = {0};
	for (size_t i = 0; i < found->n; i++) {
		ballot_take(&ballot, &found->v[i]);
		for (size_t j = 0; j < found->v[i].nrcpt; j++)
			writers_add(w, found->v[i].rcpt[j]);
	}
	entry_say(w, &found->v[0], found->n);
	if (ballot.is_auto && !notice_kind_is_delivery(notice->form.kind))
		notice->never = "it answers what a program has written";
	w->is_weak = ballot.pass == 0 || w->returned.form != RETURNED_REPORT ||
		     !w->query->is_of_mta;
	w->weak_id = found->v[0].message_id;
	return ballot_result(&ballot);
}

static bool
ledger_ask(struct work *w, struct str id, int64_t seconds, size_t max,
    struct ledger_found *ret)
{
	const struct notice_query *q = w->query;
	*ret = (struct ledger_found){0};
	if (ledger_find(q->memory, w->arena, w->addressee, id,
		q->now_wall - seconds, max, ret) == MEMORY_OK)
		return true;
	say(w, "ledger: no answer");
	return false;
}

/*
 * The surest Message-ID that the ledger knows.  Ids behind it are what an
 * outsider may have put into References: they count only if nothing of this
 * sender speaks against it since.
 */
static enum notice_origin
by_ledger(struct work *w, struct notice *notice, bool *ret_found)
{
	struct ledger_found found;
	*ret_found = false;
	for (size_t i = 0; i < w->returned.nids; i++) {
		if (!ledger_ask(w, w->returned.ids[i], w->query->ledger_s,
			FOUND_MAX, &found))
			return ORIGIN_UNKNOWN;
		if (found.n == 0)
			continue;
		*ret_found = i == 0;
		narrow(w, &found);
		enum notice_origin origin = entries_judge(w, &found, notice);
		if (i == 0 || origin != ORIGIN_GENUINE)
			return origin;
		say(w, "named in References only");
		return ORIGIN_UNKNOWN;
	}
	return ORIGIN_UNKNOWN;
}

/* One of `rcpt` is of the domain that the notice comes from. */
static bool
is_to_author(const struct work *w, const struct ledger_entry *e)
{
	struct str author = address_domain(w->author);
	struct str sender = address_domain(w->query->envelope->from);
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
static enum notice_origin
by_recent(struct work *w, struct notice *notice)
{
	struct ledger_found found;
	size_t n = 0;
	if (!ledger_ask(w, STR_EMPTY, RECENT_S, FOUND_MAX, &found))
		return ORIGIN_UNKNOWN;
	for (size_t i = 0; i < found.n; i++)
		if (is_to_author(w, &found.v[i]))
			found.v[n++] = found.v[i];
	found.n = n;
	if (n == 0)
		return ORIGIN_UNKNOWN;
	enum notice_origin origin = entries_judge(w, &found, notice);
	if (found.is_cut && origin == ORIGIN_GENUINE)
		return ORIGIN_UNKNOWN;
	w->is_weak = true;
	w->weak_id = STR_EMPTY;
	return origin;
}

/* ---- (b) the returned message asked again, (c) what we wrote into it */

static bool
is_our_name(const struct work *w, struct str by)
{
	const struct notice_query *q = w->query;
	return by.len > 0 &&
	       (str_ieq(by, q->mta_name) || str_ieq(by, q->authserv_id) ||
		   (q->envelope->client_addr.len > 0 &&
		       str_ieq(by, q->envelope->helo)));
}

/* A hop inside: what is below its field, one of our servers wrote, too. */
static bool
is_inner_hop(const struct work *w, const struct received *hop)
{
	static struct str loopback_v[] = {{"127.0.0.0/8", 11}, {"::1/128", 7}};
	static const struct strs loopback = {loopback_v, 2, 2};
	return hop->has_from && hop->login.len == 0 &&
	       (network_has(&loopback, hop->address) ||
		   network_has(w->query->trusted, hop->address));
}

/*
 * Only our own MTA's report shows what it really had; everything else may
 * quote a stranger.
 */
static void
border_find(struct work *w)
{
	const struct returned *r = &w->returned;
	w->border = r->nreceived;
	if (!w->query->is_of_mta || r->form != RETURNED_REPORT ||
	    r->nreceived == 0 || !is_our_name(w, r->received[0].by))
		return;
	size_t i = 0;
	while (i + 1 < r->nreceived && is_inner_hop(w, &r->received[i]) &&
	       r->received[i + 1].by.len > 0)
		i++;
	w->border = i;
	w->is_walked = i > 0;
}

/* A signature is hard to forge and easy to send again. */
static enum notice_origin
signed_origin(struct work *w)
{
	w->is_weak = true;
	w->weak_id = w->returned.nids > 0 ? w->returned.ids[0] : STR_EMPTY;
	return ORIGIN_GENUINE;
}

static enum notice_origin
origin_of(struct work *w, enum sender_standing standing)
{
	switch (standing) {
	case STANDING_UNKNOWN:
		return ORIGIN_UNKNOWN;
	case STANDING_DKIM:
		return signed_origin(w);
	case STANDING_PASS:
	case STANDING_OURS:
		if (!w->is_walked)
			return ORIGIN_GENUINE;
		say(w, "but a program on the way could have written that");
		return ORIGIN_UNKNOWN;
	case STANDING_FAIL:
		return ORIGIN_FORGED;
	}
	return ORIGIN_UNKNOWN;
}

/* SPF of our own addresses for the addressee: the worst of them. */
static enum sender_standing
standing_inside(struct work *w, const struct received *hop)
{
	const struct notice_query *q = w->query;
	struct facts facts = {.policy = q->policy};
	struct envelope envelope = *q->envelope;
	struct sender_view view;
	envelope.from = w->addressee;
	envelope.login = hop->login;
	facts.envelope = &envelope;
	facts.login_sender = hop->login.len == 0
				 ? LOGIN_UNKNOWN
				 : login_map_allows(w->arena, q->policy->logins,
				       hop->login, w->addressee);
	if (q->dns != NULL && !resolver_is_off(q->dns->resolver)) {
		static const struct strs none = {0};
		struct preflight_query flight = {
		    .sender = w->addressee,
		    .helo = q->mta_name,
		    .egress = &q->policy->egress,
		    .authors = &none,
		    .strict = &q->policy->strict,
		    .now_wall = q->now_wall,
		};
		preflight_run(
		    w->arena, q->dns, &flight, w->budget, &facts.flight);
		facts.has_flight = true;
	}
	sender_of_ours(w->arena, &facts, q->mta_name, &view);
	say(w, "returned message: %.*s, spf=%.*s", STR_ARG(view.evidence),
	    STR_ARG(spf_result_name(view.spf)));
	return view.standing;
}

static enum notice_origin
by_returned(struct work *w)
{
	const struct notice_query *q = w->query;
	const struct returned *r = &w->returned;
	if (w->border == r->nreceived)
		return ORIGIN_UNKNOWN;
	const struct received *hop = &r->received[w->border];
	if (r->has_return_path && !str_ieq(r->return_path, w->addressee)) {
		say(w, "returned message: its envelope sender is another");
		return ORIGIN_UNKNOWN;
	}
	if (!hop->has_from || hop->login.len > 0)
		return origin_of(w, standing_inside(w, hop));
	if (hop->address.len == 0)
		return ORIGIN_UNKNOWN;
	struct sender_query sender = {
	    .policy = q->policy,
	    .dns = q->dns,
	    .address = hop->address,
	    .helo = hop->helo,
	    .sender = w->addressee,
	    .mail = &r->mail,
	    .is_whole = r->is_whole,
	    .now_wall = q->now_wall,
	};
	struct sender_view view;
	sender_judge(w->arena, &sender, w->budget, &view);
	say(w, "returned message from %.*s: %.*s", STR_ARG(hop->address),
	    STR_ARG(view.evidence));
	return origin_of(w, view.standing);
}

/* What one of our own fields says of the addressee. */
static enum notice_origin
result_judge(struct work *w, const struct auth_result *v)
{
	struct str domain = address_domain(v->identity);
	if (domain.len == 0)
		domain = v->identity;
	bool is_his =
	    domain.len > 0 && str_ieq(domain, address_domain(w->addressee));
	bool is_pass = str_eq(v->result, STR("pass"));
	bool is_fail = str_eq(v->result, STR("fail")) ||
		       str_eq(v->result, STR("softfail"));
	if (!is_his || (!is_pass && !is_fail))
		return ORIGIN_UNKNOWN;
	if (str_eq(v->method, STR("spf")))
		return is_pass ? ORIGIN_GENUINE : ORIGIN_FORGED;
	if (str_eq(v->method, STR("dkim")) && is_pass)
		return signed_origin(w);
	if (str_eq(v->method, STR("dmarc")) && is_fail)
		return ORIGIN_FORGED;
	return ORIGIN_UNKNOWN;
}

/* A pass of any method is enough: mail that is forwarded fails SPF. */
static enum notice_origin
results_judge(struct work *w, const struct auth_results *results)
{
	enum notice_origin origin = ORIGIN_UNKNOWN;
	if (!str_ieq(results->authserv_id, w->query->authserv_id))
		return ORIGIN_UNKNOWN;
	for (size_t i = 0; i < results->n; i++) {
		enum notice_origin one = result_judge(w, &results->v[i]);
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
own_fields_end(const struct work *w)
{
	const struct returned *r = &w->returned;
	if (w->border == r->nreceived)
		return 0;
	if (!w->query->trusts_results || w->is_walked)
		return r->received_at[0];
	return r->nreceived > 1 ? r->received_at[1] : r->mail.n;
}

static enum notice_origin
by_results(struct work *w)
{
	static const struct {
		const char *name;
		bool (*parse)(struct arena *a, struct str value,
		    struct auth_results *ret);
	} fields[] = {
	    {"Authentication-Results", auth_results_parse},
	    {"Received-SPF", received_spf_parse},
	};
	size_t end = own_fields_end(w);
	for (size_t i = 0; i < end; i++) {
		const struct dkim_field *field = &w->returned.mail.v[i];
		struct str value = field->text;
		struct auth_results results;
		(void)str_cut(&value, ':');
		for (size_t j = 0; j < COUNT_OF(fields); j++) {
			if (!str_ieq(field->name, str_from(fields[j].name)) ||
			    !fields[j].parse(w->arena, value, &results))
				continue;
			enum notice_origin origin = results_judge(w, &results);
			if (origin == ORIGIN_UNKNOWN)
				continue;
			say(w, "our %s in the returned message: %.*s",
			    fields[j].name,
			    STR_ARG(str_sub(str_trim(value), 0, 200)));
			return origin;
		}
	}
	return ORIGIN_UNKNOWN;
}

/* ---- (d) ours, (e) we wrote first */

static bool
is_local(const struct work *w)
{
	return sender_is_local(
	    w->arena, w->query->policy, w->query->mta_name, w->addressee);
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

static enum notice_origin
by_correspondence(struct work *w)
{
	writers_add(w, w->author);
	writers_add(w, w->query->envelope->from);
	for (size_t i = 0; i < w->returned.nrcpt; i++)
		writers_add(w, w->returned.rcpt[i]);
	for (size_t i = 0; i < w->writers.n; i++) {
		int64_t when = 0;
		if (memory_has_written(w->query->memory, w->writers.v[i],
			address_plain(w->addressee), &when) != MEMORY_OK)
			return ORIGIN_UNKNOWN;
		if (when == 0)
			continue;
		char stamp[CLOCK_STAMP];
		clock_stamp(when, stamp);
		say(w, "%.*s wrote to this address on %s",
		    STR_ARG(w->writers.v[i]), stamp);
		w->is_weak = true;
		w->weak_id = STR_EMPTY;
		return ORIGIN_GENUINE;
	}
	return ORIGIN_UNKNOWN;
}

/* ---- all of it */

/* The strongest evidence first; what is not known goes on to the next. */
static enum notice_origin
judge(struct work *w, struct notice *notice)
{
	bool is_found;
	enum notice_origin origin = by_ledger(w, notice, &is_found);
	if (origin != ORIGIN_UNKNOWN)
		return origin;
	if ((origin = by_returned(w)) != ORIGIN_UNKNOWN)
		return origin;
	if ((origin = by_results(w)) != ORIGIN_UNKNOWN)
		return origin;
	if (!is_found && w->border == w->returned.nreceived &&
	    (origin = by_recent(w, notice)) != ORIGIN_UNKNOWN)
		return origin;
	if (is_local(w)) {
		say(w, "the addressee is of a domain of ours");
		return ORIGIN_GENUINE;
	}
	return by_correspondence(w);
}

static const char *
never_of(const struct work *w, bool is_delivery)
{
	if (is_local(w))
		return "";
	if (is_about_notice(w, is_delivery))
		return "it answers a notice";
	return is_unanswered(w->addressee, is_delivery)
		   ? "this address is never answered"
		   : "";
}

static void
addressee_judge(struct work *w, struct str addressee, struct notice *ret)
{
	bool is_delivery = notice_kind_is_delivery(ret->form.kind);
	w->addressee = addressee;
	w->is_weak = false;
	w->weak_id = STR_EMPTY;
	w->writers = (struct strs){0};
	w->evidence = buf_new(w->arena, EVIDENCE_BYTES);
	ret->addressee = addressee;
	ret->never = never_of(w, is_delivery);
	ret->origin = judge(w, ret);
	ret->is_weak = ret->origin == ORIGIN_GENUINE && w->is_weak;
	ret->weak_id = ret->is_weak ? w->weak_id : STR_EMPTY;
	if (w->evidence->len == 0)
		say(w, "nothing is known of what it answers");
	ret->evidence = buf_str(w->evidence);
}

/* Of several addressees the one that speaks most against it. */
static int
badness(const struct notice *notice)
{
	static const int of[] = {
	    [ORIGIN_GENUINE] = 0, [ORIGIN_UNKNOWN] = 2, [ORIGIN_FORGED] = 3};
	if (notice->never[0] != '\0')
		return 4;
	return of[notice->origin] +
	       (notice->origin == ORIGIN_GENUINE && notice->is_weak);
}

static void
addressees_judge(struct work *w, struct notice *ret)
{
	const struct strs *rcpt = &w->query->envelope->rcpt;
	struct notice worst = *ret;
	for (size_t i = 0; i < rcpt->n && i < ADDRESSEES_MAX; i++) {
		struct notice one = *ret;
		addressee_judge(w, rcpt->v[i], &one);
		if (i == 0 || badness(&one) > badness(&worst))
			worst = one;
	}
	*ret = worst;
	if (rcpt->n <= ADDRESSEES_MAX || ret->origin != ORIGIN_GENUINE)
		return;
	ret->origin = ORIGIN_UNKNOWN;
	ret->evidence = STR("a notice with so many recipients");
}

static struct str
own_message_id(struct message *m)
{
	struct header *h = header_last(&m->root->headers, STR("Message-ID"));
	struct str id = h == NULL ? STR_EMPTY : str_trim(header_value(m, h));
	if (id.len > 2 && id.p[0] == '<' && id.p[id.len - 1] == '>')
		id = str_sub(id, 1, id.len - 2);
	return str_sub(id, 0, LEDGER_ID_BYTES);
}

/* The notice itself has come in from outside, and a filter or a forwarding of
 * ours hands it over again. */
static bool
is_passed_on(struct work *w)
{
	const struct notice_query *q = w->query;
	struct str id = own_message_id(w->message);
	struct ledger_found found;
	if (id.len == 0 ||
	    header_last(&w->message->root->headers, STR("Received")) == NULL)
		return false;
	if (ledger_find(q->memory, w->arena, q->envelope->from, id,
		q->now_wall - q->ledger_s, FOUND_MAX, &found) != MEMORY_OK)
		return false;
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].class == CLASS_INBOUND)
			return true;
	return false;
}

/*
 * A script that does not say that it is one, and whose words are those of an
 * answer, to somebody under whose name mail came in to its domain just before.
 */
static void
script_find(struct work *w, struct notice *ret)
{
	const struct envelope *envelope = w->query->envelope;
	struct ledger_found found;
	bool is_program =
	    envelope->login.len == 0 &&
	    (envelope->class == CLASS_LOCAL || envelope->class == CLASS_RELAY);
	if (!is_program || envelope->rcpt.n != 1 || w->query->memory == NULL)
		return;
	enum notice_kind kind = notice_kind_likely(w->message);
	if (kind == NOTICE_NONE)
		return;
	w->addressee = envelope->rcpt.v[0];
	w->evidence = buf_new(w->arena, EVIDENCE_BYTES);
	if (!ledger_ask(w, STR_EMPTY, AT_ONCE_S, FOUND_MAX, &found))
		return;
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].class == CLASS_INBOUND &&
		    is_to_author(w, &found.v[i])) {
			ret->form.kind = kind;
			ret->form.evidence = STR(
			    "its words, just after mail from its addressee");
			ret->is_answer = true;
			return;
		}
}

static struct str
author_of(struct message *m)
{
	struct header *from = header_last(&m->root->headers, STR("From"));
	struct strs addresses = {0};
	if (from != NULL)
		address_addrs(m->arena, from->raw, &addresses);
	return addresses.n > 0 ? addresses.v[0] : STR_EMPTY;
}

void
notice_find(struct message *m, const struct notice_query *query,
    struct dns_budget *budget, struct notice *ret)
{
	const struct envelope *envelope = query->envelope;
	*ret = (struct notice){
	    .form = notice_form_of(m),
	    .evidence = STR_EMPTY,
	    .author = author_of(m),
	    .weak_id = STR_EMPTY,
	    .addressee = envelope->rcpt.n > 0 ? envelope->rcpt.v[0] : STR_EMPTY,
	    .never = "",
	};
	ret->is_answer =
	    notice_kind_is_answer(ret->form.kind) ||
	    (ret->form.kind == NOTICE_NONE && envelope->from.len == 0);
	struct work w = {
	    .arena = m->arena,
	    .message = m,
	    .query = query,
	    .budget = budget,
	    .author = ret->author,
	};
	if (ret->form.kind == NOTICE_NONE && !ret->is_answer)
		script_find(&w, ret);
	if (!ret->is_answer || envelope->class == CLASS_INBOUND)
		return;
	if (is_passed_on(&w)) {
		ret->is_passing = true;
		ret->origin = ORIGIN_GENUINE;
		ret->evidence = STR("it came in from outside, as the ledger "
				    "shows, and is only passed on");
		return;
	}
	returned_read(m, &w.returned);
	border_find(&w);
	addressees_judge(&w, ret);
}
