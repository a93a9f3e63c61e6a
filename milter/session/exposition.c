/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exposition -- the status in Prometheus's text format 0.0.4: one row a metric.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#include "base/arena.h"
#include "base/buf.h"
#include "session/status.h"

#define TEXT_MAX ((size_t)8 << 20)

struct metric;

/* What one metric is written with. */
struct page {
	struct buf *b;
	const struct status *status;
	const struct metric *metric;
};

struct metric {
	const char *name, *type, *help;
	void (*put)(struct page *page);
};

/* \, " and line ends are the only ones that a label value cannot have. */
static void
put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\n')
			buf_put(b, STR("\\n"));
		else if (s.p[i] == '\\' || s.p[i] == '"')
			buf_printf(b, "\\%c", s.p[i]);
		else
			buf_putc(b, s.p[i]);
}

/* A label; `name` NULL: none. */
struct label {
	const char *name;
	struct str value;
};

static void
put_sample(struct page *page, const char *suffix, struct label first,
    struct label second, double value)
{
	struct label labels[] = {first, second};
	buf_printf(page->b, "%s%s", page->metric->name, suffix);
	for (size_t i = 0; i < COUNT_OF(labels) && labels[i].name != NULL;
	     i++) {
		buf_printf(
		    page->b, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		put_escaped(page->b, labels[i].value);
		buf_putc(page->b, '"');
	}
	buf_printf(page->b, "%s %.15g\n", first.name != NULL ? "}" : "", value);
}

static const struct label none = {NULL, {"", 0}};

static void
put_one(struct page *page, double value)
{
	put_sample(page, "", none, none, value);
}

static void
put_by(struct page *page, const char *label, struct str of, double value)
{
	put_sample(page, "", (struct label){label, of}, none, value);
}

static void
put_actions(struct page *page, const uint64_t counts[CLASS_COUNT][ACTION_COUNT])
{
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (size_t n = 0; n < ACTION_COUNT; n++)
			put_sample(page, "",
			    (struct label){
				"class", mail_class_name((enum mail_class)c)},
			    (struct label){
				"action", action_name((enum action)n)},
			    (double)counts[c][n]);
}

static void
put_histogram(struct page *page, const struct histogram_view *view)
{
	double n = (double)view->upto[HISTOGRAM_BOUNDS];
	char bound[32];
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		(void)snprintf(bound, sizeof(bound), "%.9g",
		    (double)HISTOGRAM_BOUNDS_US[i] / 1e6);
		put_sample(page, "_bucket",
		    (struct label){"le", str_from(bound)}, none,
		    (double)view->upto[i]);
	}
	put_sample(page, "_bucket", (struct label){"le", STR("+Inf")}, none, n);
	put_sample(page, "_sum", none, none, (double)view->sum_us / 1e6);
	put_sample(page, "_count", none, none, n);
}

static void
put_build(struct page *page)
{
	put_by(page, "version", STR(PACKAGE_VERSION), 1);
}

static void
put_messages(struct page *page)
{
	put_actions(page, page->status->actions);
}

static void
put_would(struct page *page)
{
	put_actions(page, page->status->would);
}

static void
put_hits(struct page *page)
{
	const struct status *s = page->status;
	for (size_t i = 0; i < s->nhits; i++)
		put_by(page, "rule", s->hits[i].name, (double)s->hits[i].n);
	if (s->hits_rest > 0)
		put_by(page, "rule", STR(""), (double)s->hits_rest);
}

static void
put_verdict(struct page *page)
{
	put_histogram(page, &page->status->verdict);
}

static void
put_answer(struct page *page)
{
	put_histogram(page, &page->status->answer);
}

static void
put_dns(struct page *page)
{
	const struct resolver_stats *dns = &page->status->dns;
	put_by(page, "result", STR("answered"), (double)dns->answered);
	put_by(page, "result", STR("timeout"), (double)dns->timeouts);
	put_by(page, "result", STR("failure"), (double)dns->failures);
}

static void
put_folders(struct page *page, const uint64_t n[FOLDER_COUNT])
{
	for (size_t i = 0; i < FOLDER_COUNT; i++)
		put_by(page, "folder", held_folder_name((enum held_folder)i),
		    (double)n[i]);
}

static void
put_held(struct page *page)
{
	put_folders(page, page->status->quarantine.messages);
}

static void
put_held_bytes(struct page *page)
{
	put_folders(page, page->status->quarantine.bytes);
}

static void
put_events(struct page *page, const uint64_t n[ALERT_EVENTS])
{
	for (size_t i = 0; i < ALERT_EVENTS; i++)
		put_by(page, "event",
		    str_from(alert_event_name((enum alert_event)i)),
		    (double)n[i]);
}

static void
put_alerts(struct page *page)
{
	put_events(page, page->status->alerts.told);
}

static void
put_alerts_lost(struct page *page)
{
	put_events(page, page->status->alerts.lost);
}

static void
put_reloads(struct page *page)
{
	put_by(page, "result", STR("done"), (double)page->status->reloads);
	put_by(page, "result", STR("refused"),
	    (double)page->status->reloads_refused);
}

static void
put_prefilter(struct page *page)
{
	put_one(page, strcmp(page->status->prefilter, "ready") == 0);
}

/* Metrics that are one number of the status. */
#define NUMBER(name, expression)                       \
	static void put_##name(struct page *page)      \
	{                                              \
		const struct status *s = page->status; \
		put_one(page, (double)(expression));   \
	}
