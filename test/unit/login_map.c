/* SPDX-License-Identifier: BSD-2-Clause */
/* login_map -- who may send from which address. */
#include "unit.h"

#include "auth/login_map.h"
#include "base/diag.h"

static struct login_map *
map_of(struct arena *a, const char *const *lines, size_t n, struct diags *diags)
{
	struct strs values = {0};
	for (size_t i = 0; i < n; i++)
		strs_add(a, &values, str_from(lines[i]));
	return login_map_load(
	    a, &values, &(struct option_place){.name = "login-map"}, diags);
}

static const char *const lines[] = {
    "alice: alice@example.com, Info@Example.COM",
    "alice: \"quoted\"@x.example",
    "bob@example.com: bob@example.com @bob.example,@.sub.example",
    "Carol: b\xc3\xbc\x63her@b\xc3\xbc\x63her.example",
    "dave: /^dave[0-9]{1,2}@(a|ab)\\.example/ /x\\/y@c\\.example/",
    "dave: d@d.example, /u@xn--bcher-kva\\.example/",
    "eve: tag+list@example.com",
    "root: *",
    "mallory:",
    "/[a-z]+\\.bot/: /.*@bots\\.example/, bot@example.com",
    "/api.*/: api@example.com",
    "case: /(?-i)Case@x\\.example/",
};

static const struct {
	const char *login, *address;
	enum login_allows want;
} questions[] = {
    {"alice", "alice@example.com", LOGIN_YES},
    {"ALICE", "Alice@EXAMPLE.com", LOGIN_YES},
    {"alice", "info@example.com", LOGIN_YES},
    {"alice", "alice+x@example.com", LOGIN_YES},
    {"alice", "alice+x+y@example.com", LOGIN_YES},
    {"alice", "\"alice\"@example.com", LOGIN_YES},
    {"alice", "\"al\\ice\"@example.com", LOGIN_YES},
    {"alice", "alice@example.com.", LOGIN_YES},
    {"alice", "quoted@x.example", LOGIN_YES},
    {"alice", "bob@example.com", LOGIN_NO},
    {"alice", "alicex@example.com", LOGIN_NO},
    {"alice", "xalice@example.com", LOGIN_NO},
    {"alice", "alice@mail.example.com", LOGIN_NO},
    {"alice", "alice@example.com@evil.example", LOGIN_NO},
    {"alice", "alice", LOGIN_NO},
    {"alice", "@example.com", LOGIN_NO},
    {"alice", "+alice@example.com", LOGIN_NO},
    {"alice", "", LOGIN_NO},
    {"alice", "alice@", LOGIN_NO},
    {"alice@example.com", "alice@example.com", LOGIN_UNKNOWN},
    {"bob", "bob@example.com", LOGIN_UNKNOWN},
    {"bob@example.com", "bob@example.com", LOGIN_YES},
    {"bob@example.com", "anything@bob.example", LOGIN_YES},
    {"bob@example.com", "anything@a.bob.example", LOGIN_NO},
    {"bob@example.com", "x@sub.example", LOGIN_NO},
    {"bob@example.com", "x@a.sub.example", LOGIN_YES},
    {"bob@example.com", "x@b.a.sub.example", LOGIN_YES},
    {"bob@example.com", "x@asub.example", LOGIN_NO},
    {"bob@example.com", "@bob.example", LOGIN_NO},
    {"carol", "b\xc3\xbc\x63her@xn--bcher-kva.example", LOGIN_YES},
    {"carol", "b\xc3\xbc\x63her@B\xc3\x9c\x43HER.example", LOGIN_YES},
    {"dave", "dave12@ab.example", LOGIN_YES},
    {"dave", "DAVE1@A.example", LOGIN_YES},
    {"dave", "dave1@a.example.", LOGIN_YES},
    {"dave", "dave1@b\xc3\xbc.example", LOGIN_NO},
    {"dave", "u@b\xc3\xbc\x63her.example", LOGIN_YES},
    {"dave", "dave12@abc.example", LOGIN_NO},
    {"dave", "xdave12@ab.example", LOGIN_NO},
    {"dave", "dave1@a.example@b.example", LOGIN_NO},
    {"dave", "x/y@c.example", LOGIN_YES},
    {"dave", "d@d.example", LOGIN_YES},
    {"eve", "tag+list@example.com", LOGIN_YES},
    {"eve", "tag+other@example.com", LOGIN_NO},
    {"eve", "tag@example.com", LOGIN_NO},
    {"root", "anything@anywhere.example", LOGIN_YES},
    {"root", "", LOGIN_YES},
    {"mallory", "mallory@example.com", LOGIN_NO},
    {"my.bot", "bot@example.com", LOGIN_YES},
    {"My.Bot", "x@bots.example", LOGIN_YES},
    {"my.bot", "x@bots.example.net", LOGIN_NO},
    {"my.bots", "bot@example.com", LOGIN_UNKNOWN},
    {"xmy.bot.", "bot@example.com", LOGIN_UNKNOWN},
    /* Two lines for it. */
    {"apix.bot", "bot@example.com", LOGIN_YES},
    {"apix.bot", "api@example.com", LOGIN_YES},
    {"apix.bot", "x@example.com", LOGIN_NO},
    {"api-1", "api@example.com", LOGIN_YES},
    {"api-1", "bot@example.com", LOGIN_NO},
    {"case", "Case@x.example", LOGIN_YES},
    {"case", "case@x.example", LOGIN_NO},
    {"nobody", "alice@example.com", LOGIN_UNKNOWN},
    {"", "alice@example.com", LOGIN_UNKNOWN},
    {"*", "alice@example.com", LOGIN_UNKNOWN},
};

