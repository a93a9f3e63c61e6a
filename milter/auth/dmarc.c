/* SPDX-License-Identifier: BSD-2-Clause */
/* dmarc -- policies, organisations and alignment, in the way of RFC 9989 and in
 * that of RFC 7489.  The two share their questions. */
#include "auth/dmarc.h"

#include "auth/org.h"
#include "base/arena.h"
#include "base/clock.h"

/* RFC 9989 section 4.10: the name itself, then its last seven labels at most.
 */
#define WALK_MAX 8
/* And the registrable domain, which the walk may have jumped over. */
#define LOOKUPS_MAX (WALK_MAX + 1)

enum found {
	FOUND_NONE,
	FOUND_RECORD,
	FOUND_UNUSABLE, /* one that no receiver can use */
	FOUND_TEMP
};

/* What stands at _dmarc.DOMAIN. */
struct lookup {
	struct str domain;
	enum found found;
	bool is_several;  /* FOUND_NONE: more than one, so none counts */
	const char *why;  /* FOUND_NONE, FOUND_UNUSABLE: in words */
	bool is_nxdomain; /* and so there may be no `domain` either */
	struct dmarc_record record;
};

/* From a name towards the root, as far as RFC 9989 has it. */
struct walk {
	const struct lookup *v[WALK_MAX];
	size_t n;
	bool is_temp; /* the last one was not answered: the end is not known */
};

struct finder {
	struct arena *a;
	struct resolver *r;
	struct dns_budget *budget;
	struct dmarc_domain *ret;
	struct lookup lookups[LOOKUPS_MAX];
	size_t nlookups;
};

static void
note_ttl(struct finder *f, uint32_t ttl_s)
{
	if (ttl_s < f->ret->ttl_s)
		f->ret->ttl_s = ttl_s;
}

static struct str
record_name(struct arena *a, struct str domain)
{
	return str_printf(a, "_dmarc.%.*s", STR_ARG(domain));
}

/* RFC 9989 section 4.10 step 2: of several records none is left. */
static void
read_records(struct arena *a, const struct strs *records, struct lookup *ret)
{
	size_t n = 0;
	ret->why = "no record";
	for (size_t i = 0; i < records->n; i++) {
		switch (dmarc_record_parse(a, records->v[i], &ret->record)) {
		case DMARC_PARSE_OTHER:
			continue;
		case DMARC_PARSE_OK:
			ret->found = FOUND_RECORD;
			break;
		case DMARC_PARSE_UNUSABLE:
			ret->found = FOUND_UNUSABLE;
			ret->why = "the record has no valid p= and no rua=";
			break;
		}
		n++;
	}
	if (n > 1) {
		ret->found = FOUND_NONE;
		ret->is_several = true;
		ret->why = "more than one record";
	}
}

static const struct lookup *
look_up(struct finder *f, struct str domain)
{
	for (size_t i = 0; i < f->nlookups; i++)
		if (str_eq(f->lookups[i].domain, domain))
			return &f->lookups[i];
	struct lookup *ret = &f->lookups[f->nlookups++];
	*ret = (struct lookup){.domain = domain};
	struct dns_answer answer;
	resolver_ask(
	    f->r, f->a, record_name(f->a, domain), DNS_TXT, f->budget, &answer);
	if (answer.status == DNS_TEMP) {
		ret->found = FOUND_TEMP;
		return ret;
	}
	note_ttl(f, answer.ttl_s);
	ret->is_nxdomain = answer.status == DNS_NXDOMAIN;
	read_records(f->a, &answer.records, ret);
	return ret;
}

static size_t
count_labels(struct str domain)
{
	size_t n = 1;
	for (size_t i = 0; i < domain.len; i++)
		n += domain.p[i] == '.';
	return n;
}

/* The last `n` labels. */
static struct str
last_labels(struct str domain, size_t n)
{
	for (size_t have = count_labels(domain); have > n; have--)
		(void)str_cut(&domain, '.');
	return domain;
}

