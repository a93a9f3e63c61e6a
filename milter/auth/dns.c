/* SPDX-License-Identifier: BSD-2-Clause */
/* dns -- who asks the DNS for the whole process. */
#include "auth/dns.h"

/* What is learned of one domain takes 1 to 4 KB. */
#define ENTRY_BYTES 1024

bool
dns_open(struct arena *a, const struct resolver_config *config, struct dns *ret,
    struct str *ret_why)
{
	ret->resolver = resolver_new(a, config, ret_why);
	if (ret->resolver == NULL)
		return false;
	size_t bytes = (size_t)config->cache_bytes;
	ret->cache = cache_new(bytes / ENTRY_BYTES, bytes);
	return true;
}

void
dns_close(struct dns *dns)
{
	resolver_free(dns->resolver);
	cache_free(dns->cache);
	*dns = (struct dns){0};
}
