/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin -- whom a notice answers: from a real memory, a DNS that is a table,
 * and notices with every field that a stranger controls.
 */
#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>

#include "auth/local_domains.h"
#include "auth/login_map.h"
#include "base/clock.h"
#include "base/log.h"
#include "notice/gate.h"
#include "notice/arrival.h"
#include "rules/ruleset.h"

/* Real time: the keeper has a clock of its own. */
static int64_t now;
#define NOW now
#define DAY_S ((int64_t)24 * 3600)

/* ---- the world: domains that say yes to 192.0.2.1, no, or nothing */

static const struct {
	const char *name;
	const char *txt;
} zone[] = {
    {"good.example", "v=spf1 ip4:192.0.2.1 -all"},
    {"victim.example", "v=spf1 ip4:192.0.2.9 -all"},
    {"soft.example", "v=spf1 ip4:192.0.2.9 ~all"},
    {"neutral.example", "v=spf1 ip4:192.0.2.9 ?all"},
    {"strict.example", NULL},
    {"_dmarc.strict.example", "v=DMARC1; p=reject"},
    {"customer.example", "v=spf1 ip4:203.0.113.1 -all"},
};

static void
answer(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	(void)arg;
	ret->status = DNS_NXDOMAIN;
	ret->ttl_s = 60;
	for (size_t i = 0; i < COUNT_OF(zone); i++) {
		if (!str_eq(name, str_from(zone[i].name)))
			continue;
		ret->status = DNS_NODATA;
		if (type != DNS_TXT || zone[i].txt == NULL)
			continue;
		ret->status = DNS_OK;
		strs_add(a, &ret->records, str_from(zone[i].txt));
	}
}

static struct {
	struct arena *arena;
	char dir[64];
	struct memory *memory;
	struct dns dns;
	struct policy policy;
	struct strs trusted;
	struct mail_config mail;
	struct ruleset *rules;
} f;

