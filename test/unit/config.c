/* SPDX-License-Identifier: BSD-2-Clause */
/* config -- postern.conf: values, units, errors with file:line. */
#include "unit.h"

#include <sys/stat.h>

#include "session/snapshot.h"

static struct config config;
static struct diags diags;
static struct arena *arena;

static bool
read_text(const char *text)
{
	char path[] = "/tmp/postern-config.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	diags = (struct diags){.arena = arena};
	bool is_good = config_read(arena, path, &config, &diags);
	(void)unlink(path);
	return is_good;
}

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void
values_have_units(void **state)
{
	(void)state;
	assert_true(
	    read_text("scan-limit = 2M\n"
		      "scan-time = 500ms # half a second\n"
		      "quarantine-age = \"2d\"\n"
		      "observe = yes\n"
		      "socket-mode = 0600\n"
		      "hold-in = mta\n"
		      "trusted-networks = {\"10.0.0.0/8\", 192.0.2.1}\n"));
	assert_int_equal(config.scan_bytes, 2 << 20);
	assert_int_equal(config.scan_ms, 500);
	assert_int_equal(config.held_age_ms, 2 * 86400000);
	assert_true(config.observe);
	assert_int_equal(config.socket_mode, 0600);
	config.workers = 3;
	assert_int_equal(config_workers(&config), 3);
	config.workers = 0;
	assert_true(config_workers(&config) > 0);
	assert_int_equal(config.hold_in, HOLD_IN_MTA);
	assert_int_equal(config.trusted_networks.n, 2);
	assert_str(config.trusted_networks.v[1], "192.0.2.1");
}

static void
an_empty_list_is_not_the_default(void **state)
{
	(void)state;
	assert_true(read_text("trusted-networks = {}\n"
			      "class relay { networks = {} }\n"));
	assert_int_equal(config.trusted_networks.n, 0);
	assert_int_equal(config.class[CLASS_RELAY].networks.n, 0);
	assert_true(read_text("observe = yes\n"));
	assert_int_equal(config.trusted_networks.n, 2);
	assert_true(read_text("trusted-networks = {10.0.0.1}\n"
			      "trusted-networks += {10.0.0.2}\n"));
	assert_int_equal(config.trusted_networks.n, 2);
}

static void
limits_of_mail_reach_the_rules(void **state)
{
	(void)state;
	char path[] = "/tmp/postern-config.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)dprintf(fd, "rules = {}\nheader-limit = 64K\npart-limit = 11\n"
			  "depth-of-parts = 12\nlink-limit = 13\n");
	(void)close(fd);
	diags = (struct diags){.arena = arena};
	struct snapshot_source source = {.config_path = path};
	struct snapshot *snapshot = snapshot_load(&source, false, &diags);
	(void)unlink(path);
	assert_non_null(snapshot);
	const struct mail_limits *limits =
	    &ruleset_mail_config(snapshot->rules)->limits;
	assert_int_equal(limits->header_bytes, 65536);
	assert_int_equal(limits->parts, 11);
	assert_int_equal(limits->depth, 12);
	assert_int_equal(limits->uris, 13);
	/* a gate without rules is open: that is said */
	assert_int_equal(diags_count(&diags, DIAG_WARNING), 1);
	snapshot_put(snapshot);
}

static void
thresholds_belong_to_a_class(void **state)
{
	(void)state;
	assert_true(read_text("class submission { hold = 5.5 reject = 12 }\n"
			      "class local {\n  tag = off\n}\n"));
	assert_true(config.class[CLASS_SUBMISSION].hold == 5.5);
	assert_true(config.class[CLASS_SUBMISSION].reject == 12);
	assert_true(config.class[CLASS_SUBMISSION].tag == 4);
	assert_true(config.class[CLASS_LOCAL].tag == 0);
	assert_true(config.class[CLASS_RELAY].hold == 6);
}

/* All that `posternd -t` finds in `text` goes to `diags`. */
static void
start_checked(struct str text)
{
	char path[] = "/tmp/postern-config.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.len), (ssize_t)text.len);
	(void)close(fd);
	diags = (struct diags){.arena = arena};
	struct snapshot_source source = {.config_path = path};
	struct snapshot *snapshot = snapshot_load(&source, false, &diags);
	if (snapshot != NULL)
		(void)!snapshot_start_check(snapshot, &source, &diags);
	(void)unlink(path);
	snapshot_put(snapshot);
}

