/* SPDX-License-Identifier: BSD-2-Clause */
/* spf -- records, macros and checks, with a zone instead of the DNS.  Results
 * by suites: test/parity/spf.yml. */
#include "unit.h"

#include <pthread.h>

#include "../tool/zone.h"
#include "auth/spf.h"
#include "auth/spf_macro.h"
#include "auth/spf_record.h"
#include "base/clock.h"

/* ---- addresses */

static const struct {
	const char *text, *want; /* NULL: no address */
} addresses[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"::FFFF:c000:0201", "192.0.2.1"},
    {"2001:DB8::1", "2001:db8::1"},
    {"::1", "::1"},
    {"192.0.2.01", NULL},
    {"192.0.2", NULL},
    {"192.0.2.256", NULL},
    {"192.0.2.1 ", NULL},
    {"2001:db8::1%eth0", NULL},
    {":::", NULL},
    {"", NULL},
};

static void
reads_addresses_and_unmaps_them(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct ip ip;
		bool is_ip = ip_parse(str_from(addresses[i].text), &ip);
		assert_int_equal(is_ip, addresses[i].want != NULL);
		if (is_ip)
			assert_str(ip_text(a, &ip), addresses[i].want);
	}
	struct ip ip;
	assert_false(ip_parse(str_of("192.0.2.1\0x", 11), &ip));
	arena_free(a);
}

static const struct {
	const char *ip, *network;
	unsigned bits;
	bool is_within;
} blocks[] = {
    {"192.0.2.1", "192.0.2.1", 32, true},
    {"192.0.2.1", "192.0.2.0", 32, false},
    {"192.0.2.1", "192.0.2.0", 31, true},
    {"192.0.2.129", "192.0.2.0", 25, false},
    {"192.0.2.1", "203.0.113.1", 0, true},
    {"192.0.2.1", "2001:db8::", 0, false},
    {"2001:db8:8000::1", "2001:db8:8000::", 33, true},
    {"2001:db8:7fff::1", "2001:db8:8000::", 33, false},
    {"2001:db8::1", "2001:db8::1", 128, true},
    {"2001:db8::1", "2001:db8::", 127, true},
};

static void
knows_what_lies_in_a_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		struct ip ip;
		struct ip_block block = {.bits = blocks[i].bits};
		assert_true(ip_parse(str_from(blocks[i].ip), &ip));
		assert_true(ip_parse(str_from(blocks[i].network), &block.ip));
		assert_int_equal(
		    ip_is_within(&ip, &block), blocks[i].is_within);
		ip_block_mask(&block);
		assert_int_equal(
		    ip_is_within(&ip, &block), blocks[i].is_within);
	}
}

/* ---- records */

