/* SPDX-License-Identifier: BSD-2-Clause */
/* standing -- what the DNS says of an envelope sender and an author. */
#include "auth/standing.h"

#include "auth/org.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "mail/address.h"

#define KEY_BYTES 4096
/* Without a time of its own: what asked nothing. */
#define TTL_DEFAULT_S 300

/* One standing while it is being found out. */
struct work {
	struct arena *arena; /* of the standing */
	const struct dns *dns;
	const struct preflight_query *query;
	struct dns_budget *budget;
	uint32_t ttl_s;
};

static void
ttl_take(struct work *w, uint32_t ttl_s)
{
	if (ttl_s < w->ttl_s)
		w->ttl_s = ttl_s;
}

static void
ask(struct work *w, struct str name, enum dns_type type,
    struct dns_budget *budget, struct dns_answer *ret)
{
	resolver_ask(w->dns->resolver, w->arena, name, type, budget, ret);
	ttl_take(w, ret->ttl_s);
}

/* RFC 7505: a single MX that is the root means no mail. */
static enum mail_route
route_by_mx(const struct dns_answer *mx)
{
	for (size_t i = 0; i < mx->records.n; i++)
		if (mx->records.v[i].len > 2)
			return ROUTE_MX;
	return ROUTE_NONE;
}

static enum mail_route
route_find(struct work *w, struct str domain, struct dns_budget *budget)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	struct dns_answer answer;
	bool is_known = true;
	if (domain.len == 0)
		return ROUTE_UNKNOWN;
	ask(w, domain, DNS_MX, budget, &answer);
	if (answer.status == DNS_OK)
		return route_by_mx(&answer);
	if (answer.status == DNS_NXDOMAIN)
		return ROUTE_NONE;
	is_known = answer.status != DNS_TEMP;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		ask(w, domain, types[i], budget, &answer);
		if (answer.status == DNS_OK)
			return is_known ? ROUTE_ADDRESS : ROUTE_UNKNOWN;
		is_known = is_known && answer.status != DNS_TEMP;
	}
	return is_known ? ROUTE_NONE : ROUTE_UNKNOWN;
}

/* Better first: "every address must pass" takes the last one. */
static int
badness(enum spf_result result)
{
	static const enum spf_result order[] = {SPF_PASS, SPF_TEMPERROR,
	    SPF_NEUTRAL, SPF_NONE, SPF_SOFTFAIL, SPF_PERMERROR, SPF_FAIL};
	for (size_t i = 0; i < COUNT_OF(order); i++)
		if (order[i] == result)
			return (int)i;
	return 0;
}

/* Whose SPF receivers will ask for (RFC 7208 section 2.4). */
static void
identity_find(struct work *w, struct preflight_spf *spf)
{
	const struct preflight_query *q = w->query;
	struct str domain = address_domain(q->sender);
	bool is_bare = q->sender.len > 0 && domain.len == 0;
	spf->is_helo = q->sender.len == 0;
	spf->domain =
	    domain_normal(w->arena, spf->is_helo || is_bare ? q->helo : domain);
	spf->state = spf->domain.len == 0 ? SPF_STATE_NO_DOMAIN
		     : is_bare            ? SPF_STATE_UNQUALIFIED
		     : q->egress->n == 0  ? SPF_STATE_NO_EGRESS
					  : SPF_STATE_JUDGED;
	spf->result = SPF_NONE;
}

static void
spf_find(struct work *w, struct standing *standing, struct dns_budget *budget)
{
	const struct preflight_query *q = w->query;
	struct preflight_spf *spf = &standing->spf;
	if (spf->state != SPF_STATE_JUDGED)
		return;
	spf->n = q->egress->n;
	spf->v = ARENA_ARRAY(w->arena, struct spf_address, spf->n);
	for (size_t i = 0; i < spf->n; i++) {
		struct spf_query query = {
		    .address = str_dup(w->arena, q->egress->v[i]),
		    .helo = q->helo,
		    .sender = q->sender,
		};
		struct spf_answer *answer = &spf->v[i].answer;
		spf->v[i].address = query.address;
		spf_check(w->arena, w->dns->resolver, &query, budget, answer);
		ttl_take(w, answer->ttl_s);
		if (answer->uses_local_part)
			standing->needs_local = true;
		if (i == 0 || badness(answer->result) > badness(spf->result))
			spf->result = answer->result;
	}
}

/* A single label is no name of the Internet: nobody publishes a policy. */
static void
policy_find(struct work *w, struct str author, struct standing *standing)
{
	const struct dns *dns = w->dns;
	if (str_chr(author, '.') == STR_NONE)
		return;
	standing->dmarc = dmarc_discover(
	    w->arena, dns->resolver, dns->cache, author, w->budget);
	ttl_take(w, standing->dmarc->ttl_s);
	if (standing->spf.domain.len > 0)
		dmarc_align(w->arena, dns->resolver, dns->cache,
		    standing->dmarc, standing->spf.domain, false, w->budget,
		    &standing->spf_alignment);
}

