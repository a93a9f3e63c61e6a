/* SPDX-License-Identifier: BSD-2-Clause */
/* html_entity -- character references. */
#include "mail/html_entity.h"

#include "base/buf.h"
#include "base/utf8.h"

#define NAME_MAX_LEN 8
#define CODE_MAX 0x10ffff
#define REPLACEMENT 0xfffd
#define REPLACEMENT_LEN 3 /* of its UTF-8 */

struct entity {
	char name[NAME_MAX_LEN + 1];
	uint16_t code;
	bool needs_semicolon;
};

/* In byte order. */
static const struct entity entities[] = {
    {"AElig", 0xc6, false},
    {"Aacute", 0xc1, false},
    {"Acirc", 0xc2, false},
    {"Agrave", 0xc0, false},
    {"Alpha", 0x391, true},
    {"Aring", 0xc5, false},
    {"Atilde", 0xc3, false},
    {"Auml", 0xc4, false},
    {"Beta", 0x392, true},
    {"Ccedil", 0xc7, false},
    {"Chi", 0x3a7, true},
    {"Dagger", 0x2021, true},
    {"Delta", 0x394, true},
    {"ETH", 0xd0, false},
    {"Eacute", 0xc9, false},
    {"Ecirc", 0xca, false},
    {"Egrave", 0xc8, false},
    {"Epsilon", 0x395, true},
    {"Eta", 0x397, true},
    {"Euml", 0xcb, false},
    {"Gamma", 0x393, true},
    {"Iacute", 0xcd, false},
    {"Icirc", 0xce, false},
    {"Igrave", 0xcc, false},
    {"Iota", 0x399, true},
    {"Iuml", 0xcf, false},
    {"Kappa", 0x39a, true},
    {"Lambda", 0x39b, true},
    {"Mu", 0x39c, true},
    {"Ntilde", 0xd1, false},
    {"Nu", 0x39d, true},
    {"OElig", 0x152, true},
    {"Oacute", 0xd3, false},
    {"Ocirc", 0xd4, false},
    {"Ograve", 0xd2, false},
    {"Omega", 0x3a9, true},
    {"Omicron", 0x39f, true},
    {"Oslash", 0xd8, false},
    {"Otilde", 0xd5, false},
    {"Ouml", 0xd6, false},
    {"Phi", 0x3a6, true},
    {"Pi", 0x3a0, true},
    {"Prime", 0x2033, true},
    {"Psi", 0x3a8, true},
    {"Rho", 0x3a1, true},
    {"Scaron", 0x160, true},
    {"Sigma", 0x3a3, true},
    {"THORN", 0xde, false},
    {"Tau", 0x3a4, true},
    {"Theta", 0x398, true},
    {"Uacute", 0xda, false},
    {"Ucirc", 0xdb, false},
    {"Ugrave", 0xd9, false},
    {"Upsilon", 0x3a5, true},
    {"Uuml", 0xdc, false},
    {"Xi", 0x39e, true},
    {"Yacute", 0xdd, false},
    {"Yuml", 0x178, true},
    {"Zeta", 0x396, true},
    {"aacute", 0xe1, false},
    {"acirc", 0xe2, false},
    {"acute", 0xb4, false},
    {"aelig", 0xe6, false},
    {"agrave", 0xe0, false},
    {"alefsym", 0x2135, true},
    {"alpha", 0x3b1, true},
    {"amp", 0x26, false},
    {"and", 0x2227, true},
    {"ang", 0x2220, true},
    {"apos", 0x27, false},
    {"aring", 0xe5, false},
    {"asymp", 0x2248, true},
    {"atilde", 0xe3, false},
    {"auml", 0xe4, false},
    {"bdquo", 0x201e, true},
    {"beta", 0x3b2, true},
    {"brvbar", 0xa6, false},
    {"bull", 0x2022, true},
    {"cap", 0x2229, true},
    {"ccedil", 0xe7, false},
    {"cedil", 0xb8, false},
    {"cent", 0xa2, false},
    {"chi", 0x3c7, true},
    {"circ", 0x2c6, true},
    {"clubs", 0x2663, true},
    {"cong", 0x2245, true},
    {"copy", 0xa9, false},
    {"crarr", 0x21b5, true},
    {"cup", 0x222a, true},
    {"curren", 0xa4, false},
    {"dArr", 0x21d3, true},
    {"dagger", 0x2020, true},
    {"darr", 0x2193, true},
    {"deg", 0xb0, false},
    {"delta", 0x3b4, true},
    {"diams", 0x2666, true},
    {"divide", 0xf7, false},
    {"eacute", 0xe9, false},
    {"ecirc", 0xea, false},
    {"egrave", 0xe8, false},
    {"empty", 0x2205, true},
    {"emsp", 0x2003, true},
    {"ensp", 0x2002, true},
    {"epsilon", 0x3b5, true},
    {"equiv", 0x2261, true},
    {"eta", 0x3b7, true},
    {"eth", 0xf0, false},
    {"euml", 0xeb, false},
    {"euro", 0x20ac, true},
    {"exist", 0x2203, true},
    {"fnof", 0x192, true},
    {"forall", 0x2200, true},
    {"frac12", 0xbd, false},
    {"frac14", 0xbc, false},
    {"frac34", 0xbe, false},
    {"frasl", 0x2044, true},
    {"gamma", 0x3b3, true},
    {"ge", 0x2265, true},
    {"gt", 0x3e, false},
    {"hArr", 0x21d4, true},
    {"harr", 0x2194, true},
    {"hearts", 0x2665, true},
    {"hellip", 0x2026, true},
    {"iacute", 0xed, false},
    {"icirc", 0xee, false},
    {"iexcl", 0xa1, false},
    {"igrave", 0xec, false},
    {"image", 0x2111, true},
    {"infin", 0x221e, true},
    {"int", 0x222b, true},
    {"iota", 0x3b9, true},
    {"iquest", 0xbf, false},
    {"isin", 0x2208, true},
    {"iuml", 0xef, false},
    {"kappa", 0x3ba, true},
    {"lArr", 0x21d0, true},
    {"lambda", 0x3bb, true},
    {"lang", 0x2329, true},
    {"laquo", 0xab, false},
    {"larr", 0x2190, true},
    {"lceil", 0x2308, true},
    {"ldquo", 0x201c, true},
    {"le", 0x2264, true},
    {"lfloor", 0x230a, true},
    {"lowast", 0x2217, true},
    {"loz", 0x25ca, true},
    {"lrm", 0x200e, true},
    {"lsaquo", 0x2039, true},
    {"lsquo", 0x2018, true},
    {"lt", 0x3c, false},
    {"macr", 0xaf, false},
    {"mdash", 0x2014, true},
    {"micro", 0xb5, false},
    {"middot", 0xb7, false},
    {"minus", 0x2212, true},
    {"mu", 0x3bc, true},
    {"nabla", 0x2207, true},
    {"nbsp", 0xa0, false},
    {"ndash", 0x2013, true},
    {"ne", 0x2260, true},
    {"ni", 0x220b, true},
    {"not", 0xac, false},
    {"notin", 0x2209, true},
    {"nsub", 0x2284, true},
    {"ntilde", 0xf1, false},
    {"nu", 0x3bd, true},
    {"oacute", 0xf3, false},
    {"ocirc", 0xf4, false},
    {"oelig", 0x153, true},
    {"ograve", 0xf2, false},
    {"oline", 0x203e, true},
    {"omega", 0x3c9, true},
    {"omicron", 0x3bf, true},
    {"oplus", 0x2295, true},
    {"or", 0x2228, true},
    {"ordf", 0xaa, false},
    {"ordm", 0xba, false},
    {"oslash", 0xf8, false},
    {"otilde", 0xf5, false},
    {"otimes", 0x2297, true},
    {"ouml", 0xf6, false},
    {"para", 0xb6, false},
    {"part", 0x2202, true},
    {"permil", 0x2030, true},
    {"perp", 0x22a5, true},
    {"phi", 0x3c6, true},
    {"pi", 0x3c0, true},
    {"piv", 0x3d6, true},
    {"plusmn", 0xb1, false},
    {"pound", 0xa3, false},
    {"prime", 0x2032, true},
    {"prod", 0x220f, true},
    {"prop", 0x221d, true},
    {"psi", 0x3c8, true},
    {"quot", 0x22, false},
    {"rArr", 0x21d2, true},
    {"radic", 0x221a, true},
    {"rang", 0x232a, true},
    {"raquo", 0xbb, false},
    {"rarr", 0x2192, true},
    {"rceil", 0x2309, true},
    {"rdquo", 0x201d, true},
    {"real", 0x211c, true},
    {"reg", 0xae, false},
    {"rfloor", 0x230b, true},
    {"rho", 0x3c1, true},
    {"rlm", 0x200f, true},
    {"rsaquo", 0x203a, true},
    {"rsquo", 0x2019, true},
    {"sbquo", 0x201a, true},
    {"scaron", 0x161, true},
    {"sdot", 0x22c5, true},
    {"sect", 0xa7, false},
    {"shy", 0xad, false},
    {"sigma", 0x3c3, true},
    {"sigmaf", 0x3c2, true},
    {"sim", 0x223c, true},
    {"spades", 0x2660, true},
    {"sub", 0x2282, true},
    {"sube", 0x2286, true},
    {"sum", 0x2211, true},
    {"sup", 0x2283, true},
    {"sup1", 0xb9, false},
    {"sup2", 0xb2, false},
    {"sup3", 0xb3, false},
    {"supe", 0x2287, true},
    {"szlig", 0xdf, false},
    {"tau", 0x3c4, true},
    {"there4", 0x2234, true},
    {"theta", 0x3b8, true},
    {"thetasym", 0x3d1, true},
    {"thinsp", 0x2009, true},
    {"thorn", 0xfe, false},
    {"tilde", 0x2dc, true},
    {"times", 0xd7, false},
    {"trade", 0x2122, true},
    {"uArr", 0x21d1, true},
    {"uacute", 0xfa, false},
    {"uarr", 0x2191, true},
    {"ucirc", 0xfb, false},
    {"ugrave", 0xf9, false},
    {"uml", 0xa8, false},
    {"upsih", 0x3d2, true},
    {"upsilon", 0x3c5, true},
    {"uuml", 0xfc, false},
    {"weierp", 0x2118, true},
    {"xi", 0x3be, true},
    {"yacute", 0xfd, false},
    {"yen", 0xa5, false},
    {"yuml", 0xff, false},
    {"zeta", 0x3b6, true},
    {"zwj", 0x200d, true},
    {"zwnj", 0x200c, true},
};

