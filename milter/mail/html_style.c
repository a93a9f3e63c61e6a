/* SPDX-License-Identifier: BSD-2-Clause */
/* html_style -- colour, size and visibility of text. */
#include "mail/html_style.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/html_entity.h"
#include "mail/scan.h"

#define VALUE_MAX 8192 /* bytes of one attribute that are looked at */
#define SIZE_MOST 1000000
#define WHITE 0xffffff
#define BLACK 0
#define LOW_CONTRAST \
	12.0 /* of 191.15, weighted by how bright a primary looks */

/* --- CSS declarations, as SpamAssassin reads them --- */

/*
 * The value behind "name:" in `part`, without blanks around it; false: it is
 * empty, or goes over a line end.  A value of blanks only is one blank.
 */
static bool
value_of(struct str rest, struct str *ret)
{
	struct str value = str_trim(rest);
	if (value.len == 0) {
		for (size_t i = 0; i < rest.len && value.len == 0; i++)
			if (rest.p[i] != '\n')
				value = str_sub(rest, i, 1);
	}
	*ret = value;
	return value.len > 0 && str_chr(value, '\n') == STR_NONE;
}

static struct str
without_important(struct str value)
{
	if (!str_iends(value, STR("important")))
		return value;
	struct str before = str_trim(str_sub(value, 0, value.len - 9));
	if (!str_ends(before, STR("!")))
		return value;
	return str_trim(str_sub(before, 0, before.len - 1));
}

/* rgb() and its like: the digits and commas of it, three numbers up to 255. */
static html_color
color_of_call(struct str value)
{
	unsigned component[3] = {0};
	size_t k = 0;
	for (size_t i = 0; i < value.len && k < 3; i++) {
		if (value.p[i] == ',')
			k++;
		else if (char_is_digit(value.p[i]) && component[k] < 256)
			component[k] =
			    component[k] * 10 + (unsigned)(value.p[i] - '0');
	}
	html_color color = 0;
	for (size_t i = 0; i < 3; i++)
		color = color * 256 +
			(html_color)(component[i] > 255 ? 255 : component[i]);
	return color;
}

static void
set_css_color(html_color *ret, struct str value)
{
	value = without_important(value);
	if (str_ifind(value, STR("rgb")) != STR_NONE)
		*ret = color_of_call(value);
	else if (str_ieq(value, STR("transparent")))
		*ret = COLOR_TRANSPARENT;
	else if (!str_ieq(value, STR("inherit")))
		*ret = html_color_parse(value);
}

/* Layers of a background property are split at commas, words at blanks. */
struct background {
	html_color color; /* first colour of the layer being read */
	bool has_word;
	html_color last; /* of the layer before it */
};

static void
background_word(struct background *b, struct str word)
{
	if (word.len == 0)
		return;
	b->has_word = true;
	if (b->color == COLOR_INVALID)
		b->color = html_color_parse(word);
}

/* The colour of the bottom layer; COLOR_INVALID: none. */
static html_color
background_color(struct str value)
{
	struct background b = {COLOR_INVALID, false, COLOR_INVALID};
	size_t start = 0;
	char quote = '\0';
	bool in_call = false;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.p[i];
		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (in_call && c == ')') {
			background_word(
			    &b, str_sub(value, start, i + 1 - start));
			start = i + 1;
			in_call = false;
		} else if (!in_call && c == '(') {
			in_call = true;
		} else if (!in_call && (c == ' ' || c == ',')) {
			background_word(&b, str_sub(value, start, i - start));
			start = i + 1;
			if (c == ',')
				b = (struct background){
				    COLOR_INVALID, false, b.color};
		}
	}
	background_word(&b, str_skip(value, start));
	return b.has_word ? b.color : b.last;
}

static bool
is_property_char(char c)
{
	return char_is_alpha(c) || c == '_' || c == '-';
}