static int
remove_file(
    const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int
set_up(void **state)
{
	(void)state;
	static struct str trusted[] = {{"127.0.0.0/8", 11}, {"10.0.0.0/8", 10}};
	static struct str egress[] = {{"203.0.113.1", 11}};
	static struct str locals[] = {{"ours.example", 12}};
	static struct str logins[] = {{"mapped: mapped@ours.example", 27}};
	struct strs local_list = {locals, 1, 1}, login_list = {logins, 1, 1};
	struct diags diags;
	now = clock_wall();
	f.arena = arena_new();
	diags = (struct diags){.arena = f.arena};
	(void)snprintf(f.dir, sizeof(f.dir), "/tmp/postern-origin.XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	struct memory_config config = {
	    .dir = str_printf(f.arena, "%s/ledger", f.dir),
	    .size_bytes = (uint64_t)64 << 20,
	    .days = 10,
	};
	struct str why = STR_EMPTY;
	f.memory = memory_start(f.arena, &config, &why);
	assert_non_null(f.memory);
	f.dns.resolver = resolver_new_source(answer, NULL);
	f.dns.cache = cache_new(1000, 1 << 20);
	f.policy = (struct policy){
	    .egress = {egress, 1, 1}, .helo = STR("mx.ours.example")};
	f.policy.locals = local_domains_new(f.arena);
	assert_true(local_domains_load(f.policy.locals, &local_list,
	    &(struct option_place){.name = "local-domains"}, &diags));
	f.policy.logins = login_map_load(f.arena, &login_list,
	    &(struct option_place){.name = "login-map"}, &diags);
	f.trusted = (struct strs){trusted, 2, 2};
	struct ruleset_options options = {.limits = MAIL_LIMITS_DEFAULT};
	f.rules = ruleset_load_text(STR("none"), STR(""), &options, &diags);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	memory_stop(f.memory);
	resolver_free(f.dns.resolver);
	cache_free(f.dns.cache);
	ruleset_free(f.rules);
	arena_free(f.arena);
	(void)nftw(f.dir, remove_file, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* ---- what has come in and gone out before */

struct arrived {
	const char *id, *sender, *rcpt, *queue_id, *client;
	const char *from;  /* author; NULL: the sender */
	const char *extra; /* header lines */
	const char *login;
	enum mail_class class;
	int64_t age_s;
	bool is_auto;
	size_t more; /* recipients */
};

static void
arrive(const struct arrived *m)
{
	struct arena *a = f.arena;
	struct strs rcpt = {0};
	for (size_t i = 0; i < m->more; i++)
		strs_add(a, &rcpt, str_printf(a, "%zu@far.example", i));
	strs_add(a, &rcpt, str_from(m->rcpt));
	struct envelope envelope = {
	    .class = m->class,
	    .from = str_from(m->sender),
	    .rcpt = rcpt,
	    .login = str_from(m->login),
	    .client_addr = str_from(m->client),
	    .client_name = STR_EMPTY,
	    .helo = STR("client.example"),
	    .queue_id = str_from(m->queue_id),
	    .daemon_name = STR_EMPTY,
	};
	struct str raw = str_printf(a, "%sFrom: <%s>\nMessage-ID: <%s>\n\nx\n",
	    m->extra == NULL ? "" : m->extra,
	    m->from == NULL ? m->sender : m->from, m->id);
	struct dkim_mail mail;
	dkim_mail_cut(a, raw, 100, &mail);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 5000, .questions = 100};
	struct facts facts;
	struct facts_query query = {
	    .policy = &f.policy,
	    .envelope = &envelope,
	    .mta_name = STR("mx.ours.example"),
	    .mail = &mail,
	    .now_wall = NOW - m->age_s,
	};
	bool is_inbound = m->class == CLASS_INBOUND;
	if (!is_inbound)
		facts_find(a, &f.dns, &query, &budget, &facts);
	struct arrival_query arrival_query = {
	    .policy = &f.policy,
	    .dns = &f.dns,
	    .envelope = &envelope,
	    .mail = &mail,
	    .facts = is_inbound ? NULL : &facts,
	    .mta_name = STR("mx.ours.example"),
	    .trusted = &f.trusted,
	    .inbound = &(struct strs){0},
	    .memory = f.memory,
	    .is_auto = m->is_auto,
	    .now_wall = NOW - m->age_s,
	    .ledger_s = 10 * DAY_S,
	};
	struct arrival arrival;
	arrival_judge(a, &arrival_query, &budget, &arrival);
	arrival_record(f.memory, &envelope, &arrival, NOW - m->age_s);
}

/* ---- notices */

struct sent {
	const char *raw;
	const char *from; /* envelope; NULL: null sender */
	const char *to;
	enum mail_class class; /* CLASS_SUBMISSION: notice */
	bool is_by_client;     /* not by our MTA itself */
	bool trusts_results;
	bool is_forgetful; /* without a memory */
};

static struct notice
judge(const struct sent *sent)
{
	struct str rcpt[8];
	struct strs list = {rcpt, 0, COUNT_OF(rcpt)};
	struct str all = str_from(sent->to);
	while (all.len > 0)
		rcpt[list.n++] = str_word(&all);
	struct envelope envelope = {
	    .class =
		sent->class == CLASS_SUBMISSION ? CLASS_NOTICE : sent->class,
	    .from = str_from(sent->from),
	    .rcpt = list,
	    .login = STR_EMPTY,
	    .client_addr = sent->is_by_client ? STR("10.0.0.7") : STR_EMPTY,
	    .client_name = STR_EMPTY,
	    .helo = STR("backend.ours.example"),
	    .queue_id = STR("NOTICE1"),
	    .daemon_name = STR_EMPTY,
	};
	struct message *m = message_new(f.arena, str_from(sent->raw),
	    ruleset_mail_config(f.rules), &envelope);
	struct notice_query query = {
	    .policy = &f.policy,
	    .envelope = &envelope,
	    .trusted = &f.trusted,
	    .mta_name = STR("mx.ours.example"),
	    .authserv_id = STR("mx.ours.example"),
	    .trusts_results = sent->trusts_results,
	    .is_of_mta = sent->from == NULL && !sent->is_by_client,
	    .memory = sent->is_forgetful ? NULL : f.memory,
	    .dns = &f.dns,
	    .now_wall = NOW,
	    .ledger_s = 10 * DAY_S,
	};
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 5000, .questions = 100};
	struct notice notice;
	notice_find(m, &query, &budget, &notice);
	return notice;
}

/* A bounce by our Postfix; `original` is the header it returns. */
static const char *
bounce(const char *original)
{
	return str_c(f.arena,
	    str_printf(f.arena,
		"From: MAILER-DAEMON@mx.ours.example (Mail Delivery System)\n"
		"Subject: Undelivered Mail Returned to Sender\n"
		"Auto-Submitted: auto-replied\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status;\n"
		"\tboundary=\"b/mx.ours.example\"\n"
		"Message-Id: <20261129.NOTICE1@mx.ours.example>\n\n"
		"--b/mx.ours.example\n"
		"Content-Type: text/plain\n\nI'm sorry to have to inform you "
		"that your message could not\nbe delivered.\n\n"
		"--b/mx.ours.example\n"
		"Content-Type: message/delivery-status\n\n"
		"Reporting-MTA: dns; mx.ours.example\n"
		"X-Postfix-Queue-ID: QUEUE1\n\n"
		"Final-Recipient: rfc822; nobody@ours.example\n"
		"Action: failed\nStatus: 5.1.1\n\n"
		"--b/mx.ours.example\n"
		"Content-Type: text/rfc822-headers\n\n%s\n"
		"--b/mx.ours.example--\n",
		original));
}

/* A vacation reply as Pigeonhole makes it. */
static const char *
vacation(const char *fields)
{
	return str_c(
	    f.arena, str_printf(f.arena,
			 "From: alice@ours.example\n"
			 "Subject: Auto: hello\n"
			 "Auto-Submitted: auto-replied (vacation)\n"
			 "Precedence: bulk\n"
			 "X-Auto-Response-Suppress: All\n"
			 "Message-ID: <dovecot-sieve-1@mx.ours.example>\n"
			 "%s\nI am away until Monday.\n",
			 fields));
}

#define BY_US(client, id)                                        \
	"Received: from client.example (unknown [" client "])\n" \
	"\tby mx.ours.example (Postfix) with ESMTP id " id "\n"  \
	"\tfor <nobody@ours.example>; Sun, 29 Nov 2026 10:00:00 +0000\n"
#define FORGED_HOP(client)                                                 \
	"Received: from mail.victim.example (mail.victim.example [" client \
	"])\n\tby mx.ours.example (Postfix) with ESMTP id FAKE1\n"         \
	"\tfor <a@ours.example>; Sun, 29 Nov 2026 09:00:00 +0000\n"

static void
expect(const char *label, struct sent sent, enum notice_origin want)
{
	struct notice notice = judge(&sent);
	if (!notice.is_answer)
		fail_msg("%s: not seen as an answer", label);
	if (notice.origin != want)
		fail_msg("%s: %.*s: %.*s", label,
		    STR_ARG(notice_origin_name(notice.origin)),
		    STR_ARG(notice.evidence));
}

/* ---- (a) */

static void
the_ledger_knows_who_wrote(void **state)
{
	(void)state;
	arrive(&(struct arrived){"m1@good", "bob@good.example",
	    "nobody@ours.example", "QUEUE1", "192.0.2.1",
	    .class = CLASS_INBOUND});
	arrive(&(struct arrived){"m2@bad", "v@victim.example",
	    "nobody@ours.example", "QUEUE1", "192.0.2.1",
	    .class = CLASS_INBOUND});
	arrive(&(struct arrived){"m3@plain", "p@plain.example",
	    "nobody@ours.example", "QUEUE1", "192.0.2.1",
	    .class = CLASS_INBOUND});
	expect("a bounce to who wrote",
	    (struct sent){.raw = bounce("Message-ID: <m1@good>\n"),
		.to = "bob@good.example"},
	    ORIGIN_GENUINE);
	expect("a vacation reply to who wrote",
	    (struct sent){.raw = vacation("In-Reply-To: <m1@good>\n"),
		.to = "Bob@Good.example"},
	    ORIGIN_GENUINE);
	expect("a bounce to a forged sender",
	    (struct sent){.raw = bounce("Message-ID: <m2@bad>\n"),
		.to = "v@victim.example"},
	    ORIGIN_FORGED);
	expect("a vacation reply to a forged sender",
	    (struct sent){.raw = vacation("In-Reply-To: <m2@bad>\n"),
		.to = "v@victim.example"},
	    ORIGIN_FORGED);
	expect("a domain that says nothing",
	    (struct sent){.raw = bounce("Message-ID: <m3@plain>\n"),
		.to = "p@plain.example"},
	    ORIGIN_UNKNOWN);
}

static void
a_policy_of_reject_speaks_without_spf(void **state)
{
	(void)state;
	arrive(&(struct arrived){"m1@strict", "v@strict.example",
	    "nobody@ours.example", "QUEUE1", "192.0.2.1",
	    .class = CLASS_INBOUND});
	expect("DMARC fail",
	    (struct sent){.raw = bounce("Message-ID: <m1@strict>\n"),
		.to = "v@strict.example"},
	    ORIGIN_FORGED);
}

static void
the_message_id_of_another_proves_nothing(void **state)
{
	(void)state;
	arrive(&(struct arrived){"known@good", "bob@good.example",
	    "alice@ours.example", "QUEUE0", "192.0.2.1", .class = CLASS_INBOUND,
	    .age_s = 3600});
	expect("quoted to somebody else",
	    (struct sent){.raw = vacation("In-Reply-To: <known@good>\n"),
		.to = "v@victim.example"},
	    ORIGIN_UNKNOWN);
	/* the same id, used again by who forges bob */
	arrive(&(struct arrived){"known@good", "bob@good.example",
	    "alice@ours.example", "QUEUE1", "198.51.100.66",
	    .class = CLASS_INBOUND});
	expect("used again",
	    (struct sent){.raw = vacation("In-Reply-To: <known@good>\n"),
		.to = "bob@good.example"},
	    ORIGIN_UNKNOWN);
	expect("used again, and our MTA names the queue id",
	    (struct sent){
		.raw = bounce("Return-Path: <bob@good.example>\n" BY_US(
		    "198.51.100.66", "QUEUE1") "Message-ID: <known@good>\n"),
		.to = "bob@good.example"},
	    ORIGIN_FORGED);
	expect("only in References",
	    (struct sent){
		.raw = vacation("In-Reply-To: <never@seen>\n"
				"References: <known@good> <never@seen>\n"),
		.to = "bob@good.example"},
	    ORIGIN_UNKNOWN);
}

static void
an_author_counts_apart_from_the_envelope(void **state)
{
	(void)state;
	arrive(&(struct arrived){"news@good", "bounce@good.example",
	    "info@ours.example", "QUEUE1", "192.0.2.1",
	    .from = "v@victim.example", .class = CLASS_INBOUND});
	expect("the envelope sender's own domain passes",
	    (struct sent){.raw = bounce("Message-ID: <news@good>\n"),
		.to = "bounce@good.example"},
	    ORIGIN_GENUINE);
	expect("an answer to the author, who is somebody else",
	    (struct sent){.raw = vacation("In-Reply-To: <news@good>\n"),
		.from = "alice@ours.example",
		.to = "v@victim.example"},
	    ORIGIN_UNKNOWN);
}

static void
who_logged_in_is_genuine_unless_it_was_forbidden(void **state)
{
	(void)state;
	arrive(&(struct arrived){"s1@ours", "carol@customer.example",
	    "x@far.example", "QUEUE1", "198.51.100.7", .login = "carol",
	    .class = CLASS_SUBMISSION});
	arrive(&(struct arrived){"s2@ours", "v@victim.example", "x@far.example",
	    "QUEUE1", "198.51.100.7", .login = "phished",
	    .class = CLASS_SUBMISSION});
	arrive(&(struct arrived){"s3@ours", "dan@plain.example",
	    "x@far.example", "QUEUE1", "198.51.100.7", .login = "dan",
	    .class = CLASS_SUBMISSION});
	arrive(&(struct arrived){"s4@ours", "v@victim.example", "x@far.example",
	    "QUEUE1", "", .class = CLASS_LOCAL});
	expect("a customer",
	    (struct sent){.raw = bounce("Message-ID: <s1@ours>\n"),
		.to = "carol@customer.example"},
	    ORIGIN_GENUINE);
	expect("a phished login with a forged sender",
	    (struct sent){.raw = bounce("Message-ID: <s2@ours>\n"),
		.to = "v@victim.example"},
	    ORIGIN_FORGED);
	expect("a login whose domain says nothing",
	    (struct sent){.raw = bounce("Message-ID: <s3@ours>\n"),
		.to = "dan@plain.example"},
	    ORIGIN_GENUINE);
	expect("a web script with a forged sender",
	    (struct sent){.raw = bounce("Message-ID: <s4@ours>\n"),
		.to = "v@victim.example"},
	    ORIGIN_FORGED);
}

/* ---- (b), (c) */

static void
the_returned_message_is_asked_again(void **state)
{
	(void)state;
	static const struct {
		const char *label, *to, *original;
		bool is_by_client, trusts_results;
		enum notice_origin want;
	} cases[] = {
	    {"SPF passes", "bob@good.example",
		"Return-Path: <bob@good.example>\n" BY_US(
		    "192.0.2.1", "Q9") "Message-ID: <b1@x>\n",
		false, false, ORIGIN_GENUINE},
	    {"SPF fails", "bob@good.example",
		"Return-Path: <bob@good.example>\n" BY_US(
		    "198.51.100.1", "Q9") "Message-ID: <b2@x>\n",
		false, false, ORIGIN_FORGED},
	    {"SPF softfails", "bob@soft.example",
		"Return-Path: <bob@soft.example>\n" BY_US("198.51.100.1", "Q9"),
		false, false, ORIGIN_FORGED},
	    {"a Received field of a stranger below ours", "v@victim.example",
		BY_US("198.51.100.1", "Q9") FORGED_HOP("192.0.2.9"), false,
		false, ORIGIN_FORGED},
	    {"the same where ours says loopback", "v@neutral.example",
		BY_US("127.0.0.1", "Q9") FORGED_HOP("192.0.2.9"), false, false,
		ORIGIN_UNKNOWN},
	    {"ours says a server of our own", "v@neutral.example",
		BY_US("10.0.0.1", "Q9") FORGED_HOP("192.0.2.9"), false, false,
		ORIGIN_UNKNOWN},
	    {"a field by another host on top", "v@victim.example",
		"Received: from a (b [192.0.2.9]) by elsewhere.example "
		"(Postfix) with ESMTP id Q9; x\n",
		false, false, ORIGIN_UNKNOWN},
	    {"another envelope sender", "v@victim.example",
		"Return-Path: <other@good.example>\n" BY_US("192.0.2.9", "Q9"),
		false, false, ORIGIN_UNKNOWN},
	    {"our results on top", "bob@neutral.example",
		"Authentication-Results: mx.ours.example; spf=pass "
		"smtp.mailfrom=bob@neutral.example\n" BY_US(
		    "198.51.100.1", "Q9"),
		false, false, ORIGIN_GENUINE},
	    {"our Received-SPF on top", "bob@neutral.example",
		"Received-SPF: Pass (mailfrom) identity=mailfrom; "
		"envelope-from=bob@neutral.example; "
		"receiver=mx.ours.example\n" BY_US("198.51.100.1", "Q9"),
		false, false, ORIGIN_GENUINE},
	    {"results below the field with which it came in",
		"bob@neutral.example",
		BY_US("198.51.100.1",
		    "Q9") "Authentication-Results: mx.ours.example; spf=pass "
			  "smtp.mailfrom=bob@neutral.example\n",
		false, false, ORIGIN_UNKNOWN},
	    {"the same where a verifier removes forged ones",
		"bob@neutral.example",
		BY_US("198.51.100.1",
		    "Q9") "Authentication-Results: mx.ours.example; spf=pass "
			  "smtp.mailfrom=bob@neutral.example\n",
		false, true, ORIGIN_GENUINE},
	    {"even there not below another Received field",
		"bob@neutral.example",
		BY_US("198.51.100.1", "Q9") FORGED_HOP(
		    "192.0.2.9") "Authentication-Results: mx.ours.example; "
				 "spf=pass "
				 "smtp.mailfrom=bob@neutral.example\n",
		false, true, ORIGIN_UNKNOWN},
	    {"results of another's name on top", "bob@neutral.example",
		"Authentication-Results: elsewhere.example; spf=pass "
		"smtp.mailfrom=bob@neutral.example\n" BY_US(
		    "198.51.100.1", "Q9"),
		false, false, ORIGIN_UNKNOWN},
	    {"our results of another sender", "bob@neutral.example",
		"Authentication-Results: mx.ours.example; spf=pass "
		"smtp.mailfrom=eve@good.example\n" BY_US("198.51.100.1", "Q9"),
		false, false, ORIGIN_UNKNOWN},
	    {"our results say fail", "bob@neutral.example",
		"Authentication-Results: mx.ours.example; dmarc=fail "
		"header.from=neutral.example\n" BY_US("198.51.100.1", "Q9"),
		false, false, ORIGIN_FORGED},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sent sent = {.raw = bounce(cases[i].original),
		    .to = cases[i].to,
		    .is_by_client = cases[i].is_by_client,
		    .trusts_results = cases[i].trusts_results};
		expect(cases[i].label, sent, cases[i].want);
		sent.is_forgetful = true;
		expect(cases[i].label, sent, cases[i].want);
	}
}

static void
what_another_program_returns_is_not_asked(void **state)
{
	(void)state;
	const char *original = "Return-Path: <bob@good.example>\n" BY_US(
	    "192.0.2.1", "Q9") "Message-ID: <b1@x>\n";
	expect("a report with a sender",
	    (struct sent){.raw = bounce(original),
		.from = "x@ours.example",
		.to = "bob@good.example"},
	    ORIGIN_UNKNOWN);
	const char *quoted = str_c(f.arena,
	    str_printf(f.arena,
		"From: support@ours.example\nSubject: [Ticket#123] Received\n"
		"Auto-Submitted: auto-replied\n"
		"MIME-Version: 1.0\n"
		"Content-Type: multipart/mixed; boundary=q\n\n--q\n"
		"Content-Type: text/plain\n\nYour request was received.\n"
		"--q\nContent-Type: message/rfc822\n\n%s\nbody\n--q--\n",
		original));
	expect("an answer that quotes it whole",
	    (struct sent){.raw = quoted, .to = "bob@good.example"},
	    ORIGIN_UNKNOWN);
}

/* ---- without a Message-ID */

#define HELD_BY_LIST                                                \
	"From: club-bounces@ours.example\n"                         \
	"Subject: Your message to Club awaits moderator approval\n" \
	"Precedence: bulk\nX-List-Administrivia: yes\n"             \
	"List-Id: <club.ours.example>\n\n"                          \
	"Your mail to 'Club' with the subject\n\n    hello\n\n"     \
	"Is being held until the list moderator can review it for " \
	"approval.\n\nThe reason it is being held:\n\n"             \
	"    Post by non-member to a members-only list\n"

static void
a_notice_that_names_no_message_needs_a_day_without_doubt(void **state)
{
	(void)state;
	struct sent sent = {.raw = HELD_BY_LIST,
	    .from = "club-bounces@ours.example",
	    .to = "bob@good.example"};
	expect("nothing came", sent, ORIGIN_UNKNOWN);
	arrive(&(struct arrived){"l1@good", "bob@good.example",
	    "club@ours.example", "QUEUE1", "192.0.2.1", .class = CLASS_INBOUND,
	    .age_s = 60});
	expect("he wrote to the list", sent, ORIGIN_GENUINE);
	arrive(&(struct arrived){"", "bob@good.example", "club@ours.example",
	    "QUEUE1", "198.51.100.66", .class = CLASS_INBOUND});
	expect("so did somebody under his name", sent, ORIGIN_UNKNOWN);
	sent.to = "v@victim.example";
	arrive(&(struct arrived){"", "v@victim.example", "club@ours.example",
	    "QUEUE1", "198.51.100.66", .class = CLASS_INBOUND});
	expect("only somebody under his name", sent, ORIGIN_FORGED);
}

#define BY_SCRIPT                                                        \
	"From: Support <support@ours.example>\n"                         \
	"Subject: Your request\n\n"                                      \
	"Thank you for contacting us. A support ticket has been opened " \
	"for your\nrequest.\n"

static void
a_script_that_answers_without_saying_so_is_seen_by_what_came(void **state)
{
	(void)state;
	struct sent sent = {.raw = BY_SCRIPT,
	    .from = "www-data@ours.example",
	    .to = "v@victim.example",
	    .class = CLASS_LOCAL};
	assert_false(judge(&sent).is_answer);
	arrive(&(struct arrived){"p1@x", "v@victim.example",
	    "support@ours.example", "QUEUE1", "198.51.100.66",
	    .class = CLASS_INBOUND, .age_s = 5});
	expect("just after a forged message", sent, ORIGIN_FORGED);
	sent.to = "bob@good.example";
	arrive(&(struct arrived){"p2@x", "bob@good.example",
	    "support@ours.example", "QUEUE1", "192.0.2.1",
	    .class = CLASS_INBOUND, .age_s = 5});
	expect("just after an honest one", sent, ORIGIN_GENUINE);
	sent.raw = "From: Shop <shop@ours.example>\nSubject: Order 7\n\n"
		   "Your order of 3 candles is on its way.\n";
	assert_false(judge(&sent).is_answer);
}

/* ---- what a stranger tried, and got */

static void
the_subject_of_a_stranger_hides_no_answer(void **state)
{
	(void)state;
	static const char *const subjects[] = {
	    "Report Domain: a Submitter: b Report-ID: 1", "abuse report",
	    "Auto: Fwd: Re: hello",
	    "AW: unsubscribe, click here, limited time offer"};
	for (size_t i = 0; i < COUNT_OF(subjects); i++) {
		struct sent sent = {.to = "v@victim.example",
		    .raw = str_c(f.arena,
			str_printf(f.arena,
			    "From: a@ours.example\nSubject: %s\n"
			    "Auto-Submitted: auto-replied (vacation)\n\n"
			    "I am away.\n",
			    subjects[i]))};
		if (!judge(&sent).is_answer)
			fail_msg("%s", subjects[i]);
	}
	arrive(&(struct arrived){"h1@x", "v@victim.example",
	    "support@ours.example", "QUEUE1", "198.51.100.66",
	    .class = CLASS_INBOUND, .age_s = 5});
	expect("of a script",
	    (struct sent){.to = "v@victim.example",
		.from = "www-data@ours.example",
		.class = CLASS_LOCAL,
		.raw = "From: Support <support@ours.example>\n"
		       "Subject: AW: click here to unsubscribe\n\n"
		       "Thank you for contacting us. A support ticket has "
		       "been opened for\nyour request.\n"},
	    ORIGIN_FORGED);
}

static void
a_path_that_is_routed_on_is_whom_it_reaches(void **state)
{
	(void)state;
	static const char *const paths[] = {"v%victim.example@mx.ours.example",
	    "\"v@victim.example\"@ours.example",
	    "victim.example!v@mx.ours.example", "v%victim.example",
	    "victim.example!v", "v@victim.example.", "\"v\"@victim.example",
	    "@a.example,@b.example:v@victim.example"};
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "p%zu@x", i);
		arrive(&(struct arrived){id, paths[i], "nobody@ours.example",
		    "QUEUE1", "198.51.100.66", .from = "x@far.example",
		    .class = CLASS_INBOUND});
		const char *text = str_c(
		    f.arena, str_printf(f.arena, "Message-ID: <%s>\n", id));
		struct sent sent = {.raw = bounce(text), .to = paths[i]};
		struct notice notice = judge(&sent);
		assert_str(notice.addressee, "v@victim.example");
		expect(paths[i], sent, ORIGIN_FORGED);
		sent.to = "v@victim.example";
		expect(paths[i], sent, ORIGIN_FORGED);
	}
}

