/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_advice -- records to publish.  That they pass is checked by a second
 * zone that has them. */
#include "unit.h"

#include "../tool/zone.h"
#include "auth/spf.h"
#include "auth/spf_advice.h"
#include "auth/spf_repair.h"
#include "base/clock.h"

static const struct {
	const char *term, *want; /* NULL: nobody knows */
} repairs[] = {
    {"ip:192.0.2.1", "ip4:192.0.2.1"},
    {"ipv4:192.0.2.0/24", "ip4:192.0.2.0/24"},
    {"ipv6:2001:db8::1", "ip6:2001:db8::1"},
    {"ip4:2001:db8::/32", "ip6:2001:db8::/32"},
    {"ip6:192.0.2.1", "ip4:192.0.2.1"},
    {"a:192.0.2.1", "ip4:192.0.2.1"},
    {"-mx:192.0.2.1/24", "-ip4:192.0.2.1/24"},
    {"192.0.2.1", "ip4:192.0.2.1"},
    {"2001:db8::1", "ip6:2001:db8::1"},
    {"ip4:192.0.2.1:25", "ip4:192.0.2.1"},
    {"ip4:192.0.2.1/024", "ip4:192.0.2.1/24"},
    {"a/024", "a/24"},
    {"include:a.example,", "include:a.example"},
    {"include:a.example;", "include:a.example"},
    {"\"include:a.example\"", "include:a.example"},
    {"-all.", "-all"},
    {"~all\"", "~all"},
    {"\xe2\x80\x93"
     "all",
	"-all"},
    {"redirect:a.example", "redirect=a.example"},
    {"-redirect=a.example", "redirect=a.example"},
    {"exp:a.example", "exp=a.example"},
    {"+include=a.example", "+include:a.example"},
    {"ip4:192.0.2.1/33", NULL},
    {"ip4:192.0.2", NULL},
    {"a.example", NULL},
    {"include:museum", NULL},
    {"all:x", NULL},
    {"moo", NULL},
    {"", NULL},
    {"-", NULL},
    {"\xff", NULL},
};

static void
mends_terms_with_one_clear_meaning(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(repairs); i++) {
		struct str got = STR("(none)");
		(void)!spf_term_repair(a, str_from(repairs[i].term), &got);
		assert_str(
		    got, repairs[i].want == NULL ? "(none)" : repairs[i].want);
	}
	arena_free(a);
}

struct advised {
	struct arena *arena;
	enum spf_advice_status status;
	struct str record, note;
	unsigned asked;
};

static const char world[] =
    "host.example A 192.0.2.1\n"
    "two.example A 192.0.2.7\n"
    "two.example AAAA 2001:db8::7\n"
    "mx.example MX 10 two.example\n"
    "mx.example MX 20 host.example\n"
    "base.example TXT v=spf1 ip4:198.51.100.0/24 ip4:198.51.100.9 -all\n"
    "deep.example TXT v=spf1 include:base.example a:two.example mx:mx.example "
    "a:host.example ~all\n"
    "not.example TXT v=spf1 -ip4:198.51.100.1 ip4:198.51.100.0/24 -all\n"
    "home.example TXT v=spf1 a a:two.example/28 mx ip6:2001:db8:1::/48 -all\n"
    "home.example A 203.0.113.50\n"
    "home.example MX 10 two.example\n"
    "dead.example TIMEOUT \n";

static void
advise(struct advised *d, const char *records, const char *addresses)
{
	*d = (struct advised){.arena = arena_new()};
	struct zone *zone = zone_new(d->arena);
	assert_int_equal(zone_parse(zone, str_from(world)), 0);
	assert_int_equal(zone_parse(zone, str_from(records)), 0);
	struct resolver *r = resolver_new_source(zone_source, zone);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 60000, .questions = 200};
	struct strs list = {0};
	struct str rest = str_from(addresses);
	for (struct str word; (word = str_word(&rest)).len > 0;)
		strs_add(d->arena, &list, word);
	d->status = spf_advise(d->arena, r, STR("example.com"), &list, &budget,
	    &d->record, &d->note);
	d->asked = budget.asked;
	resolver_free(r);
}

/* With `record` published, each of `addresses` passes. */
static void
assert_passes(struct arena *a, struct str record, const char *addresses)
{
	struct zone *zone = zone_new(a);
	assert_int_equal(zone_parse(zone, str_from(world)), 0);
	zone_add_txt(zone, STR("example.com"), record);
	struct resolver *r = resolver_new_source(zone_source, zone);
	struct str rest = str_from(addresses);
	for (struct str word; (word = str_word(&rest)).len > 0;) {
		struct dns_budget budget = {
		    .deadline_ms = clock_ms() + 60000, .questions = 200};
		struct spf_query query = {.address = word,
		    .helo = STR("x"),
		    .sender = STR("a@example.com")};
		struct spf_answer answer;
		spf_check(a, r, &query, &budget, &answer);
		assert_str(spf_result_name(answer.result), "pass");
	}
	resolver_free(r);
}

