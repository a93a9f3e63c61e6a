/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime -- the tree of parts.  Boundaries, missing blank lines and parts without
 * end are taken as SpamAssassin takes them; its limits of depth and of parts in
 * one multipart are kept as well.
 */
#include "mail/mime.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/open.h"

#define LINE_MAX_BYTES 2048
#define LINE_EFFORT 16 /* what a line costs besides its bytes */
#define PART_EFFORT 256
#define SIBLINGS_MAX 1000
#define CONTINUATIONS_MAX 100

/* The next line of `*rest` with its \n. */
static struct str
next_line(struct str *rest)
{
	size_t end = str_chr(*rest, '\n');
	struct str line = str_sub(*rest, 0, end == STR_NONE ? end : end + 1);
	*rest = str_skip(*rest, line.len);
	return line;
}

/*
 * Position behind the next `word` from `at` on; a word begins there, or "file"
 * stands before it.  STR_NONE: none.
 */
static size_t
word_end(struct str text, struct str word, size_t at)
{
	for (; at + word.len <= text.len; at++) {
		if (char_lower(text.p[at]) != word.p[0] ||
		    !str_ieq(str_sub(text, at, word.len), word))
			continue;
		struct str before = str_sub(text, 0, at);
		if (str_iends(before, STR("file")))
			before.len -= 4;
		if (before.len == 0 ||
		    !char_is_word(before.p[before.len - 1]) ||
		    !char_is_word(text.p[at - 1]))
			return at + word.len;
	}
	return STR_NONE;
}

static size_t
skip_blanks(struct str text, size_t at)
{
	while (at < text.len && char_is_space(text.p[at]))
		at++;
	return at;
}

/* Position of the value if `=` stands at `at`; STR_NONE: it does not. */
static size_t
behind_equals(struct str text, size_t at)
{
	at = skip_blanks(text, at);
	return at < text.len && text.p[at] == '=' ? skip_blanks(text, at + 1)
						  : STR_NONE;
}

static struct str
without_quotes(struct arena *a, struct str text)
{
	if (str_chr(text, '"') == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] != '"')
			p[len++] = text.p[i];
	return str_of(p, len);
}

/* boundary="text" or boundary=text; the closing quote may be missing. */
static bool
boundary_find(struct arena *a, struct str ct, struct str *ret)
{
	for (size_t at = 0;
	     (at = word_end(ct, STR("boundary"), at)) != STR_NONE;) {
		size_t from = behind_equals(ct, at);
		if (from == STR_NONE)
			continue;
		bool is_quoted = from < ct.len && ct.p[from] == '"';
		size_t end = is_quoted ? from + 1 : from;
		while (end < ct.len && ct.p[end] != '"' &&
		       (is_quoted ||
			   (ct.p[end] != ';' && !char_is_space(ct.p[end]))))
			end++;
		bool is_bad = !is_quoted && end < ct.len && ct.p[end] == '"';
		/* What is passed over ends at this quote as well. */
		if (is_bad && end > at + sizeof("boundary="))
			at = end - sizeof("boundary=");
		if (is_bad || end == from + is_quoted)
			continue;
		*ret = without_quotes(a, str_sub(ct, from, end - from));
		return true;
	}
	return false;
}

static bool
is_quote(char c)
{
	return c == '"' || c == '\'';
}

/*
 * The value at `from`, up to a semicolon, without a quote at either end.
 * False: a line end stands in it; `*ret_end` is where the search goes on.
 */
static bool
loose_value(struct str ct, size_t from, struct str *ret, size_t *ret_end)
{
	size_t end = from;
	while (end < ct.len && ct.p[end] != ';' && ct.p[end] != '\n')
		end++;
	*ret_end = end;
	if (end + 1 < ct.len && ct.p[end] == '\n')
		return false;
	if (from < end && is_quote(ct.p[from]))
		from++;
	if (from < end && is_quote(ct.p[end - 1]))
		*ret = str_sub(ct, from, end - 1 - from);
	else
		*ret = str_sub(ct, from, end - from);
	return true;
}

/* The value of the first `word` that is followed by `=`; false: none. */
static bool
loose_parameter(struct str ct, struct str word, struct str *ret)
{
	*ret = STR_EMPTY;
	for (size_t at = 0; (at = word_end(ct, word, at)) != STR_NONE;) {
		size_t from = behind_equals(ct, at);
		if (from != STR_NONE && loose_value(ct, from, ret, &at))
			return true;
	}
	return false;
}

