/* SPDX-License-Identifier: BSD-2-Clause */
/* ui -- what the commands show people. */
#include "cmd/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

#define ROWS_A_BLOCK 1000
#define ELASTIC_MIN 8
#define ELASTIC_GOOD 14 /* to be readable */
#define GAP 2
#define RANK_EMPTY 1000
#define TEXT_MAX ((size_t)64 << 20)
#define DRAW_EVERY_MS 100
#define BAR_CELLS 24

static const char *const style_on[UI_STYLE_COUNT] = {
    [UI_PLAIN] = "",
    [UI_BOLD] = "\033[1m",
    [UI_DIM] = "\033[2m",
    [UI_RED] = "\033[31m",
    [UI_GREEN] = "\033[32m",
    [UI_YELLOW] = "\033[33m",
    [UI_CYAN] = "\033[36m",
};

void
ui_begin(void)
{
	int fd;
	(void)signal(SIGPIPE, SIG_IGN);
	do {
		int used = fcntl(0, F_GETFD) < 0 ? O_WRONLY : O_RDONLY;
		fd = open("/dev/null", used);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

bool
ui_out_is_open(void)
{
	return ferror(stdout) == 0;
}

static int out_error; /* of a flush */

bool
ui_out_flush(void)
{
	errno = 0; /* an earlier error may have taken all there was */
	bool is_flushed = fflush(stdout) == 0;
	if (!is_flushed)
		out_error = errno;
	return is_flushed && ui_out_is_open();
}

/* The reader of a pipe has gone. */
static bool
is_left_alone(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

bool
ui_out_end(void)
{
	if (ui_out_flush())
		return true;
	if (out_error == 0 && write(STDOUT_FILENO, "", 0) < 0)
		out_error = errno;
	if (out_error != EPIPE && !is_left_alone(STDOUT_FILENO))
		log_error("standard output: %s",
		    out_error == 0 ? "not all could be written"
				   : strerror(out_error));
	return false;
}

/* Whether the terminal reads UTF-8, by the locale it was started with. */
static bool
locale_is_utf8(void)
{
	return setlocale(LC_CTYPE, "") != NULL &&
	       strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static unsigned
terminal_columns(int fd)
{
	struct winsize size;
	uint64_t columns;
	if (str_u64(str_from(getenv("COLUMNS")), 10000, &columns) &&
	    columns > 0)
		return (unsigned)columns;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

static bool
environment_has(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0';
}

static bool
terminal_is_dumb(void)
{
	return str_eq(str_from(getenv("TERM")), STR("dumb"));
}

void
ui_init(struct ui *ui, FILE *out, enum ui_color color)
{
	ui->out = out;
	ui->is_terminal = isatty(fileno(out)) == 1;
	ui->has_utf8 = locale_is_utf8() || !ui->is_terminal;
	ui->columns = ui->is_terminal ? terminal_columns(fileno(out)) : 0;
	ui->has_color =
	    color == UI_COLOR_ALWAYS ||
	    (color == UI_COLOR_AUTO && ui->is_terminal &&
		!environment_has("NO_COLOR") && !terminal_is_dumb());
	/* wcwidth() must know characters whatever the locale is */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
}

static bool
is_shown(const struct ui *ui, uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	return ui->has_utf8 && !utf8_is_deceiver(c) && wcwidth((wchar_t)c) >= 0;
}

void
ui_escape(const struct ui *ui, struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len;) {
		struct str at = str_skip(s, i);
		size_t n = utf8_length(at);
		uint32_t c = n == 0 ? (unsigned char)at.p[0] : utf8_decode(at);
		if (n != 0 && is_shown(ui, c))
			buf_put(b, str_sub(at, 0, n));
		else if (n <= 1)
			buf_printf(b, "\\x%02x", c);
		else
			buf_printf(b, "\\u{%x}", c);
		i += n == 0 ? 1 : n;
	}
}

/* Columns of the character at the start of `s`; its bytes in `*ret_bytes`. */
static size_t
char_columns(struct str s, size_t *ret_bytes)
{
	size_t n = utf8_length(s);
	int columns = n == 0 ? 1 : wcwidth((wchar_t)utf8_decode(s));
	*ret_bytes = n == 0 ? 1 : n;
	return columns < 0 ? 1 : (size_t)columns;
}

size_t
ui_width(struct str s)
{
	size_t columns = 0, n;
	for (; s.len > 0; s = str_skip(s, n))
		columns += char_columns(s, &n);
	return columns;
}

/* Bytes of `s` that take at most `columns`. */
static size_t
bytes_in(struct str s, size_t columns)
{
	size_t used = 0, at = 0, n;
	while (at < s.len) {
		used += char_columns(str_skip(s, at), &n);
		if (used > columns)
			break;
		at += n;
	}
	return at;
}

struct str
ui_fit(struct arena *a, struct str s, size_t columns)
{
	if (ui_width(s) <= columns)
		return s;
	if (columns <= 3)
		return str_sub(s, 0, bytes_in(s, columns));
	struct str head = str_sub(s, 0, bytes_in(s, columns - 3));
	return str_printf(a, "%.*s...", STR_ARG(head));
}

static void
style_begin(const struct ui *ui, enum ui_style style)
{
	if (ui->has_color)
		(void)fputs(style_on[style], ui->out);
}

static void
style_end(const struct ui *ui, enum ui_style style)
{
	if (ui->has_color && style != UI_PLAIN)
		(void)fputs("\033[0m", ui->out);
}

static void
put_styled(const struct ui *ui, enum ui_style style, struct str s)
{
	if (s.len == 0)
		return;
	style_begin(ui, style);
	(void)fwrite(s.p, 1, s.len, ui->out);
	style_end(ui, style);
}

void
ui_put(const struct ui *ui, enum ui_style style, struct str s)
{
	struct arena *a = arena_new();
	struct buf *b = buf_new(a, TEXT_MAX);
	ui_escape(ui, b, s);
	put_styled(ui, style, buf_str(b));
	arena_free(a);
}

void
ui_printf(const struct ui *ui, enum ui_style style, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	struct str s = str_of(text, (size_t)len);
	bool ends_line = str_ends(str_from(fmt), STR("\n"));
	s.len -= ends_line ? 1 : 0;
	ui_put(ui, style, s);
	if (ends_line)
		(void)fputc('\n', ui->out);
	free(text);
}

struct cell {
	struct str text; /* escaped */
	size_t width;
	enum ui_style style;
};

struct ui_table {
	const struct ui *ui;
	const struct ui_column *columns;
	size_t ncolumns;
	size_t *widths;              /* as wide as the widest cell so far */
	bool *is_left_out, *is_told; /* something is in it */
	size_t last;                 /* column that is shown */
	bool has_head;
	struct arena *arena; /* of the cells of this block */
	struct {
		struct cell *v;
		size_t n, cap;
	} cells;
};

struct ui_table *
ui_table_new(const struct ui *ui, const struct ui_column *columns, size_t n)
{
	struct arena *a = arena_new();
	struct ui_table *t = calloc(1, sizeof(*t));
	size_t *widths = calloc(n, sizeof(*widths));
	bool *is_left_out = calloc(n, sizeof(*is_left_out));
	bool *is_told = calloc(n, sizeof(*is_told));
	if (t == NULL || widths == NULL || is_left_out == NULL ||
	    is_told == NULL)
		log_fatal("out of memory");
	*t = (struct ui_table){
	    .ui = ui,
	    .columns = columns,
	    .ncolumns = n,
	    .widths = widths,
	    .is_left_out = is_left_out,
	    .is_told = is_told,
	    .last = n - 1,
	    .arena = a,
	};
	for (size_t i = 0; i < n; i++)
		widths[i] = ui_width(str_from(columns[i].title));
	return t;
}

/* With elastic columns of at most `elastic`. */
static size_t
line_width(const struct ui_table *t, size_t elastic)
{
	size_t sum = 0;
	for (size_t i = 0; i < t->ncolumns; i++) {
		bool is_cut =
		    t->columns[i].is_elastic && t->widths[i] > elastic;
		if (!t->is_left_out[i])
			sum += GAP + (is_cut ? elastic : t->widths[i]);
	}
	return sum - GAP;
}

/* One in which nothing is told gives way before the others. */
static unsigned
rank_of(const struct ui_table *t, size_t column)
{
	unsigned rank = t->columns[column].rank;
	return rank > 0 && !t->is_told[column] ? rank + RANK_EMPTY : rank;
}

/* The column that gives way first; ncolumns: none does. */
static size_t
highest_rank(const struct ui_table *t)
{
	size_t at = t->ncolumns;
	unsigned rank = 0;
	for (size_t i = 0; i < t->ncolumns; i++)
		if (!t->is_left_out[i] && rank_of(t, i) > rank) {
			rank = rank_of(t, i);
			at = i;
		}
	return at;
}

/* Before the heading is shown. */
static void
columns_choose(struct ui_table *t)
{
	size_t at;
	if (t->ui->columns == 0)
		return;
	while (line_width(t, ELASTIC_GOOD) > t->ui->columns &&
	       (at = highest_rank(t)) < t->ncolumns)
		t->is_left_out[at] = true;
	while (t->is_left_out[t->last])
		t->last--;
}

static size_t *
widest_elastic(struct ui_table *t)
{
	size_t *widest = NULL;
	for (size_t i = 0; i < t->ncolumns; i++)
		if (t->columns[i].is_elastic && !t->is_left_out[i] &&
		    t->widths[i] > ELASTIC_MIN &&
		    (widest == NULL || t->widths[i] > *widest))
			widest = &t->widths[i];
	return widest;
}

/* Take from the widest elastic column until a line fits. */
static void
widths_fit(struct ui_table *t)
{
	size_t *widest;
	if (t->ui->columns == 0)
		return;
	while (line_width(t, SIZE_MAX) > t->ui->columns &&
	       (widest = widest_elastic(t)) != NULL)
		--*widest;
}

static void
pad(FILE *out, size_t n)
{
	for (; n > 0; n--)
		(void)fputc(' ', out);
}

static void
cell_print(struct ui_table *t, size_t column, const struct cell *cell)
{
	if (t->is_left_out[column])
		return;
	size_t room = t->widths[column];
	struct str text = cell->text;
	size_t width = cell->width;
	if (width > room) {
		text = ui_fit(t->arena, text, room);
		width = ui_width(text);
	}
	bool is_last = column == t->last;
	if (t->columns[column].is_right)
		pad(t->ui->out, room - width);
	put_styled(t->ui, cell->style, text);
	if (!t->columns[column].is_right && !is_last)
		pad(t->ui->out, room - width);
	if (is_last)
		(void)fputc('\n', t->ui->out);
	else
		pad(t->ui->out, GAP);
}

static void
head_print(struct ui_table *t)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		struct str title = str_from(t->columns[i].title);
		struct cell cell = {title, ui_width(title), UI_BOLD};
		cell_print(t, i, &cell);
	}
	t->has_head = true;
}

static void
block_print(struct ui_table *t)
{
	if (!t->has_head)
		columns_choose(t);
	widths_fit(t);
	if (!t->has_head)
		head_print(t);
	for (size_t i = 0; i < t->cells.n; i++)
		cell_print(t, i % t->ncolumns, &t->cells.v[i]);
	t->cells.v = NULL;
	t->cells.n = t->cells.cap = 0;
	arena_reset(t->arena);
}

void
ui_table_cell(struct ui_table *t, enum ui_style style, struct str s)
{
	struct buf *b = buf_new(t->arena, TEXT_MAX);
	ui_escape(t->ui, b, s);
	struct cell cell = {buf_str(b), ui_width(buf_str(b)), style};
	size_t column = t->cells.n % t->ncolumns;
	size_t *width = &t->widths[column];
	if (s.len > 0 && !str_eq(s, STR("-")))
		t->is_told[column] = true;
	if (cell.width > *width)
		*width = cell.width;
	ARENA_PUSH(t->arena, &t->cells) = cell;
	if (t->cells.n == ROWS_A_BLOCK * t->ncolumns)
		block_print(t);
}

void
ui_table_end(struct ui_table *t)
{
	if (t->cells.n > 0)
		block_print(t);
	arena_free(t->arena);
	free(t->widths);
	free(t->is_left_out);
	free(t->is_told);
	free(t);
}

void
ui_progress_begin(struct ui_progress *p, const char *label, uint64_t total)
{
	int fd = fileno(stderr);
	*p = (struct ui_progress){
	    .is_on = isatty(fd) == 1 && !terminal_is_dumb(),
	    .label = label,
	    .total = total,
	    .begin_ms = clock_ms(),
	    .columns = terminal_columns(fd),
	};
}

static void
progress_draw(const struct ui_progress *p, int64_t now)
{
	int64_t ms = now - p->begin_ms;
	double rate = ms <= 0 ? 0 : (double)p->done * 1000 / (double)ms;
	char line[160];
	if (p->total == 0) {
		(void)snprintf(line, sizeof(line), "%s %llu  %.0f/s", p->label,
		    (unsigned long long)p->done, rate);
	} else {
		uint64_t done = p->done < p->total ? p->done : p->total;
		size_t full = (size_t)((double)BAR_CELLS * (double)done /
				       (double)p->total);
		char bar[BAR_CELLS + 1];
		memset(bar, '.', BAR_CELLS);
		memset(bar, '#', full);
		bar[BAR_CELLS] = '\0';
		(void)snprintf(line, sizeof(line), "%s [%s] %llu/%llu  %.0f/s",
		    p->label, bar, (unsigned long long)p->done,
		    (unsigned long long)p->total, rate);
	}
	fprintf(stderr, "\r\033[K%.*s", (int)p->columns - 1, line);
	(void)fflush(stderr);
}

void
ui_progress_add(struct ui_progress *p, uint64_t n)
{
	p->done += n;
	if (!p->is_on)
		return;
	int64_t now = clock_ms();
	if (now - p->drawn_ms < DRAW_EVERY_MS)
		return;
	p->drawn_ms = now;
	progress_draw(p, now);
}

void
ui_progress_hide(struct ui_progress *p)
{
	if (!p->is_on || p->drawn_ms == 0)
		return;
	(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	p->drawn_ms = 0;
}

void
ui_progress_end(struct ui_progress *p)
{
	ui_progress_hide(p);
	p->is_on = false;
}
