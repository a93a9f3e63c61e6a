/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * email_text -- addresses in text.  Every @ is looked at once, with at most 64
 * bytes before and 310 behind it, so the time is linear.
 */
#include "rules/email_text.h"

#include "base/arena.h"
#include "base/buf.h"
#include "mail/uri.h"

#define LOCAL_MAX 64
#define LABEL_MAX 61
#define LABELS_MAX 4 /* before the last one */
#define BLANKS_MAX 10
#define WORD_MIN 2
#define WORD_MAX 11

static bool
is_atom(char c)
{
	return char_is_alnum(c) ||
	       (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

static bool
is_label_char(char c)
{
	return char_is_alnum(c) || c == '-';
}

static bool
is_alnum_at(struct str text, size_t i)
{
	return i < text.len && char_is_alnum(text.p[i]);
}

/* Behind the domain that starts at `from`; STR_NONE: it is none. */
static size_t
domain_end(const struct tld_set *tlds, struct str text, size_t from)
{
	for (size_t labels = 0;; labels++) {
		size_t end = from;
		while (end < text.len && is_label_char(text.p[end]))
			end++;
		bool goes_on = end < text.len && text.p[end] == '.' &&
			       is_alnum_at(text, end + 1);
		if (!goes_on)
			return labels > 0 &&
				       tld_set_has(tlds,
					   str_sub(text, from, end - from))
				   ? end
				   : STR_NONE;
		if (labels == LABELS_MAX || end == from ||
		    end - from > LABEL_MAX || text.p[from] == '-' ||
		    text.p[end - 1] == '-')
			return STR_NONE;
		from = end + 1;
	}
}

/*
 * Where addresses with the @ at `at` may begin, the longest first: at each
 * atom of the run "a.b.c" before it, of at most LOCAL_MAX bytes.
 */
struct starts {
	size_t v[LOCAL_MAX];
	size_t n;
};

static void
find_starts(struct str text, size_t from, size_t at, struct starts *ret)
{
	ret->n = 0;
	for (size_t i = at; i > from && at - i < LOCAL_MAX; i--) {
		char c = text.p[i - 1];
		if (c == '.' && (i == at || text.p[i] == '.'))
			break;
		if (c != '.' && !is_atom(c))
			break;
		bool is_start = i == 1 || !is_atom(text.p[i - 2]);
		if (c != '.' && is_start)
			ret->v[ret->n++] = i - 1;
	}
}

/*
 * The first @ from `at` on with addresses, which begin at `from` or later.
 * `*ret_end` is behind them.
 */
static bool
find_at(const struct tld_set *tlds, struct str text, size_t from, size_t at,
    struct starts *ret, size_t *ret_end)
{
	for (size_t i = at; i < text.len; i++) {
		const char *p = memchr(text.p + i, '@', text.len - i);
		if (p == NULL)
			return false;
		i = (size_t)(p - text.p);
		find_starts(text, from, i, ret);
		if (ret->n == 0)
			continue;
		*ret_end = domain_end(tlds, text, i + 1);
		if (*ret_end != STR_NONE)
			return true;
	}
	return false;
}

bool
email_find(const struct tld_set *tlds, struct str text, size_t from,
    struct email_span *ret)
{
	struct starts starts;
	size_t end;
	if (!find_at(tlds, text, from, from, &starts, &end))
		return false;
	*ret = (struct email_span){starts.v[starts.n - 1], end};
	return true;
}

bool
email_at(const struct tld_set *tlds, struct str text, size_t from,
    struct email_span *ret)
{
	size_t at = from;
	while (at < text.len && (is_atom(text.p[at]) || text.p[at] == '.'))
		at++;
	struct email_span span;
	if (at >= text.len || text.p[at] != '@' ||
	    !email_find(tlds, text, from, &span) || span.from != from)
		return false;
	*ret = span;
	return true;
}

/* "fax", "tel" and the like begin what comes behind an address, too. */
static bool
is_contact_word(struct str s)
{
	static const char *const words[] = {
	    "fax", "facsi", "tel", "phone", "mail", "email", "-mail", "e-mail"};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_istarts(s, str_from(words[i])))
			return true;
	return false;
}

/* Behind ">" or " wrote:" at `i`; STR_NONE: neither is there. */
static size_t
closing_end(struct str text, size_t i)
{
	if (i < text.len && text.p[i] == '>')
		return i + 1;
	size_t from = i;
	while (i < text.len && char_is_space(text.p[i]))
		i++;
	if (i == from || i - from > BLANKS_MAX ||
	    is_contact_word(str_skip(text, i)))
		return STR_NONE;
	from = i;
	while (i < text.len && i - from <= WORD_MAX && char_is_alpha(text.p[i]))
		i++;
	bool is_word = i - from >= WORD_MIN && i - from <= WORD_MAX;
	return is_word && i < text.len && text.p[i] == ':' ? i + 1 : STR_NONE;
}

static bool
is_behind_mailto(struct str text, size_t i)
{
	return i >= 7 && str_ieq(str_sub(text, i - 7, 7), STR("mailto:"));
}

/* The first start that is not behind mailto:, with the < before it. */
static bool
open_start(
    struct str text, size_t from, const struct starts *starts, size_t *ret)
{
	for (size_t i = starts->n; i > 0; i--) {
		size_t start = starts->v[i - 1];
		if (is_behind_mailto(text, start))
			continue;
		*ret = start > from && text.p[start - 1] == '<' ? start - 1
								: start;
		return true;
	}
	return false;
}

struct str
email_strip(struct arena *a, const struct tld_set *tlds, struct str text)
{
	struct buf *out = NULL;
	struct starts starts;
	size_t done = 0, end;
	for (size_t at = 0; find_at(tlds, text, done, at, &starts, &end);
	     at = end) {
		size_t start, close = closing_end(text, end);
		if (close == STR_NONE ||
		    !open_start(text, done, &starts, &start))
			continue;
		if (out == NULL)
			out = buf_new(a, text.len);
		buf_put(out, str_sub(text, done, start - done));
		buf_putc(out, ' ');
		done = end = close;
	}
	if (out == NULL)
		return text;
	buf_put(out, str_skip(text, done));
	return buf_str(out);
}