static void
an_id_beside_another_is_both(void **state)
{
	(void)state;
	static const char *const ids[] = {"junk@x> <known@v",
	    "known@v> <junk@x", "junk <known@v", " known@v "};
	arrive(
	    &(struct arrived){"known@v", "v@good.example", "alice@ours.example",
		"QUEUE0", "192.0.2.1", .class = CLASS_INBOUND, .age_s = 3600});
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		arrive(&(struct arrived){ids[i], "v@good.example",
		    "nobody@ours.example", "QUEUE1", "198.51.100.66",
		    .class = CLASS_INBOUND});
		struct sent sent = {.to = "v@good.example",
		    .raw = bounce(str_c(f.arena,
			str_printf(f.arena, "Message-ID: <%s>\n", ids[i])))};
		expect(ids[i], sent, ORIGIN_FORGED);
		sent.raw = vacation(str_c(f.arena,
		    str_printf(f.arena, "In-Reply-To: <%s>\n", ids[i])));
		struct notice notice = judge(&sent);
		if (notice.origin == ORIGIN_GENUINE)
			fail_msg("%s: genuine", ids[i]);
	}
	expect("a queue id that the ledger does not have",
	    (struct sent){.to = "v@good.example",
		.raw = bounce("Return-Path: <v@good.example>\n" BY_US(
		    "198.51.100.66", "QUEUE9") "Message-ID: <known@v>\n")},
	    ORIGIN_FORGED);
}

