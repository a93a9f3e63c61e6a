/* SPDX-License-Identifier: BSD-2-Clause */
/* masscheck -- run the rules over folders of ham and spam, into a log. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/mail_file.h"
#include "cmd/mailbox.h"
#include "cmd/rulework/mass_log.h"
#include "cmd/pool.h"
#include "cmd/rules_open.h"
#include "cmd/ui.h"
#include "hold/disk.h"
#include "rules/digest.h"

#define LOG_BYTES ((size_t)4 << 30)
#define LINE_BYTES ((size_t)16 << 20)
#define HASH_TEXT_BYTES ((size_t)16 << 20)
#define HASH_DIGITS 16
/* A message is worth a prefilter that is made before, from so many on. */
#define PREFILTER_MESSAGES 300
/* If the processor went to others for longer, its costs are not counted. */
#define AWAY_NS 100000

struct options {
	struct snapshot_source source;
	struct mail_fixed fixed;
	const char *log;
	uint64_t jobs;
	bool has_subs, is_json;
};

/* Of one thread. */
struct account {
	struct rule_costs *costs, *lap; /* of all messages; of the last one */
	uint64_t messages;              /* in `costs` */
};

struct work {
	const struct mailbox *mailbox;
	const bool *is_spam; /* by place in mailbox */
	struct {             /* places in mailbox */
		size_t *v;
		size_t n, cap;
	} todo;
	size_t known; /* messages that the log has */
	struct mail_desk desk;
	struct str hash;
	bool has_subs;
	struct account *accounts; /* one a thread */
	pthread_mutex_t lock;     /* guards what is below */
	int log;                  /* descriptor */
	size_t done[2], failed;   /* done: ham, spam */
	bool has_no_room;         /* the log cannot be written */
	struct ui_progress progress;
};

/* Set by a signal, or if the log cannot be written. */
static volatile sig_atomic_t is_stopped;

static void
stop(int unused)
{
	(void)unused;
	is_stopped = 1;
}

/* The second time it ends the process, as ever. */
static void
stop_on_signals(void)
{
	struct sigaction action = {
	    .sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

/* --- the log -------------------------------------------------------------- */

static void
log_append(struct work *w, struct str text)
{
	if (w->has_no_room || disk_write(w->log, text))
		return;
	w->has_no_room = true;
	is_stopped = 1;
	ui_progress_hide(&w->progress);
	cmd_error("the log cannot be written: %s", strerror(errno));
}

static bool
log_refuse(const char *path, const char *why)
{
	cmd_error("%s: %s", path, why);
	return false;
}

/* For this process alone, as it stands. */
static bool
log_take(struct arena *a, const char *path, int fd, struct str *ret)
{
	struct stat st;
	struct buf *b = buf_new(a, LOG_BYTES);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return log_refuse(path, "it is not a file");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return log_refuse(path,
		    errno == EWOULDBLOCK ? "another masscheck is writing to it"
					 : strerror(errno));
	if (!file_read(fd, LOG_BYTES, b))
		return log_refuse(path, strerror(errno));
	*ret = buf_str(b);
	if (!mass_is_log(*ret))
		return log_refuse(path, "it is no log of postern masscheck");
	/* what a crash has cut short must not grow into another line */
	bool is_cut = ret->len > 0 && !str_ends(*ret, STR("\n"));
	if (is_cut && !disk_write(fd, STR("\n")))
		return log_refuse(path, strerror(errno));
	return true;
}

static bool
log_open_at(struct arena *a, const char *path, int *ret, struct str *ret_text)
{
	*ret = open(path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0666);
	if (*ret < 0)
		return log_refuse(path, strerror(errno));
	return log_take(a, path, *ret, ret_text);
}

/* --- which rule set it is ------------------------------------------------- */

static void
list_put(struct buf *b, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		log_escape_word(b, list->v[i]);
		buf_putc(b, ' ');
	}
	buf_putc(b, '\n');
}

/* All that hits depend on, but the mail. */
static struct str
hash_text(struct arena *a, const struct work *w)
{
	const struct config *config = &w->desk.snapshot->config;
	struct buf *b = buf_new(a, HASH_TEXT_BYTES);
	const uint64_t limits[] = {config->match_limit, config->depth_limit,
	    config->heap_limit, config->scan_bytes, config->header_bytes,
	    config->parts, config->depth, config->uris};
	const struct strs *lists[] = {&config->trusted_networks,
	    &config->class[CLASS_RELAY].networks, &config->local_domains,
	    &config->login_map, &config->strict_domains};
	buf_put(b, STR(PACKAGE_VERSION "\n"));
	buf_put(b, str_of((const char *)ruleset_digest(w->desk.snapshot->rules),
		       RULESET_DIGEST_BYTES));
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		buf_printf(b, "%llu\n", (unsigned long long)limits[i]);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		list_put(b, lists[i]);
	log_escape_word(b, config->login_domain);
	for (size_t i = 0; i < CLASS_COUNT; i++)
		buf_putc(b, config->class[i].is_filtered ? 'y' : 'n');
	buf_printf(b, "\n%d ", w->has_subs);
	log_escape_word(b, w->desk.fixed->class);
	return buf_str(b);
}

static struct str
hash_of(struct arena *a, const struct work *w)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf *b = buf_new(a, HASH_DIGITS);
	sha256(hash_text(a, w), digest);
	for (size_t i = 0; i < HASH_DIGITS / 2; i++)
		buf_printf(b, "%02x", digest[i]);
	return buf_str(b);
}

