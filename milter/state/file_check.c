/* SPDX-License-Identifier: BSD-2-Clause */
/* file_check -- is a file of LMDB sound? */
#include "state/file_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "state/record.h"

/*
 * The format of LMDB 0.9 where addresses have 64 bits (lmdb.h and mdb.c:
 * MDB_page, MDB_node, MDB_db, MDB_meta), in the order of bytes of this machine.
 * It has not changed since 2011, and LMDB 0.9 refuses any other.
 */
#define MAGIC 0xBEEFC0DEU
#define VERSION 1
#define PAGE_BYTES_MIN 512
#define PAGE_BYTES_MAX 32768
#define HEADER_BYTES 16
#define NODE_BYTES 8
#define NO_PAGE UINT64_MAX
#define DEPTH_MAX 32

#define PAGE_BRANCH 0x01
#define PAGE_LEAF 0x02
#define PAGE_OVERFLOW 0x04
#define PAGE_META 0x08
#define PAGE_LEAF2 0x20 /* keys of one width and nothing else */
#define PAGE_SUB 0x40
#define PAGE_KINDS 0x6f

#define NODE_BIG 0x01 /* the value lies in pages of its own */
#define NODE_TREE 0x02
#define NODE_SET 0x04

#define TREE_SETS 0x04        /* MDB_DUPSORT */
#define TREE_INTEGER 0x08     /* MDB_INTEGERKEY */
#define TREE_FIXED 0x10       /* MDB_DUPFIXED */
#define TREE_INTEGER_SET 0x20 /* MDB_INTEGERDUP */

struct tree {
	uint32_t width; /* of keys in LEAF2 pages; of a page, in the first */
	uint16_t flags, depth;
	uint64_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t magic, version;
	uint64_t address, map_bytes;
	struct tree trees[2]; /* free pages, named tables */
	uint64_t last_page, txn;
};

_Static_assert(sizeof(struct tree) == 48, "as MDB_db");
_Static_assert(sizeof(struct meta) == 136, "as MDB_meta");

static bool no(struct store_why *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool
no(struct store_why *why, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return false;
}

static bool
read_at(int fd, void *to, size_t n, uint64_t offset)
{
	ssize_t got;
	do
		got = pread(fd, to, n, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got >= 0 && (size_t)got == n;
}

/* One of the two meta pages; they are 4096 bytes apart, or as the first says.
 */
static bool
meta_read(int fd, uint64_t offset, struct meta *ret)
{
	unsigned char page[HEADER_BYTES + sizeof(*ret)];
	uint16_t flags;
	if (!read_at(fd, page, sizeof(page), offset))
		return false;
	memcpy(&flags, page + 10, sizeof(flags));
	memcpy(ret, page + HEADER_BYTES, sizeof(*ret));
	return (flags & PAGE_META) != 0 && ret->magic == MAGIC &&
	       ret->version == VERSION;
}

static bool
is_page_size(uint32_t n)
{
	return n >= PAGE_BYTES_MIN && n <= PAGE_BYTES_MAX && (n & (n - 1)) == 0;
}

/* The newer of the two. */
static bool
meta_newest(int fd, struct meta *ret, struct store_why *why)
{
	struct meta first, second;
	if (!meta_read(fd, 0, &first) || !is_page_size(first.trees[0].width))
		return no(why, "its first page is not what it was");
	if (!meta_read(fd, first.trees[0].width, &second) ||
	    second.trees[0].width != first.trees[0].width)
		return no(why, "its second page is not what it was");
	*ret = second.txn > first.txn ? second : first;
	return true;
}

static bool
length_check(int fd, const struct meta *meta, struct store_why *why)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return no(why, "%s", strerror(errno));
	uint64_t pages = (uint64_t)st.st_size / meta->trees[0].width;
	if (meta->last_page < 1 || meta->last_page >= pages)
		return no(why, "it is cut off: page %llu of %llu is missing",
		    (unsigned long long)pages,
		    (unsigned long long)meta->last_page + 1);
	return true;
}

bool
file_check_head(int fd, struct store_why *ret_why)
{
	struct meta meta = {0};
	return meta_newest(fd, &meta, ret_why) &&
	       length_check(fd, &meta, ret_why);
}

bool
file_check(const char *path, struct store_why *ret_why)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return errno == ENOENT || no(ret_why, "%s", strerror(errno));
	bool is_sound = true;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		is_sound = no(ret_why, "it is no file");
	else if (st.st_size > 0)
		is_sound = file_check_head(fd, ret_why);
	(void)close(fd);
	return is_sound;
}
