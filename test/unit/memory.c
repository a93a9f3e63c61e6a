/* SPDX-License-Identifier: BSD-2-Clause */
/* memory -- what is told comes back, through the real keeper, whatever happens
 * to it and to its file. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/clean_note.h"
#include "state/memory.h"
#include "state/store.h"

#define MB ((uint64_t)1 << 20)
#define DAY 86400

struct fixture {
	struct arena *a;
	char top[64], dir[96], file[128];
	struct memory_config config;
	struct memory *m;
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
start(struct fixture *f)
{
	struct str why;
	f->m = memory_start(f->a, &f->config, &why);
	if (f->m == NULL)
		print_error("%.*s\n", STR_ARG(why));
	assert_non_null(f->m);
}

static void
stop(struct fixture *f)
{
	memory_stop(f->m);
	f->m = NULL;
}

static void
restart(struct fixture *f)
{
	stop(f);
	start(f);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->a = arena_new();
	(void)snprintf(f->top, sizeof(f->top), "/tmp/unit-memory-XXXXXX");
	assert_non_null(mkdtemp(f->top));
	(void)snprintf(f->dir, sizeof(f->dir), "%s/ledger", f->top);
	(void)snprintf(f->file, sizeof(f->file), "%s/memory.mdb", f->dir);
	f->config = (struct memory_config){
	    .dir = str_from(f->dir), .size_bytes = 64 * MB, .days = 30};
	start(f);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	memory_stop(f->m);
	(void)nftw(f->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(f->a);
	free(f);
	return 0;
}

/* ---- shorthand */

static struct ledger_entry
entry(const char *sender, const char *id)
{
	return (struct ledger_entry){
	    .time_wall = clock_wall(),
	    .class = CLASS_INBOUND,
	    .message_id = str_from(id),
	    .sender = str_from(sender),
	    .rcpt = {STR("us@ours.example")},
	    .nrcpt = 1,
	    .nrcpt_all = 1,
	    .queue_id = STR_EMPTY,
	    .client_addr = STR_EMPTY,
	};
}

static void
record(struct fixture *f, const char *sender, const char *id)
{
	struct ledger_entry e = entry(sender, id);
	ledger_record(f->m, &e);
}

static enum memory_status
find(struct fixture *f, const char *sender, const char *id,
    struct ledger_found *ret)
{
	*ret = (struct ledger_found){0};
	return ledger_find(
	    f->m, f->a, str_from(sender), str_from(id), 0, 64, ret);
}

static size_t
count(struct fixture *f, const char *sender, const char *id)
{
	struct ledger_found found;
	assert_int_equal(find(f, sender, id, &found), MEMORY_OK);
	return found.n;
}

/* The keeper is being started, or looks at its file: not for long. */
static void
wait_for_answer(struct fixture *f)
{
	struct ledger_found found;
	int64_t end = clock_ms() + 30000;
	while (find(f, "nobody@x.example", "", &found) != MEMORY_OK) {
		assert_true(clock_ms() < end);
		(void)usleep(20000);
	}
}

static size_t
broken_files(struct fixture *f)
{
	size_t n = 0;
	struct dirent *e;
	DIR *dir = opendir(f->dir);
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "memory.mdb.broken-", 18) == 0)
			n++;
	(void)closedir(dir);
	return n;
}

/* Children of `parent`, from /proc: the watcher, the worker. */
static pid_t
child_of(pid_t parent)
{
	char path[64], line[256];
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)parent, (int)parent);
	FILE *in = fopen(path, "r");
	if (in == NULL)
		return 0;
	bool is_read = fgets(line, sizeof(line), in) != NULL;
	(void)fclose(in);
	return is_read ? (pid_t)strtol(line, NULL, 10) : 0;
}

static pid_t
worker(void)
{
	int64_t end = clock_ms() + 10000;
	for (;;) {
		pid_t pid = child_of(child_of(getpid()));
		if (pid > 0 || clock_ms() > end)
			return pid;
		(void)usleep(2000);
	}
}

static void
end_child(pid_t pid, int signal)
{
	assert_true(pid > 0);
	assert_int_equal(kill(pid, signal), 0);
}

static void
write_at(const char *path, off_t at, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	assert_int_equal(close(fd), 0);
}

/* Bytes that no file of ours has, over `n` bytes from `at` on. */
static void
garbage_at(const char *path, off_t at, size_t n)
{
	char *bytes = malloc(n);
	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 167 + 13 + i / 251);
	write_at(path, at, bytes, n);
	free(bytes);
}

/* ---- the ledger */

static void
what_is_recorded_is_found_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct ledger_found found;
	struct ledger_entry e = entry("Bob@Sender.Example", "Id.1@x");
	e.rcpt[1] = STR("two@ours.example");
	e.nrcpt = 2;
	e.nrcpt_all = 70000;
	e.queue_id = STR("4Xk2vB1Zz");
	e.client_addr = STR("2001:db8::7");
	e.spf = 3;
	e.dkim = 15;
	e.dmarc = 2;
	e.standing = 4;
	e.has_login = e.is_auto = true;
	ledger_record(f->m, &e);
	assert_int_equal(
	    find(f, "bob@sender.example", "Id.1@x", &found), MEMORY_OK);
	assert_int_equal(found.n, 1);
	const struct ledger_entry *got = found.v;
	assert_int_equal(got->time_wall, e.time_wall);
	assert_int_equal(got->class, CLASS_INBOUND);
	assert_str(got->message_id, "Id.1@x");
	assert_str(got->sender, "Bob@Sender.Example");
	assert_int_equal(got->nrcpt, 2);
	assert_int_equal(got->nrcpt_all, 70000);
	assert_str(got->rcpt[1], "two@ours.example");
	assert_str(got->queue_id, "4Xk2vB1Zz");
	assert_str(got->client_addr, "2001:db8::7");
	assert_int_equal(got->spf, 3);
	assert_int_equal(got->dkim, 15);
	assert_int_equal(got->dmarc, 2);
	assert_int_equal(got->standing, 4);
	assert_true(got->has_login);
	assert_true(got->is_auto);
}

