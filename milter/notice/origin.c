/* SPDX-License-Identifier: BSD-2-Clause */
/* origin -- did the addressee of a notice really write what it answers? */
#include "notice/origin.h"

#include <stdarg.h>

#include "base/arena.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/msgid.h"
#include "notice/inquiry.h"
#include "notice/unanswered.h"

#define ADDRESSEES_MAX 5
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

/* One more piece of evidence, the strongest first. */
void
inquiry_say(struct inquiry *q, const char *fmt, ...)
{
	char text[INQUIRY_EVIDENCE_BYTES];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (q->evidence->len > 0)
		buf_put(q->evidence, STR("; "));
	size_t len = n < 0 ? 0 : (size_t)n;
	buf_put(q->evidence,
	    str_of(text, len < sizeof(text) ? len : sizeof(text) - 1));
}

static struct str
field_value(const struct dkim_mail *mail, struct str name)
{
	for (size_t i = 0; i < mail->n; i++) {
		if (str_ieq(mail->v[i].name, name))
			return str_trim(dkim_field_value(&mail->v[i]));
	}
	return STR_EMPTY;
}

/*
 * The original was an answer itself.  Mail that a program sends of its own
 * accord (auto-generated) may well bounce; only answers to it go wrong.
 */
static bool
is_about_notice(const struct inquiry *q, bool is_delivery)
{
	const struct returned *r = &q->returned;
	if (!is_delivery)
		return r->is_notice;
	struct str type = field_value(&r->mail, STR("Content-Type"));
	struct str made = field_value(&r->mail, STR("Auto-Submitted"));
	return (r->has_return_path && r->return_path.len == 0) ||
	       str_istarts(made, STR("auto-replied")) ||
	       str_istarts(type, STR("multipart/report"));
}

static bool
is_local(const struct inquiry *q)
{
	return sender_is_local(
	    q->arena, q->query->policy, q->query->mta_name, q->addressee);
}

/* The strongest evidence first; what is not known goes on to the next. */
static enum notice_origin
judge(struct inquiry *q, struct notice *notice)
{
	bool is_found;
	enum notice_origin origin = inquiry_ledger(q, notice, &is_found);
	if (origin != ORIGIN_UNKNOWN)
		return origin;
	if ((origin = inquiry_returned(q)) != ORIGIN_UNKNOWN)
		return origin;
	if ((origin = inquiry_results(q)) != ORIGIN_UNKNOWN)
		return origin;
	if (!is_found && q->border == q->returned.nreceived &&
	    (origin = inquiry_recent(q, notice)) != ORIGIN_UNKNOWN)
		return origin;
	if (is_local(q)) {
		inquiry_say(q, "the addressee is of a domain of ours");
		return ORIGIN_GENUINE;
	}
	return inquiry_correspondence(q);
}

static const char *
never_of(const struct inquiry *q, bool is_delivery)
{
	if (is_local(q))
		return "";
	if (is_about_notice(q, is_delivery))
		return "it answers a notice";
	return address_is_unanswered(q->addressee, is_delivery)
		   ? "this address is never answered"
		   : "";
}

