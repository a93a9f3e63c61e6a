/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor -- lists as Postfix has them, and what is found in settings; real
 * programs and the cures are test/scenario/doctor.t's. */
#include "unit.h"

#include "cmd/doctor.h"
#include "session/config.h"

static void
splits_a_list_as_postfix_does(void **state)
{
	(void)state;
	struct str list = STR(" a,b\t{ inet:x:1, default_action=accept },,c "),
		   element;
	static const char *const want[] = {
	    "a", "b", "{ inet:x:1, default_action=accept }", "c"};
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_true(postfix_list_next(&list, &element));
		assert_str(element, want[i]);
	}
	assert_false(postfix_list_next(&list, &element));
	list = STR("{ never, closed");
	assert_true(postfix_list_next(&list, &element));
	assert_str(element, "{ never, closed");
}

static void
takes_a_word_out_of_a_list(void **state)
{
	(void)state;
	static const struct {
		const char *list, *want;
	} rows[] = {
	    {"x", ""},
	    {"a, x", "a"},
	    {"x, a", "a"},
	    {"a, x, b", "a, b"},
	    {"a X x b", "a b"},
	    {"check_policy_service inet:x:1, x",
		"check_policy_service inet:x:1"},
	    {"xx, a", "xx, a"},
	    {"", ""},
	};
	struct arena *a = arena_new();
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_str(
		    postfix_list_without(a, str_from(rows[i].list), STR("x")),
		    rows[i].want);
	arena_free(a);
}

static void
knows_a_whole_word(void **state)
{
	(void)state;
	assert_true(text_has_word(STR("imap_quota quota"), STR("quota")));
	assert_false(text_has_word(STR("imap_quota"), STR("quota")));
	assert_false(text_has_word(STR("rejectreject"), STR("reject")));
	assert_true(text_has_word(STR("reject \"no\""), STR("reject")));
	assert_false(text_has_word(STR(""), STR("reject")));
}

static void
quotes_for_a_shell(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	assert_str(doctor_shell_word(a, STR("a b")), "'a b'");
	assert_str(doctor_shell_word(a, STR("it's")), "'it'\\''s'");
	assert_str(doctor_shell_word(a, STR("'")), "''\\'''");
	assert_str(doctor_shell_word(a, STR("")), "''");
	arena_free(a);
}

/* ---- milters, however they are written */

static const struct {
	const char *claim, *master, *milters, *want;
} sockets[] = {
    {"relative to the queue", "smtp inet n - n - - smtpd",
	"unix:postern/postern.sock", ""},
    {"absolute without a chroot", "smtp inet n - n - - smtpd",
	"unix:/var/spool/postfix/postern/postern.sock", ""},
    {"from the root of a chroot", "smtp inet n - y - - smtpd",
	"unix:/postern/postern.sock", ""},
    {"absolute in a chroot", "smtp inet n - y - - smtpd",
	"unix:/var/spool/postfix/postern/postern.sock",
	"smtpd_milters = unix:postern/postern.sock"},
    {"with options, behind another", "smtp inet n - n - - smtpd",
	"inet:localhost:8891, { unix:postern/postern.sock, "
	"default_action=accept }",
	""},
    {"another one only", "smtp inet n - n - - smtpd", "inet:localhost:8891",
	"smtpd_milters = unix:postern/postern.sock, inet:localhost:8891"},
    {"an old place of ours", "smtp inet n - n - - smtpd",
	"inet:localhost:8891 unix:/run/postern.sock",
	"smtpd_milters = unix:postern/postern.sock, inet:localhost:8891"},
};

static bool
no_file(struct arena *a, struct str path, size_t max, struct str *ret)
{
	(void)a;
	(void)path;
	(void)max;
	(void)ret;
	return false;
}

static void
no_paths(struct arena *a, struct str path, struct strs *ret)
{
	(void)a;
	(void)path;
	(void)ret;
}

static struct str
cure_of(struct arena *a, const struct config *config, struct str settings,
    struct str services, const char *check)
{
	struct doctor d = {
	    .arena = a,
	    .config = config,
	    .file_text = no_file,
	    .folder_paths = no_paths,
	    .postfix.folder = STR("/etc/postfix"),
	};
	postfix_parse(&d, settings, settings, services, STR_EMPTY);
	doctor_run(&d);
	for (size_t i = 0; i < d.findings.n; i++)
		if (strcmp(d.findings.v[i].check, check) == 0)
			return d.findings.v[i].cure;
	fail_msg("there is no check %s", check);
	return STR_EMPTY;
}

static void
knows_our_socket_however_it_is_written(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct config config;
	assert_true(config_read(a, NULL, &config, &diags));
	for (size_t i = 0; i < COUNT_OF(sockets); i++) {
		struct str settings = str_printf(a,
		    "queue_directory = /var/spool/postfix\n"
		    "compatibility_level = 3.6\nsmtpd_milters = %s\n",
		    sockets[i].milters);
		struct str cure = cure_of(a, &config, settings,
		    str_from(sockets[i].master), "postfix-smtpd-milters");
		if (!str_eq(cure, str_from(sockets[i].want)))
			print_error("%s:\n", sockets[i].claim);
		assert_str(cure, sockets[i].want);
	}
	config.socket = STR("inet:8891@127.0.0.1");
	assert_str(
	    cure_of(a, &config, STR("smtpd_milters = inet:127.0.0.1:8891"),
		STR_EMPTY, "postfix-smtpd-milters"),
	    "");
	assert_str(cure_of(a, &config, STR("smtpd_milters ="), STR_EMPTY,
		       "postfix-smtpd-milters"),
	    "smtpd_milters = inet:127.0.0.1:8891");
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(splits_a_list_as_postfix_does),
    cmocka_unit_test(takes_a_word_out_of_a_list),
    cmocka_unit_test(knows_a_whole_word),
    cmocka_unit_test(quotes_for_a_shell),
    cmocka_unit_test(knows_our_socket_however_it_is_written),
};

UNIT_MAIN(tests)
