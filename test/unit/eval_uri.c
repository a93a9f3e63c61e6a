/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_uri -- what rules find out about links. */
#include "eval_case.h"
#include "rule_case.h"

#include <unistd.h>

#define HTML "Content-Type: text/html\n\n"
#define A(url, text) "<a href=\"" url "\">" text "</a>"

static void
a_link_may_lead_through_another(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_for_http_redirector()",
		"\nhttp://a.com/?u=http://b.com/x\n", 1),
	    CASE("check_for_http_redirector()",
		"\nhttp://a.com/?u=http://www.a.com/x\n", 0),
	    CASE("check_for_http_redirector()",
		"\nhttp://a.com/?u=http:b.com/x\n", 1),
	    CASE("check_for_http_redirector()",
		"\nhttp://a.com/?u=http:///b.com/x\n", 0),
	    CASE("check_for_http_redirector()",
		"\nhttp://a.com/http://a.com/http://b.com/\n", 1,
		.type = "header"),
	    CASE("check_for_http_redirector()",
		"\nhttp://a.com/?u=http://b.com/x\n", 1, .type = "full"),
	    CASE("check_for_http_redirector()", "\nhttp://a.com/\n", 0),
	    CASE("check_for_http_redirector()", "\nftp://a.com/http://b.com\n",
		0),
	};
	CHECK_EVALS(CASES);
}

static void
a_link_may_show_another(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_https_ip_mismatch()",
		HTML A("http://1.2.3.4/", "https://bank.com/"), 1),
	    CASE("check_https_ip_mismatch()",
		HTML A("https://user@1.2.3.4/", "see HTTPS: here"), 1),
	    CASE("check_https_ip_mismatch()",
		HTML A("http://1.2.3.4/", "https://1.2.3.4/"), 0),
	    CASE("check_https_ip_mismatch()",
		HTML A("http://a.com/", "https://bank.com/"), 0),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://a.com/", "https://bank.com/"), 1),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://www.bank.com/", "https://x.bank.com/"), 0),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://a.com/", "http://bank.com/"), 0),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://1.2.3.4/", "https://bank.com/"), 0),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://a.com/", "https://1.2.3.4/"), 1),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://a.com/", "https://bank.nosuchtld/"), 0),
	    CASE("check_https_http_mismatch('1','10')",
		HTML A("http://a.com/", "text")
		    A("http://a.com/", "https://bank.com/"),
		1),
	    CASE("check_https_http_mismatch('2','10')",
		HTML A("http://a.com/", "text")
		    A("http://a.com/", "https://bank.com/"),
		0),
	    CASE("check_https_http_mismatch('2','10')",
		HTML A("http://a.com/b", "text")
		    A("http://a.com/", "https://bank.com/"),
		1),
	    CASE("check_https_http_mismatch('1','2')",
		HTML A("http://a.com/b", "text")
		    A("http://a.com/", "https://bank.com/"),
		0),
	    CASE("check_https_http_mismatch()",
		HTML A("http://a.com/", "https://bank.com/"), 1),
	    CASE("check_https_http_mismatch('1')",
		HTML A("http://a.com/", "https:// x https://bank.com/"), 1),
	};
	CHECK_EVALS(CASES);
}

static void
a_long_link_is_truncated(void **state)
{
	(void)state;
	static const char RULE[] = "body T eval:check_uri_truncated()\n";
	struct arena *a = arena_new();
	static const struct {
		size_t bytes;
		unsigned value;
	} CASES[] = {{8000, 0}, {8200, 1}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct buf *mail = buf_new(a, 100000);
		buf_put(mail, STR(HTML "<a href='http://a.example/"));
		for (size_t n = 0; n < CASES[i].bytes; n++)
			buf_putc(mail, 'y');
		buf_put(mail, STR("'>x</a>"));
		assert_int_equal(
		    rule_value(RULE, buf_str(mail)), CASES[i].value);
	}
	arena_free(a);
}

