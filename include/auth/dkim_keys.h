/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_keys -- our signing keys and which address they sign for: OpenDKIM's
 * KeyTable and SigningTable, read as they are (opendkim.conf(5)).  Immutable
 * once loaded.
 */
#ifndef AUTH_DKIM_KEYS_H
#define AUTH_DKIM_KEYS_H

#include <sys/types.h>

#include "auth/cache.h"
#include "auth/dkim_crypto.h"
#include "auth/resolver.h"
#include "base/diag.h"
#include "base/option.h"

struct dkim_keys;
/* A private key, loaded; any number of threads may sign with it. */
struct dkim_key;

struct dkim_tables {
	/*
	 * A path, with "file:" or "refile:" before it as OpenDKIM has it;
	 * refile: patterns with *.  Without one of these words a SigningTable
	 * is a refile if it has a * that a plain file could not mean ("*" and
	 * "user@*" it could).  Empty: none.
	 */
	struct str key_table, signing_table;
	/*
	 * Who must be able to read the key files when root is gone: files of
	 * others, or that others may read or write, are refused.
	 */
	uid_t user;
	gid_t group;
	unsigned min_bits; /* RSA keys that are shorter are refused */
	const struct option_lines *lines; /* for errors; NULL: of no file */
};

/* `table` is empty, or says of a file where it is; of OpenDKIM's other kinds,
 * none does. */
bool dkim_table_has_form(struct str table);

/* NULL: errors are in `diags` with file:line.  Both tables empty: no keys. */
struct dkim_keys *dkim_keys_load(
    const struct dkim_tables *tables, struct diags *diags);
/*
 * The same from texts instead of the tables' files, whose names only tell the
 * kind and whom to blame.
 */
struct dkim_keys *dkim_keys_parse(const struct dkim_tables *tables,
    struct str key_text, struct str signing_text, struct diags *diags);
void dkim_keys_free(struct dkim_keys *keys);
size_t dkim_keys_count(const struct dkim_keys *keys);
/* In the order of the KeyTable; NULL past the last one. */
const struct dkim_key *dkim_keys_at(const struct dkim_keys *keys, size_t i);

/* A key with the names it signs under. */
struct dkim_signer {
	const struct dkim_key *key;
	struct str domain, selector; /* d=, s=; normal */
	struct str identity; /* i=, from the SigningTable; empty: none */
};

/*
 * The keys for mail from `address` ("Alice@Example.COM"; the domain may have
 * U-labels): those of the first pattern that matches, one from each line that
 * has this pattern, so that a mail gets an RSA and an Ed25519 signature.  At
 * most `max`; returns how many.
 */
size_t dkim_signers_for(struct arena *a, const struct dkim_keys *keys,
    struct str address, struct dkim_signer *ret, size_t max);

/* "%": the sender's. */
struct str dkim_key_domain(const struct dkim_key *key);
struct str dkim_key_selector(const struct dkim_key *key);
struct str dkim_key_file(const struct dkim_key *key);
bool dkim_key_is_ed25519(const struct dkim_key *key);
const struct dkim_private *dkim_key_private(const struct dkim_key *key);
/* The TXT record to publish: "v=DKIM1; k=rsa; p=...". */
struct str dkim_key_record_text(struct arena *a, const struct dkim_key *key);

/* The published record against the key. */
enum dkim_match {
	DKIM_MATCHES,
	DKIM_MISSING,
	DKIM_REVOKED,
	DKIM_DIFFERS, /* another key, or one that cannot be used */
	DKIM_UNKNOWN  /* not answered */
};
struct str dkim_match_name(enum dkim_match match);
enum dkim_match dkim_key_match(struct arena *a, struct resolver *r,
    struct cache *cache, const struct dkim_signer *signer,
    struct dns_budget *budget);

#endif