static void
expect_error(const char *text, unsigned line, const char *part)
{
	assert_false(read_text(text));
	for (size_t i = 0; i < diags.n; i++)
		if (diags.v[i].line == line &&
		    str_find(diags.v[i].text, str_from(part)) != STR_NONE)
			return;
	for (size_t i = 0; i < diags.n; i++)
		print_error("line %u: %.*s\n", diags.v[i].line,
		    STR_ARG(diags.v[i].text));
	fail_msg("no error on line %u says \"%s\"", line, part);
}

static void
errors_name_the_line_and_what_is_allowed(void **state)
{
	(void)state;
	expect_error("observe = yes\nscan-time = 5 parsecs\n", 2, "500ms");
	expect_error("\n\nscan-limit = 1\n", 3, "from 64K to 1G");
	expect_error("hold-in = cellar\n", 1, "postern, mta");
	expect_error("observ = yes\n", 1, "observ");
	expect_error("class person { hold = 1 }\n", 1, "person");
	expect_error("class local {\n\n hold = high\n}\n", 3, "high");
	expect_error("socket-mode = 999\n", 1, "octal");
	expect_error("socket = \"unix:/x\n", 2, "end of file");
	expect_error("scan-time = 5\n", 1, "from 50ms to 8s");
	expect_error("quarantine-size = 1\n", 1, "1M or more");
}

static void
what_is_begun_has_to_end(void **state)
{
	(void)state;
	expect_error("observe = yes\nclass local {\n\ttag = 5\n", 4,
	    "} of section \"class local\" is missing");
	expect_error("class local {\n\ttag = 5", 3, "is missing");
	expect_error("/* observe = yes\n", 2, "missing");
	expect_error("observe = yes\n}\n", 2, "closing brace");
	expect_error("observe =", 2, "observe");
	assert_true(read_text(""));
	assert_true(read_text("# observe = yes"));
	assert_true(read_text("class local { tag = 5 }"));
	assert_true(config.class[CLASS_LOCAL].tag == 5);
}

static void
expect_unreadable(const char *path, const char *why)
{
	diags = (struct diags){.arena = arena};
	assert_false(config_read(arena, path, &config, &diags));
	assert_int_equal(diags_count(&diags, DIAG_ERROR), 1);
	if (str_find(diags.v[0].text, str_from(why)) == STR_NONE)
		fail_msg("%s: %.*s", path, STR_ARG(diags.v[0].text));
}

/* Neither ends the process, as libconfuse would, nor makes it wait. */
static void
what_is_no_file_is_an_error(void **state)
{
	(void)state;
	char path[] = "/tmp/postern-config.XXXXXX";
	assert_non_null(mkdtemp(path));
	expect_unreadable(path, "Is a directory");
	assert_int_equal(rmdir(path), 0);
	expect_unreadable(path, "No such file");
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_unreadable(path, "a pipe");
	assert_int_equal(unlink(path), 0);
}

/* Each is refused where it stands, with its name and what is allowed. */
static const struct {
	const char *option, *value, *allowed;
} bad_forms[] = {
    {"socket", "unix", "unix:/path"},
    {"socket", "/run/x", "unix:/path"},
    {"socket", "unix:relative", "unix:/path"},
    {"socket", "inet:0@127.0.0.1", "inet:port@host"},
    {"socket", "inet:65536@127.0.0.1", "inet:port@host"},
    {"socket", "inet:8891@", "inet:port@host"},
    {"socket", "inet:nosuchservice@::1", "inet6:port@host"},
    {"socket",
	"unix:/0123456789012345678901234567890123456789012345678901234567890"
	"1234567890123456789012345678901234567890123456",
	"at most 107 bytes"},
    {"control-socket", "control.sock", "absolute path"},
    {"metrics-socket", "0.0.0.0:9797", "127.0.0.1:9797"},
    {"pid-file", "posternd.pid", "absolute path"},
    {"state-dir", "", "absolute path"},
    {"spool-dir", "spool", "absolute path"},
    {"quarantine-dir", "~/held", "absolute path"},
    {"login-domain", "@example.org", "without @"},
    {"authserv-id", "a b", "one word"},
    {"trusted-networks", "10.0.0.0/99", "192.0.2.0/24"},
    {"rules", "", "file or folder"},
    {"release-via", "sendmail", "smtp:host:port"},
    {"release-via", "smtp:localhost", "smtp:host:port"},
    {"alert-via", "smtp:localhost:0", "smtp:host:port"},
    {"alert-command", "nonexistent", "absolute path"},
    {"alert-command", "smtp:127.0.0.1:25", "absolute path"},
    {"alert-mail", "a b", "an address"},
    {"alert-from", "a, b", "an address"},
    {"alert-webhook", "file:///etc/secret", "http://"},
    {"dns", "127.0.0.1:53", "192.0.2.53@5353"},
    {"dns", "192.0.2.53@0", "192.0.2.53@5353"},
    {"dns", "file:zone", "file:/path"},
    {"dns", "File:/zone", "file:/path"},
    {"dns-hosts", "hosts", "absolute path"},
    {"dkim-key-table", "csl:x", "refile:"},
    {"dkim-signing-table", "refile:x", "refile:"},
    {"dkim-headers", "Subject:", "header field"},
    {"dkim-oversign", "", "header field"},
};

