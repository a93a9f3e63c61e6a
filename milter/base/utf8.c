/* SPDX-License-Identifier: BSD-2-Clause */
/* utf8 -- UTF-8 as RFC 3629 has it. */
#include "base/utf8.h"

#include "base/buf.h"

/* RFC 3629 section 4: lead byte range, length, bounds of the second byte. */
static const struct {
	unsigned char lead_min, lead_max, length, second_min, second_max;
} forms[] = {
    {0x00, 0x7f, 1, 0, 0},
    {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool
is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t
utf8_length(struct str s)
{
	if (s.len == 0)
		return 0;
	unsigned char lead = (unsigned char)s.p[0];
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		if (lead < forms[i].lead_min || lead > forms[i].lead_max)
			continue;
		size_t length = forms[i].length;
		if (length == 1)
			return 1;
		if (s.len < length)
			return 0;
		unsigned char second = (unsigned char)s.p[1];
		if (second < forms[i].second_min ||
		    second > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < length; k++)
			if (!is_tail(s.p[k]))
				return 0;
		return length;
	}
	return 0;
}

bool
utf8_is_valid(struct str s)
{
	for (size_t i = 0; i < s.len;) {
		size_t n = (unsigned char)s.p[i] < 0x80
			       ? 1
			       : utf8_length(str_skip(s, i));
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

uint32_t
utf8_decode(struct str s)
{
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t n = utf8_length(s);
	uint32_t c = (unsigned char)s.p[0] & mask[n];
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return c;
}

void
utf8_put(struct buf *b, uint32_t c)
{
	char out[4];
	size_t n;
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		out[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		n = 2;
	} else if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		n = 3;
	} else {
		out[0] = (char)(0xf0 | c >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
	buf_put(b, str_of(out, n));
}

static const struct {
	uint32_t first, last;
} deceivers[] = {
    {0x00ad, 0x00ad},                   /* soft hyphen */
    {0x034f, 0x034f},                   /* combining grapheme joiner */
    {0x061c, 0x061c},                   /* Arabic letter mark */
    {0x115f, 0x1160},                   /* Hangul fillers */
    {0x180e, 0x180e}, {0x200b, 0x200f}, /* zero width, direction marks */
    {0x2028, 0x202e}, /* line and paragraph ends, embeddings, overrides */
    {0x2060, 0x206f}, /* isolates, invisible operators */
    {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff9, 0xfffb},   /* interlinear annotation */
    {0xe0000, 0xe0fff}, /* tags, variation selectors */
};

bool
utf8_is_deceiver(uint32_t c)
{
	for (size_t i = 0; i < COUNT_OF(deceivers); i++)
		if (c >= deceivers[i].first && c <= deceivers[i].last)
			return true;
	return false;
}
