/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader -- the state file for the commands: read while posternd writes it.  No
 * transaction is open while somebody else's code runs: it would keep the
 * keeper from using pages again for as long as a pager shows a table.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "state/file_check.h"
#include "state/history.h"
#include "state/ledger.h"
#include "state/place.h"

#define ENTRIES_A_LOOK 5000 /* in one transaction */
#define MATCHES_A_LOOK 500
#define HISTORY_A_LOOK 20000

struct memory_reader {
	struct place place;
	struct store *store;
};

/* ---- a file that breaks under our hands */

static const int guarded[] = {SIGBUS, SIGSEGV, SIGABRT};
static const char guard_words[] =
    "postern: error: the state file is broken: posternd moves it aside when it "
    "is started again\n";

/* The library trusts what it reads, and there is no way back from here. */
static void
guard(int signal)
{
	ssize_t written =
	    write(STDERR_FILENO, guard_words, sizeof(guard_words) - 1);
	(void)signal;
	_exit(written >= 0 ? 2 : 3);
}

static void
guard_set(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	for (size_t i = 0; i < COUNT_OF(guarded); i++)
		(void)sigaction(guarded[i], &action, NULL);
}

/* ---- opening */

/*
 * LMDB makes the lock file.  Made by root it would shut out the keeper, so it
 * is made here and given to who has the file.
 */
static void
lock_file_make(const struct place *place, const struct stat *owner)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s-lock", place->file);
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (geteuid() == 0 && fchown(fd, owner->st_uid, owner->st_gid) != 0)
		(void)unlink(path);
	(void)close(fd);
}

/* Is it there, and as long as it says? */
static enum reader_status
file_look(struct arena *a, const struct place *place, struct str *ret_why)
{
	struct store_why why = {.text = ""};
	struct stat st;
	int fd = -1;
	enum store_status status = file_read_open(place->file, &fd, &st, &why);
	if (status == STORE_IO && why.error == ENOENT)
		return READER_NONE;
	bool is_sound = status == STORE_OK && file_check_head(fd, &why);
	if (fd >= 0)
		(void)close(fd);
	if (is_sound)
		lock_file_make(place, &st);
	else
		*ret_why = str_printf(a, "%s: %s", place->file, why.text);
	return is_sound ? READER_OK : READER_BAD;
}

enum reader_status
memory_read_open(struct arena *a, struct str dir, struct memory_reader **ret,
    struct str *ret_why)
{
	struct memory_reader *r = ARENA_NEW(a, struct memory_reader);
	struct store_why why;
	if (!place_init(&r->place, dir)) {
		*ret_why = STR("the path of the state folder is too long");
		return READER_BAD;
	}
	enum reader_status status = file_look(a, &r->place, ret_why);
	if (status != READER_OK)
		return status;
	guard_set(guard);
	if (store_open_read(r->place.file, &r->store, &why) != STORE_OK) {
		guard_set(SIG_DFL);
		*ret_why = str_dup(a, str_from(why.text));
		return READER_BAD;
	}
	*ret = r;
	return READER_OK;
}

void
memory_read_close(struct memory_reader *reader)
{
	if (reader == NULL)
		return;
	store_close(reader->store);
	guard_set(SIG_DFL);
}

/* One that is only being made is left alone until the next time. */
bool
memory_read_renew(struct memory_reader *reader)
{
	struct stat st;
	struct store_why why = {.text = ""};
	struct store *store = NULL;
	if (lstat(reader->place.file, &st) != 0 ||
	    store_is_file(reader->store, &st))
		return false;
	struct arena *a = arena_new_small();
	struct str words;
	bool is_renewed =
	    file_look(a, &reader->place, &words) == READER_OK &&
	    store_open_read(reader->place.file, &store, &why) == STORE_OK;
	arena_free(a);
	if (!is_renewed)
		return false;
	store_close(reader->store);
	reader->store = store;
	return true;
}

static enum reader_status
broken(const struct memory_reader *r, const char *why)
{
	log_error("%s: %s", r->place.file, why);
	return READER_BAD;
}

/*
 * Signals by which a user ends or stops a command wait while a transaction is
 * open: it would stay open, and what the keeper frees would stay in use.
 */
static void
signals_hold(int how)
{
	static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
	    SIGTTIN, SIGTTOU, SIGALRM};
	sigset_t set;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(held); i++)
		(void)sigaddset(&set, held[i]);
	(void)pthread_sigmask(how, &set, NULL);
}

/* NULL: it is told. */
static struct store_txn *
look_begin(const struct memory_reader *r)
{
	struct store_why why;
	signals_hold(SIG_BLOCK);
	struct store_txn *txn = store_begin(r->store, false, &why);
	if (txn == NULL) {
		signals_hold(SIG_UNBLOCK);
		(void)broken(r, why.text);
	}
	return txn;
}

