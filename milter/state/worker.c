/* SPDX-License-Identifier: BSD-2-Clause */
/* worker -- the part of the keeper that has the file open and does the work. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/budget.h"
#include "state/clean_note.h"
#include "state/file_check.h"
#include "state/history.h"
#include "state/keeper.h"
#include "state/ledger.h"

#define FORMAT "postern 2"
#define TELLS_A_BATCH 256
#define EVENTS_AT_ONCE 64
#define LOOK_EVERY_MS 1000    /* at the file, while it is written to */
#define TIDY_EVERY_MS 30000   /* days, readers, budgets */
#define RETRY_EVERY_MS 2000   /* when there is no room */
#define REPORT_EVERY_MS 60000 /* that there is none */
#define NAP_MS 50
/* The whole file is read again now and then: a small part of the time, and not
 * if nothing has happened. */
#define SCRUB_EVERY_MS 60000
#define SCRUB_SHARE 200
#define LOCK_EVERY_MS 50
#define LOCK_REPORT_MS 10000
#define TRIES_ALONE 2 /* then what is told is taken one by one */
#define TRIES_MAX 4   /* then it is dropped: it crashes the worker */
/* Pages that a command is reading are not free yet: then it is better to wait
 * than to drop still more. */
#define DROPS_AT_ONCE 4
#define TRIM_A_BATCH (4 * TELLS_A_BATCH)
#define TRIM_AT_ONCE 10000
#define DROP_ENTRIES_MAX 50000
/* More than that it is no drift. */
#define CLOCK_STEP_S 60

struct worker {
	const struct keeper_link *link;
	pid_t keeper; /* who flushes */
	int leash, epoll;
	struct store *store; /* NULL: there was no room for it */
	struct store_table meta;
	struct record_key key;
	struct ledger *ledger;
	struct budgets budgets;
	struct history history;
	bool is_ending;    /* posternd is gone */
	int64_t retry_ms;  /* no room before that; 0: there is */
	int64_t report_ms; /* when the last report was */
	int64_t early_ms;  /* the same, of entries that go early */
	uint64_t dropped;  /* the change that dropped entries last */
	int pinned_by;     /* the process that keeps that in use; 0: none */
	bool is_suspect, is_checked; /* the file */
	bool is_told_new, is_told_io;
	int64_t look_ms, tidy_ms;
	/* the wall clock is that many seconds before the other, since then */
	int64_t clock_offset_s, clock_even_ms;
	bool has_written; /* since the last look */
	/*
	 * To be woken costs more than what is to be done then.  One message
	 * after a while is taken at once; when they come thick, all of a nap
	 * are taken together.
	 */
	bool naps;
	int64_t woken_ms; /* when something was told the last time */
	struct {
		pid_t child;           /* 0: nobody reads now */
		struct store_txn *txn; /* keeps what it reads */
		int64_t begin_ms, due_ms;
		bool is_wanted; /* something has happened since */
	} scrub;
	char ask[REQUEST_BYTES_MAX];
};

/* The data of epoll events that are no question. */
enum { EVENT_WAKE = KEEPER_ASKS, EVENT_LIFE, EVENT_LEASH };

static void
clock_look(struct worker *w)
{
	int64_t now = clock_ms();
	int64_t offset_s = clock_wall() - now / 1000;
	if (llabs(offset_s - w->clock_offset_s) <= CLOCK_STEP_S)
		return;
	w->clock_offset_s = offset_s;
	w->clock_even_ms = now;
}

/* Before that it is too old for `age_s`; INT64_MIN: nothing is. */
static int64_t
too_old_before(const struct worker *w, int64_t age_s)
{
	int64_t proof_s = atomic_load(&w->link->ring->clock_proof_s);
	return clock_ms() - w->clock_even_ms < proof_s * 1000
		   ? INT64_MIN
		   : clock_wall() - age_s;
}

static struct ledger_limits
limits_of(const struct worker *w)
{
	return (struct ledger_limits){
	    .max_bytes = atomic_load(&w->link->ring->size_bytes),
	    .file_bytes = w->store == NULL ? 0 : store_bytes(w->store),
	    .days_s = (int64_t)atomic_load(&w->link->ring->days) * 86400,
	};
}

static struct history_limits
history_limits_of(const struct worker *w)
{
	const struct ring *ring = w->link->ring;
	int64_t days = atomic_load(&ring->history_days);
	return (struct history_limits){
	    .max_bytes = atomic_load(&ring->history_bytes),
	    .oldest_wall = too_old_before(w, days * 86400),
	};
}

/* Of the file: what both may take. */
static uint64_t
file_bytes_max(const struct worker *w)
{
	return limits_of(w).max_bytes + history_limits_of(w).max_bytes;
}

