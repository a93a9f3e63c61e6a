/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charset -- bytes of a declared or guessed charset to UTF-8.  Which names are
 * known, and what becomes of broken text, follows Perl's Encode, for that is
 * what the rules were written on.
 */
#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#define REPLACEMENT STR("\xef\xbf\xbd") /* U+FFFD */

enum decoder { DECODE_UTF8, DECODE_CP1252, DECODE_ICONV };

struct charset {
	const char *name; /* of Perl's Encode, lower case */
	const char *iconv;
	enum decoder decoder;
};

static const struct charset CHARSETS[] = {
    {"utf-8", NULL, DECODE_UTF8},
    {"cp1252", NULL, DECODE_CP1252},
    {"ascii", "ASCII", DECODE_ICONV},
    {"iso-8859-1", "ISO-8859-1", DECODE_ICONV},
    {"iso-8859-2", "ISO-8859-2", DECODE_ICONV},
    {"iso-8859-3", "ISO-8859-3", DECODE_ICONV},
    {"iso-8859-4", "ISO-8859-4", DECODE_ICONV},
    {"iso-8859-5", "ISO-8859-5", DECODE_ICONV},
    {"iso-8859-6", "ISO-8859-6", DECODE_ICONV},
    {"iso-8859-7", "ISO-8859-7", DECODE_ICONV},
    {"iso-8859-8", "ISO-8859-8", DECODE_ICONV},
    {"iso-8859-9", "ISO-8859-9", DECODE_ICONV},
    {"iso-8859-10", "ISO-8859-10", DECODE_ICONV},
    {"iso-8859-11", "ISO-8859-11", DECODE_ICONV},
    {"iso-8859-13", "ISO-8859-13", DECODE_ICONV},
    {"iso-8859-14", "ISO-8859-14", DECODE_ICONV},
    {"iso-8859-15", "ISO-8859-15", DECODE_ICONV},
    {"iso-8859-16", "ISO-8859-16", DECODE_ICONV},
    {"cp437", "CP437", DECODE_ICONV},
    {"cp737", "CP737", DECODE_ICONV},
    {"cp775", "CP775", DECODE_ICONV},
    {"cp850", "CP850", DECODE_ICONV},
    {"cp852", "CP852", DECODE_ICONV},
    {"cp855", "CP855", DECODE_ICONV},
    {"cp857", "CP857", DECODE_ICONV},
    {"cp858", "CP858", DECODE_ICONV},
    {"cp860", "CP860", DECODE_ICONV},
    {"cp861", "CP861", DECODE_ICONV},
    {"cp862", "CP862", DECODE_ICONV},
    {"cp863", "CP863", DECODE_ICONV},
    {"cp864", "CP864", DECODE_ICONV},
    {"cp865", "CP865", DECODE_ICONV},
    {"cp866", "CP866", DECODE_ICONV},
    {"cp869", "CP869", DECODE_ICONV},
    {"cp874", "CP874", DECODE_ICONV},
    {"cp1250", "CP1250", DECODE_ICONV},
    {"cp1251", "CP1251", DECODE_ICONV},
    {"cp1253", "CP1253", DECODE_ICONV},
    {"cp1254", "CP1254", DECODE_ICONV},
    {"cp1255", "CP1255", DECODE_ICONV},
    {"cp1256", "CP1256", DECODE_ICONV},
    {"cp1257", "CP1257", DECODE_ICONV},
    {"cp1258", "CP1258", DECODE_ICONV},
    {"koi8-r", "KOI8-R", DECODE_ICONV},
    {"koi8-u", "KOI8-U", DECODE_ICONV},
    {"macroman", "MACINTOSH", DECODE_ICONV},
    {"viscii", "VISCII", DECODE_ICONV},
    {"big5-eten", "BIG5", DECODE_ICONV},
    {"big5-hkscs", "BIG5-HKSCS", DECODE_ICONV},
    {"cp932", "CP932", DECODE_ICONV},
    {"cp936", "CP936", DECODE_ICONV},
    {"cp949", "CP949", DECODE_ICONV},
    {"cp950", "CP950", DECODE_ICONV},
    {"euc-cn", "EUC-CN", DECODE_ICONV},
    {"euc-jp", "EUC-JP", DECODE_ICONV},
    {"euc-kr", "EUC-KR", DECODE_ICONV},
    {"hz", "HZ", DECODE_ICONV},
    {"iso-2022-jp", "ISO-2022-JP", DECODE_ICONV},
    {"iso-2022-jp-1", "ISO-2022-JP-1", DECODE_ICONV},
    {"iso-2022-kr", "ISO-2022-KR", DECODE_ICONV},
    {"johab", "JOHAB", DECODE_ICONV},
    {"shiftjis", "SHIFT-JIS", DECODE_ICONV},
    {"utf-7", "UTF-7", DECODE_ICONV},
    {"utf-16le", "UTF-16LE", DECODE_ICONV},
    {"utf-16be", "UTF-16BE", DECODE_ICONV},
    {"utf-32", "UTF-32", DECODE_ICONV},
    {"utf-32le", "UTF-32LE", DECODE_ICONV},
    {"utf-32be", "UTF-32BE", DECODE_ICONV},
    {"ucs-2le", "UCS-2LE", DECODE_ICONV},
    {"ucs-2be", "UCS-2BE", DECODE_ICONV},
};

