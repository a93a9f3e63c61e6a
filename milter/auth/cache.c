/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache -- values by name, in shards with a lock each.  A shard that is full
 * gives up what was not asked for since its hand last passed (second chance):
 * a hit costs no list to be put in order.
 */
#include "auth/cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/table.h"

#define SHARDS_MAX 16
/* A shard that is smaller would often be full while the others are not. */
#define SHARD_ENTRIES_MIN 64
#define SHARD_BYTES_MIN ((size_t)64 * 1024)

struct entry {
	struct entry *next; /* in its bucket; later, of those to let go */
	struct arena *owner;
	const void *value;
	size_t bytes;
	int64_t until_ms;
	uint64_t hash;
	atomic_uint holders; /* the shard is one of them */
	bool was_used;       /* since the hand passed */
	size_t place;        /* in the ring */
	size_t key_len;
	char key[];
};

struct shard {
	pthread_mutex_t lock; /* of all that follows */
	struct entry **buckets;
	size_t mask;
	struct entry **ring; /* all entries, in no order */
	size_t n;
	size_t hand;
	size_t bytes;
	int64_t now_ms; /* the latest that was said */
	uint64_t hits, misses, evictions;
};

struct cache {
	size_t nshard; /* a power of two */
	size_t shard_entries, shard_bytes;
	struct shard *shards[SHARDS_MAX];
};

static void *
must_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);
	if (p == NULL)
		log_fatal("out of memory (%zu x %zu bytes)", n, size);
	return p;
}

static size_t
shard_count(size_t entries, size_t bytes)
{
	size_t n = 1;
	while (n < SHARDS_MAX && entries / (n * 2) >= SHARD_ENTRIES_MIN &&
	       bytes / (n * 2) >= SHARD_BYTES_MIN)
		n *= 2;
	return n;
}

static struct shard *
shard_new(size_t entries)
{
	size_t nbucket = 1;
	while (nbucket < entries)
		nbucket *= 2;
	struct shard *s = must_calloc(1, sizeof(*s));
	(void)pthread_mutex_init(&s->lock, NULL);
	s->mask = nbucket - 1;
	s->buckets = must_calloc(nbucket, sizeof(struct entry *));
	s->ring = must_calloc(entries + 1, sizeof(struct entry *));
	return s;
}

struct cache *
cache_new(size_t entries, size_t bytes)
{
	struct cache *c = must_calloc(1, sizeof(*c));
	c->nshard = shard_count(entries, bytes);
	c->shard_entries = entries / c->nshard;
	c->shard_bytes = bytes / c->nshard;
	for (size_t i = 0; i < c->nshard; i++)
		c->shards[i] = shard_new(c->shard_entries);
	return c;
}

/* One holder less; the last one gives it back. */
static void
entry_drop(void *arg)
{
	struct entry *e = arg;
	if (atomic_fetch_sub_explicit(&e->holders, 1, memory_order_acq_rel) > 1)
		return;
	arena_free(e->owner);
	free(e);
}

static void
entries_drop(struct entry *gone)
{
	while (gone != NULL) {
		struct entry *next = gone->next;
		entry_drop(gone);
		gone = next;
	}
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->nshard; i++) {
		struct shard *s = c->shards[i];
		for (size_t k = 0; k < s->n; k++)
			entry_drop(s->ring[k]);
		free(s->ring);
		free(s->buckets);
		(void)pthread_mutex_destroy(&s->lock);
		free(s);
	}
	free(c);
}

/* The low bits of a hash choose a bucket, the high ones the shard. */
static struct shard *
shard_of(struct cache *c, uint64_t hash)
{
	return c->shards[(size_t)(hash >> 56) & (c->nshard - 1)];
}

/* Where the entry of `key` hangs, or where NULL does at the bucket's end. */
static struct entry **
entry_at(struct shard *s, uint64_t hash, struct str key)
{
	struct entry **at = &s->buckets[(size_t)hash & s->mask];
	while (*at != NULL &&
	       ((*at)->hash != hash ||
		   !str_eq(str_of((*at)->key, (*at)->key_len), key)))
		at = &(*at)->next;
	return at;
}

