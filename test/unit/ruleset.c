/* SPDX-License-Identifier: BSD-2-Clause */
/* ruleset -- rules over messages: hits, counts, scores, evidence, test lines.
 */
#include "unit.h"

#include <pthread.h>

#include "rules/eval.h"
#include "rules/ruleset.h"

struct loaded {
	struct arena *a;
	struct diags diags;
	struct ruleset *rules;
	struct rule_run run;
	struct envelope envelope;
	struct rule_result result;
};

static struct loaded
load(const char *text)
{
	struct loaded l = {.a = arena_new()};
	l.diags.arena = l.a;
	l.envelope.from = STR("alice@a.example");
	l.envelope.login = STR("alice");
	l.envelope.client_addr = l.envelope.client_name = STR_EMPTY;
	l.envelope.helo = l.envelope.queue_id = STR_EMPTY;
	l.envelope.daemon_name = STR_EMPTY;
	struct ruleset_options options = {0};
	l.rules =
	    ruleset_load_text(STR("t.cf"), str_from(text), &options, &l.diags);
	assert_int_equal(diags_count(&l.diags, DIAG_ERROR), 0);
	return l;
}

static void
unload(struct loaded *l)
{
	ruleset_free(l->rules);
	arena_free(l->a);
}

/* "A:1 B:3 | __C:2": what hit `mail` and how often; | before sub-rules. */
static struct str
hits(struct loaded *l, const char *mail)
{
	struct message *m = message_new(
	    l->a, str_from(mail), ruleset_mail_config(l->rules), &l->envelope);
	ruleset_run(l->rules, m, &l->run, &l->result);
	struct buf *b = buf_new(l->a, 10000);
	const struct rule_hits *lists[] = {&l->result.hits, &l->result.subs};
	for (int i = 0; i < 2; i++) {
		if (i == 1 && l->run.wants_subs)
			buf_put(b, STR(" |"));
		for (size_t k = 0; k < lists[i]->n; k++)
			buf_printf(b, "%s%.*s:%u", b->len > 0 ? " " : "",
			    STR_ARG(lists[i]->v[k].rule), lists[i]->v[k].count);
	}
	return buf_str(b);
}

static const struct rule_hit *
hit_of(const struct loaded *l, const char *rule)
{
	for (size_t i = 0; i < l->result.hits.n; i++)
		if (str_eq(l->result.hits.v[i].rule, str_from(rule)))
			return &l->result.hits.v[i];
	fail_msg("%s did not hit", rule);
	return NULL;
}

static const char mail[] =
    "Received: from a by b\n"
    "From: \"Alice A.\" <alice@a.example>\n"
    "To: bob@b.example, carol@c.example\n"
    "Cc: dave@d.example\n"
    "Subject: =?utf-8?q?Caf=C3=A9?= now\n"
    "X-Twice: one\n"
    "X-Twice: two\n"
    "X-Empty:\n"
    "MIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=b\n"
    "\n"
    "--b\n"
    "Content-Type: text/plain\n"
    "\n"
    "First paragraph, money money.\n"
    "\n"
    "Second paragraph with http://www.link-test.org/path and money.\n"
    "--b\n"
    "Content-Type: application/x-thing;\n\tname=\"a.exe\"\n"
    "Content-Disposition: attachment; filename=\"a.exe\"\n"
    "\n"
    "xyz\n"
    "--b--\n";