static bool
is_run(const struct work *w, const struct rule_info *info)
{
	return info->is_live && (w->has_subs || !info->is_sub);
}

static void
put_rule(struct buf *b, struct str hash, const struct rule_info *info)
{
	struct mass_record record = mass_record_new(MASS_RULE, hash);
	record.name = info->name;
	record.type = info->type;
	record.flags = info->tflags;
	record.score = info->is_sub ? 0 : info->score;
	mass_record_put(b, &record);
}

/* The rules as they are run, unless the log has them; then the beginning. */
static void
put_start(struct work *w, struct arena *a, bool is_known)
{
	const struct ruleset *rules = w->desk.snapshot->rules;
	struct buf *b = buf_new(a, LOG_BYTES);
	char date[CLOCK_STAMP];
	size_t n = is_known ? 0 : ruleset_counts(rules).rules;
	for (size_t i = 0; i < n; i++) {
		struct rule_info info;
		ruleset_info(rules, i, &info);
		if (is_run(w, &info))
			put_rule(b, w->hash, &info);
	}
	struct mass_record record = mass_record_new(MASS_START, w->hash);
	clock_stamp(clock_wall(), date);
	record.version = STR(PACKAGE_VERSION);
	record.date = str_from(date);
	record.subs = w->has_subs ? STR("yes") : STR("no");
	mass_record_put(b, &record);
	log_append(w, buf_str(b));
}

/* What the rules took, all threads together. */
static void
put_costs(struct work *w, struct arena *a, size_t threads)
{
	struct account *all = &w->accounts[0];
	struct buf *b = buf_new(a, LOG_BYTES);
	for (size_t i = 1; i < threads; i++) {
		rule_costs_add(all->costs, w->accounts[i].costs);
		all->messages += w->accounts[i].messages;
	}
	size_t rules = ruleset_counts(w->desk.snapshot->rules).rules;
	for (size_t i = 0; i < all->costs->n && all->messages > 0; i++) {
		struct rule_info info = {.is_live = true};
		if (i < rules)
			ruleset_info(w->desk.snapshot->rules, i, &info);
		if (!is_run(w, &info))
			continue;
		struct mass_record record = mass_record_new(MASS_COST, w->hash);
		record.name = all->costs->v[i].rule;
		record.ns = all->costs->v[i].ns;
		record.messages = all->messages;
		mass_record_put(b, &record);
	}
	log_append(w, buf_str(b));
}

/* --- a message ------------------------------------------------------------ */

static void
hits_put(struct buf *b, const struct rule_hits *hits)
{
	for (size_t i = 0; i < hits->n; i++) {
		buf_printf(b, "%s%.*s", b->len == 0 ? "" : ",",
		    STR_ARG(hits->v[i].rule));
		if (hits->v[i].count > 1)
			buf_printf(b, "*%u", hits->v[i].count);
	}
}

