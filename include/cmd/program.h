/* SPDX-License-Identifier: BSD-2-Clause */
/* program -- what another program of this host says on its standard output. */
#ifndef CMD_PROGRAM_H
#define CMD_PROGRAM_H

#include "base/str.h"

struct arena;

/* The path of `name` in the folders of an MTA and of $PATH; empty: none. */
struct str program_find(struct arena *a, struct str name);

/*
 * Run the program words[0], a path, with these words, without a shell.  Its
 * standard error is dropped.  At most `max` bytes of output are kept, for 20 s
 * it is waited for.  False: `*ret_why`, in words.
 */
MUST_CHECK bool program_output(struct arena *a, const struct strs *words,
    size_t max, struct str *ret, struct str *ret_why);

#endif
