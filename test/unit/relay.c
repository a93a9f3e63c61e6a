/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay -- hops as SpamAssassin reads them, whom the walk trusts, and the field
 * that our own MTA will add.  What is wanted of each field is what
 * SpamAssassin 4.0.1 makes of it.
 */
#include "unit.h"

#include <time.h>

#include "base/diag.h"
#include "mail/header.h"
#include "mail/relay.h"
#include "mail/relay_ip.h"
#include "mail/relay_line.h"
#include "mail/shape.h"
#include "mail/trace.h"
#include "rules/ruleset.h"

static const struct {
	const char *field;
	const char *hop; /* "ip rdns helo by ident envfrom id auth", | between
			  */
} fields[] = {
    {"from pc (web.example [192.0.2.7])\n\tby mx.example (Postfix) with "
     "ESMTPSA id 4Xk2\n\tfor <b@b.example>; Mon, 30 Nov 2026 02:56:29 +0000",
	"192.0.2.7|web.example|pc|mx.example||-|4Xk2|ESMTPSA"},
    {"from pc (unknown [IPv6:2001:db8::7]) by mx.example (Postfix) with ESMTP "
     "id 1",
	"2001:db8::7||pc|mx.example||-||"},
    {"from a.example (IDENT:joe@b.example [192.0.2.1] (may be forged)) by "
     "mx.example (8.17.1/8.17.1) with ESMTP id kA1; Mon, 30 Nov 2026",
	"192.0.2.1|b.example|a.example|mx.example|joe|-|kA1|"},
    {"from a.example ([192.0.2.1]) (authenticated bits=0) by mx.example "
     "(8.17/8.17) with ESMTP id kA1",
	"192.0.2.1||a.example|mx.example||-|kA1|Sendmail"},
    {"from [192.0.2.3] (helo=pc.example ident=me) by mx.example with esmtp "
     "(Exim 4.96) (envelope-from <a@a.example>) id 1abc",
	"192.0.2.3||pc.example|mx.example|me|a@a.example|1abc|"},
    {"from web.example ([192.0.2.3]:5000 helo=pc) by mx.example with esmtps "
     "(Exim 4.96) id 1abc",
	"192.0.2.3|web.example|pc|mx.example||-|1abc|"},
    {"from unknown (HELO pc) (me@192.0.2.4) by mx.example with SMTP; "
     "3 Mar 2026 20:34:38 -0000",
	"192.0.2.4||pc|mx.example|me|-||"},
    {"from web.example (192.0.2.4) by mx.example with SMTP; 3 Mar 2026 "
     "20:34:38 -0000",
	"192.0.2.4|web.example|web.example|mx.example||-||"},
    {"from HUB.example (2001:db8::1) by HUB2.example (2001:db8::2) with "
     "Microsoft SMTP Server (version=TLS1_2) id 15.1.2.3; Mon, 30 Nov 2026",
	"2001:db8::1|HUB.example|HUB.example|HUB2.example||-|15.1.2.3|"},
    {"from a.example ([::ffff:192.0.2.5]) (AUTH: LOGIN joe) by mx.example "
     "with esmtp",
	"192.0.2.5||a.example|mx.example||-||LOGIN"},
    {"from x ([192.0.2.6]) by mx.example with Microsoft SMTPSVC(6.0); Mon",
	"192.0.2.6||x|mx.example||-||"},
    {"from [192.0.2.8] by web.example via HTTP; Mon, 30 Nov 2026 02:56:29 PST",
	"192.0.2.8|||web.example||-||"},
    {"from [192.0.2.8] by web.example via HTTP;1 Nov 2026 2:56 x",
	"192.0.2.8|||web.example||-||"},
    {"from [192.0.2.8] by web.example via HTTP ; ;Mon, 30 Nov 2026 02:56:29 "
     "+0000",
	"192.0.2.8|||web.example||-||"},
    {"from [192.0.2.8] by web.example via HTTP; Wet, 30 Nov 2026 02:56:29 "
     "+0000",
	"192.0.2.8|||web.example||-||"},
    {"from [1.2.3.4] by a<b>#|c (x) with y", "1.2.3.4|||a!b!!!c||-||"},
    {"FROM pc.example (web.example [192.0.2.9]) BY mx.example ID 434B.5.1 ; 11 "
     "Oct 2026 01:41:34 -0400",
	"192.0.2.9|web.example|pc.example|mx.example||-|434B.5.1|"},
    {"by mx.example (Postfix, from userid 0) id 1", "skipped"},
    {"from joe by mx.example with local (Exim 4.96) id 1", "skipped"},
    {"from a.example by b.example; Mon, 30 Nov 2026 02:56:29 +0000", "skipped"},
    {"from mx.example by localhost with IMAP (fetchmail-6.4)", "fetched"},
    {"from somewhere else", "unparseable"},
    {"from [1.2.3.256] by nobody", "unparseable"},
    {"", "skipped"},
};

