/* SPDX-License-Identifier: BSD-2-Clause */
/* lint_report -- what became of each rule and of the other lines. */
#include "cmd/lint_report.h"

#include <jansson.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/ui.h"
#include "rules/census.h"

#define NAMES_SHOWN 3

static const struct ui_column row_columns[] = {{.title = "TYPE"},
    {.title = "RULES", .is_right = true}, {.title = "RUN", .is_right = true},
    {.title = "UNNEEDED", .is_right = true}, {.title = "OFF", .is_right = true},
    {.title = "NETWORK", .is_right = true},
    {.title = "BAYES", .is_right = true},
    {.title = "DISABLED", .is_right = true}};
static const struct ui_column group_columns[] = {{.title = "NOT RUN"},
    {.title = "RULES", .is_right = true}, {.title = "WHY", .is_elastic = true},
    {.title = "NAMES", .is_elastic = true}};
static const struct ui_column need_columns[] = {{.title = "EVALS NEED"},
    {.title = "RULES", .is_right = true},
    {.title = "THAT IS", .is_elastic = true},
    {.title = "NAMES", .is_elastic = true}};
static const struct ui_column unread_columns[] = {
    {.title = "LINES", .is_right = true},
    {.title = "NOT USED", .is_elastic = true},
    {.title = "WHY", .is_elastic = true}};

static void
number_cell(struct ui_table *t, struct arena *a, enum ui_style style, size_t n)
{
	ui_table_cell(t, style, str_printf(a, "%zu", n));
}

static void
rows_show(const struct ui *ui, struct arena *a, const struct census *census)
{
	struct ui_table *t =
	    ui_table_new(ui, row_columns, COUNT_OF(row_columns));
	for (size_t i = 0; i < census->rows.n; i++) {
		const struct census_row *row = &census->rows.v[i];
		bool is_last = i + 1 == census->rows.n;
		enum ui_style style = is_last ? UI_BOLD : UI_PLAIN;
		ui_table_cell(t, style, row->type);
		number_cell(t, a, style, row->rules);
		for (size_t k = 0; k < RULE_FATES; k++) {
			bool is_bad = k == FATE_DISABLED && row->of[k] > 0;
			number_cell(t, a, is_bad ? UI_RED : style, row->of[k]);
		}
	}
	ui_table_end(t);
}

/* "A B C and 20 more" */
static struct str
names_of(struct arena *a, const struct strs *rules, bool is_verbose)
{
	struct buf *b = buf_new(a, 1024 * 1024);
	for (size_t i = 0; i < rules->n; i++) {
		if (!is_verbose && i == NAMES_SHOWN) {
			buf_printf(b, " and %zu more", rules->n - i);
			break;
		}
		if (i > 0)
			buf_putc(b, ' ');
		buf_put(b, rules->v[i]);
	}
	return buf_str(b);
}

static void
groups_show(const struct ui *ui, struct arena *a, const struct census *census,
    bool is_verbose)
{
	if (census->groups.n == 0)
		return;
	ui_printf(ui, UI_PLAIN, "\n");
	struct ui_table *t =
	    ui_table_new(ui, group_columns, COUNT_OF(group_columns));
	for (size_t i = 0; i < census->groups.n; i++) {
		const struct census_group *group = &census->groups.v[i];
		enum ui_style style =
		    group->fate == FATE_DISABLED ? UI_RED : UI_PLAIN;
		ui_table_cell(t, style, rule_fate_name(group->fate));
		number_cell(t, a, style, group->rules.n);
		ui_table_cell(t, style, group->why);
		ui_table_cell(t, style, names_of(a, &group->rules, is_verbose));
	}
	ui_table_end(t);
}

