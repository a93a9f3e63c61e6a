/* SPDX-License-Identifier: BSD-2-Clause */
/* person -- what the permissions of files allow a user of this host. */
#include "cmd/person.h"

#include <grp.h>
#include <pwd.h>

#include "base/arena.h"

bool
person_find(struct arena *a, struct str name, struct person *ret)
{
	const struct passwd *user = getpwnam(str_c(a, name));
	if (user == NULL)
		return false;
	ret->uid = user->pw_uid;
	ret->ngroups = PERSON_GROUPS;
	if (getgrouplist(
		user->pw_name, user->pw_gid, ret->groups, &ret->ngroups) < 0)
		ret->ngroups = PERSON_GROUPS;
	return true;
}

static bool
is_member(const struct person *p, gid_t group)
{
	for (int i = 0; i < p->ngroups; i++)
		if (p->groups[i] == group)
			return true;
	return false;
}

bool
person_may(const struct person *p, const struct stat *st, unsigned want)
{
	if (p->uid == 0)
		return true;
	unsigned shift = st->st_uid == p->uid       ? 6
			 : is_member(p, st->st_gid) ? 3
						    : 0;
	return ((st->st_mode >> shift) & want) == want;
}

bool
person_reaches(struct arena *a, const struct person *p, struct str root,
    struct str path, struct str *ret_folder)
{
	for (size_t i = root.len + 1; i < path.len; i++) {
		struct stat st;
		if (path.p[i] != '/')
			continue;
		struct str folder = str_sub(path, 0, i);
		if (stat(str_c(a, folder), &st) == 0 && person_may(p, &st, 1))
			continue;
		*ret_folder = folder;
		return false;
	}
	return true;
}