struct decoder {
	struct buf *out;
	struct str in;
	size_t at;
	bool allows_prefix;
	bool is_bytes;
	bool is_wide;
	uint32_t high; /* surrogate seen just before; 0: none */
};

/* A character; as bytes it is one character of Latin-1 for each of its bytes.
 */
static void
put_code(struct decoder *d, uint32_t code)
{
	size_t from = d->out->len;
	utf8_put(d->out, code);
	if (!d->is_bytes || code < 0x80)
		return;
	unsigned char bytes[4];
	size_t n = d->out->len - from;
	for (size_t i = 0; i < n && i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)d->out->p[from + i];
	d->out->len = from;
	for (size_t i = 0; i < n && i < sizeof(bytes); i++)
		utf8_put(d->out, bytes[i]);
}

static int
entity_cmp(const void *key, const void *row)
{
	const struct str *name = key;
	const struct entity *entity = row;
	return str_cmp(*name, str_from(entity->name));
}

static const struct entity *
entity_find(struct str name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return NULL;
	return bsearch(&name, entities, COUNT_OF(entities), sizeof(entities[0]),
	    entity_cmp);
}

static bool
has_semicolon(const struct decoder *d, size_t at)
{
	return at < d->in.len && d->in.p[at] == ';';
}

/* The entity at `at`, behind the &; its name's length in `*ret_len`. */
static const struct entity *
entity_at(const struct decoder *d, size_t at, size_t len, size_t *ret_len)
{
	struct str name = str_sub(d->in, at, len);
	const struct entity *found = entity_find(name);
	if (found != NULL &&
	    (!found->needs_semicolon || has_semicolon(d, at + len))) {
		*ret_len = len;
		return found;
	}
	if (!d->allows_prefix || len == 0)
		return NULL;
	size_t least = len - 1 < NAME_MAX_LEN ? len - 1 : NAME_MAX_LEN;
	for (; least > 0; least--) {
		found = entity_find(str_sub(name, 0, least));
		if (found != NULL && !found->needs_semicolon) {
			*ret_len = least;
			return found;
		}
	}
	return NULL;
}

