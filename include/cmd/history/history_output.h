/* SPDX-License-Identifier: BSD-2-Clause */
/* history_output -- entries of the history as a table, lines, JSON, CSV. */
#ifndef CMD_HISTORY_OUTPUT_H
#define CMD_HISTORY_OUTPUT_H

#include "base/json.h"
#include "cmd/ui.h"
#include "state/history.h"

enum history_form {
	HISTORY_AS_TABLE,
	HISTORY_AS_LINES, /* without columns: for who follows */
	HISTORY_AS_JSON,
	HISTORY_AS_CSV /* RFC 4180 */
};

struct history_output {
	struct ui ui;
	enum history_form form;
	struct ui_table *table;
};

/* To standard output; a heading, if the form has one. */
void history_output_begin(struct history_output *out, enum history_form form);
void history_output_put(
    struct history_output *out, const struct history_entry *entry);
void history_output_end(struct history_output *out);

/* "accept", "accept (would hold)" */
struct str history_action_text(struct arena *a, const struct history_entry *e);
/* The same for a column: "would hold" where nothing was changed. */
struct str history_action_brief(struct arena *a, const struct history_entry *e);
/* All that is known, as an object. */
json_t *history_json(const struct history_entry *e);

#endif