static void
what_people_write_is_not_thrown_away(void **state)
{
	(void)state;
	struct notice_budgets budgets = {1, 20, 200};
	arrive(&(struct arrived){"q1@x", "v@victim.example", "bob@ours.example",
	    "QUEUE1", "198.51.100.66", .class = CLASS_INBOUND, .age_s = 5});
	struct sent sent = {.to = "v@victim.example",
	    .from = "bob@ours.example",
	    .class = CLASS_RELAY,
	    .raw = "From: Bob <bob@ours.example>\nSubject: your note\n"
		   "User-Agent: Thunderbird\n\n"
		   "Thank you for contacting us, we will get back to you.\n"};
	assert_false(judge(&sent).is_answer);
	sent.raw = "From: Bob <bob@ours.example>\nSubject: your note\n\n"
		   "Thank you for contacting us, we will get back to you.\n";
	struct notice notice = judge(&sent);
	assert_true(notice.is_answer);
	assert_int_equal(
	    notice_rule(f.arena, &notice, f.memory, &budgets, NOW).permit,
	    PERMIT_HOLD);
}

static void
a_filter_that_hands_mail_over_again_changes_nothing(void **state)
{
	(void)state;
	arrive(&(struct arrived){"f1@good", "bob@good.example",
	    "nobody@ours.example", "QUEUE0", "192.0.2.1",
	    .class = CLASS_INBOUND});
	arrive(&(struct arrived){"f1@good", "bob@good.example",
	    "nobody@ours.example", "QUEUE1", "127.0.0.1",
	    .extra = BY_US("192.0.2.1", "QUEUE0"), .class = CLASS_RELAY});
	expect("a bounce of the second one",
	    (struct sent){.to = "bob@good.example",
		.raw = bounce("Return-Path: <bob@good.example>\n" BY_US(
		    "127.0.0.1", "QUEUE1") BY_US("192.0.2.1",
		    "QUEUE0") "Message-ID: <f1@good>\n")},
	    ORIGIN_GENUINE);
	expect("a vacation reply",
	    (struct sent){.to = "bob@good.example",
		.raw = vacation("In-Reply-To: <f1@good>\n")},
	    ORIGIN_GENUINE);
}

