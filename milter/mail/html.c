/* SPDX-License-Identifier: BSD-2-Clause */
/* html -- what a reader sees of an HTML part. */
#include "mail/html.h"

#include <limits.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/convert.h"
#include "mail/html_element.h"
#include "mail/html_entity.h"
#include "mail/html_style.h"
#include "mail/html_token.h"
#include "mail/scan.h"
#include "mail/uchar.h"
#include "mail/uri_resolve.h"

#define ATTR_MAX 65536 /* bytes of one attribute value that are looked at */
#define SLACK 64
#define LINKS_A_URI 16 /* occurrences kept, on average, of one link */
#define SUFFIX_MIN 2   /* characters of ".html" */
#define SUFFIX_MAX 4
#define WORD_MAX 7 /* characters beside a tag that make it "backhair" */
#define SCREEN_WIDTH_PERCENT 8 /* pixels of one percent */
#define SCREEN_HEIGHT_PERCENT 6
#define SIDE_MAX 1000000000000
#define IMAGE_SIDE 200 /* of an image that does not say */

/* Texts that grow at the end only, in one buffer. */
struct texts {
	struct buf *buf;
	size_t *v; /* where each starts */
	size_t n;
	size_t cap;
};

/* Which link leads out of which anchor text. */
struct pairs {
	struct {
		size_t link, anchor;
	} * v;
	size_t n;
	size_t cap;
};

struct renderer {
	struct arena *arena;
	const struct mail_limits *limits;
	struct html *html;
	bool is_unicode; /* the source is characters to Perl */
	/* It is bytes; here each is the character of Latin-1 of its number. */
	bool is_bytes;
	struct html_styles styles;
	struct buf *out, *visible, *hidden;
	struct buf *scratch; /* decoded text or attribute */
	struct texts anchors, titles;
	struct pairs pairs;
	struct str base;
	bool base_is_wide;
	/* The text put out last: it ends `out`. */
	size_t piece;
	bool has_piece, piece_is_space, piece_is_invisible, piece_is_wide;
	/* Elements that are open, as `inside` counts them. */
	int in_a, in_title, in_script, in_style;
	bool backhair[WORD_MAX][WORD_MAX];
};

/* A value of the document: UTF-8, and whether Perl holds it as characters. */
struct value {
	struct str text;
	bool is_wide;
};

/* --- characters --- */

static bool
is_word_char(uint32_t c, bool is_wide)
{
	return c < 0x80 ? char_is_word((char)c) : is_wide && uchar_is_word(c);
}

/* Neither blank nor ASCII punctuation. */
static bool
is_body_char(uint32_t c, bool is_wide)
{
	if (c >= 0x80)
		return !is_wide || !uchar_is_space(c);
	return char_is_alnum((char)c) || c == 0x7f ||
	       (c < 0x20 && !char_is_space((char)c));
}

/* Of the eight ASCII bytes in `word`, how many are blank to Perl. */
static unsigned
count_blanks(uint64_t word, bool is_unicode)
{
	unsigned n = word_count(
	    word_range(word, '\t', '\r') | word_range(word, ' ', ' '));
	return is_unicode ? n : n - word_count(word_range(word, '\f', '\f'));
}

/* Characters of the text, and how many of them are not blank to Perl. */
static void
count_text(struct html *html)
{
	const struct str s = html->text;
	unsigned long length = 0, blanks = 0;
	for (size_t i = 0, len = 1; i < s.len; i += len, length++) {
		uint64_t word;
		for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
			memcpy(&word, s.p + i, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) != 0)
				break;
			blanks += count_blanks(word, html->is_unicode);
			length += sizeof(word);
		}
		if (i == s.len)
			break;
		len = 1;
		if ((s.p[i] & 0x80) == 0) {
			blanks += char_is_space(s.p[i]) &&
				  (html->is_unicode || s.p[i] != '\f');
			continue;
		}
		uint32_t c = uchar_first(str_skip(s, i), &len);
		blanks += html->is_unicode && uchar_is_space(c);
	}
	html->html_length += length;
	html->non_space_length += length - blanks;
}

struct str
html_latin1(struct arena *a, struct str text)
{
	if (str_is_ascii(text))
		return text;
	char *out = arena_alloc(a, text.len);
	size_t n = 0;
	for (size_t i = 0, len = 1; i < text.len; i += len) {
		uint32_t c = uchar_first(str_skip(text, i), &len);
		out[n++] = c <= 0xff ? (char)(unsigned char)c : '?';
	}
	return str_of(out, n);
}