static struct str
hop_text(struct arena *a, const char *field)
{
	struct relay r;
	struct str unused;
	switch (relay_line_parse(a, str_from(field), &r, &unused)) {
	case RELAY_LINE_SKIPPED:
		return STR("skipped");
	case RELAY_LINE_FETCHED:
		return STR("fetched");
	case RELAY_LINE_UNPARSEABLE:
		return STR("unparseable");
	case RELAY_LINE_OK:
		break;
	}
	return str_printf(a, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s",
	    STR_ARG(r.ip), STR_ARG(r.rdns), STR_ARG(r.helo), STR_ARG(r.by),
	    STR_ARG(r.ident), STR_ARG(r.has_envfrom ? r.envfrom : STR("-")),
	    STR_ARG(r.id), STR_ARG(r.auth));
}

static void
fields_are_read_as_spamassassin_reads_them(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		assert_str(hop_text(a, fields[i].field), fields[i].hop);
	arena_free(a);
}

static void
addresses_are_private_as_spamassassin_has_it(void **state)
{
	(void)state;
	static const char *const privates[] = {"10.1.2.3", "127.0.0.1",
	    "172.16.0.1", "172.31.9.9", "192.168.1.1", "169.254.1.1",
	    "100.64.0.1", "100.127.0.1", "::1", "0:0:0:0:0:0:0:1", "0::0:1",
	    "fe80::1", "FEBF:1::2", "::1.2.3.4"};
	static const char *const publics[] = {"192.0.2.1", "172.32.0.1",
	    "100.128.0.1", "11.0.0.1", "1.10.0.0", "::2", "fec0::1", "fd00::1",
	    "1::1", "", "10", "::ffff:9.9.9.9"};
	for (size_t i = 0; i < COUNT_OF(privates); i++)
		if (!relay_ip_is_private(str_from(privates[i])))
			fail_msg("%s is private", privates[i]);
	for (size_t i = 0; i < COUNT_OF(publics); i++)
		if (relay_ip_is_private(str_from(publics[i])))
			fail_msg("%s is not private", publics[i]);
}

static const struct {
	const char *text, *shape, *kept; /* under h; NULL: no match */
} shapes[] = {
    {"from a (b)", "from %h (", "a"},
    {"from a b (c)", "from %h (", NULL},
    {"a[b[c] d", "%h[%s] ", "a[b"},
    {"a b b", "%.%h%$", "b"},
    {"x HELO y", "{HELO|x {EHLO|HELO}} %h", "y"},
    {"ab", "%0h%ha", NULL},
    {"ab", "%0hb", "a"},
    {"b", "%0hb", ""},
    {"100%", "%h%%", "100"},
    {"a/b/c", "%h/", "a/b"},
    {"a/b/c", "%D/%h", "b/c"},
    {"a b", "%.{ {b|c}|d} %h", NULL},
    {"a b c", "%.{ {b|c}|} %h", "c"},
    {"a b", "%.{ {x|y}|} %h", "b"},
    {"a]b>c", "%h{]|>}c", "a]b"},
    {"aaa.", "%h%<%$", NULL},
    {"aaa.", "%h%<", "aaa"},
};

