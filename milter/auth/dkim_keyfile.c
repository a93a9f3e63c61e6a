/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim_keyfile -- files that hold private keys. */
#include "auth/dkim_keyfile.h"

#include <errno.h>
#include <fcntl.h>

#include "auth/dkim_crypto.h"
#include "base/arena.h"
#include "base/log.h"

/* All of it, or false with errno. */
static bool
read_all(int fd, char *p, size_t size, size_t *ret)
{
	size_t len = 0;
	while (len < size) {
		ssize_t n = read(fd, p + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret = len;
	return true;
}

/* The kind is looked at before a byte is read: a FIFO would wait for ever. */
static struct str
read_open(struct arena *a, int fd, size_t max, struct dkim_secret *ret)
{
	if (fstat(fd, &ret->st) != 0)
		return str_printf(a, "%s", strerror(errno));
	if (!S_ISREG(ret->st.st_mode))
		return STR("it is not a regular file");
	if (ret->st.st_size > (off_t)max)
		return str_printf(a, "it has more than %zu bytes", max);
	size_t size = (size_t)ret->st.st_size;
	ret->p = malloc(size + 1);
	if (ret->p == NULL)
		log_fatal("out of memory (%zu bytes)", size);
	return read_all(fd, ret->p, size, &ret->len)
		   ? STR_EMPTY
		   : str_printf(a, "%s", strerror(errno));
}

bool
dkim_secret_read(struct arena *a, struct str path, size_t max,
    struct dkim_secret *ret, struct str *ret_why)
{
	int fd =
	    open(str_c(a, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		*ret_why = str_printf(a, "%s", strerror(errno));
		return false;
	}
	*ret = (struct dkim_secret){.p = NULL, .len = 0};
	struct str why = read_open(a, fd, max, ret);
	(void)close(fd);
	if (why.len == 0)
		return true;
	dkim_secret_done(ret);
	*ret_why = why;
	return false;
}

void
dkim_secret_done(struct dkim_secret *secret)
{
	if (secret->p != NULL)
		dkim_wipe(secret->p, secret->len);
	free(secret->p);
	secret->p = NULL;
}

static bool
is_readable_by(const struct stat *st, uid_t user, gid_t group)
{
	if (user == 0)
		return true;
	if (st->st_uid == user)
		return (st->st_mode & S_IRUSR) != 0;
	return st->st_gid == group && (st->st_mode & S_IRGRP) != 0;
}

struct str
dkim_secret_check(
    struct arena *a, const struct stat *st, uid_t user, gid_t group)
{
	if (st->st_uid != 0 && st->st_uid != user)
		return str_printf(a,
		    "it belongs to uid %u, neither root nor uid %u",
		    (unsigned)st->st_uid, (unsigned)user);
	if ((st->st_mode & (S_IROTH | S_IWOTH)) != 0)
		return STR("others may read or write it (chmod o-rwx)");
	if ((st->st_mode & S_IWGRP) != 0)
		return STR("its group may write it (chmod g-w)");
	bool is_roots = st->st_uid == 0 && st->st_gid == 0;
	if ((st->st_mode & S_IRGRP) != 0 && st->st_gid != group && !is_roots)
		return str_printf(a,
		    "group %u may read it, which is not group %u (chgrp)",
		    (unsigned)st->st_gid, (unsigned)group);
	if (!is_readable_by(st, user, group))
		return str_printf(a,
		    "uid %u cannot read it (chgrp %u, chmod 640)",
		    (unsigned)user, (unsigned)group);
	return STR_EMPTY;
}
