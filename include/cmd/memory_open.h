/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_open -- what the commands share that read what posternd remembers. */
#ifndef CMD_MEMORY_OPEN_H
#define CMD_MEMORY_OPEN_H

#include "base/json.h"
#include "state/memory.h"

struct arena;

/* An option that takes a value, or none. */
struct memory_flag {
	const char *name;
	const char **text; /* where the value goes; NULL: it takes none */
	bool *is_set;      /* set when it is given; may be NULL */
};

/*
 * Read the options of a command; `flags` ends with a row without name.  False:
 * usage was said to standard error.  Other arguments are from `optind` on.
 */
MUST_CHECK bool memory_flags_parse(
    int argc, char **argv, const struct memory_flag *flags);
/* --limit: 0 is no limit.  False: said to standard error what is wrong. */
MUST_CHECK bool memory_limit_parse(const char *text, uint64_t *ret);

/*
 * Read the configuration and open the file that it names.  NULL: said why to
 * standard error; `*ret_exit` is the command's exit code.
 */
struct memory_reader *memory_open(struct arena *a, int *ret_exit);
struct config;
/* The same, with a configuration that was read. */
struct memory_reader *memory_open_in(
    struct arena *a, const struct config *config, int *ret_exit);
/* The command's exit code: as `postern quarantine list`. */
int memory_exit(enum reader_status status, uint64_t shown);

/* "2026-11-22T10:12:00Z" */
json_t *memory_time_json(int64_t wall);

#endif
