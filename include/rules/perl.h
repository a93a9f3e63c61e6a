/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perl -- what SpamAssassin's eval functions leave to Perl: texts taken for
 * numbers, and comparisons that a rule writes as text.
 */
#ifndef RULES_PERL_H
#define RULES_PERL_H

#include "base/str.h"

/* The number that `text` starts with, as perlnumber(1) reads it; 0: none. */
double perl_number(struct str text);

/*
 * Is `value` followed by `expression` true ("> 0", "!= 3", "- 1")?  Of Perl's
 * operators those made of < > = ! - + are known.  What is no expression of
 * these, digits and blanks is never true.
 */
bool perl_holds(double value, struct str expression);

#endif
