/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_crypto -- the one file of auth that names OpenSSL.  OpenSSL 3 looks an
 * algorithm up under locks each time it is asked by name, which costs more than
 * the hash of a small mail and makes threads wait; so the digest is fetched
 * once, and each key keeps a context that is ready to sign and is copied.
 */
#include "auth/dkim_crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "base/arena.h"
#include "base/log.h"

#define KEY_TEXT_MAX ((size_t)64 * 1024)
#define ED25519_SIZE 32

static EVP_MD *sha256;

/* libcrypto without SHA-256 is a broken installation, or memory is out. */
static void
must(int is_fine)
{
	if (is_fine != 1)
		log_fatal("libcrypto: SHA-256 does not work");
}

static void
sha256_fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	must(sha256 != NULL);
}

static const EVP_MD *
sha256_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, sha256_fetch);
	return sha256;
}

struct dkim_hasher *
dkim_hasher_begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	must(ctx != NULL);
	must(EVP_DigestInit_ex2(ctx, sha256_get(), NULL));
	return (struct dkim_hasher *)ctx;
}

void
dkim_hasher_add(struct dkim_hasher *hasher, struct str bytes)
{
	must(EVP_DigestUpdate((EVP_MD_CTX *)hasher, bytes.p, bytes.len));
}

void
dkim_hasher_end(struct dkim_hasher *hasher, struct dkim_hash *ret)
{
	must(EVP_DigestFinal_ex((EVP_MD_CTX *)hasher, ret->bytes, NULL));
	EVP_MD_CTX_free((EVP_MD_CTX *)hasher);
}

void
dkim_wipe(void *p, size_t size)
{
	OPENSSL_cleanse(p, size);
}

struct str
dkim_base64(struct arena *a, struct str bytes)
{
	if (bytes.len > INT32_MAX / 2)
		log_fatal("base64 of %zu bytes", bytes.len);
	unsigned char *text = arena_alloc(a, (bytes.len + 2) / 3 * 4 + 1);
	int len = EVP_EncodeBlock(
	    text, (const unsigned char *)bytes.p, (int)bytes.len);
	return str_of((const char *)text, (size_t)len);
}

/* ---- public keys */

static void
pkey_release(void *arg)
{
	EVP_PKEY_free(arg);
}

static struct str
public_info(struct arena *a, EVP_PKEY *pkey)
{
	int size = i2d_PUBKEY(pkey, NULL);
	if (size <= 0)
		return STR_EMPTY;
	unsigned char *der = arena_alloc(a, (size_t)size);
	unsigned char *end = der;
	size = i2d_PUBKEY(pkey, &end);
	return size <= 0 ? STR_EMPTY : str_of((const char *)der, (size_t)size);
}

static EVP_PKEY *
public_rsa_decode(struct str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)der.len);
	p = (const unsigned char *)der.p;
	if (pkey == NULL)
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.len);
	if (pkey != NULL && !EVP_PKEY_is_a(pkey, "RSA")) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	ERR_clear_error();
	return pkey;
}

bool
dkim_public_rsa(
    struct arena *a, struct str der, struct str *ret, unsigned *ret_bits)
{
	if (der.len == 0 || der.len > KEY_TEXT_MAX)
		return false;
	EVP_PKEY *pkey = public_rsa_decode(der);
	if (pkey == NULL)
		return false;
	int bits = EVP_PKEY_get_bits(pkey);
	struct str info = public_info(a, pkey);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	if (bits <= 0 || info.len == 0)
		return false;
	*ret = info;
	*ret_bits = (unsigned)bits;
	return true;
}

/* ---- private keys */

struct dkim_private {
	bool is_ed25519;
	unsigned bits;
	size_t size; /* of a signature, at most */
	struct str public;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *rsa;   /* ready to sign: copied, never used itself */
	EVP_MD_CTX *ed25519; /* the same */
};

/* Decoded bytes of a key, wiped when they are done with. */
struct secret {
	unsigned char *p;
	size_t len;
	size_t size;
};

static void
secret_done(struct secret *s)
{
	OPENSSL_clear_free(s->p, s->size);
}

/* `text` has nothing but base64 and blanks. */
static bool
secret_decode(struct str text, struct secret *ret)
{
	*ret = (struct secret){.size = text.len + 4};
	ret->p = OPENSSL_zalloc(ret->size);
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	must(ret->p != NULL && ctx != NULL);
	EVP_DecodeInit(ctx);
	int len = 0, end = 0;
	bool is_fine = EVP_DecodeUpdate(ctx, ret->p, &len,
			   (const unsigned char *)text.p, (int)text.len) >= 0 &&
		       EVP_DecodeFinal(ctx, ret->p + len, &end) == 1;
	EVP_ENCODE_CTX_free(ctx);
	ret->len = is_fine ? (size_t)(len + end) : 0;
	return ret->len > 0;
}

/* Nobody is asked: a daemon has nobody. */
static int
no_password(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *
pkey_from_pem(struct str text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.len);
	must(bio != NULL);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	return pkey;
}

