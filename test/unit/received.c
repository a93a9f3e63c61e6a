/* SPDX-License-Identifier: BSD-2-Clause */
/* received -- what servers write into Received fields, and what strangers do.
 */
#include "unit.h"

#include "mail/received.h"

static void
show(struct buf *b, const char *key, struct str value)
{
	if (value.len == 0)
		return;
	buf_printf(b, "%s%s=", b->len > 0 ? " " : "", key);
	buf_put(b, value);
}

/* What is known, in the order of the struct; "local": no from clause. */
static struct str
shown(struct arena *a, const struct received *r)
{
	struct buf *b = buf_new(a, 1 << 16);
	show(b, "helo", r->helo);
	show(b, "name", r->name);
	show(b, "addr", r->address);
	show(b, "by", r->by);
	show(b, "with", r->with);
	show(b, "id", r->id);
	show(b, "rcpt", r->rcpt);
	show(b, "login", r->login);
	show(b, "user", r->user);
	if (!r->has_from)
		buf_put(b, STR(" local"));
	return buf_str(b);
}

struct row {
	const char *label, *value, *want;
};

static const struct row forms[] = {
    {"Postfix",
	"from mail.a.example (mail.a.example [192.0.2.1])\n"
	"\tby mx.b.example (Postfix) with ESMTP id 4Xk2vB1Zz\n"
	"\tfor <bob@b.example>; Sat, 28 Nov 2026 10:00:00 +0000 (UTC)",
	"helo=mail.a.example name=mail.a.example addr=192.0.2.1 "
	"by=mx.b.example with=ESMTP id=4Xk2vB1Zz rcpt=bob@b.example"},
    {"Postfix without a name",
	" from [10.0.0.5] (unknown [192.0.2.1])\r\n"
	"\tby MX.b.example. (Postfix) with ESMTPS id 12AB; x\r\n",
	"helo=[10.0.0.5] addr=192.0.2.1 by=mx.b.example with=ESMTPS id=12AB"},
    {"Postfix, IPv6",
	"from a (unknown [IPv6:2001:DB8:0::1]) by b (Postfix) with SMTP id 1",
	"helo=a addr=2001:db8::1 by=b with=SMTP id=1"},
    {"Postfix, a certificate that could hide the server",
	"from [IPv6:2001:db8::7] (p7.isp.example [198.51.100.7])\n"
	"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
	"\t(Client CN \"x\", Issuer \"x by (y)\" (not verified))\n"
	"\t(Authenticated sender: bob@b.example)\n"
	"\tby mx.b.example (Postfix) with ESMTPSA id 12AB",
	""},
    {"Postfix, TLS and a login",
	"from [IPv6:2001:db8::7] (p7.isp.example [198.51.100.7])\n"
	"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
	"\t key-exchange X25519 server-signature RSA-PSS (2048 bits))\n"
	"\t(No client certificate requested)\n"
	"\t(Authenticated sender: bob@b.example)\n"
	"\tby mx.b.example (Postfix) with ESMTPSA id 12AB",
	"helo=[IPv6:2001:db8::7] name=p7.isp.example addr=198.51.100.7 "
	"by=mx.b.example with=ESMTPSA id=12AB login=bob@b.example"},
    {"Postfix pickup",
	"by www.b.example (Postfix, from userid 33)\n\tid 12AB; Sat, 28 Nov",
	"by=www.b.example id=12AB user=33 local"},
    {"Postfix pickup with another mail_name",
	"by b.example (Mail of B at b.example, from userid 1000) id 12AB",
	"by=b.example id=12AB user=1000 local"},
    {"Postfix, forwarded",
	"by mx.b.example (Postfix)\n\tid 7B4031145E7; Mon, 4 Feb",
	"by=mx.b.example id=7B4031145E7 local"},
    {"Postfix LMTP from a socket",
	"from b (localhost [unix:/run/x]) by b (Postfix) with LMTP id 1",
	"helo=b by=b with=LMTP id=1"},
    {"Sendmail",
	"from mail.a.example (mail.a.example [192.0.2.1])\n"
	"\tby mx.b.example (8.17.1/8.17.1) with ESMTPS id 3ASB1\n"
	"\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)\n"
	"\tfor <bob@b.example>; Sat, 28 Nov 2026 10:00:00 GMT",
	"helo=mail.a.example name=mail.a.example addr=192.0.2.1 "
	"by=mx.b.example with=ESMTPS id=3ASB1 rcpt=bob@b.example"},
    {"Sendmail, a name that leads elsewhere",
	"from a (p7.isp.example [192.0.2.1] (may be forged))\n"
	"\tby b (8.17.1/8.17.1) with ESMTP id 3ASB1",
	"helo=a addr=192.0.2.1 by=b with=ESMTP id=3ASB1"},
    {"Sendmail, no name",
	"from a ([192.0.2.1]) by b (8.17.1/8.17.1) with ESMTP id 3ASB1",
	"helo=a addr=192.0.2.1 by=b with=ESMTP id=3ASB1"},
    {"Sendmail with ident",
	"from a (root@h.a.example [192.0.2.1]) by b (8.9.3/8.9.3) id NA1",
	"helo=a name=h.a.example addr=192.0.2.1 by=b id=NA1"},
    {"Sendmail with ident, no name",
	"from a (IDENT:root@[192.0.2.1]) by b (8.9.3/8.9.3) id NA1",
	"helo=a addr=192.0.2.1 by=b id=NA1"},
    {"Sendmail, IPv6, login",
	"from a (localhost [IPv6:0:0:0:0:0:0:0:1])\n\t(authenticated bits=0)\n"
	"\tby b (8.15.2/8.15.2) with ESMTPSA id 1",
	"helo=a name=localhost addr=::1 by=b with=ESMTPSA id=1"},
    {"Sendmail of a program",
	"(from www-data@localhost)\n\tby www.b.example (8.17.1/8.17.1/Submit)"
	" id 3ASB1\n\tfor bob@b.example; Sat, 28 Nov",
	"by=www.b.example id=3ASB1 rcpt=bob@b.example user=www-data local"},
    {"Sendmail, no greeting",
	"(from p7.isp.example [192.0.2.1])\n\tby b (8.17.1/8.17.1) id 1",
	"name=p7.isp.example addr=192.0.2.1 by=b id=1"},
    {"Sendmail's own",
	"from localhost (localhost)\n\tby b (8.17.1/8.17.1) id 1",
	"helo=localhost by=b id=1"},
    {"Exim",
	"from h.a.example ([192.0.2.1] helo=foo)\n\tby mx.b.example with "
	"esmtps "
	" (TLS1.3) tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n"
	"\t(envelope-from <x@a.example>)\n\tid 1r7xYz-0001aB-2C\n"
	"\tfor bob@b.example;\n\tSat, 28 Nov 2026 10:00:00 +0000",
	"helo=foo name=h.a.example addr=192.0.2.1 by=mx.b.example with=ESMTPS "
	"id=1r7xYz-0001aB-2C rcpt=bob@b.example"},
    {"Exim, greeting and name are the same",
	"from h.a.example ([2001:db8::1]:4711) by b with esmtp (Exim 4.96) id "
	"1",
	"helo=h.a.example name=h.a.example addr=2001:db8::1 by=b with=ESMTP "
	"id=1"},
    {"Exim without a name",
	"from [192.0.2.1] (port=4711 helo=foo) by b with esmtp (Exim 4.96) id "
	"1",
	"helo=foo addr=192.0.2.1 by=b with=ESMTP id=1"},
    {"Exim, greeted with the address",
	"from [192.0.2.1] by b with esmtp (Exim 4.96) id 1",
	"helo=[192.0.2.1] addr=192.0.2.1 by=b with=ESMTP id=1"},
    {"Exim, another address in the greeting",
	"from [192.0.2.1]:77 (helo=[10.0.0.1] ident=joe) by b with esmtp "
	"(Exim 4.96 (Red Hat)) id 1",
	"helo=[10.0.0.1] addr=192.0.2.1 by=b with=ESMTP id=1"},
    {"Exim of a program",
	"from www-data by b with local (Exim 4.96)\n"
	"\t(envelope-from <www-data@b.example>) id 1",
	"by=b with=LOCAL id=1 user=www-data local"},
    {"Exim of itself", "by b with local (Exim 4.96)\n\tid 1r7xYz-0001aB-2C",
	"by=b with=LOCAL id=1r7xYz-0001aB-2C local"},
    {"qmail",
	"from unknown (HELO foo) (192.0.2.1)\n  by b with SMTP; 28 Nov 2026",
	"helo=foo addr=192.0.2.1 by=b with=SMTP"},
    {"qmail with name and ident",
	"from h.a.example (HELO foo) (joe@192.0.2.1)\n  by b with SMTP; 28 Nov",
	"helo=foo name=h.a.example addr=192.0.2.1 by=b with=SMTP"},
    {"qmail, greeting and name are the same",
	"from h.a.example (192.0.2.1) by b with ESMTP; 28 Nov 2026",
	"helo=h.a.example addr=192.0.2.1 by=b with=ESMTP"},
    {"IronPort",
	"from h.a.example (HELO [10.1.1.1]) ([192.0.2.1]) by b with ESMTP; x",
	"helo=[10.1.1.1] name=h.a.example addr=192.0.2.1 by=b with=ESMTP"},
    {"Zimbra",
	"from h (LHLO h.a.example) (192.0.2.1) by b with LMTP; Thu, 1 Dec",
	"helo=h.a.example name=h addr=192.0.2.1 by=b with=LMTP"},
    {"Exchange",
	"from A.prod.example (2603:10b6:610:32::17) by B.prod.example\n"
	" (2603:10b6:930:61::10) with Microsoft SMTP Server (version=TLS1_2,\n"
	" cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9253.13; x",
	"helo=A.prod.example addr=2603:10b6:610:32::17 by=b.prod.example "
	"with=MICROSOFT id=15.20.9253.13"},
    {"Exchange inside",
	"from A.prod.example ([fe80::1]) by A.prod.example ([10.43.110.19]) "
	"with mapi id 15.20.5273.017; x",
	"helo=A.prod.example addr=fe80::1 by=a.prod.example with=MAPI "
	"id=15.20.5273.017"},
    {"Google",
	"from mail-x.a.example (mail-x.a.example. [192.0.2.1])\n"
	"        by mx.google.example with ESMTPS id abc.1.2026\n"
	"        for <bob@b.example>\n        (version=TLS1_3); x",
	"helo=mail-x.a.example name=mail-x.a.example addr=192.0.2.1 "
	"by=mx.google.example with=ESMTPS id=abc.1.2026 rcpt=bob@b.example"},
    {"Google, by an address", "by 2002:a05:6638:1248:0:0:0:0 with HTTP; Mon",
	"by=2002:a05:6638:1248:0:0:0:0 with=HTTP local"},
    {"Dovecot",
	"from b.example ([192.0.2.1])\n\tby mail.b.example with LMTP\n"
	"\tid 8GkrL0RMX2UAAA\n\t(envelope-from <x@a.example>)\n"
	"\tfor <bob@b.example>; x",
	"helo=b.example addr=192.0.2.1 by=mail.b.example with=LMTP "
	"id=8GkrL0RMX2UAAA rcpt=bob@b.example"},
    {"Courier",
	"from a.example (h.a.example [::ffff:192.0.2.1])\n"
	"  by b.example with esmtp; Sat, 28 Nov",
	"helo=a.example name=h.a.example addr=192.0.2.1 by=b.example "
	"with=ESMTP"},
    {"CommuniGate",
	"from [192.0.2.1] (account bob@b.example HELO [10.0.0.2])\n"
	"  by b.example (CommuniGate Pro SMTP 6.2.5) with ESMTPSA id 77; x",
	"helo=[10.0.0.2] addr=192.0.2.1 by=b.example with=ESMTPSA id=77 "
	"login=bob@b.example"},
    {"CommuniGate, verified",
	"from h.a.example ([192.0.2.1] verified) by b.example "
	"(CommuniGate Pro SMTP 5.0.14) with ESMTP id 77",
	"helo=h.a.example name=h.a.example addr=192.0.2.1 by=b.example "
	"with=ESMTP id=77"},
    {"OpenSMTPD",
	"from a (h.a.example [192.0.2.1])\n\tby b (OpenSMTPD) with ESMTPSA id "
	"a1 (TLSv1.3:AEAD:256:NO) auth=yes user=bob\n\tfor <x@c.example>; x",
	"helo=a name=h.a.example addr=192.0.2.1 by=b with=ESMTPSA id=a1 "
	"rcpt=x@c.example login=bob"},
    {"OpenSMTPD of a program",
	"from localhost (b [local])\n\tby b (OpenSMTPD) with ESMTPA id a1",
	"helo=localhost by=b with=ESMTPA id=a1"},
    {"Haraka",
	"from a (h.a.example [192.0.2.1])\n\tby b (Haraka/2.8.25) with ESMTPS "
	"id 25-AB.1\n\tenvelope-from <x@a.example>\n\t(cipher=TLS_AES); x",
	"helo=a name=h.a.example addr=192.0.2.1 by=b with=ESMTPS id=25-AB.1"},
    {"amavis",
	"from b ([127.0.0.1])\n by localhost (b [127.0.0.1]) (amavisd-new, "
	"port 10024)\n with ESMTP id 30786-02 for <bob@b.example>; x",
	"helo=b addr=127.0.0.1 by=localhost with=ESMTP id=30786-02 "
	"rcpt=bob@b.example"},
    {"ecelerity",
	"from [71.70.1.3] ([71.70.1.3:42266] helo=a) by b (envelope-from "
	"<x@a.example>) (ecelerity 2.2.2.39 r()) with ESMTP id 2D/E0",
	"helo=[71.70.1.3] addr=71.70.1.3 by=b with=ESMTP id=2D/E0"},
    {"a quoted recipient",
	"from a (u [192.0.2.1]) by b (Postfix) with SMTP id 1 "
	"for <\"x> for y (\"@b.example>; x",
	"helo=a name=u addr=192.0.2.1 by=b with=SMTP id=1 "
	"rcpt=\"x> for y (\"@b.example"},
    {"a quoted sender",
	"from h ([192.0.2.1] helo=a) by b with esmtp (Exim 4.96) "
	"(envelope-from <\">) id 666 (\"@a.example>) id 1",
	"helo=a name=h addr=192.0.2.1 by=b with=ESMTP id=1"},
    {"an address that is only told by the client is none",
	"from [192.0.2.1] by b with SMTP id 1",
	"helo=[192.0.2.1] by=b with=SMTP id=1"},
    {"fetchmail has not seen a client",
	"from jalapeno [127.0.0.1] by localhost with IMAP (fetchmail-5.9.0)",
	"by=localhost with=IMAP"},
};

