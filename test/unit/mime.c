/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime -- the tree of parts, their types, names and transfer encodings.  Trees
 * and bodies are those that SpamAssassin 4.0.1 sees.
 */
#include "unit.h"

#include "mail/mime.h"
#include "mail/transfer.h"

static struct mail_config
small_config(void)
{
	return (struct mail_config){.limits = MAIL_LIMITS_DEFAULT};
}

/* "multipart/mixed(text/plain text/html)" */
static void
put_tree(struct buf *out, const struct part *part)
{
	buf_put(out, part->type);
	if (part_is_leaf(part))
		return;
	buf_putc(out, '(');
	for (const struct part *p = part->child; p != NULL; p = p->next) {
		if (p != part->child)
			buf_putc(out, ' ');
		put_tree(out, p);
	}
	buf_putc(out, ')');
}

static struct str
tree_of(struct message *m)
{
	struct buf *out = buf_new(m->arena, 1 << 20);
	put_tree(out, m->root);
	return buf_str(out);
}

/* Decoded text of all leaves with a bar between. */
static struct str
leaves_of(struct message *m)
{
	struct buf *out = buf_new(m->arena, 1 << 20);
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		if (!part_is_leaf(p))
			continue;
		if (out->len > 0)
			buf_putc(out, '|');
		buf_put(out, part_decoded(m, p));
	}
	return buf_str(out);
}

#define MULTIPART "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
	const char *text, *tree, *leaves;
} trees[] = {
    {"\nx\n", "text/plain", "x\n"},
    {"Content-Type: TEXT/HTML; charset=x\n\nx", "text/html", "x"},
    {"Content-Type: text/x-patch\n\nx", "text/plain", "x"},
    {"Content-Type: text/calendar\n\nx", "text/calendar", "x"},
    {"Content-Type: image/png (x)\n\nx", "image/png", "x"},
    {"Content-Type:\n\nx", "text/plain", "x"},
    {MULTIPART "preamble\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n"
	       "--b--\nepilogue\n",
	"multipart/mixed(text/plain text/html)", "one|two"},
    /* No end, blanks behind the boundary, an empty part. */
    {MULTIPART "--b \t\n\none\n--b\n--b\n\ntwo\n",
	"multipart/mixed(text/plain text/plain text/plain)", "one||two\n"},
    /* A boundary is a whole line. */
    {MULTIPART "--b\n\none\n--bx\n--b--x\n", "multipart/mixed(text/plain)",
	"one\n--bx\n--b--x\n"},
    {MULTIPART "no boundary at all\n", "multipart/mixed(text/plain)",
	"no boundary at all\n"},
    {MULTIPART, "multipart/mixed()", ""},
    {"Content-Type: multipart/mixed\n\n--b\n\nx\n", "text/plain",
	"\n--b\n\nx\n"},
    {"Content-Type: multipart/mixed\n\nx\ny\n", "text/plain", "\nx\ny\n"},
    /* A part without an empty line, and one with a field and no body. */
    {MULTIPART "--b\nContent-Type: text/html\n<p>\n--b--\n",
	"multipart/mixed(text/html)", "<p>"},
    {MULTIPART "--b\nContent-Type: text/html\n--b--\n",
	"multipart/mixed(text/plain)", ""},
    {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\n"
     "y\n--b\nContent-Type: text/plain\n\nz\n--b--\n",
	"multipart/digest(message/rfc822(text/plain) text/plain)", "y|z"},
    {"Content-Type: message/rfc822\n\n" MULTIPART "--b\n\nx\n--b--\n",
	"message/rfc822(multipart/mixed(text/plain))", "x"},
    {"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
     "U3ViamVjdDogeAoKeQo=\n",
	"message/rfc822(text/plain)", "y\n"},
    {"Content-Type: message/rfc822\n\n", "message/rfc822", ""},
    {"Content-Type: message/delivery-status\n\nx\n", "message/delivery-status",
	"x\n"},
    /* A nested multipart with the boundary of its parent. */
    {MULTIPART "--b\nContent-Type: multipart/alternative; boundary=b\n\n"
	       "--b\n\nx\n--b--\n--b\n\ny\n--b--\n",
	"multipart/mixed(multipart/alternative(text/plain) text/plain)", "x|y"},
    {MULTIPART "--b\nContent-Type: multipart/alternative\n\nx\ny\n--b--\n",
	"multipart/mixed(multipart/alternative(text/plain))", "x\ny"},
    {"Content-Type: multipart/mixed; boundary=\"b b\"\n\n--b b\n\nx\n--b b--",
	"multipart/mixed(text/plain)", "x"},
    {"Content-Type: text/html\nContent-Type: text/plain\n\nx", "text/plain",
	"x"},
};

