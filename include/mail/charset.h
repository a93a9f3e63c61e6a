/* SPDX-License-Identifier: BSD-2-Clause */
/* charset -- bytes of a declared or guessed charset to UTF-8 (iconv converts). */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/str.h"

struct arena;

/*
 * `text` as UTF-8, as SpamAssassin's normalize_charset does it: pure ASCII
 * stays, then UTF-8 if valid, then `declared`, then a guess.  `*ret_converted`:
 * the result is characters to Perl (see part.is_unicode).
 */
struct str charset_normalize(struct arena *a, struct str text,
    struct str declared, bool *ret_converted);

#endif
