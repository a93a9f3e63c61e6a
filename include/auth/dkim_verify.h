/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_verify -- do the signatures of a message verify (RFC 6376, 8301, 8463)?
 * libopendkim computes; which keys and signatures are acceptable is decided
 * here.  It has a dkim_verify() and a dkim_sign() of its own, so ours end in
 * _mail.
 */
#ifndef AUTH_DKIM_VERIFY_H
#define AUTH_DKIM_VERIFY_H

#include "auth/cache.h"
#include "auth/dkim_mail.h"
#include "auth/resolver.h"

#define DKIM_SIGNATURES_MAX 10

/* RFC 8601 section 2.7.1. */
enum dkim_result {
	DKIM_NONE, /* not signed */
	DKIM_PASS,
	DKIM_FAIL,      /* it does not verify, has expired, or is of the future
			 */
	DKIM_POLICY,    /* it does, and is not acceptable: rsa-sha1, short key,
			   a tail behind l=, a key that is not for subdomains */
	DKIM_NEUTRAL,   /* it cannot be read */
	DKIM_TEMPERROR, /* the key was not answered */
	DKIM_PERMERROR  /* no key, revoked, or a broken one; too many */
};
struct str dkim_result_name(enum dkim_result result);

struct dkim_signature {
	enum dkim_result result;
	struct str domain, selector; /* d=, s=: normal (org.h); empty: unread */
	struct str identity;         /* i=, or "@" and d= */
	struct str algorithm;        /* "rsa-sha256", "ed25519-sha256", ... */
	unsigned key_bits;           /* 0: not known */
	bool is_test;                /* t=y of the key */
	bool is_weak;    /* ed25519: many receivers do not know it */
	const char *why; /* not DKIM_PASS: in words; static */
};

struct dkim_signatures {
	struct dkim_signature v[DKIM_SIGNATURES_MAX];
	size_t n;
	size_t ignored; /* past DKIM_SIGNATURES_MAX: not looked at */
};

/*
 * Verify all signatures of `mail`, the first DKIM_SIGNATURES_MAX.  Only what
 * may count for DMARC is DKIM_PASS: verified, From in h=, nothing behind l=,
 * not expired, i= within d= (equal to it if the key says t=s), RSA of at least
 * 1024 bits with SHA-256 or Ed25519.  `now_wall`: seconds since 1970.  Waits
 * for keys within `budget`.  Texts in `*ret` live in `a`.
 */
void dkim_verify_mail(struct arena *a, struct resolver *r, struct cache *cache,
    const struct dkim_mail *mail, int64_t now_wall, struct dns_budget *budget,
    struct dkim_signatures *ret);

#endif
