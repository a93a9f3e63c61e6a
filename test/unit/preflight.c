/* SPDX-License-Identifier: BSD-2-Clause */
/* preflight -- what receivers will think, from a DNS that is a table. */
#include "unit.h"

#include "auth/egress.h"
#include "auth/facts.h"
#include "auth/local_domains.h"
#include "base/clock.h"
#include "rules/ruleset.h"

/* One record; type 0: the name is there.  DNS_TEMP: not answered. */
struct record {
	const char *name;
	enum dns_type type;
	const char *text;
	enum dns_status status;
};

#define SPF_OK "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"

static const struct record zone[] = {
    {"good.example", DNS_TXT, SPF_OK, DNS_OK},
    {"good.example", DNS_MX, "mx.good.example", DNS_OK},
    {"_dmarc.good.example", DNS_TXT, "v=DMARC1; p=reject", DNS_OK},
    {"bounce.good.example", DNS_TXT, SPF_OK, DNS_OK},
    {"bounce.good.example", DNS_MX, "mx.good.example", DNS_OK},
    {"half.example", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all", DNS_OK},
    {"_dmarc.half.example", DNS_TXT, "v=DMARC1; p=quarantine", DNS_OK},
    {"soft.example", DNS_TXT, "v=spf1 ~all", DNS_OK},
    {"_dmarc.soft.example", DNS_TXT, "v=DMARC1; p=none", DNS_OK},
    {"bare.example", DNS_TXT, SPF_OK, DNS_OK},
    {"strict.example", DNS_TXT, SPF_OK, DNS_OK},
    {"_dmarc.strict.example", DNS_TXT, "v=DMARC1; p=reject; aspf=s", DNS_OK},
    {"news.strict.example", DNS_TXT, SPF_OK, DNS_OK},
    {"slow.example", DNS_TXT, "", DNS_TEMP},
    {"_dmarc.slow.example", DNS_TXT, "v=DMARC1; p=reject", DNS_OK},
    {"_dmarc.dead.example", DNS_TXT, "", DNS_TEMP},
    {"dead.example", DNS_TXT, "v=spf1 -all", DNS_OK},
    {"local.example", DNS_TXT, "v=spf1 exists:%{l}.ok.local.example -all",
	DNS_OK},
    {"alice.ok.local.example", DNS_A, "\x7f\0\0\2", DNS_OK},
    {"_dmarc.local.example", DNS_TXT, "v=DMARC1; p=reject", DNS_OK},
    {"mx.test.example", DNS_TXT, SPF_OK, DNS_OK},
    {"_dmarc.test.example", DNS_TXT, "v=DMARC1; p=reject", DNS_OK},
    {"null.example", DNS_MX, "", DNS_OK},
    {"null.example", DNS_TXT, SPF_OK, DNS_OK},
    {"gmail.example", DNS_TXT, "v=spf1 ~all", DNS_OK},
    {"costly.example", DNS_TXT,
	"v=spf1 a:a.good.example a:b.good.example mx:good.example "
	"mx:bounce.good.example a:local.example -all",
	DNS_OK},
};

static unsigned asked;

static struct str
record_bytes(struct arena *a, const struct record *r)
{
	if (r->type == DNS_MX)
		return str_printf(a, "%c%c%s", 0, 10, r->text);
	return r->type == DNS_A ? str_of(r->text, 4) : str_from(r->text);
}

static void
answer(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	(void)arg;
	asked++;
	ret->status = DNS_NXDOMAIN;
	ret->ttl_s = 60;
	for (size_t i = 0; i < COUNT_OF(zone); i++) {
		const struct record *r = &zone[i];
		if (!str_eq(name, str_from(r->name)))
			continue;
		if (ret->status == DNS_NXDOMAIN)
			ret->status = DNS_NODATA;
		if (r->type != type)
			continue;
		ret->status = r->status;
		ret->why = r->status == DNS_TEMP ? "SERVFAIL" : "";
		if (r->status == DNS_OK)
			strs_add(a, &ret->records, record_bytes(a, r));
	}
}

/* A DNS, the two addresses of ours, and what was asked for. */
struct bench {
	struct arena *a;
	struct dns dns;
	struct strs egress, strict;
	struct preflight flight;
};

static struct bench
bench_new(void)
{
	struct bench b = {.a = arena_new()};
	b.dns.resolver = resolver_new_source(answer, NULL);
	b.dns.cache = cache_new(1000, 1 << 20);
	strs_add(b.a, &b.egress, STR("192.0.2.1"));
	strs_add(b.a, &b.egress, STR("2001:db8::1"));
	return b;
}

static void
bench_free(struct bench *b)
{
	dns_close(&b->dns);
	arena_free(b->a);
}

static void
judge_within(
    struct bench *b, const char *sender, const char *author, unsigned questions)
{
	struct strs authors = {0};
	if (author != NULL)
		strs_add(b->a, &authors, str_from(author));
	struct preflight_query query = {
	    .sender = str_from(sender),
	    .helo = STR("mx.test.example"),
	    .egress = &b->egress,
	    .authors = &authors,
	    .form = author == NULL ? "there is no From field" : NULL,
	    .strict = &b->strict,
	};
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 5000, .questions = questions};
	preflight_run(b->a, &b->dns, &query, &budget, &b->flight);
}

