/* SPDX-License-Identifier: BSD-2-Clause */
/* glob -- patterns with * and ?, found by what is behind their last wildcard.
 */
#include "rules/glob.h"

#include "base/arena.h"
#include "base/table.h"

struct glob {
	struct str text;
	void *value;
};

struct glob_list {
	struct glob *v;
	size_t n, cap;
};

struct globs {
	struct arena *arena;
	struct table *whole; /* without wildcards: glob_list by text */
	/*
	 * "*@b.example": glob_list by "@b.example", which begins at the first @
	 * or dot behind the last wildcard.
	 */
	struct table *tails;
	size_t tail_max;       /* bytes of the longest key of `tails` */
	struct glob_list rest; /* no such tail */
};

bool
glob_fits(struct str glob, struct str text)
{
	size_t g = 0, t = 0, star = STR_NONE, star_text = 0;
	while (t < text.len) {
		if (g < glob.len && glob.p[g] == '*') {
			star = g++;
			star_text = t;
		} else if (g < glob.len &&
			   (glob.p[g] == '?' || glob.p[g] == text.p[t])) {
			g++;
			t++;
		} else if (star != STR_NONE) {
			g = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.p[g] == '*')
		g++;
	return g == glob.len;
}

struct globs *
globs_new(struct arena *a)
{
	struct globs *globs = ARENA_NEW(a, struct globs);
	globs->arena = a;
	globs->whole = table_new(a, false);
	globs->tails = table_new(a, false);
	return globs;
}

static bool
is_mark(char c)
{
	return c == '@' || c == '.';
}

/* What is behind the last wildcard, from the first mark on; empty: no mark. */
static struct str
tail_of(struct str glob)
{
	size_t from = glob.len;
	while (from > 0 && glob.p[from - 1] != '*' && glob.p[from - 1] != '?')
		from--;
	while (from < glob.len && !is_mark(glob.p[from]))
		from++;
	return str_skip(glob, from);
}

static struct glob_list *
list_of(struct globs *globs, struct table *table, struct str key)
{
	struct glob_list *list = table_get(table, key);
	if (list == NULL) {
		list = ARENA_NEW(globs->arena, struct glob_list);
		table_set(table, key, list);
	}
	return list;
}

void
globs_add(struct globs *globs, struct str glob, void *value)
{
	struct str tail = tail_of(glob);
	bool has_wildcard =
	    str_chr(glob, '*') != STR_NONE || str_chr(glob, '?') != STR_NONE;
	struct glob_list *list = &globs->rest;
	if (!has_wildcard) {
		list = list_of(globs, globs->whole, glob);
	} else if (tail.len > 0) {
		list = list_of(globs, globs->tails, tail);
		if (tail.len > globs->tail_max)
			globs->tail_max = tail.len;
	}
	ARENA_PUSH(globs->arena, list) = (struct glob){glob, value};
}

static bool
list_find(const struct glob_list *list, struct str text,
    bool (*fn)(void *arg, void *value), void *arg)
{
	for (size_t i = 0; list != NULL && i < list->n; i++)
		if (glob_fits(list->v[i].text, text) &&
		    fn(arg, list->v[i].value))
			return true;
	return false;
}

bool
globs_find(const struct globs *globs, struct str text,
    bool (*fn)(void *arg, void *value), void *arg)
{
	if (text.len > 0 && text.p[text.len - 1] == '\n')
		text.len--;
	if (str_chr(text, '\n') != STR_NONE)
		return false;
	if (list_find(table_get(globs->whole, text), text, fn, arg) ||
	    list_find(&globs->rest, text, fn, arg))
		return true;
	size_t i = text.len > globs->tail_max ? text.len - globs->tail_max : 0;
	for (; i < text.len; i++)
		if (is_mark(text.p[i]) &&
		    list_find(table_get(globs->tails, str_skip(text, i)), text,
			fn, arg))
			return true;
	return false;
}

static bool
is_enough(void *arg, void *value)
{
	(void)arg;
	(void)value;
	return true;
}

bool
globs_match(const struct globs *globs, struct str text)
{
	return globs_find(globs, text, is_enough, NULL);
}