/* name*0=..; name*1=..: RFC 2231 section 3, without its charset. */
static struct str
continued_name(struct arena *a, struct str ct)
{
	struct str pieces[CONTINUATIONS_MAX] = {0};
	size_t total = 0;
	for (size_t at = 0;
	     (at = word_end(ct, STR("name*"), at)) != STR_NONE;) {
		size_t digits = at;
		while (digits < ct.len && char_is_digit(ct.p[digits]))
			digits++;
		uint64_t number;
		size_t from = behind_equals(ct, digits);
		struct str value;
		if (from == STR_NONE ||
		    !str_u64(str_sub(ct, at, digits - at),
			CONTINUATIONS_MAX - 1, &number) ||
		    !loose_value(ct, from, &value, &at))
			continue;
		total += value.len - pieces[number].len;
		pieces[number] = value;
	}
	struct buf *name = buf_new(a, total);
	for (size_t i = 0; pieces[0].p != NULL && i < CONTINUATIONS_MAX; i++)
		if (pieces[i].p != NULL)
			buf_put(name, pieces[i]);
	return buf_str(name);
}

static bool
is_false(struct str text)
{
	return text.len == 0 || str_eq(text, STR("0"));
}

/* "something/something" at the start, lower case. */
static struct str
bare_type(struct arena *a, struct str ct)
{
	ct = str_skip(ct, skip_blanks(ct, 0));
	ct = str_sub(ct, 0, str_chr(ct, ';'));
	size_t slash = str_chr(ct, '/');
	if (slash != STR_NONE && slash > 0) {
		size_t end = slash + 1;
		while (end < ct.len && ct.p[end] != '/' &&
		       !char_is_space(ct.p[end]))
			end++;
		ct = str_sub(ct, 0, end);
	}
	return str_lower(a, ct);
}

/* text, text/anything: shown as plain text unless we know better. */
static bool
is_plain(struct str type)
{
	return str_starts(type, STR("text")) &&
	       (type.len == 4 || !char_is_word(type.p[4])) &&
	       !str_eq(type, STR("text/html")) &&
	       !str_eq(type, STR("text/calendar")) &&
	       !str_eq(type, STR("text/x-vcard"));
}

static struct str
without_specials(struct arena *a, struct str type)
{
	char *p = arena_alloc(a, type.len);
	size_t len = 0;
	for (size_t i = 0; i < type.len; i++) {
		unsigned char c = (unsigned char)type.p[i];
		if (c > ' ' && c < 0x7f &&
		    memchr("\"(),:;<=>?@[\\]", c, 14) == NULL)
			p[len++] = type.p[i];
	}
	return str_of(p, len);
}

const struct mime_type *
mime_type_parse(struct arena *a, struct str value)
{
	struct mime_type *ret = ARENA_NEW(a, struct mime_type);
	ret->boundary = STR_EMPTY;
	ret->is_missing = is_false(value);
	if (ret->is_missing)
		value = STR("text/plain; charset=us-ascii");
	ret->has_boundary = boundary_find(a, value, &ret->boundary);
	ret->has_charset =
	    loose_parameter(value, STR("charset"), &ret->charset);
	(void)loose_parameter(value, STR("name"), &ret->name);
	if (is_false(ret->name))
		ret->name = continued_name(a, value);
	struct str type = bare_type(a, value);
	if (is_false(type))
		ret->is_missing = true;
	ret->type = is_false(type) || is_plain(type)
			? STR("text/plain")
			: without_specials(a, type);
	return ret;
}

/* --boundary or --boundary-- and blanks. */
static bool
is_boundary(struct str line, struct str boundary, bool *ret_is_last)
{
	if (!str_starts(line, STR("--")) ||
	    !str_starts(str_skip(line, 2), boundary))
		return false;
	struct str rest = str_skip(line, 2 + boundary.len);
	*ret_is_last = str_starts(rest, STR("--"));
	return str_trim(str_skip(rest, *ret_is_last ? 2 : 0)).len == 0;
}

/* A part while its lines come in. */
struct draft {
	struct headers headers;
	const struct mime_type *declared; /* NULL: not looked at yet */
	struct str field;                 /* being collected; empty: none */
	size_t header_bytes;
	struct str body;
	bool in_body;
};

