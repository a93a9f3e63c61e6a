/* SPDX-License-Identifier: BSD-2-Clause */
/* eval -- what the functions that rules ask say about small messages. */
#include "unit.h"

#include "mail/uri.h"
#include "rules/digest.h"
#include "rules/eval.h"
#include "rules/filetype.h"
#include "rules/eval_rows.h"
#include "rules/perl.h"
#include "rules/wallet.h"

/* One question: function, arguments, message, and what the MTA would know. */
struct question {
	const char *name;
	const char *args[4];
	const char *mail;
	const char *login, *sender; /* NULL: none */
	unsigned rcpt;              /* that many of them: erin@c.example, ... */
	int answer;
	const char *evidence; /* NULL: not looked at */
};

static const struct eval_row *
row_named(const char *name)
{
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			if (strcmp(row->name, name) == 0)
				return row;
	fail_msg("no row %s", name);
	return NULL;
}

static void
set_envelope(struct arena *a, const struct question *q, struct envelope *ret)
{
	*ret = (struct envelope){.class = CLASS_SUBMISSION,
	    .from = str_from(q->sender),
	    .login = str_from(q->login)};
	for (unsigned i = 0; i < q->rcpt; i++)
		strs_add(a, &ret->rcpt,
		    i == 0 ? STR("erin@c.example")
			   : str_printf(a, "r%u@c.example", i));
}

static int
ask(struct arena *a, const struct question *q, struct str mail,
    struct str *ret_evidence)
{
	const struct eval_row *row = row_named(q->name);
	struct mail_config config = {.limits = MAIL_LIMITS_DEFAULT,
	    .tlds = tld_set_new(a, NULL, NULL, NULL)};
	struct envelope envelope;
	set_envelope(a, q, &envelope);
	struct str args[4];
	double numbers[4];
	size_t nargs = 0;
	while (nargs < COUNT_OF(args) && q->args[nargs] != NULL) {
		args[nargs] = str_from(q->args[nargs]);
		numbers[nargs] = perl_number(args[nargs]);
		nargs++;
	}
	assert_in_range(nargs, row->args_min, row->args_max);
	struct eval_cache cache = {0};
	struct eval_call call = {
	    .message = message_new(a, mail, &config, &envelope),
	    .cache = &cache,
	    .args = args,
	    .nargs = nargs,
	    .numbers = numbers,
	    .evidence = STR_EMPTY};
	int answer = row->run(&call);
	*ret_evidence = call.evidence;
	return answer;
}

static void
ask_all(const struct question *questions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_new();
		struct str evidence;
		int answer = ask(
		    a, &questions[i], str_from(questions[i].mail), &evidence);
		if (answer != questions[i].answer)
			fail_msg("%zu %s(%s) is %d on\n%s", i,
			    questions[i].name,
			    questions[i].args[0] == NULL ? ""
							 : questions[i].args[0],
			    answer, questions[i].mail);
		if (questions[i].evidence != NULL)
			assert_str(evidence, questions[i].evidence);
		arena_free(a);
	}
}

#define ASK_ALL(questions) ask_all((questions), COUNT_OF(questions))

