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

/* 0, or an errno: ENOTDIR if what is there is no folder of ours. */
static int
folder_error(const char *dir)
{
	struct stat st;
	if (lstat(dir, &st) != 0)
		return errno;
	if (!S_ISDIR(st.st_mode) || (geteuid() != 0 && st.st_uid != geteuid()))
		return ENOTDIR;
	return access(dir, R_OK | W_OK | X_OK) == 0 ? 0 : errno;
}

static const char *
folder_kind(const char *dir)
{
	struct stat st;
	if (lstat(dir, &st) != 0)
		return "no folder of ours";
	return S_ISLNK(st.st_mode)
		   ? "a symbolic link, and symbolic links are not followed"
	       : S_ISDIR(st.st_mode) ? "a folder of another user"
				     : "no folder";
}

/* `error` is of mkdir(2), and there is nothing. */
static struct str
no_folder(struct arena *a, const struct place *place, int error)
{
	if (error == ENOENT)
		return str_printf(
		    a, "%s: the folder above it is missing", place->dir);
	if (error == EACCES || error == EPERM || error == EROFS)
		return str_printf(a,
		    "%s: the folder above it is not writable for user %u (%s)",
		    place->dir, (unsigned)geteuid(), strerror(error));
	return str_printf(a, "%s: %s", place->dir, strerror(error));
}

bool
place_make(struct arena *a, const struct place *place, struct str *ret_note)
{
	char aside[PATH_MAX], when[32];
	*ret_note = STR_EMPTY;
	if (mkdir(place->dir, 0700) == 0)
		return true;
	int made = errno, found = folder_error(place->dir);
	if (found == 0)
		return true;
	if (found == ENOENT) {
		*ret_note = no_folder(a, place, made);
		return false;
	}
	stamp(when);
	(void)snprintf(aside, sizeof(aside), "%s.broken-%s", place->dir, when);
	const char *kind =
	    found == ENOTDIR ? folder_kind(place->dir) : strerror(found);
	if (rename(place->dir, aside) != 0 || mkdir(place->dir, 0700) != 0) {
		*ret_note =
		    str_printf(a, "%s cannot be used (%s), nor moved aside: %s",
			place->dir, kind, strerror(errno));
		return false;
	}
	*ret_note = str_printf(a,
	    "%s cannot be used (%s): moved to %s; a new one is begun",
	    place->dir, kind, aside);
	return true;
}

/* For who finds it taken. */
static void
lock_sign(int fd)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) != n)
		errno = 0; /* the lock is ours all the same */
}

int
place_lock_owner(const struct place *place)
{
	char pid[16] = "";
	int fd =
	    open(place->lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
	(void)close(fd);
	return n > 0 ? (int)strtol(pid, NULL, 10) : 0;
}

int
place_lock(const struct place *place)
{
	int fd = open(place->lock,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		lock_sign(fd);
		return fd;
	}
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* How it ends, or with the errno of file_check().  Fatal: as log_fatal() does,
 * for want of memory. */
enum { CHECK_SOUND = 0, CHECK_FATAL = 2, CHECK_BROKEN = 200 };

/* The child: its words go down the pipe, its exit code says the rest. */
static NORETURN void
check_in_child(const struct place *place, int out)
{
	struct store_why why = {.text = ""};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setpriority(PRIO_PROCESS, 0, 10);
	enum store_status status = file_check(place->file, &why);
	ssize_t written = write(out, why.text, strlen(why.text));
	if (written < 0 || status == STORE_FULL)
		_exit(CHECK_FATAL);
	_exit(status == STORE_OK    ? CHECK_SOUND
	      : status == STORE_BAD ? CHECK_BROKEN
				    : why.error);
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

static enum store_status
cannot_check(struct store_why *why, int error)
{
	if (why->text[0] == '\0')
		(void)snprintf(why->text, sizeof(why->text),
		    "it cannot be checked: %s", strerror(error));
	why->error = error;
	return STORE_IO;
}

/* A child that was killed, by hand or for want of memory, says nothing. */
static enum store_status
check_outcome(pid_t child, struct store_why *why)
{
	int status;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return cannot_check(why, errno);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
		(void)snprintf(why->text, sizeof(why->text),
		    "reading it ends in signal %d", WTERMSIG(status));
		return STORE_BAD;
	}
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : CHECK_FATAL;
	if (code == CHECK_SOUND || code == CHECK_BROKEN)
		return code == CHECK_SOUND ? STORE_OK : STORE_BAD;
	return cannot_check(why, code == CHECK_FATAL ? ENOMEM : code);
}

enum store_status
place_check(const struct place *place, struct store_why *ret_why)
{
	int words[2];
	ret_why->text[0] = '\0';
	if (pipe2(words, O_CLOEXEC) != 0)
		return cannot_check(ret_why, errno);
	pid_t child = fork();
	int error = errno;
	if (child == 0)
		check_in_child(place, words[1]);
	(void)close(words[1]);
	enum store_status status;
	if (child > 0) {
		words_read(words[0], ret_why);
		status = check_outcome(child, ret_why);
	} else {
		status = cannot_check(ret_why, error);
	}
	(void)close(words[0]);
	return status;
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

enum place_move
place_move_aside(const struct place *place)
{
	char aside[PATH_MAX], lock[PATH_MAX], when[32];
	stamp(when);
	(void)snprintf(
	    aside, sizeof(aside), "%s/%s%s", place->dir, BROKEN_PREFIX, when);
	(void)snprintf(lock, sizeof(lock), "%s-lock", place->file);
	enum place_move move = PLACE_MOVED;
	if (rename(place->file, aside) != 0)
		move = errno == ENOENT ? PLACE_EMPTY : PLACE_STAYS;
	int error = errno;
	if (move != PLACE_STAYS) {
		(void)unlink(lock);
		broken_tidy(place);
	}
	errno = error;
	return move;
}

bool
place_sync(const struct place *place)
{
	int fd =
	    open(place->file, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_there = fdatasync(fd) == 0;
	(void)close(fd);
	return is_there;
}
