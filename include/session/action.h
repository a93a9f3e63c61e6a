/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * action -- a whole message to an answer for the MTA: released mail passes, the
 * rest is scanned, kept first if it is held, logged and counted.  Knows no
 * milter.
 */
#ifndef SESSION_ACTION_H
#define SESSION_ACTION_H

#include "session/class.h"
#include "session/gate.h"

struct spool;

/* A message as it came in. */
struct incoming {
	struct envelope envelope;
	bool can_refuse;     /* class_can_refuse() */
	bool mta_can_hold;   /* the MTA takes "quarantine" */
	struct spool *spool; /* the message */
	struct str release;  /* X-Postern-Release; empty: none */
	const char *trouble; /* why it can be neither scanned nor kept; NULL */
};

enum answer_kind {
	ANSWER_ACCEPT,
	ANSWER_TEMPFAIL, /* 451 4.7.1 text */
	ANSWER_REJECT,   /* 550 5.7.1 text */
	ANSWER_DISCARD,  /* kept by us; the client sees success */
	ANSWER_MTA_HOLD  /* the MTA's own hold queue */
};

/* A header field to add. */
struct answer_header {
	const char *name;
	struct str value;
};

struct answer {
	enum answer_kind kind;
	struct str text;     /* reply, or reason of the hold */
	bool strips_headers; /* remove what came as X-Postern-* */
	struct answer_header headers[4];
	size_t nheaders;
};

/*
 * Decide, keep and log.  Texts in `*ret` live in `a`.  Call it with a slot of
 * the gate (class inbound needs none), or after waiting for one in vain with
 * `is_busy`.
 */
void action_take(struct arena *a, struct gate *gate,
    const struct snapshot *snapshot, const struct incoming *in, bool is_busy,
    struct answer *ret);

#endif
