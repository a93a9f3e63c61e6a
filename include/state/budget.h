/* SPDX-License-Identifier: BSD-2-Clause */
/* budget -- sliding windows in the store.  memory.h says what they promise. */
#ifndef STATE_BUDGET_H
#define STATE_BUDGET_H

#include "state/record.h"
#include "state/store.h"

struct budgets {
	struct record_key key;
	struct store_table table;
	uint64_t swept; /* where the next sweep goes on */
};

void budgets_open(struct budgets *budgets, struct store_txn *txn,
    const struct record_key *key);
/* As budget_take(): the index of the first row that is full; `n`: taken. */
MUST_CHECK size_t budgets_take(struct budgets *budgets, struct store_txn *txn,
    const struct budget_row *rows, size_t n, int64_t now_wall);
/* Forget some of the rows whose windows have passed; call now and then. */
void budgets_sweep(
    struct budgets *budgets, struct store_txn *txn, int64_t now_wall);

#endif