static void
names_of_sender_agree_or_not(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"rcpt_count", {"3"}, .mail = "From: a@b.example\n\n", .rcpt = 3,
		.answer = 1, .evidence = "3 recipients"},
	    {"rcpt_count", {"3"}, .mail = "From: a@b.example\n\n", .rcpt = 2},
	    {"from_not_login", {0},
		.mail = "From: Boss <boss@b.example.com>\n\n",
		.login = "alice@a.example.org", .answer = 1,
		.evidence = "boss@b.example.com, alice@a.example.org"},
	    {"from_not_login", {0}, .mail = "From: <x@mail.example.org>\n\n",
		.login = "alice@example.org"},
	    {"from_not_login", {0}, .mail = "From: <x@b.example>\n\n",
		.login = "web12"},
	    {"from_not_login", {0}, .mail = "From: <x@b.example>\n\n"},
	    {"from_not_login", {0}, .mail = "Subject: none\n\n",
		.login = "a@b.example"},
	    {"from_not_envelope", {0}, .mail = "From: <x@b.example.com>\n\n",
		.sender = "y@b.example.net", .answer = 1},
	    {"from_not_envelope", {0}, .mail = "From: <x@b.example.com>\n\n"},
	    {"replyto_elsewhere", {0},
		.mail = "From: a@b.example\nReply-To: x@gmail.com\n\n",
		.answer = 1},
	    {"replyto_elsewhere", {0},
		.mail = "From: a@b.co.uk\nReply-To: x@www.b.co.uk\n\n"},
	    {"replyto_elsewhere", {0},
		.mail = "From: a@b.example\nTo: l@list.example\n"
			"Reply-To: l@list.example\n\n"},
	    {"replyto_elsewhere", {0},
		.mail = "From: a@b.example.com\n"
			"Reply-To: x@mail.example.org\n\n",
		.login = "alice@example.org"},
	    {"replyto_elsewhere", {0}, .mail = "From: a@b.example\n\n"},
	};
	ASK_ALL(QUESTIONS);
}

static void
display_name_shows_another_address(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"display_name_address", {0},
		.mail = "From: \"info@paypal.com\" <x@b.example>\n\n",
		.answer = 1},
	    {"display_name_address", {0},
		.mail = "From: =?utf-8?q?info=40paypal.com?= <x@b.example>\n\n",
		.answer = 1},
	    {"display_name_address", {0},
		.mail = "From: \"x@b.example\" <x@b.example>\n\n"},
	    {"display_name_address", {0},
		.mail = "From: paypal.com <x@b.example>\n\n"},
	    {"display_name_address", {"domain"},
		.mail = "From: paypal.com <x@b.example>\n\n", .answer = 1},
	    {"display_name_address", {"domain"},
		.mail = "From: www.paypal.com <x@paypal.com>\n\n"},
	    {"display_name_address", {"domain"},
		.mail = "From: Dr. A. Ott ... <x@b.example>\n\n"},
	    {"display_name_address", {"domain"},
		.mail = "From: @@..@. <x@b.example>\n\n"},
	};
	ASK_ALL(QUESTIONS);
}

static void
recipient_is_found_where_he_is(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"rcpt_in", {"subject", "address"},
		.mail = "Subject: ERIN@c.example, you won\n\n", .rcpt = 2,
		.answer = 1, .evidence = "erin@c.example"},
	    {"rcpt_in", {"subject", "address"},
		.mail = "Subject: verin@c.example.org\n\n", .rcpt = 1},
	    {"rcpt_in", {"subject", "user"}, .mail = "Subject: Erin, hello\n\n",
		.rcpt = 1, .answer = 1},
	    {"rcpt_in", {"subject", "user"}, .mail = "Subject: Erinys\n\n",
		.rcpt = 1},
	    {"rcpt_in", {"name", "address"},
		.mail = "From: \"erin@c.example\" <x@b.example>\n\n", .rcpt = 1,
		.answer = 1},
	    {"rcpt_in", {"greeting", "address"},
		.mail = "Subject: x\n\nDear erin@c.example,\n", .rcpt = 1,
		.answer = 1},
	    {"rcpt_in", {"greeting", "address"},
		.mail = "Subject: erin@c.example\n\nDear Erin,\n", .rcpt = 1},
	    {"rcpt_in", {"body", "address"},
		.mail = "To: bob@c.example\n\nsent to bob@c.example\n",
		.answer = 1},
	    {"rcpt_in", {"link", "address"},
		.mail = "Subject: x\n\nhttp://example.net/?m=erin@c.example\n",
		.rcpt = 1, .answer = 1},
	    {"rcpt_in", {"link", "address"},
		.mail =
		    "Content-Type: text/html\n\n"
		    "<a "
		    "href=\"http://example.net/?m=erin%40c.example\">x</a>\n",
		.rcpt = 1, .answer = 1},
	    {"rcpt_in", {"link", "address"},
		.mail = "Subject: x\n\nhttp://example.net/\x23"
			"ZXJpbkBjLmV4YW1wbGU=\n",
		.rcpt = 1, .answer = 1},
	    {"rcpt_in", {"link", "address"},
		.mail = "Subject: x\n\nhttp://example.net/ erin@c.example\n",
		.rcpt = 1},
	    {"rcpt_in", {"nowhere", "address"},
		.mail = "Subject: erin@c.example\n\n", .rcpt = 1},
	};
	ASK_ALL(QUESTIONS);
}

