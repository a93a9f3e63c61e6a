/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * condition -- `if` and `ifplugin` lines: what of SpamAssassin is built in
 * here, in one table, so that a rule file gets an honest answer.
 */
#ifndef RULES_CONDITION_H
#define RULES_CONDITION_H

#include "base/str.h"

struct arena;
struct eval_row;

/* The SpamAssassin release whose rule language this is. */
#define CONDITION_VERSION "4.000001"

/*
 * Whether `text` holds: version, perl_version, local_tests_only, plugin(),
 * can(), has() and the operators of expr.h.  `evals` are the tables of eval
 * functions, ended by NULL: a plugin is there if one of its functions is.
 * False: `*ret_why` says what is wrong with `text`.
 */
MUST_CHECK bool condition_read(struct arena *a, struct str text,
    const struct eval_row *const *evals, bool *ret_holds, struct str *ret_why);

/* The row of eval function `name`; NULL: not built in. */
const struct eval_row *eval_row_find(
    const struct eval_row *const *evals, struct str name);

#endif
