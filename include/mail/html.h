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
struct effort;
struct table;

/* One link of the document. */
struct html_link {
	/* Attribute value: entities decoded, trimmed, after <base>. */
	struct str url;
	struct str tag;    /* "a", "img", "form", ... lower case */
	struct str anchor; /* text between <a> and </a>, UTF-8; empty: none */
	/* `url` is UTF-8.  False: Latin-1 bytes, as Perl holds it. */
	bool is_unicode;
};

struct html_links {
	struct html_link *v;
	size_t n;
	size_t cap;
};

/* Start and end tags of one name. */
struct html_tag_count {
	int inside;    /* open now */
	int opened;    /* ever */
	bool is_known; /* some tag of it was there: false for a doctype only */
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
	/* What is hidden by style (see html_style) is in one, the rest in the
	 * other; at most limits.body_part_bytes each. */
	struct str visible_text, hidden_text;
	/* Links of all tags; and one an <a> tag, before <base>, maybe empty. */
	struct html_links links, hrefs;
	size_t base_bytes;    /* of <base> that went into links */
	bool is_cut;          /* limits.base_bytes has left links out */
	struct table *counts; /* see html_tag_count() */
	struct strs title;
	struct strs comment; /* with <!-- and --> */
	struct strs script;
	struct strs anchor;      /* one an <a> tag: text up to </a>, UTF-8 */
	size_t length;           /* characters of source */
	size_t html_length;      /* characters of `text` */
	size_t non_space_length; /* of them not white space */
	/* bad_tag_ratio = (total_tags - elements) / total_tags */
	unsigned elements, total_tags;
	/* The same for non_element_ratio: each name once. */
	unsigned elements_seen, tags_seen;
	unsigned closed_extra;    /* end tags of nothing */
	unsigned obfuscation;     /* tags inside words */
	unsigned backhair;        /* kinds of tags inside short words */
	int min_size, max_size;   /* of <font size>, 3 is normal */
	unsigned long image_area; /* pixels */
	/* Yes or no. */
	unsigned font_low_contrast, font_invalid_color, font_face_bad;
	unsigned form_action_mailto, embeds, uri_truncated;
};

/* What Perl would hold the source as. */
enum html_source {
	HTML_ASCII,   /* nothing past it is there: references make characters */
	HTML_UNICODE, /* characters: a charset was converted */
	HTML_BYTES    /* bytes: what references stand for is bytes of UTF-8 */
};

/*
 * Render `source`, UTF-8 bytes or, for HTML_BYTES, any; what comes out is
 * UTF-8, bytes as html_from_latin1() has them.  Never fails; memory is a small
 * multiple of `source`, time is linear, whatever the nesting. What `effort`
 * leaves no time for is left out.
 */
struct html *html_render(struct arena *a, struct str source,
    enum html_source kind, const struct mail_limits *limits,
    struct effort *effort);

/* The URL of `link` as UTF-8, whatever Perl would hold. */
struct str html_link_utf8(struct arena *a, const struct html_link *link);
/* NULL: there is no tag `name` (lower case), start or end. */
const struct html_tag_count *html_tag_count(
    const struct html *html, struct str name);
/*
 * UTF-8 `text` as Latin-1 bytes, or `text` itself if they are the same; it has
 * no character above U+00FF.
 */
struct str html_latin1(struct arena *a, struct str text);
/* The other way: each byte as the character of its number. */
struct str html_from_latin1(struct arena *a, struct str bytes);

#endif
