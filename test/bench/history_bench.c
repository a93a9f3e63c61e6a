/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history_bench -- a history as a mail server of some thousand users makes it,
 * and what it costs to keep it.
 *	history_bench ENTRIES DIR [MB]
 * It stays in DIR for test/bench/history to search.  It has at most so many MB,
 * 64 GB without.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/history.h"
#include "state/place.h"

#define DAYS 28
#define RULES 300
#define SETTLE_EVERY 2000

static uint64_t random_state = 88172645463325252U;

static uint64_t
random_below(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % n;
}

struct texts {
	char queue_id[16], id[20], message_id[80], sender[40], login[20];
	char client[20], host[40], subject[60], rcpt[3][40];
	char rule[12][24], evidence[12][48];
};

#define PRINT(to, ...) (void)snprintf(to, sizeof(to), __VA_ARGS__)

static void
hits_make(struct texts *t, struct history_entry *e)
{
	e->nhits = 2 + random_below(10);
	e->nhits_all = (uint32_t)e->nhits;
	for (size_t i = 0; i < e->nhits; i++) {
		PRINT(t->rule[i], "SOME_RULE_%03u",
		    (unsigned)random_below(RULES));
		PRINT(t->evidence[i], "what it saw: %llx",
		    (unsigned long long)random_below(UINT32_MAX));
		double score = (double)random_below(1500) / 1000;
		e->hits[i] = (struct mail_hit){
		    str_from(t->rule[i]), score, 1, str_from(t->evidence[i])};
		e->score += score;
	}
}

static void
texts_make(struct texts *t, uint64_t user, struct history_entry *e)
{
	PRINT(t->queue_id, "4Xk%08llx",
	    (unsigned long long)random_below(UINT32_MAX));
	PRINT(t->message_id, "%016llx.%08llx@mail%02u.example.org",
	    (unsigned long long)random_below(UINT64_MAX),
	    (unsigned long long)random_below(UINT32_MAX),
	    (unsigned)random_below(100));
	PRINT(t->sender, "user%05u@example%02u.org", (unsigned)user,
	    (unsigned)user % 100);
	PRINT(t->login, "user%05u", (unsigned)user);
	PRINT(t->client, "198.51.%u.%u", (unsigned)user % 256,
	    (unsigned)random_below(256));
	PRINT(t->host, "host%u.example.net", (unsigned)user);
	PRINT(t->subject, "about matter %u of %u", (unsigned)random_below(9999),
	    (unsigned)user);
	e->nrcpt = 1 + random_below(3);
	e->nrcpt_all = (uint32_t)e->nrcpt;
	for (size_t i = 0; i < e->nrcpt; i++) {
		PRINT(t->rcpt[i], "mailbox%05u@remote%02u.example",
		    (unsigned)random_below(100000),
		    (unsigned)random_below(100));
		e->rcpt[i] = str_from(t->rcpt[i]);
	}
}

/* The shares of a day's mail. */
static void
verdict_make(struct texts *t, struct history_entry *e)
{
	bool is_held = e->score >= 6;
	e->text[HISTORY_ACTION] = is_held         ? STR("hold")
				  : e->score >= 4 ? STR("tag")
						  : STR("accept");
	e->text[HISTORY_PLACE] = is_held ? STR("quarantine") : STR("mta");
	e->text[HISTORY_REASON] = e->score >= 4 ? STR("score") : STR_EMPTY;
	e->threshold = is_held ? 6 : e->score >= 4 ? 4 : 0;
	if (is_held) {
		PRINT(t->id, "Vc%014llx",
		    (unsigned long long)random_below(UINT64_MAX >> 8));
		e->text[HISTORY_ID] = str_from(t->id);
	}
}

static void
entry_tell(struct memory *m, int64_t time_wall)
{
	struct texts t;
	struct history_entry e = {.time_wall = time_wall,
	    .class = CLASS_SUBMISSION,
	    .flags = HISTORY_IS_SCANNED | HISTORY_CAN_REFUSE,
	    .size_bytes = random_below(50000),
	    .us = 900};
	texts_make(&t, random_below(5000), &e);
	hits_make(&t, &e);
	verdict_make(&t, &e);
	const struct {
		enum history_text which;
		const char *text;
	} rest[] = {{HISTORY_QUEUE_ID, t.queue_id},
	    {HISTORY_MESSAGE_ID, t.message_id}, {HISTORY_SENDER, t.sender},
	    {HISTORY_LOGIN, t.login}, {HISTORY_CLIENT, t.client},
	    {HISTORY_HOST, t.host}, {HISTORY_HELO, "[192.168.1.7]"},
	    {HISTORY_SUBJECT, t.subject}, {HISTORY_SPF, "pass"},
	    {HISTORY_DKIM, "none"}, {HISTORY_DMARC, "pass"},
	    {HISTORY_PREFLIGHT, "pass"}, {HISTORY_SIGN, "example.org:mail"}};
	for (size_t i = 0; i < COUNT_OF(rest); i++)
		e.text[rest[i].which] = str_from(rest[i].text);
	history_record(m, &e);
}

