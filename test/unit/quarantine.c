/* SPDX-License-Identifier: BSD-2-Clause */
/* quarantine -- what is kept comes back byte for byte, or it is said why not.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "hold/filter.h"
#include "hold/quarantine.h"

#define DAY 86400

struct fixture {
	struct arena *a;
	char dir[64];
	struct quarantine *q;
	struct mac_key key;
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
open_again(struct fixture *f)
{
	struct str why;
	quarantine_close(f->q);
	assert_int_equal(quarantine_open(str_from(f->dir), &f->q, &why, f->a),
	    QUARANTINE_OK);
	quarantine_set_key(f->q, &f->key);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->a = arena_new();
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/unit-quarantine-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	memset(f->key.bytes, 7, sizeof(f->key.bytes));
	open_again(f);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	quarantine_close(f->q);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_free(f->a);
	free(f);
	return 0;
}

static char *
path_of(struct fixture *f, const char *below)
{
	return str_c(f->a, str_printf(f->a, "%s/%s", f->dir, below));
}

static size_t
count_files(struct fixture *f, const char *below)
{
	DIR *dir = opendir(path_of(f, below));
	const struct dirent *entry;
	size_t n = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* All 256 bytes, twice, and what a field's own syntax is made of. */
static struct str
hostile(struct arena *a)
{
	struct buf *b = buf_new(a, 2048);
	for (int i = 0; i < 512; i++)
		buf_putc(b, (char)i);
	buf_put(b, STR(" \\x41 <> \xc3\xa9 \xe2\x80\xae\n X-Postern-End: v1\n"
		       "X-Postern-Size: 1\n\n /\t "));
	return buf_str(b);
}

static struct held
plain(struct arena *a, const char *id)
{
	struct held held = {
	    .id = str_from(id),
	    .time_wall = 1700000000,
	    .reason = STR("score 9.5 is over 8.0"),
	    .score = 9.5,
	    .threshold = 8,
	    .subject = STR("Win now"),
	    .envelope =
		{
		    .class = CLASS_SUBMISSION,
		    .from = STR("alice@example.com"),
		    .login = STR("alice"),
		    .client_addr = STR("192.0.2.7"),
		    .client_name = STR("host.example.com"),
		    .helo = STR("laptop"),
		    .queue_id = STR("4Xk2vB1Zz"),
		    .daemon_name = STR("ORIGINATING"),
		},
	};
	strs_add(a, &held.envelope.rcpt, STR("bob@example.net"));
	held.hits = ARENA_ARRAY(a, struct mail_hit, 1);
	held.hits[0] =
	    (struct mail_hit){STR("LINK_LURE"), 4, 1, STR("http://x.test/")};
	held.nhits = 1;
	return held;
}

static struct held
nasty(struct arena *a, const char *id)
{
	struct held held = plain(a, id);
	struct str bad = hostile(a);
	struct envelope *e = &held.envelope;
	held.reason = held.subject = bad;
	e->from = e->login = e->client_addr = e->client_name = bad;
	e->helo = e->queue_id = e->daemon_name = bad;
	e->class = CLASS_NOTICE;
	held.score = 0.1 + 0.2;
	held.threshold = -1e-9;
	strs_add(a, &e->rcpt, bad);
	strs_add(a, &e->rcpt, STR_EMPTY);
	held.hits = ARENA_ARRAY(a, struct mail_hit, 3);
	for (unsigned i = 0; i < 3; i++)
		held.hits[i] = (struct mail_hit){bad, -1.0 / 3, i, bad};
	held.nhits = 3;
	return held;
}

static void
assert_same(struct str got, struct str want)
{
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.p, want.p, want.len);
}

static void
assert_same_held(const struct held *got, const struct held *want)
{
	const struct envelope *g = &got->envelope, *w = &want->envelope;
	assert_same(got->id, want->id);
	assert_int_equal(got->folder, want->folder);
	assert_int_equal(got->time_wall, want->time_wall);
	assert_same(got->reason, want->reason);
	assert_same(got->subject, want->subject);
	assert_true(got->score == want->score);
	assert_true(got->threshold == want->threshold);
	assert_int_equal(g->class, w->class);
	assert_same(g->from, w->from);
	assert_same(g->login, w->login);
	assert_same(g->client_addr, w->client_addr);
	assert_same(g->client_name, w->client_name);
	assert_same(g->helo, w->helo);
	assert_same(g->queue_id, w->queue_id);
	assert_same(g->daemon_name, w->daemon_name);
	assert_int_equal(g->rcpt.n, w->rcpt.n);
	for (size_t i = 0; i < w->rcpt.n; i++)
		assert_same(g->rcpt.v[i], w->rcpt.v[i]);
	assert_int_equal(got->nhits, want->nhits);
	for (size_t i = 0; i < want->nhits; i++) {
		assert_same(got->hits[i].rule, want->hits[i].rule);
		assert_true(got->hits[i].score == want->hits[i].score);
		assert_int_equal(got->hits[i].count, want->hits[i].count);
		assert_same(got->hits[i].evidence, want->hits[i].evidence);
	}
}

