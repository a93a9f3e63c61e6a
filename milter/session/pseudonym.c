/* SPDX-License-Identifier: BSD-2-Clause */
/* pseudonym -- a name that only this host can tell again. */
#include "session/pseudonym.h"

#include "base/arena.h"

#define HEX_BYTES 16

static struct str
folded(struct arena *a, struct str s)
{
	char *bytes = arena_alloc(a, s.len);
	for (size_t i = 0; i < s.len; i++)
		bytes[i] = char_lower(s.p[i]);
	return str_of(bytes, s.len);
}

/* `what` tells the uses of the key apart. */
static struct str
hex_of(struct arena *a, const struct mac_key *key, const char *what,
    struct str name)
{
	struct str pieces[] = {STR("postern history v1 "), str_from(what),
	    STR(" "), folded(a, name)};
	struct digest digest;
	mac_of(key, pieces, COUNT_OF(pieces), &digest);
	return str_sub(digest_hex(a, &digest), 0, HEX_BYTES);
}

struct str
pseudonym_of_domain(
    struct arena *a, const struct mac_key *key, struct str domain)
{
	return str_printf(
	    a, "#%.*s", STR_ARG(hex_of(a, key, "domain", domain)));
}

struct str
pseudonym_of(struct arena *a, const struct mac_key *key, struct str name)
{
	size_t at = str_rchr(name, '@');
	if (name.len == 0)
		return STR_EMPTY;
	struct str whole = hex_of(a, key, "name", name);
	if (at == STR_NONE)
		return str_printf(a, "#%.*s", STR_ARG(whole));
	struct str domain = pseudonym_of_domain(a, key, str_skip(name, at + 1));
	return str_printf(a, "#%.*s@%.*s", STR_ARG(whole), STR_ARG(domain));
}