/* `text`, which may be empty, and `line`, which stands behind it. */
static struct str
extended(struct str text, struct str line)
{
	return text.len == 0 ? line : str_of(text.p, text.len + line.len);
}

/* Keep the field that is complete; true: it was a Content-Type. */
static bool
draft_field(struct message *m, struct draft *d)
{
	struct str field = d->field;
	if (field.len == 0)
		return false;
	d->field = STR_EMPTY;
	d->header_bytes += field.len;
	m->part_header += field.len + sizeof(struct header);
	size_t colon = str_chr(field, ':');
	struct str name = str_sub(field, 0, colon);
	size_t from = skip_blanks(field, colon + 1);
	const struct mail_limits *limits = &m->config->limits;
	if (d->header_bytes <= limits->header_bytes &&
	    m->part_header <= limits->part_header_bytes)
		headers_add(m->arena, &d->headers, name, str_skip(field, from));
	else
		m->root->headers.is_cut = true;
	return str_ieq(name, STR("content-type"));
}

/* What is still to be looked into, in SpamAssassin's order. */
struct queue {
	struct part **v;
	size_t n, cap;
	size_t done;
	/* (void *)(intptr_t): 1 opened, 0 closed, less: closed too often */
	struct table *boundaries;
};

static void
boundary_opened(struct queue *queue, struct str boundary)
{
	table_set(queue->boundaries, boundary, (void *)(intptr_t)1);
}

static void
boundary_closed(struct queue *queue, struct str boundary)
{
	intptr_t state = (intptr_t)table_get(queue->boundaries, boundary);
	table_set(queue->boundaries, boundary, (void *)(state - 1));
}

static bool
has_open_boundary(const struct queue *queue)
{
	for (size_t i = 0; i < queue->boundaries->n; i++)
		if (queue->boundaries->v[i].value != NULL)
			return true;
	return false;
}

/* A field without blanks before its colon, as a part should start. */
static bool
starts_with_field(struct str text)
{
	size_t i = 0;
	while (i < text.len && text.p[i] > ' ' && text.p[i] <= '~' &&
	       text.p[i] != ':')
		i++;
	return i > 0 && i < text.len && text.p[i] == ':';
}

/* What stands behind an opening boundary should be a header. */
static void
check_part_start(struct message *m, struct str rest)
{
	if (rest.len > 0 && !starts_with_field(rest))
		m->oddities.has_no_part_header = true;
}

/* Dots and blanks behind the last boundary say nothing. */
static void
check_epilogue(struct message *m, struct str rest)
{
	for (size_t i = 0; i < rest.len; i++)
		if (!char_is_space(rest.p[i]) && rest.p[i] != '.') {
			m->oddities.has_epilogue = true;
			return;
		}
}

static struct part *
part_add(struct message *m, struct part *parent, struct part **last)
{
	struct part *part = part_new(m, parent);
	if (*last == NULL)
		parent->child = part;
	else
		(*last)->next = part;
	*last = part;
	return part;
}

static const struct mime_type *
draft_declared(struct message *m, struct draft *d)
{
	if (d->declared == NULL)
		d->declared = mime_type_parse(m->arena,
		    headers_value(m->arena, &d->headers, STR("content-type")));
	return d->declared;
}

static bool
has_long_line(struct str text)
{
	while (text.len > LINE_MAX_BYTES) {
		size_t end = str_chr(str_sub(text, 0, LINE_MAX_BYTES), '\n');
		if (end == STR_NONE)
			return true;
		text = str_skip(text, end + 1);
	}
	return false;
}

/*
 * A multipart cuts the lines of its parts: a \n behind each 2048 bytes of a
 * line that is longer, its own \n counted.
 */
static struct str
cut_lines(struct message *m, struct str text)
{
	if (!has_long_line(text) ||
	    m->embedded > m->config->limits.embedded_bytes)
		return text;
	struct buf *out = buf_new(m->arena, SIZE_MAX / 2);
	buf_reserve(out, text.len + text.len / LINE_MAX_BYTES + 1);
	while (text.len > 0) {
		struct str head = str_sub(text, 0, LINE_MAX_BYTES);
		struct str line = next_line(&head);
		buf_put(out, line);
		text = str_skip(text, line.len);
		if (line.p[line.len - 1] != '\n' && text.len > 0)
			buf_putc(out, '\n');
	}
	m->embedded += out->len;
	return buf_str(out);
}

