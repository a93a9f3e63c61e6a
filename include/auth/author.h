/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * author -- who a message says it is from (RFC 5322 section 3.6.2), for DMARC
 * and for whoever asks whether a login may write under that name.  Receivers do
 * not all read broken fields alike, so what one of them might see is an author
 * here, and the doubt is told.  What to make of it is left to others.
 */
#ifndef AUTH_AUTHOR_H
#define AUTH_AUTHOR_H

#include "auth/dkim_mail.h"

/* What is past one of these is left out; see is_cut. */
#define AUTHORS_MAX 64
#define AUTHOR_DOMAINS_MAX 4
#define AUTHOR_FIELD_BYTES ((size_t)64 * 1024) /* of one field */

struct author {
	/*
	 * local@domain without quotes, blanks and comments; the domain as in
	 * `domain`, or a literal: [192.0.2.1].
	 */
	struct str address;
	struct str domain; /* normal (org.h); empty: a literal */
	/*
	 * Display name, or the comment if there is none: unquoted, RFC 2047
	 * words decoded (those in quotes too, as mail programs do); UTF-8.
	 */
	struct str name;
};

struct authors {
	size_t nfields;   /* From fields */
	struct author *v; /* of all of them, in order */
	size_t n;
	size_t cap;
	struct str domains[AUTHOR_DOMAINS_MAX]; /* each once, in order */
	size_t ndomains;
	/* There is more than the limits above let in. */
	bool is_cut;
	/*
	 * RFC 5322 with its obsolete forms (section 4.4), RFC 6532 and RFC 6854
	 * do not allow what a From field says.  `v` is then every address that
	 * can be seen in it, decoded or not.
	 */
	bool is_malformed;
	/*
	 * Programs are known to disagree about who that is: a broken field with
	 * more than one address in it; a route; blanks or comments inside an
	 * address; comments and encoded words with < in them; control
	 * characters; a blank before the colon; is_cut.  Several From fields,
	 * or several authors in a field as it should be, are not meant.
	 */
	bool is_ambiguous;
	const char *why; /* malformed or ambiguous: what was seen first; static
			  */
	/*
	 * A field that RFC 5322 section 3.6 allows once and that is there more
	 * often: the first such name in the order Sender, Reply-To, To, Cc,
	 * Bcc, Message-ID, In-Reply-To, References, Subject, Date.  Empty:
	 * none.
	 */
	struct str repeated;
};

/* Any bytes; linear time.  Texts in `*ret` live in `a` or in `mail`. */
void authors_of(
    struct arena *a, const struct dkim_mail *mail, struct authors *ret);

#endif