#define OURS "203.0.113.9 2001:db8::25"
#define OUR_TERMS "ip4:203.0.113.9 ip6:2001:db8::25"

static const struct {
	const char *label, *records, *addresses;
	enum spf_advice_status status;
	const char *want, *note; /* a part of the note */
} advices[] = {
    {"nothing is missing",
	"example.com TXT v=spf1  ip4:203.0.113.0/24 ip6:2001:db8::/32  -all\n",
	OURS, SPF_ADVICE_KEEP,
	"v=spf1  ip4:203.0.113.0/24 ip6:2001:db8::/32  -all", ""},
    {"no record", "", OURS, SPF_ADVICE_PUBLISH, "v=spf1 " OUR_TERMS " ~all",
	"~all, because other hosts"},
    {"other TXT records", "example.com TXT hello\n", "192.0.2.1",
	SPF_ADVICE_PUBLISH, "v=spf1 ip4:192.0.2.1 ~all", "a new record"},
    {"before all",
	"example.com TXT v=spf1 include:base.example a:host.example -all\n",
	OURS, SPF_ADVICE_PUBLISH,
	"v=spf1 include:base.example a:host.example " OUR_TERMS " -all",
	"added: " OUR_TERMS},
    {"one of two", "example.com TXT v=spf1 ip4:203.0.113.9 ~all\n", OURS,
	SPF_ADVICE_PUBLISH, "v=spf1 ip4:203.0.113.9 ip6:2001:db8::25 ~all",
	"added: ip6:2001:db8::25"},
    {"before redirect", "example.com TXT v=spf1 redirect=base.example\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 ip4:203.0.113.9 redirect=base.example", "added"},
    {"at the end", "example.com TXT v=spf1 a:host.example\n", "203.0.113.9",
	SPF_ADVICE_PUBLISH, "v=spf1 a:host.example ip4:203.0.113.9", ""},
    {"before what refuses us",
	"example.com TXT v=spf1 a:host.example -ip4:203.0.113.0/24 ip4:"
	"198.51.100.0/24 -all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 a:host.example ip4:203.0.113.9 -ip4:203.0.113.0/24 ip4:"
	"198.51.100.0/24 -all",
	""},
    {"in front of what softly refuses us",
	"example.com TXT v=spf1 ~ip4:203.0.113.0/24 ip4:203.0.113.9 -all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 ip4:203.0.113.9 ~ip4:203.0.113.0/24 ip4:203.0.113.9 -all", ""},
    {"anybody passes", "example.com TXT v=spf1 +all\n", OURS, SPF_ADVICE_KEEP,
	"v=spf1 +all", "lets anybody pass"},
    {"terms with one clear meaning are mended",
	"example.com TXT v=spf1 ip:203.0.113.9 include:base.example, -all.\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 ip4:203.0.113.9 include:base.example -all",
	"\"ip:203.0.113.9\" is broken (an unknown mechanism) and taken for "
	"ip4:203.0.113.9"},
    {"others are left out",
	"example.com TXT v=spf1 moo a:host.example ip4:192.0.2.1/33 ~all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 a:host.example ip4:203.0.113.9 ~all",
	"\"moo\" is broken (an unknown mechanism) and left out"},
    {"a broken record of which nothing is left", "example.com TXT v=spf1 moo\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH, "v=spf1 ip4:203.0.113.9 ~all",
	"a new record"},
    {"tabs and twice",
	"example.com TXT v=spf1 a:host.example\tredirect=base.example "
	"redirect=deep.example\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 a:host.example ip4:203.0.113.9 redirect=base.example",
	"redirect=deep.example is there once too often"},
    {"two records",
	"example.com TXT v=spf1 a:host.example -all\n"
	"example.com TXT v=spf1 include:base.example ~all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 a:host.example include:base.example ip4:203.0.113.9 -all",
	"2 records, which is an error, are made one"},
    {"two records, one with a redirect",
	"example.com TXT v=spf1 a:host.example -all ptr\n"
	"example.com TXT v=spf1 redirect=base.example\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 a:host.example include:base.example ip4:203.0.113.9 -all",
	"are made one"},
    {"what is behind all costs nothing",
	"example.com TXT v=spf1 ip4:203.0.113.9 -all a a a a a a a a a a a "
	"include:host.example redirect=deep.example\n",
	"203.0.113.9", SPF_ADVICE_KEEP,
	"v=spf1 ip4:203.0.113.9 -all a a a a a a a a a a a "
	"include:host.example redirect=deep.example",
	""},
    {"an include of nothing",
	"example.com TXT v=spf1 include:host.example ip4:203.0.113.9 -all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH, "v=spf1 ip4:203.0.113.9 -all",
	"include:host.example is left out: host.example has no SPF record"},
    {"too many names that are not there",
	"example.com TXT v=spf1 a:n1.example a:n2.example mx:n3.example "
	"ip4:203.0.113.9 -all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH, "v=spf1 ip4:203.0.113.9 -all",
	"a:n1.example is left out: it finds nothing"},
    {"the costliest include becomes its addresses",
	"example.com TXT v=spf1 include:base.example a:host.example "
	"a:host.example a:host.example a:host.example a:host.example "
	"include:deep.example ~all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 include:base.example a:host.example a:host.example "
	"a:host.example a:host.example a:host.example ip4:198.51.100.0/24 "
	"ip4:192.0.2.7 ip6:2001:db8::7 ip4:192.0.2.1 ip4:203.0.113.9 ~all",
	"include:deep.example (5 lookups) is replaced by its addresses of "
	"today, 4"},
    {"with its qualifier",
	"example.com TXT v=spf1 ?include:deep.example ~mx:mx.example "
	"a:host.example a:host.example a:host.example a:host.example "
	"a:host.example ip4:203.0.113.9 -all\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 ?ip4:198.51.100.0/24 ?ip4:192.0.2.7 ?ip6:2001:db8::7 "
	"?ip4:192.0.2.1 ~mx:mx.example a:host.example a:host.example "
	"a:host.example a:host.example a:host.example ip4:203.0.113.9 -all",
	"11 lookups are more than the 10 allowed"},
    {"a redirect becomes the terms it leads to",
	"example.com TXT v=spf1 ptr ptr ptr ptr ptr ptr ptr "
	"redirect=home.example\n",
	"203.0.113.9", SPF_ADVICE_PUBLISH,
	"v=spf1 ptr ptr ptr ptr ptr ptr ptr a:home.example a:two.example/28 "
	"mx:home.example ip6:2001:db8:1::/48 ip4:203.0.113.9 -all",
	"redirect=home.example is replaced by the terms of that record"},
    {"exceptions cannot become addresses",
	"example.com TXT v=spf1 ptr ptr ptr ptr ptr ptr ptr ptr ptr ptr "
	"include:not.example -all\n",
	"203.0.113.9", SPF_ADVICE_FAILED, NULL, "it needs 11 lookups"},
    {"not answered", "example.com TXT v=spf1 include:dead.example -all\n",
	"203.0.113.9", SPF_ADVICE_TEMP, "", "dead.example: timeout"},
    {"not answered itself", "example.com TIMEOUT \n", "203.0.113.9",
	SPF_ADVICE_TEMP, "", "the DNS did not answer: timeout"},
    {"what is no address", "example.com TXT v=spf1 ip4:203.0.113.9 -all\n",
	"203.0.113.9 localhost", SPF_ADVICE_KEEP, "v=spf1 ip4:203.0.113.9 -all",
	"localhost is no address"},
};