static const struct {
	const char *rules, *want;
} cases[] = {
    {"header A Subject =~ /^Caf\xc3\xa9 now$/", "A:1"},
    {"header A Subject:raw =~ /=\\?utf-8/", "A:1"},
    {"header A From:addr =~ /^alice\\@a\\.example$/", "A:1"},
    {"header A From:name =~ /^Alice A\\.$/", "A:1"},
    {"header A To:addr =~ /^carol/m", "A:1"},
    {"header A To:addr:first =~ /carol/", "A:1"},
    {"header A X-Twice:last =~ /^two/", "A:1"},
    {"header A X-Twice =~ /^one\\ntwo$/", "A:1"},
    {"header A ToCc =~ /dave/", "A:1"},
    {"header A ALL =~ /^From: .*^To: /ms", "A:1"},
    {"header A EnvelopeFrom =~ /^alice\\@a\\.example$/", "A:1"},
    {"header A X-Postern-Login =~ /^alice$/", "A:1"},
    {"header A exists:X-Twice", "A:1"},
    {"header A exists:X-Empty", "A:1"},
    {"header A exists:X-None", ""},
    {"header A X-None =~ /^$/", "A:1"}, /* absent is empty */
    {"header A X-None !~ /x/", "A:1"},
    {"header A Subject !~ /now/", ""},
    {"header A X-None =~ /^none$/ [if-unset: none]", "A:1"},
    {"header A Subject =~ /^none$/ [if-unset: none]", ""},
    {"header A X-Twice =~ /o/\ntflags A multiple", "A:2"},
    {"header A X-None !~ /o/\ntflags A multiple", "A:1"},
    {"body A /money/", "A:1"},
    {"body A /money/\ntflags A multiple", "A:3"},
    {"body A /money/\ntflags A multiple maxhits=2", "A:2"},
    {"body A /Caf/", "A:1"},
    {"body A /Caf/\ntflags A nosubject", ""},
    {"body A /paragraph.*Second/s", ""}, /* each paragraph alone */
    {"rawbody A /money\\.\\n\\nSecond/", "A:1"},
    {"full A /^Received.*--b--\\n\\z/s", "A:1"},
    {"uri A m{^http://www\\.link-test\\.org/path$}", "A:1"},
    {"uri_detail A cleaned =~ /path/ type =~ /^parsed$/", "A:1"},
    {"uri_detail A host =~ /^www\\.link-test\\.org$/ raw !~ /x-/", "A:1"},
    {"uri_detail A domain =~ /^link-test\\.org$/", "A:1"},
    {"uri_detail A cleaned =~ /path/ text =~ /./", ""}, /* no anchor */
    {"mimeheader A Content-Type =~ /x-thing/", "A:1"},
    {"mimeheader A Content-Type =~ /multipart/\ntflags A range=2-", ""},
    {"mimeheader A Content-Disposition =~ /exe/\ntflags A range=3", "A:1"},
    {"mimeheader A content-type =~ /mixed.*plain.*x-thing/s\n"
     "tflags A concat",
	"A:1"},
    {"mimeheader A ALL =~ /^Content-Disposition: attachment/m", "A:1"},
    {"mimeheader A ALL:raw =~ /^Content-Type: +\\S+; name=.a.exe.$/m", "A:1"},
    {"mimeheader A Content-Disposition:raw =~ /^ ?attachment/", "A:1"},
    {"body __A /money/\nbody __B /nothing/\nmeta C __A && !__B", "C:1"},
    {"body __A /money/\ntflags __A multiple\nmeta C __A > 2", "C:1"},
    {"body __A /money/\ntflags __A multiple\nmeta C __A > 3", ""},
    {"body A /money/\nmeta B A + A == 2\nmeta C B && !D", "A:1 B:1 C:1"},
    {"body __A /money/\nscore __A 0\nmeta C __A", ""},
    {"body __A /money/\nscore __A 0\nmeta C !__A", "C:1"},
    {"body __X_A /money/\nbody __X_B /First/\n"
     "meta C rules_matching(__X_*) == 2",
	"C:1"},
    {"meta A ()", ""},
    {"meta A 1", "A:1"},
    {"meta A 0 - 1\nmeta B A == 1", "A:1 B:1"}, /* negative counts 1 */
    {"meta A B\nmeta B A", ""},
    {"meta A local_tests_only", "A:1"},
    {"replace_tag M m[o0]ney\nbody A /<M>/\nreplace_rules A", "A:1"},
    {"body A /\\bM\xc3\x93ney/i", ""},
};

static void
rules_hit_as_in_spamassassin(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct loaded l = load(cases[i].rules);
		struct str got = hits(&l, mail);
		if (!str_eq(got, str_from(cases[i].want)))
			fail_msg("[%s]\ngot %.*s\nwant %s", cases[i].rules,
			    STR_ARG(got), cases[i].want);
		unload(&l);
	}
}

