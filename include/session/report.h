/* SPDX-License-Identifier: BSD-2-Clause */
/* report -- one log line a message, as text or JSON, from one table of keys. */
#ifndef SESSION_REPORT_H
#define SESSION_REPORT_H

#include "auth/facts.h"
#include "base/str.h"
#include "notice/arrival.h"
#include "notice/origin.h"
#include "session/scan.h"

struct history_entry;

/* What one line says. */
struct report {
	const struct envelope *envelope;
	const struct scan *scan;       /* NULL: not scanned */
	const struct facts *facts;     /* NULL: not looked at */
	const struct notice *notice;   /* NULL: the same */
	const struct arrival *arrival; /* of class inbound; NULL: not judged */
	const struct verdict *verdict;
	struct str id;   /* lookup id; empty: none */
	struct str note; /* "released", "error: ...", empty: none */
	uint64_t size_bytes;
};

/* Keys in the order of posternd(8), untrusted values escaped. */
struct str report_text(struct arena *a, const struct report *report);
struct str report_json(struct arena *a, const struct report *report);

/* What of it the history has in the same words. */
void report_history(
    struct arena *a, const struct report *report, struct history_entry *ret);

#endif
