/* SPDX-License-Identifier: BSD-2-Clause */
/* convert -- bytes of a charset to UTF-8. */
#include "mail/convert.h"

#include <errno.h>
#include <iconv.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "mail/transfer.h"

/*
 * Characters that Perl sees differently: `from` to `to` become `into` and those
 * that follow it; 0: refused.  In `repairs` they are what iconv made of the
 * text, in `extras` bytes that iconv does not know, one or two of them.
 */
struct change {
	uint32_t from, to, into;
};

/* Where a conversion goes: at least `most` bytes are kept, then none. */
struct sink {
	struct arena *arena;
	struct buf *out;
	size_t most;
	enum convert_errors errors;
};

struct charset {
	const char *name;
	const char *iconv;
	/* Tried where `iconv` gives up, one character of two or three bytes. */
	const char *second;
	/* Only for what glibc has in its private use area. */
	bool is_second_private;
	const struct change *repairs, *extras; /* ended by {0} */
	/* Of UTF-16, UTF-32 and UCS-2. */
	unsigned unit;
	bool is_big_endian, has_surrogates;
	bool (*decode)(
	    const struct charset *charset, struct str text, struct sink *sink);
};

static const struct change C1_REFUSED[] = {{0x80, 0x9f, 0}, {0}};
static const struct change EUC_JP_REPAIRS[] = {
    {0x80, 0x9f, 0}, {0xff5e, 0xff5e, 0x7e}, {0xff5f, 0xff60, 0x2985}, {0}};
/* Of JIS X 0213:2004, and Perl has the edition of 2000. */
static const struct change EUC_JP_EXTRAS[] = {{0xaea1, 0xaea1, 0},
    {0xaffe, 0xaffe, 0}, {0xcfd4, 0xcfd4, 0}, {0xcffe, 0xcffe, 0},
    {0xf4a7, 0xf4a7, 0}, {0xfefa, 0xfefe, 0}, {0}};
static const struct change SHIFTJIS_REPAIRS[] = {
    {0xa5, 0xa5, 0x5c}, {0x203e, 0x203e, 0x7e}, {0}};
static const struct change JOHAB_REPAIRS[] = {
    {0x7f, 0x7f, 0}, {0x20a9, 0x20a9, 0x5c}, {0}};
static const struct change CP932_EXTRAS[] = {
    {0x80, 0x80, 0x80}, {0xa0, 0xa0, 0xf8f0}, {0xfd, 0xff, 0xf8f1}, {0}};
static const struct change MAC_REPAIRS[] = {{0x7f, 0x7f, 0}, {0}};
static const struct change CP936_EXTRAS[] = {{0xa2e3, 0xa2e3, 0xe76c},
    {0xa6d9, 0xa6df, 0xe78d}, {0xa6ec, 0xa6ed, 0xe794},
    {0xa6f3, 0xa6f3, 0xe796}, {0xa8bc, 0xa8bc, 0xe7c7},
    {0xa8bf, 0xa8bf, 0xe7c8}, {0xa989, 0xa995, 0xe7e7},
    {0xfe50, 0xfe7e, 0xe815}, {0xfe80, 0xfea0, 0xe844}, {0x80, 0x80, 0x20ac},
    {0xff, 0xff, 0xf8f5}, {0}};
static const struct change CP949_EXTRAS[] = {{0x80, 0x80, 0x80},
    {0xff, 0xff, 0xf8f7}, {0xc9a1, 0xc9fe, 0xe000}, {0xfea1, 0xfefe, 0xe05e},
    {0}};
/* glibc puts these into the private use area, in the order of their codes. */
#define BIG5_PRIVATE 0xf6b1
static const struct change BIG5_REPAIRS[] = {{0x80, 0x80, 0},
    {0xf83c, 0xf83e, 0}, {BIG5_PRIVATE, 0xf848, BIG5_PRIVATE}, {0}};
static const struct change MAC_CYRILLIC_REPAIRS[] = {
    {0x7f, 0x7f, 0}, {0xa4, 0xa4, 0x20ac}, {0}};
static const struct change MAC_ROMAN_REPAIRS[] = {
    {0x7f, 0x7f, 0}, {0x394, 0x394, 0x2206}, {0xe01e, 0xe01e, 0xf8ff}, {0}};

