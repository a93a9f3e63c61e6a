/* SPDX-License-Identifier: BSD-2-Clause */
/* html_token -- tags, text and comments. */
#include "mail/html_token.h"

#include "base/arena.h"
#include "mail/effort.h"

/* What a token costs besides its bytes. */
#define TOKEN_EFFORT 32

/* What a parser function says instead of the position behind its markup. */
#define NOT_MARKUP (SIZE_MAX - 1)
#define NEEDS_MORE SIZE_MAX

/* Elements whose content is not markup. */
struct literal {
	struct str name;
	bool is_cdata; /* entities stay as well */
	bool never_closes;
	bool runs_to_end; /* if not closed, the rest of the document is in it */
	bool is_emptied;  /* if not closed, the rest is behind it */
};

static const struct literal literals[] = {
    {{"script", 6}, true, false, false, true},
    {{"style", 5}, true, false, false, true},
    {{"xmp", 3}, true, false, true, false},
    {{"iframe", 6}, true, false, true, false},
    {{"plaintext", 9}, true, true, true, false},
    {{"title", 5}, false, false, false, false},
    {{"textarea", 8}, false, false, true, false},
};

/* Marked sections (ISO 8879 10.4), the stronger one last. */
enum section {
	SECTION_NONE,
	SECTION_INCLUDE,
	SECTION_RCDATA,
	SECTION_CDATA,
	SECTION_IGNORE
};

static const struct {
	struct str name;
	enum section section;
} sections[] = {
    {{"include", 7}, SECTION_INCLUDE},
    {{"rcdata", 6}, SECTION_RCDATA},
    {{"cdata", 5}, SECTION_CDATA},
    {{"ignore", 6}, SECTION_IGNORE},
};

/* The strongest section from the outermost up to this one. */
struct section_stack {
	unsigned char *v;
	size_t n;
	size_t cap;
};

struct scanner {
	struct arena *arena;
	const struct html_sink *sink;
	struct effort *effort;
	char *p;
	size_t len;
	size_t at;
	const struct literal *literal; /* NULL: not inside one */
	struct section_stack stack;
	enum section section;
	struct str pending_end; /* end tag that comes before the next tag */
	struct html_tag tag;
	bool is_cdata;
	unsigned
	    unclosed; /* bit of each literal element with no end tag ahead */
	bool gt_ends_comment;
};

enum event {
	EVENT_NONE,
	EVENT_TEXT,
	EVENT_START,
	EVENT_END,
	EVENT_COMMENT,
	EVENT_DECLARATION
};

static void
tell(struct scanner *s, enum event event, struct str text)
{
	if (s->pending_end.len > 0 && event != EVENT_TEXT &&
	    event != EVENT_COMMENT) {
		struct str name = s->pending_end;
		s->pending_end = STR_EMPTY;
		if (s->section != SECTION_IGNORE)
			s->sink->end(s->sink->ctx, name);
	}
	if (s->section == SECTION_IGNORE)
		return;
	switch (event) {
	case EVENT_NONE:
		break;
	case EVENT_TEXT:
		s->sink->text(s->sink->ctx, text, s->is_cdata);
		break;
	case EVENT_START:
		s->sink->start(s->sink->ctx, &s->tag);
		break;
	case EVENT_END:
		s->sink->end(s->sink->ctx, text);
		break;
	case EVENT_COMMENT:
		s->sink->comment(s->sink->ctx, text);
		break;
	case EVENT_DECLARATION:
		s->sink->declaration(s->sink->ctx, text);
		break;
	}
}

/* The byte at `i`; NUL behind the end, which is never a blank, > or <. */
static char
byte(const struct scanner *s, size_t i)
{
	return i < s->len ? s->p[i] : '\0';
}

static struct str
slice(const struct scanner *s, size_t from, size_t to)
{
	return str_of(s->p + from, to - from);
}

static bool
is_name_first(char c)
{
	return char_is_alpha(c) || c == '_' || c == ':';
}

static bool
is_name(char c)
{
	return char_is_alnum(c) || c == '_' || c == ':' || c == '.' || c == '-';
}

static size_t
skip_space(const struct scanner *s, size_t i)
{
	while (i < s->len && char_is_space(s->p[i]))
		i++;
	return i;
}

