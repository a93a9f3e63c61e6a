/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * language -- what SpamAssassin 4.0.1 makes of rules in its odd corners: what
 * each case wants was seen to hit there.
 */
#include "unit.h"

#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "rule_case.h"
#include "rules/ruleset.h"

static const char mail[] = "From: from1@dom1.example\n"
			   "To: to1@example.org, b1@example.net\n"
			   "Return-Path: <from1@dom1.example>\n"
			   "Subject: hello\n"
			   "\n"
			   "mail to1@example.org now\n"
			   "x from1@dom1.example y zdom1.examplez "
			   "http://foo.example.com/?to1@example.org\n";

/* "A:1 __B:2 = 1.5", by name. */
static struct str
hits(struct arena *a, const struct ruleset *rules, struct str text)
{
	struct message *m2 =
	    message_new(a, text, ruleset_mail_config(rules), NULL);
	struct rule_run alone = {0};
	struct rule_result without;
	ruleset_run(rules, m2, &alone, &without);
	struct message *m =
	    message_new(a, text, ruleset_mail_config(rules), NULL);
	struct rule_run run = {.wants_subs = true};
	struct rule_result result;
	ruleset_run(rules, m, &run, &result);
	struct buf *b = buf_new(a, 10000);
	const struct rule_hits *lists[] = {&result.hits, &result.subs};
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			buf_printf(b, "%s%.*s:%u", b->len > 0 ? " " : "",
			    STR_ARG(lists[i]->v[k].rule), lists[i]->v[k].count);
	buf_printf(b, " = %g", result.score);
	/* rules that nobody asks for change nothing */
	assert_true(without.score == result.score);
	assert_int_equal(without.hits.n, result.hits.n);
	return buf_str(b);
}

struct language_case {
	const char *label, *rules, *want;
};

static void
check(const struct language_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct ruleset_options options = {0};
		struct ruleset *rules = ruleset_load_text(
		    STR("t.cf"), str_from(cases[i].rules), &options, &diags);
		struct str got = hits(a, rules, str_from(mail));
		if (!str_eq(got, str_from(cases[i].want)))
			fail_msg("%s: %.*s, wanted %s", cases[i].label,
			    STR_ARG(got), cases[i].want);
		ruleset_free(rules);
		arena_free(a);
	}
}

#define TO "header __TO To:addr =~ /(?<TO>.*)/\n"

