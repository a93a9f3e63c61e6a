/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * what_if -- whom a changed configuration or rule set would hold, release or
 * reject: kept mail is run again by both, the history is judged by its hits.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>

#include "auth/dns.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/table.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "cmd/history/history_open.h"
#include "cmd/mail_file.h"
#include "cmd/mailbox.h"
#include "cmd/memory_open.h"
#include "cmd/pool.h"
#include "cmd/rulework/rejudge.h"
#include "cmd/rules_open.h"
#include "cmd/ui.h"
#include "hold/held.h"

#define TOP_DEFAULT 20
#define TOP_MAX 1000000
#define RULES_BYTES ((size_t)64 << 10)

/* What the change does to a message. */
enum effect {
	EFFECT_NONE,
	EFFECT_HELD,
	EFFECT_RELEASED, /* let through, what was not */
	EFFECT_REJECTED,
	EFFECT_DEFERRED,
	EFFECT_DISCARDED,
	EFFECT_TAGGED,
	EFFECT_UNTAGGED,
	EFFECT_UNKNOWN, /* it takes the text to know */
	EFFECTS
};
static const struct {
	const char *word, *title;
	enum ui_style style;
} effects[EFFECTS] = {
    [EFFECT_NONE] = {"as before", "", UI_PLAIN},
    [EFFECT_HELD] = {"held", "HELD", UI_RED},
    [EFFECT_RELEASED] = {"released", "RELEASED", UI_GREEN},
    [EFFECT_REJECTED] = {"rejected", "REJECTED", UI_RED},
    [EFFECT_DEFERRED] = {"deferred", "DEFERRED", UI_YELLOW},
    [EFFECT_DISCARDED] = {"discarded", "DISCARDED", UI_RED},
    [EFFECT_TAGGED] = {"tagged", "TAGGED", UI_YELLOW},
    [EFFECT_UNTAGGED] = {"untagged", "UNTAGGED", UI_GREEN},
    [EFFECT_UNKNOWN] = {"unknown", "UNKNOWN", UI_DIM},
};

/* A rule that counts another score than before. */
struct shift {
	struct str rule;
	double before, after;
};
struct shifts {
	struct shift *v;
	size_t n, cap;
};

/* One message. */
struct outcome {
	struct str name; /* file, lookup id or queue id */
	struct str who;
	bool is_history;
	enum mail_class class;
	enum action recorded; /* what was done with it; ACTION_COUNT: nothing */
	enum action before, after;
	double score_before, score_after;
	struct shifts shifts;
	const char *why; /* EFFECT_UNKNOWN */
	enum effect effect;
};

/* All messages of one sender. */
struct tally {
	struct str who;
	size_t n[EFFECTS], all; /* all: without EFFECT_NONE */
};

struct options {
	struct snapshot_source before, after;
	const char *since, *until;      /* NULL: not given */
	int64_t since_wall, until_wall; /* of the history; 0: any */
	uint64_t jobs, top;
	bool has_history, has_quarantine, has_messages, has_top, is_json;
};

struct run {
	const struct options *options;
	struct arena *arena;
	struct mailbox mailbox;
	struct mail_desk desk[2]; /* before, after */
	struct table *by_who;     /* struct tally * */
	struct table *ids;        /* kept mail, which the history has too */
	struct {
		struct outcome *v;
		size_t n, cap;
	} outcomes; /* that are not as before */
	size_t mails, entries, n[EFFECTS];
	size_t drifted; /* not as recorded, even without the change */
	size_t failed;
	const struct rejudge_rules *rules;
	pthread_mutex_t lock; /* guards all this while mail is run */
	struct ui_progress progress;
};

static bool
is_kept_back(enum action action)
{
	return action != ACTION_ACCEPT && action != ACTION_TAG;
}

