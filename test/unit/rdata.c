/* SPDX-License-Identifier: BSD-2-Clause */
/* rdata -- names and record data of the wire. */
#include "unit.h"

#include "auth/rdata.h"

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X61 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
/* A literal with NULs in it. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static const struct {
	struct str name;
	const char *normal; /* NULL: no domain name */
} names[] = {
    {BYTES("Mail.Example.COM"), "mail.example.com"},
    {BYTES("example."), "example"},
    {BYTES("a b\xff!.example"), "a b\xff!.example"},
    {BYTES("_dmarc.example"), "_dmarc.example"},
    {BYTES(X63 ".example"), X63 ".example"},
    {BYTES(X63 "." X63 "." X63 "." X61), X63 "." X63 "." X63 "." X61},
    {BYTES(X63 "." X63 "." X63 "." X61 "."), X63 "." X63 "." X63 "." X61},
    {BYTES(X63 "." X63 "." X63 "." X61 "x"), NULL},
    {BYTES(X63 "x.example"), NULL},
    {BYTES(""), NULL},
    {BYTES("."), NULL},
    {BYTES(".."), NULL},
    {BYTES(".example"), NULL},
    {BYTES("a..example"), NULL},
    {BYTES("example.."), NULL},
};

static void
names_are_of_the_right_size_and_in_lower_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char normal[NAME_MAX_BYTES];
		size_t len;
		bool is_name = name_normal(names[i].name, normal, &len);
		if (is_name != (names[i].normal != NULL))
			fail_msg("%.*s", STR_ARG(names[i].name));
		if (is_name)
			assert_str(str_of(normal, len), names[i].normal);
	}
}

static void
names_are_escaped_as_in_zone_files(void **state)
{
	(void)state;
	char text[NAME_TEXT_MAX];
	name_escape(STR("a-b_c.9 \\\"\0\xff;.x"), text);
	assert_string_equal(text, "a-b_c.9\\032\\092\\034\\000\\255\\059.x");
	char wild[NAME_MAX_BYTES];
	memset(wild, '\xff', sizeof(wild));
	name_escape(str_of(wild, sizeof(wild)), text);
	assert_int_equal(strlen(text), NAME_TEXT_MAX - 1);
}

static const struct {
	const char *label;
	unsigned type;
	struct str rdata;
	struct str want; /* "(no)": refused */
} rows[] = {
    {"an address", DNS_A, BYTES("\xc0\0\2\1"), BYTES("\xc0\0\2\1")},
    {"a short address", DNS_A, BYTES("\xc0\0\2"), BYTES("(no)")},
    {"a long address", DNS_A, BYTES("\xc0\0\2\1\0"), BYTES("(no)")},
    {"an IPv6 address", DNS_AAAA, BYTES("0123456789abcdef"),
	BYTES("0123456789abcdef")},
    {"a short IPv6 address", DNS_AAAA, BYTES("\xc0\0\2\1"), BYTES("(no)")},
    {"a name", DNS_PTR, BYTES("\1A\7eXample\0"), BYTES("a.example")},
    {"an alias", DNS_CNAME, BYTES("\1a\7example\0"), BYTES("a.example")},
    {"the root", DNS_PTR, BYTES("\0"), BYTES("")},
    {"any bytes", DNS_PTR, BYTES("\3a\xff \0"), BYTES("a\xff ")},
    {"a dot in a label", DNS_PTR, BYTES("\3a.b\7example\0"), BYTES("(no)")},
    {"no end", DNS_PTR, BYTES("\1a\7example"), BYTES("(no)")},
    {"bytes behind the end", DNS_PTR, BYTES("\1a\0x"), BYTES("(no)")},
    {"a label past the end", DNS_PTR, BYTES("\5a\0"), BYTES("(no)")},
    {"a label up to the end", DNS_PTR, BYTES("\1a"), BYTES("(no)")},
    {"a pointer", DNS_PTR, BYTES("\1a\xc0\0"), BYTES("(no)")},
    {"64 bytes in a label", DNS_PTR, BYTES("\x40" X63 "x\0"), BYTES("(no)")},
    {"253 bytes", DNS_PTR,
	BYTES("\x3f" X63 "\x3f" X63 "\x3f" X63 "\x3d" X61 "\0"),
	BYTES(X63 "." X63 "." X63 "." X61)},
    {"254 bytes", DNS_PTR,
	BYTES("\x3f" X63 "\x3f" X63 "\x3f" X63 "\x3d" X61 "\1x\0"),
	BYTES("(no)")},
    {"nothing at all", DNS_PTR, BYTES(""), BYTES("(no)")},
    {"a mail server", DNS_MX, BYTES("\0\x0a\2MX\7example\0"),
	BYTES("\0\x0amx.example")},
    {"the null MX of RFC 7505", DNS_MX, BYTES("\0\0\0"), BYTES("\0\0")},
    {"a preference alone", DNS_MX, BYTES("\0\x0a"), BYTES("(no)")},
    {"half a preference", DNS_MX, BYTES("\0"), BYTES("(no)")},
    {"a text", DNS_TXT, BYTES("\3a b"), BYTES("a b")},
    {"two strings", DNS_TXT, BYTES("\2ab\0\3c\0d"), BYTES("abc\0d")},
    {"an empty string", DNS_TXT, BYTES("\0"), BYTES("")},
    {"no string", DNS_TXT, BYTES(""), BYTES("(no)")},
    {"a string past the end", DNS_TXT, BYTES("\2ab\4cd"), BYTES("(no)")},
    {"another type", 6, BYTES("\0"), BYTES("(no)")},
};

static void
data_is_read_within_its_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *a = arena_new();
		/* a block of its own, so that ASan sees what is past it */
		struct str rdata = str_dup(a, rows[i].rdata);
		struct str got;
		if (!rdata_read(a, rows[i].type, rdata, &got))
			got = STR("(no)");
		if (!str_eq(got, rows[i].want))
			fail_msg("%s: [%.*s]", rows[i].label, STR_ARG(got));
		arena_free(a);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_are_of_the_right_size_and_in_lower_case),
    cmocka_unit_test(names_are_escaped_as_in_zone_files),
    cmocka_unit_test(data_is_read_within_its_bounds),
};
UNIT_MAIN(tests)
