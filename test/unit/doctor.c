/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor -- lists as Postfix has them, and what is found in settings; real
 * programs and the cures are test/scenario/doctor.t's. */
#include "unit.h"

#include "auth/policy.h"
#include "cmd/doctor/doctor.h"
#include "cmd/person.h"
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

/* ---- where mail leaves from */

static const struct {
	const char *claim, *settings, *overrides, *egress, *want;
} egresses[] = {
    {"the address it is bound to",
	"inet_protocols = ipv4\nsmtp_bind_address = 9.9.9.25", "", "9.9.9.25",
	""},
    {"another one", "inet_protocols = ipv4\nsmtp_bind_address = 9.9.9.77", "",
	"9.9.9.25", "egress-addresses = {\"9.9.9.77\"}"},
    {"another one by a service",
	"inet_protocols = ipv4\nsmtp_bind_address = 9.9.9.25",
	"smtp/unix/smtp_bind_address = 9.9.9.77", "9.9.9.25",
	"egress-addresses = {\"9.9.9.77\"}"},
    {"the only interface", "inet_protocols = ipv4\ninet_interfaces = 9.9.9.77",
	"", "9.9.9.25", "egress-addresses = {\"9.9.9.77\"}"},
    {"both families, one of them wrong",
	"inet_protocols = all\nsmtp_bind_address = 9.9.9.25\n"
	"inet_interfaces = 9.9.9.77, [2620:fe::77]",
	"", "9.9.9.25 2620:fe::25",
	"egress-addresses = {\"2620:fe::77\", \"9.9.9.25\"}"},
    {"behind a NAT that is known",
	"inet_protocols = ipv4\nsmtp_bind_address = 10.0.0.1", "", "9.9.9.25",
	""},
    {"behind a NAT that is not",
	"inet_protocols = ipv4\nsmtp_bind_address = 10.0.0.1", "", "",
	"egress-addresses = {\"10.0.0.1\"}"},
    {"a smart host, and named", "relayhost = [smart.example]:25", "",
	"9.9.9.25", ""},
    {"a filter on loopback is no smart host",
	"inet_protocols = ipv4\nrelayhost = [127.0.0.1]:10024\n"
	"smtp_bind_address = 9.9.9.77",
	"", "9.9.9.25", "egress-addresses = {\"9.9.9.77\"}"},
    {"rubbish", "relayhost = [\nsmtp_bind_address = [\ninet_interfaces = [", "",
	"9.9.9.25", ""},
};

static void
nobody(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	(void)arg;
	(void)a;
	(void)name;
	(void)type;
	ret->status = DNS_NXDOMAIN;
}

static struct str
egress_said(struct arena *a, struct config *config, struct policy *policy,
    struct str settings, struct str overrides)
{
	struct str cure = STR_EMPTY;
	struct doctor d = {
	    .arena = a,
	    .config = config,
	    .policy = policy,
	    .file_text = no_file,
	    .folder_paths = no_paths,
	    .postfix.folder = STR("/etc/postfix"),
	    .host = {.is_there = true, .status_why = STR_EMPTY},
	};
	d.host.dns.resolver = resolver_new_source(nobody, NULL);
	postfix_parse(&d, settings, settings, STR_EMPTY, overrides);
	doctor_run(&d);
	for (size_t i = 0; i < d.findings.n; i++)
		if (strcmp(d.findings.v[i].check, "egress") == 0)
			cure = d.findings.v[i].cure;
	host_close(&d);
	return cure;
}

static void
knows_where_mail_leaves_from(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct config config;
	assert_true(config_read(a, NULL, &config, &diags));
	for (size_t i = 0; i < COUNT_OF(egresses); i++) {
		struct policy policy = {0};
		struct str rest = str_from(egresses[i].egress), word;
		while ((word = str_word(&rest)).len > 0)
			strs_add(a, &policy.egress, word);
		config.egress = policy.egress;
		struct str said = egress_said(a, &config, &policy,
		    str_from(egresses[i].settings),
		    str_from(egresses[i].overrides));
		if (!str_eq(said, str_from(egresses[i].want)))
			print_error("%s:\n", egresses[i].claim);
		assert_str(said, egresses[i].want);
	}
	arena_free(a);
}

/* ---- permissions */

static void
knows_what_a_user_may(void **state)
{
	(void)state;
	struct person p = {.uid = 100, .groups = {200, 201}, .ngroups = 2};
	static const struct {
		uid_t owner;
		gid_t group;
		mode_t mode;
		unsigned want;
		bool may;
	} rows[] = {
	    {100, 1, 0600, 2, true},
	    {100, 1, 0066, 2, false}, /* the owner's bits alone count */
	    {1, 201, 0060, 2, true},
	    {1, 201, 0606, 2, false},
	    {1, 1, 0662, 2, true},
	    {1, 1, 0660, 2, false},
	    {1, 1, 0671, 1, true},
	    {1, 1, 0671, 3, false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct stat st = {.st_uid = rows[i].owner,
		    .st_gid = rows[i].group,
		    .st_mode = S_IFREG | rows[i].mode};
		assert_int_equal(
		    person_may(&p, &st, rows[i].want), rows[i].may);
	}
	p.uid = 0;
	assert_true(person_may(&p, &(struct stat){.st_mode = S_IFREG}, 7));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(splits_a_list_as_postfix_does),
    cmocka_unit_test(takes_a_word_out_of_a_list),
    cmocka_unit_test(knows_a_whole_word),
    cmocka_unit_test(quotes_for_a_shell),
    cmocka_unit_test(knows_our_socket_however_it_is_written),
    cmocka_unit_test(knows_where_mail_leaves_from),
    cmocka_unit_test(knows_what_a_user_may),
};

UNIT_MAIN(tests)
