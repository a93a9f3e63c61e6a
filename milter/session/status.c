/* SPDX-License-Identifier: BSD-2-Clause */
/* status -- what posternd is and has done so far. */
#include "session/status.h"

#include <dirent.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "session/answers.h"
#include "state/place.h"

#define STATM_BYTES 256

static void
read_actions(_Atomic uint64_t from[CLASS_COUNT][ACTION_COUNT],
    uint64_t ret[CLASS_COUNT][ACTION_COUNT])
{
	for (size_t c = 0; c < CLASS_COUNT; c++)
		for (size_t n = 0; n < ACTION_COUNT; n++)
			ret[c][n] = atomic_load_explicit(
			    &from[c][n], memory_order_relaxed);
}

static void
read_metrics(struct arena *a, struct metrics *m, struct status *ret)
{
	ret->start_wall = m->start_wall;
	ret->connections = m->connections;
	ret->connections_open = m->connections_open;
	ret->recipients = m->recipients;
	ret->bytes = m->bytes;
	ret->released = m->released;
	ret->letters = m->letters;
	ret->reloads = m->reloads;
	ret->reloads_refused = m->reloads_refused;
	ret->quarantine_errors = m->quarantine_errors;
	for (size_t i = 0; i < MACRO_COUNT; i++)
		ret->macros_missing[i] = m->macros_missing[i];
	read_actions(m->actions, ret->actions);
	read_actions(m->would, ret->would);
	histogram_read(&m->verdict, &ret->verdict);
	histogram_read(&m->answer, &ret->answer);
	ret->nhits = tally_read(a, m->rules, &ret->hits);
	ret->hits_rest = tally_rest(m->rules);
	ret->nsenders =
	    heavy_top(a, m->senders, STATUS_SENDERS, clock_ms(), &ret->senders);
}

static void
read_snapshot(struct arena *a, struct gate *gate, struct status *ret)
{
	struct snapshot *snapshot = gate_snapshot(gate);
	struct memory_config ledger = answers_memory(a, &snapshot->config);
	struct stat st;
	ret->rules = ruleset_counts(snapshot->rules);
	ret->observe = snapshot->config.observe;
	ret->ledger_max_bytes = ledger.size_bytes + ledger.history_bytes;
	ret->ledger_lost = memory_lost(gate_memory(gate));
	char *file =
	    str_c(a, str_printf(a, "%.*s/" PLACE_FILE, STR_ARG(ledger.dir)));
	if (stat(file, &st) == 0)
		ret->ledger_bytes = (uint64_t)st.st_size;
	snapshot_put(snapshot);
}

/* The second number of /proc/self/statm is the resident set in pages. */
static uint64_t
resident_bytes(struct arena *a)
{
	struct str text;
	uint64_t pages;
	if (!file_text(a, STR("/proc/self/statm"), STATM_BYTES, &text))
		return 0;
	(void)str_word(&text);
	return str_u64(str_word(&text), UINT64_MAX / 65536, &pages)
		   ? pages * (uint64_t)sysconf(_SC_PAGESIZE)
		   : 0;
}

static uint64_t
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;
	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n > 3 ? n - 3 : 0; /* ., .. and its own */
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void
read_process(struct arena *a, struct status *ret)
{
	struct rusage usage;
	ret->resident_bytes = resident_bytes(a);
	ret->open_files = open_files();
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		ret->cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void
status_read(struct arena *a, struct gate *gate, const char *prefilter,
    struct status *ret)
{
	*ret = (struct status){
	    .now_wall = clock_wall(),
	    .now_us = clock_us(),
	    .snapshot_wall = gate_snapshot_wall(gate),
	    .prefilter = prefilter,
	    .in_flight = gate_in_flight(gate),
	};
	read_metrics(a, gate_metrics(gate), ret);
	read_snapshot(a, gate, ret);
	read_process(a, ret);
	alerts_stats(gate_alerts(gate), &ret->alerts);
	resolver_stats(gate_dns(gate)->resolver, &ret->dns);
	quarantine_stats(gate_quarantine(gate), &ret->quarantine);
}

/* ---- JSON */

static void
put(json_t *o, const char *key, uint64_t n)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)n));
}

/* {"submission": {"accept": 12, ...}, ...}, without zeros. */
static json_t *
actions_json(const uint64_t counts[CLASS_COUNT][ACTION_COUNT])
{
	json_t *o = json_object();
	for (size_t c = 0; c < CLASS_COUNT; c++) {
		json_t *one = json_object();
		for (size_t n = 0; n < ACTION_COUNT; n++)
			if (counts[c][n] > 0)
				put(one, action_name((enum action)n).p,
				    counts[c][n]);
		if (json_object_size(one) > 0)
			(void)json_object_set(
			    o, mail_class_name((enum mail_class)c).p, one);
		json_decref(one);
	}
	return o;
}

/* Times in ms; `upto` counts what took at most that long. */
static json_t *
histogram_json(const struct histogram_view *view)
{
	static const struct {
		const char *key;
		double q;
	} quantiles[] = {{"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p99_ms", 0.99}};
	json_t *o = json_object(), *upto = json_array();
	uint64_t n = view->upto[HISTOGRAM_BOUNDS];
	put(o, "count", n);
	(void)json_object_set_new(o, "mean_ms",
	    json_real(n == 0 ? 0 : (double)view->sum_us / 1e3 / (double)n));
	for (size_t i = 0; i < COUNT_OF(quantiles); i++)
		(void)json_object_set_new(o, quantiles[i].key,
		    json_real(
			(double)histogram_quantile_us(view, quantiles[i].q) /
			1e3));
	put(o, "sum_us", view->sum_us);
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		(void)json_array_append_new(
		    upto, json_integer((json_int_t)view->upto[i]));
	(void)json_object_set_new(o, "upto", upto);
	return o;
}

