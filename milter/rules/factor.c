/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor -- read a regex and find what its matches must contain.  Whatever may
 * be anything (a dot, a class of many bytes, a back reference) is a gap;
 * what takes no byte (anchors, look-arounds) is passed over.  A set that holds
 * more than a match can be does no harm; one that holds less would lose hits.
 */
#include "rules/factor.h"

#include "base/arena.h"
#include "rules/edges.h"
#include "rules/heads.h"
#include "rules/literal_set.h"
#include "rules/stretch.h"

#define DEPTH_MAX 100
#define COPIES_MAX 8    /* of what is repeated */
#define UNION_MAX 20000 /* strings of one factor */
#define PATTERN_MAX ((size_t)512 * 1024)
#define WORK_MAX ((size_t)32 * 1024 * 1024)
#define NO_END UINT32_MAX
/* Heads are looked for behind so many pieces, and bytes, of a match. */
#define LEAD_PIECES 6
#define LEAD_MAX 16
/* A match may begin at so many bytes of one at most... */
#define STARTS_MOST 0.05
/* ... and at so many times fewer than by the first byte alone. */
#define FIRST_GAIN 5
/* ... or of the starts of lines, if it begins there, at one in so many. */
#define LINES_GAIN 2

/* The modifiers that change what is read. */
struct modes {
	bool is_caseless;
	bool is_extended;
};

/* How many bytes something may have; `most`: FACTOR_ANYWHERE is no bound. */
struct extent {
	uint32_t least, most;
};

struct reading {
	struct arena *a;
	struct str rest;
	unsigned depth;
	bool is_plain; /* the text is, see factor_is_plain() */
	bool wants_factors;
	bool is_odd;          /* it is not understood: nothing is known */
	bool has_context;     /* what is around a match counts, or its way */
	struct pairs *pairs;  /* that matches may have; NULL: not asked */
	bool wants_stretches; /* so are they */
	bool wants_heads;     /* the first bytes of matches are asked for */
	unsigned lead_pieces; /* ... behind so many pieces... */
	bool keeps_last;      /* ... but the last copy of the last of them... */
	struct extent lead;   /* ... which have so many bytes */
};

/* What a piece of a regex can match. */
struct piece {
	bool is_exact; /* just `set`; if that is empty there is no match */
	struct literal_set set;
	struct extent extent;
	/* if it is not exact: */
	struct factors must;
	struct clauses any;                /* by alternatives; or none */
	const struct edges *edges;         /* NULL: anything, or not asked */
	const struct heads *heads;         /* the same */
	const struct stretches *stretches; /* the same */
};

/* Pieces one behind the other. */
struct chain {
	struct arena *a;
	bool is_plain;          /* what cannot be in plain text is left out */
	struct extent before;   /* `run` */
	struct literal_set run; /* what ends here */
	struct extent run_extent;
	bool has_gap;
	bool is_never; /* a piece has no match */
	struct factors must;
	struct clauses any;  /* of its best piece */
	struct edges *edges; /* NULL: not asked */
	struct pairs *pairs;
	const struct heads *heads;         /* NULL: not asked */
	const struct stretches *stretches; /* the same */
};

static struct piece read_alternatives(struct reading *r, struct modes modes);

/* How a numeric entity begins. */
#define ENTITY "&#"

bool
factor_is_plain(struct str text)
{
	return str_is_ascii(text) && str_find(text, STR(ENTITY)) == STR_NONE;
}

/* ---- extents */

/* More than any text has. */
#define EXTENT_MAX (UINT32_C(1) << 30)

static struct extent
extent_of(uint64_t least, uint64_t most)
{
	return (struct extent){
	    least < EXTENT_MAX ? (uint32_t)least : EXTENT_MAX,
	    most < EXTENT_MAX ? (uint32_t)most : FACTOR_ANYWHERE,
	};
}

/* One behind the other. */
static struct extent
extent_add(struct extent x, struct extent y)
{
	return extent_of(
	    (uint64_t)x.least + y.least, (uint64_t)x.most + y.most);
}

/* `x`, `least` to `most` times. */
static struct extent
extent_repeat(struct extent x, uint32_t least, uint32_t most)
{
	return extent_of((uint64_t)x.least * least, (uint64_t)x.most * most);
}

/* One or the other. */
static struct extent
extent_join(struct extent x, struct extent y)
{
	return (struct extent){
	    x.least < y.least ? x.least : y.least,
	    x.most > y.most ? x.most : y.most,
	};
}

/* ---- factors */

static void
factors_add(struct factors *must, struct factor factor)
{
	size_t at = must->n;
	while (at > 0 && must->v[at - 1].cost > factor.cost)
		at--;
	if (at == FACTORS_MAX)
		return;
	if (must->n < FACTORS_MAX)
		must->n++;
	memmove(must->v + at + 1, must->v + at,
	    (must->n - at - 1) * sizeof(must->v[0]));
	must->v[at] = factor;
}

/* `set` is within `place`.  False: it says nothing. */
static bool
factor_of_set(struct arena *a, const struct literal_set *set,
    struct extent place, struct factor *ret)
{
	if (set->all.n == 0 || literal_set_has_empty(set))
		return false;
	struct literal_set part = literal_set_cheapest(a, set);
	*ret = (struct factor){
	    .any = part.all,
	    .is_folded = part.is_folded,
	    .cost = literal_set_cost(&part),
	    .times = 1,
	    .from = place.least,
	    .to = place.most,
	};
	return true;
}

