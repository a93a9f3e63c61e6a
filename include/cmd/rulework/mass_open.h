/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_open -- the log that a command is to read. */
#ifndef CMD_MASS_OPEN_H
#define CMD_MASS_OPEN_H

#include "cmd/rulework/mass_log.h"
#include "cmd/ui.h"

/*
 * Read the log `path` as mass_read() does.  What is odd about it is said to
 * standard error.  False: it cannot be read, or has no result.
 */
MUST_CHECK bool mass_open(
    struct arena *a, const char *path, struct str hash, struct mass *ret);

/* "8200 ham and 5801 spam; rules 17bbdc44f5f140e2, 2026-11-30T10:12:00Z" */
struct str mass_title(struct arena *a, const struct mass *mass);

#endif