/* RFC 9989 section 4.10 steps 1, 4 and 7. */
static size_t
walk_names(struct str domain, struct str ret[WALK_MAX])
{
	size_t n = 0;
	ret[n++] = domain;
	size_t left = count_labels(domain) - 1;
	if (left > WALK_MAX - 1)
		left = WALK_MAX - 1;
	for (; left > 0; left--)
		ret[n++] = last_labels(domain, left);
	return n;
}

static bool
has_record(const struct lookup *lookup)
{
	return lookup->found == FOUND_RECORD || lookup->found == FOUND_UNUSABLE;
}

/*
 * The parents are asked for ahead, as nearly all walks get to the end: psd=y is
 * for registries, psd=n for the rare registrant below one that lacks it.
 */
static struct walk
walk_from(struct finder *f, struct str domain)
{
	struct walk walk = {.n = 0};
	struct str names[WALK_MAX];
	size_t n = walk_names(domain, names);
	for (size_t i = 1; i < n && n <= f->budget->questions; i++)
		resolver_prefetch(f->r, record_name(f->a, names[i]), DNS_TXT);
	for (size_t i = 0; i < n; i++) {
		const struct lookup *here = look_up(f, names[i]);
		walk.v[walk.n++] = here;
		walk.is_temp = here->found == FOUND_TEMP;
		if (walk.is_temp ||
		    (has_record(here) && here->record.psd != PSD_UNKNOWN))
			break;
	}
	return walk;
}

/* The psd=y above where it began, which ended the walk; NULL: none. */
static const struct lookup *
walk_psd(const struct walk *walk)
{
	const struct lookup *last = walk->v[walk->n - 1];
	bool is_psd =
	    walk->n > 1 && has_record(last) && last->record.psd == PSD_YES;
	return is_psd ? last : NULL;
}

/*
 * RFC 9989 section 4.10.2.  A psd=n has ended the walk, so it is the last
 * record as well.  A record that cannot be used is one all the same.
 */
static struct str
walk_org(const struct walk *walk, struct str domain)
{
	if (walk->is_temp)
		return STR_EMPTY;
	const struct lookup *psd = walk_psd(walk);
	if (psd != NULL)
		return last_labels(domain, count_labels(psd->domain) + 1);
	for (size_t i = walk->n; i > 0; i--)
		if (has_record(walk->v[i - 1]))
			return walk->v[i - 1]->domain;
	return domain;
}

static const struct lookup *
walk_record(const struct walk *walk, struct str domain)
{
	for (size_t i = 0; i < walk->n; i++)
		if (str_eq(walk->v[i]->domain, domain) &&
		    has_record(walk->v[i]))
			return walk->v[i];
	return NULL;
}

/*
 * RFC 9989 section 4.10.1: the domain's own record, else that of its
 * organisation, else that of the registry.  NULL: none.
 */
static const struct lookup *
tree_record(const struct walk *walk, struct str org)
{
	if (has_record(walk->v[0]))
		return walk->v[0];
	const struct lookup *record = walk_record(walk, org);
	return record != NULL ? record : walk_psd(walk);
}

static enum dmarc_policy
one_lower(enum dmarc_policy policy)
{
	return policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NONE;
}

static void
take_record(const struct lookup *from, enum dmarc_policy policy,
    bool is_lowered, struct dmarc_variant *ret)
{
	ret->has_record = true;
	ret->why = "";
	ret->record_domain = from->domain;
	ret->record = from->record;
	ret->policy = policy;
	ret->effective = is_lowered ? one_lower(policy) : policy;
}

/*
 * Is there such a domain?  RFC 8020: if there is something below a name, there
 * is the name.  True: it is known, in f->ret->is_missing.
 */
static bool
find_missing(struct finder *f, const struct lookup *own)
{
	if (!own->is_nxdomain)
		return true;
	struct dns_answer answer;
	resolver_ask(f->r, f->a, own->domain, DNS_A, f->budget, &answer);
	if (answer.status == DNS_TEMP)
		return false;
	note_ttl(f, answer.ttl_s);
	f->ret->is_missing = answer.status == DNS_NXDOMAIN;
	return true;
}

/*
 * RFC 9989 section 4.10.1: what `record` says of a domain below its own.
 * False: it depends on what was not answered.
 */
