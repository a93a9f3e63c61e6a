/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_mime -- what rules find out about parts and their encoded bytes. */
#include "eval_case.h"
#include "rule_case.h"

#define TEXT(encoding, body)                           \
	"Content-Type: text/plain; charset=us-ascii\n" \
	"Content-Transfer-Encoding: " encoding "\n\n" body
#define PARTS(type, ...) \
	"Content-Type: multipart/" type "; boundary=b\n\n" __VA_ARGS__
#define PART(fields, body) "--b\n" fields "\n" body "\n"
#define END "--b--\n"

static void
fields_of_parts_are_counted(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_for_mime('mime_base64_count')",
		TEXT("base64", "eA==\n"), 1, .type = "rawbody"),
	    CASE("check_for_mime('mime_base64_count')", TEXT("7bit", "x\n"), 0),
	    CASE("check_for_mime('mime_base64_encoded_text')",
		TEXT("BASE64", "eA==\n"), 1),
	    CASE("check_for_mime('mime_base64_encoded_text')",
		"Content-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: base64\n\neA==\n",
		0),
	    CASE("check_for_mime('mime_base64_encoded_text')",
		"Content-Type: text/plain\nContent-Disposition: inline\n"
		"Content-Transfer-Encoding: base64\n\neA==\n",
		0),
	    CASE("check_for_mime('mime_attachment')",
		"Content-Disposition: Attachment\n\nx\n", 1),
	    CASE("check_for_mime('mime_bad_iso_charset')",
		"Content-Type: text/plain; charset=iso-latin-foo\n\nx\n", 1),
	    CASE("check_for_mime('mime_bad_iso_charset')",
		"Content-Type: text/plain; charset=iso-8859-15\n\nx\n", 0),
	    CASE("check_for_mime('mime_bad_iso_charset')",
		"Content-Type: text/plain; charset=iso-8859-155\n\nx\n", 1),
	    CASE("check_for_mime('mime_html_charsets')",
		"Content-Type: text/plain\n\nx\n", 0),
	    CASE(
		"check_for_mime('mime_html_charsets')", "Subject: x\n\nx\n", 1),
	    CASE("check_for_mime('mime_html_charsets')", "Content-Type:\n\nx\n",
		0),
	    CASE("check_for_mime('mimepart_limit_exceeded')", "\nx", 0),
	    CASE("check_for_mime_html()", "Content-Type: Text/HTML\n\n", 1),
	    CASE("check_for_mime_html_only()",
		PARTS("mixed", PART("Content-Type: text/html\n", "x") END), 1),
	    CASE("check_for_mime_html_only()",
		PARTS("mixed",
		    PART("Content-Type: text/html\n", "x") PART("", "y") END),
		0),
	    CASE("check_ma_non_text()",
		PARTS("alternative",
		    PART("", "x") PART("Content-Type: image/png\n", "y") END),
		1),
	    CASE("check_ma_non_text()",
		PARTS("alternative",
		    PART("", "x") PART("Content-Type: application/rtf\n", "y")
			END),
		0),
	    CASE("check_ma_non_text()",
		PARTS("mixed", PART("Content-Type: image/png\n", "y") END), 0),
	};
	CHECK_EVALS(CASES);
}

static void
a_broken_frame_is_seen(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_for_mime('mime_missing_boundary')",
		PARTS("mixed", PART("", "x")), 1),
	    CASE("check_for_mime('mime_missing_boundary')",
		PARTS("mixed", PART("", "x") END), 0),
	    CASE("check_for_mime('mime_missing_boundary')",
		PARTS("mixed", "x\n" END), 1),
	    CASE("check_for_mime('mime_missing_boundary')",
		PARTS("mixed", "x\n"), 0),
	    CASE("check_msg_parse_flags('missing_head_body_separator')",
		"Subject: x\n", 1, .type = "header"),
	    CASE("check_msg_parse_flags('missing_head_body_separator')",
		"Subject: x\n--b\n", 1, .type = "header"),
	    CASE("check_msg_parse_flags('missing_head_body_separator')",
		"Subject: x\na\nb\nc\nd\n", 1, .type = "header"),
	    CASE("check_msg_parse_flags('missing_head_body_separator')",
		"Subject: x\na\nb\nc\n\n", 0, .type = "header"),
	    CASE("check_msg_parse_flags('missing_mime_headers')",
		PARTS("mixed", "--b\n\nx\n" END), 1),
	    CASE("check_msg_parse_flags('missing_mime_headers')",
		PARTS("mixed", PART("A: b\n", "x") "--b\n\ny\n" END), 1),
	    CASE("check_msg_parse_flags('missing_mime_headers')",
		PARTS("mixed", PART("A: b\n", "x") PART("A : b\n", "x") END),
		1),
	    CASE("check_msg_parse_flags('missing_mime_headers')",
		PARTS("mixed", PART("A: b\n", "x") PART("A: b\n", "x") END), 0),
	    CASE("check_msg_parse_flags('missing_mime_head_body_separator')",
		PARTS("mixed", "--b\nA: b\n\nx\n" END), 0),
	    CASE("check_msg_parse_flags('missing_mime_head_body_separator')",
		PARTS("mixed", "--b\nA: b\nx y\nz\n" END), 1),
	    CASE("check_msg_parse_flags('mime_epilogue_exists')",
		PARTS("mixed", PART("", "x") END " .\n"), 0),
	    CASE("check_msg_parse_flags('mime_epilogue_exists')",
		PARTS("mixed", PART("", "x") END "y\n"), 1),
	    CASE("check_msg_parse_flags('mbox_sep')",
		"From a b\nSubject: x\n\n", 1),
	    CASE("check_msg_parse_flags('no_such_flag')", "Subject: x\n", 0),
	};
	CHECK_EVALS(CASES);
}

