/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * returned -- the original in a notice.  Parts are cut out of the raw message
 * here and not taken from its tree: mime.c breaks long lines and shortens runs
 * of empty ones, as rules want it, and no signature survives that.
 *
 * What is first counts.  A stranger who is quoted can add to what he wrote, but
 * not put anything before what the MTA has written.
 */
#include "notice/returned.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "mail/msgid.h"
#include "mail/scan.h"
#include "mail/transfer.h"
#include "state/memory.h"

#define FIELDS_MAX 1000
#define PART_FIELDS_MAX 100
#define FIELD_BYTES 8192 /* looked at, of one value */
#define DEPTH_MAX 8
#define GROUPS_MAX 1000 /* of a delivery report */
#define TEXTS_MAX 8     /* text parts that are searched */
#define TEXT_BYTES ((size_t)256 * 1024)
#define QUEUE_ID_BYTES 32

/* The message in search of its original. */
struct walk {
	struct message *m;
	struct arena *a;
	struct returned *ret;
	size_t nparts;
	struct strs texts;
	struct strs original_ids; /* MDN: Original-Message-ID */
	struct str original;      /* header, and body if there is one */
	bool may_be_whole;
};

/* One part, cut from the raw message. */
struct piece {
	struct dkim_mail mail; /* its own fields, and what it holds */
	struct str type;       /* lower case; "text/plain" if none is given */
	bool is_closed;        /* a boundary follows */
};

/* ---- fields */

static struct str
field_value(const struct dkim_field *field)
{
	size_t colon = str_chr(field->text, ':');
	return str_trim(
	    str_sub(str_skip(field->text, colon + 1), 0, FIELD_BYTES));
}

static const struct dkim_field *
field_first(const struct dkim_mail *mail, struct str name)
{
	for (size_t i = 0; i < mail->n; i++)
		if (str_ieq(mail->v[i].name, name))
			return &mail->v[i];
	return NULL;
}

/* Of the last one, as mime.c has it; empty: none. */
static struct str
value_last(const struct dkim_mail *mail, struct str name)
{
	for (size_t i = mail->n; i > 0; i--)
		if (str_ieq(mail->v[i - 1].name, name))
			return field_value(&mail->v[i - 1]);
	return STR_EMPTY;
}

static struct str
value_first(const struct dkim_mail *mail, struct str name)
{
	const struct dkim_field *field = field_first(mail, name);
	return field == NULL ? STR_EMPTY : field_value(field);
}

/* "text/rfc822-headers", which mime_type_parse() makes text/plain. */
static struct str
media_type(struct arena *a, struct str value)
{
	struct str type = str_trim(str_sub(value, 0, str_chr(value, ';')));
	type = str_lower(a, str_word(&type));
	return type.len == 0 ? STR("text/plain") : type;
}

static struct str
decode(struct arena *a, struct str text, struct str encoding)
{
	if (str_ieq(encoding, STR("quoted-printable")))
		return transfer_unix_lines(
		    a, transfer_quoted_printable(a, text));
	if (str_ieq(encoding, STR("base64")))
		return transfer_unix_lines(a, transfer_base64(a, text));
	return text;
}

static struct str
piece_text(struct walk *w, const struct piece *piece)
{
	return decode(w->a, piece->mail.body,
	    value_last(&piece->mail, STR("Content-Transfer-Encoding")));
}

/* ---- what is found goes here */

static bool
has_space_or_control(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
			return true;
	return false;
}

/* Each Message-ID in `value` that is not there yet. */
static void
ids_add(struct returned *ret, struct str value)
{
	struct str ids[RETURNED_IDS_MAX];
	size_t n = msgids_of(value, ids, COUNT_OF(ids));
	for (size_t i = 0; i < n; i++) {
		bool is_new = ret->nids < RETURNED_IDS_MAX;
		for (size_t j = 0; j < ret->nids; j++)
			is_new = is_new && !str_eq(ret->ids[j], ids[i]);
		if (is_new)
			ret->ids[ret->nids++] = ids[i];
	}
}

static struct str
without_angles(struct str text)
{
	text = str_trim(text);
	if (text.len >= 2 && text.p[0] == '<' && text.p[text.len - 1] == '>')
		text = str_sub(text, 1, text.len - 2);
	return text;
}

