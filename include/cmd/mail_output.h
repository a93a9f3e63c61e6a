/* SPDX-License-Identifier: BSD-2-Clause */
/* mail_output -- what commands show alike of a message that is kept, remembered
 * or told of in the history. */
#ifndef CMD_MAIL_OUTPUT_H
#define CMD_MAIL_OUTPUT_H

#include "base/json.h"
#include "cmd/ui.h"
#include "mail/hit.h"

struct arena;

/* "<a@b.example>"; with `more` recipients "<a@b.example> +2". */
struct str mail_path_text(struct arena *a, struct str path, size_t more);
/* The first of `n` recipients, of which there are `all`; empty: there is none.
 */
struct str mail_rcpt_text(
    struct arena *a, const struct str *rcpt, size_t n, size_t all);
/* "2026-11-30T10:00:00Z"; "11-30 10:00:00" on a terminal, whose lines are
 * short.  Both are UTC. */
struct str mail_time_text(struct arena *a, const struct ui *ui, int64_t wall);
/* The list "hits": rule, score, count and evidence of each. */
json_t *mail_hits_json(const struct mail_hit *hits, size_t n);

#endif