static enum effect
effect_of(enum action before, enum action after)
{
	static const enum effect by_action[ACTION_COUNT] = {
	    [ACTION_ACCEPT] = EFFECT_UNTAGGED,
	    [ACTION_TAG] = EFFECT_TAGGED,
	    [ACTION_DEFER] = EFFECT_DEFERRED,
	    [ACTION_HOLD] = EFFECT_HELD,
	    [ACTION_REJECT] = EFFECT_REJECTED,
	    [ACTION_DISCARD] = EFFECT_DISCARDED,
	};
	if (before == after)
		return EFFECT_NONE;
	if (is_kept_back(before) && !is_kept_back(after))
		return EFFECT_RELEASED;
	return by_action[after];
}

static struct str
who_of(struct str login, struct str sender)
{
	return login.len > 0 ? login : sender.len > 0 ? sender : STR("<>");
}

/* --- counting ------------------------------------------------------------- */

static struct tally *
tally_of(struct run *run, struct str who)
{
	struct tally *t = table_get(run->by_who, who);
	if (t == NULL) {
		t = ARENA_NEW(run->arena, struct tally);
		t->who = str_dup(run->arena, who);
		table_set(run->by_who, t->who, t);
	}
	return t;
}

static struct outcome
outcome_copy(struct arena *a, const struct outcome *o)
{
	struct outcome copy = *o;
	copy.name = str_dup(a, o->name);
	copy.who = str_dup(a, o->who);
	copy.shifts = (struct shifts){0};
	for (size_t i = 0; i < o->shifts.n; i++) {
		struct shift shift = o->shifts.v[i];
		shift.rule = str_dup(a, shift.rule);
		ARENA_PUSH(a, &copy.shifts) = shift;
	}
	return copy;
}

static void
outcome_count(struct run *run, struct outcome *o)
{
	o->effect =
	    o->why != NULL ? EFFECT_UNKNOWN : effect_of(o->before, o->after);
	run->n[o->effect]++;
	run->mails += !o->is_history;
	run->entries += o->is_history;
	run->drifted += o->recorded != ACTION_COUNT && o->recorded != o->before;
	if (o->effect == EFFECT_NONE)
		return;
	struct tally *t = tally_of(run, o->who);
	t->n[o->effect]++;
	t->all++;
	ARENA_PUSH(run->arena, &run->outcomes) = outcome_copy(run->arena, o);
}

/* --- kept mail ------------------------------------------------------------ */

static double
hit_score(const struct rule_hits *hits, struct str rule)
{
	for (size_t i = 0; i < hits->n; i++)
		if (str_eq(hits->v[i].rule, rule))
			return hits->v[i].score;
	return 0;
}

static void
shift_add(struct arena *a, struct shifts *shifts, struct str rule,
    double before, double after)
{
	if (before != after)
		ARENA_PUSH(a, shifts) = (struct shift){rule, before, after};
}

static void
shifts_find(struct arena *a, const struct rule_hits *before,
    const struct rule_hits *after, struct shifts *ret)
{
	for (size_t i = 0; i < before->n; i++)
		shift_add(a, ret, before->v[i].rule, before->v[i].score,
		    hit_score(after, before->v[i].rule));
	for (size_t i = 0; i < after->n; i++)
		if (hit_score(before, after->v[i].rule) == 0)
			shift_add(
			    a, ret, after->v[i].rule, 0, after->v[i].score);
}

/* Behind the lines of the quarantine, if it has them. */
static bool
held_split(struct arena *a, struct str *raw, struct held_block *ret)
{
	if (held_block_parse(a, *raw, ret) != HELD_PARSE_OK)
		return false;
	*raw = str_skip(*raw, ret->bytes);
	return true;
}

