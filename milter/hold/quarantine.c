/* SPDX-License-Identifier: BSD-2-Clause */
/* quarantine -- a Maildir of messages kept back. */
#include "hold/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/clock.h"
#include "base/log.h"
#include "hold/disk.h"

#define NAME_SUFFIX STR(".postern")
#define COUNT_EVERY_MS 60000
#define STALE_S ((int64_t)36 * 3600)
#define HEAD_FIRST ((size_t)16 * 1024)
/* Files larger than this are not ours; it bounds what a read may take. */
#define FILE_MAX_BYTES ((uint64_t)4 << 30)

enum sub { SUB_TMP, SUB_NEW, SUB_CUR, SUB_COUNT };

static const char *const sub_names[SUB_COUNT] = {"tmp", "new", "cur"};
static const char *const folder_dirs[FOLDER_COUNT] = {
    [FOLDER_HELD] = ".",
    [FOLDER_DISCARDED] = ".discarded",
};

struct quarantine {
	int dir[FOLDER_COUNT][SUB_COUNT];
	struct mac_key key;
	bool has_key;
	uint64_t max_bytes;
	/* usage: a count that is corrected once a minute */
	_Atomic uint64_t bytes[FOLDER_COUNT];
	_Atomic uint64_t messages[FOLDER_COUNT];
	_Atomic int64_t counted_ms;
	pthread_mutex_t counting; /* of one thread at a time */
	_Atomic bool is_stale;    /* what was counted is known to be wrong */
	_Atomic unsigned changes; /* of the usage, by this process */
};

/* One file by its name; the name is not to be trusted. */
struct file {
	enum held_folder folder;
	enum sub sub;
	bool is_foreign;
	int64_t time;  /* as the name has it */
	struct str id; /* as the name has it */
	char *name;
};

struct files {
	struct file *v;
	size_t n, cap;
};

static const char *const state_names[] = {
    [HELD_SOUND] = "sound",
    [HELD_UNSEALED] = "unsealed",
    [HELD_TAMPERED] = "tampered",
    [HELD_DAMAGED] = "damaged",
    [HELD_FOREIGN] = "foreign",
};

struct str
held_state_name(enum held_state state)
{
	return str_from(state_names[state]);
}

static enum quarantine_status
status_of_errno(void)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return QUARANTINE_FULL;
	case ENOENT:
		return QUARANTINE_NOT_FOUND;
	case ELOOP: /* as disk_open() says that it is no file */
	case EINVAL:
		return QUARANTINE_BAD_FILE;
	default:
		return QUARANTINE_IO;
	}
}

static const char *
open_error(void)
{
	switch (errno) {
	case EPERM:
		return "must belong to us (or root) and be writable by its "
		       "owner only";
	case ELOOP:
	case ENOTDIR:
		return "is not a directory (a symbolic link is not followed)";
	default:
		return strerror(errno);
	}
}

static bool
folder_open(
    struct quarantine *q, enum held_folder folder, int top, enum disk_make make)
{
	int dir = disk_dir(top, folder_dirs[folder], make);
	bool is_open = dir >= 0;
	for (int sub = 0; sub < SUB_COUNT && is_open; sub++) {
		q->dir[folder][sub] = disk_dir(dir, sub_names[sub], make);
		is_open = q->dir[folder][sub] >= 0;
	}
	disk_close(dir);
	return is_open;
}

static struct quarantine *
quarantine_new(void)
{
	struct quarantine *q = calloc(1, sizeof(*q));
	if (q == NULL)
		log_fatal("out of memory");
	for (int folder = 0; folder < FOLDER_COUNT; folder++)
		for (int sub = 0; sub < SUB_COUNT; sub++)
			q->dir[folder][sub] = -1;
	atomic_init(&q->counted_ms, INT64_MIN);
	(void)pthread_mutex_init(&q->counting, NULL);
	return q;
}