static void
a_sender_has_no_case_and_a_message_id_has(void **state)
{
	struct fixture *f = *state;
	record(f, "A@B.example", "Case@x");
	static const struct {
		const char *sender, *id;
		size_t n;
	} cases[] = {
	    {"a@b.EXAMPLE", "Case@x", 1},
	    {"a@b.example", "", 1},
	    {"a@b.example", "case@x", 0},
	    {"other@b.example", "Case@x", 0},
	    {"", "Case@x", 0},
	    {"", "", 0},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(
		    count(f, cases[i].sender, cases[i].id), cases[i].n);
}

static void
the_null_sender_is_a_sender(void **state)
{
	struct fixture *f = *state;
	record(f, "", "bounce@x");
	record(f, "a@b.example", "bounce@x");
	record(f, "a@b.example", "");
	assert_int_equal(count(f, "", "bounce@x"), 1);
	assert_int_equal(count(f, "", ""), 1);
	assert_int_equal(count(f, "a@b.example", ""), 2);
}

static void
the_newest_come_first_and_the_rest_is_cut(void **state)
{
	struct fixture *f = *state;
	struct ledger_found found;
	for (int i = 0; i < 100; i++) {
		struct ledger_entry e = entry("s@x.example", "same@x");
		e.time_wall -= 100 - i;
		ledger_record(f->m, &e);
	}
	assert_int_equal(ledger_find(f->m, f->a, STR("s@x.example"),
			     STR("same@x"), 0, 10, &found),
	    MEMORY_OK);
	assert_int_equal(found.n, 10);
	assert_true(found.is_cut);
	for (size_t i = 1; i < found.n; i++)
		assert_true(found.v[i - 1].time_wall > found.v[i].time_wall);
	assert_int_equal(ledger_find(f->m, f->a, STR("s@x.example"),
			     STR("same@x"), found.v[4].time_wall, 64, &found),
	    MEMORY_OK);
	assert_int_equal(found.n, 5);
	assert_false(found.is_cut);
}

static void
what_is_older_than_the_days_is_not_found(void **state)
{
	struct fixture *f = *state;
	struct ledger_entry e = entry("s@x.example", "old@x");
	e.time_wall -= 31 * (int64_t)DAY;
	ledger_record(f->m, &e);
	e = entry("s@x.example", "young@x");
	e.time_wall -= 29 * (int64_t)DAY;
	ledger_record(f->m, &e);
	assert_int_equal(count(f, "s@x.example", "old@x"), 0);
	assert_int_equal(count(f, "s@x.example", "young@x"), 1);
	f->config.days = 1;
	memory_configure(f->m, &f->config);
	assert_int_equal(count(f, "s@x.example", "young@x"), 0);
}

static void
long_texts_are_cut_and_still_found(void **state)
{
	struct fixture *f = *state;
	struct ledger_found found;
	char id[400], sender[400];
	memset(id, 'i', sizeof(id));
	memset(sender, 's', sizeof(sender));
	struct ledger_entry e = entry("", "");
	e.message_id = str_of(id, sizeof(id));
	e.sender = str_of(sender, sizeof(sender));
	for (size_t i = 0; i < LEDGER_RCPT_MAX; i++)
		e.rcpt[i] = e.sender;
	e.nrcpt = LEDGER_RCPT_MAX;
	e.nrcpt_all = 1000;
	e.queue_id = e.client_addr = e.sender;
	for (int i = 0; i < 64; i++)
		ledger_record(f->m, &e);
	assert_int_equal(
	    ledger_find(f->m, f->a, e.sender, e.message_id, 0, 64, &found),
	    MEMORY_OK);
	assert_in_range(found.n, 1, 64);
	assert_true(found.n == 64 || found.is_cut);
	assert_int_equal(found.v[0].message_id.len, LEDGER_ID_BYTES);
	assert_int_equal(found.v[0].rcpt[19].len, LEDGER_PATH_BYTES);
}

static void
any_bytes_come_back(void **state)
{
	struct fixture *f = *state;
	struct ledger_found found;
	struct ledger_entry e = entry("", "");
	e.message_id = STR("\0\xff\n\"@x");
	e.sender = STR("\x80\0A@x");
	e.client_addr = STR("not an address");
	ledger_record(f->m, &e);
	assert_int_equal(ledger_find(f->m, f->a, STR("\x80\0a@x"), e.message_id,
			     0, 64, &found),
	    MEMORY_OK);
	assert_int_equal(found.n, 1);
	assert_true(str_eq(found.v[0].sender, e.sender));
	assert_str(found.v[0].client_addr, "not an address");
}

static void
a_find_sees_all_that_its_thread_has_told(void **state)
{
	struct fixture *f = *state;
	char id[32];
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(id, sizeof(id), "%d@x", i);
		record(f, "s@x.example", id);
		if (i % 7 == 0)
			assert_int_equal(count(f, "s@x.example", id), 1);
	}
}

