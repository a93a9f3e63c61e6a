/* SPDX-License-Identifier: BSD-2-Clause */
/* locale -- charsets that readers of some languages expect (`ok_locales`). */
#ifndef RULES_LOCALE_H
#define RULES_LOCALE_H

#include "base/str.h"

struct settings;

/* The value of the last `ok_locales` line; "all" if there is none. */
struct str locale_setting(const struct settings *settings);
/*
 * Is `charset` no surprise to those who read the languages of `locales`, words
 * such as "en", "ja", "zh_TW"?  Latin charsets and Unicode never are; "all"
 * among the words allows every charset.
 */
bool locale_allows(struct str locales, struct str charset);

#endif
