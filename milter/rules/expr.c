/* SPDX-License-Identifier: BSD-2-Clause */
/* expr -- arithmetic and logic as `meta` and `if` lines write it. */
#include "rules/expr.h"

#include "base/arena.h"
#include "base/buf.h"
#include "rules/expr_steps.h"

struct expr_builder {
	struct arena *arena;
	const struct expr_names *names;
	struct expr *expr;
	struct str rest;
	struct str why; /* empty: fine so far */
	unsigned depth;
	size_t height; /* of the stack behind the code so far */
};

/* The binary operators, weakest first; longer spellings before their prefixes.
 */
enum level {
	LEVEL_OR,
	LEVEL_AND,
	LEVEL_XOR,
	LEVEL_EQUAL,
	LEVEL_COMPARE,
	LEVEL_SUM,
	LEVEL_PRODUCT,
	LEVEL_UNARY
};

static const struct binary {
	const char *text;
	enum level level;
	enum op op;
} binaries[] = {
    {"||", LEVEL_OR, OP_OR},
    {"&&", LEVEL_AND, OP_AND},
    {"^", LEVEL_XOR, OP_XOR},
    {"==", LEVEL_EQUAL, OP_EQ},
    {"!=", LEVEL_EQUAL, OP_NE},
    {">=", LEVEL_COMPARE, OP_GE},
    {"<=", LEVEL_COMPARE, OP_LE},
    {">", LEVEL_COMPARE, OP_GT},
    {"<", LEVEL_COMPARE, OP_LT},
    {"+", LEVEL_SUM, OP_ADD},
    {"-", LEVEL_SUM, OP_SUBTRACT},
    {"*", LEVEL_PRODUCT, OP_MULTIPLY},
    {"/", LEVEL_PRODUCT, OP_DIVIDE},
};

static bool
fail(struct expr_builder *b, struct str why)
{
	if (b->why.len == 0)
		b->why = why;
	return false;
}

static size_t
emit(struct expr_builder *b, enum op op)
{
	struct expr *e = b->expr;
	ARENA_PUSH(b->arena, e) = (struct step){.op = op};
	return e->n - 1;
}

static void
pushed(struct expr_builder *b)
{
	if (++b->height > STACK_MAX)
		(void)fail(b, STR("the expression is nested too deeply"));
}

void
expr_emit_number(struct expr_builder *b, double number)
{
	size_t at = emit(b, OP_NUMBER);
	b->expr->v[at].u.number = number;
	pushed(b);
}

void
expr_emit_variable(struct expr_builder *b, uint32_t index)
{
	size_t at = emit(b, OP_VARIABLE);
	b->expr->v[at].u.index = index;
	struct expr_variables *variables = &b->expr->variables;
	ARENA_PUSH(b->arena, variables) = index;
	pushed(b);
}

static void
emit_binary(struct expr_builder *b, enum op op)
{
	(void)emit(b, op);
	b->height--;
}

void
expr_emit_sum(struct expr_builder *b, const uint32_t *indexes, size_t n)
{
	expr_emit_number(b, 0);
	for (size_t i = 0; i < n; i++) {
		expr_emit_variable(b, indexes[i]);
		emit_binary(b, OP_ADD);
	}
}

static void
skip_space(struct expr_builder *b)
{
	while (b->rest.len > 0 && char_is_space(b->rest.p[0]))
		b->rest = str_skip(b->rest, 1);
}

static bool
take(struct expr_builder *b, const char *text)
{
	skip_space(b);
	struct str want = str_from(text);
	if (!str_starts(b->rest, want))
		return false;
	b->rest = str_skip(b->rest, want.len);
	return true;
}

/* The binary operator that comes next, not taken; NULL: none. */
static const struct binary *
peek_binary(struct expr_builder *b)
{
	skip_space(b);
	for (size_t i = 0; i < COUNT_OF(binaries); i++)
		if (str_starts(b->rest, str_from(binaries[i].text)))
			return &binaries[i];
	return NULL;
}