static void *
many_calls(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new();
	char id[64];
	size_t failed = 0;
	for (int i = 0; i < 300; i++) {
		struct ledger_found found = {0};
		(void)snprintf(id, sizeof(id), "%d.%lx@x", i,
		    (unsigned long)pthread_self());
		struct ledger_entry e = entry("s@x.example", id);
		ledger_record(f->m, &e);
		if (ledger_find(f->m, a, e.sender, e.message_id, 0, 4,
			&found) != MEMORY_OK ||
		    found.n != 1 ||
		    !str_eq(found.v[0].message_id, e.message_id))
			failed++;
		arena_reset(a);
	}
	arena_free(a);
	return (void *)(uintptr_t)failed;
}

static void
many_threads_get_their_own_answers(void **state)
{
	pthread_t threads[40];
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, many_calls, *state), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		void *failed;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void
correspondence_has_no_case_and_a_time(void **state)
{
	struct fixture *f = *state;
	struct strs theirs = {0};
	int64_t when, now = clock_wall();
	strs_add(f->a, &theirs, STR("Her@There.example"));
	strs_add(f->a, &theirs, STR("him@there.example"));
	memory_wrote(f->m, STR("me@ours.example"), &theirs);
	static const struct {
		const char *ours, *theirs;
		bool has_written;
	} cases[] = {
	    {"ME@ours.example", "her@there.example", true},
	    {"me@ours.example", "HIM@there.example", true},
	    {"you@ours.example", "her@there.example", false},
	    {"her@there.example", "me@ours.example", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(
		    memory_has_written(f->m, str_from(cases[i].ours),
			str_from(cases[i].theirs), &when),
		    MEMORY_OK);
		if (cases[i].has_written)
			assert_in_range(when, now, now + 60);
		else
			assert_int_equal(when, 0);
	}
}

/* ---- budgets */

/* The origin of times in tests of budgets; 4600 is about now. */
static int64_t
origin(void)
{
	static int64_t begin;
	if (begin == 0)
		begin = clock_wall() - 4600;
	return begin;
}

static size_t
take(struct fixture *f, const char *key, unsigned limit, unsigned window,
    int64_t at)
{
	struct budget_row row = {str_from(key), limit, window};
	size_t full = 99;
	assert_int_equal(
	    budget_take(f->m, &row, 1, origin() + at, &full), MEMORY_OK);
	return full;
}

static void
a_budget_is_a_sliding_window(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int64_t at;
		size_t full; /* 1: taken */
	} steps[] = {{4600, 1}, {4600, 1}, {4650, 1}, {4650, 0}, {4699, 0},
	    {4700, 1}, {4700, 1}, {4700, 0}, {4749, 0}, {4750, 1}, {4750, 0}};
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		assert_int_equal(
		    take(f, "key", 3, 100, steps[i].at), steps[i].full);
	assert_int_equal(take(f, "other", 3, 100, 4750), 1);
	assert_int_equal(take(f, "never", 0, 100, 4750), 0);
}

static void
all_rows_are_taken_or_none(void **state)
{
	struct fixture *f = *state;
	struct budget_row rows[] = {{STR("one"), 5, 100}, {STR("two"), 2, 100}};
	size_t full;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    budget_take(f->m, rows, 2, origin() + 4600, &full),
		    MEMORY_OK);
		assert_int_equal(full, i < 2 ? 2 : 1);
	}
	/* two of five are taken from the first, not four */
	for (int i = 0; i < 4; i++)
		assert_int_equal(take(f, "one", 5, 100, 4600), i < 3 ? 1 : 0);
}

static void
a_restart_keeps_budgets(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(f, "key", 3, 100, 4600), 1);
	restart(f);
	assert_int_equal(take(f, "key", 3, 100, 4650), 0);
	assert_int_equal(take(f, "key", 3, 100, 4700), 1);
}

static void
a_clock_that_goes_back_locks_no_budget_for_ever(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(f, "key", 3, 100, 1000000000), 1);
	assert_int_equal(take(f, "key", 3, 100, 4600), 1);
	/* a step back within the window frees nothing */
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(f, "near", 3, 100, 4650), 1);
	assert_int_equal(take(f, "near", 3, 100, 4600), 0);
}

static void
a_large_budget_is_exact(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2500; i++)
		assert_int_equal(take(f, "key", 2500, 3600, 4600 + i / 10), 1);
	assert_int_equal(take(f, "key", 2500, 3600, 4850), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(take(f, "key", 2500, 3600, 8200), 1);
	assert_int_equal(take(f, "key", 2500, 3600, 8200), 0);
}

/* ---- what happens to the keeper */

static void
killing_the_worker_loses_nothing(void **state)
{
	struct fixture *f = *state;
	char id[32];
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(id, sizeof(id), "%d@x", i);
		record(f, "s@x.example", id);
		if (i % 400 == 200)
			end_child(worker(), SIGKILL);
	}
	wait_for_answer(f);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(id, sizeof(id), "%d@x", i);
		if (count(f, "s@x.example", id) != 1) {
			print_error(
			    "%s: %zu\n", id, count(f, "s@x.example", id));
			fail();
		}
	}
	assert_int_equal(broken_files(f), 0);
}

/* Some thousand wait for their index; the next keeper makes it again. */
static void
what_had_no_index_yet_is_found_after_a_kill(void **state)
{
	static const int some[] = {0, 8190, 8191, 8192, 8193, 16384, 19999};
	struct fixture *f = *state;
	char id[32];
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(id, sizeof(id), "%d@x", i);
		record(f, "s@x.example", id);
		if (i % 1000 == 999)
			assert_int_equal(count(f, "s@x.example", id), 1);
	}
	for (int kills = 0; kills < 3; kills++) {
		for (size_t i = 0; i < COUNT_OF(some); i++) {
			(void)snprintf(id, sizeof(id), "%d@x", some[i]);
			assert_int_equal(count(f, "s@x.example", id), 1);
		}
		if (kills == 1)
			restart(f);
		else
			end_child(worker(), SIGKILL);
		wait_for_answer(f);
	}
	assert_int_equal(broken_files(f), 0);
}

