/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words -- what notices say, in the languages they say it in, and how often a
 * text says it.  Which of it makes a notice is kind.c's.
 */
#ifndef NOTICE_WORDS_H
#define NOTICE_WORDS_H

#include "notice/kind.h"

/*
 * A phrase in UTF-8: lower case, one blank between words, ' for any apostrophe,
 * at least 4 bytes; it must not begin or end inside a word.
 */
struct notice_word {
	enum notice_kind kind; /* NOTICE_NONE: it speaks against a notice */
	unsigned weight;
	const char *text; /* ^: only at the start */
};

/* A word's "kind" of its own: it is said to the sender of a message. */
#define NOTICE_YOURS NOTICE_KINDS
#define NOTICE_WORD_KINDS (NOTICE_KINDS + 1)

/* The tables, each ended by a row without text. */
extern const struct notice_word NOTICE_SUBJECTS[];
extern const struct notice_word NOTICE_TEXTS[];

/* What was found, by kind. */
struct notice_tally {
	unsigned weight[NOTICE_WORD_KINDS]; /* each phrase counts once */
	struct str
	    said[NOTICE_WORD_KINDS]; /* the weightiest phrase; empty: none */
};

/*
 * Append `text`, UTF-8 or not, to the `*len` bytes at `to` as the phrases are
 * written, until there are `max`.
 */
void notice_fold(struct str text, char *to, size_t max, size_t *len);
/* Add the phrases in `folded` to `*tally`, which begins as zeros. */
void notice_tally_subject(struct str folded, struct notice_tally *tally);
void notice_tally_text(struct str folded, struct notice_tally *tally);
/* There is a reply of a server with a status (RFC 3463): "550 5.1.1". */
bool notice_has_reply(struct str folded);

#endif