static struct str
take_while(struct expr_builder *b, bool (*is_part)(char))
{
	size_t n = 0;
	while (n < b->rest.len && is_part(b->rest.p[n]))
		n++;
	struct str part = str_sub(b->rest, 0, n);
	b->rest = str_skip(b->rest, n);
	return part;
}

static bool
is_number_part(char c)
{
	return char_is_digit(c) || c == '.';
}

static bool
is_name_part(char c)
{
	return char_is_word(c);
}

static bool
number(struct expr_builder *b)
{
	struct str text = take_while(b, is_number_part);
	double value;
	if (!str_double(text, &value) || text.len > 64)
		return fail(b, str_printf(b->arena, "%.*s is not a number",
				   STR_ARG(str_sub(text, 0, 64))));
	expr_emit_number(b, value);
	return true;
}

static bool
is_function(const struct expr_builder *b, struct str name)
{
	const char *const *at = b->names->functions;
	while (*at != NULL && !str_eq(name, str_from(*at)))
		at++;
	return *at != NULL;
}

static bool
call(struct expr_builder *b, struct str function)
{
	size_t end = str_chr(b->rest, ')');
	if (!take(b, "(") || end == STR_NONE)
		return fail(b, str_printf(b->arena, "%.*s needs (an argument)",
				   STR_ARG(function)));
	end = str_chr(b->rest, ')');
	struct str argument = str_trim(str_sub(b->rest, 0, end));
	b->rest = str_skip(b->rest, end + 1);
	struct str why = STR_EMPTY;
	return b->names->call(b->names->arg, b, function, argument, &why) ||
	       fail(b, why);
}

static bool
name(struct expr_builder *b)
{
	struct str text = take_while(b, is_name_part);
	if (is_function(b, text))
		return call(b, text);
	struct str why = STR_EMPTY;
	return b->names->name(b->names->arg, b, text, &why) || fail(b, why);
}

static bool ternary(struct expr_builder *b);
static bool unary(struct expr_builder *b);

static bool
parenthesis(struct expr_builder *b)
{
	if (!ternary(b))
		return false;
	return take(b, ")") || fail(b, STR("a ) is missing"));
}

static bool
operand(struct expr_builder *b)
{
	skip_space(b);
	if (b->rest.len == 0)
		return fail(b, STR("the expression ends too early"));
	char c = b->rest.p[0];
	if (is_number_part(c))
		return number(b);
	if (char_is_word(c))
		return name(b);
	if (take(b, "("))
		return parenthesis(b);
	size_t shown = (unsigned char)c < 0x80 ? 1 : 4;
	return fail(b, str_printf(b->arena, "a value is missing before %.*s",
			   STR_ARG(str_sub(b->rest, 0, shown))));
}

static bool
unary_inner(struct expr_builder *b)
{
	if (!str_starts(b->rest, STR("!=")) && take(b, "!")) {
		bool is_fine = unary(b);
		(void)emit(b, OP_NOT);
		return is_fine;
	}
	if (take(b, "-")) {
		bool is_fine = unary(b);
		(void)emit(b, OP_MINUS);
		return is_fine;
	}
	if (take(b, "+"))
		return unary(b);
	return operand(b);
}

static bool
unary(struct expr_builder *b)
{
	if (b->depth >= EXPR_DEPTH)
		return fail(b, STR("the expression is nested too deeply"));
	b->depth++;
	skip_space(b);
	bool is_fine = unary_inner(b);
	b->depth--;
	return is_fine;
}

static bool binary_level(struct expr_builder *b, enum level level);

/* && and || are decided by their left side: the right one is jumped over. */
static bool
short_circuit(struct expr_builder *b, const struct binary *op)
{
	size_t at = emit(b, op->op);
	b->height--;
	if (!binary_level(b, op->level + 1))
		return false;
	b->expr->v[at].u.target = b->expr->n;
	return true;
}

static bool
can_be_chained(enum level level)
{
	return level == LEVEL_EQUAL || level == LEVEL_COMPARE;
}

/* One more operator and its right side. */
static bool
binary_step(struct expr_builder *b, const struct binary *op)
{
	if (op->op == OP_AND || op->op == OP_OR)
		return short_circuit(b, op);
	if (!binary_level(b, op->level + 1))
		return false;
	emit_binary(b, op->op);
	return true;
}

