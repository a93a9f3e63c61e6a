/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option -- the options of a configuration file, one row each: parsing, range
 * errors, `postern config` and the manual's test all read the row.  The file's
 * grammar is libconfuse's.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/diag.h"
#include "base/str.h"

struct arena;

/* What a value is, and the type of the field it goes to. */
enum option_type {
	OPTION_BOOL,     /* bool: yes/no, true/false, on/off */
	OPTION_COUNT,    /* uint64_t */
	OPTION_SIZE,     /* uint64_t bytes: 512, 64K, 10M, 2G */
	OPTION_DURATION, /* int64_t milliseconds: 500ms, 30s, 5m, 12h, 30d */
	OPTION_SCORE,    /* double; "off" is 0 */
	OPTION_MODE,     /* uint64_t: octal permissions */
	OPTION_TEXT,     /* struct str */
	OPTION_LIST,     /* struct strs: {"a", "b"} */
	OPTION_CHOICE    /* int: index into `choices` */
};

struct option_row {
	const char *name;
	enum option_type type;
	size_t offset;              /* of the field in the target struct */
	const char *initial;        /* default, as it would be written; a list:
				       comma-separated */
	double min, max;            /* in base units; both 0: any */
	const char *const *choices; /* OPTION_CHOICE: ended by NULL */
	const char *help;           /* one sentence for the manual */
};

/* A kind of section: `kind title { ... }`. */
struct option_section {
	const char *kind;
	const char *const *titles;     /* allowed, ended by NULL */
	const struct option_row *rows; /* ended by a row without name */
	size_t offset; /* of an array of structs, one a title, in order */
	size_t size;   /* of one of them */
	const char *help;
};

struct option_file {
	const struct option_row *rows;         /* ended by a row without name */
	const struct option_section *sections; /* ended by one without kind */
};

/* Set every field of `target` to its row's default. */
void option_defaults(
    struct arena *a, const struct option_file *file, void *target);
/*
 * Read `path` over the defaults into `target`; texts live in `a`.  False: at
 * least one DIAG_ERROR with file:line was added.  Not for two threads at once
 * (libconfuse's scanner is one a process).
 */
MUST_CHECK bool option_read(struct arena *a, const struct option_file *file,
    const char *path, void *target, struct diags *diags);
/* The value in `target` as it would be written in the file. */
struct str option_show(
    struct arena *a, const struct option_row *row, const void *target);
/* "bytes", "duration", "yes or no", ...: for the manual and errors. */
const char *option_type_word(enum option_type type);

#endif