static void
judge(struct bench *b, const char *sender, const char *author)
{
	judge_within(b, sender, author, 200);
}

static void
verdicts_follow_spf_alignment_and_policy(void **state)
{
	(void)state;
	static const struct {
		const char *label, *sender, *author, *verdict;
	} cases[] = {
	    {"aligned", "a@good.example", "good.example", "pass_spf_only"},
	    {"aligned as organisation", "a@bounce.good.example", "good.example",
		"pass_spf_only"},
	    {"one address of two fails", "a@half.example", "half.example",
		"fail_quarantine"},
	    {"softfail is not pass", "a@soft.example", "soft.example",
		"fail_none"},
	    {"passes for another domain", "a@good.example", "half.example",
		"fail_quarantine"},
	    {"no policy", "a@bare.example", "bare.example", "nodmarc"},
	    {"strict and the same", "a@strict.example", "strict.example",
		"pass_spf_only"},
	    {"strict and not the same", "a@news.strict.example",
		"strict.example", "fail_reject"},
	    {"SPF is not answered", "a@slow.example", "slow.example", "temp"},
	    {"SPF is not answered and would not count", "a@slow.example",
		"good.example", "fail_reject"},
	    {"policy is not answered", "a@dead.example", "dead.example",
		"temp"},
	    {"the null sender goes by HELO", "", "mail.test.example",
		"pass_spf_only"},
	    {"the null sender, another domain", "", "good.example",
		"fail_reject"},
	    {"a host without a domain", "a@good.example", "localhost",
		"nodmarc"},
	    {"no author", "a@good.example", NULL, "form"},
	    {"no sender's domain", "alice", "good.example", "fail_reject"},
	    {"the MTA adds it, and it may be that", "alice", "test.example",
		"temp"},
	    {"a sender's domain that is none", "a@[192.0.2.9]", "good.example",
		"fail_reject"},
	};
	struct bench b = bench_new();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		judge(&b, cases[i].sender, cases[i].author);
		struct str got = preflight_verdict_name(b.flight.verdict);
		if (!str_eq(got, str_from(cases[i].verdict)))
			fail_msg("%s: got %.*s, wanted %s (%.*s)",
			    cases[i].label, STR_ARG(got), cases[i].verdict,
			    STR_ARG(b.flight.evidence));
	}
	bench_free(&b);
}

static void
evidence_names_domain_address_and_record(void **state)
{
	(void)state;
	struct bench b = bench_new();
	judge(&b, "a@half.example", "half.example");
	static const char *const parts[] = {"half.example",
	    "v=DMARC1; p=quarantine", "2001:db8::1",
	    "v=spf1 ip4:192.0.2.1 -all", "fail", "no aligned signature"};
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		if (str_find(b.flight.evidence, str_from(parts[i])) == STR_NONE)
			fail_msg("no \"%s\" in \"%.*s\"", parts[i],
			    STR_ARG(b.flight.evidence));
	assert_int_equal(b.flight.spf.n, 2);
	assert_int_equal(b.flight.spf.v[0].answer.result, SPF_PASS);
	assert_int_equal(b.flight.spf.v[1].answer.result, SPF_FAIL);
	bench_free(&b);
}

