/* SPDX-License-Identifier: BSD-2-Clause */
/* fpfn -- false positives and negatives by threshold, by the log of masscheck.
 */
#include <getopt.h>
#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/rulework/mass_open.h"
#include "cmd/rulework/mass_stats.h"
#include "cmd/ui.h"
#include "mail/envelope.h"

#define STEPS_MAX 10000
#define MILLI 1000

struct options {
	struct str hash;
	double from, to, step; /* thresholds */
	double max_fp;         /* percent */
	double lambda;
	bool is_json;
};

/* What is shown of one class, or of all. */
struct row_set {
	const struct mass *mass;
	struct str class; /* empty: all */
	const struct options *options;
};

static size_t
steps_of(const struct options *o)
{
	return (size_t)floor((o->to - o->from) / o->step + 1e-9) + 1;
}

/* Scores have three decimals, and so have thresholds. */
static double
threshold_at(const struct options *o, size_t i)
{
	double x = o->from + (double)i * o->step;
	return round(x * MILLI) / MILLI;
}

static double
fp_percent(const struct mass_errors *e)
{
	return 100 * mass_rate(e->false_positives, e->ham);
}

static double
fn_percent(const struct mass_errors *e)
{
	return 100 * mass_rate(e->false_negatives, e->spam);
}

/* The lowest threshold with few enough false positives; NAN: none. */
static double
recommended(const struct row_set *set)
{
	for (size_t i = 0; i < steps_of(set->options); i++) {
		double threshold = threshold_at(set->options, i);
		struct mass_errors e =
		    mass_errors_at(set->mass, set->class, threshold);
		if (fp_percent(&e) <= set->options->max_fp)
			return threshold;
	}
	return NAN;
}

static struct str
class_text(const struct row_set *set)
{
	return set->class.len == 0 ? STR("all") : set->class;
}

static const struct ui_column columns[] = {
    {.title = "CLASS"},
    {.title = "THRESHOLD", .is_right = true},
    {.title = "FP", .is_right = true},
    {.title = "FP%", .is_right = true},
    {.title = "FN", .is_right = true},
    {.title = "FN%", .is_right = true},
    {.title = "TCR", .is_right = true},
};

static void
row_show(const struct row_set *set, double threshold, bool is_best,
    struct ui_table *table, struct arena *a)
{
	struct mass_errors e = mass_errors_at(set->mass, set->class, threshold);
	double tcr = mass_tcr(&e, set->options->lambda);
	struct str cells[COUNT_OF(columns)] = {
	    class_text(set),
	    str_printf(a, "%.3g", threshold),
	    str_printf(a, "%zu", e.false_positives),
	    str_printf(a, "%.3f%%", fp_percent(&e)),
	    str_printf(a, "%zu", e.false_negatives),
	    str_printf(a, "%.3f%%", fn_percent(&e)),
	    isinf(tcr) ? STR("-") : str_printf(a, "%.2f", tcr),
	};
	for (size_t k = 0; k < COUNT_OF(cells); k++)
		ui_table_cell(table, is_best ? UI_BOLD : UI_PLAIN, cells[k]);
}

static json_t *
row_json(const struct row_set *set, double threshold, bool is_best)
{
	struct mass_errors e = mass_errors_at(set->mass, set->class, threshold);
	double tcr = mass_tcr(&e, set->options->lambda);
	return json_pack("{s:o,s:f,s:I,s:I,s:I,s:I,s:f,s:f,s:o,s:b}", "class",
	    json_text(class_text(set)), "threshold", threshold, "ham",
	    (json_int_t)e.ham, "spam", (json_int_t)e.spam, "false_positives",
	    (json_int_t)e.false_positives, "false_negatives",
	    (json_int_t)e.false_negatives, "fp_percent", fp_percent(&e),
	    "fn_percent", fn_percent(&e), "tcr",
	    isinf(tcr) ? json_null() : json_real(tcr), "recommended",
	    (int)is_best);
}

static void
rows_show(const struct row_set *set, struct ui_table *table, struct arena *a)
{
	const struct options *o = set->options;
	double best = recommended(set);
	for (size_t i = 0; i < steps_of(o); i++) {
		double threshold = threshold_at(o, i);
		if (o->is_json)
			json_line(stdout,
			    row_json(set, threshold, threshold == best));
		else
			row_show(set, threshold, threshold == best, table, a);
	}
}