static void
to_in_subject_is_as_spamassassin_has_it(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"check_for_to_in_subject", {"address"},
		.mail =
		    "To: bob@c.example\nSubject: For bob@c.example only\n\n",
		.answer = 1},
	    {"check_for_to_in_subject", {"address"},
		.mail = "To: bob@c.example\nSubject: For Bob\n\n"},
	    {"check_for_to_in_subject", {"user"},
		.mail = "To: bob@c.example\nSubject: bob, hello\n\n",
		.answer = 1},
	    {"check_for_to_in_subject", {"user"},
		.mail = "To: bob@c.example\nSubject: Re: hi bob\n\n",
		.answer = 1},
	    {"check_for_to_in_subject", {"user"},
		.mail = "To: bob@c.example\nSubject: , bob!\n\n", .answer = 1},
	    {"check_for_to_in_subject", {"user"},
		.mail = "To: bob@c.example\nSubject: Hello, bob!\n\n"},
	    {"check_for_to_in_subject", {"address"},
		.mail = "To: bob@c.example, al@d.example\n"
			"Subject: bob@c.example\n\n",
		.answer = 1},
	    {"check_for_to_in_subject", {"user"},
		.mail = "To: bob@c.example\nSubject: bob is here\n\n"},
	    {"check_for_to_in_subject", {"user"}, .mail = "Subject: bob,\n\n"},
	    {"check_for_to_in_subject", {"user"},
		.mail = "To: bob@c.example\nSubject: ,\n\n"},
	};
	ASK_ALL(QUESTIONS);
}

static void
counts_fields_and_reads_dates(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"header_count", {"from", "2"}, .mail = "From: a@b\nFROM: a@b\n\n",
		.answer = 1, .evidence = "2 times from"},
	    {"header_count", {"From", "2"}, .mail = "From: a@b\n\n"},
	    {"check_header_count_range", {"X-A", "2", "3"},
		.mail = "X-A: 1\nX-A: 2\nX-A: 2\n\n", .answer = 1},
	    {"check_header_count_range", {"X-A", "2", "3"},
		.mail = "X-A: 2\nX-A: 2\n\n"},
	    {"check_header_count_range", {"X-A", "0", "0"},
		.mail = "X-B: 2\n\n", .answer = 1},
	    {"date_bad", {0},
		.mail = "Date: Fri, 21 Nov 1997 09:55:06 -0600\n\n"},
	    {"date_bad", {0},
		.mail = "Date: 1 jan 99 9:55 (c) EST (winter)\n\n",
		.answer = 1}, /* hours have two digits */
	    {"date_bad", {0},
		.mail = "Date: 1 jan 99 09:55 (c) EST (winter)\n\n"},
	    {"date_bad", {0},
		.mail = "Date: Thu,\n 13\n Feb 1969\n 23:32:54 -0330\n\n"},
	    {"date_bad", {0}, .mail = "Date: 2024-02-03T10:00:00Z\n\n",
		.answer = 1},
	    {"date_bad", {0},
		.mail = "Date: Mon, 31 Feb 2024 10:00:00 +0000\n\n",
		.answer = 1},
	    {"date_bad", {0},
		.mail = "Date: Mon, 1 Feb 2024 25:00:00 +0000\n\n",
		.answer = 1},
	    {"date_bad", {0}, .mail = "Date: Mon, 1 Feb 2024 10:00:00\n\n",
		.answer = 1},
	    {"date_bad", {0},
		.mail = "Date: Mon, 1 Feb 2024 10:00:00 +00000\n\n",
		.answer = 1},
	    {"date_bad", {0}, .mail = "Date: ((((\n\n", .answer = 1},
	    {"date_bad", {0}, .mail = "Subject: x\n\n"},
	};
	ASK_ALL(QUESTIONS);
}