/* Any other property: SpamAssassin asks for two, by their exact names. */
static void
sa_property(struct html_style *style, struct str part)
{
	size_t n = 0;
	while (n < part.len && is_property_char(part.p[n]))
		n++;
	struct str name = str_sub(part, 0, n);
	struct str rest = str_skip(part, scan_blanks(part, n));
	if (!str_starts(rest, STR(":")))
		return;
	struct str value = str_trim(str_skip(rest, 1));
	if (value.len == 0 || str_chr(value, '\n') != STR_NONE)
		return;
	if (str_eq(name, STR("display")))
		style->is_display_none = str_ieq(value, STR("none"));
	else if (str_eq(name, STR("visibility")))
		style->is_visibility_hidden = str_ieq(value, STR("hidden"));
}

static void
sa_declaration(struct html_style *style, struct str part)
{
	part = str_skip(part, scan_blanks(part, 0));
	struct str rest = part;
	bool is_back = str_istarts(rest, STR("background-"));
	if (is_back)
		rest = str_skip(rest, 11);
	struct str value;
	if (str_istarts(rest, STR("color:")) &&
	    value_of(str_skip(rest, 6), &value)) {
		set_css_color(is_back ? &style->bg : &style->fg, value);
		return;
	}
	if (str_starts(part, STR("background:")) &&
	    value_of(str_skip(part, 11), &value)) {
		html_color color = background_color(value);
		if (color != COLOR_INVALID)
			style->bg = color;
		return;
	}
	sa_property(style, part);
}

/* --- CSS declarations, as we read them --- */

/* What makes an element disappear only in combination. */
struct box {
	bool is_flat; /* no height or no width */
	bool is_clipped;
};