static void
scores_are_added_a_hit_and_rounded(void **state)
{
	(void)state;
	struct loaded l =
	    load("body A /money/\ntflags A multiple\nscore A 0.1\n"
		 "body B /First/\nscore B 1.2344\n"
		 "body __C /First/\nscore __C 7\n"
		 "body D /First/\nscore D -0.5\n"
		 "describe B All about B\n");
	assert_str(hits(&l, mail), "A:3 B:1 D:1");
	assert_true(l.result.score > 1.0339 && l.result.score < 1.0341);
	assert_true(hit_of(&l, "A")->score > 0.299);
	assert_str(hit_of(&l, "B")->describe, "All about B");
	l.run.wants_subs = true;
	assert_str(hits(&l, mail), "A:3 B:1 D:1 | __C:1");
	unload(&l);
}

static void
evidence_shows_what_was_found(void **state)
{
	(void)state;
	struct loaded l = load("body A /money/\n"
			       "header B Subject =~ /now/\n"
			       "header C X-None !~ /x/\n"
			       "header D exists:X-Twice\n"
			       "meta E (A || B) && !__NO\n"
			       "body __NO /nothing/\n"
			       "uri F /link/\n"
			       "body G /w.*n/\n"
			       "mimeheader H Content-Type =~ /thing/\n");
	(void)hits(&l, mail);
	assert_str(hit_of(&l, "A")->evidence, "First paragraph, money money.");
	assert_str(hit_of(&l, "B")->evidence, "Subject: Caf\xc3\xa9 now");
	assert_str(hit_of(&l, "C")->evidence, "X-None: (not there)");
	assert_str(hit_of(&l, "D")->evidence, "X-Twice: one\ntwo");
	assert_str(hit_of(&l, "E")->evidence, "A B");
	assert_true(str_find(hit_of(&l, "F")->evidence, STR("link-test.org")) !=
		    STR_NONE);
	assert_true(str_starts(
	    hit_of(&l, "H")->evidence, STR("Content-Type: application/x-")));
	unload(&l);
}

static void
long_evidence_is_cut(void **state)
{
	(void)state;
	struct loaded l = load("body A /aaa.*/\n");
	struct buf *b = buf_new(l.a, 5000);
	buf_put(b, STR("Subject: x\n\n"));
	for (int i = 0; i < 1000; i++)
		buf_putc(b, 'a');
	assert_str(hits(&l, str_c(l.a, buf_str(b))), "A:1");
	assert_int_equal(hit_of(&l, "A")->evidence.len, 200);
	unload(&l);
}

static void
a_costly_rule_is_no_match_and_is_named(void **state)
{
	(void)state;
	struct loaded l = load("body A /(?:a+)+[xy]/\nbody B /aaa/\n"
			       "meta C !A && B\n");
	struct buf *b = buf_new(l.a, 5000);
	buf_put(b, STR("Subject: x\n\n"));
	for (int i = 0; i < 1500; i++)
		buf_putc(b, 'a');
	assert_str(hits(&l, str_c(l.a, buf_str(b))), "B:1 C:1");
	assert_int_equal(l.result.troubles.n, 1);
	assert_str(l.result.troubles.v[0].rule, "A");
	assert_int_equal(l.result.troubles.v[0].kind, TROUBLE_MATCH_LIMIT);
	assert_false(l.result.is_out_of_time);
	unload(&l);
}

static bool
always(void *arg)
{
	(void)arg;
	return true;
}

static void
out_of_time_decides_nothing(void **state)
{
	(void)state;
	struct loaded l = load("body A /nothing/\nmeta B !A\nmeta C 1\n"
			       "uri D /link/\n");
	l.run.is_expired = always;
	assert_str(hits(&l, mail), "C:1"); /* B needs what was not looked at */
	assert_true(l.result.is_out_of_time);
	assert_int_equal(l.result.troubles.n, 3);
	assert_int_equal(l.result.troubles.v[0].kind, TROUBLE_TIME_BUDGET);
	unload(&l);
}

