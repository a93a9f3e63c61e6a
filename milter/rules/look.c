/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look -- a regex as libhs reads it.  It must match at least what PCRE2 does,
 * so what the two may read differently is written in another way or refused.
 */
#include "rules/look.h"

#include "base/arena.h"
#include "base/buf.h"
#include "rules/hs_db.h"
#include "rules/regex.h"

#define PATTERN_MAX 8000

struct look {
	struct hs_db *db;
};

/* A pattern on its way to libhs. */
struct rewrite {
	struct str rest;
	struct buf *to;
	bool is_caseless; /* somewhere in it, at least */
	bool is_odd;
};

/* Letters behind a backslash that mean the same to both. */
static bool
is_known_escape(char c)
{
	return !char_is_alnum(c) ||
	       (c != '\0' && strchr("bBdDwWsSnrtfeaAzZ0", c) != NULL);
}

/* PCRE2 is told that it has another case; libhs knows ASCII only. */
static bool
has_latin_case(unsigned c)
{
	return c >= 0x80 && regex_other_case((unsigned char)c) != c;
}

static void
put_byte(struct rewrite *w, unsigned c)
{
	buf_printf(w->to, "\\x%02x", c);
}

/* A byte outside of a class. */
static void
put_single(struct rewrite *w, unsigned c)
{
	if (!w->is_caseless || !has_latin_case(c)) {
		put_byte(w, c);
		return;
	}
	buf_putc(w->to, '[');
	put_byte(w, c);
	put_byte(w, regex_other_case((unsigned char)c));
	buf_putc(w->to, ']');
}

/* "\xHH", of which "\x" has been read; false: it is written otherwise. */
static bool
take_hex(struct rewrite *w, unsigned *ret)
{
	int high = w->rest.len > 1 ? char_hex(w->rest.p[0]) : -1;
	int low = w->rest.len > 1 ? char_hex(w->rest.p[1]) : -1;
	if (high < 0 || low < 0)
		return false;
	*ret = (unsigned)high << 4 | (unsigned)low;
	w->rest = str_skip(w->rest, 2);
	return true;
}

/* Behind a backslash; true: a byte, in `*ret`, else it has been copied. */
static bool
take_escape(struct rewrite *w, unsigned *ret)
{
	if (w->rest.len == 0) {
		w->is_odd = true;
		return false;
	}
	char c = w->rest.p[0];
	w->rest = str_skip(w->rest, 1);
	if (c == 'x') {
		bool is_hex = take_hex(w, ret);
		w->is_odd = w->is_odd || !is_hex;
		return is_hex;
	}
	bool is_reference = c >= '1' && c <= '9';
	bool has_digit = w->rest.len > 0 && char_is_digit(w->rest.p[0]);
	if ((!is_known_escape(c) && !is_reference) ||
	    ((is_reference || c == '0') && has_digit))
		w->is_odd = true;
	buf_putc(w->to, '\\');
	buf_putc(w->to, c);
	return false;
}

/*
 * A class, behind its [.  Where case counts and there are letters of Latin-1 in
 * it, all of them are let in.
 */
static void
rewrite_class(struct rewrite *w)
{
	bool is_negated = str_starts(w->rest, STR("^")), has_latin = false;
	size_t first = is_negated;
	buf_putc(w->to, '[');
	for (size_t i = 0; !w->is_odd; i++) {
		unsigned byte;
		if (w->rest.len == 0) {
			w->is_odd = true;
			return;
		}
		char c = w->rest.p[0];
		w->rest = str_skip(w->rest, 1);
		if (c == ']' && i > first)
			break;
		if (c == '[' && str_starts(w->rest, STR(":"))) {
			size_t end = str_find(w->rest, STR(":]"));
			w->is_odd = w->is_odd || end == STR_NONE;
			buf_putc(w->to, c);
			buf_put(w->to, str_sub(w->rest, 0, end + 2));
			w->rest = str_skip(w->rest, end + 2);
			continue;
		}
		if (c == '\\' && !take_escape(w, &byte))
			continue;
		if (c != '\\')
			byte = (unsigned char)c;
		has_latin = has_latin || has_latin_case(byte);
		if (c == '\\' || byte >= 0x80 || byte < 0x20)
			put_byte(w, byte);
		else
			buf_putc(w->to, c);
	}
	if (has_latin && w->is_caseless && !is_negated)
		buf_put(w->to, STR("\\xc0-\\xff"));
	buf_putc(w->to, ']');
}