static void
rcpt_add(struct returned *ret, struct str rcpt)
{
	rcpt = without_angles(rcpt);
	if (rcpt.len == 0 || rcpt.len > LEDGER_PATH_BYTES ||
	    has_space_or_control(rcpt))
		return;
	for (size_t i = 0; i < ret->nrcpt; i++)
		if (str_ieq(ret->rcpt[i], rcpt))
			return;
	if (ret->nrcpt < RETURNED_RCPT_MAX)
		ret->rcpt[ret->nrcpt++] = rcpt;
}

/* ---- delivery reports (RFC 3464, 6533), MDNs (RFC 8098) */

/* "\x{4E2D}" of utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 section 3);
 * 0: none here. */
static size_t
escape_length(struct str text, uint32_t *ret)
{
	uint32_t c = 0;
	size_t i = 3;
	if (!str_starts(text, STR("\\x{")))
		return 0;
	for (; i < text.len && i < 9 && char_hex(text.p[i]) >= 0; i++)
		c = c << 4 | (uint32_t)char_hex(text.p[i]);
	if (i == 3 || i == text.len || text.p[i] != '}')
		return 0;
	*ret = c;
	return i + 1;
}

static struct str
utf8_address(struct arena *a, struct str text)
{
	if (str_find(text, STR("\\x{")) == STR_NONE)
		return text;
	struct buf *out = buf_new(a, text.len * 4);
	while (text.len > 0) {
		uint32_t c;
		size_t n = escape_length(text, &c);
		if (n > 0)
			utf8_put(out, c);
		else
			buf_putc(out, text.p[0]);
		text = str_skip(text, n > 0 ? n : 1);
	}
	return buf_str(out);
}

/* "rfc822; a@b", "x-local; bob", "utf-8; ...", or the address alone. */
static void
typed_rcpt_add(struct walk *w, struct str value)
{
	struct str address = value;
	struct str type = str_trim(str_cut(&address, ';'));
	if (str_chr(type, '@') != STR_NONE)
		address = type;
	else if (str_ieq(type, STR("utf-8")))
		address = utf8_address(w->a, address);
	rcpt_add(w->ret, address);
}

/* "5.1.1", with or without a comment behind it (RFC 3463). */
static bool
status_parse(struct str value, struct str *ret)
{
	struct str word = str_word(&value);
	size_t ndots = 0, ndigits = 0;
	for (size_t i = 0; i < word.len; i++) {
		bool is_dot = word.p[i] == '.';
		if (!is_dot && !char_is_digit(word.p[i]))
			return false;
		if (is_dot && ndigits == 0)
			return false;
		ndots += is_dot;
		ndigits = is_dot ? 0 : ndigits + 1;
		if (ndigits > 3)
			return false;
	}
	*ret = word;
	return ndots == 2 && ndigits > 0;
}

/* X-Postfix-Queue-ID; "Postfix" is the setting mail_name. */
static bool
is_queue_id_name(struct str name)
{
	return str_istarts(name, STR("X-")) &&
	       str_iends(name, STR("-Queue-ID"));
}

static bool
is_queue_id(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!char_is_alnum(text.p[i]))
			return false;
	return text.len > 0 && text.len <= QUEUE_ID_BYTES;
}

static void
read_report_field(struct walk *w, const struct dkim_field *field, bool is_own)
{
	struct returned *ret = w->ret;
	struct str value = field_value(field), status;
	if (str_ieq(field->name, STR("Original-Recipient")) ||
	    str_ieq(field->name, STR("Final-Recipient")))
		typed_rcpt_add(w, value);
	else if (str_ieq(field->name, STR("Status")) && ret->status.len == 0 &&
		 status_parse(value, &status))
		ret->status = status;
	else if (str_ieq(field->name, STR("Original-Message-ID")))
		strs_add(w->a, &w->original_ids, value);
	else if (is_own && is_queue_id_name(field->name) &&
		 ret->queue_id.len == 0 && is_queue_id(value))
		ret->queue_id = value;
}

/* Groups of fields with empty lines between.  `is_own`: the report is the
 * notice itself, so the queue id is its writer's. */
