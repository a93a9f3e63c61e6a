/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena -- memory of one lifetime, given back at once.  Handles of foreign
 * libraries go on its release list on the line after they are made.  Out of
 * memory ends the process with one line.  Not for use by two threads at once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena;

struct arena *arena_new(void);
/*
 * For a small thing that lives long, as a cache has thousands of: the first
 * block has 512 bytes, each further one twice as many, up to the usual size.
 */
struct arena *arena_new_small(void);
/*
 * The same for megabytes that stay, of which little is read at a time but
 * everywhere: in large pages, where the host has them (madvise(2),
 * MADV_HUGEPAGE).
 */
struct arena *arena_new_lasting(void);
/* Runs the release list, newest first, then gives the memory back. */
void arena_free(struct arena *a);
/* The same, but keeps one block for the next use. */
void arena_reset(struct arena *a);

/* `size` bytes, aligned for any type, not cleared; `size` 0 is fine. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc));
void *arena_zalloc(struct arena *a, size_t size) __attribute__((malloc));
/*
 * A block of `size` bytes that starts with the `old_size` bytes of `p` (NULL:
 * none).  The old block stays until the arena goes, so grow by doubling.
 */
void *arena_grow(struct arena *a, void *p, size_t old_size, size_t size);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) \
	((type *)arena_zalloc((a), arena_array_size((n), sizeof(type))))

/* n * size; ends the process if it does not fit. */
size_t arena_array_size(size_t n, size_t size);

/*
 * Make room for one more element of an arena array {v, n, cap}: doubles `cap`
 * when full.  ARENA_PUSH(a, list) = element;  What pointed to elements, and
 * copies of {v, n, cap}, must not be used after that.
 */
#define ARENA_PUSH(a, list)                                                 \
	(*({                                                                \
		if ((list)->n == (list)->cap)                               \
			(list)->v = arena_grow_array((a), (list)->v,        \
			    (list)->n, &(list)->cap, sizeof((list)->v[0])); \
		&(list)->v[(list)->n++];                                    \
	}))
void *arena_grow_array(
    struct arena *a, void *v, size_t n, size_t *cap, size_t size);

/* Call `fn(arg)` when the arena is reset or freed. */
void arena_on_release(struct arena *a, void (*fn)(void *), void *arg);
/* Bytes handed out since new or reset. */
size_t arena_used(const struct arena *a);
/* Give what this process has freed back to the host: takes milliseconds. */
void memory_trim(void);

#endif
