/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open -- how message.c and mime.c take turns: a message in a part is a message
 * again.
 */
#ifndef MAIL_OPEN_H
#define MAIL_OPEN_H

#include "mail/message.h"

/* A part without anything in it yet. */
struct part *part_new(struct message *m, struct part *parent);
/* Fill `part` with header, body and type of the message that is `text`. */
void message_open(struct message *m, struct part *part, struct str text);
/* Header lines that must end in \r\n, as those of a message that has it. */
struct str message_with_crlf(struct arena *a, struct str block);

#endif
