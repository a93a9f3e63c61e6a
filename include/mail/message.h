/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message -- one mail message and the views of it that rules see.  A view is
 * made when it is first asked for and kept until the arena goes.  Views follow
 * SpamAssassin 4.0.1 byte for byte: rules written for it must hit the same.
 * Judging what is seen is the rules' work.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "base/str.h"
#include "mail/effort.h"
#include "mail/envelope.h"

struct arena;
struct html;
struct message;
struct mime_type;
struct networks;
struct redirector;
struct redirectors;
struct relays;
struct tld_set;
struct table;
struct uris;

/* More than any magic number is into a file: see part_head(). */
#define PART_HEAD_BYTES ((size_t)36 * 1024)

/* Bounds for hostile mail.  What is past a bound is left out of the views. */
struct mail_limits {
	size_t header_bytes;       /* whole header block that is parsed */
	size_t header_value_bytes; /* one field of the message, raw */
	/* Fields of all parts, each counted with what it costs to keep it. */
	size_t part_header_bytes;
	size_t parts;           /* MIME leaves and containers, all in all */
	size_t depth;           /* nesting of multipart and message/rfc822 */
	size_t embedded_bytes;  /* copies made to build the tree, all in all */
	size_t render_bytes;    /* decoded text of one part that is rendered */
	size_t body_part_bytes; /* rendered text taken from one part */
	size_t rawbody_part_bytes;
	size_t uris;      /* links in the URI set */
	size_t uri_bytes; /* one link */
	/*
	 * A small message can stand for very much text: <base> lengthens each
	 * link, and a link with links inside has that many variants.
	 */
	size_t base_bytes;    /* of <base> in links, all in all */
	size_t variant_bytes; /* variants of links, all in all */
};

/* What the message code must know that is not in the message. */
struct mail_config {
	struct mail_limits limits;
	const struct tld_set *tlds; /* known top-level domains */
	/* Redirectors for one message from `arg`; NULL: none are known. */
	struct redirector *(*redirector_new)(
	    const struct redirectors *redirectors, struct arena *a);
	const struct redirectors *redirectors;
	const struct networks *networks; /* NULL: private addresses only */
	bool has_no_signers;             /* domains that sign are no links */
	bool keeps_charsets;             /* no text is converted to UTF-8 */
};

/* The limits that SpamAssassin has, where it has one. */
extern const struct mail_limits MAIL_LIMITS_DEFAULT;

/* One header field. */
struct header {
	struct str name;
	/* After the colon, with leading blank, folds and the final \n. */
	struct str raw;
	/* Unfolded, trimmed, RFC 2047 decoded; made by header_value(). */
	struct str value;
	struct str line; /* `value` and \n; made by header_line() */
	uint8_t key;     /* of the name: see headers_find() */
	bool has_value;
	/*
	 * Not in the message: the MTA will add it, see trace.h.  For rules
	 * alone: it stands in the list, and header_first() and header_last()
	 * pass it over.
	 */
	bool is_to_come;
};

struct headers {
	struct header *v;
	size_t n;
	size_t cap;
	uint64_t keys[4];  /* of all fields, a bit each */
	bool is_cut;       /* limits.header_bytes has left fields out */
	bool is_truncated; /* a name or a value was cut to its maximum */
	bool has_no_end;   /* no empty line is behind them */
};

/* One node of the MIME tree (RFC 2045-2047). */
struct part {
	struct part *parent;
	struct part *child; /* first; multipart and message/rfc822 */
	struct part *next;  /* sibling */
	struct headers headers;
	struct str type;      /* "text/plain", lower case; see mime_type */
	struct str effective; /* the same, or "text/html" if the name says so */
	struct str charset;   /* as declared; empty: none */
	struct str name;      /* file name, decoded; empty: none */
	struct str shown_name; /* file name as SpamAssassin finds it */
	struct str boundary;   /* inherited if the part declares none */
	/* Still encoded; inside a multipart with lines cut at 2048 bytes. */
	struct str body;
	size_t depth;      /* 0: the message itself */
	bool is_container; /* multipart or message/rfc822, even if empty */
	const struct mime_type *declared; /* what Content-Type says */
	bool starts_blank; /* an empty line belongs before `body` */
	/* lazily made, see part_*() */
	struct str decoded;
	bool has_decoded;
	struct str head;     /* of `decoded`; empty: not made yet */
	struct html *html;   /* NULL: not rendered (yet), or not HTML */
	struct str rendered; /* text as a reader sees it */
	bool has_rendered;
	/*
	 * `rendered` came through a charset conversion, so SpamAssassin holds
	 * it as characters and Unicode blanks count as blanks.
	 */
	bool is_unicode;
};

