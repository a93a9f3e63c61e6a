/* SPDX-License-Identifier: BSD-2-Clause */
/* lmdb -- the store on LMDB; the only file that names it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/log.h"
#include "state/store.h"

#define TABLES_MAX 256
#define NAME_BYTES 16
#define STEP_BYTES ((uint64_t)1 << 20)
#define STEP_BYTES_MAX ((uint64_t)64 << 20)
#define READERS_MAX 64
#define LOCK_BYTES 8192 /* more than so many take */

/*
 * Pages are written by pwrite(2), not through the map: a disk that is full is
 * an error then and no signal, and no stray write of ours gets into the file.
 * Nothing is flushed here: the keeper does that beside the work.
 */
#define WRITER_FLAGS (MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOTLS | MDB_NOMEMINIT)
#define READER_FLAGS (MDB_NOSUBDIR | MDB_RDONLY | MDB_NOTLS)

struct store {
	MDB_env *env;
	uint64_t map_bytes;
	uint64_t max_bytes;
	unsigned page_bytes;
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	int error; /* the first one; 0: none */
	const char *spoilt;
};

struct store_cursor {
	struct store_txn *txn;
	MDB_cursor *cursor;
	size_t key_bytes; /* of a table of numbers or serials */
};

static enum store_status
status_of(int error)
{
	switch (error) {
	case 0:
		return STORE_OK;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return STORE_FULL;
	case EACCES:
	case EPERM:
	case ENOMEM:
	case EAGAIN:
	case EINTR:
	case EMFILE:
	case ENFILE:
	case EROFS:
	case ENOENT:
	case EBUSY:
	case ENOLCK:
	case ESTALE:
	case MDB_READERS_FULL:
		return STORE_IO;
	default: /* MDB_CORRUPTED, MDB_PANIC, MDB_INVALID, EIO, ... */
		return STORE_BAD;
	}
}

static enum store_status
why_set(struct store_why *why, const char *what, int error)
{
	(void)snprintf(why->text, sizeof(why->text), "%s: %s", what,
	    error == 0 ? "it cannot be so" : mdb_strerror(error));
	why->error = error;
	return status_of(error);
}

/* What is kept back, so that dropping a table always finds room. */
static uint64_t
reserve_of(uint64_t max_bytes)
{
	return max_bytes / 32 + 16 * (uint64_t)4096;
}

static uint64_t
limit_of(const struct store *store)
{
	return store->max_bytes - reserve_of(store->max_bytes);
}

/* A kept error ends the work of a transaction. */
static bool
is_good(struct store_txn *txn, int error)
{
	if (error == MDB_NOTFOUND)
		return false;
	if (error != 0 && txn->error == 0)
		txn->error = error;
	return error == 0;
}

/*
 * LMDB writes to its lock file through a map: on a full disk that is a signal,
 * if the room was not reserved before.  What is no file there is removed, it
 * holds nothing.
 */
static int
lock_reserve(const char *lock, bool is_writer)
{
	struct stat st;
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	if (is_writer) {
		flags |= O_CREAT;
		if (lstat(lock, &st) == 0 && !S_ISREG(st.st_mode) &&
		    remove(lock) != 0)
			return errno;
	}
	int fd = open(lock, flags, 0600);
	if (fd < 0)
		return errno;
	int error = posix_fallocate(fd, 0, LOCK_BYTES);
	(void)close(fd);
	return error;
}

static int
env_open(struct store *store, const char *path, unsigned flags)
{
	int error = mdb_env_create(&store->env);
	if (error != 0)
		return error;
	(void)mdb_env_set_maxdbs(store->env, TABLES_MAX);
	(void)mdb_env_set_maxreaders(store->env, READERS_MAX);
	if (store->map_bytes > 0)
		(void)mdb_env_set_mapsize(store->env, store->map_bytes);
	return mdb_env_open(store->env, path, flags, 0600);
}

/*
 * Reserve the first `bytes` of the file on the disk.  LMDB takes no file that
 * has a length and no content, so a new one is made first.
 */