static bool
tree_inherit(struct finder *f, const struct lookup *own,
    const struct dmarc_record *record, enum dmarc_policy *ret)
{
	*ret = record->has_sp ? record->sp : record->p;
	if (!record->has_np || record->np == *ret)
		return true;
	if (!find_missing(f, own))
		return false;
	if (f->ret->is_missing)
		*ret = record->np;
	return true;
}

/* What goes for `own` if `from` is the record to apply. */
static bool
tree_policy(struct finder *f, const struct lookup *own,
    const struct lookup *from, enum dmarc_policy *ret)
{
	*ret = from->record.p;
	if (from->record.is_np_broken)
		*ret = DMARC_NONE;
	else if (from != own)
		return tree_inherit(f, own, &from->record, ret);
	return true;
}

static void
tree_find(struct finder *f, struct dmarc_variant *ret)
{
	struct walk walk = walk_from(f, f->ret->domain);
	const struct lookup *own = walk.v[0];
	ret->org = walk_org(&walk, f->ret->domain);
	ret->why = "";
	ret->is_temp = walk.is_temp && !has_record(own);
	if (ret->is_temp)
		return;
	const struct lookup *from = tree_record(&walk, ret->org);
	if (from == NULL || from->found == FOUND_UNUSABLE) {
		ret->why = from == NULL ? own->why : from->why;
		return;
	}
	if (from->record.is_np_broken && !from->record.has_reports) {
		ret->why = "the record has no valid np= and no rua=";
		return;
	}
	enum dmarc_policy policy;
	ret->is_temp = !tree_policy(f, own, from, &policy);
	if (!ret->is_temp)
		take_record(from, policy, from->record.is_testing, ret);
}

/* RFC 7489 section 6.6.3: the domain's own record, else its organisation's;
 * several are the end of it. */
static void
suffix_find(struct finder *f, struct dmarc_variant *ret)
{
	const struct lookup *own = look_up(f, f->ret->domain);
	ret->org = domain_registrable(f->a, f->ret->domain);
	ret->why = "";
	const struct lookup *from = own;
	if (from->found == FOUND_NONE && !from->is_several)
		from = look_up(f, ret->org);
	ret->is_temp = from->found == FOUND_TEMP;
	if (ret->is_temp)
		return;
	if (from->found != FOUND_RECORD) {
		ret->why = from->why;
		return;
	}
	if (!from->record.has_p && !from->record.has_reports) {
		ret->why = "the record has no p= and no rua=";
		return;
	}
	enum dmarc_policy policy = from != own && from->record.has_sp
				       ? from->record.sp
				       : from->record.p;
	take_record(from, policy, from->record.percent == 0, ret);
}

static struct str
cache_key(struct arena *a, struct str domain)
{
	return str_printf(a, "dmarc %.*s", STR_ARG(domain));
}

static void
variant_copy(struct arena *a, const struct dmarc_variant *from,
    struct dmarc_variant *ret)
{
	*ret = *from;
	ret->org = str_dup(a, from->org);
	ret->record_domain = str_dup(a, from->record_domain);
	ret->record.text = str_dup(a, from->record.text);
}

static void
keep(struct finder *f, struct cache *cache, struct str key)
{
	const struct dmarc_domain *found = f->ret;
	if (found->tree.is_temp || found->suffix.is_temp ||
	    found->tree.org.len == 0 || found->ttl_s == 0)
		return;
	struct arena *owner = arena_new_small();
	struct dmarc_domain *copy = ARENA_NEW(owner, struct dmarc_domain);
	*copy = *found;
	copy->domain = str_dup(owner, found->domain);
	variant_copy(owner, &found->tree, &copy->tree);
	variant_copy(owner, &found->suffix, &copy->suffix);
	(void)cache_put(cache, f->a, key, owner, copy,
	    CACHE_COST + key.len + arena_used(owner),
	    clock_ms() + (int64_t)found->ttl_s * 1000);
}