/* They are in something that comes behind `before`. */
static void
factors_shift(struct factors *must, struct extent before)
{
	for (size_t i = 0; i < must->n; i++) {
		struct factor *factor = &must->v[i];
		struct extent place = extent_add(
		    before, (struct extent){factor->from, factor->to});
		factor->from = place.least;
		factor->to = place.most;
	}
}

/* The same of clauses, in `a`. */
static struct clauses
clauses_shifted(
    struct arena *a, const struct clauses *from, struct extent before)
{
	struct clauses ret = {.is_never = from->is_never};
	for (size_t i = 0; i < from->n; i++) {
		struct factors *must = &ARENA_PUSH(a, &ret);
		*must = from->v[i];
		factors_shift(must, before);
	}
	return ret;
}

/* Strings are about so long that a second factor may be in one by chance. */
#define STRING_BYTES 300

/* `n` of what has all of `must` one behind the other. */
static void
factors_repeat(struct factors *must, uint32_t n)
{
	for (size_t i = 0; i < must->n; i++) {
		struct factor *factor = &must->v[i];
		unsigned times = factor->times;
		while (times < factor->times * n && times < FACTOR_TIMES_MAX) {
			if (STRING_BYTES * factor->cost < 1)
				factor->cost *= STRING_BYTES * factor->cost;
			times++;
		}
		factor->times = times;
	}
}

static double
factors_cost(const struct factors *must)
{
	double cost = must->n == 0 ? 1 : must->v[0].cost;
	for (size_t i = 1; i < must->n; i++)
		if (STRING_BYTES * must->v[i].cost < 1)
			cost *= STRING_BYTES * must->v[i].cost;
	return cost;
}

double
clauses_cost(const struct clauses *clauses)
{
	double cost = clauses->n == 0 ? 1 : 0;
	for (size_t i = 0; i < clauses->n; i++)
		cost += factors_cost(&clauses->v[i]);
	return cost;
}

/* ---- pieces and chains of them */

/* Anything of `least` to `most` bytes. */
static struct piece
piece_gap(uint32_t least, uint32_t most)
{
	return (struct piece){.extent = {least, most}};
}

static struct piece
piece_unknown(void)
{
	return piece_gap(0, FACTOR_ANYWHERE);
}

static struct piece
piece_nothing(const struct reading *r)
{
	return (struct piece){
	    .is_exact = true,
	    .set = literal_set_empty(r->a),
	    .edges = r->pairs == NULL ? NULL : edges_new(r->a),
	    .heads = r->wants_heads ? heads_nothing(r->a) : NULL,
	    .stretches = r->wants_stretches ? stretches_nothing(r->a) : NULL,
	};
}

/* What takes no byte, but asks what is there. */
static struct piece
piece_context(struct reading *r)
{
	r->has_context = true;
	return piece_nothing(r);
}

/* One of `bytes`, case being what it is: for all but factors. */
static struct piece
piece_set(const struct reading *r, const struct byte_set *bytes)
{
	struct piece piece = piece_gap(1, 1);
	if (r->pairs != NULL)
		piece.edges = edges_of(r->a, bytes);
	if (r->wants_heads)
		piece.heads = heads_byte(r->a, bytes);
	if (r->wants_stretches)
		piece.stretches = stretches_byte(r->a, bytes);
	return piece;
}

/* One byte of any kind. */
static struct piece
piece_any_byte(const struct reading *r)
{
	struct byte_set all;
	memset(all.has, true, sizeof(all.has));
	return piece_set(r, &all);
}

static struct piece
piece_bytes(struct reading *r, const struct byte_set *bytes, struct modes modes)
{
	struct byte_set set = *bytes;
	if (!r->wants_factors) {
		if (modes.is_caseless)
			byte_set_both_cases(&set);
		return piece_set(r, &set);
	}
	struct piece piece = piece_gap(1, 1);
	if (r->is_plain)
		memset(set.has + 128, 0, 128);
	piece.is_exact =
	    literal_set_bytes(r->a, &set, modes.is_caseless, &piece.set);
	return piece;
}

static struct piece
piece_byte(struct reading *r, unsigned char c, struct modes modes)
{
	struct byte_set bytes = {0};
	bytes.has[c] = true;
	return piece_bytes(r, &bytes, modes);
}

static bool
piece_is_never(const struct piece *piece)
{
	return piece->is_exact && piece->set.all.n == 0;
}

static struct chain
chain_new(const struct reading *r)
{
	return (struct chain){
	    .a = r->a,
	    .is_plain = r->is_plain,
	    .run = literal_set_empty(r->a),
	    .edges = r->pairs == NULL ? NULL : edges_new(r->a),
	    .pairs = r->pairs,
	    .heads = r->wants_heads ? heads_nothing(r->a) : NULL,
	    .stretches = r->wants_stretches ? stretches_nothing(r->a) : NULL,
	};
}

/* The first bytes of what comes next count. */
static bool
chain_wants_heads(const struct chain *chain)
{
	return chain->heads != NULL && heads_are_open(chain->heads);
}

