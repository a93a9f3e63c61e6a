/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stretch -- how many bytes of one set matches of a regex have side by side,
 * and a search for so many.  Reading a regex is factor.h's work.
 */
#ifndef RULES_STRETCH_H
#define RULES_STRETCH_H

#include "base/str.h"

struct arena;
struct byte_set;
struct stretch;   /* immutable: any number of threads may use it */
struct stretches; /* of what a piece of a regex may match */

/* All live in `a`. */
const struct stretches *stretches_nothing(struct arena *a);
const struct stretches *stretches_anything(struct arena *a);
const struct stretches *stretches_byte(
    struct arena *a, const struct byte_set *bytes);
/* `x` or `y`. */
const struct stretches *stretches_join(
    struct arena *a, const struct stretches *x, const struct stretches *y);
/* `x`, and `y` behind it. */
const struct stretches *stretches_chain(
    struct arena *a, const struct stretches *x, const struct stretches *y);
/* `x`, `least` times or more. */
const struct stretches *stretches_repeat(
    struct arena *a, const struct stretches *x, uint32_t least);

/* The one that tells most of a match, in `a`.  NULL: there is none. */
struct stretch *stretch_new(struct arena *a, const struct stretches *all);
/* False: no match is in `text`. */
bool stretch_is_in(const struct stretch *stretch, struct str text);
/* It is long enough, and text such as mail seldom has it. */
bool stretch_is_worth(const struct stretch *stretch);

#endif
