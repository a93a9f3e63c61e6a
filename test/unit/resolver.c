/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolver -- the right answer or DNS_TEMP in time, whatever servers do.  The
 * server is test/tool/liar.c, in a thread.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>

#include "auth/resolver.h"
#include "base/clock.h"

#include "../tool/liar.h"

/*
 * How much later than it should an answer may come on a busy machine, and
 * what cannot be only that.
 */
#define SLACK_MS 2000
#define QUERY_MS 3000
#define SOON_MS 2000

static const char more_zone[] =
    "half.test any\n"
    "half.test ! slow 300\n"
    "a\\b\xff.example TXT odd\n"
    "short-ttl.example 1 A 192.0.2.1\n"
    "no-ttl.example 0 A 192.0.2.1\n"
    "long-ttl.example 999999 A 192.0.2.1\n"
    "mx.example MX 10 Mail.Example.\n"
    "1.2.0.192.in-addr.arpa PTR Mail.Example.\n"
    "six.example AAAA 2001:db8::1\n"
    "two.example TXT v=spf1 -all\n"
    "two.example TXT another\n"
    "mail.example TXT not an address\n"
    "nul.example TXT \\# 03610062\n"
    "no-address.example A \\# 010203\n"
    "dot.example PTR \\# 03612e62076578616d706c6500\n";

/* A server in a thread. */
struct service {
	struct liar *server;
	pthread_t thread;
};
static struct service common, lonely;
static struct liar *liar; /* the common one */

static void *
service_main(void *arg)
{
	struct service *service = arg;
	liar_run(service->server);
	return NULL;
}

static bool
service_start(struct service *service)
{
	struct str line;
	service->server = liar_new(0);
	return service->server != NULL &&
	       liar_load(service->server, str_from(liar_builtin), &line) &&
	       liar_load(service->server, str_from(more_zone), &line) &&
	       pthread_create(&service->thread, NULL, service_main, service) ==
		   0;
}

static void
service_stop(struct service *service)
{
	liar_stop(service->server);
	(void)pthread_join(service->thread, NULL);
	liar_free(service->server);
}

static struct resolver *
resolver_with(struct arena *a, struct resolver_config config,
    const char *server, struct str *ret_why)
{
	if (config.query_ms == 0)
		config.query_ms = QUERY_MS;
	if (config.hosts.p == NULL)
		config.hosts = STR_EMPTY;
	config.cache_bytes = 4 << 20;
	struct str rest = str_from(server);
	while (rest.len > 0)
		strs_add(a, &config.servers, str_cut(&rest, ' '));
	struct resolver *r = resolver_new(a, &config, ret_why);
	struct str why = STR_EMPTY;
	assert_int_equal(resolver_check(a, &config, &why), r != NULL);
	assert_true(r != NULL || str_eq(why, *ret_why));
	return r;
}

static struct resolver *
resolver_of(struct arena *a, const struct liar *server_liar, int64_t query_ms)
{
	struct str why = STR_EMPTY;
	struct str server =
	    str_printf(a, "127.0.0.1@%u", liar_port(server_liar));
	struct resolver *r =
	    resolver_with(a, (struct resolver_config){.query_ms = query_ms},
		str_c(a, server), &why);
	if (r == NULL)
		fail_msg("%.*s", STR_ARG(why));
	return r;
}

static struct resolver *
resolver_of_liar(struct arena *a, int64_t query_ms)
{
	return resolver_of(a, liar, query_ms);
}

static struct dns_budget
budget_of(int64_t ms)
{
	return (struct dns_budget){
	    .deadline_ms = clock_ms() + ms, .questions = 100};
}

static struct dns_answer
ask(struct resolver *r, struct arena *a, const char *name, enum dns_type type)
{
	struct dns_budget budget = budget_of(60000);
	struct dns_answer answer;
	resolver_ask(r, a, str_from(name), type, &budget, &answer);
	return answer;
}

static const char *
status_word(enum dns_status status)
{
	static const char *const words[] = {"ok", "nodata", "nxdomain", "temp"};
	return words[status];
}

/* As people write it. */
static void
put_record(struct buf *b, enum dns_type type, struct str record)
{
	char text[INET6_ADDRSTRLEN] = "";
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		assert_int_equal(record.len, type == DNS_A ? 4 : 16);
		(void)inet_ntop(type == DNS_A ? AF_INET : AF_INET6, record.p,
		    text, sizeof(text));
		buf_printf(b, "%s", text);
		return;
	case DNS_MX:
		assert_true(record.len >= 2);
		buf_printf(b, "%u ", (unsigned char)record.p[1]);
		buf_put(b, str_skip(record, 2));
		return;
	case DNS_PTR:
	case DNS_TXT:
		buf_put(b, record);
		return;
	}
}

