/* SPDX-License-Identifier: BSD-2-Clause */
/* file_check -- is a file of LMDB sound? */
#include "state/file_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "state/history.h"
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

/* ---- the first two pages */

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

/* ---- every page */

#define KEY_BYTES_MAX 511 /* LMDB's */

struct walk {
	int fd;
	uint32_t page_bytes;
	uint64_t pages;
	unsigned char *seen; /* a bit a page */
	struct arena *scratch;
	struct store_why *why;
};

/* One tree while it is walked, from its least key to its greatest. */
struct tree_walk {
	struct walk *walk;
	const struct tree *tree;
	struct str name; /* of the table; empty: none of ours */
	bool is_free;    /* its values are lists of free pages */
	bool is_main;    /* its values are trees */
	bool is_set;     /* it is the members of one key */
	uint64_t entries;
	bool has_last;
	struct str last; /* the key before; its bytes are here: */
	char last_bytes[KEY_BYTES_MAX];
	unsigned leaf_depth; /* of the first leaf; 0: none yet */
};

static bool tree_check(struct walk *walk, const struct tree *tree,
    struct str name, bool is_free, bool is_main, bool is_set);

static uint16_t
u16_at(struct str page, size_t at)
{
	uint16_t n;
	memcpy(&n, page.p + at, sizeof(n));
	return n;
}

static uint32_t
u32_at(struct str page, size_t at)
{
	uint32_t n;
	memcpy(&n, page.p + at, sizeof(n));
	return n;
}

static uint64_t
u64_at(struct str page, size_t at)
{
	uint64_t n;
	memcpy(&n, page.p + at, sizeof(n));
	return n;
}

/* Nothing uses a page twice: neither two trees, nor a tree and the free list.
 */
static bool
page_use(struct walk *w, uint64_t page)
{
	if (page < 2 || page >= w->pages)
		return no(w->why, "page %llu is not in the file",
		    (unsigned long long)page);
	unsigned char bit = (unsigned char)(1U << (page & 7));
	if ((w->seen[page / 8] & bit) != 0)
		return no(w->why, "page %llu is used twice",
		    (unsigned long long)page);
	w->seen[page / 8] |= bit;
	return true;
}

/* Read page `number`, `n` bytes of it and what follows, into `to`. */
static bool
page_read(struct walk *w, uint64_t number, char *to, size_t n)
{
	if (!read_at(w->fd, to, n, number * w->page_bytes))
		return no(w->why, "page %llu cannot be read",
		    (unsigned long long)number);
	if (u64_at(str_of(to, n), 0) != number)
		return no(w->why, "page %llu has the content of another",
		    (unsigned long long)number);
	return true;
}

static int
key_compare(const struct tree_walk *t, struct str a, struct str b)
{
	if ((t->tree->flags & TREE_INTEGER) == 0 || a.len != b.len)
		return str_cmp(a, b);
	uint64_t x = a.len == 4 ? u32_at(a, 0) : a.len == 8 ? u64_at(a, 0) : 0;
	uint64_t y = b.len == 4 ? u32_at(b, 0) : b.len == 8 ? u64_at(b, 0) : 0;
	return x < y ? -1 : x > y;
}

static bool
key_is_next(struct tree_walk *t, struct str key)
{
	if (key.len == 0 || key.len > KEY_BYTES_MAX)
		return no(t->walk->why, "a key of %zu bytes", key.len);
	if (t->has_last && key_compare(t, t->last, key) >= 0)
		return no(t->walk->why, "keys are not in order");
	memcpy(t->last_bytes, key.p, key.len);
	t->last = str_of(t->last_bytes, key.len);
	t->has_last = true;
	t->entries++;
	return true;
}

