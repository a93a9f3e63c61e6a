/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture -- text that one rule takes out of a message, (?<NAME>...), and
 * another rule looks for, %{NAME}.  Some names are there without a rule:
 * HEADER(From:addr), SENDERDOMAIN, AUTHORDOMAIN, RELAYSUNTRUSTED, ...
 */
#ifndef RULES_CAPTURE_H
#define RULES_CAPTURE_H

#include "base/str.h"

struct arena;
struct message;
struct regex;
struct regex_scratch;
struct tags; /* the values of one run over a message */

/* What a rule of those captures runs at, before all others. */
#define CAPTURE_PRIORITY (-10000)
/* All values of a tag together; what is more is left out. */
#define CAPTURE_BYTES ((size_t)64 * 1024)

/* The regex literal `text` has a group with a name in capitals. */
bool capture_is_set_by(struct str text);

/*
 * `text` with each %{NAME} made %\{NAME\}, which is a regex of its own.
 * `*ret_name`: the last name in it; empty: none.  SpamAssassin fills in that
 * name only, wherever it stands, so a regex has room for one.
 */
struct str capture_mark(struct arena *a, struct str text, struct str *ret_name);

/*
 * `marked`, with anything in the place of `name`: what it matches with whatever
 * is filled in.  For factor.h alone.
 */
struct str capture_gap(struct arena *a, struct str marked, struct str name);

/*
 * A match of `marked` has one of the values of `name` in it: the tag stands
 * where no group, choice or count can leave it out.  False if that is not sure.
 */
bool capture_is_needed(struct arena *a, struct str marked, struct str name);

struct tags *tags_new(struct message *m);
/* What one rule has captured so far. */
struct captured_tag {
	struct str name;
	struct strs values;
	size_t bytes;
};
struct captured {
	struct captured_tag *v;
	size_t n, cap;
};
/* Add the groups of the last match of `re`, which was in `subject`. */
void captured_add(struct tags *tags, struct captured *captured,
    const struct regex *re, const struct regex_scratch *scratch,
    struct str subject);
/* The rule is done: its values take the place of earlier ones. */
void tags_set(struct tags *tags, const struct captured *captured);

/* All values of `name` together; 0: it has none. */
size_t tags_bytes(struct tags *tags, struct str name);
/*
 * One of the values of `name` is in `text`, whatever its case; or one is beyond
 * ASCII, whose case is the regex's matter.
 */
bool tags_may_be_in(struct tags *tags, struct str name, struct str text);
/*
 * `marked` with the values of `name` in its place, (?:a|b), taken literally.
 * False: it has no value, so the rule is not run.
 */
MUST_CHECK bool tags_fill(
    struct tags *tags, struct str marked, struct str name, struct str *ret);

#endif