/* What has been gathered must be there; from here on it may be anything. */
static void
chain_flush(struct chain *chain)
{
	struct factor factor;
	struct extent end = extent_add(chain->before, chain->run_extent);
	chain->has_gap = true;
	if (chain->run_extent.most == 0)
		return;
	if (factor_of_set(chain->a, &chain->run,
		(struct extent){chain->before.least, end.most}, &factor))
		factors_add(&chain->must, factor);
	chain->run = literal_set_empty(chain->a);
	chain->before = end;
	chain->run_extent = (struct extent){0, 0};
}

static void
chain_add(struct chain *chain, const struct piece *piece)
{
	chain->is_never = chain->is_never || piece_is_never(piece);
	if (chain->is_never)
		return;
	if (!piece->is_exact) {
		chain_flush(chain);
		struct factors must = piece->must;
		factors_shift(&must, chain->before);
		for (size_t i = 0; i < must.n; i++)
			factors_add(&chain->must, must.v[i]);
		if (clauses_cost(&piece->any) < clauses_cost(&chain->any))
			chain->any = clauses_shifted(
			    chain->a, &piece->any, chain->before);
		chain->before = extent_add(chain->before, piece->extent);
		return;
	}
	struct literal_set longer;
	if (!literal_set_product(chain->a, &chain->run, &piece->set, &longer)) {
		chain_flush(chain);
		longer = piece->set;
	}
	if (chain->is_plain)
		literal_set_drop(&longer, STR(ENTITY));
	chain->is_never = longer.all.n == 0;
	chain->run = longer;
	chain->run_extent = extent_add(chain->run_extent, piece->extent);
}

/* `piece`, at least `least` and at most `most` times. */
static void
chain_repeat(struct chain *chain, const struct piece *piece, uint32_t least,
    uint32_t most)
{
	struct piece maybe = *piece;
	if (chain->edges != NULL)
		edges_add(
		    chain->pairs, chain->edges, piece->edges, least, most);
	if (chain_wants_heads(chain))
		chain->heads = heads_chain(chain->a, chain->heads,
		    piece->heads == NULL
			? heads_anything(chain->a)
			: heads_repeat(chain->a, piece->heads, least, most));
	if (chain->stretches != NULL)
		chain->stretches = stretches_chain(chain->a, chain->stretches,
		    piece->stretches == NULL
			? stretches_anything(chain->a)
			: stretches_repeat(chain->a, piece->stretches, least));
	if (least == 0 && piece_is_never(piece))
		return;
	struct literal_set empty = literal_set_empty(chain->a);
	maybe.extent = extent_repeat(piece->extent, least, most);
	if (least == 0 && most == 1 && piece->is_exact &&
	    literal_set_join(chain->a, &maybe.set, &empty, UNION_MAX)) {
		chain_add(chain, &maybe);
		return;
	}
	if (!piece->is_exact && least > 0) {
		factors_repeat(&maybe.must, least);
		chain_add(chain, &maybe);
		return;
	}
	struct extent start = extent_add(chain->before, chain->run_extent);
	uint32_t copies = least < COPIES_MAX ? least : COPIES_MAX;
	for (uint32_t i = 0; i < copies; i++)
		chain_add(chain, piece);
	if (most == copies)
		return;
	chain_flush(chain);
	bool has_last = copies > 0;
	chain->before = extent_add(start,
	    extent_repeat(piece->extent, least - has_last, most - has_last));
	if (has_last)
		chain_add(chain, piece);
}

static struct piece
chain_end(struct chain *chain)
{
	struct piece piece = {
	    .edges = chain->edges,
	    .heads = chain->heads,
	    .stretches = chain->stretches,
	    .extent = extent_add(chain->before, chain->run_extent),
	};
	if (!chain->is_never && chain->has_gap) {
		chain_flush(chain);
		piece.must = chain->must;
		piece.any = chain->any;
		return piece;
	}
	piece.is_exact = true;
	if (!chain->is_never)
		piece.set = chain->run;
	return piece;
}

/* ---- reading */

static bool
take(struct reading *r, struct str what)
{
	if (!str_starts(r->rest, what))
		return false;
	r->rest = str_skip(r->rest, what.len);
	return true;
}

static bool
next_is(const struct reading *r, char c)
{
	return r->rest.len > 0 && r->rest.p[0] == c;
}

static char
take_byte(struct reading *r)
{
	if (r->rest.len == 0) {
		r->is_odd = true;
		return '\0';
	}
	char c = r->rest.p[0];
	r->rest = str_skip(r->rest, 1);
	return c;
}

/* Behind the next `end`. */
static void
skip_to(struct reading *r, char end)
{
	size_t at = str_chr(r->rest, end);
	if (at == STR_NONE)
		r->is_odd = true;
	else
		r->rest = str_skip(r->rest, at + 1);
}

/* Comments, and blanks where they mean nothing. */
static void
skip_comments(struct reading *r, struct modes modes)
{
	for (;;) {
		if (take(r, STR("(?#")))
			skip_to(r, ')');
		else if (modes.is_extended && r->rest.len > 0 &&
			 char_is_space(r->rest.p[0]))
			r->rest = str_skip(r->rest, 1);
		else if (modes.is_extended && next_is(r, '#'))
			r->rest =
			    str_skip(r->rest, str_chr(r->rest, '\n') == STR_NONE
						  ? r->rest.len
						  : str_chr(r->rest, '\n'));
		else
			return;
	}
}