struct str
html_from_latin1(struct arena *a, struct str bytes)
{
	size_t nhigh = 0;
	for (size_t i = 0; i < bytes.len; i++)
		nhigh += (unsigned char)bytes.p[i] >= 0x80;
	if (nhigh == 0)
		return bytes;
	char *out = arena_alloc(a, bytes.len + nhigh);
	size_t n = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		if (c >= 0x80) {
			out[n++] = (char)(0xc0 | c >> 6);
			c = 0x80 | (c & 0x3f);
		}
		out[n++] = (char)c;
	}
	return str_of(out, n);
}

struct str
html_link_utf8(struct arena *a, const struct html_link *link)
{
	return link->is_unicode ? link->url : html_from_latin1(a, link->url);
}

/* --- the source before it is tokenised --- */

/* A text that is made shorter where it stands. */
struct shortened {
	char *p;
	size_t len;
	size_t n;  /* bytes that are kept so far */
	size_t at; /* bytes that have been looked at */
};

static void
keep(struct shortened *s, size_t bytes)
{
	if (s->n != s->at)
		memmove(s->p + s->n, s->p + s->at, bytes);
	s->n += bytes;
	s->at += bytes;
}

static struct str
ahead(const struct shortened *s)
{
	return str_of(s->p + s->at, s->len - s->at);
}

/* Keep all up to the next `c`.  False: there is none. */
static bool
keep_until(struct shortened *s, char c)
{
	size_t run = str_chr(ahead(s), c);
	keep(s, run == STR_NONE ? s->len - s->at : run);
	return run != STR_NONE;
}

/* `bytes` that are not kept, and `c` in their place. */
static void
replace(struct shortened *s, size_t bytes, char c)
{
	s->p[s->n++] = c;
	s->at += bytes;
}

static size_t
drop_nbsp(char *p, size_t len)
{
	struct shortened s = {p, len, 0, 0};
	while (keep_until(&s, '&')) {
		if (str_starts(ahead(&s), STR("&nbsp;")))
			replace(&s, strlen("&nbsp;"), ' ');
		else
			keep(&s, 1);
	}
	return s.n;
}

/* Behind the characters of a word (of blanks) from `i` on, as \w (\s) has it.
 */
static size_t
skip_class(struct str s, size_t i, bool wants_word)
{
	for (size_t n; i < s.len; i += n) {
		uint32_t c = uchar_first(str_skip(s, i), &n);
		bool is_in = wants_word ? is_word_char(c, true)
			     : c < 0x80 ? char_is_space((char)c)
					: uchar_is_space(c);
		if (!is_in)
			break;
	}
	return i;
}

/* "<br />" -> "<br>" */
static size_t
drop_tag_slashes(char *p, size_t len)
{
	struct shortened s = {p, len, 0, 0};
	struct str all = str_of(p, len);
	while (keep_until(&s, '<')) {
		keep(&s, 1);
		size_t from = s.at;
		size_t end = skip_class(all, from, true);
		keep(&s, end - from);
		if (end == from)
			continue;
		end = skip_class(all, end, false);
		if (end + 1 < len && p[end] == '/' && p[end + 1] == '>')
			s.at = end + 1;
	}
	return s.n;
}

/* U+201C and U+201D */
static size_t
plain_quotes(char *p, size_t len)
{
	struct shortened s = {p, len, 0, 0};
	while (keep_until(&s, '\xe2')) {
		struct str rest = ahead(&s);
		if (str_starts(rest, STR("\xe2\x80\x9c")) ||
		    str_starts(rest, STR("\xe2\x80\x9d")))
			replace(&s, strlen("\xe2\x80\x9c"), '"');
		else
			keep(&s, 1);
	}
	return s.n;
}

/* --- texts --- */

static void
texts_open(struct renderer *r, struct texts *texts)
{
	ARENA_PUSH(r->arena, texts) = texts->buf->len;
}

static void
texts_add(struct texts *texts, struct str text)
{
	if (texts->n > 0)
		buf_put(texts->buf, text);
}

static void
texts_done(struct renderer *r, const struct texts *texts, struct strs *ret)
{
	struct str all = buf_str(texts->buf);
	for (size_t i = 0; i < texts->n; i++) {
		size_t end = i + 1 < texts->n ? texts->v[i + 1] : all.len;
		strs_add(r->arena, ret,
		    str_sub(all, texts->v[i], end - texts->v[i]));
	}
}

