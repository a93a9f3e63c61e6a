/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address -- names and addresses in field values.  What is expected was said by
 * SpamAssassin 4.0.1 without Email::Address::XS.
 */
#include "unit.h"

#include "mail/address.h"

static struct str
joined(struct arena *a, const struct strs *list)
{
	struct buf *b = buf_new(a, 1 << 20);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_putc(b, '|');
		buf_put(b, list->v[i]);
	}
	return buf_str(b);
}

static const struct {
	const char *raw, *addresses, *names;
} fields[] = {
    {" a@b.example\n", "a@b.example", ""},
    {" Bob <bob@b.example>\n", "bob@b.example", "Bob "},
    {" \"Smith, Bob\" <bob@b.example>, x@y.example\n",
	"bob@b.example|x@y.example", "Smith, Bob "},
    {" bob@b.example (Bob)\n", "bob@b.example", "Bob"},
    {" \"a \\\"q\\\" b\" <c@d.example>\n", "c@d.example", "a \"q\" b "},
    {" <>\n", "", ""},
    {" < spaced@b.example >\n", "spaced@b.example", ""},
    {" friends: a@b.example, c@d.example;\n", "a@b.example|c@d.example", ""},
    {" undisclosed-recipients:;\n", "", ""},
    /* A mailer that encloses twice, and one that forgets the comma. */
    {" X <a@b.example> <a@b.example>\n", "a@b.example", "X "},
    {" <a@b.example>,<c@d.example>\n", "", ""},
    {" <a@b.example>, <c@d.example>\n", "a@b.example|c@d.example", ""},
    /* A phrase that is an address, and one that only looks like it. */
    {" \"a@b.example\"\n", "a@b.example", ""},
    {" \"a@b\"\n", "", "a@b"},
    {" \"a@b.example\"<a@b.example>\n", "a@b.example", ""},
    {" \"paypal@bank.example\" <x@evil.example>\n", "x@evil.example",
	"paypal@bank.example "},
    {" a@b@c.example\n", "a@b", ""},
    {" \"\"@b.example\n", "", ""},
    {" \"x y\"@b.example\n", "\"x y\"@b.example", ""},
    {" a@[192.0.2.1]\n", "a@[192.0.2.1]", ""},
    {" a b <c (x) d@e.example>\n", "", "a b "},
    /* What the first reading leaves over is searched for <address>. */
    {" =?utf-8?Q?\"X\"_<a@b.example>?=\n", "a@b.example", ""},
    {" ,a@b.example\n", "a@b.example", " "},
    {",a@b.example\n", "", ""},
    {" \t;x@y.example\n", "x@y.example", "\t"},
    {"\n", "", ""},
    {"", "", ""},
};

static void
reads_what_mailers_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct arena *a = arena_new();
		struct strs addresses = {0}, names = {0};
		address_addrs(a, str_from(fields[i].raw), &addresses);
		address_names(a, str_from(fields[i].raw), &names);
		assert_str(joined(a, &addresses), fields[i].addresses);
		assert_str(joined(a, &names), fields[i].names);
		arena_free(a);
	}
}

static void
splits_at_the_last_at_sign(void **state)
{
	(void)state;
	assert_str(address_domain(STR("a@b@c.example.")), "c.example");
	assert_str(address_local(STR("a@b@c.example")), "a@b");
	assert_str(address_domain(STR("nobody")), "");
	assert_str(address_local(STR("nobody")), "nobody");
	assert_str(address_domain(STR("")), "");
}

/* Pieces that are read in many ways at once. */
static const char *const hostile[] = {"<a@b> ", "a>@", "\"\" ", " <>",
    "a@b (x ", "\"a\\\" <a@b> (x) ", "<a@b", "(", "\\\\\"", "<\"", ">"};

static void
does_not_try_forever(void **state)
{
	(void)state;
	int64_t start = cpu_ms();
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		struct arena *a = arena_new();
		struct buf *raw = buf_new(a, 8192);
		while (!raw->is_cut)
			buf_put(raw, str_from(hostile[i]));
		struct strs addresses = {0};
		address_addrs(a, buf_str(raw), &addresses);
		arena_free(a);
	}
	assert_true(cpu_ms() - start < 2000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_what_mailers_write),
    cmocka_unit_test(splits_at_the_last_at_sign),
    cmocka_unit_test(does_not_try_forever),
};
UNIT_MAIN(tests)