/* "ok one|two", "nodata", "temp why". */
static struct str
shown(struct arena *a, enum dns_type type, const struct dns_answer *answer)
{
	struct buf *b = buf_new(a, 100000);
	buf_printf(b, "%s", status_word(answer->status));
	for (size_t i = 0; i < answer->records.n; i++) {
		buf_putc(b, i == 0 ? ' ' : '|');
		put_record(b, type, answer->records.v[i]);
	}
	if (*answer->why != '\0')
		buf_printf(b, " %s", answer->why);
	return buf_str(b);
}

static void
check(struct resolver *r, struct arena *a, const char *name, enum dns_type type,
    const char *want)
{
	struct dns_answer answer = ask(r, a, name, type);
	struct str got = shown(a, type, &answer);
	if (!str_eq(got, str_from(want)))
		fail_msg("%s: got [%.*s], want [%s]", name, STR_ARG(got), want);
}

/* ---- making one */

static const struct {
	const char *servers, *why; /* "": it is made */
} servers[] = {
    {"off", ""},
    {"192.0.2.1", ""},
    {"recursion", ""},
    {"192.0.2.1@5353 2001:db8::1 2001:db8::2@53", ""},
    {"", "dns: none are given"},
    {"foo", "dns: \"foo\" is not " RESOLVER_SERVER_FORMS},
    {"192.0.2.1 192.0.2.256",
	"dns: \"192.0.2.256\" is not " RESOLVER_SERVER_FORMS},
    {"192.0.2.1@99999",
	"dns: \"192.0.2.1@99999\" is not " RESOLVER_SERVER_FORMS},
    {"192.0.2.1@0", "dns: \"192.0.2.1@0\" is not " RESOLVER_SERVER_FORMS},
    {"192.0.2.1@", "dns: \"192.0.2.1@\" is not " RESOLVER_SERVER_FORMS},
    {"system 192.0.2.1", "dns: \"system\" stands alone"},
    {"192.0.2.1 recursion", "dns: \"recursion\" stands alone"},
    {"off off", "dns: \"off\" stands alone"},
    {"file:/x file:/y", "dns: \"file:/x\" stands alone"},
    {"file:", "dns: file: a path is missing"},
    {"file:/proc/nonexistent",
	"dns: /proc/nonexistent: No such file or directory"},
    {"file:/", "dns: /: Is a directory"},
};

static void
says_what_is_wrong_with_the_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(servers); i++) {
		struct arena *a = arena_new();
		struct str why = STR_EMPTY;
		struct resolver *r = resolver_with(
		    a, (struct resolver_config){0}, servers[i].servers, &why);
		assert_int_equal(r != NULL, *servers[i].why == '\0');
		assert_str(why, servers[i].why);
		resolver_free(r);
		arena_free(a);
	}
}

/* A file of `text` in a new place; its path. */
static struct str
file_of(struct arena *a, const char *text)
{
	char path[] = "/tmp/postern-resolver.XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return str_dup(a, str_from(path));
}

static struct resolver *
resolver_of_file(struct arena *a, const char *text, struct str *ret_path,
    struct str *ret_why)
{
	*ret_path = file_of(a, text);
	struct str server = str_printf(a, "file:%.*s", STR_ARG(*ret_path));
	struct resolver *r = resolver_with(
	    a, (struct resolver_config){0}, str_c(a, server), ret_why);
	(void)unlink(str_c(a, *ret_path));
	return r;
}

static const char zone_file[] =
    "; a comment, and an empty line\n"
    "\n"
    "a.example. 300 IN TXT \"v=spf1 \" \"-all\" ; the end\n"
    "a.example. 200 IN MX 10 Mail.Example.\n"
    "  # another\n"
    "b.example. 100 IN CNAME a.example.\n"
    "c.example. CNAME b.example.\n"
    "nowhere.example. CNAME none.example.\n"
    "loop.example. CNAME loop.example.\n"
    "0/25.2.0.192.in-addr.arpa. PTR A.Example.\n"
    "1.2.0.192.in-addr.arpa. CNAME 0/25.2.0.192.in-addr.arpa.\n"
    "x.test. A 192.0.2.7\n"
    "deep.under.example. TXT here\n";

