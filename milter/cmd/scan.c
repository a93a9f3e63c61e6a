/* SPDX-License-Identifier: BSD-2-Clause */
/* scan -- score mail offline with the code of the milter. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"
#include "cmd/cmd.h"
#include "cmd/mail_file.h"
#include "cmd/mailbox.h"
#include "cmd/pool.h"
#include "cmd/rules_open.h"
#include "cmd/scan_output.h"
#include "cmd/ui.h"

#define OUTPUT_BYTES ((size_t)256 << 20)

struct work {
	const struct mailbox *mailbox;
	struct mail_desk desk;
	const struct scan_format *format;
	_Atomic bool has_found, has_trouble;
	pthread_mutex_t lock; /* guards what is below */
	struct str *lines;    /* heap; of those that are done and not printed */
	bool *is_done;
	size_t printed;
	struct ui_progress progress;
	volatile sig_atomic_t is_stopped;
};

static struct str
scan_one(struct work *w, struct arena *a, size_t i)
{
	struct str raw, separated, why = STR_EMPTY;
	struct buf *out = buf_new(a, OUTPUT_BYTES);
	struct str name = mailbox_name(a, w->mailbox, i);
	if (!mailbox_read(a, w->mailbox, i, &raw, &separated, &why)) {
		atomic_store(&w->has_trouble, true);
		scan_output_trouble(w->format, a, name, why, out);
		return buf_str(out);
	}
	struct mail_file file;
	struct scan scan;
	mail_file_look(&w->desk, a, raw, separated, &file);
	mail_file_scan(&w->desk, &file, w->format->has_subs, NULL, &scan);
	const struct class_config *class =
	    &w->desk.snapshot->config.class[file.envelope.class];
	if (class->hold > 0 && scan.result.score >= class->hold)
		atomic_store(&w->has_found, true);
	scan_output(w->format, a, name, &file.envelope, class, &scan,
	    &file.view.facts, &file.notice, out);
	return buf_str(out);
}

/* Print what is ready, in the order of the files. */
static void
lines_print(struct work *w)
{
	while (w->printed < w->mailbox->n && w->is_done[w->printed]) {
		struct str *line = &w->lines[w->printed++];
		ui_progress_hide(&w->progress);
		(void)fwrite(line->p, 1, line->len, stdout);
		if (w->format->ui.is_terminal)
			(void)ui_out_flush();
		free((void *)(uintptr_t)line->p);
	}
	ui_progress_add(&w->progress, 1);
	w->is_stopped = !ui_out_is_open();
}

static void
scan_and_print(void *arg, struct arena *a, size_t worker, size_t i)
{
	struct work *w = arg;
	(void)worker;
	struct str line = scan_one(w, a, i);
	char *copy = malloc(line.len + 1);
	if (copy == NULL)
		abort();
	memcpy(copy, line.p, line.len);
	(void)pthread_mutex_lock(&w->lock);
	w->lines[i].p = copy;
	w->lines[i].len = line.len;
	w->is_done[i] = true;
	lines_print(w);
	(void)pthread_mutex_unlock(&w->lock);
}

static void
run(struct work *w, struct arena *a, size_t jobs)
{
	struct pool pool = {
	    .n = w->mailbox->n,
	    .jobs = jobs,
	    .work = scan_and_print,
	    .arg = w,
	    .is_stopped = &w->is_stopped,
	};
	w->lines = ARENA_ARRAY(a, struct str, w->mailbox->n);
	w->is_done = ARENA_ARRAY(a, bool, w->mailbox->n);
	(void)pthread_mutex_init(&w->lock, NULL);
	if (w->mailbox->n > 1)
		ui_progress_begin(&w->progress, "scanning", w->mailbox->n);
	pool_run(&pool);
	ui_progress_end(&w->progress);
	(void)pthread_mutex_destroy(&w->lock);
}

enum {
	OPT_CLASS = 256,
	OPT_FROM,
	OPT_RCPT,
	OPT_LOGIN,
	OPT_CLIENT,
	OPT_HELO,
	OPT_JSON,
	OPT_EXPLAIN,
	OPT_SUBS,
	OPT_VIEWS,
	OPT_HEAD,
	OPT_RULES,
	OPT_CONFIG,
	OPT_OFFLINE,
	OPT_PREFILTER,
	OPT_JOBS
};

static const struct option long_options[] = {
    {"class", required_argument, NULL, OPT_CLASS},
    {"from", required_argument, NULL, OPT_FROM},
    {"rcpt", required_argument, NULL, OPT_RCPT},
    {"login", required_argument, NULL, OPT_LOGIN},
    {"client", required_argument, NULL, OPT_CLIENT},
    {"helo", required_argument, NULL, OPT_HELO},
    {"json", no_argument, NULL, OPT_JSON},
    {"explain", no_argument, NULL, OPT_EXPLAIN},
    {"subs", no_argument, NULL, OPT_SUBS},
    {"views", no_argument, NULL, OPT_VIEWS},
    {"head", required_argument, NULL, OPT_HEAD},
    {"rules", required_argument, NULL, OPT_RULES},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"offline", no_argument, NULL, OPT_OFFLINE},
    {"prefilter", required_argument, NULL, OPT_PREFILTER},
    {"jobs", required_argument, NULL, OPT_JOBS}, {0}};

struct options {
	struct mail_fixed fixed;
	struct scan_format format;
	struct snapshot_source source;
	uint64_t jobs;
	enum prefilter_when prefilter;
};

