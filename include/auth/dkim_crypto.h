/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_crypto -- SHA-256, keys and signatures, as DKIM wants them (RFC 8301,
 * RFC 8463).  The rest of auth knows no OpenSSL.
 */
#ifndef AUTH_DKIM_CRYPTO_H
#define AUTH_DKIM_CRYPTO_H

#include "base/str.h"

struct arena;

#define DKIM_HASH_SIZE 32
struct dkim_hash {
	unsigned char bytes[DKIM_HASH_SIZE];
};

/* SHA-256 in pieces: begin, any number of add, end, which frees it. */
struct dkim_hasher;
struct dkim_hasher *dkim_hasher_begin(void);
void dkim_hasher_add(struct dkim_hasher *hasher, struct str bytes);
void dkim_hasher_end(struct dkim_hasher *hasher, struct dkim_hash *ret);

/* One line, with = at its end where it must be. */
struct str dkim_base64(struct arena *a, struct str bytes);

/*
 * A public RSA key, DER: SubjectPublicKeyInfo, or the bare RSAPublicKey of
 * RFC 8017 that some publish.  `*ret` is the SubjectPublicKeyInfo, the same for
 * the same key.  False: it is neither.
 */
MUST_CHECK bool dkim_public_rsa(
    struct arena *a, struct str der, struct str *ret, unsigned *ret_bits);

/* A private key; any number of threads may sign with it. */
struct dkim_private;

/*
 * Read a key without a password: PEM, the same in base64 on one line, or
 * Ed25519's 32 bytes in base64 (dknewkey(1)).  Lives as long as `a`.  NULL:
 * `*ret_why`.  What was decoded on the way is wiped; `text` is the caller's.
 */
struct dkim_private *dkim_private_read(
    struct arena *a, struct str text, const char **ret_why);
bool dkim_private_is_ed25519(const struct dkim_private *key);
unsigned dkim_private_bits(const struct dkim_private *key);
/* SubjectPublicKeyInfo, or Ed25519's 32 bytes. */
struct str dkim_private_public(const struct dkim_private *key);
/* RSASSA-PKCS1-v1_5, or Ed25519 over the hash.  False: libcrypto failed. */
MUST_CHECK bool dkim_private_sign(struct arena *a,
    const struct dkim_private *key, const struct dkim_hash *hash,
    struct str *ret);

/* Overwrite what was secret. */
void dkim_wipe(void *p, size_t size);

#endif
