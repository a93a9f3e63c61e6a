/* SPDX-License-Identifier: BSD-2-Clause */
/* person -- a user of this host, and what the permissions of files allow. */
#ifndef CMD_PERSON_H
#define CMD_PERSON_H

#include <sys/stat.h>

#include "base/str.h"

struct arena;

#define PERSON_GROUPS 64

struct person {
	uid_t uid;
	gid_t groups[PERSON_GROUPS];
	int ngroups;
};

/* False: nobody is called `name`. */
MUST_CHECK bool person_find(
    struct arena *a, struct str name, struct person *ret);
/* `want`: of 4 read, 2 write, 1 execute or search, all of these. */
bool person_may(const struct person *p, const struct stat *st, unsigned want);
/*
 * The folders above `path` may be searched, from below `root` (empty: from /)
 * on.  False: the first that may not, or is not there, in `*ret_folder`.
 */
bool person_reaches(struct arena *a, const struct person *p, struct str root,
    struct str path, struct str *ret_folder);

#endif
