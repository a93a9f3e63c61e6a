/* SPDX-License-Identifier: BSD-2-Clause */
/* json -- bytes from mail as valid JSON. */
#include "base/json.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

json_t *
json_text(struct str s)
{
	if (utf8_is_valid(s))
		return json_stringn_nocheck(s.p, s.len);
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, s.len * 3);
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_length(str_skip(s, i));
		if (n == 0)
			utf8_put(b, 0xfffd);
		else
			buf_put(b, str_sub(s, i, n));
		i += n == 0 ? 1 : n;
	}
	json_t *value = json_stringn_nocheck(b->p, b->len);
	arena_free(a);
	return value;
}

void
json_line(FILE *out, json_t *value)
{
	(void)json_dumpf(value, out, JSON_COMPACT | JSON_REAL_PRECISION(10));
	(void)fputc('\n', out);
	json_decref(value);
}
