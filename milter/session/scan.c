/* SPDX-License-Identifier: BSD-2-Clause */
/* scan -- one message through rules to a verdict. */
#include "session/scan.h"

#include "auth/facts.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

static bool
is_past(void *deadline_us)
{
	return clock_us() >= *(const int64_t *)deadline_us;
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
	return message_new(a, str_sub(raw, 0, snapshot->config.scan_bytes),
	    ruleset_mail_config(snapshot->rules), envelope);
}

static void
rules_run(const struct snapshot *snapshot, const struct scan_job *job,
    int64_t *deadline_us, struct scan *ret)
{
	struct eval_facts facts = {.auth = job->facts, .notice = job->notice};
	struct rule_run run = {
	    .wants_subs = job->wants_subs,
	    .is_expired = is_past,
	    .arg = deadline_us,
	    .facts = &facts,
	    .now = clock_wall(),
	};
	ret->message = job->message;
	ret->is_cut = job->size_bytes > snapshot->config.scan_bytes;
	ruleset_run(snapshot->rules, ret->message, &run, &ret->result);
}

void
scan_run(const struct snapshot *snapshot, const struct scan_job *job,
    struct scan *ret)
{
	const struct config *config = &snapshot->config;
	int64_t start_us = clock_us();
	int64_t deadline_us = start_us + config->scan_ms * 1000;
	*ret = (struct scan){0};
	if (is_filtered(config, job->class))
		rules_run(snapshot, job, &deadline_us, ret);
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