NUMBER(recipients, s->recipients)
NUMBER(bytes, s->bytes)
NUMBER(released, s->released)
NUMBER(letters, s->letters)
NUMBER(in_flight, s->in_flight)
NUMBER(open, s->connections_open)
NUMBER(connections, s->connections)
NUMBER(dns_wait, (double)s->dns.waited_us / 1e6)
NUMBER(dns_waiting, s->dns.waiting)
NUMBER(quarantine_max, s->quarantine.max_bytes)
NUMBER(quarantine_errors, s->quarantine_errors)
NUMBER(ledger, s->ledger_bytes)
NUMBER(ledger_max, s->ledger_max_bytes)
NUMBER(ledger_lost, s->ledger_lost)
NUMBER(age, s->now_wall - s->snapshot_wall)
NUMBER(rules, s->rules.active)
NUMBER(rules_disabled, s->rules.disabled)
NUMBER(observe, s->observe)
NUMBER(alerts_failed, s->alerts.failed)
NUMBER(start, s->start_wall)
NUMBER(cpu, s->cpu_s)
NUMBER(resident, s->resident_bytes)
NUMBER(files, s->open_files)

static const struct metric metrics[] = {
    {"postern_build_info", "gauge", "The version that runs.", put_build},
    {"postern_messages_total", "counter",
	"Messages decided, by class and action.", put_messages},
    {"postern_would_total", "counter",
	"Messages whose verdict was another action than what was done: with "
	"observe, or because they could not be kept.",
	put_would},
    {"postern_recipients_total", "counter", "Recipients of these messages.",
	put_recipients},
    {"postern_message_bytes_total", "counter", "Bytes of these messages.",
	put_bytes},
    {"postern_released_total", "counter",
	"Messages that an operator released from the quarantine.",
	put_released},
    {"postern_letters_total", "counter",
	"Letters of posternd's own to the admin: alerts and digests.",
	put_letters},
    {"postern_rule_hits_total", "counter",
	"Messages that a scored rule has hit; rules that never did are left "
	"out.",
	put_hits},
    {"postern_verdict_seconds", "histogram",
	"Time from the end of a message to its verdict.", put_verdict},
    {"postern_answer_seconds", "histogram",
	"Time from the end of a message to its answer, kept or signed.",
	put_answer},
    {"postern_messages_in_flight", "gauge",
	"Messages that have begun and not ended.", put_in_flight},
    {"postern_connections", "gauge", "Connections of MTAs that are open.",
	put_open},
    {"postern_connections_total", "counter",
	"Connections of MTAs since the start.", put_connections},
    {"postern_dns_queries_total", "counter",
	"Questions to the DNS, by what became of them.", put_dns},
    {"postern_dns_wait_seconds_total", "counter",
	"Time that messages waited for the DNS.", put_dns_wait},
    {"postern_dns_waiting", "gauge", "Messages that wait for the DNS now.",
	put_dns_waiting},
    {"postern_quarantine_messages", "gauge",
	"Messages in the quarantine, by folder.", put_held},
    {"postern_quarantine_bytes", "gauge", "Bytes of the quarantine, by folder.",
	put_held_bytes},
    {"postern_quarantine_max_bytes", "gauge",
	"Bytes that the quarantine may have; 0: no limit.", put_quarantine_max},
    {"postern_quarantine_errors_total", "counter",
	"Messages that could not be kept.", put_quarantine_errors},
    {"postern_ledger_bytes", "gauge",
	"Bytes of the file of ledger and history.", put_ledger},
    {"postern_ledger_max_bytes", "gauge", "Bytes that this file may have.",
	put_ledger_max},
    {"postern_ledger_lost_total", "counter",
	"Entries that ledger and history could not take.", put_ledger_lost},
    {"postern_snapshot_age_seconds", "gauge",
	"Time since configuration and rules were read.", put_age},
    {"postern_reloads_total", "counter",
	"Reloads of configuration and rules, by what became of them.",
	put_reloads},
    {"postern_rules", "gauge", "Rules that are active.", put_rules},
    {"postern_rules_disabled", "gauge", "Rules that could not be read.",
	put_rules_disabled},
    {"postern_prefilter_ready", "gauge",
	"1: the prefilter of the rules is in use.", put_prefilter},
    {"postern_observe", "gauge", "1: everything is logged, nothing changed.",
	put_observe},
    {"postern_alerts_total", "counter", "Alerts told, by event.", put_alerts},
    {"postern_alerts_failed_total", "counter",
	"Alerts that mail, webhook or command did not take.",
	put_alerts_failed},
    {"postern_alerts_lost_total", "counter",
	"Events that came too fast for the queue.", put_alerts_lost},
    {"process_start_time_seconds", "gauge",
	"When the process began, in seconds since 1970.", put_start},
    {"process_cpu_seconds_total", "counter",
	"User and system time of the process.", put_cpu},
    {"process_resident_memory_bytes", "gauge",
	"Resident memory of the process.", put_resident},
    {"process_open_fds", "gauge", "Open file descriptors of the process.",
	put_files},
};

struct str
status_exposition(struct arena *a, const struct status *status)
{
	struct page page = {.b = buf_new(a, TEXT_MAX), .status = status};
	for (size_t i = 0; i < COUNT_OF(metrics); i++) {
		page.metric = &metrics[i];
		buf_printf(page.b, "# HELP %s %s\n# TYPE %s %s\n",
		    metrics[i].name, metrics[i].help, metrics[i].name,
		    metrics[i].type);
		metrics[i].put(&page);
	}
	return buf_str(page.b);
}
