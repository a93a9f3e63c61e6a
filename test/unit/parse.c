/* SPDX-License-Identifier: BSD-2-Clause */
/* parse -- rule files: lines, blocks, redefinition, what is said about them. */
#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>

#include "rules/replace.h"
#include "rules/rule.h"

struct loaded {
	struct arena *a;
	struct diags diags;
	struct ruleset *rules;
};

static struct loaded
load(const char *text)
{
	struct loaded l = {.a = arena_new()};
	l.diags.arena = l.a;
	struct ruleset_options options = {0};
	l.rules =
	    ruleset_load_text(STR("t.cf"), str_from(text), &options, &l.diags);
	return l;
}

static void
unload(struct loaded *l)
{
	ruleset_free(l->rules);
	arena_free(l->a);
}

static struct rule *
rule_of(struct loaded *l, const char *name)
{
	struct rule *rule = rule_get(l->rules, str_from(name));
	assert_non_null(rule);
	return rule;
}

/* "error 3: text" and so on, one a line, of at least `level`. */
static struct str
said(struct loaded *l, enum diag_level level)
{
	struct buf *b = buf_new(l->a, 100000);
	for (size_t i = 0; i < l->diags.n; i++)
		if (l->diags.v[i].level >= level)
			buf_printf(b, "%s %u: %.*s\n",
			    diag_level_word(l->diags.v[i].level),
			    l->diags.v[i].line, STR_ARG(l->diags.v[i].text));
	return buf_str(b);
}

static void
lines_are_read_as_spamassassin_does(void **state)
{
	(void)state;
	struct loaded l = load("  # a comment\n"
			       "\n"
			       "BODY A /x\\#y/ # the rest is comment\n"
			       "\tbody\tB   /b/i\t\n"
			       "describe A  two  words \n"
			       "replace-tag X y\n"
			       "header C Subject =~ /c/\r\n"
			       "lang en body D /d/\n"
			       "lang de body E /e/\n"
			       "lang en_GB body E /e/\n");
	assert_str(said(&l, DIAG_WARNING), "");
	assert_str(rule_of(&l, "A")->text, "/x#y/");
	assert_str(rule_of(&l, "A")->describe, "two  words");
	assert_int_equal(rule_of(&l, "A")->place.line, 3);
	assert_str(rule_of(&l, "A")->place.file, "t.cf");
	assert_str(rule_of(&l, "B")->text, "/b/i");
	assert_int_equal(rule_of(&l, "C")->type, RULE_HEADER);
	assert_int_equal(rule_of(&l, "D")->type, RULE_BODY);
	assert_int_equal(rule_of(&l, "E")->type, RULE_NONE);
	unload(&l);
}

static void
the_last_definition_counts(void **state)
{
	(void)state;
	struct loaded l = load("header A exists:X\n"
			       "tflags A multiple maxhits=3\n"
			       "score A 5\n"
			       "body A /a/\n"
			       "tflags A nice\n"
			       "describe A one\n"
			       "describe A two\n");
	assert_int_equal(l.rules->rules.n, 1);
	const struct rule *rule = rule_of(&l, "A");
	assert_int_equal(rule->type, RULE_BODY);
	assert_false(rule->is_exists);
	assert_false(rule->flags.is_multiple);
	assert_true(rule->flags.is_nice);
	assert_true(rule->score == 5);
	assert_str(rule->describe, "two");
	unload(&l);
}