/* ---- the file is broken, or cannot be used now: say so */

/* It goes aside; STORE_IO: it stays, and cannot be used. */
static enum store_status
file_renew(struct worker *w, struct store_why *why)
{
	const struct place *place = &w->link->place;
	struct store_why broken = *why;
	enum place_move move = place_move_aside(place);
	int error = errno;
	if (move == PLACE_MOVED) {
		w->is_told_new = true;
		log_error("memory: %s is broken (%s): moved to %s.broken-*, "
			  "and a new one is begun; what it remembered is not "
			  "known any more",
		    place->file, broken.text, place->file);
	}
	if (move != PLACE_STAYS)
		return STORE_OK;
	why->error = error;
	(void)snprintf(why->text, sizeof(why->text),
	    "it is broken (%.90s) and cannot be moved aside (%.40s): remove it",
	    broken.text, strerror(error));
	return STORE_IO;
}

/* End; the next worker checks the whole file. */
static NORETURN void
give_up(const struct worker *w, const struct store_why *why)
{
	log_error("memory: %s: %s; all of it is read before it is used again",
	    w->link->place.file, why->text);
	_exit(WORKER_BROKEN);
}

static bool
is_not_ours(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && st.st_uid != geteuid();
}

/* What an admin can do about `error`. */
static void
advice_put(const struct worker *w, int error, char *to, size_t size)
{
	char lock[PATH_MAX];
	const char *file = w->link->place.file;
	(void)snprintf(lock, sizeof(lock), "%s-lock", file);
	const char *foreign = is_not_ours(file)   ? file
			      : is_not_ours(lock) ? lock
						  : NULL;
	to[0] = '\0';
	if ((error == EACCES || error == EPERM) && foreign != NULL)
		(void)snprintf(to, size, "not ours: chown %u %s; ",
		    (unsigned)geteuid(), foreign);
	else if (error == EMFILE || error == ENFILE)
		(void)snprintf(to, size, "raise the limit of open files; ");
	else if (error == EROFS)
		(void)snprintf(to, size, "make the file system writable; ");
}

static void
io_tell(struct worker *w, const struct store_why *why)
{
	char advice[PATH_MAX + 64];
	advice_put(w, why->error, advice, sizeof(advice));
	log_error("memory: %s cannot be used (%s): mail flows, but what comes "
		  "now may not be remembered; %sit is tried again",
	    w->link->place.file, why->text, advice);
}

static void
no_room_tell(struct worker *w, const struct store_why *why)
{
	log_error("memory: %s: no room (%s): mail flows, but what comes now "
		  "may not be remembered; %s",
	    w->link->place.file, why->text,
	    w->pinned_by != 0
		? "end that process"
		: "free space on the disk, or set a larger ledger-size or "
		  "history-size");
}

/* It is tried again in a while; said once a minute. */
static void
retry_later(
    struct worker *w, enum store_status status, const struct store_why *why)
{
	int64_t now = clock_ms();
	w->retry_ms = now + RETRY_EVERY_MS;
	if (w->report_ms != 0 && now - w->report_ms < REPORT_EVERY_MS)
		return;
	w->report_ms = now;
	w->is_told_io = status == STORE_IO;
	if (w->is_told_io)
		io_tell(w, why);
	else
		no_room_tell(w, why);
}

static void
room_again(struct worker *w)
{
	if (w->retry_ms == 0)
		return;
	w->retry_ms = 0;
	w->pinned_by = 0;
	log_info("memory: %s: %s", w->link->place.file,
	    w->is_told_io ? "it can be used again" : "there is room again");
}

/* What is to be done about a status that is not STORE_OK. */
static void
trouble(struct worker *w, enum store_status status, const struct store_why *why)
{
	if (status == STORE_BAD)
		give_up(w, why);
	retry_later(w, status, why);
}

/* ---- opening */

static void
key_read(struct worker *w, struct store_txn *txn)
{
	struct str bytes;
	if (store_get(txn, &w->meta, STR("key"), &bytes) &&
	    bytes.len == sizeof(w->key)) {
		memcpy(&w->key, bytes.p, sizeof(w->key));
		return;
	}
	if (getrandom(&w->key, sizeof(w->key), 0) != sizeof(w->key))
		log_fatal("memory: getrandom: %s", strerror(errno));
	store_put(txn, &w->meta, STR("key"),
	    str_of((const char *)&w->key, sizeof(w->key)));
	store_put(txn, &w->meta, STR("format"), STR(FORMAT));
}

/* For the commands, which see the file alone. */
static void
limit_write(struct worker *w, struct store_txn *txn)
{
	uint64_t limit = file_bytes_max(w);
	struct str have;
	if (!store_get(txn, &w->meta, STR("limit"), &have) ||
	    have.len != sizeof(limit) ||
	    memcmp(have.p, &limit, sizeof(limit)) != 0)
		store_put(txn, &w->meta, STR("limit"), store_key64(&limit));
}

