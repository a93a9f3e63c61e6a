/* SPDX-License-Identifier: BSD-2-Clause */
/* rdata -- any bytes as the data of a record, and as a name. */
#include "fuzz.h"

#include "auth/rdata.h"

static const unsigned types[] = {
    DNS_A, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA, DNS_CNAME};

/* A name that was read is the root, or normal. */
static void
check_name(struct str name)
{
	char normal[NAME_MAX_BYTES];
	size_t len;
	if (name.len == 0)
		return;
	if (!name_normal(name, normal, &len) ||
	    !str_eq(str_of(normal, len), name))
		abort();
}

static void
try_name(struct str name)
{
	char normal[NAME_MAX_BYTES], text[NAME_TEXT_MAX];
	size_t len;
	if (!name_normal(name, normal, &len))
		return;
	check_name(str_of(normal, len));
	name_escape(str_of(normal, len), text);
	for (const char *c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~' || *c == '"' || *c == ';')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *a = arena_new();
	struct str bytes = str_dup(a, str_of((const char *)data, size));
	unsigned type = types[data[0] % COUNT_OF(types)];
	struct str rdata = str_dup(a, str_skip(bytes, 1));
	struct str got;
	if (rdata_read(a, type, rdata, &got)) {
		if (got.len > rdata.len)
			abort();
		if (type == DNS_PTR || type == DNS_CNAME)
			check_name(got);
		if (type == DNS_MX)
			check_name(str_skip(got, 2));
	}
	try_name(bytes);
	arena_free(a);
	return 0;
}
