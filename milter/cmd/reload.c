/* SPDX-License-Identifier: BSD-2-Clause */
/* reload -- make the running posternd read configuration and rules again. */
#include "base/arena.h"
#include "cmd/cmd.h"
#include "cmd/control_ask.h"
#include "cmd/memory_open.h"

int
cmd_reload(int argc, char **argv)
{
	const struct memory_flag flags[] = {{0}};
	if (!memory_flags_parse(argc, argv, flags))
		return CMD_TROUBLE;
	if (optind < argc)
		return cmd_usage(argv[0]);
	struct arena *a = arena_new();
	struct config config;
	struct strs lines;
	struct str why;
	cmd_config_load(a, &config);
	bool is_good = control_ask(a, &config, "reload", &lines, &why);
	for (size_t i = 0; i < lines.n; i++)
		fprintf(
		    is_good ? stdout : stderr, "%.*s\n", STR_ARG(lines.v[i]));
	if (why.len > 0)
		cmd_error("%.*s", STR_ARG(why));
	arena_free(a);
	return is_good ? CMD_FINE : CMD_TROUBLE;
}
