/* SPDX-License-Identifier: BSD-2-Clause */
/* history -- search what was decided. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/network.h"
#include "cmd/cmd.h"
#include "cmd/history_filter.h"
#include "cmd/history_open.h"
#include "cmd/history_output.h"
#include "cmd/memory_open.h"
#include "session/chronicle.h"

#define LIMIT_DEFAULT 50
#define FOLLOW_LIMIT_DEFAULT 10
#define FOLLOW_EVERY_MS 500

struct request {
	struct history_filter filter;
	struct history_output out;
	uint64_t limit; /* 0: none */
	uint64_t shown;
	bool is_following;
	struct strs kept; /* entries as bytes, newest first */
	struct arena *arena;
};

/* What the command line says; NULL: nothing. */
struct words {
	const char *text[HISTORY_TEXTS];
	const char *to, *rule, *id, *class, *score_min, *score_max;
	const char *since, *until, *limit;
	bool is_json, is_csv, is_following;
};

static bool
wanted(void *arg, const struct history_entry *e)
{
	const struct request *r = arg;
	return history_filter_matches(&r->filter, e);
}

static bool
show(void *arg, const struct history_entry *e)
{
	struct request *r = arg;
	history_output_put(&r->out, e);
	r->shown++;
	return (r->limit == 0 || r->shown < r->limit) && ui_out_is_open();
}

static bool
show_new(void *arg, const struct history_entry *e)
{
	struct request *r = arg;
	history_output_put(&r->out, e);
	return true;
}

static bool
keep(void *arg, const struct history_entry *e)
{
	struct request *r = arg;
	struct buf *b = buf_new(r->arena, HISTORY_BYTES_MAX);
	history_pack(b, e);
	strs_add(r->arena, &r->kept, buf_str(b));
	return r->limit == 0 || r->kept.n < r->limit;
}

static enum reader_status
newest_show(struct history_desk *desk, struct request *r)
{
	const struct history_search search = {.wants = wanted,
	    .take = keep,
	    .arg = r,
	    .since_wall = r->filter.since_wall};
	enum reader_status status = history_each(desk->reader, &search);
	for (size_t i = r->kept.n; i > 0; i--) {
		struct history_entry e;
		if (history_unpack(r->kept.v[i - 1], &e))
			history_output_put(&r->out, &e);
	}
	return status;
}

/* Until standard output is closed, or a signal ends it. */
static int
follow(struct history_desk *desk, struct request *r)
{
	const struct history_search search = {
	    .wants = wanted, .take = show_new, .arg = r};
	uint64_t place;
	enum reader_status status = history_newest(desk->reader, &place);
	if (status == READER_OK)
		status = newest_show(desk, r);
	while (status == READER_OK && ui_out_flush()) {
		(void)usleep(FOLLOW_EVERY_MS * 1000);
		if (memory_read_renew(desk->reader))
			place = 0;
		status = history_newer(desk->reader, &search, &place);
	}
	return CMD_TROUBLE;
}

static int
list(struct history_desk *desk, struct request *r)
{
	const struct history_search search = {.wants = wanted,
	    .take = show,
	    .arg = r,
	    .since_wall = r->filter.since_wall};
	enum reader_status status = history_each(desk->reader, &search);
	history_output_end(&r->out);
	return memory_exit(status, r->shown);
}

/* ---- the command line */

static bool
score_parse(const char *name, const char *text, bool *ret_has, double *ret)
{
	if (text == NULL)
		return true;
	*ret_has = str_double(str_from(text), ret);
	return *ret_has || cmd_refuse(name, text, "a number, such as 5.5");
}

static bool
time_parse(const char *name, const char *text, int64_t *ret)
{
	return text == NULL || history_time_parse(text, clock_wall(), ret) ||
	       cmd_refuse(name, text,
		   "an age, such as 90m, 2h, 3d, or a date, such as "
		   "2026-11-30 or \"2026-11-30 10:00\"");
}

static bool
class_parse(const char *text, struct history_filter *f)
{
	if (text == NULL)
		return true;
	f->has_class = mail_class_parse(str_from(text), &f->class);
	return f->has_class ||
	       cmd_refuse("class", text,
		   "submission, local, relay, notice or inbound");
}

/* A slip of the pen must not look like "there was none". */
static bool
action_is_known(const char *name, const char *text)
{
	bool is_known =
	    text == NULL || chronicle_event_is_valid(str_from(text));
	for (int i = 0; i < ACTION_COUNT && !is_known; i++)
		is_known = str_eq(action_name((enum action)i), str_from(text));
	return is_known ||
	       cmd_refuse(name, text,
		   "accept, tag, defer, hold, reject, discard, released, "
		   "released-part, deleted or purged");
}

