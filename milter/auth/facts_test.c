/* SPDX-License-Identifier: BSD-2-Clause */
/* facts_test -- the facts that a `test` line of a rule says, in words. */
#include "auth/facts.h"
#include "auth/local_domains.h"
#include "base/arena.h"

struct test {
	struct arena *arena;
	struct facts *facts;
	struct local_domains *locals;
};

static bool
set_preflight(struct test *t, struct str value)
{
	return preflight_verdict_parse(value, &t->facts->flight.verdict);
}

static bool
set_spf(struct test *t, struct str value)
{
	struct preflight_spf *spf = &t->facts->flight.spf;
	spf->v = ARENA_NEW(t->arena, struct spf_address);
	spf->v->address = STR("192.0.2.25");
	spf->v->answer.why = STR_EMPTY;
	spf->n = 1;
	for (int i = SPF_NONE; i <= SPF_PERMERROR; i++)
		if (str_ieq(value, spf_result_name((enum spf_result)i))) {
			spf->result = (enum spf_result)i;
			spf->v->answer.result = spf->result;
			return true;
		}
	return false;
}

static bool
set_dkim(struct test *t, struct str value)
{
	for (int i = DKIM_NONE; i <= DKIM_PERMERROR; i++)
		if (str_ieq(value, dkim_result_name((enum dkim_result)i))) {
			t->facts->flight.dkim = (enum dkim_result)i;
			return true;
		}
	return false;
}

static bool
set_policy(struct test *t, struct str value)
{
	for (int i = DMARC_NONE; i <= DMARC_REJECT; i++)
		if (str_ieq(value, dmarc_policy_name((enum dmarc_policy)i))) {
			t->facts->flight.authors[0].policy =
			    (enum dmarc_policy)i;
			return true;
		}
	return false;
}

static bool
set_login_from(struct test *t, struct str value)
{
	t->facts->login_from = LOGIN_NO;
	return str_ieq(value, STR("no"));
}

static bool
set_login_sender(struct test *t, struct str value)
{
	t->facts->login_sender = LOGIN_NO;
	return str_ieq(value, STR("no"));
}

static bool
set_from_route(struct test *t, struct str value)
{
	t->facts->flight.authors[0].route = ROUTE_NONE;
	return str_ieq(value, STR("none"));
}

static bool
set_sender_route(struct test *t, struct str value)
{
	t->facts->flight.sender_route = ROUTE_NONE;
	return str_ieq(value, STR("none"));
}

static bool
set_local(struct test *t, struct str value)
{
	return local_domains_add(t->locals, value);
}

static bool
set_unsigned(struct test *t, struct str value)
{
	for (int i = UNSIGNED_NO_TABLES; i <= UNSIGNED_LOGIN; i++)
		if (str_ieq(value,
			str_from(unsigned_why_name((enum unsigned_why)i)))) {
			t->facts->why_unsigned = (enum unsigned_why)i;
			return true;
		}
	return false;
}

static const struct {
	const char *name;
	bool (*set)(struct test *t, struct str value);
} test_words[] = {
    {"preflight", set_preflight},
    {"spf", set_spf},
    {"dkim", set_dkim},
    {"policy", set_policy},
    {"login-from", set_login_from},
    {"login-sender", set_login_sender},
    {"from-route", set_from_route},
    {"sender-route", set_sender_route},
    {"local", set_local},
    {"unsigned", set_unsigned},
};

static bool
test_word(struct test *t, struct str word)
{
	struct str value = word;
	struct str name = str_cut(&value, '=');
	for (size_t i = 0; i < COUNT_OF(test_words); i++)
		if (str_ieq(name, str_from(test_words[i].name)))
			return test_words[i].set(t, value);
	return false;
}

/* Nothing speaks against the message until a word says so. */
static void
test_init(struct test *t, const struct envelope *envelope)
{
	static const struct strs none = {0};
	struct policy *policy = ARENA_NEW(t->arena, struct policy);
	struct diags diags = {.arena = t->arena};
	policy->locals = t->locals;
	policy->logins = login_map_load(t->arena, &none,
	    &(struct option_place){.name = "login-map"}, &diags);
	t->facts->policy = policy;
	t->facts->envelope = envelope;
	t->facts->has_flight = true;
	t->facts->login_from = t->facts->login_sender = LOGIN_UNKNOWN;
	struct preflight *flight = &t->facts->flight;
	flight->verdict = PREFLIGHT_PASS;
	flight->evidence = flight->spf.domain = STR_EMPTY;
	flight->sender_route = ROUTE_MX;
	flight->nauthors = 1;
	flight->authors[0] = (struct preflight_author){
	    .domain = STR("example.org"),
	    .verdict = PREFLIGHT_PASS,
	    .route = ROUTE_MX,
	    .evidence = STR_EMPTY,
	};
}

const struct facts *
facts_of_test(struct arena *a, const struct envelope *envelope, struct str text)
{
	struct test t = {
	    .arena = a,
	    .facts = ARENA_NEW(a, struct facts),
	    .locals = local_domains_new(a),
	};
	test_init(&t, envelope);
	for (struct str word = str_word(&text); word.len > 0;
	     word = str_word(&text))
		if (!test_word(&t, word))
			return NULL;
	return t.facts;
}
