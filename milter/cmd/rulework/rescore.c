/* SPDX-License-Identifier: BSD-2-Clause */
/* rescore -- propose scores by the log of masscheck, and say what they are
 * worth. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/rulework/mass_open.h"
#include "cmd/pool.h"
#include "cmd/rulework/rescore_fit.h"
#include "cmd/ui.h"
#include "hold/disk.h"

#define TOP_DEFAULT 20
#define TOP_MAX 1000000
#define FOLDS_MAX 1000
#define FILE_BYTES ((size_t)64 << 20)

struct options {
	struct rescore_options fit;
	struct str hash;
	const char *output;
	double folds, seed, min_hits, top; /* whole numbers */
	uint64_t jobs;
	bool has_top, is_json;
};

/* A rule whose score changes, or would. */
struct change {
	const struct mass_rule *rule;
	double score;
	enum rescore_kept kept;
};
struct changes {
	struct change *v;
	size_t n; /* that change, the largest change first */
	size_t kept[KEPT_REASONS];
};

static const char *const kept_words[KEPT_REASONS] = {
    [KEPT_NOT] = "",
    [KEPT_UNSCORED] = "unscored",
    [KEPT_RARE] = "rare",
    [KEPT_USERCONF] = "userconf",
};

static double
size_of(const struct change *c)
{
	return fabs(c->score - c->rule->score);
}

static int
compare_changes(const void *x, const void *y)
{
	const struct change *a = x, *b = y;
	if (size_of(a) != size_of(b))
		return size_of(a) > size_of(b) ? -1 : 1;
	return str_cmp(a->rule->name, b->rule->name);
}

static void
changes_find(struct arena *a, const struct mass *mass,
    const struct rescore *rescore, struct changes *ret)
{
	*ret =
	    (struct changes){.v = ARENA_ARRAY(a, struct change, mass->rules.n)};
	for (size_t i = 0; i < mass->rules.n; i++) {
		struct change c = {.rule = &mass->rules.v[i],
		    .score = rescore->scores[i],
		    .kept = rescore->kept[i]};
		ret->kept[c.kept]++;
		if (size_of(&c) > 0)
			ret->v[ret->n++] = c;
	}
	if (ret->n > 0)
		qsort(ret->v, ret->n, sizeof(ret->v[0]), compare_changes);
}

/* --- the score file ------------------------------------------------------- */

static void
errors_put(struct buf *b, const char *what, const struct mass_errors *before,
    const struct mass_errors *after)
{
	buf_printf(b,
	    "# %s: false positives %zu of %zu (before %zu),\n"
	    "#   false negatives %zu of %zu (before %zu)\n",
	    what, after->false_positives, after->ham, before->false_positives,
	    after->false_negatives, after->spam, before->false_negatives);
}

static struct str
file_text_of(struct arena *a, const struct mass *mass,
    const struct rescore *rescore, const struct changes *changes,
    const struct options *o)
{
	struct buf *b = buf_new(a, FILE_BYTES);
	buf_put(b, STR("# Scores by postern rescore: "));
	log_escape(b, mass_title(a, mass));
	buf_printf(b,
	    "\n# threshold %.4g, deviation %.4g, max-change %.4g, ham-weight "
	    "%.4g, min-hits %llu, seed %llu\n",
	    o->fit.threshold, o->fit.deviation, o->fit.max_change,
	    o->fit.ham_weight, (unsigned long long)o->fit.min_hits,
	    (unsigned long long)o->fit.seed);
	errors_put(b, "On mail they were not fitted to",
	    &rescore->held_out.before, &rescore->held_out.after);
	buf_putc(b, '\n');
	for (size_t i = 0; i < changes->n; i++) {
		const struct change *c = &changes->v[i];
		buf_printf(b, "score %.*s %.3f # was %.3f; %u spam, %u ham\n",
		    STR_ARG(c->rule->name), c->score, c->rule->score,
		    c->rule->hits[1], c->rule->hits[0]);
	}
	return buf_str(b);
}

