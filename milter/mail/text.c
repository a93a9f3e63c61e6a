/* SPDX-License-Identifier: BSD-2-Clause */
/* text -- the strings that body and rawbody rules run on. */
#include "mail/message.h"

#include <endian.h>

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
 * Of eight bytes: the top bit of each that may be of a blank, or is a control.
 */
static uint64_t
no_print(uint64_t word, bool is_unicode)
{
	uint64_t found = word_range(word, '\0', ' ');
	if (!is_unicode)
		return found;
	/* C2, E1 to E3: see blank_length() */
	uint64_t low = word ^ UINT64_C(0x8080808080808080);
	return found | word_range(low, '\x42', '\x42') |
	       word_range(low, '\x61', '\x63');
}

/*
 * Copy what `text`, whose first byte is behind no blank, starts with, while
 * blanks are single spaces and line ends, which become spaces: bytes taken.
 * Eight at a time, for which of them are blanks no branch can be foretold from.
 * More may be written to `out`, but no more than `text` has.
 */
static size_t
copy_plain(char *out, struct str text, bool is_unicode)
{
	size_t i = 0;
	for (uint64_t word; i + sizeof(word) <= text.len;) {
		memcpy(&word, text.p + i, sizeof(word));
		word = le64toh(word);
		uint64_t odd = no_print(word, is_unicode);
		uint64_t line = word_range(word, '\n', '\n');
		uint64_t space = word_range(word, ' ', ' ');
		if ((odd & (odd >> 8 | ~(line | space))) != 0)
			break;
		word = htole64(word ^ (line >> 7) * ('\n' ^ ' '));
		memcpy(out + i, &word, sizeof(word));
		/* Another blank may be behind one at the end. */
		i += sizeof(word) - (odd >> 63);
	}
	return i;
}

/* The same of bytes that are surely no blanks. */
static size_t
copy_print(char *out, struct str text, bool is_unicode)
{
	size_t i = 0;
	for (; i < text.len && is_print(text.p[i], is_unicode); i++)
		out[i] = text.p[i];
	return i;
}

/* The blanks that `text` starts with; line ends among them. */
struct blanks {
	size_t size, lines;
	size_t first, last; /* places of the line ends */
};

static struct blanks
read_blanks(struct str text, bool is_unicode)
{
	struct blanks b = {0, 0, 0, 0};
	for (size_t n;
	     (n = blank_length(str_skip(text, b.size), is_unicode)) > 0;
	     b.size += n) {
		if (text.p[b.size] != '\n')
			continue;
		b.first = b.lines++ == 0 ? b.size : b.first;
		b.last = b.size;
	}
	return b;
}

/*
 * Two or more line ends and the blanks among them end a paragraph; other runs
 * of blanks are one.  `out` has room for all of `text`; how many bytes it got.
 */
static size_t
fold_blanks(char *out, struct str text, bool is_unicode)
{
	size_t len = 0;
	while (text.len > 0) {
		size_t n = copy_plain(out + len, text, is_unicode);
		len += n;
		text = str_skip(text, n);
		n = copy_print(out + len, text, is_unicode);
		len += n;
		text = str_skip(text, n);
		if (text.len == 0)
			break;
		struct blanks b = read_blanks(text, is_unicode);
		if (b.size == 0) {
			char c = text.p[0];
			out[len++] = c == '\0' ? '\n' : c;
			text = str_skip(text, 1);
			continue;
		}
		bool is_paragraph = b.lines > 1;
		if (!is_paragraph || b.first > 0)
			out[len++] = ' ';
		if (is_paragraph)
			out[len++] = '\n';
		if (is_paragraph && b.size > b.last + 1)
			out[len++] = ' ';
		text = str_skip(text, b.size);
	}
	return len;
}

/* Text that Perl holds as bytes: each character is one. */
static size_t
to_latin1(char *p, size_t size)
{
	size_t len = str_ascii_length(str_of(p, size));
	for (size_t i = len; i < size; i++) {
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
	struct str subject =
	    headers_value(m->arena, &m->root->headers, STR("subject"));
	struct buf *all = buf_new(m->arena, SIZE_MAX / 2);
	buf_reserve(all, subject.len + 1 + text->len);
	buf_put(all, subject);
	buf_putc(all, '\n');
	all->len += fold_blanks(all->p + all->len, buf_str(text), is_unicode);
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
