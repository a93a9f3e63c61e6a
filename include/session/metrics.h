/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics -- what posternd counts while it works: messages, hits, times,
 * senders.  No lock is held for longer than it takes to count; what is shown of
 * it is status.h's.
 */
#ifndef SESSION_METRICS_H
#define SESSION_METRICS_H

#include "base/heavy.h"
#include "base/histogram.h"
#include "base/tally.h"
#include "rules/ruleset.h"
#include "session/verdict.h"

/* Senders are ranked by about their last so many milliseconds. */
#define METRICS_WINDOW_MS (5 * 60 * 1000)

/* What struct heavy counts of a sender. */
enum metrics_sender {
	SENDER_MESSAGES,
	SENDER_STOPPED, /* neither accepted nor tagged */
	SENDER_RCPTS
};

/* Macros that an MTA gives for each message. */
enum metrics_macro {
	MACRO_QUEUE_ID,
	MACRO_HOST,
	MACRO_DAEMON,
	MACRO_VERSION,
	MACRO_COUNT
};
/* As the protocol writes it: "i", "{daemon_name}". */
const char *metrics_macro_name(enum metrics_macro macro);

struct metrics {
	int64_t start_wall;
	_Atomic uint64_t connections;
	_Atomic unsigned connections_open;
	_Atomic uint64_t actions[CLASS_COUNT][ACTION_COUNT];
	/* with observe: what would have been done, where it differs */
	_Atomic uint64_t would[CLASS_COUNT][ACTION_COUNT];
	_Atomic uint64_t recipients, bytes;
	_Atomic uint64_t released; /* by an operator */
	_Atomic uint64_t letters;  /* of our own to the admin */
	_Atomic uint64_t reloads, reloads_refused;
	_Atomic uint64_t quarantine_errors;
	_Atomic uint64_t macros_missing[MACRO_COUNT]; /* messages without it */
	struct histogram verdict; /* end of message to verdict */
	struct histogram answer;  /* end of message to the answer's end */
	struct tally *rules;      /* messages by scored rule */
	struct heavy *senders;    /* of what is filtered */
};

struct metrics *metrics_new(void);
/* NULL is fine. */
void metrics_free(struct metrics *m);

/* A message that was decided. */
struct metrics_message {
	const struct envelope *envelope;
	const struct verdict *verdict;
	const struct rule_hits *hits; /* NULL: no rules were run */
	uint64_t size_bytes;
	bool is_released, is_letter;
	int64_t verdict_us; /* since its end came */
};
void metrics_count(struct metrics *m, const struct metrics_message *message);

/* A message came without this macro. */
void metrics_macro_missing(struct metrics *m, enum metrics_macro macro);

/* Who sends: the login, else the envelope sender in < >, which is written to
 * `room`. */
struct str metrics_sender(
    const struct envelope *envelope, char room[HEAVY_KEY_BYTES]);

#endif
