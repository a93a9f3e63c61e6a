/* SPDX-License-Identifier: BSD-2-Clause */
/* history_event -- what an operator does to a kept message. */
#include "cmd/history/history_event.h"

#include <pwd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "cmd/control_ask.h"
#include "session/chronicle.h"

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

/* A file that cannot be read says nothing of its message. */
static struct chronicle_event
event_of(struct arena *a, const struct held_entry *e, const char *verb)
{
	const struct held *held = &e->held;
	struct chronicle_event event = {
	    .verb = str_from(verb),
	    .id = held->id,
	    .by = operator_name(a),
	    .sender = STR_EMPTY,
	    .login = STR_EMPTY,
	    .subject = STR_EMPTY,
	};
	if (!e->has_block)
		return event;
	event.sender = held->envelope.from;
	event.login = held->envelope.login;
	event.subject = held->subject;
	event.rcpt = held->envelope.rcpt;
	event.nrcpt = (uint32_t)held->envelope.rcpt.n;
	return event;
}

void
history_event_tell(
    const struct config *config, const struct held_entry *e, const char *verb)
{
	static bool is_deaf;
	if (is_deaf || !held_id_is_valid(e->held.id))
		return;
	struct arena *a = arena_new();
	struct chronicle_event event = event_of(a, e, verb);
	struct str command = str_printf(
	    a, "event %.*s", STR_ARG(chronicle_event_text(a, &event)));
	is_deaf = !control_tell(a, config, str_c(a, command));
	arena_free(a);
}