static void
captures_are_what_other_rules_look_for(void **state)
{
	(void)state;
	static const struct language_case cases[] = {
	    {"the first match", TO "body A /mail %{TO} now/", "A:1 __TO:1 = 1"},
	    {"a text is taken literally",
		"header __S Subject =~ /(?<S>.)/\n"
		"body __D /(?<D>\\W.x)/\nbody A /%{D}ample/\nbody B /^%{S}e/",
		"A:1 B:1 __D:1 __S:1 = 2"},
	    {"all matches with multiple",
		"header __TO To:addr =~ /(?<TO>\\S+)/\n"
		"tflags __TO multiple\nheader A To:addr =~ /^%{TO}$/m\n"
		"tflags A multiple",
		"A:2 __TO:2 = 2"},
	    {"no text, no run, and not even with !~",
		"header __N X-None =~ /(?<N>.*)/\nheader A Subject !~ /%{N}/\n"
		"header B Subject !~ /%{NOWHERE}/\nmeta C !B",
		"C:1 __N:1 = 1"},
	    {"a backslash keeps it", TO "body A /\\%\\{TO}|mail/",
		"A:1 __TO:1 = 1"},
	    {"of two names the last",
		TO "header __S Subject =~ /(?<S>h)/\n"
		   "body A /%{S}ello|mail %{TO}/\nbody B /^%{S}ello|%{TO}x/",
		"A:1 __S:1 __TO:1 = 1"},
	    {"names in small letters are for the regex alone",
		"body A /(?<x>hello)/\nbody B /%{X}/", "A:1 = 1"},
	    {"before all others, also if it stands later",
		"uri A /%{TO}$/\nfull __TO /^To: (?<TO>[^,]+)/m",
		"A:1 __TO:1 = 1"},
	    {"groups of one name",
		"body __D /(?<D>hel)|(?<D>now)/\ntflags __D multiple\n"
		"body A / %{D}$|^%{D}lo/",
		"A:1 __D:2 = 1"},
	    {"a text in another case, with i alone",
		"header __S Subject =~ /(?<S>\\w+)/\n"
		"uri A /x%{S}/i\nbody B /^%{S}/i\nbody C /b%{S}/\n"
		"meta D !A && !C",
		"B:1 D:1 __S:1 = 2"},
	    {"where it may be missing",
		TO "body A /mail (?:%{TO}x)?/\nbody B /mail %{TO}? now/\n"
		   "body C /mail(?! x%{TO})/",
		"A:1 B:1 C:1 __TO:1 = 3"},
	    {"a header of the message",
		"header A To:addr =~ /^%{HEADER(To:addr)}$/m\n"
		"header B Subject =~ /^%{HEADER(Subject)}$/\n"
		"header C Subject =~ /^%{HEADER(None)}/",
		"A:1 B:1 = 2"},
	    {"domains",
		"body A /z%{SENDERDOMAIN}z/\nbody B /@%{AUTHORDOMAIN} /",
		"A:1 B:1 = 2"},
	    {"not into mimeheader, but out of it",
		TO "mimeheader __M Subject =~ /(?<M>.ello)/\n"
		   "mimeheader A To =~ /%{TO}/\nbody B /^%{M}/",
		"B:1 __M:1 __TO:1 = 1"},
	};
	check(cases, COUNT_OF(cases));
}

static void
captures_are_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct ruleset_options options = {0};
	struct ruleset *rules = ruleset_load_text(STR("t.cf"),
	    STR("body __W /(?<W>\\w+)/\ntflags __W multiple\n"
		"body A / %{W}z/\nrawbody B /%{W}(?:%{W})+!/\n"),
	    &options, &diags);
	for (size_t i = 0; i < diags.n; i++)
		fail_msg("%.*s", STR_ARG(diags.v[i].text));
	struct buf *b = buf_new(a, 1 << 22);
	buf_put(b, STR("Subject: x\n\n"));
	for (int i = 0; i < 200000; i++)
		buf_printf(b, "w%d%s", i, i % 9 == 0 ? "\n\n" : " ");
	struct str got = hits(a, rules, buf_str(b));
	assert_true(
	    str_starts(got, STR("A:1 ")) || str_starts(got, STR("__W:")));
	ruleset_free(rules);
	arena_free(a);
}

#define SHORT "loadplugin Mail::SpamAssassin::Plugin::Shortcircuit\n"
#define OTHERS                                                          \
	"body A /hello/\nheader B Subject =~ /hello/\npriority B -50\n" \
	"meta C A\nfull D /hello/\n"

static void
shortcircuit_leaves_out_the_rest(void **state)
{
	(void)state;
	static const struct language_case cases[] = {
	    {"spam",
		SHORT OTHERS "header S Subject =~ /hello/\n"
			     "shortcircuit S spam\n"
			     "shortcircuit_spam_score 12",
		"S:1 SHORTCIRCUIT:1 = 13"},
	    {"ham, which is nice",
		SHORT OTHERS "header S From =~ /./\n"
			     "shortcircuit S ham",
		"S:1 SHORTCIRCUIT:1 = -101"},
	    {"on: its type and priority are run to the end",
		SHORT OTHERS "body S /hello/\nshortcircuit S on",
		"A:1 B:1 S:1 SHORTCIRCUIT:1 = 3"},
	    {"a meta takes what it needs along",
		SHORT OTHERS "meta S __X && __Y\nheader __X Subject =~ /h/\n"
			     "body __Y /now/\nshortcircuit S spam",
		"S:1 SHORTCIRCUIT:1 __X:1 __Y:1 = 101"},
	    {"off",
		SHORT OTHERS "header S From =~ /./\nshortcircuit S spam\n"
			     "shortcircuit S off",
		"A:1 B:1 C:1 D:1 S:1 = 5"},
	    {"a bound, seen at the next hit",
		SHORT OTHERS "shortcircuit_max_spam_score 1\nscore B 2",
		"A:1 B:1 SHORTCIRCUIT:1 = 3.001"},
	    {"not without the plugin",
		OTHERS "header S From =~ /./\n"
		       "shortcircuit S spam",
		"A:1 B:1 C:1 D:1 S:1 = 5"},
	};
	check(cases, COUNT_OF(cases));
}

