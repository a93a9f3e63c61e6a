/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim -- what is hashed, what is signed, and what a key record says.  Peers
 * decide about whole signatures in test/parity/dkimpy.t.
 */
#include "unit.h"

#include <pthread.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_record.h"
#include "auth/dkim_sendmail.h"
#include "auth/dkim_sign.h"
#include "auth/dkim_tag.h"
#include "dkim_zone.h"

#define THREADS 4

static void
put(void *arg, struct str bytes)
{
	buf_put(arg, bytes);
}

/* ---- canonical forms */

/* A string that may have NULs. */
#define S(literal) literal, sizeof(literal) - 1

static const struct {
	const char *label;
	const char *body;
	size_t len;
	const char *simple;
	const char *relaxed;
} bodies[] = {
    /* RFC 6376 section 3.4.5, examples 1 and 2 */
    {"the RFC's", S(" C \nD \t E\n\n\n"), " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
    {"empty", S(""), "\r\n", ""},
    {"one empty line", S("\n"), "\r\n", ""},
    {"many empty lines", S("\n\n\n\n"), "\r\n", ""},
    {"blanks only", S(" \t \n \n"), " \t \r\n \r\n", ""},
    {"blanks without a line end", S("  "), "  \r\n", ""},
    {"no final line end", S("a\nb"), "a\r\nb\r\n", "a\r\nb\r\n"},
    {"empty lines inside", S("a\n\n\nb\n"), "a\r\n\r\n\r\nb\r\n",
	"a\r\n\r\n\r\nb\r\n"},
    {"empty lines in front", S("\n\na\n"), "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
    {"blanks at line ends", S("a \t\n b\t\n"), "a \t\r\n b\t\r\n",
	"a\r\n b\r\n"},
    {"runs of blanks", S("a  b\tc \t d\n"), "a  b\tc \t d\r\n", "a b c d\r\n"},
    {"blanks in front", S("\t\ta\n  b\n c\n"), "\t\ta\r\n  b\r\n c\r\n",
	" a\r\n b\r\n c\r\n"},
    {"a lone \\r", S("a\rb\r\n\rc\n"), "a\rb\r\r\n\rc\r\n",
	"a\rb\r\r\n\rc\r\n"},
    {"a blank before a \\r", S("a \r\n"), "a \r\r\n", "a \r\r\n"},
    {"8 bits", S("\xc3\xa9\xff\x80 \n"), "\xc3\xa9\xff\x80 \r\n",
	"\xc3\xa9\xff\x80\r\n"},
    {"other white space", S("a\v\fb \v\n"), "a\v\fb \v\r\n", "a\v\fb \v\r\n"},
    {"dots", S(".\n..\n"), ".\r\n..\r\n", ".\r\n..\r\n"},
};

static void
a_body_is_hashed_as_the_rfc_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct arena *a = arena_new();
		struct str body = str_of(bodies[i].body, bodies[i].len);
		struct buf *simple = buf_new(a, 1000);
		struct buf *relaxed = buf_new(a, 1000);
		uint64_t len = dkim_canon_body(DKIM_SIMPLE, body, put, simple);
		assert_int_equal(len, simple->len);
		len = dkim_canon_body(DKIM_RELAXED, body, put, relaxed);
		assert_int_equal(len, relaxed->len);
		assert_str(buf_str(simple), bodies[i].simple);
		assert_str(buf_str(relaxed), bodies[i].relaxed);
		arena_free(a);
	}
}

static void
a_nul_in_a_body_is_a_byte(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *out = buf_new(a, 100);
	(void)dkim_canon_body(DKIM_RELAXED, STR("a\0  b\n"), put, out);
	assert_true(str_eq(buf_str(out), STR("a\0 b\r\n")));
	arena_free(a);
}

