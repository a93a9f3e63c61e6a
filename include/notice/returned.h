/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * returned -- what a notice tells of the message it answers: its Message-ID,
 * the header or all of it, the recipients that failed.  All of that may be a
 * stranger's text; what of it is to be believed is origin.h's.
 */
#ifndef NOTICE_RETURNED_H
#define NOTICE_RETURNED_H

#include "auth/dkim_mail.h"
#include "mail/received.h"
#include "notice/kind.h"

#define RETURNED_IDS_MAX 10
#define RETURNED_RCPT_MAX 20
#define RETURNED_RECEIVED_MAX 50

/* How the original lies in the notice: what an outsider can put there. */
enum returned_form {
	RETURNED_NONE,  /* it does not */
	RETURNED_TEXT,  /* in the text, as qmail, Exim and others do */
	RETURNED_PART,  /* a message/rfc822 or text/rfc822-headers part
			   somewhere */
	RETURNED_REPORT /* the third part of a multipart/report that is the
			   notice itself (RFC 6522) */
};

struct returned {
	enum returned_form form;
	bool is_whole; /* body and all, so its signatures can be verified */
	/* Header, and body if `is_whole`; \n line ends. */
	struct dkim_mail mail;
	/* Return-Path field of the original, without < >. */
	bool has_return_path;
	struct str return_path;
	/* Received fields of the original, topmost first; those without "by"
	 * are there too, with an empty `by`. */
	struct received received[RETURNED_RECEIVED_MAX];
	/* The index of each in mail.v. */
	size_t received_at[RETURNED_RECEIVED_MAX];
	size_t nreceived;
	/*
	 * Message-IDs (msgid.h) that the notice may answer, each once.  The
	 * first `nsure` are what it says itself: of the original in a report,
	 * Original-Message-ID, In-Reply-To.  Those behind may be from a
	 * stranger's text: of an original that is only quoted, and the last
	 * ones of References.
	 */
	struct str ids[RETURNED_IDS_MAX];
	size_t nids, nsure;
	/* Recipients it speaks of: Original-Recipient, Final-Recipient,
	 * X-Failed-Recipients. */
	struct str rcpt[RETURNED_RCPT_MAX];
	size_t nrcpt;
	/* Queue id under which our MTA had the original (X-Postfix-Queue-ID of
	 * the delivery report); empty: not told. */
	struct str queue_id;
	struct str status; /* "5.1.1": the first one of the report; empty */
	/* The original was itself a notice: null Return-Path, Auto-Submitted
	 * other than no, a multipart/report, or from a mailer-daemon. */
	bool is_notice;
};

/*
 * Read what `m` returns.  Bounded as the message is; never fails.  Texts live
 * in m->arena or in the message.
 */
void returned_read(struct message *m, struct returned *ret);

#endif
