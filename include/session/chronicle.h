/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chronicle -- what the history keeps of a message and its verdict: the log
 * line, and what an operator asks beyond it.
 */
#ifndef SESSION_CHRONICLE_H
#define SESSION_CHRONICLE_H

#include "hold/mac.h"
#include "session/report.h"
#include "state/history.h"

/* Where a message went when it was answered. */
enum mail_place {
	PLACE_MTA,        /* it leaves */
	PLACE_CLIENT,     /* which keeps it, or has it back */
	PLACE_QUARANTINE, /* its folder held */
	PLACE_DISCARDED,  /* its folder discarded */
	PLACE_MTA_HOLD,   /* the MTA's own hold queue */
	PLACE_NOWHERE,    /* it was dropped: there was no room to keep it */
	PLACE_COUNT
};
struct str mail_place_name(enum mail_place place);
MUST_CHECK bool mail_place_parse(struct str name, enum mail_place *ret);

struct chronicle {
	const struct report *report;
	enum mail_place place;
	struct str reason;     /* of the verdict, or of the notice's ruling */
	struct str message_id; /* without < >; empty: none */
	struct str subject;    /* decoded; empty: not looked at */
	bool can_refuse, is_observed;
	bool is_released; /* by an operator */
	bool is_letter;   /* of our own to the admin */
};

/*
 * Tell `memory`, if it keeps a history.  `key` not NULL: people are not named,
 * and what quotes the message is left out (pseudonym.h).
 */
void chronicle_tell(struct arena *a, struct memory *memory,
    const struct mac_key *key, const struct chronicle *chronicle);

/* What can be done to a kept message: "released", "released-part" (to some of
 * its recipients), "deleted", "purged". */
bool chronicle_event_is_valid(struct str verb);
/* The i-th of them; empty: there are no more. */
struct str chronicle_event_name(size_t i);
/* An operator, `by`, did so. */
void chronicle_tell_event(
    struct memory *memory, struct str id, struct str verb, struct str by);

#endif
