/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record -- entries of the ledger as bytes: in the file, and between posternd
 * and the keeper.  Whatever is read here may be anything.
 */
#ifndef STATE_RECORD_H
#define STATE_RECORD_H

#include "base/buf.h"
#include "state/memory.h"

struct arena;

#define LEDGER_QUEUE_ID_BYTES 32
#define LEDGER_CLIENT_BYTES 45
/* What the longest entry can take. */
#define RECORD_BYTES_MAX 12288

/* Append to `b`, whose maximum is RECORD_BYTES_MAX; what is too long is cut. */
void entry_pack(struct buf *b, const struct ledger_entry *entry);
/*
 * Read all of `bytes`; texts in `*ret` point into it, a client's address is
 * made in `a`.  False: it is not what was written.
 */
MUST_CHECK bool entry_unpack(
    struct arena *a, struct str bytes, struct ledger_entry *ret);

/* What each record begins with, of the bytes behind it. */
#define RECORD_CHECK_BYTES 2
uint16_t record_check(struct str bytes);

/* Message-ID and address as they are kept and compared. */
struct str ledger_id_cut(struct str message_id);
struct str ledger_path_cut(struct str path);

/* ---- small pieces, for requests and replies too */

void pack_u8(struct buf *b, unsigned n);
void pack_u32(struct buf *b, uint32_t n);
void pack_u64(struct buf *b, uint64_t n);
void pack_str(struct buf *b, struct str s); /* at most 65535 bytes */

/* Cut a piece off `*rest`.  False: there is none. */
MUST_CHECK bool unpack_u8(struct str *rest, unsigned *ret);
MUST_CHECK bool unpack_u32(struct str *rest, uint32_t *ret);
MUST_CHECK bool unpack_u64(struct str *rest, uint64_t *ret);
MUST_CHECK bool unpack_str(struct str *rest, struct str *ret);

/*
 * A hash of `parts`, each told apart from the next, by SipHash-2-4 under a key
 * of the file: nobody outside can choose what collides.
 */
struct record_key {
	uint64_t k[2];
};
uint64_t record_hash(
    const struct record_key *key, const struct str *parts, size_t n);

#endif
