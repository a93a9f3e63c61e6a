/* SPDX-License-Identifier: BSD-2-Clause */
/* egress -- the addresses our mail leaves from. */
#include "auth/egress.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "base/arena.h"
#include "base/ip.h"
#include "base/network.h"

/* RFC 6890 and what came after it. */
static const char *const special[] = {"0.0.0.0/8", "10.0.0.0/8",
    "100.64.0.0/10", /* RFC 6598 */
    "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", /* RFC 5737 */
    "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/3", /* multicast, reserved */
    "::/96", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", /* RFC 3849 */
    "3fff::/20",                                            /* RFC 9637 */
    "fc00::/7",                                             /* RFC 4193 */
    "fe80::/9", /* link-local, site-local */
    "ff00::/8"};

bool
address_is_public(struct str address)
{
	struct str networks[COUNT_OF(special)];
	for (size_t i = 0; i < COUNT_OF(special); i++)
		networks[i] = str_from(special[i]);
	struct strs list = {networks, COUNT_OF(special), COUNT_OF(special)};
	return !network_has(&list, address);
}

static void
add(struct arena *a, struct strs *list, struct str address)
{
	if (!strs_has(list, address))
		strs_add(a, list, address);
}

/* Empty: no address of the Internet. */
static struct str
interface_address(struct arena *a, const struct ifaddrs *interface)
{
	const void *raw = interface->ifa_addr;
	if (raw == NULL || (interface->ifa_flags & IFF_UP) == 0)
		return STR_EMPTY;
	const struct sockaddr_in *v4 = raw;
	const struct sockaddr_in6 *v6 = raw;
	struct str bytes = STR_EMPTY;
	if (interface->ifa_addr->sa_family == AF_INET)
		bytes = str_of((const char *)&v4->sin_addr, 4);
	else if (interface->ifa_addr->sa_family == AF_INET6)
		bytes = str_of((const char *)&v6->sin6_addr, 16);
	struct ip ip;
	return ip_from_bytes(bytes, &ip) ? ip_text(a, &ip) : STR_EMPTY;
}

static void
interfaces_read(struct arena *a, struct strs *ret)
{
	struct ifaddrs *all;
	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct str address = interface_address(a, i);
		if (address.len > 0 && address_is_public(address))
			add(a, ret, address);
	}
	freeifaddrs(all);
}

void
egress_read(struct arena *a, const struct strs *value,
    const struct option_place *option, struct diags *diags, struct strs *ret)
{
	*ret = (struct strs){0};
	if (value->n == 1 && str_eq(value->v[0], STR("auto"))) {
		interfaces_read(a, ret);
		return;
	}
	for (size_t i = 0; i < value->n; i++) {
		struct ip ip;
		if (ip_parse(value->v[i], &ip))
			add(a, ret, ip_text(a, &ip));
		else
			option_complain(diags, DIAG_ERROR, option, i,
			    "\"%.*s\" is not an address", STR_ARG(value->v[i]));
	}
}