static void
a_worker_that_crashes_is_started_again(void **state)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT};
	struct fixture *f = *state;
	record(f, "s@x.example", "id@x");
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		assert_int_equal(count(f, "s@x.example", "id@x"), 1);
		end_child(worker(), signals[i]);
		wait_for_answer(f);
		/* now and then it is seen to work */
		(void)usleep(1100000);
		record(f, "s@x.example", "next@x");
		(void)usleep(1100000);
	}
	assert_int_equal(count(f, "s@x.example", "id@x"), 1);
	assert_int_equal(broken_files(f), 0);
}

static void
killing_the_keeper_whole_is_noticed(void **state)
{
	struct fixture *f = *state;
	record(f, "s@x.example", "before@x");
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	pid_t watcher = child_of(getpid()), work = worker();
	end_child(watcher, SIGKILL);
	(void)kill(work, SIGKILL);
	record(f, "s@x.example", "between@x");
	(void)usleep(1100000);
	record(f, "s@x.example", "after@x");
	wait_for_answer(f);
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	assert_int_equal(count(f, "s@x.example", "between@x"), 1);
	assert_int_equal(count(f, "s@x.example", "after@x"), 1);
}

static void
killing_the_watcher_alone_is_noticed(void **state)
{
	struct fixture *f = *state;
	record(f, "s@x.example", "before@x");
	end_child(child_of(getpid()), SIGKILL);
	(void)usleep(1100000);
	record(f, "s@x.example", "after@x");
	wait_for_answer(f);
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	assert_int_equal(count(f, "s@x.example", "after@x"), 1);
}

static void
a_worker_that_does_not_move_is_ended(void **state)
{
	struct fixture *f = *state;
	record(f, "s@x.example", "before@x");
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	end_child(worker(), SIGSTOP);
	record(f, "s@x.example", "after@x");
	wait_for_answer(f);
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	assert_int_equal(count(f, "s@x.example", "after@x"), 1);
	assert_int_equal(broken_files(f), 0);
}

static void
a_keeper_that_hangs_is_not_left_behind(void **state)
{
	struct fixture *f = *state;
	int64_t begin = clock_ms();
	record(f, "s@x.example", "before@x");
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	pid_t work = worker();
	end_child(child_of(getpid()), SIGSTOP);
	end_child(work, SIGSTOP);
	stop(f);
	assert_in_range(clock_ms() - begin, 0, 7000);
	start(f);
	wait_for_answer(f);
	assert_int_equal(count(f, "s@x.example", "before@x"), 1);
	assert_in_range(clock_ms() - begin, 0, 9000);
}

/* In a process of its own, which is killed right after.  Its keeper holds the
 * file by then: one that has not come to it yet would wait for ours. */
static void
record_and_die(struct fixture *f)
{
	memory_stop(f->m);
	f->m = NULL;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char id[32];
		struct str why;
		struct ledger_found found;
		(void)alarm(30);
		f->m = memory_start(f->a, &f->config, &why);
		while (f->m != NULL &&
		       find(f, "nobody@x.example", "", &found) != MEMORY_OK)
			(void)usleep(1000);
		for (int i = 0; f->m != NULL && i < 1000; i++) {
			(void)snprintf(id, sizeof(id), "%d@x", i);
			record(f, "s@x.example", id);
		}
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
what_was_told_outlives_who_told_it(void **state)
{
	struct fixture *f = *state;
	char id[32];
	record_and_die(f);
	start(f); /* the other keeper may not have ended yet */
	wait_for_answer(f);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(id, sizeof(id), "%d@x", i);
		assert_int_equal(count(f, "s@x.example", id), 1);
	}
}

/* ---- what happens to the file */

/* What was there is not known; what comes from now on is. */
static void
assert_begins_anew(struct fixture *f, size_t nbroken)
{
	wait_for_answer(f);
	record(f, "s@x.example", "new@x");
	assert_int_equal(count(f, "s@x.example", "new@x"), 1);
	assert_int_equal(broken_files(f), nbroken);
}

static void
fill(struct fixture *f, int n)
{
	char id[64];
	for (int i = 0; i < n; i++) {
		(void)snprintf(id, sizeof(id), "%d.filler.message@x", i);
		record(f, "filler@x.example", id);
		if (i % 1000 == 999)
			(void)count(f, "s@x.example", "");
	}
	(void)count(f, "s@x.example", "");
}

static void
no_files(struct fixture *f, const char *how)
{
	struct stat st;
	assert_int_equal(stat(f->file, &st), 0);
	if (strcmp(how, "garbage at the start") == 0)
		garbage_at(f->file, 0, 8192);
	else if (strcmp(how, "garbage in the middle") == 0)
		garbage_at(f->file, 40 * 4096 + 100, 3 * 4096);
	else if (strcmp(how, "garbage in a record") == 0)
		garbage_at(f->file, 41 * 4096 + 2000, 200);
	else if (strcmp(how, "cut off") == 0)
		assert_int_equal(truncate(f->file, st.st_size / 3), 0);
	else if (strcmp(how, "cut to an odd length") == 0)
		assert_int_equal(truncate(f->file, 5000), 0);
	else if (strcmp(how, "text") == 0) {
		assert_int_equal(truncate(f->file, 0), 0);
		write_at(f->file, 0, "hello\n", 6);
	} else if (strcmp(how, "a folder") == 0) {
		assert_int_equal(unlink(f->file), 0);
		assert_int_equal(mkdir(f->file, 0700), 0);
	} else if (strcmp(how, "a pipe") == 0) {
		assert_int_equal(unlink(f->file), 0);
		assert_int_equal(mkfifo(f->file, 0600), 0);
	} else if (strcmp(how, "a link") == 0) {
		assert_int_equal(unlink(f->file), 0);
		assert_int_equal(symlink("/etc/passwd", f->file), 0);
	} else
		fail();
}

