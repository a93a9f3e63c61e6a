/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smtp -- one message to an SMTP server (RFC 5321, 1870, 6152, 6531), strictly:
 * for the MTA on this host.  No TLS, no authentication, no MX.
 */
#ifndef HOLD_SMTP_H
#define HOLD_SMTP_H

#include "hold/inject.h"

struct smtp_options {
	struct str host, port;
	int connect_ms; /* to connect, for each address */
	int command_ms; /* for a reply; the last one gets twice that */
};

/* RFC 5321 section 4.5.3.2: five minutes, and ten for the last reply. */
#define SMTP_COMMAND_MS (5 * 60 * 1000)
#define SMTP_CONNECT_MS (30 * 1000)

/* `in->via` is not looked at. */
MUST_CHECK enum inject_status smtp_send(struct arena *a,
    const struct smtp_options *options, const struct injection *in,
    struct inject_result *ret);

/*
 * `text` as it goes over the wire: every line ended by CRLF, a dot before a
 * leading dot, and the final dot.
 */
struct str smtp_stuff(struct arena *a, struct str text);

#endif
