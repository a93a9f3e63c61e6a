/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer -- base64 and quoted-printable, decoded as SpamAssassin does it. */
#include "mail/transfer.h"

#include "base/arena.h"

/* What a byte is to base64; a digit is 1 more than its value. */
enum { DIGIT_NONE = 0, DIGIT_PAD = 65, DIGIT_BLANK = 66 };

#define FOUR(c, n) \
	[c] = (n), [(c) + 1] = (n) + 1, [(c) + 2] = (n) + 2, [(c) + 3] = (n) + 3

static const unsigned char digits[256] = {
    ['\t'] = DIGIT_BLANK,
    ['\n'] = DIGIT_BLANK,
    ['\v'] = DIGIT_BLANK,
    ['\f'] = DIGIT_BLANK,
    ['\r'] = DIGIT_BLANK,
    [' '] = DIGIT_BLANK,
    ['='] = DIGIT_PAD,
    FOUR('A', 1),
    FOUR('E', 5),
    FOUR('I', 9),
    FOUR('M', 13),
    FOUR('Q', 17),
    FOUR('U', 21),
    ['Y'] = 25,
    ['Z'] = 26,
    FOUR('a', 27),
    FOUR('e', 31),
    FOUR('i', 35),
    FOUR('m', 39),
    FOUR('q', 43),
    FOUR('u', 47),
    ['y'] = 51,
    ['z'] = 52,
    FOUR('0', 53),
    FOUR('4', 57),
    ['8'] = 61,
    ['9'] = 62,
    ['+'] = 63,
    ['/'] = 64,
};

static unsigned
base64_digit(char c)
{
	return digits[(unsigned char)c];
}

static bool
is_digit(unsigned digit)
{
	return digit - 1 < 64;
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
		unsigned digit = base64_digit(text.p[i]);
		if (is_digit(digit)) {
			shape.digits += shape.pads + 1;
			shape.pads = 0;
		} else if (digit == DIGIT_PAD) {
			shape.pads++;
		} else if (digit == DIGIT_NONE) {
			shape.is_proper = false;
		}
	}
	if ((shape.digits + shape.pads) % 4 != 0)
		shape.is_proper = false;
	return shape;
}

/*
 * The bytes of the fours of digits that `*text` starts with, at most `max` of
 * them, go to `out`.
 */
static size_t
base64_fours(struct str *text, size_t max, char *out)
{
	size_t n = text->len / 4 < max ? text->len / 4 : max;
	const char *p = text->p;
	char *to = out;
	for (const char *end = p + n * 4; p < end; p += 4, to += 3) {
		/* what is no digit is 64 or more, or wraps around */
		uint32_t a = base64_digit(p[0]) - 1, b = base64_digit(p[1]) - 1,
			 c = base64_digit(p[2]) - 1, d = base64_digit(p[3]) - 1;
		if ((a | b | c | d) > 63)
			break;
		uint32_t bits = a << 18 | b << 12 | c << 6 | d;
		to[0] = (char)(bits >> 16);
		to[1] = (char)(bits >> 8);
		to[2] = (char)bits;
	}
	*text = str_skip(*text, (size_t)(p - text->p));
	return (size_t)(to - out);
}

/* The bytes of all digits in `text`, which has no =, go to `out`. */
static size_t
base64_run(struct str text, char *out)
{
	size_t len = 0;
	uint32_t bits = 0;
	unsigned nbits = 0;
	while (text.len > 0) {
		if (nbits == 0)
			len += base64_fours(&text, SIZE_MAX, out + len);
		if (text.len == 0)
			break;
		unsigned digit = base64_digit(text.p[0]);
		text = str_skip(text, 1);
		if (!is_digit(digit))
			continue;
		bits = bits << 6 | (digit - 1);
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			out[len++] = (char)(bits >> nbits & 0xff);
		}
	}
	return len;
}

static struct str
base64_plain(struct arena *a, struct str text)
{
	char *out = arena_alloc(a, text.len / 4 * 3 + 3);
	return str_of(out, base64_run(text, out));
}

static bool
has_digit(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_digit(base64_digit(text.p[i])))
			return true;
	return false;
}

