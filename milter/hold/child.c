/* SPDX-License-Identifier: BSD-2-Clause */
/* child -- another program, run without a shell. */
#include "hold/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "hold/disk.h"

#define ENVIRONMENT_MAX 16
#define EXTRA 3

int
child_file(struct str bytes)
{
	int fd = memfd_create("postern", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (disk_write(fd, bytes) && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	disk_close(fd);
	return -1;
}

static void
actions_fill(posix_spawn_file_actions_t *actions, const struct child *child)
{
	(void)posix_spawn_file_actions_adddup2(
	    actions, child->in, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(
	    actions, child->out, STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(
	    actions, child->out, STDERR_FILENO);
	if (child->extra >= 0)
		(void)posix_spawn_file_actions_adddup2(
		    actions, child->extra, EXTRA);
	(void)posix_spawn_file_actions_addclosefrom_np(
	    actions, child->extra >= 0 ? EXTRA + 1 : EXTRA);
}

/* No signal is blocked or ignored there. */
static void
attr_fill(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(attr, &none);
	(void)posix_spawnattr_setsigdefault(attr, &all);
	(void)posix_spawnattr_setflags(
	    attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static void
environment_fill(const struct child *child, char *ret[ENVIRONMENT_MAX + 2])
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	size_t n = 0;
	ret[n++] = path;
	for (char *const *e = child->environment;
	     e != NULL && *e != NULL && n <= ENVIRONMENT_MAX; e++)
		ret[n++] = *e;
	ret[n] = NULL;
}

static bool
start(const struct child *child, pid_t *ret)
{
	char *environment[ENVIRONMENT_MAX + 2];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawnattr_init(&attr) != 0) {
		errno = ENOMEM;
		return false;
	}
	actions_fill(&actions, child);
	attr_fill(&attr);
	environment_fill(child, environment);
	int error = posix_spawn(
	    ret, child->argv[0], &actions, &attr, child->argv, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	errno = error;
	return error == 0;
}

/* False: it was still running, and was killed. */
static bool
finish(pid_t pid, const struct child *child, int *ret_status)
{
	int fd = pidfd_open(pid, 0);
	struct pollfd fds[] = {
	    {.fd = fd, .events = POLLIN},
	    {.fd = child->cancel, .events = POLLIN},
	};
	while (fd >= 0 && poll(fds, COUNT_OF(fds), child->timeout_ms) < 0 &&
	       errno == EINTR)
		;
	bool is_over = fd < 0 || fds[0].revents != 0;
	disk_close(fd);
	if (!is_over)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return is_over;
}

enum child_status
child_run(const struct child *child, int *ret_status)
{
	pid_t pid;
	if (!start(child, &pid))
		return CHILD_FAILED;
	return finish(pid, child, ret_status) ? CHILD_DONE : CHILD_LATE;
}