static void
scores_have_defaults_and_sets(void **state)
{
	(void)state;
	struct loaded l = load("body A /a/\nbody B /b/\ntflags B nice\n"
			       "body T_C /c/\nbody D /d/\nscore D 1 2 3 4\n"
			       "score D (0.5)\nbody E /e/\nscore E -1.5\n"
			       "body __F /f/\nbody G /g/\nscore G 0\n");
	assert_true(rule_of(&l, "A")->score == 1);
	assert_true(rule_of(&l, "B")->score == -1);
	assert_true(rule_of(&l, "T_C")->score == 0.01);
	assert_true(rule_of(&l, "D")->score == 1.5);
	assert_true(rule_of(&l, "D")->scores[3] == 4.5);
	assert_true(rule_of(&l, "E")->score == -1.5);
	assert_true(rule_of(&l, "__F")->score == 1);
	assert_true(rule_of(&l, "G")->score == 0);
	struct ruleset_counts counts = ruleset_counts(l.rules);
	assert_int_equal(counts.rules, 7);
	assert_int_equal(counts.active, 5); /* not __F, not G */
	assert_str(said(&l, DIAG_NOTE), "");
	unload(&l);
}

static void
blocks_are_read_if_their_condition_holds(void **state)
{
	(void)state;
	struct loaded l = load("if (version >= 3.004000)\n"
			       " body A /a/\n"
			       " if (version < 3)\n"
			       "  body B /b/\n"
			       "  if (version > 3)\n"
			       "   body B /b/\n"
			       "  else\n"
			       "   body B /b/\n"
			       "  endif\n"
			       " else\n"
			       "  body C /c/\n"
			       " endif\n"
			       "else\n"
			       " body B /b/\n"
			       "endif\n"
			       "ifplugin Mail::SpamAssassin::Plugin::Nothing\n"
			       " body B /b/\n"
			       " nonsense\n"
			       "endif\n"
			       "body D /d/\n");
	assert_str(said(&l, DIAG_WARNING), "");
	assert_int_equal(l.rules->rules.n, 3);
	assert_str(l.rules->rules.v[0]->name, "A");
	assert_str(l.rules->rules.v[1]->name, "C");
	assert_str(l.rules->rules.v[2]->name, "D");
	assert_str(said(&l, DIAG_NOTE),
	    "note 16: left out: if plugin(Mail::SpamAssassin::Plugin::Nothing) "
	    "does not hold here\n");
	unload(&l);
}

