/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wide_point -- \x{...} beyond FF, which PCRE2 refuses where a text is bytes.
 * Perl takes them, as in [o\x{43e}].  The few that fold to Latin-1 under /i
 * (U+212B to E5) are left out like the others.
 */
#include "rules/wide_point.h"

#include "base/buf.h"

#define DIGITS_MAX 8
/* No name is longer: see dialect.c. */
#define NAME_MAX 200

/* "\x{43e}" at the start of `s`: its length; 0: none, or not beyond FF. */
static size_t
wide_length(struct str s)
{
	if (!str_starts(s, STR("\\x{")))
		return 0;
	uint32_t point = 0;
	size_t n = 3;
	for (; n < s.len && n < 3 + DIGITS_MAX && char_hex(s.p[n]) >= 0; n++)
		point = point << 4 | (uint32_t)char_hex(s.p[n]);
	bool is_whole = n < s.len && s.p[n] == '}';
	return is_whole && point > 0xff ? n + 1 : 0;
}

/* The length of what stands for one byte, or many, at `s` of a class. */
static size_t
member_length(struct str s)
{
	size_t n = wide_length(s);
	if (n > 0)
		return n;
	if (str_starts(s, STR("[:"))) {
		size_t end = str_find(str_sub(s, 0, NAME_MAX), STR(":]"));
		return end == STR_NONE ? 1 : end + 2;
	}
	if (s.p[0] != '\\' || s.len == 1)
		return 1;
	if (str_starts(s, STR("\\x{"))) {
		size_t end = str_chr(str_sub(s, 0, NAME_MAX), '}');
		return end == STR_NONE ? 2 : end + 1;
	}
	for (n = 2;
	     s.p[1] == 'x' && n < 4 && n < s.len && char_hex(s.p[n]) >= 0;)
		n++;
	return n;
}

/* \d, [:alpha:] and the like: no range begins with them. */
static bool
is_kind(struct str member)
{
	return str_starts(member, STR("[:")) ||
	       (member.len == 2 && member.p[0] == '\\' &&
		   memchr("dDhHsSvVwW", member.p[1], 10) != NULL);
}

/* A class that is being written. */
struct class
{
	struct buf *to;
	size_t from; /* where its members begin in `to` */
	bool is_negated;
	bool has_gap; /* the last member was left out */
};

static void
put_member(struct class *c, struct str member)
{
	bool is_first = c->to->len == c->from;
	if ((is_first && !c->is_negated && str_eq(member, STR("^"))) ||
	    (c->has_gap && str_eq(member, STR("-"))))
		buf_putc(c->to, '\\');
	buf_put(c->to, member);
	c->has_gap = false;
}

/* The member at the start of `s`, or the range; how much of `s` that was. */
static size_t
take_member(struct class *c, struct str s)
{
	size_t n = member_length(s);
	struct str to = str_skip(s, n + 1);
	bool is_range = to.len > 0 && s.p[n] == '-' && to.p[0] != ']' &&
			!is_kind(str_sub(s, 0, n));
	bool is_wide = wide_length(s) > 0;
	bool is_wide_to = is_range && wide_length(to) > 0;
	size_t whole = is_range ? n + 1 + member_length(to) : n;
	if (!is_wide && is_wide_to) {
		put_member(c, str_sub(s, 0, n));
		buf_put(c->to, STR("-\\xff"));
	} else if (is_wide && is_range == is_wide_to) {
		c->has_gap = true;
	} else {
		put_member(c, str_sub(s, 0, whole));
	}
	return whole;
}

/* The class behind the [ at the start of `s`, up to its ]; 0: it has no end. */
static size_t
take_class(struct buf *to, struct str s)
{
	size_t start = to->len;
	struct class c = {
	    .to = to,
	    .is_negated = s.len > 1 && s.p[1] == '^',
	};
	buf_put(to, c.is_negated ? STR("[^") : STR("["));
	c.from = to->len;
	size_t first = c.is_negated ? 2 : 1;
	for (size_t i = first; i < s.len;) {
		if (s.p[i] != ']' || i == first) {
			i += take_member(&c, str_skip(s, i));
			continue;
		}
		bool is_empty = to->len == c.from;
		if (is_empty)
			to->len = start;
		buf_put(to, !is_empty      ? STR("]")
			    : c.is_negated ? STR("[\\x00-\\xff]")
					   : STR("(?!)"));
		return i + 1;
	}
	to->len = start;
	return 0;
}

struct str
wide_point_drop(struct arena *a, struct str pattern)
{
	if (str_find(pattern, STR("\\x{")) == STR_NONE)
		return pattern;
	struct buf *to = buf_new(a, pattern.len * 3);
	bool is_endless = false; /* a class had no end, so no other has */
	for (size_t i = 0; i < pattern.len;) {
		struct str rest = str_skip(pattern, i);
		size_t n = wide_length(rest);
		if (n > 0) {
			buf_put(to, STR("(?!)"));
		} else if (rest.p[0] != '[' || is_endless ||
			   (n = take_class(to, rest)) == 0) {
			is_endless = is_endless || rest.p[0] == '[';
			n = rest.p[0] == '\\' && rest.len > 1 ? 2 : 1;
			buf_put(to, str_sub(rest, 0, n));
		}
		i += n;
	}
	return buf_str(to);
}
