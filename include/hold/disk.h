/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk -- private directories and files written so that they survive a power
 * cut.  Never follows a symbolic link in the last step of a path.  errno tells
 * what went wrong.
 */
#ifndef HOLD_DISK_H
#define HOLD_DISK_H

#include "base/str.h"

struct buf;

enum disk_make { DISK_EXISTING, DISK_MAKE };

/*
 * Open directory `name` below `at` (AT_FDCWD: a path), making it with mode 0700
 * for DISK_MAKE (a parent must be there).  It must belong to us or to root (to
 * anybody if we are root) and be writable by its owner only.  -1: errno is set
 * (ELOOP or ENOTDIR: not a directory or a symbolic link; EPERM: not private).
 */
MUST_CHECK int disk_dir(int at, const char *name, enum disk_make make);
/*
 * A new file `name`, mode 0600.  Made by root it is given to the owner of the
 * directory, so that the daemon may read what its admin made.  -1: errno.
 */
MUST_CHECK int disk_create(int dir, const char *name);
/* Open a regular file for reading; ENOENT, ELOOP, EINVAL (not a file). */
MUST_CHECK int disk_open(int dir, const char *name);
MUST_CHECK bool disk_write(int fd, struct str bytes);
/* fsync(2), also of directories. */
MUST_CHECK bool disk_sync(int fd);
/* Like renameat(2), but never over something: EEXIST. */
MUST_CHECK bool disk_rename_new(
    int from_dir, const char *from, int to_dir, const char *to);
/* close(2) that keeps errno; -1 is fine. */
void disk_close(int fd);

#endif