static void
long_lines_and_many_empty_ones_pass_the_buffer(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *in = buf_new(a, 1 << 20), *want = buf_new(a, 1 << 20);
	for (size_t size = 8189; size < 8196; size++) {
		for (size_t i = 0; i < size; i++) {
			buf_putc(in, (char)('a' + i % 26));
			buf_putc(want, (char)('a' + i % 26));
		}
		buf_put(in, STR("  x\n\n\n"));
		buf_put(want, STR(" x\r\n\r\n\r\n"));
	}
	want->len -= 4;
	struct buf *out = buf_new(a, 1 << 20);
	(void)dkim_canon_body(DKIM_RELAXED, buf_str(in), put, out);
	assert_true(str_eq(buf_str(out), buf_str(want)));
	arena_free(a);
}

static const struct {
	const char *field, *simple, *relaxed;
} fields[] = {
    /* RFC 6376 section 3.4.5, examples 1 and 2 */
    {"A: X", "A: X", "a:X"},
    {"B : Y\t\n\tZ  ", "B : Y\t\r\n\tZ  ", "b:Y Z"},
    {"Subject:", "Subject:", "subject:"},
    {"Subject: ", "Subject: ", "subject:"},
    {"Subject:\n x", "Subject:\r\n x", "subject:x"},
    {"Subject: x\n ", "Subject: x\r\n ", "subject:x"},
    {"SUBject:a:b", "SUBject:a:b", "subject:a:b"},
    {"X: \xc3\xa9  \xff", "X: \xc3\xa9  \xff", "x:\xc3\xa9 \xff"},
    {"X: a\rb", "X: a\rb", "x:a\rb"},
    {"X: a\n\n b", "X: a\r\n\r\n b", "x:a b"},
};

static void
a_field_is_hashed_as_the_rfc_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct arena *a = arena_new();
		struct str text = str_from(fields[i].field);
		struct str name =
		    str_trim(str_sub(text, 0, str_chr(text, ':')));
		struct dkim_field field = {.name = name, .text = text};
		struct buf *simple = buf_new(a, 100);
		struct buf *relaxed = buf_new(a, 100);
		dkim_canon_field(DKIM_SIMPLE, &field, put, simple);
		dkim_canon_field(DKIM_RELAXED, &field, put, relaxed);
		assert_str(buf_str(simple), fields[i].simple);
		assert_str(buf_str(relaxed), fields[i].relaxed);
		arena_free(a);
	}
}

static void
no_sink(void *arg, struct str bytes)
{
	(void)arg;
	(void)bytes;
}

static void
a_large_body_costs_linear_time(void **state)
{
	(void)state;
	static const char *const hostile[] = {
	    "\n", " ", " \n", "\t \t", "a ", "\r"};
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct arena *a = arena_new();
		struct buf *body = buf_new(a, 8 << 20);
		while (!body->is_cut)
			buf_put(body, str_from(hostile[i]));
		int64_t start = cpu_ms();
		(void)dkim_canon_body(
		    DKIM_RELAXED, buf_str(body), no_sink, NULL);
		(void)dkim_canon_body(
		    DKIM_SIMPLE, buf_str(body), no_sink, NULL);
		assert_true(cpu_ms() - start < 3000);
		arena_free(a);
	}
}

/* ---- cutting a mail */

static const struct {
	const char *raw;
	const char *fields; /* name=text| */
	const char *body;
} mails[] = {
    {"A: 1\nB: 2\n\nx\n", "A=A: 1|B=B: 2|", "x\n"},
    {"A: 1\n b\n\tc\nB:2\n\n", "A=A: 1\n b\n\tc|B=B:2|", ""},
    {"A : 1\n\nx", "A=A : 1|", "x"},
    {"A: 1\nno field\n\nx", "A=A: 1|", "no field\n\nx"},
    {"A: 1", "A=A: 1|", ""},
    {"A: 1\n \n\nx", "A=A: 1\n |", "x"},
    {"\nx", "", "x"},
    {"", "", ""},
    {" folded: first\nA: 1\n\nx", "", " folded: first\nA: 1\n\nx"},
    {"A:\n\n\nx", "A=A:|", "\nx"},
};

