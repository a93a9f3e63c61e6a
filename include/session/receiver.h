/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receiver -- a message as its receiver will see it: without what we take away,
 * judged before the verdict, signed after it.  The milter and `postern scan`
 * both call this.
 */
#ifndef SESSION_RECEIVER_H
#define SESSION_RECEIVER_H

#include "auth/facts.h"
#include "session/snapshot.h"

struct alerts;

struct receiver_query {
	struct str raw; /* whole message, \n line ends */
	const struct envelope *envelope;
	struct str mta_name;    /* the MTA's own name; empty: not known */
	struct str authserv_id; /* whose Authentication-Results are removed */
	bool is_sendmail;       /* it rewrites address fields after us */
	bool is_released;       /* an operator let it go */
	void (*on_wait)(void *arg); /* see struct dns_budget */
	void *wait_arg;
};

struct receiver_view {
	struct dkim_mail mail; /* what will leave */
	struct facts facts;
};

/*
 * Find the facts of a message.  Waits for the DNS, at most dns-time; `dns`
 * NULL: asks nothing.  Texts in `*ret` live in `a` and in what `query` points
 * to.
 */
void receiver_look(struct arena *a, const struct snapshot *snapshot,
    const struct dns *dns, const struct receiver_query *query,
    struct receiver_view *ret);

/*
 * The signatures for it, values of DKIM-Signature with \n in their folds, at
 * most SIGNERS_MAX; returns how many.  What fails is logged.
 */
size_t receiver_sign(struct arena *a, const struct snapshot *snapshot,
    const struct receiver_view *view, struct str *ret);

/*
 * Warn, and tell the admin, of keys that will sign and are not the published
 * ones: once for each as long as the answer is good.
 */
void receiver_alarm(struct arena *a, const struct dns *dns,
    struct alerts *alerts, const struct facts *facts);

#endif
