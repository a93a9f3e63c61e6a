/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glob -- patterns with * (any text) and ? (one character), and sets of them
 * that are asked at once: thousands cost hardly more than one.
 */
#ifndef RULES_GLOB_H
#define RULES_GLOB_H

#include "base/str.h"

struct arena;
struct globs;

/* All of `text`; no work is repeated but from the last * on. */
bool glob_fits(struct str glob, struct str text);

struct globs *globs_new(struct arena *a);
/* `glob` must live as long as `globs`; the same one may be added twice. */
void globs_add(struct globs *globs, struct str glob, void *value);
/*
 * Call `fn` with the value of each pattern that matches all of `text`, until it
 * returns true; then so does this.  As in SpamAssassin's lists a line end at
 * the end of `text` does not count, and no pattern matches more than a line.
 */
bool globs_find(const struct globs *globs, struct str text,
    bool (*fn)(void *arg, void *value), void *arg);
/* One of them matches. */
bool globs_match(const struct globs *globs, struct str text);

#endif