/* What of this posternd's ring is in the file already. */
static void
place_read(struct worker *w, struct store_txn *txn)
{
	struct ring *ring = w->link->ring;
	struct str bytes;
	uint64_t nonce, done;
	if (!store_get(txn, &w->meta, STR("ring"), &bytes) ||
	    !unpack_u64(&bytes, &nonce) || !unpack_u64(&bytes, &done) ||
	    nonce != ring->nonce)
		return;
	if (done > atomic_load(&ring->tail) && done <= atomic_load(&ring->head))
		atomic_store(&ring->tail, done);
}

static void
format_check(struct worker *w, struct store_txn *txn)
{
	struct str format;
	w->meta = store_table(txn, "meta", STORE_NAMES);
	if (store_get(txn, &w->meta, STR("format"), &format) &&
	    !str_eq(format, STR(FORMAT)))
		store_spoil(txn, "it is of another version of Postern");
}

/* Handles of tables, after opening and after a transaction has failed. */
static enum store_status
tables_open(struct worker *w, struct store_why *why)
{
	struct store_txn *txn = store_begin(w->store, true, why);
	if (txn == NULL)
		return STORE_BAD;
	ledger_free(w->ledger);
	w->ledger = NULL;
	format_check(w, txn);
	if (store_state(txn) == STORE_OK) {
		key_read(w, txn);
		limit_write(w, txn);
		place_read(w, txn);
		budgets_open(&w->budgets, txn, &w->key);
		history_open(&w->history, txn);
		w->ledger = ledger_open(txn, &w->key);
		if (w->ledger != NULL)
			ledger_catch_up(w->ledger, txn);
	}
	return store_commit(txn, why);
}

static enum store_status
file_open(struct worker *w, struct store_why *why)
{
	enum store_status status =
	    store_open(w->link->place.file, file_bytes_max(w), &w->store, why);
	if (status == STORE_OK)
		status = tables_open(w, why);
	while (status == STORE_FULL && w->store != NULL &&
	       store_grow(w->store, why) == STORE_OK)
		status = tables_open(w, why);
	if (status != STORE_OK) {
		store_close(w->store);
		w->store = NULL;
	}
	return status;
}

/*
 * Before it is opened for the first time.  A file that is as it was closed is
 * read as a whole beside the work.
 */
static enum store_status
file_check_all(struct worker *w, struct store_why *why)
{
	if (w->is_checked)
		return STORE_OK;
	enum store_status status = STORE_BAD;
	if (!w->is_suspect && clean_note_take(&w->link->place)) {
		w->is_checked = w->scrub.is_wanted = true;
		w->scrub.due_ms = 0;
		return STORE_OK;
	}
	if (w->is_suspect)
		(void)snprintf(why->text, sizeof(why->text),
		    "the keeper has crashed on it again and again");
	else
		status = place_check(&w->link->place, why);
	if (status == STORE_BAD)
		status = file_renew(w, why);
	w->is_checked = status == STORE_OK;
	return status;
}

static bool
is_file_missing(const struct worker *w)
{
	struct stat st;
	return lstat(w->link->place.file, &st) != 0 ? errno == ENOENT
						    : st.st_size == 0;
}

static void
new_file_tell(struct worker *w)
{
	const char *file = w->link->place.file;
	if (w->is_told_new)
		w->is_told_new = false;
	else if (atomic_load(&w->link->ring->was_open) != 0)
		log_error("memory: %s is not there, or is empty: a new one is "
			  "begun; what was remembered is not known any more",
		    file);
	else
		log_info(
		    "memory: %s is begun: nothing is remembered yet", file);
}

/*
 * Only a file that is broken goes aside: not one that we may not open, or have
 * no room for.
 */
static void
file_begin(struct worker *w)
{
	struct ring *ring = w->link->ring;
	struct store_why why = {.text = ""};
	enum store_status status = file_check_all(w, &why);
	bool is_new = is_file_missing(w);
	/* a crash from here on may be the file's fault */
	atomic_store(&ring->is_open, 1);
	if (status == STORE_OK)
		status = file_open(w, &why);
	if (status == STORE_BAD) {
		status = file_renew(w, &why);
		is_new = true;
		if (status == STORE_OK)
			status = file_open(w, &why);
	}
	if (status != STORE_OK) {
		atomic_store(&ring->is_open, 0);
		retry_later(w, status == STORE_BAD ? STORE_IO : status, &why);
		return;
	}
	if (is_new)
		new_file_tell(w);
	atomic_store(&ring->was_open, 1);
	room_again(w);
}

