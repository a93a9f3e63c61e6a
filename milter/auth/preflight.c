/* SPDX-License-Identifier: BSD-2-Clause */
/* preflight -- what a receiver that enforces DMARC will think of a message. */
#include "auth/preflight.h"

#include "auth/org.h"
#include "auth/standing.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define EVIDENCE_BYTES 600
#define RECORD_BYTES 160

static const struct {
	const char *name;
	const char *dmarc;
} verdicts[PREFLIGHT_VERDICTS] = {
    [PREFLIGHT_NODMARC] = {"nodmarc", "none"},
    [PREFLIGHT_PASS] = {"pass", "pass"},
    [PREFLIGHT_PASS_SPF_ONLY] = {"pass_spf_only", "pass"},
    [PREFLIGHT_FAIL_NONE] = {"fail_none", "fail"},
    [PREFLIGHT_TEMP] = {"temp", "temperror"},
    [PREFLIGHT_FAIL_QUARANTINE] = {"fail_quarantine", "fail"},
    [PREFLIGHT_FAIL_REJECT] = {"fail_reject", "fail"},
    [PREFLIGHT_FORM] = {"form", "permerror"},
};

struct str
preflight_verdict_name(enum preflight_verdict verdict)
{
	return str_from(verdicts[verdict].name);
}

struct str
preflight_dmarc_name(enum preflight_verdict verdict)
{
	return str_from(verdicts[verdict].dmarc);
}

bool
preflight_verdict_parse(struct str name, enum preflight_verdict *ret)
{
	for (size_t i = 0; i < PREFLIGHT_VERDICTS; i++)
		if (str_ieq(name, str_from(verdicts[i].name))) {
			*ret = (enum preflight_verdict)i;
			return true;
		}
	return false;
}

/* One author while it is being judged. */
struct work {
	struct arena *arena;
	const struct dns *dns;
	const struct preflight_query *query;
	struct dns_budget *budget;
	struct preflight *flight;
};

/* The two kinds of receiver: RFC 9989, RFC 7489. */
enum kind { KIND_TREE, KIND_SUFFIX, KINDS };

/* What speaks for an author's domain to one kind of receiver, and what may. */
struct support {
	bool has_dkim, has_weak_dkim, has_spf;
	bool may_have; /* an identity is not answered */
	struct str dkim_domain;
};

static bool
is_aligned(enum dmarc_alignment alignment)
{
	return alignment == ALIGNED_RELAXED || alignment == ALIGNED_EXACT;
}

static void
support_add(struct support *support, enum dmarc_alignment alignment,
    bool is_known, bool is_weak, struct str domain)
{
	if (alignment == ALIGNED_TEMP || (is_aligned(alignment) && !is_known)) {
		support->may_have = true;
	} else if (is_aligned(alignment) && is_weak) {
		support->has_weak_dkim = true;
	} else if (is_aligned(alignment)) {
		support->has_dkim = true;
		support->dkim_domain = domain;
	}
}

/* A DKIM identity that passes (`is_known`), or that may. */
static void
identity_add(struct work *w, struct preflight_author *author, size_t at,
    struct str domain, bool is_known, bool is_weak,
    struct support support[KINDS])
{
	struct dmarc_alignments *alignment = &author->alignment[at];
	if (w->flight->breaks_lines)
		return;
	dmarc_align(w->arena, w->dns->resolver, w->dns->cache, author->dmarc,
	    domain, true, w->budget, alignment);
	support_add(
	    &support[KIND_TREE], alignment->tree, is_known, is_weak, domain);
	support_add(&support[KIND_SUFFIX], alignment->suffix, is_known, is_weak,
	    domain);
}

/* Signatures that are there, then those that we will add. */
static void
support_by_dkim(struct work *w, struct preflight_author *author,
    struct support support[KINDS])
{
	const struct preflight *flight = w->flight;
	size_t n = flight->signatures.n;
	for (size_t i = 0; i < n; i++) {
		const struct dkim_signature *s = &flight->signatures.v[i];
		if (s->result == DKIM_PASS || s->result == DKIM_TEMPERROR)
			identity_add(w, author, i, s->domain,
			    s->result == DKIM_PASS, s->is_weak, support);
	}
	for (size_t i = 0; i < flight->nours; i++) {
		const struct preflight_signer *ours = &flight->ours[i];
		if (ours->match == DKIM_MATCHES || ours->match == DKIM_UNKNOWN)
			identity_add(w, author, n + i, ours->signer.domain,
			    ours->match == DKIM_MATCHES,
			    dkim_key_is_ed25519(ours->signer.key), support);
	}
}