/* No server's name: false, but what else is told is there. */
static const struct row without_by[] = {
    {"qmail of a program", "(qmail 123 invoked by uid 33); 28 Nov 2026",
	"user=33 local"},
    {"qmail of an alias", "(qmail 123 invoked by alias); 28 Nov 2026",
	"user=alias local"},
    {"qmail of the network", "(qmail 123 invoked from network); 28 Nov 2026",
	""},
    {"nullmailer", "(nullmailer pid 7 invoked by uid 1000); 28 Nov 2026",
	"user=1000 local"},
    {"no by", "from a (a [192.0.2.1]); Sat, 28 Nov", ""},
    {"empty", "", " local"},
    {"blanks", " \t\r\n ", " local"},
    {"by at the end", "from a (a [192.0.2.1]) by", ""},
    {"two", "from a (a [192.0.2.1]) by x by y", " local"},
    {"open", "from a (a [192.0.2.1] by x", " local"},
    {"closed", "from a a [192.0.2.1]) by x", " local"},
    {"open at the end", "from a (a [192.0.2.1]) by x with y (z", " local"},
    {"angle", "from a (a [192.0.2.1]) by x for <a@b", " local"},
    {"other words", "by the way by x", " local"},
    {"words before", "received from a by x", " local"},
};

static void
a_field_is_read_as_its_server_means_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct arena *a = arena_new();
		struct received got;
		bool ok = received_parse(a, str_from(forms[i].value), &got);
		bool want = forms[i].want[0] != '\0';
		if (ok != want ||
		    (want && !str_eq(shown(a, &got), str_from(forms[i].want))))
			print_error("%s\n", forms[i].label);
		assert_int_equal(ok, want);
		if (want)
			assert_str(shown(a, &got), forms[i].want);
		arena_free(a);
	}
}