static void
says_what_to_publish(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		struct advised d;
		advise(&d, advices[i].records, advices[i].addresses);
		if (d.status != advices[i].status ||
		    str_find(d.note, str_from(advices[i].note)) == STR_NONE)
			fail_msg("%s: status %d, note: %.*s", advices[i].label,
			    (int)d.status, STR_ARG(d.note));
		if (advices[i].want != NULL)
			assert_str(d.record, advices[i].want);
		if (d.status == SPF_ADVICE_PUBLISH)
			assert_passes(d.arena, d.record, advices[i].addresses);
		arena_free(d.arena);
	}
}

/* What was advised is not changed again. */
static void
advice_is_final(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(advices); i++) {
		struct advised d, again;
		advise(&d, advices[i].records, advices[i].addresses);
		if (d.status == SPF_ADVICE_PUBLISH) {
			struct str line = str_printf(d.arena,
			    "example.com TXT %.*s\n", STR_ARG(d.record));
			advise(
			    &again, str_c(d.arena, line), advices[i].addresses);
			assert_int_equal(again.status, SPF_ADVICE_KEEP);
			arena_free(again.arena);
		}
		arena_free(d.arena);
	}
}

static void
loops_end(void **state)
{
	(void)state;
	static const char *const loops[] = {
	    "example.com TXT v=spf1 include:example.com -all\n",
	    "example.com TXT v=spf1 redirect=example.com\n",
	    "example.com TXT v=spf1 include:l1.example redirect=l1.example\n"
	    "l1.example TXT v=spf1 include:l2.example include:l2.example "
	    "redirect=l1.example\n"
	    "l2.example TXT v=spf1 include:l1.example include:l1.example "
	    "include:l2.example\n",
	};
	for (size_t i = 0; i < COUNT_OF(loops); i++) {
		struct advised d;
		advise(&d, loops[i], "203.0.113.9");
		assert_true(d.status == SPF_ADVICE_PUBLISH ||
			    d.status == SPF_ADVICE_TEMP);
		assert_true(d.asked <= 200);
		arena_free(d.arena);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(mends_terms_with_one_clear_meaning),
    cmocka_unit_test(says_what_to_publish),
    cmocka_unit_test(advice_is_final),
    cmocka_unit_test(loops_end),
};

UNIT_MAIN(tests)
