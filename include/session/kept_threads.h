/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept_threads -- threads of libmilter's workers are used again.  libmilter
 * ends a worker when two others are idle and starts one when none is: behind an
 * MTA with a connection a message that is a thread for every second message,
 * and its stack is given back and faulted in again each time.  A program with
 * this file in it gives libmilter these functions of the C library instead:
 * pthread_create(3), in threads that say so, and pthread_detach(3) of a thread
 * that is detached already.
 */
#ifndef SESSION_KEPT_THREADS_H
#define SESSION_KEPT_THREADS_H

#include "base/base.h"

/* How long a thread is kept without work. */
#define KEPT_THREAD_MS 10000

/*
 * From here on threads that this one starts without attributes and with an
 * argument may be older ones, and count as detached; those without an argument
 * start such threads as well.
 */
void kept_threads_here(void);

/* Threads that are kept now and have no work. */
size_t kept_threads_idle(void);

#endif
