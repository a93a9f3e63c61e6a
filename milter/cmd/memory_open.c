/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_open -- what the commands share that read what posternd remembers. */
#include "cmd/memory_open.h"

#include <getopt.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "session/config.h"

#define FLAGS_MAX 32

bool
memory_flags_parse(int argc, char **argv, const struct memory_flag *flags)
{
	struct option options[FLAGS_MAX + 1] = {0};
	int which, c;
	for (size_t i = 0; i < FLAGS_MAX && flags[i].name != NULL; i++)
		options[i] = (struct option){flags[i].name,
		    flags[i].text == NULL ? no_argument : required_argument,
		    NULL, 1};
	while ((c = cmd_option(argc, argv, "", options, &which)) != -1) {
		if (c != 1) {
			(void)cmd_usage(argv[0]);
			return false;
		}
		if (flags[which].text != NULL)
			*flags[which].text = optarg;
		if (flags[which].is_set != NULL)
			*flags[which].is_set = true;
	}
	return true;
}

bool
memory_limit_parse(const char *text, uint64_t *ret)
{
	if (text == NULL || str_u64(str_from(text), UINT32_MAX, ret))
		return true;
	log_error("--limit %s: write a number; 0 is no limit", text);
	return false;
}

struct memory_reader *
memory_open(struct arena *a, int *ret_exit)
{
	struct config config;
	cmd_config_load(a, &config);
	return memory_open_in(a, &config, ret_exit);
}

struct memory_reader *
memory_open_in(struct arena *a, const struct config *config, int *ret_exit)
{
	struct memory_reader *reader = NULL;
	struct str why = STR_EMPTY;
	struct str dir =
	    str_printf(a, "%.*s/ledger", STR_ARG(config->state_dir));
	struct str may = cmd_who_may(a, config, dir, R_OK | X_OK);
	switch (memory_read_open(a, dir, &reader, &why)) {
	case READER_OK:
		return reader;
	case READER_NONE:
		log_error("%.*s: nothing is remembered yet: posternd was "
			  "never started with this state-dir",
		    STR_ARG(dir));
		*ret_exit = CMD_FOUND;
		return NULL;
	case READER_BAD:
		log_error("%.*s%.*s", STR_ARG(why), STR_ARG(may));
		break;
	}
	*ret_exit = CMD_TROUBLE;
	return NULL;
}

int
memory_exit(enum reader_status status, uint64_t shown)
{
	if (status != READER_OK)
		return CMD_TROUBLE;
	return shown == 0 ? CMD_FOUND : CMD_FINE;
}

json_t *
memory_time_json(int64_t wall)
{
	char stamp[CLOCK_STAMP];
	clock_stamp(wall, stamp);
	return json_string(stamp);
}
