/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inquiry -- one addressee of a notice while it is judged: each function asks
 * one source of evidence, says what it found, and answers ORIGIN_UNKNOWN if
 * that decides nothing.  For origin.c, which knows their order.
 */
#ifndef NOTICE_INQUIRY_H
#define NOTICE_INQUIRY_H

#include "base/buf.h"
#include "notice/origin.h"

struct inquiry {
	struct arena *arena;
	struct message *message;
	const struct notice_query *query;
	struct dns_budget *budget;
	struct returned returned;
	struct str author; /* who the notice says it is from; empty: nobody */
	struct str addressee;
	struct buf *evidence;
	/* The Received field with which the original came in from outside, or
	 * was made here; returned.nreceived: not known. */
	size_t border;
	bool has_entrance; /* at the border it came from outside, or was made */
	/* Fields above the first hop are ours for sure; those between it and
	 * the border, a program on one of our hosts may have written. */
	bool is_walked;
	bool is_weak; /* see struct notice */
	struct str weak_id;
	/* Recipients of what the ledger has, for the correspondence. */
	struct strs writers;
};

#define INQUIRY_EVIDENCE_BYTES 700

/* One more piece of evidence. */
void inquiry_say(struct inquiry *q, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- inquiry_ledger.c: what we remember */

#define INQUIRY_FOUND_MAX 64

/* Entries of the addressee; `id` empty: of any message.  False: no answer. */
MUST_CHECK bool inquiry_ask(struct inquiry *q, struct str id, int64_t seconds,
    size_t max, struct ledger_found *ret);
/* The domain that the notice comes from is that of a recipient. */
bool inquiry_is_to_author(
    const struct inquiry *q, const struct ledger_entry *e);
/* By the surest Message-ID that the ledger knows; `*ret_found`: that is the one
 * it answers. */
enum notice_origin inquiry_ledger(
    struct inquiry *q, struct notice *notice, bool *ret_found);
/* By what the addressee sent within a day, for a notice that names no message.
 */
enum notice_origin inquiry_recent(struct inquiry *q, struct notice *notice);
/* By whether one of ours wrote to the addressee. */
enum notice_origin inquiry_correspondence(struct inquiry *q);

/* ---- inquiry_returned.c: what our own MTA returns */

/* Find the border; before the next two. */
void inquiry_border(struct inquiry *q);
/* SPF, signatures and logins, asked again. */
enum notice_origin inquiry_returned(struct inquiry *q);
/* Authentication-Results and Received-SPF of our own. */
enum notice_origin inquiry_results(struct inquiry *q);

#endif