/* ---- room */

/* What it reads cannot be used again until it has ended. */
static void
scrub_cancel(struct worker *w)
{
	if (w->scrub.child <= 0)
		return;
	(void)kill(w->scrub.child, SIGKILL);
	(void)waitpid(w->scrub.child, NULL, 0);
	store_abort(w->scrub.txn);
	w->scrub.child = 0;
	w->scrub.txn = NULL;
	w->scrub.due_ms = clock_ms() + SCRUB_EVERY_MS;
}

/* LMDB gives what one transaction has freed to the second one after it. */
static void
commit_once_more(struct worker *w)
{
	struct store_why why;
	const int64_t now = clock_wall();
	struct store_txn *txn = store_begin(w->store, true, &why);
	if (txn == NULL)
		return;
	store_put(txn, &w->meta, STR("dropped"),
	    str_of((const char *)&now, sizeof(now)));
	enum store_status status = store_commit(txn, &why);
	if (status == STORE_BAD)
		give_up(w, &why);
}

/* Who has more of the file gives. */
static bool
oldest_remove(struct worker *w, struct store_txn *txn)
{
	uint64_t history = store_table_bytes(txn, &w->history.table);
	if (history < store_bytes(w->store) / 2)
		return ledger_drop_oldest(w->ledger, txn);
	struct history_limits limits = {.max_bytes = history - history / 16};
	(void)history_trim(&w->history, txn, &limits, DROP_ENTRIES_MAX);
	return true;
}

static enum store_status
oldest_drop(struct worker *w, struct store_why *why, bool *ret_dropped)
{
	struct store_txn *txn = store_begin(w->store, true, why);
	if (txn == NULL)
		return STORE_BAD;
	*ret_dropped = oldest_remove(w, txn);
	enum store_status status = store_commit(txn, why);
	if (status == STORE_OK) {
		w->dropped = store_change(w->store);
		commit_once_more(w);
		return status;
	}
	struct store_why again;
	enum store_status reopened = tables_open(w, &again);
	if (reopened == STORE_BAD)
		give_up(w, &again);
	return status;
}

/* At the limit that was asked for it is as it should be. */
static void
early_drop_tell(struct worker *w, const struct store_why *why)
{
	int64_t now = clock_ms();
	if (store_is_at_limit(w->store) ||
	    (w->early_ms != 0 && now - w->early_ms < REPORT_EVERY_MS))
		return;
	w->early_ms = now;
	log_error("memory: %s cannot grow (%s): the oldest entries are "
		  "forgotten before their time; free space on the disk",
	    w->link->place.file, why->text);
}

/*
 * Is what was dropped last still being read?  To drop more would free nothing
 * either, and all would be gone before the reader is.
 */
static bool
is_pinned(struct worker *w, struct store_why *why)
{
	struct store_reader reader;
	w->pinned_by = 0;
	if (w->dropped == 0 || !store_reader_oldest(w->store, &reader) ||
	    reader.change > w->dropped)
		return false;
	w->pinned_by = reader.pid;
	(void)snprintf(why->text, sizeof(why->text),
	    "process %d reads it, and keeps in use what would be free",
	    reader.pid);
	return true;
}

/* The file grows; at its limit the oldest entries go.  False: neither can be.
 */
static bool
room_make(struct worker *w, struct store_why *why)
{
	enum store_status status = store_grow(w->store, why);
	bool is_dropped = false;
	if (status == STORE_OK)
		return true;
	scrub_cancel(w);
	/* a reader that was killed has kept pages from being used */
	if (store_tidy(w->store) > 0)
		return true;
	struct store_why grow_why = *why;
	if (is_pinned(w, why))
		return false;
	if (status == STORE_FULL)
		status = oldest_drop(w, why, &is_dropped);
	if (is_dropped)
		early_drop_tell(w, &grow_why);
	if (status == STORE_FULL && store_grow_last(w->store, why) == STORE_OK)
		status = oldest_drop(w, why, &is_dropped);
	if (status == STORE_BAD)
		give_up(w, why);
	return status == STORE_OK && is_dropped;
}

/* Call `fn` until it has found room; false: there is none. */
static bool
with_room(struct worker *w,
    enum store_status (*fn)(struct worker *w, void *arg, struct store_why *why),
    void *arg)
{
	struct store_why why, open_why;
	enum store_status status = STORE_FULL;
	for (int i = 0; i < DROPS_AT_ONCE; i++) {
		status = fn(w, arg, &why);
		if (status == STORE_OK)
			return true;
		/* what was made in the transaction is not there */
		enum store_status opened = tables_open(w, &open_why);
		if (status == STORE_BAD || opened == STORE_BAD)
			give_up(w, status == STORE_BAD ? &why : &open_why);
		if (status != STORE_FULL || !room_make(w, &why))
			break;
	}
	retry_later(w, status, &why);
	return false;
}

