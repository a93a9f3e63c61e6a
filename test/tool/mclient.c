/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mclient -- hands mail to a milter as Postfix or Sendmail does and prints what
 * it answered: one line a message, or the figures of a load.
 */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "dialog.h"
#include "garbage.h"

#define OFFER_ACTIONS 0x1ff
#define OFFER_PROTOCOL 0x1fffff
#define THREAD_STACK (256 * 1024)
#define LINE_BYTES ((size_t)1 << 24)

struct args {
	struct arena *arena;
	struct plan plan;
	struct letter_shape shape;
	bool has_shape;
	struct letter *v; /* letters */
	size_t n, cap;
	uint64_t connections, repeat, total, seed;
	const char *garbage;
	bool is_json, is_bench, meets;
	uint64_t pid; /* of the milter, for its processor time and memory */
};

/* --- the milter's own figures --- */

struct usage {
	double cpu_ms;
	uint64_t rss_kb, peak_kb;
};

static uint64_t
status_kb(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

static struct str
read_proc(struct arena *a, uint64_t pid, const char *name)
{
	char path[64];
	struct buf *b = buf_new(a, 16384);
	(void)snprintf(
	    path, sizeof(path), "/proc/%llu/%s", (unsigned long long)pid, name);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return STR_EMPTY;
	char block[4096];
	size_t n;
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(b, str_of(block, n));
	(void)fclose(f);
	return buf_str(b);
}

static struct usage
usage_now(uint64_t pid)
{
	struct usage usage = {0};
	if (pid == 0)
		return usage;
	struct arena *a = arena_new();
	struct str stat = read_proc(a, pid, "stat");
	/* behind "(name)": state is field 3, utime 14, stime 15 */
	stat = str_skip(stat, str_rchr(stat, ')') == STR_NONE
				  ? stat.len
				  : str_rchr(stat, ')') + 1);
	uint64_t ticks = 0, value;
	for (int field = 3; field <= 15; field++) {
		struct str word = str_word(&stat);
		if (field >= 14 && str_u64(word, UINT64_MAX, &value))
			ticks += value;
	}
	usage.cpu_ms = 1000.0 * (double)ticks / (double)sysconf(_SC_CLK_TCK);
	const char *status = str_c(a, read_proc(a, pid, "status"));
	usage.rss_kb = status_kb(status, "VmRSS:");
	usage.peak_kb = status_kb(status, "VmHWM:");
	arena_free(a);
	return usage;
}

/* --- one run of many connections --- */

struct run {
	const struct args *args;
	_Atomic uint64_t next;
	uint32_t *us; /* of each message */
	_Atomic uint64_t replies[REPLY_COUNT];
	pthread_mutex_t printing;
	/* a gate that opens when all connections have come to it */
	pthread_mutex_t gate;
	pthread_cond_t gate_opens;
	uint64_t arrived;
	int64_t start_us;
};

struct worker {
	struct run *run;
	struct plan plan; /* with this worker as meet_arg */
	uint64_t number;
	bool has_met;
	pthread_t thread;
};

static void
arrive(struct worker *w, bool waits)
{
	struct run *run = w->run;
	if (w->has_met)
		return;
	w->has_met = true;
	(void)pthread_mutex_lock(&run->gate);
	if (++run->arrived == run->args->connections) {
		run->start_us = clock_us();
		(void)pthread_cond_broadcast(&run->gate_opens);
	}
	while (waits && run->arrived < run->args->connections)
		(void)pthread_cond_wait(&run->gate_opens, &run->gate);
	(void)pthread_mutex_unlock(&run->gate);
}

static void
meet(void *arg)
{
	arrive(arg, true);
}

static void
put_text(struct buf *b, const char *key, struct str text)
{
	buf_printf(b, " %s=\"", key);
	for (; text.len > 0; text = str_skip(text, 1)) {
		if (text.p[0] == '"' || text.p[0] == '\\')
			buf_putc(b, '\\');
		if (text.p[0] == '\n')
			buf_put(b, STR("\\n"));
		else if (text.p[0] == '\r')
			buf_put(b, STR("\\r"));
		else
			buf_putc(b, text.p[0]);
	}
	buf_putc(b, '"');
}

static void
put_edits(struct buf *b, struct arena *a, const struct outcome *o)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct edit *edit = &o->v[i];
		bool is_header = edit->value.len > 0;
		put_text(b, edit->what,
		    !is_header ? edit->name
			       : str_printf(a, "%.*s:%.*s", STR_ARG(edit->name),
				     STR_ARG(edit->value)));
	}
	for (size_t i = 0; i < o->rejected.n; i++)
		put_text(b, "rejected", o->rejected.v[i]);
}

