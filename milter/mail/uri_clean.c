/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uri_clean -- the variants of a link: what hides its host is undone, step by
 * step, as SpamAssassin's uri_list_canonicalize does, and each result is kept.
 */
#include "mail/uri_clean.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "mail/scan.h"
#include "mail/uchar.h"

#define VARIANTS_MAX 128 /* of one link; links inside links make them many */
#define OCTET_GROWTH 20  /* a hexadecimal number is longer as a decimal one */

struct cleaner {
	struct arena *arena;
	const struct mail_config *config;
	struct redirector *redirector;
	bool is_unicode;
	bool is_truncated;
	struct strs queue; /* the link, and links found inside */
	struct strs *out;
	size_t first; /* of ours in `out` */
};

/* "http://host:80/rest" */
struct link {
	struct str scheme; /* "http://" or "https://", as written */
	bool has_user;
	struct str host;
	struct str rest;
	struct str port; /* digits behind the colon; empty: none */
};

/* --- pieces --- */

/* At most `limits.uri_bytes` characters. */
static struct str
shorten(const struct cleaner *c, struct str s)
{
	size_t most = c->config->limits.uri_bytes;
	return c->is_unicode ? uchar_sub(s, most) : str_sub(s, 0, most);
}

static void
add(struct cleaner *c, struct str variant)
{
	struct str whole = variant;
	variant = shorten(c, whole);
	c->is_truncated |= variant.len < whole.len;
	if (c->out->n - c->first >= VARIANTS_MAX)
		return;
	for (size_t i = c->first; i < c->out->n; i++)
		if (str_eq(c->out->v[i], variant))
			return;
	strs_add(c->arena, c->out, variant);
}

static void
add_link(struct cleaner *c, const struct link *link, struct str host)
{
	add(c, str_concat(c->arena, link->scheme, host, link->rest));
}

static struct str
without(struct cleaner *c, struct str s, char drop)
{
	if (str_chr(s, drop) == STR_NONE)
		return s;
	struct buf *out = buf_new(c->arena, s.len);
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != drop)
			buf_putc(out, s.p[i]);
	return buf_str(out);
}

static struct str
trim(const struct cleaner *c, struct str s)
{
	return c->is_unicode ? uchar_trim(s) : str_trim(s);
}

/* --- percent and entities --- */