static enum quarantine_status
open_in(struct str dir, enum disk_make make, struct quarantine **ret,
    struct str *ret_error, struct arena *a)
{
	struct quarantine *q = quarantine_new();
	/* behind a slash even O_NOFOLLOW follows */
	while (dir.len > 1 && dir.p[dir.len - 1] == '/')
		dir.len--;
	int top = disk_dir(AT_FDCWD, str_c(a, dir), make);
	bool is_open = top >= 0;
	for (int folder = 0; folder < FOLDER_COUNT && is_open; folder++)
		is_open = folder_open(q, (enum held_folder)folder, top, make);
	disk_close(top);
	if (is_open) {
		*ret = q;
		return QUARANTINE_OK;
	}
	*ret_error =
	    str_printf(a, "quarantine %.*s: %s", STR_ARG(dir), open_error());
	int saved = errno;
	quarantine_close(q);
	errno = saved;
	return status_of_errno();
}

enum quarantine_status
quarantine_open(struct str dir, struct quarantine **ret, struct str *ret_error,
    struct arena *a)
{
	return open_in(dir, DISK_MAKE, ret, ret_error, a);
}

enum quarantine_status
quarantine_open_existing(struct str dir, struct quarantine **ret,
    struct str *ret_error, struct arena *a)
{
	return open_in(dir, DISK_EXISTING, ret, ret_error, a);
}

void
quarantine_close(struct quarantine *q)
{
	if (q == NULL)
		return;
	for (int folder = 0; folder < FOLDER_COUNT; folder++)
		for (int sub = 0; sub < SUB_COUNT; sub++)
			disk_close(q->dir[folder][sub]);
	(void)pthread_mutex_destroy(&q->counting);
	explicit_bzero(&q->key, sizeof(q->key));
	free(q);
}

void
quarantine_set_key(struct quarantine *q, const struct mac_key *key)
{
	q->key = *key;
	q->has_key = true;
}

void
quarantine_set_limit(struct quarantine *q, uint64_t bytes)
{
	q->max_bytes = bytes;
}

/* Milliseconds in 7 digits of base 62 (until 2081), then chance. */
struct str
quarantine_id(struct arena *a)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	uint64_t ms =
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	char when[7];
	for (size_t i = sizeof(when); i > 0; ms /= 62)
		when[--i] = digits[ms % 62];
	struct str chance = random_word(a, 16 - sizeof(when));
	return str_printf(
	    a, "%.*s%.*s", (int)sizeof(when), when, STR_ARG(chance));
}

/* "SECONDS.ID.postern", and in cur ":2,FLAGS" behind it. */
static bool
name_parse(struct str name, int64_t *ret_time, struct str *ret_id)
{
	struct str rest = str_cut(&name, ':');
	struct str seconds = str_cut(&rest, '.');
	uint64_t time;
	if (!str_ends(rest, NAME_SUFFIX) || !str_u64(seconds, INT64_MAX, &time))
		return false;
	*ret_id = str_sub(rest, 0, rest.len - NAME_SUFFIX.len);
	*ret_time = (int64_t)time;
	return held_id_is_valid(*ret_id);
}

static char *
name_make(struct arena *a, const struct held *held)
{
	int64_t time = held->time_wall < 0 ? 0 : held->time_wall;
	return str_c(a, str_printf(a, "%lld.%.*s.postern", (long long)time,
			    STR_ARG(held->id)));
}

static void
file_add(struct arena *a, struct files *files, const struct file *place,
    const char *name)
{
	struct file file = *place;
	struct str text = str_from(name);
	if (text.len == 0 || text.p[0] == '.' || text.len >= HELD_FILE_MAX)
		return;
	file.name = str_c(a, text);
	file.id = STR_EMPTY;
	file.is_foreign =
	    !name_parse(str_from(file.name), &file.time, &file.id);
	ARENA_PUSH(a, files) = file;
}