/* One line that is wrong, and what is said about it. */
static const struct {
	const char *text, *want;
} wrong[] = {
    {"boddy A /a/", "error 1: unknown directive boddy\n"},
    {"body", "error 1: a rule name is missing\n"},
    {"body A", "error 1: A has no definition\n"},
    {"body 1A /a/", "error 1: 1A is no rule name: use A-Z, 0-9 and _\n"},
    {"body A-B /a/", "error 1: A-B is no rule name: use A-Z, 0-9 and _\n"},
    {"body A a",
	"error 1: A: a regular expression must be written /like this/ or "
	"m{like this}: the rule is disabled\n"},
    {"body A /(/",
	"error 1: A: missing closing parenthesis (at byte 1): the rule is "
	"disabled\n"},
    {"body A /a/g",
	"error 1: A: a modifier behind the regular expression is not one of i "
	"m s x n p a: the rule is disabled\n"},
    {"body A /a|/", "warning 1: A: the regular expression matches "
		    "everything: it starts or ends with |\n"},
    {"body A /x%{FROM}y/", ""},
    {"body A /100%{2}x|\\%\\{A}/", ""},
    {"body A /x\\%{A}/",
	"error 1: A: an unescaped {: write \\{ (at byte 3): the rule is "
	"disabled\n"},
    {"header A Subject",
	"error 1: A: write: header RULE Name =~ /regex/, or: header RULE "
	"exists:Name: the rule is disabled\n"},
    {"header A From:frob =~ /a/",
	"warning 1: A: From:frob is not supported: the rule is disabled\n"},
    {"header A X-Spam-Relays-External =~ /a/", ""},
    {"trusted_networks !10.1.2.3 10.1/16 [2001:db8::1] 10.0.0.0/255.0.0.0", ""},
    {"trusted_networks 10.1/16 !10.1.2.3 127.1/16",
	"warning 1: trusted_networks: !10.1.2.3 changes nothing: 10.1/16 comes "
	"first\n"
	"warning 1: trusted_networks: 127.1/16 changes nothing: 127.0.0.0/8 "
	"comes "
	"first\n"},
    {"trusted_networks 10.1/16\nclear_trusted_networks\n"
     "trusted_networks !10.1/16 10.1.2.3",
	"warning 3: trusted_networks: 10.1.2.3 changes nothing: !10.1/16 comes "
	"first\n"},
    {"trusted_networks 10.0.0.0/33",
	"error 1: trusted_networks: 10.0.0.0/33 is no network: write "
	"192.0.2.1, 10.1/16 or 2001:db8::/32\n"},
    {"internal_networks", "error 1: internal_networks: networks are wanted\n"},
    {"trusted_networks 192.0.2.\ninternal_networks 192.0.2.1 192.0/16",
	"warning 2: internal_networks: 192.0/16 is left out: it is not in "
	"trusted_networks\n"},
    {"clear_msa_networks 10.", "error 1: clear_msa_networks stands alone\n"},
    {"header A eval:no_such_function('x')",
	"warning 1: A: the eval function no_such_function() is not built in: "
	"the rule is disabled\n"},
    {"header A eval:no_such_function('x",
	"error 1: A: write: eval:function('argument', ...): the rule is "
	"disabled\n"},
    {"mimeheader A Content-Type !~ /a/",
	"warning 1: A: !~ hits every message, as in SpamAssassin: use =~ and ! "
	"in a meta\n"},
    {"uri_detail A colour =~ /a/",
	"error 1: A: write: uri_detail RULE key =~ /regex/ ...; keys are raw "
	"type cleaned text domain host: the rule is disabled\n"},
    {"meta A B C",
	"error 1: A: an operator is missing before C: the rule is disabled\n"},
    {"meta A rules_matching(B[12])",
	"error 1: A: rules_matching() wants the name of a rule, with * and ? "
	"for what may differ: the rule is disabled\n"},
    {"meta A 1 / B",
	"error 1: A: it divides by zero when nothing hits: the rule is "
	"disabled\n"},
    {"meta A B || NOWHERE\nbody B /b/",
	"warning 1: A: not defined, so it counts 0: NOWHERE\n"},
    {"adsp_override a.example strict",
	"error 1: write: adsp_override domain [discardable, all, unknown, "
	"nxdomain or custom_low, _med, _high]\n"},
    {"score A x", "error 1: score A: 1 or 4 decimal numbers are wanted\n"},
    {"score A 1 2", "error 1: score A: 1 or 4 decimal numbers are wanted\n"},
    {"score A (1)",
	"error 1: score A: nothing was set that (n) could change\n"},
    {"score A 1e3", "error 1: score A: 1 or 4 decimal numbers are wanted\n"},
    {"score A 1.", "error 1: score A: 1 or 4 decimal numbers are wanted\n"},
    {"priority A high",
	"error 1: priority A: a whole number up to 1000000 is wanted\n"},
    {"describe A", "error 1: nothing stands behind A\n"},
    {"test A maybe x",
	"error 1: write: test RULE ok TEXT, or: test RULE fail TEXT\n"},
    {"if (version > 3", "error 1: the condition cannot be read, so it does "
			"not hold: a ) is missing\n"
			"warning 1: this if has no endif: it ends with the "
			"file\n"},
    {"if", "error 1: a condition is missing\n"
	   "warning 1: this if has no endif: it ends with the file\n"},
    {"else", "error 1: else without if\n"},
    {"endif", "error 1: endif without if\n"},
    {"if version > 3\nelse\nelse\nendif", "error 3: a second else\n"},
    {"replace_tag A", "error 1: a tag name and what stands for it are "
		      "wanted\n"},
    {"replace_rules", "error 1: replace_rules needs rule names\n"},
    {"util_rb_2tld com", "error 1: com has not 2 labels\n"},
    {"clear_util_rb x", "error 1: clear_util_rb stands alone\n"},
    {"include", "error 1: include needs a file name\n"},
    {"include /no/such/file.cf", "error 1: /no/such/file.cf cannot be read: "
				 "No such file or directory\n"},
    {"include t.cf", "error 1: include t.cf: this file is being read "
		     "already\n"},
    {"require_version 3.0\nnonsense",
	"warning 1: the rest of this file is for SpamAssassin 3.0 and is not "
	"read: this is the language of 4.000001\n"},
    {"require_version @@VERSION@@\nrequire_version 4.000001", ""},
    {"body_part_scan_size many",
	"error 1: a number of bytes up to 10000000 is wanted\n"},
};

