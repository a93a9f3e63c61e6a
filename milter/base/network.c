/* SPDX-License-Identifier: BSD-2-Clause */
/* network -- addresses and CIDR blocks. */
#include "base/network.h"

#include <arpa/inet.h>

#include "base/arena.h"

/* Every address is 128 bits; IPv4 is ::ffff:a.b.c.d. */
struct block {
	unsigned char bits[16];
	unsigned prefix;
};

static const unsigned char v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool
address_parse(struct str text, struct block *ret)
{
	char c_text[INET6_ADDRSTRLEN + 1];
	if (str_istarts(text, STR("IPv6:")))
		text = str_skip(text, 5);
	if (text.len == 0 || text.len >= sizeof(c_text))
		return false;
	memcpy(c_text, text.p, text.len);
	c_text[text.len] = '\0';
	if (inet_pton(AF_INET, c_text, ret->bits + 12) == 1) {
		memcpy(ret->bits, v4_mapped, sizeof(v4_mapped));
		return true;
	}
	return inet_pton(AF_INET6, c_text, ret->bits) == 1;
}

struct str
address_canonical(struct arena *a, struct str address)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct block block;
	if (!address_parse(address, &block))
		return STR_EMPTY;
	bool is_v4 = memcmp(block.bits, v4_mapped, sizeof(v4_mapped)) == 0;
	if (is_v4)
		(void)inet_ntop(AF_INET, block.bits + 12, text, sizeof(text));
	else
		(void)inet_ntop(AF_INET6, block.bits, text, sizeof(text));
	return str_dup(a, str_from(text));
}

static bool
block_parse(struct str text, struct block *ret)
{
	struct str prefix = text;
	struct str address = str_cut(&prefix, '/');
	if (!address_parse(address, ret))
		return false;
	bool is_v4 = str_chr(address, ':') == STR_NONE;
	uint64_t bits = is_v4 ? 32 : 128;
	if (address.len < text.len && !str_u64(prefix, bits, &bits))
		return false;
	ret->prefix = (unsigned)bits + (is_v4 ? 96 : 0);
	return true;
}

bool
network_is_valid(struct str network)
{
	struct block block;
	return block_parse(network, &block);
}

static bool
block_has(const struct block *block, const struct block *address)
{
	unsigned whole = block->prefix / 8, rest = block->prefix % 8;
	if (memcmp(block->bits, address->bits, whole) != 0)
		return false;
	unsigned mask = rest == 0 ? 0 : 0xffU << (8 - rest) & 0xff;
	return rest == 0 ||
	       ((block->bits[whole] ^ address->bits[whole]) & mask) == 0;
}

bool
network_has(const struct strs *networks, struct str address)
{
	struct block here, block;
	if (!address_parse(address, &here))
		return false;
	for (size_t i = 0; i < networks->n; i++)
		if (block_parse(networks->v[i], &block) &&
		    block_has(&block, &here))
			return true;
	return false;
}
