/* SPDX-License-Identifier: BSD-2-Clause */
/* uri -- any text is searched for links, any link has bounded variants. */
#include "fuzz.h"

#include "base/table.h"
#include "mail/uri.h"
#include "mail/uri_clean.h"
#include "mail/uri_resolve.h"

#define VARIANTS_MAX 128

static void
try_link(struct arena *a, struct str link, bool is_unicode,
    const struct mail_config *config)
{
	struct strs variants = {0};
	uri_variants(a, link, is_unicode, config, NULL, &variants);
	if (variants.n == 0 || variants.n > VARIANTS_MAX)
		abort();
	(void)uri_has_domain(a, &variants, config);
	for (size_t i = 0; i < variants.n; i++) {
		if (variants.v[i].len > config->limits.uri_bytes * 4)
			abort();
		struct str host = uri_host(a, variants.v[i]);
		(void)tld_domain(a, config->tlds, host);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *a = arena_new();
	struct mail_config config = {.limits = MAIL_LIMITS_DEFAULT,
	    .tlds = tld_set_new(a, NULL, NULL, NULL)};
	config.limits.uri_bytes = 200;
	struct str text = str_of((const char *)data + 1, size - 1);
	struct text_links found = {0};
	uri_find(a, text, &config, table_new(a, false), &found);
	for (size_t i = 0; i < found.n && i < 10; i++)
		try_link(a, found.v[i].url, false, &config);
	try_link(a, text, data[0] % 2 == 1, &config);
	struct str rest = text;
	struct str base = str_line(&rest);
	if (uri_resolve(a, base, rest).len > text.len + 16)
		abort();
	arena_free(a);
	return 0;
}
