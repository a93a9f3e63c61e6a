/* SPDX-License-Identifier: BSD-2-Clause */
/* message -- any bytes are a message, and every view of it keeps its bounds. */
#include "fuzz.h"

#include "mail/header.h"
#include "mail/message.h"
#include "mail/uri.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_strings(const struct strs *view, size_t longest)
{
	for (size_t i = 0; i < view->n; i++)
		check(view->v[i].len <= longest);
}

static void
check_tree(struct message *m)
{
	size_t n = 0;
	for (struct part *p = m->root; p != NULL; p = part_next(p)) {
		n++;
		check(p->depth <= m->config->limits.depth + 1);
		check(part_is_leaf(p) || part_decoded(m, p).len == 0);
		(void)part_rendered(m, p);
		(void)part_html(m, p);
	}
	check(n == m->nparts && n <= m->config->limits.parts + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	const struct mail_config config = {
	    .tlds = tld_set_new(a, NULL, NULL, NULL),
	    .limits = {.header_bytes = 2000,
		.part_header_bytes = 10000,
		.header_value_bytes = 500,
		.parts = 50,
		.depth = 5,
		.embedded_bytes = 10000,
		.render_bytes = 8000,
		.body_part_bytes = 5000,
		.rawbody_part_bytes = 6000,
		.uris = 10,
		.uri_bytes = 100,
		.base_bytes = 1000,
		.variant_bytes = 1000}};
	struct str raw = str_of((const char *)data, size);
	struct message *m = message_new(a, raw, &config, NULL);
	check_tree(m);
	check_strings(message_body(m), 2049);
	check_strings(message_rawbody(m), 4096);
	check(m->header_block.len + m->body_block.len <= message_full(m).len);
	check(message_full(m).len <= 2 * raw.len + 1);
	check(message_uris(m)->n <= 1000);
	check(arena_used(a) <= (size_t)4 << 20 || arena_used(a) <= 400 * size);
	arena_free(a);
	return 0;
}