/*
 * The draft is complete: give it its type and its place.  The \n before a
 * boundary is part of the boundary (RFC 2046 section 5.1.1).
 */
static void
draft_done(struct message *m, struct part *parent, struct draft *d,
    bool is_before_boundary, struct part **last, struct queue *queue)
{
	struct part *part = part_add(m, parent, last);
	part->headers = d->headers;
	part->body = cut_lines(m, d->body);
	if (is_before_boundary && str_ends(part->body, STR("\n")))
		part->body.len--;
	part->declared = draft_declared(m, d);
	bool is_in_digest = part->declared->is_missing &&
			    str_eq(parent->type, STR("multipart/digest"));
	part->type =
	    is_in_digest ? STR("message/rfc822") : part->declared->type;
	part->boundary = is_false(part->declared->boundary)
			     ? parent->boundary
			     : part->declared->boundary;
	ARENA_PUSH(m->arena, queue) = part;
}

/* The boundary of the part itself is that of the multipart around it. */
static bool
is_nested_boundary(struct message *m, struct draft *d, struct str boundary)
{
	const struct mime_type *declared = draft_declared(m, d);
	return declared->has_boundary && str_eq(declared->boundary, boundary);
}

static bool
is_empty_line(struct str line)
{
	if (str_ends(line, STR("\n")))
		line.len--;
	return line.len == 0 || str_eq(line, STR("\r"));
}

/* One line of a part that is no boundary. */
static void
draft_line(struct message *m, struct draft *d, struct str line,
    struct str boundary, bool *is_nested)
{
	if (!d->in_body) {
		if (header_is_field(line)) {
			(void)draft_field(m, d);
			d->field = line;
			return;
		}
		if (char_is_blank(line.p[0]) && d->field.len > 0) {
			d->field = extended(d->field, line);
			return;
		}
		if (draft_field(m, d) && is_nested_boundary(m, d, boundary))
			*is_nested = true;
		d->in_body = true;
		if (is_empty_line(line))
			return;
		m->oddities.has_no_part_blank = true;
	}
	d->body = extended(d->body, line);
}

/* What is behind the first boundary; all of it if there is none. */
static struct str
skip_preamble(const struct part *part, struct effort *effort, bool *ret_found)
{
	struct str rest = part->body;
	*ret_found = true;
	while (rest.len > 0) {
		bool is_last;
		struct str line = next_line(&rest);
		if (effort_is_over(effort, line.len + LINE_EFFORT))
			break;
		if (is_boundary(line, part->boundary, &is_last) && !is_last)
			return rest;
	}
	*ret_found = false;
	return part->body;
}

static void
multipart_parse(struct message *m, struct part *part, struct queue *queue)
{
	bool has_start, is_nested = false;
	struct str rest = skip_preamble(part, &m->effort, &has_start);
	if (has_start) {
		boundary_opened(queue, part->boundary);
		check_part_start(m, rest);
	}
	struct part *last = NULL;
	struct draft d = {.field = STR_EMPTY, .body = STR_EMPTY};
	d.in_body = !has_start && part->starts_blank;
	size_t nsiblings = 0;
	part->is_container = true;
	while (rest.len > 0 && m->nparts < m->config->limits.parts) {
		struct str line = next_line(&rest);
		if (effort_is_over(&m->effort, line.len + LINE_EFFORT))
			break;
		bool is_last = false;
		bool is_end = is_boundary(line, part->boundary, &is_last);
		is_last = is_last && is_end;
		bool closes = is_last;
		if (is_end && is_nested) {
			is_end = false;
			is_nested = !is_last;
		}
		if (!is_end && rest.len > 0) {
			draft_line(m, &d, line, part->boundary, &is_nested);
			continue;
		}
		/* The last line is body whatever it looks like. */
		if (!is_end)
			d.body = extended(d.body, line);
		draft_done(m, part, &d, is_end, &last, queue);
		if (closes) {
			boundary_closed(queue, part->boundary);
			check_epilogue(m, rest);
			return;
		}
		check_part_start(m, rest);
		if (++nsiblings == SIBLINGS_MAX) {
			m->oddities.has_many_parts = true;
			break;
		}
		d = (struct draft){.field = STR_EMPTY, .body = STR_EMPTY};
	}
	m->is_cut_parts |= rest.len > 0;
}

