/* SPDX-License-Identifier: BSD-2-Clause */
/* sender -- did a message come from whom it says? */
#include "notice/sender.h"

#include "auth/org.h"
#include "base/arena.h"
#include "base/buf.h"
#include "mail/address.h"

#define WHY_BYTES 120

static const char *const standing_names[SENDER_STANDINGS] = {
    [STANDING_UNKNOWN] = "unknown",
    [STANDING_PASS] = "pass",
    [STANDING_DKIM] = "dkim",
    [STANDING_FAIL] = "fail",
    [STANDING_OURS] = "ours",
    [STANDING_LOGIN] = "login",
};

struct str
sender_standing_name(enum sender_standing standing)
{
	return str_from(standing_names[standing]);
}

static const char *const dmarc_names[SENDER_DMARCS] = {
    [SENDER_DMARC_NONE] = "none",
    [SENDER_DMARC_PASS] = "pass",
    [SENDER_DMARC_FAIL] = "fail",
    [SENDER_DMARC_TEMPERROR] = "temperror",
    [SENDER_DMARC_PERMERROR] = "permerror",
};

struct str
sender_dmarc_name(enum sender_dmarc dmarc)
{
	return str_from(dmarc_names[dmarc]);
}

static enum sender_dmarc
dmarc_of(enum preflight_verdict verdict)
{
	static const enum sender_dmarc results[PREFLIGHT_VERDICTS] = {
	    [PREFLIGHT_NODMARC] = SENDER_DMARC_NONE,
	    [PREFLIGHT_PASS] = SENDER_DMARC_PASS,
	    [PREFLIGHT_PASS_SPF_ONLY] = SENDER_DMARC_PASS,
	    [PREFLIGHT_FAIL_NONE] = SENDER_DMARC_FAIL,
	    [PREFLIGHT_TEMP] = SENDER_DMARC_TEMPERROR,
	    [PREFLIGHT_FAIL_QUARANTINE] = SENDER_DMARC_FAIL,
	    [PREFLIGHT_FAIL_REJECT] = SENDER_DMARC_FAIL,
	    [PREFLIGHT_FORM] = SENDER_DMARC_PERMERROR,
	};
	return results[verdict];
}

/* Relaxed alignment as RFC 7489 section 3.1 has it. */
static bool
is_same_organisation(struct arena *a, struct str x, struct str y)
{
	struct str one = domain_normal(a, x), other = domain_normal(a, y);
	return one.len > 0 && other.len > 0 &&
	       str_eq(domain_registrable(a, one), domain_registrable(a, other));
}

static bool
has_signature_of(
    struct arena *a, const struct preflight *flight, struct str domain)
{
	for (size_t i = 0; i < flight->signatures.n; i++) {
		const struct dkim_signature *s = &flight->signatures.v[i];
		if (s->result == DKIM_PASS &&
		    is_same_organisation(a, s->domain, domain))
			return true;
	}
	return false;
}

/* The one author. */
static bool
is_author(const struct authors *authors, struct str address)
{
	return authors->n == 1 && !authors->is_ambiguous && !authors->is_cut &&
	       str_ieq(authors->v[0].address, address);
}

static bool
is_enforced_failure(enum preflight_verdict verdict)
{
	return verdict == PREFLIGHT_FAIL_QUARANTINE ||
	       verdict == PREFLIGHT_FAIL_REJECT;
}

/*
 * A signature proves who wrote a message, not who sent it: anybody can send it
 * again under another name of that domain.
 */
static enum sender_standing
standing_of_sender(struct arena *a, struct str sender,
    const struct authors *authors, const struct preflight *flight)
{
	enum spf_result spf = flight->spf.result;
	if (sender.len == 0)
		return STANDING_UNKNOWN;
	if (spf == SPF_PASS)
		return STANDING_PASS;
	if (has_signature_of(a, flight, address_domain(sender)))
		return is_author(authors, sender) ? STANDING_DKIM
						  : STANDING_UNKNOWN;
	if (spf == SPF_FAIL || spf == SPF_SOFTFAIL ||
	    is_enforced_failure(flight->verdict))
		return STANDING_FAIL;
	return STANDING_UNKNOWN;
}

