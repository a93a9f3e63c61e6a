/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * locale -- the languages that mail is expected in (ok_locales), as far as they
 * have character sets of their own.
 */
#ifndef RULES_LOCALE_H
#define RULES_LOCALE_H

#include "rules/setting.h"

struct locales;

/* From the last ok_locales line; none: all languages are welcome. */
const struct locales *locales_new(
    struct arena *a, const struct setting_list *settings);

bool locales_has_all(const struct locales *locales);
/* A name of a character set, as it is declared, is one of theirs or one that
 * everybody uses. */
bool locales_has_charset(
    struct arena *a, const struct locales *locales, struct str charset);

#endif
