/* SPDX-License-Identifier: BSD-2-Clause */
/* digest_text -- what came into the quarantine in a time, by sender. */
#include "cmd/held/digest_text.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/table.h"
#include "cmd/held/held_output.h"
#include "cmd/history/reason.h"
#include "hold/letter.h"

#define SENDERS_MAX 200 /* that are told apart */
#define ITEMS_MAX 20    /* messages that are shown of one sender */
#define SENDER_BYTES 200
#define FIELD_BYTES 100
#define DISCARDS_MAX 16 /* reasons that discard, and one more, are fewer */
#define TEXT_MAX ((size_t)8 << 20)

struct item {
	struct str id, rcpt, subject;
	int64_t wall;
	double score;
	size_t nrcpt;
	bool is_whole;
};

struct sender {
	struct str name;
	uint64_t n, bytes;
	double score_min, score_max;
	struct item items[ITEMS_MAX];
	size_t nitems;
};

/* Discarded notices, by reason. */
struct discard {
	const char *name, *words; /* of reason.h, or "other" */
	uint64_t n;
};

struct digest_page {
	struct arena *arena;
	struct str host;
	int64_t since, until;
	struct table *by_name;
	struct {
		struct sender **v;
		size_t n, cap;
	} senders;
	uint64_t held, rest; /* of senders there is no room for */
	uint64_t discarded;
	struct discard discards[DISCARDS_MAX];
	size_t ndiscards;
};

struct digest_page *
digest_page_new(
    struct arena *a, struct str host, int64_t since_wall, int64_t until_wall)
{
	struct digest_page *page = ARENA_NEW(a, struct digest_page);
	page->arena = a;
	page->host = host;
	page->since = since_wall;
	page->until = until_wall;
	page->by_name = table_new(a, false);
	return page;
}

/* The login, else the envelope sender in < >; no printf, as a NUL may be in it.
 */
static struct str
name_of(struct arena *a, const struct held *held)
{
	struct buf *b = buf_new(a, SENDER_BYTES + 2);
	if (held->envelope.login.len > 0)
		return str_sub(held->envelope.login, 0, SENDER_BYTES);
	buf_putc(b, '<');
	buf_put(b, str_sub(held->envelope.from, 0, SENDER_BYTES));
	buf_putc(b, '>');
	return buf_str(b);
}

static struct sender *
sender_get(struct digest_page *page, const struct held *held)
{
	struct arena *a = arena_new();
	struct str name = name_of(a, held);
	struct sender *s = table_get(page->by_name, name);
	if (s == NULL && page->senders.n < SENDERS_MAX) {
		s = ARENA_NEW(page->arena, struct sender);
		s->name = str_dup(page->arena, name);
		s->score_min = s->score_max = held->score;
		table_set(page->by_name, s->name, s);
		ARENA_PUSH(page->arena, &page->senders) = s;
	}
	arena_free(a);
	return s;
}

static void
item_add(struct arena *a, struct sender *s, const struct held_entry *entry)
{
	const struct held *h = &entry->held;
	if (s->nitems == ITEMS_MAX)
		return;
	struct str rcpt =
	    h->envelope.rcpt.n == 0 ? STR_EMPTY : h->envelope.rcpt.v[0];
	s->items[s->nitems++] = (struct item){
	    .id = str_dup(a, h->id),
	    .rcpt = str_dup(a, str_sub(rcpt, 0, FIELD_BYTES)),
	    .subject = str_dup(a, str_sub(h->subject, 0, FIELD_BYTES)),
	    .wall = h->time_wall,
	    .score = h->score,
	    .nrcpt = h->envelope.rcpt.n,
	    .is_whole = held_is_whole(entry),
	};
}

/* "forged: the ledger ...": the word before the evidence. */
static const struct reason *
discard_reason(struct str reason)
{
	static const struct reason other = {
	    .name = "other", .discarded = "for another reason"};
	const struct reason *known =
	    reason_find(str_sub(reason, 0, str_chr(reason, ':')));
	return known != NULL && known->discarded != NULL ? known : &other;
}

