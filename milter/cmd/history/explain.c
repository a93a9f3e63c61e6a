/* SPDX-License-Identifier: BSD-2-Clause */
/* explain -- what happened to one message, and why. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/held/held_output.h"
#include "cmd/history/history_filter.h"
#include "cmd/history/history_open.h"
#include "cmd/history/history_output.h"
#include "cmd/memory_open.h"
#include "cmd/history/story.h"

#define MATCHES_MAX 100 /* messages that are told */
#define LATER_MAX 1000

/* Entries, newest first. */
struct entries {
	struct history_entry **v;
	size_t n, cap, max;
};

struct explain {
	struct arena *arena;
	struct ui ui;
	bool is_json;
	struct history_desk desk;
	struct history_filter filter;
	struct quarantine *quarantine; /* NULL: it cannot be asked */
	struct entries found, related; /* by the id; by their lookup ids */
	struct entries *into;
	size_t told;
};

/* ---- searching */

static bool
wanted(void *arg, const struct history_entry *entry)
{
	const struct explain *x = arg;
	return history_filter_matches(&x->filter, entry);
}

/* A copy, as what is handed out does not last. */
static bool
keep(void *arg, const struct history_entry *entry)
{
	struct explain *x = arg;
	struct buf *b = buf_new(x->arena, HISTORY_BYTES_MAX);
	struct history_entry *copy = ARENA_NEW(x->arena, struct history_entry);
	history_pack(b, entry);
	if (history_unpack(buf_str(b), copy))
		ARENA_PUSH(x->arena, x->into) = copy;
	return x->into->n < x->into->max;
}

static bool
search(struct explain *x, struct entries *into)
{
	const struct history_search how = {.wants = wanted,
	    .take = keep,
	    .arg = x,
	    .since_wall = x->filter.since_wall};
	x->into = into;
	return history_each(x->desk.reader, &how) == READER_OK;
}

static bool
is_message(const struct history_entry *e)
{
	return (e->flags & HISTORY_IS_EVENT) == 0;
}

/*
 * Whatever has the lookup id of one of those that were found: they came first.
 * A lookup id finds all of it at once.
 */
static bool
related_search(struct explain *x)
{
	struct buf *ids = buf_new(x->arena, MATCHES_MAX * 40);
	int64_t since = INT64_MAX;
	bool has_all = true;
	for (size_t i = 0; i < x->found.n; i++) {
		struct str id = x->found.v[i]->text[HISTORY_ID];
		if (id.len == 0)
			continue;
		buf_put(ids, id);
		buf_putc(ids, ' ');
		has_all = has_all && str_eq(id, x->filter.id);
		if (x->found.v[i]->time_wall < since)
			since = x->found.v[i]->time_wall;
	}
	if (has_all) {
		x->related = x->found;
		return true;
	}
	x->filter = (struct history_filter){.id = STR_EMPTY,
	    .lookup_ids = str_trim(buf_str(ids)),
	    .since_wall = since};
	return search(x, &x->related);
}

/* ---- the quarantine */

static void
quarantine_ask_open(struct explain *x)
{
	struct str why;
	if (quarantine_open_existing(x->desk.config.quarantine_dir,
		&x->quarantine, &why, x->arena) != QUARANTINE_OK)
		x->quarantine = NULL;
	else if (x->desk.key != NULL)
		quarantine_set_key(x->quarantine, x->desk.key);
}

/* The kept message whose id is, or begins with, `id`. */
static enum quarantine_status
kept_find(const struct explain *x, struct str id, struct held_entry *ret)
{
	return x->quarantine == NULL || !held_id_is_valid(id)
		   ? QUARANTINE_NOT_FOUND
		   : quarantine_find(x->quarantine, x->arena, id, ret);
}

/* All of the kept message is verified, not only the lines before it. */
static enum held_state
kept_state(const struct explain *x, const struct held_entry *kept)
{
	struct held_entry whole;
	struct str raw;
	switch (quarantine_read(x->quarantine, x->arena, kept, &whole, &raw)) {
	case QUARANTINE_OK:
		return whole.state;
	case QUARANTINE_BAD_FILE:
		return HELD_DAMAGED;
	case QUARANTINE_NOT_FOUND:
	case QUARANTINE_AMBIGUOUS:
	case QUARANTINE_FULL:
	case QUARANTINE_BUSY:
	case QUARANTINE_IO:
		break;
	}
	return kept->state;
}

/* ---- telling */

