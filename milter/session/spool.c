/* SPDX-License-Identifier: BSD-2-Clause */
/* spool -- a message while it arrives. */
#include "session/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"

/* What an idle connection keeps for its next message. */
#define KEPT_BYTES 32768

struct spool {
	char *dir;
	size_t memory_bytes;
	char *memory; /* the message, or the end of it not yet in the file */
	size_t used;
	size_t cap;
	int fd; /* -1: all of it is in memory */
	size_t written;
	void *map;
	size_t map_len;
	bool ends_in_cr; /* a \r whose next byte is not known yet */
	int error;       /* errno of the first trouble */
};

struct spool *
spool_new(struct str dir, size_t memory_bytes)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	if (spool == NULL || (spool->dir = strndup(dir.p, dir.len)) == NULL)
		log_fatal("out of memory");
	spool->memory_bytes = memory_bytes;
	spool->fd = -1;
	return spool;
}

void
spool_reset(struct spool *spool)
{
	if (spool->map != NULL)
		(void)munmap(spool->map, spool->map_len);
	if (spool->fd >= 0)
		(void)close(spool->fd);
	spool->map = NULL;
	spool->map_len = 0;
	spool->fd = -1;
	spool->used = spool->written = 0;
	spool->ends_in_cr = false;
	spool->error = 0;
	if (spool->cap > KEPT_BYTES) {
		free(spool->memory);
		spool->memory = NULL;
		spool->cap = 0;
	}
}

void
spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool_reset(spool);
	free(spool->memory);
	free(spool->dir);
	free(spool);
}

size_t
spool_size(const struct spool *spool)
{
	return spool->written + spool->used;
}

static int
file_open(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 ||
	    (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	char path[4096];
	if (snprintf(path, sizeof(path), "%s/message.XXXXXX", dir) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static bool
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void
flush(struct spool *spool)
{
	if (spool->fd < 0)
		spool->fd = file_open(spool->dir);
	if (spool->fd < 0 ||
	    !write_all(spool->fd, spool->memory, spool->used)) {
		spool->error = errno != 0 ? errno : EIO;
		return;
	}
	spool->written += spool->used;
	spool->used = 0;
}

static bool
memory_grow(struct spool *spool, size_t need)
{
	if (need <= spool->cap)
		return true;
	if (need > spool->memory_bytes)
		return false;
	size_t cap = spool->cap == 0 ? 8192 : spool->cap * 2;
	if (cap < need)
		cap = need;
	if (cap > spool->memory_bytes)
		cap = spool->memory_bytes;
	char *memory = realloc(spool->memory, cap);
	if (memory == NULL)
		log_fatal("out of memory (%zu bytes)", cap);
	spool->memory = memory;
	spool->cap = cap;
	return true;
}

static void
append(struct spool *spool, struct str bytes)
{
	while (bytes.len > 0 && spool->error == 0) {
		if (!memory_grow(spool, spool->used + bytes.len)) {
			/* what fits first, then out to the file */
			(void)memory_grow(spool, spool->memory_bytes);
		}
		size_t n = spool->cap - spool->used;
		if (n > bytes.len)
			n = bytes.len;
		memcpy(spool->memory + spool->used, bytes.p, n);
		spool->used += n;
		bytes = str_skip(bytes, n);
		if (bytes.len > 0)
			flush(spool);
	}
}

void
spool_put(struct spool *spool, struct str bytes)
{
	if (bytes.len == 0)
		return;
	if (spool->ends_in_cr && bytes.p[0] != '\n')
		append(spool, STR("\r"));
	spool->ends_in_cr = bytes.p[bytes.len - 1] == '\r';
	if (spool->ends_in_cr)
		bytes.len--;
	while (bytes.len > 0) {
		size_t crlf = str_crlf(bytes);
		append(spool, str_sub(bytes, 0, crlf));
		if (crlf == STR_NONE)
			break;
		bytes = str_skip(bytes, crlf + 1);
	}
}

bool
spool_view(struct spool *spool, struct str *ret)
{
	if (spool->ends_in_cr) {
		spool->ends_in_cr = false;
		append(spool, STR("\r"));
	}
	if (spool->fd >= 0 && spool->used > 0 && spool->error == 0)
		flush(spool);
	if (spool->error != 0) {
		errno = spool->error;
		return false;
	}
	if (spool->fd < 0) {
		*ret = str_of(spool->memory, spool->used);
		return true;
	}
	if (spool->map == NULL) {
		void *map = mmap(
		    NULL, spool->written, PROT_READ, MAP_PRIVATE, spool->fd, 0);
		if (map == MAP_FAILED)
			return false;
		spool->map = map;
		spool->map_len = spool->written;
	}
	*ret = str_of(spool->map, spool->map_len);
	return true;
}
