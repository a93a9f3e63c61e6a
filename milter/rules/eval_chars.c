/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_chars -- of what characters fields are made. */
#include "base/arena.h"
#include "base/utf8.h"
#include "rules/eval_rows.h"
#include "rules/lists.h"
#include "rules/locale.h"
#include "rules/pattern.h"

#define SUBJECT_MIN 10 /* a shorter one is not judged */

static bool
is_control(char c)
{
	unsigned char u = (unsigned char)c;
	return u < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

static bool
is_beyond_ascii(char c)
{
	return (unsigned char)c >= 0x80;
}

/* Cent, pound or registered sign of Latin-1. */
static bool
is_usual_sign(char c)
{
	return c == '\xa2' || c == '\xa3' || c == '\xae';
}

/* RFC 2045: what must not stand in a field; DEL as well. */
static bool
is_illegal(char c)
{
	return is_control(c) || (unsigned char)c >= 0x7f;
}

static size_t
count(struct str s, bool (*is)(char c))
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += is(s.p[i]);
	return n;
}

static int
check_illegal_chars(struct eval_call *call)
{
	struct str field = call->args[0];
	if (!str_ends(field, STR(":raw")))
		field = str_printf(
		    call->message->arena, "%.*s:raw", STR_ARG(field));
	struct str text = eval_get_text(call, field);
	if (str_trim(text).len == 0 ||
	    (count(text, is_beyond_ascii) > 0 && utf8_is_valid(text) &&
		count(text, is_control) == 0))
		return 0;
	size_t illegal = count(text, is_illegal);
	if (illegal > 0 && str_ieq(field, STR("Subject:raw")) &&
	    count(text, is_usual_sign) == 1)
		illegal--;
	return (double)illegal / (double)text.len >= eval_number(call, 1) &&
	       (double)illegal >= eval_number(call, 2);
}

/* --- charsets of encoded words -------------------------------------------- */

/* Behind the first "?X?" from `from` on; STR_NONE: none. */
static size_t
encoding_at(struct str line, size_t from)
{
	for (size_t i = from; i + 2 < line.len; i++)
		if (line.p[i] == '?' && line.p[i + 2] == '?')
			return i;
	return STR_NONE;
}

/* A word "=?charset?X?...?=" with a charset that no locale has. */
static bool
line_is_faraway(struct eval_call *call, struct str line)
{
	size_t code = 0;
	for (size_t i = 0; i + 1 < line.len; i++) {
		if (line.p[i] != '=' || line.p[i + 1] != '?')
			continue;
		size_t from = i + 2;
		if (code < from + 1)
			code = encoding_at(line, from + 1);
		if (code == STR_NONE)
			return false;
		size_t end = str_find(str_skip(line, code + 3), STR("?="));
		if (end == STR_NONE)
			return false;
		if (!locale_allows(call->lists->ok_locales,
			str_sub(line, from, code - from)))
			return true;
		i = code + 3 + end + 1;
	}
	return false;
}

static int
check_for_faraway_charset_in_headers(struct eval_call *call)
{
	struct strs fields = {0};
	eval_get(call, STR("From:raw"), &fields);
	eval_get(call, STR("Subject:raw"), &fields);
	for (size_t i = 0; i < fields.n; i++)
		for (struct str rest = fields.v[i]; rest.len > 0;)
			if (line_is_faraway(call, str_line(&rest)))
				return eval_hit(call, fields.v[i]);
	return 0;
}

/* --- Subject -------------------------------------------------------------- */

static bool
has_space(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (char_is_space(s.p[i]))
			return true;
	return false;
}

/* There are letters, and no small ones. */
static bool
is_capitals(struct str s)
{
	bool has_letter = false;
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_alpha(s.p[i]))
			continue;
		has_letter = true;
		if (s.p[i] >= 'a')
			return false;
	}
	return has_letter;
}

static int
subject_is_all_caps(struct eval_call *call)
{
	struct str subject = str_trim(eval_get_text(call, STR("Subject")));
	struct regex_span prefix;
	if (pattern_find(call, PATTERN_REPLY_PREFIX, subject, 0, &prefix))
		subject = str_skip(subject, prefix.to);
	if (!has_space(subject) || subject.len < SUBJECT_MIN ||
	    pattern_matches(call, PATTERN_CAPLESS_CHARSET,
		eval_get_text(call, STR("Subject:raw"))))
		return 0;
	return is_capitals(subject) ? eval_hit(call, subject) : 0;
}

/* It is asked for by old rules only. */
static int
check_for_unique_subject_id(struct eval_call *call)
{
	(void)call;
	return 0;
}

/* "%RANDOM_WORD" in a field where such text does not come up by chance. */
static int
check_unresolved_template(struct eval_call *call)
{
	struct str rest = eval_get_text(call, STR("ALL"));
	for (size_t at; (at = str_chr(rest, '%')) != STR_NONE;) {
		size_t end = str_rchr(str_sub(rest, 0, at), '\n');
		rest = str_skip(rest, end == STR_NONE ? 0 : end + 1);
		struct str line = str_line(&rest);
		if (pattern_matches(call, PATTERN_TEMPLATE, line) &&
		    !pattern_matches(call, PATTERN_TEMPLATE_FIELDS, line))
			return eval_hit(call, line);
	}
	return 0;
}

const struct eval_row EVAL_CHARS[] = {
    {"check_illegal_chars", 3, 3, "snn",
	NEED_ENVELOPE | NEED_HEADER | NEED_RELAYS,
	"at least that part of a field's bytes, and that many, are controls or "
	"beyond ASCII, and the field is not UTF-8",
	"HeaderEval", check_illegal_chars},
    {"check_for_faraway_charset_in_headers", 0, 0, "", NEED_HEADER,
	"From or Subject is in a charset that is not one of ok_locales",
	"HeaderEval", check_for_faraway_charset_in_headers},
    {"subject_is_all_caps", 0, 0, "", NEED_HEADER, "the Subject is in capitals",
	"HeaderEval", subject_is_all_caps},
    {"check_for_unique_subject_id", 0, 0, "", NEED_NOTHING,
	"never; kept for old rules", "HeaderEval", check_for_unique_subject_id},
    {"check_unresolved_template", 0, 0, "", NEED_HEADER,
	"a field shows a name of a template, as %RANDOM", "HeaderEval",
	check_unresolved_template},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
