/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_html -- what rules find out about parts that are HTML. */
#include "eval_case.h"

#include "rules/perl.h"

#define HTML "Subject: Hello\nContent-Type: text/html; charset=utf-8\n\n"
#define PLAIN "Subject: Hello\n\n<html>not to be rendered</html>\n"
#define TWO                                             \
	"Content-Type: multipart/mixed; boundary=b\n\n" \
	"--b\nContent-Type: text/html\n\n<p>one</p>\n"  \
	"--b\nContent-Type: text/html\n\n<p>two <img src=x></p>\n--b--\n"

static void
results_are_known_by_name(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("html_test('html')", HTML "<p>x", 1),
	    CASE("html_test('html')", PLAIN, 0),
	    CASE("html_test('html')", HTML, 0),
	    CASE("html_test('embeds')", HTML "<embed src=x>", 1),
	    CASE("html_test('embeds')", HTML "<img src=x>", 0),
	    CASE("html_test('font_face_bad')", HTML "<font face='x1;2'>a", 1),
	    CASE("html_test('font_face_bad')", HTML "<font face=Arial>a", 0),
	    CASE("html_test('font_low_contrast')",
		HTML "<font color=white>pale</font>", 1),
	    CASE("html_test('form_action_mailto')",
		HTML "<form action='MAILTO:a@b.example'>", 1),
	    CASE("html_test('anchor')", HTML "<a>x</a>", 1),
	    CASE("html_test('anchor')", HTML "<b>x</b>", 0),
	    CASE("html_test('uri')", HTML "x", 1),
	    CASE("html_test('image_area')", HTML "<img width=2 height=3>", 1),
	    CASE("html_test('image_area')", HTML "<img>", 0),
	    CASE("html_test('no_such_result')", HTML "x", 0),
	};
	CHECK_EVALS(CASES);
}

static void
numbers_compare_as_the_rule_says(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("html_eval('length', '< 5')", HTML "<p>x", 1),
	    CASE("html_eval('length', '== 4')", HTML "<p>\xc3\xa9", 1),
	    CASE("html_eval('length', '> 4')", HTML "<p>x", 0),
	    CASE("html_eval('length', '!= 4 - 1')", HTML "<p>x", 1),
	    CASE("html_eval('length', '4')", HTML "<p>x", 0),
	    CASE("html_eval('length', '> abc')", HTML "<p>x", 0),
	    CASE("html_eval('length')", HTML "<p>x", 0),
	    CASE("html_eval('backhair_count', '< 9')", HTML "<p>x", 0),
	    CASE("html_eval('backhair_count', '> 0')", HTML "a<b>c", 1),
	    CASE("html_eval('anchor', '> 1000000')", HTML "<a>x</a>", 1),
	    CASE("html_range('length', '3', '4')", HTML "<p>x", 1),
	    CASE("html_range('length', '4', '9')", HTML "<p>x", 0),
	    CASE("html_range('length', '3', 'inf')", HTML "<p>x", 1),
	    CASE("html_range('length', '3')", HTML "<p>x", 1),
	    CASE("html_range('length', '3', 'undef')", HTML "<p>x", 0),
	    CASE("html_range('length', '-1', '')", HTML "<p>x", 0),
	    CASE("html_range('obfuscation_ratio', '-1', '9')", HTML "<p>x", 0),
	    CASE("html_range('obfuscation_ratio', '.9', '1.0')", HTML "a<b>c",
		1),
	    CASE("html_range('bad_tag_ratio', '.4', '.5')", HTML "<p><q1>", 1),
	    CASE("html_range('bad_tag_ratio', '-1', '9')", HTML "<q1>", 0),
	    CASE("html_range('closed_extra_ratio', '.4', '.5')", HTML "<p></b>",
		1),
	    CASE("html_range('max_size', '5', '6')", HTML "<font size=+3>x", 1),
	    CASE("html_range('ratio', '.7', '.8')", HTML "<p>x", 0),
	    CASE("html_range('ratio', '.2', '.3')", HTML "<p>x", 1),
	};
	CHECK_EVALS(CASES);
}

