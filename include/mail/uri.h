/* SPDX-License-Identifier: BSD-2-Clause */
/* uri -- links of a message, and the cleaned variants that rules see. */
#ifndef MAIL_URI_H
#define MAIL_URI_H

#include "base/str.h"
#include "mail/message.h"

struct arena;
struct table;

/*
 * Last labels that make a schemeless word a link.  From util_rb_tld lines if a
 * rule set has them, otherwise the public suffix list (libpsl).
 */
struct tld_set;
/*
 * Lists of util_rb_tld ("com"), util_rb_2tld ("co.uk") and util_rb_3tld.  With
 * no `tlds`: the public suffix list.  NULL is an empty list.
 */
struct tld_set *tld_set_new(struct arena *a, const struct strs *tlds,
    const struct strs *two_level, const struct strs *three_level);
/* `label` is a top-level domain; case is folded. */
bool tld_set_has(const struct tld_set *set, struct str label);
/* Registrable part of `host` ("a.b.co.uk": "b.co.uk"), lower case; empty: none.
 */
struct str tld_domain(
    struct arena *a, const struct tld_set *set, struct str host);

/* One link as it stands in the message and what rules see of it. */
struct uri {
	struct str raw;
	bool is_unicode;    /* `raw` and `cleaned`: see struct html_link */
	bool is_parsed;     /* found in text, maybe in HTML as well */
	bool is_schemeless; /* there without a scheme: one was put before it */
	bool is_unlinked;   /* and with nothing that tells a reader of a link */
	bool is_signer;     /* `raw` names who signed, "domainkeys:d.example" */
	struct strs tags;   /* HTML tags it came from */
	struct strs
	    anchors; /* texts of the <a> tags that lead to it, each once */
	struct strs cleaned; /* variants, `raw` included */
};

struct uris {
	struct uri *v;
	size_t n;
	size_t cap;
	bool is_cut;       /* limits.uris or limits.variant_bytes ended it */
	bool is_truncated; /* one was longer than limits.uri_bytes */
};

/* Every link of the message, at most limits.uris; made once. */
const struct uris *message_uri_list(struct message *m);

/* A link in text, with a scheme; see struct uri. */
struct text_link {
	struct str url;
	bool is_schemeless, is_unlinked;
};
struct text_links {
	struct text_link *v;
	size_t n;
	size_t cap;
};
/*
 * Links found in one paragraph of plain text (SpamAssassin's schemed and
 * schemeless forms), with the scheme that is missing, added to `ret`.  `seen`
 * has what was looked at before, a link or not: that is not looked at again.
 */
void uri_find(struct arena *a, struct str text,
    const struct mail_config *config, struct table *seen,
    struct text_links *ret);
/* Who knows where links lead on to, for one message; rules/redirector.c. */
struct redirector {
	/* A view into `uri`; false: it leads nowhere else. */
	bool (*find)(struct redirector *r, struct str uri, struct str *ret);
};
/*
 * The variants of `uri` after uri_list_canonicalize, `uri` itself included,
 * each once, added to `ret`.  `is_unicode`: see struct html_link;
 * `redirector`: NULL, nobody knows.  True: one was longer than limits.uri_bytes
 * and is cut.
 */
bool uri_variants(struct arena *a, struct str uri, bool is_unicode,
    const struct mail_config *config, struct redirector *redirector,
    struct strs *ret);
/*
 * Registrable domain, or address, that `uri` leads to, lower case; a host
 * without a scheme will do.  Empty: none, or its top-level domain is not known.
 * What SpamAssassin's uri_to_domain gives, which knows no U-labels.
 */
struct str uri_domain(
    struct arena *a, const struct mail_config *config, struct str uri);
/*
 * The host of a link with whatever scheme but javascript, cid and file, as
 * SpamAssassin keeps it, in lower case; empty: it is neither an address nor an
 * ASCII name under a real TLD.
 */
struct str uri_named_host(
    struct arena *a, const struct mail_config *config, struct str uri);
/* Host of an http(s), ftp or mailto link, lower case, A-labels; empty: none. */
struct str uri_host(struct arena *a, struct str uri);

#endif