static void
one_message_of_a_program_silences_nobody(void **state)
{
	(void)state;
	arrive(&(struct arrived){"d1@good", "bob@good.example",
	    "alice@ours.example", "QUEUE1", "192.0.2.1", .class = CLASS_INBOUND,
	    .age_s = 60});
	arrive(&(struct arrived){"d1@good", "bob@good.example",
	    "alice@ours.example", "QUEUE2", "198.51.100.66", .is_auto = true,
	    .class = CLASS_INBOUND});
	struct sent sent = {.to = "bob@good.example",
	    .raw = vacation("In-Reply-To: <d1@good>\n")};
	assert_string_equal(judge(&sent).never, "");
}

static void
many_recipients_hide_nothing(void **state)
{
	(void)state;
	struct notice_budgets budgets = {1, 20, 200};
	struct sent sent = {.raw = HELD_BY_LIST,
	    .from = "club-bounces@ours.example",
	    .to = "bob@good.example"};
	arrive(&(struct arrived){"r1@good", "bob@good.example",
	    "club@ours.example", "QUEUE1", "192.0.2.1", .class = CLASS_INBOUND,
	    .age_s = 60});
	arrive(&(struct arrived){"r2@x", "bob@good.example", "z@far.example",
	    "QUEUE2", "198.51.100.66", .more = 25, .class = CLASS_INBOUND});
	expect("of a forged message", sent, ORIGIN_UNKNOWN);
	struct sent two = {.raw = bounce("Message-ID: <none@x>\n"),
	    .to = "a@plain.example b@plain.example"};
	struct notice notice = judge(&two);
	assert_string_equal(
	    notice_rule(f.arena, &notice, f.memory, &budgets, NOW).reason,
	    "several-recipients");
}

