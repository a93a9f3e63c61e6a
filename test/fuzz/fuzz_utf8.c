/* SPDX-License-Identifier: BSD-2-Clause */
/* utf8, log escapes and JSON text: whatever goes in, valid UTF-8 comes out. */
#include "fuzz.h"

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of((const char *)data, size);
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, size * 4);
	log_escape(b, s);
	if (!utf8_is_valid(buf_str(b)))
		abort();
	json_t *text = json_text(s);
	if (text == NULL)
		abort();
	json_decref(text);
	arena_free(a);
	return 0;
}
