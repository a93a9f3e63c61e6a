/* SPDX-License-Identifier: BSD-2-Clause */
/* capture -- (?<NAME>...) in one rule, %{NAME} in another. */
#include "rules/capture.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/idn.h"
#include "rules/regex.h"

#define OPEN STR("%\\{")
#define CLOSE STR("\\}")
#define FILLED_BYTES ((size_t)1024 * 1024)

struct tags {
	struct message *m;
	struct table *values; /* name -> struct strs * */
};

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

bool
capture_is_set_by(struct str text)
{
	for (size_t i = 0; i + 3 < text.len; i++) {
		struct str here = str_skip(text, i);
		if (!str_starts(here, STR("(?")))
			continue;
		here = str_skip(here, here.p[2] == 'P' ? 3 : 2);
		if (here.len > 1 && (here.p[0] == '<' || here.p[0] == '\'') &&
		    is_capital(here.p[1]))
			return true;
	}
	return false;
}

/*
 * Bytes of the name at the start of `text`: capitals, digits, single _ between
 * them, and maybe (an argument); 0: none.
 */
static size_t
name_length(struct str text)
{
	size_t n = 0;
	if (text.len == 0 || !is_capital(text.p[0]))
		return 0;
	for (bool was_sign = false; n < text.len; n++) {
		bool is_sign = text.p[n] == '_';
		if (!is_capital(text.p[n]) && !char_is_digit(text.p[n]) &&
		    (!is_sign || was_sign))
			break;
		was_sign = is_sign;
	}
	if (text.p[n - 1] == '_')
		return 0;
	if (n == text.len || text.p[n] != '(')
		return n;
	size_t end = n + 1;
	while (end < text.len && text.p[end] != ')' && text.p[end] != '}')
		end++;
	return end < text.len && text.p[end] == ')' ? end + 1 : 0;
}

struct str
capture_mark(struct arena *a, struct str text, struct str *ret_name)
{
	*ret_name = STR_EMPTY;
	if (str_find(text, STR("%{")) == STR_NONE)
		return text;
	struct buf *b = buf_new(a, text.len * 2);
	bool is_escaped = false;
	for (size_t i = 0; i < text.len; i++) {
		struct str here = str_skip(text, i);
		size_t n = !is_escaped && str_starts(here, STR("%{"))
			       ? name_length(str_skip(here, 2))
			       : 0;
		is_escaped = text.p[i] == '\\';
		if (n == 0 || i + n + 2 >= text.len || here.p[n + 2] != '}') {
			buf_putc(b, text.p[i]);
			continue;
		}
		*ret_name = str_sub(here, 2, n);
		buf_put(b, OPEN);
		buf_put(b, *ret_name);
		buf_put(b, CLOSE);
		i += n + 2;
	}
	return buf_str(b);
}

struct tags *
tags_new(struct message *m)
{
	struct tags *tags = ARENA_NEW(m->arena, struct tags);
	tags->m = m;
	tags->values = table_new(m->arena, false);
	return tags;
}

void
captured_add(struct tags *tags, struct captured *captured,
    const struct regex *re, const struct regex_scratch *scratch,
    struct str subject)
{
	struct arena *a = tags->m->arena;
	for (size_t i = 0; i < regex_capture_count(re); i++) {
		struct str value = regex_capture(re, scratch, subject, i);
		struct str name = regex_capture_name(re, i);
		size_t at = 0;
		while (at < captured->n && !str_eq(captured->v[at].name, name))
			at++;
		if (value.len == 0)
			continue;
		if (at == captured->n)
			ARENA_PUSH(a, captured) =
			    (struct captured_tag){.name = name};
		captured->v[at].bytes += value.len + 1;
		if (captured->v[at].bytes <= CAPTURE_BYTES)
			strs_add(a, &captured->v[at].values, value);
	}
}

/* Each value once, in the order in which they came. */
static struct strs *
without_repeats(struct arena *a, const struct strs *values)
{
	struct strs *once = ARENA_NEW(a, struct strs);
	struct table *seen = table_new(a, false);
	for (size_t i = 0; i < values->n; i++) {
		if (table_has(seen, values->v[i]))
			continue;
		table_set(seen, values->v[i], once);
		strs_add(a, once, values->v[i]);
	}
	return once;
}

