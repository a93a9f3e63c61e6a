/* SPDX-License-Identifier: BSD-2-Clause */
/* tld -- top-level and registrable domains, from lists or from libpsl. */
#include <libpsl.h>

#include "base/arena.h"
#include "base/table.h"
#include "mail/uri.h"

#define LABEL_MAX 63
#define NAME_MAX_LEN 253 /* RFC 1035 section 2.3.4, without the root */

struct tld_set {
	/* NULL: ask libpsl.  Keys by number of labels - 1. */
	struct table *level[3];
};

static struct table *
names_of(struct arena *a, const struct strs *list)
{
	struct table *names = table_new(a, true);
	for (size_t i = 0; list != NULL && i < list->n; i++)
		table_set(names, list->v[i], names);
	return names;
}

struct tld_set *
tld_set_new(struct arena *a, const struct strs *tlds,
    const struct strs *two_level, const struct strs *three_level)
{
	struct tld_set *set = ARENA_NEW(a, struct tld_set);
	if (tlds == NULL || tlds->n == 0)
		return set;
	set->level[0] = names_of(a, tlds);
	set->level[1] = names_of(a, two_level);
	set->level[2] = names_of(a, three_level);
	return set;
}

/* Is `name`, lower case, a suffix that ICANN's registries delegate under? */
static bool
is_suffix(struct str name, int flags)
{
	char text[NAME_MAX_LEN + 1];
	const psl_ctx_t *list = psl_builtin();
	if (list == NULL || name.len == 0 || name.len >= sizeof(text) ||
	    str_chr(name, '\0') != STR_NONE)
		return false;
	for (size_t i = 0; i < name.len; i++)
		text[i] = char_lower(name.p[i]);
	text[name.len] = '\0';
	return psl_is_public_suffix2(list, text, PSL_TYPE_ICANN | flags) == 1;
}

bool
tld_set_has(const struct tld_set *set, struct str label)
{
	if (set->level[0] != NULL)
		return table_has(set->level[0], label);
	/* The list has the names below .za, but not .za. */
	return str_ieq(label, STR("za")) ||
	       (label.len <= LABEL_MAX && str_chr(label, '.') == STR_NONE &&
		   is_suffix(label, PSL_TYPE_NO_STAR_RULE));
}

/* RFC 1480: the names of .us are delegated under states and their localities.
 */
static bool
is_us_locality(const struct str *label, size_t n)
{
	static const char states[] =
	    " ak al ar az ca co ct dc de fl ga gu hi ia id il in ks ky la ma"
	    " md me mi mn mo ms mt nc nd ne nh nj nm nv ny oh ok or pa pr ri"
	    " sc sd tn tx ut va vi vt wa wi wv wy ";
	if (!str_eq(label[n - 1], STR("us")))
		return false;
	struct str state = label[n - 2];
	if (state.len != 2 || str_chr(state, ' ') != STR_NONE ||
	    str_find(str_from(states), state) == STR_NONE)
		return false;
	if (n == 3)
		return true;
	return (str_eq(label[0], STR("pvt")) && str_eq(label[1], STR("k12"))) ||
	       str_eq(label[0], STR("ci")) || str_eq(label[0], STR("co"));
}

/* Is `suffix`, made of the `n` labels, one that names are registered under? */
static bool
is_registry(const struct tld_set *set, struct str suffix,
    const struct str *label, size_t n)
{
	if (set->level[0] == NULL)
		return n == 1 || is_suffix(suffix, 0);
	if (n == 1)
		return true;
	if (n == 4 || (n == 3 && str_eq(label[2], STR("us"))))
		return is_us_locality(label, n);
	return n < 4 && table_has(set->level[n - 1], suffix);
}

/* Lower case, no dots at the ends, one dot between labels. */
static struct str
tidy(struct arena *a, struct str host)
{
	char *p = arena_alloc(a, host.len);
	size_t n = 0;
	for (size_t i = 0; i < host.len; i++)
		if (host.p[i] != '.' || (n > 0 && p[n - 1] != '.'))
			p[n++] = char_lower(host.p[i]);
	if (n > 0 && p[n - 1] == '.')
		n--;
	return str_of(p, n);
}

struct str
tld_domain(struct arena *a, const struct tld_set *set, struct str host)
{
	host = tidy(a, host);
	if (host.len > NAME_MAX_LEN)
		return STR_EMPTY;
	struct str labels[NAME_MAX_LEN];
	size_t n = 0;
	for (struct str rest = host; rest.len > 0;)
		labels[n++] = str_cut(&rest, '.');
	if (n < 2)
		return STR_EMPTY;
	size_t k = 0;
	struct str suffix = host;
	while (!is_registry(set, suffix, &labels[k], n - k)) {
		suffix = str_skip(suffix, labels[k].len + 1);
		k++;
	}
	if (k == 0)
		return host;
	return str_skip(host, host.len - suffix.len - labels[k - 1].len - 1);
}