/* What the rules that run ask by their eval functions. */
static void
needs_show(const struct ui *ui, struct arena *a, const struct census *census,
    bool is_verbose)
{
	struct ui_table *t = NULL;
	for (size_t i = 0; i < EVAL_NEEDS; i++) {
		const struct strs *rules = &census->needs[i];
		if (rules->n == 0)
			continue;
		if (t == NULL) {
			ui_printf(ui, UI_PLAIN, "\n");
			t = ui_table_new(
			    ui, need_columns, COUNT_OF(need_columns));
		}
		ui_table_cell(t, UI_PLAIN, eval_need_name(i));
		number_cell(t, a, UI_PLAIN, rules->n);
		ui_table_cell(t, UI_PLAIN, eval_need_help(i));
		ui_table_cell(t, UI_PLAIN, names_of(a, rules, is_verbose));
	}
	if (t != NULL)
		ui_table_end(t);
}

static void
unread_show(const struct ui *ui, struct arena *a, const struct census *census)
{
	if (census->unread.n == 0)
		return;
	ui_printf(ui, UI_PLAIN, "\n");
	struct ui_table *t =
	    ui_table_new(ui, unread_columns, COUNT_OF(unread_columns));
	for (size_t i = 0; i < census->unread.n; i++) {
		const struct unread *unread = &census->unread.v[i];
		number_cell(t, a, UI_PLAIN, unread->lines);
		ui_table_cell(t, UI_PLAIN, unread->what);
		ui_table_cell(t, UI_PLAIN, unread->why);
	}
	ui_table_end(t);
}

static json_t *
rows_json(const struct census *census)
{
	json_t *types = json_object();
	for (size_t i = 0; i < census->rows.n; i++) {
		const struct census_row *row = &census->rows.v[i];
		json_t *line =
		    json_pack("{s:I}", "rules", (json_int_t)row->rules);
		for (size_t k = 0; k < RULE_FATES; k++)
			(void)json_object_set_new(line,
			    rule_fate_name((enum rule_fate)k).p,
			    json_integer((json_int_t)row->of[k]));
		(void)json_object_set_new(types, row->type.p, line);
	}
	return types;
}

static json_t *
needs_json(const struct census *census)
{
	json_t *needs = json_array();
	for (size_t i = 0; i < EVAL_NEEDS; i++) {
		const struct strs *rules = &census->needs[i];
		if (rules->n > 0)
			(void)json_array_append_new(
			    needs, json_pack("{s:o,s:o,s:o}", "need",
				       json_text(eval_need_name(i)), "what",
				       json_text(eval_need_help(i)), "rules",
				       json_texts(rules->v, rules->n)));
	}
	return needs;
}

static void
report_json(const struct census *census)
{
	json_t *groups = json_array(), *unread = json_array();
	for (size_t i = 0; i < census->groups.n; i++) {
		const struct census_group *group = &census->groups.v[i];
		(void)json_array_append_new(
		    groups, json_pack("{s:o,s:o,s:o}", "fate",
				json_text(rule_fate_name(group->fate)), "why",
				json_text(group->why), "rules",
				json_texts(group->rules.v, group->rules.n)));
	}
	for (size_t i = 0; i < census->unread.n; i++) {
		const struct unread *line = &census->unread.v[i];
		(void)json_array_append_new(unread,
		    json_pack("{s:o,s:o,s:I}", "what", json_text(line->what),
			"why", json_text(line->why), "lines",
			(json_int_t)line->lines));
	}
	json_t *all = json_pack("{s:o,s:o,s:o,s:o}", "types", rows_json(census),
	    "evals_need", needs_json(census), "not_run", groups, "not_used",
	    unread);
	json_line(stdout, all);
}

void
lint_report(const struct ruleset *rules, bool is_json, bool is_verbose)
{
	struct arena *a = arena_new();
	struct census census;
	ruleset_census(rules, a, &census);
	if (is_json) {
		report_json(&census);
	} else {
		struct ui ui;
		ui_init(&ui, stdout, UI_COLOR_AUTO);
		rows_show(&ui, a, &census);
		needs_show(&ui, a, &census, is_verbose);
		groups_show(&ui, a, &census, is_verbose);
		unread_show(&ui, a, &census);
	}
	arena_free(a);
}
