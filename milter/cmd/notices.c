/* SPDX-License-Identifier: BSD-2-Clause */
/* notices -- what was decided about notices, and why. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/memory_open.h"
#include "cmd/ui.h"
#include "notice/origin.h"

#define LIMIT_DEFAULT 50

struct notices {
	struct ui ui;
	struct ui_table *table; /* NULL: JSON, or explained */
	bool is_json, is_explained;
	const char *kind, *origin, *to; /* NULL: any */
	uint64_t limit;                 /* 0: none */
	uint64_t shown;
};

static const struct ui_column columns[] = {{"TIME", false, false},
    {"QUEUE-ID", false, false}, {"ACTION", false, false},
    {"KIND", false, false}, {"ORIGIN", false, false}, {"TO", false, true},
    {"REASON", false, true}};

/* "discard", "accept (would discard)" */
static struct str
action_text(struct arena *a, const struct decision *d)
{
	struct buf *b = buf_new(a, 4096);
	buf_put(b, d->action);
	if (d->would.len > 0 && !str_eq(d->would, d->action)) {
		buf_put(b, STR(" (would "));
		buf_put(b, d->would);
		buf_putc(b, ')');
	}
	return buf_str(b);
}

static enum ui_style
style_of(const struct decision *d)
{
	return str_eq(d->origin, STR("forged"))    ? UI_RED
	       : str_eq(d->origin, STR("genuine")) ? UI_GREEN
						   : UI_PLAIN;
}

static void
row_show(struct notices *n, const struct decision *d)
{
	struct arena *a = arena_new();
	char stamp[CLOCK_STAMP];
	clock_stamp(d->time_wall, stamp);
	const struct str cells[COUNT_OF(columns)] = {str_from(stamp),
	    d->queue_id, action_text(a, d), d->kind, d->origin, d->addressee,
	    d->reason};
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(n->table, style_of(d), cells[i]);
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

static void
explained_show(struct notices *n, const struct decision *d)
{
	struct arena *a = arena_new();
	char stamp[CLOCK_STAMP];
	clock_stamp(d->time_wall, stamp);
	const struct str cells[] = {str_from(stamp), d->queue_id,
	    action_text(a, d), d->kind, d->origin, d->addressee, d->reason};
	for (size_t i = 0; i < COUNT_OF(cells); i++) {
		if (i > 0)
			(void)fputs("  ", n->ui.out);
		ui_put(&n->ui, style_of(d),
		    cells[i].len == 0 ? STR("-") : cells[i]);
	}
	(void)fputc('\n', n->ui.out);
	detail_show(n, "from", d->from);
	detail_show(n, "evidence", d->evidence);
	detail_show(n, "quarantine id", d->id);
	arena_free(a);
}

static void
json_show(const struct decision *d)
{
	const struct {
		const char *key;
		struct str value;
	} texts[] = {{"queue_id", d->queue_id}, {"id", d->id},
	    {"action", d->action}, {"would", d->would}, {"kind", d->kind},
	    {"origin", d->origin}, {"from", d->from},
	    {"addressee", d->addressee}, {"reason", d->reason},
	    {"evidence", d->evidence}};
	json_t *o = json_object();
	json_object_set_new(o, "time", memory_time_json(d->time_wall));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		json_object_set_new(o, texts[i].key, json_text(texts[i].value));
	json_line(stdout, o);
}

static struct str
without_brackets(struct str s)
{
	bool has = s.len > 1 && s.p[0] == '<' && s.p[s.len - 1] == '>';
	return has ? str_sub(s, 1, s.len - 2) : s;
}

/* A slip of the pen must not look like "there was none". */
static bool
words_are_known(const struct notices *n)
{
	static const enum notice_origin origins[] = {
	    ORIGIN_UNKNOWN, ORIGIN_GENUINE, ORIGIN_FORGED};
	enum notice_kind kind;
	bool is_known = n->origin == NULL;
	for (size_t i = 0; i < COUNT_OF(origins); i++)
		is_known = is_known || str_eq(notice_origin_name(origins[i]),
					   str_from(n->origin));
	if (!is_known)
		fprintf(stderr, "postern: --origin is genuine, forged or "
				"unknown\n");
	if (n->kind == NULL || notice_kind_parse(str_from(n->kind), &kind))
		return is_known;
	fprintf(stderr,
	    "postern: no kind of notice is called \"%s\"; "
	    "posternd(8) lists them\n",
	    n->kind);
	return false;
}

static bool
is_wanted(const struct notices *n, const struct decision *d)
{
	return (n->kind == NULL || str_eq(d->kind, str_from(n->kind))) &&
	       (n->origin == NULL || str_eq(d->origin, str_from(n->origin))) &&
	       (n->to == NULL ||
		   str_ieq(d->addressee, without_brackets(str_from(n->to))));
}

static bool
show_one(void *arg, const struct decision *d)
{
	struct notices *n = arg;
	if (!is_wanted(n, d))
		return true;
	if (n->is_json)
		json_show(d);
	else if (n->is_explained)
		explained_show(n, d);
	else
		row_show(n, d);
	n->shown++;
	return n->limit == 0 || n->shown < n->limit;
}

static int
notices_run(struct memory_reader *reader, struct notices *n)
{
	ui_init(&n->ui, stdout, UI_COLOR_AUTO);
	if (!n->is_json && !n->is_explained)
		n->table = ui_table_new(&n->ui, columns, COUNT_OF(columns));
	enum reader_status status = decision_each(reader, show_one, n);
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
	    !memory_limit_parse(limit_text, &n.limit))
		return CMD_TROUBLE;
	if (optind != argc || !words_are_known(&n))
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct memory_reader *reader = memory_open(a, &code);
	if (reader != NULL) {
		code = notices_run(reader, &n);
		memory_read_close(reader);
	}
	arena_free(a);
	return code;
}
