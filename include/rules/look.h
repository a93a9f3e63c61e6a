/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look -- a quick look at one string, whether one regex may match it: for those
 * that are slow in their own engine.
 */
#ifndef RULES_LOOK_H
#define RULES_LOOK_H

#include "base/str.h"

struct arena;
struct hs_pool;
struct look; /* immutable: any number of threads may use it */

/*
 * For a pattern that regex_new() takes.  It lives as long as `a`.  NULL: it is
 * too long, or libhs might read it in another way.  Not while there are looks
 * with the same pool.
 */
struct look *look_new(
    struct arena *a, struct hs_pool *pool, struct str pattern);
/*
 * The pattern as libhs is to read it, in `a`.  False: it is too long, or may be
 * read in another way.
 */
MUST_CHECK bool look_pattern(
    struct arena *a, struct str pattern, struct str *ret);
/* To be kept; see hs_db.h. */
struct str look_bytes(struct arena *a, const struct look *look);
struct look *look_from_bytes(
    struct arena *a, struct hs_pool *pool, struct str bytes);
/* False: the pattern does not match `s`. */
bool look_may_match(const struct look *look, struct str s);

#endif
