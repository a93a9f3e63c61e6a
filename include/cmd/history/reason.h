/* SPDX-License-Identifier: BSD-2-Clause */
/* reason -- the reasons of a verdict (verdict.h, gate.h) in words. */
#ifndef CMD_REASON_H
#define CMD_REASON_H

#include "base/str.h"

struct reason {
	const char *name; /* as the log and the history have it */
	/* What it means, with the option that decides; NULL: it takes the score
	 * to say. */
	const char *words;
	/* Of notices that were discarded: which; NULL: none is for that. */
	const char *discarded;
};

size_t reason_count(void);
const struct reason *reason_at(size_t i);
/* NULL: there is none of that name. */
const struct reason *reason_find(struct str name);

#endif
