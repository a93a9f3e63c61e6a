/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message -- the strings that body, rawbody and full rules run on.  What is
 * expected was said by SpamAssassin 4.0.1.
 */
#include "unit.h"

#include "mail/message.h"
#include "mail/uri.h"

static struct mail_config
default_config(void)
{
	return (struct mail_config){.limits = MAIL_LIMITS_DEFAULT};
}

/* The strings of a view with a bar behind each. */
static struct str
barred(struct arena *a, const struct strs *view)
{
	struct buf *b = buf_new(a, (size_t)1 << 24);
	for (size_t i = 0; i < view->n; i++) {
		buf_put(b, view->v[i]);
		buf_putc(b, '|');
	}
	return buf_str(b);
}

#define MULTIPART "Content-Type: multipart/mixed; boundary=b\n\n"
#define HTML "Content-Type: text/html\n\n"
#define UTF8 "Content-Type: text/plain; charset=utf-8\n\n"

static const struct {
	const char *text, *body, *rawbody;
} views[] = {
    {"Subject: s\n\none\ntwo\n\nthree\n", "s\n|one two\n|three |",
	"one\ntwo\n\nthree\n|"},
    {"\nno subject", "\n|no subject|", "no subject|"},
    {"Subject: a\nSubject: b\n\nx\n", "b\n|x |", "x\n|"},
    {"Subject: s\n", "s\n|", "|"},
    {"", "\n|", "|"},
    /* Blanks around a paragraph mark, form feeds, NUL as a mark. */
    {"Subject: s\n\n  a \t b  \n \n\n  c\fd\n", "s\n| a b \n| c d |",
	"  a \t b  \n \n\n  c\fd\n|"},
    /* Unicode blanks count when the text is characters ... */
    {UTF8 "a\xc2\xa0\xe3\x80\x80\x62\xc2\x85\n", "\n|a b |",
	"a\xc2\xa0\xe3\x80\x80\x62\xc2\x85\n|"},
    {UTF8 "a\n\xc2\xa0\nb", "\n|a\n|b|", "a\n\xc2\xa0\nb|"},
    /* ... and HTML with nothing above U+00FF is bytes. */
    {HTML "caf&eacute;", "\n|caf\xe9|", "caf&eacute;|"},
    {HTML "caf&eacute; &euro;", "\n|caf\xc3\xa9 \xe2\x82\xac|",
	"caf&eacute; &euro;|"},
    {MULTIPART "--b\n" HTML "caf&eacute;\n--b\n" UTF8 "\xc3\xa9\n--b--\n",
	"\n|caf\xc3\xa9 \xc3\xa9|", "caf&eacute;|\xc3\xa9|"},
    /* Every leaf, a line end between; attachments are not text. */
    {MULTIPART "--b\n\none\n--b\nContent-Type: image/png\n\nx\n--b\n\ntwo\n"
	       "--b--\n",
	"\n|one\n|two|", "one|two|"},
    {"Content-Type: text/calendar\n\nx\n", "\n|", ""},
    {"Content-Type: message/delivery-status\n\nx\n", "\n|", "x\n|"},
    {"Content-Type: (\n\nx\n", "", ""},
    {MULTIPART, "", ""},
    {"Content-Transfer-Encoding: quoted-printable\n\na=20=\nb =41\r\n",
	"\n|a b A |", "a b A\n|"},
    {"Content-Type: text/plain; charset=koi8-r\n"
     "Content-Transfer-Encoding: base64\n\n8NLJ18XU\n",
	"\n|\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82|",
	"\xf0\xd2\xc9\xd7\xc5\xd4|"},
    {"Subject: x\r\n\r\na\r\n\r\nb\r\n", "x\n|a\n|b |", "a\n\nb\n|"},
    {"Content-Type: application/x; name=a.html\n\n<b>x</b>", "\n|x|",
	"<b>x</b>|"},
};