static void
read_report(struct walk *w, struct str text, bool is_own)
{
	for (size_t i = 0; i < GROUPS_MAX && text.len > 0; i++) {
		struct dkim_mail group;
		dkim_mail_cut(w->a, text, PART_FIELDS_MAX, &group);
		for (size_t at = 0; at < group.n; at++)
			read_report_field(w, &group.v[at], is_own);
		bool is_empty_line = str_starts(text, STR("\n"));
		text = group.body;
		if (group.n == 0 && !is_empty_line)
			(void)str_line(&text);
	}
}

/* ---- parts */

static bool
is_one_of(struct str type, const char *const *types)
{
	for (; *types != NULL; types++)
		if (str_eq(type, str_from(*types)))
			return true;
	return false;
}

static bool
is_report_type(struct str type)
{
	static const char *const types[] = {"message/delivery-status",
	    "message/global-delivery-status",
	    "message/disposition-notification",
	    "message/global-disposition-notification",
	    "message/feedback-report", NULL};
	return is_one_of(type, types);
}

static bool
is_message_type(struct str type)
{
	static const char *const types[] = {
	    "message/rfc822", "message/global", NULL};
	return is_one_of(type, types);
}

/* The second row is what some write instead. */
static bool
is_header_type(struct str type)
{
	static const char *const types[] = {"text/rfc822-headers",
	    "message/global-headers", "text/rfc822-header", "text/rfc822",
	    "message/rfc822-headers", NULL};
	return is_one_of(type, types);
}

/* What separates the parts of a multipart. */
struct cutter {
	struct str rest;
	struct str boundary;
	bool is_end;
};

/* --boundary or --boundary-- and blanks. */
static bool
is_boundary(struct str line, struct str boundary, bool *ret_is_last)
{
	if (!str_starts(line, STR("--")) ||
	    !str_starts(str_skip(line, 2), boundary))
		return false;
	struct str rest = str_skip(line, 2 + boundary.len);
	*ret_is_last = str_starts(rest, STR("--"));
	return str_trim(str_skip(rest, *ret_is_last ? 2 : 0)).len == 0;
}

/* The text up to the next boundary; its last \n is the boundary's (RFC 2046
 * section 5.1.1).  `*ret_closed`: there was one. */
static struct str
cutter_text(struct cutter *c, bool *ret_closed)
{
	struct str all = c->rest;
	while (c->rest.len > 0) {
		struct str line = str_line(&c->rest);
		if (!is_boundary(line, c->boundary, &c->is_end))
			continue;
		size_t len = (size_t)(line.p - all.p);
		*ret_closed = true;
		return str_sub(all, 0, len > 0 ? len - 1 : 0);
	}
	c->is_end = true;
	*ret_closed = false;
	return all;
}

/* Pass over the preamble; false: there is no part. */
static bool
cutter_start(struct cutter *c, struct str body, struct str boundary)
{
	bool is_closed;
	*c = (struct cutter){.rest = body, .boundary = boundary};
	(void)cutter_text(c, &is_closed);
	return is_closed && !c->is_end;
}

static void
cutter_next(struct walk *w, struct cutter *c, struct piece *ret)
{
	struct str text = cutter_text(c, &ret->is_closed);
	dkim_mail_cut(w->a, text, PART_FIELDS_MAX, &ret->mail);
	ret->type =
	    media_type(w->a, value_last(&ret->mail, STR("Content-Type")));
	w->nparts++;
}

/* Leave out what is no field in front: empty lines, "From x" of a mailbox. */
static struct str
skip_to_fields(struct str text)
{
	for (;;) {
		struct str rest = text;
		struct str line = str_line(&rest);
		if (rest.len == 0 || (str_trim(line).len > 0 &&
					 !str_starts(line, STR("From ")) &&
					 !str_starts(line, STR(">From "))))
			return text;
		text = rest;
	}
}

static void
take_original(
    struct walk *w, const struct piece *piece, enum returned_form form)
{
	w->ret->form = form;
	w->original = skip_to_fields(piece_text(w, piece));
	w->may_be_whole = piece->is_closed && is_message_type(piece->type);
}

static bool
walk_is_done(const struct walk *w)
{
	return w->ret->form != RETURNED_NONE ||
	       w->nparts >= w->m->config->limits.parts;
}

