/* SPDX-License-Identifier: BSD-2-Clause */
/* policy -- what the admin says of our own mail. */
#include "auth/policy.h"

#include "auth/egress.h"
#include "auth/local_domains.h"
#include "auth/login_map.h"
#include "auth/org.h"
#include "base/arena.h"

/* Domains as they are compared; what is none is an error. */
static void
domains_read(struct arena *a, const struct strs *value,
    const struct option_place *option, struct diags *diags, struct strs *ret)
{
	*ret = (struct strs){0};
	for (size_t i = 0; i < value->n; i++) {
		struct str domain = domain_normal(a, value->v[i]);
		if (domain.len > 0)
			strs_add(a, ret, domain);
		else
			option_complain(diags, DIAG_ERROR, option, i,
			    "\"%.*s\" is not a domain", STR_ARG(value->v[i]));
	}
}

static void
helo_read(const struct policy_options *options, struct arena *a,
    struct str *ret, struct diags *diags)
{
	struct option_place place = {
	    .lines = options->lines, .name = "helo-name"};
	*ret = domain_normal(a, options->helo);
	if (options->helo.len > 0 && ret->len == 0)
		option_complain(diags, DIAG_ERROR, &place, 0,
		    "\"%.*s\" is not a name", STR_ARG(options->helo));
}

/* For somebody who may not read our files: what needs none still works. */
static void
diags_take(const struct diags *own, bool is_lenient, struct diags *diags)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct diag *d = &own->v[i];
		enum diag_level level = d->level == DIAG_ERROR && is_lenient
					    ? DIAG_WARNING
					    : d->level;
		diag_add(
		    diags, level, d->file, d->line, "%.*s", STR_ARG(d->text));
	}
}

static void
keys_read(struct arena *a, const struct policy_options *options,
    struct dkim_keys **ret, struct diags *diags)
{
	struct diags own = {.arena = a};
	*ret = NULL;
	bool has_keys = options->tables.key_table.len > 0;
	bool has_signing = options->tables.signing_table.len > 0;
	struct option_place place = {.lines = options->lines,
	    .name = has_keys ? "dkim-key-table" : "dkim-signing-table"};
	if (has_keys != has_signing)
		option_complain(diags, DIAG_ERROR, &place, 0,
		    "it is set and %s is not: signing needs both",
		    has_keys ? "dkim-signing-table" : "dkim-key-table");
	if (!has_keys || !has_signing)
		return;
	*ret = dkim_keys_load(&options->tables, &own);
	diags_take(&own, options->is_lenient, diags);
}

/* Without the files that cannot be read, if that is no error. */
static void
names_read(struct arena *a, const struct policy_options *options,
    struct policy *ret, struct diags *diags)
{
	static const struct strs none = {0};
	struct option_place domains = {
	    .lines = options->lines, .name = "local-domains"};
	struct option_place logins = {
	    .lines = options->lines, .name = "login-map"};
	struct diags own = {.arena = a};
	ret->locals = local_domains_new(a);
	(void)!local_domains_load(
	    ret->locals, options->local_domains, &domains, &own);
	ret->logins = login_map_load(a, options->login_map, &logins, &own);
	if (ret->logins == NULL)
		ret->logins = login_map_load(a, &none, &logins, &own);
	diags_take(&own, options->is_lenient, diags);
}

/* Who has the key of a domain may write in its name. */
static void
locals_by_keys(struct policy *policy)
{
	for (size_t i = 0; policy->keys != NULL; i++) {
		const struct dkim_key *key = dkim_keys_at(policy->keys, i);
		if (key == NULL)
			return;
		/* "%" is no domain */
		(void)!local_domains_add(policy->locals, dkim_key_domain(key));
	}
}

static void
sign_options_set(const struct policy_options *options, struct policy *ret)
{
	ret->sign = (struct dkim_sign_options){
	    .header = options->header_canon,
	    .body = options->body_canon,
	    .fields = options->sign_fields,
	    .oversign = options->oversign_fields,
	    .valid_s = options->signature_valid_s,
	};
}

bool
policy_load(struct arena *a, const struct policy_options *options,
    struct policy *ret, struct diags *diags)
{
	size_t errors = diags_count(diags, DIAG_ERROR);
	*ret = (struct policy){.helo = STR_EMPTY};
	struct option_place egress = {
	    .lines = options->lines, .name = "egress-addresses"};
	struct option_place strict = {
	    .lines = options->lines, .name = "strict-domains"};
	egress_read(a, options->egress, &egress, diags, &ret->egress);
	helo_read(options, a, &ret->helo, diags);
	domains_read(a, options->strict_domains, &strict, diags, &ret->strict);
	names_read(a, options, ret, diags);
	keys_read(a, options, &ret->keys, diags);
	locals_by_keys(ret);
	sign_options_set(options, ret);
	if (diags_count(diags, DIAG_ERROR) == errors)
		return true;
	policy_done(ret);
	return false;
}

bool
policy_is_local(struct arena *a, const struct policy *policy, struct str domain)
{
	domain = domain_normal(a, domain);
	return domain.len > 0 &&
	       (local_domains_has(policy->locals, domain) ||
		   login_map_has_domain(policy->logins, domain));
}

void
policy_done(struct policy *policy)
{
	dkim_keys_free(policy->keys);
	policy->keys = NULL;
}
