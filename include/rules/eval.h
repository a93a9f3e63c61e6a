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

/*
 * What a function looks at, and what it does beside its answer; a row has all
 * of its own.  test/unit/eval_needs.c finds out whether they are the right
 * ones.
 */
enum eval_need {
	/* Nothing of the message: its answer is always the same, or that of
	   the settings of the rule files. */
	NEED_NOTHING = 1 << 0,
	NEED_ENVELOPE = 1 << 1, /* sender, recipients, login */
	NEED_HEADER = 1 << 2,   /* fields of the header */
	NEED_RELAYS = 1 << 3,   /* hops, as X-Spam-Relays-* has them */
	NEED_BODY = 1 << 4,     /* text as `body` rules see it */
	NEED_RAWBODY = 1 << 5,  /* text as `rawbody` rules see it */
	NEED_SOURCE = 1 << 6,   /* the body as it came, still encoded */
	NEED_PARTS = 1 << 7,    /* MIME parts and attachments: fields, bytes */
	NEED_HTML = 1 << 8,     /* what is found in the parts that are HTML */
	NEED_LINKS = 1 << 9,    /* links, and hosts that they lead to */
	NEED_POLICY = 1 << 10,  /* login map, local domains, signing keys */
	NEED_DNS = 1 << 11,     /* SPF, DKIM, DMARC, MX: what the DNS said */
	NEED_NOTICE = 1 << 12,  /* kind and origin of an automatic notice */
	/* It changes the body that rules behind it see, see
	   message_body_change(). */
	CHANGES_BODY = 1 << 13,
};
#define EVAL_NEEDS 14 /* how many bits there are */

/* "envelope", "header", ... of the bit 1 << `i`, and what it is, for people. */
struct str eval_need_name(size_t i);
struct str eval_need_help(size_t i);

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
	unsigned needs;   /* of enum eval_need; never 0 */
	const char *help; /* one line for the manual */
	const char
	    *source; /* SpamAssassin plugin it comes from, RFC, or "postern" */
	/* 0: no hit; 1: one hit, which is the value of the rule. */
	int (*run)(struct eval_call *call);
};

/*
 * The tables of rules/, ended by NULL; each is ended by a row without name.
 */
extern const struct eval_row *const EVAL_CONTENT[];

#endif