static void
what_is_wrong_is_said_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct loaded l = load(wrong[i].text);
		struct str got = said(&l, DIAG_WARNING);
		if (!str_eq(got, str_from(wrong[i].want)))
			fail_msg("[%s]\ngot  %.*s\nwant %s", wrong[i].text,
			    STR_ARG(got), wrong[i].want);
		unload(&l);
	}
}

static void
what_is_not_used_is_noted_once_a_file(void **state)
{
	(void)state;
	struct loaded l = load("bayes_auto_learn 1\n"
			       "bayes_auto_learn 0\n"
			       "report hello\n"
			       "score NOWHERE 1\n"
			       "askdns A _X_ TXT /a/\n"
			       "header B rbleval:check_rbl('x', 'y')\n"
			       "header C eval:check_for_spf_pass()\n"
			       "tflags C net\n"
			       "meta D !A && !B && !C\n");
	assert_str(said(&l, DIAG_NOTE),
	    "note 1: bayes_auto_learn is not used: there is no Bayes filter\n"
	    "note 3: report is not used: reports and headers are set in "
	    "postern.conf\n"
	    "note 4: NOWHERE is not defined\n"
	    "note 5: A: it asks the network: it counts 0, as in "
	    "SpamAssassin\n"
	    "note 6: B: the eval function check_rbl() is not built in: it "
	    "counts 0, as in SpamAssassin\n"
	    "note 7: C: the eval function check_for_spf_pass() is not built "
	    "in: it counts 0, as in SpamAssassin\n");
	assert_int_equal(rule_of(&l, "D")->state, RULE_SOUND);
	unload(&l);
}

static void
names_of_blocks_that_are_left_out_are_noted(void **state)
{
	(void)state;
	struct loaded l = load("meta A B || NOWHERE || C || D || E\n"
			       "if can(Nothing::at_all)\n"
			       "body B /b/\nuri C /c/\nmeta D B\n"
			       "askdns E x TXT /x/\nscore NOWHERE 1\n"
			       "endif\n");
	assert_str(said(&l, DIAG_NOTE),
	    "note 2: left out: if can(Nothing::at_all) does not hold here\n"
	    "warning 1: A: not defined, so it counts 0: NOWHERE\n"
	    "note 1: A: defined in a block that is left out, so it counts 0: B "
	    "C D E\n");
	unload(&l);
}

static void
a_disabled_rule_takes_what_needs_it_along(void **state)
{
	(void)state;
	struct loaded l = load("meta A B || X\n"
			       "meta B C && !C\n"
			       "header C eval:no_such_function()\n"
			       "body X /x/\n"
			       "meta Y X\n"
			       "header Z eval:no_such_function()\n"
			       "score Z 0\n"
			       "meta Q X && !Z\n");
	assert_int_equal(rule_of(&l, "A")->state, RULE_DISABLED);
	assert_int_equal(rule_of(&l, "B")->state, RULE_DISABLED);
	assert_int_equal(rule_of(&l, "X")->state, RULE_SOUND);
	assert_int_equal(rule_of(&l, "Y")->state, RULE_SOUND);
	assert_int_equal(rule_of(&l, "Q")->state, RULE_SOUND);
	assert_int_equal(ruleset_counts(l.rules).disabled, 4);
	assert_true(
	    str_find(said(&l, DIAG_WARNING),
		STR("1: A: it needs B, which is disabled")) != STR_NONE);
	unload(&l);
}

