/* SPDX-License-Identifier: BSD-2-Clause */
/* strip -- which header fields of a client are taken away. */
#include "session/strip.h"

/* Behind blanks, folds and comments, nested ones too (RFC 5322 section 3.2.2).
 */
static struct str
skip_cfws(struct str s)
{
	size_t depth = 0;
	while (s.len > 0) {
		char c = s.p[0];
		if (depth == 0 && c != '(' && !char_is_space(c))
			break;
		if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		s = str_skip(s, c == '\\' ? 2 : 1);
	}
	return s;
}

/* The next byte of a quoted or plain word is `c`, whatever its case. */
static bool
word_takes(struct str *s, bool is_quoted, char c)
{
	if (is_quoted && s->len > 1 && s->p[0] == '\\')
		*s = str_skip(*s, 1);
	if (s->len == 0 || char_lower(s->p[0]) != char_lower(c))
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* RFC 2045 section 5.1; who reads leniently stops at anything else. */
static bool
is_token_char(char c)
{
	static const struct str specials = {"()<>@,;:\\\"/[]?=", 15};
	return (unsigned char)c > ' ' && c != 0x7f &&
	       str_chr(specials, c) == STR_NONE;
}

/* RFC 8601 section 2.2: a token or a quoted string; with a final dot, too. */
static bool
is_of(struct str value, struct str authserv_id)
{
	struct str rest = skip_cfws(value);
	bool is_quoted = rest.len > 0 && rest.p[0] == '"';
	if (is_quoted)
		rest = str_skip(rest, 1);
	for (size_t i = 0; i < authserv_id.len; i++)
		if (!word_takes(&rest, is_quoted, authserv_id.p[i]))
			return false;
	if (is_quoted)
		return rest.len > 0 && rest.p[0] == '"';
	if (rest.len > 0 && rest.p[0] == '.')
		rest = str_skip(rest, 1);
	return rest.len == 0 || !is_token_char(rest.p[0]);
}

bool
field_is_stripped(struct str name, struct str value, struct str authserv_id)
{
	if (str_istarts(name, STR("X-Postern-")))
		return true;
	return authserv_id.len > 0 &&
	       str_ieq(name, STR("Authentication-Results")) &&
	       is_of(value, authserv_id);
}
