/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring -- what posternd tells the keeper, in memory that both share: it costs
 * no system call to tell, and outlives either of them.  An entry leaves the
 * ring when it is in the file, so a keeper that is killed loses none, and its
 * successor finds by the position what it has done already.
 */
#ifndef STATE_RING_H
#define STATE_RING_H

#include <stdatomic.h>

#include "base/str.h"

struct ring {
	uint64_t nonce; /* tells this ring from that of an earlier posternd */
	_Atomic uint64_t head; /* posternd: where the next entry goes */
	_Atomic uint64_t tail; /* keeper: the first that is not in the file */
	_Atomic uint32_t is_asleep; /* the keeper wants to be woken */
	_Atomic uint32_t is_dirty;  /* there is something to flush to disk */
	_Atomic uint32_t tries;     /* of what is at the tail */
	_Atomic uint32_t crashes;   /* of the keeper, one after the other */
	_Atomic uint32_t is_open;   /* the worker is at work on the file */
	_Atomic uint32_t was_open;  /* since posternd was started */
	_Atomic uint32_t rounds;    /* of the worker: it moves */
	_Atomic int32_t worker;     /* its pid */
	_Atomic int64_t told_ms;    /* keeper_may_tell() */
	/* limits of struct memory_config: a reload changes them */
	_Atomic uint64_t size_bytes, history_bytes;
	_Atomic uint32_t days, history_days, clock_proof_s;
	uint64_t bytes; /* of data; a power of two */
	char data[];
};

/* Shared with the children of this process; NULL: errno. */
struct ring *ring_new(size_t bytes);
void ring_free(struct ring *ring);

/* Callers take turns.  False: there is no room. */
MUST_CHECK bool ring_put(struct ring *ring, struct str entry);
/* True once for each time the keeper has fallen asleep: wake it. */
MUST_CHECK bool ring_wants_waking(struct ring *ring);

/*
 * The entry at `*place`, which moves behind it; a view that is good until the
 * tail has passed it.  False: that was the last one.
 */
MUST_CHECK bool ring_next(
    const struct ring *ring, uint64_t *place, struct str *ret);
/* Nothing has come and the keeper may sleep; if something came, false. */
MUST_CHECK bool ring_sleep(struct ring *ring);

#endif
