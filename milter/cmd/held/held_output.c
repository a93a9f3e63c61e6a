/* SPDX-License-Identifier: BSD-2-Clause */
/* held_output -- a kept message as a table row, a page, a JSON object. */
#include "cmd/held/held_output.h"

#include "base/arena.h"
#include "base/clock.h"
#include "cmd/mail_output.h"

#define LINE_SHOWN_MAX ((size_t)4096)
#define CHOICES_MAX 20

struct str
held_age_text(struct arena *a, int64_t seconds)
{
	static const struct {
		int64_t above, unit;
		char name;
	} units[] = {{172800, 86400, 'd'}, {7200, 3600, 'h'}, {120, 60, 'm'}};
	if (seconds < 0)
		return STR("0s");
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (seconds >= units[i].above)
			return str_printf(a, "%lld%c",
			    (long long)(seconds / units[i].unit),
			    units[i].name);
	return str_printf(a, "%llds", (long long)seconds);
}

struct str
held_size_text(struct arena *a, uint64_t bytes)
{
	static const char units[] = "KMGT";
	double n = (double)bytes;
	size_t unit = 0;
	if (bytes < 1024)
		return str_printf(a, "%lluB", (unsigned long long)bytes);
	for (n /= 1024; n >= 1024 && unit + 1 < sizeof(units) - 1; unit++)
		n /= 1024;
	return str_printf(a, n < 10 ? "%.1f%c" : "%.0f%c", n, units[unit]);
}

bool
held_is_whole(const struct held_entry *e)
{
	return e->state == HELD_SOUND || e->state == HELD_UNSEALED;
}

/* Files without an id are called by their name. */
struct str
held_entry_name(const struct held_entry *e)
{
	return e->state == HELD_FOREIGN ? str_from(e->file) : e->held.id;
}

/* The keys that every line about a message has. */
json_t *
held_json(const struct held_entry *e, int64_t now)
{
	char stamp[CLOCK_STAMP];
	json_t *o = json_object();
	clock_stamp(e->held.time_wall, stamp);
	json_object_set_new(o, "id", json_text(e->held.id));
	json_object_set_new(
	    o, "folder", json_text(held_folder_name(e->held.folder)));
	json_object_set_new(o, "state", json_text(held_state_name(e->state)));
	json_object_set_new(o, "time", json_string(stamp));
	json_object_set_new(o, "age_s", json_integer(now - e->held.time_wall));
	json_object_set_new(o, "from", json_text(e->held.envelope.from));
	json_object_set_new(
	    o, "file_bytes", json_integer((json_int_t)e->file_bytes));
	return o;
}

void
held_json_details(json_t *o, const struct held_entry *e)
{
	const struct held *h = &e->held;
	const struct {
		const char *key;
		struct str value;
	} texts[] = {{"reason", h->reason},
	    {"class", mail_class_name(h->envelope.class)},
	    {"login", h->envelope.login}, {"client", h->envelope.client_addr},
	    {"client_name", h->envelope.client_name},
	    {"helo", h->envelope.helo}, {"queue_id", h->envelope.queue_id},
	    {"daemon", h->envelope.daemon_name}, {"subject", h->subject}};
	json_object_set_new(o, "file", json_text(str_from(e->file)));
	json_object_set_new(o, "seen", json_boolean(e->is_seen));
	if (!e->has_block)
		return;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		json_object_set_new(o, texts[i].key, json_text(texts[i].value));
	json_object_set_new(o, "size", json_integer((json_int_t)h->size_bytes));
	json_object_set_new(o, "score", json_real(h->score));
	json_object_set_new(o, "threshold", json_real(h->threshold));
	json_object_set_new(o, "hits", mail_hits_json(h->hits, h->nhits));
	json_object_set_new(
	    o, "rcpt", json_texts(h->envelope.rcpt.v, h->envelope.rcpt.n));
}

/* The rules that hit, comma-separated. */
static struct str
rules_text(struct arena *a, const struct held *held)
{
	struct buf *b = buf_new(a, 4096);
	for (size_t i = 0; i < held->nhits; i++)
		buf_printf(b, "%s%.*s", i == 0 ? "" : ",",
		    STR_ARG(held->hits[i].rule));
	return buf_str(b);
}

