/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_mail -- a message as its signatures see it: raw header fields and the
 * body, as they will leave.  Bytes are those of the spool: lines end in \n,
 * which stands for the CRLF on the wire; a lone \r is a byte like any other.
 */
#ifndef AUTH_DKIM_MAIL_H
#define AUTH_DKIM_MAIL_H

#include "base/str.h"

struct arena;

struct dkim_field {
	struct str name; /* as written, without blanks before the colon */
	struct str text; /* the whole field, name to value, without the last \n;
			    folds inside */
	/* The MTA may write it otherwise (dkim_sendmail.h): From is signed all
	 * the same, others are left out. */
	bool is_unsure;
};

struct dkim_mail {
	struct dkim_field *v; /* in the order of the message */
	size_t n;
	bool is_cut;     /* there were more fields than were asked for */
	struct str body; /* behind the empty line; may end without \n */
};

/*
 * Cut `raw`, a whole message.  A line that is no field ends the header.  Views
 * in `*ret` point into `raw`; fields past `max` are left out.
 */
void dkim_mail_cut(
    struct arena *a, struct str raw, size_t max, struct dkim_mail *ret);

/* What stands behind the colon, folds inside. */
struct str dkim_field_value(const struct dkim_field *field);

#endif
