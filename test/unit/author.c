/* SPDX-License-Identifier: BSD-2-Clause */
/* author -- who a message is from, as any receiver might see it. */
#include "unit.h"

#include "auth/author.h"

/* Header fields as they stand in a message, each with its folds. */
static struct dkim_mail
mail_of(struct arena *a, struct str text)
{
	struct dkim_mail mail = {.body = STR_EMPTY};
	mail.v = ARENA_ARRAY(a, struct dkim_field, 32);
	while (text.len > 0) {
		const char *from = text.p;
		(void)str_line(&text);
		while (text.len > 0 && char_is_blank(text.p[0]))
			(void)str_line(&text);
		size_t len = (size_t)(text.p - from);
		struct str field = text.len > 0
				       ? str_of(from, len - 1)
				       : str_of(from, strlen(from) - 1);
		size_t name = 0;
		while (name < field.len && field.p[name] != ':' &&
		       !char_is_blank(field.p[name]))
			name++;
		mail.v[mail.n++] =
		    (struct dkim_field){str_sub(field, 0, name), field, false};
	}
	return mail;
}

/* "name=address|name=address", flags, and the domains if they are not those. */
static struct str
shown(struct arena *a, const struct authors *authors)
{
	struct buf *b = buf_new(a, 1 << 16);
	for (size_t i = 0; i < authors->n; i++) {
		const struct author *author = &authors->v[i];
		if (i > 0)
			buf_putc(b, '|');
		if (author->name.len > 0) {
			buf_put(b, author->name);
			buf_putc(b, '=');
		}
		buf_put(b, author->address);
		if (author->domain.len == 0)
			buf_put(b, STR("(no domain)"));
	}
	if (authors->is_malformed)
		buf_put(b, STR(" MALFORMED"));
	if (authors->is_ambiguous)
		buf_put(b, STR(" AMBIGUOUS"));
	if (authors->is_cut)
		buf_put(b, STR(" CUT"));
	return buf_str(b);
}