static void
shapes_match_as_regular_expressions_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct shape_found f;
		bool is_so =
		    shape_starts(str_from(shapes[i].text), shapes[i].shape, &f);
		if (is_so != (shapes[i].kept != NULL))
			fail_msg("case %zu: %s", i, shapes[i].shape);
		struct shape_pairs has =
		    shape_pairs_of(str_from(shapes[i].text));
		struct shape_pairs needed = shape_pairs_needed(shapes[i].shape);
		if (is_so && !shape_is_possible(&has, &needed))
			fail_msg("pairs of case %zu: %s", i, shapes[i].shape);
		if (is_so)
			assert_str(shape_get(&f, 'h'), shapes[i].kept);
	}
}

static void
pairs_rule_shapes_out(void **state)
{
	(void)state;
	static const char *const absent[] = {"%h (Postfix) by",
	    " with {ESMTP|SMTP} via", "100%% of it", "a{b|%%|%[xc%]x}id=%h"};
	struct shape_pairs has = shape_pairs_of(STR("a b"));
	for (size_t i = 0; i < COUNT_OF(absent); i++) {
		struct shape_pairs needed = shape_pairs_needed(absent[i]);
		assert_false(shape_is_possible(&has, &needed));
	}
	struct shape_pairs nothing = shape_pairs_needed("%h{ab|cd}x%%y");
	assert_true(shape_is_possible(&has, &nothing));
}

/* A shape that has many ways to fail must not try them all. */
static void
hostile_fields_take_linear_time(void **state)
{
	(void)state;
	static const char *const pieces[] = {"(", ";", "@", "a@b (", " by ",
	    ") by x (1.2.345) (authenticated as ", "] (authenticated) ",
	    "::", "IPv6:", "helo=", " id <", "1.2.3.4 ", "[1.1.1.1] ",
	    "envelope-from "};
	struct arena *a = arena_new();
	int64_t start = cpu_ms();
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		struct buf *b = buf_new(a, 100000);
		buf_put(b, STR("from x"));
		while (b->len < 65536)
			buf_put(b, str_from(pieces[i]));
		(void)hop_text(a, str_c(a, buf_str(b)));
	}
	assert_in_range(cpu_ms() - start, 0, 10000);
	arena_free(a);
}

struct loaded {
	struct arena *a;
	struct ruleset *rules;
};

/* `own`: networks of the configuration. */
static struct loaded
load_with(const char *own, const char *text)
{
	struct loaded l = {.a = arena_new()};
	struct diags diags = {.arena = l.a};
	struct strs networks = {0};
	struct str rest = str_from(own);
	for (struct str word; (word = str_word(&rest)).len > 0;)
		strs_add(l.a, &networks, word);
	struct ruleset_options options = {.own_networks = &networks};
	l.rules =
	    ruleset_load_text(STR("t.cf"), str_from(text), &options, &diags);
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 0);
	return l;
}

static struct loaded
load(const char *text)
{
	return load_with("127.0.0.0/8 ::1/128", text);
}

static void
unload(struct loaded *l)
{
	ruleset_free(l->rules);
	arena_free(l->a);
}

static struct str
ask(struct loaded *l, const char *mail, const struct envelope *envelope,
    const char *selector)
{
	struct message *m = message_new(
	    l->a, str_from(mail), ruleset_mail_config(l->rules), envelope);
	struct header_query query;
	struct str value;
	assert_true(header_query_parse(str_from(selector), &query));
	return header_query_run(m, &query, &value) ? value : STR("(none)");
}

#define HOP(ip, by) \
	"Received: from h (n [" ip "]) by " by " (Postfix) with ESMTP id 1\n"
#define LOGIN(ip, by) \
	"Received: from h (n [" ip "]) by " by " (Postfix) with ESMTPA id 1\n"