static bool decode_utf8(const struct charset *, struct str, struct sink *);
static bool decode_cp1252(const struct charset *, struct str, struct sink *);
static bool decode_bytes(const struct charset *, struct str, struct sink *);
static bool decode_iconv(const struct charset *, struct str, struct sink *);
static bool decode_wide(const struct charset *, struct str, struct sink *);
static bool decode_marked(const struct charset *, struct str, struct sink *);
static bool decode_jis(const struct charset *, struct str, struct sink *);
static bool decode_iso_2022_kr(
    const struct charset *, struct str, struct sink *);
static bool decode_hz(const struct charset *, struct str, struct sink *);
static bool decode_utf7(const struct charset *, struct str, struct sink *);

static const struct charset CHARSETS[] = {
    {"utf-8", .decode = decode_utf8},
    {"cp1252", .decode = decode_cp1252},
    {"ascii", "ASCII", .decode = decode_bytes},
    {"iso-8859-1", "ISO-8859-1", .decode = decode_bytes},
    {"iso-8859-2", "ISO-8859-2", .decode = decode_bytes},
    {"iso-8859-3", "ISO-8859-3", .decode = decode_bytes},
    {"iso-8859-4", "ISO-8859-4", .decode = decode_bytes},
    {"iso-8859-5", "ISO-8859-5", .decode = decode_bytes},
    {"iso-8859-6", "ISO-8859-6", .decode = decode_bytes},
    {"iso-8859-7", "ISO-8859-7", .decode = decode_bytes},
    {"iso-8859-8", "ISO-8859-8", .decode = decode_bytes},
    {"iso-8859-9", "ISO-8859-9", .decode = decode_bytes},
    {"iso-8859-10", "ISO-8859-10", .decode = decode_bytes},
    {"iso-8859-11", "ISO-8859-11", .decode = decode_bytes},
    {"iso-8859-13", "ISO-8859-13", .decode = decode_bytes},
    {"iso-8859-14", "ISO-8859-14", .decode = decode_bytes},
    {"iso-8859-15", "ISO-8859-15", .decode = decode_bytes},
    {"iso-8859-16", "ISO-8859-16", .decode = decode_bytes},
    {"cp437", "CP437", .decode = decode_bytes},
    {"cp737", "CP737", .decode = decode_bytes},
    {"cp775", "CP775", .decode = decode_bytes},
    {"cp850", "CP850", .decode = decode_bytes},
    {"cp852", "CP852", .decode = decode_bytes},
    {"cp855", "CP855", .decode = decode_bytes},
    {"cp857", "CP857", .decode = decode_bytes},
    {"cp858", "CP858", .decode = decode_bytes},
    {"cp860", "CP860", .decode = decode_bytes},
    {"cp861", "CP861", .decode = decode_bytes},
    {"cp862", "CP862", .decode = decode_bytes},
    {"cp863", "CP863", .decode = decode_bytes},
    {"cp864", "CP864", .decode = decode_bytes},
    {"cp865", "CP865", .decode = decode_bytes},
    {"cp866", "CP866", .decode = decode_bytes},
    {"cp869", "CP869", .decode = decode_bytes},
    {"cp874", "CP874", .decode = decode_bytes},
    {"cp1250", "CP1250", .decode = decode_bytes},
    {"cp1251", "CP1251", .decode = decode_bytes},
    {"cp1253", "CP1253", .decode = decode_bytes},
    {"cp1254", "CP1254", .decode = decode_bytes},
    {"cp1255", "CP1255", .decode = decode_bytes},
    {"cp1256", "CP1256", .decode = decode_bytes},
    {"cp1257", "CP1257", .decode = decode_bytes},
    {"cp1258", "CP1258", .decode = decode_bytes},
    {"koi8-r", "KOI8-R", .decode = decode_bytes},
    {"koi8-u", "KOI8-U", .decode = decode_bytes},
    {"viscii", "VISCII", .decode = decode_bytes},
    {"macroman", "MACINTOSH", .repairs = MAC_ROMAN_REPAIRS,
	.decode = decode_bytes},
    {"maccyrillic", "MAC-CYRILLIC", .repairs = MAC_CYRILLIC_REPAIRS,
	.decode = decode_bytes},
    {"maccentraleurroman", "MAC-CENTRALEUROPE", .repairs = MAC_REPAIRS,
	.decode = decode_bytes},
    {"big5-eten", "BIG5", "BIG5-HKSCS", true, .repairs = BIG5_REPAIRS,
	.decode = decode_iconv},
    {"big5-hkscs", "BIG5-HKSCS", .repairs = C1_REFUSED, .decode = decode_iconv},
    {"cp932", "CP932", .extras = CP932_EXTRAS, .decode = decode_iconv},
    {"cp936", "CP936", "GB18030", .extras = CP936_EXTRAS,
	.decode = decode_iconv},
    {"cp949", "CP949", .extras = CP949_EXTRAS, .decode = decode_iconv},
    {"cp950", "CP950", .decode = decode_iconv},
    {"euc-cn", "EUC-CN", .decode = decode_iconv},
    {"euc-jp", "EUC-JP", "EUC-JISX0213", .repairs = EUC_JP_REPAIRS,
	.extras = EUC_JP_EXTRAS, .decode = decode_iconv},
    {"euc-kr", "EUC-KR", .repairs = C1_REFUSED, .decode = decode_iconv},
    {"johab", "JOHAB", .repairs = JOHAB_REPAIRS, .decode = decode_iconv},
    {"shiftjis", "SHIFT-JIS", .repairs = SHIFTJIS_REPAIRS,
	.decode = decode_iconv},
    {"iso-2022-jp", .decode = decode_jis},
    {"iso-2022-jp-1", .decode = decode_jis},
    {"7bit-jis", .decode = decode_jis},
    {"iso-2022-kr", .decode = decode_iso_2022_kr},
    {"hz", .decode = decode_hz},
    {"utf-7", .decode = decode_utf7},
    {"utf-16le", .unit = 2, .has_surrogates = true, .decode = decode_wide},
    {"utf-16be", .unit = 2, .has_surrogates = true, .is_big_endian = true,
	.decode = decode_wide},
    {"ucs-2le", .unit = 2, .decode = decode_wide},
    {"ucs-2be", .unit = 2, .is_big_endian = true, .decode = decode_wide},
    {"utf-32le", .unit = 4, .decode = decode_wide},
    {"utf-32be", .unit = 4, .is_big_endian = true, .decode = decode_wide},
    {"utf-32", .unit = 4, .decode = decode_marked},
    {"utf-16", .unit = 2, .has_surrogates = true, .decode = decode_marked},
};

