/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uri -- links in text, their variants, hosts and domains.  What is expected
 * was said by SpamAssassin 4.0.1 without an IDN library.
 */
#include "unit.h"

#include "base/clock.h"
#include "base/table.h"
#include "mail/uri.h"
#include "mail/uri_clean.h"

struct fixture {
	struct arena *arena;
	struct mail_config config;
};

static int
setup(void **state)
{
	struct arena *a = arena_new();
	struct fixture *f = ARENA_NEW(a, struct fixture);
	f->arena = a;
	f->config.limits = MAIL_LIMITS_DEFAULT;
	f->config.tlds = tld_set_new(a, NULL, NULL, NULL);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->arena);
	return 0;
}

/* The list, sorted, with a blank between. */
static struct str
joined(struct arena *a, struct strs *list)
{
	struct buf *b = buf_new(a, 1 << 20);
	strs_sort(list);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_putc(b, ' ');
		buf_put(b, list->v[i]);
	}
	return buf_str(b);
}

static const struct {
	const char *text, *links;
} found[] = {
    {"see http://a.example.com/x?y.", "http://a.example.com/x?y"},
    {"(http://example.com/a) (http://example.com/(b)",
	"http://example.com/(b http://example.com/a"},
    {"www.example.com, www2.example.org! www.",
	"http://www.example.com http://www2.example.org"},
    {"ftp.example.com", "ftp://ftp.example.com"},
    {"bare example.com and foo.nosuch and 1.2.3", "http://example.com"},
    {"example.com, example.org:80/x example.net:", "http://example.org:80/x"},
    {"Joe <joe@example.com>, ann@example", "mailto:joe@example.com"},
    {"mailto:joe@ex%61mple.com", "mailto:joe@example.com"},
    {"skype:joe@example.com x/y@example.com",
	"http://x/y@example.com mailto:joe@example.com"},
    {"cid:1@example.com http:// Vi@gra.", ""},
    {"foo_bar.example.com a.foo_bar.com", "http://foo_bar.example.com"},
};

static void
finds_what_a_reader_would_mark(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(found); i++) {
		struct text_links links = {0};
		struct strs list = {0};
		uri_find(f->arena, str_from(found[i].text), &f->config,
		    table_new(f->arena, false), &links);
		for (size_t k = 0; k < links.n; k++)
			strs_add(f->arena, &list, links.v[k].url);
		assert_str(joined(f->arena, &list), found[i].links);
	}
}

static const struct {
	const char *uri, *variants;
} cleaned[] = {
    {"/rel", "/rel"},
    {"", ""},
    {"cid:x", "cid:x"},
    {"http://Example.com", "http://Example.com"},
    {"http:\\\\example.com", "http://example.com http:\\\\example.com"},
    {"//example.com/x", "//example.com/x http:////example.com/x"},
    {"http://example.com?x", "http://example.com/?x http://example.com?x"},
    {"http://%65xample.com/%20%3c",
	"http://%65xample.com/%20%3c http://example.com/%20<"},
    {"http://example.com/&#97;&#x2f;&#x62;",
	"http://example.com/&#97;&#x2f;&#x62; http://example.com/a&#x2f;b"},
    {"http://example.com:80/", "http://example.com/ http://example.com:80/"},
    {"https://example.com:80/", "https://example.com:80/"},
    {"http://u@example.com/", "http://u@example.com/"},
    {"http://u@v@example.com/", "http://example.com/ http://u@v@example.com/"},
    {"http://example.com!!/", "http://example.com!!/ http://example.com/"},
    {"http://127.1.0x10.017/", "http://127.1.0x10.017/ http://127.1.16.15/"},
    {"http://0x7f000001/", "http://0x7f000001/ http://127.0.0.1/"},
    {"http://2130706433/", "http://127.0.0.1/ http://2130706433/"},
    {"http://foo/", "http://foo/ http://www.foo.com/"},
    {"http://localhost/", "http://localhost/"},
    {"http://a.example/?u=http%3A//b.example/&c",
	"http://a.example/?u=http%3A//b.example/&c "
	"http://a.example/?u=http://b.example/&c http://b.example/"},
    {"mailto:a@example.com?subject=x&y",
	"mailto:a@example.com mailto:a@example.com?subject=x&y"},
    {"mailto:%20a@example.com", "mailto:%20a@example.com mailto:a@example.com"},
    {"mailto:Foo <a@example.com>",
	"mailto:Foo <a@example.com> mailto:a@example.com"},
};

static void
adds_what_hides_behind_a_link(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(cleaned); i++) {
		struct strs list = {0};
		uri_variants(f->arena, str_from(cleaned[i].uri), false,
		    &f->config, NULL, &list);
		assert_str(joined(f->arena, &list), cleaned[i].variants);
	}
}

static void
counts_characters_of_unicode_links(void **state)
{
	struct fixture *f = *state;
	f->config.limits.uri_bytes = 20;
	struct strs list = {0};
	uri_variants(f->arena, STR("\xc2\xa0/\xc3\xa9 \xe3\x80\x80"), true,
	    &f->config, NULL, &list);
	assert_str(joined(f->arena, &list), "/\xc3\xa9");
	list.n = 0;
	uri_variants(f->arena,
	    STR("cid:\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"),
	    true, &f->config, NULL, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].len, 4 + 2 * 16);
}