static json_t *
hits_json(const struct status *s)
{
	json_t *o = json_object();
	for (size_t i = 0; i < s->nhits; i++)
		(void)json_object_setn_new_nocheck(o, s->hits[i].name.p,
		    s->hits[i].name.len,
		    json_integer((json_int_t)s->hits[i].n));
	return o;
}

static json_t *
senders_json(const struct status *s)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->nsenders; i++) {
		const struct heavy_row *row = &s->senders[i];
		json_t *o = json_object();
		(void)json_object_set_new(o, "sender", json_text(row->key));
		(void)json_object_set_new(
		    o, "messages", json_real(row->counts[SENDER_MESSAGES]));
		(void)json_object_set_new(
		    o, "stopped", json_real(row->counts[SENDER_STOPPED]));
		(void)json_object_set_new(
		    o, "recipients", json_real(row->counts[SENDER_RCPTS]));
		(void)json_object_set_new(o, "error", json_real(row->error));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
dns_json(const struct resolver_stats *dns)
{
	json_t *o = json_object();
	put(o, "asked", dns->asked);
	put(o, "answered", dns->answered);
	put(o, "timeouts", dns->timeouts);
	put(o, "failures", dns->failures);
	put(o, "waited_ms", dns->waited_us / 1000);
	put(o, "waiting", dns->waiting);
	return o;
}

static json_t *
quarantine_json(const struct status *s)
{
	json_t *o = json_object();
	put(o, "held", s->quarantine.messages[FOLDER_HELD]);
	put(o, "held_bytes", s->quarantine.bytes[FOLDER_HELD]);
	put(o, "discarded", s->quarantine.messages[FOLDER_DISCARDED]);
	put(o, "discarded_bytes", s->quarantine.bytes[FOLDER_DISCARDED]);
	put(o, "max_bytes", s->quarantine.max_bytes);
	put(o, "errors", s->quarantine_errors);
	put(o, "released", s->released);
	return o;
}

/* {"first-hold": 2, ..., "failed": 0, "lost": 0} */
static json_t *
alerts_json(const struct alerts_stats *alerts)
{
	json_t *o = json_object();
	uint64_t lost = 0;
	for (size_t i = 0; i < ALERT_EVENTS; i++) {
		put(o, alert_event_name((enum alert_event)i), alerts->told[i]);
		lost += alerts->lost[i];
	}
	put(o, "failed", alerts->failed);
	put(o, "lost", lost);
	return o;
}

/* {"i": 12}, without zeros. */
static json_t *
macros_json(const struct status *s)
{
	json_t *o = json_object();
	for (size_t i = 0; i < MACRO_COUNT; i++)
		if (s->macros_missing[i] > 0)
			put(o, metrics_macro_name((enum metrics_macro)i),
			    s->macros_missing[i]);
	return o;
}

json_t *
status_json(const struct status *s)
{
	json_t *o = json_object();
	json_t *ledger = json_object(), *process = json_object();
	put(ledger, "bytes", s->ledger_bytes);
	put(ledger, "max_bytes", s->ledger_max_bytes);
	put(ledger, "lost", s->ledger_lost);
	put(process, "resident_bytes", s->resident_bytes);
	put(process, "open_files", s->open_files);
	(void)json_object_set_new(process, "cpu_s", json_real(s->cpu_s));
	(void)json_object_set_new(o, "version", json_string(PACKAGE_VERSION));
	put(o, "time", (uint64_t)s->now_wall);
	put(o, "clock_us", (uint64_t)s->now_us);
	put(o, "uptime_s", (uint64_t)(s->now_wall - s->start_wall));
	put(o, "snapshot_age_s", (uint64_t)(s->now_wall - s->snapshot_wall));
	put(o, "reloads", s->reloads);
	put(o, "reloads_refused", s->reloads_refused);
	put(o, "rules", s->rules.active);
	put(o, "rules_disabled", s->rules.disabled);
	(void)json_object_set_new(o, "prefilter", json_string(s->prefilter));
	(void)json_object_set_new(o, "observe", json_boolean(s->observe));
	put(o, "connections", s->connections_open);
	put(o, "connections_total", s->connections);
	put(o, "in_flight", s->in_flight);
	(void)json_object_set_new(o, "actions", actions_json(s->actions));
	(void)json_object_set_new(o, "would", actions_json(s->would));
	put(o, "recipients", s->recipients);
	put(o, "message_bytes", s->bytes);
	put(o, "letters", s->letters);
	(void)json_object_set_new(o, "verdict", histogram_json(&s->verdict));
	(void)json_object_set_new(o, "answer", histogram_json(&s->answer));
	(void)json_object_set_new(o, "macros_missing", macros_json(s));
	(void)json_object_set_new(o, "dns", dns_json(&s->dns));
	(void)json_object_set_new(o, "quarantine", quarantine_json(s));
	(void)json_object_set_new(o, "ledger", ledger);
	(void)json_object_set_new(o, "alerts", alerts_json(&s->alerts));
	(void)json_object_set_new(o, "process", process);
	(void)json_object_set_new(o, "rule_hits", hits_json(s));
	(void)json_object_set_new(o, "senders", senders_json(s));
	return o;
}
