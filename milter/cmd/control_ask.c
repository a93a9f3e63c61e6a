/* SPDX-License-Identifier: BSD-2-Clause */
/* control_ask -- a question to the running posternd. */
#include "cmd/control_ask.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cmd/cmd.h"

#define ANSWER_BYTES ((size_t)4 << 20)
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
exchange(
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

/* What to do about it. */
static struct str
cure_of(struct arena *a, const struct config *config, int error)
{
	if (config->control_socket.len == 0)
		return STR("; control-socket is empty");
	if (error == ENOENT || error == ECONNREFUSED)
		return STR("; does it run?  systemctl status postern");
	return cmd_who_may(a, config, config->control_socket, W_OK);
}

bool
control_ask(struct arena *a, const struct config *config, const char *command,
    struct strs *ret, struct str *ret_why)
{
	*ret = (struct strs){0};
	*ret_why = STR_EMPTY;
	int answer = exchange(a, config->control_socket, command, ret);
	if (answer >= 0)
		return answer == 1;
	int error = errno;
	struct str cure = cure_of(a, config, error);
	*ret_why = str_printf(a, "posternd does not answer at %.*s: %s%.*s",
	    STR_ARG(config->control_socket), strerror(error), STR_ARG(cure));
	return false;
}

bool
control_tell(struct arena *a, const struct config *config, const char *command)
{
	struct strs lines = {0};
	return exchange(a, config->control_socket, command, &lines) == 1;
}

json_t *
control_status(
    struct arena *a, const struct config *config, struct str *ret_why)
{
	struct strs lines;
	if (!control_ask(a, config, "status", &lines, ret_why))
		return NULL;
	json_t *status = lines.n != 1 ? NULL
				      : json_loadb(lines.v[0].p, lines.v[0].len,
					    JSON_ALLOW_NUL, NULL);
	if (status == NULL)
		*ret_why = STR("posternd's answer cannot be read: is it of "
			       "another version?");
	return status;
}