static void
shows_what_spamassassin_shows(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	for (size_t i = 0; i < COUNT_OF(views); i++) {
		struct arena *a = arena_new();
		struct message *m =
		    message_new(a, str_from(views[i].text), &config, NULL);
		assert_str(barred(a, message_body(m)), views[i].body);
		assert_str(barred(a, message_rawbody(m)), views[i].rawbody);
		arena_free(a);
	}
}

/* Text is read eight bytes at a time. */
static void
folds_blanks_wherever_they_stand(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	static const char *const heads[] = {"\n", UTF8};
	for (size_t i = 0; i < COUNT_OF(heads) * 20; i++) {
		struct arena *a = arena_new();
		static const char dots[] = "....................";
		struct str fill = str_of(dots, i / COUNT_OF(heads));
		struct str text = str_printf(a,
		    "%s%.*s a b\nc  d\t\x01\x7f  e.\n\nf \n g\n \n\n h",
		    heads[i % COUNT_OF(heads)], STR_ARG(fill));
		struct message *m = message_new(a, text, &config, NULL);
		struct str expected = str_printf(a,
		    "\n|%.*s a b c d \x01\x7f e.\n|f g\n| h|", STR_ARG(fill));
		assert_true(str_eq(barred(a, message_body(m)), expected));
		arena_free(a);
	}
}

static void
keeps_the_message_as_it_is_for_full(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mail_config config = default_config();
	struct str text = STR("A: b\n c\nX-Spam-Y: z\n\n\0\xff\n");
	struct message *m = message_new(a, text, &config, NULL);
	assert_ptr_equal(message_full(m).p, text.p); /* not a copy */
	assert_int_equal(message_full(m).len, text.len);
	assert_str(m->header_block, "A: b\n c\nX-Spam-Y: z\n");
	m = message_new(a, STR("From x Mon\nA: b\n\nc"), &config, NULL);
	assert_str(message_full(m), "A: b\n\nc");
	/* A header whose lines lost their \r gets them back. */
	m = message_new(a, STR("A: b\n c\r\n\nd\r\n"), &config, NULL);
	assert_str(message_full(m), "A: b\r\n c\r\n\r\nd\r\n");
	arena_free(a);
}

static struct str
filled(struct arena *a, const char *head, const char *piece, size_t n)
{
	struct buf *b = buf_new(a, (size_t)64 << 20);
	buf_put(b, str_from(head));
	while (n-- > 0)
		buf_put(b, str_from(piece));
	return buf_str(b);
}

static const struct {
	const char *head, *piece;
	size_t n;
	size_t body[4], rawbody[4]; /* lengths of the strings */
} lengths[] = {
    {"\n", "x", 5000, {1, 2048, 2048, 904}, {2049, 2951}},
    {"\n", "x y ", 1000, {1, 2048, 1952}, {4000}},
    {"\n", "xxxx\n", 1000, {1, 2045, 2045, 910}, {2050, 2950}},
    {"\n", "x", 4096, {1, 2048, 2048}, {4096}},
    {"Subject: s\n\n", ">", 2049, {2, 2048, 1}, {2049}},
    {"\n", "\n", 100, {1, 1}, {21}},
    {"\nx\n", "\n", 100, {1, 2}, {22}},
};

static void
cuts_long_strings_where_spamassassin_cuts(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct arena *a = arena_new();
		struct message *m = message_new(a,
		    filled(a, lengths[i].head, lengths[i].piece, lengths[i].n),
		    &config, NULL);
		const struct strs *body = message_body(m);
		const struct strs *rawbody = message_rawbody(m);
		for (size_t k = 0; k < COUNT_OF(lengths[i].body); k++) {
			assert_int_equal(k < body->n ? body->v[k].len : 0,
			    lengths[i].body[k]);
			assert_int_equal(k < rawbody->n ? rawbody->v[k].len : 0,
			    lengths[i].rawbody[k]);
		}
		arena_free(a);
	}
}

