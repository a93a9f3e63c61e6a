/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store -- named tables in one file, changed by transactions (LMDB).  What the
 * tables mean is ledger.h's, budget.h's and history.h's.
 *
 * A failure within a transaction is kept: whatever follows does nothing and
 * finds nothing, and store_commit() says what it was.
 */
#ifndef STATE_STORE_H
#define STATE_STORE_H

#include "base/str.h"

struct arena;
struct store;
struct store_txn;

enum store_status {
	STORE_OK,
	STORE_FULL, /* no room: neither in the file as it is, nor to grow */
	STORE_BAD,  /* the file is broken */
	STORE_IO    /* anything else */
};

#define STORE_BYTES_MIN ((uint64_t)1 << 20)

/* Why something failed: text of fixed size, so that it needs no arena. */
struct store_why {
	char text[200];
	int error; /* errno; set for STORE_IO */
};

/*
 * Open, or make, the file `path` (its lock file is `path`-lock).  It takes at
 * most `max_bytes`, and grows to that in steps whose room on disk is reserved
 * before they are used: a full disk is STORE_FULL, never a signal.  One writer
 * at a time; the caller sees to that.
 */
MUST_CHECK enum store_status store_open(const char *path, uint64_t max_bytes,
    struct store **ret, struct store_why *ret_why);
/* Only to read; a writer may be at work.  The file must be there. */
MUST_CHECK enum store_status store_open_read(
    const char *path, struct store **ret, struct store_why *ret_why);
void store_close(struct store *store);
void store_limit(struct store *store, uint64_t max_bytes);
/* What is reserved for it now. */
uint64_t store_bytes(const struct store *store);
bool store_is_at_limit(const struct store *store);

struct stat;
/* Is `st` of the file that is open here? */
bool store_is_file(struct store *store, const struct stat *st);

/* Forget readers whose process is gone, so that their pages can be used: how
 * many those were. */
unsigned store_tidy(struct store *store);
/*
 * Of the other processes that read now, the one that began first, and which
 * change of the file it sees: what later ones have freed cannot be used before
 * it has ended.  False: nobody reads.
 */
struct store_reader {
	int pid;
	uint64_t change;
};
MUST_CHECK bool store_reader_oldest(
    struct store *store, struct store_reader *ret);
/* The number of the last change. */
uint64_t store_change(struct store *store);

struct store_use {
	uint64_t file_bytes; /* on disk */
	uint64_t used_bytes; /* of them in use */
};
void store_use(struct store_txn *txn, struct store_use *ret);

/* NULL: `*ret_why`. */
MUST_CHECK struct store_txn *store_begin(
    struct store *store, bool is_write, struct store_why *ret_why);
/* `txn` is gone after either. */
MUST_CHECK enum store_status store_commit(
    struct store_txn *txn, struct store_why *ret_why);
void store_abort(struct store_txn *txn);
/* What it would say if it were committed now. */
enum store_status store_state(const struct store_txn *txn);
/* The caller has found what cannot be: the file is broken. */
void store_spoil(struct store_txn *txn, const char *why);
/* Reserve more room, within the limit.  No transaction may be open. */
MUST_CHECK enum store_status store_grow(
    struct store *store, struct store_why *ret_why);
/*
 * For a transaction that drops tables: part of the limit is kept back for it.
 * No transaction may be open.
 */
MUST_CHECK enum store_status store_grow_last(
    struct store *store, struct store_why *ret_why);

enum store_kind {
	STORE_NAMES,   /* key: bytes, value: bytes */
	STORE_NUMBERS, /* key: uint32_t, value: bytes */
	STORE_SERIALS, /* key: uint64_t, value: bytes; in their order */
	STORE_HASHES,  /* key: uint64_t, value: bytes */
	STORE_SETS     /* key: uint64_t, value: a set of uint64_t */
};

/* Good as long as the store is open and the table not dropped. */
struct store_table {
	unsigned handle;
	enum store_kind kind;
	bool is_open;
};

