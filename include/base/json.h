/* SPDX-License-Identifier: BSD-2-Clause */
/* json -- bytes from mail as valid JSON (libjansson refuses what is not UTF-8).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* A JSON string of `s`; bytes that are not valid UTF-8 become U+FFFD. */
json_t *json_text(struct str s);
/* A list of such strings. */
json_t *json_texts(const struct str *v, size_t n);
/*
 * Append `value` compactly, with `flags` of libjansson.  What a terminal would
 * obey is escaped: control characters (U+007F-9F, too), and what hides text or
 * turns its direction.
 */
void json_put(struct buf *b, const json_t *value, size_t flags);
/* Write `value` so with a newline and drop the reference. */
void json_line(FILE *out, json_t *value);

#endif