static void
print_text(struct arena *a, const struct worker *w, const struct letter *letter,
    const struct outcome *o)
{
	struct buf *b = buf_new(a, LINE_BYTES);
	struct str id = o->queue_id.len > 0 ? o->queue_id : STR("-");
	buf_printf(b, "%.*s: reply=%s stage=%s", STR_ARG(id),
	    reply_name(o->reply), stage_name(o->stage));
	if (o->code != 0)
		buf_printf(b, " code=%u", o->code);
	if (o->text.len > 0)
		put_text(b, "text", o->text);
	if (o->is_quarantined)
		put_text(b, "quarantine", o->quarantine);
	put_edits(b, a, o);
	buf_printf(b, " progress=%u ms=%.1f connection=%llu file=%.*s",
	    o->progress, (double)o->us / 1000, (unsigned long long)w->number,
	    STR_ARG(letter->title));
	printf("%.*s\n", STR_ARG(buf_str(b)));
}

static json_t *
edits_json(const struct outcome *o)
{
	json_t *list = json_array();
	for (size_t i = 0; i < o->n; i++) {
		const struct edit *edit = &o->v[i];
		json_t *item = json_pack("{s:s, s:I}", "what", edit->what,
		    "index", (json_int_t)edit->index);
		(void)json_object_set_new(item, "name", json_text(edit->name));
		(void)json_object_set_new(
		    item, "value", json_text(edit->value));
		(void)json_array_append_new(list, item);
	}
	return list;
}

static json_t *
texts_json(const struct strs *texts)
{
	json_t *list = json_array();
	for (size_t i = 0; i < texts->n; i++)
		(void)json_array_append_new(list, json_text(texts->v[i]));
	return list;
}

static void
print_json(const struct worker *w, const struct letter *letter,
    const struct outcome *o)
{
	json_t *line = json_pack("{s:s, s:s, s:i, s:i, s:f, s:I}", "reply",
	    reply_name(o->reply), "stage", stage_name(o->stage), "code",
	    (int)o->code, "progress", (int)o->progress, "ms",
	    (double)o->us / 1000, "connection", (json_int_t)w->number);
	(void)json_object_set_new(line, "id", json_text(o->queue_id));
	(void)json_object_set_new(line, "text", json_text(o->text));
	(void)json_object_set_new(line, "file", json_text(letter->title));
	(void)json_object_set_new(line, "quarantine",
	    o->is_quarantined ? json_text(o->quarantine) : json_null());
	(void)json_object_set_new(line, "edits", edits_json(o));
	(void)json_object_set_new(line, "rejected", texts_json(&o->rejected));
	json_line(stdout, line);
}

static void
finish_message(struct arena *a, const struct worker *w, uint64_t number,
    const struct letter *letter, const struct outcome *o)
{
	struct run *run = w->run;
	atomic_fetch_add(&run->replies[o->reply], 1);
	run->us[number] = (uint32_t)(o->us < UINT32_MAX ? o->us : UINT32_MAX);
	if (run->args->is_bench)
		return;
	(void)pthread_mutex_lock(&run->printing);
	if (run->args->is_json)
		print_json(w, letter, o);
	else
		print_text(a, w, letter, o);
	(void)fflush(stdout);
	(void)pthread_mutex_unlock(&run->printing);
}

/* The number of the next message to send; false: all are sent. */
static bool
next_message(struct run *run, uint64_t *ret)
{
	uint64_t number = atomic_fetch_add(&run->next, 1);
	*ret = number;
	return number < run->args->total;
}

static const struct letter *
letter_of(const struct args *args, uint64_t number)
{
	return &args->v[number % args->n];
}

