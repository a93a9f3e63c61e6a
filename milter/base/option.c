/* SPDX-License-Identifier: BSD-2-Clause */
/* option -- the options of a configuration file, one row each. */
#include "base/option.h"

#include <confuse.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"

#define ROWS_MAX 128
#define COMPLAINT_MAX 1024
#define FILE_BYTES ((size_t)16 << 20)
/* Bounds from here on say only that there has to be one. */
#define AS_GOOD_AS_ANY 1e15
/* Put behind a file: libconfuse does not miss the } of a last section. */
#define END "end-of-file"

struct option_line {
	const char *name;
	struct str title; /* of its section; empty: none */
	size_t i;         /* of the value */
	unsigned line;
};

static const char *const type_words[] = {
    [OPTION_BOOL] = "yes or no",
    [OPTION_COUNT] = "a number",
    [OPTION_SIZE] = "bytes: 512, 64K, 10M, 2G",
    [OPTION_DURATION] = "a time: 500ms, 30s, 5m, 12h, 30d",
    [OPTION_SCORE] = "a score, or off",
    [OPTION_MODE] = "octal permissions: 0660",
    [OPTION_TEXT] = "text",
    [OPTION_LIST] = "a list: {\"a\", \"b\"}",
    [OPTION_CHOICE] = "one word of a list",
};

/* What may stand behind a number, and how many base units it is. */
struct unit {
	const char *suffix;
	double factor;
};

static const struct unit size_units[] = {{"", 1}, {"K", 1024},
    {"M", 1024.0 * 1024}, {"G", 1024.0 * 1024 * 1024}, {NULL, 0}};
static const struct unit duration_units[] = {{"ms", 1}, {"s", 1000},
    {"m", 60.0 * 1000}, {"h", 3600.0 * 1000}, {"d", 86400.0 * 1000}, {NULL, 0}};

const char *
option_type_word(enum option_type type)
{
	return type_words[type];
}

static bool
parse_bool(struct str text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"yes", true}, {"true", true}, {"on", true}, {"no", false},
	    {"false", false}, {"off", false}};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_ieq(text, str_from(words[i].word))) {
			*ret = words[i].value;
			return true;
		}
	return false;
}

static bool
parse_units(struct str text, const struct unit *units, double *ret)
{
	size_t digits = 0;
	while (digits < text.len &&
	       (char_is_digit(text.p[digits]) || text.p[digits] == '.'))
		digits++;
	double value;
	if (!str_double(str_sub(text, 0, digits), &value))
		return false;
	struct str suffix = str_trim(str_skip(text, digits));
	for (; units->suffix != NULL; units++)
		if (str_ieq(suffix, str_from(units->suffix))) {
			*ret = value * units->factor;
			return true;
		}
	/* 0 needs no unit */
	*ret = 0;
	return suffix.len == 0 && value == 0;
}

static bool
parse_mode(struct str text, double *ret)
{
	unsigned value = 0;
	if (text.len == 0 || text.len > 4)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '7')
			return false;
		value = value * 8 + (unsigned)(text.p[i] - '0');
	}
	*ret = value;
	return true;
}

static bool
parse_number(const struct option_row *row, struct str text, double *ret)
{
	uint64_t count;
	switch (row->type) {
	case OPTION_COUNT:
		if (!str_u64(text, (uint64_t)1 << 52, &count))
			return false;
		*ret = (double)count;
		return true;
	case OPTION_SIZE:
		return parse_units(text, size_units, ret);
	case OPTION_DURATION:
		return parse_units(text, duration_units, ret);
	case OPTION_SCORE:
		if (str_ieq(text, STR("off"))) {
			*ret = 0;
			return true;
		}
		return str_double(text, ret);
	case OPTION_MODE:
		return parse_mode(text, ret);
	case OPTION_BOOL:
	case OPTION_TEXT:
	case OPTION_LIST:
	case OPTION_CHOICE:
		break;
	}
	return false;
}

static bool
in_range(const struct option_row *row, double value)
{
	return (row->min == 0 && row->max == 0) ||
	       (value >= row->min && value <= row->max);
}

static bool
parse_choice(const struct option_row *row, struct str text, int *ret)
{
	for (int i = 0; row->choices[i] != NULL; i++)
		if (str_ieq(text, str_from(row->choices[i]))) {
			*ret = i;
			return true;
		}
	return false;
}