static void
a_long_header_is_truncated(void **state)
{
	(void)state;
	static const char RULE[] =
	    "header T eval:check_msg_parse_flags('truncated_header')\n";
	struct arena *a = arena_new();
	static const struct {
		size_t nfields, bytes;
		unsigned value;
	} CASES[] = {{1, 8000, 0}, {1, 8200, 1}, {8, 8000, 0}, {9, 8000, 1}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct buf *mail = buf_new(a, 100000);
		for (size_t k = 0; k < CASES[i].nfields; k++) {
			buf_printf(mail, "X-%zu: ", k);
			for (size_t n = 0; n < CASES[i].bytes; n++)
				buf_putc(mail, 'y');
			buf_putc(mail, '\n');
		}
		buf_putc(mail, '\n');
		assert_int_equal(
		    rule_value(RULE, buf_str(mail)), CASES[i].value);
	}
	arena_free(a);
}

static void
encoded_bytes_are_counted(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_for_mime('mime_qp_count')",
		TEXT("quoted-printable", "a=41\n"), 1),
	    CASE("check_for_mime('mime_qp_count')",
		TEXT("quoted-printable", "a=3D=\n=E2=20\n"), 0),
	    CASE("check_for_mime('mime_qp_count')",
		TEXT("quoted-printable (x)", "a\n"), 1),
	    CASE("check_for_mime('mime_qp_count')",
		TEXT("quoted-printable", "SPAM: =41\n"), 1),
	    CASE("check_for_mime('mime_qp_bytes')",
		TEXT("quoted-printable", "SPAM: =41\n"), 0),
	    CASE(
		"check_qp_ratio('0.2')", TEXT("quoted-printable", "a=41\n"), 1),
	    CASE("check_qp_ratio('0.21')", TEXT("quoted-printable", "a=41\n"),
		0),
	    CASE("check_qp_ratio()", "\nx", 1),
	    CASE("check_base64_length('9','9')", TEXT("base64", "eHh4eHh4\n"),
		1),
	    CASE("check_base64_length('10')", TEXT("base64", "eHh4eHh4\n"), 0),
	    CASE("check_base64_length('0')", "\nx", 1),
	    CASE("check_for_ascii_text_illegal()", TEXT("7bit", "\xe9\n"), 1),
	    CASE("check_for_ascii_text_illegal()", TEXT("7bit", "e\n"), 0),
	    CASE("check_for_ascii_text_illegal()",
		"Content-Type: text/plain; charset=\n\n\xe9\n", 0),
	    CASE("check_abundant_unicode_ratio(0.1)",
		TEXT("7bit", "&#x20AC;123456789\n"), 1),
	    CASE("check_abundant_unicode_ratio(0.2)",
		TEXT("7bit", "&#x20AC;123456789\n"), 0),
	    CASE("check_abundant_unicode_ratio(0.1)",
		TEXT("7bit", "&#x20ac;123456789\n"), 0),
	    CASE("check_abundant_unicode_ratio(0)",
		TEXT("7bit", "&#x20AC;123456789\n"), 0),
	    CASE("check_mime_multipart_ratio('0.50','0.51')",
		PARTS("alternative",
		    PART("", "x") PART("Content-Type: text/html\n", "xy") END),
		1),
	    CASE("check_mime_multipart_ratio('1','1.01')",
		PARTS("mixed",
		    PART("", "x") PART("Content-Type: text/html\n", "xy") END),
		1),
	};
	CHECK_EVALS(CASES);
}

#define LOUD "THIS IS WHAT A MAN SAYS WHO WANTS TO BE HEARD "
#define LOUD_4 LOUD LOUD LOUD LOUD