static bool
sub_list(struct quarantine *q, struct arena *a, enum held_folder folder,
    enum sub sub, struct files *ret)
{
	/* a descriptor of its own: others may be reading the same directory */
	int fd = openat(
	    q->dir[folder][sub], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct file place = {.folder = folder, .sub = sub};
	struct dirent *entry;
	if (dir == NULL) {
		disk_close(fd);
		return false;
	}
	while (errno = 0, (entry = readdir(dir)) != NULL)
		file_add(a, ret, &place, entry->d_name);
	int error = errno;
	(void)closedir(dir);
	errno = error;
	return error == 0;
}

/* new before cur: a mail reader moves in that direction. */
static bool
files_list(struct quarantine *q, struct arena *a, enum held_folder folder,
    struct files *ret)
{
	for (int f = 0; f < FOLDER_COUNT; f++) {
		if (folder != FOLDER_COUNT && (int)folder != f)
			continue;
		if (!sub_list(q, a, (enum held_folder)f, SUB_NEW, ret) ||
		    !sub_list(q, a, (enum held_folder)f, SUB_CUR, ret))
			return false;
	}
	return true;
}

static int
file_order(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	int order = str_cmp(x->id, y->id);
	return order != 0 ? order : strcmp(x->name, y->name);
}

/* Seen in new, then moved to cur, it was listed twice: keep one. */
static void
files_sort(struct files *files)
{
	size_t n = 0;
	if (files->n == 0)
		return;
	qsort(files->v, files->n, sizeof(*files->v), file_order);
	for (size_t i = 0; i < files->n; i++) {
		struct file *last = n == 0 ? NULL : &files->v[n - 1];
		bool is_twin = last != NULL && !last->is_foreign &&
			       last->folder == files->v[i].folder &&
			       last->time == files->v[i].time &&
			       str_eq(last->id, files->v[i].id);
		if (is_twin)
			*last = files->v[i];
		else
			files->v[n++] = files->v[i];
	}
	files->n = n;
}

/* Reads the block only; HELD_DAMAGED if there is none. */
static enum held_parse_status
head_read(
    struct arena *a, int fd, struct buf **ret_text, struct held_block *ret)
{
	struct buf *b = buf_new(a, HELD_BLOCK_MAX);
	for (size_t want = HEAD_FIRST;; want *= 4) {
		size_t before = b->len;
		if (want > HELD_BLOCK_MAX)
			want = HELD_BLOCK_MAX;
		if (!file_read(fd, want - before, b))
			return HELD_PARSE_FOREIGN;
		enum held_parse_status status =
		    held_block_parse(a, buf_str(b), ret);
		*ret_text = b;
		if (status != HELD_PARSE_MORE || b->len < want)
			return status == HELD_PARSE_OK ? HELD_PARSE_OK
						       : HELD_PARSE_FOREIGN;
	}
}

/* What the block says, and what is found, must be the same. */
static enum held_state
state_of(const struct quarantine *q, const struct file *file,
    const struct held_block *block, struct str text, uint64_t file_bytes)
{
	if (block->bytes + block->held.size_bytes != file_bytes)
		return HELD_DAMAGED;
	if (!str_eq(block->held.id, file->id) ||
	    block->held.folder != file->folder)
		return HELD_TAMPERED;
	if (!q->has_key)
		return HELD_UNSEALED;
	return held_block_is_sealed(block, text, &q->key) ? HELD_SOUND
							  : HELD_TAMPERED;
}

static void
entry_init(
    const struct file *file, const struct stat *st, struct held_entry *ret)
{
	*ret = (struct held_entry){0};
	(void)snprintf(ret->file, sizeof(ret->file), "%s", file->name);
	ret->held.id = file->id;
	ret->held.folder = file->folder;
	ret->held.time_wall = (int64_t)st->st_mtime;
	ret->held.reason = ret->held.subject = STR_EMPTY;
	ret->held.envelope.from = ret->held.envelope.login = STR_EMPTY;
	ret->held.envelope.client_addr = ret->held.envelope.client_name =
	    STR_EMPTY;
	ret->held.envelope.helo = ret->held.envelope.queue_id = STR_EMPTY;
	ret->held.envelope.daemon_name = STR_EMPTY;
	ret->is_seen = file->sub == SUB_CUR;
	ret->file_bytes = (uint64_t)st->st_size;
	ret->state = file->is_foreign ? HELD_FOREIGN : HELD_DAMAGED;
}

/* What lies where a message was: a link, a pipe, a folder, or what is closed.
 */
static bool
entry_unreadable(
    const struct quarantine *q, const struct file *file, struct held_entry *ret)
{
	struct stat st;
	if (fstatat(q->dir[file->folder][file->sub], file->name, &st,
		AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	entry_init(file, &st, ret);
	return true;
}

/* Views in `*ret` live in `a`. */
static bool
entry_read(const struct quarantine *q, struct arena *a, const struct file *file,
    struct held_entry *ret)
{
	int fd = disk_open(q->dir[file->folder][file->sub], file->name);
	struct stat st;
	struct held_block block;
	struct buf *text;
	if (fd < 0)
		return entry_unreadable(q, file, ret);
	if (fstat(fd, &st) != 0) {
		disk_close(fd);
		return false;
	}
	entry_init(file, &st, ret);
	if (!file->is_foreign &&
	    head_read(a, fd, &text, &block) == HELD_PARSE_OK) {
		ret->state =
		    state_of(q, file, &block, buf_str(text), ret->file_bytes);
		ret->has_block = true;
		ret->held = block.held;
		ret->held.folder = file->folder;
		ret->held.id = file->id;
	}
	disk_close(fd);
	return true;
}

enum quarantine_status
quarantine_each(struct quarantine *q, enum held_folder folder,
    struct str prefix, bool (*fn)(void *arg, const struct held_entry *entry),
    void *arg)
{
	struct arena *a = arena_new();
	struct arena *scratch = arena_new();
	struct files files = {0};
	bool is_read = files_list(q, a, folder, &files);
	files_sort(&files);
	for (size_t i = 0; i < files.n && is_read; i++) {
		struct held_entry entry;
		if (!str_starts(files.v[i].id, prefix))
			continue;
		/* gone or moved on since: the next look will tell */
		bool goes_on = !entry_read(q, scratch, &files.v[i], &entry) ||
			       fn(arg, &entry);
		arena_reset(scratch);
		if (!goes_on)
			break;
	}
	int saved = errno;
	arena_free(scratch);
	arena_free(a);
	errno = saved;
	return is_read ? QUARANTINE_OK : status_of_errno();
}

/* The file whose id is `prefix`, or the only one that begins so. */
static enum quarantine_status
file_find(struct quarantine *q, struct arena *a, enum held_folder folder,
    struct str prefix, struct file *ret)
{
	struct files files = {0};
	size_t n = 0;
	if (!files_list(q, a, folder, &files))
		return status_of_errno();
	files_sort(&files);
	for (size_t i = 0; i < files.n; i++) {
		const struct file *file = &files.v[i];
		if (file->is_foreign || !str_starts(file->id, prefix))
			continue;
		*ret = *file;
		if (str_eq(file->id, prefix))
			return QUARANTINE_OK;
		n++;
	}
	return n == 1   ? QUARANTINE_OK
	       : n == 0 ? QUARANTINE_NOT_FOUND
			: QUARANTINE_AMBIGUOUS;
}

enum quarantine_status
quarantine_find(struct quarantine *q, struct arena *a, struct str prefix,
    struct held_entry *ret)
{
	struct file file;
	if (!held_id_is_valid(prefix))
		return QUARANTINE_NOT_FOUND;
	enum quarantine_status status =
	    file_find(q, a, FOLDER_COUNT, prefix, &file);
	if (status != QUARANTINE_OK)
		return status;
	return entry_read(q, a, &file, ret) ? QUARANTINE_OK : status_of_errno();
}

/* The whole file; it may have grown or shrunk, so what was read counts. */
static bool
whole_read(struct arena *a, int fd, struct str *ret)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return false;
	if ((uint64_t)st.st_size > FILE_MAX_BYTES) {
		errno = EFBIG;
		return false;
	}
	struct buf *b = buf_new(a, (size_t)st.st_size + 1);
	buf_reserve(b, (size_t)st.st_size + 1);
	if (!file_read(fd, (size_t)st.st_size + 1, b))
		return false;
	*ret = buf_str(b);
	return true;
}

static enum quarantine_status
entry_read_whole(struct quarantine *q, struct arena *a, const struct file *file,
    struct held_entry *ret, struct str *ret_raw)
{
	struct held_block block;
	struct digest digest;
	struct str text;
	int fd = disk_open(q->dir[file->folder][file->sub], file->name);
	bool is_read = fd >= 0 && whole_read(a, fd, &text);
	disk_close(fd);
	if (!is_read)
		return status_of_errno();
	struct stat st = {.st_size = (off_t)text.len};
	entry_init(file, &st, ret);
	if (held_block_parse(a, text, &block) != HELD_PARSE_OK)
		return QUARANTINE_BAD_FILE;
	ret->state = state_of(q, file, &block, text, text.len);
	*ret_raw = str_skip(text, block.bytes);
	digest_of(*ret_raw, &digest);
	if (ret->state != HELD_DAMAGED && !digest_equal(&digest, &block.raw))
		ret->state = q->has_key ? HELD_TAMPERED : HELD_DAMAGED;
	ret->has_block = true;
	ret->held = block.held;
	ret->held.folder = file->folder;
	ret->held.id = file->id;
	return QUARANTINE_OK;
}

/* Where `entry` lies now: a mail reader may have moved or flagged it. */
static enum quarantine_status
entry_locate(struct quarantine *q, struct arena *a,
    const struct held_entry *entry, struct file *ret)
{
	struct stat st;
	enum sub sub = entry->is_seen ? SUB_CUR : SUB_NEW;
	enum held_folder folder = entry->held.folder;
	if (fstatat(q->dir[folder][sub], entry->file, &st,
		AT_SYMLINK_NOFOLLOW) == 0) {
		*ret = (struct file){.folder = folder,
		    .sub = sub,
		    .id = entry->held.id,
		    .name = str_c(a, str_from(entry->file))};
		return QUARANTINE_OK;
	}
	if (errno != ENOENT)
		return status_of_errno();
	if (entry->state == HELD_FOREIGN)
		return QUARANTINE_NOT_FOUND;
	enum quarantine_status status =
	    file_find(q, a, folder, entry->held.id, ret);
	bool is_same =
	    status == QUARANTINE_OK && str_eq(ret->id, entry->held.id);
	return is_same ? QUARANTINE_OK : QUARANTINE_NOT_FOUND;
}

enum quarantine_status
quarantine_read(struct quarantine *q, struct arena *a,
    const struct held_entry *entry, struct held_entry *ret, struct str *ret_raw)
{
	struct file file;
	if (entry->state == HELD_FOREIGN)
		return QUARANTINE_BAD_FILE;
	enum quarantine_status status = entry_locate(q, a, entry, &file);
	return status != QUARANTINE_OK
		   ? status
		   : entry_read_whole(q, a, &file, ret, ret_raw);
}

enum quarantine_status
quarantine_lock(
    struct quarantine *q, const struct held_entry *entry, int *ret_lock)
{
	struct arena *a = arena_new();
	struct file file;
	struct stat st;
	enum quarantine_status status = entry_locate(q, a, entry, &file);
	int fd = status != QUARANTINE_OK
		     ? -1
		     : disk_open(q->dir[file.folder][file.sub], file.name);
	if (status == QUARANTINE_OK && fd < 0)
		status = status_of_errno();
	arena_free(a);
	if (fd < 0)
		return status;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		status = errno == EWOULDBLOCK ? QUARANTINE_BUSY : QUARANTINE_IO;
	else if (fstat(fd, &st) != 0 || st.st_nlink == 0)
		status = QUARANTINE_NOT_FOUND; /* who had the lock removed it */
	if (status == QUARANTINE_OK)
		*ret_lock = fd;
	else
		disk_close(fd);
	return status;
}

void
quarantine_unlock(int lock)
{
	disk_close(lock);
}

static void
usage_add(struct quarantine *q, enum held_folder folder, uint64_t bytes)
{
	atomic_fetch_add(&q->changes, 1);
	atomic_fetch_add(&q->bytes[folder], bytes);
	atomic_fetch_add(&q->messages[folder], 1);
}

/* Never below 0: other processes take from it, too. */
static void
count_lower(_Atomic uint64_t *count, uint64_t n)
{
	uint64_t now = atomic_load(count);
	while (
	    !atomic_compare_exchange_weak(count, &now, now < n ? 0 : now - n))
		;
}

static void
usage_take(struct quarantine *q, enum held_folder folder, uint64_t bytes)
{
	atomic_fetch_add(&q->changes, 1);
	count_lower(&q->bytes[folder], bytes);
	count_lower(&q->messages[folder], 1);
}

static enum quarantine_status
entry_unlink(
    struct quarantine *q, const struct held_entry *entry, bool is_lasting)
{
	struct arena *a = arena_new();
	struct file file;
	enum quarantine_status status = entry_locate(q, a, entry, &file);
	if (status == QUARANTINE_OK) {
		int dir = q->dir[file.folder][file.sub];
		if (unlinkat(dir, file.name, 0) != 0 ||
		    (is_lasting && !disk_sync(dir)))
			status = status_of_errno();
		else
			usage_take(q, file.folder, entry->file_bytes);
	}
	arena_free(a);
	return status;
}

enum quarantine_status
quarantine_remove(struct quarantine *q, const struct held_entry *entry)
{
	return entry_unlink(q, entry, true);
}

enum quarantine_status
quarantine_delete(struct quarantine *q, const struct held_entry *entry)
{
	int lock;
	enum quarantine_status status = quarantine_lock(q, entry, &lock);
	if (status == QUARANTINE_BAD_FILE) /* nobody releases what is no file */
		return entry_unlink(q, entry, false);
	if (status != QUARANTINE_OK)
		return status;
	status = entry_unlink(q, entry, false);
	quarantine_unlock(lock);
	return status;
}

/* Write block and message to `name` in tmp and to disk. */
static bool
tmp_write(int tmp, const char *name, struct str block, struct str raw)
{
	int fd = disk_create(tmp, name);
	if (fd < 0)
		return false;
	bool is_written =
	    disk_write(fd, block) && disk_write(fd, raw) && disk_sync(fd);
	int error = errno;
	/* some file systems report a full quota only here */
	if (close(fd) != 0 && is_written) {
		is_written = false;
		error = errno;
	}
	if (!is_written)
		(void)unlinkat(tmp, name, 0);
	errno = error;
	return is_written;
}

static bool
fits(uint64_t used, size_t bytes, uint64_t max)
{
	return used <= max && bytes <= max - used;
}

/* Notices that strangers provoke must leave room for mail that is held. */
static bool
has_room(struct quarantine *q, enum held_folder folder, size_t bytes)
{
	uint64_t used = quarantine_usage(q);
	uint64_t discarded = atomic_load(&q->bytes[FOLDER_DISCARDED]);
	if (q->max_bytes == 0 ||
	    (fits(used, bytes, q->max_bytes) &&
		(folder != FOLDER_DISCARDED ||
		    fits(discarded, bytes, q->max_bytes / 2))))
		return true;
	errno = EDQUOT;
	return false;
}

/* An id that is taken is not our disk's fault. */
static enum quarantine_status
store_failed(void)
{
	return errno == EEXIST   ? QUARANTINE_BAD_FILE
	       : errno == ENOENT ? QUARANTINE_IO
				 : status_of_errno();
}

static enum quarantine_status
store_in(struct quarantine *q, struct arena *a, const struct held *held,
    struct str raw)
{
	const int *dir = q->dir[held->folder];
	char *name = name_make(a, held);
	struct str block;
	if (!held_block_write(
		a, held, raw, q->has_key ? &q->key : NULL, &block)) {
		errno = EMSGSIZE;
		return QUARANTINE_BAD_FILE;
	}
	if (!has_room(q, held->folder, block.len + raw.len))
		return QUARANTINE_FULL;
	if (!tmp_write(dir[SUB_TMP], name, block, raw))
		return store_failed();
	bool is_moved = disk_rename_new(dir[SUB_TMP], name, dir[SUB_NEW], name);
	if (is_moved && disk_sync(dir[SUB_NEW])) {
		usage_add(q, held->folder, block.len + raw.len);
		return QUARANTINE_OK;
	}
	int saved = errno;
	(void)unlinkat(dir[is_moved ? SUB_NEW : SUB_TMP], name, 0);
	errno = saved;
	return store_failed();
}

enum quarantine_status
quarantine_store(struct quarantine *q, const struct held *held, struct str raw)
{
	if (!held_id_is_valid(held->id)) {
		errno = EINVAL;
		return QUARANTINE_BAD_FILE;
	}
	struct arena *a = arena_new();
	enum quarantine_status status = store_in(q, a, held, raw);
	int saved = errno;
	arena_free(a);
	errno = saved;
	return status;
}

static enum quarantine_status
replace_in(struct quarantine *q, struct arena *a, const struct file *file,
    const struct held *held, struct str raw)
{
	int tmp = q->dir[file->folder][SUB_TMP];
	int dir = q->dir[file->folder][file->sub];
	char *aside = name_make(a, held);
	struct str block;
	if (!held_block_write(
		a, held, raw, q->has_key ? &q->key : NULL, &block))
		return QUARANTINE_BAD_FILE;
	if (!tmp_write(tmp, aside, block, raw))
		return store_failed();
	if (renameat(tmp, aside, dir, file->name) == 0 && disk_sync(dir))
		return QUARANTINE_OK;
	int saved = errno;
	(void)unlinkat(tmp, aside, 0);
	errno = saved;
	return store_failed();
}

enum quarantine_status
quarantine_replace(struct quarantine *q, const struct held_entry *entry,
    const struct held *held, struct str raw)
{
	struct arena *a = arena_new();
	struct file file;
	enum quarantine_status status = entry_locate(q, a, entry, &file);
	if (status == QUARANTINE_OK)
		status = replace_in(q, a, &file, held, raw);
	int saved = errno;
	arena_free(a);
	errno = saved;
	return status;
}

/* Of those in `folder`; FOLDER_COUNT: of all. */
static uint64_t
files_bytes(
    struct quarantine *q, const struct files *files, enum held_folder folder)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < files->n; i++) {
		struct stat st;
		bool is_meant =
		    folder == FOLDER_COUNT || folder == files->v[i].folder;
		if (is_meant &&
		    fstatat(q->dir[files->v[i].folder][files->v[i].sub],
			files->v[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)st.st_size;
	}
	return sum;
}

static uint64_t
files_number(const struct files *files, enum held_folder folder)
{
	uint64_t n = 0;
	for (size_t i = 0; i < files->n; i++)
		n += files->v[i].folder == folder;
	return n;
}

static void
usage_count(struct quarantine *q)
{
	struct arena *a = arena_new();
	struct files files = {0};
	unsigned changes = atomic_load(&q->changes);
	atomic_store(&q->is_stale, false);
	if (files_list(q, a, FOLDER_COUNT, &files))
		for (int i = 0; i < FOLDER_COUNT; i++) {
			enum held_folder folder = (enum held_folder)i;
			atomic_store(
			    &q->bytes[i], files_bytes(q, &files, folder));
			atomic_store(
			    &q->messages[i], files_number(&files, folder));
		}
	atomic_store(&q->counted_ms, clock_ms());
	/* was that one seen, or is it counted twice? */
	if (atomic_load(&q->changes) != changes)
		atomic_store(&q->is_stale, true);
	arena_free(a);
}

uint64_t
quarantine_usage(struct quarantine *q)
{
	int64_t counted = atomic_load(&q->counted_ms);
	bool is_due =
	    counted == INT64_MIN || clock_ms() - counted >= COUNT_EVERY_MS;
	if (is_due && pthread_mutex_trylock(&q->counting) == 0) {
		usage_count(q);
		(void)pthread_mutex_unlock(&q->counting);
	}
	uint64_t sum = 0;
	for (int i = 0; i < FOLDER_COUNT; i++)
		sum += atomic_load(&q->bytes[i]);
	return sum;
}

void
quarantine_changed(struct quarantine *q)
{
	atomic_store(&q->is_stale, true);
}

void
quarantine_stats(struct quarantine *q, struct quarantine_stats *ret)
{
	(void)pthread_mutex_lock(&q->counting);
	if (atomic_load(&q->is_stale))
		usage_count(q);
	(void)pthread_mutex_unlock(&q->counting);
	(void)quarantine_usage(q);
	for (int i = 0; i < FOLDER_COUNT; i++) {
		ret->bytes[i] = atomic_load(&q->bytes[i]);
		ret->messages[i] = atomic_load(&q->messages[i]);
	}
	ret->max_bytes = q->max_bytes;
}

/* A purge on its way. */
struct purging {
	struct quarantine *q;
	const struct purge *purge;
	struct purge_result *result;
};

static void
purge_one(struct purging *p, const struct held_entry *entry,
    enum purge_reason reason, bool *ret_is_gone)
{
	const struct purge *purge = p->purge;
	enum quarantine_status status =
	    purge->is_dry_run ? QUARANTINE_OK : quarantine_delete(p->q, entry);
	*ret_is_gone =
	    status == QUARANTINE_OK || status == QUARANTINE_NOT_FOUND;
	if (!*ret_is_gone) {
		p->result->failed++;
		return;
	}
	p->result->left_bytes -= p->result->left_bytes < entry->file_bytes
				     ? p->result->left_bytes
				     : entry->file_bytes;
	if (status == QUARANTINE_NOT_FOUND)
		return;
	p->result->removed++;
	p->result->removed_bytes += entry->file_bytes;
	if (purge->tell != NULL)
		purge->tell(purge->arg, entry, reason);
}

static bool
is_too_old(const struct purge *purge, const struct held_entry *entry)
{
	int64_t limit = purge->max_age_s[entry->held.folder];
	return limit > 0 && purge->now_wall - entry->held.time_wall > limit;
}

/* One pass over the files of `folder` (FOLDER_COUNT: all), oldest first. */
static void
purge_pass(struct purging *p, struct files *files, enum held_folder folder,
    enum purge_reason reason)
{
	struct arena *a = arena_new();
	size_t left = 0;
	for (size_t i = 0; i < files->n; i++) {
		struct file *file = &files->v[i];
		struct held_entry entry;
		bool is_gone = false;
		bool is_due = reason == PURGE_AGE ||
			      p->result->left_bytes > p->purge->max_bytes;
		bool is_meant =
		    folder == FOLDER_COUNT || folder == file->folder;
		if (is_due && is_meant && !file->is_foreign &&
		    entry_read(p->q, a, file, &entry) &&
		    (reason == PURGE_SIZE || is_too_old(p->purge, &entry)) &&
		    (p->purge->wants == NULL ||
			p->purge->wants(p->purge->arg, &entry)))
			purge_one(p, &entry, reason, &is_gone);
		if (!is_gone)
			files->v[left++] = *file;
		arena_reset(a);
	}
	files->n = left;
	arena_free(a);
}

/* What a crash has left in tmp. */
static void
purge_stale(struct purging *p, struct arena *a)
{
	struct files files = {0};
	for (int folder = 0; folder < FOLDER_COUNT; folder++)
		(void)sub_list(
		    p->q, a, (enum held_folder)folder, SUB_TMP, &files);
	for (size_t i = 0; i < files.n; i++) {
		struct stat st;
		int dir = p->q->dir[files.v[i].folder][SUB_TMP];
		if (fstatat(dir, files.v[i].name, &st, AT_SYMLINK_NOFOLLOW) !=
			0 ||
		    p->purge->now_wall - (int64_t)st.st_mtime < STALE_S)
			continue;
		if (p->purge->is_dry_run ||
		    unlinkat(dir, files.v[i].name, 0) == 0)
			p->result->stale++;
	}
}

enum quarantine_status
quarantine_purge(
    struct quarantine *q, const struct purge *purge, struct purge_result *ret)
{
	struct arena *a = arena_new();
	struct files files = {0};
	*ret = (struct purge_result){0};
	struct purging p = {q, purge, ret};
	bool is_read = files_list(q, a, FOLDER_COUNT, &files);
	if (is_read) {
		files_sort(&files);
		ret->left_bytes = files_bytes(q, &files, FOLDER_COUNT);
		purge_pass(&p, &files, FOLDER_COUNT, PURGE_AGE);
		/* what nobody will get goes first */
		if (purge->max_bytes > 0) {
			purge_pass(&p, &files, FOLDER_DISCARDED, PURGE_SIZE);
			purge_pass(&p, &files, FOLDER_COUNT, PURGE_SIZE);
		}
		purge_stale(&p, a);
	}
	int saved = errno;
	arena_free(a);
	errno = saved;
	return is_read ? QUARANTINE_OK : status_of_errno();
}
