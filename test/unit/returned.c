/* SPDX-License-Identifier: BSD-2-Clause */
/* returned -- what notices of many programs tell of the message they answer. */
#include "unit.h"

#include "mail/message.h"
#include "notice/returned.h"

static struct message *
message_of(struct arena *a, struct str raw)
{
	struct mail_config *config = ARENA_NEW(a, struct mail_config);
	config->limits = MAIL_LIMITS_DEFAULT;
	return message_new(a, raw, config, NULL);
}

static struct returned *
returned_of(struct arena *a, struct str raw)
{
	struct returned *ret = ARENA_NEW(a, struct returned);
	returned_read(message_of(a, raw), ret);
	return ret;
}

static void
show(struct buf *b, const char *key, struct str value)
{
	if (value.len == 0)
		return;
	buf_printf(b, " %s=", key);
	buf_put(b, value);
}

static void
show_list(struct buf *b, const char *key, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s", i == 0 ? " " : ",");
		if (i == 0)
			buf_printf(b, "%s=", key);
		buf_put(b, v[i]);
	}
}

/* One line: what is known.  recv=ADDR/BY of each Received field. */
static struct str
shown(struct arena *a, const struct returned *r)
{
	static const char *const forms[] = {"none", "text", "part", "report"};
	struct buf *b = buf_new(a, 1 << 20);
	buf_printf(b, "%s%s", forms[r->form], r->is_whole ? " whole" : "");
	if (r->has_return_path)
		buf_printf(b, " from=<%.*s>", STR_ARG(r->return_path));
	for (size_t i = 0; i < r->nreceived; i++) {
		buf_printf(b, "%s", i == 0 ? " recv=" : ",");
		buf_printf(b, "%.*s/%.*s", STR_ARG(r->received[i].address),
		    STR_ARG(r->received[i].by));
	}
	show_list(b, "ids", r->ids, r->nids);
	show_list(b, "rcpt", r->rcpt, r->nrcpt);
	show(b, "queue", r->queue_id);
	show(b, "status", r->status);
	if (r->is_notice)
		buf_put(b, STR(" notice"));
	return buf_str(b);
}

#define RECEIVED                                                \
	"Received: from mail.a.example (unknown [192.0.2.1])\n" \
	"\tby mx.b.example (Postfix) with ESMTP id 4Xk2vB1Zz\n" \
	"\tfor <bob@b.example>; Sat, 28 Nov 2026 10:00:00 +0000\n"
#define FIELDS                            \
	"Message-ID: <1@a.example>\n"     \
	"From: Alice <alice@a.example>\n" \
	"To: bob@b.example\n"             \
	"Subject: hello\n"
#define ORIGINAL "Return-Path: <alice@a.example>\n" RECEIVED FIELDS
#define TOLD                                                   \
	" from=<alice@a.example> recv=192.0.2.1/mx.b.example " \
	"ids=1@a.example"
#define STRANGE                                                    \
	"Return-Path: <mallory@c.example>\n"                       \
	"Received: from x (x [192.0.2.66]) by mx.b.example id 9\n" \
	"Message-ID: <evil@c.example>\nFrom: m@c.example\nSubject: evil\n"

#define REPORT                                                               \
	"From: MAILER-DAEMON@mx.b.example (Mail Delivery System)\n"          \
	"To: alice@a.example\nAuto-Submitted: auto-replied\n"                \
	"Content-Type: multipart/report; report-type=delivery-status;\n"     \
	"\tboundary=\"B\"\nMIME-Version: 1.0\n\nThis is a MIME message.\n\n" \
	"--B\nContent-Type: text/plain\n\nI'm sorry.\n\n"
#define STATUS                                                              \
	"--B\nContent-Description: Delivery report\n"                       \
	"Content-Type: message/delivery-status\n\n"                         \
	"Reporting-MTA: dns; mx.b.example\nX-Postfix-Queue-ID: 4Xk2vB1Zz\n" \
	"X-Postfix-Sender: rfc822; alice@a.example\n\n"                     \
	"Final-Recipient: rfc822; bob@b.example\n"                          \
	"Original-Recipient: rfc822;Bob@b.example\nAction: failed\n"        \
	"Status: 5.1.1\nDiagnostic-Code: X-Postfix; unknown user\n\n"