static void
mail_judge(struct run *run, struct arena *a, struct str raw,
    struct str separated, const struct envelope *envelope, struct outcome *ret)
{
	struct mail_file file[2];
	struct scan scan[2];
	for (size_t i = 0; i < 2; i++) {
		mail_file_look_as(
		    &run->desk[i], a, raw, separated, envelope, &file[i]);
		mail_file_scan(&run->desk[i], &file[i], false, NULL, &scan[i]);
	}
	ret->class = file[0].envelope.class;
	ret->who = who_of(file[0].envelope.login, file[0].envelope.from);
	ret->before = scan[0].verdict.would;
	ret->after = scan[1].verdict.would;
	ret->score_before = scan[0].result.score;
	ret->score_after = scan[1].result.score;
	shifts_find(
	    a, &scan[0].result.hits, &scan[1].result.hits, &ret->shifts);
}

static void
fail_say(struct run *run, struct str name, struct str why)
{
	ui_progress_hide(&run->progress);
	cmd_error("%.*s: cannot read: %.*s", STR_ARG(name), STR_ARG(why));
	run->failed++;
}

static void
mail_work(void *arg, struct arena *a, size_t worker, size_t i)
{
	struct run *run = arg;
	struct outcome o = {.recorded = ACTION_COUNT};
	struct held_block block = {0};
	struct str raw, separated, why = STR_EMPTY;
	(void)worker;
	o.name = mailbox_name(a, &run->mailbox, i);
	bool is_read =
	    mailbox_read(a, &run->mailbox, i, &raw, &separated, &why);
	bool is_kept = is_read && held_split(a, &raw, &block);
	if (is_kept) {
		o.name = block.held.id;
		o.recorded = block.held.folder == FOLDER_DISCARDED
				 ? ACTION_DISCARD
				 : ACTION_HOLD;
		separated = raw;
	}
	if (is_read)
		mail_judge(run, a, raw, separated,
		    is_kept ? &block.held.envelope : NULL, &o);
	(void)pthread_mutex_lock(&run->lock);
	if (is_read)
		outcome_count(run, &o);
	else
		fail_say(run, o.name, why);
	if (is_kept)
		table_set(run->ids, str_dup(run->arena, o.name), run);
	ui_progress_add(&run->progress, 1);
	(void)pthread_mutex_unlock(&run->lock);
}

static void
mails_run(struct run *run)
{
	struct pool pool = {
	    .n = run->mailbox.n,
	    .jobs = (size_t)run->options->jobs,
	    .work = mail_work,
	    .arg = run,
	};
	(void)pthread_mutex_init(&run->lock, NULL);
	ui_progress_begin(&run->progress, "what if", run->mailbox.n);
	pool_run(&pool);
	ui_progress_end(&run->progress);
	(void)pthread_mutex_destroy(&run->lock);
}

/* --- the history ---------------------------------------------------------- */

static bool
entry_wanted(void *arg, const struct history_entry *e)
{
	const struct run *run = arg;
	int64_t until = run->options->until_wall;
	return (e->flags & (HISTORY_IS_EVENT | HISTORY_IS_LETTER)) == 0 &&
	       e->class != CLASS_INBOUND &&
	       e->time_wall >= run->options->since_wall &&
	       (until == 0 || e->time_wall < until);
}

static bool
entry_take(void *arg, const struct history_entry *e)
{
	struct run *run = arg;
	struct rejudge judged;
	struct arena *a = arena_new();
	struct str id = e->text[HISTORY_ID], queue = e->text[HISTORY_QUEUE_ID];
	if (id.len > 0 && table_has(run->ids, id)) {
		arena_free(a); /* its text was there */
		return true;
	}
	rejudge_entry(run->rules, &run->desk[0].snapshot->config,
	    &run->desk[1].snapshot->config, e, &judged);
	struct outcome o = {
	    .name = id.len > 0 ? id : queue,
	    .who = who_of(e->text[HISTORY_LOGIN], e->text[HISTORY_SENDER]),
	    .is_history = true,
	    .class = e->class,
	    .recorded = rejudge_was(e),
	    .before = rejudge_was(e),
	    .after = judged.action,
	    .score_before = e->score,
	    .score_after = judged.score,
	    .why = judged.why,
	};
	for (size_t i = 0; i < e->nhits; i++)
		shift_add(a, &o.shifts, e->hits[i].rule, e->hits[i].score,
		    e->hits[i].count *
			rejudge_score(run->rules, e->hits[i].rule));
	if (o.before != ACTION_COUNT)
		outcome_count(run, &o);
	arena_free(a);
	return true;
}

