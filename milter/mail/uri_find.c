/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uri_find -- links in plain text, as a mail reader would mark them: the
 * behaviour of Thunderbird and Outlook Express as SpamAssassin has it.
 */
#include "base/arena.h"
#include "base/table.h"
#include "mail/uri.h"
#include "mail/uri_clean.h"

#define LINK_MAX 2048 /* bytes behind the scheme */
#define MAIL_MAX 251  /* bytes on either side of the @ */
#define HOST_MAX 252  /* bytes before the dot of the top-level domain */
#define PORT_DIGITS 5

/* Sets of bytes; a bit each. */
enum {
	ENDS_LINK = 1,  /* "><\"`}]{[|", blank, ESC, A0 */
	ENDS_MAIL = 2,  /* these and ",('", not ASCII */
	ENDS_LOCAL = 4, /* these and "@" */
	BEFORE_LINK = 8,
	BEFORE_HOST = 16,
	IN_HOST = 32
};

#define BLANK (ENDS_LINK | ENDS_MAIL | ENDS_LOCAL | BEFORE_LINK | BEFORE_HOST)
#define BRACKET BLANK
#define NOT_ASCII (ENDS_MAIL | ENDS_LOCAL)
static const unsigned char classes[256] = {
    ['\t' ... '\r'] = BLANK,
    ['\x1b'] = BLANK,
    [' '] = BLANK,
    ['!'] = BEFORE_HOST,
    ['"'] = BRACKET,
    ['#' ... '$'] = BEFORE_HOST,
    ['&'] = BEFORE_HOST,
    ['\''] = ENDS_MAIL | ENDS_LOCAL | BEFORE_LINK | BEFORE_HOST,
    ['('] = ENDS_MAIL | ENDS_LOCAL | BEFORE_LINK | BEFORE_HOST,
    [')' ... '+'] = BEFORE_HOST,
    [','] = ENDS_MAIL | ENDS_LOCAL | BEFORE_LINK | BEFORE_HOST,
    ['-' ... '.'] = IN_HOST,
    ['/'] = BEFORE_HOST,
    ['0' ... '9'] = IN_HOST,
    [':' ... ';'] = BEFORE_HOST,
    ['<'] = BRACKET,
    ['='] = BEFORE_HOST,
    ['>'] = BRACKET,
    ['?'] = BEFORE_HOST,
    ['@'] = ENDS_LOCAL | BEFORE_HOST,
    ['A' ... 'Z'] = IN_HOST,
    ['['] = BRACKET,
    ['\\'] = BEFORE_HOST,
    [']'] = ENDS_LINK | ENDS_MAIL | ENDS_LOCAL | BEFORE_HOST,
    ['^'] = BEFORE_HOST,
    ['_'] = IN_HOST,
    ['`'] = BRACKET,
    ['a' ... 'z'] = IN_HOST,
    ['{'] = BRACKET,
    ['|'] = BRACKET,
    ['}'] = ENDS_LINK | ENDS_MAIL | ENDS_LOCAL | BEFORE_HOST,
    ['~'] = BEFORE_HOST,
    [0x80 ... 0x9f] = NOT_ASCII,
    [0xa0] = BLANK,
    [0xa1 ... 0xff] = NOT_ASCII,
};

static unsigned
class_of(char c)
{
	return classes[(unsigned char)c];
}

static bool
is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* From `from` up to `end` no byte of some set; STR_NONE: not looked yet. */
struct span {
	size_t from, end;
};

struct finder {
	struct arena *arena;
	const struct mail_config *config;
	struct table *seen;
	struct str text;
	struct span link, mail,
	    local; /* up to ENDS_LINK, ENDS_MAIL, ENDS_LOCAL */
};

enum link_type { LINK_NONE, LINK_SCHEME, LINK_MAIL, LINK_HOST };

struct match {
	enum link_type type;
	size_t end;
	struct str host; /* LINK_HOST */
};

/* The first byte of `set` from `i` on; `*known` remembers it. */
static size_t
next_of(const struct finder *f, unsigned set, size_t i, struct span *known)
{
	if (known->from <= i && i <= known->end)
		return known->end;
	known->from = i;
	while (i < f->text.len && (class_of(f->text.p[i]) & set) == 0)
		i++;
	return known->end = i;
}

/* Bytes of "http://", "www2.", "ftp." ... at the start of `s`; 0: none. */
static size_t
known_scheme(struct str s)
{
	static const struct str names[] = {
	    {"http://", 7}, {"https://", 8}, {"ftp://", 6}, {"ftp.", 4}};
	char first = s.len == 0 ? '\0' : char_lower(s.p[0]);
	if (first != 'h' && first != 'f' && first != 'w')
		return 0;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_istarts(s, names[i]))
			return names[i].len;
	if (!str_istarts(s, STR("www")))
		return 0;
	size_t n = 3;
	while (n < 5 && n < s.len && char_is_digit(s.p[n]))
		n++;
	return n < s.len && s.p[n] == '.' ? n + 1 : 0;
}

