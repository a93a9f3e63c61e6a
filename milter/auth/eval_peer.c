/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_peer -- what SpamAssassin's rules ask of SPF, DKIM and DMARC, answered
 * for mail that leaves: as receivers will see it, with the addresses it leaves
 * from and the signatures that will be on it.  Without facts nothing hits.
 */
#include "auth/facts.h"
#include "base/arena.h"
#include "mail/address.h"
#include "rules/address_list.h"
#include "rules/adsp.h"
#include "rules/eval_rows.h"

#define SPF_PREFIX "check_for_spf_"
#define SPF_HELO "helo_"
#define SIGNING_DOMAINS 100 /* that one rule names */

static const struct preflight *
flight_of(const struct eval_call *call)
{
	const struct facts *facts =
	    call->facts == NULL ? NULL : call->facts->auth;
	return facts != NULL && facts->has_flight ? &facts->flight : NULL;
}

/*
 * check_for_spf_RESULT(), check_for_spf_helo_RESULT(): RESULT is the worst of
 * our addresses.  The greeting is judged for the null sender alone, as a
 * receiver has to (RFC 7208 section 2.4).
 */
static int
eval_spf(struct eval_call *call)
{
	struct str name = str_from(call->row->name + strlen(SPF_PREFIX));
	bool wants_helo = str_starts(name, STR(SPF_HELO));
	if (wants_helo)
		name = str_skip(name, strlen(SPF_HELO));
	const struct preflight *flight = flight_of(call);
	if (flight == NULL || flight->spf.state == SPF_STATE_NO_EGRESS ||
	    flight->spf.state == SPF_STATE_UNQUALIFIED ||
	    flight->spf.is_helo != wants_helo ||
	    !str_eq(name, spf_result_name(flight->spf.result)))
		return 0;
	return eval_hit(call, flight->spf.domain);
}

/* A signature that is there or will be, and whether receivers find it valid. */
struct signing {
	struct str domain; /* of i=, or d= */
	bool is_valid;
	bool is_temp; /* its key was not answered */
};

static struct str
domain_of(struct str identity, struct str domain)
{
	struct str of_identity = address_domain(identity);
	return of_identity.len > 0 ? of_identity : domain;
}

/* The signatures a message came with, then ours. */
static size_t
signings_of(const struct preflight *flight,
    struct signing ret[DKIM_SIGNATURES_MAX + SIGNERS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < flight->signatures.n; i++) {
		const struct dkim_signature *s = &flight->signatures.v[i];
		ret[n++] = (struct signing){domain_of(s->identity, s->domain),
		    s->result == DKIM_PASS && !flight->breaks_lines,
		    s->result == DKIM_TEMPERROR};
	}
	for (size_t i = 0; i < flight->nours; i++) {
		const struct preflight_signer *ours = &flight->ours[i];
		ret[n++] = (struct signing){
		    domain_of(ours->signer.identity, ours->signer.domain),
		    ours->match == DKIM_MATCHES && !flight->breaks_lines,
		    ours->match == DKIM_UNKNOWN};
	}
	return n;
}

/* ".b.example" and "*.b.example" are b.example and all below it. */
static bool
is_acceptable(struct str domain, struct str pattern)
{
	struct str base = pattern;
	if (str_starts(base, STR("*.")))
		base = str_skip(base, 1);
	if (!str_starts(base, STR(".")))
		return str_ieq(domain, base);
	return str_iends(domain, base) || str_ieq(domain, str_skip(base, 1));
}

/* Any domain will do if the rule names none, from argument `first` on. */
static bool
is_wanted(const struct eval_call *call, size_t first, struct str domain)
{
	for (size_t i = first; i < call->nargs; i++)
		if (is_acceptable(domain, call->args[i]))
			return true;
	return call->nargs <= first;
}