static void
what_is_there_can_be_asked(void **state)
{
	(void)state;
#define TEST_HAS "has(Mail::SpamAssassin::Plugin::Test::"
#define TEST_CAN "can(Mail::SpamAssassin::Plugin::Test::"
	static const struct language_case cases[] = {
	    {"what the files are compatible with",
		"if can(Mail::SpamAssassin::Conf::compat_new)\nbody A /hello/\n"
		"endif\nenable_compat old\n"
		"if can(Mail::SpamAssassin::Conf::compat_old)\nbody B /hello/\n"
		"endif",
		"B:1 = 1"},
	    {"a plugin that is not loaded has nothing",
		"if " TEST_HAS "check_test_plugin)\nbody A /hello/\nendif\n"
		"header B eval:check_test_plugin()",
		" = 0"},
	    {"its functions and its features",
		"loadplugin Mail::SpamAssassin::Plugin::Test\n"
		"if " TEST_HAS "check_test_plugin)\nbody A /hello/\nendif\n"
		"if " TEST_CAN "check_test_plugin)\nbody B /hello/\nendif\n"
		"if " TEST_HAS "test_feature_xxxx_false)\nbody C /hello/\n"
		"endif\n"
		"if " TEST_CAN "test_feature_xxxx_false)\nbody D /hello/\n"
		"endif\n"
		"if " TEST_CAN "test_feature_xxxx_true)\nbody E /hello/\n"
		"endif\n"
		"header F eval:check_test_plugin()",
		"A:1 C:1 E:1 F:1 = 4"},
	};
	check(cases, COUNT_OF(cases));
}