static void
support_by_spf(const struct preflight_spf *spf, enum dmarc_alignment alignment,
    struct support *support)
{
	if (spf->domain.len == 0 || alignment == ALIGNED_NOT)
		return;
	bool is_open = spf->state == SPF_STATE_NO_EGRESS ||
		       spf->state == SPF_STATE_UNQUALIFIED ||
		       spf->result == SPF_TEMPERROR ||
		       (alignment == ALIGNED_TEMP && spf->result == SPF_PASS);
	if (is_open)
		support->may_have = true;
	else
		support->has_spf = spf->result == SPF_PASS;
}

static bool
is_strict(const struct work *w, struct str domain)
{
	for (size_t i = 0; i < w->query->strict->n; i++)
		if (domain_is_under(domain, w->query->strict->v[i]))
			return true;
	return false;
}

/* What one kind of receiver will do. */
static enum preflight_verdict
verdict_of(const struct dmarc_variant *variant, bool is_strict,
    const struct support *support)
{
	static const enum preflight_verdict fails[] = {
	    [DMARC_NONE] = PREFLIGHT_FAIL_NONE,
	    [DMARC_QUARANTINE] = PREFLIGHT_FAIL_QUARANTINE,
	    [DMARC_REJECT] = PREFLIGHT_FAIL_REJECT,
	};
	if (!variant->is_temp && !variant->has_record && !is_strict)
		return PREFLIGHT_NODMARC;
	if (support->has_dkim)
		return PREFLIGHT_PASS;
	if (support->has_spf)
		return PREFLIGHT_PASS_SPF_ONLY;
	if (is_strict && !support->may_have)
		return PREFLIGHT_FAIL_REJECT;
	if (variant->is_temp || support->may_have)
		return PREFLIGHT_TEMP;
	return fails[variant->effective];
}

static enum dmarc_policy
policy_of(const struct dmarc_domain *dmarc, bool is_strict)
{
	enum dmarc_policy policy = is_strict ? DMARC_REJECT : DMARC_NONE;
	const struct dmarc_variant *kinds[] = {&dmarc->tree, &dmarc->suffix};
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (!kinds[i]->is_temp && kinds[i]->has_record &&
		    kinds[i]->effective > policy)
			policy = kinds[i]->effective;
	return policy;
}

struct str
preflight_alignment_name(
    const struct preflight_author *author, struct dmarc_alignments alignments)
{
	return dmarc_alignment_name(
	    author->dmarc == NULL
		? ALIGNED_NOT
		: dmarc_alignment_of(author->dmarc, alignments));
}

/* ---- in words */

static void
put_record(struct buf *b, struct str record)
{
	struct str shown = str_sub(record, 0, RECORD_BYTES);
	buf_printf(b, " \"%.*s%s\"", STR_ARG(shown),
	    shown.len < record.len ? "..." : "");
}

static void
put_policy(struct buf *b, const struct preflight_author *author)
{
	const struct dmarc_domain *d = author->dmarc;
	const struct dmarc_variant *v =
	    d->tree.has_record && (!d->suffix.has_record ||
				      d->tree.effective >= d->suffix.effective)
		? &d->tree
		: &d->suffix;
	buf_printf(b, "%.*s: ", STR_ARG(author->domain));
	if (d->tree.is_temp || d->suffix.is_temp) {
		buf_printf(b, "its DMARC policy was not answered");
		return;
	}
	buf_printf(
	    b, "policy %.*s", STR_ARG(dmarc_policy_name(author->policy)));
	if (!v->has_record)
		return;
	buf_printf(b, ", _dmarc.%.*s", STR_ARG(v->record_domain));
	put_record(b, v->record.text);
}

/* The first address with the worst result. */
static const struct spf_address *
worst_address(const struct preflight_spf *spf)
{
	for (size_t i = 0; i < spf->n; i++)
		if (spf->v[i].answer.result == spf->result)
			return &spf->v[i];
	return NULL;
}

