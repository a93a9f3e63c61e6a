/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log -- one line to syslog or stderr.  Bytes that came from mail are escaped
 * here: control characters, and on stderr nothing a terminal would obey.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/* Before the first call lines go to stderr from LOG_LEVEL_INFO on. */
void log_open(
    const char *program, enum log_target target, enum log_level least);

bool log_is_to_stderr(void);
/* In a new child, before it closes descriptors: libc forgets the one it sends
 * lines by, and opens another. */
void log_forked(void);

void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Out of memory, broken start-up: one line, then exit 2. */
void log_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;

struct buf;
/* Append `s` with control characters, \ and bytes that are not valid UTF-8 as
 * \xNN. */
void log_escape(struct buf *b, struct str s);
/* The same for a word that a blank ends: blanks are escaped too. */
void log_escape_word(struct buf *b, struct str s);
struct arena;
/* What these two made, back to bytes, in `a` or a view of `s`; false: it is not
 * theirs. */
MUST_CHECK bool log_unescape(struct arena *a, struct str s, struct str *ret);

#endif