static void
bad_forms_are_refused_where_they_stand(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_forms); i++) {
		char text[512];
		(void)snprintf(text, sizeof(text), "\n%s = \"%s\"\n",
		    bad_forms[i].option, bad_forms[i].value);
		expect_error(text, 2, bad_forms[i].option);
		expect_error(text, 2, bad_forms[i].allowed);
	}
	expect_error("trusted-networks = {\"10.0.0.0/8\",\n"
		     "\"10.0.0.0/99\"}\n",
	    2, "10.0.0.0/99");
	expect_error("class local {\n networks = {\"x\"}\n}\n", 2, "network");
	expect_error("class local {\n listen = {\"x\"}\n}\n", 2, "network");
	expect_error("alert hold-rate {\n to = {phone}\n}\n", 2, "webhook");
	/* it may have a password in it */
	expect_error("alert-webhook = \"ftp://x:y@z/\"\n", 1, "alert-webhook");
	assert_true(str_find(diags.v[0].text, STR("x:y")) == STR_NONE);
}

static void
good_forms_are_taken(void **state)
{
	static const char *const good[] = {
	    "socket = \"unix:/run/x\"\n",
	    "socket = \"local:/run/x\"\n",
	    "socket = \"inet:8891@localhost\"\n",
	    "socket = \"inet6:8891@::1\"\n",
	    "socket = \"inet:8891\"\n",
	    "socket = \"inet:smtp@127.0.0.1\"\n",
	    "metrics-socket = \"[::1]:9797\"\n",
	    "metrics-socket = \"/run/m\"\ncontrol-socket = \"\"\n",
	    "dns = {\"192.0.2.53\", \"2001:db8::53@5353\"}\n",
	    "dns = {\"file:/zone\"}\ndns-hosts = \"/etc/hosts\"\n",
	    "release-via = \"/usr/sbin/sendmail -oA/etc/aliases\"\n",
	    "release-via = \"smtp:[::1]:10025\"\n",
	    "dkim-key-table = \"file:/etc/dkim/KeyTable\"\n",
	    "dkim-signing-table = \"refile:/etc/dkim/SigningTable\"\n",
	    "alert-webhook = \"https://example.org/x?y=z\"\n",
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (!read_text(good[i]))
			fail_msg("%s%.*s", good[i], STR_ARG(diags.v[0].text));
}

/* What is found out after the file was read. */
static void
later_errors_name_the_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *part;
	} cases[] = {
	    {"\ndns = {\"192.0.2.1\",\n\"off\"}\n", 2, "dns: "},
	    {"\ndns = {\"file:/proc/nonexistent\"}\n", 2, "dns: "},
	    {"\ndns-hosts = \"/proc/nonexistent\"\n", 2, "dns-hosts: "},
	    {"socket-group = \"\"\n\nsocket-group = nosuchgroup\n", 3,
		"socket-group: "},
	    {"\nrelease-via = \"/proc/nonexistent\"\n", 2, "release-via: "},
	    {"\nhelo-name = \"a b\"\n", 2, "helo-name: "},
	    {"egress-addresses = {\"192.0.2.1\",\n\n\"x\"}\n", 3,
		"egress-addresses: "},
	    {"\nstrict-domains = {\"a..b\"}\n", 2, "strict-domains: "},
	    {"\nlocal-domains = {\"/proc/nonexistent\"}\n", 2,
		"local-domains: "},
	    {"\nlocal-domains = {\"a..b\"}\n", 2, "not a domain"},
	    {"\nlogin-map = {\"nobody\"}\n", 2, "nobody"},
	    {"\nrules = {\"/proc/nonexistent\"}\n", 2, "rules: "},
	    {"\ndkim-key-table = \"/proc/nonexistent\"\n", 2,
		"dkim-key-table: "},
	    {"dkim-signing-table = \"/dev/null\"\n"
	     "dkim-key-table = \"/proc/nonexistent\"\n",
		2, "dkim-key-table: "},
	    {"class local {\n hold = 8\n reject = 5\n}\n", 3, "reject: "},
	    {"\nalert-command = \"/proc/nonexistent\"\n", 2, "alert-command: "},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str text = str_printf(arena, "%s%s", cases[i].text,
		    strstr(cases[i].text, "rules = ") != NULL ? ""
							      : "rules = {}\n");
		start_checked(text);
		bool is_found = false;
		for (size_t k = 0; k < diags.n && !is_found; k++)
			is_found = diags.v[k].line == cases[i].line &&
				   str_find(diags.v[k].text,
				       str_from(cases[i].part)) != STR_NONE;
		if (!is_found && diags.n > 0)
			print_error("%u: %.*s\n", diags.v[0].line,
			    STR_ARG(diags.v[0].text));
		if (!is_found)
			fail_msg("nothing said: %s", cases[i].text);
	}
}

