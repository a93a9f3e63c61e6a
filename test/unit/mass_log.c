/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_log -- what is written comes back, and nothing that was cut short. */
#include "unit.h"

#include "base/table.h"
#include "cmd/rulework/mass_log.h"

static struct str
line_of(struct arena *a, const struct mass_record *record)
{
	struct buf *b = buf_new(a, 100000);
	mass_record_put(b, record);
	return buf_str(b);
}

static struct mass_record
mail_record(void)
{
	struct mass_record record = mass_record_new(MASS_SPAM, STR("abc"));
	record.class = STR("submission");
	record.score = 4.125;
	record.size = 1200;
	record.us = 900;
	record.hits = STR("ONE,TWO*3");
	record.file = STR("a b=\\\n\0\xff.");
	return record;
}

static void
every_byte_of_a_name_comes_back(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass_record record = mail_record(), back;
	struct str line = line_of(a, &record);
	assert_str(line,
	    "spam rules=abc class=submission score=4.125 size=1200 us=900 "
	    "hits=ONE,TWO*3 file=a\\x20b=\\x5c\\x0a\\x00\\xff. .\n");
	assert_true(
	    mass_record_parse(a, str_sub(line, 0, line.len - 1), &back));
	assert_int_equal(back.word, MASS_SPAM);
	assert_true(str_eq(back.file, record.file));
	assert_str(back.hits, "ONE,TWO*3");
	assert_true(back.score == record.score && back.size == record.size);
	assert_str(back.why, "");
	arena_free(a);
}

static void
a_line_that_was_cut_short_is_no_record(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass_record record = mail_record(), back;
	struct str line = line_of(a, &record);
	for (size_t n = 0; n + 1 < line.len; n++)
		assert_false(mass_record_parse(a, str_sub(line, 0, n), &back));
	arena_free(a);
}