static void
take_text(struct walk *w, const struct piece *piece)
{
	if (w->texts.n < TEXTS_MAX && str_eq(piece->type, STR("text/plain")))
		strs_add(w->a, &w->texts, piece_text(w, piece));
}

static void walk_parts(struct walk *w, const struct piece *piece, size_t depth);

/* A part that is not in the message's own report. */
static void
walk_piece(struct walk *w, const struct piece *piece, size_t depth)
{
	if (is_message_type(piece->type) || is_header_type(piece->type))
		take_original(w, piece, RETURNED_PART);
	else if (is_report_type(piece->type))
		read_report(w, piece_text(w, piece), false);
	else if (str_starts(piece->type, STR("multipart/")) &&
		 depth < DEPTH_MAX)
		walk_parts(w, piece, depth + 1);
	else
		take_text(w, piece);
}

static struct str
boundary_of(struct walk *w, struct str content_type)
{
	return mime_type_parse(w->a, content_type)->boundary;
}

static void
walk_parts(struct walk *w, const struct piece *piece, size_t depth)
{
	struct cutter c;
	struct str boundary =
	    boundary_of(w, value_last(&piece->mail, STR("Content-Type")));
	if (boundary.len == 0 || !cutter_start(&c, piece->mail.body, boundary))
		return;
	while (!c.is_end && !walk_is_done(w)) {
		struct piece next;
		cutter_next(w, &c, &next);
		walk_piece(w, &next, depth);
	}
}

/*
 * The message is itself a multipart/report: text, report, original (RFC 6522
 * section 3).  An original that comes before the report is any part.
 */
static void
walk_report(struct walk *w, const struct piece *root, struct str boundary)
{
	struct cutter c;
	bool has_report = false;
	if (!cutter_start(&c, root->mail.body, boundary))
		return;
	while (!c.is_end && !walk_is_done(w)) {
		struct piece next;
		cutter_next(w, &c, &next);
		bool is_original =
		    is_message_type(next.type) || is_header_type(next.type);
		if (has_report && is_original) {
			take_original(w, &next, RETURNED_REPORT);
		} else if (!has_report && is_report_type(next.type)) {
			has_report = true;
			read_report(w, piece_text(w, &next), true);
		} else {
			walk_piece(w, &next, 1);
		}
	}
}

/* ---- text */

/* Blanks and > before a line that is quoted. */
static size_t
quote_length(struct str line)
{
	size_t i = 0;
	while (i < line.len && (char_is_blank(line.p[i]) || line.p[i] == '>'))
		i++;
	return i;
}

/* A header in a text: lines with the same quote before them. */
struct block {
	struct buf *text;
	size_t nfields;
	bool has_trace; /* Received or Message-ID: no reply quotes these */
};

static void
block_put(struct block *b, struct str line)
{
	struct str name = str_sub(line, 0, str_chr(line, ':'));
	if (header_is_field(line)) {
		b->nfields++;
		b->has_trace |= str_ieq(name, STR("Received")) ||
				str_ieq(name, STR("Message-ID"));
	}
	buf_put(b->text, line);
	buf_putc(b->text, '\n');
}

/* The next line of `*rest` without `quote`; false: it is not quoted so. */
static bool
quoted_line(struct str *rest, struct str quote, struct str *ret)
{
	struct str from = *rest;
	struct str line = str_line(rest);
	if (str_starts(line, quote)) {
		*ret = str_skip(line, quote.len);
		return true;
	}
	*ret = STR_EMPTY;
	if (str_eq(line, str_trim(quote)))
		return true;
	*rest = from;
	return false;
}

/* A header, so a line that is no field was wrapped by whoever returned it. */
static bool
block_is_header(const struct block *b)
{
	return b->nfields >= 3 && b->has_trace;
}

/* Take the fields that `*rest` starts with behind `quote`. */
static void
block_read(struct block *b, struct str *rest, struct str quote)
{
	struct str line;
	while (rest->len > 0) {
		struct str from = *rest;
		if (!quoted_line(rest, quote, &line))
			return;
		bool is_fold = line.len > 0 && char_is_blank(line.p[0]);
		bool is_field = header_is_field(line) || is_fold;
		if (line.len == 0)
			return;
		if (!is_field && !block_is_header(b)) {
			*rest = from;
			return;
		}
		if (!is_field)
			buf_putc(b->text, ' ');
		block_put(b, line);
	}
}

