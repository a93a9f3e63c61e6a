/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind -- is a message an automatic answer to another one, and of which kind?
 * Told by its form and words alone.  Whom it answers is origin.h's.
 */
#ifndef NOTICE_KIND_H
#define NOTICE_KIND_H

#include "mail/message.h"

/* In the order of `postern notices` and the manual. */
enum notice_kind {
	NOTICE_NONE,    /* ordinary mail: newsletters, discussions about
			   bounces, bounces that a person forwards */
	NOTICE_DSN,     /* a failed delivery: RFC 3464, or in words */
	NOTICE_DELAY,   /* a delivery that is still tried */
	NOTICE_QUOTA,   /* a mailbox is full */
	NOTICE_MAILBOX, /* a canned reply: mailbox or domain is disabled,
			   unknown, has moved */
	NOTICE_REJECT,  /* refused by the user's Sieve script (RFC 5429) */
	NOTICE_LIST,    /* of list managers: not a member, held, command results
			 */
	NOTICE_FILTER,  /* a filter tells the sender: banned file, spam */
	NOTICE_VIRUS,   /* the same of a virus */
	NOTICE_VACATION,
	NOTICE_AUTOREPLY, /* any other answer of a program (RFC 3834) */
	NOTICE_TICKET,    /* a ticket system acknowledges */
	NOTICE_CHALLENGE, /* challenge-response */
	NOTICE_MDN,       /* read receipt (RFC 8098) */
	NOTICE_ARF,       /* abuse report (RFC 5965) */
	NOTICE_DMARC,     /* aggregate report of DMARC or TLS */
	NOTICE_KINDS
};
/* "dsn", "delay", ...; "none" for NOTICE_NONE. */
struct str notice_kind_name(enum notice_kind kind);
MUST_CHECK bool notice_kind_parse(struct str name, enum notice_kind *ret);

/* A delivery report: dsn, delay, quota, mailbox, reject. */
bool notice_kind_is_delivery(enum notice_kind kind);
/*
 * It answers the sender of a message.  Not so NOTICE_NONE, and reports that the
 * addressee has asked for: arf, dmarc.
 */
bool notice_kind_is_answer(enum notice_kind kind);

struct notice_form {
	enum notice_kind kind;
	/*
	 * What decided, for people: "multipart/report delivery-status, Action:
	 * failed", "Subject: Undelivered Mail Returned to Sender; body: ...".
	 * Bytes of the mail are in it as they are, at most 200.  Empty for
	 * NOTICE_NONE.
	 */
	struct str evidence;
	/* The message says that a program has written it in answer to another,
	 * or comes as only mail systems send, whatever its words are. */
	bool is_automatic;
	bool has_report; /* an abuse, DMARC or TLS report is attached */
	bool is_script;  /* it names the script that wrote it */
};

/*
 * Classify `m`.  m->envelope may be NULL (then a Return-Path field may stand in
 * for the sender).  Bounded: looks at the header, at the structure and at the
 * first 64 KB of text; the text only if the header or structure make a notice
 * likely.  Lives in m->arena.
 */
struct notice_form notice_form_of(struct message *m);

/*
 * What the words of `m` alone speak for, though no mark says that a machine has
 * written it: good enough only where something else says that it is an answer
 * (origin.h).  A stranger who chose the Subject cannot lower it.  Renders the
 * text.
 */
enum notice_kind notice_kind_likely(struct message *m);

#endif
