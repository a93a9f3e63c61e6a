/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_advice -- whatever is published, what we say to publish is a record, lets
 * our addresses pass and costs a bounded number of questions.  The input is a
 * line of addresses, then a zone (test/tool/zone.h); the domain is a.example.
 */
#include "fuzz.h"

#include "../tool/zone.h"
#include "auth/spf.h"
#include "auth/spf_advice.h"
#include "auth/spf_record.h"
#include "base/clock.h"

#define QUESTIONS 150
#define ADDRESSES_MAX 4

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

/* The zone of the input, where a.example has what we advise. */
struct published {
	struct zone *zone;
	struct str record;
};

static void
source(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	struct published *p = arg;
	if (type == DNS_TXT && str_eq(name, STR("a.example")))
		strs_add(a, &ret->records, p->record);
	else
		zone_source(p->zone, a, name, type, ret);
}

static void
check_passes(struct arena *a, struct published *p, const struct strs *addresses)
{
	struct resolver *r = resolver_new_source(source, p);
	for (size_t i = 0; i < addresses->n; i++) {
		struct ip ip;
		struct dns_budget budget = {
		    .deadline_ms = clock_ms() + 10000, .questions = 1000};
		struct spf_query query = {.address = addresses->v[i],
		    .helo = STR("a.example"),
		    .sender = STR("postmaster@a.example")};
		struct spf_answer answer;
		if (!ip_parse(query.address, &ip))
			continue;
		spf_check(a, r, &query, &budget, &answer);
		check(answer.result == SPF_PASS);
	}
	resolver_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str rest = str_of((const char *)data, size), note;
	struct str line = str_line(&rest);
	struct strs addresses = {0};
	while (line.len > 0 && addresses.n < ADDRESSES_MAX)
		strs_add(a, &addresses, str_cut(&line, ' '));
	struct published p = {.zone = zone_new(a)};
	(void)zone_parse(p.zone, rest);
	struct resolver *r = resolver_new_source(zone_source, p.zone);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 10000, .questions = QUESTIONS};
	enum spf_advice_status status = spf_advise(
	    a, r, STR("a.example"), &addresses, &budget, &p.record, &note);
	resolver_free(r);
	check(budget.asked <= QUESTIONS);
	struct spf_record record;
	struct spf_fault fault;
	if (status == SPF_ADVICE_PUBLISH || status == SPF_ADVICE_KEEP) {
		check(spf_record_is(p.record));
		check(spf_record_parse(a, p.record, &record, &fault));
		check_passes(a, &p, &addresses);
	}
	check(status == SPF_ADVICE_KEEP || note.len > 0);
	arena_free(a);
	return 0;
}
