/* SPDX-License-Identifier: BSD-2-Clause */
/* table -- a hash map from a name to a pointer, in an arena; entries keep their
 * order of arrival. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/str.h"

struct table_entry {
	struct str key;
	void *value;
};

struct table_slot {
	uint32_t at;   /* index into v + 1; 0: empty */
	uint32_t hash; /* a part of it */
};

struct table {
	struct arena *arena;
	struct table_entry *v; /* in order of arrival; walk 0..n */
	size_t n;
	size_t cap;
	struct table_slot *slot; /* open addressing */
	size_t nslot;            /* a power of two */
	bool folds_case;
};

/*
 * What a hash map of another kind may sort `key` by: with a random seed that
 * this process keeps, so nobody outside can make keys collide.
 */
uint64_t table_hash(struct str key, bool folds_case);

/* `folds_case`: keys that differ in ASCII case are the same key. */
struct table *table_new(struct arena *a, bool folds_case);
/* NULL: not there (or the value is NULL). */
void *table_get(const struct table *t, struct str key);
bool table_has(const struct table *t, struct str key);
/*
 * The value of `key`, which is added with NULL if it is not there; good until
 * the next is added.  The bytes of `key` must live as long as `t`.
 */
void **table_at(struct table *t, struct str key);
/* Add, or replace the value.  The bytes of `key` must live as long as `t`. */
void table_set(struct table *t, struct str key, void *value);

#endif
