/* SPDX-License-Identifier: BSD-2-Clause */
/* str -- views of bytes. */
#include "base/str.h"

#include <math.h>
#include <stdarg.h>

#include "base/arena.h"

#define FIND_SHORT 8 /* bytes of what is found by its first one */

int
char_hex(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.p, b.p, n);
	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

int
str_icmp(struct str a, struct str b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++) {
		unsigned char x = (unsigned char)char_lower(a.p[i]);
		unsigned char y = (unsigned char)char_lower(b.p[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
str_ieq(struct str a, struct str b)
{
	size_t i = 0;
	if (a.len != b.len)
		return false;
	for (uint64_t x, y; i + sizeof(x) <= a.len; i += sizeof(x)) {
		memcpy(&x, a.p + i, sizeof(x));
		memcpy(&y, b.p + i, sizeof(y));
		if (x != y && word_lower(x) != word_lower(y))
			return false;
	}
	for (; i < a.len; i++)
		if (char_lower(a.p[i]) != char_lower(b.p[i]))
			return false;
	return true;
}

size_t
str_ascii_length(struct str s)
{
	size_t i = 0;
	for (uint64_t word; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (i < s.len && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool
str_is_ascii(struct str s)
{
	return str_ascii_length(s) == s.len;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

bool
str_istarts(struct str s, struct str prefix)
{
	return str_ieq(str_sub(s, 0, prefix.len), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       str_eq(str_skip(s, s.len - suffix.len), suffix);
}

bool
str_iends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       str_ieq(str_skip(s, s.len - suffix.len), suffix);
}

size_t
str_chr(struct str s, char c)
{
	const char *at = memchr(s.p, c, s.len);
	return at == NULL ? STR_NONE : (size_t)(at - s.p);
}

size_t
str_rchr(struct str s, char c)
{
	const char *at = memrchr(s.p, c, s.len);
	return at == NULL ? STR_NONE : (size_t)(at - s.p);
}

/* str_find(), by the first byte of `needle`, which is short. */
static size_t
find_by_first(struct str s, struct str needle)
{
	for (size_t at = 0; at + needle.len <= s.len; at++) {
		size_t found = str_chr(str_skip(s, at), needle.p[0]);
		if (found == STR_NONE)
			break;
		at += found;
		if (str_starts(str_skip(s, at), needle))
			return at;
	}
	return STR_NONE;
}

size_t
str_find(struct str s, struct str needle)
{
	if (needle.len == 1)
		return str_chr(s, needle.p[0]);
	/* memmem() goes byte by byte; texts have few marks. */
	bool is_marked =
	    needle.len > 0 && !char_is_alnum(needle.p[0]) && needle.p[0] != ' ';
	if (is_marked && needle.len <= FIND_SHORT)
		return find_by_first(s, needle);
	const char *at = memmem(s.p, s.len, needle.p, needle.len);
	return at == NULL ? STR_NONE : (size_t)(at - s.p);
}

size_t
str_crlf(struct str s)
{
	for (size_t at = 0, cr; at < s.len; at += cr + 1) {
		cr = str_chr(str_skip(s, at), '\r');
		if (cr == STR_NONE)
			break;
		if (at + cr + 1 < s.len && s.p[at + cr + 1] == '\n')
			return at + cr;
	}
	return STR_NONE;
}

/* The first byte of `needle` that has no case; STR_NONE. */
static size_t
caseless_at(struct str needle)
{
	size_t i = 0;
	while (i < needle.len && char_is_alpha(needle.p[i]))
		i++;
	return i < needle.len ? i : STR_NONE;
}

/* str_ifind(), by the byte of `needle` at `mark`. */
static size_t
ifind_by(struct str s, struct str needle, size_t mark)
{
	for (size_t at = 0; at + needle.len <= s.len; at++) {
		size_t found = str_chr(str_skip(s, at + mark), needle.p[mark]);
		if (found == STR_NONE)
			break;
		at += found;
		if (str_ieq(str_sub(s, at, needle.len), needle))
			return at;
	}
	return STR_NONE;
}

size_t
str_ifind(struct str s, struct str needle)
{
	size_t mark = caseless_at(needle);
	if (mark != STR_NONE)
		return ifind_by(s, needle, mark);
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if ((needle.len == 0 ||
			char_lower(s.p[i]) == char_lower(needle.p[0])) &&
		    str_ieq(str_sub(s, i, needle.len), needle))
			return i;
	return STR_NONE;
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && char_is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.len > 0 && char_is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

struct str
str_cut(struct str *rest, char c)
{
	size_t at = str_chr(*rest, c);
	struct str head = str_sub(*rest, 0, at);
	*rest = at == STR_NONE ? STR_EMPTY : str_skip(*rest, at + 1);
	return head;
}

struct str
str_line(struct str *rest)
{
	return str_cut(rest, '\n');
}

struct str
str_word(struct str *rest)
{
	size_t from = 0;
	while (from < rest->len && char_is_space(rest->p[from]))
		from++;
	size_t end = from;
	while (end < rest->len && !char_is_space(rest->p[end]))
		end++;
	struct str word = str_sub(*rest, from, end - from);
	*rest = str_skip(*rest, end);
	return word;
}

struct str
str_concat(struct arena *a, struct str x, struct str y, struct str z)
{
	char *p = arena_alloc(a, x.len + y.len + z.len);
	memcpy(p, x.p, x.len);
	memcpy(p + x.len, y.p, y.len);
	memcpy(p + x.len + y.len, z.p, z.len);
	return str_of(p, x.len + y.len + z.len);
}

struct str
str_dup(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len);
	memcpy(p, s.p, s.len);
	return str_of(p, s.len);
}

struct str
str_lower(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len);
	for (size_t i = 0; i < s.len; i++)
		p[i] = char_lower(s.p[i]);
	return str_of(p, s.len);
}

char *
str_c(struct arena *a, struct str s)
{
	s = str_sub(s, 0, str_chr(s, '\0'));
	char *p = arena_alloc(a, s.len + 1);
	memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return p;
}

struct str
str_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len <= 0)
		return STR_EMPTY;
	char *p = arena_alloc(a, (size_t)len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return str_of(p, (size_t)len);
}

bool
str_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!char_is_digit(s.p[i]))
			return false;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return true;
}

bool
str_double(struct str s, double *ret)
{
	char text[64];
	if (s.len == 0 || s.len >= sizeof(text))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_digit(s.p[i]) &&
		    memchr("+-.eE", s.p[i], 5) == NULL)
			return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	char *end;
	double value = strtod(text, &end);
	if (*end != '\0' || end == text || !isfinite(value))
		return false;
	*ret = value;
	return true;
}

void
strs_add(struct arena *a, struct strs *list, struct str s)
{
	ARENA_PUSH(a, list) = s;
}

void
strs_add_all(struct arena *a, struct strs *list, const struct strs *more)
{
	for (size_t i = 0; i < more->n; i++)
		strs_add(a, list, more->v[i]);
}

bool
strs_has(const struct strs *list, struct str s)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], s))
			return true;
	return false;
}

bool
strs_ihas(const struct strs *list, struct str s)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_ieq(list->v[i], s))
			return true;
	return false;
}

static int
str_order(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void
strs_sort(struct strs *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(list->v[0]), str_order);
}
