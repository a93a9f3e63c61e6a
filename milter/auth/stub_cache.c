/* SPDX-License-Identifier: BSD-2-Clause */
/* STAND-IN for cache.c, to be dropped when that comes: one thread, no bounds,
 * nothing is given back before cache_free(). */
#include "auth/cache.h"

#include "base/arena.h"
#include "base/table.h"

struct entry {
	const void *value;
	int64_t until_ms;
};

struct cache {
	struct arena *arena;
	struct table *table;
};

struct cache *
cache_new(size_t entries, size_t bytes)
{
	(void)entries;
	(void)bytes;
	struct arena *a = arena_new();
	struct cache *c = ARENA_NEW(a, struct cache);
	*c = (struct cache){a, table_new(a, false)};
	return c;
}

void
cache_free(struct cache *c)
{
	arena_free(c->arena);
}

const void *
cache_get(struct cache *c, struct arena *a, struct str key, int64_t now_ms)
{
	(void)a;
	const struct entry *entry = table_get(c->table, key);
	return entry == NULL || entry->until_ms <= now_ms ? NULL : entry->value;
}

static void
owner_free(void *arg)
{
	arena_free(arg);
}

void
cache_put(struct cache *c, struct str key, struct arena *owner,
    const void *value, size_t bytes, int64_t until_ms)
{
	(void)bytes;
	arena_on_release(c->arena, owner_free, owner);
	struct entry *entry = ARENA_NEW(c->arena, struct entry);
	*entry = (struct entry){value, until_ms};
	table_set(c->table, str_dup(c->arena, key), entry);
}
