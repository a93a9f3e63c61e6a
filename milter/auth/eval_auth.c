/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_auth -- what rules may ask of a message's facts.  Without facts nothing
 * hits. */
#include "auth/facts.h"
#include "base/arena.h"
#include "mail/address.h"
#include "rules/eval_rows.h"

#define FIELDS_MAX 1000

static const struct facts *
facts_of(const struct eval_call *call)
{
	return call->facts == NULL ? NULL : call->facts->auth;
}

static const struct preflight *
flight_of(const struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	return facts != NULL && facts->has_flight ? &facts->flight : NULL;
}

static bool
has_arg(const struct eval_call *call, struct str word)
{
	for (size_t i = 0; i < call->nargs; i++)
		if (str_ieq(call->args[i], word))
			return true;
	return false;
}

static int
eval_preflight(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	if (flight == NULL ||
	    !has_arg(call, preflight_verdict_name(flight->verdict)))
		return 0;
	return eval_hit(call, flight->evidence);
}

static int
eval_spf_result(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	if (flight == NULL || flight->spf.state == SPF_STATE_NO_EGRESS ||
	    flight->spf.state == SPF_STATE_UNQUALIFIED ||
	    !has_arg(call, spf_result_name(flight->spf.result)))
		return 0;
	for (size_t i = 0; i < flight->spf.n; i++) {
		const struct spf_address *v = &flight->spf.v[i];
		if (v->answer.result == flight->spf.result)
			return eval_hit(call,
			    str_printf(call->message->arena,
				"%.*s from %.*s: %.*s",
				STR_ARG(flight->spf.domain),
				STR_ARG(v->address), STR_ARG(v->answer.why)));
	}
	return 1;
}

static int
eval_dkim_result(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	if (flight == NULL || !has_arg(call, dkim_result_name(flight->dkim)))
		return 0;
	for (size_t i = 0; i < flight->signatures.n; i++) {
		const struct dkim_signature *s = &flight->signatures.v[i];
		if (s->result == flight->dkim)
			return eval_hit(
			    call, str_printf(call->message->arena, "d=%.*s %s",
				      STR_ARG(s->domain),
				      s->why == NULL ? "" : s->why));
	}
	return 1;
}

static int
eval_dmarc_policy(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	for (size_t i = 0; flight != NULL && i < flight->nauthors; i++) {
		const struct preflight_author *author = &flight->authors[i];
		if (author->verdict != PREFLIGHT_NODMARC &&
		    has_arg(call, dmarc_policy_name(author->policy)))
			return eval_hit(call, author->domain);
	}
	return 0;
}

static bool
wants_sender(const struct eval_call *call)
{
	return call->nargs > 0 && str_ieq(call->args[0], STR("envelope"));
}

static int
eval_login_may_not(struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	if (facts == NULL)
		return 0;
	bool is_sender = wants_sender(call);
	enum login_allows answer =
	    is_sender ? facts->login_sender : facts->login_from;
	if (answer != LOGIN_NO)
		return 0;
	struct str shown =
	    is_sender ? facts->envelope->from : facts_author(facts);
	return eval_hit(
	    call, str_printf(call->message->arena, "%.*s writes as %.*s",
		      STR_ARG(facts->envelope->login), STR_ARG(shown)));
}

static int
eval_domain_no_mail(struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	const struct preflight *flight = flight_of(call);
	if (facts == NULL || flight == NULL)
		return 0;
	if (wants_sender(call))
		return flight->sender_route != ROUTE_NONE
			   ? 0
			   : eval_hit(
				 call, address_domain(facts->envelope->from));
	for (size_t i = 0; i < flight->nauthors; i++)
		if (flight->authors[i].route == ROUTE_NONE)
			return eval_hit(call, flight->authors[i].domain);
	return 0;
}

/* A word of the display name that is, or is an address in, a local domain. */
static bool
shows_local(struct eval_call *call, const struct policy *policy,
    struct str display, struct str *ret)
{
	struct arena *a = call->message->arena;
	for (struct str word = str_word(&display); word.len > 0;
	     word = str_word(&display)) {
		while (word.len > 0 && !char_is_alnum(word.p[word.len - 1]))
			word.len--;
		while (word.len > 0 && !char_is_alnum(word.p[0]))
			word = str_skip(word, 1);
		struct str domain = str_chr(word, '@') == STR_NONE
					? word
					: address_domain(word);
		if (str_chr(domain, '.') != STR_NONE &&
		    policy_is_local(a, policy, domain)) {
			*ret = word;
			return true;
		}
	}
	return false;
}

