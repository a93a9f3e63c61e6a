/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * action -- a whole message to an answer for the MTA: released mail passes, the
 * rest is scanned, kept first if it is held, logged and counted.  Knows no
 * milter.
 */
#ifndef SESSION_ACTION_H
#define SESSION_ACTION_H

#include "auth/preflight.h"
#include "session/class.h"
#include "session/gate.h"

struct spool;

/* A message as it came in. */
struct incoming {
	struct envelope envelope;
	struct str mta_name;    /* macro j */
	struct str authserv_id; /* whose Authentication-Results are removed */
	bool is_sendmail;       /* it rewrites address fields after us */
	bool can_refuse;        /* class_can_refuse() */
	bool is_of_mta;         /* see struct notice_query */
	bool is_auto_submitted; /* class_is_auto_submitted() */
	bool mta_can_hold;      /* the MTA takes "quarantine" */
	struct spool *spool;    /* the message */
	struct str release;     /* X-Postern-Release; empty: none */
	int64_t end_us;         /* clock_us() when its end came */
	/* Called at most once, before it waits for the DNS; NULL: nobody cares.
	 */
	void (*on_wait)(void *arg);
	void *wait_arg;
	/* The client's own doing, and so never a reason to let it pass. */
	bool is_hostile;
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
	struct str signatures[SIGNERS_MAX]; /* DKIM-Signature, \n in folds */
	size_t nsignatures;
};

/* A message on its way to an answer. */
struct action_work;

/*
 * Look at the whole message and find out what the DNS has to say: this may wait
 * for dns-time.  It lives as long as `a`; `snapshot` and `in` must, too.
 */
struct action_work *action_begin(struct arena *a, struct gate *gate,
    const struct snapshot *snapshot, const struct incoming *in);
/* It is to be scanned, and so needs a slot of the gate. */
bool action_wants_slot(const struct action_work *work);
/*
 * Decide, keep, sign and log.  Texts in `*ret` live in the arena of `work`.
 * `is_busy`: it waited for its slot in vain.
 */
void action_finish(struct action_work *work, bool is_busy, struct answer *ret);

#endif
