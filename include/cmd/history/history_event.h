/* SPDX-License-Identifier: BSD-2-Clause */
/* history_event -- what an operator does to a kept message, for the history. */
#ifndef CMD_HISTORY_EVENT_H
#define CMD_HISTORY_EVENT_H

#include "hold/quarantine.h"
#include "session/config.h"

/*
 * Tell posternd that the kept message `e` was released, ... (chronicle.h) by
 * who runs this.  One that does not answer is not told again, and whoever asks
 * later finds only that the message is not there any more.
 */
void history_event_tell(
    const struct config *config, const struct held_entry *e, const char *verb);

#endif
