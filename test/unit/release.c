/* SPDX-License-Identifier: BSD-2-Clause */
/* release -- tokens good once, and messages that go out or stay, never neither.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "hold/reinject.h"
#include "hold/smtp.h"

#define NOW 1700000000
#define BODY STR("Hello\r\nworld\r\n")

struct fixture {
	struct arena *a;
	char dir[64];
	struct release *r;
	struct quarantine *q;
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static char *
path_of(struct fixture *f, const char *below)
{
	return str_c(f->a, str_printf(f->a, "%s/%s", f->dir, below));
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct str why = STR_EMPTY;
	f->a = arena_new();
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/unit-release-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_true(release_open(f->a, str_from(f->dir), &f->r, &why));
	assert_int_equal(quarantine_open(str_from(path_of(f, "quarantine")),
			     &f->q, &why, f->a),
	    QUARANTINE_OK);
	quarantine_set_key(f->q, release_key(f->r));
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	quarantine_close(f->q);
	release_close(f->r);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(f->a);
	free(f);
	return 0;
}

static struct release_token
issue(struct fixture *f)
{
	struct release_token token;
	assert_true(
	    release_issue(f->r, f->a, STR("Id1"), BODY, NOW + 60, &token));
	return token;
}

static enum release_status
check(struct fixture *f, struct str value, struct str body, int64_t now)
{
	struct str id = STR_EMPTY;
	enum release_status status =
	    release_check(f->r, f->a, value, body, now, &id);
	if (status != RELEASE_FORGED)
		assert_str(id, "Id1");
	return status;
}

static void
is_good_once(void **state)
{
	struct fixture *f = *state;
	struct release_token token = issue(f);
	struct stat st;
	assert_int_equal(
	    stat(path_of(f, str_c(f->a, str_printf(f->a, "release/%.*s",
					    STR_ARG(token.nonce)))),
		&st),
	    0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(release_is_open(f->r, &token));
	assert_int_equal(check(f, token.value, BODY, NOW), RELEASE_OK);
	assert_false(release_is_open(f->r, &token));
	assert_int_equal(check(f, token.value, BODY, NOW), RELEASE_REPLAY);
	assert_false(release_revoke(f->r, &token));
}

static void
withdrawn_it_is_good_no_more(void **state)
{
	struct fixture *f = *state;
	struct release_token token = issue(f);
	assert_true(release_revoke(f->r, &token));
	assert_int_equal(check(f, token.value, BODY, NOW), RELEASE_REPLAY);
}

static void
expires(void **state)
{
	struct fixture *f = *state;
	struct release_token token = issue(f);
	assert_int_equal(
	    check(f, token.value, BODY, NOW + 61), RELEASE_EXPIRED);
	assert_true(release_is_open(f->r, &token));
	assert_int_equal(release_tidy(f->r, NOW + 59), 0);
	assert_int_equal(release_tidy(f->r, NOW + 61), 1);
	assert_false(release_is_open(f->r, &token));
}

/* Every byte of the value counts. */
static void
a_changed_field_is_forged(void **state)
{
	struct fixture *f = *state;
	struct release_token token = issue(f);
	for (size_t i = 0; i < token.value.len; i++) {
		struct str value = str_dup(f->a, token.value);
		char *p = str_c(f->a, value);
		p[i] = p[i] == '1' ? '2' : '1';
		if (check(f, str_of(p, value.len), BODY, NOW) != RELEASE_FORGED)
			fail_msg("byte %zu", i);
	}
	static const char *const values[] = {"", "v1", "v1 a b c d",
	    "v1 Id1 ../../../../etc/passwd 1700000060 "
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "v2 Id1 0000000000000000000000 1700000060 "
	    "0000000000000000000000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < COUNT_OF(values); i++)
		assert_int_equal(
		    check(f, str_from(values[i]), BODY, NOW), RELEASE_FORGED);
	struct str longer = str_printf(f->a, "%.*s x", STR_ARG(token.value));
	assert_int_equal(check(f, longer, BODY, NOW), RELEASE_FORGED);
	/* none of that used it up; folds and blanks around do no harm */
	struct str rest = token.value;
	struct str first = str_cut(&rest, ' ');
	struct str folded = str_printf(
	    f->a, " %.*s\r\n\t%.*s\r\n", STR_ARG(first), STR_ARG(rest));
	assert_int_equal(check(f, folded, BODY, NOW), RELEASE_OK);
}

static void
another_body_is_forged(void **state)
{
	struct fixture *f = *state;
	struct release_token token = issue(f);
	static const char *const bodies[] = {"", "Hello\r\nWorld\r\n",
	    "Hello\r\nworld\r\nbuy\r\n", "world\r\nHello\r\n"};
	for (size_t i = 0; i < COUNT_OF(bodies); i++)
		assert_int_equal(
		    check(f, token.value, str_from(bodies[i]), NOW),
		    RELEASE_FORGED);
}

static void
survives_what_an_mta_does(void **state)
{
	struct fixture *f = *state;
	static const char *const bodies[] = {"Hello\nworld\n", "Hello\nworld",
	    "Hello\r\nworld\r\n\r\n", "\r\nHello\r\nworld\r\n",
	    "Hello  \r\nworld\r\n", "Hel!\r\n lo\r\nworld\r\n"};
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct release_token token = issue(f);
		assert_int_equal(
		    check(f, token.value, str_from(bodies[i]), NOW),
		    RELEASE_OK);
	}
}

