/* SPDX-License-Identifier: BSD-2-Clause */
/* zone -- records as a zone file has them. */
#include "auth/zone.h"

#include "base/arena.h"
#include "base/buf.h"

#define TXT_STRING_BYTES 255 /* RFC 1035 section 3.3 */

struct str
zone_txt(struct arena *a, struct str name, struct str text)
{
	struct buf *b = buf_new(a, 8 * text.len + name.len + 1024);
	bool is_long = text.len > TXT_STRING_BYTES;
	buf_printf(
	    b, "%.*s. 3600 IN TXT %s", STR_ARG(name), is_long ? "( " : "");
	for (size_t at = 0; at == 0 || at < text.len; at += TXT_STRING_BYTES) {
		struct str piece = str_sub(text, at, TXT_STRING_BYTES);
		buf_printf(b, at == 0 ? "\"" : " \"");
		for (size_t i = 0; i < piece.len; i++) {
			if (piece.p[i] == '"' || piece.p[i] == '\\')
				buf_putc(b, '\\');
			buf_putc(b, piece.p[i]);
		}
		buf_putc(b, '"');
	}
	buf_printf(b, "%s", is_long ? " )" : "");
	return buf_str(b);
}
