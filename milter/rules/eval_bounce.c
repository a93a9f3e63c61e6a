/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_bounce -- does a bounce quote a Received field of one of our own hosts
 * (welcomelist_bounce_relays)?
 */
#include "base/arena.h"
#include "base/buf.h"
#include "rules/eval_rows.h"
#include "rules/glob.h"
#include "rules/list_make.h"

struct bounce_relays {
	struct globs *hosts;
	bool is_empty;
};

/* What one message says of them, asked under two names. */
struct bounce_facts {
	bool has_relay;
	struct str relay;
};

const struct bounce_relays *
bounce_relays_new(struct ruleset *rules, struct diags *diags)
{
	struct arena *a = rules->arena;
	const struct setting_list *lines = &rules->settings.of[SETTING_BOUNCE];
	struct bounce_relays *relays = ARENA_NEW(a, struct bounce_relays);
	relays->hosts = globs_new(a);
	relays->is_empty = true;
	for (size_t i = 0; i < lines->n; i++) {
		const struct setting_line *line = &lines->v[i];
		struct str rest = line->value;
		if (rest.len == 0)
			SETTING_ERROR(diags, line, "write: %.*s host ...",
			    STR_ARG(line->name));
		else
			for (struct str word; (word = str_word(&rest)).len > 0;
			     relays->is_empty = false)
				globs_add(
				    relays->hosts, str_lower(a, word), relays);
	}
	return relays;
}

static int
have_any_bounce_relays(struct eval_call *call)
{
	return !call->lists->bounce_relays->is_empty;
}

/* "> > Received:"; `*quoted` marks are known, so as not to count again. */
static bool
is_received(struct str line, size_t *quoted)
{
	size_t i = *quoted;
	while (i < line.len && (line.p[i] == '>' || line.p[i] == ' '))
		i++;
	*quoted = i;
	return str_istarts(str_skip(line, i), STR("Received:"));
}

static bool
is_dotted(struct str word)
{
	for (size_t i = 1; i + 1 < word.len; i++)
		if (word.p[i] == '.')
			return true;
	return false;
}

/*
 * Words with a dot and a blank on both sides, from `*from` on; the blank
 * behind one is not the blank before another.  `only_space`: no other blanks.
 */
static bool
find_relay(struct eval_call *call, struct str text, bool only_space,
    size_t *from, struct str *ret)
{
	const struct globs *hosts = call->lists->bounce_relays->hosts;
	size_t i = *from;
	while (i < text.len) {
		if (only_space ? text.p[i] != ' ' : !char_is_space(text.p[i])) {
			i++;
			continue;
		}
		size_t end = i + 1;
		while (end < text.len && !char_is_space(text.p[end]))
			end++;
		if (end == text.len)
			break; /* more may follow */
		struct str word = str_sub(text, i + 1, end - i - 1);
		bool is_word =
		    is_dotted(word) && (!only_space || text.p[end] == ' ');
		i = is_word ? end + 1 : end;
		if (!is_word)
			continue;
		*ret = str_lower(call->message->arena, word);
		if (globs_match(hosts, *ret))
			return true;
	}
	*from = i;
	return false;
}

static bool
text_has_relay(struct eval_call *call, struct str *ret)
{
	const struct strs *body = message_body_seen(call->message);
	for (size_t i = 0; i < body->n; i++) {
		size_t from = 0, quoted = 0;
		if (is_received(body->v[i], &quoted) &&
		    find_relay(call, body->v[i], true, &from, ret))
			return true;
	}
	return false;
}

/* Fields in the body as it came, folds taken out. */
static bool
source_has_relay(struct eval_call *call, struct str *ret)
{
	struct str rest = call->message->body_block;
	if (str_ifind(rest, STR("Received:")) == STR_NONE)
		return false;
	struct buf *field = buf_new(call->message->arena, rest.len);
	bool has_begun = false;
	size_t from = 0, quoted = 0;
	while (rest.len > 0) {
		struct str line = str_line(&rest);
		size_t start = 0;
		has_begun = has_begun || is_received(line, &start);
		if (!has_begun)
			continue;
		if (line.len == 0 || !char_is_space(line.p[0]))
			field->len = from = quoted = 0;
		buf_put(field, line);
		if (is_received(buf_str(field), &quoted) &&
		    find_relay(call, buf_str(field), false, &from, ret))
			return true;
	}
	return false;
}

static int
check_welcomelist_bounce_relays(struct eval_call *call)
{
	if (!have_any_bounce_relays(call))
		return 0;
	struct bounce_facts *facts = call->cache->bounce;
	if (facts == NULL) {
		facts = ARENA_NEW(call->message->arena, struct bounce_facts);
		call->cache->bounce = facts;
		facts->has_relay = text_has_relay(call, &facts->relay) ||
				   source_has_relay(call, &facts->relay);
	}
	return facts->has_relay ? eval_hit(call, facts->relay) : 0;
}

#define BOUNCE(name, needs, help, function)                      \
	{                                                        \
		name, 0, 0, "", needs, help, "VBounce", function \
	}

const struct eval_row EVAL_BOUNCE[] = {
    BOUNCE("have_any_bounce_relays", NEED_NOTHING,
	"the rule files have welcomelist_bounce_relays",
	have_any_bounce_relays),
    BOUNCE("check_welcomelist_bounce_relays", NEED_BODY | NEED_SOURCE,
	"a quoted Received field names one of welcomelist_bounce_relays",
	check_welcomelist_bounce_relays),
    BOUNCE("check_whitelist_bounce_relays", NEED_BODY | NEED_SOURCE,
	"the same by its old name", check_welcomelist_bounce_relays),
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