static void
skip_semicolon(struct decoder *d)
{
	if (has_semicolon(d, d->at))
		d->at++;
	if (d->at >= d->in.len || d->in.p[d->at] != '&')
		d->high = 0;
}

static void
decode_name(struct decoder *d, size_t amp)
{
	size_t at = amp + 1;
	size_t end = at;
	while (end < d->in.len && char_is_alnum(d->in.p[end]))
		end++;
	size_t len = 0;
	const struct entity *entity = entity_at(d, at, end - at, &len);
	d->high = 0;
	if (entity == NULL) {
		buf_put(d->out, str_sub(d->in, amp, end - amp));
		d->at = end;
		return;
	}
	d->at = at + len;
	skip_semicolon(d);
	d->is_wide |= entity->code > 0xff;
	put_code(d, entity->code);
}

/* A NUL counts as the digit 0, as in HTML::Entities. */
static int
digit_value(char c, unsigned base)
{
	if (base == 10)
		return char_is_digit(c) ? c - '0' : -1;
	return c == '\0' ? 0 : char_hex(c);
}

/* The number at d->at, which moves behind it; 0: none, or too large. */
static uint32_t
decode_digits(struct decoder *d, unsigned base)
{
	uint32_t code = 0;
	for (; d->at < d->in.len; d->at++) {
		int digit = digit_value(d->in.p[d->at], base);
		if (digit < 0)
			break;
		code = code * base + (uint32_t)digit;
		if (code > CODE_MAX)
			return 0;
	}
	return code;
}

