/* SPDX-License-Identifier: BSD-2-Clause */
/* clean_note -- that the state file was closed in order. */
#include "state/clean_note.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "state/file_check.h"

#define NOTE_BYTES_MAX 1024
#define TICKS_MAX 100
#define TICK_US 1000

struct note {
	char text[NOTE_BYTES_MAX];
	size_t len;
};

static void PRINTF_LIKE(2, 3) note_add(struct note *note, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(
	    note->text + note->len, sizeof(note->text) - note->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(note->text) - note->len)
		note->len += (size_t)n;
}

/*
 * What is written, and what must be there again.  Another version of Postern
 * may check more.
 */
static void
note_compose(const struct stat *st, const struct file_snapshot *snapshot,
    struct note *ret)
{
	*ret = (struct note){.len = 0};
	note_add(ret, "closed in order by postern " PACKAGE_VERSION "\n");
	note_add(ret, "file %llu %llu\nbytes %lld\n",
	    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
	    (long long)st->st_size);
	note_add(ret, "changed %lld.%09ld %lld.%09ld\n",
	    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	    (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	note_add(ret, "state ");
	for (size_t i = 0; i < sizeof(snapshot->bytes); i++)
		note_add(ret, "%02x", snapshot->bytes[i]);
	note_add(ret, "\n");
}

/* Of the file as it is now; false: it is missing, or broken at first sight. */
static bool
note_make(const struct place *place, struct note *ret)
{
	struct file_snapshot snapshot;
	struct store_why why;
	struct stat st;
	int fd;
	if (file_read_open(place->file, &fd, &st, &why) != STORE_OK)
		return false;
	bool is_made = file_check_head(fd, &why) &&
		       file_snapshot_take(fd, &snapshot, &why);
	if (is_made)
		note_compose(&st, &snapshot, ret);
	(void)close(fd);
	return is_made;
}

/*
 * A change within the tick of the last one would have the same time, so wait
 * for the next.  False: it does not come, the clock was set back.
 */
static bool
tick_is_over(const struct place *place)
{
	struct timespec now;
	struct stat st;
	if (stat(place->file, &st) != 0)
		return false;
	for (int i = 0; i < TICKS_MAX; i++) {
		(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (now.tv_sec > st.st_ctim.tv_sec ||
		    (now.tv_sec == st.st_ctim.tv_sec &&
			now.tv_nsec > st.st_ctim.tv_nsec))
			return true;
		(void)usleep(TICK_US);
	}
	return false;
}

static void
note_path(const struct place *place, char ret[PATH_MAX])
{
	(void)snprintf(ret, PATH_MAX, "%s/" CLEAN_NOTE_FILE, place->dir);
}

void
clean_note_write(const struct place *place)
{
	struct note note;
	char path[PATH_MAX];
	if (!tick_is_over(place) || !note_make(place, &note))
		return;
	note_path(place, path);
	(void)unlink(path);
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	/* one that is cut off says nothing */
	if (write(fd, note.text, note.len) != (ssize_t)note.len)
		(void)unlink(path);
	(void)close(fd);
}

static bool
note_read(const char *path, struct note *ret)
{
	struct stat st;
	struct store_why why;
	int fd;
	if (file_read_open(path, &fd, &st, &why) != STORE_OK)
		return false;
	ssize_t n = pread(fd, ret->text, sizeof(ret->text), 0);
	(void)close(fd);
	ret->len = n > 0 ? (size_t)n : 0;
	return st.st_uid == geteuid();
}

/* Were it back after a power failure, it would vouch for pages that the disk
 * does not have. */
static bool
note_remove(const struct place *place, const char *path)
{
	if (unlink(path) != 0)
		return false;
	int dir =
	    open(place->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool is_gone = dir >= 0 && fsync(dir) == 0;
	if (dir >= 0)
		(void)close(dir);
	return is_gone;
}

bool
clean_note_take(const struct place *place)
{
	struct note said, is;
	char path[PATH_MAX];
	note_path(place, path);
	bool is_read = note_read(path, &said);
	return note_remove(place, path) && is_read && note_make(place, &is) &&
	       said.len == is.len && memcmp(said.text, is.text, is.len) == 0;
}
