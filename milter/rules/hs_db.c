/* SPDX-License-Identifier: BSD-2-Clause */
/* hs_db -- the only file that knows libhs. */
#include "rules/hs_db.h"

#include <hs.h>
#include <pthread.h>

#include "base/arena.h"

/* As many as may search at once on a large machine; the others are made anew.
 */
#define IDLE_MAX 64

struct hs_pool {
	pthread_mutex_t lock; /* guards `idle` */
	hs_scratch_t *idle[IDLE_MAX];
	size_t n;
	hs_scratch_t *first; /* fits all databases; the others are copies */
};

struct hs_db {
	hs_database_t *db;
	struct hs_pool *pool;
};

/* What is idle may be too small for another database. */
static void
pool_empty(struct hs_pool *pool)
{
	while (pool->n > 0)
		(void)hs_free_scratch(pool->idle[--pool->n]);
}

static void
pool_release(void *arg)
{
	struct hs_pool *pool = arg;
	pool_empty(pool);
	(void)hs_free_scratch(pool->first);
	(void)pthread_mutex_destroy(&pool->lock);
}

struct hs_pool *
hs_pool_new(struct arena *a)
{
	struct hs_pool *pool = ARENA_NEW(a, struct hs_pool);
	(void)pthread_mutex_init(&pool->lock, NULL);
	arena_on_release(a, pool_release, pool);
	return pool;
}

/* NULL: no memory. */
static hs_scratch_t *
scratch_get(struct hs_pool *pool)
{
	hs_scratch_t *scratch = NULL;
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->n > 0)
		scratch = pool->idle[--pool->n];
	(void)pthread_mutex_unlock(&pool->lock);
	if (scratch == NULL)
		(void)hs_clone_scratch(pool->first, &scratch);
	return scratch;
}

static void
scratch_put(struct hs_pool *pool, hs_scratch_t *scratch)
{
	(void)pthread_mutex_lock(&pool->lock);
	bool has_room = pool->n < IDLE_MAX;
	if (has_room)
		pool->idle[pool->n++] = scratch;
	(void)pthread_mutex_unlock(&pool->lock);
	if (!has_room)
		(void)hs_free_scratch(scratch);
}

/*
 * The database in `bytes`, what it needs close together in `a`.  NULL: they are
 * broken, or of another stamp.
 */
static struct hs_db *
db_read(struct arena *a, struct hs_pool *pool, struct str bytes)
{
	size_t size;
	if (hs_serialized_database_size(bytes.p, bytes.len, &size) !=
	    HS_SUCCESS)
		return NULL;
	struct hs_db *db = ARENA_NEW(a, struct hs_db);
	db->db = arena_alloc(a, size);
	db->pool = pool;
	if (hs_deserialize_database_at(bytes.p, bytes.len, db->db) !=
	    HS_SUCCESS)
		return NULL;
	pool_empty(pool);
	return hs_alloc_scratch(db->db, &pool->first) == HS_SUCCESS ? db : NULL;
}

/* `made`, which was compiled, as one of ours; NULL: it was refused. */
static struct hs_db *
db_new(struct arena *a, struct hs_pool *pool, hs_database_t *made)
{
	char *bytes = NULL;
	size_t len = 0;
	bool is_made = made != NULL &&
		       hs_serialize_database(made, &bytes, &len) == HS_SUCCESS;
	struct hs_db *db =
	    is_made ? db_read(a, pool, str_of(bytes, len)) : NULL;
	free(bytes);
	(void)hs_free_database(made);
	return db;
}