static struct str
hits_text(struct arena *a, const struct rule_result *result)
{
	struct buf *b = buf_new(a, LINE_BYTES);
	hits_put(b, &result->hits);
	hits_put(b, &result->subs);
	return b->len == 0 ? STR("-") : buf_str(b);
}

static void
rules_run(struct work *w, struct account *account, const struct mail_file *file,
    struct scan *ret)
{
	rule_costs_clear(account->lap);
	int64_t wall = clock_ns(), cpu = clock_cpu_ns();
	mail_file_scan(&w->desk, file, w->has_subs, account->lap, ret);
	cpu = clock_cpu_ns() - cpu;
	wall = clock_ns() - wall;
	if (ret->message == NULL || wall - cpu > AWAY_NS)
		return;
	rule_costs_add(account->costs, account->lap);
	account->messages++;
}

/* What became of message `i`; of a failed one `why`. */
static void
message_check(struct work *w, struct account *account, struct arena *a,
    size_t i, struct mass_record *record)
{
	struct str raw, separated;
	record->file = mailbox_name(a, w->mailbox, i);
	if (!mailbox_read(a, w->mailbox, i, &raw, &separated, &record->why))
		return;
	if (raw.len == 0) {
		record->why = STR("it is empty");
		return;
	}
	struct mail_file file;
	struct scan scan;
	mail_file_look(&w->desk, a, raw, separated, &file);
	rules_run(w, account, &file, &scan);
	if (scan.message == NULL) {
		record->why = STR("its class has no rules");
		return;
	}
	if (scan.result.is_out_of_time) {
		record->why = STR("out of time (scan-time)");
		return;
	}
	record->word = w->is_spam[i] ? MASS_SPAM : MASS_HAM;
	record->class = mail_class_name(file.envelope.class);
	record->score = scan.result.score;
	record->size = raw.len;
	record->us = (uint64_t)scan.us;
	record->hits = hits_text(a, &scan.result);
}

static void
fail_say(struct work *w, const struct mass_record *record)
{
	ui_progress_hide(&w->progress);
	cmd_error("%.*s: %.*s", STR_ARG(record->file), STR_ARG(record->why));
}

static void
message_work(void *arg, struct arena *a, size_t worker, size_t i)
{
	struct work *w = arg;
	struct mass_record record = mass_record_new(MASS_FAIL, w->hash);
	struct buf *line = buf_new(a, LINE_BYTES);
	message_check(w, &w->accounts[worker], a, w->todo.v[i], &record);
	mass_record_put(line, &record);
	(void)pthread_mutex_lock(&w->lock);
	if (record.word == MASS_FAIL) {
		w->failed++;
		fail_say(w, &record);
	} else {
		w->done[record.word == MASS_SPAM]++;
	}
	log_append(w, buf_str(line));
	ui_progress_add(&w->progress, 1);
	(void)pthread_mutex_unlock(&w->lock);
}

/* --- all of them ---------------------------------------------------------- */

/* The log has it, of the same kind and size. */
static bool
is_in_log(const struct work *w, struct arena *a, const struct mass *mass,
    struct str key, size_t i)
{
	struct str raw, unused, why = STR_EMPTY;
	size_t place = (size_t)(uintptr_t)table_get(mass->by_file, key);
	if (place == 0 || mass->mails.v[place - 1].is_spam != w->is_spam[i])
		return false;
	return mailbox_read(a, w->mailbox, i, &raw, &unused, &why) &&
	       raw.len == mass->mails.v[place - 1].size_bytes;
}

/* What is to be run: once each, even if it was named twice. */
static void
todo_make(struct work *w, struct arena *a, const struct mass *mass)
{
	struct table *seen = table_new(a, false);
	struct arena *scratch = arena_new();
	for (size_t i = 0; i < w->mailbox->n; i++) {
		struct str key = mass_key(a, mailbox_name(a, w->mailbox, i));
		if (table_has(seen, key))
			continue;
		table_set(seen, key, w);
		if (mass != NULL && is_in_log(w, scratch, mass, key, i))
			w->known++;
		else
			ARENA_PUSH(a, &w->todo) = i;
		arena_reset(scratch);
	}
	arena_free(scratch);
}

