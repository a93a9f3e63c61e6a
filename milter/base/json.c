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

json_t *
json_texts(const struct str *v, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_text(v[i]));
	return list;
}

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x7f)
			return false;
	return true;
}

/* RFC 8259 section 7: what is past U+FFFF as two surrogates. */
static void
put_escape(struct buf *b, uint32_t c)
{
	if (c > 0xffff) {
		buf_printf(b, "\\u%04x", 0xd7c0 + (c >> 10));
		c = 0xdc00 + (c & 0x3ff);
	}
	buf_printf(b, "\\u%04x", c);
}

/* These stand in strings only; libjansson has escaped what is below U+0020. */
static void
put_safe(struct buf *b, struct str text)
{
	for (size_t n; text.len > 0; text = str_skip(text, n)) {
		n = utf8_length(text);
		if (n == 0) /* never: libjansson writes UTF-8 */
			return;
		uint32_t c = utf8_decode(text);
		if ((c >= 0x7f && c < 0xa0) || utf8_is_deceiver(c))
			put_escape(b, c);
		else
			buf_put(b, str_sub(text, 0, n));
	}
}

void
json_put(struct buf *b, const json_t *value, size_t flags)
{
	char *dump =
	    json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(10) | flags);
	struct str text = str_from(dump);
	if (is_plain(text))
		buf_put(b, text);
	else
		put_safe(b, text);
	free(dump);
}

void
json_line(FILE *out, json_t *value)
{
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, SIZE_MAX / 2);
	json_put(b, value, 0);
	buf_putc(b, '\n');
	(void)fwrite(b->p, 1, b->len, out);
	json_decref(value);
	arena_free(a);
}
