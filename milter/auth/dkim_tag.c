/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_tag -- lists of tags. */
#include "auth/dkim_tag.h"

#include "base/arena.h"

#define TAGS_MAX 100

static bool
is_fws(char c)
{
	return char_is_blank(c) || c == '\r' || c == '\n';
}

static struct str
trim_fws(struct str s)
{
	while (s.len > 0 && is_fws(s.p[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && is_fws(s.p[s.len - 1]))
		s.len--;
	return s;
}

static struct str
without_fws(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len);
	size_t len = 0;
	for (size_t i = 0; i < s.len; i++)
		if (!is_fws(s.p[i]))
			p[len++] = s.p[i];
	return str_of(p, len);
}

static bool
is_tag_name(struct str name)
{
	if (name.len == 0 || !char_is_alpha(name.p[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_word(name.p[i]))
			return false;
	return true;
}

static const char *
tag_read(struct arena *a, struct str text, struct dkim_tags *ret)
{
	size_t sign = str_chr(text, '=');
	struct str name = trim_fws(str_sub(text, 0, sign));
	if (sign == STR_NONE || !is_tag_name(name))
		return "it is not a list of tags";
	for (size_t i = 0; i < ret->n; i++)
		if (str_ieq(ret->v[i].name, name))
			return "a tag stands there twice";
	if (ret->n == TAGS_MAX)
		return "it has too many tags";
	ARENA_PUSH(a, ret) =
	    (struct dkim_tag){name, without_fws(a, str_skip(text, sign + 1))};
	return NULL;
}

static bool
is_tag_text(char c)
{
	return (c >= ' ' && c <= '~') || is_fws(c);
}

const char *
dkim_tags_read(struct arena *a, struct str text, struct dkim_tags *ret)
{
	struct dkim_tags tags = {NULL, 0, 0};
	for (size_t i = 0; i < text.len; i++)
		if (!is_tag_text(text.p[i]))
			return "it has a byte that is not ASCII text";
	/* A ; at the end is allowed, an empty tag is not. */
	for (struct str rest = trim_fws(text); rest.len > 0;) {
		const char *why = tag_read(a, str_cut(&rest, ';'), &tags);
		if (why != NULL)
			return why;
		rest = trim_fws(rest);
	}
	if (tags.n == 0)
		return "it is empty";
	*ret = tags;
	return NULL;
}

static const struct dkim_tag *
tag_find(const struct dkim_tags *tags, const char *name)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].name, str_from(name)))
			return &tags->v[i];
	return NULL;
}

bool
dkim_tags_have(const struct dkim_tags *tags, const char *name)
{
	return tag_find(tags, name) != NULL;
}

struct str
dkim_tags_get(const struct dkim_tags *tags, const char *name)
{
	const struct dkim_tag *tag = tag_find(tags, name);
	return tag == NULL ? STR_EMPTY : tag->value;
}

bool
dkim_list_has(struct str list, const char *word)
{
	while (list.len > 0)
		if (str_ieq(str_cut(&list, ':'), str_from(word)))
			return true;
	return false;
}
