/* SPDX-License-Identifier: BSD-2-Clause */
/* html_element -- the table of elements. */
#include "mail/html_element.h"

/* HTML 4.01 and XHTML 1.0, and the tricks of before; in byte order. */
static const struct html_element elements[] = {
#define VALID(name, space, links)                            \
	{                                                    \
		{name, sizeof(name) - 1}, true, space, links \
	}
#define TRICK(name, space, links)                             \
	{                                                     \
		{name, sizeof(name) - 1}, false, space, links \
	}
    VALID("a", NULL, LINK_HREF),
    VALID("abbr", NULL, LINK_NONE),
    VALID("acronym", NULL, LINK_NONE),
    VALID("address", NULL, LINK_NONE),
    VALID("applet", NULL, LINK_NONE),
    VALID("area", NULL, LINK_HREF),
    VALID("b", NULL, LINK_NONE),
    VALID("base", NULL, LINK_BASE),
    VALID("basefont", NULL, LINK_NONE),
    VALID("bdo", NULL, LINK_NONE),
    TRICK("bgsound", NULL, LINK_SRC),
    VALID("big", NULL, LINK_NONE),
    VALID("blockquote", "\n\n", LINK_NONE),
    VALID("body", NULL, LINK_BACKGROUND),
    VALID("br", "\n", LINK_NONE),
    VALID("button", NULL, LINK_NONE),
    VALID("caption", NULL, LINK_NONE),
    VALID("center", NULL, LINK_NONE),
    VALID("cite", NULL, LINK_NONE),
    VALID("code", NULL, LINK_NONE),
    VALID("col", NULL, LINK_NONE),
    VALID("colgroup", NULL, LINK_NONE),
    VALID("dd", " ", LINK_NONE),
    VALID("del", NULL, LINK_NONE),
    VALID("dfn", NULL, LINK_NONE),
    VALID("dir", NULL, LINK_NONE),
    VALID("div", "\n", LINK_NONE),
    VALID("dl", NULL, LINK_NONE),
    VALID("dt", " ", LINK_NONE),
    VALID("em", NULL, LINK_NONE),
    TRICK("embed", " ", LINK_SRC),
    VALID("fieldset", NULL, LINK_NONE),
    VALID("font", NULL, LINK_NONE),
    VALID("form", NULL, LINK_ACTION),
    VALID("frame", NULL, LINK_SRC),
    VALID("frameset", NULL, LINK_NONE),
    VALID("h1", " ", LINK_NONE),
    VALID("h2", " ", LINK_NONE),
    VALID("h3", " ", LINK_NONE),
    VALID("h4", " ", LINK_NONE),
    VALID("h5", " ", LINK_NONE),
    VALID("h6", " ", LINK_NONE),
    VALID("head", NULL, LINK_NONE),
    VALID("hr", "\n\n", LINK_NONE),
    VALID("html", NULL, LINK_NONE),
    VALID("i", NULL, LINK_NONE),
    VALID("iframe", NULL, LINK_SRC),
    VALID("img", NULL, LINK_SRC),
    VALID("input", NULL, LINK_NONE),
    VALID("ins", NULL, LINK_NONE),
    VALID("isindex", NULL, LINK_NONE),
    VALID("kbd", NULL, LINK_NONE),
    VALID("label", NULL, LINK_NONE),
    VALID("legend", NULL, LINK_NONE),
    VALID("li", " ", LINK_NONE),
    VALID("link", NULL, LINK_HREF),
    TRICK("listing", "\n\n", LINK_NONE),
    VALID("map", NULL, LINK_NONE),
    VALID("menu", NULL, LINK_NONE),
    VALID("meta", NULL, LINK_META),
    VALID("nobr", NULL, LINK_NONE),
    VALID("noframes", NULL, LINK_NONE),
    VALID("noscript", NULL, LINK_NONE),
    VALID("object", NULL, LINK_NONE),
    VALID("ol", NULL, LINK_NONE),
    VALID("optgroup", NULL, LINK_NONE),
    VALID("option", NULL, LINK_NONE),
    VALID("p", "\n\n", LINK_NONE),
    VALID("param", NULL, LINK_NONE),
    TRICK("plaintext", "\n\n", LINK_NONE),
    VALID("pre", "\n\n", LINK_NONE),
    VALID("q", NULL, LINK_NONE),
    VALID("s", NULL, LINK_NONE),
    VALID("samp", NULL, LINK_NONE),
    VALID("script", NULL, LINK_SRC),
    VALID("select", NULL, LINK_NONE),
    VALID("small", NULL, LINK_NONE),
    VALID("span", NULL, LINK_NONE),
    VALID("strike", NULL, LINK_NONE),
    VALID("strong", NULL, LINK_NONE),
    VALID("style", NULL, LINK_NONE),
    VALID("sub", NULL, LINK_NONE),
    VALID("sup", NULL, LINK_NONE),
    VALID("table", NULL, LINK_BACKGROUND),
    VALID("tbody", NULL, LINK_NONE),
    VALID("td", " ", LINK_BACKGROUND),
    VALID("textarea", NULL, LINK_NONE),
    VALID("tfoot", NULL, LINK_NONE),
    VALID("th", " ", LINK_NONE),
    VALID("thead", NULL, LINK_NONE),
    VALID("title", "\n\n", LINK_NONE),
    VALID("tr", NULL, LINK_BACKGROUND),
    VALID("tt", NULL, LINK_NONE),
    VALID("u", NULL, LINK_NONE),
    VALID("ul", NULL, LINK_NONE),
    VALID("var", NULL, LINK_NONE),
    VALID("x-sigsep", NULL, LINK_NONE),
    VALID("x-tab", NULL, LINK_NONE),
    TRICK("xmp", "\n\n", LINK_NONE),
#undef VALID
#undef TRICK
};

static int
element_cmp(const void *key, const void *row)
{
	const struct str *name = key;
	const struct html_element *element = row;
	return str_cmp(*name, element->name);
}

const struct html_element *
html_element_find(struct str name)
{
	return bsearch(&name, elements, COUNT_OF(elements), sizeof(elements[0]),
	    element_cmp);
}

bool
html_is_office_tag(struct str name)
{
	size_t n = 0;
	if (str_starts(name, STR("o:")))
		n = 2;
	else if (name.len > 4 && str_starts(name, STR("st")) &&
		 char_is_digit(name.p[2]) && name.p[3] == ':')
		n = 4;
	if (n == 0)
		return false;
	if (str_ends(name, STR("/")))
		name.len--;
	for (size_t i = n; i < name.len; i++)
		if (!char_is_word(name.p[i]) && name.p[i] != '-')
			return false;
	return name.len > n;
}
