/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inject -- hand a message to the MTA of this host, by its sendmail(1) or over
 * SMTP.  What is sent and what becomes of the kept file is reinject.h's.
 */
#ifndef HOLD_INJECT_H
#define HOLD_INJECT_H

#include "base/str.h"

struct arena;

struct injection {
	/*
	 * "smtp:host:port" ("smtp:[::1]:port"), or a command: an absolute path
	 * and words behind it, separated by blanks.  No shell reads it.
	 */
	struct str via;
	struct str from;         /* without < >; empty: the null sender */
	const struct strs *rcpt; /* without < > */
	struct str text;         /* header, empty line, body; any line ends */
};

enum inject_status {
	INJECT_OK,      /* the MTA has it, for all recipients */
	INJECT_PART,    /* for some: the others are refusals */
	INJECT_REFUSED, /* it does not want it */
	INJECT_TEMP,    /* not now, or cannot be reached */
	INJECT_UNKNOWN, /* sent, but no answer came: it may have it */
	INJECT_INVALID  /* `via` or the sender cannot be used; nothing was tried
			 */
};

struct refusal {
	struct str rcpt;
	struct str reply; /* the MTA's words; from outside */
};

struct inject_result {
	struct {
		struct refusal *v;
		size_t n, cap;
	} refusals;
	struct str reply; /* the last words of the MTA or of us */
};

/*
 * At most this many recipients, and bytes of them, in one injection: what a
 * command line takes and RFC 5321 section 4.5.3.1.8 promises.
 */
#define INJECT_RCPT_MAX 100
#define INJECT_RCPT_BYTES ((size_t)64 * 1024)

/* Texts in `*ret` live in `a`. */
MUST_CHECK enum inject_status inject(
    struct arena *a, const struct injection *in, struct inject_result *ret);

/* `via` has the right form; false: `*ret_why` in words, of static storage. */
MUST_CHECK bool inject_via_has_form(struct str via, struct str *ret_why);
/* The same, and if it is a command its program can be run; `*ret_why` may be
 * in `a`. */
MUST_CHECK bool inject_via_check(
    struct arena *a, struct str via, struct str *ret_why);
bool inject_via_is_smtp(struct str via);

/*
 * An address that stands for one mailbox wherever it is read: no control
 * characters, and outside of quotes and [literals] none of blank ( ) < > , ; :
 */
bool inject_address_is_safe(struct str address);

#endif