#define HTML "From: a@b.example.org\nContent-Type: text/html\n\n"

static void
knows_where_links_lead(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"link_text_host", {0},
		.mail =
		    HTML "<a href=\"http://example.net/x\">www.paypal.com</a>",
		.answer = 1, .evidence = "www.paypal.com leads to example.net"},
	    {"link_text_host", {0},
		.mail = HTML
		"<a href=\"http://www.example.net/x\">example.net</a>"},
	    {"link_text_host", {0},
		.mail = HTML
		"<a href=\"http://example.net/x\">Look at paypal.com now</a>"},
	    {"link_text_host", {0},
		.mail = HTML
		"<a href=\"http://example.net/\">https://paypal.com/a b</a>",
		.answer = 1},
	    {"link_text_host", {0},
		.mail =
		    HTML "<a href=\"http://example.net/\">me@paypal.com</a>"},
	    {"link_text_host", {"foreign"},
		.mail =
		    HTML "<a href=\"http://example.net/\">www.example.org</a>"},
	    {"link_text_host", {"foreign"},
		.mail =
		    HTML "<a href=\"http://example.net/\">www.example.com</a>",
		.answer = 1},
	    {"link_elsewhere", {0},
		.mail = HTML "<a href=\"http://example.net/\">x</a>",
		.answer = 1, .evidence = "example.net"},
	    {"link_elsewhere", {0},
		.mail = HTML "<a href=\"http://example.net/\">x</a>"
			     "<a href=\"http://www.example.org/\">y</a>"},
	    {"link_elsewhere", {0},
		.mail = HTML "<img src=\"http://example.net/a.png\">"},
	    {"link_elsewhere", {0},
		.mail = "From: a@b.example.org\n\nhttp://example.net\n",
		.answer = 1},
	    {"link_elsewhere", {0},
		.mail = "Subject: x\n\nhttp://example.net\n"},
	};
	ASK_ALL(QUESTIONS);
}

static void
sees_what_a_reader_sees(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"hidden_text", {"6"},
		.mail = HTML "abc<p style=\"display:none\">secret</p>",
		.answer = 1, .evidence = "6 hidden, 3 visible"},
	    {"hidden_text", {"7"},
		.mail = HTML "abc<p style=\"display:none\">secret</p>"},
	    {"hidden_text", {"6", "66"},
		.mail = HTML "abc<p style=\"display:none\">secret</p>",
		.answer = 1},
	    {"hidden_text", {"6", "67"},
		.mail = HTML "abc<p style=\"display:none\">secret</p>"},
	    {"visible_text", {"9", "9"},
		.mail = "Subject: x\n\nabc, def\n123\n", .answer = 1},
	    {"visible_text", {"1", "8"},
		.mail = "Subject: x\n\nabc, def\n123\n"},
	    {"visible_text", {"3", "3"},
		.mail = "Content-Type: multipart/alternative; boundary=b\n\n"
			"--b\n\nplain text\n--b\nContent-Type: "
			"text/html\n\nabc\n--b--\n",
		.answer = 1},
	    {"visible_text", {"2", "2"},
		.mail = "Content-Type: text/plain; charset=utf-8\n\n"
			"\xc3\xa4\xe2\x80\x8b\xe6\x97\xa5\n",
		.answer = 1}, /* the second one has no width */
	    {"image_only", {"4"}, .mail = HTML "<img src=\"cid:a\"> abc",
		.answer = 1, .evidence = "3 letters and a picture"},
	    {"image_only", {"2"}, .mail = HTML "<img src=\"cid:a\"> abc"},
	    {"image_only", {"4"}, .mail = HTML "abc"},
	    {"wallet_address", {"btc"},
		.mail =
		    "Subject: x\n\npay (1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa).\n",
		.answer = 1, .evidence = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
	    {"wallet_address", {"eth", "trx"},
		.mail =
		    "Subject: x\n\npay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n"},
	    {"wallet_address", {"btc"},
		.mail = "Subject: x\n\nabcdefghijklmnopqrstuvwx "
			"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n",
		.answer = 1, .evidence = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
	    {"wallet_address", {"any"},
		.mail =
		    "Subject: x\n\npay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb\n"},
	};
	ASK_ALL(QUESTIONS);
}