static const struct {
	const char *name;
	enum dns_type type;
	const char *want;
	uint32_t ttl_s;
} in_file[] = {
    {"A.example.", DNS_TXT, "ok v=spf1 -all", 300},
    {"a.example", DNS_A, "nodata", 60},
    {"none.example", DNS_A, "nxdomain", 60},
    {"under.example", DNS_A, "nodata", 60},
    {"c.example", DNS_TXT, "ok v=spf1 -all", 100},
    {"c.example", DNS_A, "nodata", 60},
    {"nowhere.example", DNS_A, "nxdomain", 60},
    {"loop.example", DNS_A, "temp SERVFAIL", 1},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, "ok a.example", 3600},
    {"x.test", DNS_TXT, "nodata", 300},
    {"y.test", DNS_TXT, "nxdomain", 300},
    {"mail.good.test", DNS_A, "nxdomain", 300},
};

static void
answers_what_a_file_says_and_nothing_else(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str path, why = STR_EMPTY;
	struct resolver *r = resolver_of_file(a, zone_file, &path, &why);
	if (r == NULL)
		fail_msg("%.*s", STR_ARG(why));
	for (size_t i = 0; i < COUNT_OF(in_file); i++) {
		struct dns_answer answer =
		    ask(r, a, in_file[i].name, in_file[i].type);
		assert_str(shown(a, in_file[i].type, &answer), in_file[i].want);
		assert_int_equal(answer.ttl_s, in_file[i].ttl_s);
	}
	resolver_free(r);
	arena_free(a);
}

static void
says_which_line_of_a_file_is_wrong(void **state)
{
	(void)state;
	static const char *const bad[] = {"a.example. A 192.0.2.256",
	    "a.example.", "$TTL 300", "a.example. 300 IN",
	    "a.example. MX mail.example.", "a..example. A 192.0.2.1"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct arena *a = arena_new();
		struct str path, why = STR_EMPTY;
		struct str text = str_printf(
		    a, "\na.example. A 192.0.2.1\n%s\nrubbish", bad[i]);
		struct resolver *r =
		    resolver_of_file(a, str_c(a, text), &path, &why);
		if (r != NULL)
			fail_msg("%s", bad[i]);
		struct str want = str_printf(
		    a, "%.*s:3: no record as in a zone file", STR_ARG(path));
		assert_str(why, str_c(a, want));
		arena_free(a);
	}
}

static void
looks_into_the_hosts_file_first(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str path = file_of(a,
	    "# a comment\n192.0.2.9 Mail.Example alias.example # more\n"
	    "2001:db8::9\tgood.test\nfe80::1%lo0 localhost\nrubbish\n");
	struct str server = str_printf(a, "127.0.0.1@%u", liar_port(liar));
	struct str why = STR_EMPTY;
	struct resolver *r = resolver_with(
	    a, (struct resolver_config){.hosts = path}, str_c(a, server), &why);
	if (r == NULL)
		fail_msg("%.*s", STR_ARG(why));
	check(r, a, "mail.example", DNS_A, "ok 192.0.2.9");
	check(r, a, "ALIAS.example.", DNS_A, "ok 192.0.2.9");
	check(r, a, "mail.example", DNS_TXT, "ok not an address");
	check(r, a, "good.test", DNS_AAAA, "ok 2001:db8::9");
	check(r, a, "good.test", DNS_A, "ok 192.0.2.1");
	check(r, a, "localhost", DNS_A, "ok 127.0.0.1");
	(void)unlink(str_c(a, path));
	resolver_free(r);
	arena_free(a);
}

/* ---- asking */

static const struct {
	const char *name;
	enum dns_type type;
	const char *want; /* "temp": whatever the reason */
} answers[] = {
    {"good.test", DNS_A, "ok 192.0.2.1"},
    {"GOOD.Test.", DNS_TXT, "ok v=spf1 -all"},
    {"x.good.test", DNS_MX, "ok 10 mx.good.test"},
    {"good.test", DNS_AAAA, "nodata"},
    {"none.example", DNS_A, "nxdomain"},
    {"mx.example", DNS_MX, "ok 10 mail.example"},
    {"1.2.0.192.in-addr.arpa", DNS_PTR, "ok mail.example"},
    {"six.example", DNS_AAAA, "ok 2001:db8::1"},
    {"A\\B\xff.example", DNS_TXT, "ok odd"},
    {"b.slow.test", DNS_A, "ok 192.0.2.1"},
    {"b.late.test", DNS_A, "ok 192.0.2.1"},
    {"a.dead.test", DNS_A, "temp"},
    {"servfail.test", DNS_A, "temp SERVFAIL"},
    {"refused.test", DNS_A, "temp"},
    {"formerr.test", DNS_A, "temp"},
    {"nxdomain.test", DNS_A, "nxdomain"},
    {"wrong-id.test", DNS_A, "temp"},
    {"wrong-question.test", DNS_A, "temp"},
    /* what was not asked for is not an answer */
    {"other-name.test", DNS_A, "nodata"},
    {"truncate.test", DNS_TXT, "ok v=spf1 -all"},
    {"garbage.test", DNS_A, "temp"},
    {"short.test", DNS_A, "temp"},
    {"echo.test", DNS_A, "temp"},
    {"crowd.test", DNS_A, "temp limit"},
    {"loop.test", DNS_A, "temp SERVFAIL"},
    {"chain.test", DNS_TXT, "ok at the end"},
    {"chain.test", DNS_A, "ok 192.0.2.3"},
    {"nowhere.test", DNS_A, "nxdomain"},
    {"bad.test", DNS_TXT, "ok one good record"},
    {"no-address.example", DNS_A, "nodata"},
    {"dot.example", DNS_PTR, "nodata"},
    /* from here on: later, libunbound shares a connection among questions */
    {"tcp-dead.test", DNS_A, "temp"},
    {"tcp-cut.test", DNS_A, "temp"},
};
#define ANSWERS_LATER 2

