/* SPDX-License-Identifier: BSD-2-Clause */
/* history_event -- what an operator does to a kept message. */
#include "cmd/history_event.h"

#include <pwd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "cmd/control_ask.h"
#include "hold/held.h"

/* sudo(8) and doas(1) say whom root stands for. */
static struct str
operator_name(struct arena *a)
{
	static const char *const told[] = {"SUDO_USER", "DOAS_USER"};
	const struct passwd *user = getpwuid(getuid());
	const char *name = user == NULL ? NULL : user->pw_name;
	for (size_t i = 0; getuid() == 0 && i < COUNT_OF(told); i++)
		if (getenv(told[i]) != NULL && getenv(told[i])[0] != '\0')
			name = getenv(told[i]);
	struct buf *b = buf_new(a, 64);
	if (name == NULL)
		buf_printf(b, "uid %u", (unsigned)getuid());
	else
		log_escape(b, str_from(name));
	return buf_str(b);
}

void
history_event_tell(const struct config *config, struct str id, const char *verb)
{
	static bool is_deaf;
	if (is_deaf || config->history_days == 0 || !held_id_is_valid(id))
		return;
	struct arena *a = arena_new();
	struct str command = str_printf(a, "event %s %.*s %.*s", verb,
	    STR_ARG(id), STR_ARG(operator_name(a)));
	is_deaf = !control_tell(a, config, str_c(a, command));
	arena_free(a);
}
