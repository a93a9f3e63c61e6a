/* SPDX-License-Identifier: BSD-2-Clause */
/* dialect -- Perl's regular expressions in the words of PCRE2, and what Perl
 * refuses where PCRE2 does not. */
#include "rules/dialect.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/scan.h"

#define LEVELS_MAX 64
/* No name or number in brackets is longer: what ends them is sought no further,
 * or each of a million that have no end would be. */
#define NAME_MAX 200
#define WORD_GROWTH 6 /* "$?" becomes "(?:$)?" */

/* What stands before the next piece: it decides what a `{` is. */
enum before {
	BEFORE_NOTHING, /* a group or an alternative begins, or ^ */
	BEFORE_ATOM,
	BEFORE_PLACE, /* it matches no bytes: $, \b, (?=x) */
	BEFORE_QUANTIFIER
};

struct level {
	bool is_look;
	bool has_width; /* something in it may match bytes */
	bool is_extended;
};

struct reader {
	struct arena *a;
	struct str pattern, rest;
	struct buf *out;
	enum before before;
	bool is_place; /* what stands before matches no bytes, ^ too */
	size_t mark;   /* where in `out` the last place begins */
	struct level levels[LEVELS_MAX];
	unsigned depth;
	bool is_lost; /* too deep, or too odd: nothing more is complained of */
	bool is_endless; /* a class had no end, so no other has */
	struct str complaint;
};

/* `{n}`, `{n,}`, `{n,m}` or `{,m}`, blanks between. */
struct braces {
	size_t len; /* 0: it is none of these */
	struct str least, most;
	bool has_comma;
};

