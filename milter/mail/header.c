/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header -- header fields and their decoded values (RFC 5322, RFC 2047).  Which
 * of them a rule sees is selector.c's matter.
 */
#include "mail/header.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/charset.h"
#include "mail/transfer.h"

#define NAME_MAX_BYTES 256
#define INVALID_FIELDS_MAX 3

/* RFC 2047 does not apply to these: identifiers, dates, traces. */
static const struct str VERBATIM[] = {
    {"received", 8},
    {"message-id", 10},
    {"resent-message-id", 17},
    {"date", 4},
    {"resent-date", 11},
    {"mime-version", 12},
    {"references", 10},
    {"in-reply-to", 11},
};

static bool
is_verbatim(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(VERBATIM); i++)
		if (VERBATIM[i].len == name.len && str_ieq(name, VERBATIM[i]))
			return true;
	return str_istarts(name, STR("list-"));
}

bool
header_is_field(struct str line)
{
	size_t i = 0;
	while (i < line.len && line.p[i] > ' ' && line.p[i] <= '~' &&
	       line.p[i] != ':')
		i++;
	if (i == 0)
		return false;
	while (i < line.len && char_is_blank(line.p[i]))
		i++;
	return i < line.len && line.p[i] == ':';
}

uint8_t
header_name_key(struct str name)
{
	if (name.len == 0)
		return 0;
	unsigned first = (unsigned char)char_lower(name.p[0]);
	unsigned middle = (unsigned char)char_lower(name.p[name.len / 2]);
	unsigned last = (unsigned char)char_lower(name.p[name.len - 1]);
	return (
	    uint8_t)((unsigned)name.len * 67 + first * 31 + middle * 7 + last);
}

size_t
headers_find(const struct headers *headers, struct str name, size_t from)
{
	uint8_t key = header_name_key(name);
	if (!headers_may_have(headers, key))
		return headers->n;
	size_t i = from;
	while (i < headers->n &&
	       (headers->v[i].key != key || !str_ieq(headers->v[i].name, name)))
		i++;
	return i;
}

void
headers_add(
    struct arena *a, struct headers *headers, struct str name, struct str raw)
{
	uint8_t key = header_name_key(name);
	(void)bits_add(headers->keys, key);
	ARENA_PUSH(a, headers) =
	    (struct header){.name = name, .raw = raw, .key = key};
}

/* One field with its folds: cut it at the colon and keep it. */
static void
field_add(struct arena *a, struct str field, bool is_crlf,
    const struct mail_limits *limits, struct headers *ret)
{
	size_t colon = str_chr(field, ':');
	if (colon == STR_NONE)
		return;
	struct str name = str_sub(field, 0, colon);
	while (name.len > 0 && char_is_blank(name.p[name.len - 1]))
		name.len--;
	struct str raw = str_skip(field, colon + 1);
	if (is_crlf)
		raw = transfer_unix_lines(a, raw);
	ret->is_truncated |=
	    name.len > NAME_MAX_BYTES || raw.len > limits->header_value_bytes;
	headers_add(a, ret, str_sub(name, 0, NAME_MAX_BYTES),
	    str_sub(raw, 0, limits->header_value_bytes));
}

/* The next line of `*rest` with its \n. */
static struct str
line_next(struct str *rest)
{
	size_t at = str_chr(*rest, '\n');
	struct str line = str_sub(*rest, 0, at == STR_NONE ? at : at + 1);
	*rest = str_skip(*rest, line.len);
	return line;
}

static bool
is_empty_line(struct str line, bool is_crlf)
{
	return str_eq(line, STR("\n")) ||
	       (is_crlf && str_eq(line, STR("\r\n")));
}

