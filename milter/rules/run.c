/* SPDX-License-Identifier: BSD-2-Clause */
/* run -- rules over one message: view after view, then the metas. */
#include <math.h>

#include "base/arena.h"
#include "base/bits.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/uri.h"
#include "rules/capture.h"
#include "rules/demand.h"
#include "rules/eval.h"
#include "rules/eval_rows.h"
#include "rules/expr.h"
#include "rules/heads.h"
#include "rules/look.h"
#include "rules/prefilter.h"
#include "rules/regex.h"
#include "rules/rule.h"
#include "rules/stretch.h"

#define EVIDENCE_BYTES 200
#define CONTEXT_BYTES 30
#define MIMEHEADER_HITS 1000
/* A filled in pattern longer than this is worth machine code. */
#define FILLED_SLOW_BYTES 1000

/* A rule that hit. */
struct found {
	const struct rule *rule;
	double score; /* of one hit */
	unsigned count;
	struct str evidence;
};

/* Of the prefilter over one view. */
struct pass {
	bool is_done;
	unsigned body_changes;    /* of the body that it was made over */
	struct candidates *found; /* NULL: every regex tries every string */
};

struct run {
	const struct ruleset *rules;
	struct message *m;
	struct arena *a;
	const struct rule_run *options;
	struct rule_result *result;
	struct regex_scratch *scratch;
	struct eval_cache cache;
	double *values;          /* by rule id */
	bool *is_undecided;      /* by rule id: the budget ended before it */
	uint8_t *done;           /* by rule id: see struct rest */
	uint8_t done_now;        /* what a rule that is done now is */
	uint64_t *open;          /* by place in the plan: metas to look at */
	const struct plan *plan; /* NULL: one rule is run, not a plan */
	int64_t aside_ns;        /* spent in a rule for the sake of many */
	double score;            /* so far */
	bool is_short;           /* a rule has decided: the rest is not run */
	struct tags *tags;       /* NULL: no rule has asked for one yet */
	/* Regexes with tags filled in, by pattern: for bytes, for characters.
	 */
	struct table *made[2];
	const struct looks *looks; /* NULL: not made yet */
	/* By factors, and by shapes; a rule is in one of them at most. */
	struct {
		const struct filter *filter; /* NULL: not made yet */
		struct pass *pass;           /* by view */
	} filters[FILTERS];
	struct strs *parts; /* by view from part_views on; NULL: none made */
	const struct demand *demand; /* NULL: not made yet */
	struct needs *needs;         /* NULL: every rule is tried */
	struct {
		struct found *v;
		size_t n, cap;
	} found;
};

/* What one rule has found so far. */
struct tally {
	const struct rule *rule;
	const struct regex *regex;
	bool is_unicode; /* it is for characters, see regex_for() */
	unsigned count;
	unsigned most; /* enough */
	bool has_trouble;
	struct captured captured;
	struct str evidence;
};

struct run *
run_new(const struct ruleset *rules, struct message *m,
    const struct rule_run *options, struct rule_result *result)
{
	struct run *run = ARENA_NEW(m->arena, struct run);
	run->rules = rules;
	run->m = m;
	run->a = m->arena;
	run->options = options;
	run->result = result;
	run->scratch = regex_scratch_new(
	    m->arena, rules->env, options->is_expired, options->arg);
	run->demand = rules->demand; /* the last that is made, so first */
	run->looks = rules->looks;
	run->filters[0].filter = rules->filter;
	if (run->looks != NULL)
		run->filters[1].filter = run->looks->shapes;
	for (size_t i = 0; i < FILTERS; i++)
		if (run->filters[i].filter != NULL)
			run->filters[i].pass = ARENA_ARRAY(
			    m->arena, struct pass, run->filters[i].filter->n);
	run->values = ARENA_ARRAY(m->arena, double, rules->rules.n);
	run->is_undecided = ARENA_ARRAY(m->arena, bool, rules->rules.n);
	*result = (struct rule_result){0};
	return run;
}

static int64_t
cost_begin(const struct run *run)
{
	return run->options->costs == NULL ? 0
					   : run->options->costs->clock_ns();
}

/* What was begun at `start` was for `rule`, apart from what is for many. */
static void
cost_end(struct run *run, const struct rule *rule, int64_t start)
{
	struct rule_costs *costs = run->options->costs;
	if (costs == NULL)
		return;
	int64_t ns = costs->clock_ns() - start - run->aside_ns;
	run->aside_ns = 0;
	costs->v[rule->id].ns += ns > 0 ? (uint64_t)ns : 0;
	costs->v[rule->id].hits += run->values[rule->id] != 0;
}

/* It was for all rules of `view`: to make it, or a pass over it. */
static void
cost_aside(struct run *run, size_t view, bool is_pass, int64_t start)
{
	struct rule_costs *costs = run->options->costs;
	if (costs == NULL)
		return;
	int64_t ns = costs->clock_ns() - start;
	size_t kind = view < FILTER_HEADER ? view : FILTER_HEADER;
	size_t i = run->rules->rules.n + 2 * kind + is_pass;
	costs->v[i].ns += (uint64_t)ns;
	run->aside_ns += ns;
}

static struct rule_cost
cost_of_rule(const struct rule *rule)
{
	return (struct rule_cost){
	    .rule = rule->name,
	    .type = rule_type_name(rule->type),
	    .file = rule->place.file,
	    .line = rule->place.line,
	    .has_regex = rule->regex != NULL,
	};
}

struct rule_costs *
rule_costs_new(
    struct arena *a, const struct ruleset *rules, int64_t (*clock_ns)(void))
{
	static const char *const kinds[2] = {"view", "prefilter"};
	static const char *const asides[FILTER_HEADER + 1][2] = {
	    [FILTER_HEADER] = {"<header values>", "<header prefilter>"},
	    [FILTER_BODY] = {"<body text>", "<body prefilter>"},
	    [FILTER_RAWBODY] = {"<rawbody text>", "<rawbody prefilter>"},
	    [FILTER_URI] = {"<links>", "<uri prefilter>"},
	    [FILTER_FULL] = {"<full text>", "<full prefilter>"},
	};
	struct rule_costs *costs = ARENA_NEW(a, struct rule_costs);
	size_t n = rules->rules.n;
	costs->clock_ns = clock_ns;
	costs->n = n + 2 * (FILTER_HEADER + 1);
	costs->v = ARENA_ARRAY(a, struct rule_cost, costs->n);
	for (size_t i = 0; i < n; i++)
		costs->v[i] = cost_of_rule(rules->rules.v[i]);
	for (size_t i = n; i < costs->n; i++)
		costs->v[i] = (struct rule_cost){
		    .rule = str_from(asides[(i - n) / 2][(i - n) % 2]),
		    .type = str_from(kinds[(i - n) % 2]),
		    .file = STR_EMPTY,
		};
	return costs;
}

void
rule_costs_clear(struct rule_costs *costs)
{
	for (size_t i = 0; i < costs->n; i++)
		costs->v[i].ns = costs->v[i].strings = costs->v[i].hits = 0;
}

void
rule_costs_add(struct rule_costs *costs, const struct rule_costs *more)
{
	for (size_t i = 0; i < costs->n; i++) {
		costs->v[i].ns += more->v[i].ns;
		costs->v[i].strings += more->v[i].strings;
		costs->v[i].hits += more->v[i].hits;
	}
}

