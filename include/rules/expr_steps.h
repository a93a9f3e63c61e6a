/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr_steps -- what an expression is compiled to: steps on a stack of values,
 * for expr.c, which runs them, and clause.c, which reasons about them.
 */
#ifndef RULES_EXPR_STEPS_H
#define RULES_EXPR_STEPS_H

#include "rules/expr.h"

/* Values that wait for their operator: nesting times the binary levels. */
#define STACK_MAX 1024

enum op {
	OP_NUMBER,
	OP_VARIABLE,
	OP_NOT,
	OP_MINUS,
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_XOR,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_AND,   /* top is false: keep it and jump; else drop it */
	OP_OR,    /* top is true: keep it and jump; else drop it */
	OP_ELSE,  /* drop the top; jump if it was false */
	OP_CHAIN, /* x < y < z: if x < y keep y, else leave 0 and jump */
	OP_JUMP
};

struct step {
	enum op op;
	enum op compare; /* of OP_CHAIN */
	union {
		double number;
		uint32_t index;
		size_t target;
	} u;
};

struct expr {
	struct step *v;
	size_t n;
	size_t cap;
	struct expr_variables variables;
};

#endif