static struct held_entry
find(struct fixture *f, const char *id)
{
	struct held_entry entry;
	assert_int_equal(
	    quarantine_find(f->q, f->a, str_from(id), &entry), QUARANTINE_OK);
	return entry;
}

static void
store(struct fixture *f, const struct held *held, struct str raw)
{
	assert_int_equal(quarantine_store(f->q, held, raw), QUARANTINE_OK);
}

static void
gives_back_every_byte(void **state)
{
	struct fixture *f = *state;
	struct str raws[] = {
	    STR_EMPTY,
	    STR("\n"),
	    STR("\n\n"),
	    STR("Subject: x\n\nbody\n"),
	    STR("Subject: x\r\n\r\nbody\r\n"),
	    STR("no header at all"),
	    STR("From someone Mon Jan  1\nSubject: x\n\nFrom me\n"),
	    STR("X-Postern-End: v1\n\nX-Postern-Id: fake\n"),
	    STR("X-Postern-Id: fake\nX-Postern-End: v1 sha256=00\n\n"),
	    STR("a\0b\n\0"),
	    STR("no final newline\r"),
	    hostile(f->a),
	};
	for (size_t i = 0; i < COUNT_OF(raws); i++) {
		char id[16];
		struct held_entry now;
		struct str raw;
		(void)snprintf(id, sizeof(id), "Id%02zu", i);
		struct held held =
		    i % 2 == 0 ? plain(f->a, id) : nasty(f->a, id);
		held.folder = i % 3 == 0 ? FOLDER_DISCARDED : FOLDER_HELD;
		store(f, &held, raws[i]);
		struct held_entry entry = find(f, id);
		assert_int_equal(entry.state, HELD_SOUND);
		assert_int_equal(
		    quarantine_read(f->q, f->a, &entry, &now, &raw),
		    QUARANTINE_OK);
		assert_same(raw, raws[i]);
		assert_int_equal(now.state, HELD_SOUND);
		assert_int_equal(now.held.size_bytes, raws[i].len);
		assert_same_held(&now.held, &held);
		assert_same_held(&entry.held, &held);
	}
}

static void
a_large_envelope_is_read_in_steps(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "Big");
	for (int i = 0; i < 20000; i++)
		strs_add(f->a, &held.envelope.rcpt,
		    str_printf(f->a, "user%d@example.net", i));
	store(f, &held, STR("\nx\n"));
	struct held_entry entry = find(f, "Big");
	assert_int_equal(entry.state, HELD_SOUND);
	assert_same_held(&entry.held, &held);
}

static void
a_mail_reader_sees_one_message(void **state)
{
	struct fixture *f = *state;
	struct held held = nasty(f->a, "Reader");
	store(f, &held, STR("Subject: hello\nFrom: a@b.example\n\nbody\n"));
	struct held_entry entry = find(f, "Reader");
	int fd = open(
	    path_of(f, str_c(f->a, str_printf(f->a, "new/%s", entry.file))),
	    O_RDONLY);
	static char text[65536];
	ssize_t n = read(fd, text, sizeof(text));
	close(fd);
	assert_true(n > 0);
	/* no empty line, no line without a name, before the message's own
	 * header */
	struct str rest = str_of(text, (size_t)n);
	for (;;) {
		struct str line = str_line(&rest);
		if (str_eq(line, STR("Subject: hello")))
			break;
		assert_true(str_starts(line, STR("X-Postern-")) ||
			    str_starts(line, STR(" ")));
		assert_true(line.len > 1);
	}
}

/* Change, add or cut bytes of the one file in new. */
static void
edit_file(struct fixture *f, const struct held_entry *entry, const char *old,
    const char *fresh)
{
	char *path =
	    path_of(f, str_c(f->a, str_printf(f->a, "new/%s", entry->file)));
	static char text[65536];
	int fd = open(path, O_RDWR);
	struct str all = str_of(text, (size_t)read(fd, text, sizeof(text)));
	size_t at = str_find(all, str_from(old));
	assert_true(at != STR_NONE);
	assert_int_equal(ftruncate(fd, 0), 0);
	struct str head = str_sub(all, 0, at);
	struct str tail = str_skip(all, at + strlen(old));
	assert_int_equal(pwrite(fd, head.p, head.len, 0), head.len);
	assert_int_equal(
	    pwrite(fd, fresh, strlen(fresh), (off_t)head.len), strlen(fresh));
	assert_int_equal(
	    pwrite(fd, tail.p, tail.len, (off_t)(head.len + strlen(fresh))),
	    tail.len);
	close(fd);
}

