/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_output -- what a receiver will think of a message. */
#include "cmd/auth_output.h"

#include "base/arena.h"

static const char *const route_names[] = {
    [ROUTE_UNKNOWN] = "unknown",
    [ROUTE_MX] = "mx",
    [ROUTE_ADDRESS] = "address",
    [ROUTE_NONE] = "none",
};

static const char *const login_names[] = {
    [LOGIN_UNKNOWN] = "unknown",
    [LOGIN_YES] = "yes",
    [LOGIN_NO] = "no",
};

static json_t *
text_or_null(struct str s)
{
	return s.len == 0 ? json_null() : json_text(s);
}

static json_t *
spf_address_json(const struct spf_address *v)
{
	const struct spf_answer *answer = &v->answer;
	return json_pack("{s:o,s:o,s:o,s:o,s:i,s:i}", "address",
	    json_text(v->address), "result",
	    json_text(spf_result_name(answer->result)), "why",
	    text_or_null(answer->why), "record", text_or_null(answer->record),
	    "lookups", (int)answer->terms, "voids", (int)answer->voids);
}

static json_t *
spf_json(const struct preflight_spf *spf)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < spf->n; i++)
		(void)json_array_append_new(
		    addresses, spf_address_json(&spf->v[i]));
	bool is_judged =
	    spf->state == SPF_STATE_JUDGED || spf->state == SPF_STATE_NO_DOMAIN;
	return json_pack("{s:o,s:b,s:o,s:o}", "domain",
	    text_or_null(spf->domain), "helo", spf->is_helo, "result",
	    is_judged ? json_text(spf_result_name(spf->result)) : json_null(),
	    "addresses", addresses);
}