/* The comparison at `at` decides whether the rest of its chain is looked at. */
static void
chain(struct expr_builder *b, size_t at)
{
	struct step *step = &b->expr->v[at];
	step->compare = step->op;
	step->op = OP_CHAIN;
}

static void
chain_close(struct expr_builder *b, size_t from)
{
	for (size_t i = from; i < b->expr->n; i++)
		if (b->expr->v[i].op == OP_CHAIN && b->expr->v[i].u.target == 0)
			b->expr->v[i].u.target = b->expr->n;
}

/* Operators of `level` and stronger ones, from left to right. */
static bool
binary_level(struct expr_builder *b, enum level level)
{
	if (level == LEVEL_UNARY)
		return unary(b);
	size_t from = b->expr->n;
	if (!binary_level(b, level + 1))
		return false;
	for (bool is_first = true;; is_first = false) {
		const struct binary *op = peek_binary(b);
		if (op == NULL || op->level != level)
			break;
		if (!is_first && can_be_chained(level))
			chain(b, b->expr->n - 1);
		(void)take(b, op->text);
		if (!binary_step(b, op))
			return false;
	}
	if (can_be_chained(level))
		chain_close(b, from);
	return true;
}

static bool
ternary_inner(struct expr_builder *b)
{
	if (!binary_level(b, LEVEL_OR))
		return false;
	if (!take(b, "?"))
		return true;
	size_t otherwise = emit(b, OP_ELSE);
	b->height--;
	if (!ternary(b))
		return false;
	if (!take(b, ":"))
		return fail(b, STR("a : is missing behind ?"));
	size_t end = emit(b, OP_JUMP);
	b->height--;
	b->expr->v[otherwise].u.target = b->expr->n;
	if (!ternary(b))
		return false;
	b->expr->v[end].u.target = b->expr->n;
	return true;
}

static bool
ternary(struct expr_builder *b)
{
	if (b->depth >= EXPR_DEPTH)
		return fail(b, STR("the expression is nested too deeply"));
	b->depth++;
	bool is_fine = ternary_inner(b);
	b->depth--;
	return is_fine;
}

struct expr *
expr_new(struct arena *a, struct str text, const struct expr_names *names,
    struct str *ret_why)
{
	struct expr_builder b = {
	    .arena = a,
	    .names = names,
	    .expr = ARENA_NEW(a, struct expr),
	    .rest = text,
	};
	bool is_fine = ternary(&b);
	skip_space(&b);
	if (is_fine && b.rest.len > 0)
		is_fine =
		    fail(&b, str_printf(a, "an operator is missing before %.*s",
				 STR_ARG(str_sub(b.rest, 0, 40))));
	if (is_fine && b.why.len == 0)
		return b.expr;
	*ret_why = b.why;
	return NULL;
}

/* Perl's ^ works on unsigned integers; what does not fit saturates. */
static double
bit_xor(double x, double y)
{
	double in[] = {x, y};
	uint64_t bits[2];
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 9.2e18)
			bits[i] = UINT64_MAX;
		else if (!(in[i] > -9.2e18)) /* NaN too */
			bits[i] = (uint64_t)INT64_MIN;
		else
			bits[i] = (uint64_t)(int64_t)in[i];
	}
	return (double)(bits[0] ^ bits[1]);
}

static double
apply(enum op op, double x, double y, bool *ret_is_undefined)
{
	switch (op) {
	case OP_ADD:
		return x + y;
	case OP_SUBTRACT:
		return x - y;
	case OP_MULTIPLY:
		return x * y;
	case OP_DIVIDE:
		*ret_is_undefined = *ret_is_undefined || y == 0;
		return y == 0 ? 0 : x / y;
	case OP_XOR:
		return bit_xor(x, y);
	case OP_EQ:
		return x == y;
	case OP_NE:
		return x != y;
	case OP_LT:
		return x < y;
	case OP_LE:
		return x <= y;
	case OP_GT:
		return x > y;
	case OP_GE:
		return x >= y;
	case OP_NUMBER:
	case OP_VARIABLE:
	case OP_NOT:
	case OP_MINUS:
	case OP_AND:
	case OP_OR:
	case OP_ELSE:
	case OP_CHAIN:
	case OP_JUMP:
		break;
	}
	return 0;
}

