/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address -- names and addresses in header values.  It reads what
 * SpamAssassin's own address reader reads, its leniency included: a phrase and
 * <address> with more of the like behind it, or a bare address or phrase, then
 * a comment, then a comma, a semicolon or the end.  No nested comments.
 */
#include "mail/address.h"

#include "base/arena.h"
#include "base/buf.h"

/* Trying ways to read hostile text ends after so many steps. */
#define STEPS_MAX 200000
#define REPEAT_MAX 32

#define NOWHERE STR_NONE

struct reader {
	struct str text;
	size_t steps;
};

static bool
is_out_of_steps(struct reader *r, size_t n)
{
	r->steps += n + 1;
	return r->steps > STEPS_MAX;
}

static char
at(const struct reader *r, size_t i)
{
	return i < r->text.len ? r->text.p[i] : '\0';
}

static bool
is_at(const struct reader *r, size_t i, char c)
{
	return i < r->text.len && r->text.p[i] == c;
}

static size_t
skip_space(struct reader *r, size_t i)
{
	size_t from = i;
	while (i < r->text.len && char_is_space(r->text.p[i]))
		i++;
	r->steps += i - from;
	return i;
}

static size_t
skip_nonspace(struct reader *r, size_t i)
{
	size_t from = i;
	while (i < r->text.len && !char_is_space(r->text.p[i]))
		i++;
	r->steps += i - from;
	return i;
}

/*
 * Behind the `close` that ends what begins at `i` with `open`; a backslash
 * takes the next character with it, but a line end.  NOWHERE: it does not end.
 */
static size_t
skip_delimited(struct reader *r, size_t i, char open, char close)
{
	if (!is_at(r, i, open))
		return NOWHERE;
	size_t from = i++;
	while (i < r->text.len && r->text.p[i] != close) {
		if (r->text.p[i] == open)
			break;
		if (r->text.p[i] == '\\') {
			i++;
			if (i == r->text.len || r->text.p[i] == '\n')
				break;
		}
		i++;
	}
	r->steps += i - from;
	return is_at(r, i, close) ? i + 1 : NOWHERE;
}

static size_t
skip_quoted(struct reader *r, size_t i)
{
	return skip_delimited(r, i, '"', '"');
}

static size_t
skip_comment(struct reader *r, size_t i)
{
	return skip_delimited(r, i, '(', ')');
}

static bool
is_word_end(char c) /* cannot stand in an unquoted local part or a domain */
{
	switch (c) {
	case '<':
	case '>':
	case '(':
	case ')':
	case '[':
	case ']':
	case ',':
	case ':':
	case ';':
		return true;
	default:
		return char_is_space(c);
	}
}

static bool
is_phrase_end(char c)
{
	return c == '"' || c == ',' || c == ';' || c == '<';
}

/* Behind "@domain" at `i`. */
static size_t
skip_domain(struct reader *r, size_t i)
{
	if (!is_at(r, i, '@'))
		return NOWHERE;
	size_t from = ++i;
	while (i < r->text.len && !is_word_end(r->text.p[i]) &&
	       r->text.p[i] != '"')
		i++;
	r->steps += i - from;
	if (i > from)
		return i;
	if (!is_at(r, i, '['))
		return NOWHERE;
	from = ++i;
	while (char_is_digit(at(r, i)) || is_at(r, i, ':') || is_at(r, i, '.'))
		i++;
	return i > from && is_at(r, i, ']') ? i + 1 : NOWHERE;
}

/* Behind the address at `i`. */
static size_t
skip_address(struct reader *r, size_t i)
{
	size_t end = skip_quoted(r, i);
	if (end != NOWHERE) {
		end = skip_domain(r, end);
		if (end != NOWHERE)
			return end;
	}
	end = i;
	while (end < r->text.len && !is_word_end(r->text.p[end]) &&
	       r->text.p[end] != '@')
		end++;
	r->steps += end - i;
	return end > i ? skip_domain(r, end) : NOWHERE;
}

/* All of `text` is an address; a final line end is let through. */
static bool
is_address(struct str text)
{
	struct reader r = {.text = text};
	size_t end = skip_address(&r, 0);
	return end == text.len ||
	       (end != NOWHERE && end + 1 == text.len && text.p[end] == '\n');
}

