/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quarantine -- a Maildir of messages kept back, each whole behind a block of
 * X-Postern-* lines that say why (held.h).  On disk (fsync of file and folder)
 * before store returns.  Nothing here talks to an MTA: release.h and reinject.h
 * do.  A quarantine may be used by many threads at once, and by other processes
 * (the daemon, the commands, a mail reader) at the same time.
 */
#ifndef HOLD_QUARANTINE_H
#define HOLD_QUARANTINE_H

#include "base/str.h"
#include "hold/held.h"
#include "mail/envelope.h"

struct arena;
struct quarantine;

enum quarantine_status {
	QUARANTINE_OK,
	QUARANTINE_NOT_FOUND,
	QUARANTINE_AMBIGUOUS, /* more than one id begins so */
	QUARANTINE_BUSY,      /* another process releases or deletes it */
	QUARANTINE_FULL,      /* disk or size limit: errno tells */
	QUARANTINE_IO,        /* cannot read or write: errno tells */
	QUARANTINE_BAD_FILE   /* not written by us, or damaged */
};

/*
 * Open (and make, mode 0700) the Maildir `dir` and its folder .discarded.
 * `ret_error` names what is wrong in words.
 */
MUST_CHECK enum quarantine_status quarantine_open(struct str dir,
    struct quarantine **ret, struct str *ret_error, struct arena *a);
/* The same without making anything: QUARANTINE_NOT_FOUND. */
MUST_CHECK enum quarantine_status quarantine_open_existing(struct str dir,
    struct quarantine **ret, struct str *ret_error, struct arena *a);
void quarantine_close(struct quarantine *q);

/*
 * Before the first use by a second thread: seal what is stored with `key`, and
 * see by it what was changed.  Without a key nothing is sealed or checked.
 */
void quarantine_set_key(struct quarantine *q, const struct mac_key *key);
/* Past `bytes` in all, or half of it in the folder of the discarded, store says
 * QUARANTINE_FULL, errno EDQUOT; 0: no limit. */
void quarantine_set_limit(struct quarantine *q, uint64_t bytes);

/*
 * Store `raw` (any bytes) with `held`.  QUARANTINE_OK: it survives a power cut.
 * Otherwise nothing is left behind and errno is set; QUARANTINE_BAD_FILE: the
 * id is not valid or taken, or the envelope is larger than HELD_BLOCK_MAX.
 */
MUST_CHECK enum quarantine_status quarantine_store(
    struct quarantine *q, const struct held *held, struct str raw);

/* A fresh lookup id: time and randomness, 16 characters of [0-9A-Za-z], sorts
 * by time. */
struct str quarantine_id(struct arena *a);

/*
 * Bytes of all files in it.  Cheap: counted as we store; the directories are
 * read again at most once a minute, by the one caller whose turn it is.
 */
uint64_t quarantine_usage(struct quarantine *q);

struct quarantine_stats {
	uint64_t bytes[FOLDER_COUNT];
	uint64_t messages[FOLDER_COUNT]; /* files */
	uint64_t max_bytes;              /* 0: no limit */
};
/* As cheap, and as true; after quarantine_changed() counted anew. */
void quarantine_stats(struct quarantine *q, struct quarantine_stats *ret);
/* Another process has removed a file, or put one in. */
void quarantine_changed(struct quarantine *q);

/* What can be said of a file in the quarantine. */
enum held_state {
	HELD_SOUND,    /* sealed, and the seal is right */
	HELD_UNSEALED, /* readable; no key to check it by */
	HELD_TAMPERED, /* the seal is missing or broken, or it lies in the wrong
			  place */
	HELD_DAMAGED,  /* no block that can be read, or cut short */
	HELD_FOREIGN   /* its name is not one of ours */
};
/* "sound", "unsealed", "tampered", "damaged", "foreign" */
struct str held_state_name(enum held_state state);

#define HELD_FILE_MAX 256

