/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charset -- bytes of a declared or guessed charset to UTF-8.  Which names are
 * known, and what becomes of broken text, follows Perl's Encode, for that is
 * what the rules were written on.
 */
#include "mail/charset.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "mail/convert.h"

#define NAME_MAX_BYTES 64

/*
 * Other names, tried in order.  A '-' in `text` may be a _ or missing, a '*' is
 * anything.  What END and ANYWHERE find begins a word.
 */
static const struct alias {
	const char *text;
	const char *name;
	enum { WHOLE, END, ANYWHERE } place;
} ALIASES[] = {
    {"utf8", "utf-8", WHOLE},
    {"utf-8", "utf-8", END},
    {"utf-8-strict", "utf-8", WHOLE},
    {"cp65001", "utf-8", ANYWHERE},
    {"cp65000", "utf-7", ANYWHERE},
    {"us-ascii", "ascii", WHOLE},
    {"c", "ascii", WHOLE},
    {"iso-646-us", "ascii", END},
    {"iso-646", "ascii", END},
    {"ansi-x3.4-1968", "ascii", END},
    {"big-5", "big5-eten", END},
    {"big5-eten", "big5-eten", END},
    {"big5-et", "big5-eten", END},
    {"tca-big5", "big5-eten", END},
    {"big5-hkscs", "big5-hkscs", END},
    {"big5-hk", "big5-hkscs", END},
    {"gbk", "cp936", WHOLE},
    {"gb-2312", "euc-cn", ANYWHERE},
    {"euc*cn", "euc-cn", END},
    {"cn*euc", "euc-cn", END},
    {"windows-949", "cp949", END},
    {"uhc", "cp949", END},
    {"ks_c_5601-1987", "cp949", END},
    {"euc*kr", "euc-kr", END},
    {"kr*euc", "euc-kr", END},
    {"windows-31j", "cp932", END},
    {"shift*jis", "shiftjis", END},
    {"sjis", "shiftjis", END},
    {"ujis", "euc-jp", END},
    {"euc*jp", "euc-jp", END},
    {"jp*euc", "euc-jp", END},
    {"jis", "7bit-jis", END},
    {"koi8-r", "koi8-r", END},
    {"koi8-u", "koi8-u", END},
    {"macintosh", "macroman", WHOLE},
    {"x-mac-roman", "macroman", WHOLE},
    {"mac-roman", "macroman", WHOLE},
    {"x-mac-cyrillic", "maccyrillic", WHOLE},
    {"mac-cyrillic", "maccyrillic", WHOLE},
    {"macce", "maccentraleurroman", WHOLE},
    {"tis-620", "iso-8859-11", ANYWHERE},
    {"cyrillic", "iso-8859-5", WHOLE},
    {"arabic", "iso-8859-6", WHOLE},
    {"greek", "iso-8859-7", WHOLE},
    {"hebrew", "iso-8859-8", WHOLE},
    {"thai", "iso-8859-11", WHOLE},
    {"latin-1", "iso-8859-1", END},
    {"latin-2", "iso-8859-2", END},
    {"latin-3", "iso-8859-3", END},
    {"latin-4", "iso-8859-4", END},
    {"latin-5", "iso-8859-9", END},
    {"latin-6", "iso-8859-10", END},
    {"latin-7", "iso-8859-13", END},
    {"latin-8", "iso-8859-14", END},
    {"latin-9", "iso-8859-15", END},
    {"latin-10", "iso-8859-16", END},
    {"unicode-1-1-utf-7", "utf-7", WHOLE},
    {"utf-7", "utf-7", WHOLE},
    {"utf-16", "utf-16", WHOLE},
    {"utf-32", "utf-32", WHOLE},
    {"ucs-2", "ucs-2be", WHOLE},
    {"ucs-2-be", "ucs-2be", WHOLE},
    {"ucs-2-le", "ucs-2le", WHOLE},
    {"iso-10646-1", "ucs-2be", WHOLE},
    {"ucs-4", "utf-32", WHOLE},
};

static bool
is_separator(char c)
{
	return c == '-' || c == '_';
}

/*
 * Where `text` (see struct alias) begins if it ends at `at`; STR_NONE: it does
 * not.
 */
