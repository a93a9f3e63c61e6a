/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place -- the folder of the state file: made, locked, and rid of a file that
 * is broken.  Whoever calls may not log while it waits; it says why in words.
 */
#ifndef STATE_PLACE_H
#define STATE_PLACE_H

#include <limits.h>

#include "base/str.h"
#include "state/store.h"

struct arena;

#define PLACE_FILE "memory.mdb"
#define CLEAN_NOTE_FILE "memory.clean" /* clean_note.h */
#define PLACE_BROKEN_MAX 3             /* broken files that are kept */

struct place {
	char dir[PATH_MAX - 64];
	char file[PATH_MAX - 32];
	char lock[PATH_MAX - 32];
};

/* False: the path is too long. */
MUST_CHECK bool place_init(struct place *place, struct str dir);
/*
 * Make the folder, mode 0700; what lies in its place and cannot be used is
 * moved aside, and `*ret_note` says so.  False: there can be none, `*ret_note`
 * says why.  The folder above it must be there.
 */
MUST_CHECK bool place_make(
    struct arena *a, const struct place *place, struct str *ret_note);

/* The right to write; -1 with errno EWOULDBLOCK: another process has it.  It is
 * given back when that process is gone, or by close(2). */
MUST_CHECK int place_lock(const struct place *place);
/* The pid of who has it; 0: it cannot be told. */
int place_lock_owner(const struct place *place);

/*
 * Is the file sound, as far as reading all of it tells?  Does it in a child, so
 * that nothing it meets there can hurt.  A file that is not there, or is
 * empty, is sound.  STORE_IO: it cannot be told now.
 */
MUST_CHECK enum store_status place_check(
    const struct place *place, struct store_why *ret_why);

enum place_move {
	PLACE_MOVED,
	PLACE_EMPTY, /* there was nothing */
	PLACE_STAYS  /* errno */
};
/* Move the file to PLACE_FILE.broken-STAMP and remove the oldest of those. */
MUST_CHECK enum place_move place_move_aside(const struct place *place);
/* Flush the file to disk.  False: it may not be there. */
bool place_sync(const struct place *place);

#endif