/* End a transaction that was only read in. */
static enum reader_status
look_end(const struct memory_reader *r, struct store_txn *txn)
{
	struct store_why why;
	enum store_status status = store_commit(txn, &why);
	signals_hold(SIG_UNBLOCK);
	return status == STORE_OK ? READER_OK : broken(r, why.text);
}

/* ---- entries */

struct matches {
	struct str *v; /* bytes, copied */
	size_t n, cap;
};

static bool
entry_has(const struct ledger_entry *e, struct str text)
{
	struct str path = ledger_path_cut(text);
	if (str_ieq(e->message_id, ledger_id_cut(text)) ||
	    str_ieq(e->sender, path))
		return true;
	for (size_t i = 0; i < e->nrcpt; i++)
		if (str_ieq(e->rcpt[i], path))
			return true;
	return false;
}

static bool
bytes_match(struct arena *a, struct str bytes, struct str text)
{
	struct ledger_entry entry;
	if (text.len == 0)
		return true;
	return str_ifind(bytes, ledger_id_cut(text)) != STR_NONE &&
	       entry_unpack(a, bytes, &entry) && entry_has(&entry, text);
}

/* Read on from `place`; `*ret_end`: there was no more. */
static void
entries_look(struct ledger *ledger, struct store_txn *txn, struct arena *a,
    struct str text, struct ledger_place *place, struct matches *matches,
    bool *ret_end)
{
	struct arena *scratch = arena_new();
	struct str bytes;
	*ret_end = false;
	for (size_t i = 0; i < ENTRIES_A_LOOK && matches->n < MATCHES_A_LOOK;
	     i++) {
		if (!ledger_older(ledger, txn, place, &bytes)) {
			*ret_end = true;
			break;
		}
		if (bytes_match(scratch, bytes, text))
			ARENA_PUSH(a, matches) = str_dup(a, bytes);
		arena_reset(scratch);
	}
	arena_free(scratch);
}

static enum reader_status
entries_read(struct memory_reader *r, struct arena *a, struct str text,
    struct ledger_place *place, struct matches *matches, bool *ret_end)
{
	const struct record_key no_key = {{0}};
	struct store_txn *txn = look_begin(r);
	if (txn == NULL)
		return READER_BAD;
	struct ledger *ledger = ledger_open(txn, &no_key);
	if (ledger != NULL)
		entries_look(ledger, txn, a, text, place, matches, ret_end);
	ledger_free(ledger);
	return look_end(r, txn);
}

/* False: enough. */
static bool
entries_hand_out(struct arena *a, const struct matches *matches,
    bool (*fn)(void *arg, const struct ledger_entry *entry), void *arg)
{
	for (size_t i = 0; i < matches->n; i++) {
		struct ledger_entry entry;
		if (entry_unpack(a, matches->v[i], &entry) && !fn(arg, &entry))
			return false;
	}
	return true;
}

enum reader_status
ledger_each(struct memory_reader *reader, struct str text,
    bool (*fn)(void *arg, const struct ledger_entry *entry), void *arg)
{
	struct arena *a = arena_new();
	struct ledger_place place = {0};
	enum reader_status status = READER_OK;
	bool is_end = false;
	while (status == READER_OK && !is_end) {
		struct matches matches = {0};
		status =
		    entries_read(reader, a, text, &place, &matches, &is_end);
		if (!entries_hand_out(a, &matches, fn, arg))
			is_end = true;
		arena_reset(a);
	}
	arena_free(a);
	return status;
}

/* ---- history */

/* One walk: where it is, and which way it goes. */
struct history_walk {
	const struct history_search *search;
	struct history_entry entry; /* the one that is looked at */
	uint64_t place;             /* of the last entry that was looked at */
	bool is_forward;            /* else to older ones */
	bool is_end;
	struct matches matches;
};

static bool
walk_step(struct history_walk *walk, struct store_cursor *cursor, bool is_first,
    struct str *ret)
{
	if (!is_first)
		return walk->is_forward
			   ? store_cursor_next(cursor, &walk->place, ret)
			   : store_cursor_prev(cursor, &walk->place, ret);
	if (!walk->is_forward)
		return walk->place > 0 &&
		       store_cursor_before(
			   cursor, walk->place - 1, &walk->place, ret);
	uint64_t before;
	return store_cursor_before(cursor, walk->place, &before, ret)
		   ? store_cursor_next(cursor, &walk->place, ret)
		   : store_cursor_first(cursor, &walk->place, ret);
}

