/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_lists -- lists of addresses, hosts, subjects, relays and free mail
 * providers. */
#include "rule_case.h"

#include "mail/uri.h"
#include "rules/email_text.h"
#include "rules/glob.h"

#define FROM(address) "From: X <" address ">\nTo: eve@c.example\n\nHi\n"
#define TO(fields) "From: a@b.example\n" fields "\n\nHi\n"

static void
a_sender_is_on_a_list_or_not(void **state)
{
	(void)state;
	static const char RULES[] =
	    "blocklist_from Boss@b.example *@*.spam.example x?@y.example\n"
	    "blocklist_from info@*\n"
	    "unblocklist_from INFO@*\n"
	    "enlist_addrlist (MINE) *@mine.example  a@b.example\n"
	    "enlist_addrlist (WITH BLANK) c@d.example\n"
	    "header A eval:check_from_in_blocklist()\n"
	    "header B eval:check_from_in_list('MINE')\n"
	    "header C eval:check_from_in_list('WITH BLANK')\n"
	    "header D eval:check_from_in_list('NONE')\n"
	    "header E eval:check_from_in_list('blocklist_from')\n"
	    "header F eval:check_from_in_blacklist()\n";
	static const struct rule_case CASES[] = {
	    {RULES, FROM("boss@B.EXAMPLE"), "A E F"},
	    {RULES, FROM("x@a.spam.example"), "A E F"},
	    {RULES, FROM("x@spam.example"), ""},
	    {RULES, FROM("xy@y.example"), "A E F"},
	    {RULES, FROM("x@y.example"), ""},
	    {RULES, FROM("info@y.example"), ""},
	    {RULES, FROM("q@mine.example"), "B"},
	    {RULES, FROM("a@b.example"), "B"},
	    {RULES, FROM("c@d.example"), "C"},
	    {RULES, "From: b@b\nFrom: boss@b..example\n\n", "A E F"},
	    {RULES, "From: b@b\nResent-Sender: boss@b.example\n\n", "A E F"},
	    {RULES, "Resent-From: c@d.example\nFrom: boss@b.example\n\n", "C"},
	};
	RULE_CASES_CHECK(CASES);
}

