/* SPDX-License-Identifier: BSD-2-Clause */
/* quarantine -- list, show, release, delete and purge what is held. */
#include <errno.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/history/history_event.h"
#include "cmd/held/held_output.h"
#include "cmd/held/held_request.h"
#include "hold/reinject.h"
#include "session/config.h"

#define SEEN_WAIT_MS 3000
#define HEADER_LINES_MAX 200

/* The run: what is open, and what has happened so far. */
struct run {
	const struct held_request *request;
	struct config config;
	struct ui ui, err;
	struct arena *arena;
	struct quarantine *quarantine;
	struct release *release; /* NULL: no key could be read */
	struct ui_table *table;  /* list, as text */
	int64_t now;
	size_t matched, missing, failed, unseen;
	uint64_t bytes;
	int wait_ms;
};

/* --folder, or what the verb means without it. */
static enum held_folder
folder_of(const struct held_request *r)
{
	switch ((enum folder_choice)r->folders) {
	case FOLDERS_HELD:
		return FOLDER_HELD;
	case FOLDERS_DISCARDED:
		return FOLDER_DISCARDED;
	case FOLDERS_ALL:
		return FOLDER_COUNT;
	case FOLDERS_DEFAULT:
		break;
	}
	/* an id is meant wherever it lies; a filter must not catch discards */
	return r->nids > 0 || r->verb == VERB_PURGE ? FOLDER_COUNT
						    : FOLDER_HELD;
}

static void
trouble(struct run *run, const char *what, enum quarantine_status status)
{
	const char *why =
	    status == QUARANTINE_NOT_FOUND   ? "is not in the quarantine"
	    : status == QUARANTINE_AMBIGUOUS ? "more than one id begins so"
	    : status == QUARANTINE_BUSY      ? "another process works on it"
	    : status == QUARANTINE_BAD_FILE  ? "cannot be read: damaged"
					     : strerror(errno);
	if (status == QUARANTINE_NOT_FOUND)
		run->missing++;
	else
		run->failed++;
	ui_printf(&run->err, UI_RED, "postern: %s: %s\n", what, why);
	if (status == QUARANTINE_AMBIGUOUS)
		held_choices_show(&run->err, run->quarantine, str_from(what));
}

/* What a person would call it. */
static const char *
entry_word(struct arena *a, const struct held_entry *e)
{
	return str_c(a, held_entry_name(e));
}

/* Hands what passes the filter to the verb. */
struct selection {
	struct run *run;
	void (*act)(struct run *run, const struct held_entry *e);
};

/*
 * Whether `e` is meant, which is verified first if that was asked for: its
 * state may then be another.  What cannot be read is as it is known already.
 */
static bool
is_meant(struct run *run, struct arena *a, struct held_entry *e)
{
	struct held_filter any_state = run->request->filter;
	struct held_entry whole;
	struct str raw;
	any_state.has_state = false;
	if (!held_filter_matches(&any_state, e, run->now))
		return false;
	if (run->request->verifies && quarantine_read(run->quarantine, a, e,
					  &whole, &raw) == QUARANTINE_OK)
		*e = whole;
	return held_filter_matches(&run->request->filter, e, run->now);
}

static bool
select_one(void *arg, const struct held_entry *e)
{
	struct selection *s = arg;
	struct arena *a = arena_new();
	struct held_entry entry = *e;
	if (is_meant(s->run, a, &entry)) {
		s->run->matched++;
		s->run->bytes += entry.file_bytes;
		s->act(s->run, &entry);
	}
	arena_free(a);
	/* what is done goes on, what is only shown does not */
	return s->run->request->verb != VERB_LIST || ui_out_is_open();
}

static enum quarantine_status
select_id(struct selection *s, struct str id)
{
	struct held_entry entry;
	enum held_folder folder = folder_of(s->run->request);
	if (s->run->request->verb == VERB_LIST)
		return quarantine_each(
		    s->run->quarantine, folder, id, select_one, s);
	enum quarantine_status status =
	    quarantine_find(s->run->quarantine, s->run->arena, id, &entry);
	if (status != QUARANTINE_OK)
		return status;
	if (folder != FOLDER_COUNT && folder != entry.held.folder)
		return QUARANTINE_NOT_FOUND;
	(void)select_one(s, &entry);
	return QUARANTINE_OK;
}

