/* SPDX-License-Identifier: BSD-2-Clause */
/* lint_report -- `postern lint --report`. */
#ifndef CMD_LINT_REPORT_H
#define CMD_LINT_REPORT_H

#include <stdbool.h>

struct ruleset;

/*
 * Write to standard output what became of the rules by type, why those that do
 * not run do not, and which other lines were not used.  `is_verbose`: with
 * every name.
 */
void lint_report(const struct ruleset *rules, bool is_json, bool is_verbose);

#endif
