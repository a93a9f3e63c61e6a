/* SPDX-License-Identifier: BSD-2-Clause */
/* session -- the milter protocol: gathers one message after the other and gives
 * the gate's answers. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "session/gate.h"

/*
 * Bind `socket` (unix:/path, inet:port@host, inet6:port@host).  False: it said
 * why in the log.  Call before privileges are dropped.
 */
MUST_CHECK bool session_bind(const struct config *config);
/* Serve until session_stop(); false: libmilter gave up. */
MUST_CHECK bool session_serve(struct gate *gate);
/* From another thread: make session_serve() return. */
void session_stop(void);

#endif
