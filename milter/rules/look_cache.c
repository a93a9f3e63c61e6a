/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look_cache -- the file: a line that says what its databases are good for,
 * then an entry for each pattern: SHA-256 of the pattern, SHA-256 of the
 * database, its length in 4 bytes, most significant first, the database.
 */
#include "rules/look_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/table.h"
#include "rules/digest.h"
#include "rules/hs_db.h"

#define FILE_MAX ((size_t)256 * 1024 * 1024)
#define FORMAT "postern looks 1, "
#define LENGTH_BYTES 4
#define ENTRY_HEAD (2 * DIGEST_BYTES + LENGTH_BYTES)

struct entry {
	struct str bytes;
	bool is_used;
};

struct look_cache {
	struct arena *arena;
	struct str stamp;      /* the first line */
	struct table *entries; /* struct entry *, by SHA-256 of the pattern */
	bool is_changed;
	size_t got, put;
};

static struct str
digest_of(struct arena *a, struct str s)
{
	uint8_t *digest = arena_alloc(a, DIGEST_BYTES);
	sha256(s, digest);
	return str_of((const char *)digest, DIGEST_BYTES);
}

static uint32_t
length_get(struct str s)
{
	uint32_t n = 0;
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		n = n << 8 | (uint8_t)s.p[i];
	return n;
}

static void
entry_put(
    struct look_cache *cache, struct str key, struct str bytes, bool is_used)
{
	struct entry *entry = ARENA_NEW(cache->arena, struct entry);
	*entry = (struct entry){bytes, is_used};
	table_set(cache->entries, key, entry);
}

/* The entry at the start of `*rest`; false: it is broken. */
static bool
entry_take(struct look_cache *cache, struct str *rest)
{
	if (rest->len < ENTRY_HEAD)
		return false;
	struct str key = str_sub(*rest, 0, DIGEST_BYTES);
	struct str digest = str_sub(*rest, DIGEST_BYTES, DIGEST_BYTES);
	uint32_t len = length_get(str_skip(*rest, 2 * DIGEST_BYTES));
	*rest = str_skip(*rest, ENTRY_HEAD);
	if (rest->len < len)
		return false;
	struct str bytes = str_sub(*rest, 0, len);
	*rest = str_skip(*rest, len);
	if (!str_eq(digest, digest_of(cache->arena, bytes)))
		return false;
	entry_put(cache, key, bytes, false);
	return true;
}

/* A pipe in its place would be waited for. */
static bool
file_take(struct arena *a, struct str path, struct str *ret)
{
	struct stat st;
	return stat(str_c(a, path), &st) == 0 && S_ISREG(st.st_mode) &&
	       file_text(a, path, FILE_MAX, ret);
}

struct look_cache *
look_cache_read(struct arena *a, struct str path)
{
	struct look_cache *cache = ARENA_NEW(a, struct look_cache);
	struct str rest;
	cache->arena = a;
	cache->stamp = str_printf(a, FORMAT "%.*s\n", STR_ARG(hs_db_stamp(a)));
	cache->entries = table_new(a, false);
	if (!file_take(a, path, &rest) || !str_starts(rest, cache->stamp))
		return cache;
	rest = str_skip(rest, cache->stamp.len);
	while (rest.len > 0 && entry_take(cache, &rest))
		;
	return cache;
}

bool
look_cache_get(struct look_cache *cache, struct str pattern, struct str *ret)
{
	struct entry *entry =
	    table_get(cache->entries, digest_of(cache->arena, pattern));
	if (entry == NULL)
		return false;
	entry->is_used = true;
	cache->got += entry->bytes.len > 0;
	*ret = entry->bytes;
	return true;
}

void
look_cache_put(struct look_cache *cache, struct str pattern, struct str bytes)
{
	entry_put(cache, digest_of(cache->arena, pattern), bytes, true);
	cache->is_changed = true;
	cache->put += bytes.len > 0;
}

void
look_cache_counts(
    const struct look_cache *cache, size_t *ret_got, size_t *ret_put)
{
	*ret_got = cache->got;
	*ret_put = cache->put;
}

static bool
write_entry(FILE *file, struct str key, struct str bytes)
{
	uint8_t digest[DIGEST_BYTES], length[LENGTH_BYTES];
	sha256(bytes, digest);
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		length[i] = (uint8_t)(bytes.len >> 8 * (LENGTH_BYTES - 1 - i));
	return fwrite(key.p, key.len, 1, file) == 1 &&
	       fwrite(digest, sizeof(digest), 1, file) == 1 &&
	       fwrite(length, sizeof(length), 1, file) == 1 &&
	       (bytes.len == 0 || fwrite(bytes.p, bytes.len, 1, file) == 1);
}

static bool
write_all(const struct look_cache *cache, FILE *file)
{
	bool is_good = fwrite(cache->stamp.p, cache->stamp.len, 1, file) == 1;
	for (size_t i = 0; is_good && i < cache->entries->n; i++) {
		const struct table_entry *row = &cache->entries->v[i];
		const struct entry *entry = row->value;
		if (entry->is_used)
			is_good = write_entry(file, row->key, entry->bytes);
	}
	return is_good;
}

/* A part of it is never seen under its name. */
bool
look_cache_write(const struct look_cache *cache, struct str path)
{
	if (!cache->is_changed)
		return true;
	struct arena *a = arena_new();
	char *name = str_c(a, path);
	char *fresh = str_c(a, str_printf(a, "%s.new", name));
	int fd = open(
	    fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool is_good = file != NULL && write_all(cache, file);
	if (file != NULL)
		is_good = fclose(file) == 0 && is_good;
	else if (fd >= 0)
		(void)close(fd);
	is_good = is_good && rename(fresh, name) == 0;
	int error = errno;
	if (!is_good && fd >= 0)
		(void)unlink(fresh);
	arena_free(a);
	errno = error;
	return is_good;
}
