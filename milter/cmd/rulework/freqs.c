/* SPDX-License-Identifier: BSD-2-Clause */
/* freqs -- how often each rule hits ham and spam, by the log of masscheck. */
#include <getopt.h>
#include <math.h>

#include "base/arena.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/rulework/mass_open.h"
#include "cmd/rulework/mass_stats.h"
#include "cmd/ui.h"

#define TOP_MAX 1000000
/* Fewer common messages say nothing of a pair. */
#define OVERLAP_LEAST 10

enum view { VIEW_RULES, VIEW_OVERLAP, VIEW_NEVER };

struct options {
	struct str hash;
	enum view view;
	double overlap; /* percent */
	uint64_t top;   /* 0: all */
	bool is_json;
};

static double
percent(size_t hits, size_t messages)
{
	return 100 * mass_rate(hits, messages);
}

/* Microseconds a message; NAN: not known. */
static double
cost_us(const struct mass_rule *rule)
{
	return rule->ns_messages == 0
		   ? NAN
		   : (double)rule->ns / (double)rule->ns_messages / 1000;
}

static size_t
shown(const struct options *o, size_t n)
{
	return o->top > 0 && o->top < n ? (size_t)o->top : n;
}

/* No more digits than mean something. */
static json_t *
number_json(double x)
{
	return isfinite(x) ? json_real(round(x * 1e6) / 1e6) : json_null();
}

/* --- rules ---------------------------------------------------------------- */

static const struct ui_column rule_columns[] = {
    {.title = "OVERALL", .is_right = true},
    {.title = "SPAM", .is_right = true},
    {.title = "HAM", .is_right = true},
    {.title = "S/O", .is_right = true},
    {.title = "RANK", .is_right = true},
    {.title = "SCORE", .is_right = true},
    {.title = "US", .is_right = true},
    {.title = "RULE", .is_elastic = true},
};

static struct str
percent_text(struct arena *a, size_t hits, size_t messages)
{
	return str_printf(a, "%.3f%%", percent(hits, messages));
}

static void
rule_show(const struct mass *mass, const struct mass_ranked *ranked,
    struct ui_table *table, struct arena *a)
{
	const struct mass_rule *rule = &mass->rules.v[ranked->rule];
	double us = cost_us(rule);
	struct str cells[COUNT_OF(rule_columns)] = {
	    percent_text(a, rule->hits[0] + rule->hits[1], mass->mails.n),
	    percent_text(a, rule->hits[1], mass->count[1]),
	    percent_text(a, rule->hits[0], mass->count[0]),
	    str_printf(a, "%.3f", mass_spam_over_all(mass, rule)),
	    str_printf(a, "%.2f", ranked->rank),
	    rule->is_sub ? STR("-") : str_printf(a, "%.3f", rule->score),
	    isnan(us) ? STR("-") : str_printf(a, "%.1f", us),
	    rule->name,
	};
	enum ui_style style = ranked->information < 0 ? UI_YELLOW : UI_PLAIN;
	for (size_t k = 0; k < COUNT_OF(cells); k++)
		ui_table_cell(table, style, cells[k]);
}

static json_t *
rule_json(const struct mass *mass, const struct mass_rule *rule,
    const struct mass_ranked *ranked)
{
	bool has_hit = rule->hits[0] + rule->hits[1] > 0;
	json_t *o = json_object();
	json_object_set_new(o, "rule", json_text(rule->name));
	json_object_set_new(o, "type", json_text(rule->type));
	json_object_set_new(
	    o, "score", rule->is_sub ? json_null() : json_real(rule->score));
	json_object_set_new(o, "spam", json_integer(rule->hits[1]));
	json_object_set_new(o, "ham", json_integer(rule->hits[0]));
	json_object_set_new(o, "spam_percent",
	    number_json(percent(rule->hits[1], mass->count[1])));
	json_object_set_new(o, "ham_percent",
	    number_json(percent(rule->hits[0], mass->count[0])));
	json_object_set_new(o, "so",
	    has_hit ? number_json(mass_spam_over_all(mass, rule))
		    : json_null());
	json_object_set_new(o, "bits",
	    ranked == NULL ? json_null() : number_json(ranked->information));
	json_object_set_new(o, "rank",
	    ranked == NULL ? json_null() : number_json(ranked->rank));
	json_object_set_new(o, "us", number_json(cost_us(rule)));
	return o;
}