/* "submission: hold at 6 for at most 0.1% false positives; ..." */
static void
advice_show(const struct row_set *set, const struct ui *ui)
{
	const struct options *o = set->options;
	double best = recommended(set);
	struct mass_errors e = mass_errors_at(
	    set->mass, set->class, isnan(best) ? INFINITY : best);
	ui_printf(ui, UI_BOLD, "%.*s: %zu ham, %zu spam; ",
	    STR_ARG(class_text(set)), e.ham, e.spam);
	if (e.ham == 0)
		ui_printf(ui, UI_BOLD, "without ham there is no advice\n");
	else if (isnan(best))
		ui_printf(ui, UI_BOLD,
		    "no threshold up to %.3g has only %.3g%% false "
		    "positives\n",
		    o->to, o->max_fp);
	else
		ui_printf(ui, UI_BOLD,
		    "%.3g is the lowest threshold with at most %.3g%% false "
		    "positives (here %.3f%%, so with 95%% confidence below "
		    "%.2g%%); it misses %.3f%% of spam\n",
		    best, o->max_fp, fp_percent(&e),
		    100 * mass_rate_bound(e.false_positives, e.ham),
		    fn_percent(&e));
}

static bool
has_class(const struct mass *mass, struct str class)
{
	for (size_t i = 0; i < mass->mails.n; i++)
		if (str_eq(mass->mails.v[i].class, class))
			return true;
	return false;
}

/* Each class there is, and all of them if there are several; their number. */
static size_t
sets_make(const struct mass *mass, const struct options *o,
    struct row_set ret[CLASS_COUNT + 1])
{
	size_t n = 0;
	for (unsigned c = 0; c < CLASS_COUNT; c++) {
		struct str class = mail_class_name((enum mail_class)c);
		if (has_class(mass, class))
			ret[n++] = (struct row_set){mass, class, o};
	}
	if (n != 1)
		ret[n++] = (struct row_set){mass, STR_EMPTY, o};
	return n;
}

static void
mass_show(const struct mass *mass, struct arena *a, const struct options *o)
{
	struct row_set sets[CLASS_COUNT + 1];
	size_t n = sets_make(mass, o, sets);
	struct ui ui;
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	struct ui_table *table = ui_table_new(&ui, columns, COUNT_OF(columns));
	for (size_t i = 0; i < n; i++)
		rows_show(&sets[i], table, a);
	ui_table_end(table);
	for (size_t i = 0; i < n && !o->is_json; i++)
		advice_show(&sets[i], &ui);
}

enum {
	OPT_HASH = 256,
	OPT_FROM,
	OPT_TO,
	OPT_STEP,
	OPT_MAX_FP,
	OPT_LAMBDA,
	OPT_JSON
};

static const struct option long_options[] = {
    {"hash", required_argument, NULL, OPT_HASH},
    {"from", required_argument, NULL, OPT_FROM},
    {"to", required_argument, NULL, OPT_TO},
    {"step", required_argument, NULL, OPT_STEP},
    {"max-fp", required_argument, NULL, OPT_MAX_FP},
    {"lambda", required_argument, NULL, OPT_LAMBDA},
    {"json", no_argument, NULL, OPT_JSON}, {0}};

static const struct cmd_number numbers[] = {
    {OPT_FROM, "from", "a score like 1", offsetof(struct options, from), -1000,
	1000},
    {OPT_TO, "to", "a score like 15", offsetof(struct options, to), -1000,
	1000},
    {OPT_STEP, "step", "a number like 0.5", offsetof(struct options, step),
	0.001, 1000},
    {OPT_MAX_FP, "max-fp", "percent, like 0.1",
	offsetof(struct options, max_fp), 0, 100},
    {OPT_LAMBDA, "lambda", "a number like 50", offsetof(struct options, lambda),
	0, 1e9},
};

/* One option.  False: said what is wrong. */
static bool
option_take(struct options *o, int c, const char *command)
{
	bool is_good;
	if (cmd_number_take(numbers, COUNT_OF(numbers), c, o, &is_good))
		return is_good;
	if (c == OPT_HASH)
		o->hash = str_from(optarg);
	else if (c == OPT_JSON)
		o->is_json = true;
	else
		(void)cmd_usage(command);
	return c == OPT_HASH || c == OPT_JSON;
}

static bool
range_check(const struct options *o)
{
	bool is_good =
	    o->to >= o->from && (o->to - o->from) / o->step < STEPS_MAX;
	if (!is_good)
		cmd_error("from %.3g to %.3g in steps of %.3g: write a "
			  "range of at most %d thresholds",
		    o->from, o->to, o->step, STEPS_MAX);
	return is_good;
}

static int
fpfn(struct arena *a, int argc, char **argv)
{
	struct options o = {.hash = STR_EMPTY,
	    .from = 1,
	    .to = 15,
	    .step = 0.5,
	    .max_fp = 0.1,
	    .lambda = 50};
	struct mass mass;
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(&o, c, argv[0]))
			return CMD_TROUBLE;
	if (optind + 1 != argc)
		return cmd_usage(argv[0]);
	if (!range_check(&o) || !mass_open(a, argv[optind], o.hash, &mass))
		return CMD_TROUBLE;
	mass_show(&mass, a, &o);
	return CMD_FINE;
}

int
cmd_fpfn(int argc, char **argv)
{
	struct arena *a = arena_new();
	int code = fpfn(a, argc, argv);
	arena_free(a);
	return code;
}