static void
sees_what_was_tampered_with(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *label, *old, *fresh;
		enum held_state listed, read;
	} rows[] = {
	    {"untouched", "x", "x", HELD_SOUND, HELD_SOUND},
	    {"recipient", "bob@", "eve@", HELD_TAMPERED, HELD_TAMPERED},
	    {"recipient added", "\n <bob@example.net>",
		"\n <bob@example.net>\n <eve@example.net>", HELD_TAMPERED,
		HELD_TAMPERED},
	    {"body", "pay bob", "pay eve", HELD_SOUND, HELD_TAMPERED},
	    {"body longer", "pay bob", "pay bobby", HELD_DAMAGED, HELD_DAMAGED},
	    {"seal taken away", " hmac=", " ", HELD_DAMAGED, HELD_DAMAGED},
	    {"other id", "-Id: T", "-Id: S", HELD_TAMPERED, HELD_TAMPERED},
	    {"other folder", "-Folder: held", "-Folder: discarded",
		HELD_TAMPERED, HELD_TAMPERED},
	    {"not a number", "-Time: 1", "-Time: x", HELD_DAMAGED,
		HELD_DAMAGED},
	    {"not ours", "X-Postern-Id", "X-Other-Id", HELD_DAMAGED,
		HELD_DAMAGED},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char id[16];
		struct str raw;
		struct held_entry now = {.state = HELD_DAMAGED};
		(void)snprintf(id, sizeof(id), "T%zu", i);
		struct held held = plain(f->a, id);
		store(f, &held, STR("Subject: x\n\npay bob\n"));
		struct held_entry entry = find(f, id);
		edit_file(f, &entry, rows[i].old, rows[i].fresh);
		entry = find(f, id);
		if (entry.state != rows[i].listed)
			fail_msg("%s: listed as %.*s", rows[i].label,
			    STR_ARG(held_state_name(entry.state)));
		(void)!quarantine_read(f->q, f->a, &entry, &now, &raw);
		if (now.state != rows[i].read)
			fail_msg("%s: read as %.*s", rows[i].label,
			    STR_ARG(held_state_name(now.state)));
	}
}

static void
another_key_and_no_key_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "K1");
	struct mac_key other = {{1}};
	struct str why;
	store(f, &held, STR("x"));
	quarantine_set_key(f->q, &other);
	assert_int_equal(find(f, "K1").state, HELD_TAMPERED);
	quarantine_close(f->q);
	assert_int_equal(quarantine_open(str_from(f->dir), &f->q, &why, f->a),
	    QUARANTINE_OK);
	assert_int_equal(find(f, "K1").state, HELD_UNSEALED);
	held.id = STR("K2");
	store(f, &held, STR("x"));
	quarantine_set_key(f->q, &f->key);
	assert_int_equal(find(f, "K1").state, HELD_SOUND);
	assert_int_equal(find(f, "K2").state, HELD_TAMPERED);
}

static void
refuses_ids_that_are_paths(void **state)
{
	struct fixture *f = *state;
	static const char *const ids[] = {"", "../x", "a/b", "a.b", "a b",
	    "a\n", "\xc3\xa9", "123456789012345678901234567890123"};
	struct held_entry entry;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct held held = plain(f->a, ids[i]);
		assert_int_equal(quarantine_store(f->q, &held, STR("x")),
		    QUARANTINE_BAD_FILE);
		assert_int_equal(
		    quarantine_find(f->q, f->a, str_from(ids[i]), &entry),
		    QUARANTINE_NOT_FOUND);
	}
	assert_int_equal(count_files(f, "new") + count_files(f, "tmp"), 0);
}

static void
an_id_is_stored_once(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "Once");
	store(f, &held, STR("first"));
	assert_int_equal(
	    quarantine_store(f->q, &held, STR("second")), QUARANTINE_BAD_FILE);
	assert_int_equal(count_files(f, "new"), 1);
	assert_int_equal(count_files(f, "tmp"), 0);
}