static const struct {
	const char *text, *why; /* NULL: fine; a part of what is said */
} terms[] = {
    {"all", NULL},
    {"-ALL", NULL},
    {"?a", NULL},
    {"a/24", NULL},
    {"a//64", NULL},
    {"a/24//64", NULL},
    {"a/0//0", NULL},
    {"a:host.example/24//64", NULL},
    {"a:%{d}/24", NULL},
    {"a:%{d/}", NULL},
    {"a:%{dR}.example", NULL},
    {"a:host.example.", NULL},
    {"a:a..b.example", NULL},
    {"a:x/y/24.example", NULL},
    {"mx:xn--zckzah.xn--zckzah", NULL},
    {"mx:host.1-2", NULL},
    {"ip4:192.0.2.1", NULL},
    {"ip4:192.0.2.1/32", NULL},
    {"ip4:192.0.2.1/0", NULL},
    {"ip6:2001:db8::1/128", NULL},
    {"ip6:::", NULL},
    {"ip6:::ffff:192.0.2.1", NULL},
    {"ptr:example.com", NULL},
    {"exists:%%%_%-.example", NULL},
    {"exists:foo%%", NULL},
    {"redirect=%{d2}", NULL},
    {"exp=a.example", NULL},
    {"moo=", NULL},
    {"a=b", NULL},
    {"", "unknown mechanism"},
    {"-", "unknown mechanism"},
    {"--all", "unknown mechanism"},
    {"moo", "unknown mechanism"},
    {"all.", "unknown mechanism"},
    {"a.example", "unknown mechanism"},
    {"-redirect=a.example", "unknown mechanism"},
    {"redirect:a.example", "unknown mechanism"},
    {"=all", "unknown mechanism"},
    {"all:x", "takes nothing"},
    {"all/8", "takes nothing"},
    {"a/", "not 0-32"},
    {"a//", "not 0-128"},
    {"a/33", "not 0-32"},
    {"a/024", "not 0-32"},
    {"a//129", "not 0-128"},
    {"a/24/64", "0-32"},
    {"a/x", "length that is not one"},
    {"a///64", "not 0-32"},
    {"ptr/24", "takes no length"},
    {"a:", "no domain"},
    {"include", "no domain"},
    {"include:", "no domain"},
    {"include/8", "takes no length"},
    {"exists:a.example/8", "impossible last label"},
    {"a:museum", "without a dot"},
    {"a:museum.", "without a dot"},
    {"a:host.123", "impossible last label"},
    {"a:192.0.2.1", "an address where a domain"},
    {"mx:192.0.2.1/24", "an address where a domain"},
    {"a:host.-com", "impossible last label"},
    {"a:host.com-", "impossible last label"},
    {"a:host.c_m", "impossible last label"},
    {"a:host..", "impossible last label"},
    {"a:%{d}com", "behind its macro"},
    {"a:%{d}.", "behind its macro"},
    {"a:b c.example", "not printable"},
    {"a:%", "% that is no macro"},
    {"a:%(d)", "% that is no macro"},
    {"a:%{d", "without }"},
    {"a:%{}", "empty macro"},
    {"a:%{a}", "unknown letter"},
    {"a:%{c}.example", "only explanations"},
    {"moo=%{t}", "only explanations"},
    {"a:%{d0}", "zero parts"},
    {"a:%{d00}", "zero parts"},
    {"a:%{d:}", "delimiter"},
    {"a:%{dr2}", "delimiter"},
    {"ip4", "no address"},
    {"ip4:", "not an IPv4"},
    {"ip4:192.0.2", "not an IPv4"},
    {"ip4:192.0.2.01", "not an IPv4"},
    {"ip4:192.0.2.1:25", "not an IPv4"},
    {"ip4:2001:db8::1", "not an IPv4"},
    {"ip4:192.0.2.1/33", "not 0-32"},
    {"ip4:192.0.2.1/08", "not 0-32"},
    {"ip4:192.0.2.1/", "not 0-32"},
    {"ip4:192.0.2.1//32", "not 0-32"},
    {"ip6:192.0.2.1", "not an IPv6"},
    {"ip6:2001:db8::1/129", "not 0-128"},
    {"ip6::1::2", "not an IPv6"},
    {"redirect=", "no domain"},
    {"exp=-all", "without a dot"},
};

static void
knows_the_grammar_of_every_term(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(terms); i++) {
		struct spf_term term;
		const char *why =
		    spf_term_parse(str_from(terms[i].text), &term);
		bool is_fine = terms[i].why == NULL
				   ? why == NULL
				   : why != NULL && strstr(why, terms[i].why);
		if (!is_fine)
			fail_msg("%s: %s", terms[i].text,
			    why == NULL ? "accepted" : why);
	}
}

static void
cuts_a_record_into_its_terms(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct spf_record record;
	struct spf_fault fault;
	assert_true(spf_record_parse(a,
	    STR("V=SPF1  -mx:mx.example/28//60 redirect=b.example all -all  "),
	    &record, &fault));
	assert_int_equal(record.n, 4);
	assert_int_equal(record.v[0].word, SPF_MX);
	assert_int_equal(record.v[0].qualifier, '-');
	assert_str(record.v[0].target, "mx.example");
	assert_int_equal(record.v[0].bits4, 28);
	assert_int_equal(record.v[0].bits6, 60);
	assert_str(record.redirect->target, "b.example");
	assert_int_equal(record.all->qualifier, '+');
	assert_null(record.exp);
	assert_false(spf_record_parse(
	    a, STR("v=spf1 exp=a.example a exp=b.example"), &record, &fault));
	assert_str(fault.term, "exp=b.example");
	assert_true(spf_record_is(STR("v=spf1")));
	assert_false(spf_record_is(STR("v=spf10")));
	assert_false(spf_record_is(STR(" v=spf1")));
	assert_false(spf_record_is(STR("v=spf1\tall")));
	arena_free(a);
}

/* ---- macros */