static void
another_hosts_release_is_forged(void **state)
{
	struct fixture *f = *state;
	struct release *other;
	struct str why;
	char *dir = path_of(f, "other");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_true(release_open(f->a, str_from(dir), &other, &why));
	struct release_token token;
	assert_true(
	    release_issue(other, f->a, STR("Id1"), BODY, NOW + 60, &token));
	assert_int_equal(check(f, token.value, BODY, NOW), RELEASE_FORGED);
	release_close(other);
}

static void *
open_state(void *arg)
{
	struct arena *a = arena_new();
	struct release *r;
	struct str why;
	if (!release_open(a, str_from(arg), &r, &why))
		abort();
	struct digest *digest = malloc(sizeof(*digest));
	struct str text = STR("x");
	mac_of(release_key(r), &text, 1, digest);
	release_close(r);
	arena_free(a);
	return digest;
}

static void
all_who_start_at_once_get_one_key(void **state)
{
	struct fixture *f = *state;
	char *dir = path_of(f, "race");
	assert_int_equal(mkdir(dir, 0700), 0);
	pthread_t threads[8];
	struct digest *first = NULL;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, open_state, dir), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		void *result;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		if (first == NULL)
			first = result;
		else {
			assert_true(digest_equal(first, result));
			free(result);
		}
	}
	free(first);
}

static void
a_key_others_could_read_is_refused(void **state)
{
	struct fixture *f = *state;
	struct release *r;
	struct str why = STR_EMPTY;
	char *key = path_of(f, "release.key");
	assert_int_equal(chmod(key, 0640), 0);
	assert_false(release_open(f->a, str_from(f->dir), &r, &why));
	assert_true(str_find(why, STR("0600")) != STR_NONE);
	assert_int_equal(chmod(key, 0600), 0);
	assert_int_equal(truncate(key, 31), 0);
	assert_false(release_open(f->a, str_from(f->dir), &r, &why));
	assert_int_equal(rename(key, path_of(f, "elsewhere")), 0);
	assert_int_equal(symlink("elsewhere", key), 0);
	assert_false(release_open(f->a, str_from(f->dir), &r, &why));
	assert_int_equal(unlink(key), 0);
	assert_false(
	    release_open(f->a, str_from(path_of(f, "nowhere")), &r, &why));
	/* a command makes none, and says what is up */
	assert_false(release_open_existing(f->a, str_from(f->dir), &r, &why));
	assert_true(str_find(why, STR("release.key is not there")) != STR_NONE);
	assert_int_equal(access(key, F_OK), -1);
	assert_true(release_open(f->a, str_from(f->dir), &r, &why));
	release_close(r);
	assert_true(release_open_existing(f->a, str_from(f->dir), &r, &why));
	release_close(r);
}