/* ---- (d), (e), (f) */

static void
ours_are_genuine(void **state)
{
	(void)state;
	expect("a domain of ours",
	    (struct sent){.raw = bounce("Message-ID: <o1@x>\n"),
		.to = "alice@ours.example"},
	    ORIGIN_GENUINE);
	expect("the host itself",
	    (struct sent){.raw = bounce("Message-ID: <o2@x>\n"),
		.to = "root@mx.ours.example"},
	    ORIGIN_GENUINE);
}

static void
who_we_wrote_to_may_be_answered_a_few_times(void **state)
{
	(void)state;
	struct sent sent = {.raw = vacation("In-Reply-To: <c1@plain>\n"),
	    .to = "prvs=1234abcdef=p@plain.example"};
	expect("before", sent, ORIGIN_UNKNOWN);
	arrive(&(struct arrived){"w1@ours", "alice@ours.example",
	    "p@plain.example", "QUEUE1", "198.51.100.7", .login = "alice",
	    .class = CLASS_SUBMISSION, .age_s = 3600});
	expect("after", sent, ORIGIN_GENUINE);
	struct notice notice = judge(&sent);
	assert_true(notice.is_weak);
	struct notice_budgets budgets = {1, 20, 200};
	unsigned n = 0;
	while (n < 100 &&
	       notice_rule(f.arena, &notice, f.memory, &budgets, NOW).permit ==
		   PERMIT_PASS)
		n++;
	assert_int_equal(n, NOTICE_WEAK_LIMIT);
}

