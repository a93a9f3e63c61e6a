/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_lookup -- the questions of one SPF check, and the limits of RFC 7208
 * section 4.6.4 across all its records.  The first thing that goes wrong is
 * kept and ends the check; what records mean is spf.h's.
 */
#ifndef AUTH_SPF_LOOKUP_H
#define AUTH_SPF_LOOKUP_H

#include "base/ip.h"
#include "auth/resolver.h"
#include "auth/spf.h"

#define SPF_TERMS_MAX 10
#define SPF_VOIDS_MAX 2
#define SPF_NAMES_MAX 10 /* of one MX, of one PTR */

/* The names of the client by its PTR records, each validated when somebody
 * needs it (section 5.5). */
struct spf_names {
	bool is_asked;
	struct strs names;
	enum { SPF_NAME_NEW, SPF_NAME_GOOD, SPF_NAME_BAD } state[SPF_NAMES_MAX];
};

/* Starts as {.arena, .resolver, .budget, .client}; one thread. */
struct spf_lookup {
	struct arena *arena;
	struct resolver *resolver;
	struct dns_budget *budget;
	struct ip client;
	unsigned terms, voids, prefetched;
	uint32_t ttl_s; /* the shortest; with has_asked */
	bool has_asked;
	/* The result is there: what is asked for the explanation counts for no
	 * limit and cannot fail (section 6.2). */
	bool is_over;
	bool has_failed;
	enum spf_result failure; /* SPF_TEMPERROR or SPF_PERMERROR */
	struct str why;
	struct spf_names names;
};

/* Keep the first failure; the text is for people. */
void spf_lookup_fail(struct spf_lookup *l, enum spf_result failure,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

/* One more term that asks.  False: the check has failed. */
MUST_CHECK bool spf_lookup_count(struct spf_lookup *l);

/*
 * Ask for a `name` of any bytes on behalf of a term; what is no domain name is
 * not asked for and not found (section 4.8).  False: the check has failed, by
 * this question or before.
 */
MUST_CHECK bool spf_lookup_ask(struct spf_lookup *l, struct str name,
    enum dns_type type, struct dns_answer *ret);

/* Ask for the TXT records of a domain that a record is looked for at: no
 * void lookup, that is another error. */
MUST_CHECK bool spf_lookup_record(
    struct spf_lookup *l, struct str name, struct dns_answer *ret);

/* A or AAAA, whatever the client has. */
enum dns_type spf_lookup_type(const struct spf_lookup *l);

/* The client has a validated name that is `domain` or under it. */
bool spf_lookup_has_name(struct spf_lookup *l, struct str domain);

/* %{p}: a validated name, first `domain` itself, then one under it, then any;
 * "unknown". */
struct str spf_lookup_name(struct spf_lookup *l, struct str domain);

/* That question will be asked, perhaps; a bounded number of them. */
void spf_lookup_prefetch(
    struct spf_lookup *l, struct str name, enum dns_type type);

#endif
