/* SPDX-License-Identifier: BSD-2-Clause */
/* block -- if, ifplugin, else, endif: which lines of a rule file are read. */
#include "base/arena.h"
#include "rules/condition.h"
#include "rules/reader.h"

static void
block_open(struct reader *r, struct str condition, bool holds)
{
	r->blocks[r->nblocks++] = (struct block){
	    .line = r->place.line,
	    .condition = condition,
	    .was_skipping = r->is_skipping,
	};
	r->is_skipping = r->is_skipping || !holds;
}

static bool
is_about_us(struct str condition)
{
	return str_find(condition, STR("plugin")) != STR_NONE ||
	       str_find(condition, STR("can")) != STR_NONE ||
	       str_find(condition, STR("has")) != STR_NONE;
}

/* A block that is left out because something is not built in is worth a note.
 */
static void
note_left_out(struct reader *r, struct str condition)
{
	if (is_about_us(condition) && reader_is_first(r, condition))
		SAY(r, DIAG_NOTE, "left out: if %.*s does not hold here",
		    STR_ARG(str_sub(condition, 0, 200)));
}

static void
read_condition(struct reader *r, struct str condition)
{
	if (r->nblocks >= IF_DEPTH) {
		ERROR(r,
		    "more than %d nested ifs: the rest of the file is not "
		    "read",
		    IF_DEPTH);
		r->is_rest_lost = true;
		return;
	}
	bool holds = false;
	struct str why = STR_EMPTY;
	if (condition.len == 0)
		ERROR(r, "a condition is missing");
	else if (!condition_read(
		     r->arena, condition, &r->rules->plugins, &holds, &why))
		ERROR(r,
		    "the condition cannot be read, so it does not hold: "
		    "%.*s",
		    STR_ARG(why));
	else if (!holds && !r->is_skipping)
		note_left_out(r, condition);
	block_open(r, condition, holds);
}

void
block_read_if(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	read_condition(r, value);
}

void
block_read_ifplugin(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	read_condition(r, str_printf(r->arena, "plugin(%.*s)", STR_ARG(value)));
}

void
block_read_else(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	struct block *block =
	    r->nblocks == r->first_block ? NULL : &r->blocks[r->nblocks - 1];
	if (block == NULL || block->has_else || value.len > 0) {
		ERROR(r, value.len > 0   ? "else stands alone"
			 : block == NULL ? "else without if"
					 : "a second else");
		return;
	}
	block->has_else = true;
	r->is_skipping = block->was_skipping || !r->is_skipping;
}

void
block_read_endif(struct reader *r, struct str value, unsigned unused)
{
	(void)unused;
	if (r->nblocks == r->first_block || value.len > 0) {
		ERROR(r,
		    value.len > 0 ? "endif stands alone" : "endif without if");
		return;
	}
	r->is_skipping = r->blocks[--r->nblocks].was_skipping;
}

/* A condition of several parts does not say which of them decided. */
static struct str
block_why(const struct block *block)
{
	struct str condition = block->condition;
	if (block->has_else)
		return STR("the condition holds");
	if (!is_about_us(condition) ||
	    str_find(condition, STR("&&")) != STR_NONE ||
	    str_find(condition, STR("||")) != STR_NONE)
		return STR("the condition does not hold");
	return str_starts(condition, STR("!"))
		   ? STR("it is for programs without that, and it is here")
		   : STR("that is not built in, or not loaded");
}

void
block_unread(struct reader *r)
{
	size_t i = r->nblocks;
	while (i > 1 && r->blocks[i - 1].was_skipping)
		i--;
	if (i == 0)
		return;
	const struct block *block = &r->blocks[i - 1];
	reader_unread(r,
	    str_printf(r->arena, "%s %.*s",
		block->has_else ? "else of if" : "if",
		STR_ARG(str_sub(block->condition, 0, 200))),
	    block_why(block));
}
