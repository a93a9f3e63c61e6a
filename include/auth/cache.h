/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache -- what was learned from the DNS, by name, until its time is over.
 * Values are immutable and counted: who got one keeps it while others replace
 * it.  Bounded; any number of threads.  Knows nothing of what it keeps.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include "base/str.h"

struct arena;
struct cache;

/* Bytes of an entry without key, and of an arena_new_small(). */
#define CACHE_COST 800

/*
 * At most `entries` values of at most `bytes` in all.  A large cache is divided
 * into 16 parts, each with its share of both, and a value that a share has no
 * room for is not kept.
 */
struct cache *cache_new(size_t entries, size_t bytes);
/* What somebody still holds stays until they give it back. */
void cache_free(struct cache *c);

/*
 * The value under `key` if it is still good at `now_ms` (clock_ms()); it lives
 * as long as `a`.  NULL: none.
 */
const void *cache_get(
    struct cache *c, struct arena *a, struct str key, int64_t now_ms);

/*
 * Keep `value` under `key` until `until_ms`, in the place of another of that
 * key.  Takes over `owner`, the arena that `value` and all it points to lives
 * in (arena_new_small() is made for this), and frees it when nobody has it any
 * more.  `bytes`: what it costs, CACHE_COST and the key included.
 * Returns `value`, which lives as long as `a` even if there is no room to keep
 * it; `a` NULL: NULL, nobody waits for it.
 */
const void *cache_put(struct cache *c, struct arena *a, struct str key,
    struct arena *owner, const void *value, size_t bytes, int64_t until_ms);

struct cache_stats {
	uint64_t hits, misses, evictions;
	size_t entries, bytes;
};
void cache_stats(struct cache *c, struct cache_stats *ret);

#endif