/* U+00C2 U+00A0: a no-break space that was encoded twice. */
static bool
is_double_nbsp(struct str s)
{
	return str_starts(s, STR("\xc3\x82\xc2\xa0"));
}

static bool
is_all_blank(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (char_is_space(s.p[i]))
			continue;
		if (!is_double_nbsp(str_skip(s, i)))
			return false;
		i += 3;
	}
	return true;
}

/* `text` with runs of blanks as one; the first one dropped on request. */
static void
put_collapsed(struct buf *out, struct str text, bool drops_first)
{
	size_t from = 0;
	for (size_t i = 0; i < text.len;) {
		size_t n = 0;
		while (i < text.len && !char_is_space(text.p[i]) &&
		       text.p[i] != '\xc3')
			i++;
		while (i + n < text.len && char_is_space(text.p[i + n]))
			n++;
		if (n == 0 && is_double_nbsp(str_skip(text, i)))
			n = 4;
		if (n == 0) {
			i += i < text.len;
			continue;
		}
		buf_put(out, str_sub(text, from, i - from));
		if (!drops_first || i > 0)
			buf_putc(out, ' ');
		from = i += n;
	}
	buf_put(out, str_skip(text, from));
}

static void
drop_last_blank(struct buf *out, size_t least)
{
	if (out->len > least && out->p[out->len - 1] == ' ')
		out->len--;
}

static void
put_space(struct renderer *r, const char *space)
{
	struct str text = str_from(space);
	if (r->has_piece && !r->piece_is_space && !r->piece_is_invisible)
		drop_last_blank(r->out, r->piece);
	drop_last_blank(r->visible, 0);
	r->piece = r->out->len;
	r->has_piece = r->piece_is_space = true;
	r->piece_is_invisible = r->piece_is_wide = false;
	buf_put(r->out, text);
	buf_put(r->visible, text);
	if (r->hidden->len > 0 &&
	    !char_is_space(r->hidden->p[r->hidden->len - 1]))
		buf_put(r->hidden, text);
}

/* Is text in the current style invisible to SpamAssassin? */
static bool
note_contrast(struct renderer *r)
{
	switch (html_style_contrast(html_styles_top(&r->styles))) {
	case CONTRAST_GOOD:
		return false;
	case CONTRAST_LOW:
		r->html->font_low_contrast = 1;
		break;
	case CONTRAST_INVALID:
		r->html->font_invalid_color = 1;
		break;
	case CONTRAST_HIDDEN:
		break;
	}
	return true;
}

/* The longest end of `s`, of body characters, that starts at a word boundary.
 */
static size_t
word_at_end(struct str s, bool is_wide)
{
	size_t best = 0;
	size_t len;
	for (size_t n = 1; n <= WORD_MAX && s.len > 0; n++) {
		uint32_t c = uchar_last(s, &len);
		if (!is_body_char(c, is_wide))
			break;
		s.len -= len;
		bool before =
		    s.len > 0 && is_word_char(uchar_last(s, &len), is_wide);
		if (before != is_word_char(c, is_wide))
			best = n;
	}
	return best;
}

/* The longest start that ends at a word boundary. */
static size_t
word_at_start(struct str s, bool is_wide)
{
	size_t best = 0;
	size_t len;
	for (size_t n = 1; n <= WORD_MAX && s.len > 0; n++) {
		uint32_t c = uchar_first(s, &len);
		if (!is_body_char(c, is_wide))
			break;
		s = str_skip(s, len);
		bool after =
		    s.len > 0 && is_word_char(uchar_first(s, &len), is_wide);
		if (after != is_word_char(c, is_wide))
			best = n;
	}
	return best;
}

/* Tags between this text and the one before may cut a word in two. */
static void
note_obfuscation(struct renderer *r, struct value value)
{
	struct str before = str_skip(buf_str(r->out), r->piece);
	if (!r->has_piece || before.len == 0 || value.text.len == 0)
		return;
	size_t len;
	if (is_body_char(uchar_first(value.text, &len), value.is_wide) &&
	    is_body_char(uchar_last(before, &len), r->piece_is_wide))
		r->html->obfuscation++;
	size_t left = word_at_end(before, r->piece_is_wide);
	size_t right = left == 0 ? 0 : word_at_start(value.text, value.is_wide);
	if (right > 0)
		r->backhair[left - 1][right - 1] = true;
}

