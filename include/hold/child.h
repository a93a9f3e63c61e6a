/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child -- another program, run without a shell and with nothing of ours but
 * what it is given: descriptors, words, environment.
 */
#ifndef HOLD_CHILD_H
#define HOLD_CHILD_H

#include "base/str.h"

struct child {
	char *const *argv; /* an absolute path and words; ended by NULL */
	/* Beside PATH, which is that of the system; ended by NULL.  NULL: none
	 */
	char *const *environment;
	int in, out; /* standard input; standard output and error */
	int extra;   /* its descriptor 3; -1: none */
	int cancel;  /* when it can be read the child is killed; -1: none */
	int timeout_ms;
};

enum child_status {
	CHILD_DONE,   /* it has ended */
	CHILD_LATE,   /* it was still running, and was killed */
	CHILD_FAILED, /* it could not be started: errno */
};

/* Run it to its end; `*ret_status` is waitpid(2)'s.  Any thread may. */
MUST_CHECK enum child_status child_run(
    const struct child *child, int *ret_status);

/* Bytes in a file without a name, to be read from the start; -1: errno. */
MUST_CHECK int child_file(struct str bytes);

#endif
