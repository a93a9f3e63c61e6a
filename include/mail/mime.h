/* SPDX-License-Identifier: BSD-2-Clause */
/* mime -- the tree of parts (RFC 2045, 2046) and transfer encodings. */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "mail/message.h"

/* Build the tree below `root`, whose headers and body are set. */
void mime_parse(struct message *m, struct part *root);

/* RFC 2045 section 6.8 and 6.7 as SpamAssassin decodes them: lenient. */
struct str mime_base64(struct arena *a, struct str text);
struct str mime_quoted_printable(struct arena *a, struct str text);

/* One parameter of a structured field ("charset" of a Content-Type), unquoted; RFC 2231 joined; empty: none. */
struct str mime_parameter(struct arena *a, struct str value, struct str name);

#endif
