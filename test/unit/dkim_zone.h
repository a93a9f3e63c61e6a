/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_zone -- what the tests of DKIM share: keys made on the spot, and a DNS
 * that says what it is told. */
#ifndef TEST_UNIT_DKIM_ZONE_H
#define TEST_UNIT_DKIM_ZONE_H

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "auth/dkim_crypto.h"
#include "auth/resolver.h"
#include "base/clock.h"

#define ZONE_MAX 64

/* One TXT record; `text` NULL: a question that is not answered. */
struct zone {
	struct {
		const char *name;
		struct str text;
		bool is_temp;
	} v[ZONE_MAX];
	size_t n;
};

static inline void
zone_add(struct zone *zone, const char *name, struct str text)
{
	assert_true(zone->n < ZONE_MAX);
	zone->v[zone->n].name = name;
	zone->v[zone->n].text = text;
	zone->v[zone->n++].is_temp = false;
}

static inline void
zone_answer(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	const struct zone *zone = arg;
	ret->ttl_s = 300;
	for (size_t i = 0; i < zone->n; i++) {
		if (type != DNS_TXT || !str_eq(str_from(zone->v[i].name), name))
			continue;
		if (zone->v[i].is_temp)
			ret->status = DNS_TEMP;
		else
			strs_add(a, &ret->records, zone->v[i].text);
	}
	if (ret->status == DNS_OK && ret->records.n == 0)
		ret->status = DNS_NXDOMAIN;
}

static inline struct dns_budget
zone_budget(void)
{
	return (struct dns_budget){
	    .deadline_ms = clock_ms() + 10000, .questions = 50};
}

/* RSA of `bits`; 0: Ed25519. */
static inline EVP_PKEY *
key_new(size_t bits)
{
	EVP_PKEY *key = bits == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
				  : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
	assert_non_null(key);
	return key;
}

/* p= of its record. */
static inline struct str
key_public(struct arena *a, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	assert_true(len > 0);
	struct str bytes = str_of((const char *)der, (size_t)len);
	if (EVP_PKEY_is_a(key, "ED25519"))
		bytes = str_skip(bytes, bytes.len - 32);
	struct str text = dkim_base64(a, bytes);
	OPENSSL_free(der);
	return text;
}

static inline struct str
key_pem(struct arena *a, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	char *p;
	long len = BIO_get_mem_data(bio, &p);
	struct str text = str_dup(a, str_of(p, (size_t)len));
	BIO_free(bio);
	return text;
}

/* The same on one line, as a table has it. */
static inline struct str
key_line(struct arena *a, EVP_PKEY *key)
{
	struct str pem = key_pem(a, key);
	struct buf *b = buf_new(a, pem.len);
	while (pem.len > 0)
		buf_put(b, str_line(&pem));
	return buf_str(b);
}

#endif