static void
a_mail_is_cut_into_fields_and_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mails); i++) {
		struct arena *a = arena_new();
		struct dkim_mail mail;
		dkim_mail_cut(a, str_from(mails[i].raw), 100, &mail);
		struct buf *b = buf_new(a, 1000);
		for (size_t k = 0; k < mail.n; k++)
			buf_printf(b, "%.*s=%.*s|", STR_ARG(mail.v[k].name),
			    STR_ARG(mail.v[k].text));
		assert_str(buf_str(b), mails[i].fields);
		assert_str(mail.body, mails[i].body);
		arena_free(a);
	}
}

static void
fields_past_the_maximum_are_left_out(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct dkim_mail mail;
	dkim_mail_cut(a, STR("A: 1\nB: 2\nC: 3\n\nx"), 2, &mail);
	assert_int_equal(mail.n, 2);
	assert_str(mail.body, "x");
	arena_free(a);
}

/* ---- tags and records */

static const struct {
	const char *text;
	const char *want; /* NULL: no list of tags */
} tag_lists[] = {
    {"a=1; b=2", "a=1|b=2|"},
    {" a = 1 ;\r\n\tb=2\t3; ", "a=1|b=23|"},
    {"a=;b", NULL},
    {"a=;b=", "a=|b=|"},
    {"a=1;;b=2", NULL},
    {";a=1", NULL},
    {"a=1;", "a=1|"},
    {"a=b=c", "a=b=c|"},
    {"a=1; a=2", NULL},
    {"bh=1; bH=2", NULL},
    {"1a=1", NULL},
    {"a_1=x", "a_1=x|"},
    {"a b=1", NULL},
    {"=1", NULL},
    {"", NULL},
    {"  ", NULL},
    {"a=\xc3\xa9", NULL},
    {"a=\v", NULL},
    {"a", NULL},
};

static void
tags_are_read_as_strictly_as_the_rfc_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(tag_lists); i++) {
		struct arena *a = arena_new();
		struct dkim_tags tags;
		const char *why =
		    dkim_tags_read(a, str_from(tag_lists[i].text), &tags);
		if ((why == NULL) != (tag_lists[i].want != NULL))
			fail_msg("[%s]: %s", tag_lists[i].text, why);
		struct buf *b = buf_new(a, 1000);
		for (size_t k = 0; why == NULL && k < tags.n; k++)
			buf_printf(b, "%.*s=%.*s|", STR_ARG(tags.v[k].name),
			    STR_ARG(tags.v[k].value));
		if (why == NULL)
			assert_str(buf_str(b), tag_lists[i].want);
		arena_free(a);
	}
}

#define ED_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const struct {
	const char *text;
	enum dkim_key_status status;
	const char *flags; /* type, then y s and what is allowed */
} records[] = {
    {"v=DKIM1; k=ed25519; p=" ED_KEY, DKIM_KEY_OK, "ed25519 --he"},
    {"k=ed25519; p=" ED_KEY, DKIM_KEY_OK, "ed25519 --he"},
    {"k=ed25519;p=11qYAYKxCrfVS/7T yWQHOg7hcvPapi\tMlrwIaaPcHURo=", DKIM_KEY_OK,
	"ed25519 --he"},
    {"k=ed25519; p=\"" ED_KEY "\"", DKIM_KEY_BROKEN, "ed25519 --he"},
    {"v=DKIM1;t=y:s;k=ed25519;p=" ED_KEY, DKIM_KEY_OK, "ed25519 yshe"},
    {"v=DKIM1;t=s;k=Ed25519;n=note;x=?;p=" ED_KEY, DKIM_KEY_OK, "ed25519 -she"},
    {"v=DKIM1;h=sha1;k=ed25519;p=" ED_KEY, DKIM_KEY_OK, "ed25519 ---e"},
    {"v=DKIM1;h=sha1:sha256;k=ed25519;p=" ED_KEY, DKIM_KEY_OK, "ed25519 --he"},
    {"v=DKIM1;s=tlsrpt;k=ed25519;p=" ED_KEY, DKIM_KEY_OK, "ed25519 --h-"},
    {"v=DKIM1;s=*;k=ed25519;p=" ED_KEY, DKIM_KEY_OK, "ed25519 --he"},
    {"v=DKIM1;s=other:email;k=ed25519;p=" ED_KEY, DKIM_KEY_OK, "ed25519 --he"},
    {"v=DKIM1; p=", DKIM_KEY_REVOKED, "rsa --he"},
    {"v=DKIM1; k=ed25519; p= ;", DKIM_KEY_REVOKED, "ed25519 --he"},
    {"v=DKIM1; k=rsa; p=" ED_KEY, DKIM_KEY_BROKEN, "rsa --he"},
    {"v=DKIM1; k=ed25519; p=AAAA", DKIM_KEY_BROKEN, "ed25519 --he"},
    {"v=DKIM1; k=dsa; p=AAAA", DKIM_KEY_BROKEN, "dsa --he"},
    {"v=DKIM1; k=rsa; p=****", DKIM_KEY_BROKEN, "rsa --he"},
    {"v=DKIM1; k=rsa", DKIM_KEY_BROKEN, NULL},
    {"v=DKIM1; p=" ED_KEY "; p=" ED_KEY, DKIM_KEY_BROKEN, NULL},
    {"k=rsa; v=DKIM1; p=" ED_KEY, DKIM_KEY_NONE, NULL},
    {"v=DKIM2; p=" ED_KEY, DKIM_KEY_NONE, NULL},
    {"v=dkim1; p=" ED_KEY, DKIM_KEY_NONE, NULL},
    {"v=spf1 -all", DKIM_KEY_NONE, NULL},
    {"google-site-verification=x", DKIM_KEY_NONE, NULL},
    {"hello", DKIM_KEY_NONE, NULL},
    {"", DKIM_KEY_NONE, NULL},
    {"v=DKIM1; n=\xc3\xa9; p=" ED_KEY, DKIM_KEY_BROKEN, NULL},
};