/* ---- what is told */

static void
wrote_apply(struct worker *w, struct store_txn *txn, struct str rest)
{
	struct str ours, theirs;
	if (!unpack_str(&rest, &ours))
		return;
	for (int i = 0; i < TELL_WROTE_MAX && unpack_str(&rest, &theirs); i++)
		ledger_add_wrote(w->ledger, txn, ours, theirs, clock_wall());
}

static void
tell_apply(struct worker *w, struct store_txn *txn, struct str tell)
{
	unsigned kind;
	bool is_fine = true;
	if (!unpack_u8(&tell, &kind))
		return;
	switch ((enum tell)kind) {
	case TELL_ENTRY:
		is_fine = ledger_add(w->ledger, txn, tell);
		break;
	case TELL_WROTE:
		wrote_apply(w, txn, tell);
		break;
	case TELL_HISTORY:
		is_fine = history_add(&w->history, txn, tell);
		break;
	}
	if (!is_fine)
		log_warning("memory: an entry could not be read: it is not "
			    "remembered");
}

static void
place_write(struct worker *w, struct store_txn *txn, uint64_t place)
{
	uint64_t both[2] = {w->link->ring->nonce, place};
	store_put(txn, &w->meta, STR("ring"),
	    str_of((const char *)both, sizeof(both)));
}

struct batch {
	size_t max;
	uint64_t place; /* behind what was taken */
};

static enum store_status
batch_apply(struct worker *w, void *arg, struct store_why *why)
{
	struct batch *batch = arg;
	clock_look(w);
	struct ledger_limits limits = limits_of(w);
	struct history_limits history = history_limits_of(w);
	struct store_txn *txn = store_begin(w->store, true, why);
	struct str tell;
	if (txn == NULL)
		return STORE_BAD;
	ledger_turn(w->ledger, txn, &limits, clock_wall());
	batch->place = atomic_load(&w->link->ring->tail);
	for (size_t i = 0; i < batch->max && store_state(txn) == STORE_OK &&
			   ring_next(w->link->ring, &batch->place, &tell);
	     i++)
		tell_apply(w, txn, tell);
	(void)history_trim(&w->history, txn, &history, TRIM_A_BATCH);
	place_write(w, txn, batch->place);
	return store_commit(txn, why);
}

static void
wrote_mark(struct worker *w)
{
	w->has_written = true;
	if (atomic_exchange(&w->link->ring->is_dirty, 1) == 0 &&
	    getppid() == w->keeper)
		(void)kill(getppid(), SIGUSR1);
}

/* Something in the ring has ended worker after worker. */
static void
poison_drop(struct worker *w)
{
	struct ring *ring = w->link->ring;
	uint64_t place = atomic_load(&ring->tail);
	struct str tell;
	if (ring_next(ring, &place, &tell))
		log_error(
		    "memory: an entry of %zu bytes crashes the keeper: it "
		    "is not remembered",
		    tell.len);
	else
		place = atomic_load(&ring->head);
	atomic_store(&ring->tail, place);
	atomic_store(&ring->tries, 0);
}

/* False: there is no room. */
static bool
batch_take(struct worker *w)
{
	struct ring *ring = w->link->ring;
	uint32_t tries = atomic_fetch_add(&ring->tries, 1);
	if (tries >= TRIES_MAX) {
		poison_drop(w);
		return true;
	}
	struct batch batch = {.max = tries >= TRIES_ALONE ? 1 : TELLS_A_BATCH};
	bool is_taken = with_room(w, batch_apply, &batch);
	atomic_store(&ring->tries, 0);
	if (!is_taken)
		return false;
	atomic_store(&ring->tail, batch.place);
	room_again(w);
	wrote_mark(w);
	w->scrub.is_wanted = true;
	return true;
}

static bool
ring_is_empty(const struct worker *w)
{
	const struct ring *ring = w->link->ring;
	return atomic_load(&ring->head) == atomic_load(&ring->tail);
}

/* Take all that was told up to now; false: there is no room for it. */
static bool
tells_take(struct worker *w)
{
	uint64_t until = atomic_load(&w->link->ring->head);
	if (w->retry_ms != 0 && clock_ms() < w->retry_ms)
		return ring_is_empty(w);
	if (w->store == NULL)
		file_begin(w);
	if (w->store == NULL)
		return false;
	while (atomic_load(&w->link->ring->tail) < until)
		if (!batch_take(w))
			return false;
	if (w->retry_ms != 0)
		room_again(w);
	return true;
}

/* ---- what is asked */

struct find_reply {
	struct buf *found;
	unsigned n, max;
	bool is_cut;
};

