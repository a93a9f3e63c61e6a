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
#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/mailbox.h"
#include "cmd/scan_output.h"
#include "cmd/ui.h"
#include "mail/address.h"
#include "mail/header.h"
#include "session/answers.h"
#include "session/class.h"
#include "session/filterer.h"
#include "session/receiver.h"
#include "session/scan.h"

#define OUTPUT_BYTES ((size_t)256 << 20)
#define JOBS_MAX 256

/* What the command line fixes of the envelope; the rest is taken from the
 * headers. */
struct fixed {
	struct str class, from, login, client, helo;
	struct strs rcpt;
	bool has_from;
};

struct work {
	const struct mailbox *mailbox;
	const struct snapshot *snapshot;
	const struct fixed *fixed;
	const struct scan_format *format;
	const struct dns *dns; /* NULL: offline */
	struct str mta_name;
	_Atomic size_t next;
	_Atomic bool has_found, has_trouble;
	pthread_mutex_t lock; /* guards what is below */
	struct str *lines;    /* heap; of those that are done and not printed */
	bool *is_done;
	size_t printed;
	struct ui_progress progress;
};

static struct str
first_address(struct message *m, const char *name)
{
	struct header *h = header_first(&m->root->headers, str_from(name));
	struct strs found = {0};
	if (h != NULL)
		address_addrs(m->arena, h->raw, &found);
	return found.n > 0 ? found.v[0] : STR_EMPTY;
}

/* "from HELO (NAME [ADDR])" of the newest Received line (RFC 5321 section 4.4).
 */
static void
client_from_received(struct message *m, struct envelope *envelope)
{
	struct header *h = header_first(&m->root->headers, STR("Received"));
	if (h == NULL)
		return;
	struct str rest = h->raw, word = str_word(&rest);
	if (!str_ieq(word, STR("from")))
		return;
	struct str helo = str_word(&rest);
	size_t open = str_chr(rest, '['), close = str_chr(rest, ']');
	if (envelope->helo.len == 0)
		envelope->helo = helo;
	if (envelope->client_addr.len == 0 && open != STR_NONE &&
	    close != STR_NONE && close > open)
		envelope->client_addr =
		    str_sub(rest, open + 1, close - open - 1);
}

static struct str
sender_of(struct message *m)
{
	struct header *path =
	    header_first(&m->root->headers, STR("Return-Path"));
	if (path == NULL)
		return first_address(m, "From");
	struct str value = str_trim(path->raw);
	if (str_starts(value, STR("<")) && str_ends(value, STR(">")))
		value = str_sub(value, 1, value.len - 2);
	return value;
}

/* Said to be null; a message that names no sender at all is not a notice. */
static bool
is_null_sender(struct message *m, const struct fixed *fixed, struct str sender)
{
	return sender.len == 0 &&
	       (fixed->has_from ||
		   header_first(&m->root->headers, STR("Return-Path")) != NULL);
}

static bool
is_auto_submitted(struct message *m)
{
	struct header *h =
	    header_last(&m->root->headers, STR("Auto-Submitted"));
	return h != NULL && class_is_auto_submitted(h->raw);
}

static void
rcpts_from_header(struct message *m, struct strs *ret)
{
	static const char *const names[] = {"To", "Cc", "Bcc"};
	for (size_t n = 0; n < COUNT_OF(names); n++)
		for (size_t i = 0; i < m->root->headers.n; i++) {
			struct header *h = &m->root->headers.v[i];
			if (str_ieq(h->name, str_from(names[n])))
				address_addrs(m->arena, h->raw, ret);
		}
}

/* --client: as if Postfix took the message from there now. */
static const struct handover *
handover_of(struct arena *a, const struct work *w)
{
	if (w->fixed->client.len == 0)
		return NULL;
	struct handover *h = ARENA_NEW(a, struct handover);
	h->by = w->mta_name;
	h->mta = h->config = h->client = h->with = STR_EMPTY;
	h->tls_version = h->cipher = h->cipher_bits = STR_EMPTY;
	h->verify = h->auth_ssf = STR_EMPTY;
	h->time = clock_wall();
	return h;
}

