/* SPDX-License-Identifier: BSD-2-Clause */
/* notices -- what was decided about notices, and why. */
#include "base/arena.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "cmd/history/history_filter.h"
#include "cmd/history/history_open.h"
#include "cmd/history/history_output.h"
#include "cmd/mail_output.h"
#include "cmd/memory_open.h"
#include "cmd/ui.h"
#include "session/chronicle.h"

#define LIMIT_DEFAULT 50

struct notices {
	struct ui ui;
	struct ui_table *table; /* NULL: JSON, or explained */
	bool is_json, is_explained;
	const char *kind, *origin, *to; /* NULL: any */
	uint64_t limit;                 /* 0: none */
	uint64_t shown;
	struct history_filter filter;
};

static const struct ui_column columns[] = {
    {.title = "TIME"},
    {.title = "QUEUE-ID"},
    {.title = "ACTION"},
    {.title = "KIND", .rank = 2},
    {.title = "ORIGIN", .rank = 1},
    {.title = "TO", .is_elastic = true},
    {.title = "REASON", .is_elastic = true},
};

/* As text; the same of a table and what is explained. */
static void
cells_of(struct arena *a, const struct ui *ui, const struct history_entry *e,
    struct str ret[COUNT_OF(columns)])
{
	const struct str cells[COUNT_OF(columns)] = {
	    mail_time_text(a, ui, e->time_wall), e->text[HISTORY_QUEUE_ID],
	    history_action_brief(a, e), e->text[HISTORY_NOTICE],
	    e->text[HISTORY_ORIGIN], e->text[HISTORY_ADDRESSEE],
	    e->text[HISTORY_REASON]};
	for (size_t i = 0; i < COUNT_OF(columns); i++)
		ret[i] = cells[i].len > 0 ? cells[i] : STR("-");
}

static enum ui_style
style_of(const struct history_entry *e)
{
	return str_eq(e->text[HISTORY_ORIGIN], STR("forged"))    ? UI_RED
	       : str_eq(e->text[HISTORY_ORIGIN], STR("genuine")) ? UI_GREEN
								 : UI_PLAIN;
}

static void
row_show(struct notices *n, const struct history_entry *e)
{
	struct arena *a = arena_new();
	struct str cells[COUNT_OF(columns)];
	cells_of(a, &n->ui, e, cells);
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(n->table, style_of(e), cells[i]);
	arena_free(a);
}

static void
detail_show(const struct notices *n, const char *name, struct str text)
{
	if (text.len == 0)
		return;
	ui_printf(&n->ui, UI_DIM, "    %s: ", name);
	ui_put(&n->ui, UI_PLAIN, text);
	(void)fputc('\n', n->ui.out);
}

static bool
is_kept(const struct history_entry *e)
{
	enum mail_place place;
	return mail_place_parse(e->text[HISTORY_PLACE], &place) &&
	       (place == PLACE_QUARANTINE || place == PLACE_DISCARDED);
}

static void
explained_show(struct notices *n, const struct history_entry *e)
{
	struct arena *a = arena_new();
	struct str cells[COUNT_OF(columns)];
	cells_of(a, &n->ui, e, cells);
	for (size_t i = 0; i < COUNT_OF(cells); i++) {
		if (i > 0)
			(void)fputs("  ", n->ui.out);
		ui_put(&n->ui, style_of(e), cells[i]);
	}
	(void)fputc('\n', n->ui.out);
	detail_show(n, "from", e->text[HISTORY_AUTHOR]);
	detail_show(n, "evidence", e->text[HISTORY_EVIDENCE]);
	/* where nothing is kept, as with observe, it is still in the log */
	detail_show(
	    n, is_kept(e) ? "quarantine id" : "lookup id", e->text[HISTORY_ID]);
	arena_free(a);
}

static void
json_show(const struct history_entry *e)
{
	const struct {
		const char *key;
		struct str value;
	} texts[] = {{"queue_id", e->text[HISTORY_QUEUE_ID]},
	    {"id", e->text[HISTORY_ID]}, {"action", e->text[HISTORY_ACTION]},
	    {"would", e->text[HISTORY_WOULD].len > 0 ? e->text[HISTORY_WOULD]
						     : e->text[HISTORY_ACTION]},
	    {"kind", e->text[HISTORY_NOTICE]},
	    {"origin", e->text[HISTORY_ORIGIN]},
	    {"from", e->text[HISTORY_AUTHOR]},
	    {"addressee", e->text[HISTORY_ADDRESSEE]},
	    {"reason", e->text[HISTORY_REASON]},
	    {"evidence", e->text[HISTORY_EVIDENCE]}};
	json_t *o = json_object();
	json_object_set_new(o, "time", memory_time_json(e->time_wall));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		json_object_set_new(o, texts[i].key, json_text(texts[i].value));
	json_line(stdout, o);
}

static bool
words_check(const struct notices *n)
{
	return choice_word("kind", CHOICE_NOTICE, n->kind) &&
	       choice_word("origin", CHOICE_ORIGIN, n->origin);
}

/* A notice has an origin, known or not. */
static bool
wanted(void *arg, const struct history_entry *e)
{
	const struct notices *n = arg;
	return e->text[HISTORY_ORIGIN].len > 0 &&
	       history_filter_matches(&n->filter, e);
}

static bool
show(void *arg, const struct history_entry *e)
{
	struct notices *n = arg;
	if (n->is_json)
		json_show(e);
	else if (n->is_explained)
		explained_show(n, e);
	else
		row_show(n, e);
	n->shown++;
	return (n->limit == 0 || n->shown < n->limit) && ui_out_is_open();
}

static void
filter_set(struct notices *n, struct arena *a, const struct mac_key *key)
{
	const struct {
		enum history_text which;
		const char *text;
	} wants[] = {{HISTORY_NOTICE, n->kind}, {HISTORY_ORIGIN, n->origin},
	    {HISTORY_ADDRESSEE, n->to}};
	for (size_t i = 0; i < COUNT_OF(wants); i++)
		if (wants[i].text != NULL)
			n->filter.text[wants[i].which] =
			    history_pattern_of(a, key, wants[i].text);
}

static int
notices_run(struct memory_reader *reader, struct notices *n)
{
	const struct history_search search = {
	    .wants = wanted, .take = show, .arg = n};
	ui_init(&n->ui, stdout, UI_COLOR_AUTO);
	if (!n->is_json && !n->is_explained)
		n->table = ui_table_new(&n->ui, columns, COUNT_OF(columns));
	enum reader_status status = history_each(reader, &search);
	if (n->table != NULL)
		ui_table_end(n->table);
	return memory_exit(status, n->shown);
}

int
cmd_notices(int argc, char **argv)
{
	struct notices n = {.limit = LIMIT_DEFAULT};
	const char *limit_text = NULL;
	int code;
	const struct memory_flag flags[] = {{"limit", &limit_text, NULL},
	    {"kind", &n.kind, NULL}, {"origin", &n.origin, NULL},
	    {"to", &n.to, NULL}, {"explain", NULL, &n.is_explained},
	    {"json", NULL, &n.is_json}, {0}};
	if (!memory_flags_parse(argc, argv, flags) ||
	    !memory_limit_parse(limit_text, &n.limit) || !words_check(&n))
		return CMD_TROUBLE;
	if (optind != argc)
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct history_desk desk;
	if (history_desk_open(a, &desk, &code)) {
		filter_set(&n, a, desk.key);
		code = notices_run(desk.reader, &n);
	}
	history_desk_close(&desk);
	arena_free(a);
	return code;
}