static void
a_key_record_says_what_it_is_good_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(records); i++) {
		struct arena *a = arena_new();
		struct dkim_key_record r;
		dkim_key_record_parse(a, str_from(records[i].text), &r);
		if (r.status != records[i].status)
			fail_msg("%s: %s", records[i].text, r.why);
		assert_int_equal(r.status == DKIM_KEY_OK, *r.why == '\0');
		struct str flags = str_printf(a, "%.*s %s%s%s%s",
		    STR_ARG(r.type), r.is_test ? "y" : "-",
		    r.is_strict ? "s" : "-", r.allows_sha256 ? "h" : "-",
		    r.allows_email ? "e" : "-");
		if (records[i].flags != NULL)
			assert_str(flags, records[i].flags);
		arena_free(a);
	}
}

static void
an_rsa_key_is_the_same_in_both_forms(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	EVP_PKEY *key = key_new(1024);
	unsigned char *der = NULL;
	int len = i2d_PublicKey(key, &der);
	struct str bare =
	    dkim_base64(a, str_of((const char *)der, (size_t)len));
	struct dkim_key_record one, two;
	dkim_key_record_parse(a,
	    str_printf(a, "v=DKIM1;p=%.*s", STR_ARG(key_public(a, key))), &one);
	dkim_key_record_parse(
	    a, str_printf(a, "v=DKIM1;p=%.*s", STR_ARG(bare)), &two);
	assert_int_equal(one.status, DKIM_KEY_OK);
	assert_int_equal(two.status, DKIM_KEY_OK);
	assert_true(str_eq(one.key, two.key));
	assert_int_equal(one.bits, 1024);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	arena_free(a);
}

static void
a_record_is_found_among_others(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct zone zone = {.n = 0};
	struct str key = STR("v=DKIM1; k=ed25519; p=" ED_KEY);
	zone_add(&zone, "one._domainkey.example.com", STR("v=spf1 -all"));
	zone_add(&zone, "one._domainkey.example.com", key);
	zone_add(&zone, "two._domainkey.example.com", key);
	zone_add(&zone, "two._domainkey.example.com", STR("p=" ED_KEY));
	zone_add(&zone, "other._domainkey.example.com", STR("v=spf1 -all"));
	zone_add(&zone, "temp._domainkey.example.com", STR_EMPTY);
	zone.v[zone.n - 1].is_temp = true;
	static const struct {
		const char *selector;
		enum dkim_key_status status;
	} wanted[] = {{"one", DKIM_KEY_OK}, {"two", DKIM_KEY_BROKEN},
	    {"other", DKIM_KEY_NONE}, {"none", DKIM_KEY_NONE},
	    {"temp", DKIM_KEY_TEMP}};
	struct resolver *r = resolver_new_source(zone_answer, &zone);
	struct cache *cache = cache_new(10, 100000);
	struct dns_budget budget = zone_budget();
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		assert_int_equal(dkim_key_record_get(a, r, cache,
				     str_from(wanted[i].selector),
				     STR("example.com"), &budget)
				     ->status,
		    wanted[i].status);
	assert_true(budget.has_temp);
	cache_free(cache);
	resolver_free(r);
	arena_free(a);
}

