/* SPDX-License-Identifier: BSD-2-Clause */
/* facts -- what is known of a message beyond its text. */
#include "auth/facts.h"

#include "base/arena.h"
#include "base/clock.h"

static const char *const unsigned_names[] = {
    [UNSIGNED_NOT] = "",
    [UNSIGNED_NO_TABLES] = "no-tables",
    [UNSIGNED_CLASS] = "class",
    [UNSIGNED_NO_AUTHOR] = "no-author",
    [UNSIGNED_NO_KEY] = "no-key",
    [UNSIGNED_LOGIN] = "login",
};

const char *
unsigned_why_name(enum unsigned_why why)
{
	return unsigned_names[why];
}

struct str
facts_author(const struct facts *facts)
{
	return facts->authors.nfields == 1 && facts->authors.n == 1
		   ? facts->authors.v[0].address
		   : STR_EMPTY;
}

/* What receivers refuse whatever DMARC says; NULL: nothing. */
static const char *
form_of(struct arena *a, const struct authors *authors, bool is_cut)
{
	if (is_cut)
		return "there are more header fields than are read";
	if (authors->nfields == 0)
		return "there is no From field";
	if (authors->nfields > 1)
		return "there are several From fields";
	if (authors->n == 0)
		return "From has no address";
	if (authors->is_ambiguous)
		return authors->why;
	if (authors->repeated.len > 0)
		return str_c(a, str_printf(a, "there are several %.*s fields",
				    STR_ARG(authors->repeated)));
	return NULL;
}

/* The worst answer for any of the authors. */
static enum login_allows
login_for_authors(struct arena *a, const struct facts *facts)
{
	enum login_allows ret = LOGIN_UNKNOWN;
	for (size_t i = 0; i < facts->authors.n; i++) {
		enum login_allows answer =
		    login_map_allows(a, facts->policy->logins,
			facts->envelope->login, facts->authors.v[i].address);
		if (answer == LOGIN_NO)
			return LOGIN_NO;
		ret = answer;
	}
	return ret;
}

static void
logins_judge(
    struct arena *a, const struct facts_query *query, struct facts *facts)
{
	const struct envelope *envelope = query->envelope;
	facts->login_from = facts->login_sender = LOGIN_UNKNOWN;
	if (envelope->login.len == 0 || query->is_released)
		return;
	facts->login_from = login_for_authors(a, facts);
	/* an author that was not seen is nobody's to be */
	if (query->mail->is_cut && facts->login_from != LOGIN_NO)
		facts->login_from = login_map_allows(
		    a, query->policy->logins, envelope->login, STR_EMPTY);
	if (envelope->from.len > 0)
		facts->login_sender = login_map_allows(
		    a, query->policy->logins, envelope->login, envelope->from);
}

static enum unsigned_why
signers_find(
    struct arena *a, const struct facts_query *query, struct facts *facts)
{
	struct str author = facts_author(facts);
	if (query->policy->keys == NULL ||
	    dkim_keys_count(query->policy->keys) == 0)
		return UNSIGNED_NO_TABLES;
	if (!query->may_sign)
		return UNSIGNED_CLASS;
	if (author.len == 0 || facts->authors.is_ambiguous ||
	    query->mail->is_cut)
		return UNSIGNED_NO_AUTHOR;
	if (facts->login_from == LOGIN_NO)
		return UNSIGNED_LOGIN;
	facts->nsigners = dkim_signers_for(
	    a, query->policy->keys, author, facts->signers, SIGNERS_MAX);
	return facts->nsigners > 0 ? UNSIGNED_NOT : UNSIGNED_NO_KEY;
}

static void
flight_judge(struct arena *a, const struct dns *dns,
    const struct facts_query *query, struct dns_budget *budget,
    struct facts *facts)
{
	const struct policy *policy = query->policy;
	struct authors *authors = &facts->authors;
	struct strs domains = {
	    authors->domains, authors->ndomains, authors->ndomains};
	struct preflight_query preflight = {
	    .sender = query->envelope->from,
	    .helo = policy->helo.len > 0 ? policy->helo : query->mta_name,
	    .egress = &policy->egress,
	    .authors = &domains,
	    .form = form_of(a, authors, query->mail->is_cut),
	    .mail = query->mail,
	    .line_max = query->line_max,
	    .signers = facts->signers,
	    .nsigners = facts->nsigners,
	    .strict = &policy->strict,
	    .now_wall = query->now_wall,
	};
	preflight_run(a, dns, &preflight, budget, &facts->flight);
	facts->has_flight = true;
	facts->is_late = budget->is_late;
}

void
facts_find(struct arena *a, const struct dns *dns,
    const struct facts_query *query, struct dns_budget *budget,
    struct facts *ret)
{
	*ret = (struct facts){
	    .policy = query->policy, .envelope = query->envelope};
	authors_of(a, query->mail, &ret->authors);
	logins_judge(a, query, ret);
	ret->why_unsigned = signers_find(a, query, ret);
	if (dns != NULL && !resolver_is_off(dns->resolver))
		flight_judge(a, dns, query, budget, ret);
}
