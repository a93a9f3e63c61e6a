/* SPDX-License-Identifier: BSD-2-Clause */
/* config -- show options, values and meanings. */
#include <getopt.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "session/config.h"

static bool
is_asked(const char *name, int argc, char **argv)
{
	if (argc == 0)
		return true;
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

static void
row_print(struct arena *a, const struct option_row *row, const void *target,
    const char *indent, bool is_brief)
{
	if (!is_brief)
		printf("%s# %s (%s", indent, row->help,
		    option_type_word(row->type));
	if (!is_brief && row->type == OPTION_CHOICE)
		for (int i = 0; row->choices[i] != NULL; i++)
			printf("%s%s", i == 0 ? ": " : ", ", row->choices[i]);
	if (!is_brief)
		printf(")\n");
	printf("%s%s = %.*s\n", indent, row->name,
	    STR_ARG(option_show(a, row, target)));
}

static void
section_print(struct arena *a, const struct option_section *section,
    const struct config *config, bool is_brief)
{
	for (size_t i = 0; section->titles[i] != NULL; i++) {
		const char *at =
		    (const char *)config + section->offset + i * section->size;
		printf("%s %s {\n", section->kind, section->titles[i]);
		for (const struct option_row *r = section->rows;
		     r->name != NULL; r++)
			row_print(a, r, at, "\t", is_brief || i > 0);
		printf("}\n");
	}
}

int
cmd_config(int argc, char **argv)
{
	bool is_brief = false, is_defaults = false;
	int c;
	static const struct option none[] = {{0}};
	while ((c = cmd_option(argc, argv, "bd", none, NULL)) != -1)
		switch (c) {
		case 'b':
			is_brief = true;
			break;
		case 'd':
			is_defaults = true;
			break;
		default:
			return cmd_usage(argv[0]);
		}
	argc -= optind;
	argv += optind;
	struct arena *a = arena_new();
	struct config config;
	if (is_defaults)
		cmd_config_path = NULL;
	cmd_config_load(a, &config);
	int shown = 0;
	for (const struct option_row *r = CONFIG_FILE.rows; r->name != NULL;
	     r++)
		if (is_asked(r->name, argc, argv)) {
			row_print(a, r, &config, "", is_brief);
			shown++;
		}
	for (const struct option_section *s = CONFIG_FILE.sections;
	     s->kind != NULL; s++)
		if (is_asked(s->kind, argc, argv)) {
			section_print(a, s, &config, is_brief);
			shown++;
		}
	arena_free(a);
	if (shown == 0)
		cmd_error("there is no option \"%s\"; `postern config -b` "
			  "lists them",
		    argv[0]);
	return shown == 0 ? CMD_TROUBLE : CMD_FINE;
}
