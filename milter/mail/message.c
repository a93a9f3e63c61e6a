/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message -- a message and its parts, decoded and rendered when asked.  The
 * strings that rules run on are made in text.c.
 */
#include "mail/message.h"

#include "base/arena.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/html.h"
#include "mail/mime.h"
#include "mail/open.h"
#include "mail/trace.h"
#include "mail/transfer.h"
#include "mail/uri.h"

const struct mail_limits MAIL_LIMITS_DEFAULT = {
    .header_bytes = (size_t)1 << 20,
    .header_value_bytes = 8192,
    .part_header_bytes = (size_t)16 << 20,
    .parts = 10000,
    .depth = 20,
    .body_part_bytes = 50000,
    .rawbody_part_bytes = 500000,
    .embedded_bytes = (size_t)64 << 20,
    .render_bytes = (size_t)8 << 20,
    .uris = 10000,
    .uri_bytes = 8192,
    .base_bytes = (size_t)8 << 20,
    .variant_bytes = (size_t)32 << 20,
};

struct part *
part_new(struct message *m, struct part *parent)
{
	struct part *part = ARENA_NEW(m->arena, struct part);
	part->parent = parent;
	part->depth = parent == NULL ? 0 : parent->depth + 1;
	part->type = part->effective = part->charset = part->name = STR_EMPTY;
	part->shown_name = part->boundary = part->body = STR_EMPTY;
	part->decoded = part->rendered = STR_EMPTY;
	m->nparts++;
	return part;
}

/* What filters in front of us have said is no part of the message. */
static void
drop_marks(struct headers *headers)
{
	size_t n = 0;
	for (size_t i = 0; i < headers->n; i++)
		if (!str_istarts(headers->v[i].name, STR("X-Spam-")))
			headers->v[n++] = headers->v[i];
	headers->n = n;
}

static struct str
join(struct arena *a, struct str x, struct str y)
{
	char *p = arena_alloc(a, x.len + y.len + 1);
	memcpy(p, x.p, x.len);
	memcpy(p + x.len, y.p, y.len);
	return str_of(p, x.len + y.len);
}

/* On top of all fields: the one our own MTA will add. */
static void
add_trace(struct message *m)
{
	struct headers *headers = &m->root->headers;
	m->trace = STR_EMPTY;
	struct str raw = m->envelope == NULL
			     ? STR_EMPTY
			     : trace_field(m->arena, m->envelope);
	if (raw.len == 0)
		return;
	m->trace = join(m->arena, STR("Received:"), raw);
	if (str_ends(m->header_block, STR("\r\n")))
		m->trace = message_with_crlf(m->arena, m->trace);
	headers_add(m->arena, headers, STR("Received"), raw);
	struct header trace = headers->v[headers->n - 1];
	trace.is_to_come = true;
	memmove(headers->v + 1, headers->v,
	    (headers->n - 1) * sizeof(headers->v[0]));
	headers->v[0] = trace;
}

struct message *
message_new_within(struct arena *a, struct str raw,
    const struct mail_config *config, const struct envelope *envelope,
    struct effort effort)
{
	struct message *m = ARENA_NEW(a, struct message);
	m->arena = a;
	m->config = config;
	m->envelope = envelope;
	m->effort = effort;
	m->raw = raw;
	m->root = part_new(m, NULL);
	message_open(m, m->root, raw);
	mime_parse(m, m->root);
	drop_marks(&m->root->headers);
	add_trace(m);
	return m;
}

struct message *
message_new(struct arena *a, struct str raw, const struct mail_config *config,
    const struct envelope *envelope)
{
	return message_new_within(a, raw, config, envelope, (struct effort){0});
}

struct str
message_full(struct message *m)
{
	if (m->trace.len == 0)
		return m->full;
	if (m->full_to_come.len == 0)
		m->full_to_come = join(m->arena, m->trace, m->full);
	return m->full_to_come;
}

struct part *
part_next(const struct part *part)
{
	if (part->child != NULL)
		return part->child;
	while (part != NULL && part->next == NULL)
		part = part->parent;
	return part == NULL ? NULL : part->next;
}

static bool
is_textual(struct str type)
{
	return str_starts(type, STR("text/")) ||
	       str_starts(type, STR("message/"));
}

static struct str
with_blank_line(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.len + 1);
	p[0] = '\n';
	memcpy(p + 1, text.p, text.len);
	return str_of(p, text.len + 1);
}