double
run_value(const struct run *run, const struct rule *rule)
{
	return run->values[rule->id];
}

/* Look at the metas of `users` that need `rule`. */
static void
open_users(struct run *run, const struct users *users, const struct rule *rule)
{
	for (size_t i = users->from[rule->id]; i < users->from[rule->id + 1];
	     i++) {
		uint32_t place = users->places[i];
		if (bits_add(run->open, place))
			run->done[run->plan->metas.v[place]->id] = 0;
	}
}

static void
rule_done(struct run *run, const struct rule *rule)
{
	bool is_at_rest = run->values[rule->id] == 0 &&
			  rule->type != RULE_META && rule->tag.len == 0;
	if (run->plan == NULL || is_at_rest)
		return;
	const struct rest *rest = &run->plan->rest;
	run->done[rule->id] = run->done_now;
	if (run->done_now != rest->done[rule->id])
		open_users(run, &rest->all, rule);
	else if (run->values[rule->id] != rest->values[rule->id])
		open_users(run, &rest->watchers, rule);
}

static void
trouble_add(
    struct run *run, const struct rule *rule, enum rule_trouble_kind kind)
{
	ARENA_PUSH(run->a, &run->result->troubles) =
	    (struct rule_trouble){rule->name, kind};
}

static void
undecided(struct run *run, const struct rule *rule)
{
	run->is_undecided[rule->id] = true;
	if (run->plan != NULL) {
		run->done[rule->id] = run->done_now;
		open_users(run, &run->plan->rest.all, rule);
	}
	trouble_add(run, rule, TROUBLE_TIME_BUDGET);
}

static bool
is_out_of_time(struct run *run)
{
	if (!run->result->is_out_of_time && run->options->is_expired != NULL)
		run->result->is_out_of_time =
		    run->options->is_expired(run->options->arg);
	return run->result->is_out_of_time;
}