static struct str
str_trim_blanks(struct str s)
{
	while (s.len > 0 && char_is_blank(s.p[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && char_is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* The first `end` of `s`, if it is near. */
static size_t
near_end(struct str s, const char *end)
{
	return str_find(str_sub(s, 0, NAME_MAX), str_from(end));
}

static bool
is_number(struct str s)
{
	return s.len > 0 && scan_digits(s, 0) == s.len;
}

static struct braces
braces_read(struct str s)
{
	struct braces ret = {0};
	size_t end = s.len > 0 && s.p[0] == '{' ? near_end(s, "}") : STR_NONE;
	if (end == STR_NONE)
		return ret;
	struct str inside = str_sub(s, 1, end - 1);
	size_t comma = str_chr(inside, ',');
	ret.has_comma = comma != STR_NONE;
	ret.least = str_trim_blanks(str_sub(inside, 0, comma));
	if (ret.has_comma)
		ret.most = str_trim_blanks(str_skip(inside, comma + 1));
	bool has_least = is_number(ret.least), has_most = is_number(ret.most);
	bool is_good = ret.has_comma ? (has_least || has_most) &&
					   (has_least || ret.least.len == 0) &&
					   (has_most || ret.most.len == 0)
				     : has_least;
	ret.len = is_good ? end + 1 : 0;
	return ret;
}

static void
complain(struct reader *r, const char *what)
{
	if (r->complaint.len == 0 && !r->is_lost)
		r->complaint = str_printf(r->a, "%s (at byte %zu)", what,
		    (size_t)(r->rest.p - r->pattern.p));
}

static struct level *
level_of(struct reader *r)
{
	return &r->levels[r->depth];
}

/* Copy the next `len` bytes: they are what stands before the next piece. */
static void
take(struct reader *r, size_t len, enum before before)
{
	r->mark = r->out->len;
	buf_put(r->out, str_sub(r->rest, 0, len));
	r->rest = str_skip(r->rest, len);
	r->before = before;
	r->is_place = before == BEFORE_PLACE;
	if (before == BEFORE_ATOM)
		level_of(r)->has_width = true;
}

/* The same for what is nothing in itself: comments, flags, blanks under /x. */
static void
pass(struct reader *r, size_t len)
{
	buf_put(r->out, str_sub(r->rest, 0, len));
	r->rest = str_skip(r->rest, len);
}

/* --- classes and escapes --- */

/* Bytes of the bracketed class at the start of `s`; 0: it never ends. */
static size_t
class_length(struct str s)
{
	size_t i = 1;
	if (i < s.len && s.p[i] == '^')
		i++;
	if (i < s.len && s.p[i] == ']')
		i++;
	for (; i < s.len; i++) {
		if (s.p[i] == '\\') {
			i++;
		} else if (s.p[i] == '[' && i + 1 < s.len &&
			   s.p[i + 1] == ':') {
			size_t end = near_end(str_skip(s, i), ":]");
			if (end != STR_NONE)
				i += end + 1;
		} else if (s.p[i] == ']') {
			return i + 1;
		}
	}
	return 0;
}

/* The same; 1 if it never ends, or another has not. */
static size_t
class_take(struct str s, bool *is_endless)
{
	size_t len = *is_endless ? 0 : class_length(s);
	*is_endless = len == 0;
	return len == 0 ? 1 : len;
}

/* Bytes of the next piece of a pattern that must stay together. */
static size_t
piece_length(struct str s, bool *is_endless)
{
	if (s.p[0] == '\\' && s.len > 1)
		return 2;
	if (s.p[0] == '[')
		return class_take(s, is_endless);
	return 1;
}

static bool
is_among(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Bytes of an escape: "\n", "\x{20ac}", "\g{-1}", "\cA". */
static size_t
escape_length(struct str s)
{
	if (s.len < 3)
		return s.len;
	if (s.p[1] == 'c')
		return 3;
	bool has_name = is_among(s.p[1], "xpPgko") ||
			(s.p[1] == 'N' && braces_read(str_skip(s, 2)).len == 0);
	size_t end = has_name && s.p[2] == '{' ? near_end(s, "}") : STR_NONE;
	return end == STR_NONE ? 2 : end + 1;
}

static void
escape_read(struct reader *r)
{
	char c = r->rest.len > 1 ? r->rest.p[1] : '\0';
	if (is_among(c, "QE"))
		complain(r, "\\Q and \\E are nothing in a rule: escape each "
			    "sign by itself");
	if (is_among(c, "bB") && r->rest.len > 2 && r->rest.p[2] == '{')
		complain(r, "\\b{...} is not for bytes");
	take(r, escape_length(r->rest),
	    is_among(c, "AzZbBGK") ? BEFORE_PLACE : BEFORE_ATOM);
}

/* --- groups --- */

static bool
is_flag(char c)
{
	return char_is_alpha(c) || c == '^' || c == '-';
}

/*
 * Flags from `at` on to the : or ) behind them, without those of Perl alone:
 * /a and /d are what bytes have anyway, /p is nothing to a rule.
 */
static void
flags_read(struct reader *r, size_t at, size_t end, struct level *ret)
{
	bool is_on = true;
	pass(r, at);
	for (; at < end; at++) {
		char c = r->rest.p[0];
		is_on = is_on && c != '-';
		if (c == 'x')
			ret->is_extended = is_on;
		else if (c == '^')
			ret->is_extended = false;
		if (!is_on || !is_among(c, "adp"))
			buf_putc(r->out, c);
		r->rest = str_skip(r->rest, 1);
	}
}

static void
group_open(struct reader *r, bool is_look)
{
	bool is_extended = level_of(r)->is_extended;
	if (r->depth + 1 == LEVELS_MAX)
		r->is_lost = true;
	else
		r->depth++;
	*level_of(r) =
	    (struct level){.is_look = is_look, .is_extended = is_extended};
	r->before = BEFORE_NOTHING;
	r->is_place = false;
}

/* "(?flags)", "(?flags:" */
static bool
flags_group(struct reader *r)
{
	struct str s = r->rest;
	size_t end = 2;
	while (end < s.len && is_flag(s.p[end]))
		end++;
	if (end == s.len || end == 2 || !is_among(s.p[end], ":)"))
		return false;
	struct level level = *level_of(r);
	bool is_group = s.p[end] == ':';
	flags_read(r, 2, end, &level);
	pass(r, 1);
	if (is_group)
		group_open(r, false);
	level_of(r)->is_extended = level.is_extended;
	r->before = BEFORE_NOTHING;
	r->is_place = false;
	return true;
}

static void
parenthesis_read(struct reader *r)
{
	struct str s = r->rest;
	if (str_starts(s, STR("(?#"))) {
		size_t end = str_chr(s, ')');
		pass(r, end == STR_NONE ? s.len : end + 1);
		return;
	}
	if (str_starts(s, STR("(?")) && flags_group(r))
		return;
	bool is_look = str_starts(s, STR("(?=")) || str_starts(s, STR("(?!")) ||
		       str_starts(s, STR("(?<=")) || str_starts(s, STR("(?<!"));
	bool is_plain = !str_starts(s, STR("(?")) && !str_starts(s, STR("(*"));
	size_t len = 1;
	if (is_look)
		len = str_starts(s, STR("(?<")) ? 4 : 3;
	else if (!is_plain && s.len > 2 && is_among(s.p[2], ":>|"))
		len = 3;
	else if (str_starts(s, STR("(?<")) && near_end(s, ">") != STR_NONE)
		len = near_end(s, ">") + 1;
	else if (!is_plain)
		r->is_lost = true; /* conditions, recursion, verbs */
	pass(r, len);
	group_open(r, is_look);
}

static void
group_close(struct reader *r)
{
	struct level level = *level_of(r);
	bool is_inside = r->depth > 0;
	if (is_inside)
		r->depth--;
	bool has_width = level.has_width && !level.is_look;
	take(r, 1, has_width ? BEFORE_ATOM : BEFORE_PLACE);
	r->mark = STR_NONE; /* a group may be quantified as it is */
}

/* --- quantifiers --- */

/* PCRE2 quantifies no `$`: put it into a group. */
static void
place_wrap(struct reader *r)
{
	if (!r->is_place || r->mark == STR_NONE)
		return;
	struct str place = str_dup(r->a, str_skip(buf_str(r->out), r->mark));
	r->out->len = r->mark;
	buf_put(r->out, STR("(?:"));
	buf_put(r->out, place);
	buf_putc(r->out, ')');
}

/* The ? of "a+?", the + of "a++". */
static void
greed_read(struct reader *r, bool is_exact)
{
	if (r->rest.len == 0 || !is_among(r->rest.p[0], "?+"))
		return;
	if (is_exact && r->rest.p[0] == '?')
		complain(r, "a ? behind {n} says nothing");
	pass(r, 1);
}

static void
sign_read(struct reader *r)
{
	if (r->is_place && r->rest.p[0] != '?')
		complain(r, "what is repeated matches nothing");
	place_wrap(r);
	take(r, 1, BEFORE_QUANTIFIER);
	greed_read(r, false);
}

static bool
has_leading_zero(struct str number)
{
	return number.len > 1 && number.p[0] == '0';
}

static void
braces_put(struct reader *r, const struct braces *braces)
{
	buf_putc(r->out, '{');
	buf_put(r->out, braces->least.len > 0 ? braces->least : STR("0"));
	if (braces->has_comma)
		buf_putc(r->out, ',');
	buf_put(r->out, braces->most);
	buf_putc(r->out, '}');
}

static void
repeat_read(struct reader *r, const struct braces *braces)
{
	struct str least = braces->least, most = braces->most;
	if (r->before == BEFORE_QUANTIFIER)
		complain(r, "a quantifier behind another");
	if (has_leading_zero(least) || has_leading_zero(most))
		complain(r, "a number in {} begins with 0");
	if (r->is_place && braces->has_comma && most.len == 0)
		complain(r, "what is repeated matches nothing");
	place_wrap(r);
	braces_put(r, braces);
	r->rest = str_skip(r->rest, braces->len);
	r->before = BEFORE_QUANTIFIER;
	r->is_place = false;
	greed_read(r, !braces->has_comma || str_eq(least, most));
}

/* A quantifier, or a sign like any other. */
static void
brace_read(struct reader *r)
{
	struct braces braces = braces_read(r->rest);
	bool is_quantifier =
	    braces.len > 0 && (r->before != BEFORE_NOTHING || r->is_place);
	if (is_quantifier) {
		repeat_read(r, &braces);
		return;
	}
	if (r->before == BEFORE_ATOM || r->before == BEFORE_PLACE)
		complain(r, "an unescaped {: write \\{");
	if (braces.len > 0)
		buf_putc(r->out, '\\');
	take(r, 1, BEFORE_ATOM);
}

/* --- all of it --- */

static void
piece_read(struct reader *r)
{
	switch (r->rest.p[0]) {
	case '\\':
		escape_read(r);
		break;
	case '[':
		take(r, class_take(r->rest, &r->is_endless), BEFORE_ATOM);
		break;
	case '(':
		parenthesis_read(r);
		break;
	case ')':
		group_close(r);
		break;
	case '|':
		take(r, 1, BEFORE_NOTHING);
		break;
	case '^':
		take(r, 1, BEFORE_NOTHING);
		r->is_place = true;
		break;
	case '$':
		take(r, 1, BEFORE_PLACE);
		break;
	case '*':
	case '+':
	case '?':
		sign_read(r);
		break;
	case '{':
		brace_read(r);
		break;
	default:
		take(r, 1, BEFORE_ATOM);
	}
}

/* Bytes of blanks or a comment under /x at the start of the rest. */
static size_t
extended_length(const struct reader *r)
{
	if (!r->levels[r->depth].is_extended)
		return 0;
	if (r->rest.p[0] == '#') {
		size_t end = str_chr(r->rest, '\n');
		return end == STR_NONE ? r->rest.len : end + 1;
	}
	return is_among(r->rest.p[0], " \t\n\r\f\v") ? 1 : 0;
}

struct str
dialect_read(struct arena *a, struct str pattern, struct str *ret_complaint)
{
	struct reader *r = ARENA_NEW(a, struct reader);
	r->a = a;
	r->pattern = r->rest = pattern;
	r->out = buf_new(a, pattern.len * WORD_GROWTH + 1);
	while (r->rest.len > 0) {
		size_t nothing = extended_length(r);
		if (nothing > 0)
			pass(r, nothing);
		else
			piece_read(r);
	}
	if (ret_complaint != NULL)
		*ret_complaint = r->complaint;
	return buf_str(r->out);
}

struct str
dialect_for_utf(struct arena *a, struct str pattern)
{
	struct buf *b = buf_new(a, pattern.len * 2 + 1);
	bool is_endless = false;
	for (struct str rest = pattern; rest.len > 0;) {
		struct str piece =
		    str_sub(rest, 0, piece_length(rest, &is_endless));
		rest = str_skip(rest, piece.len);
		bool is_negated = piece.p[0] == '\\' && piece.len == 2 &&
				  memchr("DSW", piece.p[1], 3) != NULL;
		if (is_negated)
			buf_putc(b, '[');
		buf_put(b, piece);
		if (is_negated)
			buf_putc(b, ']');
	}
	return buf_str(b);
}