/* A question in a thread of its own, and what became of it. */
struct asker {
	pthread_t thread;
	struct arena *arena;
	struct resolver *r;
	struct str name;
	enum dns_type type;
	int64_t deadline_ms; /* from when it asks */
	struct dns_budget budget;
	struct dns_answer answer;
	int64_t took_ms;
};

static void *
asker_main(void *arg)
{
	struct asker *asker = arg;
	int64_t from_ms = clock_ms();
	asker->budget = budget_of(asker->deadline_ms);
	resolver_ask(asker->r, asker->arena, asker->name, asker->type,
	    &asker->budget, &asker->answer);
	asker->took_ms = clock_ms() - from_ms;
	return NULL;
}

static void
asker_start(struct asker *asker, struct resolver *r, struct str name,
    enum dns_type type, int64_t deadline_ms)
{
	*asker = (struct asker){.arena = arena_new(),
	    .r = r,
	    .name = name,
	    .type = type,
	    .deadline_ms = deadline_ms};
	assert_int_equal(
	    pthread_create(&asker->thread, NULL, asker_main, asker), 0);
}

static void
asker_end(struct asker *asker)
{
	arena_free(asker->arena);
}

static void
askers_wait(struct asker *askers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
}

static void
answers_rightly_or_not_at_all_whatever_servers_do(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	static struct asker askers[COUNT_OF(answers)];
	size_t now = COUNT_OF(answers) - ANSWERS_LATER;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		if (i == now)
			askers_wait(askers, now);
		asker_start(&askers[i], r, str_from(answers[i].name),
		    answers[i].type, 60000);
	}
	askers_wait(askers + now, ANSWERS_LATER);
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct asker *asker = &askers[i];
		struct str got = shown(a, asker->type, &asker->answer);
		struct str want = str_from(answers[i].want);
		bool is_temp = asker->answer.status == DNS_TEMP;
		if (str_eq(want, STR("temp")) ? !is_temp : !str_eq(got, want))
			fail_msg("%s: got [%.*s], want [%s]", answers[i].name,
			    STR_ARG(got), answers[i].want);
		if (asker->took_ms > QUERY_MS + SLACK_MS)
			fail_msg("%s: %lld ms", answers[i].name,
			    (long long)asker->took_ms);
		assert_int_equal(asker->budget.has_temp, is_temp);
		assert_int_equal(asker->budget.asked, 1);
		assert_int_equal(asker->budget.questions, 99);
		asker_end(asker);
	}
	resolver_free(r);
	arena_free(a);
}

static void
reads_long_answers_and_bytes_of_any_value(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	unsigned by_tcp = liar_asked_tcp(liar);
	struct dns_answer answer = ask(r, a, "big.test", DNS_TXT);
	assert_int_equal(answer.records.n, 1);
	assert_int_equal(answer.records.v[0].len, 8192);
	assert_true(liar_asked_tcp(liar) > by_tcp);
	answer = ask(r, a, "many.test", DNS_A);
	assert_int_equal(answer.records.n, 200);
	answer = ask(r, a, "two.example", DNS_TXT);
	assert_int_equal(answer.records.n, 2);
	answer = ask(r, a, "nul.example", DNS_TXT);
	assert_int_equal(answer.records.n, 1);
	assert_int_equal(answer.records.v[0].len, 3);
	assert_memory_equal(answer.records.v[0].p, "a\0b", 3);
	resolver_free(r);
	arena_free(a);
}