static void
discard_add(struct digest_page *page, struct str reason)
{
	const struct reason *why = discard_reason(reason);
	size_t i = 0;
	page->discarded++;
	while (i < page->ndiscards && page->discards[i].name != why->name)
		i++;
	if (i == DISCARDS_MAX)
		return;
	if (i == page->ndiscards)
		page->discards[page->ndiscards++] = (struct discard){
		    .name = why->name, .words = why->discarded};
	page->discards[i].n++;
}

void
digest_page_add(struct digest_page *page, const struct held_entry *entry)
{
	const struct held *h = &entry->held;
	if (entry->state == HELD_FOREIGN || !held_id_is_valid(h->id) ||
	    h->time_wall <= page->since || h->time_wall > page->until)
		return;
	if (h->folder != FOLDER_HELD) {
		discard_add(page, h->reason);
		return;
	}
	page->held++;
	struct sender *s = sender_get(page, h);
	if (s == NULL) {
		page->rest++;
		return;
	}
	s->n++;
	s->bytes += entry->file_bytes;
	if (h->score < s->score_min)
		s->score_min = h->score;
	if (h->score > s->score_max)
		s->score_max = h->score;
	item_add(page->arena, s, entry);
}

uint64_t
digest_page_held(const struct digest_page *page)
{
	return page->held;
}

/* Who has most first. */
static int
sender_cmp(const void *a, const void *b)
{
	const struct sender *const *x = a, *const *y = b;
	if ((*x)->n != (*y)->n)
		return (*x)->n < (*y)->n ? 1 : -1;
	return str_cmp((*x)->name, (*y)->name);
}

static void
senders_sort(struct digest_page *page)
{
	if (page->senders.n > 0)
		qsort(page->senders.v, page->senders.n,
		    sizeof(page->senders.v[0]), sender_cmp);
}

struct str
digest_page_title(struct arena *a, const struct digest_page *page)
{
	return str_printf(a, "%llu %s of %zu%s %s held",
	    (unsigned long long)page->held,
	    page->held == 1 ? "message" : "messages", page->senders.n,
	    page->rest > 0         ? " and more senders"
	    : page->senders.n == 1 ? " sender"
				   : " senders",
	    page->held == 1 ? "is" : "are");
}

static void
put_item(struct arena *a, struct buf *b, const struct item *item, int64_t now)
{
	buf_printf(b, "  %.*s  score %.4g  %.*s ago  to <", STR_ARG(item->id),
	    item->score, STR_ARG(held_age_text(a, now - item->wall)));
	letter_put(b, item->rcpt);
	buf_putc(b, '>');
	if (item->nrcpt > 1)
		buf_printf(b, " and %zu more", item->nrcpt - 1);
	if (!item->is_whole)
		buf_put(b, STR("  (changed since it was stored)"));
	buf_put(b, STR("\n    "));
	letter_put(b, item->subject);
	buf_putc(b, '\n');
}

/* Ids only: nothing of a sender's may stand in a line that is pasted. */
static void
put_commands(struct buf *b, const struct sender *s)
{
	buf_put(b, STR("  Let them go:\n    postern quarantine release"));
	for (size_t i = 0; i < s->nitems; i++)
		buf_printf(b, " %.*s", STR_ARG(s->items[i].id));
	buf_printf(b,
	    "\n  Look at one first:\n    postern quarantine show %.*s\n",
	    STR_ARG(s->items[0].id));
}

static void
put_sender(struct arena *a, struct buf *b, const struct sender *s, int64_t now)
{
	buf_putc(b, '\n');
	letter_put(b, s->name);
	buf_printf(b, ": %llu %s, %.*s, score %.4g", (unsigned long long)s->n,
	    s->n == 1 ? "message" : "messages",
	    STR_ARG(held_size_text(a, s->bytes)), s->score_min);
	if (s->score_max > s->score_min)
		buf_printf(b, " to %.4g", s->score_max);
	buf_putc(b, '\n');
	for (size_t i = 0; i < s->nitems; i++)
		put_item(a, b, &s->items[i], now);
	if (s->n > s->nitems)
		buf_printf(b, "  and %llu more\n",
		    (unsigned long long)(s->n - s->nitems));
	put_commands(b, s);
}