/* What was read of one address. */
struct found {
	struct str phrase, address, comment;
	bool has_phrase, has_address, has_comment;
	bool is_enclosed; /* in < > */
	size_t end;
};

/* A comment may follow, then it must end. */
static bool
read_end(struct reader *r, size_t i, struct found *ret)
{
	size_t open = skip_space(r, i);
	size_t close = skip_comment(r, open);
	ret->has_comment = close != NOWHERE;
	if (ret->has_comment)
		ret->comment = str_sub(r->text, open + 1, close - open - 2);
	size_t stop = skip_space(r, ret->has_comment ? close : i);
	if (stop < r->text.len && r->text.p[stop] != ',' &&
	    r->text.p[stop] != ';')
		return false;
	ret->end = stop < r->text.len ? stop + 1 : stop;
	return true;
}

static bool read_repeats(struct reader *, size_t, unsigned, struct found *);

/*
 * A > closes what is not blank from `from` up to some `end`; the last one that
 * lets the rest be read is taken.
 */
static bool
read_close(struct reader *r, size_t from, unsigned depth, struct found *ret,
    size_t *ret_end)
{
	size_t end = skip_nonspace(r, from);
	if (end == from)
		return false;
	size_t close = skip_space(r, end);
	if (is_at(r, close, '>') && read_repeats(r, close + 1, depth, ret)) {
		*ret_end = end;
		return true;
	}
	while (end > from + 1) {
		end--;
		if (is_out_of_steps(r, 0))
			return false;
		if (r->text.p[end] == '>' &&
		    read_repeats(r, end + 1, depth, ret)) {
			*ret_end = end;
			return true;
		}
	}
	return false;
}

/* Some mailers write < > again; then the end. */
static bool
read_repeats(struct reader *r, size_t i, unsigned depth, struct found *ret)
{
	if (is_out_of_steps(r, 0))
		return false;
	size_t open = skip_space(r, i);
	if (depth < REPEAT_MAX && is_at(r, open, '<')) {
		size_t from = skip_space(r, open + 1), end;
		size_t quoted = skip_quoted(r, from);
		if (quoted != NOWHERE &&
		    read_close(r, quoted, depth + 1, ret, &end))
			return true;
		if (read_close(r, from, depth + 1, ret, &end))
			return true;
		if (is_at(r, from, '>') &&
		    read_repeats(r, from + 1, depth + 1, ret))
			return true;
	}
	return read_end(r, i, ret);
}

/* <address> at `i`. */
static bool
read_enclosed(struct reader *r, size_t i, struct found *ret)
{
	size_t from = skip_space(r, i + 1);
	size_t stop = from; /* the first > or @ */
	while (stop < r->text.len && r->text.p[stop] != '>' &&
	       r->text.p[stop] != '@')
		stop++;
	r->steps += stop - from;
	size_t end;
	ret->has_address = ret->is_enclosed = true;
	if (stop < r->text.len && read_close(r, stop, 0, ret, &end)) {
		ret->address = str_sub(r->text, from, end - from);
		return true;
	}
	if (!is_at(r, stop, '>') || !read_repeats(r, stop + 1, 0, ret))
		return false;
	ret->address = str_trim(str_sub(r->text, from, stop - from));
	return true;
}

/* Behind the quoted strings and other text from `i` on, up to one of ,;< */
static size_t
skip_phrase(struct reader *r, size_t i)
{
	for (;;) {
		size_t from = i;
		size_t end = skip_quoted(r, i);
		if (end != NOWHERE)
			i = end;
		while (i < r->text.len && !is_phrase_end(r->text.p[i]))
			i++;
		r->steps += i - from;
		if (i == from)
			return i;
	}
}

/* The beginning of the last piece of a phrase that ends at `end`. */
static size_t
last_piece(struct reader *r, size_t from, size_t end)
{
	size_t last = from;
	for (size_t i = from; i < end;) {
		last = i;
		r->steps++;
		size_t quoted = skip_quoted(r, i);
		if (quoted != NOWHERE) {
			i = quoted;
			continue;
		}
		while (i < end && !is_phrase_end(r->text.p[i]))
			i++;
		if (i == last)
			break;
	}
	return last;
}

