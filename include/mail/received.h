/* SPDX-License-Identifier: BSD-2-Clause */
/* received -- one Received field (RFC 5321 section 4.4, and what Postfix,
 * Sendmail, Exim, qmail, Exchange and Dovecot make of it). */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include "base/str.h"

struct arena;

struct received {
	struct str helo; /* what the client called itself */
	struct str name; /* as the server resolved it; empty, "unknown": not
			  */
	struct str
	    address;      /* of the client: "192.0.2.1", "2001:db8::1"; without
			     brackets or "IPv6:"; empty: none is told */
	struct str by;    /* the server's own name, lower case */
	struct str with;  /* "ESMTPSA", ... upper case */
	struct str id;    /* queue id */
	struct str rcpt;  /* of "for <...>"; empty: none */
	struct str login; /* "(Authenticated sender: X)" */
	struct str user;  /* "(Postfix, from userid 33)", "(from x@localhost)":
			     handed over by a program of that host; the userid
			     or name */
	bool has_from;    /* there is a from clause: it came by the network */
};

/*
 * Read `value`, what stands behind the colon, folds inside, any bytes.  False:
 * there is no "by" clause, so nobody says who wrote it, or what is the server's
 * cannot be told from what the client said; `*ret` is written all the same, as
 * qmail's "(qmail 1 invoked by uid 33)" has a user.  The client's address is
 * the one that the server wrote, never one the client told in its greeting;
 * empty if that is not sure.  Texts live in `a` or in `value`.
 */
MUST_CHECK bool received_parse(
    struct arena *a, struct str value, struct received *ret);

#endif