/* A message that is one file. */
#define FILE_MAIL(name, body)                                          \
	"From: a@b.example\nContent-Type: application/x; name=\"" name \
	"\"\n\n" body

static void
looks_at_files_by_name_and_by_bytes(void **state)
{
	(void)state;
	static const struct question QUESTIONS[] = {
	    {"attachment_name", {"exe"}, .mail = FILE_MAIL("Setup.EXE", "x"),
		.answer = 1, .evidence = "Setup.EXE"},
	    {"attachment_name", {"script", "link"},
		.mail = FILE_MAIL("a.lnk", "x"), .answer = 1},
	    {"attachment_name", {"exe"}, .mail = FILE_MAIL("a.txt", "x")},
	    {"attachment_name", {"nonsense"}, .mail = FILE_MAIL("a.exe", "x")},
	    {"attachment_magic", {"shell"},
		.mail = FILE_MAIL("a", "#!/bin/sh\n"), .answer = 1},
	    {"attachment_magic", {"shell"},
		.mail = "Subject: x\n\n#!/bin/sh\n"},
	    {"attachment_magic", {"html"},
		.mail = FILE_MAIL("a", " \n<!DOCTYPE HTML>"), .answer = 1},
	    {"attachment_disguised", {0}, .mail = FILE_MAIL("a.pdf", "<html>x"),
		.answer = 1},
	    {"attachment_disguised", {0},
		.mail = FILE_MAIL("a.pdf", "%PDF-1.4")},
	    {"attachment_disguised", {0},
		.mail = FILE_MAIL("a.html", "<html>x")},
	    {"attachment_page", {"smuggle"},
		.mail =
		    FILE_MAIL("a.html", "<script>x = ATOB('QQ==')</script>"),
		.answer = 1, .evidence = "atob("},
	    {"attachment_page", {"password", "redirect"},
		.mail =
		    FILE_MAIL("a.html", "<script>x = atob('QQ==')</script>")},
	    {"attachment_page", {"password"},
		.mail =
		    FILE_MAIL("a.svg", "<svg><input type='password'></svg>"),
		.answer = 1},
	    {"attachment_page", {"password"},
		.mail = HTML "<input type='password'>"},
	};
	ASK_ALL(QUESTIONS);
}

static void
tells_files_by_their_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned kinds;
	} CASES[] = {
	    {"a.exe", FILE_EXE},
	    {"a.scr ..", FILE_EXE},
	    {"a.Js", FILE_SCRIPT},
	    {"a.sh", FILE_SHELL},
	    {"a.docm", FILE_MACRO},
	    {"a.tar.gz", FILE_ARCHIVE},
	    {"a.iso", FILE_DISK},
	    {"a.xhtml", FILE_HTML},
	    {"a.library-ms", FILE_LINK},
	    {"bill.pdf.exe", FILE_EXE | FILE_DOUBLE},
	    {"bill.pdf           .exe", FILE_EXE | FILE_DOUBLE | FILE_TRICK},
	    {"bill\xe2\x80\xae"
	     "fdp.exe",
		FILE_EXE | FILE_TRICK},
	    {"bill.pdf", FILE_PDF},
	    {"exe", 0},
	    {".", 0},
	    {"", 0},
	    {"a.exe pdf", 0},
	    {"a.an-ending-that-is-much-too-long-to-be-one", 0},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (file_kind_of_name(str_from(CASES[i].name)) !=
		    CASES[i].kinds)
			fail_msg("%s", CASES[i].name);
}