static size_t
fit_back(struct str name, size_t at, struct str text)
{
	for (size_t i = text.len; i > 0; i--) {
		char c = text.p[i - 1];
		if (c == '*') {
			struct str head = str_sub(text, 0, i - 1);
			return str_find(str_sub(name, 0, at), head);
		}
		if (is_separator(c)) {
			if (at > 0 && is_separator(name.p[at - 1]))
				at--;
			continue;
		}
		if (at == 0 || name.p[at - 1] != c)
			return STR_NONE;
		at--;
	}
	return at;
}

static bool
is_word_start(struct str name, size_t at)
{
	return at == 0 || !char_is_word(name.p[at - 1]) ||
	       !char_is_word(name.p[at]);
}

static bool
alias_fits(struct str name, const struct alias *alias)
{
	struct str text = str_from(alias->text);
	if (alias->place == WHOLE)
		return fit_back(name, name.len, text) == 0;
	size_t least = alias->place == END ? name.len : 0;
	for (size_t end = name.len + 1; end > least; end--) {
		size_t at = fit_back(name, end - 1, text);
		if (at != STR_NONE && is_word_start(name, at))
			return true;
	}
	return false;
}

/*
 * "cp1251" for "windows-1251", "iso-8859-2" for "iso8859_2" and "iso88592";
 * empty: neither.
 */
static struct str
numbered(struct arena *a, struct str name)
{
	static const struct {
		struct alias alias;
		const char *head;
		size_t digits_min, digits_max;
	} rows[] = {
	    {{"cp-", NULL, END}, "cp", 2, 4},
	    {{"ibm-", NULL, END}, "cp", 2, 4},
	    {{"ms-", NULL, END}, "cp", 2, 4},
	    {{"windows-", NULL, END}, "cp", 2, 4},
	    {{"iso-8859-", NULL, END}, "iso-8859-", 1, 2},
	};
	for (size_t n = 4; n > 0; n--) {
		if (n > name.len)
			continue;
		struct str number = str_skip(name, name.len - n);
		struct str head = str_sub(name, 0, name.len - n);
		uint64_t value;
		if (!str_u64(number, 9999, &value))
			continue;
		for (size_t i = 0; i < COUNT_OF(rows); i++)
			if (n >= rows[i].digits_min &&
			    n <= rows[i].digits_max &&
			    alias_fits(head, &rows[i].alias))
				return str_printf(
				    a, "%s%.*s", rows[i].head, STR_ARG(number));
	}
	return STR_EMPTY;
}

/* GB18030: Perl has a decoder for a subset only. */
static bool
is_gb18030(struct str name)
{
	static const char *const names[] = {"gb18030", "gb-18030"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_starts(name, str_from(names[i]))) {
			struct str tail = str_skip(name, strlen(names[i]));
			return tail.len == 0 ||
			       (str_starts(tail, STR("-20")) && tail.len == 5);
		}
	return false;
}

/* NULL: Perl would not know it. */
static const struct charset *
charset_find(struct arena *a, struct str declared)
{
	char *p = arena_alloc(a, NAME_MAX_BYTES);
	size_t n = 0;
	for (size_t i = 0; i < declared.len && n < NAME_MAX_BYTES; i++)
		if (!char_is_space(declared.p[i]))
			p[n++] = char_lower(declared.p[i]);
	struct str name = str_of(p, n);
	const struct charset *charset = convert_find(name);
	for (size_t i = 0; charset == NULL && i < COUNT_OF(ALIASES); i++)
		if (alias_fits(name, &ALIASES[i]))
			charset = convert_find(str_from(ALIASES[i].name));
	if (charset == NULL)
		charset = convert_find(numbered(a, name));
	if (charset == NULL && is_gb18030(name))
		charset = convert_find(STR("cp936"));
	return charset;
}

static size_t
count_8bit(struct str text)
{
	size_t n = 0, i = 0;
	for (uint64_t word; i + sizeof(word) <= text.len; i += sizeof(word)) {
		memcpy(&word, text.p + i, sizeof(word));
		n += word_count(word & UINT64_C(0x8080808080808080));
	}
	for (; i < text.len; i++)
		n += (unsigned char)text.p[i] >> 7;
	return n;
}