/* "<a@b>:" stands alone, which is no field: what qmail says of a recipient. */
static bool
read_qmail_rcpt(struct walk *w, struct str line)
{
	line = str_trim(line);
	if (!str_starts(line, STR("<")) || !str_ends(line, STR(">:")) ||
	    str_chr(line, '@') == STR_NONE)
		return false;
	rcpt_add(w->ret, str_sub(line, 0, line.len - 1));
	return true;
}

/*
 * The first header in `text`: three fields or more, and one of them is a trace
 * (qmail, Exim, Sendmail of old, Exchange, Domino each have another line above
 * it, some translated).  False: none.
 */
static bool
search_text(struct walk *w, struct str text)
{
	text = str_sub(text, 0, TEXT_BYTES);
	struct buf *copy = buf_new(w->a, text.len * 2 + 1);
	while (text.len > 0) {
		struct str from = text;
		struct str line = str_line(&text);
		struct str quote = str_sub(line, 0, quote_length(line));
		if (read_qmail_rcpt(w, line) ||
		    !header_is_field(str_skip(line, quote.len)))
			continue;
		struct block block = {.text = copy};
		copy->len = 0;
		text = from;
		block_read(&block, &text, quote);
		if (block_is_header(&block)) {
			w->original = buf_str(copy);
			w->ret->form = RETURNED_TEXT;
			return true;
		}
		/* A delivery report as text. */
		read_report(w, str_dup(w->a, buf_str(copy)), false);
	}
	return false;
}

static void
search_texts(struct walk *w)
{
	size_t nrcpt = w->ret->nrcpt, nids = w->original_ids.n;
	struct str status = w->ret->status;
	for (size_t i = 0; i < w->texts.n; i++)
		if (search_text(w, w->texts.v[i]))
			return;
	/* Without an original what looks like a recipient may be anything. */
	w->ret->nrcpt = nrcpt;
	w->ret->status = status;
	w->original_ids.n = nids;
}

/* ---- the original */

/*
 * Who prepends a Return-Path field does it above all Received fields; one below
 * has come with the message.
 */
static void
read_return_path(struct returned *ret)
{
	for (size_t i = 0; i < ret->mail.n; i++) {
		const struct dkim_field *field = &ret->mail.v[i];
		if (str_ieq(field->name, STR("Received")))
			return;
		if (!str_ieq(field->name, STR("Return-Path")))
			continue;
		struct str path = without_angles(field_value(field));
		ret->has_return_path = !has_space_or_control(path) &&
				       path.len <= LEDGER_PATH_BYTES;
		ret->return_path = ret->has_return_path ? path : STR_EMPTY;
		return;
	}
}

static void
read_trace(struct walk *w)
{
	struct returned *ret = w->ret;
	for (size_t i = 0; i < ret->mail.n; i++) {
		const struct dkim_field *field = &ret->mail.v[i];
		if (!str_ieq(field->name, STR("Received")) ||
		    ret->nreceived == RETURNED_RECEIVED_MAX)
			continue;
		struct received *received = &ret->received[ret->nreceived];
		if (!received_parse(w->a, field_value(field), received))
			received->by = STR_EMPTY;
		ret->received_at[ret->nreceived++] = i;
	}
}

static bool
is_auto_submitted(const struct dkim_mail *mail)
{
	struct str value = value_first(mail, STR("Auto-Submitted"));
	value = str_sub(value, 0, scan_until(value, 0, "; \t\r\n("));
	return value.len > 0 && !str_ieq(value, STR("no"));
}

static bool
is_from_daemon(struct walk *w, const struct dkim_mail *mail)
{
	struct strs list = {0};
	address_addrs(w->a, value_first(mail, STR("From")), &list);
	return list.n > 0 &&
	       str_ieq(address_local(list.v[0]), STR("mailer-daemon"));
}

static bool
is_notice(struct walk *w)
{
	const struct returned *ret = w->ret;
	const struct dkim_mail *mail = &ret->mail;
	struct str type =
	    media_type(w->a, value_last(mail, STR("Content-Type")));
	struct str precedence = value_first(mail, STR("Precedence"));
	return (ret->has_return_path && ret->return_path.len == 0) ||
	       is_auto_submitted(mail) ||
	       str_eq(type, STR("multipart/report")) ||
	       field_first(mail, STR("X-Failed-Recipients")) != NULL ||
	       str_ieq(precedence, STR("auto_reply")) ||
	       str_ieq(precedence, STR("auto-reply")) ||
	       is_from_daemon(w, mail);
}