static void
store_number(const struct option_row *row, double value, char *field)
{
	if (row->type == OPTION_SCORE)
		*(double *)(void *)field = value;
	else if (row->type == OPTION_DURATION)
		*(int64_t *)(void *)field = (int64_t)value;
	else
		*(uint64_t *)(void *)field = (uint64_t)value;
}

/* Read one value into `target`; NULL, or what is wrong with it. */
static const char *
value_set(struct arena *a, const struct option_row *row, struct str text,
    char *target)
{
	char *field = target + row->offset;
	double number;
	switch (row->type) {
	case OPTION_BOOL:
		return parse_bool(text, (bool *)field) ? NULL : "is not";
	case OPTION_CHOICE:
		return parse_choice(row, text, (int *)(void *)field) ? NULL
								     : "is not";
	case OPTION_TEXT:
		*(struct str *)(void *)field = str_dup(a, text);
		return NULL;
	case OPTION_LIST:
		strs_add(a, (struct strs *)(void *)field, str_dup(a, text));
		return NULL;
	case OPTION_COUNT:
	case OPTION_SIZE:
	case OPTION_DURATION:
	case OPTION_SCORE:
	case OPTION_MODE:
		if (!parse_number(row, text, &number))
			return "is not";
		if (!in_range(row, number))
			return "is out of range for";
		store_number(row, number, field);
		return NULL;
	}
	return "is not";
}

static void
row_default(struct arena *a, const struct option_row *row, char *target)
{
	if (row->type != OPTION_LIST) {
		(void)value_set(a, row, str_from(row->initial), target);
		return;
	}
	*(struct strs *)(void *)(target + row->offset) = (struct strs){0};
	struct str rest = str_from(row->initial);
	while (rest.len > 0)
		(void)value_set(a, row, str_trim(str_cut(&rest, ',')), target);
}

static void
rows_default(struct arena *a, const struct option_row *rows, char *target)
{
	for (; rows->name != NULL; rows++)
		row_default(a, rows, target);
}

void
option_defaults(struct arena *a, const struct option_file *file, void *target)
{
	rows_default(a, file->rows, target);
	for (const struct option_section *s = file->sections; s->kind != NULL;
	     s++)
		for (size_t i = 0; s->titles[i] != NULL; i++)
			rows_default(a, s->rows,
			    (char *)target + s->offset + i * s->size);
}

/*
 * libconfuse hands no pointer of ours to its callbacks; only one file is read
 * at a time (see option.h).
 */
static struct {
	struct diags *diags;
	const struct option_file *file;
	struct arena *scratch, *arena;
	struct option_lines *lines;
	bool is_ended; /* the end was read, and in no section */
} reading;

static void on_error(cfg_t *cfg, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512];
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	diag_add(reading.diags, DIAG_ERROR, str_from(cfg->filename),
	    (unsigned)(cfg->line > 0 ? cfg->line : 0), "%s", text);
}