static void
put_text(struct renderer *r, struct value value, bool is_invisible)
{
	note_obfuscation(r, value);
	bool drops_first = r->has_piece && r->piece_is_space && !is_invisible;
	r->piece = r->out->len;
	r->has_piece = true;
	r->piece_is_space = false;
	r->piece_is_invisible = is_invisible;
	r->piece_is_wide = value.is_wide;
	put_collapsed(r->out, value.text, drops_first);
	bool is_hidden = html_style_is_hidden(html_styles_top(&r->styles));
	buf_put(is_hidden ? r->hidden : r->visible,
	    str_skip(buf_str(r->out), r->piece));
}

/* HTML::Parser takes bytes that are no UTF-8 for Latin-1, and makes UTF-8 of
 * it.
 */
static struct str
as_utf8(struct renderer *r, struct str text)
{
	if (!r->is_bytes || str_is_ascii(text) ||
	    convert_is_utf8(html_latin1(r->arena, text)))
		return text;
	return html_from_latin1(r->arena, text);
}

static void
on_text(void *ctx, struct str text, bool is_cdata)
{
	struct renderer *r = ctx;
	if (!is_cdata)
		text = as_utf8(r, text);
	struct value value = {text, r->is_unicode};
	if (!is_cdata && str_chr(text, '&') != STR_NONE) {
		r->scratch->len = 0;
		value.is_wide |=
		    html_entity_decode(r->scratch, text, true, r->is_bytes);
		value.text = buf_str(r->scratch);
	}
	if (r->in_script > 0) {
		strs_add(r->arena, &r->html->script,
		    value.text.p == text.p ? text
					   : str_dup(r->arena, value.text));
		return;
	}
	if (r->in_style > 0)
		return;
	if (r->in_a > 0)
		texts_add(&r->anchors, value.text);
	if (r->in_title > 0)
		texts_add(&r->titles, value.text);
	r->html->is_unicode |= value.is_wide;
	put_text(r, value, !is_all_blank(value.text) && note_contrast(r));
}

static void
on_comment(void *ctx, struct str text)
{
	struct renderer *r = ctx;
	strs_add(r->arena, &r->html->comment, text);
}

/* --- attributes --- */

/* Decoded; good until the next attribute or text. */
static struct value
decode_attr(struct renderer *r, const struct html_attr *attr)
{
	struct value value = {
	    as_utf8(r, str_sub(attr->value, 0, ATTR_MAX)), r->is_unicode};
	if (attr->is_bare || str_chr(value.text, '&') == STR_NONE)
		return value;
	r->scratch->len = 0;
	value.is_wide |=
	    html_entity_decode(r->scratch, value.text, false, r->is_bytes);
	value.text = buf_str(r->scratch);
	return value;
}

/* False: `tag` has no such attribute. */
static bool
get_attr(struct renderer *r, const struct html_tag *tag, struct str name,
    struct value *ret)
{
	const struct html_attr *attr = html_tag_attr(tag, name);
	if (attr != NULL)
		*ret = decode_attr(r, attr);
	return attr != NULL;
}

/* Without blanks at both ends, U+00A0 among them. */
static struct str
trim_value(struct value value)
{
	if (value.is_wide)
		return uchar_trim(value.text);
	struct str s = str_trim(value.text);
	for (;;) {
		if (str_starts(s, STR("\xc2\xa0")))
			s = str_skip(s, 2);
		else if (str_ends(s, STR("\xc2\xa0")))
			s.len -= 2;
		else
			return s;
		s = str_trim(s);
	}
}

/* A link as SpamAssassin keeps it: trimmed, short, a copy. */
static struct str
canonical(struct renderer *r, struct value value)
{
	struct str trimmed = trim_value(value);
	struct str s = uchar_sub(trimmed, r->limits->uri_bytes);
	if (s.len < trimmed.len)
		r->html->uri_truncated = 1;
	return str_dup(r->arena, s);
}

/* --- links --- */

static bool
is_full(const struct renderer *r, const struct html_links *links)
{
	return links->n >= r->limits->uris * LINKS_A_URI;
}

static void
add_link(struct renderer *r, struct html_links *links, struct str tag,
    struct str url, bool is_wide)
{
	if (is_full(r, links))
		return;
	ARENA_PUSH(r->arena, links) = (struct html_link){
	    .url = is_wide ? url : html_latin1(r->arena, url),
	    .tag = tag,
	    .anchor = STR_EMPTY,
	    .is_unicode = is_wide};
}

/* Schemes that <base> does not apply to. */
static bool
is_opaque(struct str url)
{
	static const struct str schemes[] = {{"data:", 5}, {"mailto:", 7},
	    {"file:", 5}, {"cid:", 4}, {"tel:", 4}};
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (str_istarts(url, schemes[i]))
			return true;
	return false;
}