static void
a_field_without_a_server_is_nobodys(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(without_by); i++) {
		struct arena *a = arena_new();
		struct received got;
		assert_false(
		    received_parse(a, str_from(without_by[i].value), &got));
		assert_str(shown(a, &got), without_by[i].want);
		assert_int_equal(got.by.len, 0);
		arena_free(a);
	}
}

/* %s is the greeting; the client is 198.51.100.7, its name real.example, the
 * server mx.real.example. */
static const char *const servers[] = {
    "from %s (real.example [198.51.100.7])\n\tby mx.real.example (Postfix) "
    "with ESMTP id 1\n\tfor <bob@b.example>; Sat, 28 Nov 2026 10:00:00 +0000",
    "from %s (unknown [198.51.100.7])\n\tby mx.real.example (Postfix) "
    "with ESMTP id 1; Sat, 28 Nov 2026 10:00:00 +0000 (UTC)",
    "from %s (real.example [198.51.100.7] (may be forged))\n"
    "\tby mx.real.example (8.17.1/8.17.1) with ESMTP id 1; Sat, 28 Nov",
    "from %s ([198.51.100.7])\n\tby mx.real.example (8.17.1/8.17.1) with "
    "ESMTP id 1; Sat, 28 Nov",
    "from [198.51.100.7] (helo=%s)\n\tby mx.real.example with esmtp (Exim "
    "4.96)\n\t(envelope-from <\")\"@evil.example>)\n\tid 1; Sat, 28 Nov",
    "from real.example ([198.51.100.7] helo=%s)\n\tby mx.real.example with "
    "esmtp (Exim 4.96)\n\t(envelope-from <\"))\"@evil.example>)\n\tid 1; Sat",
    "from real.example (HELO %s) (198.51.100.7)\n  by mx.real.example with "
    "SMTP; 28 Nov 2026 10:00:00 -0000",
    "from %s (198.51.100.7) by mx.real.example (10.0.0.1) with Microsoft SMTP "
    "Server id 15.1; Sat, 28 Nov 2026 10:00:00 +0000",
};