static void
knows_who_may_send_as_whom(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct login_map *map = map_of(a, lines, COUNT_OF(lines), &diags);
	for (size_t i = 0; i < diags.n; i++)
		print_error("%.*s\n", STR_ARG(diags.v[i].text));
	assert_non_null(map);
	assert_false(login_map_is_empty(map));
	for (size_t i = 0; i < COUNT_OF(questions); i++) {
		enum login_allows got =
		    login_map_allows(a, map, str_from(questions[i].login),
			str_from(questions[i].address));
		if (got != questions[i].want)
			print_error("%s %s\n", questions[i].login,
			    questions[i].address);
		assert_int_equal(got, questions[i].want);
	}
	arena_free(a);
}

static void
does_not_stop_at_a_nul(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct login_map *map = map_of(a, lines, COUNT_OF(lines), &diags);
	assert_int_equal(
	    login_map_allows(a, map, STR("alice"), STR("alice\0x@example.com")),
	    LOGIN_NO);
	assert_int_equal(login_map_allows(a, map, STR("alice"),
			     STR("alice@example.com\0.evil.example")),
	    LOGIN_NO);
	assert_int_equal(
	    login_map_allows(a, map, STR("alice\0x"), STR("alice@example.com")),
	    LOGIN_UNKNOWN);
	arena_free(a);
}

static void
lets_everybody_have_more(void **state)
{
	(void)state;
	static const char *const some[] = {"alice: alice@example.com",
	    "*: noreply@example.com, /list-.*@example\\.com/"};
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct login_map *map = map_of(a, some, COUNT_OF(some), &diags);
	struct str noreply = STR("noreply@example.com");
	assert_int_equal(
	    login_map_allows(a, map, STR("alice"), noreply), LOGIN_YES);
	assert_int_equal(
	    login_map_allows(a, map, STR("bob"), noreply), LOGIN_YES);
	assert_int_equal(
	    login_map_allows(a, map, STR("bob"), STR("list-x@example.com")),
	    LOGIN_YES);
	assert_int_equal(
	    login_map_allows(a, map, STR("bob"), STR("alice@example.com")),
	    LOGIN_NO);
	arena_free(a);
}

static void
knows_whose_domains_it_has(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct login_map *map = map_of(a, lines, COUNT_OF(lines), &diags);
	assert_true(login_map_has_domain(map, STR("example.com")));
	assert_true(login_map_has_domain(map, STR("bob.example")));
	assert_true(login_map_has_domain(map, STR("x.sub.example")));
	assert_true(login_map_has_domain(map, STR("xn--bcher-kva.example")));
	assert_false(login_map_has_domain(map, STR("sub.example")));
	assert_false(login_map_has_domain(map, STR("bots.example")));
	assert_false(login_map_has_domain(map, STR("mail.example.com")));
	arena_free(a);
}

