/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_macro -- RFC 7208 section 7. */
#include "auth/spf_macro.h"

#include "base/arena.h"
#include "base/buf.h"

#define NAME_MAX_BYTES 253
/* A longer expansion than this is no name that anybody meant. */
#define EXPANSION_MAX 8192

#define LETTERS "slodipvh"
#define LETTERS_OF_TEXT "crt"
#define DELIMITERS ".-+,/_="

/* A macro-expand, cut into its parts. */
struct macro {
	char letter;   /* as written; %: one of %%, %_, %- */
	char escape;   /* the second byte of those */
	unsigned keep; /* right-hand parts; 0: all */
	bool is_reversed;
	struct str delimiters; /* empty: "." */
};

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* 1*DIGIT of the transformers: zero is an error, what is past any number of
 * parts means all of them. */
static const char *
digits_parse(struct str *rest, unsigned *ret)
{
	size_t n = 0;
	unsigned value = 0;
	for (; n < rest->len && char_is_digit(rest->p[n]); n++)
		if (value <= SPF_MACRO_VALUE)
			value = value * 10 + (unsigned)(rest->p[n] - '0');
	if (n > 0 && value == 0)
		return "a macro keeps zero parts";
	*rest = str_skip(*rest, n);
	*ret = value;
	return NULL;
}

/* `body` is what is between the braces.  NULL: it is one. */
static const char *
body_parse(struct str body, struct macro *ret)
{
	if (body.len == 0)
		return "an empty macro";
	ret->letter = body.p[0];
	if (!is_one_of(char_lower(ret->letter), LETTERS LETTERS_OF_TEXT))
		return "a macro of an unknown letter";
	body = str_skip(body, 1);
	const char *why = digits_parse(&body, &ret->keep);
	if (why != NULL)
		return why;
	ret->is_reversed = body.len > 0 && char_lower(body.p[0]) == 'r';
	ret->delimiters = str_skip(body, ret->is_reversed ? 1 : 0);
	for (size_t i = 0; i < ret->delimiters.len; i++)
		if (!is_one_of(ret->delimiters.p[i], DELIMITERS))
			return "a macro with a delimiter that is none";
	return NULL;
}

/* The macro-expand at the % at `at`; `*ret_end` is behind it. */
static const char *
macro_parse(struct str text, size_t at, struct macro *ret, size_t *ret_end)
{
	*ret = (struct macro){.letter = '%', .delimiters = STR_EMPTY};
	char next = at + 1 < text.len ? text.p[at + 1] : '\0';
	*ret_end = at + 2;
	if (is_one_of(next, "%_-")) {
		ret->escape = next;
		return NULL;
	}
	if (next != '{')
		return "a % that is no macro";
	struct str body = str_skip(text, at + 2);
	size_t length = str_chr(body, '}');
	if (length == STR_NONE)
		return "a macro without }";
	*ret_end = at + 2 + length + 1;
	return body_parse(str_sub(body, 0, length), ret);
}

const char *
spf_macro_check(struct str text, enum spf_macro_place place)
{
	for (size_t i = 0; i < text.len;) {
		char c = text.p[i];
		if (c != '%') {
			if ((c < '!' || c > '~') &&
			    (c != ' ' || place == SPF_IN_RECORD))
				return "a byte that is not printable ASCII";
			i++;
			continue;
		}
		struct macro m;
		const char *why = macro_parse(text, i, &m, &i);
		if (why != NULL)
			return why;
		if (place == SPF_IN_RECORD &&
		    is_one_of(char_lower(m.letter), LETTERS_OF_TEXT))
			return "a macro that only explanations may have";
	}
	return NULL;
}

size_t
spf_macro_end(struct str text, size_t at)
{
	struct macro m;
	size_t end;
	if (at >= text.len || text.p[at] != '%' ||
	    macro_parse(text, at, &m, &end) != NULL)
		return STR_NONE;
	return end;
}

bool
spf_macro_has(struct str text, const char *letters)
{
	for (size_t i = 0; i < text.len;) {
		struct macro m;
		if (text.p[i] != '%') {
			i++;
			continue;
		}
		if (macro_parse(text, i, &m, &i) == NULL &&
		    is_one_of(char_lower(m.letter), letters))
			return true;
	}
	return false;
}

