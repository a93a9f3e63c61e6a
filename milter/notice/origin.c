/* SPDX-License-Identifier: BSD-2-Clause */
/* origin -- did the addressee of a notice really write what it answers? */
#include "notice/origin.h"

#include <stdarg.h>

#include "base/arena.h"
#include "mail/address.h"
#include "mail/header.h"
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
	q->addressee = addressee;
	q->is_weak = false;
	q->weak_id = STR_EMPTY;
	q->writers = (struct strs){0};
	q->evidence = buf_new(q->arena, INQUIRY_EVIDENCE_BYTES);
	ret->addressee = addressee;
	ret->never = never_of(q, is_delivery);
	ret->origin = judge(q, ret);
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
is_passed_on(struct inquiry *q)
{
	const struct notice_query *query = q->query;
	struct str id = own_message_id(q->message);
	struct ledger_found found;
	if (id.len == 0 ||
	    header_last(&q->message->root->headers, STR("Received")) == NULL)
		return false;
	if (ledger_find(query->memory, q->arena, query->envelope->from, id,
		query->now_wall - query->ledger_s, INQUIRY_FOUND_MAX,
		&found) != MEMORY_OK)
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
script_find(struct inquiry *q, struct notice *ret)
{
	const struct envelope *envelope = q->query->envelope;
	struct ledger_found found;
	bool is_program =
	    envelope->login.len == 0 &&
	    (envelope->class == CLASS_LOCAL || envelope->class == CLASS_RELAY);
	if (!is_program || envelope->rcpt.n != 1 || q->query->memory == NULL)
		return;
	enum notice_kind kind = notice_kind_likely(q->message);
	if (kind == NOTICE_NONE)
		return;
	q->addressee = envelope->rcpt.v[0];
	q->evidence = buf_new(q->arena, INQUIRY_EVIDENCE_BYTES);
	if (!inquiry_ask(q, STR_EMPTY, AT_ONCE_S, INQUIRY_FOUND_MAX, &found))
		return;
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].class == CLASS_INBOUND &&
		    inquiry_is_to_author(q, &found.v[i])) {
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
	struct inquiry q = {
	    .arena = m->arena,
	    .message = m,
	    .query = query,
	    .budget = budget,
	    .author = ret->author,
	};
	if (ret->form.kind == NOTICE_NONE && !ret->is_answer)
		script_find(&q, ret);
	if (!ret->is_answer || envelope->class == CLASS_INBOUND)
		return;
	if (is_passed_on(&q)) {
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