/* Do `act` to every message that was asked for. */
static void
select_all(
    struct run *run, void (*act)(struct run *run, const struct held_entry *e))
{
	const struct held_request *r = run->request;
	struct selection s = {run, act};
	enum quarantine_status status;
	for (size_t i = 0; i < r->nids; i++) {
		status = select_id(&s, str_from(r->ids[i]));
		if (status != QUARANTINE_OK)
			trouble(run, r->ids[i], status);
	}
	if (r->nids > 0)
		return;
	status = quarantine_each(
	    run->quarantine, folder_of(r), STR_EMPTY, select_one, &s);
	if (status != QUARANTINE_OK)
		trouble(run, "quarantine", status);
}

static int
exit_of(const struct run *run)
{
	if (run->failed > 0)
		return CMD_TROUBLE;
	return run->matched == 0 || run->missing > 0 ? CMD_FOUND : CMD_FINE;
}

static void
list_one(struct run *run, const struct held_entry *e)
{
	if (run->request->is_json) {
		json_t *o = held_json(e, run->now);
		held_json_details(o, e);
		json_line(stdout, o);
	} else {
		held_table_row(run->table, run->request->is_long, e, run->now);
	}
}

static int
list_run(struct run *run)
{
	bool is_text = !run->request->is_json;
	if (is_text)
		run->table = held_table_new(&run->ui, run->request->is_long);
	select_all(run, list_one);
	if (is_text)
		ui_table_end(run->table);
	if (is_text && run->ui.is_terminal)
		ui_printf(&run->ui, UI_DIM, "%zu message%s, %.*s\n",
		    run->matched, run->matched == 1 ? "" : "s",
		    STR_ARG(held_size_text(run->arena, run->bytes)));
	return exit_of(run);
}

static void
show_text(struct run *run, const struct held_entry *e, struct str raw)
{
	struct str body = release_body(raw);
	struct str header = str_sub(raw, 0, raw.len - body.len);
	held_show(&run->ui, e, run->now);
	(void)fputc('\n', run->ui.out);
	held_show_lines(&run->ui, header, HEADER_LINES_MAX);
	held_show_lines(&run->ui, body, run->request->lines);
}

static void
show_one(struct run *run, const struct held_entry *e)
{
	struct arena *a = arena_new();
	struct held_entry now;
	struct str raw;
	enum quarantine_status status =
	    quarantine_read(run->quarantine, a, e, &now, &raw);
	if (status != QUARANTINE_OK) {
		trouble(run, entry_word(run->arena, e), status);
	} else if (run->request->is_raw) {
		(void)fwrite(raw.p, 1, raw.len, stdout);
	} else if (run->request->is_json) {
		json_t *o = held_json(&now, run->now);
		struct str body = release_body(raw);
		held_json_details(o, &now);
		json_object_set_new(o, "header",
		    json_text(str_sub(raw, 0, raw.len - body.len)));
		json_line(stdout, o);
	} else {
		show_text(run, &now, raw);
	}
	arena_free(a);
}

static int
show_run(struct run *run)
{
	const struct held_request *r = run->request;
	if (r->nids == 0) {
		log_error("show needs a quarantine id; `postern quarantine "
			  "list` has them");
		return CMD_TROUBLE;
	}
	if (r->is_raw && r->nids > 1) {
		log_error("--raw takes one quarantine id");
		return CMD_TROUBLE;
	}
	if (r->is_raw && run->ui.is_terminal && !r->is_forced) {
		log_error("--raw would send the message's bytes to this "
			  "terminal; send them to a file, or use --force");
		return CMD_TROUBLE;
	}
	select_all(run, show_one);
	return exit_of(run);
}

/* "ID: deleted: from <a@b>, 3h old, 18K"; or the same as JSON. */
static void
done_line(struct run *run, const struct held_entry *e, const char *did,
    const char *why, enum ui_style style)
{
	bool is_dry = run->request->is_dry_run;
	if (run->request->is_json) {
		json_t *o = held_json(e, run->now);
		json_object_set_new(o, "action", json_string(did));
		json_object_set_new(o, "dry_run", json_boolean(is_dry));
		if (why != NULL)
			json_object_set_new(o, "why", json_string(why));
		json_line(stdout, o);
		return;
	}
	struct arena *a = arena_new();
	ui_put(&run->ui, UI_CYAN, held_entry_name(e));
	ui_printf(&run->ui, style, " %s%s", is_dry ? "would be " : "", did);
	if (why != NULL)
		ui_printf(&run->ui, style, " (%s)", why);
	ui_printf(&run->ui, UI_PLAIN, ": from <");
	ui_put(&run->ui, UI_PLAIN, e->held.envelope.from);
	ui_printf(&run->ui, UI_PLAIN, ">, %.*s old, %.*s\n",
	    STR_ARG(held_age_text(a, run->now - e->held.time_wall)),
	    STR_ARG(held_size_text(a, e->file_bytes)));
	arena_free(a);
}