/* The name of a part as SpamAssassin finds it. */
static struct str
shown_name(struct arena *a, const struct part *part, struct str type_name)
{
	struct str value =
	    headers_value(a, &part->headers, STR("content-disposition"));
	for (size_t at = 0;;) {
		size_t found = str_ifind(str_skip(value, at), STR("name="));
		if (found == STR_NONE)
			return type_name;
		at += found + 5;
		size_t from = skip_blanks(value, at);
		if (from < value.len && value.p[from] == '"')
			from++;
		size_t end = from;
		while (end < value.len && value.p[end] != '"' &&
		       value.p[end] != ';')
			end++;
		if (end > from)
			return str_sub(value, from, end - from);
	}
}

/* "\.s?html?$" */
static bool
is_html_name(struct str name)
{
	if (str_ends(name, STR("\n")))
		name.len--;
	return str_iends(name, STR(".htm")) || str_iends(name, STR(".html")) ||
	       str_iends(name, STR(".shtm")) || str_iends(name, STR(".shtml"));
}

/* The name for rules: RFC 2231 decoded, then whatever SpamAssassin finds. */
static struct str
file_name(struct arena *a, const struct part *part, struct str shown)
{
	static const struct {
		const char *field, *parameter;
	} places[] = {
	    {"content-disposition", "filename"}, {"content-type", "name"}};
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct str name = mime_parameter(a,
		    headers_value(a, &part->headers, str_from(places[i].field)),
		    str_from(places[i].parameter));
		if (name.len > 0)
			return name;
	}
	return shown;
}

static void
leaf_parse(struct message *m, struct part *part)
{
	const struct mime_type *declared = part->declared;
	bool has_boundary = part->boundary.len > 0;
	if (!declared->is_missing)
		part->type = has_boundary || !str_starts(declared->type,
						 STR("multipart/"))
				 ? declared->type
				 : STR("text/plain");
	part->charset = declared->charset;
	struct str shown = shown_name(m->arena, part, declared->name);
	part->effective = is_html_name(shown) ? STR("text/html") : part->type;
	part->shown_name = shown;
	part->name = file_name(m->arena, part, shown);
}

static bool
is_message(struct str type)
{
	return str_eq(type, STR("message/rfc822")) ||
	       str_eq(type, STR("message/global"));
}

/* See what is in a message/rfc822 as a message. */
static void
embedded_parse(struct message *m, struct part *part, struct queue *queue)
{
	const struct mail_limits *limits = &m->config->limits;
	if (m->embedded > limits->embedded_bytes ||
	    m->nparts >= limits->parts) {
		m->is_cut_parts = true;
		return;
	}
	struct str text = part_decoded(m, part);
	if (text.p != part->body.p)
		m->embedded += text.len;
	if (text.len == 0)
		return;
	struct part *last = NULL;
	struct part *inner = part_add(m, part, &last);
	message_open(m, inner, text);
	ARENA_PUSH(m->arena, queue) = inner;
	part->is_container = true;
	part->decoded = STR_EMPTY;
}

static bool
is_multipart(const struct part *part)
{
	return part->boundary.len > 0 &&
	       str_starts(part->type, STR("multipart/"));
}

void
mime_parse(struct message *m, struct part *root)
{
	struct queue queue = {.boundaries = table_new(m->arena, false)};
	ARENA_PUSH(m->arena, &queue) = root;
	while (
	    queue.done < queue.n && !effort_is_over(&m->effort, PART_EFFORT)) {
		struct part *part = queue.v[queue.done++];
		bool is_shallow = part->depth < m->config->limits.depth;
		if (is_shallow && is_multipart(part)) {
			part->effective = part->type;
			multipart_parse(m, part, &queue);
			continue;
		}
		leaf_parse(m, part);
		if (is_shallow && is_message(part->type))
			embedded_parse(m, part, &queue);
		m->is_cut_depth |= !is_shallow && (is_multipart(part) ||
						      is_message(part->type));
	}
	m->oddities.has_open_boundary = has_open_boundary(&queue);
}

/* One parameter: name, then =, then a token or a quoted string. */
struct parameter {
	struct str name;
	struct str value;
};