#define OF_STATUS " rcpt=bob@b.example queue=4Xk2vB1Zz status=5.1.1"

static const struct {
	const char *label, *text, *want;
} notices[] = {
    {"Postfix, all of it",
	REPORT STATUS "--B\nContent-Description: Undelivered Message\n"
		      "Content-Type: message/rfc822\n\n" ORIGINAL
		      "\nHello!\n\n--B--\n",
	"report whole" TOLD OF_STATUS},
    {"Postfix, the header",
	REPORT STATUS "--B\nContent-Description: Undelivered Message Headers\n"
		      "Content-Type: text/rfc822-headers\n\n" ORIGINAL
		      "\n--B--\n",
	"report" TOLD OF_STATUS},
    {"Postfix, a mailing of a program",
	REPORT STATUS
	"--B\nContent-Type: message/rfc822\n\n"
	"Return-Path: <www-data@b.example>\nReceived: by b.example (Postfix, "
	"from userid 33)\n\tid 4Xk2vB1Zz; Sat, 28 Nov\n" FIELDS "\nx\n--B--\n",
	"report whole from=<www-data@b.example> recv=/b.example "
	"ids=1@a.example" OF_STATUS},
    {"Sendmail",
	"From: Mail Delivery Subsystem <MAILER-DAEMON>\n"
	"Content-Type: multipart/report; report-type=delivery-status;\n"
	"\tboundary=\"3ASB1.1/b\"\nAuto-Submitted: auto-generated (failure)\n\n"
	"This is a MIME-encapsulated message\n\n--3ASB1.1/b\n\n"
	"The original message was received\n\n"
	"   ----- The following addresses had permanent fatal errors -----\n"
	"<bob@b.example>\n\n--3ASB1.1/b\nContent-Type: "
	"message/delivery-status\n\nReporting-MTA: dns; b\n"
	"Arrival-Date: Sat, 28 Nov 2026 10:00:00 GMT\n\n"
	"Final-Recipient: RFC822; bob@b.example\nAction: failed\n"
	"Status: 5.1.1 (User unknown)\n\n--3ASB1.1/b\n"
	"Content-Type: message/rfc822\n\n"
	"Return-Path: <alice@a.example>\nReceived: from a (p7 [192.0.2.1] (may "
	"be forged))\n\tby b (8.17.1/8.17.1) with ESMTP id 3ASB1\n" FIELDS
	"\nHello\n\n--3ASB1.1/b--\n\n",
	"report whole from=<alice@a.example> recv=192.0.2.1/b ids=1@a.example "
	"rcpt=bob@b.example status=5.1.1"},
    {"Sendmail of old",
	"From: MAILER-DAEMON\nSubject: Returned mail: User unknown\n\n"
	"   ----- Transcript of session follows -----\n550 bob... unknown\n\n"
	"   ----- Unsent message follows -----\n" RECEIVED FIELDS "\nHello\n",
	"text recv=192.0.2.1/mx.b.example ids=1@a.example"},
    {"Exim",
	"X-Failed-Recipients: bob@b.example, carl@b.example\n"
	"Auto-Submitted: auto-replied\nFrom: Mail Delivery System "
	"<Mailer-Daemon@b.example>\n\nThis message was created automatically "
	"by mail delivery software.\n\n  bob@b.example\n    Unknown user\n\n"
	"------ This is a copy of the message, including all the headers. "
	"------\n\nReturn-path: <alice@a.example>\nReceived: from h.a.example "
	"([192.0.2.1] helo=a)\n\tby b with esmtp (Exim 4.96)\n\tid "
	"1r7xYz\n" FIELDS "\nHello\n",
	"text from=<alice@a.example> recv=192.0.2.1/b ids=1@a.example "
	"rcpt=bob@b.example,carl@b.example"},
    {"qmail",
	"From: MAILER-DAEMON@b.example\nSubject: failure notice\n\n"
	"Hi. This is the qmail-send program at b.example.\n\n"
	"<bob@b.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
	"--- Below this line is a copy of the message.\n\n"
	"Return-Path: <alice@a.example>\nReceived: (qmail 1 invoked from "
	"network); 28 Nov\nReceived: from unknown (HELO a) (192.0.2.1)\n"
	"  by b with SMTP; 28 Nov\n" FIELDS "\nHello\n",
	"text from=<alice@a.example> recv=/,192.0.2.1/b ids=1@a.example "
	"rcpt=bob@b.example"},
    {"Yahoo, lines wrapped",
	"From: MAILER-DAEMON@b.example\n\nSorry.\n\n--- Below this line is a "
	"copy of the message.\n\nReceived: from a by b.example with NNFMP; 28 "
	"Nov\nX-OSG: abcd\nX-A: abcd\nefgh\nijkl\nMessage-ID: <1@a.example>\n"
	"\nMessage-ID: <evil@c.example>\n",
	"text recv=/b.example ids=1@a.example"},
    {"Exchange",
	"Content-Type: multipart/report; report-type=delivery-status;\n"
	" boundary=B\n\n--B\nContent-Type: multipart/alternative; "
	"boundary=C\n\n--C\nContent-Type: text/plain\n\nDelivery has failed\n"
	"\nOriginal message headers:\n\n" RECEIVED FIELDS "\n--C\n"
	"Content-Type: text/html\n\n<p>x\n--C--\n\n--B\n"
	"Content-Type: message/delivery-status\n\nReporting-MTA: dns;b\n\n"
	"Final-recipient: RFC822;bob@b.example\nAction: failed\nStatus: 5.7.1\n"
	"\n--B\nContent-Type: message/rfc822\n\n" RECEIVED FIELDS
	"\nHello\n--B--\n",
	"report whole recv=192.0.2.1/mx.b.example ids=1@a.example "
	"rcpt=bob@b.example status=5.7.1"},
    {"quoted and indented",
	"Subject: Delivery failure\n\nYour message was not delivered:\n"
	"> Return-Path: <alice@a.example>\n> Received: from a (unknown\n"
	">  [192.0.2.1]) by b (Postfix) id 1\n> Message-ID: <1@a.example>\n"
	"> From: alice@a.example\n>\n> Hello\n",
	"text from=<alice@a.example> recv=192.0.2.1/b ids=1@a.example"},
    {"quoted-printable text",
	"Content-Transfer-Encoding: quoted-printable\n\nSorry.\n\nReceived: =\n"
	"from a (unknown [192.0.2.1]) by b id 1\nMessage-ID: <1=40a.example>\n"
	"From: x\n\nHello\n",
	"text recv=192.0.2.1/b ids=1@a.example"},
    {"Sieve reject",
	"Auto-Submitted: auto-replied (rejected)\nIn-Reply-To: "
	"<1@a.example>\nContent-Type: multipart/report;\n"
	"\treport-type=disposition-notification; boundary=\"B\"\n\n--B\n"
	"Content-Type: text/plain\n\nYour message was rejected.\n\n--B\n"
	"Content-Type: message/disposition-notification\n\n"
	"Reporting-UA: b; Dovecot Mail Delivery Agent\n"
	"Final-Recipient: rfc822; bob@b.example\n"
	"Original-Message-ID: <1@a.example>\nDisposition: automatic-action/"
	"MDN-sent-automatically; deleted\n\n--B\nContent-Type: message/rfc822\n"
	"\n" ORIGINAL "\nHello\n\n--B--\n",
	"report whole" TOLD " rcpt=bob@b.example"},
    {"a read receipt",
	"Content-Type: multipart/report; boundary=B;\n"
	" report-type=disposition-notification\nReferences: <0@a.example>\n "
	"<1@a.example>\n\n--B\n\nRead.\n\n--B\nContent-Type: "
	"message/disposition-notification\n\nOriginal-Recipient: "
	"rfc822;bob@b.example\nFinal-Recipient: rfc822;bob@b.example\n"
	"Original-Message-ID: <1@a.example>\nDisposition: manual-action/"
	"MDN-sent-manually; displayed\n\n--B--\n",
	"none ids=1@a.example,0@a.example rcpt=bob@b.example"},
    {"vacation",
	"Auto-Submitted: auto-replied (vacation)\nIn-Reply-To: <1@a.example>\n"
	"References: <8@x.example> <9@x.example> <1@a.example>\n\n"
	"I am away until <1@b.example>:\nOn Monday <bob@b.example> wrote:\n"
	"<bob@b.example>:\n",
	"none ids=1@a.example,9@x.example,8@x.example"},
    {"odd ids",
	"In-Reply-To: Message of 28 Nov from <1@a.example>\n"
	"References: <two words@x> <> <<3@x> 4@x <5@x\n\nx\n",
	"none ids=1@a.example,3@x"},
    {"an id without brackets",
	"In-Reply-To: 1@a.example\nReferences: a b\n\nx\n",
	"none ids=1@a.example"},
    {"RFC 6533",
	"Content-Type: multipart/report; boundary=B; "
	"report-type=global-delivery-status\n\n--B\n\nSorry\n--B\n"
	"Content-Type: message/global-delivery-status\n\nReporting-MTA: dns;b\n"
	"\nOriginal-Recipient: utf-8; \\x{4E2D}\\x{6587}@b.example\n"
	"Final-Recipient: utf-8; \xe4\xb8\xad@b.example\nAction: failed\n"
	"Status: 5.1.6\n\n--B\nContent-Type: "
	"message/global-headers\n\n" ORIGINAL "\n--B--\n",
	"report" TOLD " rcpt=\xe4\xb8\xad\xe6\x96\x87@b.example,"
	"\xe4\xb8\xad@b.example status=5.1.6"},
    {"RFC 6533, all of it in base64",
	"Content-Type: multipart/report; boundary=B\n\n--B\n\nSorry\n--B\n"
	"Content-Type: message/global-delivery-status\n"
	"Content-Transfer-Encoding: base64\n\n"
	"RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGJvYkBiLmV4YW1wbGUKU3RhdHVzOiA1LjEuMQ"
	"o="
	"\n--B\nContent-Type: message/global\n"
	"Content-Transfer-Encoding: base64\n\n"
	"TWVzc2FnZS1JRDogPDFAYS5leGFtcGxlPg0KRnJvbTogYUBhLmV4YW1wbGUNCg0KSGVsbG"
	"8N"
	"Cg==\n--B--\n",
	"report whole ids=1@a.example rcpt=bob@b.example status=5.1.1"},
    {"recipients of each kind",
	REPORT "--B\nContent-Type: message/delivery-status\n\n\n\n"
	       "Reporting-MTA: dns; b\n\n\n"
	       "Final-Recipient: x-local; bob\nStatus: 4.2\n\n\n\n"
	       "Final-Recipient: <carl@b.example>\nStatus: 4.2.2\n\n"
	       "Final-Recipient: rfc822;\n <dan@b.example>\nStatus: 5.0.0\n\n"
	       "Final-Recipient: rfc822; two words@b.example\n--B--\n",
	"none rcpt=bob,carl@b.example,dan@b.example status=4.2.2"},
    {"a bounce of a bounce",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n"
		      "Return-Path: <>\n" RECEIVED FIELDS "\nx\n--B--\n",
	"report whole from=<> recv=192.0.2.1/mx.b.example "
	"ids=1@a.example" OF_STATUS " notice"},
    {"of an automatic answer",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "Auto-Submitted: auto-replied; x=y\n\nx\n--B--\n",
	"report whole" TOLD OF_STATUS " notice"},
    {"of a message that says no",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "Auto-Submitted: no (really)\nPrecedence: bulk\n\nx\n"
		      "--B--\n",
	"report whole" TOLD OF_STATUS},
    {"of a list's bounce",
	REPORT STATUS "--B\nContent-Type: text/rfc822-headers\n\n" RECEIVED
		      "From: Mail <MAILER-DAEMON@a.example>\n--B--\n",
	"report recv=192.0.2.1/mx.b.example" OF_STATUS " notice"},
    {"not yet a report",
	"Content-Type: multipart/mixed; boundary=B\n\n--B\n\nLook at this\n"
	"--B\nContent-Type: message/rfc822\n\n" ORIGINAL "\nHello\n--B--\n",
	"part whole" TOLD},
};