const struct dmarc_domain *
dmarc_discover(struct arena *a, struct resolver *r, struct cache *cache,
    struct str domain, struct dns_budget *budget)
{
	struct str key = cache_key(a, domain);
	const struct dmarc_domain *known = cache_get(cache, a, key, clock_ms());
	if (known != NULL)
		return known;
	domain = str_dup(a, domain);
	const struct dmarc_variant none = {.org = domain,
	    .why = "not a name with a dot",
	    .record_domain = STR_EMPTY,
	    .record = {.text = STR_EMPTY}};
	struct dmarc_domain *ret = ARENA_NEW(a, struct dmarc_domain);
	*ret = (struct dmarc_domain){
	    .domain = domain, .tree = none, .suffix = none};
	if (str_chr(domain, '.') == STR_NONE)
		return ret;
	ret->ttl_s = UINT32_MAX;
	struct finder f = {.a = a, .r = r, .budget = budget, .ret = ret};
	tree_find(&f, &ret->tree);
	suffix_find(&f, &ret->suffix);
	keep(&f, cache, key);
	return ret;
}

struct str
dmarc_alignment_name(enum dmarc_alignment alignment)
{
	static const struct str names[] = {
	    [ALIGNED_NOT] = {"no", 2},
	    [ALIGNED_TEMP] = {"temp", 4},
	    [ALIGNED_DEPENDS] = {"depends", 7},
	    [ALIGNED_RELAXED] = {"relaxed", 7},
	    [ALIGNED_EXACT] = {"strict", 6},
	};
	return names[alignment];
}

/* What can be said without asking where `identity` belongs. */
static bool
is_settled(const struct dmarc_variant *author, struct str identity,
    bool is_dkim, enum dmarc_alignment *ret)
{
	const struct dmarc_record *record = &author->record;
	if (author->is_temp) {
		*ret = ALIGNED_TEMP;
		return true;
	}
	*ret = ALIGNED_NOT;
	if (author->has_record &&
	    (is_dkim ? record->is_strict_dkim : record->is_strict_spf))
		return true;
	if (author->org.len == 0) {
		*ret = ALIGNED_TEMP;
		return true;
	}
	return !domain_is_under(identity, author->org);
}

static enum dmarc_alignment
tree_align(struct arena *a, struct resolver *r, struct cache *cache,
    const struct dmarc_variant *author, struct str identity, bool is_dkim,
    struct dns_budget *budget)
{
	enum dmarc_alignment ret;
	if (is_settled(author, identity, is_dkim, &ret))
		return ret;
	struct str org =
	    dmarc_discover(a, r, cache, identity, budget)->tree.org;
	if (org.len == 0)
		return ALIGNED_TEMP;
	return str_eq(org, author->org) ? ALIGNED_RELAXED : ALIGNED_NOT;
}

static enum dmarc_alignment
suffix_align(struct arena *a, const struct dmarc_variant *author,
    struct str identity, bool is_dkim)
{
	enum dmarc_alignment ret;
	if (is_settled(author, identity, is_dkim, &ret))
		return ret;
	return str_eq(domain_registrable(a, identity), author->org)
		   ? ALIGNED_RELAXED
		   : ALIGNED_NOT;
}

void
dmarc_align(struct arena *a, struct resolver *r, struct cache *cache,
    const struct dmarc_domain *author, struct str identity, bool is_dkim,
    struct dns_budget *budget, struct dmarc_alignments *ret)
{
	ret->tree = ret->suffix = ALIGNED_NOT;
	if (identity.len == 0)
		return;
	if (str_eq(identity, author->domain)) {
		ret->tree = ret->suffix = ALIGNED_EXACT;
		return;
	}
	ret->tree =
	    tree_align(a, r, cache, &author->tree, identity, is_dkim, budget);
	ret->suffix = suffix_align(a, &author->suffix, identity, is_dkim);
}

/* It will judge by a record, for all that is known. */
static bool
has_say(const struct dmarc_variant *variant)
{
	return variant->is_temp || variant->has_record;
}

enum dmarc_alignment
dmarc_alignment_of(
    const struct dmarc_domain *author, struct dmarc_alignments each)
{
	if (each.tree == each.suffix || !has_say(&author->tree))
		return each.suffix;
	if (!has_say(&author->suffix))
		return each.tree;
	if (each.tree == ALIGNED_TEMP || each.suffix == ALIGNED_TEMP)
		return ALIGNED_TEMP;
	return ALIGNED_DEPENDS;
}
