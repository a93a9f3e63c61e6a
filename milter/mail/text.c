/* SPDX-License-Identifier: BSD-2-Clause */
/* text -- the strings that body and rawbody rules run on. */
#include "mail/message.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "mail/header.h"
#include "mail/uchar.h"

/* Lines of more than mail has are not kept apart: each has its own string. */
#define STRINGS_MAX 500000
#define PART_EFFORT 256 /* what a part costs besides its bytes */
#define LINE_MAX_BYTES 2048
#define CUT_SLACK                                                   \
	1024 /* how far behind a limit a better place is looked for \
	      */

/* Bytes of the blank that `s` starts with; 0: none. */
static size_t
blank_length(struct str s, bool is_unicode)
{
	if (s.len == 0)
		return 0;
	unsigned char c = (unsigned char)s.p[0];
	if (c < 0x80)
		return char_is_space(s.p[0]);
	if (!is_unicode || (c != 0xc2 && c != 0xe1 && c != 0xe2 && c != 0xe3))
		return 0;
	size_t n = utf8_length(s);
	return n > 0 && uchar_is_space(utf8_decode(s)) ? n : 0;
}

/*
 * Where to cut `text`, which is longer than `most`: behind the first of the
 * characters in `marks`, tried in order, that stands at `most` or not far
 * behind it.
 */
static size_t
cut_at(struct str text, size_t most, const char *marks)
{
	struct str window = str_sub(text, most, CUT_SLACK + 1);
	for (; *marks != '\0'; marks++) {
		size_t at = str_chr(window, *marks);
		if (at != STR_NONE)
			return most + at + 1;
	}
	return most;
}

/* Offset of character number `n`; past the end: the length. */
static size_t
char_offset(struct str text, size_t n)
{
	if (text.len <= n)
		return text.len;
	size_t i = 0;
	while (i < text.len && n-- > 0)
		do
			i++;
		while (
		    i < text.len && ((unsigned char)text.p[i] & 0xc0) == 0x80);
	return i;
}

/* cut_at() in characters: `most` and the slack count those. */
static struct str
cut_chars(struct str text, size_t most)
{
	size_t from = char_offset(text, most);
	if (from == text.len)
		return text;
	struct str rest = str_skip(text, from);
	struct str window = str_sub(rest, 0, char_offset(rest, CUT_SLACK + 1));
	size_t at = str_chr(window, '\n');
	if (at == STR_NONE)
		at = str_chr(window, ' ');
	return str_sub(text, 0, at == STR_NONE ? from : from + at + 1);
}

/* The text of all leaves; `*ret_is_unicode`: any of it is characters. */
static struct buf *
collect_text(struct message *m, bool *ret_is_unicode, bool *ret_has_leaf)
{
	struct buf *text = buf_new(m->arena, SIZE_MAX / 2);
	*ret_is_unicode = *ret_has_leaf = false;
	for (struct part *part = m->root; part != NULL;
	     part = part_next(part)) {
		if (!part_is_leaf(part) || part->type.len == 0)
			continue;
		if (effort_is_over(&m->effort, PART_EFFORT))
			break;
		*ret_has_leaf = true;
		if (text->len > 0)
			buf_putc(text, '\n');
		struct str rendered = part_rendered(m, part);
		*ret_is_unicode |= part->is_unicode;
		buf_put(text,
		    cut_chars(rendered, m->config->limits.body_part_bytes));
	}
	return text;
}

/* Surely no blank. */
static bool
is_print(char c, bool is_unicode)
{
	return (unsigned char)c > ' ' &&
	       ((unsigned char)c < 0x80 || !is_unicode);
}

/*
 * Two or more line ends and the blanks among them end a paragraph; other runs
 * of blanks are one.
 */
static size_t
fold_blanks(char *p, size_t size, bool is_unicode)
{
	struct str text = str_of(p, size);
	size_t len = 0;
	for (size_t i = 0; i < size;) {
		while (i < size && is_print(p[i], is_unicode))
			p[len++] = p[i++];
		size_t first = SIZE_MAX, last = 0, n;
		size_t from = i;
		while ((n = blank_length(str_skip(text, i), is_unicode)) > 0) {
			if (text.p[i] == '\n') {
				first = first == SIZE_MAX ? i : first;
				last = i;
			}
			i += n;
		}
		if (i == size && i == from)
			break;
		if (i == from) {
			p[len++] = p[i] == '\0' ? '\n' : p[i];
			i++;
			continue;
		}
		bool is_paragraph = first != SIZE_MAX && last > first;
		if (!is_paragraph || first > from)
			p[len++] = ' ';
		if (is_paragraph)
			p[len++] = '\n';
		if (is_paragraph && i > last + 1)
			p[len++] = ' ';
	}
	return len;
}

