/* SPDX-License-Identifier: BSD-2-Clause */
/* tally -- counters by name: open addressing, entries are only ever added. */
#include "base/tally.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/table.h"

/* Threads that may pass `max` at once, each by one. */
#define NTHREADS 1024

struct entry {
	uint64_t hash;
	_Atomic uint64_t n;
	size_t len;
	char name[];
};

struct tally {
	size_t nslots; /* a power of two, over twice `max` */
	size_t max;
	_Atomic size_t used; /* a little more than `max` if threads race */
	_Atomic uint64_t rest;
	struct entry *_Atomic slots[];
};

struct tally *
tally_new(size_t names)
{
	size_t nslots = NTHREADS;
	while (nslots < names * 2 + NTHREADS)
		nslots *= 2;
	struct tally *t =
	    calloc(1, sizeof(*t) + nslots * sizeof(struct entry *));
	if (t == NULL)
		log_fatal("out of memory");
	t->nslots = nslots;
	t->max = names;
	return t;
}

void
tally_free(struct tally *t)
{
	for (size_t i = 0; t != NULL && i < t->nslots; i++)
		free(t->slots[i]);
	free(t);
}

static struct entry *
entry_new(struct str name, uint64_t hash)
{
	struct entry *e = calloc(1, sizeof(*e) + name.len);
	if (e == NULL)
		log_fatal("out of memory");
	e->hash = hash;
	e->len = name.len;
	memcpy(e->name, name.p, name.len);
	return e;
}

static bool
is_named(const struct entry *e, struct str name, uint64_t hash)
{
	return e->hash == hash && str_eq(str_of(e->name, e->len), name);
}

/* Its entry, or NULL and the empty slot where it would be. */
static struct entry *
entry_find(struct tally *t, struct str name, uint64_t hash, size_t *at)
{
	for (;; *at = (*at + 1) & (t->nslots - 1)) {
		struct entry *e =
		    atomic_load_explicit(&t->slots[*at], memory_order_acquire);
		if (e == NULL || is_named(e, name, hash))
			return e;
	}
}

/* A new one in the empty slot `at` or behind it, or that of a quicker thread.
 */
static struct entry *
entry_put(struct tally *t, size_t at, struct str name, uint64_t hash)
{
	struct entry *fresh = entry_new(name, hash);
	for (;; at = (at + 1) & (t->nslots - 1)) {
		struct entry *there = NULL;
		if (atomic_compare_exchange_strong(
			&t->slots[at], &there, fresh)) {
			(void)atomic_fetch_add(&t->used, 1);
			return fresh;
		}
		if (is_named(there, name, hash)) {
			free(fresh);
			return there;
		}
	}
}

/* NULL: there is no room. */
static struct entry *
entry_get(struct tally *t, struct str name)
{
	uint64_t hash = table_hash(name, false);
	size_t at = (size_t)hash & (t->nslots - 1);
	struct entry *e = entry_find(t, name, hash, &at);
	if (e != NULL)
		return e;
	if (atomic_load(&t->used) < t->max)
		return entry_put(t, at, name, hash);
	/* a thread may have put it there before the room was used up */
	return entry_find(t, name, hash, &at);
}

void
tally_add(struct tally *t, struct str name, uint64_t n)
{
	struct entry *e = entry_get(t, name);
	(void)atomic_fetch_add_explicit(
	    e == NULL ? &t->rest : &e->n, n, memory_order_relaxed);
}

static int
row_cmp(const void *a, const void *b)
{
	const struct tally_row *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

size_t
tally_read(struct arena *a, struct tally *t, struct tally_row **ret)
{
	struct {
		struct tally_row *v;
		size_t n, cap;
	} rows = {0};
	for (size_t i = 0; i < t->nslots; i++) {
		struct entry *e =
		    atomic_load_explicit(&t->slots[i], memory_order_acquire);
		if (e != NULL)
			ARENA_PUSH(a, &rows) = (struct tally_row){
			    str_of(e->name, e->len),
			    atomic_load_explicit(&e->n, memory_order_relaxed)};
	}
	if (rows.n > 0)
		qsort(rows.v, rows.n, sizeof(rows.v[0]), row_cmp);
	*ret = rows.v;
	return rows.n;
}

uint64_t
tally_rest(struct tally *t)
{
	return atomic_load_explicit(&t->rest, memory_order_relaxed);
}
