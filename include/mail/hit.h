/* SPDX-License-Identifier: BSD-2-Clause */
/* hit -- a rule that hit a message, as it is kept and remembered.  How rules
 * are run is rules/'s. */
#ifndef MAIL_HIT_H
#define MAIL_HIT_H

#include "base/str.h"

struct mail_hit {
	struct str rule;
	double score; /* as it was at that time */
	unsigned count;
	struct str evidence;
};

#endif