/* In the place of `path`, whole or not at all. */
static bool
file_replace(struct arena *a, const char *path, struct str text)
{
	char *fresh = str_c(a, str_printf(a, "%s.XXXXXX", path));
	mode_t mask = umask(0);
	(void)umask(mask);
	int fd = mkostemp(fresh, O_CLOEXEC);
	bool is_good = fd >= 0 && fchmod(fd, 0666 & ~mask) == 0 &&
		       disk_write(fd, text) && fsync(fd) == 0;
	int error = errno;
	if (fd >= 0 && close(fd) != 0 && is_good) {
		error = errno;
		is_good = false;
	}
	if (is_good && rename(fresh, path) != 0) {
		error = errno;
		is_good = false;
	}
	if (is_good)
		return true;
	if (fd >= 0)
		(void)unlink(fresh);
	cmd_error("%s: %s", path, strerror(error));
	return false;
}

/* --- what is shown -------------------------------------------------------- */

static const struct ui_column fold_columns[] = {
    {.title = "MAIL"},
    {.title = "HAM", .is_right = true},
    {.title = "FP BEFORE", .is_right = true},
    {.title = "FP AFTER", .is_right = true},
    {.title = "SPAM", .is_right = true},
    {.title = "FN BEFORE", .is_right = true},
    {.title = "FN AFTER", .is_right = true},
};

static struct str
share_text(struct arena *a, size_t n, size_t of)
{
	return str_printf(a, "%zu (%.3f%%)", n, 100 * mass_rate(n, of));
}

static void
fold_show(struct ui_table *table, struct arena *a, struct str name,
    const struct rescore_errors *e, enum ui_style style)
{
	const struct mass_errors *x = &e->before, *y = &e->after;
	struct str cells[COUNT_OF(fold_columns)] = {
	    name,
	    str_printf(a, "%zu", x->ham),
	    share_text(a, x->false_positives, x->ham),
	    share_text(a, y->false_positives, y->ham),
	    str_printf(a, "%zu", x->spam),
	    share_text(a, x->false_negatives, x->spam),
	    share_text(a, y->false_negatives, y->spam),
	};
	for (size_t i = 0; i < COUNT_OF(cells); i++)
		ui_table_cell(table, style, cells[i]);
}

static void
folds_show(const struct ui *ui, struct arena *a, const struct rescore *rescore,
    size_t folds)
{
	struct ui_table *table =
	    ui_table_new(ui, fold_columns, COUNT_OF(fold_columns));
	for (size_t i = 0; i < folds; i++)
		fold_show(table, a, str_printf(a, "fold %zu", i + 1),
		    &rescore->folds[i], UI_PLAIN);
	fold_show(table, a, STR("held out"), &rescore->held_out, UI_BOLD);
	fold_show(table, a, STR("fitted to"), &rescore->fitted, UI_DIM);
	ui_table_end(table);
}

static const struct ui_column change_columns[] = {
    {.title = "SPAM", .is_right = true},
    {.title = "HAM", .is_right = true},
    {.title = "WAS", .is_right = true},
    {.title = "SCORE", .is_right = true},
    {.title = "RULE", .is_elastic = true},
};

static void
changes_show(const struct ui *ui, struct arena *a,
    const struct changes *changes, size_t n)
{
	struct ui_table *table =
	    ui_table_new(ui, change_columns, COUNT_OF(change_columns));
	if (n > 0)
		(void)fputc('\n', ui->out);
	for (size_t i = 0; i < n; i++) {
		const struct change *c = &changes->v[i];
		struct str cells[COUNT_OF(change_columns)] = {
		    str_printf(a, "%u", c->rule->hits[1]),
		    str_printf(a, "%u", c->rule->hits[0]),
		    str_printf(a, "%.3f", c->rule->score),
		    str_printf(a, "%.3f", c->score),
		    c->rule->name,
		};
		for (size_t k = 0; k < COUNT_OF(cells); k++)
			ui_table_cell(table, UI_PLAIN, cells[k]);
	}
	ui_table_end(table);
	(void)fputc('\n', ui->out);
	ui_printf(ui, UI_BOLD,
	    "%zu scores change; %zu rules are too rare and %zu are for the "
	    "admin (userconf)\n",
	    changes->n, changes->kept[KEPT_RARE], changes->kept[KEPT_USERCONF]);
}

