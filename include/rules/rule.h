/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule -- what the files of this room share: one rule, the rule set, and the
 * plan of what is run over a message.  Other rooms use ruleset.h.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stdatomic.h>

#include "mail/header.h"
#include "mail/message.h"
#include "rules/census.h"
#include "rules/condition.h"
#include "rules/eval.h"
#include "rules/ruleset.h"
#include "rules/setting.h"

struct arena;
struct demand;
struct eval_row;
struct expr;
struct regex;
struct regex_env;
struct replace_tags;
struct table;

/* What a rule looks at; also the groups of a plan. */
enum rule_type {
	RULE_NONE, /* only mentioned, by `score` for instance: not defined */
	RULE_HEADER,
	RULE_BODY,
	RULE_URI,
	RULE_RAWBODY,
	RULE_FULL,
	RULE_MIMEHEADER,
	RULE_URI_DETAIL,
	RULE_EVAL,
	RULE_META,
	RULE_NETWORK, /* askdns, urirhssub, ...: never run */
	RULE_TYPES
};

/* "header", "body", ..., as rule files call them; RULE_NONE has none. */
struct str rule_type_name(enum rule_type type);

/* What is run first among rules of one priority, as in SpamAssassin. */
enum rule_turn {
	TURN_HEADER,
	TURN_HEADER_EVAL,
	TURN_BODY,
	TURN_URI,
	TURN_BODY_EVAL, /* mimeheader and uri_detail as well */
	TURN_RAWBODY,
	TURN_RAWBODY_EVAL,
	TURN_FULL,
	TURN_FULL_EVAL,
	TURNS
};

enum rule_state {
	RULE_SOUND,
	RULE_OFFLINE, /* needs the network, Bayes or a plugin that is not
			 loaded: counts 0, as in score set 0 */
	RULE_DISABLED /* not supported or broken: what needs it is disabled too
		       */
};

/* A line of a rule file. */
struct place {
	struct str file;
	unsigned line;
};

#define SCORE_SETS 4
#define RULE_NAME_MAX 100

struct rule_flags {
	bool is_multiple;
	bool is_nice;
	bool is_nosubject;
	bool is_net;
	bool is_learn;
	bool is_concat;
	bool has_maxhits;
	unsigned maxhits;  /* with is_multiple; 0: no bound */
	size_t range_from; /* mimeheader: parts, counted from 1 */
	size_t range_to;
};

/* One criterion of uri_detail. */
struct uri_key {
	enum uri_key_name {
		URI_KEY_RAW,
		URI_KEY_TYPE,
		URI_KEY_CLEANED,
		URI_KEY_TEXT,
		URI_KEY_DOMAIN,
		URI_KEY_HOST
	} name;
	bool is_negated;
	struct regex *regex;
	struct regex *unicode; /* for characters; NULL: there is none */
};

struct uri_keys {
	struct uri_key *v;
	size_t n;
	size_t cap;
};

/* A rule that was given again: what it was before. */
struct older_rule {
	enum rule_type type;
	enum rule_turn turn;
	struct place place;
	struct str text;
	const struct older_rule *older;
};

enum shortcut { SHORTCUT_OFF, SHORTCUT_ON, SHORTCUT_HAM, SHORTCUT_SPAM };

/*
 * What a run reads of a rule stands first, close together: of hundreds of rules
 * a message little is in the cache.
 */
struct rule {
	uint32_t id; /* place in ruleset.rules, which is sorted by name */
	enum rule_type type;
	struct rule_flags flags;
	bool is_sub; /* its name begins with "__" */
	bool is_exists, is_negated, has_unset, is_all;
	bool needs_tag;     /* what it matches has a value of the tag in it */
	bool is_cyclic;     /* it needs itself: run before what it needs */
	bool needs_unknown; /* a name that is nowhere defined: it counts 0 */
	enum rule_turn turn;
	enum shortcut shortcut; /* the rest is not run if it hits */
	double score;           /* the one in force; 0: not run and counts 0 */
	/* RULE_HEADER, RULE_MIMEHEADER and the text types */
	struct regex *regex;
	/* What `regex` looks at, see enum filter_view; FILTER_NONE: other
	   things, or it has none. */
	size_t view;
	/* RULE_URI: the same for characters; NULL: `regex` has to do. */
	struct regex *unicode;
	/*
	 * %{NAME} of other rules' captures in the regex: it is made for each
	 * message from `pattern`, and `regex` only shows that it can be.
	 */
	struct str tag; /* empty: none */
	/* RULE_META */
	struct expr *expr;
	/* RULE_EVAL */
	const struct eval_row *eval;
	struct strs args;
	double *numbers; /* what args are to Perl */
	const struct regex **regexes;
	/* RULE_HEADER, RULE_MIMEHEADER */
	struct str label; /* "Subject", "From:addr" */
	struct header_query query;
	struct str unset;
	struct str pattern; /* of `regex` */
	struct str name;
	/* RULE_URI_DETAIL */
	struct uri_keys keys;

