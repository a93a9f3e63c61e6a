/* SPDX-License-Identifier: BSD-2-Clause */
/* top -- what posternd does now, drawn again every second. */
#include <poll.h>

#include "base/arena.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/control_ask.h"
#include "cmd/held/held_output.h"
#include "cmd/memory_open.h"
#include "cmd/screen.h"
#include "cmd/top_round.h"
#include "cmd/ui.h"

#define INTERVAL_MAX_S 3600
#define ROUNDS_MAX 1000000
#define ROWS_SHOWN 10

struct top {
	struct config config;
	struct ui ui;
	int64_t interval_ms;
	uint64_t rounds; /* 0: until it is ended */
	bool is_json;
	json_t *before; /* the last answer; NULL: none yet */
};

/* ---- one page */

static uint64_t
number(json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));
	return n < 0 ? 0 : (uint64_t)n;
}

static struct str
size(struct arena *a, json_t *o, const char *key)
{
	return held_size_text(a, number(o, key));
}

static void
show_head(const struct ui *ui, struct arena *a, json_t *now)
{
	char stamp[CLOCK_STAMP];
	bool observes = json_is_true(json_object_get(now, "observe"));
	clock_stamp((int64_t)number(now, "time"), stamp);
	ui_printf(ui, UI_BOLD, "posternd %s",
	    json_string_value(json_object_get(now, "version")));
	ui_printf(ui, UI_PLAIN, "  %s  up %.*s  %llu rules, read %.*s ago%s\n",
	    stamp, STR_ARG(held_age_text(a, (int64_t)number(now, "uptime_s"))),
	    (unsigned long long)number(now, "rules"),
	    STR_ARG(held_age_text(a, (int64_t)number(now, "snapshot_age_s"))),
	    observes ? "  observing" : "");
}

static void
show_actions(
    const struct ui *ui, const char *title, const double rates[ACTION_COUNT])
{
	ui_printf(ui, UI_BOLD, "%-11s", title);
	for (size_t i = 0; i < ACTION_COUNT; i++) {
		enum action action = (enum action)i;
		bool is_stop = action > ACTION_TAG && rates[i] > 0;
		ui_printf(ui, is_stop ? UI_YELLOW : UI_PLAIN, "%s%.*s %.1f",
		    i == 0 ? "" : "  ", STR_ARG(action_name(action)), rates[i]);
	}
	ui_printf(ui, UI_PLAIN, "\n");
}

static void
show_rates(const struct ui *ui, struct arena *a, const struct top_round *r,
    json_t *now)
{
	ui_printf(ui, UI_BOLD, "messages/s ");
	ui_printf(ui, UI_GREEN, "%8.1f", r->messages);
	ui_printf(ui, UI_PLAIN,
	    "  recipients/s %.1f  %.*s/s  %llu connections  %llu in flight\n",
	    r->recipients, STR_ARG(held_size_text(a, (uint64_t)r->bytes)),
	    (unsigned long long)number(now, "connections"),
	    (unsigned long long)number(now, "in_flight"));
	show_actions(ui, "actions/s", r->actions);
	/* only what observes has any */
	if (json_object_size(json_object_get(now, "would")) > 0)
		show_actions(ui, "would/s", r->would);
}

static void
show_times(
    const struct ui *ui, const char *title, const struct histogram_view *view)
{
	ui_printf(ui, UI_BOLD, "%-11s", title);
	ui_printf(ui, UI_PLAIN, "p50 %.3g ms  p90 %.3g ms  p99 %.3g ms\n",
	    (double)histogram_quantile_us(view, 0.5) / 1e3,
	    (double)histogram_quantile_us(view, 0.9) / 1e3,
	    (double)histogram_quantile_us(view, 0.99) / 1e3);
}