static void
put_spf(struct buf *b, const struct preflight_spf *spf)
{
	const struct spf_address *worst = worst_address(spf);
	static const char *const unjudged[] = {
	    [SPF_STATE_JUDGED] = "",
	    [SPF_STATE_NO_EGRESS] = "is not judged: no egress-addresses",
	    [SPF_STATE_UNQUALIFIED] = "is not judged: the MTA qualifies it",
	    [SPF_STATE_NO_DOMAIN] = "has no domain to ask for",
	};
	buf_printf(b, "; SPF %s", unjudged[spf->state]);
	if (worst == NULL)
		return;
	buf_printf(b, "%.*s for %.*s from %.*s",
	    STR_ARG(spf_result_name(spf->result)), STR_ARG(spf->domain),
	    STR_ARG(worst->address));
	if (worst->answer.why.len > 0)
		buf_printf(b, " (%.*s)",
		    STR_ARG(str_sub(worst->answer.why, 0, RECORD_BYTES)));
	if (worst->answer.record.len > 0)
		put_record(b, worst->answer.record);
}

static void
put_signatures(struct buf *b, const struct preflight *flight)
{
	for (size_t i = 0; i < flight->signatures.n; i++) {
		const struct dkim_signature *s = &flight->signatures.v[i];
		if (s->result != DKIM_PASS)
			buf_printf(b, ", d=%.*s: %s", STR_ARG(s->domain),
			    s->why == NULL ? "" : s->why);
		else
			buf_printf(b, ", d=%.*s", STR_ARG(s->domain));
	}
	for (size_t i = 0; i < flight->nours; i++) {
		const struct preflight_signer *ours = &flight->ours[i];
		buf_printf(b, ", our key %.*s._domainkey.%.*s: %.*s",
		    STR_ARG(ours->signer.selector),
		    STR_ARG(ours->signer.domain),
		    STR_ARG(dkim_match_name(ours->match)));
	}
}

static struct str
evidence_of(struct work *w, const struct preflight_author *author,
    const struct support *support)
{
	struct buf *b = buf_new(w->arena, EVIDENCE_BYTES);
	if (author->verdict == PREFLIGHT_NODMARC) {
		buf_printf(b, "%.*s publishes no DMARC policy",
		    STR_ARG(author->domain));
		return buf_str(b);
	}
	if (author->verdict == PREFLIGHT_PASS) {
		buf_printf(b, "DKIM d=%.*s is aligned with %.*s",
		    STR_ARG(support->dkim_domain), STR_ARG(author->domain));
		return buf_str(b);
	}
	put_policy(b, author);
	put_spf(b, &w->flight->spf);
	buf_printf(b, ", aligned: %.*s",
	    STR_ARG(preflight_alignment_name(author, author->spf_alignment)));
	buf_printf(b, support->has_weak_dkim
			  ? "; only an Ed25519 signature is aligned, which "
			    "many receivers do not know"
			  : "; no aligned signature");
	if (w->flight->breaks_lines)
		buf_printf(b,
		    ", because a line is longer than %zu bytes and "
		    "the MTA will break it",
		    w->query->line_max);
	put_signatures(b, w->flight);
	return buf_str(b);
}

/* ---- all together */

/* The stricter kind of receiver counts. */
static void
author_decide(struct work *w, struct preflight_author *author)
{
	const struct dmarc_domain *dmarc = author->dmarc;
	const struct preflight_spf *spf = &w->flight->spf;
	struct support support[KINDS] = {
	    {.dkim_domain = STR_EMPTY}, {.dkim_domain = STR_EMPTY}};
	bool strict = is_strict(w, author->domain);
	support_by_dkim(w, author, support);
	support_by_spf(spf, author->spf_alignment.tree, &support[KIND_TREE]);
	support_by_spf(
	    spf, author->spf_alignment.suffix, &support[KIND_SUFFIX]);
	enum preflight_verdict tree =
	    verdict_of(&dmarc->tree, strict, &support[KIND_TREE]);
	enum preflight_verdict suffix =
	    verdict_of(&dmarc->suffix, strict, &support[KIND_SUFFIX]);
	bool is_tree = tree > suffix;
	author->verdict = is_tree ? tree : suffix;
	author->policy = policy_of(dmarc, strict);
	author->evidence =
	    evidence_of(w, author, &support[is_tree ? KIND_TREE : KIND_SUFFIX]);
}

static void
author_judge(struct work *w, struct str domain)
{
	struct preflight *flight = w->flight;
	struct preflight_author *author = &flight->authors[flight->nauthors++];
	const struct standing *standing =
	    standing_get(w->arena, w->dns, w->query, domain, w->budget);
	*author = (struct preflight_author){
	    .domain = domain,
	    .dmarc = standing->dmarc,
	    .spf_alignment = standing->spf_alignment,
	    .route = standing->author_route,
	};
	flight->spf = standing->spf;
	flight->sender_route = standing->sender_route;
	if (author->dmarc == NULL) {
		author->evidence = str_printf(w->arena,
		    "%.*s is no domain of the Internet", STR_ARG(domain));
		return;
	}
	author_decide(w, author);
}

