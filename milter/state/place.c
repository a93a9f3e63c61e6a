/* SPDX-License-Identifier: BSD-2-Clause */
/* place -- the folder of the state file. */
#include "state/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "state/file_check.h"

#define LOCK_NAME "keeper.lock"
#define BROKEN_PREFIX PLACE_FILE ".broken-"

bool
place_init(struct place *place, struct str dir)
{
	while (dir.len > 1 && dir.p[dir.len - 1] == '/')
		dir.len--;
	if (dir.len == 0 || dir.len >= sizeof(place->dir) - 32)
		return false;
	int len = (int)dir.len;
	(void)snprintf(place->dir, sizeof(place->dir), "%.*s", len, dir.p);
	(void)snprintf(
	    place->file, sizeof(place->file), "%s/%s", place->dir, PLACE_FILE);
	(void)snprintf(
	    place->lock, sizeof(place->lock), "%s/%s", place->dir, LOCK_NAME);
	return true;
}

/* UTC, so that names sort by age; no libc call that takes a lock. */
static void
stamp(char ret[32])
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(ret, 32, "%010lld.%03ld", (long long)now.tv_sec,
	    now.tv_nsec / 1000000);
}

static bool
is_usable(const char *dir)
{
	struct stat st;
	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
	       (geteuid() == 0 || st.st_uid == geteuid()) &&
	       access(dir, R_OK | W_OK | X_OK) == 0;
}

bool
place_make(struct arena *a, const struct place *place, struct str *ret_note)
{
	char aside[PATH_MAX], when[32];
	*ret_note = STR_EMPTY;
	if (mkdir(place->dir, 0700) == 0 || is_usable(place->dir))
		return true;
	if (errno == ENOENT) {
		*ret_note = str_printf(
		    a, "%s: the folder above it is missing", place->dir);
		return false;
	}
	stamp(when);
	(void)snprintf(aside, sizeof(aside), "%s.broken-%s", place->dir, when);
	if (rename(place->dir, aside) != 0 || mkdir(place->dir, 0700) != 0) {
		*ret_note =
		    str_printf(a, "%s: %s", place->dir, strerror(errno));
		return false;
	}
	*ret_note = str_printf(a,
	    "%s was no folder of ours: moved to %s; a new one is begun",
	    place->dir, aside);
	return true;
}

int
place_lock(const struct place *place)
{
	int fd = open(place->lock,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* The child: its words go down the pipe, its exit code says the rest. */
static NORETURN void
check_in_child(const struct place *place, int out)
{
	struct store_why why = {""};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setpriority(PRIO_PROCESS, 0, 10);
	bool is_sound = file_check(place->file, &why);
	ssize_t written = write(out, why.text, strlen(why.text));
	_exit(is_sound && written >= 0 ? 0 : 1);
}

static void
words_read(int in, struct store_why *why)
{
	size_t n = 0;
	ssize_t got;
	while (
	    n < sizeof(why->text) - 1 &&
	    ((got = read(in, why->text + n, sizeof(why->text) - 1 - n)) > 0 ||
		(got < 0 && errno == EINTR)))
		n += got > 0 ? (size_t)got : 0;
	why->text[n] = '\0';
}

static bool
check_outcome(pid_t child, struct store_why *why)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	if (WIFSIGNALED(status)) {
		(void)snprintf(why->text, sizeof(why->text),
		    "reading it ends in signal %d", WTERMSIG(status));
		return false;
	}
	return WEXITSTATUS(status) == 0;
}

bool
place_is_sound(const struct place *place, struct store_why *ret_why)
{
	int words[2];
	if (pipe2(words, O_CLOEXEC) != 0)
		return true;
	pid_t child = fork();
	if (child == 0)
		check_in_child(place, words[1]);
	(void)close(words[1]);
	bool is_sound = true;
	if (child > 0) {
		words_read(words[0], ret_why);
		is_sound = check_outcome(child, ret_why);
	}
	(void)close(words[0]);
	return is_sound;
}

static int
is_broken_name(const struct dirent *entry)
{
	return str_starts(str_from(entry->d_name), STR(BROKEN_PREFIX)) ? 1 : 0;
}

/* Names sort by time: the first ones are the oldest. */
static void
broken_tidy(const struct place *place)
{
	struct dirent **names;
	char path[PATH_MAX + 256];
	int n = scandir(place->dir, &names, is_broken_name, alphasort);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%.255s", place->dir,
		    names[i]->d_name);
		if (i < n - PLACE_BROKEN_MAX && unlink(path) != 0)
			(void)rmdir(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

bool
place_move_aside(const struct place *place)
{
	char aside[PATH_MAX], lock[PATH_MAX], when[32];
	stamp(when);
	(void)snprintf(
	    aside, sizeof(aside), "%s/%s%s", place->dir, BROKEN_PREFIX, when);
	(void)snprintf(lock, sizeof(lock), "%s-lock", place->file);
	bool is_moved = rename(place->file, aside) == 0 || errno == ENOENT;
	int error = errno;
	(void)unlink(lock);
	broken_tidy(place);
	errno = error;
	return is_moved;
}

void
place_sync(const struct place *place)
{
	int fd =
	    open(place->file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fdatasync(fd);
	(void)close(fd);
}