#define ODD "Received: from what is that\n"
#define FETCHED \
	"Received: from x by localhost with POP3 (fetchmail-6.4) for y\n"

static const struct {
	const char *networks, *mail;
	const char *hops; /* trusted, internal, msa by address */
} walks[] = {
    {"", HOP("10.0.0.1", "a") HOP("192.0.2.1", "b") HOP("10.0.0.2", "c"),
	"10.0.0.1+i 192.0.2.1 10.0.0.2"},
    {"", HOP("10.0.0.1", "a") LOGIN("192.0.2.1", "b"),
	"10.0.0.1+i 192.0.2.1+i"},
    {"trusted_networks 192.0.2.",
	HOP("192.0.2.1", "a") HOP("10.0.0.1", "b") HOP("192.0.2.2", "c"),
	"192.0.2.1+i 10.0.0.1 192.0.2.2"},
    {"trusted_networks 192.0.2/24\ninternal_networks !192.0.2.9 192.0.2.8/30",
	HOP("192.0.2.8", "a") HOP("192.0.2.9", "b") HOP("192.0.2.1", "c"),
	"192.0.2.8+i 192.0.2.9+ 192.0.2.1+"},
    {"internal_networks 192.0.2.0/255.255.255.0",
	HOP("192.0.2.1", "a") HOP("198.51.100.1", "b"),
	"192.0.2.1+i 198.51.100.1"},
    {"trusted_networks 192.0.2.\nmsa_networks 192.0.2.1",
	HOP("192.0.2.1", "a") HOP("198.51.100.1", "b"),
	"192.0.2.1+im 198.51.100.1+i"},
    {"trusted_networks 2001:db8::/32 [2001:db9::1]",
	HOP("IPv6:2001:db8::1", "a") HOP("IPv6:2001:db9::1", "b")
	    HOP("IPv6:2001:db9::2", "c"),
	"2001:db8::1+i 2001:db9::1+i 2001:db9::2"},
    /* Internal hosts and those of users are among the trusted ones, ... */
    {"trusted_networks 192.0.2.0/24\ninternal_networks 192.0/16",
	HOP("192.0.2.1", "a"), "192.0.2.1+"},
    {"trusted_networks !192.0.2.9 192.0.2.\ninternal_networks 192.0.2.9 "
     "192.0.2.8",
	HOP("192.0.2.8", "a") HOP("192.0.2.9", "b"), "192.0.2.8+i 192.0.2.9"},
    {"trusted_networks 192.0.2.\nmsa_networks 192.0/16",
	HOP("192.0.2.1", "a") HOP("198.51.100.1", "b"),
	"192.0.2.1+i 198.51.100.1"},
    /* ... or the internal ones if no others are. */
    {"internal_networks 192.0.2.\nmsa_networks 192.0/16 192.0.2.1",
	HOP("192.0.2.2", "a") HOP("192.0.2.1", "b") HOP("198.51.100.1", "c"),
	"192.0.2.2+i 192.0.2.1+im 198.51.100.1+i"},
    {"trusted_networks 192.0.2.\nclear_trusted_networks", HOP("192.0.2.1", "a"),
	"192.0.2.1"},
    {"trusted_networks 192.0.2.", HOP("127.0.0.1", "a"), "127.0.0.1+i"},
    {"originating_ip_headers x-client",
	"X-Client: [198.51.100.9]\n" HOP("10.0.0.1", "a"),
	"10.0.0.1+i 198.51.100.9"},
    {"", HOP("10.0.0.1", "a") FETCHED HOP("10.0.0.2", "b"), "10.0.0.2+i"},
    {"", HOP("192.0.2.1", "a") FETCHED HOP("10.0.0.2", "b"),
	"192.0.2.1 10.0.0.2"},
};