static bool
has_authority(struct str url)
{
	size_t n = scan_until(url, 0, ":/?#");
	return n > 0 && str_starts(str_skip(url, n), STR("://"));
}

/* What <base> makes of `url`; empty: it has made enough of others. */
static struct str
resolve_link(struct renderer *r, struct str url)
{
	size_t left = r->limits->base_bytes - r->html->base_bytes;
	size_t size = has_authority(url) ? 0 : r->base.len;
	if (size > left) {
		r->html->is_cut = true;
		return STR_EMPTY;
	}
	r->html->base_bytes += size;
	return uri_resolve(r->arena, r->base, url);
}

static void
push_link(struct renderer *r, struct str tag, struct value value)
{
	if (is_full(r, &r->html->links))
		return;
	struct str url = canonical(r, value);
	if (url.len > 0 && !is_opaque(url)) {
		url = resolve_link(r, url);
		value.is_wide |= r->base_is_wide;
	}
	if (url.len > 0)
		add_link(r, &r->html->links, tag, url, value.is_wide);
}

static void
push_attr(struct renderer *r, const struct html_tag *tag, struct str name)
{
	struct value value;
	if (get_attr(r, tag, name, &value))
		push_link(r, tag->name, value);
}

/* Is `have` a broken "x/name"?  Some readers accept that. */
static bool
is_broken_name(struct str have, struct str name)
{
	for (size_t k = 1; k + name.len < have.len; k++)
		if (have.p[k] == '/' && char_is_word(have.p[k - 1]) &&
		    str_istarts(str_skip(have, k + 1), name))
			return true;
	return false;
}

/* The attribute "name", or the broken one that goes before it. */
static const struct html_attr *
link_attr(const struct html_tag *tag, struct str name)
{
	for (size_t i = 0; i < tag->n; i++)
		if (is_broken_name(tag->v[i].name, name))
			return &tag->v[i];
	return html_tag_attr(tag, name);
}

/* Without U+FEFF. */
static void
drop_bom(struct renderer *r, struct value *value)
{
	struct str bom = value->is_wide ? STR("\xef\xbb\xbf")
					: STR("\xc3\xaf\xc2\xbb\xc2\xbf");
	if (str_find(value->text, bom) == STR_NONE)
		return;
	struct buf *out = buf_new(r->arena, value->text.len);
	struct str rest = value->text;
	for (size_t at; (at = str_find(rest, bom)) != STR_NONE;) {
		buf_put(out, str_sub(rest, 0, at));
		rest = str_skip(rest, at + bom.len);
	}
	buf_put(out, rest);
	value->text = buf_str(out);
}

/* False: no href. */
static bool
get_href(struct renderer *r, const struct html_tag *tag, struct value *ret)
{
	const struct html_attr *attr = link_attr(tag, STR("href"));
	if (attr == NULL)
		return false;
	*ret = decode_attr(r, attr);
	drop_bom(r, ret);
	return true;
}

static void
push_href(struct renderer *r, const struct html_tag *tag)
{
	struct value value;
	if (get_href(r, tag, &value))
		push_link(r, tag->name, value);
	push_attr(r, tag, STR("data-saferedirecturl"));
}

static void
push_src(struct renderer *r, const struct html_tag *tag)
{
	const struct html_attr *attr = link_attr(tag, STR("src"));
	if (attr != NULL)
		push_link(r, tag->name, decode_attr(r, attr));
}

/* How much of a base is before its file name ("index.html"), if it has one. */
static size_t
base_length(struct str url)
{
	size_t i = 0;
	while (i < url.len && char_is_alpha(url.p[i]))
		i++;
	i++;
	for (size_t k = 0; k < 2 && i < url.len && url.p[i] == '/'; k++)
		i++;
	size_t slash = str_chr(str_skip(url, i), '/');
	if (slash == STR_NONE || slash == 0)
		return url.len;
	size_t least = i + slash + 1;
	size_t dot = str_rchr(url, '.');
	if (dot == STR_NONE || dot <= least ||
	    str_chr(str_skip(url, dot), '/') != STR_NONE)
		return url.len;
	size_t suffix = uchar_count(str_skip(url, dot + 1));
	if (suffix < SUFFIX_MIN || suffix > SUFFIX_MAX)
		return url.len;
	size_t start = dot;
	while (
	    start > least && url.p[start - 1] != '/' && url.p[start - 1] != '.')
		start--;
	return start < dot ? start : url.len;
}