static void
thresholds_in_reverse_are_warned_about(void **state)
{
	(void)state;
	assert_true(read_text("class local { hold = 8 reject = 5 }\n"));
	assert_int_equal(diags_count(&diags, DIAG_WARNING), 1);
}

static void
a_program_that_is_gone_is_warned_about(void **state)
{
	(void)state;
	assert_true(read_text("alert-command = \"/proc/nonexistent x\"\n"));
	assert_int_equal(diags_count(&diags, DIAG_WARNING), 1);
	assert_true(read_text("alert-mail = {a@test.example}\n"
			      "alert-via = \"/proc/nonexistent\"\n"));
	assert_int_equal(diags_count(&diags, DIAG_WARNING), 1);
}

static void
a_missing_file_is_named(void **state)
{
	(void)state;
	diags = (struct diags){.arena = arena};
	assert_false(config_read(arena, "/nonexistent.conf", &config, &diags));
	assert_str(diags.v[0].file, "/nonexistent.conf");
	assert_true(str_find(diags.v[0].text, STR("No such file")) != STR_NONE);
}

static void
every_default_is_valid_and_shown_as_written(void **state)
{
	(void)state;
	diags = (struct diags){.arena = arena};
	assert_true(config_read(arena, NULL, &config, &diags));
	struct buf *text = buf_new(arena, 100000);
	for (const struct option_row *r = CONFIG_FILE.rows; r->name != NULL;
	     r++)
		buf_printf(text, "%s = %.*s\n", r->name,
		    STR_ARG(option_show(arena, r, &config)));
	buf_putc(text, '\0');
	struct config before = config;
	if (!read_text(text->p))
		for (size_t i = 0; i < diags.n; i++)
			fail_msg("line %u: %.*s", diags.v[i].line,
			    STR_ARG(diags.v[i].text));
	for (const struct option_row *r = CONFIG_FILE.rows; r->name != NULL;
	     r++)
		assert_true(str_eq(option_show(arena, r, &config),
		    option_show(arena, r, &before)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
static const struct CMUnitTest tests[] = {
    TEST(values_have_units),
    TEST(an_empty_list_is_not_the_default),
    TEST(limits_of_mail_reach_the_rules),
    TEST(thresholds_belong_to_a_class),
    TEST(errors_name_the_line_and_what_is_allowed),
    TEST(what_is_begun_has_to_end),
    TEST(what_is_no_file_is_an_error),
    TEST(bad_forms_are_refused_where_they_stand),
    TEST(good_forms_are_taken),
    TEST(later_errors_name_the_line),
    TEST(thresholds_in_reverse_are_warned_about),
    TEST(a_program_that_is_gone_is_warned_about),
    TEST(a_missing_file_is_named),
    TEST(every_default_is_valid_and_shown_as_written),
};
UNIT_MAIN(tests)
