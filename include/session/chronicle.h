/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chronicle -- what the history keeps of a message and its verdict: the log
 * line, and what an operator asks beyond it.
 */
#ifndef SESSION_CHRONICLE_H
#define SESSION_CHRONICLE_H

#include "hold/release.h"
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

/* The key of pseudonyms, if history-addresses asks for them; else NULL. */
const struct mac_key *chronicle_key(
    const struct config *config, struct release *release);

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

/* What an operator did to a kept message, with what its file said of it. */
struct chronicle_event {
	struct str verb, id;
	struct str by; /* who did it */
	struct str sender, login, subject;
	struct strs rcpt; /* at most HISTORY_RCPT_MAX */
	uint32_t nrcpt;   /* all of them; 0: nothing is known of the message */
};
/* One line of JSON without its end, for the control socket. */
struct str chronicle_event_text(
    struct arena *a, const struct chronicle_event *event);
#define CHRONICLE_EVENT_MAX ((size_t)64 << 10) /* bytes of that */
/* Texts of `*ret` live in `a`.  False: it is no event. */
MUST_CHECK bool chronicle_event_parse(
    struct arena *a, struct str text, struct chronicle_event *ret);
/* `key` as of chronicle_tell(). */
void chronicle_tell_event(struct arena *a, struct memory *memory,
    const struct mac_key *key, const struct chronicle_event *event);

#endif