static void
story_print(const struct explain *x, const struct history_entry *e,
    const struct story *story)
{
	struct str name = e->text[HISTORY_QUEUE_ID];
	ui_put(&x->ui, UI_BOLD, name.len > 0 ? name : STR("NOQUEUE"));
	ui_printf(&x->ui, UI_PLAIN, ": ");
	ui_put(&x->ui, UI_BOLD, history_action_text(x->arena, e));
	if (e->text[HISTORY_ID].len > 0) {
		ui_printf(&x->ui, UI_PLAIN, ", lookup id ");
		ui_put(&x->ui, UI_CYAN, e->text[HISTORY_ID]);
	}
	ui_printf(&x->ui, UI_PLAIN, "\n");
	for (size_t i = 0; i < STORY_PARTS; i++) {
		const struct strs *lines = &story->part[i];
		if (lines->n > 0)
			ui_printf(&x->ui, UI_BOLD, "  %s\n",
			    story_title((enum story_part)i));
		for (size_t n = 0; n < lines->n; n++) {
			(void)fputs("    ", x->ui.out);
			ui_put(&x->ui, UI_PLAIN, lines->v[n]);
			(void)fputc('\n', x->ui.out);
		}
	}
}

static void
story_json(const struct story_source *s, const struct story *story)
{
	json_t *o = history_json(s->entry), *told = json_object();
	json_t *later = json_array();
	for (size_t i = 0; i < STORY_PARTS; i++)
		json_object_set_new(told, story_key((enum story_part)i),
		    json_texts(story->part[i].v, story->part[i].n));
	for (size_t i = 0; i < s->nlater; i++)
		json_array_append_new(later, history_json(s->later[i]));
	json_object_set_new(o, "kept",
	    !s->is_kept_known ? json_null()
	    : s->kept == NULL ? json_false()
			      : json_text(held_folder_name(s->kept->folder)));
	json_object_set_new(o, "kept_state",
	    s->kept == NULL ? json_null()
			    : json_text(held_state_name(s->state)));
	json_object_set_new(o, "later", later);
	json_object_set_new(o, "story", told);
	json_line(stdout, o);
}

static bool
is_later(const struct history_entry *e, const struct history_entry *than)
{
	bool is_consequence =
	    !is_message(e) || (e->flags & HISTORY_IS_RELEASED) != 0;
	return is_consequence && e->time_wall >= than->time_wall &&
	       str_eq(e->text[HISTORY_ID], than->text[HISTORY_ID]);
}

/* What came of `e`, oldest first. */
static const struct history_entry **
later_of(const struct explain *x, const struct history_entry *e, size_t *ret_n)
{
	const struct history_entry **later =
	    ARENA_ARRAY(x->arena, const struct history_entry *, x->related.n);
	bool has_id = e->text[HISTORY_ID].len > 0;
	bool is_release = (e->flags & HISTORY_IS_RELEASED) != 0;
	*ret_n = 0;
	for (size_t i = x->related.n; has_id && !is_release && i > 0; i--)
		if (is_later(x->related.v[i - 1], e))
			later[(*ret_n)++] = x->related.v[i - 1];
	return later;
}

static void
message_tell(struct explain *x, const struct history_entry *e)
{
	struct held_entry kept;
	struct story story;
	size_t nlater;
	const struct history_entry **later = later_of(x, e, &nlater);
	bool is_kept =
	    kept_find(x, e->text[HISTORY_ID], &kept) == QUARANTINE_OK &&
	    str_eq(kept.held.id, e->text[HISTORY_ID]) &&
	    (e->flags & HISTORY_IS_RELEASED) == 0;
	const struct story_source source = {
	    .config = &x->desk.config,
	    .entry = e,
	    .later = later,
	    .nlater = nlater,
	    .kept = is_kept ? &kept.held : NULL,
	    .state = is_kept ? kept_state(x, &kept) : HELD_SOUND,
	    .is_kept_known = x->quarantine != NULL,
	    .now_wall = clock_wall(),
	};
	story_tell(x->arena, &source, &story);
	if (x->is_json) {
		story_json(&source, &story);
	} else {
		if (x->told > 0)
			(void)fputc('\n', x->ui.out);
		story_print(x, e, &story);
	}
	x->told++;
}

/* The way of a released message is part of the story of the kept one. */
static bool
is_told_by_another(const struct explain *x, const struct history_entry *e)
{
	for (size_t i = 0; i < x->found.n; i++) {
		const struct history_entry *other = x->found.v[i];
		if (other != e && is_message(other) &&
		    (other->flags & HISTORY_IS_RELEASED) == 0 &&
		    is_later(e, other))
			return true;
	}
	return false;
}

