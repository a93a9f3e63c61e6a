/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirector -- where links of known redirectors lead on to (redirector_pattern
 * lines): what the first group of a pattern matches, if it has a dot.
 */
#include "base/arena.h"
#include "mail/uri.h"
#include "rules/list_make.h"
#include "rules/literal.h"
#include "rules/regex.h"

#define PATTERNS_MAX 1000
/*
 * A pattern may read a link once from each of its bytes: so much, in all, is
 * spent on one message.  500 links of 1,000 bytes need it.
 */
#define WORK_MAX ((size_t)500 * 1000 * 1000)

struct redirectors {
	const struct regex_env *env;
	struct regex **v;
	size_t n, cap;
};

/* What finds links of one message. */
struct finder {
	struct redirector base;
	const struct redirectors *all;
	struct regex_scratch *scratch;
	size_t work;
};

static bool
finder_find(struct redirector *base, struct str uri, struct str *ret)
{
	struct finder *f = (struct finder *)base;
	f->work += uri.len * uri.len;
	if (f->work > WORK_MAX)
		return false;
	for (size_t i = 0; i < f->all->n; i++) {
		const struct regex *re = f->all->v[i];
		struct regex_span span;
		if (regex_match(re, f->scratch, uri, 0, false, &span) !=
		    REGEX_YES)
			continue;
		struct str target = regex_group(re, f->scratch, uri, 1);
		if (str_chr(target, '.') == STR_NONE)
			continue;
		*ret = target;
		return true;
	}
	return false;
}

static struct redirector *
finder_new(const struct redirectors *all, struct arena *a)
{
	struct finder *f = ARENA_NEW(a, struct finder);
	f->base.find = finder_find;
	f->all = all;
	f->scratch = regex_scratch_new(a, all->env, NULL, NULL);
	return &f->base;
}

static void
redirector_add(struct ruleset *rules, struct redirectors *all,
    const struct setting_line *line, struct diags *diags)
{
	struct str pattern, why = STR_EMPTY;
	struct regex *re;
	if (all->n >= PATTERNS_MAX) {
		SETTING_ERROR(diags, line, "more than %d redirector_patterns",
		    PATTERNS_MAX);
		return;
	}
	if (!literal_parse(rules->arena, line->value, &pattern, &why) ||
	    regex_new(rules->env, pattern, &re, &why) != REGEX_OK) {
		SETTING_ERROR(
		    diags, line, "redirector_pattern: %.*s", STR_ARG(why));
		return;
	}
	regex_want_group(re, 1);
	regex_speed_up(re);
	ARENA_PUSH(rules->arena, all) = re;
}

void
redirectors_make(struct ruleset *rules, struct diags *diags)
{
	const struct setting_list *lines =
	    &rules->settings.of[SETTING_REDIRECTORS];
	struct redirectors *all = ARENA_NEW(rules->arena, struct redirectors);
	all->env = rules->env;
	for (size_t i = 0; i < lines->n; i++)
		redirector_add(rules, all, &lines->v[i], diags);
	if (all->n == 0)
		return;
	rules->mail.redirectors = all;
	rules->mail.redirector_new = finder_new;
}
