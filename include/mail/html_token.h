/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html_token -- tags, text and comments, told apart as HTML::Parser 3.81 does
 * (marked sections on).  What they mean is html's work.
 */
#ifndef MAIL_HTML_TOKEN_H
#define MAIL_HTML_TOKEN_H

#include "base/str.h"

struct arena;
struct effort;

struct html_attr {
	struct str name;  /* as written */
	struct str value; /* quotes removed, entities not decoded */
	bool is_bare;     /* no value: `value` is the name */
};

struct html_tag {
	struct str name; /* lower case */
	struct html_attr *v;
	size_t n;
	size_t cap;
};

/* Who is told.  Views point into the text given to html_tokenize(). */
struct html_sink {
	void *ctx;
	/* `is_cdata`: entities stay.  One run of text may come in two calls. */
	void (*text)(void *ctx, struct str text, bool is_cdata);
	void (*start)(void *ctx, const struct html_tag *tag);
	void (*end)(void *ctx, struct str name); /* lower case */
	void (*comment)(void *ctx, struct str text);
	void (*declaration)(void *ctx, struct str text);
};

/*
 * Tokenise `text`, in which tag names become lower case.  Linear time.  Nobody
 * is told of what `effort` leaves no time for.
 */
void html_tokenize(struct arena *a, char *text, size_t len,
    const struct html_sink *sink, struct effort *effort);

/* First attribute of that name, or NULL. */
const struct html_attr *html_tag_attr(
    const struct html_tag *tag, struct str name);

#endif
