/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header -- fields, decoded values, and what stands between `header NAME` and
 * the operator.  What is expected was said by SpamAssassin 4.0.1.
 */
#include "unit.h"

#include "mail/header.h"

static const struct mail_config config = {.limits = {.header_bytes = 1 << 20,
					      .header_value_bytes = 8192,
					      .parts = 100,
					      .depth = 20,
					      .render_bytes = 1 << 20,
					      .body_part_bytes = 50000,
					      .rawbody_part_bytes = 500000}};

static const char mail[] = "Received: from a\n"
			   "\tby b\n"
			   "From:  =?utf-8?q?J=C3=B6rg?= <j@a.example>\n"
			   "To: x@b.example,\n"
			   "  \"Y, Z\" <y@b.example>\n"
			   "Subject: =?iso-8859-1?Q?caf=E9?=\n"
			   " =?iso-8859-1?Q?_au_lait?= tail\n"
			   "X-Empty:\n"
			   "X-Empty-Too: \n"
			   "To: 'Q' <q@c.example>\n"
			   "cc: r@c.example\n"
			   "X-Postern-Class: submission\n"
			   "X-Spam-Flag: YES\n"
			   "Message-ID: <=?utf-8?q?x?=@a>\n"
			   "X-Message-Id: <old@a>\n"
			   "X-Bytes: caf\xe9\n"
			   "No colon here\n"
			   "Key with blank : v\n"
			   "\n"
			   "body\n";

/* "(none)": no such header. */
static struct str
ask(struct arena *a, const char *text, const struct envelope *envelope,
    const char *query_text)
{
	struct message *m = message_new(a, str_from(text), &config, envelope);
	struct header_query query;
	struct str value;
	assert_true(header_query_parse(str_from(query_text), &query));
	return header_query_run(m, &query, &value) ? value : STR("(none)");
}

static const struct {
	const char *query, *value;
} queries[] = {
    {"Subject", "caf\xc3\xa9 au lait tail\n"},
    {"subject:raw",
	" =?iso-8859-1?Q?caf=E9?=\n =?iso-8859-1?Q?_au_lait?= tail\n"},
    {"From:name", "J\xc3\xb6rg"},
    {"From:name:raw", "=?utf-8?q?J=C3=B6rg?= "},
    {"From:addr", "j@a.example"},
    {"To", "x@b.example, \"Y, Z\" <y@b.example>\n'Q' <q@c.example>\n"},
    {"To:addr", "x@b.example\ny@b.example\nq@c.example"},
    {"To:name", "Y, Z\nQ"},
    {"To:first:addr", "x@b.example\ny@b.example"},
    {"To:last", "'Q' <q@c.example>\n"},
    {"ToCc", "x@b.example, \"Y, Z\" <y@b.example>\n'Q' <q@c.example>\n"
	     "r@c.example\n"},
    {"tocc:raw", " x@b.example, \"Y, Z\" <y@b.example>\n"
		 " 'Q' <q@c.example>\n r@c.example\n"},
    {"MESSAGEID", "<old@a>\n<=?utf-8?q?x?=@a>\n"},
    {"messageid", "(none)"},
    {"Received", "from a by b\n"},
    {"X-Empty", "\n"},
    {"X-Empty-Too", "\n"},
    {"X-Empty:addr", "(none)"},
    {"X-None", "(none)"},
    {"X-None:raw", "(none)"},
    {"X-Bytes", "caf\xc3\xa9\n"},
    {"X-Bytes:raw", " caf\xe9\n"},
    {"X-Spam-Flag", "(none)"},
    {"Key with blank", "v\n"},
    {"ALL", "Received: from a by b\n"
	    "From: J\xc3\xb6rg <j@a.example>\n"
	    "To: x@b.example, \"Y, Z\" <y@b.example>\n"
	    "Subject: caf\xc3\xa9 au lait tail\n"
	    "X-Empty: \n"
	    "X-Empty-Too: \n"
	    "To: 'Q' <q@c.example>\n"
	    "cc: r@c.example\n"
	    "X-Postern-Class: submission\n"
	    "Message-ID: <=?utf-8?q?x?=@a>\n"
	    "X-Message-Id: <old@a>\n"
	    "X-Bytes: caf\xc3\xa9\n"
	    "Key with blank: v\n"},
};

static void
shows_each_form_of_a_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		struct arena *a = arena_new();
		assert_str(
		    ask(a, mail, NULL, queries[i].query), queries[i].value);
		arena_free(a);
	}
}

static void
keeps_the_header_as_it_is_in_all_raw(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str block = str_from(mail);
	block.len -= strlen("\nbody\n");
	assert_true(str_eq(ask(a, mail, NULL, "ALL:raw"), block));
	assert_str(ask(a, " fold\nA: b\nC: d", NULL, "ALL:raw"), "A: b\n");
	assert_str(ask(a, "A: b\r\nC: d\r\n\r\nx\r\n", NULL, "ALL:raw"),
	    "A: b\r\nC: d\r\n\r\n");
	assert_str(ask(a, "A: b\n c", NULL, "ALL:raw"), "(none)");
	arena_free(a);
}

static const struct {
	const char *query, *value;
} envelope_queries[] = {
    {"EnvelopeFrom", "alice@a.example"},
    {"X-Postern-Rcpt", "b@b.example\nc@c.example\n"},
    {"X-Postern-Login", "alice\n"},
    {"X-Postern-Class", "relay\n"},
    {"x-postern-class", "relay\n"},
    {"X-Postern-Client", "192.0.2.7 mail.a.example\n"},
    {"X-Postern-Helo", "(none)"},
};

