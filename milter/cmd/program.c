/* SPDX-License-Identifier: BSD-2-Clause */
/* program -- what another program of this host says. */
#include "cmd/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define PATIENCE_MS 20000
#define PIECE 65536

extern char **environ;

/* Where an ordinary user's $PATH does not lead. */
static const char *const folders[] = {"/usr/sbin", "/sbin", "/usr/local/sbin"};

static bool
is_program(struct arena *a, struct str path)
{
	return path.len > 0 && path.p[0] == '/' &&
	       access(str_c(a, path), X_OK) == 0;
}

struct str
program_find(struct arena *a, struct str name)
{
	struct str rest = str_from(getenv("PATH")), path;
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		path = str_printf(a, "%s/%.*s", folders[i], STR_ARG(name));
		if (is_program(a, path))
			return path;
	}
	while (rest.len > 0) {
		struct str folder = str_cut(&rest, ':');
		path =
		    str_printf(a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
		if (is_program(a, path))
			return path;
	}
	return STR_EMPTY;
}

static char **
words_argv(struct arena *a, const struct strs *words)
{
	char **argv = ARENA_ARRAY(a, char *, words->n + 1);
	for (size_t i = 0; i < words->n; i++)
		argv[i] = str_c(a, words->v[i]);
	return argv;
}

/* SIGPIPE ends it, though not us. */
static bool
attr_make(posix_spawnattr_t *ret)
{
	sigset_t pipe_only;
	if (posix_spawnattr_init(ret) != 0)
		return false;
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)posix_spawnattr_setsigdefault(ret, &pipe_only);
	(void)posix_spawnattr_setflags(ret, POSIX_SPAWN_SETSIGDEF);
	return true;
}

static bool
program_start(char *const *argv, int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	if (!attr_make(&attr))
		return false;
	if (posix_spawn_file_actions_init(&actions) != 0) {
		(void)posix_spawnattr_destroy(&attr);
		return false;
	}
	bool is_good = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
			   "/dev/null", O_RDONLY, 0) == 0 &&
		       posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
			   "/dev/null", O_WRONLY, 0) == 0 &&
		       posix_spawn_file_actions_adddup2(
			   &actions, out, STDOUT_FILENO) == 0 &&
		       posix_spawn(ret, argv[0], &actions, &attr,
			   (char *const *)argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return is_good;
}

/* Until the end of its output; what is past the maximum is read and dropped.
 * False: it took too long. */
static bool
output_read(int fd, struct buf *b)
{
	char piece[PIECE];
	int64_t end = clock_ms() + PATIENCE_MS;
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = end - clock_ms();
		int n = left <= 0 ? 0 : poll(&wait, 1, (int)left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		ssize_t got = read(fd, piece, sizeof(piece));
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		if (got > 0)
			buf_put(b, str_of(piece, (size_t)got));
	}
}

static bool
program_end(pid_t pid, bool is_late)
{
	int status = 0;
	if (is_late)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
program_output(struct arena *a, const struct strs *words, size_t max,
    struct str *ret, struct str *ret_why)
{
	int ends[2];
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		*ret_why = str_from(strerror(errno));
		return false;
	}
	bool is_good = program_start(words_argv(a, words), ends[1], &pid),
	     is_late = false;
	(void)close(ends[1]);
	struct buf *b = buf_new(a, max);
	if (is_good) {
		is_late = !output_read(ends[0], b);
		is_good = program_end(pid, is_late) && !is_late && !b->is_cut;
	}
	(void)close(ends[0]);
	if (!is_good)
		*ret_why = is_late     ? STR("it did not end")
			   : b->is_cut ? STR("it said too much")
				       : STR("it failed");
	else
		*ret = buf_str(b);
	return is_good;
}
