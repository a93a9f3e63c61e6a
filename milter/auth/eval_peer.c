/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_peer -- what SpamAssassin's rules ask of SPF, DKIM and DMARC, answered
 * for mail that leaves: as receivers will see it, with the addresses it leaves
 * from and the signatures that will be on it.  Without facts nothing hits.
 */
#include "auth/facts.h"
#include "base/arena.h"
#include "mail/address.h"
#include "rules/eval_rows.h"

#define SPF_PREFIX "check_for_spf_"
#define SPF_HELO "helo_"

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

static int
eval_dkim_signed(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	return flight != NULL &&
	       (flight->signatures.n > 0 || flight->nours > 0);
}

/* The next domain of a signature that a receiver will find valid. */
static bool
valid_next(const struct preflight *flight, size_t *at, struct str *ret)
{
	for (; *at < flight->signatures.n; ++*at)
		if (flight->signatures.v[*at].result == DKIM_PASS) {
			*ret = flight->signatures.v[(*at)++].domain;
			return true;
		}
	for (; *at < flight->signatures.n + flight->nours; ++*at) {
		const struct preflight_signer *ours =
		    &flight->ours[*at - flight->signatures.n];
		if (ours->match == DKIM_MATCHES) {
			++*at;
			*ret = ours->signer.domain;
			return true;
		}
	}
	return false;
}

static int
eval_dkim_valid(struct eval_call *call)
{
	const struct preflight *flight = flight_of(call);
	size_t at = 0;
	struct str domain;
	if (flight == NULL || flight->breaks_lines ||
	    !valid_next(flight, &at, &domain))
		return 0;
	return eval_hit(call, domain);
}

/* A valid signature of exactly that domain. */
static int
valid_of(struct eval_call *call, struct str wanted)
{
	const struct preflight *flight = flight_of(call);
	struct str domain;
	if (flight == NULL || flight->breaks_lines || wanted.len == 0)
		return 0;
	for (size_t at = 0; valid_next(flight, &at, &domain);)
		if (str_ieq(domain, wanted))
			return eval_hit(call, domain);
	return 0;
}

static int
eval_dkim_author(struct eval_call *call)
{
	if (flight_of(call) == NULL)
		return 0;
	struct str author = facts_author(call->facts->auth);
	return valid_of(call, address_domain(author));
}

static int
eval_dkim_envelope(struct eval_call *call)
{
	if (flight_of(call) == NULL)
		return 0;
	return valid_of(
	    call, address_domain(call->facts->auth->envelope->from));
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
	{SPF_PREFIX result, 0, 0, "",                                          \
	    "the worst SPF result of the sender is " result, "SPF", eval_spf}, \
	{                                                                      \
		SPF_PREFIX SPF_HELO result, 0, 0, "",                          \
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
    {"check_dkim_signed", 0, 0, "", "it is signed, or will be", "DKIM",
	eval_dkim_signed},
    {"check_dkim_valid", 0, 0, "",
	"a signature is valid, or will be: its key is published", "DKIM",
	eval_dkim_valid},
    {"check_dkim_valid_author_sig", 0, 0, "", "the same, of the domain in From",
	"DKIM", eval_dkim_author},
    {"check_dkim_valid_envelopefrom", 0, 0, "",
	"the same, of the domain of the envelope sender", "DKIM",
	eval_dkim_envelope},
    {"check_dkim_dependable", 0, 0, "", "as check_dkim_valid()", "DKIM",
	eval_dkim_valid},
    {"check_dmarc_pass", 0, 0, "", "DMARC will pass", "DMARC", eval_dmarc},
    {"check_dmarc_reject", 0, 0, "", "DMARC will fail, the policy is reject",
	"DMARC", eval_dmarc},
    {"check_dmarc_quarantine", 0, 0, "",
	"DMARC will fail, the policy is quarantine", "DMARC", eval_dmarc},
    {"check_dmarc_none", 0, 0, "", "DMARC will fail, the policy is none",
	"DMARC", eval_dmarc},
    {"check_dmarc_missing", 0, 0, "", "the author's domain has no policy",
	"DMARC", eval_dmarc},
    {NULL, 0, 0, NULL, NULL, NULL, NULL},
};
