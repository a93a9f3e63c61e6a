/* SPDX-License-Identifier: BSD-2-Clause */
/* control -- signals and the control socket. */
#include "session/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/listen.h"
#include "base/log.h"
#include "session/alerts.h"
#include "session/answers.h"
#include "session/chronicle.h"
#include "session/exporter.h"
#include "session/filterer.h"
#include "session/session.h"
#include "session/status.h"

#define COMMAND_BYTES (CHRONICLE_EVENT_MAX + 64)
#define ANSWER_BYTES (1024 * 1024)
#define CLIENT_TIMEOUT_S 5
#define SETTLE_US 300000
/* At least, for the last answers. */
#define CLOSE_MS 2000
#define ALERTS_MS 10000

struct control {
	struct gate *gate;
	const struct snapshot_source *source;
	struct filterer *filterer;
	struct exporter *exporter; /* NULL: none */
	char path[108];
	int listener; /* -1: none */
	int signals;
	pthread_t thread;
	bool is_stopping;
};

static sigset_t
our_signals(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	return set;
}

void
control_block_signals(void)
{
	sigset_t set = our_signals();
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* Options that are read at start only: to the log, and to who asked. */
static void
warn_restart(struct arena *a, const struct config *old,
    const struct config *fresh, struct buf *out)
{
	static const char *const fixed[] = {"socket", "socket-mode",
	    "socket-group", "control-socket", "metrics-socket", "metrics-mode",
	    "pid-file", "user", "log", "log-level", "workers", "state-dir",
	    "quarantine-dir", "quarantine-size", "dns", "dns-hosts",
	    "dns-query-time", "dns-cache", "dnssec"};
	for (const struct option_row *row = CONFIG_FILE.rows; row->name != NULL;
	     row++)
		for (size_t i = 0; i < COUNT_OF(fixed); i++)
			if (strcmp(row->name, fixed[i]) == 0 &&
			    !str_eq(option_show(a, row, old),
				option_show(a, row, fresh))) {
				static const char text[] =
				    "%s has changed: it takes effect when "
				    "posternd is started again";
				log_warning(text, fixed[i]);
				buf_printf(out, text, fixed[i]);
				buf_putc(out, '\n');
			}
}

static void
diags_show(const struct diags *diags, struct buf *out)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *d = &diags->v[i];
		if (d->level == DIAG_NOTE)
			continue;
		struct buf *line = buf_new(diags->arena, 2048);
		log_escape(line, d->file);
		if (d->line > 0)
			buf_printf(line, ":%u", d->line);
		buf_printf(line, ": %s: ", diag_level_word(d->level));
		log_escape(line, d->text);
		buf_printf(out, "%.*s\n", STR_ARG(buf_str(line)));
		if (d->level == DIAG_ERROR)
			log_error("%.*s", STR_ARG(buf_str(line)));
	}
}

/* It was made at start, as root, if it is the old one. */
static bool
has_spool(const struct config *config, struct diags *diags)
{
	char *dir = str_c(diags->arena, config->spool_dir);
	if (access(dir, W_OK | X_OK) == 0)
		return true;
	struct option_place place = {
	    .lines = &config->lines, .name = "spool-dir"};
	option_complain(
	    diags, DIAG_ERROR, &place, 0, "%s: %s", dir, strerror(errno));
	return false;
}

/* Its prefilter is made from now on. */
static void
filter_take(struct control *control, struct snapshot *snapshot)
{
	struct arena *a = arena_new();
	filterer_take(control->filterer, snapshot,
	    str_printf(
		a, "%.*s/prefilter", STR_ARG(snapshot->config.state_dir)));
	arena_free(a);
}

/* A sound new snapshot takes the place of the old one, a broken one does not.
 */
static bool
reload(struct control *control, struct str words, struct buf *out)
{
	(void)words;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct metrics *metrics = gate_metrics(control->gate);
	struct snapshot *fresh = snapshot_load(control->source, true, &diags);
	if (fresh != NULL &&
	    (!has_spool(&fresh->config, &diags) ||
		!snapshot_start_check(fresh, control->source, &diags))) {
		snapshot_put(fresh);
		fresh = NULL;
	}
	diags_show(&diags, out);
	if (fresh == NULL) {
		(void)atomic_fetch_add(&metrics->reloads_refused, 1);
		log_error(
		    "reload refused: the old configuration and rules stay");
		buf_printf(out, "reload refused: the old configuration and "
				"rules stay\n");
	} else {
		struct snapshot *old = gate_snapshot(control->gate);
		warn_restart(a, &old->config, &fresh->config, out);
		snapshot_put(old);
		struct ruleset_counts counts = ruleset_counts(fresh->rules);
		struct memory_config memory = answers_memory(a, &fresh->config);
		memory_configure(gate_memory(control->gate), &memory);
		filter_take(control, fresh);
		gate_swap(control->gate, fresh);
		(void)atomic_fetch_add(&metrics->reloads, 1);
		log_info("reloaded: %zu rules active", counts.active);
		buf_printf(out, "reloaded: %zu rules active\n", counts.active);
	}
	arena_free(a);
	return fresh != NULL;
}