static bool
is_http_or_ftp(struct str url)
{
	return str_istarts(url, STR("http:")) ||
	       str_istarts(url, STR("https:")) || str_istarts(url, STR("ftp:"));
}

static void
push_base(struct renderer *r, const struct html_tag *tag)
{
	struct value value;
	if (!get_attr(r, tag, STR("href"), &value) || value.text.len == 0 ||
	    str_eq(value.text, STR("0")))
		return;
	value.text = canonical(r, value);
	push_link(r, tag->name, value);
	if (!is_http_or_ftp(value.text))
		return;
	struct str base = str_sub(value.text, 0, base_length(value.text));
	struct buf *out = buf_new(r->arena, base.len + 1);
	buf_put(out, base);
	if (!str_ends(base, STR("/")))
		buf_putc(out, '/');
	r->base = buf_str(out);
	r->base_is_wide = value.is_wide;
}

/*
 * Behind "word", blanks, "=" where word starts at a word boundary in the first
 * `most` bytes; the last such place or the first.  STR_NONE: there is none.
 */
static size_t
find_assignment(struct str s, struct str word, size_t most, bool wants_last)
{
	size_t found = STR_NONE;
	for (size_t i = 0; i < most && i + word.len < s.len; i++) {
		if (i > 0 && char_is_word(s.p[i - 1]))
			continue;
		if (!str_istarts(str_skip(s, i), word))
			continue;
		size_t end = scan_blanks(s, i + word.len);
		if (end == s.len || s.p[end] != '=')
			continue;
		found = end + 1;
		if (!wants_last)
			break;
	}
	return found;
}

/* "5; url=http://..." -> "http://..." */
static void
push_refresh(struct renderer *r, const struct html_tag *tag, struct value value)
{
	struct str s = value.text;
	if (find_assignment(s, STR("url"), s.len, false) == STR_NONE)
		return;
	size_t line = str_chr(s, '\n');
	size_t at = find_assignment(
	    s, STR("url"), line == STR_NONE ? s.len : line + 1, true);
	if (at != STR_NONE)
		s = str_skip(s, scan_blanks(s, at));
	size_t semicolon = str_chr(s, ';');
	if (semicolon != STR_NONE) {
		struct buf *out = buf_new(r->arena, s.len);
		struct str before = str_sub(s, 0, semicolon);
		while (
		    before.len > 0 && char_is_space(before.p[before.len - 1]))
			before.len--;
		struct str after = str_skip(s, semicolon);
		buf_put(out, before);
		buf_put(out, str_skip(after, str_chr(after, '\n')));
		s = buf_str(out);
	}
	push_link(r, tag->name, (struct value){s, value.is_wide});
}

static void
push_meta(struct renderer *r, const struct html_tag *tag)
{
	struct value value;
	if (!get_attr(r, tag, STR("http-equiv"), &value))
		return;
	bool is_refresh = str_ifind(value.text, STR("refresh")) != STR_NONE;
	if (is_refresh && get_attr(r, tag, STR("content"), &value))
		push_refresh(r, tag, value);
}

static void
push_links(struct renderer *r, const struct html_tag *tag, enum link_kind kind)
{
	switch (kind) {
	case LINK_NONE:
		break;
	case LINK_BACKGROUND:
		push_attr(r, tag, STR("background"));
		break;
	case LINK_HREF:
		push_href(r, tag);
		break;
	case LINK_SRC:
		push_src(r, tag);
		break;
	case LINK_ACTION:
		push_attr(r, tag, STR("action"));
		break;
	case LINK_BASE:
		push_base(r, tag);
		break;
	case LINK_META:
		push_meta(r, tag);
		break;
	}
}

/* --- what evals count --- */

/* "120" or "50%" */
static unsigned long
parse_side(struct str s, unsigned long percent)
{
	uint64_t n = 0;
	size_t i = 0;
	for (; i < s.len && char_is_digit(s.p[i]); i++)
		if (n < SIDE_MAX)
			n = n * 10 + (uint64_t)(s.p[i] - '0');
	if (i == 0)
		return IMAGE_SIDE;
	struct str unit = str_skip(s, i);
	if (str_ends(unit, STR("\n")))
		unit.len--;
	if (str_eq(unit, STR("%")))
		n *= percent;
	else if (unit.len > 0)
		return IMAGE_SIDE;
	return n == 0 ? IMAGE_SIDE : (unsigned long)n;
}

