/* SPDX-License-Identifier: BSD-2-Clause */
/* story -- one message of the history in plain words: what came in, what was
 * found, what was decided and why, where it is now, what can be done. */
#ifndef CMD_STORY_H
#define CMD_STORY_H

#include "hold/quarantine.h"
#include "session/config.h"
#include "state/history.h"

enum story_part {
	STORY_CAME,
	STORY_FOUND,
	STORY_DECIDED,
	STORY_NOW,
	STORY_SINCE, /* what happened to it later */
	STORY_NEXT,  /* commands, and what for */
	STORY_PARTS
};
/* "What came in"; "came", as a key of JSON. */
const char *story_title(enum story_part part);
const char *story_key(enum story_part part);

struct story {
	struct strs part[STORY_PARTS]; /* lines; any bytes in them */
};

/* What is known beside the entry itself. */
struct story_source {
	const struct config *config; /* as it is now */
	const struct history_entry *entry;
	/* Entries with the same lookup id that came later, oldest first. */
	const struct history_entry *const *later;
	size_t nlater;
	const struct held *kept; /* in the quarantine now; NULL: it is not */
	enum held_state state;   /* of `kept`, all of it verified */
	bool is_kept_known;      /* the quarantine could be asked */
	int64_t now_wall;
};

/* Lines live in `a`. */
void story_tell(
    struct arena *a, const struct story_source *source, struct story *ret);

#endif
