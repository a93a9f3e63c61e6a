/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answers -- whom a notice answers, and what is remembered of a message: the
 * room notice as the configuration wants it.  The milter and `postern scan`
 * both call this.
 */
#ifndef SESSION_ANSWERS_H
#define SESSION_ANSWERS_H

#include "notice/arrival.h"
#include "notice/gate.h"
#include "session/snapshot.h"

struct answers_query {
	const struct envelope *envelope;
	struct str mta_name;        /* the MTA's own name; empty: not known */
	struct str authserv_id;     /* whose Authentication-Results are ours */
	bool is_of_mta;             /* see struct notice_query */
	bool is_auto;               /* it says that a program made it */
	struct memory *memory;      /* NULL: nothing is remembered */
	const struct dns *dns;      /* NULL: nothing is asked */
	void (*on_wait)(void *arg); /* see struct dns_budget */
	void *wait_arg;
};

/*
 * As much of a message is looked at to tell whether it is a notice: this is
 * done before there is a slot for it, however many wait.  No MTA returns more
 * of a header, and few return more at all.
 */
#define NOTICE_BYTES ((size_t)256 * 1024)

/* What is known of `m`, the first NOTICE_BYTES of a message, as a notice. Waits
 * for the DNS, at most dns-time. */
void answers_look(const struct snapshot *snapshot,
    const struct answers_query *query, struct message *m, struct notice *ret);

/* The budgets and the memory rule on it; see notice_rule(). */
struct notice_ruling answers_rule(struct arena *a, const struct config *config,
    struct memory *memory, const struct notice *notice);

/* How sure the sender of `mail` is.  `facts` NULL: class inbound, and the DNS
 * is waited for, at most dns-time. */
void answers_arrival(struct arena *a, const struct snapshot *snapshot,
    const struct answers_query *query, const struct dkim_mail *mail,
    const struct facts *facts, struct arrival *ret);

/* What the memory is to be like. */
struct memory_config answers_memory(
    struct arena *a, const struct config *config);

#endif