static size_t
skip_name(const struct scanner *s, size_t i)
{
	while (i < s->len && is_name(s->p[i]))
		i++;
	return i;
}

/* Up to a blank or >. */
static size_t
skip_word(const struct scanner *s, size_t i)
{
	while (i < s->len && !char_is_space(s->p[i]) && s->p[i] != '>')
		i++;
	return i;
}

static size_t
find(const struct scanner *s, size_t i, char c)
{
	size_t at = str_chr(slice(s, i, s->len), c);
	return at == STR_NONE ? s->len : i + at;
}

/* --- marked sections --- */

static void
section_push(struct scanner *s, enum section section)
{
	if (s->section > section)
		section = s->section;
	ARENA_PUSH(s->arena, &s->stack) = (unsigned char)section;
	s->section = section;
	s->is_cdata = section == SECTION_CDATA;
}

static void
section_pop(struct scanner *s)
{
	if (s->stack.n > 0)
		s->stack.n--;
	s->section = s->stack.n == 0 ? SECTION_NONE
				     : (enum section)s->stack.v[s->stack.n - 1];
	s->is_cdata = s->section == SECTION_CDATA;
}

static enum section
section_named(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(sections); i++)
		if (str_ieq(name, sections[i].name))
			return sections[i].section;
	return SECTION_NONE;
}

/* Behind a "-- ... --" that starts at `i`. */
static size_t
skip_dashed(const struct scanner *s, size_t i)
{
	i += 2;
	while (i < s->len) {
		i = find(s, i, '-');
		if (i == s->len)
			return NEEDS_MORE;
		if (byte(s, i + 1) == '-')
			return i + 2;
		i++;
	}
	return NEEDS_MORE;
}

/* "<![names[" at `start`. */
static size_t
parse_section(struct scanner *s, size_t start)
{
	enum section section = SECTION_NONE;
	bool has_name = false;
	size_t i = start + 3;
	for (;;) {
		i = skip_space(s, i);
		while (is_name_first(byte(s, i))) {
			size_t end = skip_name(s, i);
			enum section named = section_named(slice(s, i, end));
			if (named > section)
				section = named;
			has_name = true;
			i = skip_space(s, end);
			if (i == s->len)
				return NEEDS_MORE;
		}
		if (byte(s, i) != '-' || byte(s, i + 1) != '-')
			break;
		i = skip_dashed(s, i);
		if (i == NEEDS_MORE)
			return NEEDS_MORE;
	}
	if (byte(s, i) != '[')
		return NOT_MARKUP;
	section_push(s, has_name ? section : SECTION_INCLUDE);
	tell(s, EVENT_NONE, STR_EMPTY);
	return i + 1;
}

/* --- declarations and comments --- */

static size_t
comment_to_gt(struct scanner *s, size_t start, size_t i)
{
	i = find(s, i, '>');
	if (i == s->len)
		return NEEDS_MORE;
	tell(s, EVENT_COMMENT, slice(s, start, i + 1));
	return i + 1;
}

/* "<!--" at `start`: ends at "--", blanks, ">". */
static size_t
parse_comment(struct scanner *s, size_t start)
{
	size_t i = start + 4;
	if (s->gt_ends_comment)
		return comment_to_gt(s, start, i);
	for (;; i++) {
		i = find(s, i, '-');
		if (i == s->len)
			return NEEDS_MORE;
		if (byte(s, i + 1) != '-')
			continue;
		size_t end = skip_space(s, i + 2);
		if (byte(s, end) != '>')
			continue;
		tell(s, EVENT_COMMENT, slice(s, start, end + 1));
		return end + 1;
	}
}

/*
 * The > of a declaration whose name ends at `i`.  NOT_MARKUP: at `*ret_bad` is
 * what none may have.
 */
static size_t
skip_declaration(const struct scanner *s, size_t i, size_t *ret_bad)
{
	for (;;) {
		i = skip_space(s, i);
		if (i == s->len)
			return NEEDS_MORE;
		char c = s->p[i];
		if (c == '>')
			return i;
		if (c == '"' || c == '\'') {
			i = find(s, i + 1, c);
			if (i == s->len)
				return NEEDS_MORE;
			i++;
		} else if (c == '-') {
			if (i + 1 == s->len)
				return NEEDS_MORE;
			*ret_bad = i;
			if (s->p[i + 1] != '-')
				return NOT_MARKUP;
			i = skip_dashed(s, i);
			if (i == NEEDS_MORE)
				return NEEDS_MORE;
		} else {
			i = skip_word(s, i + 1);
		}
	}
}