static void
a_notice_tells_what_it_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(notices); i++) {
		struct arena *a = arena_new();
		struct returned *r = returned_of(a, str_from(notices[i].text));
		if (!str_eq(shown(a, r), str_from(notices[i].want)))
			print_error("%s\n", notices[i].label);
		assert_str(shown(a, r), notices[i].want);
		arena_free(a);
	}
}

#define HOSTILE_PART "Content-Type: message/rfc822\n\n" STRANGE "\nx\n"

static const struct {
	const char *label, *text, *want;
} hostile[] = {
    {"a second original is not looked at",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "\nx\n--B\n" HOSTILE_PART "--B--\n",
	"report whole" TOLD OF_STATUS},
    {"a second Return-Path is the stranger's",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "Return-Path: <mallory@c.example>\n\nx\n--B--\n",
	"report whole" TOLD OF_STATUS},
    {"a Return-Path below the trace has come with the message",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" RECEIVED
		      "Return-Path: <mallory@c.example>\n" FIELDS
		      "\nx\n--B--\n",
	"report whole recv=192.0.2.1/mx.b.example ids=1@a.example" OF_STATUS},
    {"a boundary in the original ends it",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "\nx\n--B--\n--B\n" HOSTILE_PART "--B--\n",
	"report whole" TOLD OF_STATUS},
    {"an original before the report is any part",
	"Content-Type: multipart/report; boundary=B\n\n--B\n" HOSTILE_PART
	    STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
	"\nx\n--B--\n",
	"part whole from=<mallory@c.example> recv=192.0.2.66/mx.b.example "
	"ids=evil@c.example"},
    {"a report without a report part is none",
	"Content-Type: multipart/report; boundary=B\n\n--B\n\nx\n--B\n"
	"Content-Type: message/rfc822\n\n" ORIGINAL "\nx\n--B--\n",
	"part whole" TOLD},
    {"a report in a mixed is not the notice, nor is its queue id",
	"Content-Type: multipart/mixed; boundary=A\n\n--A\n\nTicket opened\n"
	"--A\nContent-Type: multipart/report; boundary=B\n\n--B\n\nx\n" STATUS
	"--B\nContent-Type: message/rfc822\n\n" ORIGINAL "\nx\n--B--\n--A--\n",
	"part whole" TOLD " rcpt=bob@b.example status=5.1.1"},
    {"a report that a forwarder holds is its original's body",
	"Content-Type: multipart/mixed; boundary=A\n\n--A\n"
	"Content-Type: message/rfc822\n\n" REPORT STATUS "--B\n" HOSTILE_PART
	"--B--\n\n--A--\n",
	"part whole notice"},
    {"a report in a report is the original's body",
	REPORT STATUS
	"--B\nContent-Type: message/rfc822\n\n" ORIGINAL
	"Content-Type: multipart/report; boundary=C\n\n--C\n\nx\n--C\n"
	"Content-Type: message/delivery-status\n\nX-Postfix-Queue-ID: EVIL\n\n"
	"Final-Recipient: rfc822; evil@c.example\n\n--C\n" HOSTILE_PART
	"--C--\n\n--B--\n",
	"report whole" TOLD OF_STATUS " notice"},
    {"a ticket's answer that quotes all of it is text",
	"Auto-Submitted: auto-replied\nIn-Reply-To: <1@a.example>\n\n"
	"We have got your mail:\n\n" REPORT STATUS "--B\n" HOSTILE_PART
	"--B--\n",
	"text from=<mallory@c.example> recv=192.0.2.66/mx.b.example "
	"ids=1@a.example,evil@c.example rcpt=bob@b.example status=5.1.1"},
    {"cut off before its end it is not whole",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "\nHello",
	"report" TOLD OF_STATUS},
    {"without a body it is not whole",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "\n\n--B--\n",
	"report" TOLD OF_STATUS},
    {"no newline at the end",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
		      "\nx\n--B--",
	"report whole" TOLD OF_STATUS},
    {"a separator of a mailbox is no field",
	REPORT STATUS "--B\nContent-Type: message/rfc822\n\n"
		      "From alice Sat Nov 28\n" ORIGINAL "\nx\n--B--\n",
	"report whole" TOLD OF_STATUS},
    {"no boundary", "Content-Type: multipart/report\n\nx\n" ORIGINAL "\nx\n",
	"text" TOLD},
    {"another boundary",
	"Content-Type: multipart/report; boundary=x\n\n--B\n" ORIGINAL "\nx\n",
	"text" TOLD},
    {"nothing", "", "none"},
    {"only a header", "Content-Type: message/rfc822\n", "part"},
    {"a queue id of other letters",
	REPORT "--B\nContent-Type: message/delivery-status\n\n"
	       "X-Postfix-Queue-ID: ../../etc\nX-Postfix-Queue-ID: AB12\n\n"
	       "--B--\n",
	"none queue=AB12"},
    {"a reply with Outlook's header is no original",
	"Subject: Re: x\n\nThanks!\n\n-----Original Message-----\n"
	"From: a\nSent: Monday\nTo: b\nSubject: x\n\nHello\n",
	"none"},
};

