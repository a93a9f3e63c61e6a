/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_record -- the text of an SPF record (RFC 7208 section 12), cut into its
 * terms.  Strict: what the grammar does not allow is named.  What the terms
 * mean is spf.h's.
 */
#ifndef AUTH_SPF_RECORD_H
#define AUTH_SPF_RECORD_H

#include "base/ip.h"

struct arena;

/* Mechanisms (section 5), then modifiers (section 6). */
enum spf_word {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_EXISTS,
	SPF_IP4,
	SPF_IP6,
	SPF_REDIRECT,
	SPF_EXP,
	SPF_OTHER /* a modifier nobody knows: means nothing */
};

struct spf_term {
	enum spf_word word;
	char qualifier;        /* + - ~ ?; + if it has none */
	struct str text;       /* as published */
	struct str target;     /* domain-spec; empty: the domain itself */
	struct ip_block block; /* SPF_IP4, SPF_IP6; host bits may be set */
	unsigned bits4, bits6; /* SPF_A, SPF_MX */
};

struct spf_record {
	struct spf_term *v; /* in the order of the record */
	size_t n;
	size_t cap;
	const struct spf_term *all; /* the first one; NULL: none */
	const struct spf_term *redirect, *exp;
};

struct spf_fault {
	struct str term; /* the one that is wrong; views into the record */
	const char *why; /* in words; static */
};

/* `text`, one TXT record, is one of SPF's: "v=spf1", then a blank or the end
 * (section 4.5). */
bool spf_record_is(struct str text);

/*
 * Parse `text`, which spf_record_is().  Views in `*ret` point into it.  False:
 * a syntax error, which makes the whole record a permerror (section 4.6), is in
 * `*ret_fault`.
 */
MUST_CHECK bool spf_record_parse(struct arena *a, struct str text,
    struct spf_record *ret, struct spf_fault *ret_fault);

/* One term.  NULL: it is in `*ret`.  Else what is wrong with it. */
const char *spf_term_parse(struct str text, struct spf_term *ret);

/* It makes somebody ask the DNS, so it counts for the limit of 10 (section
 * 4.6.4). */
bool spf_term_asks(const struct spf_term *term);

#endif
