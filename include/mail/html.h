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
struct table;

/* One link of the document. */
struct html_link {
	struct str url; /* attribute value, entities decoded, made absolute if
			   <base> says how */
	struct str tag; /* "a", "img", "form", ... lower case */
	struct str anchor; /* text between <a> and </a>, UTF-8; empty: none */
	bool is_unicode; /* `url` is UTF-8; false: Latin-1 bytes, as Perl holds
			    it */
};

struct html_links {
	struct html_link *v;
	size_t n;
	size_t cap;
};

struct html {
	/*
	 * Rendered, invisible text included, as body rules see it; blanks are
	 * not yet collapsed into paragraphs.  Always UTF-8.
	 */
	struct str text;
	/*
	 * Perl holds `text` as characters.  False: as bytes, and every
	 * character of it is below U+0100, so that body rules see Latin-1 bytes
	 * (html_latin1()) unless another part of the message makes the whole
	 * body characters.
	 */
	bool is_unicode;
	struct str visible_text; /* without what is hidden (display:none, tiny,
				    same colour) */
	struct str hidden_text;  /* only what is hidden */
	struct html_links links; /* of all tags, after <base> */
	struct html_links
	    hrefs; /* one an <a> tag, before <base>; `url` may be empty */
	struct table *inside; /* tag -> (void *)(intptr_t) open count; key stays
				 after close */
	struct table *tags;   /* tag -> (void *)(intptr_t) times opened */
	struct strs title;
	struct strs comment; /* with <!-- and --> */
	struct strs script;
	struct strs anchor;      /* one an <a> tag: text up to </a>, UTF-8 */
	size_t length;           /* characters of source */
	size_t html_length;      /* characters of `text` */
	size_t non_space_length; /* of them not white space */
	unsigned elements,
	    total_tags; /* bad_tag_ratio = (total - elements) / total */
	unsigned elements_seen,
	    tags_seen;         /* the same, each name while it is not open */
	unsigned closed_extra; /* end tags of nothing */
	unsigned obfuscation;  /* tags inside words */
	unsigned backhair;     /* kinds of tags inside short words */
	unsigned font_low_contrast, font_invalid_color,
	    font_face_bad;        /* 0 or 1 */
	int min_size, max_size;   /* of <font size>, 3 is normal */
	unsigned long image_area; /* pixels */
	unsigned form_action_mailto, embeds, uri_truncated; /* 0 or 1 */
};

/*
 * Render `source`, UTF-8 bytes.  `is_unicode`: Perl would hold it as characters
 * (a charset was converted; always so if it is not pure ASCII).  Never fails;
 * memory is a small multiple of `source`, time is linear, whatever the nesting.
 */
struct html *html_render(struct arena *a, struct str source, bool is_unicode,
    const struct mail_limits *limits);

/* UTF-8 `text` as Latin-1 bytes; `text` has no character above U+00FF. */
struct str html_latin1(struct arena *a, struct str text);

#endif