/*
 * Other names, tried in order: the end of a name, where '-' in `end` is an
 * optional - or _, and '*' is anything.  A word begins there, unless
 * `is_whole`: then it is all of the name.
 */
static const struct alias {
	const char *end;
	const char *name;
	bool is_whole;
} ALIASES[] = {
    {"utf8", "utf-8", true},
    {"utf-8", "utf-8", false},
    {"us-ascii", "ascii", true},
    {"c", "ascii", true},
    {"iso-646-us", "ascii", false},
    {"iso-646", "ascii", false},
    {"ansi-x3.4-1968", "ascii", false},
    {"windows-949", "cp949", false},
    {"uhc", "cp949", false},
    {"ks_c_5601-1987", "cp949", false},
    {"windows-31j", "cp932", false},
    {"gbk", "cp936", true},
    {"big-5", "big5-eten", false},
    {"big5-eten", "big5-eten", false},
    {"big5-et", "big5-eten", false},
    {"tca-big5", "big5-eten", false},
    {"big5-hkscs", "big5-hkscs", false},
    {"big5-hk", "big5-hkscs", false},
    {"sjis", "shiftjis", false},
    {"shift-jis", "shiftjis", false},
    {"ujis", "euc-jp", false},
    {"koi8-r", "koi8-r", false},
    {"koi8-u", "koi8-u", false},
    {"macintosh", "macroman", true},
    {"tis-620", "iso-8859-11", false},
    {"cyrillic", "iso-8859-5", true},
    {"arabic", "iso-8859-6", true},
    {"greek", "iso-8859-7", true},
    {"hebrew", "iso-8859-8", true},
    {"thai", "iso-8859-11", true},
    {"latin-1", "iso-8859-1", false},
    {"latin-2", "iso-8859-2", false},
    {"latin-3", "iso-8859-3", false},
    {"latin-4", "iso-8859-4", false},
    {"latin-5", "iso-8859-9", false},
    {"latin-6", "iso-8859-10", false},
    {"latin-7", "iso-8859-13", false},
    {"latin-8", "iso-8859-14", false},
    {"latin-9", "iso-8859-15", false},
    {"latin-10", "iso-8859-16", false},
    {"unicode-1-1-utf-7", "utf-7", true},
    {"ucs-2", "ucs-2be", true},
    {"ucs-2-be", "ucs-2be", true},
    {"ucs-2-le", "ucs-2le", true},
    {"iso-10646-1", "ucs-2be", true},
    {"ucs-4", "utf-32", true},
};

static bool
is_separator(char c)
{
	return c == '-' || c == '_';
}

/* `pattern` fits the end of `name`; a '-' in it may be missing. */
static bool
alias_fits(struct str name, const struct alias *alias)
{
	struct str end = str_from(alias->end);
	size_t at = name.len;
	for (size_t i = end.len; i > 0; i--) {
		char c = end.p[i - 1];
		if (is_separator(c)) {
			if (at > 0 && is_separator(name.p[at - 1]))
				at--;
			continue;
		}
		if (at == 0 || name.p[at - 1] != c)
			return false;
		at--;
	}
	if (alias->is_whole)
		return at == 0;
	return at == 0 || !char_is_word(name.p[at - 1]);
}

