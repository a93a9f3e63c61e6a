/* SPDX-License-Identifier: BSD-2-Clause */
/* uri -- every link of a message, from its text and from its HTML. */
#include "mail/uri.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/table.h"
#include "mail/header.h"
#include "mail/html.h"
#include "mail/uri_clean.h"

#define LINK_EFFORT 256 /* what a link costs besides its bytes */
#define ANCHORS_MAX 64  /* different texts of one link */

struct collector {
	struct redirector *redirector;
	struct effort *effort;
	struct arena *arena;
	const struct mail_config *config;
	struct uris *uris;
	struct table *known; /* its characters -> (void *)(index + 1) */
	size_t bytes;        /* of variants, kept or not */
};

/* Made for the first link. */
static struct redirector *
redirector(struct collector *c)
{
	if (c->redirector == NULL && c->config->redirector_new != NULL)
		c->redirector =
		    c->config->redirector_new(c->config->redirectors, c->arena);
	return c->redirector;
}

/*
 * Two links are the same if their characters are: bytes are characters of that
 * number.
 */
static struct str
key_of(struct collector *c, struct str raw, bool is_unicode)
{
	struct html_link link = {.url = raw, .is_unicode = is_unicode};
	return html_link_utf8(c->arena, &link);
}

/* The entry of that key, or NULL; new: none. */
static struct uri *
find(struct collector *c, struct str key)
{
	size_t at = (size_t)(uintptr_t)table_get(c->known, key);
	return at == 0 ? NULL : &c->uris->v[at - 1];
}

/*
 * The variants of `raw`; false: those of others are enough, or have taken all
 * the time.
 */
static bool
clean(struct collector *c, struct str raw, bool is_unicode, struct strs *ret)
{
	if (c->bytes > c->config->limits.variant_bytes || c->effort->is_over) {
		c->uris->is_cut = true;
		return false;
	}
	c->uris->is_truncated |= uri_variants(
	    c->arena, raw, is_unicode, c->config, redirector(c), ret);
	size_t bytes = 0;
	for (size_t i = 0; i < ret->n; i++)
		bytes += ret->v[i].len;
	c->bytes += bytes;
	(void)effort_is_over(c->effort, raw.len + bytes + LINK_EFFORT);
	return true;
}

static struct uri *
insert(struct collector *c, struct str key, const struct uri *uri)
{
	if (c->uris->n >= c->config->limits.uris) {
		c->uris->is_cut = true;
		return NULL;
	}
	ARENA_PUSH(c->arena, c->uris) = *uri;
	table_set(c->known, key, (void *)(uintptr_t)c->uris->n);
	return &c->uris->v[c->uris->n - 1];
}

static void
add_parsed(struct collector *c, const struct text_link *link)
{
	struct str key = key_of(c, link->url, false);
	struct uri *known = find(c, key);
	if (known != NULL) {
		known->is_schemeless |= link->is_schemeless;
		known->is_unlinked |= link->is_unlinked;
		return;
	}
	struct uri uri = {.raw = link->url,
	    .is_parsed = true,
	    .is_schemeless = link->is_schemeless,
	    .is_unlinked = link->is_unlinked};
	if (clean(c, uri.raw, false, &uri.cleaned) &&
	    uri_has_domain(c->arena, &uri.cleaned, c->config))
		(void)insert(c, key, &uri);
}

static void
add_text(struct collector *c, struct message *m)
{
	const struct strs *body = message_body(m);
	struct table *seen = table_new(c->arena, false);
	for (size_t i = 0; i < body->n; i++) {
		if (effort_is_over(c->effort, body->v[i].len + LINK_EFFORT))
			break;
		struct text_links found = {0};
		uri_find(c->arena, body->v[i], c->config, seen, &found);
		for (size_t k = 0; k < found.n; k++)
			add_parsed(c, &found.v[k]);
	}
}

/* NULL: too many. */
static struct uri *
add_html_uri(struct collector *c, const struct html_link *link)
{
	struct str key = key_of(c, link->url, link->is_unicode);
	struct uri *known = find(c, key);
	if (known != NULL)
		return known;
	struct uri uri = {.raw = link->url, .is_unicode = link->is_unicode};
	if (!clean(c, uri.raw, uri.is_unicode, &uri.cleaned))
		return NULL;
	return insert(c, key, &uri);
}

/* At most a few: one link may have very many different texts. */
static void
add_once(struct collector *c, struct strs *list, struct str s)
{
	if (list->n < ANCHORS_MAX && !strs_has(list, s))
		strs_add(c->arena, list, s);
}