/* ---- signing */

struct fixture {
	struct arena *a;
	struct dkim_keys *keys;
	struct dkim_signer signer;
	struct strs fields, oversign;
	struct dkim_sign_options options;
};

static void
names_add(struct arena *a, const char *text, struct strs *ret)
{
	for (struct str rest = str_from(text); rest.len > 0;)
		strs_add(a, ret, str_cut(&rest, ','));
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->a = arena_new();
	EVP_PKEY *key = key_new(0);
	struct dkim_tables tables = {
	    .key_table = STR("/keys"), .signing_table = STR("/signing")};
	struct diags diags = {.arena = f->a};
	f->keys = dkim_keys_parse(&tables,
	    str_printf(
		f->a, "key example.com:sel:%.*s", STR_ARG(key_line(f->a, key))),
	    STR("* key:al\xc3\xaf"
		"ce;@example.com"),
	    &diags);
	EVP_PKEY_free(key);
	assert_non_null(f->keys);
	assert_int_equal(dkim_signers_for(f->a, f->keys, STR("a@example.com"),
			     &f->signer, 1),
	    1);
	names_add(f->a, "From,To,Subject", &f->fields);
	names_add(f->a, "From,Cc", &f->oversign);
	f->options = (struct dkim_sign_options){.header = DKIM_RELAXED,
	    .body = DKIM_SIMPLE,
	    .fields = &f->fields,
	    .oversign = &f->oversign,
	    .now_wall = 1700000000,
	    .valid_s = 0};
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	dkim_keys_free(f->keys);
	arena_free(f->a);
	free(f);
	return 0;
}

static bool
sign(struct fixture *f, const char *raw, struct str *ret, const char **why)
{
	struct dkim_mail mail;
	dkim_mail_cut(f->a, str_from(raw), 1000, &mail);
	return dkim_sign_mail(f->a, &f->signer, &mail, &f->options, ret, why);
}

static struct str
tag_of(struct fixture *f, struct str value, const char *name)
{
	struct dkim_tags tags;
	assert_null(dkim_tags_read(f->a, value, &tags));
	return dkim_tags_get(&tags, name);
}

static void
a_signature_has_its_tags(void **state)
{
	struct fixture *f = *state;
	struct str value;
	const char *why;
	f->options.valid_s = 86400;
	assert_true(
	    sign(f, "To: b@x.example\nFrom: a@example.com\n\n", &value, &why));
	assert_str(tag_of(f, value, "v"), "1");
	assert_str(tag_of(f, value, "a"), "ed25519-sha256");
	assert_str(tag_of(f, value, "c"), "relaxed/simple");
	assert_str(tag_of(f, value, "d"), "example.com");
	assert_str(tag_of(f, value, "s"), "sel");
	assert_str(tag_of(f, value, "i"), "al=C3=AFce=3B@example.com");
	assert_str(tag_of(f, value, "t"), "1700000000");
	assert_str(tag_of(f, value, "x"), "1700086400");
	/* SHA-256 of CRLF */
	assert_str(tag_of(f, value, "bh"),
	    "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
	assert_int_equal(tag_of(f, value, "b").len, 88);
	struct dkim_tags tags;
	assert_null(dkim_tags_read(f->a, value, &tags));
	assert_false(dkim_tags_have(&tags, "l"));
}

static const struct {
	const char *raw, *names;
} selections[] = {
    {"From: a@example.com\nTo: b\nSubject: s\n\n", "From:From:To:Subject:Cc"},
    {"Subject: s\nFrom: a\nX: y\n\n", "From:From:Subject:Cc"},
    {"from: a\nCC: c\nCc: d\n\n", "From:From:Cc:Cc:Cc"},
    {"From: a\nFrom: b\nTo: c\nTo: d\n\n", "From:From:From:To:To:Cc"},
};

static void
fields_are_listed_as_often_as_they_are_there(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(selections); i++) {
		struct str value;
		const char *why;
		assert_true(sign(f, selections[i].raw, &value, &why));
		assert_str(tag_of(f, value, "h"), selections[i].names);
	}
}