static void
looks_at_the_beginning_of_a_long_part(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mail_config config = default_config();
	struct message *m = message_new(
	    a, filled(a, UTF8, "\xc3\xa9\xc3\xa9 ", 200000), &config, NULL);
	size_t body = 0, rawbody = 0;
	for (size_t i = 0; i < message_body(m)->n; i++)
		body += message_body(m)->v[i].len;
	for (size_t i = 0; i < message_rawbody(m)->n; i++)
		rawbody += message_rawbody(m)->v[i].len;
	/* 50,000 characters of it, and 500,000 bytes. */
	assert_int_equal(body, 1 + 50001 / 3 * 5);
	assert_int_equal(rawbody, 500005);
	arena_free(a);
}

static const struct {
	const char *label, *head, *piece;
	size_t n;
} hostile[] = {
    {"one character", "\n", "a", 5 << 20},
    {"blanks", "\n", " ", 5 << 20},
    {"line ends", "\n", "\n", 5 << 20},
    {"blank lines", "\n", "\n\t", 3 << 20},
    {"header fields", "", "X: y\n", 300000},
    {"different header fields", "", "X\tY: z\n \n", 100000},
    {"a header without end", "A:", " b\n", 1000000},
    {"equal signs", "Content-Transfer-Encoding: quoted-printable\n\n", "= ",
	3 << 20},
    {"a rare charset", "Content-Type: text/plain; charset=euc-jp\n\n",
	"\xad\xa1", 1 << 18},
    {"no charset", "Content-Type: text/plain; charset=euc-jp\n\n", "\xff",
	5 << 20},
    {"tags", HTML, "<b>x</i>", 1 << 17},
};

static void
is_quick_and_small_on_hostile_mail(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct arena *text_arena = arena_new();
		struct str text = filled(text_arena, hostile[i].head,
		    hostile[i].piece, hostile[i].n);
		struct arena *a = arena_new();
		int64_t start = cpu_ms();
		struct message *m = message_new(a, text, &config, NULL);
		(void)message_body(m);
		(void)message_rawbody(m);
		assert_true(cpu_ms() - start < 20000);
		assert_true(arena_used(a) < (size_t)200 << 20);
		arena_free(a);
		arena_free(text_arena);
	}
}

static void
says_which_bounds_left_something_out(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	config.limits.parts = 10;
	config.limits.depth = 3;
	config.limits.header_bytes = 1000;
	struct arena *a = arena_new();
	const char *nest = "Content-Type: multipart/mixed; boundary=b\n\n--b\n";
	struct message *m = message_new(
	    a, filled(a, "Subject: x\n\n", "hello\n", 500), &config, NULL);
	struct message_cuts cuts = message_cuts(m);
	assert_false(cuts.header || cuts.parts || cuts.depth || cuts.uris);
	m = message_new(a, filled(a, "", "X: y\n", 500), &config, NULL);
	assert_true(message_cuts(m).header);
	m = message_new(a, filled(a, "", nest, 9), &config, NULL);
	assert_true(message_cuts(m).depth);
	m = message_new(a, filled(a, nest, "\nx\n--b\n", 50), &config, NULL);
	assert_true(message_cuts(m).parts);
	/* As deep as it may be, and all of it seen. */
	m = message_new(a, filled(a, "", nest, 3), &config, NULL);
	cuts = message_cuts(m);
	assert_false(cuts.depth || cuts.parts);
	arena_free(a);
}

/* Two pages with the same <base>, of `size` bytes, and `n` links each. */
static struct message *
with_bases(
    struct arena *a, const struct mail_config *config, size_t size, unsigned n)
{
	struct buf *b = buf_new(a, SIZE_MAX);
	buf_put(b, STR("Content-Type: multipart/mixed; boundary=b\n\n"));
	for (unsigned page = 0; page < 2; page++) {
		buf_put(b, STR("--b\nContent-Type: text/html\n\n<base href="
			       "http://host.example/"));
		for (size_t i = 0; i < size; i++)
			buf_putc(b, 'p');
		buf_put(b, STR("/>\n"));
		for (unsigned i = 0; i < n; i++)
			buf_printf(b, "<a href=%u-%u>x</a>\n", page, i);
		buf_put(b, STR("<a href=http://other.example/>x</a>\n"));
	}
	return message_new(a, buf_str(b), config, NULL);
}

