/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filterer -- one thread that makes the prefilter of a snapshot's rules while
 * mail is served without.
 */
#ifndef SESSION_FILTERER_H
#define SESSION_FILTERER_H

#include "session/snapshot.h"

struct filterer;

struct filterer *filterer_start(void);
/*
 * Make the prefilter of `snapshot`, if its configuration wants one; what is
 * being made for another is given up.  Takes a reference of its own.  `cache`
 * is the file it is kept in; empty: none.
 */
void filterer_take(
    struct filterer *f, struct snapshot *snapshot, struct str cache);
/* Until what was taken is made. */
void filterer_wait(struct filterer *f);
/* NULL is fine. */
void filterer_stop(struct filterer *f);

/* "off", "making", "ready" */
const char *filterer_state(struct filterer *f);

#endif
