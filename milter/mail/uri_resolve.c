/* SPDX-License-Identifier: BSD-2-Clause */
/* uri_resolve -- relative references. */
#include "mail/uri_resolve.h"

#include "base/arena.h"
#include "mail/scan.h"

#define EXTRA                                                          \
	16 /* bytes of a result that were not in either: a scheme, a / \
	    */

/* Text of a length that is known before. */
struct text {
	char *p;
	size_t len, max;
};

static struct text
text_new(struct arena *a, size_t max)
{
	return (struct text){arena_alloc(a, max), 0, max};
}

static void
text_put(struct text *text, struct str s)
{
	s = str_sub(s, 0, text->max - text->len);
	memcpy(text->p + text->len, s.p, s.len);
	text->len += s.len;
}

static struct str
text_str(const struct text *text)
{
	return str_of(text->p, text->len);
}

struct components {
	struct str scheme, authority, path, query, fragment;
	bool has_scheme, has_authority, has_query, has_fragment;
};

/* RFC 3986 appendix B; the scheme may be any text. */
static struct components
split(struct str s)
{
	struct components c = {STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY,
	    STR_EMPTY, false, false, false, false};
	size_t n = scan_until(s, 0, ":/?#");
	if (n > 0 && n < s.len && s.p[n] == ':') {
		c.has_scheme = true;
		c.scheme = str_sub(s, 0, n);
		s = str_skip(s, n + 1);
	}
	if (str_starts(s, STR("//"))) {
		s = str_skip(s, 2);
		n = scan_until(s, 0, "/?#");
		c.has_authority = true;
		c.authority = str_sub(s, 0, n);
		s = str_skip(s, n);
	}
	n = scan_until(s, 0, "?#");
	c.path = str_sub(s, 0, n);
	s = str_skip(s, n);
	if (str_starts(s, STR("?"))) {
		s = str_skip(s, 1);
		n = scan_until(s, 0, "#");
		c.has_query = true;
		c.query = str_sub(s, 0, n);
		s = str_skip(s, n);
	}
	if (str_starts(s, STR("#"))) {
		c.has_fragment = true;
		c.fragment = str_skip(s, 1);
		c.fragment =
		    str_sub(c.fragment, 0, scan_until(c.fragment, 0, "\n"));
	}
	return c;
}

/* Does `path` start with `prefix`, and a / or nothing behind it? */
static bool
is_dot_segment(struct str path, struct str prefix)
{
	if (!str_starts(path, prefix))
		return false;
	struct str rest = str_skip(path, prefix.len);
	return rest.len == 0 || rest.p[0] == '/' || str_eq(rest, STR("\n"));
}

/* `path` without the `n` bytes of its first segment, which a / replaces. */
static struct str
cut_segment(struct str path, size_t n)
{
	struct str rest = str_skip(path, n);
	if (str_starts(rest, STR("/")))
		return rest;
	return rest.len == 0 ? STR("/") : STR("/\n");
}

static struct str
remove_dot_segments(struct arena *a, struct str path)
{
	if (str_starts(path, STR("./")) || str_starts(path, STR("../")))
		path = str_skip(path, path.p[1] == '/' ? 1 : 2);
	if (str_eq(path, STR("0"))) /* is false to Perl */
		return STR_EMPTY;
	struct text out = text_new(a, path.len + 1);
	while (path.len > 0) {
		if (is_dot_segment(path, STR("/."))) {
			path = cut_segment(path, 2);
		} else if (is_dot_segment(path, STR("/.."))) {
			path = cut_segment(path, 3);
			size_t slash = str_rchr(text_str(&out), '/');
			out.len = slash == STR_NONE ? 0 : slash;
		} else {
			size_t skip = path.p[0] == '/' ? 1 : 0;
			size_t n =
			    skip + scan_until(str_skip(path, skip), 0, "/");
			text_put(&out, str_sub(path, 0, n));
			path = str_skip(path, n);
		}
	}
	return text_str(&out);
}

static bool
is_true(struct str s)
{
	return s.len > 0 && !str_eq(s, STR("0"));
}

/* RFC 3986 section 5.2.3. */
static struct str
merge(struct arena *a, const struct components *base, struct str path)
{
	struct str before = STR("/");
	if (!base->has_authority || is_true(base->path)) {
		size_t slash = str_rchr(base->path, '/');
		before = slash == STR_NONE ? STR_EMPTY
					   : str_sub(base->path, 0, slash + 1);
	}
	struct text merged = text_new(a, before.len + path.len);
	text_put(&merged, before);
	text_put(&merged, path);
	return text_str(&merged);
}

static struct components
resolve(struct arena *a, const struct components *base, struct components r)
{
	struct components t = r;
	if (r.has_scheme && base->has_scheme && str_eq(r.scheme, base->scheme))
		r.has_scheme = false;
	t.path = remove_dot_segments(a, r.path);
	if (r.has_scheme)
		return t;
	t.has_scheme = base->has_scheme;
	t.scheme = base->scheme;
	if (r.has_authority)
		return t;
	t.has_authority = base->has_authority;
	t.authority = base->authority;
	if (r.path.len == 0) {
		t.path = base->path;
		if (!r.has_query) {
			t.has_query = base->has_query;
			t.query = base->query;
		}
	} else if (r.path.p[0] != '/') {
		t.path = remove_dot_segments(a, merge(a, base, r.path));
	}
	return t;
}

/* "www.", "www2.", "ftp." */
static bool
starts_host(struct str s, struct str name)
{
	if (!str_istarts(s, name))
		return false;
	size_t n = name.len;
	while (n < s.len && char_is_digit(s.p[n]))
		n++;
	return n < s.len && s.p[n] == '.';
}

struct str
uri_resolve(struct arena *a, struct str base, struct str reference)
{
	struct components b = split(base);
	struct components t = resolve(a, &b, split(reference));
	struct text out = text_new(a, base.len + reference.len + EXTRA);
	if (t.has_scheme && is_true(t.scheme)) {
		text_put(&out, t.scheme);
		text_put(&out, STR(":"));
	} else if (t.has_authority && starts_host(t.authority, STR("www"))) {
		text_put(&out, STR("http:"));
	} else if (t.has_authority && starts_host(t.authority, STR("ftp"))) {
		text_put(&out, STR("ftp:"));
	}
	if (t.has_authority) {
		text_put(&out, STR("//"));
		text_put(&out, t.authority);
	}
	text_put(&out, t.path);
	if (t.has_query) {
		text_put(&out, STR("?"));
		text_put(&out, t.query);
	}
	if (t.has_fragment) {
		text_put(&out, STR("#"));
		text_put(&out, t.fragment);
	}
	return text_str(&out);
}
