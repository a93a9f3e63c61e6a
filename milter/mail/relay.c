/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay -- the walk along the hops of a message, newest first: how far are they
 * trusted?  Reading one field is relay_line.c's matter.
 */
#include "mail/relay.h"

#include "base/arena.h"
#include "mail/header.h"
#include "mail/networks.h"
#include "mail/relay_ip.h"
#include "mail/relay_line.h"

#define HOP_EFFORT 1024 /* what a hop costs besides its bytes */

struct walk {
	struct message *m;
	struct relays *relays;
	const struct networks *networks; /* NULL: none are named */
	const struct network_set *trusted, *internal;
	struct str handed_on; /* by a qmail-scanner, to the field below it */
	bool in_trusted, in_internal, has_msa;
	bool takes_fetched; /* the hop above is trusted */
};

/* All of `v`, `between` them. */
static struct str
concat(struct arena *a, const struct str *v, size_t n, struct str between)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++)
		len += v[i].len + (i > 0 ? between.len : 0);
	char *p = arena_alloc(a, len + 1);
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > 0) {
			memcpy(p + at, between.p, between.len);
			at += between.len;
		}
		memcpy(p + at, v[i].p, v[i].len);
		at += v[i].len;
	}
	return str_of(p, len);
}

static struct str
relay_text(struct arena *a, const struct relay *r)
{
	bool has_sender = !str_eq(r->envfrom, STR("0"));
	const struct str parts[] = {
	    STR("[ ip="),
	    r->ip,
	    STR(" rdns="),
	    r->rdns,
	    STR(" helo="),
	    r->helo,
	    STR(" by="),
	    r->by,
	    STR(" ident="),
	    r->ident,
	    STR(" envfrom="),
	    has_sender ? r->envfrom : STR_EMPTY,
	    r->is_internal ? STR(" intl=1 id=") : STR(" intl=0 id="),
	    r->id,
	    STR(" auth="),
	    r->auth,
	    r->is_msa ? STR(" msa=1 ]") : STR(" msa=0 ]"),
	};
	return concat(a, parts, COUNT_OF(parts), STR_EMPTY);
}

/* No networks are named: private addresses, ours and logins are trusted. */
static void
walk_infer(struct walk *w, const struct relay *r)
{
	bool is_ours =
	    w->networks != NULL && network_set_has(&w->networks->own, r->ip);
	if (!r->is_ip_private && !is_ours && r->auth.len == 0)
		w->in_trusted = w->in_internal = false;
}

static void
walk_look_up(struct walk *w, struct relay *r)
{
	bool has_login = r->auth.len > 0;
	if (!has_login && !network_set_has(w->trusted, r->ip)) {
		w->in_trusted = w->in_internal = false;
		return;
	}
	if (!has_login && !network_set_has(w->internal, r->ip))
		w->in_internal = false;
	if (network_set_has(&w->networks->msa, r->ip))
		r->is_msa = w->has_msa = true;
}

static void
walk_add(struct walk *w, struct relay *r)
{
	struct relays *relays = w->relays;
	if (w->in_trusted && !w->has_msa) {
		if (w->trusted == NULL)
			walk_infer(w, r);
		else
			walk_look_up(w, r);
	}
	r->is_trusted = w->in_trusted;
	r->is_internal = w->in_internal;
	r->text = relay_text(w->m->arena, r);
	ARENA_PUSH(w->m->arena, relays) = *r;
	relays->n_trusted += w->in_trusted;
	relays->n_internal += w->in_internal;
	w->takes_fetched = w->in_trusted;
}

/* A mailbox was fetched here: what is above is not how the message came. */
static void
walk_restart(struct walk *w)
{
	if (!w->takes_fetched)
		return;
	w->relays->n = w->relays->n_trusted = w->relays->n_internal = 0;
}

static void
walk_field(struct walk *w, struct str field)
{
	struct relay relay;
	struct str handed_on = w->handed_on;
	enum relay_line_status status =
	    relay_line_parse(w->m->arena, field, &relay, &w->handed_on);
	w->relays->unparseable += status == RELAY_LINE_UNPARSEABLE;
	if (status == RELAY_LINE_FETCHED)
		walk_restart(w);
	if (status == RELAY_LINE_OK) {
		if (handed_on.len > 0 && !str_eq(handed_on, STR("0"))) {
			relay.envfrom = handed_on;
			relay.has_envfrom = true;
		}
		walk_add(w, &relay);
	}
	w->relays->fields_trusted += w->in_trusted;
	w->relays->fields_internal += w->in_internal;
}

/* Fields like X-Originating-IP count as one more hop, the oldest. */
static void
walk_originating(struct walk *w)
{
	size_t n = w->networks == NULL ? 0 : w->networks->originating.n;
	for (size_t i = 0; i < n; i++) {
		struct str ip,
		    value = headers_value(w->m->arena, &w->m->root->headers,
			w->networks->originating.v[i]);
		if (relay_ip_find(value, &ip))
			walk_field(
			    w, str_printf(w->m->arena,
				   "from X-Originating-IP: %.*s", STR_ARG(ip)));
	}
}

static struct str
texts_join(struct arena *a, const struct relay *v, size_t n)
{
	struct str *texts = ARENA_ARRAY(a, struct str, n + 1);
	for (size_t i = 0; i < n; i++)
		texts[i] = v[i].text;
	return concat(a, texts, n, STR(" "));
}

/* If one of them is named, it stands for the other as well. */
static void
walk_choose(struct walk *w)
{
	const struct networks *n = w->networks;
	if (n == NULL || (!n->has_trusted && !n->has_internal))
		return;
	w->trusted = n->has_trusted ? &n->trusted : &n->internal;
	w->internal = n->has_internal ? &n->internal : &n->trusted;
}

static void
relays_join(struct arena *a, struct relays *r)
{
	r->trusted = texts_join(a, r->v, r->n_trusted);
	r->untrusted = texts_join(a, r->v + r->n_trusted, r->n - r->n_trusted);
	r->internal = texts_join(a, r->v, r->n_internal);
	r->external = texts_join(a, r->v + r->n_internal, r->n - r->n_internal);
}

const struct relays *
message_relays(struct message *m)
{
	if (m->relays != NULL)
		return m->relays;
	struct walk w = {
	    .m = m,
	    .relays = ARENA_NEW(m->arena, struct relays),
	    .networks = m->config->networks,
	    .handed_on = STR_EMPTY,
	    .in_trusted = true,
	    .in_internal = true,
	    .takes_fetched = true,
	};
	walk_choose(&w);
	struct headers *headers = &m->root->headers;
	struct str name = STR("Received");
	for (size_t i = headers_find(headers, name, 0); i < headers->n;
	     i = headers_find(headers, name, i + 1)) {
		struct header *header = &headers->v[i];
		if (effort_is_over(&m->effort, header->raw.len + HOP_EFFORT))
			break;
		walk_field(&w, header_value(m, header));
	}
	walk_originating(&w);
	m->relays = w.relays;
	if (w.relays->v == NULL)
		w.relays->v = ARENA_NEW(m->arena, struct relay);
	relays_join(m->arena, m->relays);
	return m->relays;
}
