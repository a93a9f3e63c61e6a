/* SPDX-License-Identifier: BSD-2-Clause */
/* html_color -- names and numbers of colours. */
#include "mail/html_color.h"

#include "mail/scan.h"

/* CSS Color Module Level 3, section 4.3; in byte order. */
static const struct named_color {
	struct str name;
	html_color color;
} colors[] = {
    {{"aliceblue", 9}, 0xf0f8ff},
    {{"antiquewhite", 12}, 0xfaebd7},
    {{"aqua", 4}, 0x00ffff},
    {{"aquamarine", 10}, 0x7fffd4},
    {{"azure", 5}, 0xf0ffff},
    {{"beige", 5}, 0xf5f5dc},
    {{"bisque", 6}, 0xffe4c4},
    {{"black", 5}, 0x000000},
    {{"blanchedalmond", 14}, 0xffebcd},
    {{"blue", 4}, 0x0000ff},
    {{"blueviolet", 10}, 0x8a2be2},
    {{"brown", 5}, 0xa52a2a},
    {{"burlywood", 9}, 0xdeb887},
    {{"cadetblue", 9}, 0x5f9ea0},
    {{"chartreuse", 10}, 0x7fff00},
    {{"chocolate", 9}, 0xd2691e},
    {{"coral", 5}, 0xff7f50},
    {{"cornflowerblue", 14}, 0x6495ed},
    {{"cornsilk", 8}, 0xfff8dc},
    {{"crimson", 7}, 0xdc143c},
    {{"cyan", 4}, 0x00ffff},
    {{"darkblue", 8}, 0x00008b},
    {{"darkcyan", 8}, 0x008b8b},
    {{"darkgoldenrod", 13}, 0xb8860b},
    {{"darkgray", 8}, 0xa9a9a9},
    {{"darkgreen", 9}, 0x006400},
    {{"darkgrey", 8}, 0xa9a9a9},
    {{"darkkhaki", 9}, 0xbdb76b},
    {{"darkmagenta", 11}, 0x8b008b},
    {{"darkolivegreen", 14}, 0x556b2f},
    {{"darkorange", 10}, 0xff8c00},
    {{"darkorchid", 10}, 0x9932cc},
    {{"darkred", 7}, 0x8b0000},
    {{"darksalmon", 10}, 0xe9967a},
    {{"darkseagreen", 12}, 0x8fbc8f},
    {{"darkslateblue", 13}, 0x483d8b},
    {{"darkslategray", 13}, 0x2f4f4f},
    {{"darkslategrey", 13}, 0x2f4f4f},
    {{"darkturquoise", 13}, 0x00ced1},
    {{"darkviolet", 10}, 0x9400d3},
    {{"deeppink", 8}, 0xff1493},
    {{"deepskyblue", 11}, 0x00bfff},
    {{"dimgray", 7}, 0x696969},
    {{"dimgrey", 7}, 0x696969},
    {{"dodgerblue", 10}, 0x1e90ff},
    {{"firebrick", 9}, 0xb22222},
    {{"floralwhite", 11}, 0xfffaf0},
    {{"forestgreen", 11}, 0x228b22},
    {{"fuchsia", 7}, 0xff00ff},
    {{"gainsboro", 9}, 0xdcdcdc},
    {{"ghostwhite", 10}, 0xf8f8ff},
    {{"gold", 4}, 0xffd700},
    {{"goldenrod", 9}, 0xdaa520},
    {{"gray", 4}, 0x808080},
    {{"green", 5}, 0x008000},
    {{"greenyellow", 11}, 0xadff2f},
    {{"grey", 4}, 0x808080},
    {{"honeydew", 8}, 0xf0fff0},
    {{"hotpink", 7}, 0xff69b4},
    {{"indianred", 9}, 0xcd5c5c},
    {{"indigo", 6}, 0x4b0082},
    {{"ivory", 5}, 0xfffff0},
    {{"khaki", 5}, 0xf0e68c},
    {{"lavender", 8}, 0xe6e6fa},
    {{"lavenderblush", 13}, 0xfff0f5},
    {{"lawngreen", 9}, 0x7cfc00},
    {{"lemonchiffon", 12}, 0xfffacd},
    {{"lightblue", 9}, 0xadd8e6},
    {{"lightcoral", 10}, 0xf08080},
    {{"lightcyan", 9}, 0xe0ffff},
    {{"lightgoldenrodyellow", 20}, 0xfafad2},
    {{"lightgray", 9}, 0xd3d3d3},
    {{"lightgreen", 10}, 0x90ee90},
    {{"lightgrey", 9}, 0xd3d3d3},
    {{"lightpink", 9}, 0xffb6c1},
    {{"lightsalmon", 11}, 0xffa07a},
    {{"lightseagreen", 13}, 0x20b2aa},
    {{"lightskyblue", 12}, 0x87cefa},
    {{"lightslategray", 14}, 0x778899},
    {{"lightslategrey", 14}, 0x778899},
    {{"lightsteelblue", 14}, 0xb0c4de},
    {{"lightyellow", 11}, 0xffffe0},
    {{"lime", 4}, 0x00ff00},
    {{"limegreen", 9}, 0x32cd32},
    {{"linen", 5}, 0xfaf0e6},
    {{"magenta", 7}, 0xff00ff},
    {{"maroon", 6}, 0x800000},
    {{"mediumaquamarine", 16}, 0x66cdaa},
    {{"mediumblue", 10}, 0x0000cd},
    {{"mediumorchid", 12}, 0xba55d3},
    {{"mediumpurple", 12}, 0x9370db},
    {{"mediumseagreen", 14}, 0x3cb371},
    {{"mediumslateblue", 15}, 0x7b68ee},
    {{"mediumspringgreen", 17}, 0x00fa9a},
    {{"mediumturquoise", 15}, 0x48d1cc},
    {{"mediumvioletred", 15}, 0xc71585},
    {{"midnightblue", 12}, 0x191970},
    {{"mintcream", 9}, 0xf5fffa},
    {{"mistyrose", 9}, 0xffe4e1},
    {{"moccasin", 8}, 0xffe4b5},
    {{"navajowhite", 11}, 0xffdead},
    {{"navy", 4}, 0x000080},
    {{"oldlace", 7}, 0xfdf5e6},
    {{"olive", 5}, 0x808000},
    {{"olivedrab", 9}, 0x6b8e23},
    {{"orange", 6}, 0xffa500},
    {{"orangered", 9}, 0xff4500},
    {{"orchid", 6}, 0xda70d6},
    {{"palegoldenrod", 13}, 0xeee8aa},
    {{"palegreen", 9}, 0x98fb98},
    {{"paleturquoise", 13}, 0xafeeee},
    {{"palevioletred", 13}, 0xdb7093},
    {{"papayawhip", 10}, 0xffefd5},
    {{"peachpuff", 9}, 0xffdab9},
    {{"peru", 4}, 0xcd853f},
    {{"pink", 4}, 0xffc0cb},
    {{"plum", 4}, 0xdda0dd},
    {{"powderblue", 10}, 0xb0e0e6},
    {{"purple", 6}, 0x800080},
    {{"red", 3}, 0xff0000},
    {{"rosybrown", 9}, 0xbc8f8f},
    {{"royalblue", 9}, 0x4169e1},
    {{"saddlebrown", 11}, 0x8b4513},
    {{"salmon", 6}, 0xfa8072},
    {{"sandybrown", 10}, 0xf4a460},
    {{"seagreen", 8}, 0x2e8b57},
    {{"seashell", 8}, 0xfff5ee},
    {{"sienna", 6}, 0xa0522d},
    {{"silver", 6}, 0xc0c0c0},
    {{"skyblue", 7}, 0x87ceeb},
    {{"slateblue", 9}, 0x6a5acd},
    {{"slategray", 9}, 0x708090},
    {{"slategrey", 9}, 0x708090},
    {{"snow", 4}, 0xfffafa},
    {{"springgreen", 11}, 0x00ff7f},
    {{"steelblue", 9}, 0x4682b4},
    {{"tan", 3}, 0xd2b48c},
    {{"teal", 4}, 0x008080},
    {{"thistle", 7}, 0xd8bfd8},
    {{"tomato", 6}, 0xff6347},
    {{"turquoise", 9}, 0x40e0d0},
    {{"violet", 6}, 0xee82ee},
    {{"wheat", 5}, 0xf5deb3},
    {{"white", 5}, 0xffffff},
    {{"whitesmoke", 10}, 0xf5f5f5},
    {{"yellow", 6}, 0xffff00},
    {{"yellowgreen", 11}, 0x9acd32},
};