/* Position of the quote that closes the one at 0; the length if none does. */
static size_t
quoted_length(struct str text)
{
	size_t i = 1;
	while (i < text.len && text.p[i] != '"')
		i += text.p[i] == '\\' ? 2 : 1;
	return i < text.len ? i : text.len;
}

/* Without the backslashes of quoted pairs. */
static struct str
unescape(struct arena *a, struct str text)
{
	if (str_chr(text, '\\') == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\\' && i + 1 < text.len)
			i++;
		p[len++] = text.p[i];
	}
	return str_of(p, len);
}

/* Take the next parameter behind a semicolon; false: there is none. */
static bool
parameter_next(struct arena *a, struct str *rest, struct parameter *ret)
{
	size_t at = str_chr(*rest, ';');
	if (at == STR_NONE)
		return false;
	struct str text = str_skip(*rest, at + 1);
	size_t end = 0;
	while (end < text.len && text.p[end] != '=' && text.p[end] != ';')
		end++;
	ret->name = str_trim(str_sub(text, 0, end));
	ret->value = STR_EMPTY;
	text = str_skip(text, end);
	if (text.len == 0 || text.p[0] == ';') {
		*rest = text;
		return true;
	}
	text = str_skip(text, skip_blanks(text, 1));
	if (text.len == 0 || text.p[0] != '"') {
		ret->value = str_trim(str_sub(text, 0, str_chr(text, ';')));
		*rest =
		    str_skip(text, str_sub(text, 0, str_chr(text, ';')).len);
		return true;
	}
	size_t close = quoted_length(text);
	ret->value = unescape(a, str_sub(text, 1, close - 1));
	*rest = str_skip(text, close + 1);
	return true;
}

/* A piece of a value that is continued or has a charset (RFC 2231). */
struct piece {
	struct str text;
	bool is_extended;
	bool is_known;
};

/* "name", "name*", "name*0", "name*0*": which piece; false: another name. */
static bool
piece_place(struct str have, struct str name, size_t *ret, bool *ret_extended)
{
	if (!str_istarts(have, name))
		return false;
	struct str tail = str_skip(have, name.len);
	*ret_extended = str_ends(tail, STR("*"));
	if (*ret_extended)
		tail.len--;
	*ret = 0;
	if (tail.len == 0)
		return true;
	uint64_t number;
	if (tail.p[0] != '*' ||
	    !str_u64(str_skip(tail, 1), CONTINUATIONS_MAX - 1, &number))
		return false;
	*ret = (size_t)number;
	return true;
}

static void
put_percent_decoded(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		int high = -1, low = -1;
		if (text.p[i] == '%' && i + 2 < text.len) {
			high = char_hex(text.p[i + 1]);
			low = char_hex(text.p[i + 2]);
		}
		if (high < 0 || low < 0) {
			buf_putc(out, text.p[i]);
			continue;
		}
		buf_putc(out, (char)(high << 4 | low));
		i += 2;
	}
}

static struct str
pieces_join(struct arena *a, struct piece *pieces, size_t size)
{
	struct str charset = STR_EMPTY;
	if (pieces[0].is_extended) {
		struct str text = pieces[0].text;
		struct str first = str_cut(&text, '\'');
		(void)str_cut(&text, '\''); /* language */
		if (first.len < pieces[0].text.len) {
			charset = first;
			pieces[0].text = text;
		}
	}
	struct buf *out = buf_new(a, size);
	for (size_t i = 0; i < CONTINUATIONS_MAX && pieces[i].is_known; i++) {
		if (pieces[i].is_extended)
			put_percent_decoded(out, pieces[i].text);
		else
			buf_put(out, pieces[i].text);
	}
	return charset.len == 0 ? buf_str(out)
				: charset_decode(a, buf_str(out), charset);
}

struct str
mime_parameter(struct arena *a, struct str value, struct str name)
{
	struct piece pieces[CONTINUATIONS_MAX] = {0};
	struct parameter parameter;
	struct str rest = value;
	while (parameter_next(a, &rest, &parameter)) {
		size_t place;
		bool is_extended;
		if (!piece_place(parameter.name, name, &place, &is_extended))
			continue;
		/* An extended value is meant for those who can read it. */
		if (pieces[place].is_known && !is_extended)
			continue;
		pieces[place] =
		    (struct piece){parameter.value, is_extended, true};
	}
	return pieces_join(a, pieces, value.len);
}
