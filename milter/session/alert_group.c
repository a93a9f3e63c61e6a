/* SPDX-License-Identifier: BSD-2-Clause */
/* alert_group -- what has happened of one kind, gathered until it is told. */
#include "session/alert_group.h"

#include "base/table.h"

static void
text_set(struct alert_text *t, struct str s, size_t max)
{
	t->len = s.len < max ? s.len : max;
	memcpy(t->bytes, s.p, t->len);
}

/* `n`: it is not there. */
static size_t
item_find(const struct alert_group *g, struct str key)
{
	size_t i = 0;
	key = str_sub(key, 0, ALERT_KEY_BYTES);
	while (i < g->n && !str_eq(alert_text_str(&g->items[i].key), key))
		i++;
	return i;
}

static uint64_t
hash_of(struct str key)
{
	return table_hash(str_sub(key, 0, ALERT_KEY_BYTES), false) | 1;
}

/* When `key` may be told: after the delay, or when its quiet time is over. */
static int64_t
due_of(const struct alert_group *g, const struct alert_pace *pace,
    struct str key, int64_t now_ms)
{
	uint64_t hash = hash_of(key);
	int64_t due = now_ms + pace->delay_ms;
	for (size_t i = 0; i < ALERT_TOLD; i++) {
		int64_t quiet_until = g->told[i].at_ms + pace->every_ms;
		if (g->told[i].hash == hash && quiet_until > due)
			due = quiet_until;
	}
	return due;
}

static struct alert_item *
item_new(struct alert_group *g, const struct alert_pace *pace, struct str key,
    int64_t now_ms, int64_t now_wall)
{
	if (g->n == ALERT_ITEMS)
		return NULL;
	struct alert_item *item = &g->items[g->n++];
	*item = (struct alert_item){.first_wall = now_wall};
	text_set(&item->key, key, ALERT_KEY_BYTES);
	item->due_ms = due_of(g, pace, key, now_ms);
	return item;
}

void
alert_group_add(struct alert_group *g, const struct alert_pace *pace,
    struct str key, struct str detail, int64_t now_ms, int64_t now_wall)
{
	size_t at = item_find(g, key);
	struct alert_item *item =
	    at < g->n ? &g->items[at]
		      : item_new(g, pace, key, now_ms, now_wall);
	g->count++;
	if (item == NULL) {
		g->more++;
		return;
	}
	item->count++;
	item->last_wall = now_wall;
	text_set(&item->detail, detail, ALERT_DETAIL_BYTES);
}

bool
alert_group_has(const struct alert_group *g, struct str key)
{
	return item_find(g, key) < g->n;
}

int64_t
alert_group_due(const struct alert_group *g)
{
	int64_t due = INT64_MAX;
	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].due_ms < due)
			due = g->items[i].due_ms;
	if (due != INT64_MAX && g->has_told && due < g->last_ms + g->gap_ms)
		due = g->last_ms + g->gap_ms;
	return due;
}

static void
told_add(struct alert_group *g, struct str key, int64_t now_ms)
{
	uint64_t hash = hash_of(key);
	size_t at = g->next_told;
	for (size_t i = 0; i < ALERT_TOLD; i++)
		if (g->told[i].hash == hash)
			at = i;
	if (at == g->next_told)
		g->next_told = (g->next_told + 1) % ALERT_TOLD;
	g->told[at].hash = hash;
	g->told[at].at_ms = now_ms;
}

/* Twice as far from the last one each time, until it was quiet for long. */
static void
gap_turn(struct alert_group *g, const struct alert_pace *pace, int64_t now_ms)
{
	bool was_quiet =
	    !g->has_told || now_ms - g->last_ms >= 2 * pace->every_ms;
	int64_t gap = was_quiet ? pace->delay_ms : g->gap_ms * 2;
	if (gap < 1000)
		gap = 1000;
	g->gap_ms = gap < pace->every_ms ? gap : pace->every_ms;
	g->last_ms = now_ms;
	g->has_told = true;
}

static int
item_cmp(const void *a, const void *b)
{
	const struct alert_item *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return str_cmp(alert_text_str(&x->key), alert_text_str(&y->key));
}

size_t
alert_group_take(struct alert_group *g, const struct alert_pace *pace,
    int64_t now_ms, struct alert_item *ret_items, uint64_t *ret_count,
    uint64_t *ret_more)
{
	size_t n = g->n;
	memcpy(ret_items, g->items, n * sizeof(ret_items[0]));
	qsort(ret_items, n, sizeof(ret_items[0]), item_cmp);
	for (size_t i = 0; i < n; i++)
		told_add(g, alert_text_str(&g->items[i].key), now_ms);
	*ret_count = g->count;
	*ret_more = g->more;
	g->n = 0;
	g->count = g->more = 0;
	gap_turn(g, pace, now_ms);
	return n;
}