static const struct ui_column columns_brief[] = {{.title = "ID"},
    {.title = "AGE", .is_right = true}, {.title = "SCORE", .is_right = true},
    {.title = "FROM", .is_elastic = true}, {.title = "TO", .is_elastic = true},
    {.title = "SUBJECT", .is_elastic = true}};
static const struct ui_column columns_long[] = {{.title = "ID"},
    {.title = "AGE", .is_right = true}, {.title = "SIZE", .is_right = true},
    {.title = "FOLDER"}, {.title = "STATE"},
    {.title = "SCORE", .is_right = true}, {.title = "FROM", .is_elastic = true},
    {.title = "TO", .is_elastic = true}, {.title = "CLASS"},
    {.title = "LOGIN", .is_elastic = true},
    {.title = "CLIENT", .is_elastic = true},
    {.title = "RULES", .is_elastic = true},
    {.title = "SUBJECT", .is_elastic = true}};

struct ui_table *
held_table_new(const struct ui *ui, bool is_long)
{
	return is_long
		   ? ui_table_new(ui, columns_long, COUNT_OF(columns_long))
		   : ui_table_new(ui, columns_brief, COUNT_OF(columns_brief));
}

static void
cells_of_block(struct ui_table *t, enum ui_style style, bool is_long,
    struct arena *a, const struct held *h)
{
	const struct strs *rcpt = &h->envelope.rcpt;
	ui_table_cell(t, style, str_printf(a, "%.1f", h->score));
	ui_table_cell(t, style, mail_path_text(a, h->envelope.from, 0));
	ui_table_cell(t, style,
	    rcpt->n == 0 ? STR("-")
			 : mail_rcpt_text(a, rcpt->v, rcpt->n, rcpt->n));
	if (!is_long)
		return;
	ui_table_cell(t, style, mail_class_name(h->envelope.class));
	ui_table_cell(t, style, h->envelope.login);
	ui_table_cell(t, style, h->envelope.client_addr);
	ui_table_cell(t, style, rules_text(a, h));
}

void
held_table_row(
    struct ui_table *t, bool is_long, const struct held_entry *e, int64_t now)
{
	struct arena *a = arena_new();
	const struct held *h = &e->held;
	bool is_whole = held_is_whole(e);
	enum ui_style style = is_whole ? UI_PLAIN : UI_RED;
	ui_table_cell(t, is_whole ? UI_CYAN : UI_RED, held_entry_name(e));
	ui_table_cell(t, style, held_age_text(a, now - h->time_wall));
	if (is_long) {
		ui_table_cell(t, style, held_size_text(a, e->file_bytes));
		ui_table_cell(t, style, held_folder_name(h->folder));
		ui_table_cell(t, style, held_state_name(e->state));
	}
	if (e->has_block)
		cells_of_block(t, style, is_long, a, h);
	for (size_t i = 0; !e->has_block && i < (is_long ? 7u : 3u); i++)
		ui_table_cell(t, style, STR("-"));
	struct str mark =
	    str_printf(a, "(%.*s) ", STR_ARG(held_state_name(e->state)));
	struct buf *subject = buf_new(a, SIZE_MAX);
	if (!is_long && !is_whole)
		buf_put(subject, mark);
	buf_put(subject, h->subject);
	ui_table_cell(t, style, buf_str(subject));
	arena_free(a);
}

static const struct ui_column columns_choice[] = {{.title = "ID"},
    {.title = "TIME"}, {.title = "FROM", .is_elastic = true},
    {.title = "SUBJECT", .is_elastic = true}};

struct choices {
	struct ui_table *table;
	size_t n;
};

static bool
choice_show(void *arg, const struct held_entry *e)
{
	struct choices *choices = arg;
	struct arena *a = arena_new();
	char stamp[CLOCK_STAMP];
	clock_stamp(e->held.time_wall, stamp);
	const struct str cells[COUNT_OF(columns_choice)] = {held_entry_name(e),
	    str_from(stamp),
	    e->has_block ? mail_path_text(a, e->held.envelope.from, 0)
			 : STR("-"),
	    e->held.subject};
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(choices->table, UI_PLAIN, cells[i]);
	arena_free(a);
	return ++choices->n < CHOICES_MAX;
}