static void
a_file_that_is_broken_at_the_start_is_moved_aside(void **state)
{
	static const char *const ways[] = {"garbage at the start",
	    "garbage in the middle", "garbage in a record", "cut off",
	    "cut to an odd length", "text", "a folder", "a pipe", "a link"};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		fill(f, 3000);
		record(f, "s@x.example", "old@x");
		stop(f);
		no_files(f, ways[i]);
		start(f);
		wait_for_answer(f);
		if (count(f, "s@x.example", "old@x") != 0) {
			print_error("%s\n", ways[i]);
			fail();
		}
		assert_begins_anew(f, i < 3 ? i + 1 : 3);
	}
}

static void
wait_for_broken(struct fixture *f, size_t n)
{
	int64_t end = clock_ms() + 30000;
	while (broken_files(f) < n) {
		int64_t before = clock_ms();
		record(f, "s@x.example", "meanwhile@x");
		assert_in_range(clock_ms() - before, 0, 500);
		assert_true(clock_ms() < end);
		(void)usleep(20000);
	}
}

static void
mark(struct fixture *f, const char *how)
{
	struct timespec long_ago[2] = {{1, 0}, {1, 0}};
	char other[160];
	(void)snprintf(other, sizeof(other), "%s.away", f->file);
	if (strcmp(how, "a byte") == 0)
		garbage_at(f->file, 300, 1);
	else if (strcmp(how, "the times") == 0)
		assert_int_equal(utimensat(AT_FDCWD, f->file, long_ago, 0), 0);
	else if (strcmp(how, "longer") == 0)
		assert_int_equal(truncate(f->file, 64 * 1024 * 1024), 0);
	else if (strcmp(how, "gone") == 0)
		assert_int_equal(unlink(f->file), 0);
	else if (strcmp(how, "away and back") == 0)
		assert_int_equal(
		    rename(f->file, other) | rename(other, f->file), 0);
	else
		fail();
}

/* The note is good once, and for the file as it was closed. */
static void
a_note_speaks_of_one_file_and_one_time(void **state)
{
	static const char *const marks[] = {
	    "a byte", "the times", "longer", "away and back", "gone"};
	struct fixture *f = *state;
	struct place place;
	assert_true(place_init(&place, f->config.dir));
	stop(f);
	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		clean_note_write(&place);
		assert_true(clean_note_take(&place));
		assert_false(clean_note_take(&place));
		clean_note_write(&place);
		mark(f, marks[i]);
		if (clean_note_take(&place))
			fail_msg("%s: the note still speaks of it", marks[i]);
	}
	clean_note_write(&place);
	assert_false(clean_note_take(&place));
	start(f);
}

static bool
has_note(struct fixture *f)
{
	char path[160];
	(void)snprintf(path, sizeof(path), "%s/" CLEAN_NOTE_FILE, f->dir);
	return access(path, F_OK) == 0;
}

static void
only_an_end_in_order_leaves_a_note(void **state)
{
	struct fixture *f = *state;
	record(f, "a@b.example", "1");
	wait_for_answer(f);
	assert_false(has_note(f));
	stop(f);
	assert_true(has_note(f));
	start(f);
	assert_int_equal(count(f, "a@b.example", "1"), 1);
	assert_false(has_note(f));
	end_child(worker(), SIGKILL);
	wait_for_answer(f);
	assert_false(has_note(f));
	assert_int_equal(broken_files(f), 0);
}

/* It was broken while nobody looked, and no time tells: it is found out beside
 * the work, or by a crash that is the keeper's alone. */
static void
a_note_of_a_broken_file_is_found_out(void **state)
{
	static const off_t places[] = {5, 17, 40};
	struct fixture *f = *state;
	struct place place;
	assert_true(place_init(&place, f->config.dir));
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		fill(f, 3000);
		stop(f);
		/* none of the first two pages, of which the note speaks */
		garbage_at(f->file, places[i] * 4096, 4096 * 30);
		clean_note_write(&place);
		assert_true(has_note(f));
		start(f);
		wait_for_broken(f, i + 1);
		assert_begins_anew(f, i + 1);
	}
}

static void
an_empty_file_is_no_broken_one(void **state)
{
	struct fixture *f = *state;
	stop(f);
	assert_int_equal(truncate(f->file, 0), 0);
	start(f);
	assert_begins_anew(f, 0);
}

/* Until the keeper has seen it; mail flows meanwhile. */
static void
a_file_that_breaks_meanwhile_is_moved_aside(void **state)
{
	static const char *const ways[] = {
	    "garbage at the start", "cut off", "a pipe"};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		fill(f, 3000);
		no_files(f, ways[i]);
		wait_for_broken(f, i + 1);
		assert_begins_anew(f, i + 1);
	}
}

