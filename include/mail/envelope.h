/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * envelope -- who hands the message over, to whom: what the message itself does
 * not say.
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include "base/str.h"

/* One row a class; the order is also the order of messages in statistics. */
enum mail_class {
	CLASS_SUBMISSION, /* logged in (SASL) */
	CLASS_LOCAL,      /* sendmail(1), pickup */
	CLASS_RELAY,      /* client in a trusted network, no login */
	CLASS_NOTICE,     /* null sender or auto-generated */
	CLASS_INBOUND,    /* none of these: never filtered */
	CLASS_COUNT
};

/* How the MTA takes it over, and so what it will write into its own Received
 * field; see trace.h.  What a MTA does not tell is empty. */
struct handover {
	struct str by;     /* the MTA's name for itself, macro j */
	struct str mta;    /* macro v: "Postfix 3.7.11", "8.17.1.9" */
	struct str config; /* macro Z, Sendmail's */
	struct str client; /* macro _, "name [addr]", with Sendmail's remarks */
	struct str with; /* macro r, Sendmail's; else known by login and TLS */
	struct str tls_version, cipher, cipher_bits, verify;
	struct str auth_ssf;
	int64_t time;     /* seconds since 1970 */
	bool is_internal; /* from the MTA's own pickup or bounce, not by SMTP */
};

struct envelope {
	enum mail_class class;
	struct str from;  /* reverse path without < >; empty: null sender */
	struct strs rcpt; /* forward paths without < > */
	struct str login; /* normalised {auth_authen}; empty: not logged in */
	struct str client_addr; /* "192.0.2.7", "2001:db8::1"; empty: none */
	struct str client_name; /* as the MTA resolved it; empty or "[addr]" */
	struct str helo;
	struct str queue_id;
	struct str daemon_name;
	/* NULL: not known; rules see the Received fields that are there. */
	const struct handover *handover;
	bool is_guessed; /* `from` was taken from the message's own fields */
};

/* "submission", "local", ... */
struct str mail_class_name(enum mail_class class);
/* False: no such class. */
MUST_CHECK bool mail_class_parse(struct str name, enum mail_class *ret);

#endif
