/* SPDX-License-Identifier: BSD-2-Clause */
/* hostile -- kinds of mail that is made to cost. */
#include "hostile.h"

#include "base/arena.h"
#include "base/buf.h"

#define FROM "From: Ann <ann@a.example>\nTo: Bob <bob@b.example>\n"
#define REST "Subject: one of many\nMessage-ID: <1@a.example>\n"
#define TOP FROM REST "MIME-Version: 1.0\n"
#define TEXT TOP "Content-Type: text/plain\n\n"
#define TEXT_OF(charset) TOP "Content-Type: text/plain; charset=" charset "\n\n"
#define HTML TOP "Content-Type: text/html; charset=utf-8\n\n"
#define ENCODED(encoding, type)                                            \
	TOP "Content-Type: " type "\nContent-Transfer-Encoding: " encoding \
	    "\n\n"
#define MIXED TOP "Content-Type: multipart/mixed; boundary=b\n\n"
#define BODY "\n\nHello\n"

#define KIND(name, head, unit, tail)                                \
	{                                                           \
		name, STR(head), STR(unit), STR(tail), STR_EMPTY, 0 \
	}
/* The same with long units. */
#define LONG(name, head, unit, tail, filling, bytes)                       \
	{                                                                  \
		name, STR(head), STR(unit), STR(tail), STR(filling), bytes \
	}
/* Fields as long as one may be. */
#define FIELD_BYTES 8000
#define FIELDS(name, head, field, filling) \
	LONG(name, head, field ": \3\n", BODY, filling, FIELD_BYTES)
/* Parts with as much text as rules see of one. */
#define PART_BYTES 50000
#define PARTS(name, type, filling)                                          \
	LONG(name, MIXED, "--b\nContent-Type: " type "\n\n\3\n", "--b--\n", \
	    filling, PART_BYTES)
/* Links as long as one may be. */
#define LINKS(name, link, filling) \
	LONG(name, HTML, "<a href=\"" link "\">x</a>", "", filling, FIELD_BYTES)

