/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notice_kind -- notices of many programs are told by their kind, and mail that
 * only looks like one is not.  test/mail/notice/KIND-NAME.eml is a message of
 * that kind.
 */
#include "unit.h"

#include <dirent.h>

#include "base/diag.h"
#include "mail/message.h"
#include "notice/origin.h"
#include "notice/words.h"
#include "rules/eval.h"
#include "rules/ruleset.h"

#define EVIDENCE_MAX 200

static struct notice_form
form_of(struct arena *a, struct str raw, const struct envelope *envelope)
{
	struct mail_config *config = ARENA_NEW(a, struct mail_config);
	config->limits = MAIL_LIMITS_DEFAULT;
	return notice_form_of(message_new(a, raw, config, envelope));
}

static struct str
file_read(struct arena *a, const char *path)
{
	struct buf *b = buf_new(a, 1 << 20);
	char chunk[4096];
	size_t n;
	FILE *in = fopen(path, "rb");
	assert_non_null(in);
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_put(b, str_of(chunk, n));
	(void)fclose(in);
	return buf_str(b);
}

/* True: the message in the file is of the kind that its name begins with. */
static bool
is_right(const char *folder, const char *name)
{
	struct arena *a = arena_new();
	struct str path = str_printf(a, "%s/%s", folder, name);
	struct notice_form form =
	    form_of(a, file_read(a, str_c(a, path)), NULL);
	struct str want = str_from(name), got = notice_kind_name(form.kind);
	want = str_cut(&want, '-');
	bool is_same = str_eq(want, got);
	if (!is_same)
		print_error("%s: %.*s (%.*s)\n", name, STR_ARG(got),
		    STR_ARG(form.evidence));
	assert_true(form.evidence.len <= EVIDENCE_MAX);
	assert_int_equal(form.evidence.len == 0, form.kind == NOTICE_NONE);
	arena_free(a);
	return is_same;
}

static void
tells_notices_of_many_programs_and_ordinary_mail(void **state)
{
	(void)state;
	const char *srcdir = getenv("srcdir");
	struct arena *a = arena_new();
	char *folder = str_c(a, str_printf(a, "%s/test/mail/notice",
				    srcdir == NULL ? "." : srcdir));
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	size_t nfiles = 0;
	bool is_ok = true;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (!str_ends(str_from(entry->d_name), STR(".eml")))
			continue;
		nfiles++;
		is_ok &= is_right(folder, entry->d_name);
	}
	(void)closedir(dir);
	arena_free(a);
	assert_true(nfiles >= 160);
	assert_true(is_ok);
}

#define T "To: ann@example.org\nContent-Type: text/plain; charset=utf-8\n"