static const struct {
	const char *value, *want;
} fields[] = {
    /* RFC 5322 section 3.4 and appendix A */
    {" a@b.example", "a@b.example"},
    {" <a@b.example>", "a@b.example"},
    {" Joe Doe <joe@x.example>", "Joe Doe=joe@x.example"},
    {" \"Joe \\\"Q.\\\" Doe\" <joe@x.example>", "Joe \"Q.\" Doe=joe@x.example"},
    {" \"Doe, Joe\" <joe@x.example>", "Doe, Joe=joe@x.example"},
    {" Joe Q. Public <joe@x.example>", "Joe Q. Public=joe@x.example"},
    {"a@b.example,c@d.example", "a@b.example|c@d.example"},
    {" A <a@b.example>,\n\t\"C\" <c@d.example>", "A=a@b.example|C=c@d.example"},
    {"Joe\n Doe\n <joe@x.example>", "Joe Doe=joe@x.example"},
    {" Joe\r\n Doe <joe@x.example>\r", "Joe Doe=joe@x.example"},
    {" \"Joe\r\n Doe\" <joe@x.example>", "Joe Doe=joe@x.example"},
    {" a@B.Example", "a@b.example"},
    {" John.Doe+x@b.example", "John.Doe+x@b.example"},
    {" \"john\"@b.example", "john@b.example"},
    {" \"a b\"@b.example", "a b@b.example"},
    {" \"a\\\\b\"@b.example", "a\\b@b.example"},
    {" a@[192.0.2.1]", "a@[192.0.2.1](no domain)"},
    {" <a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1](no domain)"},
    {" a@localhost", "a@localhost"},
    {" < a@b.example >", "a@b.example"},
    {" (x) a@b.example", "x=a@b.example"},
    {" a@b.example (Joe)", "Joe=a@b.example"},
    {" <a@b.example> (Joe)", "Joe=a@b.example"},
    {" Joe <a@b.example> (work)", "Joe=a@b.example"},
    {" Joe (a \\( b) Doe <a@b.example>", "Joe Doe=a@b.example"},
    /* Groups, RFC 6854 */
    {" undisclosed:;", ""},
    {" undisclosed: ;", ""},
    {" Us: a@b.example, C <c@d.example>;", "a@b.example|C=c@d.example"},
    {" Us: a@b.example;, e@f.example", "a@b.example|e@f.example"},
    {" \"a@b.example\": ;", ""},
    /* Obsolete, section 4.4, but harmless */
    {" ,a@b.example,,", "a@b.example"},
    {" a@b.example,", "a@b.example"},
    /* RFC 6532, RFC 2047 */
    {" j\xc3\xb6rg@b\xc3\xbc\x63her.example",
	"j\xc3\xb6rg@xn--bcher-kva.example"},
    {" J\xc3\xb6rg <j@b.example>", "J\xc3\xb6rg=j@b.example"},
    {" =?utf-8?Q?J=C3=B6rg?= <j@b.example>", "J\xc3\xb6rg=j@b.example"},
    {" =?utf-8?Q?J=C3?=\n =?utf-8?Q?=B6rg?= <j@b.example>",
	"J\xc3\xb6rg=j@b.example"},
    {" \"=?iso-8859-1?Q?J=F6rg?=\" <j@b.example>", "J\xc3\xb6rg=j@b.example"},
    {" =?x@y.example?Q?a?= <j@b.example>", "=?x@y.example|j@b.example"
					   " MALFORMED AMBIGUOUS"},
    {" =?utf-8?Q?a=40good.example?= <b@evil.example>",
	"a@good.example=b@evil.example"},
    {" =?utf-8?q?ceo=40victim.example=3e?=@own.example",
	"=?utf-8?q?ceo=40victim.example=3e?=@own.example AMBIGUOUS"},
    {" N <=?utf-8?q?=3cceo=40victim.example=3e?=@own.example>",
	"N==?utf-8?q?=3cceo=40victim.example=3e?=@own.example AMBIGUOUS"},
    {" =?utf-8?Q?Smith=2C_John?= <b@x.example>", "Smith, John=b@x.example"},
    {" =?utf-8?Q?=3Ca=40good.example=3E?= <b@evil.example>",
	"<a@good.example>=b@evil.example AMBIGUOUS"},
    {" =?utf-8?Q?a=40good.example=2C?= <b@evil.example>",
	"a@good.example,=b@evil.example AMBIGUOUS"},
    /* Allowed, and read differently */
    {" \"a@good.example\" <b@evil.example>", "a@good.example=b@evil.example"},
    {" \"<a@good.example>\" <b@evil.example>",
	"<a@good.example>=b@evil.example"},
    {" a@good.example (<b@evil.example>)",
	"<b@evil.example>=a@good.example AMBIGUOUS"},
    {" (a (b) <x@evil.example>) c@good.example",
	"a (b) <x@evil.example>=c@good.example AMBIGUOUS"},
    {" <@x.example,@y.example:a@b.example>", "a@b.example AMBIGUOUS"},
    {" <a (x)@b.example>", "x=a@b.example AMBIGUOUS"},
    {" <a@b.example (x)>", "x=a@b.example AMBIGUOUS"},
    {" a @ b.example", "a@b.example AMBIGUOUS"},
    {" a@b .example", "a@b.example AMBIGUOUS"},
    {" a@b.\n example", "a@b.example AMBIGUOUS"},
    {" \"a@good.example\"@evil.example",
	"a@good.example@evil.example AMBIGUOUS"},
    {" \"a@good.example>\" <b@evil.example>", "a@good.example>=b@evil.example"},
    /* Broken, but nobody sees another author */
    {" x@b.example <x@b.example>", "x@b.example MALFORMED"},
    {" [Foo] Bar <x@b.example>", "x@b.example MALFORMED"},
    {" Foo; Bar <x@b.example>", "x@b.example MALFORMED"},
    {" Doe, Joe <x@b.example>", "x@b.example MALFORMED"},
    {" J\xf6rg <x@b.example>", "J\xc3\xb6rg=x@b.example MALFORMED"},
    {" a..b@c.example", "a..b@c.example MALFORMED"},
    {" a.@c.example", "a.@c.example MALFORMED"},
    {" a@b.example.", "a@b.example MALFORMED"},
    {" Us: a@b.example", "a@b.example MALFORMED"},
    {" Joe <a@b.example", "a@b.example MALFORMED"},
    {" Joe a@b.example>", "a@b.example MALFORMED"},
    {" 'Joe' <'a@b.example'>", "'a@b.example MALFORMED"},
    {" @b.example", "@b.example MALFORMED"},
    /* Broken: there is nobody */
    {"", " MALFORMED"},
    {" ", " MALFORMED"},
    {" <>", " MALFORMED"},
    {" root", " MALFORMED"},
    {" Joe Doe", " MALFORMED"},
    {" root (Cron Daemon)", " MALFORMED"},
    {" a@", " MALFORMED"},
    {" a@..", " MALFORMED"},
    {" a@b\xff.example", "a@xn--b-kha.example MALFORMED"},
    {" =?utf-8?Q?a=40good.example?=", "a@good.example MALFORMED"},
    {" Us: Them: ;;", " MALFORMED"},
    /* Broken: who is it? */
    {" <a@good.example> <b@evil.example>",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" <a@good.example>b@evil.example",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" a@good.example <b@evil.example>",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" a@good.example b@evil.example",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" a@good.example;b@evil.example",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" \"a@good.example <b@evil.example>",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" (a@good.example <b@evil.example>",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" <a@good.example@evil.example>",
	"a@good.example|good.example@evil.example MALFORMED AMBIGUOUS"},
    {" a@good.example\r <b@evil.example>", "a@good.example|b@evil.example"
					   " MALFORMED AMBIGUOUS"},
    {" \"a b\"@x.example <c@x.example>",
	"a b@x.example|c@x.example MALFORMED AMBIGUOUS"},
    {" Joe \"a b\"@x.example", "@x.example MALFORMED"},
    {" a@good.example\rFrom: b@evil.example",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" a\r@good.example", "a@good.example MALFORMED AMBIGUOUS"},
    {" <<a@good.example>,b@evil.example>",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" \\\"a@good.example\" <b@evil.example>",
	"a@good.example|b@evil.example MALFORMED AMBIGUOUS"},
    {" <@good.example:b@evil.example:c@x.example>",
	"@good.example|b@evil.example|c@x.example MALFORMED AMBIGUOUS"},
};

