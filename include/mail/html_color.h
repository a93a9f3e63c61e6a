/* SPDX-License-Identifier: BSD-2-Clause */
/* html_color -- colours in attributes and style sheets. */
#ifndef MAIL_HTML_COLOR_H
#define MAIL_HTML_COLOR_H

#include "base/str.h"

/* 0xrrggbb, or one of these. */
typedef int32_t html_color;
#define COLOR_INVALID (-1)
#define COLOR_NONE (-2) /* "#": valid, equal to itself only */
#define COLOR_TRANSPARENT (-3)
#define COLOR_UNKNOWN (-4) /* a picture, a gradient */

/* A name, "#hex" or "rgb(...)", as SpamAssassin reads it; else COLOR_INVALID.
 */
html_color html_color_parse(struct str text);
/* The same, and "ffffff", as browsers take it. */
html_color html_color_parse_bare(struct str text);

#endif
