/* SPDX-License-Identifier: BSD-2-Clause */
/* lines -- the values of a list option, and the lines of the files that it
 * names, each with its place.  What they mean is left to others. */
#ifndef AUTH_LINES_H
#define AUTH_LINES_H

#include "base/diag.h"
#include "base/option.h"

#define LINES_FILE_BYTES ((size_t)256 * 1024 * 1024)

struct line {
	struct str file; /* it stands in, or the option if that is of no file */
	unsigned number; /* of the first of its lines; 0: of no file */
	struct str text; /* trimmed, not empty; line ends within it are blanks
			  */
};

struct lines {
	struct line *v;
	size_t n;
	size_t cap;
};

/*
 * Each of `values`, the value of `option`, is a line, or a file of lines if it
 * begins with / and has no : in it, or begins with file:/ -- as Postfix reads
 * its tables: empty lines and those whose first visible character is # do not
 * count, and a line that begins with a blank goes on with the one before.
 * Texts live in `a`.  False: a file cannot be read, and a DIAG_ERROR says why.
 */
MUST_CHECK bool lines_read(struct arena *a, const struct strs *values,
    const struct option_place *option, struct lines *ret, struct diags *diags);

/* The same of one file's text, any bytes. */
void lines_of_text(
    struct arena *a, struct str file, struct str text, struct lines *ret);

#endif