int
uri_percent(struct str s, size_t i)
{
	if (s.p[i] != '%' || i + 2 >= s.len)
		return -1;
	int high = char_hex(s.p[i + 1]);
	int low = char_hex(s.p[i + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool
uri_has_percent(struct str uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if (uri_percent(uri, i) >= 0)
			return true;
	return false;
}

static bool
must_be_encoded(uint32_t code)
{
	return code <= 0x20 || (code >= 0x7f && code <= 0xff) || code == '"' ||
	       code == '%' || code == '<' || code == '>';
}

struct str
uri_decode_percent(struct arena *a, struct str uri, bool is_unicode)
{
	struct buf *out = buf_new(a, uri.len * 3);
	for (size_t i = 0, len = 1; i < uri.len; i += len) {
		int code = uri_percent(uri, i);
		if (code >= 0) {
			len = 3;
			if (code >= VISIBLE_FIRST && code <= VISIBLE_LAST)
				buf_putc(out, (char)code);
			else
				buf_put(out, str_sub(uri, i, 3));
			continue;
		}
		len = 1;
		uint32_t c = (unsigned char)uri.p[i];
		if (is_unicode && c >= 0x80)
			c = uchar_first(str_skip(uri, i), &len);
		if (must_be_encoded(c))
			buf_printf(out, "%%%02x", c);
		else
			buf_put(out, str_sub(uri, i, len));
	}
	return buf_str(out);
}

/* Length of the entity "&#65;" (base 10) or "&#x41;" (16) at `i`; 0: none. */
static size_t
visible_entity(struct str s, size_t i, unsigned base, char *ret)
{
	struct str rest = str_skip(s, i);
	if (!str_starts(rest, base == 16 ? STR("&#x") : STR("&#")))
		return 0;
	size_t n = base == 16 ? 3 : 2;
	while (n < rest.len && rest.p[n] == '0')
		n++;
	unsigned code = 0;
	size_t digits = n;
	for (; n < rest.len && n - digits < 3; n++) {
		int digit = char_hex(rest.p[n]);
		if (digit < 0 || digit >= (int)base)
			break;
		code = code * base + (unsigned)digit;
	}
	/* 2a to 2f are not undone: so it is there. */
	bool is_gap = base == 16 && code >= 0x2a && code <= 0x2f;
	if (n == rest.len || rest.p[n] != ';' || code < VISIBLE_FIRST ||
	    code > VISIBLE_LAST || is_gap)
		return 0;
	*ret = (char)code;
	return n + 1;
}

/* Full stops of other scripts (RFC 3490 section 3.1), as entities. */
static size_t
dot_entity(struct str s, size_t i, unsigned base, char *ret)
{
	static const struct str dots[] = {{"&#x2e;", 6}, {"&#12290;", 8},
	    {"&#x3002;", 8}, {"&#65294;", 8}, {"&#xff0e;", 8}, {"&#65377;", 8},
	    {"&#xff61;", 8}};
	(void)base;
	*ret = '.';
	for (size_t k = 0; k < COUNT_OF(dots); k++)
		if (str_istarts(str_skip(s, i), dots[k]))
			return dots[k].len;
	return 0;
}

static struct str
replace_entities(struct cleaner *c, struct str s, unsigned base,
    size_t (*match)(struct str s, size_t i, unsigned base, char *ret))
{
	if (str_find(s, STR("&#")) == STR_NONE)
		return s;
	struct buf *out = buf_new(c->arena, s.len);
	for (size_t i = 0; i < s.len;) {
		char code = s.p[i];
		size_t n = s.p[i] == '&' ? match(s, i, base, &code) : 0;
		buf_putc(out, n == 0 ? s.p[i] : code);
		i += n == 0 ? 1 : n;
	}
	return buf_str(out);
}

/* --- mail addresses --- */

/* `mailto:"Foo" <foo@bar.example>`: the address in the last < > before ? and &.
 */
static void
add_bracketed(struct cleaner *c, struct str s)
{
	size_t most = scan_until(s, 0, "?&");
	size_t at = STR_NONE;
	size_t close = STR_NONE;
	for (size_t i = s.len; i-- > 0;) {
		if (s.p[i] == '@')
			at = i;
		else if (s.p[i] == '>')
			close = i;
		if (s.p[i] != '<' || i >= most || at == STR_NONE ||
		    close == STR_NONE || at > close || at == i + 1 ||
		    close == at + 1)
			continue;
		add(c, str_concat(c->arena, STR("mailto:"),
			   str_sub(s, i + 1, close - i - 1), STR_EMPTY));
		return;
	}
}

/* Without "%20" in front. */
static void
add_unpadded(struct cleaner *c, struct str s)
{
	if (str_find(s, STR("%20")) == STR_NONE)
		return;
	size_t from = str_starts(s, STR("mailto:")) ? 7 : 0;
	size_t start = from;
	while (str_starts(str_skip(s, start), STR("%20")))
		start += 3;
	size_t at = str_chr(s, '@');
	if (at == STR_NONE || at == 0)
		return;
	if (at == start)
		start = start > from ? start - 3 : 0;
	size_t end = scan_until(s, at + 1, "?&%");
	if (end > at + 1)
		add(c, str_concat(c->arena, STR("mailto:"),
			   str_sub(s, start, end - start), STR_EMPTY));
}

/* Without "?subject=..." and "&...". */
static void
clean_mail(struct cleaner *c, struct str s)
{
	size_t at = str_chr(s, '@');
	if (at != STR_NONE && at > 0) {
		size_t end = scan_until(s, at + 1, "?");
		if (end < s.len && end > at + 1)
			add(c, str_sub(s, 0, end));
		end = scan_until(s, at + 1, "?&");
		if (end < s.len && end > at + 1 && s.p[end] == '&')
			add(c, str_sub(s, 0, end));
	}
	add_unpadded(c, s);
	add_bracketed(c, s);
}

static bool
is_mail(struct str s)
{
	size_t at = str_chr(s, '@');
	return str_istarts(s, STR("mailto:")) ||
	       (at != STR_NONE && str_chr(str_sub(s, 0, at), ':') == STR_NONE);
}

/* --- web links --- */

static struct str
slashes_forward(struct cleaner *c, struct str s)
{
	if (str_chr(s, '\\') == STR_NONE)
		return s;
	char *p = arena_alloc(c->arena, s.len);
	for (size_t i = 0; i < s.len; i++)
		p[i] = s.p[i] == '\\' ? '/' : s.p[i];
	return str_of(p, s.len);
}

/* Bytes of "http:" or "https:" at the start; 0: neither. */
static size_t
http_scheme(struct str s)
{
	if (str_istarts(s, STR("http:")))
		return 5;
	return str_istarts(s, STR("https:")) ? 6 : 0;
}

/* "http:x", "http:/x" -> "http://x" */
static struct str
with_two_slashes(struct cleaner *c, struct str s)
{
	size_t n = http_scheme(s);
	struct str rest = str_skip(s, n);
	if (n == 0 || str_starts(rest, STR("//")))
		return s;
	if (str_starts(rest, STR("/")))
		rest = str_skip(rest, 1);
	return str_concat(c->arena, str_sub(s, 0, n), STR("//"), rest);
}

static struct str
with_scheme(struct cleaner *c, struct str s)
{
	size_t n = 0;
	while (n < s.len && (char_is_word(s.p[n]) || s.p[n] == '-'))
		n++;
	if (n > 0 && n < s.len && s.p[n] == ':')
		return s;
	return str_concat(c->arena,
	    str_starts(s, STR("ftp.")) ? STR("ftp://") : STR("http://"), s,
	    STR_EMPTY);
}

/* "http://host?id" -> "http://host/?id" */
static struct str
with_path(struct cleaner *c, struct str s)
{
	size_t n = http_scheme(s);
	if (n == 0 || !str_starts(str_skip(s, n), STR("//")))
		return s;
	size_t end = scan_until(s, n + 2, "/?#");
	if (end == n + 2 || end == s.len || s.p[end] == '/')
		return s;
	return str_concat(
	    c->arena, str_sub(s, 0, end), STR("/"), str_skip(s, end));
}

static struct str
normalise(struct cleaner *c, struct str s)
{
	s = slashes_forward(c, s);
	s = with_two_slashes(c, s);
	if (uri_has_percent(s))
		s = uri_decode_percent(c->arena, s, c->is_unicode);
	s = with_scheme(c, s);
	s = with_path(c, s);
	s = replace_entities(c, s, 10, visible_entity);
	s = replace_entities(c, s, 16, visible_entity);
	return replace_entities(c, s, 0, dot_entity);
}

/* False: no http(s) link with a host. */
static bool
split(struct str s, struct link *ret)
{
	size_t n = http_scheme(s);
	if (n == 0 || !str_starts(str_skip(s, n), STR("//")))
		return false;
	n += 2;
	ret->scheme = str_sub(s, 0, n);
	ret->has_user = false;
	size_t user = scan_until(s, n, "@/?#");
	size_t host = n;
	if (user < s.len && s.p[user] == '@' &&
	    scan_until(s, user + 1, "/?#:") > user + 1) {
		ret->has_user = true;
		host = user + 1;
	}
	size_t end = scan_until(s, host, "/?#:");
	if (end == host)
		return false;
	ret->host = str_sub(s, host, end - host);
	ret->rest = str_skip(s, end);
	ret->port = STR_EMPTY;
	if (str_starts(ret->rest, STR(":"))) {
		size_t digits = 1;
		while (digits < ret->rest.len &&
		       char_is_digit(ret->rest.p[digits]))
			digits++;
		ret->port = str_sub(ret->rest, 1, digits - 1);
	}
	return true;
}

static bool
is_plain_http(const struct link *link)
{
	return str_eq(link->scheme, STR("http://"));
}

/* The rest without ":80" of http, ":443" of anything else; false: no such. */
static bool
drop_port(const struct cleaner *c, const struct link *link, struct str *ret)
{
	struct str port = is_plain_http(link) ? STR(":80") : STR(":443");
	if (!str_starts(link->rest, port))
		return false;
	*ret = str_skip(link->rest, port.len);
	if (ret->len == 0)
		return true;
	size_t len;
	if ((unsigned char)ret->p[0] < 0x80 || !c->is_unicode)
		return !char_is_word(ret->p[0]);
	return !uchar_is_word(uchar_first(*ret, &len));
}

/*
 * Without an IDN library SpamAssassin encodes the characters of a host as
 * UTF-8 a second time.
 */
static struct str
encode_twice(struct cleaner *c, struct str host)
{
	struct buf *out = buf_new(c->arena, host.len * 2);
	for (size_t i = 0; i < host.len; i++)
		utf8_put(out, (unsigned char)char_lower(host.p[i]));
	return buf_str(out);
}

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static struct str
without_controls(struct cleaner *c, struct str s)
{
	struct buf *out = buf_new(c->arena, s.len);
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] > ' ')
			buf_putc(out, s.p[i]);
	return buf_str(out);
}

static void
queue(struct cleaner *c, struct str uri)
{
	if (c->queue.n < VARIANTS_MAX)
		strs_add(c->arena, &c->queue, uri);
}

/* The link that a redirector, which is known by its pattern, leads on to. */
static bool
queue_known(struct cleaner *c, const struct link *link, struct str host)
{
	struct str target;
	if (c->redirector == NULL ||
	    !c->redirector->find(c->redirector,
		str_concat(c->arena, link->scheme, host, link->rest), &target))
		return false;
	queue(c, target);
	return true;
}

/* The first link inside `rest`. */
static void
queue_inner(struct cleaner *c, struct str rest)
{
	for (size_t i = 0; i + 5 < rest.len; i++) {
		if (char_lower(rest.p[i]) != 'h')
			continue;
		struct str inner = str_skip(rest, i);
		size_t n = http_scheme(inner);
		size_t end = n == 0 ? 0 : scan_until(inner, n, "&#");
		if (n == 0 || end == n)
			continue;
		inner = str_sub(inner, 0, end);
		if (str_chr(inner, '.') != STR_NONE)
			queue(c, inner);
		return;
	}
}

/* --- hosts that are numbers --- */

/* "0x7f", "0177", "127": digits of one number at the start; 0: none. */
static size_t
number_length(struct str s)
{
	size_t n = 0;
	if (str_istarts(s, STR("0x")) && s.len > 2 && char_hex(s.p[2]) >= 0) {
		for (n = 3; n < s.len && char_hex(s.p[n]) >= 0;)
			n++;
		return n;
	}
	while (n < s.len && char_is_digit(s.p[n]))
		n++;
	return n;
}

/* As a signed number of 64 bits prints; what is larger is cut as Perl cuts it.
 */
static void
put_hex_as_decimal(struct buf *out, struct str digits)
{
	uint64_t n = 0;
	bool is_over = false;
	for (size_t i = 0; i < digits.len; i++) {
		is_over |= n >> 60 != 0;
		n = n << 4 | (uint64_t)char_hex(digits.p[i]);
	}
	buf_printf(out, "%lld", is_over ? -1LL : (long long)n);
}

/* Is `s`, behind its zeros, an octal number that Perl's pattern takes? */
static bool
is_octal(struct str s)
{
	if (s.len == 0 || s.len > 3 || s.p[0] < '1')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
	return s.len < 3 || s.p[0] <= '3';
}

/* One octet; a lone "0" vanishes, as it does in SpamAssassin. */
static void
put_octet(struct buf *out, struct str s)
{
	if (str_istarts(s, STR("0x"))) {
		size_t from = out->len;
		put_hex_as_decimal(out, str_skip(s, 2));
		if (str_eq(str_skip(buf_str(out), from), STR("0")))
			out->len = from;
		return;
	}
	struct str rest = s;
	while (str_starts(rest, STR("0")))
		rest = str_skip(rest, 1);
	if (rest.len < s.len && is_octal(rest)) {
		unsigned n = 0;
		for (size_t i = 0; i < rest.len; i++)
			n = n * 8 + (unsigned)(rest.p[i] - '0');
		buf_printf(out, "%u", n);
		return;
	}
	buf_put(out, rest);
}

/* Four numbers with dots between; false: it is something else. */
static bool
split_octets(struct str host, struct str ret[4])
{
	for (size_t i = 0; i < 4; i++) {
		size_t n = number_length(host);
		if (n == 0)
			return false;
		ret[i] = str_sub(host, 0, n);
		host = str_skip(host, n);
		if (i < 3 && !str_starts(host, STR(".")))
			return false;
		host = str_skip(host, i < 3 ? 1 : 0);
	}
	return host.len == 0;
}

static struct str
dotted(struct cleaner *c, const struct str octet[4], size_t host_len)
{
	struct buf *out = buf_new(c->arena, host_len + 4 * OCTET_GROWTH);
	for (size_t i = 0; i < 4; i++) {
		put_octet(out, octet[i]);
		if (i < 3)
			buf_putc(out, '.');
	}
	return buf_str(out);
}

/* The four highest bytes of a number that is written in at least four. */
static struct str
dotted_number(struct cleaner *c, uint64_t n)
{
	char text[20];
	(void)snprintf(text, sizeof(text), "%08llx", (unsigned long long)n);
	unsigned byte[4];
	for (int i = 0; i < 4; i++) {
		byte[i] = (unsigned)(char_hex(text[i * 2]) * 16 +
				     char_hex(text[i * 2 + 1]));
	}
	return str_printf(
	    c->arena, "%u.%u.%u.%u", byte[0], byte[1], byte[2], byte[3]);
}

static bool
is_all(struct str s, bool (*is)(char c))
{
	for (size_t i = 0; i < s.len; i++)
		if (!is(s.p[i]))
			return false;
	return s.len > 0;
}

static bool
is_hex_digit(char c)
{
	return char_hex(c) >= 0;
}

static uint64_t
parse_number(struct str digits, unsigned base)
{
	uint64_t n = 0;
	for (size_t i = 0; i < digits.len; i++)
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(
			n, (uint64_t)char_hex(digits.p[i]), &n))
			return UINT64_MAX;
	return n;
}

