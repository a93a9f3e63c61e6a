/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_subject_list -- does the Subject have a text that the rule files list?
 */
#include "base/arena.h"
#include "rules/eval_rows.h"
#include "rules/glob.h"
#include "rules/list_make.h"

/* Patterns "*text*" in lower case. */
struct subject_lists {
	struct globs *welcome, *block;
};

const struct subject_lists *
subject_lists_new(struct ruleset *rules, struct diags *diags)
{
	struct arena *a = rules->arena;
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_SUBJECTS];
	struct subject_lists *lists = ARENA_NEW(a, struct subject_lists);
	lists->welcome = globs_new(a);
	lists->block = globs_new(a);
	for (size_t i = 0; i < lines->n; i++) {
		const struct setting_line *line = &lines->v[i];
		bool is_block = str_eq(line->name, STR("blocklist_subject"));
		if (line->value.len == 0) {
			SETTING_ERROR(diags, line, "write: %.*s text",
			    STR_ARG(line->name));
			continue;
		}
		struct str text = str_lower(a, line->value);
		globs_add(is_block ? lists->block : lists->welcome,
		    str_printf(a, "*%.*s*", STR_ARG(text)), lists);
	}
	return lists;
}

/* Line by line, for a pattern does not go over a line end. */
static int
subject_in(struct eval_call *call, const struct globs *list)
{
	struct str subject = eval_get_text(call, STR("Subject"));
	struct str rest = str_lower(call->message->arena, subject);
	while (rest.len > 0)
		if (globs_match(list, str_line(&rest)))
			return eval_hit(call, subject);
	return 0;
}

static int
check_subject_in_welcomelist(struct eval_call *call)
{
	return subject_in(call, call->lists->subjects->welcome);
}

static int
check_subject_in_blocklist(struct eval_call *call)
{
	return subject_in(call, call->lists->subjects->block);
}

#define SUBJECT(name, help, function)                                    \
	{                                                                \
		name, 0, 0, "", NEED_HEADER, help, "WelcomeListSubject", \
		    function                                             \
	}

const struct eval_row EVAL_SUBJECT_LIST[] = {
    SUBJECT("check_subject_in_welcomelist",
	"the Subject has a text of welcomelist_subject",
	check_subject_in_welcomelist),
    SUBJECT("check_subject_in_whitelist", "the same by its old name",
	check_subject_in_welcomelist),
    SUBJECT("check_subject_in_blocklist",
	"the Subject has a text of blocklist_subject",
	check_subject_in_blocklist),
    SUBJECT("check_subject_in_blacklist", "the same by its old name",
	check_subject_in_blocklist),
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
