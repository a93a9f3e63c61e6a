/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html_style -- colour, size and visibility of text in open elements.  Two
 * opinions are kept: SpamAssassin's, which decides how blanks are rendered,
 * and ours, which knows more of CSS and decides what is called hidden.
 */
#ifndef MAIL_HTML_STYLE_H
#define MAIL_HTML_STYLE_H

#include "base/str.h"
#include "mail/html_color.h"
#include "mail/html_token.h"

struct buf;

/* Elements that have a place on the stack. */
enum style_tag {
	STYLE_DOCUMENT,
	STYLE_BODY,
	STYLE_FONT,
	STYLE_TABLE,
	STYLE_TR,
	STYLE_TD, /* and th */
	STYLE_BIG,
	STYLE_SMALL,
	STYLE_BASEFONT,
	STYLE_MARQUEE,
	STYLE_SPAN,
	STYLE_P,
	STYLE_DIV,
	STYLE_A,
	STYLE_TAG_COUNT
};

struct html_style {
	/* As SpamAssassin sees them: it knows no bgcolor attribute. */
	html_color fg, bg;
	bool is_display_none, is_visibility_hidden;
	int size; /* of <font size>, 3 is normal */
	/* As we see them. */
	html_color real_fg, real_bg;
	bool is_removed; /* display:none, opacity:0: and all that is inside */
	bool is_unseen;  /* visibility:hidden: may be undone inside */
	bool is_tiny;    /* font-size */
	uint8_t tag;
};

/* Open elements, the document itself first. */
struct html_styles {
	struct html_style *v;
	size_t n;
	size_t cap;
	size_t open[STYLE_TAG_COUNT]; /* how many of each are on the stack */
	int basefont;
	int min_size, max_size;
	struct arena *arena;
	struct buf *value; /* scratch */
};

void html_styles_init(struct html_styles *ret, struct arena *a);
/* `name` is lower case.  Elements that have no style are left alone. */
void html_styles_start(struct html_styles *styles, const struct html_tag *tag);
void html_styles_end(struct html_styles *styles, struct str name);

static inline const struct html_style *
html_styles_top(const struct html_styles *styles)
{
	return &styles->v[styles->n - 1];
}

/* What SpamAssassin thinks of text in this style. */
enum html_contrast {
	CONTRAST_GOOD,
	CONTRAST_LOW,
	CONTRAST_INVALID, /* a colour it cannot read */
	CONTRAST_HIDDEN   /* tiny, or not displayed */
};
enum html_contrast html_style_contrast(const struct html_style *style);
/* What we think: no reader sees it. */
bool html_style_is_hidden(const struct html_style *style);

#endif