/* A length in pixels; false: it is none, or relative to what is not known. */
static bool
css_length(struct str value, double *ret)
{
	static const struct {
		struct str unit;
		double pixels;
	} units[] = {
	    {{"", 0}, 1},
	    {{"px", 2}, 1},
	    {{"pt", 2}, 4.0 / 3},
	    {{"em", 2}, 16},
	    {{"rem", 3}, 16},
	    {{"ex", 2}, 8},
	    {{"%", 1}, 0.16},
	};
	size_t n = 0;
	while (
	    n < value.len && (char_is_digit(value.p[n]) || value.p[n] == '.'))
		n++;
	if (n > 0 && value.p[n - 1] == '.')
		return false;
	struct str number = str_sub(value, 0, n);
	double length;
	if (str_starts(number, STR("."))) {
		uint64_t tenths;
		if (!str_u64(str_sub(number, 1, 1), 9, &tenths))
			return false;
		length = (double)tenths / 10;
	} else if (!str_double(number, &length)) {
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (str_ieq(str_trim(str_skip(value, n)), units[i].unit)) {
			*ret = length * units[i].pixels;
			return true;
		}
	return false;
}

static void
css_display(struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	if (str_ieq(value, STR("none")))
		style->is_removed = true;
}

static void
css_visibility(struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	style->is_unseen =
	    str_ieq(value, STR("hidden")) || str_ieq(value, STR("collapse"));
}

static void
css_opacity(struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	double opacity;
	if (css_length(value, &opacity) && opacity < 0.05)
		style->is_removed = true;
}

static void
css_font_size(struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	double pixels;
	style->is_tiny = css_length(value, &pixels) && pixels <= 2.7;
}

static void
css_extent(struct html_style *style, struct box *box, struct str value)
{
	(void)style;
	double pixels;
	if (css_length(value, &pixels) && pixels < 1)
		box->is_flat = true;
}

static void
css_overflow(struct html_style *style, struct box *box, struct str value)
{
	(void)style;
	if (str_ieq(value, STR("hidden")))
		box->is_clipped = true;
}

/* A colour, COLOR_TRANSPARENT or COLOR_UNKNOWN. */
static html_color
known_color(struct str value)
{
	html_color color = COLOR_UNKNOWN;
	set_css_color(&color, value);
	if (color == COLOR_INVALID)
		color = html_color_parse_bare(value);
	return color >= 0 || color == COLOR_TRANSPARENT ? color : COLOR_UNKNOWN;
}

static void
css_color(struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	if (!str_ieq(value, STR("inherit")))
		style->real_fg = known_color(value);
}

static void
set_back(struct html_style *style, html_color color)
{
	if (color != COLOR_TRANSPARENT)
		style->real_bg = color;
}

static void
css_background_color(
    struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	if (!str_ieq(value, STR("inherit")))
		set_back(style, known_color(value));
}

static void
css_background(struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	bool is_plain =
	    str_chr(value, '(') == STR_NONE || str_istarts(value, STR("rgb"));
	html_color color = is_plain ? background_color(value) : COLOR_INVALID;
	if (!str_ieq(value, STR("none")) && !str_ieq(value, STR("transparent")))
		style->real_bg = color >= 0 ? color : COLOR_UNKNOWN;
}

static void
css_background_image(
    struct html_style *style, struct box *box, struct str value)
{
	(void)box;
	if (!str_ieq(value, STR("none")))
		style->real_bg = COLOR_UNKNOWN;
}

static const struct {
	struct str name;
	void (*set)(
	    struct html_style *style, struct box *box, struct str value);
} properties[] = {
    {{"display", 7}, css_display},
    {{"visibility", 10}, css_visibility},
    {{"opacity", 7}, css_opacity},
    {{"font-size", 9}, css_font_size},
    {{"color", 5}, css_color},
    {{"background-color", 16}, css_background_color},
    {{"background", 10}, css_background},
    {{"background-image", 16}, css_background_image},
    {{"height", 6}, css_extent},
    {{"max-height", 10}, css_extent},
    {{"width", 5}, css_extent},
    {{"max-width", 9}, css_extent},
    {{"overflow", 8}, css_overflow},
};

static void
our_declaration(struct html_style *style, struct box *box, struct str part)
{
	struct str rest = part;
	struct str name = str_trim(str_cut(&rest, ':'));
	struct str value = without_important(str_trim(rest));
	for (size_t i = 0; value.len > 0 && i < COUNT_OF(properties); i++)
		if (str_ieq(name, properties[i].name))
			properties[i].set(style, box, value);
}

static void
style_css(struct html_style *style, struct str css)
{
	struct box box = {false, false};
	while (css.len > 0)
		our_declaration(style, &box, str_cut(&css, ';'));
	style->is_removed |= box.is_flat && box.is_clipped;
	if (style->real_fg == COLOR_TRANSPARENT)
		style->real_fg = style->real_bg;
}

static void
sa_css(struct html_style *style, const struct html_style *outer, struct str css)
{
	while (css.len > 0)
		sa_declaration(style, str_cut(&css, ';'));
	if (style->bg == COLOR_TRANSPARENT)
		style->bg = outer->bg;
	if (style->fg == COLOR_TRANSPARENT)
		style->fg = style->bg;
}

/* --- elements and attributes --- */

enum style_attr {
	ATTR_COLOR = 1, /* text color */
	ATTR_SIZE = 2,
	ATTR_STYLE = 4,
	ATTR_BGCOLOR = 8,
	ATTR_BACKGROUND = 16,
	ATTR_HIDDEN = 32,
	ATTR_OTHER = 64 /* known to SpamAssassin, without effect */
};

/* The bit of a name's first use in a tag is in `once`. */
static const struct {
	struct str name;
	unsigned attr;
	unsigned once;
} attrs[] = {
    {{"color", 5}, ATTR_COLOR, 1},
    {{"text", 4}, ATTR_COLOR, 2},
    {{"size", 4}, ATTR_SIZE, 4},
    {{"style", 5}, ATTR_STYLE, 8},
    {{"bgcolor", 7}, ATTR_BGCOLOR, 16},
    {{"background", 10}, ATTR_BACKGROUND, 32},
    {{"hidden", 6}, ATTR_HIDDEN, 64},
    {{"face", 4}, ATTR_OTHER, 128},
    {{"link", 4}, ATTR_OTHER, 256},
    {{"alink", 5}, ATTR_OTHER, 512},
    {{"vlink", 5}, ATTR_OTHER, 1024},
};

/* Which attributes (`once` bits) SpamAssassin heeds in which element. */
#define HEEDS_FONT (1U | 4U | 128U)
#define HEEDS_TABLE (8U | 16U)
static const struct {
	struct str name;
	enum style_tag tag;
	unsigned heeds;
} style_tags[] = {
    {{"body", 4}, STYLE_BODY, 2U | 16U | 32U | 256U | 512U | 1024U},
    {{"font", 4}, STYLE_FONT, HEEDS_FONT},
    {{"table", 5}, STYLE_TABLE, HEEDS_TABLE},
    {{"tr", 2}, STYLE_TR, HEEDS_TABLE},
    {{"th", 2}, STYLE_TD, HEEDS_TABLE},
    {{"td", 2}, STYLE_TD, HEEDS_TABLE},
    {{"big", 3}, STYLE_BIG, 0},
    {{"small", 5}, STYLE_SMALL, 0},
    {{"basefont", 8}, STYLE_BASEFONT, HEEDS_FONT},
    {{"marquee", 7}, STYLE_MARQUEE, 16U | 32U},
    {{"span", 4}, STYLE_SPAN, 8},
    {{"p", 1}, STYLE_P, 8},
    {{"div", 3}, STYLE_DIV, 8},
    {{"a", 1}, STYLE_A, 8},
};

/* Index into style_tags, or SIZE_MAX. */
static size_t
style_tag_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(style_tags); i++)
		if (str_eq(name, style_tags[i].name))
			return i;
	return SIZE_MAX;
}