static void
tags_are_counted_while_they_are_open(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("html_tag_exists('p')", HTML "<P>x", 1),
	    CASE("html_tag_exists('P')", HTML "<P>x", 0),
	    CASE("html_tag_exists('x1')", HTML "<x1>", 1),
	    CASE("html_tag_exists('o:p')", HTML "</o:p>", 1),
	    CASE("html_tag_exists('img')", TWO, 1),
	    CASE("html_tag_balance('body', '!= 0')", HTML "<body>x", 1),
	    CASE("html_tag_balance('body', '!= 0')", HTML "<body>x</body>", 0),
	    CASE("html_tag_balance('body', '== 0')", HTML "<body>x</body>", 1),
	    CASE("html_tag_balance('body', '== 0')", HTML "x", 0),
	    CASE("html_tag_balance('b', '> 1')", HTML "<b><b>x", 1),
	    CASE("html_tag_balance('o:p', '== 0')", HTML "</o:p>", 0),
	    CASE("check_iframe_src()", HTML "<iframe src='http://a.example/'>",
		1),
	    CASE("check_iframe_src()", HTML "<iframe>", 0),
	    CASE("check_iframe_src()", HTML "<img src='http://a.example/'>", 0),
	};
	CHECK_EVALS(CASES);
}

static void
pictures_are_weighed_against_text(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("html_image_only('0000','0400')", HTML "<img src=x>", 1),
	    CASE("html_image_only('0400','0800')", HTML "<img src=x>", 0),
	    CASE("html_image_only('0','11')", HTML "<img src=x>", 1),
	    CASE("html_image_only('0')", HTML "<img src=x>", 0),
	    CASE("html_image_only('0','400')", HTML "no picture", 0),
	    CASE("html_image_ratio('0.02','0.04')",
		HTML "<img width=10 height=10>abc", 1),
	    CASE("html_image_ratio('0.000','0.002')", HTML "<img>abc", 0),
	};
	CHECK_EVALS(CASES);
}

static void
texts_match_by_character(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("html_text_match('title', '^.{3}$')",
		HTML "<title>\xe2\x82\xac\xc3\xa9x</title>", 1),
	    CASE("html_text_match('title', '\\xe9')",
		HTML "<title>\xc3\xa9</title>", 1),
	    CASE("html_text_match('title', '\xe9')",
		HTML "<title>&eacute;</title>", 1),
	    CASE("html_text_match('title', '\\w')",
		HTML "<title>\xc3\xa9</title>", 0),
	    CASE("html_text_match('comment', '<!.*?>')", HTML "<!-- x -->", 1),
	    CASE("html_text_match('comment', '<!(?!-).{0,6}>')",
		HTML "<!-- x -->", 0),
	    CASE("html_text_match('anchor', '<img>')",
		HTML "<a href=x><img src=y></a>", 1),
	    CASE("html_text_match('anchor', '/<img>/')",
		HTML "<a href=x><img src=y></a>", 0),
	    CASE("html_text_match('script', 'var')",
		HTML "<script>var x;</script>", 1),
	    CASE("html_text_match('uri', '^http://a\\.example/d/x$')",
		HTML "<base href='http://a.example/d/i.html'><a href=x>y</a>",
		1),
	    CASE("html_text_match('uri', '^x$')",
		HTML "<base href='http://a.example/d/i.html'><a href=x>y</a>",
		1),
	    CASE("html_text_match('inside', '.')", HTML "<p>", 0),
	    CASE("html_text_match('title', 'it's')", HTML "<title>it's</title>",
		1),
	    CASE("html_text_not_match('title', 'x')", HTML "<title>y</title>",
		1),
	    CASE("html_text_not_match('title', 'y')", HTML "<title>y</title>",
		0),
	    CASE("html_title_subject_ratio('1.84')",
		HTML "<title>ten letters</title>", 0),
	    CASE("html_title_subject_ratio('1.83')",
		HTML "<title>ten letters</title>", 1),
	    CASE("html_title_subject_ratio('0')",
		"Content-Type: text/html\n\n<title>x</title>", 0),
	    CASE("html_charset_faraway()", HTML "x", 0),
	};
	CHECK_EVALS(CASES);
}