static void
without_addresses_spf_is_not_judged(void **state)
{
	(void)state;
	struct bench b = bench_new();
	b.egress.n = 0;
	judge(&b, "a@good.example", "good.example");
	assert_int_equal(b.flight.verdict, PREFLIGHT_TEMP);
	judge(&b, "a@good.example", "half.example");
	assert_int_equal(b.flight.verdict, PREFLIGHT_FAIL_QUARANTINE);
	bench_free(&b);
}

static void
the_second_mail_of_a_domain_asks_nothing(void **state)
{
	(void)state;
	struct bench b = bench_new();
	judge(&b, "a@good.example", "good.example");
	assert_true(asked > 0);
	asked = 0;
	judge(&b, "b@good.example", "good.example");
	assert_int_equal(asked, 0);
	assert_int_equal(b.flight.verdict, PREFLIGHT_PASS_SPF_ONLY);
	/* what was not answered is asked again */
	judge(&b, "a@slow.example", "slow.example");
	asked = 0;
	judge(&b, "a@slow.example", "slow.example");
	assert_true(asked > 0);
	bench_free(&b);
}

static void
a_local_part_that_decides_is_not_taken_for_another(void **state)
{
	(void)state;
	struct bench b = bench_new();
	for (int i = 0; i < 3; i++) {
		judge(&b, "alice@local.example", "local.example");
		assert_int_equal(b.flight.verdict, PREFLIGHT_PASS_SPF_ONLY);
		judge(&b, "mallory@local.example", "local.example");
		assert_int_equal(b.flight.verdict, PREFLIGHT_FAIL_REJECT);
	}
	asked = 0;
	judge(&b, "alice@local.example", "local.example");
	assert_int_equal(asked, 0);
	bench_free(&b);
}

/* Whoever chooses the sender must not keep us from asking for the policy. */
static void
a_sender_that_costs_much_hides_no_policy(void **state)
{
	(void)state;
	for (unsigned questions = 8; questions < 40; questions++) {
		struct bench b = bench_new();
		judge_within(&b, "a@costly.example", "good.example", questions);
		if (b.flight.verdict != PREFLIGHT_FAIL_REJECT)
			fail_msg("%u questions: %.*s", questions,
			    STR_ARG(b.flight.evidence));
		bench_free(&b);
	}
}

static void
a_sender_without_a_domain_is_not_the_null_sender(void **state)
{
	(void)state;
	struct bench b = bench_new();
	for (int i = 0; i < 2; i++) {
		judge(&b, "alice", "mail.test.example");
		assert_int_equal(b.flight.verdict, PREFLIGHT_TEMP);
		judge(&b, "", "mail.test.example");
		assert_int_equal(b.flight.verdict, PREFLIGHT_PASS_SPF_ONLY);
	}
	bench_free(&b);
}

static void
what_is_too_long_to_be_kept_is_not_taken_for_another(void **state)
{
	(void)state;
	struct bench b = bench_new();
	static char local[6000], other[6000];
	memset(local, 'x', 5000);
	memcpy(local + 5000, "@local.example", 15);
	memset(other, 'y', 5000);
	memcpy(other + 5000, "@half.example", 14);
	judge(&b, local, "local.example");
	judge(&b, other, "half.example");
	assert_int_equal(b.flight.verdict, PREFLIGHT_FAIL_QUARANTINE);
	assert_str(b.flight.spf.domain, "half.example");
	bench_free(&b);
}

static void
routes_are_mx_address_or_none(void **state)
{
	(void)state;
	struct bench b = bench_new();
	judge(&b, "a@null.example", "good.example");
	assert_int_equal(b.flight.sender_route, ROUTE_NONE);
	assert_int_equal(b.flight.authors[0].route, ROUTE_MX);
	judge(&b, "a@good.example", "nowhere.example");
	assert_int_equal(b.flight.authors[0].route, ROUTE_NONE);
	judge(&b, "a@good.example", "alice.ok.local.example");
	assert_int_equal(b.flight.authors[0].route, ROUTE_ADDRESS);
	bench_free(&b);
}

static void
strict_domains_are_taken_as_reject(void **state)
{
	(void)state;
	struct bench b = bench_new();
	judge(&b, "a@good.example", "gmail.example");
	assert_int_equal(b.flight.verdict, PREFLIGHT_NODMARC);
	strs_add(b.a, &b.strict, STR("gmail.example"));
	judge(&b, "a@good.example", "gmail.example");
	assert_int_equal(b.flight.verdict, PREFLIGHT_FAIL_REJECT);
	bench_free(&b);
}

