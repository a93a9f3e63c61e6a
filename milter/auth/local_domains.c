/* SPDX-License-Identifier: BSD-2-Clause */
/* local_domains -- which domains are ours. */
#include "auth/local_domains.h"

#include "auth/lines.h"
#include "auth/org.h"
#include "base/arena.h"
#include "base/table.h"

struct local_domains {
	struct arena *arena;
	struct table *exact;   /* "example.com" */
	struct table *parents; /* "example.com" for ".example.com" */
};

struct local_domains *
local_domains_new(struct arena *a)
{
	struct local_domains *set = ARENA_NEW(a, struct local_domains);
	*set =
	    (struct local_domains){a, table_new(a, false), table_new(a, false)};
	return set;
}

bool
local_domains_add(struct local_domains *set, struct str domain)
{
	bool is_parent = str_starts(domain, STR("."));
	struct table *table = is_parent ? set->parents : set->exact;
	struct str name =
	    domain_normal(set->arena, str_skip(domain, is_parent ? 1 : 0));
	if (name.len == 0)
		return false;
	table_set(table, name, set);
	return true;
}

bool
local_domains_load(struct local_domains *set, const struct strs *values,
    const struct option_place *option, struct diags *diags)
{
	struct arena *scratch = arena_new();
	struct lines lines = {0};
	bool is_ok = lines_read(scratch, values, option, &lines, diags);
	for (size_t i = 0; i < lines.n; i++) {
		struct str rest = lines.v[i].text;
		struct str domain = str_word(&rest);
		if (local_domains_add(set, domain))
			continue;
		diag_add(diags, DIAG_ERROR, lines.v[i].file, lines.v[i].number,
		    "\"%.*s\" is not a domain",
		    STR_ARG(str_sub(domain, 0, 256)));
		is_ok = false;
	}
	arena_free(scratch);
	return is_ok;
}

bool
local_domains_has(const struct local_domains *set, struct str domain)
{
	if (table_has(set->exact, domain))
		return true;
	for (struct str rest = domain; set->parents->n > 0 && rest.len > 0;) {
		(void)str_cut(&rest, '.');
		if (table_has(set->parents, rest))
			return true;
	}
	return false;
}

bool
local_domains_is_empty(const struct local_domains *set)
{
	return set->exact->n == 0 && set->parents->n == 0;
}