/* The keys of a page of one width; of a page within a page as well. */
static bool
keys_check(struct tree_walk *t, struct str page)
{
	size_t width = u16_at(page, 8), lower = u16_at(page, 12);
	size_t n = lower < HEADER_BYTES ? 0 : (lower - HEADER_BYTES) / 2;
	if (lower < HEADER_BYTES || width == 0 ||
	    n > (page.len - HEADER_BYTES) / width)
		return no(t->walk->why, "a page of keys has no room for them");
	for (size_t i = 0; i < n; i++)
		if (!key_is_next(
			t, str_sub(page, HEADER_BYTES + i * width, width)))
			return false;
	return true;
}

/* A value that lies in pages of its own; a copy in the scratch arena. */
static bool
big_value(struct walk *w, struct str where, size_t size, struct str *ret)
{
	if (where.len != sizeof(uint64_t))
		return no(w->why, "a large value without its place");
	uint64_t first = u64_at(where, 0);
	uint64_t n =
	    (HEADER_BYTES + (uint64_t)size + w->page_bytes - 1) / w->page_bytes;
	for (uint64_t i = 0; i < n; i++)
		if (!page_use(w, first + i))
			return false;
	char *bytes = arena_alloc(w->scratch, HEADER_BYTES + size);
	if (!page_read(w, first, bytes, HEADER_BYTES + size))
		return false;
	struct str page = str_of(bytes, HEADER_BYTES + size);
	if ((u16_at(page, 10) & PAGE_KINDS) != PAGE_OVERFLOW ||
	    u32_at(page, 12) != n)
		return no(w->why, "page %llu is not the large value it was",
		    (unsigned long long)first);
	*ret = str_skip(page, HEADER_BYTES);
	return true;
}

/* A list of pages: how many, then their numbers, falling. */
static bool
free_list_check(struct walk *w, struct str value)
{
	if (value.len < 8 || u64_at(value, 0) > value.len / 8 - 1)
		return no(w->why, "the list of free pages is cut off");
	uint64_t n = u64_at(value, 0);
	for (uint64_t i = 1; i <= n; i++)
		if (!page_use(w, u64_at(value, i * 8)))
			return false;
	return true;
}

/* What our own tables have. */
static bool
value_is_ours(const struct tree_walk *t, struct str value)
{
	struct walk *w = t->walk;
	bool is_fine = true;
	struct ledger_entry entry;
	struct history_entry told;
	if (str_starts(t->name, STR("r")) && t->name.len == 9)
		is_fine = entry_unpack(w->scratch, value, &entry);
	else if (str_eq(t->name, STR(HISTORY_TABLE)))
		is_fine = history_unpack(value, &told);
	return is_fine || no(w->why, "a record is not what was written");
}

static bool
subtree_check(struct tree_walk *t, struct str name, struct str value)
{
	struct tree tree;
	if (value.len != sizeof(tree))
		return no(t->walk->why, "a tree without its root");
	memcpy(&tree, value.p, sizeof(tree));
	if (t->is_main)
		return tree_check(t->walk, &tree, name, false, false, false);
	/* the key itself was counted as one of its members */
	tree.flags =
	    (t->tree->flags & TREE_INTEGER_SET) != 0 ? TREE_INTEGER : 0;
	t->entries += tree.entries - 1;
	return tree_check(t->walk, &tree, STR_EMPTY, false, false, true);
}

/* Members that lie within the page of their key. */
static bool
subpage_check(struct tree_walk *t, struct str value)
{
	const struct tree tree = {
	    .flags =
		(t->tree->flags & TREE_INTEGER_SET) != 0 ? TREE_INTEGER : 0};
	struct tree_walk members = {.walk = t->walk, .tree = &tree};
	if (value.len < HEADER_BYTES || (u16_at(value, 10) & PAGE_LEAF2) == 0)
		return no(t->walk->why, "a set is not what it was");
	if (!keys_check(&members, value))
		return false;
	t->entries += members.entries - 1;
	return true;
}

struct node {
	unsigned flags;
	uint64_t child; /* of a branch */
	size_t size;    /* of the value of a leaf */
	struct str key, rest;
};