static void
errors_json(const char *name, size_t number, const struct rescore_errors *e)
{
	json_t *o = json_pack("{s:s}", "mail", name);
	const struct mass_errors *x = &e->before, *y = &e->after;
	const struct {
		const char *key;
		size_t n;
	} rows[] = {
	    {"ham", x->ham},
	    {"spam", x->spam},
	    {"fp_before", x->false_positives},
	    {"fp_after", y->false_positives},
	    {"fn_before", x->false_negatives},
	    {"fn_after", y->false_negatives},
	};
	if (number > 0)
		json_object_set_new(
		    o, "fold", json_integer((json_int_t)number));
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		json_object_set_new(
		    o, rows[i].key, json_integer((json_int_t)rows[i].n));
	json_line(stdout, o);
}

static void
rescore_json(
    const struct mass *mass, const struct rescore *rescore, size_t folds)
{
	for (size_t i = 0; i < mass->rules.n; i++) {
		const struct mass_rule *rule = &mass->rules.v[i];
		enum rescore_kept kept = rescore->kept[i];
		if (kept == KEPT_UNSCORED)
			continue;
		json_line(stdout,
		    json_pack("{s:o,s:I,s:I,s:f,s:f,s:o}", "rule",
			json_text(rule->name), "spam",
			(json_int_t)rule->hits[1], "ham",
			(json_int_t)rule->hits[0], "was", rule->score, "score",
			rescore->scores[i], "kept",
			kept == KEPT_NOT ? json_null()
					 : json_string(kept_words[kept])));
	}
	for (size_t i = 0; i < folds; i++)
		errors_json("fold", i + 1, &rescore->folds[i]);
	errors_json("held out", 0, &rescore->held_out);
	errors_json("fitted to", 0, &rescore->fitted);
}

static void
rescore_show(struct arena *a, const struct mass *mass,
    const struct rescore *rescore, const struct changes *changes,
    const struct options *o)
{
	struct ui ui;
	size_t top = o->has_top ? (size_t)o->top : TOP_DEFAULT;
	if (o->is_json) {
		rescore_json(mass, rescore, (size_t)o->fit.folds);
		return;
	}
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	folds_show(&ui, a, rescore, (size_t)o->fit.folds);
	changes_show(
	    &ui, a, changes, top > 0 && top < changes->n ? top : changes->n);
}

/* True: on mail that they were not fitted to, the scores do more harm. */
static bool
is_worse(const struct rescore_errors *e)
{
	const struct {
		const char *what;
		size_t before, after;
	} rows[] = {
	    {"false positives", e->before.false_positives,
		e->after.false_positives},
	    {"false negatives", e->before.false_negatives,
		e->after.false_negatives},
	};
	bool is_any = false;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].after <= rows[i].before)
			continue;
		is_any = true;
		cmd_error("on mail that was held out these scores make %zu %s, "
			  "not %zu: think twice before you use them",
		    rows[i].after, rows[i].what, rows[i].before);
	}
	return is_any;
}

/* --- the command line ----------------------------------------------------- */

enum {
	OPT_HASH = 256,
	OPT_THRESHOLD,
	OPT_MAX_CHANGE,
	OPT_DEVIATION,
	OPT_HAM_WEIGHT,
	OPT_MIN_HITS,
	OPT_FOLDS,
	OPT_SEED,
	OPT_JOBS,
	OPT_TOP,
	OPT_JSON,
	OPT_OUTPUT
};

static const struct option long_options[] = {
    {"hash", required_argument, NULL, OPT_HASH},
    {"threshold", required_argument, NULL, OPT_THRESHOLD},
    {"max-change", required_argument, NULL, OPT_MAX_CHANGE},
    {"deviation", required_argument, NULL, OPT_DEVIATION},
    {"ham-weight", required_argument, NULL, OPT_HAM_WEIGHT},
    {"min-hits", required_argument, NULL, OPT_MIN_HITS},
    {"folds", required_argument, NULL, OPT_FOLDS},
    {"seed", required_argument, NULL, OPT_SEED},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"top", required_argument, NULL, OPT_TOP},
    {"json", no_argument, NULL, OPT_JSON},
    {"output", required_argument, NULL, OPT_OUTPUT}, {0}};

