/* SPDX-License-Identifier: BSD-2-Clause */
/* dns -- who asks the DNS for the whole process, and what was learned. */
#ifndef AUTH_DNS_H
#define AUTH_DNS_H

#include "auth/cache.h"
#include "auth/resolver.h"

struct dns {
	struct resolver *resolver;
	struct cache *cache; /* of what was made of answers */
};

/* False: `*ret_why` says what is wrong.  Makes threads, see resolver_new(). */
MUST_CHECK bool dns_open(struct arena *a, const struct resolver_config *config,
    struct dns *ret, struct str *ret_why);
void dns_close(struct dns *dns);

#endif
