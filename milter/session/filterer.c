/* SPDX-License-Identifier: BSD-2-Clause */
/* filterer -- the thread that makes prefilters. */
#include "session/filterer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

struct filterer {
	pthread_mutex_t lock; /* guards what is below, but for `is_cancelled` */
	pthread_cond_t has_changed;
	struct snapshot *next; /* what is to be made; NULL: nothing */
	struct arena *arena;   /* of `cache` */
	struct str cache;
	const char *state;
	bool is_stopping;
	_Atomic bool is_cancelled; /* give up what is being made */
	pthread_t thread;
};

static bool
is_cancelled(void *arg)
{
	const struct filterer *f = arg;
	return f->is_cancelled;
}

static void
tell(const struct filter_made *made, int64_t us, struct str cache)
{
	log_info(
	    "prefilter: %zu of %zu regexes, %zu databases (%zu kept), %.1f s",
	    made->filtered, made->regexes, made->databases, made->kept,
	    (double)us / 1e6);
	if (made->cache_errno != 0)
		log_warning("%.*s: the prefilter cannot be kept: %s",
		    STR_ARG(cache), strerror(made->cache_errno));
}

static bool
make(struct filterer *f, struct snapshot *snapshot, struct str cache)
{
	struct filter_options options = {
	    .cpu_ns = clock_cpu_ns,
	    .is_cancelled = is_cancelled,
	    .arg = f,
	    .cache = cache,
	};
	struct filter_made made;
	int64_t start = clock_us();
	bool is_made = ruleset_filter(snapshot->rules, &options, &made);
	/* what it was made of is as much as what it is */
	memory_trim();
	if (is_made)
		tell(&made, clock_us() - start, cache);
	return is_made;
}

/* One job; called and left with the lock held. */
static void
work(struct filterer *f)
{
	struct arena *a = arena_new();
	struct snapshot *snapshot = f->next;
	struct str cache = str_dup(a, f->cache);
	f->next = NULL;
	f->is_cancelled = false;
	(void)pthread_mutex_unlock(&f->lock);
	bool is_made = make(f, snapshot, cache);
	snapshot_put(snapshot);
	arena_free(a);
	(void)pthread_mutex_lock(&f->lock);
	if (f->next == NULL)
		f->state = is_made ? "ready" : "off";
	(void)pthread_cond_broadcast(&f->has_changed);
}

static void *
thread(void *arg)
{
	struct filterer *f = arg;
	(void)pthread_mutex_lock(&f->lock);
	for (;;) {
		while (f->next == NULL && !f->is_stopping)
			(void)pthread_cond_wait(&f->has_changed, &f->lock);
		if (f->is_stopping)
			break;
		work(f);
	}
	(void)pthread_mutex_unlock(&f->lock);
	return NULL;
}

struct filterer *
filterer_start(void)
{
	struct filterer *f = calloc(1, sizeof(*f));
	if (f == NULL)
		log_fatal("out of memory");
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->has_changed, NULL);
	f->arena = arena_new();
	f->cache = STR_EMPTY;
	f->state = "off";
	int error = pthread_create(&f->thread, NULL, thread, f);
	if (error != 0)
		log_fatal("no thread for the prefilter: %s", strerror(error));
	return f;
}

void
filterer_take(struct filterer *f, struct snapshot *snapshot, struct str cache)
{
	struct snapshot *old = NULL;
	(void)pthread_mutex_lock(&f->lock);
	old = f->next;
	f->is_cancelled = true;
	f->next = NULL;
	f->state = "off";
	if (snapshot->config.prefilter) {
		arena_reset(f->arena);
		f->cache = str_dup(f->arena, cache);
		f->next = snapshot_ref(snapshot);
		f->state = "making";
	}
	(void)pthread_cond_broadcast(&f->has_changed);
	(void)pthread_mutex_unlock(&f->lock);
	snapshot_put(old);
}

void
filterer_wait(struct filterer *f)
{
	(void)pthread_mutex_lock(&f->lock);
	while (strcmp(f->state, "making") == 0)
		(void)pthread_cond_wait(&f->has_changed, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

const char *
filterer_state(struct filterer *f)
{
	(void)pthread_mutex_lock(&f->lock);
	const char *state = f->state;
	(void)pthread_mutex_unlock(&f->lock);
	return state;
}

void
filterer_stop(struct filterer *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->is_stopping = true;
	f->is_cancelled = true;
	(void)pthread_cond_broadcast(&f->has_changed);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->thread, NULL);
	snapshot_put(f->next);
	(void)pthread_cond_destroy(&f->has_changed);
	(void)pthread_mutex_destroy(&f->lock);
	arena_free(f->arena);
	free(f);
}