/* A phrase alone; if it does not end well, less of it with a comment may. */
static bool
read_phrase(struct reader *r, size_t from, struct found *ret)
{
	size_t end = skip_phrase(r, from);
	while (end > from && !is_out_of_steps(r, 0)) {
		if (read_end(r, end, ret)) {
			ret->has_phrase = true;
			ret->phrase = str_sub(r->text, from, end - from);
			return true;
		}
		end = last_piece(r, from, end);
	}
	return false;
}

/* One address from the start of the text. */
static bool
read_one(struct reader *r, struct found *ret)
{
	*ret = (struct found){.phrase = STR_EMPTY};
	size_t from = skip_space(r, 0);
	size_t end = skip_phrase(r, from);
	if (is_at(r, end, '<')) {
		ret->has_phrase = end > from;
		ret->phrase = str_sub(r->text, from, end - from);
		if (read_enclosed(r, end, ret))
			return true;
		*ret = (struct found){.phrase = STR_EMPTY};
	}
	end = skip_address(r, from);
	if (end != NOWHERE && read_end(r, end, ret)) {
		ret->has_address = true;
		ret->address = str_sub(r->text, from, end - from);
		return true;
	}
	/*
	 * Blanks and nothing else are a phrase as well, or the last of them is.
	 */
	return read_phrase(r, from, ret) ||
	       (from > 0 && read_phrase(r, from - 1, ret));
}

static size_t
count(struct str text, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++)
		n += text.p[i] == c;
	return n;
}

static bool
is_plausible(struct str address)
{
	return !str_starts(address, STR("\"\"@")) && count(address, '"') != 1;
}

/* `text` with each \X replaced by X; \\ stays one backslash. */
static void
put_unescaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] != '\\') {
			buf_putc(out, text.p[i]);
		} else if (i + 1 < text.len && text.p[i + 1] == '\\') {
			buf_putc(out, '\\');
			i++;
		}
	}
}

static void
put_without_comments(struct buf *out, struct str text)
{
	struct reader r = {.text = text};
	for (size_t i = 0; i < text.len;) {
		size_t end = skip_comment(&r, i);
		if (end != NOWHERE) {
			i = end;
			continue;
		}
		buf_putc(out, text.p[i++]);
	}
}

static struct str
without_comments(struct arena *a, struct str text)
{
	if (str_chr(text, '(') == STR_NONE)
		return text;
	struct buf *out = buf_new(a, text.len);
	put_without_comments(out, text);
	return buf_str(out);
}

/* Quoted strings without their quotes, the rest without comments. */
static struct str
clean_phrase(struct arena *a, struct str phrase)
{
	struct buf *out = buf_new(a, phrase.len);
	struct reader r = {.text = phrase};
	for (size_t i = 0; i < phrase.len;) {
		size_t end = skip_quoted(&r, i);
		if (end != NOWHERE) {
			put_unescaped(out, str_sub(phrase, i + 1, end - i - 2));
			i = end;
			continue;
		}
		size_t from = i;
		while (i < phrase.len && phrase.p[i] != '"')
			i++;
		put_without_comments(out, str_sub(phrase, from, i - from));
		i += i == from;
	}
	return buf_str(out);
}