static void
builds_the_tree_that_spamassassin_builds(void **state)
{
	(void)state;
	struct mail_config config = small_config();
	for (size_t i = 0; i < COUNT_OF(trees); i++) {
		struct arena *a = arena_new();
		struct message *m =
		    message_new(a, str_from(trees[i].text), &config, NULL);
		assert_str(tree_of(m), trees[i].tree);
		assert_str(leaves_of(m), trees[i].leaves);
		arena_free(a);
	}
}

static const struct {
	const char *encoded, *hex;
} base64[] = {
    {"YWJj", "616263"},
    {"YW Jj\nZA==\n", "61626364"},
    {"YWJjZA", "61626364"},
    {"YW*Jj", "616263"},
    {"YQ==YQ==", "61000061"},
    {"YQ==YQ=", "610fff61"},
    {"Y", ""},
    {"====", ""},
    {"", ""},
};

static const struct {
	const char *encoded, *decoded;
} quoted[] = {
    {"a=3D= \t\n b \t\r\n==\n=4g=4", "a= b\r\n==4g=4"},
    {"= \r\r\n=\r=C3=A9=3", "= \r\r\n=\r\xc3\xa9=3"},
    {"a \n\n=\n=", "a\n\n="},
    {"a=3Db=3db", "a=b=b"},
    {"soft=\nbreak= \t\nbreak=\r\nend", "softbreakbreakend"},
    {"blank \t\nblank \r\n x", "blank\nblank\r\n x"},
    {"=4=\n1", "A"},
    {"==\n\nx", "=\nx"},
    {"=zz=a=", "=zz=a="},
    {"plain", "plain"},
};

/* Some digits, blanks, signs of no meaning, and now and then an =. */
static struct str
base64_like(struct arena *a, uint32_t *seed, size_t len)
{
	static const char signs[] = "AZaz09+/BQbqMm15\n\r *\xff";
	char *p = arena_alloc(a, len);
	size_t most = sizeof(signs) - 1 - *seed % 6;
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 1664525 + 1013904223;
		p[i] = *seed >> 20 == 7 ? '=' : signs[(*seed >> 8) % most];
	}
	return str_of(p, len);
}

static void
the_head_of_base64_is_the_start_of_all(void **state)
{
	(void)state;
	uint32_t seed = 1;
	size_t told = 0;
	for (size_t i = 0; i < 2000; i++) {
		struct arena *a = arena_new();
		struct str text = base64_like(a, &seed, i), head;
		struct str all = transfer_base64(a, text);
		for (size_t size = 0; size < 1000; size = size * 3 + 1) {
			if (!transfer_base64_head(a, text, size, &head))
				continue;
			told++;
			assert_true(str_eq(head, str_sub(all, 0, size)));
		}
		arena_free(a);
	}
	assert_true(told > 2000);
}