static void
strangers_parts_are_not_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct arena *a = arena_new();
		struct returned *r = returned_of(a, str_from(hostile[i].text));
		if (!str_eq(shown(a, r), str_from(hostile[i].want)))
			print_error("%s\n", hostile[i].label);
		assert_str(shown(a, r), hostile[i].want);
		arena_free(a);
	}
}

/* What a signature covers: lines over 2048 bytes, runs of empty ones, blanks at
 * line ends, any byte. */
static struct str
odd_body(struct arena *a)
{
	struct buf *b = buf_new(a, 1 << 16);
	for (size_t i = 0; i < 5000; i++)
		buf_putc(b, (char)('a' + i % 26));
	buf_put(b, STR(" \t\n"));
	for (size_t i = 0; i < 60; i++)
		buf_putc(b, '\n');
	for (int c = 0; c < 256; c++)
		buf_putc(b, (char)c);
	buf_put(b, STR("\n-- \n--B \n.\n\n--Bx\nFrom x\n"));
	/* A boundary of its own would end it. */
	b->p[str_find(buf_str(b), STR("\n--B \n")) + 3] = 'C';
	return buf_str(b);
}

static struct str
fields_of(struct arena *a, const struct dkim_mail *mail)
{
	struct buf *b = buf_new(a, 1 << 16);
	for (size_t i = 0; i < mail->n; i++) {
		buf_put(b, mail->v[i].text);
		buf_putc(b, '\n');
	}
	return buf_str(b);
}