static const struct {
	const char *text, *want;
} macros[] = {
    /* The examples of RFC 7208 section 7.4. */
    {"%{s}", "strong-bad@email.example.com"},
    {"%{o}", "email.example.com"},
    {"%{d}", "email.example.com"},
    {"%{d4}", "email.example.com"},
    {"%{d3}", "email.example.com"},
    {"%{d2}", "example.com"},
    {"%{d1}", "com"},
    {"%{dr}", "com.example.email"},
    {"%{d2r}", "example.email"},
    {"%{l}", "strong-bad"},
    {"%{l-}", "strong.bad"},
    {"%{lr}", "strong-bad"},
    {"%{lr-}", "bad.strong"},
    {"%{l1r-}", "strong"},
    {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
    {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
    {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
	"bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
    {"%{d2}.trusted-domains.example.net",
	"example.com.trusted-domains.example.net"},
    {"%{p}", "mx.example.org"},
    {"%{h}", "helo here"},
    {"%{H}", "helo%20here"},
    {"%{S}", "strong-bad%40email.example.com"},
    {"%{D128}", "email.example.com"},
    {"%{d99999999999999999999}", "email.example.com"},
    {"%%%_%-", "% %20"},
    {"%{c} %{r} %{t}", "192.0.2.3 unknown 1234567890"},
    {"%{v2-}", "in.addr"},
    {"", ""},
};

static const struct spf_macro_values *
values_of_rfc(void)
{
	static struct spf_macro_values values;
	values = (struct spf_macro_values){.local_part = STR("strong-bad"),
	    .sender = STR("strong-bad@email.example.com"),
	    .sender_domain = STR("email.example.com"),
	    .domain = STR("email.example.com"),
	    .helo = STR("helo here"),
	    .client_name = STR("mx.example.org"),
	    .receiver = STR("unknown"),
	    .now_wall = 1234567890};
	assert_true(ip_parse(STR("192.0.2.3"), &values.client));
	return &values;
}

static void
expands_macros(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(macros); i++) {
		struct str text = str_from(macros[i].text), got;
		assert_null(spf_macro_check(text, SPF_IN_TEXT));
		assert_true(
		    spf_macro_expand(a, text, values_of_rfc(), 1000, &got));
		assert_str(got, macros[i].want);
	}
	struct str got;
	assert_false(
	    spf_macro_expand(a, STR("%{d}"), values_of_rfc(), 16, &got));
	arena_free(a);
}

static void
names_lose_labels_on_the_left_past_253_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 100000);
	for (int i = 0; i < 100; i++)
		buf_put(b, STR("%{d}."));
	buf_put(b, STR("x.example."));
	struct str name = spf_macro_domain(a, buf_str(b), values_of_rfc());
	assert_true(name.len <= 253 && name.len > 253 - 9);
	assert_true(str_ends(name, STR(".email.example.com.x.example")));
	for (int i = 0; i < 5000; i++)
		buf_put(b, STR("%{d}."));
	assert_str(spf_macro_domain(a, buf_str(b), values_of_rfc()), "");
	arena_free(a);
}

/* ---- checks */

struct world {
	struct arena *arena;
	struct zone *zone;
	struct resolver *resolver;
	struct dns_budget budget;
	struct spf_query query;
	struct spf_answer answer;
};

static void
world_init(struct world *w, struct str zone)
{
	*w = (struct world){.arena = arena_new(),
	    .budget = {.deadline_ms = clock_ms() + 60000, .questions = 1000},
	    .query = {.address = STR("192.0.2.1"),
		.helo = STR("mail.example.net"),
		.sender = STR("user@example.com")}};
	w->zone = zone_new(w->arena);
	assert_int_equal(zone_parse(w->zone, zone), 0);
	w->resolver = resolver_new_source(zone_source, w->zone);
}

static void
world_check(struct world *w)
{
	spf_check(w->arena, w->resolver, &w->query, &w->budget, &w->answer);
}

static void
world_done(struct world *w)
{
	resolver_free(w->resolver);
	arena_free(w->arena);
}