static size_t
count_links(struct message *m, const char *start)
{
	const struct uris *uris = message_uri_list(m);
	size_t n = 0;
	for (size_t i = 0; i < uris->n; i++)
		n += str_starts(uris->v[i].raw, str_from(start));
	return n;
}

/* 100 000 links behind a <base> of 8 KB stood for five gigabytes. */
static void
bounds_what_a_base_adds_to_links(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	config.limits.base_bytes = 100 * 1000;
	struct arena *a = arena_new();
	config.tlds = tld_set_new(a, NULL, NULL, NULL);
	struct message *m = with_bases(a, &config, 100, 10);
	assert_int_equal(count_links(m, "http://host.example/p"), 21);
	assert_false(message_cuts(m).uris);
	m = with_bases(a, &config, 1000, 60);
	assert_int_equal(count_links(m, "http://host.example/p"), 98);
	assert_true(message_cuts(m).uris);
	/* What needs no base is there. */
	assert_int_equal(count_links(m, "http://other.example/"), 1);
	arena_free(a);
}

static void
bounds_the_variants_of_links(void **state)
{
	(void)state;
	struct mail_config config = default_config();
	config.limits.variant_bytes = 20 * 1000;
	struct arena *a = arena_new();
	config.tlds = tld_set_new(a, NULL, NULL, NULL);
	struct buf *b = buf_new(a, SIZE_MAX);
	buf_put(b, STR("Content-Type: text/html\n\n"));
	for (unsigned i = 0; i < 20; i++) {
		buf_printf(b, "<a href=\"http://a%u.example/?", i);
		for (unsigned k = 0; k < 20; k++)
			buf_printf(b, "http://b%u.example/?", k);
		buf_put(b, STR("\">x</a>\n"));
	}
	struct message *m = message_new(a, buf_str(b), &config, NULL);
	/* of 21 variants each, which are 220 bytes long on average */
	assert_int_equal(message_uri_list(m)->n, 5);
	assert_true(message_cuts(m).uris);
	arena_free(a);
}

/* Each line costs more than its bytes. */
static void
keeps_the_text_of_too_many_lines_in_fewer(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, SIZE_MAX);
	struct mail_config config = default_config();
	const size_t lines = 600000, each = 15000;
	buf_put(b, STR("Content-Type: multipart/mixed; boundary=b\n\n"));
	for (size_t i = 0; i < lines; i++)
		buf_put(b, i % each == 0 ? STR("--b\n\na\n\n") : STR("a\n\n"));
	struct message *m = message_new(a, buf_str(b), &config, NULL);
	const struct strs *body = message_body(m);
	size_t letters = 0;
	for (size_t i = 0; i < body->n; i++)
		for (size_t k = 0; k < body->v[i].len; k++)
			letters += body->v[i].p[k] == 'a';
	assert_int_equal(letters, lines);
	assert_true(body->n < 510000);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(shows_what_spamassassin_shows),
    cmocka_unit_test(folds_blanks_wherever_they_stand),
    cmocka_unit_test(keeps_the_message_as_it_is_for_full),
    cmocka_unit_test(cuts_long_strings_where_spamassassin_cuts),
    cmocka_unit_test(looks_at_the_beginning_of_a_long_part),
    cmocka_unit_test(is_quick_and_small_on_hostile_mail),
    cmocka_unit_test(says_which_bounds_left_something_out),
    cmocka_unit_test(bounds_what_a_base_adds_to_links),
    cmocka_unit_test(bounds_the_variants_of_links),
    cmocka_unit_test(keeps_the_text_of_too_many_lines_in_fewer),
};
UNIT_MAIN(tests)
