/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_advice -- the TXT record a domain must publish so that our mail passes
 * SPF: its present one with as little changed as will do. */
#ifndef AUTH_SPF_ADVICE_H
#define AUTH_SPF_ADVICE_H

#include "auth/resolver.h"

enum spf_advice_status {
	SPF_ADVICE_KEEP,    /* the present record does already */
	SPF_ADVICE_PUBLISH, /* another one is needed */
	SPF_ADVICE_TEMP,    /* the DNS did not say enough */
	/* No record was found that does; `*ret_record` is the nearest. */
	SPF_ADVICE_FAILED
};

/*
 * What `domain`, a normal name (org.h), must publish so that mail from each of
 * `addresses` passes and nobody needs more than 10 lookups (RFC 7208 section
 * 4.6.4).  Terms that are missing go before "all" or redirect, or before what
 * would decide otherwise; broken terms are mended or left out; includes, a and
 * mx become their addresses while there are too many, the costliest first.
 * `*ret_record` is the text of the TXT record, in one piece and not quoted; it
 * was evaluated for each address before it is returned.  `*ret_note` says in
 * words what was done and why.  Both live in `a`; with SPF_ADVICE_TEMP the
 * record is empty.  Waits within `budget`: a hundred questions may be needed.
 */
MUST_CHECK enum spf_advice_status spf_advise(struct arena *a,
    struct resolver *r, struct str domain, const struct strs *addresses,
    struct dns_budget *budget, struct str *ret_record, struct str *ret_note);

#endif
