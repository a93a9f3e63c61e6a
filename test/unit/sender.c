/* SPDX-License-Identifier: BSD-2-Clause */
/* sender -- how sure the sender of a message is: SPF, real signatures, DMARC.
 */
#include "unit.h"

#include "dkim_zone.h"

#include "auth/dkim_sign.h"
#include "auth/local_domains.h"
#include "auth/login_map.h"
#include "notice/sender.h"

#define MAIL                                                       \
	"From: Anna <anna@signed.example>\nTo: bob@ours.example\n" \
	"Subject: hello\n\nHello Bob.\n"

static struct {
	struct arena *a;
	struct zone zone;
	struct dns dns;
	struct policy policy;
	struct str signed_mail;
} f;

/* MAIL with a signature of signed.example in front. */
static struct str
mail_sign(EVP_PKEY *key)
{
	static struct str names[] = {{"From", 4}, {"To", 2}, {"Subject", 7}};
	static const struct strs fields = {names, 3, 3}, none = {0};
	struct dkim_tables tables = {
	    .key_table = STR("/keys"), .signing_table = STR("/signing")};
	struct diags diags = {.arena = f.a};
	struct dkim_keys *keys = dkim_keys_parse(&tables,
	    str_printf(f.a, "key signed.example:sel:%.*s",
		STR_ARG(key_line(f.a, key))),
	    STR("* key"), &diags);
	assert_non_null(keys);
	struct dkim_signer signer;
	assert_int_equal(
	    dkim_signers_for(f.a, keys, STR("anna@signed.example"), &signer, 1),
	    1);
	struct dkim_sign_options options = {.header = DKIM_RELAXED,
	    .body = DKIM_RELAXED,
	    .fields = &fields,
	    .oversign = &none,
	    .now_wall = clock_wall()};
	struct dkim_mail mail;
	struct str value;
	const char *why = "";
	dkim_mail_cut(f.a, STR(MAIL), 100, &mail);
	assert_true(
	    dkim_sign_mail(f.a, &signer, &mail, &options, &value, &why));
	dkim_keys_free(keys);
	return str_printf(f.a, "DKIM-Signature: %.*s\n" MAIL, STR_ARG(value));
}

static int
set_up(void **state)
{
	(void)state;
	static const struct strs none = {0};
	struct diags diags;
	f.a = arena_new();
	diags = (struct diags){.arena = f.a};
	EVP_PKEY *key = key_new(2048);
	f.zone.n = 0;
	zone_add(&f.zone, "signed.example", STR("v=spf1 ip4:192.0.2.1 -all"));
	zone_add(&f.zone, "sel._domainkey.signed.example",
	    str_printf(f.a, "v=DKIM1; p=%.*s", STR_ARG(key_public(f.a, key))));
	zone_add(&f.zone, "_dmarc.strict.example", STR("v=DMARC1; p=reject"));
	zone_add(&f.zone, "_dmarc.loose.example", STR("v=DMARC1; p=none"));
	zone_add(&f.zone, "dead.example", STR(""));
	f.zone.v[f.zone.n - 1].is_temp = true;
	f.signed_mail = mail_sign(key);
	EVP_PKEY_free(key);
	f.dns = (struct dns){resolver_new_source(zone_answer, &f.zone),
	    cache_new(1000, 1 << 20)};
	f.policy = (struct policy){0};
	f.policy.locals = local_domains_new(f.a);
	f.policy.logins = login_map_load(
	    f.a, &none, &(struct option_place){.name = "login-map"}, &diags);
	assert_true(local_domains_add(f.policy.locals, STR("ours.example")));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	cache_free(f.dns.cache);
	resolver_free(f.dns.resolver);
	arena_free(f.a);
	return 0;
}

static struct sender_view
judge(const char *address, const char *sender, struct str raw)
{
	struct dkim_mail mail;
	dkim_mail_cut(f.a, raw, 100, &mail);
	struct sender_query query = {
	    .policy = &f.policy,
	    .dns = &f.dns,
	    .address = str_from(address),
	    .helo = STR("client.example"),
	    .sender = str_from(sender),
	    .mail = &mail,
	    .is_whole = true,
	    .now_wall = clock_wall(),
	};
	struct dns_budget budget = zone_budget();
	struct sender_view view;
	sender_judge(f.a, &query, &budget, &view);
	return view;
}