	enum rule_state state;
	struct place place; /* of its definition, or of the first mention */
	struct str text;    /* what stands behind its name there */
	const struct older_rule *older;
	struct str describe;
	struct str tflags;
	struct str why; /* not RULE_SOUND: the reason */
	bool has_score, has_priority, is_replaced;
	bool is_answered; /* tflags net, and answered without the network */
	double scores[SCORE_SETS];
	int priority;
};

/* Sub-rules are named __X: they count in metas, not in the score. */
static inline bool
rule_is_sub(const struct rule *rule)
{
	return rule->is_sub;
}

/* It may be evaluated. */
static inline bool
rule_is_live(const struct rule *rule)
{
	return rule->state == RULE_SOUND && rule->score != 0;
}

/* What its eval function needs, of enum eval_need; 0: it has none. */
static inline unsigned
rule_needs(const struct rule *rule)
{
	return rule->type == RULE_EVAL && rule->eval != NULL ? rule->eval->needs
							     : 0;
}

struct rules {
	struct rule **v;
	size_t n;
	size_t cap;
};

/*
 * Rules that look at the same, in the order in which they are run.  By place:
 * the id of the rule if a prefilter that rules all strings out says that it
 * does not hit, otherwise ID_NONE.
 */
struct turn {
	struct rules rules;
	uint32_t *ids;
};
#define ID_NONE UINT32_MAX

/* Rules that run on the same header value. */
struct header_group {
	struct header_query query;
	struct str label;
	size_t view; /* the same in all plans */
	struct turn turn;
	/* By place: those that may hit if it is not there. */
	uint32_t *absent;
	size_t nabsent;
};

/* Rules of one priority. */
struct band {
	int priority;
	struct {
		struct header_group *v;
		size_t n;
		size_t cap;
	} headers;
	struct turn turn[TURNS]; /* without TURN_HEADER */
};

/* Whether metas that need a rule may be run, as run_metas() has it. */
enum {
	DONE_FIRST = 1, /* before the end */
	DONE_END = 2,
	DONE = DONE_FIRST | DONE_END
};

/*
 * Metas by the rule that they need, but for cyclic ones: those of rule `id` are
 * places[from[id]] to places[from[id + 1] - 1], by place in plan.metas.
 */
struct users {
	uint32_t *from, *places;
};

/* rest.c: what a plan comes to when nothing hits, and what a hit changes. */
struct rest {
	uint8_t *done;  /* by rule id, at the end */
	double *values; /* by rule id */
	uint8_t *begin; /* `done` as a run begins with it */
	/*
	 * The metas to look at even so, those that hold, by place in
	 * plan.metas, one bit each.  All, if a hit may end the run early.
	 */
	uint64_t *open;
	size_t words;
	struct rules cyclic;
	/* Who needs a rule, and who alone comes to something else with it. */
	struct users all, watchers;
};

/*
 * What is run over a message: lower priorities first, and rules that look at
 * one view together, so that it is made only if somebody wants it.
 */
struct plan {
	struct {
		struct band *v;
		size_t n;
		size_t cap;
	} bands;
	struct rules metas; /* each behind those it needs */
	const struct rule
	    *target; /* it counts whatever its score is; or NULL */
	struct rest rest;
	size_t n;
};

/* What the meta comes to counts. */
static inline bool
plan_scores(const struct plan *plan, const struct rule *rule)
{
	return rule->score != 0 || rule == plan->target;
}

struct test_line {
	struct place place;
	struct str rule;
	bool is_ok; /* the rule must hit */
	struct str text;
};

struct ruleset {
	struct arena *arena;
	struct regex_env *env;
	struct mail_config mail;
	const struct eval_row *const
	    *evals; /* those of EVAL_CONTENT first, ended by NULL */
	const struct eval_facts *(*test_facts)(
	    struct arena *a, const struct envelope *envelope, struct str text);
	const struct strs *own_networks; /* see ruleset_options; to link */
	struct table *by_name;           /* struct rule * */
	struct table *left_out; /* names defined in blocks that are not read */
	struct rules rules;     /* the defined ones, by name */
	struct rules metas;     /* each behind those it needs */
	int first_priority;     /* the lowest of all rules; 0 or less */
	struct replace_tags *tags;
	struct plugins plugins;
	struct shortcuts {
		bool is_used; /* a rule or a bound may end the run early */
		double ham_score, spam_score;
		bool has_min_ham, has_max_spam;
		double min_ham, max_spam;
		const struct rule *rule; /* SHORTCIRCUIT, which says so */
	} shortcuts;
	uint8_t digest[RULESET_DIGEST_BYTES]; /* ruleset_digest() */
	struct strs tlds[3];                  /* util_rb_tld, _2tld, _3tld */
	struct {
		struct unread *v;
		size_t n, cap;
	} unread; /* lines that mean nothing here */
	struct settings settings;
	struct eval_lists lists; /* what the settings became */
	struct {
		struct test_line *v;
		size_t n, cap;
	} tests;
	struct plan *active; /* scored rules and what they need */
	struct plan *all;    /* every sub-rule as well */
	size_t part_views;   /* the first view of mimeheader rules */
	size_t nviews;
	_Atomic(struct filter *) filter; /* NULL: not made yet */
	_Atomic(struct looks *) looks;   /* the same */
	/* Made behind both; NULL as well: every rule is tried. */
	_Atomic(struct demand *) demand;
};

