/* SPDX-License-Identifier: BSD-2-Clause */
/* decision -- the last decisions about notices, in the store. */
#include "state/decision.h"

#define GONE_AT_ONCE 4

void
decisions_open(struct decisions *d, struct store_txn *txn)
{
	d->table = store_table(txn, "decisions", STORE_NUMBERS);
}

uint64_t
decisions_count(struct decisions *d, struct store_txn *txn)
{
	return store_table_entries(txn, &d->table);
}

static bool
are_too_many(struct decisions *d, struct store_txn *txn, uint64_t max_bytes)
{
	return decisions_count(d, txn) > DECISIONS_MAX ||
	       store_table_bytes(txn, &d->table) > max_bytes;
}

bool
decisions_add(struct decisions *d, struct store_txn *txn, struct str bytes,
    uint64_t max_bytes)
{
	struct decision decision;
	struct str there;
	uint64_t at;
	if (!decision_unpack(bytes, &decision))
		return false;
	bool has_last = store_last(txn, &d->table, &at, &there);
	uint32_t number = has_last ? (uint32_t)at + 1 : 1;
	store_append(txn, &d->table, store_key32(&number), bytes);
	for (size_t i = 0;
	     i < GONE_AT_ONCE && are_too_many(d, txn, max_bytes) &&
	     store_first(txn, &d->table, &at, &there);
	     i++) {
		number = (uint32_t)at;
		store_delete(txn, &d->table, store_key32(&number));
	}
	return true;
}

bool
decisions_older(struct decisions *d, struct store_txn *txn, uint32_t *place,
    struct str *ret)
{
	struct store_cursor *cursor = store_cursor_new(txn, &d->table);
	uint64_t at = 0;
	bool is_there =
	    *place > 0 && store_cursor_before(cursor, *place - 1, &at, ret);
	*place = (uint32_t)at;
	store_cursor_free(cursor);
	return is_there;
}