static void
follows_no_symbolic_links(void **state)
{
	struct fixture *f = *state;
	struct quarantine *q;
	struct str why = STR_EMPTY;
	char *link_path = path_of(f, "link");
	assert_int_equal(symlink(f->dir, link_path), 0);
	assert_int_not_equal(
	    quarantine_open(str_from(link_path), &q, &why, f->a),
	    QUARANTINE_OK);
	assert_true(str_find(why, STR("not a directory")) != STR_NONE);
	assert_int_not_equal(
	    quarantine_open(str_from(path_of(f, "link/")), &q, &why, f->a),
	    QUARANTINE_OK);
	/* a message that is a link to a file elsewhere is damaged, not read */
	assert_int_equal(
	    symlink("/etc/passwd", path_of(f, "new/1700000000.Link.postern")),
	    0);
	struct held_entry entry;
	assert_int_equal(
	    quarantine_find(f->q, f->a, STR("Link"), &entry), QUARANTINE_OK);
	assert_int_equal(entry.state, HELD_DAMAGED);
	struct str raw;
	assert_int_equal(quarantine_read(f->q, f->a, &entry, &entry, &raw),
	    QUARANTINE_BAD_FILE);
	assert_int_equal(quarantine_delete(f->q, &entry), QUARANTINE_OK);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	assert_int_equal(quarantine_find(f->q, f->a, STR("Link"), &entry),
	    QUARANTINE_NOT_FOUND);
	/* a folder put in the place of new */
	assert_int_equal(rename(path_of(f, "new"), path_of(f, "old")), 0);
	assert_int_equal(symlink("old", path_of(f, "new")), 0);
	assert_int_not_equal(
	    quarantine_open(str_from(f->dir), &q, &why, f->a), QUARANTINE_OK);
	assert_int_equal(unlink(path_of(f, "new")), 0);
	assert_int_equal(rename(path_of(f, "old"), path_of(f, "new")), 0);
}

static void
wants_a_directory_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct quarantine *q;
	struct str why = STR_EMPTY;
	assert_int_equal(chmod(f->dir, 0770), 0);
	assert_int_equal(
	    quarantine_open(str_from(f->dir), &q, &why, f->a), QUARANTINE_IO);
	assert_true(str_find(why, STR("writable")) != STR_NONE);
	assert_int_equal(chmod(f->dir, 0700), 0);
	assert_int_equal(quarantine_open_existing(
			     str_from(path_of(f, "none")), &q, &why, f->a),
	    QUARANTINE_NOT_FOUND);
	assert_int_not_equal(access(path_of(f, "none"), F_OK), 0);
	struct stat st;
	assert_int_equal(stat(path_of(f, "new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
a_full_disk_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "Full");
	struct rlimit before, small = {4096, 4096};
	static char big[100000];
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	errno = 0;
	enum quarantine_status status =
	    quarantine_store(f->q, &held, str_of(big, sizeof(big)));
	int error = errno;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(status, QUARANTINE_FULL);
	assert_int_equal(error, EFBIG);
	assert_int_equal(count_files(f, "new") + count_files(f, "tmp"), 0);
	store(f, &held, str_of(big, sizeof(big)));
}

static void
a_folder_that_went_away_is_trouble(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "Gone");
	assert_int_equal(rmdir(path_of(f, "new")), 0);
	assert_int_equal(
	    quarantine_store(f->q, &held, STR("x")), QUARANTINE_IO);
	assert_int_equal(count_files(f, "tmp"), 0);
}

static void
the_size_limit_holds(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "L0");
	static char big[3000];
	quarantine_set_limit(f->q, 8000);
	store(f, &held, str_of(big, sizeof(big)));
	uint64_t one = quarantine_usage(f->q);
	assert_true(one > sizeof(big) && one < 4000);
	held.id = STR("L1");
	store(f, &held, str_of(big, sizeof(big)));
	assert_int_equal(quarantine_usage(f->q), 2 * one);
	held.id = STR("L2");
	errno = 0;
	assert_int_equal(
	    quarantine_store(f->q, &held, str_of(big, sizeof(big))),
	    QUARANTINE_FULL);
	assert_int_equal(errno, EDQUOT);
	struct held_entry entry = find(f, "L0");
	assert_int_equal(quarantine_delete(f->q, &entry), QUARANTINE_OK);
	assert_int_equal(quarantine_usage(f->q), one);
	store(f, &held, str_of(big, sizeof(big)));
	open_again(f);
	assert_int_equal(quarantine_usage(f->q), 2 * one);
}

