/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_output -- what a receiver will think of a message, as JSON and in words.
 */
#ifndef CMD_AUTH_OUTPUT_H
#define CMD_AUTH_OUTPUT_H

#include "auth/facts.h"
#include "base/buf.h"
#include "base/json.h"
#include "cmd/ui.h"

/* A pre-flight: verdict, SPF of each address, signatures, DMARC. */
json_t *preflight_json(const struct preflight *flight);
/* `auth` of `postern scan --json`; null if the DNS was not asked. */
json_t *auth_json(const struct facts *facts);
/* The lines of `postern scan --explain`. */
void auth_explain(
    const struct ui *ui, const struct facts *facts, struct buf *out);

#endif
