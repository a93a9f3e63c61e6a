/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger -- entries and correspondence in the store.  They lie in segments, one
 * after the other in time; the oldest one is dropped as a whole when its days
 * are over or room is wanted.  Who calls, and when, is keeper.h's and reader's.
 */
#ifndef STATE_LEDGER_H
#define STATE_LEDGER_H

#include "state/record.h"
#include "state/store.h"

struct arena;
struct ledger;

/* In a writing transaction: the tables are made.  NULL: see its state. */
struct ledger *ledger_open(struct store_txn *txn, const struct record_key *key);
void ledger_free(struct ledger *ledger);
/* For who adds and seeks: what the one before had not put into an index. */
void ledger_catch_up(struct ledger *ledger, struct store_txn *txn);

struct ledger_limits {
	uint64_t max_bytes;  /* of the file */
	uint64_t file_bytes; /* what it has now */
	int64_t days_s;
};

/* Begin a new segment if it is time; call before a batch is added. */
void ledger_turn(struct ledger *ledger, struct store_txn *txn,
    const struct ledger_limits *limits, int64_t now_wall);
/* `bytes` is what entry_pack() made; false: it is not. */
MUST_CHECK bool ledger_add(
    struct ledger *ledger, struct store_txn *txn, struct str bytes);
void ledger_add_wrote(struct ledger *ledger, struct store_txn *txn,
    struct str ours, struct str theirs, int64_t now_wall);

/* Is all of a segment older than that?  It goes by ledger_drop_oldest(). */
bool ledger_is_over(const struct ledger *ledger, int64_t oldest_wall);
/* False: there is only the one that is written to. */
MUST_CHECK bool ledger_drop_oldest(
    struct ledger *ledger, struct store_txn *txn);

/*
 * As ledger_find() of memory.h.  Calls `take` with the bytes of an entry,
 * newest first, until it returns false.  Looks at most at 256.
 */
void ledger_seek(struct ledger *ledger, struct store_txn *txn,
    struct str sender, struct str message_id, int64_t since_wall,
    bool (*take)(void *arg, struct str bytes), void *arg);
/* 0: never, or before `since_wall`. */
int64_t ledger_when_wrote(struct ledger *ledger, struct store_txn *txn,
    struct str ours, struct str theirs, int64_t since_wall);

/* A place in the ledger; starts as {0}, which is behind the newest entry. */
struct ledger_place {
	uint32_t segment, entry;
	bool is_set;
};
/* The bytes of the next older entry; false: that was the last. */
MUST_CHECK bool ledger_older(struct ledger *ledger, struct store_txn *txn,
    struct ledger_place *place, struct str *ret);
uint64_t ledger_count(struct ledger *ledger, struct store_txn *txn);
/* 0: it is empty. */
int64_t ledger_oldest(struct ledger *ledger, struct store_txn *txn);

#endif