static json_t *
signature_json(const struct preflight *flight, size_t i)
{
	const struct dkim_signature *s = &flight->signatures.v[i];
	json_t *alignment = json_null();
	if (flight->nauthors > 0)
		alignment = json_text(preflight_alignment_name(
		    &flight->authors[0], flight->authors[0].alignment[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:i,s:o,s:b,s:b,s:o}", "domain",
	    text_or_null(s->domain), "selector", text_or_null(s->selector),
	    "identity", text_or_null(s->identity), "result",
	    json_text(dkim_result_name(s->result)), "algorithm",
	    text_or_null(s->algorithm), "bits", (int)s->key_bits, "why",
	    s->why == NULL ? json_null() : json_string(s->why), "test",
	    s->is_test, "weak", s->is_weak, "alignment", alignment);
}

static json_t *
signatures_json(const struct preflight *flight)
{
	json_t *list = json_array();
	for (size_t i = 0; i < flight->signatures.n; i++)
		(void)json_array_append_new(list, signature_json(flight, i));
	return list;
}

static json_t *
ours_json(const struct preflight *flight)
{
	json_t *list = json_array();
	for (size_t i = 0; i < flight->nours; i++) {
		const struct preflight_signer *ours = &flight->ours[i];
		(void)json_array_append_new(list,
		    json_pack("{s:o,s:o,s:s,s:o}", "domain",
			json_text(ours->signer.domain), "selector",
			json_text(ours->signer.selector), "type",
			dkim_key_is_ed25519(ours->signer.key) ? "ed25519"
							      : "rsa",
			"published", json_text(dkim_match_name(ours->match))));
	}
	return list;
}

static json_t *
variant_json(const struct dmarc_variant *v)
{
	if (v->is_temp)
		return json_pack("{s:b}", "temp", true);
	if (!v->has_record)
		return json_pack("{s:b,s:o,s:n}", "temp", false, "org",
		    json_text(v->org), "record");
	return json_pack("{s:b,s:o,s:o,s:o,s:o,s:o}", "temp", false, "org",
	    json_text(v->org), "record", json_text(v->record.text),
	    "record_domain", json_text(v->record_domain), "policy",
	    json_text(dmarc_policy_name(v->policy)), "effective",
	    json_text(dmarc_policy_name(v->effective)));
}

static json_t *
author_json(const struct preflight_author *author)
{
	const struct dmarc_domain *d = author->dmarc;
	return json_pack("{s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o}", "domain",
	    json_text(author->domain), "verdict",
	    json_text(preflight_verdict_name(author->verdict)), "policy",
	    json_text(dmarc_policy_name(author->policy)), "spf_alignment",
	    json_text(preflight_alignment_name(author, author->spf_alignment)),
	    "route", route_names[author->route], "rfc9989",
	    d == NULL ? json_null() : variant_json(&d->tree), "rfc7489",
	    d == NULL ? json_null() : variant_json(&d->suffix), "evidence",
	    json_text(author->evidence));
}

json_t *
preflight_json(const struct preflight *flight)
{
	json_t *authors = json_array();
	for (size_t i = 0; i < flight->nauthors; i++)
		(void)json_array_append_new(
		    authors, author_json(&flight->authors[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:s}", "verdict",
	    json_text(preflight_verdict_name(flight->verdict)), "evidence",
	    json_text(flight->evidence), "spf", spf_json(&flight->spf), "dkim",
	    signatures_json(flight), "sign", ours_json(flight), "dmarc",
	    authors, "sender_route", route_names[flight->sender_route]);
}

json_t *
auth_json(const struct facts *facts)
{
	if (!facts->has_flight)
		return json_null();
	json_t *o = preflight_json(&facts->flight);
	const char *why = unsigned_why_name(facts->why_unsigned);
	(void)json_object_set_new(
	    o, "unsigned", *why == '\0' ? json_null() : json_string(why));
	(void)json_object_set_new(o, "login",
	    json_pack("{s:s,s:s}", "from", login_names[facts->login_from],
		"sender", login_names[facts->login_sender]));
	return o;
}

/* ---- in words */

static void
explain_line(
    const struct ui *ui, struct buf *out, const char *label, struct str text)
{
	buf_printf(out, "    %-10s ", label);
	ui_escape(ui, out, text);
	buf_putc(out, '\n');
}

static void
explain_spf(const struct ui *ui, const struct preflight *flight,
    struct arena *a, struct buf *out)
{
	for (size_t i = 0; i < flight->spf.n; i++) {
		const struct spf_address *v = &flight->spf.v[i];
		explain_line(ui, out, "spf",
		    str_printf(a, "%.*s for %.*s from %.*s (%.*s)",
			STR_ARG(spf_result_name(v->answer.result)),
			STR_ARG(flight->spf.domain), STR_ARG(v->address),
			STR_ARG(v->answer.why)));
	}
}

static void
explain_dkim(const struct ui *ui, const struct preflight *flight,
    struct arena *a, struct buf *out)
{
	for (size_t i = 0; i < flight->signatures.n; i++) {
		const struct dkim_signature *s = &flight->signatures.v[i];
		explain_line(ui, out, "dkim",
		    str_printf(a, "%.*s d=%.*s s=%.*s%s%s",
			STR_ARG(dkim_result_name(s->result)),
			STR_ARG(s->domain), STR_ARG(s->selector),
			s->why == NULL ? "" : ": ",
			s->why == NULL ? "" : s->why));
	}
	for (size_t i = 0; i < flight->nours; i++) {
		const struct preflight_signer *ours = &flight->ours[i];
		explain_line(ui, out, "sign",
		    str_printf(a, "d=%.*s s=%.*s, published: %.*s",
			STR_ARG(ours->signer.domain),
			STR_ARG(ours->signer.selector),
			STR_ARG(dkim_match_name(ours->match))));
	}
}

void
auth_explain(const struct ui *ui, const struct facts *facts, struct buf *out)
{
	if (!facts->has_flight)
		return;
	const struct preflight *flight = &facts->flight;
	struct arena *a = arena_new();
	explain_line(ui, out, "preflight",
	    str_printf(a, "%.*s: %.*s",
		STR_ARG(preflight_verdict_name(flight->verdict)),
		STR_ARG(flight->evidence)));
	explain_spf(ui, flight, a, out);
	explain_dkim(ui, flight, a, out);
	arena_free(a);
}