static void
finds_the_body(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *body;
	} rows[] = {{"A: b\n\nc\n", "c\n"}, {"A: b\r\n\r\nc", "c"},
	    {"A: b\n\n", ""}, {"A: b\n", ""}, {"A: b", ""}, {"", ""},
	    {"\nc", "c"}, {"no header\nB: c\n", "no header\nB: c\n"},
	    {"A: b\n folded\n\t\nnot a field\n", "not a field\n"},
	    {"From x\nA: b\n\nc", "From x\nA: b\n\nc"},
	    {" folded\nA: b\n\nc", " folded\nA: b\n\nc"}, {"A :b\n\nc", "c"},
	    {": b\n\nc", ": b\n\nc"}, {"\xc3\xa4: b\n\nc", "c"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_str(release_body(str_from(rows[i].raw)), rows[i].body);
}

static void
writes_its_field_and_takes_others_out(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *raw, *text;
	} rows[] = {
	    {"A: b\n\nc\n", "X-Postern-Release: V\nA: b\n\nc\n"},
	    {"A: b\r\n\r\nc\r\n", "X-Postern-Release: V\nA: b\n\nc\r\n"},
	    {"", "X-Postern-Release: V\n\n"},
	    {"hello\n", "X-Postern-Release: V\n\nhello\n"},
	    {"From me\n", "X-Postern-Release: V\n\nFrom me\n"},
	    {"A: b", "X-Postern-Release: V\nA: b\n\n"},
	    {"x-postern-RELEASE: v1\n folded\nA: b\n fold\nX-Postern-Release "
	     ": x\n\nX-Postern-Release: body\n",
		"X-Postern-Release: V\nA: b\n fold\n\nX-Postern-Release: "
		"body\n"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_str(reinject_text(f->a, str_from(rows[i].raw), STR("V")),
		    rows[i].text);
}

static void
stuffs_dots_and_ends_lines(void **state)
{
	struct fixture *f = *state;
	assert_str(smtp_stuff(f->a, STR("a\n.\r\n..b\n.c")),
	    "a\r\n..\r\n...b\r\n..c\r\n.\r\n");
	assert_str(smtp_stuff(f->a, STR("")), ".\r\n");
	assert_str(smtp_stuff(f->a, STR("a\rb\n")), "a\rb\r\n.\r\n");
}

static void
knows_safe_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *address;
		bool is_safe;
	} rows[] = {{"a@b.example", true}, {"root", true},
	    {"\"a b\"@c.example", true}, {"\"a\\\"b,\"@c", true},
	    {"a@[IPv6:2001:db8::1]", true}, {"j\xc3\xb6rg@c.example", true},
	    {"", false}, {"a@b\nDATA", false}, {"a@b\r", false},
	    {"a>b@c", false}, {"<a@b>", false}, {"a,b@c", false},
	    {"a b@c", false}, {"a;b@c", false}, {"list:a@c", false},
	    {"a(comment)@c", false}, {"\"open@c", false}, {"a@[b", false},
	    {"\"a\\\n\"@c", false}, {"a@c\x7f", false}, {"\xff@c", false}};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (inject_address_is_safe(str_from(rows[i].address)) !=
		    rows[i].is_safe)
			fail_msg("%s", rows[i].address);
}