/* `pair` is compared: its right half goes on to the next comparison, or 0
 * stays. */
static bool
chain_goes_on(const struct step *step, double pair[2])
{
	bool is_undefined = false;
	bool holds = apply(step->compare, pair[0], pair[1], &is_undefined) != 0;
	pair[0] = holds ? pair[1] : 0;
	return holds;
}

/* The value of the steps `from` to `to`, which jump to none behind them. */
static double
part_value(const struct expr *e, size_t from, size_t to, const double *values,
    bool *ret_is_undefined)
{
	double stack[STACK_MAX + 1];
	double *top = stack; /* the last value; behind nothing, 0 */
	*top = 0;
	bool is_undefined = false;
	for (size_t i = from; i < to; i++) {
		const struct step *step = &e->v[i];
		switch (step->op) {
		case OP_NUMBER:
			*++top = step->u.number;
			break;
		case OP_VARIABLE:
			*++top = values[step->u.index];
			break;
		case OP_NOT:
			*top = *top == 0;
			break;
		case OP_MINUS:
			*top = -*top;
			break;
		case OP_AND:
		case OP_OR:
			if ((*top == 0) == (step->op == OP_AND))
				i = step->u.target - 1;
			else
				top--;
			break;
		case OP_ELSE:
			if (*top-- == 0)
				i = step->u.target - 1;
			break;
		case OP_CHAIN:
			if (!chain_goes_on(step, --top))
				i = step->u.target - 1;
			break;
		case OP_JUMP:
			i = step->u.target - 1;
			break;
		case OP_ADD:
		case OP_SUBTRACT:
		case OP_MULTIPLY:
		case OP_DIVIDE:
		case OP_XOR:
		case OP_EQ:
		case OP_NE:
		case OP_LT:
		case OP_LE:
		case OP_GT:
		case OP_GE:
			top[-1] = apply(step->op, top[-1], *top, &is_undefined);
			top--;
			break;
		}
	}
	if (ret_is_undefined != NULL)
		*ret_is_undefined = is_undefined;
	return *top;
}

double
expr_value(const struct expr *e, const double *values, bool *ret_is_undefined)
{
	return part_value(e, 0, e->n, values, ret_is_undefined);
}

/* A jump that may leave out what decides, as that of && does not. */
static bool
is_detour(const struct step *step)
{
	return step->op == OP_OR || step->op == OP_ELSE ||
	       step->op == OP_CHAIN || step->op == OP_JUMP;
}

/* If it is false at step `at`, a &&, the whole is 0. */
static bool
decides_all(const struct expr *e, size_t at)
{
	size_t end = at;
	while (end < e->n && e->v[end].op == OP_AND)
		end = e->v[end].u.target;
	return end == e->n;
}

/* Behind the part from step `from` on: at the && that ends it, or at the end.
 */
static size_t
part_end(const struct expr *e, size_t from)
{
	size_t detour = from; /* ends here */
	size_t i = from;
	for (; i < e->n; i++) {
		const struct step *step = &e->v[i];
		if (step->op == OP_AND && i >= detour && decides_all(e, i))
			break;
		if (is_detour(step) && step->u.target > detour)
			detour = step->u.target;
	}
	return i;
}

/* Of the steps `from` to `to`; the first of them is number `first`. */
static struct expr_variables
part_variables(const struct expr *e, size_t from, size_t to, size_t first)
{
	size_t n = 0;
	for (size_t i = from; i < to; i++)
		n += e->v[i].op == OP_VARIABLE;
	if (n == 0)
		return (struct expr_variables){0};
	return (struct expr_variables){e->variables.v + first, n, n};
}