/* Those of the facts; a test line has them in its message only. */
static const struct authors *
authors_read(struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	if (facts->authors.nfields > 0)
		return &facts->authors;
	struct arena *a = call->message->arena;
	struct authors *authors = ARENA_NEW(a, struct authors);
	struct dkim_mail mail;
	dkim_mail_cut(a, call->message->raw, FIELDS_MAX, &mail);
	authors_of(a, &mail, authors);
	return authors;
}

static int
eval_forged_local_name(struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	if (facts == NULL)
		return 0;
	struct arena *a = call->message->arena;
	const struct authors *authors = authors_read(call);
	for (size_t i = 0; i < authors->n; i++) {
		const struct author *box = &authors->v[i];
		struct str shown;
		if (!policy_is_local(a, facts->policy, box->domain) &&
		    shows_local(call, facts->policy, box->name, &shown))
			return eval_hit(
			    call, str_printf(a, "%.*s on %.*s", STR_ARG(shown),
				      STR_ARG(box->address)));
	}
	return 0;
}

/*
 * Passed on with the envelope sender of somebody else: no login, not ours, and
 * our addresses may not send for it.
 */
static int
eval_forward_no_srs(struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	const struct preflight *flight = flight_of(call);
	if (flight == NULL || facts->envelope->login.len > 0 ||
	    facts->envelope->from.len == 0 ||
	    flight->spf.state != SPF_STATE_JUDGED ||
	    flight->spf.result == SPF_PASS ||
	    flight->spf.result == SPF_TEMPERROR)
		return 0;
	struct str domain = address_domain(facts->envelope->from);
	if (domain.len == 0 ||
	    policy_is_local(call->message->arena, facts->policy, domain))
		return 0;
	return eval_hit(call, facts->envelope->from);
}

static int
eval_unsigned(struct eval_call *call)
{
	const struct facts *facts = facts_of(call);
	if (facts == NULL || facts->nsigners > 0)
		return 0;
	struct str why = str_from(unsigned_why_name(facts->why_unsigned));
	return call->nargs == 0 || has_arg(call, why) ? eval_hit(call, why) : 0;
}

const struct eval_row EVAL_AUTH[] = {
    {"preflight", 1, 8, "s", NEED_DNS,
	"what a receiver that enforces DMARC will think: pass, pass_spf_only, "
	"fail_reject, fail_quarantine, fail_none, nodmarc, temp or form",
	"postern", eval_preflight},
    {"spf_result", 1, 7, "s", NEED_DNS,
	"the worst SPF result of the envelope sender for the addresses mail "
	"leaves from",
	"RFC 7208", eval_spf_result},
    {"dkim_result", 1, 7, "s", NEED_DNS,
	"the best result of the signatures a message came with, or none",
	"RFC 6376", eval_dkim_result},
    {"dmarc_policy", 1, 3, "s", NEED_DNS,
	"the policy of the author's domain: none, quarantine or reject",
	"RFC 9989", eval_dmarc_policy},
    {"login_may_not", 1, 1, "s", NEED_ENVELOPE | NEED_HEADER | NEED_POLICY,
	"the login map does not let the login write as the 'from' or the "
	"'envelope' address",
	"postern", eval_login_may_not},
    {"domain_no_mail", 1, 1, "s", NEED_ENVELOPE | NEED_DNS,
	"the domain of the 'from' or the 'envelope' address takes no mail: "
	"neither MX nor address",
	"RFC 5321", eval_domain_no_mail},
    {"forged_local_name", 0, 0, "", NEED_HEADER | NEED_POLICY,
	"the display name shows a domain of ours on a foreign address",
	"postern", eval_forged_local_name},
    {"forward_no_srs", 0, 0, "", NEED_ENVELOPE | NEED_POLICY | NEED_DNS,
	"no login, and a foreign envelope sender that our addresses may not "
	"send for",
	"postern", eval_forward_no_srs},
    {"not_signed", 0, 5, "s", NEED_POLICY,
	"we will not sign it; with words, for that reason: no-key, class, "
	"login, no-author, no-tables",
	"postern", eval_unsigned},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