static size_t
match_scheme(struct finder *f, size_t i)
{
	size_t n = known_scheme(str_skip(f->text, i));
	if (n == 0)
		return 0;
	size_t end = next_of(f, ENDS_LINK, i + n, &f->link);
	return end > i + n && end - i - n <= LINK_MAX ? end : 0;
}

static size_t
match_mail(struct finder *f, size_t i)
{
	if (str_istarts(str_skip(f->text, i), STR("mailto:"))) {
		size_t end = next_of(f, ENDS_MAIL, i + 7, &f->mail);
		if (end > i + 7 && end - i - 7 <= LINK_MAX)
			return end;
	}
	size_t at = next_of(f, ENDS_LOCAL, i, &f->local);
	if (at == i || at - i > MAIL_MAX || at == f->text.len ||
	    f->text.p[at] != '@')
		return 0;
	size_t end = next_of(f, ENDS_MAIL, at + 1, &f->mail);
	return end > at + 1 && end - at - 1 <= MAIL_MAX ? end : 0;
}

/* Is the last label of `host` a top-level domain, and is the rest a host? */
static bool
is_schemeless_host(const struct finder *f, struct str host)
{
	size_t dot = str_rchr(host, '.');
	if (dot == STR_NONE || dot == 0 || dot > HOST_MAX ||
	    !char_is_alnum(host.p[0]))
		return false;
	return tld_set_has(f->config->tlds, str_skip(host, dot + 1));
}

/* Behind ":8080" and "/path", which may follow a host; 0: something else does.
 */
static size_t
skip_port_and_path(struct finder *f, size_t i)
{
	struct str text = f->text;
	size_t digits = i + 1;
	while (digits < text.len && char_is_digit(text.p[digits]) &&
	       digits - i <= PORT_DIGITS)
		digits++;
	if (i < text.len && text.p[i] == ':' && digits > i + 1)
		i = digits;
	if (i == text.len || (class_of(text.p[i]) & ENDS_LINK) != 0)
		return i;
	if (text.p[i] != '/')
		return 0;
	size_t end = next_of(f, ENDS_LINK, i + 1, &f->link);
	return end > i + 1 && end - i - 1 <= LINK_MAX ? end : 0;
}

static size_t
match_host(struct finder *f, size_t i, struct str *ret_host)
{
	if (i > 0 && (class_of(f->text.p[i - 1]) & BEFORE_HOST) == 0)
		return 0;
	size_t end = i;
	while (end < f->text.len && (class_of(f->text.p[end]) & IN_HOST) != 0)
		end++;
	struct str host = str_sub(f->text, i, end - i);
	if (str_ends(host, STR(".")))
		host.len--;
	if (!is_schemeless_host(f, host))
		return 0;
	*ret_host = host;
	return skip_port_and_path(f, end);
}

/* May a link start at `i`: at a word boundary, or behind a delimiter? */
static bool
is_start(struct str text, size_t i)
{
	bool before = i > 0 && char_is_word(text.p[i - 1]);
	if (before != char_is_word(text.p[i]))
		return true;
	if (i > 0 && (class_of(text.p[i - 1]) & BEFORE_LINK) != 0)
		return true;
	/* ISO 2022 shift: ESC ( B */
	return i > 2 && text.p[i - 3] == '\x1b' && text.p[i - 2] == '(' &&
	       text.p[i - 1] != '\n';
}

static struct match
match_at(struct finder *f, size_t i)
{
	struct match m = {LINK_NONE, 0, STR_EMPTY};
	if (!is_start(f->text, i))
		return m;
	if ((m.end = match_scheme(f, i)) > 0)
		m.type = LINK_SCHEME;
	else if ((m.end = match_mail(f, i)) > 0)
		m.type = LINK_MAIL;
	else if ((m.end = match_host(f, i, &m.host)) > 0)
		m.type = LINK_HOST;
	return m;
}

/* Without ")" and so on if no "(" is before it, and trailing punctuation. */
static struct str
trim_link(struct str link)
{
	size_t open = str_chr(link, '(');
	size_t close = str_rchr(str_sub(link, 0, open), ')');
	if (close != STR_NONE)
		link = str_sub(link, 0, close);
	while (
	    link.len > 0 && is_in(link.p[link.len - 1], "-~!@#^&*()_+=:;'?,."))
		link.len--;
	return link;
}

static bool
has_scheme(struct str link)
{
	static const struct str schemes[] = {
	    {"http:", 5}, {"https:", 6}, {"ftp:", 4}, {"mailto:", 7}};
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (str_istarts(link, schemes[i]))
			return true;
	return false;
}

/* "www.", "www3." */
static bool
is_www(struct str link)
{
	return str_istarts(link, STR("www")) && known_scheme(link) > 0;
}