static void
reads_what_from_says(void **state)
{
	(void)state;
	bool is_ok = true;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct arena *a = arena_new();
		struct str text = str_printf(a, "From:%s\n", fields[i].value);
		struct dkim_mail mail = mail_of(a, text);
		struct authors authors;
		authors_of(a, &mail, &authors);
		struct str got = shown(a, &authors);
		if (!str_eq(got, str_from(fields[i].want))) {
			print_error("From:%s\ngot  [%.*s]\nwant [%s]\n",
			    fields[i].value, STR_ARG(got), fields[i].want);
			is_ok = false;
		}
		assert_int_equal(authors.nfields, 1);
		assert_int_equal(authors.why[0] != '\0',
		    authors.is_malformed || authors.is_ambiguous);
		arena_free(a);
	}
	assert_true(is_ok);
}

static void
sees_through_a_nul(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str text = STR("From: a@good.example\0 <b@evil.example>");
	struct dkim_field field = {STR("From"), text, false};
	struct dkim_mail mail = {.v = &field, .n = 1, .body = STR_EMPTY};
	struct authors authors;
	authors_of(a, &mail, &authors);
	assert_true(authors.is_malformed && authors.is_ambiguous);
	assert_string_equal(authors.why, "a control character");
	assert_int_equal(authors.ndomains, 2);
	assert_str(authors.domains[0], "good.example");
	assert_str(authors.domains[1], "evil.example");
	arena_free(a);
}

