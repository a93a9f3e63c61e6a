/* SPDX-License-Identifier: BSD-2-Clause */
/* control_ask -- a question to the running posternd, over its control socket.
 */
#ifndef CMD_CONTROL_ASK_H
#define CMD_CONTROL_ASK_H

#include "base/json.h"
#include "session/config.h"

/*
 * Ask `command` of control.h.  The lines of the answer in `*ret`, in `a`;
 * false: it was "error", and they say why, or there was no answer, and
 * `*ret_why`, otherwise empty, says why.
 */
MUST_CHECK bool control_ask(struct arena *a, const struct config *config,
    const char *command, struct strs *ret, struct str *ret_why);

/*
 * The same, of what posternd is only told: nothing is said.  False: it does not
 * know.
 */
bool control_tell(
    struct arena *a, const struct config *config, const char *command);

/* What status_json() of session/status.h has made; the caller's reference.
 * NULL: `*ret_why`, in `a`. */
json_t *control_status(
    struct arena *a, const struct config *config, struct str *ret_why);

#endif