/*
 * What rules look at, as a prefilter passes it.  FILTER_HEADER and up: each
 * header of the message; then each header of its parts.
 */
enum filter_view {
	FILTER_BODY,
	FILTER_RAWBODY,
	FILTER_URI,
	FILTER_FULL,
	FILTER_HEADER
};
#define FILTER_NONE SIZE_MAX

/* The view that all rules of a turn look at; FILTER_NONE: there is no such. */
static inline size_t
turn_view(size_t turn)
{
	return turn == TURN_BODY      ? FILTER_BODY
	       : turn == TURN_URI     ? FILTER_URI
	       : turn == TURN_RAWBODY ? FILTER_RAWBODY
				      : FILTER_NONE;
}

/* By factors, and by shapes; a rule is in one of them at most. */
#define FILTERS 2

struct filter {
	struct arena *arena;
	struct prefilter **view; /* by view; NULL: nothing to filter */
	size_t n;
	uint32_t *slots; /* by rule id */
};

/* What says more of the regex of a rule than a filter does; NULL: nothing. */
struct rule_looks {
	struct look *look;
	struct starts *starts;   /* where it may match */
	struct stretch *stretch; /* what its matches have */
};

struct looks {
	struct arena *arena;
	struct rule_looks *v;  /* by rule id */
	struct filter *shapes; /* for regexes that the other knows nothing of */
};

void filter_free(struct ruleset *rules);

/* ruleset.c: `text` is one more file that the rules come from. */
void ruleset_digest_add(struct ruleset *rules, struct str text);

/* Letters, digits and _, no digit first. */
bool rule_is_name(struct str name);
/*
 * The rule of that name, made if need be; NULL: no such name is allowed, or
 * there are 100,000 rules.
 */
struct rule *rule_get(struct ruleset *rules, struct str name);

/* parse.c: read one file, or `text` as if it were file `name`, into `rules`. */
struct reader;
struct reader *reader_new(struct ruleset *rules, struct diags *diags);
/* Which plugins are loaded: `path` if it is a .pre file, or those in it. */
void reader_plugins(struct reader *r, struct str path);
void reader_file(struct reader *r, struct str path);
void reader_text(struct reader *r, struct str name, struct str text);
/* util_rb lines and limits into rules->mail. */
void reader_finish(struct reader *r);

/*
 * define.c: from rule->text to what is run; is_net and so on are known.  State
 * and diags say what failed.  Metas are linked later.
 */
void rule_define(struct ruleset *rules, struct rule *rule, struct diags *diags);
/* To the definition before the last one, which is broken; false: none. */
bool rule_go_back(struct rule *rule);
void rule_read_flags(struct rule *rule);

/* networks.c: rules->mail.networks from the settings. */
void networks_make(struct ruleset *rules, struct diags *diags);

/* link.c: everything that needs all rules to be known. */
void ruleset_link(struct ruleset *rules, struct diags *diags);
/* The plan for one rule and what it needs, whatever its score is. */
struct plan *plan_for(
    struct arena *a, const struct ruleset *rules, const struct rule *rule);

/* rest.c: plan->rest, all else in the plan is there. */
void plan_rest(struct arena *a, const struct ruleset *rules, struct plan *plan);
/* All rules of the band that need nothing filled in were run. */
void band_done(const struct band *band, uint8_t *done);
/* Of a meta, by the values of what it needs; 0: it does not hold. */
double meta_value(const struct rule *rule, const double *values);

/* run.c: values by rule id; what ruleset_run() and the tests share. */
struct run;
struct run *run_new(const struct ruleset *rules, struct message *m,
    const struct rule_run *options, struct rule_result *result);
void run_plan(struct run *run, const struct plan *plan);
double run_value(const struct run *run, const struct rule *rule);
/* A text rule, alone, on one string. */
bool run_on_text(struct run *run, const struct rule *rule, struct str text);

#endif
