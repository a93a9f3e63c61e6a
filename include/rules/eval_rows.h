/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_rows -- the functions behind the rows of eval.c, by theme, and what
 * they share.  What a row means to a rule's author stands in eval.c.
 */
#ifndef RULES_EVAL_ROWS_H
#define RULES_EVAL_ROWS_H

#include "rules/eval.h"

/*
 * What one run has found out for more than one row: each member is made by the
 * file it is named after, on first use, in the arena of the message.
 */
struct eval_cache {
	struct seen_text *seen;             /* of eval_text.c */
	struct html_facts *html;            /* eval_html.c */
	struct body_facts *body;            /* eval_body.c */
	struct mime_facts *mime;            /* eval_mime.c */
	struct image_facts *images;         /* eval_image.c */
	struct freemail_seen *freemail;     /* eval_freemail.c */
	struct fromname_facts *fromname;    /* eval_fromname.c */
	struct bounce_facts *bounce;        /* eval_bounce.c */
	struct address_facts *addresses;    /* eval_address_list.c */
	struct table *uri_hosts;            /* eval_uri_host.c */
	struct date_facts *dates;           /* eval_date.c */
	struct recipient_facts *recipients; /* eval_recipient.c */
};

/* eval_sender.c: envelope, login, From, Reply-To */
int eval_rcpt_count(struct eval_call *call);
int eval_from_not_login(struct eval_call *call);
int eval_from_not_envelope(struct eval_call *call);
int eval_replyto_elsewhere(struct eval_call *call);
int eval_display_name_address(struct eval_call *call);
int eval_rcpt_in(struct eval_call *call);
int eval_check_for_to_in_subject(struct eval_call *call);
/* eval_header.c: fields and their number */
int eval_header_count(struct eval_call *call);
int eval_check_header_count_range(struct eval_call *call);
int eval_date_bad(struct eval_call *call);
/* eval_link.c: where links lead and what they show */
int eval_link_text_host(struct eval_call *call);
int eval_link_elsewhere(struct eval_call *call);
/* eval_text.c: what a reader sees, and what not */
int eval_hidden_text(struct eval_call *call);
int eval_visible_text(struct eval_call *call);
int eval_image_only(struct eval_call *call);
int eval_wallet_address(struct eval_call *call);
/* eval_attachment.c */
int eval_attachment_name(struct eval_call *call);
int eval_attachment_magic(struct eval_call *call);
int eval_attachment_member(struct eval_call *call);
int eval_attachment_disguised(struct eval_call *call);
int eval_attachment_page(struct eval_call *call);

/* SpamAssassin's functions about addresses and fields, a table a file. */
extern const struct eval_row EVAL_ADDRESS_LIST[];
extern const struct eval_row EVAL_BOUNCE[];
extern const struct eval_row EVAL_CHARS[];
extern const struct eval_row EVAL_DATE[];
extern const struct eval_row EVAL_FREEMAIL[];
extern const struct eval_row EVAL_FROMNAME[];
extern const struct eval_row EVAL_MSGID[];
extern const struct eval_row EVAL_PHISHING[];
extern const struct eval_row EVAL_RECIPIENT[];
extern const struct eval_row EVAL_SUBJECT_LIST[];
extern const struct eval_row EVAL_URI_HOST[];

/*
 * The strings of a header query ("From:addr", "Received"), added to `ret`, one
 * a field or an address.
 */
void eval_get(struct eval_call *call, struct str what, struct strs *ret);
/*
 * The same as one string: of addresses, names and EnvelopeFrom the first;
 * otherwise all, each with its line end.  Empty: there is none.
 */
struct str eval_get_text(struct eval_call *call, struct str what);
/* "undef" leaves a bound open; false: it is. */
bool eval_bound(const struct eval_call *call, size_t i, double *ret);

/* eval_address_list.c: all that a message says of its sender and recipients. */
const struct strs *eval_all_from(struct eval_call *call);
const struct strs *eval_all_to(struct eval_call *call);
/* eval_relay.c: the way the message came, hop by hop */
extern const struct eval_row EVAL_RELAY[];

/* eval_received.c: what big providers write into Received fields */
extern const struct eval_row EVAL_RECEIVED[];
/* eval_html.c, eval_mime.c, eval_body.c, eval_image.c, eval_uri.c: what
 * SpamAssassin's plugins of these themes have. */
extern const struct eval_row EVAL_HTML[];
extern const struct eval_row EVAL_MIME[];
extern const struct eval_row EVAL_BODY[];
extern const struct eval_row EVAL_IMAGE[];
extern const struct eval_row EVAL_URI[];

/* The parts that are HTML, as SpamAssassin's html_all has them, in order. */
struct html_page {
	const struct html *html;
	size_t source_bytes; /* decoded, in its own charset */
};
struct html_facts {
	struct html_page *v;
	size_t n, cap;
};
const struct html_facts *eval_html_pages(struct eval_call *call);

/* Argument `i`; empty: it is not given. */
struct str eval_arg(const struct eval_call *call, size_t i);
/* Argument `i` as Perl takes it for a number; not given: 0. */
double eval_number(const struct eval_call *call, size_t i);
/* The strings that rules of this rule's type run on, `body` or `rawbody`. */
const struct strs *eval_text(struct eval_call *call);

/* 1 with `evidence`, which lives as long as the message. */
int eval_hit(struct eval_call *call, struct str evidence);

/* Addresses of all fields of that name, those without @ left out, at most
 * `max`. */
void eval_addresses(
    struct eval_call *call, struct str field, size_t max, struct strs *ret);
/* The author's address; empty: none. */
struct str eval_from(struct eval_call *call);
/* Recipients of the envelope, or of To and Cc without one; at most `max`. */
void eval_recipients(struct eval_call *call, size_t max, struct strs *ret);
/* Organisational domain, or all of `domain` if it has none; lower case. */
struct str eval_org_domain(struct eval_call *call, struct str domain);
/* The domains belong to one organisation.  False if one is empty. */
bool eval_same_org(struct eval_call *call, struct str a, struct str b);

#endif
