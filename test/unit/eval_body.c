/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_body -- what rules find out about the text. */
#include "eval_case.h"

#define BOTH(text, html)                                        \
	"Content-Type: multipart/alternative; boundary=b\n\n"   \
	"--b\nContent-Type: text/plain; charset=utf-8\n\n" text \
	"\n--b\nContent-Type: text/html; charset=utf-8\n\n" html "\n--b--\n"

static void
halves_of_an_alternative_differ(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("multipart_alternative_difference('99','100')",
		BOTH("one two", "<p>three four"), 1),
	    CASE("multipart_alternative_difference('99','100')",
		BOTH("one two", "<p>one four"), 0),
	    CASE("multipart_alternative_difference('49','50')",
		BOTH("one two", "<p>one four"), 1),
	    CASE("multipart_alternative_difference('49','undef')",
		BOTH("one two", "<p>one four"), 1),
	    CASE("multipart_alternative_difference('0','0')",
		BOTH("one - two", "<p>two * one"), 1),
	    CASE("multipart_alternative_difference('0','0')",
		BOTH("one", "<p>one one"), 0),
	    CASE("multipart_alternative_difference('0','0')",
		BOTH("\xe2\x82\xac", "<p>\xe2\x82\xac"), 1),
	    CASE("multipart_alternative_difference('0','0')",
		BOTH("caf\xc3\xa9\xc2\xa0x", "<p>caf&eacute; x"), 1),
	    CASE("multipart_alternative_difference('99','100')",
		BOTH("one", "<p><img src=x>"), 1),
	    CASE("multipart_alternative_difference('99','100')",
		BOTH("one", "<p>-"), 0),
	    CASE("multipart_alternative_difference('0','0')", "\nx", 1),
	    CASE("multipart_alternative_difference('99','100')",
		"Content-Type: multipart/alternative; boundary=b\n\n"
		"--b\nContent-Type: text/html\n\n<p>one\n"
		"--b\nContent-Type: text/calendar\n\nx\n--b--\n",
		0),
	    CASE("multipart_alternative_difference_count('3','1')",
		BOTH("1 2 3 4 5 6 7", "<p>1 2"), 1),
	    CASE("multipart_alternative_difference_count('3.5','1')",
		BOTH("1 2 3 4 5 6 7", "<p>1 2"), 0),
	    CASE("multipart_alternative_difference_count('3','2')",
		BOTH("1 2 3 4 5 6 7", "<p>1 2"), 0),
	    CASE("multipart_alternative_difference_count('3','-1')", "\nx", 0),
	};
	CHECK_EVALS(CASES);
}

static void
lines_are_measured(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_blank_line_ratio('50','60')", "\na\n\nb\n\n", 0),
	    CASE("check_blank_line_ratio('49','50')", "\na\n\nb\n \n", 1),
	    CASE("check_blank_line_ratio('49','50','5')", "\na\n\nb\n \n", 0),
	    CASE("check_blank_line_ratio('0','0','5')", "\na\n\nb\n \n", 1),
	    CASE("check_blank_line_ratio('-2','-1','5')", "\na\n\nb\n \n", 1),
	    CASE("check_blank_line_ratio('100','100')", "\n\n\n", 0),
	    CASE("check_blank_line_ratio('99','100')", "\n\n\n", 1),
	    CASE("tvd_vertical_words('0','10')", "\nabcdefghijkl\n", 1),
	    CASE("tvd_vertical_words('80','100')", "\na b c d e f\n", 1),
	    CASE("tvd_vertical_words('100','100')", "\na b c d e f g \n", 1),
	    CASE("tvd_vertical_words('0','10')", "\nabc\n", 0),
	    CASE("tvd_vertical_words('-1','0')", "\nabc\n", 1),
	    CASE("check_body_length('3')", "\nab\n", 1),
	    CASE("check_body_length('2')", "\nab\n", 0),
	    CASE("check_body_length('0')", "Subject: x\n", 1),
	    CASE("check_body_length()", "\nx", 0),
	};
	CHECK_EVALS(CASES);
}

