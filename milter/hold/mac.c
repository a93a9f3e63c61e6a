/* SPDX-License-Identifier: BSD-2-Clause */
/* mac -- digests and the key; the only file that names OpenSSL. */
#include "hold/mac.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "hold/disk.h"

static const char alphabet[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define ALPHABET_SIZE (sizeof(alphabet) - 1)

/* libcrypto without SHA-256 is a broken installation. */
static void
must(int is_fine)
{
	if (is_fine != 1)
		log_fatal("libcrypto: SHA-256 or HMAC does not work");
}

struct digest_stream *
digest_begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	must(ctx != NULL);
	must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
	return (struct digest_stream *)ctx;
}

void
digest_add(struct digest_stream *stream, struct str bytes)
{
	must(EVP_DigestUpdate((EVP_MD_CTX *)stream, bytes.p, bytes.len));
}

void
digest_end(struct digest_stream *stream, struct digest *ret)
{
	must(EVP_DigestFinal_ex((EVP_MD_CTX *)stream, ret->bytes, NULL));
	EVP_MD_CTX_free((EVP_MD_CTX *)stream);
}

void
digest_of(struct str bytes, struct digest *ret)
{
	struct digest_stream *stream = digest_begin();
	digest_add(stream, bytes);
	digest_end(stream, ret);
}

void
mac_of(const struct mac_key *key, const struct str *pieces, size_t n,
    struct digest *ret)
{
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
	    OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	must(mac != NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	must(ctx != NULL);
	must(EVP_MAC_init(ctx, key->bytes, sizeof(key->bytes), params));
	for (size_t i = 0; i < n; i++)
		must(EVP_MAC_update(
		    ctx, (const unsigned char *)pieces[i].p, pieces[i].len));
	size_t len;
	must(EVP_MAC_final(ctx, ret->bytes, &len, sizeof(ret->bytes)));
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct str
digest_hex(struct arena *a, const struct digest *digest)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = arena_alloc(a, (size_t)DIGEST_BYTES * 2);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[i * 2] = digits[digest->bytes[i] >> 4];
		hex[i * 2 + 1] = digits[digest->bytes[i] & 15];
	}
	return str_of(hex, (size_t)DIGEST_BYTES * 2);
}

bool
digest_parse(struct str hex, struct digest *ret)
{
	struct digest digest;
	if (hex.len != (size_t)DIGEST_BYTES * 2)
		return false;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = char_hex(hex.p[i * 2]);
		int low = char_hex(hex.p[i * 2 + 1]);
		if (high < 0 || low < 0)
			return false;
		digest.bytes[i] = (unsigned char)(high << 4 | low);
	}
	*ret = digest;
	return true;
}

static void
random_fill(unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR)
			log_fatal("no random bytes: %s", strerror(errno));
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

struct str
random_word(struct arena *a, size_t n)
{
	char *word = arena_alloc(a, n);
	unsigned char some[64]; /* asked for at once: a call each is dear */
	size_t left = 0;
	for (size_t i = 0; i < n;) {
		if (left == 0)
			random_fill(some, left = sizeof(some));
		unsigned char c = some[--left];
		if (c < 256 / ALPHABET_SIZE * ALPHABET_SIZE)
			word[i++] = alphabet[c % ALPHABET_SIZE];
	}
	return str_of(word, n);
}

static bool
why(struct arena *a, const char *name, const char *what, struct str *ret_why)
{
	*ret_why = str_printf(a, "%s: %s", name, what);
	return false;
}

/* Who may have made a key that we trust. */
static bool
is_trusted_file(int dir, int fd)
{
	struct stat file, parent;
	if (fstat(fd, &file) != 0 || fstat(dir, &parent) != 0)
		return false;
	bool is_owner_fine = file.st_uid == geteuid() || file.st_uid == 0 ||
			     (geteuid() == 0 && file.st_uid == parent.st_uid);
	return is_owner_fine && (file.st_mode & 077) == 0;
}

bool
mac_key_read(struct arena *a, int dir, const char *name, struct mac_key *ret,
    struct str *ret_why)
{
	int fd = disk_open(dir, name);
	if (fd < 0) {
		int saved = errno;
		(void)why(a, name, strerror(saved), ret_why);
		errno = saved;
		return false;
	}
	struct buf *b = buf_new(a, MAC_KEY_BYTES + 1);
	bool is_trusted = is_trusted_file(dir, fd);
	bool is_read = file_read(fd, MAC_KEY_BYTES + 1, b);
	disk_close(fd);
	if (!is_trusted)
		return why(a, name, "must belong to us or root, with mode 0600",
		    ret_why);
	if (!is_read)
		return why(a, name, strerror(errno), ret_why);
	if (b->len != MAC_KEY_BYTES)
		return why(a, name, "is not a key of 32 bytes", ret_why);
	memcpy(ret->bytes, b->p, MAC_KEY_BYTES);
	explicit_bzero(b->p, b->len);
	return true;
}

/* A key comes into being whole: written aside, then linked to its name. */
static bool
key_make(struct arena *a, int dir, const char *name)
{
	struct mac_key key;
	random_fill(key.bytes, sizeof(key.bytes));
	char *aside = str_c(
	    a, str_printf(a, "%s.%.*s", name, STR_ARG(random_word(a, 12))));
	int fd = disk_create(dir, aside);
	if (fd < 0)
		return false;
	bool is_made =
	    disk_write(fd, str_of((const char *)key.bytes, MAC_KEY_BYTES)) &&
	    disk_sync(fd) &&
	    (linkat(dir, aside, dir, name, 0) == 0 || errno == EEXIST) &&
	    disk_sync(dir);
	explicit_bzero(&key, sizeof(key));
	disk_close(fd);
	int saved = errno;
	(void)unlinkat(dir, aside, 0);
	errno = saved;
	return is_made;
}

bool
mac_key_get(struct arena *a, int dir, const char *name, struct mac_key *ret,
    struct str *ret_why)
{
	struct stat st;
	bool is_there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!is_there && errno != ENOENT)
		return why(a, name, strerror(errno), ret_why);
	if (!is_there && !key_make(a, dir, name))
		return why(a, name, strerror(errno), ret_why);
	return mac_key_read(a, dir, name, ret, ret_why);
}
