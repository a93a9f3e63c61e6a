/* SPDX-License-Identifier: BSD-2-Clause */
/* effort -- ask whether there is time for more. */
#include "mail/effort.h"

bool
effort_ask(struct effort *e)
{
	e->bytes = 0;
	if (!e->is_over && e->is_expired != NULL)
		e->is_over = e->is_expired(e->arg);
	return e->is_over;
}
