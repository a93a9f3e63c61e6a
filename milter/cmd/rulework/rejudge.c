/* SPDX-License-Identifier: BSD-2-Clause */
/* rejudge -- from recorded hits and other scores to another verdict. */
#include "cmd/rulework/rejudge.h"

#include <math.h>

#include "base/arena.h"
#include "base/table.h"

#define MILLI 1000
#define DEPTH_MAX 1000

enum likeness { LIKE_UNKNOWN, LIKE_BEING_COMPARED, LIKE_SAME, LIKE_CHANGED };

struct compared {
	struct rule_info info;
	struct rule_info old; /* empty name: there was none */
	enum likeness likeness;
};

struct rejudge_rules {
	struct table *by_name; /* struct compared *; the rules of `after` */
	size_t changed;
	/* What the changed ones may add to a score. */
	double least, most;
};

static struct table *
infos_of(struct arena *a, const struct ruleset *rules)
{
	struct table *t = table_new(a, false);
	size_t n = ruleset_counts(rules).rules;
	struct rule_info *infos = ARENA_ARRAY(a, struct rule_info, n);
	for (size_t i = 0; i < n; i++) {
		ruleset_info(rules, i, &infos[i]);
		table_set(t, infos[i].name, &infos[i]);
	}
	return t;
}

static bool
is_live(const struct rule_info *info)
{
	return info->name.len > 0 && info->is_live;
}

/* The next name in the expression of a meta; empty: there is none. */
static struct str
name_cut(struct str *text)
{
	size_t from = 0;
	while (from < text->len && !char_is_word(text->p[from]))
		from++;
	size_t to = from;
	while (to < text->len && char_is_word(text->p[to]))
		to++;
	struct str name = str_sub(*text, from, to - from);
	*text = str_skip(*text, to);
	return name;
}

static bool is_same(
    const struct rejudge_rules *rules, struct compared *c, unsigned depth);

/* All that it names is what it was; numbers and functions name nothing. */
static bool
needs_same(
    const struct rejudge_rules *rules, const struct compared *c, unsigned depth)
{
	struct str text = c->info.text;
	for (struct str name = name_cut(&text); name.len > 0;
	     name = name_cut(&text)) {
		struct compared *needed = table_get(rules->by_name, name);
		if (needed != NULL && !is_same(rules, needed, depth + 1))
			return false;
	}
	return true;
}

/* A meta that needs others too deep to follow counts as changed. */
static bool
is_same(const struct rejudge_rules *rules, struct compared *c, unsigned depth)
{
	if (c->likeness != LIKE_UNKNOWN)
		return c->likeness != LIKE_CHANGED;
	c->likeness = LIKE_BEING_COMPARED;
	bool is_good = c->old.name.len > 0 &&
		       is_live(&c->old) == is_live(&c->info) &&
		       str_eq(c->old.type, c->info.type) &&
		       str_eq(c->old.text, c->info.text) &&
		       str_eq(c->old.tflags, c->info.tflags) &&
		       (!str_eq(c->info.type, STR("meta")) ||
			   (depth < DEPTH_MAX && needs_same(rules, c, depth)));
	c->likeness = is_good ? LIKE_SAME : LIKE_CHANGED;
	return is_good;
}

static bool
has_word(struct str text, struct str word)
{
	for (struct str w = str_word(&text); w.len > 0; w = str_word(&text))
		if (str_eq(w, word))
			return true;
	return false;
}

/* What a changed rule may add: any number of hits if it may have several. */
static void
change_count(struct rejudge_rules *rules, const struct rule_info *info)
{
	double most = has_word(info->tflags, STR("multiple"))
			  ? copysign(INFINITY, info->score)
			  : info->score;
	rules->changed++;
	if (most > 0)
		rules->most += most;
	else
		rules->least += most;
}

struct rejudge_rules *
rejudge_rules_new(
    struct arena *a, const struct ruleset *before, const struct ruleset *after)
{
	struct rejudge_rules *rules = ARENA_NEW(a, struct rejudge_rules);
	struct table *old = infos_of(a, before), *fresh = infos_of(a, after);
	rules->by_name = table_new(a, false);
	for (size_t i = 0; i < fresh->n; i++) {
		struct compared *c = ARENA_NEW(a, struct compared);
		const struct rule_info *was = table_get(old, fresh->v[i].key);
		c->info = *(const struct rule_info *)fresh->v[i].value;
		c->old.name = STR_EMPTY;
		if (was != NULL)
			c->old = *was;
		table_set(rules->by_name, c->info.name, c);
	}
	for (size_t i = 0; i < rules->by_name->n; i++) {
		struct compared *c = rules->by_name->v[i].value;
		if (!is_same(rules, c, 0) && c->info.is_live && !c->info.is_sub)
			change_count(rules, &c->info);
	}
	return rules;
}

