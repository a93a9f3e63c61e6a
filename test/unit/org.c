/* SPDX-License-Identifier: BSD-2-Clause */
/* org -- names of domains, and the organisation by the public suffix list. */
#include "unit.h"

#include "auth/org.h"

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static const struct {
	const char *label, *domain, *normal;
} names[] = {
    {"as it is", "example.com", "example.com"},
    {"upper case", "Mail.EXAMPLE.Com", "mail.example.com"},
    {"final dot", "example.com.", "example.com"},
    {"one label", "localhost", "localhost"},
    {"underscore and hyphen", "_x-y.example", "_x-y.example"},
    {"digits", "192.0.2.1", "192.0.2.1"},
    {"U-label", "b\xc3\xbc\x63her.example", "xn--bcher-kva.example"},
    {"U-label in upper case", "B\xc3\x9c\x43HER.example",
	"xn--bcher-kva.example"},
    {"A-label in upper case", "XN--BCHER-KVA.example", "xn--bcher-kva.example"},
    {"RFC 5891: sharp s is itself", "stra\xc3\x9f\x65.example",
	"xn--strae-oqa.example"},
    {"ideographic full stops",
	"b\xc3\xbc\x63her\xe3\x80\x82"
	"example\xe3\x80\x82",
	"xn--bcher-kva.example"},
    {"U-label and final dot", "b\xc3\xbc\x63her.example.",
	"xn--bcher-kva.example"},
    {"63 bytes", L63 ".example", L63 ".example"},
    {"64 bytes", L63 "l.example", ""},
    {"253 bytes",
	L63 "." L63 "." L63 ".abcdefghijklmnopqrstuvwxyz"
	    "abcdefghijklmnopqrstuvwxyz123456789",
	L63 "." L63 "." L63 ".abcdefghijklmnopqrstuvwxyz"
	    "abcdefghijklmnopqrstuvwxyz123456789"},
    {"254 bytes",
	L63 "." L63 "." L63 ".abcdefghijklmnopqrstuvwxyz"
	    "abcdefghijklmnopqrstuvwxyz1234567890",
	""},
    {"nothing", "", ""},
    {"a dot", ".", ""},
    {"two dots at the end", "example..", ""},
    {"a dot in front", ".example", ""},
    {"empty label", "a..example", ""},
    {"literal", "[192.0.2.1]", ""},
    {"blank", "a b.example", ""},
    {"blank at the end", "a.example ", ""},
    {"line end", "a.example\n", ""},
    {"slash", "a/b.example", ""},
    {"wildcard", "*.example", ""},
    {"not UTF-8", "b\xfc\x63her.example", ""},
    {"a letter that IDNA does not allow", "a\xe2\x92\x88.example", ""},
    {"a slash that IDNA makes of another", "a\xef\xbc\x8f.example", ""},
};

static void
makes_names_normal(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct arena *a = arena_new();
		struct str got = domain_normal(a, str_from(names[i].domain));
		if (!str_eq(got, str_from(names[i].normal)))
			print_error("%s\n", names[i].label);
		assert_str(got, names[i].normal);
		arena_free(a);
	}
}

/* libidn2 reads up to a NUL: what is behind one must not be lost. */
static void
takes_no_name_with_a_nul(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_str(domain_normal(a, STR("good.example\0.evil.example")), "");
	assert_str(
	    domain_normal(a, STR("b\xc3\xbc.example\0.evil.example")), "");
	struct buf *b = buf_new(a, 5000);
	while (!b->is_cut)
		buf_put(b, STR("\xc3\xbc"));
	assert_str(domain_normal(a, buf_str(b)), "");
	arena_free(a);
}

static const struct {
	const char *domain, *registrable;
} suffixes[] = {
    {"example.com", "example.com"},
    {"a.b.example.com", "example.com"},
    {"com", "com"},
    {"example.co.uk", "example.co.uk"},
    {"mail.example.co.uk", "example.co.uk"},
    {"co.uk", "co.uk"},
    /* The private section. */
    {"user.github.io", "user.github.io"},
    {"mail.user.github.io", "user.github.io"},
    {"github.io", "github.io"},
    {"a.blog.blogspot.com", "blog.blogspot.com"},
    /* A wildcard and its exception. */
    {"a.b.c.kobe.jp", "b.c.kobe.jp"},
    {"a.city.kobe.jp", "city.kobe.jp"},
    /* A-labels: .рф and .公司.cn */
    {"a.b.xn--p1ai", "b.xn--p1ai"},
    {"a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"},
    /* A name of no list is taken as a top-level domain. */
    {"a.b.example", "b.example"},
    {"example", "example"},
    {"", ""},
};

static void
finds_what_is_registered(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(suffixes); i++)
		assert_str(domain_registrable(a, str_from(suffixes[i].domain)),
		    suffixes[i].registrable);
	arena_free(a);
}

static void
knows_what_is_below(void **state)
{
	(void)state;
	assert_true(domain_is_under(STR("a.example"), STR("a.example")));
	assert_true(domain_is_under(STR("b.a.example"), STR("a.example")));
	assert_false(domain_is_under(STR("ba.example"), STR("a.example")));
	assert_false(domain_is_under(STR("example"), STR("a.example")));
	assert_false(domain_is_under(STR("a.example"), STR("")));
	assert_false(domain_is_under(STR(""), STR("a.example")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(makes_names_normal),
    cmocka_unit_test(takes_no_name_with_a_nul),
    cmocka_unit_test(finds_what_is_registered),
    cmocka_unit_test(knows_what_is_below),
};
UNIT_MAIN(tests)
