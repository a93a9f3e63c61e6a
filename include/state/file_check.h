/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_check -- is a file of LMDB sound?  Reads it page by page without the
 * library, which trusts what it reads, so no bytes can make it crash.
 */
#ifndef STATE_FILE_CHECK_H
#define STATE_FILE_CHECK_H

#include "state/store.h"

struct stat;

/*
 * Open it to read, without waiting.  STORE_BAD: what is there is no file, and
 * `*ret_why` names it.  STORE_IO: it cannot be opened, which says nothing about
 * it; errno is ENOENT if there is nothing.
 */
MUST_CHECK enum store_status file_read_open(const char *path, int *ret_fd,
    struct stat *ret_st, struct store_why *ret_why);

/* All of it: every page is what it says, used once, in order; every record can
 * be read.  A file that is missing or empty is sound.  STORE_IO: it cannot be
 * told. */
MUST_CHECK enum store_status file_check(
    const char *path, struct store_why *ret_why);
/* The same, of a file that is open. */
MUST_CHECK bool file_check_fd(int fd, struct store_why *ret_why);

/*
 * The same while the file is written: of the state it was in when the snapshot
 * was taken.  A transaction that reads must have begun before that, with no
 * commit between, and stay open until the check is done.
 */
struct file_snapshot {
	unsigned char bytes[136];
};
MUST_CHECK bool file_snapshot_take(
    int fd, struct file_snapshot *ret, struct store_why *ret_why);
MUST_CHECK bool file_check_snapshot(
    int fd, const struct file_snapshot *snapshot, struct store_why *ret_why);
/* Only the first two pages, and that the file is as long as they say: cheap
 * enough for each second. */
MUST_CHECK bool file_check_head(int fd, struct store_why *ret_why);

#endif