/* Up to `repeat` messages on one connection, the first of which is `number`. */
static void
run_connection(struct worker *w, uint64_t number)
{
	const struct args *args = w->run->args;
	struct arena *session = arena_new(), *a = arena_new();
	struct outcome outcome;
	struct dialog *d = dialog_new(session, &w->plan, &outcome);
	arrive(w, args->meets && w->plan.on_meet == NULL && d != NULL);
	if (d == NULL)
		finish_message(a, w, number, letter_of(args, number), &outcome);
	for (uint64_t sent = 1; d != NULL; sent++) {
		const struct letter *letter = letter_of(args, number);
		bool is_cut = args->repeat == 1 || sent < args->repeat;
		bool goes_on =
		    dialog_message(d, a, letter, number, is_cut, &outcome);
		finish_message(a, w, number, letter, &outcome);
		arena_reset(a);
		if (!goes_on || sent == args->repeat ||
		    !next_message(w->run, &number))
			break;
	}
	dialog_free(d);
	arena_free(a);
	arena_free(session);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t number;
	while (next_message(w->run, &number))
		run_connection(w, number);
	arrive(w, false);
	return NULL;
}

static void
start_workers(struct run *run, struct worker *workers)
{
	pthread_attr_t attr;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, THREAD_STACK);
	for (uint64_t i = 0; i < run->args->connections; i++) {
		struct worker *w = &workers[i];
		*w = (struct worker){
		    .run = run, .plan = run->args->plan, .number = i + 1};
		if (w->plan.meet != STAGE_COUNT) {
			w->plan.on_meet = meet;
			w->plan.meet_arg = w;
		}
		int error = pthread_create(&w->thread, &attr, worker_main, w);
		if (error != 0)
			log_fatal("thread %llu: %s", (unsigned long long)i,
			    strerror(error));
	}
	(void)pthread_attr_destroy(&attr);
}

/* --- figures --- */

static int
by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return left < right ? -1 : left > right;
}

static double
percentile_ms(const uint32_t *sorted, uint64_t n, double share)
{
	return n == 0
		   ? 0
		   : (double)sorted[(uint64_t)((double)(n - 1) * share)] / 1000;
}

static uint64_t
count_bad(struct run *run)
{
	uint64_t bad = 0;
	for (size_t i = 0; i < REPLY_COUNT; i++)
		if (!reply_is_fine((enum reply)i))
			bad += atomic_load(&run->replies[i]);
	return bad;
}

static json_t *
figures_json(
    struct run *run, double seconds, struct usage before, struct usage after)
{
	uint64_t n = run->args->total;
	double messages = n == 0 ? 1 : (double)n;
	qsort(run->us, n, sizeof(run->us[0]), by_size);
	json_t *figures =
	    json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}",
		"messages", (json_int_t)n, "errors", (json_int_t)count_bad(run),
		"seconds", seconds, "rate", messages / seconds, "p50_ms",
		percentile_ms(run->us, n, 0.5), "p99_ms",
		percentile_ms(run->us, n, 0.99), "max_ms",
		percentile_ms(run->us, n, 1), "cpu_ms",
		(after.cpu_ms - before.cpu_ms) / messages, "rss_kb",
		(json_int_t)after.rss_kb, "peak_kb", (json_int_t)after.peak_kb);
	for (size_t i = 0; i < REPLY_COUNT; i++) {
		uint64_t count = atomic_load(&run->replies[i]);
		if (count > 0)
			(void)json_object_set_new(figures,
			    reply_name((enum reply)i),
			    json_integer((json_int_t)count));
	}
	return figures;
}

static void
print_figures(const struct args *args, json_t *figures)
{
	const char *key;
	json_t *value;
	if (args->is_json) {
		json_line(stdout, json_incref(figures));
		return;
	}
	json_object_foreach(figures, key, value) if (json_is_real(value))
	    printf("%s=%.3f ", key, json_real_value(value));
	else printf("%s=%lld ", key, (long long)json_integer_value(value));
	printf("\n");
}

static bool
run_all(const struct args *args)
{
	struct run run = {.args = args,
	    .printing = PTHREAD_MUTEX_INITIALIZER,
	    .gate = PTHREAD_MUTEX_INITIALIZER,
	    .gate_opens = PTHREAD_COND_INITIALIZER,
	    .start_us = clock_us()};
	run.us = ARENA_ARRAY(args->arena, uint32_t, args->total);
	struct worker *workers =
	    ARENA_ARRAY(args->arena, struct worker, args->connections);
	struct usage before = usage_now(args->pid);
	start_workers(&run, workers);
	for (uint64_t i = 0; i < args->connections; i++)
		(void)pthread_join(workers[i].thread, NULL);
	double seconds = (double)(clock_us() - run.start_us) / 1e6;
	if (args->is_bench || args->pid != 0) {
		json_t *figures =
		    figures_json(&run, seconds, before, usage_now(args->pid));
		print_figures(args, figures);
		json_decref(figures);
	}
	return count_bad(&run) == 0;
}

