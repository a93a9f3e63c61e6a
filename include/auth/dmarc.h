/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc -- the policy of an author's domain and what is aligned with it, as a
 * receiver that follows RFC 9989 (tree walk) sees it and as one that still
 * follows RFC 7489 (public suffix list) does.  Judging a message is
 * preflight.h's.
 */
#ifndef AUTH_DMARC_H
#define AUTH_DMARC_H

#include "auth/cache.h"
#include "auth/resolver.h"

/* Stricter is greater. */
enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
/* "none", "quarantine", "reject" */
struct str dmarc_policy_name(enum dmarc_policy policy);

/*
 * RFC 9989 section 4.7, RFC 7489 section 6.3.  Where p or sp is not valid, and
 * there is a valid rua, the record stands for p=none alone.
 */
struct dmarc_record {
	enum dmarc_policy p, sp, np; /* with has_*: as published; else none */
	bool has_p, has_sp, has_np;
	/* np is not valid: to RFC 9989 as if p were; RFC 7489 has no np. */
	bool is_np_broken;
	bool is_strict_dkim, is_strict_spf; /* adkim=s, aspf=s */
	enum dmarc_psd { PSD_UNKNOWN, PSD_YES, PSD_NO } psd;
	bool is_testing;  /* t=y */
	unsigned percent; /* pct, 0-100; 100 without one */
	bool has_reports; /* a valid rua */
	struct str text;  /* as published */
};

enum dmarc_parse_status {
	DMARC_PARSE_OK,
	DMARC_PARSE_OTHER,   /* it does not begin with v=DMARC1 */
	DMARC_PARSE_UNUSABLE /* it does, and a receiver can do nothing with it
			      */
};
/*
 * One TXT record, any bytes.  `*ret` is written unless it is another's; it
 * lives in `a`.  Names and values of tags are compared without case, but
 * DMARC1.  Of a tag that is there twice the first one counts.
 */
MUST_CHECK enum dmarc_parse_status dmarc_record_parse(
    struct arena *a, struct str text, struct dmarc_record *ret);

/* What one kind of receiver thinks of a domain. */
struct dmarc_variant {
	/* A question that the policy depends on was not answered: nothing but
	 * perhaps `org` is known. */
	bool is_temp;
	/* Organisational domain; empty: a question was not answered. */
	struct str org;
	bool has_record;
	const char *why;          /* no record: in words; static */
	struct str record_domain; /* where the record stands, without _dmarc. */
	struct dmarc_record record;
	enum dmarc_policy policy; /* published for this domain: p, sp or np */
	enum dmarc_policy effective; /* after t=y (tree), pct=0 (suffix) */
};

struct dmarc_domain {
	struct str domain; /* normal */
	/*
	 * NXDOMAIN: there is no such domain.  Asked for only where an np= that
	 * differs from the policy of other subdomains decides (`tree`), so
	 * false says nothing.
	 */
	bool is_missing;
	struct dmarc_variant tree, suffix; /* RFC 9989, RFC 7489 */
	uint32_t ttl_s; /* of the answer that is forgotten first */
};

/*
 * Find the policy of `domain`, a normal one (org.h).  A name of one label, a
 * host of ours, has none and costs nothing.  Waits within `budget`: a question
 * for the domain and each of its parents, 8 at most, up to the top-level domain
 * or a psd= of y or n; one for the registrable domain if it is not among these;
 * one for the address of a domain that np= may be for.  What is known already
 * is taken from `cache`; what is learned is kept there, unless something was
 * not answered.  The result lives as long as `a`.
 */
const struct dmarc_domain *dmarc_discover(struct arena *a, struct resolver *r,
    struct cache *cache, struct str domain, struct dns_budget *budget);

enum dmarc_alignment {
	ALIGNED_NOT,
	ALIGNED_TEMP,    /* not known */
	ALIGNED_DEPENDS, /* by one of the two ways of finding the organisation
			  */
	ALIGNED_RELAXED,
	ALIGNED_EXACT
};
/* "no", "temp", "depends", "relaxed", "strict" */
struct str dmarc_alignment_name(enum dmarc_alignment alignment);

/* What each kind of receiver says; never ALIGNED_DEPENDS. */
struct dmarc_alignments {
	enum dmarc_alignment tree, suffix;
};

/*
 * Is `identity`, a normal domain authenticated by DKIM (`is_dkim`) or SPF,
 * aligned with the author's (RFC 9989 section 4.4)?  The same name always is.
 * Any other is not if the record that a kind of receiver goes by is strict, and
 * else if both names have the same organisational domain in its way.  Costs
 * questions only if `identity` is below the author's organisational domain.
 * A receiver that finds no record goes by relaxed alignment.
 */
void dmarc_align(struct arena *a, struct resolver *r, struct cache *cache,
    const struct dmarc_domain *author, struct str identity, bool is_dkim,
    struct dns_budget *budget, struct dmarc_alignments *ret);

/*
 * In one word.  The kind of receiver that finds no record has no say if the
 * other does find one; if neither does, that of RFC 7489 speaks.  Of two that
 * differ, ALIGNED_TEMP wins, else it is ALIGNED_DEPENDS.
 */
enum dmarc_alignment dmarc_alignment_of(
    const struct dmarc_domain *author, struct dmarc_alignments each);

#endif