static bool
history_run(struct run *run)
{
	struct history_desk desk;
	const struct history_search search = {
	    .wants = entry_wanted,
	    .take = entry_take,
	    .arg = run,
	    .since_wall = run->options->since_wall,
	};
	int code = CMD_FINE;
	bool is_open = history_desk_open(run->arena, &desk, &code);
	if (is_open) {
		run->rules = rejudge_rules_new(run->arena,
		    run->desk[0].snapshot->rules, run->desk[1].snapshot->rules);
		code = memory_exit(history_each(desk.reader, &search), 1);
	}
	history_desk_close(&desk);
	return code != CMD_TROUBLE;
}

/* --- what is shown -------------------------------------------------------- */

static int
compare_tallies(const void *x, const void *y)
{
	const struct tally *a = *(const struct tally *const *)x;
	const struct tally *b = *(const struct tally *const *)y;
	if (a->all != b->all)
		return a->all > b->all ? -1 : 1;
	return str_cmp(a->who, b->who);
}

/* Messages come as threads are done with them. */
static int
compare_outcomes(const void *x, const void *y)
{
	const struct outcome *a = x, *b = y;
	if (a->effect != b->effect)
		return a->effect < b->effect ? -1 : 1;
	int order = str_cmp(a->who, b->who);
	return order != 0 ? order : str_cmp(a->name, b->name);
}

static struct str
count_text(struct arena *a, size_t n)
{
	return n == 0 ? STR("-") : str_printf(a, "%zu", n);
}

static size_t
shown(const struct options *o, size_t n)
{
	size_t top = o->has_top ? (size_t)o->top : TOP_DEFAULT;
	return top > 0 && top < n ? top : n;
}

/* One column for each effect that there is. */
static void
tallies_show(const struct run *run, const struct ui *ui, struct tally **v)
{
	struct ui_column columns[EFFECTS + 1] = {
	    {.title = "WHO", .is_elastic = true}};
	enum effect at[EFFECTS + 1];
	size_t n = 1;
	for (unsigned e = EFFECT_HELD; e < EFFECTS; e++) {
		if (run->n[e] == 0)
			continue;
		at[n] = (enum effect)e;
		columns[n++] = (struct ui_column){
		    .title = effects[e].title, .is_right = true};
	}
	struct ui_table *table = ui_table_new(ui, columns, n);
	for (size_t i = 0; i < shown(run->options, run->by_who->n); i++) {
		ui_table_cell(table, UI_PLAIN, v[i]->who);
		for (size_t k = 1; k < n; k++)
			ui_table_cell(table,
			    v[i]->n[at[k]] > 0 ? effects[at[k]].style : UI_DIM,
			    count_text(run->arena, v[i]->n[at[k]]));
	}
	ui_table_end(table);
}

/* "LINK_LURE 4 > 2, NEW 0 > 3" */
static struct str
shifts_text(struct arena *a, const struct outcome *o)
{
	struct buf *b = buf_new(a, RULES_BYTES);
	if (o->why != NULL)
		return str_from(o->why);
	for (size_t i = 0; i < o->shifts.n; i++)
		buf_printf(b, "%s%.*s %.4g > %.4g", i == 0 ? "" : ", ",
		    STR_ARG(o->shifts.v[i].rule), o->shifts.v[i].before,
		    o->shifts.v[i].after);
	return b->len == 0 ? STR("-") : buf_str(b);
}