/* More than one message goes only if somebody said which. */
static bool
is_chosen(const struct run *run)
{
	const struct held_request *r = run->request;
	if (r->nids > 0 || r->has_filter)
		return true;
	log_error("say which: ids, a filter such as --sender or --rule, or "
		  "--all (-h lists them)");
	return false;
}

static void
delete_one(struct run *run, const struct held_entry *e)
{
	enum quarantine_status status =
	    run->request->is_dry_run ? QUARANTINE_OK
				     : quarantine_delete(run->quarantine, e);
	if (status == QUARANTINE_OK && !run->request->is_dry_run)
		history_event_tell(&run->config, e, "deleted");
	if (status == QUARANTINE_OK)
		done_line(run, e, "deleted", NULL, UI_RED);
	else
		trouble(run, entry_word(run->arena, e), status);
}

static int
delete_run(struct run *run)
{
	if (!is_chosen(run))
		return CMD_TROUBLE;
	select_all(run, delete_one);
	return exit_of(run);
}

static const char *const reinject_words[] = {
    [REINJECT_OK] = "released",
    [REINJECT_PART] = "released in part",
    [REINJECT_FAILED] = "not released",
    [REINJECT_UNKNOWN] = "perhaps released",
    [REINJECT_TAMPERED] = "not released: changed since it was stored",
    [REINJECT_GONE] = "not released: no longer in the quarantine",
    [REINJECT_BUSY] = "not released: another process works on it",
};

static void
released_json(struct run *run, const struct held_entry *e,
    enum reinject_status status, const struct reinject_report *report)
{
	json_t *o = held_json(e, run->now);
	json_t *refused = json_array();
	for (size_t i = 0; i < report->mta.refusals.n; i++) {
		json_t *one = json_object();
		json_object_set_new(
		    one, "rcpt", json_text(report->mta.refusals.v[i].rcpt));
		json_object_set_new(
		    one, "reply", json_text(report->mta.refusals.v[i].reply));
		json_array_append_new(refused, one);
	}
	json_object_set_new(
	    o, "action", json_text(reinject_status_name(status)));
	json_object_set_new(
	    o, "dry_run", json_boolean(run->request->is_dry_run));
	json_object_set_new(o, "sent", json_integer((json_int_t)report->sent));
	json_object_set_new(o, "refused", refused);
	json_object_set_new(o, "reply", json_text(report->mta.reply));
	json_object_set_new(o, "seen_by_posternd",
	    json_boolean(report->sent > 0 && report->was_seen));
	json_object_set_new(o, "left_over", json_boolean(report->is_left_over));
	json_line(stdout, o);
}

static void
released_text(struct run *run, const struct held_entry *e,
    enum reinject_status status, const struct reinject_report *report)
{
	bool is_fine = status == REINJECT_OK;
	const struct ui *ui = is_fine ? &run->ui : &run->err;
	ui_put(ui, UI_CYAN, held_entry_name(e));
	ui_printf(ui, is_fine ? UI_GREEN : UI_RED, " %s%s",
	    run->request->is_dry_run ? "dry run: " : "",
	    reinject_words[status]);
	ui_printf(ui, UI_PLAIN, ": from <");
	ui_put(ui, UI_PLAIN, e->held.envelope.from);
	ui_printf(ui, UI_PLAIN, "> to %zu of %zu", report->sent,
	    e->held.envelope.rcpt.n);
	if (!is_fine && report->mta.reply.len > 0)
		ui_printf(ui, UI_RED, ": %.*s", STR_ARG(report->mta.reply));
	(void)fputc('\n', ui->out);
	for (size_t i = 0; i < report->mta.refusals.n; i++) {
		const struct refusal *refusal = &report->mta.refusals.v[i];
		ui_printf(ui, UI_RED, "    <");
		ui_put(ui, UI_RED, refusal->rcpt);
		ui_printf(ui, UI_RED, ">: %.*s\n", STR_ARG(refusal->reply));
	}
	if (status == REINJECT_UNKNOWN && report->was_seen)
		ui_printf(ui, UI_RED,
		    "    posternd has let it pass: look into the MTA's queue "
		    "before you release it again\n");
	if (report->is_left_over)
		ui_printf(&run->err, UI_RED,
		    "    it was sent, but its file could not be removed: "
		    "delete "
		    "it, or the next release sends it again\n");
}