static void
circles_count_nothing(void **state)
{
	(void)state;
	struct loaded l = load("meta A B\nmeta B C\nmeta C A || D\n"
			       "meta D 1\nmeta E A || D\nmeta F D\n"
			       "meta G G\n");
	static const char *const cyclic[] = {"A", "B", "C", "E", "G"};
	for (size_t i = 0; i < COUNT_OF(cyclic); i++)
		assert_true(rule_of(&l, cyclic[i])->is_cyclic);
	assert_false(rule_of(&l, "D")->is_cyclic);
	assert_false(rule_of(&l, "F")->is_cyclic);
	assert_int_equal(diags_count(&l.diags, DIAG_WARNING), 5);
	unload(&l);
}

static void
tags_are_replaced(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *want;
	} patterns[] = {
	    {"<A><B>", "[a@]b+"},
	    {"x<A>y", "x[a@]y"},
	    {"<NO>", "<NO>"},
	    {"(?<!<A>)<B>", "(?<![a@])b+"},
	    {"(?<=x)<A>", "(?<=x)[a@]"},
	    {"<N>", "-[a@]-"}, /* a tag with a tag in it */
	    {"<inter W><A><B>", "[a@]\\W?b+"},
	    {"<inter W><A>x<B>", "[a@]xb+"},
	    {"<post P><A><B>", "[a@]{1,2}b+{1,2}"},
	    {"<pre Q><A><B>", "(?=q)[a@](?=q)b+"},
	    {"<post P><inter W><A><B>", "[a@]{1,2}\\W?b+{1,2}"},
	    {"<post NO><A>", "[a@]"},
	    {"<>", "<>"},
	    {"<", "<"},
	};
	struct arena *a = arena_new();
	struct replace_tags *tags = replace_tags_new(a);
	replace_tags_set(tags, REPLACE_TAG, STR("A"), STR("[a@]"));
	replace_tags_set(tags, REPLACE_TAG, STR("B"), STR("b+"));
	replace_tags_set(tags, REPLACE_TAG, STR("N"), STR("-<A>-"));
	replace_tags_set(tags, REPLACE_INTER, STR("W"), STR("\\W?"));
	replace_tags_set(tags, REPLACE_POST, STR("P"), STR("{1,2}"));
	replace_tags_set(tags, REPLACE_PRE, STR("Q"), STR("(?=q)"));
	for (size_t i = 0; i < COUNT_OF(patterns); i++)
		assert_str(
		    replace_apply(a, tags, str_from(patterns[i].pattern)),
		    patterns[i].want);
	arena_free(a);
}

static void
tags_that_grow_are_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct replace_tags *tags = replace_tags_new(a);
	struct buf *b = buf_new(a, 100000);
	for (int i = 0; i < 1000; i++)
		buf_put(b, STR("<A>"));
	replace_tags_set(tags, REPLACE_TAG, STR("A"), buf_str(b));
	assert_true(replace_apply(a, tags, STR("<A>")).len <= REPLACE_BYTES);
	arena_free(a);
}