static void
check_hops(struct loaded l, const char *mail, const char *hops)
{
	const struct relays *r =
	    message_relays(message_new(l.a, str_printf(l.a, "%s\ntext\n", mail),
		ruleset_mail_config(l.rules), NULL));
	struct buf *b = buf_new(l.a, 1000);
	for (size_t k = 0; k < r->n; k++)
		buf_printf(b, "%s%.*s%s%s%s", k > 0 ? " " : "",
		    STR_ARG(r->v[k].ip), r->v[k].is_trusted ? "+" : "",
		    r->v[k].is_internal ? "i" : "", r->v[k].is_msa ? "m" : "");
	assert_str(buf_str(b), hops);
	unload(&l);
}

static void
the_walk_trusts_as_networks_and_logins_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(walks); i++)
		check_hops(
		    load(walks[i].networks), walks[i].mail, walks[i].hops);
}

static const struct {
	const char *own, *networks, *mail, *hops;
} servers[] = {
    {"192.0.2.0/24", "",
	HOP("192.0.2.1", "a") HOP("10.0.0.1", "b") HOP("198.51.100.1", "c"),
	"192.0.2.1+i 10.0.0.1+i 198.51.100.1"},
    {"192.0.2.0/24 IPv6:2001:db8::/32", "trusted_networks 198.51.100.",
	HOP("192.0.2.1", "a") HOP("198.51.100.1", "b")
	    HOP("IPv6:2001:db8::1", "c") HOP("10.0.0.1", "d"),
	"192.0.2.1+i 198.51.100.1+i 2001:db8::1+i 10.0.0.1"},
    {"192.0.2.0/24", "internal_networks 198.51.100.",
	HOP("198.51.100.1", "a") HOP("192.0.2.1", "b"),
	"198.51.100.1+i 192.0.2.1+"},
    {"192.0.2.0/24", "trusted_networks !192.0.2.9 198.51.100.",
	HOP("192.0.2.1", "a") HOP("192.0.2.9", "b"), "192.0.2.1+i 192.0.2.9"},
    {"192.0.2.0/24", "clear_trusted_networks",
	HOP("10.0.0.1", "a") HOP("192.0.2.1", "b"), "10.0.0.1+i 192.0.2.1"},
};

static void
servers_of_ours_are_trusted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(servers); i++)
		check_hops(load_with(servers[i].own, servers[i].networks),
		    servers[i].mail, servers[i].hops);
}

static const struct {
	const char *mail, *selector, *value;
} values[] = {
    {HOP("10.0.0.1", "a") HOP("192.0.2.1", "b"), "X-Spam-Relays-Trusted",
	"[ ip=10.0.0.1 rdns=n helo=h by=a ident= envfrom= intl=1 id= auth= "
	"msa=0 ]"},
    {"A: b\n", "X-Spam-Relays-External", ""},
    {"A: b\n" HOP("10.0.0.1", "a") "C: d\n" HOP("192.0.2.1", "b") "E: f\n",
	"ALL-TRUSTED",
	"A: b\nReceived: from h (n [10.0.0.1]) by a (Postfix) with ESMTP id 1\n"
	"C: d\nReceived: from h (n [192.0.2.1]) by b (Postfix) with ESMTP id "
	"1\n"},
    {"A: b\n" HOP("192.0.2.1", "b") "E:\n f\n", "ALL-EXTERNAL:raw",
	HOP("192.0.2.1", "b") "E:\n f\n"},
    {"A: b\n", "ALL-UNTRUSTED", "(none)"},
    {"Return-Path: <a@a.example>\n" HOP("192.0.2.1", "b"), "EnvelopeFrom",
	"a@a.example"},
    {HOP("192.0.2.1", "b") "Return-Path: <a@a.example>\n", "EnvelopeFrom",
	"(none)"},
    {"Return-Path: <a@a.example>\nReceived: from h ([192.0.2.1] helo=x) by a "
     "with esmtp (Exim 4) (envelope-from <b@b.example>) id 1\n",
	"EnvelopeFrom", "b@b.example"},
    {"X-Sender: x@a.example\nReturn-Path: <a@a.example>\n" FETCHED,
	"EnvelopeFrom", "(none)"},
    {"Return-Path: <a@A.Example>\nFrom: x@b.example, y@C.example, z@b.example",
	"X-SenderDomain", "a.example"},
    {"From: x@b.example, y@C.example, z@b.example\n", "X-AuthorDomain",
	"b.example c.example"},
    {"X-SenderDomain: mine\n", "X-SenderDomain", "mine\n"},
    {"A: b\n", "X-Languages", "(none)"},
};