/* The envelope a file does not have: as given, else as its headers tell. */
static struct envelope
envelope_of(struct message *m, const struct fixed *fixed)
{
	struct envelope e = {
	    .from = fixed->has_from ? fixed->from : sender_of(m),
	    .rcpt = fixed->rcpt,
	    .login = fixed->login,
	    .client_addr = fixed->client,
	    .client_name = STR_EMPTY,
	    .helo = fixed->helo,
	    .queue_id = STR_EMPTY,
	    .daemon_name = STR_EMPTY,
	    .is_guessed = !fixed->has_from,
	};
	if (!mail_class_parse(fixed->class, &e.class))
		e.class =
		    is_null_sender(m, fixed, e.from) || is_auto_submitted(m)
			? CLASS_NOTICE
			: CLASS_SUBMISSION;
	if (e.rcpt.n == 0)
		rcpts_from_header(m, &e.rcpt);
	if (e.login.len == 0 && e.class == CLASS_SUBMISSION)
		e.login = str_lower(m->arena, first_address(m, "From"));
	client_from_received(m, &e);
	return e;
}

/* As the spool of posternd has it: lines end in \n. */
static struct str
lines_of(struct arena *a, struct str raw)
{
	if (str_find(raw, STR("\r\n")) == STR_NONE)
		return raw;
	char *p = arena_alloc(a, raw.len);
	size_t n = 0;
	for (size_t i = 0; i < raw.len; i++)
		if (raw.p[i] != '\r' || i + 1 == raw.len ||
		    raw.p[i + 1] != '\n')
			p[n++] = raw.p[i];
	return str_of(p, n);
}

static void
look(const struct work *w, struct arena *a, struct str raw,
    const struct envelope *envelope, struct receiver_view *ret)
{
	struct str authserv_id = w->snapshot->config.authserv_id;
	struct receiver_query query = {
	    .raw = lines_of(a, raw),
	    .envelope = envelope,
	    .mta_name = w->mta_name,
	    .authserv_id = authserv_id.len > 0 ? authserv_id : w->mta_name,
	};
	receiver_look(a, w->snapshot, w->dns, &query, ret);
}

/* Without a memory: what a file tells, asked again. */
static void
look_notice(const struct work *w, struct message *m,
    const struct envelope *envelope, struct notice *ret)
{
	struct str authserv_id = w->snapshot->config.authserv_id;
	struct answers_query query = {
	    .envelope = envelope,
	    .mta_name = w->mta_name,
	    .authserv_id = authserv_id.len > 0 ? authserv_id : w->mta_name,
	    .is_of_mta = envelope->from.len == 0 && envelope->login.len == 0,
	    .dns = w->dns,
	};
	answers_look(w->snapshot, &query, m, ret);
}

/* What posternd would do without asking its budgets. */
static void
rule_notice(
    const struct work *w, const struct notice *notice, struct scan *scan)
{
	const struct config *config = &w->snapshot->config;
	struct notice_ruling ruling;
	if (!notice->is_answer || !config->has_notice_gate ||
	    !notice_is_ruled(notice, &ruling))
		return;
	scan->input.permit = ruling.permit;
	scan->input.permit_reason = ruling.reason;
	scan->verdict = verdict_of(config, &scan->input);
}

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
	struct envelope envelope =
	    envelope_of(scan_message(a, w->snapshot, raw, NULL), w->fixed);
	envelope.handover = handover_of(a, w);
	struct message *m = scan_message(a, w->snapshot, separated, &envelope);
	struct receiver_view view;
	struct notice notice;
	look(w, a, raw, &envelope, &view);
	look_notice(w,
	    raw.len <= NOTICE_BYTES
		? m
		: scan_message(
		      a, w->snapshot, str_sub(raw, 0, NOTICE_BYTES), &envelope),
	    &envelope, &notice);
	struct scan_job job = {
	    .message = m,
	    .size_bytes = raw.len,
	    .class = envelope.class,
	    .can_refuse = envelope.class != CLASS_LOCAL,
	    .wants_subs = w->format->has_subs,
	    .facts = &view.facts,
	    .notice = &notice,
	};
	struct scan scan;
	scan_run(w->snapshot, &job, &scan);
	rule_notice(w, &notice, &scan);
	const struct class_config *class =
	    &w->snapshot->config.class[envelope.class];
	if (class->hold > 0 && scan.result.score >= class->hold)
		atomic_store(&w->has_found, true);
	scan_output(w->format, a, name, &envelope, class, &scan, &view.facts,
	    &notice, out);
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
			(void)fflush(stdout);
		free((void *)(uintptr_t)line->p);
	}
	ui_progress_add(&w->progress, 1);
}