/* "(?i)" and the like behind the start: how far they reach is not told. */
static bool
is_inner_modifier(struct str s)
{
	size_t i = 2;
	if (!str_starts(s, STR("(?")))
		return false;
	while (i < s.len &&
	       (char_is_alpha(s.p[i]) || s.p[i] == '-' || s.p[i] == '^'))
		i++;
	return i < s.len && s.p[i] == ')';
}

static void
rewrite_piece(struct rewrite *w)
{
	unsigned byte;
	char c = w->rest.p[0];
	if (is_inner_modifier(w->rest) || str_starts(w->rest, STR("(*")) ||
	    str_starts(w->rest, STR("(?|")))
		w->is_odd = true;
	w->rest = str_skip(w->rest, 1);
	if (c == '[') {
		rewrite_class(w);
	} else if (c == '\\') {
		if (take_escape(w, &byte))
			put_single(w, byte);
	} else if ((unsigned char)c >= 0x80) {
		put_single(w, (unsigned char)c);
	} else if ((unsigned char)c < 0x20) {
		put_byte(w, (unsigned char)c);
	} else {
		buf_putc(w->to, c);
	}
}

/* Modifiers at the start, which are for all of it; "x" is not understood. */
static void
rewrite_start(struct rewrite *w)
{
	if (!is_inner_modifier(w->rest))
		return;
	size_t end = str_chr(w->rest, ')') + 1;
	struct str modifiers = str_sub(w->rest, 0, end);
	for (size_t i = 2; i + 1 < end; i++)
		if (strchr("ims", modifiers.p[i]) == NULL)
			w->is_odd = true;
	buf_put(w->to, modifiers);
	w->rest = str_skip(w->rest, end);
}

/* Is there an "i" among modifiers anywhere?  Or what looks like it. */
static bool
may_be_caseless(struct str pattern)
{
	for (struct str s = pattern; s.len > 0; s = str_skip(s, 1)) {
		if (!str_starts(s, STR("(?")))
			continue;
		struct str modifiers = str_sub(s, 2, 8);
		for (size_t i = 0; i < modifiers.len; i++) {
			if (modifiers.p[i] == 'i')
				return true;
			if (!char_is_alpha(modifiers.p[i]) &&
			    modifiers.p[i] != '^' && modifiers.p[i] != '-')
				break;
		}
	}
	return false;
}

/* `db` NULL: NULL. */
static struct look *
look_of(struct arena *a, struct hs_db *db)
{
	if (db == NULL)
		return NULL;
	struct look *look = ARENA_NEW(a, struct look);
	look->db = db;
	return look;
}

bool
look_pattern(struct arena *a, struct str pattern, struct str *ret)
{
	if (pattern.len > PATTERN_MAX)
		return false;
	struct rewrite w = {
	    .rest = pattern,
	    .to = buf_new(a, 10 * pattern.len + 32),
	    .is_caseless = may_be_caseless(pattern),
	};
	rewrite_start(&w);
	while (w.rest.len > 0 && !w.is_odd)
		rewrite_piece(&w);
	*ret = buf_str(w.to);
	return !w.is_odd && !w.to->is_cut;
}

struct look *
look_new(struct arena *a, struct hs_pool *pool, struct str pattern)
{
	struct arena *work = arena_new();
	struct str text;
	struct look *look = NULL;
	size_t unused;
	if (look_pattern(work, pattern, &text)) {
		struct strs one = {&text, 1, 1};
		look = look_of(a, hs_db_patterns(a, pool, &one, &unused));
	}
	arena_free(work);
	return look;
}

struct str
look_bytes(struct arena *a, const struct look *look)
{
	return hs_db_bytes(a, look->db);
}

struct look *
look_from_bytes(struct arena *a, struct hs_pool *pool, struct str bytes)
{
	return look_of(a, hs_db_from_bytes(a, pool, bytes));
}

static bool
on_end(void *arg, uint32_t id, size_t to)
{
	(void)arg;
	(void)id;
	(void)to;
	return true;
}

/* An empty string is not worth a look, a long one could not be left. */
bool
look_may_match(const struct look *look, struct str s)
{
	return s.len == 0 || s.len > HS_DB_BYTES ||
	       hs_db_search(look->db, s, on_end, NULL) != HS_DB_DONE;
}
