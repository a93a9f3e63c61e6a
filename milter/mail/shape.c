/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shape -- match a text against a form.  A piece of the form that may be long
 * or short remembers from where on the rest of the form has failed, so nothing
 * is tried twice.
 */
#include "mail/shape.h"

#include "mail/relay_ip.h"

static bool
is_nonblank(char c)
{
	return !char_is_space(c);
}

static bool
is_in_line(char c)
{
	return c != '\n';
}

static bool
is_not_closing(char c)
{
	return c != ')';
}

static bool
is_lower_or_digit(char c)
{
	return char_is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_zone(char c)
{
	return (char_is_alnum(c) && !is_lower(c)) || c == '.' || c == '_' ||
	       c == '~' || c == '-';
}

static bool
is_not_angle(char c)
{
	return !char_is_space(c) && c != '<' && c != '>' && c != ';';
}

static bool
is_not_greater(char c)
{
	return c != '>';
}

static bool
is_not_semicolon(char c)
{
	return !char_is_space(c) && c != ';';
}

static bool
is_not_at(char c)
{
	return !char_is_space(c) && c != '@';
}

static bool
is_not_paren(char c)
{
	return c != ' ' && c != '(' && c != ')';
}

static bool
is_not_dot(char c)
{
	return c != '.';
}

static bool
is_blank_or_semicolon(char c)
{
	return char_is_space(c) || c == ';';
}

static bool
is_hello(char c)
{
	return char_is_alnum(c) ||
	       (c != '\0' && strchr("-.^+_&:=?!@%*$\\/", c) != NULL);
}

static bool
is_no_host_char(char c)
{
	return !char_is_alnum(c) && c != '-' && c != '.';
}

static bool
is_no_digit(char c)
{
	return !char_is_digit(c);
}

static bool
is_sign(char c)
{
	return c == '-' || c == '+';
}

static bool
is_low_digit(char c)
{
	return c >= '0' && c <= '6';
}

/* The bytes that a letter behind % stands for. */
static const struct piece {
	char kept; /* under this letter; 0: not */
	bool (*is_of)(char c);
	unsigned min, max; /* how many; 0: no bound */
	bool is_short;     /* as few as will do */
} pieces[128] = {
    ['s'] = {0, is_nonblank, 1, 0, false},
    ['h'] = {'h', is_nonblank, 1, 0, false},
    ['r'] = {'r', is_nonblank, 1, 0, false},
    ['b'] = {'b', is_nonblank, 1, 0, false},
    ['d'] = {'d', is_nonblank, 1, 0, false},
    ['D'] = {'d', is_nonblank, 1, 0, true},
    ['u'] = {'u', is_nonblank, 1, 0, false},
    ['e'] = {'e', is_nonblank, 1, 0, false},
    ['x'] = {'x', is_nonblank, 1, 0, false},
    ['y'] = {'y', is_nonblank, 1, 0, false},
    ['.'] = {0, is_in_line, 0, 0, true},
    ['*'] = {0, is_in_line, 0, 0, false},
    ['+'] = {0, is_in_line, 1, 0, false},
    ['?'] = {0, is_in_line, 1, 1, false},
    ['o'] = {'o', is_in_line, 0, 0, true}, /* options in parentheses */
    ['O'] = {'o', is_not_closing, 1, 0, false},
    ['c'] = {'c', is_not_closing, 1, 0, false},
    ['C'] = {0, is_not_closing, 0, 40, false},
    ['q'] = {'h', is_not_paren, 0, 0, false},
    ['p'] = {'h', is_not_closing, 0, 0, false},
    ['v'] = {'v', is_nonblank, 1, 0, false},
    ['z'] = {'h', is_hello, 1, 0, false},
    ['m'] = {'d', is_not_angle, 3, 0, false}, /* a message's id */
    ['g'] = {0, is_not_greater, 1, 0, false},
    ['k'] = {0, is_not_semicolon, 1, 0, false},
    ['t'] = {0, is_not_at, 1, 0, false},
    ['f'] = {0, is_zone, 0, 0, false},
    ['l'] = {0, is_lower, 1, 1, false},
    ['a'] = {0, char_is_alpha, 1, 1, false},
    ['A'] = {0, is_lower_or_digit, 1, 4, false},
    ['w'] = {0, char_is_word, 1, 0, false},
    ['n'] = {0, char_is_digit, 1, 0, false},
    ['#'] = {0, char_is_digit, 1, 1, false},
    ['2'] = {0, char_is_digit, 1, 2, false},
    ['3'] = {0, char_is_digit, 1, 3, false},
    ['9'] = {0, char_is_digit, 2, 9, false},
    ['6'] = {0, is_low_digit, 1, 1, false},
    ['G'] = {0, is_no_digit, 1, 1, false},
    ['Q'] = {0, is_no_host_char, 1, 1, false},
    ['P'] = {0, is_sign, 0, 0, false},
    ['S'] = {0, is_nonblank, 1, 1, false},
    ['_'] = {0, char_is_space, 1, 1, false},
    ['~'] = {0, char_is_space, 1, 0, false},
    [';'] = {0, is_blank_or_semicolon, 1, 0, false},
    ['N'] = {0, is_not_dot, 1, 0, false},
    ['j'] = {0, is_in_line, 10, 80, false},
    ['J'] = {0, is_in_line, 0, 100, false},
    ['K'] = {0, is_in_line, 3, 20, false},
};

/* What is known of a piece of the form. */
struct tried {
	uint32_t from, to; /* ends where the rest has failed; `to` not */
	uint32_t run_from, run_to; /* a run of its bytes */
};

struct matcher {
	struct str text;
	const char *shape;
	bool is_folded;
	struct shape_found *found;
	size_t end;
	size_t opened[SHAPE_LETTERS];      /* by %[ */
	struct tried tried[SHAPE_MAX];     /* by place in `shape`... */
	uint64_t is_tried[SHAPE_MAX / 64]; /* ... with a bit here */
};

static bool match(struct matcher *m, const char *p, size_t at);

/* Behind the } of the group that `p` is in; `p` is behind its {. */
static const char *
group_end(const char *p)
{
	for (unsigned depth = 1; depth > 0; p++) {
		if (*p == '%')
			p++;
		else if (*p == '{')
			depth++;
		else if (*p == '}')
			depth--;
	}
	return p;
}

/* The next alternative of the group; NULL: `p` was in the last. */
static const char *
next_alternative(const char *p)
{
	for (unsigned depth = 1;; p++) {
		if (*p == '%')
			p++;
		else if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			return NULL;
		else if (*p == '|' && depth == 1)
			return p + 1;
	}
}

static bool
match_group(struct matcher *m, const char *p, size_t at)
{
	for (; p != NULL; p = next_alternative(p))
		if (match(m, p, at))
			return true;
	return false;
}

/* Go on behind what is kept; what was kept before comes back on failure. */
static bool
match_kept(
    struct matcher *m, const char *p, size_t from, size_t to, char letter)
{
	if (letter == 0)
		return match(m, p, to);
	size_t i = (size_t)(letter - 'a');
	bool had = m->found->has[i];
	struct str old = had ? m->found->of[i] : STR_EMPTY;
	m->found->of[i] = str_sub(m->text, from, to - from);
	m->found->has[i] = true;
	if (match(m, p, to))
		return true;
	m->found->of[i] = old;
	m->found->has[i] = had;
	return false;
}

static bool
match_address(struct matcher *m, const char *p, size_t at, char letter)
{
	size_t ends[RELAY_IP_ENDS];
	size_t n = letter == 'L' ? relay_ip_local_ends(m->text, at, ends)
				 : relay_ip_ends(m->text, at, ends);
	for (size_t i = 0; i < n; i++)
		if (match_kept(
			m, p, at, ends[i], letter == 'i' ? letter : '\0'))
			return true;
	return false;
}

/* [from, to) has failed, too.  Only what lies together is remembered. */
static void
remember(struct tried *tried, size_t from, size_t to)
{
	bool is_apart =
	    tried->from >= tried->to || from > tried->to || to < tried->from;
	if (is_apart || from < tried->from)
		tried->from = (uint32_t)from;
	if (is_apart || to > tried->to)
		tried->to = (uint32_t)to;
}

/* Where the bytes of `piece` that start at `at` end; a known run is used. */
static size_t
run_end(struct matcher *m, const struct piece *piece, struct tried *tried,
    size_t at)
{
	size_t end = at;
	if (at < tried->run_from || at >= tried->run_to) {
		while (end < m->text.len && piece->is_of(m->text.p[end]) &&
		       (end != tried->run_from || end == tried->run_to))
			end++;
		bool is_joined = end == tried->run_from && end < tried->run_to;
		tried->run_from = (uint32_t)at;
		if (!is_joined)
			tried->run_to = (uint32_t)end;
	}
	return tried->run_to;
}

/* The next end to try from `to` on, in the piece's direction: past failures. */
static size_t
skip_tried(const struct piece *piece, const struct tried *tried, size_t to)
{
	if (to < tried->from || to >= tried->to)
		return to;
	return piece->is_short ? tried->to : (size_t)tried->from - 1;
}

/*
 * The byte that what `p` leads to starts with, whatever of it is taken; -1: no
 * single one.
 */
static int
next_byte(const struct matcher *m, const char *p)
{
	while (*p == '|' || *p == '}')
		p = *p == '|' ? group_end(p + 1) : p + 1;
	if (*p == '\0' || *p == '%' || (m->is_folded && char_is_alpha(*p)))
		return -1;
	if (*p != '{')
		return (unsigned char)*p;
	int byte = next_byte(m, ++p);
	while (byte >= 0 && (p = next_alternative(p)) != NULL)
		if (next_byte(m, p) != byte)
			return -1;
	return byte;
}

/* The text goes on at `at` with `byte`, which is any one if it is below 0. */
static bool
goes_on(const struct matcher *m, size_t at, int byte)
{
	return byte < 0 ||
	       (at < m->text.len && (unsigned char)m->text.p[at] == byte);
}

/* What is known of the piece in front of `p`. */
static struct tried *
tried_of(struct matcher *m, const char *p)
{
	size_t i = (size_t)(p - m->shape);
	uint64_t bit = UINT64_C(1) << i % 64;
	if ((m->is_tried[i / 64] & bit) == 0)
		m->tried[i] = (struct tried){0};
	m->is_tried[i / 64] |= bit;
	return &m->tried[i];
}

/* `has_zero`: the piece may be missing. */
static bool
match_piece(struct matcher *m, const struct piece *piece, const char *p,
    size_t at, bool has_zero)
{
	struct tried *tried = tried_of(m, p);
	size_t most = run_end(m, piece, tried, at);
	if (piece->max > 0 && most > at + piece->max)
		most = at + piece->max;
	size_t least = at + (has_zero ? 0 : piece->min);
	if (most < least)
		return false;
	size_t to = piece->is_short ? least : most;
	int behind = most > least ? next_byte(m, p) : -1;
	for (;;) {
		to = skip_tried(piece, tried, to);
		/* below 0 it is very large */
		if (to < least || to > most)
			break;
		if (goes_on(m, to, behind) &&
		    match_kept(m, p, at, to, piece->kept))
			return true;
		to += piece->is_short ? 1 : SIZE_MAX;
	}
	remember(tried, least, most + 1);
	return false;
}

static bool
is_boundary(const struct matcher *m, size_t at)
{
	bool before = at > 0 && char_is_word(m->text.p[at - 1]);
	bool behind = at < m->text.len && char_is_word(m->text.p[at]);
	return before != behind;
}

/* What takes no byte of the text holds at `at`. */
static bool
is_place(const struct matcher *m, char letter, size_t at)
{
	struct str rest = str_skip(m->text, at);
	switch (letter) {
	case '^':
		return at == 0;
	case '$':
		return at == m->text.len;
	case '<':
		return is_boundary(m, at);
	case '-': /* not in the middle of something with . and - */
		return rest.len == 0 || (rest.p[0] != '.' && rest.p[0] != '-');
	case '!': /* no " id " comes next */
		return !str_starts(rest, STR(" id "));
	default:
		return false;
	}
}

static bool
match_percent(struct matcher *m, const char *p, size_t at)
{
	bool has_zero = *p == '0';
	char letter = *(p += has_zero);
	p++;
	switch (letter) {
	case 'i':
	case 'I':
	case 'L':
		return match_address(m, p, at, letter);
	case '[':
		m->opened[*p - 'a'] = at;
		return match(m, p + 1, at);
	case ']':
		return match_kept(m, p + 1, m->opened[*p - 'a'], at, *p);
	case '%':
		return at < m->text.len && m->text.p[at] == '%' &&
		       match(m, p, at + 1);
	}
	const struct piece *piece = &pieces[letter & 0x7f];
	if (piece->is_of != NULL)
		return match_piece(m, piece, p, at, has_zero);
	return is_place(m, letter, at) && match(m, p, at);
}

static bool
is_byte(const struct matcher *m, char want, size_t at)
{
	if (at >= m->text.len)
		return false;
	char c = m->text.p[at];
	return c == want || (m->is_folded && char_lower(c) == char_lower(want));
}

static bool
match(struct matcher *m, const char *p, size_t at)
{
	for (;;) {
		switch (*p) {
		case '\0':
			m->end = at;
			return true;
		case '{':
			return match_group(m, p + 1, at);
		case '|':
			p = group_end(p + 1);
			break;
		case '}':
			p++;
			break;
		case '%':
			return match_percent(m, p + 1, at);
		default:
			if (!is_byte(m, *p, at))
				return false;
			p++;
			at++;
		}
	}
}

/* Bytes at the start of `shape` that stand for themselves. */
static size_t
plain_length(const char *shape)
{
	size_t n = 0;
	while (shape[n] != '\0' && shape[n] != '%' && shape[n] != '{' &&
	       shape[n] != '|' && shape[n] != '}')
		n++;
	return n;
}

/* Behind the first piece of `shape`, which is no plain byte. */
static const char *
piece_end(const char *shape)
{
	if (shape[0] == '{')
		return group_end(shape + 1);
	if (shape[1] == '0' || shape[1] == '[' || shape[1] == ']')
		return shape + 3;
	return shape + 2;
}

/* The byte of `plain` that few texts have: no letter, no blank; else a
 * capital. */
static size_t
rare_place(struct str plain)
{
	size_t capital = plain.len / 2;
	for (size_t i = 0; i < plain.len; i++) {
		if (!char_is_alnum(plain.p[i]) && plain.p[i] != ' ')
			return i;
		if (plain.p[i] >= 'A' && plain.p[i] <= 'Z')
			capital = i;
	}
	return capital;
}

/* str_find(), for texts and bytes that are short. */
static size_t
plain_next(struct str text, struct str plain)
{
	size_t rare = rare_place(plain), from = rare;
	if (plain.len == 0)
		return 0;
	while (from < text.len) {
		const char *p =
		    memchr(text.p + from, plain.p[rare], text.len - from);
		if (p == NULL)
			return STR_NONE;
		from = (size_t)(p - text.p) + 1;
		size_t at = from - 1 - rare;
		if (str_starts(str_skip(text, at), plain))
			return at;
	}
	return STR_NONE;
}

/*
 * The plain bytes of `shape` outside of groups stand in `text` one behind the
 * other: nearly all shapes that do not fit fail here.
 */
static bool
has_plain(struct str text, const char *shape)
{
	while (*shape != '\0') {
		size_t len = plain_length(shape);
		if (len > 0) {
			size_t at = plain_next(text, str_of(shape, len));
			if (at == STR_NONE)
				return false;
			text = str_skip(text, at + len);
			shape += len;
		} else {
			shape = piece_end(shape);
		}
	}
	return true;
}

static void
pairs_add(struct shape_pairs *pairs, struct str text)
{
	for (size_t i = 1; i < text.len; i++) {
		unsigned pair = (unsigned char)text.p[i - 1] * 131U +
				(unsigned char)text.p[i];
		pairs->bits[pair / 64 % COUNT_OF(pairs->bits)] |= UINT64_C(1)
								  << pair % 64;
	}
}

struct shape_pairs
shape_pairs_of(struct str text)
{
	struct shape_pairs pairs = {{0}};
	pairs_add(&pairs, text);
	return pairs;
}

static struct shape_pairs pairs_of_sequence(const char *shape);

/* What all alternatives of a group need; `shape` is behind its {. */
static struct shape_pairs
pairs_of_group(const char *shape)
{
	struct shape_pairs pairs = pairs_of_sequence(shape);
	while ((shape = next_alternative(shape)) != NULL) {
		struct shape_pairs other = pairs_of_sequence(shape);
		for (size_t i = 0; i < COUNT_OF(pairs.bits); i++)
			pairs.bits[i] &= other.bits[i];
	}
	return pairs;
}

/* Up to the end of the alternative that `shape` is in. */
static struct shape_pairs
pairs_of_sequence(const char *shape)
{
	struct shape_pairs pairs = {{0}};
	while (*shape != '\0' && *shape != '|' && *shape != '}') {
		size_t len = plain_length(shape);
		pairs_add(&pairs, str_of(shape, len));
		if (*shape == '{') {
			struct shape_pairs group = pairs_of_group(shape + 1);
			for (size_t i = 0; i < COUNT_OF(pairs.bits); i++)
				pairs.bits[i] |= group.bits[i];
		}
		shape = len > 0 ? shape + len : piece_end(shape);
	}
	return pairs;
}

struct shape_pairs
shape_pairs_needed(const char *shape)
{
	return pairs_of_sequence(shape);
}

/* `shape` starts with plain bytes that stand at the start of `text`. */
static bool
starts_plain(struct str text, const char *shape)
{
	return str_starts(text, str_of(shape, plain_length(shape)));
}

/* The bytes that a match may start with. */
struct firsts {
	struct str plain; /* all of these; empty: see the rest */
	bool is_folded;   /* in either case */
	bool is_any;
	bool (*is_of)(char c); /* NULL: those of `has`, a bit a byte */
	uint64_t has[4];
};

static void
firsts_put(struct firsts *firsts, char c)
{
	unsigned byte = (unsigned char)c;
	firsts->has[byte / 64] |= UINT64_C(1) << byte % 64;
}

static bool
firsts_has(const struct firsts *firsts, char c)
{
	unsigned byte = (unsigned char)c;
	return (firsts->has[byte / 64] >> byte % 64 & 1) != 0;
}

static void
firsts_add(struct firsts *firsts, char want, bool is_folded)
{
	char lower = char_lower(want);
	firsts_put(firsts, want);
	if (is_folded && char_is_alpha(want)) {
		firsts_put(firsts, lower);
		firsts_put(firsts, (char)(lower - 'a' + 'A'));
	}
}

/* Behind what takes no byte of the text at the start of `shape`. */
static const char *
skip_places(const char *shape)
{
	while (shape[0] == '%' && shape[1] != '\0' &&
	       strchr("<-![", shape[1]) != NULL)
		shape += shape[1] == '[' ? 3 : 2;
	return shape;
}

/* The bytes of the piece that `shape` starts with; NULL: it may be missing. */
static bool (*first_piece(const char *shape))(char c)
{
	if (shape[0] != '%')
		return NULL;
	const struct piece *piece = &pieces[shape[1] & 0x7f];
	return piece->min > 0 ? piece->is_of : NULL;
}

/* With which bytes `shape` may start, or any. */
static void
firsts_find(struct firsts *firsts, const char *shape, bool is_folded)
{
	shape = skip_places(shape);
	if (*shape == '{') {
		for (shape++; shape != NULL; shape = next_alternative(shape))
			firsts_find(firsts, shape, is_folded);
	} else if (plain_length(shape) > 0) {
		firsts_add(firsts, *shape, is_folded);
	} else {
		firsts->is_any = true;
	}
}

static struct firsts
firsts_of(const char *shape, bool is_folded)
{
	struct firsts firsts = {
	    .plain = str_of(shape, plain_length(shape)),
	    .is_folded = is_folded,
	    .is_of = first_piece(skip_places(shape)),
	};
	if (firsts.plain.len == 0 && firsts.is_of == NULL)
		firsts_find(&firsts, shape, is_folded);
	return firsts;
}

/* The next place from `at` on where a match may start; or behind the end. */
static size_t
next_place(const struct firsts *firsts, struct str text, size_t at)
{
	if (firsts->is_any)
		return at;
	if (firsts->plain.len > 0) {
		struct str rest = str_skip(text, at);
		size_t skipped = firsts->is_folded
				     ? str_ifind(rest, firsts->plain)
				     : plain_next(rest, firsts->plain);
		return skipped == STR_NONE ? text.len + 1 : at + skipped;
	}
	if (firsts->is_of != NULL)
		while (at < text.len && !firsts->is_of(text.p[at]))
			at++;
	else
		while (at < text.len && !firsts_has(firsts, text.p[at]))
			at++;
	return at;
}

/* shape_find() of a shape that is plain bytes only. */
static bool
plain_find(struct str text, struct str shape, struct shape_found *ret)
{
	size_t at = plain_next(text, shape);
	if (at == STR_NONE)
		return false;
	*ret = (struct shape_found){.all = str_sub(text, at, shape.len)};
	return true;
}

static bool
shape_run(struct str text, const char *shape, bool is_folded, size_t last,
    struct shape_found *ret)
{
	if (!is_folded && !has_plain(text, shape))
		return false;
	struct shape_found found;
	struct firsts firsts = firsts_of(shape, is_folded);
	struct matcher m;
	if (shape[0] == '%' && shape[1] == '^')
		last = 0;
	m.text = str_sub(text, 0, UINT32_MAX - 1);
	m.shape = shape;
	m.is_folded = is_folded;
	m.found = &found;
	memset(m.is_tried, 0, sizeof(m.is_tried));
	memset(found.has, 0, sizeof(found.has));
	for (size_t at = 0; at <= last && at <= m.text.len; at++) {
		at = next_place(&firsts, m.text, at);
		if (at > last || at > m.text.len)
			return false;
		if (!match(&m, shape, at))
			continue;
		*ret = found;
		ret->all = str_sub(text, at, m.end - at);
		return true;
	}
	return false;
}

bool
shape_starts(struct str text, const char *shape, struct shape_found *ret)
{
	return starts_plain(text, shape) &&
	       shape_run(text, shape, false, 0, ret);
}

bool
shape_find(struct str text, const char *shape, struct shape_found *ret)
{
	struct str plain = str_of(shape, plain_length(shape));
	return shape[plain.len] == '\0'
		   ? plain_find(text, plain, ret)
		   : shape_run(text, shape, false, SIZE_MAX, ret);
}

bool
shape_ifind(struct str text, const char *shape, struct shape_found *ret)
{
	return shape_run(text, shape, true, SIZE_MAX, ret);
}

bool
shape_is_in(struct str text, const char *shape)
{
	struct shape_found found;
	return shape_find(text, shape, &found);
}
