/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * str -- views of bytes.  A view owns nothing: it lives as long as the bytes
 * it points into.  Comparing and folding is ASCII only, never by locale.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

struct arena;

/* `p` is never NULL; not NUL-terminated; any byte is allowed. */
struct str {
	const char *p;
	size_t len;
};

/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) ((int)((s).len < 0x7fffffff ? (s).len : 0x7fffffff)), (s).p
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_EMPTY ((struct str){"", 0})
#define STR_NONE SIZE_MAX /* not found */

static inline struct str
str_of(const char *p, size_t len)
{
	return (struct str){len == 0 ? "" : p, len};
}

/* View of a NUL-terminated string; NULL gives the empty view. */
static inline struct str
str_from(const char *cstr)
{
	return cstr == NULL ? STR_EMPTY : (struct str){cstr, strlen(cstr)};
}

/* `s` without its first `from` bytes, at most `len` of them; clamped. */
static inline struct str
str_sub(struct str s, size_t from, size_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct str){s.p + from, len};
}

static inline struct str
str_skip(struct str s, size_t n)
{
	return str_sub(s, n, SIZE_MAX);
}

static inline bool
char_is_space(char c) /* ASCII: blank \t \n \v \f \r */
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
char_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
char_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
char_is_alnum(char c)
{
	return char_is_alpha(c) || char_is_digit(c);
}

static inline bool
char_is_word(char c) /* Perl's \w in ASCII */
{
	return char_is_alnum(c) || c == '_';
}

static inline char
char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Of eight bytes: the top bit of each from `first` to `last`, both ASCII. */
static inline uint64_t
word_range(uint64_t word, char first, char last)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low = word & 0x7f * ones;
	uint64_t from_first = low + (0x80 - (uint64_t)first) * ones;
	uint64_t behind_last = low + (0x7f - (uint64_t)last) * ones;
	return (from_first ^ behind_last) & ~word & 0x80 * ones;
}

/* How many bytes word_range() has found. */
static inline unsigned
word_count(uint64_t range)
{
	return (unsigned)((range >> 7) * UINT64_C(0x0101010101010101) >> 56);
}

/* char_lower() of each of eight bytes. */
static inline uint64_t
word_lower(uint64_t word)
{
	return word | word_range(word, 'A', 'Z') >> 2;
}

/* 0-15, or -1. */
int char_hex(char c);

bool str_eq(struct str a, struct str b);
bool str_ieq(struct str a, struct str b); /* ASCII case folded */
int str_cmp(struct str a, struct str b);  /* byte order, as strcmp */
int str_icmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);
size_t str_ascii_length(struct str s); /* bytes before the first above 7F */
bool str_is_ascii(struct str s);       /* no byte above 7F */

/* Offset of the first (last) `c`, or STR_NONE. */
size_t str_chr(struct str s, char c);
size_t str_rchr(struct str s, char c);
/* Offset of the first `needle`, or STR_NONE; the empty needle is at 0. */
size_t str_find(struct str s, struct str needle);
/* Of the first \r\n; faster than that in text that has few \r. */
size_t str_crlf(struct str s);
size_t str_ifind(struct str s, struct str needle);

/* Without ASCII blanks (char_is_space) at both ends. */
struct str str_trim(struct str s);

/*
 * Cut `*rest` at the first `c`: return what is before it and leave what is
 * after it in `*rest`.  Without `c` all of it is returned and `*rest` is empty.
 */
struct str str_cut(struct str *rest, char c);
/* The next line without its \n; `*rest` moves behind it. */
struct str str_line(struct str *rest);
/* The next run of non-blanks; empty at the end. */
struct str str_word(struct str *rest);

/* Copies in `a`. */
struct str str_dup(struct arena *a, struct str s);
struct str str_lower(struct arena *a, struct str s);
/* The three, one behind the other. */
struct str str_concat(
    struct arena *a, struct str x, struct str y, struct str z);
char *str_c(struct arena *a, struct str s); /* NUL-terminated; stops at a NUL */
struct str str_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Whole of `s` as an unsigned decimal, at most `max`.  False: not a number. */
MUST_CHECK bool str_u64(struct str s, uint64_t max, uint64_t *ret);
/* Whole of `s` as a finite decimal number (no hex, no inf, "C" locale). */
MUST_CHECK bool str_double(struct str s, double *ret);

/* A list of views in an arena. */
struct strs {
	struct str *v;
	size_t n;
	size_t cap;
};

void strs_add(struct arena *a, struct strs *list, struct str s);
void strs_add_all(struct arena *a, struct strs *list, const struct strs *more);
bool strs_has(const struct strs *list, struct str s);
bool strs_ihas(const struct strs *list, struct str s);
void strs_sort(struct strs *list); /* byte order */

#endif
