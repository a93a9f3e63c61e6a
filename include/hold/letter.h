/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * letter -- a mail of our own to the admin: an alert, or the digest.  It goes
 * with a release (release.h), so the gate lets it pass unread, and from the
 * null sender, so nothing answers it: what tells of held mail is never held,
 * and never tells of itself.
 */
#ifndef HOLD_LETTER_H
#define HOLD_LETTER_H

#include "base/str.h"

struct arena;
struct buf;
struct release;

struct letter {
	struct str from;    /* address of the From field */
	struct str host;    /* who sends it */
	struct strs to;     /* addresses */
	struct str subject; /* one line; UTF-8 */
	struct str body;    /* lines; UTF-8 */
};

/*
 * Header, empty line and body (RFC 5322, 2045, 2047), with \n line ends, ASCII
 * throughout.  `now_wall`: s since 1970.
 */
struct str letter_text(
    struct arena *a, const struct letter *letter, int64_t now_wall);

/* Append `s` so that no reader's screen obeys it or hides any of it: see
 * log_escape() and utf8_is_deceiver(). */
void letter_put(struct buf *b, struct str s);

/*
 * Hand it to the MTA; `via` as in inject.h.  False: `*ret_why`, in `a`.  Waits
 * for the MTA.
 */
MUST_CHECK bool letter_send(struct arena *a, const struct letter *letter,
    struct release *release, struct str via, struct str *ret_why);

/* The lookup id of a release is that of a letter. */
bool letter_is_id(struct str id);

#endif
