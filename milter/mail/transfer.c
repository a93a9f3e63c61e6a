/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer -- base64 and quoted-printable, decoded as SpamAssassin does it. */
#include "mail/transfer.h"

#include "base/arena.h"

#define DIGIT_NONE 0xff
#define DIGIT_PAD 0xfe

static unsigned char
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned char)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned char)(c - 'a' + 26);
	if (char_is_digit(c))
		return (unsigned char)(c - '0' + 52);
	return c == '+'   ? 62
	       : c == '/' ? 63
	       : c == '=' ? DIGIT_PAD
			  : DIGIT_NONE;
}

/* What a base64 text is made of, blanks left out. */
struct base64_shape {
	size_t digits;  /* up to the last one, = between them included */
	size_t pads;    /* = behind the last digit */
	bool is_proper; /* nothing else */
};

static struct base64_shape
base64_survey(struct str text)
{
	struct base64_shape shape = {.is_proper = true};
	for (size_t i = 0; i < text.len; i++) {
		if (char_is_space(text.p[i]))
			continue;
		unsigned char digit = base64_digit(text.p[i]);
		if (digit == DIGIT_NONE) {
			shape.is_proper = false;
		} else if (digit == DIGIT_PAD) {
			shape.pads++;
		} else {
			shape.digits += shape.pads + 1;
			shape.pads = 0;
		}
	}
	if ((shape.digits + shape.pads) % 4 != 0)
		shape.is_proper = false;
	return shape;
}

struct str
transfer_base64(struct arena *a, struct str text)
{
	struct base64_shape shape = base64_survey(text);
	/* An = inside is the digit 0 in sound text, and 63 in broken text. */
	unsigned char inner_pad = shape.is_proper ? 0 : 63;
	size_t left = shape.digits % 4 == 1 ? shape.digits - 1 : shape.digits;
	char *out = arena_alloc(a, left / 4 * 3 + 3);
	size_t len = 0;
	uint32_t bits = 0;
	unsigned nbits = 0;
	for (size_t i = 0; left > 0; i++) {
		unsigned char digit = base64_digit(text.p[i]);
		if (digit == DIGIT_NONE)
			continue;
		left--;
		bits = bits << 6 | (digit == DIGIT_PAD ? inner_pad : digit);
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			out[len++] = (char)(bits >> nbits & 0xff);
		}
	}
	return str_of(out, len);
}

/* Length of the line end at `i`: 0, 1 or 2. */
static size_t
line_end_at(struct str text, size_t i)
{
	if (i < text.len && text.p[i] == '\n')
		return 1;
	return i + 1 < text.len && text.p[i] == '\r' && text.p[i + 1] == '\n'
		   ? 2
		   : 0;
}

/* Copy to `out` without blanks before line ends and without soft breaks. */
static size_t
quoted_join_lines(struct str text, char *out)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len;) {
		if (char_is_blank(text.p[i])) {
			size_t end = i;
			while (end < text.len && char_is_blank(text.p[end]))
				end++;
			if (line_end_at(text, end) == 0) {
				memcpy(out + len, text.p + i, end - i);
				len += end - i;
			}
			i = end;
			continue;
		}
		if (text.p[i] != '=') {
			out[len++] = text.p[i++];
			continue;
		}
		size_t end = i + 1;
		while (end < text.len && char_is_blank(text.p[end]))
			end++;
		size_t n = line_end_at(text, end);
		if (n > 0)
			i = end + n;
		else
			out[len++] = text.p[i++];
	}
	return len;
}

/* Decode =XX in place. */
static size_t
quoted_decode(char *p, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < size; i++) {
		if (p[i] == '=' && i + 2 < size) {
			int high = char_hex(p[i + 1]), low = char_hex(p[i + 2]);
			if (high >= 0 && low >= 0) {
				p[len++] = (char)(high << 4 | low);
				i += 2;
				continue;
			}
		}
		p[len++] = p[i];
	}
	return len;
}

/* A blank stands before a line end. */
static bool
has_trailing_blank(struct str text)
{
	for (size_t at = 0, i; at < text.len; at = i + 1) {
		i = str_chr(str_skip(text, at), '\n');
		if (i == STR_NONE)
			return false;
		i += at;
		size_t end = i > at && text.p[i - 1] == '\r' ? i - 1 : i;
		if (end > at && char_is_blank(text.p[end - 1]))
			return true;
	}
	return false;
}

struct str
transfer_quoted_printable(struct arena *a, struct str text)
{
	if (str_chr(text, '=') == STR_NONE && !has_trailing_blank(text))
		return text;
	char *out = arena_alloc(a, text.len);
	size_t len = quoted_join_lines(text, out);
	return str_of(out, quoted_decode(out, len));
}

struct str
transfer_unix_lines(struct arena *a, struct str text)
{
	if (str_find(text, STR("\r\n")) == STR_NONE)
		return text;
	char *out = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '\r' || line_end_at(text, i) == 0)
			out[len++] = text.p[i];
	return str_of(out, len);
}
