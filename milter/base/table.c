/* SPDX-License-Identifier: BSD-2-Clause */
/* table -- a hash map from a name to a pointer. */
#include "base/table.h"

#include <stdatomic.h>
#include <sys/random.h>

#include "base/arena.h"

/*
 * One random seed a process: the names come from mail, and its sender must not
 * choose which of them collide.
 */
static uint64_t
table_seed(void)
{
	static _Atomic uint64_t seed;
	uint64_t known = atomic_load(&seed);
	if (known != 0)
		return known;
	uint64_t fresh = 0;
	if (getrandom(&fresh, sizeof(fresh), 0) != sizeof(fresh))
		fresh = (uint64_t)(uintptr_t)&fresh;
	fresh |= 1;
	return atomic_compare_exchange_strong(&seed, &known, fresh) ? fresh
								    : known;
}

static uint64_t
mix(uint64_t x)
{
	__extension__ unsigned __int128 wide =
	    (unsigned __int128)x * 0x9e3779b97f4a7c15U;
	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

/* Fewer than eight bytes as a word. */
static uint64_t
tail_word(struct str tail)
{
	uint64_t word = 0;
	for (size_t i = 0; i < tail.len; i++)
		word |= (uint64_t)(unsigned char)tail.p[i] << 8 * i;
	return word;
}

uint64_t
table_hash(struct str key, bool folds_case)
{
	uint64_t h = table_seed() ^ key.len;
	size_t i = 0;
	for (uint64_t word; i + sizeof(word) <= key.len; i += sizeof(word)) {
		memcpy(&word, key.p + i, sizeof(word));
		h = mix(h ^ (folds_case ? word_lower(word) : word));
	}
	if (i < key.len) {
		uint64_t tail = tail_word(str_skip(key, i));
		h = mix(h ^ (folds_case ? word_lower(tail) : tail));
	}
	return mix(h);
}

struct table *
table_new(struct arena *a, bool folds_case)
{
	struct table *t = ARENA_NEW(a, struct table);
	t->arena = a;
	t->folds_case = folds_case;
	t->nslot = 16;
	t->slot = ARENA_ARRAY(a, struct table_slot, t->nslot);
	return t;
}

/*
 * The slot that holds `key`, or the empty one where it belongs.  What is kept
 * of the hash spares a look at most of the other keys.
 */
static struct table_slot *
slot_of(const struct table *t, struct str key, uint64_t hash)
{
	size_t mask = t->nslot - 1;
	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		struct table_slot *slot = &t->slot[i];
		if (slot->at == 0)
			return slot;
		if (slot->hash != (uint32_t)hash)
			continue;
		struct str have = t->v[slot->at - 1].key;
		if (t->folds_case ? str_ieq(have, key) : str_eq(have, key))
			return slot;
	}
}

static uint32_t
place_of(const struct table *t, struct str key)
{
	return t->n == 0 ? 0
			 : slot_of(t, key, table_hash(key, t->folds_case))->at;
}

void *
table_get(const struct table *t, struct str key)
{
	uint32_t at = place_of(t, key);
	return at == 0 ? NULL : t->v[at - 1].value;
}

bool
table_has(const struct table *t, struct str key)
{
	return place_of(t, key) != 0;
}

static void
table_grow(struct table *t)
{
	const struct table_slot *old = t->slot;
	size_t nold = t->nslot;
	t->nslot *= 2;
	t->slot = ARENA_ARRAY(t->arena, struct table_slot, t->nslot);
	size_t mask = t->nslot - 1;
	for (size_t k = 0; k < nold; k++) {
		if (old[k].at == 0)
			continue;
		size_t i = old[k].hash & mask;
		while (t->slot[i].at != 0)
			i = (i + 1) & mask;
		t->slot[i] = old[k];
	}
}

void **
table_at(struct table *t, struct str key)
{
	uint64_t hash = table_hash(key, t->folds_case);
	struct table_slot *slot = slot_of(t, key, hash);
	if (slot->at != 0)
		return &t->v[slot->at - 1].value;
	ARENA_PUSH(t->arena, t) = (struct table_entry){key, NULL};
	*slot = (struct table_slot){(uint32_t)t->n, (uint32_t)hash};
	if (t->n * 2 > t->nslot)
		table_grow(t);
	return &t->v[t->n - 1].value;
}

void
table_set(struct table *t, struct str key, void *value)
{
	*table_at(t, key) = value;
}
