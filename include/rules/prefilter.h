/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefilter -- which of many regexes may match which strings, found in one pass
 * over all of them.  It never decides a match: what it rules out cannot match,
 * what is left is for regex.h.
 */
#ifndef RULES_PREFILTER_H
#define RULES_PREFILTER_H

#include "base/str.h"

struct arena;
struct hs_pool;
struct look_cache;
struct starts;
struct prefilter;         /* immutable: any number of threads may use it */
struct prefilter_builder; /* patterns on their way to one */
struct candidates;        /* what one pass has left */

/* In `a`, which the prefilter that is built from it does not need. */
struct prefilter_builder *prefilter_builder_new(struct arena *a);
/*
 * Add a pattern that regex_new() takes, by what its matches contain or by where
 * they may begin.  Returns its slot, or PREFILTER_NONE: too little is known of
 * it, it must be tried on every string.
 */
uint32_t prefilter_add(struct prefilter_builder *b, struct str pattern);
#define PREFILTER_NONE UINT32_MAX
/* Add one by where its matches may begin. */
uint32_t prefilter_add_starts(
    struct prefilter_builder *b, const struct starts *starts);
/*
 * Add a pattern that prefilter_add() knows too little of, as look_pattern()
 * writes it: libhs tries it on every string, some such patterns at once.  A
 * prefilter has either these or those.
 */
uint32_t prefilter_add_shape(struct prefilter_builder *b, struct str pattern);
/*
 * In `a`.  NULL: nothing was added, or libhs refuses it.  `pool`: see hs_db.h.
 * What takes long is taken from `cache` and put there; NULL: there is none.
 */
struct prefilter *prefilter_build(struct arena *a, struct prefilter_builder *b,
    struct hs_pool *pool, struct look_cache *cache);

/* How many slots there are: they count from 0. */
size_t prefilter_slots(const struct prefilter *p);

/*
 * One pass over `strings`.  The answer lives in `a`.  NULL: there is none, for
 * too much was left or `is_expired(arg)`, asked every 64 KiB, said so.
 */
struct candidates *prefilter_pass(const struct prefilter *p, struct arena *a,
    const struct strs *strings, bool (*is_expired)(void *), void *arg);
/* The slots that have a place in some string, `*ret_n` of them. */
const uint32_t *candidates_slots(const struct candidates *c, size_t *ret_n);
/* Where a walk over what may match is. */
struct candidate_cursor {
	uint32_t next;
};

struct candidate_cursor candidates_begin(
    const struct candidates *c, uint32_t slot);
/* A match may begin in bytes `from` to `until` of a string, both included. */
struct candidate_place {
	size_t string;
	size_t from, until; /* `until` may be behind the end of the string */
};

/*
 * The next place where a match of the slot's pattern may begin, in order; none
 * overlaps another.  False: there is none.
 */
bool candidates_next(const struct candidates *c,
    struct candidate_cursor *cursor, struct candidate_place *ret);

#endif
