/* SPDX-License-Identifier: BSD-2-Clause */
/* header -- every form of every field of any header block. */
#include "fuzz.h"

#include "base/utf8.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/uri.h"
#include "session/strip.h"

static const char *const queries[] = {"From:addr", "From:name", "From:name:raw",
    "From:raw", "From", "Subject", "ALL", "ALL:raw", "ToCc", "ToCc:raw:addr",
    "MESSAGEID", "MESSAGEID:raw", "EnvelopeFrom", "To:first:addr",
    "To:last:name", "X-Postern-Class", "x-postern-rcpt", "X-Postern-Client",
    "Subject:host", "To:raw:domain", "From:addr:domain", "Received:ip",
    "Subject:revip", "X-Spam-Relays-External:host"};

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
ask_everything(struct message *m)
{
	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		struct header_query query;
		struct str value;
		check(header_query_parse(str_from(queries[i]), &query));
		if (header_query_run(m, &query, &value) &&
		    query.special == HEADER_ALL && !query.is_raw)
			check(value.len <= 65536);
	}
}

/* What decoded values are made of is UTF-8, unless they were UTF-16. */
static void
check_values(struct message *m)
{
	struct headers *headers = &m->root->headers;
	for (size_t i = 0; i < headers->n; i++) {
		struct header *header = &headers->v[i];
		struct str value = header_value(m, header);
		check(utf8_is_valid(value) ||
		      str_find(header->raw, STR("=?")) != STR_NONE);
		struct strs addresses = {0};
		address_addrs(m->arena, header->raw, &addresses);
		for (size_t k = 0; k < addresses.n; k++)
			check(str_chr(addresses.v[k], '@') != STR_NONE);
		(void)field_is_stripped(STR("Authentication-Results"),
		    header->raw, STR("mail.example"));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const struct mail_config config = {
	    .limits = MAIL_LIMITS_DEFAULT,
	    .tlds = tld_set_new(a, NULL, NULL, NULL),
	};
	struct envelope envelope = {.class = CLASS_LOCAL,
	    .from = STR("a@b.example"),
	    .login = STR_EMPTY,
	    .client_addr = STR("192.0.2.1"),
	    .client_name = STR_EMPTY,
	    .helo = STR_EMPTY};
	strs_add(a, &envelope.rcpt, STR("c@d.example"));
	struct str raw = str_of((const char *)data, size);
	struct message *m =
	    message_new(a, raw, &config, size % 2 == 0 ? &envelope : NULL);
	ask_everything(m);
	check_values(m);
	struct header_query query;
	struct str value;
	if (header_query_parse(raw, &query) &&
	    header_query_run(m, &query, &value))
		check(value.p != NULL);
	arena_free(a);
	return 0;
}