struct expr_variables
expr_watch(const struct expr *e, const double *values)
{
	struct expr_variables best = e->variables;
	size_t first = 0;
	for (size_t from = 0, to; from < e->n; from = to + 1) {
		to = part_end(e, from);
		struct expr_variables part = part_variables(e, from, to, first);
		if (part.n < best.n &&
		    part_value(e, from, to, values, NULL) == 0)
			best = part;
		first += part.n;
	}
	return best;
}

const struct expr_variables *
expr_variables(const struct expr *e)
{
	return &e->variables;
}

static bool
is_sign_or_number_part(char c)
{
	return is_number_part(c) || c == '+' || c == '-';
}

static bool
is_class_part(char c)
{
	return char_is_word(c) || c == ':';
}

static size_t
run_length(struct str text, bool (*is_part)(char))
{
	size_t n = 0;
	while (n < text.len && is_part(text.p[n]))
		n++;
	return n;
}

/* Bytes of the token at the start of `text`; 0: its first belongs to none. */
static size_t
token_length(struct str text)
{
	static const char *const signs[] = {"||", "&&", "^",
	    ">=", "<=", "==", "!=", "!", ">", "<", "(", ")", "*", "/", "?",
	    ":"};
	size_t n = run_length(text, is_sign_or_number_part);
	if (n > 0)
		return n;
	if (char_is_word(text.p[0]))
		return run_length(text, is_class_part);
	for (size_t i = 0; i < COUNT_OF(signs); i++)
		if (str_starts(text, str_from(signs[i])))
			return strlen(signs[i]);
	return 0;
}

/* A number without sign, or one or two signs that Perl takes. */
static bool
is_run_fine(struct str run)
{
	static const char *const signs[] = {"+", "-", "+-", "-+"};
	for (size_t i = 0; i < COUNT_OF(signs); i++)
		if (str_eq(run, str_from(signs[i])))
			return true;
	size_t whole = run_length(run, char_is_digit);
	if (whole == 0 || whole == run.len)
		return whole > 0;
	size_t part = run_length(str_skip(run, whole + 1), char_is_digit);
	return run.p[whole] == '.' && part > 0 && whole + 1 + part == run.len;
}

static bool
is_token_fine(struct str token)
{
	if (is_sign_or_number_part(token.p[0]))
		return is_run_fine(token);
	return !char_is_word(token.p[0]) || str_chr(token, ':') == STR_NONE;
}

/* Bytes of "NAME(...)" at the start of `text`; 0: it is no function. */
static size_t
call_length(struct str text, const char *const *functions)
{
	for (; *functions != NULL; functions++) {
		struct str name = str_from(*functions);
		size_t end = str_chr(text, ')');
		if (str_starts(text, name) && end != STR_NONE &&
		    text.p[name.len] == '(')
			return end + 1;
	}
	return 0;
}

static bool
is_refused(struct str text)
{
	return str_find(text, STR("::")) != STR_NONE ||
	       str_find(text, STR("->")) != STR_NONE;
}

bool
expr_tokens(struct arena *a, struct str text, const char *const *functions,
    struct str *ret, struct str *ret_why)
{
	struct buf *b = buf_new(a, text.len * 2 + 1);
	if (is_refused(text)) {
		*ret_why = STR(":: and -> are not allowed");
		return false;
	}
	while (text.len > 0) {
		if (memchr("$@%;{}", text.p[0], 6) != NULL) {
			*ret_why = STR("$ @ % ; { } are not allowed");
			return false;
		}
		size_t call_bytes = call_length(text, functions);
		size_t n = call_bytes > 0 ? call_bytes : token_length(text);
		struct str token = str_sub(text, 0, n);
		if (call_bytes == 0 && n > 0 && !is_token_fine(token)) {
			*ret_why = str_printf(a,
			    "%.*s is neither a rule nor a number: blanks are "
			    "needed around operators",
			    STR_ARG(str_sub(token, 0, 64)));
			return false;
		}
		if (n > 0 && b->len > 0)
			buf_putc(b, ' ');
		buf_put(b, token);
		text = str_skip(text, n > 0 ? n : 1);
	}
	*ret = buf_str(b);
	return true;
}
