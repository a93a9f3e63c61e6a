/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_keyfile -- files that hold private keys: who may read them, and what
 * they say.
 */
#ifndef AUTH_DKIM_KEYFILE_H
#define AUTH_DKIM_KEYFILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/str.h"

struct arena;

/* A file's bytes on the heap, wiped before they go. */
struct dkim_secret {
	char *p;
	size_t len;
	struct stat st;
};
static inline struct str
dkim_secret_str(const struct dkim_secret *secret)
{
	return str_of(secret->p, secret->len);
}

/*
 * Read `path`, a regular file of at most `max` bytes.  False: `*ret_why`, in
 * `a`, without the path.
 */
MUST_CHECK bool dkim_secret_read(struct arena *a, struct str path, size_t max,
    struct dkim_secret *ret, struct str *ret_why);
void dkim_secret_done(struct dkim_secret *secret);

/*
 * May a file like `st` hold a key?  It is root's or `user`'s, `user` can read
 * it, others can neither read nor write it, and a group can only read it, and
 * only if it is `group`, or root's own (0) for a file of root's.  "": fine.
 */
struct str dkim_secret_check(
    struct arena *a, const struct stat *st, uid_t user, gid_t group);

#endif
