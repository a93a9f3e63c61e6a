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

uint64_t
table_hash(struct str key, bool folds_case)
{
	uint64_t h = table_seed() ^ key.len;
	for (size_t i = 0; i < key.len; i += 8) {
		char chunk[8] = {0};
		size_t n = key.len - i < 8 ? key.len - i : 8;
		memcpy(chunk, key.p + i, n);
		if (folds_case)
			for (size_t k = 0; k < n; k++)
				chunk[k] = char_lower(chunk[k]);
		uint64_t word;
		memcpy(&word, chunk, 8);
		h = mix(h ^ word);
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
	t->slot = ARENA_ARRAY(a, uint32_t, t->nslot);
	return t;
}

/* The slot that holds `key`, or the empty one where it belongs. */
static uint32_t *
slot_of(const struct table *t, struct str key)
{
	size_t mask = t->nslot - 1;
	for (size_t i = (size_t)table_hash(key, t->folds_case) & mask;;
	     i = (i + 1) & mask) {
		uint32_t at = t->slot[i];
		if (at == 0)
			return &t->slot[i];
		struct str have = t->v[at - 1].key;
		if (t->folds_case ? str_ieq(have, key) : str_eq(have, key))
			return &t->slot[i];
	}
}

void *
table_get(const struct table *t, struct str key)
{
	uint32_t at = *slot_of(t, key);
	return at == 0 ? NULL : t->v[at - 1].value;
}

bool
table_has(const struct table *t, struct str key)
{
	return *slot_of(t, key) != 0;
}

static void
table_grow(struct table *t)
{
	t->nslot *= 2;
	t->slot = ARENA_ARRAY(t->arena, uint32_t, t->nslot);
	for (size_t i = 0; i < t->n; i++)
		*slot_of(t, t->v[i].key) = (uint32_t)(i + 1);
}

void
table_set(struct table *t, struct str key, void *value)
{
	uint32_t *slot = slot_of(t, key);
	if (*slot != 0) {
		t->v[*slot - 1].value = value;
		return;
	}
	ARENA_PUSH(t->arena, t) = (struct table_entry){key, value};
	*slot = (uint32_t)t->n;
	if (t->n * 2 > t->nslot)
		table_grow(t);
}
