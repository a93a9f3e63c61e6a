/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alert_sink -- an alert in words and as JSON, and the ways it goes out.  The
 * webhook is curl(1): libcurl would bring TLS, LDAP, SSH and more into the
 * gate, and a program can be killed when it hangs.
 */
#include "session/alert_sink.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "hold/child.h"
#include "hold/disk.h"
#include "hold/letter.h"

#define BODY_MAX ((size_t)256 * 1024)
#define TITLE_BYTES 160
#define NAMED 3
#define OUTPUT_BYTES 400
#define COMMAND_MS (30 * 1000)
#define WEBHOOK_S 15

/* What an event is called, and what the admin can do. */
static const struct {
	const char *one;  /* behind the number of keys, if it is about keys */
	const char *many; /* the same; NULL: it is about none */
	const char *advice;
} words[] = {
    [ALERT_FIRST_HOLD] = {"sender had mail held that had none held for a day",
	"senders had mail held that had none held for a day",
	"What is held:\n"
	"  postern quarantine list --newer 1d\n"
	"If an account was stolen, change its password first; its mail:\n"
	"  postern quarantine delete --login NAME --dry-run\n"},
    [ALERT_HOLD_RATE] = {"a large share of the mail is held", NULL,
	"Who sends it, and which rules hit:\n"
	"  postern top\n"},
    [ALERT_KEY_MISMATCH] = {"DKIM key is not the published one",
	"DKIM keys are not the published ones",
	"Receivers refuse what such a key signs. What to publish:\n"
	"  postern preflight DOMAIN\n"},
    [ALERT_QUARANTINE_FULL] = {"the quarantine is full, or nearly so", NULL,
	"Mail that cannot be kept is deferred. What would make room:\n"
	"  postern quarantine purge --dry-run\n"},
    [ALERT_DNS_FAILING] = {"the DNS does not answer", NULL,
	"Without it nobody knows what receivers will think. Its figures:\n"
	"  postern status\n"},
};

static bool
is_about_keys(enum alert_event event)
{
	return words[event].many != NULL;
}

static void
put_keys(struct buf *b, const struct alert *alert)
{
	bool is_many = alert->n > 1 || alert->more > 0;
	buf_printf(b, "%zu%s %s", alert->n, alert->more > 0 ? " or more" : "",
	    is_many ? words[alert->event].many : words[alert->event].one);
	for (size_t i = 0; i < alert->n && i < NAMED; i++) {
		buf_put(b, i == 0 ? STR(": ") : STR(", "));
		letter_put(
		    b, str_sub(alert_text_str(&alert->items[i].key), 0, 40));
	}
	if (alert->n > NAMED)
		buf_put(b, STR(", ..."));
}

struct str
alert_title(struct arena *a, const struct alert *alert)
{
	struct buf *b = buf_new(a, TITLE_BYTES);
	if (is_about_keys(alert->event)) {
		put_keys(b, alert);
		return buf_str(b);
	}
	buf_printf(b, "%s", words[alert->event].one);
	if (alert->count > 1)
		buf_printf(
		    b, " (%llu times)", (unsigned long long)alert->count);
	return buf_str(b);
}

static void
put_item(
    struct buf *b, const struct alert *alert, const struct alert_item *item)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(item->last_wall, stamp);
	buf_put(b, STR("  "));
	letter_put(b, alert_text_str(&item->key));
	if (item->key.len > 0)
		buf_put(b, STR(": "));
	if (alert->event == ALERT_FIRST_HOLD)
		buf_printf(b, "%llu held, the last at %s",
		    (unsigned long long)item->count, stamp);
	else
		buf_printf(b, "%llu times, the last at %s",
		    (unsigned long long)item->count, stamp);
	if (item->detail.len > 0)
		buf_put(b, STR("\n    "));
	letter_put(b, alert_text_str(&item->detail));
	buf_putc(b, '\n');
}