/* It answers when all that was told is in. */
static void
settle(struct memory *m, struct arena *a)
{
	struct ledger_found found;
	while (
	    ledger_find(m, a, STR("x@x"), STR_EMPTY, 0, 1, &found) != MEMORY_OK)
		(void)usleep(10000);
	arena_reset(a);
}

static int64_t
tell_all(struct memory *m, uint64_t n)
{
	struct arena *a = arena_new();
	int64_t begin = clock_wall() - DAYS * 86400;
	int64_t cpu_ns = clock_cpu_ns();
	for (uint64_t i = 0; i < n; i++) {
		entry_tell(m, begin + (int64_t)(i * DAYS * 86400 / n));
		if (i % SETTLE_EVERY == 0)
			settle(m, a);
	}
	settle(m, a);
	arena_free(a);
	return clock_cpu_ns() - cpu_ns;
}

static void
figures_print(uint64_t n, const char *dir, int64_t with_ns, int64_t without_ns,
    int64_t ms)
{
	struct arena *a = arena_new();
	struct memory_reader *reader;
	struct memory_stats stats;
	struct str why;
	if (memory_read_open(a, str_from(dir), &reader, &why) != READER_OK ||
	    memory_read_stats(reader, &stats) != READER_OK)
		log_fatal("%s cannot be read", dir);
	printf("entries %llu, bytes used %llu (%.0f each)\n",
	    (unsigned long long)stats.history,
	    (unsigned long long)stats.used_bytes,
	    (double)stats.used_bytes / (double)stats.history);
	printf("telling: %.2f us CPU each in the one who tells; %.2f us in all "
	       "until it is in the file\n",
	    (double)(with_ns - without_ns) / 1000 / (double)n,
	    (double)ms * 1000 / (double)n);
	memory_read_close(reader);
	arena_free(a);
}

/* Until it answers. */
static void
start_time(
    struct arena *a, const struct memory_config *config, const char *what)
{
	struct str why;
	int64_t begin = clock_ms();
	struct memory *m = memory_start(a, config, &why);
	if (m == NULL)
		log_fatal("%.*s", STR_ARG(why));
	settle(m, a);
	printf("%s: %lld ms\n", what, (long long)(clock_ms() - begin));
	memory_stop(m);
}

static void
note_remove(const char *dir)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/" CLEAN_NOTE_FILE, dir);
	(void)unlink(path);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct str why;
	uint64_t n = 0, mb = 64 << 10;
	bool is_read = argc > 2 && str_u64(str_from(argv[1]), UINT32_MAX, &n);
	if (argc > 3)
		is_read = is_read && str_u64(str_from(argv[3]), 1 << 20, &mb);
	if (!is_read || n == 0) {
		(void)fputs("usage: history_bench ENTRIES DIR [MB]\n", stderr);
		return 2;
	}
	struct memory_config config = {.dir = str_from(argv[2]),
	    .size_bytes = (uint64_t)64 << 20,
	    .days = 30,
	    .history_bytes = mb << 20,
	    .history_days = 30};
	struct memory *m = memory_start(a, &config, &why);
	if (m == NULL)
		log_fatal("%.*s", STR_ARG(why));
	int64_t without_ns = clock_cpu_ns();
	for (uint64_t i = 0; i < n; i++)
		entry_tell(NULL, 0);
	without_ns = clock_cpu_ns() - without_ns;
	int64_t begin = clock_ms();
	int64_t with_ns = tell_all(m, n);
	int64_t ms = clock_ms() - begin;
	figures_print(n, argv[2], with_ns, without_ns, ms);
	memory_stop(m);
	start_time(a, &config, "start after an end in order");
	note_remove(argv[2]);
	start_time(a, &config, "start, with a check of the whole file");
	arena_free(a);
	return 0;
}
