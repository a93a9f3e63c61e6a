/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ruleset -- rules in the SpamAssassin language: read from .cf files, checked,
 * run over a message.  Immutable once loaded, so any number of threads may run
 * it.  Knows no milter, clock, socket or log: trouble is reported to the
 * caller.
 */
#ifndef RULES_RULESET_H
#define RULES_RULESET_H

#include "base/diag.h"
#include "base/str.h"
#include "mail/message.h"

struct arena;
struct eval_facts;
struct eval_row;
struct ruleset;

struct ruleset_options {
	/* Further tables of eval functions (auth, notice), ended by NULL; NULL:
	 * none. */
	const struct eval_row *const *evals;
	/*
	 * The facts of a `test` line that begins with "X-Postern-Facts: TEXT":
	 * what they are, `text` says.  NULL: it cannot be read.
	 */
	const struct eval_facts *(*test_facts)(
	    struct arena *a, const struct envelope *envelope, struct str text);
	/*
	 * Servers of ours: their Received fields are believed, besides those of
	 * the networks that rule files name.  NULL: there are none.
	 */
	const struct strs *own_networks;
	unsigned match_limit; /* PCRE2 match limit; 0: built-in default */
	unsigned depth_limit;
	unsigned heap_limit_kib;
	struct mail_limits limits;
};

/*
 * Load rule files: each of `paths` is a .cf file or a directory whose *.cf are
 * read in name order.  Always returns a rule set with what is sound; a rule
 * that is not, and what depends on it, is disabled and named in `diags` with
 * file:line.  DIAG_ERROR: a file or a line is broken, not only unsupported.
 */
struct ruleset *ruleset_load(const struct strs *paths,
    const struct ruleset_options *options, struct diags *diags);
/* The same for `text`, as if it were a file called `name`. */
struct ruleset *ruleset_load_text(struct str name, struct str text,
    const struct ruleset_options *options, struct diags *diags);
struct filter_options {
	int64_t (*cpu_ns)(
	    void); /* CPU time of this thread: to find what is slow */
	bool (*is_cancelled)(
	    void *arg); /* asked after each regex; NULL: never */
	void *arg;
	struct str cache; /* file to keep what is made in; empty: none */
};

struct filter_made {
	size_t regexes, filtered; /* how many there are, and how many of them
				     need not try every string */
	size_t databases, kept;   /* of slow regexes, and from the cache */
	int cache_errno; /* 0: the cache was written, or is as it was */
};

/*
 * Make what rules most strings out for most rules in one pass, and what tries
 * slow regexes quickly.  It takes some seconds of one thread; others may run
 * the rules meanwhile: hits are the same with and without it.  Call it at most
 * once, before ruleset_free().  False: it was cancelled.
 */
bool ruleset_filter(struct ruleset *rules, const struct filter_options *options,
    struct filter_made *ret);
void ruleset_free(struct ruleset *rules);

/* What message_new() needs to see mail as these rules want it. */
const struct mail_config *ruleset_mail_config(const struct ruleset *rules);

struct ruleset_counts {
	size_t rules;    /* defined, sub-rules included */
	size_t active;   /* will be run */
	size_t disabled; /* not supported or broken */
};
struct ruleset_counts ruleset_counts(const struct ruleset *rules);

#define RULESET_DIGEST_BYTES 32
/* Of the bytes of all files that were read, in their order: any change of a
 * rule changes it.  Options are not in it. */
const uint8_t *ruleset_digest(const struct ruleset *rules);

/* A rule as it was defined. */
struct rule_info {
	struct str name, type, tflags;
	struct str text; /* what stands behind its name */
	double score;    /* the one in force */
	struct str file;
	unsigned line;
	bool is_sub; /* __NAME: it counts in metas only */
	bool is_nice;
	bool is_live; /* it is run: sound, and its score is not 0 */
};
/* Rule `i` by name, below ruleset_counts().rules; texts live in `rules`. */
void ruleset_info(const struct ruleset *rules, size_t i, struct rule_info *ret);

/* One rule that hit. */
struct rule_hit {
	struct str rule;
	double score;   /* count times the rule's score */
	unsigned count; /* hits; more than 1 with tflags multiple */
	double value;   /* what metas see of it: count, or what was computed */
	struct str
	    evidence; /* what matched, as bytes from the mail; cut at 200 */
	struct str describe; /* empty: none */
};

struct rule_hits {
	struct rule_hit *v;
	size_t n;
	size_t cap;
};

enum rule_trouble_kind {
	TROUBLE_MATCH_LIMIT, /* PCRE2 match, depth or heap limit */
	TROUBLE_JIT_STACK,
	TROUBLE_TIME_BUDGET /* the message's budget ended before this rule */
};

/* A rule that could not be decided: counted as no match. */
struct rule_trouble {
	struct str rule;
	enum rule_trouble_kind kind;
};

struct rule_result {
	double score;          /* rounded to 0.001 */
	struct rule_hits hits; /* scored rules, by name */
	struct rule_hits subs; /* sub-rules (__NAME), by name */
	struct {
		struct rule_trouble *v;
		size_t n, cap;
	} troubles;
	bool is_out_of_time;
};

/* What rules have cost, added up over runs. */
struct rule_cost {
	struct str
	    rule; /* or, in angle brackets, what is done for many rules */
	struct str type; /* "body"; "view" or "prefilter" */
	struct str file; /* of its definition; empty: done for many */
	unsigned line;
	bool has_regex; /* `strings` are counted */
	uint64_t ns;
	uint64_t strings; /* its regex was tried on */
	uint64_t hits;    /* messages */
};

struct rule_costs {
	int64_t (*clock_ns)(void);
	struct rule_cost *v;
	size_t n;
};

/*
 * All 0, in `a`, one a rule, whether it runs or not, and one for each thing
 * that is done for many; for one thread at a time.  Texts live in `rules`.
 */
struct rule_costs *rule_costs_new(
    struct arena *a, const struct ruleset *rules, int64_t (*clock_ns)(void));
/* Back to 0. */
void rule_costs_clear(struct rule_costs *costs);
/* `costs` and `more` are of the same rules. */
void rule_costs_add(struct rule_costs *costs, const struct rule_costs *more);

struct rule_run {
	bool wants_subs;
	struct rule_costs *costs; /* NULL: they are not counted */
	/* Called between rules, inside long matches and while views are made;
	 * true: stop, the time budget is used up.  NULL: there is none. */
	bool (*is_expired)(void *arg);
	void *arg;
	const struct eval_facts *facts; /* NULL: nothing is known */
	/* Seconds since 1970; 0: not known, and what asks for it does not hit.
	 */
	int64_t now;
};

/* Run all rules over `m`.  Views in `*ret` live in `m->arena`. */
void ruleset_run(const struct ruleset *rules, struct message *m,
    const struct rule_run *run, struct rule_result *ret);

/*
 * Run every `test` line; a failing one is a DIAG_ERROR with its file:line.
 * Returns how many ran.
 */
size_t ruleset_test(const struct ruleset *rules, struct diags *diags);

#endif