static void
todo_run(struct work *w, struct arena *a, size_t jobs)
{
	struct pool pool = {
	    .n = w->todo.n,
	    .jobs = jobs,
	    .work = message_work,
	    .arg = w,
	    .is_stopped = &is_stopped,
	};
	w->accounts = ARENA_ARRAY(a, struct account, jobs);
	for (size_t i = 0; i < jobs; i++) {
		const struct ruleset *rules = w->desk.snapshot->rules;
		w->accounts[i].costs = rule_costs_new(a, rules, clock_ns);
		w->accounts[i].lap = rule_costs_new(a, rules, clock_ns);
	}
	(void)pthread_mutex_init(&w->lock, NULL);
	ui_progress_begin(&w->progress, "masscheck", w->todo.n);
	pool_run(&pool);
	ui_progress_end(&w->progress);
	(void)pthread_mutex_destroy(&w->lock);
	put_costs(w, a, jobs);
}

static void
summary_show(const struct work *w, const struct options *o, int64_t ms)
{
	size_t ran = w->done[0] + w->done[1] + w->failed;
	if (o->is_json) {
		json_line(stdout,
		    json_pack("{s:o,s:I,s:I,s:I,s:I,s:I,s:f}", "rules",
			json_text(w->hash), "ham", (json_int_t)w->done[0],
			"spam", (json_int_t)w->done[1], "failed",
			(json_int_t)w->failed, "known", (json_int_t)w->known,
			"left", (json_int_t)(w->todo.n - ran), "seconds",
			(double)ms / 1000));
		return;
	}
	printf("rules %.*s: %zu ham and %zu spam in %.1f s", STR_ARG(w->hash),
	    w->done[0], w->done[1], (double)ms / 1000);
	if (w->known > 0)
		printf("; %zu were in the log", w->known);
	if (w->failed > 0)
		printf("; %zu have no result", w->failed);
	if (ran < w->todo.n)
		printf("; stopped, %zu are left: the same command goes on",
		    w->todo.n - ran);
	(void)putchar('\n');
}

/* Prefilter first: it is no rule's cost. */
static void
filter_make(struct snapshot *snapshot, size_t messages)
{
	if (messages >= PREFILTER_MESSAGES)
		filterer_stop(rules_filter(snapshot, true));
}

static bool
log_run(struct work *w, struct arena *a, struct snapshot *snapshot,
    const struct options *o)
{
	struct str text;
	struct mass mass;
	if (!log_open_at(a, o->log, &w->log, &text))
		return false;
	bool is_known = mass_read(a, text, w->hash, &mass);
	todo_make(w, a, is_known ? &mass : NULL);
	int64_t start = clock_ms();
	if (w->todo.n > 0) {
		filter_make(snapshot, w->todo.n);
		stop_on_signals();
		put_start(w, a, is_known);
		todo_run(w, a, (size_t)o->jobs);
	}
	summary_show(w, o, clock_ms() - start);
	return w->failed == 0 && !w->has_no_room && is_stopped == 0;
}

/* --- the command line ----------------------------------------------------- */

/* "ham:PATH"; as in SpamAssassin's mass-check there may be a format between,
 * which need not be told here. */
static bool
target_parse(const char *arg, bool *ret_spam, const char **ret_path)
{
	static const char *const formats[] = {
	    "detect:", "dir:", "file:", "mbox:", "maildir:"};
	bool is_spam = strncmp(arg, "spam:", 5) == 0;
	if (!is_spam && strncmp(arg, "ham:", 4) != 0)
		return false;
	arg = strchr(arg, ':') + 1;
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		size_t n = strlen(formats[i]);
		if (strncmp(arg, formats[i], n) == 0) {
			arg += n;
			break;
		}
	}
	*ret_spam = is_spam;
	*ret_path = arg;
	return *arg != '\0';
}

/* All of them are what they should be; false: said which is not. */
static bool
targets_check(int n, char **v)
{
	for (int i = 0; i < n; i++) {
		bool is_spam;
		const char *path;
		if (target_parse(v[i], &is_spam, &path))
			continue;
		cmd_error("%s: write ham:PATH or spam:PATH", v[i]);
		return false;
	}
	return true;
}

