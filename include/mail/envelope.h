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
	bool is_guessed; /* `from` was taken from the message's own fields */
};

/* "submission", "local", ... */
struct str mail_class_name(enum mail_class class);
/* False: no such class. */
MUST_CHECK bool mail_class_parse(struct str name, enum mail_class *ret);

#endif