static void
says_how_long_an_answer_is_good_for(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum dns_type type;
		uint32_t ttl_s;
	} rows[] = {
	    {"good.test", DNS_A, 300}, {"short-ttl.example", DNS_A, 1},
	    {"no-ttl.example", DNS_A, 1}, {"long-ttl.example", DNS_A, 3600},
	    {"chain.test", DNS_A, 30},      /* of an alias on the way */
	    {"none.example", DNS_A, 20},    /* of the SOA */
	    {"good.test", DNS_AAAA, 20},    /* the same for no data */
	    {"nxdomain.test", DNS_A, 60},   /* without SOA */
	    {"other-name.test", DNS_A, 60}, /* the same for no data */
	};
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dns_answer answer =
		    ask(r, a, rows[i].name, rows[i].type);
		if (answer.ttl_s != rows[i].ttl_s)
			fail_msg("%s: %u", rows[i].name, answer.ttl_s);
	}
	resolver_free(r);
	arena_free(a);
}

static void
asks_once_while_an_answer_is_good(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	check(r, a, "once.good.test", DNS_TXT, "ok v=spf1 -all");
	check(r, a, "none.example", DNS_TXT, "nxdomain");
	unsigned asked = liar_asked(liar);
	for (unsigned i = 0; i < 100; i++) {
		check(r, a, "Once.Good.test.", DNS_TXT, "ok v=spf1 -all");
		check(r, a, "none.example", DNS_TXT, "nxdomain");
	}
	assert_int_equal(liar_asked(liar), asked);
	resolver_free(r);
	arena_free(a);
}

static void
does_not_ask_for_what_is_no_name(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ".", "a..example", ".example",
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	unsigned asked = liar_asked(liar);
	struct dns_budget budget = {0};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct dns_answer answer;
		resolver_ask(r, a, str_from(bad[i]), DNS_A, &budget, &answer);
		assert_int_equal(answer.status, DNS_NXDOMAIN);
	}
	assert_int_equal(liar_asked(liar), asked);
	assert_false(budget.has_temp);
	resolver_free(r);
	arena_free(a);
}

static void
stays_within_the_budget(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	struct dns_answer answer;
	struct dns_budget budget = {
	    .deadline_ms = clock_ms() + 60000, .questions = 1};
	resolver_ask(r, a, STR("good.test"), DNS_A, &budget, &answer);
	assert_int_equal(answer.status, DNS_OK);
	assert_false(budget.has_temp);
	resolver_ask(r, a, STR("other.good.test"), DNS_A, &budget, &answer);
	assert_string_equal(answer.why, "limit");
	assert_true(budget.has_temp);
	assert_int_equal(budget.asked, 1);

	budget = budget_of(300);
	int64_t from_ms = clock_ms();
	resolver_ask(r, a, STR("budget.dead.test"), DNS_A, &budget, &answer);
	assert_string_equal(answer.why, "deadline");
	assert_in_range(clock_ms() - from_ms, 299, 300 + SLACK_MS);

	from_ms = clock_ms();
	resolver_ask(r, a, STR("other.good.test"), DNS_A, &budget, &answer);
	assert_string_equal(answer.why, "deadline");
	assert_in_range(clock_ms() - from_ms, 0, SOON_MS);
	assert_int_equal(budget.asked, 1);
	assert_true(budget.is_late);
	/* what is known takes no time */
	resolver_ask(r, a, STR("good.test"), DNS_A, &budget, &answer);
	assert_int_equal(answer.status, DNS_OK);
	assert_int_equal(budget.asked, 1);
	/* a wait that was cut says nothing about the name */
	struct resolver_stats stats;
	resolver_stats(r, &stats);
	assert_int_equal(stats.asked, 5);
	assert_int_equal(stats.answered, 2);
	assert_int_equal(stats.timeouts, 2);
	assert_int_equal(stats.failures, 1);
	assert_int_equal(stats.waiting, 0);
	assert_true(stats.waited_us >= 299000);
	resolver_free(r);
	arena_free(a);
}

/* ---- dead names, and dead servers */

#define CROWD 200
static struct asker crowd[CROWD];

static void
crowd_start(struct arena *a, struct resolver *r, const char *name_fmt)
{
	for (unsigned i = 0; i < CROWD; i++) {
		struct str name = str_printf(a, "%u.%s", i, name_fmt);
		asker_start(&crowd[i], r, name, DNS_TXT, 60000);
	}
}

/* All of them have heard nothing, in time. */
static void
crowd_end(int64_t wait_ms)
{
	askers_wait(crowd, CROWD);
	int64_t longest_ms = 0;
	for (unsigned i = 0; i < CROWD; i++) {
		assert_int_equal(crowd[i].answer.status, DNS_TEMP);
		if (crowd[i].took_ms > longest_ms)
			longest_ms = crowd[i].took_ms;
		asker_end(&crowd[i]);
	}
	print_message("# the longest wait: %lld ms\n", (long long)longest_ms);
	assert_in_range(longest_ms, 0, wait_ms + SLACK_MS);
}

