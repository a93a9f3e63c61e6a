/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address -- addresses in header values (RFC 5322 section 3.4) and in the
 * envelope (RFC 5321).
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "mail/message.h"

/*
 * All results of SpamAssassin's :addr (:name) for one raw field value, in
 * order.
 */
void address_read(struct arena *a, struct str raw, struct strs *ret_addrs,
    struct strs *ret_names);
/* One of the two. */
void address_addrs(struct arena *a, struct str raw, struct strs *ret);
void address_names(struct arena *a, struct str raw, struct strs *ret);

/*
 * Behind the last @, without a trailing dot; empty: none.  A view into
 * `address`.
 */
struct str address_domain(struct str address);
/* Before the last @; all of it if there is none. */
struct str address_local(struct str address);

#endif