static void
rules_can_name_what_is_made_of_hops(void **state)
{
	(void)state;
	struct loaded l = load("");
	for (size_t i = 0; i < COUNT_OF(values); i++)
		assert_str(ask(&l, values[i].mail, NULL, values[i].selector),
		    values[i].value);
	unload(&l);
}

/* Hop after hop: what its evals say, 0 and 1 by rule. */
static const struct {
	const char *function, *mail;
	bool is_hit;
} evals[] = {
    {"check_all_trusted", HOP("10.0.0.1", "a"), true},
    {"check_all_trusted", HOP("192.0.2.1", "a"), false},
    {"check_all_trusted", HOP("10.0.0.1", "a") ODD, false},
    {"check_no_relays", "A: b\n", true},
    {"check_no_relays", ODD, false},
    {"check_relays_unparseable", ODD, true},
    {"helo_ip_mismatch",
	"Received: from 192.0.2.1 (n [198.51.100.1]) by a.b (Postfix) with "
	"SMTP id 1\n",
	true},
    {"helo_ip_mismatch",
	"Received: from 192.0.2.1 (n [192.0.2.9]) by a.b (Postfix) with SMTP "
	"id 1\n",
	false},
    {"check_for_no_rdns_dotcom_helo",
	"Received: from mx.yahoo.com (unknown [192.0.2.9]) by a.b (Postfix) "
	"with SMTP id 1\n",
	true},
    {"check_for_forged_received_trail",
	"Received: from x (ab.example [192.0.2.1]) by cd.example (Postfix) "
	"with "
	"SMTP id 1\n"
	"Received: from x (ef.example [192.0.2.2]) by gh.example (Postfix) "
	"with "
	"SMTP id 1\n"
	"Received: from x (ij.example [192.0.2.3]) by kl.example (Postfix) "
	"with "
	"SMTP id 1\n",
	true},
    {"check_mailfrom_matches_rcvd",
	"Return-Path: <a@x.ab.example>\nReceived: from x (y.ab.example "
	"[192.0.2.1]) by a.b (Postfix) with SMTP id 1\n",
	true},
    {"check_for_forged_gmail_received_headers",
	"From: a@gmail.com\n" HOP("192.0.2.1", "a"), true},
    {"check_for_forged_gmail_received_headers",
	"From: a@gmail.com\nX-Received: by 10.1.1.1 with SMTP id x\n", false},
    {"check_for_no_hotmail_received_headers",
	"From: a@hotmail.com\n" HOP("192.0.2.1", "a"), true},
    {"check_for_forged_hotmail_received_headers",
	"Received: from hotmail.com (x [192.0.2.1]) by a (Postfix) with SMTP "
	"id 1\n",
	true},
    {"check_for_forged_yahoo_received_headers",
	"From: a@yahoo.com\n" HOP("192.0.2.1", "a"), true},
    {"check_for_forged_juno_received_headers",
	"From: a@juno.com\n" HOP("192.0.2.1", "a"), true},
    {"check_for_forged_eudoramail_received_headers",
	"From: a@eudoramail.com\n" HOP("192.0.2.1", "a"), true},
    {"check_for_fake_aol_relay_in_rcvd",
	"Received: from x by rly-xw01.mx.aol.com with QMQP; Sat\n", true},
    {"gated_through_received_hdr_remover", "A: b\n", true},
    {"gated_through_received_hdr_remover", HOP("192.0.2.1", "a"), false},
    {"check_for_matching_env_and_hdr_from",
	"Return-Path: <A@a.example>\nFrom: a@a.example\n", true},
    {"check_equal_from_domains",
	"Return-Path: <a@a.example>\nFrom: a@b.example\n", true},
    {"check_equal_from_domains",
	"Return-Path: <a@x.a.example>\nFrom: a@y.a.example\n", false},
    {"check_for_numeric_helo",
	"Received: from 192.0.2.1 (n [198.51.100.1]) by a.b (Postfix) with "
	"SMTP id 1\n",
	true},
    {"check_for_forged_received_ip_helo",
	"Received: from 192.0.2.1 (n [198.51.100.1]) by ab.c (Postfix) with "
	"SMTP id 1\n",
	true},
    {"check_for_sender_no_reverse",
	"Received: from x (y.z [198.51.100.1]) by ab.c (Postfix) with SMTP id "
	"1\n",
	true},
    {"check_for_illegal_ip", HOP("192.0.2.1", "a"), false},
};

