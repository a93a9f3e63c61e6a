/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read_ahead -- fewer system calls for what the MTA sends.  libmilter asks
 * poll(2) three times and read(2) twice for each packet, and a message has some
 * forty: most of what a message costs without its rules.  A program with this
 * file in it gives libmilter, which has no hook for that, these four functions
 * of the C library instead: what accept(2) returns is read in larger pieces,
 * and poll(2) knows of what is read already; a worker's wait of a millisecond
 * is longer, see workers.h.  All other descriptors, and what else the four
 * promise, stay as they are.
 */
#ifndef SESSION_READ_AHEAD_H
#define SESSION_READ_AHEAD_H

#include <poll.h>
#include <sys/socket.h>

#include "base/base.h"

/* What is read at once, and kept by a connection while some of it is left. */
#define READ_AHEAD_BYTES 8192
/* Connections with greater descriptors are not read ahead of. */
#define READ_AHEAD_FDS 65536

/* Bytes of connection `fd` that are read but not taken yet; 0 for others. */
size_t read_ahead_pending(int fd);
/* Whether `fd` came from accept(2) and is not closed. */
bool read_ahead_is_on(int fd);

/* poll(2) itself, that knows of nothing read ahead. */
int poll_really(struct pollfd *fds, nfds_t n, int timeout_ms);

#endif
