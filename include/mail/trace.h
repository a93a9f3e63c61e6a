/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace -- the Received field that our own MTA puts on top of a message: a
 * milter does not see it, and rules expect it.
 */
#ifndef MAIL_TRACE_H
#define MAIL_TRACE_H

#include "mail/envelope.h"

struct arena;

/*
 * What stands behind "Received:", with the leading blank, folds and the last
 * \n, as Postfix 3.7 (smtpd, pickup, bounce) or Sendmail 8.17 writes it without
 * options that add to it.  What a client said is made harmless, as they do.
 * Empty: the envelope does not say who takes the message over, or from whom.
 */
struct str trace_field(struct arena *a, const struct envelope *envelope);

#endif