static void
add_html(struct collector *c, const struct html *html)
{
	c->uris->is_truncated |= html->uri_truncated != 0;
	for (size_t i = 0; i < html->links.n; i++) {
		const struct html_link *link = &html->links.v[i];
		struct uri *uri = add_html_uri(c, link);
		if (uri != NULL)
			add_once(c, &uri->tags, link->tag);
	}
	for (size_t i = 0; i < html->hrefs.n; i++) {
		const struct html_link *href = &html->hrefs.v[i];
		struct uri *uri = add_html_uri(c, href);
		if (uri == NULL)
			continue;
		add_once(c, &uri->anchors, href->anchor);
		/* What a <base> leads elsewhere is of no tag, to SpamAssassin.
		 */
		uri->is_parsed |= uri->tags.n == 0;
	}
}

/* --- who signed --- */

/* "d=" without what is blank in it, as a link. */
static struct str
signer_link(struct arena *a, struct str domain)
{
	struct buf *link = buf_new(a, domain.len + 16);
	buf_put(link, STR("domainkeys:"));
	for (struct str word; (word = str_word(&domain)).len > 0;)
		buf_put(link, word);
	return buf_str(link);
}

static void
add_signer(struct collector *c, struct str raw)
{
	struct uri uri = {.raw = raw, .is_signer = true};
	if (uri_named_host(c->arena, c->config, raw).len == 0 ||
	    find(c, raw) != NULL)
		return;
	strs_add(c->arena, &uri.tags, STR("domainkeys"));
	strs_add(c->arena, &uri.tags, STR("nocanon"));
	strs_add(c->arena, &uri.tags, STR("noclean"));
	(void)insert(c, raw, &uri);
}

/* The domains that sign, wherever "d=" stands in the field. */
static void
add_signers(struct collector *c, struct str field)
{
	for (size_t i = 0; i < field.len; i++) {
		if (field.p[i] != 'd' ||
		    (i > 0 && char_is_word(field.p[i - 1])))
			continue;
		size_t from = i + 1;
		while (from < field.len && char_is_space(field.p[from]))
			from++;
		if (from == field.len || field.p[from] != '=')
			continue;
		struct str domain = str_skip(field, from + 1);
		domain = str_sub(domain, 0, str_chr(domain, ';'));
		if (domain.len == 0)
			continue;
		add_signer(c, signer_link(c->arena, domain));
		i = from + domain.len;
	}
}

static void
add_signatures(struct collector *c, struct message *m)
{
	static const struct header_query fields[] = {
	    {.name = {"DomainKey-Signature", 19}},
	    {.name = {"DKIM-Signature", 14}}};
	struct strs found = {0};
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		header_query_list(m, &fields[i], &found);
	for (size_t i = 0; i < found.n; i++)
		add_signers(c, found.v[i]);
}

const struct uris *
message_uri_list(struct message *m)
{
	if (m->uri_list != NULL)
		return m->uri_list;
	struct collector c = {.effort = &m->effort,
	    .arena = m->arena,
	    .config = m->config,
	    .uris = ARENA_NEW(m->arena, struct uris),
	    .known = table_new(m->arena, false)};
	add_text(&c, m);
	for (struct part *part = m->root; part != NULL;
	     part = part_next(part)) {
		const struct html *html =
		    part_is_leaf(part) ? part_html(m, part) : NULL;
		if (html != NULL)
			add_html(&c, html);
	}
	if (!m->config->has_no_signers)
		add_signatures(&c, m);
	m->uri_list = c.uris;
	return c.uris;
}

/* Neighbours that are equal become one. */
static void
drop_doubles(struct strs *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (n == 0 || !str_eq(list->v[i], list->v[n - 1]))
			list->v[n++] = list->v[i];
	list->n = n;
}

/* The variants of all links, those that are characters beyond ASCII apart. */
static void
make_uris(struct message *m)
{
	const struct uris *list = message_uri_list(m);
	for (size_t i = 0; i < list->n; i++) {
		const struct uri *uri = &list->v[i];
		for (size_t k = 0; k < uri->cleaned.n; k++)
			strs_add(m->arena,
			    uri->is_unicode && !str_is_ascii(uri->cleaned.v[k])
				? &m->wide_uris
				: &m->uris,
			    uri->cleaned.v[k]);
	}
	strs_sort(&m->uris);
	strs_sort(&m->wide_uris);
	drop_doubles(&m->uris);
	drop_doubles(&m->wide_uris);
	m->has_uris = true;
}

const struct strs *
message_uris(struct message *m)
{
	if (!m->has_uris)
		make_uris(m);
	return &m->uris;
}

const struct strs *
message_wide_uris(struct message *m)
{
	if (!m->has_uris)
		make_uris(m);
	return &m->wide_uris;
}