void
held_choices_show(
    const struct ui *ui, struct quarantine *quarantine, struct str prefix)
{
	struct choices choices = {.table = ui_table_new(ui, columns_choice,
				      COUNT_OF(columns_choice))};
	enum quarantine_status status = quarantine_each(
	    quarantine, FOLDER_COUNT, prefix, choice_show, &choices);
	ui_table_end(choices.table);
	if (status == QUARANTINE_OK && choices.n == CHOICES_MAX)
		ui_printf(ui, UI_DIM, "and perhaps more\n");
}

static void
field_show(const struct ui *ui, const char *name, enum ui_style style,
    struct str value)
{
	if (value.len == 0)
		return;
	ui_printf(ui, UI_BOLD, "%-10s ", name);
	ui_put(ui, style, value);
	(void)fputc('\n', ui->out);
}

static void
hits_show(const struct ui *ui, const struct held *h)
{
	for (size_t i = 0; i < h->nhits; i++) {
		const struct mail_hit *hit = &h->hits[i];
		ui_printf(ui, UI_BOLD, "%-10s ", i == 0 ? "hits" : "");
		ui_printf(ui, UI_YELLOW, "%6.1f", hit->score);
		ui_printf(ui, UI_PLAIN, " %.*s", STR_ARG(hit->rule));
		if (hit->count > 1)
			ui_printf(ui, UI_PLAIN, " x%u", hit->count);
		ui_printf(ui, UI_DIM, "  ");
		ui_put(ui, UI_DIM, hit->evidence);
		(void)fputc('\n', ui->out);
	}
}

void
held_show(const struct ui *ui, const struct held_entry *e, int64_t now)
{
	struct arena *a = arena_new();
	const struct held *h = &e->held;
	const struct envelope *env = &h->envelope;
	char stamp[CLOCK_STAMP];
	clock_stamp(h->time_wall, stamp);
	field_show(ui, "id", UI_CYAN, h->id);
	field_show(ui, "folder", UI_PLAIN, held_folder_name(h->folder));
	field_show(ui, "state", held_is_whole(e) ? UI_GREEN : UI_RED,
	    held_state_name(e->state));
	field_show(ui, "time", UI_PLAIN,
	    str_printf(a, "%s (%.*s ago)", stamp,
		STR_ARG(held_age_text(a, now - h->time_wall))));
	field_show(ui, "reason", UI_PLAIN, h->reason);
	field_show(ui, "score", UI_PLAIN,
	    h->threshold > 0
		? str_printf(a, "%.1f/%.1f", h->score, h->threshold)
		: str_printf(a, "%.1f", h->score));
	field_show(ui, "class", UI_PLAIN, mail_class_name(env->class));
	field_show(ui, "login", UI_PLAIN, env->login);
	field_show(ui, "client", UI_PLAIN,
	    str_trim(str_printf(a, "%.*s %.*s", STR_ARG(env->client_addr),
		STR_ARG(env->client_name))));
	field_show(ui, "helo", UI_PLAIN, env->helo);
	field_show(ui, "queue-id", UI_PLAIN, env->queue_id);
	field_show(ui, "daemon", UI_PLAIN, env->daemon_name);
	field_show(ui, "from", UI_PLAIN, mail_path_text(a, env->from, 0));
	for (size_t i = 0; i < env->rcpt.n; i++)
		field_show(ui, i == 0 ? "to" : "", UI_PLAIN,
		    mail_path_text(a, env->rcpt.v[i], 0));
	field_show(ui, "subject", UI_PLAIN, h->subject);
	field_show(ui, "size", UI_PLAIN,
	    str_printf(a, "%llu bytes", (unsigned long long)h->size_bytes));
	hits_show(ui, h);
	arena_free(a);
}

/* At most `max` lines of `text`; says how many are left out. */
void
held_show_lines(const struct ui *ui, struct str text, uint64_t max)
{
	uint64_t n = 0;
	while (text.len > 0 && n++ < max) {
		struct str line = str_line(&text);
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		struct str head = str_sub(line, 0, LINE_SHOWN_MAX);
		ui_put(ui, UI_PLAIN, head);
		if (head.len < line.len)
			ui_printf(ui, UI_DIM, " (%zu bytes more)",
			    line.len - head.len);
		(void)fputc('\n', ui->out);
	}
	if (text.len > 0)
		ui_printf(
		    ui, UI_DIM, "(%zu bytes more; --lines N)\n", text.len);
}