const struct hostile hostile_kinds[] = {
    /* one character, or next to none */
    KIND("text-letter", TEXT, "a", ""),
    KIND("text-digit", TEXT, "1", ""),
    KIND("text-blank", TEXT, " ", ""),
    KIND("text-line-end", TEXT, "\n", ""),
    KIND("text-blank-line", TEXT, " \n", ""),
    KIND("text-nul", TEXT, "\0", ""),
    KIND("text-cr", TEXT, "\r", ""),
    KIND("text-quote", TEXT, ">", ""),
    KIND("text-quotes", TEXT, "> a\n", ""),
    KIND("text-words", TEXT, "word \1 and so on ", ""),
    KIND("text-lines", TEXT, "This is line \1 of a letter.\n", ""),
    KIND("text-high", TEXT, "\xff", ""),
    KIND("base64-letter", ENCODED("base64", "text/plain"), "A", ""),
    KIND("base64-line", ENCODED("base64", "text/html"), "YWFh\n", ""),
    KIND("base64-pad", ENCODED("base64", "text/plain"), "=", ""),
    KIND("base64-blank", ENCODED("base64", "text/plain"), " ", ""),
    KIND("qp-letter", ENCODED("quoted-printable", "text/plain"), "=41", ""),
    KIND("qp-soft", ENCODED("quoted-printable", "text/plain"), "a=\n", ""),
    KIND("qp-equals", ENCODED("quoted-printable", "text/html"), "=", ""),
    KIND("qp-blank", ENCODED("quoted-printable", "text/plain"), "= ", ""),
    KIND("uuencode", TEXT "begin 644 a\n",
	"M86%A86%A86%A86%A86%A86%A86%A86%A86%A86%A86%A86%A86%A86%A86%A\n",
	"end\n"),
    KIND("uuencode-starts", TEXT, "begin 644 a\1\n", ""),
    KIND("yenc", TEXT "=ybegin line=128 size=1 name=a\n", "=J=M\xaa\xab\n", ""),
    KIND("pdf", ENCODED("base64", "application/pdf"), "JVBERi0x\n", ""),
    KIND("png", ENCODED("base64", "image/png; name=a.png"),
	"iVBORw0KGgoAAAANSUhEUgAA\n", ""),
    /* charsets */
    KIND("utf8", TEXT_OF("utf-8"), "\xf0\x9f\x98\x80", ""),
    KIND("utf8-blank", TEXT_OF("utf-8"), "\xe2\x80\x83", ""),
    KIND("utf8-broken", TEXT_OF("utf-8"), "\xe2\x82 \xff", ""),
    KIND("utf16", TEXT_OF("utf-16"), "a\0", ""),
    KIND("utf7", TEXT_OF("utf-7"), "+AGE-", ""),
    KIND("latin1", TEXT_OF("iso-8859-1"), "\xe9", ""),
    KIND("jis-switch", TEXT_OF("iso-2022-jp"), "\x1b$B!!\x1b(B", ""),
    KIND("kr-switch", TEXT_OF("iso-2022-kr"), "\x0e!!\x0f", ""),
    KIND("gb18030", TEXT_OF("gb18030"), "\x81\x30\x81\x30", ""),
    KIND("big5-broken", TEXT_OF("big5"), "\xff\x41", ""),
    KIND("charset-unknown", TEXT_OF("x-none"), "\xe9 ", ""),
    KIND("charset-parts", MIXED,
	"--b\nContent-Type: text/plain; charset=x-\1\n\n\xe9\n", "--b--\n"),
    /* HTML */
    KIND("html-letter", HTML, "a", ""),
    KIND("html-open", HTML, "<", ""),
    KIND("html-open-letter", HTML, "<a", ""),
    KIND("html-bold", HTML, "<b>", ""),
    KIND("html-bold-closed", HTML, "<b>a</b>", ""),
    KIND("html-unopened", HTML, "</b>", ""),
    KIND("html-crossed", HTML, "<b><i></b></i>", ""),
    KIND("html-tables", HTML, "<table><tr><td>", ""),
    KIND("html-divs", HTML, "<div style=\"color:red\">a", ""),
    KIND("html-fonts", HTML, "<font color=#12345\1 size=1>a", ""),
    KIND("html-lists", HTML, "<ul><li>a", ""),
    KIND("html-breaks", HTML, "<br>", ""),
    KIND("html-paragraphs", HTML, "<p>a", ""),
    KIND("html-names", HTML, "<x\1>a", ""),
    KIND("html-forms", HTML, "<form action=http://a\1.com/><input>", ""),
    KIND("html-frames", HTML, "<iframe src=http://a\1.com/></iframe>", ""),
    KIND("html-comments", HTML, "<!--a-->", ""),
    KIND("html-comment-open", HTML, "<!--", ""),
    KIND("html-comment-dash", HTML "<!", "-", ""),
    KIND("html-declarations", HTML, "<!DOCTYPE \"", ""),
    KIND("html-sections", HTML, "<![CDATA[", ""),
    KIND("html-section-ends", HTML "<![IGNORE[", "]]", ""),
    KIND("html-processes", HTML, "<?", ""),
    KIND("html-attributes", HTML "<a ", "a\1=1 ", ">"),
    KIND("html-attribute-open", HTML, "<a href=\"", ""),
    KIND("html-attribute-names", HTML "<a ", "x/href", ">a</a>"),
    KIND("html-style", HTML "<p style=\"", "color:red;", "\">a"),
    KIND("html-style-open", HTML, "<style>a{", ""),
    KIND("html-styles", HTML, "<style>a{color:red}</style>", ""),
    KIND("html-style-names", HTML "<p style=\"", "a\1:b;", "\">a"),
    KIND("html-style-many", HTML,
	"<span style=\"color:#123456;font-size:1px;display:none\">a</span>",
	""),
    KIND("html-script-open", HTML, "<script>", ""),
    KIND("html-scripts", HTML, "<script>a</script>", ""),
    KIND("html-titles", HTML, "<title>a</title>", ""),
    KIND("html-title-open", HTML, "<title>", ""),
    KIND("html-plaintext", HTML, "<plaintext>", ""),
    KIND("html-ampersand", HTML, "&", ""),
    KIND("html-entities", HTML, "&amp;", ""),
    KIND("html-entity-long", HTML, "&CounterClockwiseContourIntegra", ""),
    KIND("html-numbers", HTML, "&#6\1;", ""),
    KIND("html-number-long", HTML "&#", "1", ""),
    KIND("html-nbsp", HTML, "&nbsp;", ""),
    KIND("html-images", HTML, "<img src=http://a\1.com/a.gif width=1>", ""),
    KIND("html-image-alts", HTML, "<img alt=a>", ""),
    KIND("html-obfuscated", HTML, "v<i></i>i<b></b>a", ""),
    KIND("html-hidden", HTML "<div style=\"display:none\">", "a ", ""),
    KIND("html-quote-nest", HTML, "<blockquote>a", ""),
    /* links */
    KIND("links", HTML, "<a href=\"http://h\1.example.com/\">x</a>", ""),
    KIND("links-same", HTML, "<a href=\"http://h.example.com/\">x</a>", ""),
    KIND("links-open", HTML, "<a href=http://h\1.example.com/>x", ""),
    KIND("links-bare", HTML, "<a href=", ""),
    KIND("links-relative", HTML "<base href=http://a.com/b/c/d/e/f/>",
	"<a href=\1>", ""),
    KIND("links-bases", HTML, "<base href=http://a\1.com/><a href=b>", ""),
    KIND("links-escaped", HTML, "<a href=\"http://%68%\1.com/%%25\">", ""),
    KIND("links-entities", HTML, "<a href=\"&#104;ttp://a&#4\1;.com\">", ""),
    KIND("links-nested", HTML,
	"<a href=\"http://a\1.com/?u=http://b\1.com/"
	"?u=http://c\1.com/\">x</a>",
	""),
    KIND("links-idn", HTML, "<a href=\"http://b\xc3\xbc\1.com/\">x</a>", ""),
    KIND("links-mailto", HTML, "<a href=\"mailto:a\1@b.com\">x</a>", ""),
    KIND("links-dots", HTML, "<a href=\"http://a/../../b/../\1/./\">x</a>", ""),
    KIND("link-long", HTML "<a href=\"http://a.com/", "a", "\">x</a>"),
    KIND("link-anchor", HTML "<a href=\"http://a.com/\">", "a", "</a>"),
    KIND("text-links", TEXT, "http://h\1.example.com/ ", ""),
    KIND("text-links-lines", TEXT, "http://h\1.example.com/\n", ""),
    KIND("text-links-joined", TEXT, "http://h\1.example.com/", ""),
    KIND("text-links-nested", TEXT, "http://a.com/?http://b\1.com/?x=", ""),
    KIND("text-links-escaped", TEXT "http://a.com/", "%2568", ""),
    KIND("text-hosts", TEXT, "www.h\1.com ", ""),
    KIND("text-www", TEXT, "www.", ""),
    KIND("text-schemes", TEXT, "http://", ""),
    KIND("text-schemes-mixed", TEXT, "hTtP:\\\\ h\1 . com ", ""),
    KIND("text-domains", TEXT, "a\1.com ", ""),
    KIND("text-dots", TEXT, "a.", ""),
    KIND("text-domains-joined", TEXT, "a\1.com.", ""),
    KIND("text-mail", TEXT, "a\1@b.com ", ""),
    KIND("text-mail-joined", TEXT, "a@b.com,", ""),
    KIND("text-at", TEXT, "@", ""),
    KIND("text-at-letters", TEXT, "a@", ""),
    KIND("text-mailto", TEXT, "mailto:a\1@b.com ", ""),
    KIND("text-brackets", TEXT, "<", ""),
    KIND("text-percent", TEXT, "%", ""),
    KIND("text-slashes", TEXT, "/", ""),
    KIND("text-colons", TEXT, "a:", ""),
    KIND("text-wallets", TEXT, "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN\1 ", ""),
    KIND("text-phones", TEXT, "+1 (555) 123-4567 ", ""),
    KIND("text-money", TEXT, "$1,000,000 USD ", ""),
    KIND("text-cyrillic", TEXT_OF("utf-8"),
	"\xd0\xb0"
	"a",
	""),
    LINKS("long-links", "http://a.com/\1\3", "a"),
    LINKS("long-links-escaped", "http://a.com/\1\3", "%2568"),
    LINKS("long-links-nested", "http://a.com/\1?\3", "u=http://b\1.com/?"),
    LINKS("long-links-schemes", "http://a.com/\1?\3", "http://"),
    LINKS("long-links-hosts", "http://\1\3.com/", "a."),
    LINKS("long-links-dots", "http://a.com/\1\3", "/../a/./"),
    LINKS("long-links-at", "http://a\1\3", "@a"),
    LINKS("long-links-idn", "http://\1\3.com/", "b\xc3\xbc."),
    LINKS("long-links-blanks", "http://a.com/\1\3", " \t"),
    LINKS("long-links-entities", "http://a.com/\1\3", "&#4\1;"),
    LINKS("long-links-colons", "\1\3", "a:"),
    LINKS("long-links-slashes", "http://a.com/\1\3", "/\\"),
    LINKS("long-links-queries", "http://a.com/\1\3", "?a=b&c#d"),
    LINKS("long-links-redirects", "http://google.com/\1\3", "/url?q=http://a"),
    LONG("long-styles", HTML, "<p style=\"\3\">a", "", "color:red;", 65000),
    LONG("long-style-parens", HTML, "<p style=\"\3\">a", "", "rgb(", 65000),
    LONG("long-attributes", HTML, "<a \3>a", "", "a\1=1 ", 65000),
    LONG("long-attribute-names", HTML, "<a \3>a", "", "x/href ", 65000),
    LONG("long-values", HTML, "<a href=\3 src=\3 id=\3>a", "", "&amp;", 65000),
    LONG("long-colors", HTML, "<font color=\3>a", "", "f", 65000),
    LONG("long-names", HTML, "<\3\1>a", "", "x", 65000),
    /* header fields */
    KIND("fields-same", FROM REST, "X-A: 1\n", BODY),
    KIND("fields-different", FROM REST, "X-\1: 1\n", BODY),
    KIND("fields-empty", FROM REST, "A:\n", BODY),
    KIND("fields-from", REST, "From: a\1@b.com\n", BODY),
    KIND("fields-to", REST, "To: A <a\1@b.com>\n", BODY),
    KIND("fields-subject", FROM, "Subject: \1\n", BODY),
    KIND("fields-received", FROM REST,
	"Received: from a\1 (b [192.0.2.1]) by c.com (Postfix) with ESMTP id 1;"
	" Mon, 1 Jan 2024 00:00:00 +0000\n",
	BODY),
    KIND("fields-received-odd", FROM REST, "Received: (\n", BODY),
    KIND("fields-message-id", FROM, "Message-ID: <\1@a.com>\n", BODY),
    KIND("fields-date", FROM, "Date: Mon, 1 Jan 2024 00:00:0\1\n", BODY),
    KIND("fields-type", FROM, "Content-Type: text/plain; name=\1\n", BODY),
    KIND("fields-encoding", FROM, "Content-Transfer-Encoding: \1\n", BODY),
    KIND("fields-dkim", FROM REST,
	"DKIM-Signature: v=1; a=rsa-sha256; d=a\1.com; s=s; h=from; bh=YQ==; "
	"b=YQ==\n",
	BODY),
    KIND("fields-results", FROM REST,
	"Authentication-Results: a.com; dkim=pass header.d=\1.com\n", BODY),
    KIND(
	"fields-list", FROM REST, "List-Unsubscribe: <http://\1.com/>\n", BODY),
    KIND("fields-reply-to", FROM REST, "Reply-To: a\1@gmail.com\n", BODY),
    KIND("fields-broken", FROM REST, "no field\n", BODY),
    KIND("fields-folds", FROM REST "X-A: ", "\n ", BODY),
    KIND("fields-folded", FROM REST "X-A: a", "\n a", BODY),
    KIND("fields-words", FROM REST, "X-\1: =?utf-8?q?=41?= =?utf-8?b?QQ==?=\n",
	BODY),
    KIND("to-addresses", REST "From: a@b.com\nTo: a@b.com", ",\n a\1@b.com",
	BODY),
    KIND("to-names", REST "From: a@b.com\nTo: a@b.com",
	",\n \"A, B\" <a\1@b.com>", BODY),
    KIND("to-comments", REST "From: a@b.com\nTo: ", "(", BODY),
    KIND("to-quotes", REST "From: a@b.com\nTo: ", "\"", BODY),
    KIND("to-angles", REST "From: a@b.com\nTo: ", "<", BODY),
    KIND("to-commas", REST "From: a@b.com\nTo: ", ",", BODY),
    KIND("from-long", REST "From: ", "a", "@b.com" BODY),
    KIND("subject-long", FROM "Subject: ", "a", BODY),
    KIND("subject-words", FROM "Subject: ", "=?utf-8?q?=41?= ", BODY),
    KIND("subject-charsets",
	FROM "Subject: ", "=?utf-8?q?a?= =?iso-2022-jp?b?GyRCISE=?= ", BODY),
    KIND("subject-word-open", FROM "Subject: ", "=?utf-8?q?", BODY),
    KIND("subject-equals", FROM "Subject: ", "=?", BODY),
    KIND("references", FROM REST "References: ", "<\1@a.com> ", BODY),
    KIND("received-long", FROM REST "Received: from a (", "[1.2.3.4] ", BODY),
    KIND("type-parameters", FROM "Content-Type: text/plain", "; a\1=b", BODY),
    KIND("type-names", FROM "Content-Type: text/plain", "; name*1=b", BODY),
    KIND("type-boundaries", FROM "Content-Type: multipart/mixed",
	"; boundary=a\"", BODY),
    FIELDS("long-to-letters", REST "From: a@b.com\n", "To", "a"),
    FIELDS("long-to-addresses", REST "From: a@b.com\n", "To", "a\1@b.com, "),
    FIELDS("long-to-comments", REST "From: a@b.com\n", "To", "("),
    FIELDS("long-to-quotes", REST "From: a@b.com\n", "To", "\""),
    FIELDS("long-to-escapes", REST "From: a@b.com\n", "To", "\"\\"),
    FIELDS("long-to-angles", REST "From: a@b.com\n", "To", "<"),
    FIELDS("long-to-commas", REST "From: a@b.com\n", "To", ","),
    FIELDS("long-to-groups", REST "From: a@b.com\n", "To", "a:;"),
    FIELDS("long-to-at", REST "From: a@b.com\n", "To", "@"),
    FIELDS("long-from-comments", REST, "From", "("),
    FIELDS("long-from-quotes", REST, "From", "\"a@b.com\" <"),
    FIELDS("long-from-addresses", REST, "From", "a\1@b.com, "),
    FIELDS("long-from-dots", REST, "From", "a.@"),
    FIELDS("long-reply-to", FROM REST, "Reply-To", "a\1@gmail.com, "),
    FIELDS(
	"long-received-from", FROM REST, "Received", "from a (b [1.2.3.4]) "),
    FIELDS("long-received-by", FROM REST, "Received", "by a "),
    FIELDS("long-received-for", FROM REST, "Received", "for <a@b.com> "),
    FIELDS("long-received-brackets", FROM REST, "Received", "["),
    FIELDS("long-received-parens", FROM REST, "Received", "from ("),
    FIELDS("long-received-ips", FROM REST, "Received", "1.2.3."),
    FIELDS("long-received-ip6", FROM REST, "Received", "from [IPv6:a:"),
    FIELDS("long-received-blanks", FROM REST, "Received", "from  "),
    FIELDS("long-received-helo", FROM REST, "Received", "(HELO a) (a@"),
    FIELDS("long-received-semicolons", FROM REST, "Received",
	"; Mon, 1 Jan 2024 00:00:00 +0000"),
    FIELDS("long-subjects", FROM, "Subject", "a "),
    FIELDS("long-words", FROM REST, "X-A", "=?utf-8?q?=41?= "),
    FIELDS("long-word-charsets", FROM REST, "X-\1",
	"=?utf-8?q?a?= =?iso-2022-jp?b?GyRCISE=?= "),
    FIELDS("long-word-starts", FROM REST, "Subject", "=?utf-8?q?"),
    FIELDS("long-folds", FROM REST, "Subject", "\n "),
    FIELDS("long-message-id", FROM, "Message-ID", "<a@b> "),
    FIELDS("long-dates", FROM REST, "Date", "1 Jan "),
    FIELDS("long-dkim", FROM REST, "DKIM-Signature", "a=b; "),
    FIELDS("long-results", FROM REST, "Authentication-Results",
	"a; dkim=pass (a) header.d=a "),
    FIELDS("long-results-comments", FROM REST, "Authentication-Results", "("),
    FIELDS("long-types", FROM REST, "Content-Type", "text/plain; name=a; "),
    FIELDS("long-list", FROM REST, "List-Unsubscribe", "<http://a.com/>, "),
    /* MIME */
    PARTS("parts-long-letters", "text/plain", "a"),
    PARTS("parts-long-words", "text/plain", "word \1 and so on "),
    PARTS("parts-long-links", "text/plain", "http://h\1.example.com/ "),
    PARTS("parts-long-link", "text/plain", "http://a"),
    PARTS("parts-long-hosts", "text/plain", "www.h\1.com "),
    PARTS("parts-long-domains", "text/plain", "a\1.com "),
    PARTS("parts-long-domains-joined", "text/plain", "a.com."),
    PARTS("parts-long-www", "text/plain", "www."),
    PARTS("parts-long-dots", "text/plain", "a."),
    PARTS("parts-long-mail", "text/plain", "a\1@b.com "),
    PARTS("parts-long-mail-joined", "text/plain", "a@b.com,"),
    PARTS("parts-long-at", "text/plain", "a@"),
    PARTS("parts-long-schemes", "text/plain", "http://"),
    PARTS(
	"parts-long-nested", "text/plain", "http://a.com/?http://b\1.com/?x="),
    PARTS("parts-long-escaped", "text/plain", "http://%68%74"),
    PARTS("parts-long-brackets", "text/plain", "<"),
    PARTS("parts-long-digits", "text/plain", "1"),
    PARTS("parts-long-wallets", "text/plain",
	"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN\1 "),
    PARTS("parts-long-phones", "text/plain", "+1 (555) 123-4567 "),
    PARTS("parts-long-money", "text/plain", "$1,000,000 USD "),
    PARTS("parts-long-nul", "text/plain", "\0"),
    PARTS("parts-long-blanks", "text/plain", " "),
    PARTS("parts-long-cyrillic", "text/plain; charset=utf-8",
	"\xd0\xb0"
	"a"),
    PARTS("parts-long-utf7", "text/plain; charset=utf-7", "+AGE-"),
    PARTS("parts-long-html-bold", "text/html", "<b>"),
    PARTS("parts-long-html-names", "text/html", "<x\1>a"),
    PARTS("parts-long-html-comments", "text/html", "<!--a-->"),
    PARTS("parts-long-html-title", "text/html", "<title>"),
    PARTS(
	"parts-long-html-links", "text/html", "<a href=http://h\1.com/>x</a>"),
    PARTS("parts-long-html-hidden", "text/html",
	"<span style=\"color:#123456;font-size:1px;display:none\">a</span>"),
    LONG("parts-fields", MIXED, "--b\n\3\na\n", "", "A:\n", 1000000),
    LONG("parts-messages-fields", MIXED,
	"--b\nContent-Type: message/rfc822\n\n\3\na\n", "", "A:\n", 1000000),
    LONG("part-type-long", MIXED, "--b\nContent-Type: text/plain; \3\n\na\n",
	"", "name=a; ", PART_BYTES),
    LONG("part-type-names", MIXED, "--b\nContent-Type: text/plain; \3\n\na\n",
	"", "name*1=b; ", PART_BYTES),
    LONG("part-type-words", MIXED,
	"--b\nContent-Type: text/plain; name=\"\3\n"
	"\na\n",
	"", "=?utf-8?q?=41?= ", PART_BYTES),
    LONG("part-name-words", MIXED,
	"--b\nContent-Disposition: attachment; "
	"filename=\"\3\"\n\na\n",
	"", "=?utf-8?q?=41?= ", PART_BYTES),
    LONG("part-boundaries", MIXED,
	"--b\nContent-Type: multipart/mixed\3\n\na\n", "", "; boundary=\"\"",
	PART_BYTES),
    LONG("part-boundary-long", MIXED,
	"--b\nContent-Type: multipart/mixed; "
	"boundary=\3\n\na\n",
	"", "a", PART_BYTES),
    LONG("part-encodings", MIXED, "--b\nContent-Transfer-Encoding: \3\n\na\n",
	"", "base64 ", PART_BYTES),
    KIND("parts", MIXED, "--b\n\na\n", "--b--\n"),
    KIND("parts-empty", MIXED, "--b\n", "--b--\n"),
    KIND("parts-html", MIXED, "--b\nContent-Type: text/html\n\n<b>a\n", ""),
    KIND("parts-base64", MIXED,
	"--b\nContent-Transfer-Encoding: base64\n\nYWFh\n", ""),
    KIND("parts-named", MIXED,
	"--b\nContent-Type: application/zip; name=a\1.zip\n\nPK\n", ""),
    KIND("parts-messages", MIXED,
	"--b\nContent-Type: message/rfc822\n\nSubject: \1\n\na\n", ""),
    KIND("parts-messages-in-base64", MIXED,
	"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n"
	"\nQTogYgoKYQo=\n",
	""),
    KIND("parts-of-parts", MIXED,
	"--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\na\n--c--\n",
	""),
    KIND("part-fields", MIXED "--b\n", "X-\1: a\n", "\na\n--b--\n"),
    KIND("part-field-folds", MIXED "--b\nX-A: a", "\n a", "\n\na\n--b--\n"),
    KIND("boundary-like", MIXED, "--bb\n", ""),
    KIND("boundary-dashes", MIXED, "--", ""),
    KIND("boundary-long",
	TOP
	"Content-Type: multipart/mixed; boundary="
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaa\"\n\n",
	"--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaab\n",
	""),
    KIND("boundary-lines", MIXED "--b\n\n", "\n", "--b--\n"),
    KIND("nested-multiparts",
	FROM REST "Content-Type: multipart/mixed; boundary=b0\n\n",
	"--b\1\nContent-Type: multipart/mixed; boundary=b\2\n\n", ""),
    KIND("nested-same-boundary", MIXED,
	"--b\nContent-Type: multipart/mixed; boundary=b\n\n", ""),
    KIND("nested-messages", FROM REST, "Content-Type: message/rfc822\n\n",
	"a\n"),
    KIND("nested-digests",
	FROM REST "Content-Type: multipart/digest; boundary=b0\n\n",
	"--b\1\n\nContent-Type: multipart/digest; boundary=b\2\n\n", ""),
    KIND("report",
	"From: <>\nReturn-Path: <>\nContent-Type: multipart/report; "
	"report-type=delivery-status; boundary=b\n\n--b\nContent-Type: "
	"message/delivery-status\n\n",
	"Final-Recipient: rfc822; a\1@b.com\nAction: failed\nStatus: 5.1.1\n\n",
	"--b--\n"),
    KIND("returned",
	"From: <>\nReturn-Path: <>\nSubject: Undelivered Mail "
	"Returned to Sender\n\n",
	"<a\1@b.com>: host b.com said: 550 no such user\n", ""),
    KIND("returned-fields",
	"From: <>\nReturn-Path: <>\nSubject: failure "
	"notice\n\n--- Below this line is a copy of the message.\n\n",
	"Received: from a\1 by b\n", ""),
};

