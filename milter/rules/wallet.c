/* SPDX-License-Identifier: BSD-2-Clause */
/* wallet -- base58check, bech32 and EIP-55, checked but not interpreted. */
#include "rules/wallet.h"

#include "rules/digest.h"

#define WORD_MIN 25
#define WORD_MAX 106 /* the longest is Monero's integrated address */

static const struct coin {
	const char *name;
	unsigned coin;
	const char *bech32; /* human-readable part; NULL: none */
	uint8_t
	    versions[3]; /* base58check version bytes, the last one repeated */
	bool has_base58;
} COINS[] = {
    {"btc", WALLET_BTC, "bc", {0x00, 0x05, 0x05}, true},
    {"ltc", WALLET_LTC, "ltc", {0x30, 0x32, 0x32}, true},
    {"doge", WALLET_DOGE, NULL, {0x1e, 0x16, 0x16}, true},
    {"trx", WALLET_TRX, NULL, {0x41, 0x41, 0x41}, true},
    {"eth", WALLET_ETH, NULL, {0}, false},
    {"xmr", WALLET_XMR, NULL, {0}, false},
    {"any", WALLET_ANY, NULL, {0}, false},
};

unsigned
wallet_coin_parse(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(COINS); i++)
		if (str_ieq(name, str_from(COINS[i].name)))
			return COINS[i].coin;
	return 0;
}

/* Value of a base58 digit, or -1. */
static int
base58_digit(char c)
{
	static const char ALPHABET[] =
	    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	const char *at = c == '\0' ? NULL : strchr(ALPHABET, c);
	return at == NULL ? -1 : (int)(at - ALPHABET);
}

/* `text` as a big-endian number of exactly `size` bytes; false: it is not. */
static bool
base58_decode(struct str text, uint8_t *ret, size_t size)
{
	memset(ret, 0, size);
	for (size_t i = 0; i < text.len; i++) {
		int digit = base58_digit(text.p[i]);
		if (digit < 0)
			return false;
		unsigned carry = (unsigned)digit;
		for (size_t j = size; j-- > 0;) {
			carry += 58U * ret[j];
			ret[j] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry != 0)
			return false;
	}
	return true;
}

#define BASE58CHECK_BYTES 25 /* version, hash of 20, checksum of 4 */

static unsigned
base58check_coin(struct str word)
{
	uint8_t bytes[BASE58CHECK_BYTES], digest[DIGEST_BYTES];
	if (word.len > 35 || !base58_decode(word, bytes, sizeof(bytes)))
		return 0;
	/* Zero bytes in front are written as that many "1", no more. */
	size_t ones = 0, zeros = 0;
	while (ones < word.len && word.p[ones] == '1')
		ones++;
	while (zeros < sizeof(bytes) && bytes[zeros] == 0)
		zeros++;
	if (ones != zeros)
		return 0;
	sha256(str_of((const char *)bytes, 21), digest);
	sha256(str_of((const char *)digest, sizeof(digest)), digest);
	if (memcmp(digest, bytes + 21, 4) != 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(COINS); i++)
		if (COINS[i].has_base58 &&
		    memchr(COINS[i].versions, bytes[0],
			sizeof(COINS[i].versions)) != NULL)
			return COINS[i].coin;
	return 0;
}