static const struct {
	const char *uri, *host;
} hosts[] = {
    {"http://u:p@WWW.Example.com:80/x@y", "www.example.com"},
    {"https:example.com.?q", "example.com"},
    {"mailto:a@example.com?cc=b@x", "example.com"},
    {"http://m\xc3\xbcnchen.example/", "xn--mnchen-3ya.example"},
    {"http://\xff.example/", "\xff.example"},
    {"cid:a@b", ""},
    {"/x", ""},
};

static void
names_the_host(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		assert_str(
		    uri_host(f->arena, str_from(hosts[i].uri)), hosts[i].host);
}

static void
knows_top_level_domains_of_the_public_list(void **state)
{
	struct fixture *f = *state;
	const struct tld_set *set = f->config.tlds;
	assert_true(tld_set_has(set, STR("COM")));
	assert_true(tld_set_has(set, STR("xn--p1ai")));
	assert_true(tld_set_has(set, STR("za")));
	assert_false(tld_set_has(set, STR("bar.com")));
	assert_false(tld_set_has(set, STR("nosuchtld")));
	assert_false(tld_set_has(set, STR("")));
	assert_str(tld_domain(f->arena, set, STR("A.B.Example.CO.UK.")),
	    "example.co.uk");
	assert_str(tld_domain(f->arena, set, STR("com")), "");
	/* The private section of the list does not count. */
	assert_str(
	    tld_domain(f->arena, set, STR("a.blogspot.com")), "blogspot.com");
}

static void
takes_domains_from_rule_lines(void **state)
{
	struct fixture *f = *state;
	struct strs one = {0}, two = {0}, three = {0};
	strs_add(f->arena, &one, STR("example"));
	strs_add(f->arena, &one, STR("us"));
	strs_add(f->arena, &two, STR("co.example"));
	strs_add(f->arena, &three, STR("x.co.example"));
	const struct tld_set *set = tld_set_new(f->arena, &one, &two, &three);
	assert_true(tld_set_has(set, STR("example")));
	assert_false(tld_set_has(set, STR("com")));
	assert_str(tld_domain(f->arena, set, STR("a.b.example")), "b.example");
	assert_str(
	    tld_domain(f->arena, set, STR("a.b.co.example")), "b.co.example");
	assert_str(
	    tld_domain(f->arena, set, STR("a.x.co.example")), "a.x.co.example");
	assert_str(
	    tld_domain(f->arena, set, STR("v.w.city.ca.us")), "w.city.ca.us");
	assert_str(tld_domain(f->arena, set, STR("w.x.ci.city.ca.us")),
	    "x.ci.city.ca.us");
}

static const char message[] = "Subject: See www.one.com\n"
			      "Content-Type: text/html\n"
			      "\n"
			      "<a href=\"http://two.com/?q\">http://two.com/?q"
			      "</a> <a href=\"http://two.com/?q\">click</a>\n";

static void
collects_the_links_of_a_message(void **state)
{
	struct fixture *f = *state;
	struct message *m =
	    message_new(f->arena, str_from(message), &f->config, NULL);
	const struct uris *list = message_uri_list(m);
	assert_int_equal(list->n, 2);
	assert_str(list->v[0].raw, "http://www.one.com");
	assert_str(list->v[1].raw, "http://two.com/?q");
	assert_true(list->v[1].is_parsed);
	assert_str(list->v[1].tags.v[0], "a");
	assert_int_equal(list->v[1].anchors.n, 2);
	assert_str(list->v[1].anchors.v[1], "click");
	assert_ptr_equal(message_uri_list(m), list);
	struct strs uris = *message_uris(m);
	assert_str(
	    joined(f->arena, &uris), "http://two.com/?q http://www.one.com");
}

static const char *const floods[] = {"http:", "http://", "www.",
    "mailto:", "a@", "a.", "a@b.c/", "http://x.com/", "%41", "(", "x@y.com,",
    "http://a.com/?x=http://b.com/&", "<@"};

/* A quadratic pass over half a megabyte would take minutes. */
static void
takes_linear_time_for_any_flood(void **state)
{
	struct fixture *f = *state;
	int64_t start = clock_ms();
	for (size_t i = 0; i < COUNT_OF(floods); i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 1 << 19);
		while (!b->is_cut)
			buf_put(b, str_from(floods[i]));
		struct text_links links = {0};
		struct strs list = {0};
		uri_find(
		    a, buf_str(b), &f->config, table_new(a, false), &links);
		uri_variants(a, str_sub(buf_str(b), 0, 8192), true, &f->config,
		    NULL, &list);
		arena_free(a);
	}
	assert_true(clock_ms() - start < 60000);
}

#define WITH_FIXTURE(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)
static const struct CMUnitTest tests[] = {
    WITH_FIXTURE(finds_what_a_reader_would_mark),
    WITH_FIXTURE(adds_what_hides_behind_a_link),
    WITH_FIXTURE(counts_characters_of_unicode_links),
    WITH_FIXTURE(names_the_host),
    WITH_FIXTURE(knows_top_level_domains_of_the_public_list),
    WITH_FIXTURE(takes_domains_from_rule_lines),
    WITH_FIXTURE(collects_the_links_of_a_message),
    WITH_FIXTURE(takes_linear_time_for_any_flood),
};
UNIT_MAIN(tests)
