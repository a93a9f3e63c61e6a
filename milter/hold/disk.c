/* SPDX-License-Identifier: BSD-2-Clause */
/* disk -- private directories and files that survive a power cut. */
#include "hold/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"

void
disk_close(int fd)
{
	int saved = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = saved;
}

/* Close, and fail with `error`. */
static int
refuse(int fd, int error)
{
	disk_close(fd);
	errno = error;
	return -1;
}

static bool
is_private(const struct stat *st)
{
	uid_t us = geteuid();
	bool is_owner_fine = us == 0 || st->st_uid == us || st->st_uid == 0;
	return is_owner_fine && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* What root makes belongs to who owns the directory it is made in. */
static bool
give_to_owner(int dir, int fd)
{
	struct stat st;
	if (geteuid() != 0)
		return true;
	return fstat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
}

static int
dir_open(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The directory in which `name` below `at` is. */
static int
parent_open(int at, const char *name)
{
	char path[4096];
	struct str whole = str_from(name);
	while (whole.len > 1 && whole.p[whole.len - 1] == '/')
		whole.len--;
	size_t slash = str_rchr(whole, '/');
	struct str parent = slash == STR_NONE ? STR(".")
			    : slash == 0      ? STR("/")
					      : str_sub(whole, 0, slash);
	if (parent.len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, parent.p, parent.len);
	path[parent.len] = '\0';
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A directory is there for good when its parent is on disk too. */
static int
dir_make(int at, const char *name)
{
	if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
		return -1;
	int fd = dir_open(at, name);
	int parent = parent_open(at, name);
	bool is_made = fd >= 0 && parent >= 0 && give_to_owner(parent, fd) &&
		       disk_sync(parent);
	disk_close(parent);
	if (is_made)
		return fd;
	disk_close(fd);
	return -1;
}

int
disk_dir(int at, const char *name, enum disk_make make)
{
	int fd = dir_open(at, name);
	if (fd < 0 && errno == ENOENT && make == DISK_MAKE)
		fd = dir_make(at, name);
	if (fd < 0)
		return -1;
	struct stat st;
	if (fstat(fd, &st) != 0)
		return refuse(fd, errno);
	return is_private(&st) ? fd : refuse(fd, EPERM);
}

int
disk_create(int dir, const char *name)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || give_to_owner(dir, fd))
		return fd;
	int error = errno;
	(void)unlinkat(dir, name, 0);
	return refuse(fd, error);
}

int
disk_open(int dir, const char *name)
{
	/* O_NONBLOCK: a FIFO put there must not hold us up */
	int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		return refuse(fd, errno);
	return S_ISREG(st.st_mode) ? fd : refuse(fd, EINVAL);
}

bool
disk_write(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			bytes = str_skip(bytes, (size_t)n);
	}
	return true;
}

bool
disk_sync(int fd)
{
	int result;
	do
		result = fsync(fd);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

bool
disk_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	/* a file system without RENAME_NOREPLACE */
	return linkat(from_dir, from, to_dir, to, 0) == 0 &&
	       unlinkat(from_dir, from, 0) == 0;
}
