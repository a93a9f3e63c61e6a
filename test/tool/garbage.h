/* SPDX-License-Identifier: BSD-2-Clause */
/* garbage -- packets no MTA sends, to see that a milter lives through them. */
#ifndef TEST_GARBAGE_H
#define TEST_GARBAGE_H

#include "dialog.h"

/*
 * Make every attack of the table, or the one called `name`, or for "random"
 * `rounds` connections of random packets made from `seed`.  One line each on
 * standard output: what the milter did.  False: no such attack.
 */
MUST_CHECK bool garbage_run(
    const struct plan *plan, const char *name, uint64_t seed, unsigned rounds);

#endif