static void
release_one(struct run *run, const struct held_entry *e)
{
	const struct held_request *r = run->request;
	struct arena *a = arena_new();
	struct reinjection how = {
	    .quarantine = run->quarantine,
	    .release = run->release,
	    .via = run->config.release_via,
	    .valid_s = run->config.release_valid_ms / 1000,
	    .wait_ms = run->wait_ms,
	    .keeps_file = r->keeps,
	    .is_forced = r->is_forced,
	    .is_dry_run = r->is_dry_run,
	};
	struct reinject_report report;
	enum reinject_status status = reinject(a, &how, e, &report);
	if (report.sent > 0)
		history_event_tell(&run->config, e,
		    status == REINJECT_PART ? "released-part" : "released");
	if (r->is_dry_run && status == REINJECT_OK)
		done_line(run, e, "released", NULL, UI_GREEN);
	else if (r->is_json)
		released_json(run, e, status, &report);
	else
		released_text(run, e, status, &report);
	if (status != REINJECT_OK || report.is_left_over)
		run->failed++;
	if (report.sent > 0 && !report.was_seen) {
		run->unseen++;
		run->wait_ms = 0; /* one wait is enough to know */
	}
	arena_free(a);
}

static int
release_run(struct run *run)
{
	struct str why;
	if (!is_chosen(run))
		return CMD_TROUBLE;
	if (run->release == NULL)
		return CMD_TROUBLE;
	if (run->request->via != NULL)
		run->config.release_via = str_from(run->request->via);
	if (!inject_via_check(run->arena, run->config.release_via, &why)) {
		log_error("release-via: %.*s", STR_ARG(why));
		return CMD_TROUBLE;
	}
	run->wait_ms = SEEN_WAIT_MS;
	select_all(run, release_one);
	if (run->unseen > 0)
		log_warning("posternd has not seen %zu of them yet: is it a "
			    "milter of the MTA that release-via reaches, for "
			    "mail that comes in this way?",
		    run->unseen);
	return exit_of(run);
}

static bool
purge_wants(void *arg, const struct held_entry *e)
{
	struct run *run = arg;
	enum held_folder folder = folder_of(run->request);
	return (folder == FOLDER_COUNT || folder == e->held.folder) &&
	       held_filter_matches(&run->request->filter, e, run->now);
}

static void
purge_tell(void *arg, const struct held_entry *e, enum purge_reason reason)
{
	struct run *run = arg;
	run->matched++;
	if (!run->request->is_dry_run)
		history_event_tell(&run->config, e, "purged");
	done_line(
	    run, e, "purged", reason == PURGE_AGE ? "age" : "size", UI_YELLOW);
}

static void
purge_summary(struct run *run, const struct purge_result *result)
{
	struct arena *a = arena_new();
	bool is_dry = run->request->is_dry_run;
	ui_printf(&run->ui, UI_DIM, "%llu message%s (%.*s) %s, %.*s left\n",
	    (unsigned long long)result->removed,
	    result->removed == 1 ? "" : "s",
	    STR_ARG(held_size_text(a, result->removed_bytes)),
	    is_dry ? "would be purged" : "purged",
	    STR_ARG(held_size_text(a, result->left_bytes)));
	if (result->stale > 0)
		ui_printf(&run->ui, UI_DIM,
		    "%llu unfinished file%s of a crash %s\n",
		    (unsigned long long)result->stale,
		    result->stale == 1 ? "" : "s",
		    is_dry ? "would be removed" : "removed");
	arena_free(a);
}

static int
purge_run(struct run *run)
{
	const struct held_request *r = run->request;
	struct purge_result result;
	struct purge purge = {
	    .now_wall = run->now,
	    .max_age_s =
		{
		    [FOLDER_HELD] = run->config.held_age_ms / 1000,
		    [FOLDER_DISCARDED] = run->config.discarded_age_ms / 1000,
		},
	    .max_bytes = r->has_purge_bytes ? r->purge_bytes
					    : run->config.quarantine_bytes,
	    .is_dry_run = r->is_dry_run,
	    .wants = purge_wants,
	    .tell = purge_tell,
	    .arg = run,
	};
	if (r->nids > 0) {
		log_error("purge takes no quarantine ids; delete does");
		return CMD_TROUBLE;
	}
	for (size_t i = 0; i < FOLDER_COUNT && r->purge_age_s > 0; i++)
		purge.max_age_s[i] = r->purge_age_s;
	enum quarantine_status status =
	    quarantine_purge(run->quarantine, &purge, &result);
	if (status != QUARANTINE_OK) {
		trouble(run, "quarantine", status);
		return CMD_TROUBLE;
	}
	if (run->release != NULL && !r->is_dry_run)
		(void)release_tidy(run->release, run->now);
	if (!r->is_json)
		purge_summary(run, &result);
	if (result.failed > 0)
		log_error("%llu of the messages to be purged could not be "
			  "removed",
		    (unsigned long long)result.failed);
	return result.failed > 0 ? CMD_TROUBLE : CMD_FINE;
}