static void
note_image(struct renderer *r, const struct html_tag *tag)
{
	if (r->in_a > 0)
		texts_add(&r->anchors, STR("<img>\n"));
	struct value value;
	if (!get_attr(r, tag, STR("width"), &value))
		return;
	unsigned long width = parse_side(value.text, SCREEN_WIDTH_PERCENT);
	if (!get_attr(r, tag, STR("height"), &value))
		return;
	unsigned long height = parse_side(value.text, SCREEN_HEIGHT_PERCENT);
	unsigned long *area = &r->html->image_area;
	if (__builtin_mul_overflow(width, height, &width) ||
	    __builtin_add_overflow(*area, width, area))
		*area = ULONG_MAX;
}

/* One font name at `i`, letters with blanks and - inside; 0: it is none. */
static size_t
skip_face(struct str s, size_t i, bool is_first)
{
	size_t blanks = i;
	i = scan_blanks(s, i);
	bool is_quoted = i < s.len && (s.p[i] == '"' || s.p[i] == '\'' ||
					  (is_first && s.p[i] == '.'));
	if (is_quoted)
		i++;
	else if (is_first && i > blanks && s.p[i - 1] == ' ')
		i--;
	size_t from = i;
	while (i < s.len &&
	       (char_is_alpha(s.p[i]) || s.p[i] == ' ' || s.p[i] == '-'))
		i++;
	if (i - from < 2 || !char_is_alpha(s.p[i - 1]) ||
	    !(char_is_alpha(s.p[from]) || (is_first && s.p[from] == ' ')))
		return 0;
	if (i < s.len && char_is_digit(s.p[i]))
		i++;
	if (i < s.len && (s.p[i] == '"' || s.p[i] == '\''))
		i++;
	return i;
}

static bool
is_good_face(struct str s)
{
	size_t i = skip_face(s, 0, true);
	while (i > 0 && i < s.len && s.p[i] == ',')
		i = skip_face(s, i + 1, false);
	if (i == 0)
		return false;
	if (i < s.len && s.p[i] == ';')
		i++;
	return i == s.len || str_eq(str_skip(s, i), STR("\n"));
}

/* A new anchor text, and the links of this tag that it belongs to. */
static void
open_anchor(struct renderer *r, const struct html_tag *tag, size_t first_link)
{
	struct value value = {STR_EMPTY, r->is_unicode};
	if (!is_full(r, &r->html->hrefs) && get_href(r, tag, &value))
		value.text = canonical(r, value);
	texts_open(r, &r->anchors);
	add_link(r, &r->html->hrefs, tag->name, value.text, value.is_wide);
	for (size_t i = first_link; i < r->html->links.n; i++) {
		ARENA_PUSH(r->arena, &r->pairs).link = i;
		r->pairs.v[r->pairs.n - 1].anchor = r->anchors.n - 1;
	}
}

static void
note_start(struct renderer *r, const struct html_tag *tag, size_t first_link)
{
	struct value value;
	if (str_eq(tag->name, STR("font"))) {
		if (get_attr(r, tag, STR("face"), &value) &&
		    !is_good_face(value.text))
			r->html->font_face_bad = 1;
	} else if (str_eq(tag->name, STR("img"))) {
		note_image(r, tag);
	} else if (str_eq(tag->name, STR("form"))) {
		if (get_attr(r, tag, STR("action"), &value) &&
		    str_ifind(value.text, STR("mailto:")) != STR_NONE)
			r->html->form_action_mailto = 1;
	} else if (str_eq(tag->name, STR("object")) ||
		   str_eq(tag->name, STR("embed"))) {
		r->html->embeds = 1;
	} else if (str_eq(tag->name, STR("a"))) {
		open_anchor(r, tag, first_link);
	} else if (str_eq(tag->name, STR("title"))) {
		texts_open(r, &r->titles);
	}
}

/* --- elements --- */

static struct html_tag_count *
tag_count(struct renderer *r, struct str name)
{
	struct html_tag_count *count = table_get(r->html->counts, name);
	if (count == NULL) {
		count = ARENA_NEW(r->arena, struct html_tag_count);
		table_set(r->html->counts, name, count);
	}
	return count;
}

static void
set_inside(struct renderer *r, struct str name, struct html_tag_count *count,
    int inside)
{
	count->is_known = true;
	count->inside = inside;
	if (str_eq(name, STR("a")))
		r->in_a = inside;
	else if (str_eq(name, STR("title")))
		r->in_title = inside;
	else if (str_eq(name, STR("script")))
		r->in_script = inside;
	else if (str_eq(name, STR("style")))
		r->in_style = inside;
}

