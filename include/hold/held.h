/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * held -- a kept message as one file: a block of X-Postern-* header lines that
 * say whose it is and why it was kept, then the message as it came, byte for
 * byte.  A mail reader sees one message.  Where the file lies is
 *quarantine.h's.
 *
 *	X-Postern-Id: 0Vv3kPpQd81mZsTa
 *	...
 *	X-Postern-Hits:
 *	 LINK_LURE 4.000 1 http://login.example.test/
 *	X-Postern-Envelope-To:
 *	 <bob@example.net>
 *	X-Postern-End: v1 sha256=HEX hmac=HEX
 *
 * Each value is one line behind "Name: ", or a list with one " item" a line.
 * Bytes from mail are escaped as in log lines (\xNN), so every byte comes back.
 * sha256 is the message's; hmac, with the host's key, seals all that is before
 * it.  Lines with names not known here are skipped: a later version may add.
 */
#ifndef HOLD_HELD_H
#define HOLD_HELD_H

#include "base/str.h"
#include "hold/mac.h"
#include "mail/envelope.h"
#include "mail/hit.h"

struct arena;

enum held_folder {
	FOLDER_HELD,      /* the Maildir itself */
	FOLDER_DISCARDED, /* .discarded: notices nobody will get */
	FOLDER_COUNT
};

/* All that is known of a kept message. */
struct held {
	struct str id; /* lookup id; [A-Za-z0-9], also in reject texts */
	enum held_folder folder;
	int64_t time_wall; /* s since 1970 */
	struct str reason; /* one line */
	struct envelope envelope;
	double score;
	double threshold; /* that was passed; 0: none */
	struct mail_hit *hits;
	size_t nhits;
	struct str subject;  /* decoded; for lists */
	uint64_t size_bytes; /* of the message itself */
};

#define HELD_ID_MAX 32
/* Bytes of the block, recipients and evidence together. */
#define HELD_BLOCK_MAX ((size_t)32 << 20)

/* 1 to HELD_ID_MAX of [A-Za-z0-9]: safe in a file name and a reply. */
bool held_id_is_valid(struct str id);
/* "held", "discarded" */
struct str held_folder_name(enum held_folder folder);
MUST_CHECK bool held_folder_parse(struct str name, enum held_folder *ret);

/*
 * The block for `held` and the message `raw`, whose length is written instead
 * of size_bytes.  `key` NULL: no seal.  False: it is larger than
 * HELD_BLOCK_MAX.
 */
MUST_CHECK bool held_block_write(struct arena *a, const struct held *held,
    struct str raw, const struct mac_key *key, struct str *ret);

/* A block that was read. */
struct held_block {
	struct held held;
	size_t bytes;        /* the message begins here */
	size_t sealed_bytes; /* what hmac is over */
	struct digest raw;   /* of the message */
	struct digest seal;
	bool has_seal;
};

enum held_parse_status {
	HELD_PARSE_OK,
	HELD_PARSE_MORE,   /* no X-Postern-End yet: come back with more bytes */
	HELD_PARSE_FOREIGN /* not a file of this kind, or damaged */
};

/*
 * Read the block at the start of `text`.  Views in `*ret` live in `a` or in
 * `text`.  Only the form is checked.
 */
MUST_CHECK enum held_parse_status held_block_parse(
    struct arena *a, struct str text, struct held_block *ret);
/* The seal is there and right for the block, which `text` begins with. */
bool held_block_is_sealed(
    const struct held_block *block, struct str text, const struct mac_key *key);

#endif
