/* SPDX-License-Identifier: BSD-2-Clause */
/* file -- reading whole files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define CHUNK ((size_t)64 * 1024)

bool
file_read(int fd, size_t max, struct buf *ret)
{
	while (max > 0) {
		size_t want = max < CHUNK ? max : CHUNK;
		buf_reserve(ret, want);
		size_t room = ret->cap - ret->len;
		if (room == 0) {
			errno = EFBIG;
			return false;
		}
		ssize_t n =
		    read(fd, ret->p + ret->len, want < room ? want : room);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			ret->len += (size_t)n;
			max -= (size_t)n;
		}
	}
	return true;
}

/*
 * A FIFO with a name would wait for its writer for ever.  A pipe without a
 * name has a process at its other end: <(command).
 */
static bool
is_readable(int fd)
{
	struct stat st;
	struct statfs fs;
	if (fstat(fd, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISCHR(st.st_mode))
		return true;
	errno = ENOTSUP;
	return S_ISFIFO(st.st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == PIPEFS_MAGIC;
}

/* Only to open it must not wait. */
static bool
wait_again(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

bool
file_text(struct arena *a, struct str path, size_t max, struct str *ret)
{
	int fd =
	    open(str_c(a, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	struct buf *b = buf_new(a, max + 1);
	bool is_read =
	    is_readable(fd) && wait_again(fd) && file_read(fd, max + 1, b);
	int error = b->len > max ? EFBIG : errno;
	(void)close(fd);
	errno = error;
	*ret = buf_str(b);
	return is_read && b->len <= max;
}

const char *
file_trouble(int error)
{
	return error == ENOTSUP ? "it is no file, but a pipe or the like"
				: strerror(error);
}