/* A clock that was set back makes entries out of order by this at most. */
#define CLOCK_SLACK_S 86400

static void
history_look(struct history_walk *walk, struct store_cursor *cursor,
    struct store_txn *txn, struct arena *a)
{
	const struct history_search *search = walk->search;
	struct str bytes;
	for (size_t i = 0; i < HISTORY_A_LOOK; i++) {
		if (walk->matches.n == MATCHES_A_LOOK)
			return;
		if (!walk_step(walk, cursor, i == 0, &bytes)) {
			walk->is_end = true;
			return;
		}
		if (!history_peek(bytes, &walk->entry)) {
			store_spoil(txn, "an entry that cannot be read");
			return;
		}
		if (!walk->is_forward &&
		    walk->entry.time_wall <
			search->since_wall - CLOCK_SLACK_S) {
			walk->is_end = true;
			return;
		}
		if (search->wants(search->arg, &walk->entry))
			ARENA_PUSH(a, &walk->matches) = str_dup(a, bytes);
	}
}

static enum reader_status
history_read(
    struct memory_reader *r, struct arena *a, struct history_walk *walk)
{
	struct history history;
	struct store_txn *txn = look_begin(r);
	if (txn == NULL)
		return READER_BAD;
	history_open(&history, txn);
	struct store_cursor *cursor = store_cursor_new(txn, &history.table);
	history_look(walk, cursor, txn, a);
	store_cursor_free(cursor);
	return look_end(r, txn);
}

/* False: enough. */
static bool
history_hand_out(struct history_walk *walk)
{
	const struct history_search *search = walk->search;
	for (size_t i = 0; i < walk->matches.n; i++)
		if (history_unpack(walk->matches.v[i], &walk->entry) &&
		    !search->take(search->arg, &walk->entry))
			return false;
	return true;
}

static enum reader_status
history_walk(struct memory_reader *reader, struct history_walk *walk)
{
	struct arena *a = arena_new();
	enum reader_status status = READER_OK;
	while (status == READER_OK && !walk->is_end) {
		walk->matches = (struct matches){0};
		status = history_read(reader, a, walk);
		if (!history_hand_out(walk))
			walk->is_end = true;
		arena_reset(a);
	}
	arena_free(a);
	return status;
}

enum reader_status
history_each(struct memory_reader *reader, const struct history_search *search)
{
	struct history_walk walk = {.search = search, .place = UINT64_MAX};
	return history_walk(reader, &walk);
}

enum reader_status
history_newest(struct memory_reader *reader, uint64_t *ret)
{
	struct history history;
	struct store_txn *txn = look_begin(reader);
	if (txn == NULL)
		return READER_BAD;
	history_open(&history, txn);
	*ret = history.next - 1;
	return look_end(reader, txn);
}

enum reader_status
history_newer(struct memory_reader *reader, const struct history_search *search,
    uint64_t *place)
{
	struct history_walk walk = {
	    .search = search, .place = *place, .is_forward = true};
	enum reader_status status = history_walk(reader, &walk);
	*place = walk.place;
	return status;
}

/* ---- figures */

static uint64_t
limit_read(struct store_txn *txn)
{
	struct store_table meta = store_table(txn, "meta", STORE_NAMES);
	struct str bytes;
	uint64_t limit;
	return store_get(txn, &meta, STR("limit"), &bytes) &&
		       unpack_u64(&bytes, &limit)
		   ? limit
		   : 0;
}

/* 0: it is empty. */
static int64_t
history_oldest(struct history *history, struct store_txn *txn)
{
	struct history_entry entry;
	struct str bytes;
	uint64_t number;
	return store_first(txn, &history->table, &number, &bytes) &&
		       history_peek(bytes, &entry)
		   ? entry.time_wall
		   : 0;
}

enum reader_status
memory_read_stats(struct memory_reader *reader, struct memory_stats *ret)
{
	const struct record_key no_key = {{0}};
	struct history history;
	struct store_use use;
	struct store_txn *txn = look_begin(reader);
	if (txn == NULL)
		return READER_BAD;
	store_use(txn, &use);
	history_open(&history, txn);
	struct ledger *ledger = ledger_open(txn, &no_key);
	*ret = (struct memory_stats){
	    .entries = ledger == NULL ? 0 : ledger_count(ledger, txn),
	    .history = store_table_entries(txn, &history.table),
	    .history_oldest_wall = history_oldest(&history, txn),
	    .file_bytes = use.file_bytes,
	    .used_bytes = use.used_bytes,
	    .size_bytes = limit_read(txn),
	    .oldest_wall = ledger == NULL ? 0 : ledger_oldest(ledger, txn),
	};
	ledger_free(ledger);
	return look_end(reader, txn);
}
