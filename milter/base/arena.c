/* SPDX-License-Identifier: BSD-2-Clause */
/* arena -- memory of one lifetime. */
#include "base/arena.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdalign.h>
#include <sys/mman.h>

#include "base/log.h"

#define BLOCK_SIZE ((size_t)32 * 1024)
#define SMALL_BLOCK_SIZE ((size_t)512)
#define LARGE_PAGE ((size_t)2 * 1024 * 1024)
#define LARGE_FROM (LARGE_PAGE / 2)
#define LARGE_BLOCK_SIZE (LARGE_PAGE - sizeof(struct block))
#define ALIGN alignof(max_align_t)
#define LOOKS_MAX 500

/* Under ASan every object is a block of its own, so each bound is seen. */
#ifdef UNDER_ASAN
#define OWN_BLOCK(a, size) true
#define ROUNDED(size) (size)
#else
#define OWN_BLOCK(a, size) ((size) > (a)->most_size / 4)
#define ROUNDED(size) (((size) + ALIGN - 1) / ALIGN * ALIGN)
#endif

struct block {
	struct block *next;
	size_t size; /* bytes behind this header */
	size_t used;
	bool is_own; /* of one large object */
	max_align_t bytes[];
};

struct release {
	struct release *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *blocks; /* the one in use first */
	struct release *releases;
	size_t used;
	size_t next_size; /* of the next block that is shared */
	size_t most_size; /* of those to come */
};

/* In large pages; memory that the host does not give so is as good. */
static void *
pages_new(size_t size)
{
	size = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	void *pages = aligned_alloc(LARGE_PAGE, size);
#ifdef MADV_HUGEPAGE
	if (pages != NULL)
		(void)madvise(pages, size, MADV_HUGEPAGE);
#endif
	return pages;
}

static struct block *
block_new(const struct arena *a, size_t size)
{
	bool is_large = a->most_size == LARGE_BLOCK_SIZE && size >= LARGE_FROM;
	size_t bytes = sizeof(struct block) + size;
	struct block *block = is_large ? pages_new(bytes) : malloc(bytes);
	if (block == NULL)
		log_fatal("out of memory (%zu bytes)", size);
	block->next = NULL;
	block->size = size;
	block->used = 0;
	block->is_own = false;
	return block;
}

static struct arena *
arena_new_sized(size_t first_size, size_t most_size)
{
	struct arena *a = calloc(1, sizeof(*a));
	if (a == NULL)
		log_fatal("out of memory");
	a->next_size = first_size;
	a->most_size = most_size;
	return a;
}

struct arena *
arena_new(void)
{
	return arena_new_sized(BLOCK_SIZE, BLOCK_SIZE);
}

struct arena *
arena_new_small(void)
{
	return arena_new_sized(SMALL_BLOCK_SIZE, BLOCK_SIZE);
}

struct arena *
arena_new_lasting(void)
{
	return arena_new_sized(BLOCK_SIZE, LARGE_BLOCK_SIZE);
}

static void
blocks_free(struct block *block)
{
	while (block != NULL) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

static void
releases_run(struct arena *a)
{
	while (a->releases != NULL) {
		struct release *first = a->releases;
		a->releases = first->next;
		first->fn(first->arg);
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	releases_run(a);
	blocks_free(a->blocks);
	free(a);
}

void
arena_reset(struct arena *a)
{
	releases_run(a);
	struct block *keep = NULL;
	for (struct block **at = &a->blocks; *at != NULL; at = &(*at)->next)
		if ((*at)->size == BLOCK_SIZE) {
			keep = *at;
			*at = keep->next;
			keep->next = NULL;
			keep->used = 0;
			break;
		}
	blocks_free(a->blocks);
	a->blocks = keep;
	a->used = 0;
}

/* The size of a block that objects share, the next of which has `size`. */
static size_t
shared_size(struct arena *a, size_t size)
{
	while (a->next_size < size)
		a->next_size *= 2;
	bool is_most = a->next_size > a->most_size / 2;
	size_t now = is_most ? a->most_size : a->next_size;
	if (!is_most)
		a->next_size *= 2;
	return now;
}

/* A block for `size` bytes; a big object gets its own, behind the one in use.
 */
static struct block *
block_for(struct arena *a, size_t size)
{
	bool is_own = OWN_BLOCK(a, size);
	struct block *fresh =
	    block_new(a, is_own ? size : shared_size(a, size));
	fresh->is_own = is_own;
	if (is_own && a->blocks != NULL) {
		fresh->next = a->blocks->next;
		a->blocks->next = fresh;
	} else {
		fresh->next = a->blocks;
		a->blocks = fresh;
	}
	return fresh;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	if (size > SIZE_MAX / 2)
		log_fatal("out of memory (%zu bytes)", size);
	size_t need = ROUNDED(size);
	struct block *block = a->blocks;
	if (block == NULL || OWN_BLOCK(a, need) ||
	    need > block->size - block->used)
		block = block_for(a, need);
	char *p = (char *)block->bytes + block->used;
	block->used += need;
	a->used += need;
	return p;
}

void *
arena_zalloc(struct arena *a, size_t size)
{
	return memset(arena_alloc(a, size), 0, size);
}

size_t
arena_array_size(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		log_fatal("out of memory (%zu x %zu bytes)", n, size);
	return bytes;
}

void *
arena_grow(struct arena *a, void *p, size_t old_size, size_t size)
{
	void *fresh = arena_alloc(a, size);
	if (p != NULL && old_size > 0)
		memcpy(fresh, p, old_size < size ? old_size : size);
	return fresh;
}

/* The link to the block that is all of `p`; NULL: it shares one, or one of many
 * is not worth the search. */
static struct block **
own_block(struct arena *a, const void *p)
{
	struct block **at = &a->blocks;
	for (size_t i = 0; *at != NULL && i < LOOKS_MAX; i++) {
		if ((*at)->is_own && (const void *)(*at)->bytes == p)
			return at;
		at = &(*at)->next;
	}
	return NULL;
}

/* A large array grows where it is, or moves: nothing of it stays behind. */
static void *
block_grow(struct arena *a, struct block **at, size_t size)
{
	size_t need = ROUNDED(size);
	struct block *block = realloc(*at, sizeof(*block) + need);
	if (block == NULL)
		log_fatal("out of memory (%zu bytes)", need);
	a->used += need - block->used;
	block->size = block->used = need;
	*at = block;
	return block->bytes;
}

void *
arena_grow_array(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	*cap = *cap == 0 ? 8 : *cap * 2;
	size_t bytes = arena_array_size(*cap, size);
	struct block **at = OWN_BLOCK(a, n * size) ? own_block(a, v) : NULL;
	return at != NULL ? block_grow(a, at, bytes)
			  : arena_grow(a, v, n * size, bytes);
}

void
arena_on_release(struct arena *a, void (*fn)(void *), void *arg)
{
	struct release *entry = ARENA_NEW(a, struct release);
	entry->fn = fn;
	entry->arg = arg;
	entry->next = a->releases;
	a->releases = entry;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

void
memory_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
