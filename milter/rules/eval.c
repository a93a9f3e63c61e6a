/* SPDX-License-Identifier: BSD-2-Clause */
/* eval -- the table of eval functions that need the message and its envelope,
 * nothing more. */
#include "rules/eval.h"

#include "base/arena.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/uri.h"
#include "rules/eval_rows.h"

/* What is Postern's own, and what stands beside it by theme. */
static const struct eval_row EVAL_SENDING[] = {
    {"rcpt_count", 1, 1, "n", NEED_ENVELOPE,
	"the envelope has N recipients or more", "postern", eval_rcpt_count},
    {"from_not_login", 0, 0, "", NEED_ENVELOPE | NEED_HEADER,
	"the From address is of another domain than the login", "postern",
	eval_from_not_login},
    {"from_not_envelope", 0, 0, "", NEED_ENVELOPE | NEED_HEADER,
	"the From address is of another domain than the envelope sender",
	"postern", eval_from_not_envelope},
    {"replyto_elsewhere", 0, 0, "", NEED_ENVELOPE | NEED_HEADER,
	"answers go to another domain than From, login and recipients",
	"postern", eval_replyto_elsewhere},
    {"display_name_address", 0, 1, "s", NEED_HEADER,
	"the display name shows another address than the one behind it; with "
	"'domain', another domain",
	"postern", eval_display_name_address},
    {"rcpt_in", 2, 2, "s", NEED_ENVELOPE | NEED_HEADER | NEED_BODY | NEED_LINKS,
	"a recipient's 'address' or 'user' part is in the 'subject', the "
	"'name' of the sender, the 'greeting', the 'body' or a 'link'",
	"postern", eval_rcpt_in},
    {"check_for_to_in_subject", 1, 1, "s", NEED_HEADER,
	"the Subject shows the 'address' or greets the 'user' of To",
	"HeaderEval", eval_check_for_to_in_subject},
    {"header_count", 2, 2, "sn", NEED_HEADER,
	"the header has N fields of that name or more", "RFC 5322",
	eval_header_count},
    {"check_header_count_range", 3, 3, "snn", NEED_HEADER,
	"number of different fields of that name, from and to", "HeaderEval",
	eval_check_header_count_range},
    {"date_bad", 0, 0, "", NEED_HEADER, "the Date is not one", "RFC 5322",
	eval_date_bad},
    {"link_text_host", 0, 1, "s", NEED_HEADER | NEED_LINKS,
	"a link shows a host and leads to another domain; with 'foreign', the "
	"host it shows is not the author's either",
	"postern", eval_link_text_host},
    {"link_elsewhere", 0, 0, "", NEED_HEADER | NEED_LINKS,
	"there are links to click, and none of them leads to the author's "
	"domain",
	"postern", eval_link_elsewhere},
    {"hidden_text", 1, 2, "n", NEED_PARTS | NEED_HTML,
	"HTML hides N letters or more, and at least M % of all", "postern",
	eval_hidden_text},
    {"visible_text", 2, 2, "n", NEED_PARTS | NEED_HTML,
	"a reader sees from N to M letters and digits", "postern",
	eval_visible_text},
    {"image_only", 1, 1, "n", NEED_PARTS | NEED_HTML,
	"HTML with a picture and at most N letters and digits", "postern",
	eval_image_only},
    {"wallet_address", 1, 7, "s", NEED_BODY,
	"the text has a valid address of that coin: btc ltc doge trx eth xmr "
	"any",
	"BIP 173, BIP 350, EIP-55", eval_wallet_address},
    {"attachment_name", 1, 12, "s", NEED_PARTS,
	"a file name is of that kind: exe script shell macro archive disk html "
	"link double trick",
	"postern", eval_attachment_name},
    {"attachment_magic", 1, 12, "s", NEED_PARTS,
	"the bytes of a file are of that kind: exe script shell macro archive "
	"disk html link locked pdf",
	"postern", eval_attachment_magic},
    {"attachment_member", 2, 13, "ns", NEED_PARTS,
	"an archive of at most N members has one whose name is of that kind",
	"postern", eval_attachment_member},
    {"attachment_disguised", 0, 0, "", NEED_PARTS,
	"a file is a program, a script or a page and its name says otherwise",
	"postern", eval_attachment_disguised},
    {"attachment_page", 1, 3, "s", NEED_PARTS,
	"an attached page does that: 'smuggle' a file, ask for a 'password', "
	"'redirect'",
	"postern", eval_attachment_page},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};

/* It stands for a rule that hits by itself: see run_shorten(). */
static int
eval_check_shortcircuit(struct eval_call *call)
{
	(void)call;
	return 0;
}

/* SpamAssassin's plugin to try plugins with. */
static int
eval_check_test_plugin(struct eval_call *call)
{
	(void)call;
	return 1;
}

static const struct eval_row EVAL_LANGUAGE[] = {
    {"check_test_plugin", 0, 0, "", NEED_NOTHING, "always", "Test",
	eval_check_test_plugin},
    {"check_shortcircuit", 0, 0, "", NEED_NOTHING,
	"never; SHORTCIRCUIT hits by itself when a rule ends the run",
	"Shortcircuit", eval_check_shortcircuit},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};

