/* SPDX-License-Identifier: BSD-2-Clause */
/* uri -- every link of a message, from its text and from its HTML. */
#include "mail/uri.h"

#include "base/arena.h"
#include "base/table.h"
#include "mail/html.h"
#include "mail/uri_clean.h"

#define ANCHORS_MAX 64 /* different texts of one link */

struct collector {
	struct redirector *redirector;
	struct arena *arena;
	const struct mail_config *config;
	struct uris *uris;
	struct table *known; /* raw -> (void *)(index + 1) */
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

/* The entry of `raw`, or NULL; new: none. */
static struct uri *
find(struct collector *c, struct str raw)
{
	size_t at = (size_t)(uintptr_t)table_get(c->known, raw);
	return at == 0 ? NULL : &c->uris->v[at - 1];
}

/* The variants of `raw`; false: those of others are enough. */
static bool
clean(struct collector *c, struct str raw, bool is_unicode, struct strs *ret)
{
	if (c->bytes > c->config->limits.variant_bytes) {
		c->uris->is_cut = true;
		return false;
	}
	c->uris->is_truncated |= uri_variants(
	    c->arena, raw, is_unicode, c->config, redirector(c), ret);
	for (size_t i = 0; i < ret->n; i++)
		c->bytes += ret->v[i].len;
	return true;
}

static struct uri *
insert(struct collector *c, struct str raw, struct strs cleaned)
{
	if (c->uris->n >= c->config->limits.uris) {
		c->uris->is_cut = true;
		return NULL;
	}
	ARENA_PUSH(c->arena, c->uris) =
	    (struct uri){.raw = raw, .cleaned = cleaned};
	table_set(c->known, raw, (void *)(uintptr_t)c->uris->n);
	return &c->uris->v[c->uris->n - 1];
}

static void
add_parsed(struct collector *c, struct str raw)
{
	if (find(c, raw) != NULL)
		return;
	struct strs cleaned = {0};
	if (!clean(c, raw, false, &cleaned) ||
	    !uri_has_domain(c->arena, &cleaned, c->config))
		return;
	struct uri *uri = insert(c, raw, cleaned);
	if (uri != NULL)
		uri->is_parsed = true;
}

static void
add_text(struct collector *c, struct message *m)
{
	const struct strs *body = message_body(m);
	struct table *seen = table_new(c->arena, false);
	for (size_t i = 0; i < body->n; i++) {
		struct strs found = {0};
		uri_find(c->arena, body->v[i], c->config, seen, &found);
		for (size_t k = 0; k < found.n; k++)
			add_parsed(c, found.v[k]);
	}
}

/* NULL: too many. */
static struct uri *
add_html_uri(struct collector *c, const struct html_link *link)
{
	struct uri *uri = find(c, link->url);
	if (uri != NULL)
		return uri;
	struct strs cleaned = {0};
	if (!clean(c, link->url, link->is_unicode, &cleaned))
		return NULL;
	return insert(c, link->url, cleaned);
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
		if (uri != NULL)
			add_once(c, &uri->anchors, href->anchor);
	}
}

const struct uris *
message_uri_list(struct message *m)
{
	if (m->uri_list != NULL)
		return m->uri_list;
	struct collector c = {.arena = m->arena,
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

const struct strs *
message_uris(struct message *m)
{
	if (m->has_uris)
		return &m->uris;
	const struct uris *list = message_uri_list(m);
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->v[i].cleaned.n; k++)
			strs_add(m->arena, &m->uris, list->v[i].cleaned.v[k]);
	strs_sort(&m->uris);
	drop_doubles(&m->uris);
	m->has_uris = true;
	return &m->uris;
}