static void
a_file_that_is_all_garbage_meanwhile_is_moved_aside(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	fill(f, 3000);
	assert_int_equal(stat(f->file, &st), 0);
	garbage_at(f->file, 8192, (size_t)st.st_size - 8192);
	wait_for_broken(f, 1);
	assert_begins_anew(f, 1);
}

static void
a_file_that_is_removed_meanwhile_is_made_again(void **state)
{
	struct fixture *f = *state;
	record(f, "s@x.example", "old@x");
	(void)count(f, "s@x.example", "");
	assert_int_equal(unlink(f->file), 0);
	int64_t end = clock_ms() + 30000;
	while (access(f->file, F_OK) != 0) {
		record(f, "s@x.example", "meanwhile@x");
		assert_true(clock_ms() < end);
		(void)usleep(20000);
	}
	assert_begins_anew(f, 0);
}

static void
a_folder_that_is_removed_meanwhile_is_made_again(void **state)
{
	struct fixture *f = *state;
	record(f, "s@x.example", "old@x");
	(void)count(f, "s@x.example", "");
	assert_int_equal(nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	int64_t end = clock_ms() + 30000;
	while (access(f->file, F_OK) != 0) {
		record(f, "s@x.example", "meanwhile@x");
		assert_true(clock_ms() < end);
		(void)usleep(20000);
	}
	assert_begins_anew(f, 0);
}

/* Its lock file cannot be made: that is not the file's fault. */
static void
a_sound_file_stays_while_it_cannot_be_opened(void **state)
{
	struct fixture *f = *state;
	struct ledger_found found;
	char lock[160], in_lock[176];
	(void)snprintf(lock, sizeof(lock), "%s-lock", f->file);
	(void)snprintf(in_lock, sizeof(in_lock), "%s/x", lock);
	record(f, "s@x.example", "old@x");
	stop(f);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkdir(lock, 0700), 0);
	assert_int_equal(mkdir(in_lock, 0700), 0);
	start(f);
	record(f, "s@x.example", "meanwhile@x");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
		    find(f, "s@x.example", "old@x", &found), MEMORY_TEMP);
		(void)usleep(500000);
		end_child(worker(), SIGSEGV);
	}
	assert_int_equal(rmdir(in_lock), 0);
	wait_for_answer(f);
	assert_int_equal(count(f, "s@x.example", "old@x"), 1);
	assert_int_equal(count(f, "s@x.example", "meanwhile@x"), 1);
	assert_int_equal(broken_files(f), 0);
}

static void
a_file_in_place_of_the_folder_is_moved_aside(void **state)
{
	struct fixture *f = *state;
	stop(f);
	assert_int_equal(nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	write_at(f->dir, 0, "hello\n", 6);
	start(f);
	assert_begins_anew(f, 0);
}

/* ---- size */

static void
at_the_size_limit_the_oldest_entries_go(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char id[64];
	stop(f);
	f->config.size_bytes = 4 * MB;
	start(f);
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(id, sizeof(id), "%d.%s@mail.x.example", i,
		    "twenty.bytes.or.more");
		record(f, "sender.with.a.name@x.example", id);
		if (i % 2000 == 1999)
			assert_int_equal(
			    count(f, "sender.with.a.name@x.example", id), 1);
	}
	assert_int_equal(count(f, "sender.with.a.name@x.example",
			     "0.twenty.bytes.or.more@mail.x.example"),
	    0);
	/* most of the limit is in use */
	assert_int_equal(count(f, "sender.with.a.name@x.example",
			     "88000.twenty.bytes.or.more@mail.x.example"),
	    1);
	assert_int_equal(stat(f->file, &st), 0);
	assert_in_range(st.st_size, 3 * MB, 4 * MB);
	assert_int_equal(broken_files(f), 0);
	restart(f);
	wait_for_answer(f);
	assert_int_equal(count(f, "sender.with.a.name@x.example", id), 1);
	assert_int_equal(broken_files(f), 0);
}

/* A process that reads, and does not end by itself. */
static pid_t
reader_hold(struct fixture *f)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct store *store;
		struct store_why why;
		if (store_open_read(f->file, &store, &why) == STORE_OK &&
		    store_begin(store, false, &why) != NULL &&
		    write(ready[1], "r", 1) == 1)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(close(ready[1]), 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(close(ready[0]), 0);
	return pid;
}

static void
reader_end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Does its newest one come into the file, now or after a few retries? */
static void
assert_takes_more(struct fixture *f, const char *id)
{
	struct ledger_found found;
	int64_t end = clock_ms() + 10000;
	record(f, "s@x.example", id);
	while (
	    find(f, "s@x.example", id, &found) != MEMORY_OK || found.n == 0) {
		assert_true(clock_ms() < end);
		(void)usleep(50000);
	}
}

/* Rounds that wait for an answer, or for none. */
static void
fill_rounds(struct fixture *f, const char *sender, int n)
{
	struct ledger_found found;
	char id[64];
	for (int i = 0; i < n; i++) {
		(void)snprintf(id, sizeof(id), "%d.filler.message@x", i);
		record(f, sender, id);
		if (i % 500 == 499 &&
		    find(f, "s@x.example", "", &found) != MEMORY_OK)
			(void)usleep(100000);
	}
}

static void
a_reader_that_was_killed_costs_no_entry(void **state)
{
	struct fixture *f = *state;
	stop(f);
	f->config.size_bytes = 4 * MB;
	start(f);
	fill_rounds(f, "first@x.example", 40000);
	reader_end(reader_hold(f));
	fill_rounds(f, "second@x.example", 10000);
	assert_takes_more(f, "newest@x");
	assert_int_equal(count(f, "second@x.example", "0.filler.message@x"), 1);
	assert_int_equal(broken_files(f), 0);
}

