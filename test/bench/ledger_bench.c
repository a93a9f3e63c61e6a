/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_bench -- what the memory costs: bytes on disk for many entries, and
 * CPU for each message, of both processes together.
 *	ledger_bench [ENTRIES] [DIR]
 */
#include <dirent.h>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/memory.h"

#define SINGLES 5000
#define PACED 2000
#define LONE 100

static uint64_t random_state = 88172645463325252U;

static uint64_t
random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Texts as mail has them: a Message-ID of 50 bytes, addresses of 25. */
struct texts {
	char id[80], sender[80], rcpt[80], queue_id[16], client[16];
};

static struct ledger_entry
entry_make(struct texts *t)
{
	uint64_t n = random_u64(), m = random_u64();
	(void)snprintf(t->id, sizeof(t->id),
	    "%016llx.%08llx@mail%03u.example%03u.com", (unsigned long long)n,
	    (unsigned long long)(m >> 32), (unsigned)(m % 900 + 100),
	    (unsigned)(n % 900 + 100));
	(void)snprintf(t->sender, sizeof(t->sender), "user%07u@example%03u.com",
	    (unsigned)(m % 10000000), (unsigned)(n % 900 + 100));
	(void)snprintf(t->rcpt, sizeof(t->rcpt), "mailbox%05u@ours%02u.example",
	    (unsigned)(n >> 20) % 100000, (unsigned)(m >> 20) % 100);
	(void)snprintf(t->queue_id, sizeof(t->queue_id), "4Xk%08llx",
	    (unsigned long long)(m & UINT32_MAX));
	(void)snprintf(t->client, sizeof(t->client), "203.0.%u.%u",
	    (unsigned)(n >> 8) & 255, (unsigned)n & 255);
	return (struct ledger_entry){
	    .time_wall = clock_wall(),
	    .class = CLASS_INBOUND,
	    .message_id = str_from(t->id),
	    .sender = str_from(t->sender),
	    .rcpt = {str_from(t->rcpt)},
	    .nrcpt = 1,
	    .nrcpt_all = 1,
	    .queue_id = str_from(t->queue_id),
	    .client_addr = str_from(t->client),
	    .spf = 2,
	    .dkim = 1,
	    .dmarc = 1,
	    .standing = 1,
	};
}

/* ---- CPU of all processes of this group, in us */

/* /proc counts in steps of 10 ms, schedstat in ns, per thread. */
static double
cpu_of(pid_t pid)
{
	char path[64];
	unsigned long long ns = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	FILE *in = fopen(path, "r");
	if (in == NULL)
		return 0;
	if (fscanf(in, "%llu", &ns) != 1)
		ns = 0;
	(void)fclose(in);
	return (double)ns / 1000;
}

static pid_t
child_of(pid_t parent)
{
	char path[64], line[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)parent, (int)parent);
	FILE *in = fopen(path, "r");
	if (in == NULL)
		return 0;
	bool is_read = fgets(line, sizeof(line), in) != NULL;
	(void)fclose(in);
	return is_read ? (pid_t)strtol(line, NULL, 10) : 0;
}

static double
cpu_all(void)
{
	pid_t watcher = child_of(getpid());
	return cpu_of(getpid()) + cpu_of(watcher) + cpu_of(child_of(watcher));
}

/* ---- */

/* Wait until all that was told is in the file. */
static void
settle(struct memory *m, struct arena *a)
{
	struct ledger_found found;
	while (ledger_find(m, a, STR("nobody"), STR_EMPTY, 0, 1, &found) !=
	       MEMORY_OK)
		(void)usleep(10000);
	arena_reset(a);
}

static void
record_many(struct memory *m, struct arena *a, uint64_t n)
{
	struct texts t;
	for (uint64_t i = 0; i < n; i++) {
		struct ledger_entry e = entry_make(&t);
		ledger_record(m, &e);
		/* the ring holds 50,000 of them */
		if (i % 10000 == 9999)
			settle(m, a);
	}
	settle(m, a);
}

