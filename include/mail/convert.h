/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * convert -- bytes of a charset to UTF-8, by iconv, with the differences that
 * Perl's Encode has.  Which charset a text is in is charset.c's matter.
 */
#ifndef MAIL_CONVERT_H
#define MAIL_CONVERT_H

#include "base/str.h"

struct arena;
struct charset;

/* What becomes of bytes that are no character. */
enum convert_errors {
	CONVERT_REFUSE,  /* the text is not converted */
	CONVERT_REPLACE, /* U+FFFD */
	CONVERT_QUOTE    /* the four characters \xHH */
};

/*
 * `name` is Perl's own, lower case ("utf-8", "cp1252", "euc-jp"); NULL:
 * unknown.
 */
const struct charset *convert_find(struct str name);

/*
 * Convert `text`.  Of the result at least `most` bytes are kept, not much
 * more; the rest of `text` is still checked.  False: not this charset, or
 * broken and `errors` is CONVERT_REFUSE.  A character cut off at the end is
 * dropped.
 */
MUST_CHECK bool convert(struct arena *a, const struct charset *charset,
    struct str text, enum convert_errors errors, size_t most, struct str *ret);

/*
 * `charset` is UTF-7 and `text` has nothing shifted ("+AOk-") in it: Perl gives
 * that back as bytes, not as characters.
 */
bool convert_is_unshifted(const struct charset *charset, struct str text);

/* RFC 3629 without noncharacters, as Perl has it. */
bool convert_is_utf8(struct str text);

#endif
