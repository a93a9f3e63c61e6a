/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * locale -- which charsets are usual where.  The languages and their charsets
 * are those of SpamAssassin's Locales.pm; the locale that this program runs in
 * is not one of them, for it says nothing about who reads the mail.
 */
#include "rules/locale.h"

#include "rules/setting.h"

#define CHARSET_MAX 64 /* letters and digits of a name; none has more */

#define CYRILLIC "KOI8R KOI8U KOI8T ISOIR111 CP1251 GEORGIANPS PT154 CP866"

/* Names without what is no letter or digit, upper case. */
static const struct {
	const char *language;
	const char *charsets;
} usual[] = {
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

/* A name that ends in * stands for all that start so. */
static const char *const everywhere[] = {"USASCII", "ASCII", "ISO8859*",
    "ISO10646*", "UTF*", "UCS*", "CP125*", "WINDOWS*", "IBM852",
    "UNICODE11UTF7*", "UNICODE11UTF8*", "XUNKNOWN", "ISO"};

struct str
locale_setting(const struct settings *settings)
{
	const struct setting_list *lines = &settings->of[SETTING_LOCALES];
	return lines->n == 0 ? STR("all") : lines->v[lines->n - 1].value;
}

/* "koi8-r" -> "KOI8R"; "3D" in front is what quoted-printable has left. */
static struct str
charset_key(struct str charset, char *out)
{
	size_t n = 0;
	for (size_t i = 0; i < charset.len && n < CHARSET_MAX; i++) {
		char c = charset.p[i];
		if (char_is_alnum(c))
			out[n++] =
			    c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	struct str key = str_of(out, n);
	return str_starts(key, STR("3D")) ? str_skip(key, 2) : key;
}

static bool
is_everywhere(struct str key)
{
	for (size_t i = 0; i < COUNT_OF(everywhere); i++) {
		struct str name = str_from(everywhere[i]);
		bool is_prefix = str_ends(name, STR("*"));
		name.len -= is_prefix;
		if (is_prefix ? str_starts(key, name) : str_eq(key, name))
			return true;
	}
	return false;
}

static bool
has_word(struct str words, struct str wanted)
{
	for (struct str word; (word = str_word(&words)).len > 0;)
		if (str_eq(word, wanted))
			return true;
	return false;
}

/* "zh_TW": what is usual in "zh". */
static bool
is_usual(struct str locale, struct str key)
{
	for (size_t i = 0; i < COUNT_OF(usual); i++)
		if (str_eq(str_sub(locale, 0, 2), str_from(usual[i].language)))
			return has_word(str_from(usual[i].charsets), key);
	return false;
}

bool
locale_allows(struct str locales, struct str charset)
{
	char out[CHARSET_MAX];
	struct str key = charset_key(charset, out);
	if (has_word(locales, STR("all")) || is_everywhere(key))
		return true;
	for (struct str word; (word = str_word(&locales)).len > 0;)
		if (is_usual(word, key))
			return true;
	return false;
}