static const struct verb_row {
	struct held_verb_text text;
	int (*run)(struct run *run);
} verbs[] = {{{"list", "[OPTION...] [ID...]", "List held mail, oldest first.",
		  VERB_LIST},
		 list_run},
    {{"show", "[OPTION...] ID...",
	 "Show why a message is held, its header and first lines.", VERB_SHOW},
	show_run},
    {{"release", "[OPTION...] ID...|FILTER...",
	 "Send held mail to its recipients; it is not filtered again.",
	 VERB_RELEASE},
	release_run},
    {{"delete", "[OPTION...] ID...|FILTER...", "Delete held mail for good.",
	 VERB_DELETE},
	delete_run},
    {{"purge", "[OPTION...]",
	 "Delete what is too old, then the oldest until the rest fits.",
	 VERB_PURGE},
	purge_run}};

static const struct verb_row *
verb_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		if (strcmp(verbs[i].text.name, name) == 0)
			return &verbs[i];
	return NULL;
}

static void
verbs_show(FILE *out)
{
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		fprintf(
		    out, "  %-8s %s\n", verbs[i].text.name, verbs[i].text.help);
	(void)fputs("`postern help quarantine VERB` lists its options.\n", out);
}

/* Without a key everything but a release works; seals are not checked. */
static void
key_open(struct run *run)
{
	struct str why;
	if (release_open_existing(
		run->arena, run->config.state_dir, &run->release, &why)) {
		quarantine_set_key(run->quarantine, release_key(run->release));
		return;
	}
	run->release = NULL;
	struct str may = cmd_who_may(
	    run->arena, &run->config, run->config.state_dir, R_OK | X_OK);
	if (run->request->verb == VERB_RELEASE)
		log_error("%.*s%.*s", STR_ARG(why), STR_ARG(may));
	else
		log_warning("seals are not checked: %.*s%.*s", STR_ARG(why),
		    STR_ARG(may));
}

static int
run_verb(const struct verb_row *verb, const struct held_request *request)
{
	struct held_request meant = *request;
	struct run run = {
	    .request = &meant, .arena = arena_new(), .now = clock_wall()};
	struct str why;
	int code = CMD_TROUBLE;
	cmd_config_load(run.arena, &run.config);
	if (meant.filter.login != NULL)
		meant.filter.login =
		    cmd_login(run.arena, &run.config, meant.filter.login);
	ui_init(&run.ui, stdout, (enum ui_color)request->color);
	ui_init(&run.err, stderr, (enum ui_color)request->color);
	if (quarantine_open_existing(run.config.quarantine_dir, &run.quarantine,
		&why, run.arena) != QUARANTINE_OK) {
		struct str may = cmd_who_may(run.arena, &run.config,
		    run.config.quarantine_dir, R_OK | X_OK);
		log_error("%.*s%.*s", STR_ARG(why), STR_ARG(may));
	} else {
		key_open(&run);
		code = verb->run(&run);
		release_close(run.release);
		quarantine_close(run.quarantine);
	}
	arena_free(run.arena);
	return code;
}

int
cmd_quarantine(int argc, char **argv)
{
	struct held_request request;
	const struct verb_row *verb = argc < 2 ? NULL : verb_find(argv[1]);
	if (argc > 1 && cmd_is_help(argv[1])) {
		cmd_help_show(argv[0]);
		verbs_show(stdout);
		return CMD_FINE;
	}
	if (verb == NULL) {
		if (argc > 1)
			cmd_error("quarantine has no verb \"%s\"", argv[1]);
		(void)cmd_usage(argv[0]);
		verbs_show(stderr);
		return CMD_TROUBLE;
	}
	if (held_request_parse(&verb->text, argc - 1, argv + 1, &request))
		return run_verb(verb, &request);
	fprintf(stderr, "usage: postern quarantine %s %s\n", verb->text.name,
	    verb->text.takes);
	return CMD_TROUBLE;
}
