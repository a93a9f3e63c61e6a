/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime -- parameters, transfer encodings and charsets.  The first byte says how
 * long the first field is; the rest is its text.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/convert.h"
#include "mail/mime.h"
#include "mail/transfer.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_type(struct arena *a, struct str value)
{
	const struct mime_type *type = mime_type_parse(a, value);
	check(type->boundary.len <= value.len);
	check(type->charset.len <= value.len + 8); /* us-ascii */
	check(type->has_boundary == (type->boundary.len > 0));
	for (size_t i = 0; i < type->type.len; i++)
		check(type->type.p[i] > ' ' && type->type.p[i] <= '~');
	check(mime_parameter(a, value, STR("name")).len <= 4 * value.len + 64);
}

static void
check_transfer(struct arena *a, struct str text)
{
	check(transfer_base64(a, text).len <= text.len / 4 * 3 + 3);
	check(transfer_quoted_printable(a, text).len <= text.len);
	struct str lines = transfer_unix_lines(a, text);
	check(lines.len <= text.len);
}

static void
check_charset(struct arena *a, struct str text, struct str declared)
{
	bool is_characters;
	struct str made =
	    charset_normalize(a, text, declared, SIZE_MAX, &is_characters);
	check(utf8_is_valid(made));
	struct str cut =
	    charset_normalize(a, text, declared, 10, &is_characters);
	check(cut.len >= 10 || cut.len == made.len);
	made = charset_decode(a, text, declared);
	check(utf8_is_valid(made) || made.p == text.p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *a = arena_new();
	struct str rest = str_of((const char *)data + 1, size - 1);
	struct str first = str_sub(rest, 0, data[0]);
	struct str text = str_skip(rest, data[0]);
	check_type(a, first);
	check_transfer(a, text);
	check_charset(a, text, first);
	arena_free(a);
	return 0;
}
