/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of each line of the rule files. */
#include "unit.h"

#include <sys/stat.h>

#include "auth/facts.h"
#include "base/arena.h"
#include "rules/census.h"
#include "rules/ruleset.h"

static struct ruleset *
load(struct arena *a, const char *text)
{
	static const struct eval_row *const evals[] = {EVAL_AUTH, NULL};
	struct ruleset_options options = {.evals = evals};
	struct diags diags = {.arena = a};
	return ruleset_load_text(STR("t.cf"), str_from(text), &options, &diags);
}

static const struct census_row *
row_named(const struct census *census, const char *type)
{
	for (size_t i = 0; i < census->rows.n; i++)
		if (str_eq(census->rows.v[i].type, str_from(type)))
			return &census->rows.v[i];
	fail_msg("no row %s", type);
	return NULL;
}

static void
every_rule_has_one_fate(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ruleset *rules = load(a,
	    "body RUNS /a/\n"
	    "body __NEEDED /b/\n"
	    "meta USES __NEEDED\n"
	    "body __NOT_NEEDED /c/\n"
	    "body OFF /d/\nscore OFF 0\n"
	    "header LISTED eval:check_rbl('x', 'bl.example.')\n"
	    "tflags LISTED net\n"
	    "body LEARNED eval:check_bayes('0.99', '1')\ntflags LEARNED learn\n"
	    "askdns ASKS _A_.example TXT /x/\n"
	    "header UNKNOWN eval:no_such_function()\n"
	    "meta ITSELF ITSELF && RUNS\n");
	struct census census;
	ruleset_census(rules, a, &census);
	static const struct {
		const char *type;
		size_t rules, of[RULE_FATES];
	} wanted[] = {
	    {"body", 4, {2, 1, 1, 0, 0, 0}},
	    {"eval", 3, {0, 0, 0, 1, 1, 1}},
	    {"meta", 2, {2, 0, 0, 0, 0, 0}},
	    {"network", 1, {0, 0, 0, 1, 0, 0}},
	    {"all", 10, {4, 1, 1, 2, 1, 1}},
	};
	assert_int_equal(census.rows.n, COUNT_OF(wanted));
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		const struct census_row *row =
		    row_named(&census, wanted[i].type);
		assert_int_equal(row->rules, wanted[i].rules);
		for (size_t k = 0; k < RULE_FATES; k++)
			if (row->of[k] != wanted[i].of[k])
				fail_msg("%s: %zu %.*s", wanted[i].type,
				    row->of[k],
				    STR_ARG(rule_fate_name((enum rule_fate)k)));
	}
	ruleset_free(rules);
	arena_free(a);
}

static void
what_does_not_run_has_its_reason(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ruleset *rules = load(a,
	    "header L1 eval:check_rbl('x', 'bl.example.')\ntflags L1 net\n"
	    "header L2 eval:check_rbl('y', 'bl.example.')\ntflags L2 net\n"
	    "header U eval:no_such_function()\n"
	    "meta M U && L1\n");
	struct census census;
	ruleset_census(rules, a, &census);
	assert_int_equal(census.groups.n, 3);
	assert_int_equal(census.groups.v[0].fate, FATE_NETWORK);
	assert_str(census.groups.v[0].why, "check_rbl() asks the network");
	assert_int_equal(census.groups.v[0].rules.n, 2);
	assert_str(census.groups.v[1].why, "it needs U, which is disabled");
	assert_str(census.groups.v[2].why,
	    "the eval function no_such_function() is not built in");
	ruleset_free(rules);
	arena_free(a);
}