static void
rules_show(const struct mass *mass, struct arena *a, const struct options *o,
    const struct ui *ui)
{
	size_t n;
	const struct mass_ranked *ranked = mass_rank(a, mass, &n);
	struct ui_table *table =
	    ui_table_new(ui, rule_columns, COUNT_OF(rule_columns));
	for (size_t i = 0; i < shown(o, n) && !o->is_json; i++)
		rule_show(mass, &ranked[i], table, a);
	ui_table_end(table);
	for (size_t i = 0; i < shown(o, n) && o->is_json; i++)
		json_line(
		    stdout, rule_json(mass, &mass->rules.v[ranked[i].rule],
				&ranked[i]));
}

/* --- rules that never hit --------------------------------------------------
 */

/* Not what is done for many rules, which has a cost only. */
static bool
is_rule(const struct mass_rule *rule)
{
	return rule->name.len > 0 && rule->name.p[0] != '<';
}

static int
compare_names(const void *x, const void *y)
{
	const struct mass_rule *const *a = x, *const *b = y;
	return str_cmp((*a)->name, (*b)->name);
}

/* By name; their number. */
static size_t
never_find(
    struct arena *a, const struct mass *mass, const struct mass_rule ***ret)
{
	const struct mass_rule **v =
	    ARENA_ARRAY(a, const struct mass_rule *, mass->rules.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < mass->rules.n; i++) {
		const struct mass_rule *rule = &mass->rules.v[i];
		if (is_rule(rule) && rule->hits[0] + rule->hits[1] == 0)
			v[n++] = rule;
	}
	qsort(v, n, sizeof(v[0]), compare_names);
	*ret = v;
	return n;
}

static const struct ui_column never_columns[] = {
    {.title = "SCORE", .is_right = true},
    {.title = "US", .is_right = true},
    {.title = "TYPE"},
    {.title = "RULE", .is_elastic = true},
};

static void
never_show(const struct mass *mass, struct arena *a, const struct options *o,
    const struct ui *ui)
{
	const struct mass_rule **v;
	size_t n = shown(o, never_find(a, mass, &v));
	struct ui_table *table =
	    ui_table_new(ui, never_columns, COUNT_OF(never_columns));
	for (size_t i = 0; i < n; i++) {
		double us = cost_us(v[i]);
		if (o->is_json) {
			json_line(stdout, rule_json(mass, v[i], NULL));
			continue;
		}
		struct str cells[COUNT_OF(never_columns)] = {
		    v[i]->is_sub ? STR("-")
				 : str_printf(a, "%.3f", v[i]->score),
		    isnan(us) ? STR("-") : str_printf(a, "%.1f", us),
		    v[i]->type,
		    v[i]->name,
		};
		for (size_t k = 0; k < COUNT_OF(cells); k++)
			ui_table_cell(table, UI_PLAIN, cells[k]);
	}
	ui_table_end(table);
}

/* --- pairs ---------------------------------------------------------------- */

static const struct ui_column pair_columns[] = {
    {.title = "TOGETHER", .is_right = true},
    {.title = "BOTH", .is_right = true},
    {.title = "A", .is_right = true},
    {.title = "B", .is_right = true},
    {.title = "RULE A", .is_elastic = true},
    {.title = "RULE B", .is_elastic = true},
};

static uint32_t
hits_of(const struct mass_rule *rule)
{
	return rule->hits[0] + rule->hits[1];
}

static void
pair_show(const struct mass *mass, const struct mass_pair *pair,
    struct ui_table *table, struct arena *a)
{
	const struct mass_rule *x = &mass->rules.v[pair->a];
	const struct mass_rule *y = &mass->rules.v[pair->b];
	struct str cells[COUNT_OF(pair_columns)] = {
	    str_printf(a, "%.1f%%", 100 * pair->share),
	    str_printf(a, "%u", pair->both),
	    str_printf(a, "%u", hits_of(x)),
	    str_printf(a, "%u", hits_of(y)),
	    x->name,
	    y->name,
	};
	for (size_t k = 0; k < COUNT_OF(cells); k++)
		ui_table_cell(table, UI_PLAIN, cells[k]);
}

static json_t *
pair_json(const struct mass *mass, const struct mass_pair *pair)
{
	const struct mass_rule *x = &mass->rules.v[pair->a];
	const struct mass_rule *y = &mass->rules.v[pair->b];
	return json_pack("{s:o,s:o,s:I,s:I,s:I,s:o}", "a", json_text(x->name),
	    "b", json_text(y->name), "both", (json_int_t)pair->both, "a_hits",
	    (json_int_t)hits_of(x), "b_hits", (json_int_t)hits_of(y), "percent",
	    number_json(100 * pair->share));
}

