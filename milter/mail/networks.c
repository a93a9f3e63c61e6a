/* SPDX-License-Identifier: BSD-2-Clause */
/* networks -- sets of networks as SpamAssassin's NetSet.pm reads them. */
#include "mail/networks.h"

#include "base/arena.h"
#include "base/ip.h"
#include "mail/scan.h"

#define BITS_V4 32
#define BITS_MAPPED 96 /* in front of the IPv4 address */

static void
key_v4(const uint8_t quad[4], uint8_t ret[16])
{
	memset(ret, 0, 10);
	ret[10] = ret[11] = 0xff;
	memcpy(ret + 12, quad, 4);
}

/* One to four numbers up to 255, zeros in front allowed; the rest is 0. */
static bool
quad_read(struct str text, uint8_t ret[4], unsigned *ret_n)
{
	unsigned n = 0;
	memset(ret, 0, 4);
	while (text.len > 0) {
		struct str digits = str_cut(&text, '.');
		uint64_t number;
		if (n == 4 || !str_u64(digits, 255, &number))
			return false;
		ret[n++] = (uint8_t)number;
	}
	*ret_n = n;
	return n > 0;
}

/* "255.240.0.0": 12. */
static bool
mask_read(struct str text, unsigned *ret)
{
	uint8_t quad[4];
	unsigned n;
	if (!quad_read(text, quad, &n) || n != 4)
		return false;
	uint32_t mask = (uint32_t)quad[0] << 24 | (uint32_t)quad[1] << 16 |
			(uint32_t)quad[2] << 8 | quad[3];
	unsigned bits = (unsigned)__builtin_popcount(mask);
	*ret = bits;
	return bits == 0 ? mask == 0 : mask == UINT32_MAX << (BITS_V4 - bits);
}

static bool
is_v4_word(struct str text)
{
	size_t n = scan_digits(text, 0);
	return n > 0 && (n == text.len || text.p[n] == '.');
}

/* "10." and "10.0.0.0" are networks; a dot behind the fourth is not. */
static bool
v4_read(
    struct str text, struct str length, bool has_length, struct network *ret)
{
	uint8_t quad[4];
	unsigned n;
	uint64_t bits;
	if (!quad_read(text, quad, &n) || (n == 4 && str_ends(text, STR("."))))
		return false;
	ret->bits = 8 * n;
	if (has_length && str_chr(length, '.') != STR_NONE) {
		if (!mask_read(length, &ret->bits))
			return false;
	} else if (has_length) {
		if (!str_u64(length, BITS_V4, &bits))
			return false;
		ret->bits = (unsigned)bits;
	}
	ret->bits += BITS_MAPPED;
	key_v4(quad, ret->b);
	return true;
}

static bool
key_of(struct str text, uint8_t ret[16])
{
	struct ip ip;
	if (!ip_parse(text, &ip))
		return false;
	if (ip.is_v6)
		memcpy(ret, ip.b, 16);
	else
		key_v4(ip.b, ret);
	return true;
}

static bool
v6_read(
    struct str text, struct str length, bool has_length, struct network *ret)
{
	uint64_t bits = 128;
	if (str_chr(text, ':') == STR_NONE || !key_of(text, ret->b) ||
	    (has_length && !str_u64(length, 128, &bits)))
		return false;
	ret->bits = (unsigned)bits;
	return true;
}

bool
network_set_add(struct arena *a, struct network_set *set, struct str word)
{
	struct network network = {.is_excluded = str_starts(word, STR("!"))};
	struct str length = str_skip(word, network.is_excluded);
	network.text = length;
	size_t slash = str_chr(length, '/');
	struct str text = str_cut(&length, '/');
	bool has_length = slash != STR_NONE;
	if (str_starts(text, STR("[")) && str_ends(text, STR("]")))
		text = str_sub(text, 1, text.len - 2);
	text = str_sub(text, 0, str_chr(text, '%')); /* RFC 4007: the zone */
	bool is_good = is_v4_word(text)
			   ? v4_read(text, length, has_length, &network)
			   : v6_read(text, length, has_length, &network);
	if (is_good)
		ARENA_PUSH(a, set) = network;
	return is_good;
}

static bool
is_in(const struct network *network, const uint8_t key[16])
{
	unsigned bytes = network->bits / 8, rest = network->bits % 8;
	if (memcmp(network->b, key, bytes) != 0)
		return false;
	return rest == 0 || (network->b[bytes] ^ key[bytes]) >> (8 - rest) == 0;
}

bool
network_set_has(const struct network_set *set, struct str ip)
{
	uint8_t key[16];
	if (set->n == 0 || !key_of(ip, key))
		return false;
	for (size_t i = 0; i < set->n; i++)
		if (is_in(&set->v[i], key))
			return !set->v[i].is_excluded;
	return false;
}

const struct network *
network_set_find(const struct network_set *set, const struct network *network)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].bits <= network->bits &&
		    is_in(&set->v[i], network->b))
			return &set->v[i];
	return NULL;
}

bool
network_set_covers(const struct network_set *set, const struct network *network)
{
	const struct network *first = network_set_find(set, network);
	return first != NULL && !first->is_excluded;
}