static void
checks_the_way_out(void **state)
{
	struct fixture *f = *state;
	struct str why;
	assert_true(inject_via_check(f->a, STR("smtp:127.0.0.1:25"), &why));
	assert_true(inject_via_check(f->a, STR("smtp:[::1]:25"), &why));
	assert_true(inject_via_check(f->a, STR("/bin/sh -c x"), &why));
	static const char *const bad[] = {"", "sendmail", "smtp:", "smtp:x",
	    "smtp:x:0", "smtp:x:99999", "smtp::25", "smtp:::1:25",
	    "/nonexistent/sendmail", "smtp:x:25 "};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (inject_via_check(f->a, str_from(bad[i]), &why))
			fail_msg("%s", bad[i]);
}

/* A kept message with `nrcpt` recipients. */
static struct held_entry
keep(struct fixture *f, const char *id, size_t nrcpt, struct str raw)
{
	struct held_entry entry;
	struct held held = {
	    .id = str_from(id),
	    .time_wall = clock_wall(),
	    .reason = STR("test"),
	    .subject = STR_EMPTY,
	    .envelope = {.from = STR("alice@example.com"),
		.login = STR_EMPTY,
		.client_addr = STR_EMPTY,
		.client_name = STR_EMPTY,
		.helo = STR_EMPTY,
		.queue_id = STR_EMPTY,
		.daemon_name = STR_EMPTY},
	};
	for (size_t i = 0; i < nrcpt; i++)
		strs_add(f->a, &held.envelope.rcpt,
		    str_printf(f->a, "r%zu@example.net", i));
	assert_int_equal(quarantine_store(f->q, &held, raw), QUARANTINE_OK);
	assert_int_equal(
	    quarantine_find(f->q, f->a, held.id, &entry), QUARANTINE_OK);
	return entry;
}

static struct reinjection
how_by(struct fixture *f, struct str via)
{
	return (struct reinjection){
	    .quarantine = f->q, .release = f->r, .via = via, .valid_s = 60};
}

static void
write_script(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fprintf(out, "#!/bin/sh\n%s\n", text);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static struct str
slurp(struct fixture *f, const char *path)
{
	static char text[200000];
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof(text));
	close(fd);
	return str_dup(f->a, str_of(text, n < 0 ? 0 : (size_t)n));
}

static size_t
count_tokens(struct fixture *f)
{
	/* all that has not been used is tidied away as expired */
	return release_tidy(f->r, INT64_MAX / 2);
}

static void
a_command_gets_the_envelope_and_the_message(void **state)
{
	struct fixture *f = *state;
	char *script = path_of(f, "sendmail");
	struct reinject_report report;
	write_script(script,
	    str_c(f->a, str_printf(f->a,
			    "printf '%%s|' \"$@\" > %s/args; cat > %s/text",
			    f->dir, f->dir)));
	struct held_entry entry = keep(
	    f, "C1", 2, STR("Subject: \xc3\xa9\r\n\r\nHello\r\nworld\r\n"));
	struct reinjection how =
	    how_by(f, str_printf(f->a, "%s -C /some/where", script));
	assert_int_equal(reinject(f->a, &how, &entry, &report), REINJECT_OK);
	assert_int_equal(report.sent, 2);
	assert_false(report.was_seen);
	assert_str(slurp(f, path_of(f, "args")),
	    "-C|/some/where|-i|-B8BITMIME|-f|alice@example.com|--|"
	    "r0@example.net|r1@example.net|");
	struct str text = slurp(f, path_of(f, "text"));
	struct str first = str_line(&text);
	assert_str(text, "Subject: \xc3\xa9\n\nHello\nworld\n");
	/* what posternd does with it */
	struct str id;
	assert_int_equal(str_find(first, STR("X-Postern-Release: ")), 0);
	assert_int_equal(release_check(f->r, f->a, str_skip(first, 19), BODY,
			     clock_wall(), &id),
	    RELEASE_OK);
	assert_str(id, "C1");
	assert_int_equal(quarantine_find(f->q, f->a, STR("C1"), &entry),
	    QUARANTINE_NOT_FOUND);
}