static void
from_is_signed_even_if_nobody_lists_it(void **state)
{
	struct fixture *f = *state;
	struct strs none = {0};
	f->options.fields = f->options.oversign = &none;
	struct str value;
	const char *why;
	assert_true(sign(f, "From: a\nTo: b\n\n", &value, &why));
	assert_str(tag_of(f, value, "h"), "From");
}

static void
mail_without_from_is_not_signed(void **state)
{
	struct fixture *f = *state;
	struct str value;
	const char *why = NULL;
	assert_false(sign(f, "To: b\n\nFrom: a\n", &value, &why));
	assert_non_null(why);
}

static void
too_many_fields_are_not_signed(void **state)
{
	struct fixture *f = *state;
	struct buf *raw = buf_new(f->a, 1 << 20);
	buf_put(raw, STR("From: a\n"));
	for (int i = 0; i < 600; i++)
		buf_put(raw, STR("Subject: b\n"));
	buf_putc(raw, '\0');
	struct str value;
	const char *why = NULL;
	assert_false(sign(f, raw->p, &value, &why));
	assert_non_null(why);
}

static void
a_field_that_the_mta_may_change_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct dkim_mail mail;
	dkim_mail_cut(
	    f->a, STR("From: a\nTo: local\nSubject: s\n\n"), 10, &mail);
	dkim_mail_as_sendmail(f->a, &mail);
	struct str value;
	const char *why;
	assert_true(
	    dkim_sign_mail(f->a, &f->signer, &mail, &f->options, &value, &why));
	assert_str(tag_of(f, value, "h"), "From:From:Subject:Cc");
}

static void
the_field_is_folded_below_78_columns(void **state)
{
	struct fixture *f = *state;
	names_add(f->a, DKIM_FIELDS_DEFAULT, &f->fields);
	names_add(f->a, DKIM_OVERSIGN_DEFAULT, &f->oversign);
	struct str value;
	const char *why;
	assert_true(sign(f, "From: a\nTo: b\n\nx\n", &value, &why));
	struct str text =
	    str_printf(f->a, "DKIM-Signature: %.*s", STR_ARG(value));
	for (size_t n = 0; text.len > 0; n++) {
		struct str line = str_line(&text);
		size_t columns = line.len;
		if (n > 0) {
			assert_true(line.p[0] == '\t' && line.len > 1);
			columns += 7;
		}
		assert_true(columns < 78);
	}
	assert_true(value.p[0] == 'v');
}

struct work {
	const struct fixture *f;
	struct str want;
	unsigned wrong;
};

static void *
sign_often(void *arg)
{
	struct work *w = arg;
	for (int i = 0; i < 50; i++) {
		struct arena *a = arena_new();
		struct dkim_mail mail;
		dkim_mail_cut(a, STR("From: a\n\nx\n"), 10, &mail);
		struct str value;
		const char *why;
		if (!dkim_sign_mail(a, &w->f->signer, &mail, &w->f->options,
			&value, &why) ||
		    !str_eq(value, w->want))
			w->wrong++;
		arena_free(a);
	}
	return NULL;
}

