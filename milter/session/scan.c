/* SPDX-License-Identifier: BSD-2-Clause */
/* scan -- one message through rules to a verdict. */
#include "session/scan.h"

#include "auth/facts.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

/*
 * What is left of scan-time while a message is taken apart and while its rules
 * run.  It stands still in between: waiting for the DNS has its own time.
 */
struct stopwatch {
	int64_t left_ms;
	int64_t deadline_ms; /* INT64_MAX: it stands */
};

static struct stopwatch *
stopwatch_new(struct arena *a, const struct config *config)
{
	struct stopwatch *watch = ARENA_NEW(a, struct stopwatch);
	watch->left_ms = config->scan_ms;
	watch->deadline_ms = INT64_MAX;
	return watch;
}

static void
stopwatch_start(struct stopwatch *watch)
{
	watch->deadline_ms = clock_ticks_ms() + watch->left_ms;
}

static void
stopwatch_stop(struct stopwatch *watch)
{
	watch->left_ms = watch->deadline_ms - clock_ticks_ms();
	watch->deadline_ms = INT64_MAX;
}

static bool
is_past(void *arg)
{
	const struct stopwatch *watch = arg;
	return watch->deadline_ms != INT64_MAX &&
	       clock_ticks_ms() >= watch->deadline_ms;
}

static bool
is_filtered(const struct config *config, enum mail_class class)
{
	return class != CLASS_INBOUND && config->class[class].is_filtered;
}

struct message *
scan_message(struct arena *a, const struct snapshot *snapshot, struct str raw,
    const struct envelope *envelope)
{
	struct stopwatch *watch = stopwatch_new(a, &snapshot->config);
	struct effort effort = {.is_expired = is_past, .arg = watch};
	stopwatch_start(watch);
	struct message *m =
	    message_new_within(a, str_sub(raw, 0, snapshot->config.scan_bytes),
		ruleset_mail_config(snapshot->rules), envelope, effort);
	stopwatch_stop(watch);
	return m;
}

static void
rules_run(const struct snapshot *snapshot, const struct scan_job *job,
    struct scan *ret)
{
	struct stopwatch *watch = job->message->effort.arg;
	struct eval_facts facts = {.auth = job->facts, .notice = job->notice};
	struct rule_run run = {
	    .wants_subs = job->wants_subs,
	    .costs = job->costs,
	    .is_expired = is_past,
	    .arg = watch,
	    .facts = &facts,
	    .now = clock_wall(),
	};
	ret->message = job->message;
	ret->is_cut = job->size_bytes > snapshot->config.scan_bytes;
	stopwatch_start(watch);
	ruleset_run(snapshot->rules, ret->message, &run, &ret->result);
	stopwatch_stop(watch);
}

void
scan_run(const struct snapshot *snapshot, const struct scan_job *job,
    struct scan *ret)
{
	const struct config *config = &snapshot->config;
	int64_t start_us = clock_us();
	*ret = (struct scan){0};
	if (is_filtered(config, job->class))
		rules_run(snapshot, job, ret);
	ret->input = (struct verdict_input){
	    .class = job->class,
	    .score = ret->result.score,
	    .can_refuse = job->can_refuse,
	    .is_out_of_time = ret->result.is_out_of_time ||
			      (job->facts != NULL && job->facts->is_late),
	};
	ret->verdict = verdict_of(config, &ret->input);
	ret->us = clock_us() - start_us;
}

struct str
scan_rules_text(struct arena *a, const struct rule_result *result, size_t max)
{
	struct buf *b = buf_new(a, max);
	for (size_t i = 0; i < result->hits.n; i++)
		buf_printf(b, "%s%.*s:%.4g", i == 0 ? "" : ",",
		    STR_ARG(result->hits.v[i].rule), result->hits.v[i].score);
	return b->len == 0 ? STR("-") : buf_str(b);
}
