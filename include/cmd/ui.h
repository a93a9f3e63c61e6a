/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ui -- what the commands show people: text that no terminal obeys, tables
 * whose columns line up, colour where it is wanted, a progress bar.  For one
 * thread.  Output for machines is json.h's.
 */
#ifndef CMD_UI_H
#define CMD_UI_H

#include "base/buf.h"

struct arena;

enum ui_color { UI_COLOR_AUTO, UI_COLOR_ALWAYS, UI_COLOR_NEVER };

enum ui_style {
	UI_PLAIN,
	UI_BOLD,
	UI_DIM,
	UI_RED,
	UI_GREEN,
	UI_YELLOW,
	UI_CYAN,
	UI_STYLE_COUNT
};

/*
 * First of all: descriptors 0 to 2 that are closed become ones that cannot be
 * used, so that no file is opened there, and a reader that goes away (SIGPIPE)
 * is an error like any other: what a command has begun is finished.
 */
void ui_begin(void);
/* False: standard output takes no more, so it is no use to go on for it. */
bool ui_out_is_open(void);
/* Write what waits.  False: as above. */
bool ui_out_flush(void);
/*
 * Everything has been written to standard output.  False: not all of it got
 * there; why is said to standard error, unless it is that nobody reads it.
 */
MUST_CHECK bool ui_out_end(void);

/* One output stream and what it can show. */
struct ui {
	FILE *out;
	bool is_terminal;
	bool has_color;
	bool has_utf8;    /* false: everything past ASCII is escaped */
	unsigned columns; /* 0: no limit */
};

/*
 * Look at `out` and the environment.  UI_COLOR_AUTO: on a terminal, unless
 * NO_COLOR is set (https://no-color.org) or TERM is "dumb".  Sets the
 * process's LC_CTYPE, so call it before there are threads.
 */
void ui_init(struct ui *ui, FILE *out, enum ui_color color);

/*
 * Append `s` as a terminal may have it: control characters and bytes that are
 * not UTF-8 as \xNN, what is invisible or turns the line round as \u{N}.
 */
void ui_escape(const struct ui *ui, struct buf *b, struct str s);
/* Columns that `s`, escaped text, takes. */
size_t ui_width(struct str s);
/* As much of `s`, escaped text, as fits `columns`; "..." marks the cut. */
struct str ui_fit(struct arena *a, struct str s, size_t columns);

/* Write `s`, escaped, in `style`. */
void ui_put(const struct ui *ui, enum ui_style style, struct str s);
/* The same for a short text; only a newline that ends `fmt` is one. */
void ui_printf(const struct ui *ui, enum ui_style style, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

struct ui_column {
	const char *title;
	bool is_right;   /* numbers */
	bool is_elastic; /* gives way when the terminal is narrow */
	/* 0: always there; else left out where a line would not be readable,
	 * the column with the highest number first, and before them those with
	 * nothing but "-" in them. */
	unsigned rank;
};

struct ui_table;

/*
 * A table with `n` columns; `columns` must outlive it.  Rows are shown in
 * blocks of a thousand, so it may be as long as it likes.
 */
struct ui_table *ui_table_new(
    const struct ui *ui, const struct ui_column *columns, size_t n);
/* The next cell, from left to right, row by row; `s` is escaped here. */
void ui_table_cell(struct ui_table *t, enum ui_style style, struct str s);
/* Show what is left and free it. */
void ui_table_end(struct ui_table *t);

/* A bar on standard error when that is a terminal; nothing otherwise. */
struct ui_progress {
	bool is_on;
	const char *label;
	uint64_t total; /* 0: not known */
	uint64_t done;
	int64_t begin_ms, drawn_ms;
	unsigned columns;
};

void ui_progress_begin(
    struct ui_progress *p, const char *label, uint64_t total);
void ui_progress_add(struct ui_progress *p, uint64_t n);
/* Wipe the bar, to print a line in its place; the next add draws it again. */
void ui_progress_hide(struct ui_progress *p);
void ui_progress_end(struct ui_progress *p);

#endif
