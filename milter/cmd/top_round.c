/* SPDX-License-Identifier: BSD-2-Clause */
/* top_round -- what happened between two answers of posternd. */
#include "cmd/top_round.h"

#include "base/arena.h"
#include "base/clock.h"

static uint64_t
number(json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));
	return n < 0 ? 0 : (uint64_t)n;
}

static double
real(json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static struct str
text(json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);
	return json_is_string(value)
		   ? str_of(json_string_value(value), json_string_length(value))
		   : STR_EMPTY;
}

static uint64_t
since(uint64_t before, uint64_t now)
{
	return now < before ? now : now - before;
}

/* The one that `before` tells of is gone. */
static bool
is_restarted(json_t *before, json_t *now)
{
	return number(before, "time") - number(before, "uptime_s") !=
	       number(now, "time") - number(now, "uptime_s");
}

static uint64_t
action_count(json_t *status, const char *key, enum action action)
{
	uint64_t sum = 0;
	const char *class;
	json_t *counts;
	json_object_foreach(json_object_get(status, key), class, counts)
	{
		sum += number(counts, action_name(action).p);
	}
	return sum;
}

static void
round_actions(json_t *before, json_t *now, const char *key, double seconds,
    double ret[ACTION_COUNT])
{
	for (size_t i = 0; i < ACTION_COUNT; i++) {
		enum action action = (enum action)i;
		ret[i] = (double)since(action_count(before, key, action),
			     action_count(now, key, action)) /
			 seconds;
	}
}

static double
rate(json_t *before, json_t *now, const char *key, double seconds)
{
	return (double)since(number(before, key), number(now, key)) / seconds;
}

static void
round_histogram(
    json_t *before, json_t *now, const char *key, struct histogram_view *ret)
{
	json_t *x = json_object_get(before, key);
	json_t *y = json_object_get(now, key);
	json_t *from = json_object_get(x, "upto");
	json_t *to = json_object_get(y, "upto");
	ret->sum_us = since(number(x, "sum_us"), number(y, "sum_us"));
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
		ret->upto[i] =
		    since((uint64_t)json_integer_value(json_array_get(from, i)),
			(uint64_t)json_integer_value(json_array_get(to, i)));
}

static int
rule_cmp(const void *a, const void *b)
{
	const struct top_rule *x = a, *y = b;
	if (x->rate != y->rate)
		return x->rate < y->rate ? 1 : -1;
	if (x->hits != y->hits)
		return x->hits < y->hits ? 1 : -1;
	return str_cmp(x->rule, y->rule);
}

static void
round_rules(struct arena *a, json_t *before, json_t *now, struct top_round *ret)
{
	json_t *old = json_object_get(before, "rule_hits");
	json_t *hits = json_object_get(now, "rule_hits");
	const char *rule;
	json_t *n;
	ret->rules = ARENA_ARRAY(a, struct top_rule, json_object_size(hits));
	json_object_foreach(hits, rule, n)
	{
		uint64_t all = number(hits, rule);
		ret->rules[ret->nrules++] = (struct top_rule){
		    .rule = str_from(rule),
		    .rate =
			(double)since(number(old, rule), all) / ret->seconds,
		    .hits = all,
		};
	}
	if (ret->nrules > 0)
		qsort(ret->rules, ret->nrules, sizeof(ret->rules[0]), rule_cmp);
}

static void
round_senders(struct arena *a, json_t *now, struct top_round *ret)
{
	json_t *list = json_object_get(now, "senders");
	size_t n = json_array_size(list);
	ret->senders = ARENA_ARRAY(a, struct top_sender, n);
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_array_get(list, i);
		ret->senders[ret->nsenders++] = (struct top_sender){
		    .sender = text(o, "sender"),
		    .messages = real(o, "messages"),
		    .stopped = real(o, "stopped"),
		    .recipients = real(o, "recipients"),
		};
	}
}

/* At least a thousandth: no rate is infinite. */
static double
seconds_between(json_t *before, json_t *now)
{
	double s = before == NULL ? (double)number(now, "uptime_s")
				  : (double)since(number(before, "clock_us"),
					number(now, "clock_us")) /
					1e6;
	return s < 0.001 ? 0.001 : s;
}

