/* SPDX-License-Identifier: BSD-2-Clause */
/* listen -- sockets of this host to be reached at, never those of others. */
#ifndef BASE_LISTEN_H
#define BASE_LISTEN_H

#include <sys/stat.h>

#include "base/str.h"

/*
 * A listening stream socket (close on exec, not blocking) at `path`, made with
 * `mode`; a dead socket that lies there gives way.  -1: errno, EADDRINUSE if
 * somebody answers there.
 */
MUST_CHECK int listen_local(struct str path, mode_t mode);

/*
 * The same at "ADDRESS:PORT" or "[ADDRESS]:PORT", an address of the loopback
 * interface (127.0.0.0/8, ::1).
 */
MUST_CHECK int listen_loopback(struct str at);
/* False: it is not of that form. */
MUST_CHECK bool listen_loopback_is_valid(struct str at);

#endif
