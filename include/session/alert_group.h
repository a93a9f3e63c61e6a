/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alert_group -- what has happened of one kind, gathered until it is told: one
 * alert tells of 37 holds.  A key that was told is quiet for a while; the more
 * alerts there are, the further apart they are.  Bounded; knows no clock; for
 * one thread.
 */
#ifndef SESSION_ALERT_GROUP_H
#define SESSION_ALERT_GROUP_H

#include "base/str.h"

#define ALERT_KEY_BYTES 96 /* of a key and of a detail; the rest is cut */
#define ALERT_DETAIL_BYTES 200
#define ALERT_ITEMS 50 /* keys that one alert names; the others are counted */
#define ALERT_TOLD 256 /* keys that are known to have been told */

/* A text of its own. */
struct alert_text {
	char bytes[ALERT_DETAIL_BYTES];
	size_t len;
};

/* One key, and how often. */
struct alert_item {
	struct alert_text key, detail; /* the detail of the last time */
	uint64_t count;
	int64_t first_wall, last_wall;
	int64_t due_ms;
};

struct alert_group {
	struct alert_item items[ALERT_ITEMS];
	size_t n;
	uint64_t count; /* in all, also of keys that are not in `items` */
	uint64_t more;  /* of those; each may be counted several times */
	struct {
		uint64_t hash;
		int64_t at_ms;
	} told[ALERT_TOLD]; /* hash 0: empty */
	size_t next_told;
	int64_t last_ms; /* of the last alert; see `has_told` */
	int64_t gap_ms;  /* the next one is at least so much later */
	bool has_told;
};

/* How alerts are spaced. */
struct alert_pace {
	int64_t delay_ms; /* how long what comes first waits for more */
	/* How long a key that was told is quiet; the longest gap, too. */
	int64_t every_ms;
};

/* It has happened once more. */
void alert_group_add(struct alert_group *g, const struct alert_pace *pace,
    struct str key, struct str detail, int64_t now_ms, int64_t now_wall);
/* Is `key` among what waits to be told? */
bool alert_group_has(const struct alert_group *g, struct str key);
/* When it is to be told, as clock_ms(); INT64_MAX: there is nothing. */
int64_t alert_group_due(const struct alert_group *g);
/*
 * Tell it now: `*ret_items` (room for ALERT_ITEMS) is what waited, those with
 * most first; returns how many.  `*ret_count` and `*ret_more` are the group's.
 */
size_t alert_group_take(struct alert_group *g, const struct alert_pace *pace,
    int64_t now_ms, struct alert_item *ret_items, uint64_t *ret_count,
    uint64_t *ret_more);

static inline struct str
alert_text_str(const struct alert_text *t)
{
	return str_of(t->bytes, t->len);
}

#endif