const struct charset *
convert_find(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(CHARSETS); i++)
		if (str_eq(name, str_from(CHARSETS[i].name)))
			return &CHARSETS[i];
	return NULL;
}

static void
sink_put(struct sink *sink, struct str s)
{
	if (sink->out->len < sink->most)
		buf_put(sink->out, s);
}

static void
sink_char(struct sink *sink, uint32_t c)
{
	if (sink->out->len < sink->most)
		utf8_put(sink->out, c);
}

/* `bytes` are no character; false: that is the end. */
static bool
sink_broken(struct sink *sink, struct str bytes)
{
	if (sink->errors == CONVERT_REFUSE)
		return false;
	if (sink->errors == CONVERT_REPLACE) {
		sink_char(sink, 0xfffd);
		return true;
	}
	for (size_t i = 0; i < bytes.len; i++)
		if (sink->out->len < sink->most)
			buf_printf(
			    sink->out, "\\x%02X", (unsigned char)bytes.p[i]);
	return true;
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

/* Length of the character at the start of `s`; 0: none. */
static size_t
strict_length(struct str s)
{
	size_t n = utf8_length(s);
	return is_noncharacter(s, n) ? 0 : n;
}

/* Offset of the first byte over 0x7f from `i` on. */
static size_t
skip_ascii(struct str text, size_t i)
{
	return i + str_ascii_length(str_skip(text, i));
}

bool
convert_is_utf8(struct str text)
{
	for (size_t i = skip_ascii(text, 0); i < text.len;
	     i = skip_ascii(text, i)) {
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
	static const struct {
		unsigned char below;
		size_t length;
	} leads[] = {{0xc0, 1}, {0xe0, 2}, {0xf0, 3}, {0xf8, 4}, {0xfc, 5},
	    {0xfe, 6}, {0xff, 7}};
	size_t most = 13;
	for (size_t i = COUNT_OF(leads); i > 0; i--)
		if ((unsigned char)s.p[0] < leads[i - 1].below)
			most = leads[i - 1].length;
	size_t n = 1;
	while (n < most && n < s.len && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static bool
decode_utf8(const struct charset *charset, struct str text, struct sink *sink)
{
	(void)charset;
	for (size_t i = 0; i < text.len;) {
		struct str rest = str_skip(text, i);
		size_t n = strict_length(rest);
		if (n > 0) {
			sink_put(sink, str_sub(rest, 0, n));
			i += n;
			continue;
		}
		n = broken_length(rest);
		if (!sink_broken(sink, str_sub(rest, 0, n)))
			return false;
		i += n;
	}
	return true;
}

static bool
decode_cp1252(const struct charset *charset, struct str text, struct sink *sink)
{
	static const uint16_t c1[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e,
	    0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
	    0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
	    0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};
	(void)charset;
	for (size_t i = 0; i < text.len; i++) {
		uint32_t c = (unsigned char)text.p[i];
		if (c >= 0x80 && c < 0xa0)
			c = c1[c - 0x80];
		if (c != 0 || text.p[i] == '\0')
			sink_char(sink, c);
		else if (!sink_broken(sink, str_sub(text, i, 1)))
			return false;
	}
	return true;
}

/* `c` in UTF-8 at `out`, which has room for it. */
static struct str
utf8_encode(uint32_t c, char *out)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0};
	out[0] = (char)(lead[n] | c >> (6 * (n - 1)));
	for (size_t i = 1; i < n; i++)
		out[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
	return str_of(out, n);
}

static const struct change *
change_of(const struct change *changes, uint32_t c)
{
	for (; changes != NULL && changes->to != 0; changes++)
		if (c >= changes->from && c <= changes->to)
			return changes;
	return NULL;
}

/* Run `cd` over one character; empty: it knows none of this length. */
static struct str
convert_one(iconv_t cd, struct str text, char *out, size_t size)
{
	char *from = (char *)(uintptr_t)text.p;
	char *to = out;
	size_t left = text.len, room = size;
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left > 0 ||
	    iconv(cd, NULL, NULL, &to, &room) == (size_t)-1)
		return STR_EMPTY;
	return str_of(out, size - room);
}

/* Both descriptors of a charset; `second` is opened when it is needed. */
struct converter {
	const struct charset *charset;
	iconv_t first, second;
	bool has_second;
};

static struct str
convert_second(struct converter *c, struct str text, char *out, size_t size)
{
	if (c->charset->second == NULL)
		return STR_EMPTY;
	if (!c->has_second)
		c->second = iconv_open("UTF-8", c->charset->second);
	c->has_second = true;
	return c->second == (iconv_t)-1
		   ? STR_EMPTY
		   : convert_one(c->second, text, out, size);
}

/* The character that glibc has at `c` of its private use area for Big5. */
static void
put_big5_private(struct converter *c, uint32_t code, struct sink *sink)
{
	static const uint16_t radicals[] = {0x2f02, 0x2f03, 0x2f05, 0x2f07,
	    0x2f0c, 0x2f0d, 0x2f0e, 0x2f13, 0x2f16, 0x2f19, 0x2f1b, 0x2f22,
	    0x2f27, 0x2f2e, 0x2f33, 0x2f34, 0x2f35, 0x2f39, 0x2f3a, 0x2f41,
	    0x2f46, 0x2f67, 0x2f68, 0x2fa1, 0x2faa};
	const uint32_t row = 157, before_a1 = 63, first_radical = 30;
	uint32_t n = code - BIG5_PRIVATE;
	if (n >= first_radical && n < first_radical + COUNT_OF(radicals)) {
		sink_char(sink, radicals[n - first_radical]);
		return;
	}
	uint32_t cell = (n + before_a1) % row;
	char bytes[2] = {(char)(0xc6 + (n + before_a1) / row),
	    (char)(cell < before_a1 ? 0x40 + cell : 0xa1 + cell - before_a1)};
	char out[32];
	struct str made = convert_second(c, str_of(bytes, 2), out, sizeof(out));
	if (made.len > 0)
		sink_put(sink, made);
	else
		sink_char(sink, code);
}

static bool
put_change(struct converter *c, const struct change *change, uint32_t code,
    struct sink *sink)
{
	if (change->into == BIG5_PRIVATE) {
		put_big5_private(c, code, sink);
		return true;
	}
	if (change->into != 0) {
		sink_char(sink, change->into + (code - change->from));
		return true;
	}
	char byte = (char)code;
	return sink_broken(sink, str_of(&byte, 1));
}

/* Pass on what iconv has made, repaired. */
static bool
put_repaired(struct converter *c, struct str text, struct sink *sink)
{
	if (c->charset->repairs == NULL) {
		sink_put(sink, text);
		return true;
	}
	for (size_t i = 0; i < text.len;) {
		struct str rest = str_skip(text, i);
		size_t n = utf8_length(rest);
		if (n == 0) /* iconv makes none of these */
			return false;
		uint32_t code = utf8_decode(rest);
		const struct change *change =
		    change_of(c->charset->repairs, code);
		if (change == NULL)
			sink_put(sink, str_sub(rest, 0, n));
		else if (!put_change(c, change, code, sink))
			return false;
		i += n;
	}
	return true;
}

static bool
is_one_character(struct str text)
{
	return text.len > 0 && utf8_length(text) == text.len;
}

/*
 * The character of exactly these bytes that iconv refuses and Perl knows;
 * empty: none.
 */
static struct str
extra_character(struct converter *c, struct str bytes, char *out, size_t size)
{
	uint32_t code = 0;
	for (size_t i = 0; i < bytes.len; i++)
		code = code << 8 | (unsigned char)bytes.p[i];
	const struct change *change = change_of(c->charset->extras, code);
	if (change != NULL && change->into == 0)
		return STR_EMPTY;
	if (change != NULL)
		return utf8_encode(change->into + (code - change->from), out);
	if (bytes.len == 1 || c->charset->is_second_private)
		return STR_EMPTY;
	struct str made = convert_second(c, bytes, out, size);
	return is_one_character(made) ? made : STR_EMPTY;
}

static bool
is_three_bytes(struct str text)
{
	return text.p[0] == '\x8f';
}

/*
 * Pass on the character at the start of `rest` that only Perl knows; its bytes,
 * or 0.
 */
static size_t
put_extra(struct converter *c, struct str rest, struct sink *sink)
{
	char out[32];
	size_t longest = is_three_bytes(rest) ? 3 : 2;
	for (size_t n = 1; n <= longest && n <= rest.len; n++) {
		struct str made =
		    extra_character(c, str_sub(rest, 0, n), out, sizeof(out));
		if (made.len > 0 && put_repaired(c, made, sink))
			return n;
	}
	return 0;
}

static bool
is_character(struct converter *c, struct str bytes)
{
	char out[32];
	return convert_one(c->first, bytes, out, sizeof(out)).len > 0 ||
	       extra_character(c, bytes, out, sizeof(out)).len > 0;
}

/* All of `rest` is the beginning of some character. */
static bool
is_cut_off(struct converter *c, struct str rest)
{
	size_t length = is_three_bytes(rest) ? 3 : 2;
	if (rest.len >= length || (unsigned char)rest.p[0] < 0x80)
		return false;
	char bytes[3];
	memcpy(bytes, rest.p, rest.len);
	bytes[1] = rest.len == 1 ? '\xa1' : bytes[1];
	for (unsigned last = 0x21; last < 0xff; last++) {
		bytes[length - 1] = (char)last;
		if (is_character(c, str_of(bytes, length)))
			return true;
	}
	return false;
}

/* iconv stopped at `*from`: go on behind what stopped it. */
static bool
step_over(struct converter *c, char **from, size_t *left, struct sink *sink)
{
	struct str rest = str_of(*from, *left);
	size_t n = put_extra(c, rest, sink);
	if (n == 0 && is_cut_off(c, rest))
		n = rest.len;
	if (n == 0 && !sink_broken(sink, str_sub(rest, 0, 1)))
		return false;
	n += n == 0;
	*from += n;
	*left -= n;
	return true;
}

static bool
convert_all(struct converter *c, struct str text, struct sink *sink)
{
	char out[4096];
	char *from = (char *)(uintptr_t)text.p;
	size_t left = text.len;
	while (left > 0) {
		char *to = out;
		size_t room = sizeof(out);
		size_t done = iconv(c->first, &from, &left, &to, &room);
		int trouble = done == (size_t)-1 ? errno : 0;
		if (!put_repaired(c, str_of(out, sizeof(out) - room), sink))
			return false;
		if ((trouble == EILSEQ || trouble == EINVAL) &&
		    !step_over(c, &from, &left, sink))
			return false;
	}
	return true;
}

/*
 * One descriptor a charset that waits for the next text: to open one may load a
 * library, and to close it may unload it.
 */
static _Atomic(iconv_t) idle[COUNT_OF(CHARSETS)];

static iconv_t
descriptor_get(const struct charset *charset)
{
	iconv_t cd = atomic_exchange(&idle[charset - CHARSETS], NULL);
	if (cd == NULL)
		return iconv_open("UTF-8", charset->iconv);
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	return cd;
}

static void
descriptor_put(const struct charset *charset, iconv_t cd)
{
	iconv_t none = NULL;
	if (!atomic_compare_exchange_strong(
		&idle[charset - CHARSETS], &none, cd))
		(void)iconv_close(cd);
}

static bool
decode_iconv(const struct charset *charset, struct str text, struct sink *sink)
{
	struct converter c = {.charset = charset};
	c.first = descriptor_get(charset);
	if (c.first == (iconv_t)-1)
		return false;
	bool is_ok = convert_all(&c, text, sink);
	descriptor_put(charset, c.first);
	if (c.has_second && c.second != (iconv_t)-1)
		(void)iconv_close(c.second);
	return is_ok;
}

/* What each byte stands for; UINT32_MAX: nothing. */
struct byte_table {
	struct arena *arena; /* it is in */
	uint32_t code[256];
	bool is_ascii; /* bytes below 0x80 are what they are in ASCII */
};

/*
 * Read off iconv byte by byte, for in a text it would join letters and the
 * accents that follow them.
 */
static void
byte_table_fill(
    const struct charset *charset, iconv_t cd, struct byte_table *table)
{
	table->is_ascii = true;
	for (unsigned i = 0; i < COUNT_OF(table->code); i++) {
		char out[32], byte = (char)i;
		uint32_t *code = &table->code[i];
		struct str made =
		    convert_one(cd, str_of(&byte, 1), out, sizeof(out));
		*code = made.len == 0 ? UINT32_MAX : utf8_decode(made);
		const struct change *change =
		    change_of(charset->repairs, *code);
		if (change != NULL)
			*code = change->into == 0 ? UINT32_MAX : change->into;
		table->is_ascii &= i >= 0x80 || *code == i;
	}
}

/* NULL: there is no such charset. */
static struct byte_table *
byte_table_new(const struct charset *charset)
{
	iconv_t cd = iconv_open("UTF-8", charset->iconv);
	if (cd == (iconv_t)-1)
		return NULL;
	struct arena *a = arena_new();
	struct byte_table *table = ARENA_NEW(a, struct byte_table);
	table->arena = a;
	byte_table_fill(charset, cd, table);
	(void)iconv_close(cd);
	return table;
}

/* Made for the first text of a charset, and kept. */
static const struct byte_table *
byte_table_of(const struct charset *charset)
{
	static _Atomic(struct byte_table *) known[COUNT_OF(CHARSETS)];
	_Atomic(struct byte_table *) *slot = &known[charset - CHARSETS];
	struct byte_table *table = atomic_load(slot);
	if (table != NULL)
		return table;
	struct byte_table *fresh = byte_table_new(charset);
	if (fresh == NULL ||
	    atomic_compare_exchange_strong(slot, &table, fresh))
		return fresh;
	arena_free(fresh->arena);
	return table;
}

/* The ASCII at the start of `text`; returns how much that is. */
static size_t
put_ascii(struct sink *sink, struct str text)
{
	size_t n = skip_ascii(text, 0);
	size_t room =
	    sink->out->len < sink->most ? sink->most - sink->out->len : 0;
	sink_put(sink, str_sub(text, 0, n < room ? n : room));
	return n;
}

/* One byte a character. */
static bool
decode_bytes(const struct charset *charset, struct str text, struct sink *sink)
{
	const struct byte_table *table = byte_table_of(charset);
	if (table == NULL)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (table->is_ascii)
			i += put_ascii(sink, str_skip(text, i));
		if (i == text.len)
			break;
		uint32_t code = table->code[(unsigned char)text.p[i]];
		if (code != UINT32_MAX)
			sink_char(sink, code);
		else if (!sink_broken(sink, str_sub(text, i, 1)))
			return false;
	}
	return true;
}

static uint32_t
unit_at(const struct charset *charset, struct str text, size_t i)
{
	uint32_t c = 0;
	for (unsigned k = 0; k < charset->unit; k++) {
		unsigned at =
		    charset->is_big_endian ? k : charset->unit - 1 - k;
		c = c << 8 | (unsigned char)text.p[i + at];
	}
	return c;
}

static bool
is_surrogate(uint32_t c, uint32_t first)
{
	return c >= first && c < first + 0x400;
}

/* Units of two or four bytes; half a unit at the end is refused or dropped. */
static bool
decode_wide(const struct charset *charset, struct str text, struct sink *sink)
{
	size_t unit = charset->unit;
	if (text.len % unit != 0 && sink->errors == CONVERT_REFUSE)
		return false;
	for (size_t i = 0; i + unit <= text.len; i += unit) {
		uint32_t c = unit_at(charset, text, i);
		if (charset->has_surrogates && is_surrogate(c, 0xd800) &&
		    i + 2 * unit <= text.len) {
			uint32_t low = unit_at(charset, text, i + unit);
			if (is_surrogate(low, 0xdc00)) {
				c = 0x10000 +
				    ((c & 0x3ff) << 10 | (low & 0x3ff));
				i += unit;
			}
		}
		bool is_bad = c > 0x10ffff || is_surrogate(c, 0xd800) ||
			      is_surrogate(c, 0xdc00) ||
			      (c & 0xfffe) == 0xfffe ||
			      (c >= 0xfdd0 && c <= 0xfdef);
		if (!is_bad)
			sink_char(sink, c);
		else if (!sink_broken(sink, str_sub(text, i, unit)))
			return false;
	}
	return true;
}

/* Big-endian unless a byte order mark says otherwise. */
static bool
decode_marked(const struct charset *charset, struct str text, struct sink *sink)
{
	bool is_32 = charset->unit == 4;
	struct str little = is_32 ? STR("\xff\xfe\0\0") : STR("\xff\xfe");
	struct str big = is_32 ? STR("\0\0\xfe\xff") : STR("\xfe\xff");
	bool is_little = str_starts(text, little);
	struct charset known = *charset;
	known.is_big_endian = !is_little;
	if (is_little || str_starts(text, big))
		text = str_skip(text, known.unit);
	return decode_wide(&known, text, sink);
}

/* Decode `text`, made here from a 7-bit form, as EUC: nothing is refused. */
static bool
decode_euc(struct str name, struct str text, struct sink *sink)
{
	struct sink quoting = *sink;
	quoting.errors = CONVERT_QUOTE;
	return decode_iconv(convert_find(name), text, &quoting);
}

/* What an escape sequence of ISO-2022-JP (RFC 1468, 2237) selects. */
static const struct escape {
	const char *text;
	enum { SET_ASCII, SET_0208, SET_0212, SET_KANA } set;
} ESCAPES[] = {
    {"\x1b$(D", SET_0212},
    {"\x1b$@", SET_0208},
    {"\x1b$B", SET_0208},
    {"\x1b&@\x1b$B", SET_0208},
    {"\x1b(B", SET_ASCII},
    {"\x1b(J", SET_ASCII},
    {"\x1b(I", SET_KANA},
};

static const struct escape *
escape_at(struct str rest)
{
	for (size_t i = 0; i < COUNT_OF(ESCAPES); i++)
		if (str_starts(rest, str_from(ESCAPES[i].text)))
			return &ESCAPES[i];
	return NULL;
}

static bool
is_graphic(char c)
{
	return c > ' ' && c <= '~';
}

/* Characters up to the next escape as EUC; returns the length of `out`. */
static size_t
put_jis_chunk(struct str chunk, const struct escape *escape, char *out)
{
	size_t len = 0;
	for (size_t i = 0; i < chunk.len; i++) {
		char c = chunk.p[i];
		if (escape->set == SET_ASCII || !is_graphic(c)) {
			out[len++] = c;
			continue;
		}
		if (escape->set == SET_KANA && c <= '_')
			out[len++] = '\x8e';
		bool is_pair = escape->set == SET_0212 && i + 1 < chunk.len &&
			       is_graphic(chunk.p[i + 1]);
		if (is_pair) {
			out[len++] = '\x8f';
			out[len++] = (char)(c | 0x80);
			c = chunk.p[++i];
		}
		out[len++] = (char)(c | 0x80);
	}
	return len;
}

/*
 * ISO-2022-JP.  Text ends at the first byte over 0x7f and at the first escape
 * that is not known; what else is broken is quoted, never refused.
 */
static bool
decode_jis(const struct charset *charset, struct str text, struct sink *sink)
{
	(void)charset;
	text = str_sub(text, 0, skip_ascii(text, 0));
	char *out = arena_alloc(sink->arena, 2 * text.len + 1);
	size_t len = 0;
	static const struct escape start = {"", SET_ASCII};
	const struct escape *escape = &start;
	while (escape != NULL) {
		text = str_skip(text, strlen(escape->text));
		struct str chunk = str_sub(text, 0, str_chr(text, '\x1b'));
		len += put_jis_chunk(chunk, escape, out + len);
		text = str_skip(text, chunk.len);
		escape = text.len > 0 ? escape_at(text) : NULL;
	}
	return decode_euc(STR("euc-jp"), str_of(out, len), sink);
}

/* ISO-2022-KR (RFC 1557): between SO and SI, designators removed. */
static bool
decode_iso_2022_kr(
    const struct charset *charset, struct str text, struct sink *sink)
{
	(void)charset;
	char *out = arena_alloc(sink->arena, text.len);
	size_t len = 0, until = 0; /* shifted up to here */
	for (size_t i = 0; i < text.len; i++) {
		struct str rest = str_skip(text, i);
		if (str_starts(rest, STR("\x1b$)C"))) {
			i += 3;
			continue;
		}
		if (rest.p[0] == '\x1b')
			break;
		if (i >= until && rest.p[0] == '\x0e') {
			size_t close = str_chr(rest, '\x0f');
			until = close == STR_NONE ? text.len + 1 : i + close;
			if (close != STR_NONE)
				continue;
		}
		if (i == until && until > 0 && rest.p[0] == '\x0f')
			continue;
		bool is_shifted = i < until && until <= text.len;
		out[len++] = is_shifted && is_graphic(rest.p[0])
				 ? (char)(rest.p[0] | 0x80)
				 : rest.p[0];
	}
	return decode_euc(STR("euc-kr"), str_of(out, len), sink);
}

/* HZ (RFC 1843), up to what is not allowed there. */
static bool
decode_hz(const struct charset *charset, struct str text, struct sink *sink)
{
	(void)charset;
	char *out = arena_alloc(sink->arena, text.len);
	size_t len = 0;
	bool is_ascii = true;
	for (size_t i = 0; i < text.len;) {
		struct str pair = str_sub(text, i, 2);
		char c = pair.p[0];
		if (is_ascii && c != '~' && (unsigned char)c < 0x80) {
			out[len++] = c;
			i++;
		} else if (is_ascii && str_eq(pair, STR("~~"))) {
			out[len++] = '~';
			i += 2;
		} else if (is_ascii && str_eq(pair, STR("~\n"))) {
			i += 2;
		} else if (str_eq(pair, is_ascii ? STR("~{") : STR("~}"))) {
			is_ascii = !is_ascii;
			i += 2;
		} else if (!is_ascii && pair.len == 2 && c > ' ' && c < 'x' &&
			   is_graphic(pair.p[1])) {
			out[len++] = (char)(c | 0x80);
			out[len++] = (char)(pair.p[1] | 0x80);
			i += 2;
		} else {
			break;
		}
	}
	return decode_iconv(
	    convert_find(STR("euc-cn")), str_of(out, len), sink);
}

static bool
is_base64(char c)
{
	return char_is_alnum(c) || c == '+' || c == '/';
}

bool
convert_is_unshifted(const struct charset *charset, struct str text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.p[i] == '+' && is_base64(text.p[i + 1]))
			return false;
	return charset != NULL && charset->decode == decode_utf7;
}

