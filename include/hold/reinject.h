/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reinject -- let a kept message go: give it a release (release.h), hand it to
 * the MTA with its own envelope (inject.h), and only then take it out of the
 * quarantine.  Whatever fails, the message is still held.
 */
#ifndef HOLD_REINJECT_H
#define HOLD_REINJECT_H

#include "hold/inject.h"
#include "hold/quarantine.h"
#include "hold/release.h"

struct reinjection {
	struct quarantine *quarantine;
	struct release *release;
	struct str via;  /* see inject.h */
	int64_t valid_s; /* how long the release is good for */
	int wait_ms;     /* wait so long for posternd to see it; 0: do not */
	bool keeps_file; /* leave it in the quarantine */
	bool is_forced;  /* also what was tampered with */
	bool is_dry_run; /* send nothing; REINJECT_OK: it would be tried */
};

enum reinject_status {
	REINJECT_OK,       /* the MTA has it for all recipients */
	REINJECT_PART,     /* for some; the rest are held still */
	REINJECT_FAILED,   /* for none; held as before */
	REINJECT_UNKNOWN,  /* no answer came: held, and perhaps sent as well */
	REINJECT_TAMPERED, /* not tried: changed since it was stored */
	REINJECT_GONE,     /* no longer in the quarantine */
	REINJECT_BUSY      /* another process has it */
};

/* "released", "partly-released", "failed", "unknown", "tampered", "gone",
 * "busy" */
struct str reinject_status_name(enum reinject_status status);

struct reinject_report {
	size_t sent;              /* recipients */
	struct inject_result mta; /* refusals of all batches; last words */
	bool was_seen;            /* posternd met and used every release */
	/* Sent, but the file could not be removed: it is held a second time. */
	bool is_left_over;
};

/* Texts in `*ret` live in `a`. */
MUST_CHECK enum reinject_status reinject(struct arena *a,
    const struct reinjection *how, const struct held_entry *entry,
    struct reinject_report *ret);

/*
 * `raw` with the field RELEASE_HEADER, holding `value`, on top, and without any
 * field of that name it came with; an empty line ends the header.
 */
struct str reinject_text(struct arena *a, struct str raw, struct str value);

#endif