static bool
find_take(void *arg, struct str bytes)
{
	struct find_reply *reply = arg;
	reply->is_cut = reply->n == reply->max ||
			reply->found->len + bytes.len + 2 > reply->found->max;
	if (reply->is_cut)
		return false;
	pack_str(reply->found, bytes);
	reply->n++;
	return true;
}

static int64_t
since_limit(const struct worker *w, int64_t since)
{
	int64_t begin = clock_wall() - limits_of(w).days_s;
	return since > begin ? since : begin;
}

static bool
find_answer(struct worker *w, struct arena *a, struct store_txn *txn,
    const struct request *request, struct buf *results)
{
	struct find_reply found = {
	    .found = buf_new(a, REQUEST_BYTES_MAX - 64),
	    .max =
		request->max > LEDGER_FIND_MAX ? LEDGER_FIND_MAX : request->max,
	};
	ledger_seek(w->ledger, txn, request->first, request->second,
	    since_limit(w, request->wall), find_take, &found);
	/* what could not be taken into the file may be what is asked for */
	if (found.n == 0 && !ring_is_empty(w) && w->retry_ms != 0)
		return false;
	found_pack(results, found.is_cut, found.n, buf_str(found.found));
	return true;
}

static bool
read_answer(struct worker *w, struct arena *a, const struct request *request,
    struct buf *results)
{
	struct store_why why;
	struct store_txn *txn = store_begin(w->store, false, &why);
	bool is_answered = true;
	if (txn == NULL)
		return false;
	if (request->kind == REQUEST_FIND)
		is_answered = find_answer(w, a, txn, request, results);
	else
		pack_u64(results,
		    (uint64_t)ledger_when_wrote(w->ledger, txn, request->first,
			request->second, since_limit(w, 0)));
	enum store_status status = store_commit(txn, &why);
	if (status != STORE_OK)
		trouble(w, status, &why);
	return is_answered && status == STORE_OK;
}

struct budget_ask {
	const struct request *request;
	size_t full;
};

static enum store_status
budget_apply(struct worker *w, void *arg, struct store_why *why)
{
	struct budget_ask *ask = arg;
	struct store_txn *txn = store_begin(w->store, true, why);
	if (txn == NULL)
		return STORE_BAD;
	ask->full = budgets_take(&w->budgets, txn, ask->request->rows,
	    ask->request->nrows, ask->request->wall);
	return store_commit(txn, why);
}

static bool
budget_answer(
    struct worker *w, const struct request *request, struct buf *results)
{
	struct budget_ask ask = {.request = request};
	if (!with_room(w, budget_apply, &ask))
		return false;
	wrote_mark(w);
	pack_u8(results, (unsigned)ask.full);
	return true;
}

static bool
answer(struct worker *w, struct arena *a, const struct request *request,
    struct buf *results)
{
	if (w->store == NULL)
		return false;
	switch (request->kind) {
	case REQUEST_FIND:
	case REQUEST_WROTE:
		return read_answer(w, a, request, results);
	case REQUEST_BUDGET:
		return budget_answer(w, request, results);
	}
	return false;
}

