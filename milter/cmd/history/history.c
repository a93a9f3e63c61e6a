/* SPDX-License-Identifier: BSD-2-Clause */
/* history -- search what was decided. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/network.h"
#include "cmd/choice.h"
#include "cmd/cmd.h"
#include "cmd/history/history_filter.h"
#include "cmd/history/history_open.h"
#include "cmd/history/history_output.h"
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

/* The fields of a few words only. */
static bool
texts_check(const struct words *w)
{
	static const struct {
		const char *option;
		enum choice choice;
		enum history_text which;
	} rows[] = {
	    {"action", CHOICE_DONE, HISTORY_ACTION},
	    {"would", CHOICE_ACTION, HISTORY_WOULD},
	    {"reason", CHOICE_REASON, HISTORY_REASON},
	    {"spf", CHOICE_SPF, HISTORY_SPF},
	    {"dkim", CHOICE_DKIM, HISTORY_DKIM},
	    {"dmarc", CHOICE_DMARC, HISTORY_DMARC},
	    {"notice", CHOICE_NOTICE, HISTORY_NOTICE},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!choice_word(
			rows[i].option, rows[i].choice, w->text[rows[i].which]))
			return false;
	return choice_client(w->text[HISTORY_CLIENT]);
}

static bool
scores_parse(const struct words *w, struct history_filter *f)
{
	struct choice_range range;
	if (!choice_scores(w->score_min, w->score_max, &range))
		return false;
	f->has_score_min = range.has_min;
	f->has_score_max = range.has_max;
	f->score_min = range.min;
	f->score_max = range.max;
	return true;
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
	if (w->is_following && w->until != NULL) {
		log_error("--follow and --until: choose one; --follow shows "
			  "what comes from now on");
		return false;
	}
	r->is_following = w->is_following;
	r->limit = w->is_following ? FOLLOW_LIMIT_DEFAULT : LIMIT_DEFAULT;
	return texts_check(w) && id_check(w->id) &&
	       choice_class(w->class, &f->has_class, &f->class) &&
	       scores_parse(w, f) &&
	       choice_times(w->since, w->until, clock_wall(), &f->since_wall,
		   &f->until_wall) &&
	       memory_limit_parse(w->limit, &r->limit);
}

/* Texts may be hashed as they are in the file, for which there is a key now. */
static void
patterns_set(
    struct request *r, const struct words *w, const struct history_desk *desk)
{
	struct history_filter *f = &r->filter;
	const struct mac_key *key = desk->key;
	for (size_t i = 0; i < HISTORY_TEXTS; i++) {
		const char *text = w->text[i];
		if (text != NULL && i == HISTORY_LOGIN)
			text = cmd_login(r->arena, &desk->config, text);
		if (text != NULL)
			f->text[i] = history_pattern_of(r->arena, key, text);
	}
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
		patterns_set(r, w, &desk);
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
	if (optind != argc) {
		log_error("%s: say what it is: --id, --login, --sender, --to, "
			  "--subject ...",
		    argv[optind]);
		return cmd_usage(argv[0]);
	}
	if (!words_parse(&w, &r))
		return CMD_TROUBLE;
	r.arena = arena_new();
	int code = run(&r, &w);
	arena_free(r.arena);
	return code;
}
