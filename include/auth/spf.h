/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf -- may this address send mail for this domain (RFC 7208)?  libspf2
 * evaluates; what it is given is a record that we have parsed, checked and
 * expanded ourselves (spf_record.h), so no text of a stranger reaches its
 * parser.  The limits of RFC 7208 section 4.6.4 are counted here, across
 * includes.
 */
#ifndef AUTH_SPF_H
#define AUTH_SPF_H

#include "auth/resolver.h"

/* RFC 7208 section 2.6. */
enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR
};
/* "none", "neutral", ... */
struct str spf_result_name(enum spf_result result);

struct spf_query {
	struct str address; /* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" */
	struct str helo;
	/* Without < >; empty: postmaster@HELO (section 2.4). */
	struct str sender;
	bool wants_explanation; /* costs questions */
};

struct spf_answer {
	enum spf_result result;
	struct str domain; /* that was asked for, A-labels, lower case */
	struct str record; /* its record as published; empty: none */
	/*
	 * What decided: "-all", "include:spf.example -> ip4:192.0.2.0/24"; or
	 * what is wrong, naming domain and term, behind the way there.  For
	 * people: bytes of strangers are escaped and cut short.
	 */
	struct str why;
	struct str explanation; /* ASCII; empty: none, or not wanted */
	unsigned terms, voids;  /* questions that count, section 4.6.4 */
	uint32_t ttl_s; /* the shortest of all that was asked; 0: nothing was */
	/* The result may depend on these: keys of a cache. */
	bool uses_local_part, uses_helo;
};

/*
 * Evaluate check_host() (section 4).  Waits for the DNS within `budget`; past
 * it SPF_TEMPERROR.  An address that is none is SPF_PERMERROR.  Clients on the
 * loopback are judged by the record as any other, which libspf2 alone would not
 * do.  Where receivers differ the answer is that of the strict ones: more than
 * 10 MX names are an error even if an early one matches, each empty answer of
 * an mx or ptr is a void lookup, and %{p} counts as the term it is (section
 * 4.6.4).  May run in any number of threads.  Texts in `*ret` live in `a`.
 */
void spf_check(struct arena *a, struct resolver *r,
    const struct spf_query *query, struct dns_budget *budget,
    struct spf_answer *ret);

#endif
