/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_mail -- raw header fields and the body. */
#include "auth/dkim_mail.h"

#include "base/arena.h"
#include "mail/header.h"

struct list {
	struct dkim_field *v;
	size_t n, cap;
};

static struct dkim_field
field_of(struct str text)
{
	struct str name = str_sub(text, 0, str_chr(text, ':'));
	while (name.len > 0 && char_is_blank(name.p[name.len - 1]))
		name.len--;
	return (struct dkim_field){.name = name, .text = text};
}

/* Move `*rest` behind the field that it starts with; false: there is none. */
static bool
field_next(struct str *rest, struct str *ret)
{
	struct str from = *rest;
	struct str line = str_line(rest);
	if (!header_is_field(line)) {
		*rest = from;
		return false;
	}
	while (rest->len > 0 && char_is_blank(rest->p[0]))
		line = str_line(rest);
	*ret = str_of(from.p, (size_t)(line.p + line.len - from.p));
	return true;
}

void
dkim_mail_cut(
    struct arena *a, struct str raw, size_t max, struct dkim_mail *ret)
{
	struct list list = {NULL, 0, 0};
	struct str text;
	bool is_cut = false;
	while (field_next(&raw, &text)) {
		is_cut = list.n == max;
		if (!is_cut)
			ARENA_PUSH(a, &list) = field_of(text);
	}
	if (str_starts(raw, STR("\n")))
		raw = str_skip(raw, 1);
	*ret = (struct dkim_mail){
	    .v = list.v, .n = list.n, .is_cut = is_cut, .body = raw};
}

struct str
dkim_field_value(const struct dkim_field *field)
{
	struct str value = field->text;
	(void)str_cut(&value, ':');
	return value;
}
