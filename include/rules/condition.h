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
struct table;

/* The SpamAssassin release whose rule language this is. */
#define CONDITION_VERSION "4.000001"

/* Which of SpamAssassin's plugins a rule set has. */
struct plugins {
	/* Tables of eval functions, ended by NULL: they bring their plugins. */
	const struct eval_row *const *evals;
	/* Those of loadplugin lines, without their prefix. */
	struct table *loaded;
	/*
	 * The lines name all of them, as the .pre files of SpamAssassin do:
	 * Check is among them.  Otherwise what SpamAssassin loads as it is
	 * delivered is there, too.
	 */
	bool is_complete;
	struct table *compat; /* names of enable_compat */
};

/* "Mail::SpamAssassin::Plugin::X" has been loaded.  False: not built in. */
MUST_CHECK bool plugins_load(
    struct plugins *plugins, struct arena *a, struct str class);
/* can(Mail::SpamAssassin::Conf::compat_NAME) holds.  False: it is no name. */
MUST_CHECK bool plugins_compat(
    struct plugins *plugins, struct arena *a, struct str name);
/* The plugin that `row` belongs to is there; true, too, if it is ours. */
bool plugins_have(const struct plugins *plugins, const struct eval_row *row);

/*
 * Whether `text` holds: version, perl_version, local_tests_only, plugin(),
 * can(), has() and the operators of expr.h.
 * False: `*ret_why` says what is wrong with `text`.
 */
MUST_CHECK bool condition_read(struct arena *a, struct str text,
    const struct plugins *plugins, bool *ret_holds, struct str *ret_why);

/* The row of eval function `name`; NULL: not built in. */
const struct eval_row *eval_row_find(
    const struct eval_row *const *evals, struct str name);

#endif
