/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper -- the process beside posternd that holds the state file: one that
 * watches, and its child, the worker, that works.  Requests and replies are
 * described here too; memory.h's functions are the other side.
 */
#ifndef STATE_KEEPER_H
#define STATE_KEEPER_H

#include "state/place.h"
#include "state/ring.h"

#define KEEPER_ASKS 32      /* sockets for questions */
#define ASK_BYTES_MAX 65536 /* of a request and of a reply */
#define TELL_WROTE_MAX 100

/* The first byte of what is told. */
enum tell { TELL_ENTRY = 'E', TELL_WROTE = 'W', TELL_DECISION = 'D' };

/*
 * A request is a number, one of these, and its arguments; a reply is the same
 * number, an answer, and the results.
 *
 *	find    since u64, max u8, sender, message-id
 *	        -> is_cut u8, n u8, n times the bytes of an entry
 *	wrote   ours, theirs, since u64
 *	        -> when u64
 *	budget  now u64, n u8, n times: limit u32, window u32, key
 *	        -> full u8
 */
enum ask { ASK_FIND = 'F', ASK_WROTE = 'W', ASK_BUDGET = 'B' };
enum answer { ANSWER_OK = 1, ANSWER_TEMP = 2 };

/* What both sides share.  The keeper's ends of the sockets. */
struct keeper_link {
	struct place place;
	struct ring *ring;
	int wake;              /* eventfd: there is something in the ring */
	int life;              /* pipe: at its end when posternd is gone */
	int asks[KEEPER_ASKS]; /* SOCK_SEQPACKET */
};

/*
 * Start it.  The child closes whatever it does not need.  Its pid, and in
 * `*ret_alive` a pipe that is at its end when all of it is gone; -1: errno.
 */
MUST_CHECK pid_t keeper_start(const struct keeper_link *link, int *ret_alive);

/* The worker: serve until `life` or `leash` is at its end. */
NORETURN void worker_run(
    const struct keeper_link *link, int leash, bool is_suspect);

/* Exit codes of the worker. */
enum worker_exit {
	WORKER_DONE = 0,
	WORKER_BROKEN = 3 /* the file is: check it, and start again */
};

#endif