static const struct {
	const char *line, *want;
} broken[] = {
    {"alice", "not \"user: address\": alice"},
    {": a@b.example", "no login in front of the colon: : a@b.example"},
    {"a: b", "not an address, @domain, @.domain, /regex/ or *: b"},
    {"a: b@", "not an address, @domain, @.domain, /regex/ or *: b@"},
    {"a: @", "not an address, @domain, @.domain, /regex/ or *: @"},
    {"a: @.", "not an address, @domain, @.domain, /regex/ or *: @."},
    {"a: b@.c.example",
	"not an address, @domain, @.domain, /regex/ or *: b@.c.example"},
    {"a: @*.example",
	"not an address, @domain, @.domain, /regex/ or *: @*.example"},
    {"a: /x", "no / at the end: /x"},
    {"a: /x\\/", "no / at the end: /x\\/"},
    {"a: /(/",
	"not a regular expression: missing closing parenthesis (at byte 1)"},
    {"a: /b)|(c/",
	"not a regular expression: unmatched closing parenthesis (at byte 1)"},
    {"/x: a@b.example", "not \"/regex/: address\": /x: a@b.example"},
    {"/x/i: a@b.example", "not \"/regex/: address\": /x/i: a@b.example"},
    {"/[/: a@b.example",
	"not a regular expression: missing terminating ] for character class"
	" (at byte 1)"},
};

static void
says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		assert_null(map_of(a, &broken[i].line, 1, &diags));
		assert_int_equal(diags.n, 1);
		assert_str(diags.v[0].text, broken[i].want);
		assert_str(diags.v[0].file, "login-map");
		arena_free(a);
	}
}

static void
is_empty_without_a_line(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct login_map *map = map_of(a, NULL, 0, &diags);
	assert_true(login_map_is_empty(map));
	assert_int_equal(
	    login_map_allows(a, map, STR("a"), STR("a@b.test")), LOGIN_UNKNOWN);
	arena_free(a);
}

/* A pattern that backtracks without end is given up, and is a no. */
static void
gives_up_what_costs_too_much(void **state)
{
	(void)state;
	static const char *const slow[] = {"a: /(.*.*.*.*.*)*\\d/"};
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct login_map *map = map_of(a, slow, 1, &diags);
	struct buf *b = buf_new(a, 1000);
	while (!b->is_cut)
		buf_putc(b, 'a');
	int64_t start = cpu_ms();
	assert_int_equal(
	    login_map_allows(a, map, STR("a"), buf_str(b)), LOGIN_NO);
	assert_true(cpu_ms() - start < 1000);
	arena_free(a);
}

static struct str
big_file(struct arena *a, unsigned n)
{
	char *path = str_c(a, STR("/tmp/postern-logins-XXXXXX"));
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	for (unsigned i = 0; i < n; i++)
		(void)fprintf(out,
		    "user%u: user%u@example.com,\n"
		    " @host%u.example.net\n",
		    i, i, i);
	(void)fclose(out);
	return str_from(path);
}

static void
is_quick_with_a_hundred_thousand_logins(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct strs values = {0};
	struct str path = big_file(a, 100000);
	strs_add(a, &values, path);
	int64_t start = cpu_ms();
	struct login_map *map = login_map_load(
	    a, &values, &(struct option_place){.name = "login-map"}, &diags);
	(void)unlink(str_c(a, path));
	assert_non_null(map);
	assert_true(cpu_ms() - start < 5000);
	start = cpu_ms();
	for (unsigned i = 0; i < 10000; i++) {
		struct arena *m = arena_new();
		struct str login = str_printf(m, "user%u", i * 7);
		assert_int_equal(
		    login_map_allows(m, map, login,
			str_printf(m, "user%u@example.com", i * 7)),
		    LOGIN_YES);
		assert_int_equal(
		    login_map_allows(m, map, login,
			str_printf(m, "user%u@example.com", i * 7 + 1)),
		    LOGIN_NO);
		arena_free(m);
	}
	assert_true(cpu_ms() - start < 2000);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(knows_who_may_send_as_whom),
    cmocka_unit_test(does_not_stop_at_a_nul),
    cmocka_unit_test(lets_everybody_have_more),
    cmocka_unit_test(knows_whose_domains_it_has),
    cmocka_unit_test(says_what_is_wrong),
    cmocka_unit_test(is_empty_without_a_line),
    cmocka_unit_test(gives_up_what_costs_too_much),
    cmocka_unit_test(is_quick_with_a_hundred_thousand_logins),
};
UNIT_MAIN(tests)
