/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_keys -- which keys sign for an address, in OpenDKIM's order of look-ups,
 * and whether what is published is the same key.
 */
#include "auth/dkim_keys.h"

#include "auth/dkim_record.h"
#include "auth/dkim_table.h"
#include "auth/org.h"
#include "base/arena.h"

#define ADDRESS_MAX 1024

void
dkim_keys_free(struct dkim_keys *keys)
{
	if (keys != NULL)
		arena_free(keys->arena);
}

size_t
dkim_keys_count(const struct dkim_keys *keys)
{
	return keys->keys.n;
}

const struct dkim_key *
dkim_keys_at(const struct dkim_keys *keys, size_t i)
{
	return i < keys->keys.n ? keys->keys.v[i] : NULL;
}

/* ---- who signs */

/* i= must be within d= (RFC 6376 section 3.5), or it is left out. */
static struct str
identity_for(struct arena *a, struct str text, struct str sender_domain,
    struct str domain)
{
	if (text.len == 0)
		return STR_EMPTY;
	text = dkim_with_domain(a, text, sender_domain);
	size_t sign = str_rchr(text, '@');
	struct str within = domain_normal(a, str_skip(text, sign + 1));
	if (within.len == 0 || !domain_is_under(within, domain))
		return STR_EMPTY;
	return str_printf(
	    a, "%.*s@%.*s", STR_ARG(str_sub(text, 0, sign)), STR_ARG(within));
}

static bool
signer_of(struct arena *a, const struct dkim_keys *keys,
    const struct dkim_rule *rule, struct str domain, struct dkim_signer *ret)
{
	const struct dkim_row *row =
	    rule->row != NULL ? rule->row : dkim_row_find(keys, domain);
	if (row == NULL)
		return false;
	const struct dkim_key *key =
	    row->key != NULL ? row->key : table_get(row->by_domain, domain);
	if (key == NULL)
		return false;
	ret->key = key;
	ret->domain = str_eq(row->domain, STR("%")) ? domain : row->domain;
	ret->selector = row->selector;
	ret->identity = identity_for(a, rule->identity, domain, ret->domain);
	return true;
}

static bool
is_there(const struct dkim_signer *v, size_t n, const struct dkim_signer *one)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].key == one->key)
			return true;
	return false;
}

/* All lines of one pattern. */
static size_t
signers_of(struct arena *a, const struct dkim_keys *keys,
    const struct dkim_rule *rule, struct str domain, struct dkim_signer *ret,
    size_t max)
{
	size_t n = 0;
	struct dkim_signer one;
	for (; rule != NULL && n < max; rule = rule->next)
		if (signer_of(a, keys, rule, domain, &one) &&
		    !is_there(ret, n, &one))
			ret[n++] = one;
	return n;
}

static const struct dkim_rule *
rule_get(const struct dkim_keys *keys, struct arena *a, struct str user,
    const char *between, struct str domain)
{
	return table_get(
	    keys->rule_by_pattern, str_printf(a, "%.*s%s%.*s", STR_ARG(user),
				       between, STR_ARG(domain)));
}

/* opendkim.conf(5), SigningTable: "For all other database types". */
static const struct dkim_rule *
rule_find_exact(const struct dkim_keys *keys, struct arena *a, struct str user,
    struct str domain)
{
	const struct dkim_rule *rule = rule_get(keys, a, user, "@", domain);
	if (rule == NULL)
		rule = table_get(keys->rule_by_pattern, domain);
	for (size_t dot = str_chr(domain, '.'); rule == NULL && dot != STR_NONE;
	     dot = str_chr(domain, '.')) {
		struct str parent = str_skip(domain, dot);
		rule = rule_get(keys, a, user, "@", parent);
		if (rule == NULL)
			rule = table_get(keys->rule_by_pattern, parent);
		domain = str_skip(parent, 1);
	}
	if (rule == NULL)
		rule = rule_get(keys, a, user, "@", STR("*"));
	return rule != NULL ? rule : table_get(keys->rule_by_pattern, STR("*"));
}