static struct str
with_crlf(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, 1 << 20);
	while (text.len > 0) {
		buf_put(b, str_line(&text));
		buf_put(b, STR("\r\n"));
	}
	return buf_str(b);
}

static void
the_original_is_returned_byte_for_byte(void **state)
{
	(void)state;
	static const char *const heads[] = {REPORT STATUS
	    "--B\nContent-Type: message/rfc822\n\n",
	    "Content-Type: multipart/mixed; boundary=B\n\n--B\n"
	    "Content-Type: message/rfc822\n\n"};
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 1 << 20);
		struct str body = odd_body(a);
		buf_put(b, str_from(heads[i]));
		buf_put(b, STR(ORIGINAL "\n"));
		buf_put(b, body);
		buf_put(b, STR("\n--B--\n"));
		struct returned *r = returned_of(a, buf_str(b));
		assert_true(r->is_whole);
		assert_str(fields_of(a, &r->mail), ORIGINAL);
		assert_true(str_eq(r->mail.body, body));
		r = returned_of(a, with_crlf(a, buf_str(b)));
		assert_true(r->is_whole);
		assert_str(fields_of(a, &r->mail), ORIGINAL);
		assert_true(str_eq(r->mail.body, body));
		arena_free(a);
	}
}

static void
trace_fields_are_counted_and_placed(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 1 << 20);
	buf_put(b, STR(REPORT STATUS "--B\nContent-Type: message/rfc822\n\n"));
	buf_put(b, STR("Return-Path: <alice@a.example>\nX-A: b\n"));
	for (size_t i = 0; i < 1000; i++)
		buf_put(b, STR(RECEIVED));
	buf_put(b, STR("\nx\n--B--\n"));
	struct returned *r = returned_of(a, buf_str(b));
	assert_int_equal(r->nreceived, RETURNED_RECEIVED_MAX);
	for (size_t i = 0; i < r->nreceived; i++) {
		assert_int_equal(r->received_at[i], i + 2);
		assert_str(r->mail.v[i + 2].name, "Received");
	}
	/* There were more fields than are kept. */
	assert_true(r->mail.is_cut);
	assert_false(r->is_whole);
	arena_free(a);
}