static const struct charset *
charset_named(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(CHARSETS); i++)
		if (str_eq(name, str_from(CHARSETS[i].name)))
			return &CHARSETS[i];
	return NULL;
}

/* "cp1251" for "windows-1251", "iso-8859-2" for "iso8859_2"; empty: neither. */
static struct str
numbered(struct arena *a, struct str name)
{
	static const char *const code_pages[] = {"cp", "ibm", "ms", "windows"};
	size_t at = name.len;
	while (at > 0 && char_is_digit(name.p[at - 1]))
		at--;
	struct str number = str_skip(name, at);
	struct str head = str_sub(name, 0, at);
	if (number.len == 0 || number.len > 4)
		return STR_EMPTY;
	if (head.len > 0 && is_separator(head.p[head.len - 1]))
		head.len--;
	for (size_t i = 0; i < COUNT_OF(code_pages); i++) {
		struct alias alias = {code_pages[i], NULL, false};
		if (number.len >= 2 && alias_fits(head, &alias))
			return str_printf(a, "cp%.*s", STR_ARG(number));
	}
	struct alias iso = {"iso-8859", NULL, false};
	if (number.len <= 2 && alias_fits(head, &iso))
		return str_printf(a, "iso-8859-%.*s", STR_ARG(number));
	return STR_EMPTY;
}

/* NULL: Perl would not know it. */
static const struct charset *
charset_find(struct arena *a, struct str declared)
{
	char *p = arena_alloc(a, declared.len);
	size_t n = 0;
	for (size_t i = 0; i < declared.len && n < 64; i++)
		if (!char_is_space(declared.p[i]))
			p[n++] = char_lower(declared.p[i]);
	struct str name = str_of(p, n);
	const struct charset *charset = charset_named(name);
	for (size_t i = 0; charset == NULL && i < COUNT_OF(ALIASES); i++)
		if (alias_fits(name, &ALIASES[i]))
			charset = charset_named(str_from(ALIASES[i].name));
	if (charset == NULL)
		charset = charset_named(numbered(a, name));
	if (charset == NULL && str_find(name, STR("gb2312")) != STR_NONE)
		charset = charset_named(STR("euc-cn"));
	/* A subset; Perl has no decoder for all of it. */
	if (charset == NULL && str_starts(name, STR("gb18030")))
		charset = charset_named(STR("cp936"));
	return charset;
}

static size_t
count_8bit(struct str text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += (unsigned char)text.p[i] >> 7;
	return n;
}