static size_t
parse_named_declaration(struct scanner *s, size_t start)
{
	size_t i = start + 2;
	size_t end = skip_name(s, i);
	if (end == s->len)
		return NEEDS_MORE;
	struct str name = slice(s, i, end);
	if (!str_ieq(name, STR("doctype")) && !str_ieq(name, STR("entity")))
		return comment_to_gt(s, start, end);
	size_t bad = end;
	end = skip_declaration(s, end, &bad);
	if (end == NEEDS_MORE)
		return NEEDS_MORE;
	if (end == NOT_MARKUP)
		return comment_to_gt(s, start, bad);
	tell(s, EVENT_DECLARATION, slice(s, start, end + 1));
	return end + 1;
}

/* "<!" at `start`; what is no declaration is a comment up to the next >. */
static size_t
parse_declaration(struct scanner *s, size_t start)
{
	size_t i = start + 2;
	char c = byte(s, i);
	if (char_is_alpha(c))
		return parse_named_declaration(s, start);
	if (c == '-' && i + 1 == s->len)
		return NEEDS_MORE;
	if (c == '-' && s->p[i + 1] == '-')
		return parse_comment(s, start);
	size_t end = c == '[' ? parse_section(s, start) : NOT_MARKUP;
	return end != NOT_MARKUP ? end : comment_to_gt(s, start, i);
}

/* --- tags --- */

static size_t
skip_value(struct scanner *s, size_t i, struct str *ret)
{
	char quote = byte(s, i);
	if (quote != '"' && quote != '\'') {
		size_t end = skip_word(s, i);
		*ret = slice(s, i, end);
		return end;
	}
	size_t end = find(s, i + 1, quote);
	*ret = slice(s, i + 1, end);
	return end == s->len ? end : end + 1;
}

/* One attribute at `i`, into s->tag; returns what is behind it and blanks. */
static size_t
parse_attr(struct scanner *s, size_t i)
{
	size_t end = i + 1;
	while (end < s->len && s->p[end] != '=' && s->p[end] != '>' &&
	       !char_is_space(s->p[end]))
		end++;
	struct html_attr attr = {.name = slice(s, i, end), .is_bare = true};
	attr.value = attr.name;
	i = skip_space(s, end);
	if (byte(s, i) == '=') {
		attr.is_bare = false;
		attr.value = STR_EMPTY;
		i = skip_space(s, i + 1);
		if (byte(s, i) != '>')
			i = skip_value(s, i, &attr.value);
		i = skip_space(s, i);
	}
	ARENA_PUSH(s->arena, &s->tag) = attr;
	return i;
}

static struct str
lower_in_place(struct scanner *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		s->p[i] = char_lower(s->p[i]);
	return slice(s, from, to);
}

static const struct literal *
literal_named(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(literals); i++)
		if (str_eq(name, literals[i].name))
			return &literals[i];
	return NULL;
}

/* "<x" at `start`. */
static size_t
parse_start(struct scanner *s, size_t start)
{
	size_t name_end = skip_word(s, start + 2);
	s->tag.n = 0;
	size_t i = skip_space(s, name_end);
	while (i < s->len && s->p[i] != '>')
		i = parse_attr(s, i);
	if (i == s->len)
		return NEEDS_MORE;
	s->tag.name = lower_in_place(s, start + 1, name_end);
	tell(s, EVENT_START, STR_EMPTY);
	const struct literal *literal = literal_named(s->tag.name);
	if (literal != NULL) {
		s->literal = literal;
		s->is_cdata = literal->is_cdata;
	}
	return i + 1;
}

/* The > that ends an end tag; quotes count after a blank or = only. */
static size_t
skip_until_gt(const struct scanner *s, size_t i)
{
	char quote = '\0';
	char before = ' ';
	for (; i < s->len; before = s->p[i++]) {
		char c = s->p[i];
		if (c == '>' && quote == '\0')
			break;
		if (c != '"' && c != '\'')
			continue;
		if (c == quote)
			quote = '\0';
		else if (quote == '\0' && (before == ' ' || before == '='))
			quote = c;
	}
	return i;
}

