/* SPDX-License-Identifier: BSD-2-Clause */
/* history_output -- entries of the history as a table, lines, JSON, CSV. */
#include "cmd/history/history_output.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/mail_output.h"
#include "cmd/memory_open.h"

/* ---- people */

/* What tells least has the highest rank. */
static const struct ui_column columns[] = {
    {.title = "TIME"},
    {.title = "ACTION"},
    {.title = "SCORE", .is_right = true},
    {.title = "QUEUE-ID", .rank = 1},
    {.title = "FROM", .is_elastic = true},
    {.title = "SUBJECT", .is_elastic = true, .rank = 2},
    {.title = "RULES", .is_elastic = true, .rank = 3},
    {.title = "TO", .is_elastic = true, .rank = 4},
    {.title = "LOGIN", .is_elastic = true, .rank = 5},
    {.title = "CLIENT", .rank = 6},
    {.title = "CLASS", .rank = 7},
    {.title = "ID", .rank = 8},
    {.title = "BY", .rank = 9},
};

struct str
history_action_text(struct arena *a, const struct history_entry *e)
{
	struct str action = e->text[HISTORY_ACTION];
	struct str would = e->text[HISTORY_WOULD];
	return would.len == 0 ? action
			      : str_printf(a, "%.*s (would %.*s)",
				    STR_ARG(action), STR_ARG(would));
}

struct str
history_action_brief(struct arena *a, const struct history_entry *e)
{
	return (e->flags & HISTORY_IS_OBSERVED) != 0 &&
		       e->text[HISTORY_WOULD].len > 0
		   ? str_printf(
			 a, "would %.*s", STR_ARG(e->text[HISTORY_WOULD]))
		   : history_action_text(a, e);
}

static bool
is_event(const struct history_entry *e)
{
	return (e->flags & HISTORY_IS_EVENT) != 0;
}

/* "message", ...: as JSON and CSV have it. */
static struct str
kind_of(const struct history_entry *e)
{
	return is_event(e)                           ? STR("event")
	       : (e->flags & HISTORY_IS_LETTER) != 0 ? STR("letter")
						     : STR("message");
}

static struct str
class_text(const struct history_entry *e)
{
	return str_eq(kind_of(e), STR("message")) ? mail_class_name(e->class)
						  : kind_of(e);
}

/* posternd may not know whose message an event is about. */
static struct str
from_text(struct arena *a, const struct history_entry *e)
{
	return is_event(e) && e->nrcpt_all == 0
		   ? STR_EMPTY
		   : mail_path_text(a, e->text[HISTORY_SENDER], 0);
}

static struct str
score_text(struct arena *a, const struct history_entry *e)
{
	return (e->flags & HISTORY_IS_SCANNED) == 0
		   ? STR_EMPTY
		   : str_printf(a, "%.4g", e->score);
}

static struct str
rules_text(struct arena *a, const struct history_entry *e, char between)
{
	struct buf *b = buf_new(a, HISTORY_BYTES_MAX);
	for (size_t i = 0; i < e->nhits; i++) {
		if (i > 0)
			buf_putc(b, between);
		buf_put(b, e->hits[i].rule);
		buf_printf(b, ":%.4g", e->hits[i].score);
	}
	return buf_str(b);
}

static enum ui_style
style_of(const struct history_entry *e)
{
	static const struct {
		const char *action;
		enum ui_style style;
	} styles[] = {{"reject", UI_RED}, {"discard", UI_RED},
	    {"hold", UI_YELLOW}, {"defer", UI_YELLOW}, {"tag", UI_CYAN},
	    {"released", UI_GREEN}};
	struct str action = e->text[HISTORY_WOULD].len > 0
				? e->text[HISTORY_WOULD]
				: e->text[HISTORY_ACTION];
	for (size_t i = 0; i < COUNT_OF(styles); i++)
		if (str_eq(action, str_from(styles[i].action)))
			return styles[i].style;
	return UI_PLAIN;
}

static void
cells_of(struct arena *a, const struct ui *ui, const struct history_entry *e,
    struct str ret[COUNT_OF(columns)])
{
	const struct str cells[COUNT_OF(columns)] = {
	    mail_time_text(a, ui, e->time_wall), history_action_brief(a, e),
	    score_text(a, e), e->text[HISTORY_QUEUE_ID], from_text(a, e),
	    e->text[HISTORY_SUBJECT], rules_text(a, e, ','),
	    mail_rcpt_text(a, e->rcpt, e->nrcpt, e->nrcpt_all),
	    e->text[HISTORY_LOGIN], e->text[HISTORY_CLIENT], class_text(e),
	    e->text[HISTORY_ID], e->text[HISTORY_BY]};
	for (size_t i = 0; i < COUNT_OF(columns); i++)
		ret[i] = cells[i].len > 0 ? cells[i] : STR("-");
}

static void
row_put(const struct history_output *out, struct arena *a,
    const struct history_entry *e)
{
	struct str cells[COUNT_OF(columns)];
	cells_of(a, &out->ui, e, cells);
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(out->table, style_of(e), cells[i]);
}

static void
line_put(const struct history_output *out, struct arena *a,
    const struct history_entry *e)
{
	struct str cells[COUNT_OF(columns)];
	cells_of(a, &out->ui, e, cells);
	for (size_t i = 0; i < COUNT_OF(cells); i++) {
		if (i > 0)
			(void)fputs("  ", out->ui.out);
		ui_put(&out->ui, style_of(e), cells[i]);
	}
	(void)fputc('\n', out->ui.out);
}

/* ---- machines */

