/* SPDX-License-Identifier: BSD-2-Clause */
/* reload, status -- ask the running posternd over its control socket. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cmd/cmd.h"
#include "session/config.h"

#define ANSWER_BYTES (1024 * 1024)
/* a reload compiles every rule */
#define ASK_TIMEOUT_S 120

/* All lines but the last to `ret`.  1: that one is "ok", 0: "error", -1:
 * neither. */
static int
answer_read(struct arena *a, int fd, struct strs *ret)
{
	struct buf *b = buf_new(a, ANSWER_BYTES);
	char chunk[4096];
	ssize_t n;
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_put(b, str_of(chunk, (size_t)n));
	struct str rest = buf_str(b), last = STR_EMPTY;
	while (rest.len > 0) {
		if (last.len > 0)
			strs_add(a, ret, last);
		last = str_line(&rest);
	}
	if (str_eq(last, STR("ok")) || str_eq(last, STR("error")))
		return str_eq(last, STR("ok"));
	errno = n < 0 ? errno : EPIPE;
	return -1;
}

/* The protocol is that of control.h. */
static int
control_ask(
    struct arena *a, struct str path, const char *command, struct strs *ret)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (path.len == 0 || path.len >= sizeof(to.sun_path)) {
		errno = path.len == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path.p, path.len);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	struct timeval wait = {.tv_sec = ASK_TIMEOUT_S};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	const void *address = &to;
	int result = -1;
	if (connect(fd, address, sizeof(to)) == 0 &&
	    dprintf(fd, "%s\n", command) > 0)
		result = answer_read(a, fd, ret);
	int error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

static int
ask(const char *command)
{
	struct arena *a = arena_new();
	struct config config;
	struct strs lines = {0};
	cmd_config_load(a, &config);
	int answer = control_ask(a, config.control_socket, command, &lines);
	for (size_t i = 0; i < lines.n; i++)
		fprintf(answer == 1 ? stdout : stderr, "%.*s\n",
		    STR_ARG(lines.v[i]));
	if (answer < 0)
		fprintf(stderr,
		    "postern: posternd does not answer at %.*s: %s\n",
		    STR_ARG(config.control_socket), strerror(errno));
	arena_free(a);
	return answer == 1 ? CMD_FINE : CMD_TROUBLE;
}

int
cmd_reload(int argc, char **argv)
{
	return argc > 1 ? cmd_usage(argv[0]) : ask("reload");
}

int
cmd_status(int argc, char **argv)
{
	return argc > 1 ? cmd_usage(argv[0]) : ask("status");
}