static void
evals_answer_as_spamassassins(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(evals); i++) {
		struct arena *a = arena_new();
		struct loaded l = load(str_c(a,
		    str_printf(a, "header A eval:%s()\n", evals[i].function)));
		struct rule_run run = {0};
		struct rule_result result;
		struct message *m = message_new(l.a,
		    str_printf(l.a, "%s\ntext\n", evals[i].mail),
		    ruleset_mail_config(l.rules), NULL);
		ruleset_run(l.rules, m, &run, &result);
		if ((result.hits.n > 0) != evals[i].is_hit)
			fail_msg("case %zu: %s", i, evals[i].function);
		unload(&l);
		arena_free(a);
	}
}

/* --- the field to come ---------------------------------------------------- */

static const struct handover nothing = {
    .by = STR_EMPTY,
    .mta = STR_EMPTY,
    .config = STR_EMPTY,
    .client = STR_EMPTY,
    .with = STR_EMPTY,
    .tls_version = STR_EMPTY,
    .cipher = STR_EMPTY,
    .cipher_bits = STR_EMPTY,
    .verify = STR_EMPTY,
    .auth_ssf = STR_EMPTY,
    .time = 1796007389,
};

static struct envelope
envelope_new(struct arena *a, const struct handover *handover)
{
	struct envelope e = {
	    .class = CLASS_SUBMISSION,
	    .from = STR("a@a.example"),
	    .login = STR("alice"),
	    .client_addr = STR("192.0.2.7"),
	    .client_name = STR("pc.example"),
	    .helo = STR("pc"),
	    .queue_id = STR("4Xk2"),
	    .daemon_name = STR_EMPTY,
	    .handover = handover,
	};
	strs_add(a, &e.rcpt, STR("b@b.example"));
	return e;
}

static void
the_field_to_come_is_as_postfix_writes_it(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct handover h = nothing;
	struct envelope e = envelope_new(a, &h);
	assert_str(trace_field(a, &e), "");
	h.by = STR("mx.example");
	h.mta = STR("Postfix 3.7.11");
	assert_str(trace_field(a, &e),
	    " from pc (pc.example [192.0.2.7])\n\tby mx.example (Postfix) with "
	    "ESMTPA id 4Xk2\n\tfor <b@b.example>; Mon, 30 Nov 2026 02:56:29 "
	    "+0000 (UTC)\n");
	h.tls_version = STR("TLSv1.3");
	h.time += 86400;
	e.login = STR_EMPTY;
	e.client_addr = STR("2001:db8::7");
	e.client_name = STR("[2001:db8::7]");
	e.helo = STR("x) by (y\n");
	strs_add(a, &e.rcpt, STR("c@c.example"));
	assert_str(trace_field(a, &e),
	    " from x??by??y? (unknown [IPv6:2001:db8::7])\n\tby mx.example "
	    "(Postfix) with ESMTPS id 4Xk2; Tue,  1 Dec 2026 02:56:29 +0000 "
	    "(UTC)\n");
	h.is_internal = true;
	e.from = STR_EMPTY;
	assert_str(trace_field(a, &e),
	    " by mx.example (Postfix)\n\tid 4Xk2; Tue,  1 Dec 2026 02:56:29 "
	    "+0000 (UTC)\n");
	arena_free(a);
}