/* "skype:", "e-mail::" before an address is no part of it. */
static struct str
without_label(struct str link)
{
	static const struct str labels[] = {{"skype", 5}, {"e-mail", 6},
	    {"email", 5}, {"-mail", 5}, {"mail", 4}, {"", 0}};
	for (size_t i = 0; i < COUNT_OF(labels); i++) {
		struct str rest = str_skip(link, labels[i].len);
		if (!str_istarts(link, labels[i]) ||
		    !str_starts(rest, STR(":")))
			continue;
		while (str_starts(rest, STR(":")))
			rest = str_skip(rest, 1);
		return rest;
	}
	return link;
}

/* An @, something, a dot. */
static bool
has_dot_behind_at(struct str link)
{
	size_t at = str_chr(link, '@');
	size_t dot = str_rchr(link, '.');
	return at != STR_NONE && dot != STR_NONE && dot >= at + 2;
}

/* With the scheme a reader would add; empty: not a link. */
static struct str
add_scheme(struct arena *a, struct str link, bool *ret_unlinked)
{
	*ret_unlinked = false;
	if (str_istarts(link, STR("ftp.")))
		return str_concat(a, STR("ftp://"), link, STR_EMPTY);
	if (is_www(link))
		return str_concat(a, STR("http://"), link, STR_EMPTY);
	size_t slash = str_chr(link, '/');
	size_t at = str_rchr(link, '@');
	if (slash != STR_NONE && at != STR_NONE && at >= slash + 2)
		return str_concat(a, STR("http://"), link, STR_EMPTY);
	if (at != STR_NONE) {
		if (!has_dot_behind_at(link) ||
		    str_find(link, STR("&nbsp;")) != STR_NONE)
			return STR_EMPTY;
		return str_concat(
		    a, STR("mailto:"), without_label(link), STR_EMPTY);
	}
	if (str_chr(link, '.') == STR_NONE)
		return STR_EMPTY;
	*ret_unlinked = true;
	return str_concat(a, STR("http://"), link, STR_EMPTY);
}

/* The host of an address ends at a top-level domain. */
static bool
is_good_mail(const struct finder *f, struct str link)
{
	size_t at = str_chr(link, '@');
	if (at == STR_NONE)
		return false;
	struct str host = str_skip(link, at + 1);
	size_t n = 0;
	while (n < host.len && !is_in(host.p[n], "?&>"))
		n++;
	host = str_sub(host, 0, n);
	while (str_ends(host, STR("%20")))
		host.len -= 3;
	return uri_has_tld(f->config, host);
}

/* "http:" and the like, with nothing behind it. */
static bool
is_scheme_only(struct str link)
{
	size_t n = 0;
	while (n < link.len && char_is_word(link.p[n]))
		n++;
	struct str rest = str_skip(link, n);
	return n > 0 && (str_eq(rest, STR(":")) || str_eq(rest, STR(":/")) ||
			    str_eq(rest, STR("://")));
}

/* The link of `m`, ready to be cleaned; false: it is none after all. */
static bool
accept_link(struct finder *f, struct str link, const struct match *m,
    struct text_link *ret)
{
	link = trim_link(link);
	if (table_has(f->seen, link))
		return false;
	table_set(f->seen, link, f->seen);
	if (m->type == LINK_MAIL && str_chr(link, '@') == STR_NONE)
		return false;
	if (m->type == LINK_HOST && !uri_is_fqdn(m->host))
		return false;
	if (str_istarts(link, STR("cid:")) || str_istarts(link, STR("mid:")) ||
	    is_scheme_only(link))
		return false;
	struct text_link found = {.is_schemeless = !has_scheme(link)};
	if (found.is_schemeless)
		link = add_scheme(f->arena, link, &found.is_unlinked);
	bool is_mail = str_istarts(link, STR("mailto:"));
	if (is_mail && uri_has_percent(link))
		link = uri_decode_percent(f->arena, link, false);
	if (link.len == 0 || (is_mail && !is_good_mail(f, link)))
		return false;
	found.url = link;
	*ret = found;
	return true;
}

/* Every link has one of these before the first blank in it. */
static const bool in_every_link[256] = {
    ['.'] = true, [':'] = true, ['@'] = true};

/* Behind the words from `i` on that can hold no link. */
static size_t
skip_words(struct str text, size_t i)
{
	size_t end = i;
	while (end < text.len && !in_every_link[(unsigned char)text.p[end]])
		end++;
	if (end == text.len)
		return end;
	while (end > i && !char_is_space(text.p[end - 1]))
		end--;
	return end;
}

void
uri_find(struct arena *a, struct str text, const struct mail_config *config,
    struct table *seen, struct text_links *ret)
{
	static const struct span unknown = {STR_NONE, STR_NONE};
	struct finder f = {a, config, seen, text, unknown, unknown, unknown};
	for (size_t i = skip_words(text, 0); i < text.len;) {
		struct match m = match_at(&f, i);
		if (m.type == LINK_NONE) {
			bool is_blank = char_is_space(text.p[i++]);
			if (is_blank)
				i = skip_words(text, i);
			continue;
		}
		struct text_link link;
		if (accept_link(&f, str_sub(text, i, m.end - i), &m, &link))
			ARENA_PUSH(a, ret) = link;
		i = m.end;
	}
}
