/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alerts -- tells the admin what should not wait until he looks: by mail, a
 * webhook, a command.  Whoever raises one never waits: it goes into a bounded
 * queue, and a thread gathers (alert_group.h) and tells (alert_sink.h).  What
 * finds no room is counted.
 */
#ifndef SESSION_ALERTS_H
#define SESSION_ALERTS_H

#include "session/config.h"

struct alerts;
struct gate;
struct metrics;

struct alerts *alerts_new(void);
/* Only if it was never started, or was stopped.  NULL is fine. */
void alerts_free(struct alerts *alerts);

/* Start the thread.  `gate` is where it finds all else. */
void alerts_start(struct alerts *alerts, struct gate *gate);
/*
 * Tell what waits now, while mail is still answered.  False: it took more than
 * `ms`, or what is being told now takes longer than that already.
 */
MUST_CHECK bool alerts_flush(struct alerts *alerts, int64_t ms);
/* End the thread, and the program it waits for; one that waits for an MTA is
 * left behind: it touches nothing any more.  False: there is such a one. */
bool alerts_stop(struct alerts *alerts);

/*
 * It has happened to `key` (a sender, a key's name, or empty).  Any bytes; cut
 * at ALERT_KEY_BYTES and ALERT_DETAIL_BYTES.  ALERT_FIRST_HOLD: every hold;
 * which one is a first one is found out here.
 */
void alerts_raise(struct alerts *alerts, enum alert_event event, struct str key,
    struct str detail);

struct alerts_stats {
	uint64_t told[ALERT_EVENTS]; /* alerts */
	uint64_t failed;             /* of a sink */
	uint64_t lost[ALERT_EVENTS]; /* no room in the queue */
};
void alerts_stats(const struct alerts *alerts, struct alerts_stats *ret);

#endif
