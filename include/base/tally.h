/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally -- counters by name, for names of ours such as rules: what was counted
 * once stays.  Any number of threads may add and read at once, without a lock.
 */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include "base/str.h"

struct arena;
struct tally;

/* Room for at least `names` of them; more are not told apart. */
struct tally *tally_new(size_t names);
/* NULL is fine. */
void tally_free(struct tally *t);

/* The bytes of `name` are copied when it is new. */
void tally_add(struct tally *t, struct str name, uint64_t n);

struct tally_row {
	struct str name; /* lives as long as the tally */
	uint64_t n;
};

/* All that was counted, by name, in `a`; returns how many rows. */
size_t tally_read(struct arena *a, struct tally *t, struct tally_row **ret);
/* Counted under names there was no room for. */
uint64_t tally_rest(struct tally *t);

#endif