static int
room_reserve(MDB_env *env, uint64_t bytes)
{
	mdb_filehandle_t fd;
	int error = mdb_env_get_fd(env, &fd);
	return error == 0 ? posix_fallocate(fd, 0, (off_t)bytes) : error;
}

static uint64_t
map_bytes_at_start(const char *path, uint64_t max_bytes)
{
	struct stat st;
	uint64_t have = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
	uint64_t least = max_bytes < STEP_BYTES ? max_bytes : STEP_BYTES;
	return have > least ? have : least;
}

static struct store *
store_new(void)
{
	struct store *store = calloc(1, sizeof(*store));
	if (store == NULL)
		log_fatal("out of memory");
	return store;
}

static void
page_bytes_find(struct store *store)
{
	MDB_stat stat;
	store->page_bytes =
	    mdb_env_stat(store->env, &stat) == 0 ? stat.ms_psize : 4096;
}

static uint64_t
pages_whole(uint64_t bytes)
{
	return bytes / 4096 * 4096;
}

static bool
is_new(const char *path)
{
	struct stat st;
	return stat(path, &st) != 0 ? errno == ENOENT : st.st_size == 0;
}

enum store_status
store_open(const char *path, uint64_t max_bytes, struct store **ret,
    struct store_why *ret_why)
{
	char lock[PATH_MAX];
	(void)snprintf(lock, sizeof(lock), "%s-lock", path);
	int lock_error = lock_reserve(lock, true);
	if (lock_error != 0) {
		/* whatever it is: the file itself is not to blame */
		enum store_status status = why_set(ret_why, lock, lock_error);
		return status == STORE_FULL ? status : STORE_IO;
	}
	bool was_new = is_new(path);
	struct store *store = store_new();
	store_limit(store, max_bytes);
	store->map_bytes =
	    pages_whole(map_bytes_at_start(path, limit_of(store)));
	int error = env_open(store, path, WRITER_FLAGS);
	if (error == 0)
		error = room_reserve(store->env, store->map_bytes);
	if (error != 0) {
		/* one that was only begun would be a broken one */
		if (was_new)
			(void)unlink(path);
		store_close(store);
		return why_set(ret_why, path, error);
	}
	page_bytes_find(store);
	*ret = store;
	return STORE_OK;
}

enum store_status
store_open_read(const char *path, struct store **ret, struct store_why *ret_why)
{
	char lock[PATH_MAX];
	(void)snprintf(lock, sizeof(lock), "%s-lock", path);
	struct store *store = store_new();
	int error = lock_reserve(lock, false);
	if (status_of(error) != STORE_FULL)
		error = env_open(store, path, READER_FLAGS);
	if (error != 0) {
		store_close(store);
		return why_set(ret_why, path, error);
	}
	page_bytes_find(store);
	*ret = store;
	return STORE_OK;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->env != NULL)
		mdb_env_close(store->env);
	free(store);
}

void
store_limit(struct store *store, uint64_t max_bytes)
{
	store->max_bytes =
	    max_bytes < STORE_BYTES_MIN ? STORE_BYTES_MIN : max_bytes;
}

uint64_t
store_bytes(const struct store *store)
{
	return store->map_bytes;
}

bool
store_is_at_limit(const struct store *store)
{
	return store->map_bytes >= pages_whole(limit_of(store));
}

bool
store_is_file(struct store *store, const struct stat *st)
{
	mdb_filehandle_t fd;
	struct stat ours;
	return mdb_env_get_fd(store->env, &fd) == 0 && fstat(fd, &ours) == 0 &&
	       ours.st_dev == st->st_dev && ours.st_ino == st->st_ino;
}

unsigned
store_tidy(struct store *store)
{
	int dead = 0;
	return mdb_reader_check(store->env, &dead) == 0 && dead > 0
		   ? (unsigned)dead
		   : 0;
}

/* A line of LMDB's list of readers: process, thread, and what it sees or "-".
 * The first line is a heading. */
