/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks -- what machines put on the mail they write: fields of the header, the
 * sender, the form of the parts.  One pass over the header and one over the
 * tree; no text is decoded but From and Subject.
 */
#ifndef NOTICE_MARKS_H
#define NOTICE_MARKS_H

#include "notice/words.h"

enum notice_mark {
	/* Who sends it */
	MARK_NULL,       /* the null sender */
	MARK_SENDER,     /* envelope sender mailer-daemon, double-bounce */
	MARK_DAEMON,     /* From mailer-daemon@ */
	MARK_NOBODY,     /* an empty From */
	MARK_POSTMASTER, /* From postmaster@, mail-system@ */
	MARK_NAME,       /* From is called "Mail Delivery System" */
	MARK_LISTMASTER, /* From listname-request@, majordomo@ */
	MARK_LISTROBOT,  /* the same, and hardly ever a person's */
	MARK_ROBOT,      /* From noreply@, support@ and their like */
	MARK_SELF,       /* the Subject is the From address itself */
	/* What it says of itself */
	MARK_REPLIED,    /* Auto-Submitted: auto-replied */
	MARK_GENERATED,  /* any other but no */
	MARK_AWAY,       /* Auto-Submitted: ... (vacation) */
	MARK_REJECTED,   /* Auto-Submitted: ... (rejected) */
	MARK_FAILURE,    /* Auto-Submitted: ... (failure) and the like */
	MARK_RECIPIENTS, /* X-Failed-Recipients */
	MARK_AUTOREPLY,  /* X-Autoreply, Precedence: auto_reply, ... */
	MARK_SUPPRESS,   /* X-Auto-Response-Suppress; other mail has it, too */
	MARK_BULK,       /* Precedence: bulk or junk */
	MARK_ADMIN,      /* X-List-Administrivia */
	MARK_SCANNER,    /* X-...-MailScanner: generated */
	MARK_SCRIPT,     /* X-PHP-Originating-Script and the like */
	MARK_EXCHANGE,   /* a report that Exchange has made */
	/* What ordinary mail has */
	MARK_LIST,      /* List-Id, List-Post */
	MARK_POST,      /* List-Post, Precedence: list; a list's own notices
			   may have a List-Id, but none of these */
	MARK_BULLETIN,  /* List-Unsubscribe */
	MARK_ANSWER,    /* In-Reply-To, References */
	MARK_RE,        /* Subject: Re: */
	MARK_FORWARDED, /* Subject: Fwd: */
	/* The form */
	MARK_REPORT,      /* multipart/report */
	MARK_DSN_TYPE,    /* report-type=delivery-status */
	MARK_MDN_TYPE,    /* report-type=disposition-notification */
	MARK_TLS_TYPE,    /* report-type=tlsrpt */
	MARK_STATUS,      /* a delivery-status part with fields */
	MARK_DISPOSITION, /* a disposition-notification part */
	MARK_FEEDBACK,    /* a feedback-report part */
	MARK_RETURNED,    /* a message/rfc822 or text/rfc822-headers part */
	MARK_TNEF,        /* a winmail.dat */
	MARK_AGGREGATE,   /* a DMARC or TLS report as a file */
	NOTICE_MARKS
};
#define MARK_BIT(mark) ((uint64_t)1 << (mark))

struct notice_marks {
	uint64_t set;
	struct notice_tally fields; /* kinds that fields speak for */
	struct notice_tally subject;
	struct str subject_value; /* decoded */
	struct str from;          /* decoded */
	struct part *status;      /* delivery-status part; NULL: none */
};

void notice_marks_of(struct message *m, struct notice_marks *ret);
/* The next part in document order that is not inside an embedded message;
 * NULL: the last. */
struct part *notice_part_next(struct part *part);
/* For the evidence: "From: mailer-daemon"; empty: nothing to say. */
struct str notice_mark_name(enum notice_mark mark);

#endif
