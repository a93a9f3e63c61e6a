/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_ip -- IP addresses in text, as SpamAssassin 4.0.1 finds them: where a
 * word ends, which spellings count, which addresses are private.  What an
 * address really is, base/ip.h knows.
 */
#ifndef MAIL_RELAY_IP_H
#define MAIL_RELAY_IP_H

#include "base/str.h"

/* How many ends an address may have at one place; the longest comes first. */
#define RELAY_IP_ENDS 2

/*
 * Ends of an address that starts at `at` in `text`: "192.0.2.1", "2001:db8::1",
 * "::ffff:192.0.2.1", each but the first perhaps with "IPv6:" in front. Returns
 * how many there are.
 */
size_t relay_ip_ends(
    struct str text, size_t at, size_t ret_ends[RELAY_IP_ENDS]);
/* The same for what a host calls itself: 127.0.0.1, ::1, localhost. */
size_t relay_ip_local_ends(
    struct str text, size_t at, size_t ret_ends[RELAY_IP_ENDS]);

/* All of `text` is one IPv4 address. */
bool relay_ip_is_v4(struct str text);
/*
 * `text` starts as an address of a private, local or link-local net (RFC 1918,
 * 1122, 3927, 6598, 4291); fc00::/7 is none of them to SpamAssassin.
 */
bool relay_ip_is_private(struct str text);
/* There is an address somewhere in `text`: `*ret` is the first. */
MUST_CHECK bool relay_ip_find(struct str text, struct str *ret);
/* The same for one that is a word, with no dot before or behind it. */
MUST_CHECK bool relay_ip_find_word(struct str text, struct str *ret);

#endif