static int
reader_line(const char *line, void *arg)
{
	struct store_reader *oldest = arg;
	char *rest;
	long pid = strtol(line, &rest, 10);
	(void)strtoull(rest, &rest, 16);
	if (pid <= 0 || pid == getpid() || strchr(rest, '-') != NULL)
		return 0;
	uint64_t change = strtoull(rest, NULL, 10);
	if (oldest->pid == 0 || change < oldest->change)
		*oldest = (struct store_reader){(int)pid, change};
	return 0;
}

bool
store_reader_oldest(struct store *store, struct store_reader *ret)
{
	*ret = (struct store_reader){0};
	(void)mdb_reader_list(store->env, reader_line, ret);
	return ret->pid != 0;
}

uint64_t
store_change(struct store *store)
{
	MDB_envinfo info;
	return mdb_env_info(store->env, &info) == 0 ? info.me_last_txnid : 0;
}

static int
map_resize(struct store *store, uint64_t bytes)
{
	int error = room_reserve(store->env, bytes);
	if (error == 0)
		error = mdb_env_set_mapsize(store->env, bytes);
	if (error == 0)
		store->map_bytes = bytes;
	return error;
}

static enum store_status
grow_to(struct store *store, uint64_t limit, struct store_why *ret_why)
{
	uint64_t step = store->map_bytes / 4;
	step = step < STEP_BYTES       ? STEP_BYTES
	       : step > STEP_BYTES_MAX ? STEP_BYTES_MAX
				       : step;
	uint64_t bytes = store->map_bytes + step;
	bytes = pages_whole(bytes > limit ? limit : bytes);
	if (bytes <= store->map_bytes)
		return why_set(ret_why, "its size", MDB_MAP_FULL);
	int error = map_resize(store, bytes);
	return error == 0 ? STORE_OK : why_set(ret_why, "growing", error);
}

enum store_status
store_grow(struct store *store, struct store_why *ret_why)
{
	return grow_to(store, limit_of(store), ret_why);
}

enum store_status
store_grow_last(struct store *store, struct store_why *ret_why)
{
	return grow_to(store, store->max_bytes, ret_why);
}

struct store_txn *
store_begin(struct store *store, bool is_write, struct store_why *ret_why)
{
	unsigned flags = is_write ? 0 : MDB_RDONLY;
	MDB_txn *inner;
	int error = mdb_txn_begin(store->env, NULL, flags, &inner);
	if (error == MDB_MAP_RESIZED) {
		(void)mdb_env_set_mapsize(store->env, 0);
		error = mdb_txn_begin(store->env, NULL, flags, &inner);
	}
	if (error != 0) {
		(void)why_set(ret_why, "begin", error);
		return NULL;
	}
	struct store_txn *txn = calloc(1, sizeof(*txn));
	if (txn == NULL)
		log_fatal("out of memory");
	txn->store = store;
	txn->txn = inner;
	return txn;
}

enum store_status
store_state(const struct store_txn *txn)
{
	return txn->spoilt != NULL ? STORE_BAD : status_of(txn->error);
}

void
store_spoil(struct store_txn *txn, const char *why)
{
	if (txn->spoilt == NULL)
		txn->spoilt = why;
}

void
store_abort(struct store_txn *txn)
{
	if (txn == NULL)
		return;
	mdb_txn_abort(txn->txn);
	free(txn);
}

enum store_status
store_commit(struct store_txn *txn, struct store_why *ret_why)
{
	enum store_status status = store_state(txn);
	if (status != STORE_OK) {
		if (txn->spoilt != NULL)
			(void)snprintf(ret_why->text, sizeof(ret_why->text),
			    "%s", txn->spoilt);
		else
			(void)why_set(ret_why, "change", txn->error);
		store_abort(txn);
		return status;
	}
	int error = mdb_txn_commit(txn->txn);
	free(txn);
	return error == 0 ? STORE_OK : why_set(ret_why, "commit", error);
}

