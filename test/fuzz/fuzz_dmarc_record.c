/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_record -- any record, and any zone of them: the first line is the
 * author's domain, the second an identity's, the others are what TXT questions
 * get in turn.
 */
#include "fuzz.h"

#include "auth/dmarc.h"
#include "auth/org.h"
#include "base/clock.h"

/* A walk, a registrable domain and an address, for two domains. */
#define QUESTIONS_MAX 20

static void
check(bool is_true)
{
	if (!is_true)
		abort();
}

static void
try_record(struct arena *a, struct str text)
{
	struct dmarc_record record = {.percent = 200};
	switch (dmarc_record_parse(a, text, &record)) {
	case DMARC_PARSE_OTHER:
		check(record.percent == 200);
		return;
	case DMARC_PARSE_UNUSABLE:
		check(!record.has_reports && !record.has_p);
		break;
	case DMARC_PARSE_OK:
		break;
	}
	check(record.percent <= 100);
	check(record.has_p || record.p == DMARC_NONE);
	check(!(record.has_np && record.is_np_broken));
	check(str_eq(record.text, text));
}

/* One line an answer; "?" is no answer, "!" no such name. */
static void
answer_next(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	struct str *rest = arg;
	struct str line = str_line(rest);
	(void)name;
	ret->ttl_s = (uint32_t)line.len;
	ret->status = DNS_OK;
	if (str_starts(line, STR("?")))
		ret->status = DNS_TEMP;
	else if (str_starts(line, STR("!")))
		ret->status = DNS_NXDOMAIN;
	else if (type == DNS_TXT)
		while (line.len > 0)
			strs_add(a, &ret->records, str_cut(&line, '|'));
	else
		ret->status = DNS_NODATA;
}

static void
check_variant(const struct dmarc_domain *d, const struct dmarc_variant *v)
{
	check(v->why != NULL && v->record.text.p != NULL);
	check(!(v->is_temp && v->has_record));
	check(v->effective <= v->policy);
	if (v->org.len > 0)
		check(domain_is_under(d->domain, v->org));
	if (v->has_record)
		check(domain_is_under(d->domain, v->record_domain));
}

static void
try_zone(struct arena *a, struct str zone)
{
	struct str author = domain_normal(a, str_line(&zone));
	struct str identity = domain_normal(a, str_line(&zone));
	struct resolver *r = resolver_new_source(answer_next, &zone);
	struct cache *cache = cache_new(10, 10000);
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 60000, .questions = 1000};
	const struct dmarc_domain *d =
	    dmarc_discover(a, r, cache, author, &budget);
	check_variant(d, &d->tree);
	check_variant(d, &d->suffix);
	check(budget.asked <= QUESTIONS_MAX / 2);
	struct dmarc_alignments each;
	dmarc_align(a, r, cache, d, identity, true, &budget, &each);
	enum dmarc_alignment alignment = dmarc_alignment_of(d, each);
	check(budget.asked <= QUESTIONS_MAX);
	if (identity.len > 0 && str_eq(author, identity))
		check(alignment == ALIGNED_EXACT);
	resolver_free(r);
	cache_free(cache);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_of((const char *)data, size);
	try_record(a, text);
	try_zone(a, text);
	arena_free(a);
	return 0;
}
