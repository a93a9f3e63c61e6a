/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open -- text as a message: mailbox separators, header, body, type.  The body
 * is made as SpamAssassin makes it before anything else is done with it.
 */
#include "mail/open.h"

#include "base/arena.h"
#include "mail/header.h"
#include "mail/mime.h"

#define BLANK_LINES_MAX 20

/* The first line of `text` with its \n. */
static struct str
first_line(struct str text)
{
	size_t at = str_chr(text, '\n');
	return str_sub(text, 0, at == STR_NONE ? at : at + 1);
}

/* "From sender date" of an mbox; "From :" is a field. */
static bool
is_mbox_separator(struct str line)
{
	if (!str_starts(line, STR("From")))
		return false;
	struct str rest = str_skip(line, 4);
	size_t n = 0;
	while (n < rest.len && char_is_space(rest.p[n]))
		n++;
	return n > 1 || (n == 1 && (rest.len == 1 || rest.p[1] != ':'));
}

static bool
char_fits(char c, char form)
{
	switch (form) {
	case 'd':
		return char_is_digit(c);
	case 'b':
		return char_is_digit(c) || char_is_space(c);
	case 'a':
		return char_is_alpha(c);
	case 's':
		return char_is_space(c);
	case 'x':
		return char_is_digit(c) || (c >= 'a' && c <= 'f');
	case 'w':
		return char_is_word(c);
	default:
		return c == form;
	}
}

/*
 * `text` begins like `form`: d digit, b digit or blank, a letter, s blank, x
 * lower-case hex digit, w word character; others stand for themselves.
 */
static bool
fits(struct str text, const char *form)
{
	size_t n = strlen(form);
	if (text.len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!char_fits(text.p[i], form[i]))
			return false;
	return true;
}

/* The separator of Washington's MBX format. */
static bool
is_mbx_separator(struct str line)
{
	if (str_ends(line, STR("\n")))
		line.len--;
	if (str_ends(line, STR("\r")))
		line.len--;
	static const char tail_form[] = ";xxxxxxxxxxxx-wwwwwwww";
	size_t tail = sizeof(tail_form) - 1;
	if (!fits(line, "bd-aaa-ddddsdd:dd:dd") || line.len < 20 + tail ||
	    !fits(str_skip(line, line.len - tail), tail_form))
		return false;
	size_t at = line.len - tail;
	while (at > 0 && char_is_digit(line.p[at - 1]))
		at--;
	return at < line.len - tail && at > 20 && line.p[at - 1] == ',';
}

static bool
is_crlf_text(struct str text)
{
	return str_ends(first_line(text), STR("\r\n")) ||
	       str_ends(text, STR("\r\n"));
}

static bool
is_blank(struct str line)
{
	for (size_t i = 0; i < line.len; i++)
		if (!char_is_space(line.p[i]))
			return false;
	return true;
}

/* Lines that a body is rewritten to. */
struct rewrite {
	struct str text;
	bool is_crlf;
	char *out; /* NULL: only find out if anything changes */
	size_t len;
	bool is_changed;
};

/* Take over `lines`, \r\n to \n. */
static void
rewrite_put(struct rewrite *w, struct str lines)
{
	if (!w->is_crlf) {
		if (w->out != NULL)
			memcpy(w->out + w->len, lines.p, lines.len);
		w->len += lines.len;
		return;
	}
	while (lines.len > 0) {
		struct str line = first_line(lines);
		lines = str_skip(lines, line.len);
		bool is_crlf = str_ends(line, STR("\r\n"));
		if (w->out != NULL) {
			memcpy(w->out + w->len, line.p, line.len);
			if (is_crlf)
				w->out[w->len + line.len - 2] = '\n';
		}
		w->len += line.len - is_crlf;
		w->is_changed |= is_crlf;
	}
}

/* Start of the last `n` lines of `text`. */
static size_t
last_lines(struct str text, size_t n)
{
	size_t at = text.len;
	while (n-- > 0 && at > 0) {
		size_t end = at - 1; /* the \n of this line, or its last byte */
		size_t before = str_rchr(str_sub(text, 0, end), '\n');
		at = before == STR_NONE ? 0 : before + 1;
	}
	return at;
}

/*
 * A run of `n` blank lines: of more than 20 the first and the last 19 stay; at
 * the start of the body one more counts as the first.
 */
static void
rewrite_blank_run(struct rewrite *w, struct str run, size_t n, bool is_first)
{
	size_t head = is_first ? 2 : 1;
	if (n <= BLANK_LINES_MAX + head - 1) {
		rewrite_put(w, run);
		return;
	}
	struct str rest = run;
	for (size_t i = 0; i < head; i++)
		rest = str_skip(rest, first_line(rest).len);
	rewrite_put(w, str_sub(run, 0, run.len - rest.len));
	rewrite_put(w, str_skip(run, last_lines(run, BLANK_LINES_MAX - 1)));
	w->is_changed = true;
}