static void
what_a_command_refuses_is_held_still(void **state)
{
	struct fixture *f = *state;
	char *script = path_of(f, "sendmail");
	struct reinject_report report;
	struct held_entry entry = keep(f, "C2", 1, STR("\nx\n"));
	struct reinjection how = how_by(f, str_from(script));
	static const char *const scripts[] = {
	    "echo no such thing >&2; exit 75", "exit 1", "kill -9 $$"};
	static const enum reinject_status want[] = {
	    REINJECT_FAILED, REINJECT_FAILED, REINJECT_UNKNOWN};
	for (size_t i = 0; i < COUNT_OF(scripts); i++) {
		write_script(script, scripts[i]);
		assert_int_equal(
		    reinject(f->a, &how, &entry, &report), want[i]);
		assert_int_equal(report.sent, 0);
		assert_int_equal(count_tokens(f), 0);
		if (i == 0)
			assert_str(
			    report.mta.reply, "exit status 75: no such thing");
	}
	assert_int_equal(
	    quarantine_find(f->q, f->a, STR("C2"), &entry), QUARANTINE_OK);
	assert_int_equal(unlink(script), 0);
	assert_int_equal(
	    reinject(f->a, &how, &entry, &report), REINJECT_FAILED);
	assert_int_equal(entry.state, HELD_SOUND);
}

static void
many_recipients_go_in_batches(void **state)
{
	struct fixture *f = *state;
	char *script = path_of(f, "sendmail");
	struct reinject_report report;
	struct held_entry entry = keep(f, "C3", 250, STR("\nx\n"));
	/* the third call fails */
	write_script(script,
	    str_c(
		f->a, str_printf(f->a,
			  "echo $# >> %s/calls; test $(wc -l < %s/calls) -lt 3",
			  f->dir, f->dir)));
	struct reinjection how = how_by(f, str_from(script));
	assert_int_equal(reinject(f->a, &how, &entry, &report), REINJECT_PART);
	assert_int_equal(report.sent, 200);
	assert_str(slurp(f, path_of(f, "calls")), "104\n104\n54\n");
	assert_int_equal(
	    quarantine_find(f->q, f->a, STR("C3"), &entry), QUARANTINE_OK);
	assert_int_equal(entry.state, HELD_SOUND);
	assert_int_equal(entry.held.envelope.rcpt.n, 50);
	assert_str(entry.held.envelope.rcpt.v[0], "r200@example.net");
	assert_int_equal(count_tokens(f), 2); /* of the two that went out */
}

static void
odd_recipients_do_not_reach_a_command(void **state)
{
	struct fixture *f = *state;
	char *script = path_of(f, "sendmail");
	static const char *const odd[] = {"-bs", "|/bin/sh", "/etc/passwd",
	    ":include:/etc/passwd", "\"|/bin/sh\"", "\\root", "a@b, c@d",
	    "good@example.net"};
	struct strs rcpt = {0};
	struct inject_result result;
	for (size_t i = 0; i < COUNT_OF(odd); i++)
		strs_add(f->a, &rcpt, str_from(odd[i]));
	write_script(script,
	    str_c(f->a,
		str_printf(f->a, "printf '%%s|' \"$@\" > %s/args", f->dir)));
	struct injection in = {.via = str_from(script),
	    .from = STR_EMPTY,
	    .rcpt = &rcpt,
	    .text = STR("\nx\n")};
	assert_int_equal(inject(f->a, &in, &result), INJECT_PART);
	assert_int_equal(result.refusals.n, COUNT_OF(odd) - 1);
	assert_str(
	    slurp(f, path_of(f, "args")), "-i|-f|<>|--|good@example.net|");
	in.from = STR("-oQ/tmp");
	assert_int_equal(inject(f->a, &in, &result), INJECT_INVALID);
}

