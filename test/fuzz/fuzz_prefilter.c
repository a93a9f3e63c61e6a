/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefilter -- the first line as a regex, the others as strings: what PCRE2
 * matches, neither the prefilter nor a look may rule out.
 */
#include "fuzz.h"

#include "rules/factor.h"
#include "rules/heads.h"
#include "rules/hs_db.h"
#include "rules/literal_set.h"
#include "rules/look.h"
#include "rules/prefilter.h"
#include "rules/regex.h"
#include "rules/stretch.h"

#define PATTERN_BYTES 400
#define TEXT_BYTES 4000

/* NULL: the prefilter says nothing of the pattern. */
static struct candidates *
candidates(struct arena *a, struct str pattern, const struct strs *strings,
    uint32_t *ret_slot)
{
	struct prefilter_builder *b = prefilter_builder_new(a);
	*ret_slot = prefilter_add(b, pattern);
	struct prefilter *p = prefilter_build(a, b, hs_pool_new(a), NULL);
	return *ret_slot == PREFILTER_NONE || p == NULL
		   ? NULL
		   : prefilter_pass(p, a, strings, NULL, NULL);
}

/* Places are in order and none overlaps another; one has the start `at`. */
static bool
is_left(const struct candidates *c, uint32_t slot, size_t string, size_t at)
{
	struct candidate_cursor cursor = candidates_begin(c, slot);
	struct candidate_place place, last = {0};
	bool ret = false, is_first = true;
	for (; candidates_next(c, &cursor, &place); last = place) {
		if (!is_first && (place.string < last.string ||
				     (place.string == last.string &&
					 place.from <= last.until)))
			abort();
		is_first = false;
		ret = ret || (place.string == string && place.from <= at &&
				 at <= place.until);
	}
	return ret;
}

/* What is told of one byte without the regex is what it finds. */
static void
single_try(struct arena *a, struct str pattern, const struct regex *re,
    struct regex_scratch *scratch, struct str text)
{
	struct byte_set single;
	struct regex_span span;
	struct starts *starts = factor_starts_single(a, pattern, &single);
	if (starts == NULL)
		return;
	for (unsigned c = 0; c < 256; c++) {
		char byte = (char)c;
		single.has[c] =
		    single.has[c] && regex_match(re, scratch, str_of(&byte, 1),
					 0, false, &span) == REGEX_YES;
	}
	starts_set_single(a, starts, &single);
	regex_next_text(scratch);
	for (size_t at = 0; at < text.len; at++)
		if (starts_are_match(starts, text, at) &&
		    (regex_match_within(re, scratch, text, at, at, false,
			 &span) != REGEX_YES ||
			span.from != at || span.to != at + 1))
			abort();
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
	uint32_t slot;
	const struct candidates *c = candidates(a, pattern, &strings, &slot);
	/* whichever pieces it is told by */
	struct starts *starts = factor_starts_of(a, regex_pattern(a, pattern),
	    (unsigned)(pattern.len % 7), pattern.len % 2 == 1);
	if (regex_is_at_lines(re))
		starts = factor_starts_of_lines(a, regex_pattern(a, pattern));
	struct stretch *stretch =
	    factor_stretch_of(a, regex_pattern(a, pattern));
	struct places places;
	/* \K moves the start that is told */
	bool has_start = str_find(pattern, STR("\\K")) == STR_NONE;
	for (size_t i = 0; i < strings.n; i++) {
		struct regex_span span;
		if (regex_match(re, scratch, strings.v[i], 0, false, &span) !=
		    REGEX_YES)
			continue;
		if ((c != NULL && has_start &&
			!is_left(c, slot, i, span.from)) ||
		    (has_start && !starts_next(starts, strings.v[i], span.from,
				      span.from, &places)) ||
		    (stretch != NULL &&
			!stretch_is_in(stretch, strings.v[i])) ||
		    (look != NULL && !look_may_match(look, strings.v[i])))
			abort();
	}
	single_try(a, regex_pattern(a, pattern), re, scratch, strings.v[0]);
	arena_free(a);
	return 0;
}
