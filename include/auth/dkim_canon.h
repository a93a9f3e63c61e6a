/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_canon -- the bytes of a message that a signature hashes (RFC 6376
 * section 3.4), in pieces.  \n becomes CRLF.
 */
#ifndef AUTH_DKIM_CANON_H
#define AUTH_DKIM_CANON_H

#include "auth/dkim_mail.h"

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

/* Where canonical bytes go; `bytes` is good during the call only. */
typedef void dkim_sink(void *arg, struct str bytes);

/*
 * One field, without the CRLF behind it: section 3.5 wants none behind the
 * DKIM-Signature itself.
 */
void dkim_canon_field(enum dkim_canon how, const struct dkim_field *field,
    dkim_sink *sink, void *arg);
/*
 * The whole body; a last line without \n gets one.  Returns the canonical
 * length, which is what l= counts.
 */
uint64_t dkim_canon_body(
    enum dkim_canon how, struct str body, dkim_sink *sink, void *arg);

#endif