/*
 * Open table `name` (at most 15 bytes, ends with NUL); in a writing transaction
 * it is made.  `is_open` false: there is none.  A handle lives past `txn` only
 * if it is committed.
 */
struct store_table store_table(
    struct store_txn *txn, const char *name, enum store_kind kind);
void store_drop(struct store_txn *txn, struct store_table *table);
/* Pages of a table (sets: without those of large sets) times their size. */
uint64_t store_table_bytes(
    struct store_txn *txn, const struct store_table *table);
uint64_t store_table_entries(
    struct store_txn *txn, const struct store_table *table);

/* Views of the file's bytes: good until the next change, at most as long as
 * `txn`. */
MUST_CHECK bool store_get(struct store_txn *txn,
    const struct store_table *table, struct str key, struct str *ret);
void store_put(struct store_txn *txn, const struct store_table *table,
    struct str key, struct str value);
/* As `store_put`; `key` is greater than all there are. */
void store_append(struct store_txn *txn, const struct store_table *table,
    struct str key, struct str value);
void store_delete(
    struct store_txn *txn, const struct store_table *table, struct str key);

static inline struct str
store_key32(const uint32_t *n)
{
	return str_of((const char *)n, sizeof(*n));
}

static inline struct str
store_key64(const uint64_t *n)
{
	return str_of((const char *)n, sizeof(*n));
}

/* The first (last) key of a table of numbers or serials; false: it is empty. */
MUST_CHECK bool store_first(struct store_txn *txn,
    const struct store_table *table, uint64_t *ret_key, struct str *ret);
MUST_CHECK bool store_last(struct store_txn *txn,
    const struct store_table *table, uint64_t *ret_key, struct str *ret);

/* Walking one table; of any kind. */
struct store_cursor;
struct store_cursor *store_cursor_new(
    struct store_txn *txn, const struct store_table *table);
void store_cursor_free(struct store_cursor *cursor);
/* To the last key at or before `key` of a table of numbers or serials. */
MUST_CHECK bool store_cursor_before(
    struct store_cursor *cursor, uint64_t key, uint64_t *ret, struct str *);
MUST_CHECK bool store_cursor_first(
    struct store_cursor *cursor, uint64_t *ret, struct str *ret_value);
/* The key before (behind) the one that the cursor is at. */
MUST_CHECK bool store_cursor_prev(
    struct store_cursor *cursor, uint64_t *ret, struct str *ret_value);
MUST_CHECK bool store_cursor_next(
    struct store_cursor *cursor, uint64_t *ret, struct str *ret_value);
/* Delete that one; the cursor is then at the next. */
void store_cursor_delete(struct store_cursor *cursor);
/* To the first key at or after `key` of a table of hashes or sets. */
MUST_CHECK bool store_cursor_after(
    struct store_cursor *cursor, uint64_t key, uint64_t *ret);

/* Sets: members in rising order. */
void store_set_add(struct store_txn *txn, const struct store_table *table,
    uint64_t key, uint64_t member);
void store_set_remove(struct store_txn *txn, const struct store_table *table,
    uint64_t key, uint64_t member);
uint64_t store_set_count(
    struct store_txn *txn, const struct store_table *table, uint64_t key);
/*
 * Members of one set, through a cursor of its table: the greatest one below
 * `limit` (the least one at or above `least`), and the one before it.
 */
MUST_CHECK bool store_set_below(
    struct store_cursor *cursor, uint64_t key, uint64_t limit, uint64_t *ret);
MUST_CHECK bool store_set_prev(struct store_cursor *cursor, uint64_t *ret);
MUST_CHECK bool store_set_from(
    struct store_cursor *cursor, uint64_t key, uint64_t least, uint64_t *ret);
MUST_CHECK bool store_set_last(
    struct store_cursor *cursor, uint64_t key, uint64_t *ret);

#endif