/* One line of JSON. */
static bool
status(struct control *control, struct str words, struct buf *out)
{
	(void)words;
	struct arena *a = arena_new();
	struct status now;
	status_read(a, control->gate, filterer_state(control->filterer), &now);
	json_t *json = status_json(&now);
	json_put(out, json, 0);
	buf_putc(out, '\n');
	json_decref(json);
	arena_free(a);
	return true;
}

/* An operator has done something to a kept message. */
static bool
event(struct control *control, struct str words, struct buf *out)
{
	struct arena *a = arena_new();
	struct chronicle_event event;
	struct gate *gate = control->gate;
	bool is_good = chronicle_event_parse(a, words, &event);
	if (is_good) {
		struct snapshot *snapshot = gate_snapshot(gate);
		chronicle_tell_event(a, gate_memory(gate),
		    chronicle_key(&snapshot->config, gate_release(gate)),
		    &event);
		snapshot_put(snapshot);
		quarantine_changed(gate_quarantine(gate));
	} else {
		buf_printf(out, "event wants an object: verb, id, by, ...\n");
	}
	arena_free(a);
	return is_good;
}

static const struct {
	const char *name;
	bool has_words;
	bool (*run)(struct control *control, struct str words, struct buf *out);
} commands[] = {{"reload", false, reload}, {"status", false, status},
    {"event", true, event}};

static void
command_run(struct control *control, struct str command, struct buf *out)
{
	struct str words = command, name = str_cut(&words, ' ');
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (str_eq(name, str_from(commands[i].name)) &&
		    (words.len > 0) == commands[i].has_words) {
			bool is_good = commands[i].run(control, words, out);
			buf_printf(out, "%s\n", is_good ? "ok" : "error");
			return;
		}
	buf_printf(out, "no such command\nerror\n");
}

