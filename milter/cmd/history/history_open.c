/* SPDX-License-Identifier: BSD-2-Clause */
/* history_open -- what the commands share that read the history. */
#include "cmd/history/history_open.h"

#include "base/arena.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/memory_open.h"

/* Without a key seals are not checked. */
static void
key_open(struct arena *a, struct history_desk *desk)
{
	struct str why;
	if (release_open_existing(
		a, desk->config.state_dir, &desk->release, &why))
		desk->key = release_key(desk->release);
}

bool
history_desk_open(struct arena *a, struct history_desk *ret, int *ret_exit)
{
	*ret = (struct history_desk){0};
	cmd_config_load(a, &ret->config);
	key_open(a, ret);
	ret->reader = memory_open_in(a, &ret->config, ret_exit);
	if (ret->reader != NULL && ret->config.history_days == 0)
		log_warning("history-days is 0: nothing new is kept");
	return ret->reader != NULL;
}

void
history_desk_close(struct history_desk *desk)
{
	memory_read_close(desk->reader);
	release_close(desk->release);
}