/* Two references to surrogates are one character: take the first one back. */
static uint32_t
join_surrogates(struct decoder *d, uint32_t code)
{
	if ((code & 0xfffffc00) == 0xd800) {
		d->high = code;
		return REPLACEMENT;
	}
	if ((code & 0xfffffc00) == 0xdc00) {
		if (d->high == 0)
			return REPLACEMENT;
		size_t taken = (d->is_bytes ? 2 : 1) * REPLACEMENT_LEN;
		if (!d->out->is_cut && d->out->len >= taken)
			d->out->len -= taken;
		code = ((d->high - 0xd800) << 10) + (code - 0xdc00) + 0x10000;
		d->high = 0;
		return code;
	}
	d->high = 0;
	if ((code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe)
		return REPLACEMENT;
	return code;
}

static void
decode_number(struct decoder *d, size_t amp)
{
	d->at = amp + 2;
	bool is_hex = d->at < d->in.len &&
		      (d->in.p[d->at] == 'x' || d->in.p[d->at] == 'X');
	if (is_hex)
		d->at++;
	uint32_t code = decode_digits(d, is_hex ? 16 : 10);
	if (code == 0 || code == 0xfffe || code == 0xffff) {
		buf_put(d->out, str_sub(d->in, amp, d->at - amp));
		return;
	}
	d->is_wide |= code > 0xff;
	code = join_surrogates(d, code);
	put_code(d, code);
	skip_semicolon(d);
}

bool
html_entity_decode(
    struct buf *ret, struct str text, bool allows_prefix, bool is_bytes)
{
	struct decoder d = {.out = ret,
	    .in = text,
	    .allows_prefix = allows_prefix,
	    .is_bytes = is_bytes};
	while (d.at < text.len) {
		struct str rest = str_skip(text, d.at);
		size_t amp = str_chr(rest, '&');
		if (amp == STR_NONE) {
			buf_put(ret, rest);
			break;
		}
		buf_put(ret, str_sub(rest, 0, amp));
		amp += d.at;
		if (amp + 1 < text.len && text.p[amp + 1] == '#')
			decode_number(&d, amp);
		else
			decode_name(&d, amp);
	}
	return d.is_wide && !is_bytes;
}
