/* SPDX-License-Identifier: BSD-2-Clause */
/* locale -- character sets by language, as SpamAssassin counts them. */
#include "rules/locale.h"

#include "base/arena.h"

struct locales {
	bool has_all;
	struct strs names; /* "ja" */
};

#define CYRILLIC "KOI8R KOI8U KOI8T ISOIR111 CP1251 GEORGIANPS PT154 CP866"

/* Letters and digits of the charset's name, in upper case. */
static const struct {
	const char *locale, *charsets;
} OWN[] = {
    {"ja", "EUCJP JISX020119760 JISX020819830 JISX020819900 JISX020819970 "
	   "JISX021219900 JISX021320001 JISX021320002 SHIFT_JIS SHIFTJIS "
	   "ISO2022JP SJIS JIS7 JISX0201 JISX0208 JISX0212"},
    {"ko", "EUCKR KSC56011987"},
    {"ru", CYRILLIC},
    {"ka", CYRILLIC},
    {"tg", CYRILLIC},
    {"be", CYRILLIC},
    {"uk", CYRILLIC},
    {"bg", CYRILLIC},
    {"th", "TIS620"},
    {"zh", "GB1988 GB2312 GB231219800 GB18030 GBK BIG5HKSCS BIG5 EUCTW "
	   "ISO2022CN"},
};

/* What the net speaks anyway. */
static const char *const COMMON[] = {
    "USASCII", "ASCII", "IBM852", "XUNKNOWN", "ISO"};
static const char *const COMMON_STARTS[] = {"ISO8859", "ISO10646", "UTF", "UCS",
    "CP125", "WINDOWS", "UNICODE11UTF7", "UNICODE11UTF8"};

/* "zh_TW": "zh" */
static struct str
short_name(struct str name)
{
	for (size_t i = 0; i < 2; i++)
		if (i >= name.len || name.p[i] < 'a' || name.p[i] > 'z')
			return name;
	return str_sub(name, 0, 2);
}

const struct locales *
locales_new(struct arena *a, const struct setting_list *settings)
{
	struct locales *locales = ARENA_NEW(a, struct locales);
	struct str rest = STR("all");
	if (settings->n > 0)
		rest = settings->v[settings->n - 1].value;
	for (struct str word; (word = str_word(&rest)).len > 0;) {
		locales->has_all |= str_eq(word, STR("all"));
		strs_add(a, &locales->names, short_name(word));
	}
	return locales;
}

bool
locales_has_all(const struct locales *locales)
{
	return locales->has_all;
}

static struct str
charset_fold(struct arena *a, struct str charset)
{
	char *p = arena_alloc(a, charset.len);
	size_t n = 0;
	for (size_t i = 0; i < charset.len; i++)
		if (char_is_alnum(charset.p[i]))
			p[n++] = char_lower(charset.p[i]) == charset.p[i] &&
					 char_is_alpha(charset.p[i])
				     ? (char)(charset.p[i] - 'a' + 'A')
				     : charset.p[i];
	struct str name = str_of(p, n);
	/* Quoted-printable has broken "charset=x" to "charset=3Dx". */
	return str_starts(name, STR("3D")) ? str_skip(name, 2) : name;
}

static bool
is_common(struct str charset)
{
	for (size_t i = 0; i < COUNT_OF(COMMON); i++)
		if (str_eq(charset, str_from(COMMON[i])))
			return true;
	for (size_t i = 0; i < COUNT_OF(COMMON_STARTS); i++)
		if (str_starts(charset, str_from(COMMON_STARTS[i])))
			return true;
	return false;
}

static bool
has_word(struct str text, struct str wanted)
{
	for (struct str word; (word = str_word(&text)).len > 0;)
		if (str_eq(word, wanted))
			return true;
	return false;
}

bool
locales_has_charset(
    struct arena *a, const struct locales *locales, struct str charset)
{
	charset = charset_fold(a, charset);
	if (locales->has_all || is_common(charset))
		return true;
	for (size_t i = 0; i < COUNT_OF(OWN); i++)
		if (strs_has(&locales->names, str_from(OWN[i].locale)) &&
		    has_word(str_from(OWN[i].charsets), charset))
			return true;
	return false;
}