/* What has no host, or none that can be, is no host and no domain. */
static void
a_link_leads_to_a_host_that_can_be(void **state)
{
	(void)state;
#define ANY "uri_detail A domain =~ /^/\nuri_detail B host =~ /^/"
	static const struct rule_case cases[] = {
	    {"uri_detail A domain =~ /^192\\.0\\.2\\.1$/\n"
	     "uri_detail B host =~ /^192\\.0\\.2\\.1$/",
		HTML A("http://192.0.2.1:80/x", "x"), "A B"},
	    {"uri_detail A domain =~ /^a\\.com$/\n"
	     "uri_detail B host =~ /^www\\.a\\.com$/",
		HTML A("svn://user:word@WWW.A.com:99/x", "x"), "A B"},
	    {"uri_detail A domain =~ /^a\\.com$/",
		HTML A("mailto:x@m.a.com?subject=y", "x"), "A"},
	    {ANY, HTML A("http://a.nosuchtld/", "x"), ""},
	    {ANY, HTML A("http://x&amp;y.com.a.net/", "x"), ""},
	    {ANY, HTML A("http://a..com/", "x"), ""},
	    {ANY, HTML A("http://a.com.%20.b.net/", "x"), ""},
	    {ANY, HTML A("cid:a@b.com", "x"), ""},
	    {ANY, HTML A("mailto:x@y@a.com", "x"), ""},
	};
	rule_cases_check(cases, COUNT_OF(cases));
}

/* A rule file with `setting` and a feed of `text`; what hits a link to `to`. */
static void
check_feed(const char *setting, const char *more, const char *text,
    const char *to, const char *want)
{
	struct arena *a = arena_new();
	char path[] = "/tmp/feed.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	struct str rules = str_printf(a,
	    "loadplugin Mail::SpamAssassin::Plugin::Phishing\n"
	    "body A eval:check_phishing()\n%s %s\n%s\n",
	    setting, path, more);
	struct str mail = str_printf(a, HTML A("%s", "x"), to);
	struct rule_case c = {str_c(a, rules), str_c(a, mail), want};
	rule_cases_check(&c, 1);
	unlink(path);
	arena_free(a);
}

static void
a_link_may_be_on_a_feed(void **state)
{
	(void)state;
	static const char OPEN[] = "# links\nhttp://a.com/x/?y=1\r\n"
				   "http://b.nosuch/\nhttp://c.com/go?u=1\n";
	static const char TANK[] = "id,url,more\n"
				   "1,\"http://a.com/x\",\"z\"\n2\n3,,,\n";
	static const char STATS[] = "date,score,url\n\"1\",\"6.5\","
				    "\"http://a.com/x\"\n1,5,http://b.com/\n";
	static const struct {
		const char *setting, *more, *text, *to, *want;
	} CASES[] = {
	    {"phishing_openphish_feed", "", OPEN, "http://a.com/x/?y=1", "A"},
	    {"phishing_openphish_feed", "", OPEN, "http://a.com/x/?y=2", ""},
	    {"phishing_openphish_feed", "", OPEN,
		"http://r.net/?http://a.com/x/?y=1", "A"},
	    {"phishing_openphish_feed", "", OPEN, "http://b.nosuch/", ""},
	    {"phishing_openphish_feed", "phishing_uri_noparam 1", OPEN,
		"http://a.com/x/?y=2", "A"},
	    {"phishing_openphish_feed", "phishing_uri_noparam 1", OPEN,
		"http://c.com/go?u=1", ""},
	    {"phishing_phishtank_feed", "", TANK, "http://a.com/x", "A"},
	    {"phishing_phishtank_feed", "", TANK, "http://a.com/y", ""},
	    {"phishing_phishstats_feed", "", STATS, "http://a.com/x", "A"},
	    {"phishing_phishstats_feed", "", STATS, "http://b.com/", ""},
	    {"phishing_phishstats_feed", "phishing_phishstats_minscore 4",
		STATS, "http://b.com/", "A"},
	    {"phishing_openphish_feed /none\n#", "", OPEN,
		"http://a.com/x/?y=1", ""},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		check_feed(CASES[i].setting, CASES[i].more, CASES[i].text,
		    CASES[i].to, CASES[i].want);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_link_may_lead_through_another),
    cmocka_unit_test(a_link_may_show_another),
    cmocka_unit_test(a_link_leads_to_a_host_that_can_be),
    cmocka_unit_test(a_link_may_be_on_a_feed),
    cmocka_unit_test(a_long_link_is_truncated),
};
UNIT_MAIN(tests)