/* A policy of none, or none at all, leaves it to what is aligned. */
static enum sender_standing
standing_of_author(struct arena *a, struct str author, struct str sender,
    const struct preflight *flight, enum sender_standing standing)
{
	struct str domain = address_domain(author);
	if (is_same_organisation(a, domain, address_domain(sender)) &&
	    (standing == STANDING_PASS || standing == STANDING_FAIL))
		return standing;
	if (has_signature_of(a, flight, domain))
		return STANDING_DKIM;
	return is_enforced_failure(flight->verdict) ? STANDING_FAIL
						    : STANDING_UNKNOWN;
}

static struct str
evidence_of(struct arena *a, const struct preflight *flight,
    const struct sender_view *view)
{
	const struct preflight_spf *spf = &flight->spf;
	struct str why = spf->n > 0
			     ? str_sub(spf->v[0].answer.why, 0, WHY_BYTES)
			     : STR_EMPTY;
	return str_printf(a, "spf=%.*s (%.*s%s%.*s), dkim=%.*s, dmarc=%.*s",
	    STR_ARG(spf_result_name(view->spf)), STR_ARG(spf->domain),
	    why.len > 0 ? ": " : "", STR_ARG(why),
	    STR_ARG(dkim_result_name(view->dkim)),
	    STR_ARG(sender_dmarc_name(view->dmarc)));
}

static struct str
one_author(const struct authors *authors, struct str sender)
{
	bool is_one = authors->n == 1 && !authors->is_ambiguous &&
		      !authors->is_cut && authors->v[0].domain.len > 0;
	return is_one && !str_ieq(authors->v[0].address, sender)
		   ? authors->v[0].address
		   : STR_EMPTY;
}

static void
view_init(struct sender_view *view, const char *evidence)
{
	*view = (struct sender_view){
	    .author = STR_EMPTY, .evidence = str_from(evidence)};
}

void
sender_judge(struct arena *a, const struct sender_query *query,
    struct dns_budget *budget, struct sender_view *ret)
{
	struct authors authors;
	struct str address = query->address;
	struct strs egress = {&address, address.len > 0, 1};
	authors_of(a, query->mail, &authors);
	view_init(ret, "the DNS is not asked");
	ret->author = one_author(&authors, query->sender);
	if (query->dns == NULL || resolver_is_off(query->dns->resolver))
		return;
	struct strs domains = {
	    authors.domains, authors.ndomains, authors.ndomains};
	struct preflight_query preflight = {
	    .sender = query->sender,
	    .helo = query->helo,
	    .egress = &egress,
	    .authors = &domains,
	    .mail = query->is_whole ? query->mail : NULL,
	    .strict = &query->policy->strict,
	    .now_wall = query->now_wall,
	};
	struct preflight flight;
	preflight_run(a, query->dns, &preflight, budget, &flight);
	ret->spf = flight.spf.result;
	ret->dkim = flight.dkim;
	ret->dmarc = authors.ndomains == 0 ? SENDER_DMARC_NONE
					   : dmarc_of(flight.verdict);
	ret->standing = standing_of_sender(a, query->sender, &authors, &flight);
	ret->author_standing = standing_of_author(
	    a, ret->author, query->sender, &flight, ret->standing);
	ret->evidence = evidence_of(a, &flight, ret);
}

/* "@a.example,@b.example:user@domain" */
static struct str
without_route(struct str path)
{
	size_t colon = str_chr(path, ':');
	bool is_routed = path.len > 0 && path.p[0] == '@' && colon != STR_NONE;
	return is_routed ? str_skip(path, colon + 1) : path;
}

