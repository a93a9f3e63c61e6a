/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_received -- mail that says it comes from a big provider: do the fields
 * look as that provider writes them? */
#include "base/arena.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/relay.h"
#include "mail/relay_ip.h"
#include "mail/shape.h"
#include "rules/eval_rows.h"

/* Runs of blanks to one each. */
static struct str
collapse(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		bool is_space = char_is_space(text.p[i]);
		if (!is_space || n == 0 || p[n - 1] != ' ')
			p[n++] = is_space ? ' ' : text.p[i];
	}
	return str_of(p, n);
}

static struct str
received(struct eval_call *call)
{
	return collapse(
	    call->message->arena, eval_get_text(call, STR("Received")));
}

static bool
has_any(struct str text, const char *const *shapes)
{
	for (; *shapes != NULL; shapes++)
		if (shape_is_in(text, *shapes))
			return true;
	return false;
}

static bool
has_address(struct str text)
{
	struct str ip;
	return relay_ip_find(text, &ip);
}

static bool
is_there(struct eval_call *call, const char *name)
{
	return header_first(&call->message->root->headers, str_from(name)) !=
	       NULL;
}

/* The author's address ends in `domain`, as a word. */
static bool
is_from(struct eval_call *call, const char *domain)
{
	struct str end = str_from(domain);
	struct str from = eval_get_text(call, STR("From:addr"));
	return str_iends(from, end) &&
	       (from.len == end.len ||
		   !char_is_word(from.p[from.len - end.len - 1]));
}

/* A line of `text` is like that from its start; to its end with %$. */
static bool
has_line(struct str text, const char *shape)
{
	struct shape_found f;
	while (text.len > 0)
		if (shape_starts(str_line(&text), shape, &f))
			return true;
	return false;
}

/* Lists that take the Received fields away, so that none can be asked for. */
static int
gated_through_received_hdr_remover(struct eval_call *call)
{
	static const char *const qmail[] = {
	    "qmail %n invoked {from network|by %K}); %n %?%?%? %n", NULL};
	struct str text = eval_get_text(call, STR("Received"));
	if (has_line(eval_get_text(call, STR("Mailing-List")),
		"contact %s@%s; run by ezmlm%$") &&
	    has_line(eval_get_text(call, STR("Delivered-To")),
		"mailing list %s@%s") &&
	    has_any(text, qmail))
		return 1;
	return !is_there(call, "Received") ||
	       shape_is_in(text, "from groups.msn.com (%s.msn.com ");
}

/* AOL's names of relays in mail that AOL's relays have not handled. */
static int
check_for_fake_aol_relay_in_rcvd(struct eval_call *call)
{
	static const char *const real[] = {
	    "/AOL-%n.%n.%n)", "ESMTP id {RELAY|MAILRELAY|MAILIN}", NULL};
	struct str text = received(call);
	struct shape_found f;
	return shape_ifind(text, " rly-%a%a%#%#.", &f) && !has_any(text, real);
}

/* Hotmail hands mail to the groups of MSN without an envelope of its own. */
static bool
is_msn_group(struct eval_call *call)
{
	struct arena *a = call->message->arena;
	struct shape_found f;
	struct str id = eval_get_text(call, STR("Message-Id"));
	if (!shape_ifind(
		eval_get_text(call, STR("To")), "<%x@groups.msn.com>", &f))
		return false;
	struct str list = shape_get(&f, 'x');
	if (!shape_find(eval_get_text(call, STR("Received")),
		"from mail pickup service by p%[y%#%#%]y.groups.msn.com%<", &f))
		return false;
	struct str server = shape_get(&f, 'y');
	if (str_eq(list, STR("notifications")))
		return shape_starts(
			   id, "<%s@p%[y%#%#%]y%?groups%?msn%?com>", &f) &&
		       str_eq(server, shape_get(&f, 'y'));
	struct str start = str_printf(a, "<%.*s-", STR_ARG(list));
	struct str sender =
	    str_printf(a, "%.*s-bounce@groups.msn.com", STR_ARG(list));
	return str_starts(id, start) &&
	       shape_starts(
		   str_skip(id, start.len), "%s@groups.msn.com>", &f) &&
	       str_find(eval_get_text(call, STR("EnvelopeFrom:addr")),
		   sender) != STR_NONE;
}

