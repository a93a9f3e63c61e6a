/* SPDX-License-Identifier: BSD-2-Clause */
/* ruleset -- a rule set from files or text, and what others may ask of it. */
#include "rules/ruleset.h"

#include "base/arena.h"
#include "base/table.h"
#include "rules/digest.h"
#include "rules/eval.h"
#include "rules/regex.h"
#include "rules/replace.h"
#include "rules/rule.h"

#define RULES_MAX 100000

bool
rule_is_name(struct str name)
{
	if (name.len == 0 || char_is_digit(name.p[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!char_is_word(name.p[i]))
			return false;
	return true;
}

struct rule *
rule_get(struct ruleset *rules, struct str name)
{
	struct rule *rule = table_get(rules->by_name, name);
	if (rule != NULL || !rule_is_name(name) || name.len > RULE_NAME_MAX ||
	    rules->by_name->n >= RULES_MAX)
		return rule;
	rule = ARENA_NEW(rules->arena, struct rule);
	rule->name = name;
	rule->is_sub = str_starts(name, STR("__"));
	rule->text = rule->describe = rule->tflags = rule->why = STR_EMPTY;
	rule->label = rule->unset = STR_EMPTY;
	rule->tag = rule->pattern = STR_EMPTY;
	table_set(rules->by_name, name, rule);
	return rule;
}

static size_t
tables_count(const struct eval_row *const *tables)
{
	size_t n = 0;
	while (tables != NULL && tables[n] != NULL)
		n++;
	return n;
}

/* The tables of eval functions in one list: ours, then those of upper rooms. */
static const struct eval_row *const *
evals_list(struct arena *a, const struct eval_row *const *others)
{
	size_t own = tables_count(EVAL_CONTENT);
	size_t n = tables_count(others);
	const struct eval_row **all =
	    ARENA_ARRAY(a, const struct eval_row *, own + n + 1);
	for (size_t i = 0; i < own; i++)
		all[i] = EVAL_CONTENT[i];
	for (size_t i = 0; i < n; i++)
		all[own + i] = others[i];
	return all;
}

static struct ruleset *
ruleset_new(const struct ruleset_options *options)
{
	struct arena *a = arena_new_lasting();
	struct ruleset *rules = ARENA_NEW(a, struct ruleset);
	rules->arena = a;
	rules->env = regex_env_new(a, &(struct regex_limits){
					  .match = options->match_limit,
					  .depth = options->depth_limit,
					  .heap_kib = options->heap_limit_kib,
				      });
	rules->mail.limits = options->limits.header_bytes == 0
				 ? MAIL_LIMITS_DEFAULT
				 : options->limits;
	rules->evals = evals_list(a, options->evals);
	rules->plugins.evals = rules->evals;
	rules->shortcuts.ham_score = -100;
	rules->shortcuts.spam_score = 100;
	rules->test_facts = options->test_facts;
	rules->own_networks = options->own_networks;
	rules->by_name = table_new(a, false);
	rules->left_out = table_new(a, false);
	rules->tags = replace_tags_new(a);
	return rules;
}

struct ruleset *
ruleset_load(const struct strs *paths, const struct ruleset_options *options,
    struct diags *diags)
{
	struct ruleset *rules = ruleset_new(options);
	struct reader *reader = reader_new(rules, diags);
	for (size_t i = 0; i < paths->n; i++)
		reader_plugins(reader, paths->v[i]);
	for (size_t i = 0; i < paths->n; i++)
		if (!str_ends(paths->v[i], STR(".pre")))
			reader_file(reader, paths->v[i]);
	reader_finish(reader);
	ruleset_link(rules, diags);
	return rules;
}

struct ruleset *
ruleset_load_text(struct str name, struct str text,
    const struct ruleset_options *options, struct diags *diags)
{
	struct ruleset *rules = ruleset_new(options);
	struct reader *reader = reader_new(rules, diags);
	reader_text(
	    reader, str_dup(rules->arena, name), str_dup(rules->arena, text));
	reader_finish(reader);
	ruleset_link(rules, diags);
	return rules;
}

void
ruleset_free(struct ruleset *rules)
{
	if (rules == NULL)
		return;
	filter_free(rules);
	arena_free(rules->arena);
}

const struct mail_config *
ruleset_mail_config(const struct ruleset *rules)
{
	return &rules->mail;
}

struct ruleset_counts
ruleset_counts(const struct ruleset *rules)
{
	struct ruleset_counts counts = {
	    .rules = rules->rules.n,
	    .active = rules->active->n,
	};
	for (size_t i = 0; i < rules->rules.n; i++)
		counts.disabled += rules->rules.v[i]->state == RULE_DISABLED;
	return counts;
}

void
ruleset_digest_add(struct ruleset *rules, struct str text)
{
	char both[RULESET_DIGEST_BYTES + DIGEST_BYTES];
	memcpy(both, rules->digest, RULESET_DIGEST_BYTES);
	sha256(text, (uint8_t *)both + RULESET_DIGEST_BYTES);
	sha256(str_of(both, sizeof(both)), rules->digest);
}

const uint8_t *
ruleset_digest(const struct ruleset *rules)
{
	return rules->digest;
}

void
ruleset_info(const struct ruleset *rules, size_t i, struct rule_info *ret)
{
	const struct rule *rule = rules->rules.v[i];
	*ret = (struct rule_info){
	    .name = rule->name,
	    .type = rule_type_name(rule->type),
	    .tflags = rule->tflags,
	    .text = rule->text,
	    .score = rule->score,
	    .file = rule->place.file,
	    .line = rule->place.line,
	    .is_sub = rule_is_sub(rule),
	    .is_nice = rule->flags.is_nice,
	    .is_live = rule_is_live(rule),
	};
}
