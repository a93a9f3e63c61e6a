/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syslog_shim -- for Sendmail in the scenario tests (LD_PRELOAD): its log goes
 * to the file named by SYSLOG_SHIM_FILE, and the host has a name with a dot.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static char ident[32] = "sendmail";
static char path[512];

/* Sendmail clears its environment: the name is read before main(). */
__attribute__((constructor)) static void
remember_path(void)
{
	const char *from = getenv("SYSLOG_SHIM_FILE");
	if (from != NULL)
		(void)snprintf(path, sizeof path, "%s", from);
}

static void
write_line(const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	time_t now = time(NULL);
	struct tm tm;
	if (path[0] == '\0' || localtime_r(&now, &tm) == NULL)
		return;
	size_t n = strftime(line, sizeof line, "%b %d %H:%M:%S ", &tm);
	n += (size_t)snprintf(
	    line + n, sizeof line - n, "%s[%d]: ", ident, (int)getpid());
	int more = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
	n += more > 0 ? (size_t)more : 0;
	if (n > sizeof line - 2)
		n = sizeof line - 2;
	if (line[n - 1] != '\n')
		line[n++] = '\n';
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	if (write(fd, line, n) < 0) {
		/* There is nobody to tell. */
	}
	(void)close(fd);
}

/* A bare host name that does not resolve costs a minute's sleep at each start.
 */
int
gethostname(char *name, size_t size)
{
	(void)snprintf(name, size, "mail.test.example");
	return 0;
}

void
openlog(const char *name, int options, int facility)
{
	(void)options;
	(void)facility;
	if (name != NULL)
		(void)snprintf(ident, sizeof ident, "%s", name);
}

void
closelog(void)
{
}

void
vsyslog(int priority, const char *fmt, va_list ap)
{
	(void)priority;
	write_line(fmt, ap);
}

void
syslog(int priority, const char *fmt, ...)
{
	va_list ap;
	(void)priority;
	va_start(ap, fmt);
	write_line(fmt, ap);
	va_end(ap);
}

/* What syslog() is called under _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *fmt, ...);
void __vsyslog_chk(int priority, int flag, const char *fmt, va_list ap);

void
__syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;
	(void)priority;
	(void)flag;
	va_start(ap, fmt);
	write_line(fmt, ap);
	va_end(ap);
}

void
__vsyslog_chk(int priority, int flag, const char *fmt, va_list ap)
{
	(void)priority;
	(void)flag;
	write_line(fmt, ap);
}