static void
show_stores(const struct ui *ui, struct arena *a, const struct top_round *r,
    json_t *now)
{
	json_t *held = json_object_get(now, "quarantine");
	json_t *ledger = json_object_get(now, "ledger");
	bool fails = r->dns_timeouts + r->dns_failures > 0;
	ui_printf(ui, UI_BOLD, "dns/s      ");
	ui_printf(ui, fails ? UI_YELLOW : UI_PLAIN,
	    "asked %.1f  timeouts %.1f  failures %.1f  waiting %llu\n",
	    r->dns_asked, r->dns_timeouts, r->dns_failures,
	    (unsigned long long)number(json_object_get(now, "dns"), "waiting"));
	ui_printf(ui, UI_BOLD, "quarantine ");
	ui_printf(ui, UI_PLAIN,
	    "%llu held (%.*s)  %llu discarded (%.*s)  of %.*s;  ledger %.*s\n",
	    (unsigned long long)number(held, "held"),
	    STR_ARG(size(a, held, "held_bytes")),
	    (unsigned long long)number(held, "discarded"),
	    STR_ARG(size(a, held, "discarded_bytes")),
	    STR_ARG(size(a, held, "max_bytes")),
	    STR_ARG(size(a, ledger, "bytes")));
}

static const struct ui_column sender_columns[] = {
    {.title = "MESSAGES", .is_right = true},
    {.title = "STOPPED", .is_right = true},
    {.title = "RECIPIENTS", .is_right = true},
    {.title = "SENDER (5 MINUTES)", .is_elastic = true}};

static void
show_senders(const struct ui *ui, struct arena *a, const struct top_round *r)
{
	struct ui_table *t =
	    ui_table_new(ui, sender_columns, COUNT_OF(sender_columns));
	if (r->nsenders > 0)
		(void)fputc('\n', ui->out);
	for (size_t i = 0; i < r->nsenders && i < ROWS_SHOWN; i++) {
		const struct top_sender *s = &r->senders[i];
		ui_table_cell(t, UI_PLAIN, str_printf(a, "%.0f", s->messages));
		ui_table_cell(t, s->stopped >= 0.5 ? UI_YELLOW : UI_PLAIN,
		    str_printf(a, "%.0f", s->stopped));
		ui_table_cell(
		    t, UI_PLAIN, str_printf(a, "%.0f", s->recipients));
		ui_table_cell(t, UI_CYAN, s->sender);
	}
	ui_table_end(t);
}

static const struct ui_column rule_columns[] = {
    {.title = "HITS/S", .is_right = true}, {.title = "HITS", .is_right = true},
    {.title = "RULE", .is_elastic = true}};

static void
show_rules(const struct ui *ui, struct arena *a, const struct top_round *r)
{
	struct ui_table *t =
	    ui_table_new(ui, rule_columns, COUNT_OF(rule_columns));
	if (r->nrules > 0)
		(void)fputc('\n', ui->out);
	for (size_t i = 0; i < r->nrules && i < ROWS_SHOWN; i++) {
		const struct top_rule *rule = &r->rules[i];
		ui_table_cell(t, UI_PLAIN, str_printf(a, "%.1f", rule->rate));
		ui_table_cell(t, UI_PLAIN,
		    str_printf(a, "%llu", (unsigned long long)rule->hits));
		ui_table_cell(t, UI_CYAN, rule->rule);
	}
	ui_table_end(t);
}

static void
show_page(const struct ui *ui, struct arena *a, const struct top_round *r,
    json_t *now)
{
	show_head(ui, a, now);
	show_rates(ui, a, r, now);
	show_times(ui, "verdict", &r->verdict);
	show_times(ui, "answer", &r->answer);
	show_stores(ui, a, r, now);
	show_senders(ui, a, r);
	show_rules(ui, a, r);
}

/* ---- rounds */

/* False: `*ret_why`. */
static bool
round_next(struct top *top, struct arena *a, struct top_round *ret,
    json_t **ret_now, struct str *ret_why)
{
	json_t *now = control_status(a, &top->config, ret_why);
	if (now == NULL)
		return false;
	top_round(a, top->before, now, ret);
	json_decref(top->before);
	top->before = *ret_now = now;
	return true;
}

static int
trouble(struct str why)
{
	cmd_error("%.*s", STR_ARG(why));
	return CMD_TROUBLE;
}

/* A round a line or a page; the first one only to have something before. */
static int
print_rounds(struct top *top)
{
	struct arena *a = arena_new();
	for (uint64_t i = 0; top->rounds == 0 || i <= top->rounds; i++) {
		struct top_round round;
		json_t *now;
		struct str why;
		int64_t next_ms = clock_ms() + top->interval_ms;
		if (!round_next(top, a, &round, &now, &why)) {
			int code = trouble(why);
			arena_free(a);
			return code;
		}
		if (i > 0 && top->is_json)
			json_line(stdout, top_round_json(&round, now));
		else if (i > 0)
			show_page(&top->ui, a, &round, now);
		if (i > 0 && !top->is_json && i != top->rounds)
			(void)fputc('\n', stdout);
		if (!ui_out_flush())
			break;
		arena_reset(a);
		while (i != top->rounds && clock_ms() < next_ms)
			(void)poll(NULL, 0, (int)(next_ms - clock_ms()));
	}
	arena_free(a);
	return CMD_FINE;
}