size_t
rejudge_changed(const struct rejudge_rules *rules)
{
	return rules->changed;
}

double
rejudge_score(const struct rejudge_rules *rules, struct str rule)
{
	const struct compared *c = table_get(rules->by_name, rule);
	return c == NULL || !c->info.is_live || c->info.is_sub ? 0
							       : c->info.score;
}

/* --- one message ---------------------------------------------------------- */

static enum action
action_parse(struct str text)
{
	for (int i = 0; i < ACTION_COUNT; i++)
		if (str_eq(text, action_name((enum action)i)))
			return (enum action)i;
	return ACTION_COUNT;
}

enum action
rejudge_was(const struct history_entry *entry)
{
	struct str would = entry->text[HISTORY_WOULD];
	return action_parse(
	    would.len > 0 ? would : entry->text[HISTORY_ACTION]);
}

/* Reasons that are no ruling on a notice. */
static bool
is_plain_reason(struct str reason)
{
	static const char *const reasons[] = {
	    "", "score", "timeout", "error", "header"};
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (str_eq(reason, str_from(reasons[i])))
			return true;
	return false;
}

/* What the notice gate must have said. */
static enum notice_permit
permit_of(const struct history_entry *entry)
{
	enum action was = rejudge_was(entry);
	if (was == ACTION_DISCARD)
		return PERMIT_DISCARD;
	return was == ACTION_HOLD &&
		       !is_plain_reason(entry->text[HISTORY_REASON])
		   ? PERMIT_HOLD
		   : PERMIT_PASS;
}

/* NULL: its hits are all that there were. */
static const char *
hits_missing(const struct history_entry *entry)
{
	struct str reason = entry->text[HISTORY_REASON];
	if ((entry->flags & HISTORY_IS_SCANNED) == 0)
		return "no rules were run over it";
	if (str_eq(reason, STR("timeout")) || str_eq(reason, STR("error")))
		return "its rules did not end";
	if (entry->nhits_all > entry->nhits)
		return "not all of its hits are kept";
	return NULL;
}

/* Of the rules that are the same. */
static double
score_of(const struct rejudge_rules *rules, const struct history_entry *entry)
{
	double score = 0;
	for (size_t i = 0; i < entry->nhits; i++) {
		const struct mail_hit *hit = &entry->hits[i];
		const struct compared *c = table_get(rules->by_name, hit->rule);
		if (c != NULL && c->likeness == LIKE_SAME)
			score += hit->count * rejudge_score(rules, hit->rule);
	}
	return round(score * MILLI) / MILLI;
}

static bool
was_gate_asked(const struct config *before, const struct config *after,
    const struct history_entry *entry)
{
	bool is_notice = entry->text[HISTORY_ORIGIN].len > 0;
	return !is_notice || !after->has_notice_gate || before->has_notice_gate;
}

void
rejudge_entry(const struct rejudge_rules *rules, const struct config *before,
    const struct config *after, const struct history_entry *entry,
    struct rejudge *ret)
{
	*ret = (struct rejudge){
	    .action = rejudge_was(entry), .score = entry->score};
	bool is_passed =
	    (entry->flags & (HISTORY_IS_RELEASED | HISTORY_IS_LETTER)) != 0 ||
	    entry->class == CLASS_INBOUND;
	if (is_passed || ret->action == ACTION_COUNT)
		return;
	struct verdict_input input = {
	    .class = entry->class,
	    .can_refuse = (entry->flags & HISTORY_CAN_REFUSE) != 0,
	    .is_hostile = str_eq(entry->text[HISTORY_REASON], STR("header")),
	    .permit = after->has_notice_gate ? permit_of(entry) : PERMIT_PASS,
	    .permit_reason = "",
	};
	bool wants_rules =
	    after->class[entry->class].is_filtered && !input.is_hostile;
	if (!was_gate_asked(before, after, entry))
		ret->why = "its origin was not ruled on";
	else if (wants_rules)
		ret->why = hits_missing(entry);
	if (ret->why != NULL)
		return;
	ret->score = wants_rules ? score_of(rules, entry) : 0;
	input.score = ret->score + rules->least;
	struct verdict low = verdict_of(after, &input);
	input.score = ret->score + rules->most;
	struct verdict high = verdict_of(after, &input);
	if (low.would == high.would)
		ret->action = low.would;
	else
		ret->why = "rules that are new or changed decide it";
}
