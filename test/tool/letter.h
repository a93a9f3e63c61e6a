/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * letter -- a message as an MTA hands it to a milter: header fields with folds
 * as "\n" and blanks, a body with CRLF.  Made from a file, or made up.
 */
#ifndef TEST_LETTER_H
#define TEST_LETTER_H

#include "base/str.h"

struct arena;

struct letter_field {
	struct str name;
	struct str value; /* with the blank after the colon */
};

struct letter {
	struct str title; /* file name */
	struct letter_field *v;
	size_t n, cap;
	struct str body;
};

/* What a message that is made up looks like. */
struct letter_shape {
	size_t body_bytes;
	size_t extra_fields;
	bool is_one_line; /* a body without line ends */
};

/* False: errno tells. */
MUST_CHECK bool letter_read(
    struct arena *a, const char *path, struct letter *ret);
void letter_parse(struct arena *a, struct str raw, struct letter *ret);
void letter_make(
    struct arena *a, const struct letter_shape *shape, struct letter *ret);

#endif