/* A file in the quarantine. */
struct held_entry {
	/*
	 * HELD_DAMAGED: what of the block could be read, else the id of the
	 * file's name.  Without a block the time is the file's.
	 */
	struct held held;
	enum held_state state;
	bool has_block;      /* `held` is what the file says of the message */
	bool is_seen;        /* a mail reader has shown it (cur, not new) */
	uint64_t file_bytes; /* block and message */
	char file[HELD_FILE_MAX]; /* its name; NUL-terminated */
};

/*
 * Call `fn` for every file of `folder` (FOLDER_COUNT: of all) whose id begins
 * with `prefix`, oldest first, until it returns false.  The block is read and
 * its seal checked, the message is not (quarantine_read does).  The entry lives
 * until `fn` returns.  Foreign files come only without a prefix.
 */
MUST_CHECK enum quarantine_status quarantine_each(struct quarantine *q,
    enum held_folder folder, struct str prefix,
    bool (*fn)(void *arg, const struct held_entry *entry), void *arg);
/* The one file whose id is, or else begins with, `prefix`. */
MUST_CHECK enum quarantine_status quarantine_find(struct quarantine *q,
    struct arena *a, struct str prefix, struct held_entry *ret);
/*
 * Read `entry` whole: `*ret` is what it is now, with the message checked
 * against its digest too, and `*ret_raw` is the message as it was stored.  Both
 * live in `a`.  QUARANTINE_BAD_FILE: without a block that can be read.
 */
MUST_CHECK enum quarantine_status quarantine_read(struct quarantine *q,
    struct arena *a, const struct held_entry *entry, struct held_entry *ret,
    struct str *ret_raw);

/*
 * Let no other process release, delete or purge `entry` until unlock: the
 * descriptor that quarantine_unlock() wants.  QUARANTINE_NOT_FOUND: it has gone
 * since it was listed.
 */
MUST_CHECK enum quarantine_status quarantine_lock(
    struct quarantine *q, const struct held_entry *entry, int *ret_lock);
void quarantine_unlock(int lock);

/* Delete it so that no power cut brings it back.  The caller has the lock. */
MUST_CHECK enum quarantine_status quarantine_remove(
    struct quarantine *q, const struct held_entry *entry);
/* Lock, delete, unlock; not synced, as many of them would take their time. */
MUST_CHECK enum quarantine_status quarantine_delete(
    struct quarantine *q, const struct held_entry *entry);
/*
 * Put `held` and `raw` in the place of `entry`, at once: at any time the one or
 * the other is there.  For a message some of whose recipients have got it.  The
 * caller has the lock, which the new file does not have.
 */
MUST_CHECK enum quarantine_status quarantine_replace(struct quarantine *q,
    const struct held_entry *entry, const struct held *held, struct str raw);

enum purge_reason { PURGE_AGE, PURGE_SIZE };

/* What a purge is to do, and whom it tells. */
struct purge {
	int64_t now_wall;
	int64_t max_age_s[FOLDER_COUNT]; /* 0: any age */
	uint64_t max_bytes;              /* of the whole quarantine; 0: any */
	bool is_dry_run;                 /* tell, and delete nothing */
	/* False: leave this one.  NULL: all. */
	bool (*wants)(void *arg, const struct held_entry *entry);
	/* After it was removed.  NULL: nobody. */
	void (*tell)(void *arg, const struct held_entry *entry,
	    enum purge_reason reason);
	void *arg;
};

struct purge_result {
	uint64_t removed; /* messages */
	uint64_t removed_bytes;
	uint64_t failed; /* busy, or could not be deleted */
	uint64_t left_bytes;
	uint64_t stale; /* files in tmp that a crash has left */
};

/*
 * Remove what is older than its folder allows, then the oldest until the rest
 * fits, discarded ones first; the age of a damaged file is that of the file.
 * Foreign files are never removed.  Files in tmp older than 36 hours go as well
 * (Maildir's rule).
 */
MUST_CHECK enum quarantine_status quarantine_purge(
    struct quarantine *q, const struct purge *purge, struct purge_result *ret);

#endif
