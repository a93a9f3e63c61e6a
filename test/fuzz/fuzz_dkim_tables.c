/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_tables -- a KeyTable, an empty line, a SigningTable; then an address a
 * line.  The first byte chooses between file: and refile:.
 */
#include "fuzz.h"

#include "auth/dkim_keys.h"

#define SIGNERS_MAX 4

static struct str
part(struct str *rest)
{
	size_t end = str_find(*rest, STR("\n\n"));
	struct str text = str_sub(*rest, 0, end);
	*rest = str_skip(*rest, end == STR_NONE ? end : end + 2);
	return text;
}

static void
ask(struct arena *a, const struct dkim_keys *keys, struct str address)
{
	struct dkim_signer v[SIGNERS_MAX];
	size_t n = dkim_signers_for(a, keys, address, v, SIGNERS_MAX);
	if (n > SIGNERS_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (v[i].domain.len == 0 || v[i].selector.len == 0 ||
		    dkim_key_record_text(a, v[i].key).len == 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *a = arena_new();
	struct str rest = str_of((const char *)data + 1, size - 1);
	bool is_refile = data[0] % 2 == 1;
	struct dkim_tables tables = {
	    .key_table = is_refile ? STR("refile:/k") : STR("file:/k"),
	    .signing_table = is_refile ? STR("refile:/s") : STR("/s"),
	    .user = getuid(),
	    .group = getgid(),
	    .min_bits = 512};
	struct str key_text = part(&rest);
	struct str signing_text = part(&rest);
	struct diags diags = {.arena = a};
	struct dkim_keys *keys =
	    dkim_keys_parse(&tables, key_text, signing_text, &diags);
	if ((keys == NULL) != (diags_count(&diags, DIAG_ERROR) > 0))
		abort();
	for (int i = 0; keys != NULL && rest.len > 0 && i < 20; i++)
		ask(a, keys, str_line(&rest));
	dkim_keys_free(keys);
	arena_free(a);
	return 0;
}
