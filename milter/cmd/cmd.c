/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd -- what the subcommands share. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "cmd/ui.h"
#include "session/class.h"

const char *cmd_config_path = CONFIG_PATH_DEFAULT;

void
cmd_diags_print(const struct diags *diags, enum diag_level least)
{
	struct arena *a = arena_new();
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *d = &diags->v[i];
		if (d->level < least)
			continue;
		struct buf *line = buf_new(a, 4096);
		log_escape(line, d->file);
		if (d->line > 0)
			buf_printf(line, ":%u", d->line);
		if (d->file.len > 0)
			buf_printf(line, ": ");
		buf_printf(line, "%s: ", diag_level_word(d->level));
		log_escape(line, d->text);
		fprintf(stderr, "%.*s\n", STR_ARG(buf_str(line)));
	}
	arena_free(a);
}

void
cmd_diags_tell(const struct diags *diags, enum diag_level least)
{
	bool is_closed = false;
	cmd_diags_print(diags, least);
	for (size_t i = 0; i < diags->n; i++)
		is_closed |=
		    diags->v[i].level >= least &&
		    str_ends(diags->v[i].text, str_from(strerror(EACCES)));
	if (is_closed && geteuid() != 0)
		cmd_error("only root and the user of posternd may read that: "
			  "use sudo");
}

void
cmd_error(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, (size_t)len * 4 + 1);
	log_escape(b, str_of(text, (size_t)len));
	fprintf(stderr, "postern: %.*s\n", STR_ARG(buf_str(b)));
	arena_free(a);
	free(text);
}

bool
cmd_refuse(const char *option, const char *value, const char *wanted)
{
	struct arena *a = arena_new();
	struct buf *escaped = buf_new(a, 256);
	log_escape(escaped, str_from(value));
	fprintf(stderr, "postern: --%s %.*s: write %s\n", option,
	    STR_ARG(buf_str(escaped)), wanted);
	arena_free(a);
	return false;
}

bool
cmd_number_take(const struct cmd_number *rows, size_t n, int c, void *options,
    bool *ret_good)
{
	double x;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].option != c)
			continue;
		*ret_good = str_double(str_from(optarg), &x) &&
			    x >= rows[i].least && x <= rows[i].most;
		if (*ret_good)
			memcpy((char *)options + rows[i].offset, &x, sizeof(x));
		else
			(void)cmd_refuse(rows[i].name, optarg, rows[i].wanted);
		return true;
	}
	return false;
}

bool
cmd_is_help(const char *argument)
{
	return strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0;
}

int
cmd_end(int code)
{
	return ui_out_end() ? code : CMD_TROUBLE;
}

void
cmd_config_load(struct arena *a, struct config *ret)
{
	struct diags diags = {.arena = a};
	bool is_good = config_read(a, cmd_config_path, ret, &diags);
	cmd_diags_tell(&diags, DIAG_WARNING);
	if (!is_good)
		exit(CMD_TROUBLE);
}

struct str
cmd_own_name(struct arena *a)
{
	char name[256] = "";
	(void)gethostname(name, sizeof(name) - 1);
	return str_dup(a, str_from(name));
}

struct str
cmd_who_may(
    struct arena *a, const struct config *config, struct str path, int want)
{
	bool is_closed = access(str_c(a, path), want) != 0 &&
			 (errno == EACCES || errno == EPERM);
	return is_closed && geteuid() != 0
		   ? str_printf(a,
			 "; only root and the user %.*s may: use sudo",
			 STR_ARG(config->user))
		   : STR_EMPTY;
}

const char *
cmd_login(struct arena *a, const struct config *config, const char *login)
{
	struct str text = str_from(login);
	return strpbrk(login, "*?") != NULL
		   ? login
		   : str_c(a, class_login(a, config, text, cmd_own_name(a)));
}
