/* SPDX-License-Identifier: BSD-2-Clause */
/* release -- a signed header field that is good once. */
#include "hold/release.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "hold/disk.h"
#include "hold/held.h"

#define VERSION STR("v1")
#define PURPOSE STR("postern release v1\n")
#define KEY_NAME "release.key"
#define TOKEN_DIR "release"
#define NONCE_CHARS 22 /* 131 bits */
#define EXPIRY_MAX 253402300799

struct release {
	int tokens; /* directory STATE/release */
	struct mac_key key;
};

static const char *const status_names[] = {
    [RELEASE_OK] = "valid",
    [RELEASE_REPLAY] = "replay",
    [RELEASE_EXPIRED] = "expired",
    [RELEASE_FORGED] = "forged",
    [RELEASE_TEMP] = "temp",
};

struct str
release_status_name(enum release_status status)
{
	return str_from(status_names[status]);
}

static const char *
open_error(void)
{
	return errno == EPERM ? "must belong to us (or root) and be writable "
				"by its owner only"
			      : strerror(errno);
}

/* The key is posternd's to make: one made later fits nothing that is held. */
static bool
key_existing(
    struct arena *a, int state, struct mac_key *ret, struct str *ret_error)
{
	if (mac_key_read(a, state, KEY_NAME, ret, ret_error))
		return true;
	if (errno == ENOENT)
		*ret_error =
		    STR(KEY_NAME " is not there; put it back, or let posternd "
				 "make a new one at its next start, by which "
				 "what is held now counts as tampered with");
	return false;
}

static bool
open_in(struct arena *a, int state, bool is_existing, struct release *r,
    struct str *ret_error)
{
	if (is_existing ? !key_existing(a, state, &r->key, ret_error)
			: !mac_key_get(a, state, KEY_NAME, &r->key, ret_error))
		return false;
	r->tokens = disk_dir(state, TOKEN_DIR, DISK_MAKE);
	if (r->tokens < 0)
		*ret_error = str_printf(a, TOKEN_DIR ": %s", open_error());
	return r->tokens >= 0;
}

static bool
open_state(struct arena *a, struct str state_dir, bool is_existing,
    struct release **ret, struct str *ret_error)
{
	struct release *r = calloc(1, sizeof(*r));
	if (r == NULL)
		log_fatal("out of memory");
	r->tokens = -1;
	while (state_dir.len > 1 && state_dir.p[state_dir.len - 1] == '/')
		state_dir.len--;
	int state = disk_dir(AT_FDCWD, str_c(a, state_dir), DISK_EXISTING);
	struct str error = str_from(state < 0 ? open_error() : "");
	bool is_open = state >= 0 && open_in(a, state, is_existing, r, &error);
	disk_close(state);
	if (is_open) {
		*ret = r;
		return true;
	}
	*ret_error = str_printf(a, "state directory %.*s: %.*s",
	    STR_ARG(state_dir), STR_ARG(error));
	release_close(r);
	return false;
}

bool
release_open(struct arena *a, struct str state_dir, struct release **ret,
    struct str *ret_error)
{
	return open_state(a, state_dir, false, ret, ret_error);
}

bool
release_open_existing(struct arena *a, struct str state_dir,
    struct release **ret, struct str *ret_error)
{
	return open_state(a, state_dir, true, ret, ret_error);
}

void
release_close(struct release *r)
{
	if (r == NULL)
		return;
	disk_close(r->tokens);
	explicit_bzero(&r->key, sizeof(r->key));
	free(r);
}

const struct mac_key *
release_key(const struct release *r)
{
	return &r->key;
}

/* Bytes that an MTA may add, take or change. */
static bool
is_unbound(char c)
{
	return c == '\0' || c == '!' || char_is_space(c);
}

/* What the MAC binds the field to: see release.h. */
static void
binding_of(struct str body, struct digest *ret)
{
	struct digest_stream *stream = digest_begin();
	char kept[4096];
	size_t n = 0;
	for (size_t i = 0; i < body.len; i++) {
		if (is_unbound(body.p[i]))
			continue;
		kept[n++] = body.p[i];
		if (n == sizeof(kept)) {
			digest_add(stream, str_of(kept, n));
			n = 0;
		}
	}
	digest_add(stream, str_of(kept, n));
	digest_end(stream, ret);
}

/* The fields of a value, as written. */
struct ticket {
	struct str id, nonce, expiry;
	int64_t expiry_wall;
	struct digest mac;
};

static void
ticket_sign(const struct release *r, const struct ticket *ticket,
    struct str body, struct digest *ret)
{
	struct digest binding;
	binding_of(body, &binding);
	struct str pieces[] = {PURPOSE, ticket->id, STR("\n"), ticket->nonce,
	    STR("\n"), ticket->expiry, STR("\n"),
	    str_of((const char *)binding.bytes, sizeof(binding.bytes))};
	mac_of(&r->key, pieces, COUNT_OF(pieces), ret);
}

/* The nonce becomes a file name: letters and digits only. */
static bool
nonce_is_valid(struct str nonce)
{
	if (nonce.len != NONCE_CHARS)
		return false;
	for (size_t i = 0; i < nonce.len; i++)
		if (!char_is_alnum(nonce.p[i]))
			return false;
	return true;
}

