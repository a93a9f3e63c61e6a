/* SPDX-License-Identifier: BSD-2-Clause */
/* strip -- which header fields of a client are taken away, because nothing of
 * a client's may pass as ours. */
#ifndef SESSION_STRIP_H
#define SESSION_STRIP_H

#include "base/str.h"

/*
 * A field under our names (X-Postern-*), or Authentication-Results (RFC 8601
 * section 5) that says it is of `authserv_id`; empty: none does.  `value` is
 * what stands behind the colon, folds inside.
 */
bool field_is_stripped(
    struct str name, struct str value, struct str authserv_id);

#endif