struct str
alert_body(struct arena *a, const struct alert *alert)
{
	struct buf *b = buf_new(a, BODY_MAX);
	char stamp[CLOCK_STAMP];
	clock_stamp(alert->now_wall, stamp);
	buf_printf(b, "%.*s, %s\n\n%.*s\n\n", STR_ARG(alert->host), stamp,
	    STR_ARG(alert_title(a, alert)));
	for (size_t i = 0; i < alert->n; i++)
		put_item(b, alert, &alert->items[i]);
	if (alert->more > 0)
		buf_printf(
		    b, "  and %llu more\n", (unsigned long long)alert->more);
	if (alert->lost > 0)
		buf_printf(b,
		    "  %llu came too fast to be looked at one by one\n",
		    (unsigned long long)alert->lost);
	buf_printf(b, "\n%s", words[alert->event].advice);
	return buf_str(b);
}

static json_t *
time_json(int64_t wall)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(wall, stamp);
	return json_string(stamp);
}

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static json_t *
item_json(const struct alert_item *item)
{
	json_t *o = json_object();
	put(o, "key", json_text(alert_text_str(&item->key)));
	put(o, "detail", json_text(alert_text_str(&item->detail)));
	put(o, "count", json_integer((json_int_t)item->count));
	put(o, "first", time_json(item->first_wall));
	put(o, "last", time_json(item->last_wall));
	return o;
}

json_t *
alert_json(const struct alert *alert)
{
	struct arena *a = arena_new();
	json_t *o = json_object(), *items = json_array();
	put(o, "event", json_string(alert_event_name(alert->event)));
	put(o, "host", json_text(alert->host));
	put(o, "time", time_json(alert->now_wall));
	put(o, "count", json_integer((json_int_t)alert->count));
	put(o, "more", json_integer((json_int_t)alert->more));
	put(o, "lost", json_integer((json_int_t)alert->lost));
	put(o, "text",
	    json_text(str_printf(a, "%.*s: %.*s", STR_ARG(alert->host),
		STR_ARG(alert_title(a, alert)))));
	for (size_t i = 0; i < alert->n; i++)
		(void)json_array_append_new(items, item_json(&alert->items[i]));
	put(o, "items", items);
	arena_free(a);
	return o;
}

/* ---- the ways */

static bool
send_mail(struct arena *a, const struct config *config, struct release *release,
    const struct alert *alert, struct str *ret_why)
{
	struct letter letter = {
	    .from = config_alert_from(a, config),
	    .host = alert->host,
	    .to = config->alert_mail,
	    .subject = str_printf(a, "Postern on %.*s: %.*s",
		STR_ARG(alert->host), STR_ARG(alert_title(a, alert))),
	    .body = alert_body(a, alert),
	};
	return letter_send(a, &letter, release, config->alert_via, ret_why);
}

static struct str
json_bytes(struct arena *a, const struct alert *alert)
{
	json_t *o = alert_json(alert);
	char *text = json_dumps(o, JSON_COMPACT);
	struct str ret = str_printf(a, "%s\n", text);
	free(text);
	json_decref(o);
	return ret;
}

static struct str
output_text(struct arena *a, int fd)
{
	struct buf *b = buf_new(a, OUTPUT_BYTES);
	if (lseek(fd, 0, SEEK_SET) != 0 || !file_read(fd, OUTPUT_BYTES, b))
		return STR_EMPTY;
	return str_trim(buf_str(b));
}

/* False: `*ret_why` has how it ended and what it said. */
static bool
run(struct arena *a, struct child *child, struct str *ret_why)
{
	int status = 0;
	child->out = child_file(STR_EMPTY);
	enum child_status how = child->in < 0 || child->out < 0
				    ? CHILD_FAILED
				    : child_run(child, &status);
	if (how == CHILD_FAILED)
		*ret_why =
		    str_printf(a, "%s: %s", child->argv[0], strerror(errno));
	else if (how == CHILD_LATE)
		*ret_why = str_printf(a, "%s: timed out", child->argv[0]);
	else if (status != 0)
		*ret_why = str_printf(a, "%s: %s %d: %.*s", child->argv[0],
		    WIFEXITED(status) ? "exit status" : "signal",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		    STR_ARG(output_text(a, child->out)));
	disk_close(child->in);
	disk_close(child->out);
	disk_close(child->extra);
	return how == CHILD_DONE && status == 0;
}

