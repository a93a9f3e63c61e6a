/* SPDX-License-Identifier: BSD-2-Clause */
/* file -- reading whole files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>

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

bool
file_text(struct arena *a, struct str path, size_t max, struct str *ret)
{
	int fd = open(str_c(a, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	struct buf *b = buf_new(a, max + 1);
	bool is_read = file_read(fd, max + 1, b);
	int error = b->len > max ? EFBIG : errno;
	(void)close(fd);
	errno = error;
	*ret = buf_str(b);
	return is_read && b->len <= max;
}
