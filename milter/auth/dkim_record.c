/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_record -- published keys: read once, then from the cache. */
#include "auth/dkim_record.h"

#include "auth/dkim_crypto.h"
#include "auth/dkim_tag.h"
#include "base/arena.h"
#include "base/clock.h"
#include "mail/transfer.h"

#define TEXT_MAX ((size_t)16 << 10)
#define ED25519_SIZE 32
#define ED25519_BITS 256

static void
set(struct dkim_key_record *record, enum dkim_key_status status,
    const char *why)
{
	record->status = status;
	record->why = why;
}

/* Section 3.2, blanks taken out; quotes of a zone file are a usual mistake. */
static bool
is_base64(struct str text)
{
	for (unsigned i = 0; i < 2 && str_ends(text, STR("=")); i++)
		text.len--;
	for (size_t i = 0; i < text.len; i++)
		if (!char_is_alnum(text.p[i]) && text.p[i] != '+' &&
		    text.p[i] != '/')
			return false;
	return true;
}

static void
read_key(struct arena *a, struct str text, struct dkim_key_record *ret)
{
	if (!is_base64(text)) {
		set(ret, DKIM_KEY_BROKEN, "the published key is no base64");
		return;
	}
	struct str der = transfer_base64(a, text);
	if (str_eq(ret->type, STR("rsa"))) {
		if (!dkim_public_rsa(a, der, &ret->key, &ret->bits))
			set(ret, DKIM_KEY_BROKEN,
			    "the published key cannot be decoded");
	} else if (!str_eq(ret->type, STR("ed25519"))) {
		set(ret, DKIM_KEY_BROKEN,
		    "the published key is of an unknown type");
	} else if (der.len != ED25519_SIZE) {
		/* RFC 8463 section 4.2: the bare bytes, no ASN.1 around. */
		set(ret, DKIM_KEY_BROKEN,
		    "the published Ed25519 key is not 32 bytes");
	} else {
		ret->key = der;
		ret->bits = ED25519_BITS;
	}
}

static void
read_tags(
    struct arena *a, const struct dkim_tags *tags, struct dkim_key_record *ret)
{
	struct str flags = dkim_tags_get(tags, "t");
	struct str hashes = dkim_tags_get(tags, "h");
	struct str services = dkim_tags_get(tags, "s");
	ret->is_test = dkim_list_has(flags, "y");
	ret->is_strict = dkim_list_has(flags, "s");
	ret->allows_sha256 =
	    !dkim_tags_have(tags, "h") || dkim_list_has(hashes, "sha256");
	ret->allows_email = !dkim_tags_have(tags, "s") ||
			    dkim_list_has(services, "*") ||
			    dkim_list_has(services, "email");
	if (dkim_tags_have(tags, "k"))
		ret->type = str_lower(a, dkim_tags_get(tags, "k"));
	struct str key = dkim_tags_get(tags, "p");
	if (key.len == 0)
		set(ret, DKIM_KEY_REVOKED, "the key is revoked");
	else
		read_key(a, key, ret);
}

/* Somebody meant it to be a key, though it is no list of tags. */
static bool
is_meant(struct str text)
{
	text = str_trim(text);
	return str_istarts(text, STR("v=DKIM")) ||
	       str_starts(text, STR("k=")) || str_starts(text, STR("p="));
}

void
dkim_key_record_parse(
    struct arena *a, struct str text, struct dkim_key_record *ret)
{
	*ret = (struct dkim_key_record){.status = DKIM_KEY_OK,
	    .why = "",
	    .text = str_dup(a, str_sub(text, 0, TEXT_MAX)),
	    .type = STR("rsa"),
	    .key = STR_EMPTY};
	struct dkim_tags tags;
	const char *why = text.len > TEXT_MAX
			      ? "it is too long"
			      : dkim_tags_read(a, ret->text, &tags);
	if (why != NULL) {
		bool is_key = is_meant(text);
		set(ret, is_key ? DKIM_KEY_BROKEN : DKIM_KEY_NONE,
		    is_key ? "the key record cannot be read"
			   : "no key is published");
		return;
	}
	bool has_version = dkim_tags_have(&tags, "v");
	/* Section 3.6.1: v= comes first, and another version is not for us. */
	if (has_version && (!str_eq(tags.v[0].name, STR("v")) ||
			       !str_eq(tags.v[0].value, STR("DKIM1"))))
		set(ret, DKIM_KEY_NONE, "no key is published");
	else if (dkim_tags_have(&tags, "p"))
		read_tags(a, &tags, ret);
	else
		set(ret, has_version ? DKIM_KEY_BROKEN : DKIM_KEY_NONE,
		    has_version ? "the key record has no p="
				: "no key is published");
}

/* The one key of an answer. */
static void
answer_read(struct arena *a, const struct dns_answer *answer,
    struct dkim_key_record *ret)
{
	*ret = (struct dkim_key_record){.status = DKIM_KEY_NONE,
	    .why = "no key is published",
	    .text = STR_EMPTY,
	    .type = STR_EMPTY,
	    .key = STR_EMPTY};
	size_t n = 0;
	for (size_t i = 0; i < answer->records.n; i++) {
		struct dkim_key_record one;
		dkim_key_record_parse(a, answer->records.v[i], &one);
		if (one.status == DKIM_KEY_NONE)
			continue;
		if (n++ == 0)
			*ret = one;
	}
	if (n > 1)
		set(ret, DKIM_KEY_BROKEN, "more than one key is published");
	ret->ttl_s = answer->ttl_s;
}

static const struct dkim_key_record *
record_new(struct arena *a, const struct dns_answer *answer)
{
	struct dkim_key_record *record = ARENA_NEW(a, struct dkim_key_record);
	answer_read(a, answer, record);
	return record;
}

static const struct dkim_key_record *
record_temp(struct arena *a)
{
	static const struct dkim_key_record temp = {.status = DKIM_KEY_TEMP,
	    .why = "the key was not answered",
	    .text = {"", 0},
	    .type = {"", 0},
	    .key = {"", 0}};
	struct dkim_key_record *record = ARENA_NEW(a, struct dkim_key_record);
	*record = temp;
	return record;
}

const struct dkim_key_record *
dkim_key_record_get(struct arena *a, struct resolver *r, struct cache *cache,
    struct str selector, struct str domain, struct dns_budget *budget)
{
	struct str name = str_printf(
	    a, "%.*s._domainkey.%.*s", STR_ARG(selector), STR_ARG(domain));
	struct str key = str_printf(a, "dkim:%.*s", STR_ARG(name));
	const struct dkim_key_record *record =
	    cache_get(cache, a, key, clock_ms());
	if (record != NULL)
		return record;
	struct dns_answer answer;
	resolver_ask(r, a, name, DNS_TXT, budget, &answer);
	if (answer.status == DNS_TEMP)
		return record_temp(a);
	struct arena *owner = arena_new_small();
	record = record_new(owner, &answer);
	return cache_put(cache, a, key, owner, record,
	    CACHE_COST + key.len + arena_used(owner),
	    clock_ms() + (int64_t)answer.ttl_s * 1000);
}
