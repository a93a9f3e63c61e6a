/* SPDX-License-Identifier: BSD-2-Clause */
/* log -- one line to syslog or stderr. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <syslog.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 8192

static const struct {
	int priority;
	const char *word;
} levels[] = {
    [LOG_LEVEL_ERROR] = {LOG_ERR, "error: "},
    [LOG_LEVEL_WARNING] = {LOG_WARNING, "warning: "},
    [LOG_LEVEL_INFO] = {LOG_INFO, ""},
    [LOG_LEVEL_DEBUG] = {LOG_DEBUG, "debug: "},
};

static const char *program = "postern";
static enum log_target target = LOG_TARGET_STDERR;
static _Atomic int least = LOG_LEVEL_INFO;

void
log_open(const char *name, enum log_target where, enum log_level level)
{
	program = name;
	target = where;
	atomic_store(&least, (int)level);
	if (where == LOG_TARGET_SYSLOG)
		openlog(name, LOG_PID, LOG_MAIL);
}

bool
log_is_to_stderr(void)
{
	return target == LOG_TARGET_STDERR;
}

void
log_forked(void)
{
	closelog();
	if (target == LOG_TARGET_SYSLOG)
		openlog(program, LOG_PID, LOG_MAIL);
}

/* `s` is one character, or empty if it is not valid.  U+0080-9F are controls to
 * a terminal (ECMA-48 C1), deceivers hide text or turn its direction. */
static bool
is_shown(struct str s)
{
	if (s.len < 2)
		return s.len == 1 && (unsigned char)s.p[0] >= 0x20 &&
		       (unsigned char)s.p[0] < 0x7f;
	uint32_t c = utf8_decode(s);
	return c >= 0xa0 && !utf8_is_deceiver(c);
}

void
log_escape(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = c < 0x80 ? 1 : utf8_length(str_skip(s, i));
		bool is_safe = c != '\\' && is_shown(str_sub(s, i, n));
		if (is_safe)
			buf_put(b, str_sub(s, i, n));
		n = n == 0 ? 1 : n;
		for (size_t k = 0; k < n && !is_safe; k++)
			buf_printf(b, "\\x%02x", (unsigned char)s.p[i + k]);
		i += n;
	}
}

void
log_escape_word(struct buf *b, struct str s)
{
	while (s.len > 0) {
		size_t n = str_chr(s, ' ');
		log_escape(b, str_sub(s, 0, n));
		if (n == STR_NONE)
			break;
		buf_put(b, STR("\\x20"));
		s = str_skip(s, n + 1);
	}
}

bool
log_unescape(struct arena *a, struct str s, struct str *ret)
{
	if (str_chr(s, '\\') == STR_NONE) {
		*ret = s;
		return true;
	}
	char *p = arena_alloc(a, s.len);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] != '\\') {
			p[n++] = s.p[i];
			continue;
		}
		if (s.len - i < 4 || s.p[i + 1] != 'x')
			return false;
		int high = char_hex(s.p[i + 2]), low = char_hex(s.p[i + 3]);
		if (high < 0 || low < 0)
			return false;
		p[n++] = (char)(high << 4 | low);
		i += 3;
	}
	*ret = str_of(p, n);
	return true;
}

/* Control characters that came in by an argument must not reach the log. */
static void
line_clean(char *line)
{
	struct str rest = str_from(line);
	for (size_t n; rest.len > 0; rest = str_skip(rest, n)) {
		n = (unsigned char)rest.p[0] < 0x80 ? 1 : utf8_length(rest);
		bool is_safe = is_shown(str_sub(rest, 0, n));
		n = n == 0 ? 1 : n;
		if (!is_safe)
			memset(line + (rest.p - line), '?', n);
	}
}

/* One write(2), so that lines of threads do not mix, nor wait for each other.
 */
static void
stderr_write(enum log_level level, const char *line)
{
	char bytes[LINE_MAX_BYTES + 64];
	int n = snprintf(bytes, sizeof(bytes), "%s: %s%s\n", program,
	    levels[level].word, line);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(bytes)) {
		len = sizeof(bytes);
		bytes[len - 1] = '\n';
	}
	(void)!write(STDERR_FILENO, bytes, len);
}

static void log_line(enum log_level level, const char *fmt, va_list ap)
    PRINTF_LIKE(2, 0);
static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	if ((int)level > atomic_load(&least))
		return;
	char line[LINE_MAX_BYTES];
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	line_clean(line);
	if (target == LOG_TARGET_SYSLOG)
		syslog(
		    levels[level].priority, "%s%s", levels[level].word, line);
	else
		stderr_write(level, line);
}

#define LOG_AT(name, level)               \
	void name(const char *fmt, ...)   \
	{                                 \
		va_list ap;               \
		va_start(ap, fmt);        \
		log_line(level, fmt, ap); \
		va_end(ap);               \
	}

LOG_AT(log_error, LOG_LEVEL_ERROR)
LOG_AT(log_warning, LOG_LEVEL_WARNING)
LOG_AT(log_info, LOG_LEVEL_INFO)
LOG_AT(log_debug, LOG_LEVEL_DEBUG)

void
log_fatal(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	exit(2);
}