/* Pages that are free: what the table 0 of LMDB lists. */
static uint64_t
pages_free(struct store_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0, n;
	if (mdb_cursor_open(txn->txn, 0, &cursor) != 0)
		return 0;
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
		if (value.mv_size >= sizeof(n)) {
			memcpy(&n, value.mv_data, sizeof(n));
			pages += n;
		}
	mdb_cursor_close(cursor);
	return pages;
}

void
store_use(struct store_txn *txn, struct store_use *ret)
{
	MDB_envinfo info;
	mdb_filehandle_t fd;
	struct stat st;
	*ret = (struct store_use){0};
	if (mdb_env_info(txn->store->env, &info) != 0 ||
	    mdb_env_get_fd(txn->store->env, &fd) != 0 || fstat(fd, &st) != 0)
		return;
	uint64_t all = (uint64_t)info.me_last_pgno + 1;
	uint64_t unused = pages_free(txn);
	ret->file_bytes = (uint64_t)st.st_blocks * 512;
	ret->used_bytes =
	    (all > unused ? all - unused : 0) * txn->store->page_bytes;
}

static const unsigned kind_flags[] = {
    [STORE_NAMES] = 0,
    [STORE_NUMBERS] = MDB_INTEGERKEY,
    [STORE_SERIALS] = MDB_INTEGERKEY,
    [STORE_HASHES] = MDB_INTEGERKEY,
    [STORE_SETS] = MDB_INTEGERKEY | MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP,
};

static bool
is_writing(struct store_txn *txn)
{
	unsigned flags = 0;
	return mdb_env_get_flags(txn->store->env, &flags) == 0 &&
	       (flags & MDB_RDONLY) == 0;
}

struct store_table
store_table(struct store_txn *txn, const char *name, enum store_kind kind)
{
	struct store_table table = {.kind = kind};
	unsigned create = is_writing(txn) ? MDB_CREATE : 0;
	table.is_open =
	    txn->error == 0 &&
	    is_good(txn, mdb_dbi_open(txn->txn, name, kind_flags[kind] | create,
			     &table.handle));
	return table;
}

void
store_drop(struct store_txn *txn, struct store_table *table)
{
	if (table->is_open && txn->error == 0)
		(void)is_good(txn, mdb_drop(txn->txn, table->handle, 1));
}

static MDB_val
val_of(struct str s)
{
	/* LMDB does not write to what it is given */
	union {
		const char *in;
		void *out;
	} p = {.in = s.p};
	return (MDB_val){s.len, p.out};
}

static struct str
str_of_val(const MDB_val *v)
{
	return str_of(v->mv_data, v->mv_size);
}

static MDB_stat
stat_of(struct store_txn *txn, const struct store_table *table)
{
	MDB_stat stat = {0};
	if (table->is_open && txn->error == 0)
		(void)is_good(txn, mdb_stat(txn->txn, table->handle, &stat));
	return stat;
}

uint64_t
store_table_bytes(struct store_txn *txn, const struct store_table *table)
{
	MDB_stat stat = stat_of(txn, table);
	return (uint64_t)(stat.ms_branch_pages + stat.ms_leaf_pages +
			  stat.ms_overflow_pages) *
	       stat.ms_psize;
}

uint64_t
store_table_entries(struct store_txn *txn, const struct store_table *table)
{
	return stat_of(txn, table).ms_entries;
}

bool
store_get(struct store_txn *txn, const struct store_table *table,
    struct str key, struct str *ret)
{
	MDB_val k = val_of(key), v;
	if (!table->is_open || txn->error != 0 ||
	    !is_good(txn, mdb_get(txn->txn, table->handle, &k, &v)))
		return false;
	*ret = str_of_val(&v);
	return true;
}

static void
put(struct store_txn *txn, const struct store_table *table, struct str key,
    struct str value, unsigned flags)
{
	MDB_val k = val_of(key), v = val_of(value);
	if (table->is_open && txn->error == 0)
		(void)is_good(
		    txn, mdb_put(txn->txn, table->handle, &k, &v, flags));
}

void
store_put(struct store_txn *txn, const struct store_table *table,
    struct str key, struct str value)
{
	put(txn, table, key, value, 0);
}