/* No blank and nothing else that would end a word on a command line. */
static bool
is_word(struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (char_is_space(value.p[i]) || value.p[i] == '<' ||
		    value.p[i] == '>')
			return false;
	return value.len > 0;
}

/* "<a@b.example>" as well as "a@b.example"; "<>": empty. */
static struct str
path_of(struct str value)
{
	if (str_starts(value, STR("<")) && str_ends(value, STR(">")))
		return str_sub(value, 1, value.len - 2);
	return value;
}

static bool
is_text(struct str value)
{
	return value.len > 0;
}

static bool
is_sender(struct str value)
{
	return str_eq(value, STR("<>")) || is_word(path_of(value));
}

static bool
is_rcpt(struct str value)
{
	return is_word(path_of(value));
}

static bool
is_ip(struct str value)
{
	struct ip ip;
	return ip_parse(value, &ip);
}

static bool
is_class(struct str value)
{
	enum mail_class class;
	return mail_class_parse(value, &class);
}

static bool
is_jobs(struct str value)
{
	uint64_t unused;
	return pool_jobs_parse(value, &unused);
}

static bool
is_prefilter(struct str value)
{
	enum prefilter_when unused;
	return prefilter_parse(value, &unused);
}

/* Options whose value may be wrong. */
static const struct checked {
	int option;
	bool (*is_good)(struct str value);
	const char *name, *wanted;
} checked[] = {
    {OPT_CLASS, is_class, "class",
	"submission, local, relay, notice or inbound"},
    {OPT_FROM, is_sender, "from", "an address like a@b.example, or <>"},
    {OPT_RCPT, is_rcpt, "rcpt", "an address like a@b.example"},
    {OPT_LOGIN, is_text, "login", "a name like alice or a@b.example"},
    {OPT_CLIENT, is_ip, "client", "an address like 192.0.2.7 or 2001:db8::7"},
    {OPT_HELO, is_word, "helo", "a name like mail.b.example"},
    {OPT_JOBS, is_jobs, "jobs", POOL_JOBS_WANTED},
    {OPT_PREFILTER, is_prefilter, "prefilter", PREFILTER_WANTED},
};

/* False: said what to write. */
static bool
option_check(int c)
{
	for (size_t i = 0; i < COUNT_OF(checked); i++)
		if (checked[i].option == c &&
		    !checked[i].is_good(str_from(optarg)))
			return cmd_refuse(
			    checked[i].name, optarg, checked[i].wanted);
	return true;
}

/* A checked option.  False: usage. */
static bool
option_take(struct arena *a, struct options *o, int c)
{
	struct str value = str_from(optarg);
	switch (c) {
	case OPT_CLASS:
		o->fixed.class = value;
		return true;
	case OPT_FROM:
		o->fixed.from = path_of(value);
		o->fixed.has_from = true;
		return true;
	case OPT_RCPT:
		strs_add(a, &o->fixed.rcpt, path_of(value));
		return true;
	case OPT_LOGIN:
		o->fixed.login = value;
		return true;
	case OPT_CLIENT:
		o->fixed.client = value;
		return true;
	case OPT_HELO:
		o->fixed.helo = value;
		return true;
	case OPT_JSON:
		return o->format.is_json = true;
	case OPT_EXPLAIN:
		return o->format.is_explained = true;
	case OPT_SUBS:
		return o->format.has_subs = true;
	case OPT_VIEWS:
		return o->format.has_views = true;
	case OPT_HEAD:
		strs_add(a, &o->format.heads, value);
		return o->format.has_views = true;
	case OPT_RULES:
		strs_add(a, &o->source.rules, value);
		return true;
	case OPT_CONFIG:
		o->source.config_path = optarg;
		return true;
	case OPT_OFFLINE:
		return o->source.is_offline = true;
	case OPT_PREFILTER:
		return prefilter_parse(value, &o->prefilter);
	case OPT_JOBS:
		return pool_jobs_parse(value, &o->jobs);
	default:
		return false;
	}
}

int
cmd_scan(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct options o = {.fixed = MAIL_FIXED_NONE};
	o.jobs = pool_jobs_default();
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1) {
		bool is_good = option_check(c);
		if (is_good && option_take(a, &o, c))
			continue;
		arena_free(a);
		return is_good ? cmd_usage(argv[0]) : CMD_TROUBLE;
	}
	if (optind == argc) {
		arena_free(a);
		return cmd_usage(argv[0]);
	}
	ui_init(&o.format.ui, stdout, UI_COLOR_AUTO);
	struct mailbox mailbox = {0};
	bool is_good = true;
	for (int i = optind; i < argc; i++)
		is_good = mailbox_add(a, &mailbox, argv[i]) && is_good;
	struct snapshot *snapshot = rules_open(&o.source);
	struct dns *dns = NULL;
	if (snapshot == NULL || !rules_dns(a, &o.source, snapshot, &dns)) {
		snapshot_put(snapshot);
		arena_free(a);
		return CMD_TROUBLE;
	}
	struct work w = {
	    .mailbox = &mailbox,
	    .desk = {snapshot, &o.fixed, dns, cmd_own_name(a)},
	    .format = &o.format,
	};
	struct filterer *filterer =
	    rules_filter_for(snapshot, o.prefilter, mailbox.n);
	run(&w, a, (size_t)o.jobs);
	filterer_stop(filterer);
	bool is_trouble = !is_good || w.has_trouble;
	int code = is_trouble    ? CMD_TROUBLE
		   : w.has_found ? CMD_FOUND
				 : CMD_FINE;
	if (dns != NULL)
		dns_close(dns);
	snapshot_put(snapshot);
	arena_free(a);
	return code;
}
