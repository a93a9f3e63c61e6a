/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_open -- the log that a command is to read. */
#include "cmd/rulework/mass_open.h"

#include <errno.h>

#include "base/arena.h"
#include "base/file.h"
#include "cmd/cmd.h"

#define LOG_BYTES ((size_t)4 << 30)

static void
say(const char *path, struct str what)
{
	cmd_error("%s: %.*s", path, STR_ARG(what));
}

/* What makes the figures worth less. */
static void
oddities_say(struct arena *a, const char *path, const struct mass *mass)
{
	const struct {
		size_t n;
		const char *what;
	} rows[] = {
	    {mass->broken, "broken lines"},
	    {mass->failed, "messages without a result"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].n > 0)
			say(path, str_printf(a, "not counted: %s, %zu",
				      rows[i].what, rows[i].n));
}

bool
mass_open(struct arena *a, const char *path, struct str hash, struct mass *ret)
{
	struct str text;
	if (!file_text(a, str_from(path), LOG_BYTES, &text)) {
		say(path, str_from(strerror(errno)));
		return false;
	}
	if (!mass_read(a, text, hash, ret)) {
		say(path, hash.len == 0
			      ? STR("it is no log of postern masscheck")
			      : STR("it has no rule set of that hash"));
		return false;
	}
	oddities_say(a, path, ret);
	if (ret->mails.n == 0)
		say(path, STR("it has no message of these rules"));
	return ret->mails.n > 0;
}

struct str
mass_title(struct arena *a, const struct mass *mass)
{
	return str_printf(a, "%zu ham and %zu spam; rules %.*s, %.*s",
	    mass->count[0], mass->count[1], STR_ARG(mass->hash),
	    STR_ARG(mass->date));
}
