/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * regex -- Perl's regular expressions on bytes, as SpamAssassin compiles them
 * (qr//aa): \w \s \d are ASCII, /i folds Latin-1.  Bounded: a match that costs
 * too much is given up and says so.  Reading a literal is literal.h's work.
 */
#ifndef RULES_REGEX_H
#define RULES_REGEX_H

#include "base/str.h"

struct arena;
struct regex;         /* compiled; any number of threads may match with it */
struct regex_env;     /* what all regexes of a rule set share */
struct regex_scratch; /* what one run over a message needs; one thread at a time
		       */

struct regex_limits {
	unsigned match;    /* backtracking steps from one start; 0: default */
	unsigned depth;    /* nesting, where there is no JIT; 0: default */
	unsigned heap_kib; /* memory, where there is no JIT; 0: default */
};

/*
 * The other case of a letter under /i, ASCII and Latin-1, as Perl has it for
 * bytes; else `c`.  D7 and F7 are no letters, DF and FF have no other case
 * there.
 */
static inline unsigned char
regex_other_case(unsigned char c)
{
	bool is_latin = c >= 0xc0 && (c & 0xdf) != 0xd7 && (c & 0xdf) != 0xdf;
	return char_is_alpha((char)c) || is_latin ? c ^ 0x20 : c;
}

struct regex_env *regex_env_new(
    struct arena *a, const struct regex_limits *limits);

enum regex_status {
	REGEX_OK,
	REGEX_BROKEN,     /* not a regular expression */
	REGEX_UNSUPPORTED /* fine in Perl, but not here */
};

/*
 * Compile `pattern`, which has its modifiers in front: "(?i)foo".  The regex
 * lives as long as the arena of `env`.  `*ret_why` is set if it fails.
 */
MUST_CHECK enum regex_status regex_new(struct regex_env *env,
    struct str pattern, struct regex **ret, struct str *ret_why);
/*
 * The same for texts in UTF-8: a character is one, whatever its length, and a
 * byte of `pattern` is the character of that number, as in a Perl source
 * without "use utf8".  What is not UTF-8 in a text matches nothing.
 */
MUST_CHECK enum regex_status regex_new_unicode(struct regex_env *env,
    struct str pattern, struct regex **ret, struct str *ret_why);
/* `pattern`, which may be Perl's alone, as PCRE2 and libhs read it for bytes.
 */
struct str regex_pattern(struct arena *a, struct str pattern);
/*
 * One of the two with the lifetime of `a`, for a pattern that one message
 * makes; any number of threads may compile with one `env`.
 */
MUST_CHECK enum regex_status regex_new_in(struct arena *a,
    const struct regex_env *env, struct str pattern, bool is_unicode,
    struct regex **ret, struct str *ret_why);
/*
 * PCRE2 goes from one place where it may match to the next by itself: it begins
 * with one byte, or stands at the start of a text or line.
 */
bool regex_is_placed(const struct regex *re);
/* It may match at the starts of lines alone, or there first: `.*`. */
bool regex_is_at_lines(const struct regex *re);
/* It may match at the start of a text alone. */
bool regex_is_anchored(const struct regex *re);
/* Machine code for it, so that matching is fast.  Not while others use it. */
void regex_speed_up(struct regex *re);

/* `is_expired(arg)` is asked every now and then; NULL: no budget. */
struct regex_scratch *regex_scratch_new(struct arena *a,
    const struct regex_env *env, bool (*is_expired)(void *), void *arg);

/* Give its memory back before the arena does: a deep match may take 8 MiB. */
void regex_scratch_done(struct regex_scratch *scratch);

enum regex_result {
	REGEX_NO,
	REGEX_YES,
	REGEX_LIMIT,  /* match, depth or heap limit */
	REGEX_STACK,  /* the machine code ran out of its stack */
	REGEX_EXPIRED /* is_expired() said so */
};

struct regex_span {
	size_t from, to;
};

/*
 * Look for a match in `subject` that starts at `from` or later.  `is_again`:
 * an empty match at `from` does not count, which is how Perl's /g goes on
 * behind an empty match.
 */
MUST_CHECK enum regex_result regex_match(const struct regex *re,
    struct regex_scratch *scratch, struct str subject, size_t from,
    bool is_again, struct regex_span *ret);

/*
 * The same for a match that starts at `until` or before, for many looks at one
 * text: regex_next_text() comes before the first of them.
 */
MUST_CHECK enum regex_result regex_match_within(const struct regex *re,
    struct regex_scratch *scratch, struct str subject, size_t from,
    size_t until, bool is_again, struct regex_span *ret);
void regex_next_text(struct regex_scratch *scratch);

/*
 * Its groups with a name in capitals, (?<NAME>...), in the order of the names;
 * a name may stand for several groups.
 */
size_t regex_capture_count(const struct regex *re);
struct str regex_capture_name(const struct regex *re, size_t i);
/*
 * What group `i` of them matched when regex_match() said REGEX_YES for `re` on
 * `subject`, before `scratch` matched anything else.  Empty: nothing.
 */
struct str regex_capture(const struct regex *re,
    const struct regex_scratch *scratch, struct str subject, size_t i);

/* Group `n` of any regex, in the same way, if it was wanted before matching. */
void regex_want_group(struct regex *re, unsigned n);
struct str regex_group(const struct regex *re,
    const struct regex_scratch *scratch, struct str subject, unsigned n);

#endif