static const struct {
	const char *label, *mail, *want;
} small[] = {
    {"nothing", "", "none"},
    {"no header", "\nundeliverable\n", "none"},
    {"words alone are no notice",
	"From: Ann <ann@example.org>\nSubject: hello\n" T
	"\nThis is the qmail-send program at mx.example.net. I'm afraid I "
	"wasn't able to deliver your message. This is a permanent error; I've "
	"given up. Sorry it didn't work out.\n",
	"none"},
    {"a mailer-daemon writes something else",
	"From: MAILER-DAEMON@example.net\nSubject: Test\n" T "\nHi\n", "none"},
    {"the null sender alone",
	"Return-Path: <>\nFrom: a@example.net\nSubject: Hi\n" T "\nHi\n",
	"none"},
    {"a Subject with the colon of automatic replies",
	"From: bob@example.net\nSubject: Automatic reply: our meeting\n" T
	"\nGone\n",
	"vacation"},
    {"the words of that Subject alone",
	"From: bob@example.net\nSubject: the automatic reply of our shop\n" T
	"\nIs it still on?\n",
	"none"},
    {"a capital I with a dot is an i",
	"From: Postmaster <postmaster@example.net>\nSubject: "
	"=?utf-8?q?=C4=B0letilemeyen_e-posta?=\n" T
	"\nAnn adresine g\xc3\xb6nderdi\xc4\x9finiz e-posta iletilemedi.\n",
	"dsn"},
    {"what a program of issues tells is no bounce",
	"From: issues@example.net\nSubject: user unknown: mail returned\n"
	"Auto-Submitted: auto-generated\n" T
	"\n550 5.1.1 user unknown, could not be delivered to\n",
	"none"},
    {"a program of lists answers by its name",
	"From: SmartList <talk-request@example.net>\nSubject: Re: join\n"
	"In-Reply-To: <1@x.example>\n" T "\nYou are on it.\n",
	"list"},
    {"who runs a list answers",
	"From: Bob <talk-request@example.net>\nSubject: Re: join\n"
	"In-Reply-To: <1@x.example>\n" T "\nYou are on it.\n",
	"none"},
    {"mailagent",
	"From: bob@example.net\nSubject: No program called foo\n"
	"X-Mailer: mailagent [version 3.1]\n" T "\nSorry.\n",
	"autoreply"},
    {"a mail program with nearly that name",
	"From: bob@example.net\nSubject: Hi\n"
	"X-Mailer: [Some-Mailagent][version 4]\n" T "\nHi\n",
	"none"},
    {"Auto-Submitted: no",
	"From: a@example.net\nSubject: Re: x\nAuto-Submitted: no\n" T "\nHi\n",
	"none"},
    {"Auto-Submitted: auto-forwarded",
	"From: a@example.net\nSubject: x\nAuto-Submitted: auto-forwarded\n" T
	"\nHi\n",
	"none"},
    {"Auto-Submitted in odd form",
	"From: a@example.net\nSubject: x\nAUTO-SUBMITTED: (robot)\n\t"
	"Auto-Replied; owner=x\n" T "\nHi\n",
	"autoreply"},
    {"a folded, encoded Subject",
	"From: Postmaster <postmaster@example.net>\nSubject: "
	"=?utf-8?q?Unde?=\n "
	"=?utf-8?q?liverable=3A?= x\nX-MS-Embedded-Report:\n" T
	"\nYour message did not reach some or all of the intended "
	"recipients.\n",
	"dsn"},
    {"a delayed and a failed recipient",
	"From: MAILER-DAEMON@example.net\nSubject: x\nContent-Type: "
	"multipart/report; boundary=b\n\n--b\nContent-Type: "
	"message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: "
	"delayed\nStatus: 4.0.0\n\nAction: failed\nStatus: 5.0.0\n\n--b--\n",
	"dsn"},
    {"a delivery-status part without fields",
	"From: a@example.net\nSubject: x\nContent-Type: multipart/report; "
	"boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nbuy "
	"now\n\n--b--\n",
	"none"},
    {"a full mailbox in the returned message only",
	"From: MAILER-DAEMON@example.net\nSubject: failure notice\n" T
	"\nI'm afraid I wasn't able to deliver your message.\n\n--- Below this "
	"line is a copy of the message.\n\nmailbox is full, 5.2.2\n",
	"dsn"},
    {"a quoted bounce",
	"From: Ann <ann@example.org>\nSubject: Undelivered mail\n" T
	"\n> I'm sorry to have to inform you that your message could not\n"
	"> be delivered to one or more recipients.\nwhat is that?\n",
	"none"},
    {"the charset is not what it claims",
	"Return-Path: <>\nFrom: Postmaster@example.net\nSubject: Mail System "
	"Error - Returned Mail\nTo: ann@example.org\nContent-Type: text/plain; "
	"charset=ISO-2022-JP\n\n\xa4\xb3\xa4\xce\n>>> RCPT TO:<x@example.net>\n"
	"<<< 550 <x@example.net>: User unknown\n",
	"dsn"},
    {"an absence that answers, but is called no answer",
	"From: bob@example.net\nSubject: on holiday\nIn-Reply-To: <1@x>\n" T
	"\nI am away from my desk until Monday.\n",
	"vacation"},
    {"the same without In-Reply-To",
	"From: bob@example.net\nSubject: on holiday\n" T
	"\nI am away from my desk until Monday.\n",
	"none"},
    {"a report without a boundary",
	"From: abuse@example.net\nSubject: FW: money\nContent-Type: "
	"multipart/report; report-type=feedback-report\n\nThis is a report of "
	"abuse.\n",
	"arf"},
    {"a scanner's field in another language",
	"From: postmaster@example.net\nX-Site-MailScanner: generado\n" T
	"\nEl correo contiene algo malo.\n",
	"filter"},
    {"a mail system's name, address and Subject",
	"From: mailer daemon <postmaster@example.net>\nSubject: mail delivery "
	"failed: x\n" T "\nIt did not work.\n",
	"dsn"},
    {"an answer from abroad",
	"From: postmaster@example.net\nSubject: Odg: Undeliverable mail\n" T
	"\nYour message could not be delivered? User unknown?\n",
	"none"},
    {"no sender, and a Subject that says it",
	"Return-Path: <>\nFrom: router@example.net\nSubject: Cannot deliver\n" T
	"\nThere is nobody of that name here.\n",
	"dsn"},
    {"the same of a parcel",
	"Return-Path: <>\nFrom: shop@example.net\nSubject: Cannot deliver your "
	"parcel\n" T "\nThere is nobody of that name here.\n",
	"none"},
    {"no sender, a postmaster, and no known language",
	"Return-Path: <>\nFrom: postmaster@example.net\nSubject: ddd\n" T
	"\neee fff\n",
	"dsn"},
    {"the same as a program of his writes it by itself",
	"Return-Path: <>\nFrom: postmaster@example.net\nAuto-Submitted: "
	"auto-generated\nSubject: ddd\n" T "\neee fff\n",
	"none"},
    {"one's own address as Subject",
	"From: bob@example.net\nSubject: Re: bob@example.net\n" T
	"\nThis is an automated response. I will be out of the office until "
	"Monday.\n",
	"vacation"},
};