static uint32_t
bech32_step(uint32_t sum, uint32_t value)
{
	static const uint32_t GENERATOR[5] = {
	    0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = sum >> 25;
	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (size_t i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= GENERATOR[i];
	return sum;
}

/* `data` behind the "1": the checksum says bech32 (1) or bech32m (2); 0:
 * neither. */
static int
bech32_kind(const char *prefix, struct str data)
{
	static const char ALPHABET[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	uint32_t sum = 1;
	for (const char *p = prefix; *p != '\0'; p++)
		sum = bech32_step(sum, (uint32_t)*p >> 5);
	sum = bech32_step(sum, 0);
	for (const char *p = prefix; *p != '\0'; p++)
		sum = bech32_step(sum, (uint32_t)*p & 31);
	for (size_t i = 0; i < data.len; i++) {
		char c = char_lower(data.p[i]);
		const char *at = c == '\0' ? NULL : strchr(ALPHABET, c);
		if (at == NULL)
			return 0;
		sum = bech32_step(sum, (uint32_t)(at - ALPHABET));
	}
	return sum == 1 ? 1 : sum == 0x2bc830a3 ? 2 : 0;
}

static bool
is_one_case(struct str word)
{
	bool has_lower = false, has_upper = false;
	for (size_t i = 0; i < word.len; i++) {
		has_lower |= word.p[i] >= 'a' && word.p[i] <= 'z';
		has_upper |= word.p[i] >= 'A' && word.p[i] <= 'Z';
	}
	return !has_lower || !has_upper;
}

static unsigned
bech32_coin(struct str word)
{
	if (word.len > 90 || !is_one_case(word))
		return 0;
	for (size_t i = 0; i < COUNT_OF(COINS); i++) {
		if (COINS[i].bech32 == NULL)
			continue;
		struct str prefix = str_from(COINS[i].bech32);
		if (!str_istarts(word, prefix) || word.p[prefix.len] != '1')
			continue;
		struct str data = str_skip(word, prefix.len + 1);
		/* Version 0 ("q") has the old checksum, the others the new one.
		 */
		int want = char_lower(data.p[0]) == 'q' ? 1 : 2;
		if (bech32_kind(COINS[i].bech32, data) == want)
			return COINS[i].coin;
	}
	return 0;
}

#define ETH_DIGITS 40

static bool
is_hex(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (char_hex(text.p[i]) < 0)
			return false;
	return true;
}

static unsigned
eth_coin(struct str word)
{
	struct str digits = str_skip(word, 2);
	if (digits.len != ETH_DIGITS || !str_istarts(word, STR("0x")) ||
	    !is_hex(digits))
		return 0;
	if (is_one_case(digits))
		return WALLET_ETH;
	char lower[ETH_DIGITS];
	uint8_t digest[DIGEST_BYTES];
	for (size_t i = 0; i < ETH_DIGITS; i++)
		lower[i] = char_lower(digits.p[i]);
	keccak256(str_of(lower, sizeof(lower)), digest);
	for (size_t i = 0; i < ETH_DIGITS; i++) {
		unsigned nibble =
		    i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15;
		bool is_upper = lower[i] != digits.p[i];
		if (!char_is_digit(lower[i]) && is_upper != (nibble >= 8))
			return 0;
	}
	return WALLET_ETH;
}

/* Monero writes blocks of 8 bytes as 11 digits; the last one is shorter. */
static unsigned
xmr_coin(struct str word)
{
	uint8_t bytes[77], digest[DIGEST_BYTES];
	size_t size = word.len == 95 ? 69 : word.len == 106 ? 77 : 0;
	if (size == 0 || (word.p[0] != '4' && word.p[0] != '8'))
		return 0;
	for (size_t at = 0, to = 0; to < size; at += 11, to += 8)
		if (!base58_decode(str_sub(word, at, 11), bytes + to,
			size - to < 8 ? size - to : 8))
			return 0;
	keccak256(str_of((const char *)bytes, size - 4), digest);
	return memcmp(digest, bytes + size - 4, 4) == 0 ? WALLET_XMR : 0;
}

unsigned
wallet_coin_of(struct str word)
{
	static unsigned (*const FORMS[])(struct str) = {
	    base58check_coin, bech32_coin, eth_coin, xmr_coin};
	if (word.len < WORD_MIN || word.len > WORD_MAX)
		return 0;
	for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
		unsigned coin = FORMS[i](word);
		if (coin != 0)
			return coin;
	}
	return 0;
}