static void
read_original(struct walk *w)
{
	struct returned *ret = w->ret;
	if (ret->form == RETURNED_NONE)
		return;
	dkim_mail_cut(w->a, w->original, FIELDS_MAX, &ret->mail);
	ret->is_whole = w->may_be_whole && !ret->mail.is_cut &&
			ret->mail.n > 0 && str_trim(ret->mail.body).len > 0;
	if (!ret->is_whole)
		ret->mail.body = STR_EMPTY;
	read_return_path(ret);
	read_trace(w);
	ret->is_notice = is_notice(w);
}

/* ---- the notice */

static struct str
root_value(struct walk *w, struct str name)
{
	return str_sub(
	    headers_value(w->a, &w->m->root->headers, name), 0, FIELD_BYTES);
}

static void
read_failed_recipients(struct walk *w)
{
	struct str value = root_value(w, STR("X-Failed-Recipients"));
	while (value.len > 0)
		rcpt_add(w->ret, str_cut(&value, ','));
}

/* The body as it came, \n line ends. */
static struct piece
root_piece(struct walk *w)
{
	struct str body = w->m->body_block;
	struct str head = str_line(&body);
	if (str_ends(head, STR("\r")) ||
	    str_ends(w->m->body_block, STR("\r\n")))
		body = transfer_unix_lines(w->a, w->m->body_block);
	else
		body = w->m->body_block;
	struct str encoding = root_value(w, STR("Content-Transfer-Encoding"));
	struct piece piece = {.is_closed = false};
	piece.type = media_type(w->a, root_value(w, STR("Content-Type")));
	piece.mail.body = str_starts(piece.type, STR("multipart/"))
			      ? body
			      : decode(w->a, body, encoding);
	return piece;
}

static void
walk_root(struct walk *w)
{
	struct piece root = root_piece(w);
	struct str boundary =
	    boundary_of(w, root_value(w, STR("Content-Type")));
	bool is_multipart =
	    str_starts(root.type, STR("multipart/")) && boundary.len > 0;
	if (is_multipart && str_eq(root.type, STR("multipart/report"))) {
		walk_report(w, &root, boundary);
	} else if (is_multipart) {
		struct cutter c;
		bool has_parts = cutter_start(&c, root.mail.body, boundary);
		while (has_parts && !c.is_end && !walk_is_done(w)) {
			struct piece next;
			cutter_next(w, &c, &next);
			walk_piece(w, &next, 1);
		}
	} else {
		walk_piece(w, &root, DEPTH_MAX);
	}
	/* Without its boundary a multipart is text to a reader. */
	if (w->ret->form == RETURNED_NONE && w->texts.n == 0)
		strs_add(w->a, &w->texts, root.mail.body);
}

/*
 * What a program quotes in its answer, it may have from a stranger's text; so
 * that counts less than what it says itself.
 */
static void
read_answered(struct walk *w)
{
	struct returned *ret = w->ret;
	struct str original = value_first(&ret->mail, STR("Message-ID"));
	if (ret->form == RETURNED_REPORT)
		ids_add(ret, original);
	for (size_t i = 0; i < w->original_ids.n; i++)
		ids_add(ret, w->original_ids.v[i]);
	ids_add(ret, root_value(w, STR("In-Reply-To")));
	ret->nsure = ret->nids;
	ids_add(ret, original);
	ids_add(ret, root_value(w, STR("References")));
}

void
returned_read(struct message *m, struct returned *ret)
{
	*ret = (struct returned){.form = RETURNED_NONE,
	    .mail = {.body = STR_EMPTY},
	    .return_path = STR_EMPTY,
	    .queue_id = STR_EMPTY,
	    .status = STR_EMPTY};
	struct walk w = {
	    .m = m, .a = m->arena, .ret = ret, .original = STR_EMPTY};
	walk_root(&w);
	if (ret->form == RETURNED_NONE)
		search_texts(&w);
	read_original(&w);
	read_failed_recipients(&w);
	read_answered(&w);
}
