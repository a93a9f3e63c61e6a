/* SPDX-License-Identifier: BSD-2-Clause */
/* memory -- posternd's side: tells the keeper, and asks it. */
#include "state/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/history.h"
#include "state/keeper.h"
#include "state/record.h"

#define RING_BYTES ((size_t)8 << 20)
#define ASK_MS 1000
#define CHECK_EVERY_MS 1000
#define REPORT_EVERY_MS 60000
#define STOP_MS 5000
#define KILL_MS 1000
#define SOCKET_BYTES (256 * 1024)

struct memory {
	struct keeper_link link;
	int life;              /* our end: the keeper ends when it closes */
	int asks[KEEPER_ASKS]; /* our ends */
	pthread_mutex_t keeper_lock; /* pid, alive */
	pid_t pid;
	int alive;
	pthread_mutex_t ring_lock; /* putting into the ring */
	_Atomic uint64_t lost;     /* dropped since the start */
	uint64_t dropped;          /* since the last report */
	int64_t report_ms;
	pthread_mutex_t ask_lock; /* free, nfree */
	pthread_cond_t ask_freed;
	size_t free[KEEPER_ASKS], nfree;
	_Atomic uint32_t number;   /* of the last question */
	_Atomic int64_t check_ms;  /* when to look at the keeper again */
	_Atomic int64_t silent_ms; /* until then nothing is asked */
	_Atomic int64_t told_ms;   /* when that was told the last time */
	_Atomic bool is_told;
	_Atomic uint32_t users; /* threads within a call */
	_Atomic bool is_stopped;
	struct memory *next; /* of those that are stopped */
};

/* ---- start and stop */

static bool
socket_pair(int *ret_ours, int *ret_theirs)
{
	int pair[2], bytes = SOCKET_BYTES;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	for (int i = 0; i < 2; i++)
		(void)setsockopt(
		    pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return true;
}

static bool
link_open(struct memory *m)
{
	int life[2];
	m->link.ring = ring_new(RING_BYTES);
	m->link.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->link.ring == NULL || m->link.wake < 0 ||
	    pipe2(life, O_CLOEXEC) != 0)
		return false;
	m->link.life = life[0];
	m->life = life[1];
	for (; m->nfree < KEEPER_ASKS; m->nfree++) {
		size_t i = m->nfree;
		if (!socket_pair(&m->asks[i], &m->link.asks[i]))
			return false;
		m->free[i] = i;
	}
	return true;
}

static void
link_close(struct memory *m)
{
	for (size_t i = 0; i < KEEPER_ASKS; i++) {
		(void)close(m->asks[i]);
		(void)close(m->link.asks[i]);
	}
	(void)close(m->link.wake);
	(void)close(m->link.life);
	ring_free(m->link.ring);
}

static void
limits_set(struct memory *m, const struct memory_config *config)
{
	atomic_store(&m->link.ring->size_bytes, config->size_bytes);
	atomic_store(&m->link.ring->days, config->days);
	atomic_store(&m->link.ring->history_days, config->history_days);
	atomic_store(&m->link.ring->clock_proof_s, config->clock_proof_s);
	atomic_store(&m->link.ring->history_bytes,
	    config->history_days == 0 ? 0 : config->history_bytes);
}

static void
locks_init(struct memory *m)
{
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&m->ask_freed, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&m->keeper_lock, NULL);
	(void)pthread_mutex_init(&m->ring_lock, NULL);
	(void)pthread_mutex_init(&m->ask_lock, NULL);
}

/* False: `*ret_why`. */
static bool
start(struct memory *m, struct arena *a, const struct memory_config *config,
    struct str *ret_why)
{
	struct str note;
	if (!place_init(&m->link.place, config->dir)) {
		*ret_why = STR("the path of the state folder is too long");
		return false;
	}
	if (!place_make(a, &m->link.place, ret_why))
		return false;
	note = *ret_why;
	if (note.len > 0)
		log_error("memory: %.*s", STR_ARG(note));
	if (!link_open(m)) {
		*ret_why = str_printf(a, "memory: %s", strerror(errno));
		return false;
	}
	limits_set(m, config);
	m->pid = keeper_start(&m->link, &m->alive);
	if (m->pid < 0)
		*ret_why = str_printf(a, "fork: %s", strerror(errno));
	return m->pid > 0;
}

