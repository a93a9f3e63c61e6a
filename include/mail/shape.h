/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shape -- is a text of that form, and what stands where in it?  A form is
 * written much as for scanf(3), and alternatives are tried as Perl tries those
 * of a regular expression, so that the same bytes are found; but every place of
 * the text is looked at once for a piece of the form, whatever it says.
 *
 *     bytes     themselves
 *     %%        a percent sign
 *     {a|b|}    a, or b, or nothing, in this order; may nest
 *     %s        bytes that are no blanks, as many as there are
 *     %h ...    the same, kept under that letter: one of h r b d u e x y
 *     %0s %0h   the same, or nothing
 *     %i %I     an IP address, kept or not (relay_ip.h)
 *     %L        localhost, by name or address
 *     %.  %*    anything within a line, as little or as much as will do
 *     %+        the same as %*, at least one byte
 *     %[ ... %] what is between them is kept under the letter behind %[
 *     %^ %$     the start and the end of the text
 *     %<        a word starts or ends here
 * and the classes of bytes in the table of shape.c.
 */
#ifndef MAIL_SHAPE_H
#define MAIL_SHAPE_H

#include "base/str.h"

/* A shape is at most that long. */
#define SHAPE_MAX 256
#define SHAPE_LETTERS 26

struct shape_found {
	struct str all;               /* what the shape took */
	struct str of[SHAPE_LETTERS]; /* by letter - 'a' */
	bool has[SHAPE_LETTERS];
};

/* `text` starts like that; `*ret` is written if it does. */
MUST_CHECK bool shape_starts(
    struct str text, const char *shape, struct shape_found *ret);
/* `text` is like that somewhere: the first place. */
MUST_CHECK bool shape_find(
    struct str text, const char *shape, struct shape_found *ret);
/* The same; letters of `shape` stand for both cases, outside of % too. */
MUST_CHECK bool shape_ifind(
    struct str text, const char *shape, struct shape_found *ret);

/* Pairs of neighbouring bytes, by hash: a set may seem to have more. */
struct shape_pairs {
	uint64_t bits[8];
};

/* What `text` has; what each text like `shape` has, case not folded. */
struct shape_pairs shape_pairs_of(struct str text);
struct shape_pairs shape_pairs_needed(const char *shape);

/*
 * A text that has `pairs`, or a part of it, may be like the shape that needs
 * `needed`.  For texts that are tried with many shapes.
 */
static inline bool
shape_is_possible(
    const struct shape_pairs *pairs, const struct shape_pairs *needed)
{
	uint64_t missing = 0;
	for (size_t i = 0; i < COUNT_OF(needed->bits); i++)
		missing |= needed->bits[i] & ~pairs->bits[i];
	return missing == 0;
}

/* Somewhere, and nothing is to be kept. */
bool shape_is_in(struct str text, const char *shape);

static inline struct str
shape_get(const struct shape_found *found, char letter)
{
	return found->has[letter - 'a'] ? found->of[letter - 'a'] : STR_EMPTY;
}

static inline bool
shape_has(const struct shape_found *found, char letter)
{
	return found->has[letter - 'a'];
}

#endif