/* Text that Perl holds as bytes: each character is one. */
static size_t
to_latin1(char *p, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)p[i];
		if ((c == 0xc2 || c == 0xc3) && i + 1 < size)
			c = (unsigned char)((c & 3) << 6 | (p[++i] & 0x3f));
		p[len++] = (char)c;
	}
	return len;
}

/*
 * One line, cut at 2048 bytes or behind the blank before that.  If a cut falls
 * on its end, an empty string follows, as in SpamAssassin.
 */
static void
split_line(struct arena *a, struct str line, struct strs *ret)
{
	while (line.len > LINE_MAX_BYTES) {
		struct str head = str_sub(line, 0, LINE_MAX_BYTES + 1);
		size_t blank = str_rchr(head, ' ');
		size_t n = blank == STR_NONE ? LINE_MAX_BYTES : blank + 1;
		strs_add(a, ret, str_sub(line, 0, n));
		line = str_skip(line, n);
	}
	strs_add(a, ret, line);
}

static void
split_lines(struct arena *a, struct str text, struct strs *ret)
{
	while (text.len > 0) {
		size_t end =
		    ret->n < STRINGS_MAX ? str_chr(text, '\n') : STR_NONE;
		struct str line =
		    str_sub(text, 0, end == STR_NONE ? end : end + 1);
		split_line(a, line, ret);
		text = str_skip(text, line.len);
	}
}

void
message_body_change(struct message *m, struct strs body)
{
	m->body_changed = body;
	m->body_changes++;
}

const struct strs *
message_body_seen(struct message *m)
{
	return m->body_changes > 0 ? &m->body_changed : message_body(m);
}

const struct strs *
message_body(struct message *m)
{
	if (m->has_body)
		return &m->body;
	m->has_body = true;
	bool is_unicode, has_leaf;
	struct buf *text = collect_text(m, &is_unicode, &has_leaf);
	if (!has_leaf)
		return &m->body;
	if (!is_unicode)
		text->len = to_latin1(text->p, text->len);
	text->len = fold_blanks(text->p, text->len, is_unicode);
	struct str subject =
	    headers_value(m->arena, &m->root->headers, STR("subject"));
	struct buf *all = buf_new(m->arena, SIZE_MAX / 2);
	buf_reserve(all, subject.len + 1 + text->len);
	buf_put(all, subject);
	buf_putc(all, '\n');
	buf_put(all, buf_str(text));
	split_lines(m->arena, buf_str(all), &m->body);
	return &m->body;
}

/* Where the chunk at the start of `text`, which is long, ends. */
static size_t
chunk_end(struct str text)
{
	struct str window = str_sub(text, LINE_MAX_BYTES, LINE_MAX_BYTES);
	static const char marks[] = {'\n', '>', ' '};
	for (size_t i = 0; i < sizeof(marks); i++) {
		size_t at = str_chr(window, marks[i]);
		if (at != STR_NONE)
			return LINE_MAX_BYTES + at + 1;
	}
	return LINE_MAX_BYTES + 1;
}

static void
split_chunks(struct arena *a, struct str text, struct strs *ret)
{
	if (text.len <= LINE_MAX_BYTES) {
		strs_add(a, ret, text);
		return;
	}
	while (text.len > 2 * LINE_MAX_BYTES) {
		size_t n = chunk_end(text);
		strs_add(a, ret, str_sub(text, 0, n));
		text = str_skip(text, n);
	}
	if (text.len > 0)
		strs_add(a, ret, text);
}

static bool
is_raw_text(const struct part *part)
{
	return part_is_leaf(part) && part->type.len > 0 &&
	       !str_eq(part->type, STR("text/calendar")) &&
	       (str_starts(part->effective, STR("text/")) ||
		   str_starts(part->effective, STR("message/")));
}

const struct strs *
message_rawbody(struct message *m)
{
	if (m->has_rawbody)
		return &m->rawbody;
	m->has_rawbody = true;
	size_t most = m->config->limits.rawbody_part_bytes;
	for (struct part *part = m->root; part != NULL;
	     part = part_next(part)) {
		if (!is_raw_text(part))
			continue;
		if (effort_is_over(&m->effort, PART_EFFORT))
			break;
		struct str text = part_decoded(m, part);
		if (text.len > most)
			text = str_sub(text, 0, cut_at(text, most, "\n> "));
		split_chunks(m->arena, text, &m->rawbody);
	}
	return &m->rawbody;
}