static int
color_cmp(const void *key, const void *row)
{
	const struct str *name = key;
	const struct named_color *color = row;
	return str_icmp(*name, color->name);
}

static bool
is_hex_like(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '#' && char_hex(s.p[i]) < 0)
			return false;
	return true;
}

static uint64_t
saturated(struct str digits)
{
	uint64_t n = 0;
	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(digits.p[i] - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return UINT64_MAX;
		n = n * 10 + digit;
	}
	return n;
}

/* Of 255; far more than that is all the same. */
static uint64_t
of_percent(uint64_t percent)
{
	double value = (double)percent / 100 * 255;
	return value < 1e18 ? (uint64_t)value : (uint64_t)1e18;
}

/* "1,2,3)" or "1%,2%,3%)", behind "rgb(". */
static bool
parse_triple(struct str s, bool is_percent, uint64_t ret[3])
{
	size_t at = 0;
	for (size_t i = 0; i < 3; i++) {
		size_t from = i == 0 ? at : scan_blanks(s, at);
		at = scan_digits(s, from);
		if (at == from)
			return false;
		ret[i] = saturated(str_sub(s, from, at - from));
		if (is_percent)
			ret[i] = of_percent(ret[i]);
		if (is_percent && (at == s.len || s.p[at++] != '%'))
			return false;
		if (i < 2 && (at == s.len || s.p[at++] != ','))
			return false;
	}
	at = scan_blanks(s, at);
	return at < s.len && s.p[at] == ')';
}

