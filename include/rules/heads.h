/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heads -- the first bytes that matches of a regex may have, and a search for
 * places of a text that have them.  Reading a regex is factor.h's work.
 */
#ifndef RULES_HEADS_H
#define RULES_HEADS_H

#include "base/str.h"

struct arena;
struct byte_set;
struct heads;       /* of what a piece of a regex may match */
struct starts;      /* immutable: any number of threads may use it */
struct start_group; /* the same, when all have been added */

/* All live in `a`, and may say less than is true of what is complicated. */
const struct heads *heads_nothing(struct arena *a);
const struct heads *heads_anything(struct arena *a);
const struct heads *heads_byte(struct arena *a, const struct byte_set *bytes);
/* `x` or `y`. */
const struct heads *heads_join(
    struct arena *a, const struct heads *x, const struct heads *y);
/* `x`, and `y` behind it. */
const struct heads *heads_chain(
    struct arena *a, const struct heads *x, const struct heads *y);
/* `x`, `least` to `most` times. */
const struct heads *heads_repeat(
    struct arena *a, const struct heads *x, uint32_t least, uint32_t most);
/* What comes behind it still counts. */
bool heads_are_open(const struct heads *x);
/*
 * Of the heads of all there is: bytes that may be there alone and with nothing
 * behind them.  False: there are none.
 */
bool heads_single(const struct heads *x, struct byte_set *ret);

/* So many bytes of a match are in front of its heads, both included. */
struct lead {
	uint32_t least, most;
};

/* The search for them, in `a`. */
struct starts *starts_new(
    struct arena *a, const struct heads *heads, struct lead lead);
/*
 * A match begins at the start of a line, as well.  False: that cannot be told,
 * for what is in front of the heads has no fixed length.
 */
MUST_CHECK bool starts_at_lines(struct starts *starts);
/* Each byte of `single` is a match, wherever it is; the lead is 0. */
void starts_set_single(
    struct arena *a, struct starts *starts, const struct byte_set *single);
struct starts *starts_copy(struct arena *a, const struct starts *starts);
/*
 * In text such as mail a match may begin at so many bytes of one, and is not
 * just that byte; `is_grouped`: for all that a start_group knows of it.
 */
double starts_share(const struct starts *starts, bool is_grouped);
/* The same by the first byte of the heads alone. */
double starts_first_share(const struct starts *starts);

/* Places next to each other, or nearly so, both included. */
struct places {
	size_t first, last;
};

/*
 * The next places of `text` from byte `from` to `until`, both included, where a
 * match may begin; `starts` NULL: all of them.  False: there is none.
 */
bool starts_next(const struct starts *starts, struct str text, size_t from,
    size_t until, struct places *ret);

/* Byte `at` of `text`, which starts_next() has told first, is a match. */
bool starts_are_match(const struct starts *starts, struct str text, size_t at);

/*
 * How many matches of one byte there are from byte `*from` to `until`, both
 * included: `most`, or all before the next place where it may be another.
 * `*from` is behind them.
 */
size_t starts_count(const struct starts *starts, struct str text, size_t *from,
    size_t until, size_t most);

/* The starts of several patterns, of which it knows a little less. */
struct start_group *start_group_new(struct arena *a);
struct start_group *start_group_copy(
    struct arena *a, const struct start_group *group);
/* False: it is full.  `number`: which pattern. */
bool start_group_add(
    struct start_group *group, const struct starts *starts, uint32_t number);
/*
 * Call `on_start(arg, number, first, last)` for each pattern a match of which
 * may begin at bytes `first` to `last` of `text`, in this order by pattern; it
 * may be told twice.
 */
void start_group_search(const struct start_group *group, struct str text,
    void (*on_start)(void *arg, uint32_t number, size_t first, size_t last),
    void *arg);

#endif