/* "http://foo" -> "http://www.foo.com", as Firefox does. */
static void
add_guess(struct cleaner *c, const struct link *link, struct str name)
{
	if (!is_plain_http(link) || link->has_user ||
	    str_eq(name, STR("localhost")) ||
	    (link->port.len > 0 && !str_eq(link->port, STR("80"))))
		return;
	struct str label = name;
	if (str_starts(label, STR("www.")) && label.len > 4)
		label = str_skip(label, 4);
	if (label.len == 0 || str_chr(label, '.') != STR_NONE ||
	    uri_has_tld(c->config, name))
		return;
	add_link(
	    c, link, str_concat(c->arena, STR("www."), label, STR(".com")));
}

/* A host that is a number, or one word. */
static void
clean_odd_host(struct cleaner *c, const struct link *link, struct str host,
    struct str name)
{
	struct str octet[4];
	if (split_octets(host, octet)) {
		add_link(c, link, dotted(c, octet, host.len));
	} else if (str_istarts(host, STR("0x")) &&
		   is_all(str_skip(host, 2), is_hex_digit)) {
		struct str digits = str_skip(host, 2);
		if (digits.len > 8)
			digits = str_skip(digits, digits.len - 8);
		add_link(c, link, dotted_number(c, parse_number(digits, 16)));
	} else if (is_all(host, char_is_digit)) {
		add_link(c, link, dotted_number(c, parse_number(host, 10)));
	} else {
		add_guess(c, link, name);
	}
}

