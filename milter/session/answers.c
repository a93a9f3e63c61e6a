/* SPDX-License-Identifier: BSD-2-Clause */
/* answers -- whom a notice answers, and what is remembered of a message. */
#include "session/answers.h"

#include "base/arena.h"
#include "base/clock.h"

#define CLOCK_PROOF_S 3600

static struct dns_budget
budget_of(const struct config *config, const struct answers_query *query)
{
	return (struct dns_budget){
	    .deadline_ms = clock_ms() + config->dns_ms,
	    .questions = (unsigned)config->dns_questions,
	    .on_wait = query->on_wait,
	    .arg = query->wait_arg,
	};
}

void
answers_look(const struct snapshot *snapshot, const struct answers_query *query,
    struct message *m, struct notice *ret)
{
	const struct config *config = &snapshot->config;
	struct notice_query notice = {
	    .policy = &snapshot->policy,
	    .envelope = query->envelope,
	    .trusted = &config->trusted_networks,
	    .mta_name = query->mta_name,
	    .authserv_id = query->authserv_id,
	    .trusts_results = config->trusts_results,
	    .is_of_mta = query->is_of_mta,
	    .memory = query->memory,
	    .dns = query->dns,
	    .now_wall = clock_wall(),
	    .ledger_s = (int64_t)config->ledger_days * 24 * 3600,
	};
	struct dns_budget budget = budget_of(config, query);
	notice_find(m, &notice, &budget, ret);
}

struct notice_ruling
answers_rule(struct arena *a, const struct config *config,
    struct memory *memory, const struct notice *notice)
{
	struct notice_budgets budgets = {
	    .addressee = (unsigned)config->notices_addressee,
	    .domain = (unsigned)config->notices_domain,
	    .total = (unsigned)config->notices_total,
	};
	return notice_rule(a, notice, memory, &budgets, clock_wall());
}

void
answers_arrival(struct arena *a, const struct snapshot *snapshot,
    const struct answers_query *query, const struct dkim_mail *mail,
    const struct facts *facts, struct arrival *ret)
{
	const struct config *config = &snapshot->config;
	struct arrival_query arrival = {
	    .policy = &snapshot->policy,
	    .dns = query->dns,
	    .memory = query->memory,
	    .envelope = query->envelope,
	    .mail = mail,
	    .facts = facts,
	    .mta_name = query->mta_name,
	    .trusted = &config->trusted_networks,
	    .inbound = &config->class[CLASS_INBOUND].networks,
	    .is_auto = query->is_auto,
	    .now_wall = clock_wall(),
	    .ledger_s = (int64_t)config->ledger_days * 24 * 3600,
	};
	struct dns_budget budget = budget_of(config, query);
	arrival_judge(a, &arrival, &budget, ret);
}

struct memory_config
answers_memory(struct arena *a, const struct config *config)
{
	return (struct memory_config){
	    .dir = str_printf(a, "%.*s/ledger", STR_ARG(config->state_dir)),
	    .size_bytes = config->ledger_bytes,
	    .days = (unsigned)config->ledger_days,
	    .history_bytes = config->history_bytes,
	    .history_days = (unsigned)config->history_days,
	    .clock_proof_s = CLOCK_PROOF_S,
	};
}
