/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workers -- fewer changes of thread for libmilter's workers.  A worker of
 * libmilter that finds nothing to read for a millisecond gives its connection
 * back to a controller, which waits for all of them, and wakes a worker for the
 * next command: four changes of thread, more than the command costs.  Here a
 * worker stays with its connection for a while, but never while another one
 * has none: libmilter hands a connection to "an idle worker" by a count that is
 * right only when the last one so handed over has begun.
 */
#ifndef SESSION_WORKERS_H
#define SESSION_WORKERS_H

#include <poll.h>

#include "base/base.h"

/* How long libmilter lets a worker wait for the next command. */
#define WORKERS_POLL_MS 1
/* How long a worker stays here; workers that stay at one time. */
#define WORKERS_STAY_MS 100
#define WORKERS_STAY_MAX 64

/* Once, by the thread that starts all workers, before they are started. */
void workers_start(void);

/*
 * Connection `fd` has something to do, and libmilter looks for a worker.  From
 * READ_AHEAD_FDS on descriptors are let be, here and below.
 */
void workers_hand(int fd);

/* Connection `fd` has a worker, or is no more. */
void workers_begin(int fd);

/*
 * poll(2) for one connection, for `stay_ms`; what it says when libmilter's time
 * is over if another connection has no worker or too many stay.  1: something
 * is there, 0: nothing came, or the worker is wanted elsewhere, -1: errno.
 */
int workers_wait(struct pollfd *ret, int stay_ms);

/* Workers that stay now and have not been called. */
size_t workers_staying(void);

#endif
