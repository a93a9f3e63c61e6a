/* SPDX-License-Identifier: BSD-2-Clause */
/* keeper -- the process that watches the worker. */
#include "state/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"

#define CRASHES_SUSPECT 3
#define FLUSH_EVERY_MS 1000
#define START_SECONDS_MAX 10
#define PAUSE_MS_MAX 5000
#define QUICK_MS 10000 /* one that ends before that was started for nothing */
#define TELL_EVERY_MS 60000
/* A worker that has work and does not move for so many looks is ended: after
 * 20 s without a step, and after 10 minutes within one round. */
#define LOOK_EVERY_MS 5000
#define LOOKS_STILL 4
#define LOOKS_A_ROUND 120

static int
fd_compare(const void *a, const void *b)
{
	const int *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Close all but the standard streams and what the keeper needs. */
static void
fds_close(const struct keeper_link *link, int alive)
{
	int keep[KEEPER_ASKS + 3];
	size_t n = 0;
	for (size_t i = 0; i < KEEPER_ASKS; i++)
		keep[n++] = link->asks[i];
	keep[n++] = link->wake;
	keep[n++] = link->life;
	keep[n++] = alive;
	qsort(keep, n, sizeof(keep[0]), fd_compare);
	unsigned from = 3;
	for (size_t i = 0; i < n; i++) {
		unsigned fd = (unsigned)keep[i];
		if (fd > from)
			(void)close_range(from, fd - 1, 0);
		if (fd >= from)
			from = fd + 1;
	}
	(void)close_range(from, ~0U, 0);
}

/* A terminal or a pipe of who started posternd must not be held open. */
static void
streams_close(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (!log_is_to_stderr())
		(void)dup2(null, STDERR_FILENO);
	(void)close(null);
}

/* posternd ends first and the keeper after it, so it heeds no signal that is
 * meant for both. */
static void
signals_set(sigset_t *ret_watched)
{
	sigset_t blocked;
	struct sigaction plain = {.sa_handler = SIG_DFL};
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL);
	plain.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &plain, NULL);
	(void)sigemptyset(ret_watched);
	(void)sigaddset(ret_watched, SIGCHLD);
	(void)sigaddset(ret_watched, SIGUSR1);
	blocked = *ret_watched;
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGHUP);
	(void)sigaddset(&blocked, SIGUSR2);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* SIGCHLD: true.  SIGUSR1, or the time is over: false. */
static bool
child_signal_wait(const sigset_t *watched, int64_t ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
	int signal;
	do
		signal = sigtimedwait(watched, NULL, &wait);
	while (signal < 0 && errno == EINTR);
	return signal == SIGCHLD;
}

bool
keeper_may_tell(struct ring *ring)
{
	int64_t now = clock_ms(), told = atomic_load(&ring->told_ms);
	if (told != 0 && now - told < TELL_EVERY_MS)
		return false;
	return atomic_compare_exchange_strong(&ring->told_ms, &told, now);
}

/* ---- does it move? */

struct pulse {
	int64_t look_ms; /* when the last look was */
	uint32_t rounds;
	int64_t cpu_ns;
	unsigned still, same_round; /* looks */
};

/* Something is told, asked, or posternd has gone. */
static bool
has_work(const struct keeper_link *link)
{
	const struct ring *ring = link->ring;
	struct pollfd fds[KEEPER_ASKS + 1];
	for (size_t i = 0; i < KEEPER_ASKS; i++)
		fds[i] = (struct pollfd){.fd = link->asks[i], .events = POLLIN};
	fds[KEEPER_ASKS] = (struct pollfd){.fd = link->life};
	return atomic_load(&ring->head) != atomic_load(&ring->tail) ||
	       poll(fds, COUNT_OF(fds), 0) > 0;
}

static int64_t
cpu_ns_of(pid_t pid)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &used) != 0)
		return 0;
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

/*
 * It is looks that are counted, not time: if both have been stopped, the worker
 * gets its turn first.
 */
static void
pulse_take(const struct keeper_link *link, pid_t worker, struct pulse *pulse)
{
	int64_t now = clock_ms(), cpu_ns = cpu_ns_of(worker);
	uint32_t rounds = atomic_load(&link->ring->rounds);
	if (now - pulse->look_ms < LOOK_EVERY_MS)
		return;
	bool is_same = rounds == pulse->rounds && has_work(link);
	bool is_still = is_same && cpu_ns == pulse->cpu_ns;
	pulse->look_ms = now;
	pulse->rounds = rounds;
	pulse->cpu_ns = cpu_ns;
	pulse->still = is_still ? pulse->still + 1 : 0;
	/* before its first round it reads the whole file, however large */
	pulse->same_round = is_same && rounds > 0 ? pulse->same_round + 1 : 0;
	if (pulse->still < LOOKS_STILL && pulse->same_round < LOOKS_A_ROUND)
		return;
	log_error("memory: the keeper has not moved for %d s: it is ended",
	    (pulse->still >= LOOKS_STILL ? LOOKS_STILL : LOOKS_A_ROUND) *
		LOOK_EVERY_MS / 1000);
	(void)kill(worker, SIGKILL);
	pulse->still = pulse->same_round = 0;
}

