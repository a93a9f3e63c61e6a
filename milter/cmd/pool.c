/* SPDX-License-Identifier: BSD-2-Clause */
/* pool -- one thing after the other, several at once. */
#include "cmd/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"

struct crew {
	const struct pool *pool;
	_Atomic size_t next;
};

struct worker {
	struct crew *crew;
	size_t number;
	pthread_t thread;
};

static bool
is_stopped(const struct pool *pool)
{
	return pool->is_stopped != NULL && *pool->is_stopped != 0;
}

static void *
worker(void *arg)
{
	struct worker *w = arg;
	const struct pool *pool = w->crew->pool;
	struct arena *a = arena_new();
	size_t i;
	while (!is_stopped(pool) &&
	       (i = atomic_fetch_add(&w->crew->next, 1)) < pool->n) {
		pool->work(pool->arg, a, w->number, i);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

void
pool_run(const struct pool *pool)
{
	struct crew crew = {.pool = pool};
	struct worker workers[POOL_JOBS_MAX];
	size_t jobs = pool->jobs < pool->n ? pool->jobs : pool->n, n = 1;
	for (size_t i = 0; i < POOL_JOBS_MAX; i++)
		workers[i] = (struct worker){.crew = &crew, .number = i};
	while (
	    n < jobs && n < POOL_JOBS_MAX &&
	    pthread_create(&workers[n].thread, NULL, worker, &workers[n]) == 0)
		n++;
	(void)worker(&workers[0]);
	for (size_t i = 1; i < n; i++)
		(void)pthread_join(workers[i].thread, NULL);
}

uint64_t
pool_jobs_default(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	return cpus > 0 && cpus < POOL_JOBS_MAX ? (uint64_t)cpus : 1;
}

bool
pool_jobs_parse(struct str text, uint64_t *ret)
{
	uint64_t n;
	if (!str_u64(text, POOL_JOBS_MAX, &n) || n == 0)
		return false;
	*ret = n;
	return true;
}
