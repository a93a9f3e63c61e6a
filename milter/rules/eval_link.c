/* SPDX-License-Identifier: BSD-2-Clause */
/* eval_link -- where links lead, and what they say where they lead. */
#include "base/arena.h"
#include "mail/address.h"
#include "mail/uri.h"
#include "rules/eval_rows.h"

/* Leads somewhere by http, and a reader clicks it: no picture, no style sheet.
 */
static bool
is_clicked(const struct uri *uri)
{
	static const struct str CLICKED[] = {
	    {"a", 1}, {"area", 4}, {"form", 4}};
	if (!str_istarts(uri->raw, STR("http")))
		return false;
	if (uri->tags.n == 0)
		return uri->is_parsed;
	for (size_t i = 0; i < COUNT_OF(CLICKED); i++)
		if (strs_ihas(&uri->tags, CLICKED[i]))
			return true;
	return false;
}

/* "www.example.com/path" or "https://example.com": the host; empty: another
 * word. */
static struct str
shown_host(struct eval_call *call, struct str word)
{
	struct message *m = call->message;
	bool has_scheme = str_istarts(word, STR("http://")) ||
			  str_istarts(word, STR("https://"));
	if (has_scheme)
		return uri_host(m->arena, word);
	size_t end = 0;
	while (end < word.len && word.p[end] != '/' && word.p[end] != '?' &&
	       word.p[end] != ':')
		end++;
	struct str host = str_sub(word, 0, end);
	size_t dot = str_rchr(host, '.');
	if (dot == STR_NONE || dot == 0 || str_chr(host, '@') != STR_NONE ||
	    !tld_set_has(m->config->tlds, str_skip(host, dot + 1)))
		return STR_EMPTY;
	return str_lower(m->arena, host);
}

/* The host in the text of a link; a sentence that names one is no host. */
static struct str
anchor_host(struct eval_call *call, struct str anchor)
{
	struct str rest = anchor;
	struct str word = str_word(&rest);
	if (str_trim(rest).len > 0 && !str_istarts(word, STR("http")) &&
	    !str_istarts(word, STR("www.")))
		return STR_EMPTY;
	return shown_host(call, word);
}

static bool
is_foreign(struct eval_call *call, struct str host)
{
	struct str from = address_domain(eval_from(call));
	return from.len > 0 && !eval_same_org(call, host, from);
}

static int
judge_anchor(struct eval_call *call, const struct uri *uri, struct str anchor)
{
	struct arena *a = call->message->arena;
	struct str shown = anchor_host(call, anchor);
	struct str led = uri_host(a, uri->raw);
	if (shown.len == 0 || led.len == 0 || eval_same_org(call, shown, led))
		return 0;
	if (call->nargs > 0 && !is_foreign(call, shown))
		return 0;
	return eval_hit(call,
	    str_printf(a, "%.*s leads to %.*s", STR_ARG(shown), STR_ARG(led)));
}

int
eval_link_text_host(struct eval_call *call)
{
	const struct uris *uris = message_uri_list(call->message);
	for (size_t i = 0; i < uris->n; i++) {
		const struct uri *uri = &uris->v[i];
		for (size_t j = 0; j < uri->anchors.n && is_clicked(uri); j++)
			if (judge_anchor(call, uri, uri->anchors.v[j]))
				return 1;
	}
	return 0;
}

int
eval_link_elsewhere(struct eval_call *call)
{
	struct arena *a = call->message->arena;
	struct str from = address_domain(eval_from(call));
	const struct uris *uris = message_uri_list(call->message);
	struct str led = STR_EMPTY;
	for (size_t i = 0; i < uris->n && from.len > 0; i++) {
		if (!is_clicked(&uris->v[i]))
			continue;
		struct str host = uri_host(a, uris->v[i].raw);
		if (host.len == 0)
			continue;
		if (eval_same_org(call, host, from))
			return 0;
		led = host;
	}
	return led.len == 0 ? 0 : eval_hit(call, led);
}
