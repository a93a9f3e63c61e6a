/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quarantine -- a Maildir of messages kept back, each whole behind a block of
 * X-Postern-* lines that say why.  On disk (fsync of file and folder) before
 * store returns.  Nothing here talks to an MTA: release.h does.
 */
#ifndef HOLD_QUARANTINE_H
#define HOLD_QUARANTINE_H

#include "base/str.h"
#include "mail/envelope.h"

struct arena;
struct quarantine;

enum held_folder {
	FOLDER_HELD,      /* the Maildir itself */
	FOLDER_DISCARDED, /* .discarded: notices nobody will get */
	FOLDER_COUNT
};

/* One rule that hit, as it was at that time. */
struct held_hit {
	struct str rule;
	double score;
	unsigned count;
	struct str evidence;
};

/* All that is known of a kept message. */
struct held {
	struct str id;        /* lookup id; [A-Za-z0-9], also in reject texts */
	enum held_folder folder;
	int64_t time_wall;    /* s since 1970 */
	struct str reason;    /* one line */
	struct envelope envelope;
	double score;
	double threshold;     /* that was passed; 0: none */
	struct held_hit *hits;
	size_t nhits;
	struct str subject;   /* decoded; for lists */
	uint64_t size_bytes;  /* of the message itself */
};

enum quarantine_status {
	QUARANTINE_OK,
	QUARANTINE_NOT_FOUND,
	QUARANTINE_FULL,     /* disk or size limit: errno tells */
	QUARANTINE_IO,       /* cannot read or write: errno tells */
	QUARANTINE_BAD_FILE  /* not written by us, or damaged */
};

/*
 * Open (and make, mode 0700) the Maildir `dir`.  `ret_error` names what is
 * wrong in words.
 */
MUST_CHECK enum quarantine_status quarantine_open(
    struct str dir, struct quarantine **ret, struct str *ret_error,
    struct arena *a);
void quarantine_close(struct quarantine *q);

/*
 * Store `raw` (any bytes) with `held`.  QUARANTINE_OK: it survives a power cut.
 * Otherwise nothing is left behind and errno is set.
 */
MUST_CHECK enum quarantine_status quarantine_store(
    struct quarantine *q, const struct held *held, struct str raw);

/* A fresh lookup id: time and randomness, 16 characters of [0-9A-Za-z], sorts by time. */
struct str quarantine_id(struct arena *a);

#endif