static void
addressee_judge(struct inquiry *q, struct str addressee, struct notice *ret)
{
	bool is_delivery = notice_kind_is_delivery(ret->form.kind);
	q->addressee = sender_plain(
	    q->arena, q->query->policy, q->query->mta_name, addressee);
	q->is_weak = false;
	q->weak_id = STR_EMPTY;
	q->writers = (struct strs){0};
	q->evidence = buf_new(q->arena, INQUIRY_EVIDENCE_BYTES);
	ret->addressee = q->addressee;
	ret->never = never_of(q, is_delivery);
	ret->origin = judge(q, ret);
	ret->is_temp = ret->is_temp || q->budget->has_temp;
	ret->is_weak = ret->origin == ORIGIN_GENUINE && q->is_weak;
	ret->weak_id = ret->is_weak ? q->weak_id : STR_EMPTY;
	if (q->evidence->len == 0)
		inquiry_say(q, "nothing is known of what it answers");
	ret->evidence = buf_str(q->evidence);
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
addressees_judge(struct inquiry *q, struct notice *ret)
{
	const struct strs *rcpt = &q->query->envelope->rcpt;
	struct notice worst = *ret;
	for (size_t i = 0; i < rcpt->n && i < ADDRESSEES_MAX; i++) {
		struct notice one = *ret;
		addressee_judge(q, rcpt->v[i], &one);
		if (i == 0 || badness(&one) > badness(&worst))
			worst = one;
	}
	*ret = worst;
	if (rcpt->n <= ADDRESSEES_MAX || ret->origin != ORIGIN_GENUINE)
		return;
	ret->origin = ORIGIN_UNKNOWN;
	ret->evidence = STR("a notice with so many recipients");
}

/* Of "SRS0=hash=tt=domain=local@forwarder"; empty: it is none. */
static struct str
srs_sender(struct arena *a, struct str path)
{
	struct str local = address_local(path);
	if (!str_istarts(local, STR("SRS0")) || local.len < 5)
		return STR_EMPTY;
	local = str_skip(local, 5);
	(void)str_cut(&local, '=');
	(void)str_cut(&local, '=');
	struct str domain = str_cut(&local, '=');
	return str_printf(a, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

static bool
has_come_in(const struct inquiry *q, struct str sender, struct str id)
{
	const struct notice_query *query = q->query;
	struct ledger_found found;
	if (ledger_find(query->memory, q->arena, sender, id,
		query->now_wall - query->ledger_s, INQUIRY_FOUND_MAX,
		&found) != MEMORY_OK)
		return false;
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].class == CLASS_INBOUND)
			return true;
	return false;
}

/*
 * The notice itself has come in from outside, and a filter or a forwarding of
 * ours hands it over again, under its sender's name or another one.
 */
static bool
is_passed_on(struct inquiry *q, struct notice *ret)
{
	const struct headers *headers = &q->message->root->headers;
	struct header *h = header_last(headers, STR("Message-ID"));
	struct str from = q->query->envelope->from;
	struct str senders[] = {
	    from, STR_EMPTY, q->author, srs_sender(q->arena, from)};
	struct str id;
	if (h == NULL || msgids_of(h->raw, &id, 1) == 0 ||
	    header_last(headers, STR("Received")) == NULL)
		return false;
	for (size_t i = 0; i < COUNT_OF(senders); i++)
		if (has_come_in(q, senders[i], id)) {
			ret->weak_id = id;
			return true;
		}
	return false;
}

/* What a mail program writes, and a script seldom does. */
static bool
is_of_person(const struct message *m)
{
	static const char *const names[] = {
	    "User-Agent", "In-Reply-To", "References"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (header_last(&m->root->headers, str_from(names[i])) != NULL)
			return true;
	return false;
}

/* A program on one of our hosts hands it over, to one recipient. */
static bool
may_be_script(const struct inquiry *q)
{
	const struct envelope *envelope = q->query->envelope;
	return envelope->login.len == 0 && envelope->rcpt.n == 1 &&
	       (envelope->class == CLASS_LOCAL ||
		   envelope->class == CLASS_RELAY) &&
	       q->query->memory != NULL && !is_of_person(q->message);
}

/*
 * A script that does not say that it is one, and whose words are those of an
 * answer, to somebody under whose name mail came in to its domain just before.
 */
static void
script_find(struct inquiry *q, struct notice *ret)
{
	struct ledger_found found;
	if (!may_be_script(q))
		return;
	enum notice_kind kind = notice_kind_likely(q->message);
	if (kind == NOTICE_NONE)
		return;
	q->addressee = sender_plain(q->arena, q->query->policy,
	    q->query->mta_name, q->query->envelope->rcpt.v[0]);
	q->evidence = buf_new(q->arena, INQUIRY_EVIDENCE_BYTES);
	if (!inquiry_ask(q, STR_EMPTY, AT_ONCE_S, INQUIRY_FOUND_MAX, &found))
		return;
	for (size_t i = 0; i < found.n; i++) {
		if (found.v[i].class != CLASS_INBOUND ||
		    !inquiry_is_to_author(q, &found.v[i]))
			continue;
		ret->form.kind = kind;
		ret->form.evidence =
		    STR("its words, just after mail from its addressee");
		ret->is_answer = true;
		ret->is_inferred = !ret->form.is_script;
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

/*
 * Reports that somebody has asked for go to nobody's sender; but who only has
 * their words in it, or comes as answers come, is one: a stranger may have
 * chosen the Subject.
 */
static bool
is_answer(const struct notice_form *form, const struct envelope *envelope)
{
	return notice_kind_is_answer(form->kind) || form->is_automatic ||
	       envelope->from.len == 0;
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
	ret->nrcpt = envelope->rcpt.n;
	ret->is_answer = is_answer(&ret->form, envelope);
	struct inquiry q = {
	    .arena = m->arena,
	    .message = m,
	    .query = query,
	    .budget = budget,
	    .author = ret->author,
	};
	if (!ret->is_answer && !ret->form.has_report)
		script_find(&q, ret);
	if (!ret->is_answer || envelope->class == CLASS_INBOUND)
		return;
	if (is_passed_on(&q, ret)) {
		ret->is_passing = true;
		ret->origin = ORIGIN_GENUINE;
		ret->evidence = STR("it came in from outside, as the ledger "
				    "shows, and is only passed on");
		return;
	}
	returned_read(m, &q.returned);
	inquiry_border(&q);
	addressees_judge(&q, ret);
}