static void
tells_files_by_their_bytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	char *pe = arena_zalloc(a, 200);
	pe[0] = 'M', pe[1] = 'Z', pe[60] = 100;
	assert_int_equal(file_kind_of_bytes(str_of(pe, 200)), 0);
	pe[100] = 'P', pe[101] = 'E';
	assert_int_equal(file_kind_of_bytes(str_of(pe, 200)), FILE_EXE);
	assert_int_equal(file_kind_of_bytes(str_of(pe, 63)), 0);
	assert_int_equal(
	    file_kind_of_bytes(STR("MZ is short for Mozambique, "
				   "where nobody has to fear programs")),
	    0);
	char *iso = arena_zalloc(a, 40000);
	memcpy(iso + 32769, "CD001", 5);
	assert_int_equal(file_kind_of_bytes(str_of(iso, 40000)), FILE_DISK);
	assert_int_equal(file_kind_of_bytes(str_of(iso, 32771)), 0);
	static const char OLE[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
				  "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0";
	assert_int_equal(
	    file_kind_of_bytes(str_of(OLE, sizeof(OLE) - 1)), FILE_MACRO);
	assert_int_equal(file_kind_of_bytes(STR_EMPTY), 0);
	assert_true(file_kind_needs_all(str_of(pe, 200)));
	assert_true(file_kind_needs_all(str_of(OLE, sizeof(OLE) - 1)));
	assert_true(file_kind_needs_all(STR("PK\x03\x04")));
	assert_false(file_kind_needs_all(str_of(iso, 40000)));
	assert_false(file_kind_needs_all(STR("%PDF-1.7")));
	assert_false(file_kind_needs_all(STR_EMPTY));
	arena_free(a);
}

/* A ZIP file of one member, all sizes 1. */
static struct str
zip_of(struct arena *a, const char *name, char flags)
{
	char len = (char)strlen(name);
	char local[30] = "PK\x03\x04\x14", central[46] = "PK\x01\x02\x14";
	char end[22] = "PK\x05\x06";
	local[6] = central[8] = flags;
	local[18] = local[22] = central[20] = central[24] = 1;
	local[26] = central[28] = len;
	end[8] = end[10] = 1;
	end[12] = (char)(46 + len);
	end[16] = (char)(31 + len);
	struct buf *b = buf_new(a, 1000);
	buf_put(b, str_of(local, sizeof(local)));
	buf_put(b, str_from(name));
	buf_putc(b, 'x');
	buf_put(b, str_of(central, sizeof(central)));
	buf_put(b, str_from(name));
	buf_put(b, str_of(end, sizeof(end)));
	return buf_str(b);
}

static bool
keep_name(void *arg, struct str name)
{
	*(struct str *)arg = name;
	return true;
}

static void
reads_zip_directories_however_broken(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str zip = zip_of(a, "xl/vbaProject.bin", 0), name = STR_EMPTY;
	assert_int_equal(file_kind_of_bytes(zip), FILE_ARCHIVE | FILE_MACRO);
	zip = zip_of(a, "bill.exe", 1);
	assert_int_equal(file_kind_of_bytes(zip), FILE_ARCHIVE | FILE_LOCKED);
	zip_members(zip, keep_name, &name);
	assert_str(name, "bill.exe");
	for (size_t cut = 0; cut < zip.len; cut++) {
		name = STR_EMPTY;
		zip_members(str_sub(zip, 0, cut), keep_name, &name);
		if (cut >= 38)
			assert_str(name, "bill.exe");
		(void)file_kind_of_bytes(str_of(zip.p + cut, zip.len - cut));
	}
	arena_free(a);
}

static void
members_count_in_small_archives_only(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str mail =
	    str_printf(a, "Content-Type: application/zip; name=a.zip\n"
			  "Content-Transfer-Encoding: 8bit\n\n");
	struct str zip = zip_of(a, "bill.scr", 0);
	struct buf *b = buf_new(a, 2000);
	buf_put(b, mail);
	buf_put(b, zip);
	static const struct question YES = {
	    "attachment_member", {"1", "exe"}, .mail = NULL, .answer = 1};
	static const struct question NO = {
	    "attachment_member", {"0", "exe"}, .mail = NULL};
	static const struct question OTHER = {
	    "attachment_member", {"9", "script"}, .mail = NULL};
	struct str evidence;
	assert_int_equal(ask(a, &YES, buf_str(b), &evidence), 1);
	assert_str(evidence, "bill.scr");
	assert_int_equal(ask(a, &NO, buf_str(b), &evidence), 0);
	assert_int_equal(ask(a, &OTHER, buf_str(b), &evidence), 0);
	arena_free(a);
}