/* "</" at `start`. */
static size_t
parse_end(struct scanner *s, size_t start)
{
	size_t name = start + 2;
	size_t name_end = skip_word(s, name);
	size_t i = skip_until_gt(s, name_end);
	if (i == s->len)
		return NEEDS_MORE;
	if (name_end == name)
		tell(s, EVENT_COMMENT, slice(s, start, i + 1));
	else
		tell(s, EVENT_END, lower_in_place(s, name, name_end));
	return i + 1;
}

/* "<?" at `start`. */
static size_t
parse_process(struct scanner *s, size_t start)
{
	size_t i = find(s, start + 2, '>');
	if (i == s->len)
		return NEEDS_MORE;
	tell(s, EVENT_NONE, STR_EMPTY);
	return i + 1;
}

static size_t
parse_markup(struct scanner *s, size_t start)
{
	char c = byte(s, start + 1);
	if (is_name_first(c))
		return parse_start(s, start);
	switch (c) {
	case '/':
		return parse_end(s, start);
	case '!':
		return parse_declaration(s, start);
	case '?':
		return parse_process(s, start);
	default:
		return NOT_MARKUP;
	}
}

/* --- text --- */

/*
 * Behind the end tag of s->literal at `lt`, a <.  Else NOT_MARKUP, and
 * `*ret_next` is where to look for the next <.
 */
static size_t
literal_end(const struct scanner *s, size_t lt, size_t *ret_next)
{
	struct str name = s->literal->name;
	size_t i = lt + 1;
	size_t n = 0;
	if (byte(s, i) == '/')
		for (i++; n < name.len && char_lower(byte(s, i)) == name.p[n];
		     i++)
			n++;
	if (n == name.len && !s->literal->never_closes) {
		i = skip_space(s, i);
		if (byte(s, i) == '>')
			return i + 1;
	}
	*ret_next = i;
	return NOT_MARKUP;
}

static unsigned
literal_bit(const struct scanner *s)
{
	return 1U << (s->literal - literals);
}

/* True: the literal element was closed; false: it is open at the end. */
static bool
scan_literal(struct scanner *s)
{
	if ((s->unclosed & literal_bit(s)) != 0)
		return false;
	size_t i = s->at;
	while ((i = find(s, i, '<')) < s->len) {
		size_t lt = i;
		size_t end = literal_end(s, lt, &i);
		if (end == NOT_MARKUP)
			continue;
		if (lt > s->at)
			tell(s, EVENT_TEXT, slice(s, s->at, lt));
		tell(s, EVENT_END, s->literal->name);
		s->literal = NULL;
		s->is_cdata = false;
		s->at = end;
		return true;
	}
	s->unclosed |= literal_bit(s);
	return false;
}

static bool
is_section_end(const struct scanner *s, size_t i)
{
	return byte(s, i) == ']' && byte(s, i + 1) == ']' &&
	       byte(s, i + 2) == '>';
}

static void
close_section(struct scanner *s, size_t end)
{
	tell(s, EVENT_NONE, STR_EMPTY);
	s->at = end;
	section_pop(s);
}

/* In CDATA or RCDATA.  False: open at the end. */
static bool
scan_section(struct scanner *s)
{
	for (size_t i = s->at; i < s->len; i++) {
		i = find(s, i, ']');
		if (!is_section_end(s, i))
			continue;
		if (i > s->at)
			tell(s, EVENT_TEXT, slice(s, s->at, i));
		close_section(s, i + 3);
		return true;
	}
	return false;
}

/*
 * Text up to the next <, in any other section.  After a ] that ends no
 * section the next byte is never markup.
 */
static size_t
scan_text(struct scanner *s, size_t i)
{
	while (i < s->len && s->p[i] != '<') {
		if (s->section == SECTION_NONE) {
			i = find(s, i, '<');
			break;
		}
		if (s->p[i] != ']') {
			i++;
		} else if (is_section_end(s, i)) {
			tell(s, EVENT_TEXT, slice(s, s->at, i));
			i += 3;
			close_section(s, i);
		} else {
			i += byte(s, i + 1) == ']' ? 3 : 2;
		}
	}
	return i < s->len ? i : s->len;
}