/* All that will surely be asked is on its way before the first wait. */
static void
prefetch(struct work *w, struct str sender, struct str author)
{
	struct resolver *r = w->dns->resolver;
	if (sender.len > 0) {
		resolver_prefetch(r, sender, DNS_TXT);
		resolver_prefetch(r, sender, DNS_MX);
	}
	if (author.len == 0)
		return;
	resolver_prefetch(
	    r, str_printf(w->arena, "_dmarc.%.*s", STR_ARG(author)), DNS_TXT);
	if (!str_eq(author, sender))
		resolver_prefetch(r, author, DNS_MX);
}

/*
 * The author's policy first: whoever chooses the sender's domain must not be
 * able to use up the time and the questions for it.
 */
static const struct standing *
find(struct work *w, struct str author)
{
	struct standing *standing = ARENA_NEW(w->arena, struct standing);
	struct str sender =
	    domain_normal(w->arena, address_domain(w->query->sender));
	prefetch(w, sender, author);
	identity_find(w, &standing->spf);
	policy_find(w, author, standing);
	struct dns_budget part = dns_budget_part(w->budget);
	spf_find(w, standing, &part);
	standing->sender_route = route_find(w, sender, &part);
	standing->author_route = str_eq(author, sender) ? standing->sender_route
				 : standing->dmarc == NULL
				     ? ROUTE_UNKNOWN
				     : route_find(w, author, &part);
	dns_budget_join(w->budget, &part);
	return standing;
}

/* What cannot be a name of a host is of no use in a key. */
#define NAME_BYTES 255

/*
 * Everything that decides; a line break is in none of it but the local part,
 * which comes last.  Empty: too long to keep anything under.
 */
static struct str
key_of(struct arena *a, const struct preflight_query *q, struct str author,
    bool has_local)
{
	struct buf *b = buf_new(a, KEY_BYTES);
	struct str domain = address_domain(q->sender);
	struct str normal = domain_normal(a, domain);
	const char *kind = q->sender.len == 0 ? "null"
			   : domain.len == 0  ? "bare"
			   : normal.len == 0  ? "none"
					      : "name";
	buf_printf(b, "standing %s\n", kind);
	buf_put(b, author);
	buf_putc(b, '\n');
	buf_put(b, normal);
	buf_putc(b, '\n');
	buf_put(b, str_sub(q->helo, 0, NAME_BYTES));
	for (size_t i = 0; i < q->egress->n; i++) {
		buf_putc(b, ' ');
		buf_put(b, q->egress->v[i]);
	}
	if (has_local) {
		buf_putc(b, '\n');
		buf_put(b, address_local(q->sender));
	}
	return b->is_cut ? STR_EMPTY : buf_str(b);
}

/* Under the first key: look under the one with the local part. */
static void
keep_marker(
    const struct dns *dns, struct arena *a, struct str key, int64_t until_ms)
{
	struct arena *owner = arena_new_small();
	struct standing *marker = ARENA_NEW(owner, struct standing);
	marker->needs_local = true;
	(void)cache_put(
	    dns->cache, a, key, owner, marker, CACHE_COST + key.len, until_ms);
}

static void
free_arena(void *arg)
{
	arena_free(arg);
}

static const struct standing *
find_and_keep(
    struct arena *a, struct work *w, struct str author, struct str key)
{
	bool had_temp = w->budget->has_temp;
	w->budget->has_temp = false;
	const struct standing *fresh = find(w, author);
	bool is_whole = !w->budget->has_temp && key.len > 0;
	w->budget->has_temp = w->budget->has_temp || had_temp;
	if (!is_whole) {
		arena_on_release(a, free_arena, w->arena);
		return fresh;
	}
	int64_t ttl_s = w->ttl_s == UINT32_MAX ? TTL_DEFAULT_S : w->ttl_s;
	int64_t until_ms = clock_ms() + ttl_s * 1000;
	if (fresh->needs_local) {
		keep_marker(w->dns, a, key, until_ms);
		key = key_of(a, w->query, author, true);
	}
	if (key.len == 0) {
		arena_on_release(a, free_arena, w->arena);
		return fresh;
	}
	return cache_put(w->dns->cache, a, key, w->arena, fresh,
	    CACHE_COST + key.len + arena_used(w->arena), until_ms);
}

static const struct standing *
recall(struct arena *a, struct cache *cache, struct str key)
{
	return key.len == 0 ? NULL : cache_get(cache, a, key, clock_ms());
}

const struct standing *
standing_get(struct arena *a, const struct dns *dns,
    const struct preflight_query *query, struct str author,
    struct dns_budget *budget)
{
	struct str key = key_of(a, query, author, false);
	const struct standing *known = recall(a, dns->cache, key);
	if (known != NULL && known->needs_local)
		known = recall(a, dns->cache, key_of(a, query, author, true));
	if (known != NULL)
		return known;
	struct work w = {arena_new_small(), dns, query, budget, UINT32_MAX};
	return find_and_keep(a, &w, author, key);
}
