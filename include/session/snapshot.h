/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot -- configuration, keys and rules as one immutable, counted thing.  A
 * connection keeps the one it began with; reload puts a new one in place.
 */
#ifndef SESSION_SNAPSHOT_H
#define SESSION_SNAPSHOT_H

#include "auth/policy.h"
#include "base/diag.h"
#include "rules/ruleset.h"
#include "session/config.h"

struct snapshot {
	struct arena *arena;
	struct config config;
	struct policy policy;
	struct ruleset *rules;
	_Atomic unsigned refs;
};

/*
 * What `config` says of our own mail; `is_lenient`: see struct policy_options.
 * False: errors are in `diags`.
 */
MUST_CHECK bool config_policy_load(struct arena *a, const struct config *config,
    bool is_lenient, struct policy *ret, struct diags *diags);

struct snapshot_source {
	const char *config_path; /* NULL: built-in defaults */
	struct strs rules;       /* instead of the configured ones, if any */
	bool is_lenient;         /* see struct policy_options */
	bool is_offline;         /* nobody will ask the DNS */
	bool becomes_user; /* posternd, started as root: of the option user */
};

/*
 * Read configuration, keys and rules, run the rules' test lines if
 * `wants_tests`. NULL: errors are in `diags`.  The caller holds one reference.
 */
struct snapshot *snapshot_load(const struct snapshot_source *source,
    bool wants_tests, struct diags *diags);
/*
 * Would posternd start with it?  What only a start uses: user, socket-group,
 * dns, and whether release-via can be run.  False: errors are in `diags`; what
 * a start passes over is a warning.
 */
MUST_CHECK bool snapshot_start_check(const struct snapshot *snapshot,
    const struct snapshot_source *source, struct diags *diags);
/* `why`, of resolver_check() or resolver_new(), and `end`, said of the option
 * that it is about. */
void config_dns_complain(const struct config *config, enum diag_level level,
    struct str why, const char *end, struct diags *diags);
/* Why posternd cannot become the user of `config`; empty: it can. */
struct str config_user_why_not(struct arena *a, const struct config *config);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_put(struct snapshot *snapshot);

#endif
