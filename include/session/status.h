/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status -- what posternd is and has done so far, at one time: for `postern
 * status` and `postern top` as JSON, for Prometheus as text.
 */
#ifndef SESSION_STATUS_H
#define SESSION_STATUS_H

#include "base/json.h"
#include "hold/quarantine.h"
#include "rules/ruleset.h"
#include "session/alerts.h"
#include "session/gate.h"
#include "session/metrics.h"

/* Senders that are told of. */
#define STATUS_SENDERS 50

struct status {
	int64_t now_wall, start_wall, snapshot_wall;
	int64_t now_us; /* clock_us() */
	struct ruleset_counts rules;
	const char *prefilter; /* see filterer_state() */
	bool observe;
	uint64_t connections;
	unsigned connections_open, in_flight;
	uint64_t actions[CLASS_COUNT][ACTION_COUNT];
	uint64_t would[CLASS_COUNT][ACTION_COUNT];
	uint64_t recipients, bytes, released, letters;
	uint64_t reloads, reloads_refused;
	struct histogram_view verdict, answer;
	struct tally_row *hits;
	size_t nhits;
	uint64_t hits_rest; /* of rules there was no room for */
	struct heavy_row *senders;
	size_t nsenders;
	struct resolver_stats dns;
	struct quarantine_stats quarantine;
	uint64_t quarantine_errors;
	uint64_t macros_missing[MACRO_COUNT];
	/* of the file of ledger and history */
	uint64_t ledger_bytes, ledger_max_bytes;
	uint64_t ledger_lost; /* messages that it did not take */
	struct alerts_stats alerts;
	/* of the process */
	uint64_t resident_bytes, open_files;
	double cpu_s;
};

/* Texts in `*ret` live in `a` or as long as `gate`. */
void status_read(struct arena *a, struct gate *gate, const char *prefilter,
    struct status *ret);

/* One object; the caller's reference. */
json_t *status_json(const struct status *status);

/*
 * Prometheus's text format 0.0.4, in `a`: HELP and TYPE for each metric, label
 * values escaped; senders are left out, as their number has no bound.
 */
struct str status_exposition(struct arena *a, const struct status *status);

#endif
