/* SPDX-License-Identifier: BSD-2-Clause */
/* ip -- addresses and blocks of both families, as SPF compares them.  IPv4 that
 * is mapped into IPv6 (::ffff:192.0.2.1) is IPv4 (RFC 7208 section 5). */
#ifndef BASE_IP_H
#define BASE_IP_H

#include "base/str.h"

struct arena;

struct ip {
	bool is_v6;
	uint8_t b[16]; /* network order; IPv4: the first 4, the others are 0 */
};

/* An address and the number of its leading bits that count. */
struct ip_block {
	struct ip ip;
	unsigned bits; /* 0-32 or 0-128 */
};

/* False: `text` is no address (RFC 4291 section 2.2; IPv4: four decimals
 * without leading zeros). */
MUST_CHECK bool ip_parse(struct str text, struct ip *ret);
/* From the bytes of an A (4) or AAAA (16) record; false: another length.  What
 * an AAAA record says is IPv6, even if it is a mapped address. */
MUST_CHECK bool ip_from_bytes(struct str bytes, struct ip *ret);
/* "192.0.2.1", "2001:db8::1" (RFC 5952). */
struct str ip_text(struct arena *a, const struct ip *ip);
/* 32 or 128. */
unsigned ip_bits(const struct ip *ip);
bool ip_is_within(const struct ip *ip, const struct ip_block *block);

/* Without the bits that do not count. */
void ip_block_mask(struct ip_block *block);
/* All of `inner` is in `outer`. */
bool ip_block_covers(
    const struct ip_block *outer, const struct ip_block *inner);
/* "192.0.2.0/24"; without the length if it is one address. */
struct str ip_block_text(struct arena *a, const struct ip_block *block);

/* The name its PTR records have: "1.2.0.192.in-addr.arpa" (RFC 1035 section
 * 3.5, RFC 3596 section 2.5). */
struct str ip_reverse_name(struct arena *a, const struct ip *ip);

#endif