/* Count a tag; the element to render, or NULL. */
static const struct html_element *
count_tag(struct renderer *r, struct str name, int delta)
{
	struct html *html = r->html;
	struct html_tag_count *count = tag_count(r, name);
	bool is_office = html_is_office_tag(name);
	const struct html_element *element = html_element_find(name);
	if (is_office || (element != NULL && element->is_valid)) {
		html->elements++;
		html->elements_seen += !count->is_known;
	}
	html->total_tags++;
	html->tags_seen += !count->is_known;
	count->opened += delta > 0;
	int inside = count->inside + delta;
	html->closed_extra += inside < 0;
	set_inside(r, name, count, inside < 0 ? 0 : inside);
	return is_office ? NULL : element;
}

static void
on_start(void *ctx, const struct html_tag *tag)
{
	struct renderer *r = ctx;
	const struct html_element *element = count_tag(r, tag->name, 1);
	if (element == NULL)
		return;
	html_styles_start(&r->styles, tag);
	if (element->space != NULL)
		put_space(r, element->space);
	size_t first_link = r->html->links.n;
	push_links(r, tag, element->links);
	note_start(r, tag, first_link);
}

static void
on_end(void *ctx, struct str name)
{
	struct renderer *r = ctx;
	const struct html_element *element = count_tag(r, name, -1);
	if (element == NULL)
		return;
	html_styles_end(&r->styles, name);
	if (element->space != NULL)
		put_space(r, element->space);
}

static void
on_declaration(void *ctx, struct str text)
{
	struct renderer *r = ctx;
	if (!str_istarts(text, STR("<!doctype")))
		return;
	r->html->elements++;
	r->html->total_tags++;
	tag_count(r, STR("!doctype"))->is_known = true;
}

/* --- all of it --- */

const struct html_tag_count *
html_tag_count(const struct html *html, struct str name)
{
	return table_get(html->counts, name);
}

static void
finish(struct renderer *r)
{
	struct html *html = r->html;
	html->text = buf_str(r->out);
	html->visible_text = buf_str(r->visible);
	html->hidden_text = buf_str(r->hidden);
	count_text(html);
	html->min_size = r->styles.min_size;
	html->max_size = r->styles.max_size;
	for (size_t i = 0; i < WORD_MAX; i++)
		for (size_t k = 0; k < WORD_MAX; k++)
			html->backhair += r->backhair[i][k];
	texts_done(r, &r->anchors, &html->anchor);
	texts_done(r, &r->titles, &html->title);
	for (size_t i = 0; i < r->pairs.n; i++)
		html->links.v[r->pairs.v[i].link].anchor =
		    html->anchor.v[r->pairs.v[i].anchor];
	for (size_t i = 0; i < html->hrefs.n; i++)
		html->hrefs.v[i].anchor = html->anchor.v[i];
}

static struct html *
html_new(struct arena *a)
{
	struct html *html = ARENA_NEW(a, struct html);
	html->counts = table_new(a, false);
	return html;
}

struct html *
html_render(struct arena *a, struct str source, enum html_source kind,
    const struct mail_limits *limits, struct effort *effort)
{
	bool is_bytes = kind == HTML_BYTES;
	size_t room = source.len * (is_bytes ? 4 : 1) + SLACK;
	struct renderer r = {.arena = a,
	    .limits = limits,
	    .html = html_new(a),
	    .is_unicode = kind == HTML_UNICODE,
	    .is_bytes = is_bytes,
	    .out = buf_new(a, room),
	    .visible = buf_new(a, limits->body_part_bytes),
	    .hidden = buf_new(a, limits->body_part_bytes),
	    .scratch = buf_new(a, room),
	    .anchors = {.buf = buf_new(a, room * 2)},
	    .titles = {.buf = buf_new(a, room)},
	    .base = STR_EMPTY};
	html_styles_init(&r.styles, a);
	r.html->length = r.is_unicode ? uchar_count(source) : source.len;
	char *text = arena_alloc(a, source.len);
	memcpy(text, source.p, source.len);
	size_t len = drop_nbsp(text, source.len);
	len = drop_tag_slashes(text, len);
	len = plain_quotes(text, len);
	const struct html_sink sink = {
	    &r, on_text, on_start, on_end, on_comment, on_declaration};
	struct str ready = str_of(text, len);
	if (is_bytes)
		ready = html_from_latin1(a, ready);
	html_tokenize(a, (char *)(uintptr_t)ready.p, ready.len, &sink, effort);
	finish(&r);
	return r.html;
}