static void
lists_end_at_their_bounds(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 1 << 20);
	buf_put(b, STR("References:"));
	for (size_t i = 0; i < 100; i++)
		buf_printf(b, "\n <%zu@x.example>", i);
	buf_printf(b, "\nIn-Reply-To: <%0300d@x>", 7);
	buf_put(b, STR("\n" REPORT "--B\nContent-Type: "
		       "message/delivery-status\n\n"));
	for (size_t i = 0; i < 3000; i++)
		buf_printf(
		    b, "Final-Recipient: rfc822; %zu@x\nStatus: 5.1.1\n\n", i);
	buf_put(b, STR("--B--\n"));
	struct returned *r = returned_of(a, buf_str(b));
	assert_int_equal(r->nids, RETURNED_IDS_MAX);
	assert_int_equal(r->ids[0].len, 250);
	assert_str(r->ids[1], "99@x.example");
	assert_int_equal(r->nrcpt, RETURNED_RCPT_MAX);
	assert_str(r->rcpt[19], "19@x");
	arena_free(a);
}

static struct str
repeated(struct arena *a, const char *head, const char *piece, const char *tail,
    size_t bytes)
{
	struct buf *b = buf_new(a, bytes + (1 << 16));
	buf_put(b, str_from(head));
	while (b->len < bytes)
		buf_put(b, str_from(piece));
	buf_put(b, str_from(tail));
	return buf_str(b);
}