static void
a_message_without_anything_is_fine(void **state)
{
	(void)state;
	struct loaded l =
	    load("header A Subject =~ /^$/\nbody B /./\n"
		 "full C /./\nuri D /./\nrawbody E /./\n"
		 "mimeheader F Content-Type =~ /./\n"
		 "uri_detail G raw =~ /./\nheader H ALL =~ /./\n");
	(void)hits(&l, "");
	(void)hits(&l, "\n");
	unload(&l);
}

static const char test_rules[] =
    "header A Subject =~ /win/i\n"
    "test A ok you WIN\n"
    "test A ok Subject: you win\n"
    "test A fail Subjects are no help, not\\nX-Other: here\n" /* 4 */
    "test A fail lose\n"
    "header B From:addr =~ /^ceo\\@/\n"
    "test B ok The Boss <ceo@a.example>\n"
    "body C /pay\\s+now/\n"
    "test C ok please pay\\tnow\n"
    "test C ok Subject: x\\n\\nplease pay\\nnow\n"
    "test C fail From: x\\n\\npay later\n"
    "meta D A && C\n"
    "test D ok Subject: win\\n\\npay now\n"
    "test D fail Subject: win\\n\\npay later\n"
    "header E X-Postern-Login !~ /\\@a\\.example$/\n"
    "test E ok mallory@b.example\n"
    "test E fail alice@a.example\n"
    "test E ok X-Postern-Login: eve@c.example\\nFrom: x@a.example\\n\\nhi\n"
    "uri F /\\.zip$/\n"
    "test F ok http://a.example/x.zip\n"
    "test F ok Subject: x\\n\\nsee http://www.debian.org/x.zip there\n"
    "mimeheader G Content-Disposition =~ /\\.exe/\n"
    "test G ok attachment; filename=x.exe\n"
    "test G fail attachment; filename=x.txt\n"
    "header H X-Postern-Class =~ /^local$/\n"
    "test H ok X-Postern-Class: local\\n\\n\n"
    "test H fail X-Postern-Class: submission\\n\\n\n"
    "header I X-Postern-Rcpt =~ /\\@x\\.example\\n.*\\@y\\.example/\n"
    "test I ok X-Postern-Rcpt: a@x.example\\n"
    "X-Postern-Rcpt: b@y.example\\n\\n\n"
    "body J /\\x{e9}\\\\/\n"
    "test J ok \\xe9\\\\\n"
    "header K EnvelopeFrom =~ /^bounce/\n"
    "test K ok bounce@a.example\n"
    "test K ok X-Postern-From: <bounce@a.example>\\nFrom: a@a.example\\n\\n\n"
    "header L ALL =~ /^X-Odd: yes$/m\n"
    "test L ok X-Odd: yes\n"
    "header M ToCc =~ /undisclosed/\n"
    "test M ok undisclosed-recipients:;\n"
    "full N /a\\tb/\n"
    "test N ok a\\tb\n"
    "header O eval:received_within_months(6, undef)\n"
    "test O ok X-Postern-Now: 1 Aug 2020 10:00 +0000\\n"
    "Date: 1 Jan 2020 10:00 +0000\\n\\n\n"
    "test O fail X-Postern-Now: 1 Feb 2020 10:00 +0000\\n"
    "Date: 1 Jan 2020 10:00 +0000\\n\\n\n"
    "test O fail Date: 1 Jan 2020 10:00 +0000\\n\\n\n";

static void
test_lines_run_in_both_forms(void **state)
{
	(void)state;
	struct loaded l = load(test_rules);
	assert_int_equal(ruleset_test(l.rules, &l.diags), 29);
	for (size_t i = 0; i < l.diags.n; i++)
		if (l.diags.v[i].level == DIAG_ERROR)
			print_error("%u: %.*s\n", l.diags.v[i].line,
			    STR_ARG(l.diags.v[i].text));
	assert_int_equal(diags_count(&l.diags, DIAG_ERROR), 0);
	unload(&l);
}