static const struct {
	const char *label, *zone, *result, *why;
} checks[] = {
    {"the term that matches", "example.com TXT v=spf1 a -ip4:192.0.2.0/24\n",
	"fail", "-ip4:192.0.2.0/24"},
    {"all", "example.com TXT v=spf1 ~all\n", "softfail", "~all"},
    {"nothing", "example.com TXT v=spf1 ip4:192.0.2.2\n", "neutral",
	"nothing matches"},
    {"through includes and redirects",
	"example.com TXT v=spf1 include:a.example -all\n"
	"a.example TXT v=spf1 redirect=b.example\n"
	"b.example TXT v=spf1 mx:c.example -all\n"
	"c.example MX 10 d.example\n"
	"d.example A 192.0.2.1\n",
	"pass", "include:a.example -> redirect=b.example -> mx:c.example"},
    {"behind an include that does not match",
	"example.com TXT v=spf1 include:a.example ?a -all\n"
	"a.example TXT v=spf1 -all\n"
	"example.com A 192.0.2.1\n",
	"neutral", "?a"},
    {"nothing behind a redirect",
	"example.com TXT v=spf1 redirect=a.example\n"
	"a.example TXT v=spf1 ip4:192.0.2.2\n",
	"neutral", "redirect=a.example -> nothing matches"},
    {"a broken record", "example.com TXT v=spf1 ip4:192.0.2.1/33 all\n",
	"permerror",
	"the record of example.com is broken at \"ip4:192.0.2.1/33\": a "
	"length that is not 0-32"},
    {"a broken record of another",
	"example.com TXT v=spf1 include:a.example all\n"
	"a.example TXT v=spf1 a:host.123\n",
	"permerror",
	"include:a.example: the record of a.example is broken at "
	"\"a:host.123\": a domain with an impossible last label"},
    {"include of nothing", "example.com TXT v=spf1 include:a.example all\n",
	"permerror", "include:a.example: a.example has no SPF record"},
    {"not answered",
	"example.com TXT v=spf1 include:a.example -all\n"
	"a.example TXT v=spf1 a:b.example -all\n"
	"b.example TIMEOUT \n",
	"temperror", "include:a.example -> a:b.example: A b.example: timeout"},
    {"two records", "example.com TXT v=spf1 -all\nexample.com TXT v=spf1 a\n",
	"permerror", "example.com has 2 SPF records, must be 1"},
    {"none", "example.com TXT hello\n", "none", "there is no SPF record"},
    {"voids",
	"example.com TXT v=spf1 a:a.example a:b.example mx:c.example all\n",
	"permerror",
	"mx:c.example: more than 2 lookups that find nothing, the last is MX "
	"c.example"},
    {"bytes nobody should see",
	"example.com TXT v=spf1 a:\x1b[2J\xff.example all\n", "permerror",
	"the record of example.com is broken at \"a:\\x1b[2J\\xff.example\": "
	"a byte that is not printable ASCII"},
};

static void
says_what_decided(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		struct world w;
		world_init(&w, str_from(checks[i].zone));
		world_check(&w);
		assert_str(spf_result_name(w.answer.result), checks[i].result);
		assert_str(w.answer.why, checks[i].why);
		world_done(&w);
	}
}

static void
counts_terms_voids_and_time_to_live(void **state)
{
	(void)state;
	struct world w;
	world_init(&w,
	    STR("example.com 900 TXT v=spf1 a:n.example include:a.example a:b"
		".example -all exp=e.example\n"
		"a.example 60 TXT v=spf1 mx ?all\n"
		"a.example 70 MX 1 b.example\n"
		"b.example 80 A 192.0.2.9\n"));
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "fail");
	assert_int_equal(w.answer.terms, 4);
	assert_int_equal(w.answer.voids, 1);
	assert_int_equal(w.answer.ttl_s, 60);
	assert_str(w.answer.domain, "example.com");
	assert_true(str_starts(w.answer.record, STR("v=spf1 a:n.example")));
	assert_str(w.answer.explanation, "");
	/* Each once: nobody asked for the explanation. */
	assert_int_equal(zone_asked(w.zone), 6);
	world_done(&w);
}

static const struct {
	const char *record;
	bool uses_local_part, uses_helo;
} uses[] = {
    {"v=spf1 a mx exists:%{ir}.%{o}.%{d}.%{v}.example -all", false, false},
    {"v=spf1 exists:%{l}.example -all", true, false},
    {"v=spf1 exists:%{S1r-}.example -all", true, false},
    {"v=spf1 -all exists:%{h}.example", false, true},
    {"v=spf1 -all exp=%{H}.%{L}.example", true, true},
    {"v=spf1 -all moo=%{l}%{h}", false, false},
    {"v=spf1 -all exists:%%{l}%%{h}.example", false, false},
};