/* The longest of `n` questions that were not asked before. */
static int64_t
longest_good_ms(struct resolver *r, struct arena *a, const char *what, int n)
{
	int64_t longest_ms = 0;
	for (int i = 0; i < n; i++) {
		struct str name = str_printf(a, "%d-%s.good.test", i, what);
		int64_t from_ms = clock_ms();
		check(r, a, str_c(a, name), DNS_A, "ok 192.0.2.1");
		int64_t took_ms = clock_ms() - from_ms;
		if (took_ms > longest_ms)
			longest_ms = took_ms;
	}
	return longest_ms;
}

static void
dead_names_do_not_hold_up_others(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	crowd_start(a, r, "crowd.dead.test");
	int64_t beside_ms = longest_good_ms(r, a, "beside", 200);
	crowd_end(QUERY_MS);
	/* it is not the servers that are dead: this takes half a second */
	check(r, a, "after.slow.test", DNS_A, "ok 192.0.2.1");
	int64_t after_ms = longest_good_ms(r, a, "after", 200);
	print_message("# good names: %lld ms beside, %lld ms after\n",
	    (long long)beside_ms, (long long)after_ms);
	assert_in_range(beside_ms, 0, SOON_MS);
	assert_in_range(after_ms, 0, SOON_MS);
	resolver_free(r);
	arena_free(a);
}

static void
who_asks_for_a_dead_name_again_is_told_at_once(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, 1000);
	/* libunbound itself knows after 2.5 s */
	crowd_start(a, r, "again.dead.test");
	crowd_end(1000);
	struct resolver_stats before, after;
	resolver_stats(r, &before);
	crowd_start(a, r, "again.dead.test");
	crowd_end(1000);
	resolver_stats(r, &after);
	assert_int_equal(after.asked - before.asked, CROWD);
	/* an average, as a few may have been forgotten meanwhile */
	uint64_t each_us = (after.waited_us - before.waited_us) / CROWD;
	print_message("# %u us each\n", (unsigned)each_us);
	assert_in_range(each_us, 0, 100000);
	resolver_free(r);
	arena_free(a);
}

static void
a_dead_zone_alone_is_not_taken_for_dead_servers(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	crowd_start(a, r, "alone.dead.test");
	crowd_end(QUERY_MS);
	(void)usleep(200000); /* for the servers' sign of life */
	check(r, a, "alone.slow.test", DNS_A, "ok 192.0.2.1");
	resolver_free(r);
	arena_free(a);
}

static void
a_late_answer_is_there_for_the_next_one(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, 200);
	check(r, a, "again.late.test", DNS_TXT, "temp timeout");
	check(r, a, "again.late.test", DNS_TXT, "temp timeout");
	int64_t until_ms = clock_ms() + 4000;
	struct dns_answer answer;
	do {
		(void)usleep(20000);
		answer = ask(r, a, "again.late.test", DNS_TXT);
	} while (answer.status == DNS_TEMP && clock_ms() < until_ms);
	assert_str(shown(a, DNS_TXT, &answer), "ok v=spf1 -all");
	resolver_free(r);
	arena_free(a);
}

static void
nobody_waits_long_when_no_server_answers(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, 2200);
	liar_set_dead(liar, true);
	crowd_start(a, r, "outage.good.test");
	crowd_end(2200);
	int64_t from_ms = clock_ms();
	for (unsigned i = 0; i < 4; i++) {
		struct str name = str_printf(a, "%u.later.good.test", i);
		check(r, a, str_c(a, name), DNS_A, "temp timeout");
	}
	int64_t took_ms = clock_ms() - from_ms;
	print_message("# four waits: %lld ms\n", (long long)took_ms);
	assert_in_range(took_ms, 0, 4 * 250 + SLACK_MS);

	/* it is noticed when they are back */
	liar_set_dead(liar, false);
	int64_t until_ms = clock_ms() + 10000;
	struct dns_answer answer;
	from_ms = clock_ms();
	for (unsigned i = 0;; i++) {
		struct str name = str_printf(a, "%u.back.good.test", i);
		answer = ask(r, a, str_c(a, name), DNS_A);
		if (answer.status == DNS_OK || clock_ms() > until_ms)
			break;
		(void)usleep(50000);
	}
	assert_int_equal(answer.status, DNS_OK);
	print_message(
	    "# back after %lld ms\n", (long long)(clock_ms() - from_ms));
	check(r, a, "back.slow.test", DNS_A, "ok 192.0.2.1");
	resolver_free(r);
	arena_free(a);
}