static void
labels_of_stock_tips_are_told(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_stock_info('2')", "\nSymbol: ABCD\nCurrent Price: $1\n",
		1),
	    CASE("check_stock_info('3')", "\nSymbol: ABCD\nCurrent Price: $1\n",
		0),
	    CASE("check_stock_info('2')", "\nSymbol: ABCD\nSymbol: EF\n", 0),
	    CASE("check_stock_info('1')", "\nS-y-m-b-o-l : ABCD\n", 1),
	    CASE("check_stock_info('1')", "\nsxyxm: ABCD\n", 1),
	    CASE("check_stock_info('1')", "\nsttxock: ABCD\n", 1),
	    CASE("check_stock_info('1')", "\nsxxtock: ABCD\n", 0),
	    CASE("check_stock_info('1')", "\nTrade Date: x\n", 1),
	    CASE("check_stock_info('1')", "\nThe Trade Date: x\n", 0),
	    CASE("check_stock_info('1')", "\nThe Company Name\n : x\n", 1),
	    CASE("check_stock_info('1')", "\nThe Company Name:\n\n", 0),
	    CASE("check_stock_info('1')", "\nsee: Symbol: x\n", 0),
	    CASE("check_stock_info('1')", "\n\n\n  ticker\n:\nx\n", 1),
	    CASE("check_stock_info('1')",
		"\nthis line is far too long for a sector: x\n", 0),
	    CASE("check_stock_info('0')", "\nx\n", 1),
	};
	CHECK_EVALS(CASES);
}

static void
a_signature_is_cut_off(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("plaintext_body_length('4','4')", "\nabc\n-- \nAlice\n", 1),
	    CASE("plaintext_sig_length('7','7')", "\nabc\n-- \nAlice\n", 1),
	    CASE("plaintext_sig_length('8')", "\nabc\n-- \nAlice\n", 0),
	    CASE("plaintext_body_sig_ratio('0.5','0.6')", "\nabc\n-- \nAlice\n",
		1),
	    CASE("plaintext_sig_length('0','0')", "\nabc\n-- \nAl\n", 1),
	    CASE("plaintext_body_length('4','4')", "\nabc\n--\r\nAlice\n", 1),
	    CASE("plaintext_body_length('4','4')", "\nabc\n---\nAlice\n", 0),
	    CASE("plaintext_body_length('9','9')",
		"\nabc\n-- \nx\n-- \nAlice\n", 0),
	    CASE("plaintext_body_length('10','10')",
		"\nabc\n-- \nx\n-- \nAlice\n", 1),
	    CASE("plaintext_body_sig_ratio('1000000')", "\nabc\n", 1),
	    CASE("plaintext_body_length('0')",
		"Content-Type: text/html\n\nabc\n", 0),
	};
	CHECK_EVALS(CASES);
}

/* Text of one kind of line, 4 MB of it, in an alternative. */
static struct str
long_mail(struct arena *a, struct str line)
{
	size_t size = (size_t)4 << 20;
	struct buf *mail = buf_new(a, size + 1000);
	buf_put(mail, STR("Content-Type: multipart/alternative; boundary=b\n\n"
			  "--b\nContent-Type: text/html\n\n"));
	while (mail->len < size / 2)
		buf_put(mail, line);
	buf_put(mail, STR("\n--b\nContent-Type: text/plain\n\n"));
	while (mail->len < size)
		buf_put(mail, line);
	buf_put(mail, STR("\n--b--\n"));
	return buf_str(mail);
}

static void
hostile_text_takes_linear_time(void **state)
{
	(void)state;
	static const char *const LINES[] = {"\n", " \n", "a", "a ",
	    "\n:", "::", "Symbol:", "abc\n\n\n", "-- \n", "&#x20AC;", "=20",
	    "<b>", "<a>", "</a", "http://a.example/", "iso-", "charset=\""};
	static const char *const RULES[] = {
	    "body T eval:check_stock_info('9')\n",
	    "body T eval:multipart_alternative_difference('0','-1')\n",
	    "body T eval:check_blank_line_ratio('101','102')\n",
	    "body T eval:check_for_uppercase('101','102')\n",
	    "body T eval:plaintext_body_sig_ratio('0','-1')\n",
	    "body T eval:check_qp_ratio('9')\n",
	    "body T eval:check_for_http_redirector()\n",
	    "body T eval:check_https_http_mismatch('1')\n"};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(LINES); i++) {
		struct str mail = long_mail(a, str_from(LINES[i]));
		for (size_t k = 0; k < COUNT_OF(RULES); k++) {
			int64_t from = cpu_ms();
			(void)rule_value(RULES[k], mail);
			if (cpu_ms() - from > 5000)
				fail_msg("%s on %s", RULES[k], LINES[i]);
		}
	}
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(halves_of_an_alternative_differ),
    cmocka_unit_test(lines_are_measured),
    cmocka_unit_test(labels_of_stock_tips_are_told),
    cmocka_unit_test(a_signature_is_cut_off),
    cmocka_unit_test(hostile_text_takes_linear_time),
};
UNIT_MAIN(tests)
