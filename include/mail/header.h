/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header -- fields, their decoded values, and the selectors of `header` rules.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/bits.h"
#include "mail/message.h"

/*
 * Read header fields from the start of `text` into `*ret`; returns what is
 * behind the header block (RFC 5322 section 2.2, and the leniency of
 * SpamAssassin: it ends at an empty line, at a line that starts with --, or at
 * the fourth line that is no field).  `is_crlf`: lines end in \r\n; values
 * are stored with \n.
 */
struct str headers_parse(struct arena *a, struct str text, bool is_crlf,
    const struct mail_limits *limits, struct headers *ret);
/* `line` starts with printable ASCII, optional blanks and a colon. */
bool header_is_field(struct str line);
/* A number that other names seldom have, case folded. */
uint8_t header_name_key(struct str name);
/* False: no field has a name with that key. */
static inline bool
headers_may_have(const struct headers *headers, uint8_t key)
{
	return bits_has(headers->keys, key);
}

/*
 * The first field of that name, its case folded, from place `from` on;
 * headers->n: none.
 */
size_t headers_find(
    const struct headers *headers, struct str name, size_t from);
/* Add one field; `raw` is what stands behind the colon. */
void headers_add(
    struct arena *a, struct headers *headers, struct str name, struct str raw);

/* The last (first) field of that name that is in the message; NULL: none.  Case
 * is folded. */
struct header *header_last(const struct headers *headers, struct str name);
struct header *header_first(const struct headers *headers, struct str name);

/* Decoded value (RFC 2047), made on first use. */
struct str header_value(struct message *m, struct header *header);
/* The same and a \n, as `header` and `mimeheader` rules see it. */
struct str header_line(struct message *m, struct header *header);
/* The decoded value of a field of words for people: see charset_readable(). */
struct str header_readable(struct arena *a, const struct header *header);
/* The decoded value of the last field of that name; empty: none. */
struct str headers_value(
    struct arena *a, const struct headers *headers, struct str name);
/* `text` without line ends, RFC 2047 words and stray bytes made UTF-8. */
struct str header_decode(struct arena *a, struct str text);

/* What stands between `header NAME` and the operator. */
enum header_special {
	HEADER_PLAIN,
	HEADER_ALL,           /* ALL */
	HEADER_TOCC,          /* ToCc */
	HEADER_MESSAGEID,     /* MESSAGEID */
	HEADER_ENVELOPE_FROM, /* EnvelopeFrom: from the SMTP envelope */
	/* ALL-TRUSTED, ...: ALL from or up to the hop where trust ends. */
	HEADER_ALL_TRUSTED,
	HEADER_ALL_UNTRUSTED,
	HEADER_ALL_INTERNAL,
	HEADER_ALL_EXTERNAL,
	/* X-Spam-Relays-Trusted, ...: see relay.h. */
	HEADER_RELAYS_TRUSTED,
	HEADER_RELAYS_UNTRUSTED,
	HEADER_RELAYS_INTERNAL,
	HEADER_RELAYS_EXTERNAL,
	/* Postern's own, from the envelope; mail cannot forge them. */
	HEADER_ENVELOPE_TO, /* X-Postern-Rcpt: one recipient a line */
	HEADER_LOGIN,       /* X-Postern-Login */
	HEADER_CLASS,       /* X-Postern-Class */
	HEADER_CLIENT,      /* X-Postern-Client: "addr name" */
	HEADER_HELO         /* X-Postern-Helo */
};

struct header_query {
	enum header_special special;
	struct str name; /* HEADER_PLAIN only */
	uint8_t key;     /* header_name_key() of it */
	bool is_made;    /* without such a field it is made of others */
	bool is_raw;     /* :raw */
	bool is_addr;    /* :addr */
	bool is_name;    /* :name */
	bool is_first;   /* :first */
	bool is_last;    /* :last */
	bool is_host;    /* :host */
	bool is_domain;  /* :domain */
	bool is_ip;      /* :ip */
	bool is_revip;   /* :revip */
};

/*
 * "From:addr", "ALL:raw", "Subject", ... False: a modifier that is unknown or
 * not supported.  Views in `*ret` point into `text`.
 */
MUST_CHECK bool header_query_parse(struct str text, struct header_query *ret);

/* Where one string is wanted, the first of this query is meant. */
bool header_query_is_one(const struct header_query *query);

/* The string a rule with this query runs on; false: no such header. */
MUST_CHECK bool header_query_run(
    struct message *m, const struct header_query *query, struct str *ret);

/* The same, one string a field, an address or a name, added to `ret`. */
void header_query_list(
    struct message *m, const struct header_query *query, struct strs *ret);

#endif
