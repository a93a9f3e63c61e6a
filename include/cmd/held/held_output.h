/* SPDX-License-Identifier: BSD-2-Clause */
/* held_output -- a kept message as a table row, a page, a JSON object. */
#ifndef CMD_HELD_OUTPUT_H
#define CMD_HELD_OUTPUT_H

#include "base/json.h"
#include "cmd/ui.h"
#include "hold/quarantine.h"

/* "45s", "12m", "3h", "5d" */
struct str held_age_text(struct arena *a, int64_t seconds);
/* "512B", "18K", "1.2G" */
struct str held_size_text(struct arena *a, uint64_t bytes);
/* The id; a file that has none is called by its name. */
struct str held_entry_name(const struct held_entry *e);
/* Nothing speaks against what the file says. */
bool held_is_whole(const struct held_entry *e);

/* The keys that every line about a message has; `now` is s since 1970. */
json_t *held_json(const struct held_entry *e, int64_t now);
/* All that is known of it, into `o`. */
void held_json_details(json_t *o, const struct held_entry *e);

/* A table of messages; `is_long`: with more columns. */
struct ui_table *held_table_new(const struct ui *ui, bool is_long);
void held_table_row(
    struct ui_table *t, bool is_long, const struct held_entry *e, int64_t now);

/* The messages whose ids begin with `prefix`, for who has to choose one: a
 * table of id, time, sender and subject. */
void held_choices_show(
    const struct ui *ui, struct quarantine *quarantine, struct str prefix);

/* What is known of it, one line a field. */
void held_show(const struct ui *ui, const struct held_entry *e, int64_t now);
/* At most `max` lines of `text`; says how much is left out. */
void held_show_lines(const struct ui *ui, struct str text, uint64_t max);

#endif