static const struct {
	const char *key;
	enum history_flag flag;
} flags[] = {{"observe", HISTORY_IS_OBSERVED},
    {"can_refuse", HISTORY_CAN_REFUSE}, {"released", HISTORY_IS_RELEASED},
    {"hashed", HISTORY_IS_HASHED}};

static void
people_json(json_t *o, const struct history_entry *e)
{
	json_object_set_new(o, "rcpt", json_texts(e->rcpt, e->nrcpt));
	json_object_set_new(o, "nrcpt", json_integer(e->nrcpt_all));
}

static void
message_json(json_t *o, const struct history_entry *e)
{
	for (size_t i = 0; i < COUNT_OF(flags); i++)
		json_object_set_new(o, flags[i].key,
		    json_boolean((e->flags & flags[i].flag) != 0));
	json_object_set_new(o, "class", json_text(mail_class_name(e->class)));
	people_json(o, e);
	json_object_set_new(o, "size", json_integer((json_int_t)e->size_bytes));
	if ((e->flags & HISTORY_IS_SCANNED) == 0)
		return;
	json_object_set_new(o, "score", json_real(e->score));
	json_object_set_new(o, "threshold", json_real(e->threshold));
	json_object_set_new(o, "ms", json_real((double)e->us / 1000));
	json_object_set_new(o, "hits", mail_hits_json(e->hits, e->nhits));
	json_object_set_new(o, "nhits", json_integer(e->nhits_all));
}

json_t *
history_json(const struct history_entry *e)
{
	json_t *o = json_object();
	json_object_set_new(o, "time", memory_time_json(e->time_wall));
	json_object_set_new(o, "kind", json_text(kind_of(e)));
	bool is_about = !is_event(e) || e->nrcpt_all > 0;
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		if (e->text[i].len > 0 || (i == HISTORY_SENDER && is_about))
			json_object_set_new(o,
			    history_text_key((enum history_text)i),
			    json_text(e->text[i]));
	if (!is_event(e))
		message_json(o, e);
	else if (is_about)
		people_json(o, e);
	return o;
}

/*
 * Control characters and bytes that are not UTF-8 are \xNN, and what a
 * spreadsheet would take for a formula has a ' in front: a stranger wrote it.
 */
static void
csv_text(struct buf *b, struct str s, bool is_ours)
{
	buf_putc(b, '"');
	if (!is_ours && s.len > 0 && strchr("=+-@", s.p[0]) != NULL)
		buf_putc(b, '\'');
	while (s.len > 0) {
		size_t quote = str_chr(s, '"');
		log_escape(b, str_sub(s, 0, quote));
		if (quote == STR_NONE)
			break;
		buf_put(b, STR("\"\""));
		s = str_skip(s, quote + 1);
	}
	buf_putc(b, '"');
}

static void
csv_head(FILE *out)
{
	(void)fputs(
	    "time,kind,class,score,threshold,size,ms,nrcpt,rcpt,rules", out);
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		fprintf(out, ",%s", history_text_key((enum history_text)i));
	(void)fputs("\r\n", out);
}

static void
csv_numbers(struct buf *b, const struct history_entry *e)
{
	bool has_score = (e->flags & HISTORY_IS_SCANNED) != 0;
	if (has_score)
		buf_printf(b, ",%.15g,%.15g", e->score, e->threshold);
	else
		buf_put(b, STR(",,"));
	buf_printf(b, ",%llu,", (unsigned long long)e->size_bytes);
	if (has_score)
		buf_printf(b, "%.1f", (double)e->us / 1000);
	buf_printf(b, ",%u,", e->nrcpt_all);
}

static void
csv_put(FILE *out, struct arena *a, const struct history_entry *e)
{
	struct buf *b = buf_new(a, (size_t)1 << 20);
	struct buf *rcpt = buf_new(a, HISTORY_BYTES_MAX);
	char stamp[CLOCK_STAMP];
	clock_stamp(e->time_wall, stamp);
	buf_printf(b, "%s,%.*s,", stamp, STR_ARG(kind_of(e)));
	if (!is_event(e))
		buf_put(b, mail_class_name(e->class));
	csv_numbers(b, e);
	for (size_t i = 0; i < e->nrcpt; i++) {
		if (i > 0)
			buf_putc(rcpt, ' ');
		buf_put(rcpt, e->rcpt[i]);
	}
	csv_text(b, buf_str(rcpt), false);
	buf_putc(b, ',');
	csv_text(b, rules_text(a, e, ' '), true);
	for (size_t i = 0; i < HISTORY_TEXTS; i++) {
		buf_putc(b, ',');
		csv_text(b, e->text[i], false);
	}
	buf_put(b, STR("\r\n"));
	(void)fwrite(b->p, 1, b->len, out);
}

/* ---- */

void
history_output_begin(struct history_output *out, enum history_form form)
{
	*out = (struct history_output){.form = form};
	ui_init(&out->ui, stdout, UI_COLOR_AUTO);
	if (form == HISTORY_AS_TABLE)
		out->table = ui_table_new(&out->ui, columns, COUNT_OF(columns));
	else if (form == HISTORY_AS_CSV)
		csv_head(stdout);
}

void
history_output_put(struct history_output *out, const struct history_entry *e)
{
	struct arena *a = arena_new();
	switch (out->form) {
	case HISTORY_AS_TABLE:
		row_put(out, a, e);
		break;
	case HISTORY_AS_LINES:
		line_put(out, a, e);
		break;
	case HISTORY_AS_JSON:
		json_line(stdout, history_json(e));
		break;
	case HISTORY_AS_CSV:
		csv_put(stdout, a, e);
		break;
	}
	arena_free(a);
}

void
history_output_end(struct history_output *out)
{
	if (out->table != NULL)
		ui_table_end(out->table);
}