static bool
node_at(struct walk *w, struct str page, size_t i, struct node *ret)
{
	size_t lower = u16_at(page, 12);
	size_t at = u16_at(page, HEADER_BYTES + 2 * i);
	if (at < lower || at + NODE_BYTES > page.len)
		return no(w->why, "a node lies outside of its page");
	uint32_t low = u32_at(page, at);
	size_t key_len = u16_at(page, at + 6);
	ret->flags = u16_at(page, at + 4);
	ret->child = (uint64_t)ret->flags << 32 | low;
	ret->size = low;
	if (key_len > page.len - at - NODE_BYTES)
		return no(w->why, "a key lies outside of its page");
	ret->key = str_sub(page, at + NODE_BYTES, key_len);
	ret->rest = str_skip(page, at + NODE_BYTES + key_len);
	return true;
}

static bool
value_check(struct tree_walk *t, const struct node *node)
{
	struct walk *w = t->walk;
	bool is_big = (node->flags & NODE_BIG) != 0;
	size_t here = is_big ? sizeof(uint64_t) : node->size;
	if (here > node->rest.len)
		return no(w->why, "a value lies outside of its page");
	struct str value = str_sub(node->rest, 0, here);
	if (is_big && !big_value(w, value, node->size, &value))
		return false;
	if ((node->flags & NODE_TREE) != 0)
		return subtree_check(t, node->key, value);
	if ((node->flags & NODE_SET) != 0)
		return subpage_check(t, value);
	return t->is_free ? free_list_check(w, value) : value_is_ours(t, value);
}

static bool
leaf_check(struct tree_walk *t, struct str page, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct node node;
		if (!node_at(t->walk, page, i, &node) ||
		    !key_is_next(t, node.key) || !value_check(t, &node))
			return false;
		arena_reset(t->walk->scratch);
	}
	return true;
}

static bool page_check(struct tree_walk *t, uint64_t number, unsigned depth);

static bool
branch_check(struct tree_walk *t, struct str page, size_t n, unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		struct node node;
		if (!node_at(t->walk, page, i, &node))
			return false;
		/* the first key of a branch stands for the least there is */
		if (i > 0 && t->has_last &&
		    key_compare(t, t->last, node.key) >= 0)
			return no(t->walk->why, "keys are not in order");
		if (!page_check(t, node.child, depth + 1))
			return false;
	}
	return n > 0 || no(t->walk->why, "a branch without leaves");
}

static bool
leaf_depth_check(struct tree_walk *t, unsigned depth)
{
	if (t->leaf_depth == 0)
		t->leaf_depth = depth;
	return t->leaf_depth == depth ||
	       no(t->walk->why, "leaves of different depth");
}

static bool
content_check(
    struct tree_walk *t, struct str page, uint64_t number, unsigned depth)
{
	unsigned kind = u16_at(page, 10) & PAGE_KINDS;
	size_t lower = u16_at(page, 12), upper = u16_at(page, 14);
	if (kind == (PAGE_LEAF | PAGE_LEAF2) && t->is_set)
		return leaf_depth_check(t, depth) && keys_check(t, page);
	if (lower < HEADER_BYTES || lower > upper || upper > page.len)
		return no(t->walk->why, "page %llu has impossible bounds",
		    (unsigned long long)number);
	size_t n = (lower - HEADER_BYTES) / 2;
	if (kind == PAGE_LEAF)
		return leaf_depth_check(t, depth) && leaf_check(t, page, n);
	if (kind == PAGE_BRANCH && depth < DEPTH_MAX)
		return branch_check(t, page, n, depth);
	return no(t->walk->why, "page %llu is of no kind that belongs there",
	    (unsigned long long)number);
}

/* Recursion ends at DEPTH_MAX, and no page is walked twice. */
static bool
page_check(struct tree_walk *t, uint64_t number, unsigned depth)
{
	struct walk *w = t->walk;
	if (!page_use(w, number))
		return false;
	char *bytes = malloc(w->page_bytes);
	if (bytes == NULL)
		log_fatal("out of memory");
	bool is_sound =
	    page_read(w, number, bytes, w->page_bytes) &&
	    content_check(t, str_of(bytes, w->page_bytes), number, depth);
	free(bytes);
	return is_sound;
}