static void
the_field_to_come_is_as_sendmail_writes_it(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct handover h = nothing;
	struct envelope e = envelope_new(a, &h);
	h.by = STR("mx.example");
	h.mta = STR("8.17.1.9");
	h.config = STR("8.17.1.9/Debian-2");
	h.client = STR("pc.example [192.0.2.7] (may be forged)");
	h.with = STR("ESMTPSA");
	h.auth_ssf = STR("0");
	h.tls_version = STR("TLSv1.3");
	h.cipher = STR("C");
	h.cipher_bits = STR("256");
	h.verify = STR("NO");
	assert_str(trace_field(a, &e),
	    " from pc (pc.example [192.0.2.7] (may be forged))\n\t"
	    "(authenticated bits=0)\n\tby mx.example (8.17.1.9/8.17.1.9/"
	    "Debian-2) with ESMTPSA id 4Xk2\n\t(version=TLSv1.3 cipher=C "
	    "bits=256 verify=NO)\n\tfor <b@b.example>; Mon, 30 Nov 2026 "
	    "02:56:29 GMT\n");
	arena_free(a);
}

static void
the_field_to_come_is_shown_to_rules_alone(void **state)
{
	(void)state;
	struct loaded l = load("");
	struct handover h = nothing;
	h.by = STR("mx.example");
	struct envelope e = envelope_new(l.a, &h);
	const char *mail = "From: a@a.example\n\ntext\n";
	assert_str(ask(&l, mail, &e, "X-Spam-Relays-Trusted"),
	    "[ ip=192.0.2.7 rdns=pc.example helo=pc by=mx.example ident= "
	    "envfrom= intl=1 id=4Xk2 auth=ESMTPA msa=0 ]");
	assert_str(ask(&l, mail, &e, "EnvelopeFrom"), "a@a.example");
	struct str all = ask(&l, mail, &e, "ALL");
	assert_true(str_starts(all, STR("Received: from pc (")));
	assert_true(str_ends(all, STR("\nFrom: a@a.example\n")));
	all = ask(&l, mail, &e, "ALL:raw");
	assert_true(str_starts(all, STR("Received: from pc (")));
	struct message *m =
	    message_new(l.a, str_from(mail), ruleset_mail_config(l.rules), &e);
	struct str full = message_full(m);
	assert_true(str_starts(full, STR("Received: from pc (")));
	assert_true(str_ends(full, str_from(mail)));
	assert_str(m->raw, mail);
	assert_null(header_first(&m->root->headers, STR("Received")));
	assert_null(header_last(&m->root->headers, STR("Received")));
	unload(&l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_are_read_as_spamassassin_reads_them),
    cmocka_unit_test(addresses_are_private_as_spamassassin_has_it),
    cmocka_unit_test(shapes_match_as_regular_expressions_do),
    cmocka_unit_test(pairs_rule_shapes_out),
    cmocka_unit_test(hostile_fields_take_linear_time),
    cmocka_unit_test(the_walk_trusts_as_networks_and_logins_say),
    cmocka_unit_test(servers_of_ours_are_trusted),
    cmocka_unit_test(rules_can_name_what_is_made_of_hops),
    cmocka_unit_test(evals_answer_as_spamassassins),
    cmocka_unit_test(the_field_to_come_is_as_postfix_writes_it),
    cmocka_unit_test(the_field_to_come_is_as_sendmail_writes_it),
    cmocka_unit_test(the_field_to_come_is_shown_to_rules_alone),
};

int
main(void)
{
	(void)setenv("TZ", "UTC", 1);
	tzset();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
