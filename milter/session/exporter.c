/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exporter -- one page over HTTP (RFC 9112): a request, its answer, the end.
 * Own code, as the libraries that do it bring TLS into the gate.
 */
#include "session/exporter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/listen.h"
#include "base/log.h"

#define CLIENTS_MAX 8
#define REQUEST_BYTES 4096
#define RESPONSE_MAX ((size_t)9 << 20)
#define CLIENT_MS 5000
/* Out of descriptors or memory: the listener stays readable. */
#define PAUSE_MS 100

struct client {
	int fd; /* -1: free */
	int64_t until_ms;
	char request[REQUEST_BYTES];
	size_t n;
	struct arena *arena; /* of `left`; NULL: the request is still read */
	struct str left;
};

struct exporter {
	struct exporter_options options;
	char path[108]; /* empty: no unix socket */
	int listener, wake;
	pthread_t thread;
	struct client clients[CLIENTS_MAX];
};

static void
client_end(struct client *c)
{
	(void)close(c->fd);
	arena_free(c->arena);
	c->fd = -1;
	c->arena = NULL;
	c->n = 0;
}

static void
client_begin(struct exporter *x)
{
	int fd = accept4(x->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		(void)poll(NULL, 0, PAUSE_MS);
	for (size_t i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
		if (x->clients[i].fd < 0) {
			x->clients[i].fd = fd;
			x->clients[i].until_ms = clock_ms() + CLIENT_MS;
			return;
		}
	if (fd >= 0)
		(void)close(fd);
}

static void
respond(struct client *c, const char *status, const char *type, struct str body,
    bool has_body)
{
	struct buf *b = buf_new(c->arena, RESPONSE_MAX);
	buf_printf(b,
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n%s\r\n",
	    status, type, body.len,
	    str_starts(str_from(status), STR("405")) ? "Allow: GET, HEAD\r\n"
						     : "");
	if (has_body)
		buf_put(b, body);
	c->left = buf_str(b);
}

/* "/metrics", "/metrics?x=y" */
static bool
is_metrics(struct str target)
{
	return str_eq(str_cut(&target, '?'), STR("/metrics"));
}

enum exporter_request
exporter_judge(struct str request, bool *ret_is_head)
{
	struct str line = str_line(&request);
	struct str method = str_cut(&line, ' '), target = str_cut(&line, ' ');
	*ret_is_head = str_eq(method, STR("HEAD"));
	if (!str_starts(line, STR("HTTP/1.")))
		return EXPORTER_MALFORMED;
	if (!*ret_is_head && !str_eq(method, STR("GET")))
		return EXPORTER_OTHER_METHOD;
	return is_metrics(target) ? EXPORTER_METRICS : EXPORTER_OTHER_PAGE;
}

static void
answer(struct exporter *x, struct client *c)
{
	static const char *const statuses[] = {
	    [EXPORTER_METRICS] = "200 OK",
	    [EXPORTER_MALFORMED] = "400 Bad Request",
	    [EXPORTER_OTHER_METHOD] = "405 Method Not Allowed",
	    [EXPORTER_OTHER_PAGE] = "404 Not Found",
	};
	bool is_head;
	enum exporter_request request =
	    exporter_judge(str_of(c->request, c->n), &is_head);
	if (request == EXPORTER_METRICS)
		respond(c, statuses[request],
		    "text/plain; version=0.0.4; charset=utf-8",
		    x->options.text(x->options.arg, c->arena), !is_head);
	else
		respond(c, statuses[request], "text/plain",
		    STR("Here is GET /metrics and nothing else.\n"), !is_head);
}

static bool
is_whole(const struct client *c)
{
	struct str request = str_of(c->request, c->n);
	return str_find(request, STR("\r\n\r\n")) != STR_NONE ||
	       str_find(request, STR("\n\n")) != STR_NONE;
}

static void
client_read(struct exporter *x, struct client *c)
{
	ssize_t n =
	    recv(c->fd, c->request + c->n, sizeof(c->request) - c->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_end(c);
		return;
	}
	c->n += (size_t)n;
	bool is_over = c->n == sizeof(c->request);
	if (!is_over && !is_whole(c))
		return;
	c->arena = arena_new();
	if (is_whole(c))
		answer(x, c);
	else
		respond(c, "431 Request Header Fields Too Large", "text/plain",
		    STR_EMPTY, false);
}

static void
client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->left.p, c->left.len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->left = str_skip(c->left, (size_t)n);
	if (n <= 0 || c->left.len == 0)
		client_end(c);
}

/* What to wait for; returns the time until a client has had its time, -1: no
 * client. */
static int
fds_fill(const struct exporter *x, struct pollfd fds[CLIENTS_MAX + 2])
{
	int64_t now = clock_ms(), least = -1;
	fds[0] = (struct pollfd){.fd = x->wake, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = x->listener, .events = POLLIN};
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		const struct client *c = &x->clients[i];
		fds[i + 2] = (struct pollfd){
		    .fd = c->fd, .events = c->arena == NULL ? POLLIN : POLLOUT};
		int64_t left = c->until_ms > now ? c->until_ms - now : 0;
		if (c->fd >= 0 && (least < 0 || left < least))
			least = left;
	}
	return (int)least;
}

static void
clients_serve(struct exporter *x, const struct pollfd fds[CLIENTS_MAX + 2])
{
	int64_t now = clock_ms();
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &x->clients[i];
		if (c->fd < 0 || fds[i + 2].fd != c->fd)
			continue;
		if (now >= c->until_ms)
			client_end(c);
		else if (fds[i + 2].revents != 0 && c->arena == NULL)
			client_read(x, c);
		else if (fds[i + 2].revents != 0)
			client_write(c);
	}
}

static void *
serve(void *arg)
{
	struct exporter *x = arg;
	struct pollfd fds[CLIENTS_MAX + 2];
	for (;;) {
		int wait_ms = fds_fill(x, fds);
		if (poll(fds, COUNT_OF(fds), wait_ms) < 0)
			continue;
		if (fds[0].revents != 0)
			return NULL;
		clients_serve(x, fds);
		if (fds[1].revents != 0)
			client_begin(x);
	}
}

static int
listener_open(const struct exporter_options *o)
{
	return str_starts(o->at, STR("/")) ? listen_local(o->at, o->mode)
					   : listen_loopback(o->at);
}

struct exporter *
exporter_start(const struct exporter_options *options)
{
	int listener = listener_open(options);
	if (listener < 0)
		return NULL;
	struct exporter *x = calloc(1, sizeof(*x));
	if (x == NULL)
		log_fatal("out of memory");
	x->options = *options;
	x->listener = listener;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		x->clients[i].fd = -1;
	if (str_starts(options->at, STR("/")))
		(void)snprintf(
		    x->path, sizeof(x->path), "%.*s", STR_ARG(options->at));
	x->wake = eventfd(0, EFD_CLOEXEC);
	if (x->wake < 0 || pthread_create(&x->thread, NULL, serve, x) != 0)
		log_fatal(
		    "cannot start the metrics' thread: %s", strerror(errno));
	return x;
}

void
exporter_stop(struct exporter *x)
{
	if (x == NULL)
		return;
	(void)eventfd_write(x->wake, 1);
	(void)pthread_join(x->thread, NULL);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (x->clients[i].fd >= 0)
			client_end(&x->clients[i]);
	(void)close(x->listener);
	(void)close(x->wake);
	if (x->path[0] != '\0')
		(void)unlink(x->path);
	free(x);
}
