/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval_uri -- what SpamAssassin's URIEval and HTTPSMismatch ask of links: where
 * they lead, and what the text of a link says.
 */
#include "base/arena.h"
#include "base/ip.h"
#include "base/table.h"
#include "mail/html.h"
#include "mail/scan.h"
#include "mail/uchar.h"
#include "mail/uri.h"
#include "mail/uri_clean.h"
#include "rules/eval_rows.h"
#include "rules/perl.h"

#define EVIDENCE_MAX 200
#define DOMAIN_TAIL 250 /* bytes of a host that its domain is looked for in */

/* Behind "http://" or "https://"; STR_NONE: `s` has another scheme. */
static size_t
behind_http(struct str s)
{
	if (str_istarts(s, STR("http://")))
		return 7;
	return str_istarts(s, STR("https://")) ? 8 : STR_NONE;
}

static struct str
until(struct str s, const char *set)
{
	return str_sub(s, 0, scan_until(s, 0, set));
}

/* --- redirectors --- */

/* "http:host", at most two slashes before the host; empty: `s` has none. */
static struct str
inner_host(struct str s)
{
	size_t n = str_istarts(s, STR("http:"))    ? 5
		   : str_istarts(s, STR("https:")) ? 6
						   : 0;
	if (n == 0)
		return STR_EMPTY;
	s = str_skip(s, n);
	for (int i = 0; i < 2 && str_starts(s, STR("/")); i++)
		s = str_skip(s, 1);
	return until(s, "/:?");
}

/* One link in another. */
struct redirect {
	struct str from, to;
	struct str rest; /* the inner link */
};

/* Bytes from the last line end on that is not the end of `s`; 0: none. */
static size_t
last_line_bytes(struct str s)
{
	struct str before =
	    str_ends(s, STR("\n")) ? str_sub(s, 0, s.len - 1) : s;
	size_t at = str_rchr(before, '\n');
	return at == STR_NONE ? 0 : s.len - at;
}

/*
 * As the pattern of the plugin finds it: the outer host is as long as it can
 * be while a link is left behind it, then the first link behind that host.
 * What is behind the inner host must be one line: there are less than `line`
 * bytes, if that is not 0.
 */
static bool
redirect_find(struct str uri, size_t line, struct redirect *ret)
{
	size_t start = behind_http(uri);
	if (start == STR_NONE)
		return false;
	size_t host = until(str_skip(uri, start), "/:?").len;
	bool is_found = false;
	for (size_t at = start + 2; host > 0 && at < uri.len; at++) {
		bool is_behind = at > start + host;
		/* What is between them is one line. */
		if (uri.p[at - 1] == '\n' && is_behind)
			break;
		struct str to = inner_host(str_skip(uri, at));
		if (to.len == 0 || uri.p[at - 1] == '\n')
			continue;
		size_t end = (size_t)(to.p - uri.p) + to.len;
		if (line > 0 && uri.len - end >= line)
			continue;
		size_t outer = is_behind ? host : at - 1 - start;
		*ret = (struct redirect){
		    str_sub(uri, start, outer), to, str_skip(uri, at)};
		is_found = true;
		if (is_behind)
			break;
	}
	return is_found;
}

static struct str
domain_or_host(struct message *m, struct str host)
{
	struct str domain = uri_domain(m->arena, m->config, host);
	return domain.len > 0 ? domain : host;
}

/* Does `uri` lead to one domain by way of another? */
static bool
is_redirect(struct message *m, struct str uri)
{
	struct redirect r;
	size_t line = last_line_bytes(uri);
	while (redirect_find(uri, line, &r)) {
		if (!str_eq(domain_or_host(m, r.from), domain_or_host(m, r.to)))
			return true;
		uri = r.rest;
	}
	return false;
}

static int
redirect_among(struct eval_call *call, const struct strs *uris)
{
	for (size_t i = 0; i < uris->n; i++)
		if (is_redirect(call->message, uris->v[i]))
			return eval_hit(
			    call, str_sub(uris->v[i], 0, EVIDENCE_MAX));
	return 0;
}

static int
check_for_http_redirector(struct eval_call *call)
{
	return redirect_among(call, message_uris(call->message)) ||
	       redirect_among(call, message_wide_uris(call->message));
}

static int
check_uri_truncated(struct eval_call *call)
{
	return message_uri_list(call->message)->is_truncated;
}

/* --- what a link shows --- */

/* "1.2.3.4": four numbers, whatever they are. */
static bool
starts_with_numbers(struct str s)
{
	for (int i = 0; i < 4; i++) {
		size_t n = scan_digits(s, 0);
		if (n == 0)
			return false;
		s = str_skip(s, n);
		if (i == 3)
			return true;
		if (!str_starts(s, STR(".")))
			return false;
		s = str_skip(s, 1);
	}
	return true;
}

/* "https:", slashes, maybe user@, numbers. */
static bool
leads_to_numbers(struct str s, bool allows_http)
{
	size_t n = str_istarts(s, STR("https:")) ? 6 : 0;
	if (n == 0 && allows_http && str_istarts(s, STR("http:")))
		n = 5;
	if (n == 0)
		return false;
	s = str_skip(s, n);
	struct str host = s;
	while (str_starts(host, STR("/")))
		host = str_skip(host, 1);
	size_t user = scan_until(host, 0, "@/");
	if (user > 0 && user < host.len && host.p[user] == '@' &&
	    starts_with_numbers(str_skip(host, user + 1)))
		return true;
	return starts_with_numbers(host);
}

