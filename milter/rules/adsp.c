/* SPDX-License-Identifier: BSD-2-Clause */
/* adsp -- adsp_override lines, and the one that is about a domain. */
#include "rules/adsp.h"

#include "base/arena.h"
#include "base/table.h"
#include "rules/list_make.h"

static const struct practice {
	const char *word;
	char letter;
} practices[] = {
    {"discardable", 'D'}, /* what is meant if a line has none */
    {"nxdomain", 'N'},
    {"unknown", 'U'},
    {"all", 'A'},
    {"custom_low", '1'},
    {"custom_med", '2'},
    {"custom_high", '3'},
};

struct adsp {
	struct table *by_domain; /* const struct practice *, by "a.b", "*.b" */
};

static const struct practice *
practice_named(struct str word)
{
	if (word.len == 0)
		return &practices[0];
	for (size_t i = 0; i < COUNT_OF(practices); i++)
		if (str_ieq(word, str_from(practices[i].word)))
			return &practices[i];
	return NULL;
}

/* Letters of a domain, and * for any label in front. */
static bool
is_domain(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_word(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' &&
		    s.p[i] != '*')
			return false;
	return s.len > 0;
}

/* "domain", "@domain practice"; false: something else. */
static bool
line_apply(struct arena *a, struct adsp *adsp, struct str value)
{
	struct str domain = str_word(&value);
	struct str word = str_word(&value);
	if (str_starts(domain, STR("@")))
		domain = str_skip(domain, 1);
	const struct practice *practice = practice_named(word);
	if (!is_domain(domain) || practice == NULL || str_trim(value).len > 0)
		return false;
	table_set(
	    adsp->by_domain, str_lower(a, domain), (void *)(uintptr_t)practice);
	return true;
}

const struct adsp *
adsp_new(struct ruleset *rules, struct diags *diags)
{
	const struct setting_list *lines = &rules->settings.of[SETTING_ADSP];
	struct adsp *adsp = ARENA_NEW(rules->arena, struct adsp);
	adsp->by_domain = table_new(rules->arena, false);
	for (size_t i = 0; i < lines->n; i++)
		if (!line_apply(rules->arena, adsp, lines->v[i].value))
			SETTING_ERROR(diags, &lines->v[i],
			    "write: adsp_override domain [discardable, all, "
			    "unknown, nxdomain or custom_low, _med, _high]");
	return adsp;
}

char
adsp_of(const struct adsp *adsp, struct arena *a, struct str domain)
{
	const struct practice *found = table_get(adsp->by_domain, domain);
	for (struct str rest = domain; found == NULL && rest.len > 0;) {
		(void)str_cut(&rest, '.');
		struct str key = rest.len == 0
				     ? STR("*")
				     : str_printf(a, "*.%.*s", STR_ARG(rest));
		found = table_get(adsp->by_domain, key);
	}
	return found == NULL ? '\0' : found->letter;
}