/* As Hotmail and Outlook write them; what else must be there. */
static const struct {
	const char *shape;
	bool needs_org; /* X-OriginatorOrg; otherwise X-Originating-IP */
} hotmail_forms[] = {
    {"from {%0s.|}hotmail%?com (%s.hotmail{.msn|}.com{ |)}", false},
    {"from %0s.outbound.protection.outlook.com "
     "(%s.outbound.protection.outlook.com{ |)}",
	true},
    {"from %0s.{eur|nam}prd%n.prod.outlook.com (%I)", true},
    {"from %0s.hotmail%?com ([%I]{ |)|:}", false},
    {"from %s by %s.hotmail{.msn|}.com with HTTP;", false},
    {"from [66.218%?%s] by %s.yahoo.com", false},
};

enum hotmail { HOTMAIL_FINE, HOTMAIL_FORGED, HOTMAIL_MISSING };

static bool
is_hotmail(struct eval_call *call, struct str text)
{
	static const char *const orgs[] = {
	    "hotmail.com", "msonline-outlook", NULL};
	bool has_ip = has_address(eval_get_text(call, STR("X-Originating-Ip")));
	bool has_org =
	    has_any(eval_get_text(call, STR("X-OriginatorOrg")), orgs);
	for (size_t i = 0; i < COUNT_OF(hotmail_forms); i++)
		if ((hotmail_forms[i].needs_org ? has_org : has_ip) &&
		    shape_is_in(text, hotmail_forms[i].shape))
			return true;
	return false;
}

static enum hotmail
hotmail_look(struct eval_call *call)
{
	bool may_be_named = str_find(eval_get_text(call, STR("Received")),
				STR("hotmail.com")) != STR_NONE;
	if (!may_be_named && !is_from(call, "hotmail.com"))
		return HOTMAIL_FINE;
	struct str text = received(call);
	bool is_named =
	    shape_is_in(text, "{from |HELO |helo=}%0shotmail.com%<");
	if (!is_named && !is_from(call, "hotmail.com"))
		return HOTMAIL_FINE;
	if (shape_is_in(text, "from mail pickup service by hotmail.com with "
			      "Microsoft SMTPSVC;") ||
	    is_msn_group(call) || gated_through_received_hdr_remover(call) ||
	    is_hotmail(call, text))
		return HOTMAIL_FINE;
	return is_named ? HOTMAIL_FORGED : HOTMAIL_MISSING;
}

static int
check_for_forged_hotmail_received_headers(struct eval_call *call)
{
	return hotmail_look(call) == HOTMAIL_FORGED;
}

static int
check_for_no_hotmail_received_headers(struct eval_call *call)
{
	return hotmail_look(call) == HOTMAIL_MISSING;
}

static int
check_for_msn_groups_headers(struct eval_call *call)
{
	return is_msn_group(call);
}

static int
check_for_forged_eudoramail_received_headers(struct eval_call *call)
{
	if (!is_from(call, "eudoramail.com") ||
	    gated_through_received_hdr_remover(call))
		return 0;
	return !shape_is_in(received(call), "by %0swhowhere%?com;") ||
	       !has_address(eval_get_text(call, STR("X-Sender-Ip")));
}

/* Yahoo's hosts have brought it, say hosts that are trusted or the first. */
static bool
is_of_yahoo(struct eval_call *call)
{
	const struct relays *relays = message_relays(call->message);
	struct str first = relays->untrusted;
	first = str_sub(first, 0, str_chr(first, ']'));
	return shape_is_in(relays->trusted, " rdns=%s.yahoo.com ") ||
	       shape_is_in(str_skip(first, 1), " rdns=%s.yahoo.com ");
}