/* A quoted local part as it is meant. */
static struct str
unquoted(struct arena *a, struct str local)
{
	if (local.len < 2 || local.p[0] != '"' || local.p[local.len - 1] != '"')
		return local;
	char *text = arena_alloc(a, local.len);
	size_t n = 0;
	for (size_t i = 1; i + 1 < local.len; i++) {
		i += local.p[i] == '\\' && i + 2 < local.len;
		text[n++] = local.p[i];
	}
	return str_of(text, n);
}

static struct str
join(struct arena *a, struct str local, struct str domain)
{
	while (domain.len > 0 && domain.p[domain.len - 1] == '.')
		domain.len--;
	struct buf *b = buf_new(a, local.len + domain.len + 1);
	buf_put(b, local);
	buf_putc(b, '@');
	buf_put(b, domain);
	return buf_str(b);
}

/* What `local`, the local part of a domain of ours, is routed to; false: it
 * stays here. */
static bool
is_routed_on(struct arena *a, struct str local, struct str *ret)
{
	size_t percent = str_rchr(local, '%'), bang = str_chr(local, '!');
	if (str_chr(local, '@') != STR_NONE)
		*ret = local;
	else if (percent != STR_NONE)
		*ret = join(a, str_sub(local, 0, percent),
		    str_skip(local, percent + 1));
	else if (bang != STR_NONE)
		*ret =
		    join(a, str_skip(local, bang + 1), str_sub(local, 0, bang));
	else
		return false;
	return true;
}

#define ROUTES_MAX 5

struct str
sender_plain(struct arena *a, const struct policy *policy, struct str mta_name,
    struct str path)
{
	struct str address = without_route(path);
	for (int i = 0; i < ROUTES_MAX; i++) {
		size_t at = str_rchr(address, '@');
		struct str local = unquoted(a, str_sub(address, 0, at));
		struct str domain =
		    at == STR_NONE ? STR_EMPTY : str_skip(address, at + 1);
		bool is_here =
		    at == STR_NONE || str_ieq(domain, mta_name) ||
		    policy_is_local(a, policy, address_domain(address));
		if (is_here && is_routed_on(a, local, &address))
			continue;
		return at == STR_NONE ? local : join(a, local, domain);
	}
	return address;
}

bool
sender_is_local(struct arena *a, const struct policy *policy,
    struct str mta_name, struct str address)
{
	struct str domain = address_domain(address);
	return domain.len == 0 || str_ieq(domain, mta_name) ||
	       policy_is_local(a, policy, domain);
}

/* SPF is that of our own addresses here. */
static enum sender_standing
standing_of_ours(struct arena *a, const struct facts *facts,
    struct str mta_name, const struct sender_view *view)
{
	const struct envelope *envelope = facts->envelope;
	bool is_forbidden = view->spf == SPF_FAIL || view->spf == SPF_SOFTFAIL;
	if (envelope->from.len == 0)
		return STANDING_UNKNOWN;
	if (facts->login_sender == LOGIN_NO)
		return is_forbidden ? STANDING_FAIL : STANDING_UNKNOWN;
	if (facts->login_sender == LOGIN_YES ||
	    sender_is_local(a, facts->policy, mta_name, envelope->from))
		return STANDING_OURS;
	if (view->spf == SPF_PASS)
		return STANDING_PASS;
	if (is_forbidden)
		return STANDING_FAIL;
	return envelope->login.len > 0 ? STANDING_LOGIN : STANDING_UNKNOWN;
}

void
sender_of_ours(struct arena *a, const struct facts *facts, struct str mta_name,
    struct sender_view *ret)
{
	view_init(ret, "");
	if (facts->has_flight) {
		ret->spf = facts->flight.spf.result;
		ret->dkim = facts->flight.dkim;
		ret->dmarc = dmarc_of(facts->flight.verdict);
	}
	ret->standing = standing_of_ours(a, facts, mta_name, ret);
	ret->evidence = str_printf(a, "from inside%s%.*s",
	    facts->envelope->login.len > 0 ? ", login " : "",
	    STR_ARG(facts->envelope->login));
}