/* Is there an "rgb(" with digits, %, commas and blanks up to its ")"? */
static bool
has_rgb_call(struct str s)
{
	size_t at;
	while ((at = str_ifind(s, STR("rgb("))) != STR_NONE) {
		s = str_skip(s, at + 4);
		size_t n = 0;
		while (n < s.len && s.p[n] != '\0' &&
		       strchr("0123456789%, ", s.p[n]) != NULL)
			n++;
		if (n < s.len && s.p[n] == ')')
			return true;
	}
	return false;
}

static bool
find_triple(struct str s, bool is_percent, uint64_t ret[3])
{
	size_t at;
	while ((at = str_ifind(s, STR("rgb("))) != STR_NONE) {
		s = str_skip(s, at + 4);
		if (parse_triple(s, is_percent, ret))
			return true;
	}
	return false;
}

/* The first six hexadecimal digits of three numbers, two or more each. */
static html_color
color_of_triple(const uint64_t triple[3])
{
	char text[64];
	(void)snprintf(text, sizeof(text), "%02llx%02llx%02llx",
	    (unsigned long long)triple[0], (unsigned long long)triple[1],
	    (unsigned long long)triple[2]);
	html_color color = 0;
	for (size_t i = 0; i < 6; i++)
		color = color * 16 + char_hex(text[i]);
	return color;
}

/* "#" and digits, and what is dropped; one or two are padded with 0. */
static html_color
color_of_hex(struct str s)
{
	int digit[6] = {0};
	size_t n = 0;
	for (size_t i = 0; i < s.len && n < 7; i++) {
		int value = char_hex(s.p[i]);
		if (value >= 0 && n++ < 6)
			digit[n - 1] = value;
	}
	if (n == 0)
		return COLOR_NONE;
	html_color color = 0;
	for (size_t i = 0; i < 6; i++)
		color = color * 16 + digit[n < 6 ? i / 2 : i];
	return color;
}

html_color
html_color_parse(struct str text)
{
	text = str_trim(text);
	const struct named_color *named = bsearch(
	    &text, colors, COUNT_OF(colors), sizeof(colors[0]), color_cmp);
	if (named != NULL)
		return named->color;
	if (!is_hex_like(text) && !has_rgb_call(text))
		return COLOR_INVALID;
	uint64_t triple[3];
	if (find_triple(text, true, triple) || find_triple(text, false, triple))
		return color_of_triple(triple);
	return str_starts(text, STR("#")) ? color_of_hex(text) : COLOR_INVALID;
}

html_color
html_color_parse_bare(struct str text)
{
	html_color color = html_color_parse(text);
	text = str_trim(text);
	if (color != COLOR_INVALID || text.len != 6 || !is_hex_like(text) ||
	    str_chr(text, '#') != STR_NONE)
		return color;
	return color_of_hex(text);
}