/* A file is judged by its head only if the rest cannot change that. */
static void
part_heads_are_starts_of_files(void **state)
{
	(void)state;
	static const char *const types[] = {"application/pdf", "text/csv"};
	static const char *const encodings[] = {"base64", "8bit"};
	struct mail_config config = small_config();
	for (size_t i = 0; i < 4; i++) {
		struct arena *a = arena_new();
		struct buf *b = buf_new(a, SIZE_MAX);
		buf_printf(b,
		    "Content-Type: %s\nContent-Transfer-Encoding: %s\n\n",
		    types[i / 2], encodings[i % 2]);
		for (size_t line = 0; line < 4 * PART_HEAD_BYTES / 68; line++)
			buf_printf(b, "%064zu\r\n", line * line);
		struct message *m = message_new(a, buf_str(b), &config, NULL);
		struct str head = part_head(m, m->root);
		assert_int_equal(head.len, PART_HEAD_BYTES);
		assert_int_equal(m->root->has_decoded, i != 0);
		struct str all = part_decoded(m, m->root);
		assert_true(str_eq(head, str_sub(all, 0, PART_HEAD_BYTES)));
		assert_true(str_eq(head, part_head(m, m->root)));
		arena_free(a);
	}
}

static void
decodes_what_can_be_decoded(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(quoted); i++)
		assert_str(
		    transfer_quoted_printable(a, str_from(quoted[i].encoded)),
		    quoted[i].decoded);
	for (size_t i = 0; i < COUNT_OF(base64); i++) {
		struct str got =
		    transfer_base64(a, str_from(base64[i].encoded));
		struct buf *hex = buf_new(a, 100);
		for (size_t k = 0; k < got.len; k++)
			buf_printf(hex, "%02x", (unsigned char)got.p[k]);
		assert_str(buf_str(hex), base64[i].hex);
	}
	assert_str(
	    transfer_unix_lines(a, STR("a\r\nb\rc\r\r\n")), "a\nb\rc\r\n");
	arena_free(a);
}

static const struct {
	const char *fields, *name, *effective;
} names[] = {
    {"Content-Disposition: attachment; filename=\"a.exe\"", "a.exe",
	"application/x"},
    {"Content-Disposition: attachment; filename=a.html", "a.html", "text/html"},
    {"Content-Disposition: attachment; filename=\"a.HTM\"; size=1", "a.HTM",
	"text/html"},
    {"Content-Disposition: attachment;\n filename*=utf-8''%C3%A9.html",
	"\xc3\xa9.html", "application/x"},
    {"Content-Disposition: attachment; filename*0=a;\n filename*1=\".exe\"",
	"a.exe", "application/x"},
    {"Content-Disposition: x; filename*0*=iso-8859-1'en'%E9;"
     " filename*1=%41; filename*2*=%41",
	"\xc3\xa9%41A", "application/x"},
    {"Content-Disposition: attachment; filename=\"a\\\"b;.exe\"", "a\"b;.exe",
	"application/x"},
    {"Content-Disposition: attachment; filename=\"=?utf-8?q?=C3=A9?=.exe\"",
	"\xc3\xa9.exe", "application/x"},
    {"Content-Type: application/x; name=b.shtml", "b.shtml", "text/html"},
    {"Content-Type: application/x; name*0=b.ht; name*1=ml", "b.html",
	"text/html"},
    {"Content-Disposition: inline", "", "application/x"},
};

static void
names_parts(void **state)
{
	(void)state;
	struct mail_config config = small_config();
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct arena *a = arena_new();
		struct str text =
		    str_printf(a, "Content-Type: application/x\n%s\n\nbody\n",
			names[i].fields);
		struct message *m = message_new(a, text, &config, NULL);
		assert_str(m->root->name, names[i].name);
		assert_str(m->root->effective, names[i].effective);
		arena_free(a);
	}
}

static struct str
repeated(struct arena *a, const char *head, const char *piece, size_t n)
{
	struct buf *b = buf_new(a, (size_t)64 << 20);
	buf_put(b, str_from(head));
	while (n-- > 0)
		buf_put(b, str_from(piece));
	return buf_str(b);
}