static const struct option_row *
row_find(const struct option_row *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

static const struct option_row *
row_of(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *kind = cfg_name(cfg);
	for (const struct option_section *s = reading.file->sections;
	     s->kind != NULL; s++)
		if (strcmp(s->kind, kind) == 0)
			return row_find(s->rows, cfg_opt_name(opt));
	return row_find(reading.file->rows, cfg_opt_name(opt));
}

static struct str
show_units(struct arena *a, double value, const struct unit *units)
{
	const struct unit *best = units;
	for (; units->suffix != NULL; units++)
		if (value >= units->factor && fmod(value, units->factor) == 0)
			best = units;
	return str_printf(a, "%.15g%s", value / best->factor, best->suffix);
}

static struct str
show_number(struct arena *a, const struct option_row *row, double value)
{
	if (row->type == OPTION_SIZE)
		return show_units(a, value, size_units);
	if (row->type == OPTION_DURATION)
		return show_units(a, value, duration_units);
	if (row->type == OPTION_MODE)
		return str_printf(a, "0%o", (unsigned)value);
	return str_printf(a, "%.15g", value);
}

static struct str
range_text(struct arena *a, const struct option_row *row)
{
	if (row->type == OPTION_CHOICE) {
		struct buf *b = buf_new(a, 256);
		for (int i = 0; row->choices[i] != NULL; i++)
			buf_printf(b, "%s%s", i == 0 ? "one of: " : ", ",
			    row->choices[i]);
		return buf_str(b);
	}
	if (row->min == 0 && row->max == 0)
		return str_from(type_words[row->type]);
	struct str min = show_number(a, row, row->min);
	struct str max = show_number(a, row, row->max);
	if (row->max >= AS_GOOD_AS_ANY)
		return str_printf(
		    a, "%s, %.*s or more", type_words[row->type], STR_ARG(min));
	return str_printf(a, "%s, from %.*s to %.*s", type_words[row->type],
	    STR_ARG(min), STR_ARG(max));
}

static const char *
kind_of(cfg_t *cfg)
{
	for (const struct option_section *s = reading.file->sections;
	     s->kind != NULL; s++)
		if (strcmp(s->kind, cfg_name(cfg)) == 0)
			return s->kind;
	return NULL;
}

/* NULL: any text is good. */
static const struct option_form *
form_of(cfg_t *cfg, const struct option_row *row)
{
	const struct option_form *form = reading.file->forms;
	const char *kind = kind_of(cfg);
	for (; form != NULL && form->name != NULL; form++)
		if (strcmp(form->name, row->name) == 0 &&
		    (form->kind == NULL) == (kind == NULL) &&
		    (kind == NULL || strcmp(form->kind, kind) == 0))
			return form;
	return NULL;
}

static void
line_keep(cfg_t *cfg, const struct option_row *row, size_t i)
{
	const char *title = cfg_title(cfg);
	ARENA_PUSH(reading.arena, reading.lines) = (struct option_line){
	    .name = row->name,
	    .title = title == NULL ? STR_EMPTY
				   : str_dup(reading.arena, str_from(title)),
	    .i = i,
	    .line = (unsigned)(cfg->line > 0 ? cfg->line : 0),
	};
}

/* -1: it is in the row's range, but does not look as it has to. */
static int
form_check(cfg_t *cfg, const struct option_row *row, struct str text)
{
	const struct option_form *form = form_of(cfg, row);
	if (form == NULL || form->fits(text))
		return 0;
	if (form->is_secret)
		cfg_error(
		    cfg, "%s: the value is not %s", row->name, form->allowed);
	else
		cfg_error(cfg, "%s: \"%.*s\" is not %s", row->name,
		    STR_ARG(text), form->allowed);
	return -1;
}

/* Called by libconfuse after each value, while it knows the line. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct option_row *row = row_of(cfg, opt);
	if (row == NULL || cfg_opt_size(opt) == 0)
		return 0;
	char scratch[4096] = {0};
	struct option_row here = *row;
	here.offset = 0;
	unsigned last = cfg_opt_size(opt) - 1;
	struct str text = str_from(cfg_opt_getnstr(opt, last));
	line_keep(cfg, row, last);
	const char *wrong = value_set(reading.scratch, &here, text, scratch);
	if (wrong == NULL)
		return form_check(cfg, row, text);
	cfg_error(cfg, "%s: \"%.*s\" %s %.*s", row->name, STR_ARG(text), wrong,
	    STR_ARG(range_text(reading.scratch, row)));
	return -1;
}

/* Called by libconfuse where the text ends, in the section that is open there.
 */
static int
on_end(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	(void)opt, (void)argc, (void)argv;
	const char *kind = kind_of(cfg);
	reading.is_ended = kind == NULL;
	if (kind == NULL)
		return 0;
	cfg_error(
	    cfg, "the } of section \"%s %s\" is missing", kind, cfg_title(cfg));
	return -1;
}

static size_t
rows_to_confuse(const struct option_row *rows, cfg_opt_t *opts)
{
	size_t n = 0;
	for (; n < ROWS_MAX - 8 && rows[n].name != NULL; n++)
		opts[n] = rows[n].type == OPTION_LIST
			      ? (cfg_opt_t)CFG_STR_LIST(
				    rows[n].name, NULL, CFGF_NODEFAULT)
			      : (cfg_opt_t)CFG_STR(
				    rows[n].name, NULL, CFGF_NODEFAULT);
	opts[n++] = (cfg_opt_t)CFG_FUNC(END, on_end);
	opts[n] = (cfg_opt_t)CFG_END();
	return n;
}

/* Without "file://": the option as the admin sees it. */
static void
rows_take(
    struct arena *a, cfg_t *cfg, const struct option_row *rows, char *target)
{
	for (; rows->name != NULL; rows++) {
		cfg_opt_t *opt = cfg_getopt(cfg, rows->name);
		unsigned n = cfg_opt_size(opt);
		if (rows->type == OPTION_LIST) {
			/* {} is said as well: the default goes */
			if (n == 0 && (opt->flags & CFGF_MODIFIED) == 0)
				continue;
			*(struct strs *)(void *)(target + rows->offset) =
			    (struct strs){0};
		} else if (n == 0 || cfg_opt_getnstr(opt, 0) == NULL) {
			continue;
		}
		for (unsigned i = 0; i < n; i++)
			(void)value_set(
			    a, rows, str_from(cfg_opt_getnstr(opt, i)), target);
	}
}

static bool
sections_take(
    struct arena *a, cfg_t *cfg, const struct option_section *s, char *target)
{
	bool is_good = true;
	for (unsigned i = 0; i < cfg_size(cfg, s->kind); i++) {
		cfg_t *section = cfg_getnsec(cfg, s->kind, i);
		size_t title = 0;
		while (s->titles[title] != NULL &&
		       strcmp(s->titles[title], cfg_title(section)) != 0)
			title++;
		if (s->titles[title] == NULL) {
			cfg_error(section, "no %s is called \"%s\"", s->kind,
			    cfg_title(section));
			is_good = false;
			continue;
		}
		rows_take(
		    a, section, s->rows, target + s->offset + title * s->size);
	}
	return is_good;
}

static void
validators_set(cfg_t *cfg, const struct option_file *file)
{
	for (const struct option_row *r = file->rows; r->name != NULL; r++)
		(void)cfg_set_validate_func(cfg, r->name, on_value);
	for (const struct option_section *s = file->sections; s->kind != NULL;
	     s++)
		for (const struct option_row *r = s->rows; r->name != NULL;
		     r++) {
			char path[128];
			(void)snprintf(
			    path, sizeof(path), "%s|%s", s->kind, r->name);
			(void)cfg_set_validate_func(cfg, path, on_value);
		}
}

/*
 * libconfuse gets memory, never a file: its scanner ends the process over one
 * that cannot be read, such as a folder.
 */
static bool
text_parse(cfg_t *cfg, struct str text)
{
	struct buf *b = buf_new(reading.scratch, text.len + sizeof(END) + 8);
	buf_put(b, text);
	buf_printf(b, "%s%s()", str_ends(text, STR("\n")) ? "" : "\n", END);
	FILE *stream = fmemopen(b->p, b->len, "r");
	if (stream == NULL) {
		cfg_error(cfg, "out of memory");
		return false;
	}
	bool is_good = cfg_parse_fp(cfg, stream) == CFG_SUCCESS;
	(void)fclose(stream);
	if (is_good && !reading.is_ended)
		cfg_error(cfg, "the end of a comment or section is missing");
	return is_good && reading.is_ended;
}

static bool
file_parse(cfg_t *cfg, const char *path)
{
	struct str text;
	if (!file_text(reading.scratch, str_from(path), FILE_BYTES, &text)) {
		diag_add(reading.diags, DIAG_ERROR, str_from(path), 0,
		    "cannot read: %s", file_trouble(errno));
		return false;
	}
	cfg->filename = strdup(path);
	return text_parse(cfg, text);
}

static bool
file_take(struct arena *a, cfg_t *cfg, const char *path, void *target)
{
	const struct option_file *file = reading.file;
	if (!file_parse(cfg, path))
		return false;
	rows_take(a, cfg, file->rows, target);
	bool is_good = true;
	for (const struct option_section *s = file->sections; s->kind != NULL;
	     s++)
		is_good = sections_take(a, cfg, s, target) && is_good;
	return is_good;
}

bool
option_read(struct arena *a, const struct option_file *file, const char *path,
    void *target, struct option_lines *ret_lines, struct diags *diags)
{
	static cfg_opt_t top[ROWS_MAX];
	static cfg_opt_t inner[8][ROWS_MAX];
	size_t n = rows_to_confuse(file->rows, top);
	for (size_t i = 0;
	     i < COUNT_OF(inner) && file->sections[i].kind != NULL; i++) {
		(void)rows_to_confuse(file->sections[i].rows, inner[i]);
		top[n++] = (cfg_opt_t)CFG_SEC(
		    file->sections[i].kind, inner[i], CFGF_MULTI | CFGF_TITLE);
	}
	top[n] = (cfg_opt_t)CFG_END();

	option_defaults(a, file, target);
	reading.diags = diags;
	reading.file = file;
	reading.scratch = arena_new();
	reading.arena = a;
	*ret_lines = (struct option_lines){.file = str_dup(a, str_from(path))};
	reading.lines = ret_lines;
	reading.is_ended = false;
	cfg_t *cfg = cfg_init(top, CFGF_NONE);
	cfg_set_error_function(cfg, on_error);
	validators_set(cfg, file);
	bool is_good = file_take(a, cfg, path, target);
	cfg_free(cfg);
	arena_free(reading.scratch);
	return is_good;
}

struct str
option_place_file(const struct option_place *place)
{
	return place->lines == NULL ? str_from(place->name)
				    : place->lines->file;
}

/* The last one counts: a later value takes the place of an earlier one. */
unsigned
option_place_line(const struct option_place *place, size_t i)
{
	const struct option_lines *lines = place->lines;
	struct str title =
	    place->title == NULL ? STR_EMPTY : str_from(place->title);
	for (size_t k = lines == NULL ? 0 : lines->n; k-- > 0;) {
		const struct option_line *l = &lines->v[k];
		if (l->i == i && strcmp(l->name, place->name) == 0 &&
		    str_eq(l->title, title))
			return l->line;
	}
	return 0;
}

void
option_complain(struct diags *diags, enum diag_level level,
    const struct option_place *place, size_t i, const char *fmt, ...)
{
	char text[COMPLAINT_MAX];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(diags, level, option_place_file(place),
	    option_place_line(place, i), "%s: %s", place->name, text);
}

/* As the parser reads it: a string in quotes. */
static void
put_quoted(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	for (size_t n; s.len > 0; s = str_skip(s, n)) {
		n = utf8_length(s);
		uint32_t c = n == 0 ? 0 : utf8_decode(s);
		bool is_safe = c >= 0x20 && (c < 0x7f || c >= 0xa0) &&
			       !utf8_is_deceiver(c);
		if (c == '"' || c == '\\')
			buf_putc(b, '\\');
		if (is_safe)
			buf_put(b, str_sub(s, 0, n));
		n = n == 0 ? 1 : n;
		for (size_t i = 0; i < n && !is_safe; i++)
			buf_printf(b, "\\x%02x", (unsigned char)s.p[i]);
	}
	buf_putc(b, '"');
}

struct str
option_show(struct arena *a, const struct option_row *row, const void *target)
{
	const char *field = (const char *)target + row->offset;
	const void *at = field;
	switch (row->type) {
	case OPTION_BOOL:
		return *(const bool *)at ? STR("yes") : STR("no");
	case OPTION_COUNT:
		return str_printf(
		    a, "%llu", (unsigned long long)*(const uint64_t *)at);
	case OPTION_SIZE:
		return show_units(a, (double)*(const uint64_t *)at, size_units);
	case OPTION_DURATION:
		return show_units(
		    a, (double)*(const int64_t *)at, duration_units);
	case OPTION_SCORE:
		return *(const double *)at == 0
			   ? STR("off")
			   : str_printf(a, "%.6g", *(const double *)at);
	case OPTION_MODE:
		return str_printf(
		    a, "0%llo", (unsigned long long)*(const uint64_t *)at);
	case OPTION_CHOICE:
		return str_from(row->choices[*(const int *)at]);
	case OPTION_TEXT:
	case OPTION_LIST:
		break;
	}
	struct buf *b = buf_new(a, 65536);
	if (row->type == OPTION_TEXT) {
		put_quoted(b, *(const struct str *)at);
		return buf_str(b);
	}
	const struct strs *list = at;
	buf_putc(b, '{');
	for (size_t i = 0; i < list->n; i++) {
		buf_put(b, i == 0 ? STR_EMPTY : STR(", "));
		put_quoted(b, list->v[i]);
	}
	buf_putc(b, '}');
	return buf_str(b);
}
