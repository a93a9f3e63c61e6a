/* SPDX-License-Identifier: BSD-2-Clause */
/* ip -- addresses and blocks. */
#include "base/ip.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/buf.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void
ip_unmap(struct ip *ip)
{
	if (!ip->is_v6 || memcmp(ip->b, mapped, sizeof(mapped)) != 0)
		return;
	ip->is_v6 = false;
	memcpy(ip->b, ip->b + 12, 4);
	memset(ip->b + 4, 0, 12);
}

bool
ip_parse(struct str text, struct ip *ret)
{
	char cstr[INET6_ADDRSTRLEN + 1];
	if (text.len == 0 || text.len >= sizeof(cstr) ||
	    str_chr(text, '\0') != STR_NONE)
		return false;
	memcpy(cstr, text.p, text.len);
	cstr[text.len] = '\0';
	struct ip ip = {.is_v6 = str_chr(text, ':') != STR_NONE};
	if (inet_pton(ip.is_v6 ? AF_INET6 : AF_INET, cstr, ip.b) != 1)
		return false;
	ip_unmap(&ip);
	*ret = ip;
	return true;
}

bool
ip_from_bytes(struct str bytes, struct ip *ret)
{
	if (bytes.len != 4 && bytes.len != 16)
		return false;
	*ret = (struct ip){.is_v6 = bytes.len == 16};
	memcpy(ret->b, bytes.p, bytes.len);
	return true;
}

struct str
ip_text(struct arena *a, const struct ip *ip)
{
	char text[INET6_ADDRSTRLEN];
	if (inet_ntop(ip->is_v6 ? AF_INET6 : AF_INET, ip->b, text,
		sizeof(text)) == NULL)
		return STR_EMPTY;
	return str_dup(a, str_from(text));
}

unsigned
ip_bits(const struct ip *ip)
{
	return ip->is_v6 ? 128 : 32;
}

static bool
same_bits(const struct ip *a, const struct ip *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(a->b, b->b, whole) != 0)
		return false;
	return rest == 0 || (a->b[whole] ^ b->b[whole]) >> (8 - rest) == 0;
}

bool
ip_is_within(const struct ip *ip, const struct ip_block *block)
{
	return ip->is_v6 == block->ip.is_v6 &&
	       same_bits(ip, &block->ip, block->bits);
}

void
ip_block_mask(struct ip_block *block)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = block->bits > i * 8 ? block->bits - i * 8 : 0;
		if (keep < 8)
			block->ip.b[i] &= (uint8_t)(0xff00U >> keep);
	}
}

bool
ip_block_covers(const struct ip_block *outer, const struct ip_block *inner)
{
	return inner->bits >= outer->bits && ip_is_within(&inner->ip, outer);
}

struct str
ip_block_text(struct arena *a, const struct ip_block *block)
{
	struct str text = ip_text(a, &block->ip);
	if (block->bits == ip_bits(&block->ip))
		return text;
	return str_printf(a, "%.*s/%u", STR_ARG(text), block->bits);
}

struct str
ip_reverse_name(struct arena *a, const struct ip *ip)
{
	if (!ip->is_v6)
		return str_printf(a, "%u.%u.%u.%u.in-addr.arpa", ip->b[3],
		    ip->b[2], ip->b[1], ip->b[0]);
	struct buf *b = buf_new(a, 80);
	for (int i = 15; i >= 0; i--)
		buf_printf(b, "%x.%x.", ip->b[i] & 0xfU, ip->b[i] >> 4U);
	buf_put(b, STR("ip6.arpa"));
	return buf_str(b);
}