static void
knows_what_the_result_depends_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(uses); i++) {
		struct world w;
		world_init(&w, STR("other.example A 192.0.2.1\n"));
		zone_add_txt(
		    w.zone, STR("example.com"), str_from(uses[i].record));
		world_check(&w);
		assert_int_equal(
		    w.answer.uses_local_part, uses[i].uses_local_part);
		assert_int_equal(w.answer.uses_helo, uses[i].uses_helo);
		world_done(&w);
	}
}

static void
a_local_part_beyond_ascii_is_in_no_name(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("example.com TXT v=spf1 -exists:%{l}.a.example "
			   "ip4:192.0.2.1 -all\n"
			   "j\xc3\xb6rg.a.example A 127.0.0.2\n"
			   "joerg.a.example A 127.0.0.2\n"));
	w.query.sender = STR("j\xc3\xb6rg@example.com");
	world_check(&w);
	assert_str(w.answer.why, "ip4:192.0.2.1");
	w.query.sender = STR("joerg@example.com");
	world_check(&w);
	assert_str(w.answer.why, "-exists:%{l}.a.example");
	world_done(&w);
}

static void
u_labels_are_asked_for_as_a_labels(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("xn--bcher-kva.example TXT v=spf1 +all\n"));
	w.query.sender = STR("a@B\xc3\xbc"
			     "cher.example.");
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "pass");
	assert_str(w.answer.domain, "xn--bcher-kva.example");
	world_done(&w);
}

static void
an_address_that_is_none_never_passes(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("example.com TXT v=spf1 +all\n"));
	w.query.address = STR("localhost");
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "permerror");
	w.query.address = STR_EMPTY;
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "permerror");
	assert_int_equal(zone_asked(w.zone), 0);
	world_done(&w);
}

static void
past_its_budget_a_check_is_temporary(void **state)
{
	(void)state;
	struct world w;
	struct str zone = STR("example.com TXT v=spf1 a a:b.example -all\n"
			      "example.com A 192.0.2.2\n"
			      "b.example A 192.0.2.1\n");
	for (unsigned questions = 0; questions < 3; questions++) {
		world_init(&w, zone);
		w.budget.questions = questions;
		world_check(&w);
		assert_str(spf_result_name(w.answer.result), "temperror");
		assert_true(str_ends(w.answer.why, STR(": limit")));
		assert_true(w.budget.has_temp);
		world_done(&w);
	}
	world_init(&w, zone);
	w.budget.deadline_ms = clock_ms() - 1;
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "temperror");
	world_done(&w);
	world_init(&w, zone);
	w.budget.questions = 3;
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "pass");
	world_done(&w);
}

/* libspf2 alone does 111,111 questions for this. */
static void
includes_do_not_multiply_questions(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("example.com TXT v=spf1 include:l1.example "
			   "include:l1.example include:l1.example -all\n"));
	struct buf *b = buf_new(w.arena, 100000);
	for (int i = 1; i < 8; i++) {
		buf_printf(b, "l%d.example TXT v=spf1", i);
		for (int j = 0; j < 10; j++)
			buf_printf(b, " include:l%d.example", i + 1);
		buf_put(b, STR(" ?all\n"));
	}
	buf_put(b, STR("l8.example TXT v=spf1 ?all\n"));
	assert_int_equal(zone_parse(w.zone, buf_str(b)), 0);
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "permerror");
	assert_int_equal(w.answer.terms, 10);
	assert_int_equal(w.budget.asked, 11);
	world_done(&w);
}

static void
names_of_the_client_are_not_asked_for_past_the_limit(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("example.com TXT v=spf1 a:%{p}.example "
			   "exists:b.example all\n"));
	for (int i = 0; i < 10; i++) {
		struct str name = str_printf(w.arena, "n%d.example.com", i);
		assert_true(zone_add(w.zone, STR("1.2.0.192.in-addr.arpa"), 60,
		    STR("PTR"), name));
	}
	world_check(&w);
	assert_str(spf_result_name(w.answer.result), "permerror");
	assert_int_equal(w.answer.voids, 3);
	assert_int_equal(w.budget.asked, 5);
	world_done(&w);
}

