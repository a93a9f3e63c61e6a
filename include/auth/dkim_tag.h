/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_tag -- tag=value; tag=value (RFC 6376 section 3.2), in signatures and in
 * key records.  Folding blanks inside a value go: no value that is read here
 * may have them but h= and base64, where they mean nothing.
 */
#ifndef AUTH_DKIM_TAG_H
#define AUTH_DKIM_TAG_H

#include "base/str.h"

struct arena;

struct dkim_tag {
	struct str name, value;
};

struct dkim_tags {
	struct dkim_tag *v;
	size_t n, cap;
};

/*
 * Read `text`, any bytes.  Names that differ in case only are the same here, so
 * that a list of which others could read another meaning is refused.  NULL: it
 * is a list of tags; else what is wrong, static.
 */
MUST_CHECK const char *dkim_tags_read(
    struct arena *a, struct str text, struct dkim_tags *ret);

bool dkim_tags_have(const struct dkim_tags *tags, const char *name);
/* Empty: there is none, or it is empty. */
struct str dkim_tags_get(const struct dkim_tags *tags, const char *name);
/* `word` is one of the words of `list`, between colons; case is folded. */
bool dkim_list_has(struct str list, const char *word);

#endif
