/* SPDX-License-Identifier: BSD-2-Clause */
/* read_ahead -- fewer system calls for what the MTA sends. */
#include "session/read_ahead.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "session/workers.h"

/*
 * One connection.  libmilter lets one thread at a time use it: the listener
 * that accepts, then workers and the controller that waits for all idle ones,
 * each after the other by a lock of theirs.
 */
struct ahead {
	size_t from, to; /* what is left of `bytes` */
	int error;       /* that came instead of more of them; 0: none */
	char bytes[READ_AHEAD_BYTES];
};

/* A connection that has nothing left keeps no buffer. */
static struct ahead idle;
static _Atomic(struct ahead *) connections[READ_AHEAD_FDS];

static bool
is_in_range(int fd)
{
	return fd >= 0 && fd < READ_AHEAD_FDS;
}

/* NULL: not ours. */
static struct ahead *
ahead_of(int fd)
{
	return is_in_range(fd) ? atomic_load_explicit(
				     &connections[fd], memory_order_acquire)
			       : NULL;
}

static void
ahead_set(int fd, struct ahead *ahead)
{
	struct ahead *old = atomic_exchange(&connections[fd], ahead);
	if (old != &idle)
		free(old);
}

static bool
is_pending(const struct ahead *ahead)
{
	return ahead->from < ahead->to || ahead->error != 0;
}

/* NULL: no memory, so nothing is read ahead. */
static struct ahead *
ahead_buffer(int fd, struct ahead *ahead)
{
	if (ahead != &idle)
		return ahead;
	ahead = malloc(sizeof(*ahead));
	if (ahead == NULL)
		return NULL;
	ahead->from = ahead->to = 0;
	ahead->error = 0;
	ahead_set(fd, ahead);
	return ahead;
}

/* What recv(2) returns; an end is not kept, it comes again. */
static ssize_t
fill(int fd, struct ahead *ahead, int flags)
{
	ssize_t n = recv(fd, ahead->bytes, sizeof(ahead->bytes), flags);
	ahead->from = 0;
	ahead->to = n > 0 ? (size_t)n : 0;
	return n;
}

size_t
read_ahead_pending(int fd)
{
	const struct ahead *ahead = ahead_of(fd);
	return ahead == NULL ? 0 : ahead->to - ahead->from;
}

bool
read_ahead_is_on(int fd)
{
	return ahead_of(fd) != NULL;
}

int
accept(int fd, struct sockaddr *address, socklen_t *ret_len)
{
	int connection = accept4(fd, address, ret_len, SOCK_CLOEXEC);
	if (is_in_range(connection)) {
		ahead_set(connection, &idle);
		workers_hand(connection);
	}
	return connection;
}

/* TSan is to know that a descriptor is another file's from here on. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
int __interceptor_close(int fd);
#define CLOSE_REALLY(fd) __interceptor_close(fd)
#endif
#endif
#ifndef CLOSE_REALLY
#define CLOSE_REALLY(fd) (int)syscall(SYS_close, fd)
#endif

int
close(int fd)
{
	if (ahead_of(fd) != NULL) {
		ahead_set(fd, NULL);
		workers_begin(fd);
	}
	return CLOSE_REALLY(fd);
}

static ssize_t
read_unbuffered(int fd, void *ret, size_t size)
{
	struct iovec whole = {.iov_base = ret, .iov_len = size};
	return readv(fd, &whole, 1);
}

static ssize_t
take(struct ahead *ahead, void *ret, size_t size)
{
	size_t n = ahead->to - ahead->from;
	if (n > size)
		n = size;
	memcpy(ret, ahead->bytes + ahead->from, n);
	ahead->from += n;
	return (ssize_t)n;
}

ssize_t
read(int fd, void *ret, size_t size)
{
	struct ahead *ahead = ahead_of(fd);
	if (ahead != NULL && ahead->from < ahead->to)
		return take(ahead, ret, size);
	if (ahead != NULL && ahead->error != 0) {
		errno = ahead->error;
		ahead->error = 0;
		return -1;
	}
	/* a large piece of a body needs no copy */
	if (ahead == NULL || size >= READ_AHEAD_BYTES ||
	    (ahead = ahead_buffer(fd, ahead)) == NULL)
		return read_unbuffered(fd, ret, size);
	ssize_t n = fill(fd, ahead, 0);
	return n > 0 ? take(ahead, ret, size) : n;
}

