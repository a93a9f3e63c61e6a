/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request -- what posternd asks the keeper, and what it is answered, as bytes.
 * A request is a number, its kind and its arguments; a reply is the same
 * number, an answer and its results.
 */
#ifndef STATE_REQUEST_H
#define STATE_REQUEST_H

#include "state/record.h"

struct arena;

#define REQUEST_BYTES_MAX 65536 /* of a request and of a reply */
#define LEDGER_FIND_MAX 64      /* entries that a find is answered with */

enum request_kind {
	REQUEST_FIND = 'F',
	REQUEST_WROTE = 'W',
	REQUEST_BUDGET = 'B'
};

struct request {
	uint32_t number;
	enum request_kind kind;
	/* find: sender, Message-ID; wrote: ours, theirs */
	struct str first, second;
	int64_t wall; /* find: not older than this; budget: now */
	unsigned max; /* find */
	struct budget_row rows[BUDGET_ROWS_MAX];
	unsigned nrows;
};

/* Append to `b`, whose maximum is REQUEST_BYTES_MAX: see its `is_cut`. */
void request_pack(struct buf *b, const struct request *request);
/* Texts in `*ret` point into `bytes`.  False: it is no request; `number` is set
 * if it can be read. */
MUST_CHECK bool request_unpack(struct str bytes, struct request *ret);

enum reply_answer { REPLY_OK = 1, REPLY_TEMP = 2 };

struct reply {
	uint32_t number;
	enum reply_answer answer;
	struct str results; /* empty for REPLY_TEMP */
};
void reply_pack(struct buf *b, const struct reply *reply);
MUST_CHECK bool reply_unpack(struct str bytes, struct reply *ret);

/* Results of a find: entries, each with pack_str(), behind this head. */
void found_pack(struct buf *b, bool is_cut, unsigned n, struct str entries);
MUST_CHECK bool found_unpack(
    struct arena *a, struct str results, struct ledger_found *ret);

#endif
