/* SPDX-License-Identifier: BSD-2-Clause */
/* digest -- hashes that are part of wallet addresses: SHA-256 (FIPS 180-4) and
 * Keccak-256. */
#ifndef RULES_DIGEST_H
#define RULES_DIGEST_H

#include "base/str.h"

#define DIGEST_BYTES 32

/* `text` of any length. */
void sha256(struct str text, uint8_t ret[DIGEST_BYTES]);
/* Keccak-256 as Ethereum and Monero use it: padding 0x01, not the 0x06 of
 * SHA-3. */
void keccak256(struct str text, uint8_t ret[DIGEST_BYTES]);

#endif