/* Flush to disk what has changed, once a second, until the worker has ended.
 */
static int
worker_wait(
    const struct keeper_link *link, pid_t worker, const sigset_t *watched)
{
	struct pulse pulse = {.look_ms = clock_ms()};
	int status;
	pid_t ended;
	while ((ended = waitpid(worker, &status, WNOHANG)) == 0) {
		bool is_dirty = atomic_load(&link->ring->is_dirty) != 0;
		if (child_signal_wait(
			watched, is_dirty ? FLUSH_EVERY_MS : LOOK_EVERY_MS))
			continue;
		pulse_take(link, worker, &pulse);
		if (is_dirty && atomic_exchange(&link->ring->is_dirty, 0) != 0)
			(void)place_sync(&link->place);
	}
	return ended == worker ? status : WORKER_BROKEN << 8;
}

/*
 * Is the file to blame?  Not if the worker was killed by hand, had no memory,
 * or had not come to it yet.
 */
static bool
is_crash(const struct ring *ring, int status)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
	if (atomic_load(&ring->is_open) == 0)
		return false;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == WORKER_BROKEN;
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		if (WTERMSIG(status) == faults[i])
			return true;
	return false;
}

static void
end_tell(struct ring *ring, int status)
{
	if (WIFSIGNALED(status))
		log_error("memory: the keeper was ended by signal %d (%s); "
			  "another one is started",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != WORKER_BROKEN &&
		 WEXITSTATUS(status) != WORKER_LOST && keeper_may_tell(ring))
		log_error("memory: the keeper has ended with code %d; another "
			  "one is started",
		    WEXITSTATUS(status));
}

/* A worker that ends again and again is not started all the time. */
static void
pause_before_next(unsigned ends)
{
	unsigned ms = ends < 2 ? 0 : ends < 8 ? 50U << ends : PAUSE_MS_MAX;
	if (ms > PAUSE_MS_MAX)
		ms = PAUSE_MS_MAX;
	struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
	(void)nanosleep(&pause, NULL);
}

/* The folder may have been removed, or what it is in. */
static void
folder_make(const struct keeper_link *link)
{
	struct arena *a = arena_new_small();
	struct str note;
	bool is_made = place_make(a, &link->place, &note);
	if (note.len > 0 && (is_made || keeper_may_tell(link->ring)))
		log_error("memory: %.*s", STR_ARG(note));
	arena_free(a);
}

static pid_t
worker_start(const struct keeper_link *link, int ret_leash[2])
{
	bool is_suspect = atomic_load(&link->ring->crashes) >= CRASHES_SUSPECT;
	if (pipe2(ret_leash, O_CLOEXEC) != 0)
		return -1;
	atomic_store(&link->ring->rounds, 0);
	atomic_store(&link->ring->is_open, 0);
	pid_t worker = fork();
	if (worker > 0)
		atomic_store(&link->ring->worker, worker);
	if (worker == 0) {
		(void)close(ret_leash[1]);
		worker_run(link, ret_leash[0], is_suspect);
	}
	(void)close(ret_leash[0]);
	if (worker < 0)
		(void)close(ret_leash[1]);
	return worker;
}

static NORETURN void
keeper_run(const struct keeper_link *link, int alive)
{
	sigset_t watched;
	signals_set(&watched);
	(void)prctl(PR_SET_NAME, "postern-keeper");
	/*
	 * If posternd has threads by now, one of them may hold a lock of libc
	 * that nobody will ever give back here: rather end, and be started
	 * once more.
	 */
	(void)alarm(START_SECONDS_MAX);
	log_forked();
	streams_close();
	fds_close(link, alive);
	unsigned quick = 0;
	for (;;) {
		int leash[2];
		pid_t worker = worker_start(link, leash);
		if (worker < 0) {
			log_error("memory: fork: %s", strerror(errno));
			_exit(1);
		}
		(void)alarm(0);
		int64_t begin_ms = clock_ms();
		int status = worker_wait(link, worker, &watched);
		(void)close(leash[1]);
		if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_DONE)
			_exit(0);
		end_tell(link->ring, status);
		if (is_crash(link->ring, status))
			(void)atomic_fetch_add(&link->ring->crashes, 1);
		quick = clock_ms() - begin_ms < QUICK_MS ? quick + 1 : 0;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			pause_before_next(quick);
		folder_make(link);
	}
}

pid_t
keeper_start(const struct keeper_link *link, int *ret_alive)
{
	int alive[2];
	if (pipe2(alive, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		keeper_run(link, alive[1]);
	int error = errno;
	(void)close(alive[1]);
	if (pid < 0)
		(void)close(alive[0]);
	else
		*ret_alive = alive[0];
	errno = error;
	return pid;
}
