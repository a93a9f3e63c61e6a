/* SPDX-License-Identifier: BSD-2-Clause */
/* request -- what posternd asks the keeper, and what it is answered. */
#include "state/request.h"

#include "base/arena.h"

static void
rows_pack(struct buf *b, const struct request *r)
{
	pack_u8(b, r->nrows);
	for (unsigned i = 0; i < r->nrows; i++) {
		pack_u32(b, r->rows[i].limit);
		pack_u32(b, r->rows[i].window_s);
		pack_str(b, r->rows[i].key);
	}
}

static bool
rows_unpack(struct str *rest, struct request *r)
{
	if (!unpack_u8(rest, &r->nrows) || r->nrows > BUDGET_ROWS_MAX)
		return false;
	for (unsigned i = 0; i < r->nrows; i++) {
		uint32_t limit, window;
		if (!unpack_u32(rest, &limit) || !unpack_u32(rest, &window) ||
		    !unpack_str(rest, &r->rows[i].key))
			return false;
		r->rows[i].limit = limit;
		r->rows[i].window_s = window;
	}
	return true;
}

void
request_pack(struct buf *b, const struct request *r)
{
	pack_u32(b, r->number);
	pack_u8(b, r->kind);
	pack_u64(b, r->wall < 0 ? 0 : (uint64_t)r->wall);
	if (r->kind == REQUEST_BUDGET) {
		rows_pack(b, r);
		return;
	}
	pack_u8(b, r->max > UINT8_MAX ? UINT8_MAX : r->max);
	pack_str(b, r->first);
	pack_str(b, r->second);
}

static bool
kind_is_known(unsigned kind)
{
	return kind == REQUEST_FIND || kind == REQUEST_WROTE ||
	       kind == REQUEST_BUDGET;
}

bool
request_unpack(struct str rest, struct request *ret)
{
	unsigned kind;
	uint64_t wall;
	memset(ret, 0, sizeof(*ret));
	ret->first = ret->second = STR_EMPTY;
	if (!unpack_u32(&rest, &ret->number) || !unpack_u8(&rest, &kind) ||
	    !kind_is_known(kind) || !unpack_u64(&rest, &wall) ||
	    wall > INT64_MAX)
		return false;
	ret->kind = (enum request_kind)kind;
	ret->wall = (int64_t)wall;
	bool is_read = kind == REQUEST_BUDGET
			   ? rows_unpack(&rest, ret)
			   : unpack_u8(&rest, &ret->max) &&
				 unpack_str(&rest, &ret->first) &&
				 unpack_str(&rest, &ret->second);
	return is_read && rest.len == 0;
}

void
reply_pack(struct buf *b, const struct reply *reply)
{
	pack_u32(b, reply->number);
	pack_u8(b, reply->answer);
	buf_put(b, reply->results);
}

bool
reply_unpack(struct str rest, struct reply *ret)
{
	unsigned answer;
	if (!unpack_u32(&rest, &ret->number) || !unpack_u8(&rest, &answer))
		return false;
	ret->answer = answer == REPLY_OK ? REPLY_OK : REPLY_TEMP;
	ret->results = rest;
	return true;
}

void
found_pack(struct buf *b, bool is_cut, unsigned n, struct str entries)
{
	pack_u8(b, is_cut ? 1 : 0);
	pack_u8(b, n);
	buf_put(b, entries);
}

bool
found_unpack(struct arena *a, struct str rest, struct ledger_found *ret)
{
	unsigned is_cut, n;
	if (!unpack_u8(&rest, &is_cut) || !unpack_u8(&rest, &n))
		return false;
	struct ledger_found found = {
	    ARENA_ARRAY(a, struct ledger_entry, n), n, is_cut != 0};
	for (size_t i = 0; i < n; i++) {
		struct str bytes;
		if (!unpack_str(&rest, &bytes) ||
		    !entry_unpack(a, bytes, &found.v[i]))
			return false;
	}
	*ret = found;
	return true;
}