/* Section 7.3: "i" of IPv6 is its 32 nibbles with dots between. */
static struct str
client_dotted(struct arena *a, const struct ip *ip)
{
	if (!ip->is_v6)
		return ip_text(a, ip);
	struct buf *b = buf_new(a, 64);
	for (size_t i = 0; i < 16; i++)
		buf_printf(b, "%X.%X.", ip->b[i] >> 4U, ip->b[i] & 0xfU);
	return str_sub(buf_str(b), 0, 63);
}

static struct str
value_of(struct arena *a, char letter, const struct spf_macro_values *values)
{
	switch (letter) {
	case 's':
		return values->sender;
	case 'l':
		return values->local_part;
	case 'o':
		return values->sender_domain;
	case 'd':
		return values->domain;
	case 'i':
		return client_dotted(a, &values->client);
	case 'p':
		return values->client_name;
	case 'v':
		return values->client.is_v6 ? STR("ip6") : STR("in-addr");
	case 'h':
		return values->helo;
	case 'c':
		return ip_text(a, &values->client);
	case 'r':
		return values->receiver;
	default:
		return str_printf(a, "%lld", (long long)values->now_wall);
	}
}

/* Section 7.3: upper-case letters escape what RFC 3986 does not call
 * unreserved. */
static void
put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (char_is_alnum(c) || is_one_of(c, "-._~"))
			buf_putc(b, c);
		else
			buf_printf(b, "%%%02X", (unsigned char)c);
	}
}

static void
put_part(struct buf *b, struct str part, bool is_first, bool is_escaped)
{
	if (!is_first)
		buf_putc(b, '.');
	if (is_escaped)
		put_escaped(b, part);
	else
		buf_put(b, part);
}

static bool
is_delimiter(const struct macro *m, char c)
{
	return m->delimiters.len == 0 ? c == '.'
				      : str_chr(m->delimiters, c) != STR_NONE;
}

static size_t
split(const struct macro *m, struct str value, struct str *parts)
{
	size_t n = 0, from = 0;
	for (size_t i = 0; i < value.len; i++) {
		if (!is_delimiter(m, value.p[i]))
			continue;
		parts[n++] = str_sub(value, from, i - from);
		from = i + 1;
	}
	parts[n++] = str_skip(value, from);
	return n;
}

static void
put_value(struct buf *b, const struct macro *m, struct str value)
{
	struct str parts[SPF_MACRO_VALUE + 1];
	size_t n = split(m, str_sub(value, 0, SPF_MACRO_VALUE), parts);
	size_t keep = m->keep == 0 || m->keep > n ? n : m->keep;
	bool is_escaped = m->letter != char_lower(m->letter);
	for (size_t i = 0; i < keep; i++)
		put_part(b,
		    m->is_reversed ? parts[keep - 1 - i] : parts[n - keep + i],
		    i == 0, is_escaped);
}

static void
put_macro(struct arena *a, struct buf *b, const struct macro *m,
    const struct spf_macro_values *values)
{
	if (m->letter != '%')
		put_value(b, m, value_of(a, char_lower(m->letter), values));
	else if (m->escape == '-')
		buf_put(b, STR("%20"));
	else
		buf_putc(b, m->escape == '_' ? ' ' : '%');
}

bool
spf_macro_expand(struct arena *a, struct str text,
    const struct spf_macro_values *values, size_t max, struct str *ret)
{
	struct buf *b = buf_new(a, max);
	for (size_t i = 0; i < text.len && !b->is_cut;) {
		struct macro m;
		if (text.p[i] != '%')
			buf_putc(b, text.p[i++]);
		else if (macro_parse(text, i, &m, &i) == NULL)
			put_macro(a, b, &m, values);
	}
	if (b->is_cut)
		return false;
	*ret = buf_str(b);
	return true;
}

struct str
spf_macro_domain(
    struct arena *a, struct str text, const struct spf_macro_values *values)
{
	struct str name;
	if (!spf_macro_expand(a, text, values, EXPANSION_MAX, &name))
		return STR_EMPTY;
	if (str_ends(name, STR(".")))
		name.len--;
	while (name.len > NAME_MAX_BYTES) {
		size_t dot = str_chr(name, '.');
		if (dot == STR_NONE)
			break;
		name = str_skip(name, dot + 1);
	}
	return name;
}