static void
what_is_fetched_before_is_there_when_it_is_asked_for(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	resolver_prefetch(r, STR("Before.half.test."), DNS_A);
	resolver_prefetch(r, STR(".."), DNS_A);
	(void)usleep(200000);
	int64_t from_ms = clock_ms();
	check(r, a, "before.half.test", DNS_A, "ok 192.0.2.1");
	int64_t took_ms = clock_ms() - from_ms;
	print_message("# %lld ms of 300\n", (long long)took_ms);
	unsigned asked = liar_asked(liar);
	resolver_prefetch(r, STR("before.half.test"), DNS_A);
	check(r, a, "before.half.test", DNS_A, "ok 192.0.2.1");
	assert_int_equal(liar_asked(liar), asked);
	resolver_free(r);
	arena_free(a);
}

static void
a_bounded_number_is_fetched_before(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	unsigned asked = liar_asked(liar);
	for (unsigned i = 0; i < 3000; i++) {
		struct str name = str_printf(a, "%u.fetch.dead.test", i);
		resolver_prefetch(r, name, DNS_A);
	}
	(void)usleep(400000);
	/* each may have been sent three times by now */
	assert_in_range(liar_asked(liar) - asked, 1, 3 * 256);
	assert_in_range(longest_good_ms(r, a, "fetch", 20), 0, SOON_MS);
	resolver_free(r);
	arena_free(a);
}

static void
ends_while_questions_are_on_their_way(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct arena *a = arena_new();
		struct resolver *r = resolver_of_liar(a, 100);
		for (unsigned k = 0; k < 100; k++) {
			const char *zones[] = {"dead", "slow", "good"};
			struct str name =
			    str_printf(a, "%u.end.%s.test", k, zones[k % 3]);
			resolver_prefetch(r, name, DNS_A);
		}
		if (i % 2 == 0)
			check(r, a, "end.dead.test", DNS_A, "temp timeout");
		resolver_free(r);
		arena_free(a);
	}
}

/* The liar has no signatures, and the root has a key. */
static void
unsigned_answers_are_temporary_when_signatures_are_wanted(void **state)
{
	(void)state;
	if (access("/usr/share/dns/root.key", R_OK) != 0) {
		print_message("# not tested: no package dns-root-data\n");
		return;
	}
	struct arena *a = arena_new();
	struct str server = str_printf(a, "127.0.0.1@%u", liar_port(liar));
	struct str why = STR_EMPTY;
	struct resolver *r =
	    resolver_with(a, (struct resolver_config){.has_dnssec = true},
		str_c(a, server), &why);
	if (r == NULL)
		fail_msg("%.*s", STR_ARG(why));
	check(r, a, "signed.good.test", DNS_A, "temp bogus");
	check(r, a, "localhost", DNS_A, "ok 127.0.0.1");
	resolver_free(r);
	arena_free(a);
}

/* Signals are for the threads of the program. */
static void
its_threads_take_no_signal(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct resolver *r = resolver_of_liar(a, QUERY_MS);
	sigset_t usr1, pending;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	/* it would end this process in a thread that does not block it */
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	kill(getpid(), SIGUSR1);
	check(r, a, "signal.good.test", DNS_A, "ok 192.0.2.1");
	sigpending(&pending);
	assert_true(sigismember(&pending, SIGUSR1));
	int got;
	sigwait(&usr1, &got);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	resolver_free(r);
	arena_free(a);
}

/*
 * A dead zone alone, a question a second: this is what makes libunbound with
 * its own times take the forwarder for dead.  It takes a while, so it is done
 * beside the other tests.
 */
#define LONELY_S 18
static struct resolver *lonely_resolver;
static struct arena *lonely_arena;
static pthread_t lonely_thread;

static void *
lonely_main(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < LONELY_S; i++) {
		struct str name = str_printf(lonely_arena, "%u.dead.test", i);
		resolver_prefetch(lonely_resolver, name, DNS_A);
		(void)sleep(1);
	}
	return NULL;
}

static void
a_dead_zone_alone_does_not_make_the_forwarder_dead(void **state)
{
	(void)state;
	(void)pthread_join(lonely_thread, NULL);
	int64_t took_ms =
	    longest_good_ms(lonely_resolver, lonely_arena, "lonely", 50);
	print_message("# good names: %lld ms\n", (long long)took_ms);
	assert_in_range(took_ms, 0, SOON_MS);
}

/* ---- without a network */

static void
source_for_test(void *arg, struct arena *a, struct str name, enum dns_type type,
    struct dns_answer *ret)
{
	++*(unsigned *)arg;
	assert_int_equal(ret->status, DNS_OK);
	assert_int_equal(ret->records.n, 0);
	assert_string_equal(ret->why, "");
	if (str_eq(name, STR("a.example")) && type == DNS_TXT)
		strs_add(a, &ret->records, STR("text"));
	else if (str_eq(name, STR("none.example")))
		ret->status = DNS_NXDOMAIN;
	else if (str_eq(name, STR("temp.example"))) {
		ret->status = DNS_TEMP;
		ret->why = "SERVFAIL";
	}
	ret->ttl_s = 100000;
}