static void
a_recipient_is_on_a_list_or_not(void **state)
{
	(void)state;
	static const char RULES[] =
	    "blocklist_to eve@*\nwelcomelist_to *@w.example\n"
	    "more_spam_to m@*\nall_spam_to *@*.all.example\n"
	    "enlist_addrlist (L) bob@b.example\n"
	    "header A eval:check_to_in_blocklist()\n"
	    "header B eval:check_to_in_welcomelist()\n"
	    "header C eval:check_to_in_more_spam()\n"
	    "header D eval:check_to_in_all_spam()\n"
	    "header E eval:check_to_in_list('L')\n"
	    "header F eval:check_replyto_in_list('L')\n";
	static const struct rule_case CASES[] = {
	    {RULES, TO("To: eve@c.example, x@w.example"), "A B"},
	    {RULES, TO("Cc: m@c.example"), "C"},
	    {RULES, TO("Delivered-To: x@y.all.example"), "D"},
	    {RULES, TO("Received: from x by y for <bob@b.example>; now"), "E"},
	    {RULES, TO("Received: from x by y for bob@b.example; now"), "E"},
	    {RULES, TO("Received: from x by y for <bob@b.example> now"), ""},
	    {RULES,
		TO("Received: a\nReceived: b\nReceived: c\n"
		   "Received: from x by y for <bob@b.example>; now"),
		""},
	    {RULES, TO("Resent-To: bob@b.example\nTo: eve@c.example"), "E"},
	    {RULES, TO("Reply-To: bob@b.example, x@y.example"), "F"},
	    {RULES, TO("Reply-To: x@y.example, bob@b.example"), ""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
a_link_leads_to_a_listed_host_or_not(void **state)
{
	(void)state;
	static const char RULES[] =
	    "enlist_uri_host (L) b.example !good.b.example 192.0.2.7\n"
	    "enlist_uri_host (M) net com\ndelist_uri_host (M) net\n"
	    "blocklist_uri_host block.example\n"
	    "welcomelist_uri_host welcome.example\ndelist_uri_host com\n"
	    "header A eval:check_uri_host_listed('L')\n"
	    "header B eval:check_uri_host_listed('M')\n"
	    "header C eval:check_uri_host_in_blocklist()\n"
	    "header D eval:check_uri_host_in_whitelist()\n"
	    "body E eval:check_uri_host_listed('NONE')\n";
	static const char OFF[] = "enlist_uri_host (L) b.example\n"
				  "header A eval:check_uri_host_listed('L')\n"
				  "parse_dkim_uris 0\n";
	static const struct rule_case CASES[] = {
	    {RULES, "Subject: x\n\nhttp://www.B.example/\n", "A"},
	    {RULES, "Subject: x\n\nhttp://x.good.b.example/\n", ""},
	    {RULES, "Subject: x\n\nhttp://xb.example/\n", ""},
	    {RULES, "Subject: x\n\nhttp://192.0.2.7/x\n", "A"},
	    {RULES, "Subject: x\n\nhttp://1.192.0.2.7.net/x\n", ""},
	    {RULES, "Subject: x\n\nhttp://a.net/ http://a.com/\n", ""},
	    {RULES, "Subject: x\n\nwww.block.example\n", "C"},
	    {RULES, "Subject: x\n\nhttp://welcome.example\n", "D"},
	    {RULES, "Subject: x\n\nmailto:x@b.example\n", ""},
	    {RULES, "DKIM-Signature: v=1; d=m.b.example; b=d=\n\nx\n", "A"},
	    {RULES, "DKIM-Signature: v=1; xd=b.example; b=x\n\nx\n", ""},
	    {OFF, "DKIM-Signature: v=1; d=m.b.example; b=d=\n\nx\n", ""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
a_subject_has_a_listed_text_or_not(void **state)
{
	(void)state;
	static const char RULES[] =
	    "blocklist_subject Make * Fast\nwelcomelist_subject [Bug ?]\n"
	    "header A eval:check_subject_in_blocklist()\n"
	    "header B eval:check_subject_in_welcomelist()\n";
	static const struct rule_case CASES[] = {
	    {RULES, "Subject: You make money fast today\n\n", "A"},
	    {RULES, "Subject: make fast\n\n", ""},
	    {RULES, "Subject: Re: [bug 7] x\n\n", "B"},
	    {RULES, "Subject: Re: [bug 17] x\n\n", ""},
	    {RULES, "Subject: make\nSubject: more fast\n\n", ""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
a_bounce_quotes_our_relay_or_not(void **state)
{
	(void)state;
	static const char RULES[] =
	    "welcomelist_bounce_relays mx?.ours.example *.out.example\n"
	    "body A eval:check_welcomelist_bounce_relays()\n"
	    "body B eval:have_any_bounce_relays()\n";
	static const struct rule_case CASES[] = {
	    {"body A eval:check_welcomelist_bounce_relays()\n"
	     "body B eval:have_any_bounce_relays()\n",
		"Subject: x\n\nReceived: from mx1.ours.example by x.y z\n", ""},
	    {RULES, "Subject: x\n\nReceived: from mx1.ours.example by z\n",
		"A B"},
	    {RULES, "Subject: x\n\n> > received: from a.out.example by z\n",
		"A B"},
	    {RULES,
		"Subject: x\n\nX: 1\nReceived: from q\n\tby "
		"mx2.ours.example with z\n",
		"A B"},
	    {RULES, "Subject: x\n\nX: from mx1.ours.example by z\n", "B"},
	    {RULES, "Subject: x\n\nReceived: from mx12.ours.example by z\n",
		"B"},
	    /* A blank belongs to one host only. */
	    {RULES,
		"Content-Type: application/x; x=y\n\n"
		"Received: from a.example mx1.ours.example z\n",
		"B"},
	};
	RULE_CASES_CHECK(CASES);
}

#define FREEMAIL                                        \
	"freemail_domains free.example *.mail.example " \
	"web.de\n"                                      \
	"freemail_welcomelist nice@free.example\n"

static void
free_mail_is_found_in_fields(void **state)
{
	(void)state;
	static const char RULES[] =
	    FREEMAIL "header A eval:check_freemail_from()\n"
		     "header B eval:check_freemail_from('\\d@')\n"
		     "header C eval:check_freemail_header('Subject')\n"
		     "header D eval:check_freemail_header('To:name')\n";
	static const struct rule_case CASES[] = {
	    {RULES, FROM("joe@free.example"), "A"},
	    {RULES, FROM("joe7@Free.Example"), "A B"},
	    {RULES, FROM("joe@x.mail.example"), "A"},
	    {RULES, FROM("joe@y.x.mail.example"), ""},
	    {RULES, FROM("joe@sub.free.example"), ""},
	    {RULES, FROM("nice@free.example"), ""},
	    {RULES, FROM("info@free.example"), ""},
	    {RULES, FROM("a=b=c@free.example"), ""},
	    {RULES, TO("Subject: joe@web.de"), "C"},
	    {RULES, TO("To: Joe <joe@web.de>"), "D"},
	    {"header A eval:check_freemail_from()", FROM("joe@free.example"),
		""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
free_mail_to_answer_to_differs(void **state)
{
	(void)state;
	static const char RULES[] =
	    FREEMAIL "header A eval:check_freemail_replyto('replyto')\n"
		     "header B eval:check_freemail_replyto('reply')\n"
		     "header C eval:check_freemail_body()\n";
#define REPLY "Reply-To: joe@free.example\n"
	static const struct rule_case CASES[] = {
	    {RULES, "From: ann@web.de\n" REPLY "\nHi\n", "A B"},
	    {RULES, "From: joe@free.example\n" REPLY "\nHi\n", ""},
	    {RULES, "From: x@b.example\n" REPLY "\nto ann@web.de please\n",
		"A C"},
	    {RULES, "From: ann@web.de\n\nwrite to joe@free.example\n", "B C"},
	    {RULES, "From: ann@web.de\n\nwrite to ann@web.de\n", "C"},
	    {RULES, "From: ann@web.de\n\nJoe <joe@free.example> said\n", ""},
	    {RULES, "From: ann@web.de\n\njoe@free.example wrote: x\n", ""},
	    {RULES, "From: ann@web.de\n\njoe@free.example phone: 1\n", "B C"},
	    {RULES, "From: ann@web.de\n\nhttp://x.example/joe@free.example\n",
		""},
	    {RULES,
		"From: ann@web.de\n\na@b.com b@b.com c@b.com d@b.com "
		"joe@free.example\n",
		""},
	    {RULES,
		"Return-Path: <x-bounces@b.example>\nFrom: ann@web.de\n" REPLY
		"\n",
		""},
	    /* links are out of the text for the rules that follow */
	    {FREEMAIL "header A eval:check_freemail_body()\n"
		      "priority A -2\n"
		      "body B /b.example tomorrow/\n"
		      "priority B -3\n"
		      "body C /b.example tomorrow/\n"
		      "body D /see {2,3}tomorrow/\n"
		      "body E /see {3}tomorrow/\n",
		"Subject: x\n\nsee http://x.example/?joe@b.example tomorrow\n",
		"B D E"},
	    {FREEMAIL "freemail_max_body_emails 9\n"
		      "freemail_max_body_freemails 2\n"
		      "header A eval:check_freemail_body()\n",
		"Subject: x\n\na@web.de\n", "A"},
	    {FREEMAIL "freemail_max_body_freemails 2\n"
		      "header A eval:check_freemail_body()\n",
		"Subject: x\n\na@web.de b@web.de\n", ""},
	    {FREEMAIL "freemail_max_body_freemails 2\n"
		      "freemail_skip_when_over_max 0\n"
		      "header A eval:check_freemail_body()\n",
		"Subject: x\n\na@web.de b@web.de\n", "A"},
	    {FREEMAIL "welcomelist_auth *@web.de\n"
		      "freemail_import_welcomelist_auth 1\n"
		      "header A eval:check_freemail_body()\n",
		"Subject: x\n\na@web.de\n", ""},
	};
	RULE_CASES_CHECK(CASES);
}

/* SpamAssassin's check takes addresses out of what body rules see. */
static void
body_rules_miss_what_free_mail_has_taken_out(void **state)
{
	(void)state;
	static const char AT[] = "body Z /joe\\@free/\n";
	struct arena *a = arena_new();
	struct str with = str_printf(
	    a, "%s%s%s", FREEMAIL, "header A eval:check_freemail_body()\n", AT);
	struct rule_case plain = {AT, "Subject: x\n\n<joe@free.com>\n", "Z"};
	struct rule_case taken = {
	    str_c(a, with), "Subject: x\n\n<joe@free.com>\n", ""};
	rule_cases_check(&plain, 1);
	rule_cases_check(&taken, 1);
	arena_free(a);
}

static void
addresses_are_found_in_text(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want, *stripped;
	} CASES[] = {
	    {"a@b.com", "a@b.com", "a@b.com"},
	    {"x a.b@c.d.org.", "a.b@c.d.org", "x a.b@c.d.org."},
	    {"a..b@c.org", "b@c.org", "a..b@c.org"},
	    {"a.@c.org", "", "a.@c.org"},
	    {"a@b.org.x", "", "a@b.org.x"},
	    {"a@b.orgx a@-b.org a@b-.org", "", "a@b.orgx a@-b.org a@b-.org"},
	    {"a@b.c.d.e.org", "a@b.c.d.e.org", "a@b.c.d.e.org"},
	    {"a@b.c.d.e.f.org", "", "a@b.c.d.e.f.org"},
	    {"a@b.com@c.org", "a@b.com", "a@b.com@c.org"},
	    {"<a@b.com>", "a@b.com", " "},
	    {"x<a@b.com> y a@c.com wrote: z", "a@b.com a@c.com", "x  y   z"},
	    {"a@b.com e-mail: z", "a@b.com", "a@b.com e-mail: z"},
	    {"a@b.com abcdefghijkl: z", "a@b.com", "a@b.com abcdefghijkl: z"},
	    {"mailto:a@b.com>", "a@b.com", "mailto:a@b.com>"},
	    {"mailto:a.b@c.com>", "a.b@c.com", "mailto:a. "},
	};
	struct arena *a = arena_new();
	struct strs tlds = {0};
	strs_add(a, &tlds, STR("com"));
	strs_add(a, &tlds, STR("org"));
	const struct tld_set *set = tld_set_new(a, &tlds, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct str text = str_from(CASES[i].text);
		struct buf *found = buf_new(a, 1000);
		struct email_span span = {0, 0};
		while (email_find(set, text, span.to, &span))
			buf_printf(found, "%s%.*s", found->len > 0 ? " " : "",
			    STR_ARG(
				str_sub(text, span.from, span.to - span.from)));
		assert_str(buf_str(found), CASES[i].want);
		assert_str(email_strip(a, set, text), CASES[i].stripped);
	}
	arena_free(a);
}

static void
patterns_are_found_by_their_ends(void **state)
{
	(void)state;
	static const struct {
		const char *glob, *text;
		bool matches;
	} CASES[] = {
	    {"a@b.com", "a@b.com", true},
	    {"a@b.com", "a@b.com\n", true},
	    {"a@b.com", "xa@b.com", false},
	    {"*@b.com", "a@b.com", true},
	    {"*@b.com", "a@c.b.com", false},
	    {"*.com", "a@c.com", true},
	    {"*b.com", "ab.com", true},
	    {"*m", "ab.com", true},
	    {"a*", "ab.com", true},
	    {"*", "", true},
	    {"*@*", "ab", false},
	    {"*a*b*.c", "xaxxb.b.c", true},
	    {"?.c", "a.c", true},
	    {"?.c", ".c", false},
	    {"a?", "a.", true},
	    {"*", "a\nb", false},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct arena *a = arena_new();
		struct globs *globs = globs_new(a);
		globs_add(globs, str_from(CASES[i].glob), a);
		globs_add(globs, STR("other@*.example"), a);
		if (globs_match(globs, str_from(CASES[i].text)) !=
		    CASES[i].matches)
			fail_msg("%s on %s", CASES[i].glob, CASES[i].text);
		arena_free(a);
	}
}

static void
long_lists_and_hostile_text_are_fast(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct globs *globs = globs_new(a);
	for (int i = 0; i < 100000; i++)
		globs_add(globs, str_printf(a, "*@d%d.example", i), a);
	struct buf *dots = buf_new(a, 1 << 20);
	while (!dots->is_cut)
		buf_put(dots, STR("a.@"));
	int64_t start = cpu_ms();
	for (int i = 0; i < 1000; i++)
		assert_true(globs_match(globs, STR("x@d99999.example")));
	assert_false(globs_match(globs, buf_str(dots)));
	const struct tld_set *set = tld_set_new(a, NULL, NULL, NULL);
	(void)email_strip(a, set, buf_str(dots));
	assert_in_range(cpu_ms() - start, 0, 5000);
	arena_free(a);
}

static void
broken_lines_are_named(void **state)
{
	(void)state;
	static const char *const LINES[] = {
	    "welcomelist_from",
	    "welcomelist_from_rcvd a@b.example",
	    "welcomelist_from_rcvd a@b.example c.example d",
	    "welcomelist_nothing x@y",
	    "enlist_addrlist NAME a@b.example",
	    "enlist_addrlist (NAME)",
	    "enlist_uri_host b.example",
	    "blocklist_uri_host",
	    "welcomelist_subject",
	    "welcomelist_bounce_relays",
	    "freemail_domains a_b.example",
	    "freemail_welcomelist nothing",
	    "freemail_max_body_emails many",
	    "freemail_unheard_of 1",
	};
	for (size_t i = 0; i < COUNT_OF(LINES); i++) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct ruleset_options options = {0};
		struct ruleset *rules = ruleset_load_text(
		    STR("t.cf"), str_from(LINES[i]), &options, &diags);
		if (diags_count(&diags, DIAG_ERROR) != 1 ||
		    diags.v[0].line != 1)
			fail_msg("%s is no error", LINES[i]);
		ruleset_free(rules);
		arena_free(a);
	}
}

#define RULES                                                             \
	"redirector_pattern m'^https?://(?:\\w+\\.)?go\\.example/to\\?"   \
	"u=(.*?)(?:$|&)'i\n"                                              \
	"redirector_pattern /^http:\\/\\/hop\\.example\\/(?<WHERE>.*)/\n" \
	"uri A m{^http://b\\.example/x$}\n"                               \
	"uri B m{^http://inner\\.example/}\n"

static void
known_redirectors_lead_on(void **state)
{
	(void)state;
	static const struct rule_case CASES[] = {
	    {RULES, "\n\nhttp://www.go.example/to?u=b.example/x&y=1\n", "A"},
	    {RULES, "\n\nhttps://GO.example/to?u=http://b.example/x\n", "A"},
	    {RULES, "\n\nhttp://hop.example/b.example/x\n", "A"},
	    /* no dot, so it is no host; a link inside still counts */
	    {RULES, "\n\nhttp://go.example/to?u=b&v=http://b.example/x\n", "A"},
	    /* the pattern is enough */
	    {RULES,
		"\n\nhttp://go.example/to?u=b.example/x&v="
		"http://inner.example/\n",
		"A"},
	    {RULES, "\n\nhttp://stay.example/to?u=b.example/x\n", ""},
	    {RULES, "\n\nhttp://stay.example/to?u=http://inner.example/\n",
		"B"},
	};
	RULE_CASES_CHECK(CASES);
}
#undef RULES

static void
the_name_of_an_author_may_be_another_address(void **state)
{
	(void)state;
#define NAMED(name, address) "From: " name " <" address ">\n"
	static const char RULES[] =
	    "loadplugin Mail::SpamAssassin::Plugin::FromNameSpoof\n"
	    "fns_add_addrlist (Us) *@us.com *@*.us.net old@us.org\n"
	    "fns_remove_addrlist (US) old@us.org\n"
	    "fns_ignore_headers X-List\n"
	    "header A eval:check_fromname_different()\n"
	    "header B eval:check_fromname_owners_differ()\n"
	    "header C eval:check_fromname_domain_differ()\n"
	    "header D eval:check_fromname_spoof()\n"
	    "header E eval:check_fromname_contains_email()\n"
	    "header F eval:check_fromname_equals_to()\n"
	    "header G eval:check_fromname_equals_replyto()\n";
	static const struct rule_case CASES[] = {
	    {RULES, NAMED("Eve", "eve@a.com"), ""},
	    {RULES, NAMED("Eve@A.com", "eve@a.com"), "E"},
	    {RULES, NAMED("\"Bob bob@b.com\"", "eve@a.com"), "A B C D E"},
	    {RULES, NAMED("bob@a.com", "eve@a.com"), "A E"},
	    {RULES, NAMED("bob@a.net", "eve@a.com"), "A C E"},
	    {RULES, NAMED("bob@us.com", "eve@x.us.net"), "A C E"},
	    {RULES, NAMED("old@us.org", "eve@x.us.net"), "A C E"},
	    {RULES, NAMED("old@b.org", "eve@x.us.net"), "A B C D E"},
	    {RULES,
		NAMED("bob@b.com", "eve@a.com") "To: Bob@b.com, bob@b.com\n",
		"A B C D E F"},
	    {RULES, NAMED("bob@b.com", "eve@a.com") "Reply-To: X <BOB@b.com>\n",
		"A B C D E G"},
	    {RULES, NAMED("bob@b.com", "eve@a.com") "X-List: y\n", ""},
	    {RULES, NAMED("bob@b.nosuch", "eve@a.com"), ""},
	    {RULES, NAMED("bob@b.com", "eve@a.nosuch"), ""},
	    /* 21 letters, 13 other characters that count twice */
	    {RULES,
		NAMED("\"bob@b.com (abcdefghijklmnopqrstu!!!!!!!!!!)\"",
		    "eve@a.com"),
		"A B C D E"},
	    {RULES,
		NAMED("\"bob@b.com (abcdefghijklmnopqrstu!!!!!!!!!!!!!)\"",
		    "eve@a.com"),
		"E"},
	    {"loadplugin Mail::SpamAssassin::Plugin::FromNameSpoof\n"
	     "fns_check 2\nfns_extrachars 1\n"
	     "header A eval:check_fromname_spoof()\n"
	     "header B eval:check_fromname_spoof('1')\n"
	     "header C eval:check_fromname_spoof('0')\n",
		NAMED("bob@b.a.com", "eve@a.com"), "C"},
	    {"header A eval:check_fromname_contains_email()\n",
		NAMED("bob@b.com", "eve@a.com"), ""},
	};
	RULE_CASES_CHECK(CASES);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_sender_is_on_a_list_or_not),
    cmocka_unit_test(a_recipient_is_on_a_list_or_not),
    cmocka_unit_test(the_name_of_an_author_may_be_another_address),
    cmocka_unit_test(a_link_leads_to_a_listed_host_or_not),
    cmocka_unit_test(known_redirectors_lead_on),
    cmocka_unit_test(a_subject_has_a_listed_text_or_not),
    cmocka_unit_test(a_bounce_quotes_our_relay_or_not),
    cmocka_unit_test(free_mail_is_found_in_fields),
    cmocka_unit_test(free_mail_to_answer_to_differs),
    cmocka_unit_test(body_rules_miss_what_free_mail_has_taken_out),
    cmocka_unit_test(addresses_are_found_in_text),
    cmocka_unit_test(patterns_are_found_by_their_ends),
    cmocka_unit_test(long_lists_and_hostile_text_are_fast),
    cmocka_unit_test(broken_lines_are_named),
};
UNIT_MAIN(tests)