/* The number of at most SIZE_MOST that is `s[from..to)`, digits. */
static int
bounded_int(struct str s, size_t from, size_t to)
{
	int n = 0;
	for (size_t i = from; i < to && n < SIZE_MOST; i++)
		n = n * 10 + (s.p[i] - '0');
	return n < SIZE_MOST ? n : SIZE_MOST;
}

/* "+1", "-2" from `base`, "4"; else `size` stays. */
static int
parse_size(struct str value, int base, int size)
{
	size_t from = scan_blanks(value, 0);
	char sign = from < value.len ? value.p[from] : '\0';
	bool is_relative = sign == '+' || sign == '-';
	if (is_relative)
		from++;
	size_t end = scan_digits(value, from);
	if (end == from)
		return size;
	int n = bounded_int(value, from, end);
	if (!is_relative)
		return n;
	return sign == '-' ? base - n : base + n;
}

static struct str
attr_value(struct html_styles *styles, const struct html_attr *attr)
{
	struct str value = str_sub(attr->value, 0, VALUE_MAX);
	if (attr->is_bare || str_chr(value, '&') == STR_NONE)
		return value;
	styles->value->len = 0;
	(void)html_entity_decode(styles->value, value, false, false);
	return buf_str(styles->value);
}

static void
sa_attr(struct html_styles *styles, struct html_style *style, unsigned attr,
    struct str value)
{
	if (attr == ATTR_COLOR)
		style->fg = html_color_parse(value);
	else if (attr == ATTR_SIZE)
		style->size = parse_size(value, styles->basefont, style->size);
	else if (attr == ATTR_STYLE)
		sa_css(style, html_styles_top(styles), value);
	if (style->size > styles->max_size)
		styles->max_size = style->size;
	else if (style->size < styles->min_size)
		styles->min_size = style->size;
}

static void
our_attr(struct html_style *style, unsigned attr, struct str value)
{
	switch (attr) {
	case ATTR_COLOR:
		style->real_fg = known_color(value);
		break;
	case ATTR_STYLE:
		style_css(style, value);
		break;
	case ATTR_BGCOLOR:
		set_back(style, known_color(value));
		break;
	case ATTR_BACKGROUND:
		style->real_bg = COLOR_UNKNOWN;
		break;
	case ATTR_HIDDEN:
		style->is_removed = true;
		break;
	default:
		break;
	}
}

static void
style_attrs(struct html_styles *styles, struct html_style *style,
    const struct html_tag *tag, unsigned heeds)
{
	unsigned seen = 0;
	for (size_t i = 0; i < tag->n; i++)
		for (size_t k = 0; k < COUNT_OF(attrs); k++) {
			if (!str_ieq(tag->v[i].name, attrs[k].name) ||
			    (seen & attrs[k].once) != 0)
				continue;
			seen |= attrs[k].once;
			struct str value = attr_value(styles, &tag->v[i]);
			our_attr(style, attrs[k].attr, value);
			if ((heeds & attrs[k].once) != 0)
				sa_attr(styles, style, attrs[k].attr, value);
		}
}

static void
pop(struct html_styles *styles)
{
	styles->open[html_styles_top(styles)->tag]--;
	styles->n--;
}

