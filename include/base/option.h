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

/* What a text, or each text of a list, has to look like. */
struct option_form {
	const char *kind; /* of the section it is in; NULL: of none */
	const char *name; /* of the option */
	bool (*fits)(struct str text);
	const char *allowed; /* goes behind "is not": "an address" */
	bool is_secret;      /* never repeated in an error */
};

struct option_file {
	const struct option_row *rows;         /* ended by a row without name */
	const struct option_section *sections; /* ended by one without kind */
	const struct option_form *forms; /* ended by one without name; NULL:
					    none */
};

/* Where the values that a file has stand in it. */
struct option_lines {
	struct str file;
	struct option_line *v;
	size_t n, cap;
};

/* An option, for errors of it that are found after it was read. */
struct option_place {
	const struct option_lines *lines; /* NULL: of no file */
	const char *title;                /* of its section; NULL: of none */
	const char *name;
};

/* Set every field of `target` to its row's default. */
void option_defaults(
    struct arena *a, const struct option_file *file, void *target);
/*
 * Read `path` over the defaults into `target`, and into `ret_lines` where what
 * stands; texts live in `a`.  False: at least one DIAG_ERROR with file:line was
 * added.  Not for two threads at once (libconfuse's scanner is one a process).
 */
MUST_CHECK bool option_read(struct arena *a, const struct option_file *file,
    const char *path, void *target, struct option_lines *ret_lines,
    struct diags *diags);
/* The file of `place`, or its name if it is of no file. */
struct str option_place_file(const struct option_place *place);
/* The line of value `i`, from 0, of `place`; 0: it has its default. */
unsigned option_place_line(const struct option_place *place, size_t i);
/* "NAME: " and the text, at the line of value `i` of `place`. */
void option_complain(struct diags *diags, enum diag_level level,
    const struct option_place *place, size_t i, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* The value in `target` as it would be written in the file. */
struct str option_show(
    struct arena *a, const struct option_row *row, const void *target);
/* "bytes", "duration", "yes or no", ...: for the manual and errors. */
const char *option_type_word(enum option_type type);

#endif
