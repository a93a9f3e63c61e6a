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

/* RFC 9989 section 4.7, RFC 7489 section 6.3. */
struct dmarc_record {
	enum dmarc_policy p, sp, np; /* with has_*: as published */
	bool has_p, has_sp, has_np;
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
/* One TXT record, any bytes.  `*ret` is written on DMARC_PARSE_OK. */
MUST_CHECK enum dmarc_parse_status dmarc_record_parse(
    struct arena *a, struct str text, struct dmarc_record *ret);

/* What one kind of receiver thinks of a domain. */
struct dmarc_variant {
	bool is_temp;   /* a question was not answered: nothing else is known */
	struct str org; /* organisational domain */
	bool has_record;
	struct str record_domain; /* where the record stands, without _dmarc. */
	struct dmarc_record record;
	enum dmarc_policy policy; /* published for this domain: p, sp or np */
	enum dmarc_policy effective; /* after t= or pct=0 */
};

struct dmarc_domain {
	struct str domain; /* normal */
	bool is_missing;   /* NXDOMAIN: there is no such domain */
	struct dmarc_variant tree, suffix; /* RFC 9989, RFC 7489 */
	uint32_t ttl_s;
};

/*
 * Find the policy of `domain`, a normal one (org.h).  Waits within `budget`.
 * What is known already is taken from `cache`, what is learned is kept there;
 * the result lives as long as `a`.
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

/*
 * Is `identity`, a normal domain authenticated by DKIM (`is_dkim`) or SPF,
 * aligned with the author's (RFC 9989 section 4.4)?
 */
enum dmarc_alignment dmarc_align(struct arena *a, struct resolver *r,
    struct cache *cache, const struct dmarc_domain *author, struct str identity,
    bool is_dkim, struct dns_budget *budget);

#endif
