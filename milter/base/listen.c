/* SPDX-License-Identifier: BSD-2-Clause */
/* listen -- sockets of this host to be reached at. */
#include "base/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/ip.h"
#include "base/network.h"

#define BACKLOG 16

/* -1, after `fd` is closed; errno stays. */
static int
give_up(int fd)
{
	int error = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return -1;
}

static bool
local_address(struct str path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (path.len == 0 || path.len >= sizeof(ret->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(ret->sun_path, path.p, path.len);
	return true;
}

/* Another process answers there. */
static bool
is_live(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const void *address = at;
	bool is_live = fd >= 0 && connect(fd, address, sizeof(*at)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return is_live;
}

int
listen_local(struct str path, mode_t mode)
{
	struct sockaddr_un at;
	struct stat st;
	if (!local_address(path, &at))
		return -1;
	if (lstat(at.sun_path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (is_live(&at)) {
			errno = EADDRINUSE;
			return -1;
		}
		(void)unlink(at.sun_path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const void *address = &at;
	mode_t mask = umask(~mode & 0777);
	bool is_good = fd >= 0 && bind(fd, address, sizeof(at)) == 0 &&
		       listen(fd, BACKLOG) == 0;
	(void)umask(mask);
	return is_good ? fd : give_up(fd);
}

/* "127.0.0.1:9797", "[::1]:9797" */
static bool
loopback_parse(struct str at, struct ip *ret_ip, uint16_t *ret_port)
{
	size_t colon = str_rchr(at, ':');
	uint64_t port;
	if (colon == STR_NONE ||
	    !str_u64(str_skip(at, colon + 1), UINT16_MAX, &port) || port == 0)
		return false;
	struct str address = str_sub(at, 0, colon);
	bool has_brackets =
	    str_starts(address, STR("[")) && str_ends(address, STR("]"));
	if (has_brackets)
		address = str_sub(address, 1, address.len - 2);
	*ret_port = (uint16_t)port;
	return ip_parse(address, ret_ip) && ret_ip->is_v6 == has_brackets &&
	       network_is_loopback(address);
}

bool
listen_loopback_is_valid(struct str at)
{
	struct ip ip;
	uint16_t port;
	return loopback_parse(at, &ip, &port);
}

/* Returns the length of the address. */
static socklen_t
loopback_address(const struct ip *ip, uint16_t port, struct sockaddr_in6 *ret)
{
	*ret = (struct sockaddr_in6){
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&ret->sin6_addr, ip->b, 16);
	if (ip->is_v6)
		return sizeof(*ret);
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	memcpy(&v4.sin_addr, ip->b, 4);
	memcpy(ret, &v4, sizeof(v4));
	return sizeof(v4);
}

int
listen_loopback(struct str at)
{
	struct ip ip;
	uint16_t port;
	struct sockaddr_in6 address;
	if (!loopback_parse(at, &ip, &port)) {
		errno = EINVAL;
		return -1;
	}
	socklen_t len = loopback_address(&ip, port, &address);
	const void *to = &address;
	int on = 1;
	int fd = socket(ip.is_v6 ? AF_INET6 : AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bool is_good =
	    fd >= 0 && bind(fd, to, len) == 0 && listen(fd, BACKLOG) == 0;
	return is_good ? fd : give_up(fd);
}
