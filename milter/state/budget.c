/* SPDX-License-Identifier: BSD-2-Clause */
/* budget -- sliding windows in the store. */
#include "state/budget.h"

#define ROWS_A_SWEEP 1000
/* A row ahead of the clock may wait: the next take puts it right. */
#define SWEEP_AHEAD 86400

/*
 * A row is a set: when each one was taken (seconds in the upper half, a count
 * in the lower one, so that two of a second are two), and before them a head
 * with time 0 that says how long the window is.
 */
#define TIME_SHIFT 32
#define TIME_MIN 1

void
budgets_open(struct budgets *budgets, struct store_txn *txn,
    const struct record_key *key)
{
	budgets->key = *key;
	budgets->table = store_table(txn, "budgets", STORE_SETS);
	budgets->swept = 0;
}

static uint32_t
second_of(int64_t wall)
{
	return wall < TIME_MIN     ? TIME_MIN
	       : wall > UINT32_MAX ? UINT32_MAX
				   : (uint32_t)wall;
}

static uint64_t
member_at(int64_t wall, uint32_t count)
{
	return (uint64_t)second_of(wall) << TIME_SHIFT | count;
}

/* Remove the members from `least` on, up to and without `end`. */
static void
members_remove(struct budgets *b, struct store_txn *txn, uint64_t key,
    uint64_t least, uint64_t end)
{
	uint64_t at;
	for (size_t i = 0; i <= BUDGET_LIMIT_MAX; i++) {
		struct store_cursor *cursor = store_cursor_new(txn, &b->table);
		bool is_there =
		    store_set_from(cursor, key, least, &at) && at < end;
		store_cursor_free(cursor);
		if (!is_there)
			return;
		store_set_remove(txn, &b->table, key, at);
	}
}

/*
 * What has left the window goes; and what lies further ahead than a window is
 * long, because the clock was wrong once: it would hold its place for years.
 */
static void
row_purge(struct budgets *b, struct store_txn *txn, uint64_t key,
    uint32_t window, int64_t now)
{
	members_remove(b, txn, key, member_at(TIME_MIN, 0),
	    member_at(now - window + 1, 0));
	members_remove(b, txn, key, member_at(now + window + 1, 0), UINT64_MAX);
}

/* The window that the row was last asked with; false: there is no row. */
static bool
row_window(struct budgets *b, struct store_txn *txn, uint64_t key,
    uint32_t *ret_window)
{
	struct store_cursor *cursor = store_cursor_new(txn, &b->table);
	uint64_t head;
	bool is_there = store_set_from(cursor, key, 0, &head);
	store_cursor_free(cursor);
	*ret_window = is_there && head >> TIME_SHIFT == 0 ? (uint32_t)head : 0;
	return is_there;
}

static void
row_head_set(
    struct budgets *b, struct store_txn *txn, uint64_t key, uint32_t window)
{
	uint32_t have;
	bool is_there = row_window(b, txn, key, &have);
	if (is_there && have == window)
		return;
	if (is_there && have != 0)
		store_set_remove(txn, &b->table, key, have);
	store_set_add(txn, &b->table, key, window);
}

static uint64_t
row_key(const struct budgets *b, const struct budget_row *row)
{
	return record_hash(&b->key, &row->key, 1);
}

/* How many are in the window now. */
static uint64_t
row_taken(struct budgets *b, struct store_txn *txn,
    const struct budget_row *row, int64_t now)
{
	uint64_t key = row_key(b, row);
	uint32_t window;
	if (!row_window(b, txn, key, &window))
		return 0;
	row_purge(b, txn, key, row->window_s, now);
	uint64_t n = store_set_count(txn, &b->table, key);
	return n > 0 && window != 0 ? n - 1 : n;
}

/* The lower half of a member that is not there yet. */
static uint32_t
count_free(struct budgets *b, struct store_txn *txn, uint64_t key, int64_t now)
{
	struct store_cursor *cursor = store_cursor_new(txn, &b->table);
	uint64_t at;
	uint64_t end = member_at(now, UINT32_MAX);
	bool is_there = store_set_below(cursor, key, end, &at) &&
			at >> TIME_SHIFT == second_of(now);
	store_cursor_free(cursor);
	return is_there ? (uint32_t)at + 1 : 0;
}

static void
row_take(struct budgets *b, struct store_txn *txn, const struct budget_row *row,
    int64_t now)
{
	uint64_t key = row_key(b, row);
	row_head_set(b, txn, key, row->window_s);
	store_set_add(
	    txn, &b->table, key, member_at(now, count_free(b, txn, key, now)));
}

size_t
budgets_take(struct budgets *b, struct store_txn *txn,
    const struct budget_row *rows, size_t n, int64_t now_wall)
{
	for (size_t i = 0; i < n; i++) {
		unsigned limit = rows[i].limit > BUDGET_LIMIT_MAX
				     ? BUDGET_LIMIT_MAX
				     : rows[i].limit;
		if (row_taken(b, txn, &rows[i], now_wall) >= limit)
			return i;
	}
	for (size_t i = 0; i < n; i++)
		row_take(b, txn, &rows[i], now_wall);
	return n;
}

static bool
row_is_stale(
    struct budgets *b, struct store_txn *txn, uint64_t key, int64_t now)
{
	uint32_t window;
	uint64_t last;
	if (!row_window(b, txn, key, &window))
		return false;
	struct store_cursor *cursor = store_cursor_new(txn, &b->table);
	bool is_there = store_set_last(cursor, key, &last);
	store_cursor_free(cursor);
	int64_t when = (int64_t)(last >> TIME_SHIFT);
	return is_there && (when < now - (int64_t)window ||
			       when > now + (int64_t)window + SWEEP_AHEAD);
}

void
budgets_sweep(struct budgets *b, struct store_txn *txn, int64_t now_wall)
{
	for (size_t i = 0; i < ROWS_A_SWEEP; i++) {
		struct store_cursor *cursor = store_cursor_new(txn, &b->table);
		uint64_t key;
		bool is_there = store_cursor_after(cursor, b->swept, &key);
		store_cursor_free(cursor);
		b->swept = is_there ? key + 1 : 0;
		if (b->swept == 0)
			return;
		if (row_is_stale(b, txn, key, now_wall))
			store_delete(txn, &b->table, store_key64(&key));
	}
}
