/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * email_text -- mail addresses in running text, as SpamAssassin's FreeMail
 * looks for them.
 */
#ifndef RULES_EMAIL_TEXT_H
#define RULES_EMAIL_TEXT_H

#include "base/str.h"

struct arena;
struct tld_set;

struct email_span {
	size_t from, to;
};

/*
 * The next address in `text` that begins at `from` or later: at most 64 bytes
 * before the @, two to five labels behind it, the last a known one.
 */
MUST_CHECK bool email_find(const struct tld_set *tlds, struct str text,
    size_t from, struct email_span *ret);
/* The address that begins at `from`. */
MUST_CHECK bool email_at(const struct tld_set *tlds, struct str text,
    size_t from, struct email_span *ret);
/*
 * `text` with a blank for each address that is in < > or has "wrote:" or the
 * like behind it; those behind mailto: stay.
 */
struct str email_strip(
    struct arena *a, const struct tld_set *tlds, struct str text);

#endif
