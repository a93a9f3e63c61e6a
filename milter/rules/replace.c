/* SPDX-License-Identifier: BSD-2-Clause */
/* replace -- tags in regular expressions. */
#include "rules/replace.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"

#define PASSES 6

struct replace_tags *
replace_tags_new(struct arena *a)
{
	struct replace_tags *tags = ARENA_NEW(a, struct replace_tags);
	for (size_t i = 0; i < REPLACE_KINDS; i++)
		tags->kind[i] = table_new(a, false);
	tags->start = STR("<");
	tags->end = STR(">");
	return tags;
}

void
replace_tags_set(struct replace_tags *tags, enum replace_kind kind,
    struct str name, struct str text)
{
	struct table *t = tags->kind[kind];
	struct str *value = ARENA_NEW(t->arena, struct str);
	*value = text;
	table_set(t, name, value);
}

static struct str
lookup(const struct replace_tags *tags, enum replace_kind kind, struct str name)
{
	const struct str *value = table_get(tags->kind[kind], name);
	return value == NULL ? STR_EMPTY : *value;
}

/* A place in a text. */
struct span {
	size_t from, len; /* len 0: not found */
};

/* `start`, one byte or more, and `end`, the first such in `text`. */
static struct span
span_find(struct str text, struct str start, struct str end)
{
	size_t from = str_find(text, start);
	if (from == STR_NONE || from + start.len >= text.len)
		return (struct span){0, 0};
	size_t inside = from + start.len + 1;
	size_t to = str_find(str_skip(text, inside), end);
	if (to == STR_NONE)
		return (struct span){0, 0};
	return (struct span){from, inside + to + end.len - from};
}

/* "<", bytes that are neither, ">": where SpamAssassin cuts a pattern. */
static struct span
piece_find(struct str text)
{
	size_t open = STR_NONE;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '<')
			open = i;
		else if (text.p[i] == '>' && open != STR_NONE && i > open + 1)
			return (struct span){open, i + 1 - open};
		else if (text.p[i] == '>')
			open = STR_NONE;
	}
	return (struct span){0, 0};
}

/* What stands around the tags of one pattern. */
struct around {
	struct str pre, inter, post;
};

struct pass {
	struct arena *a;
	const struct replace_tags *tags;
	struct around around;
	struct buf *out;
	bool is_again; /* what was put in has tags itself */
};

/* Take the first `<word NAME>` out of `*pattern`: what it stands for. */
static struct str
modifier_take(struct pass *p, enum replace_kind kind, const char *word,
    struct str *pattern)
{
	const struct replace_tags *tags = p->tags;
	struct str start =
	    str_printf(p->a, "%.*s%s ", STR_ARG(tags->start), word);
	struct span span = span_find(*pattern, start, tags->end);
	if (span.len == 0)
		return STR_EMPTY;
	struct str name = str_sub(*pattern, span.from + start.len,
	    span.len - start.len - tags->end.len);
	*pattern = str_printf(p->a, "%.*s%.*s",
	    STR_ARG(str_sub(*pattern, 0, span.from)),
	    STR_ARG(str_skip(*pattern, span.from + span.len)));
	return lookup(tags, kind, name);
}

/* `piece` with `pre` before its first tag and `post` behind each. */
static struct str
put_around(struct pass *p, struct str piece)
{
	const struct replace_tags *tags = p->tags;
	struct span first = span_find(piece, tags->start, tags->end);
	if (first.len > 0 && p->around.pre.len > 0)
		piece = str_printf(p->a, "%.*s%.*s%.*s",
		    STR_ARG(str_sub(piece, 0, first.from)),
		    STR_ARG(p->around.pre),
		    STR_ARG(str_skip(piece, first.from)));
	if (p->around.post.len == 0)
		return piece;
	struct buf *b = buf_new(p->a, REPLACE_BYTES);
	for (struct span at;
	     (at = span_find(piece, tags->start, tags->end)).len > 0;) {
		buf_put(b, str_sub(piece, 0, at.from + at.len));
		buf_put(b, p->around.post);
		piece = str_skip(piece, at.from + at.len);
	}
	buf_put(b, piece);
	return buf_str(b);
}

/* Replace the tag that comes first in `piece`, wherever it stands there. */
static void
piece_put(struct pass *p, struct str piece)
{
	const struct replace_tags *tags = p->tags;
	piece = put_around(p, piece);
	struct span at = span_find(piece, tags->start, tags->end);
	struct str tag = str_sub(piece, at.from, at.len);
	struct str text = STR_EMPTY;
	if (at.len > 0)
		text = lookup(tags, REPLACE_TAG,
		    str_sub(tag, tags->start.len,
			tag.len - tags->start.len - tags->end.len));
	if (text.len == 0 || str_eq(text, STR("0"))) {
		buf_put(p->out, piece);
		return;
	}
	p->is_again =
	    p->is_again || span_find(text, STR("<"), STR(">")).len > 0;
	for (size_t next; (next = str_find(piece, tag)) != STR_NONE;) {
		buf_put(p->out, str_sub(piece, 0, next));
		buf_put(p->out, text);
		piece = str_skip(piece, next + tag.len);
	}
	buf_put(p->out, piece);
}

static struct str
pass(struct arena *a, const struct replace_tags *tags, struct str pattern,
    bool *ret_again)
{
	struct pass p = {
	    .a = a, .tags = tags, .out = buf_new(a, REPLACE_BYTES)};
	p.around.pre = modifier_take(&p, REPLACE_PRE, "pre", &pattern);
	p.around.post = modifier_take(&p, REPLACE_POST, "post", &pattern);
	p.around.inter = modifier_take(&p, REPLACE_INTER, "inter", &pattern);
	bool is_first = true;
	for (struct span at; (at = piece_find(pattern)).len > 0;) {
		struct str before = str_sub(pattern, 0, at.from);
		if (before.len == 0 && !is_first)
			buf_put(p.out, p.around.inter);
		piece_put(&p, before);
		piece_put(&p, str_sub(pattern, at.from, at.len));
		pattern = str_skip(pattern, at.from + at.len);
		is_first = false;
	}
	piece_put(&p, pattern);
	*ret_again = p.is_again;
	return buf_str(p.out);
}

struct str
replace_apply(
    struct arena *a, const struct replace_tags *tags, struct str pattern)
{
	bool is_again = true;
	for (int i = 0; is_again && i < PASSES; i++)
		pattern = pass(a, tags, pattern, &is_again);
	return pattern;
}