/* Any aligned one that passes is enough, so the best result stands for all. */
static enum dkim_result
dkim_summary(const struct dkim_signatures *signatures)
{
	static const enum dkim_result order[] = {DKIM_PASS, DKIM_TEMPERROR,
	    DKIM_FAIL, DKIM_POLICY, DKIM_PERMERROR, DKIM_NEUTRAL};
	for (size_t i = 0; i < COUNT_OF(order); i++)
		for (size_t j = 0; j < signatures->n; j++)
			if (signatures->v[j].result == order[i])
				return order[i];
	return DKIM_NONE;
}

/* Whose policies apply is known before anything a stranger chose is asked. */
static void
policies_ask(struct work *w)
{
	for (size_t i = 0; i < w->query->authors->n; i++)
		if (str_chr(w->query->authors->v[i], '.') != STR_NONE)
			(void)dmarc_discover(w->arena, w->dns->resolver,
			    w->dns->cache, w->query->authors->v[i], w->budget);
}

static bool
has_longer_line(struct str text, size_t max)
{
	while (text.len > 0)
		if (str_line(&text).len > max)
			return true;
	return false;
}

/* RFC 5322 section 2.1.1: MTAs break what is longer when they deliver. */
static void
lines_judge(struct work *w)
{
	const struct dkim_mail *mail = w->query->mail;
	size_t max = w->query->line_max;
	if (mail == NULL || max == 0)
		return;
	bool is_long = has_longer_line(mail->body, max);
	for (size_t i = 0; i < mail->n && !is_long; i++)
		is_long = has_longer_line(mail->v[i].text, max);
	w->flight->breaks_lines = is_long;
}

static void
ours_judge(struct work *w)
{
	struct preflight *flight = w->flight;
	const struct preflight_query *q = w->query;
	for (size_t i = 0; i < q->nsigners && i < SIGNERS_MAX; i++)
		flight->ours[flight->nours++] =
		    (struct preflight_signer){q->signers[i],
			dkim_key_match(w->arena, w->dns->resolver,
			    w->dns->cache, &q->signers[i], w->budget)};
}

static void
signatures_judge(struct work *w)
{
	struct preflight *flight = w->flight;
	struct dns_budget part = dns_budget_part(w->budget);
	if (w->query->mail != NULL)
		dkim_verify_mail(w->arena, w->dns->resolver, w->dns->cache,
		    w->query->mail, w->query->now_wall, &part,
		    &flight->signatures);
	dns_budget_join(w->budget, &part);
	flight->dkim = dkim_summary(&flight->signatures);
}

/* The worst of several authors counts; a broken header above all. */
static void
verdict_take(struct preflight *flight, const char *form)
{
	for (size_t i = 0; i < flight->nauthors; i++) {
		const struct preflight_author *author = &flight->authors[i];
		if (i > 0 && author->verdict <= flight->verdict)
			continue;
		flight->verdict = author->verdict;
		flight->evidence = author->evidence;
	}
	if (form == NULL)
		return;
	flight->verdict = PREFLIGHT_FORM;
	flight->evidence = str_from(form);
}

void
preflight_run(struct arena *a, const struct dns *dns,
    const struct preflight_query *query, struct dns_budget *budget,
    struct preflight *ret)
{
	int64_t start_us = clock_us();
	*ret = (struct preflight){
	    .evidence = STR_EMPTY, .spf = {.domain = STR_EMPTY}};
	struct work w = {a, dns, query, budget, ret};
	lines_judge(&w);
	policies_ask(&w);
	ours_judge(&w);
	signatures_judge(&w);
	for (size_t i = 0; i < query->authors->n && i < AUTHOR_DOMAINS_MAX; i++)
		author_judge(&w, query->authors->v[i]);
	if (query->authors->n == 0) {
		const struct standing *standing =
		    standing_get(a, dns, query, STR_EMPTY, budget);
		ret->spf = standing->spf;
		ret->sender_route = standing->sender_route;
	}
	verdict_take(ret, query->form);
	ret->has_temp = budget->has_temp;
	ret->us = clock_us() - start_us;
}
