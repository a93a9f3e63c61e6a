/* SPDX-License-Identifier: BSD-2-Clause */
/* decision -- the last decisions about notices, in the store. */
#ifndef STATE_DECISION_H
#define STATE_DECISION_H

#include "state/record.h"
#include "state/store.h"

struct decisions {
	struct store_table table;
};

void decisions_open(struct decisions *decisions, struct store_txn *txn);
/*
 * `bytes` is what decision_pack() made; false: it is not.  The oldest ones go
 * when there are more than DECISIONS_MAX, or more than `max_bytes` of them.
 */
MUST_CHECK bool decisions_add(struct decisions *decisions,
    struct store_txn *txn, struct str bytes, uint64_t max_bytes);
/*
 * The bytes of the newest one older than `*place` (UINT32_MAX: of all); false:
 * there is none.
 */
MUST_CHECK bool decisions_older(struct decisions *decisions,
    struct store_txn *txn, uint32_t *place, struct str *ret);
uint64_t decisions_count(struct decisions *decisions, struct store_txn *txn);

#endif