/* Take the entry that hangs at `at` out, and put it before `*gone`. */
static void
entry_remove(struct shard *s, struct entry **at, struct entry **gone)
{
	struct entry *e = *at;
	*at = e->next;
	s->bytes -= e->bytes;
	struct entry *last = s->ring[--s->n];
	s->ring[e->place] = last;
	last->place = e->place;
	e->next = *gone;
	*gone = e;
}

const void *
cache_get(struct cache *c, struct arena *a, struct str key, int64_t now_ms)
{
	uint64_t hash = table_hash(key, false);
	struct shard *s = shard_of(c, hash);
	struct entry *gone = NULL;
	(void)pthread_mutex_lock(&s->lock);
	struct entry **at = entry_at(s, hash, key);
	struct entry *e = *at;
	if (now_ms > s->now_ms)
		s->now_ms = now_ms;
	if (e != NULL && e->until_ms <= now_ms) {
		entry_remove(s, at, &gone);
		e = NULL;
	}
	if (e != NULL) {
		e->was_used = true;
		atomic_fetch_add_explicit(&e->holders, 1, memory_order_relaxed);
		s->hits++;
	} else {
		s->misses++;
	}
	(void)pthread_mutex_unlock(&s->lock);
	entries_drop(gone);
	if (e == NULL)
		return NULL;
	arena_on_release(a, entry_drop, e);
	return e->value;
}

static struct entry *
entry_new(struct str key, uint64_t hash, struct arena *owner, const void *value,
    size_t bytes, int64_t until_ms)
{
	struct entry *e = must_calloc(1, sizeof(*e) + key.len);
	e->owner = owner;
	e->value = value;
	e->bytes = bytes;
	e->until_ms = until_ms;
	e->hash = hash;
	atomic_init(&e->holders, 1);
	e->key_len = key.len;
	memcpy(e->key, key.p, key.len);
	return e;
}

/* Move the hand to what may go, and let it go. */
static void
evict_one(struct shard *s, struct entry **gone)
{
	for (;;) {
		s->hand = s->hand < s->n ? s->hand : 0;
		struct entry *e = s->ring[s->hand];
		if (!e->was_used || e->until_ms <= s->now_ms) {
			struct str key = str_of(e->key, e->key_len);
			entry_remove(s, entry_at(s, e->hash, key), gone);
			s->evictions++;
			return;
		}
		e->was_used = false;
		s->hand++;
	}
}

static void
entry_insert(struct shard *s, struct entry *e)
{
	struct entry **bucket = &s->buckets[(size_t)e->hash & s->mask];
	e->next = *bucket;
	*bucket = e;
	e->place = s->n;
	s->ring[s->n++] = e;
	s->bytes += e->bytes;
}

const void *
cache_put(struct cache *c, struct arena *a, struct str key, struct arena *owner,
    const void *value, size_t bytes, int64_t until_ms)
{
	uint64_t hash = table_hash(key, false);
	struct shard *s = shard_of(c, hash);
	struct entry *e = entry_new(key, hash, owner, value, bytes, until_ms);
	if (a != NULL)
		atomic_init(&e->holders, 2); /* the shard and `a` */
	struct entry *gone = NULL;
	bool fits = bytes <= c->shard_bytes && c->shard_entries > 0;
	(void)pthread_mutex_lock(&s->lock);
	struct entry **old = entry_at(s, hash, key);
	if (*old != NULL)
		entry_remove(s, old, &gone);
	while (fits &&
	       (s->n >= c->shard_entries || s->bytes > c->shard_bytes - bytes))
		evict_one(s, &gone);
	if (fits)
		entry_insert(s, e);
	(void)pthread_mutex_unlock(&s->lock);
	entries_drop(gone);
	if (!fits)
		entry_drop(e);
	if (a == NULL)
		return NULL;
	arena_on_release(a, entry_drop, e);
	return value;
}

void
cache_stats(struct cache *c, struct cache_stats *ret)
{
	*ret = (struct cache_stats){0};
	for (size_t i = 0; i < c->nshard; i++) {
		struct shard *s = c->shards[i];
		(void)pthread_mutex_lock(&s->lock);
		ret->hits += s->hits;
		ret->misses += s->misses;
		ret->evictions += s->evictions;
		ret->entries += s->n;
		ret->bytes += s->bytes;
		(void)pthread_mutex_unlock(&s->lock);
	}
}
