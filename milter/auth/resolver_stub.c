/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver_stub -- STAND-IN for resolver.c, to be dropped when that is there:
 * answers from a source only. */
#include "auth/resolver.h"

#include "base/arena.h"
#include "base/clock.h"

struct resolver {
	resolver_source *source;
	void *arg;
};

struct resolver *
resolver_new_source(resolver_source *source, void *arg)
{
	struct resolver *r = malloc(sizeof(*r));
	if (r == NULL)
		abort();
	*r = (struct resolver){source, arg};
	return r;
}

void
resolver_free(struct resolver *r)
{
	free(r);
}

static bool
is_name(struct str name)
{
	if (name.len > 253)
		return false;
	while (name.len > 0) {
		struct str label = str_cut(&name, '.');
		if (label.len == 0 || label.len > 63)
			return false;
	}
	return true;
}

void
resolver_ask(struct resolver *r, struct arena *a, struct str name,
    enum dns_type type, struct dns_budget *budget, struct dns_answer *ret)
{
	*ret = (struct dns_answer){.why = ""};
	if (str_ends(name, STR(".")))
		name.len--;
	if (!is_name(name)) {
		ret->status = DNS_NXDOMAIN;
	} else if (budget->questions == 0 || clock_ms() > budget->deadline_ms) {
		ret->status = DNS_TEMP;
		ret->why = budget->questions == 0 ? "limit" : "timeout";
	} else {
		budget->questions--;
		budget->asked++;
		r->source(r->arg, a, str_lower(a, name), type, ret);
	}
	if (ret->status == DNS_TEMP)
		budget->has_temp = true;
}

void
resolver_prefetch(struct resolver *r, struct str name, enum dns_type type)
{
	(void)r;
	(void)name;
	(void)type;
}