static void
messages_tell(struct explain *x)
{
	for (size_t i = 0; i < x->found.n; i++)
		if (is_message(x->found.v[i]) &&
		    !is_told_by_another(x, x->found.v[i]))
			message_tell(x, x->found.v[i]);
}

/* The history does not have it, but the quarantine does. */
static bool
kept_tell(struct explain *x, const struct held_entry *kept)
{
	if (x->is_json) {
		json_t *o = held_json(kept, clock_wall());
		held_json_details(o, kept);
		json_line(stdout, o);
		return true;
	}
	ui_printf(&x->ui, UI_PLAIN,
	    "The history does not know it (any more); it is in the "
	    "quarantine:\n");
	held_show(&x->ui, kept, clock_wall());
	ui_printf(&x->ui, UI_PLAIN,
	    "look at it, send it, or delete it: postern quarantine "
	    "show|release|delete %.*s\n",
	    STR_ARG(kept->held.id));
	return true;
}

static int
choices_tell(const struct explain *x, const char *id)
{
	struct ui err;
	cmd_error("more than one id begins with %s: write more of it", id);
	ui_init(&err, stderr, UI_COLOR_AUTO);
	held_choices_show(&err, x->quarantine, str_from(id));
	return CMD_TROUBLE;
}

static void
unknown_tell(const struct explain *x, const char *id)
{
	const struct config *config = &x->desk.config;
	struct memory_stats stats;
	struct buf *b = buf_new(x->arena, 1024);
	char stamp[CLOCK_STAMP];
	log_escape(b, str_from(id));
	log_error("nothing is known of %.*s", STR_ARG(buf_str(b)));
	if (config->history_days == 0)
		log_error("history-days is 0, so no history is kept: set it in "
			  "postern.conf, then postern reload");
	if (x->desk.reader != NULL &&
	    memory_read_stats(x->desk.reader, &stats) == READER_OK &&
	    stats.history > 0) {
		clock_stamp(stats.history_oldest_wall, stamp);
		log_error("the history has %llu entries since %s "
			  "(history-days, history-size)",
		    (unsigned long long)stats.history, stamp);
	}
	log_error("an id is the queue id of the MTA's log, the lookup id of a "
		  "reject text, the quarantine id of postern quarantine list, "
		  "or a Message-ID, in upper and lower case as it stands "
		  "there; postern history searches by sender, recipient and "
		  "time");
}

/* ---- */

static bool
found_search(struct explain *x, const char *id, struct held_entry *kept,
    enum quarantine_status *ret_kept)
{
	history_filter_id(x->arena, x->desk.key, id, &x->filter);
	*ret_kept = kept_find(x, str_from(id), kept);
	if (x->desk.reader == NULL)
		return true;
	if (!search(x, &x->found))
		return false;
	/* the quarantine takes the beginning of an id, too */
	if (x->found.n == 0 && *ret_kept == QUARANTINE_OK) {
		history_filter_id(
		    x->arena, NULL, str_c(x->arena, kept->held.id), &x->filter);
		if (!search(x, &x->found))
			return false;
	}
	return related_search(x);
}

static int
explain(struct explain *x, const char *id)
{
	struct held_entry kept;
	enum quarantine_status state;
	quarantine_ask_open(x);
	if (!found_search(x, id, &kept, &state))
		return CMD_TROUBLE;
	messages_tell(x);
	if (x->told == 0 && state == QUARANTINE_AMBIGUOUS)
		return choices_tell(x, id);
	if (x->told == 0 && state == QUARANTINE_OK)
		x->told += kept_tell(x, &kept);
	if (x->told == 0)
		unknown_tell(x, id);
	return memory_exit(READER_OK, x->told);
}

int
cmd_explain(int argc, char **argv)
{
	struct explain x = {
	    .found = {.max = MATCHES_MAX}, .related = {.max = LATER_MAX}};
	int code;
	const struct memory_flag flags[] = {{"json", NULL, &x.is_json}, {0}};
	if (!memory_flags_parse(argc, argv, flags))
		return CMD_TROUBLE;
	if (argc - optind != 1)
		return cmd_usage(argv[0]);
	if (!history_id_is_valid(argv[optind])) {
		cmd_error("\"%s\" is no id: write %s", argv[optind],
		    HISTORY_ID_WANTED);
		return CMD_TROUBLE;
	}
	x.arena = arena_new();
	ui_init(&x.ui, stdout, UI_COLOR_AUTO);
	if (history_desk_open(x.arena, &x.desk, &code) || code == CMD_FOUND)
		code = explain(&x, argv[optind]);
	quarantine_close(x.quarantine);
	history_desk_close(&x.desk);
	arena_free(x.arena);
	return code;
}