struct str
headers_parse(struct arena *a, struct str text, bool is_crlf,
    const struct mail_limits *limits, struct headers *ret)
{
	struct str rest = text;
	struct str field = STR_EMPTY; /* being collected; empty: none */
	unsigned ninvalid = 0;
	for (;;) {
		struct str before = rest;
		struct str line = line_next(&rest);
		if (line.len > 0 && char_is_blank(line.p[0])) {
			field = field.len == 0
				    ? line
				    : str_of(field.p, field.len + line.len);
			continue;
		}
		if ((size_t)(before.p - text.p) <= limits->header_bytes)
			field_add(a, field, is_crlf, limits, ret);
		else
			ret->is_cut = true;
		if (is_empty_line(line, is_crlf))
			return rest;
		ret->has_no_end = true;
		if (line.len == 0)
			return rest;
		if (str_starts(line, STR("--")) ||
		    (!header_is_field(line) && ++ninvalid > INVALID_FIELDS_MAX))
			return before;
		ret->has_no_end = false;
		field = line;
	}
}

struct header *
header_last(const struct headers *headers, struct str name)
{
	struct header *last = NULL;
	for (size_t i = headers_find(headers, name, 0); i < headers->n;
	     i = headers_find(headers, name, i + 1))
		if (!headers->v[i].is_to_come)
			last = &headers->v[i];
	return last;
}

struct header *
header_first(const struct headers *headers, struct str name)
{
	size_t i = headers_find(headers, name, 0);
	while (i < headers->n && headers->v[i].is_to_come)
		i = headers_find(headers, name, i + 1);
	return i < headers->n ? &headers->v[i] : NULL;
}

/* One =?charset?B?text?= */
struct word {
	struct str charset;
	bool is_base64;
	struct str text;
	size_t length; /* of all of it */
};

static bool
is_charset_char(char c)
{
	return char_is_word(c) || c == '*' || c == '-';
}

/* An encoded word at the start of `s`. */
static bool
word_parse(struct str s, struct word *ret)
{
	if (!str_starts(s, STR("=?")))
		return false;
	size_t i = 2;
	while (i < s.len && is_charset_char(s.p[i]))
		i++;
	struct str charset = str_sub(s, 2, i - 2);
	if (charset.len == 0 || i + 2 >= s.len || s.p[i] != '?' ||
	    s.p[i + 2] != '?')
		return false;
	char method = char_lower(s.p[i + 1]);
	if (method != 'b' && method != 'q')
		return false;
	size_t from = i + 3;
	size_t length = str_chr(str_skip(s, from), '?');
	if (length == STR_NONE || from + length + 1 >= s.len ||
	    s.p[from + length + 1] != '=')
		return false;
	*ret = (struct word){.charset = charset,
	    .is_base64 = method == 'b',
	    .text = str_sub(s, from, length),
	    .length = from + length + 2};
	return true;
}

/* Bytes of the word's text, its charset not yet looked at. */
static struct str
word_bytes(struct arena *a, const struct word *word)
{
	if (word->is_base64)
		return transfer_base64(a, word->text);
	char *p = arena_alloc(a, word->text.len);
	for (size_t i = 0; i < word->text.len; i++)
		p[i] = word->text.p[i] == '_' ? ' ' : word->text.p[i];
	return transfer_quoted_printable(a, str_of(p, word->text.len));
}

/* Bytes of neighbours with the same charset, waiting to be converted. */
struct run {
	struct str charset; /* empty: text outside of words */
	struct buf *bytes;
	bool is_open;
};

static void
run_flush(struct arena *a, struct run *run, struct buf *out)
{
	struct str bytes = buf_str(run->bytes);
	/* RFC 2231 section 5: =?charset*language?...?= */
	struct str charset =
	    str_sub(run->charset, 0, str_chr(run->charset, '*'));
	buf_put(
	    out, charset.len == 0 ? bytes : charset_decode(a, bytes, charset));
	run->bytes->len = 0;
}

static void
run_add(struct arena *a, struct run *run, struct str charset, struct str bytes,
    struct buf *out)
{
	if (run->is_open && !str_ieq(run->charset, charset))
		run_flush(a, run, out);
	run->is_open = true;
	run->charset = charset;
	buf_put(run->bytes, bytes);
}