static const char *const greetings[] = {
    "x (good.example [192.0.2.1]) by mx.ours.example",
    "x (good.example [192.0.2.1])",
    "x (good.example [192.0.2.1]",
    "x (good.example [192.0.2.1]) (",
    "x (good.example [192.0.2.1]) ((",
    "x (good.example [192.0.2.1]) (y",
    "x (good.example [192.0.2.1]) \\",
    "x\\",
    "\\",
    "x (good.example [192.0.2.1]) by mx.ours.example (",
    "x (good.example [192.0.2.1]) by mx.ours.example (Postfix) with ESMTP id 9 "
    "for <a@b>; Sat, 28 Nov 2026 10:00:00 +0000 (UTC)",
    "x (good.example [192.0.2.1]) by mx.ours.example (Postfix) with ESMTP id 9 "
    "for <",
    "x (good.example [192.0.2.1]) by mx.ours.example (Postfix) with ESMTP id 9 "
    "for <\"",
    "x (good.example [192.0.2.1]) by mx.ours.example (Exim 4.96) (",
    "x (good.example [192.0.2.1]) by mx.ours.example ((envelope-from <",
    "x (good.example [192.0.2.1]) by mx.ours.example (envelope-from <\"",
    "[192.0.2.1]",
    "[192.0.2.1] (helo=x)",
    "[192.0.2.1] (helo=x) by mx.ours.example with esmtp (Exim 4.96) id 9",
    "[192.0.2.1] (helo=x) (",
    "good.example ([192.0.2.1] helo=x)",
    "good.example ([192.0.2.1])",
    "good.example (HELO x)",
    "good.example (HELO x) (192.0.2.1)",
    "good.example (HELO x) (192.0.2.1) by mx.ours.example with SMTP; x (",
    "x) (192.0.2.1)",
    "x) (192.0.2.1",
    "x) (192.0.2.1) by mx.ours.example (",
    "x) by mx.ours.example (",
    "x) (Authenticated sender: root) by mx.ours.example (",
    "x (Authenticated sender: root)",
    "x (192.0.2.1) (Authenticated sender: root)",
    "x (good.example [192.0.2.1])(",
    "x(good.example [192.0.2.1])",
    "x(good.example[192.0.2.1])",
    "(good.example [192.0.2.1])",
    "(192.0.2.1)",
    "((192.0.2.1)",
    "x by mx.ours.example",
    "by",
    "x; by mx.ours.example",
    "x;",
    "<x",
    "\"x",
    "x [192.0.2.1]",
    "x 192.0.2.1",
    "x@192.0.2.1",
    "x@[192.0.2.1]",
    "x [192.0.2.1] (may be forged)",
    "x ident=192.0.2.1",
    "x ident=[192.0.2.1]",
    "x\n\tby mx.ours.example (good.example [192.0.2.1])",
    "x\rby mx.ours.example",
    "account root HELO x",
    "x (account root HELO x)",
    "x (Postfix, from userid 0)",
    "from",
    "(from root@localhost)",
    "(qmail 1 invoked by uid 0)",
    "IPv6:2001:db8::1",
    "[IPv6:2001:db8::1]",
    "x (2001:db8::1)",
    "",
};

