/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader -- what parse.c, block.c and directive.c share while rule files are
 * read.  Everybody else uses rule.h.
 */
#ifndef RULES_READER_H
#define RULES_READER_H

#include "rules/rule.h"

#define IF_DEPTH 50

/* One open `if`. */
struct block {
	unsigned line;
	struct str condition;
	bool was_skipping; /* around it */
	bool has_else;
};

struct reader {
	struct ruleset *rules;
	struct arena *arena;
	struct diags *diags;
	struct place place;
	struct strs open; /* the files being read, outermost first */
	struct block blocks[IF_DEPTH];
	size_t nblocks;
	size_t first_block; /* of this file */
	bool is_skipping;   /* in a block whose condition is false */
	bool is_rest_lost;  /* require_version did not fit */
	size_t nfiles;
	size_t nerrors;       /* of this file */
	struct table *noted;  /* what has been said once for this file */
	struct table *unread; /* name -> place in rules->unread + 1 */
};

#define SAY(r, level, ...)                                              \
	diag_add((r)->diags, (level), (r)->place.file, (r)->place.line, \
	    __VA_ARGS__)
/* What is wrong with a line; of many, the first ones. */
#define ERROR(r, ...)                                    \
	do {                                             \
		if ((r)->nerrors++ < READER_ERRORS)      \
			SAY(r, DIAG_ERROR, __VA_ARGS__); \
	} while (0)
#define READER_ERRORS 20 /* of one file are shown */
#define WARN(r, ...) SAY(r, DIAG_WARNING, __VA_ARGS__)

/* A note that is worth one line a file; false: said already. */
bool reader_is_first(struct reader *r, struct str what);

/* Count a line that means nothing here. */
void reader_unread(struct reader *r, struct str what, struct str why);

/* One directive of the language. */
struct directive {
	const char *name;
	void (*read)(struct reader *r, struct str value, unsigned arg);
	unsigned arg;
	bool is_always; /* read where the condition of a block does not hold */
};

/* NULL: no such directive. */
const struct directive *directive_find(struct str name);
/* It defines the rule that its value begins with. */
bool directive_defines(const struct directive *directive);
/* A rule that asks the network: askdns, urirhssub, ... */
void directive_read_network(struct reader *r, struct str value);

/* block.c: if, ifplugin, else, endif */
void block_read_if(struct reader *r, struct str value, unsigned unused);
void block_read_ifplugin(struct reader *r, struct str value, unsigned unused);
void block_read_else(struct reader *r, struct str value, unsigned unused);
void block_read_endif(struct reader *r, struct str value, unsigned unused);

/* A line that the block around it leaves out. */
void block_unread(struct reader *r);

/* parse.c: another file, here */
void reader_include(struct reader *r, struct str value, unsigned unused);

#endif