/* Mail that was sent again has the old fields under another name. */
static struct str
yahoo_received(struct eval_call *call)
{
	struct str old = eval_get_text(call, STR("X-Received"));
	bool is_again = eval_get_text(call, STR("Resent-From")).len > 0 &&
			eval_get_text(call, STR("Resent-To")).len > 0;
	return is_again && old.len > 0 ? collapse(call->message->arena, old)
				       : received(call);
}

static int
check_for_forged_yahoo_received_headers(struct eval_call *call)
{
	static const char *const real[] = {
	    "by web%s.mail%0s.yahoo.com via HTTP",
	    "by sonic%s.consmr.mail%0s.yahoo.com with HTTP",
	    "by smtp%s.yahoo.com with SMTP",
	    "from [%I] by %s.{groups|scd|dcn}.yahoo.com with NNFMP",
	    "by %w.%w.yahoo.com (%n.%n.%n/%n.%n.%n){ with ESMTP|} id %w", NULL};
	if (!is_from(call, "yahoo.com"))
		return 0;
	struct str text = yahoo_received(call);
	if (gated_through_received_hdr_remover(call) || is_of_yahoo(call) ||
	    has_any(text, real))
		return 0;
	return !shape_is_in(text, "%<mailer%n.bulk.scd.yahoo.com%<") ||
	       !str_iends(eval_get_text(call, STR("From:addr")),
		   STR("@reply.yahoo.com"));
}

/* Juno of today names itself where it names the client. */
static bool
is_new_juno(struct str text, struct str mailer)
{
	static const char *const real[] = {
	    "from%*%<{juno|untd}.com%*{[|(}%I{]|)}%*by",
	    " cookie.{juno|untd}.com ", NULL};
	return has_any(text, real) &&
	       str_find(mailer, STR("Juno ")) != STR_NONE;
}

static int
check_for_forged_juno_received_headers(struct eval_call *call)
{
	if (!is_from(call, "juno.com") ||
	    gated_through_received_hdr_remover(call))
		return 0;
	struct str text = eval_get_text(call, STR("Received"));
	struct str mailer = eval_get_text(call, STR("X-Mailer"));
	if (eval_get_text(call, STR("X-Originating-IP")).len > 0)
		return !is_new_juno(text, mailer);
	/* that field is wanted in all other cases, and it is not there */
	return 1;
}

#define GOOGLE_FIELD_MIN 60

static int
check_for_forged_gmail_received_headers(struct eval_call *call)
{
	static const char *const real[] = {"by 10.%s with SMTP id %s",
	    "by 2002:a%#%#:%w:%s with SMTP id %s", NULL};
	if (!is_from(call, "gmail.com") ||
	    has_any(eval_get_text(call, STR("X-Received")), real))
		return 0;
	return !shape_is_in(eval_get_text(call, STR("Received")),
		   "by smtp.googlemail.com with ESMTPSA id %s") &&
	       (eval_get_text(call, STR("X-Gm-Message-State")).len <
		       GOOGLE_FIELD_MIN ||
		   eval_get_text(call, STR("X-Google-Smtp-Source")).len <
		       GOOGLE_FIELD_MIN);
}

/* A program that wrote lines like that, below others. */
static int
check_for_forged_gw05_received_headers(struct eval_call *call)
{
	struct str text = eval_get_text(call, STR("Received"));
	struct shape_found f;
	return shape_find(text,
		   "\nfrom%_%s%_by%_%x%_with%_ESMTP;%~%S%S%S,%~%n%~%S%S%S%~"
		   "%#%#%#%#%~%#%#:%#%#:%#%#%~%P%#%#%#%#\n{%$|\n%$}",
		   &f) &&
	       str_chr(shape_get(&f, 'x'), '.') == STR_NONE;
}