static bool
take_number(struct str *s, uint32_t *ret)
{
	size_t n = 0;
	uint32_t value = 0;
	for (; n < s->len && char_is_digit(s->p[n]); n++)
		if (value < 100000)
			value = value * 10 + (uint32_t)(s->p[n] - '0');
	*s = str_skip(*s, n);
	*ret = value;
	return n > 0;
}

/* "{2}", "{2,}", "{,3}" or "{2,3}"; anything else is plain text. */
static bool
take_braces(struct reading *r, uint32_t *least, uint32_t *most)
{
	struct str s = r->rest;
	if (s.len == 0 || s.p[0] != '{')
		return false;
	s = str_skip(s, 1);
	uint32_t from = 0, to;
	bool has_from = take_number(&s, &from), has_to = has_from;
	to = from;
	if (s.len > 0 && s.p[0] == ',') {
		s = str_skip(s, 1);
		has_to = take_number(&s, &to);
		if (!has_to)
			to = NO_END;
	}
	if (!(has_from || has_to) || s.len == 0 || s.p[0] != '}')
		return false;
	r->rest = str_skip(s, 1);
	*least = from;
	*most = to;
	return true;
}

/* Without one `*least` and `*most` stay as they are. */
static bool
take_quantifier(struct reading *r, uint32_t *least, uint32_t *most)
{
	if (next_is(r, '?') || next_is(r, '*') || next_is(r, '+')) {
		char c = take_byte(r);
		*least = c == '+';
		*most = c == '?' ? 1 : NO_END;
	} else if (!take_braces(r, least, most)) {
		return false;
	}
	/* as few as will do, or nothing given back */
	if (!take(r, STR("?")) && take(r, STR("+")))
		r->has_context = true;
	return true;
}

static void
add_range(struct byte_set *bytes, unsigned char from, unsigned char to)
{
	for (unsigned c = from; c <= to; c++)
		bytes->has[c] = true;
}

static void
byte_set_flip(struct byte_set *bytes)
{
	for (unsigned c = 0; c < 256; c++)
		bytes->has[c] = !bytes->has[c];
}

/* \d \w \s \h \v \N and their opposites; false: `c` is none of them. */
static bool
class_escape(char c, struct byte_set *bytes)
{
	struct byte_set set = {0};
	switch (char_lower(c)) {
	case 'd':
		add_range(&set, '0', '9');
		break;
	case 'w':
		for (unsigned i = 0; i < 256; i++)
			set.has[i] = char_is_word((char)i);
		break;
	case 's':
		for (unsigned i = 0; i < 256; i++)
			set.has[i] = char_is_space((char)i);
		break;
	case 'h':
		set.has['\t'] = set.has[' '] = set.has[0xa0] = true;
		break;
	case 'v':
		add_range(&set, '\n', '\r');
		set.has[0x85] = true;
		break;
	default:
		return false;
	}
	if (char_lower(c) != c)
		byte_set_flip(&set);
	for (unsigned i = 0; i < 256; i++)
		bytes->has[i] = bytes->has[i] || set.has[i];
	return true;
}

/* Behind "\x". */
static unsigned char
take_hex(struct reading *r)
{
	uint32_t value = 0;
	bool has_braces = take(r, STR("{"));
	for (unsigned n = 0; n < (has_braces ? 8U : 2U); n++) {
		int digit = r->rest.len > 0 ? char_hex(r->rest.p[0]) : -1;
		if (digit < 0)
			break;
		value = value << 4 | (uint32_t)digit;
		r->rest = str_skip(r->rest, 1);
	}
	if ((has_braces && !take(r, STR("}"))) || value > 0xff)
		r->is_odd = true;
	return (unsigned char)value;
}

/* Behind "\0", or behind "\" in a class. */
static unsigned char
take_octal(struct reading *r, unsigned digits)
{
	unsigned value = 0;
	for (; digits > 0 && r->rest.len > 0 && r->rest.p[0] >= '0' &&
	       r->rest.p[0] <= '7';
	     digits--)
		value = value << 3 | (unsigned)(take_byte(r) - '0');
	if (value > 0xff)
		r->is_odd = true;
	return (unsigned char)value;
}

/* One byte behind a backslash; false: `c` stands for something else. */
static bool
byte_escape(struct reading *r, char c, unsigned char *ret)
{
	static const struct {
		char letter;
		unsigned char byte;
	} rows[] = {{'a', 7}, {'e', 27}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'},
	    {'t', '\t'}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].letter == c) {
			*ret = rows[i].byte;
			return true;
		}
	}
	if (c == 'x')
		*ret = take_hex(r);
	else if (c == '0')
		*ret = take_octal(r, 2);
	else if (!char_is_alnum(c))
		*ret = (unsigned char)c;
	else
		return false;
	return true;
}

