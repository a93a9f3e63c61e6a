/* SPDX-License-Identifier: BSD-2-Clause */
/* wide_point -- \x{...} beyond FF in regexes that are tried on bytes. */
#ifndef RULES_WIDE_POINT_H
#define RULES_WIDE_POINT_H

#include "base/str.h"

struct arena;

/*
 * `pattern` without its \x{...} beyond FF, which no byte is: alone each becomes
 * (?!), of a class it is left out.  `pattern` itself if it has none.  Ranges
 * that Perl refuses stay, so that they are refused.
 */
struct str wide_point_drop(struct arena *a, struct str pattern);

#endif
