/* SPDX-License-Identifier: BSD-2-Clause */
/* pseudonym -- a name that only this host can tell again. */
#include "session/pseudonym.h"

#include "base/arena.h"
#include "base/buf.h"

#define HEX_BYTES 16
#define PSEUDONYM_BYTES 40

static struct str
folded(struct arena *a, struct str s)
{
	char *bytes = arena_alloc(a, s.len);
	for (size_t i = 0; i < s.len; i++)
		bytes[i] = char_lower(s.p[i]);
	return str_of(bytes, s.len);
}

/* "#" and the hash of `name`, already folded; `what` tells the uses of the key
 * apart. */
static void
hash_put(struct buf *b, struct arena *a, const struct mac_key *key,
    struct str what, struct str name)
{
	struct str pieces[] = {STR("postern history v1 "), what, name};
	struct digest digest;
	mac_of(key, pieces, COUNT_OF(pieces), &digest);
	buf_putc(b, '#');
	buf_put(b, str_sub(digest_hex(a, &digest), 0, HEX_BYTES));
}

struct str
pseudonym_of_domain(
    struct arena *a, const struct mac_key *key, struct str domain)
{
	struct buf *b = buf_new(a, PSEUDONYM_BYTES);
	hash_put(b, a, key, STR("domain "), folded(a, domain));
	return buf_str(b);
}

struct str
pseudonym_of(struct arena *a, const struct mac_key *key, struct str name)
{
	struct str lower = folded(a, name);
	size_t at = str_rchr(lower, '@');
	if (name.len == 0)
		return STR_EMPTY;
	struct buf *b = buf_new(a, PSEUDONYM_BYTES);
	buf_reserve(b, PSEUDONYM_BYTES);
	hash_put(b, a, key, STR("name "), lower);
	if (at != STR_NONE) {
		buf_putc(b, '@');
		hash_put(b, a, key, STR("domain "), str_skip(lower, at + 1));
	}
	return buf_str(b);
}
