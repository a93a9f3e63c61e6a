/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * networks -- the hosts that a relay walk trusts: trusted_networks and its
 * relatives of SpamAssassin's rule files, and what postern.conf says of our own
 * servers.  For compatibility of rules only: who may send is the business of
 * postern.conf and the MTA.
 */
#ifndef MAIL_NETWORKS_H
#define MAIL_NETWORKS_H

#include "base/str.h"

struct arena;

struct network {
	uint8_t b[16]; /* IPv4 as ::ffff:192.0.2.1 */
	unsigned bits; /* of `b` that count, 0-128 */
	bool is_excluded;
	struct str text; /* as it was written, without the ! */
};

/* The first network that an address is in decides. */
struct network_set {
	struct network *v;
	size_t n, cap;
};

struct networks {
	struct network_set trusted, internal, msa;
	/* Trusted like private addresses if neither of the two is named. */
	struct network_set own;
	/* Named in a file; otherwise the other one, or addresses and logins,
	 * decide. */
	bool has_trusted, has_internal;
	struct strs originating; /* fields with the client's address */
};

/*
 * Add "192.0.2.1", "10.", "10.1/16", "10.0.0.0/255.0.0.0", "2001:db8::/32",
 * "[2001:db8::1]", each perhaps with ! in front: not that.  `word` must live as
 * long as the set.  False: it is none of these.
 */
MUST_CHECK bool network_set_add(
    struct arena *a, struct network_set *set, struct str word);
/* False, too, if `ip` is no address. */
bool network_set_has(const struct network_set *set, struct str ip);
/* The first network of the set that has all of `network`; NULL: none has. */
const struct network *network_set_find(
    const struct network_set *set, const struct network *network);
/* That one is there and is not excluded. */
bool network_set_covers(
    const struct network_set *set, const struct network *network);

#endif