/* A view has been made: was there time for all of it? */
static bool
is_view_cut(struct run *run)
{
	run->result->is_out_of_time |= run->m->effort.is_over;
	return run->result->is_out_of_time;
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes from..to of `text` with a little around them, no half characters. */
static struct str
excerpt(struct str text, struct regex_span span)
{
	size_t from = span.from > CONTEXT_BYTES ? span.from - CONTEXT_BYTES : 0;
	size_t to = text.len - span.to > CONTEXT_BYTES ? span.to + CONTEXT_BYTES
						       : text.len;
	while (from < span.from && is_continuation(text.p[from]))
		from++;
	while (to > span.to && to < text.len && is_continuation(text.p[to]))
		to--;
	return str_trim(str_sub(text, from, to - from));
}

/* `label`: `text`, cut. */
static struct str
evidence_of(struct run *run, struct str label, struct str text)
{
	size_t room = EVIDENCE_BYTES - (label.len > 0 ? label.len + 2 : 0);
	if (label.len > EVIDENCE_BYTES / 2)
		return STR_EMPTY;
	text = str_sub(text, 0, room);
	text = str_sub(text, 0, str_chr(text, '\0'));
	return str_concat(
	    run->a, label, label.len > 0 ? STR(": ") : STR_EMPTY, text);
}

static bool
is_shown(const struct run *run, const struct rule *rule)
{
	return run->options->wants_subs || !rule_is_sub(rule);
}

static struct tags *
run_tags(struct run *run)
{
	if (run->tags == NULL)
		run->tags = tags_new(run->m);
	return run->tags;
}

/*
 * The regex of `rule` for this message, and for strings that are characters if
 * `is_unicode`; NULL: a tag in it has no value, so the rule is not run.
 */
static const struct regex *
regex_for(struct run *run, const struct rule *rule, bool is_unicode)
{
	if (rule->tag.len == 0)
		return is_unicode && rule->unicode != NULL ? rule->unicode
							   : rule->regex;
	struct str pattern, why;
	if (!tags_fill(run_tags(run), rule->pattern, rule->tag, &pattern))
		return NULL;
	if (run->made[is_unicode] == NULL)
		run->made[is_unicode] = table_new(run->a, false);
	struct table *made = run->made[is_unicode];
	struct regex *regex = table_get(made, pattern);
	if (regex == NULL && regex_new_in(run->a, run->rules->env, pattern,
				 is_unicode, &regex, &why) == REGEX_OK) {
		/* Many values are tried one after the other at each place. */
		if (pattern.len > FILLED_SLOW_BYTES)
			regex_speed_up(regex);
		table_set(made, pattern, regex);
	}
	return regex;
}

static struct tally
tally_new(const struct rule *rule)
{
	unsigned most = 1;
	if (rule->flags.is_multiple)
		most =
		    rule->flags.maxhits > 0 ? rule->flags.maxhits : UINT32_MAX;
	return (struct tally){
	    .rule = rule,
	    .regex = rule->regex,
	    .most = most,
	};
}

static void
tally_hit(struct run *run, struct tally *t, struct str label, struct str text)
{
	if (t->count++ == 0 && is_shown(run, t->rule))
		t->evidence = evidence_of(run, label, text);
}

/* End the run; SHORTCIRCUIT says so, with `score`. */
static void
run_shorten(struct run *run, double score)
{
	if (!run->is_short && score != 0)
		ARENA_PUSH(run->a, &run->found) = (struct found){
		    run->rules->shortcuts.rule, score, 1, STR_EMPTY};
	if (!run->is_short)
		run->score += score;
	run->is_short = true;
}

/* A rule has hit, `before` is the score without its last hit. */
static void
run_check_shortcuts(struct run *run, const struct rule *rule, double before)
{
	const struct shortcuts *s = &run->rules->shortcuts;
	if (run->is_short)
		return;
	if ((s->has_min_ham && before < s->min_ham) ||
	    (s->has_max_spam && before > s->max_spam))
		run_shorten(run, before < 0 ? -0.001 : 0.001);
	switch (rule->shortcut) {
	case SHORTCUT_OFF:
		break;
	case SHORTCUT_ON:
		run_shorten(run, rule->score < 0 ? -0.0001 : 0.0001);
		break;
	case SHORTCUT_HAM:
		run_shorten(run, s->ham_score);
		break;
	case SHORTCUT_SPAM:
		run_shorten(run, s->spam_score);
		break;
	}
}

/* The rule is done: note what it found. */
static void
tally_close(struct run *run, const struct tally *t, double value)
{
	if (t->captured.n > 0)
		tags_set(run_tags(run), &t->captured);
	if (t->count > 0)
		run->values[t->rule->id] = value;
	rule_done(run, t->rule);
	if (t->count == 0)
		return;
	double score = rule_is_sub(t->rule) ? 0 : t->rule->score;
	ARENA_PUSH(run->a, &run->found) =
	    (struct found){t->rule, score, t->count, t->evidence};
	if (run->rules->shortcuts.is_used)
		run_check_shortcuts(
		    run, t->rule, run->score + (t->count - 1) * score);
	run->score += t->count * score;
}

/* `regex` gave up on a string: it counts as no match there. */
static void
tally_trouble(struct run *run, struct tally *t, enum regex_result result)
{
	if (t->has_trouble)
		return;
	t->has_trouble = true;
	trouble_add(run, t->rule,
	    result == REGEX_STACK ? TROUBLE_JIT_STACK : TROUBLE_MATCH_LIMIT);
}

/* A quick look before a regex is tried. */
static bool
may_match(const struct run *run, const struct rule *rule, struct str text)
{
	if (run->looks == NULL)
		return true;
	const struct rule_looks *looks = &run->looks->v[rule->id];
	return (looks->stretch == NULL ||
		   stretch_is_in(looks->stretch, text)) &&
	       (looks->look == NULL || look_may_match(looks->look, text));
}

/* Where the matches of a rule are looked for in one string. */
struct search {
	struct str label, text;
	const struct starts *starts; /* NULL: it may begin anywhere */
	size_t from;   /* the next match begins here or later; SIZE_MAX: the
			  regex has given up */
	bool is_again; /* ... and is not an empty one just here */
};

/* A match of the rule's regex that begins in `places`, the next ones. */
static enum regex_result
match_at(struct run *run, const struct tally *t, const struct search *search,
    struct places places, struct regex_span *ret)
{
	if (!starts_are_match(search->starts, search->text, places.first))
		return regex_match_within(t->regex, run->scratch, search->text,
		    places.first, places.last, search->is_again, ret);
	*ret = (struct regex_span){places.first, places.first + 1};
	return REGEX_YES;
}

/* Matches that are only counted. */
static void
match_count(struct tally *t, struct search *search, size_t until)
{
	size_t from = search->from;
	if (t->count == 0 || t->count == t->most)
		return;
	t->count += (unsigned)starts_count(search->starts, search->text,
	    &search->from, until, t->most - t->count);
	search->is_again = search->is_again && search->from == from;
}

/*
 * The matches of a rule that begin before or at byte `until`.  False: enough,
 * or out of time.
 */
static bool
match_until(
    struct run *run, struct tally *t, struct search *search, size_t until)
{
	struct regex_span span;
	struct str text = search->text;
	struct places places;
	while (t->count < t->most && starts_next(search->starts, text,
					 search->from, until, &places)) {
		search->is_again =
		    search->is_again && places.first == search->from;
		search->from = places.first;
		enum regex_result result =
		    match_at(run, t, search, places, &span);
		if (result == REGEX_EXPIRED) {
			run->result->is_out_of_time = true;
			return false;
		}
		if (result == REGEX_LIMIT || result == REGEX_STACK) {
			tally_trouble(run, t, result);
			search->from = SIZE_MAX;
		}
		if (result == REGEX_NO) {
			search->from = places.last + 1;
			search->is_again = false;
			continue;
		}
		if (result != REGEX_YES || span.to < search->from)
			return true;
		if (regex_capture_count(t->regex) > 0)
			captured_add(run_tags(run), &t->captured, t->regex,
			    run->scratch, text);
		tally_hit(run, t, search->label,
		    t->count == 0 ? excerpt(text, span) : STR_EMPTY);
		search->is_again = span.to == span.from;
		search->from = span.to;
		match_count(t, search, until);
	}
	return t->count < t->most;
}

/*
 * Begin to look at `text` by the rule's regex.  False: a quick look says that
 * it does not match.
 */
static bool
search_begin(struct run *run, const struct tally *t, struct str text,
    struct search *search)
{
	search->text = text;
	search->starts = NULL;
	search->from = 0;
	search->is_again = false;
	regex_next_text(run->scratch);
	if (!t->is_unicode && !may_match(run, t->rule, text))
		return false;
	if (!t->is_unicode && run->looks != NULL)
		search->starts = run->looks->v[t->rule->id].starts;
	if (run->options->costs != NULL)
		run->options->costs->v[t->rule->id].strings++;
	return true;
}

/* All matches of a rule in one string.  False: enough, or out of time. */
static bool
match_string(
    struct run *run, struct tally *t, struct str label, struct str text)
{
	struct search search = {.label = label};
	return !search_begin(run, t, text, &search) ||
	       match_until(run, t, &search, text.len);
}

/* All matches of a rule in what a pass has left. */
static void
match_places(struct run *run, struct tally *t, struct str label,
    const struct candidates *candidates, struct candidate_cursor cursor,
    const struct strs *strings, size_t first)
{
	struct candidate_place place;
	struct search search = {.label = label};
	size_t string = SIZE_MAX;
	bool is_begun = false, is_more = true;
	while (is_more && candidates_next(candidates, &cursor, &place)) {
		if (place.string < first)
			continue;
		if (place.string != string) {
			string = place.string;
			is_begun =
			    search_begin(run, t, strings->v[string], &search);
		}
		if (search.from < place.from) {
			search.from = place.from;
			search.is_again = false;
		}
		is_more =
		    !is_begun || match_until(run, t, &search, place.until);
	}
}

/* "maxhits=0" ends a loop that asks for it behind a hit. */
static bool
is_maxhits_zero(const struct rule *rule)
{
	return rule->flags.is_multiple && rule->flags.has_maxhits &&
	       rule->flags.maxhits == 0;
}

static struct candidates *
pass_get(struct run *run, struct pass *pass, const struct prefilter *prefilter,
    size_t view, const struct strs *strings)
{
	unsigned changes = view == FILTER_BODY ? run->m->body_changes : 0;
	if (pass->is_done && pass->body_changes == changes)
		return pass->found;
	int64_t start = cost_begin(run);
	pass->is_done = true;
	pass->body_changes = changes;
	pass->found = prefilter_pass(prefilter, run->a, strings,
	    run->options->is_expired, run->options->arg);
	cost_aside(run, view, true, start);
	return pass->found;
}

/*
 * What a pass over `strings` has left for `rule`; NULL: it must be tried on all
 * of them.
 */
static const struct candidates *
run_pass(struct run *run, size_t view, const struct rule *rule,
    const struct strs *strings, struct candidate_cursor *ret)
{
	for (size_t i = 0; i < FILTERS && view != FILTER_NONE; i++) {
		const struct filter *filter = run->filters[i].filter;
		if (filter == NULL || filter->view[view] == NULL ||
		    filter->slots[rule->id] == PREFILTER_NONE)
			continue;
		const struct candidates *found =
		    pass_get(run, &run->filters[i].pass[view],
			filter->view[view], view, strings);
		if (found != NULL)
			*ret = candidates_begin(found, filter->slots[rule->id]);
		return found;
	}
	return NULL;
}

/*
 * What the prefilters have left for `rule`; NULL: all strings.  Values so long
 * that the regex may be refused are filled in first.
 */
static const struct candidates *
run_candidates(struct run *run, size_t view, const struct rule *rule,
    const struct strs *strings, struct candidate_cursor *ret)
{
	if (rule->tag.len > 0 &&
	    tags_bytes(run_tags(run), rule->tag) > FILLED_SLOW_BYTES)
		return NULL;
	return run_pass(run, view, rule, strings, ret);
}

/*
 * A look before the regex is made: can it match one of the strings from `first`
 * on, or those of them that a pass has left?  What is longer may be refused
 * when it is filled in, and characters fold in more ways.
 */
static bool
may_match_tag(struct run *run, const struct tally *t,
    const struct candidates *candidates, struct candidate_cursor cursor,
    const struct strs *strings, size_t first)
{
	const struct rule *rule = t->rule;
	struct candidate_place place = {.string = SIZE_MAX};
	if (!rule->needs_tag || t->is_unicode ||
	    tags_bytes(run_tags(run), rule->tag) > FILLED_SLOW_BYTES)
		return true;
	for (size_t i = first; candidates == NULL && i < strings->n; i++)
		if (tags_may_be_in(run_tags(run), rule->tag, strings->v[i]))
			return true;
	size_t string = SIZE_MAX;
	while (candidates != NULL &&
	       candidates_next(candidates, &cursor, &place)) {
		if (place.string < first || place.string == string)
			continue;
		string = place.string;
		if (tags_may_be_in(
			run_tags(run), rule->tag, strings->v[string]))
			return true;
	}
	return false;
}

/*
 * False: a tag of the rule has no value.  `view` is what `strings` are;
 * FILTER_NONE: something else.
 */
static bool
match_list(struct run *run, struct tally *t, size_t view,
    const struct strs *strings, size_t first)
{
	struct candidate_cursor cursor = {0};
	struct candidate_place unused;
	const struct rule *rule = t->rule;
	if (rule->tag.len > 0 && tags_bytes(run_tags(run), rule->tag) == 0)
		return false;
	(void)is_view_cut(run);
	const struct candidates *candidates =
	    run_candidates(run, view, rule, strings, &cursor);
	struct candidate_cursor ahead = cursor;
	if (candidates != NULL && !candidates_next(candidates, &ahead, &unused))
		return true;
	if (!may_match_tag(run, t, candidates, cursor, strings, first))
		return true;
	t->regex = regex_for(run, rule, t->is_unicode);
	if (t->regex == NULL)
		return false;
	if (candidates != NULL) {
		match_places(
		    run, t, rule->label, candidates, cursor, strings, first);
		return true;
	}
	size_t i = first;
	while (
	    i < strings->n && match_string(run, t, rule->label, strings->v[i]))
		i++;
	return true;
}

static void
tally_settle(struct run *run, struct tally *t)
{
	if (t->count == 0 && run->result->is_out_of_time)
		undecided(run, t->rule);
	tally_close(run, t, t->count);
}

static void
match_strings(struct run *run, const struct rule *rule, size_t view,
    const struct strs *strings, size_t first)
{
	struct tally t = tally_new(rule);
	if (rule->type == RULE_FULL && is_maxhits_zero(rule))
		t.most = 1;
	if (match_list(run, &t, view, strings, first))
		tally_settle(run, &t);
}

static void
run_body(struct run *run, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	const struct strs *strings = message_body_seen(run->m);
	cost_aside(run, FILTER_BODY, false, start);
	match_strings(
	    run, rule, FILTER_BODY, strings, rule->flags.is_nosubject ? 1 : 0);
}

static void
run_rawbody(struct run *run, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	const struct strs *strings = message_rawbody(run->m);
	cost_aside(run, FILTER_RAWBODY, false, start);
	match_strings(run, rule, FILTER_RAWBODY, strings, 0);
}

static void
run_uri(struct run *run, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	struct tally t = tally_new(rule);
	const struct strs *strings = message_uris(run->m);
	const struct strs *wide = message_wide_uris(run->m);
	cost_aside(run, FILTER_URI, false, start);
	if (!match_list(run, &t, FILTER_URI, strings, 0))
		return;
	if (wide->n > 0 && t.count < t.most && !run->result->is_out_of_time) {
		t.is_unicode = true;
		(void)match_list(run, &t, FILTER_NONE, wide, 0);
	}
	tally_settle(run, &t);
}

static void
run_full(struct run *run, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	struct str full = message_full(run->m);
	struct strs one = {&full, 1, 1};
	cost_aside(run, FILTER_FULL, false, start);
	match_strings(run, rule, FILTER_FULL, &one, 0);
}

/*
 * "!~": without a match each turn of SpamAssassin's loop over `multiple` is a
 * hit, up to maxhits.  (Without maxhits it would never end.)
 */
static void
tally_negate(
    struct run *run, struct tally *t, struct str label, struct str evidence)
{
	const struct rule_flags *flags = &t->rule->flags;
	bool has_match = t->count > 0;
	t->count = 0;
	t->captured.n = 0;
	if (has_match)
		return;
	tally_hit(run, t, label, evidence);
	if (flags->is_multiple && flags->maxhits > 1)
		t->count = flags->maxhits;
}

/* What the rules of one header see. */
struct header_seen {
	size_t view;
	bool is_there;
	struct str value; /* empty: it is not there */
};

static void
header_match(struct run *run, const struct header_seen *seen, struct tally *t)
{
	const struct rule *rule = t->rule;
	struct str value = seen->value;
	struct strs one = {&value, 1, 1};
	struct candidate_cursor cursor = {0};
	if (!seen->is_there && rule->has_unset) {
		(void)match_string(run, t, rule->label, rule->unset);
		return;
	}
	const struct candidates *candidates =
	    seen->is_there ? run_pass(run, seen->view, rule, &one, &cursor)
			   : NULL;
	if (candidates == NULL)
		(void)match_string(run, t, rule->label, value);
	else
		match_places(run, t, rule->label, candidates, cursor, &one, 0);
}

static void
run_header(
    struct run *run, const struct header_seen *seen, const struct rule *rule)
{
	struct tally t = tally_new(rule);
	if (!rule->is_exists && (t.regex = regex_for(run, rule, false)) == NULL)
		return;
	if (rule->is_exists || rule->is_negated || is_maxhits_zero(rule))
		t.most = 1;
	if (!rule->is_exists)
		header_match(run, seen, &t);
	else if (seen->is_there)
		tally_hit(run, &t, rule->label, str_trim(seen->value));
	if (t.count == 0 && run->result->is_out_of_time) {
		undecided(run, rule);
		return;
	}
	if (rule->is_negated)
		tally_negate(run, &t, rule->label,
		    seen->is_there ? str_trim(seen->value)
				   : STR("(not there)"));
	tally_close(run, &t, t.count);
}

/* What passes over all that the rules of a turn look at have left. */
struct turn_found {
	const struct candidates *of[FILTERS]; /* NULL: no pass */
};

/*
 * The slot in filter `k` of the rule at place `i`; PREFILTER_NONE: no pass can
 * rule it out.
 */
static uint32_t
turn_slot(const struct run *run, const struct turn *turn, size_t k, size_t i)
{
	return turn->ids[i] == ID_NONE
		   ? PREFILTER_NONE
		   : run->filters[k].filter->slots[turn->ids[i]];
}

/* One pass, if it can rule out one of the rules; or NULL. */
static const struct candidates *
turn_filter(struct run *run, const struct turn *turn, size_t k, size_t view,
    const struct strs *strings)
{
	const struct filter *filter = run->filters[k].filter;
	if (filter == NULL || filter->view[view] == NULL)
		return NULL;
	size_t i = 0;
	while (
	    i < turn->rules.n && turn_slot(run, turn, k, i) == PREFILTER_NONE)
		i++;
	return i < turn->rules.n ? pass_get(run, &run->filters[k].pass[view],
				       filter->view[view], view, strings)
				 : NULL;
}

static struct turn_found
turn_pass(struct run *run, const struct turn *turn, size_t view,
    const struct strs *strings)
{
	struct turn_found found;
	for (size_t k = 0; k < FILTERS; k++)
		found.of[k] = turn_filter(run, turn, k, view, strings);
	run->aside_ns = 0;
	return found;
}

static bool
is_ruled_out(const struct run *run, const struct turn *turn,
    const struct turn_found *found, size_t i)
{
	struct candidate_place unused;
	for (size_t k = 0; k < FILTERS; k++) {
		if (found->of[k] == NULL)
			continue;
		uint32_t slot = turn_slot(run, turn, k, i);
		if (slot == PREFILTER_NONE)
			continue;
		struct candidate_cursor cursor =
		    candidates_begin(found->of[k], slot);
		return !candidates_next(found->of[k], &cursor, &unused);
	}
	return false;
}

/* The place of the next rule of `turn` that may hit, `from` or later. */
static size_t
next_rule(const struct run *run, const struct turn *turn,
    const struct turn_found *found, size_t from)
{
	size_t i = from;
	while (i < turn->rules.n && is_ruled_out(run, turn, found, i))
		i++;
	return i;
}

/* Time is up: the rules from place `from` on are left. */
static void
rest_undecided(struct run *run, const struct rules *list, size_t from)
{
	for (size_t i = from; i < list->n; i++)
		undecided(run, list->v[i]);
}

static void
run_header_costed(
    struct run *run, const struct header_seen *seen, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	run_header(run, seen, rule);
	cost_end(run, rule, start);
}

/* `*value` is there, and looked at by a pass if the rules are worth one. */
static void
run_present(
    struct run *run, const struct turn *turn, const struct header_seen *seen)
{
	const struct rules *list = &turn->rules;
	struct str value = seen->value;
	const struct turn_found found =
	    turn_pass(run, turn, seen->view, &(struct strs){&value, 1, 1});
	size_t i = 0;
	while (!run->result->is_out_of_time &&
	       (i = next_rule(run, turn, &found, i)) < list->n)
		run_header_costed(run, seen, list->v[i++]);
	if (run->result->is_out_of_time)
		rest_undecided(run, list, i);
}

static void
run_absent(struct run *run, const struct header_group *group,
    const struct header_seen *seen)
{
	const struct rules *list = &group->turn.rules;
	for (size_t i = 0; i < group->nabsent; i++) {
		size_t place = group->absent[i];
		run_header_costed(run, seen, list->v[place]);
		if (run->result->is_out_of_time) {
			rest_undecided(run, list, place + 1);
			return;
		}
	}
}

/* The value that rules of the group look at. */
static struct header_seen
header_look(struct run *run, const struct header_group *group)
{
	struct header_seen seen = {.view = group->view, .value = STR_EMPTY};
	int64_t start = cost_begin(run);
	seen.is_there = !is_view_cut(run) &&
			header_query_run(run->m, &group->query, &seen.value);
	(void)is_view_cut(run);
	cost_aside(run, seen.view, false, start);
	run->aside_ns = 0;
	return seen;
}

static void
run_headers(struct run *run, const struct header_group *group)
{
	struct header_seen seen = header_look(run, group);
	if (run->result->is_out_of_time)
		rest_undecided(run, &group->turn.rules, 0);
	else if (seen.is_there)
		run_present(run, &group->turn, &seen);
	else
		run_absent(run, group, &seen);
}

/* A raw value with its folds made single blanks. */
static void
put_unfolded(struct buf *b, struct str raw)
{
	while (raw.len > 0) {
		struct str line = str_line(&raw);
		bool is_folded = raw.len > 0 && char_is_space(raw.p[0]);
		if (is_folded && str_ends(line, STR("\r")))
			line.len--;
		buf_put(b, line);
		buf_putc(b, is_folded ? ' ' : '\n');
		while (is_folded && raw.len > 0 && char_is_space(raw.p[0]))
			raw = str_skip(raw, 1);
	}
}

/* "Name: value\n" of every header of a part. */
static struct str
part_all(struct run *run, struct part *part, bool is_raw)
{
	struct buf *b = buf_new(run->a, run->m->config->limits.header_bytes);
	for (size_t i = 0; i < part->headers.n; i++) {
		struct header *header = &part->headers.v[i];
		buf_put(b, header->name);
		buf_put(b, STR(": "));
		if (is_raw) {
			put_unfolded(b, header->raw);
			continue;
		}
		buf_put(b, header_value(run->m, header));
		buf_putc(b, '\n');
	}
	return buf_str(b);
}

/* The header of a part as a mimeheader rule sees it. */
static struct str
part_header(struct run *run, struct part *part, const struct rule *rule)
{
	if (rule->is_all)
		return part_all(run, part, rule->query.is_raw);
	struct header *header = header_last(&part->headers, rule->query.name);
	if (rule->query.is_raw)
		return header == NULL ? STR_EMPTY : header->raw;
	if (header == NULL)
		return rule->unset;
	return header_line(run->m, header);
}

/* `part` or the first one behind it that `rule` is about; `*number` counts all.
 */
static struct part *
part_in_range(const struct rule *rule, struct part *part, size_t *number)
{
	while (part != NULL && (++*number < rule->flags.range_from ||
				   *number > rule->flags.range_to))
		part = part_next(part);
	return part;
}

static void
match_joined(struct run *run, struct tally *t)
{
	const struct rule *rule = t->rule;
	struct buf *b = buf_new(run->a, run->m->config->limits.header_bytes);
	size_t i = 0;
	for (struct part *part = part_in_range(rule, run->m->root, &i);
	     part != NULL; part = part_in_range(rule, part_next(part), &i)) {
		struct str value = part_header(run, part, rule);
		buf_put(b, value);
		if (!str_ends(value, STR("\n")))
			buf_putc(b, '\n');
	}
	(void)match_string(run, t, rule->label, buf_str(b));
}

/* All of its parts, but after a hit. */
static void
match_parts(struct run *run, struct tally *t)
{
	const struct rule *rule = t->rule;
	size_t i = 0;
	for (struct part *part = part_in_range(rule, run->m->root, &i);
	     part != NULL; part = part_in_range(rule, part_next(part), &i)) {
		(void)match_string(
		    run, t, rule->label, part_header(run, part, rule));
		if (t->count > 0 || run->result->is_out_of_time)
			return;
	}
}

/* The strings of a view of parts; that no field is there is said once. */
static const struct strs *
part_strings(struct run *run, const struct rule *rule)
{
	const struct ruleset *rules = run->rules;
	if (run->parts == NULL)
		run->parts = ARENA_ARRAY(
		    run->a, struct strs, rules->nviews - rules->part_views);
	struct strs *strings = &run->parts[rule->view - rules->part_views];
	if (strings->n > 0)
		return strings;
	bool has_none = false;
	size_t i = 0;
	for (struct part *part = part_in_range(rule, run->m->root, &i);
	     part != NULL; part = part_in_range(rule, part_next(part), &i)) {
		struct str value = part_header(run, part, rule);
		if (value.len > 0 || !has_none)
			strs_add(run->a, strings, value);
		has_none = has_none || value.len == 0;
	}
	return strings;
}

static void
run_mimeheader(struct run *run, const struct rule *rule)
{
	struct tally t = tally_new(rule);
	if (t.most > MIMEHEADER_HITS)
		t.most = MIMEHEADER_HITS;
	if (is_maxhits_zero(rule))
		t.most = 1;
	if (rule->is_negated) /* always, as in SpamAssassin 4.0.1 */
		tally_hit(run, &t, rule->label, STR_EMPTY);
	else if (rule->flags.is_concat)
		match_joined(run, &t);
	else if (rule->view == FILTER_NONE)
		match_parts(run, &t);
	else
		(void)match_list(
		    run, &t, rule->view, part_strings(run, rule), 0);
	if (t.count == 0 && run->result->is_out_of_time)
		undecided(run, rule);
	tally_close(run, &t, t.count);
}

/* Where a link leads: its variants, or who signed; if it leads somewhere. */
static void
uri_hosts(struct run *run, const struct uri *uri,
    struct str (*host_of)(
	struct arena *a, const struct mail_config *config, struct str uri),
    struct strs *ret)
{
	struct str raw = uri->raw;
	const struct strs signer = {&raw, 1, 1};
	const struct strs *links = uri->is_signer ? &signer : &uri->cleaned;
	for (size_t i = 0; i < links->n; i++) {
		struct str host =
		    host_of(run->a, &run->rules->mail, links->v[i]);
		if (host.len > 0)
			strs_add(run->a, ret, host);
	}
}

/* What a key of uri_detail looks at. */
static struct strs
uri_texts(struct run *run, const struct uri *uri, enum uri_key_name name)
{
	struct strs texts = {0};
	switch (name) {
	case URI_KEY_RAW:
		strs_add(run->a, &texts, uri->raw);
		break;
	case URI_KEY_TYPE:
		for (size_t i = 0; i < uri->tags.n; i++)
			strs_add(run->a, &texts, uri->tags.v[i]);
		if (uri->is_parsed)
			strs_add(run->a, &texts, STR("parsed"));
		if (uri->is_schemeless)
			strs_add(run->a, &texts, STR("schemeless"));
		if (uri->is_unlinked)
			strs_add(run->a, &texts, STR("unlinked"));
		break;
	case URI_KEY_CLEANED:
		return uri->cleaned;
	case URI_KEY_TEXT:
		return uri->anchors;
	case URI_KEY_DOMAIN:
		uri_hosts(run, uri, uri_domain, &texts);
		break;
	case URI_KEY_HOST:
		uri_hosts(run, uri, uri_named_host, &texts);
		break;
	}
	return texts;
}

/* The regex of `key` for one of uri_texts(). */
static const struct regex *
uri_key_regex(const struct uri_key *key, const struct uri *uri, struct str text)
{
	bool is_unicode =
	    key->name == URI_KEY_TEXT ||
	    (uri->is_unicode &&
		(key->name == URI_KEY_RAW || key->name == URI_KEY_CLEANED));
	return is_unicode && key->unicode != NULL && !str_is_ascii(text)
		   ? key->unicode
		   : key->regex;
}

static bool
uri_key_matches(struct run *run, struct tally *t, const struct uri_key *key,
    const struct uri *uri)
{
	struct strs texts = uri_texts(run, uri, key->name);
	for (size_t i = 0; i < texts.n; i++) {
		struct regex_span span;
		enum regex_result result =
		    regex_match(uri_key_regex(key, uri, texts.v[i]),
			run->scratch, texts.v[i], 0, false, &span);
		if (result == REGEX_EXPIRED) {
			run->result->is_out_of_time = true;
			return false;
		}
		if (result == REGEX_LIMIT || result == REGEX_STACK)
			tally_trouble(run, t, result);
		else if ((result == REGEX_YES) != key->is_negated)
			return true;
	}
	return false;
}

static bool
uri_matches(struct run *run, struct tally *t, const struct uri *uri)
{
	for (size_t i = 0; i < t->rule->keys.n; i++)
		if (!uri_key_matches(run, t, &t->rule->keys.v[i], uri))
			return false;
	return true;
}

static void
run_uri_detail(struct run *run, const struct rule *rule)
{
	struct tally t = tally_new(rule);
	const struct uris *uris = message_uri_list(run->m);
	(void)is_view_cut(run);
	for (size_t i = 0; i < uris->n && t.count == 0; i++) {
		if (uri_matches(run, &t, &uris->v[i]))
			tally_hit(run, &t, STR_EMPTY, uris->v[i].raw);
		if (run->result->is_out_of_time)
			break;
	}
	if (t.count == 0 && run->result->is_out_of_time)
		undecided(run, rule);
	tally_close(run, &t, t.count);
}

static void
run_eval(struct run *run, const struct rule *rule)
{
	if (is_out_of_time(run)) {
		undecided(run, rule);
		return;
	}
	struct eval_call call = {
	    .row = rule->eval,
	    .message = run->m,
	    .facts = run->options->facts,
	    .now = run->options->now,
	    .lists = &run->rules->lists,
	    .cache = &run->cache,
	    .args = rule->args.v,
	    .nargs = rule->args.n,
	    .numbers = rule->numbers,
	    .regexes = rule->regexes,
	    .is_rawbody = rule->turn == TURN_RAWBODY_EVAL,
	    .scratch = run->scratch,
	    .evidence = STR_EMPTY,
	};
	bool is_hit = rule->eval->run(&call) != 0;
	if (!is_hit && is_view_cut(run)) {
		undecided(run, rule);
		return;
	}
	if (!is_hit)
		return;
	struct tally t = tally_new(rule);
	tally_hit(run, &t, STR_EMPTY, str_trim(call.evidence));
	tally_close(run, &t, 1);
}

/* The rules that made a meta true: "A B C". */
static struct str
meta_evidence(struct run *run, const struct rule *rule)
{
	struct buf *b = buf_new(run->a, EVIDENCE_BYTES);
	const struct expr_variables *needs = expr_variables(rule->expr);
	struct strs seen = {0};
	for (size_t i = 0; i < needs->n && !b->is_cut; i++) {
		struct str name = run->rules->rules.v[needs->v[i]]->name;
		if (run->values[needs->v[i]] == 0 || strs_has(&seen, name))
			continue;
		strs_add(run->a, &seen, name);
		if (b->len > 0)
			buf_putc(b, ' ');
		buf_put(b, name);
	}
	return buf_str(b);
}

static bool
needs_undecided(const struct run *run, const struct rule *rule)
{
	const struct expr_variables *needs = expr_variables(rule->expr);
	for (size_t i = 0; i < needs->n; i++)
		if (run->is_undecided[needs->v[i]])
			return true;
	return false;
}

static bool
needs_are_done(const struct run *run, const struct rule *rule, uint8_t now)
{
	const struct expr_variables *needs = expr_variables(rule->expr);
	for (size_t i = 0; i < needs->n; i++)
		if ((run->done[needs->v[i]] & now) == 0)
			return false;
	return true;
}

/* A meta whose score is 0 and that holds is never done: see run_metas(). */
static void
run_meta(struct run *run, const struct rule *rule, bool is_scored)
{
	if (run->result->is_out_of_time && needs_undecided(run, rule)) {
		undecided(run, rule);
		return;
	}
	int64_t start = cost_begin(run);
	double value = meta_value(rule, run->values);
	if (value != 0 && !is_scored)
		return;
	struct tally t = tally_new(rule);
	if (value != 0)
		tally_hit(run, &t, STR_EMPTY,
		    is_shown(run, rule) ? meta_evidence(run, rule) : STR_EMPTY);
	tally_close(run, &t, value);
	cost_end(run, rule, start);
}

static void
visit_meta(struct run *run, const struct rule *rule, bool is_end)
{
	const struct rest *rest = &run->plan->rest;
	bool is_scored = plan_scores(run->plan, rule);
	bool is_due = is_end ? is_scored : !rule->needs_unknown;
	uint8_t now = is_end ? DONE_END : DONE_FIRST;
	if ((run->done[rule->id] & now) == 0 && !rule->is_cyclic && is_due &&
	    needs_are_done(run, rule, now))
		run_meta(run, rule, is_scored);
	if ((run->done[rule->id] & now) == 0 &&
	    (rest->done[rule->id] & now) != 0)
		open_users(run, &rest->all, rule);
}

/*
 * Run the metas whose needs are done, as SpamAssassin does: first those that
 * need nothing but rules that were run, whatever their score is; at last
 * (`is_end`) those with a score whose other needs count 0.  What needs a meta
 * with score 0 that holds, or that could not be run before the end, is never
 * run.  Each of them opens those it makes another than they are at rest, which
 * are behind it.
 */
static void
run_metas(struct run *run, bool is_end)
{
	run->done_now = is_end ? DONE_END : DONE;
	const struct rules *metas = &run->plan->metas;
	for (size_t i = 0;
	     (i = bits_next(run->open, run->open, i, metas->n)) < metas->n; i++)
		visit_meta(run, metas->v[i], is_end);
}

/*
 * Metas that need themselves: SpamAssassin forgets what they need, so they are
 * run as soon as a first priority is done, with what has hit by then.
 */
static void
run_cyclic_metas(struct run *run)
{
	const struct rules *list = &run->plan->rest.cyclic;
	for (size_t i = 0; i < list->n; i++)
		run_meta(run, list->v[i], list->v[i]->score != 0);
}

static void (*const runners[RULE_TYPES])(
    struct run *run, const struct rule *rule) = {
    [RULE_BODY] = run_body,
    [RULE_URI] = run_uri,
    [RULE_RAWBODY] = run_rawbody,
    [RULE_FULL] = run_full,
    [RULE_MIMEHEADER] = run_mimeheader,
    [RULE_URI_DETAIL] = run_uri_detail,
    [RULE_EVAL] = run_eval,
};

/* The strings that all rules of a turn look at. */
static const struct strs *(*const view_strings[])(struct message *) = {
    [FILTER_BODY] = message_body_seen,
    [FILTER_RAWBODY] = message_rawbody,
    [FILTER_URI] = message_uris,
};

/*
 * What rules of turn `i` look at; NULL: they have no strings in common, there
 * was no time, or links beyond ASCII are looked at once more, by all rules.
 */
static const struct strs *
turn_strings(struct run *run, size_t i)
{
	size_t view = turn_view(i);
	if (view == FILTER_NONE || run->result->is_out_of_time)
		return NULL;
	int64_t start = cost_begin(run);
	const struct strs *strings = view_strings[view](run->m);
	bool is_wide = i == TURN_URI && message_wide_uris(run->m)->n > 0;
	cost_aside(run, view, false, start);
	run->aside_ns = 0;
	return is_wide || is_view_cut(run) ? NULL : strings;
}

static void
run_costed(struct run *run, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	runners[rule->type](run, rule);
	cost_end(run, rule, start);
}

/* The rules of turn `number` from the place `i` on. */
static void
run_turn(struct run *run, const struct band *band, size_t number, size_t i)
{
	const struct turn *turn = &band->turn[number];
	const struct rules *list = &turn->rules;
	struct turn_found found = {0};
	if (list->n == 0)
		return;
	(void)is_out_of_time(run);
	const struct strs *strings = turn_strings(run, number);
	if (strings != NULL)
		found = turn_pass(run, turn, turn_view(number), strings);
	while (!run->result->is_out_of_time &&
	       (i = next_rule(run, turn, &found, i)) < list->n)
		run_costed(run, list->v[i++]);
	if (run->result->is_out_of_time)
		rest_undecided(run, list, i);
}

/* All rules of the band but the header evals that were run ahead of it. */
static void
run_all(struct run *run, const struct band *band, size_t nahead)
{
	for (size_t i = 0; i < band->headers.n; i++)
		run_headers(run, &band->headers.v[i]);
	for (size_t i = 0; i < TURNS && !run->is_short; i++)
		run_turn(run, band, i, i == TURN_HEADER_EVAL ? nahead : 0);
}

/* What the passes over `strings` leave of a stage. */
static void
stage_pass(struct run *run, const struct stage *stage, size_t view,
    const struct strs *strings)
{
	for (size_t k = 0; k < FILTERS; k++) {
		const struct filter *filter = run->filters[k].filter;
		const struct candidates *found = NULL;
		if (stage->nfiltered[k] == 0)
			continue;
		if (strings != NULL && filter->view[view] != NULL)
			found = pass_get(run, &run->filters[k].pass[view],
			    filter->view[view], view, strings);
		needs_mark_found(run->needs, stage, k, view, found);
	}
	run->aside_ns = 0;
}

/* Mark the rules of a header group that may hit. */
static struct header_seen
header_mark(struct run *run, const struct header_group *group,
    const struct stage *stage)
{
	struct header_seen seen = header_look(run, group);
	if (!seen.is_there) {
		for (size_t i = 0; i < group->nabsent; i++)
			needs_mark(run->needs, stage->from + group->absent[i]);
		return seen;
	}
	needs_mark_plain(run->needs, stage);
	stage_pass(run, stage, seen.view, &(struct strs){&seen.value, 1, 1});
	return seen;
}

/* A view is made here for passes alone: not if there are none. */
static void
turn_mark(struct run *run, size_t i)
{
	const struct stage *stage = &run->demand->turns[i];
	size_t nfiltered = 0;
	for (size_t k = 0; k < FILTERS; k++)
		nfiltered += stage->nfiltered[k];
	if (turn_view(i) == FILTER_NONE || nfiltered == 0)
		return;
	(void)is_out_of_time(run);
	stage_pass(run, stage, turn_view(i), turn_strings(run, i));
}

/* The same for the parts that `rule` looks at. */
static void
parts_mark(struct run *run, const struct rule *rule)
{
	int64_t start = cost_begin(run);
	const struct strs *strings = part_strings(run, rule);
	cost_aside(run, rule->view, false, start);
	stage_pass(
	    run, &run->demand->turns[TURN_BODY_EVAL], rule->view, strings);
}

/* What has hit before, and what may hit in the band. */
static struct header_seen *
band_mark(struct run *run, const struct band *band)
{
	const struct demand *d = run->demand;
	struct header_seen *seen =
	    ARENA_ARRAY(run->a, struct header_seen, band->headers.n);
	run->needs = needs_new(run->a, d);
	for (size_t i = 0; i < run->found.n; i++)
		needs_known(run->needs, run->found.v[i].rule);
	for (size_t i = 0; i < band->headers.n; i++)
		seen[i] = header_mark(run, &band->headers.v[i], &d->headers[i]);
	for (size_t i = 0; i < TURNS; i++)
		turn_mark(run, i);
	for (size_t i = 0; i < d->parts.n && !is_out_of_time(run); i++)
		parts_mark(run, d->parts.v[i]);
	return seen;
}

/* Which rule of a stage is next: see demand.h. */
typedef uint32_t next_fn(
    struct needs *needs, const struct stage *stage, uint32_t from);

/* `seen`: what the rules of a header group look at; NULL: of a turn. */
static void
run_stage(struct run *run, const struct stage *stage,
    const struct header_seen *seen, next_fn *next)
{
	uint32_t place;
	for (uint32_t from = stage->from;
	     !run->result->is_out_of_time &&
	     (place = next(run->needs, stage, from)) != PLACE_NONE;
	     from = place + 1) {
		const struct rule *rule = run->demand->nodes[place].rule;
		if (seen != NULL)
			run_header_costed(run, seen, rule);
		else
			run_costed(run, rule);
		if (run->values[rule->id] != 0)
			needs_hit(run->needs, place);
		else
			needs_missed(run->needs, place);
	}
}

/* All stages: those first whose rules are cheap to try. */
static void
run_stages(struct run *run, const struct header_seen *seen,
    const enum rule_turn order[TURNS], next_fn *next)
{
	const struct demand *d = run->demand;
	for (size_t i = 0; i < d->band->headers.n; i++)
		run_stage(run, &d->headers[i], &seen[i], next);
	for (size_t i = 0; i < TURNS; i++) {
		(void)is_out_of_time(run);
		run_stage(run, &d->turns[order[i]], NULL, next);
	}
}

/* Time is up: what is still to be tried is left. */
static void
needs_undecided_now(struct run *run, next_fn *next)
{
	const struct stage all = {.to = (uint32_t)run->demand->n};
	uint32_t place;
	for (uint32_t from = 0;
	     (place = next(run->needs, &all, from)) != PLACE_NONE;
	     from = place + 1)
		undecided(run, run->demand->nodes[place].rule);
}

/*
 * Those rules of the band of which something hangs: what is wanted in any case,
 * in the order that SpamAssassin has; then, as nothing sees in which order,
 * what metas need.
 */
static void
run_on_demand(struct run *run, const struct band *band)
{
	static const enum rule_turn order[TURNS] = {TURN_HEADER,
	    TURN_HEADER_EVAL, TURN_BODY, TURN_URI, TURN_BODY_EVAL, TURN_RAWBODY,
	    TURN_RAWBODY_EVAL, TURN_FULL, TURN_FULL_EVAL};
	static const enum rule_turn cheap_first[TURNS] = {TURN_HEADER, TURN_URI,
	    TURN_HEADER_EVAL, TURN_BODY, TURN_BODY_EVAL, TURN_RAWBODY,
	    TURN_RAWBODY_EVAL, TURN_FULL, TURN_FULL_EVAL};
	const struct demand *d = run->demand;
	const struct rules *evals = &band->turn[TURN_HEADER_EVAL].rules;
	for (size_t i = 0; i < d->nahead; i++)
		run_costed(run, evals->v[i]);
	const struct header_seen *seen = band_mark(run, band);
	if (run->result->is_out_of_time) {
		run_all(run, band, d->nahead);
		return;
	}
	run_stages(run, seen, order, needs_wanted);
	run_stages(run, seen, cheap_first, needs_deciding);
	run_stages(run, seen, cheap_first, needs_next);
	if (run->result->is_out_of_time) {
		needs_undecided_now(run, needs_wanted);
		needs_undecided_now(run, needs_next);
	}
}

static void
run_band(struct run *run, const struct band *band)
{
	if (run->demand != NULL && run->demand->band == band)
		run_on_demand(run, band);
	else
		run_all(run, band, 0);
}

static void
run_begin(struct run *run, const struct plan *plan)
{
	const struct rest *rest = &plan->rest;
	size_t n = run->rules->rules.n;
	run->plan = plan;
	run->done_now = DONE;
	run->done = arena_alloc(run->a, n);
	memcpy(run->done, rest->begin, n);
	run->open = ARENA_ARRAY(run->a, uint64_t, rest->words);
	for (size_t i = 0; i < rest->words; i++)
		run->open[i] = rest->open[i];
}

void
run_plan(struct run *run, const struct plan *plan)
{
	bool may_be_short = run->rules->shortcuts.is_used;
	bool has_first = plan->bands.n > 0 && plan->bands.v[0].priority ==
						  run->rules->first_priority;
	run_begin(run, plan);
	if (!has_first)
		run_cyclic_metas(run);
	for (size_t i = 0; i < plan->bands.n && !run->is_short; i++) {
		bool is_last = i + 1 == plan->bands.n;
		run_band(run, &plan->bands.v[i]);
		if (i == 0 && has_first && !run->is_short)
			run_cyclic_metas(run);
		if (may_be_short)
			band_done(&plan->bands.v[i], run->done);
		if (!run->is_short && (may_be_short || is_last))
			run_metas(run, false);
	}
	if (!run->is_short)
		run_metas(run, true);
}

bool
run_on_text(struct run *run, const struct rule *rule, struct str text)
{
	struct strs one = {&text, 1, 1};
	match_strings(run, rule, FILTER_NONE, &one, 0);
	return run->values[rule->id] != 0;
}

static int
compare_found(const void *x, const void *y)
{
	const struct found *a = x;
	const struct found *b = y;
	return str_cmp(a->rule->name, b->rule->name);
}

static void
result_add(struct run *run, const struct found *found)
{
	const struct rule *rule = found->rule;
	bool is_sub = rule_is_sub(rule);
	struct rule_hits *list =
	    is_sub ? &run->result->subs : &run->result->hits;
	double score = found->count * found->score;
	ARENA_PUSH(run->a, list) = (struct rule_hit){
	    .rule = rule->name,
	    .score = score,
	    .count = found->count,
	    .value = run->values[rule->id],
	    .evidence = found->evidence,
	    .describe = rule->describe,
	};
	run->result->score += score;
}

/* The hits that are asked for, by name. */
static void
results_add(struct run *run)
{
	struct found *v = run->found.v;
	size_t n = 0;
	for (size_t i = 0; i < run->found.n; i++)
		if (is_shown(run, v[i].rule))
			v[n++] = v[i];
	if (n > 0)
		qsort(v, n, sizeof(v[0]), compare_found);
	for (size_t i = 0; i < n; i++)
		result_add(run, &v[i]);
}

void
ruleset_run(const struct ruleset *rules, struct message *m,
    const struct rule_run *options, struct rule_result *ret)
{
	struct run *run = run_new(rules, m, options, ret);
	if (options->is_expired != NULL) {
		m->effort.is_expired = options->is_expired;
		m->effort.arg = options->arg;
	}
	run_plan(run, options->wants_subs ? rules->all : rules->active);
	regex_scratch_done(run->scratch);
	(void)is_view_cut(run);
	results_add(run);
	ret->score = round(ret->score * 1000) / 1000;
}
