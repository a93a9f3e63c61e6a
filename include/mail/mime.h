/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime -- the tree of parts (RFC 2045, 2046) and the parameters of its fields.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "mail/message.h"

/* A Content-Type as SpamAssassin reads it. */
struct mime_type {
	/*
	 * Lower case.  "text/plain" if missing, and for text/ANYTHING but html,
	 * calendar, x-vcard.
	 */
	struct str type;
	struct str boundary;
	struct str charset;
	struct str name;
	bool has_boundary;
	bool has_charset; /* it is declared, maybe as nothing */
	bool is_missing;
};

/* `value` is the decoded field value; empty: no such field. */
const struct mime_type *mime_type_parse(struct arena *a, struct str value);

/*
 * Build the tree below `root`, whose headers and body are set.  Opens
 * message/rfc822 by message_open().
 */
void mime_parse(struct message *m, struct part *root);

/*
 * One parameter of a structured field ("charset" of a Content-Type), unquoted;
 * RFC 2231 continuations joined and %XX decoded to UTF-8; empty: none.
 */
struct str mime_parameter(struct arena *a, struct str value, struct str name);

#endif
