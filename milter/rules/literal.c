/* SPDX-License-Identifier: BSD-2-Clause */
/* literal -- a regular expression as rules write it. */
#include "rules/literal.h"

#include "base/arena.h"
#include "base/buf.h"

/* Where the pattern starts and which character ends it; false: no delimiter. */
static bool
delimiter_of(struct str text, size_t *ret_start, char *ret_end)
{
	static const char pairs[][2] = {
	    {'{', '}'}, {'(', ')'}, {'<', '>'}, {'[', ']'}};
	size_t at = str_starts(text, STR("qr"))  ? 2
		    : str_starts(text, STR("m")) ? 1
						 : 0;
	if (at >= text.len || (at == 0 && text.p[0] != '/') ||
	    char_is_word(text.p[at]))
		return false;
	*ret_start = at + 1;
	*ret_end = text.p[at];
	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		if (text.p[at] == pairs[i][0])
			*ret_end = pairs[i][1];
	return true;
}

static bool
is_modifier(char c)
{
	return c >= 'a' && c <= 'z' && c != 'e';
}

/* `c` without a backslash in front of it. */
static bool
has_unescaped(struct str pattern, char c)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.p[i] == '\\')
			i++;
		else if (pattern.p[i] == c)
			return true;
	}
	return false;
}

/*
 * `/p` and `/a` change nothing here: matches are always kept and classes are
 * ASCII.  What is left must be understood by the engine.
 */
static bool
modifiers_read(struct str mods, struct buf *b, struct str *ret_why)
{
	for (size_t i = 0; i < mods.len; i++) {
		char c = mods.p[i];
		if (c == 'p' || c == 'a')
			continue;
		if (memchr("imsxn", c, 5) == NULL) {
			*ret_why =
			    STR("a modifier behind the regular "
				"expression is not one of i m s x n p a");
			return false;
		}
		buf_putc(b, c);
	}
	return true;
}

static bool
is_checked_delimiter(char end)
{
	return end != '}' && end != ')' && end != ']';
}

bool
literal_parse(
    struct arena *a, struct str text, struct str *ret, struct str *ret_why)
{
	size_t start;
	char end;
	if (!delimiter_of(text, &start, &end)) {
		*ret_why = STR("a regular expression must be written /like "
			       "this/ or m{like this}");
		return false;
	}
	size_t last = text.len;
	while (last > start && is_modifier(text.p[last - 1]))
		last--;
	if (end == '\\' || last <= start || text.p[last - 1] != end) {
		*ret_why = STR("the end of the regular expression is missing");
		return false;
	}
	struct str pattern = str_sub(text, start, last - 1 - start);
	if (is_checked_delimiter(end) && has_unescaped(pattern, end)) {
		*ret_why = str_printf(a,
		    "an unescaped %c inside the regular expression: write \\%c",
		    end, end);
		return false;
	}
	struct buf *mods = buf_new(a, text.len);
	if (!modifiers_read(str_skip(text, last), mods, ret_why))
		return false;
	struct buf *b = buf_new(a, text.len + 16);
	if (mods->len > 0) {
		buf_put(b, STR("(?"));
		buf_put(b, buf_str(mods));
		buf_putc(b, ')');
	}
	buf_put(b, pattern);
	*ret = buf_str(b);
	return true;
}

bool
literal_or_pattern(
    struct arena *a, struct str text, struct str *ret, struct str *ret_why)
{
	size_t start;
	char end;
	if (delimiter_of(text, &start, &end))
		return literal_parse(a, text, ret, ret_why);
	*ret = text;
	return true;
}

/* "(?is)", which literal_parse() puts in front. */
static size_t
modifiers_length(struct str pattern)
{
	if (!str_starts(pattern, STR("(?")))
		return 0;
	size_t end = 2;
	while (end < pattern.len && char_is_alpha(pattern.p[end]))
		end++;
	return end < pattern.len && pattern.p[end] == ')' ? end + 1 : 0;
}

struct str
literal_oddity(struct str pattern)
{
	pattern = str_skip(pattern, modifiers_length(pattern));
	if (pattern.len == 0)
		return STR("it is empty");
	if (pattern.p[0] == '|' ||
	    (str_ends(pattern, STR("|")) && !str_ends(pattern, STR("\\|"))))
		return STR("it starts or ends with |");
	size_t at = str_find(pattern, STR("||"));
	if (at != STR_NONE && (at == 0 || pattern.p[at - 1] != '\\'))
		return STR("it contains ||");
	return STR_EMPTY;
}