static void
pairs_show(const struct mass *mass, struct arena *a, const struct options *o,
    const struct ui *ui)
{
	struct mass_pairs pairs;
	mass_overlap(a, mass, o->overlap / 100, OVERLAP_LEAST, &pairs);
	struct ui_table *table =
	    ui_table_new(ui, pair_columns, COUNT_OF(pair_columns));
	for (size_t i = 0; i < shown(o, pairs.n); i++) {
		if (o->is_json)
			json_line(stdout, pair_json(mass, &pairs.v[i]));
		else
			pair_show(mass, &pairs.v[i], table, a);
	}
	ui_table_end(table);
}

/* --- all of it ------------------------------------------------------------ */

static void
summary_show(const struct mass *mass, struct arena *a, const struct options *o,
    const struct ui *ui)
{
	const struct mass_rule **unused;
	size_t hit = 0, never = never_find(a, mass, &unused);
	for (size_t i = 0; i < mass->rules.n; i++)
		hit += hits_of(&mass->rules.v[i]) > 0;
	if (o->is_json) {
		json_line(stdout,
		    json_pack("{s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "messages_ham",
			(json_int_t)mass->count[0], "messages_spam",
			(json_int_t)mass->count[1], "failed",
			(json_int_t)mass->failed, "rules_hit", (json_int_t)hit,
			"rules_never", (json_int_t)never, "rules",
			json_text(mass->hash), "date", json_text(mass->date)));
		return;
	}
	ui_put(ui, UI_BOLD,
	    str_printf(a, "%.*s; %zu rules hit, %zu never",
		STR_ARG(mass_title(a, mass)), hit, never));
	(void)putchar('\n');
}

static void
mass_show(const struct mass *mass, struct arena *a, const struct options *o)
{
	static void (*const shows[])(const struct mass *mass, struct arena *a,
	    const struct options *o, const struct ui *ui) = {
	    [VIEW_RULES] = rules_show,
	    [VIEW_OVERLAP] = pairs_show,
	    [VIEW_NEVER] = never_show,
	};
	struct ui ui;
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	shows[o->view](mass, a, o, &ui);
	summary_show(mass, a, o, &ui);
}

enum { OPT_HASH = 256, OPT_TOP, OPT_OVERLAP, OPT_NEVER, OPT_JSON };

static const struct option long_options[] = {
    {"hash", required_argument, NULL, OPT_HASH},
    {"top", required_argument, NULL, OPT_TOP},
    {"overlap", required_argument, NULL, OPT_OVERLAP},
    {"never", no_argument, NULL, OPT_NEVER},
    {"json", no_argument, NULL, OPT_JSON}, {0}};

/* One option.  False: said what is wrong. */
static bool
option_take(struct options *o, int c, const char *command)
{
	switch (c) {
	case OPT_HASH:
		o->hash = str_from(optarg);
		return true;
	case OPT_TOP:
		return str_u64(str_from(optarg), TOP_MAX, &o->top) ||
		       cmd_refuse("top", optarg, "a number; 0 is all of them");
	case OPT_OVERLAP:
		o->view = VIEW_OVERLAP;
		return (str_double(str_from(optarg), &o->overlap) &&
			   o->overlap > 0 && o->overlap <= 100) ||
		       cmd_refuse("overlap", optarg, "percent, like 90");
	case OPT_NEVER:
		o->view = VIEW_NEVER;
		return true;
	case OPT_JSON:
		return o->is_json = true;
	default:
		(void)cmd_usage(command);
		return false;
	}
}

static int
freqs(struct arena *a, int argc, char **argv)
{
	struct options o = {.hash = STR_EMPTY};
	struct mass mass;
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(&o, c, argv[0]))
			return CMD_TROUBLE;
	if (optind + 1 != argc)
		return cmd_usage(argv[0]);
	if (!mass_open(a, argv[optind], o.hash, &mass))
		return CMD_TROUBLE;
	mass_show(&mass, a, &o);
	return CMD_FINE;
}

int
cmd_freqs(int argc, char **argv)
{
	struct arena *a = arena_new();
	int code = freqs(a, argc, argv);
	arena_free(a);
	return code;
}