static bool
is_label(struct str label)
{
	if (label.len < 1 || label.len > 63 || label.p[0] == '-' ||
	    label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!char_is_word(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

/* Two or more labels; an underscore may not be in the last two. */
static bool
is_host(struct str host)
{
	while (host.len > 0 && host.p[host.len - 1] == '.')
		host.len--;
	if (host.len > 253 || str_chr(host, '.') == STR_NONE)
		return false;
	size_t left = count(host, '.') + 1;
	while (left > 0) {
		struct str label = str_cut(&host, '.');
		if (!is_label(label) ||
		    (left <= 2 && str_chr(label, '_') != STR_NONE))
			return false;
		left--;
	}
	return true;
}

/* What stands behind a second @ is dropped, up to a line end. */
static struct str
cut_second_at(struct arena *a, struct str address)
{
	size_t first = str_chr(address, '@');
	if (first == STR_NONE)
		return address;
	size_t second = str_chr(str_skip(address, first + 1), '@');
	if (second == STR_NONE)
		return address;
	struct str head = str_sub(address, 0, first + 1 + second);
	size_t end = str_chr(str_skip(address, head.len), '\n');
	if (end == STR_NONE)
		return head;
	struct buf *out = buf_new(a, address.len);
	buf_put(out, head);
	buf_put(out, str_skip(address, head.len + end));
	return buf_str(out);
}

/* Make of what was read what a rule sees. */
static void
settle(struct arena *a, struct found *f)
{
	if (f->is_enclosed) {
		f->address = without_comments(a, f->address);
		f->has_address = is_address(f->address);
	}
	if (f->has_address)
		f->has_address = is_plausible(f->address);
	if (f->has_phrase) {
		f->phrase = clean_phrase(a, f->phrase);
		struct str host = f->phrase;
		(void)str_cut(&host, '@');
		host = str_cut(&host, '@');
		if (!f->has_address && is_address(f->phrase) &&
		    is_plausible(f->phrase) && is_host(host)) {
			f->address = f->phrase;
			f->has_address = true;
			f->has_phrase = false;
		} else if (f->phrase.len == 0 ||
			   (f->has_address && str_eq(f->phrase, f->address))) {
			f->has_phrase = false;
		}
	}
	if (!f->has_phrase && f->has_comment) {
		f->phrase = f->comment;
		f->has_phrase = true;
	}
	if (f->has_address)
		f->address = cut_second_at(a, f->address);
}

/* "group: a, b;" to "a, b;", and "group:;" to nothing. */
static bool
is_no_group(char c)
{
	return c == '"' || c == '(' || c == ')' || c == '<' || c == '>';
}

static struct str
without_group(struct str text)
{
	size_t colon = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (is_no_group(text.p[i]))
			break;
		if (text.p[i] == ':')
			colon = i;
	}
	if (colon == 0)
		return text;
	struct reader r = {.text = text};
	text = str_skip(text, skip_space(&r, colon + 1));
	return text.len > 0 && text.p[0] == ';' ? STR_EMPTY : text;
}

static struct str
without_double_backslashes(struct arena *a, struct str text)
{
	if (str_find(text, STR("\\\\")) == STR_NONE)
		return text;
	char *p = arena_alloc(a, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\\' && i + 1 < text.len &&
		    text.p[i + 1] == '\\')
			i++;
		else
			p[len++] = text.p[i];
	}
	return str_of(p, len);
}

/* Whatever still looks like <address>. */
static void
read_leftover(struct arena *a, struct str text, struct strs *ret)
{
	struct reader r = {.text = text};
	for (size_t i = 0; i < text.len && !is_out_of_steps(&r, 0);) {
		size_t end =
		    text.p[i] == '<' ? skip_address(&r, i + 1) : NOWHERE;
		if (end == NOWHERE || !is_at(&r, end, '>')) {
			i++;
			continue;
		}
		struct str address = str_sub(text, i + 1, end - i - 1);
		if (is_plausible(address))
			strs_add(a, ret, cut_second_at(a, address));
		i = end + 1;
	}
}

static struct str
trim_end(struct str text)
{
	while (text.len > 0 && char_is_space(text.p[text.len - 1]))
		text.len--;
	return text;
}

void
address_read(
    struct arena *a, struct str raw, struct strs *addresses, struct strs *names)
{
	struct str text =
	    without_group(without_double_backslashes(a, trim_end(raw)));
	struct reader r = {.text = text};
	struct found found;
	if (str_trim(text).len == 0)
		return;
	while (r.text.len > 0 && read_one(&r, &found)) {
		r.text = str_skip(r.text, found.end);
		settle(a, &found);
		if (found.has_address)
			strs_add(a, addresses, found.address);
		if (found.has_phrase)
			strs_add(a, names, found.phrase);
	}
	if (str_chr(r.text, '@') != STR_NONE)
		read_leftover(a, r.text, addresses);
}

void
address_addrs(struct arena *a, struct str raw, struct strs *ret)
{
	struct strs names = {0};
	address_read(a, raw, ret, &names);
}

void
address_names(struct arena *a, struct str raw, struct strs *ret)
{
	struct strs addresses = {0};
	address_read(a, raw, &addresses, ret);
}

struct str
address_domain(struct str address)
{
	size_t sign = str_rchr(address, '@');
	if (sign == STR_NONE)
		return STR_EMPTY;
	struct str domain = str_skip(address, sign + 1);
	if (str_ends(domain, STR(".")))
		domain.len--;
	return domain;
}

struct str
address_local(struct str address)
{
	return str_sub(address, 0, str_rchr(address, '@'));
}