/*
 * UTF-16 without a byte order mark: NULL if it has one, or if its bytes do not
 * tell.  Blanks count, and which of the two bytes is mostly zero.
 */
static const struct charset *
utf16_charset(struct str text)
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
	if (little == big)
		return NULL;
	return convert_find(little > big ? STR("utf-16le") : STR("utf-16be"));
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

/* The charset `declared` names; NULL: none that Perl knows. */
static const struct charset *
charset_declared(struct arena *a, struct str declared)
{
	bool is_latin1 = str_ieq(declared, STR("iso-8859-1")) ||
			 str_ieq(declared, STR("iso8859-1"));
	return is_latin1 ? convert_find(STR("cp1252"))
			 : charset_find(a, declared);
}

static struct str
as_cp1252(struct arena *a, struct str text, size_t most)
{
	struct str ret;
	bool is_ok = convert(
	    a, convert_find(STR("cp1252")), text, CONVERT_REPLACE, most, &ret);
	return is_ok ? ret : text;
}

struct str
charset_normalize(struct arena *a, struct str text, struct str declared,
    size_t most, bool *ret_converted)
{
	bool is_7bit = count_8bit(text) == 0;
	*ret_converted = false;
	if (is_7bit && is_ascii_superset(declared))
		return text;
	*ret_converted = true;
	if (!is_7bit && convert_is_utf8(text))
		return text;
	struct str ret;
	const struct charset *utf8 = convert_find(STR("utf-8"));
	const struct charset *charset = is_named_utf16(declared)
					    ? utf16_charset(text)
					    : charset_declared(a, declared);
	/* Broken as ASCII or UTF-8 it is known to be. */
	bool is_hopeless = charset == NULL || is_named_ascii(declared) ||
			   (charset == utf8 && !is_7bit);
	if (!is_hopeless &&
	    convert(a, charset, text, CONVERT_REFUSE, most, &ret)) {
		*ret_converted = !convert_is_unshifted(charset, text);
		return ret;
	}
	*ret_converted = !is_7bit;
	return is_7bit ? text : as_cp1252(a, text, most);
}

bool
charset_is_readable(struct str text, struct str declared)
{
	return (str_ieq(declared, STR("us-ascii")) ||
		   str_ieq(declared, STR("utf-8"))) &&
	       count_8bit(text) > 0 && convert_is_utf8(text);
}

/* How many characters past ASCII, and how many runs of bytes that are of none:
 * a character that is cut off is one. */
static void
utf8_count(struct str text, size_t *ret_good, size_t *ret_bad)
{
	bool is_bad = false;
	*ret_good = *ret_bad = 0;
	for (size_t i = 0; i < text.len;) {
		size_t n = utf8_length(str_skip(text, i));
		*ret_good += n > 1;
		*ret_bad += n == 0 && !is_bad;
		is_bad = n == 0;
		i += n == 0 ? 1 : n;
	}
}

struct str
charset_readable(struct arena *a, struct str text)
{
	size_t good, bad;
	utf8_count(text, &good, &bad);
	if (bad == 0)
		return text;
	if (good < bad)
		return as_cp1252(a, text, SIZE_MAX);
	struct buf *b = buf_new(a, text.len * 3);
	for (size_t i = 0; i < text.len;) {
		size_t n = utf8_length(str_skip(text, i));
		if (n == 0)
			utf8_put(b, 0xfffd);
		else
			buf_put(b, str_sub(text, i, n));
		i += n == 0 ? 1 : n;
	}
	return buf_str(b);
}

struct str
charset_decode(struct arena *a, struct str text, struct str declared)
{
	bool is_7bit = count_8bit(text) == 0;
	if (is_7bit && is_ascii_superset(declared))
		return text;
	struct str ret;
	bool is_utf16 = is_named_utf16(declared);
	const struct charset *charset =
	    is_utf16 ? utf16_charset(text) : charset_declared(a, declared);
	if (charset != NULL &&
	    convert(a, charset, text,
		is_utf16 ? CONVERT_REFUSE : CONVERT_REPLACE, SIZE_MAX, &ret))
		/* SpamAssassin 4.0.1 hands out UTF-16 as it came. */
		return is_utf16 ? text : ret;
	return is_7bit ? text : as_cp1252(a, text, SIZE_MAX);
}