static void
weighs_marks_and_words_together(void **state)
{
	(void)state;
	bool is_ok = true;
	for (size_t i = 0; i < COUNT_OF(small); i++) {
		struct arena *a = arena_new();
		struct notice_form form =
		    form_of(a, str_from(small[i].mail), NULL);
		struct str got = notice_kind_name(form.kind);
		if (!str_eq(got, str_from(small[i].want))) {
			print_error("%s: got %.*s (%.*s)\n", small[i].label,
			    STR_ARG(got), STR_ARG(form.evidence));
			is_ok = false;
		}
		arena_free(a);
	}
	assert_true(is_ok);
}

static void
the_envelope_says_who_sends(void **state)
{
	(void)state;
	const struct str mail =
	    STR("Return-Path: <>\nFrom: postmaster@example.net\n"
		"Subject: Undeliverable mail\n\n(nothing is said)\n");
	struct arena *a = arena_new();
	const struct envelope null = {.from = STR_EMPTY};
	const struct envelope other = {.from = STR("ann@example.org")};
	assert_int_equal(form_of(a, mail, NULL).kind, NOTICE_DSN);
	assert_int_equal(form_of(a, mail, &null).kind, NOTICE_DSN);
	assert_int_equal(form_of(a, mail, &other).kind, NOTICE_NONE);
	arena_free(a);
}

static void
evidence_names_what_decided(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct notice_form form = form_of(a,
	    STR("From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n"
		"Hi. This is the qmail-send program at example.net.\n"
		"I'm afraid I wasn't able to deliver your message.\n"),
	    NULL);
	assert_str(form.evidence,
	    "From: mailer-daemon; Subject: failure notice; text: i'm afraid i "
	    "wasn't able to deliver your message");
	arena_free(a);
}