static void
ask_serve(struct worker *w, int fd)
{
	ssize_t got = recv(fd, w->ask, sizeof(w->ask), MSG_DONTWAIT);
	struct request request;
	if (got <= 0)
		return;
	struct arena *a = arena_new_small();
	struct buf *results = buf_new(a, REQUEST_BYTES_MAX - 16);
	struct buf *bytes = buf_new(a, REQUEST_BYTES_MAX);
	bool is_answered =
	    request_unpack(str_of(w->ask, (size_t)got), &request) &&
	    answer(w, a, &request, results) && !results->is_cut;
	const struct reply reply = {
	    .number = request.number,
	    .answer = is_answered ? REPLY_OK : REPLY_TEMP,
	    .results = is_answered ? buf_str(results) : STR_EMPTY,
	};
	reply_pack(bytes, &reply);
	(void)send(fd, bytes->p, bytes->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	arena_free(a);
}

/* ---- now and then */

/* Somebody else has made an end of it: no crash, and nothing to check. */
static NORETURN void
file_lost(const struct worker *w, const char *how)
{
	log_error("memory: %s: %s", w->link->place.file, how);
	_exit(WORKER_LOST);
}

/* Somebody may have cut the file off, or replaced it. */
static void
file_look(struct worker *w)
{
	struct store_why why = {.text = ""};
	struct stat st;
	int fd = -1;
	enum store_status status =
	    file_read_open(w->link->place.file, &fd, &st, &why);
	bool is_gone =
	    status == STORE_IO && (why.error == ENOENT || why.error == ENOTDIR);
	/* no descriptor, no right to look: it works all the same */
	if (status == STORE_IO && !is_gone)
		return;
	if (is_gone)
		file_lost(w, "it was removed");
	if (status == STORE_BAD)
		file_lost(w, why.text);
	if (!store_is_file(w->store, &st))
		file_lost(w, "it was replaced by another file");
	if (st.st_size == 0)
		file_lost(w, "it was emptied");
	bool is_fine = file_check_head(fd, &why);
	(void)close(fd);
	if (!is_fine)
		give_up(w, &why);
	w->has_written = false;
	/* it has worked for a while */
	atomic_store(&w->link->ring->crashes, 0);
}

static bool
is_too_large(struct worker *w)
{
	struct store_why why;
	struct store_use use;
	struct store_txn *txn = store_begin(w->store, false, &why);
	if (txn == NULL)
		return false;
	store_use(txn, &use);
	store_abort(txn);
	return use.used_bytes > file_bytes_max(w);
}

static enum store_status
tables_tidy(struct worker *w, void *arg, struct store_why *why)
{
	(void)arg;
	struct store_txn *txn = store_begin(w->store, true, why);
	if (txn == NULL)
		return STORE_BAD;
	budgets_sweep(&w->budgets, txn, clock_wall());
	limit_write(w, txn);
	return store_commit(txn, why);
}

/* Some of what the history has too much; `arg`: there may be more. */
static enum store_status
history_tidy(struct worker *w, void *arg, struct store_why *why)
{
	struct history_limits limits = history_limits_of(w);
	bool *has_more = arg;
	struct store_txn *txn = store_begin(w->store, true, why);
	if (txn == NULL)
		return STORE_BAD;
	*has_more = history_trim(&w->history, txn, &limits, TRIM_AT_ONCE);
	return store_commit(txn, why);
}

static void
tidy(struct worker *w)
{
	struct store_why why;
	bool is_dropped = true, has_more = true;
	clock_look(w);
	int64_t oldest = too_old_before(w, limits_of(w).days_s);
	store_limit(w->store, file_bytes_max(w));
	(void)store_tidy(w->store);
	while (has_more)
		if (!with_room(w, history_tidy, &has_more))
			break;
	while (is_dropped &&
	       (ledger_is_over(w->ledger, oldest) || is_too_large(w)))
		if (oldest_drop(w, &why, &is_dropped) != STORE_OK)
			break;
	if (with_room(w, tables_tidy, NULL))
		wrote_mark(w);
}

/* Read all of the file in a child, as it is now, while the work goes on. */
static void
scrub_begin(struct worker *w)
{
	struct file_snapshot snapshot;
	struct store_why why;
	int fd = open(w->link->place.file,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct store_txn *txn = store_begin(w->store, false, &why);
	bool is_taken =
	    fd >= 0 && txn != NULL && file_snapshot_take(fd, &snapshot, &why);
	pid_t child = is_taken ? fork() : -1;
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)setpriority(PRIO_PROCESS, 0, 19);
		_exit(file_check_snapshot(fd, &snapshot, &why) ? 0 : 1);
	}
	if (fd >= 0)
		(void)close(fd);
	if (child > 0) {
		w->scrub.child = child;
		w->scrub.txn = txn;
	} else {
		store_abort(txn);
	}
}

static void
scrub_end(struct worker *w, int status)
{
	const struct store_why why = {
	    .text = "pages of it have been overwritten"};
	int64_t now = clock_ms();
	int64_t took = now - w->scrub.begin_ms;
	store_abort(w->scrub.txn);
	w->scrub.child = 0;
	w->scrub.txn = NULL;
	w->scrub.due_ms = now + SCRUB_EVERY_MS + took * SCRUB_SHARE;
	/* killed, or out of memory: that says nothing about the file */
	if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL
				: WEXITSTATUS(status) == 1)
		give_up(w, &why);
}

static void
scrub(struct worker *w, int64_t now)
{
	int status;
	if (w->scrub.child > 0) {
		if (waitpid(w->scrub.child, &status, WNOHANG) == w->scrub.child)
			scrub_end(w, status);
	} else if (w->scrub.is_wanted && now >= w->scrub.due_ms) {
		w->scrub.is_wanted = false;
		w->scrub.begin_ms = now;
		scrub_begin(w);
	}
}

static void
housekeep(struct worker *w)
{
	int64_t now = clock_ms();
	if (w->store == NULL || w->retry_ms != 0)
		return;
	if (w->has_written && now - w->look_ms >= LOOK_EVERY_MS) {
		w->look_ms = now;
		file_look(w);
	}
	if (now - w->tidy_ms >= TIDY_EVERY_MS) {
		w->tidy_ms = now;
		tidy(w);
	}
	scrub(w, now);
}

/* ---- the loop */

static void
watch(struct worker *w, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		log_fatal("memory: epoll: %s", strerror(errno));
}