void
store_append(struct store_txn *txn, const struct store_table *table,
    struct str key, struct str value)
{
	put(txn, table, key, value, MDB_APPEND);
}

void
store_delete(
    struct store_txn *txn, const struct store_table *table, struct str key)
{
	MDB_val k = val_of(key);
	if (table->is_open && txn->error == 0)
		(void)is_good(txn, mdb_del(txn->txn, table->handle, &k, NULL));
}

struct store_cursor *
store_cursor_new(struct store_txn *txn, const struct store_table *table)
{
	struct store_cursor *cursor = calloc(1, sizeof(*cursor));
	if (cursor == NULL)
		log_fatal("out of memory");
	cursor->txn = txn;
	cursor->key_bytes =
	    table->kind == STORE_NUMBERS ? sizeof(uint32_t) : sizeof(uint64_t);
	if (table->is_open && txn->error == 0 &&
	    !is_good(
		txn, mdb_cursor_open(txn->txn, table->handle, &cursor->cursor)))
		cursor->cursor = NULL;
	return cursor;
}

void
store_cursor_free(struct store_cursor *cursor)
{
	if (cursor->cursor != NULL)
		mdb_cursor_close(cursor->cursor);
	free(cursor);
}

static bool
cursor_get(
    struct store_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op)
{
	return cursor->cursor != NULL && cursor->txn->error == 0 &&
	       is_good(
		   cursor->txn, mdb_cursor_get(cursor->cursor, key, value, op));
}

/* A key of another width than the table's is a broken file. */
static bool
number_of(struct store_cursor *cursor, const MDB_val *v, void *ret, size_t size)
{
	if (v->mv_size != size) {
		store_spoil(cursor->txn, "a key of the wrong length");
		return false;
	}
	memcpy(ret, v->mv_data, size);
	return true;
}

/* The key of a table of numbers or serials. */
static bool
serial_of(struct store_cursor *cursor, const MDB_val *v, uint64_t *ret)
{
	uint32_t number;
	if (cursor->key_bytes == sizeof(*ret))
		return number_of(cursor, v, ret, sizeof(*ret));
	if (!number_of(cursor, v, &number, sizeof(number)))
		return false;
	*ret = number;
	return true;
}

static bool
serials_get(struct store_cursor *cursor, MDB_cursor_op op, uint64_t *ret_key,
    struct str *ret)
{
	MDB_val key, value;
	if (!cursor_get(cursor, &key, &value, op) ||
	    !serial_of(cursor, &key, ret_key))
		return false;
	*ret = str_of_val(&value);
	return true;
}

static bool
serials_end(struct store_txn *txn, const struct store_table *table,
    MDB_cursor_op op, uint64_t *ret_key, struct str *ret)
{
	struct store_cursor *cursor = store_cursor_new(txn, table);
	bool is_there = serials_get(cursor, op, ret_key, ret);
	store_cursor_free(cursor);
	return is_there;
}

bool
store_first(struct store_txn *txn, const struct store_table *table,
    uint64_t *ret_key, struct str *ret)
{
	return serials_end(txn, table, MDB_FIRST, ret_key, ret);
}

bool
store_last(struct store_txn *txn, const struct store_table *table,
    uint64_t *ret_key, struct str *ret)
{
	return serials_end(txn, table, MDB_LAST, ret_key, ret);
}

/* `key` as the table has it; greater than all of them is the last. */
static MDB_val
serial_val(
    const struct store_cursor *cursor, const uint64_t *key, uint32_t *number)
{
	if (cursor->key_bytes == sizeof(*key))
		return val_of(store_key64(key));
	*number = *key > UINT32_MAX ? UINT32_MAX : (uint32_t)*key;
	return val_of(store_key32(number));
}

