/* SPDX-License-Identifier: BSD-2-Clause */
/* wire -- packets of the milter protocol on a socket. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"

#define HEAD_BYTES 5

uint32_t
wire_u32(struct str data, size_t at)
{
	uint32_t value = 0;
	for (size_t i = at; i < at + 4; i++)
		value =
		    value << 8 | (i < data.len ? (unsigned char)data.p[i] : 0);
	return value;
}

void
wire_put_u32(char to[4], uint32_t value)
{
	for (int i = 3; i >= 0; i--, value >>= 8)
		to[i] = (char)(value & 0xff);
}

static bool
finish_connect(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = ETIMEDOUT;
	socklen_t size = sizeof(error);
	if (poll(&p, 1, timeout_ms) == 1)
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	errno = error;
	return error == 0;
}

static int
connect_to(
    int family, const struct sockaddr *address, socklen_t size, int timeout_ms)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	int64_t until = clock_ms() + timeout_ms;
	/* a unix socket with a full backlog says EAGAIN, not EINPROGRESS */
	while (connect(fd, address, size) != 0) {
		if (errno == EAGAIN && clock_ms() < until) {
			(void)usleep(1000);
			continue;
		}
		if (errno == EINPROGRESS && finish_connect(fd, timeout_ms))
			break;
		int saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int
connect_unix(const char *path, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect_to(AF_UNIX, (const struct sockaddr *)&address,
	    sizeof(address), timeout_ms);
}

/* `place` is "port@host". */
static int
connect_inet(int family, const char *place, int timeout_ms)
{
	char port[16];
	const char *at = strchr(place, '@');
	struct addrinfo hints = {
	    .ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	errno = EINVAL;
	if (at == NULL || (size_t)(at - place) >= sizeof(port))
		return -1;
	(void)snprintf(port, sizeof(port), "%.*s", (int)(at - place), place);
	if (getaddrinfo(at + 1, port, &hints, &found) != 0)
		return -1;
	int fd = connect_to(
	    found->ai_family, found->ai_addr, found->ai_addrlen, timeout_ms);
	freeaddrinfo(found);
	if (fd >= 0)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}

static int
connect_by_name(const char *name, int timeout_ms)
{
	const char *colon = strchr(name, ':');
	struct str kind =
	    str_of(name, colon == NULL ? 0 : (size_t)(colon - name));
	if (str_eq(kind, STR("unix")) || str_eq(kind, STR("local")))
		return connect_unix(colon + 1, timeout_ms);
	if (str_eq(kind, STR("inet")))
		return connect_inet(AF_INET, colon + 1, timeout_ms);
	if (str_eq(kind, STR("inet6")))
		return connect_inet(AF_INET6, colon + 1, timeout_ms);
	errno = EINVAL;
	return -1;
}

static void *
must_have(void *p)
{
	if (p == NULL)
		log_fatal("out of memory");
	return p;
}

bool
wire_open(struct wire *w, const char *socket_name, int timeout_ms)
{
	*w = (struct wire){.fd = connect_by_name(socket_name, timeout_ms),
	    .timeout_ms = timeout_ms};
	if (w->fd < 0)
		return false;
	w->out = must_have(malloc(WIRE_OUT_BYTES));
	w->in_cap = 4096;
	w->in = must_have(malloc(w->in_cap));
	return true;
}

void
wire_close(struct wire *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w->out);
	free(w->in);
	*w = (struct wire){.fd = -1};
}

void
wire_half_close(struct wire *w)
{
	(void)shutdown(w->fd, SHUT_WR);
}

static enum wire_status
wait_for(const struct wire *w, short events)
{
	struct pollfd p = {.fd = w->fd, .events = events};
	int n = poll(&p, 1, w->timeout_ms);
	return n == 0 ? WIRE_TIMEOUT : n < 0 ? WIRE_CLOSED : WIRE_OK;
}

static enum wire_status
write_all(struct wire *w, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(w->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		if (n > 0) {
			bytes = str_skip(bytes, (size_t)n);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return WIRE_CLOSED;
		enum wire_status status = wait_for(w, POLLOUT);
		if (status != WIRE_OK)
			return status;
	}
	return WIRE_OK;
}

enum wire_status
wire_flush(struct wire *w)
{
	size_t n = w->out_len;
	w->out_len = 0;
	return write_all(w, str_of(w->out, n));
}

enum wire_status
wire_send_raw(struct wire *w, struct str bytes)
{
	if (bytes.len > WIRE_OUT_BYTES - w->out_len) {
		enum wire_status status = wire_flush(w);
		if (status != WIRE_OK)
			return status;
		if (bytes.len > WIRE_OUT_BYTES)
			return write_all(w, bytes);
	}
	memcpy(w->out + w->out_len, bytes.p, bytes.len);
	w->out_len += bytes.len;
	return WIRE_OK;
}

enum wire_status
wire_send(struct wire *w, char command, struct str data)
{
	char head[HEAD_BYTES];
	if (w->slow_ms > 0)
		(void)usleep(w->slow_ms * 1000);
	wire_put_u32(head, (uint32_t)(data.len + 1));
	head[4] = command;
	enum wire_status status = wire_send_raw(w, str_of(head, sizeof(head)));
	if (status == WIRE_OK)
		status = wire_send_raw(w, data);
	if (status == WIRE_OK && (w->is_eager || w->slow_ms > 0))
		status = wire_flush(w);
	return status;
}

static void
forget_taken(struct wire *w)
{
	memmove(w->in, w->in + w->taken, w->in_len - w->taken);
	w->in_len -= w->taken;
	w->taken = 0;
}

/* Read until `n` bytes are there. */
static enum wire_status
fill(struct wire *w, size_t n)
{
	if (n > w->in_cap) {
		w->in = must_have(realloc(w->in, n));
		w->in_cap = n;
	}
	while (w->in_len < n) {
		ssize_t got =
		    recv(w->fd, w->in + w->in_len, w->in_cap - w->in_len, 0);
		if (got > 0) {
			w->in_len += (size_t)got;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0 || errno != EAGAIN)
			return WIRE_CLOSED;
		enum wire_status status = wait_for(w, POLLIN);
		if (status != WIRE_OK)
			return status;
	}
	return WIRE_OK;
}

enum wire_status
wire_receive(struct wire *w, char *ret_command, struct str *ret_data)
{
	enum wire_status status = wire_flush(w);
	/* a milter that closed may have said why before it did */
	if (status == WIRE_TIMEOUT)
		return status;
	forget_taken(w);
	status = fill(w, HEAD_BYTES);
	if (status != WIRE_OK)
		return status;
	uint32_t len = wire_u32(str_of(w->in, w->in_len), 0);
	if (len == 0 || len > WIRE_IN_MAX)
		return WIRE_BAD;
	status = fill(w, 4 + (size_t)len);
	if (status != WIRE_OK)
		return status;
	*ret_command = w->in[4];
	*ret_data = str_of(w->in + HEAD_BYTES, len - 1);
	w->taken = 4 + (size_t)len;
	return WIRE_OK;
}

bool
wire_has_input(const struct wire *w)
{
	char first;
	return w->in_len > w->taken ||
	       recv(w->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}