static const struct {
	const char *label, *header;
	size_t nfields;
	const char *want, *domains, *repeated;
} headers[] = {
    {"no From", "To: a@b.example\n", 0, "", "", ""},
    {"two From", "From: a@b.example\nSubject: x\nFROM: c@d.example\n", 2,
	"a@b.example|c@d.example", "b.example d.example ", ""},
    {"a blank before the colon", "From : a@b.example\n", 1,
	"a@b.example AMBIGUOUS", "b.example ", ""},
    {"others that begin so", "From-X: a@b.example\nX-From: a@b.example\n", 0,
	"", "", ""},
    {"each domain once",
	"From: a@x.example, b@X.EXAMPLE, c@y.example, d@x.example\n", 1,
	"a@x.example|b@x.example|c@y.example|d@x.example",
	"x.example y.example ", ""},
    {"four domains", "From: a@a.test, a@b.test, a@c.test, a@d.test\n", 1,
	"a@a.test|a@b.test|a@c.test|a@d.test", "a.test b.test c.test d.test ",
	""},
    {"five domains", "From: a@a.test, a@b.test, a@c.test, a@d.test, a@e.test\n",
	1, "a@a.test|a@b.test|a@c.test|a@d.test|a@e.test AMBIGUOUS CUT",
	"a.test b.test c.test d.test ", ""},
    {"each once",
	"Sender: a\nReply-To: a\nTo: a\nCc: a\nBcc: a\nMessage-ID: a\n"
	"In-Reply-To: a\nReferences: a\nSubject: a\nDate: a\nReceived: a\n"
	"Received: b\nComments: a\nComments: b\nResent-To: a\nResent-To: b\n",
	0, "", "", ""},
    {"Subject twice", "Subject: a\nDate: x\nsubject: a\n", 0, "", "",
	"Subject"},
    {"several twice", "Date: a\nTo: a\nTo: b\nDate: b\n", 0, "", "", "To"},
    {"Message-Id twice", "Message-Id: a\nMESSAGE-ID: b\n", 0, "", "",
	"Message-ID"},
};

static void
counts_fields_and_domains(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		struct arena *a = arena_new();
		struct dkim_mail mail = mail_of(a, str_from(headers[i].header));
		struct authors authors;
		authors_of(a, &mail, &authors);
		struct buf *domains = buf_new(a, 1000);
		for (size_t k = 0; k < authors.ndomains; k++)
			buf_printf(
			    domains, "%.*s ", STR_ARG(authors.domains[k]));
		print_message("# %s\n", headers[i].label);
		assert_int_equal(authors.nfields, headers[i].nfields);
		assert_str(shown(a, &authors), headers[i].want);
		assert_str(buf_str(domains), headers[i].domains);
		assert_str(authors.repeated, headers[i].repeated);
		arena_free(a);
	}
}

/* What asks for much work, a megabyte of it. */
static const char *const hostile[] = {"a@b.example,", "(", "\"", "<", "@", ":",
    "a@b.example ", "\\", "()", "a ", ".", "=?utf-8?Q?=40?= ", "a:;,", "<@a,",
    "a@\n ", "\xc3\xbc@\xc3\xbc.example,", "(((((((((()", "@ \n",
    "=?utf-8?B?QA==?=", "a.", "\xff"};

static void
works_in_linear_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, 1 << 20);
		buf_put(b, STR("From:"));
		while (!b->is_cut)
			buf_put(b, str_from(hostile[i]));
		struct dkim_field field = {STR("From"), buf_str(b), false};
		struct dkim_mail mail = {
		    .v = &field, .n = 1, .body = STR_EMPTY};
		struct authors authors;
		int64_t start = cpu_ms();
		authors_of(a, &mail, &authors);
		assert_true(cpu_ms() - start < 500);
		assert_true(authors.is_cut && authors.is_ambiguous);
		assert_true(authors.n <= AUTHORS_MAX);
		arena_free(a);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_what_from_says),
    cmocka_unit_test(sees_through_a_nul),
    cmocka_unit_test(counts_fields_and_domains),
    cmocka_unit_test(works_in_linear_time),
};
UNIT_MAIN(tests)