/* What is wrong with how the parts are put together. */
struct mime_oddities {
	bool has_no_part_header; /* a part starts without a field */
	bool has_no_part_blank;  /* header and body of a part are not divided */
	bool has_epilogue;       /* text behind the last boundary */
	bool has_open_boundary; /* one that was never closed, or never opened */
	bool has_many_parts;    /* more siblings than SpamAssassin takes */
};

struct message {
	struct arena *arena;
	const struct mail_config *config;
	const struct envelope *envelope; /* NULL: not known */
	struct str raw;                  /* all of it, line ends \n */
	struct str header_block; /* with the final \n, without the empty line */
	struct str body_block;   /* behind the empty line */
	struct part *root;       /* its headers are the message's */
	struct effort effort;    /* what it costs to make the views */
	struct str full;         /* both blocks */
	struct str trace; /* Received field to come, with its name; or empty */
	struct str full_to_come; /* lazily made: `trace` and `full` */
	size_t nparts;
	size_t part_header; /* see limits.part_header_bytes */
	size_t embedded;    /* bytes copied so far, see limits.embedded_bytes */
	size_t based;       /* see limits.base_bytes */
	/* lazily made, see message_*() */
	struct strs body, rawbody, uris, wide_uris;
	bool has_body, has_rawbody, has_uris;
	struct strs all_lines;    /* of the header `ALL` */
	struct strs body_changed; /* see message_body_change() */
	unsigned body_changes;    /* how often it was called */
	struct relays *relays;    /* lazily made, see message_relays() */
	struct table *addressed;  /* of selector.c, by text of a field */
	struct uris *uri_list;    /* lazily made, see message_uri_list() */
	/* see message_cuts() */
	bool is_cut_parts, is_cut_depth, is_cut_links;
	struct mime_oddities oddities;
	bool has_mbox_line; /* a separator of a mailbox was in front */
};

/* Bounds that have left something out of the views made so far. */
struct message_cuts {
	bool header, parts, depth, uris;
};
struct message_cuts message_cuts(const struct message *m);

/*
 * See `raw` (any bytes; CRLF is taken as \n if the first or the last line has
 * it) as a message.  Never fails: what is broken is seen as SpamAssassin sees
 * it.  `raw`, `config` and `envelope` must live as long as `a`.
 */
struct message *message_new(struct arena *a, struct str raw,
    const struct mail_config *config, const struct envelope *envelope);

/* The same; what `effort` leaves no time for is left out of the tree. */
struct message *message_new_within(struct arena *a, struct str raw,
    const struct mail_config *config, const struct envelope *envelope,
    struct effort effort);

/*
 * The strings `body` rules run on: first the Subject with \n, then the rendered
 * text of each leaf in paragraphs.  At most 2049 bytes each.
 */
const struct strs *message_body(struct message *m);
/*
 * From here on `body` rules run on these strings, see message_body_seen().  A
 * check of SpamAssassin takes addresses out of the text while it looks for
 * them, and what runs after it does not see them.
 */
void message_body_change(struct message *m, struct strs body);
const struct strs *message_body_seen(struct message *m);
/* The chunks `rawbody` rules run on: transfer-decoded text, no HTML removed. */
const struct strs *message_rawbody(struct message *m);
/* The one string of `full` rules: header and body as they are, and what is to
 * come in front. */
struct str message_full(struct message *m);
/*
 * The set `uri` rules run on: every cleaned variant of every link, sorted, each
 * once.  These are bytes; those of message_wide_uris() have letters beyond
 * ASCII and are characters in UTF-8, for rules see them so.
 */
const struct strs *message_uris(struct message *m);
const struct strs *message_wide_uris(struct message *m);

/*
 * Next node in document order, the containers before what they hold; NULL: the
 * last.
 */
struct part *part_next(const struct part *part);
/* Not a multipart, not an opened message/rfc822. */
static inline bool
part_is_leaf(const struct part *part)
{
	return !part->is_container;
}
/* Body of a leaf, still encoded, with the empty line that belongs to it. */
struct str part_raw(struct message *m, const struct part *part);
/* Body after quoted-printable or base64; other encodings as they stand. */
struct str part_decoded(struct message *m, struct part *part);
/* The first PART_HEAD_BYTES of that: a large file is not decoded for them. */
struct str part_head(struct message *m, struct part *part);
/* Text as UTF-8 bytes, HTML rendered; empty for what is not text. */
struct str part_rendered(struct message *m, struct part *part);
/* Render if needed; NULL: this part is not HTML. */
const struct html *part_html(struct message *m, struct part *part);

#endif
