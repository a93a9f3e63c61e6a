/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern -- the fixed regular expressions that eval functions ask.  They are
 * compiled with the rules; what SpamAssassin decides by such an expression is
 * decided by the same one here, so that odd text gets the same answer.
 */
#ifndef RULES_PATTERN_H
#define RULES_PATTERN_H

#include "rules/regex.h"

struct eval_call;
struct patterns;

enum pattern_name {
	PATTERN_RECEIVED_DATE,
	PATTERN_RECEIVED_LOCALHOST,
	PATTERN_RECEIVED_QMAIL_UID,
	PATTERN_RECEIVED_FETCHMAIL,
	PATTERN_OUTLOOK_ID,
	PATTERN_EZMLM_LIST,
	PATTERN_EZMLM_DELIVERED,
	PATTERN_EZMLM_RECEIVED,
	PATTERN_MSN_GROUPS,
	PATTERN_LIST_UNSUBSCRIBE,
	PATTERN_REWRITES_ID,
	PATTERN_RATWARE_ID,
	PATTERN_SRS,
	PATTERN_TEMPLATE,
	PATTERN_TEMPLATE_FIELDS,
	PATTERN_REPLY_PREFIX,
	PATTERN_CAPLESS_CHARSET,
	PATTERN_FREEMAIL_ROLE,
	PATTERN_FREEMAIL_BULK,
	PATTERN_FREEMAIL_URL,
	PATTERN_NAME_ADDRESS,
	PATTERN_COUNT
};

const struct patterns *patterns_new(struct arena *a, struct regex_env *env);

/* The first match in `text` from `from` on. */
MUST_CHECK bool pattern_find(const struct eval_call *call,
    enum pattern_name name, struct str text, size_t from,
    struct regex_span *ret);
/* There is one. */
bool pattern_matches(
    const struct eval_call *call, enum pattern_name name, struct str text);

#endif
