/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay -- the way a message came, hop by hop, as SpamAssassin 4.0.1 reads the
 * Received fields: what stands in X-Spam-Relays-*.  For compatibility of rules
 * only: what may be believed of a Received field is received.h's business.
 */
#ifndef MAIL_RELAY_H
#define MAIL_RELAY_H

#include "mail/message.h"

struct networks;

/* One hop; empty: not told. */
struct relay {
	struct str ip; /* of the client, without brackets */
	struct str rdns;
	struct str helo;
	struct str by;
	struct str ident;
	struct str envfrom;
	struct str id;
	struct str auth;                    /* how the client logged in */
	struct str lc_rdns, lc_helo, lc_by; /* lower case */
	bool is_ip_private;
	bool has_envfrom; /* told, perhaps as the null sender */
	bool has_no_rdns; /* the server looked for a name and found none */
	bool is_internal; /* "intl=1" */
	bool is_msa;      /* "msa=1" */
	bool is_trusted;
	struct str text; /* "[ ip=... rdns=... ]" */
};

struct relays {
	struct relay *v; /* newest first, as the fields stand */
	size_t n, cap;
	size_t n_trusted;   /* v[0..n_trusted) */
	size_t n_internal;  /* v[0..n_internal) */
	size_t unparseable; /* fields that could not be read */
	/*
	 * Received fields, read or not, that trusted (internal) hosts have
	 * added; one more, of the host that trusts, stands below them.
	 */
	size_t fields_trusted, fields_internal;
	/* X-Spam-Relays-Trusted, -Untrusted, -Internal, -External */
	struct str trusted, untrusted, internal, external;
};

/* Made on first use and kept in `m`. */
const struct relays *message_relays(struct message *m);

#endif
