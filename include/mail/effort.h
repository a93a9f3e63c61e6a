/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effort -- what is done for one message, and when that is enough.  Who makes a
 * view counts the bytes looked at; after every some thousand the one who gave
 * the message is asked.  A view is cut short when there is no time left: what
 * becomes of such a message is not decided here.
 */
#ifndef MAIL_EFFORT_H
#define MAIL_EFFORT_H

#include "base/base.h"

/* Handling so many bytes takes a few ms at the worst. */
#define EFFORT_POLL_BYTES ((size_t)64 * 1024)

struct effort {
	bool (*is_expired)(void *arg); /* NULL: there is time without end */
	void *arg;
	size_t bytes; /* since it was asked */
	bool is_over; /* it has said so */
};

/* Ask now. */
bool effort_ask(struct effort *e);

/* `bytes` more are to be looked at; true: they are not, time is over. */
static inline bool
effort_is_over(struct effort *e, size_t bytes)
{
	e->bytes += bytes;
	return e->is_over || (e->bytes >= EFFORT_POLL_BYTES && effort_ask(e));
}

#endif