static const struct ui_column message_columns[] = {
    {.title = "EFFECT"},
    {.title = "BEFORE"},
    {.title = "AFTER"},
    {.title = "SCORE", .is_right = true},
    {.title = "WHO", .is_elastic = true},
    {.title = "MESSAGE", .is_elastic = true},
    {.title = "RULES", .is_elastic = true},
};

static void
messages_show(const struct run *run, const struct ui *ui)
{
	struct arena *a = run->arena;
	struct ui_table *table =
	    ui_table_new(ui, message_columns, COUNT_OF(message_columns));
	for (size_t i = 0; i < shown(run->options, run->outcomes.n); i++) {
		const struct outcome *o = &run->outcomes.v[i];
		struct str cells[COUNT_OF(message_columns)] = {
		    str_from(effects[o->effect].word),
		    action_name(o->before),
		    o->why != NULL ? STR("?") : action_name(o->after),
		    str_printf(a, "%.4g > %.4g%s", o->score_before,
			o->score_after, o->why != NULL ? "?" : ""),
		    o->who,
		    o->name,
		    shifts_text(a, o),
		};
		for (size_t k = 0; k < COUNT_OF(cells); k++)
			ui_table_cell(table,
			    k == 0 ? effects[o->effect].style : UI_PLAIN,
			    cells[k]);
	}
	ui_table_end(table);
}

/* "12 messages and 340 of the history: 3 would be held, 349 stay as they are"
 */
static void
summary_show(const struct run *run, const struct ui *ui)
{
	struct buf *b = buf_new(run->arena, RULES_BYTES);
	if (run->mails > 0 || !run->options->has_history)
		buf_printf(b, "%zu messages%s", run->mails,
		    run->options->has_history ? " and " : ":");
	if (run->options->has_history)
		buf_printf(b, "%zu of the history:", run->entries);
	for (unsigned e = EFFECT_HELD; e < EFFECT_UNKNOWN; e++)
		if (run->n[e] > 0)
			buf_printf(
			    b, " %zu would be %s,", run->n[e], effects[e].word);
	buf_printf(b, " %zu stay as they are", run->n[EFFECT_NONE]);
	if (run->n[EFFECT_UNKNOWN] > 0)
		buf_printf(b, ", %zu cannot be judged without their text",
		    run->n[EFFECT_UNKNOWN]);
	if (run->drifted > 0)
		buf_printf(b,
		    "; %zu are not judged today as they were, even without "
		    "the change",
		    run->drifted);
	ui_put(ui, UI_BOLD, buf_str(b));
	(void)fputc('\n', ui->out);
	size_t changed = run->rules == NULL ? 0 : rejudge_changed(run->rules);
	if (changed > 0)
		ui_printf(ui, UI_PLAIN,
		    "%zu scored rules are new or changed; the history does "
		    "not tell whether they would have hit\n",
		    changed);
}

static json_t *
shifts_json(const struct shifts *shifts)
{
	json_t *list = json_array();
	for (size_t i = 0; i < shifts->n; i++)
		json_array_append_new(list,
		    json_pack("{s:o,s:f,s:f}", "rule",
			json_text(shifts->v[i].rule), "before",
			shifts->v[i].before, "after", shifts->v[i].after));
	return list;
}

static json_t *
action_json(enum action action)
{
	return action == ACTION_COUNT ? json_null()
				      : json_text(action_name(action));
}

static json_t *
outcome_json(const struct outcome *o)
{
	bool is_known = o->why == NULL;
	return json_pack("{s:o,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:f,s:f,s:o,s:o}",
	    "message", json_text(o->name), "source",
	    o->is_history ? "history" : "mail", "who", json_text(o->who),
	    "class", json_text(mail_class_name(o->class)), "effect",
	    effects[o->effect].word, "recorded", action_json(o->recorded),
	    "before", action_json(o->before), "after",
	    is_known ? action_json(o->after) : json_null(), "score_before",
	    o->score_before, "score_after", o->score_after, "rules",
	    shifts_json(&o->shifts), "why",
	    is_known ? json_null() : json_string(o->why));
}