const size_t hostile_nkinds = COUNT_OF(hostile_kinds);

const struct hostile *
hostile_named(struct str name)
{
	for (size_t i = 0; i < hostile_nkinds; i++)
		if (str_eq(str_from(hostile_kinds[i].name), name))
			return &hostile_kinds[i];
	return NULL;
}

static void put_filling(struct buf *out, const struct hostile *kind);

static void
put(struct buf *out, const struct hostile *kind, struct str text,
    unsigned number)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '\1' || c == '\2')
			buf_printf(out, "%u", number + (c == '\2'));
		else if (c == '\3')
			put_filling(out, kind);
		else
			buf_putc(out, c);
	}
}

static void
put_filling(struct buf *out, const struct hostile *kind)
{
	size_t end = out->len + kind->filling_bytes;
	for (unsigned n = 0; out->len < end; n++)
		put(out, kind, kind->filling, n);
}

struct str
hostile_make(struct arena *a, const struct hostile *kind, size_t size_bytes)
{
	struct buf *out = buf_new(a, SIZE_MAX / 2);
	buf_reserve(out, size_bytes + 3 * kind->filling_bytes + 1024);
	buf_put(out, kind->head);
	for (unsigned n = 0; out->len + kind->tail.len < size_bytes; n++)
		put(out, kind, kind->unit, n);
	buf_put(out, kind->tail);
	return buf_str(out);
}
