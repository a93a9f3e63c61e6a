/* SPDX-License-Identifier: BSD-2-Clause */
/* status -- what posternd is and has done so far. */
#include "base/arena.h"
#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/control_ask.h"
#include "cmd/held/held_output.h"
#include "cmd/memory_open.h"
#include "cmd/ui.h"
#include "session/verdict.h"

#define LINE_BYTES 16384
#define NAME_BYTES 200

/* ---- in a pipe: one line of key=value */

static void
put_name(struct buf *b, struct str prefix, const char *key)
{
	buf_put(b, prefix);
	for (const char *c = key; *c != '\0'; c++)
		buf_putc(b, *c == '_' ? '-' : *c);
}

/* Lists, hits and buckets are for --json. */
static bool
is_for_json_only(const char *key, const json_t *value)
{
	return json_is_array(value) || strcmp(key, "rule_hits") == 0 ||
	       strcmp(key, "sum_us") == 0 || strcmp(key, "clock_us") == 0;
}

static void
put_value(struct buf *b, const json_t *value)
{
	if (json_is_string(value))
		buf_put(b, str_from(json_string_value(value)));
	else if (json_is_boolean(value))
		buf_printf(b, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		buf_printf(b, "%lld", (long long)json_integer_value(value));
	else
		buf_printf(b, "%.6g", json_number_value(value));
}

static void
put_pairs(struct arena *a, struct buf *b, struct str prefix, json_t *o)
{
	const char *key;
	json_t *value;
	json_object_foreach(o, key, value)
	{
		struct buf *name = buf_new(a, NAME_BYTES);
		if (is_for_json_only(key, value))
			continue;
		put_name(name, prefix, key);
		if (json_is_object(value)) {
			buf_putc(name, '-');
			put_pairs(a, b, buf_str(name), value);
			continue;
		}
		buf_printf(b, "%s%.*s=", b->len > 0 ? " " : "",
		    STR_ARG(buf_str(name)));
		put_value(b, value);
	}
}

static void
show_line(struct arena *a, json_t *status)
{
	struct buf *b = buf_new(a, LINE_BYTES);
	put_pairs(a, b, STR_EMPTY, status);
	printf("%.*s\n", STR_ARG(buf_str(b)));
}

/* ---- on a terminal */

static json_int_t
number(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *
text(json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));
	return value == NULL ? "" : value;
}

static struct str
size_text(struct arena *a, json_t *o, const char *key)
{
	return held_size_text(a, (uint64_t)number(o, key));
}

static void
show_title(const struct ui *ui, const char *title)
{
	ui_printf(ui, UI_BOLD, "%-12s", title);
}

static void
show_daemon(const struct ui *ui, struct arena *a, json_t *s)
{
	bool observes = json_is_true(json_object_get(s, "observe"));
	show_title(ui, "posternd");
	ui_printf(ui, UI_PLAIN, "%s, up %.*s", text(s, "version"),
	    STR_ARG(held_age_text(a, number(s, "uptime_s"))));
	ui_printf(ui, observes ? UI_YELLOW : UI_PLAIN, "%s\n",
	    observes ? ", observing only" : "");
	show_title(ui, "rules");
	ui_printf(ui, UI_PLAIN,
	    "%lld active, %lld disabled, read %.*s ago, prefilter %s\n",
	    number(s, "rules"), number(s, "rules_disabled"),
	    STR_ARG(held_age_text(a, number(s, "snapshot_age_s"))),
	    text(s, "prefilter"));
	show_title(ui, "now");
	ui_printf(ui, UI_PLAIN,
	    "%lld connections (%lld in all), %lld messages in flight\n",
	    number(s, "connections"), number(s, "connections_total"),
	    number(s, "in_flight"));
}

static void
show_times(const struct ui *ui, json_t *s)
{
	static const char *const names[] = {"verdict", "answer"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		json_t *o = json_object_get(s, names[i]);
		show_title(ui, names[i]);
		ui_printf(ui, UI_PLAIN,
		    "half within %.3g ms, 90%% within %.3g ms, 99%% within "
		    "%.3g ms\n",
		    json_number_value(json_object_get(o, "p50_ms")),
		    json_number_value(json_object_get(o, "p90_ms")),
		    json_number_value(json_object_get(o, "p99_ms")));
	}
}

