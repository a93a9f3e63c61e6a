/* SPDX-License-Identifier: BSD-2-Clause */
/* perl -- numbers and comparisons as Perl has them (perlop(1)). */
#include "rules/perl.h"

#include <math.h>

#include "mail/scan.h"

#define NUMBER_MAX 60 /* bytes of a number that are looked at */
#define SIGNS_MAX 60  /* one before the other */

/* Digits, a point and digits, an exponent: how much of `s` is a number. */
static size_t
number_length(struct str s)
{
	size_t n = scan_digits(s, 0);
	size_t ndigits = n;
	if (n < s.len && s.p[n] == '.') {
		size_t end = scan_digits(s, n + 1);
		ndigits += end - n - 1;
		n = end;
	}
	if (ndigits == 0)
		return 0;
	if (n < s.len && char_lower(s.p[n]) == 'e') {
		size_t from = n + 1;
		if (from < s.len && (s.p[from] == '+' || s.p[from] == '-'))
			from++;
		size_t end = scan_digits(s, from);
		if (end > from)
			n = end;
	}
	return n;
}

double
perl_number(struct str text)
{
	struct str s = str_skip(text, scan_blanks(text, 0));
	bool is_negative = str_starts(s, STR("-"));
	if (is_negative || str_starts(s, STR("+")))
		s = str_skip(s, 1);
	double number = 0;
	if (str_istarts(s, STR("inf")))
		number = INFINITY;
	else if (str_istarts(s, STR("nan")))
		number = NAN;
	else if (!str_double(
		     str_sub(str_sub(s, 0, number_length(s)), 0, NUMBER_MAX),
		     &number))
		number = 0;
	return is_negative ? -number : number;
}

/* --- expressions --- */

struct reader {
	struct str rest;
	double value;   /* what stands before the text */
	bool has_begun; /* it was taken */
	bool is_alone;  /* nothing was done with it so far */
	bool is_bad;
	unsigned nsigns;
};

/* The operator at the start of what is left; the longest one. */
static struct str
peek(struct reader *r)
{
	static const char *const operators[] = {"<=>", "<<=", ">>=", "<<", ">>",
	    "<=", ">=", "==", "!=", "=>", "++", "--", "+=", "-=", "->", "=",
	    "<", ">", "!", "+", "-"};
	r->rest = str_skip(r->rest, scan_blanks(r->rest, 0));
	if (r->rest.len == 0 || char_is_alnum(r->rest.p[0]))
		return STR_EMPTY;
	for (size_t i = 0; i < COUNT_OF(operators); i++)
		if (str_starts(r->rest, str_from(operators[i])))
			return str_from(operators[i]);
	return STR_EMPTY;
}

static bool
take(struct reader *r, const char *operator)
{
	struct str wanted = str_from(operator);
	if (!str_eq(peek(r), wanted))
		return false;
	r->rest = str_skip(r->rest, wanted.len);
	return true;
}

static double
bad(struct reader *r)
{
	r->is_bad = true;
	return 0;
}

/* Digits; octal behind a 0. */
static double
constant(struct reader *r)
{
	(void)peek(r);
	size_t n = scan_digits(r->rest, 0);
	if (n == 0)
		return bad(r);
	struct str digits = str_sub(r->rest, 0, n);
	r->rest = str_skip(r->rest, n);
	unsigned base = n > 1 && digits.p[0] == '0' ? 8 : 10;
	double number = 0;
	for (size_t i = 0; i < n; i++) {
		if (digits.p[i] >= '0' + (char)base)
			return bad(r);
		number = number * base + (digits.p[i] - '0');
	}
	return number;
}

/* The value itself, which may be counted up or down for its owner. */
static double
variable(struct reader *r)
{
	r->has_begun = r->is_alone = true;
	if (take(r, "++") || take(r, "--"))
		r->is_alone = false;
	return r->value;
}

static double
unary(struct reader *r)
{
	if (!r->has_begun)
		return variable(r);
	r->is_alone = false;
	if (r->is_bad || ++r->nsigns > SIGNS_MAX)
		return bad(r);
	if (take(r, "!"))
		return unary(r) == 0;
	if (take(r, "-"))
		return -unary(r);
	if (take(r, "+"))
		return unary(r);
	r->nsigns = 0;
	return constant(r);
}

static double
sum(struct reader *r)
{
	double left = unary(r);
	for (;;) {
		if (take(r, "+"))
			left += unary(r);
		else if (take(r, "-"))
			left -= unary(r);
		else
			return left;
	}
}

/* As an integer of 64 bits, to be shifted. */
static uint64_t
bits_of(double number)
{
	if (number >= 18446744073709551615.0)
		return UINT64_MAX;
	if (number >= 0)
		return (uint64_t)number;
	return number <= -9223372036854775808.0 ? (uint64_t)1 << 63
						: (uint64_t)(int64_t)number;
}

/* To the left by `by`, which may be negative. */
static double
shifted(double number, double by)
{
	uint64_t bits = bits_of(number);
	if (!(fabs(by) < 64))
		return 0;
	return (double)(by >= 0 ? bits << (unsigned)by : bits >> (unsigned)-by);
}

static double
shift(struct reader *r)
{
	double left = sum(r);
	for (;;) {
		if (take(r, "<<"))
			left = shifted(left, sum(r));
		else if (take(r, ">>"))
			left = shifted(left, -sum(r));
		else
			return left;
	}
}

/* "a < b <= c": both hold. */
static double
relation(struct reader *r)
{
	double left = shift(r);
	bool is_first = true, holds = true;
	for (;; is_first = false) {
		double right;
		if (take(r, "<"))
			holds &= left < (right = shift(r));
		else if (take(r, ">"))
			holds &= left > (right = shift(r));
		else if (take(r, "<="))
			holds &= left <= (right = shift(r));
		else if (take(r, ">="))
			holds &= left >= (right = shift(r));
		else
			return is_first ? left : holds;
		left = right;
	}
}

/* "a == b != c": both hold. */
static double
equality(struct reader *r)
{
	double left = relation(r);
	if (take(r, "<=>")) {
		double right = relation(r);
		return (left > right) - (left < right);
	}
	bool is_first = true, holds = true;
	for (;; is_first = false) {
		double right;
		if (take(r, "=="))
			holds &= left == (right = relation(r));
		else if (take(r, "!="))
			holds &= left != (right = relation(r));
		else
			return is_first ? left : holds;
		left = right;
	}
}

/* "= 1" gives 1, as many a rule has found out. */
static double
assignment(struct reader *r)
{
	double left = equality(r);
	if (!r->is_alone)
		return left;
	if (take(r, "="))
		return equality(r);
	if (take(r, "+="))
		return left + equality(r);
	if (take(r, "-="))
		return left - equality(r);
	if (take(r, "<<="))
		return shifted(left, equality(r));
	if (take(r, ">>="))
		return shifted(left, -equality(r));
	return left;
}

bool
perl_holds(double value, struct str expression)
{
	for (size_t i = 0; i < expression.len; i++)
		if (!char_is_digit(expression.p[i]) &&
		    memchr("<>=!-+ ", expression.p[i], 7) == NULL)
			return false;
	struct reader r = {.rest = expression, .value = value};
	double result = assignment(&r);
	while (!r.is_bad && take(&r, "=>") && r.rest.len > 0)
		result = equality(&r);
	return !r.is_bad && r.rest.len == 0 && expression.len > 0 &&
	       result != 0;
}
