/* SPDX-License-Identifier: BSD-2-Clause */
/* lint -- check configuration and rules, run the rules' test lines. */
#include <getopt.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "session/snapshot.h"

int
cmd_lint(int argc, char **argv)
{
	bool is_verbose = false;
	int c;
	while ((c = getopt(argc, argv, "v")) != -1)
		switch (c) {
		case 'v':
			is_verbose = true;
			break;
		default:
			return cmd_usage(argv[0]);
		}
	struct arena *a = arena_new();
	struct snapshot_source source = {.config_path = cmd_config_path};
	for (int i = optind; i < argc; i++)
		strs_add(a, &source.rules, str_from(argv[i]));
	/* rule files alone can be checked where nothing is installed */
	if (source.rules.n > 0 && access(source.config_path, F_OK) != 0)
		source.config_path = NULL;
	struct diags diags = {.arena = a};
	struct snapshot *snapshot = snapshot_load(&source, true, &diags);
	cmd_diags_print(&diags, is_verbose ? DIAG_NOTE : DIAG_WARNING);
	if (snapshot != NULL) {
		struct ruleset_counts counts = ruleset_counts(snapshot->rules);
		printf("%zu rules, %zu active, %zu disabled, %zu warnings\n",
		    counts.rules, counts.active, counts.disabled,
		    diags_count(&diags, DIAG_WARNING));
	}
	int code = snapshot == NULL ? CMD_FOUND : CMD_FINE;
	snapshot_put(snapshot);
	arena_free(a);
	return code;
}