/* What making up the texts costs. */
static double
texts_us(void)
{
	struct texts t;
	double before = cpu_of(getpid());
	for (int i = 0; i < 100000; i++) {
		struct ledger_entry e = entry_make(&t);
		(void)e;
	}
	return (cpu_of(getpid()) - before) / 100000;
}

/* One at a time: the keeper sleeps before each one.  NULL: what the loop costs.
 */
static double
singles_us(struct memory *m, int n, unsigned pause_us)
{
	struct texts t;
	(void)usleep(1500000);
	double before = cpu_all();
	for (int i = 0; i < n; i++) {
		struct ledger_entry e = entry_make(&t);
		ledger_record(m, &e);
		(void)usleep(pause_us);
	}
	(void)usleep(1500000);
	return (cpu_all() - before) / n;
}

static double
finds_us(struct memory *m, struct arena *a, int n)
{
	struct texts t;
	double before = cpu_all();
	for (int i = 0; i < n; i++) {
		struct ledger_found found;
		struct ledger_entry e = entry_make(&t);
		if (ledger_find(m, a, e.sender, e.message_id, 0, 8, &found) !=
		    MEMORY_OK)
			log_warning("a question was not answered");
		arena_reset(a);
	}
	return (cpu_all() - before) / n;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static uint64_t
bytes_on_disk(const char *dir)
{
	char path[256];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/memory.mdb", dir);
	return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* How many are in the file, as the commands see it. */
static uint64_t
entries_in(struct arena *a, const char *dir)
{
	struct memory_reader *reader;
	struct memory_stats stats = {0};
	struct str why;
	if (memory_read_open(a, str_from(dir), &reader, &why) != READER_OK)
		return 0;
	if (memory_read_stats(reader, &stats) != READER_OK)
		log_warning("%s cannot be read", dir);
	memory_read_close(reader);
	return stats.entries;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct str why;
	uint64_t n = 10000000;
	const char *dir = argc > 2 ? argv[2] : "/tmp/ledger-bench";
	if (argc > 1 && !str_u64(str_from(argv[1]), UINT32_MAX, &n))
		return 2;
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	struct memory_config config = {
	    .dir = str_from(dir), .size_bytes = (uint64_t)2 << 30, .days = 30};
	struct memory *m = memory_start(a, &config, &why);
	if (m == NULL)
		log_fatal("%.*s", STR_ARG(why));
	double texts = texts_us();
	double before = cpu_all();
	int64_t begin = clock_ms();
	record_many(m, a, n);
	double many = (cpu_all() - before) / (double)n - texts;
	int64_t ms = clock_ms() - begin;
	double tight =
	    singles_us(m, SINGLES, 900) - singles_us(NULL, SINGLES, 900);
	double paced =
	    singles_us(m, PACED, 5000) - singles_us(NULL, PACED, 5000);
	double lone =
	    singles_us(m, LONE, 100000) - singles_us(NULL, LONE, 100000);
	double find = finds_us(m, a, SINGLES) - texts;
	uint64_t bytes = bytes_on_disk(dir);
	n = entries_in(a, dir);
	printf("| entries | bytes on disk | bytes each | burst, us CPU each | "
	       "some 1,000/s | 180/s | 10/s | find | s for all |\n"
	       "|---|---|---|---|---|---|---|---|---|\n"
	       "| %llu | %llu | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | "
	       "%.0f |\n",
	    (unsigned long long)n, (unsigned long long)bytes,
	    (double)bytes / (double)n, many, tight, paced, lone, find,
	    (double)ms / 1000);
	begin = clock_ms();
	memory_stop(m);
	printf("\nstop: %lld ms\n", (long long)(clock_ms() - begin));
	begin = clock_ms();
	m = memory_start(a, &config, &why);
	settle(m, a);
	printf("start, with a check of the whole file: %lld ms\n",
	    (long long)(clock_ms() - begin));
	memory_stop(m);
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(a);
	return 0;
}
