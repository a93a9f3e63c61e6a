/* SPDX-License-Identifier: BSD-2-Clause */
/* wallet -- addresses of coins that are right to the last digit: their checksum
 * says so. */
#ifndef RULES_WALLET_H
#define RULES_WALLET_H

#include "base/str.h"

enum wallet_coin {
	WALLET_BTC =
	    1 << 0, /* base58check; bech32 (BIP 173), bech32m (BIP 350) */
	WALLET_LTC = 1 << 1,
	WALLET_DOGE = 1 << 2,
	WALLET_TRX = 1 << 3, /* Tron: where USDT lives */
	WALLET_ETH =
	    1 << 4, /* EIP-55; written in one case it has no checksum */
	WALLET_XMR = 1 << 5,
	WALLET_ANY = (1 << 6) - 1
};

/* "btc", "eth", ..., "any"; 0: no such coin. */
unsigned wallet_coin_parse(struct str name);
/* The coin whose address `word` is, or 0.  Any bytes; long words cost nothing.
 */
unsigned wallet_coin_of(struct str word);

#endif