static void
cuts_long_lines_once_for_each_multipart(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mail_config config = small_config();
	struct buf *b = buf_new(a, 1 << 20);
	buf_put(b, STR(MULTIPART "--b\nContent-Type: multipart/mixed; "
				 "boundary=c\n\n--c\n\n"));
	buf_put(b, repeated(a, "", "x", 3000));
	buf_put(b, STR("\n--c--\n--b\n\n"));
	buf_put(b, repeated(a, "", "y", 4096));
	buf_put(b, STR("\n--b--\n"));
	struct message *m = message_new(a, buf_str(b), &config, NULL);
	struct str leaves = leaves_of(m);
	/* 2048 x, the cut, an empty line for the outer one, the rest */
	assert_int_equal(str_find(leaves, STR("\n\n")), 2048);
	assert_int_equal(str_chr(leaves, '|'), 3002);
	struct str second = str_skip(leaves, 3003);
	assert_int_equal(second.len, 4098);
	assert_int_equal(str_chr(second, '\n'), 2048);
	assert_int_equal(str_rchr(second, '\n'), 4097);
	arena_free(a);
}

static const struct {
	const char *label, *head, *piece;
	size_t n;
} hostile[] = {
    {"a million parts", MULTIPART, "--b\n\nx\n", 1000000},
    {"nested multiparts", "",
	"Content-Type: multipart/mixed; boundary=b\n\n--b\n", 20000},
    {"nested messages", "", "Content-Type: message/rfc822\n\n", 100000},
    {"nested in quoted-printable", "",
	"Content-Type: message/rfc822\n"
	"Content-Transfer-Encoding: quoted-printable\n\n=41\n",
	100000},
    {"parameters", "Content-Type: x;", " boundary=x;name*1=x;filename", 300000},
    {"boundaries that nearly fit",
	"Content-Type: multipart/x; boundary=\"----\"\n\n", "------x\n",
	1000000},
};

static void
is_quick_on_hostile_mail(void **state)
{
	(void)state;
	struct mail_config config = small_config();
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct arena *a = arena_new();
		int64_t start = cpu_ms();
		struct str text = repeated(
		    a, hostile[i].head, hostile[i].piece, hostile[i].n);
		struct message *m = message_new(a, text, &config, NULL);
		size_t n = 0;
		for (const struct part *p = m->root; p != NULL;
		     p = part_next(p)) {
			assert_true(p->depth <= config.limits.depth + 1);
			n++;
		}
		assert_true(n <= config.limits.parts + 1);
		assert_true(cpu_ms() - start < 10000);
		arena_free(a);
	}
}

/* Parts and messages in parts have the same room for their fields. */
static void
bounds_the_fields_of_all_parts(void **state)
{
	(void)state;
	static const char *const starts[] = {
	    "--b\n", "--b\nContent-Type: message/rfc822\n\n"};
	struct mail_config config = small_config();
	config.limits.part_header_bytes = 100000;
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct arena *a = arena_new();
		struct str part = str_printf(a, "%s%.*s\na\n", starts[i],
		    STR_ARG(repeated(a, "", "A:\n", 1000)));
		struct str text = repeated(a,
		    "Content-Type: multipart/x; boundary=b\n\n", part.p, 100);
		struct message *m = message_new(a, text, &config, NULL);
		size_t n = 0;
		for (const struct part *p = part_next(m->root); p != NULL;
		     p = part_next(p))
			n += p->headers.n;
		assert_in_range(n, 500, 2500);
		assert_true(message_cuts(m).header);
		arena_free(a);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(builds_the_tree_that_spamassassin_builds),
    cmocka_unit_test(decodes_what_can_be_decoded),
    cmocka_unit_test(the_head_of_base64_is_the_start_of_all),
    cmocka_unit_test(part_heads_are_starts_of_files),
    cmocka_unit_test(names_parts),
    cmocka_unit_test(cuts_long_lines_once_for_each_multipart),
    cmocka_unit_test(bounds_the_fields_of_all_parts),
    cmocka_unit_test(is_quick_on_hostile_mail),
};
UNIT_MAIN(tests)
