/* SPDX-License-Identifier: BSD-2-Clause */
/* local_domains -- our domains, and the files that lists of them come from. */
#include "unit.h"

#include "auth/lines.h"
#include "auth/local_domains.h"
#include "base/diag.h"

/* A file with `text` for as long as the test runs. */
static struct str
file_of(struct arena *a, const char *text)
{
	char *path = str_c(a, STR("/tmp/postern-lines-XXXXXX"));
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	return str_from(path);
}

static void
file_remove(struct arena *a, struct str path)
{
	(void)unlink(str_c(a, path));
}

static const struct {
	const char *label, *text, *want;
} texts[] = {
    {"lines with their numbers", "a\nb c\n", "1:a|2:b c|"},
    {"no line end", "a\nb", "1:a|2:b|"},
    {"empty lines and comments", "\n# x\na\n  # y\n\t\nb\n", "3:a|6:b|"},
    {"a # that is no comment", "a # b\n", "1:a # b|"},
    {"a line that goes on", "a:\n b,\n\tc\nd\n", "1:a: b, c|4:d|"},
    {"comments within", "a\n# x\n\n b\n", "1:a b|"},
    {"one that goes on from nothing", " a\n b\n", "1:a b|"},
    {"CRLF", "a\r\n b\r\n\r\n#x\r\nc\r\n", "1:a b|5:c|"},
    {"blanks at the end", "a \t\n", "1:a|"},
    {"nothing", "", ""},
    {"only comments", "#a\n#b", ""},
};

static void
reads_lines_as_postfix_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct arena *a = arena_new();
		struct lines lines = {0};
		struct buf *b = buf_new(a, 1000);
		lines_of_text(a, STR("f"), str_from(texts[i].text), &lines);
		for (size_t k = 0; k < lines.n; k++)
			buf_printf(b, "%u:%.*s|", lines.v[k].number,
			    STR_ARG(lines.v[k].text));
		if (!str_eq(buf_str(b), str_from(texts[i].want)))
			print_error("%s\n", texts[i].label);
		assert_str(buf_str(b), texts[i].want);
		arena_free(a);
	}
}

static void
knows_values_from_files(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct strs values = {0};
	struct lines lines = {0};
	struct str path = file_of(a, "one\n");
	strs_add(a, &values, STR(" a "));
	strs_add(a, &values, STR("/x/: a"));
	strs_add(a, &values, path);
	strs_add(a, &values, str_printf(a, "file:%.*s", STR_ARG(path)));
	strs_add(a, &values, STR("# no comment here"));
	assert_true(lines_read(a, &values,
	    &(struct option_place){.name = "an-option"}, &lines, &diags));
	assert_int_equal(lines.n, 5);
	assert_str(lines.v[0].text, "a");
	assert_str(lines.v[0].file, "an-option");
	assert_int_equal(lines.v[0].number, 0);
	assert_str(lines.v[1].text, "/x/: a");
	assert_str(lines.v[2].text, "one");
	assert_true(str_eq(lines.v[2].file, path));
	assert_int_equal(lines.v[2].number, 1);
	assert_str(lines.v[3].text, "one");
	file_remove(a, path);
	lines.n = 0;
	assert_false(lines_read(a, &values,
	    &(struct option_place){.name = "an-option"}, &lines, &diags));
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 2);
	assert_str(diags.v[0].file, "an-option");
	assert_true(str_ends(diags.v[0].text,
	    STR(" cannot be read: No such file or directory")));
	arena_free(a);
}

static const struct {
	const char *domain;
	bool is_ours;
} asked[] = {
    {"example.com", true},
    {"mail.example.com", false},
    {"com", false},
    {"badexample.com", false},
    {"example.net", false},
    {"a.example.net", true},
    {"b.a.example.net", true},
    {"badexample.net", false},
    {"xn--bcher-kva.example", true},
    {"one.test", true},
    {"two.test", true},
    {"OK", false},
    {"", false},
};

static void
knows_our_domains(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct strs values = {0};
	struct str path =
	    file_of(a, "# ours\none.test OK\ntwo.test\tvirtual: x\n");
	strs_add(a, &values, STR("Example.COM."));
	strs_add(a, &values, STR(".Example.net"));
	strs_add(a, &values, STR("b\xc3\xbc\x63her.example"));
	strs_add(a, &values, path);
	struct local_domains *set = local_domains_new(a);
	assert_true(local_domains_is_empty(set));
	assert_true(local_domains_load(
	    set, &values, &(struct option_place){.name = "domains"}, &diags));
	assert_false(local_domains_is_empty(set));
	for (size_t i = 0; i < COUNT_OF(asked); i++)
		assert_int_equal(
		    local_domains_has(set, str_from(asked[i].domain)),
		    asked[i].is_ours);
	file_remove(a, path);
	arena_free(a);
}

static void
says_which_line_is_no_domain(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct strs values = {0};
	struct str path = file_of(a, "a.test\n\nb..test x\n");
	strs_add(a, &values, path);
	strs_add(a, &values, STR("@c.test"));
	strs_add(a, &values, STR("."));
	struct local_domains *set = local_domains_new(a);
	assert_false(local_domains_load(
	    set, &values, &(struct option_place){.name = "domains"}, &diags));
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 3);
	assert_true(str_eq(diags.v[0].file, path));
	assert_int_equal(diags.v[0].line, 3);
	assert_str(diags.v[0].text, "\"b..test\" is not a domain");
	assert_str(diags.v[1].file, "domains");
	assert_str(diags.v[1].text, "\"@c.test\" is not a domain");
	assert_str(diags.v[2].text, "\".\" is not a domain");
	file_remove(a, path);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_lines_as_postfix_does),
    cmocka_unit_test(knows_values_from_files),
    cmocka_unit_test(knows_our_domains),
    cmocka_unit_test(says_which_line_is_no_domain),
};
UNIT_MAIN(tests)
