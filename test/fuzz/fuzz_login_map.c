/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login_map -- any file of lines, asked for its first line's two words as a
 * login and an address.
 */
#include "fuzz.h"

#include "auth/lines.h"
#include "auth/local_domains.h"
#include "auth/login_map.h"
#include "auth/org.h"

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
check_lines(struct arena *a, struct str text, struct strs *ret)
{
	struct lines lines = {0};
	lines_of_text(a, STR("x"), text, &lines);
	for (size_t i = 0; i < lines.n; i++) {
		struct str line = lines.v[i].text;
		check(line.len > 0 && line.len <= text.len);
		check(str_chr(line, '\n') == STR_NONE);
		check(str_trim(line).len == line.len);
		/* No file of this machine. */
		if (!str_starts(line, STR("file:")) &&
		    (line.p[0] != '/' || str_chr(line, ':') != STR_NONE))
			strs_add(a, ret, line);
	}
}

static void
try_domains(struct arena *a, const struct strs *values)
{
	struct diags diags = {.arena = a};
	struct local_domains *set = local_domains_new(a);
	if (local_domains_load(
		set, values, &(struct option_place){.name = "x"}, &diags))
		check(diags.n == 0);
	else
		check(diags.n > 0);
	for (size_t i = 0; i < values->n; i++)
		(void)local_domains_has(set, values->v[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_of((const char *)data, size);
	struct str first = str_line(&text);
	struct str login = str_word(&first);
	struct strs values = {0};
	check_lines(a, text, &values);
	try_domains(a, &values);
	struct diags diags = {.arena = a};
	struct login_map *map = login_map_load(
	    a, &values, &(struct option_place){.name = "x"}, &diags);
	check((map == NULL) == (diags_count(&diags, DIAG_ERROR) > 0));
	if (map != NULL) {
		enum login_allows answer =
		    login_map_allows(a, map, login, str_trim(first));
		check(!login_map_is_empty(map) || answer == LOGIN_UNKNOWN);
		(void)login_map_has_domain(map, login);
	}
	arena_free(a);
	return 0;
}
