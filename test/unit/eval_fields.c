/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_fields -- what SpamAssassin's functions say of fields: characters,
 * dates, Message-IDs, recipients. */
#include "rule_case.h"

#include "rules/mail_date.h"

static void
characters_that_must_not_stand_there(void **state)
{
	(void)state;
	static const char RULES[] =
	    "header A eval:check_illegal_chars('Subject', '0.00', '2')\n"
	    "header B eval:check_illegal_chars('Subject', '0.50', '1')\n"
	    "header C eval:check_illegal_chars('From:raw', '0', '1')\n"
	    "header D eval:check_illegal_chars('ALL', '0.010', '2')\n";
	static const struct rule_case CASES[] = {
	    {RULES, "Subject: plain\n\n", ""},
	    {RULES,
		"Subject: gr\xfc\xdf"
		"e\n\n",
		"A D"},
	    {RULES, "Subject: \xe9\xe9\xe9\n\n", "A B D"},
	    {RULES,
		"Subject: gr\xc3\xbc\xc3\x9f"
		"e\n\n",
		""},
	    {RULES, "Subject: gr\xc3\xbc\xc3\x9f\x01\n\n", "A B D"},
	    {RULES, "Subject: a\x01\x02\n\n", "A D"},
	    {RULES, "Subject: a\tb\x7f\n\n", ""},
	    {RULES, "Subject: \xa3 100 \xe9\n\n", "D"},
	    {RULES, "Subject: \xa3 100 \xa3\n\n", "A D"},
	    {RULES, "From: \xe9 <a@b>\n\n", "C"},
	    {RULES, "X: y\n\n", ""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
charsets_of_far_away(void **state)
{
	(void)state;
#define FARAWAY "header A eval:check_for_faraway_charset_in_headers()\n"
	static const struct rule_case CASES[] = {
	    {FARAWAY, "Subject: =?koi8-r?B?AAAA?=\n\n", ""},
	    {"ok_locales en\n" FARAWAY, "Subject: =?koi8-r?B?AAAA?=\n\n", "A"},
	    {"ok_locales en\n" FARAWAY, "Subject: =?utf-8?B?AAAA?=\n\n", ""},
	    {"ok_locales en\n" FARAWAY, "To: =?koi8-r?B?AAAA?=\n\n", ""},
	    {"ok_locales en ru\n" FARAWAY, "From: =?KOI8-R?B?AA?= <a@b>\n\n",
		""},
	    {"ok_locales ru_RU\n" FARAWAY, "From: =?KOI8-R?B?AA?= <a@b>\n\n",
		""},
	    {"ok_locales en\n" FARAWAY,
		"Subject: =?utf-8?B?AA?= =?big5?Q?A?=\n\n", "A"},
	    {"ok_locales en\n" FARAWAY, "Subject: =?big5?Q?A\n =?big5?=\n\n",
		""},
	    {"ok_locales en\n" FARAWAY, "Subject: =??B?=?big5?B?x?=\n\n", "A"},
	    {"ok_locales all\n" FARAWAY, "Subject: =?big5?Q?A?=\n\n", ""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
subjects_in_capitals(void **state)
{
	(void)state;
	static const char RULES[] =
	    "header A eval:subject_is_all_caps()\n"
	    "header B eval:check_for_unique_subject_id()\n"
	    "header C eval:check_unresolved_template()\n";
	static const struct rule_case CASES[] = {
	    {RULES, "Subject: BUY IT NOW, 50%\n\n", "A"},
	    {RULES, "Subject: Re: FW: BUY IT NOW\n\n", "A"},
	    {RULES, "Subject: Re: BUY NOW\n\n", ""},
	    {RULES, "Subject: BUYITNOWANDALL\n\n", ""},
	    {RULES, "Subject: BUY iT NOW\n\n", ""},
	    {RULES, "Subject: 123 456 789 0\n\n", ""},
	    {RULES, "Subject: =?koi8-r?Q?BUY_IT_NOW?=\n\n", ""},
	    {RULES, "Subject: =?utf-8?Q?BUY_IT_NOW?=\n\n", "A"},
	    {RULES, "X-Mailer: %RANDOM mailer\n\n", "C"},
	    {RULES, "Message-ID: <%RANDOM>\nSubject: %RND_X\n\n", ""},
	    {RULES, "X-Mailer: 50%Off\n\n", ""},
	};
	RULE_CASES_CHECK(CASES);
}

#define FOR(address) "<" address ">, "

static void
recipients_that_are_alike(void **state)
{
	(void)state;
	static const char RULES[] =
	    "header A eval:sorted_recipients()\n"
	    "header B eval:similar_recipients('0.65', 'undef')\n"
	    "header C eval:similar_recipients('undef', '0.1')\n"
	    "header D eval:check_for_missing_to_header()\n";
	static const struct rule_case CASES[] = {
	    {RULES,
		"To: " FOR("a@x.example") FOR("b@x.example") FOR("c@x.example")
		    FOR("d@x.example") "\nCc: " FOR("e@x.example")
			FOR("f@x.example") "g@x.example\n\n",
		"A C"},
	    {RULES,
		"To: " FOR("b@x.example") FOR("a@x.example") FOR("c@x.example")
		    FOR("d@x.example") "\nCc: " FOR("e@x.example")
			FOR("f@x.example") "g@x.example\n\n",
		"C"},
	    {RULES,
		"To: " FOR("aa1@x.example") FOR("aa2@x.example")
		    FOR("aa3@x.example") FOR("aa4@x.example")
			FOR("aa5@x.example") "\n\n",
		"B"},
	    {RULES,
		"To: " FOR("a@xy.example") FOR("b@xyz.example")
		    FOR("c@xyq.example") FOR("d@xyr.example")
			FOR("e@xys.example") "\n\n",
		"B"},
	    {RULES, "Subject: x\n\n", "C D"},
	    {RULES, "To:\n\n", "C"},
	    {RULES, "Apparently-To: a@b.example\n\n", "C"},
	};
	RULE_CASES_CHECK(CASES);
}

#define AT(hour) "Received: from a by b; Mon, 2 Nov 2020 " hour ":00:00 +0000\n"
#define DATE(text) "Date: " text "\n"

static void
dates_before_and_after_the_way(void **state)
{
	(void)state;
	static const char RULES[] =
	    "header A eval:check_for_shifted_date('3', '6')\n"
	    "header B eval:check_for_shifted_date('-6', '-3')\n"
	    "header C eval:check_for_shifted_date('96', 'undef')\n"
	    "header D eval:check_for_shifted_date('0', '0.001')\n"
	    "header E eval:received_within_months('24', 'undef')\n";
	static const struct rule_case CASES[] = {
	    {RULES, AT("10") DATE("Mon, 2 Nov 2020 10:00:00 +0000") "\n",
		"D E"},
	    {RULES, AT("10") DATE("Mon, 2 Nov 2020 13:00:00 +0000") "\n",
		"A E"},
	    {RULES, AT("10") DATE("Mon, 2 Nov 2020 11:00:00 -0200") "\n",
		"A E"},
	    {RULES, AT("10") DATE("Mon, 2 Nov 2020 09:00:00 EEST") "\n", "B E"},
	    {RULES, AT("10") DATE("Mon, 2 Nov 2030 09:00:00 GMT") "\n", "C E"},
	    {RULES, AT("10") DATE("nonsense") "\n", "D E"},
	    {RULES, DATE("Mon, 2 Nov 2030 09:00:00 GMT") "\n", "D"},
	    /* The nearest one, but not the oldest if it is the very time. */
	    {RULES, AT("10") AT("12") DATE("2 Nov 2020 13:00:01 GMT") "\n",
		"E"},
	    {RULES, AT("10") AT("14") DATE("2 Nov 2020 14:00 GMT") "\n", "A E"},
	    {RULES,
		AT("10") DATE("2 Nov 2020 10:00 GMT") "Resent-Date: 2 Nov 2020 "
						      "14:00 GMT\n\n",
		"A E"},
	    /* What fetchmail wrote does not count. */
	    {RULES,
		"Received: from localhost [127.0.0.1] by x; Mon, 2 Nov 2020 "
		"14:00:00 +0000\n"
		"Received: from p by localhost with POP3 (fetchmail-6.2) for "
		"<x@localhost>; Mon, 2 Nov 2020 14:00:00 +0000\n" AT("10")
		    DATE("2 Nov 2020 14:00 GMT") "\n",
		"A E"},
	    /* 24 months before RULE_CASE_NOW, to the second */
	    {RULES, DATE("Fri, 31 Dec 2021 12:21:36 GMT") "\n", "D E"},
	    {RULES, DATE("Fri, 31 Dec 2021 12:21:37 GMT") "\n", "D"},
	};
	RULE_CASES_CHECK(CASES);
}

static void
dates_of_every_kind(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds; /* -1: no date */
	} CASES[] = {
	    {"Thu, 01 Jan 1970 00:00:00 +0000", 0},
	    {"Mon, 2 Nov 2020 10:00:00 +0000", 1604311200},
	    {"2 nov 2020 10:00 (GMT)", 1604311200},
	    {"Mon,2 Nov 2020 10:00:00 +0100", 1604307600},
	    {"2 Nov 20 10:00:00 EST", 1604329200},
	    {"2 Nov 120 10:00:00", 1604311200},
	    {"Nov 2 10:00:00 2020", 1604275200},
	    {"Mon Nov 2 10:00:00 EST 2020", -1},
	    {"MON, 2 Nov 2020 10:00:00 EST", 1604311200},
	    {"31 Nov 2020 00:00:00", 1606780800},
	    {"31 Dec 2020 99:99:99", 1609459199},
	    {"0 Nov 2020 00:00:00", -1},
	    {"29 Feb 2040 00:00:00", -1},
	    {"1 Jan 1970 00:00:00 +0100", 0},
	    {"1 Jan 2100 00:00:00", 2114380800},
	    {"2 Nov 2020", 1604275200},
	    {"2-Nov-2020 10:00:00", -1},
	    {"", -1},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct arena *a = arena_new();
		int64_t seconds;
		if (!mail_date_read(a, str_from(CASES[i].text), &seconds))
			seconds = -1;
		if (seconds != CASES[i].seconds)
			fail_msg(
			    "%s is %lld", CASES[i].text, (long long)seconds);
		arena_free(a);
	}
}

#define OUTLOOK(time) "Message-ID: <0001" time "$00000000$01234567@x>\n"

static void
message_ids_tell_the_program(void **state)
{
	(void)state;
	static const char RULES[] =
	    "header A eval:check_outlook_message_id()\n"
	    "header B eval:check_messageid_not_usable()\n"
	    "header C eval:check_ratware_name_id()\n";
#define RATWARE "Message-ID: <ABCDEFGHIJKLMNOPQRSTUVWXYZAB.x@b.example>\n"
	static const struct rule_case CASES[] = {
	    {RULES,
		"Received: x\n" OUTLOOK("01d6b100")
		    DATE("Mon, 2 Nov 2020 10:00:00 +0000") "\n",
		""},
	    {RULES,
		"Received: x\n" OUTLOOK("01c6b100")
		    DATE("Mon, 2 Nov 2020 10:00:00 +0000") "\n",
		"A"},
	    {RULES, "Message-ID: <x@y>\n\n", "B"},
	    {RULES, "Received: x\nMessage-ID: <x@y>\n\n", ""},
	    {RULES, "Received: by x (/CWT/DCE)\n\n", "B"},
	    {RULES,
		"Received: x\n"
		"List-Unsubscribe: <mailto:leave-l@lists.example>\n\n",
		"B"},
	    {RULES,
		"Received: (qmail 7 invoked from network); 7 Nov 2020\n"
		"Mailing-List: contact l-help@x.example; run by ezmlm\n"
		"Delivered-To: mailing list l@x.example\n\n",
		"B"},
	    {RULES, "Received: x\nFrom: \"X\" <x@b.example>\n" RATWARE "\n",
		"C"},
	    {RULES, "Received: x\nFrom: X <x@b.example>\n" RATWARE "\n", ""},
	    {RULES, "Received: x\nFrom: \"X\" <y@b.example>\n" RATWARE "\n",
		""},
	};
	RULE_CASES_CHECK(CASES);
}

static void
the_sender_hides_the_recipient(void **state)
{
	(void)state;
#define SENDER(address) "Return-Path: <" address ">\nTo: joe@mail.b.example\n\n"
	static const char RULES[] =
	    "header A eval:check_ratware_envelope_from()\n";
	static const struct rule_case CASES[] = {
	    {RULES, SENDER("x-b.example-joe@spam.com"), "A"},
	    {RULES, SENDER("B.Example=Joe@spam.com"), "A"},
	    {RULES, SENDER("xb.example-joe@spam.com"), ""},
	    {RULES, SENDER("b.example-joey@spam.com"), ""},
	    {RULES, SENDER("SRS0=x=y=b.example=joe@spam.com"), ""},
	};
	RULE_CASES_CHECK(CASES);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(characters_that_must_not_stand_there),
    cmocka_unit_test(charsets_of_far_away),
    cmocka_unit_test(subjects_in_capitals),
    cmocka_unit_test(recipients_that_are_alike),
    cmocka_unit_test(dates_before_and_after_the_way),
    cmocka_unit_test(dates_of_every_kind),
    cmocka_unit_test(message_ids_tell_the_program),
    cmocka_unit_test(the_sender_hides_the_recipient),
};
UNIT_MAIN(tests)
