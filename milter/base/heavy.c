/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heavy -- heavy hitters.  A window is two generations: the one that is being
 * counted, and the one before, whose share fades while the new one fills.
 */
#include "base/heavy.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/table.h"

#define SHARDS 16
#define SLOTS 32

struct slot {
	uint64_t hash;
	uint64_t counts[HEAVY_COUNTS]; /* the first is 0: it is empty */
	uint64_t error;
	size_t len;
	char key[HEAVY_KEY_BYTES];
};

struct shard {
	pthread_mutex_t lock; /* guards what is below, for a few hundred ns */
	int64_t generation;   /* of `slots[current]` */
	unsigned current;     /* the other one is the generation before */
	struct slot slots[2][SLOTS];
};

struct heavy {
	int64_t window_ms;
	struct shard shards[SHARDS];
};

struct heavy *
heavy_new(int64_t window_ms)
{
	struct heavy *h = calloc(1, sizeof(*h));
	if (h == NULL)
		log_fatal("out of memory");
	h->window_ms = window_ms;
	for (size_t i = 0; i < SHARDS; i++)
		(void)pthread_mutex_init(&h->shards[i].lock, NULL);
	return h;
}

void
heavy_free(struct heavy *h)
{
	for (size_t i = 0; h != NULL && i < SHARDS; i++)
		(void)pthread_mutex_destroy(&h->shards[i].lock);
	free(h);
}

/* The generations as they are now. */
static void
shard_turn(struct shard *s, int64_t generation)
{
	if (generation <= s->generation)
		return;
	bool follows = generation == s->generation + 1;
	s->current ^= 1;
	memset(s->slots[s->current], 0, sizeof(s->slots[0]));
	if (!follows)
		memset(s->slots[s->current ^ 1], 0, sizeof(s->slots[0]));
	s->generation = generation;
}

static bool
is_of(const struct slot *slot, uint64_t hash, struct str key)
{
	return slot->hash == hash && slot->counts[0] > 0 &&
	       str_eq(str_of(slot->key, slot->len), key);
}

/* Its slot, else the one with the least, which it takes over. */
static struct slot *
slot_of(struct slot *slots, uint64_t hash, struct str key)
{
	struct slot *least = &slots[0];
	for (size_t i = 0; i < SLOTS; i++) {
		if (is_of(&slots[i], hash, key))
			return &slots[i];
		if (slots[i].counts[0] < least->counts[0])
			least = &slots[i];
	}
	uint64_t inherited = least->counts[0];
	*least = (struct slot){
	    .hash = hash,
	    .counts = {inherited},
	    .error = inherited,
	    .len = key.len,
	};
	memcpy(least->key, key.p, key.len);
	return least;
}

void
heavy_add(struct heavy *h, struct str key, const uint32_t counts[HEAVY_COUNTS],
    int64_t now_ms)
{
	key = str_sub(key, 0, HEAVY_KEY_BYTES);
	uint64_t hash = table_hash(key, false);
	struct shard *s = &h->shards[hash % SHARDS];
	(void)pthread_mutex_lock(&s->lock);
	shard_turn(s, now_ms / h->window_ms);
	struct slot *slot = slot_of(s->slots[s->current], hash, key);
	for (size_t i = 0; i < HEAVY_COUNTS; i++)
		slot->counts[i] += counts[i];
	(void)pthread_mutex_unlock(&s->lock);
}

struct rows {
	struct heavy_row *v;
	size_t n, cap;
};

static struct heavy_row *
row_of(struct arena *a, struct rows *rows, size_t first, struct str key)
{
	for (size_t i = first; i < rows->n; i++)
		if (str_eq(rows->v[i].key, key))
			return &rows->v[i];
	ARENA_PUSH(a, rows) = (struct heavy_row){.key = str_dup(a, key)};
	return &rows->v[rows->n - 1];
}

/* `weight`: how much of it lies within the window. */
static void
slots_add(struct arena *a, const struct slot *slots, double weight,
    size_t first, struct rows *rows)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &slots[i];
		if (slot->counts[0] == 0)
			continue;
		struct heavy_row *row =
		    row_of(a, rows, first, str_of(slot->key, slot->len));
		for (size_t k = 0; k < HEAVY_COUNTS; k++)
			row->counts[k] += weight * (double)slot->counts[k];
		row->error += weight * (double)slot->error;
	}
}

static int
row_cmp(const void *a, const void *b)
{
	const struct heavy_row *x = a, *y = b;
	if (x->counts[0] != y->counts[0])
		return x->counts[0] < y->counts[0] ? 1 : -1;
	return str_cmp(x->key, y->key);
}

size_t
heavy_top(struct arena *a, struct heavy *h, size_t max, int64_t now_ms,
    struct heavy_row **ret)
{
	struct rows rows = {0};
	struct slot copy[2][SLOTS];
	double left =
	    1 - (double)(now_ms % h->window_ms) / (double)h->window_ms;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &h->shards[i];
		size_t first = rows.n;
		(void)pthread_mutex_lock(&s->lock);
		shard_turn(s, now_ms / h->window_ms);
		memcpy(copy[0], s->slots[s->current], sizeof(copy[0]));
		memcpy(copy[1], s->slots[s->current ^ 1], sizeof(copy[1]));
		(void)pthread_mutex_unlock(&s->lock);
		slots_add(a, copy[0], 1, first, &rows);
		slots_add(a, copy[1], left, first, &rows);
	}
	if (rows.n > 0)
		qsort(rows.v, rows.n, sizeof(rows.v[0]), row_cmp);
	*ret = rows.v;
	return rows.n < max ? rows.n : max;
}