static void
odd_rules_are_read_as_there(void **state)
{
	(void)state;
	static const struct language_case cases[] = {
	    {"a broken definition leaves the one before",
		"body A /hello/\nbody A /hello(/\nmeta B A\nmeta B A +\n"
		"body C /zzz/\nbody C /hello/\nmeta D A\nbody D /zzz/",
		"A:1 B:1 C:1 = 3"},
	    {"keys of an earlier uri_detail stay",
		"uri_detail A domain =~ /zzz/ raw =~ /foo/\n"
		"uri_detail A raw =~ /foo/\n"
		"uri_detail B domain =~ /zzz/ raw =~ /foo/\n"
		"uri_detail B domain =~ /example/ other words",
		"B:1 = 1"},
	    {"mimeheader !~ hits always",
		"mimeheader A Subject !~ /hello/\nmimeheader B From !~ /zz/",
		"A:1 B:1 = 2"},
	    {"!~ and multiple",
		"header A X-None !~ /x/\ntflags A multiple maxhits=4\n"
		"header B Subject !~ /hello/\ntflags B multiple maxhits=4",
		"A:4 = 4"},
	    {"maxhits=0",
		"header A Subject =~ /l/\ntflags A multiple maxhits=0\n"
		"body B /l/\ntflags B multiple maxhits=0\n"
		"full C /l/\ntflags C multiple maxhits=0",
		"A:1 B:8 C:1 = 10"},
	    {"flags are words",
		"body A /l/\ntflags A multiple,maxhits=2\nbody B /l/\n"
		"tflags B x-multiple;maxhits=3\nbody C /hello/\n"
		"tflags C very-nice\nbody D /l/\ntflags D multiplex",
		"A:2 B:3 C:1 D:1 = 5"},
	    {"net and learn leave out what is built on evals",
		"mimeheader A Subject =~ /./\ntflags A net\n"
		"uri_detail B raw =~ /./\ntflags B learn\n"
		"body C /hello/\ntflags C net learn\nmeta D !A && !B",
		"C:1 D:1 = 2"},
	    {"a meta with score 0 that holds stops what needs it",
		"body A /hello/\nmeta Z A\nscore Z 0\nmeta B Z || A\n"
		"meta C !B || A\nmeta Y !A\nscore Y 0\nmeta D Y || A",
		"A:1 D:1 = 2"},
	    {"or one that needs what is not run",
		"body A /hello/\nscore A 0\nmeta Z A\nscore Z 0\nmeta B !Z\n"
		"meta Y NOWHERE\nscore Y 0\nmeta C !Y\nmeta D !A && !NOWHERE",
		"D:1 = 1"},
	    {"a hit makes another of what holds without it",
		"body A /hello/\nbody Z /zzz/\nmeta B !A\nmeta C !Z\n"
		"meta D C && A\nmeta E !C\nmeta F !E && !B",
		"A:1 C:1 D:1 F:1 = 4"},
	    {"a header that is not there",
		"header A X-None =~ /^$/\nheader B X-None =~ /x/\n"
		"header C X-None !~ /x/\nheader D exists:X-None\n"
		"header E X-None =~ /y/ [if-unset: y]\n"
		"header F X-None =~ /y/ [if-unset: x]",
		"A:1 C:1 E:1 = 3"},
	    {"circles are run with what has hit before",
		"body A /hello/\nmeta B C || A\nmeta C B\n"
		"body D /hello/\npriority D -5\nmeta E F || D\nmeta F E && D",
		"A:1 D:1 E:1 = 3"},
	    {"tokens of metas",
		"body A /hello/\nmeta B A+1\nmeta C A + 1\nmeta D A,\n"
		"meta E [A]\nmeta F A ? A:0\nmeta G A ? 1 : 0\nmeta H A > .5",
		"A:1 C:1 D:1 E:1 G:1 = 5"},
	    {"selectors",
		"header A exists:From:addr\nheader B exists:From:\n"
		"header C Subject:=~ /hello/\n"
		"header D From:addr:first:raw =~ /./",
		"B:1 C:1 = 2"},
	};
	check(cases, COUNT_OF(cases));
}

#define HTML(charset) "Content-Type: text/html; charset=" charset "\n\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\n\n"
/* b, two more letters; the bytes, the characters. */
#define LINKS                                                  \
	"uri B3 m,^http://x.com/b..$,\nuri B4 m,/b...$,\n"     \
	"uri EM /\\xe9/\nuri EI /\\xc9/i\nuri EB /\xc3\xa9/\n" \
	"uri M m,x.com,\ntflags M multiple\n"
#define DETAILS                                             \
	"uri_detail R raw =~ m,/b..$, type =~ /^a$/\n"      \
	"uri_detail C cleaned =~ m,/b..$, raw !~ /\\xc3/\n" \
	"uri_detail T text =~ /^.\\xe9$/\n"