/* "[:alpha:]" and the like, behind "[:". */
static void
read_posix(struct reading *r, struct byte_set *bytes)
{
	static const struct {
		const char *name, *ranges; /* pairs of bytes */
	} rows[] = {
	    {"alpha", "azAZ"},
	    {"digit", "09"},
	    {"alnum", "azAZ09"},
	    {"upper", "AZ"},
	    {"lower", "az"},
	    {"space", "\t\r  "},
	    {"blank", "\t\t  "},
	    {"punct", "!/:@[`{~"},
	    {"xdigit", "09afAF"},
	    {"word", "azAZ09__"},
	    {"cntrl", "\001\037\177\177"},
	    {"print", " ~"},
	    {"graph", "!~"},
	};
	struct byte_set set = {0};
	bool is_negated = take(r, STR("^"));
	struct str name = str_sub(r->rest, 0, str_find(r->rest, STR(":]")));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!str_eq(name, str_from(rows[i].name)))
			continue;
		for (const char *p = rows[i].ranges; *p != '\0'; p += 2)
			add_range(
			    &set, (unsigned char)p[0], (unsigned char)p[1]);
		set.has[0] = str_eq(name, STR("cntrl"));
		if (is_negated)
			byte_set_flip(&set);
		for (unsigned c = 0; c < 256; c++)
			bytes->has[c] = bytes->has[c] || set.has[c];
		r->rest = str_skip(r->rest, name.len + 2);
		return;
	}
	r->is_odd = true;
}

/* One member of a class; false: it stands for several bytes, or is odd. */
static bool
read_member(struct reading *r, struct byte_set *bytes, unsigned char *ret)
{
	char c = take_byte(r);
	if (c == '[' &&
	    (next_is(r, ':') || next_is(r, '.') || next_is(r, '='))) {
		/* plain, unless it ends: not told apart here */
		if (!take(r, STR(":")))
			r->is_odd = true;
		else
			read_posix(r, bytes);
		return false;
	}
	if (c != '\\') {
		*ret = (unsigned char)c;
		return true;
	}
	c = take_byte(r);
	if (class_escape(c, bytes))
		return false;
	if (c == 'b') {
		*ret = '\b';
		return true;
	}
	if (c > '0' && c <= '7') {
		r->rest = str_of(r->rest.p - 1, r->rest.len + 1);
		*ret = take_octal(r, 3);
		return true;
	}
	if (byte_escape(r, c, ret))
		return true;
	r->is_odd = true;
	return false;
}

/* Behind its [. */
static struct piece
read_class(struct reading *r, struct modes modes)
{
	struct byte_set bytes = {0};
	bool is_negated = take(r, STR("^")), is_first = true;
	while (!r->is_odd && (is_first || !next_is(r, ']'))) {
		unsigned char from, to;
		is_first = false;
		if (!read_member(r, &bytes, &from))
			continue;
		to = from;
		if (next_is(r, '-') && r->rest.len > 1 && r->rest.p[1] != ']') {
			struct str before = r->rest;
			r->rest = str_skip(r->rest, 1);
			struct byte_set several = {0};
			if (!read_member(r, &several, &to)) {
				/* "a-\d": the hyphen is plain */
				to = from;
				r->rest = before;
				bytes.has['-'] = true;
				r->rest = str_skip(r->rest, 1);
			}
		}
		add_range(&bytes, from, to);
	}
	(void)take_byte(r);
	if (!is_negated)
		return piece_bytes(r, &bytes, modes);
	if (modes.is_caseless)
		byte_set_both_cases(&bytes);
	byte_set_flip(&bytes);
	return piece_set(r, &bytes);
}

/* Behind "\k" or "\g": which group does not matter. */
static struct piece
read_reference(struct reading *r)
{
	static const char ends[][2] = {{'{', '}'}, {'<', '>'}, {'\'', '\''}};
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		if (next_is(r, ends[i][0])) {
			(void)take_byte(r);
			skip_to(r, ends[i][1]);
			return piece_unknown();
		}
	}
	r->is_odd = true;
	return piece_unknown();
}

/* Behind "\Q". */
static struct piece
read_quoted(struct reading *r, struct modes modes)
{
	struct chain chain = chain_new(r);
	while (r->rest.len > 0 && !take(r, STR("\\E"))) {
		struct piece piece =
		    piece_byte(r, (unsigned char)take_byte(r), modes);
		chain_repeat(&chain, &piece, 1, 1);
	}
	/* a quantifier would be for its last byte */
	uint32_t least, most;
	struct reading ahead = *r;
	if (take_quantifier(&ahead, &least, &most))
		r->is_odd = true;
	return chain_end(&chain);
}

/* Behind a backslash. */
static struct piece
read_escape(struct reading *r, struct modes modes)
{
	struct byte_set bytes = {0};
	unsigned char byte;
	char c = take_byte(r);
	if (strchr("AbBzZK", c) != NULL && c != '\0')
		return piece_context(r);
	if (c == 'N')
		return piece_any_byte(r);
	if (c == 'R')
		return piece_gap(1, 2);
	if (c == 'Q')
		return read_quoted(r, modes);
	if (c == 'k')
		return read_reference(r);
	if (c >= '1' && c <= '9') {
		while (r->rest.len > 0 && char_is_digit(r->rest.p[0]))
			(void)take_byte(r);
		return piece_unknown();
	}
	if (class_escape(c, &bytes))
		return piece_bytes(r, &bytes, modes);
	if (byte_escape(r, c, &byte))
		return piece_byte(r, byte, modes);
	r->is_odd = true;
	return piece_unknown();
}

/*
 * The modifiers behind "(?", up to ")" or ":".  False: it is no such group.
 */