static int
check_https_ip_mismatch(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	for (size_t i = 0; i < pages->n; i++) {
		const struct html_links *hrefs = &pages->v[i].html->hrefs;
		for (size_t k = 0; k < hrefs->n; k++) {
			struct str shown = hrefs->v[k].anchor;
			if (leads_to_numbers(hrefs->v[k].url, true) &&
			    !leads_to_numbers(shown, false) &&
			    str_ifind(shown, STR("https:")) != STR_NONE)
				return eval_hit(
				    call, str_sub(shown, 0, EVIDENCE_MAX));
		}
	}
	return 0;
}

static bool
is_address(struct str host)
{
	struct ip ip;
	return str_chr(host, ':') == STR_NONE && ip_parse(host, &ip);
}

/* The registrable domain of `host`; empty: none. */
static struct str
domain_of(struct message *m, struct str host)
{
	if (host.len > DOMAIN_TAIL) {
		host = str_skip(host, host.len - DOMAIN_TAIL);
		host = str_skip(host, scan_until(host, 0, "."));
	}
	return tld_domain(m->arena, m->config->tlds, host);
}

/* The domain a link leads to; empty: an address, or none that is sound. */
static struct str
led_domain(struct message *m, struct str url)
{
	size_t start = behind_http(url);
	if (start == STR_NONE)
		return STR_EMPTY;
	struct str host = until(str_skip(url, start), "/:?#");
	if (host.len == 0 || is_address(host))
		return STR_EMPTY;
	struct str domain = domain_of(m, host);
	struct str sound = uri_domain(m->arena, m->config, domain);
	return uri_has_tld(m->config, sound) ? domain : STR_EMPTY;
}

/* Up to a blank or one of "/:?#". */
static struct str
shown_host(struct str s, bool is_unicode)
{
	struct str host = until(s, "/:?# \t\n\v\f\r");
	for (size_t i = 0, len; is_unicode && i < host.len; i += len)
		if (uchar_is_space(uchar_first(str_skip(host, i), &len)))
			return str_sub(host, 0, i);
	return host;
}

/* The domain that the text of a link shows as "https://..."; empty: none. */
static struct str
shown_domain(struct message *m, struct str text, bool is_unicode)
{
	struct str host = STR_EMPTY;
	for (struct str rest = text; host.len == 0;) {
		size_t at = str_ifind(rest, STR("https://"));
		if (at == STR_NONE)
			return STR_EMPTY;
		rest = str_skip(rest, at + 8);
		host = shown_host(rest, is_unicode);
	}
	if (is_address(host))
		return host;
	struct str domain = domain_of(m, host);
	return uri_has_tld(m->config, domain) ? domain : STR_EMPTY;
}

/* One place that links of a page lead to. */
struct target {
	struct str domain;
};

/* How many different links there are, and whether one shows another domain. */
static bool
count_anchors(struct message *m, const struct html *html, double *ret,
    struct str *ret_shown)
{
	struct table *targets = table_new(m->arena, false);
	bool is_hit = false;
	*ret = 0;
	for (size_t i = 0; i < html->hrefs.n; i++) {
		const struct html_link *href = &html->hrefs.v[i];
		struct str url = html_link_utf8(m->arena, href);
		struct target *target = table_get(targets, url);
		if (target == NULL) {
			target = ARENA_NEW(m->arena, struct target);
			target->domain = led_domain(m, url);
			table_set(targets, url, target);
			*ret += target->domain.len > 0;
		}
		if (target->domain.len == 0 || is_hit)
			continue;
		struct str shown =
		    shown_domain(m, href->anchor, html->is_unicode);
		is_hit = shown.len > 0 && !str_eq(shown, target->domain);
		if (is_hit)
			*ret_shown = str_sub(href->anchor, 0, EVIDENCE_MAX);
	}
	return is_hit;
}

static int
check_https_http_mismatch(struct eval_call *call)
{
	const struct html_facts *pages = eval_html_pages(call);
	struct str least = eval_arg(call, 0);
	double min =
	    least.len == 0 || str_eq(least, STR("0")) ? 1 : perl_number(least);
	for (size_t i = 0; i < pages->n; i++) {
		double n;
		struct str shown;
		if (count_anchors(
			call->message, pages->v[i].html, &n, &shown) &&
		    n >= min && (call->nargs < 2 || n < eval_number(call, 1)))
			return eval_hit(call, shown);
	}
	return 0;
}

const struct eval_row EVAL_URI[] = {
    {"check_for_http_redirector", 0, 0, "", NEED_LINKS,
	"a link leads to another domain by way of a first one", "URIEval",
	check_for_http_redirector},
    {"check_https_ip_mismatch", 0, 0, "", NEED_HTML,
	"a link leads to an address and shows https: with a name", "URIEval",
	check_https_ip_mismatch},
    {"check_uri_truncated", 0, 0, "", NEED_LINKS,
	"a link is longer than 8192 bytes", "URIEval", check_uri_truncated},
    {"check_https_http_mismatch", 0, 2, "s", NEED_HTML,
	"of N to less than M different links, one shows https:// and another "
	"domain than it leads to",
	"HTTPSMismatch", check_https_http_mismatch},
    {NULL, 0, 0, NULL, 0, NULL, NULL, NULL},
};