static void
what_another_process_does_is_counted_when_told(void **state)
{
	struct fixture *f = *state;
	struct quarantine_stats stats;
	struct quarantine *other;
	struct str why;
	struct held held = plain(f->a, "O0");
	quarantine_stats(f->q, &stats);
	assert_int_equal(stats.messages[FOLDER_HELD], 0);
	assert_int_equal(
	    quarantine_open_existing(str_from(f->dir), &other, &why, f->a),
	    QUARANTINE_OK);
	assert_int_equal(quarantine_store(other, &held, STR("Subject: x\n\n")),
	    QUARANTINE_OK);
	quarantine_changed(f->q);
	quarantine_stats(f->q, &stats);
	assert_int_equal(stats.messages[FOLDER_HELD], 1);
	assert_true(stats.bytes[FOLDER_HELD] > 0);
	struct held_entry entry = find(f, "O0");
	assert_int_equal(quarantine_delete(other, &entry), QUARANTINE_OK);
	quarantine_changed(f->q);
	quarantine_stats(f->q, &stats);
	assert_int_equal(stats.messages[FOLDER_HELD], 0);
	assert_int_equal(stats.bytes[FOLDER_HELD], 0);
	quarantine_close(other);
}

static void
discarded_notices_leave_room_for_held_mail(void **state)
{
	struct fixture *f = *state;
	static char big[3000];
	struct held gone = plain(f->a, "D0"), kept = plain(f->a, "H0");
	gone.folder = FOLDER_DISCARDED;
	quarantine_set_limit(f->q, 8000);
	store(f, &gone, str_of(big, sizeof(big)));
	gone.id = STR("D1");
	errno = 0;
	assert_int_equal(
	    quarantine_store(f->q, &gone, str_of(big, sizeof(big))),
	    QUARANTINE_FULL);
	assert_int_equal(errno, EDQUOT);
	kept.time_wall = gone.time_wall - 1000;
	store(f, &kept, str_of(big, sizeof(big)));
	/* and go first when there is too much */
	struct purge_result result;
	struct purge purge = {.now_wall = clock_wall(), .max_bytes = 4000};
	assert_int_equal(
	    quarantine_purge(f->q, &purge, &result), QUARANTINE_OK);
	assert_int_equal(result.removed, 1);
	struct held_entry entry = find(f, "H0");
	assert_int_equal(entry.held.folder, FOLDER_HELD);
}

static void
ids_sort_by_time_and_do_not_repeat(void **state)
{
	struct fixture *f = *state;
	struct str last = STR_EMPTY;
	for (int i = 0; i < 200; i++) {
		struct str id = quarantine_id(f->a);
		assert_int_equal(id.len, 16);
		assert_true(held_id_is_valid(id));
		assert_false(str_eq(id, last));
		assert_true(
		    str_cmp(str_sub(id, 0, 7), str_sub(last, 0, 7)) >= 0);
		last = id;
	}
}

struct seen {
	char ids[256];
	size_t n, stop_after;
};

static bool
note_id(void *arg, const struct held_entry *entry)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->ids);
	(void)snprintf(seen->ids + len, sizeof(seen->ids) - len, "%.*s ",
	    entry->state == HELD_FOREIGN ? 1 : (int)entry->held.id.len,
	    entry->state == HELD_FOREIGN ? "?" : entry->held.id.p);
	return ++seen->n != seen->stop_after;
}

static void
list_ids(struct fixture *f, enum held_folder folder, const char *prefix,
    size_t stop_after, const char *want)
{
	struct seen seen = {.stop_after = stop_after};
	assert_int_equal(
	    quarantine_each(f->q, folder, str_from(prefix), note_id, &seen),
	    QUARANTINE_OK);
	assert_string_equal(seen.ids, want);
}

static void
lists_oldest_first_by_folder_and_prefix(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *id;
		int64_t time;
		enum held_folder folder;
	} rows[] = {{"C1", 3000, FOLDER_HELD}, {"A2", 1000, FOLDER_HELD},
	    {"A1", 20000, FOLDER_HELD}, {"D1", 2000, FOLDER_DISCARDED}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct held held = plain(f->a, rows[i].id);
		held.time_wall = rows[i].time;
		held.folder = rows[i].folder;
		store(f, &held, STR("x"));
	}
	list_ids(f, FOLDER_COUNT, "", 0, "A2 D1 C1 A1 ");
	list_ids(f, FOLDER_HELD, "", 0, "A2 C1 A1 ");
	list_ids(f, FOLDER_DISCARDED, "", 0, "D1 ");
	list_ids(f, FOLDER_COUNT, "A", 0, "A2 A1 ");
	list_ids(f, FOLDER_COUNT, "", 2, "A2 D1 ");
	struct held_entry entry;
	assert_int_equal(quarantine_find(f->q, f->a, STR("A"), &entry),
	    QUARANTINE_AMBIGUOUS);
	assert_int_equal(quarantine_find(f->q, f->a, STR("E"), &entry),
	    QUARANTINE_NOT_FOUND);
	assert_int_equal(
	    quarantine_find(f->q, f->a, STR("D"), &entry), QUARANTINE_OK);
	/* the exact id wins over what only begins so */
	struct held held = plain(f->a, "A");
	store(f, &held, STR("x"));
	assert_int_equal(
	    quarantine_find(f->q, f->a, STR("A"), &entry), QUARANTINE_OK);
}

