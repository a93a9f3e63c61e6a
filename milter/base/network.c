/* SPDX-License-Identifier: BSD-2-Clause */
/* network -- lists of addresses and CIDR blocks. */
#include "base/network.h"

#include "base/ip.h"

/* ::ffff:0:0/96, where IPv6 has IPv4 (RFC 4291 section 2.5.5.2). */
#define MAPPED_BITS 96

/* RFC 5321 section 4.1.3 writes IPv6 so; MTAs tell it so in macros. */
static bool
address_parse(struct str text, struct ip *ret)
{
	if (str_istarts(text, STR("IPv6:")))
		text = str_skip(text, 5);
	return ip_parse(text, ret);
}

static bool
block_parse(struct str text, struct ip_block *ret)
{
	struct str prefix = text;
	struct str address = str_cut(&prefix, '/');
	if (!address_parse(address, &ret->ip))
		return false;
	bool is_mapped = !ret->ip.is_v6 && str_chr(address, ':') != STR_NONE;
	uint64_t bits = ip_bits(&ret->ip) + (is_mapped ? MAPPED_BITS : 0);
	if (address.len < text.len && !str_u64(prefix, bits, &bits))
		return false;
	if (is_mapped)
		bits = bits > MAPPED_BITS ? bits - MAPPED_BITS : 0;
	ret->bits = (unsigned)bits;
	return true;
}

bool
network_is_valid(struct str network)
{
	struct ip_block block;
	return block_parse(network, &block);
}

/* A block of IPv6 that is as wide as ::/0 has all of IPv4. */
static bool
block_has(const struct ip_block *block, const struct ip *ip)
{
	if (ip->is_v6 || !block->ip.is_v6)
		return ip_is_within(ip, block);
	struct ip mapped = {.is_v6 = true, .b = {[10] = 0xff, [11] = 0xff}};
	memcpy(mapped.b + 12, ip->b, 4);
	return ip_is_within(&mapped, block);
}

bool
network_has(const struct strs *networks, struct str address)
{
	struct ip ip;
	struct ip_block block;
	if (!address_parse(address, &ip))
		return false;
	for (size_t i = 0; i < networks->n; i++)
		if (block_parse(networks->v[i], &block) &&
		    block_has(&block, &ip))
			return true;
	return false;
}

bool
network_is_loopback(struct str address)
{
	static struct str blocks[] = {{"127.0.0.0/8", 11}, {"::1/128", 7}};
	static const struct strs loopback = {blocks, 2, 2};
	return network_has(&loopback, address);
}