/* A signing of `domain`, or of any if that is NULL, that the rule wants. */
static int
signing_find(struct eval_call *call, bool is_valid, const struct str *domain)
{
	const struct preflight *flight = flight_of(call);
	struct signing signings[DKIM_SIGNATURES_MAX + SIGNERS_MAX];
	size_t n = flight == NULL ? 0 : signings_of(flight, signings);
	for (size_t i = 0; i < n; i++) {
		const struct signing *s = &signings[i];
		if ((s->is_valid || !is_valid) &&
		    (domain == NULL || str_ieq(s->domain, *domain)) &&
		    is_wanted(call, 0, s->domain))
			return eval_hit(call, s->domain);
	}
	return 0;
}

static int
eval_dkim_signed(struct eval_call *call)
{
	return signing_find(call, false, NULL);
}

static int
eval_dkim_valid(struct eval_call *call)
{
	return signing_find(call, true, NULL);
}

static int
eval_dkim_author(struct eval_call *call)
{
	if (flight_of(call) == NULL)
		return 0;
	struct str domain = address_domain(facts_author(call->facts->auth));
	return domain.len > 0 ? signing_find(call, true, &domain) : 0;
}

static int
eval_dkim_envelope(struct eval_call *call)
{
	if (flight_of(call) == NULL)
		return 0;
	struct str domain = address_domain(call->facts->auth->envelope->from);
	return domain.len > 0 ? signing_find(call, true, &domain) : 0;
}

/* --- lists of senders that pass if SPF or DKIM says it is them -------------
 */

static bool
is_listed(const struct eval_call *call, struct str list, struct str address)
{
	return address_list_has(call->message->arena,
	    address_list_named(call->lists->addresses, list), address);
}

/*
 * The envelope sender is on welcomelist_from_spf or welcomelist_auth, and may
 * leave from all our addresses.
 */
static int
spf_listed(struct eval_call *call, struct str of_spf, struct str of_both)
{
	const struct preflight *flight = flight_of(call);
	if (flight == NULL || flight->spf.state != SPF_STATE_JUDGED ||
	    flight->spf.is_helo || flight->spf.result != SPF_PASS)
		return 0;
	struct str from = call->facts->auth->envelope->from;
	if (from.len == 0 ||
	    (!is_listed(call, of_spf, from) && !is_listed(call, of_both, from)))
		return 0;
	return eval_hit(call, from);
}

static int
eval_spf_welcome(struct eval_call *call)
{
	return spf_listed(
	    call, STR("welcomelist_from_spf"), STR("welcomelist_auth"));
}

static int
eval_spf_welcome_default(struct eval_call *call)
{
	return spf_listed(
	    call, STR("def_welcomelist_from_spf"), STR("def_welcomelist_auth"));
}

/*
 * The author is on welcomelist_from_dkim with a domain that has signed, or on
 * welcomelist_auth and his own has.
 */
static int
dkim_listed(struct eval_call *call, struct str of_dkim, struct str of_both)
{
	const struct preflight *flight = flight_of(call);
	if (flight == NULL)
		return 0;
	struct arena *a = call->message->arena;
	struct str author = facts_author(call->facts->auth);
	const struct address_list *list =
	    address_list_named(call->lists->addresses, of_dkim);
	bool is_on_both = is_listed(call, of_both, author);
	struct signing signings[DKIM_SIGNATURES_MAX + SIGNERS_MAX];
	size_t n = author.len == 0 ? 0 : signings_of(flight, signings);
	for (size_t i = 0; i < n; i++) {
		const struct signing *s = &signings[i];
		bool is_own = str_ieq(s->domain, address_domain(author));
		if (s->is_valid &&
		    ((is_on_both && is_own) ||
			address_list_signed(a, list, author, s->domain)))
			return eval_hit(call, s->domain);
	}
	return 0;
}

static int
eval_dkim_welcome(struct eval_call *call)
{
	return dkim_listed(
	    call, STR("welcomelist_from_dkim"), STR("welcomelist_auth"));
}

