/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay -- any field, any header block, any greeting: no byte that would end a
 * hop gets into one, and what a client says makes no second field of ours.
 */
#include "fuzz.h"

#include "mail/header.h"
#include "mail/networks.h"
#include "mail/relay.h"
#include "mail/relay_line.h"
#include "mail/trace.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_clean(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		check(!char_is_space(text.p[i]) && text.p[i] != '[' &&
		      text.p[i] != ']');
}

static void
check_field(struct arena *a, struct str text)
{
	struct relay r;
	struct str handed_on;
	enum relay_line_status status =
	    relay_line_parse(a, text, &r, &handed_on);
	check_clean(handed_on);
	if (status != RELAY_LINE_OK)
		return;
	const struct str clean[] = {
	    r.ip, r.rdns, r.helo, r.by, r.ident, r.envfrom};
	for (size_t i = 0; i < COUNT_OF(clean); i++)
		check_clean(clean[i]);
}

static void
check_message(struct arena *a, struct str text)
{
	static const char *const selectors[] = {"ALL-TRUSTED",
	    "ALL-EXTERNAL:raw", "EnvelopeFrom", "X-SenderDomain"};
	struct networks networks = {.has_trusted = true};
	if (!network_set_add(a, &networks.trusted, STR("1/2")))
		abort();
	bool is_network =
	    network_set_add(a, &networks.internal, str_sub(text, 0, 40));
	check(is_network == (networks.internal.n == 1));
	strs_add(a, &networks.originating, STR("X-IP"));
	struct mail_config config = {.limits = MAIL_LIMITS_DEFAULT,
	    .networks = text.len % 2 == 0 ? &networks : NULL};
	struct message *m = message_new(a, text, &config, NULL);
	const struct relays *r = message_relays(m);
	check(r->n_internal <= r->n_trusted && r->n_trusted <= r->n);
	for (size_t i = 0; i < COUNT_OF(selectors); i++) {
		struct header_query query;
		struct str value;
		check(header_query_parse(str_from(selectors[i]), &query));
		if (header_query_run(m, &query, &value))
			check(value.len <= 10 * text.len + 1000);
	}
}

static void
check_greeting(struct arena *a, struct str text)
{
	struct handover h = {.by = STR("mx.example"),
	    .mta = text.len % 2 == 0 ? STR("8.17") : STR("Postfix 3.7"),
	    .config = text,
	    .client = text,
	    .with = text,
	    .tls_version = text,
	    .cipher = text,
	    .cipher_bits = STR_EMPTY,
	    .verify = STR_EMPTY,
	    .auth_ssf = text};
	struct envelope e = {.from = text,
	    .login = text,
	    .client_addr = text,
	    .client_name = text,
	    .helo = text,
	    .queue_id = text,
	    .daemon_name = STR_EMPTY,
	    .handover = &h};
	strs_add(a, &e.rcpt, text);
	struct str field = trace_field(a, &e);
	for (size_t i = 0; i + 1 < field.len; i++)
		check(field.p[i] != '\n' || field.p[i + 1] == '\t');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text =
	    str_dup(a, str_of((const char *)data, size)); /* ASan sees it */
	check_field(a, text);
	check_message(a, text);
	check_greeting(a, str_sub(text, 0, 1000));
	arena_free(a);
	return 0;
}