static void
believes_the_envelope_not_the_mail(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct envelope envelope = {.class = CLASS_RELAY,
	    .from = STR("alice@a.example"),
	    .login = STR("alice"),
	    .client_addr = STR("192.0.2.7"),
	    .client_name = STR("mail.a.example"),
	    .helo = STR_EMPTY};
	strs_add(a, &envelope.rcpt, STR("b@b.example"));
	strs_add(a, &envelope.rcpt, STR("c@c.example"));
	for (size_t i = 0; i < COUNT_OF(envelope_queries); i++)
		assert_str(ask(a, mail, &envelope, envelope_queries[i].query),
		    envelope_queries[i].value);
	envelope.from = STR_EMPTY; /* the null sender is there, and empty */
	assert_str(ask(a, mail, &envelope, "EnvelopeFrom"), "");
	assert_str(ask(a, mail, NULL, "X-Postern-Class"), "(none)");
	arena_free(a);
}

static void
guesses_the_sender_without_an_envelope(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_str(ask(a, "Return-Path: <a@b.example>\nReceived: x\n\n", NULL,
		       "EnvelopeFrom"),
	    "a@b.example");
	assert_str(ask(a, "Received: x\nReturn-Path: <a@b.example>\n\n", NULL,
		       "EnvelopeFrom"),
	    "(none)");
	arena_free(a);
}

static const char *const bad_queries[] = {
    "", ":raw", "From:", "From:addr:frob"};

static void
refuses_modifiers_it_does_not_have(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_queries); i++) {
		struct header_query query;
		assert_int_equal(
		    header_query_parse(str_from(bad_queries[i]), &query),
		    i == 2); /* an empty modifier at the end is none */
	}
}

static const struct {
	const char *raw, *value;
} words[] = {
    {"=?utf-8?q?a_b?= =?UTF-8?q?c?=", "a bc"},
    {"=?utf-8?q?a?=  x =?utf-8?q?b?=", "a  x b"},
    {"=?utf-8?b?w6k=?=", "\xc3\xa9"},
    /* A character that is cut by its encoded words. */
    {"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\xc3\xa9"},
    {"=?utf-8*de?q?=C3=A9?=", "\xc3\xa9"},
    {"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
    {"=?utf-8?q?abc", "=?utf-8?q?abc"},
    {"=?iso-8859-1?q?=E9?= =?utf-8?q?=C3=A9?=", "\xc3\xa9\xc3\xa9"},
    {"a =?us-ascii?q?b=20?= c", "a b  c"},
    {"=?utf-8?q?a=0Ab?=", "a\nb"},
    {"=?=?utf-8?q?x?=", "=?x"},
};

static void
decodes_encoded_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct arena *a = arena_new();
		assert_str(
		    header_decode(a, str_from(words[i].raw)), words[i].value);
		arena_free(a);
	}
}

static const struct {
	const char *text, *all, *rest;
} blocks[] = {
    {"A: b\n\nx", "A: b\n", "x"},
    {"A: b\n--x\n", "A: b\n", "--x\n"},
    {"A: b\nbad\nbad\nbad\nC: d\nbad\nE: f\n", "A: b\nC: d\n", "bad\nE: f\n"},
    {"A: b\n c\n\td\nE:f\n", "A: b c d\nE: f\n", ""},
    {"A: b\r\n c\r\n\r\nx\r\n", "A: b c\n", "x\r\n"},
    {"From joe Mon\nA: b\n\n", "A: b\n", ""},
    {"From : joe\n\n", "From: joe\n", ""},
    {"\nA: b\n", "(none)", "A: b\n"},
    {"", "(none)", ""},
};

static void
finds_the_end_of_the_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(blocks); i++) {
		struct arena *a = arena_new();
		assert_str(ask(a, blocks[i].text, NULL, "ALL"), blocks[i].all);
		struct message *m =
		    message_new(a, str_from(blocks[i].text), &config, NULL);
		assert_str(m->body_block, blocks[i].rest);
		arena_free(a);
	}
}

static void
leaves_out_what_is_past_64_kilobytes(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *text = buf_new(a, 1 << 22);
	buf_put(text, STR("Late: 1\n"));
	for (unsigned i = 0; i < 20; i++)
		buf_printf(text, "X-%u: %04000u\n", i % 2, i);
	buf_put(text, STR("Late: 2\n\n"));
	struct message *m = message_new(a, buf_str(text), &config, NULL);
	struct header_query query;
	struct str all;
	assert_true(header_query_parse(STR("ALL"), &query));
	assert_true(header_query_run(m, &query, &all));
	assert_in_range(all.len, 60000, 65536);
	assert_true(str_ends(all, STR("Late: 2\n")));
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shows_each_form_of_a_field),
    cmocka_unit_test(keeps_the_header_as_it_is_in_all_raw),
    cmocka_unit_test(believes_the_envelope_not_the_mail),
    cmocka_unit_test(guesses_the_sender_without_an_envelope),
    cmocka_unit_test(refuses_modifiers_it_does_not_have),
    cmocka_unit_test(decodes_encoded_words),
    cmocka_unit_test(finds_the_end_of_the_header),
    cmocka_unit_test(leaves_out_what_is_past_64_kilobytes),
};
UNIT_MAIN(tests)
