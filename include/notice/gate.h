/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate -- may a notice leave?  What is genuine may, what is forged may not, and
 * for the rest there are budgets.
 */
#ifndef NOTICE_GATE_H
#define NOTICE_GATE_H

#include "notice/origin.h"

/* Of notices whose origin is not known. */
struct notice_budgets {
	unsigned addressee; /* one addressee and sender, in 24 h */
	unsigned domain;    /* one domain of addressees, in an hour */
	unsigned total;     /* all, in an hour */
};

/* A genuine notice that a stranger could make us repeat: so often in 24 h for
 * one addressee and sender, and for one message. */
#define NOTICE_WEAK_LIMIT 10
#define NOTICE_WEAK_MESSAGE_LIMIT 3

enum notice_permit {
	PERMIT_PASS,
	PERMIT_DISCARD, /* forged, a loop, never answered */
	PERMIT_OVER,    /* a budget is used up */
	PERMIT_HOLD     /* the budgets are not known */
};

struct notice_ruling {
	enum notice_permit permit;
	/* One word for the log, as posternd(8) has them; static. */
	const char *reason;
};

/* Rule on a notice with `is_answer` without any budget; false: one decides. */
MUST_CHECK bool notice_is_ruled(
    const struct notice *notice, struct notice_ruling *ret);

/*
 * The same, with the budgets.  Takes from them if it passes by them: ask once a
 * message, and only when nothing else keeps it back.
 */
struct notice_ruling notice_rule(struct arena *a, const struct notice *notice,
    struct memory *memory, const struct notice_budgets *budgets,
    int64_t now_wall);

#endif