/* Reasons with the same words are one line. */
static void
put_discards(struct buf *b, const struct digest_page *page)
{
	for (size_t i = 0; i < page->ndiscards; i++) {
		const char *words = page->discards[i].words;
		uint64_t n = 0;
		bool is_told = false;
		for (size_t k = 0; k < page->ndiscards; k++) {
			bool is_same =
			    strcmp(page->discards[k].words, words) == 0;
			is_told = is_told || (is_same && k < i);
			n += is_same ? page->discards[k].n : 0;
		}
		if (!is_told)
			buf_printf(
			    b, "  %llu %s\n", (unsigned long long)n, words);
	}
}

static void
put_discarded(struct buf *b, const struct digest_page *page)
{
	buf_printf(b, "\n%llu %s discarded:\n",
	    (unsigned long long)page->discarded,
	    page->discarded == 1 ? "notice was" : "notices were");
	put_discards(b, page);
	buf_put(b, STR("  Look at them:\n"
		       "    postern quarantine list --folder discarded\n"));
}

struct str
digest_page_text(struct arena *a, struct digest_page *page)
{
	char since[CLOCK_STAMP], until[CLOCK_STAMP];
	struct buf *b = buf_new(a, TEXT_MAX);
	clock_stamp(page->since, since);
	clock_stamp(page->until, until);
	buf_printf(b, "%.*s: %.*s since %s, until %s.\n", STR_ARG(page->host),
	    STR_ARG(digest_page_title(a, page)), since, until);
	senders_sort(page);
	for (size_t i = 0; i < page->senders.n; i++)
		put_sender(a, b, page->senders.v[i], page->until);
	if (page->rest > 0)
		buf_printf(b, "\nand %llu messages of other senders\n",
		    (unsigned long long)page->rest);
	if (page->discarded > 0)
		put_discarded(b, page);
	buf_put(b, STR("\nAll that is held:\n    postern quarantine list\n"));
	return buf_str(b);
}

/* ---- JSON */

static json_t *
time_json(int64_t wall)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(wall, stamp);
	return json_string(stamp);
}

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static json_t *
item_json(const struct item *item)
{
	json_t *o = json_object();
	put(o, "id", json_text(item->id));
	put(o, "time", time_json(item->wall));
	put(o, "score", json_real(item->score));
	put(o, "to", json_text(item->rcpt));
	put(o, "nrcpt", json_integer((json_int_t)item->nrcpt));
	put(o, "subject", json_text(item->subject));
	put(o, "sound", json_boolean(item->is_whole));
	return o;
}

static json_t *
sender_json(const struct sender *s)
{
	json_t *o = json_object(), *items = json_array();
	put(o, "sender", json_text(s->name));
	put(o, "messages", json_integer((json_int_t)s->n));
	put(o, "bytes", json_integer((json_int_t)s->bytes));
	put(o, "score_min", json_real(s->score_min));
	put(o, "score_max", json_real(s->score_max));
	for (size_t i = 0; i < s->nitems; i++)
		(void)json_array_append_new(items, item_json(&s->items[i]));
	put(o, "items", items);
	return o;
}

json_t *
digest_page_json(struct digest_page *page)
{
	json_t *o = json_object(), *senders = json_array();
	json_t *reasons = json_object();
	senders_sort(page);
	put(o, "host", json_text(page->host));
	put(o, "since", time_json(page->since));
	put(o, "until", time_json(page->until));
	put(o, "held", json_integer((json_int_t)page->held));
	put(o, "discarded", json_integer((json_int_t)page->discarded));
	for (size_t i = 0; i < page->ndiscards; i++)
		put(reasons, page->discards[i].name,
		    json_integer((json_int_t)page->discards[i].n));
	put(o, "discarded_for", reasons);
	for (size_t i = 0; i < page->senders.n; i++)
		(void)json_array_append_new(
		    senders, sender_json(page->senders.v[i]));
	put(o, "senders", senders);
	put(o, "more", json_integer((json_int_t)page->rest));
	return o;
}
