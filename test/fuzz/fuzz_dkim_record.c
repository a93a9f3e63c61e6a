/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_record -- any text is a key record or it is not; what is read is sound.
 */
#include "fuzz.h"

#include "auth/dkim_record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct dkim_key_record r;
	dkim_key_record_parse(a, str_of((const char *)data, size), &r);
	if ((r.status == DKIM_KEY_OK) != (r.key.len > 0) ||
	    (r.status == DKIM_KEY_OK) != (*r.why == '\0') ||
	    r.status == DKIM_KEY_TEMP)
		abort();
	arena_free(a);
	return 0;
}