static bool
read_modes(struct reading *r, struct modes *modes, bool *ret_is_group)
{
	struct reading ahead = *r;
	struct modes new = *modes;
	bool is_on = true;
	if (take(&ahead, STR("^")))
		new = (struct modes){false, false};
	while (ahead.rest.len > 0 && !next_is(&ahead, ')') &&
	       !next_is(&ahead, ':')) {
		char c = take_byte(&ahead);
		if (c == 'i')
			new.is_caseless = is_on;
		else if (c == 'x')
			new.is_extended = is_on;
		else if (c == '-')
			is_on = false;
		else if (strchr("smna", c) == NULL || c == '\0')
			return false;
	}
	*ret_is_group = next_is(&ahead, ':');
	(void)take_byte(&ahead);
	*r = ahead;
	*modes = new;
	return true;
}

/* Up to its ). */
static struct piece
read_inside(struct reading *r, struct modes modes)
{
	struct piece piece = read_alternatives(r, modes);
	if (!take(r, STR(")")))
		r->is_odd = true;
	return piece;
}

/* (?<name> (?'name' (?P<name>, behind "(?". */
static bool
take_name(struct reading *r)
{
	bool is_angle = take(r, STR("P<")) || take(r, STR("<"));
	if (!is_angle && !take(r, STR("'")))
		return false;
	skip_to(r, is_angle ? '>' : '\'');
	return true;
}

/* Behind its "(". `*modes` changes for what follows if it says so. */
static struct piece
read_group(struct reading *r, struct modes *modes)
{
	static const char *const assertions[] = {"?=", "?!", "?<=", "?<!"};
	if (next_is(r, '*')) {
		r->is_odd = true;
		return piece_unknown();
	}
	for (size_t i = 0; i < COUNT_OF(assertions); i++) {
		if (take(r, str_from(assertions[i]))) {
			struct piece nothing = piece_context(r);
			bool wants_heads = r->wants_heads;
			r->wants_heads = false;
			(void)read_inside(r, *modes);
			r->wants_heads = wants_heads;
			return nothing;
		}
	}
	if (!take(r, STR("?")))
		return read_inside(r, *modes);
	if (take(r, STR("P="))) {
		skip_to(r, ')');
		return piece_unknown();
	}
	if (take(r, STR(">"))) {
		r->has_context = true;
		return read_inside(r, *modes);
	}
	if (take(r, STR("|")) || take_name(r))
		return read_inside(r, *modes);
	struct modes inside = *modes;
	bool is_group;
	if (!read_modes(r, &inside, &is_group)) {
		r->is_odd = true;
		return piece_unknown();
	}
	if (is_group)
		return read_inside(r, inside);
	*modes = inside;
	return piece_nothing(r);
}

static struct piece
read_atom(struct reading *r, struct modes *modes)
{
	char c = take_byte(r);
	switch (c) {
	case '(':
		return read_group(r, modes);
	case '[':
		return read_class(r, *modes);
	case '\\':
		return read_escape(r, *modes);
	case '.':
		return piece_any_byte(r);
	case '^':
	case '$':
		return piece_context(r);
	default:
		return piece_byte(r, (unsigned char)c, *modes);
	}
}

/* A piece of the whole regex in front of the heads that are asked for. */
static void
chain_lead(struct reading *r, struct chain *chain, const struct piece *piece,
    uint32_t least, uint32_t most)
{
	const struct heads *heads = chain->heads;
	chain->heads = NULL;
	chain_repeat(chain, piece, least, most);
	chain->heads = heads;
	r->lead = extent_add(chain->before, chain->run_extent);
}

/*
 * The last piece in front of the heads; they begin with its last copy, if that
 * is asked for.
 */
static void
chain_lead_last(struct reading *r, struct chain *chain,
    const struct piece *piece, uint32_t least, uint32_t most)
{
	bool is_split = r->keeps_last && least > 0 && most > 1;
	chain_lead(r, chain, piece, least - is_split, most - is_split);
	if (is_split)
		chain_repeat(chain, piece, 1, 1);
	else if (r->keeps_last)
		r->is_odd = true; /* as without the piece */
}

/* Up to | or ) or the end. */
static struct piece
read_sequence(struct reading *r, struct modes *modes)
{
	struct chain chain = chain_new(r);
	bool wants_heads = r->wants_heads;
	unsigned lead = r->depth == 1 ? r->lead_pieces : 0;
	skip_comments(r, *modes);
	while (!r->is_odd && r->rest.len > 0 && !next_is(r, '|') &&
	       !next_is(r, ')')) {
		uint32_t least = 1, most = 1, unused;
		bool is_counted = lead == 0 || (lead == 1 && r->keeps_last);
		r->wants_heads = is_counted && chain_wants_heads(&chain);
		struct piece piece = read_atom(r, modes);
		skip_comments(r, *modes);
		if (take_quantifier(r, &least, &most)) {
			skip_comments(r, *modes);
			/* a quantifier of a quantifier */
			if (take_quantifier(r, &unused, &unused))
				r->is_odd = true;
		}
		if (lead == 0)
			chain_repeat(&chain, &piece, least, most);
		else if (lead == 1)
			chain_lead_last(r, &chain, &piece, least, most);
		else
			chain_lead(r, &chain, &piece, least, most);
		lead -= lead > 0;
		if (arena_used(r->a) > WORK_MAX)
			r->is_odd = true;
	}
	r->wants_heads = wants_heads;
	return chain_end(&chain);
}

