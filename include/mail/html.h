/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html -- what a reader sees of an HTML part, its links, and the counters that
 * html_* evals ask for.  Tokenising follows HTML::Parser, rendering follows
 * SpamAssassin's HTML.pm: rules depend on both.
 */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include "base/str.h"
#include "mail/message.h"

struct arena;

/* One link of the document. */
struct html_link {
	struct str url;    /* attribute value, entities decoded, made absolute if <base> says how */
	struct str tag;    /* "a", "img", "form", ... lower case */
	struct str anchor; /* text between <a> and </a>; empty: none */
};

struct html_links {
	struct html_link *v;
	size_t n;
	size_t cap;
};

/* One tag name and how often it was opened. */
struct html {
	struct str text;         /* rendered, invisible text included, as body rules see it */
	struct str visible_text; /* without what is hidden (display:none, tiny, same colour) */
	struct str hidden_text;  /* only what is hidden */
	struct html_links links;
	struct table *inside;    /* tag -> (void *)(intptr_t) open count; key stays after close */
	struct table *tags;      /* tag -> (void *)(intptr_t) times opened */
	struct strs title;
	struct strs comment;
	struct strs script;
	struct strs anchor;
	size_t length;      /* bytes of source */
	size_t html_length; /* of them in tags */
	unsigned elements, unknown_elements, bad_tags, total_tags;
	unsigned closed_extra;
	unsigned font_low_contrast, font_invalid_color;
	int min_size, max_size;
	unsigned long image_area; /* pixels */
	unsigned form_action_mailto, embeds, uri_truncated;
};

/*
 * Render `source`, UTF-8 bytes.  Never fails; bounded by `limits` and by the
 * length of `source` (linear time, any nesting).
 */
struct html *html_render(
    struct arena *a, struct str source, const struct mail_limits *limits);

#endif