const struct eval_row *const EVAL_CONTENT[] = {
    EVAL_SENDING,
    EVAL_LANGUAGE,
    EVAL_ADDRESS_LIST,
    EVAL_BOUNCE,
    EVAL_CHARS,
    EVAL_DATE,
    EVAL_FREEMAIL,
    EVAL_FROMNAME,
    EVAL_MSGID,
    EVAL_PHISHING,
    EVAL_RECIPIENT,
    EVAL_SUBJECT_LIST,
    EVAL_URI_HOST,
    EVAL_RELAY,
    EVAL_RECEIVED,
    EVAL_HTML,
    EVAL_MIME,
    EVAL_BODY,
    EVAL_IMAGE,
    EVAL_URI,
    NULL,
};

static const struct {
	const char *name, *help;
} needs[EVAL_NEEDS] = {
    {"nothing", "nothing of the message"},
    {"envelope", "sender, recipients and login"},
    {"header", "fields of the header"},
    {"relays", "hops, read from Received fields"},
    {"body", "text as body rules see it"},
    {"rawbody", "text as rawbody rules see it"},
    {"source", "the body as it came"},
    {"parts", "MIME parts and attachments"},
    {"html", "what is found in HTML"},
    {"links", "links and their hosts"},
    {"policy", "login map, local domains, signing keys"},
    {"dns", "SPF, DKIM, DMARC and MX, from the DNS"},
    {"notice", "kind and origin of an automatic notice"},
    {"body-changed", "they change the body for rules behind them"},
};

struct str
eval_need_name(size_t i)
{
	return str_from(needs[i].name);
}

struct str
eval_need_help(size_t i)
{
	return str_from(needs[i].help);
}

bool
eval_bound(const struct eval_call *call, size_t i, double *ret)
{
	if (i >= call->nargs || str_eq(call->args[i], STR("undef")))
		return false;
	*ret = call->numbers[i];
	return true;
}

void
eval_get(struct eval_call *call, struct str what, struct strs *ret)
{
	struct header_query query;
	if (header_query_parse(what, &query))
		header_query_list(call->message, &query, ret);
}

struct str
eval_get_text(struct eval_call *call, struct str what)
{
	struct header_query query;
	struct strs found = {0};
	struct str text;
	if (!header_query_parse(what, &query))
		return STR_EMPTY;
	if (!header_query_is_one(&query))
		return header_query_run(call->message, &query, &text)
			   ? text
			   : STR_EMPTY;
	header_query_list(call->message, &query, &found);
	if (found.n == 0)
		return STR_EMPTY;
	text = found.v[0];
	return str_ends(text, STR("\n")) ? str_sub(text, 0, text.len - 1)
					 : text;
}

struct str
eval_arg(const struct eval_call *call, size_t i)
{
	return i < call->nargs ? call->args[i] : STR_EMPTY;
}

double
eval_number(const struct eval_call *call, size_t i)
{
	return i < call->nargs ? call->numbers[i] : 0;
}

const struct strs *
eval_text(struct eval_call *call)
{
	return call->is_rawbody ? message_rawbody(call->message)
				: message_body_seen(call->message);
}

int
eval_hit(struct eval_call *call, struct str evidence)
{
	call->evidence = evidence;
	return 1;
}

void
eval_addresses(
    struct eval_call *call, struct str field, size_t max, struct strs *ret)
{
	struct message *m = call->message;
	const struct headers *headers = &m->root->headers;
	for (size_t i = 0; i < headers->n && ret->n < max; i++) {
		if (!str_ieq(headers->v[i].name, field))
			continue;
		if (effort_is_over(&m->effort, headers->v[i].raw.len))
			return;
		struct strs found = {0};
		address_addrs(m->arena, headers->v[i].raw, &found);
		for (size_t j = 0; j < found.n && ret->n < max; j++)
			if (address_domain(found.v[j]).len > 0)
				strs_add(m->arena, ret, found.v[j]);
	}
}

struct str
eval_from(struct eval_call *call)
{
	struct strs from = {0};
	eval_addresses(call, STR("From"), 1, &from);
	return from.n == 0 ? STR_EMPTY : from.v[0];
}

void
eval_recipients(struct eval_call *call, size_t max, struct strs *ret)
{
	const struct envelope *envelope = call->message->envelope;
	if (envelope != NULL && envelope->rcpt.n > 0) {
		for (size_t i = 0; i < envelope->rcpt.n && ret->n < max; i++)
			strs_add(
			    call->message->arena, ret, envelope->rcpt.v[i]);
		return;
	}
	eval_addresses(call, STR("To"), max, ret);
	eval_addresses(call, STR("Cc"), max, ret);
}

struct str
eval_org_domain(struct eval_call *call, struct str domain)
{
	struct message *m = call->message;
	struct str lower = str_lower(m->arena, domain);
	struct str org = tld_domain(m->arena, m->config->tlds, lower);
	return org.len > 0 ? org : lower;
}

bool
eval_same_org(struct eval_call *call, struct str a, struct str b)
{
	return a.len > 0 && b.len > 0 &&
	       str_eq(eval_org_domain(call, a), eval_org_domain(call, b));
}
