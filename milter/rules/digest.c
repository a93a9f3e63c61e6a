/* SPDX-License-Identifier: BSD-2-Clause */
/* digest -- SHA-256 and Keccak-256, for texts as short as a wallet address. */
#include "rules/digest.h"

/* First 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t SHA256_ROUND[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
    0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
    0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
    0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee,
    0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

#define SHA256_BLOCK 64

static uint32_t
rotate_right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t
big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
sha256_schedule(const uint8_t block[SHA256_BLOCK], uint32_t w[64])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = big_endian(block + 4 * i);
	for (size_t i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] +
		       (rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3) +
		       (rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10);
	}
}

static void
sha256_block(uint32_t h[8], const uint8_t block[SHA256_BLOCK])
{
	uint32_t w[64], s[8];
	sha256_schedule(block, w);
	memcpy(s, h, sizeof(s));
	for (size_t i = 0; i < 64; i++) {
		uint32_t big1 = rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^
				rotate_right(s[4], 25);
		uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
		uint32_t t1 = s[7] + big1 + choice + SHA256_ROUND[i] + w[i];
		uint32_t big0 = rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^
				rotate_right(s[0], 22);
		uint32_t most = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += t1;
		s[0] = t1 + big0 + most;
	}
	for (size_t i = 0; i < 8; i++)
		h[i] += s[i];
}

/* The blocks behind the last whole one: 0x80, zeros, length in bits. */
static size_t
sha256_tail(struct str text, uint8_t tail[2 * SHA256_BLOCK])
{
	size_t rest = text.len % SHA256_BLOCK;
	size_t len = rest < 56 ? SHA256_BLOCK : 2 * SHA256_BLOCK;
	memset(tail, 0, len);
	memcpy(tail, text.p + text.len - rest, rest);
	tail[rest] = 0x80;
	uint64_t bits = (uint64_t)text.len * 8;
	for (size_t i = 0; i < 8; i++)
		tail[len - 1 - i] = (uint8_t)(bits >> (8 * i));
	return len;
}

void
sha256(struct str text, uint8_t ret[DIGEST_BYTES])
{
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	for (size_t at = 0; text.len - at >= SHA256_BLOCK; at += SHA256_BLOCK)
		sha256_block(h, (const uint8_t *)text.p + at);
	uint8_t tail[2 * SHA256_BLOCK];
	size_t len = sha256_tail(text, tail);
	for (size_t at = 0; at < len; at += SHA256_BLOCK)
		sha256_block(h, tail + at);
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static const uint64_t KECCAK_ROUND[24] = {0x0000000000000001,
    0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081,
    0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b,
    0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a,
    0x800000008000000a, 0x8000000080008081, 0x8000000000008080,
    0x0000000080000001, 0x8000000080008008};
/* The walk of rho and pi over the lanes, and how far each is rotated. */
static const uint8_t KECCAK_LANE[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24,
    4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};
static const uint8_t KECCAK_ROTATE[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55,
    2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t
rotate_left(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
keccak_theta(uint64_t s[25])
{
	uint64_t column[5];
	for (size_t x = 0; x < 5; x++)
		column[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
	for (size_t x = 0; x < 5; x++) {
		uint64_t d =
		    column[(x + 4) % 5] ^ rotate_left(column[(x + 1) % 5], 1);
		for (size_t y = 0; y < 25; y += 5)
			s[x + y] ^= d;
	}
}

static void
keccak_chi(uint64_t s[25])
{
	for (size_t y = 0; y < 25; y += 5) {
		uint64_t row[5];
		memcpy(row, s + y, sizeof(row));
		for (size_t x = 0; x < 5; x++)
			s[y + x] =
			    row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
	}
}

static void
keccak_permute(uint64_t s[25])
{
	for (size_t round = 0; round < 24; round++) {
		keccak_theta(s);
		uint64_t moved = s[1];
		for (size_t i = 0; i < 24; i++) {
			uint64_t next = s[KECCAK_LANE[i]];
			s[KECCAK_LANE[i]] =
			    rotate_left(moved, KECCAK_ROTATE[i]);
			moved = next;
		}
		keccak_chi(s);
		s[0] ^= KECCAK_ROUND[round];
	}
}

#define KECCAK_RATE 136 /* bytes a permutation takes in, for 256 bits out */

static void
keccak_absorb(uint64_t s[25], const uint8_t block[KECCAK_RATE])
{
	for (size_t i = 0; i < KECCAK_RATE; i++)
		s[i / 8] ^= (uint64_t)block[i] << (8 * (i % 8));
	keccak_permute(s);
}

void
keccak256(struct str text, uint8_t ret[DIGEST_BYTES])
{
	uint64_t s[25] = {0};
	size_t at = 0;
	for (; text.len - at >= KECCAK_RATE; at += KECCAK_RATE)
		keccak_absorb(s, (const uint8_t *)text.p + at);
	uint8_t last[KECCAK_RATE] = {0};
	memcpy(last, text.p + at, text.len - at);
	last[text.len - at] = 0x01;
	last[KECCAK_RATE - 1] |= 0x80;
	keccak_absorb(s, last);
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		ret[i] = (uint8_t)(s[i / 8] >> (8 * (i % 8)));
}