/* Links of HTML are characters, those of text are bytes. */
static void
letters_beyond_ascii_in_links(void **state)
{
	(void)state;
	static const struct rule_case cases[] = {
	    {LINKS, TEXT "see http://x.com/b\xc3\xa9 now\n", "B3 EB M"},
	    {LINKS, TEXT "see http://x.com/bz\xc3\xa9 now\n", "B4 EB M"},
	    {LINKS, HTML("utf-8") "<a href='http://x.com/bz\xc3\xa9'>z</a>\n",
		"B3 EI EM M"},
	    {LINKS, HTML("utf-8") "<a href='http://x.com/bz\xc3\x89'>z</a>\n",
		"B3 EI M"},
	    {LINKS, HTML("iso-8859-1") "<a href='http://x.com/bz\xe9'>z</a>\n",
		"B3 EI EM M"},
	    {LINKS,
		HTML("us-ascii") "<a href='http://x.com/bz&eacute;'>z</a>\n",
		"B3 EI EM M"},
	    {LINKS, HTML("us-ascii") "<a href='http://x.com/bz&#8364;'>z</a>\n",
		"B3 M"},
	    {LINKS "header T Subject =~ /(?<T>.+)/\nuri U m,^http.*/b.%{T}$,\n",
		"Subject: \xe9\n" HTML(
		    "utf-8") "<a href='http://x.com/bz\xc3\xa9'>z</a>\n",
		"B3 EI EM M T"},
	    /* bytes and characters are two links */
	    {LINKS,
		HTML("utf-8") "<a href='http://x.com/bz\xc3\xa9'>"
			      "http://x.com/bz\xc3\xa9</a>\n",
		"B3 B4 EB EI EM M=2"},
	    {DETAILS,
		HTML("utf-8") "<a href='http://x.com/bz\xc3\xa9'>z\xc3\xa9"
			      "</a>\n",
		"C R T"},
	    {DETAILS,
		HTML("us-ascii") "<a href='http://x.com/bz&eacute;'>z&eacute;"
				 "</a>\n",
		"C R T"},
	};
	RULE_CASES_CHECK(cases);
}

#define SIGNERS                                                  \
	"uri_detail T type =~ /^domainkeys$/\n"                  \
	"uri_detail R raw =~ /^domainkeys:a.b.com$/\n"           \
	"uri_detail H host =~ /^a.b.com$/ domain =~ /^b.com$/\n" \
	"uri_detail C cleaned =~ /b.com/\nuri U /b.com/\n"

/* Those who sign are in uri_detail's list, not in that of uri rules. */
static void
signers_are_links_of_uri_detail(void **state)
{
	(void)state;
	static const struct rule_case cases[] = {
	    {SIGNERS, "DKIM-Signature: v=1; d=a.b.com; i=@z.com; b=x\n\nx\n",
		"H R T"},
	    {SIGNERS, "DomainKey-Signature: d = a .\n b.com; b=x\n\nx\n",
		"H R T"},
	    {SIGNERS, "DKIM-Signature: v=1; d=a.b.nowhere; b=x\n\nx\n", ""},
	    {SIGNERS, "DKIM-Signature: v=1; d=; b=x\n\nx\n", ""},
	    {SIGNERS "parse_dkim_uris no\n",
		"DKIM-Signature: v=1; d=a.b.com; b=x\n\nx\n", ""},
	    {SIGNERS "parse_dkim_uris 0\nparse_dkim_uris 1\n",
		"DKIM-Signature: v=1; d=a.b.com; b=x\n\nx\n", "H R T"},
	};
	RULE_CASES_CHECK(cases);
}

#define PARTS                                                         \
	"util_rb_2tld co.example\n"                                   \
	"header H X-T:host =~ /^www.One.com$/\n"                      \
	"header D X-T:domain =~ /^one.com$/\n"                        \
	"header I X-T:ip =~ /^192.0.2.7$/\n"                          \
	"header R X-T:revip =~ /^7.2.0.192$/\n"                       \
	"header V X-T:revip =~ /^1.0.0.(?:0.){21}8.b.d.0.1.0.0.2$/\n" \
	"header N X-T:host !~ /./\nheader M X-T:ip !~ /./\n"

