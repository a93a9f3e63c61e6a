/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest_text -- what came into the quarantine in a time, by sender, in words
 * and as JSON.  However much that is, what is kept of it is bounded.
 */
#ifndef CMD_DIGEST_TEXT_H
#define CMD_DIGEST_TEXT_H

#include "base/json.h"
#include "hold/quarantine.h"

struct arena;
struct digest_page;

/* Messages held after `since_wall` and until `until_wall`, s since 1970. */
struct digest_page *digest_page_new(
    struct arena *a, struct str host, int64_t since_wall, int64_t until_wall);
/* Takes what it is about; call it for every entry of every folder. */
void digest_page_add(struct digest_page *page, const struct held_entry *entry);
/* Messages held; discarded ones do not count. */
uint64_t digest_page_held(const struct digest_page *page);

/* "12 messages of 3 senders are held" */
struct str digest_page_title(struct arena *a, const struct digest_page *page);
/* Lines; safe to read, see letter_put(). */
struct str digest_page_text(struct arena *a, struct digest_page *page);
/* The caller's reference. */
json_t *digest_page_json(struct digest_page *page);

#endif
