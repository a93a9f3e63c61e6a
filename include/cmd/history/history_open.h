/* SPDX-License-Identifier: BSD-2-Clause */
/* history_open -- what the commands share that read the history. */
#ifndef CMD_HISTORY_OPEN_H
#define CMD_HISTORY_OPEN_H

#include "hold/release.h"
#include "session/config.h"
#include "state/history.h"

struct history_desk {
	struct config config;
	struct memory_reader *reader; /* NULL: there is none, which is said */
	struct release *release;
	const struct mac_key *key; /* of pseudonyms; NULL: it cannot be read */
};

/*
 * Read the configuration and open what it names.  False: `*ret_exit` is the
 * command's exit code; `config` and `key` are set all the same.
 */
MUST_CHECK bool history_desk_open(
    struct arena *a, struct history_desk *ret, int *ret_exit);
void history_desk_close(struct history_desk *desk);

#endif
