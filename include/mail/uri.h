/* SPDX-License-Identifier: BSD-2-Clause */
/* uri -- links in text, their parts, and the cleaned variants that rules see. */
#ifndef MAIL_URI_H
#define MAIL_URI_H

#include "base/str.h"
#include "mail/message.h"

struct arena;

/*
 * Last labels that make a schemeless word a link.  From util_rb_tld lines if a
 * rule set has them, otherwise the public suffix list (libpsl).
 */
struct tld_set;
/* With no labels: the public suffix list. */
struct tld_set *tld_set_new(struct arena *a, const struct strs *tlds,
    const struct strs *two_level, const struct strs *three_level);
bool tld_set_has(const struct tld_set *set, struct str label);
/* Registrable domain of `host` ("a.b.co.uk" -> "b.co.uk"); empty: none. */
struct str tld_domain(
    struct arena *a, const struct tld_set *set, struct str host);

/* One link as it stands in the message and what rules see of it. */
struct uri {
	struct str raw;
	bool is_parsed; /* found in text, not in an HTML attribute */
	struct str tag; /* HTML tag it came from; empty: text */
	struct str anchor;
	struct strs cleaned; /* variants */
};

struct uris {
	struct uri *v;
	size_t n;
	size_t cap;
};

/* Every link of the message, at most limits.uris. */
const struct uris *message_uri_list(struct message *m);

/* Links found in plain text (SpamAssassin's schemed and schemeless forms), added to `ret`. */
void uri_find(struct arena *a, struct str text,
    const struct mail_config *config, struct strs *ret);
/* The variants of `uri` after uri_list_canonicalize, `uri` itself included, added to `ret`. */
void uri_variants(struct arena *a, struct str uri,
    const struct mail_config *config, struct strs *ret);
/* Host of an http(s), ftp or mailto link, lower case; empty: none. */
struct str uri_host(struct arena *a, struct str uri);

#endif