/* The address is a secret with many services: not in argv, which all may read.
 * config_read() has seen to it that no byte of it needs an escape. */
static struct str
curl_config(struct arena *a, const struct config *config)
{
	return str_printf(a,
	    "silent\nshow-error\nfail\noutput = \"/dev/null\"\n"
	    "proto = \"=http,https\"\nmax-time = %d\n"
	    "header = \"Content-Type: application/json\"\n"
	    "user-agent = \"postern/" PACKAGE_VERSION "\"\n"
	    "data-binary = \"@/dev/fd/3\"\nurl = \"%.*s\"\n",
	    WEBHOOK_S, STR_ARG(config->alert_webhook));
}

static bool
send_webhook(struct arena *a, const struct config *config,
    struct release *release, const struct alert *alert, struct str *ret_why)
{
	char program[] = CONFIG_CURL, quiet[] = "-q", from[] = "--config",
	     input[] = "-";
	char *const argv[] = {program, quiet, from, input, NULL};
	struct child child = {
	    .argv = argv,
	    .in = child_file(curl_config(a, config)),
	    .extra = child_file(json_bytes(a, alert)),
	    .cancel = alert->cancel,
	    .timeout_ms = (WEBHOOK_S + 5) * 1000,
	};
	(void)release;
	return run(a, &child, ret_why);
}

static char **
words_of(struct arena *a, struct str command)
{
	struct {
		char **v;
		size_t n, cap;
	} argv = {0};
	struct str word;
	while ((word = str_word(&command)).len > 0)
		ARENA_PUSH(a, &argv) = str_c(a, word);
	ARENA_PUSH(a, &argv) = NULL;
	return argv.v;
}

/* Nothing in its environment comes from mail. */
static bool
send_command(struct arena *a, const struct config *config,
    struct release *release, const struct alert *alert, struct str *ret_why)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(alert->now_wall, stamp);
	char *const environment[] = {
	    str_c(a, str_printf(a, "POSTERN_EVENT=%s",
			 alert_event_name(alert->event))),
	    str_c(a, str_printf(a, "POSTERN_COUNT=%llu",
			 (unsigned long long)alert->count)),
	    str_c(a, str_printf(a, "POSTERN_TIME=%s", stamp)),
	    str_c(a, str_printf(a, "POSTERN_HOST=%.*s", STR_ARG(alert->host))),
	    NULL};
	struct child child = {
	    .argv = words_of(a, config->alert_command),
	    .environment = environment,
	    .in = child_file(json_bytes(a, alert)),
	    .extra = -1,
	    .cancel = alert->cancel,
	    .timeout_ms = COMMAND_MS,
	};
	(void)release;
	return run(a, &child, ret_why);
}

static bool (*const senders[])(struct arena *a, const struct config *config,
    struct release *release, const struct alert *alert, struct str *ret_why) = {
    [ALERT_BY_MAIL] = send_mail,
    [ALERT_BY_WEBHOOK] = send_webhook,
    [ALERT_BY_COMMAND] = send_command,
};

unsigned
alert_send(struct arena *a, const struct config *config,
    struct release *release, const struct alert *alert)
{
	unsigned failed = 0;
	struct str why = STR_EMPTY;
	log_warning("alert %s: %.*s", alert_event_name(alert->event),
	    STR_ARG(alert_title(a, alert)));
	for (size_t i = 0; i < COUNT_OF(senders); i++) {
		enum alert_way way = (enum alert_way)i;
		if (!config_alert_goes(config, alert->event, way) ||
		    senders[i](a, config, release, alert, &why))
			continue;
		failed++;
		log_error("alert %s by %s: %.*s",
		    alert_event_name(alert->event), alert_way_name(way),
		    STR_ARG(why));
	}
	return failed;
}