/* U+FFFE, U+FFFF and their like, U+FDD0-FDEF: Perl refuses them. */
static bool
is_noncharacter(struct str s, size_t length)
{
	if (length < 3)
		return false;
	uint32_t c = utf8_decode(str_sub(s, 0, length));
	return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

/* Length of the character at the start of `s`; 0: not strict UTF-8. */
static size_t
strict_length(struct str s)
{
	size_t n = utf8_length(s);
	return is_noncharacter(s, n) ? 0 : n;
}

static bool
is_strict_utf8(struct str text)
{
	for (size_t i = 0; i < text.len;) {
		if ((unsigned char)text.p[i] < 0x80) {
			i++;
			continue;
		}
		size_t n = strict_length(str_skip(text, i));
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

/* Bytes that a broken character at the start of `s` takes with it. */
static size_t
broken_length(struct str s)
{
	unsigned char lead = (unsigned char)s.p[0];
	size_t most = lead < 0xc0   ? 1
		      : lead < 0xe0 ? 2
		      : lead < 0xf0 ? 3
		      : lead < 0xf8 ? 4
		      : lead < 0xfc ? 5
		      : lead < 0xfe ? 6
		      : lead < 0xff ? 7
				    : 13;
	size_t n = 1;
	while (n < most && n < s.len && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Where a conversion goes: at least `most` bytes are kept, then none. */
struct sink {
	struct buf *out;
	size_t most;
};

static struct sink
sink_new(struct arena *a, struct str text, size_t most)
{
	size_t max = text.len < SIZE_MAX / 8 ? text.len * 4 + 64 : SIZE_MAX / 2;
	struct sink sink = {buf_new(a, max), most};
	buf_reserve(sink.out, text.len < most ? text.len : most);
	return sink;
}

static void
sink_put(struct sink *sink, struct str s)
{
	if (sink->out->len < sink->most)
		buf_put(sink->out, s);
}

static bool
decode_utf8(struct str text, bool is_strict, struct sink *sink)
{
	for (size_t i = 0; i < text.len;) {
		struct str rest = str_skip(text, i);
		size_t n = strict_length(rest);
		if (n == 0 && is_strict)
			return false;
		sink_put(sink, n == 0 ? REPLACEMENT : str_sub(rest, 0, n));
		i += n == 0 ? broken_length(rest) : n;
	}
	return true;
}

static bool
decode_cp1252(struct str text, bool is_strict, struct sink *sink)
{
	static const uint16_t c1[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e,
	    0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
	    0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
	    0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};
	for (size_t i = 0; i < text.len; i++) {
		uint32_t c = (unsigned char)text.p[i];
		if (c >= 0x80 && c < 0xa0)
			c = c1[c - 0x80];
		if (c == 0 && text.p[i] != '\0') {
			if (is_strict)
				return false;
			c = 0xfffd;
		}
		if (sink->out->len < sink->most)
			utf8_put(sink->out, c);
	}
	return true;
}

/* Feed all of `text` through `cd`. */
static bool
decode_with(iconv_t cd, struct str text, bool is_strict, struct sink *sink)
{
	char out[4096];
	char *from = (char *)(uintptr_t)text.p;
	size_t left = text.len;
	for (;;) {
		char *to = out;
		size_t room = sizeof(out);
		bool is_end = left == 0;
		size_t done = is_end ? iconv(cd, NULL, NULL, &to, &room)
				     : iconv(cd, &from, &left, &to, &room);
		int trouble = done == (size_t)-1 ? errno : 0;
		sink_put(sink, str_of(out, sizeof(out) - room));
		if (trouble == E2BIG)
			continue;
		if (is_end)
			return true;
		if (trouble == EINVAL) /* cut off inside a character */
			left = 0;
		else if (trouble == EILSEQ) {
			if (is_strict)
				return false;
			sink_put(sink, REPLACEMENT);
			from++;
			left--;
		}
	}
}

static bool
decode_iconv(
    const char *name, struct str text, bool is_strict, struct sink *sink)
{
	iconv_t cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return false;
	bool is_ok = decode_with(cd, text, is_strict, sink);
	(void)iconv_close(cd);
	return is_ok;
}

static bool
decode(const struct charset *charset, struct str text, bool is_strict,
    struct sink *sink)
{
	switch (charset->decoder) {
	case DECODE_UTF8:
		return decode_utf8(text, is_strict, sink);
	case DECODE_CP1252:
		return decode_cp1252(text, is_strict, sink);
	case DECODE_ICONV:
		return decode_iconv(charset->iconv, text, is_strict, sink);
	}
	return false;
}

/*
 * UTF-16 without a byte order mark: NULL if it has one, or if its bytes do not
 * tell.  Blanks count, and which of the two bytes is mostly zero.
 */
static const char *
utf16_order(struct str text)
{
	if (str_starts(text, STR("\xff\xfe")) ||
	    str_starts(text, STR("\xfe\xff")))
		return NULL;
	size_t little = 0, big = 0;
	uint64_t even = 0, odd = 0;
	for (size_t i = 0; i < text.len; i += 2) {
		unsigned char first = (unsigned char)text.p[i];
		unsigned char second =
		    i + 1 < text.len ? (unsigned char)text.p[i + 1] : 0;
		even += (unsigned)(first >> 4) + (first & 15U);
		odd += (unsigned)(second >> 4) + (second & 15U);
		little += first == 0x20 && second == 0;
		big += first == 0 && second == 0x20;
	}
	little += even > odd * 4;
	big += odd * 4 > even;
	return little == big ? NULL : little > big ? "UTF-16LE" : "UTF-16BE";
}

static bool
is_named_utf16(struct str declared)
{
	return str_istarts(declared, STR("utf16")) ||
	       str_istarts(declared, STR("utf-16")) ||
	       str_istarts(declared, STR("utf 16"));
}

static bool
is_named_ascii(struct str declared)
{
	return str_ieq(declared, STR("us-ascii")) ||
	       str_ieq(declared, STR("ascii"));
}

static bool
is_digits(struct str s, size_t least, size_t most)
{
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_digit(s.p[i]))
			return false;
	return s.len >= least && s.len <= most;
}

/* Text of 7 bits under one of these names is ASCII, whatever Perl may do. */
static bool
is_ascii_superset(struct str declared)
{
	static const char *const names[] = {"us-ascii", "ascii", "iso646-us",
	    "ansi_x3.4-1986", "ansi_x3.4-1968", "ansi x3.4-1986",
	    "ansi x3.4-1968", "ansix3.4-1986", "ansix3.4-1968", "utf8", "utf-8",
	    "big5", "gbk", "iso8859", "iso-8859", "iso 8859", "gb18030",
	    "gb-18030", "gb 18030"};
	static const char *const numbered_names[] = {
	    "iso8859-", "iso-8859-", "iso 8859-"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_ieq(declared, str_from(names[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(numbered_names); i++) {
		struct str head = str_from(numbered_names[i]);
		if (str_istarts(declared, head))
			return is_digits(str_skip(declared, head.len), 1, 2);
	}
	if (str_istarts(declared, STR("windows-")))
		return is_digits(str_skip(declared, 8), 4, 4);
	if (str_istarts(declared, STR("koi8-")) ||
	    str_istarts(declared, STR("euc-"))) {
		struct str tail =
		    str_skip(declared, str_chr(declared, '-') + 1);
		for (size_t i = 0; i < tail.len; i++)
			if (!char_is_alpha(tail.p[i]))
				return false;
		return tail.len == 1 || tail.len == 2;
	}
	return false;
}

/* What `declared` makes of `text`; false: nothing. */
static bool
decode_declared(struct arena *a, struct str text, struct str declared,
    bool is_strict, bool tried_utf8, struct sink *sink)
{
	const struct charset *charset =
	    str_ieq(declared, STR("iso-8859-1")) ||
		    str_ieq(declared, STR("iso8859-1"))
		? charset_named(STR("cp1252"))
		: charset_find(a, declared);
	if (charset == NULL)
		return false;
	if (charset->decoder == DECODE_UTF8 && tried_utf8)
		return false;
	return decode(charset, text, is_strict, sink);
}

/* The rest of both functions below: the declared charset, then windows-1252. */
static struct str
normalize(struct arena *a, struct str text, struct str declared, bool is_strict,
    size_t most, bool *ret_converted)
{
	size_t n8bit = count_8bit(text);
	*ret_converted = false;
	if (n8bit == 0 && is_ascii_superset(declared))
		return text;
	if (n8bit > 0 && is_strict && is_strict_utf8(text)) {
		*ret_converted = true;
		return text;
	}
	struct sink sink = sink_new(a, text, most);
	bool is_done = false;
	if (is_strict && is_named_ascii(declared))
		is_done = false;
	else if (is_named_utf16(declared)) {
		const char *order = utf16_order(text);
		is_done =
		    order != NULL && decode_iconv(order, text, true, &sink);
		if (is_done && !is_strict)
			return text; /* as SpamAssassin 4.0.1 does */
	} else
		is_done = decode_declared(a, text, declared, is_strict,
		    n8bit > 0 && is_strict, &sink);
	if (!is_done && n8bit == 0)
		return text;
	if (!is_done) {
		sink.out->len = 0;
		(void)decode_cp1252(text, false, &sink);
	}
	*ret_converted = true;
	return buf_str(sink.out);
}

struct str
charset_normalize(struct arena *a, struct str text, struct str declared,
    size_t most, bool *ret_converted)
{
	return normalize(a, text, declared, true, most, ret_converted);
}

struct str
charset_decode(struct arena *a, struct str text, struct str declared)
{
	bool is_converted;
	return normalize(a, text, declared, false, SIZE_MAX, &is_converted);
}
