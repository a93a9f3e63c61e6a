/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate -- what all connections share: the current snapshot, the quarantine, the
 * slots that bound how many messages are scanned at once, and what is counted.
 */
#ifndef SESSION_GATE_H
#define SESSION_GATE_H

#include "auth/dns.h"
#include "session/snapshot.h"

struct alerts;
struct gate;
struct memory;
struct metrics;
struct quarantine;
struct release;

/*
 * Takes over `snapshot`.  Opens the quarantine and the release key of its
 * configuration.  `memory` NULL: nothing is remembered.  NULL: `diags` says
 * why.
 */
struct gate *gate_new(
    struct snapshot *snapshot, struct memory *memory, struct diags *diags);
/* Never once libmilter has served: its threads outlive session_serve(). */
void gate_free(struct gate *gate);

/* The current snapshot with a reference of the caller's. */
struct snapshot *gate_snapshot(struct gate *gate);
/* Put `snapshot` in place; who holds the old one keeps it. */
void gate_swap(struct gate *gate, struct snapshot *snapshot);
struct quarantine *gate_quarantine(struct gate *gate);
struct release *gate_release(struct gate *gate);
const struct dns *gate_dns(struct gate *gate);
struct memory *gate_memory(struct gate *gate);

/* Wait at most `ms` for a slot to scan in.  False: none was free. */
MUST_CHECK bool gate_slot_take(struct gate *gate, int64_t ms);
void gate_slot_give(struct gate *gate);

/*
 * A message begins (ends).  Returns its generation: messages begun before
 * gate_drain() are waited for by gate_drain_wait().
 */
unsigned gate_message_begin(struct gate *gate);
void gate_message_end(struct gate *gate, unsigned generation);
void gate_drain(struct gate *gate);
/* True: every message begun before gate_drain() has ended within `ms`. */
bool gate_drain_wait(struct gate *gate, int64_t ms);

/*
 * A whole message is about to be answered.  False: the end is near, and what is
 * kept now the MTA might never hear of; let it try again.
 */
MUST_CHECK bool gate_answer_begin(struct gate *gate);
void gate_answer_end(struct gate *gate);
/*
 * From now on no answer begins.  True: those begun have ended within `ms`.
 */
bool gate_close(struct gate *gate, int64_t ms);

/* Messages that have begun and not ended. */
unsigned gate_in_flight(struct gate *gate);
/* When the current snapshot was put in place, s since 1970. */
int64_t gate_snapshot_wall(struct gate *gate);
struct metrics *gate_metrics(struct gate *gate);
struct alerts *gate_alerts(struct gate *gate);

#endif
