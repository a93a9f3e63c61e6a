/* SPDX-License-Identifier: BSD-2-Clause */
/* alert_sink -- an alert in words and as JSON, and the ways it goes out. */
#ifndef SESSION_ALERT_SINK_H
#define SESSION_ALERT_SINK_H

#include "base/json.h"
#include "session/alert_group.h"
#include "session/config.h"

struct arena;
struct release;

/* One alert that is due. */
struct alert {
	enum alert_event event;
	struct str host;
	int64_t now_wall;
	const struct alert_item *items;
	size_t n;
	uint64_t count, more; /* see struct alert_group */
	uint64_t lost;        /* events there was no room for */
	int cancel; /* when it can be read programs are killed; -1: none */
};

/* "3 senders had mail held for the first time: alice, bob, <carol@x.example>"
 */
struct str alert_title(struct arena *a, const struct alert *alert);
/* Lines for people. */
struct str alert_body(struct arena *a, const struct alert *alert);
/* event, host, time, count, more, lost, text, items: key, detail, count, first,
 * last.  The caller's reference. */
json_t *alert_json(const struct alert *alert);

/*
 * Send it by each way that the configuration names for this event; waits for
 * them.  Returns how many failed; why is logged.
 */
unsigned alert_send(struct arena *a, const struct config *config,
    struct release *release, const struct alert *alert);

#endif