static void
a_reader_that_stays_costs_little_and_only_while_it_stays(void **state)
{
	struct fixture *f = *state;
	stop(f);
	f->config.size_bytes = 4 * MB;
	start(f);
	fill_rounds(f, "first@x.example", 40000);
	pid_t reader = reader_hold(f);
	fill_rounds(f, "second@x.example", 20000);
	reader_end(reader);
	assert_takes_more(f, "newest@x");
	/* not everything was dropped in vain */
	assert_int_equal(
	    count(f, "first@x.example", "39000.filler.message@x"), 1);
	assert_int_equal(
	    count(f, "second@x.example", "19999.filler.message@x"), 1);
	assert_int_equal(broken_files(f), 0);
}

static void
disk_fill(const char *path)
{
	char block[4096] = {1};
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	(void)close(fd);
}

static void
a_disk_that_is_full_at_the_start_breaks_nothing(void **state)
{
	struct fixture *f = *state;
	char fill_path[128];
	struct ledger_found found;
	stop(f);
	if (geteuid() != 0 ||
	    mount("none", f->dir, "tmpfs", 0, "size=3m") != 0) {
		print_message("needs root and a mount: not tested\n");
		return;
	}
	(void)snprintf(fill_path, sizeof(fill_path), "%s/rest", f->dir);
	disk_fill(fill_path);
	start(f);
	(void)usleep(500000);
	assert_int_equal(find(f, "s@x.example", "", &found), MEMORY_TEMP);
	pid_t work = worker();
	record(f, "s@x.example", "first@x");
	(void)usleep(2500000);
	assert_int_equal(worker(), work);
	assert_int_equal(unlink(fill_path), 0);
	wait_for_answer(f);
	assert_int_equal(count(f, "s@x.example", "first@x"), 1);
	assert_int_equal(broken_files(f), 0);
	stop(f);
	(void)umount2(f->dir, MNT_DETACH);
}

static void
a_full_disk_stops_nothing(void **state)
{
	struct fixture *f = *state;
	char fill_path[128], id[64];
	struct ledger_found found;
	stop(f);
	if (geteuid() != 0 ||
	    mount("none", f->dir, "tmpfs", 0, "size=3m") != 0) {
		print_message("needs root and a mount: not tested\n");
		return;
	}
	start(f);
	fill(f, 3000);
	(void)snprintf(fill_path, sizeof(fill_path), "%s/rest", f->dir);
	disk_fill(fill_path);
	/* far more than there is room for */
	for (int i = 0; i < 40000; i++) {
		(void)snprintf(id, sizeof(id), "%d.on.a.full.disk@x", i);
		record(f, "full@x.example", id);
	}
	(void)find(f, "full@x.example", id, &found);
	assert_int_equal(unlink(fill_path), 0);
	(void)usleep(2500000);
	wait_for_answer(f);
	record(f, "s@x.example", "later@x");
	assert_int_equal(count(f, "s@x.example", "later@x"), 1);
	assert_int_equal(broken_files(f), 0);
	stop(f);
	(void)umount2(f->dir, MNT_DETACH);
}

/* ---- the commands' side */

struct seen {
	struct arena *a;
	struct buf *text;
	size_t n, max;
};

static bool
see_entry(void *arg, const struct ledger_entry *e)
{
	struct seen *seen = arg;
	if (seen->n < 10) {
		buf_put(seen->text, e->message_id);
		buf_putc(seen->text, ' ');
	}
	return ++seen->n < seen->max;
}

static struct memory_reader *
read_open(struct fixture *f)
{
	struct memory_reader *reader = NULL;
	struct str why;
	assert_int_equal(
	    memory_read_open(f->a, str_from(f->dir), &reader, &why), READER_OK);
	return reader;
}

static void
a_reader_finds_message_id_sender_and_recipient(void **state)
{
	struct fixture *f = *state;
	record(f, "One@x.example", "first@x");
	record(f, "two@x.example", "second@x");
	struct ledger_entry e = entry("one@x.example", "third@x");
	e.rcpt[0] = STR("Rcpt@ours.example");
	ledger_record(f->m, &e);
	(void)count(f, "one@x.example", "");
	static const struct {
		const char *text, *ids;
		size_t max;
	} cases[] = {
	    {"one@X.example", "third@x first@x ", 99},
	    {"one@X.example", "third@x ", 1},
	    {"SECOND@x", "second@x ", 99},
	    {"rcpt@ours.example", "third@x ", 99},
	    {"us@ours.example", "second@x first@x ", 99},
	    {"", "third@x second@x first@x ", 99},
	    {"cond@x", "", 99},
	};
	struct memory_reader *reader = read_open(f);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen = {
		    .text = buf_new(f->a, 4096), .max = cases[i].max};
		assert_int_equal(ledger_each(reader, str_from(cases[i].text),
				     see_entry, &seen),
		    READER_OK);
		assert_str(buf_str(seen.text), cases[i].ids);
	}
	memory_read_close(reader);
}

static void
a_reader_sees_all_while_more_is_written(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {.text = buf_new(f->a, 4096), .max = SIZE_MAX};
	struct memory_stats stats;
	fill(f, 3000);
	struct memory_reader *reader = read_open(f);
	fill(f, 3000);
	assert_int_equal(
	    ledger_each(reader, STR_EMPTY, see_entry, &seen), READER_OK);
	assert_int_equal(seen.n, 6000);
	assert_int_equal(memory_read_stats(reader, &stats), READER_OK);
	assert_int_equal(stats.entries, 6000);
	assert_int_equal(stats.size_bytes, 64 * MB);
	assert_in_range(stats.file_bytes, MB, 2 * MB);
	assert_in_range(stats.used_bytes, MB / 4, stats.file_bytes);
	assert_in_range(stats.oldest_wall, clock_wall() - 300, clock_wall());
	memory_read_close(reader);
}