static void
a_function_is_for_rules_of_its_type(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("html_test('html')", HTML "x", 1, .type = "rawbody"),
	    CASE("html_test('html')", HTML "x", 0, .type = "header"),
	    CASE("html_test('html')", HTML "x", 0, .type = "full"),
	};
	CHECK_EVALS(CASES);
}

static void
expressions_are_those_of_perl(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *expression;
		bool holds;
	} CASES[] = {{4, "> 3", true}, {4, ">3", true}, {4, "> 4", false},
	    {4, ">= 4", true}, {4, "<= 3", false}, {4, "== 4", true},
	    {4, "!= 4", false}, {4, "<=> 2", true}, {4, "<=> 4", false},
	    {4, "- 4", false}, {4, "+ 0", true}, {4, "- -1", true},
	    {4, "--1", false}, {4, "<< 1 > 7", true}, {4, ">> 3", false},
	    {4, "= 0", false}, {4, "= 1", true}, {4, "-= 4", false},
	    {4, "= = 3", false}, {4, "=! 1", false}, {4, "!= ! 4", true},
	    {4, "<=- 3", false}, {4, "< 010", true}, {4, "> 08", false},
	    {4, "> 3 > 2", true}, {4, "< 5 < 1", false}, {4, "== 4 != 2", true},
	    {4, "<=> 3 <=> 2", false}, {4, "=> 0", false}, {4, "=> 1", true},
	    {4, "=>", true}, {4, "++ > 3", true}, {4, "--", true},
	    {4, "+1=3", false}, {4, "", false}, {4, "4", false},
	    {4, ">", false}, {4, "> 3;", false}, {4, "> x", false},
	    {0.5, "> 0", true}, {0.5, ">> 0", false}, {0, "", false},
	    {0, "+ 0", false}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (perl_holds(CASES[i].value, str_from(CASES[i].expression)) !=
		    CASES[i].holds)
			fail_msg("%g %s", CASES[i].value, CASES[i].expression);
}

static void
numbers_are_those_of_perl(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double number;
	} CASES[] = {{"12", 12}, {"0400", 400}, {".5", .5}, {"5.", 5},
	    {"1e3", 1000}, {"1e", 1}, {"-2", -2}, {"+3x", 3}, {" \n7", 7},
	    {"1_000", 1}, {"0x10", 0}, {"abc", 0}, {"undef", 0}, {"", 0},
	    {"+-3", 0}, {".", 0}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (perl_number(str_from(CASES[i].text)) != CASES[i].number)
			fail_msg("%s", CASES[i].text);
	assert_true(perl_number(STR("inf")) > 1e300);
	assert_true(perl_number(STR("-Infinity")) < -1e300);
}

static void
many_signs_are_no_expression(void **state)
{
	(void)state;
	static char signs[100000];
	memset(signs, '!', sizeof(signs) - 1);
	assert_false(perl_holds(1, str_from(signs)));
	for (size_t i = 0; i + 2 < sizeof(signs); i++)
		signs[i] = i % 2 == 0 ? '-' : '1';
	signs[sizeof(signs) - 2] = '\0';
	assert_true(perl_holds(1, str_from(signs)));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(results_are_known_by_name),
    cmocka_unit_test(numbers_compare_as_the_rule_says),
    cmocka_unit_test(tags_are_counted_while_they_are_open),
    cmocka_unit_test(pictures_are_weighed_against_text),
    cmocka_unit_test(texts_match_by_character),
    cmocka_unit_test(a_function_is_for_rules_of_its_type),
    cmocka_unit_test(expressions_are_those_of_perl),
    cmocka_unit_test(numbers_are_those_of_perl),
    cmocka_unit_test(many_signs_are_no_expression),
};
UNIT_MAIN(tests)
