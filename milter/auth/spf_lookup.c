/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_lookup -- questions, and their limits. */
#include "auth/spf_lookup.h"

#include <stdarg.h>

#include "auth/org.h"
#include "base/arena.h"

#define WHY_MAX 400

static struct str
type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return STR("A");
	case DNS_PTR:
		return STR("PTR");
	case DNS_MX:
		return STR("MX");
	case DNS_TXT:
		return STR("TXT");
	case DNS_AAAA:
		return STR("AAAA");
	}
	return STR_EMPTY;
}

void
spf_lookup_fail(
    struct spf_lookup *l, enum spf_result failure, const char *fmt, ...)
{
	if (l->has_failed || l->is_over)
		return;
	char text[WHY_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->has_failed = true;
	l->failure = failure;
	l->why = str_dup(l->arena, str_from(text));
}

/* Nothing more is to be asked. */
static bool
is_stopped(const struct spf_lookup *l)
{
	return l->has_failed && !l->is_over;
}

bool
spf_lookup_count(struct spf_lookup *l)
{
	if (l->is_over)
		return true;
	if (l->has_failed)
		return false;
	if (l->terms == SPF_TERMS_MAX)
		spf_lookup_fail(l, SPF_PERMERROR,
		    "more than %d terms that ask the DNS", SPF_TERMS_MAX);
	else
		l->terms++;
	return !l->has_failed;
}

/* RFC 1035 section 2.3.4; any bytes in the labels (RFC 2181 section 11). */
static bool
is_name(struct str name)
{
	if (name.len == 0 || name.len > 253)
		return false;
	while (name.len > 0) {
		bool is_last = str_chr(name, '.') == STR_NONE;
		struct str label = str_cut(&name, '.');
		if (label.len == 0 || label.len > 63 ||
		    (name.len == 0 && !is_last))
			return false;
	}
	return true;
}

static void
note_ttl(struct spf_lookup *l, uint32_t ttl_s)
{
	if (!l->has_asked || ttl_s < l->ttl_s)
		l->ttl_s = ttl_s;
	l->has_asked = true;
}

static void
ask(struct spf_lookup *l, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	*ret = (struct dns_answer){.status = DNS_NXDOMAIN, .why = ""};
	if (!is_name(name))
		return;
	resolver_ask(l->resolver, l->arena, name, type, l->budget, ret);
	if (ret->status == DNS_OK && ret->records.n == 0)
		ret->status = DNS_NODATA;
	note_ttl(l, ret->ttl_s);
}

/* Section 4.6.4: a question without an answer, other than by failure. */
static void
count_void(struct spf_lookup *l, struct str name, enum dns_type type,
    const struct dns_answer *answer)
{
	bool is_void =
	    answer->status == DNS_NODATA || answer->status == DNS_NXDOMAIN;
	if (!is_void || l->is_over || !is_name(name))
		return;
	l->voids++;
	if (l->voids > SPF_VOIDS_MAX)
		spf_lookup_fail(l, SPF_PERMERROR,
		    "more than %d lookups that find nothing, the last is %.*s "
		    "%.*s",
		    SPF_VOIDS_MAX, STR_ARG(type_name(type)), STR_ARG(name));
}

static bool
ask_or_fail(struct spf_lookup *l, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	*ret = (struct dns_answer){.status = DNS_TEMP, .why = ""};
	if (is_stopped(l))
		return false;
	ask(l, name, type, ret);
	if (ret->status == DNS_TEMP)
		spf_lookup_fail(l, SPF_TEMPERROR, "%.*s %.*s: %s",
		    STR_ARG(type_name(type)), STR_ARG(name), ret->why);
	return ret->status != DNS_TEMP;
}

bool
spf_lookup_record(struct spf_lookup *l, struct str name, struct dns_answer *ret)
{
	return ask_or_fail(l, name, DNS_TXT, ret);
}

bool
spf_lookup_ask(struct spf_lookup *l, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	if (!ask_or_fail(l, name, type, ret))
		return false;
	count_void(l, name, type, ret);
	return !is_stopped(l);
}

enum dns_type
spf_lookup_type(const struct spf_lookup *l)
{
	return l->client.is_v6 ? DNS_AAAA : DNS_A;
}

/* Section 5.5: an error of the DNS means that there are no names.  Those past
 * the limit are ignored (section 4.6.4). */
static void
names_ask(struct spf_lookup *l)
{
	if (l->names.is_asked)
		return;
	l->names.is_asked = true;
	struct str name = ip_reverse_name(l->arena, &l->client);
	struct dns_answer answer;
	ask(l, name, DNS_PTR, &answer);
	count_void(l, name, DNS_PTR, &answer);
	if (answer.status != DNS_OK)
		return;
	for (size_t i = 0; i < answer.records.n && i < SPF_NAMES_MAX; i++)
		strs_add(l->arena, &l->names.names, answer.records.v[i]);
}

static bool
has_client(const struct spf_lookup *l, const struct dns_answer *answer)
{
	struct ip_block here = {l->client, ip_bits(&l->client)};
	for (size_t i = 0; i < answer->records.n; i++) {
		struct ip ip;
		if (ip_from_bytes(answer->records.v[i], &ip) &&
		    ip_is_within(&ip, &here))
			return true;
	}
	return false;
}

/* Section 5.5: "If a DNS error occurs while doing an A RR lookup, then that
 * domain name is skipped". */
static bool
name_is_good(struct spf_lookup *l, size_t i)
{
	if (is_stopped(l))
		return false;
	if (l->names.state[i] == SPF_NAME_NEW) {
		struct dns_answer answer;
		struct str name = l->names.names.v[i];
		ask(l, name, spf_lookup_type(l), &answer);
		count_void(l, name, spf_lookup_type(l), &answer);
		bool is_good =
		    answer.status == DNS_OK && has_client(l, &answer);
		l->names.state[i] = is_good ? SPF_NAME_GOOD : SPF_NAME_BAD;
	}
	return l->names.state[i] == SPF_NAME_GOOD;
}

/* The first validated name that is `domain`, or is under it.  STR_NONE: none.
 */
static size_t
names_find(struct spf_lookup *l, struct str domain, bool is_exact)
{
	for (size_t i = 0; i < l->names.names.n; i++) {
		struct str name = l->names.names.v[i];
		bool is_fit = is_exact ? str_eq(name, domain)
				       : domain_is_under(name, domain);
		if (is_fit && name_is_good(l, i))
			return i;
	}
	return STR_NONE;
}

bool
spf_lookup_has_name(struct spf_lookup *l, struct str domain)
{
	names_ask(l);
	return names_find(l, str_lower(l->arena, domain), false) != STR_NONE;
}

static size_t
names_first(struct spf_lookup *l)
{
	for (size_t i = 0; i < l->names.names.n; i++)
		if (name_is_good(l, i))
			return i;
	return STR_NONE;
}

struct str
spf_lookup_name(struct spf_lookup *l, struct str domain)
{
	/* Section 4.6.4: the PTR of a macro counts as that of a mechanism. */
	if (!l->names.is_asked && !spf_lookup_count(l))
		return STR("unknown");
	names_ask(l);
	domain = str_lower(l->arena, domain);
	size_t i = names_find(l, domain, true);
	if (i == STR_NONE)
		i = names_find(l, domain, false);
	if (i == STR_NONE)
		i = names_first(l);
	return i == STR_NONE ? STR("unknown") : l->names.names.v[i];
}

void
spf_lookup_prefetch(struct spf_lookup *l, struct str name, enum dns_type type)
{
	if (l->prefetched == SPF_TERMS_MAX || !is_name(name))
		return;
	l->prefetched++;
	resolver_prefetch(l->resolver, name, type);
}
