/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mass_log -- the log of `postern masscheck`: which mail is ham and which is
 * spam, and what rules hit it.  One record a line: a word, key=value pairs, a
 * full stop that tells a whole line from one that was cut short.
 *
 *	rule rules=HASH name=LINK_LURE type=body score=4.000 flags=nice .
 *	start rules=HASH version=0.1.0 date=2026-11-30T10:12:00Z subs=no .
 *	spam rules=HASH class=submission score=7.000 size=1200 us=900
 *	    hits=LINK_LURE,WORD*3 file=box/1 .			(one line)
 *	fail rules=HASH why=it\x20is\x20empty file=box/2 .
 *	cost rules=HASH name=LINK_LURE ns=18000 messages=400 .
 *
 * Values are escaped as in log lines, blanks too.  HASH tells rule sets apart,
 * so one log may have the records of several.
 */
#ifndef CMD_MASS_LOG_H
#define CMD_MASS_LOG_H

#include "base/buf.h"

struct arena;
struct table;

enum mass_word {
	MASS_START, /* a run begins; before the first one all rules are told */
	MASS_RULE,  /* a rule that is run */
	MASS_HAM,
	MASS_SPAM,
	MASS_FAIL, /* a message that has no result */
	MASS_COST, /* of a rule, or of what is done for many, in one run */
	MASS_WORDS
};

/* One line; what its word has no key for is empty or 0. */
struct mass_record {
	enum mass_word word;
	struct str rules; /* the rule set */
	struct str version, date, subs;
	struct str name, type, flags; /* of a rule; flags: words of tflags */
	struct str class, file, why;  /* class: of posternd */
	struct str hits;              /* "NAME,NAME*3"; "-": none */
	double score;
	uint64_t size, us, ns, messages;
};

/* A record whose other texts are empty. */
struct mass_record mass_record_new(enum mass_word word, struct str rules);
/* Append the line of `record`, with its newline. */
void mass_record_put(struct buf *b, const struct mass_record *record);
/*
 * Read a line, without its newline; views in `*ret` live in `a` or in `line`.
 * Keys that are not known are skipped, none that is may be missing.  False: it
 * is not whole, or no record.
 */
MUST_CHECK bool mass_record_parse(
    struct arena *a, struct str line, struct mass_record *ret);
/*
 * Cut the next "NAME" or "NAME*3" off `*hits`.  False: there is none, or it is
 * none; `*hits` is not empty then.
 */
MUST_CHECK bool mass_hit_cut(
    struct str *hits, struct str *ret_name, unsigned *ret_count);

/* A rule as the log has it. */
struct mass_rule {
	struct str name, type;
	double score;
	bool is_sub;
	bool is_nice;         /* meant to hit ham */
	bool is_userconf;     /* its score is for the admin to set */
	uint32_t hits[2];     /* messages: [0] ham, [1] spam */
	size_t seen;          /* only while the log is read */
	uint64_t ns;          /* it took, ... */
	uint64_t ns_messages; /* ... in so many messages; 0: not known */
};

struct mass_hit {
	uint32_t rule; /* in mass.rules */
	uint32_t count;
};

struct mass_mail {
	struct str file;
	struct str class; /* of posternd */
	bool is_spam;
	bool is_failed; /* only while the log is read */
	double score;
	uint64_t size_bytes;
	uint64_t us;
	size_t first, nhits; /* in mass.hits */
};

/* What the log has of one rule set. */
struct mass {
	struct str hash, version, date; /* date: when it was last begun */
	bool has_subs;
	struct {
		struct mass_rule *v;
		size_t n, cap;
	} rules; /* as the log has them */
	struct {
		struct mass_mail *v;
		size_t n, cap;
	} mails;
	struct {
		struct mass_hit *v;
		size_t n, cap;
	} hits;
	struct table *by_file; /* mass_key() -> place in mails + 1 */
	size_t count[2];       /* messages: [0] ham, [1] spam */
	size_t failed;         /* messages without a result */
	size_t others;         /* records of other rule sets */
	size_t broken;         /* lines that are no records */
};

/*
 * The file a message is known by: a Maildir's without its flags, in cur even if
 * it is in new, as mail readers move and rename it.
 */
struct str mass_key(struct arena *a, struct str file);

/* It is empty, or some line of it begins as a record does. */
bool mass_is_log(struct str text);
/*
 * Read `text`, a log, which must live as long as `a`: what it has of the rule
 * set whose hash begins with `hash`, or, if that is empty, of the one that was
 * begun last.  Of several records of a file the last one counts.  False: there
 * is no such rule set.
 */
MUST_CHECK bool mass_read(
    struct arena *a, struct str text, struct str hash, struct mass *ret);

#endif
