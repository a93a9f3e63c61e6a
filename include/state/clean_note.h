/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clean_note -- the note beside the state file that it was closed in order:
 * then it need not be read as a whole before it is used again.  It says which
 * file that was, when it was changed last (the change time, which nobody can
 * set), and what its newest first page was; a file of which one of these is
 * another is checked.  Whoever uses the file takes the note away first.
 */
#ifndef STATE_CLEAN_NOTE_H
#define STATE_CLEAN_NOTE_H

#include "state/place.h"

/* The file is closed, on the disk, and sound as far as is known.  Without a
 * note, for whatever reason, it is checked the next time. */
void clean_note_write(const struct place *place);

/*
 * The file is as its note says.  False: it is not, there is no note, or the
 * note cannot be taken away for good.  There is none after either.
 */
MUST_CHECK bool clean_note_take(const struct place *place);

#endif