bool
transfer_base64_head(
    struct arena *a, struct str text, size_t size, struct str *ret)
{
	/* lines of eight digits or more */
	struct str head = str_sub(text, 0, size + size / 3 + size / 2 + 4);
	if (str_chr(head, '=') != STR_NONE)
		return false;
	struct str bytes = base64_plain(a, head);
	if (bytes.len < size && head.len < text.len)
		return false;
	*ret = str_sub(bytes, 0, size);
	return true;
}

/* Text with an = in front of a digit. */
static struct str
base64_padded(struct arena *a, struct str text)
{
	struct base64_shape shape = base64_survey(text);
	/* An = inside is the digit 0 in sound text, and 63 in broken text. */
	unsigned inner_pad = shape.is_proper ? 0 : 63;
	size_t left = shape.digits % 4 == 1 ? shape.digits - 1 : shape.digits;
	char *out = arena_alloc(a, left / 4 * 3 + 3);
	size_t len = 0;
	uint32_t bits = 0;
	unsigned nbits = 0;
	while (left > 0) {
		if (nbits == 0) {
			size_t n = base64_fours(&text, left / 4, out + len);
			len += n;
			left -= n / 3 * 4;
			if (left == 0)
				break;
		}
		unsigned digit = base64_digit(text.p[0]);
		text = str_skip(text, 1);
		if (!is_digit(digit) && digit != DIGIT_PAD)
			continue;
		left--;
		bits = bits << 6 | (is_digit(digit) ? digit - 1 : inner_pad);
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			out[len++] = (char)(bits >> nbits & 0xff);
		}
	}
	return str_of(out, len);
}

struct str
transfer_base64(struct arena *a, struct str text)
{
	size_t pad = str_chr(text, '=');
	if (pad != STR_NONE && has_digit(str_skip(text, pad)))
		return base64_padded(a, text);
	return base64_plain(a, str_sub(text, 0, pad));
}

/* The text of a line before the blanks and the line end behind it. */
static struct str
without_line_end(struct str line)
{
	if (!str_ends(line, STR("\n")))
		return line;
	line.len -= str_ends(line, STR("\r\n")) ? 2 : 1;
	while (line.len > 0 && char_is_blank(line.p[line.len - 1]))
		line.len--;
	return line;
}

/* Copy to `out` without blanks before line ends and without soft breaks. */
static size_t
quoted_join_lines(struct str text, char *out)
{
	size_t len = 0;
	while (text.len > 0) {
		size_t end = str_chr(text, '\n');
		struct str line =
		    str_sub(text, 0, end == STR_NONE ? end : end + 1);
		struct str kept = without_line_end(line);
		bool is_soft = end != STR_NONE && str_ends(kept, STR("="));
		kept.len -= is_soft;
		memcpy(out + len, kept.p, kept.len);
		len += kept.len;
		if (end != STR_NONE && !is_soft) {
			if (str_ends(line, STR("\r\n")))
				out[len++] = '\r';
			out[len++] = '\n';
		}
		text = str_skip(text, line.len);
	}
	return len;
}

/* Decode =XX in place. */
static size_t
quoted_decode(char *p, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < size;) {
		size_t run = str_chr(str_of(p + i, size - i), '=');
		if (run == STR_NONE)
			run = size - i;
		if (run > 0)
			memmove(p + len, p + i, run);
		len += run;
		i += run;
		int high = i + 2 < size ? char_hex(p[i + 1]) : -1;
		int low = high >= 0 ? char_hex(p[i + 2]) : -1;
		if (low >= 0) {
			p[len++] = (char)(high << 4 | low);
			i += 3;
		} else if (i < size) {
			p[len++] = p[i++];
		}
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
	if (str_crlf(text) == STR_NONE)
		return text;
	char *out = arena_alloc(a, text.len);
	size_t len = 0;
	while (text.len > 0) {
		size_t end = str_crlf(text);
		struct str kept = str_sub(text, 0, end);
		memcpy(out + len, kept.p, kept.len);
		len += kept.len;
		text = str_skip(text, kept.len + (end != STR_NONE));
		if (end != STR_NONE) {
			out[len++] = '\n';
			text = str_skip(text, 1);
		}
	}
	return str_of(out, len);
}