static void
failing_test_lines_are_errors_with_their_line(void **state)
{
	(void)state;
	struct loaded l = load("body A /a/\ntest A ok b\ntest A fail a\n"
			       "test NOWHERE ok x\n"
			       "header B eval:no_such_function()\n"
			       "test B ok x\n"
			       "if 0\nbody C /c/\nendif\ntest C ok c\n");
	assert_int_equal(ruleset_test(l.rules, &l.diags), 2);
	struct buf *b = buf_new(l.a, 1000);
	for (size_t i = 0; i < l.diags.n; i++)
		buf_printf(b, "%u: %.*s\n", l.diags.v[i].line,
		    STR_ARG(l.diags.v[i].text));
	assert_str(buf_str(b),
	    "5: B: the eval function no_such_function() is not built in: the "
	    "rule is disabled\n"
	    "2: test of A: it does not hit this text\n"
	    "3: test of A: it hits this text, but should not\n"
	    "4: not tested: NOWHERE is not defined\n"
	    "6: not tested: B is disabled\n"
	    "10: not tested: C is defined in a block that is left out\n");
	unload(&l);
}

/* The manual of the rule language. */
static struct str
manual(struct arena *a)
{
	const char *srcdir = getenv("srcdir");
	struct str path = str_printf(
	    a, "%s/man/postern-rules.7", srcdir == NULL ? "." : srcdir);
	FILE *in = fopen(str_c(a, path), "r");
	assert_non_null(in);
	struct buf *b = buf_new(a, 1 << 20);
	char chunk[4096];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_put(b, str_of(chunk, n));
	(void)fclose(in);
	return buf_str(b);
}

/* The example behind the next mark in `*rest`, as pasted; empty: none. */
static struct str
next_example(struct arena *a, struct str *rest)
{
	size_t at = str_find(*rest, STR(".\\\" rules\n"));
	if (at == STR_NONE)
		return STR_EMPTY;
	*rest = str_skip(*rest, at);
	(void)str_line(rest);
	struct buf *b = buf_new(a, 10000);
	for (;;) {
		struct str line = str_line(rest);
		if (str_starts(line, STR(".Ed")))
			return buf_str(b);
		for (size_t i = 0; i < line.len; i++) {
			buf_putc(b, line.p[i]);
			if (line.p[i] == '\\')
				i++; /* \e is a backslash */
		}
		buf_putc(b, '\n');
	}
}

static void
examples_of_the_manual_work(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str rest = manual(a);
	size_t n = 0;
	for (struct str text; (text = next_example(a, &rest)).len > 0; n++) {
		struct loaded l = load(str_c(a, text));
		(void)ruleset_test(l.rules, &l.diags);
		for (size_t i = 0; i < l.diags.n; i++)
			fail_msg("%u: %.*s\n%.*s", l.diags.v[i].line,
			    STR_ARG(l.diags.v[i].text), STR_ARG(text));
		unload(&l);
	}
	assert_int_equal(n, 6);
	arena_free(a);
}

static void
the_manual_names_every_eval_function(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str text = manual(a);
	for (size_t i = 0; EVAL_CONTENT[i] != NULL; i++)
		for (const struct eval_row *row = EVAL_CONTENT[i];
		     row->name != NULL; row++)
			if (str_find(text, str_printf(a, ".It Fn %s",
					       row->name)) == STR_NONE)
				fail_msg("%s", row->name);
	for (size_t i = 0; i < EVAL_NEEDS; i++) {
		struct str name = eval_need_name(i);
		if (str_find(text,
			str_printf(a, "\n.Li %.*s", STR_ARG(name))) == STR_NONE)
			fail_msg("%.*s", STR_ARG(name));
	}
	arena_free(a);
}

/* One thread of many that run the same rule set. */
static void *
run_many(void *arg)
{
	struct ruleset *rules = arg;
	size_t n = 0;
	for (int i = 0; i < 50; i++) {
		struct arena *a = arena_new();
		struct message *m = message_new(
		    a, str_from(mail), ruleset_mail_config(rules), NULL);
		struct rule_run run = {0};
		struct rule_result result;
		ruleset_run(rules, m, &run, &result);
		n += result.hits.n;
		arena_free(a);
	}
	return (void *)n;
}