static void
send_all(int fd, struct str text)
{
	while (text.len > 0) {
		ssize_t n = send(fd, text.p, text.len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text = str_skip(text, (size_t)n);
	}
}

static void
timeouts_set(int fd)
{
	struct timeval wait = {.tv_sec = CLIENT_TIMEOUT_S};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

static void
client_serve(struct control *control)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	timeouts_set(fd);
	struct arena *a = arena_new();
	char *line = arena_alloc(a, COMMAND_BYTES);
	size_t len = 0;
	ssize_t n;
	/* signals wait meanwhile: the whole line has its time, not each byte */
	int64_t until = clock_ms() + CLIENT_TIMEOUT_S * 1000;
	while (len < COMMAND_BYTES && memchr(line, '\n', len) == NULL &&
	       clock_ms() < until &&
	       (n = recv(fd, line + len, COMMAND_BYTES - len, 0)) > 0)
		len += (size_t)n;
	struct str rest = str_of(line, len);
	struct buf *out = buf_new(a, ANSWER_BYTES);
	command_run(control, str_trim(str_line(&rest)), out);
	send_all(fd, buf_str(out));
	(void)close(fd);
	arena_free(a);
}

static void
stop(struct control *control)
{
	struct snapshot *snapshot = gate_snapshot(control->gate);
	int64_t ms = snapshot->config.drain_ms;
	snapshot_put(snapshot);
	log_info("stopping: finishing what is in flight");
	/* the gate has to let it pass */
	if (!alerts_flush(gate_alerts(control->gate), ALERTS_MS))
		log_warning("alerts are left untold: the program or server "
			    "that is to tell them does not end");
	/* An MTA that needs no reply to MAIL may be ahead of us: let what it
	 * has sent be read, so that it counts as in flight. */
	(void)usleep(SETTLE_US);
	gate_drain(control->gate);
	int64_t until = clock_ms() + ms;
	bool is_drained = gate_drain_wait(control->gate, ms);
	/* Messages begun since are cut off only before their answer: what is
	 * kept is answered. */
	int64_t left_ms = until - clock_ms();
	if (!gate_close(control->gate, left_ms > CLOSE_MS ? left_ms : CLOSE_MS))
		is_drained = false;
	if (!is_drained)
		log_warning(
		    "drain-time is over: the MTA will try the rest again");
	control->is_stopping = true;
	session_stop();
}

static void
signal_serve(struct control *control)
{
	struct signalfd_siginfo info;
	if (read(control->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		stop(control);
		return;
	}
	struct arena *a = arena_new();
	(void)reload(control, STR_EMPTY, buf_new(a, ANSWER_BYTES));
	arena_free(a);
}

static void *
serve(void *arg)
{
	struct control *control = arg;
	struct pollfd fds[] = {
	    {.fd = control->signals, .events = POLLIN},
	    {.fd = control->listener, .events = POLLIN},
	};
	while (!control->is_stopping) {
		if (poll(fds, COUNT_OF(fds), -1) < 0)
			continue;
		if ((fds[0].revents & POLLIN) != 0)
			signal_serve(control);
		else if ((fds[1].revents & POLLIN) != 0)
			client_serve(control);
	}
	return NULL;
}

/* What the exporter shows. */
static struct str
exposition(void *arg, struct arena *a)
{
	struct control *control = arg;
	struct status status;
	status_read(
	    a, control->gate, filterer_state(control->filterer), &status);
	return status_exposition(a, &status);
}

static bool
exporter_open(struct control *control, struct diags *diags)
{
	struct snapshot *snapshot = gate_snapshot(control->gate);
	const struct config *config = &snapshot->config;
	struct exporter_options options = {
	    .at = config->metrics_socket,
	    .mode = (mode_t)config->metrics_mode,
	    .text = exposition,
	    .arg = control,
	};
	if (options.at.len > 0)
		control->exporter = exporter_start(&options);
	bool is_good = options.at.len == 0 || control->exporter != NULL;
	struct option_place place = {
	    .lines = &config->lines, .name = "metrics-socket"};
	if (!is_good)
		option_complain(diags, DIAG_ERROR, &place, 0, "%.*s: %s",
		    STR_ARG(options.at), strerror(errno));
	snapshot_put(snapshot);
	return is_good;
}

static bool
listener_open(
    struct control *control, const struct config *config, struct diags *diags)
{
	struct str path = config->control_socket;
	struct option_place place = {
	    .lines = &config->lines, .name = "control-socket"};
	control->listener = -1;
	if (path.len == 0)
		return true;
	control->listener = listen_local(path, 0600);
	if (control->listener < 0)
		option_complain(diags, DIAG_ERROR, &place, 0, "%.*s: %s",
		    STR_ARG(path), strerror(errno));
	else
		(void)snprintf(control->path, sizeof(control->path), "%.*s",
		    STR_ARG(path));
	return control->listener >= 0;
}

static void
listener_close(struct control *control)
{
	if (control->listener < 0)
		return;
	(void)close(control->listener);
	(void)unlink(control->path);
}

struct control *
control_start(struct gate *gate, const struct snapshot_source *source,
    struct diags *diags)
{
	struct control *control = calloc(1, sizeof(*control));
	if (control == NULL)
		log_fatal("out of memory");
	control->gate = gate;
	control->source = source;
	struct snapshot *snapshot = gate_snapshot(gate);
	bool is_open = listener_open(control, &snapshot->config, diags);
	snapshot_put(snapshot);
	if (!is_open) {
		free(control);
		return NULL;
	}
	control->filterer = filterer_start();
	if (!exporter_open(control, diags)) {
		filterer_stop(control->filterer);
		listener_close(control);
		free(control);
		return NULL;
	}
	snapshot = gate_snapshot(gate);
	filter_take(control, snapshot);
	snapshot_put(snapshot);
	sigset_t set = our_signals();
	control->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (control->signals < 0 ||
	    pthread_create(&control->thread, NULL, serve, control) != 0)
		log_fatal(
		    "cannot start the control thread: %s", strerror(errno));
	return control;
}

void
control_done(struct control *control)
{
	if (control == NULL)
		return;
	/* libmilter may have given up by itself */
	(void)kill(getpid(), SIGTERM);
	(void)pthread_join(control->thread, NULL);
	exporter_stop(control->exporter);
	filterer_stop(control->filterer);
	listener_close(control);
	(void)close(control->signals);
	free(control);
}
