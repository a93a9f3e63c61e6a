/* SPDX-License-Identifier: BSD-2-Clause */
/* lint -- check configuration and rules, run the rules' test lines. */
#include <getopt.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "cmd/lint_report.h"
#include "session/snapshot.h"

enum { OPT_REPORT = 256, OPT_JSON };

static const struct option long_options[] = {
    {"report", no_argument, NULL, OPT_REPORT},
    {"json", no_argument, NULL, OPT_JSON},
    {"verbose", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

struct options {
	bool is_verbose, wants_report, is_json;
};

static bool
options_read(int argc, char **argv, struct options *ret)
{
	int c;
	while ((c = cmd_option(argc, argv, "v", long_options, NULL)) != -1)
		switch (c) {
		case 'v':
			ret->is_verbose = true;
			break;
		case OPT_REPORT:
			ret->wants_report = true;
			break;
		case OPT_JSON:
			ret->wants_report = ret->is_json = true;
			break;
		default:
			return false;
		}
	return true;
}

static void
rules_show(const struct ruleset *rules, const struct options *options,
    const struct diags *diags)
{
	if (options->wants_report) {
		lint_report(rules, options->is_json, options->is_verbose);
		return;
	}
	struct ruleset_counts counts = ruleset_counts(rules);
	printf("%zu rules, %zu active, %zu disabled, %zu warnings\n",
	    counts.rules, counts.active, counts.disabled,
	    diags_count(diags, DIAG_WARNING));
}

/*
 * A report says itself what is not run: only what is broken comes before it,
 * or why it is empty.
 */
static enum diag_level
least_shown(const struct options *options, const struct snapshot *snapshot)
{
	bool is_empty =
	    snapshot != NULL && ruleset_counts(snapshot->rules).active == 0;
	if (options->wants_report && !is_empty)
		return DIAG_ERROR;
	return options->is_verbose ? DIAG_NOTE : DIAG_WARNING;
}

int
cmd_lint(int argc, char **argv)
{
	struct options options = {0};
	if (!options_read(argc, argv, &options))
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct snapshot_source source = {.config_path = cmd_config_path};
	for (int i = optind; i < argc; i++)
		strs_add(a, &source.rules, str_from(argv[i]));
	/* rule files alone can be checked where nothing is installed */
	if (source.rules.n > 0 && access(source.config_path, F_OK) != 0)
		source.config_path = NULL;
	struct diags diags = {.arena = a};
	struct snapshot *snapshot = snapshot_load(&source, true, &diags);
	bool is_fine = snapshot != NULL &&
		       (source.rules.n > 0 ||
			   snapshot_start_check(snapshot, &source, &diags));
	cmd_diags_tell(&diags, least_shown(&options, snapshot));
	if (snapshot != NULL)
		rules_show(snapshot->rules, &options, &diags);
	int code = is_fine ? CMD_FINE : CMD_FOUND;
	snapshot_put(snapshot);
	arena_free(a);
	return code;
}