static const struct dkim_rule *
rule_find(const struct dkim_keys *keys, struct arena *a, struct str user,
    struct str domain)
{
	if (!keys->is_refile)
		return rule_find_exact(keys, a, user, domain);
	struct str address =
	    str_printf(a, "%.*s@%.*s", STR_ARG(user), STR_ARG(domain));
	for (size_t i = 0; i < keys->rules.n; i++)
		if (dkim_pattern_matches(keys->rules.v[i]->pattern, address))
			return keys->rules.v[i];
	return NULL;
}

size_t
dkim_signers_for(struct arena *a, const struct dkim_keys *keys,
    struct str address, struct dkim_signer *ret, size_t max)
{
	size_t sign = str_rchr(address, '@');
	if (sign == STR_NONE || address.len > ADDRESS_MAX ||
	    str_chr(address, '\0') != STR_NONE)
		return 0;
	struct str domain = domain_normal(a, str_skip(address, sign + 1));
	if (domain.len == 0)
		return 0;
	struct str user = str_lower(a, str_sub(address, 0, sign));
	return signers_of(
	    a, keys, rule_find(keys, a, user, domain), domain, ret, max);
}

/* ---- one key */

struct str
dkim_key_domain(const struct dkim_key *key)
{
	return key->domain;
}

struct str
dkim_key_selector(const struct dkim_key *key)
{
	return key->selector;
}

struct str
dkim_key_file(const struct dkim_key *key)
{
	return key->file;
}

bool
dkim_key_is_ed25519(const struct dkim_key *key)
{
	return dkim_private_is_ed25519(key->private);
}

const struct dkim_private *
dkim_key_private(const struct dkim_key *key)
{
	return key->private;
}

struct str
dkim_key_record_text(struct arena *a, const struct dkim_key *key)
{
	struct str text = dkim_base64(a, dkim_private_public(key->private));
	return str_printf(a, "v=DKIM1; k=%s; p=%.*s",
	    dkim_key_is_ed25519(key) ? "ed25519" : "rsa", STR_ARG(text));
}

/* ---- what is published */

struct str
dkim_match_name(enum dkim_match match)
{
	static const char *const names[] = {
	    [DKIM_MATCHES] = "matches",
	    [DKIM_MISSING] = "missing",
	    [DKIM_REVOKED] = "revoked",
	    [DKIM_DIFFERS] = "differs",
	    [DKIM_UNKNOWN] = "unknown",
	};
	return str_from(names[match]);
}

/* The very key, and nothing in the record that forbids this use of it. */
static bool
record_fits(
    const struct dkim_key_record *record, const struct dkim_signer *signer)
{
	bool is_same =
	    str_eq(record->type, dkim_key_is_ed25519(signer->key)
				     ? STR("ed25519")
				     : STR("rsa")) &&
	    str_eq(record->key, dkim_private_public(signer->key->private));
	struct str identity = signer->identity;
	struct str within = str_skip(identity, str_rchr(identity, '@') + 1);
	bool is_strict_fine = !record->is_strict || identity.len == 0 ||
			      str_eq(within, signer->domain);
	return is_same && is_strict_fine && record->allows_sha256 &&
	       record->allows_email;
}

enum dkim_match
dkim_key_match(struct arena *a, struct resolver *r, struct cache *cache,
    const struct dkim_signer *signer, struct dns_budget *budget)
{
	const struct dkim_key_record *record = dkim_key_record_get(
	    a, r, cache, signer->selector, signer->domain, budget);
	switch (record->status) {
	case DKIM_KEY_OK:
		return record_fits(record, signer) ? DKIM_MATCHES
						   : DKIM_DIFFERS;
	case DKIM_KEY_NONE:
		return DKIM_MISSING;
	case DKIM_KEY_REVOKED:
		return DKIM_REVOKED;
	case DKIM_KEY_BROKEN:
		return DKIM_DIFFERS;
	case DKIM_KEY_TEMP:
		return DKIM_UNKNOWN;
	}
	return DKIM_UNKNOWN;
}