/* The last word, or the blanks behind it, could go on in more input. */
static size_t
last_word(const struct scanner *s, size_t end)
{
	size_t i = end;
	if (!char_is_space(s->p[i - 1]))
		while (i > s->at && !char_is_space(s->p[i - 1]))
			i--;
	while (i > s->at && char_is_space(s->p[i - 1]))
		i--;
	return i;
}

static void
drop_rest(struct scanner *s)
{
	s->at = s->len;
	s->literal = NULL;
}

/*
 * All that is complete.  Leaves the incomplete rest at s->at: unterminated
 * markup, the last word, or an open literal element or section.
 */
static void
scan(struct scanner *s)
{
	size_t i = s->at, before = i;
	for (;;) {
		if (effort_is_over(s->effort, i - before + TOKEN_EFFORT)) {
			drop_rest(s);
			return;
		}
		before = i;
		while (s->literal != NULL) {
			if (!scan_literal(s))
				return;
			i = s->at;
		}
		while (s->section == SECTION_CDATA ||
		       s->section == SECTION_RCDATA) {
			if (!scan_section(s))
				return;
			i = s->at;
		}
		i = scan_text(s, i);
		if (i == s->len) {
			if (i == s->at)
				return;
			i = last_word(s, i);
			if (i > s->at)
				tell(s, EVENT_TEXT, slice(s, s->at, i));
			s->at = i;
			return;
		}
		if (i > s->at)
			tell(s, EVENT_TEXT, slice(s, s->at, i));
		s->at = i;
		if (s->len - i < 3)
			return;
		size_t end = parse_markup(s, i);
		if (end == NEEDS_MORE)
			return;
		i = end == NOT_MARKUP ? i + 1 : (s->at = end);
	}
}

/*
 * SpamAssassin closes <script> and <style> itself before it tells the parser
 * that the text is over.
 */
static void
close_script(struct scanner *s)
{
	if (s->literal == NULL || !s->literal->is_emptied ||
	    s->section == SECTION_IGNORE)
		return;
	if (s->at < s->len)
		tell(s, EVENT_TEXT, slice(s, s->at, s->len));
	tell(s, EVENT_END, s->literal->name);
	s->at = s->len;
	s->literal = NULL;
	s->is_cdata = false;
}

/* Look at the rest again, out of the literal element.  False: it is text. */
static bool
reopen_literal(struct scanner *s)
{
	if (s->literal->runs_to_end)
		return false;
	if (s->literal->is_emptied)
		tell(s, EVENT_END, s->literal->name);
	else
		s->pending_end = s->literal->name;
	s->literal = NULL;
	scan(s);
	return true;
}

/* The text is over: what is left is text, or unterminated markup, a comment. */
static void
finish(struct scanner *s)
{
	while (s->at < s->len) {
		if (s->literal != NULL) {
			if (!reopen_literal(s))
				break;
			continue;
		}
		if (s->p[s->at] != '<')
			break;
		if (!s->gt_ends_comment) {
			s->gt_ends_comment = true;
			scan(s);
			continue;
		}
		char c = byte(s, s->at + 1);
		if (s->at + 1 == s->len || is_name_first(c) || c == '/' ||
		    c == '!' || c == '?') {
			tell(s, EVENT_COMMENT, slice(s, s->at, s->len));
			s->at = s->len;
		}
		break;
	}
	if (s->at < s->len)
		tell(s, EVENT_TEXT, slice(s, s->at, s->len));
	tell(s, EVENT_NONE, STR_EMPTY);
}

void
html_tokenize(struct arena *a, char *text, size_t len,
    const struct html_sink *sink, struct effort *effort)
{
	struct scanner s = {.arena = a,
	    .sink = sink,
	    .effort = effort,
	    .p = text,
	    .len = len,
	    .pending_end = STR_EMPTY};
	scan(&s);
	close_script(&s);
	finish(&s);
}

const struct html_attr *
html_tag_attr(const struct html_tag *tag, struct str name)
{
	for (size_t i = 0; i < tag->n; i++)
		if (str_ieq(tag->v[i].name, name))
			return &tag->v[i];
	return NULL;
}
