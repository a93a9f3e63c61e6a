/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received -- any field, and any greeting in what servers write around one: the
 * address, the name and the server are never the greeting's.
 */
#include "fuzz.h"

#include "base/ip.h"
#include "mail/received.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_received(struct arena *a, const struct received *r)
{
	struct ip ip;
	check(r->address.len == 0 || (ip_parse(r->address, &ip) &&
					 str_eq(ip_text(a, &ip), r->address)));
	for (size_t i = 0; i < r->by.len; i++)
		check(!char_is_space(r->by.p[i]) && r->by.p[i] != '(');
	for (size_t i = 0; i < r->name.len; i++)
		check(char_is_word(r->name.p[i]) || r->name.p[i] == '.' ||
		      r->name.p[i] == '-');
}

/* What servers write before and behind a greeting. */
static const struct {
	const char *head, *tail;
} servers[] = {
    {"from ", " (real.example [198.51.100.7])\n\tby mx.real.example (Postfix) "
	      "with ESMTP id 1\n\tfor <b@b.example>; Sat, 28 Nov 2026"},
    {"from ", " ([198.51.100.7])\n\tby mx.real.example (8.17.1/8.17.1) with "
	      "ESMTP id 1; Sat, 28 Nov 2026"},
    {"from [198.51.100.7] (helo=", ")\n\tby mx.real.example with esmtp (Exim "
				   "4.96) id 1; Sat, 28 Nov"},
    {"from real.example ([198.51.100.7] helo=", ")\n\tby mx.real.example with "
						"esmtp (Exim 4.96) id 1; Sat"},
    {"from real.example (HELO ", ") (198.51.100.7)\n  by mx.real.example with "
				 "SMTP; 28 Nov"},
    {"from ", " (198.51.100.7) by mx.real.example (10.0.0.1) with Microsoft "
	      "SMTP Server id 15.1; Sat, 28 Nov 2026"},
};

static bool
is_known(struct str got, struct str want)
{
	return got.len == 0 || str_eq(got, want);
}

static void
check_greeting(struct arena *a, size_t i, struct str greeting)
{
	struct buf *b = buf_new(a, greeting.len + 256);
	struct received r;
	buf_put(b, str_from(servers[i].head));
	buf_put(b, greeting);
	buf_put(b, str_from(servers[i].tail));
	if (!received_parse(a, buf_str(b), &r))
		check(r.by.len == 0);
	check_received(a, &r);
	check(is_known(r.address, STR("198.51.100.7")));
	check(is_known(r.name, STR("real.example")));
	check(is_known(r.by, STR("mx.real.example")));
	check(r.login.len == 0 && r.user.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct received r;
	struct str text =
	    str_dup(a, str_of((const char *)data, size)); /* ASan sees it */
	check(received_parse(a, text, &r) == (r.by.len > 0));
	check_received(a, &r);
	for (size_t i = 0; i < COUNT_OF(servers); i++)
		check_greeting(a, i, text);
	arena_free(a);
	return 0;
}
