/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialog -- a milter connection as Postfix or Sendmail leads it: negotiation,
 * the steps of a session and its messages, and what the milter answered.
 * Protocol version 6 as libmilter/mfdef.h and the API pages of libmilter have
 * it.
 */
#ifndef TEST_DIALOG_H
#define TEST_DIALOG_H

#include "base/str.h"
#include "letter.h"
#include "wire.h"

enum stage {
	STAGE_NEGOTIATE,
	STAGE_CONNECT,
	STAGE_HELO,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_HEADER,
	STAGE_EOH,
	STAGE_BODY,
	STAGE_EOM,
	STAGE_COUNT /* none */
};

enum reply {
	REPLY_CONTINUE, /* not decided */
	REPLY_ACCEPT,
	REPLY_REJECT,
	REPLY_TEMPFAIL,
	REPLY_DISCARD,
	REPLY_ABORTED,      /* by us, as asked */
	REPLY_DISCONNECTED, /* by us, as asked */
	REPLY_REFUSED,      /* no connection */
	REPLY_CLOSED,       /* by the milter */
	REPLY_TIMEOUT,
	REPLY_BAD, /* against the protocol */
	REPLY_COUNT
};

/* One change that the milter asked for. */
struct edit {
	const char
	    *what; /* "add", "insert", "change", "delete", "addrcpt"... */
	uint32_t index;
	struct str name, value; /* as the MTA would write it behind the colon */
};

/* What the milter said of one message; texts live in the arena given. */
struct outcome {
	enum reply reply;
	enum stage stage; /* where it was decided */
	unsigned code;    /* SMTP; 0: none given */
	struct str text;  /* behind the code; or what went wrong */
	struct str queue_id;
	bool is_quarantined;
	struct str quarantine; /* reason */
	struct edit *v;        /* edits */
	size_t n, cap;
	struct strs rejected; /* recipients, each with its reply */
	unsigned progress;
	int64_t us; /* from MAIL to the final reply */
};

/* What to send and how; the same for all connections. */
struct plan {
	const char *socket_name;
	bool is_sendmail;
	uint32_t offer_actions, offer_protocol;
	const char *client, *client_name; /* "192.0.2.7:4711"; port 0: pickup */
	const char *helo, *daemon_name, *daemon_addr, *login, *from, *mail_args;
	struct strs rcpt;
	struct strs macros; /* NAME=VALUE, over our own */
	const char *queue_id_prefix;
	enum stage abort_after, disconnect_after;
	bool half_closes; /* after end of message */
	size_t chunk_bytes,
	    field_bytes; /* of a body packet; of a header value */
	int timeout_ms;
	unsigned slow_ms;
	/* called once a connection in front of `meet`; NULL: not */
	enum stage meet;
	void (*on_meet)(void *arg);
	void *meet_arg;
};

struct dialog;

/*
 * Connect, negotiate, CONNECT and HELO.  NULL: `ret` tells.  When the session
 * was decided (reject at connect) `ret->reply` says so and a dialog is there.
 */
struct dialog *dialog_new(
    struct arena *a, const struct plan *plan, struct outcome *ret);
/* Sends QUIT if the connection is still open. */
void dialog_free(struct dialog *d);
/*
 * One message.  `number` makes the queue id; `is_cut_short`: stop where the
 * plan says.  False: the connection is of no more use.
 */
MUST_CHECK bool dialog_message(struct dialog *d, struct arena *a,
    const struct letter *letter, uint64_t number, bool is_cut_short,
    struct outcome *ret);
/* Go up to the answer to `last`; then the wire is the caller's. */
struct wire *dialog_walk(struct dialog *d, struct arena *a,
    const struct letter *letter, enum stage last, struct outcome *ret);

const char *stage_name(enum stage stage);
MUST_CHECK bool stage_parse(const char *name, enum stage *ret);
const char *reply_name(enum reply reply);
/* The milter answered, or we went as planned. */
bool reply_is_fine(enum reply reply);

#endif
