/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper -- the process beside posternd that holds the state file: one that
 * watches, and its child, the worker, that works.  What posternd
 * tells it is in a ring, what it asks comes over sockets (request.h);
 * memory.h's functions are the other side.
 */
#ifndef STATE_KEEPER_H
#define STATE_KEEPER_H

#include "state/place.h"
#include "state/request.h"
#include "state/ring.h"

#define KEEPER_ASKS 32 /* sockets for questions */
#define TELL_WROTE_MAX 100

/* The first byte of what is told; a record follows, or ours and theirs. */
enum tell { TELL_ENTRY = 'E', TELL_WROTE = 'W', TELL_HISTORY = 'H' };

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

/* Trouble that comes back each time is told once a minute. */
MUST_CHECK bool keeper_may_tell(struct ring *ring);

/* Exit codes of the worker. */
enum worker_exit {
	WORKER_DONE = 0,
	WORKER_BROKEN = 3, /* the file is: check it, and start again */
	WORKER_LOST = 4 /* the file, or its folder, is gone: it has been told */
};

#endif