int
poll_really(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec wait = {.tv_sec = timeout_ms / 1000,
	    .tv_nsec = timeout_ms % 1000 * 1000000L};
	return ppoll(fds, n, timeout_ms < 0 ? NULL : &wait, NULL);
}

/* Whether a worker that waits for one connection finds something there now. */
static bool
is_ready_ahead(int fd, struct ahead *ahead)
{
	if (is_pending(ahead))
		return true;
	ahead = ahead_buffer(fd, ahead);
	if (ahead == NULL)
		return false;
	int old_errno = errno;
	ssize_t n = fill(fd, ahead, MSG_DONTWAIT);
	bool is_later = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK ||
				     errno == EINTR);
	if (n < 0 && !is_later)
		ahead->error = errno;
	errno = old_errno;
	return !is_later;
}

/* Whether one of those waited for has something.  The others give their buffers
 * back: who is waited for together with others is idle. */
static bool
is_one_pending(const struct pollfd *fds, nfds_t n)
{
	bool is_one = false;
	for (nfds_t i = 0; i < n; i++) {
		struct ahead *ahead = ahead_of(fds[i].fd);
		if (ahead == NULL || ahead == &idle)
			continue;
		if (is_pending(ahead))
			is_one |= (fds[i].events & POLLIN) != 0;
		else if (n > 1)
			ahead_set(fds[i].fd, &idle);
	}
	return is_one;
}

static int
poll_with_pending(struct pollfd *fds, nfds_t n)
{
	if (poll_really(fds, n, 0) < 0)
		return -1;
	int count = 0;
	for (nfds_t i = 0; i < n; i++) {
		const struct ahead *ahead = ahead_of(fds[i].fd);
		if (ahead != NULL && is_pending(ahead))
			fds[i].revents |= (short)(fds[i].events & POLLIN);
		count += fds[i].revents != 0;
	}
	return count;
}

/* poll() is declared to write what it points to, not to read it: a compiler
 * that sees this in its place takes all for unset. */
__attribute__((noinline)) static int
poll_ahead(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct ahead *ahead = n == 1 ? ahead_of(fds[0].fd) : NULL;
	bool is_for_input = n == 1 && (fds[0].events & POLLIN) != 0 &&
			    (fds[0].events & ~(POLLIN | POLLPRI)) == 0;
	if (ahead != NULL && is_for_input) {
		workers_begin(fds[0].fd);
		if (!is_ready_ahead(fds[0].fd, ahead))
			return timeout_ms == WORKERS_POLL_MS
				   ? workers_wait(&fds[0], WORKERS_STAY_MS)
				   : poll_really(fds, n, timeout_ms);
		fds[0].revents = POLLIN;
		return 1;
	}
	if (is_one_pending(fds, n))
		return poll_with_pending(fds, n);
	return poll_really(fds, n, timeout_ms);
}

/* Who waits for several is libmilter's controller, that looks for workers. */
static void
hand_ready(const struct pollfd *fds, nfds_t n)
{
	for (nfds_t i = 0; i < n; i++)
		if (fds[i].revents != 0 && ahead_of(fds[i].fd) != NULL)
			workers_hand(fds[i].fd);
}

/* glibc says that poll(2) only writes what it is given. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

int
poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int count = poll_ahead(fds, n, timeout_ms);
	if (n > 1 && count > 0)
		hand_ready(fds, n);
	return count;
}