bool
store_cursor_before(struct store_cursor *cursor, uint64_t key, uint64_t *ret,
    struct str *ret_value)
{
	uint32_t number;
	MDB_val k = serial_val(cursor, &key, &number), v;
	uint64_t found;
	if (!cursor_get(cursor, &k, &v, MDB_SET_RANGE))
		return serials_get(cursor, MDB_LAST, ret, ret_value);
	if (!serial_of(cursor, &k, &found))
		return false;
	if (found > key)
		return serials_get(cursor, MDB_PREV, ret, ret_value);
	*ret = found;
	*ret_value = str_of_val(&v);
	return true;
}

bool
store_cursor_first(
    struct store_cursor *cursor, uint64_t *ret, struct str *ret_value)
{
	return serials_get(cursor, MDB_FIRST, ret, ret_value);
}

bool
store_cursor_prev(
    struct store_cursor *cursor, uint64_t *ret, struct str *ret_value)
{
	return serials_get(cursor, MDB_PREV, ret, ret_value);
}

bool
store_cursor_next(
    struct store_cursor *cursor, uint64_t *ret, struct str *ret_value)
{
	return serials_get(cursor, MDB_NEXT, ret, ret_value);
}

void
store_cursor_delete(struct store_cursor *cursor)
{
	if (cursor->cursor != NULL && cursor->txn->error == 0)
		(void)is_good(cursor->txn, mdb_cursor_del(cursor->cursor, 0));
}

bool
store_cursor_after(struct store_cursor *cursor, uint64_t key, uint64_t *ret)
{
	MDB_val k = val_of(store_key64(&key)), v;
	return cursor_get(cursor, &k, &v, MDB_SET_RANGE) &&
	       number_of(cursor, &k, ret, sizeof(*ret));
}

void
store_set_add(struct store_txn *txn, const struct store_table *table,
    uint64_t key, uint64_t member)
{
	put(txn, table, store_key64(&key), store_key64(&member), 0);
}

void
store_set_remove(struct store_txn *txn, const struct store_table *table,
    uint64_t key, uint64_t member)
{
	MDB_val k = val_of(store_key64(&key)), v = val_of(store_key64(&member));
	if (table->is_open && txn->error == 0)
		(void)is_good(txn, mdb_del(txn->txn, table->handle, &k, &v));
}

uint64_t
store_set_count(
    struct store_txn *txn, const struct store_table *table, uint64_t key)
{
	MDB_val k = val_of(store_key64(&key)), v;
	size_t n = 0;
	struct store_cursor *cursor = store_cursor_new(txn, table);
	if (cursor_get(cursor, &k, &v, MDB_SET))
		(void)is_good(txn, mdb_cursor_count(cursor->cursor, &n));
	store_cursor_free(cursor);
	return n;
}

static bool
member_get(
    struct store_cursor *cursor, MDB_val *key, MDB_cursor_op op, uint64_t *ret)
{
	MDB_val value;
	return cursor_get(cursor, key, &value, op) &&
	       number_of(cursor, &value, ret, sizeof(*ret));
}

bool
store_set_from(
    struct store_cursor *cursor, uint64_t key, uint64_t least, uint64_t *ret)
{
	MDB_val k = val_of(store_key64(&key)), v = val_of(store_key64(&least));
	return cursor_get(cursor, &k, &v, MDB_GET_BOTH_RANGE) &&
	       number_of(cursor, &v, ret, sizeof(*ret));
}

bool
store_set_last(struct store_cursor *cursor, uint64_t key, uint64_t *ret)
{
	MDB_val k = val_of(store_key64(&key)), v;
	return cursor_get(cursor, &k, &v, MDB_SET) &&
	       member_get(cursor, &k, MDB_LAST_DUP, ret);
}

bool
store_set_below(
    struct store_cursor *cursor, uint64_t key, uint64_t limit, uint64_t *ret)
{
	uint64_t at;
	return store_set_from(cursor, key, limit, &at)
		   ? store_set_prev(cursor, ret)
		   : store_set_last(cursor, key, ret);
}

bool
store_set_prev(struct store_cursor *cursor, uint64_t *ret)
{
	MDB_val key;
	return member_get(cursor, &key, MDB_PREV_DUP, ret);
}