static bool
tree_check(struct walk *walk, const struct tree *tree, struct str name,
    bool is_free, bool is_main, bool is_set)
{
	struct tree_walk t = {.walk = walk,
	    .tree = tree,
	    .name = name,
	    .is_free = is_free,
	    .is_main = is_main,
	    .is_set = is_set};
	if (tree->root != NO_PAGE && !page_check(&t, tree->root, 1))
		return false;
	return t.entries == tree->entries ||
	       no(walk->why, "%llu entries where %llu should be",
		   (unsigned long long)t.entries,
		   (unsigned long long)tree->entries);
}

/* Every page of the state that `meta` stands for. */
static bool
pages_check(int fd, const struct meta *meta, struct store_why *why)
{
	if (!length_check(fd, meta, why))
		return false;
	struct walk walk = {
	    .fd = fd,
	    .page_bytes = meta->trees[0].width,
	    .pages = meta->last_page + 1,
	    .seen = calloc(meta->last_page / 8 + 1, 1),
	    .scratch = arena_new(),
	    .why = why,
	};
	if (walk.seen == NULL)
		log_fatal("out of memory");
	/* the width of the first two says how large a page is */
	bool is_sound =
	    tree_check(&walk, &meta->trees[0], STR_EMPTY, true, false, false) &&
	    tree_check(&walk, &meta->trees[1], STR_EMPTY, false, true, false);
	arena_free(walk.scratch);
	free(walk.seen);
	return is_sound;
}

bool
file_snapshot_take(int fd, struct file_snapshot *ret, struct store_why *ret_why)
{
	struct meta meta = {0};
	_Static_assert(sizeof(ret->bytes) == sizeof(meta), "it is a copy");
	if (!meta_newest(fd, &meta, ret_why))
		return false;
	memcpy(ret->bytes, &meta, sizeof(meta));
	return true;
}

bool
file_check_snapshot(
    int fd, const struct file_snapshot *snapshot, struct store_why *ret_why)
{
	struct meta meta;
	memcpy(&meta, snapshot->bytes, sizeof(meta));
	return pages_check(fd, &meta, ret_why);
}

bool
file_check_fd(int fd, struct store_why *ret_why)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return no(ret_why, "it is no file");
	struct meta meta = {0};
	return st.st_size == 0 || (meta_newest(fd, &meta, ret_why) &&
				      pages_check(fd, &meta, ret_why));
}

/* ---- by path */

static enum store_status
cannot_open(int error, struct store_why *why)
{
	(void)no(why, "%s",
	    error == ELOOP   ? "symbolic links are not followed"
	    : error == ENXIO ? "a socket is in its place"
			     : strerror(error));
	why->error = error;
	return error == ELOOP || error == ENXIO ? STORE_BAD : STORE_IO;
}

static enum store_status
no_file(mode_t mode, struct store_why *why)
{
	const char *what = S_ISDIR(mode)    ? "a directory"
			   : S_ISFIFO(mode) ? "a FIFO"
					    : "a device";
	(void)no(why, "%s is in its place", what);
	return STORE_BAD;
}

enum store_status
file_read_open(const char *path, int *ret_fd, struct stat *ret_st,
    struct store_why *ret_why)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, ret_st) != 0)
		return cannot_open(errno, ret_why);
	if (!S_ISREG(ret_st->st_mode)) {
		(void)close(fd);
		return no_file(ret_st->st_mode, ret_why);
	}
	*ret_fd = fd;
	return STORE_OK;
}

enum store_status
file_check(const char *path, struct store_why *ret_why)
{
	struct stat st;
	int fd;
	enum store_status status = file_read_open(path, &fd, &st, ret_why);
	if (status != STORE_OK)
		return status == STORE_IO && ret_why->error == ENOENT ? STORE_OK
								      : status;
	bool is_sound = file_check_fd(fd, ret_why);
	(void)close(fd);
	return is_sound ? STORE_OK : STORE_BAD;
}
