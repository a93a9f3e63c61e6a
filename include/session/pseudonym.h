/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pseudonym -- a name that only this host can tell again: what the history
 * keeps of people who are not to be named in it.  The same name gives the same
 * pseudonym, so that a search for it works.
 */
#ifndef SESSION_PSEUDONYM_H
#define SESSION_PSEUDONYM_H

#include "hold/mac.h"

/*
 * "#LOCAL@#DOMAIN" for an address, login or Message-ID with an @, else "#NAME";
 * each is 64 bits of HMAC-SHA256 in hexadecimal, ASCII case ignored; LOCAL
 * depends on the domain, too.  Empty for an empty name, which is a sender.  The
 * bytes are in `a`.
 */
struct str pseudonym_of(
    struct arena *a, const struct mac_key *key, struct str name);
/* "#DOMAIN" as above. */
struct str pseudonym_of_domain(
    struct arena *a, const struct mac_key *key, struct str domain);

#endif
