/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html_entity -- character references (HTML 4.01 section 24), read as
 * HTML::Entities reads them.
 */
#ifndef MAIL_HTML_ENTITY_H
#define MAIL_HTML_ENTITY_H

#include "base/str.h"

struct buf;

/*
 * Append `text`, UTF-8, to `ret` with its references decoded.  What is not a
 * reference stays as it is.  `allows_prefix`: "&ampfoo" is "&foo" (text); in
 * attributes only whole names count.  `is_bytes`: `text` and what comes out are
 * bytes, each as the character of Latin-1 of its number.  True: a character
 * above U+00FF came out, or one that Perl keeps as characters.
 */
bool html_entity_decode(
    struct buf *ret, struct str text, bool allows_prefix, bool is_bytes);

#endif