static void
a_mail_reader_may_move_and_flag(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "M1");
	struct held_entry now;
	struct str raw;
	store(f, &held, STR("x"));
	struct held_entry entry = find(f, "M1");
	assert_false(entry.is_seen);
	char *cur = str_c(f->a, str_printf(f->a, "cur/%s:2,S", entry.file));
	assert_int_equal(
	    rename(
		path_of(f, str_c(f->a, str_printf(f->a, "new/%s", entry.file))),
		path_of(f, cur)),
	    0);
	/* listed before it was moved, read after */
	assert_int_equal(
	    quarantine_read(f->q, f->a, &entry, &now, &raw), QUARANTINE_OK);
	assert_true(now.is_seen);
	assert_int_equal(find(f, "M1").state, HELD_SOUND);
	assert_int_equal(quarantine_delete(f->q, &entry), QUARANTINE_OK);
	assert_int_equal(count_files(f, "cur"), 0);
}

static void
one_process_at_a_time_works_on_a_message(void **state)
{
	struct fixture *f = *state;
	struct held held = plain(f->a, "B1");
	int lock, other;
	store(f, &held, STR("x"));
	struct held_entry entry = find(f, "B1");
	assert_int_equal(quarantine_lock(f->q, &entry, &lock), QUARANTINE_OK);
	assert_int_equal(
	    quarantine_lock(f->q, &entry, &other), QUARANTINE_BUSY);
	assert_int_equal(quarantine_delete(f->q, &entry), QUARANTINE_BUSY);
	held.reason = STR("changed");
	assert_int_equal(
	    quarantine_replace(f->q, &entry, &held, STR("y")), QUARANTINE_OK);
	assert_int_equal(count_files(f, "new"), 1);
	quarantine_unlock(lock);
	entry = find(f, "B1");
	assert_str(entry.held.reason, "changed");
	assert_int_equal(entry.state, HELD_SOUND);
	assert_int_equal(quarantine_delete(f->q, &entry), QUARANTINE_OK);
	assert_int_equal(
	    quarantine_lock(f->q, &entry, &lock), QUARANTINE_NOT_FOUND);
}

static void
foreign_files_are_shown_and_left_alone(void **state)
{
	struct fixture *f = *state;
	struct purge_result result;
	int fd = open(
	    path_of(f, "cur/1234.host.example:2,"), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	list_ids(f, FOLDER_COUNT, "", 0, "? ");
	list_ids(f, FOLDER_COUNT, "x", 0, "");
	struct purge purge = {.now_wall = clock_wall() + 1000 * DAY,
	    .max_age_s = {1, 1},
	    .max_bytes = 1};
	assert_int_equal(
	    quarantine_purge(f->q, &purge, &result), QUARANTINE_OK);
	assert_int_equal(result.removed, 0);
	assert_int_equal(result.left_bytes, 5);
	assert_int_equal(count_files(f, "cur"), 1);
}

static void
note_purge(void *arg, const struct held_entry *entry, enum purge_reason reason)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->ids);
	(void)snprintf(seen->ids + len, sizeof(seen->ids) - len, "%.*s:%s ",
	    STR_ARG(entry->held.id), reason == PURGE_AGE ? "age" : "size");
}

static bool
wants_not_p2(void *arg, const struct held_entry *entry)
{
	(void)arg;
	return !str_eq(entry->held.id, STR("P2"));
}

static void
purges_the_old_then_the_oldest(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *id;
		int64_t age;
		enum held_folder folder;
	} rows[] = {{"P1", 40 * DAY, FOLDER_HELD},
	    {"P2", 20 * DAY, FOLDER_HELD}, {"P3", 10 * DAY, FOLDER_DISCARDED},
	    {"P4", 5 * DAY, FOLDER_HELD}, {"P5", 3 * DAY, FOLDER_DISCARDED},
	    {"P6", DAY, FOLDER_HELD}};
	int64_t now = clock_wall();
	static char big[10000];
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct held held = plain(f->a, rows[i].id);
		held.time_wall = now - rows[i].age;
		held.folder = rows[i].folder;
		store(f, &held, str_of(big, sizeof(big)));
	}
	struct seen seen = {0};
	struct purge_result result;
	struct purge purge = {.now_wall = now,
	    .max_age_s =
		{[FOLDER_HELD] = 30 * DAY, [FOLDER_DISCARDED] = 7 * DAY},
	    .max_bytes = 25000,
	    .is_dry_run = true,
	    .wants = wants_not_p2,
	    .tell = note_purge,
	    .arg = &seen};
	assert_int_equal(
	    quarantine_purge(f->q, &purge, &result), QUARANTINE_OK);
	assert_string_equal(seen.ids, "P1:age P3:age P5:size P4:size ");
	assert_int_equal(count_files(f, "new"), 4);
	seen = (struct seen){0};
	purge.is_dry_run = false;
	assert_int_equal(
	    quarantine_purge(f->q, &purge, &result), QUARANTINE_OK);
	assert_string_equal(seen.ids, "P1:age P3:age P5:size P4:size ");
	assert_int_equal(result.removed, 4);
	assert_true(result.left_bytes <= 25000);
	assert_true(result.left_bytes == quarantine_usage(f->q));
	list_ids(f, FOLDER_COUNT, "", 0, "P2 P6 ");
}

