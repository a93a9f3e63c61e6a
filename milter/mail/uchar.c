/* SPDX-License-Identifier: BSD-2-Clause */
/* uchar -- classes of characters beyond ASCII. */
#include "mail/uchar.h"

#include "base/utf8.h"

bool
uchar_is_space(uint32_t c)
{
	return c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

bool
uchar_is_word(uint32_t c)
{
	/* Blocks that hold signs, not letters. */
	static const uint32_t signs[][2] = {{0x80, 0xa9}, {0xab, 0xb4},
	    {0xb6, 0xb9}, {0xbb, 0xbf}, {0xd7, 0xd7}, {0xf7, 0xf7},
	    {0x2000, 0x203e}, {0x2041, 0x2053}, {0x2055, 0x2070},
	    {0x207a, 0x207e}, {0x208a, 0x208f}, {0x20a0, 0x20cf},
	    {0x2190, 0x245f}, {0x2500, 0x2bff}, {0x2e00, 0x2e7f},
	    {0x3000, 0x3004}, {0x3008, 0x3020}, {0xe000, 0xf8ff},
	    {0xff00, 0xff0f}, {0xff1a, 0xff20}, {0xff3b, 0xff3e},
	    {0xff5b, 0xff65}, {0xfff0, 0xffff}, {0x1f000, 0x1faff},
	    {0xf0000, 0x10ffff}};
	for (size_t i = 0; i < COUNT_OF(signs); i++)
		if (c >= signs[i][0] && c <= signs[i][1])
			return false;
	return c >= 0x80;
}

uint32_t
uchar_first(struct str s, size_t *ret_len)
{
	size_t n = utf8_length(s);
	*ret_len = n == 0 ? 1 : n;
	return n == 0 ? (unsigned char)s.p[0] : utf8_decode(s);
}

uint32_t
uchar_last(struct str s, size_t *ret_len)
{
	for (size_t n = 2; n <= 4 && n <= s.len; n++) {
		struct str tail = str_skip(s, s.len - n);
		if (utf8_length(tail) == n) {
			*ret_len = n;
			return utf8_decode(tail);
		}
	}
	*ret_len = 1;
	return (unsigned char)s.p[s.len - 1];
}

size_t
uchar_count(struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

struct str
uchar_sub(struct str s, size_t most)
{
	if (s.len <= most)
		return s;
	if (s.len / 4 > most) /* so, if it is not UTF-8 at all */
		s = str_sub(s, 0, most * 4);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
		if (n > most)
			return str_sub(s, 0, i);
	}
	return s;
}

static bool
is_blank(uint32_t c)
{
	return c < 0x80 ? char_is_space((char)c) : uchar_is_space(c);
}

struct str
uchar_trim(struct str s)
{
	size_t len;
	while (s.len > 0 && is_blank(uchar_first(s, &len)))
		s = str_skip(s, len);
	while (s.len > 0 && is_blank(uchar_last(s, &len)))
		s.len -= len;
	return s;
}
