/* SPDX-License-Identifier: BSD-2-Clause */
/* results -- Authentication-Results and Received-SPF as our own verifiers write
 * them, and as strangers would like to. */
#include "unit.h"

#include "notice/results.h"

struct sample {
	const char *label;
	const char *value;
	/* "id: method=result(identity) ..."; NULL: not to be believed */
	const char *want;
};

static const struct sample fields[] = {
    {"OpenDKIM's and OpenDMARC's form",
	" mx.ours.example; dmarc=fail (p=reject dis=none) "
	"header.from=v.example",
	"mx.ours.example: dmarc=fail(v.example)"},
    {"folds, comments and a version",
	" mx.ours.example 1;\n\tspf=pass (sender (nested) SPF) "
	"smtp.mailfrom=a@b.example;\n\tdkim=pass header.d=B.example "
	"header.i=@b.example header.s=s1",
	"mx.ours.example: spf=pass(a@b.example) dkim=pass(b.example)"},
    {"the domain of header.i alone", " x; dkim=pass header.i=@b.example",
	"x: dkim=pass(b.example)"},
    {"a quoted value",
	" x; spf=fail reason=\"a; spf=pass\" "
	"smtp.mailfrom=\"a@b.example\"",
	"x: spf=fail(a@b.example)"},
    {"no result", " x; none", "x:"},
    {"a semicolon at the end", " x; spf=none;", "x: spf=none()"},
    {"a method with its version", " x; spf/1=pass smtp.mailfrom=b.example",
	"x: spf=pass(b.example)"},
    {"the HELO name is nobody's address", " x; spf=pass smtp.helo=v.example",
	"x: spf=pass()"},
    {"a comment that does not end", " x; spf=pass (smtp.mailfrom=v.example",
	NULL},
    {"a quoted string that does not end", " x; spf=pass reason=\"a", NULL},
    {"one property with two values",
	" x; spf=pass smtp.mailfrom=a.example smtp.mailfrom=v.example", NULL},
    {"a result inside a comment",
	" x; spf=fail (; spf=pass) "
	"smtp.mailfrom=v.example",
	"x: spf=fail(v.example)"},
    {"words between the pairs", " x; spf=pass of smtp.mailfrom=v.example",
	NULL},
    {"no authserv-id", " ; spf=pass", NULL},
    {"nothing", "", NULL},
    {"a closing parenthesis alone", " x; spf=pass ) y=z", NULL},
};

static const struct sample received_spf[] = {
    {"pypolicyd-spf's form",
	" Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; "
	"helo=mx.b.example; envelope-from=a@b.example; "
	"receiver=mx.ours.example",
	"mx.ours.example: spf=pass(a@b.example)"},
    {"RFC 7208's form",
	" pass (x: domain of b.example designates 192.0.2.1 as permitted) "
	"receiver=x; client-ip=192.0.2.1; envelope-from=\"a@b.example\"; "
	"helo=foo;",
	"x: spf=pass(a@b.example)"},
    {"of the HELO name",
	" Pass identity=helo; envelope-from=a@b.example; "
	"receiver=x",
	"x: spf=pass()"},
    {"broken", " pass receiver", NULL},
};

static void
check(const struct sample *v,
    bool (*parse)(struct arena *, struct str, struct auth_results *))
{
	struct arena *a = arena_new();
	struct auth_results results;
	struct buf *b = buf_new(a, 1000);
	bool is_good = parse(a, str_from(v->value), &results);
	if (is_good != (v->want != NULL))
		fail_msg("%s: %s", v->label, is_good ? "taken" : "refused");
	if (is_good) {
		buf_printf(b, "%.*s:", STR_ARG(results.authserv_id));
		for (size_t i = 0; i < results.n; i++)
			buf_printf(b, " %.*s=%.*s(%.*s)",
			    STR_ARG(results.v[i].method),
			    STR_ARG(results.v[i].result),
			    STR_ARG(results.v[i].identity));
		if (!str_eq(buf_str(b), str_from(v->want)))
			fail_msg("%s: %.*s", v->label, STR_ARG(buf_str(b)));
	}
	arena_free(a);
}

static void
authentication_results_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		check(&fields[i], auth_results_parse);
}

static void
received_spf_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(received_spf); i++)
		check(&received_spf[i], received_spf_parse);
}

static void
too_many_results_are_not_believed(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 10000);
	struct auth_results results;
	buf_printf(b, "x");
	for (size_t i = 0; i <= RESULTS_MAX; i++)
		buf_printf(b, "; spf=none");
	assert_false(auth_results_parse(a, buf_str(b), &results));
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(authentication_results_are_read_strictly),
    cmocka_unit_test(received_spf_is_read),
    cmocka_unit_test(too_many_results_are_not_believed),
};

UNIT_MAIN(tests)
