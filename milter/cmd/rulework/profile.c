/* SPDX-License-Identifier: BSD-2-Clause */
/* profile -- which rules take how long on given mail. */
#include <getopt.h>
#include <math.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/mail_file.h"
#include "cmd/mailbox.h"
#include "cmd/rules_open.h"
#include "cmd/ui.h"

#define TOP_DEFAULT 20
#define TOP_MAX 1000000
#define AWAY_NS 100000
#define LAPS_MAX 5
#define SUMMARY_BYTES 4096

struct options {
	struct snapshot_source source;
	uint64_t top; /* 0: all */
	bool has_top, is_json, has_no_prefilter;
};

struct mail_bytes {
	struct str raw, separated; /* see mailbox_read() */
};

/* Rules of one type, or what is done for many. */
struct kind {
	struct str name;
	uint64_t ns;
};

struct profile {
	struct rule_costs *costs;
	struct rule_costs *lap; /* of one message */
	uint64_t messages;      /* that rules ran over */
	uint64_t unruled;       /* of a class that has no rules */
	uint64_t late;          /* out of time: not all rules ran */
	uint64_t ns;            /* all of it */
	bool has_trouble;
	struct {
		const struct rule_cost **v;
		size_t n, cap;
	} rows; /* what took any time, the most first */
	struct {
		struct kind *v;
		size_t n, cap;
	} kinds; /* the same */
};

static void
trouble_say(struct str name, struct str why)
{
	cmd_error("%.*s: cannot read: %.*s", STR_ARG(name), STR_ARG(why));
}

/* One run over a message. */
struct lap {
	int64_t wall_ns, cpu_ns;
	struct scan scan;
};

static void
lap_run(struct rule_costs *costs, const struct mail_desk *desk, struct arena *a,
    const struct mail_bytes *bytes, struct lap *ret)
{
	struct mail_file file;
	rule_costs_clear(costs);
	/* anew: what a message has shown once it need not make again */
	mail_file_look(desk, a, bytes->raw, bytes->separated, &file);
	int64_t wall = clock_ns(), cpu = clock_cpu_ns();
	mail_file_scan(desk, &file, false, costs, &ret->scan);
	ret->cpu_ns = clock_cpu_ns() - cpu;
	ret->wall_ns = clock_ns() - wall;
}

static void
lap_add(struct profile *p, const struct lap *lap)
{
	if (lap->scan.message == NULL) {
		p->unruled++;
		return;
	}
	p->messages++;
	p->late += lap->scan.result.is_out_of_time;
	p->ns += (uint64_t)lap->wall_ns;
	rule_costs_add(p->costs, p->lap);
}

/*
 * If the processor went to others meanwhile, that would be some rule's
 * milliseconds: again.
 */
static void
message_run(struct profile *p, const struct mail_desk *desk, struct arena *a,
    const struct mail_bytes *bytes)
{
	struct lap lap;
	int laps = 0;
	do
		lap_run(p->lap, desk, a, bytes, &lap);
	while (lap.wall_ns - lap.cpu_ns > AWAY_NS && ++laps < LAPS_MAX);
	lap_add(p, &lap);
}

static void
mailbox_run(struct profile *p, const struct mail_desk *desk,
    const struct mailbox *mailbox)
{
	struct arena *a = arena_new();
	struct ui_progress progress = {0};
	if (mailbox->n > 1)
		ui_progress_begin(&progress, "profiling", mailbox->n);
	for (size_t i = 0; i < mailbox->n; i++) {
		struct mail_bytes bytes;
		struct str why = STR_EMPTY;
		if (mailbox_read(
			a, mailbox, i, &bytes.raw, &bytes.separated, &why)) {
			message_run(p, desk, a, &bytes);
		} else {
			ui_progress_hide(&progress);
			trouble_say(mailbox_name(a, mailbox, i), why);
			p->has_trouble = true;
		}
		ui_progress_add(&progress, 1);
		arena_reset(a);
	}
	ui_progress_end(&progress);
	arena_free(a);
}

static void
kind_add(struct profile *p, struct arena *a, struct str name, uint64_t ns)
{
	size_t i = 0;
	while (i < p->kinds.n && !str_eq(p->kinds.v[i].name, name))
		i++;
	if (i == p->kinds.n)
		ARENA_PUSH(a, &p->kinds) = (struct kind){.name = name};
	p->kinds.v[i].ns += ns;
}

static int
compare_rows(const void *x, const void *y)
{
	const struct rule_cost *a = *(const struct rule_cost *const *)x;
	const struct rule_cost *b = *(const struct rule_cost *const *)y;
	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return str_cmp(a->rule, b->rule);
}

static int
compare_kinds(const void *x, const void *y)
{
	const struct kind *a = x;
	const struct kind *b = y;
	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return str_cmp(a->name, b->name);
}

