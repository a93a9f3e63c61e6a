/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standing -- what the DNS says of a pair of domains, envelope sender and
 * author, as long as mail leaves from our addresses: all of a pre-flight that
 * does not depend on one message, kept for the next one.
 */
#ifndef AUTH_STANDING_H
#define AUTH_STANDING_H

#include "auth/preflight.h"

struct standing {
	struct preflight_spf spf;
	enum mail_route sender_route, author_route;
	const struct dmarc_domain *dmarc; /* NULL: no author's domain */
	struct dmarc_alignments spf_alignment;
	bool needs_local; /* a macro of the sender's local part decides */
};

/*
 * The standing of `author`, a normal domain or empty, with the sender and the
 * egress addresses of `query`.  Waits within `budget`; what is not all answered
 * is not kept.  Lives as long as `a`.
 */
const struct standing *standing_get(struct arena *a, const struct dns *dns,
    const struct preflight_query *query, struct str author,
    struct dns_budget *budget);

#endif
