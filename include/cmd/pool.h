/* SPDX-License-Identifier: BSD-2-Clause */
/* pool -- one thing after the other, several at once. */
#ifndef CMD_POOL_H
#define CMD_POOL_H

#include <signal.h>

#include "base/str.h"

struct arena;

#define POOL_JOBS_MAX 256

struct pool {
	size_t n;    /* things */
	size_t jobs; /* threads, at most POOL_JOBS_MAX; 0 counts as 1 */
	/*
	 * Do thing `i`.  `a` is reset behind it; `worker`, below `jobs`, is the
	 * thread, which does one thing at a time.
	 */
	void (*work)(void *arg, struct arena *a, size_t worker, size_t i);
	void *arg;
	/* Once true no further thing is begun; NULL: never. */
	const volatile sig_atomic_t *is_stopped;
};

/* Until all is done. */
void pool_run(const struct pool *pool);

/* One a processor. */
uint64_t pool_jobs_default(void);
/* A number of jobs, 1 to POOL_JOBS_MAX. */
MUST_CHECK bool pool_jobs_parse(struct str text, uint64_t *ret);
#define POOL_JOBS_WANTED "a number from 1 to 256"

#endif
