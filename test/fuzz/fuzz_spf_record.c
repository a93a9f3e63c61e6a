/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_record -- any TXT record is a record or names its fault; what is well
 * formed expands to a name of bounded length. */
#include "fuzz.h"

#include "auth/spf_macro.h"
#include "auth/spf_record.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static struct spf_macro_values
values_from(struct str text)
{
	struct str rest = text;
	struct spf_macro_values values = {.local_part = str_cut(&rest, ' '),
	    .sender_domain = STR("a.example"),
	    .domain = STR("b.a.example"),
	    .helo = rest,
	    .client_name = STR("unknown"),
	    .receiver = STR("unknown"),
	    .client = {.is_v6 = text.len % 2 == 1, .b = {192, 0, 2, 1}},
	    .now_wall = 1234567890};
	values.sender = values.helo;
	return values;
}

static void
try_term(struct arena *a, const struct spf_term *term,
    const struct spf_macro_values *values)
{
	struct spf_term again;
	check(spf_term_parse(term->text, &again) == NULL);
	check(
	    term->bits4 <= 32 && term->bits6 <= 128 && term->block.bits <= 128);
	if (term->word == SPF_IP4 || term->word == SPF_IP6)
		check(ip_is_within(&term->block.ip, &term->block));
	struct str name = spf_macro_domain(a, term->target, values);
	check(name.len <= 253 || str_chr(name, '.') == STR_NONE);
	check(spf_macro_check(term->target, SPF_IN_RECORD) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_of((const char *)data, size);
	struct spf_macro_values values = values_from(text);
	struct spf_record record;
	struct spf_fault fault;
	if (spf_record_is(text)) {
		if (spf_record_parse(a, text, &record, &fault))
			for (size_t i = 0; i < record.n && i < 50; i++)
				try_term(a, &record.v[i], &values);
		else
			check(fault.why != NULL && fault.term.len > 0);
	}
	struct str expanded = STR_EMPTY;
	if (spf_macro_check(text, SPF_IN_TEXT) == NULL &&
	    spf_macro_expand(a, text, &values, 1024, &expanded))
		check(expanded.len <= 1024);
	arena_free(a);
	return 0;
}
