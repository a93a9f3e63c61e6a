/* SPDX-License-Identifier: BSD-2-Clause */
/* json -- bytes from mail as valid JSON (libjansson refuses what is not UTF-8).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/str.h"

/* A JSON string of `s`; bytes that are not valid UTF-8 become U+FFFD. */
json_t *json_text(struct str s);
/* Write `value` compactly with a newline and drop the reference. */
void json_line(FILE *out, json_t *value);

#endif