static void
purges_what_a_crash_left(void **state)
{
	struct fixture *f = *state;
	struct purge_result result;
	int fd = open(path_of(f, "tmp/1.X.postern"), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	struct purge purge = {.now_wall = clock_wall() + 35 * 3600};
	assert_int_equal(
	    quarantine_purge(f->q, &purge, &result), QUARANTINE_OK);
	assert_int_equal(result.stale, 0);
	purge.now_wall += 2 * 3600;
	assert_int_equal(
	    quarantine_purge(f->q, &purge, &result), QUARANTINE_OK);
	assert_int_equal(result.stale, 1);
	assert_int_equal(count_files(f, "tmp"), 0);
}

#define THREADS 4
#define EACH 25

static void *
store_many(void *arg)
{
	struct fixture *f = arg;
	struct arena *a = arena_new();
	for (int i = 0; i < EACH; i++) {
		struct str id = quarantine_id(a);
		struct held held = plain(a, str_c(a, id));
		if (quarantine_store(f->q, &held, STR("\nx\n")) !=
		    QUARANTINE_OK)
			abort();
		(void)quarantine_usage(f->q);
	}
	arena_free(a);
	return NULL;
}

static bool
count_sound(void *arg, const struct held_entry *entry)
{
	assert_int_equal(entry->state, HELD_SOUND);
	++*(size_t *)arg;
	return true;
}

static void
threads_store_at_once(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[THREADS];
	size_t n = 0;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, store_many, f), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(
	    quarantine_each(f->q, FOLDER_HELD, STR_EMPTY, count_sound, &n),
	    QUARANTINE_OK);
	assert_int_equal(n, THREADS * EACH);
}