void
tags_set(struct tags *tags, const struct captured *captured)
{
	for (size_t i = 0; i < captured->n; i++)
		table_set(tags->values, captured->v[i].name,
		    without_repeats(tags->m->arena, &captured->v[i].values));
}

/* HEADER(NAME): of addresses and names the first, of fields all. */
static struct str
header_text(struct message *m, struct str request)
{
	struct header_query query;
	struct str value;
	if (!header_query_parse(request, &query) ||
	    !header_query_run(m, &query, &value))
		return STR_EMPTY;
	if (header_query_is_one(&query))
		return str_line(&value);
	return value;
}

/* The domain of each address that `request` selects, as A-labels. */
static void
add_domains(struct message *m, const char *request, struct strs *ret)
{
	struct header_query query;
	struct str text;
	struct table *seen = table_new(m->arena, false);
	if (!header_query_parse(str_from(request), &query) ||
	    !header_query_run(m, &query, &text))
		return;
	while (text.len > 0) {
		struct str line = str_line(&text);
		size_t at = str_rchr(line, '@');
		if (at == STR_NONE)
			continue;
		line = str_skip(line, at + 1);
		struct str domain = str_word(&line);
		if (domain.len == 0 || table_has(seen, domain))
			continue;
		table_set(seen, domain, seen);
		strs_add(m->arena, ret, idn_to_ascii(m->arena, domain));
	}
}

static void
add_sender_domain(struct message *m, struct str argument, struct strs *ret)
{
	(void)argument;
	add_domains(m, "EnvelopeFrom:first:addr", ret);
}

static void
add_author_domain(struct message *m, struct str argument, struct strs *ret)
{
	(void)argument;
	add_domains(m, "From:addr", ret);
}

static void
add_header(struct message *m, struct str argument, struct strs *ret)
{
	strs_add(m->arena, ret, header_text(m, argument));
}

/* Tags that are there without a rule. */
static const struct built_in {
	const char *name;
	void (*add)(struct message *m, struct str argument, struct strs *ret);
	const char *header; /* instead of `add`: the value of that header */
} built_ins[] = {
    {"HEADER", add_header, NULL},
    {"SENDERDOMAIN", add_sender_domain, NULL},
    {"AUTHORDOMAIN", add_author_domain, NULL},
    {"RELAYSTRUSTED", NULL, "X-Spam-Relays-Trusted"},
    {"RELAYSUNTRUSTED", NULL, "X-Spam-Relays-Untrusted"},
    {"RELAYSINTERNAL", NULL, "X-Spam-Relays-Internal"},
    {"RELAYSEXTERNAL", NULL, "X-Spam-Relays-External"},
};

/* The values of `name`, which may have (an argument). */
static const struct strs *
tag_values(struct tags *tags, struct str name)
{
	struct arena *a = tags->m->arena;
	const struct strs *known = table_get(tags->values, name);
	if (known != NULL)
		return known;
	struct strs *values = ARENA_NEW(a, struct strs);
	struct str argument = name;
	struct str word = str_cut(&argument, '(');
	if (str_ends(argument, STR(")")))
		argument.len--;
	for (size_t i = 0; i < COUNT_OF(built_ins); i++) {
		const struct built_in *b = &built_ins[i];
		if (!str_eq(word, str_from(b->name)))
			continue;
		if (b->add != NULL)
			b->add(tags->m, argument, values);
		else
			add_header(tags->m, str_from(b->header), values);
	}
	table_set(tags->values, name, values);
	return values;
}

/* Any byte but a letter, a digit or _ behind a backslash. */
static void
put_quoted(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!char_is_word(text.p[i]))
			buf_putc(b, '\\');
		buf_putc(b, text.p[i]);
	}
}

static void
put_values(struct buf *b, const struct strs *values)
{
	buf_put(b, STR("(?:"));
	bool is_first = true;
	for (size_t i = 0; i < values->n; i++) {
		if (values->v[i].len == 0)
			continue;
		if (!is_first)
			buf_putc(b, '|');
		is_first = false;
		put_quoted(b, values->v[i]);
	}
	buf_putc(b, ')');
}

size_t
tags_bytes(struct tags *tags, struct str name)
{
	const struct strs *values = tag_values(tags, name);
	size_t bytes = 0;
	for (size_t i = 0; i < values->n; i++)
		bytes += values->v[i].len;
	return bytes;
}