static void
assert_digest(const uint8_t digest[DIGEST_BYTES], const char *hex)
{
	char text[2 * DIGEST_BYTES + 1];
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

static void
digests_are_those_of_the_standards(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	uint8_t digest[DIGEST_BYTES];
	sha256(STR("abc"), digest);
	assert_digest(digest,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	    digest);
	assert_digest(digest,
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	keccak256(STR_EMPTY, digest);
	assert_digest(digest,
	    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	keccak256(STR("abc"), digest);
	assert_digest(digest,
	    "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	/* A whole block of either, and one byte more. */
	char *many = arena_alloc(a, 137);
	memset(many, 'a', 137);
	sha256(str_of(many, 64), digest);
	assert_digest(digest,
	    "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
	keccak256(str_of(many, 136), digest);
	uint8_t other[DIGEST_BYTES];
	keccak256(str_of(many, 137), other);
	assert_memory_not_equal(digest, other, DIGEST_BYTES);
	arena_free(a);
}

static void
wallets_are_right_to_the_last_digit(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		unsigned coin;
	} CASES[] = {
	    /* the first block of Bitcoin; BIP 13; BIP 173; BIP 350 */
	    {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", WALLET_BTC},
	    {"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", WALLET_BTC},
	    {"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", WALLET_BTC},
	    {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
		WALLET_BTC},
	    {"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", WALLET_TRX},
	    /* EIP-55 */
	    {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", WALLET_ETH},
	    {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", WALLET_ETH},
	    /* the donation address of the Monero project */
	    {"44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBY"
	     "Bb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
		WALLET_XMR},
	    /* one digit is wrong */
	    {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", 0},
	    {"11A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", 0},
	    {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", 0},
	    {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", 0},
	    {"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", 0},
	    {"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaez", 0},
	    {"", 0},
	    {"1111111111111111111111111", 0},
	    {"ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ", 0},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		if (wallet_coin_of(str_from(CASES[i].word)) != CASES[i].coin)
			fail_msg("%s", CASES[i].word);
	assert_int_equal(wallet_coin_of(str_of("bc1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
					       "\0\0\0\0\0\0\0\0\0\0\0",
			     28)),
	    0);
	assert_int_equal(wallet_coin_parse(STR("BTC")), WALLET_BTC);
	assert_int_equal(wallet_coin_parse(STR("any")), WALLET_ANY);
	assert_int_equal(wallet_coin_parse(STR("gold")), 0);
}

static void
every_row_says_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++) {
			assert_true(row->args_min <= row->args_max);
			assert_true(strcspn(row->args, " ") <= row->args_max);
			assert_true(
			    row->args_max == 0 || strlen(row->args) > 0);
			assert_true(
			    strlen(row->help) > 0 && strlen(row->source) > 0);
			assert_int_not_equal(row->needs, 0);
			assert_int_equal(row->needs >> EVAL_NEEDS, 0);
			assert_non_null(row->run);
		}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_of_sender_agree_or_not),
    cmocka_unit_test(display_name_shows_another_address),
    cmocka_unit_test(recipient_is_found_where_he_is),
    cmocka_unit_test(to_in_subject_is_as_spamassassin_has_it),
    cmocka_unit_test(counts_fields_and_reads_dates),
    cmocka_unit_test(knows_where_links_lead),
    cmocka_unit_test(sees_what_a_reader_sees),
    cmocka_unit_test(looks_at_files_by_name_and_by_bytes),
    cmocka_unit_test(tells_files_by_their_names),
    cmocka_unit_test(tells_files_by_their_bytes),
    cmocka_unit_test(reads_zip_directories_however_broken),
    cmocka_unit_test(members_count_in_small_archives_only),
    cmocka_unit_test(digests_are_those_of_the_standards),
    cmocka_unit_test(wallets_are_right_to_the_last_digit),
    cmocka_unit_test(every_row_says_what_it_is),
};
UNIT_MAIN(tests)
