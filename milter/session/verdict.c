/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict -- from class, score and trouble to exactly one action. */
#include "session/verdict.h"

static const char *const names[ACTION_COUNT] = {
    [ACTION_ACCEPT] = "accept",
    [ACTION_TAG] = "tag",
    [ACTION_DEFER] = "defer",
    [ACTION_HOLD] = "hold",
    [ACTION_REJECT] = "reject",
    [ACTION_DISCARD] = "discard",
};

struct str
action_name(enum action action)
{
	return str_from(names[action]);
}

/* Strongest first: the first threshold that the score reaches decides. */
static const struct {
	enum action action;
	size_t threshold;
} ladder[] = {
    {ACTION_REJECT, offsetof(struct class_config, reject)},
    {ACTION_HOLD, offsetof(struct class_config, hold)},
    {ACTION_DEFER, offsetof(struct class_config, defer)},
    {ACTION_TAG, offsetof(struct class_config, tag)},
};

static const enum action fallback_actions[] = {
    [FALLBACK_DEFER] = ACTION_DEFER,
    [FALLBACK_ACCEPT] = ACTION_ACCEPT,
    [FALLBACK_HOLD] = ACTION_HOLD,
};

static struct verdict
by_score(const struct class_config *class, double score)
{
	for (size_t i = 0; i < COUNT_OF(ladder); i++) {
		const void *at = (const char *)class + ladder[i].threshold;
		double threshold = *(const double *)at;
		if (threshold > 0 && score >= threshold)
			return (struct verdict){.action = ladder[i].action,
			    .threshold = threshold,
			    .reason = "score"};
	}
	return (struct verdict){.action = ACTION_ACCEPT, .reason = ""};
}

static struct verdict
fallback(int choice, const char *reason)
{
	return (struct verdict){
	    .action = fallback_actions[choice], .reason = reason};
}

/* What may not leave in any case, whatever the rules say. */
static struct verdict
by_permit(const struct config *config, const struct verdict_input *input,
    struct verdict v)
{
	enum action action = ACTION_DISCARD;
	switch (input->permit) {
	case PERMIT_PASS:
		return v;
	case PERMIT_DISCARD:
		break;
	case PERMIT_OVER:
	case PERMIT_HOLD:
		if (v.action > ACTION_TAG)
			return v;
		if (input->permit == PERMIT_HOLD ||
		    config->notice_over == OVER_BUDGET_HOLD)
			action = ACTION_HOLD;
		break;
	}
	return (struct verdict){
	    .action = action, .reason = input->permit_reason};
}

struct verdict
verdict_of(const struct config *config, const struct verdict_input *input)
{
	const struct class_config *class = &config->class[input->class];
	struct verdict v = {.action = ACTION_ACCEPT, .reason = ""};
	if (input->class != CLASS_INBOUND && input->is_hostile)
		v = (struct verdict){
		    .action = ACTION_REJECT, .reason = "header"};
	else if (input->class != CLASS_INBOUND && class->is_filtered) {
		v = input->is_error ? fallback(config->on_error, "error")
				    : by_score(class, input->score);
		if (input->is_out_of_time && v.action <= ACTION_TAG &&
		    config->on_timeout != FALLBACK_ACCEPT)
			v = fallback(config->on_timeout, "timeout");
	}
	if (input->class != CLASS_INBOUND)
		v = by_permit(config, input, v);
	bool is_refusal = v.action == ACTION_DEFER || v.action == ACTION_REJECT;
	if (is_refusal && !input->can_refuse)
		v.action = ACTION_HOLD;
	v.would = v.action;
	if (config->observe)
		v.action = ACTION_ACCEPT;
	return v;
}