static void
an_answer_to_a_notice_never_leaves(void **state)
{
	(void)state;
	static const struct {
		const char *label, *raw, *to;
		bool is_never;
	} cases[] = {
	    {"a list's owner", "In-Reply-To: <x@y>\n", "owner-l@far.example",
		true},
	    {"no-reply", "", "shop-noreply@far.example", true},
	    {"a list's bounces", "", "l-bounces+a=b.example@far.example", true},
	    {"a person", "", "request@far.example", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sent sent = {.raw = vacation(cases[i].raw),
		    .from = "alice@ours.example",
		    .to = cases[i].to};
		struct notice notice = judge(&sent);
		if ((notice.never[0] != '\0') != cases[i].is_never)
			fail_msg("%s: \"%s\"", cases[i].label, notice.never);
	}
	struct sent about = {.raw = bounce("Return-Path: <auto@far.example>\n"
					   "Auto-Submitted: auto-replied\n"),
	    .to = "auto@far.example"};
	assert_string_equal(judge(&about).never, "it answers a notice");
	about.raw = bounce("Return-Path: <l-bounces@far.example>\n"
			   "Auto-Submitted: auto-generated\n");
	about.to = "l-bounces@far.example";
	assert_string_equal(judge(&about).never, "");
}

static void
a_notice_from_outside_is_passed_on(void **state)
{
	(void)state;
	struct sent sent = {
	    .raw = bounce("Message-ID: <z1@x>\n"), .to = "alice@far.example"};
	sent.raw = str_c(f.arena, str_printf(f.arena,
				      "Received: from a (a [192.0.2.1]) by "
				      "mx.ours.example with ESMTP id Q; x\n%s",
				      sent.raw));
	assert_false(judge(&sent).is_passing);
	arrive(&(struct arrived){"20261129.NOTICE1@mx.ours.example", "",
	    "alice@ours.example", "QUEUE1", "192.0.2.1",
	    .from = "MAILER-DAEMON@far.example", .class = CLASS_INBOUND});
	assert_true(judge(&sent).is_passing);
}

static void
of_several_addressees_the_worst_counts(void **state)
{
	(void)state;
	arrive(
	    &(struct arrived){"n1@x", "v@victim.example", "nobody@ours.example",
		"QUEUE1", "192.0.2.1", .class = CLASS_INBOUND});
	expect("one of two is forged",
	    (struct sent){.raw = bounce("Message-ID: <n1@x>\n"),
		.to = "alice@ours.example v@victim.example"},
	    ORIGIN_FORGED);
	expect("more than are looked at",
	    (struct sent){.raw = bounce("Message-ID: <n2@x>\n"),
		.to = "a@ours.example b@ours.example c@ours.example "
		      "d@ours.example e@ours.example v@victim.example"},
	    ORIGIN_UNKNOWN);
}

/* ---- through other servers of ours */

static void
mail_of_a_relay_is_judged_where_it_came_in(void **state)
{
	(void)state;
	arrive(&(struct arrived){"r1@x", "v@victim.example", "x@far.example",
	    "QUEUE1", "10.0.0.7", .extra = BY_US("198.51.100.66", "B1"),
	    .class = CLASS_RELAY});
	arrive(&(struct arrived){"r2@x", "bob@good.example", "x@far.example",
	    "QUEUE1", "10.0.0.7", .extra = BY_US("192.0.2.1", "B2"),
	    .class = CLASS_RELAY});
	arrive(&(struct arrived){"r3@x", "bob@good.example",
	    "alice@ours.example", "QUEUE1", "10.0.0.7",
	    .extra = BY_US("192.0.2.1", "B3"), .class = CLASS_INBOUND});
	expect("forged further out",
	    (struct sent){.raw = bounce("Message-ID: <r1@x>\n"),
		.to = "v@victim.example"},
	    ORIGIN_FORGED);
	expect("a hacked site could write such fields",
	    (struct sent){.raw = bounce("Message-ID: <r2@x>\n"),
		.to = "bob@good.example"},
	    ORIGIN_UNKNOWN);
	expect("a second mail exchanger that is said to be inbound",
	    (struct sent){.raw = bounce("Message-ID: <r3@x>\n"),
		.to = "bob@good.example"},
	    ORIGIN_GENUINE);
}

/* ---- the gate */

static void
budgets_let_the_unknown_out(void **state)
{
	(void)state;
	struct notice_budgets budgets = {1, 3, 5};
	static const struct {
		const char *to, *want;
		int64_t at;
	} steps[] = {
	    {"a@one.example", "unknown", 0},
	    {"A@one.example", "budget-addressee", 10},
	    {"b@one.example", "unknown", 20},
	    {"c@one.example", "unknown", 30},
	    {"d@one.example", "budget-domain", 40},
	    {"a@two.example", "unknown", 50},
	    {"b@two.example", "unknown", 60},
	    {"a@three.example", "budget-total", 70},
	    {"a@three.example", "unknown", 3601},
	    {"a@one.example", "budget-addressee", 3700},
	    {"a@one.example", "unknown", 24 * 3600 + 1},
	};
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct notice notice = {.addressee = str_from(steps[i].to),
		    .author = STR("daemon@ours.example"),
		    .weak_id = STR_EMPTY,
		    .is_answer = true,
		    .never = ""};
		struct notice_ruling ruling = notice_rule(
		    f.arena, &notice, f.memory, &budgets, NOW + steps[i].at);
		if (strcmp(ruling.reason, steps[i].want) != 0)
			fail_msg("%s at %d: %s, not %s", steps[i].to,
			    (int)steps[i].at, ruling.reason, steps[i].want);
	}
}

