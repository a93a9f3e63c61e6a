/* SPDX-License-Identifier: BSD-2-Clause */
/* letter -- whatever subject and body are, short ASCII lines leave, no field is
 * added, and the body can be read again. */
#include "fuzz.h"

#include "hold/letter.h"
#include "mail/transfer.h"

#define LINE_MAX_BYTES 998 /* RFC 5322 section 2.1.1 */

static void
check_lines(struct str text)
{
	unsigned fields = 0;
	bool is_header = true;
	while (text.len > 0) {
		struct str line = str_line(&text);
		is_header = is_header && line.len > 0;
		if (line.len > (is_header ? LINE_MAX_BYTES : 76))
			abort();
		fields += is_header && !char_is_blank(line.p[0]);
		for (size_t i = 0; i < line.len; i++)
			if (line.p[i] < ' ' || line.p[i] > '~')
				abort();
	}
	if (fields != 9)
		abort();
}

static void
check_body(struct arena *a, struct str text, struct str body)
{
	size_t at = str_find(text, STR("\n\n"));
	struct str read = transfer_quoted_printable(a, str_skip(text, at + 2));
	bool is_ended = body.len == 0 || str_ends(body, STR("\n"));
	if (!is_ended && str_ends(read, STR("\n")))
		read.len--;
	if (!str_eq(read, body))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of((const char *)data, size < 65536 ? size : 65536);
	struct arena *a = arena_new();
	struct str to = STR("root@a.example");
	struct letter letter = {
	    .from = STR("postern@a.example"),
	    .host = STR("a.example"),
	    .to = {&to, 1, 1},
	    .subject = s,
	    .body = s,
	};
	struct str text = letter_text(a, &letter, 1795000000);
	check_lines(text);
	check_body(a, text, s);
	arena_free(a);
	return 0;
}