/* Alternatives on their way to one piece. */
struct union_of {
	bool is_exact;
	struct literal_set exact;
	bool has_any;
	struct literal_set any; /* one of them is in every match... */
	unsigned times;         /* ... so often; 0: nothing yet */
	struct extent place;    /* ... and the first is here */
	bool has_clauses;
	struct clauses clauses;            /* one for each that is not exact */
	const struct edges *edges;         /* NULL: anything, or not asked */
	const struct heads *heads;         /* the same */
	const struct stretches *stretches; /* the same */
	struct extent extent;
	bool is_first;
	bool has_match; /* one alternative has, at least */
};

static bool
best_factor(struct arena *a, const struct piece *piece, struct factor *ret)
{
	if (piece->is_exact)
		return factor_of_set(a, &piece->set,
		    (struct extent){0, piece->extent.most}, ret);
	if (piece->must.n > 0)
		*ret = piece->must.v[0];
	return piece->must.n > 0;
}

/* What is known of one alternative, beside what is known of the others. */
static void
union_add_clauses(struct arena *a, struct union_of *all,
    const struct piece *piece, const struct factor *factor)
{
	struct factors one = piece->must;
	struct clauses own = {&one, 1, 1, false};
	if (piece->is_exact)
		one = (struct factors){{*factor}, 1};
	else if (clauses_cost(&piece->any) < factors_cost(&one))
		own = piece->any;
	all->has_clauses =
	    all->has_clauses && all->clauses.n + own.n <= CLAUSES_MAX;
	for (size_t i = 0; all->has_clauses && i < own.n; i++)
		ARENA_PUSH(a, &all->clauses) = own.v[i];
}

static void
union_add_heads(
    struct arena *a, struct union_of *all, const struct heads *heads)
{
	if (all->is_first || heads == NULL)
		all->heads = heads;
	else if (all->heads != NULL)
		all->heads = heads_join(a, all->heads, heads);
}

static void
union_add_stretches(
    struct arena *a, struct union_of *all, const struct stretches *stretches)
{
	if (all->is_first || stretches == NULL)
		all->stretches = stretches;
	else if (all->stretches != NULL)
		all->stretches = stretches_join(a, all->stretches, stretches);
}

static void
union_add(struct arena *a, struct union_of *all, const struct piece *piece)
{
	struct factor factor;
	all->edges = all->is_first ? piece->edges
				   : edges_join(a, all->edges, piece->edges);
	union_add_heads(a, all, piece->heads);
	union_add_stretches(a, all, piece->stretches);
	all->is_first = false;
	if (piece_is_never(piece))
		return;
	all->extent = all->has_match ? extent_join(all->extent, piece->extent)
				     : piece->extent;
	all->has_match = true;
	all->is_exact =
	    all->is_exact && piece->is_exact &&
	    literal_set_join(a, &all->exact, &piece->set, UNION_MAX);
	all->has_any = all->has_any && best_factor(a, piece, &factor);
	if (!all->has_any)
		return;
	struct literal_set set = {factor.any, factor.is_folded};
	all->has_any = literal_set_join(a, &all->any, &set, UNION_MAX);
	struct extent place = {factor.from, factor.to};
	all->place = all->times == 0 ? place : extent_join(all->place, place);
	if (all->times == 0 || factor.times < all->times)
		all->times = factor.times;
	union_add_clauses(a, all, piece, &factor);
}

static struct piece
union_end(struct arena *a, const struct union_of *all)
{
	struct piece piece = {
	    .is_exact = all->is_exact,
	    .set = all->exact,
	    .extent = all->extent,
	    .edges = all->edges,
	    .heads = all->heads,
	    .stretches = all->stretches,
	};
	struct factor factor;
	if (all->is_exact || !all->has_any)
		return piece;
	if (factor_of_set(a, &all->any, all->place, &factor)) {
		struct factors one = {{factor}, 1};
		factors_repeat(&one, all->times);
		piece.must = one;
	}
	if (all->has_clauses)
		piece.any = all->clauses;
	return piece;
}

static struct piece
read_alternatives(struct reading *r, struct modes modes)
{
	if (++r->depth > DEPTH_MAX) {
		r->is_odd = true;
		return piece_unknown();
	}
	struct piece first = read_sequence(r, &modes);
	if (!next_is(r, '|')) {
		r->depth--;
		return first;
	}
	if (r->depth == 1 && r->lead_pieces > 0)
		r->is_odd = true;
	struct union_of all = {.is_exact = true,
	    .has_any = true,
	    .has_clauses = true,
	    .is_first = true};
	union_add(r->a, &all, &first);
	while (!r->is_odd && take(r, STR("|"))) {
		struct piece piece = read_sequence(r, &modes);
		union_add(r->a, &all, &piece);
	}
	r->depth--;
	return union_end(r->a, &all);
}

static struct factor
factor_copy(struct arena *a, const struct factor *from)
{
	struct factor factor = *from;
	factor.any = (struct strs){0};
	for (size_t i = 0; i < from->any.n; i++)
		strs_add(a, &factor.any, str_dup(a, from->any.v[i]));
	return factor;
}

/* The better of what is known of all matches, and of each kind of them. */
static struct clauses
piece_clauses(struct arena *a, const struct piece *piece)
{
	struct clauses all = {.is_never = piece_is_never(piece)};
	struct factors must = piece->must;
	struct factor factor;
	if (piece->is_exact &&
	    factor_of_set(a, &piece->set,
		(struct extent){0, piece->extent.most}, &factor))
		must = (struct factors){{factor}, 1};
	if (clauses_cost(&piece->any) < factors_cost(&must))
		return piece->any;
	if (must.n > 0)
		ARENA_PUSH(a, &all) = must;
	return all;
}

