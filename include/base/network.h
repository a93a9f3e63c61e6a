/* SPDX-License-Identifier: BSD-2-Clause */
/* network -- lists of addresses and CIDR blocks (RFC 4632, RFC 4291), as the
 * configuration has them. */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include "base/str.h"

/* "192.0.2.0/24", "2001:db8::/32", or one address; host bits may be set. */
MUST_CHECK bool network_is_valid(struct str network);
/*
 * `address` lies in one of `networks`.  An IPv4 address mapped into IPv6
 * (::ffff:192.0.2.1) is that IPv4 address.  False for what is no address.
 */
bool network_has(const struct strs *networks, struct str address);

/* Of this host itself: 127.0.0.0/8, ::1. */
bool network_is_loopback(struct str address);

#endif