/* The page is made aside and then shown at once. */
static void
draw(struct top *top, struct screen *screen, struct arena *a,
    const struct top_round *round, json_t *now, struct str why)
{
	char *page = NULL;
	size_t len = 0;
	ui_init(&top->ui, stdout, UI_COLOR_AUTO);
	FILE *out = open_memstream(&page, &len);
	if (out == NULL)
		return;
	top->ui.out = out;
	if (why.len > 0)
		ui_printf(&top->ui, UI_RED, "%.*s\n", STR_ARG(why));
	if (now != NULL)
		show_page(&top->ui, a, round, now);
	if (fclose(out) == 0)
		screen_draw(screen, str_of(page, len));
	free(page);
}

static bool
goes_on(struct screen *screen, int64_t until_ms, bool *ret_is_redraw)
{
	enum screen_event event = screen_wait(screen, until_ms);
	*ret_is_redraw = event == SCREEN_REDRAW;
	return event != SCREEN_QUIT;
}

static void
watch(struct top *top, struct screen *screen, struct arena *a)
{
	struct arena *shown = arena_new();
	struct top_round round = {0};
	json_t *now = top->before;
	bool is_redraw;
	for (uint64_t i = 1;; i++) {
		struct str why = STR_EMPTY;
		int64_t next_ms = clock_ms() + top->interval_ms;
		arena_reset(shown);
		bool is_there = round_next(top, shown, &round, &now, &why);
		if (!is_there)
			now = NULL; /* what it said is of another arena */
		do {
			draw(top, screen, a, &round, now, why);
			arena_reset(a);
			if (!goes_on(screen, next_ms, &is_redraw)) {
				arena_free(shown);
				return;
			}
		} while (is_redraw);
		if (i == top->rounds)
			break;
	}
	arena_free(shown);
}

static int
watch_rounds(struct top *top)
{
	struct arena *a = arena_new();
	struct str why;
	int code = CMD_FINE;
	json_t *first = control_status(a, &top->config, &why);
	if (first == NULL) {
		code = trouble(why);
	} else {
		json_decref(first);
		struct screen *screen = screen_open();
		watch(top, screen, a);
		screen_close(screen);
	}
	arena_free(a);
	return code;
}

/* ---- the command */

static bool
interval_parse(const char *text, int64_t *ret_ms)
{
	double s;
	if (text == NULL)
		return true;
	if (!str_double(str_from(text), &s) || s < 0.1 || s > INTERVAL_MAX_S)
		return cmd_refuse(
		    "interval", text, "seconds, from 0.1 to 3600");
	*ret_ms = (int64_t)(s * 1000);
	return true;
}

static bool
rounds_parse(const char *text, uint64_t *ret)
{
	if (text == NULL ||
	    (str_u64(str_from(text), ROUNDS_MAX, ret) && *ret > 0))
		return true;
	return cmd_refuse("rounds", text, "a number from 1 to 1000000");
}

int
cmd_top(int argc, char **argv)
{
	struct top top = {.interval_ms = 1000};
	const char *interval = NULL, *rounds = NULL;
	bool is_once = false;
	const struct memory_flag flags[] = {{"once", NULL, &is_once},
	    {"json", NULL, &top.is_json}, {"interval", &interval, NULL},
	    {"rounds", &rounds, NULL}, {0}};
	if (!memory_flags_parse(argc, argv, flags) ||
	    !interval_parse(interval, &top.interval_ms) ||
	    !rounds_parse(rounds, &top.rounds))
		return CMD_TROUBLE;
	if (optind < argc)
		return cmd_usage(argv[0]);
	if (is_once)
		top.rounds = 1;
	struct arena *a = arena_new();
	cmd_config_load(a, &top.config);
	ui_init(&top.ui, stdout, UI_COLOR_AUTO);
	bool is_page = top.ui.is_terminal && !top.is_json && !is_once;
	int code = is_page ? watch_rounds(&top) : print_rounds(&top);
	json_decref(top.before);
	arena_free(a);
	return code;
}
