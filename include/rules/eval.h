/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval -- functions that rules ask by `eval:name(arguments)`.  One row each, in
 * the room that knows the answer; rules/ has those that need only the message
 * and its envelope.
 */
#ifndef RULES_EVAL_H
#define RULES_EVAL_H

#include "base/str.h"
#include "mail/message.h"

struct eval_cache;
struct eval_lists;
struct regex;
struct regex_scratch;

/* What is known beyond the text, by the room that found it out; NULL: nothing.
 */
struct eval_facts {
	const struct facts *auth;
	const struct notice *notice;
};

struct eval_call {
	const struct eval_row *row; /* for functions that serve several */
	struct message *message;
	const struct eval_facts *facts; /* may be NULL */
	int64_t now;                    /* see struct rule_run */
	const struct eval_lists *lists; /* of the rule files */
	struct eval_cache *cache;       /* of this run; see eval_rows.h */
	const struct str *args;         /* unquoted */
	size_t nargs;
	const double *numbers; /* the arguments as Perl's numbers */
	/* One an argument, compiled if its letter is r, p, u; otherwise NULL.
	 */
	const struct regex *const *regexes;
	/* The rule is a rawbody rule: its text is message_rawbody(). */
	bool is_rawbody;
	struct regex_scratch *scratch; /* for regex_match() */
	struct str evidence; /* out: what was found; empty: nothing to show */
};

struct eval_row {
	const char *name;
	unsigned args_min, args_max;
	/*
	 * One letter an argument: s string, n number, r regex, p pattern
	 * without delimiters, u the same for characters, not bytes.  Further
	 * arguments are of the last letter.  Words behind the letters, each
	 * after a blank: no other string will do.  What does not fit is refused
	 * when rules load.
	 */
	const char *args;
	const char *help; /* one line for the manual */
	const char
	    *source; /* SpamAssassin plugin it comes from, RFC, or "postern" */
	/* 0: no hit; otherwise the value of the rule, usually 1. */
	int (*run)(struct eval_call *call);
};

/*
 * The tables of rules/, ended by NULL; each is ended by a row without name.
 */
extern const struct eval_row *const EVAL_CONTENT[];

#endif