/* Checked ones.  False: something could not be read and was named. */
static bool
targets_add(
    struct arena *a, struct mailbox *mailbox, int n, char **v, bool **ret_spam)
{
	struct {
		bool *v;
		size_t n, cap;
	} spam = {0};
	bool is_good = true;
	for (int i = 0; i < n; i++) {
		bool is_spam = false;
		const char *path = "";
		is_good = target_parse(v[i], &is_spam, &path) &&
			  mailbox_add(a, mailbox, path) && is_good;
		while (spam.n < mailbox->n)
			ARENA_PUSH(a, &spam) = is_spam;
	}
	*ret_spam = spam.v;
	return is_good;
}

enum {
	OPT_LOG = 256,
	OPT_JOBS,
	OPT_SUBS,
	OPT_CLASS,
	OPT_JSON,
	OPT_CONFIG,
	OPT_RULES
};

static const struct option long_options[] = {
    {"log", required_argument, NULL, OPT_LOG},
    {"jobs", required_argument, NULL, OPT_JOBS},
    {"subs", no_argument, NULL, OPT_SUBS},
    {"class", required_argument, NULL, OPT_CLASS},
    {"json", no_argument, NULL, OPT_JSON},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"rules", required_argument, NULL, OPT_RULES}, {0}};

/* One option.  False: said what is wrong. */
static bool
option_take(struct arena *a, struct options *o, int c, const char *command)
{
	enum mail_class class;
	switch (c) {
	case OPT_LOG:
		o->log = optarg;
		return true;
	case OPT_JOBS:
		return pool_jobs_parse(str_from(optarg), &o->jobs) ||
		       cmd_refuse("jobs", optarg, POOL_JOBS_WANTED);
	case OPT_SUBS:
		return o->has_subs = true;
	case OPT_CLASS:
		o->fixed.class = str_from(optarg);
		return mail_class_parse(o->fixed.class, &class) ||
		       cmd_refuse("class", optarg,
			   "submission, local, relay, notice or inbound");
	case OPT_JSON:
		return o->is_json = true;
	case OPT_CONFIG:
		o->source.config_path = optarg;
		return true;
	case OPT_RULES:
		strs_add(a, &o->source.rules, str_from(optarg));
		return true;
	default:
		(void)cmd_usage(command);
		return false;
	}
}

static bool
options_read(struct arena *a, int argc, char **argv, struct options *o)
{
	int c;
	while ((c = cmd_option(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(a, o, c, argv[0]))
			return false;
	if (optind < argc && o->log != NULL)
		return targets_check(argc - optind, argv + optind);
	(void)cmd_usage(argv[0]);
	return false;
}

static int
masscheck(struct arena *a, int argc, char **argv)
{
	/* what the DNS says of old mail today is not what it said then */
	struct options o = {.source = {.is_offline = true},
	    .fixed = MAIL_FIXED_NONE,
	    .jobs = pool_jobs_default()};
	struct mailbox mailbox = {0};
	bool *is_spam = NULL;
	if (!options_read(a, argc, argv, &o))
		return CMD_TROUBLE;
	bool is_good =
	    targets_add(a, &mailbox, argc - optind, argv + optind, &is_spam);
	struct snapshot *snapshot = rules_open(&o.source);
	if (snapshot == NULL)
		return CMD_TROUBLE;
	struct work w = {
	    .mailbox = &mailbox,
	    .is_spam = is_spam,
	    .desk = {.snapshot = snapshot,
		.fixed = &o.fixed,
		.mta_name = cmd_own_name(a)},
	    .has_subs = o.has_subs,
	    .log = -1,
	};
	w.hash = hash_of(a, &w);
	is_good = log_run(&w, a, snapshot, &o) && is_good;
	if (w.log >= 0)
		(void)close(w.log);
	snapshot_put(snapshot);
	return is_good ? CMD_FINE : CMD_TROUBLE;
}

int
cmd_masscheck(int argc, char **argv)
{
	struct arena *a = arena_new();
	int code = masscheck(a, argc, argv);
	arena_free(a);
	return code;
}
