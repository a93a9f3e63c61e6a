/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf -- whole checks, with libspf2, in any DNS.  The input is a line with
 * address, HELO and sender, then a zone (test/tool/zone.h) in which "*" answers
 * for every name that is not there.
 */
#include "fuzz.h"

#include "../tool/zone.h"
#include "auth/spf.h"
#include "base/clock.h"

/* 1 record; 10 terms with 10 names each; 10 names of the client, their PTR;
 * 1 explanation. */
#define QUESTIONS_MAX (1 + 10 * 11 + 11 + 1)

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
source(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	zone_source(arg, a, name, type, ret);
	if (ret->status != DNS_NXDOMAIN)
		return;
	*ret = (struct dns_answer){.why = ""};
	zone_source(arg, a, STR("*"), type, ret);
}

static void
check_answer(const struct spf_answer *answer, const struct dns_budget *budget)
{
	check(spf_result_name(answer->result).len > 0);
	check(answer->terms <= 10 && answer->voids <= 3);
	check(budget->asked <= QUESTIONS_MAX);
	check(answer->why.len > 0);
	/* Else libspf2 and spf.c do not agree. */
	check(answer->result != SPF_TEMPERROR || budget->has_temp);
	for (size_t i = 0; i < answer->explanation.len; i++)
		check(answer->explanation.p[i] >= ' ' &&
		      answer->explanation.p[i] <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str rest = str_of((const char *)data, size);
	struct str line = str_line(&rest);
	struct spf_query query = {.address = str_cut(&line, ' '),
	    .helo = str_cut(&line, ' '),
	    .sender = line,
	    .wants_explanation = true};
	struct zone *zone = zone_new(a);
	(void)zone_parse(zone, rest);
	struct resolver *r = resolver_new_source(source, zone);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 10000, .questions = 1000};
	struct spf_answer answer;
	spf_check(a, r, &query, &budget, &answer);
	check_answer(&answer, &budget);
	resolver_free(r);
	arena_free(a);
	return 0;
}