/* Where a value is to be filled in. */
static struct str
mark_of(struct arena *a, struct str name)
{
	return str_printf(a, "%%\\{%.*s\\}", STR_ARG(name));
}

/* In a class \R is an error, and so nothing is known of the pattern. */
struct str
capture_gap(struct arena *a, struct str marked, struct str name)
{
	struct str mark = mark_of(a, name);
	struct buf *b = buf_new(a, 3 * marked.len + 1);
	for (size_t at; (at = str_find(marked, mark)) != STR_NONE;) {
		bool is_escaped = at > 0 && marked.p[at - 1] == '\\';
		buf_put(b, str_sub(marked, 0, at));
		buf_put(b, is_escaped ? mark : STR("(?:\\R*)"));
		marked = str_skip(marked, at + mark.len);
	}
	buf_put(b, marked);
	return buf_str(b);
}

/* Behind the class that starts at `at`; STR_NONE: it does not end. */
static size_t
class_end(struct str regex, size_t at)
{
	at += 1 + str_starts(str_skip(regex, at + 1), STR("^"));
	at += str_starts(str_skip(regex, at), STR("]"));
	while (at < regex.len && regex.p[at] != ']') {
		size_t named = str_starts(str_skip(regex, at), STR("[:"))
				   ? str_find(str_skip(regex, at), STR(":]"))
				   : STR_NONE;
		if (named != STR_NONE)
			at += named + 1;
		else if (regex.p[at] == '\\')
			at++;
		at++;
	}
	return at < regex.len ? at + 1 : STR_NONE;
}

/*
 * What starts at `here` changes how the rest is read: a verb, a comment, or
 * flags with x, behind which comments may be.
 */
static bool
is_odd_start(struct str here)
{
	if (str_starts(here, STR("(*")) || str_starts(here, STR("(?#")))
		return true;
	if (!str_starts(here, STR("(?")))
		return false;
	size_t n = 2;
	while (n < here.len && (char_is_alpha(here.p[n]) || here.p[n] == '^' ||
				   here.p[n] == '-'))
		n++;
	return str_chr(str_sub(here, 2, n - 2), 'x') != STR_NONE;
}

bool
capture_is_needed(struct arena *a, struct str marked, struct str name)
{
	struct str mark = mark_of(a, name);
	bool is_there = false;
	unsigned depth = 0;
	if (str_find(marked, STR("\\Q")) != STR_NONE)
		return false;
	for (size_t i = 0; i < marked.len;) {
		struct str here = str_skip(marked, i);
		char c = here.p[0];
		if (is_odd_start(here) || (c == '|' && depth == 0))
			return false;
		if (depth == 0 && str_starts(here, mark) &&
		    (i == 0 || marked.p[i - 1] != '\\')) {
			i += mark.len;
			is_there |= i == marked.len ||
				    strchr("?*{", marked.p[i]) == NULL;
			continue;
		}
		depth += c == '(';
		depth -= c == ')' && depth > 0;
		i = c == '[' ? class_end(marked, i) : i + 1 + (c == '\\');
		if (i == STR_NONE)
			return false;
	}
	return is_there;
}

bool
tags_may_be_in(struct tags *tags, struct str name, struct str text)
{
	const struct strs *values = tag_values(tags, name);
	for (size_t i = 0; i < values->n; i++)
		if (values->v[i].len > 0 &&
		    (!str_is_ascii(values->v[i]) ||
			str_ifind(text, values->v[i]) != STR_NONE))
			return true;
	return false;
}

bool
tags_fill(
    struct tags *tags, struct str marked, struct str name, struct str *ret)
{
	struct arena *a = tags->m->arena;
	const struct strs *values = tag_values(tags, name);
	if (tags_bytes(tags, name) == 0)
		return false;
	struct str mark = mark_of(a, name);
	struct buf *b = buf_new(a, FILLED_BYTES);
	for (size_t at; (at = str_find(marked, mark)) != STR_NONE;) {
		buf_put(b, str_sub(marked, 0, at));
		if (at > 0 && marked.p[at - 1] == '\\')
			buf_put(b, mark);
		else
			put_values(b, values);
		marked = str_skip(marked, at + mark.len);
	}
	buf_put(b, marked);
	*ret = buf_str(b);
	return !b->is_cut;
}
