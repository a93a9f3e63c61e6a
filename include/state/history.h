/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history -- every decision, and what became of the message later, for the
 * commands: who sent what to whom, what was found, what was done and why.  Told
 * as all of memory.h is, and in the same file; who may not be named in it is
 * the caller's affair.
 */
#ifndef STATE_HISTORY_H
#define STATE_HISTORY_H

#include "base/buf.h"
#include "mail/hit.h"
#include "state/memory.h"
#include "state/store.h"

/* What an entry says in words; empty: nothing. */
enum history_text {
	HISTORY_ACTION, /* of a message: accept...; else released, deleted... */
	HISTORY_WOULD,  /* without observe; empty: the same */
	HISTORY_REASON, /* of the verdict */
	HISTORY_PLACE,  /* where it went: enum history_place */
	HISTORY_QUEUE_ID,
	HISTORY_ID, /* lookup id: in reject texts and in the quarantine */
	HISTORY_MESSAGE_ID, /* without < > */
	HISTORY_SENDER,     /* envelope */
	HISTORY_LOGIN,
	HISTORY_CLIENT,
	HISTORY_HOST, /* the client's name */
	HISTORY_HELO,
	HISTORY_SUBJECT,
	HISTORY_SPF,
	HISTORY_DKIM,
	HISTORY_DMARC,
	HISTORY_PREFLIGHT,
	HISTORY_BECAUSE, /* why a receiver would not take it */
	HISTORY_SIGN,
	HISTORY_NOTICE, /* kind of notice */
	HISTORY_ORIGIN,
	HISTORY_AUTHOR,    /* who the notice says it is from */
	HISTORY_ADDRESSEE, /* whom it answers */
	HISTORY_EVIDENCE,  /* of the origin */
	HISTORY_TROUBLE,
	HISTORY_NOTE,
	HISTORY_BY, /* who released or deleted it */
	HISTORY_TEXTS
};

/* The key of JSON, CSV and the manual: "queue_id". */
const char *history_text_key(enum history_text which);
/* Longer ones are cut to so many bytes. */
size_t history_text_max(enum history_text which);

enum history_flag {
	HISTORY_IS_EVENT = 1,    /* something that was done to a kept message */
	HISTORY_IS_SCANNED = 2,  /* rules were run: there is a score */
	HISTORY_IS_OBSERVED = 4, /* nothing was changed */
	HISTORY_CAN_REFUSE = 8,  /* the client could have been told no */
	HISTORY_IS_HASHED = 16,  /* names are pseudonyms */
	HISTORY_IS_RELEASED = 32, /* it came out of the quarantine */
	HISTORY_IS_LETTER = 64    /* posternd's own to the admin */
};

#define HISTORY_RCPT_MAX 20 /* recipients that are kept; more are counted */
#define HISTORY_HITS_MAX 100
#define HISTORY_RULE_BYTES 100
#define HISTORY_EVIDENCE_BYTES 120 /* of one hit */
#define HISTORY_EVIDENCE_ALL 4000  /* of all of them */

struct history_entry {
	int64_t time_wall; /* s since 1970 */
	enum mail_class class;
	unsigned flags; /* enum history_flag */
	double score;
	double threshold; /* that was reached; 0: none */
	uint64_t size_bytes;
	uint32_t us; /* the rules took */
	struct str text[HISTORY_TEXTS];
	struct str rcpt[HISTORY_RCPT_MAX];
	size_t nrcpt; /* entries of `rcpt` */
	uint32_t nrcpt_all;
	struct mail_hit hits[HISTORY_HITS_MAX];
	size_t nhits;
	uint32_t nhits_all;
};

/* Remember, if there is a history.  As ledger_record(). */
void history_record(struct memory *memory, const struct history_entry *entry);
/* Is there one?  For who would have to make the entry. */
bool history_is_kept(const struct memory *memory);

/* ---- an entry as bytes */

/* What the longest one can take. */
#define HISTORY_BYTES_MAX 40960

/* Append to `b`, whose maximum is HISTORY_BYTES_MAX; what is too long is cut.
 */
void history_pack(struct buf *b, const struct history_entry *entry);
/*
 * Read all of `bytes`, any bytes; texts in `*ret` point into it, and what is
 * behind `nrcpt` and `nhits` is not set.  False: it is not what was written.
 */
MUST_CHECK bool history_unpack(struct str bytes, struct history_entry *ret);
/* The same without looking for bytes that were written over: for a search,
 * which does so with what it has found. */
MUST_CHECK bool history_peek(struct str bytes, struct history_entry *ret);

/* ---- in the store: one table, the oldest entries go first */

#define HISTORY_TABLE "history"

struct history {
	struct store_table table;
	uint64_t next; /* number of the next entry */
};
struct history_limits {
	uint64_t max_bytes;  /* of the table */
	int64_t oldest_wall; /* what is older goes */
};

void history_open(struct history *history, struct store_txn *txn);
/* `bytes` is what history_pack() made; false: it is not. */
MUST_CHECK bool history_add(
    struct history *history, struct store_txn *txn, struct str bytes);
/* Remove what is over the limits, at most `max`; true: there may be more. */
bool history_trim(struct history *history, struct store_txn *txn,
    const struct history_limits *limits, size_t max);

/* ---- for the commands */

/* Which entries are meant. */
struct history_search {
	/* Views of the file: it may keep none of them. */
	bool (*wants)(void *arg, const struct history_entry *entry);
	/* What was wanted, checked; false: enough. */
	bool (*take)(void *arg, const struct history_entry *entry);
	void *arg;
	int64_t since_wall; /* older ones need not be looked at */
};

/* Newest first. */
MUST_CHECK enum reader_status history_each(
    struct memory_reader *reader, const struct history_search *search);
/* The place of the newest entry; 0: there is none. */
MUST_CHECK enum reader_status history_newest(
    struct memory_reader *reader, uint64_t *ret);
/* Those behind `*place`, oldest first; it moves to the last that was looked at.
 */
MUST_CHECK enum reader_status history_newer(struct memory_reader *reader,
    const struct history_search *search, uint64_t *place);

#endif