static int
eval_dkim_welcome_default(struct eval_call *call)
{
	return dkim_listed(call, STR("def_welcomelist_from_dkim"),
	    STR("def_welcomelist_auth"));
}

/* --- domains that are known to sign what they send -------------------------
 */

/* No signature of `domain` is valid, and each has been looked at. */
static bool
is_unsigned(const struct preflight *flight, struct str domain)
{
	struct signing signings[DKIM_SIGNATURES_MAX + SIGNERS_MAX];
	size_t n = signings_of(flight, signings);
	for (size_t i = 0; i < n; i++)
		if (str_ieq(signings[i].domain, domain) &&
		    (signings[i].is_valid || signings[i].is_temp))
			return false;
	return true;
}

/* An author's domain signs `practices`, a letter each, and has not. */
static int
adsp_find(struct eval_call *call, struct str practices, size_t first)
{
	const struct preflight *flight = flight_of(call);
	size_t n = flight == NULL ? 0 : call->facts->auth->authors.ndomains;
	for (size_t i = 0; i < n; i++) {
		struct str domain = call->facts->auth->authors.domains[i];
		char letter =
		    adsp_of(call->lists->adsp, call->message->arena, domain);
		if (letter != '\0' && str_chr(practices, letter) != STR_NONE &&
		    is_wanted(call, first, domain) &&
		    is_unsigned(flight, domain))
			return eval_hit(call, domain);
	}
	return 0;
}

static int
eval_adsp(struct eval_call *call)
{
	struct str practices = call->args[0];
	return adsp_find(
	    call, str_eq(practices, STR("*")) ? STR("NAD123") : practices, 1);
}

static int
eval_signs_all(struct eval_call *call)
{
	return adsp_find(call, STR("A"), 0);
}

static const struct dmarc_row {
	const char *name;
	enum preflight_verdict verdict, other;
} dmarc_rows[] = {
    {"check_dmarc_pass", PREFLIGHT_PASS, PREFLIGHT_PASS_SPF_ONLY},
    {"check_dmarc_reject", PREFLIGHT_FAIL_REJECT, PREFLIGHT_FAIL_REJECT},
    {"check_dmarc_quarantine", PREFLIGHT_FAIL_QUARANTINE,
	PREFLIGHT_FAIL_QUARANTINE},
    {"check_dmarc_none", PREFLIGHT_FAIL_NONE, PREFLIGHT_FAIL_NONE},
    {"check_dmarc_missing", PREFLIGHT_NODMARC, PREFLIGHT_NODMARC},
};

static int
eval_dmarc(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	for (size_t i = 0; flight != NULL && i < COUNT_OF(dmarc_rows); i++) {
		const struct dmarc_row *row = &dmarc_rows[i];
		if (strcmp(row->name, call->row->name) == 0 &&
		    (flight->verdict == row->verdict ||
			flight->verdict == row->other))
			return eval_hit(call, flight->evidence);
	}
	return 0;
}

#define SPF_ROW(result)                                                        \
	{SPF_PREFIX result, 0, 0, "", NEED_DNS,                                \
	    "the worst SPF result of the sender is " result, "SPF", eval_spf}, \
	{                                                                      \
		SPF_PREFIX SPF_HELO result, 0, 0, "", NEED_DNS,                \
		    "null sender: the SPF result of our name is " result,      \
		    "SPF", eval_spf                                            \
	}