static void
run_json(const struct run *run)
{
	json_t *sum = json_pack("{s:I,s:I,s:I,s:I}", "messages",
	    (json_int_t)run->mails, "history", (json_int_t)run->entries,
	    "drifted", (json_int_t)run->drifted, "rules_changed",
	    (json_int_t)(run->rules == NULL ? 0 : rejudge_changed(run->rules)));
	for (size_t i = 0; i < run->outcomes.n; i++)
		json_line(stdout, outcome_json(&run->outcomes.v[i]));
	for (unsigned e = 0; e < EFFECTS; e++)
		json_object_set_new(sum,
		    e == EFFECT_NONE ? "as_before" : effects[e].word,
		    json_integer((json_int_t)run->n[e]));
	json_line(stdout, sum);
}

static void
run_show(struct run *run)
{
	struct ui ui;
	size_t n = run->by_who->n;
	struct tally **v = ARENA_ARRAY(run->arena, struct tally *, n + 1);
	for (size_t i = 0; i < n; i++)
		v[i] = run->by_who->v[i].value;
	qsort(v, n, sizeof(v[0]), compare_tallies);
	if (run->outcomes.n > 0)
		qsort(run->outcomes.v, run->outcomes.n,
		    sizeof(run->outcomes.v[0]), compare_outcomes);
	if (run->options->is_json) {
		run_json(run);
		return;
	}
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	if (run->options->has_messages)
		messages_show(run, &ui);
	else
		tallies_show(run, &ui, v);
	if (n > 0)
		(void)fputc('\n', stdout);
	summary_show(run, &ui);
}

/* --- the command line ----------------------------------------------------- */

enum {
	OPT_CONFIG = 256,
	OPT_RULES,
	OPT_QUARANTINE,
	OPT_HISTORY,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_OFFLINE,
	OPT_MESSAGES,
	OPT_TOP,
	OPT_JOBS,
	OPT_JSON
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"rules", required_argument, NULL, OPT_RULES},
    {"quarantine", no_argument, NULL, OPT_QUARANTINE},
    {"history", no_argument, NULL, OPT_HISTORY},
    {"since", required_argument, NULL, OPT_SINCE},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"offline", no_argument, NULL, OPT_OFFLINE},
    {"messages", no_argument, NULL, OPT_MESSAGES},
    {"top", required_argument, NULL, OPT_TOP},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"json", no_argument, NULL, OPT_JSON}, {0}};

/* One option.  False: said what is wrong. */
static bool
option_take(struct arena *a, struct options *o, int c, const char *command)
{
	switch (c) {
	case OPT_CONFIG:
		o->after.config_path = optarg;
		return true;
	case OPT_RULES:
		strs_add(a, &o->after.rules, str_from(optarg));
		return true;
	case OPT_QUARANTINE:
		return o->has_quarantine = true;
	case OPT_HISTORY:
		return o->has_history = true;
	case OPT_SINCE:
		o->since = optarg;
		return true;
	case OPT_UNTIL:
		o->until = optarg;
		return true;
	case OPT_OFFLINE:
		return o->before.is_offline = o->after.is_offline = true;
	case OPT_MESSAGES:
		return o->has_messages = true;
	case OPT_TOP:
		o->has_top = true;
		return str_u64(str_from(optarg), TOP_MAX, &o->top) ||
		       cmd_refuse("top", optarg, "a number; 0 is all of them");
	case OPT_JOBS:
		return pool_jobs_parse(str_from(optarg), &o->jobs) ||
		       cmd_refuse("jobs", optarg, POOL_JOBS_WANTED);
	case OPT_JSON:
		return o->is_json = true;
	default:
		(void)cmd_usage(command);
		return false;
	}
}