/* Empty, or one of the two. */
static bool
is_known(struct str got, const char *one, const char *other)
{
	return got.len == 0 || str_eq(got, str_from(one)) ||
	       str_eq(got, str_from(other));
}

static bool
is_sound(const struct received *r)
{
	return is_known(r->address, "198.51.100.7", "") &&
	       is_known(r->name, "real.example", "") &&
	       is_known(r->by, "mx.real.example", "") && r->login.len == 0 &&
	       r->user.len == 0;
}

/* printf with the greeting in place of %s. */
static struct str
greeted(struct arena *a, const char *server, const char *greeting)
{
	struct buf *b = buf_new(a, 1 << 12);
	struct str head = str_from(server);
	size_t at = str_find(head, STR("%s"));
	buf_put(b, str_sub(head, 0, at));
	buf_put(b, str_from(greeting));
	buf_put(b, str_skip(head, at + 2));
	return buf_str(b);
}

static void
no_greeting_is_taken_for_the_servers_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(servers); i++)
		for (size_t k = 0; k < COUNT_OF(greetings); k++) {
			struct arena *a = arena_new();
			struct str text = greeted(a, servers[i], greetings[k]);
			struct received got;
			bool ok = received_parse(a, text, &got);
			assert_int_equal(ok, got.by.len > 0);
			if (!is_sound(&got)) {
				print_error("%.*s\n", STR_ARG(text));
				print_error("%.*s\n", STR_ARG(shown(a, &got)));
			}
			assert_true(is_sound(&got));
			arena_free(a);
		}
}

