/* SPDX-License-Identifier: BSD-2-Clause */
/* history -- entries come back as they were told, newest first, through the
 * real keeper; the oldest go when it is too large or they are too old. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "state/history.h"

#define MB ((uint64_t)1 << 20)
#define DAY 86400

/* ---- bytes */

static struct history_entry
sample(struct arena *a)
{
	struct history_entry e = {.time_wall = 1790000000,
	    .class = CLASS_RELAY,
	    .flags = HISTORY_IS_SCANNED | HISTORY_CAN_REFUSE,
	    .score = 9.5,
	    .threshold = 8,
	    .size_bytes = 18211,
	    .us = 41000,
	    .rcpt = {STR("bob@example.net"), STR("")},
	    .nrcpt = 2,
	    .nrcpt_all = 40,
	    .hits = {{STR("LINK_LURE"), 4, 1, STR("http://x.example/\xff\n")},
		{STR("NEW_SENDER"), 5.5, 2, STR("")}},
	    .nhits = 2,
	    .nhits_all = 2};
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		e.text[i] =
		    i % 3 == 2 ? STR_EMPTY : str_printf(a, "text %zu", i);
	return e;
}

static struct str
packed(struct arena *a, const struct history_entry *e)
{
	struct buf *b = buf_new(a, HISTORY_BYTES_MAX);
	history_pack(b, e);
	assert_false(b->is_cut);
	return buf_str(b);
}

static void
assert_same(const struct history_entry *x, const struct history_entry *y)
{
	assert_int_equal(x->time_wall, y->time_wall);
	assert_int_equal(x->class, y->class);
	assert_int_equal(x->flags, y->flags);
	assert_true(x->score == y->score && x->threshold == y->threshold);
	assert_int_equal(x->size_bytes, y->size_bytes);
	assert_int_equal(x->us, y->us);
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		assert_true(str_eq(x->text[i], y->text[i]));
	assert_int_equal(x->nrcpt, y->nrcpt);
	assert_int_equal(x->nrcpt_all, y->nrcpt_all);
	for (size_t i = 0; i < x->nrcpt; i++)
		assert_true(str_eq(x->rcpt[i], y->rcpt[i]));
	assert_int_equal(x->nhits, y->nhits);
	assert_int_equal(x->nhits_all, y->nhits_all);
	for (size_t i = 0; i < x->nhits; i++) {
		assert_true(str_eq(x->hits[i].rule, y->hits[i].rule));
		assert_true(x->hits[i].score == y->hits[i].score);
		assert_int_equal(x->hits[i].count, y->hits[i].count);
		assert_true(str_eq(x->hits[i].evidence, y->hits[i].evidence));
	}
}

static void
an_entry_comes_back_as_it_was(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct history_entry e = sample(a), back;
	struct str bytes = packed(a, &e);
	assert_true(history_unpack(bytes, &back));
	assert_same(&e, &back);
	assert_true(history_peek(bytes, &back));
	assert_same(&e, &back);
	arena_free(a);
}

static void
what_is_cut_or_changed_is_refused(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	struct history_entry e = sample(a), back;
	struct str bytes = packed(a, &e);
	for (size_t i = 0; i < bytes.len; i++) {
		char *changed = arena_alloc(a, bytes.len);
		memcpy(changed, bytes.p, bytes.len);
		assert_false(history_unpack(str_sub(bytes, 0, i), &back));
		assert_false(history_peek(str_sub(bytes, 0, i), &back));
		changed[i] = (char)(changed[i] ^ 0x20);
		assert_false(history_unpack(str_of(changed, bytes.len), &back));
	}
	arena_free(a);
}

static void
all_there_can_be_fits_and_the_rest_is_cut(void **state)
{
	(void)state;
	struct arena *a = arena_new();
	char longest[3000];
	memset(longest, 'x', sizeof(longest));
	struct str x = str_of(longest, sizeof(longest));
	struct history_entry e = {.nrcpt = HISTORY_RCPT_MAX,
				 .nrcpt_all = 1000000,
				 .nhits = HISTORY_HITS_MAX,
				 .nhits_all = 5000},
			     back;
	size_t evidence = 0;
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		e.text[i] = x;
	for (size_t i = 0; i < e.nrcpt; i++)
		e.rcpt[i] = x;
	for (size_t i = 0; i < e.nhits; i++)
		e.hits[i] = (struct mail_hit){x, -1.5, 1, x};
	assert_true(history_unpack(packed(a, &e), &back));
	for (size_t i = 0; i < HISTORY_TEXTS; i++)
		assert_int_equal(
		    back.text[i].len, history_text_max((enum history_text)i));
	for (size_t i = 0; i < back.nhits; i++)
		evidence += back.hits[i].evidence.len;
	assert_int_equal(back.nhits, HISTORY_HITS_MAX);
	assert_int_equal(evidence, HISTORY_EVIDENCE_ALL);
	assert_int_equal(back.nrcpt_all, 1000000);
	assert_int_equal(back.nhits_all, 5000);
	arena_free(a);
}

/* ---- through the keeper */

