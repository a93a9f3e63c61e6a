/* SPDX-License-Identifier: BSD-2-Clause */
/* snapshot -- configuration and rules as one counted thing. */
#include "session/snapshot.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/log.h"

static struct ruleset_options
rule_options(const struct config *config)
{
	struct ruleset_options options = {
	    .match_limit = (unsigned)config->match_limit,
	    .depth_limit = (unsigned)config->depth_limit,
	    .heap_limit_kib = (unsigned)(config->heap_limit / 1024),
	    .limits = MAIL_LIMITS_DEFAULT,
	};
	options.limits.header_bytes = config->header_bytes;
	options.limits.parts = config->parts;
	options.limits.depth = config->depth;
	options.limits.uris = config->uris;
	return options;
}

static bool
rules_load(struct snapshot *snapshot, const struct snapshot_source *source,
    bool wants_tests, struct diags *diags)
{
	struct ruleset_options options = rule_options(&snapshot->config);
	const struct strs *paths =
	    source->rules.n > 0 ? &source->rules : &snapshot->config.rules;
	snapshot->rules = ruleset_load(paths, &options, diags);
	if (diags_count(diags, DIAG_ERROR) == 0 &&
	    ruleset_counts(snapshot->rules).active == 0)
		diag_add(diags, DIAG_WARNING, STR("rules"), 0,
		    "no rule is active: nothing will be found");
	if (wants_tests && diags_count(diags, DIAG_ERROR) == 0)
		(void)ruleset_test(snapshot->rules, diags);
	return diags_count(diags, DIAG_ERROR) == 0;
}

struct snapshot *
snapshot_load(
    const struct snapshot_source *source, bool wants_tests, struct diags *diags)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (snapshot == NULL)
		log_fatal("out of memory");
	atomic_init(&snapshot->refs, 1);
	snapshot->arena = arena_new();
	if (config_read(snapshot->arena, source->config_path, &snapshot->config,
		diags) &&
	    rules_load(snapshot, source, wants_tests, diags))
		return snapshot;
	snapshot_put(snapshot);
	return NULL;
}

struct snapshot *
snapshot_ref(struct snapshot *snapshot)
{
	(void)atomic_fetch_add(&snapshot->refs, 1);
	return snapshot;
}

void
snapshot_put(struct snapshot *snapshot)
{
	if (snapshot == NULL || atomic_fetch_sub(&snapshot->refs, 1) != 1)
		return;
	ruleset_free(snapshot->rules);
	arena_free(snapshot->arena);
	free(snapshot);
}