/* An option that would do nothing is not what was meant. */
static bool
options_check(const struct options *o)
{
	const struct {
		bool is_wrong;
		const char *why;
	} rows[] = {
	    {o->after.config_path == NULL && o->after.rules.n == 0,
		"what is to change?  --config FILE or --rules PATH"},
	    {(o->since != NULL || o->until != NULL) && !o->has_history,
		"--since and --until choose a part of the history: add "
		"--history"},
	    {o->is_json && o->has_top,
		"--top does not shorten --json: leave out one of them"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].is_wrong) {
			cmd_error("%s", rows[i].why);
			return false;
		}
	return true;
}

static bool
options_read(struct arena *a, int argc, char **argv, struct options *o)
{
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(a, o, c, argv[0]))
			return false;
	return options_check(o) &&
	       choice_times(o->since, o->until, clock_wall(), &o->since_wall,
		   &o->until_wall);
}

/* The mail that is meant: what is named, else the quarantine. */
static bool
mail_add(struct run *run, const struct config *config, int n, char **v)
{
	bool is_good = true;
	for (int i = 0; i < n; i++)
		is_good =
		    mailbox_add(run->arena, &run->mailbox, v[i]) && is_good;
	if (run->options->has_quarantine ||
	    (n == 0 && !run->options->has_history))
		is_good = mailbox_add(run->arena, &run->mailbox,
			      str_c(run->arena, config->quarantine_dir)) &&
			  is_good;
	return is_good;
}

static int
exit_of(const struct run *run, bool is_good)
{
	if (!is_good || run->failed > 0)
		return CMD_TROUBLE;
	return run->outcomes.n > 0 ? CMD_FOUND : CMD_FINE;
}

static int
snapshots_run(struct run *run, struct snapshot *before, struct snapshot *after,
    int n, char **v)
{
	const struct options *o = run->options;
	struct filterer *filterer[2];
	bool is_good = mail_add(run, &before->config, n, v);
	filterer[0] = rules_filter_for(before, PREFILTER_AUTO, run->mailbox.n);
	filterer[1] = rules_filter_for(after, PREFILTER_AUTO, run->mailbox.n);
	mails_run(run);
	filterer_stop(filterer[0]);
	filterer_stop(filterer[1]);
	if (o->has_history)
		is_good = history_run(run) && is_good;
	run_show(run);
	return exit_of(run, is_good);
}

static int
what_if(struct arena *a, int argc, char **argv)
{
	const struct mail_fixed fixed = MAIL_FIXED_NONE;
	struct options o = {.jobs = pool_jobs_default()};
	struct dns *dns[2] = {NULL, NULL};
	if (!options_read(a, argc, argv, &o))
		return CMD_TROUBLE;
	struct snapshot *before = rules_open(&o.before);
	struct snapshot *after = before == NULL ? NULL : rules_open(&o.after);
	struct run run = {
	    .options = &o,
	    .arena = a,
	    .by_who = table_new(a, false),
	    .ids = table_new(a, false),
	};
	int code = CMD_TROUBLE;
	if (after != NULL && rules_dns(a, &o.before, before, &dns[0]) &&
	    rules_dns(a, &o.after, after, &dns[1])) {
		struct str name = cmd_own_name(a);
		run.desk[0] = (struct mail_desk){before, &fixed, dns[0], name};
		run.desk[1] = (struct mail_desk){after, &fixed, dns[1], name};
		code = snapshots_run(
		    &run, before, after, argc - optind, argv + optind);
	}
	for (size_t i = 0; i < 2; i++)
		if (dns[i] != NULL)
			dns_close(dns[i]);
	snapshot_put(before);
	snapshot_put(after);
	return code;
}

int
cmd_what_if(int argc, char **argv)
{
	struct arena *a = arena_new();
	int code = what_if(a, argc, argv);
	arena_free(a);
	return code;
}