static void
tampered_mail_needs_force(void **state)
{
	struct fixture *f = *state;
	struct reinject_report report;
	struct mac_key other = {{3}};
	struct held_entry entry = keep(f, "C4", 1, STR("\nx\n"));
	struct reinjection how = how_by(f, STR("/bin/true"));
	quarantine_set_key(f->q, &other);
	assert_int_equal(
	    reinject(f->a, &how, &entry, &report), REINJECT_TAMPERED);
	how.is_dry_run = true;
	assert_int_equal(
	    reinject(f->a, &how, &entry, &report), REINJECT_TAMPERED);
	how.is_forced = true;
	assert_int_equal(reinject(f->a, &how, &entry, &report), REINJECT_OK);
	assert_int_equal(report.sent, 0);
	assert_int_equal(count_tokens(f), 0);
	how.is_dry_run = false;
	how.keeps_file = true;
	assert_int_equal(reinject(f->a, &how, &entry, &report), REINJECT_OK);
	assert_int_equal(
	    quarantine_find(f->q, f->a, STR("C4"), &entry), QUARANTINE_OK);
	int lock;
	assert_int_equal(quarantine_lock(f->q, &entry, &lock), QUARANTINE_OK);
	assert_int_equal(reinject(f->a, &how, &entry, &report), REINJECT_BUSY);
	quarantine_unlock(lock);
}

/* An SMTP server of one session that says what its script says. */
struct server {
	struct fixture *f;
	int fd;
	uint16_t port;
	const char *const *script; /* a reply for each command, in order */
	bool uses_token;           /* as posternd would, in DATA */
	char log[8192];
};

static void
say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
	(void)!send(fd, "\r\n", 2, MSG_NOSIGNAL);
}

/* RFC 5321 section 4.5.2, the other way round. */
static struct str
unstuff(struct arena *a, struct str text)
{
	struct buf *b = buf_new(a, text.len + 2);
	while (text.len > 0) {
		struct str line = str_line(&text);
		buf_put(b, str_skip(line, line.len > 0 && line.p[0] == '.'));
		buf_putc(b, '\n');
	}
	return buf_str(b);
}

static void
use_token(struct server *s, struct str text)
{
	struct str id, name = STR("X-Postern-Release: ");
	size_t at = str_find(text, name);
	assert_true(at != STR_NONE);
	struct str value = str_skip(text, at + name.len);
	value = str_sub(value, 0, str_chr(value, '\r'));
	struct arena *a = arena_new();
	text = str_sub(text, 0, str_find(text, STR("\r\n.\r\n")));
	struct str body = release_body(unstuff(a, text));
	assert_int_equal(
	    release_check(s->f->r, a, value, body, clock_wall(), &id),
	    RELEASE_OK);
	arena_free(a);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	bool is_data = false;
	size_t n = 0, done = 0;
	if (fd < 0)
		return NULL;
	say(fd, s->script[0]);
	for (size_t i = 1; s->script[i] != NULL;) {
		struct str rest = str_of(s->log + done, n - done);
		struct str end = is_data ? STR("\r\n.\r\n") : STR("\r\n");
		size_t at = str_find(rest, end);
		if (at == STR_NONE) {
			ssize_t got =
			    recv(fd, s->log + n, sizeof(s->log) - 1 - n, 0);
			if (got <= 0)
				break;
			n += (size_t)got;
			continue;
		}
		if (is_data && s->uses_token)
			use_token(s, rest);
		done += at + end.len;
		if (s->script[i][0] == '\0')
			break;
		is_data = strncmp(s->script[i], "354", 3) == 0;
		say(fd, s->script[i++]);
	}
	close(fd);
	return NULL;
}

static struct str
server_start(struct server *s, struct fixture *f, pthread_t *thread)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	s->f = f;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(s->fd, 1), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(pthread_create(thread, NULL, serve, s), 0);
	return str_printf(f->a, "smtp:127.0.0.1:%u", ntohs(sin.sin_port));
}

#define HELLO "250-mail\r\n250-SIZE 10000\r\n250-8BITMIME\r\n250 SMTPUTF8"

