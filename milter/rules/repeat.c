/* SPDX-License-Identifier: BSD-2-Clause */
/* repeat -- repeats without a small bound. */
#include "rules/repeat.h"

#include "mail/scan.h"

#define SMALL_BOUND 255

/* Behind the class that starts at `i`. */
static size_t
skip_class(struct str s, size_t i)
{
	i++;
	if (i < s.len && s.p[i] == '^')
		i++;
	if (i < s.len && s.p[i] == ']')
		i++;
	while (i < s.len && s.p[i] != ']')
		i += s.p[i] == '\\' ? 2 : 1;
	return i + 1;
}

/*
 * Behind "{n}", "{n,}", "{n,m}" or "{,m}" at `i`; at other braces `i` itself.
 * Without a comma nothing is tried again.
 */
static size_t
skip_bounds(struct str s, size_t i, bool *ret_is_wide)
{
	size_t from = i + 1;
	size_t comma = scan_digits(s, from);
	size_t end = comma;
	if (comma < s.len && s.p[comma] == ',')
		end = scan_digits(s, comma + 1);
	*ret_is_wide = false;
	if (end == s.len || s.p[end] != '}' || end == from ||
	    end == from + (end > comma && comma == from))
		return i;
	uint64_t least, most;
	struct str upper = str_sub(s, comma + 1, end - comma - 1);
	if (!str_u64(str_sub(s, from, comma - from), UINT32_MAX, &least))
		least = 0;
	if (end > comma)
		*ret_is_wide = !str_u64(upper, UINT32_MAX, &most) ||
			       (most > least && most - least > SMALL_BOUND);
	return end + 1;
}

/* Behind the repeat at `i`, if there is one; else `i`. */
static size_t
skip_repeat(struct str s, size_t i, bool *ret_is_wide)
{
	*ret_is_wide = s.p[i] == '*' || s.p[i] == '+';
	if (*ret_is_wide || s.p[i] == '?')
		return i + 1;
	return s.p[i] == '{' ? skip_bounds(s, i, ret_is_wide) : i;
}

unsigned
repeat_count(struct str pattern)
{
	unsigned n = 0;
	for (size_t i = 0; i < pattern.len;) {
		bool is_wide;
		size_t end = skip_repeat(pattern, i, &is_wide);
		if (end > i) {
			bool is_possessive =
			    end < pattern.len && pattern.p[end] == '+';
			bool is_lazy =
			    end < pattern.len && pattern.p[end] == '?';
			n += is_wide && !is_possessive;
			i = end + (is_possessive || is_lazy);
		} else if (pattern.p[i] == '\\') {
			i += 2;
		} else if (pattern.p[i] == '[') {
			i = skip_class(pattern, i);
		} else {
			i++;
		}
	}
	return n;
}
