/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefilter -- the first line as a regex, the others as strings: what PCRE2
 * matches, neither the prefilter nor a look may rule out.
 */
#include "fuzz.h"

#include "rules/hs_db.h"
#include "rules/look.h"
#include "rules/prefilter.h"
#include "rules/regex.h"

#define PATTERN_BYTES 400
#define TEXT_BYTES 4000

/* By string: has it been left? */
static bool *
candidates(struct arena *a, struct str pattern, const struct strs *strings)
{
	bool *is_left = ARENA_ARRAY(a, bool, strings->n);
	struct prefilter_builder *b = prefilter_builder_new(a);
	uint32_t slot = prefilter_add(b, pattern);
	struct prefilter *p = prefilter_build(a, b, hs_pool_new(a), NULL);
	for (size_t i = 0; i < strings->n; i++)
		is_left[i] = slot == PREFILTER_NONE || p == NULL;
	if (slot == PREFILTER_NONE || p == NULL)
		return is_left;
	struct candidates *c = prefilter_pass(p, a, strings, NULL, NULL);
	struct candidate_cursor cursor = candidates_begin(c, slot);
	size_t last = 0;
	for (size_t i; candidates_next(c, &cursor, &i); last = i + 1) {
		if (i < last || i >= strings->n)
			abort(); /* not in order */
		is_left[i] = true;
	}
	return is_left;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	static const struct regex_limits limits = {.match = 5000, .depth = 200};
	struct regex_env *env = regex_env_new(a, &limits);
	struct str rest = str_of((const char *)data, size), why;
	struct str pattern = str_sub(str_line(&rest), 0, PATTERN_BYTES);
	struct strs strings = {0};
	struct regex *re;
	rest = str_sub(rest, 0, TEXT_BYTES);
	strs_add(a, &strings, rest);
	while (rest.len > 0)
		strs_add(a, &strings, str_line(&rest));
	if (regex_new(env, pattern, &re, &why) != REGEX_OK) {
		arena_free(a);
		return 0;
	}
	struct regex_scratch *scratch = regex_scratch_new(a, env, NULL, NULL);
	struct look *look =
	    look_new(a, hs_pool_new(a), regex_pattern(a, pattern));
	const bool *is_left = candidates(a, pattern, &strings);
	for (size_t i = 0; i < strings.n; i++) {
		struct regex_span span;
		if (regex_match(re, scratch, strings.v[i], 0, false, &span) !=
		    REGEX_YES)
			continue;
		if (!is_left[i] ||
		    (look != NULL && !look_may_match(look, strings.v[i])))
			abort();
	}
	arena_free(a);
	return 0;
}