static void
other_lines_are_no_records(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass_record back;
	static const struct {
		const char *line;
		bool is_record;
	} rows[] = {
	    {"fail rules=a why=no file=x .", true},
	    {"fail rules=a why=no later=key file=x .", true},
	    {"fail rules=a why=no file= .", true},
	    {"fail rules=a why=no .", false},
	    {"fail rules=a why=no file=x  .", false},
	    {"fail rules=a why=no file=\\x2 .", false},
	    {"fail rules=a why=no file .", false},
	    {"other rules=a why=no file=x .", false},
	    {"cost rules=a name=x ns=12 messages=1 .", true},
	    {"cost rules=a name=x ns=-1 messages=1 .", false},
	    {"cost rules=a name=x ns=1e3 messages=1 .", false},
	    {"rule rules=a name=x type=body score=nan flags= .", false},
	    {" .", false},
	    {"", false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (mass_record_parse(a, str_from(rows[i].line), &back) !=
		    rows[i].is_record)
			fail_msg("%s", rows[i].line);
	arena_free(a);
}

static void
hits_are_cut_one_by_one(void **state)
{
	(void)state;
	static const char *const broken[] = {
	    ",A", "*2", "A*0", "A*x", "A*4294967296", "A*1*2"};
	struct str hits = STR("ONE,__TWO*3"), name;
	unsigned count;
	assert_true(mass_hit_cut(&hits, &name, &count));
	assert_str(name, "ONE");
	assert_int_equal(count, 1);
	assert_true(mass_hit_cut(&hits, &name, &count));
	assert_str(name, "__TWO");
	assert_int_equal(count, 3);
	assert_int_equal(hits.len, 0);
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		hits = str_from(broken[i]);
		assert_false(mass_hit_cut(&hits, &name, &count));
	}
}

static void
a_maildir_file_is_known_again(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	static const struct {
		const char *file, *key;
	} rows[] = {
	    {"box/new/1.a.b", "box/cur/1.a.b"},
	    {"box/cur/1.a.b:2,", "box/cur/1.a.b"},
	    {"box/cur/1.a.b:2,RS", "box/cur/1.a.b"},
	    {"box:2,x/1", "box:2,x/1"},
	    {"new/1", "new/1"},
	    {"/new/1", "/cur/1"},
	    {"box/renew/1", "box/renew/1"},
	    {"mbox:12", "mbox:12"},
	    {"1:2,S", "1"},
	    {"", ""},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_str(mass_key(a, str_from(rows[i].file)), rows[i].key);
	arena_free(a);
}

#define RULE(hash, name, score, flags)                             \
	"rule rules=" hash " name=" name " type=body score=" score \
	" flags=" flags " .\n"
#define START(hash) \
	"start rules=" hash " version=1 date=2026-11-30T10:12:00Z subs=no .\n"
#define MAIL(word, hash, hits, file)                                        \
	word " rules=" hash " class=local score=1.5 size=7 us=8 hits=" hits \
	     " file=" file " .\n"

static const char two_sets[] =
    RULE("aa1", "OLD", "1", "") START("aa1") MAIL("ham", "aa1", "OLD", "x")
	RULE("bb2", "ONE", "1.5", "") RULE("bb2", "KIND", "-1", "net\\x20nice")
	    START("bb2") MAIL("ham", "bb2", "ONE", "box/new/1")
		MAIL("spam", "bb2", "ONE*2,GONE", "2")
		    MAIL("spam", "bb2", "ONE,ONE",
			"twice") "fail rules=bb2 why=late file=3 .\n"
				 "cost rules=bb2 name=ONE ns=500 messages=4 .\n"
				 "cost rules=bb2 name=ONE ns=100 messages=2 .\n"
				 "spam rules=bb2 class=lo\n" /* cut short */
    MAIL("spam", "bb2", "-", "box/cur/1:2,S") MAIL("ham", "bb2", "ONE",
	"3") "fail rules=bb2 why=late file=4 .\n"
	     "ham rules=bb2 class=local score=1 size=7 us=8 hits=ONE file=5";

static const struct mass_rule *
rule_named(const struct mass *mass, const char *name)
{
	for (size_t i = 0; i < mass->rules.n; i++)
		if (str_eq(mass->rules.v[i].name, str_from(name)))
			return &mass->rules.v[i];
	return NULL;
}

static void
the_last_record_of_a_file_counts(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	assert_true(mass_read(a, STR(two_sets), STR_EMPTY, &mass));
	assert_str(mass.hash, "bb2");
	assert_int_equal(mass.count[0], 1); /* 3, which had failed */
	assert_int_equal(mass.count[1], 2); /* 1, which was ham, and 2 */
	assert_int_equal(mass.failed, 1);
	assert_int_equal(mass.others, 3);
	assert_int_equal(mass.broken, 3);
	const struct mass_rule *one = rule_named(&mass, "ONE");
	assert_int_equal(one->hits[0], 1);
	assert_int_equal(one->hits[1], 1);
	assert_int_equal(one->ns, 600);
	assert_int_equal(one->ns_messages, 6);
	assert_true(one->score == 1.5 && !one->is_nice);
	assert_true(rule_named(&mass, "KIND")->is_nice);
	assert_int_equal(rule_named(&mass, "GONE")->hits[1], 1);
	assert_true(table_has(mass.by_file, STR("box/cur/1")));
	assert_false(table_has(mass.by_file, STR("4")));
	arena_free(a);
}

static void
a_rule_set_is_asked_for_by_the_beginning_of_its_hash(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct mass mass;
	assert_true(mass_read(a, STR(two_sets), STR("aa"), &mass));
	assert_str(mass.hash, "aa1");
	assert_int_equal(mass.count[0], 1);
	assert_null(rule_named(&mass, "ONE"));
	assert_false(mass_read(a, STR(two_sets), STR("c"), &mass));
	assert_false(mass_read(a, STR_EMPTY, STR_EMPTY, &mass));
	arena_free(a);
}

static void
a_log_is_told_from_other_files(void **state)
{
	(void)state;
	assert_true(mass_is_log(STR_EMPTY));
	assert_true(mass_is_log(STR("start rules=0af1 version=0.1.0")));
	assert_true(mass_is_log(STR("\nrule rules=")));
	assert_false(mass_is_log(STR("\n")));
	assert_false(mass_is_log(STR("start\nrules=0af1\n")));
	assert_false(mass_is_log(STR("Subject: spam rules=0af1\n")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_log_is_told_from_other_files),
    cmocka_unit_test(every_byte_of_a_name_comes_back),
    cmocka_unit_test(a_line_that_was_cut_short_is_no_record),
    cmocka_unit_test(other_lines_are_no_records),
    cmocka_unit_test(hits_are_cut_one_by_one),
    cmocka_unit_test(a_maildir_file_is_known_again),
    cmocka_unit_test(the_last_record_of_a_file_counts),
    cmocka_unit_test(a_rule_set_is_asked_for_by_the_beginning_of_its_hash),
};

UNIT_MAIN(tests)
