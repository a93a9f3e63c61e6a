/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mac -- SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104), and the secret key of
 * this host.  What is signed with it is the caller's affair; each use begins
 * its text with words of its own, so that one cannot be taken for another.
 */
#ifndef HOLD_MAC_H
#define HOLD_MAC_H

#include "base/str.h"

struct arena;

#define DIGEST_BYTES 32
#define MAC_KEY_BYTES 32

struct digest {
	unsigned char bytes[DIGEST_BYTES];
};

struct mac_key {
	unsigned char bytes[MAC_KEY_BYTES];
};

/* SHA-256 of bytes that come in pieces: new, add..., end (which frees it). */
struct digest_stream;
struct digest_stream *digest_begin(void);
void digest_add(struct digest_stream *stream, struct str bytes);
void digest_end(struct digest_stream *stream, struct digest *ret);

void digest_of(struct str bytes, struct digest *ret);
/* HMAC-SHA256 of the `n` pieces, one behind the other. */
void mac_of(const struct mac_key *key, const struct str *pieces, size_t n,
    struct digest *ret);

/* In a time that does not depend on where they differ. */
bool digest_equal(const struct digest *a, const struct digest *b);
/* 64 digits of lower-case hexadecimal, and back. */
struct str digest_hex(struct arena *a, const struct digest *digest);
MUST_CHECK bool digest_parse(struct str hex, struct digest *ret);

/* `n` letters and digits that nobody can guess: 5.95 bits each. */
struct str random_word(struct arena *a, size_t n);

/*
 * Read the key `name` in directory `dir`.  It must be a regular file of 32
 * bytes, mode 0600 or less, of our own, root's or the directory's owner.
 * False: `*ret_why`; errno is ENOENT if there is none.
 */
MUST_CHECK bool mac_key_read(struct arena *a, int dir, const char *name,
    struct mac_key *ret, struct str *ret_why);
/* The same; without one, make it of random bytes (one maker wins). */
MUST_CHECK bool mac_key_get(struct arena *a, int dir, const char *name,
    struct mac_key *ret, struct str *ret_why);

#endif
