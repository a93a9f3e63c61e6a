/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_record -- a public key as published under s._domainkey.d (RFC 6376
 * section 3.6.1, RFC 8463). */
#ifndef AUTH_DKIM_RECORD_H
#define AUTH_DKIM_RECORD_H

#include "auth/cache.h"
#include "auth/resolver.h"

enum dkim_key_status {
	DKIM_KEY_OK,
	DKIM_KEY_NONE,    /* no such name, or no record that is one */
	DKIM_KEY_REVOKED, /* empty p= */
	DKIM_KEY_BROKEN,
	DKIM_KEY_TEMP
};

struct dkim_key_record {
	enum dkim_key_status status;
	const char *why; /* not OK: in words */
	struct str text; /* as published; empty: none */
	struct str type; /* "rsa", "ed25519" */
	/*
	 * p=, decoded: SubjectPublicKeyInfo, or 32 bytes.  A bare RSAPublicKey
	 * is made the former, so the same key has the same bytes.
	 */
	struct str key;
	unsigned bits;           /* of the key */
	bool is_test, is_strict; /* t=y, t=s */
	bool allows_sha256;      /* h= */
	bool allows_email;       /* s= */
	uint32_t ttl_s;
};

/*
 * Parse one TXT record, any bytes; status and texts in `a` go to `*ret`.
 * DKIM_KEY_NONE: it is about something else.
 */
void dkim_key_record_parse(
    struct arena *a, struct str text, struct dkim_key_record *ret);

/*
 * The published key of `selector` and `domain`, normal names; from `cache` if
 * it is there.  Two keys under one name are DKIM_KEY_BROKEN: which one a
 * receiver takes is not defined (section 3.6.2.2).  Lives as long as `a`.
 */
const struct dkim_key_record *dkim_key_record_get(struct arena *a,
    struct resolver *r, struct cache *cache, struct str selector,
    struct str domain, struct dns_budget *budget);

#endif