/* `host` without "user@" and without what no host ends in. */
static struct str
clean_host(struct cleaner *c, const struct link *link, struct str host)
{
	size_t at = str_chr(host, '@');
	if (at != STR_NONE && at > 0) {
		host = str_skip(host, at + 1);
		add_link(c, link, host);
	}
	size_t n = host.len;
	while (n > 0 && !char_is_alnum(host.p[n - 1]))
		n--;
	if (n < host.len) {
		host = str_sub(host, 0, n);
		add_link(c, link, host);
	}
	return host;
}

static void
clean_link(struct cleaner *c, const struct link *link)
{
	struct str bare_rest = link->rest;
	if (link->port.len > 0 && drop_port(c, link, &bare_rest))
		add(c,
		    str_concat(c->arena, link->scheme, link->host, bare_rest));
	else
		bare_rest = link->rest;
	struct str host = link->host;
	struct str name = str_lower(c->arena, host);
	if (c->is_unicode && !is_ascii(host)) {
		name = host = encode_twice(c, host);
		add_link(c, link, host);
		if (link->port.len > 0 && bare_rest.len > 0)
			add(c, str_concat(
				   c->arena, link->scheme, host, bare_rest));
	}
	struct str visible = without_controls(c, host);
	if (visible.len < host.len) {
		host = visible;
		add_link(c, link, host);
	}
	if (!queue_known(c, link, host))
		queue_inner(c, link->rest);
	host = clean_host(c, link, host);
	clean_odd_host(c, link, host, name);
}

