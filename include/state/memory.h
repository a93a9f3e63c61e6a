/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory -- what posternd remembers from one message to the next: the ledger of
 * messages, who wrote to whom, budgets, and the history (history.h).  A
 * process of its own, the keeper, holds the state file (LMDB) and does the
 * work; posternd asks it over sockets.  So a broken or truncated file, a bug in
 * its library, or a disk that hangs never stops the gate: the keeper is started
 * again, moves the file aside and begins a new one, and what was asked
 * meanwhile is not known.
 */
#ifndef STATE_MEMORY_H
#define STATE_MEMORY_H

#include "mail/envelope.h"

struct arena;
struct memory;

struct memory_config {
	struct str dir;      /* of the state file; made with mode 0700 */
	uint64_t size_bytes; /* what the ledger may take of the file */
	unsigned days;       /* how long a message is remembered */
	/* The same of the history (history.h); the file never grows past both
	 * sizes together.  0 days: there is none. */
	uint64_t history_bytes;
	unsigned history_days;
	/*
	 * Nothing is too old by a clock that was not even for so long: at a
	 * start the hardware's may be off by years, until NTP has set it.
	 */
	unsigned clock_proof_s;
};

/*
 * Start the keeper.  Call before any thread is made and after privileges are
 * dropped; it ends when this process does, however that happens.  NULL:
 * `*ret_why`, in `a`, says why there can be none.
 */
struct memory *memory_start(
    struct arena *a, const struct memory_config *config, struct str *ret_why);
/* Wait until all that was told is in the file, then end the keeper. */
void memory_stop(struct memory *memory);
/* New limits, after a reload. */
void memory_configure(
    struct memory *memory, const struct memory_config *config);

/* Any number of threads may call what follows.  `memory` NULL: nothing is
 * remembered, every answer is MEMORY_TEMP. */

/* What was told and could not be taken, since the start. */
uint64_t memory_lost(struct memory *memory);

enum memory_status {
	MEMORY_OK,
	MEMORY_TEMP /* no answer: the keeper is being started, or hangs */
};

/* ---- ledger: every message that was accepted, ordinary or notice */

#define LEDGER_ID_BYTES 250   /* of a Message-ID; the rest is cut off */
#define LEDGER_PATH_BYTES 254 /* of an address */
#define LEDGER_RCPT_MAX 20    /* recipients that are kept; more are counted */

/*
 * One message.  `spf`, `dkim`, `dmarc` and `standing` are the numbers of the
 * enums spf_result, dkim_result, ... of the rooms above; at most 15 each.
 */
struct ledger_entry {
	int64_t time_wall; /* s since 1970 */
	enum mail_class class;
	struct str message_id; /* without < >; may be empty */
	struct str sender;     /* envelope; empty: null sender */
	struct str rcpt[LEDGER_RCPT_MAX];
	size_t nrcpt; /* entries of `rcpt` */
	uint32_t nrcpt_all;
	struct str queue_id;    /* empty: not told; at most 32 bytes */
	struct str client_addr; /* canonical text, or empty */
	uint8_t spf, dkim, dmarc;
	uint8_t standing; /* enum sender_standing */
	bool has_login;
	/* `sender` is the author, somebody else than the envelope sender, and
	 * `standing` is the author's. */
	bool is_author;
	bool is_auto; /* it was a notice, or said that a program made it */
};

/*
 * Remember.  Does not wait: it is in the hands of the kernel when this returns,
 * so it outlives this process.  Dropped, counted and logged once a minute, if
 * the keeper is so far behind that the socket is full.
 */
void ledger_record(struct memory *memory, const struct ledger_entry *entry);

struct ledger_found {
	struct ledger_entry *v; /* newest first; in `a` */
	size_t n;
	bool is_cut; /* there are more than `max` */
};

/*
 * Entries whose sender is `sender` (compared without case) and whose Message-ID
 * is `message_id` (exact; empty: any); not older than `since_wall`; the newest
 * `max`, at most 64.
 */
MUST_CHECK enum memory_status ledger_find(struct memory *memory,
    struct arena *a, struct str sender, struct str message_id,
    int64_t since_wall, size_t max, struct ledger_found *ret);

/* ---- correspondence: one of ours wrote to somebody */

/* Without case.  At most 100 of `theirs` are taken. */
void memory_wrote(
    struct memory *memory, struct str ours, const struct strs *theirs);
/* When last, s since 1970; 0: not within the ledger's days. */
MUST_CHECK enum memory_status memory_has_written(struct memory *memory,
    struct str ours, struct str theirs, int64_t *ret_wall);

/* ---- budgets: at most so many in a sliding window */

#define BUDGET_LIMIT_MAX 10000
#define BUDGET_ROWS_MAX 4

struct budget_row {
	struct str key; /* any bytes; two rows never share one */
	unsigned limit; /* 0: never; at most BUDGET_LIMIT_MAX */
	unsigned window_s;
};

/*
 * Take one from every row, or from none: `*ret_full` is the index of the first
 * row that has none left, `n` if all were taken.  It is in the file when this
 * returns.
 */
MUST_CHECK enum memory_status budget_take(struct memory *memory,
    const struct budget_row *rows, size_t n, int64_t now_wall,
    size_t *ret_full);

/* ---- for the commands: the file itself, read while posternd runs */

struct memory_reader;
enum reader_status {
	READER_OK,
	READER_NONE, /* there is no file yet */
	READER_BAD   /* it cannot be opened or is broken: `*ret_why` */
};
MUST_CHECK enum reader_status memory_read_open(struct arena *a, struct str dir,
    struct memory_reader **ret, struct str *ret_why);
void memory_read_close(struct memory_reader *reader);
/* True: posternd has begun another file, which is read from now on. */
bool memory_read_renew(struct memory_reader *reader);
/*
 * Call `fn` for each entry that has `text` as its Message-ID, sender or a
 * recipient (without < > and without case; empty: every entry), newest first,
 * until it returns false.
 */
MUST_CHECK enum reader_status ledger_each(struct memory_reader *reader,
    struct str text, bool (*fn)(void *arg, const struct ledger_entry *entry),
    void *arg);
struct memory_stats {
	uint64_t entries, history;
	uint64_t file_bytes, used_bytes, size_bytes;
	int64_t oldest_wall; /* 0: no entry */
	int64_t history_oldest_wall;
};
MUST_CHECK enum reader_status memory_read_stats(
    struct memory_reader *reader, struct memory_stats *ret);

#endif