struct fixture {
	struct arena *a;
	char top[64];
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
	assert_non_null(f->m);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->a = arena_new();
	(void)snprintf(f->top, sizeof(f->top), "/tmp/unit-history-XXXXXX");
	assert_non_null(mkdtemp(f->top));
	f->config =
	    (struct memory_config){.dir = str_printf(f->a, "%s/ledger", f->top),
		.size_bytes = 8 * MB,
		.days = 30,
		.history_bytes = 64 * MB,
		.history_days = 30};
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

static void
tell(struct fixture *f, size_t number, int64_t time)
{
	char queue_id[16];
	(void)snprintf(queue_id, sizeof(queue_id), "%zu", number);
	struct history_entry e = {.time_wall = time,
	    .text[HISTORY_QUEUE_ID] = str_from(queue_id),
	    .text[HISTORY_SENDER] = STR("alice@example.org")};
	history_record(f->m, &e);
}

/* It answers in the order of what it was told, so all of that is in. */
static void
settle(struct fixture *f)
{
	struct ledger_found found;
	int64_t end = clock_ms() + 30000;
	while (ledger_find(f->m, f->a, STR("x@x"), STR_EMPTY, 0, 1, &found) !=
	       MEMORY_OK) {
		assert_true(clock_ms() < end);
		(void)usleep(20000);
	}
}

/* The ring takes some thousands at once. */
static void
tell_many(struct fixture *f, size_t from, size_t to, int64_t time)
{
	for (size_t i = from; i < to; i++) {
		tell(f, i, time);
		if (i % 5000 == 0)
			settle(f);
	}
	settle(f);
}

struct seen {
	struct arena *a;
	struct buf *text; /* the first queue ids */
	size_t n, max;
	struct str wanted; /* a queue id; empty: all */
};

static bool
seen_wants(void *arg, const struct history_entry *e)
{
	struct seen *seen = arg;
	return seen->wanted.len == 0 ||
	       str_eq(e->text[HISTORY_QUEUE_ID], seen->wanted);
}

static bool
seen_take(void *arg, const struct history_entry *e)
{
	struct seen *seen = arg;
	if (seen->n < 5)
		buf_printf(
		    seen->text, "%.*s ", STR_ARG(e->text[HISTORY_QUEUE_ID]));
	return ++seen->n < seen->max;
}

static struct seen
seen_new(struct fixture *f)
{
	return (struct seen){.a = f->a,
	    .text = buf_new(f->a, 1000),
	    .max = SIZE_MAX,
	    .wanted = STR_EMPTY};
}

static struct memory_reader *
reader_open(struct fixture *f)
{
	struct memory_reader *reader;
	struct str why;
	assert_int_equal(
	    memory_read_open(f->a, f->config.dir, &reader, &why), READER_OK);
	return reader;
}

static struct history_search
search_of(struct seen *seen)
{
	return (struct history_search){
	    .wants = seen_wants, .take = seen_take, .arg = seen};
}

static struct seen
look(struct fixture *f, const char *wanted)
{
	struct seen seen = seen_new(f);
	seen.wanted = str_from(wanted);
	struct history_search search = search_of(&seen);
	struct memory_reader *reader = reader_open(f);
	assert_int_equal(history_each(reader, &search), READER_OK);
	memory_read_close(reader);
	return seen;
}

static void
the_newest_come_first(void **state)
{
	struct fixture *f = *state;
	tell_many(f, 0, 45000, clock_wall());
	struct seen seen = look(f, "");
	assert_int_equal(seen.n, 45000);
	assert_true(str_starts(buf_str(seen.text), STR("44999 44998 44997 ")));
	seen = look(f, "17");
	assert_int_equal(seen.n, 1);
	assert_true(str_eq(buf_str(seen.text), STR("17 ")));
}

static void
a_follower_sees_what_came_since_in_order(void **state)
{
	struct fixture *f = *state;
	settle(f);
	struct memory_reader *reader = reader_open(f);
	struct seen seen = seen_new(f);
	struct history_search search = search_of(&seen);
	uint64_t place;
	assert_int_equal(history_newest(reader, &place), READER_OK);
	assert_int_equal(place, 0);
	tell_many(f, 1, 4, clock_wall());
	assert_int_equal(history_newer(reader, &search, &place), READER_OK);
	assert_int_equal(place, 3);
	assert_int_equal(history_newer(reader, &search, &place), READER_OK);
	tell_many(f, 4, 6, clock_wall());
	assert_int_equal(history_newer(reader, &search, &place), READER_OK);
	assert_int_equal(place, 5);
	assert_true(str_eq(buf_str(seen.text), STR("1 2 3 4 5 ")));
	memory_read_close(reader);
}

static void
entries_outlive_a_restart(void **state)
{
	struct fixture *f = *state;
	tell_many(f, 1, 4, clock_wall());
	memory_stop(f->m);
	start(f);
	tell_many(f, 4, 5, clock_wall());
	struct seen seen = look(f, "");
	assert_true(str_eq(buf_str(seen.text), STR("4 3 2 1 ")));
}

static void
what_is_too_old_goes(void **state)
{
	struct fixture *f = *state;
	tell_many(f, 1, 4, clock_wall() - 31 * DAY);
	tell_many(f, 4, 6, clock_wall() - 29 * DAY);
	struct seen seen = look(f, "");
	assert_true(str_eq(buf_str(seen.text), STR("5 4 ")));
}

/* A clock that was not even for an hour may be years ahead. */
static void
nothing_is_too_old_by_a_clock_without_proof(void **state)
{
	struct fixture *f = *state;
	f->config.clock_proof_s = 3600;
	memory_configure(f->m, &f->config);
	tell_many(f, 1, 4, clock_wall() - 31 * DAY);
	tell_many(f, 4, 6, clock_wall() - 29 * DAY);
	struct seen seen = look(f, "");
	assert_true(str_eq(buf_str(seen.text), STR("5 4 3 2 1 ")));
}

static void
at_the_size_the_oldest_go(void **state)
{
	struct fixture *f = *state;
	struct memory_stats stats;
	f->config.history_bytes = 2 * MB;
	memory_configure(f->m, &f->config);
	tell_many(f, 0, 60000, clock_wall());
	struct seen seen = look(f, "");
	/* some 100 bytes each */
	assert_in_range(seen.n, 15000, 25000);
	assert_true(str_starts(buf_str(seen.text), STR("59999 59998 ")));
	struct memory_reader *reader = reader_open(f);
	assert_int_equal(memory_read_stats(reader, &stats), READER_OK);
	assert_int_equal(stats.history, seen.n);
	assert_in_range(stats.used_bytes, MB, 4 * MB);
	memory_read_close(reader);
}

static void
without_days_there_is_none(void **state)
{
	struct fixture *f = *state;
	tell_many(f, 1, 4, clock_wall());
	assert_true(history_is_kept(f->m));
	f->config.history_days = 0;
	memory_configure(f->m, &f->config);
	assert_false(history_is_kept(f->m));
	tell_many(f, 4, 6, clock_wall());
	/* whatever is told next, the rest goes with it */
	struct ledger_entry entry = {.sender = STR("y@y"),
	    .message_id = STR_EMPTY,
	    .queue_id = STR_EMPTY,
	    .client_addr = STR_EMPTY};
	ledger_record(f->m, &entry);
	settle(f);
	assert_int_equal(look(f, "").n, 0);
	assert_false(history_is_kept(NULL));
	tell(f, 1, clock_wall());
}

/* The history has most of the file, so it gives way; the newest stay. */
static void
a_full_disk_costs_the_oldest_only(void **state)
{
	struct fixture *f = *state;
	char *dir = str_c(f->a, f->config.dir);
	memory_stop(f->m);
	f->m = NULL;
	if (geteuid() != 0 || mount("none", dir, "tmpfs", 0, "size=4m") != 0) {
		print_message("needs root and a mount: not tested\n");
		return;
	}
	start(f);
	for (size_t i = 0; i < 80000; i += 1000)
		tell_many(f, i, i + 1000, clock_wall());
	struct seen seen = look(f, "");
	assert_true(str_starts(buf_str(seen.text), STR("79999 79998 ")));
	assert_in_range(seen.n, 5000, 60000);
	memory_stop(f->m);
	f->m = NULL;
	(void)umount2(dir, MNT_DETACH);
}

/* Write over the first place in the file that has `text`. */
static void
text_spoil(const char *path, const char *text)
{
	struct stat st;
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	char *bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	size_t at = str_find(str_of(bytes, (size_t)st.st_size), str_from(text));
	assert_true(at != STR_NONE);
	assert_int_equal(pwrite(fd, "xxxx", 4, (off_t)at), 4);
	free(bytes);
	(void)close(fd);
}

static void
an_entry_that_was_written_over_is_noticed(void **state)
{
	struct fixture *f = *state;
	char *path = str_c(
	    f->a, str_printf(f->a, "%.*s/memory.mdb", STR_ARG(f->config.dir)));
	tell_many(f, 1, 4, clock_wall());
	memory_stop(f->m);
	text_spoil(path, "alice@example.org");
	start(f);
	tell_many(f, 4, 6, clock_wall());
	struct seen seen = look(f, "");
	assert_true(str_eq(buf_str(seen.text), STR("5 4 ")));
}

#define THROUGH_KEEPER(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_entry_comes_back_as_it_was),
	    cmocka_unit_test(what_is_cut_or_changed_is_refused),
	    cmocka_unit_test(all_there_can_be_fits_and_the_rest_is_cut),
	    THROUGH_KEEPER(the_newest_come_first),
	    THROUGH_KEEPER(a_follower_sees_what_came_since_in_order),
	    THROUGH_KEEPER(entries_outlive_a_restart),
	    THROUGH_KEEPER(what_is_too_old_goes),
	    THROUGH_KEEPER(nothing_is_too_old_by_a_clock_without_proof),
	    THROUGH_KEEPER(at_the_size_the_oldest_go),
	    THROUGH_KEEPER(without_days_there_is_none),
	    THROUGH_KEEPER(a_full_disk_costs_the_oldest_only),
	    THROUGH_KEEPER(an_entry_that_was_written_over_is_noticed),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