/* --- options --- */

enum option_id {
	OPT_HELP = 'h',
	OPT_LIKE = 256,
	OPT_CLIENT,
	OPT_CLIENT_NAME,
	OPT_HELO,
	OPT_DAEMON_NAME,
	OPT_DAEMON_ADDR,
	OPT_LOGIN,
	OPT_FROM,
	OPT_RCPT,
	OPT_MAIL_ARGS,
	OPT_MACRO,
	OPT_QUEUE_ID,
	OPT_REPEAT,
	OPT_CONNECTIONS,
	OPT_TOTAL,
	OPT_SIZE,
	OPT_FIELDS,
	OPT_ONE_LINE,
	OPT_ABORT_AFTER,
	OPT_DISCONNECT_AFTER,
	OPT_MEET_BEFORE,
	OPT_CHUNK,
	OPT_FIELD_MAX,
	OPT_SLOW,
	OPT_TIMEOUT,
	OPT_HALF_CLOSE,
	OPT_OFFER_ACTIONS,
	OPT_OFFER_PROTOCOL,
	OPT_GARBAGE,
	OPT_SEED,
	OPT_BENCH,
	OPT_PID,
	OPT_JSON
};

static const struct option_help {
	const char *name;
	int id;
	const char *value; /* NULL: takes none */
	const char *help;
} option_helps[] = {
    {"like", OPT_LIKE, "MTA", "postfix (default) or sendmail"},
    {"client", OPT_CLIENT, "ADDR[:PORT]",
	"192.0.2.7:4711; port 0 is Postfix's own mail; \"unknown\""},
    {"client-name", OPT_CLIENT_NAME, "NAME", "as the MTA resolved it"},
    {"helo", OPT_HELO, "NAME", "client.example"},
    {"daemon-name", OPT_DAEMON_NAME, "NAME", "macro {daemon_name}"},
    {"daemon-addr", OPT_DAEMON_ADDR, "ADDR", "macro {daemon_addr}"},
    {"login", OPT_LOGIN, "USER", "macro {auth_authen}"},
    {"from", OPT_FROM, "ADDR", "envelope sender; \"\" is the null sender"},
    {"rcpt", OPT_RCPT, "ADDR", "envelope recipient; may be repeated"},
    {"mail-args", OPT_MAIL_ARGS, "ARGS",
	"after MAIL FROM: \"SMTPUTF8 BODY=8BITMIME\""},
    {"macro", OPT_MACRO, "NAME=VALUE",
	"value of a macro, {name} or one letter; may be repeated"},
    {"queue-id", OPT_QUEUE_ID, "PREFIX", "queue ids start so"},
    {"repeat", OPT_REPEAT, "N", "messages a connection"},
    {"connections", OPT_CONNECTIONS, "N", "connections at once"},
    {"total", OPT_TOTAL, "N", "messages in all"},
    {"size", OPT_SIZE, "BYTES",
	"a made message with such a body instead of files"},
    {"fields", OPT_FIELDS, "N", "and so many more header fields"},
    {"one-line", OPT_ONE_LINE, NULL, "and no line end in the body"},
    {"abort-after", OPT_ABORT_AFTER, "STAGE",
	"abort all messages of a connection but the last"},
    {"disconnect-after", OPT_DISCONNECT_AFTER, "STAGE", "hang up there"},
    {"meet-before", OPT_MEET_BEFORE, "STAGE",
	"wait there until all connections have come so far"},
    {"raw-chunks", OPT_CHUNK, "BYTES", "size of a body packet"},
    {"field-max", OPT_FIELD_MAX, "BYTES",
	"cut header values here (Postfix: 60000)"},
    {"slow", OPT_SLOW, "MS", "wait before each packet"},
    {"timeout", OPT_TIMEOUT, "MS", "for one answer"},
    {"half-close", OPT_HALF_CLOSE, NULL,
	"shut down our side after end of message"},
    {"offer-actions", OPT_OFFER_ACTIONS, "HEX", "in the negotiation"},
    {"offer-protocol", OPT_OFFER_PROTOCOL, "HEX", "in the negotiation"},
    {"garbage", OPT_GARBAGE, "NAME",
	"hostile packets: all, one attack, or random (--total, --seed)"},
    {"seed", OPT_SEED, "N", "of random garbage"},
    {"bench", OPT_BENCH, NULL, "print figures of the whole run only"},
    {"pid", OPT_PID, "PID",
	"of the milter: its processor time a message and its memory"},
    {"json", OPT_JSON, NULL, "JSON instead of text"},
    {"help", OPT_HELP, NULL, "this list"},
};