static void
push(struct html_styles *styles, struct html_style style)
{
	styles->open[style.tag]++;
	ARENA_PUSH(styles->arena, styles) = style;
}

/* Cells and rows may be left open, and <font> in them. */
static void
close_table_tags(struct html_styles *styles, enum style_tag tag)
{
	bool is_open = styles->open[tag] > 0;
	while (is_open) {
		uint8_t top = html_styles_top(styles)->tag;
		if (top != STYLE_FONT && top != STYLE_TD &&
		    (tag != STYLE_TR || top != STYLE_TR))
			return;
		pop(styles);
	}
}

void
html_styles_init(struct html_styles *ret, struct arena *a)
{
	*ret = (struct html_styles){.arena = a,
	    .basefont = 3,
	    .min_size = 3,
	    .max_size = 3,
	    .value = buf_new(a, VALUE_MAX)};
	push(ret, (struct html_style){.tag = STYLE_DOCUMENT,
		      .fg = BLACK,
		      .bg = WHITE,
		      .real_fg = BLACK,
		      .real_bg = WHITE,
		      .size = ret->basefont});
}

/* <basefont size> changes the base and opens nothing. */
static bool
is_basefont_size(struct html_styles *styles, const struct html_tag *tag)
{
	const struct html_attr *size = html_tag_attr(tag, STR("size"));
	if (size == NULL)
		return false;
	struct str value = attr_value(styles, size);
	size_t from = scan_blanks(value, 0);
	size_t end = scan_digits(value, from);
	if (end == from)
		return false;
	styles->basefont = bounded_int(value, from, end);
	return true;
}

void
html_styles_start(struct html_styles *styles, const struct html_tag *tag)
{
	size_t row = style_tag_find(tag->name);
	if (row == SIZE_MAX)
		return;
	enum style_tag id = style_tags[row].tag;
	if (id == STYLE_BASEFONT && is_basefont_size(styles, tag))
		return;
	if (id == STYLE_TD || id == STYLE_TR)
		close_table_tags(styles, id);
	struct html_style style = *html_styles_top(styles);
	style.tag = (uint8_t)id;
	if (id == STYLE_BIG && style.size < SIZE_MOST)
		style.size++;
	else if (id == STYLE_SMALL && style.size > -SIZE_MOST)
		style.size--;
	else
		style_attrs(styles, &style, tag, style_tags[row].heeds);
	push(styles, style);
}

void
html_styles_end(struct html_styles *styles, struct str name)
{
	size_t row = style_tag_find(name);
	if (row == SIZE_MAX || style_tags[row].tag == STYLE_BODY)
		return;
	enum style_tag id = style_tags[row].tag;
	if (styles->open[id] == 0)
		return;
	for (bool is_closed = false; !is_closed;) {
		is_closed = html_styles_top(styles)->tag == id;
		pop(styles);
	}
}

/* --- visibility --- */

static bool
is_low_contrast(html_color fg, html_color bg)
{
	static const double weight[3] = {0.0722, 0.7152, 0.2126};
	double sum = 0;
	for (int i = 0; i < 3; i++) {
		int delta = ((fg >> (8 * i)) & 0xff) - ((bg >> (8 * i)) & 0xff);
		sum += (weight[i] * delta) * (weight[i] * delta);
	}
	return sum < LOW_CONTRAST * LOW_CONTRAST;
}

enum html_contrast
html_style_contrast(const struct html_style *style)
{
	if (style->fg == style->bg ||
	    (style->fg >= 0 && style->bg >= 0 &&
		is_low_contrast(style->fg, style->bg)))
		return CONTRAST_LOW;
	if (style->fg == COLOR_INVALID || style->bg == COLOR_INVALID)
		return CONTRAST_INVALID;
	if (style->size <= 1 || style->is_display_none ||
	    style->is_visibility_hidden)
		return CONTRAST_HIDDEN;
	return CONTRAST_GOOD;
}

bool
html_style_is_hidden(const struct html_style *style)
{
	return style->is_removed || style->is_unseen || style->is_tiny ||
	       (style->real_fg >= 0 && style->real_bg >= 0 &&
		   is_low_contrast(style->real_fg, style->real_bg));
}
