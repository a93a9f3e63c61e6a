/* SPDX-License-Identifier: BSD-2-Clause */
/* html_element -- the elements of HTML, as SpamAssassin knows them. */
#ifndef MAIL_HTML_ELEMENT_H
#define MAIL_HTML_ELEMENT_H

#include "base/str.h"

/* Which attributes of an element are links. */
enum link_kind {
	LINK_NONE,
	LINK_BACKGROUND,
	LINK_HREF,
	LINK_SRC,
	LINK_ACTION,
	LINK_BASE,
	LINK_META
};

struct html_element {
	struct str name;
	bool is_valid;     /* false: rendered, but not counted */
	const char *space; /* what it puts between texts; NULL: nothing */
	enum link_kind links;
};

/* The element of that name, lower case, or NULL. */
const struct html_element *html_element_find(struct str name);
/* "o:p", "st1:place" of Microsoft Word. */
bool html_is_office_tag(struct str name);

#endif
