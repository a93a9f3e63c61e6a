/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uri_resolve -- relative references (RFC 3986 section 5.2) as SpamAssassin
 * resolves them.
 */
#ifndef MAIL_URI_RESOLVE_H
#define MAIL_URI_RESOLVE_H

#include "base/str.h"

struct arena;

/*
 * `reference` against `base` (empty: none).  Not strict: a reference with the
 * scheme of `base` is relative.  Dot segments go; "//www..." gets a scheme.
 */
struct str uri_resolve(struct arena *a, struct str base, struct str reference);

#endif