static void *
worker(void *arg)
{
	struct work *w = arg;
	struct arena *a = arena_new();
	size_t i;
	while ((i = atomic_fetch_add(&w->next, 1)) < w->mailbox->n) {
		struct str line = scan_one(w, a, i);
		char *copy = malloc(line.len + 1);
		if (copy == NULL)
			abort();
		memcpy(copy, line.p, line.len);
		(void)pthread_mutex_lock(&w->lock);
		w->lines[i] = (struct str){copy, line.len};
		w->is_done[i] = true;
		lines_print(w);
		(void)pthread_mutex_unlock(&w->lock);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void
run(struct work *w, struct arena *a, size_t jobs)
{
	pthread_t threads[JOBS_MAX];
	w->lines = ARENA_ARRAY(a, struct str, w->mailbox->n);
	w->is_done = ARENA_ARRAY(a, bool, w->mailbox->n);
	(void)pthread_mutex_init(&w->lock, NULL);
	if (w->mailbox->n > 1)
		ui_progress_begin(&w->progress, "scanning", w->mailbox->n);
	if (jobs > w->mailbox->n)
		jobs = w->mailbox->n;
	size_t started = 0;
	while (started + 1 < jobs &&
	       pthread_create(&threads[started], NULL, worker, w) == 0)
		started++;
	(void)worker(w);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
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

/* When a prefilter is made: --prefilter. */
enum { PREFILTER_AUTO, PREFILTER_WAIT, PREFILTER_NO };
static const char *const prefilter_words[] = {"auto", "wait", "no"};
/* For fewer messages it is not worth it. */
#define PREFILTER_MESSAGES 300

struct options {
	struct fixed fixed;
	struct scan_format format;
	struct snapshot_source source;
	uint64_t jobs;
	bool is_offline;
	unsigned prefilter;
};

static bool
prefilter_parse(struct str word, unsigned *ret)
{
	for (unsigned i = 0; i < COUNT_OF(prefilter_words); i++) {
		if (str_eq(word, str_from(prefilter_words[i]))) {
			*ret = i;
			return true;
		}
	}
	return false;
}

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
	uint64_t n;
	return str_u64(value, JOBS_MAX, &n) && n > 0;
}

static bool
is_prefilter(struct str value)
{
	unsigned unused;
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
    {OPT_JOBS, is_jobs, "jobs", "a number from 1 to 256"},
    {OPT_PREFILTER, is_prefilter, "prefilter", "auto, wait or no"},
};

/* False: said what to write. */
static bool
option_check(struct arena *a, int c)
{
	for (size_t i = 0; i < COUNT_OF(checked); i++) {
		if (checked[i].option != c ||
		    checked[i].is_good(str_from(optarg)))
			continue;
		struct buf *value = buf_new(a, 256);
		log_escape(value, str_from(optarg));
		fprintf(stderr, "postern: --%s %.*s: write %s\n",
		    checked[i].name, STR_ARG(buf_str(value)),
		    checked[i].wanted);
		return false;
	}
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
		return o->is_offline = true;
	case OPT_PREFILTER:
		return prefilter_parse(value, &o->prefilter);
	case OPT_JOBS:
		return str_u64(value, JOBS_MAX, &o->jobs);
	default:
		return false;
	}
}

static struct snapshot *
rules_load(struct arena *a, struct options *o)
{
	if (o->source.config_path == NULL)
		o->source.config_path = cmd_config_path;
	/* rules by hand need no installed configuration */
	bool is_default =
	    strcmp(o->source.config_path, CONFIG_PATH_DEFAULT) == 0;
	if (is_default && o->source.rules.n > 0 &&
	    access(o->source.config_path, F_OK) != 0)
		o->source.config_path = NULL;
	/* nothing is asked that no configuration allows */
	o->is_offline = o->is_offline || o->source.config_path == NULL;
	o->source.is_offline = o->is_offline;
	o->source.is_lenient = true;
	struct diags diags = {.arena = a};
	struct snapshot *snapshot = snapshot_load(&o->source, false, &diags);
	cmd_diags_print(&diags, DIAG_ERROR);
	size_t warnings = diags_count(&diags, DIAG_WARNING);
	if (warnings > 0)
		fprintf(stderr,
		    "postern: %zu warnings about configuration and rules; "
		    "`postern lint` shows them\n",
		    warnings);
	return snapshot;
}

/* `*ret` is NULL if the DNS is not to be asked.  False: said what is wrong. */
static bool
online(struct arena *a, const struct options *o,
    const struct snapshot *snapshot, struct dns **ret)
{
	*ret = NULL;
	if (o->is_offline)
		return true;
	struct dns *dns = ARENA_NEW(a, struct dns);
	struct resolver_config config = config_resolver(&snapshot->config);
	struct str why = STR_EMPTY;
	if (!dns_open(a, &config, dns, &why)) {
		fprintf(stderr, "postern: %.*s\n", STR_ARG(why));
		return false;
	}
	*ret = dns;
	return true;
}

/* NULL: none is wanted. */
static struct filterer *
filterer_for(
    const struct options *o, struct snapshot *snapshot, size_t messages)
{
	if (o->prefilter == PREFILTER_NO ||
	    (o->prefilter == PREFILTER_AUTO && messages < PREFILTER_MESSAGES))
		return NULL;
	struct filterer *filterer = filterer_start();
	filterer_take(filterer, snapshot, STR_EMPTY);
	if (o->prefilter == PREFILTER_WAIT)
		filterer_wait(filterer);
	return filterer;
}

int
cmd_scan(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct options o = {.fixed = {.class = STR_EMPTY,
				.from = STR_EMPTY,
				.login = STR_EMPTY,
				.client = STR_EMPTY,
				.helo = STR_EMPTY}};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	o.jobs = cpus > 0 && cpus < JOBS_MAX ? (uint64_t)cpus : 1;
	int c;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		bool is_good = option_check(a, c);
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
	struct snapshot *snapshot = rules_load(a, &o);
	struct dns *dns = NULL;
	if (snapshot == NULL || !online(a, &o, snapshot, &dns)) {
		snapshot_put(snapshot);
		arena_free(a);
		return CMD_TROUBLE;
	}
	struct work w = {
	    .dns = dns,
	    .mta_name = cmd_own_name(a),
	    .mailbox = &mailbox,
	    .snapshot = snapshot,
	    .fixed = &o.fixed,
	    .format = &o.format,
	};
	struct filterer *filterer = filterer_for(&o, snapshot, mailbox.n);
	run(&w, a, (size_t)o.jobs);
	filterer_stop(filterer);
	bool is_trouble = !is_good || w.has_trouble || fflush(stdout) != 0;
	int code = is_trouble    ? CMD_TROUBLE
		   : w.has_found ? CMD_FOUND
				 : CMD_FINE;
	if (dns != NULL)
		dns_close(dns);
	snapshot_put(snapshot);
	arena_free(a);
	return code;
}
