/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool -- a message while it arrives: in memory up to a limit, then in an
 * unlinked file, so that many large messages cost disk and not memory.  Line
 * ends are \n inside: \r\n is folded, also across two puts; a lone \r stays.
 */
#ifndef SESSION_SPOOL_H
#define SESSION_SPOOL_H

#include "base/str.h"

struct spool;

/* `dir`: of the file; NUL-terminated copies are made.  Never NULL. */
struct spool *spool_new(struct str dir, size_t memory_bytes);
void spool_free(struct spool *spool);
/* Forget the message, keep the memory. */
void spool_reset(struct spool *spool);

/* Trouble is kept until spool_view() tells it. */
void spool_put(struct spool *spool, struct str bytes);
/* After the last put.  False: disk trouble; errno says which. */
MUST_CHECK bool spool_view(struct spool *spool, struct str *ret);
size_t spool_size(const struct spool *spool);

#endif