static bool
id_check(const char *text)
{
	return text == NULL || history_id_is_valid(text) ||
	       cmd_refuse("id", text, HISTORY_ID_WANTED);
}

static bool
words_parse(const struct words *w, struct request *r)
{
	struct history_filter *f = &r->filter;
	if (w->is_json && w->is_csv) {
		log_error("--json and --csv: choose one");
		return false;
	}
	r->is_following = w->is_following;
	r->limit = w->is_following ? FOLLOW_LIMIT_DEFAULT : LIMIT_DEFAULT;
	return action_is_known("action", w->text[HISTORY_ACTION]) &&
	       action_is_known("would", w->text[HISTORY_WOULD]) &&
	       class_parse(w->class, f) && id_check(w->id) &&
	       score_parse("score-min", w->score_min, &f->has_score_min,
		   &f->score_min) &&
	       score_parse("score-max", w->score_max, &f->has_score_max,
		   &f->score_max) &&
	       time_parse("since", w->since, &f->since_wall) &&
	       time_parse("until", w->until, &f->until_wall) &&
	       memory_limit_parse(w->limit, &r->limit);
}

/* Texts may be hashed as they are in the file, for which there is a key now. */
static void
patterns_set(
    struct request *r, const struct words *w, const struct mac_key *key)
{
	struct history_filter *f = &r->filter;
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		if (w->text[i] != NULL)
			f->text[i] =
			    history_pattern_of(r->arena, key, w->text[i]);
	if (w->to != NULL)
		f->rcpt = history_pattern_of(r->arena, key, w->to);
	if (w->rule != NULL)
		f->rule = history_pattern_of(r->arena, NULL, w->rule);
	if (w->id != NULL)
		history_filter_id(r->arena, key, w->id, f);
	const struct history_pattern *client = &f->text[HISTORY_CLIENT];
	if (client->is_set && network_is_valid(client->text))
		f->network = client->text;
}

static int
run(struct request *r, const struct words *w)
{
	struct history_desk desk;
	int code;
	enum history_form form = w->is_json        ? HISTORY_AS_JSON
				 : w->is_csv       ? HISTORY_AS_CSV
				 : w->is_following ? HISTORY_AS_LINES
						   : HISTORY_AS_TABLE;
	if (history_desk_open(r->arena, &desk, &code)) {
		patterns_set(r, w, desk.key);
		history_output_begin(&r->out, form);
		code = r->is_following ? follow(&desk, r) : list(&desk, r);
	}
	history_desk_close(&desk);
	return code;
}

int
cmd_history(int argc, char **argv)
{
	struct words w = {0};
	struct request r = {0};
	const struct memory_flag flags[] = {
	    {"sender", &w.text[HISTORY_SENDER], NULL},
	    {"login", &w.text[HISTORY_LOGIN], NULL}, {"to", &w.to, NULL},
	    {"class", &w.class, NULL},
	    {"action", &w.text[HISTORY_ACTION], NULL},
	    {"would", &w.text[HISTORY_WOULD], NULL}, {"rule", &w.rule, NULL},
	    {"score-min", &w.score_min, NULL},
	    {"score-max", &w.score_max, NULL}, {"id", &w.id, NULL},
	    {"client", &w.text[HISTORY_CLIENT], NULL},
	    {"subject", &w.text[HISTORY_SUBJECT], NULL},
	    {"notice", &w.text[HISTORY_NOTICE], NULL},
	    {"reason", &w.text[HISTORY_REASON], NULL},
	    {"spf", &w.text[HISTORY_SPF], NULL},
	    {"dkim", &w.text[HISTORY_DKIM], NULL},
	    {"dmarc", &w.text[HISTORY_DMARC], NULL}, {"since", &w.since, NULL},
	    {"until", &w.until, NULL}, {"limit", &w.limit, NULL},
	    {"follow", NULL, &w.is_following}, {"json", NULL, &w.is_json},
	    {"csv", NULL, &w.is_csv}, {0}};
	if (!memory_flags_parse(argc, argv, flags))
		return CMD_TROUBLE;
	if (optind != argc)
		return cmd_usage(argv[0]);
	if (!words_parse(&w, &r))
		return CMD_TROUBLE;
	r.arena = arena_new();
	int code = run(&r, &w);
	arena_free(r.arena);
	return code;
}