static int
check_for_matching_env_and_hdr_from(struct eval_call *call)
{
	return str_ieq(eval_get_text(call, STR("EnvelopeFrom:addr")),
	    eval_get_text(call, STR("From:addr")));
}

/* The last two labels behind the last @; all of it if there are less. */
static struct str
two_labels(struct str address)
{
	size_t at = str_rchr(address, '@');
	struct str domain =
	    str_skip(address, at == STR_NONE ? SIZE_MAX : at + 1);
	size_t last = str_rchr(domain, '.');
	size_t first = last == STR_NONE
			   ? STR_NONE
			   : str_rchr(str_sub(domain, 0, last), '.');
	bool is_long = first != STR_NONE && first > 0 && first + 1 < last &&
		       last + 1 < domain.len;
	return is_long ? str_skip(domain, first + 1) : domain;
}

static int
check_equal_from_domains(struct eval_call *call)
{
	struct str from = two_labels(eval_get_text(call, STR("From:addr")));
	struct str sender =
	    two_labels(eval_get_text(call, STR("EnvelopeFrom:addr")));
	return from.len > 0 && sender.len > 0 && !str_ieq(from, sender);
}

const struct eval_row EVAL_RECEIVED[] = {
    {"gated_through_received_hdr_remover", 0, 0, "", NEED_HEADER,
	"no Received fields, or a list that takes them away", "HeaderEval",
	gated_through_received_hdr_remover},
    {"check_for_fake_aol_relay_in_rcvd", 0, 0, "", NEED_HEADER,
	"a name as AOL's relays have it, but not what they write", "HeaderEval",
	check_for_fake_aol_relay_in_rcvd},
    {"check_for_forged_hotmail_received_headers", 0, 0, "",
	NEED_ENVELOPE | NEED_HEADER, "greeted as hotmail.com and is not",
	"HeaderEval", check_for_forged_hotmail_received_headers},
    {"check_for_no_hotmail_received_headers", 0, 0, "",
	NEED_ENVELOPE | NEED_HEADER,
	"From is of hotmail.com, but not what it writes", "HeaderEval",
	check_for_no_hotmail_received_headers},
    {"check_for_msn_groups_headers", 0, 0, "", NEED_ENVELOPE | NEED_HEADER,
	"a list of MSN Groups", "HeaderEval", check_for_msn_groups_headers},
    {"check_for_forged_eudoramail_received_headers", 0, 0, "", NEED_HEADER,
	"From is of eudoramail.com, but not what it writes", "HeaderEval",
	check_for_forged_eudoramail_received_headers},
    {"check_for_forged_yahoo_received_headers", 0, 0, "",
	NEED_HEADER | NEED_RELAYS,
	"From is of yahoo.com, but not what it writes", "HeaderEval",
	check_for_forged_yahoo_received_headers},
    {"check_for_forged_juno_received_headers", 0, 0, "", NEED_HEADER,
	"From is of juno.com, but not what it writes", "HeaderEval",
	check_for_forged_juno_received_headers},
    {"check_for_forged_gmail_received_headers", 0, 0, "", NEED_HEADER,
	"From is of gmail.com, but not what it writes", "HeaderEval",
	check_for_forged_gmail_received_headers},
    {"check_for_forged_gw05_received_headers", 0, 0, "", NEED_HEADER,
	"the oldest hop came to a host without a dot, as a mailer of spam "
	"wrote it",
	"HeaderEval", check_for_forged_gw05_received_headers},
    {"check_for_matching_env_and_hdr_from", 0, 0, "",
	NEED_ENVELOPE | NEED_HEADER, "the envelope sender is the From address",
	"HeaderEval", check_for_matching_env_and_hdr_from},
    {"check_equal_from_domains", 0, 0, "", NEED_ENVELOPE | NEED_HEADER,
	"From and the envelope sender end in different labels", "HeaderEval",
	check_equal_from_domains},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
