/* SPDX-License-Identifier: BSD-2-Clause */
/* uri_host -- the host of a link, and whether it is one. */
#include <arpa/inet.h>

#include "base/arena.h"
#include "mail/idn.h"
#include "mail/scan.h"
#include "mail/uri_clean.h"

#define HOST_MAX 253 /* RFC 1035 section 2.3.4, without the root */
#define LABEL_MAX 63

static bool
is_label(struct str label, bool allows_underscore)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.p[0] == '-' ||
	    label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!char_is_alnum(label.p[i]) && label.p[i] != '-' &&
		    !(label.p[i] == '_' && allows_underscore))
			return false;
	return true;
}

bool
uri_is_fqdn(struct str host)
{
	while (str_ends(host, STR(".")))
		host.len--;
	if (host.len > HOST_MAX || host.len == 0)
		return false;
	size_t dots = 0;
	for (size_t i = 0; i < host.len; i++)
		dots += host.p[i] == '.';
	if (dots == 0)
		return false;
	for (; host.len > 0; dots--)
		if (!is_label(str_cut(&host, '.'), dots > 1))
			return false;
	return true;
}

bool
uri_has_tld(const struct mail_config *config, struct str host)
{
	size_t dot = str_rchr(host, '.');
	if (dot == STR_NONE || dot + 1 == host.len)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (char_is_space(host.p[i]))
			return false;
	return tld_set_has(config->tlds, str_skip(host, dot + 1));
}

static bool
is_address(struct arena *a, struct str host)
{
	unsigned char address[16];
	if (host.len == 0 || host.len >= INET6_ADDRSTRLEN ||
	    str_chr(host, '\0') != STR_NONE)
		return false;
	const char *text = str_c(a, host);
	return inet_pton(AF_INET, text, address) == 1 ||
	       inet_pton(AF_INET6, text, address) == 1;
}

/* Behind the one @ of an address; empty: none, or several. */
static struct str
mail_host(struct str s)
{
	s = str_sub(s, 0, str_chr(s, '?'));
	size_t at = str_chr(s, '@');
	if (at == STR_NONE || at != str_rchr(s, '@'))
		return STR_EMPTY;
	return str_skip(s, at + 1);
}

/* Between the scheme with its slashes and the path, without user and port. */
static struct str
web_host(struct str s)
{
	size_t n = 0;
	while (n < s.len && char_is_alpha(s.p[n]))
		n++;
	if (n > 0 && n < s.len && s.p[n] == ':') {
		s = str_skip(s, n + 1);
		for (int i = 0; i < 2 && str_starts(s, STR("/")); i++)
			s = str_skip(s, 1);
	}
	s = str_sub(s, 0, scan_until(s, 0, "/?#"));
	size_t at = str_rchr(s, '@');
	if (at != STR_NONE)
		s = str_skip(s, at + 1);
	n = s.len;
	while (n > 0 && char_is_digit(s.p[n - 1]))
		n--;
	return n > 0 && s.p[n - 1] == ':' ? str_sub(s, 0, n - 1) : s;
}

static struct str
host_of(struct str uri)
{
	static const struct str none[] = {
	    {"javascript:", 11}, {"cid:", 4}, {"file:", 5}};
	for (size_t i = 0; i < COUNT_OF(none); i++)
		if (str_istarts(uri, none[i]))
			return STR_EMPTY;
	return str_istarts(uri, STR("mailto:")) ? mail_host(str_skip(uri, 7))
						: web_host(uri);
}

/* The host that `uri` leads to; empty: none that can be found. */
static struct str
sound_host(struct arena *a, const struct mail_config *config, struct str uri)
{
	struct str host = host_of(uri);
	/* An encoded character is in neither. */
	if (is_address(a, host) ||
	    (uri_is_fqdn(host) && uri_has_tld(config, host)))
		return host;
	return STR_EMPTY;
}

struct str
uri_named_host(
    struct arena *a, const struct mail_config *config, struct str uri)
{
	return str_lower(a, sound_host(a, config, uri));
}

bool
uri_has_domain(struct arena *a, const struct strs *variants,
    const struct mail_config *config)
{
	for (size_t i = 0; i < variants->n; i++)
		if (sound_host(a, config, variants->v[i]).len > 0)
			return true;
	return false;
}

struct str
uri_domain(struct arena *a, const struct mail_config *config, struct str uri)
{
	struct str host = sound_host(a, config, uri);
	if (host.len == 0 || is_address(a, host))
		return str_lower(a, host);
	return tld_domain(a, config->tlds, host);
}

struct str
uri_host(struct arena *a, struct str uri)
{
	static const struct str schemes[] = {
	    {"http:", 5}, {"https:", 6}, {"ftp:", 4}, {"mailto:", 7}};
	bool is_known = false;
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		is_known |= str_istarts(uri, schemes[i]);
	if (!is_known)
		return STR_EMPTY;
	struct str host = host_of(uri);
	while (str_ends(host, STR(".")))
		host.len--;
	return idn_to_ascii(a, host);
}