/* The last host behind an @, else the first one; an address that is a word. */
static void
hosts_and_addresses_in_fields(void **state)
{
	(void)state;
	static const struct rule_case cases[] = {
	    {PARTS, "X-T: see www.One.com and two.net\n\nx\n", "D H M"},
	    {PARTS, "X-T: two.net@x <a@www.One.com>\n\nx\n", "D H M"},
	    {PARTS, "X-T: foo.comx b.com. c.com-x -x.com www.One.com\n\nx\n",
		"D H M"},
	    {PARTS, "X-T: caf\xc3\xa9.com nohost.zzz\n\nx\n", "M N"},
	    {PARTS, "X-T: http://www.One.com/ (www.One.com)\n\nx\n", "M N"},
	    {PARTS, "X-T: 1.2.3.4.5 [192.0.2.7] 192.0.2.8\n\nx\n", "I N R"},
	    {PARTS, "X-T: v.192.0.2.8 192.0.2.7\n\nx\n", "I N R"},
	    {PARTS, "X-T: 2001:db8::1\n\nx\n", "N V"},
	    {PARTS, "X-T: two.net\nX-T: www.One.com 192.0.2.7\n\nx\n", "I R"},
	    {"header A X-T:domain =~ /^one.com\\nb.co.example\\z/\n" PARTS,
		"X-T: www.One.com\nX-T: a.b.co.example\n\nx\n", "A M"},
	};
	RULE_CASES_CHECK(cases);
}

static void
write_file(struct arena *a, struct str dir, const char *name, const char *text)
{
	struct str path = str_printf(a, "%.*s/%s", STR_ARG(dir), name);
	FILE *out = fopen(str_c(a, path), "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

#define P "Mail::SpamAssassin::Plugin::"
#define ASK(plugin, rule) \
	"ifplugin " P plugin "\nbody " rule " /hello/\nendif\n"

/* What `rules` hit with a folder that has `pre` as its .pre file. */
static struct str
hits_with(struct arena *a, const char *pre)
{
	static const char rules[] = ASK("MIMEHeader", "A")
	    ASK("Shortcircuit", "B") ASK("HeaderEval", "C") ASK("SPF", "D");
	char template[] = "/tmp/postern-language-XXXXXX";
	struct str dir = str_from(mkdtemp(template));
	write_file(a, dir, "z.pre", pre);
	write_file(a, dir, "a.cf", rules);
	struct diags diags = {.arena = a};
	struct strs paths = {0};
	strs_add(a, &paths, dir);
	struct ruleset_options options = {0};
	struct ruleset *set = ruleset_load(&paths, &options, &diags);
	struct str got = hits(a, set, str_from(mail));
	ruleset_free(set);
	const char *const names[] = {"z.pre", "a.cf"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(unlink(str_c(a, str_printf(a, "%.*s/%s",
						     STR_ARG(dir), names[i]))),
		    0);
	assert_int_equal(rmdir(template), 0);
	return got;
}

static void
pre_files_say_which_plugins_there_are(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_str(hits_with(a, ""), "A:1 C:1 = 2");
	assert_str(
	    hits_with(a, "loadplugin " P "Shortcircuit\n"), "A:1 B:1 C:1 = 3");
	assert_str(hits_with(a, "loadplugin " P "Check\n"
				"loadplugin " P "MIMEHeader\n"
				"loadplugin " P "SPF\n"),
	    "A:1 = 1");
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(captures_are_what_other_rules_look_for),
    cmocka_unit_test(captures_are_bounded),
    cmocka_unit_test(shortcircuit_leaves_out_the_rest),
    cmocka_unit_test(what_is_there_can_be_asked),
    cmocka_unit_test(odd_rules_are_read_as_there),
    cmocka_unit_test(letters_beyond_ascii_in_links),
    cmocka_unit_test(signers_are_links_of_uri_detail),
    cmocka_unit_test(hosts_and_addresses_in_fields),
    cmocka_unit_test(pre_files_say_which_plugins_there_are),
};
UNIT_MAIN(tests)
