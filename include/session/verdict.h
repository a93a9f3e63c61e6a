/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict -- from class, score and trouble to exactly one action.  Pure. */
#ifndef SESSION_VERDICT_H
#define SESSION_VERDICT_H

#include "notice/gate.h"
#include "session/config.h"

enum action {
	ACTION_ACCEPT,
	ACTION_TAG,    /* accept with X-Postern headers */
	ACTION_DEFER,  /* 4xx */
	ACTION_HOLD,   /* kept back; the client sees success */
	ACTION_REJECT, /* 5xx */
	ACTION_DISCARD,
	ACTION_COUNT
};

struct str action_name(enum action action);

struct verdict_input {
	enum mail_class class;
	double score;
	bool can_refuse; /* class_can_refuse() */
	bool is_out_of_time;
	bool is_error;   /* could not be scanned */
	bool is_hostile; /* because of what the client did to its header */
	enum notice_permit permit; /* PERMIT_PASS for what is no notice */
	const char *permit_reason;
};

struct verdict {
	enum action action; /* what is done */
	enum action would;  /* what would be done without observe */
	double threshold;   /* that was passed; 0: none */
	/* "score", "timeout", "error", "header", "", or that of the ruling */
	const char *reason;
};

struct verdict verdict_of(
    const struct config *config, const struct verdict_input *input);

#endif