/* Blanks at the start of `s` that vanish because another word follows. */
static size_t
blanks_before_word(struct str s)
{
	size_t i = 0;
	while (i < s.len && char_is_space(s.p[i]))
		i++;
	struct word next;
	return i > 0 && word_parse(str_skip(s, i), &next) ? i : 0;
}

static struct str
words_decode(struct arena *a, struct str text)
{
	struct buf *out = buf_new(a, text.len * 4 + 64);
	struct run run = {STR_EMPTY, buf_new(a, text.len + 64), false};
	struct word word;
	for (size_t i = 0; i < text.len;) {
		struct str rest = str_skip(text, i);
		if (word_parse(rest, &word)) {
			run_add(
			    a, &run, word.charset, word_bytes(a, &word), out);
			i += word.length;
			i += blanks_before_word(str_skip(text, i));
			continue;
		}
		struct str behind = str_skip(rest, 1);
		struct str plain = str_sub(behind, 0, str_chr(behind, '='));
		run_add(a, &run, STR_EMPTY, str_of(rest.p, plain.len + 1), out);
		i += plain.len + 1;
	}
	run_flush(a, &run, out);
	return buf_str(out);
}

/* A tab after a line end becomes a blank, then line ends go. */
static struct str
unfold(struct arena *a, struct str text)
{
	if (str_chr(text, '\n') == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '\n') {
			p[len++] = text.p[i];
			continue;
		}
		if (i > 0 && text.p[i - 1] == '\r')
			len--;
		if (i + 1 < text.len && char_is_blank(text.p[i + 1])) {
			p[len++] = ' ';
			i++;
		}
	}
	return str_of(p, len);
}

/* Bytes over 0x7f as UTF-8 (RFC 6532, and what others send). */
static struct str
header_utf8(struct arena *a, struct str text)
{
	bool is_converted;
	return charset_normalize(
	    a, text, STR("UTF-8"), SIZE_MAX, &is_converted);
}

struct str
header_decode(struct arena *a, struct str text)
{
	text = header_utf8(a, unfold(a, text));
	return str_find(text, STR("=?")) == STR_NONE ? text
						     : words_decode(a, text);
}

/* "\n" and the blanks behind it to one blank; trimmed. */
static struct str
join_folds(struct arena *a, struct str raw)
{
	struct str text = str_trim(raw);
	size_t end = str_chr(text, '\n');
	if (end == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	while (end != STR_NONE) {
		memcpy(p + len, text.p, end);
		len += end;
		text = str_skip(text, end + 1);
		size_t blanks = 0;
		while (blanks < text.len && char_is_blank(text.p[blanks]))
			blanks++;
		p[len++] = blanks > 0 ? ' ' : '\n';
		text = str_skip(text, blanks);
		end = str_chr(text, '\n');
	}
	memcpy(p + len, text.p, text.len);
	return str_trim(str_of(p, len + text.len));
}

static struct str
value_of(struct arena *a, struct header *header)
{
	if (header->has_value)
		return header->value;
	struct str text = join_folds(a, header->raw);
	header->value = is_verbatim(header->name)
			    ? header_utf8(a, unfold(a, text))
			    : header_decode(a, text);
	header->has_value = true;
	return header->value;
}

struct str
header_readable(struct arena *a, const struct header *header)
{
	struct str text =
	    charset_readable(a, unfold(a, join_folds(a, header->raw)));
	return str_find(text, STR("=?")) == STR_NONE ? text
						     : words_decode(a, text);
}

struct str
header_value(struct message *m, struct header *header)
{
	return value_of(m->arena, header);
}

struct str
header_line(struct message *m, struct header *header)
{
	struct str value = header_value(m, header);
	if (header->line.len > 0)
		return header->line;
	char *p = arena_alloc(m->arena, value.len + 1);
	memcpy(p, value.p, value.len);
	p[value.len] = '\n';
	return header->line = str_of(p, value.len + 1);
}

struct str
headers_value(struct arena *a, const struct headers *headers, struct str name)
{
	struct header *header = header_last(headers, name);
	return header == NULL ? STR_EMPTY : value_of(a, header);
}
