/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger -- which messages posternd remembers, and how many. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/held/held_output.h"
#include "cmd/mail_output.h"
#include "cmd/memory_open.h"
#include "cmd/ui.h"
#include "notice/sender.h"

#define LIMIT_DEFAULT 50

struct show {
	struct ui ui;
	struct ui_table *table; /* NULL: JSON */
	uint64_t limit;         /* 0: none */
	uint64_t shown;
	int64_t now;
};

static const struct ui_column columns[] = {{.title = "AGE", .is_right = true},
    {.title = "CLASS"}, {.title = "STANDING"}, {.title = "SPF"},
    {.title = "DKIM"}, {.title = "DMARC"},
    {.title = "FROM", .is_elastic = true}, {.title = "TO", .is_elastic = true},
    {.title = "MESSAGE-ID", .is_elastic = true, .rank = 2},
    {.title = "QUEUE-ID"}, {.title = "CLIENT", .rank = 1}};

/* ---- numbers of the file in words */

static struct str
spf_text(unsigned spf)
{
	return spf <= SPF_PERMERROR ? spf_result_name((enum spf_result)spf)
				    : STR("unknown");
}

static struct str
dkim_text(unsigned dkim)
{
	return dkim <= DKIM_PERMERROR ? dkim_result_name((enum dkim_result)dkim)
				      : STR("unknown");
}

static struct str
standing_text(unsigned standing)
{
	return standing < SENDER_STANDINGS
		   ? sender_standing_name((enum sender_standing)standing)
		   : STR("unknown");
}

static struct str
dmarc_text(unsigned dmarc)
{
	return dmarc < SENDER_DMARCS
		   ? sender_dmarc_name((enum sender_dmarc)dmarc)
		   : STR("unknown");
}

/* ---- show */

static void
row_show(struct show *show, const struct ledger_entry *e)
{
	struct arena *a = arena_new();
	const struct str cells[COUNT_OF(columns)] = {
	    held_age_text(a, show->now - e->time_wall),
	    mail_class_name(e->class), standing_text(e->standing),
	    spf_text(e->spf), dkim_text(e->dkim), dmarc_text(e->dmarc),
	    mail_path_text(a, e->sender, 0),
	    e->nrcpt == 0 ? STR("-")
			  : mail_rcpt_text(a, e->rcpt, e->nrcpt, e->nrcpt_all),
	    e->message_id, e->queue_id, e->client_addr};
	enum ui_style style = e->standing == STANDING_FAIL ? UI_RED : UI_PLAIN;
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(show->table, style, cells[i]);
	arena_free(a);
}

static void
json_show(const struct show *show, const struct ledger_entry *e)
{
	const struct {
		const char *key;
		struct str value;
	} texts[] = {{"class", mail_class_name(e->class)},
	    {"standing", standing_text(e->standing)}, {"spf", spf_text(e->spf)},
	    {"dkim", dkim_text(e->dkim)}, {"dmarc", dmarc_text(e->dmarc)},
	    {"from", e->sender}, {"message_id", e->message_id},
	    {"queue_id", e->queue_id}, {"client", e->client_addr}};
	json_t *o = json_object();
	json_object_set_new(o, "time", memory_time_json(e->time_wall));
	json_object_set_new(o, "age_s", json_integer(show->now - e->time_wall));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		json_object_set_new(o, texts[i].key, json_text(texts[i].value));
	json_object_set_new(o, "rcpt", json_texts(e->rcpt, e->nrcpt));
	json_object_set_new(o, "nrcpt", json_integer(e->nrcpt_all));
	json_object_set_new(o, "login", json_boolean(e->has_login));
	json_object_set_new(o, "auto", json_boolean(e->is_auto));
	json_object_set_new(o, "author", json_boolean(e->is_author));
	json_line(stdout, o);
}

static bool
show_one(void *arg, const struct ledger_entry *e)
{
	struct show *show = arg;
	if (show->table == NULL)
		json_show(show, e);
	else
		row_show(show, e);
	show->shown++;
	return (show->limit == 0 || show->shown < show->limit) &&
	       ui_out_is_open();
}

/* "<a@b>" is meant to be a@b. */
static struct str
bare(const char *text)
{
	struct str s = str_from(text);
	bool is_framed = s.len > 2 && s.p[0] == '<' && s.p[s.len - 1] == '>';
	return is_framed ? str_sub(s, 1, s.len - 2) : s;
}

static int
show_run(
    struct memory_reader *reader, struct str text, bool is_json, uint64_t limit)
{
	struct show show = {.limit = limit, .now = clock_wall()};
	ui_init(&show.ui, stdout, UI_COLOR_AUTO);
	if (!is_json)
		show.table = ui_table_new(&show.ui, columns, COUNT_OF(columns));
	enum reader_status status = ledger_each(reader, text, show_one, &show);
	if (show.table != NULL)
		ui_table_end(show.table);
	return memory_exit(status, show.shown);
}

/* ---- how many */

static void
stats_json(const struct memory_stats *s)
{
	json_t *o = json_object();
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {{"entries", s->entries}, {"history", s->history},
	    {"file_bytes", s->file_bytes}, {"used_bytes", s->used_bytes},
	    {"size_bytes", s->size_bytes}};
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		json_object_set_new(o, numbers[i].key,
		    json_integer((json_int_t)numbers[i].value));
	json_object_set_new(o, "oldest",
	    s->oldest_wall == 0 ? json_null()
				: memory_time_json(s->oldest_wall));
	json_line(stdout, o);
}

static void
stats_text(const struct memory_stats *s)
{
	struct arena *a = arena_new();
	char oldest[CLOCK_STAMP] = "-";
	if (s->oldest_wall != 0)
		clock_stamp(s->oldest_wall, oldest);
	printf("messages  %llu\noldest    %s\nhistory   %llu\n",
	    (unsigned long long)s->entries, oldest,
	    (unsigned long long)s->history);
	printf("on disk   %.*s of at most %.*s, %.*s in use\n",
	    STR_ARG(held_size_text(a, s->file_bytes)),
	    STR_ARG(held_size_text(a, s->size_bytes)),
	    STR_ARG(held_size_text(a, s->used_bytes)));
	arena_free(a);
}

static int
stats_run(struct memory_reader *reader, bool is_json)
{
	struct memory_stats stats;
	enum reader_status status = memory_read_stats(reader, &stats);
	if (status != READER_OK)
		return CMD_TROUBLE;
	if (is_json)
		stats_json(&stats);
	else
		stats_text(&stats);
	return memory_exit(status, 1);
}

/* `ledger` alone, or `ledger show TEXT`. */
static bool
arguments_are_fine(int argc, char **argv)
{
	int n = argc - optind;
	return n == 0 || (n == 2 && strcmp(argv[optind], "show") == 0);
}

int
cmd_ledger(int argc, char **argv)
{
	bool is_json = false;
	const char *limit_text = NULL;
	uint64_t limit = LIMIT_DEFAULT;
	int code;
	const struct memory_flag flags[] = {
	    {"json", NULL, &is_json}, {"limit", &limit_text, NULL}, {0}};
	if (!memory_flags_parse(argc, argv, flags) ||
	    !memory_limit_parse(limit_text, &limit))
		return CMD_TROUBLE;
	if (!arguments_are_fine(argc, argv))
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct memory_reader *reader = memory_open(a, &code);
	if (reader != NULL) {
		code = optind == argc ? stats_run(reader, is_json)
				      : show_run(reader, bare(argv[optind + 1]),
					    is_json, limit);
		memory_read_close(reader);
	}
	arena_free(a);
	return code;
}