#define AT(field) offsetof(struct options, field)

static const struct cmd_number numbers[] = {
    {OPT_THRESHOLD, "threshold", "a score above 0, like 5", AT(fit.threshold),
	0.001, 1000},
    {OPT_MAX_CHANGE, "max-change", "points, like 2", AT(fit.max_change), 0.001,
	1000},
    {OPT_DEVIATION, "deviation", "points, like 0.5", AT(fit.deviation), 0.001,
	1000},
    {OPT_HAM_WEIGHT, "ham-weight", "a number like 50", AT(fit.ham_weight),
	0.001, 1e6},
    {OPT_MIN_HITS, "min-hits", "a number of messages", AT(min_hits), 0, 1e9},
    {OPT_FOLDS, "folds", "a number from 2 to 1000", AT(folds), 2, FOLDS_MAX},
    {OPT_SEED, "seed", "a number from 0 to 1e15", AT(seed), 0, 1e15},
    {OPT_TOP, "top", "a number; 0 is all of them", AT(top), 0, TOP_MAX},
};

/* One option.  False: said what is wrong. */
static bool
option_take(struct options *o, int c, const char *command)
{
	bool is_good;
	o->has_top = o->has_top || c == OPT_TOP;
	if (cmd_number_take(numbers, COUNT_OF(numbers), c, o, &is_good))
		return is_good;
	switch (c) {
	case OPT_HASH:
		o->hash = str_from(optarg);
		return true;
	case OPT_JOBS:
		return pool_jobs_parse(str_from(optarg), &o->jobs) ||
		       cmd_refuse("jobs", optarg, POOL_JOBS_WANTED);
	case OPT_JSON:
		return o->is_json = true;
	case OPT_OUTPUT:
		o->output = optarg;
		return true;
	default:
		(void)cmd_usage(command);
		return false;
	}
}

static bool
options_read(int argc, char **argv, struct options *o)
{
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(o, c, argv[0]))
			return false;
	o->fit.folds = (uint64_t)o->folds;
	o->fit.seed = (uint64_t)o->seed;
	o->fit.min_hits = (uint64_t)o->min_hits;
	o->fit.jobs = (size_t)o->jobs;
	if (optind + 1 == argc)
		return true;
	(void)cmd_usage(argv[0]);
	return false;
}

static int
rescore(struct arena *a, int argc, char **argv)
{
	struct options o = {
	    .fit = {.threshold = 5,
		.deviation = 0.5,
		.max_change = 2,
		.ham_weight = 50},
	    .hash = STR_EMPTY,
	    .folds = 5,
	    .seed = 1,
	    .min_hits = 20,
	    .jobs = pool_jobs_default(),
	};
	struct mass mass;
	struct rescore result;
	struct changes changes;
	if (!options_read(argc, argv, &o) ||
	    !mass_open(a, argv[optind], o.hash, &mass))
		return CMD_TROUBLE;
	if (!rescore_fit(a, &mass, &o.fit, &result)) {
		cmd_error("%zu ham and %zu spam are too few for %llu "
			  "folds",
		    mass.count[0], mass.count[1],
		    (unsigned long long)o.fit.folds);
		return CMD_TROUBLE;
	}
	if (!result.is_settled)
		(void)fputs(
		    "postern: the scores have not quite settled\n", stderr);
	changes_find(a, &mass, &result, &changes);
	rescore_show(a, &mass, &result, &changes, &o);
	if (o.output != NULL &&
	    !file_replace(
		a, o.output, file_text_of(a, &mass, &result, &changes, &o)))
		return CMD_TROUBLE;
	return is_worse(&result.held_out) ? CMD_FOUND : CMD_FINE;
}

int
cmd_rescore(int argc, char **argv)
{
	struct arena *a = arena_new();
	int code = rescore(a, argc, argv);
	arena_free(a);
	return code;
}
