/* SPDX-License-Identifier: BSD-2-Clause */
/* hs_db -- databases of libhs: many literals, or one regex, searched at once.
 */
#ifndef RULES_HS_DB_H
#define RULES_HS_DB_H

#include "base/str.h"

struct arena;
struct hs_db;   /* immutable: any number of threads may search with it */
struct hs_pool; /* what searches work in, one piece for each under way */

struct hs_pool *hs_pool_new(struct arena *a);

struct hs_literal {
	struct str bytes; /* not empty */
	bool is_folded;   /* ASCII letters stand for both cases */
};

/*
 * They live as long as `a`.  NULL: libhs refuses it.  Not while something is
 * searched with a database of the same pool.
 */
struct hs_db *hs_db_literals(struct arena *a, struct hs_pool *pool,
    const struct hs_literal *literals, size_t n);
/*
 * Patterns as libhs reads them, or something that matches more: look-arounds,
 * back references and long repeats count as anything.  NULL: one is refused,
 * `*ret_bad` is which, or `n`: all of them.
 */
struct hs_db *hs_db_patterns(struct arena *a, struct hs_pool *pool,
    const struct strs *patterns, size_t *ret_bad);

/*
 * What a database is good for: these versions and this kind of processor.  One
 * line of text.
 */
struct str hs_db_stamp(struct arena *a);
/* To be kept; in `a`.  Empty: no memory. */
struct str hs_db_bytes(struct arena *a, const struct hs_db *db);
/* NULL: they are broken, or of another stamp. */
struct hs_db *hs_db_from_bytes(
    struct arena *a, struct hs_pool *pool, struct str bytes);

enum hs_result {
	HS_DB_DONE,
	HS_DB_STOPPED, /* the callback said so */
	HS_DB_FAILED   /* no memory */
};

/* At most that many bytes at once. */
#define HS_DB_BYTES ((size_t)64 * 1024)

/*
 * Call `on_end(arg, id, to)` for each match; it ends before byte `to`, and they
 * come in this order.  `id`: which literal.  True ends the search.
 */
MUST_CHECK enum hs_result hs_db_search(const struct hs_db *db, struct str s,
    bool (*on_end)(void *arg, uint32_t id, size_t to), void *arg);

#endif
