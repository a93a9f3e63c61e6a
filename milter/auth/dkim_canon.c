/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_canon -- simple and relaxed, in one pass and a buffer of fixed size. */
#include "auth/dkim_canon.h"

#define BUFFER_SIZE 8192

struct out {
	dkim_sink *sink;
	void *arg;
	uint64_t total;
	size_t n;
	char bytes[BUFFER_SIZE];
};

static void
out_flush(struct out *o)
{
	if (o->n > 0)
		o->sink(o->arg, str_of(o->bytes, o->n));
	o->n = 0;
}

static void
out_put(struct out *o, struct str s)
{
	o->total += s.len;
	if (s.len > BUFFER_SIZE - o->n)
		out_flush(o);
	if (s.len > BUFFER_SIZE) {
		o->sink(o->arg, s);
		return;
	}
	memcpy(o->bytes + o->n, s.p, s.len);
	o->n += s.len;
}

static void
out_crlf(struct out *o, size_t times)
{
	for (size_t i = 0; i < times; i++)
		out_put(o, STR("\r\n"));
}

/* Section 3.4.1: nothing changes. */
static void
field_simple(struct out *o, struct str text)
{
	while (text.len > 0) {
		size_t end = str_chr(text, '\n');
		out_put(o, str_sub(text, 0, end));
		if (end == STR_NONE)
			return;
		out_crlf(o, 1);
		text = str_skip(text, end + 1);
	}
}

static bool
is_fold(char c) /* WSP, or the line end of a fold */
{
	return char_is_blank(c) || c == '\n';
}

/*
 * Words with one blank between two of them, none at the ends; section 3.4.2
 * takes the folds for blanks.
 */
static void
put_words(struct out *o, struct str text)
{
	bool is_first = true;
	for (size_t i = 0; i < text.len;) {
		size_t from = i;
		while (i < text.len && !is_fold(text.p[i]))
			i++;
		if (i > from) {
			if (!is_first)
				out_put(o, STR(" "));
			out_put(o, str_of(text.p + from, i - from));
			is_first = false;
		}
		while (i < text.len && is_fold(text.p[i]))
			i++;
	}
}

static void
field_relaxed(struct out *o, const struct dkim_field *field)
{
	for (size_t i = 0; i < field->name.len; i++) {
		char c = char_lower(field->name.p[i]);
		out_put(o, str_of(&c, 1));
	}
	out_put(o, STR(":"));
	size_t colon = str_chr(field->text, ':');
	if (colon != STR_NONE)
		put_words(o, str_skip(field->text, colon + 1));
}

void
dkim_canon_field(enum dkim_canon how, const struct dkim_field *field,
    dkim_sink *sink, void *arg)
{
	struct out o;
	o.sink = sink;
	o.arg = arg;
	o.total = o.n = 0;
	if (how == DKIM_SIMPLE)
		field_simple(&o, field->text);
	else
		field_relaxed(&o, field);
	out_flush(&o);
}

/*
 * The next blank at `i` or behind it that is not one blank between two words;
 * `line` does not end in WSP.
 */
static size_t
next_run(struct str line, size_t i)
{
	while (i < line.len &&
	       (line.p[i] > ' ' ||
		   !(line.p[i] == '\t' ||
		       (line.p[i] == ' ' && char_is_blank(line.p[i + 1])))))
		i++;
	return i;
}

/* Runs of WSP to one blank (section 3.4.4). */
static void
line_relaxed(struct out *o, struct str line)
{
	for (size_t from = 0; from < line.len;) {
		size_t end = next_run(line, from);
		out_put(o, str_of(line.p + from, end - from));
		if (end == line.len)
			return;
		out_put(o, STR(" "));
		for (from = end; char_is_blank(line.p[from]);)
			from++;
	}
}

static struct str
without_end_blanks(struct str line)
{
	while (line.len > 0 && char_is_blank(line.p[line.len - 1]))
		line.len--;
	return line;
}

/* Empty lines wait until a line that is not follows; the last ones never go. */
static void
body_lines(struct out *o, enum dkim_canon how, struct str body)
{
	size_t empty = 0;
	while (body.len > 0) {
		struct str line = str_line(&body);
		if (how == DKIM_RELAXED)
			line = without_end_blanks(line);
		if (line.len == 0) {
			empty++;
			continue;
		}
		out_crlf(o, empty);
		empty = 0;
		if (how == DKIM_RELAXED)
			line_relaxed(o, line);
		else
			out_put(o, line);
		out_crlf(o, 1);
	}
}

uint64_t
dkim_canon_body(
    enum dkim_canon how, struct str body, dkim_sink *sink, void *arg)
{
	struct out o;
	o.sink = sink;
	o.arg = arg;
	o.total = o.n = 0;
	body_lines(&o, how, body);
	/* Section 3.4.3: an empty body is one CRLF; relaxed: nothing. */
	if (how == DKIM_SIMPLE && o.total == 0)
		out_crlf(&o, 1);
	out_flush(&o);
	return o.total;
}