static void
rewrite_run(struct rewrite *w)
{
	size_t from = 0; /* of the lines not yet taken over */
	size_t at = 0;
	while (at < w->text.len) {
		size_t run_start = at, n = 0;
		struct str line;
		for (;;) {
			line = first_line(str_skip(w->text, at));
			if (line.len == 0 || !is_blank(line))
				break;
			n++;
			at += line.len;
		}
		if (n > BLANK_LINES_MAX) {
			rewrite_put(
			    w, str_sub(w->text, from, run_start - from));
			rewrite_blank_run(w,
			    str_sub(w->text, run_start, at - run_start), n,
			    run_start == 0);
			from = at;
		}
		at += line.len;
	}
	rewrite_put(w, str_skip(w->text, from));
}

/* The body with runs of blank lines cut short and lines that end in \n. */
static struct str
body_lines(struct arena *a, struct str body, bool is_crlf)
{
	struct rewrite survey = {.text = body, .is_crlf = is_crlf};
	rewrite_run(&survey);
	if (!survey.is_changed)
		return body;
	struct rewrite copy = {.text = body, .is_crlf = is_crlf};
	copy.out = arena_alloc(a, survey.len + 1);
	rewrite_run(&copy);
	return str_of(copy.out, copy.len);
}

struct str
message_with_crlf(struct arena *a, struct str block)
{
	size_t missing = 0;
	for (size_t i = 0; i < block.len; i++)
		missing +=
		    block.p[i] == '\n' && (i == 0 || block.p[i - 1] != '\r');
	if (missing == 0)
		return block;
	char *p = arena_alloc(a, block.len + missing);
	size_t len = 0;
	for (size_t i = 0; i < block.len; i++) {
		if (block.p[i] == '\n' && (i == 0 || block.p[i - 1] != '\r'))
			p[len++] = '\r';
		p[len++] = block.p[i];
	}
	return str_of(p, len);
}

/* The blocks of the message as they are, for `full` and ALL:raw. */
static void
keep_blocks(struct message *m, struct str text, struct str body, bool is_crlf)
{
	struct str block = str_sub(text, 0, text.len - body.len);
	m->body_block = body;
	m->full = text;
	if (is_crlf) {
		struct str sound = message_with_crlf(m->arena, block);
		if (sound.len != block.len) {
			char *p = arena_alloc(m->arena, sound.len + body.len);
			memcpy(p, sound.p, sound.len);
			memcpy(p + sound.len, body.p, body.len);
			m->full = str_of(p, sound.len + body.len);
			block = str_sub(m->full, 0, sound.len);
			m->body_block = str_skip(m->full, sound.len);
		}
	}
	struct str empty = is_crlf ? STR("\r\n") : STR("\n");
	struct str fields = block;
	if (str_ends(block, empty))
		fields.len -= empty.len;
	bool has_empty = fields.len == 0 || fields.p[fields.len - 1] == '\n';
	m->header_block = has_empty ? fields : block;
}

/*
 * A multipart whose first line is neither blank nor its boundary gets an empty
 * line in front, so that no field is taken from there.
 */
static void
settle_start(struct part *part, const struct mime_type *type)
{
	struct str line = first_line(part->body);
	if (!str_starts(type->type, STR("multipart/")) || is_blank(line) ||
	    line.len == part->body.len)
		return;
	if (!type->has_boundary || !str_starts(line, STR("--")) ||
	    !str_starts(str_skip(line, 2), type->boundary))
		part->starts_blank = true;
}

/* The header of `part`; returns what is behind it. */
static struct str
open_header(struct message *m, struct part *part, struct str text, bool is_crlf)
{
	struct mail_limits limits = m->config->limits;
	struct headers *headers = &part->headers;
	if (part == m->root)
		return headers_parse(m->arena, text, is_crlf, &limits, headers);
	size_t left = m->part_header < limits.part_header_bytes
			  ? limits.part_header_bytes - m->part_header
			  : 0;
	if (limits.header_bytes > left)
		limits.header_bytes = left;
	struct str body =
	    headers_parse(m->arena, text, is_crlf, &limits, headers);
	m->part_header +=
	    text.len - body.len + headers->n * sizeof(struct header);
	m->root->headers.is_cut |= headers->is_cut;
	return body;
}

void
message_open(struct message *m, struct part *part, struct str text)
{
	struct arena *a = m->arena;
	if (text.len == 0)
		text = STR("\n");
	struct str line = first_line(text);
	if (is_mbox_separator(line) || is_mbx_separator(line)) {
		text = str_skip(text, line.len);
		m->has_mbox_line |= part == m->root;
	}
	bool is_crlf = is_crlf_text(text);
	struct str body = open_header(m, part, text, is_crlf);
	if (part == m->root)
		keep_blocks(m, text, body, is_crlf);
	part->body = body_lines(a, body, is_crlf);
	if (part->body.p != body.p)
		m->embedded += part->body.len;
	part->declared = mime_type_parse(
	    a, headers_value(a, &part->headers, STR("content-type")));
	part->type = part->declared->type;
	part->boundary = part->declared->boundary;
	settle_start(part, part->declared);
}