/* "#x", "?x", "/x" are no links to anywhere else; "//host" is. */
static bool
is_local(const struct cleaner *c, struct str s)
{
	size_t one = c->is_unicode && s.len > 0 ? utf8_length(s) : 1;
	if (s.len <= (one == 0 ? 1 : one))
		return true;
	return s.p[0] == '#' || s.p[0] == '?' || s.p[0] == '&' ||
	       (s.p[0] == '/' && s.p[1] != '/');
}

static void
clean(struct cleaner *c, struct str uri)
{
	uri = without(c, uri, '\n');
	uri = without(c, trim(c, uri), '\r');
	add(c, uri);
	if (is_local(c, uri))
		return;
	if (is_mail(uri)) {
		clean_mail(c, uri);
		return;
	}
	struct str normal = normalise(c, uri);
	add(c, normal);
	struct link link;
	if (split(normal, &link))
		clean_link(c, &link);
}

bool
uri_variants(struct arena *a, struct str uri, bool is_unicode,
    const struct mail_config *config, struct redirector *redirector,
    struct strs *ret)
{
	struct cleaner c = {.arena = a,
	    .config = config,
	    .redirector = redirector,
	    .is_unicode = is_unicode,
	    .out = ret,
	    .first = ret->n};
	strs_add(a, &c.queue, uri);
	for (size_t i = 0; i < c.queue.n; i++)
		clean(&c, c.queue.v[i]);
	return c.is_truncated;
}