void
top_round(struct arena *a, json_t *before, json_t *now, struct top_round *ret)
{
	if (before != NULL && is_restarted(before, now))
		before = NULL;
	json_t *dns = json_object_get(now, "dns");
	json_t *old_dns = json_object_get(before, "dns");
	*ret = (struct top_round){.seconds = seconds_between(before, now)};
	double s = ret->seconds;
	round_actions(before, now, "actions", s, ret->actions);
	round_actions(before, now, "would", s, ret->would);
	for (size_t i = 0; i < ACTION_COUNT; i++)
		ret->messages += ret->actions[i];
	ret->recipients = rate(before, now, "recipients", s);
	ret->bytes = rate(before, now, "message_bytes", s);
	ret->dns_asked = rate(old_dns, dns, "asked", s);
	ret->dns_timeouts = rate(old_dns, dns, "timeouts", s);
	ret->dns_failures = rate(old_dns, dns, "failures", s);
	round_histogram(before, now, "verdict", &ret->verdict);
	round_histogram(before, now, "answer", &ret->answer);
	round_rules(a, before, now, ret);
	round_senders(a, now, ret);
}

/* ---- JSON */

static void
put(json_t *o, const char *key, double value)
{
	(void)json_object_set_new(o, key, json_real(value));
}

static json_t *
times_json(const struct histogram_view *view)
{
	json_t *o = json_object();
	put(o, "p50_ms", (double)histogram_quantile_us(view, 0.5) / 1e3);
	put(o, "p90_ms", (double)histogram_quantile_us(view, 0.9) / 1e3);
	put(o, "p99_ms", (double)histogram_quantile_us(view, 0.99) / 1e3);
	return o;
}

static json_t *
rules_json(const struct top_round *round)
{
	json_t *list = json_array();
	for (size_t i = 0; i < round->nrules; i++) {
		const struct top_rule *rule = &round->rules[i];
		json_t *o = json_object();
		(void)json_object_set_new(o, "rule", json_text(rule->rule));
		put(o, "per_s", rule->rate);
		(void)json_object_set_new(
		    o, "hits", json_integer((json_int_t)rule->hits));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
actions_json(const double rates[ACTION_COUNT])
{
	json_t *o = json_object();
	for (size_t i = 0; i < ACTION_COUNT; i++)
		put(o, action_name((enum action)i).p, rates[i]);
	return o;
}

json_t *
top_round_json(const struct top_round *round, json_t *now)
{
	static const char *const same[] = {"connections", "in_flight",
	    "snapshot_age_s", "quarantine", "ledger", "process", "senders"};
	char stamp[CLOCK_STAMP];
	json_t *o = json_object(), *dns = json_object();
	clock_stamp((int64_t)number(now, "time"), stamp);
	put(dns, "asked_per_s", round->dns_asked);
	put(dns, "timeouts_per_s", round->dns_timeouts);
	put(dns, "failures_per_s", round->dns_failures);
	put(dns, "waiting", real(json_object_get(now, "dns"), "waiting"));
	(void)json_object_set_new(o, "time", json_string(stamp));
	put(o, "seconds", round->seconds);
	put(o, "messages_per_s", round->messages);
	put(o, "recipients_per_s", round->recipients);
	put(o, "bytes_per_s", round->bytes);
	(void)json_object_set_new(
	    o, "actions_per_s", actions_json(round->actions));
	(void)json_object_set_new(o, "would_per_s", actions_json(round->would));
	(void)json_object_set_new(o, "verdict", times_json(&round->verdict));
	(void)json_object_set_new(o, "answer", times_json(&round->answer));
	(void)json_object_set_new(o, "dns", dns);
	for (size_t i = 0; i < COUNT_OF(same); i++)
		(void)json_object_set(
		    o, same[i], json_object_get(now, same[i]));
	(void)json_object_set_new(o, "rules", rules_json(round));
	return o;
}
