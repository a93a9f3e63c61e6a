/* SPDX-License-Identifier: BSD-2-Clause */
/* held_request -- what `postern quarantine` was asked for: one row an option.
 */
#ifndef CMD_HELD_REQUEST_H
#define CMD_HELD_REQUEST_H

#include "cmd/ui.h"
#include "hold/filter.h"

/* Bits: an option belongs to several. */
enum held_verb {
	VERB_LIST = 1,
	VERB_SHOW = 2,
	VERB_RELEASE = 4,
	VERB_DELETE = 8,
	VERB_PURGE = 16
};
#define VERBS_MANY (VERB_LIST | VERB_RELEASE | VERB_DELETE | VERB_PURGE)
#define VERBS_ALL (VERBS_MANY | VERB_SHOW)

/* --folder */
enum folder_choice {
	FOLDERS_DEFAULT,
	FOLDERS_HELD,
	FOLDERS_DISCARDED,
	FOLDERS_ALL
};

/* What the command line asks for. */
struct held_request {
	enum held_verb verb;
	struct held_filter filter;
	bool has_filter; /* something that chooses messages was said */
	int folders;     /* enum folder_choice */
	bool is_all, is_json, is_long, is_dry_run, is_raw;
	bool verifies, keeps, is_forced;
	const char *via;
	uint64_t lines;
	int64_t purge_age_s;
	uint64_t purge_bytes;
	bool has_purge_bytes;
	int color; /* enum ui_color */
	char **ids;
	size_t nids;
};

/* A verb as its usage text has it. */
struct held_verb_text {
	const char *name;
	const char *takes;
	const char *help;
	enum held_verb verb;
};

/*
 * Read the options and ids behind the verb, which is argv[0].  False: said to
 * standard error what is wrong.  For -h the help is printed and the process
 * ends.  Texts in `*ret` point into `argv`.
 */
MUST_CHECK bool held_request_parse(const struct held_verb_text *verb, int argc,
    char **argv, struct held_request *ret);

#endif