static void
threads_share_a_rule_set(void **state)
{
	(void)state;
	struct loaded l = load("body A /money/\nheader B Subject =~ /now/\n"
			       "uri C /link/\nmeta D A && B\n"
			       "full E /xyz/\nrawbody F /Second/\n"
			       "header __W From:addr =~ /(?<W>\\w+)/\n"
			       "full G /%{W}@/\n");
	pthread_t thread[4];
	for (size_t i = 0; i < COUNT_OF(thread); i++)
		assert_int_equal(
		    pthread_create(&thread[i], NULL, run_many, l.rules), 0);
	for (size_t i = 0; i < COUNT_OF(thread); i++) {
		void *n;
		assert_int_equal(pthread_join(thread[i], &n), 0);
		assert_int_equal((size_t)n, 50 * 7);
	}
	unload(&l);
}

/* A clock that ticks when it is read. */
static int64_t
tick(void)
{
	static int64_t now;
	return ++now;
}

static const struct rule_cost *
cost_of(const struct rule_costs *costs, const char *rule)
{
	for (size_t i = 0; i < costs->n; i++)
		if (str_eq(costs->v[i].rule, str_from(rule)))
			return &costs->v[i];
	fail_msg("no row: %s", rule);
	return NULL;
}

static void
costs_are_told_a_rule_and_apart_for_what_is_done_for_many(void **state)
{
	(void)state;
	static const struct {
		const char *rule, *type;
		unsigned line;
		bool has_regex, has_cost;
		uint64_t strings, hits;
	} rows[] = {
	    /* on the subject, too */
	    {"HIT", "body", 1, true, true, 4, 2},
	    {"MISS", "header", 2, true, true, 2, 0},
	    {"BOTH", "meta", 3, false, true, 0, 0},
	    {"EVAL", "eval", 4, false, true, 0, 0},
	    {"OFF", "body", 5, true, false, 0, 0},
	    {"<body text>", "view", 0, false, true, 0, 0},
	    {"<header values>", "view", 0, false, true, 0, 0},
	    {"<links>", "view", 0, false, false, 0, 0},
	    {"<body prefilter>", "prefilter", 0, false, false, 0, 0},
	};
	struct loaded l =
	    load("body HIT /body text/\n"
		 "header MISS Subject =~ /nowhere/\n"
		 "meta BOTH HIT && MISS\n"
		 "body EVAL eval:check_blank_line_ratio('1','2','3')\n"
		 "body OFF /body/\nscore OFF 0\n");
	struct rule_costs *costs = rule_costs_new(l.a, l.rules, tick);
	l.run.costs = costs;
	for (int i = 0; i < 2; i++)
		(void)hits(&l, "Subject: a\n\nbody text\n");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct rule_cost *cost = cost_of(costs, rows[i].rule);
		bool is_rule = rows[i].line > 0;
		print_message("%s\n", rows[i].rule);
		assert_str(cost->type, rows[i].type);
		assert_str(cost->file, is_rule ? "t.cf" : "");
		assert_int_equal(cost->line, rows[i].line);
		assert_int_equal(cost->has_regex, rows[i].has_regex);
		assert_int_equal(cost->ns > 0, rows[i].has_cost);
		assert_int_equal(cost->strings, rows[i].strings);
		assert_int_equal(cost->hits, rows[i].hits);
	}
	unload(&l);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rules_hit_as_in_spamassassin),
    cmocka_unit_test(scores_are_added_a_hit_and_rounded),
    cmocka_unit_test(evidence_shows_what_was_found),
    cmocka_unit_test(long_evidence_is_cut),
    cmocka_unit_test(a_costly_rule_is_no_match_and_is_named),
    cmocka_unit_test(out_of_time_decides_nothing),
    cmocka_unit_test(a_message_without_anything_is_fine),
    cmocka_unit_test(test_lines_run_in_both_forms),
    cmocka_unit_test(failing_test_lines_are_errors_with_their_line),
    cmocka_unit_test(examples_of_the_manual_work),
    cmocka_unit_test(the_manual_names_every_eval_function),
    cmocka_unit_test(threads_share_a_rule_set),
    cmocka_unit_test(costs_are_told_a_rule_and_apart_for_what_is_done_for_many),
};
UNIT_MAIN(tests)
