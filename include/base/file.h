/* SPDX-License-Identifier: BSD-2-Clause */
/* file -- reading whole files, each with a bound. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"

struct arena;

/* Append up to `max` bytes from where `fd` stands; false: errno. */
MUST_CHECK bool file_read(int fd, size_t max, struct buf *ret);

/*
 * All of the file `path`, in `a`; false: errno, EFBIG past `max` bytes, ENOTSUP
 * for a FIFO or socket, which is not waited for.
 */
MUST_CHECK bool file_text(
    struct arena *a, struct str path, size_t max, struct str *ret);
/* What an errno of file_text() means, for people. */
const char *file_trouble(int error);

#endif