/* libspf2 counts terms in 8 bits. */
static void
a_record_may_have_any_number_of_terms(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("b.example A 192.0.2.1\n"));
	struct buf *b = buf_new(w.arena, 100000);
	buf_put(b, STR("v=spf1"));
	for (int i = 0; i < 3000; i++)
		buf_printf(b, " ip4:203.0.113.%d", i % 256);
	buf_put(b, STR(" ~a:b.example -all"));
	zone_add_txt(w.zone, STR("example.com"), buf_str(b));
	world_check(&w);
	assert_str(w.answer.why, "~a:b.example");
	world_done(&w);
}

/*
 * CVE-2023-42118: with these libspf2 writes past its buffers.  It never sees
 * them.
 */
static void
records_that_kill_libspf2_are_harmless(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, STR("other.example A 192.0.2.1\n"));
	struct buf *b = buf_new(w.arena, 100000);
	buf_put(b, STR("v=spf1 exists:"));
	for (int i = 0; i < 127; i++)
		buf_put(b, STR("%{d}"));
	for (int i = 0; i < 4500; i++)
		buf_putc(b, 'x');
	buf_put(b, STR(".example -all exp=e.example"));
	zone_add_txt(w.zone, STR("example.com"), buf_str(b));
	b->len = 0;
	for (int i = 0; i < 127; i++)
		buf_put(b, STR("%{d}"));
	buf_put(b, STR("abc"));
	zone_add_txt(w.zone, STR("e.example"), buf_str(b));
	w.query.wants_explanation = true;
	world_check(&w);
	assert_str(w.answer.why, "-all");
	/* 127 times 11 bytes are no explanation. */
	assert_str(w.answer.explanation, "");
	world_done(&w);
}

/* ---- threads */

#define THREADS 8

static void *
check_many(void *arg)
{
	struct world *w = arg;
	for (int i = 0; i < 200; i++) {
		struct arena *a = arena_new();
		struct dns_budget budget = {
		    .deadline_ms = clock_ms() + 60000, .questions = 100};
		struct spf_answer answer;
		spf_check(a, w->resolver, &w->query, &budget, &answer);
		if (answer.result != SPF_PASS)
			abort();
		arena_free(a);
	}
	return NULL;
}

static void
fixed_source(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	(void)arg;
	if (type == DNS_TXT)
		strs_add(a, &ret->records,
		    str_eq(name, STR("example.com"))
			? STR("v=spf1 include:a.example -all")
			: STR("v=spf1 a:%{i}.example mx a:b.example ?all"));
	else if (type == DNS_A && str_eq(name, STR("b.example")))
		strs_add(a, &ret->records, str_of("\xc0\x00\x02\x01", 4));
	else
		ret->status = DNS_NODATA;
}

static void
many_threads_check_at_once(void **state)
{
	(void)state;
	struct world w = {.query = {.address = STR("192.0.2.1"),
			      .helo = STR("x"),
			      .sender = STR("user@example.com")}};
	w.resolver = resolver_new_source(fixed_source, NULL);
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, check_many, &w), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	resolver_free(w.resolver);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_addresses_and_unmaps_them),
    cmocka_unit_test(knows_what_lies_in_a_block),
    cmocka_unit_test(knows_the_grammar_of_every_term),
    cmocka_unit_test(cuts_a_record_into_its_terms),
    cmocka_unit_test(expands_macros),
    cmocka_unit_test(names_lose_labels_on_the_left_past_253_bytes),
    cmocka_unit_test(says_what_decided),
    cmocka_unit_test(counts_terms_voids_and_time_to_live),
    cmocka_unit_test(knows_what_the_result_depends_on),
    cmocka_unit_test(a_local_part_beyond_ascii_is_in_no_name),
    cmocka_unit_test(u_labels_are_asked_for_as_a_labels),
    cmocka_unit_test(an_address_that_is_none_never_passes),
    cmocka_unit_test(past_its_budget_a_check_is_temporary),
    cmocka_unit_test(includes_do_not_multiply_questions),
    cmocka_unit_test(names_of_the_client_are_not_asked_for_past_the_limit),
    cmocka_unit_test(a_record_may_have_any_number_of_terms),
    cmocka_unit_test(records_that_kill_libspf2_are_harmless),
    cmocka_unit_test(many_threads_check_at_once),
};

UNIT_MAIN(tests)