/* Both kinds of signatures are the same each time. */
static void
threads_share_a_key(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *rsa = key_new(2048);
	struct dkim_tables tables = {
	    .key_table = STR("/keys"), .signing_table = STR("/signing")};
	struct diags diags = {.arena = f->a};
	struct dkim_keys *keys = dkim_keys_parse(&tables,
	    str_printf(
		f->a, "key example.com:sel:%.*s", STR_ARG(key_line(f->a, rsa))),
	    STR("* key"), &diags);
	for (int round = 0; round < 2; round++) {
		struct work work[THREADS];
		pthread_t v[THREADS];
		const char *why;
		struct str want;
		assert_true(sign(f, "From: a\n\nx\n", &want, &why));
		for (size_t i = 0; i < THREADS; i++) {
			work[i] = (struct work){f, want, 0};
			assert_int_equal(
			    pthread_create(&v[i], NULL, sign_often, &work[i]),
			    0);
		}
		for (size_t i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(v[i], NULL), 0);
			assert_int_equal(work[i].wrong, 0);
		}
		assert_int_equal(dkim_signers_for(f->a, keys,
				     STR("a@example.com"), &f->signer, 1),
		    1);
	}
	dkim_keys_free(keys);
	EVP_PKEY_free(rsa);
}

/* ---- Sendmail's form.  What is expected was written by Sendmail 8.17.1. */

static const struct {
	const char *seen;
	const char *written; /* NULL: not to be told */
} addresses[] = {
    {"To: a@b.example", "To: a@b.example"},
    {"To: a@b.example,c@d.example", "To: a@b.example, c@d.example"},
    {"To: a@b.example , c@d.example", "To: a@b.example, c@d.example"},
    {"To: a@b.example,\n\tc@d.example", "To: a@b.example, c@d.example"},
    {"To: ,a@b.example,,c@d.example,", "To: a@b.example, c@d.example"},
    {"To:a@b.example,c@d.example", "To:a@b.example, c@d.example"},
    {"To:\t\ta@b.example", "To:  a@b.example"},
    {"To:", "To:"},
    {"To: ", "To: "},
    {"To: Bob <bob@b.example>\n\t,C<c@d.example>",
	"To: Bob <bob@b.example>, C<c@d.example>"},
    {"To: \"Smith, Bob\" <bob@b.example>,\"X Y\" <x@y.example>",
	"To: \"Smith, Bob\" <bob@b.example>, \"X Y\" <x@y.example>"},
    {"To: < a@b.example >", "To: <a@b.example>"},
    {"To: Bob O'Neil <a@b.example>", "To: \"Bob O'Neil\" <a@b.example>"},
    {"To: Bob. Q. Baker  <a@b.example>",
	"To: \"Bob. Q. Baker\"  <a@b.example>"},
    {"To: [x] <a@b.example>", "To: \"[x]\" <a@b.example>"},
    {"To: \"A\" B. C <x@y.example>", "To: \"\\\"A\\\" B. C\" <x@y.example>"},
    {"To: \"A.B\" C <x@y.example>", "To: \"A.B\" C <x@y.example>"},
    {"To: a@b.example <a@b.example>", "To: \"a@b.example\" <a@b.example>"},
    {"To: Bob\n Baker <a@b.example>", "To: Bob\n Baker <a@b.example>"},
    {"To: Bob (in) <a@b.example> (out)", "To: Bob (in) <a@b.example> (out)"},
    {"To: a@b.example(Bob, B)", "To: a@b.example (Bob, B)"},
    {"To: undisclosed-recipients:;", "To: undisclosed-recipients:;"},
    {"To: \"a \\\"q\\\" b\" <c@d.example>",
	"To: \"a \\\"q\\\" b\" <c@d.example>"},
    {"To: \xc3\x81 B\xc3\xb6"
     "b <a@b.example>",
	"To: \xc3\x81 B\xc3\xb6"
	"b <a@b.example>"},
    {"Subject: a,b@c.example , x", "Subject: a,b@c.example , x"},
    {"X-Any: a@b.example,c@d.example", "X-Any: a@b.example,c@d.example"},
    {"reply-to: a@b.example,c@d.example", "reply-to: a@b.example, c@d.example"},
    {"To: one-of-some-length@long.example, two-of-some-length@long.example, "
     "three@long.example",
	"To: one-of-some-length@long.example, two-of-some-length@long.example,"
	"\n        three@long.example"},
    {"To: Bob, Baker <a@b.example>", NULL},
    {"To: local", NULL},
    {"To: a@localhost", NULL},
    {"To: group: a@b.example, c@d.example;", NULL},
    {"To: <@r.example:a@b.example>", NULL},
    {"To: a@b.example; c@d.example", NULL},
    {"To: a@b.example c@d.example", NULL},
    {"To: a@b.example.", NULL},
    {"To: a @ b.example", NULL},
    {"To: a@b.example (unbalanced", NULL},
    {"To: \"unbalanced <a@b.example>", NULL},
    {"To: <a@b.example", NULL},
    {"To: a@b.example>", NULL},
    {"To: Bob <a@b.example> junk", NULL},
    {"To: A\\B <a@b.example>", NULL},
    {"To: a%b@c.example", NULL},
    {"Bcc: a@b.example", NULL},
};