static bool
ticket_parse(struct str value, struct ticket *ret)
{
	uint64_t expiry;
	if (value.len > RELEASE_VALUE_MAX || !str_eq(str_word(&value), VERSION))
		return false;
	ret->id = str_word(&value);
	ret->nonce = str_word(&value);
	ret->expiry = str_word(&value);
	if (!held_id_is_valid(ret->id) || !nonce_is_valid(ret->nonce) ||
	    !str_u64(ret->expiry, EXPIRY_MAX, &expiry) ||
	    !digest_parse(str_word(&value), &ret->mac))
		return false;
	ret->expiry_wall = (int64_t)expiry;
	return str_trim(value).len == 0;
}

static enum release_status
token_use(struct release *r, struct arena *a, struct str nonce)
{
	if (unlinkat(r->tokens, str_c(a, nonce), 0) == 0)
		return disk_sync(r->tokens) ? RELEASE_OK : RELEASE_TEMP;
	return errno == ENOENT ? RELEASE_REPLAY : RELEASE_TEMP;
}

enum release_status
release_check(struct release *r, struct arena *a, struct str value,
    struct str body, int64_t now_wall, struct str *ret_id)
{
	struct ticket ticket;
	struct digest mac;
	if (!ticket_parse(value, &ticket))
		return RELEASE_FORGED;
	ticket_sign(r, &ticket, body, &mac);
	if (!digest_equal(&mac, &ticket.mac))
		return RELEASE_FORGED;
	*ret_id = str_dup(a, ticket.id);
	if (now_wall > ticket.expiry_wall)
		return RELEASE_EXPIRED;
	return token_use(r, a, ticket.nonce);
}

/* A token's time of change is when it expires. */
static bool
token_write(int fd, struct str id, int64_t expiry_wall)
{
	struct timespec times[2] = {
	    {.tv_sec = expiry_wall}, {.tv_sec = expiry_wall}};
	return disk_write(fd, id) && disk_write(fd, STR("\n")) &&
	       futimens(fd, times) == 0 && disk_sync(fd);
}

static bool
token_make(
    struct release *r, const char *nonce, struct str id, int64_t expiry_wall)
{
	int fd = disk_create(r->tokens, nonce);
	if (fd < 0)
		return false;
	bool is_made = token_write(fd, id, expiry_wall) && disk_sync(r->tokens);
	int saved = errno;
	disk_close(fd);
	if (!is_made)
		(void)unlinkat(r->tokens, nonce, 0);
	errno = saved;
	return is_made;
}

bool
release_issue(struct release *r, struct arena *a, struct str id,
    struct str body, int64_t expiry_wall, struct release_token *ret)
{
	struct digest mac;
	struct ticket ticket = {
	    .id = id,
	    .nonce = random_word(a, NONCE_CHARS),
	    .expiry = str_printf(a, "%lld", (long long)expiry_wall),
	};
	if (!held_id_is_valid(id) || expiry_wall < 0 ||
	    expiry_wall > EXPIRY_MAX) {
		errno = EINVAL;
		return false;
	}
	if (!token_make(r, str_c(a, ticket.nonce), id, expiry_wall))
		return false;
	ticket_sign(r, &ticket, body, &mac);
	ret->nonce = ticket.nonce;
	ret->value = str_printf(a, "v1 %.*s %.*s %.*s %.*s", STR_ARG(id),
	    STR_ARG(ticket.nonce), STR_ARG(ticket.expiry),
	    STR_ARG(digest_hex(a, &mac)));
	return true;
}

bool
release_is_open(struct release *r, const struct release_token *token)
{
	char name[NONCE_CHARS + 1];
	struct stat st;
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(token->nonce));
	return fstatat(r->tokens, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
release_revoke(struct release *r, const struct release_token *token)
{
	char name[NONCE_CHARS + 1];
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(token->nonce));
	return unlinkat(r->tokens, name, 0) == 0;
}

static bool
token_is_stale(int dir, const char *name, int64_t now_wall)
{
	struct stat st;
	return nonce_is_valid(str_from(name)) &&
	       fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (int64_t)st.st_mtime < now_wall;
}

size_t
release_tidy(struct release *r, int64_t now_wall)
{
	int fd = openat(r->tokens, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;
	if (dir == NULL) {
		disk_close(fd);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL)
		if (token_is_stale(r->tokens, entry->d_name, now_wall) &&
		    unlinkat(r->tokens, entry->d_name, 0) == 0)
			n++;
	(void)closedir(dir);
	return n;
}

/*
 * What an MTA took for a field: Postfix wants printable ASCII before the colon
 * (RFC 5322 section 2.2), Sendmail anything but blanks.
 */
static bool
is_field(struct str line)
{
	size_t colon = str_chr(line, ':');
	if (colon == STR_NONE)
		return false;
	struct str name = str_sub(line, 0, colon);
	while (name.len > 0 && char_is_blank(name.p[name.len - 1]))
		name.len--;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.p[i] <= ' ')
			return false;
	return name.len > 0;
}

struct str
release_body(struct str raw)
{
	struct str rest = raw;
	bool is_first = true;
	while (rest.len > 0) {
		struct str before = rest;
		struct str line = str_line(&rest);
		if (str_eq(line, STR("")) || str_eq(line, STR("\r")))
			return rest;
		bool is_continued = !is_first && char_is_blank(line.p[0]);
		if (!is_continued && !is_field(line))
			return before;
		is_first = false;
	}
	return rest;
}