static void
a_reader_says_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	struct memory_reader *reader;
	struct str why;
	stop(f);
	assert_int_equal(truncate(f->file, 100000), 0);
	assert_int_equal(
	    memory_read_open(f->a, str_from(f->dir), &reader, &why), READER_OK);
	memory_read_close(reader);
	garbage_at(f->file, 0, 5000);
	assert_int_equal(
	    memory_read_open(f->a, str_from(f->dir), &reader, &why),
	    READER_BAD);
	assert_true(str_find(why, STR("memory.mdb")) != STR_NONE);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(
	    memory_read_open(f->a, str_from(f->dir), &reader, &why),
	    READER_NONE);
}

static void
without_memory_every_answer_is_temp(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct ledger_entry e = entry("s@x", "id@x");
	struct ledger_found found;
	struct budget_row row = {STR("k"), 1, 1};
	struct strs theirs = {0};
	int64_t when;
	size_t full;
	strs_add(a, &theirs, STR("x@x"));
	ledger_record(NULL, &e);
	memory_wrote(NULL, STR("y@y"), &theirs);
	assert_int_equal(ledger_find(NULL, a, STR("s"), STR("i"), 0, 1, &found),
	    MEMORY_TEMP);
	assert_int_equal(
	    memory_has_written(NULL, STR("s"), STR("i"), &when), MEMORY_TEMP);
	assert_int_equal(budget_take(NULL, &row, 1, 1, &full), MEMORY_TEMP);
	memory_configure(NULL, NULL);
	memory_stop(NULL);
	arena_free(a);
}

#define THROUGH_KEEPER(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_memory_every_answer_is_temp),
	    THROUGH_KEEPER(what_is_recorded_is_found_as_it_was),
	    THROUGH_KEEPER(a_sender_has_no_case_and_a_message_id_has),
	    THROUGH_KEEPER(the_null_sender_is_a_sender),
	    THROUGH_KEEPER(the_newest_come_first_and_the_rest_is_cut),
	    THROUGH_KEEPER(what_is_older_than_the_days_is_not_found),
	    THROUGH_KEEPER(long_texts_are_cut_and_still_found),
	    THROUGH_KEEPER(any_bytes_come_back),
	    THROUGH_KEEPER(a_find_sees_all_that_its_thread_has_told),
	    THROUGH_KEEPER(many_threads_get_their_own_answers),
	    THROUGH_KEEPER(correspondence_has_no_case_and_a_time),
	    THROUGH_KEEPER(a_budget_is_a_sliding_window),
	    THROUGH_KEEPER(all_rows_are_taken_or_none),
	    THROUGH_KEEPER(a_restart_keeps_budgets),
	    THROUGH_KEEPER(a_clock_that_goes_back_locks_no_budget_for_ever),
	    THROUGH_KEEPER(a_large_budget_is_exact),
	    THROUGH_KEEPER(killing_the_worker_loses_nothing),
	    THROUGH_KEEPER(what_had_no_index_yet_is_found_after_a_kill),
	    THROUGH_KEEPER(a_worker_that_crashes_is_started_again),
	    THROUGH_KEEPER(killing_the_keeper_whole_is_noticed),
	    THROUGH_KEEPER(killing_the_watcher_alone_is_noticed),
	    THROUGH_KEEPER(a_worker_that_does_not_move_is_ended),
	    THROUGH_KEEPER(a_keeper_that_hangs_is_not_left_behind),
	    THROUGH_KEEPER(what_was_told_outlives_who_told_it),
	    THROUGH_KEEPER(a_file_that_is_broken_at_the_start_is_moved_aside),
	    THROUGH_KEEPER(a_note_speaks_of_one_file_and_one_time),
	    THROUGH_KEEPER(only_an_end_in_order_leaves_a_note),
	    THROUGH_KEEPER(a_note_of_a_broken_file_is_found_out),
	    THROUGH_KEEPER(an_empty_file_is_no_broken_one),
	    THROUGH_KEEPER(a_file_that_breaks_meanwhile_is_moved_aside),
	    THROUGH_KEEPER(a_file_that_is_all_garbage_meanwhile_is_moved_aside),
	    THROUGH_KEEPER(a_file_that_is_removed_meanwhile_is_made_again),
	    THROUGH_KEEPER(a_folder_that_is_removed_meanwhile_is_made_again),
	    THROUGH_KEEPER(a_sound_file_stays_while_it_cannot_be_opened),
	    THROUGH_KEEPER(a_file_in_place_of_the_folder_is_moved_aside),
	    THROUGH_KEEPER(at_the_size_limit_the_oldest_entries_go),
	    THROUGH_KEEPER(a_reader_that_was_killed_costs_no_entry),
	    THROUGH_KEEPER(
		a_reader_that_stays_costs_little_and_only_while_it_stays),
	    THROUGH_KEEPER(a_disk_that_is_full_at_the_start_breaks_nothing),
	    THROUGH_KEEPER(a_full_disk_stops_nothing),
	    THROUGH_KEEPER(a_reader_finds_message_id_sender_and_recipient),
	    THROUGH_KEEPER(a_reader_sees_all_while_more_is_written),
	    THROUGH_KEEPER(a_reader_says_what_is_wrong),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
