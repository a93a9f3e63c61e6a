/* SPDX-License-Identifier: BSD-2-Clause */
/* diag -- what is wrong in a file, and where. */
#include "base/diag.h"

#include <stdarg.h>

#include "base/arena.h"

#define TEXT_MAX 1024

void
diag_add(struct diags *diags, enum diag_level level, struct str file,
    unsigned line, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0)
		len = 0;
	size_t n = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
	ARENA_PUSH(diags->arena, diags) = (struct diag){
	    .level = level,
	    .file = str_dup(diags->arena, file),
	    .line = line,
	    .text = str_dup(diags->arena, str_of(text, n)),
	};
}

size_t
diags_count(const struct diags *diags, enum diag_level level)
{
	size_t n = 0;
	for (size_t i = 0; i < diags->n; i++)
		n += diags->v[i].level == level;
	return n;
}

const char *
diag_level_word(enum diag_level level)
{
	static const char *const words[] = {
	    [DIAG_NOTE] = "note",
	    [DIAG_WARNING] = "warning",
	    [DIAG_ERROR] = "error",
	};
	return words[level];
}
