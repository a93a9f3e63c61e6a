/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transfer -- base64 and quoted-printable (RFC 2045 section 6), decoded
 * leniently.
 */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include "base/str.h"

struct arena;

/*
 * What is not in the alphabet is passed over; an = inside counts as a digit;
 * a digit that is left over is dropped.
 */
struct str transfer_base64(struct arena *a, struct str text);
/*
 * The first `size` bytes of that, or all if there are less, without the work
 * for the rest.  False: they cannot be told from the start of `text` alone.
 */
MUST_CHECK bool transfer_base64_head(
    struct arena *a, struct str text, size_t size, struct str *ret);
/*
 * Blanks at line ends and soft line breaks go, hex digits of either case are
 * decoded, other = stay.  A view of `text` if there is nothing to decode.
 */
struct str transfer_quoted_printable(struct arena *a, struct str text);
/* \r\n to \n; a view of `text` if there is none. */
struct str transfer_unix_lines(struct arena *a, struct str text);

#endif