static EVP_PKEY *
pkey_from_base64(struct str text)
{
	struct secret s;
	EVP_PKEY *pkey = NULL;
	if (secret_decode(text, &s)) {
		const unsigned char *p = s.p;
		pkey = s.len == ED25519_SIZE
			   ? EVP_PKEY_new_raw_private_key(
				 EVP_PKEY_ED25519, NULL, s.p, s.len)
			   : d2i_AutoPrivateKey(NULL, &p, (long)s.len);
	}
	secret_done(&s);
	return pkey;
}

/* A PEM whose lines were joined, as a line of a table must be. */
static struct str
pem_inside(struct str text)
{
	struct str inside = str_skip(text, STR("-----").len);
	inside = str_skip(inside, str_find(inside, STR("-----")) + 5);
	return str_sub(inside, 0, str_find(inside, STR("-----")));
}

static EVP_PKEY *
pkey_read(struct str text)
{
	bool is_pem = str_starts(text, STR("-----BEGIN"));
	if (is_pem && str_chr(text, '\n') == STR_NONE)
		text = pem_inside(text);
	else if (is_pem || str_find(text, STR("-----BEGIN")) != STR_NONE)
		return pkey_from_pem(text);
	return pkey_from_base64(text);
}

static void
ctx_release(void *arg)
{
	EVP_PKEY_CTX_free(arg);
}

static void
md_ctx_release(void *arg)
{
	EVP_MD_CTX_free(arg);
}

static bool
prepare_rsa(struct arena *a, struct dkim_private *key)
{
	key->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	must(key->rsa != NULL);
	arena_on_release(a, ctx_release, key->rsa);
	key->public = public_info(a, key->pkey);
	return EVP_PKEY_sign_init(key->rsa) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(key->rsa, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(key->rsa, sha256_get()) == 1 &&
	       key->public.len > 0;
}

static bool
prepare_ed25519(struct arena *a, struct dkim_private *key)
{
	key->ed25519 = EVP_MD_CTX_new();
	must(key->ed25519 != NULL);
	arena_on_release(a, md_ctx_release, key->ed25519);
	size_t len = ED25519_SIZE;
	unsigned char *bytes = arena_alloc(a, len);
	bool is_fine = EVP_PKEY_get_raw_public_key(key->pkey, bytes, &len) == 1;
	key->public = str_of((const char *)bytes, len);
	return is_fine && EVP_DigestSignInit(
			      key->ed25519, NULL, NULL, NULL, key->pkey) == 1;
}

struct dkim_private *
dkim_private_read(struct arena *a, struct str text, const char **ret_why)
{
	text = str_trim(text);
	*ret_why = "the key cannot be read";
	if (text.len == 0 || text.len > KEY_TEXT_MAX)
		return NULL;
	EVP_PKEY *pkey = pkey_read(text);
	ERR_clear_error();
	if (pkey == NULL)
		return NULL;
	struct dkim_private *key = ARENA_NEW(a, struct dkim_private);
	key->pkey = pkey;
	arena_on_release(a, pkey_release, pkey);
	key->is_ed25519 = EVP_PKEY_is_a(pkey, "ED25519");
	key->bits = (unsigned)EVP_PKEY_get_bits(pkey);
	key->size = (size_t)EVP_PKEY_get_size(pkey);
	*ret_why = "the key is neither RSA nor Ed25519";
	if (!key->is_ed25519 && !EVP_PKEY_is_a(pkey, "RSA"))
		return NULL;
	*ret_why = "libcrypto cannot sign with the key";
	bool is_fine =
	    key->is_ed25519 ? prepare_ed25519(a, key) : prepare_rsa(a, key);
	ERR_clear_error();
	return is_fine ? key : NULL;
}

bool
dkim_private_is_ed25519(const struct dkim_private *key)
{
	return key->is_ed25519;
}

unsigned
dkim_private_bits(const struct dkim_private *key)
{
	return key->bits;
}

struct str
dkim_private_public(const struct dkim_private *key)
{
	return key->public;
}

static bool
sign_rsa(const struct dkim_private *key, const struct dkim_hash *hash,
    unsigned char *ret, size_t *size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(key->rsa);
	bool is_fine = ctx != NULL && EVP_PKEY_sign(ctx, ret, size, hash->bytes,
					  DKIM_HASH_SIZE) == 1;
	EVP_PKEY_CTX_free(ctx);
	return is_fine;
}

static bool
sign_ed25519(const struct dkim_private *key, const struct dkim_hash *hash,
    unsigned char *ret, size_t *size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_fine =
	    ctx != NULL && EVP_MD_CTX_copy_ex(ctx, key->ed25519) == 1 &&
	    EVP_DigestSign(ctx, ret, size, hash->bytes, DKIM_HASH_SIZE) == 1;
	EVP_MD_CTX_free(ctx);
	return is_fine;
}

bool
dkim_private_sign(struct arena *a, const struct dkim_private *key,
    const struct dkim_hash *hash, struct str *ret)
{
	size_t size = key->size;
	unsigned char *bytes = arena_alloc(a, size);
	bool is_fine = key->is_ed25519 ? sign_ed25519(key, hash, bytes, &size)
				       : sign_rsa(key, hash, bytes, &size);
	ERR_clear_error();
	if (is_fine)
		*ret = str_of((const char *)bytes, size);
	return is_fine;
}
