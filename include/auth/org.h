/* SPDX-License-Identifier: BSD-2-Clause */
/* org -- domain names as SPF, DKIM and DMARC compare them, and the
 * organisational domain by the public suffix list. */
#ifndef AUTH_ORG_H
#define AUTH_ORG_H

#include "base/str.h"

struct arena;

/*
 * `domain` in A-labels, lower case, without the final dot (RFC 5890, RFC 8616).
 * Empty: it is no domain name (RFC 1035: labels of 1-63 bytes, 253 in all,
 * letters, digits, - and _), or what is beyond ASCII in it is no U-label.
 */
struct str domain_normal(struct arena *a, struct str domain);

/*
 * RFC 7489 section 3.2 with the whole public suffix list, private section too:
 * the registrable domain of `domain`, a normal one; `domain` itself if it is a
 * public suffix.  A view into `domain`.  The list is the newer of libpsl's own
 * and the system's, read at the first call.
 */
struct str domain_registrable(struct arena *a, struct str domain);

/* `domain` is `parent` or ends in "." and `parent`; both are normal. */
bool domain_is_under(struct str domain, struct str parent);

#endif