static const struct smtp_row {
	const char *label;
	const char *script[12];
	bool uses_token;
	enum reinject_status status;
	size_t sent, left; /* recipients */
	bool was_seen;
	const char *says; /* part of what the client sent; or the reply */
	const char *reply;
} smtp_rows[] = {
    {"all is well",
	{"220 mail", HELLO, "250 ok", "250 ok", "250 ok", "354 go",
	    "250 queued", "221 bye"},
	true, REINJECT_OK, 2, 0, true,
	"MAIL FROM:<alice@example.com> SIZE=", "250 queued"},
    {"posternd is not wired up",
	{"220 mail", HELLO, "250 ok", "250 ok", "250 ok", "354 go",
	    "250 queued", "221 bye"},
	false, REINJECT_OK, 2, 0, false, " BODY=8BITMIME\r\n", "250 queued"},
    {"one recipient is refused",
	{"220 mail", HELLO, "250 ok", "250 ok", "550-no\r\n550 such", "354 go",
	    "250 queued", "221 bye"},
	true, REINJECT_PART, 1, 1, true, "RCPT TO:<r1@example.net>",
	"250 queued"},
    {"all recipients are refused",
	{"220 mail", HELLO, "250 ok", "550 no", "450 later", "221 bye"}, false,
	REINJECT_FAILED, 0, 2, false, "QUIT", "450 later"},
    {"the greeting is not one", {"554 go away", "221 bye"}, false,
	REINJECT_FAILED, 0, 2, false, "", "554 go away"},
    {"refused at the end",
	{"220 mail", HELLO, "250 ok", "250 ok", "250 ok", "354 go", "550 spam",
	    "221 bye"},
	false, REINJECT_FAILED, 0, 2, false, "\r\n..dot\r\n", "550 spam"},
    {"no answer after the final dot",
	{"220 mail", HELLO, "250 ok", "250 ok", "250 ok", "354 go", ""}, true,
	REINJECT_UNKNOWN, 0, 2, true, "\r\n.\r\n", "Connection reset by peer"},
    {"hangs up on RCPT", {"220 mail", HELLO, "250 ok", ""}, false,
	REINJECT_FAILED, 0, 2, false, "RCPT", NULL},
    {"an old server without 8BITMIME",
	{"220 mail", "502 what", "250 mail", "221 bye"}, false, REINJECT_FAILED,
	0, 2, false, "HELO", "the server does not offer 8BITMIME"},
    {"a server that takes less",
	{"220 mail", "250-mail\r\n250-8BITMIME\r\n250 SIZE 10", "221 bye"},
	false, REINJECT_FAILED, 0, 2, false, "EHLO",
	"larger than the server takes (SIZE)"},
    {"replies to what was not asked", {"220 mail\r\n250 more", HELLO}, false,
	REINJECT_FAILED, 0, 2, false, "", "the server speaks out of turn"},
    {"codes that change within a reply", {"220-mail\r\n250 more"}, false,
	REINJECT_FAILED, 0, 2, false, "", NULL},
    {"not SMTP", {"HTTP/1.1 400 Bad"}, false, REINJECT_FAILED, 0, 2, false, "",
	"HTTP/1.1 400 Bad"},
};