static void
show_stores(const struct ui *ui, struct arena *a, json_t *s)
{
	json_t *dns = json_object_get(s, "dns");
	json_t *held = json_object_get(s, "quarantine");
	json_t *ledger = json_object_get(s, "ledger");
	json_t *process = json_object_get(s, "process");
	json_int_t failed = number(dns, "timeouts") + number(dns, "failures");
	show_title(ui, "dns");
	ui_printf(ui, failed > 0 ? UI_YELLOW : UI_PLAIN,
	    "%lld questions, %lld timeouts, %lld failures, %lld wait now\n",
	    number(dns, "asked"), number(dns, "timeouts"),
	    number(dns, "failures"), number(dns, "waiting"));
	show_title(ui, "quarantine");
	ui_printf(ui, UI_PLAIN,
	    "%lld held (%.*s), %lld discarded (%.*s), of at most %.*s\n",
	    number(held, "held"), STR_ARG(size_text(a, held, "held_bytes")),
	    number(held, "discarded"),
	    STR_ARG(size_text(a, held, "discarded_bytes")),
	    STR_ARG(size_text(a, held, "max_bytes")));
	show_title(ui, "ledger");
	ui_printf(ui, UI_PLAIN, "%.*s of at most %.*s, with the history\n",
	    STR_ARG(size_text(a, ledger, "bytes")),
	    STR_ARG(size_text(a, ledger, "max_bytes")));
	show_title(ui, "process");
	ui_printf(ui, UI_PLAIN, "%.*s of memory, %.1f s of CPU, %lld files\n",
	    STR_ARG(size_text(a, process, "resident_bytes")),
	    json_number_value(json_object_get(process, "cpu_s")),
	    number(process, "open_files"));
}

/* Classes with mail, a column each action. */
static void
show_actions(
    const struct ui *ui, struct arena *a, const char *title, json_t *actions)
{
	struct ui_column columns[ACTION_COUNT + 1] = {{.title = title}};
	const char *class;
	json_t *counts;
	for (size_t i = 0; i < ACTION_COUNT; i++)
		columns[i + 1] = (struct ui_column){
		    .title = action_name((enum action)i).p, .is_right = true};
	if (json_object_size(actions) == 0)
		return;
	(void)fputc('\n', ui->out);
	struct ui_table *t = ui_table_new(ui, columns, ACTION_COUNT + 1);
	json_object_foreach(actions, class, counts)
	{
		ui_table_cell(t, UI_CYAN, str_from(class));
		for (size_t i = 0; i < ACTION_COUNT; i++)
			ui_table_cell(t, UI_PLAIN,
			    str_printf(a, "%lld",
				number(counts, action_name((enum action)i).p)));
	}
	ui_table_end(t);
}

static void
show_page(const struct ui *ui, struct arena *a, json_t *status)
{
	show_daemon(ui, a, status);
	show_times(ui, status);
	show_stores(ui, a, status);
	show_actions(ui, a, "CLASS", json_object_get(status, "actions"));
	show_actions(
	    ui, a, "WITHOUT OBSERVE", json_object_get(status, "would"));
}

int
cmd_status(int argc, char **argv)
{
	bool is_json = false;
	const struct memory_flag flags[] = {{"json", NULL, &is_json}, {0}};
	if (!memory_flags_parse(argc, argv, flags))
		return CMD_TROUBLE;
	if (optind < argc)
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct config config;
	struct ui ui;
	cmd_config_load(a, &config);
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	struct str why;
	json_t *status = control_status(a, &config, &why);
	int code = status == NULL ? CMD_TROUBLE : CMD_FINE;
	if (status == NULL)
		cmd_error("%.*s", STR_ARG(why));
	if (status != NULL && is_json)
		json_line(stdout, json_incref(status));
	else if (status != NULL && ui.is_terminal)
		show_page(&ui, a, status);
	else if (status != NULL)
		show_line(a, status);
	json_decref(status);
	arena_free(a);
	return code;
}