/* Whatever moment the process ends at, what is in new is whole. */
static void
a_killed_writer_leaves_whole_messages(void **state)
{
	struct fixture *f = *state;
	for (int round = 0; round < 5; round++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		while (pid == 0) {
			struct arena *a = arena_new();
			static char big[200000];
			struct held held = plain(a, str_c(a, quarantine_id(a)));
			if (quarantine_store(f->q, &held,
				str_of(big, sizeof(big))) != QUARANTINE_OK)
				_exit(1);
			arena_free(a);
		}
		(void)usleep(20000 + 7000 * (unsigned)round);
		assert_int_equal(kill(pid, SIGKILL), 0);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	size_t n = 0;
	assert_int_equal(
	    quarantine_each(f->q, FOLDER_HELD, STR_EMPTY, count_sound, &n),
	    QUARANTINE_OK);
	assert_true(n > 0);
}

static void
filters_choose(void **state)
{
	struct fixture *f = *state;
	struct held_entry e = {.held = plain(f->a, "F1"), .has_block = true};
	struct held_entry null_sender = e;
	strs_add(f->a, &e.held.envelope.rcpt, STR("carol@example.org"));
	null_sender.held.envelope.from = STR_EMPTY;
	int64_t now = e.held.time_wall + 2 * DAY;
	const struct {
		const char *label;
		struct held_filter filter;
		bool matches, matches_null_sender;
	} rows[] = {
	    {"nothing asked", {0}, true, true},
	    {"sender", {.sender = "Alice@Example.com"}, true, false},
	    {"sender glob", {.sender = "*@example.com"}, true, false},
	    {"sender part", {.sender = "alice"}, false, false},
	    {"null sender", {.sender = "<>"}, false, true},
	    {"any sender", {.sender = "*"}, true, true},
	    {"second recipient", {.rcpt = "carol@*"}, true, false},
	    {"rule", {.rule = "LINK_*"}, true, true},
	    {"other rule", {.rule = "LURE"}, false, false},
	    {"login", {.login = "alice"}, true, true},
	    {"client by name", {.client = "*.example.com"}, true, true},
	    {"client by address", {.client = "192.0.2.?"}, true, true},
	    {"client by network", {.client = "192.0.2.0/24"}, true, true},
	    {"other network", {.client = "198.51.100.0/24"}, false, false},
	    {"mapped", {.client = "::ffff:192.0.2.7"}, true, true},
	    {"class", {.has_class = true, .class = CLASS_SUBMISSION}, true,
		true},
	    {"other class", {.has_class = true, .class = CLASS_LOCAL}, false,
		false},
	    {"older", {.older_s = DAY}, true, true},
	    {"not older", {.older_s = 2 * DAY}, false, false},
	    {"newer", {.newer_s = 3 * DAY}, true, true},
	    {"not newer", {.newer_s = 2 * DAY}, false, false},
	    {"score", {.has_score_min = true, .score_min = 9.5}, true, true},
	    {"low score", {.has_score_max = true, .score_max = 9.4}, false,
		false},
	    {"two of them",
		{.sender = "alice@*", .has_score_min = true, .score_min = 10},
		false, false},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (held_filter_matches(&rows[i].filter, &e, now) !=
		    rows[i].matches)
			fail_msg("%s", rows[i].label);
		if (held_filter_matches(&rows[i].filter, &null_sender, now) !=
		    rows[i].matches_null_sender)
			fail_msg("%s, null sender", rows[i].label);
	}
	/* what cannot be read is never caught by what it would have said */
	struct held_entry damaged = {.held = e.held, .state = HELD_DAMAGED};
	struct held_filter any = {.sender = "*"}, age = {.older_s = DAY};
	assert_false(held_filter_matches(&any, &damaged, now));
	assert_true(held_filter_matches(&age, &damaged, now));
}

static void
globs_are_linear_in_time(void **state)
{
	(void)state;
	static char text[20001];
	memset(text, 'a', sizeof(text));
	assert_false(glob_matches(
	    STR("*a*a*a*a*a*a*a*a*a*a*b"), str_of(text, sizeof(text))));
	assert_true(glob_matches(STR(""), STR("")));
	assert_true(glob_matches(STR("**"), STR("")));
	assert_false(glob_matches(STR("?"), STR("")));
	assert_true(glob_matches(STR("a*c?e"), STR("abbcde")));
	assert_true(glob_matches(STR("*@b"), str_of("a\0@b", 4)));
}

static void
ages_and_sizes_have_units(void **state)
{
	(void)state;
	int64_t s;
	uint64_t n;
	assert_true(age_parse(STR("90m"), &s) && s == 5400);
	assert_true(age_parse(STR("2H"), &s) && s == 7200);
	assert_true(age_parse(STR("3d"), &s) && s == 3 * DAY);
	assert_true(age_parse(STR("1w"), &s) && s == 7 * DAY);
	assert_false(age_parse(STR("3"), &s));
	assert_false(age_parse(STR(""), &s));
	assert_false(age_parse(STR("d"), &s));
	assert_false(age_parse(STR("-3d"), &s));
	assert_false(age_parse(STR("99999999999999999999d"), &s));
	assert_true(size_parse(STR("512"), &n) && n == 512);
	assert_true(size_parse(STR("2G"), &n) && n == UINT64_C(2) << 30);
	assert_false(size_parse(STR("2T"), &n));
	assert_false(size_parse(STR("99999999999999G"), &n));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(gives_back_every_byte),
    TEST(a_large_envelope_is_read_in_steps),
    TEST(a_mail_reader_sees_one_message),
    TEST(sees_what_was_tampered_with),
    TEST(another_key_and_no_key_are_told_apart),
    TEST(refuses_ids_that_are_paths),
    TEST(an_id_is_stored_once),
    TEST(follows_no_symbolic_links),
    TEST(wants_a_directory_of_its_own),
    TEST(a_full_disk_leaves_nothing_behind),
    TEST(a_folder_that_went_away_is_trouble),
    TEST(the_size_limit_holds),
    TEST(ids_sort_by_time_and_do_not_repeat),
    TEST(lists_oldest_first_by_folder_and_prefix),
    TEST(a_mail_reader_may_move_and_flag),
    TEST(one_process_at_a_time_works_on_a_message),
    TEST(foreign_files_are_shown_and_left_alone),
    TEST(what_another_process_does_is_counted_when_told),
    TEST(discarded_notices_leave_room_for_held_mail),
    TEST(purges_the_old_then_the_oldest),
    TEST(purges_what_a_crash_left),
    TEST(threads_store_at_once),
    TEST(a_killed_writer_leaves_whole_messages),
    TEST(filters_choose),
    cmocka_unit_test(globs_are_linear_in_time),
    cmocka_unit_test(ages_and_sizes_have_units),
};

UNIT_MAIN(tests)
