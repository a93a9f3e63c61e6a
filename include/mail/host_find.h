/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_find -- the host and the address that a header field speaks of, where
 * SpamAssassin's modifiers :host and :ip find them.
 */
#ifndef MAIL_HOST_FIND_H
#define MAIL_HOST_FIND_H

#include "base/str.h"

struct arena;
struct mail_config;

/*
 * The host in `text`: behind the last @ of a line that has one behind it, else
 * the first one; as it is written.  Empty: none with a top-level domain that is
 * known.
 */
struct str host_find(
    struct arena *a, const struct mail_config *config, struct str text);

/*
 * The address `ip` backwards, as blocklists are asked: "7.2.0.192", IPv6 a
 * digit a label.  Empty: it is none.
 */
struct str ip_reversed(struct arena *a, struct str ip);

#endif