const struct eval_row EVAL_AUTH_PEER[] = {
    SPF_ROW("pass"),
    SPF_ROW("neutral"),
    SPF_ROW("none"),
    SPF_ROW("fail"),
    SPF_ROW("softfail"),
    SPF_ROW("permerror"),
    SPF_ROW("temperror"),
    {"check_dkim_signed", 0, SIGNING_DOMAINS, "s", NEED_DNS,
	"it is signed, or will be; by one of these domains, if any", "DKIM",
	eval_dkim_signed},
    {"check_dkim_valid", 0, SIGNING_DOMAINS, "s", NEED_DNS,
	"a signature is valid, or will be: its key is published", "DKIM",
	eval_dkim_valid},
    {"check_dkim_valid_author_sig", 0, SIGNING_DOMAINS, "s",
	NEED_HEADER | NEED_DNS, "the same, of the domain in From", "DKIM",
	eval_dkim_author},
    {"check_dkim_valid_envelopefrom", 0, 0, "", NEED_ENVELOPE | NEED_DNS,
	"the same, of the domain of the envelope sender", "DKIM",
	eval_dkim_envelope},
    {"check_dkim_dependable", 0, 0, "", NEED_DNS, "as check_dkim_valid()",
	"DKIM", eval_dkim_valid},
    {"check_dkim_verified", 0, SIGNING_DOMAINS, "s", NEED_DNS,
	"check_dkim_valid() by its old name", "DKIM", eval_dkim_valid},
    {"check_for_spf_welcomelist_from", 0, 0, "", NEED_ENVELOPE | NEED_DNS,
	"the envelope sender is on welcomelist_from_spf or welcomelist_auth, "
	"and SPF passes",
	"SPF", eval_spf_welcome},
    {"check_for_spf_whitelist_from", 0, 0, "", NEED_ENVELOPE | NEED_DNS,
	"the same by its old name", "SPF", eval_spf_welcome},
    {"check_for_def_spf_welcomelist_from", 0, 0, "", NEED_ENVELOPE | NEED_DNS,
	"the same for def_welcomelist_from_spf and def_welcomelist_auth", "SPF",
	eval_spf_welcome_default},
    {"check_for_def_spf_whitelist_from", 0, 0, "", NEED_ENVELOPE | NEED_DNS,
	"the same by its old name", "SPF", eval_spf_welcome_default},
    {"check_for_dkim_welcomelist_from", 0, 0, "", NEED_HEADER | NEED_DNS,
	"the author is on welcomelist_from_dkim or welcomelist_auth, and a "
	"signature of the right domain is valid, or will be",
	"DKIM", eval_dkim_welcome},
    {"check_for_dkim_whitelist_from", 0, 0, "", NEED_HEADER | NEED_DNS,
	"the same by its old name", "DKIM", eval_dkim_welcome},
    {"check_for_def_dkim_welcomelist_from", 0, 0, "", NEED_HEADER | NEED_DNS,
	"the same for def_welcomelist_from_dkim and def_welcomelist_auth",
	"DKIM", eval_dkim_welcome_default},
    {"check_for_def_dkim_whitelist_from", 0, 0, "", NEED_HEADER | NEED_DNS,
	"the same by its old name", "DKIM", eval_dkim_welcome_default},
    {"check_dkim_adsp", 1, 1 + SIGNING_DOMAINS, "s", NEED_HEADER | NEED_DNS,
	"the author's domain has not signed, and adsp_override says of it one "
	"of the letters D A N U 1 2 3, * for all but U; of these domains, if "
	"any",
	"DKIM", eval_adsp},
    {"check_dkim_signall", 0, 0, "", NEED_HEADER | NEED_DNS,
	"the same as check_dkim_adsp('A')", "DKIM", eval_signs_all},
    {"check_dmarc_pass", 0, 0, "", NEED_DNS, "DMARC will pass", "DMARC",
	eval_dmarc},
    {"check_dmarc_reject", 0, 0, "", NEED_DNS,
	"DMARC will fail, the policy is reject", "DMARC", eval_dmarc},
    {"check_dmarc_quarantine", 0, 0, "", NEED_DNS,
	"DMARC will fail, the policy is quarantine", "DMARC", eval_dmarc},
    {"check_dmarc_none", 0, 0, "", NEED_DNS,
	"DMARC will fail, the policy is none", "DMARC", eval_dmarc},
    {"check_dmarc_missing", 0, 0, "", NEED_DNS,
	"the author's domain has no policy", "DMARC", eval_dmarc},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
