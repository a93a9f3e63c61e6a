/* SPDX-License-Identifier: BSD-2-Clause */
/* workers -- fewer changes of thread for libmilter's workers. */
#include "session/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "session/read_ahead.h"

/* Calls a worker away; nobody else has a use for it, and it does no harm where
 * it is not blocked. */
#define CALL SIGURG

/* A worker that stays with its connection; lives on its stack. */
struct stay {
	pthread_t thread;
	bool is_called;
};

static struct {
	pthread_mutex_t lock;
	unsigned handed; /* connections handed over that have not begun */
	unsigned owed;   /* workers that were to be called when none stayed */
	struct stay *stays[WORKERS_STAY_MAX]; /* that are not called */
	size_t nstays;
} crew = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic bool is_handed[READ_AHEAD_FDS];

static void
do_nothing(int signal)
{
	(void)signal;
}

void
workers_start(void)
{
	struct sigaction action = {.sa_handler = do_nothing};
	sigset_t call;
	(void)sigemptyset(&call);
	(void)sigaddset(&call, CALL);
	(void)pthread_sigmask(SIG_BLOCK, &call, NULL);
	(void)sigaction(CALL, &action, NULL);
}

/* Locked. */
static void
call_one(void)
{
	if (crew.nstays == 0) {
		crew.owed++;
		return;
	}
	struct stay *stay = crew.stays[--crew.nstays];
	stay->is_called = true;
	(void)pthread_kill(stay->thread, CALL);
}

void
workers_hand(int fd)
{
	if (fd < 0 || fd >= READ_AHEAD_FDS ||
	    atomic_exchange(&is_handed[fd], true))
		return;
	(void)pthread_mutex_lock(&crew.lock);
	if (crew.handed++ > 0)
		call_one();
	(void)pthread_mutex_unlock(&crew.lock);
}

void
workers_begin(int fd)
{
	if (fd < 0 || fd >= READ_AHEAD_FDS ||
	    !atomic_load_explicit(&is_handed[fd], memory_order_relaxed) ||
	    !atomic_exchange(&is_handed[fd], false))
		return;
	(void)pthread_mutex_lock(&crew.lock);
	if (--crew.handed == 0)
		crew.owed = 0;
	(void)pthread_mutex_unlock(&crew.lock);
}

/* False: wanted elsewhere, or too many stay. */
static bool
stay_begin(struct stay *stay)
{
	bool is_wanted, is_staying;
	(void)pthread_mutex_lock(&crew.lock);
	is_wanted = crew.owed > 0;
	is_staying = !is_wanted && crew.nstays < WORKERS_STAY_MAX;
	if (is_wanted)
		crew.owed--;
	if (is_staying)
		crew.stays[crew.nstays++] = stay;
	(void)pthread_mutex_unlock(&crew.lock);
	return is_staying;
}

/* Who was called but has work of its own is owed. */
static void
stay_end(struct stay *stay, bool has_work)
{
	(void)pthread_mutex_lock(&crew.lock);
	for (size_t i = 0; i < crew.nstays; i++)
		if (crew.stays[i] == stay)
			crew.stays[i] = crew.stays[--crew.nstays];
	if (stay->is_called && has_work && crew.handed > 0)
		crew.owed++;
	(void)pthread_mutex_unlock(&crew.lock);
}

int
workers_wait(struct pollfd *ret, int stay_ms)
{
	const struct timespec time = {
	    .tv_sec = stay_ms / 1000, .tv_nsec = stay_ms % 1000 * 1000000L};
	struct stay stay = {.thread = pthread_self()};
	sigset_t all_but_call;
	if (!stay_begin(&stay))
		return poll_really(ret, 1, WORKERS_POLL_MS);
	(void)sigfillset(&all_but_call);
	(void)sigdelset(&all_but_call, CALL);
	int n = ppoll(ret, 1, &time, &all_but_call);
	stay_end(&stay, n > 0);
	if (n >= 0 || errno != EINTR)
		return n;
	ret->revents = 0; /* called, or it was: a call that came late */
	return 0;
}

size_t
workers_staying(void)
{
	(void)pthread_mutex_lock(&crew.lock);
	size_t n = crew.nstays;
	(void)pthread_mutex_unlock(&crew.lock);
	return n;
}
