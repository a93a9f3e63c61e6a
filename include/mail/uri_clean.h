/* SPDX-License-Identifier: BSD-2-Clause */
/* uri_clean -- what uri.c and its parts tell each other. */
#ifndef MAIL_URI_CLEAN_H
#define MAIL_URI_CLEAN_H

#include "mail/uri.h"

/*
 * SpamAssassin's url_encode: %XX of visible ASCII decoded, and then what must
 * not stand in a link encoded.
 */
struct str uri_decode_percent(struct arena *a, struct str uri, bool is_unicode);
/* The code of "%41" at `i`, which is in `s`; -1: none there. */
int uri_percent(struct str s, size_t i);
#define VISIBLE_FIRST 0x21
#define VISIBLE_LAST 0x7e
/* Has `uri` a % with two hexadecimal digits? */
bool uri_has_percent(struct str uri);

/* A host name as DNS allows it, with two labels or more; any case. */
bool uri_is_fqdn(struct str host);
/* The last of two labels or more is a top-level domain. */
bool uri_has_tld(const struct mail_config *config, struct str host);
/* One of `variants` has an address for a host, or a name under a real TLD. */
bool uri_has_domain(struct arena *a, const struct strs *variants,
    const struct mail_config *config);

#endif