/* UTF-7 (RFC 2152), lenient: other bytes are Latin-1, a lone + stays. */
static bool
decode_utf7(const struct charset *charset, struct str text, struct sink *sink)
{
	(void)charset;
	const struct charset *wide = convert_find(STR("utf-16be"));
	struct sink replacing = *sink;
	replacing.errors = CONVERT_REPLACE;
	for (size_t i = 0; i < text.len;) {
		unsigned char c = (unsigned char)text.p[i++];
		size_t end = i;
		while (c == '+' && end < text.len && is_base64(text.p[end]))
			end++;
		if (end == i) {
			sink_char(sink, c);
			i += c == '+' && i < text.len && text.p[i] == '-';
			continue;
		}
		struct str units =
		    transfer_base64(sink->arena, str_sub(text, i, end - i));
		(void)decode_wide(wide, units, &replacing);
		i = end + (end < text.len && text.p[end] == '-');
	}
	return true;
}

bool
convert(struct arena *a, const struct charset *charset, struct str text,
    enum convert_errors errors, size_t most, struct str *ret)
{
	size_t max = text.len < SIZE_MAX / 8 ? text.len * 4 + 64 : SIZE_MAX / 2;
	struct sink sink = {a, buf_new(a, max), most, errors};
	buf_reserve(sink.out, text.len < most ? text.len : most);
	if (!charset->decode(charset, text, &sink))
		return false;
	*ret = buf_str(sink.out);
	return true;
}
