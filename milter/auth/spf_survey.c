/* SPDX-License-Identifier: BSD-2-Clause */
/* spf_survey -- what terms cost, and which addresses they stand for. */
#include "auth/spf_survey.h"

#include "base/arena.h"

/* Of one term; there is no use in counting on. */
#define LOOKUPS_MAX 100
#define DEPTH_MAX 10
#define MX_MAX 10

struct surveyor {
	struct arena *arena;
	struct resolver *resolver;
	struct dns_budget *budget;
	struct spf_survey *survey;
};

static void survey_term(struct surveyor *s, struct str domain,
    const struct spf_term *term, unsigned depth);

static void
add_block(struct surveyor *s, struct ip_block block)
{
	struct spf_blocks *blocks = &s->survey->blocks;
	ip_block_mask(&block);
	size_t n = 0;
	for (size_t i = 0; i < blocks->n; i++) {
		if (ip_block_covers(&blocks->v[i], &block))
			return;
		if (!ip_block_covers(&block, &blocks->v[i]))
			blocks->v[n++] = blocks->v[i];
	}
	blocks->n = n;
	if (n == SPF_BLOCKS_MAX)
		s->survey->is_fluid = true;
	else
		ARENA_PUSH(s->arena, blocks) = block;
}

static void
note(struct str *place, struct str text)
{
	if (place->len == 0)
		*place = text;
}

/* False: not answered. */
static bool
ask(struct surveyor *s, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	resolver_ask(s->resolver, s->arena, name, type, s->budget, ret);
	if (ret->status == DNS_TEMP)
		note(&s->survey->temp,
		    str_printf(s->arena, "%.*s: %s", STR_ARG(name), ret->why));
	return ret->status != DNS_TEMP;
}

/* Both families; false: there is no address. */
static bool
add_addresses(struct surveyor *s, struct str name, const struct spf_term *term)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	bool is_found = false;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct dns_answer answer;
		if (!ask(s, name, types[i], &answer))
			return true;
		for (size_t j = 0; j < answer.records.n; j++) {
			struct ip_block block;
			if (!ip_from_bytes(answer.records.v[j], &block.ip))
				continue;
			block.bits = block.ip.is_v6 ? term->bits6 : term->bits4;
			add_block(s, block);
			is_found = true;
		}
	}
	return is_found;
}

static void
survey_mx(struct surveyor *s, struct str name, const struct spf_term *term)
{
	struct dns_answer answer;
	if (!ask(s, name, DNS_MX, &answer))
		return;
	if (answer.records.n > MX_MAX)
		note(&s->survey->fault,
		    str_printf(s->arena, "%.*s has more than %d MX records",
			STR_ARG(name), MX_MAX));
	s->survey->is_void = answer.records.n == 0;
	for (size_t i = 0; i < answer.records.n && i < MX_MAX; i++) {
		struct str host = str_skip(answer.records.v[i], 2);
		if (host.len > 0)
			(void)add_addresses(s, host, term);
	}
}

static bool
record_of(struct surveyor *s, struct str domain, struct spf_record *ret)
{
	struct dns_answer answer;
	struct str text = STR_EMPTY;
	struct spf_fault fault;
	size_t n = 0;
	if (!ask(s, domain, DNS_TXT, &answer))
		return false;
	for (size_t i = 0; i < answer.records.n; i++) {
		if (!spf_record_is(answer.records.v[i]))
			continue;
		text = answer.records.v[i];
		n++;
	}
	if (n != 1) {
		note(&s->survey->fault,
		    str_printf(s->arena, "%.*s has %s SPF record",
			STR_ARG(domain), n == 0 ? "no" : "more than one"));
		return false;
	}
	if (!spf_record_parse(s->arena, text, ret, &fault)) {
		note(&s->survey->fault,
		    str_printf(s->arena, "the record of %.*s is broken",
			STR_ARG(domain)));
		return false;
	}
	return true;
}

/* All of them pass, up to an all that does not: then they are their addresses.
 */
static void
survey_terms(struct surveyor *s, struct str domain,
    const struct spf_record *record, unsigned depth)
{
	for (size_t i = 0; i < record->n; i++) {
		const struct spf_term *term = &record->v[i];
		bool is_all = term->word == SPF_ALL;
		if ((term->qualifier == '+') == is_all)
			s->survey->is_fluid = true;
		if (is_all)
			return;
		if (term->word != SPF_REDIRECT)
			survey_term(s, domain, term, depth);
	}
	if (record->redirect != NULL)
		survey_term(s, domain, record->redirect, depth);
}

static void
survey_include(struct surveyor *s, struct str domain, unsigned depth)
{
	struct spf_record record;
	if (depth == DEPTH_MAX)
		note(&s->survey->fault,
		    str_printf(s->arena,
			"%.*s is the end of a chain of more than %d records",
			STR_ARG(domain), DEPTH_MAX));
	else if (s->survey->lookups > LOOKUPS_MAX)
		s->survey->is_fluid = true;
	else if (record_of(s, domain, &record))
		survey_terms(s, domain, &record, depth + 1);
}

static void
survey_term(struct surveyor *s, struct str domain, const struct spf_term *term,
    unsigned depth)
{
	struct str target = term->target.len > 0 ? term->target : domain;
	if (str_ends(target, STR(".")))
		target.len--;
	if (spf_term_asks(term))
		s->survey->lookups++;
	if (spf_term_asks(term) && str_chr(target, '%') != STR_NONE) {
		s->survey->is_fluid = true;
		return;
	}
	switch (term->word) {
	case SPF_A:
		s->survey->is_void = !add_addresses(s, target, term);
		return;
	case SPF_MX:
		survey_mx(s, target, term);
		return;
	case SPF_INCLUDE:
	case SPF_REDIRECT:
		survey_include(s, target, depth);
		return;
	case SPF_PTR:
	case SPF_EXISTS:
		s->survey->is_fluid = true;
		return;
	case SPF_IP4:
	case SPF_IP6:
		add_block(s, term->block);
		return;
	case SPF_ALL:
	case SPF_EXP:
	case SPF_OTHER:
		return;
	}
}

void
spf_survey(struct arena *a, struct resolver *r, struct dns_budget *budget,
    struct str domain, const struct spf_term *term, struct spf_survey *ret)
{
	struct surveyor s = {a, r, budget, ret};
	*ret = (struct spf_survey){.fault = STR_EMPTY, .temp = STR_EMPTY};
	survey_term(&s, domain, term, 0);
	if (term->word != SPF_A && term->word != SPF_MX)
		ret->is_void = false;
}

bool
spf_survey_record(struct arena *a, struct resolver *r,
    struct dns_budget *budget, struct str domain, struct spf_record *ret_record,
    struct spf_survey *ret)
{
	struct surveyor s = {a, r, budget, ret};
	*ret = (struct spf_survey){.fault = STR_EMPTY, .temp = STR_EMPTY};
	return record_of(&s, domain, ret_record);
}