static void
expect(const char *label, struct sender_view view, enum sender_standing want)
{
	if (view.standing != want)
		fail_msg("%s: %.*s: %.*s", label,
		    STR_ARG(sender_standing_name(view.standing)),
		    STR_ARG(view.evidence));
}

static void
spf_speaks_for_the_envelope(void **state)
{
	(void)state;
	struct str plain = STR("From: x@far.example\n\nhello\n");
	expect("pass", judge("192.0.2.1", "anna@signed.example", plain),
	    STANDING_PASS);
	expect("fail", judge("192.0.2.9", "anna@signed.example", plain),
	    STANDING_FAIL);
	expect("nothing", judge("192.0.2.9", "a@plain.example", plain),
	    STANDING_UNKNOWN);
	expect("no answer", judge("192.0.2.9", "a@dead.example", plain),
	    STANDING_UNKNOWN);
	expect("nobody", judge("192.0.2.1", "", plain), STANDING_UNKNOWN);
}

static void
a_signature_speaks_for_its_author_alone(void **state)
{
	(void)state;
	expect("forwarded",
	    judge("192.0.2.9", "anna@signed.example", f.signed_mail),
	    STANDING_DKIM);
	/* the same bytes, sent again under another name */
	expect("sent again",
	    judge("192.0.2.9", "victim@signed.example", f.signed_mail),
	    STANDING_UNKNOWN);
	struct sender_view view =
	    judge("192.0.2.9", "x@plain.example", f.signed_mail);
	assert_str(view.author, "anna@signed.example");
	assert_int_equal(view.author_standing, STANDING_DKIM);
	struct str changed =
	    str_printf(f.a, "%.*sand more\n", STR_ARG(f.signed_mail));
	expect("changed on the way",
	    judge("192.0.2.9", "anna@signed.example", changed), STANDING_FAIL);
}

static void
a_policy_that_is_enforced_speaks_without_spf(void **state)
{
	(void)state;
	expect("reject",
	    judge("192.0.2.9", "a@strict.example",
		STR("From: a@strict.example\n\nx\n")),
	    STANDING_FAIL);
	expect("none",
	    judge("192.0.2.9", "a@loose.example",
		STR("From: a@loose.example\n\nx\n")),
	    STANDING_UNKNOWN);
}

static void
an_author_who_is_somebody_else_is_judged_apart(void **state)
{
	(void)state;
	struct sender_view view = judge("192.0.2.1", "anna@signed.example",
	    STR("From: v@strict.example\n\nx\n"));
	assert_int_equal(view.standing, STANDING_PASS);
	assert_str(view.author, "v@strict.example");
	assert_int_equal(view.author_standing, STANDING_FAIL);
	view = judge("192.0.2.1", "anna@signed.example",
	    STR("From: news@signed.example\n\nx\n"));
	assert_int_equal(view.author_standing, STANDING_PASS);
}

static void
paths_are_taken_as_the_mta_takes_them(void **state)
{
	(void)state;
	static const struct {
		const char *path, *want;
	} cases[] = {
	    {"a@far.example", "a@far.example"},
	    {"A@Far.example.", "A@Far.example"},
	    {"\"a b\"@far.example", "a b@far.example"},
	    {"\"a\\\"b\"@far.example", "a\"b@far.example"},
	    {"@x.example,@y.example:a@far.example", "a@far.example"},
	    {"a%far.example@ours.example", "a@far.example"},
	    {"a%b.example%far.example@ours.example", "a%b.example@far.example"},
	    {"far.example!a@ours.example", "a@far.example"},
	    {"far.example!a@mx.here.example", "a@far.example"},
	    {"\"a@far.example\"@ours.example", "a@far.example"},
	    {"a%far.example", "a@far.example"},
	    /* what is not routed here is another server's business */
	    {"a%b.example@far.example", "a%b.example@far.example"},
	    {"root", "root"},
	    {"", ""},
	    {"@", "@"},
	    {"\"", "\""},
	    {"%", "@"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str got = sender_plain(f.a, &f.policy,
		    STR("mx.here.example"), str_from(cases[i].path));
		assert_str(got, cases[i].want);
	}
}

#define WITH_WORLD(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    WITH_WORLD(spf_speaks_for_the_envelope),
    WITH_WORLD(a_signature_speaks_for_its_author_alone),
    WITH_WORLD(a_policy_that_is_enforced_speaks_without_spf),
    WITH_WORLD(an_author_who_is_somebody_else_is_judged_apart),
    WITH_WORLD(paths_are_taken_as_the_mta_takes_them),
};

UNIT_MAIN(tests)