static void
watch_all(struct worker *w)
{
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		log_fatal("memory: epoll: %s", strerror(errno));
	for (size_t i = 0; i < KEEPER_ASKS; i++)
		watch(w, w->link->asks[i], EPOLLIN, i);
	/* by edges, so that nobody has to read it empty */
	watch(w, w->link->wake, EPOLLIN | EPOLLET, EVENT_WAKE);
	watch(w, w->link->life, 0, EVENT_LIFE);
	watch(w, w->leash, 0, EVENT_LEASH);
}

/* Something was told: is it time for naps, or is it over? */
static void
pace(struct worker *w, bool was_told)
{
	int64_t now = clock_ms();
	if (was_told) {
		w->naps = w->naps || now - w->woken_ms < NAP_MS;
		w->woken_ms = now;
	} else if (now - w->woken_ms >= NAP_MS) {
		w->naps = false;
	}
}

static int
wait_ms(struct worker *w)
{
	if (w->is_ending)
		return 0;
	if (w->retry_ms != 0)
		return RETRY_EVERY_MS;
	if (w->naps)
		return NAP_MS;
	if (!ring_sleep(w->link->ring))
		return 0;
	return w->has_written || w->scrub.child > 0 ? LOOK_EVERY_MS
						    : TIDY_EVERY_MS;
}

static NORETURN void
finish(struct worker *w)
{
	bool was_open = w->store != NULL;
	scrub_cancel(w);
	store_close(w->store);
	if (place_sync(&w->link->place) && was_open)
		clean_note_write(&w->link->place);
	_exit(WORKER_DONE);
}

static void
round_take(struct worker *w)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = epoll_wait(w->epoll, events, EVENTS_AT_ONCE, wait_ms(w));
	(void)atomic_fetch_add(&w->link->ring->rounds, 1);
	atomic_store(&w->link->ring->is_asleep, 0);
	pace(w, !ring_is_empty(w));
	/* in this order: who asks may have told something before */
	bool has_room = tells_take(w);
	for (int i = 0; i < n; i++) {
		uint64_t which = events[i].data.u64;
		if (which == EVENT_LIFE || which == EVENT_LEASH)
			w->is_ending = true;
		else if (which < KEEPER_ASKS)
			ask_serve(w, w->link->asks[which]);
	}
	if (w->is_ending && (ring_is_empty(w) || !has_room))
		finish(w);
	housekeep(w);
}

static bool
is_at_end(int pipe)
{
	char byte;
	return read(pipe, &byte, 1) == 0;
}

/* The watcher makes the folder again, and starts the next worker. */
static NORETURN void
lock_lost(const struct worker *w, int error)
{
	if (keeper_may_tell(w->link->ring))
		log_error("memory: %s: %s: nothing is remembered; it is tried "
			  "again",
		    w->link->place.lock, strerror(error));
	_exit(is_at_end(w->link->life) ? WORKER_DONE : WORKER_LOST);
}

static void
lock_tell(const struct worker *w)
{
	char who[48] = "";
	int pid = place_lock_owner(&w->link->place);
	if (pid > 0)
		(void)snprintf(who, sizeof(who), " (process %d)", pid);
	log_error("memory: %s is in use%s: by another posternd, and each one "
		  "needs a state-dir of its own, or by the keeper of an "
		  "earlier one that does not end: end it",
	    w->link->place.dir, who);
}

/* An earlier keeper may still have work, or another posternd is here. */
static void
lock_wait(struct worker *w)
{
	int64_t begin = clock_ms();
	bool is_told = false;
	while (place_lock(&w->link->place) < 0) {
		if (errno != EWOULDBLOCK)
			lock_lost(w, errno);
		if (!is_told && clock_ms() - begin > LOCK_REPORT_MS) {
			is_told = true;
			lock_tell(w);
		}
		if (is_at_end(w->link->life) || is_at_end(w->leash))
			_exit(WORKER_DONE);
		(void)usleep(LOCK_EVERY_MS * 1000);
	}
}

void
worker_run(const struct keeper_link *link, int leash, bool is_suspect)
{
	static struct worker worker;
	struct worker *w = &worker;
	*w = (struct worker){.link = link,
	    .leash = leash,
	    .keeper = getppid(),
	    .is_suspect = is_suspect};
	(void)fcntl(link->life, F_SETFL, O_NONBLOCK);
	(void)fcntl(leash, F_SETFL, O_NONBLOCK);
	lock_wait(w);
	watch_all(w);
	w->tidy_ms = clock_ms();
	w->scrub.due_ms = w->tidy_ms + SCRUB_EVERY_MS;
	file_begin(w);
	housekeep(w);
	for (;;)
		round_take(w);
}
