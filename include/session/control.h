/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control -- signals and the control socket: reload, status, event, stop.  The
 * socket speaks one line each way: a command in, text lines and a last line
 * "ok" or "error" out; "status" is answered by one of JSON (status.h), "event"
 * is followed by one (chronicle.h).  Who may open it is the file's permission.
 */
#ifndef SESSION_CONTROL_H
#define SESSION_CONTROL_H

#include "session/gate.h"

struct control;

/*
 * Block SIGHUP, SIGTERM and SIGINT in this thread and those it makes; call
 * before any thread is started.
 */
void control_block_signals(void);
/*
 * Bind control-socket (empty: none) and start the thread that serves it and the
 * signals; start the exporter.  NULL: `diags` says why.
 */
struct control *control_start(struct gate *gate,
    const struct snapshot_source *source, struct diags *diags);
/* After session_serve() has returned. */
void control_done(struct control *control);

#endif
