/* SPDX-License-Identifier: BSD-2-Clause */
/* egress -- the addresses our mail leaves from, as the receiver sees them. */
#ifndef AUTH_EGRESS_H
#define AUTH_EGRESS_H

#include "base/diag.h"
#include "base/option.h"

struct arena;

/*
 * Read the option's value: addresses, or the one word "auto": the addresses of
 * this host's interfaces that the world can reach (not private, RFC 1918, 4193,
 * 6598, not for documentation).  In `*ret` each is in
 * the form of inet_ntop(3), an IPv4 address mapped into IPv6 as IPv4, each
 * once. Empty: they are not known (a host behind NAT).  Trouble goes to `diags`
 * as an error of `option`.
 */
void egress_read(struct arena *a, const struct strs *value,
    const struct option_place *option, struct diags *diags, struct strs *ret);

/* `address` can be reached from anywhere (IANA special-purpose registries). */
bool address_is_public(struct str address);

#endif