static void
addresses_are_signed_as_sendmail_writes_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct arena *a = arena_new();
		struct dkim_mail mail;
		dkim_mail_cut(a, str_from(addresses[i].seen), 10, &mail);
		assert_int_equal(mail.n, 1);
		dkim_mail_as_sendmail(a, &mail);
		if (addresses[i].written != NULL)
			assert_str(mail.v[0].text, addresses[i].written);
		if (mail.v[0].is_unsure != (addresses[i].written == NULL))
			fail_msg("%s", addresses[i].seen);
		arena_free(a);
	}
}

static void
what_sendmail_has_written_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		struct arena *a = arena_new();
		struct dkim_mail mail;
		if (addresses[i].written != NULL) {
			dkim_mail_cut(
			    a, str_from(addresses[i].written), 10, &mail);
			dkim_mail_as_sendmail(a, &mail);
			assert_str(mail.v[0].text, addresses[i].written);
		}
		arena_free(a);
	}
}

static void
lines_that_sendmail_breaks_are_left_out(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *raw = buf_new(a, 4096);
	buf_put(raw, STR("Subject: "));
	for (int i = 0; i < 990; i++)
		buf_putc(raw, 'x');
	struct dkim_mail mail;
	dkim_mail_cut(a, buf_str(raw), 10, &mail);
	dkim_mail_as_sendmail(a, &mail);
	assert_true(mail.v[0].is_unsure);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_is_hashed_as_the_rfc_has_it),
    cmocka_unit_test(a_nul_in_a_body_is_a_byte),
    cmocka_unit_test(long_lines_and_many_empty_ones_pass_the_buffer),
    cmocka_unit_test(a_field_is_hashed_as_the_rfc_has_it),
    cmocka_unit_test(a_large_body_costs_linear_time),
    cmocka_unit_test(a_mail_is_cut_into_fields_and_body),
    cmocka_unit_test(fields_past_the_maximum_are_left_out),
    cmocka_unit_test(tags_are_read_as_strictly_as_the_rfc_says),
    cmocka_unit_test(a_key_record_says_what_it_is_good_for),
    cmocka_unit_test(an_rsa_key_is_the_same_in_both_forms),
    cmocka_unit_test(a_record_is_found_among_others),
    cmocka_unit_test_setup_teardown(
	a_signature_has_its_tags, set_up, tear_down),
    cmocka_unit_test_setup_teardown(
	fields_are_listed_as_often_as_they_are_there, set_up, tear_down),
    cmocka_unit_test_setup_teardown(
	from_is_signed_even_if_nobody_lists_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown(
	mail_without_from_is_not_signed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(
	too_many_fields_are_not_signed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(
	a_field_that_the_mta_may_change_is_left_out, set_up, tear_down),
    cmocka_unit_test_setup_teardown(
	the_field_is_folded_below_78_columns, set_up, tear_down),
    cmocka_unit_test_setup_teardown(threads_share_a_key, set_up, tear_down),
    cmocka_unit_test(addresses_are_signed_as_sendmail_writes_them),
    cmocka_unit_test(what_sendmail_has_written_stays),
    cmocka_unit_test(lines_that_sendmail_breaks_are_left_out),
};
UNIT_MAIN(tests)