struct memory *
memory_start(
    struct arena *a, const struct memory_config *config, struct str *ret_why)
{
	struct memory *m = calloc(1, sizeof(*m));
	if (m == NULL)
		log_fatal("out of memory");
	locks_init(m);
	if (start(m, a, config, ret_why))
		return m;
	free(m); /* posternd ends, or does without: descriptors may stay */
	return NULL;
}

/* Wait until all of the keeper is gone; false: not in time. */
static bool
keeper_wait(struct memory *m, int ms)
{
	struct pollfd alive = {.fd = m->alive};
	int64_t end = clock_ms() + ms;
	int n;
	do
		n = poll(&alive, 1, ms);
	while (n < 0 && errno == EINTR && clock_ms() < end);
	if (n != 1)
		return false;
	while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

void
memory_configure(struct memory *memory, const struct memory_config *config)
{
	if (memory != NULL)
		limits_set(memory, config);
}

/* A call begins; false: there is no memory, or it has been stopped. */
static bool
enter(struct memory *m)
{
	if (m == NULL)
		return false;
	(void)atomic_fetch_add(&m->users, 1);
	if (!atomic_load(&m->is_stopped))
		return true;
	(void)atomic_fetch_sub(&m->users, 1);
	return false;
}

static void
leave(struct memory *m)
{
	(void)atomic_fetch_sub(&m->users, 1);
}

/*
 * Connections that are still open may call at any time: the struct stays, and
 * says that it is stopped.
 */
static void
stopped_keep(struct memory *m)
{
	static struct memory *stopped;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	(void)pthread_mutex_lock(&lock);
	m->next = stopped;
	stopped = m;
	(void)pthread_mutex_unlock(&lock);
}

/*
 * It hangs, and the next posternd would wait for its lock.  The watcher is
 * stopped first: it starts no other worker, and the pid stays that one's.
 */
static void
keeper_kill(struct memory *m)
{
	if (m->pid <= 0 || kill(m->pid, SIGSTOP) != 0)
		return;
	int32_t worker = atomic_load(&m->link.ring->worker);
	if (worker > 0)
		(void)kill(worker, SIGKILL);
	(void)kill(m->pid, SIGKILL);
	log_error("memory: the keeper does not end: killed; what was told "
		  "last may be lost");
	if (!keeper_wait(m, KILL_MS))
		log_error("memory: the keeper waits for the disk, and ends "
			  "after that");
}

void
memory_stop(struct memory *m)
{
	if (m == NULL || atomic_exchange(&m->is_stopped, true))
		return;
	while (atomic_load(&m->users) > 0)
		(void)usleep(1000);
	(void)close(m->life);
	if (!keeper_wait(m, STOP_MS))
		keeper_kill(m);
	(void)close(m->alive);
	link_close(m);
	stopped_keep(m);
}

/* ---- the keeper is gone: start another */

static void
keeper_restart(struct memory *m)
{
	struct pollfd alive = {.fd = m->alive};
	if (m->alive >= 0) {
		if (poll(&alive, 1, 0) != 1)
			return;
		(void)waitpid(m->pid, NULL, 0);
		(void)close(m->alive);
		m->alive = -1;
	}
	m->pid = keeper_start(&m->link, &m->alive);
	if (m->pid < 0)
		log_error("memory: the keeper is gone, and there can be no "
			  "other one: %s",
		    strerror(errno));
	else
		log_error("memory: the keeper was gone; another one is "
			  "started");
}

/* Look after it, at most once a second. */
static void
keeper_check(struct memory *m)
{
	int64_t now = clock_ms(), due = atomic_load(&m->check_ms);
	if (now < due || !atomic_compare_exchange_strong(
			     &m->check_ms, &due, now + CHECK_EVERY_MS))
		return;
	(void)pthread_mutex_lock(&m->keeper_lock);
	keeper_restart(m);
	(void)pthread_mutex_unlock(&m->keeper_lock);
}

/* ---- tell */

/* Call with `ring_lock`.  How many to report now; 0: none. */
static uint64_t
dropped_due(struct memory *m)
{
	int64_t now = clock_ms();
	uint64_t n = m->dropped;
	if (n == 0 ||
	    (m->report_ms != 0 && now - m->report_ms < REPORT_EVERY_MS))
		return 0;
	m->report_ms = now;
	m->dropped = 0;
	return n;
}

static void
tell(struct memory *m, struct str bytes)
{
	keeper_check(m);
	(void)pthread_mutex_lock(&m->ring_lock);
	if (!ring_put(m->link.ring, bytes)) {
		m->dropped++;
		(void)atomic_fetch_add(&m->lost, 1);
	}
	uint64_t dropped = m->dropped == 0 ? 0 : dropped_due(m);
	(void)pthread_mutex_unlock(&m->ring_lock);
	if (dropped > 0)
		log_error("memory: the keeper is behind: %llu messages are "
			  "not remembered",
		    (unsigned long long)dropped);
	if (ring_wants_waking(m->link.ring))
		(void)eventfd_write(m->link.wake, 1);
}

uint64_t
memory_lost(struct memory *m)
{
	return m == NULL ? 0 : atomic_load(&m->lost);
}

void
ledger_record(struct memory *m, const struct ledger_entry *entry)
{
	if (!enter(m))
		return;
	struct arena *a = arena_new_small();
	struct buf *b = buf_new(a, RECORD_BYTES_MAX);
	buf_reserve(b, 256);
	pack_u8(b, TELL_ENTRY);
	entry_pack(b, entry);
	tell(m, buf_str(b));
	arena_free(a);
	leave(m);
}

void
memory_wrote(struct memory *m, struct str ours, const struct strs *theirs)
{
	if (theirs->n == 0 || !enter(m))
		return;
	struct arena *a = arena_new_small();
	struct buf *b = buf_new(a, REQUEST_BYTES_MAX);
	pack_u8(b, TELL_WROTE);
	pack_str(b, ledger_path_cut(ours));
	for (size_t i = 0; i < theirs->n && i < TELL_WROTE_MAX; i++)
		pack_str(b, ledger_path_cut(theirs->v[i]));
	tell(m, buf_str(b));
	arena_free(a);
	leave(m);
}

bool
history_is_kept(const struct memory *m)
{
	return m != NULL && atomic_load(&m->link.ring->history_days) > 0;
}

void
history_record(struct memory *m, const struct history_entry *entry)
{
	if (!enter(m))
		return;
	if (history_is_kept(m)) {
		struct arena *a = arena_new_small();
		struct buf *b = buf_new(a, HISTORY_BYTES_MAX);
		buf_reserve(b, 1024);
		pack_u8(b, TELL_HISTORY);
		history_pack(b, entry);
		tell(m, buf_str(b));
		arena_free(a);
	}
	leave(m);
}

/* ---- ask */

static void
deadline_set(int64_t ms, struct timespec *ret)
{
	ret->tv_sec = ms / 1000;
	ret->tv_nsec = ms % 1000 * 1000000;
}

/* A socket that nobody else asks by; false: all are in use. */
static bool
slot_take(struct memory *m, int64_t end_ms, size_t *ret)
{
	struct timespec end;
	bool is_late = false;
	deadline_set(end_ms, &end);
	(void)pthread_mutex_lock(&m->ask_lock);
	while (m->nfree == 0 && !is_late)
		is_late = pthread_cond_timedwait(
			      &m->ask_freed, &m->ask_lock, &end) == ETIMEDOUT;
	bool is_taken = m->nfree > 0;
	if (is_taken)
		*ret = m->free[--m->nfree];
	(void)pthread_mutex_unlock(&m->ask_lock);
	return is_taken;
}

static void
slot_give(struct memory *m, size_t slot)
{
	(void)pthread_mutex_lock(&m->ask_lock);
	m->free[m->nfree++] = slot;
	(void)pthread_cond_signal(&m->ask_freed);
	(void)pthread_mutex_unlock(&m->ask_lock);
}

/* The next reply, of whatever question; false: none came in time. */
static bool
reply_read(int fd, struct arena *a, int64_t end_ms, struct str *ret)
{
	for (;;) {
		ssize_t len =
		    recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
		if (len > 0) {
			char *bytes = arena_alloc(a, (size_t)len);
			len = recv(fd, bytes, (size_t)len, MSG_DONTWAIT);
			*ret = str_of(bytes, len < 0 ? 0 : (size_t)len);
			return len > 0;
		}
		int64_t left = end_ms - clock_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		if (left <= 0 ||
		    (poll(&ready, 1, (int)left) < 0 && errno != EINTR))
			return false;
	}
}

/* A late reply to an earlier question is not one to this. */
static bool
reply_wait(
    int fd, struct arena *a, uint32_t number, int64_t end_ms, struct reply *ret)
{
	struct str bytes;
	while (reply_read(fd, a, end_ms, &bytes))
		if (reply_unpack(bytes, ret) && ret->number == number)
			return true;
	return false;
}

/* One that does not answer is not asked again for a second. */
static bool
is_silent(struct memory *m)
{
	return clock_ms() < atomic_load(&m->silent_ms);
}

static void
silence_tell(struct memory *m)
{
	int64_t now = clock_ms(), told = atomic_load(&m->told_ms);
	if ((told != 0 && now - told < REPORT_EVERY_MS) ||
	    !atomic_compare_exchange_strong(&m->told_ms, &told, now))
		return;
	atomic_store(&m->is_told, true);
	log_error("memory: the keeper does not answer; notices of unknown "
		  "origin are held");
}

static void
answer_tell(struct memory *m)
{
	if (atomic_load(&m->is_told) && atomic_exchange(&m->is_told, false))
		log_info("memory: the keeper answers again");
}

/* Send `request` and read the results into `*ret`, which lives in `a`. */
static enum memory_status
ask(struct memory *m, struct arena *a, struct request *request, struct str *ret)
{
	int64_t end = clock_ms() + ASK_MS;
	struct buf *bytes = buf_new(a, REQUEST_BYTES_MAX);
	struct reply reply;
	size_t slot;
	keeper_check(m);
	request->number = atomic_fetch_add(&m->number, 1) + 1;
	request_pack(bytes, request);
	if (bytes->is_cut || is_silent(m) || !slot_take(m, end, &slot))
		return MEMORY_TEMP;
	int fd = m->asks[slot];
	bool is_sent =
	    send(fd, bytes->p, bytes->len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
	bool is_answered =
	    is_sent && reply_wait(fd, a, request->number, end, &reply);
	slot_give(m, slot);
	if (is_answered) {
		answer_tell(m);
	} else {
		atomic_store(&m->silent_ms, clock_ms() + ASK_MS);
		silence_tell(m);
	}
	if (!is_answered || reply.answer != REPLY_OK)
		return MEMORY_TEMP;
	*ret = reply.results;
	return MEMORY_OK;
}

enum memory_status
ledger_find(struct memory *m, struct arena *a, struct str sender,
    struct str message_id, int64_t since_wall, size_t max,
    struct ledger_found *ret)
{
	struct request request = {.kind = REQUEST_FIND,
	    .first = ledger_path_cut(sender),
	    .second = ledger_id_cut(message_id),
	    .wall = since_wall,
	    .max = max > LEDGER_FIND_MAX ? LEDGER_FIND_MAX : (unsigned)max};
	struct str results;
	if (!enter(m))
		return MEMORY_TEMP;
	enum memory_status status = ask(m, a, &request, &results);
	leave(m);
	return status == MEMORY_OK && found_unpack(a, results, ret)
		   ? MEMORY_OK
		   : MEMORY_TEMP;
}

enum memory_status
memory_has_written(
    struct memory *m, struct str ours, struct str theirs, int64_t *ret_wall)
{
	struct request request = {.kind = REQUEST_WROTE,
	    .first = ledger_path_cut(ours),
	    .second = ledger_path_cut(theirs)};
	struct str results;
	uint64_t when;
	if (!enter(m))
		return MEMORY_TEMP;
	struct arena *a = arena_new_small();
	bool is_known = ask(m, a, &request, &results) == MEMORY_OK &&
			unpack_u64(&results, &when);
	if (is_known)
		*ret_wall = (int64_t)when;
	arena_free(a);
	leave(m);
	return is_known ? MEMORY_OK : MEMORY_TEMP;
}

enum memory_status
budget_take(struct memory *m, const struct budget_row *rows, size_t n,
    int64_t now_wall, size_t *ret_full)
{
	struct request request = {.kind = REQUEST_BUDGET, .wall = now_wall};
	struct str results;
	unsigned full;
	if (n > BUDGET_ROWS_MAX || !enter(m))
		return MEMORY_TEMP;
	for (size_t i = 0; i < n; i++)
		request.rows[request.nrows++] = rows[i];
	struct arena *a = arena_new_small();
	bool is_known = ask(m, a, &request, &results) == MEMORY_OK &&
			unpack_u8(&results, &full);
	if (is_known)
		*ret_full = full;
	arena_free(a);
	leave(m);
	return is_known ? MEMORY_OK : MEMORY_TEMP;
}
