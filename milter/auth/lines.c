/* SPDX-License-Identifier: BSD-2-Clause */
/* lines -- the lines of list options and of their files. */
#include "auth/lines.h"

#include <errno.h>

#include "base/arena.h"
#include "base/file.h"

static bool
is_file(struct str value, struct str *ret_path)
{
	bool has_prefix = str_starts(value, STR("file:/"));
	*ret_path = has_prefix ? str_skip(value, 5) : value;
	return has_prefix ||
	       (str_starts(value, STR("/")) && str_chr(value, ':') == STR_NONE);
}

/* Empty, or a comment. */
static bool
is_nothing(struct str line)
{
	line = str_trim(line);
	return line.len == 0 || line.p[0] == '#';
}

/* `span` is a line and what goes on from it, as they stand in the file. */
static struct str
joined(struct arena *a, struct str span)
{
	char *p = arena_alloc(a, span.len);
	size_t len = 0;
	while (span.len > 0) {
		struct str line = str_line(&span);
		if (is_nothing(line))
			continue;
		line = str_trim(line);
		if (len > 0)
			p[len++] = ' ';
		memcpy(p + len, line.p, line.len);
		len += line.len;
	}
	return str_of(p, len);
}

static void
lines_add(
    struct arena *a, const struct line *line, bool is_long, struct lines *ret)
{
	if (line->text.len == 0)
		return;
	ARENA_PUSH(a, ret) = (struct line){
	    .file = line->file,
	    .number = line->number,
	    .text = is_long ? joined(a, line->text) : str_trim(line->text),
	};
}

void
lines_of_text(
    struct arena *a, struct str file, struct str text, struct lines *ret)
{
	struct line open = {.file = file, .text = STR_EMPTY};
	bool is_long = false;
	unsigned number = 0;
	for (struct str rest = text; rest.len > 0;) {
		struct str line = str_line(&rest);
		number++;
		if (is_nothing(line))
			continue;
		if (open.text.len > 0 && char_is_blank(line.p[0])) {
			size_t end = (size_t)(line.p - open.text.p) + line.len;
			open.text = str_of(open.text.p, end);
			is_long = true;
			continue;
		}
		lines_add(a, &open, is_long, ret);
		open.text = line;
		open.number = number;
		is_long = false;
	}
	lines_add(a, &open, is_long, ret);
}

bool
lines_read(struct arena *a, const struct strs *values,
    const struct option_place *option, struct lines *ret, struct diags *diags)
{
	bool is_ok = true;
	for (size_t i = 0; i < values->n; i++) {
		struct str path, text, value = str_trim(values->v[i]);
		struct line line = {.file = option_place_file(option),
		    .number = option_place_line(option, i),
		    .text = value};
		if (!is_file(value, &path)) {
			lines_add(a, &line, false, ret);
		} else if (file_text(a, path, LINES_FILE_BYTES, &text)) {
			lines_of_text(a, str_dup(a, path), text, ret);
		} else {
			option_complain(diags, DIAG_ERROR, option, i,
			    "%.*s cannot be read: %s", STR_ARG(path),
			    file_trouble(errno));
			is_ok = false;
		}
	}
	return is_ok;
}