/* What is not understood may be anything. */
static struct piece
read_all(struct reading *r, struct str pattern)
{
	if (pattern.len > PATTERN_MAX)
		return piece_unknown();
	r->rest = pattern;
	struct piece piece = read_alternatives(r, (struct modes){0});
	return r->is_odd || r->rest.len > 0 ? piece_unknown() : piece;
}

struct clauses
factors_of(struct arena *a, struct str pattern, bool is_plain)
{
	struct reading r = {
	    .a = arena_new(), .is_plain = is_plain, .wants_factors = true};
	struct clauses ret = {0};
	struct piece piece = read_all(&r, pattern);
	struct clauses clauses = piece_clauses(r.a, &piece);
	ret.is_never = clauses.is_never;
	for (size_t i = 0; i < clauses.n; i++) {
		struct factors *copy = &ARENA_PUSH(a, &ret);
		*copy = clauses.v[i];
		for (size_t k = 0; k < copy->n; k++)
			copy->v[k] = factor_copy(a, &copy->v[k]);
	}
	arena_free(r.a);
	return ret;
}

struct pairs *
factor_pairs_of(struct arena *a, struct str pattern)
{
	struct pairs *pairs = ARENA_NEW(a, struct pairs);
	struct reading r = {.a = arena_new(), .pairs = pairs};
	struct piece piece = read_all(&r, pattern);
	bool is_known = piece.edges != NULL;
	if (is_known)
		pairs_end(pairs, piece.edges, piece.extent.most);
	arena_free(r.a);
	return is_known ? pairs : NULL;
}

struct stretch *
factor_stretch_of(struct arena *a, struct str pattern)
{
	struct reading r = {.a = arena_new(), .wants_stretches = true};
	struct piece piece = read_all(&r, pattern);
	struct stretch *stretch =
	    piece.stretches == NULL ? NULL : stretch_new(a, piece.stretches);
	arena_free(r.a);
	return stretch;
}

struct starts *
factor_starts_of(
    struct arena *a, struct str pattern, unsigned lead, bool keeps_last)
{
	struct reading r = {.a = arena_new(),
	    .wants_heads = true,
	    .lead_pieces = lead,
	    .keeps_last = keeps_last};
	struct piece piece = read_all(&r, pattern);
	struct starts *starts = NULL;
	if (piece.heads != NULL && r.lead.most <= LEAD_MAX)
		starts = starts_new(
		    a, piece.heads, (struct lead){r.lead.least, r.lead.most});
	arena_free(r.a);
	return starts;
}

/* The better of `best` and `starts`; NULL: nothing is known. */
static struct starts *
starts_better(
    struct starts *best, struct starts *starts, bool is_grouped, double *least)
{
	if (starts == NULL)
		return best;
	double share = starts_share(starts, is_grouped);
	if (share >= *least)
		return best;
	*least = share;
	return starts;
}

struct starts *
factor_starts_best(struct arena *a, struct str pattern)
{
	struct arena *work = arena_new();
	struct starts *first = factor_starts_of(work, pattern, 0, false);
	double least = 1;
	struct starts *best = starts_better(NULL, first, true, &least);
	for (unsigned lead = 1; first != NULL && lead <= LEAD_PIECES; lead++) {
		struct starts *starts =
		    factor_starts_of(work, pattern, lead, true);
		best = starts_better(best, starts, true, &least);
		starts = factor_starts_of(work, pattern, lead, false);
		if (starts == NULL)
			break;
		best = starts_better(best, starts, true, &least);
	}
	if (best != NULL)
		least = starts_share(best, false);
	bool is_worth = best != NULL && least < STARTS_MOST &&
			least < starts_first_share(first) / FIRST_GAIN;
	best = is_worth ? starts_copy(a, best) : NULL;
	arena_free(work);
	return best;
}

struct starts *
factor_starts_of_lines(struct arena *a, struct str pattern)
{
	struct arena *work = arena_new();
	struct starts *best = NULL;
	struct starts *any = starts_new(
	    work, heads_anything(work), (struct lead){.least = 0, .most = 0});
	double least = starts_at_lines(any) ? starts_share(any, false) : 1;
	least /= LINES_GAIN;
	for (unsigned lead = 0; lead <= LEAD_PIECES; lead++) {
		struct starts *starts =
		    factor_starts_of(work, pattern, lead, false);
		if (starts == NULL)
			break;
		if (starts_at_lines(starts))
			best = starts_better(best, starts, false, &least);
	}
	best = best == NULL ? NULL : starts_copy(a, best);
	arena_free(work);
	return best;
}

struct starts *
factor_starts_single(
    struct arena *a, struct str pattern, struct byte_set *ret_single)
{
	struct reading r = {.a = arena_new(), .wants_heads = true};
	struct piece piece = read_all(&r, pattern);
	struct starts *starts = NULL;
	if (piece.heads != NULL && !r.has_context &&
	    heads_single(piece.heads, ret_single))
		starts = starts_new(a, piece.heads, (struct lead){0, 0});
	arena_free(r.a);
	return starts;
}
