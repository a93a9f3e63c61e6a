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

/* The first tag in `text` at or behind `from`, with its signs; empty: none. */
static struct str
tag_find(const struct replace_tags *tags, struct str text, size_t from)
{
	struct str rest = str_skip(text, from);
	for (;;) {
		size_t start = str_find(rest, tags->start);
		if (start == STR_NONE)
			return STR_EMPTY;
		rest = str_skip(rest, start);
		struct str inside = str_skip(rest, tags->start.len);
		size_t end = str_find(inside, tags->end);
		if (end == STR_NONE)
			return STR_EMPTY;
		/* The innermost start before that end. */
		size_t inner = str_find(inside, tags->start);
		if (end > 0 && (inner == STR_NONE || inner > end))
			return str_sub(
			    rest, 0, tags->start.len + end + tags->end.len);
		rest = inside;
	}
}

static struct str
tag_name(const struct replace_tags *tags, struct str tag)
{
	return str_sub(
	    tag, tags->start.len, tag.len - tags->start.len - tags->end.len);
}

/* Take the first `<word NAME>` out of `*pattern`; empty: there is none. */
static struct str
modifier_take(struct arena *a, const struct replace_tags *tags, struct str word,
    struct str *pattern)
{
	size_t from = 0;
	for (;;) {
		struct str tag = tag_find(tags, *pattern, from);
		if (tag.len == 0)
			return STR_EMPTY;
		struct str name = tag_name(tags, tag);
		size_t at = (size_t)(tag.p - pattern->p);
		from = at + tag.len;
		if (!str_starts(name, word) || name.len == word.len)
			continue;
		*pattern =
		    str_printf(a, "%.*s%.*s", STR_ARG(str_sub(*pattern, 0, at)),
			STR_ARG(str_skip(*pattern, from)));
		return str_skip(name, word.len);
	}
}

/* What stands around the tags of one pattern. */
struct around {
	struct str pre, inter, post;
};

/* The text for one tag; `*ret_again`: it has tags itself. */
static void
tag_put(const struct replace_tags *tags, const struct around *around,
    struct str tag, struct buf *b, bool *ret_again)
{
	struct str text = lookup(tags, REPLACE_TAG, tag_name(tags, tag));
	if (text.len > 0 && tag_find(tags, text, 0).len > 0)
		*ret_again = true;
	buf_put(b, around->pre);
	buf_put(b, text.len > 0 ? text : tag);
	buf_put(b, around->post);
}

static struct str
pass(struct arena *a, const struct replace_tags *tags, struct str pattern,
    bool *ret_again)
{
	struct around around = {
	    .pre = lookup(tags, REPLACE_PRE,
		modifier_take(a, tags, STR("pre "), &pattern)),
	    .post = lookup(tags, REPLACE_POST,
		modifier_take(a, tags, STR("post "), &pattern)),
	    .inter = lookup(tags, REPLACE_INTER,
		modifier_take(a, tags, STR("inter "), &pattern)),
	};
	struct buf *b = buf_new(a, REPLACE_BYTES);
	*ret_again = false;
	size_t from = 0;
	for (;;) {
		struct str tag = tag_find(tags, pattern, from);
		if (tag.len == 0)
			break;
		size_t at = (size_t)(tag.p - pattern.p);
		if (at == from && from > 0)
			buf_put(b, around.inter);
		buf_put(b, str_sub(pattern, from, at - from));
		tag_put(tags, &around, tag, b, ret_again);
		from = at + tag.len;
	}
	buf_put(b, str_skip(pattern, from));
	return buf_str(b);
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