/* The whole of one release through a server with the row's script. */
static enum reinject_status
row_run(struct fixture *f, const struct smtp_row *row, const char *id,
    struct server *s, struct reinject_report *ret)
{
	pthread_t thread;
	*s = (struct server){
	    .script = row->script, .uses_token = row->uses_token};
	struct held_entry entry =
	    keep(f, id, 2, STR("Subject: x\r\n\r\n.dot \xc3\xa9\r\n.dot"));
	struct reinjection how = how_by(f, server_start(s, f, &thread));
	enum reinject_status status = reinject(f->a, &how, &entry, ret);
	/* a server still waiting for its client is let go */
	(void)shutdown(s->fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(s->fd);
	return status;
}

static void
assert_recipients_left(struct fixture *f, const char *id, size_t n)
{
	struct held_entry left = {0};
	enum quarantine_status found =
	    quarantine_find(f->q, f->a, str_from(id), &left);
	if (n == 0)
		assert_int_equal(found, QUARANTINE_NOT_FOUND);
	else
		assert_int_equal(left.held.envelope.rcpt.n, n);
}

static void
speaks_smtp(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(smtp_rows); i++) {
		const struct smtp_row *row = &smtp_rows[i];
		static struct server s;
		struct reinject_report report;
		char id[8];
		(void)snprintf(id, sizeof(id), "S%zu", i);
		enum reinject_status status = row_run(f, row, id, &s, &report);
		if (status != row->status)
			fail_msg("%s: %.*s: %.*s", row->label,
			    STR_ARG(reinject_status_name(status)),
			    STR_ARG(report.mta.reply));
		if (strstr(s.log, row->says) == NULL)
			fail_msg("%s: client said %s", row->label, s.log);
		if (row->reply != NULL)
			assert_str(report.mta.reply, row->reply);
		assert_int_equal(report.sent, row->sent);
		assert_int_equal(report.was_seen, row->was_seen);
		assert_int_equal(count_tokens(f), 0);
		assert_recipients_left(f, id, row->left);
	}
}

static void
nobody_listens(void **state)
{
	struct fixture *f = *state;
	struct reinject_report report;
	pthread_t thread;
	static const char *const script[] = {"220 x", NULL};
	struct server s = {.script = script};
	struct held_entry entry = keep(f, "N1", 1, STR("\nx\n"));
	struct reinjection how = how_by(f, server_start(&s, f, &thread));
	(void)shutdown(s.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(s.fd);
	assert_int_equal(
	    reinject(f->a, &how, &entry, &report), REINJECT_FAILED);
	assert_true(str_find(report.mta.reply, STR("refused")) != STR_NONE);
	assert_int_equal(count_tokens(f), 0);
}

static void
a_silent_server_times_out(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	static const char *const script[] = {
	    "220 x", "250-half a reply", "250 never", NULL};
	struct server s = {.script = script};
	struct strs rcpt = {0};
	struct inject_result result = {.reply = STR_EMPTY};
	struct str via = server_start(&s, f, &thread);
	strs_add(f->a, &rcpt, STR("a@b"));
	struct injection in = {
	    .from = STR("a@b"), .rcpt = &rcpt, .text = STR("\nx\n")};
	struct smtp_options options = {.host = STR("127.0.0.1"),
	    .port = str_skip(via, str_rchr(via, ':') + 1),
	    .connect_ms = 1000,
	    .command_ms = 200};
	int64_t begin = clock_ms();
	assert_int_equal(smtp_send(f->a, &options, &in, &result), INJECT_TEMP);
	assert_true(clock_ms() - begin < 5000);
	(void)shutdown(s.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(s.fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(is_good_once),
    TEST(withdrawn_it_is_good_no_more),
    TEST(expires),
    TEST(a_changed_field_is_forged),
    TEST(another_body_is_forged),
    TEST(survives_what_an_mta_does),
    TEST(another_hosts_release_is_forged),
    TEST(all_who_start_at_once_get_one_key),
    TEST(a_key_others_could_read_is_refused),
    cmocka_unit_test(finds_the_body),
    TEST(writes_its_field_and_takes_others_out),
    TEST(stuffs_dots_and_ends_lines),
    cmocka_unit_test(knows_safe_addresses),
    TEST(checks_the_way_out),
    TEST(a_command_gets_the_envelope_and_the_message),
    TEST(what_a_command_refuses_is_held_still),
    TEST(many_recipients_go_in_batches),
    TEST(odd_recipients_do_not_reach_a_command),
    TEST(tampered_mail_needs_force),
    TEST(speaks_smtp),
    TEST(nobody_listens),
    TEST(a_silent_server_times_out),
};

UNIT_MAIN(tests)
