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
	const uint64_t top = UINT64_C(0x8080808080808080);
	size_t n = s.len, i = 0;
	for (uint64_t word; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		n -= word_count(word & ~(word << 1) & top);
	}
	for (; i < s.len; i++)
		n -= ((unsigned char)s.p[i] & 0xc0) == 0x80;
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