static void
write_file(struct arena *a, struct str dir, const char *name, const char *text)
{
	FILE *out =
	    fopen(str_c(a, str_printf(a, "%.*s/%s", STR_ARG(dir), name)), "w");
	assert_non_null(out);
	(void)fputs(text, out);
	(void)fclose(out);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
folders_are_read_in_name_order_and_includes_from_where_they_stand(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	char template[] = "/tmp/postern-parse-XXXXXX";
	struct str dir = str_from(mkdtemp(template));
	struct str sub = str_printf(a, "%.*s/sub", STR_ARG(dir));
	assert_int_equal(mkdir(str_c(a, sub), 0700), 0);
	write_file(a, dir, "20.cf", "score A 2\ninclude sub/deep.inc\n");
	write_file(a, dir, "10.cf", "body A /a/\nscore A 1\nif version > 9\n");
	write_file(a, dir, "15.txt", "nonsense\n");
	write_file(a, sub, "deep.inc", "endif\nbody B /b/\ninclude next.inc\n");
	write_file(a, sub, "next.inc", "body C /c/\ninclude ../20.cf\n");
	struct diags diags = {.arena = a};
	struct strs paths = {0};
	strs_add(a, &paths, dir);
	strs_add(a, &paths, STR("/no/such/folder"));
	struct ruleset_options options = {0};
	struct ruleset *rules = ruleset_load(&paths, &options, &diags);
	assert_int_equal(ruleset_counts(rules).rules, 3);
	assert_true(rule_get(rules, STR("A"))->score == 2);
	struct loaded l = {.a = a, .diags = diags};
	struct str got = said(&l, DIAG_WARNING);
	static const char *const wanted[] = {
	    "warning 3: this if has no endif",
	    "error 1: endif without if",
	    "error 0: /no/such/folder cannot be read",
	};
	for (size_t i = 0; i < COUNT_OF(wanted); i++)
		if (str_find(got, str_from(wanted[i])) == STR_NONE)
			fail_msg("%s in\n%.*s", wanted[i], STR_ARG(got));
	ruleset_free(rules);
	assert_int_equal(
	    nftw(template, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	arena_free(a);
}

static void
hostile_files_are_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, 10000000);
	for (int i = 0; i < 100; i++)
		buf_put(b, STR("if version > 3\n"));
	struct loaded l = load(str_c(a, buf_str(b)));
	assert_true(str_find(said(&l, DIAG_ERROR),
			STR("error 51: more than 50 nested ifs")) == 0);
	unload(&l);
	b->len = 0;
	for (int i = 0; i < 1000; i++)
		buf_put(b, STR("Received: from here\n"));
	l = load(str_c(a, buf_str(b)));
	assert_int_equal(diags_count(&l.diags, DIAG_ERROR), 21);
	assert_str(l.diags.v[20].text,
	    "and 980 more lines that are wrong: is this a rule file?");
	assert_int_equal(l.diags.v[20].line, 0);
	unload(&l);
	b->len = 0;
	buf_put(b, STR("body A /a"));
	for (int i = 0; i < 2000000; i++)
		buf_putc(b, 'a');
	buf_put(b, STR("/\nbody B /b/\n"));
	l = load(str_c(a, buf_str(b)));
	assert_str(said(&l, DIAG_ERROR),
	    "error 1: a line of more than 1 MiB is not read\n");
	assert_int_equal(l.rules->rules.n, 1);
	unload(&l);
	/* A long chain of metas, in the order that is worst for recursion. */
	b->len = 0;
	for (int i = 0; i < 50000; i++)
		buf_printf(b, "meta M%d M%d\n", i, i + 1);
	buf_put(b, STR("meta M50000 1\n"));
	l = load(str_c(a, buf_str(b)));
	assert_str(said(&l, DIAG_NOTE), "");
	assert_int_equal(ruleset_counts(l.rules).active, 50001);
	unload(&l);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_are_read_as_spamassassin_does),
    cmocka_unit_test(the_last_definition_counts),
    cmocka_unit_test(scores_have_defaults_and_sets),
    cmocka_unit_test(blocks_are_read_if_their_condition_holds),
    cmocka_unit_test(what_is_wrong_is_said_with_its_line),
    cmocka_unit_test(what_is_not_used_is_noted_once_a_file),
    cmocka_unit_test(names_of_blocks_that_are_left_out_are_noted),
    cmocka_unit_test(a_disabled_rule_takes_what_needs_it_along),
    cmocka_unit_test(circles_count_nothing),
    cmocka_unit_test(tags_are_replaced),
    cmocka_unit_test(tags_that_grow_are_bounded),
    cmocka_unit_test(
	folders_are_read_in_name_order_and_includes_from_where_they_stand),
    cmocka_unit_test(hostile_files_are_bounded),
};
UNIT_MAIN(tests)