static void
answers_may_come_from_a_function(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	unsigned calls = 0;
	struct resolver *r = resolver_new_source(source_for_test, &calls);
	check(r, a, "A.Example.", DNS_TXT, "ok text");
	check(r, a, "a.example", DNS_A, "nodata");
	check(r, a, "none.example", DNS_A, "nxdomain");
	check(r, a, "a..example", DNS_A, "nxdomain");
	assert_int_equal(calls, 3);
	struct dns_budget budget = {.deadline_ms = INT64_MAX, .questions = 2};
	struct dns_answer answer;
	resolver_ask(r, a, STR("a.example"), DNS_TXT, &budget, &answer);
	assert_int_equal(answer.ttl_s, 3600);
	assert_false(budget.has_temp);
	resolver_ask(r, a, STR("temp.example"), DNS_TXT, &budget, &answer);
	assert_str(shown(a, DNS_TXT, &answer), "temp SERVFAIL");
	assert_true(budget.has_temp);
	resolver_ask(r, a, STR("a.example"), DNS_TXT, &budget, &answer);
	assert_str(shown(a, DNS_TXT, &answer), "temp limit");
	assert_int_equal(budget.asked, 2);
	assert_int_equal(calls, 5);
	resolver_prefetch(r, STR("a.example"), DNS_TXT);
	assert_int_equal(calls, 5);
	assert_false(resolver_is_off(r));
	resolver_free(r);
	arena_free(a);
}

static void
answers_nothing_when_it_is_off(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct str why = STR_EMPTY;
	struct resolver *r =
	    resolver_with(a, (struct resolver_config){0}, "off", &why);
	assert_non_null(r);
	assert_true(resolver_is_off(r));
	check(r, a, "good.test", DNS_A, "temp off");
	resolver_prefetch(r, STR("good.test"), DNS_A);
	resolver_free(r);
	resolver_free(NULL);
	arena_free(a);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(says_what_is_wrong_with_the_servers),
    cmocka_unit_test(answers_what_a_file_says_and_nothing_else),
    cmocka_unit_test(says_which_line_of_a_file_is_wrong),
    cmocka_unit_test(looks_into_the_hosts_file_first),
    cmocka_unit_test(answers_rightly_or_not_at_all_whatever_servers_do),
    cmocka_unit_test(reads_long_answers_and_bytes_of_any_value),
    cmocka_unit_test(says_how_long_an_answer_is_good_for),
    cmocka_unit_test(asks_once_while_an_answer_is_good),
    cmocka_unit_test(does_not_ask_for_what_is_no_name),
    cmocka_unit_test(stays_within_the_budget),
    cmocka_unit_test(dead_names_do_not_hold_up_others),
    cmocka_unit_test(who_asks_for_a_dead_name_again_is_told_at_once),
    cmocka_unit_test(a_dead_zone_alone_is_not_taken_for_dead_servers),
    cmocka_unit_test(a_late_answer_is_there_for_the_next_one),
    cmocka_unit_test(nobody_waits_long_when_no_server_answers),
    cmocka_unit_test(what_is_fetched_before_is_there_when_it_is_asked_for),
    cmocka_unit_test(a_bounded_number_is_fetched_before),
    cmocka_unit_test(ends_while_questions_are_on_their_way),
    cmocka_unit_test(unsigned_answers_are_temporary_when_signatures_are_wanted),
    cmocka_unit_test(its_threads_take_no_signal),
    cmocka_unit_test(answers_may_come_from_a_function),
    cmocka_unit_test(answers_nothing_when_it_is_off),
    cmocka_unit_test(a_dead_zone_alone_does_not_make_the_forwarder_dead),
};

static int
begin(void **state)
{
	(void)state;
	/* of its_threads_take_no_signal() */
	sigset_t usr1;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	lonely_arena = arena_new();
	bool is_good = service_start(&common) && service_start(&lonely);
	if (!is_good)
		return -1;
	liar = common.server;
	lonely_resolver = resolver_of(lonely_arena, lonely.server, QUERY_MS);
	int err = pthread_create(&lonely_thread, NULL, lonely_main, NULL);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	return err;
}

static int
end(void **state)
{
	(void)state;
	resolver_free(lonely_resolver);
	arena_free(lonely_arena);
	service_stop(&lonely);
	service_stop(&common);
	return 0;
}

int
main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