static void
lines_that_are_not_used_are_counted(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ruleset *rules = load(a,
	    "bayes_path /x\nbayes_path /y\n"
	    "ifplugin Mail::SpamAssassin::Plugin::NoSuch\n"
	    "body A /a/\nif (version > 9)\nbody B /b/\nendif\nscore A 2\n"
	    "else\nbody C /c/\nendif\n"
	    "if (version > 3)\nbody D /d/\nelse\nbody E /e/\nendif\n"
	    "use_bayes 1\n");
	struct census census;
	ruleset_census(rules, a, &census);
	static const struct {
		const char *what;
		size_t lines;
	} wanted[] = {
	    {"if plugin(Mail::SpamAssassin::Plugin::NoSuch)", 3},
	    {"bayes_path", 2},
	    {"else of if (version > 3)", 1},
	    {"use_bayes", 1},
	};
	assert_int_equal(census.unread.n, COUNT_OF(wanted));
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		assert_str(census.unread.v[i].what, wanted[i].what);
		assert_int_equal(census.unread.v[i].lines, wanted[i].lines);
		assert_true(census.unread.v[i].why.len > 0);
	}
	ruleset_free(rules);
	arena_free(a);
}

/* Of the rules that run, by what their functions ask. */
static void
needs_of_evals_are_told_of_rules_that_run(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ruleset *rules =
	    load(a, "header SPF eval:spf_result('fail')\n"
		    "header __MX eval:domain_no_mail('from')\n"
		    "meta USES __MX\n"
		    "header __UNUSED eval:dkim_result('none')\n"
		    "header OFF eval:dmarc_policy('none')\nscore OFF 0\n"
		    "header MANY eval:rcpt_count(100)\n"
		    "body TEXT /a/\n");
	struct census census;
	ruleset_census(rules, a, &census);
	for (size_t i = 0; i < EVAL_NEEDS; i++) {
		const struct strs *names = &census.needs[i];
		if (1u << i == NEED_DNS) {
			assert_int_equal(names->n, 2);
			assert_str(eval_need_name(i), "dns");
			assert_str(names->v[0], "SPF");
			assert_str(names->v[1], "__MX");
		} else if (1u << i == NEED_ENVELOPE) {
			assert_int_equal(names->n, 2);
			assert_str(names->v[0], "MANY");
			assert_str(names->v[1], "__MX");
		} else {
			assert_int_equal(names->n, 0);
		}
	}
	ruleset_free(rules);
	arena_free(a);
}

static void
put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* /var/lib/spamassassin has a folder a release, and an index in it. */
static void
folder_of_sa_update_is_read_as_its_newest_release(void **state)
{
	(void)state;
	char folder[] = "/tmp/postern-census.XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct arena *a = arena_new();
	const char *old = str_c(a, str_printf(a, "%s/3.004006", folder));
	const char *new = str_c(a, str_printf(a, "%s/4.000001", folder));
	const char *channel = str_c(a, str_printf(a, "%s/updates", new));
	assert_int_equal(mkdir(old, 0700), 0);
	assert_int_equal(mkdir(new, 0700), 0);
	assert_int_equal(mkdir(channel, 0700), 0);
	const char *files[] = {
	    str_c(a, str_printf(a, "%s/old.cf", old)),
	    str_c(a, str_printf(a, "%s/updates.cf", new)),
	    str_c(a, str_printf(a, "%s/10_new.cf", channel)),
	};
	put(files[0], "body OLD /old/\n");
	put(files[1], "include updates/10_new.cf\n");
	put(files[2], "body NEW /new/\n");
	struct strs paths = {0};
	strs_add(a, &paths, str_from(folder));
	struct ruleset_options options = {0};
	struct diags diags = {.arena = a};
	struct ruleset *rules = ruleset_load(&paths, &options, &diags);
	assert_int_equal(diags.n, 0);
	assert_int_equal(ruleset_counts(rules).active, 1);
	ruleset_free(rules);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		(void)unlink(files[i]);
	(void)rmdir(channel);
	(void)rmdir(old);
	(void)rmdir(new);
	(void)rmdir(folder);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_rule_has_one_fate),
    cmocka_unit_test(what_does_not_run_has_its_reason),
    cmocka_unit_test(lines_that_are_not_used_are_counted),
    cmocka_unit_test(needs_of_evals_are_told_of_rules_that_run),
    cmocka_unit_test(folder_of_sa_update_is_read_as_its_newest_release),
};
UNIT_MAIN(tests)