struct hs_db *
hs_db_literals(struct arena *a, struct hs_pool *pool,
    const struct hs_literal *literals, size_t n)
{
	struct arena *work = arena_new();
	const char **texts = ARENA_ARRAY(work, const char *, n);
	unsigned *flags = ARENA_ARRAY(work, unsigned, n);
	unsigned *ids = ARENA_ARRAY(work, unsigned, n);
	size_t *lengths = ARENA_ARRAY(work, size_t, n);
	for (size_t i = 0; i < n; i++) {
		texts[i] = literals[i].bytes.p;
		lengths[i] = literals[i].bytes.len;
		flags[i] = literals[i].is_folded ? HS_FLAG_CASELESS : 0;
		ids[i] = (unsigned)i;
	}
	hs_database_t *made = NULL;
	hs_compile_error_t *error = NULL;
	if (hs_compile_lit_multi(texts, flags, ids, lengths, (unsigned)n,
		HS_MODE_BLOCK, NULL, &made, &error) != HS_SUCCESS)
		(void)hs_free_compile_error(error);
	arena_free(work);
	return db_new(a, pool, made);
}

struct hs_db *
hs_db_patterns(struct arena *a, struct hs_pool *pool,
    const struct strs *patterns, size_t *ret_bad)
{
	struct arena *work = arena_new();
	size_t n = patterns->n;
	const char **texts = ARENA_ARRAY(work, const char *, n);
	unsigned *flags = ARENA_ARRAY(work, unsigned, n);
	unsigned *ids = ARENA_ARRAY(work, unsigned, n);
	for (size_t i = 0; i < n; i++) {
		texts[i] = str_c(work, patterns->v[i]);
		flags[i] = HS_FLAG_PREFILTER | HS_FLAG_ALLOWEMPTY |
			   HS_FLAG_SINGLEMATCH;
		ids[i] = (unsigned)i;
	}
	hs_database_t *made = NULL;
	hs_compile_error_t *error = NULL;
	if (hs_compile_multi(texts, flags, ids, (unsigned)n, HS_MODE_BLOCK,
		NULL, &made, &error) != HS_SUCCESS) {
		bool is_one = error != NULL && error->expression >= 0;
		*ret_bad = is_one ? (size_t)error->expression : n;
		(void)hs_free_compile_error(error);
	}
	arena_free(work);
	return db_new(a, pool, made);
}

struct str
hs_db_stamp(struct arena *a)
{
	hs_platform_info_t platform = {0};
	(void)hs_populate_platform(&platform);
	return str_printf(a, "libhs %s, tune %u, features %llx", hs_version(),
	    platform.tune, platform.cpu_features);
}

struct str
hs_db_bytes(struct arena *a, const struct hs_db *db)
{
	char *bytes = NULL;
	size_t len = 0;
	if (hs_serialize_database(db->db, &bytes, &len) != HS_SUCCESS)
		return STR_EMPTY;
	struct str ret = str_dup(a, str_of(bytes, len));
	free(bytes);
	return ret;
}

struct hs_db *
hs_db_from_bytes(struct arena *a, struct hs_pool *pool, struct str bytes)
{
	return db_read(a, pool, bytes);
}

struct search {
	bool (*on_end)(void *arg, uint32_t id, size_t to);
	void *arg;
};

static int
on_match(unsigned id, unsigned long long from, unsigned long long to,
    unsigned flags, void *arg)
{
	(void)from;
	(void)flags;
	struct search *search = arg;
	return search->on_end(search->arg, id, (size_t)to);
}

enum hs_result
hs_db_search(const struct hs_db *db, struct str s,
    bool (*on_end)(void *arg, uint32_t id, size_t to), void *arg)
{
	struct search search = {on_end, arg};
	hs_scratch_t *scratch = scratch_get(db->pool);
	if (scratch == NULL)
		return HS_DB_FAILED;
	hs_error_t error = hs_scan(
	    db->db, s.p, (unsigned)s.len, 0, scratch, on_match, &search);
	scratch_put(db->pool, scratch);
	if (error == HS_SCAN_TERMINATED)
		return HS_DB_STOPPED;
	return error == HS_SUCCESS ? HS_DB_DONE : HS_DB_FAILED;
}
