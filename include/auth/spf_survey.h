/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_survey -- what a term costs whoever evaluates it to the end, and which
 * addresses it stands for now. */
#ifndef AUTH_SPF_SURVEY_H
#define AUTH_SPF_SURVEY_H

#include "base/ip.h"
#include "auth/resolver.h"
#include "auth/spf_record.h"

#define SPF_BLOCKS_MAX 500

struct spf_blocks {
	struct ip_block *v;
	size_t n;
	size_t cap;
};

struct spf_survey {
	unsigned lookups; /* that count (RFC 7208 section 4.6.4) */
	bool is_void;     /* it finds nothing, for neither family */
	/* It cannot be replaced by `blocks`: ptr, exists, macros, records with
	 * exceptions in them, or too many. */
	bool is_fluid;
	struct spf_blocks blocks; /* of both families; none is within another */
	struct str fault;         /* it makes a permerror: why; empty: no */
	struct str temp;          /* what was not answered; empty: nothing */
};

/* `term` of the record of `domain`; texts in `*ret` live in `a`. */
void spf_survey(struct arena *a, struct resolver *r, struct dns_budget *budget,
    struct str domain, const struct spf_term *term, struct spf_survey *ret);

/* The one record of `domain`.  False: it has none, several or a broken one, or
 * was not answered: `ret->fault` or `ret->temp`. */
MUST_CHECK bool spf_survey_record(struct arena *a, struct resolver *r,
    struct dns_budget *budget, struct str domain, struct spf_record *ret_record,
    struct spf_survey *ret);

#endif
