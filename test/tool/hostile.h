/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile -- mail that is made to cost: one thing, again and again, to any
 * size.  What such mail costs is for those who use it to measure.
 */
#ifndef TEST_HOSTILE_H
#define TEST_HOSTILE_H

#include "base/str.h"

struct arena;

struct hostile {
	const char *name;
	struct str head; /* the message up to what is repeated */
	/*
	 * Repeated; \1 stands for a number that grows, \2 for that plus 1,
	 * and \3 for `filling`, repeated up to `filling_bytes`.
	 */
	struct str unit;
	struct str tail;
	struct str filling;
	size_t filling_bytes;
};

extern const struct hostile hostile_kinds[];
extern const size_t hostile_nkinds;

/* NULL: no kind has this name. */
const struct hostile *hostile_named(struct str name);
/* A message of this kind, of `size_bytes` or a little more; it lives in `a`. */
struct str hostile_make(
    struct arena *a, const struct hostile *kind, size_t size_bytes);

#endif
