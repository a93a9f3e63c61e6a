/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_open -- what the commands share that run rules over mail. */
#ifndef CMD_RULES_OPEN_H
#define CMD_RULES_OPEN_H

#include "session/filterer.h"
#include "session/snapshot.h"

/*
 * Load configuration and rules: `source` as --config and --rules filled it in;
 * where rules are given and there is no configuration its defaults are used,
 * and `source` says so, and that the DNS is not asked.  NULL: said why to
 * standard error.
 */
struct snapshot *rules_open(struct snapshot_source *source);

/*
 * What the DNS is asked by, for dns_close(); `*ret` is NULL if it is not to be
 * asked.  False: said what is wrong.
 */
struct dns;
MUST_CHECK bool rules_dns(struct arena *a, const struct snapshot_source *source,
    const struct snapshot *snapshot, struct dns **ret);

/*
 * Begin to make the prefilter, if the configuration wants one, and wait for
 * it, with a word to whoever watches, if `is_awaited`.  For filterer_stop().
 */
struct filterer *rules_filter(struct snapshot *snapshot, bool is_awaited);

/* --prefilter: beside the first messages if there are enough of them, before
 * them, or not at all. */
enum prefilter_when { PREFILTER_AUTO, PREFILTER_WAIT, PREFILTER_NO };
#define PREFILTER_WANTED "auto, wait or no"
MUST_CHECK bool prefilter_parse(struct str word, enum prefilter_when *ret);
/* For that many messages; NULL: none is made. */
struct filterer *rules_filter_for(
    struct snapshot *snapshot, enum prefilter_when when, size_t messages);

#endif
