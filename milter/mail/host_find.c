/* SPDX-License-Identifier: BSD-2-Clause */
/* host_find -- hosts in the text of header fields. */
#include "mail/host_find.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/buf.h"
#include "mail/uri_clean.h"

#define NAME_MAX_BYTES 251 /* before the dot of the top-level domain */

struct finder {
	struct str text;
	/*
	 * By dot: behind the top-level domain that follows it; 0: something
	 * else does.  Looked up once, for many places may try the same dot.
	 */
	uint32_t *ends;
};

/* None of the characters that a host may go on with. */
static bool
is_edge(char c)
{
	return c != '.' && c != '_' && c != '-';
}

/* Behind the top-level domain that starts at `at`; 0: none does. */
static size_t
tld_end(const struct mail_config *config, struct str text, size_t at)
{
	size_t end = at;
	while (end < text.len &&
	       (char_is_alnum(text.p[end]) || text.p[end] == '-'))
		end++;
	bool is_cut = end == text.len || is_edge(text.p[end]);
	return is_cut && tld_set_has(config->tlds, str_sub(text, at, end - at))
		   ? end
		   : 0;
}

/* The host that starts at `at`, the longest; empty: none. */
static struct str
host_at(const struct finder *f, size_t at)
{
	size_t end = 0;
	if (at > 0 && !is_edge(f->text.p[at - 1]))
		return STR_EMPTY;
	for (size_t i = at; i < f->text.len && i - at <= NAME_MAX_BYTES &&
			    !char_is_space(f->text.p[i]);
	     i++)
		if (i > at && f->ends[i] > 0)
			end = f->ends[i];
	return str_sub(f->text, at, end > at ? end - at : 0);
}

/* What is behind the last @ of a line that has a host behind it. */
static struct str
host_of_address(const struct finder *f, size_t from, size_t to)
{
	struct str host = STR_EMPTY;
	for (size_t i = to; i > from && host.len == 0; i--)
		if (f->text.p[i - 1] == '@')
			host = host_at(f, i);
	return host;
}

/* Of the first line that has one. */
static struct str
host_behind_at(const struct finder *f)
{
	struct str host = STR_EMPTY, rest = f->text;
	while (rest.len > 0 && host.len == 0) {
		size_t from = f->text.len - rest.len;
		(void)str_line(&rest);
		host = host_of_address(f, from, f->text.len - rest.len);
	}
	return uri_is_fqdn(host) ? host : STR_EMPTY;
}

static struct str
first_host(const struct finder *f)
{
	for (size_t at = 0; at < f->text.len;) {
		struct str host = host_at(f, at);
		if (uri_is_fqdn(host))
			return host;
		at += host.len > 0 ? host.len : 1;
	}
	return STR_EMPTY;
}

struct str
host_find(struct arena *a, const struct mail_config *config, struct str text)
{
	struct finder f = {text, ARENA_ARRAY(a, uint32_t, text.len)};
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] == '.')
			f.ends[i] = (uint32_t)tld_end(config, text, i + 1);
	struct str host = host_behind_at(&f);
	return host.len > 0 ? host : first_host(&f);
}

static struct str
v6_reversed(struct arena *a, const uint8_t ip[16])
{
	static const char digits[] = "0123456789abcdef";
	struct buf *b = buf_new(a, 64);
	for (size_t i = 16; i > 0; i--)
		buf_printf(b, "%s%c.%c", i < 16 ? "." : "",
		    digits[ip[i - 1] & 15], digits[ip[i - 1] >> 4]);
	return buf_str(b);
}

struct str
ip_reversed(struct arena *a, struct str ip)
{
	uint8_t bytes[16];
	if (ip.len >= INET6_ADDRSTRLEN || str_chr(ip, '\0') != STR_NONE)
		return STR_EMPTY;
	const char *text = str_c(a, ip);
	if (inet_pton(AF_INET, text, bytes) == 1)
		return str_printf(
		    a, "%u.%u.%u.%u", bytes[3], bytes[2], bytes[1], bytes[0]);
	return inet_pton(AF_INET6, text, bytes) == 1 ? v6_reversed(a, bytes)
						     : STR_EMPTY;
}