/* ---- facts */

static void
facts_of(struct bench *b, struct policy *policy, const char *mail,
    const char *login, const char *sender, struct facts *ret)
{
	struct envelope *envelope = ARENA_NEW(b->a, struct envelope);
	struct dkim_mail *cut = ARENA_NEW(b->a, struct dkim_mail);
	*envelope = (struct envelope){
	    .class = CLASS_SUBMISSION,
	    .from = str_from(sender),
	    .login = str_from(login),
	    .client_addr = STR_EMPTY,
	    .client_name = STR_EMPTY,
	    .helo = STR_EMPTY,
	    .queue_id = STR_EMPTY,
	    .daemon_name = STR_EMPTY,
	};
	dkim_mail_cut(b->a, str_from(mail), 100, cut);
	struct facts_query query = {
	    .policy = policy,
	    .envelope = envelope,
	    .mta_name = STR("mx.test.example"),
	    .mail = cut,
	    .line_max = 998,
	    .may_sign = true,
	};
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 5000, .questions = 200};
	facts_find(b->a, &b->dns, &query, &budget, ret);
}

static struct policy
policy_of(struct bench *b, const char *map)
{
	struct policy policy = {.helo = STR_EMPTY, .egress = b->egress};
	struct strs lines = {0};
	struct diags diags = {.arena = b->a};
	strs_add(b->a, &lines, str_from(map));
	policy.locals = local_domains_new(b->a);
	policy.logins = login_map_load(
	    b->a, &lines, &(struct option_place){.name = "login-map"}, &diags);
	assert_int_equal(diags.n, 0);
	return policy;
}

static void
broken_headers_are_form(void **state)
{
	(void)state;
	static const struct {
		const char *mail, *verdict;
	} cases[] = {
	    {"From: a@good.example\n\nx", "pass_spf_only"},
	    {"Subject: x\n\nx", "form"},
	    {"From: a@good.example\nFrom: b@good.example\n\nx", "form"},
	    {"From: undisclosed:;\n\nx", "form"},
	    {"From: a@good.example\nSubject: x\nSubject: y\n\nx", "form"},
	    {"From: a@good.example, b@half.example\n\nx", "fail_quarantine"},
	    {"From: a@[192.0.2.1]\n\nx", "nodmarc"},
	};
	struct bench b = bench_new();
	struct policy policy = policy_of(&b, "alice: a@good.example");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct facts facts;
		facts_of(
		    &b, &policy, cases[i].mail, "", "a@good.example", &facts);
		struct str got = preflight_verdict_name(facts.flight.verdict);
		if (!str_eq(got, str_from(cases[i].verdict)))
			fail_msg("%s: got %.*s, wanted %s", cases[i].mail,
			    STR_ARG(got), cases[i].verdict);
	}
	bench_free(&b);
}

static void
logins_are_held_to_the_map(void **state)
{
	(void)state;
	struct bench b = bench_new();
	struct policy policy = policy_of(&b, "alice: @good.example");
	struct facts facts;
	facts_of(&b, &policy, "From: x@good.example\n\nx", "alice",
	    "x@half.example", &facts);
	assert_int_equal(facts.login_from, LOGIN_YES);
	assert_int_equal(facts.login_sender, LOGIN_NO);
	facts_of(&b, &policy, "From: x@good.example, y@half.example\n\nx",
	    "alice", "", &facts);
	assert_int_equal(facts.login_from, LOGIN_NO);
	facts_of(&b, &policy, "From: y@half.example\n\nx", "bob", "", &facts);
	assert_int_equal(facts.login_from, LOGIN_UNKNOWN);
	bench_free(&b);
}

static void
a_line_that_the_mta_will_break_is_told(void **state)
{
	(void)state;
	static const struct {
		int bytes;
		bool breaks;
	} cases[] = {{998, false}, {999, true}};
	struct bench b = bench_new();
	struct policy policy = policy_of(&b, "alice: @good.example");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct facts facts;
		struct str mail = str_printf(b.a,
		    "From: a@half.example\n\nx\n%0*d\nx\n", cases[i].bytes, 0);
		facts_of(&b, &policy, str_c(b.a, mail), "", "a@good.example",
		    &facts);
		assert_int_equal(facts.flight.breaks_lines, cases[i].breaks);
		bool is_told = str_find(facts.flight.evidence,
				   STR("longer than 998")) != STR_NONE;
		assert_int_equal(is_told, cases[i].breaks);
	}
	bench_free(&b);
}