static void
capitals_are_counted_in_texts_of_some_length(void **state)
{
	(void)state;
	static const struct eval_case CASES[] = {
	    CASE("check_for_uppercase('75','100')", "\n" LOUD_4 LOUD, 1),
	    CASE("check_for_uppercase('75','100')", "\n" LOUD, 0),
	    CASE("check_for_uppercase('-1','100')", "\n" LOUD, 0),
	    CASE("check_for_uppercase('75','100')",
		"Content-Type: text/plain; charset=koi8-r\n\n" LOUD_4 LOUD, 0),
	    CASE("check_for_uppercase('75','100')",
		"Content-Type: text/plain; charset=utf-8\n\n" LOUD_4 LOUD, 1),
	    CASE("check_for_uppercase('75','100')", "\n" LOUD_4 LOUD, 1,
		.type = "rawbody"),
	    CASE("check_for_uppercase('50','75')",
		"\n" LOUD_4 LOUD
		"so he does and his voice is loud and it is heard by all of "
		"them who have ears and do not want to have them just now and "
		"so they go away and hear no more of it and never come back "
		"here",
		1),
	    CASE("check_for_uppercase('0','1')",
		"\n" LOUD "\x1b$B" LOUD_4 LOUD "\x1b(B", 0),
	};
	CHECK_EVALS(CASES);
}

static void
charsets_of_other_languages_are_a_surprise(void **state)
{
	(void)state;
	static const char KOI[] =
	    "Content-Type: text/plain; charset=\"koi8-r\"\n\n"
	    "\xf0\xf2\xe9\xf7\xe5\xf4\n";
	static const struct eval_case CASES[] = {
	    CASE("check_for_faraway_charset()", KOI, 0),
	    CASE("check_for_faraway_charset()", KOI, 1,
		.lines = "ok_locales en"),
	    CASE("check_for_faraway_charset()", KOI, 0,
		.lines = "ok_locales en ru"),
	    CASE("check_for_faraway_charset()", KOI, 0,
		.lines = "ok_locales en\nok_locales all"),
	    CASE("check_for_faraway_charset()",
		"Content-Type: text/plain; charset=koi8-r\n\nASCII\n", 0,
		.lines = "ok_locales en"),
	    CASE("check_for_mime('mime_faraway_charset')", KOI, 1,
		.lines = "ok_locales en"),
	    CASE("check_for_mime('mime_faraway_charset')", KOI, 0),
	};
	CHECK_EVALS(CASES);
}

/* Many rules on one field go through a prefilter, others do not. */
static void
mimeheader_rules_see_each_part(void **state)
{
	(void)state;
	static const char mail[] =
	    "Content-Type: multipart/mixed; boundary=b\n\n"
	    "--b\nContent-Type: text/plain; charset=utf-8\n\nx\n"
	    "--b\nContent-Disposition: attachment; filename=a.pdf\n\nx\n"
	    "--b\nContent-Type: image/gif; name=a.gif\n\nx\n--b--\n";
	static const struct rule_case cases[] = {
	    {"mimeheader A Content-Type =~ /text.plain/\n"
	     "mimeheader B Content-Type =~ /image.*gif/\n"
	     "mimeheader C Content-Type =~ /audio/\n"
	     "mimeheader D Content-Type =~ /^$/\n"
	     "mimeheader E Content-Type =~ /a/\ntflags E multiple\n"
	     "mimeheader F Content-Type =~ /image/\ntflags F range=1-3\n"
	     "mimeheader G Content-Type =~ /image/\ntflags G range=2-\n"
	     "mimeheader H Content-Type =~ /plain.*image/s\n"
	     "tflags H concat\n"
	     "mimeheader I Content-Type =~ /none/ [if-unset: none]\n"
	     "mimeheader J Content-Type:raw =~ /^ ?text/\n",
		mail, "A B D E=2 G H I J"},
	    {"mimeheader A X-None =~ /^$/\nmimeheader B X-None =~ /./\n"
	     "mimeheader C Content-Disposition =~ /\\.pdf/\n"
	     "header D Content-Disposition =~ /\\.pdf/",
		mail, "A C"},
	};
	RULE_CASES_CHECK(cases);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_of_parts_are_counted),
    cmocka_unit_test(a_broken_frame_is_seen),
    cmocka_unit_test(a_long_header_is_truncated),
    cmocka_unit_test(encoded_bytes_are_counted),
    cmocka_unit_test(capitals_are_counted_in_texts_of_some_length),
    cmocka_unit_test(charsets_of_other_languages_are_a_surprise),
    cmocka_unit_test(mimeheader_rules_see_each_part),
};
UNIT_MAIN(tests)