/* As Postfix 3.7 and Sendmail 8.17 wrote these greetings when they were tried.
 */
static const char *const written[] = {
    "from x??mail.good.example?[192.0.2.1]??by?mx.ours.example (unknown "
    "[198.51.100.7]) by mx.real.example (Postfix) with ESMTP id 1",
    "from [192.0.2.1] (unknown [198.51.100.7]) by mx.real.example (Postfix) "
    "with ESMTP id 1",
    "from [192.0.2.1]?good.example (unknown [198.51.100.7]) by mx.real.example "
    "(Postfix) with ESMTP id 1",
    "from helo=[192.0.2.1] (unknown [198.51.100.7]) by mx.real.example "
    "(Postfix) with ESMTP id 1",
    "from [IPv6:2001:db8::1] (unknown [198.51.100.7]) by mx.real.example "
    "(Postfix) with ESMTP id 1",
    "from x[192.0.2.1]y (real.example [198.51.100.7]) by mx.real.example "
    "(8.17.1.9/8.17.1.9) with ESMTP id 1",
    "from x_y:z#w (real.example [198.51.100.7]) by mx.real.example "
    "(8.17.1.9/8.17.1.9) with ESMTP id 1",
};

static void
the_address_is_found_behind_odd_greetings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(written); i++) {
		struct arena *a = arena_new();
		struct received got;
		assert_true(received_parse(a, str_from(written[i]), &got));
		assert_str(got.address, "198.51.100.7");
		assert_str(got.by, "mx.real.example");
		arena_free(a);
	}
}

static void
parse(struct arena *a, struct str text)
{
	struct received got;
	bool ok = received_parse(a, text, &got);
	assert_int_equal(ok, got.by.len > 0);
}

static void
long_fields_take_linear_time(void **state)
{
	(void)state;
	static const char *const pieces[] = {"(", ")", "<", "\"", "\\", " x",
	    ";", " by ", "(x) ", "[", "(envelope-from <", "@", "\n\t"};
	int64_t start = cpu_ms();
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 8 << 20);
		buf_put(b, STR("from x ("));
		while (b->len < (4 << 20))
			buf_put(b, str_from(pieces[i]));
		parse(a, buf_str(b));
		buf_put(b, STR(") by x"));
		parse(a, buf_str(b));
		arena_free(a);
	}
	assert_true(cpu_ms() - start < 10000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_field_is_read_as_its_server_means_it),
    cmocka_unit_test(a_field_without_a_server_is_nobodys),
    cmocka_unit_test(no_greeting_is_taken_for_the_servers_words),
    cmocka_unit_test(the_address_is_found_behind_odd_greetings),
    cmocka_unit_test(long_fields_take_linear_time),
};

UNIT_MAIN(tests)