static void
huge_notices_take_linear_time(void **state)
{
	(void)state;
	static const struct {
		const char *head, *piece, *tail;
	} rows[] = {
	    {REPORT STATUS, "--B\nContent-Type: text/plain\n\nx\n", "--B--\n"},
	    {REPORT, "--B\nContent-Type: message/delivery-status\n\nx: y\n",
		"--B--\n"},
	    {REPORT,
		"--B\nContent-Type: multipart/mixed; boundary=C\n\n"
		"--C\n\nx\n",
		"--B--\n"},
	    {REPORT STATUS "--B\nContent-Type: message/rfc822\n\n" ORIGINAL
			   "\n",
		"\n", "--B--\n"},
	    {REPORT STATUS "--B\nContent-Type: message/rfc822\n\n",
		"Received: (((((((((\n", "--B--\n"},
	    {REPORT "--B\nContent-Type: message/delivery-status\n\n", "\n", ""},
	    {REPORT "--B\nContent-Type: message/delivery-status\n\n",
		"Final-Recipient: a@b\n\n", ""},
	    {"\n", "> a:b\n>> a: b\n", ""},
	    {"\n", "a: b\n", ""},
	    {"\n", "<a@b>:\n", ""},
	    {"\n", ">>>>>>>>", ""},
	    {"References:", " <", "\n\nx"},
	    {"References:", ">", "\n\nx"},
	    {"References:", " <>", "\n\nx"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena *a = arena_new();
		struct str raw = repeated(
		    a, rows[i].head, rows[i].piece, rows[i].tail, 16 << 20);
		struct message *m = message_of(a, raw);
		struct returned *r = ARENA_NEW(a, struct returned);
		int64_t start = cpu_ms();
		returned_read(m, r);
		int64_t took = cpu_ms() - start;
		if (took >= 2000)
			print_error("row %zu: %d ms\n", i, (int)took);
		assert_true(took < 2000);
		arena_free(a);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_notice_tells_what_it_answers),
    cmocka_unit_test(strangers_parts_are_not_taken),
    cmocka_unit_test(the_original_is_returned_byte_for_byte),
    cmocka_unit_test(trace_fields_are_counted_and_placed),
    cmocka_unit_test(lists_end_at_their_bounds),
    cmocka_unit_test(huge_notices_take_linear_time),
};

UNIT_MAIN(tests)