struct str
part_raw(struct message *m, const struct part *part)
{
	return part->starts_blank ? with_blank_line(m->arena, part->body)
				  : part->body;
}

struct str
part_decoded(struct message *m, struct part *part)
{
	if (part->has_decoded || part->is_container ||
	    effort_is_over(&m->effort, part->body.len))
		return part->decoded;
	struct arena *a = m->arena;
	struct str text = part_raw(m, part);
	struct str encoding =
	    headers_value(a, &part->headers, STR("content-transfer-encoding"));
	if (str_ieq(encoding, STR("quoted-printable"))) {
		text =
		    transfer_unix_lines(a, transfer_quoted_printable(a, text));
	} else if (str_ieq(encoding, STR("base64"))) {
		text = transfer_base64(a, text);
		if (is_textual(part->type))
			text = transfer_unix_lines(a, text);
	}
	part->decoded = text;
	part->has_decoded = true;
	return text;
}

static bool
is_base64_file(struct message *m, const struct part *part)
{
	return !is_textual(part->type) &&
	       str_ieq(headers_value(m->arena, &part->headers,
			   STR("content-transfer-encoding")),
		   STR("base64"));
}

struct str
part_head(struct message *m, struct part *part)
{
	if (part->head.len > 0)
		return part->head;
	bool is_large = part->body.len > 2 * PART_HEAD_BYTES;
	if (part->has_decoded || part->is_container || !is_large ||
	    effort_is_over(&m->effort, PART_HEAD_BYTES) ||
	    !is_base64_file(m, part) ||
	    !transfer_base64_head(
		m->arena, part_raw(m, part), PART_HEAD_BYTES, &part->head))
		part->head = str_sub(part_decoded(m, part), 0, PART_HEAD_BYTES);
	return part->head;
}

/* At most `most` bytes of `text`; UTF-8 is not cut inside a character. */
static struct str
head_of(struct str text, size_t most)
{
	if (text.len <= most)
		return text;
	size_t end = most;
	while (end > 0 && most - end < 3 &&
	       ((unsigned char)text.p[end] & 0xc0) == 0x80)
		end--;
	return str_sub(text, 0, end);
}

/* As `kind`, which is what Perl would hold it as. */
static struct str
part_text(struct message *m, struct part *part, struct str source,
    enum html_source *ret_kind)
{
	struct str declared =
	    part->charset.len == 0 ? STR("us-ascii") : part->charset;
	if (!m->config->keeps_charsets) {
		source = charset_normalize(
		    m->arena, source, declared, SIZE_MAX, &part->is_unicode);
		*ret_kind = part->is_unicode ? HTML_UNICODE : HTML_ASCII;
		return source;
	}
	part->is_unicode = charset_is_readable(source, declared);
	*ret_kind = part->is_unicode ? HTML_UNICODE : HTML_BYTES;
	return source;
}

static void
part_render(struct message *m, struct part *part)
{
	struct arena *a = m->arena;
	part->has_rendered = true;
	bool is_html = str_eq(part->effective, STR("text/html"));
	if (part->is_container ||
	    (!is_html && !str_eq(part->effective, STR("text/plain"))))
		return;
	struct str source =
	    head_of(part_decoded(m, part), m->config->limits.render_bytes);
	if (effort_is_over(&m->effort, source.len))
		return;
	enum html_source kind;
	struct str text = part_text(m, part, source, &kind);
	if (!is_html || source.len == 0) {
		part->rendered =
		    kind == HTML_BYTES ? html_from_latin1(a, text) : text;
		return;
	}
	struct mail_limits limits = m->config->limits;
	limits.base_bytes -= m->based;
	part->html = html_render(a, text, kind, &limits, &m->effort);
	m->based += part->html->base_bytes;
	m->is_cut_links |= part->html->is_cut;
	part->rendered = part->html->text;
	part->is_unicode = part->html->is_unicode;
}

struct str
part_rendered(struct message *m, struct part *part)
{
	if (!part->has_rendered)
		part_render(m, part);
	return part->rendered;
}

const struct html *
part_html(struct message *m, struct part *part)
{
	(void)part_rendered(m, part);
	return part->html;
}

struct message_cuts
message_cuts(const struct message *m)
{
	return (struct message_cuts){
	    .header = m->root->headers.is_cut,
	    .parts = m->is_cut_parts,
	    .depth = m->is_cut_depth,
	    .uris =
		m->is_cut_links || (m->uri_list != NULL && m->uri_list->is_cut),
	};
}