static NORETURN void
usage(int status)
{
	FILE *out = status == 0 ? stdout : stderr;
	fprintf(out, "usage: mclient [options] unix:/path|inet:port@host "
		     "[FILE|DIR|-]...\n");
	for (size_t i = 0; i < COUNT_OF(option_helps); i++)
		fprintf(out, "  --%s %s\n      %s\n", option_helps[i].name,
		    option_helps[i].value == NULL ? "" : option_helps[i].value,
		    option_helps[i].help);
	fprintf(out, "stages: ");
	for (size_t i = 0; i < STAGE_COUNT; i++)
		fprintf(out, "%s ", stage_name((enum stage)i));
	fprintf(out,
	    "\nexit: 0 every message was answered, 1 one was not, 2 usage\n");
	exit(status);
}

static uint64_t
number_of(const char *text, int base)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, base);
	if (errno != 0 || end == text || *end != '\0') {
		fprintf(stderr, "mclient: not a number: %s\n", text);
		exit(2);
	}
	return value;
}

static uint64_t
decimal(const char *text)
{
	return number_of(text, 10);
}

static enum stage
stage_of(const char *name)
{
	enum stage stage;
	if (!stage_parse(name, &stage)) {
		fprintf(stderr, "mclient: no such stage: %s\n", name);
		exit(2);
	}
	return stage;
}

static void
set_plan(struct arena *a, struct plan *plan, int id, const char *value)
{
	switch (id) {
	case OPT_LIKE:
		plan->is_sendmail = strcmp(value, "sendmail") == 0;
		break;
	case OPT_CLIENT:
		plan->client = value;
		break;
	case OPT_CLIENT_NAME:
		plan->client_name = value;
		break;
	case OPT_HELO:
		plan->helo = value;
		break;
	case OPT_DAEMON_NAME:
		plan->daemon_name = value;
		break;
	case OPT_DAEMON_ADDR:
		plan->daemon_addr = value;
		break;
	case OPT_LOGIN:
		plan->login = value;
		break;
	case OPT_FROM:
		plan->from = value;
		break;
	case OPT_RCPT:
		strs_add(a, &plan->rcpt, str_from(value));
		break;
	case OPT_MAIL_ARGS:
		plan->mail_args = value;
		break;
	case OPT_MACRO:
		strs_add(a, &plan->macros, str_from(value));
		break;
	case OPT_QUEUE_ID:
		plan->queue_id_prefix = value;
		break;
	case OPT_ABORT_AFTER:
		plan->abort_after = stage_of(value);
		break;
	case OPT_DISCONNECT_AFTER:
		plan->disconnect_after = stage_of(value);
		break;
	case OPT_MEET_BEFORE:
		plan->meet = stage_of(value);
		break;
	case OPT_CHUNK:
		plan->chunk_bytes = decimal(value);
		break;
	case OPT_FIELD_MAX:
		plan->field_bytes = decimal(value);
		break;
	case OPT_SLOW:
		plan->slow_ms = (unsigned)decimal(value);
		break;
	case OPT_TIMEOUT:
		plan->timeout_ms = (int)decimal(value);
		break;
	case OPT_HALF_CLOSE:
		plan->half_closes = true;
		break;
	case OPT_OFFER_ACTIONS:
		plan->offer_actions = (uint32_t)number_of(value, 16);
		break;
	case OPT_OFFER_PROTOCOL:
		plan->offer_protocol = (uint32_t)number_of(value, 16);
		break;
	default:
		usage(2);
	}
}

