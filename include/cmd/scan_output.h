/* SPDX-License-Identifier: BSD-2-Clause */
/* scan_output -- one scanned message as a line, an explanation, or JSON. */
#ifndef CMD_SCAN_OUTPUT_H
#define CMD_SCAN_OUTPUT_H

#include "auth/facts.h"
#include "base/buf.h"
#include "cmd/ui.h"
#include "notice/origin.h"
#include "session/scan.h"

struct scan_format {
	struct ui ui;
	bool is_json;
	bool is_explained; /* each hit with score and evidence */
	bool has_subs;     /* sub-rules too */
	bool has_views;    /* the strings that rules saw; JSON */
	struct strs heads; /* with them, what these selectors give */
};

/* Append what is to be printed of one message to `out`. */
void scan_output(const struct scan_format *format, struct arena *a,
    struct str file, const struct envelope *envelope,
    const struct class_config *class, struct scan *scan,
    const struct facts *facts, const struct notice *notice, struct buf *out);
/* A message that could not be read. */
void scan_output_trouble(const struct scan_format *format, struct arena *a,
    struct str file, struct str why, struct buf *out);

#endif
