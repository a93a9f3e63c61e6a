/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox -- the messages behind the arguments of a command: files,
 * directories, Maildirs, mboxes, standard input. */
#ifndef CMD_MAILBOX_H
#define CMD_MAILBOX_H

#include "base/str.h"

struct arena;

/* One message: a file, or a piece of an mbox. */
struct mailbox_entry {
	const char *path; /* "-": standard input */
	size_t offset;    /* in the file, of the separator if there is one */
	size_t separator; /* bytes of "From sender date"; 0: none */
	size_t length;    /* of the message behind it; SIZE_MAX: to the end */
	unsigned number;  /* in an mbox, from 1; 0: nothing else is there */
};

struct mailbox {
	struct mailbox_entry *v;
	size_t n;
	size_t cap;
	struct str input; /* what standard input had */
};

/*
 * Add what `path` stands for: a file with one message, an mbox (starts with
 * "From "), a directory (recursive; in a Maildir without tmp), or "-".  False:
 * something could not be read and was named on standard error.
 */
MUST_CHECK bool mailbox_add(
    struct arena *a, struct mailbox *mailbox, const char *path);
/* "path", "path:3" for the third message of an mbox. */
struct str mailbox_name(
    struct arena *a, const struct mailbox *mailbox, size_t i);
/*
 * The bytes of a message, and the same with the separator of its mbox in front,
 * which a rule may ask for; they live as long as `a`.  False: `*ret_why`.
 */
MUST_CHECK bool mailbox_read(struct arena *a, const struct mailbox *mailbox,
    size_t i, struct str *ret, struct str *ret_separated, struct str *ret_why);

#endif