static void
set_arg(struct args *args, int id, const char *value)
{
	switch (id) {
	case OPT_HELP:
		usage(0);
	case OPT_REPEAT:
		args->repeat = decimal(value);
		break;
	case OPT_CONNECTIONS:
		args->connections = decimal(value);
		break;
	case OPT_TOTAL:
		args->total = decimal(value);
		break;
	case OPT_SIZE:
		args->shape.body_bytes = decimal(value);
		break;
	case OPT_FIELDS:
		args->shape.extra_fields = decimal(value);
		break;
	case OPT_ONE_LINE:
		args->shape.is_one_line = true;
		break;
	case OPT_GARBAGE:
		args->garbage = value;
		break;
	case OPT_SEED:
		args->seed = decimal(value);
		break;
	case OPT_BENCH:
		args->is_bench = true;
		break;
	case OPT_PID:
		args->pid = decimal(value);
		break;
	case OPT_JSON:
		args->is_json = true;
		break;
	default:
		set_plan(args->arena, &args->plan, id, value);
		return;
	}
	args->has_shape |= id == OPT_SIZE || id == OPT_FIELDS;
}

static void
add_letter(struct args *args, const char *path)
{
	struct letter letter;
	if (!letter_read(args->arena, path, &letter)) {
		fprintf(stderr, "mclient: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	ARENA_PUSH(args->arena, args) = letter;
}

static struct args *walking; /* nftw() has no argument for its callback */

static int
add_found(
    const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)ftw;
	if (type == FTW_F)
		add_letter(walking, path);
	return 0;
}

static void
add_letters(struct args *args, char *const *paths)
{
	struct stat status;
	walking = args;
	for (; *paths != NULL; paths++)
		if (stat(*paths, &status) == 0 && S_ISDIR(status.st_mode))
			(void)nftw(*paths, add_found, 32, FTW_PHYS);
		else
			add_letter(args, *paths);
	if (args->n > 0 && !args->has_shape)
		return;
	struct letter letter;
	letter_make(args->arena, &args->shape, &letter);
	ARENA_PUSH(args->arena, args) = letter;
}

static void
parse_args(struct args *args, int argc, char **argv)
{
	struct option longs[COUNT_OF(option_helps) + 1] = {{0}};
	for (size_t i = 0; i < COUNT_OF(option_helps); i++)
		longs[i] = (struct option){option_helps[i].name,
		    option_helps[i].value == NULL ? no_argument
						  : required_argument,
		    NULL, option_helps[i].id};
	int id;
	while ((id = getopt_long(argc, argv, "h", longs, NULL)) != -1)
		set_arg(args, id, optarg);
	if (optind == argc)
		usage(2);
	args->plan.socket_name = argv[optind];
	add_letters(args, argv + optind + 1);
	if (args->plan.rcpt.n == 0)
		strs_add(
		    args->arena, &args->plan.rcpt, STR("bob@remote.example"));
	uint64_t rounds = args->connections * args->repeat;
	if (args->total == 0)
		args->total = rounds > args->n ? rounds : args->n;
	if (args->connections == 0 || args->repeat == 0 ||
	    args->plan.chunk_bytes == 0)
		usage(2);
}

static void
raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	struct args args = {.arena = arena_new(),
	    .connections = 1,
	    .repeat = 1,
	    .meets = true,
	    .seed = 1,
	    .plan = {.offer_actions = OFFER_ACTIONS,
		.offer_protocol = OFFER_PROTOCOL,
		.client = "192.0.2.7:4711",
		.helo = "client.example",
		.daemon_name = "mail.test.example",
		.daemon_addr = "192.0.2.25",
		.login = "",
		.from = "alice@sender.example",
		.mail_args = "",
		.queue_id_prefix = "4M",
		.abort_after = STAGE_COUNT,
		.disconnect_after = STAGE_COUNT,
		.meet = STAGE_COUNT,
		.chunk_bytes = 65535,
		.field_bytes = 60000,
		.timeout_ms = 300000}};
	raise_file_limit();
	parse_args(&args, argc, argv);
	bool is_fine;
	if (args.garbage != NULL)
		is_fine = garbage_run(
		    &args.plan, args.garbage, args.seed, (unsigned)args.total);
	else
		is_fine = run_all(&args);
	arena_free(args.arena);
	return is_fine ? 0 : 1;
}
