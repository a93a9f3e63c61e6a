/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * factor -- what a text must contain for a regular expression to match it, so
 * that many regexes can be ruled out in one pass.  It may know too little,
 * never too much: what it does not understand it says nothing about.
 */
#ifndef RULES_FACTOR_H
#define RULES_FACTOR_H

#include "base/str.h"

struct arena;
struct byte_set;
struct pairs;
struct starts;
struct stretch;

/* One of some byte strings is in every match. */
struct factor {
	struct strs any; /* none is empty */
	bool is_folded;  /* ASCII letters are small and stand for both cases */
	double cost;     /* a guess: see literal_set.h */
	unsigned times;  /* they are there so often at least, side by side */
	/* The first is within these bytes, counted from the match's start. */
	uint32_t from, to;
};

/* An `to` that is not known, or too large to be of use. */
#define FACTOR_ANYWHERE UINT32_MAX

#define FACTORS_MAX 3
#define FACTOR_TIMES_MAX 50
#define CLAUSES_MAX 32

/* All of them are in a match; the cheapest first. */
struct factors {
	struct factor v[FACTORS_MAX];
	size_t n;
};

/* Every match has all factors of one of them at least. */
struct clauses {
	struct factors *v;
	size_t n, cap; /* 0: nothing is known; at most CLAUSES_MAX */
	bool is_never; /* there is no match at all */
};

/*
 * The factors of `pattern`, a regex that regex_new() has taken.  They live in
 * `a`.  `is_plain`: of its matches in plain texts alone.
 */
struct clauses factors_of(struct arena *a, struct str pattern, bool is_plain);
/*
 * ASCII, and no numeric entity: nearly all text.  Patterns that see through
 * obfuscation know hundreds of letters, of which few are in plain text.
 */
bool factor_is_plain(struct str text);
/*
 * Where matches of `pattern` may begin, in `a`, told by what they have behind
 * their first `lead` pieces; `keeps_last`: from the last copy of the last of
 * these on, which must be a repeated one.  NULL: nothing is known.
 */
struct starts *factor_starts_of(
    struct arena *a, struct str pattern, unsigned lead, bool keeps_last);
/*
 * The same by what tells most.  NULL: in text such as mail it is not worth to
 * look for it.
 */
struct starts *factor_starts_best(struct arena *a, struct str pattern);
/* The same where it can match at the start of a line alone. */
struct starts *factor_starts_of_lines(struct arena *a, struct str pattern);
/*
 * Where matches of `pattern` may begin, in `a`, if nothing around a match
 * counts and some of them may be one byte: `*ret_single` has those bytes that
 * no longer match begins with.  NULL: it is not so.
 */
struct starts *factor_starts_single(
    struct arena *a, struct str pattern, struct byte_set *ret_single);
/* Bytes of one set that each match has, in `a`.  NULL: nothing is known. */
struct stretch *factor_stretch_of(struct arena *a, struct str pattern);
/* A guess of how often a string costs a try for nothing, by its bytes. */
double clauses_cost(const struct clauses *clauses);

/* The pairs of `pattern`, in `a`; see edges.h.  NULL: nothing is known. */
struct pairs *factor_pairs_of(struct arena *a, struct str pattern);
#endif