static void
names_and_parses_kinds(void **state)
{
	(void)state;
	enum notice_kind kind;
	for (int i = 0; i < NOTICE_KINDS; i++) {
		assert_true(notice_kind_parse(
		    notice_kind_name((enum notice_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_true(notice_kind_parse(STR("DSN"), &kind));
	assert_false(notice_kind_parse(STR("bounce"), &kind));
	assert_false(notice_kind_parse(STR_EMPTY, &kind));
	assert_true(notice_kind_is_delivery(NOTICE_REJECT));
	assert_false(notice_kind_is_delivery(NOTICE_VACATION));
	assert_false(notice_kind_is_delivery(NOTICE_NONE));
	assert_true(notice_kind_is_answer(NOTICE_MDN));
	assert_false(notice_kind_is_answer(NOTICE_DMARC));
	assert_false(notice_kind_is_answer(NOTICE_NONE));
}

static const struct {
	const char *label, *text, *want;
} folds[] = {
    {"blanks", " A \t\n B\xc2\xa0 C", "a b c"},
    {"letters", "\xc3\x84\xc3\x96\xc3\x9c \xc5\xa0 \xce\x91 \xd0\x90\xd0\xaf",
	"\xc3\xa4\xc3\xb6\xc3\xbc \xc5\xa1 \xce\xb1 \xd0\xb0\xd1\x8f"},
    {"an apostrophe", "can\xe2\x80\x99t", "can't"},
    {"the invisible",
	"a\xe2\x80\x8b\xc2\xad"
	"b",
	"ab"},
    {"broken bytes",
	"a\xff\xfe"
	"b\xc3",
	"a b "},
};

static void
folds_text_to_the_form_of_the_phrases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(folds); i++) {
		char to[100];
		size_t len = 0;
		notice_fold(str_from(folds[i].text), to, sizeof(to), &len);
		print_message("# %s\n", folds[i].label);
		assert_str(str_of(to, len), folds[i].want);
	}
}

static void
table_is_sound(const struct notice_word *words)
{
	for (; words->text != NULL; words++) {
		char to[300];
		size_t len = 0;
		const char *text = words->text + (words->text[0] == '^');
		notice_fold(str_from(text), to, sizeof(to), &len);
		assert_str(str_of(to, len), text);
		assert_true(len >= 4 && words->weight > 0);
	}
}

/* A phrase that folding changes could never be found. */
static void
every_phrase_is_written_as_it_is_looked_for(void **state)
{
	(void)state;
	table_is_sound(NOTICE_SUBJECTS);
	table_is_sound(NOTICE_TEXTS);
}

static const struct {
	const char *text;
	bool want;
} replies[] = {
    {"said: 550 5.1.1 unknown", true},
    {"said: 550-5.1.1 unknown", true},
    {"452 4.2.2", true},
    {"(550 5.7.515. see)", true},
    {"550 unknown", false},
    {"550 4.1.1", false},
    {"1550 5.1.1", false},
    {"550 5.1.1.7", false},
    {"550 5.1", false},
    {"550 5.1.", false},
    {"", false},
};

static void
knows_a_reply_of_a_server(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(replies); i++) {
		print_message("# %s\n", replies[i].text);
		assert_int_equal(notice_has_reply(str_from(replies[i].text)),
		    replies[i].want);
	}
}

/* What asks for much work, two megabytes of it. */
static const char *const hostile[] = {"your ", "the following ",
    "this is an automated ", "a", ">\n", "\n", "5.2.2 ", "\xe9\x85\x8d",
    "550 5.1.", "--- \n", "<b>x", "=?utf-8?q?a?= ", "\xff", "--b\n\n",
    "mail delivery "};

static void
works_in_linear_time(void **state)
{
	(void)state;
	static const char *const heads[] = {
	    "From: MAILER-DAEMON@x\nContent-Type: text/plain\nSubject: x\n\n",
	    "From: MAILER-DAEMON@x\nContent-Type: text/html\n\n",
	    "From: MAILER-DAEMON@x\nContent-Type: multipart/report; "
	    "report-type=delivery-status; boundary=b\n\n--b\nContent-Type: "
	    "message/delivery-status\n\n",
	    "Subject: ", "From: ", "Auto-Submitted: "};
	for (size_t i = 0; i < COUNT_OF(heads) * COUNT_OF(hostile); i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 2 << 20);
		buf_put(b, str_from(heads[i / COUNT_OF(hostile)]));
		while (!b->is_cut)
			buf_put(b, str_from(hostile[i % COUNT_OF(hostile)]));
		struct mail_config config = {.limits = MAIL_LIMITS_DEFAULT};
		struct message *m = message_new(a, buf_str(b), &config, NULL);
		int64_t start = cpu_ms();
		struct notice_form form = notice_form_of(m);
		assert_true(cpu_ms() - start < 500);
		assert_true(form.evidence.len <= EVIDENCE_MAX);
		arena_free(a);
	}
}

/* --- rules -----------------------------------------------------------------
 */

static int
ask(struct arena *a, const char *name, const char *arg,
    const struct notice *notice)
{
	const struct eval_row *row = EVAL_NOTICE;
	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	assert_non_null(row->name);
	struct mail_config *config = ARENA_NEW(a, struct mail_config);
	config->limits = MAIL_LIMITS_DEFAULT;
	struct eval_facts facts = {.notice = notice};
	struct str argument = str_from(arg);
	struct eval_call call = {
	    .message = message_new(a,
		STR("From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n"
		    "user is over quota\n"),
		config, NULL),
	    .facts = &facts,
	    .args = &argument,
	    .nargs = arg[0] != '\0',
	    .evidence = STR_EMPTY};
	return row->run(&call);
}

static void
rules_ask_for_kind_and_origin(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct notice away = {
	    .form = {.kind = NOTICE_VACATION, .evidence = STR("x")}};
	assert_true(notice_test_word(&away, STR("origin=forged")));
	/* without facts the message tells */
	assert_int_equal(ask(a, "notice_kind", "quota", NULL), 1);
	assert_int_equal(ask(a, "notice_kind", "dsn", NULL), 1);
	assert_int_equal(ask(a, "notice_kind", "", NULL), 1);
	assert_int_equal(ask(a, "notice_kind", "delay", NULL), 0);
	assert_int_equal(ask(a, "notice_origin", "forged", NULL), 0);
	/* with them, they do */
	assert_int_equal(ask(a, "notice_kind", "vacation", &away), 1);
	assert_int_equal(ask(a, "notice_kind", "dsn", &away), 0);
	assert_int_equal(ask(a, "notice_origin", "forged", &away), 1);
	assert_int_equal(ask(a, "notice_origin", "genuine", &away), 0);
	arena_free(a);
}

static bool
is_loaded(const char *rule)
{
	static const struct eval_row *const evals[] = {EVAL_NOTICE, NULL};
	struct ruleset_options options = {
	    .evals = evals, .limits = MAIL_LIMITS_DEFAULT};
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	ruleset_free(
	    ruleset_load_text(STR("x.cf"), str_from(rule), &options, &diags));
	bool is_ok = diags_count(&diags, DIAG_ERROR) == 0;
	arena_free(a);
	return is_ok;
}

static void
a_word_that_is_no_kind_is_refused(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (int i = NOTICE_DSN; i < NOTICE_KINDS; i++) {
		struct str rule =
		    str_printf(a, "header A eval:notice_kind('%.*s')\n",
			STR_ARG(notice_kind_name((enum notice_kind)i)));
		assert_true(is_loaded(str_c(a, rule)));
	}
	arena_free(a);
	assert_true(is_loaded("header A eval:notice_kind()\n"));
	assert_true(is_loaded("header A eval:notice_origin('FORGED')\n"));
	assert_false(is_loaded("header A eval:notice_kind('bounce')\n"));
	assert_false(is_loaded("header A eval:notice_kind('dsn', 'x')\n"));
	assert_false(is_loaded("header A eval:notice_kind('')\n"));
	assert_false(is_loaded("header A eval:notice_kind('dsn delay')\n"));
	assert_false(is_loaded("header A eval:notice_origin('forge')\n"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tells_notices_of_many_programs_and_ordinary_mail),
    cmocka_unit_test(weighs_marks_and_words_together),
    cmocka_unit_test(the_envelope_says_who_sends),
    cmocka_unit_test(evidence_names_what_decided),
    cmocka_unit_test(names_and_parses_kinds),
    cmocka_unit_test(folds_text_to_the_form_of_the_phrases),
    cmocka_unit_test(every_phrase_is_written_as_it_is_looked_for),
    cmocka_unit_test(knows_a_reply_of_a_server),
    cmocka_unit_test(works_in_linear_time),
    cmocka_unit_test(rules_ask_for_kind_and_origin),
    cmocka_unit_test(a_word_that_is_no_kind_is_refused),
};
UNIT_MAIN(tests)
