/* SPDX-License-Identifier: BSD-2-Clause */
/* org_stub -- STAND-IN for org.c, to be dropped when that is there. */
#include "auth/org.h"

#include "base/arena.h"
#include "mail/idn.h"

struct str
domain_normal(struct arena *a, struct str domain)
{
	if (str_ends(domain, STR(".")))
		domain.len--;
	struct str normal = idn_to_ascii(a, domain);
	if (normal.len == 0 || normal.len > 253)
		return STR_EMPTY;
	size_t label = 0;
	for (size_t i = 0; i <= normal.len; i++) {
		char c = i < normal.len ? normal.p[i] : '.';
		if (c == '.') {
			if (label == 0 || label > 63)
				return STR_EMPTY;
			label = 0;
		} else if (!char_is_word(c) && c != '-') {
			return STR_EMPTY;
		} else {
			label++;
		}
	}
	return normal;
}

bool
domain_is_under(struct str domain, struct str parent)
{
	if (str_eq(domain, parent))
		return true;
	return str_ends(domain, parent) && domain.len > parent.len + 1 &&
	       domain.p[domain.len - parent.len - 1] == '.';
}
