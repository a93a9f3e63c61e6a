/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox -- the messages behind the arguments of a command. */
#include "cmd/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cmd/cmd.h"

#define INPUT_BYTES ((size_t)1 << 30)

struct mapping {
	void *p;
	size_t len;
};

static void
mapping_release(void *arg)
{
	struct mapping *m = arg;
	(void)munmap(m->p, m->len);
}

/* errno of file_map(), for people. */
static const char *
map_trouble(int error)
{
	return error == ENOTSUP
		   ? "it is no file: write - and hand it in on standard input"
		   : strerror(error);
}

/* The whole file; false: errno, ENOTSUP if it is no regular one. */
static bool
file_map(struct arena *a, const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0)
		return false;
	*ret = STR_EMPTY;
	bool is_good = fstat(fd, &st) == 0;
	if (is_good && !S_ISREG(st.st_mode)) {
		errno = ENOTSUP;
		is_good = false;
	}
	if (is_good && st.st_size > 0) {
		void *p = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		is_good = p != MAP_FAILED;
		if (is_good) {
			struct mapping *m = ARENA_NEW(a, struct mapping);
			*m = (struct mapping){p, (size_t)st.st_size};
			arena_on_release(a, mapping_release, m);
			*ret = str_of(p, m->len);
		}
	}
	int error = errno;
	(void)close(fd);
	errno = error;
	return is_good;
}

static bool
input_read(struct arena *a, struct str *ret)
{
	struct buf *b = buf_new(a, INPUT_BYTES);
	char chunk[65536];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		buf_put(b, str_of(chunk, n));
	*ret = buf_str(b);
	return ferror(stdin) == 0 && !b->is_cut;
}

/* "08:00" */
static bool
has_time_of_day(struct str line)
{
	for (size_t i = 2; i + 2 < line.len; i++)
		if (line.p[i] == ':' && char_is_digit(line.p[i - 2]) &&
		    char_is_digit(line.p[i - 1]) &&
		    char_is_digit(line.p[i + 1]) &&
		    char_is_digit(line.p[i + 2]))
			return true;
	return false;
}

/*
 * An mbox separator: "From ", a sender and a date, at the start or behind an
 * empty line (RFC 4155).  Not every program that writes text into a message
 * puts ">" before such a word.
 */
static size_t
mbox_next(struct str text, size_t from)
{
	for (size_t at = from; at < text.len;) {
		size_t found = str_find(str_skip(text, at), STR("\nFrom "));
		if (found == STR_NONE)
			break;
		at += found + 1;
		struct str before = str_sub(text, from, at - 1 - from);
		struct str line = str_skip(text, at);
		if ((str_ends(before, STR("\n")) ||
			str_ends(before, STR("\n\r"))) &&
		    has_time_of_day(str_line(&line)))
			return at;
	}
	return text.len;
}

static void
entries_add(
    struct arena *a, struct mailbox *mailbox, const char *path, struct str text)
{
	if (!str_starts(text, STR("From ")) ||
	    str_starts(text, STR("From :"))) {
		ARENA_PUSH(a, mailbox) =
		    (struct mailbox_entry){.path = path, .length = SIZE_MAX};
		return;
	}
	unsigned number = 0;
	bool is_alone = mbox_next(text, 0) == text.len;
	for (size_t at = 0; at < text.len;) {
		size_t end = mbox_next(text, at);
		struct str line = str_skip(text, at);
		size_t head = line.len;
		(void)str_line(&line);
		head -= line.len;
		size_t length = at + head < end ? end - at - head : 0;
		number++;
		ARENA_PUSH(a, mailbox) = (struct mailbox_entry){
		    .path = path,
		    .offset = at,
		    .separator = head,
		    .length = length,
		    .number = is_alone ? 0 : number,
		};
		at = end;
	}
}

static bool
file_add(struct arena *a, struct mailbox *mailbox, const char *path)
{
	struct arena *scratch = arena_new();
	struct str text;
	bool is_good = file_map(scratch, path, &text);
	if (is_good)
		entries_add(a, mailbox, str_c(a, str_from(path)), text);
	else
		cmd_error("%s: %s", path, map_trouble(errno));
	arena_free(scratch);
	return is_good;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* tmp of a Maildir holds what is still being written. */
static bool
is_maildir_tmp(const FTSENT *entry)
{
	char sibling[4096];
	return strcmp(entry->fts_name, "tmp") == 0 && entry->fts_level > 0 &&
	       snprintf(sibling, sizeof(sibling), "%s/../cur",
		   entry->fts_path) < (int)sizeof(sibling) &&
	       access(sibling, F_OK) == 0;
}

static bool
tree_add(struct arena *a, struct mailbox *mailbox, char *path)
{
	char *const roots[] = {path, NULL};
	bool is_good = true;
	FTS *tree = fts_open(
	    roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	if (tree == NULL)
		return false;
	while ((entry = fts_read(tree)) != NULL) {
		if (entry->fts_info == FTS_D && is_maildir_tmp(entry))
			(void)fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_F)
			is_good =
			    file_add(a, mailbox, entry->fts_path) && is_good;
		else if (entry->fts_info == FTS_DNR ||
			 entry->fts_info == FTS_ERR ||
			 entry->fts_info == FTS_NS) {
			cmd_error("%s: %s", entry->fts_path,
			    strerror(entry->fts_errno));
			is_good = false;
		}
	}
	(void)fts_close(tree);
	return is_good;
}

bool
mailbox_add(struct arena *a, struct mailbox *mailbox, const char *path)
{
	struct stat st;
	if (strcmp(path, "-") == 0) {
		if (!input_read(a, &mailbox->input)) {
			fprintf(stderr, "postern: standard input: too large\n");
			return false;
		}
		entries_add(a, mailbox, "-", mailbox->input);
		return true;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return tree_add(a, mailbox, str_c(a, str_from(path)));
	return file_add(a, mailbox, path);
}

struct str
mailbox_name(struct arena *a, const struct mailbox *mailbox, size_t i)
{
	const struct mailbox_entry *entry = &mailbox->v[i];
	return entry->number == 0
		   ? str_from(entry->path)
		   : str_printf(a, "%s:%u", entry->path, entry->number);
}

bool
mailbox_read(struct arena *a, const struct mailbox *mailbox, size_t i,
    struct str *ret, struct str *ret_separated, struct str *ret_why)
{
	const struct mailbox_entry *entry = &mailbox->v[i];
	struct str text = mailbox->input;
	if (strcmp(entry->path, "-") != 0 && !file_map(a, entry->path, &text)) {
		*ret_why = str_from(map_trouble(errno));
		return false;
	}
	text = str_skip(text, entry->offset);
	*ret = str_sub(text, entry->separator, entry->length);
	*ret_separated = str_of(text.p, entry->separator + ret->len);
	return true;
}