/* From may be behind what is read. */
static void
a_header_that_is_not_read_to_its_end_is_nobodys(void **state)
{
	(void)state;
	struct bench b = bench_new();
	struct policy policy = policy_of(&b, "alice: @good.example");
	struct buf *mail = buf_new(b.a, 10000);
	buf_printf(mail, "From: a@good.example\n");
	for (int i = 0; i < 100; i++)
		buf_printf(mail, "a: b\n");
	buf_printf(mail, "From: ceo@half.example\n\nx");
	struct facts facts;
	facts_of(&b, &policy, str_c(b.a, buf_str(mail)), "alice",
	    "a@good.example", &facts);
	assert_int_equal(facts.flight.verdict, PREFLIGHT_FORM);
	assert_int_equal(facts.login_from, LOGIN_NO);
	bench_free(&b);
}

static void
domains_of_the_map_are_ours(void **state)
{
	(void)state;
	struct bench b = bench_new();
	struct policy policy = policy_of(&b, "alice: a@good.example");
	assert_true(policy_is_local(b.a, &policy, STR("GOOD.example.")));
	assert_false(policy_is_local(b.a, &policy, STR("half.example")));
	assert_false(policy_is_local(b.a, &policy, STR("not a domain")));
	bench_free(&b);
}

static void
egress_addresses_are_read_once_each(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct strs value = {0}, got;
	struct diags diags = {.arena = a};
	static const char *const list[] = {
	    "192.0.2.1", "::ffff:192.0.2.1", "2001:DB8:0::1", "auto", "x"};
	for (size_t i = 0; i < COUNT_OF(list); i++)
		strs_add(a, &value, str_from(list[i]));
	egress_read(
	    a, &value, &(struct option_place){.name = "f"}, &diags, &got);
	assert_int_equal(got.n, 2);
	assert_str(got.v[0], "192.0.2.1");
	assert_str(got.v[1], "2001:db8::1");
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 2);
	arena_free(a);
}

static void
addresses_that_nobody_reaches_are_not_public(void **state)
{
	(void)state;
	static const char *const local[] = {"127.0.0.1", "10.1.2.3",
	    "172.31.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1",
	    "192.0.2.1", "224.0.0.1", "::1", "fe80::1", "fd00::1",
	    "2001:db8::1", "::ffff:10.0.0.1"};
	static const char *const open[] = {
	    "9.9.9.9", "172.32.0.1", "100.128.0.1", "2620:fe::fe", "2a00::1"};
	for (size_t i = 0; i < COUNT_OF(local); i++)
		if (address_is_public(str_from(local[i])))
			fail_msg("%s", local[i]);
	for (size_t i = 0; i < COUNT_OF(open); i++)
		if (!address_is_public(str_from(open[i])))
			fail_msg("%s", open[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts_follow_spf_alignment_and_policy),
	    cmocka_unit_test(evidence_names_domain_address_and_record),
	    cmocka_unit_test(without_addresses_spf_is_not_judged),
	    cmocka_unit_test(the_second_mail_of_a_domain_asks_nothing),
	    cmocka_unit_test(
		a_local_part_that_decides_is_not_taken_for_another),
	    cmocka_unit_test(a_sender_that_costs_much_hides_no_policy),
	    cmocka_unit_test(a_sender_without_a_domain_is_not_the_null_sender),
	    cmocka_unit_test(
		what_is_too_long_to_be_kept_is_not_taken_for_another),
	    cmocka_unit_test(routes_are_mx_address_or_none),
	    cmocka_unit_test(strict_domains_are_taken_as_reject),
	    cmocka_unit_test(broken_headers_are_form),
	    cmocka_unit_test(logins_are_held_to_the_map),
	    cmocka_unit_test(a_line_that_the_mta_will_break_is_told),
	    cmocka_unit_test(a_header_that_is_not_read_to_its_end_is_nobodys),
	    cmocka_unit_test(domains_of_the_map_are_ours),
	    cmocka_unit_test(egress_addresses_are_read_once_each),
	    cmocka_unit_test(addresses_that_nobody_reaches_are_not_public),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
