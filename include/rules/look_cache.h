/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look_cache -- looks kept in a file from one start to the next, by pattern.
 * What is missing, broken, or made by another libhs or for another processor is
 * as if it were not there.
 */
#ifndef RULES_LOOK_CACHE_H
#define RULES_LOOK_CACHE_H

#include "base/str.h"

struct arena;
struct look_cache;

/* Read the file `path`, at most 256 MiB; what cannot be read is empty. */
struct look_cache *look_cache_read(struct arena *a, struct str path);
/* False: the pattern is not known.  `*ret` empty: it needs no look. */
MUST_CHECK bool look_cache_get(
    struct look_cache *cache, struct str pattern, struct str *ret);
/* `bytes` live as long as the cache. */
void look_cache_put(
    struct look_cache *cache, struct str pattern, struct str bytes);
/* How many databases were got, and how many were put. */
void look_cache_counts(
    const struct look_cache *cache, size_t *ret_got, size_t *ret_put);
/*
 * Write what was got or put to `path`, mode 0600, unless that is what is there.
 * False: errno, and the old file stays.
 */
MUST_CHECK bool look_cache_write(
    const struct look_cache *cache, struct str path);

#endif
