/* SPDX-License-Identifier: BSD-2-Clause */
/* diag -- what is wrong in a file, and where: told to whoever asked for the
 * file to be read. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/str.h"

struct arena;

enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR };

struct diag {
	enum diag_level level;
	struct str file;
	unsigned line; /* 0: the file as a whole */
	struct str text;
};

/* Starts as {.arena = a}. */
struct diags {
	struct arena *arena;
	struct diag *v;
	size_t n;
	size_t cap;
};

void diag_add(struct diags *diags, enum diag_level level, struct str file,
    unsigned line, const char *fmt, ...) PRINTF_LIKE(5, 6);
size_t diags_count(const struct diags *diags, enum diag_level level);
/* "error", "warning", "note" */
const char *diag_level_word(enum diag_level level);

#endif