static void
without_a_memory_the_unknown_are_held(void **state)
{
	(void)state;
	struct notice_budgets budgets = {1, 3, 5};
	struct notice notice = {.addressee = STR("a@one.example"),
	    .author = STR("x@y"),
	    .weak_id = STR_EMPTY,
	    .is_answer = true,
	    .never = ""};
	assert_int_equal(
	    notice_rule(f.arena, &notice, NULL, &budgets, NOW).permit,
	    PERMIT_HOLD);
}

#define WITH_WORLD(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    WITH_WORLD(the_ledger_knows_who_wrote),
    WITH_WORLD(a_policy_of_reject_speaks_without_spf),
    WITH_WORLD(the_message_id_of_another_proves_nothing),
    WITH_WORLD(an_author_counts_apart_from_the_envelope),
    WITH_WORLD(who_logged_in_is_genuine_unless_it_was_forbidden),
    WITH_WORLD(the_returned_message_is_asked_again),
    WITH_WORLD(what_another_program_returns_is_not_asked),
    WITH_WORLD(a_notice_that_names_no_message_needs_a_day_without_doubt),
    WITH_WORLD(a_script_that_answers_without_saying_so_is_seen_by_what_came),
    WITH_WORLD(the_subject_of_a_stranger_hides_no_answer),
    WITH_WORLD(a_path_that_is_routed_on_is_whom_it_reaches),
    WITH_WORLD(an_id_beside_another_is_both),
    WITH_WORLD(what_people_write_is_not_thrown_away),
    WITH_WORLD(a_filter_that_hands_mail_over_again_changes_nothing),
    WITH_WORLD(one_message_of_a_program_silences_nobody),
    WITH_WORLD(many_recipients_hide_nothing),
    WITH_WORLD(ours_are_genuine),
    WITH_WORLD(who_we_wrote_to_may_be_answered_a_few_times),
    WITH_WORLD(an_answer_to_a_notice_never_leaves),
    WITH_WORLD(a_notice_from_outside_is_passed_on),
    WITH_WORLD(of_several_addressees_the_worst_counts),
    WITH_WORLD(mail_of_a_relay_is_judged_where_it_came_in),
    WITH_WORLD(budgets_let_the_unknown_out),
    WITH_WORLD(without_a_memory_the_unknown_are_held),
};

UNIT_MAIN(tests)