/* Put what took any time in order, and add it up by kind. */
static void
profile_sort(struct profile *p, struct arena *a)
{
	uint64_t known = 0;
	for (size_t i = 0; i < p->costs->n; i++) {
		const struct rule_cost *cost = &p->costs->v[i];
		if (cost->ns == 0 && cost->strings == 0 && cost->hits == 0)
			continue;
		ARENA_PUSH(a, &p->rows) = cost;
		kind_add(p, a, cost->type, cost->ns);
		known += cost->ns;
	}
	if (p->ns > known)
		kind_add(p, a, STR("other"), p->ns - known);
	if (p->rows.n > 0)
		qsort(p->rows.v, p->rows.n, sizeof(p->rows.v[0]), compare_rows);
	if (p->kinds.n > 0)
		qsort(p->kinds.v, p->kinds.n, sizeof(p->kinds.v[0]),
		    compare_kinds);
}

static double
a_message(const struct profile *p, uint64_t n)
{
	return p->messages == 0 ? 0 : (double)n / (double)p->messages;
}

static double
us_a_message(const struct profile *p, uint64_t ns)
{
	return a_message(p, ns) / 1000;
}

static double
percent(const struct profile *p, uint64_t ns)
{
	return p->ns == 0 ? 0 : 100 * (double)ns / (double)p->ns;
}

/* "file:line"; on a terminal there is no room for the folder. */
static struct str
place_text(const struct ui *ui, struct arena *a, const struct rule_cost *cost)
{
	struct str file = cost->file;
	if (file.len == 0)
		return STR("-");
	size_t slash = str_rchr(file, '/');
	if (ui->columns > 0 && slash != STR_NONE)
		file = str_skip(file, slash + 1);
	return str_printf(a, "%.*s:%u", STR_ARG(file), cost->line);
}

static const struct ui_column columns[] = {
    {.title = "RANK", .is_right = true},
    {.title = "RULE", .is_elastic = true},
    {.title = "TYPE"},
    {.title = "US", .is_right = true},
    {.title = "SHARE", .is_right = true},
    {.title = "TRIED", .is_right = true},
    {.title = "HITS", .is_right = true},
    {.title = "WHERE", .is_elastic = true},
};

static void
row_show(const struct profile *p, const struct ui *ui, struct ui_table *table,
    struct arena *a, size_t i)
{
	const struct rule_cost *cost = p->rows.v[i];
	struct str cells[COUNT_OF(columns)] = {
	    str_printf(a, "%zu", i + 1),
	    cost->rule,
	    cost->type,
	    str_printf(a, "%.1f", us_a_message(p, cost->ns)),
	    str_printf(a, "%.1f%%", percent(p, cost->ns)),
	    cost->has_regex ? str_printf(a, "%.1f", a_message(p, cost->strings))
			    : STR("-"),
	    cost->file.len > 0
		? str_printf(a, "%llu", (unsigned long long)cost->hits)
		: STR("-"),
	    place_text(ui, a, cost),
	};
	for (size_t k = 0; k < COUNT_OF(cells); k++)
		ui_table_cell(table, UI_PLAIN, cells[k]);
}

/* "12 messages, 340.1 us each: body 200.0 (59%), view 80.2 (24%), ..." */
static void
summary_show(const struct profile *p, const struct ui *ui, struct arena *a)
{
	struct buf *b = buf_new(a, SUMMARY_BYTES);
	buf_printf(b, "%llu messages, %.1f us each",
	    (unsigned long long)p->messages, us_a_message(p, p->ns));
	for (size_t i = 0; i < p->kinds.n; i++)
		buf_printf(b, "%s%.*s %.1f (%.0f%%)", i == 0 ? ": " : ", ",
		    STR_ARG(p->kinds.v[i].name),
		    us_a_message(p, p->kinds.v[i].ns),
		    percent(p, p->kinds.v[i].ns));
	const struct {
		uint64_t n;
		const char *what;
	} notes[] = {
	    {p->late, "out of time, so not all rules ran (scan-time)"},
	    {p->unruled, "of a class without rules, not counted"},
	};
	for (size_t i = 0; i < COUNT_OF(notes); i++)
		if (notes[i].n > 0)
			buf_printf(b, "; %llu %s",
			    (unsigned long long)notes[i].n, notes[i].what);
	ui_put(ui, UI_BOLD, buf_str(b));
	(void)fputc('\n', ui->out);
}

static void
table_show(const struct profile *p, struct arena *a, size_t n)
{
	struct ui ui;
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	struct ui_table *table = ui_table_new(&ui, columns, COUNT_OF(columns));
	for (size_t i = 0; i < n; i++)
		row_show(p, &ui, table, a, i);
	ui_table_end(table);
	if (n > 0)
		(void)fputc('\n', stdout);
	summary_show(p, &ui, a);
}

/* No more digits than there are nanoseconds. */
static json_t *
number_json(double x)
{
	return json_real(round(x * 1000) / 1000);
}

