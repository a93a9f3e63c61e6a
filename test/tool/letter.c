/* SPDX-License-Identifier: BSD-2-Clause */
/* letter -- a message as an MTA hands it to a milter. */
#include "letter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"

#define LETTER_MAX ((size_t)1 << 30)

/* The name in front of the colon; empty: `line` starts no header field. */
static struct str
field_name(struct str line)
{
	size_t colon = str_chr(line, ':');
	if (colon == STR_NONE)
		return STR_EMPTY;
	struct str name = str_trim(str_sub(line, 0, colon));
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
			return STR_EMPTY;
	return name;
}

static struct str
line_without_cr(struct str line)
{
	return str_ends(line, STR("\r")) ? str_sub(line, 0, line.len - 1)
					 : line;
}

/* Lines that start with a blank belong to the field before them. */
static struct str
take_folds(struct arena *a, struct str value, struct str *rest)
{
	struct buf *b = NULL;
	while (rest->len > 0 && char_is_blank(rest->p[0])) {
		if (b == NULL) {
			b = buf_new(a, LETTER_MAX);
			buf_put(b, value);
		}
		buf_putc(b, '\n');
		buf_put(b, line_without_cr(str_line(rest)));
	}
	return b == NULL ? value : buf_str(b);
}

static struct str
with_crlf(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, LETTER_MAX);
	buf_reserve(b, text.len + text.len / 32);
	while (text.len > 0) {
		size_t before = text.len;
		struct str line = str_line(&text);
		bool has_end = before - text.len > line.len;
		buf_put(b, has_end ? line_without_cr(line) : line);
		if (has_end)
			buf_put(b, STR("\r\n"));
	}
	return buf_str(b);
}

void
letter_parse(struct arena *a, struct str raw, struct letter *ret)
{
	struct str rest = raw;
	if (str_starts(rest, STR("From ")))
		(void)str_line(&rest);
	while (rest.len > 0) {
		struct str body = rest;
		struct str line = line_without_cr(str_line(&rest));
		struct str name = field_name(line);
		if (name.len == 0) {
			/* what is no field starts the body, as in Postfix */
			rest = line.len == 0 ? rest : body;
			break;
		}
		struct str value = str_skip(line, str_chr(line, ':') + 1);
		ARENA_PUSH(a, ret) =
		    (struct letter_field){name, take_folds(a, value, &rest)};
	}
	ret->body = with_crlf(a, rest);
}

static bool
read_all(int fd, struct buf *b)
{
	char block[65536];
	ssize_t n;
	while ((n = read(fd, block, sizeof(block))) > 0)
		buf_put(b, str_of(block, (size_t)n));
	return n == 0;
}

bool
letter_read(struct arena *a, const char *path, struct letter *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	struct buf *raw = buf_new(a, LETTER_MAX);
	bool is_read = read_all(fd, raw);
	int saved = errno;
	if (!is_stdin)
		(void)close(fd);
	errno = saved;
	if (!is_read)
		return false;
	*ret = (struct letter){.title = str_dup(a, str_from(path))};
	letter_parse(a, buf_str(raw), ret);
	return true;
}

static void
add_field(
    struct arena *a, struct letter *letter, struct str name, struct str value)
{
	ARENA_PUSH(a, letter) = (struct letter_field){name, value};
}

static struct str
make_body(struct arena *a, const struct letter_shape *shape)
{
	static const char line[] = "Please find the figures of this week in "
				   "the table below, thank you.";
	struct buf *b = buf_new(a, LETTER_MAX);
	buf_reserve(b, shape->body_bytes);
	while (b->len < shape->body_bytes) {
		buf_put(
		    b, str_sub(str_from(line), 0, shape->body_bytes - b->len));
		if (!shape->is_one_line)
			buf_put(b, STR("\r\n"));
	}
	return buf_str(b);
}

void
letter_make(
    struct arena *a, const struct letter_shape *shape, struct letter *ret)
{
	*ret = (struct letter){.title = STR("made")};
	add_field(a, ret, STR("From"), STR(" Alice <alice@sender.example>"));
	add_field(a, ret, STR("To"), STR(" bob@remote.example"));
	add_field(a, ret, STR("Subject"), STR(" the figures of this week"));
	add_field(a, ret, STR("Date"), STR(" Sun, 22 Nov 2026 10:12:00 +0000"));
	add_field(a, ret, STR("Message-ID"), STR(" <1@sender.example>"));
	add_field(a, ret, STR("MIME-Version"), STR(" 1.0"));
	add_field(
	    a, ret, STR("Content-Type"), STR(" text/plain; charset=utf-8"));
	for (size_t i = 0; i < shape->extra_fields; i++)
		add_field(a, ret, str_printf(a, "X-Load-%zu", i),
		    STR(" one of many"));
	ret->body = make_body(a, shape);
}