static json_t *
row_json(const struct profile *p, size_t i)
{
	const struct rule_cost *cost = p->rows.v[i];
	bool is_rule = cost->file.len > 0;
	json_t *o = json_object();
	json_object_set_new(o, "rank", json_integer((json_int_t)i + 1));
	json_object_set_new(o, "rule", json_text(cost->rule));
	json_object_set_new(o, "type", json_text(cost->type));
	json_object_set_new(o, "us", number_json(us_a_message(p, cost->ns)));
	json_object_set_new(o, "percent", number_json(percent(p, cost->ns)));
	json_object_set_new(o, "strings",
	    cost->has_regex ? number_json(a_message(p, cost->strings))
			    : json_null());
	json_object_set_new(o, "hits",
	    is_rule ? json_integer((json_int_t)cost->hits) : json_null());
	json_object_set_new(
	    o, "file", is_rule ? json_text(cost->file) : json_null());
	json_object_set_new(
	    o, "line", is_rule ? json_integer(cost->line) : json_null());
	return o;
}

static json_t *
summary_json(const struct profile *p, struct arena *a)
{
	json_t *kinds = json_object();
	for (size_t i = 0; i < p->kinds.n; i++)
		json_object_set_new(kinds, str_c(a, p->kinds.v[i].name),
		    number_json(us_a_message(p, p->kinds.v[i].ns)));
	json_t *o = json_object();
	json_object_set_new(
	    o, "messages", json_integer((json_int_t)p->messages));
	json_object_set_new(o, "us", number_json(us_a_message(p, p->ns)));
	json_object_set_new(o, "kinds", kinds);
	json_object_set_new(o, "late", json_integer((json_int_t)p->late));
	json_object_set_new(o, "unruled", json_integer((json_int_t)p->unruled));
	return o;
}

static void
profile_show(const struct profile *p, struct arena *a, const struct options *o)
{
	uint64_t top = o->has_top ? o->top : o->is_json ? 0 : TOP_DEFAULT;
	size_t n = p->rows.n;
	if (top > 0 && top < n)
		n = (size_t)top;
	if (!o->is_json) {
		table_show(p, a, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		json_line(stdout, row_json(p, i));
	json_line(stdout, summary_json(p, a));
}

enum { OPT_CONFIG = 256, OPT_RULES, OPT_TOP, OPT_JSON, OPT_PREFILTER };

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"rules", required_argument, NULL, OPT_RULES},
    {"top", required_argument, NULL, OPT_TOP},
    {"json", no_argument, NULL, OPT_JSON},
    {"prefilter", required_argument, NULL, OPT_PREFILTER}, {0}};

static bool
prefilter_take(struct options *o, struct str value)
{
	o->has_no_prefilter = str_eq(value, STR("no"));
	return o->has_no_prefilter || str_eq(value, STR("wait"));
}

/* One option.  False: said what is wrong. */
static bool
option_take(struct arena *a, struct options *o, int c, const char *command)
{
	switch (c) {
	case OPT_CONFIG:
		o->source.config_path = optarg;
		return true;
	case OPT_RULES:
		strs_add(a, &o->source.rules, str_from(optarg));
		return true;
	case OPT_TOP:
		o->has_top = true;
		return str_u64(str_from(optarg), TOP_MAX, &o->top) ||
		       cmd_refuse("top", optarg, "a number; 0 is all of them");
	case OPT_JSON:
		return o->is_json = true;
	case OPT_PREFILTER:
		return prefilter_take(o, str_from(optarg)) ||
		       cmd_refuse("prefilter", optarg, "wait or no");
	default:
		(void)cmd_usage(command);
		return false;
	}
}

static bool
options_read(struct arena *a, int argc, char **argv, struct options *o)
{
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(a, o, c, argv[0]))
			return false;
	if (optind == argc)
		(void)cmd_usage(argv[0]);
	return optind < argc;
}

static void
profile_run(struct profile *p, struct arena *a, struct snapshot *snapshot,
    const struct options *o, const struct mailbox *mailbox)
{
	const struct mail_fixed fixed = MAIL_FIXED_NONE;
	struct mail_desk desk = {
	    .snapshot = snapshot,
	    .fixed = &fixed,
	    .mta_name = cmd_own_name(a),
	};
	if (!o->has_no_prefilter && mailbox->n > 0)
		filterer_stop(rules_filter(snapshot, true));
	p->costs = rule_costs_new(a, snapshot->rules, clock_ns);
	p->lap = rule_costs_new(a, snapshot->rules, clock_ns);
	mailbox_run(p, &desk, mailbox);
	profile_sort(p, a);
	profile_show(p, a, o);
}

static int
profile(struct arena *a, int argc, char **argv)
{
	/* waiting for the DNS is no rule's cost */
	struct options o = {.source = {.is_offline = true}};
	struct mailbox mailbox = {0};
	struct profile p = {0};
	if (!options_read(a, argc, argv, &o))
		return CMD_TROUBLE;
	for (int i = optind; i < argc; i++)
		if (!mailbox_add(a, &mailbox, argv[i]))
			p.has_trouble = true;
	struct snapshot *snapshot = rules_open(&o.source);
	if (snapshot == NULL)
		return CMD_TROUBLE;
	profile_run(&p, a, snapshot, &o, &mailbox);
	snapshot_put(snapshot);
	return p.has_trouble ? CMD_TROUBLE : CMD_FINE;
}

int
cmd_profile(int argc, char **argv)
{
	struct arena *a = arena_new();
	int code = profile(a, argc, argv);
	arena_free(a);
	return code;
}
